#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters against an evaluator of another make: lxml, on the rendered XML.

A filter is translated to XPath 1.0, which lxml evaluates on what
event_render_xml() wrote.  Where the filters' language is another, the
translation calls a function of this file instead of an operator:

  path = constant   compare(): the value's type decides, facts 7.2; the types
                    come from a reader of the event's BinXML, whose elements
                    and texts must be those of the rendered XML
  band, timediff    functions XPath does not have
  (...) = 'true'    truth(): conditions as booleans
  namespaces        are taken out of the XML before
  the first step    Event or *, from the root

Everything else (steps, predicates, positions, and, or, node sets, attributes
that are left out) is as in XPath 1.0 and left to lxml.

usage: filter_oracle.py FILTER_CHECK [CORPUS]
"""

import datetime
import os
import random
import re
import struct
import subprocess
import sys

from lxml import etree

import filter_events
from filter_events import ARRAY, NULL, STRING, PI, TIME

NOW = TIME + 10**12

# What clients send, facts 7.2.
SHAPES = """
*
Event
*[System]
*[System[(Level=1 or Level=2)]]
*[System[(Level=1  or Level=2 or Level=3) and (EventID=42)]]
*[System[(Level=0 or Level=4 or Level=5)]]
*[System[((EventID >= 4624 and EventID <= 4630)) and (EventID != 4625)]]
*[System[(EventID=1 or EventID=42 or (EventID>=4624 and EventID<=4634))]]
*[System[band(Keywords,9007199254740992)]]
*[System[band(Keywords, '0x8000000000000000') and Level=2]]
*[System[band(4503599627370496,Keywords)]]
*[System[Keywords=9259400833873739776]]
*[System[Keywords='0x8020000000000000']]
*[System[(Keywords=18446744073709551615) or Keywords=18446744073709551614]]
*[System[TimeCreated[timediff(@SystemTime) <= 86400000]]]
*[System[TimeCreated[timediff(@SystemTime) <= 98000000]]]
*[System[TimeCreated[timediff(@SystemTime) > 99000000.5]]]
*[System[Level=2 and TimeCreated[timediff(@SystemTime) <= 100000000]]]
*[System[TimeCreated[timediff(@SystemTime, '2019-04-17T03:00:00Z') >= 0]]]
*[System[TimeCreated[timediff('2019-04-17T03:00:00Z', @SystemTime) >= 0]]]
*[System[timediff(TimeCreated/@SystemTime) <= 99000000]]
*[System[TimeCreated[@SystemTime>='2019-04-17T02:40:00.000Z']]]
*[System[TimeCreated[@SystemTime>='2019-04-17T00:00:00Z' and @SystemTime<='2019-04-17T03:00:00.999999999Z']]]
*[System/TimeCreated[@SystemTime<'2019-04-17T02:40:00Z' or @SystemTime>'2019-04-17T04:00:00Z']]
*[System[Provider[@Name='Alpha-Provider' or @Name='Gamma']]]
*[System/Provider[@Name='alpha-provider']]
*[System[Provider[@Name!='Alpha-Provider']]]
*[System[Provider[@Guid='{03020100-0504-0706-0809-0a0b0c0d0e0f}']]]
*[System[Provider[@Guid='03020100-0504-0706-0809-0A0B0C0D0E0F']]]
*[System[Security[@UserID='S-1-5-18']]]
*[System[Security[@UserID!='S-1-5-18']]]
*[System[Computer='host.example']]
*[System[(Channel='security') and (EventRecordID>=100 and EventRecordID<500)]]
*[System[EventRecordID > 250]]
*[System/Level=2]
*[EventData[Data[@Name='TargetUserName']='alpha']]
*[EventData[Data[@Name='TargetUserName']='admin' or Data[@Name='LogonType']='42']]
*[EventData[Data[@Name='LogonType']=5]]
*[EventData[Data[@Name='Status']!='0x1f']]
*[EventData[Data[@Name='IpPort'] and (Data='42')]]
*[EventData[Data='42']]
*[EventData/Data='alpha']
*[EventData/Data=42]
*[EventData[Data[position()=2]='alpha']]
*[EventData[Data[position()<=2]]]
*[EventData/Data[position()>1]=5]
*[EventData/Data[@Name][position()=1]='5']
*[EventData/Data[@Name='When']>'2020-01-01T00:00:00Z']
*[EventData[Data[@Name='When' and (.='x')]]]
*[((EventData[Data[@Name='LogonType']='42']) or (UserData/*/Name='42'))]
((*[EventData[Data[@Name='Status']=5]]) or (*[UserData/*/Value=5]))
*[System[(EventID=4624)]] and *[EventData[Data[@Name='LogonType']]]
*[System[EventID=4624]] or *[System[EventID=4625]]
*[UserData/*/Name]
*[UserData/*/Name='alpha']
*[UserData/*/*='5']
*[UserData/*/*/*]
*[UserData//Data]
*/*/*
*/System/EventID=4624
Event/System/EventID=4624
Event/System[EventID=4624]/Level
Event[System[Level=3]]/EventData/Data='42'
child::Event/child::System[child::Level=3]
*[System/Provider/attribute::Name='Beta']
*[EventData/Data/@*='Status']
*[*/*/@*]
*[EventData/Data/text()='alpha']
*[EventData/Data[text()='alpha']]
*[*/*/text()]
*[UserData/*/text()[position()=2]]
*[EventData[Data[@Name='Status']='true']]
*[EventData[Data[@Name='Status']='false']]
*[EventData/Data='S-1-5-18']
*[EventData/Data!='S-1-5-18']
*[EventData/Data='00ff']
*[EventData/Data='{03020100-0504-0706-0809-0A0B0C0D0E0F}']
*[EventData/Data < -1]
*[EventData/Data >= 1e3]
*[EventData/Data > '3']
*[EventData/Data < 'beta']
*[EventData/Data='']
*[EventData/Data!='']
*[System[Level!=2]]
*[System[NoSuch!=2]]
*[System[NoSuch=2 or Level=2]]
*[System[(Level=2)='true']]
*[System[(Level=2 or Level=3)!='true']]
*[System[band(Level,1)='false']]
*[System[2=Level]]
*[System[3 >= Level and '4624' = EventID]]
*[@xmlns]
*[System[Level='']]
*[System[text()]]
*[System='x']
*[System[Version=0]]
*[System[Task=7 and Opcode='1']]
*[NoSuch]
*[*]
""".strip().splitlines()

# Refused, and with what.
REFUSED = {
    "*[UserData//Data]": 0x3AAC,
    "*[EventData[Data[@Name='When' and (.='x')]]]": 0x3AAC,
}


# ------------------------------------------------------------- translation

TOKEN = re.compile(r"""\s*(?:
    (?P<string>'[^']*'|"[^"]*") |
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?(?![\w.])) |
    (?P<name>[^\W\d][\w.-]*) |
    (?P<op>::|!=|<=|>=|[=<>*@/,()\[\]]))""", re.X)


class Translation:
    """A filter as XPath 1.0, in which comparisons are calls."""

    def __init__(self, text):
        self.tokens, at = [], 0
        while at < len(text.rstrip()):
            match = TOKEN.match(text, at)
            self.tokens.append((match.lastgroup, match.group().strip()))
            at = match.end()
        self.tokens.append(("end", ""))
        self.at = 0
        self.top = True
        self.xpath = self.alternatives()[1]
        if self.tokens[self.at][0] != "end":
            raise ValueError(text)

    def peek(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self, want=None):
        token = self.peek()
        if want is not None and token[1] != want:
            raise ValueError("%s is not %s" % (token[1], want))
        self.at += 1
        return token[1]

    def words(self, word, parse):
        kind, text = parse()
        parts = [text]
        while self.peek() == ("name", word):
            self.take()
            parts.append(parse()[1])
        if len(parts) == 1:
            return kind, text
        return "test", "(%s)" % (" %s " % word).join(
            "boolean(%s)" % part for part in parts)

    def alternatives(self):
        return self.words("or", lambda: self.words("and", self.comparison))

    def comparison(self):
        left = self.primary()
        if self.peek()[1] not in ("=", "!=", "<", "<=", ">", ">="):
            return left
        op = self.take()
        right = self.primary()
        if left[0] in ("string", "number"):
            left, right = right, left
            op = op.translate(str.maketrans("<>", "><"))
        kind, text = left
        constant = right[1] if right[0] == "string" else '"%s"' % right[1]
        tail = ", '%s', %s, %s" % (op, constant,
                                   "true()" if right[0] == "string"
                                   else "false()")
        if kind == "position":
            return "test", "(position() %s %s)" % (op, right[1])
        if kind == "timediff":
            return "test", "f:timediff(%s%s)" % (text, tail)
        function = "compare" if kind == "path" else "truth"
        return "test", "f:%s(%s%s)" % (function, text, tail)

    def primary(self):
        kind, text = self.peek()
        if text == "(":
            self.take()
            inner = self.alternatives()
            self.take(")")
            return inner
        if kind in ("string", "number"):
            return kind, self.take()
        if kind == "name" and self.peek(1)[1] == "(" and text != "text":
            return self.function()
        return "path", self.path()

    def function(self):
        name = self.take()
        self.take("(")
        arguments = []
        while self.peek()[1] != ")":
            kind, text = self.alternatives()
            arguments.append("'%s'" % text if kind == "number" else text)
            if self.peek()[1] == ",":
                self.take()
        self.take(")")
        if name == "band":
            return "test", "f:band(%s)" % ", ".join(arguments)
        if name == "timediff" and len(arguments) == 1:
            arguments.append("''")
        return name, ", ".join(arguments)

    def path(self):
        top, self.top = self.top, False
        text = "/" if top else ""
        while True:
            while self.peek()[1] in ("@", "*", "::") or \
                    self.peek()[0] == "name":
                text += self.take()
                if text.endswith("text"):
                    text += self.take("(") + self.take(")")
                if self.peek()[1] not in ("::",) and text[-1] not in "@:":
                    break
            while self.peek()[1] == "[":
                self.take()
                text += "[boolean(%s)]" % self.alternatives()[1]
                self.take("]")
            if self.peek()[1] != "/":
                break
            text += self.take()
        self.top = top
        return text


# ------------------------------------------------------- what values are

class Value:
    """A node's side of a comparison."""

    def __init__(self, text, typed=None):
        self.text = text
        self.kind = STRING if typed is None else typed[0]
        self.data = b"" if typed is None else typed[1]
        if self.kind & ARRAY or self.kind in (NULL, 0x02):
            self.kind = STRING

    def number(self):
        kind = self.kind
        if kind in (0x03, 0x05, 0x07, 0x09):
            return int.from_bytes(self.data, "little", signed=True)
        if kind in (0x04, 0x06, 0x08, 0x0A, 0x10, 0x14, 0x15):
            return int.from_bytes(self.data, "little")
        if kind == 0x0B:
            return struct.unpack("<f", self.data)[0]
        if kind == 0x0C:
            return struct.unpack("<d", self.data)[0]
        return parse_number(self.text) if kind == STRING else None

    def time(self):
        if self.kind == 0x11:
            return int.from_bytes(self.data, "little")
        return parse_time(self.text) if self.kind in (STRING, 0x12) else None


def trim(text):
    return text.strip(" \t\r\n")


def parse_number(text):
    text = trim(text)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        number = int(text, 16)
        return number if number < 2**64 else None
    if re.fullmatch(r"[+-]?\d+", text, re.A):
        number = int(text)
        return number if abs(number) < 2**64 else float(number)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", text, re.A):
        return float(re.sub("[dD]", "e", text))
    return None


def parse_time(text):
    match = re.fullmatch(r"(\d{4,5})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)"
                         r"(?:\.(\d{1,9}))?Z?", trim(text), re.A)
    if not match:
        return None
    year, *rest = map(int, match.groups()[:6])
    # The calendar repeats itself after 400 years, of 146097 days.
    cycles = max(0, (year - 2000) // 400)
    try:
        day = datetime.datetime(year - 400 * cycles, *rest)
    except ValueError:
        return None
    since = day - datetime.datetime(1601, 1, 1)
    fraction = (match.group(7) or "").ljust(7, "0")[:7]
    seconds = (since.days + cycles * 146097) * 86400 + since.seconds
    ticks = seconds * 10**7 + int(fraction)
    return ticks if 0 <= ticks < 2**64 else None


def parse_guid(text):
    match = re.fullmatch(r"(\{)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}"
                         r"-[0-9a-fA-F]{12}(\})?", trim(text))
    if not match or bool(match.group(1)) != bool(match.group(3)):
        return None
    return trim(text).strip("{}").upper()


def parse_sid(text):
    return trim(text) if re.fullmatch(r"S-1(-\d+)+", trim(text), re.A) \
        else None


def fold(text):
    return re.sub("[A-Z]", lambda match: match.group().lower(), text)


def holds(op, left, right):
    return {"=": left == right, "!=": left != right, "<": left < right,
            "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def numbers(op, left, right):
    """Integers of up to 64 bits exactly, else doubles."""
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    return holds(op, left, right)


def equal(op, left, right):
    return op in ("=", "!=") and (left == right) == (op == "=")


def compare_one(value, op, constant, quoted):
    """The table of facts 7.2, and what it leaves open."""
    kind = value.kind
    number = parse_number(constant) if constant == trim(constant) else None
    is_number = kind in range(0x03, 0x0D) or kind in (0x10, 0x14, 0x15)
    if number is not None:
        if is_number:
            return numbers(op, value.number(), number)
        if kind == 0x0D:
            return holds(op, any(value.data), number != 0)
        if kind == STRING and not (quoted and op in ("=", "!=")):
            mine = value.number()
            if mine is not None:
                return numbers(op, mine, number)
        return quoted and holds(op, fold(value.text), fold(constant))
    if parse_time(constant) is not None:
        mine = value.time()
        return mine is not None and holds(op, mine, parse_time(constant))
    if parse_guid(constant) is not None:
        mine = parse_guid(value.text) if kind in (STRING, 0x0F) else None
        return mine is not None and equal(op, mine, parse_guid(constant))
    if parse_sid(constant) is not None:
        mine = parse_sid(value.text) if kind in (STRING, 0x13) else None
        return mine is not None and equal(op, mine, parse_sid(constant))
    if fold(constant) in ("true", "false") and (is_number or kind == 0x0D):
        mine = value.number() != 0 if is_number else any(value.data)
        return holds(op, mine, fold(constant) == "true")
    return holds(op, fold(value.text), fold(constant))


# ----------------------------------------------- functions of the translation

class Functions:
    """Typed comparisons on the nodes of one event."""

    def __init__(self):
        self.types = {}

    def value(self, node):
        if isinstance(node, etree._Element):
            return Value("".join(node.xpath(".//text()")),
                         self.types.get(node))
        if node.is_attribute:
            return Value(str(node), self.types.get(
                (node.getparent(), node.attrname)))
        return Value(str(node), self.types.get(
            (node.getparent(), "text" if node.is_text else "tail")))

    def compare(self, _, nodes, op, constant, quoted):
        return any(compare_one(self.value(node), op, constant, quoted)
                   for node in nodes)

    @staticmethod
    def truth(_, test, op, constant, quoted):
        number = parse_number(constant)
        right = number != 0 if number is not None else \
            fold(constant) == "true"
        if isinstance(test, list):
            test = bool(test)
        return holds(op, test, right)

    def band(self, _, left, right):
        nodes, mask = (right, left) if isinstance(left, str) else (left, right)
        if not nodes:
            return False
        value = self.value(nodes[0])
        number = value.number()
        return isinstance(number, int) and value.kind not in (0x0B, 0x0C) \
            and number & parse_number(mask) & (2**64 - 1) != 0

    def time_of(self, argument):
        if isinstance(argument, str):
            return parse_time(argument) if argument else NOW
        return self.value(argument[0]).time() if argument else None

    def timediff(self, _, first, second, op, constant, quoted):
        first, second = self.time_of(first), self.time_of(second)
        return first is not None and second is not None and \
            holds(op, (second - first) / 10000, parse_number(constant))


def strip_namespaces(root):
    for element in root.iter(etree.Element):
        element.tag = element.tag.rpartition("}")[2]
        attributes = element.items()
        element.attrib.clear()
        for name, value in attributes:
            element.set(name.rpartition("}")[2], value)
    return root


def local(name):
    return name.rpartition(":")[2]


def note_types(element, node, types):
    """The types of an element, whose reading in BinXML must be the same."""
    if element.tag != local(node.name):
        raise ValueError("%s is %s" % (element.tag, node.name))
    attributes = [(local(name), pieces) for name, pieces in node.attributes
                  if name.partition(":")[0] != "xmlns"]
    if sorted(element.attrib) != sorted(name for name, _ in attributes):
        raise ValueError("attributes of %s" % element.tag)
    for name, pieces in attributes:
        types[element, name] = filter_events.only_value(pieces)
        if element.get(name) != text_of(pieces):
            raise ValueError("%s/@%s" % (element.tag, name))
    children = [part for part in node.content
                if isinstance(part, filter_events.Node)]
    if "".join(element.xpath("text()")) != text_of(node.content):
        raise ValueError("text of %s" % element.tag)
    types[element] = filter_events.only_value(node.content)
    note_texts(element, node.content, types)
    elements = list(element.iterchildren(etree.Element))
    if len(elements) != len(children):
        raise ValueError("children of %s" % element.tag)
    for pair in zip(elements, children):
        note_types(*pair, types)


def note_texts(element, content, types):
    """The types of the texts before, between and behind what is inside."""
    keys = [(element, "text")] + [(child, "tail") for child in element]
    pieces = []
    for part in list(content) + [PI]:
        if part is PI or isinstance(part, filter_events.Node):
            types[keys.pop(0)] = filter_events.only_value(pieces)
            pieces = []
        else:
            pieces.append(part)


def text_of(pieces):
    return "".join(p if isinstance(p, str) else filter_events.value_text(*p)
                   for p in pieces if isinstance(p, (str, tuple)))


class Oracle:
    def __init__(self, filters):
        self.functions = Functions()
        extensions = {("urn:f", name): getattr(self.functions, name)
                      for name in ("compare", "truth", "band", "timediff")}
        self.xpaths = [
            None if text is None else etree.XPath(
                "boolean(%s)" % text, namespaces={"f": "urn:f"},
                extensions=extensions)
            for text in filters]

    def matches(self, xml, document):
        # Comments and DTDs do not occur; CDATA becomes text.
        root = strip_namespaces(etree.fromstring(
            xml, etree.XMLParser(huge_tree=True)))
        types = {}
        note_types(root, filter_events.read(document), types)
        self.functions.types = types
        return [xpath is not None and xpath(root) for xpath in self.xpaths]


# -------------------------------------------------------- random filters

class FilterMaker:
    """Filters that ask for what is in some event, or nearly."""

    OPS = ["=", "=", "=", "!=", "<", "<=", ">", ">="]

    def __init__(self, rand, roots):
        self.random = rand
        self.roots = roots

    def name(self, name):
        return "*" if self.random.random() < 0.15 else local(name)

    def constant(self, text):
        choose = self.random.choice
        chance = self.random.random()
        if chance < 0.15:
            text = choose(filter_events.WORDS).replace("\0", "")
        elif chance < 0.25:
            text = text.swapcase()
        elif chance < 0.35:
            text = filter_events.filetime_text(TIME)
        elif chance < 0.40:
            text = choose(["0", "1", "-1", "9007199254740993", "1.5",
                           "18446744073709551615", "0x1f", "true"])
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.A) and \
                self.random.random() < 0.5:
            return text
        quote = '"' if "'" in text else "'"
        return quote + text.replace(quote, "") + quote

    def test(self, node, depth):
        """A condition on a node, mostly true."""
        choose = self.random.choice
        chance = self.random.random()
        if chance < 0.2 and depth < 3:
            return "(%s %s %s)" % (self.test(node, depth + 1),
                                   choose(["and", "or"]),
                                   self.test(node, depth + 1))
        if chance < 0.26:
            return "position()%s%d" % (choose(self.OPS),
                                       self.random.randrange(4))
        path, text = self.path(node, depth)
        if chance < 0.35:
            return path
        if chance < 0.40:
            return "band(%s, %s)" % (path, choose(["1", "'0xff'", "6"]))
        if chance < 0.45:
            return "timediff(%s) %s %d" % (
                path, choose(self.OPS), choose([98000000, 100000000, 0]))
        if chance < 0.48:
            return "(%s)=%s" % (self.test(node, depth + 1)
                                if depth < 3 else "band(%s,1)" % path,
                                choose(["'true'", "'false'", "1"]))
        left, right = path, self.constant(text)
        if chance < 0.53:
            left, right = right, left
        return "%s %s %s" % (left, choose(self.OPS), right)

    def path(self, node, depth):
        """A path from a node, and what stands at its end."""
        steps = []
        while True:
            children = [part for part in node.content
                        if isinstance(part, filter_events.Node)]
            attributes = [(name, pieces) for name, pieces in node.attributes
                          if not name.startswith("xmlns")]
            chance = self.random.random()
            if attributes and (chance < 0.3 or not children):
                name, pieces = self.random.choice(attributes)
                steps.append("@" + self.name(name))
                return "/".join(steps), text_of(pieces)
            if steps and (chance > 0.85 or not children):
                if self.random.random() < 0.2:
                    steps.append("text()")
                return "/".join(steps), text_of(node.content)
            if not children:
                return "NoSuch", "5"
            node = self.random.choice(children)
            steps.append(self.name(node.name))
            while depth < 3 and self.random.random() < 0.2:
                steps[-1] += "[%s]" % self.test(node, depth + 1)

    def filter(self):
        root = self.random.choice(self.roots)
        start = self.random.choice(["*", "Event"])
        if self.random.random() < 0.2:
            path, text = self.path(root, 0)
            return "%s/%s %s %s" % (start, path, self.random.choice(self.OPS),
                                    self.constant(text))
        return "%s[%s]" % (start, self.test(root, 0))


# ----------------------------------------------------------------- main

def ask(program, filters, documents):
    """What the program makes of it: errors, and (xml, matches) of each."""
    data = struct.pack("<QI", NOW, len(filters))
    for item in [text.encode() for text in filters] + documents:
        data += struct.pack("<I", len(item)) + item
    out = subprocess.run([program], input=data, check=True,
                         stdout=subprocess.PIPE).stdout
    errors = struct.unpack_from("<%dI" % len(filters), out)
    at, answers = 4 * len(filters), []
    for _ in documents:
        length, = struct.unpack_from("<I", out, at)
        at += 4
        answers.append((out[at:at + length],
                        out[at + length:at + length + len(filters)]))
        at += length + len(filters)
    return errors, answers


def corpus(path, rand, count):
    documents, at = [], 0
    with open(path, "rb") as stream:
        data = stream.read()
    while at < len(data):
        length, = struct.unpack_from("<I", data, at)
        documents.append(data[at + 4:at + 4 + length])
        at += 4 + length
    return rand.sample(documents, min(count, len(documents)))


class Report:
    def __init__(self):
        self.count = 0

    def say(self, good, name, notes=()):
        self.count += 1
        for note in notes:
            print("# %s" % note)
        print("%sok %d - %s" % ("" if good else "not ", self.count, name))


def differences(filters, documents, answers, oracle, hits):
    found = []
    for document, (xml, matches) in zip(documents, answers):
        wanted = oracle.matches(xml, document)
        for i, (got, want) in enumerate(zip(matches, wanted)):
            hits[i] += want
            if got != want:
                found.append("%s: %d, not %d: %s" % (
                    filters[i], got, want, xml.decode()[:3000]))
    return found


def compare_all(program, report, name, filters, documents, at_least):
    """Filters on documents; at_least of them select some, and not all."""
    errors, answers = ask(program, filters, documents)
    refused = [text for text, error in zip(filters, errors)
               if error != REFUSED.get(text, 0)]
    oracle = Oracle([None if text in REFUSED else Translation(text).xpath
                     for text in filters])
    hits = [0] * len(filters)
    found = differences(filters, documents, answers, oracle, hits)
    telling = sum(0 < n < len(documents) for n in hits)
    report.say(not found and not refused and telling >= at_least, name,
               ["%d filters on %d events, %d select some of them" %
                (len(filters), len(documents), telling)] +
               ["refused: %s" % text for text in refused[:5]] + found[:5])


def main():
    program = sys.argv[1]
    seed = int(os.environ.get("EVENLOG_FILTER_SEED", "1"))
    rounds = int(os.environ.get("EVENLOG_FILTER_ROUNDS", "1"))
    report = Report()
    print("1..%d" % (2 * rounds + (len(sys.argv) > 2)))
    for number in range(seed, seed + rounds):
        rand = random.Random(number)
        made = [filter_events.Maker(rand).event() for _ in range(300)]
        compare_all(program, report, "filters that clients send, on random "
                    "events", SHAPES, made, 60)
        roots = [filter_events.read(document) for document in made]
        filters = [FilterMaker(rand, roots).filter() for _ in range(300)]
        compare_all(program, report, "random filters on random events",
                    filters, made, 100)
    if len(sys.argv) > 2:
        rand = random.Random(seed)
        real = corpus(sys.argv[2], rand, 250)
        roots = [filter_events.read(document) for document in real]
        filters = [FilterMaker(rand, roots).filter() for _ in range(200)]
        compare_all(program, report, "filters on real events",
                    SHAPES + filters, real, 100)


if __name__ == "__main__":
    main()
