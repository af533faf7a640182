# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin: each test as a line of TAP on the real stdout."""

import faulthandler
import os
import sys

import pytest

TEST_SECONDS = int(os.environ.get("EVENLOG_TEST_SECONDS", "120"))


class TapReport:
    def __init__(self):
        self.number = 0
        self.out = os.fdopen(os.dup(1), "w", buffering=1)

    def pytest_collection_finish(self, session):
        self.out.write(f"1..{len(session.items)}\n")

    def _line(self, ok, report, suffix=""):
        self.number += 1
        word = "ok" if ok else "not ok"
        self.out.write(f"{word} {self.number} - {report.nodeid}{suffix}\n")

    def pytest_collectreport(self, report):
        """A file that cannot even be read."""
        if report.failed:
            self._why(report)
            self.out.write(f"Bail out! {report.nodeid} cannot be collected\n")

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and not report.skipped:
            self._line(report.passed, report)
        elif report.skipped:
            reason = report.longrepr[-1] if report.longrepr else ""
            self._line(True, report, f" # SKIP {reason}")
        elif report.failed and report.when == "setup":
            self._line(False, report)
        elif report.failed:
            self.out.write(f"# teardown of {report.nodeid} failed\n"
                           "Bail out!\n")
        if report.failed:
            self._why(report)

    def _why(self, report):
        for line in report.longreprtext.splitlines():
            self.out.write(f"# {line}\n")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """End a test that hangs, with the stacks of all threads."""
    faulthandler.dump_traceback_later(TEST_SECONDS, exit=True,
                                      file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def pytest_configure(config):
    # The terminal plugin has this option; pytest asks for it when it explains
    # why an assertion failed.
    if not hasattr(config.option, "verbose"):
        config.option.verbose = 0
    config.pluginmanager.register(TapReport(), "tap-report")
