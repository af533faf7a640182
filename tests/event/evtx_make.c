/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An .evtx file of the documents on standard input, each with a length in
 * front (u32, little endian), for tests and benchmarks.
 *
 * usage: evtx_make FILE
 *
 * For each document a line: "ok", or the error it was refused with.
 */

#include "base/buf.h"
#include "event/evtx.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, everr_t err)
{
	fprintf(stderr, "evtx_make: %s: %s\n", what, everr_text(err));
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

static void write_chunk(FILE *out, const uint8_t *chunk)
{
	if (chunk != NULL) {
		fwrite(chunk, 1, EVENT_EVTX_CHUNK_SIZE, out);
	}
}

static void finish(struct event_evtx_writer *writer, FILE *out)
{
	uint8_t header[EVENT_EVTX_HEADER_SIZE];
	const uint8_t *chunk = NULL;
	everr_t err;

	err = event_evtx_finish(writer, &chunk, header);
	if (err != EVERR_OK) {
		die("finish", err);
	}
	write_chunk(out, chunk);
	rewind(out);
	fwrite(header, 1, sizeof(header), out);
	if (ferror(out) || fclose(out) != 0) {
		die("write", EVERR_IO);
	}
}

int main(int argc, char **argv)
{
	static const uint8_t room[EVENT_EVTX_HEADER_SIZE];
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_evtx_writer *writer = NULL;
	struct event_packed packed;
	const uint8_t *chunk = NULL;
	FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;
	struct buf doc;
	everr_t err;

	if (out == NULL) {
		perror("evtx_make");
		return 1;
	}
	err = event_evtx_writer_create(mem_ctx, dict, &writer);
	if (err != EVERR_OK) {
		die("create", err);
	}
	fwrite(room, 1, sizeof(room), out);
	buf_init(&doc, mem_ctx, 2 * EVENT_WIRE_MAX);
	while (read_document(stdin, &doc)) {
		err = event_pack(packer, doc.data, doc.len, &packed);
		if (err == EVERR_OK) {
			err = event_evtx_add(writer, packed.data, packed.len,
					     packed.header.time_created,
					     &chunk);
		}
		if (err == EVERR_OK) {
			write_chunk(out, chunk);
		}
		puts(err == EVERR_OK ? "ok" : everr_name(err));
	}
	finish(writer, out);
	talloc_free(mem_ctx);
	return ferror(stdin) || fflush(stdout) != 0;
}
