# SPDX-License-Identifier: GPL-3.0-or-later
"""
An Active Directory of three hosts on one machine: "dc" is a Samba domain
controller, "mem" a domain member to run evenlogd on, "cli" a client.

Each is a set of namespaces (network, mounts, host name, processes) that ends
with the process that holds it, so that nothing survives the tests.  The
network between them leads nowhere else, and every file they write is in one
directory; /etc/samba, /var/lib/samba and the like are bind mounts in there.
"""

import contextlib
import ctypes
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from server import Server

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
REALM, DNS_DOMAIN, DOMAIN = "AD.LAB.TEST", "ad.lab.test", "ADLAB"
ADDRESS = {"dc": "10.77.0.1", "mem": "10.77.0.2", "cli": "10.77.0.3"}
NAME = {"dc": "dc1", "mem": "mem1", "cli": "cli1"}
ADMIN_PASSWORD = "Passw0rd!"
USERS = {"alice": "Al1ce-pass", "bob": "B0b-pass!",
         "Administrator": ADMIN_PASSWORD}
# Who evenlogd runs as in mem, as scripts/systemd/evenlog.sysusers makes it.
SERVICE_UID = 64901
SERVICE_USER = "evenlog"

NEEDED = {      # what is run, and the Debian package it comes from
    "samba": "samba", "samba-tool": "samba-common-bin",
    "net": "samba-common-bin", "winbindd": "winbind", "wbinfo": "winbind",
    "kinit": "krb5-user", "ip": "iproute2", "unshare": "util-linux",
    "nsenter": "util-linux", "setpriv": "util-linux",
}
FILES = {
    "/usr/share/samba/setup/provision.ldif": "samba-ad-provision",
    "/usr/lib/*/samba/ldb/samba_dsdb.so": "samba-dsdb-modules",
    "/usr/lib/*/samba/vfs/acl_xattr.so": "samba-vfs-modules",
}
CLONE_NEWNET = 0x40000000


def why_not():
    """Why there can be no lab here; None when there can."""
    missing = {package for program, package in NEEDED.items()
               if shutil.which(program, path=PATH) is None}
    missing |= {package for pattern, package in FILES.items()
                if not glob.glob(pattern)}
    if missing:
        return "needs Debian's " + ", ".join(sorted(missing))
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"],
        capture_output=True, check=False)
    if os.geteuid() != 0 or done.returncode != 0:
        return "needs root and the right to make namespaces"
    return None


