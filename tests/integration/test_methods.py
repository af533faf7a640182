# SPDX-License-Identifier: GPL-3.0-or-later
"""
doc/methods.md, walked on the wire: all methods of the interface are on it, the
tests it names exist, and each code of its tables is what a real call gets.
"""

import ast
import itertools
import os
import re
import struct

import pytest

import dcerpc
import even6
import even6_config as config
import even6_manage as manage
import even6_metadata as metadata
from publisher import Publisher, filler
from server import SOURCE, USERS, Server
from subscribing import bookmark, pull, query_list, start_query, subscribe

CONFIG = """
[channel Hidden]
access = O:BAG:SYD:(A;;0x1;;;SY)
[channel Fixed]
max_size = 4M
[channel Small]
max_size = 1M
""" + "".join(f"[channel Test/{i:03}]\n" for i in range(200))

PAGE = os.path.join(SOURCE, "doc", "methods.md")
FUTURE, OLDEST = even6.SUBSCRIBE_FUTURE, even6.SUBSCRIBE_OLDEST
AFTER, STRICT = even6.SUBSCRIBE_BOOKMARK, even6.SUBSCRIBE_STRICT
COMPLEX = "*[System[" + " or ".join(["EventID=1"] * 5000) + "]]"
NAMES = itertools.count()


def sections():
    """By opnum: the method's name, its codes, and (file, test) pairs."""
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    found = {}
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        head = re.match(r"(\d+) (\w+)\n", part)
        if head is None:
            continue
        codes = [int(code, 16) for code in
                 re.findall(r"^\| (0x[0-9A-F]+) \|", part, re.M)]
        tests = re.search(r"^Tests: (.*?)(?:\n\n|\Z)", part, re.M | re.S)
        named, file = [], None
        for word in re.findall(r"`(\w+\.py)`|(test_\w+)",
                               tests.group(1) if tests else ""):
            file = word[0] or file
            if word[1]:
                named.append((file, word[1]))
        found[int(head.group(1))] = head.group(2), codes, named
    return found


SECTIONS = sections()


# The page

def test_every_method_of_the_interface_is_on_the_page():
    with open(os.path.join(SOURCE, "idl", "even6.idl"),
              encoding="utf-8") as idl:
        methods = re.findall(r"WERROR (EvtRpc\w+)\(", idl.read())
    assert [SECTIONS[opnum][0] for opnum in range(29)] == methods


@pytest.mark.parametrize("opnum", range(29))
def test_every_test_on_the_page_exists(opnum):
    _, _, named = SECTIONS[opnum]
    assert named
    for file, test in named:
        with open(os.path.join(os.path.dirname(__file__), file),
                  encoding="utf-8") as source:
            names = [node.name for node in ast.parse(source.read()).body
                     if isinstance(node, ast.FunctionDef)]
        assert test in names, f"{file} has no {test}"


# The codes.  alice reads, bob is an administrator.

class Host:
    def __init__(self):
        self.server = Server(administrators=("bob",), config=CONFIG)
        self.server.add_users()
        self.server.start()
        self.publisher = Publisher(self.server)

    def logon(self, user):
        return even6.connect("127.0.0.1", self.server.port,
                             dcerpc.Ntlm(user, USERS[user]))

    def close(self):
        self.publisher.close()
        self.server.close()

    def channel(self, events=0):
        name = f"Test/{next(NAMES):03}"
        if events:
            self.publisher.numbers(name, events)
        return name


@pytest.fixture(scope="module")
def host():
    host = Host()
    try:
        yield host
    finally:
        host.close()


@pytest.fixture
def alice(host):
    with host.logon("alice") as client:
        yield client


@pytest.fixture
def bob(host):
    with host.logon("bob") as client:
        yield client


def analytic(bob):
    """A channel of type Analytic."""
    name = f"Direct/{next(NAMES)}"
    assert bob.call(config.PutChannelConfig(
        name, {config.TYPE: 2})).rc == 0
    assert bob.call(config.AssertConfig(name)).rc == 0
    return name


