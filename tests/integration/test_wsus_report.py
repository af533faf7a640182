# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a downstream WSUS server reports, [MS-WSUSSS] 3.1.4.13 to 3.1.4.17: the
document's sample 3 as it stands there, and the same conversation by zeep from
the document's WSDL in SOAP 1.1 and 1.2; its events as a subscriber reads them.
"""

import datetime
import http.client
import os
import time
import xml.etree.ElementTree as ET

import pytest
import zeep
import zeep.exceptions

import binxml
import dcerpc
import even6
import server as servers
import wsus_sample3 as sample
from even6_metadata import (EVENT, GetPublisherMetadata, MessageRender,
                            descriptor, strings)
from subscribing import drain_pull, pull

CHANNEL = "Evenlog-WSUS/Operational"
PATH = "/ReportingWebService/ReportingWebService.asmx"
NS = "http://www.microsoft.com/SoftwareDistribution"
SHARED = os.environ.get("EVENLOG_SHARED",
                        os.path.join(servers.SOURCE, "..", "shared"))
WSDL = os.path.join(SHARED, "data", "wsdl", "reporting.wsdl")

SEEN, SUMMARY, ACTIVITY, FINISHED = 100, 101, 102, 104
NEW, BASELINE, STATE, REJECTED = 200, 210, 211, 301

DSS = "050cee4a-aaff-470c-8fc3-7a94cb3a4293"
DSS_NAME = COMPUTER_NAME = "yasufs64.ntdev.corp.microsoft.com"
COMPUTER = "d07a4d51-7cb2-46d1-ad86-91195cb4325a"
# The sender's clock is of 2007: its times stay as they are.
CONFIG = "correct_clocks = no\n[listener dss]\nserve = wsus\nport = 0\n"


@pytest.fixture
def upstream(make_server):
    return make_server(config=CONFIG)


def post(server, body, operation, content_type="text/xml; charset=utf-8"):
    """Status and body of the answer."""
    address, port = server.http("dss")
    connection = http.client.HTTPConnection(address, port, timeout=60)
    try:
        connection.request("POST", PATH, body.encode(), {
            "Content-Type": content_type,
            "SOAPAction": f'"{NS}/{operation}"'})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def canonical(text):
    """Without the white space between elements."""
    return ET.canonicalize(text, strip_text=True)


class Subscriber:
    """One that reads the channel from its beginning, with messages."""

    def __init__(self, server):
        self.client = even6.connect(
            "127.0.0.1", server.port,
            dcerpc.Ntlm("alice", servers.USERS["alice"],
                        level=dcerpc.PRIVACY))
        self.handle = pull(self.client, CHANNEL).handle
        self.publisher = self.client.call(
            GetPublisherMetadata("Evenlog-WSUS")).handle

    def close(self):
        self.client.close()

    def events(self):
        """Those since the last time."""
        return [binxml.Event(record.document)
                for batch in drain_pull(self.client, self.handle)
                for record in batch.records()]

    def message(self, event):
        shown = self.client.call(MessageRender(
            self.publisher, EVENT, descriptor(event.event_id),
            values=strings(*(text for _, text in event.data))))
        assert shown.rc == 0
        return shown.text


@pytest.fixture
def subscriber(upstream):
    subscriber = Subscriber(upstream)
    yield subscriber
    subscriber.close()


def ids(events):
    return [event.event_id for event in events]


def lower(value):
    """A guid as the reports write it."""
    return value.strip("{}").lower()


# The document's sample.

def say(server, operation, request, answer):
    status, body = post(server, request, operation)
    assert status == 200, body
    assert canonical(body.decode()) == canonical(answer)


def servers_and_computers(server):
    say(server, "RollupDownstreamServers",
        sample.ROLLUP_DOWNSTREAM_SERVERS_REQUEST,
        sample.ROLLUP_DOWNSTREAM_SERVERS_ANSWER)
    say(server, "RollupComputers", sample.ROLLUP_COMPUTERS_REQUEST,
        sample.ROLLUP_COMPUTERS_ANSWER)


def status_number(number):
    """Sample 3's status with another number."""
    request = sample.ROLLUP_COMPUTER_STATUS_REQUEST
    assert "<RollupNumber>3</RollupNumber>" in request
    return request.replace("<RollupNumber>3<", f"<RollupNumber>{number}<")