class Host:
    """One of the hosts; run() is a command there, as root."""

    def __init__(self, lab, name):
        self.name, self.address = name, ADDRESS[name]
        self.fqdn = f"{NAME[name]}.{DNS_DOMAIN}"
        self.daemons = []
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir + "/log")
        read, write = os.pipe()
        # What holds the namespaces is their process 1: all others end with
        # it, and it ends with this process.
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount",
             "--uts", "--pid", "--fork", "--kill-child", "--propagation",
             "private", "sh", "-c", "echo; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=write, env={"PATH": PATH})
        os.close(write)
        with os.fdopen(read) as pipe:
            pipe.readline()
        self.pid = self._child()
        self._make_files()

    def _child(self):
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children",
                  encoding="ascii") as file:
            return int(file.read().split()[0])

    def _make_files(self):
        self.run("hostname", NAME[self.name])
        self.run("ip", "link", "set", "lo", "up")
        self.mount("/etc/hosts", f"127.0.0.1 localhost\n{self.address} "
                   f"{self.fqdn} {NAME[self.name]}\n")
        self.mount("/etc/resolv.conf",
                   f"search {DNS_DOMAIN}\nnameserver {ADDRESS['dc']}\n")
        self.mount("/etc/krb5.conf", f"""[libdefaults]
default_realm = {REALM}
dns_lookup_realm = false
dns_lookup_kdc = true
rdns = false
""")
        # No winbind, not even the module: no logon may depend on it.
        self.mount("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                   "hosts: files dns\nservices: files\nprotocols: files\n")
        self.mount("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"
                   "nobody:x:65534:65534::/:/bin/false\n"
                   "local:x:60001:100::/:/bin/false\n"
                   f"{SERVICE_USER}:x:{SERVICE_UID}:{SERVICE_UID}::/:"
                   "/bin/false\n")
        self.mount("/etc/group", "root:x:0:\nnogroup:x:65534:\nusers:x:100:\n"
                   f"{SERVICE_USER}:x:{SERVICE_UID}:\n"
                   f"winbindd_priv:x:{SERVICE_UID - 1}:{SERVICE_USER}\n")
        for path in glob.glob("/usr/lib/*/libnss_winbind.so.2"):
            self.run("mount", "--bind", "/dev/null", path)
        for path in "/etc/samba", "/var/lib/samba", "/var/cache/samba", \
                "/var/log/samba", "/run/samba":
            self.mount(path)
        os.makedirs(self.path("/var/lib/samba/private"))

    def path(self, path):
        """Where a file that is mounted there is seen from outside."""
        return self.dir + path

    def mount(self, target, text=None):
        """A file with that text, or a directory, of this host's own."""
        source = self.path(target)
        # The mount point itself has to be there, here as well.
        if text is None:
            os.makedirs(source)
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(source), exist_ok=True)
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            if not os.path.exists(target):
                open(target, "ab").close()
        self.run("mount", "--bind", source, os.path.realpath(target))

    def prefix(self, pid=True):
        """
        The words that put a command into this host.  Without pid it is a
        process of outside; LeakSanitizer wants to find itself in /proc.
        """
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u"] + \
            ["-p"] * pid

    def run(self, *command, check=True, timeout=120, pid=True, **options):
        options.setdefault("env", {"PATH": PATH})
        done = subprocess.run(
            self.prefix(pid) + list(command), cwd="/", capture_output=True,
            text=True, timeout=timeout, check=False, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: "
                               f"{done.returncode}\n{done.stdout}"
                               f"{done.stderr}")
        return done

    def start(self, *command):
        """A daemon; it ends with the host."""
        with open(f"{self.dir}/log/{command[0]}", "ab") as log:
            self.daemons.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL"] + self.prefix()
                + list(command), cwd="/", stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={"PATH": PATH}, start_new_session=True))

    def wait(self, *command, seconds=60):
        """Until the command succeeds."""
        end = time.monotonic() + seconds
        while self.run(*command, check=False).returncode != 0:
            if time.monotonic() > end:
                self.run(*command)
                return
            time.sleep(0.05)

    def signal(self, number):
        """A signal to everything that runs there, the holder apart."""
        # nsenter stops with its child, but does not go on with it.
        if number == signal.SIGCONT:
            for daemon in self.daemons:
                daemon.send_signal(number)
        namespace = os.readlink(f"/proc/{self.pid}/ns/pid")
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(entry)
                if pid != self.pid and \
                        os.readlink(f"/proc/{pid}/ns/pid") == namespace:
                    os.kill(pid, number)

    def close(self):
        for process in self.daemons + [self.holder]:
            process.kill()
        for process in self.daemons + [self.holder]:
            process.wait()


class Lab:
    """up(): about 15 seconds.  close(): nothing is left."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="evenlog-ad-")
        os.chmod(self.dir, 0o755)
        self.hosts = {}
        self.times = {}

    def __getattr__(self, name):
        try:
            return self.__dict__["hosts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def up(self):
        for step in self._hosts_up, self._dc_up, self._users_up, \
                self._member_up:
            started = time.monotonic()
            step()
            self.times[step.__name__] = time.monotonic() - started
        return self

    def _hosts_up(self):
        for name in ADDRESS:
            self.hosts[name] = Host(self, name)
        self.dc.run("ip", "link", "add", "br0", "type", "bridge")
        self._address(self.dc, "br0")
        for host in self.mem, self.cli:
            # In dc's network, but with the process ids of outside.
            subprocess.run(
                ["nsenter", "-t", str(self.dc.pid), "-n", "ip", "link", "add",
                 host.name, "type", "veth", "peer", "name", "eth0", "netns",
                 str(host.pid)], check=True)
            self.dc.run("ip", "link", "set", host.name, "master", "br0", "up")
            self._address(host, "eth0")

    @staticmethod
    def _address(host, device):
        host.run("ip", "address", "add", host.address + "/24", "dev", device)
        host.run("ip", "link", "set", device, "up")

    def _dc_up(self):
        root = "/var/lib/samba"
        with open(self.dc.path("/etc/samba/empty.conf"), "wb"):
            pass
        self.dc.run(
            "samba-tool", "domain", "provision", "-s", "/etc/samba/empty.conf",
            f"--realm={REALM}", f"--domain={DOMAIN}", "--host-name=dc1",
            f"--host-ip={self.dc.address}", f"--adminpass={ADMIN_PASSWORD}",
            "--server-role=dc", "--dns-backend=SAMBA_INTERNAL",
            f"--targetdir={root}", "--option=interfaces=lo br0",
            "--option=bind interfaces only=yes")
        self._write(self.dc, f"""[global]
	netbios name = DC1
	workgroup = {DOMAIN}
	realm = {REALM}
	server role = active directory domain controller
	server services = s3fs, rpc, ldap, cldap, kdc, winbindd, dns
	interfaces = lo br0
	bind interfaces only = yes
	private dir = {root}/private
	state directory = {root}/state
	cache directory = {root}/cache
	lock directory = {root}
	pid directory = {root}
	binddns dir = {root}/bind-dns
	ncalrpc dir = {root}/ncalrpc
	dns forwarder =
	tls enabled = no
	prefork children = 1
	load printers = no
