#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run downstream.cs against a server, with SOAP 1.1 and 1.2.  Too heavy for
# every run of the tests: it needs Debian's mono-devel.
#
#   tests/byhand/downstream.sh WSDL-DIRECTORY http://127.0.0.1:8530
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wsdls=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for service in dss-auth:dssauth reporting:reporting server-sync:serversync; do
	wsdl "-n:${service#*:}" "-o:${service#*:}.cs" \
		"$wsdls/${service%:*}.wsdl" >wsdl.out 2>&1 ||
		{ cat wsdl.out; exit 1; }
done
mcs -nologo -nowarn:1701,1702 -out:downstream.exe \
	-r:System.Web.Services.dll -r:System.Xml.dll -r:Microsoft.CSharp.dll \
	"$here/downstream.cs" dssauth.cs reporting.cs serversync.cs
mono downstream.exe "$2" 1.1
mono downstream.exe "$2" 1.2
