/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_STORE_OPERATIONAL_H
#define EVENLOG_STORE_OPERATIONAL_H

/*
 * Evenlog's own events, in the channel Evenlog/Operational.
 *
 * Events about faults are aggregated per event id and subject: the first one
 * is written at once, repetitions within a minute are counted and written as
 * one event with the count when the minute ends, so that faults never feed on
 * themselves (design, "Durability" 6).
 */

#include "base/everr.h"
#include "store/store.h"

#define OPERATIONAL_CHANNEL "Evenlog/Operational"
#define OPERATIONAL_PROVIDER "Evenlog"

enum operational_id {
	OPERATIONAL_STARTED = 1, /* Version */
	OPERATIONAL_STOPPING = 2,
	OPERATIONAL_CONFIGURATION_RELOADED = 3,
	OPERATIONAL_CONFIGURATION_REFUSED = 4, /* Reason */
	OPERATIONAL_READER_GAP = 10,	       /* Channel, First, Last, Cause */
	OPERATIONAL_BOOKMARK_STALE = 11,  /* Channel, RecordId, ResumedAt */
	OPERATIONAL_IDS_SKIPPED = 12,	  /* Channel, First, Last, Cause */
	OPERATIONAL_ACCESS_REFUSED = 20,  /* User, Peer, Channel, Operation */
	OPERATIONAL_LOGON_FAILED = 21,	  /* Peer, Status */
	OPERATIONAL_LIMIT_REACHED = 22,	  /* Limit, Peer */
	OPERATIONAL_ADDRESS_REFUSED = 23, /* Peer, Listener */
	OPERATIONAL_STORE_FULL = 30,	  /* FreeBytes */
	OPERATIONAL_STORE_ROOM_AGAIN = 31,
	OPERATIONAL_STORE_FAILED = 32,	 /* Error */
	OPERATIONAL_RECORD_DAMAGED = 33, /* Channel, RecordId */
	OPERATIONAL_CHANNEL_FULL = 34,	 /* Channel */
	/* A client's changes to a channel: [MS-EVEN6] opnums 21, 15, 16. */
	OPERATIONAL_CHANNEL_CREATED = 50,  /* Channel, User, Peer, Properties */
	OPERATIONAL_CHANNEL_CHANGED = 51,  /* the same */
	OPERATIONAL_CHANNEL_REMOVED = 52,  /* Channel, User, Peer */
	OPERATIONAL_CHANGE_REFUSED = 53,   /* Channel, Property, User, Peer */
	OPERATIONAL_SETTINGS_DAMAGED = 54, /* Channel */
	/* What clients took and removed: opnums 6 and 7. */
	OPERATIONAL_LOG_CLEARED = 60,  /* Channel, User, Peer, Path, Events */
	OPERATIONAL_LOG_EXPORTED = 61, /* the same */
	/* Path, Skipped, Damaged, Records: what the file has not. */
	OPERATIONAL_EXPORT_INCOMPLETE = 62,
	/* The collector's hosts and their channels. */
	OPERATIONAL_HOST_CONNECTED = 70, /* Host, Section, Authentication */
	OPERATIONAL_HOST_LOST = 71,	 /* Host, Section, Reason */
	OPERATIONAL_HOST_STARTED = 72,	 /* Host, Section */
	OPERATIONAL_HOST_STOPPED = 73,	 /* Host, Section */
	OPERATIONAL_LOG_READING = 74,	 /* Host, Channel, Target, RecordId */
	OPERATIONAL_LOG_FAILED = 75,	 /* Host, Channel, Reason */
	/* Host, Channel, First, Last, Missing, Exact, Cause */
	OPERATIONAL_LOG_GAP = 76,
	OPERATIONAL_LOG_SILENT = 77,	    /* Host, Channel, LastEvent */
	OPERATIONAL_LOG_HEARD = 78,	    /* Host, Channel */
	OPERATIONAL_COMPUTER_MISMATCH = 79, /* Host, Channel, Computer */
	OPERATIONAL_EVENT_REFUSED = 80, /* Host, Channel, RecordId, Reason */
	OPERATIONAL_POSITION_FORGOTTEN = 81, /* Host, Channel, RecordId */
	/* The forwarder's outputs. */
	OPERATIONAL_OUTPUT_CONNECTED = 90, /* Output, Receiver */
	OPERATIONAL_OUTPUT_LOST = 91,	   /* Output, Receiver, Reason */
	OPERATIONAL_OUTPUT_STARTED = 92,   /* Output, Receiver */
	OPERATIONAL_OUTPUT_STOPPED = 93,   /* Output, Receiver */
	/* Output, Channel, First, Last, Missing, Cause, Exact */
	OPERATIONAL_OUTPUT_GAP = 94,
	OPERATIONAL_OUTPUT_REWOUND = 95, /* Output, Channel, RecordId */
	OPERATIONAL_OUTPUT_CUT = 96,	 /* Output, Channel, RecordId, Marks */
	OPERATIONAL_OUTPUT_POSITION_LOST = 97, /* Output, Receiver, Reason */
	/* Output, Channel, RecordId, Reason, NextRecordId */
	OPERATIONAL_OUTPUT_REFUSED = 98,
	OPERATIONAL_OUTPUT_DROPPED = 99 /* Output, Receiver, Messages */
};

/* Repetitions are counted for so long before they are written as one event. */
#define OPERATIONAL_WINDOW_SECONDS 60
/*
 * Subjects counted at a time.  Beyond it, those of one event id are counted
 * together and written with Subject "others".
 */
#define OPERATIONAL_SUBJECTS_MAX 256

struct operational;

/*
 * computer is System/Computer of every event.  Creates the channel when it is
 * missing.  It must be freed before the store.
 */
everr_t operational_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			   struct store *store, const char *computer,
			   struct operational **ret_operational)
	EVERR_MUST_CHECK;

/*
 * Report.  subject is what repetitions are counted by (NULL: never
 * aggregated); names and values are num_fields pairs of UTF-8 strings (name,
 * value), at most 16 and 1 KiB each.  An event that stands for repetitions has
 * the fields of the latest one and Count.  Never fails for the caller: what
 * could not be written is counted, and the next event that can be written says
 * so in LostReports.  operational NULL is allowed and does
 * nothing, so that library rooms can be tested without it.
 */
void operational_report(struct operational *operational, enum operational_id id,
			const char *subject, const char *const *fields,
			size_t num_fields);

/*
 * Whether a report is written now rather than lost, with room left for others.
 * Who reports what must not be lost, or for many at once, asks before, and
 * comes back a little later.  NULL: yes.
 */
bool operational_has_room(const struct operational *operational);

/*
 * Write what has been counted so far, without waiting for the minute to end;
 * before a stop.  NULL is allowed.
 */
void operational_flush(struct operational *operational);

/* Another window than OPERATIONAL_WINDOW_SECONDS, for what is new from now. */
void operational_set_window(struct operational *operational,
			    struct timeval window);

#endif
