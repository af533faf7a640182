/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Every document of a file that evtx_to_wire.py wrote is packed and sent: what
 * comes out must be what went in, byte for byte, but for GUIDs that two
 * definitions share.  One TAP line for the file.
 */

#include "base/text.h"
#include "base/wintime.h"
#include "event/binxml.h"
#include "event/event.h"
#include "event/glance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64 * 1024 * 1024)

/* The GUID of the outer instance may differ; that of nested ones may too. */
struct totals {
	size_t events;
	size_t same;
	size_t minted;
	size_t complete;   /* System fields */
	size_t assignable; /* EventRecordID */
	size_t computers;
	size_t bytes;
};

static uint8_t *read_file(TALLOC_CTX *mem_ctx, const char *path, size_t *len)
{
	uint8_t *data = talloc_array(mem_ctx, uint8_t, FILE_MAX);
	FILE *f = fopen(path, "re");

	if (f == NULL || data == NULL) {
		perror(path);
		exit(1);
	}
	*len = fread(data, 1, FILE_MAX, f);
	fclose(f);
	return data;
}

/* Equal but for at most two runs of 16 bytes: the GUIDs. */
static bool same_but_guids(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t runs = 0;
	size_t i = 0;

	while (i < len) {
		if (a[i] == b[i]) {
			i++;
		} else {
			runs++;
			i += 16;
		}
	}
	return runs <= 2;
}

/* Between two texts, NUL-terminated; NULL: not there. */
static char *between(TALLOC_CTX *mem_ctx, const char *text, const char *from,
		     const char *to)
{
	const char *start = strstr(text, from);
	const char *end = NULL;

	if (start == NULL) {
		return NULL;
	}
	start += strlen(from);
	end = strstr(start, to);
	return end != NULL
		       ? talloc_strndup(mem_ctx, start, (size_t)(end - start))
		       : NULL;
}

/* At a glance: what the event's XML has. */
static bool same_at_a_glance(const struct event_glance *glance,
			     const struct buf *xml)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	char *text = talloc_strndup(frame, (char *)xml->data, xml->len);
	char *computer = between(frame, text, "<Computer>", "</Computer>");
	char *time = between(frame, text, "SystemTime='", "'");
	uint64_t filetime = 0;
	struct buf name;
	bool same = true;

	buf_init(&name, frame, EVENT_VALUE_MAX);
	text_utf16_to_utf8(&name, glance->computer, glance->computer_units);
	if (time != NULL && wintime_parse(time, &filetime) != EVERR_OK) {
		same = false;
	}
	same = same && glance->has_time == (time != NULL) &&
	       glance->time_created == filetime &&
	       (computer != NULL) == (glance->computer != NULL) &&
	       (computer == NULL ||
		(strlen(computer) == name.len &&
		 memcmp(computer, name.data, name.len) == 0));
	TALLOC_FREE(frame);
	return same;
}

static bool check_glance(struct event_glancer *glancer, struct event_dict *dict,
			 const uint8_t *doc, size_t len,
			 const struct event_packed *packed, struct buf *out,
			 struct totals *totals)
{
	struct event_glance glance = {0};
	everr_t err;

	err = event_glance(glancer, doc, len, &glance);
	if (err != EVERR_OK) {
		printf("# event %zu: glance: %s\n", totals->events,
		       everr_text(err));
		return false;
	}
	buf_reset(out);
	err = event_render_xml(out, dict, packed->data, packed->len, NULL);
	if (err != EVERR_OK || !same_at_a_glance(&glance, out)) {
		printf("# event %zu: a glance and its XML differ\n",
		       totals->events);
		return false;
	}
	totals->computers += glance.computer_units > 0;
	return true;
}

static bool check(struct event_packer *packer, struct event_glancer *glancer,
		  struct event_dict *dict, const uint8_t *doc, size_t len,
		  struct buf *out, struct totals *totals)
{
	struct event_packed packed = {0};
	everr_t err;

	err = event_pack(packer, doc, len, &packed);
	if (err != EVERR_OK) {
		printf("# event %zu: pack: %s\n", totals->events,
		       everr_text(err));
		return false;
	}
	buf_reset(out);
	err = event_packed_to_wire(out, dict, packed.data, packed.len);
	if (err != EVERR_OK || out->len != len || packed.wire_len != len) {
		printf("# event %zu: %zu bytes became %zu: %s\n",
		       totals->events, len, out->len, everr_text(err));
		return false;
	}
	totals->assignable += packed.record_id_offset != 0;
	if (memcmp(out->data, doc, len) == 0) {
		totals->same++;
	} else if (same_but_guids(out->data, doc, len)) {
		totals->minted++;
	} else {
		printf("# event %zu: other bytes\n", totals->events);
		return false;
	}
	if (!check_glance(glancer, dict, doc, len, &packed, out, totals)) {
		return false;
	}
	/* Rendered events have no Version and Opcode, damaged ones less. */
	totals->complete += packed.header.has == 0xFF;
	return (packed.header.has & EVENT_HAS_EVENT_ID) != 0;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct event_dict *dict = event_dict_create(mem_ctx, NULL);
	struct event_packer *packer = event_packer_create(mem_ctx, dict);
	struct event_glancer *glancer = event_glancer_create(mem_ctx);
	struct totals totals = {0};
	uint8_t *data = NULL;
	struct buf out;
	size_t len = 0, pos = 0, doc_len;
	bool good = true;

	if (argc != 2) {
		fprintf(stderr, "usage: corpus_check FILE\n");
		return 1;
	}
	data = read_file(mem_ctx, argv[1], &len);
	buf_init(&out, mem_ctx, EVENT_WIRE_MAX);
	while (pos + 4 <= len) {
		doc_len = le32_get(data + pos);
		pos += 4;
		if (doc_len > len - pos) {
			good = false;
			break;
		}
		good = check(packer, glancer, dict, data + pos, doc_len, &out,
			     &totals) &&
		       good;
		totals.events++;
		totals.bytes += doc_len;
		pos += doc_len;
	}
	good = good && totals.events > 0;
	printf("# %zu events of %zu bytes: %zu the same, %zu with another "
	       "GUID; %zu with all of System, %zu with a record id to "
	       "assign, %zu with a computer; %u templates\n",
	       totals.events, totals.bytes, totals.same, totals.minted,
	       totals.complete, totals.assignable, totals.computers,
	       event_dict_count(dict));
	printf("%sok 1 - real events come back byte for byte\n",
	       good ? "" : "not ");
	talloc_free(mem_ctx);
	return good ? 0 : 1;
}