[sysvol]
	path = {root}/state/sysvol
[netlogon]
	path = {root}/state/sysvol/{DNS_DOMAIN}/scripts
""")
        self.dc.start("samba", "-F", "--no-process-group")
        for port in 53, 88, 135, 389, 445, 464:
            self._wait_port(port)
        # Without its ldap/ name, members fall back to NTLM.
        self.dc.run("samba_spnupdate")

    @staticmethod
    def _write(host, text):
        with open(host.path("/etc/samba/smb.conf"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def _wait_port(self, port):
        end = time.monotonic() + 60
        while True:
            try:
                with self.network():
                    socket.create_connection((ADDRESS["dc"], port)).close()
                return
            except OSError:
                assert time.monotonic() < end, f"no DC on port {port}"
                time.sleep(0.05)

    def _users_up(self):
        """alice is in EvtReaders, which is in EvtNested; bob in none."""
        script = "\n".join([
            "import sys",
            "from samba.auth import system_session",
            "from samba.param import LoadParm",
            "from samba.samdb import SamDB",
            "lp = LoadParm()",
            "lp.load('/etc/samba/smb.conf')",
            "db = SamDB(session_info=system_session(), lp=lp)",
            f"db.newuser('alice', '{USERS['alice']}')",
            f"db.newuser('bob', '{USERS['bob']}')",
            "db.newgroup('EvtReaders')",
            "db.newgroup('EvtNested')",
            "db.add_remove_group_members('EvtReaders', ['alice'])",
            "db.add_remove_group_members('EvtNested', ['EvtReaders'])",
        ])
        self.dc.run("/usr/bin/python3", "-c", script)

    def _member_up(self):
        """As doc/domain-member.md says."""
        self._write(self.mem, f"""[global]
	workgroup = {DOMAIN}
	realm = {REALM}
	security = ads
	idmap config * : backend = tdb
	idmap config * : range = 3000-7999
	idmap config {DOMAIN} : backend = rid
	idmap config {DOMAIN} : range = 10000-99999
""")
        self.mem.run("net", "ads", "join", "-U",
                     f"Administrator%{ADMIN_PASSWORD}")
        # Debian's package makes this directory, with this group.
        privileged = self.mem.path("/var/lib/samba/winbindd_privileged")
        os.makedirs(privileged)
        os.chmod(privileged, 0o750)
        os.chown(privileged, 0, SERVICE_UID - 1)
        self.start_winbindd()

    def start_winbindd(self):
        self.mem.start("winbindd", "-F", "--no-process-group")
        self.mem.wait("wbinfo", "-t")

    @contextlib.contextmanager
    def network(self, host="cli"):
        """
        Sockets that this thread makes are that host's; they stay so
        afterwards.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{self.hosts[host].pid}/ns/net", "rb") as there, \
                open("/proc/thread-self/ns/net", "rb") as here:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(here.fileno(), CLONE_NEWNET) == 0

    def sid(self, name):
        """The SID of a user or group of the domain."""
        out = self.mem.run("wbinfo", "-n", f"{DOMAIN}\\{name}").stdout
        return out.split()[0]

    def ticket(self, user, *services):
        """A credential cache with tickets of the user."""
        cache = f"{self.dir}/{user}.cache"
        self.cli.run("kinit", "-c", cache, user, input=USERS[user] + "\n")
        for service in services:
            self.cli.run("kvno", "-q", "-c", cache, service)
        return cache

    def close(self):
        for host in self.hosts.values():
            host.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class MemberServer(Server):
    """
    evenlogd in mem as scripts/systemd/evenlogd.service runs it: nobody in
    particular, with one capability, on a state directory that is empty.
    """

    def __init__(self, lab, **options):
        super().__init__(listen=lab.mem.address, mapper_port=135,
                         samba="auto", **options)
        self.lab = lab
        # That user may not be able to reach the build directory.
        shutil.copy(super().program()[0], self.dir)
        os.chown(self.dir, SERVICE_UID, SERVICE_UID)

    def program(self):
        capability = "-all,+net_bind_service"
        return self.lab.mem.prefix(pid=False) + [
            "setpriv", "--reuid", SERVICE_USER, "--regid", SERVICE_USER,
            "--init-groups", "--inh-caps", capability, "--ambient-caps",
            capability, "--bounding-set", capability, "--no-new-privs",
            os.path.join(self.dir, "evenlogd")]

    def env(self, **more):
        return dict(os.environ, TMPDIR=self.dir, **more)
