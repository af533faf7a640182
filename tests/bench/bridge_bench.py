#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the SOAP bridge: a real evenlogd on loopback, a WSUS rollup of
many computers beside another source, and discovery records."""

import http.client
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import ccm  # noqa: E402
from server import BUILD, Server  # noqa: E402

COMPUTERS = int(os.environ.get("EVENLOG_BENCH_COMPUTERS", "500"))
UPDATES = int(os.environ.get("EVENLOG_BENCH_UPDATES", "2000"))
RECORDS = int(os.environ.get("EVENLOG_BENCH_RECORDS", "20000"))

REPORTING = "/ReportingWebService/ReportingWebService.asmx"
NS = "http://www.microsoft.com/SoftwareDistribution"
COOKIE = ("<cookie><Expiration>9999-12-31T23:59:59.9999999</Expiration>"
          "<EncryptedData /></cookie>")
TIME = "2026-11-20T10:00:00.123Z"
SERVER = "050cee4a-aaff-470c-8fc3-7a94cb3a4293"
CONFIG = """
[listener bench]
port = 0
serve = wsus, configmgr
[wsus]
correct_clocks = no
"""
MARK = "BE9C4000-0000-4000-8000-000000000000"  # as in bridge_load.c


def envelope(operation, body):
    return ('<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
            'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<{operation} xmlns="{NS}">{COOKIE}<clientTime>{TIME}'
            f'</clientTime>{body}</{operation}></soap:Body></soap:Envelope>')


def post(port, operation, body):
    """Send a report; the answer's time in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    begin = time.monotonic()
    connection.request("POST", REPORTING, body, {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{NS}/{operation}"'})
    answer = connection.getresponse()
    text = answer.read()
    seconds = time.monotonic() - begin
    connection.close()
    if answer.status != 200:
        sys.exit(f"{operation}: {answer.status} {text[:300]}")
    return seconds


def computer(number):
    return f"d07a4d51-7cb2-46d1-ad86-{number:012x}"


def introduce(port):
    """The server and its computers, so that their statuses are taken."""
    counters = [
        "UpdateCount", "DeclinedUpdateCount", "ApprovedUpdateCount",
        "NotApprovedUpdateCount", "UpdatesWithStaleUpdateApprovalsCount",
        "ExpiredUpdateCount",
        "CriticalOrSecurityUpdatesNotApprovedForInstallCount",
        "WsusInfrastructureUpdatesNotApprovedForInstallCount",
        "UpdatesWithClientErrorsCount", "UpdatesWithServerErrorsCount",
        "UpdatesNeedingFilesCount", "UpdatesNeededByComputersCount",
        "UpdatesUpToDateCount", "CustomComputerTargetGroupCount",
        "ComputerTargetCount", "ComputerTargetsNeedingUpdatesCount",
        "ComputerTargetsWithUpdateErrorsCount", "ComputersUpToDateCount"]
    post(port, "RollupDownstreamServers", envelope(
        "RollupDownstreamServers",
        "<downstreamServers><DownstreamServerRollupInfo>"
        f"<ServerId>{SERVER}</ServerId>"
        "<FullDomainName>bench.example.com</FullDomainName>"
        f"<LastSyncTime>{TIME}</LastSyncTime>"
        f"<ParentServerId>{uuid.UUID(int=0)}</ParentServerId>"
        "<Version>10.0.20348.1</Version><IsReplica>false</IsReplica>"
        f"<LastRollupTime>{TIME}</LastRollupTime><ServerSummary>"
        + "".join(f"<{name}>1</{name}>" for name in counters) +
        "</ServerSummary><ClientSummaries /></DownstreamServerRollupInfo>"
        "</downstreamServers>"))
    post(port, "RollupComputers", envelope(
        "RollupComputers", "<computers>" + "".join(
            f'<ComputerRollupInfo ComputerId="{computer(number)}" '
            f'LastSyncTime="{TIME}" LastSyncResult="1" '
            f'LastReportedRebootTime="{TIME}" '
            f'LastReportedStatusTime="{TIME}" LastInventoryTime="{TIME}" '
            f'ParentServerId="{SERVER}" />' for number in range(COMPUTERS)) +
        "</computers>"))


def write_rollup(path, state):
    """The statuses of all computers; state is that of the first update."""
    def row(number):
        return ("<ComputerStatusRollupUpdateStatus>"
                f"<UpdateId>09de7a79-5c09-4f3a-972e-{number:012x}</UpdateId>"
                "<SummarizationState>"
                f"{state if number == 0 else number % 7}"
                "</SummarizationState>"
                f"<LastChangeTime>{TIME}</LastChangeTime>"
                "</ComputerStatusRollupUpdateStatus>")
    rows = "".join(row(number) for number in range(UPDATES))
    items = (
        "<ComputerStatusRollupInfo>"
        f"<InstanceId>{uuid.UUID(int=number)}</InstanceId>"
        f"<ComputerId>{computer(number)}</ComputerId>"
        f"<EffectiveLastDetectionTime>{TIME}</EffectiveLastDetectionTime>"
        "<RollupNumber>1</RollupNumber><IsFullRollup>true</IsFullRollup>"
        f"<UpdateStatus>{rows}</UpdateStatus></ComputerStatusRollupInfo>"
        for number in range(COMPUTERS))
    head, tail = envelope(
        "RollupComputerStatus",
        f"<parentServerId>{SERVER}</parentServerId><computers>@</computers>"
    ).split("@")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head)
        for item in items:
            file.write(item)
        file.write(tail)
    return os.path.getsize(path)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0


def xmllint_cpu(path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["xmllint", "--huge", "--stream", "--noout", path],
                   check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime +
            after.ru_stime - before.ru_stime)


def load(port, request, connections, count, first, pause=0):
    return [os.path.join(BUILD, "tests", "bench", "bridge_load"), str(port),
            request, str(connections), str(count), str(first), str(pause)]


def figures(text):
    num, seconds, p50, p99, longest = text.split()
    return (int(num), float(seconds), int(p50) / 1000, int(p99) / 1000,
            int(longest) / 1000)


def write_record(path, endpoint):
    """A request with a discovery record, whose id bridge_load counts up."""
    head, full = ccm.discovery_reports()
    message = ccm.sdk_message(endpoint, head, [full],
                              message_id="{" + MARK + "}")
    message.head = ccm.NATIVE_HEAD  # the connection is used again
    with open(path, "wb") as file:
        file.write(message.request())


def post_rollup(port, path):
    """Send the file; the seconds it took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    with open(path, "rb") as body:
        begin = time.monotonic()
        connection.request("POST", REPORTING, body, {
            "Content-Type": "text/xml; charset=utf-8",
            "Content-Length": str(os.path.getsize(path)),
            "SOAPAction": f'"{NS}/RollupComputerStatus"'})
        answer = connection.getresponse()
        text = answer.read()
    connection.close()
    if answer.status != 200 or b">true<" not in text:
        sys.exit(f"RollupComputerStatus: {answer.status} {text[:300]}")
    return time.monotonic() - begin


class Source:
    """Another source, which posts a record every two milliseconds."""

    first = 1 << 40

    def __init__(self, port, record):
        Source.first += 1 << 30
        self.process = subprocess.Popen(
            load(port, record, 1, 0, Source.first, 2),
            stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        return figures(self.process.communicate()[0])


def rollup(server, port, path, record, what, lint):
    """One RollupComputerStatus, alone or beside another source."""
    megabytes = os.path.getsize(path) / 1e6
    source = Source(port, record) if record else None
    time.sleep(0.2 if source else 0)
    events = server.status()["store"]["records"]
    cpu = cpu_seconds(server.process.pid)
    seconds = post_rollup(port, path)
    cpu = cpu_seconds(server.process.pid) - cpu
    events = server.status()["store"]["records"] - events
    line = (f"{what}: {megabytes / seconds:.0f} MB/s, {seconds:.2f} s, "
            f"CPU {cpu:.2f} s")
    if source:
        num, _, p50, p99, longest = source.stop()
        line += (f"; another source's {num} acknowledgements: p50 {p50:.1f}, "
                 f"p99 {p99:.1f}, longest {longest:.1f} ms")
    else:
        line += (f", {cpu / lint:.2f} of xmllint --stream; {events} events, "
                 f"{events / seconds:.0f}/s")
    print(line)


def records(port, record, idle):
    """Discovery records beside messages that leave nothing behind."""
    first = 0
    for connections in (1, 64):
        count = RECORDS if connections > 1 else RECORDS // 10
        rates = []
        for request in (idle, record):
            out = subprocess.run(
                load(port, request, connections, count, first),
                check=True, capture_output=True, text=True).stdout
            first += count
            rates.append((count / figures(out)[1], figures(out)))
        rate, (_, _, p50, p99, longest) = rates[1]
        print(f"discovery records, {connections} connections: {rate:.0f}/s, "
              f"{rate / rates[0][0]:.2f} of messages that make no event; "
              f"p50 {p50:.2f}, p99 {p99:.2f}, longest {longest:.1f} ms")


def started():
    server = Server(config=CONFIG)
    try:
        server.start()
        introduce(server.http("bench")[1])
    except BaseException:
        server.close()
        raise
    return server


def rollups(server, paths, record, lint):
    port = server.http("bench")[1]
    rollup(server, port, paths[0], None, "first time", lint)
    rollup(server, port, paths[0], None, "repeated", lint)
    rollup(server, port, paths[0], record, "repeated", lint)
    rollup(server, port, paths[1], record, "one change each", lint)
    print(f"peak memory of the service: "
          f"{peak_mib(server.process.pid):.0f} MiB")


def main():
    with tempfile.TemporaryDirectory() as directory:
        record, idle = (os.path.join(directory, name)
                        for name in ("record", "idle"))
        write_record(record, "MP_DdrEndpoint")
        write_record(idle, "MP_Other")
        paths = [os.path.join(directory, f"rollup-{n}.xml") for n in range(2)]
        for path, state in zip(paths, (4, 5)):
            size = write_rollup(path, state)
        lint = xmllint_cpu(paths[0])
        print(f"rollup of {COMPUTERS} computers with {UPDATES} updates each, "
              f"{size / 1e6:.0f} MB; xmllint --stream: {lint:.2f} s of CPU")
        server = started()
        try:
            rollups(server, paths, record, lint)
            records(server.http("bench")[1], record, idle)
        finally:
            server.close()
        server = started()
        try:
            rollup(server, server.http("bench")[1], paths[0], record,
                   "first time", lint)
        finally:
            server.close()


main()
