# SPDX-License-Identifier: GPL-3.0-or-later
"""evlidl: an IDL compiler for Samba's NDR library."""
