#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the command says without any service: help, usage errors, a service
# that is not there, output that cannot be written.  Speaks TAP.

evenlog=${top_builddir:-.}/cli/evenlog
dir=$(mktemp -d "${TMPDIR:-/tmp}/evenlog-usage-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
out=$dir/out
err=$dir/err
number=0
unset EVENLOG_PASSWORD

# check STATUS DESCRIPTION [PATTERN in stderr] -- COMMAND...
check() {
	want=$1
	what=$2
	pattern=
	shift 2
	if [ "$1" != -- ]; then
		pattern=$1
		shift
	fi
	shift
	number=$((number + 1))
	"$@" >"$out" 2>"$err" </dev/null
	got=$?
	if [ $got -eq "$want" ] &&
	   { [ -z "$pattern" ] || grep -q -e "$pattern" "$err"; }; then
		echo "ok $number - $what"
		return
	fi
	echo "not ok $number - $what"
	echo "# status $got, wanted $want, stderr:"
	sed 's/^/# /' "$err"
}

# The file holds this.
holds() {
	number=$((number + 1))
	if grep -q -e "$2" "$1"; then
		echo "ok $number - $3"
		return
	fi
	echo "not ok $number - $3"
	sed 's/^/# /' "$1"
}

# The file does not hold this.
lacks() {
	number=$((number + 1))
	if ! grep -q -e "$2" "$1"; then
		echo "ok $number - $3"
		return
	fi
	echo "not ok $number - $3"
	sed 's/^/# /' "$1"
}

# No option of the file's help stands there twice.
distinct() {
	number=$((number + 1))
	twice=$(sed -n '/ptions.*:$/,/^$/s/^  *\(-.*\)/\1/p' "$1" |
		sed 's/\(--[a-z-]*\).*/\1/; s/, /\n/' | sort | uniq -d)
	if [ -z "$twice" ]; then
		echo "ok $number - $2"
		return
	fi
	echo "not ok $number - $2"
	echo "# twice:" $twice
}

verbs="list query subscribe publish import log-info get-log set-log publishers
	publisher export clear install-manifest uninstall-manifest quarantine
	forward wsus collect status verify user"
socket=--control-socket=$dir/none

check 0 "help" -- "$evenlog" --help
for verb in $verbs; do
	holds "$out" "^  $verb " "help names $verb"
done
for verb in $verbs; do
	check 0 "help of $verb" -- "$evenlog" "$verb" --help
	holds "$out" "^Usage: evenlog $verb" "help of $verb has a usage line"
	distinct "$out" "each option of $verb is one"
	holds "$out" "--config" "help of $verb has the common options"
	case $verb in
	publish | import | *-manifest | quarantine | forward | wsus | \
		status | verify)
		lacks "$out" "--remote\|--user\|--password" \
			"help of $verb, which is local, has none of logging on"
		;;
	collect)
		lacks "$out" "--remote" "collect names its host"
		holds "$out" "--user" "collect logs on"
		;;
	user)
		lacks "$out" "--remote" "accounts are of this host"
		holds "$out" "--password-file" "accounts have passwords"
		;;
	subscribe)
		lacks "$out" "--until" "subscribe, which refuses it, has no --until"
		;;
	query | list)
		holds "$out" "--remote" "$verb asks other hosts"
		;;
	esac
done
check 0 "version" -- "$evenlog" --version
holds "$out" "^evenlog [0-9]" "the version is a number"

check 2 "no command" "no command" -- "$evenlog"
check 2 "an unknown command" "nosuch" -- "$evenlog" nosuch
check 2 "an unknown option" "--nosuch" -- "$evenlog" list --nosuch
check 2 "an argument too many" "too many" -- "$evenlog" list extra
check 2 "a query of nothing" "CHANNEL" -- "$evenlog" query
check 2 "an import of no updates" "import DIR" -- "$evenlog" wsus import
check 2 "a list of one directory" "import DIR" -- "$evenlog" wsus list x
check 2 "a list that checks" "takes no --check" -- \
	"$evenlog" wsus list --check
check 2 "a channel beside a structured query" "leave CHANNEL" -- \
	"$evenlog" query Application --structured=x
check 2 "a count that is none" "count" -- \
	"$evenlog" query Application --count=many
check 2 "a start that is none" "oldest, now or bookmark" -- \
	"$evenlog" subscribe Application --from=yesterday
check 2 "a bookmark start without a file" "--bookmark" -- \
	"$evenlog" subscribe Application --from=bookmark
check 2 "a structured query with filters" "has its filters inside" -- \
	"$evenlog" query --structured=x --level=error
check 2 "a time that is none" "--since is an age" -- \
	"$evenlog" query Application --since=often
check 2 "an end before the beginning" "later than" -- \
	"$evenlog" query Application --since=1h --until=2h
check 2 "a level to look for that is none" "--level is critical" -- \
	"$evenlog" query Application --level=error,loud
check 2 "an id to look for that is none" "--id takes numbers" -- \
	"$evenlog" query Application --id=1-x
check 2 "a task that is none" "--task takes numbers" -- \
	"$evenlog" query Application --task=1000000
check 2 "an opcode that is none" "--opcode takes numbers" -- \
	"$evenlog" query Application --opcode=256
check 2 "a record that is none" "--record takes numbers" -- \
	"$evenlog" query Application --record=one
check 2 "a keyword that is none" "--keyword is AuditFailure" -- \
	"$evenlog" query Application --keyword=loud
check 2 "an account to look for that has no SID" "--user-id is a SID" -- \
	"$evenlog" query Application --user-id=bob
