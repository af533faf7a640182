# SPDX-License-Identifier: GPL-3.0-or-later
"""
The management point and its inbox, as their senders and a subscribed client
see them.  Layouts are those of ccm.py, made without the service.
"""

import concurrent.futures
import os
import re
import signal
import struct
import time
import zlib
import xml.etree.ElementTree as ElementTree

import pytest

import ccm
import dcerpc
import even6
from bridged import CONFIGMGR, Watch
from server import USERS

(DISCOVERY, HARDWARE, SOFTWARE, STATUS, STATE, REGISTERED, FILE, REJECTED,
 FILE_REJECTED) = (1000, 1010, 1011, 1020, 1030, 1040, 1100, 1900, 1901)

CONFIG = """
[listener mp]
serve = configmgr
port = 0
[listener metrics]
serve = metrics
port = 0
"""


STATUS_MESSAGE = (
    '<Status SchemaVersion="1.00" CodePage="437" LocaleID="1033">'
    '<Properties><Property Name="MachineName">PC01</Property>'
    '<Property Name="SiteCode">ABC</Property>'
    '<Property Name="InsertionString1">one</Property>'
    f'<Property Name="DateTime">{ccm.cim()}</Property>'
    '<Property Name="Severity">1</Property></Properties>'
    '<Qualifiers><Qualifier Name="SMS_Component">Agent</Qualifier>'
    '<Qualifier Name="SMS_MessageID">10500</Qualifier></Qualifiers>'
    "<Type>SMS_UnknownStatusMessage</Type></Status>")


@pytest.fixture(scope="module")
def mp(service):
    return service.http("mp")


@pytest.fixture(scope="module")
def key():
    return ccm.Key()


@pytest.fixture
def watch(client):
    return Watch(client, CONFIGMGR)


def watch_of(server):
    client = even6.connect("127.0.0.1", server.port,
                           dcerpc.Ntlm("alice", USERS["alice"],
                                       level=dcerpc.PRIVACY))
    return Watch(client, CONFIGMGR)


def metric(service, line):
    """The number behind this name and labels."""
    text = ccm.get(service.http("metrics"), "/metrics").body.decode()
    for row in text.splitlines():
        if row.startswith(line + " "):
            return int(row.rpartition(" ")[2])
    raise KeyError(line)


# ------------------------------------------------------------------- layouts

