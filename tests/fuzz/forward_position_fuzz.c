/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as an output's position: what is accepted is written again byte
 * for byte.
 */

#include "forward/position.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forward_position *position = NULL;
	struct buf out;
	everr_t err;

	err = forward_position_decode(NULL, data, size, &position);
	if (err != EVERR_OK) {
		return 0;
	}
	buf_init(&out, position, FORWARD_POSITION_MAX);
	err = forward_position_encode(&out, position);
	if (err == EVERR_OK &&
	    (out.len != size || memcmp(out.data, data, size) != 0)) {
		abort();
	}
	talloc_free(position);
	return 0;
}
