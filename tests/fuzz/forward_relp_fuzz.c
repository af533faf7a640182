/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as what a RELP server sends, in pieces whose length is the first
 * byte.  Frames keep their bounds; in one piece they are the same.
 */

#include "forward/relp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_answer(const struct relp_frame *frame)
{
	const uint8_t *offers = NULL;
	char text[RELP_TEXT_MAX];
	unsigned int code = 0;
	size_t i, len = 0;
	everr_t err;

	err = relp_answer_parse(frame->data, frame->len, &code, text, &offers,
				&len);
	if (err != EVERR_OK) {
		must(err == EVERR_PROTOCOL);
		return;
	}
	must(code <= 999 && strlen(text) < RELP_TEXT_MAX);
	for (i = 0; text[i] != '\0'; i++) {
		must(text[i] >= 0x20 && text[i] < 0x7f);
	}
	must(offers >= frame->data && len <= frame->len &&
	     offers + len == frame->data + frame->len);
	(void)relp_offers(offers, len, "commands", "syslog");
}

static void check_frame(const struct relp_frame *frame)
{
	must(frame->txnr <= RELP_TXNR_MAX);
	must(strlen(frame->command) >= 1 &&
	     strlen(frame->command) <= RELP_COMMAND_MAX);
	must(frame->len <= RELP_DATA_MAX);
	check_answer(frame);
}

/* A sum over all frames, to compare. */
static everr_t run(const uint8_t *data, size_t size, size_t step,
		   uint64_t *ret_sum)
{
	struct relp_parser *parser = malloc(sizeof(*parser));
	uint64_t sum = 0;
	everr_t err = EVERR_END;

	must(parser != NULL);
	relp_parser_init(parser);
	while (size > 0 && err != EVERR_PROTOCOL) {
		size_t part = step < size ? step : size;
		const uint8_t *p = data;
		size_t left = part;
		struct relp_frame frame;

		err = relp_parser_feed(parser, &p, &left, &frame);
		if (err == EVERR_OK) {
			check_frame(&frame);
			sum = sum * 31 + frame.txnr + frame.len;
		} else {
			must(err == EVERR_PROTOCOL || left == 0);
		}
		data += part - left;
		size -= part - left;
	}
	free(parser);
	*ret_sum = sum;
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = 0;
	uint64_t pieces = 0;
	everr_t err;

	if (size < 2) {
		return 0;
	}
	err = run(data + 1, size - 1, size, &whole);
	must(run(data + 1, size - 1, data[0] + 1U, &pieces) == err);
	must(whole == pieces);
	return 0;
}
