/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a message's parts.  The first byte is the endpoint; FF FF FF
 * FF stands between parts.
 */

#include "tests/fuzz/bridge.h"

#define PARTS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split(const uint8_t *data, size_t size, struct bridge_part *parts)
{
	static const uint8_t between[] = {0xFF, 0xFF, 0xFF, 0xFF};
	size_t num = 0;

	while (num < PARTS_MAX) {
		const uint8_t *end = memmem(data, size, between, 4);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		parts[num++] = (struct bridge_part){.data = data, .len = len};
		if (end == NULL) {
			break;
		}
		data += len + 4;
		size -= len + 4;
	}
	return num;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const endpoints[] = {
		"MP_DdrEndpoint",   "MP_HinvEndpoint", "MP_SinvEndpoint",
		"MP_RelayEndpoint", "StatusReceiver",
	};
	const struct bridge_origin origin = {
		.computer = "host",
		.peer = "192.0.2.1",
		.received = 134397620000000000ULL,
	};
	struct bridge_part parts[PARTS_MAX];
	struct bridge_message message = {
		.id = "{00000000-0000-0000-0000-000000000001}",
		.source_id = "GUID:01234567-89AB-CDEF-0123-456789ABCDEF",
		.source_host = "PC01",
		.parts = parts,
	};
	struct bridge_events *events = NULL;
	const char *reason = NULL;
	everr_t err;

	if (size == 0) {
		return 0;
	}
	message.endpoint = endpoints[data[0] % 5];
	message.num_parts = split(data + 1, size - 1, parts);
	events = bridge_events_create(NULL);
	err = bridge_configmgr_message(events, &origin, &message, &reason);
	check_answer(events, err, events, reason);
	talloc_free(events);
	return 0;
}
