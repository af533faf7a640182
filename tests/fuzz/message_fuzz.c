/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any text as a message, with inserts that the input brings along: lines are
 * the message and up to 99 inserts.  With and without a publisher whose
 * parameters name each other.  A result is no longer than its limit, and
 * nothing is left of a refused one.
 */

#include "event/catalog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void format(const struct event_publisher *publisher, const char *message,
		   const char *const *inserts, size_t num)
{
	struct buf out;
	everr_t err;

	buf_init(&out, NULL, 2 * EVENT_MESSAGE_MAX);
	buf_puts(&out, "x");
	err = event_message_format(&out, publisher, 0, message, inserts, num);
	must(out.len >= 1 && out.len <= 1 + EVENT_MESSAGE_MAX);
	must(err == EVERR_OK || (err == EVERR_LIMIT && out.len == 1));
	buf_free(&out);
}

static void format_both(const char *message, const char *const *inserts,
			size_t num)
{
	struct event_manifest_message texts[] = {{1, "one%n%1%%2\r\n"},
						 {2, "%%1!5d!\n"}};
	struct event_manifest_strings strings = {
		.culture = "en-US",
		.lcid = 0x409,
		.messages = texts,
		.num_messages = 2,
		.parameters = texts,
		.num_parameters = 2,
	};
	const struct event_publisher publisher = {.strings = &strings,
						  .num_strings = 1};

	format(NULL, message, inserts, num);
	format(&publisher, message, inserts, num);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *lines[1 + EVENT_MESSAGE_INSERTS_MAX];
	size_t num = 0;
	char *text = strndup((const char *)data, size);
	char *rest = text;

	must(text != NULL);
	while (num < 1 + EVENT_MESSAGE_INSERTS_MAX && rest != NULL) {
		lines[num++] = strsep(&rest, "\n");
	}
	format_both(lines[0], lines + 1, num - 1);
	free(text);
	return 0;
}
