# SPDX-License-Identifier: GPL-3.0-or-later
"""
Messages of events as the command shows them: asked of the service, here and
over the network.  The publisher is Evenlog's own (event/evenlog.man), which
every service has; expected texts are read from its manifest.
"""

import json
import os
import re
import signal
import xml.etree.ElementTree as ElementTree

import pytest

from server import SOURCE
from test_cli import Follower, remote
from test_manifest import SEVEN, installed, pump  # pylint: disable=W0611

MAN = "{http://schemas.microsoft.com/win/2004/08/events}"
EVENT = "{http://schemas.microsoft.com/win/2004/08/events/event}"
# A publisher's event with four inserts, some lines and tabs.
ID = 20
VALUES = ["bob", "192.0.2.7", "Security", "read"]


@pytest.fixture(scope="module")
def manifest():
    """Texts of the manifest's events by their ids."""
    tree = ElementTree.parse(os.path.join(SOURCE, "event", "evenlog.man"))
    strings = {string.get("id"): string.get("value")
               for string in tree.iter(f"{MAN}string")}
    return {int(event.get("value")):
            strings[re.match(r"\$\(string\.(.*)\)",
                             event.get("message")).group(1)]
            for event in tree.iter(f"{MAN}event")}


def formatted(text, values):
    """FormatMessage, as far as this manifest needs it (facts 12.6)."""
    for number, value in enumerate(values, 1):
        text = text.replace(f"%{number}", value)
    return text.replace("%n", "\r\n").replace("%t", "\t")


def publish(server, *values, provider="Evenlog", event_id=ID):
    names = ["User", "From", "Channel", "Operation"]
    server.evenlog("publish", "Application", "--stdin", stdin=json.dumps({
        "System": {"Provider": {"Name": provider}, "EventID": event_id,
                   "Level": 3},
        "EventData": dict(zip(names, values))}) + "\n")


def lines(server, *args, **env):
    done = server.evenlog("query", "Application", *args, **env)
    return done.stdout.splitlines()


def test_a_line_has_the_message_here_and_over_the_network(server, manifest):
    publish(server, *VALUES)
    message = " ".join(formatted(manifest[ID], VALUES).split())
    shown = lines(server)
    assert len(shown) == 1
    assert shown[0].endswith(f" Application  {message}")
    assert lines(server, *remote(server),
                 EVENLOG_PASSWORD="Al1ce-pass") == shown
    # In the data's place, unless asked for.
    assert lines(server, "--no-messages")[0].endswith(
        " Application  User=bob From=192.0.2.7 Channel=Security"
        " Operation=read")


def test_without_a_message_the_data_is_shown(server):
    publish(server, *VALUES, provider="Nobody's")
    publish(server, *VALUES, event_id=4999)
    for line in lines(server):
        assert line.endswith("  User=bob From=192.0.2.7 Channel=Security"
                             " Operation=read")


def test_every_event_has_its_own_values(server, manifest):
    server.evenlog("publish", "Application", "--stdin", stdin="".join(
        json.dumps({"System": {"Provider": {"Name": "Evenlog"},
                               "EventID": 22},
                    "EventData": {"Limit": str(number), "By": "x"}}) + "\n"
        for number in range(1500)))
    shown = lines(server)
    assert len(shown) == 1500
    for number, line in enumerate(shown):
        assert line.endswith("  " + formatted(manifest[22],
                                              [str(number), "x"]))


def test_a_record_shows_everything(server, manifest):
    publish(server, *VALUES)
    text = server.evenlog("query", "Application", "--long").stdout
    assert text.endswith("\n\n")
    headline = text.splitlines()[0]
    assert headline.endswith("  Warning  Evenlog 20")
    for line in ["  Channel      Application", "  Record       1",
                 "  Computer     srv.example", "  Opcode       Info (0)",
                 "  Message", "    Access was refused.",
                 "    User:   bob", "  Data", "    From = 192.0.2.7"]:
        assert line in text.splitlines(), text
    assert manifest[ID].startswith("Access was refused.%n")


@pytest.mark.parametrize("evil", ["\x1b[31mred", "a\nb", "\x9b2J",
                                  "\u202eabc"])
def test_values_in_messages_never_steer_a_terminal(server, evil):
    publish(server, evil, *VALUES[1:])
    for args in [[], ["--long"], ["--format=json", "--rendered"],
                 ["--format=xml", "--rendered"]]:
        text = server.evenlog("query", "Application", *args).stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
        if "--long" not in args:
            assert text.count("\n") == 1


