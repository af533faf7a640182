# SPDX-License-Identifier: GPL-3.0-or-later
"""Running evenlogd and evenlog from tests: real processes, own directories,
loopback only, ports chosen by the system."""

import functools
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import control

BUILD = os.environ.get("top_builddir", os.getcwd())
SOURCE = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__),
                                                   "..", ".."))
SANITIZERS = os.environ.get("SANITIZERS", "no")
START_SECONDS = 60
STOP_SECONDS = 60

# Local users of the tests: password, and whether they may read.
USERS = {"alice": "Al1ce-pass", "bob": "B0b-pass!"}
# Publishers that every service has: its own and those of the bridges.
PUBLISHERS = ["Evenlog", "Evenlog-ConfigMgr", "Evenlog-WSUS"]
# Samba's directory with these users, once it is made: name to mode and
# content, None for a directory.
_samba = {}


def library(name):
    found = glob.glob(f"/usr/lib/*/{name}")
    return found[0] if found else None


@functools.cache
def preload():
    """nss_wrapper gives the Unix users that Samba wants; a sanitizer's
    runtime has to come before it."""
    libraries = []
    if "address" in SANITIZERS:
        out = subprocess.run(["gcc", "-print-file-name=libasan.so"],
                             capture_output=True, text=True, check=True)
        libraries.append(os.path.realpath(out.stdout.strip()))
    libraries.append(library("libnss_wrapper.so"))
    return " ".join(libraries)


