#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the whole service: a real evenlogd on loopback, events of eight
string values, clients on authenticated and sealed connections."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from server import BUILD, USERS, Server  # noqa: E402

EVENTS = int(os.environ.get("EVENLOG_BENCH_EVENTS", "100000"))
LATENCIES = int(os.environ.get("EVENLOG_BENCH_LATENCIES", "2000"))


def event(number):
    return json.dumps({
        "System": {"Provider": {"Name": "Bench"}, "EventID": 1000},
        "EventData": {f"Value{i}": f"value {i} of event {number:08}"
                      for i in range(8)}})


def main():
    server = Server()
    password = os.path.join(server.dir, "password")
    with open(password, "w", encoding="ascii") as file:
        file.write(USERS["alice"] + "\n")
    try:
        server.add_users()
        server.start()
        lines = "\n".join(event(number) for number in range(EVENTS)) + "\n"
        server.evenlog("publish", "Application", "--stdin", stdin=lines,
                       timeout=600)
        load = [os.path.join(BUILD, "tests", "bench", "service_load"),
                str(server.port), "alice", password]
        for subscribers in (1, 16):
            subprocess.run([*load, "deliver", str(subscribers),
                            str(EVENTS), "Application"], check=True)
        status = server.status()
        subprocess.run([*load, "latency", str(LATENCIES), "System",
                        server.control], check=True)
        lag = status["loop_lag"]
        print("loop lag while delivering: "
              f"p50 {lag['p50_us'] / 1000:.2f} ms, "
              f"p99 {lag['p99_us'] / 1000:.2f} ms, "
              f"max {lag['max_us'] / 1000:.2f} ms")
    finally:
        server.close()


main()
