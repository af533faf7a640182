#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Proof by sequence numbers: two sources, a collector and a receiver, each
killed (-9) and started again at random moments while events flow.

    top_builddir=BUILD exactly_once.py [--events N] [--kills N] [--seed N]

Each source's publisher writes events with numbers 1, 2, 3, ...; a block counts
as published when it is acknowledged, and one that was in doubt when the source
was killed is looked for in the source's channel.  The collector reads both
sources and forwards everything to one rsyslogd by RELP, TCP and TLS (queues
direct, files synced).  At the end:

  store   each event exactly once, in order per source, no gap reported
  RELP    each event at least once
  TCP,    what is missing lies behind a kill of the receiver, and is no more
  TLS     than its kernel had taken but it had not read (the kernel's bound of
          a receive buffer); the largest such loss is shown

and `evenlog verify` is clean on all stores.  Prints a table and PASS or FAIL;
the exit status says the same.  A killed process loses nothing that the kernel
has, so the receiver's files lie in memory (--receiver-directory) where there
is room: syncing each message of a million to a disk is what would take time.
"""

import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from array import array

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import collecting  # noqa: E402
import dcerpc  # noqa: E402
import publisher  # noqa: E402
from pems import Authority  # noqa: E402
from ports import free_port  # noqa: E402
from rsyslog import Rsyslog  # noqa: E402
from server import BUILD, Server  # noqa: E402

TRANSPORTS = ("relp", "tcp", "tls")
STREAMS = ("tcp", "tls")
NAMES = ("source-a", "source-b")
CHANNEL = "ForwardedEvents"
BLOCK = 1000
QUIET_SECONDS = 3
# What rsyslogd has read and not yet written, beside the kernel's buffer.
READ_AHEAD = 256 * 1024
LINE = re.compile(rb"Number[^0-9]{1,12}(\d+).*?(source-[ab])")


def quiet(server):
    """As Server, but with a log that does not become larger than the rest."""
    server.write_config(server.read_config().replace(
        "log_level = debug", "log_level = info"))
    return server


class Receiver(Rsyslog):
    """One file for each transport, and new ones with each start: a line that
    was cut off by a kill stands at the end of its file."""

    generation = 0

    def output_of(self, name, generation=None):
        number = self.generation if generation is None else generation
        return os.path.join(self.dir, f"{name}-{number:04}")

    def _write(self, parsed, sync, config):
        super()._write(parsed, sync, config)
        with open(self.config, encoding="utf-8") as file:
            self._text = file.read()
        for name in self.ports:
            # Each input has a ruleset of its own.
            lines = self._text.splitlines()
            at = next(i for i, line in enumerate(lines)
                      if line.startswith("input(")
                      and f'port="{self.ports[name]}"' in line)
            lines[at] = lines[at].replace('ruleset="store"',
                                          f'ruleset="{name}"')
            lines.insert(at, f"""ruleset(name="{name}" queue.type="Direct") {{
  action(type="omfile" file="@{name}@" template="lines" sync="on"
         flushOnTXEnd="on" asyncWriting="off" queue.type="Direct")
}}""")
            self._text = "\n".join(lines) + "\n"
        # A message is written before it is acknowledged.
        self._text = self._text.replace(
            "# What rsyslogd says", 'main_queue(queue.type="Direct")\n'
            "# What rsyslogd says")

    def start(self):
        self.generation += 1
        text = self._text
        for name in self.ports:
            text = text.replace(f"@{name}@", self.output_of(name))
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)
        return super().start()

    def size(self):
        return sum(os.path.getsize(path) for name in self.ports
                   for path in glob.glob(self.output_of(name, 0)[:-4] + "*"))

    def lines(self, name):
        """For each start: the whole lines that came."""
        for generation in range(1, self.generation + 1):
            path = self.output_of(name, generation)
            data = b""
            if os.path.exists(path):
                with open(path, "rb") as file:
                    data = file.read()
            yield data.split(b"\n")[:-1]


class Writer(threading.Thread):
    """A source's publisher: as fast as the plan's pace has it."""

    def __init__(self, plan, server, name, count):
        super().__init__(daemon=True, name=f"publish {name}")
        self.plan, self.server, self.count = plan, server, count
        self.numbers = collecting.Numbers(name)
        self.done = 0           # acknowledged
        self.doubts = self.found = 0
        self.failed = None

    def run(self):
        try:
            self._run()
        except BaseException as error:  # told by the main thread
            self.failed = error
            raise

    def _run(self):
        connection = None
        while self.done < self.count:
            time.sleep(self.plan.wait(self.done / self.count))
            block = min(random.randint(1, BLOCK), self.count - self.done)
            try:
                if connection is None:
                    connection = publisher.Publisher(self.server)
                self.numbers.publish(connection, self.done + 1, block)
                self.done += block
            except (OSError, dcerpc.Closed):
                if connection is not None:
                    connection.close()
                connection = None
                self._find_out(block)

    def _find_out(self, block):
        """The source was killed: whether the block is in its channel."""
        self.doubts += 1
        newest = collecting.wait_for(self._newest, "the source's newest event",
                                     120, every=0.2)
        newest -= 1
        if newest == self.done + block:
            self.found += 1
        elif newest != self.done:
            raise AssertionError(
                f"{self.numbers.name}: {self.done} acknowledged, a block of "
                f"{block} in doubt, newest is {newest}")
        self.done = newest

    def _newest(self):
        """One more than the number, so that it is true; None while down."""
        try:
            return 1 + collecting.newest_number(self.server, "Application")
        except (RuntimeError, OSError):
            return None


class Killer(threading.Thread):
    def __init__(self, plan, name, victim, kills, rng):
        super().__init__(daemon=True, name=f"kill {name}")
        self.plan, self.victim, self.kills, self.rng = \
            plan, victim, kills, rng
        self.label, self.killed = name, 0
        self.failed = None

    def run(self):
        try:
            for _ in range(self.kills):
                time.sleep(self.plan.interval * self.rng.uniform(0.3, 1.7))
                self.victim.kill()
                self.killed += 1
                time.sleep(self.plan.interval * self.rng.uniform(0, 0.3))
                self.victim.start()
        except BaseException as error:
            self.failed = error
            raise


class Plan:
    """Kills come every interval seconds or so; publishing is spread over the
    time that they take, so that none of them finds an idle service."""

    def __init__(self, kills, interval):
        self.interval = interval
        self.start = time.monotonic()
        self.seconds = kills * interval * 1.15

    def wait(self, part_done):
        """Seconds until so large a part was to be done."""
        due = self.start + self.seconds * part_done
        return max(0.0, due - time.monotonic())


class Run:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(options.seed)
        self.servers = []
        self.receiver = None
        self.failures = []

    # ------------------------------------------------------------ set up

    def _source(self, number):
        """The first one keeps its port, the second one has another one after
        each start, which the endpoint mapper tells."""
        server = Server(listen=f"127.0.0.{number + 1}",
                        mapper_port=free_port(
                            address=f"127.0.0.{number + 1}"))
        self.servers.append(quiet(server))
        server.add_users()
        server.fixed_port = None
        if number == 0:
            server.fixed_port = free_port()
            server.write_config(server.read_config().replace(
                "port = 0\nendpoint",
                f"port = {server.fixed_port}\nendpoint"))
        return server.start()

    def _receiver(self):
        where = self.options.receiver_directory
        old, tempfile.tempdir = tempfile.tempdir, where
        try:
            pems = tempfile.mkdtemp(prefix="evenlog-pems-")
            authority = Authority(pems)
            certificate, key = authority.issue("127.0.0.1")
            self.receiver = Receiver(
                TRANSPORTS, ca=authority.path, certificate=certificate,
                key=key)
        finally:
            tempfile.tempdir = old
        self.pems, self.authority = pems, authority
        self.receiver.start()

    def _collector(self):
        server = quiet(Server())
        self.servers.append(server)
        server.add_users()
        text = "[channel ForwardedEvents]\nmax_size = 64G\n"
        for number, source in enumerate(self.sources):
            text += collecting.collect(
                NAMES[number], server, host=f"127.0.0.{number + 1}",
                port=source.fixed_port,
                mapper_port=None if source.fixed_port else source.mapper_port,
                delivery=("push", "pull")[number])
        for name in TRANSPORTS:
            text += collecting.forward(
                name, name, self.receiver.ports[name],
                ca=self.authority.path if name == "tls" else None)
        server.write_config(server.read_config() + text)
        return server.start()

    # --------------------------------------------------------------- run

    def execute(self):
        options = self.options
        print(f"seed {options.seed}; {options.events} events, "
              f"{options.kills} kills of each", flush=True)
        self.sources = [self._source(number) for number in (0, 1)]
        self._receiver()
        self.collector = self._collector()
        plan = Plan(options.kills, options.interval)
        half = options.events // 2
        self.writers = [Writer(plan, source, name, half)
                        for source, name in zip(self.sources, NAMES)]
        victims = [*zip(NAMES, self.sources), ("collector", self.collector),
                   ("receiver", self.receiver)]
        self.killers = [Killer(plan, name, victim, options.kills,
                               random.Random(self.rng.random()))
                        for name, victim in victims]
        for thread in self.writers + self.killers:
            thread.start()
        for thread in self.writers + self.killers:
            thread.join()
            if thread.failed:
                raise thread.failed
        self.total = 2 * half
        self.published = time.monotonic()
        self._wait_caught_up()

    def _wait_caught_up(self):
        """All in the store, and nothing more comes to the receiver."""
        collecting.wait_for(
            lambda: self._stored() >= self.total, "the collector",
            self.options.patience, every=0.5, explain=self._state)
        last, since = self.receiver.size(), time.monotonic()
        end = since + self.options.patience
        while time.monotonic() - since < QUIET_SECONDS:
            time.sleep(0.2)
            size = self.receiver.size()
            if size != last:
                last, since = size, time.monotonic()
            if since > end:
                self.failures.append("the outputs never came to an end")
                return

    def _stored(self):
        return collecting.record_count(self.collector, CHANNEL)

    def _state(self):
        return self.collector.evenlog("status", check=False).stdout

    # ------------------------------------------------------------- check

    def check(self):
        self._read_store()
        self.rows = [self.check_stream(name) for name in TRANSPORTS]
        self._check_gaps()
        # The receiver first: what is sent again at a stop is of no interest.
        self.receiver.stop()
        for server in self.servers:
            status = server.stop()
            if status != 0:
                self.failures.append(f"evenlogd ended with {status}")
            done = server.evenlog("verify", check=False, timeout=600)
            if done.returncode != 0:
                self.failures.append("verify: " + done.stdout[-500:])

    def _read_store(self):
        """Where in the store's order each event is."""
        path = os.path.join(self.collector.dir, "all")
        with open(path, "wb") as file:
            subprocess.run(
                [os.path.join(BUILD, "cli", "evenlog"), "--config",
                 self.collector.config, "query", CHANNEL, "--format=json"],
                stdout=file, env=self.collector.env(), check=True)
        half = self.total // 2
        self.place = {name.encode(): array("q", [-1]) * (half + 1)
                      for name in NAMES}
        self.twice = self.disorder = self.stored = self.strange = 0
        last = dict.fromkeys(self.place, 0)
        with open(path, "rb") as file:
            for at, line in enumerate(file):
                number, name = self._parse(line)
                self.stored += 1
                if name is None or not 1 <= number <= half:
                    self.strange += 1
                    continue
                if self.place[name][number] >= 0:
                    self.twice += 1
                else:
                    self.place[name][number] = at
                if number != last[name] + 1:
                    self.disorder += 1
                last[name] = number
        self.missing = sum(place.count(-1) - 1
                           for place in self.place.values())
        if self.missing or self.twice or self.disorder or self.strange:
            self.failures.append("the store does not hold each event exactly "
                                 "once and in order")

    @staticmethod
    def _parse(line):
        found = LINE.search(line)
        if found is None:
            return 0, None
        return int(found[1]), found[2]

    def _positions(self, name):
        """For each start of the receiver the store's places of what came."""
        self.bytes = 0
        for lines in self.receiver.lines(name):
            places = []
            for line in lines:
                self.bytes += len(line) + 1
                number, writer = self._parse(line)
                if writer is None or number >= len(self.place[writer]):
                    self.failures.append(f"{name}: a strange line: "
                                         f"{line[:200]!r}")
                    return
                places.append(self.place[writer][number])
            yield places

    def check_stream(self, name):
        seen = bytearray(self.stored)
        highest, ends = -1, []
        lines = twice = 0
        for places in self._positions(name):
            for place in places:
                twice += seen[place]
                seen[place] = 1
            lines += len(places)
            highest = max([highest, *places])
            ends.append(highest)
        runs = self._holes(seen)
        size = self.bytes / max(lines, 1)
        row = {"name": name, "lines": lines, "twice": twice,
               "missing": sum(length for _, length in runs),
               "losses": len(runs),
               "largest": max([length for _, length in runs], default=0)}
        row["largest_bytes"] = int(row["largest"] * size)
        if name not in STREAMS:
            if runs:
                self.failures.append(f"{name}: events are missing")
            return row
        for first, length in runs:
            # Ends of starts in which nothing was written add up.
            kills = ends.count(first - 1)
            if not kills:
                self.failures.append(
                    f"{name}: {length} events are missing where the receiver "
                    "was not killed")
            elif length * size > kills * self.bound():
                self.failures.append(
                    f"{name}: a kill lost {length} events, more than were in "
                    "flight")
        return row

    @staticmethod
    def _holes(seen):
        """(first, length) of each run that did not come."""
        return [(m.start(), len(m[0])) for m in re.finditer(b"\0+", seen)]

    @staticmethod
    def bound():
        with open("/proc/sys/net/ipv4/tcp_rmem", encoding="ascii") as file:
            return int(file.read().split()[2]) + READ_AHEAD

    def _check_gaps(self):
        gaps = collecting.reports(self.collector, collecting.GAP)
        if gaps:
            self.failures.append(f"{len(gaps)} gaps were reported: {gaps[0]}")

    # ------------------------------------------------------------ report

    def report(self):
        seconds = self.published - self.started
        print(f"published {self.total} in {seconds:.0f} s "
              f"({self.total / seconds:.0f}/s), blocks in doubt "
              f"{sum(w.doubts for w in self.writers)}, of them there "
              f"{sum(w.found for w in self.writers)}; killed: "
              + ", ".join(f"{k.label} {k.killed}" for k in self.killers))
        print(f"{'':6} {'events':>9} {'missing':>8} {'twice':>8} "
              f"{'losses':>7} {'largest':>8} {'bytes':>9}")
        print(f"{'store':6} {self.stored:9} {self.missing:8} "
              f"{self.twice:8} {'':7} {'':8} {'':9}"
              f"{f' out of order {self.disorder}' if self.disorder else ''}")
        for row in self.rows:
            print(f"{row['name']:6} {row['lines']:9} {row['missing']:8} "
                  f"{row['twice']:8} {row['losses']:7} {row['largest']:8} "
                  f"{row['largest_bytes']:9}")
        for failure in self.failures[:20]:
            print("  " + failure)
        print(f"{'FAIL' if self.failures else 'PASS'} after "
              f"{time.monotonic() - self.started:.0f} s (seed "
              f"{self.options.seed})", flush=True)
        return not self.failures

    def close(self):
        if self.options.keep:
            print("kept:", *[s.dir for s in self.servers],
                  self.receiver and self.receiver.dir)
        for server in self.servers:
            if server.process is not None:
                server.kill()
            if not self.options.keep:
                shutil.rmtree(server.dir, ignore_errors=True)
        if self.receiver is not None:
            self.receiver.stop()
            shutil.rmtree(self.pems, ignore_errors=True)
            if not self.options.keep:
                self.receiver.close()


def options_of(arguments=None):
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    parser = argparse.ArgumentParser(
        description="Exactly once, under kill -9 of everything.")
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--kills", type=int, default=20,
                        help="of each source, the collector, the receiver")
    parser.add_argument("--interval", type=float, default=12.0,
                        help="seconds between two kills of one of them")
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--patience", type=float, default=300.0,
                        help="seconds to catch up at the end")
    parser.add_argument("--receiver-directory", default=memory)
    parser.add_argument("--keep", action="store_true",
                        help="leave the directories for a look at them")
    return parser.parse_args(arguments)


def run(arguments=None):
    """Whether it has passed."""
    run = Run(options_of(arguments))
    run.started = time.monotonic()
    try:
        run.execute()
        run.check()
        return run.report()
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(0 if run() else 1)