def removed(host, bob, user, flags):
    """A subscription whose channel is taken away."""
    name = f"Gone/{next(NAMES)}"
    assert bob.call(config.PutChannelConfig(name)).rc == 0
    assert bob.call(config.AssertConfig(name)).rc == 0
    host.publisher.numbers(name, 1)
    made = subscribe(bob, name, flags)
    assert bob.call(config.RetractConfig(name)).rc == 0
    return made


def trimmed(host, client, flags):
    """A strict subscription whose next record retention has taken."""
    made = subscribe(client, "Small", flags | STRICT)
    for _ in range(8):
        host.publisher.numbers("Small", 4, filler=filler(120000))
    return made


def after_trimmed(host, client):
    """A strict bookmark of a record that retention has taken."""
    trimmed(host, client, OLDEST)
    return register(client, "Small", mark=bookmark(("Small", 1)),
                    flags=AFTER | STRICT)


def cancelled(client, made, call):
    waiting = client.start(call(made.handle))
    assert waiting.is_parked()
    assert client.call(even6.Cancel(made.control)).rc == 0
    return waiting.result().rc


def second(client, made, call):
    first = client.start(call(made.handle))
    assert first.is_parked()
    code = client.call(call(made.handle)).rc
    client.call(even6.Cancel(made.control))
    first.result()
    return code


def register(client, channel, query="*", mark=None, flags=FUTURE):
    return client.call(even6.RegisterRemoteSubscription(
        channel, query, mark, flags)).rc


def query(client, path, text="*", flags=even6.QUERY_CHANNEL):
    return client.call(even6.RegisterLogQuery(path, text, flags)).rc


def path_of():
    return f"C:\\Methods\\{next(NAMES)}.evtx"


def export(client, channel, text="*", path=None, flags=1, control=None):
    return client.call(manage.ExportLog(control, channel, text,
                                        path or path_of(), flags)).rc


def twice(client, call):
    """The same path a second time."""
    path = path_of()
    assert call(path) == 0
    return call(path)


def cancel_export(host, alice):
    """An export may be over before it is cancelled: then a longer one."""
    channel = host.channel()
    for attempt in range(5):
        for _ in range(12 << attempt):
            host.publisher.numbers(channel, 500, filler=filler(3000))
        control = alice.call(even6.RegisterControllableOperation()).handle
        running = alice.start(manage.ExportLog(control, channel, "*",
                                               path_of(), 1))
        assert alice.call(even6.Cancel(control)).rc == 0
        code = running.result().rc
        if code != 0:
            break
    return code


def clear_large(host, bob):
    channel = host.channel()
    host.publisher.numbers(channel, 1, filler=filler(140000))
    return bob.call(manage.ClearLog(None, channel, path_of())).rc


def seek(host, alice, flags, position=0, mark=None):
    made = start_query(alice, host.channel(3))
    return alice.call(even6.QuerySeek(made.handle, position, flags, mark)).rc


def cleared(host, alice, bob):
    channel = host.channel(5)
    made = start_query(alice, channel)
    assert alice.call(even6.QueryNext(made.handle, 1)).rc == 0
    assert bob.call(manage.ClearLog(None, channel)).rc == 0
    return alice.call(even6.QueryNext(made.handle, 5)).rc


def slow_query(host, alice):
    """A call that looks through many records while another one comes."""
    channel = host.channel()
    host.publisher.numbers(channel, 5000)
    clauses = " or ".join(["Data[@Name='Number']='none'"] * 1000)
    made = start_query(alice, channel, query=f"*[EventData[{clauses}]]")
    calls = [alice.start(even6.QueryNext(made.handle, 1)) for _ in range(2)]
    codes = [call.result().rc for call in calls]
    assert codes[0] == even6.ERROR_NO_MORE_ITEMS
    return codes[1]