LAYOUTS = {
    "sdk": lambda head, full: ccm.sdk_ddr(head, full),
    "sdk-zlib": lambda head, full: ccm.sdk_ddr(head, full, compress=True),
    "seed": lambda head, full: ccm.seed_ddr(head, full),
    "python": lambda head, full: ccm.sender_ddr(head, full),
    "python-signed": lambda head, full: ccm.sender_ddr(head, full,
                                                       key=ccm.Key()),
    "native": lambda head, full: ccm.native_message("MP_DdrEndpoint", head,
                                                    [full]),
    "native-signed": lambda head, full: ccm.native_message(
        "MP_DdrEndpoint", head, [full], key=ccm.Key()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_discovery_record_in_each_known_layout(mp, watch, layout):
    head, full = ccm.discovery_reports()
    message = LAYOUTS[layout](head, full)
    assert ccm.send(mp, message).is_no_reply()
    seen = watch.one()
    assert seen.id == DISCOVERY
    assert seen.provider == "Evenlog-ConfigMgr"
    assert seen["MessageId"] == message.id
    assert seen["SourceId"] == ccm.CLIENT_ID
    assert seen["PeerAddress"] == "127.0.0.1"
    assert seen["SignatureState"] == ("self-asserted" if "signed" in layout
                                      else "none")
    assert ("CCM_ComputerSystem", "Domain", "EXAMPLE") in seen.properties
    assert ("CCM_NetworkAdapterConfiguration", "IPSubnet",
            "192.0.2.0") in seen.properties


def test_the_discovery_record_of_the_seed(mp, watch):
    """
    ISmsMessaging::Post of the documentation's example: the header as the
    body, the report as the attachment {...0003}.
    """
    head, full = ccm.discovery_reports(netbios="PC77")
    message = ccm.seed_ddr(head, full, source_host="PC77")
    assert b"{00000000-0000-0000-0000-000000000003}" in \
        message.body().replace(b"\0", b"")
    assert ccm.send(mp, message).is_no_reply()
    seen = watch.one()
    assert seen.id == DISCOVERY
    assert seen.level == 4
    assert seen["NetBIOSName"] == "PC77"
    assert seen.message.startswith("pc01.example.com sent a discovery record")
    assert seen["ADSite"] == "Default-First-Site-Name"
    assert seen["FQDN"] == "pc01.example.com"
    assert len(seen.properties) == 18


@pytest.mark.parametrize("url,method", [
    ("/ccm_system/request", "POST"),
    ("/CCM_System/Request", "CCM_POST"),
    ("/ccm_system_windowsauth/request", "CCM_POST"),
    ("/ccm_system_altauth/request", "CCM_POST"),
])
def test_every_way_in(mp, watch, url, method):
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    message.url, message.method = url, method
    assert ccm.send(mp, message).is_no_reply()
    assert watch.one().id == DISCOVERY


def test_a_report_is_found_behind_unusable_ranges(mp, watch):
    """Facts, section 3: then the payload is cut behind each </Report>."""
    message = ccm.sdk_ddr(*ccm.discovery_reports()).replace(
        Body=ccm.attributes("Body", Type="ByteRange", Offset=10 ** 9,
                            Length=20), Attachment="")
    assert ccm.send(mp, message).is_no_reply()
    assert ("CCM_ComputerSystem", "Domain", "EXAMPLE") in \
        watch.one().properties


def test_the_boundary_of_the_request_is_the_answers(mp, watch):
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    message.boundary = "another-one"
    reply = ccm.send(mp, message)
    assert reply.is_no_reply()
    assert reply.headers["content-type"] == \
        'multipart/mixed; boundary="another-one"'
    assert watch.one().id == DISCOVERY


def test_hardware_inventory_and_state_and_status(mp, watch):
    inventory = ccm.report(
        ccm.instance("CCM_System", Name="PC01", SystemType="x64-based PC"),
        action="{00000000-0000-0000-0000-000000000001}",
        description="Hardware")
    header = ccm.report(action="{00000000-0000-0000-0000-000000000001}",
                        description="Hardware")
    assert ccm.send(mp, ccm.sdk_message(
        "MP_HinvEndpoint", header, [inventory])).is_no_reply()
    assert watch.one().id == HARDWARE

    state = (f'<StateMessage MessageTime="{ccm.cim()}" SerialNumber="7">'
             '<State ID="3" Criticality="0"/><Topic ID="abc" Type="500" '
             'IDType="3"/><UserParameters Count="0" Flags="0"/>'
             "</StateMessage>")
    assert ccm.send(mp, ccm.sdk_state(ccm.report(
        state, state.replace('"7"', '"8"'), content="State Message Data"))
    ).is_no_reply()
    assert [seen.id for seen in watch.events()] == [STATE, STATE]

    assert ccm.send(mp, ccm.sdk_status(STATUS_MESSAGE)).is_no_reply()
    assert watch.one().id == STATUS


# ------------------------------------------------------------------- replays

def test_a_replay_is_answered_and_makes_no_event(service, mp, watch):
    before = metric(service, "evenlog_configmgr_replays_total")
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    for _ in range(3):
        assert ccm.send(mp, message).is_no_reply()
    assert watch.one().id == DISCOVERY
    assert metric(service, "evenlog_configmgr_replays_total") == before + 2


def test_one_message_by_many_connections_is_one_event(mp, watch):
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: ccm.send(mp, message), range(32)))
    assert all(reply.is_no_reply() for reply in replies)
    assert watch.one().id == DISCOVERY


