# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the other scripts share: Debian packages by what they are for,
# installing what is missing, and configuring a build.

# What a build needs.
PACKAGES_BUILD="autoconf automake pkg-config gcc libc6-dev make
	samba-dev libtalloc-dev libtevent-dev libxml2-dev liblmdb-dev
	nettle-dev libini-config-dev libpopt-dev libjansson-dev libgnutls28-dev
	libmicrohttpd-dev zlib1g-dev libkrb5-dev
	python3 python3-lark python3-jinja2"

# What running adds (the libraries come with the build's packages).
PACKAGES_RUN="samba-libs samba-dsdb-modules samba-common-bin"

# What the tests add.  (rsyslog has a unit for systemd and no init script: it
# is started where there is systemd, as Debian does it, and only there.  The
# tests run instances of their own.)
PACKAGES_TEST="libcmocka-dev clang clang-format libclang-rt-14-dev
	python3-prometheus-client python3-pytest python3-impacket python3-evtx python3-lxml
	libevtx-utils cabextract python3-zeep
	krb5-kdc krb5-admin-server krb5-user libnss-wrapper
	rsyslog rsyslog-relp rsyslog-gnutls openssl"

# A domain controller and a domain member, for one of the tests.
PACKAGES_DOMAIN="samba samba-ad-provision samba-dsdb-modules
	samba-vfs-modules winbind krb5-user iproute2"

# install_packages PACKAGE...: what is not there yet, quietly.
install_packages() {
	local missing=() package
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q '^install ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "These packages are missing; install them as root:" >&2
		echo "  apt-get install ${missing[*]}" >&2
		return 1
	fi
	echo "Installing ${#missing[@]} packages: ${missing[*]}"
	local log
	log=$(mktemp)
	if ! { apt-get -qq update &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
			-o DPkg::Lock::Timeout=300 \
			install --no-install-recommends "${missing[@]}"; } \
		>"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "apt-get failed; the whole of its output is in $log" >&2
		return 1
	fi
	rm -f "$log"
}

# install_domain_packages: on a machine for testing only.  They come with
# services, which would run from the next boot on where there is systemd;
# there the test makes do with what is installed.  Nor do they start now: as
# long as it takes there is a policy against it, unless there is one already.
install_domain_packages() (
	policy=/usr/sbin/policy-rc.d
	mark='# scripts/common.sh of Evenlog, while it installs packages'
	[ ! -d /run/systemd/system ] && [ "$(id -u)" = 0 ] || return 0
	# One of ours is there when we were killed.
	if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
		trap 'rm -f "$policy"' EXIT
		trap 'exit 1' HUP INT TERM
		printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
		chmod 755 "$policy"
	fi
	# shellcheck disable=SC2086
	install_packages $PACKAGES_DOMAIN
)

# make_configure: configure from configure.ac, unless it is newer already.
make_configure() {
	[ configure -nt configure.ac ] && [ -f Makefile.in ] && return
	./autogen.sh >autogen.out 2>&1 || { tail -n 20 autogen.out; return 1; }
	rm -f autogen.out
}

# configure_in DIR OPTION...: configure there, unless that was done already.
# The paths are those of an installation on Debian.
configure_in() {
	local dir=$1 source=$PWD
	shift
	mkdir -p "$dir"
	[ -f "$dir/Makefile" ] && [ "$dir/Makefile" -nt configure ] && return
	(cd "$dir" && "$source/configure" -q --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var --enable-werror "$@") ||
		{ tail -n 5 "$dir/config.log"; return 1; }
}
