#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Figures of collector and forwarder, real evenlogds on loopback:

  collect  events/s from 1 and from 32 hosts into the store; the floor is the
           same subscriptions read by a client that throws the events away
  forward  RFC 5424 over TCP to a sink that counts; beside it rsyslogd, which
           relays the same lines from a file to the same sink
  idle     memory and CPU of 500 subscriptions that wait, on 500 connections
           and on 50

All hosts are one evenlogd on many loopback addresses.  Usage: collect_bench.py
[collect] [forward] [idle]; all without a word.
"""

import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import collecting  # noqa: E402
from publisher import Publisher  # noqa: E402
from rsyslog import Rsyslog  # noqa: E402
from server import BUILD, USERS, Server  # noqa: E402

EVENTS = int(os.environ.get("EVENLOG_BENCH_EVENTS", "100000"))
HOSTS = 32
IDLE = 500
IDLE_SECONDS = int(os.environ.get("EVENLOG_BENCH_IDLE_SECONDS", "60"))
TICKS = os.sysconf("SC_CLK_TCK")
FORWARDED = "ForwardedEvents"


def address(number):
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


def start_server(config="", **options):
    server = Server(config=config, **options)
    server.write_config(server.read_config().replace(
        "log_level = debug", "log_level = info"))
    server.add_users()
    return server.start()


def publish(server, channel, count, block=1000):
    """Events of eight values, as the other benchmarks have them."""
    numbers = collecting.Numbers(
        "bench", channel, [f"value {i} of an event" for i in range(6)])
    with Publisher(server) as publisher:
        for first in range(1, count + 1, block):
            numbers.publish(publisher, first, min(block, count + 1 - first))


# Collecting

def deliver(source, password, subscribers, events):
    """Events/s that a client has which does nothing with them."""
    out = subprocess.run(
        [os.path.join(BUILD, "tests", "bench", "service_load"),
         str(source.port), "alice", password, "deliver", str(subscribers),
         str(events), "Application"], check=True, capture_output=True,
        text=True).stdout
    return float(re.search(r"(\d+) events/s", out)[1])


def hosts(server, source, count, channels="Application", **keys):
    return collecting.collect(
        "many", server, host=None, port=source.port, channels=channels,
        hosts=", ".join(address(number) for number in range(count)), **keys)


def collect(source, count, events):
    """Events/s into the store, from the first one to the last."""
    server = start_server()
    try:
        server.write_config(server.read_config()
                            + hosts(server, source, count))
        total, first = count * events, None
        cpu = cpu_seconds(server)
        server.signal(signal.SIGHUP)
        while True:
            records = collecting.record_count(server, FORWARDED)
            now = time.monotonic()
            if first is None and records:
                first = now, records
            if records >= total:
                break
            time.sleep(0.02)
        cpu = cpu_seconds(server) - cpu
        return (total - first[1]) / (now - first[0]), cpu / total * 1e6
    finally:
        server.close()


def bench_collect():
    for count in (1, HOSTS):
        # Read once by each host.
        events = EVENTS * 2 if count == 1 else EVENTS // 8
        source = start_server(listen=", ".join(
            ["127.0.0.1"] + [address(number) for number in range(count)]))
        try:
            password = os.path.join(source.dir, "password")
            with open(password, "w", encoding="ascii") as file:
                file.write(USERS["alice"] + "\n")
            publish(source, "Application", events)
            floor = deliver(source, password, count, events)
            rate, cpu = collect(source, count, events)
        finally:
            source.close()
        print(f"collect from {count:2} host{'s:' if count > 1 else ': '} "
              f"{rate:9.0f} events/s into the store, {cpu:.1f} us of CPU "
              f"each; ratio to delivery without storing "
              f"({floor:.0f}/s) {rate / floor:.2f}", flush=True)


# Forwarding

class Sink:
    def __init__(self, count, path=None):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests", "bench", "line_sink"), str(count)]
            + ([path] if path else []), stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def wait(self):
        """(seconds, bytes)"""
        seconds, size = self.process.stdout.readline().split()
        self.process.wait()
        return float(seconds), int(size)

    def close(self):
        self.process.kill()
        self.process.wait()


def forward_to(server, name, sink):
    """A new output from the oldest event on."""
    server.write_config(server.read_config() + collecting.forward(
        name, "tcp", sink.port, channels="Application", format="rfc5424"))
    cpu = cpu_seconds(server)
    server.signal(signal.SIGHUP)
    seconds, size = sink.wait()
    return seconds, size, cpu_seconds(server) - cpu


def relay_by_rsyslog(path, count):
    """rsyslogd reads the file and sends its lines, with the queue that it has
    by default."""
    sink = Sink(count)
    receiver = Rsyslog((), config=f"""