def test_a_replay_after_a_kill_makes_no_event(make_server):
    server = make_server(config=CONFIG)
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    assert ccm.send(server.http("mp"), message).is_no_reply()
    server.kill()
    server.start()
    watch = watch_of(server)
    assert ccm.send(server.http("mp"), message).is_no_reply()
    assert watch.events() == []
    assert metric(server, "evenlog_configmgr_replays_total") == 1
    assert ccm.send(server.http("mp"), ccm.sdk_ddr(
        *ccm.discovery_reports())).is_no_reply()
    assert watch.one().id == DISCOVERY


# --------------------------------------------------------- what senders need

def test_the_sdk_goes_on_from_the_list_to_its_message(mp, watch):
    """
    The SDK asks /sms_mp/.sms_aut?MPLIST1, then sends its message by CCM_POST
    (facts, section 2).
    """
    reply = ccm.get(mp, "/sms_mp/.sms_aut?MPLIST1")
    assert reply.status == 200
    found = ElementTree.fromstring(reply.body)
    assert found.tag == "MPList"
    assert found.find("MP").get("FQDN") == "srv.example"
    assert found.find("MP/Version").text.isdigit()
    assert found.find("MP/Capabilities") is not None
    assert ccm.send(mp, ccm.sdk_ddr(*ccm.discovery_reports())).is_no_reply()
    assert watch.one().id == DISCOVERY


def test_the_python_sender_goes_on_from_registration_to_its_record(
        mp, watch, key):
    """
    It registers, reads SMSID by a regular expression from the inflated second
    part, asks for policies, and sends its record signed by the registered key
    (facts, sections 5.4 and 7).
    """
    reply = ccm.send(mp, ccm.sender_registration(key))
    assert reply.status == 200
    answer = zlib.decompress(reply.parts()[1]).decode("utf-16-le")
    client_id = re.findall('SMSID="([^"]+)"', answer)[0]
    assert re.fullmatch("GUID:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}",
                        client_id)
    seen = watch.one()
    assert seen.id == REGISTERED
    assert seen["ClientId"] == client_id
    assert seen["NetBIOSName"] == "PC01"
    assert seen["KeySha256"].lower() == key.fingerprint()
    assert seen["SignatureState"] == "self-asserted"

    reply = ccm.send(mp, ccm.sender_message(
        "MP_PolicyManager",
        '<RequestAssignments SchemaVersion="1.00" ACK="false" '
        'RequestType="Always"><Identification><Machine><ClientID>'
        f"{client_id}</ClientID></Machine></Identification>"
        "</RequestAssignments>", source_id=client_id, key=key))
    # It keeps what is printable: the payload ends NUL, CR, LF, in bytes.
    answer = zlib.decompress(reply.parts()[1]).decode("utf-16-le")
    policies = ElementTree.fromstring("".join(filter(str.isprintable, answer)))
    assert policies.tag == "ReplyAssignments"
    assert policies.findall("PolicyAssignment") == []

    reports = ccm.discovery_reports(client_id=client_id)
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=key,
                                       source_id=client_id)).is_no_reply()
    seen = watch.one()
    assert seen["SignatureState"] == "valid"
    assert seen["SourceId"] == client_id


def test_a_location_request_is_answered_in_the_senders_form(mp):
    request = '<LocalMPLocationRequest SchemaVersion="1.00"/>'
    for message in (
            ccm.sdk_message("MP_LocationManager", request, mode="Sync"),
            ccm.sender_message("MP_LocationManager", request)):
        header, text = ccm.send(mp, message).message()
        assert header.find("CorrelationID").text == message.id
        found = ElementTree.fromstring(text)
        assert found.tag == "LocalMPLocationReply"
        assert found.find(".//MP").get("FQDN") == "srv.example"


