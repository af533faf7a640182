/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Text for a terminal: whatever goes in, no control character and no byte that
 * is not UTF-8 comes out.
 */

#include "base/text.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#include <stdlib.h>

/* The library's other parts want a table of verbs. */
const struct cli_verb *const cli_verbs[] = {NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct buf *out)
{
	size_t i;

	if (buf_error(out) != EVERR_OK ||
	    !text_utf8_valid((const char *)out->data, out->len)) {
		abort();
	}
	for (i = 0; i < out->len; i++) {
		/* C0 and DEL; and C1, whose first byte in UTF-8 is C2. */
		if (out->data[i] < 0x20 || out->data[i] == 0x7f) {
			abort();
		}
		if (out->data[i] == 0xc2 && i + 1 < out->len &&
		    out->data[i + 1] < 0xa0) {
			abort();
		}
	}
	buf_reset(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf out;

	if (size == 0 || size > 65536) {
		return 0;
	}
	buf_init(&out, NULL, 64 * 65536);
	terminal_put_text(&out, text, size, 0);
	check(&out);
	terminal_put_value(&out, text, size);
	check(&out);
	terminal_put_xml(&out, text, size);
	check(&out);
	terminal_put_json(&out, text, size);
	check(&out);
	buf_free(&out);
	return 0;
}
