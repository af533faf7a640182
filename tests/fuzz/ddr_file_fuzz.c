/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a discovery data record file; and as the text of one, in a
 * frame that is right.
 */

#include "tests/fuzz/bridge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const uint8_t *data, size_t size)
{
	const struct bridge_origin origin = {
		.computer = "host",
		.peer = "",
		.received = 134397620000000000ULL,
	};
	struct bridge_events *events = bridge_events_create(NULL);
	const char *reason = NULL;
	everr_t err;

	err = bridge_configmgr_ddr_file(events, &origin, "X.DDR", data, size,
					&reason);
	check_answer(events, err, events, reason);
	talloc_free(events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf framed;

	take(data, size);
	buf_init(&framed, NULL, size + 64);
	buf_put_u16(&framed, 1);
	buf_put_u16(&framed, 7711);
	buf_put_u32(&framed, 0x56460000);
	buf_put_u32(&framed, 0xB0);
	buf_put_u32(&framed, (uint32_t)size + 16);
	buf_put(&framed, data, size);
	buf_put_u32(&framed, 0x56460000);
	take(framed.data, framed.len);
	buf_free(&framed);
	return 0;
}