def opened(client, publisher="Evenlog", locale=0):
    return client.call(metadata.GetPublisherMetadata(publisher,
                                                     locale)).handle


def render(client, flags, publisher=True, message=0, size=4096, locale=0,
           **event):
    descriptor = metadata.descriptor(**event)
    if publisher:
        call = metadata.MessageRender(opened(client, "Evenlog", locale),
                                      flags, descriptor, message, size=size)
    else:
        call = metadata.MessageRenderDefault(flags, descriptor, message,
                                             size=size)
    return client.call(call).rc


def put(client, name, values=(), flags=0):
    return client.call(config.PutChannelConfig(name, dict(values),
                                               flags)).rc


def log_info(host, client, index, size=16):
    handle = client.call(even6.OpenLogHandle("Application")).handle
    return client.call(even6.GetLogFileInfo(handle, index, size)).rc


def all_events(client):
    handle = client.call(metadata.GetEventMetadataEnum(
        opened(client))).handle
    while True:
        got = client.call(metadata.GetNextEventMetadata(handle))
        if got.rc != 0:
            return got.rc


A = "Application"
NEXT, PULL_NEXT = (even6.RemoteSubscriptionNextAsync,
                   lambda handle: even6.RemoteSubscriptionNext(
                       handle, 10, 60000))
WAIT = even6.RemoteSubscriptionWaitAsync
PULL = even6.SUBSCRIBE_PULL
REVERSE = even6.QUERY_CHANNEL | even6.QUERY_REVERSE

