# SPDX-License-Identifier: GPL-3.0-or-later
"""
impacket's own client of the protocol, as Debian ships it, from the endpoint
mapper to the end of a query; as far as its defects allow (facts 16.1).
"""

import pytest
from impacket.dcerpc.v5 import epm, even6, transport
from impacket.dcerpc.v5.rpcrt import (DCERPCException,
                                      RPC_C_AUTHN_LEVEL_PKT_INTEGRITY,
                                      RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                                      RPC_C_AUTHN_WINNT)

import binxml
from server import USERS

CHANNEL = even6.EvtQueryChannelName
FORWARD = even6.EvtReadOldestToNewest
REVERSE = even6.EvtReadNewestToOldest


def look_up(service):
    """The service's binding, from the endpoint mapper."""
    rpc = transport.DCERPCTransportFactory(
        f"ncacn_ip_tcp:127.0.0.1[{service.mapper_port}]").get_dce_rpc()
    rpc.connect()
    try:
        return epm.hept_map("127.0.0.1", even6.MSRPC_UUID_EVEN6,
                            protocol="ncacn_ip_tcp", dce=rpc)
    finally:
        rpc.disconnect()


@pytest.fixture
def log_on(service):
    """A function that connects and binds as impacket's users do."""
    connections = []

    def log_on(user="alice", password=None,
               level=RPC_C_AUTHN_LEVEL_PKT_PRIVACY):
        factory = transport.DCERPCTransportFactory(look_up(service))
        factory.set_credentials(user, password or USERS[user])
        dce = factory.get_dce_rpc()
        dce.set_auth_type(RPC_C_AUTHN_WINNT)
        dce.set_auth_level(level)
        dce.connect()
        connections.append(dce)
        dce.bind(even6.MSRPC_UUID_EVEN6)
        return dce

    yield log_on
    for dce in connections:
        dce.disconnect()


def register(dce, channel, flags):
    return even6.hEvtRpcRegisterLogQuery(dce, channel + "\0",
                                         CHANNEL | flags)


def documents(response):
    """The BinXml documents of an answer of hEvtRpcQueryNext()."""
    buffer = b"".join(response["ResultBuffer"])
    found = []
    for number in range(response["NumActualRecords"]):
        start = response["EventDataIndices"][number]["Data"]
        record = even6.RESULT_SET(
            buffer[start:start + response["EventDataSizes"][number]["Data"]])
        found.append(buffer[start + 20:start + 20 + record["BinXmlSize"]])
    return found


def test_the_endpoint_mapper_is_understood(service):
    assert look_up(service) == f"ncacn_ip_tcp:127.0.0.1[{service.port}]"


@pytest.mark.parametrize("level", [RPC_C_AUTHN_LEVEL_PKT_INTEGRITY,
                                   RPC_C_AUTHN_LEVEL_PKT_PRIVACY])
def test_a_query_to_its_end(log_on, publisher, channel, level):
    """hEvtRpcQueryNext() asks twice and shows the second answer only."""
    publisher.numbers(channel, 40)
    dce = log_on(level=level)
    query = register(dce, channel, FORWARD)
    assert query["QueryChannelInfoSize"] == 1
    seen = []
    with pytest.raises(DCERPCException, match="ERROR_NO_MORE_ITEMS"):
        while True:
            answer = even6.hEvtRpcQueryNext(dce, query["Handle"], 5, 1000)
            seen += [int(binxml.Event(d).values()["Number"])
                     for d in documents(answer)]
    assert seen == [n for n in range(1, 41) if (n - 1) // 5 % 2 == 1]


def test_newest_first(log_on, publisher, channel):
    publisher.numbers(channel, 4)
    dce = log_on()
    query = register(dce, channel, REVERSE)
    answer = even6.hEvtRpcQueryNext(dce, query["Handle"], 2)
    assert [binxml.Event(d).record_id for d in documents(answer)] == [2, 1]


def test_one_request_with_all_records(log_on, publisher, channel):
    """The call itself, without the helper that asks twice."""
    publisher.numbers(channel, 7)
    dce = log_on()
    request = even6.EvtRpcQueryNext()
    request["LogQuery"] = register(dce, channel, FORWARD)["Handle"]
    request["NumRequestedRecords"] = 100
    request["TimeOutEnd"] = 1000
    request["Flags"] = 0
    answer = dce.request(request)
    assert [binxml.Event(d).record_id for d in documents(answer)] == \
        list(range(1, 8))


def test_no_records_asked_for_is_understood(log_on, channel):
    """Empty arrays must be there: NULL ones make it fail (facts 16.1)."""
    dce = log_on()
    query = register(dce, channel, FORWARD)
    answer = even6.hEvtRpcQueryNext(dce, query["Handle"], 0)
    assert answer["NumActualRecords"] == 0
    assert answer["ErrorCode"] == 0


def test_handles_are_opened_and_closed(log_on, channel):
    dce = log_on()
    query = register(dce, channel, FORWARD)
    for name in ("Handle", "OpControl"):
        # Its class for the reply is wrong, the last word is the result.
        answer = even6.hEvtRpcClose(dce, query[name])
        assert answer["ErrorCode"] == 0
    even6.hEvtRpcOpenLogHandle(dce, channel + "\0", CHANNEL)
    with pytest.raises(DCERPCException):
        even6.hEvtRpcQueryNext(dce, query["Handle"], 1)


def test_errors_are_understood(log_on):
    dce = log_on()
    for call in (lambda: register(dce, "No/Such", FORWARD),
                 lambda: even6.hEvtRpcOpenLogHandle(
                     dce, "No/Such\0", CHANNEL)):
        with pytest.raises(DCERPCException) as failed:
            call()
        assert failed.value.get_error_code() == 0x3A9F
    # Its seek lacks a parameter.
    query = register(dce, "Application", FORWARD)
    request = even6.EvtRpcQuerySeek()
    request["LogQuery"] = query["Handle"]
    request["Pos"] = 0
    request["BookmarkXML"] = "\0"
    request["Flags"] = 1
    with pytest.raises(DCERPCException):
        dce.request(request)
    assert even6.hEvtRpcClose(dce, query["Handle"])["ErrorCode"] == 0


def test_without_the_right_to_read(log_on, publisher, channel):
    publisher.numbers(channel, 1)
    dce = log_on("bob")
    with pytest.raises(DCERPCException) as failed:
        register(dce, channel, FORWARD)
    assert failed.value.get_error_code() == 5


def test_a_wrong_password(service, log_on):
    """The bind has no answer that could tell, so the first call fails."""
    before = service.status()["rpc"]
    dce = log_on(password="wrong")
    with pytest.raises(DCERPCException):
        even6.hEvtRpcOpenLogHandle(dce, "Application\0", CHANNEL)
    after = service.status()["rpc"]
    assert after["logon_failures"] == before["logon_failures"] + 1
    assert after["logons"] == before["logons"]
    assert after["calls"] == before["calls"]
