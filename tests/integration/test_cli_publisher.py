# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog publishers and evenlog publisher, here and from another host."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from server import PUBLISHERS, USERS

@pytest.fixture
def run(service):
    def run(*args, **options):
        return service.evenlog(*args, **options)
    return run


@pytest.fixture(params=["here", "remote"])
def run_both(request, service):
    """The same on this host's socket and over TCP as a reader."""
    def run(*args):
        if request.param == "here":
            return service.evenlog(*args)
        return service.evenlog(
            *args, "--remote", f"127.0.0.1:{service.port}", "--user=alice",
            EVENLOG_PASSWORD=USERS["alice"])
    return run


def as_json(done):
    return json.loads(done.stdout)


@pytest.mark.parametrize("verb", ["publishers", "ep", "enum-publishers"])
def test_publishers_are_listed(run, verb):
    assert run(verb).stdout.splitlines() == PUBLISHERS


def test_publishers_in_each_form(run_both):
    assert run_both("publishers").stdout.splitlines() == PUBLISHERS
    assert [json.loads(line) for line in run_both(
        "publishers", "--format=json").stdout.splitlines()] == [
            {"Publisher": name} for name in PUBLISHERS]
    root = ElementTree.fromstring(
        run_both("publishers", "--format=xml").stdout)
    assert [(one.tag, one.text) for one in root] == [
        ("publisher", name) for name in PUBLISHERS]


def test_publishers_of_a_channel(run_both, run, channel):
    assert run_both("publishers", "--channel=Evenlog/Operational").stdout == \
        "Evenlog\n"
    assert run_both("publishers", f"--channel={channel}").stdout == ""
    done = run("publishers", "--channel=No/Such", check=False)
    assert done.returncode == 1
    assert "no such channel" in done.stderr


@pytest.mark.parametrize("verb", ["publisher", "gp", "get-publisher"])
def test_a_publisher_as_text(run, verb):
    shown = run(verb, "evenlog").stdout.splitlines()
    assert "guid: {7C0A9E5B-4F1D-4B0E-9C39-6D1F3A52E8B4}" in shown
    assert any("Evenlog/Operational" in line for line in shown)
    assert "events:" not in shown


def test_a_publisher_as_json(run_both):
    shown = as_json(run_both("publisher", "Evenlog", "--events", "--messages",
                             "--format=json"))
    assert shown["name"] == "Evenlog"
    assert shown["message"] == "Evenlog"
    assert [one["path"] for one in shown["channels"]] == [
        "Evenlog/Operational"]
    (channel,) = shown["channels"]
    events = {one["id"]: one for one in shown["events"]}
    assert events[1]["channel"] == channel["id"]
    assert events[1]["message"] == \
        "The event log service was started (version %1)."
    assert events[20]["message"].startswith(
        "Access was refused.\r\n\r\nUser:\t%1")
    assert 'name="Version"' in events[1]["template"]
    assert "template" not in events[2]


def test_the_forms_agree(run):
    """JSON says what XML says, but for what XML has no word for."""
    def plain(element):
        if len(element):
            items = [(one.tag, plain(one)) for one in element]
            if element.tag.endswith("s") and len({tag for tag, _ in items}) \
                    == 1 and items[0][0] == element.tag[:-1]:
                return [value for _, value in items]
            return dict(items)
        return element.text or ""

    def words(value):
        if isinstance(value, dict):
            return {key: words(one) for key, one in value.items()}
        if isinstance(value, list):
            return [words(one) for one in value] or ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    args = ["publisher", "Evenlog", "--events", "--messages"]
    xml = ElementTree.fromstring(run(*args, "--format=xml").stdout)
    assert plain(xml) == words(as_json(run(*args, "--format=json")))


def test_the_standard_names(run_both):
    shown = as_json(run_both("publisher", "--messages", "--format=json"))
    assert shown["name"] is None
    assert {one["value"]: one["message"] for one in shown["levels"]}[2] == \
        "Error"
    keywords = {one["value"]: one["message"] for one in shown["keywords"]}
    assert keywords["0x20000000000000"] == "Audit Success"
    assert [one["message"] for one in shown["channels"]] == [
        one["path"] for one in shown["channels"]]


def test_a_language_there_is_not(run):
    for language in ("ja-JP", "0x411", "1041"):
        shown = as_json(run("publisher", "Evenlog", "--messages",
                            f"--language={language}", "--format=json"))
        assert shown["message"] is None
        shown = as_json(run("publisher", "Evenlog", "--messages",
                            "--language=en-GB", "--format=json"))
        assert shown["message"] == "Evenlog"


def test_who_may_not_read_a_channel_does_not_see_it(service):
    shown = as_json(service.evenlog(
        "publisher", "Evenlog", "--format=json", "--remote",
        f"127.0.0.1:{service.port}", "--user=bob",
        EVENLOG_PASSWORD=USERS["bob"]))
    assert shown["channels"] == []


@pytest.mark.parametrize("args,status,said", [
    (["publisher", "No-Such"], 1, "cannot open the publisher No-Such: there"
     " is none of that name"),
    (["publisher", "A", "B"], 2, ""),
    (["publishers", "A"], 2, ""),
    (["publisher", "--language=xx", "Evenlog"], 2, "--language"),
])
def test_what_goes_wrong(run, args, status, said):
    done = run(*args, check=False)
    assert done.returncode == status
    assert said in done.stderr
    assert done.stdout == ""
