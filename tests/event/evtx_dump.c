/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The records of an .evtx file as RPC-form documents, each with a length in
 * front (u32, little endian), for comparisons with what other readers find;
 * with --xml as XML instead.  Damage goes to standard error.
 *
 * usage: evtx_dump [--backwards] [--xml] FILE
 */

#include "base/buf.h"
#include "event/evtx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, everr_t err)
{
	fprintf(stderr, "evtx_dump: %s: %s\n", what, everr_text(err));
	exit(1);
}

static void read_file(const char *path, struct buf *file)
{
	FILE *in = fopen(path, "re");
	uint8_t *p = NULL;
	size_t n = 1;

	if (in == NULL) {
		die(path, EVERR_IO);
	}
	while (n > 0) {
		p = buf_extend(file, 65536);
		n = p != NULL ? fread(p, 1, 65536, in) : 0;
		buf_truncate(file, file->len - 65536 + n);
	}
	fclose(in);
}

static void put(const uint8_t *data, size_t len)
{
	uint8_t head[4];

	le32_set(head, (uint32_t)len);
	fwrite(head, 1, sizeof(head), stdout);
	fwrite(data, 1, len, stdout);
}

static everr_t put_xml(struct event_packer *packer, struct event_dict *dict,
		       const struct event_evtx_record *record, struct buf *out)
{
	struct event_packed packed;
	everr_t err;

	err = event_pack(packer, record->doc, record->len, &packed);
	if (err != EVERR_OK) {
		return err;
	}
	buf_reset(out);
	err = event_render_xml(out, dict, packed.data, packed.len, NULL);
	if (err == EVERR_OK) {
		put(out->data, out->len);
	}
	return err;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_evtx_reader *reader = NULL;
	struct event_evtx_record record;
	struct event_evtx_damage damage;
	struct buf file, out;
	bool backwards = false;
	bool xml = false;
	everr_t err;
	int i;

	for (i = 1; i < argc - 1; i++) {
		backwards = backwards || strcmp(argv[i], "--backwards") == 0;
		xml = xml || strcmp(argv[i], "--xml") == 0;
	}
	buf_init(&file, mem_ctx, 1ULL << 32);
	buf_init(&out, mem_ctx, 64 * EVENT_WIRE_MAX);
	read_file(argv[argc - 1], &file);
	err = event_evtx_open(mem_ctx, file.data, file.len, &reader);
	if (err != EVERR_OK) {
		die("open", err);
	}
	if (backwards) {
		event_evtx_read_backwards(reader);
	}
	for (;;) {
		err = event_evtx_next(reader, &record, &damage);
		if (err == EVERR_EVTX) {
			fprintf(stderr, "%llu+%llu %s\n",
				(unsigned long long)damage.offset,
				(unsigned long long)damage.len, damage.message);
			continue;
		}
		if (err != EVERR_OK) {
			break;
		}
		if (!xml) {
			put(record.doc, record.len);
			continue;
		}
		err = put_xml(packer, dict, &record, &out);
		if (err != EVERR_OK) {
			fprintf(stderr, "%llu+0 record %llu: %s\n",
				(unsigned long long)record.offset,
				(unsigned long long)record.id, everr_text(err));
		}
	}
	talloc_free(mem_ctx);
	return err != EVERR_END || fflush(stdout) != 0;
}
