# SPDX-License-Identifier: GPL-3.0-or-later
"""
Manifests of others: installed by the command, known to the service at once,
and gone again.
"""

import json
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest

import dcerpc
import even6
import even6_config
from even6_config import GetChannelConfig
from even6_metadata import GetPublisherList, GetPublisherListForChannel
from server import PUBLISHERS, SOURCE, USERS

MAN = "{http://schemas.microsoft.com/win/2004/08/events}"
EVENT = "{http://schemas.microsoft.com/win/2004/08/events/event}"
GUID = "{5F0C0C3B-6B6E-4B4B-8D6F-0A4B1C2D3E4F}"

MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<instrumentationManifest
    xmlns="http://schemas.microsoft.com/win/2004/08/events"
    xmlns:win="http://manifests.microsoft.com/win/2004/08/windows/events"
    xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <instrumentation><events>
  <provider name="Fabrikam-Pump" guid="%(guid)s" symbol="PUMP"
      message="$(string.P)">
   <channels>
    <channel chid="Op" name="Fabrikam-Pump/Operational" type="Operational"
        enabled="true" access="O:BAG:SYD:(A;;0x7;;;BA)(A;;0x1;;;S-1-5-32-573)">
     <logging><maxSize>3000000</maxSize></logging>
    </channel>
   </channels>
   <tasks><task name="Pumping" value="3" message="$(string.Task)"/></tasks>
   <keywords><keyword name="Water" mask="0x4"/></keywords>
   <maps><valueMap name="State">
    <map value="1" message="$(string.On)"/>
    <map value="2" message="$(string.Off)"/>
   </valueMap></maps>
   <templates>
    <template tid="T">
     <data name="Pump" inType="win:UnicodeString"/>
     <data name="Litres" inType="win:UInt32"/>
     <data name="Mask" inType="win:UInt32" outType="win:HexInt32"/>
     <data name="State" inType="win:UInt8" map="State"/>
     <data name="Good" inType="win:Boolean"/>
    </template>
    <template tid="U">
     <data name="Who" inType="win:SID"/>
     <data name="Why" inType="win:UnicodeString"/>
     <UserData><Stop xmlns="urn:fabrikam"><By>%%1</By><Why>%%2</Why></Stop>
     </UserData>
    </template>
   </templates>
   <events>
    <event value="7" version="1" channel="Op" level="win:Warning"
        task="Pumping" opcode="win:Start" keywords="Water" template="T"
        message="$(string.E7)"/>
    <event value="8" channel="Op" level="win:Error" template="U"
        message="$(string.E8)"/>
    <event value="9" level="win:Informational"/>
   </events>
  </provider>
 </events></instrumentation>
 <localization><resources culture="en-US"><stringTable>
  <string id="P" value="Fabrikam Pump"/>
  <string id="Task" value="Pumping of water"/>
  <string id="On" value="running"/><string id="Off" value="stopped"/>
  <string id="E7" value="Pump %%1: %%2 litres, %%3, %%4."/>
  <string id="E8" value="%%1 stopped it: %%2"/>
 </stringTable></resources></localization>
</instrumentationManifest>
""" % {"guid": GUID}


# Everything that event 7 needs.
SEVEN = ("Pump=north", "Litres=3000000000", "Mask=0xbeef", "State=stopped",
         "Good=true")


@pytest.fixture
def pump(make_server):
    """A service with a directory of manifests of its own, not made yet."""
    server = make_server(start=False)
    server.manifests = os.path.join(server.dir, "manifests")
    server.write_config(server.read_config().replace(
        "[evenlog]", f"[evenlog]\nmanifests = {server.manifests}"))
    server.source = os.path.join(server.dir, "pump.man")
    with open(server.source, "w", encoding="utf-8") as file:
        file.write(MANIFEST)
    return server.start()


@pytest.fixture
def connect_to():
    """A function that makes a client of a server."""
    clients = []

    def connect(server):
        client = even6.connect(
            "127.0.0.1", server.port,
            dcerpc.Ntlm("alice", USERS["alice"], level=dcerpc.PRIVACY))
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def installed(pump):
    pump.evenlog("install-manifest", pump.source)
    return pump


def publish(server, *args, **more):
    return server.evenlog("publish", "--provider", "Fabrikam-Pump", *args,
                          **more)


def events(server):
    """What is in the channel, by the service's own XML."""
    done = server.evenlog("query", "Fabrikam-Pump/Operational",
                          "--format=xml")
    return [ElementTree.fromstring(line) for line in done.stdout.splitlines()]