def test_values_that_look_like_marks_are_shown_as_they_are(server):
    value = "\ueb01\ueb00%1%2"
    publish(server, value, *VALUES[1:])
    assert f" User: {value} From: 192.0.2.7 " in lines(server)[0]


def test_json_and_xml_have_messages_when_asked(server, manifest):
    publish(server, *VALUES)
    plain = json.loads(lines(server, "--format=json")[0])
    assert "RenderingInfo" not in plain
    rendered = json.loads(lines(server, "--format=json", "--rendered")[0])
    info = rendered.pop("RenderingInfo")
    assert rendered == plain
    assert info["Message"] == formatted(manifest[ID], VALUES)
    assert (info["Level"], info["Opcode"]) == ("Warning", "Info")
    assert info["Provider"] == "Evenlog"

    event = ElementTree.fromstring(
        lines(server, "--format=xml", "--rendered")[0])
    assert [child.tag for child in event] == [
        f"{EVENT}System", f"{EVENT}EventData", f"{EVENT}RenderingInfo"]
    message = event.find(f"{EVENT}RenderingInfo/{EVENT}Message")
    assert message.text == formatted(manifest[ID], VALUES)


def test_a_subscription_shows_messages(server, manifest):
    publish(server, *VALUES)
    follower = Follower(server, "Application", "--from=oldest",
                        "--format=text")
    message = " ".join(formatted(manifest[ID], VALUES).split())
    follower.pump(lambda: "\n" in follower.out)
    publish(server, "eve", *VALUES[1:])
    follower.pump(lambda: follower.out.count("\n") == 2)
    assert follower.end(signal.SIGINT) == 0
    first, second = follower.out.splitlines()
    assert first.endswith(message)
    assert second.endswith(message.replace("bob", "eve"))


def test_messages_go_on_after_a_lost_connection(server, manifest):
    publish(server, *VALUES)
    follower = Follower(server, "Application", "--from=oldest",
                        "--format=text")
    follower.pump(lambda: "\n" in follower.out)
    server.kill()
    server.start()
    publish(server, "eve", *VALUES[1:])
    follower.pump(lambda: follower.out.count("\n") == 2)
    assert follower.end(signal.SIGINT) == 0
    message = " ".join(formatted(manifest[ID], VALUES).split())
    assert follower.out.splitlines()[1].endswith(
        message.replace("bob", "eve"))


@pytest.mark.parametrize("args,said", [
    (["--rendered"], "--rendered is for"),
    (["--long", "--format=json"], "--long is for text"),
    (["--rendered", "--no-messages", "--format=xml"], "exclude each other"),
])
def test_what_does_not_go_together_is_said(server, args, said):
    for verb in ["query", "subscribe"]:
        done = server.evenlog(verb, "Application", *args, check=False)
        assert done.returncode == 2
        assert said in done.stderr


def pump_events(server, *, states):
    for number, state in enumerate(states):
        values = [f"State={state}" if value.startswith("State=") else
                  f"Litres={number}" if value.startswith("Litres=") else value
                  for value in SEVEN]
        server.evenlog("publish", "--provider", "Fabrikam-Pump", "--id", "7",
                       *values)


def export(server):
    """A file with the channel's events; its path."""
    server.evenlog("export", "Fabrikam-Pump/Operational", "-o", "/pump.evtx")
    return os.path.join(server.dir, "export", "pump.evtx")


def pump_messages(states):
    return [f"Pump north: {number} litres, 0xbeef, {state}."
            for number, state in enumerate(states)]


def test_a_manifest_s_maps_show_here_over_the_network_and_from_a_file(
        installed):
    """Each event's own value of the map, whatever the first one was."""
    states = ["stopped", "running", "stopped", "running"]
    pump_events(installed, states=states)
    done = installed.evenlog("query", "Fabrikam-Pump/Operational")
    messages = [line.split("/Operational ")[1]
                for line in done.stdout.splitlines()]
    assert messages == pump_messages(states)
    far = installed.evenlog("query", "Fabrikam-Pump/Operational",
                            *remote(installed), EVENLOG_PASSWORD="Al1ce-pass")
    assert far.stdout == done.stdout
    path = export(installed)
    assert installed.evenlog("query", path).stdout == done.stdout


def test_a_file_s_record_has_names_of_installed_manifests(installed):
    pump_events(installed, states=["running"])
    path = export(installed)
    shown = installed.evenlog("query", "-L", "Fabrikam-Pump/Operational")
    assert "  Task         Pumping of water (3)" in shown.stdout
    assert installed.evenlog("query", "-L", path).stdout == shown.stdout
    installed.evenlog("uninstall-manifest", "pump.man")
    assert " Pump=north " in installed.evenlog("query", path).stdout
