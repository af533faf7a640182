# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of tests/byhand/exactly_once.py: everything is killed twice
while events flow from two sources over a collector to rsyslogd.  And that the
script sees what it looks for."""

import os
import sys
from array import array

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "byhand"))
import exactly_once  # noqa: E402


def test_each_event_is_stored_once_although_everything_is_killed():
    assert exactly_once.run(["--events", "4000", "--kills", "2",
                             "--interval", "1", "--patience", "60"])


class Files:
    """What a receiver has after each start: numbers of source-a."""

    def __init__(self, starts):
        self.starts = starts

    def lines(self, _):
        for numbers in self.starts:
            yield [b'Number="%d" Filler0="source-a"' % n for n in numbers]


def failures(name, *starts):
    """Of 10 events in the store, in their order."""
    run = object.__new__(exactly_once.Run)
    run.failures, run.stored = [], 10
    run.place = {b"source-a": array("q", [-1, *range(10)])}
    run.receiver = Files(starts)
    run.check_stream(name)
    return run.failures


@pytest.mark.parametrize("name", ["relp", "tcp", "tls"])
def test_what_came_once_or_twice_is_no_failure(name):
    assert not failures(name, range(1, 11))
    assert not failures(name, range(1, 8), range(3, 11))


def test_a_loss_at_a_kill_is_one_of_tcp_and_not_of_relp():
    starts = [range(1, 6), range(8, 11)]
    assert not failures("tcp", *starts)
    assert failures("relp", *starts)


def test_a_loss_elsewhere_is_a_failure():
    assert failures("tcp", [1, 2, 4, 5, 6], range(7, 11))
    assert failures("tcp", range(1, 6), [6, 8, 9, 10])


def test_a_loss_of_more_than_was_in_flight_is_a_failure(monkeypatch):
    monkeypatch.setattr(exactly_once.Run, "bound", staticmethod(lambda: 50))
    assert failures("tcp", range(1, 6), range(8, 11))


def test_a_line_that_nobody_sent_is_a_failure():
    assert failures("relp", range(1, 12))