module(load="imfile")
template(name="line" type="string" string="%msg%")
ruleset(name="relay") {{
  action(type="omfwd" target="127.0.0.1" port="{sink.port}" protocol="tcp"
         template="line" tcp_framing="octet-counted")
}}
input(type="imfile" file="{path}" tag="x" ruleset="relay")
""")
    try:
        receiver.start()
        seconds, size = sink.wait()
        cpu = process_seconds(receiver.process.pid)
        return seconds, size, cpu
    finally:
        sink.close()
        receiver.close()


def bench_forward():
    server = start_server()
    events = EVENTS * 2
    try:
        publish(server, "Application", events)
        path = os.path.join(server.dir, "lines")
        forward_to(server, "first", Sink(events, path))
        seconds, size, cpu = forward_to(server, "second", Sink(events))
        theirs, _, their_cpu = relay_by_rsyslog(path, events)
    finally:
        server.close()
    print(f"forward, RFC 5424 over TCP: {events / seconds:9.0f} messages/s "
          f"{size / seconds / 1e6:6.1f} MB/s, {cpu / events * 1e6:.1f} us of "
          f"CPU each; rsyslogd relays the same lines at "
          f"{events / theirs:.0f}/s, {their_cpu / events * 1e6:.1f} us each: "
          f"ratio {theirs / seconds:.2f}", flush=True)


# Idle subscriptions

def process_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_seconds(server):
    return process_seconds(server.process.pid)


def memory(server):
    """(RSS, PSS) in KiB."""
    with open(f"/proc/{server.process.pid}/smaps_rollup",
              encoding="ascii") as file:
        text = file.read()
    return tuple(int(re.search(rf"^{key}: +(\d+) kB", text, re.M)[1])
                 for key in ("Rss", "Pss"))


def idle(source, connections, channels):
    server = start_server()
    try:
        time.sleep(1)
        before = memory(server)
        names = ", ".join(f"Bench/{number}" for number in range(channels))
        server.write_config(server.read_config() + hosts(
            server, source, connections, names))
        server.signal(signal.SIGHUP)
        collecting.wait_for(
            lambda: reading(server) == connections * channels,
            "all subscriptions", 300, every=0.5)
        time.sleep(2)
        after = memory(server)
        cpu = cpu_seconds(server)
        time.sleep(IDLE_SECONDS)
        cpu = cpu_seconds(server) - cpu
    finally:
        server.close()
    each = [(b - a) / IDLE for a, b in zip(before, after)]
    print(f"idle, {connections:3} connections with {channels:2} "
          f"subscription{'s' if channels > 1 else ' '} each: RSS "
          f"{each[0]:.0f} KiB, PSS {each[1]:.0f} KiB for each subscription "
          f"(in all {after[0] / 1024:.0f} MiB); CPU {cpu / IDLE_SECONDS:.2%}",
          flush=True)


def reading(server):
    """Channels of hosts that are being read."""
    return server.status()["collect"]["totals"]["reading"]


def bench_idle():
    names = "".join(f"[channel Bench/{number}]\n" for number in range(10))
    source = start_server(names, listen=", ".join(
        ["127.0.0.1"] + [address(number) for number in range(IDLE)]))
    try:
        for channels in (1, 10):
            idle(source, IDLE // channels, channels)
    finally:
        source.close()


def main():
    parts = {"collect": bench_collect, "forward": bench_forward,
             "idle": bench_idle}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
