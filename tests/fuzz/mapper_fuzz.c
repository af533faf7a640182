/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What an endpoint mapper answers: any bytes give a port or an error. */

#include "collect/mapper.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t port = 0;
	everr_t err;

	err = collect_mapper_reply(data, size, &port);
	if ((err == EVERR_OK) != (port != 0)) {
		abort();
	}
	return 0;
}
