#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Reads the messages of format_cases by RFC 5424, RFC 3164 and RFC 8259, undoes
the escapes of doc/forward-formats.md and compares with what format_cases declares.
Nothing here is shared with the formats: texts of values, names and grammar are
written anew.

  check_syslog.py PROGRAM GOLDEN_DIRECTORY [--write]

The golden files hold what was found right once: short messages as they are,
others as length and SHA-256.
"""

import datetime
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import sys
import uuid
import zlib

SD_ID = 'evenlog@32473'
DATA_ID = 'evenlog-data@32473'
LONG = 2097152
SHORT = 8192
RECEIVED = 133444736001234567
FORMATS = ('rfc5424', 'rfc5424-json', 'rfc3164', 'json')
# Golden files hold messages up to this length in full.
GOLDEN_FULL = 560


class Wrong(Exception):
    """A message that is not what it should be."""


def need(holds, what, *details):
    if not holds:
        raise Wrong(what + ': ' + ' | '.join(repr(d)[:300] for d in details))


# ------------------------------------------------------------------ values

def filetime(value):
    """YYYY-MM-DDThh:mm:ss.fffffffZ; None beyond the year 9999."""
    seconds, fraction = divmod(value, 10000000)
    try:
        time = (datetime.datetime(1601, 1, 1)
                + datetime.timedelta(seconds=seconds))
    except OverflowError:
        return None
    return '%s.%07dZ' % (time.strftime('%Y-%m-%dT%H:%M:%S').rjust(19, '0'),
                         fraction)


def utf16(data):
    """Up to the first NUL; lone surrogates are U+FFFD."""
    text = data.decode('utf-16-le', 'surrogatepass').split('\0', 1)[0]
    return re.sub('[\ud800-\udfff]', '\ufffd', text)


def sid(data):
    authority = int.from_bytes(data[2:8], 'big')
    subs = struct.unpack('<%dI' % data[1], data[8:8 + 4 * data[1]])
    return '-'.join(['S', str(data[0]), str(authority)]
                    + [str(sub) for sub in subs])


def cp1252(data):
    """Windows' own table: its five gaps are the C1 controls."""
    return ''.join(bytes([b]).decode('cp1252', 'replace')
                   if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b)
                   for b in data.split(b'\0', 1)[0])


INTEGERS = {3: '<b', 4: '<B', 5: '<h', 6: '<H', 7: '<i', 8: '<I', 9: '<q',
            10: '<Q'}


def value_text(kind, data):
    """[MS-EVEN6] 2.2.12.1, in Windows' forms."""
    if kind == 0:
        return ''
    if kind == 1:
        return utf16(data)
    if kind == 2:
        return cp1252(data)
    if kind in INTEGERS:
        return str(struct.unpack(INTEGERS[kind], data)[0])
    if kind == 0x0C:
        return '%f' % struct.unpack('<d', data)[0]
    if kind == 0x0D:
        return 'true' if any(data) else 'false'
    if kind == 0x0E:
        return data.hex().upper()
    if kind == 0x0F:
        return '{%s}' % str(uuid.UUID(bytes_le=data)).upper()
    if kind == 0x11:
        return filetime(struct.unpack('<Q', data)[0])
    if kind == 0x13:
        return sid(data)
    if kind in (0x14, 0x15):
        return hex(int.from_bytes(data, 'little'))
    raise Wrong('type %d' % kind)


def array_items(kind, data):
    """The items of an array; one without any is one empty item."""
    kind &= 0x7F
    if kind == 1:
        items = data.decode('utf-16-le', 'surrogatepass').split('\0')
        if items[-1] == '':
            items.pop()
    else:
        size = struct.calcsize(INTEGERS[kind])
        items = [value_text(kind, data[i:i + size])
                 for i in range(0, len(data), size)]
    return items or ['']


def texts(item):
    data = bytes.fromhex(item['value'])
    if item['type'] & 0x80:
        return array_items(item['type'], data)
    return [value_text(item['type'], data)]


# ------------------------------------------------------------------- names