class Server:
    """One evenlogd in a directory of its own.

    config is text added to the configuration.  The SOAP bridge is on when it
    has a listener; port 0 lets the system choose, and http() tells:

        server = make_server(config="[listener dss]\\nserve = wsus\\nport = 0")
        address, port = server.http("dss")

    The quarantine is server.quarantine, the catalogue of updates
    server.catalogue and the directory of [collect NAME] files server.collect
    (which does not exist), all below server.dir; their other keys are free."""

    def __init__(self, config="", readers=("alice",), administrators=(),
                 realm=None, keytab=None, mapper=True, rpc="",
                 listen="127.0.0.1", port=0, mapper_port=0, samba="private"):
        self.dir = tempfile.mkdtemp(prefix="evenlog-test-")
        os.chmod(self.dir, 0o755)
        self.process = None
        self.log_path = os.path.join(self.dir, "log")
        self.store = os.path.join(self.dir, "store")
        self.config = os.path.join(self.dir, "evenlog.conf")
        self.control = os.path.join(self.dir, "control")
        self.quarantine = os.path.join(self.dir, "quarantine")
        self.catalogue = os.path.join(self.dir, "wsus")
        self.collect = os.path.join(self.dir, "collect.d")
        self._status = None
        kerberos = f"realm = {realm}\nkeytab = {keytab}\n" if realm else ""
        self.write_config(f"""
[evenlog]
computer = srv.example
log_level = debug
[store]
path = {self.store}
map_size = 16G
[rpc]
listen = {listen}
port = {port}
endpoint_mapper = {'yes' if mapper else 'no'}
endpoint_mapper_port = {mapper_port}
control_socket = {self.control}
export_directory = {self.dir}/export
{'' if 'export_reserve' in rpc else 'export_reserve = 0'}
{rpc}
[access]
event_log_readers = {', '.join(readers)}
administrators = {', '.join(administrators)}
[authentication]
samba_configuration = {samba}
samba_state = {self.dir}/samba
{kerberos}
[quarantine]
directory = {self.quarantine}
[collector]
directory = {self.collect}
ticket_directory = {self.dir}/tickets
[wsus]
catalogue = {self.catalogue}
{config}
""")
        self._write_unix_users()

    def write_config(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def read_config(self):
        with open(self.config, encoding="utf-8") as file:
            return file.read()

    def _write_unix_users(self):
        me = pwd.getpwuid(os.getuid())
        lines = [f"{me.pw_name}:x:{me.pw_uid}:{me.pw_gid}::/:/bin/sh",
                 "nobody:x:65534:65534::/:/bin/false"]
        for number, user in enumerate(USERS):
            lines.append(f"{user}:x:{60001 + number}:60001::/:/bin/false")
        self.passwd = os.path.join(self.dir, "passwd")
        self.group = os.path.join(self.dir, "group")
        with open(self.passwd, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        with open(self.group, "w", encoding="utf-8") as file:
            file.write(f"root:x:{me.pw_gid}:\nnogroup:x:65534:\n"
                       "users:x:60001:\n")

    def env(self, **more):
        env = dict(os.environ)
        env.update(NSS_WRAPPER_PASSWD=self.passwd,
                   NSS_WRAPPER_GROUP=self.group,
                   LD_PRELOAD=preload(), TMPDIR=self.dir)
        env.update(more)
        return env

    def add_users(self):
        """The tests' users.  Made once by the command, copied from then on:
        it is what takes longest about a server."""
        if not _samba:
            for user, password in USERS.items():
                self.evenlog("user", "add", user, EVENLOG_PASSWORD=password)
            self._keep_samba()
            return
        for name, (mode, content) in _samba.items():
            path = os.path.join(self.dir, name)
            if content is None:
                os.mkdir(path, mode)
                continue
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode),
                      "wb") as file:
                file.write(content.replace(b"@DIR@", self.dir.encode()))

    def _keep_samba(self):
        for top, _, names in os.walk(os.path.join(self.dir, "samba")):
            for path in [top] + [os.path.join(top, name) for name in names]:
                mode, content = os.stat(path).st_mode & 0o777, None
                if not os.path.isdir(path):
                    with open(path, "rb") as file:
                        content = file.read()
                    content = content.replace(self.dir.encode(), b"@DIR@")
                _samba[os.path.relpath(path, self.dir)] = mode, content

    def program(self):
        return [os.path.join(BUILD, "daemon", "evenlogd")]

    def start(self, **env):
        """Start and wait until it says READY=1, as systemd would."""
        path = os.path.join(self.dir, "notify")
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            os.chmod(path, 0o777)
            notify.settimeout(0.2)
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [*self.program(), "--config", self.config],
                    env=self.env(NOTIFY_SOCKET=path, **env),
                    stdout=log, stderr=log)
            end = time.monotonic() + START_SECONDS
            while True:
                try:
                    if b"READY=1" in notify.recv(4096):
                        break
                except socket.timeout:
                    pass
                if self.process.poll() is not None:
                    raise RuntimeError("evenlogd ended:\n" + self.log())
                if time.monotonic() > end:
                    raise RuntimeError("evenlogd not ready:\n" + self.log())
        self._status = None
        return self

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self):
        """Stop, insist on a clean end and remove the directory."""
        try:
            status = self.stop()
            log = self.log() if os.path.exists(self.log_path) else ""
            assert status == 0, f"evenlogd ended with {status}:\n{log}"
            assert "ERROR: AddressSanitizer" not in log, log
            assert "ERROR: LeakSanitizer" not in log, log
            assert "runtime error:" not in log, log
            # Samba's word for memory that is never given back.
            assert "no talloc stackframe" not in log, log
        finally:
            if self.process is not None:
                self.process.kill()
            shutil.rmtree(self.dir, ignore_errors=True)

    def evenlog(self, *args, check=True, stdin=None, timeout=60, **env):
        """Run the command line on this server's configuration."""
        done = subprocess.run(
            [os.path.join(BUILD, "cli", "evenlog"), "--config", self.config,
             *args], input=stdin, capture_output=True, text=True,
            timeout=timeout, env=self.env(**env), check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"evenlog {' '.join(args)}: "
                               f"{done.returncode}\n{done.stderr}\n"
                               f"{self.log()}")
        return done

    def status(self):
        """As `evenlog status --format=json` says it.  It is asked too often
        for a process each time."""
        return json.loads(control.status(self.control))

    @property
    def port(self):
        if self._status is None:
            self._status = self.status()
        return self._status["port"]

    @property
    def mapper_port(self):
        if self._status is None:
            self._status = self.status()
        return self._status["endpoint_mapper_port"]

    def http(self, listener):
        """Address and port of a [listener NAME]."""
        if self._status is None:
            self._status = self.status()
        for row in self._status["listeners"]:
            if row["name"] == listener:
                return row["address"], row["port"]
        raise KeyError(listener)

    def publish(self, channel, count=1, first=1, size=0, **data):
        """Publish count events with Data Number = first, first + 1, ..."""
        lines = []
        for number in range(first, first + count):
            fields = {"Number": str(number), **data}
            if size:
                fields["Filler"] = "x" * size
            lines.append(json.dumps({
                "System": {"Provider": {"Name": "Test"}, "EventID": 1},
                "EventData": fields}))
        self.evenlog("publish", channel, "--stdin",
                     stdin="\n".join(lines) + "\n")