def test_what_the_management_point_has_not_is_404(mp):
    for path in ("/sms_mp/.sms_aut?MPCERT", "/sms_mp/.sms_aut?MPCERT2",
                 "/sms_mp/.sms_aut?MPKEYINFORMATIONEX",
                 "/sms_mp/.sms_aut?SITESIGNCERT", "/SMS_MP/.sms_pol?{1}",
                 "/SMS_MP/.sms_dcm?Id", "/bgb/handler.ashx", "/"):
        assert ccm.get(mp, path).status == 404, path


def test_endpoints_without_events_are_counted(service, mp, watch):
    message = ccm.sdk_message("MP_Unheard_Of", "<Anything/>")
    assert ccm.send(mp, message).is_no_reply()
    assert metric(service, 'evenlog_configmgr_messages_total'
                  '{endpoint="MP_Unheard_Of"}') == 1
    assert watch.events() == []


# -------------------------------------------------------------- registration

def registered_id(reply):
    return ElementTree.fromstring(reply.message()[1]).get("SMSID")


def test_a_registration_again_has_the_same_id_and_no_event(mp, watch):
    key = ccm.Key()
    ids = {registered_id(ccm.send(mp, ccm.sender_registration(key)))
           for _ in range(3)}
    assert len(ids) == 1
    assert watch.one().id == REGISTERED
    # With the id it was given it is the same client.
    again = registered_id(ccm.send(mp, ccm.sender_registration(
        key, client_id=ids.copy().pop())))
    assert {again} == ids
    assert watch.events() == []


def test_another_key_of_a_client_is_seen(mp, watch):
    first, second = ccm.Key(), ccm.Key()
    client_id = registered_id(ccm.send(mp, ccm.sender_registration(first)))
    watch.one(REGISTERED)
    reports = ccm.discovery_reports(client_id=client_id)

    # Somebody else's key, before it is registered and afterwards.
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=second,
                                       source_id=client_id)).is_no_reply()
    assert watch.one()["SignatureState"] == "other key"
    changed = registered_id(ccm.send(mp, ccm.sender_registration(
        second, client_id=client_id)))
    assert changed == client_id
    seen = watch.one(REGISTERED)
    assert (seen["KeyChanged"], seen["Again"]) == ("true", "true")
    assert seen["SignatureState"] == "other key"
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=second,
                                       source_id=client_id)).is_no_reply()
    assert watch.one()["SignatureState"] == "valid"


def test_a_registration_signed_by_another_key_is_refused(mp, watch):
    key, other = ccm.Key(), ccm.Key()
    text = ccm.registration_request(key)
    forged = re.sub("(?<=<SignatureValue>)[0-9A-F]+",
                    lambda _: other.sign(b"anything"), text)
    reply = ccm.send(mp, ccm.sender_message(
        "MP_ClientRegistration", forged, source_id=None))
    answer = ElementTree.fromstring(reply.message()[1])
    assert (answer.get("SMSID"), answer.get("Status")) == (None, "3")
    assert "signature" in watch.wait(REJECTED)[0]["Reason"]


def test_a_clients_key_is_not_anothers_without_a_signature(mp, watch):
    key = ccm.Key()
    client_id = registered_id(ccm.send(mp, ccm.sender_registration(key)))
    watch.one(REGISTERED)
    # Certificates travel in the clear: whoever saw it sends it for his id.
    other_id = "GUID:99999999-89AB-CDEF-0123-456789ABCDEF"
    reply = ccm.send(mp, ccm.sender_registration(
        key, client_id=other_id, sign=False))
    answer = ElementTree.fromstring(reply.message()[1])
    assert (answer.get("SMSID"), answer.get("Status")) == (None, "3")
    assert "another client" in watch.wait(REJECTED)[0]["Reason"]
    assert registered_id(ccm.send(mp, ccm.sender_registration(key))) == \
        client_id


