# SPDX-License-Identifier: GPL-3.0-or-later
"""
A manifest that has something of everything, and what opnums 9 and 22 to 28
say of it: facts 12.3, 12.5 and 12.6.
"""

import os
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

import dcerpc
import even6
from even6_metadata import (
    CHANNEL, ERROR_MESSAGE_ID_NOT_FOUND, ERROR_MESSAGE_NOT_FOUND,
    ERROR_NO_DATA, EVENT, HELP_LINK, ID, KEYWORD, KEYWORDS, LEVEL, LEVELS,
    MESSAGE_ID, NONE, OPCODE, OPCODES, PROVIDER, TASK, TASKS,
    GetEventMetadataEnum, GetNextEventMetadata, GetPublisherList,
    GetPublisherListForChannel, GetPublisherMetadata,
    GetPublisherResourceMetadata, MessageRender, descriptor, strings)
from server import PUBLISHERS, USERS, Server

MAN = "{http://schemas.microsoft.com/win/2004/08/events}"
GUID = "{0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9}"
JOB = "{00112233-4455-6677-8899-AABBCCDDEEFF}"
GERMAN, AUSTRIAN, FRENCH, ENGLISH = 0x407, 0xC07, 0x40C, 0x409
READERS = "O:BAG:SYD:(A;;0x7;;;BA)(A;;0x1;;;S-1-5-32-573)"
NOBODY = "O:BAG:SYD:(A;;0x7;;;BA)"

MANIFEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<instrumentationManifest
    xmlns="http://schemas.microsoft.com/win/2004/08/events"
    xmlns:win="http://manifests.microsoft.com/win/2004/08/windows/events">
 <instrumentation><events>
  <provider name="Contoso-Mill" guid="{GUID}" symbol="MILL"
      message="$(string.P)" helpLink="http://contoso.example/mill"
      resourceFileName="C:\\mill.dll" messageFileName="C:\\mill-m.dll"
      parameterFileName="C:\\mill-p.dll">
   <channels>
    <importChannel chid="App" name="Application"/>
    <channel chid="Op" name="Contoso-Mill/Operational" type="Operational"
        enabled="true" access="{READERS}" message="$(string.Op)"/>
    <channel chid="Secret" name="Contoso-Mill/Secret" type="Admin"
        enabled="true" access="{NOBODY}" message="$(string.Secret)"/>
    <channel chid="Last" name="Contoso-Mill/Last" type="Admin"
        enabled="true" access="{READERS}"/>
   </channels>
   <levels><level name="Loud" value="20" message="$(string.Loud)"/></levels>
   <opcodes><opcode name="Turn" value="50" message="$(string.Turn)"/>
   </opcodes>
   <tasks>
    <task name="Grind" value="5" eventGUID="{JOB}"
        message="$(string.Grind)">
     <opcodes><opcode name="Stop" value="51" message="$(string.Halt)"/>
     </opcodes>
    </task>
    <task name="Rest" value="6"/>
   </tasks>
   <keywords>
    <keyword name="Flour" mask="0x10" message="$(string.Flour)"/>
    <keyword name="Bran" mask="0x20" message="$(string.Bran)"/>
    <keyword name="Dust" mask="0x40"/>
   </keywords>
   <templates><template tid="Sacks">
    <data name="Miller" inType="win:UnicodeString" outType="xs:string"/>
    <data name="Count" inType="win:UInt32" outType="win:HexInt32"/>
   </template></templates>
   <events>
    <event value="100" version="0" channel="Op" level="win:Informational"
        task="Grind" opcode="Turn" keywords="Flour" template="Sacks"
        message="$(string.E100)"/>
    <event value="100" version="3" channel="Op" level="Loud" task="Grind"
        opcode="Stop" keywords="Flour Bran win:AuditFailure"
        template="Sacks" message="$(string.E100v3)"/>
    <event value="7" channel="Secret" level="win:Error"
        message="$(string.E7)"/>
    <event value="8" level="win:Verbose" task="Rest"/>
   </events>
  </provider>
 </events></instrumentation>
 <localization>
  <resources culture="en-US"><stringTable>
   <string id="P" value="Contoso Mill"/>
   <string id="Op" value="What the mill does"/>
   <string id="Secret" value="What the miller hides"/>
   <string id="Loud" value="Loud"/>
   <string id="Turn" value="Turning"/><string id="Halt" value="Halting"/>
   <string id="Grind" value="Grinding"/>
   <string id="Flour" value="Flour"/><string id="Bran" value="Bran"/>
   <string id="E100" value="%1 ground %2 sacks.%n%tDone 100 %%."/>
   <string id="E100v3" value="%1 stopped after %2!06d! sacks%."/>
   <string id="E7" value="The secret is out."/>
  </stringTable></resources>
  <resources culture="de-DE"><stringTable>
   <string id="E100" value="%1 mahlte %2 Säcke.%n%tFertig zu 100 %%."/>
   <string id="Loud" value="Laut"/>
   <string id="Flour" value="Mehl"/>
  </stringTable></resources>
 </localization>
