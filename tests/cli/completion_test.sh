#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Completion in bash: what is offered for what has been typed.  Speaks TAP.

[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
evenlog=${top_builddir:-.}/cli/evenlog
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-completion-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/sub"
: >"$dir/file"
number=0
unset -f _init_completion
. "${top_srcdir:-.}/scripts/completion/evenlog"

# offers DESCRIPTION PATTERN WORD...: the last word is being typed; the
# pattern is of all that is offered, with a blank around each.
offers() {
	local what=$1 pattern=$2

	shift 2
	COMP_WORDS=("$evenlog" "$@") COMP_CWORD=$#
	COMPREPLY=()
	_evenlog
	number=$((number + 1))
	if [[ " ${COMPREPLY[*]} " == $pattern ]]; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		echo "# offered: ${COMPREPLY[*]}"
	fi
}

offers "commands" "* list *query *subscribe *verify *user *" ""
offers "one command" " query " que
offers "nothing else" "  " nosuch
offers "options of all commands" " --format " --fo
offers "each option once" " --level " publish --le
offers "options of a command" " --structured --since --store " query --s
offers "options under another name" " --since " qe --si
offers "options behind common ones" " --since " --format json query --si
offers "values" " text " query --format te
offers "values behind an equals sign" " json " query --format=j
offers "levels" "* error *error+ *" query A --level err
offers "where to begin" " oldest " subscribe --from o
offers "quarantine commands" " retry remove " quarantine re
offers "forward commands" " list rewind " forward ""
offers "collector commands" " test " collect te
offers "account commands" " add list remove " user ""
offers "free text" "  " query --provider=x
offers "directories" "* $dir/sub *" wsus list --directory "$dir/su"
offers "files" "* $dir/file *" collect test x --keytab "$dir/fi"

# A service with channels, hosts and outputs, as far as completion asks it.
real=$evenlog
evenlog=$dir/evenlog
cat >"$evenlog" <<SERVICE
#!/bin/sh
case "\$*" in
list) printf 'Application\nDomain Controllers\nDomain Users\n' ;;
publishers) printf 'Disk\nService Control Manager\n' ;;
status*) echo '{"collect":{"hosts":[{"host":"dc1.example"},{"host":"dc2"}]}}' ;;
*) exec "$real" "\$@" ;;
esac
SERVICE
chmod +x "$evenlog"
offers "a channel" " Application " log-info A
offers "channels with blanks" " Domain\\\\ Controllers Domain\\\\ Users " query Dom
offers "one with a blank typed" " Domain\\\\ Users " query 'Domain\ U'
offers "one in quotes" " Domain Controllers " subscribe '"Domain C'
offers "a channel of an option" " Application " import x --channel App
offers "publishers" " Service\\\\ Control\\\\ Manager " publisher S
offers "hosts" " dc1.example dc2 " status dc
offers "hosts to test" " dc1.example dc2 " collect test d
evenlog=$real

for verb in $("$evenlog" --help | sed -n '/^Commands:/,/^$/ {
	s/^  \([a-z-]*\).*/\1/p
}'); do
	offers "options of $verb" "*--config *--help --version " "$verb" --
done

echo "1..$number"
