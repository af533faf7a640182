#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make configure from configure.ac.  Needs autoconf, automake and pkg-config.
set -eu
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force "$@"
