# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sources, a collector and a real rsyslogd, over UDP, TCP, TLS and RELP at
once: what stands in a source's event, as the tests' own client reads it there,
stands in what rsyslogd has parsed."""

import json
import re

import pytest

import binxml
import collecting
import dcerpc
import even6
from pems import Authority
from rsyslog import Rsyslog
from server import USERS
from subscribing import drain_query, start_query

COUNT = 200
INPUTS = {"udp": "imudp", "tcp": "imptcp", "tls": "imtcp", "relp": "imrelp"}
# RFC 5424 6.2.1: facility 1, severities by System/Level.
SEVERITY = {0: 6, 1: 2, 2: 3, 3: 4, 4: 6, 5: 7}
FACILITY = 1
TEXTS = ["plain", 'quoted "twice"', "a ] and a \\", "Grüße, 事件, \U0001f600",
         "", " blanks ", "a=b c=\"d\"] [e", "x" * 3000, "%msg% $!all", "\\\"]"]

ELEMENT = re.compile(r'\[([^ =\]"]+)((?: [^ =\]"]+="(?:[^"\\\]]|\\.)*")*)\]')
PARAM = re.compile(r' ([^ =\]"]+)="((?:[^"\\\]]|\\.)*)"', re.S)
ESCAPED = re.compile(r'\\(["\\\]])')


def structured_data(text):
    """RFC 5424 6.3 as its grammar has it: {element: [(name, value)]}."""
    got, at = {}, 0
    while at < len(text):
        element = ELEMENT.match(text, at)
        assert element, f"no structured data at {text[at:at + 80]!r}"
        got[element[1]] = [(name, ESCAPED.sub(r"\1", value))
                           for name, value in PARAM.findall(element[2])]
        at = element.end()
    return got


def an_event(source, number):
    return {"System": {
        "Provider": {"Name": f"Provider-{number % 3} of {source}"},
        "EventID": 1000 + number, "Version": number % 4,
        "Level": number % 6, "Task": number, "Opcode": number % 10,
        "Keywords": f"0x80000000000000{number % 256:02x}",
        "Computer": f"{source}.example"},
        "EventData": {"Number": number, "Source": source,
                      "Text": TEXTS[number % len(TEXTS)],
                      "Other": TEXTS[number // len(TEXTS) % len(TEXTS)]}}


def publish(server, source):
    lines = "".join(json.dumps(an_event(source, number)) + "\n"
                    for number in range(1, COUNT + 1))
    server.evenlog("publish", "Application", "--stdin", stdin=lines)


def events_of(server, address):
    """The events as the source has them, by number."""
    client = even6.connect(address, server.port,
                           dcerpc.Ntlm("alice", USERS["alice"]))
    query = start_query(client, "Application")
    events = [binxml.Event(record.document)
              for batch in drain_query(client, query.handle)
              for record in batch.records()]
    client.close()
    return {event.values()["Number"]: event for event in events}


def check_line(line, event, sd_id, address):
    """One message that rsyslogd has parsed, and the event it came from."""
    name = f"{event.computer} {event.record_id}"
    level = int(event.text("Level"))
    assert line["pri"] == str(8 * FACILITY + SEVERITY[level]), name
    assert line["version"] == "1", name
    # Of seven digits six are allowed.
    assert line["time"].replace("+00:00", "Z") == event.time[:26] + "Z", name
    assert line["host"] == event.computer, name
    assert line["app"] == event.provider.replace(" ", "_")[:48], name
    assert line["msgid"] == str(event.event_id), name

    got = structured_data(line["sd"])
    params = dict(got[sd_id])
    assert params["channel"] == "ForwardedEvents", name
    # Left out where it is the one in the collector's store.
    assert params.get("eventRecordId", params["recordId"]) == \
        str(event.record_id), name
    assert params["eventChannel"] == "Application", name
    assert params["provider"] == event.provider, name
    assert params["eventId"] == str(event.event_id), name
    assert params["version"] == event.text("Version"), name
    assert params["level"] == event.text("Level"), name
    assert params["task"] == event.text("Task"), name
    assert params["opcode"] == event.text("Opcode"), name
    assert int(params["keywords"], 16) == int(event.text("Keywords"), 16), name
    assert params["time"] == event.time, name
    assert params["origin"] == address, name
    assert params["originMark"] == "claimed", name
    return got


@pytest.fixture
def receiver(tmp_path):
    authority = Authority(str(tmp_path))
    certificate, key = authority.issue("127.0.0.1")
    with Rsyslog(tuple(INPUTS), parsed=True, ca=authority.path,
                 certificate=certificate, key=key) as receiver:
        receiver.authority = authority
        yield receiver


def test_what_a_source_has_is_what_rsyslogd_gets(make_server, receiver):
    addresses = {"127.0.0.1": "source-a", "127.0.0.2": "source-b"}
    sources = {address: make_server(listen=address) for address in addresses}
    for address, source in sources.items():
        publish(source, addresses[address])
    collector = make_server(start=False)
    text = "".join(
        collecting.collect(addresses[address], collector, host=address,
                           mapper_port=source.mapper_port)
        for address, source in sources.items())
    for name in INPUTS:
        text += collecting.forward(
            name, name, receiver.ports[name], format="rfc5424",
            ca=receiver.authority.path if name == "tls" else None)
    collector.write_config(collector.read_config() + text)
    collector.start()
    receiver.wait_lines(len(INPUTS) * 2 * COUNT)

    events = {address: events_of(source, address)
              for address, source in sources.items()}
    lines = receiver.read_parsed()
    assert len(lines) == len(INPUTS) * 2 * COUNT
    for name in INPUTS:
        check_transport([line for line in lines
                         if line["input"] == INPUTS[name]], events, addresses)


def check_transport(lines, events, addresses):
    left = {address: dict(by_number) for address, by_number in events.items()}
    last = dict.fromkeys(addresses, 0)
    for line in lines:
        got = structured_data(line["sd"])
        params = dict(got["evenlog@32473"])
        data = dict(got["evenlog-data@32473"])
        address = params["origin"]
        event = left[address].pop(data["Number"])
        check_line(line, event, "evenlog@32473", address)
        assert list(got["evenlog-data@32473"]) == event.data
        # In the order of the source.
        assert event.record_id == last[address] + 1
        last[address] = event.record_id
    assert not any(left.values())
