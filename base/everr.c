/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/everr.h"

#include <stddef.h>
#include <stdio.h>

/* Win32 codes, [MS-ERREF] 2.2. */
enum {
	W_OK = 0,
	W_FILE_NOT_FOUND = 2,
	W_ACCESS_DENIED = 5,
	W_INVALID_DATA = 13,
	W_OUTOFMEMORY = 14,
	W_NOT_SUPPORTED = 50,
	W_INVALID_PARAMETER = 87,
	W_DISK_FULL = 112,
	W_ALREADY_EXISTS = 183,
	W_NO_MORE_ITEMS = 259,
	W_NOT_FOUND = 1168,
	W_CANCELLED = 1223,
	W_IO_DEVICE = 1117,
	W_INTERNAL_ERROR = 1359,
	W_TIMEOUT = 1460,
	W_FILE_CORRUPT = 1392,
	W_LOGON_FAILURE = 1326,
	W_SHUTDOWN_IN_PROGRESS = 1115,
	W_SERVER_UNAVAILABLE = 1722,
	W_PROTOCOL_ERROR = 1728,
	W_LOG_FILE_FULL = 1502,
	W_QUOTA = 1816,
	W_INVALID_OPERATION = 4317,
	W_EVT_INVALID_CHANNEL_PATH = 15000,
	W_EVT_INVALID_QUERY = 15001,
	W_EVT_INVALID_EVENT_DATA = 15005,
	W_EVT_CHANNEL_NOT_FOUND = 15007,
	W_EVT_SUBSCRIPTION_TO_DIRECT_CHANNEL = 15009,
	W_EVT_QUERY_RESULT_STALE = 15011,
	W_EVT_FILTER_TOO_COMPLEX = 15026,
	W_EVT_MESSAGE_NOT_FOUND = 15027,
	W_EVT_PUBLISHER_DISABLED = 15037,
};

struct entry {
	everr_t err;
	const char *name;
	const char *text;
	uint32_t win32;
	unsigned int http;
};

#define E(err, text, win32, http)            \
	{                                    \
		err, #err, text, win32, http \
	}

