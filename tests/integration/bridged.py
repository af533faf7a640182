# SPDX-License-Identifier: GPL-3.0-or-later
"""What a subscribed client sees of the bridges' events: fields and messages."""

import time

import binxml
import even6
from even6_metadata import (EVENT, GetPublisherMetadata, MessageRender,
                            descriptor, strings)
from subscribing import drain_pull, pull

CONFIGMGR = "Evenlog-ConfigMgr/Operational"
WSUS = "Evenlog-WSUS/Operational"


def local(tag):
    return tag.rpartition("}")[2]


class Seen:
    """One event: its number, its fields, and the message made of them."""

    def __init__(self, client, publisher, document):
        event = binxml.Event(document)
        self.id = event.event_id
        self.level = int(event.text("Level"))
        self.time = event.time
        self.computer = event.computer
        self.provider = event.provider
        self.channel = event.channel
        #: Named fields, of EventData or of UserData's element.
        self.fields = event.values()
        #: (Class, Name, text) of each Property.
        self.properties = []
        user = event.root.find("UserData")
        if user is not None:
            self._read_user(user[0])
        self.message = self._render(client, publisher, event)

    def _read_user(self, record):
        for child in record:
            name = local(child.tag)
            if name == "Properties":
                self.properties = [
                    (p.get("Class"), p.get("Name"), p.text or "")
                    for p in child]
            else:
                self.fields[name] = child.text or ""

    def _render(self, client, publisher, event):
        shown = client.call(MessageRender(
            publisher, EVENT,
            descriptor(self.id, version=int(event.text("Version") or 0),
                       level=self.level),
            values=strings(*self.fields.values())))
        assert shown.rc == 0, f"no message of event {self.id}"
        return shown.text

    def __getitem__(self, name):
        return self.fields[name]

    def __repr__(self):
        return f"<{self.id}: {self.message!r}>"


class Watch:
    """A subscription to what comes from now on."""

    def __init__(self, client, channel):
        self.client = client
        self.subscription = pull(client, channel, even6.SUBSCRIBE_FUTURE)
        opened = client.call(GetPublisherMetadata(channel.partition("/")[0]))
        assert opened.rc == 0
        self.publisher = opened.handle

    def events(self, *ids):
        """What has come since the last call; ids: only those."""
        found = [Seen(self.client, self.publisher, record.document)
                 for batch in drain_pull(self.client,
                                         self.subscription.handle)
                 for record in batch.records()]
        return [seen for seen in found if not ids or seen.id in ids]

    def one(self, *ids):
        found = self.events(*ids)
        assert len(found) == 1, found
        return found[0]

    def wait(self, *ids, seconds=30):
        """The same for what comes by itself, not behind an answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.events(*ids)
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(f"no event {ids}")
