# SPDX-License-Identifier: GPL-3.0-or-later
"""A real rsyslogd of Debian as receiver: own configuration and directory,
loopback only, never the system's own.

    with Rsyslog() as receiver:
        send_to(receiver.ports["tcp"])
        receiver.wait_lines(10)

Ports stay the same over kill() and restart()."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from ports import free_port

START_SECONDS = 30
STOP_SECONDS = 30
APPARMOR = "/sys/kernel/security/apparmor/profiles"
# What a line of the output file holds in place of the message as it came.
FIELDS = {"rawmsg": "raw", "pri": "pri", "timereported": "time",
          "hostname": "host", "app-name": "app", "procid": "procid",
          "msgid": "msgid", "structured-data": "sd", "msg": "msg",
          "protocol-version": "version", "inputname": "input"}
RAW = 'template(name="lines" type="string" string="%rawmsg%\\n")'


def _json_template():
    parts = ['template(name="lines" type="list" option.jsonf="on") {']
    for name, key in FIELDS.items():
        parts.append(f'  property(name="{name}" outname="{key}" '
                     'format="jsonf"'
                     + (' dateFormat="rfc3339"' if key == "time" else "")
                     + ")")
    return "\n".join(parts + ["}"])


class Rsyslog:
    """transports: which of udp, tcp, tls, relp, unix (datagrams) and
    unix-stream to listen on; ports[...] has the numbers, paths[...] the Unix
    sockets.

    parsed  each line is a JSON object of FIELDS (read_parsed()) and not the
            message as it came (read_lines())
    sync    the file is synced with each transaction, so that a RELP answer
            means "on disk"; queues are direct in any case
    ca, certificate, key    PEM files for tls
    client_certificate      demand one that ca has signed
    permitted               and with this name
    config                  added at the end of the configuration
    """

    def __init__(self, transports=("udp", "tcp", "relp"), parsed=False,
                 sync=True, address="127.0.0.1", ca=None, certificate=None,
                 key=None, client_certificate=False, permitted=None,
                 max_message="4m", config=""):
        self.address = address
        self.dir = tempfile.mkdtemp(prefix="evenlog-rsyslog-")
        self.output = os.path.join(self.dir, "output")
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        self._counted = (0, 0)  # bytes, lines
        self.ports, self.paths = {}, {}
        for name in transports:
            if name.startswith("unix"):
                self.paths[name] = os.path.join(self.dir, name)
            else:
                kind = (socket.SOCK_DGRAM if name == "udp"
                        else socket.SOCK_STREAM)
                self.ports[name] = free_port(kind, address=address)
        self._tls = {"ca": ca, "certificate": certificate, "key": key,
                     "client": client_certificate, "permitted": permitted}
        self._max = max_message
        self._write(parsed, sync, config)

    # ------------------------------------------------------ configuration

    def _global(self):
        text = (f'global(workDirectory="{self.dir}" '
                f'maxMessageSize="{self._max}" '
                'parser.escapeControlCharactersOnReceive="off"\n')
        for key, name in (("ca", "CAFile"), ("certificate", "CertFile"),
                          ("key", "KeyFile")):
            if self._tls[key]:
                text += (f'  defaultNetstreamDriver{name}='
                         f'"{self._tls[key]}"\n')
        return text + ")"

    def _modules(self):
        lines = []
        if "udp" in self.ports:
            lines.append('module(load="imudp")')
        if "tcp" in self.ports or "unix-stream" in self.paths:
            lines.append('module(load="imptcp")')
        if "relp" in self.ports:
            lines.append('module(load="imrelp")')
        if "unix" in self.paths:
            lines.append('module(load="imuxsock" sysSock.use="off")')
        if "tls" in self.ports:
            mode = "anon"
            if self._tls["client"]:
                mode = ("x509/name" if self._tls["permitted"]
                        else "x509/certvalid")
            peer = (f' permittedPeer=["{self._tls["permitted"]}"]'
                    if self._tls["permitted"] else "")
            lines.append('module(load="imtcp" streamDriver.name="gtls" '
                         'streamDriver.mode="1" maxFrameSize="4500000" '
                         f'streamDriver.authMode="{mode}"{peer})')
        return "\n".join(lines)

    def _inputs(self):
        here = f'address="{self.address}" ruleset="store"'
        size = "4500000"
        lines = []
        for name, port in self.ports.items():
            lines.append({
                "udp": f'input(type="imudp" port="{port}" {here} '
                       'rcvbufSize="4m")',
                "tcp": f'input(type="imptcp" port="{port}" {here} '
                       f'maxFrameSize="{size}")',
                "tls": f'input(type="imtcp" port="{port}" {here})',
                "relp": f'input(type="imrelp" port="{port}" {here} '
                        f'maxDataSize="{self._max}")'}[name])
        for name, path in self.paths.items():
            if name == "unix":
                lines.append(f'input(type="imuxsock" socket="{path}" '
                             'ruleset="store" rateLimit.interval="0" '
                             'parseHostname="on" useSpecialParser="off" '
                             'useSysTimeStamp="off" '
                             'ignoreOwnMessages="off")')
            else:
                lines.append(f'input(type="imptcp" path="{path}" '
                             f'ruleset="store" maxFrameSize="{size}")')
        return "\n".join(lines)

    def _write(self, parsed, sync, config):
        self.config = os.path.join(self.dir, "rsyslog.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""
{self._global()}
{self._modules()}
{_json_template() if parsed else RAW}
ruleset(name="store" queue.type="Direct") {{
  action(type="omfile" file="{self.output}" template="lines"
         sync="{'on' if sync else 'off'}" flushOnTXEnd="on"
         asyncWriting="off" fileCreateMode="0600" queue.type="Direct")
}}
{self._inputs()}
# What rsyslogd says of itself.
action(type="omfile" file="{self.dir}/messages")
{config}
""")

    # ------------------------------------------------------------ process

    def _listening(self):
        """Whether every port and socket is there: UDP from the kernel's
        table, since nothing may be sent to find out."""
        for name, port in self.ports.items():
            table, state = (("udp", "07") if name == "udp" else ("tcp", "0A"))
            packed = socket.inet_aton(self.address)[::-1].hex().upper()
            want = f"{packed}:{port:04X}"
            with open(f"/proc/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file]
            if not any(row[1] == want and row[3] == state for row in rows):
                return False
        return all(os.path.exists(path) for path in self.paths.values())

    def start(self):
        for path in self.paths.values():
            if os.path.exists(path):
                os.unlink(path)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/rsyslogd", "-n", "-iNONE", "-f", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not self._listening():
            if self.process.poll() is not None:
                raise RuntimeError("rsyslogd ended:\n" + self._why())
            if time.monotonic() > end:
                raise RuntimeError("rsyslogd does not listen:\n"
                                   + self._why())
            time.sleep(0.01)
        return self

    def _why(self):
        text = self.log()
        try:
            with open(APPARMOR, encoding="ascii") as file:
                confined = "rsyslogd (enforce)" in file.read()
        except OSError:
            confined = False
        if confined:
            text += ("\nAppArmor confines rsyslogd here: its profile allows "
                     "no configuration below " + tempfile.gettempdir()
                     + ".  Disable it for the tests (aa-disable "
                     "usr.sbin.rsyslogd).")
        return text

    def log(self):
        """What it said on its standard error, and to itself."""
        text = ""
        for path in (self.log_path, os.path.join(self.dir, "messages")):
            if os.path.exists(path):
                with open(path, encoding="utf-8",
                          errors="replace") as file:
                    text += file.read()
        return text

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """SIGTERM, so that it closes its sessions."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self):
        """After a kill or stop; the output file is appended to."""
        if self.process is not None:
            self.stop()
        return self.start()

    def close(self):
        """To end it decently takes seconds where it has TLS sessions."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------- output

    def read_bytes(self):
        if not os.path.exists(self.output):
            return b""
        with open(self.output, "rb") as file:
            return file.read()

    def read_lines(self):
        """The whole lines, without newline, as bytes."""
        return self.read_bytes().split(b"\n")[:-1]

    def read_parsed(self):
        """With parsed=True: one dictionary of FIELDS for each message."""
        return [json.loads(line) for line in self.read_lines()]

    def count(self):
        """How many lines there are; only what is new is read."""
        if not os.path.exists(self.output):
            return 0
        with open(self.output, "rb") as file:
            file.seek(self._counted[0])
            while chunk := file.read(1 << 20):
                self._counted = (self._counted[0] + len(chunk),
                                 self._counted[1] + chunk.count(b"\n"))
        return self._counted[1]

    def wait_lines(self, number, seconds=30):
        """Wait until so many lines are there; returns all of them."""
        end = time.monotonic() + seconds
        while self.count() < number:
            if time.monotonic() > end:
                raise AssertionError(
                    f"{self.count()} of {number} lines came:\n{self.log()}")
            time.sleep(0.02)
        return self.read_lines()