# opnum, code: calls that get it, as functions of (host, alice, bob).
CASES = {
    (0, 0x57): [
        lambda h, a, b: register(a, A, flags=0),
        lambda h, a, b: register(a, None),
        lambda h, a, b: register(a, A, mark="<Bookmark", flags=AFTER)],
    (0, 0x5): [lambda h, a, b: register(a, "Hidden")],
    (0, 0x3A98): [
        lambda h, a, b: register(a, "A|B"),
        lambda h, a, b: register(a, None, query_list(A, "No/Such"))],
    (0, 0x3A99): [lambda h, a, b: register(a, A, "*[System["),
                  lambda h, a, b: register(a, None, "<QueryList><Q")],
    (0, 0x3A9F): [lambda h, a, b: register(a, "No/Such")],
    (0, 0x3AA1): [lambda h, a, b: register(b, analytic(b))],
    (0, 0x490): [lambda h, a, b: register(
        a, A, mark=bookmark((A, 999999)), flags=AFTER | STRICT)],
    (0, 0x3AA3): [lambda h, a, b: after_trimmed(h, a)],
    (0, 0x3AB2): [lambda h, a, b: register(a, A, COMPLEX)],

    (1, 0x57): [lambda h, a, b: a.call(NEXT(
        subscribe(a, A, FUTURE).handle, 1, 7)).rc],
    (1, 0x10DD): [
        lambda h, a, b: a.call(NEXT(pull(a, A).handle)).rc,
        lambda h, a, b: second(a, subscribe(a, h.channel(), FUTURE), NEXT)],
    (1, 0x3AA3): [lambda h, a, b: a.call(NEXT(
        trimmed(h, a, OLDEST).handle)).rc],
    (1, 0x3A9F): [lambda h, a, b: b.call(NEXT(
        removed(h, b, "bob", FUTURE).handle)).rc],
    (1, 0x4C7): [lambda h, a, b: cancelled(
        a, subscribe(a, h.channel(), FUTURE), NEXT)],

    (2, 0x57): [lambda h, a, b: a.call(even6.RemoteSubscriptionNext(
        pull(a, A).handle, 1, 0, 7)).rc],
    (2, 0x10DD): [
        lambda h, a, b: a.call(PULL_NEXT(
            subscribe(a, A, FUTURE).handle)).rc,
        lambda h, a, b: second(a, pull(a, h.channel()), PULL_NEXT)],
    (2, 0x3AA3): [lambda h, a, b: a.call(PULL_NEXT(
        trimmed(h, a, OLDEST | PULL).handle)).rc],
    (2, 0x3A9F): [lambda h, a, b: b.call(PULL_NEXT(
        removed(h, b, "bob", FUTURE | PULL).handle)).rc],
    (2, 0x4C7): [lambda h, a, b: cancelled(a, pull(a, h.channel()),
                                           PULL_NEXT)],

    (3, 0x10DD): [
        lambda h, a, b: a.call(WAIT(subscribe(a, A, FUTURE).handle)).rc,
        lambda h, a, b: second(a, pull(a, h.channel()), WAIT)],
    (3, 0x4C7): [lambda h, a, b: cancelled(a, pull(a, h.channel()), WAIT)],

    (5, 0x32): [
        lambda h, a, b: query(a, "C:\\x.evtx", flags=even6.QUERY_FILE),
        lambda h, a, b: query(a, None, query_list("file://c:/x.evtx"))],
    (5, 0x57): [lambda h, a, b: query(a, None),
                lambda h, a, b: query(b, analytic(b), flags=REVERSE)],
    (5, 0x5): [lambda h, a, b: query(a, "Hidden")],
    (5, 0x3A98): [lambda h, a, b: query(a, "A|B"),
                  lambda h, a, b: query(a, None, query_list("No/Such"))],
    (5, 0x3A99): [lambda h, a, b: query(a, A, "*[")],
    (5, 0x3A9F): [lambda h, a, b: query(a, "No/Such")],
    (5, 0x3AB2): [lambda h, a, b: query(a, A, COMPLEX)],

    (6, 0x5): [lambda h, a, b: a.call(manage.ClearLog(
        None, h.channel())).rc],
    (6, 0x50): [lambda h, a, b: twice(b, lambda path: b.call(
        manage.ClearLog(None, h.channel(1), path)).rc)],
    (6, 0x57): [lambda h, a, b: b.call(manage.ClearLog(
        None, h.channel(), "C:\\..\\x.evtx")).rc],
    (6, 0xDF): [lambda h, a, b: clear_large(h, b)],
    (6, 0x3A9F): [lambda h, a, b: b.call(manage.ClearLog(
        None, "No/Such")).rc],

    (7, 0x5): [lambda h, a, b: export(a, "Hidden")],
    (7, 0x32): [lambda h, a, b: export(a, "C:\\x.evtx", flags=2)],
    (7, 0x50): [lambda h, a, b: twice(a, lambda path: export(
        a, A, path=path))],
    (7, 0x57): [lambda h, a, b: export(a, A, path="x.evtx"),
                lambda h, a, b: export(a, A, flags=3),
                lambda h, a, b: export(a, A, flags=0x81)],
    (7, 0x3A98): [lambda h, a, b: export(a, None, query_list("No/Such"))],
    (7, 0x3A99): [lambda h, a, b: export(a, A, "*[")],
    (7, 0x3A9F): [lambda h, a, b: export(a, "No/Such")],
    (7, 0x4C7): [lambda h, a, b: cancel_export(h, a)],

    (8, 0x32): [lambda h, a, b: b.call(manage.LocalizeExportLog(
        None, path_of())).rc],

    (9, 0x57): [lambda h, a, b: render(a, 0), lambda h, a, b: render(a, 9)],
    (9, 0x7A): [lambda h, a, b: render(a, 2, level=2, size=0)],
    (9, 0x3AB3): [lambda h, a, b: render(a, 8, message=0x12345),
                  lambda h, a, b: render(a, 1, event=1, locale=0x40C)],
    (9, 0x3AB4): [lambda h, a, b: render(a, 1, event=9999),
                  lambda h, a, b: render(a, 4, opcode=99)],

    (10, 0x57): [lambda h, a, b: render(a, 6, False),
                 lambda h, a, b: render(a, 7, False)],
    (10, 0x7A): [lambda h, a, b: render(a, 2, False, level=2, size=2)],
    (10, 0x3AB3): [lambda h, a, b: render(a, 8, False, message=0x12345)],
    (10, 0x3AB4): [lambda h, a, b: render(a, 4, False, opcode=99)],

    (11, 0x57): [lambda h, a, b: a.call(even6.QueryNext(
        start_query(a, A).handle, 1025)).rc],
    (11, 0x103): [lambda h, a, b: a.call(even6.QueryNext(
        start_query(a, h.channel()).handle)).rc],
    (11, 0x10DD): [lambda h, a, b: slow_query(h, a)],
    (11, 0x3AA3): [lambda h, a, b: cleared(h, a, b)],

    (12, 0x57): [lambda h, a, b: seek(h, a, 0),
                 lambda h, a, b: seek(h, a, 1, -1),
                 lambda h, a, b: seek(h, a, 4, 0, "<Bookmark")],
    (12, 0x490): [lambda h, a, b: seek(h, a, 1 | even6.SEEK_STRICT, 10)],

    (14, 0x57): [lambda h, a, b: a.call(even6.Cancel(
        start_query(a, A).handle)).rc],

    (15, 0x5): [lambda h, a, b: a.call(config.AssertConfig(A)).rc],
    (15, 0x57): [lambda h, a, b: b.call(config.AssertConfig(A, 7)).rc,
                 lambda h, a, b: b.call(config.AssertConfig("No/Such")).rc],
    (16, 0x5): [lambda h, a, b: a.call(config.RetractConfig(A)).rc],
    (16, 0x57): [lambda h, a, b: b.call(config.RetractConfig(A, 7)).rc],
    (16, 0x10DD): [
        lambda h, a, b: b.call(config.RetractConfig("Fixed")).rc,
        lambda h, a, b: b.call(config.RetractConfig(A)).rc,
        lambda h, a, b: b.call(config.RetractConfig("Evenlog", 1)).rc],

    (17, 0x5): [lambda h, a, b: a.call(even6.OpenLogHandle("Hidden")).rc],
    (17, 0x32): [lambda h, a, b: a.call(even6.OpenLogHandle(A, 2)).rc],
    (17, 0x57): [lambda h, a, b: a.call(even6.OpenLogHandle(A, 3)).rc],
    (17, 0x3A9F): [lambda h, a, b: a.call(
        even6.OpenLogHandle("No/Such")).rc],
    (18, 0x57): [lambda h, a, b: log_info(h, a, 8)],
    (18, 0x7A): [lambda h, a, b: log_info(h, a, 5, 15)],

    (20, 0x5): [lambda h, a, b: a.call(
        config.GetChannelConfig("Hidden")).rc],
    (20, 0x3A9F): [lambda h, a, b: a.call(
        config.GetChannelConfig("No/Such")).rc],
    (21, 0x5): [lambda h, a, b: put(a, A)],
    (21, 0xD): [lambda h, a, b: put(b, h.channel(),
                                    {config.ACCESS: "X:nonsense"})],
    (21, 0x57): [lambda h, a, b: put(b, A, flags=4),
                 lambda h, a, b: put(b, h.channel(), {config.TYPE: 4})],
    (21, 0xB7): [lambda h, a, b: put(b, h.channel(), flags=3)],
    (21, 0x490): [lambda h, a, b: put(b, "No/Such", flags=1)],
    (21, 0x10DD): [
        lambda h, a, b: put(b, h.channel(), {config.BUFFER_SIZE: 128}),
        lambda h, a, b: put(b, "Fixed", {config.MAX_SIZE: 8 << 20})],

    (23, 0x57): [
        lambda h, a, b: a.call(metadata.GetPublisherListForChannel(
            "No/Such")).rc,
        lambda h, a, b: a.call(metadata.GetPublisherListForChannel(
            "Hidden")).rc],
    (24, 0x2): [lambda h, a, b: a.call(metadata.GetPublisherMetadata(
        "No-Such")).rc],
    (25, 0x57): [lambda h, a, b: a.call(
        metadata.GetPublisherResourceMetadata(opened(a), 6)).rc],
    (27, 0xE8): [lambda h, a, b: all_events(a)],
    (28, 0x57): [lambda h, a, b: a.call(metadata.GetClassicLogDisplayName(
        A, 0, 1)).rc],
    (28, 0x490): [
        lambda h, a, b: a.call(metadata.GetClassicLogDisplayName(
            "Fixed")).rc,
        lambda h, a, b: a.call(metadata.GetClassicLogDisplayName(
            A, 0x40C)).rc,
        lambda h, a, b: a.call(metadata.GetClassicLogDisplayName(
            "Hidden")).rc],
}


