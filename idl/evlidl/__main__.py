# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the build run the directory itself: python3 idl/evlidl ..."""

import os
import sys

if not __package__:
    sys.path.insert(0, os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))

from evlidl.main import main  # noqa: E402  (the path comes first)

sys.exit(main(sys.argv[1:]))