def sd_name(name):
    """A PARAM-NAME, and whether it differs from name."""
    changed = ''.join('_' if not 0x20 < ord(c) < 0x7F or c in '=]"' else c
                      for c in name)
    if len(changed) <= 32 and all(0x20 <= ord(c) < 0x7F for c in name):
        return changed, changed != name
    return '%s~%08x' % (changed[:23], zlib.crc32(name.encode())), True


def header_name(name, longest):
    return ''.join(c if 0x20 < ord(c) < 0x7F else '_'
                   for c in name)[:longest]


# ------------------------------------------------------------ expectations

class Case:
    """What a message of a declared event must hold."""

    def __init__(self, number, declared):
        self.number = number
        self.declared = declared
        self.provider = bytes.fromhex(declared['provider']).decode()
        self.computer = bytes.fromhex(declared['computer']).decode()
        self.whole = declared['shape'] in ('EventData', 'UserData')
        self.origin = number % 2 == 0
        self.replaced = False
        self.data = list(self.read_data())
        self.params = list(self.read_params())
        self.host = header_name(self.computer, 255)
        if self.host != self.computer:
            self.replaced = True
        for _, value in self.data + self.params:
            self.replaced |= '\ufffd' in value
        self.message = '%s event %d' % (self.provider, declared['eventId'])

    def name(self, name):
        name, changed = sd_name(name)
        self.replaced |= changed
        return name

    def read_user_data(self):
        """The element that an array stands in is there for each item."""
        one, two, three, four, attribute = (
            texts(item) for item in self.declared['data'])
        for item in attribute:
            if item != '':
                yield 'Top@a', item
            yield from (('A', text) for text in one)
            yield from (('B.C', text) for text in two + three)
            for text in four:
                yield 'B.D@k', 'v'
                yield 'B.D', 'x' + text
            yield 'E', ''

    def read_data(self):
        if self.declared['shape'] == 'UserData':
            yield from self.read_user_data()
            return
        count = 0
        for item in self.declared['data']:
            name = item.get('name')
            if name is not None:
                name = self.name(bytes.fromhex(name).decode())
            for text in texts(item):
                if name is None:
                    count += 1
                    yield 'Data%d' % count, text
                else:
                    yield name, text

    def read_params(self):
        d = self.declared
        yield 'channel', 'Application'
        yield 'recordId', str(d['recordId'])
        if self.whole and d['eventRecordId'] != d['recordId']:
            yield 'eventRecordId', str(d['eventRecordId'])
        if d['eventChannel'] != 'Application':
            yield 'eventChannel', d['eventChannel']
        yield 'provider', self.provider
        if self.whole and d['guid']:
            yield 'providerGuid', '{04030201-0605-0807-090A-0B0C0D0E0F10}'
        yield 'eventId', str(d['eventId'])
        if self.whole:
            yield 'version', str(d['version'])
        yield 'level', str(d['level'])
        if self.whole:
            yield 'task', str(d['task'])
            yield 'opcode', str(d['opcode'])
            yield 'keywords', hex(d['keywords'])
            yield 'time', filetime(d['time']) or '*'
        yield 'received', filetime(RECEIVED + self.number)
        if self.origin:
            yield 'origin', 'dc1.example.com'
            yield 'originMark', 'verified'
        if self.whole and d['activity']:
            yield 'activityId', '{04030201-0605-0807-090A-0B0C0D0E0F10}'
        if self.whole:
            yield 'processId', str(d['processId'])
            yield 'threadId', str(d['threadId'])
        if header_name(self.computer, 255) != self.computer:
            yield 'computer', self.computer

    @property
    def severity(self):
        level = self.declared['level']
        audit_failure = (self.whole
                         and self.declared['keywords'] & 0x10000000000000)
        return {1: 2, 2: 3, 3: 4, 5: 7}.get(level, 5 if audit_failure else 6)

    @property
    def time(self):
        """TIMESTAMP, and the time that RFC 3164 has."""
        value = (self.declared['time'] if self.whole
                 else RECEIVED + self.number)
        text = filetime(value)
        return (text[:-2] + 'Z' if text else '-',
                text or filetime(RECEIVED + self.number))


# ----------------------------------------------------------------- grammar

def undo_octal(text):
    return re.sub('#([0-2][0-7][0-7])', lambda m: (
        chr(int(m.group(1), 8))
        if int(m.group(1), 8) in CONTROLS else m.group(0)), text)


