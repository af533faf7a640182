# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog quarantine: what the bridge could not use, for a person."""

import http.client
import json
import os
import re

import ccm
import pytest

CONFIG = """
[listener bridge]
serve = wsus, configmgr
port = 0
"""
REPORTING = "/ReportingWebService/ReportingWebService.asmx"
SERVER = "0c9ef4b8-8a52-4a1c-9d2f-2a4c7a5b7a10"
NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{4}-[0-9a-f]{8}")
WSUS_LOG = "Evenlog-WSUS/Operational"
CCM_LOG = "Evenlog-ConfigMgr/Operational"


def post(server, body, path=REPORTING, **headers):
    connection = http.client.HTTPConnection(*server.http("bridge"), timeout=30)
    try:
        connection.request("POST", path, body, {
            "Content-Type": "text/xml; charset=utf-8", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def rollup(version="10.0.14393.2608"):
    """[MS-WSUSSS] 3.1.4.14, as much of it as the schema asks for."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
<soap:Body><RollupDownstreamServers
 xmlns="http://www.microsoft.com/SoftwareDistribution"><cookie>
<Expiration>9999-12-31T23:59:59.9999999</Expiration><EncryptedData/></cookie>
<clientTime>2026-11-22T00:00:00Z</clientTime><downstreamServers>
<DownstreamServerRollupInfo><ServerId>{SERVER}</ServerId>
<FullDomainName>dss1.example</FullDomainName>
<LastSyncTime>2026-11-21T23:00:00Z</LastSyncTime>
<ParentServerId>00000000-0000-0000-0000-000000000000</ParentServerId>
<Version>{version}</Version><IsReplica>true</IsReplica>
<LastRollupTime>2026-11-21T23:30:00Z</LastRollupTime>
</DownstreamServerRollupInfo></downstreamServers></RollupDownstreamServers>
</soap:Body></soap:Envelope>""".encode()


def entries(server):
    out = server.evenlog("quarantine", "list", "--format=json").stdout
    return [json.loads(line) for line in out.splitlines()]


def events(server, channel):
    out = server.evenlog("query", channel, "--format=json").stdout
    return [json.loads(line) for line in out.splitlines()]


def put(server, data, name="20260101T000000000000-0001-0123abcd", **known):
    """An entry by hand, as a person may put one back."""
    os.makedirs(server.quarantine, mode=0o700, exist_ok=True)
    known = {"source": "wsus", "reason": "put back", "peer": "192.0.2.7",
             "method": "POST", "path": REPORTING,
             "content_type": "text/xml", "complete": True,
             "received": "2026-01-01T00:00:00.0000000Z", "length": len(data),
             **known}
    path = os.path.join(server.quarantine, name)
    with open(path + ".in", "wb") as file:
        file.write(data)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(known, file)
    return name


@pytest.fixture
def server(make_server):
    return make_server(config=CONFIG)


def test_without_a_listener_there_is_none(make_server):
    server = make_server()
    done = server.evenlog("quarantine", "list", check=False)
    assert done.returncode == 1
    assert "[listener NAME]" in done.stderr
    done = server.evenlog("quarantine", "retry", "x", check=False)
    assert done.returncode == 1


def test_what_cannot_be_read_is_kept_and_shown(server):
    assert entries(server) == []
    assert post(server, b"<not>\x1b[2Jxml", SOAPAction='"x"')[0] == 500
    found = entries(server)
    assert len(found) == 1
    entry = found[0]
    assert NAME.fullmatch(entry["name"])
    assert entry["source"] == "wsus"
    assert entry["peer"] == "127.0.0.1"
    assert entry["method"] == "POST"
    assert entry["path"] == REPORTING
    assert entry["soap_action"] == '"x"'
    assert entry["length"] == 12
    assert entry["complete"] is True
    assert entry["reason"]

    line = server.evenlog("quarantine", "list").stdout
    assert line.startswith(entry["name"] + "  ")
    assert entry["reason"] in line

    shown = server.evenlog("quarantine", "show", entry["name"]).stdout
    assert f"Name: {entry['name']}\n" in shown
    assert "Peer: 127.0.0.1\n" in shown
    assert "\x1b" not in shown, "nothing moves the cursor"
    assert "3c 6e 6f 74 3e 1b" in shown
    assert json.loads(server.evenlog("quarantine", "show", entry["name"],
                                     "--format=json").stdout) == entry
    raw = server.evenlog("quarantine", "show", "--raw", entry["name"]).stdout
    assert raw == "<not>\x1b[2Jxml"


def test_text_is_shown_as_text(server):
    name = put(server, "<a>\r\n\u202eb\u00e9</a>\n".encode())
    shown = server.evenlog("quarantine", "show", name).stdout
    assert shown.endswith("\n\n<a>\n\\u{202e}bé</a>\n")


def test_a_long_entry_is_shown_in_part_and_written_whole(server):
    data = b"".join(b"%07d\n" % number for number in range(200000))
    name = put(server, data)
    done = server.evenlog("quarantine", "show", name)
    assert len(done.stdout) < 70000
    assert f"{len(data) - 65536} bytes more" in done.stderr
    raw = server.evenlog("quarantine", "show", "--raw", name).stdout
    assert raw.encode() == data


def test_one_that_is_still_wrong_stays_and_it_is_said_why(server):
    post(server, b"<not>xml")
    kept, before = entries(server), events(server, WSUS_LOG)
    done = server.evenlog("quarantine", "retry", kept[0]["name"], check=False)
    assert done.returncode == 1
    assert kept[0]["reason"] in done.stderr
    assert entries(server) == kept, "not kept a second time"
    assert events(server, WSUS_LOG) == before, "nor reported"


def test_one_that_can_be_used_now_makes_its_events(server):
    name = put(server, rollup())
    done = server.evenlog("quarantine", "retry", name)
    assert name in done.stderr
    assert entries(server) == []
    made = events(server, WSUS_LOG)
    assert [event["System"]["EventID"] for event in made] == [100, 101]
    assert made[0]["EventData"]["PeerAddress"] == "192.0.2.7"
    assert os.listdir(server.quarantine) == []


def test_a_refused_message_is_taken_after_a_change_of_policy(make_server):
    server = make_server(
        config=CONFIG + "[configmgr]\nsignatures = required\n")
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    reply = ccm.send(server.http("bridge"), message)
    assert not reply.is_no_reply()
    kept = entries(server)
    assert [entry["source"] for entry in kept] == ["configmgr"]
    done = server.evenlog("quarantine", "retry", "--all", check=False)
    assert done.returncode == 1

    server.write_config(server.read_config().replace(
        "signatures = required", "signatures = off"))
    server.evenlog("quarantine", "list")
    server.signal(1)
    wait_for_reload(server)
    server.evenlog("quarantine", "retry", "--all")
    assert entries(server) == []
    assert 1000 in [event["System"]["EventID"]
                    for event in events(server, CCM_LOG)]


def wait_for_reload(server):
    """The next answer comes after the signal that the loop took before."""
    for _ in range(100):
        server.status()
        if "configuration reloaded" in server.log():
            return
    raise AssertionError(server.log())


@pytest.mark.parametrize("known, why", [
    ({"complete": False}, "not kept whole"),
    ({"source": "elsewhere"}, "where it came from"),
    ({"source": None}, "where it came from"),
    ({"path": "/nowhere"}, "nothing is served at its URL"),
    ({"path": None}, "nothing is served at its URL"),
])
def test_what_cannot_be_tried_says_why(server, known, why):
    name = put(server, b"x", **known)
    done = server.evenlog("quarantine", "retry", name, check=False)
    assert done.returncode == 1
    assert why in done.stderr
    assert len(entries(server)) == 1


def test_entries_are_removed(server):
    names = [put(server, b"x", f"20260101T00000000000{i}-0001-0123abcd")
             for i in range(5)]
    assert [entry["name"] for entry in entries(server)] == names
    server.evenlog("quarantine", "remove", names[1])
    assert [entry["name"] for entry in entries(server)] == [
        names[0], *names[2:]]
    done = server.evenlog("quarantine", "remove", names[1], check=False)
    assert done.returncode == 1
    assert "there is no such entry" in done.stderr
    server.evenlog("quarantine", "remove", "--all")
    assert entries(server) == []


def test_more_entries_than_one_answer_has(server):
    """A list is asked for part by part."""
    names = [put(server, b"x", f"20260101T000000{i:06}-0001-0123abcd",
                 reason="r" * 2000) for i in range(600)]
    assert [entry["name"] for entry in entries(server)] == names


@pytest.mark.parametrize("name", [
    "", "..", "../../etc/passwd", "x" * 1000, "ä", "a\nb",
    "20260101T000000000000-0001-0123abcd"])
def test_names_that_none_has(server, name):
    for verb in "show", "retry", "remove":
        done = server.evenlog("quarantine", verb, name, check=False)
        assert done.returncode == 1, (verb, done.stderr)
        assert "no such entry" in done.stderr


@pytest.mark.parametrize("args, why", [
    (["look"], "quarantine is list, show, retry or remove"),
    (["show"], "needs a NAME"),
    (["retry"], "needs a NAME or --all"),
    (["list", "x"], "takes no NAME"),
    (["remove", "--all", "x"], "takes no NAME"),
    (["show", "--all"], "takes no --all"),
    (["retry", "--raw", "x"], "takes no --raw"),
])
def test_usage(server, args, why):
    done = server.evenlog("quarantine", *args, check=False)
    assert done.returncode == 2
    assert why in done.stderr


def test_entries_of_an_earlier_run_are_there(server):
    post(server, b"<not>xml")
    kept = entries(server)
    server.stop()
    server.start()
    assert entries(server) == kept
    assert server.status()["quarantine"]["entries"] == 1


def test_it_may_be_emptied_by_hand(server):
    post(server, b"<not>xml")
    name = entries(server)[0]["name"]
    for _ in range(1000):
        # It is listed before the files are written.
        if set(os.listdir(server.quarantine)) == {name + ".in",
                                                  name + ".json"}:
            break
        server.status()
    for file in os.listdir(server.quarantine):
        os.unlink(os.path.join(server.quarantine, file))
    os.rmdir(server.quarantine)
    assert entries(server) == []
    post(server, b"<not>xml")
    assert len(entries(server)) == 1