def test_one_id_by_many_keys_at_a_time_has_the_first(make_server):
    server = make_server(config=CONFIG + "[configmgr]\nsignatures = required")
    mp, watch = server.http("mp"), watch_of(server)
    messages = [ccm.sender_registration(ccm.Key(1024),
                                        client_id=ccm.CLIENT_ID)
                for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda m: ccm.send(mp, m), messages))
    accepted = [reply for reply in replies if reply.status == 200 and
                registered_id(reply) == ccm.CLIENT_ID]
    assert len(accepted) == 1
    assert {reply.status for reply in replies} <= {200, 503}
    assert len(watch.events(REGISTERED)) == 1


@pytest.mark.parametrize("damage", [
    lambda text: text.replace("<Signing", "<Missing")
                     .replace("</Signing", "</Missing"),
    lambda text: text.replace('SMSID=""', 'SMSID="GUID:nobody"'),
    lambda text: text.replace("</Data>", ""),
    lambda text: "<Other/>",
    lambda text: "",
    lambda text: '<!DOCTYPE a [<!ENTITY b "c">]>' + text,
])
def test_a_malformed_registration_is_400(mp, watch, damage):
    text = damage(ccm.registration_request(ccm.Key()))
    reply = ccm.send(mp, ccm.sender_message(
        "MP_ClientRegistration", text, source_id=None))
    assert reply.status in (200, 400)
    if reply.status == 200:
        # Its <Data> is no longer what was signed.
        assert ElementTree.fromstring(reply.message()[1]).get("Status") == "3"
    seen = watch.wait(REJECTED, REGISTERED)
    assert [s.id for s in seen] == [REJECTED]


def test_a_large_messages_signature_is_looked_at(mp, watch):
    """Large ones are read in a thread, and their signatures with them."""
    head, full = ccm.discovery_reports()
    full = full.replace("</ReportBody>", "".join(
        '<Instance Content="New" Namespace="n" Class="Win32_Product" '
        f'ParentClass="P"><Win32_Product><Name>{os.urandom(40).hex()}</Name>'
        "</Win32_Product></Instance>" for _ in range(4000)) + "</ReportBody>")
    message = ccm.sender_ddr(head, full, key=ccm.Key())
    assert len(message.body()) > 128 * 1024
    other = ccm.sender_ddr(head, full.replace("Win32_", "Other_"))
    other.replace(Hooks=message.elements["Hooks"])
    assert ccm.send(mp, other).status == 403
    watch.wait(REJECTED)
    assert ccm.send(mp, message).is_no_reply()
    found = watch.events()
    assert found and {seen["SignatureState"] for seen in found} == {
        "self-asserted"}


def test_required_signatures(make_server):
    server = make_server(config=CONFIG + "[configmgr]\nsignatures = required")
    mp, watch = server.http("mp"), watch_of(server)
    key, other = ccm.Key(), ccm.Key()
    assert ccm.send(mp, ccm.sdk_ddr(*ccm.discovery_reports())).status == 403
    assert ccm.send(mp, ccm.sender_ddr(*ccm.discovery_reports(),
                                       key=key)).status == 403
    # The way to a signature is open.
    reply = ccm.send(mp, ccm.sender_message(
        "MP_LocationManager", '<LocalMPLocationRequest SchemaVersion="1.00"/>'))
    assert reply.status == 200
    client_id = registered_id(ccm.send(mp, ccm.sender_registration(key)))
    reports = ccm.discovery_reports(client_id=client_id)
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=key,
                                       source_id=client_id)).is_no_reply()
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=other,
                                       source_id=client_id)).status == 403
    # The key stays: neither another one nor none takes the id.
    for sign in (True, False):
        answer = ElementTree.fromstring(ccm.send(mp, ccm.sender_registration(
            other, client_id=client_id, sign=sign)).message()[1])
        assert (answer.get("SMSID"), answer.get("Status")) == (None, "3")
    assert ccm.send(mp, ccm.sender_ddr(*reports, key=key,
                                       source_id=client_id)).is_no_reply()
    seen = watch.events()
    assert [s.id for s in seen if s.id != REJECTED] == \
        [REGISTERED, DISCOVERY, DISCOVERY]
    assert len([s for s in seen if s.id == REJECTED]) == 5

    # What the policy refused can be taken in under another one.
    first = next(s for s in seen if s.id == REJECTED)
    assert "no signature" in first["Reason"]
    assert "no signature" in first.message
    refused = server.evenlog("quarantine", "retry", first["Quarantine"],
                             check=False)
    assert refused.returncode != 0
    assert first["Reason"] in refused.stdout + refused.stderr
    reload(server, server.read_config().replace("= required", "= present"))
    server.evenlog("quarantine", "retry", first["Quarantine"])
    assert first["Quarantine"] not in server.evenlog("quarantine",
                                                     "list").stdout
    again = watch.one()
    assert (again.id, again["MessageId"]) == (DISCOVERY, first["MessageId"])