def test_every_code_on_the_page_is_provoked_here():
    documented = {(opnum, code) for opnum, (_, codes, _) in SECTIONS.items()
                  for code in codes}
    assert documented == set(CASES)


@pytest.mark.parametrize(
    "opnum, code, number",
    [(opnum, code, number) for (opnum, code), calls in CASES.items()
     for number in range(len(calls))],
    ids=lambda value: f"0x{value:x}")
def test_a_code_on_the_page(host, alice, bob, opnum, code, number):
    try:
        got = CASES[opnum, code][number](host, alice, bob)
    except dcerpc.Fault as fault:
        got = struct.pack("<I", fault.status)
    assert got == code, f"0x{got:x}" if isinstance(got, int) else got


@pytest.mark.parametrize("opnum", range(29))
def test_every_method_but_one_does_its_work(host, alice, bob, opnum):
    """At least a call that succeeds, for each."""
    name = host.channel(1)
    made = subscribe(alice, name, OLDEST)
    pulled = pull(alice, name)
    asked = start_query(alice, name)
    publisher = opened(alice)
    log = alice.call(even6.OpenLogHandle(name)).handle
    calls = {
        0: even6.RegisterRemoteSubscription(name),
        1: NEXT(made.handle), 2: PULL_NEXT(pulled.handle),
        3: WAIT(pulled.handle), 4: even6.RegisterControllableOperation(),
        5: even6.RegisterLogQuery(name),
        6: manage.ClearLog(None, name),
        7: manage.ExportLog(None, name, "*", path_of(), 1),
        8: manage.LocalizeExportLog(None, path_of()),
        9: metadata.MessageRender(publisher, 2,
                                  metadata.descriptor(level=2)),
        10: metadata.MessageRenderDefault(2, metadata.descriptor(level=2)),
        11: even6.QueryNext(asked.handle),
        12: even6.QuerySeek(asked.handle, 0, 1),
        13: even6.Close(asked.handle), 14: even6.Cancel(made.control),
        15: config.AssertConfig(name), 16: config.RetractConfig("No/Such"),
        17: even6.OpenLogHandle(name), 18: even6.GetLogFileInfo(log, 5),
        19: even6.GetChannelList(), 20: config.GetChannelConfig(name),
        21: config.PutChannelConfig(name), 22: metadata.GetPublisherList(),
        23: metadata.GetPublisherListForChannel(name),
        24: metadata.GetPublisherMetadata("Evenlog"),
        25: metadata.GetPublisherResourceMetadata(publisher, 0xC),
        26: metadata.GetEventMetadataEnum(publisher),
        27: metadata.GetNextEventMetadata(alice.call(
            metadata.GetEventMetadataEnum(publisher)).handle),
        28: metadata.GetClassicLogDisplayName("Application"),
    }
    call = calls[opnum]
    assert call.opnum == opnum
    who = bob if opnum in (6, 8, 15, 16, 21) else alice
    assert who.call(call).rc == \
        (even6.ERROR_NOT_SUPPORTED if opnum == 8 else 0)
