# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /metrics and /health, read by Prometheus' own parser."""

import http.client
import os
import re

import even6
import pytest
from prometheus_client.parser import text_string_to_metric_families
from server import SOURCE

CONFIG = """
[listener metrics]
serve = metrics
port = 0
[listener dss]
serve = wsus, configmgr
port = 0
"""


def fetch(service, path, method="GET", listener="metrics"):
    connection = http.client.HTTPConnection(*service.http(listener),
                                            timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def families(service):
    answer, text = fetch(service, "/metrics")
    assert answer.status == 200
    return {family.name: family
            for family in text_string_to_metric_families(text)}


def value(found, name, **labels):
    """The sample of that name; a counter's family lacks its _total."""
    family = found[name.removesuffix("_total")]
    for sample in family.samples:
        if sample.name == name and sample.labels == labels:
            return sample.value
    raise KeyError((name, labels))


def test_the_format_is_prometheus_own(service):
    answer, text = fetch(service, "/metrics")
    assert answer.getheader("Content-Type") == (
        "text/plain; version=0.0.4; charset=utf-8")
    found = list(text_string_to_metric_families(text))
    names = [family.name for family in found]
    assert len(names) == len(set(names)), "a family's samples stand together"
    for family in found:
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge"), family.name
        assert family.name.startswith("evenlog_"), family.name
        for sample in family.samples:
            # A counter's name ends in _total, no other's does.
            assert sample.name.endswith("_total") == (
                family.type == "counter"), sample.name
    assert text.endswith("\n")


def test_what_is_stored_is_counted(service, channel):
    before = value(families(service), "evenlog_store_records_total")
    service.publish(channel, 3)
    found = families(service)
    assert value(found, "evenlog_store_records_total") >= before + 3
    assert value(found, "evenlog_channel_records", channel=channel) == 3
    assert value(found, "evenlog_channel_next_record_id", channel=channel) == 4
    assert value(found, "evenlog_store_full") == 0
    assert value(found, "evenlog_store_disk_used_bytes") > 0
    assert value(found, "evenlog_loop_lag_max_seconds") >= 0


def test_connections_of_readers_are_counted(service, connect):
    before = value(families(service), "evenlog_rpc_logons_total")
    assert connect().call(even6.GetChannelList()).rc == 0
    found = families(service)
    assert value(found, "evenlog_rpc_logons_total") == before + 1
    assert value(found, "evenlog_rpc_connections") >= 1


def test_each_listener_counts_for_itself(service):
    def requests(found, listener):
        return value(found, "evenlog_http_requests_total", listener=listener)

    before = families(service)
    fetch(service, "/nothing", listener="dss")
    after = families(service)
    assert requests(after, "dss") == requests(before, "dss") + 1
    assert requests(after, "metrics") == requests(before, "metrics") + 1
    assert value(after, "evenlog_http_answers_total", listener="dss",
                 code="4xx") >= 1
    assert value(after, "evenlog_http_connections", listener="metrics") == 1


def test_every_part_of_the_bridge_has_numbers(service):
    found = families(service)
    assert value(found, "evenlog_quarantine_entries") == 0
    for part in ("evenlog_wsus_", "evenlog_configmgr_", "evenlog_rpc_",
                 "evenlog_http_", "evenlog_store_", "evenlog_channel_"):
        assert any(name.startswith(part) for name in found), part


def test_a_healthy_service_says_so(service):
    answer, text = fetch(service, "/health")
    assert (answer.status, text) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/metrics", "/health"])
def test_other_methods_are_refused(service, path):
    answer, _ = fetch(service, path, "POST")
    assert answer.status == 405
    assert answer.getheader("Allow") == "GET, HEAD"
    answer, text = fetch(service, path, "HEAD")
    assert (answer.status, text) == (200, "")


def test_a_listener_serves_nothing_but_its_roles(service):
    assert fetch(service, "/metrics", listener="dss")[0].status == 404
    assert fetch(service, "/health", listener="dss")[0].status == 404
    path = "/ServerSyncWebService/ServerSyncWebService.asmx"
    assert fetch(service, path, "POST")[0].status == 404


def test_a_full_disk_is_not_healthy(make_server):
    server = make_server(config=CONFIG)
    assert fetch(server, "/health")[0].status == 200
    server.stop()
    server.write_config(server.read_config().replace(
        "map_size = 16G", "map_size = 16G\ndisk_reserve = 1T"))
    server.start()
    server.evenlog("publish", "Application", "--provider", "T", "--id", "1",
                   check=False)
    answer, text = fetch(server, "/health")
    assert answer.status == 503
    assert text == "the disk is full: events are refused\n"
    assert value(families(server), "evenlog_store_full") == 1


def test_the_names_are_documented(service):
    """doc/metrics.md names every family, and no other."""
    with open(os.path.join(SOURCE, "doc", "metrics.md"),
              encoding="utf-8") as file:
        documented = set(re.findall(r"^\| `(evenlog_\w+)`", file.read(),
                                    re.MULTILINE))
    _, text = fetch(service, "/metrics")
    given = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert given == documented


def test_status_shows_the_bridge(service):
    status = service.status()
    row = next(row for row in status["listeners"] if row["name"] == "dss")
    assert row["serve"] == "wsus configmgr"
    assert row["address"] == "127.0.0.1"
    assert row["port"] > 0
    assert status["quarantine"] == {"entries": 0, "bytes": 0, "kept": 0,
                                    "dropped": 0, "lost": 0}
    assert status["wsus"]["calls_total"] == 0
    assert status["configmgr"]["rejected_total"]["signature"] == 0
    text = service.evenlog("status").stdout
    assert re.search(rf"^listener dss: wsus configmgr on 127\.0\.0\.1 port "
                     rf"{row['port']}, \d+ connections$", text, re.MULTILINE)
    assert "quarantine" not in text
    text = service.evenlog("status", "--verbose").stdout
    assert re.search(rf"^\s+dss\s+127\.0\.0\.1\s+{row['port']}\s", text,
                     re.MULTILINE)