def system(event, name):
    return event.find(f"{EVENT}System/{EVENT}{name}")


def data(event):
    return {item.get("Name"): item.text
            for item in event.iterfind(f"{EVENT}EventData/{EVENT}Data")}


def test_the_service_describes_each_of_its_own_events():
    with open(os.path.join(SOURCE, "store", "operational.h"),
              encoding="utf-8") as file:
        ids = {name: int(number) for name, number in re.findall(
            r"OPERATIONAL_(\w+) = (\d+)", file.read())}
    described = ElementTree.parse(
        os.path.join(SOURCE, "event", "evenlog.man")).iterfind(f".//{MAN}event")
    assert {event.get("symbol"): int(event.get("value"))
            for event in described} == ids


def test_installing_says_what_there_is_now(pump):
    done = pump.evenlog("im", pump.source, "--format=json")
    assert json.loads(done.stdout) == {
        "Publisher": "Fabrikam-Pump", "Guid": GUID, "Events": 3,
        "Cultures": ["en-US"], "Channels": [{
            "Name": "Fabrikam-Pump/Operational", "Type": "Operational",
            "Enabled": True}]}
    assert os.listdir(pump.manifests) == ["pump.man"]
    with open(os.path.join(pump.manifests, "pump.man"),
              encoding="utf-8") as file:
        assert file.read() == MANIFEST
    assert "Fabrikam-Pump/Operational" in pump.evenlog("list").stdout


def test_clients_see_publisher_and_channel_at_once(pump, connect_to):
    client = connect_to(pump)
    assert client.call(GetPublisherList()).names == PUBLISHERS
    pump.evenlog("install-manifest", pump.source)
    assert client.call(GetPublisherList()).names == PUBLISHERS + [
        "Fabrikam-Pump"]
    listed = client.call(
        GetPublisherListForChannel("Fabrikam-Pump/Operational"))
    assert listed.names == ["Fabrikam-Pump"]
    config = client.call(GetChannelConfig("Fabrikam-Pump/Operational"))
    values = [variant.value for variant in config.properties]
    # Enabled, Isolation, Type, OwningPublisher, Access; facts 12.1.
    assert values[0:4] == [True, 0, 1, "Fabrikam-Pump"]
    assert values[5] == \
        "O:BAG:SYD:(A;;0x7;;;BA)(A;;0x1;;;S-1-5-32-573)"
    # 3,000,000 bytes in steps of 64 KiB.
    assert values[8] == 46 * 65536


def test_an_event_has_what_its_manifest_says(installed):
    publish(installed, "--id", "7", *SEVEN)
    event, = events(installed)
    assert system(event, "Provider").attrib == {"Name": "Fabrikam-Pump",
                                                "Guid": GUID}
    assert [system(event, name).text
            for name in ("EventID", "Version", "Level", "Task", "Opcode",
                         "Keywords", "Channel", "Computer")] == \
        ["7", "1", "3", "3", "1", "0x8000000000000004",
         "Fabrikam-Pump/Operational", "srv.example"]
    assert data(event) == {"Pump": "north", "Litres": "3000000000",
                           "Mask": "0xbeef", "State": "2", "Good": "true"}


def test_values_have_the_types_of_the_template(installed):
    """JSON tells a number and a truth from a text."""
    publish(installed, "--id", "7", *SEVEN)
    done = installed.evenlog("query", "Fabrikam-Pump/Operational",
                             "--format=json")
    assert json.loads(done.stdout)["EventData"] == {
        "Pump": "north", "Litres": 3000000000, "Mask": "0xbeef", "State": 2,
        "Good": True}