check 2 "data to look for without a value" "--data is name=value" -- \
	"$evenlog" query Application --data=a
check 2 "both kinds of quotes" "--provider: .*quotes" -- \
	"$evenlog" query Application --provider="a'\""
check 2 "a subscription with an end" "--until" -- \
	"$evenlog" subscribe Application --until=now

check 2 "messages in text anyway" "--rendered is for" -- \
	"$evenlog" query Application --rendered
check 2 "a long form of JSON" "--long is for text" -- \
	"$evenlog" query Application --long --format=json
check 2 "messages and none" "exclude each other" -- \
	"$evenlog" query Application --rendered --no-messages --format=xml

# The query of options needs no service.
check 0 "a query explained" -- "$evenlog" query Security "$socket" \
	--id=4624,-4630 --level=error+ --explain
holds "$out" \
	"^\*\[System\[(Level=1 or Level=2) and EventID=4624 and EventID!=4630\]\]\$" \
	"the query is an XPath"
check 0 "a query of two channels explained" -- "$evenlog" subscribe \
	Application System '*[System[EventID<5]]' --explain
holds "$out" \
	'^    <Select Path="System">\*\[System\[EventID&lt;5\]\]</Select>$' \
	"the query is a list"
"$evenlog" query A B --level=2 --explain >"$dir/list"
check 0 "a query list explained" -- "$evenlog" query \
	--structured="$dir/list" --explain
cp "$out" "$dir/again"
check 0 "it is the same again" -- cmp "$dir/list" "$dir/again"
check 0 "many comparisons for a Windows host" "21 comparisons" -- \
	"$evenlog" query A --id=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21 \
	--remote=h --user=u --explain

check 2 "an event without provider" "--provider" -- \
	"$evenlog" publish Application --id=1
check 2 "an id out of range" "65535" -- \
	"$evenlog" publish Application --provider=P --id=65536
check 2 "a level that is none" "level" -- \
	"$evenlog" publish Application --provider=P --id=1 --level=loud
check 2 "data beside lines" "stdin" -- \
	"$evenlog" publish Application --stdin --data a=b
check 2 "data of a type that is none" "UInt32" -- \
	"$evenlog" publish Application --provider=P --id=1 --data a:Foo=1
check 2 "data without a value" "name=value" -- \
	"$evenlog" publish Application --provider=P --id=1 --data a
check 2 "data that is not of its type" "its type" -- \
	"$evenlog" publish Application --provider=P --id=1 --data a:UInt8=256
check 2 "publishing to another host" "this host" -- \
	"$evenlog" publish Application --provider=P --id=1 --remote=h --user=u
check 2 "status of another host" "this host" -- \
	"$evenlog" status --remote=h --user=u
check 2 "status of two hosts" "too much" -- "$evenlog" status a b
check 2 "watching without a pause" "1 to" -- "$evenlog" status --watch 0
check 2 "another host without a user" "--user" -- "$evenlog" list --remote=h
check 2 "a port that is none" "HOST:PORT" -- \
	"$evenlog" list --remote=h:x --user=u
check 2 "an account command that is none" "add, list or remove" -- \
	"$evenlog" user show
check 2 "an account without a name" "NAME" -- "$evenlog" user add

check 0 "another name of query" -- "$evenlog" qe A --explain
for verb in list status; do
	check 1 "$verb without a service" "not running" -- \
		"$evenlog" $verb "$socket"
done
check 1 "a query without a service" "not running" -- \
	"$evenlog" query Application "$socket"
check 1 "a subscription without a service" "not running" -- \
	"$evenlog" subscribe Application "$socket"
check 1 "publishing without a service" "not running" -- \
	"$evenlog" publish Application --provider=P --id=1 "$socket" \
	--store="$dir/none"
check 1 "a bookmark that must be there" "$dir/none" -- \
	"$evenlog" subscribe Application --from=bookmark \
	--bookmark="$dir/none" "$socket"
check 1 "a query file that is missing" "$dir/none" -- \
	"$evenlog" query --structured="$dir/none" "$socket"
echo "*[System]" >"$dir/query"
check 1 "a query file without a query list" "QueryList" -- \
	"$evenlog" query --structured="$dir/query" "$socket"
check 1 "a store that is not there" "no store" -- \
	"$evenlog" verify "$dir/none"
check 1 "a password file that is missing" "password file" -- \
	"$evenlog" list --remote=127.0.0.1:1 --user=u \
	--password-file="$dir/none"
: >"$dir/empty"
chmod 600 "$dir/empty"
check 1 "an empty password file" "empty" -- \
	"$evenlog" list --remote=127.0.0.1:1 --user=u \
	--password-file="$dir/empty"
echo secret >"$dir/password"
chmod 644 "$dir/password"
check 1 "a password file that others can read" "others can read" -- \
	"$evenlog" list --remote=127.0.0.1:1 --user=u \
	--password-file="$dir/password"
check 1 "no ticket" "kinit" -- env KRB5CCNAME=FILE:"$dir/none" \
	"$evenlog" list --remote=localhost:1 --kerberos
check 1 "no password and no terminal" "EVENLOG_PASSWORD" -- \
	setsid -w "$evenlog" list --remote=127.0.0.1:1 --user=u
check 1 "a configuration that is wrong" "evenlog.conf:1" -- \
	env sh -c "echo nonsense >'$dir/evenlog.conf';
		exec '$evenlog' list --config='$dir/evenlog.conf'"
if [ -e /dev/full ]; then
	check 1 "output that cannot be written" "write" -- \
		sh -c "exec '$evenlog' --help >/dev/full"
fi

echo "1..$number"