CONTROLS = set(range(0x20)) | set(range(0x7F, 0xA0)) | {0x23}


def read_params(text, at, end):
    """PARAM-NAME="value" after blanks, up to what is none of them."""
    params = []
    name = re.compile(r'([^ =\]"\x00-\x1f\x7f-\U0010ffff]{1,32})="')
    value = re.compile(r'((?:[^"\\\]]|\\["\\\]])*)"')
    while at < end:
        match = name.match(text, at)
        need(match, 'no PARAM-NAME', text[at:at + 60])
        found = value.match(text, match.end())
        need(found, 'no PARAM-VALUE', text[at:at + 60])
        plain = re.sub(r'\\(["\\\]])', r'\1', found.group(1))
        params.append((match.group(1), undo_octal(plain)))
        at = found.end()
        if at == end or text[at] != ' ':
            break
        at += 1
    return params, at


class Syslog:
    """A message of RFC 5424 6."""

    def __init__(self, line):
        text = line.decode('utf-8')
        header = re.match(
            r'<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) '
            r'([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ',
            text)
        need(header, 'HEADER', text[:200])
        (self.pri, self.time, self.host, self.app, self.pid,
         self.msgid) = header.groups()
        at = header.end()
        self.elements = []
        if text[at] == '-':
            at += 1
        while at < len(text) and text[at] == '[':
            sd_id = re.compile(r'\[([!-~]{1,32})').match(text, at)
            name = re.match(r'[^ =\]"]{1,32}', sd_id.group(1)).group(0)
            at += 1 + len(name)
            params = []
            if text[at] == ' ':
                params, at = read_params(text, at + 1, len(text))
            need(text[at:at + 1] == ']', 'SD-ELEMENT does not end', text[at:])
            at += 1
            self.elements.append((name, params))
        ids = [name for name, _ in self.elements]
        need(len(ids) == len(set(ids)), 'SD-ID twice', ids)
        self.text = None
        if at < len(text):
            need(text[at] == ' ', 'no blank before MSG', text[at:at + 20])
            self.text = text[at + 1:]
            need(self.text.startswith('\ufeff') != self.text.isascii(),
                 'BOM', self.text[:20])
            self.text = undo_octal(self.text.removeprefix('\ufeff'))

    def params(self, sd_id):
        return dict(self.elements).get(sd_id, [])


class Bsd:
    """A message of RFC 3164 4.1."""

    def __init__(self, line):
        text = line.decode('utf-8')
        header = re.match(
            r'<(\d{1,3})>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) '
            r'[ 1-3]\d \d\d:\d\d:\d\d) ([A-Za-z0-9._-]+) ([A-Za-z0-9]{1,32})'
            r'(?:\[(\d+)\])?: ', text)
        need(header, 'HEADER', text[:200])
        self.pri, self.time, self.host, self.tag, self.pid = header.groups()
        self.params, at = read_params(text, header.end(), len(text))
        need(at == len(text), 'CONTENT', text[at:])


# ---------------------------------------------------------------- compared

def take_marks(params):
    marks, size = set(), None
    if params and params[0][0] == 'marks':
        marks = set(params.pop(0)[1].split(','))
    if params and params[0][0] == 'size':
        size = int(params.pop(0)[1])
    return marks, size


def same_text(got, want, cut):
    if want == '*' or got == want:
        return True
    return cut and got.endswith('\u2026') and want.startswith(got[:-1])


def compare_params(got, want, cut):
    need(len(got) == len(want) or cut and len(got) < len(want),
         'number of parameters', [n for n, _ in got], [n for n, _ in want])
    for (name, value), (want_name, want_value) in zip(got, want):
        need(name == want_name and same_text(value, want_value, cut),
             'parameter', name, value, want_name, want_value)


def compare_marks(case, marks, size, full_len, max_len, replaced):
    cut = full_len > max_len
    need(('cut' in marks) == cut, 'cut', marks, full_len)
    need((size is not None) == cut, 'size', size)
    need('damaged' not in marks, 'damaged')
    need(('replaced' in marks) == replaced, 'replaced', marks, case.number)
    return cut