</instrumentationManifest>
"""


@pytest.fixture(scope="module")
def service():
    """One service with the manifest in its directory."""
    server = Server()
    try:
        server.add_users()
        manifests = os.path.join(server.dir, "manifests")
        os.mkdir(manifests)
        server.write_config(server.read_config().replace(
            "[evenlog]", f"[evenlog]\nmanifests = {manifests}"))
        with open(os.path.join(manifests, "mill.man"), "w",
                  encoding="utf-8") as file:
            file.write(MANIFEST)
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def mill(client):
    return opened(client)


def opened(client, locale=0):
    result = client.call(GetPublisherMetadata("Contoso-Mill", locale))
    assert result.rc == 0
    return result


def group(client, publisher, number):
    result = client.call(
        GetPublisherResourceMetadata(publisher.handle, number))
    assert result.rc == 0
    return result


def events_of(client, publisher):
    handle = client.call(GetEventMetadataEnum(publisher.handle)).handle
    result = client.call(GetNextEventMetadata(handle))
    assert result.rc == 0
    assert client.call(GetNextEventMetadata(handle)).rc == ERROR_NO_DATA
    return result.values()


def test_it_is_listed(client):
    assert client.call(GetPublisherList()).names == [
        "Contoso-Mill"] + PUBLISHERS
    for channel in ("Application", "Contoso-Mill/Operational",
                    "contoso-mill/last"):
        listed = client.call(GetPublisherListForChannel(channel))
        assert (listed.rc, listed.names) == (0, ["Contoso-Mill"])
    listed = client.call(GetPublisherListForChannel("Contoso-Mill/Secret"))
    assert (listed.rc, listed.names) == (even6.ERROR_INVALID_PARAMETER, None)


def test_what_it_is(client, mill):
    assert mill[0] == uuid.UUID(GUID)
    assert [mill[i] for i in (1, 2, 3)] == [
        "C:\\mill.dll", "C:\\mill-p.dll", "C:\\mill-m.dll"]
    assert group(client, mill, HELP_LINK)[4] == "http://contoso.example/mill"
    number = group(client, mill, MESSAGE_ID)[5]
    shown = client.call(MessageRender(mill.handle, ID, message=number))
    assert shown.text == "Contoso Mill"
    shown = client.call(MessageRender(mill.handle, PROVIDER))
    assert shown.text == "Contoso Mill"


def test_its_channels(client, mill):
    """In their order, less the one that alice may not read."""
    assert mill[7] == ["Application", "Contoso-Mill/Operational",
                       "Contoso-Mill/Last"]
    assert mill[8] == [0, 1, 3]
    assert mill[10] == [1, 0, 0]
    assert mill[11][2] == NONE
    shown = client.call(MessageRender(mill.handle, ID, message=mill[11][1]))
    assert shown.text == "What the mill does"
    shown = client.call(MessageRender(mill.handle, CHANNEL,
                                      descriptor(channel=mill[9][1])))
    assert shown.text == "What the mill does"
    shown = client.call(MessageRender(mill.handle, CHANNEL,
                                      descriptor(channel=mill[9][2])))
    assert shown.rc == ERROR_MESSAGE_ID_NOT_FOUND


def test_a_channel_that_is_hidden_stays_it(client, mill):
    hidden = {event[2] for event in events_of(client, mill)} \
        - set(mill[9]) - {0}
    assert len(hidden) == 1
    shown = client.call(MessageRender(mill.handle, CHANNEL,
                                      descriptor(channel=hidden.pop())))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_ID_NOT_FOUND, None)
    # Ids of channels' messages follow each other.
    for number in range(mill[11][1] - 3, mill[11][1] + 4):
        shown = client.call(MessageRender(mill.handle, ID, message=number))
        assert shown.rc != 0 or shown.text in ("What the mill does",
                                               "Contoso Mill")


def test_its_names(client, mill):
    levels = group(client, mill, LEVELS)
    assert (20, "Loud") in zip(levels[14], levels[13])
    tasks = group(client, mill, TASKS)
    assert tasks[17] == ["Grind", "Rest"]
    assert tasks[18] == [uuid.UUID(JOB), uuid.UUID(int=0)]
    assert tasks[19] == [5, 6]
    assert tasks[20][0] != NONE and tasks[20][1] == NONE
    opcodes = group(client, mill, OPCODES)
    assert sorted(zip(opcodes[23], opcodes[22])) == [
        (50 << 16, "Turn"), (51 << 16 | 5, "Stop")]
    keywords = group(client, mill, KEYWORDS)
    assert sorted(zip(keywords[27], keywords[26])) == [
        (0x10, "Flour"), (0x20, "Bran"), (0x40, "Dust")]


def test_its_events(client, mill):
    events = events_of(client, mill)
    assert [event[:2] for event in events] == [[7, 0], [8, 0], [100, 0],
                                               [100, 3]]
    by_id = {tuple(event[:2]): event for event in events}
    first, third = by_id[100, 0], by_id[100, 3]
    assert first[2:6] == [mill[9][1], 4, 50, 5]
    assert third[2:6] == [mill[9][1], 20, 51, 5]
    assert first[6] & 0xFFFFFFFFFFFFFF == 0x10
    assert third[6] & 0xFFFFFFFFFFFFFF == 0x10000000000030
    assert first[7] != third[7]
    # In no channel, without a message and without a template.
    assert by_id[8, 0][2:6] == [0, 5, 0, 6]
    assert by_id[8, 0][7:] == [NONE, ""]
    root = ElementTree.fromstring(first[8])
    assert root.tag == f"{MAN}template"
    assert [one.attrib for one in root] == [
        {"name": "Miller", "inType": "win:UnicodeString",
         "outType": "xs:string"},
        {"name": "Count", "inType": "win:UInt32",
         "outType": "win:HexInt32"}]
    assert third[8] == first[8]


@pytest.mark.parametrize("version,text", [
    (0, "Ann ground 12 sacks.\r\n\tDone 100 %."),
    (2, "Ann ground 12 sacks.\r\n\tDone 100 %."),
    (3, "Ann stopped after 000012 sacks."),
    (9, "Ann stopped after 000012 sacks."),
])
def test_messages_of_versions(client, mill, version, text):
    shown = client.call(MessageRender(
        mill.handle, EVENT, descriptor(100, version),
        values=strings("Ann", "12")))
    assert (shown.rc, shown.text) == (0, text)


def test_texts_of_an_event(client, mill):
    event = descriptor(100, 3, mill[9][1], 20, 51, 5, 0x10000000000070)
    for flags, text in ((LEVEL, "Loud"), (TASK, "Grinding"),
                        (OPCODE, "Halting"),
                        (KEYWORD, "Flour\0Bran\0Dust\0Audit Failure\0")):
        shown = client.call(MessageRender(mill.handle, flags, event))
        assert (shown.rc, shown.text) == (0, text)
    # Another task's opcode, and one of all tasks.
    shown = client.call(MessageRender(
        mill.handle, OPCODE, descriptor(opcode=51, task=6)))
    assert shown.rc == ERROR_MESSAGE_ID_NOT_FOUND
    shown = client.call(MessageRender(
        mill.handle, OPCODE, descriptor(opcode=50, task=6)))
    assert shown.text == "Turning"
    # A task without a text of its own is called by its name.
    shown = client.call(MessageRender(mill.handle, TASK, descriptor(task=6)))
    assert shown.text == "Rest"


@pytest.mark.parametrize("locale,text", [
    (0, "Ann ground 12 sacks."), (ENGLISH, "Ann ground 12 sacks."),
    (GERMAN, "Ann mahlte 12 Säcke."), (AUSTRIAN, "Ann mahlte 12 Säcke.")])
def test_languages(client, locale, text):
    """That culture, then one of the same language."""
    shown = client.call(MessageRender(
        opened(client, locale).handle, EVENT, descriptor(100),
        values=strings("Ann", "12")))
    assert shown.text.split("\r\n")[0] == text


def test_a_language_that_is_incomplete_or_not_there(client):
    """No text in another language than the one that was asked for."""
    german = opened(client, GERMAN).handle
    shown = client.call(MessageRender(german, EVENT, descriptor(100, 3)))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_NOT_FOUND, None)
    shown = client.call(MessageRender(
        opened(client, FRENCH).handle, EVENT, descriptor(100)))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_NOT_FOUND, None)
    # Names fall back.
    shown = client.call(MessageRender(german, LEVEL, descriptor(level=20)))
    assert shown.text == "Laut"
    shown = client.call(MessageRender(
        german, KEYWORD, descriptor(keywords=0x30)))
    assert shown.text == "Mehl\0Bran\0"


def test_a_handle_outlives_its_manifest(make_server):
    """Metadata that was opened does not change under a client's hands."""
    server = make_server(start=False)
    manifests = os.path.join(server.dir, "manifests")
    os.mkdir(manifests)
    server.write_config(server.read_config().replace(
        "[evenlog]", f"[evenlog]\nmanifests = {manifests}"))
    path = os.path.join(manifests, "mill.man")
    with open(path, "w", encoding="utf-8") as file:
        file.write(MANIFEST)
    server.start()
    with even6.connect("127.0.0.1", server.port,
                       dcerpc.Ntlm("alice", USERS["alice"],
                                   level=dcerpc.PRIVACY)) as client:
        publisher = opened(client)
        events = client.call(GetEventMetadataEnum(publisher.handle)).handle
        server.evenlog("uninstall-manifest", "mill.man")
        gone = client.call(GetPublisherMetadata("Contoso-Mill"))
        assert gone.rc == even6.ERROR_FILE_NOT_FOUND
        assert client.call(GetPublisherList()).names == PUBLISHERS
        shown = client.call(MessageRender(publisher.handle, LEVEL,
                                          descriptor(level=20)))
        assert shown.text == "Loud"
        assert len(client.call(GetNextEventMetadata(events)).lists) == 4
        for handle in (publisher.handle, events):
            assert client.call(even6.Close(handle)).rc == 0
