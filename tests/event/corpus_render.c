/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Every document of a file that evtx_to_wire.py wrote, as XML, each with a
 * length in front (u32, little endian): for a comparison with what others
 * make of the same events.
 */

#include "base/buf.h"
#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, everr_t err)
{
	fprintf(stderr, "%s: %s\n", what, everr_text(err));
	exit(1);
}

/* The next document; false at the end of the file. */
static bool read_document(FILE *in, struct buf *doc)
{
	uint8_t len[4];
	uint8_t *p = NULL;

	if (fread(len, 1, sizeof(len), in) != sizeof(len)) {
		return false;
	}
	buf_reset(doc);
	p = buf_extend(doc, le32_get(len));
	return p != NULL && fread(p, 1, le32_get(len), in) == le32_get(len);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_packed packed;
	struct buf doc, out;
	uint8_t len[4];
	everr_t err;

	buf_init(&doc, mem_ctx, EVENT_WIRE_MAX);
	buf_init(&out, mem_ctx, 16 * EVENT_WIRE_MAX);
	while (read_document(stdin, &doc)) {
		err = event_pack(packer, doc.data, doc.len, &packed);
		if (err != EVERR_OK) {
			die("pack", err);
		}
		buf_reset(&out);
		err = event_render_xml(&out, dict, packed.data, packed.len,
				       NULL);
		if (err != EVERR_OK) {
			die("render", err);
		}
		le32_set(len, (uint32_t)out.len);
		fwrite(len, 1, sizeof(len), stdout);
		fwrite(out.data, 1, out.len, stdout);
	}
	talloc_free(mem_ctx);
	return ferror(stdin) || fflush(stdout) != 0;
}
