# SPDX-License-Identifier: GPL-3.0-or-later
"""An MIT KDC on loopback for one test: own realm, own port, own database."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

from ports import free_port

REALM = "EVEN.TEST"
PATH = "/usr/sbin:/usr/bin"
START_SECONDS = 30
# Short, so that a test sees a ticket's end.
SKEW_SECONDS = 2


def is_installed():
    return shutil.which("krb5kdc", path=PATH) is not None and \
        shutil.which("kinit", path=PATH) is not None


class Kdc:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="evenlog-kdc-")
        os.chmod(self.dir, 0o755)
        self.process = None
        self.port = free_port(socket.SOCK_STREAM, socket.SOCK_DGRAM)
        self.krb5_conf = self._write("krb5.conf", f"""
[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
clockskew = {SKEW_SECONDS}
udp_preference_limit = 1
[realms]
{REALM} = {{
	kdc = 127.0.0.1:{self.port}
}}
[domain_realm]
localhost = {REALM}
""")
        # Samba refuses a ticket with a PAC when it is no domain member.
        kdc_conf = self._write("kdc.conf", f"""
[kdcdefaults]
kdc_listen = 127.0.0.1:{self.port}
kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
{REALM} = {{
	database_name = {self.dir}/principal
	key_stash_file = {self.dir}/stash
	disable_pac = true
}}
""")
        self.env = dict(os.environ, KRB5_CONFIG=self.krb5_conf,
                        KRB5_KDC_PROFILE=kdc_conf)
        self._run("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)

    def _write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _run(self, program, *args, **options):
        path = shutil.which(program, path=PATH)
        subprocess.run([path, *args], env=self.env, check=True,
                       capture_output=True, **options)

    def add_user(self, name, password):
        self._run("kadmin.local", "-q", f"addprinc -pw {password} {name}")

    def add_service(self, principal):
        """The path of the keytab with the services' keys."""
        keytab = os.path.join(self.dir, "keytab")
        self._run("kadmin.local", "-q", f"addprinc -randkey {principal}")
        self._run("kadmin.local", "-q", f"ktadd -k {keytab} {principal}")
        return keytab

    def keytab(self, name):
        """The path of a keytab with a user's keys; the password goes on."""
        keytab = os.path.join(self.dir, f"keytab-{name}")
        self._run("kadmin.local", "-q", f"ktadd -norandkey -k {keytab} {name}")
        return keytab

    def modify(self, principal, *options):
        self._run("kadmin.local", "-q",
                  f"modprinc {' '.join(options)} {principal}")

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/krb5kdc", "-n"], env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, "krb5kdc ended"
                assert time.monotonic() < end
                time.sleep(0.01)

    def change_key(self, principal):
        """The service's key is another one from now; no keytab has it."""
        self._run("kadmin.local", "-q", f"change_password -randkey {principal}")

    def ticket(self, name, password, *services, lifetime="1h"):
        """
        A credential cache with a ticket of the user, as kinit makes, and
        tickets for services, as kvno makes.
        """
        cache = f"FILE:{self.dir}/cache-{name}"
        self._run("kinit", "-c", cache, "-l", lifetime, name,
                  input=(password + "\n").encode())
        for service in services:
            self._run("kvno", "-c", cache, service)
        return cache

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