def reload(server, config):
    before = server.log().count("configuration reloaded")
    server.write_config(config)
    server.signal(signal.SIGHUP)
    while server.log().count("configuration reloaded") == before:
        assert server.process.poll() is None
        server.evenlog("status")


# ----------------------------------------------------------------- bad input

def good():
    return ccm.sdk_ddr(*ccm.discovery_reports())


def truncated():
    message = good()
    return message, message.body()[:-500]


def no_end():
    message = good()
    return message, message.body()[:-2]


def past_payload():
    """A report would be found without ranges; there is none."""
    return ccm.sdk_status(STATUS_MESSAGE).replace(Body=ccm.attributes(
        "Body", Type="ByteRange", Offset=10 ** 9, Length=20)), None


def overflowing_range():
    return ccm.sdk_status(STATUS_MESSAGE).replace(Body=ccm.attributes(
        "Body", Type="ByteRange", Offset=2 ** 64 - 2, Length=4)), None


def zip_bomb():
    message = ccm.sdk_ddr("x", "x", compress=True)
    message.payload = zlib.compress(bytes(256 * 1024 * 1024), 9)
    return message, None


def half_a_stream():
    message = ccm.sdk_ddr(*ccm.discovery_reports(), compress=True)
    message.payload = message.payload[:len(message.payload) // 2]
    return message, None


def odd_utf16_header():
    message = good()
    message.header = b"\xff\xfe" + ccm.utf16(message.header_text()) + b"x"
    return message, None


def odd_utf16_body():
    message = good()
    message.payload = message.payload[:1001]
    return message.replace(Body=ccm.attributes(
        "Body", Type="ByteRange", Offset=0, Length=1001),
        Attachment=""), None


def lone_surrogate():
    message = ccm.sdk_ddr(*ccm.discovery_reports())
    at = message.payload.index(ccm.utf16("PC01"))
    message.payload = (message.payload[:at] + b"\x00\xd8" +
                       message.payload[at + 2:])
    return message.replace(Attachment=""), None


def header_is_no_xml():
    message = good()
    message.header = b"\xff\xfe" + ccm.utf16("<Msg><unclosed>")
    return message, None


def entities():
    message = good()
    message.header = b"\xff\xfe" + ccm.utf16(
        '<!DOCTYPE Msg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' +
        message.header_text().replace("PC01", "&b;"))
    return message, None


def deep_report():
    return ccm.sdk_message("MP_DdrEndpoint",
                           "<Report>" * 5000 + "</Report>" * 5000), None


def bomb_report():
    return ccm.sdk_message(
        "MP_DdrEndpoint",
        '<!DOCTYPE Report [<!ENTITY a "aaaaaaaaaa">]><Report>&a;</Report>'), \
        None


def another_id():
    """A report of another client than the message."""
    return ccm.sdk_message("MP_DdrEndpoint", "<Report></Report>"), None


def tampered_signature():
    message = ccm.sender_ddr(*ccm.discovery_reports(), key=ccm.Key())
    at = message.elements["Hooks"].index("PayloadSignature") + 40
    hooks = message.elements["Hooks"]
    digit = "0" if hooks[at] != "0" else "1"
    return message.replace(Hooks=hooks[:at] + digit + hooks[at + 1:]), None


def tampered_payload():
    message = ccm.sender_ddr(*ccm.discovery_reports(), key=ccm.Key())
    message.payload = zlib.compress(
        zlib.decompress(message.payload).replace(ccm.utf16("EXAMPLE"),
                                                 ccm.utf16("EXAMPLF")))
    return message, None


def wrong_content_type():
    message = good()
    message.head = tuple((name, "text/xml" if name == "Content-Type" else value)
                         for name, value in message.head)
    return message, None


def no_boundary():
    message = good()
    message.head = tuple((name, "multipart/mixed" if name == "Content-Type"
                          else value) for name, value in message.head)
    return message, None


BAD = {
    truncated: 400, no_end: 400, past_payload: 400, overflowing_range: 400,
    zip_bomb: 400, half_a_stream: 400, odd_utf16_header: 400,
    odd_utf16_body: 400, lone_surrogate: 400, header_is_no_xml: 400,
    entities: 400, deep_report: 400, bomb_report: 400, another_id: 400,
    tampered_signature: 403, tampered_payload: 403, wrong_content_type: 415,
    no_boundary: 400,
}


@pytest.fixture(scope="module")
def bad_service():
    """Its own server: a peer's rejected messages of a minute are bounded."""
    from server import Server
    server = Server(config=CONFIG)
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_bad_input_is_refused_reported_and_kept(bad_service, make):
    mp, watch = bad_service.http("mp"), watch_of(bad_service)
    message, body = make()
    reply = ccm.send(mp, message, body=body)
    assert reply.status == BAD[make], reply.body
    assert reply.headers["content-type"].startswith("text/plain")
    seen = watch.wait(REJECTED)
    assert len(seen) == 1
    reason = seen[0]["Reason"]
    assert reason and reason == reply.body.decode().rstrip("\n")
    assert reason in seen[0].message
    name = seen[0]["Quarantine"]
    assert name and name in bad_service.evenlog("quarantine", "list").stdout
    # Others are served.
    assert ccm.send(mp, good()).is_no_reply()
    assert watch.one().id == DISCOVERY


def test_a_body_over_the_limit_is_413(mp):
    message = good()
    message.payload = bytes(9 * 1024 * 1024)
    head = message.request(body=b"").replace(
        b"Content-Length: 0", b"Content-Length: %d" % len(message.payload))
    assert ccm.exchange(mp, head).status == 413
    assert ccm.send(mp, good()).is_no_reply()


def test_an_id_used_for_something_else_is_refused(mp, watch):
    first = good()
    second = ccm.sdk_ddr(*ccm.discovery_reports(netbios="PC02"),
                         message_id=first.id)
    assert ccm.send(mp, first).is_no_reply()
    assert watch.one().id == DISCOVERY
    assert ccm.send(mp, second).status == 400
    seen, = watch.wait()
    assert seen.id == REJECTED
    assert "another message" in seen["Reason"]


def test_wrong_methods(mp):
    message = good()
    message.method = "PROPFIND"
    reply = ccm.send(mp, message)
    assert reply.status == 405
    assert reply.headers["allow"] == "CCM_POST, POST"
    message.method, message.url = "CCM_POST", "/sms_mp/.sms_aut?MPLIST"
    assert ccm.send(mp, message).status == 405


def test_fallback_status(mp, watch):
    """A state message without a message around it [unverified]."""
    report = ccm.report(
        f'<StateMessage MessageTime="{ccm.cim()}" SerialNumber="1">'
        '<State ID="100" Criticality="0"/>'
        '<Topic ID="x" Type="800" IDType="0"/></StateMessage>',
        content="State Message Data")
    head = ("POST /SMS_FSP/.sms_fsp HTTP/1.1\r\nHost: mp\r\n"
            "Content-Type: text/xml\r\nConnection: close\r\n"
            "Content-Length: {}\r\n\r\n")
    body = b"\xff\xfe" + ccm.utf16(report)
    assert ccm.exchange(mp, head.format(len(body)).encode() + body).status \
        == 200
    assert watch.one().id == STATE
    assert ccm.exchange(mp, head.format(5).encode() + b"<bad>").status == 400
    assert watch.wait(REJECTED)


# --------------------------------------------------------------------- inbox

def record_file(name, agent="MyAgent"):
    """A .DDR file as the SDK writes one (facts, section 6)."""
    text = (f"<System>\r\nBEGIN_PROPERTY\r\n<8><Netbios Name><19><64><{name}>"
            "\r\nEND_PROPERTY\r\nBEGIN_PROPERTY\r\n<10><SMS Unique Identifier>"
            f"<19><64><{ccm.CLIENT_ID}>\r\nEND_PROPERTY\r\n"
            "BEGIN_PROPERTY\r\n<16><IP Addresses><19><64>\r\n"
            "BEGIN_ARRAY_VALUES\r\n<192.0.2.1><192.0.2.2>\r\n"
            "END_ARRAY_VALUES\r\nEND_PROPERTY\r\n"
            f"AGENTINFO<{agent}><ABC><11/21/2026 19:14:35>\r\nFEOF\r"
            ).encode()
    return (struct.pack("<IIII", 0x1E1F0001, 0x56460000, 0xB0,
                        len(text) + 16) + text +
            struct.pack("<I", 0x56460000))


@pytest.fixture
def inbox(make_server, tmp_path):
    path = tmp_path / "inbox"
    path.mkdir()
    # No listener: the inbox works without one.
    server = make_server(config=f"[configmgr]\ninbox = {path}\n")
    return server, path


def wait_for(path, seconds=30):
    end = time.monotonic() + seconds
    while not os.path.lexists(path):
        assert time.monotonic() < end, path
        time.sleep(0.02)


def test_files_of_the_inbox(inbox, tmp_path):
    server, path = inbox
    watch = watch_of(server)
    written = tmp_path / "x"
    written.write_bytes(record_file("PC09"))
    os.rename(written, path / "ABCDEFGH.DDR")
    wait_for(path / "done" / "ABCDEFGH.DDR")
    seen = watch.one()
    assert seen.id == FILE
    assert seen["File"] == "ABCDEFGH.DDR"
    assert "PC09" in seen.message

    (path / "broken.ddr").write_bytes(record_file("PC09")[:-30])
    wait_for(path / "bad" / "broken.ddr.reason.txt")
    seen = watch.one()
    assert seen.id == FILE_REJECTED
    assert (path / "bad" / "broken.ddr.reason.txt").read_text().strip() == \
        seen["Reason"]


def test_a_file_whose_move_was_prevented_makes_one_event(inbox, tmp_path):
    server, path = inbox
    watch = watch_of(server)
    (path / "A.DDR").write_bytes(record_file("PC10"))
    wait_for(path / "done" / "A.DDR")
    assert watch.one().id == FILE
    server.kill()
    # As if it had been killed before the move.
    os.rename(path / "done" / "A.DDR", path / "A.DDR")
    server.start()
    wait_for(path / "done" / "A.DDR")
    watch = watch_of(server)
    (path / "B.DDR").write_bytes(record_file("PC11"))
    wait_for(path / "done" / "B.DDR")
    assert watch.one()["File"] == "B.DDR"


def test_the_metrics_tell_of_it(service, mp):
    ccm.send(mp, good())
    assert metric(service, 'evenlog_configmgr_messages_total'
                  '{endpoint="MP_DdrEndpoint"}') > 0
    assert metric(service, "evenlog_configmgr_message_ids") > 0
    assert metric(service, 'evenlog_configmgr_rejected_total'
                  '{cause="malformed"}') >= 0
