# SPDX-License-Identifier: GPL-3.0-or-later
"""Short forms for what the tests of subscriptions and queries say often."""

import binxml
import even6

BATCH_MAX = 2 * 1024 * 1024     # bytes, [MS-EVEN6] 2.2, MAX_RPC_BATCH_SIZE
RECORDS_MAX = 1024              # MAX_RPC_RECORD_COUNT


def query_list(*paths, ids=True):
    """A structured query: everything of each path, Ids from 1."""
    queries = "".join(
        f'<Query{f" Id=#{i}#" if ids else ""} Path="{path}">'
        f'<Select Path="{path}">*</Select></Query>'.replace("#", '"')
        for i, path in enumerate(paths, 1))
    return f"<QueryList>{queries}</QueryList>"


def bookmark(current, **others):
    """
    A bookmark as Windows writes it (facts 6): the current channel and its
    record id, then others by keyword channel=(name, id).
    """
    entries = [(*current, True)] + [(*other, False)
                                    for other in others.values()]
    lines = "".join(
        f"\r\n  <Bookmark Channel='{name}' RecordId='{record}'"
        + (" IsCurrent='true'" if is_current else "") + "/>"
        for name, record, is_current in entries)
    return f"<BookmarkList>{lines}\r\n</BookmarkList>"


def subscribe(client, channel, flags, query="*", bookmark=None):
    """A subscription that must succeed."""
    got = client.call(even6.RegisterRemoteSubscription(
        channel, query, bookmark, flags))
    assert got.rc == 0, f"opnum 0 returned 0x{got.rc:x}"
    assert got.error == (0, 0, 0)
    return got


def pull(client, channel, flags=even6.SUBSCRIBE_OLDEST, **options):
    return subscribe(client, channel, flags | even6.SUBSCRIBE_PULL, **options)


def start_query(client, path, flags=even6.QUERY_CHANNEL, query="*"):
    """A query that must succeed."""
    got = client.call(even6.RegisterLogQuery(path, query, flags))
    assert got.rc == 0, f"opnum 5 returned 0x{got.rc:x}"
    assert got.error == (0, 0, 0)
    return got


def numbers(batch):
    """The Number of each event of a successful batch."""
    assert batch.rc == 0, f"returned 0x{batch.rc:x}"
    return [int(binxml.Event(record.document).values()["Number"])
            for record in batch.records()]


def is_empty(batch):
    """Success without a record: arrays that are there, of length 0."""
    return (batch.rc, batch.indices, batch.sizes, batch.buffer) == \
        (0, [], [], b"")


def has_failed(batch, rc):
    """A failed call: no arrays, and its code."""
    return (batch.rc, batch.indices, batch.sizes, batch.buffer) == \
        (rc, None, None, None)


def check_limits(batch):
    """A batch within the protocol's limits, its records one after another
    at even offsets (facts 5)."""
    assert batch.rc == 0, f"returned 0x{batch.rc:x}"
    assert len(batch.indices) <= RECORDS_MAX
    assert len(batch.buffer) <= BATCH_MAX
    end = 0
    for index, size in zip(batch.indices, batch.sizes):
        assert index == end + end % 2
        end = index + size
    assert end == len(batch.buffer)


def drain_pull(client, handle, count=RECORDS_MAX):
    """Batches of a pull subscription until there is none."""
    while True:
        batch = client.call(even6.RemoteSubscriptionNext(handle, count))
        check_limits(batch)
        if is_empty(batch):
            return
        yield batch


def drain_query(client, handle, count=RECORDS_MAX):
    """Batches of a query to its end."""
    while True:
        batch = client.call(even6.QueryNext(handle, count))
        if batch.rc == even6.ERROR_NO_MORE_ITEMS:
            return
        check_limits(batch)
        assert batch.indices
        yield batch


def all_numbers(batches):
    return [number for batch in batches for number in numbers(batch)]