def check_header(case, message):
    need(int(message.pri) == 128 + case.severity, 'PRI', message.pri)
    need(message.time == case.time[0], 'TIMESTAMP', message.time, case.time)
    need(message.host == case.host, 'HOSTNAME', message.host)
    need(message.app == header_name(case.provider, 48), 'APP-NAME',
         message.app)
    pid = str(case.declared['processId']) if case.whole else '-'
    need(message.pid == pid, 'PROCID', message.pid)
    need(message.msgid == str(case.declared['eventId']), 'MSGID')


def check_rfc5424(case, line, full_len, max_len):
    message = Syslog(line)
    check_header(case, message)
    need(message.elements[0][0] == SD_ID, 'SD-ID', message.elements[0])
    params = message.params(SD_ID)
    marks, size = take_marks(params)
    cut = compare_marks(case, marks, size, full_len, max_len, case.replaced)
    compare_params(params, case.params, cut)
    compare_params(message.params(DATA_ID), case.data, cut)
    need(len(message.elements) == (2 if case.data else 1) or cut, 'elements')
    if message.text is not None or not cut:
        need(same_text(message.text, case.message, cut), 'MSG', message.text)


def check_rfc3164(case, line, full_len, max_len):
    message = Bsd(line)
    need(int(message.pri) == 128 + case.severity, 'PRI', message.pri)
    when = datetime.datetime.strptime(case.time[1][:19], '%Y-%m-%dT%H:%M:%S')
    need(message.time == when.strftime('%b ') + '%2d' % when.day
         + when.strftime(' %H:%M:%S'), 'TIMESTAMP', message.time)
    need(message.host == re.sub('[^A-Za-z0-9._-]', '_', case.computer),
         'HOSTNAME', message.host)
    tag = re.sub('[^A-Za-z0-9]', '', case.provider)[:32]
    need(message.tag == tag, 'TAG', message.tag)
    need(message.pid == (str(case.declared['processId'])
                         if case.whole else None), 'pid', message.pid)
    params = message.params
    marks, size = take_marks(params)
    cut = compare_marks(case, marks, size, full_len, max_len, case.replaced)
    compare_params(params, [('msg', case.message)] + case.params + case.data,
                   cut)


def leaves(value):
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    if value is None:
        return ['']
    if isinstance(value, bool):
        return ['true' if value else 'false']
    return [str(value)]


def check_members(case, got, cut):
    """EventData by the names in the event."""
    want = {}
    for item in case.declared['data']:
        name = bytes.fromhex(item['name']).decode() if 'name' in item \
            else 'Data'
        items = texts(item)
        # An array without items is a list without any.
        if item['type'] & 0x80 and not item['value']:
            items = []
        want.setdefault(name, []).extend(items)
    got = got or {}
    if not isinstance(got, dict):
        got = {}
    for name, values in got.items():
        values = leaves(values)
        need(name in want, 'member', name, list(want))
        need(len(values) == len(want[name]) or cut, 'values', name, values,
             want[name])
        for value, text in zip(values, want[name]):
            need(same_text(value, text, cut), 'value', name, value, text)
    need(len(got) == len(want) or cut, 'members', list(got), list(want))


def unique(pairs):
    names = [name for name, _ in pairs]
    need(len(names) == len(set(names)), 'members twice', names)
    return dict(pairs)


def system_members(case):
    """System as an object of texts; None: an element with nothing in it."""
    d = case.declared
    guid = '{04030201-0605-0807-090A-0B0C0D0E0F10}'
    if not case.whole:
        return {'Provider': {'Name': case.provider},
                'EventID': str(d['eventId']), 'Level': str(d['level']),
                'Channel': d['eventChannel'], 'Computer': case.computer}
    provider = {'Name': case.provider}
    if d['guid']:
        provider['Guid'] = guid
    return {'Provider': provider, 'EventID': str(d['eventId']),
            'Version': str(d['version']), 'Level': str(d['level']),
            'Task': str(d['task']), 'Opcode': str(d['opcode']),
            'Keywords': hex(d['keywords']),
            'TimeCreated': {'SystemTime': filetime(d['time']) or '*'},
            'EventRecordID': str(d['eventRecordId']),
            'Correlation': {'ActivityID': guid} if d['activity'] else None,
            'Execution': {'ProcessID': str(d['processId']),
                          'ThreadID': str(d['threadId'])},
            'Channel': d['eventChannel'], 'Computer': case.computer,
            'Security': None}