static const struct entry table[] = {
	E(EVERR_OK, "success", W_OK, 200),
	E(EVERR_NOMEM, "out of memory", W_OUTOFMEMORY, 503),
	E(EVERR_INVALID, "an argument is not valid", W_INVALID_PARAMETER, 400),
	E(EVERR_LIMIT, "a limit was reached", W_QUOTA, 503),
	E(EVERR_END, "no more items", W_NO_MORE_ITEMS, 404),
	E(EVERR_NOT_FOUND, "not found", W_NOT_FOUND, 404),
	E(EVERR_EXISTS, "it exists already", W_ALREADY_EXISTS, 409),
	E(EVERR_ACCESS, "access denied", W_ACCESS_DENIED, 403),
	E(EVERR_CANCELLED, "cancelled", W_CANCELLED, 499),
	E(EVERR_TIMEOUT, "the time expired", W_TIMEOUT, 504),
	E(EVERR_IO, "an input or output error", W_IO_DEVICE, 500),
	E(EVERR_NOT_SUPPORTED, "not supported", W_NOT_SUPPORTED, 501),
	E(EVERR_INTERNAL, "an internal error", W_INTERNAL_ERROR, 500),

	E(EVERR_BINXML_TRUNCATED, "the event's data ends too early",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_BINXML_TOKEN, "the event's data has an unexpected token",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_BINXML_LENGTH, "the event's data has a wrong length",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_BINXML_NAME, "the event has a name that is not legal in XML",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_BINXML_VALUE, "the event has a value of wrong type or size",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_BINXML_DEPTH, "the event is nested too deeply",
	  W_EVT_INVALID_EVENT_DATA, 400),
	E(EVERR_TEMPLATE_UNKNOWN, "the event's template is unknown",
	  W_FILE_CORRUPT, 500),
	E(EVERR_EVENT_TOO_LARGE, "the event is larger than 1 MiB",
	  W_EVT_INVALID_EVENT_DATA, 413),
	E(EVERR_EVENT_DATA_SIZE,
	  "the event's data and their names are larger than 65,535 bytes",
	  W_EVT_INVALID_EVENT_DATA, 413),
	E(EVERR_BOOKMARK_SYNTAX, "the bookmark is malformed",
	  W_INVALID_PARAMETER, 400),
	E(EVERR_QUERY_SYNTAX, "the query is malformed", W_EVT_INVALID_QUERY,
	  400),
	E(EVERR_QUERY_COMPLEX, "the query is too complex",
	  W_EVT_FILTER_TOO_COMPLEX, 400),
	E(EVERR_TEXT, "the text is not valid", W_INVALID_DATA, 400),
	E(EVERR_RESULT, "the result record is malformed", W_INVALID_DATA, 502),
	E(EVERR_MANIFEST, "the instrumentation manifest is wrong",
	  W_INVALID_DATA, 400),
	E(EVERR_EVTX, "the .evtx file is damaged", W_FILE_CORRUPT, 400),
	E(EVERR_PUBLISHER, "there is no such publisher", W_FILE_NOT_FOUND, 404),
	E(EVERR_MESSAGE, "there is no message text for it",
	  W_EVT_MESSAGE_NOT_FOUND, 404),

	E(EVERR_CHANNEL_NOT_FOUND, "there is no such channel",
	  W_EVT_CHANNEL_NOT_FOUND, 404),
	E(EVERR_CHANNEL_NAME, "no channel can have this name",
	  W_EVT_INVALID_CHANNEL_PATH, 400),
	E(EVERR_CHANNEL_DISABLED, "the channel is disabled",
	  W_EVT_PUBLISHER_DISABLED, 409),
	E(EVERR_CHANNEL_FULL,
	  "the channel is full, and set to keep the events it has",
	  W_LOG_FILE_FULL, 507),
	E(EVERR_CHANNEL_DIRECT,
	  "an analytic or debug channel takes no subscriptions",
	  W_EVT_SUBSCRIPTION_TO_DIRECT_CHANNEL, 409),
	E(EVERR_NOT_CHANGEABLE, "this cannot be changed here",
	  W_INVALID_OPERATION, 409),
	E(EVERR_STORE_FULL, "the disk is full; try again when there is room",
	  W_DISK_FULL, 507),
	E(EVERR_STORE_SYNC, "the disk did not confirm the write", W_IO_DEVICE,
	  500),
	E(EVERR_STORE_CORRUPT, "the store is damaged", W_FILE_CORRUPT, 500),
	E(EVERR_STORE_VERSION,
	  "the store has a format this program cannot read", W_FILE_CORRUPT,
	  500),
	E(EVERR_STORE_LOCKED, "another process has the store open", W_IO_DEVICE,
	  503),
	E(EVERR_STORE_CLOSED, "the store is shutting down",
	  W_SHUTDOWN_IN_PROGRESS, 503),
	E(EVERR_STALE, "the position no longer exists",
	  W_EVT_QUERY_RESULT_STALE, 410),

	E(EVERR_CONFIG, "the configuration is wrong", W_INVALID_DATA, 500),
	E(EVERR_AUTH, "authentication failed", W_LOGON_FAILURE, 401),
	E(EVERR_CONNECT, "the peer cannot be reached", W_SERVER_UNAVAILABLE,
	  502),
	E(EVERR_PROTOCOL, "the peer broke the protocol", W_PROTOCOL_ERROR, 502),
};

_Static_assert(sizeof(table) / sizeof(table[0]) == EVERR_LAST - EVERR_BASE,
	       "one entry for each error, and EVERR_OK");

static const struct entry *entry_find(everr_t err)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].err == err) {
			return &table[i];
		}
	}
	return NULL;
}

const char *everr_text(everr_t err)
{
	static _Thread_local char unknown[40];
	const struct entry *entry = entry_find(err);

	if (entry == NULL) {
		snprintf(unknown, sizeof(unknown), "unknown error 0x%x",
			 (unsigned int)err);
		return unknown;
	}
	return entry->text;
}

const char *everr_name(everr_t err)
{
	const struct entry *entry = entry_find(err);

	return entry != NULL ? entry->name : "EVERR_?";
}

uint32_t everr_win32(everr_t err)
{
	const struct entry *entry = entry_find(err);

	return entry != NULL ? entry->win32 : (uint32_t)W_INTERNAL_ERROR;
}

unsigned int everr_http(everr_t err)
{
	const struct entry *entry = entry_find(err);

	return entry != NULL ? entry->http : 500;
}