def test_user_data_have_the_template_s_shape(installed):
    publish(installed, "--id", "8", "Who=S-1-5-18", "Why=<leak> & more")
    event, = events(installed)
    stop, = event.find(f"{EVENT}UserData")
    assert stop.tag == "{urn:fabrikam}Stop"
    assert [(item.tag, item.text) for item in stop] == [
        ("{urn:fabrikam}By", "S-1-5-18"),
        ("{urn:fabrikam}Why", "<leak> & more")]


@pytest.mark.parametrize("args, message", [
    (("--id", "7", "Pump=a"), "there is no value for Litres"),
    (("--id", "7", *SEVEN, "Color=red"), "has no Color; its data are Pump, "
     "Litres, Mask, State, Good"),
    (("--id", "7", *SEVEN[:1], "Litres=-1", *SEVEN[2:]),
     'Litres is a win:UInt32, which "-1" is not'),
    (("--id", "7", *SEVEN[:3], "State=broken", *SEVEN[4:]),
     'State is a win:UInt8, which "broken" is not'),
    (("--id", "8", "Who=root", "Why="),
     'Who is a win:SID, which "root" is not'),
    (("--id", "6"), "describes no event 6; its events are 7, 8, 9"),
    (("--id", "7", "--event-version", "0", *SEVEN),
     "describes no version 0 of event 7"),
    (("--id", "9"), "names no channel for the event 9"),
])
def test_what_does_not_fit_is_refused(installed, args, message):
    done = publish(installed, *args, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert events(installed) == []


@pytest.mark.parametrize("args", [
    ("--id", "7", "--level", "error", *SEVEN), ("--id", "7", "=x"),
    ("Application", "Other", "--id", "7"),
])
def test_a_wrong_command_line_is_a_usage_error(installed, args):
    assert publish(installed, *args, check=False).returncode == 2
    assert events(installed) == []


def test_an_event_goes_where_it_is_told_to(installed):
    publish(installed, "Application", "--id", "9")
    assert events(installed) == []
    done = installed.evenlog("query", "Application", "--format=json")
    assert json.loads(done.stdout)["System"]["EventID"] == 9


def test_without_a_manifest_there_are_no_fields(pump):
    done = publish(pump, "Application", "--id", "7", "Pump=north",
                   check=False)
    assert done.returncode == 2
    assert "no installed manifest describes the provider" in done.stderr
    publish(pump, "Application", "--id", "7", "--data", "Pump=north")


def test_uninstalled_by_name_or_publisher(installed, connect_to):
    publish(installed, "--id", "7", *SEVEN)
    client = connect_to(installed)
    installed.evenlog("uninstall-manifest", "FABRIKAM-pump")
    assert os.listdir(installed.manifests) == []
    assert client.call(GetPublisherList()).names == PUBLISHERS
    # Its channel stays, with what is in it.
    assert len(events(installed)) == 1

    installed.evenlog("install-manifest", installed.source)
    installed.evenlog("um", "/somewhere/else/pump.man")
    assert os.listdir(installed.manifests) == []
    done = installed.evenlog("um", "pump.man", check=False)
    assert done.returncode == 1
    assert "neither a manifest" in done.stderr
    done = installed.evenlog("um", "Evenlog", check=False)
    assert done.returncode == 1
    assert "the service's own" in done.stderr


def test_check_installs_nothing(pump):
    done = pump.evenlog("install-manifest", "--check", pump.source)
    assert "Fabrikam-Pump" in done.stdout
    assert not os.path.exists(pump.manifests)


@pytest.mark.parametrize("old, new, message", [
    # The line on which the event's tag ends.
    ('template="T"', 'template="X"', "pump.man:%d: no template X" % (
        MANIFEST[:MANIFEST.index('message="$(string.E7)"')].count("\n") + 1)),
    ("</provider>", "", "pump.man:"),
    ("O:BAG:SYD:", "nobody", "is not an access string"),
    ("Fabrikam-Pump/Operational", "a&lt;b", "no channel can have the name"),
    ('"Fabrikam-Pump"', '"evenlog"', "is one of Evenlog's own"),
    ('"Fabrikam-Pump"', '"EVENLOG-wsus"', "is one of Evenlog's own"),
])
def test_a_wrong_manifest_is_not_installed(pump, old, new, message):
    bad = os.path.join(pump.dir, "bad")
    os.mkdir(bad)
    with open(os.path.join(bad, "pump.man"), "w", encoding="utf-8") as file:
        file.write(MANIFEST.replace(old, new))
    good = os.path.join(pump.dir, "good.man")
    with open(good, "w", encoding="utf-8") as file:
        file.write(MANIFEST.replace("Fabrikam", "Other").replace(
            "5F0C0C3B", "5F0C0C3C"))
    done = pump.evenlog("install-manifest", good,
                        os.path.join(bad, "pump.man"), check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert not os.path.exists(pump.manifests)


def test_an_access_string_that_no_channel_can_have(pump):
    """The store keeps 65,535 bytes; the service must not fail over more."""
    long = "O:BAG:SYD:" + 5100 * "(A;;0x1;;;BA)"
    with open(pump.source, "w", encoding="utf-8") as file:
        file.write(re.sub('access="[^"]*"', f'access="{long}"', MANIFEST))
    done = pump.evenlog("install-manifest", pump.source, check=False)
    assert done.returncode == 1
    assert "65,535 bytes" in done.stderr
    os.makedirs(pump.manifests, exist_ok=True)
    os.rename(pump.source, os.path.join(pump.manifests, "pump.man"))
    pump.stop()
    pump.start()
    assert "Fabrikam-Pump" not in pump.evenlog("list").stdout


def test_automatic_backup_is_not_promised(pump, connect_to):
    """Nothing writes a full channel to a file: nothing says so."""
    with open(pump.source, "w", encoding="utf-8") as file:
        file.write(MANIFEST.replace(
            "</maxSize>", "</maxSize><retention>true</retention>"
            "<autoBackup>true</autoBackup>"))
    pump.evenlog("install-manifest", pump.source)
    got = connect_to(pump).call(
        GetChannelConfig("Fabrikam-Pump/Operational"))
    assert got.value(even6_config.RETENTION) is True
    assert got.value(even6_config.AUTO_BACKUP) is False
    assert "autoBackup of the channel Fabrikam-Pump/Operational" in pump.log()


def test_another_file_of_the_name_replaces_it(installed):
    with open(installed.source, "w", encoding="utf-8") as file:
        file.write(MANIFEST.replace('value="9"', 'value="10"'))
    installed.evenlog("install-manifest", installed.source)
    assert publish(installed, "Application", "--id", "9",
                   check=False).returncode == 1
    publish(installed, "Application", "--id", "10")
    copy = os.path.join(installed.dir, "copy.man")
    os.rename(installed.source, copy)
    done = installed.evenlog("install-manifest", copy, check=False)
    assert "Fabrikam-Pump" in done.stderr
    assert done.returncode == 1


def test_a_service_starts_with_its_manifests(pump):
    """A wrong one is logged and passed over, and so is what is no manifest."""
    pump.stop()
    done = pump.evenlog("install-manifest", pump.source)
    assert "not running" in done.stderr
    for name, text in (("a.man", "<no"), ("b.txt", ""), (".c.man", "")):
        with open(os.path.join(pump.manifests, name), "w",
                  encoding="utf-8") as file:
            file.write(text)
    os.mkfifo(os.path.join(pump.manifests, "d.man"))
    pump.start()
    publish(pump, "--id", "7", *SEVEN)
    assert len(events(pump)) == 1
    assert "manifests/a.man:1: " in pump.log()
    assert "manifests/d.man cannot be read: it is not a file" in pump.log()
    assert ".c.man" not in pump.log() and "b.txt" not in pump.log()


def test_the_configuration_comes_before_the_manifest(pump, connect_to):
    pump.write_config(pump.read_config() + """
[channel Fabrikam-Pump/Operational]
max_size = 8M
""")
    pump.evenlog("install-manifest", pump.source)
    config = connect_to(pump).call(
        GetChannelConfig("Fabrikam-Pump/Operational"))
    values = [variant.value for variant in config.properties]
    assert values[2] == 1 and values[8] == 8 << 20
    assert config.rc == even6.ERROR_SUCCESS