def test_sample_3_is_answered_as_in_the_document(upstream):
    status, body = post(upstream, sample.GET_ROLLUP_CONFIGURATION_REQUEST,
                        "GetRollupConfiguration")
    assert status == 200
    answer = ET.fromstring(sample.GET_ROLLUP_CONFIGURATION_ANSWER)
    ours = ET.fromstring(body)
    # The two identities are a server's own.
    for name in ("RollupResetGuid", "ServerId"):
        answer.find(f".//{{{NS}}}{name}").text = \
            ours.find(f".//{{{NS}}}{name}").text
    assert canonical(ET.tostring(ours, "unicode")) == \
        canonical(ET.tostring(answer, "unicode"))
    servers_and_computers(upstream)
    # The document's server knows number 2 already.
    say(upstream, "RollupComputerStatus", status_number(2),
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    say(upstream, "GetOutOfSyncComputers",
        sample.GET_OUT_OF_SYNC_COMPUTERS_REQUEST,
        sample.GET_OUT_OF_SYNC_COMPUTERS_ANSWER)
    say(upstream, "RollupComputerStatus",
        sample.ROLLUP_COMPUTER_STATUS_REQUEST,
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)


def test_a_server_without_the_number_asks_for_the_computer(upstream):
    servers_and_computers(upstream)
    status, body = post(upstream, sample.GET_OUT_OF_SYNC_COMPUTERS_REQUEST,
                        "GetOutOfSyncComputers")
    assert status == 200
    found = ET.fromstring(body).findall(f".//{{{NS}}}string")
    assert [string.text for string in found] == [COMPUTER]


def test_sample_3_as_a_subscriber_reads_it(upstream, subscriber):
    servers_and_computers(upstream)
    say(upstream, "RollupComputerStatus",
        sample.ROLLUP_COMPUTER_STATUS_REQUEST,
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    events = subscriber.events()
    assert ids(events) == [SEEN, SUMMARY, ACTIVITY, NEW, BASELINE, FINISHED]
    for event in events:
        assert event.provider == "Evenlog-WSUS"
        assert event.values()["PeerAddress"] == "127.0.0.1"
    seen, summary, activity, new, baseline, finished = (
        event.values() for event in events)

    assert lower(seen["ServerId"]) == DSS
    assert seen["ServerName"] == DSS_NAME
    assert summary["Version"] == "3.0.6000.354"
    assert summary["UpdateCount"] == "1002"
    assert summary["NotApprovedUpdateCount"] == "971"
    assert summary["ComputerTargetCount"] == "1"
    assert lower(activity["UpdateId"]) == \
        "63ee225f-897d-42ae-841e-4a383c92f350"
    assert activity["RevisionNumber"] == "101"
    assert (activity["InstallSuccessCount"],
            activity["InstallFailureCount"]) == ("1", "0")
    assert int(activity["SuiteMask"], 0) == 272
    assert new["ComputerId"] == COMPUTER
    assert new["ComputerName"] == COMPUTER_NAME
    assert new["IPAddress"] == "127.0.0.1"
    assert new["ComputerModel"] == "HP Compaq dc7600 Convertible Minitower"
    assert new["RequestedTargetGroups"] == "Windows Server 2003, Servers"
    assert baseline["RollupNumber"] == "3"
    assert (baseline["Updates"], baseline["Installed"],
            baseline["Failed"]) == ("2", "1", "1")
    assert finished["ServerName"] == DSS_NAME
    # Each has a message that says whom it is about.
    for event in events[:3] + events[5:]:
        assert DSS_NAME in subscriber.message(event)
    for event in events[3:5]:
        assert COMPUTER_NAME in subscriber.message(event)


def test_sample_3_once_more_makes_no_event(upstream, subscriber):
    for _ in range(2):
        servers_and_computers(upstream)
        say(upstream, "RollupComputerStatus",
            sample.ROLLUP_COMPUTER_STATUS_REQUEST,
            sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    assert len(subscriber.events()) == 6


def test_what_was_rolled_up_is_known_after_a_crash(upstream):
    servers_and_computers(upstream)
    say(upstream, "RollupComputerStatus",
        sample.ROLLUP_COMPUTER_STATUS_REQUEST,
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    upstream.kill()
    upstream.start()
    subscriber = Subscriber(upstream)
    assert len(subscriber.events()) == 6
    servers_and_computers(upstream)
    say(upstream, "RollupComputerStatus",
        sample.ROLLUP_COMPUTER_STATUS_REQUEST,
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    assert subscriber.events() == []
    # Its failed update is installed now, which is a transition.
    say(upstream, "RollupComputerStatus",
        status_number(4).replace("<SummarizationState>5<",
                                 "<SummarizationState>4<")
        .replace("2007-03-05T22:25:11.64Z", "2007-03-06T22:25:11.64Z"),
        sample.ROLLUP_COMPUTER_STATUS_ANSWER)
    events = subscriber.events()
    assert ids(events) == [STATE, FINISHED]
    values = events[0].values()
    assert lower(values["UpdateId"]) == "5eb6225f-5d33-4213-a6b4-fcdd9f672d75"
    assert (values["OldStateValue"], values["NewStateValue"]) == ("5", "4")
    # The event's time is when the state changed.
    assert events[0].time.startswith("2007-03-06T22:25:11.64")
    assert COMPUTER_NAME in subscriber.message(events[0])
    subscriber.close()


def test_a_computer_of_an_unknown_server_is_refused(upstream, subscriber):
    status, body = post(upstream, sample.ROLLUP_COMPUTERS_REQUEST,
                        "RollupComputers")
    assert status == 500
    detail = ET.fromstring(body).find(".//detail")
    assert detail.find("ErrorCode").text == "InternalServerError"
    assert "ParentServerId" in detail.find("Message").text
    # It does not hold up the fault.
    events = []
    deadline = time.monotonic() + 30
    while not events and time.monotonic() < deadline:
        events = subscriber.events()
    event, = events
    assert event.event_id == REJECTED
    assert "RollupComputers" in subscriber.message(event)


# By zeep, from the document's WSDL.

def zeep_service(server, port):
    if not os.path.exists(WSDL):
        print(f"{WSDL} is not there: not tested")
        return None, None
    client = zeep.Client(WSDL, port_name=port)
    address, number = server.http("dss")
    binding = client.service._binding.name  # pylint: disable=protected-access
    return client, client.create_service(
        binding, f"http://{address}:{number}{PATH}")


def utc(*when):
    return datetime.datetime(*when, tzinfo=datetime.timezone.utc)


COOKIE = {"Expiration": datetime.datetime(9999, 12, 31, 23, 59, 59),
          "EncryptedData": b""}
NEVER = datetime.datetime(1, 1, 1)
SUMMARY_FIELDS = [
    "UpdateCount", "DeclinedUpdateCount", "ApprovedUpdateCount",
    "NotApprovedUpdateCount", "UpdatesWithStaleUpdateApprovalsCount",
    "ExpiredUpdateCount", "CriticalOrSecurityUpdatesNotApprovedForInstallCount",
    "WsusInfrastructureUpdatesNotApprovedForInstallCount",
    "UpdatesWithClientErrorsCount", "UpdatesWithServerErrorsCount",
    "UpdatesNeedingFilesCount", "UpdatesNeededByComputersCount",
    "UpdatesUpToDateCount", "CustomComputerTargetGroupCount",
    "ComputerTargetCount", "ComputerTargetsNeedingUpdatesCount",
    "ComputerTargetsWithUpdateErrorsCount", "ComputersUpToDateCount"]


def server_info(when):
    return {
        "ServerId": DSS, "FullDomainName": DSS_NAME, "LastSyncTime": NEVER,
        "ParentServerId": "00000000-0000-0000-0000-000000000000",
        "Version": "10.0.20348.1", "IsReplica": True, "LastRollupTime": when,
        "ServerSummary": {name: number for number, name in
                          enumerate(SUMMARY_FIELDS)}}


def computer_info(details):
    info = {"ComputerId": COMPUTER, "LastSyncTime": utc(2026, 1, 1),
            "LastSyncResult": 2, "LastReportedRebootTime": NEVER,
            "LastReportedStatusTime": NEVER, "LastInventoryTime": NEVER,
            "ParentServerId": DSS}
    if details:
        info["Details"] = {
            "IPAddress": "10.1.2.3", "FullDomainName": COMPUTER_NAME,
            "OSMajorVersion": 10, "OSMinorVersion": 0, "OSBuildNumber": 20348,
            "OSServicePackMajorNumber": 0, "OSServicePackMinorNumber": 0,
            "BiosReleaseDate": utc(2020, 1, 1), "SuiteMask": -1,
            "OldProductType": 3, "NewProductType": 7, "SystemMetrics": 0,
            "RequestedTargetGroupNames": {"string": ["Ä & <B>"]}}
    return info


def status_info(number, full, *states):
    return {"InstanceId": DSS, "ComputerId": COMPUTER,
            "EffectiveLastDetectionTime": utc(2026, 1, 2),
            "RollupNumber": number, "IsFullRollup": full,
            "UpdateStatus": {"ComputerStatusRollupUpdateStatus": [
                {"UpdateId": f"{update:08}-1111-2222-3333-444444444444",
                 "SummarizationState": state,
                 "LastChangeTime": utc(2026, 1, 2, number)}
                for update, state in enumerate(states)]}}


@pytest.mark.parametrize("port", ["WebServiceSoap", "WebServiceSoap12"])
def test_a_client_from_the_wsdl_reports_all(upstream, subscriber, port):
    client, service = zeep_service(upstream, port)
    if client is None:
        return
    configuration = service.GetRollupConfiguration(cookie=COOKIE)
    assert configuration.DoDetailedRollup is True
    assert configuration.RollupComputersMaxBatchSize == 1500
    now = datetime.datetime.now(datetime.timezone.utc)
    service.RollupDownstreamServers(
        cookie=COOKIE, clientTime=now, downstreamServers={
            "DownstreamServerRollupInfo": [server_info(utc(2026, 1, 2))]})
    # Two passes: what is new is asked for its details, and told with them.
    changed = service.RollupComputers(
        cookie=COOKIE, clientTime=now,
        computers={"ComputerRollupInfo": [computer_info(False)]})
    assert [(c.ComputerId, c.Change) for c in changed] == \
        [(COMPUTER, "NewParent")]
    assert not service.RollupComputers(
        cookie=COOKIE, clientTime=now,
        computers={"ComputerRollupInfo": [computer_info(True)]})
    numbers = {"ComputerLastRollupNumber": [
        {"ComputerId": COMPUTER, "RollupNumber": 1}]}
    assert service.GetOutOfSyncComputers(
        cookie=COOKIE, parentServerId=DSS, lastRollupNumbers=numbers) == \
        [COMPUTER]
    assert service.RollupComputerStatus(
        cookie=COOKIE, clientTime=now, parentServerId=DSS,
        computers={"ComputerStatusRollupInfo": [
            status_info(1, True, 2, 2)]}) is True
    assert service.RollupComputerStatus(
        cookie=COOKIE, clientTime=now, parentServerId=DSS,
        computers={"ComputerStatusRollupInfo": [
            status_info(2, False, 4, 2)]}) is True
    assert not service.GetOutOfSyncComputers(
        cookie=COOKIE, parentServerId=DSS,
        lastRollupNumbers={"ComputerLastRollupNumber": [
            {"ComputerId": COMPUTER, "RollupNumber": 2}]})
    service.Ping(pingLevel=1)

    events = subscriber.events()
    assert ids(events) == [SEEN, SUMMARY, NEW, BASELINE, FINISHED, STATE,
                           FINISHED]
    assert [events[1].values()[name] for name in SUMMARY_FIELDS] == \
        [str(number) for number in range(18)]
    assert events[2].values()["RequestedTargetGroups"] == "Ä & <B>"
    assert events[5].values()["NewStateValue"] == "4"


def test_a_fault_reaches_a_client_from_the_wsdl(upstream):
    client, service = zeep_service(upstream, "WebServiceSoap12")
    if client is None:
        return
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service.RollupComputers(
            cookie=COOKIE, clientTime=utc(2026, 1, 1),
            computers={"ComputerRollupInfo": [computer_info(True)]})
    assert "InternalServerError" in raised.value.message