def compare_members(got, want, cut, path=''):
    if not isinstance(want, dict):
        need(got is None if want is None
             else same_text(str(got), want, cut), path, got, want)
        return
    need(list(got) == list(want)[:len(got)] and (len(got) == len(want) or cut),
         'members of ' + path, list(got), list(want))
    for name, value in got.items():
        compare_members(value, want[name], cut, path + '/' + name)


def flat_members(value, path=()):
    """(path, text) of all that is in an object."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat_members(inner, path + (name,))
    elif isinstance(value, list):
        for inner in value:
            yield from flat_members(inner, path)
    else:
        yield path, leaves(value)[0]


def user_members(case):
    """As the parameters, but an array without items is a list without any:
    the element that it stands in is not there."""
    one, two, three, four, attribute = (
        [] if item['type'] & 0x80 and not item['value'] else texts(item)
        for item in case.declared['data'])
    for item in attribute:
        if item != '':
            yield ('a',), item
        yield from ((('A',), text) for text in one)
        yield from ((('B', 'C'), text) for text in two + three)
        for text in four:
            yield ('B', 'D', 'k'), 'v'
            yield ('B', 'D', '#text'), 'x' + text
        yield ('E',), ''


def check_user_members(case, got, cut):
    want = sorted(user_members(case))
    found = sorted(flat_members(got['Top']))
    need(found == want or cut, 'UserData', found, want)


def check_object(case, text, full_len, max_len, header=False):
    record = json.loads(text, object_pairs_hook=unique)
    replaced = (any('\ufffd' in value for _, value in case.data)
                or header and case.host != case.computer)
    cut = compare_marks(case, set(record.get('marks', [])),
                        record.get('size'), full_len, max_len, replaced)
    need(record['channel'] == 'Application', 'channel')
    number = record['recordId']
    need(int(number) == case.declared['recordId'], 'recordId')
    need(isinstance(number, int) == (int(number) <= 2 ** 53), 'number')
    need(record['received'] == filetime(RECEIVED + case.number), 'received')
    need(record.get('origin') == ('dc1.example.com' if case.origin else None),
         'origin')
    need(record.get('originMark') == ('verified' if case.origin else None),
         'originMark')
    need(set(record) <= {'marks', 'size', 'channel', 'recordId', 'received',
                         'origin', 'originMark', 'event'}, 'members',
         list(record))
    event = record['event']
    compare_members(event['System'], system_members(case), cut, 'System')
    if case.declared['shape'] == 'UserData':
        need(list(event) == ['System', 'UserData'], 'event', list(event))
        check_user_members(case, event['UserData'], cut)
    else:
        need(list(event) == ['System', 'EventData'] or cut or not case.data,
             'event', list(event))
        check_members(case, event.get('EventData'), cut)


def check_json(case, line, full_len, max_len):
    check_object(case, line.decode('utf-8'), full_len, max_len)


def check_rfc5424_json(case, line, full_len, max_len):
    head, text = re.match(rb'([^{]*\]) (\{.*)$', line, re.S).groups()
    message = Syslog(head)
    check_header(case, message)
    want = [('channel', 'Application'),
            ('recordId', str(case.declared['recordId']))]
    if case.origin:
        want.append(('origin', 'dc1.example.com'))
    need(message.elements == [(SD_ID, want)], 'SD', message.elements)
    check_object(case, text.decode('utf-8'), full_len, max_len, True)


CHECKS = {'rfc5424': check_rfc5424, 'rfc5424-json': check_rfc5424_json,
          'rfc3164': check_rfc3164, 'json': check_json}


# ------------------------------------------------------------------ running

def read_messages(data):
    """RFC 6587 3.4.1."""
    at = 0
    while at < len(data):
        blank = data.index(b' ', at)
        size = int(data[at:blank])
        yield data[blank + 1:blank + 1 + size]
        at = blank + 1 + size


def run(program, *arguments):
    return subprocess.run([program, *arguments], check=True, timeout=120,
                          stdout=subprocess.PIPE).stdout


def declared_cases(program):
    return [Case(number, json.loads(line)) for number, line
            in enumerate(run(program, 'declared').decode().splitlines())]


def messages(program, name, max_len):
    return list(read_messages(run(program, name, str(max_len))))


def check_controls(line):
    need(not re.search('[\x00-\x1f\x7f-\x9f]', line.decode('utf-8')),
         'control character', line[:200])


def golden_text(lines):
    out = []
    for line in lines:
        if len(line) <= GOLDEN_FULL:
            out.append(line.decode())
        else:
            out.append('%d %s' % (len(line),
                                  hashlib.sha256(line).hexdigest()))
    return '\n'.join(out) + '\n'


def check_format(program, name, cases, golden, write):
    failures = 0
    full = messages(program, name, LONG)
    short = messages(program, name, SHORT)
    need(len(full) == len(short) == len(cases), 'number of messages')
    for case, line, cut_line in zip(cases, full, short):
        for got, max_len in ((line, LONG), (cut_line, SHORT)):
            try:
                need(len(got) <= max_len, 'too long', len(got))
                need(len(got) == len(line) or len(got) > max_len * 3 // 4,
                     'cut more than it must be', len(got))
                check_controls(got)
                CHECKS[name](case, got, len(line), max_len)
            except (Wrong, ValueError, KeyError) as error:
                failures += 1
                print('%s, event %d, at most %d: %s: %s' % (
                    name, case.number, max_len, type(error).__name__, error))
    path = pathlib.Path(golden) / (name + '.txt')
    text = golden_text(full + short)
    if write and failures == 0:
        path.write_text(text)
    if path.read_text() != text:
        failures += 1
        print('%s differs from the messages' % path)
    return failures


# ---------------------------------------------------------------------- gaps

GAP_CHANNEL, GAP_CAUSE = 'App"lication', 'trim]med'


def gap_params(exact):
    return [('channel', GAP_CHANNEL), ('gapFirst', '11'), ('gapLast', '20'),
            ('gapMissing', '9'), ('gapExact', exact), ('gapCause', GAP_CAUSE)]


def check_gap_object(text, exact, sentence):
    record = json.loads(text, object_pairs_hook=unique)
    del record['received']
    need(record == {'channel': GAP_CHANNEL,
                    'gap': {'first': 11, 'last': 20, 'missing': 9,
                            'exact': exact, 'cause': GAP_CAUSE},
                    'message': sentence}, 'gap', record)


def check_gap_syslog(line, exact, sentence, with_object):
    message = Syslog(line)
    need((message.pri, message.app, message.msgid)
         == ('132', 'evenlog', 'gap'), 'HEADER', message.app)
    params = message.params(SD_ID)
    if with_object:
        need(params == [('channel', GAP_CHANNEL)], 'SD', params)
        check_gap_object(message.text, exact, sentence)
    else:
        need(params == gap_params(exact), 'SD', params)
        need(message.text == sentence, 'MSG', message.text)


def check_gap(name, line, exact, sentence):
    if name == 'json':
        check_gap_object(line.decode(), exact, sentence)
    elif name == 'rfc3164':
        message = Bsd(line)
        need((message.pri, message.tag) == ('132', 'evenlog'), 'HEADER')
        need(message.params == [('msg', sentence)] + gap_params(exact),
             'CONTENT', message.params)
    else:
        check_gap_syslog(line, exact, sentence, name == 'rfc5424-json')


def check_gaps(program, name):
    """By the table of doc/forward-formats.md."""
    sentence = ('9 events of channel App"lication are missing, records 11 to '
                '20: trim]med')
    exact, at_most = read_messages(run(program, 'gap', name))
    try:
        check_gap(name, exact, 'exact', sentence)
        check_gap(name, at_most, 'at most', 'up to ' + sentence)
    except (Wrong, ValueError, KeyError) as error:
        print('%s, gap: %s: %s' % (name, type(error).__name__, error))
        return 1
    return 0


def main():
    program, golden = sys.argv[1:3]
    write = sys.argv[3:] == ['--write']
    cases = declared_cases(program)
    failures = sum(check_format(program, name, cases, golden, write)
                   for name in FORMATS)
    failures += sum(check_gaps(program, name) for name in FORMATS)
    print('%d events in %d formats: %d wrong' % (
        len(cases), len(FORMATS), failures))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
