/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_rows.h"

#include <ctype.h>
#include <stdio.h>

#define ROW_VERSION 1

#define SERVER_MAGIC 0x53575645u   /* "EVWS" */
#define COMPUTER_MAGIC 0x43575645u /* "EVWC" */
#define ACTIVITY_MAGIC 0x41575645u /* "EVWA" */

#define SERVER_REPLICA 0x0001
#define SERVER_COUNTERS 0x0002
#define SERVER_REPORTING 0x0004
#define COMPUTER_DETAILS 0x0001
#define COMPUTER_UNTOLD 0x0002

#define ACTIVITY_SIZE 36

/* -------------------------------------------------------------- names */

static void guid_name(const char *prefix, const struct ev_guid *id,
		      char name[WSUS_ROW_NAME_SIZE])
{
	char text[EV_GUID_TEXT_SIZE];
	size_t i;

	ev_guid_format(id, text);
	for (i = 0; text[i] != '\0'; i++) {
		text[i] = (char)tolower((unsigned char)text[i]);
	}
	snprintf(name, WSUS_ROW_NAME_SIZE, "%s%.36s", prefix, text + 1);
}

void wsus_server_row_name(const struct ev_guid *id,
			  char name[WSUS_ROW_NAME_SIZE])
{
	guid_name(WSUS_ROW_SERVER, id, name);
}

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_';
}

/* Without padding: the name's end is the end. */
static void put_base64url(char *to, const char *id, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned int num_bits = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | (uint8_t)id[i];
		num_bits += 8;
		while (num_bits >= 6) {
			num_bits -= 6;
			*to++ = digits[bits >> num_bits & 63];
		}
	}
	if (num_bits > 0) {
		*to++ = digits[bits << (6 - num_bits) & 63];
	}
	*to = '\0';
}

everr_t wsus_computer_row_name(const char *prefix, const char *id,
			       char name[WSUS_ROW_NAME_SIZE])
{
	char lower[WSUS_COMPUTER_ID_MAX + 1];
	size_t len = strlen(id);
	size_t at = strlen(prefix);
	bool all_plain = true;
	size_t i;

	if (len == 0 || len > WSUS_COMPUTER_ID_MAX) {
		return EVERR_LIMIT;
	}
	for (i = 0; i <= len; i++) {
		char c = id[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
		all_plain = all_plain && (i == len || plain(lower[i]));
	}
	memcpy(name, prefix, at);
	if (all_plain) {
		memcpy(name + at, lower, len + 1);
	} else {
		name[at] = '=';
		put_base64url(name + at + 1, lower, len);
	}
	return EVERR_OK;
}

void wsus_activity_row_name(const struct ev_guid *server,
			    const struct bridge_wsus_os *os,
			    char name[WSUS_ROW_NAME_SIZE])
{
	char text[WSUS_ROW_NAME_SIZE];
	char prefix[WSUS_ROW_NAME_SIZE];
	uint8_t space[4096];
	struct buf bytes = {
		.data = space,
		.size = sizeof(space),
		.max = sizeof(space),
	};
	struct ev_guid digest;

	wsus_os_encode(&bytes, os);
	ev_guid_from_bytes(bytes.data, bytes.len, &digest);
	guid_name(WSUS_ROW_ACTIVITY, server, text);
	snprintf(prefix, sizeof(prefix), "%.100s/", text);
	guid_name(prefix, &digest, name);
}

/* ---------------------------------------------------------- comparing */

bool wsus_text_equal(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool wsus_os_equal(const struct bridge_wsus_os *a,
		   const struct bridge_wsus_os *b)
{
	return a->major == b->major && a->minor == b->minor &&
	       a->build == b->build && a->sp_major == b->sp_major &&
	       a->sp_minor == b->sp_minor && a->suite_mask == b->suite_mask &&
	       a->old_product_type == b->old_product_type &&
	       a->new_product_type == b->new_product_type &&
	       a->system_metrics == b->system_metrics &&
	       wsus_text_equal(a->locale, b->locale) &&
	       wsus_text_equal(a->architecture, b->architecture);
}

/* ------------------------------------------------------------ writing */

static void put_head(struct buf *out, uint32_t magic, uint16_t flags)
{
	buf_put_u32(out, magic);
	buf_put_u16(out, ROW_VERSION);
	buf_put_u16(out, flags);
}

static void put_i32(struct buf *out, int32_t value)
{
	buf_put_u32(out, (uint32_t)value);
}

static void put_text(struct buf *out, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	buf_put_u32(out, (uint32_t)len);
	buf_put(out, text, len);
}

static void put_guid(struct buf *out, const struct ev_guid *guid)
{
	buf_put(out, guid->b, sizeof(guid->b));
}

void wsus_os_encode(struct buf *out, const struct bridge_wsus_os *os)
{
	put_i32(out, os->major);
	put_i32(out, os->minor);
	put_i32(out, os->build);
	put_i32(out, os->sp_major);
	put_i32(out, os->sp_minor);
	put_i32(out, os->suite_mask);
	put_i32(out, os->old_product_type);
	put_i32(out, os->new_product_type);
	put_i32(out, os->system_metrics);
	put_text(out, os->locale);
	put_text(out, os->architecture);
}

void wsus_server_encode(struct buf *out, const struct wsus_server_row *row)
{
	const struct bridge_wsus_server *server = &row->server;
	uint16_t flags = 0;
	size_t i;

	flags |= server->replica ? SERVER_REPLICA : 0;
	flags |= server->has_counters ? SERVER_COUNTERS : 0;
	flags |= row->reporting ? SERVER_REPORTING : 0;
	put_head(out, SERVER_MAGIC, flags);
	put_guid(out, &server->parent);
	buf_put_u64(out, row->first_seen);
	buf_put_u64(out, server->last_sync);
	buf_put_u64(out, server->last_rollup);
	buf_put_u64(out, row->sent_rollup);
	for (i = 0; i < BRIDGE_WSUS_COUNTERS; i++) {
		put_i32(out, server->counters[i]);
	}
	put_text(out, server->name);
	put_text(out, server->version);
	buf_put_u32(out, row->num_systems);
	buf_put_u32(out, row->num_parts);
	buf_put(out, row->parts, row->num_parts * sizeof(*row->parts));
}

static void put_details(struct buf *out,
			const struct bridge_wsus_computer *computer)
{
	wsus_os_encode(out, &computer->os);
	buf_put_u64(out, computer->bios_date);
	put_text(out, computer->name);
	put_text(out, computer->address);
	put_text(out, computer->os_family);
	put_text(out, computer->os_description);
	put_text(out, computer->make);
	put_text(out, computer->model);
	put_text(out, computer->bios_version);
	put_text(out, computer->bios_name);
	put_text(out, computer->client_version);
	put_text(out, computer->target_groups);
	put_text(out, computer->requested_groups);
}

void wsus_computer_encode(struct buf *out, const struct wsus_computer_row *row)
{
	const struct bridge_wsus_computer *computer = &row->computer;
	uint16_t flags = 0;

	flags |= computer->has_details ? COMPUTER_DETAILS : 0;
	flags |= row->untold ? COMPUTER_UNTOLD : 0;
	put_head(out, COMPUTER_MAGIC, flags);
	put_guid(out, &computer->parent);
	buf_put_u64(out, computer->last_sync);
	put_i32(out, computer->last_sync_result);
	put_i32(out, row->rollup_number);
	buf_put_u64(out, row->detection);
	buf_put_u64(out, computer->last_reboot);
	buf_put_u64(out, computer->last_status);
	buf_put_u64(out, computer->last_inventory);
	put_text(out, computer->id);
	if (computer->has_details) {
		put_details(out, computer);
	}
}

void wsus_activity_encode(struct buf *out,
			  const struct wsus_activity_rows *rows)
{
	size_t i;

	put_head(out, ACTIVITY_MAGIC, 0);
	buf_put_u32(out, (uint32_t)rows->num);
	for (i = 0; i < rows->num; i++) {
		const struct wsus_activity_row *row = &rows->rows[i];

		put_guid(out, &row->update);
		put_i32(out, row->revision);
		buf_put_u64(out, row->succeeded);
		buf_put_u64(out, row->failed);
	}
}

/* ------------------------------------------------------------ reading */

/* The first failure sticks; what is read after it is zero. */
struct row_reader {
	TALLOC_CTX *mem_ctx;
	const uint8_t *p;
	size_t left;
	everr_t err;
};

static const uint8_t *take(struct row_reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->err != EVERR_OK || len > r->left) {
		r->err = r->err != EVERR_OK ? r->err : EVERR_STORE_CORRUPT;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

static uint32_t take_u32(struct row_reader *r)
{
	const uint8_t *p = take(r, 4);

	return p != NULL ? le32_get(p) : 0;
}

static int32_t take_i32(struct row_reader *r)
{
	return (int32_t)take_u32(r);
}

static uint64_t take_u64(struct row_reader *r)
{
	const uint8_t *p = take(r, 8);

	return p != NULL ? le64_get(p) : 0;
}

static struct ev_guid take_guid(struct row_reader *r)
{
	struct ev_guid guid = {};
	const uint8_t *p = take(r, sizeof(guid.b));

	if (p != NULL) {
		memcpy(guid.b, p, sizeof(guid.b));
	}
	return guid;
}

/* "" comes back as NULL. */
static const char *take_text(struct row_reader *r)
{
	uint32_t len = take_u32(r);
	const uint8_t *p = take(r, len);
	char *text = NULL;

	if (p == NULL || len == 0) {
		return NULL;
	}
	if (memchr(p, '\0', len) != NULL) {
		r->err = EVERR_STORE_CORRUPT;
		return NULL;
	}
	text = talloc_strndup(r->mem_ctx, (const char *)p, len);
	if (text == NULL) {
		r->err = EVERR_NOMEM;
	}
	return text;
}

static uint16_t take_head(struct row_reader *r, uint32_t magic)
{
	const uint8_t *p = take(r, 8);

	if (p == NULL || le32_get(p) != magic) {
		r->err = EVERR_STORE_CORRUPT;
		return 0;
	}
	if (le16_get(p + 4) != ROW_VERSION) {
		r->err = EVERR_STORE_VERSION;
		return 0;
	}
	return le16_get(p + 6);
}

static everr_t take_end(struct row_reader *r)
{
	if (r->err == EVERR_OK && r->left > 0) {
		r->err = EVERR_STORE_CORRUPT;
	}
	return r->err;
}

static void take_os(struct row_reader *r, struct bridge_wsus_os *os)
{
	os->major = take_i32(r);
	os->minor = take_i32(r);
	os->build = take_i32(r);
	os->sp_major = take_i32(r);
	os->sp_minor = take_i32(r);
	os->suite_mask = take_i32(r);
	os->old_product_type = take_i32(r);
	os->new_product_type = take_i32(r);
	os->system_metrics = take_i32(r);
	os->locale = take_text(r);
	os->architecture = take_text(r);
}

static void take_parts(struct row_reader *r, struct wsus_server_row *row)
{
	const uint8_t *p = NULL;

	row->num_parts = take_u32(r);
	if (row->num_parts > WSUS_SERVER_PARTS_MAX) {
		r->err = EVERR_STORE_CORRUPT;
		return;
	}
	p = take(r, row->num_parts * sizeof(*row->parts));
	if (p == NULL || row->num_parts == 0) {
		return;
	}
	row->parts = talloc_memdup(r->mem_ctx, p,
				   row->num_parts * sizeof(*row->parts));
	if (row->parts == NULL) {
		r->err = EVERR_NOMEM;
	}
}

everr_t wsus_server_decode(TALLOC_CTX *mem_ctx, const struct ev_guid *id,
			   const uint8_t *data, size_t len,
			   struct wsus_server_row *ret_row)
{
	struct row_reader r = {.mem_ctx = mem_ctx, .p = data, .left = len};
	struct wsus_server_row row = {.server.id = *id};
	uint16_t flags;
	everr_t err;
	size_t i;

	flags = take_head(&r, SERVER_MAGIC);
	row.server.replica = (flags & SERVER_REPLICA) != 0;
	row.server.has_counters = (flags & SERVER_COUNTERS) != 0;
	row.reporting = (flags & SERVER_REPORTING) != 0;
	row.server.parent = take_guid(&r);
	row.first_seen = take_u64(&r);
	row.server.last_sync = take_u64(&r);
	row.server.last_rollup = take_u64(&r);
	row.sent_rollup = take_u64(&r);
	for (i = 0; i < BRIDGE_WSUS_COUNTERS; i++) {
		row.server.counters[i] = take_i32(&r);
	}
	row.server.name = take_text(&r);
	row.server.version = take_text(&r);
	row.num_systems = take_u32(&r);
	take_parts(&r, &row);
	err = take_end(&r);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_row = row;
	return EVERR_OK;
}

static void take_details(struct row_reader *r,
			 struct bridge_wsus_computer *computer)
{
	computer->has_details = true;
	take_os(r, &computer->os);
	computer->bios_date = take_u64(r);
	computer->name = take_text(r);
	computer->address = take_text(r);
	computer->os_family = take_text(r);
	computer->os_description = take_text(r);
	computer->make = take_text(r);
	computer->model = take_text(r);
	computer->bios_version = take_text(r);
	computer->bios_name = take_text(r);
	computer->client_version = take_text(r);
	computer->target_groups = take_text(r);
	computer->requested_groups = take_text(r);
}

everr_t wsus_computer_decode(TALLOC_CTX *mem_ctx, const uint8_t *data,
			     size_t len, struct wsus_computer_row *ret_row)
{
	struct row_reader r = {.mem_ctx = mem_ctx, .p = data, .left = len};
	struct wsus_computer_row row = {};
	struct bridge_wsus_computer *computer = &row.computer;
	uint16_t flags;
	everr_t err;

	flags = take_head(&r, COMPUTER_MAGIC);
	row.untold = (flags & COMPUTER_UNTOLD) != 0;
	computer->parent = take_guid(&r);
	computer->last_sync = take_u64(&r);
	computer->last_sync_result = take_i32(&r);
	row.rollup_number = take_i32(&r);
	row.detection = take_u64(&r);
	computer->last_reboot = take_u64(&r);
	computer->last_status = take_u64(&r);
	computer->last_inventory = take_u64(&r);
	computer->id = take_text(&r);
	if ((flags & COMPUTER_DETAILS) != 0) {
		take_details(&r, computer);
	}
	err = take_end(&r);
	if (err != EVERR_OK) {
		return err;
	}
	if (computer->id == NULL ||
	    strlen(computer->id) > WSUS_COMPUTER_ID_MAX) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_row = row;
	return EVERR_OK;
}

/* ----------------------------------------------------------- activity */

static everr_t activity_check(const struct wsus_activity_rows *rows)
{
	size_t i;

	for (i = 1; i < rows->num; i++) {
		if (memcmp(&rows->rows[i - 1].update, &rows->rows[i].update,
			   sizeof(struct ev_guid)) >= 0) {
			return EVERR_STORE_CORRUPT;
		}
	}
	return EVERR_OK;
}

everr_t wsus_activity_decode(TALLOC_CTX *mem_ctx, const uint8_t *data,
			     size_t len, struct wsus_activity_rows *ret_rows)
{
	struct row_reader r = {.mem_ctx = mem_ctx, .p = data, .left = len};
	struct wsus_activity_rows rows = {};
	everr_t err;
	size_t i;

	(void)take_head(&r, ACTIVITY_MAGIC);
	rows.num = take_u32(&r);
	if (r.err == EVERR_OK && r.left != rows.num * ACTIVITY_SIZE) {
		return EVERR_STORE_CORRUPT;
	}
	if (r.err != EVERR_OK) {
		return r.err;
	}
	rows.rows = talloc_array(mem_ctx, struct wsus_activity_row, rows.num);
	if (rows.rows == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < rows.num; i++) {
		rows.rows[i].update = take_guid(&r);
		rows.rows[i].revision = take_i32(&r);
		rows.rows[i].succeeded = take_u64(&r);
		rows.rows[i].failed = take_u64(&r);
	}
	err = activity_check(&rows);
	if (err != EVERR_OK) {
		TALLOC_FREE(rows.rows);
		return err;
	}
	*ret_rows = rows;
	return EVERR_OK;
}

/* Where the update is, or belongs. */
static size_t activity_place(const struct wsus_activity_rows *rows,
			     const struct ev_guid *update)
{
	size_t low = 0, high = rows->num;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&rows->rows[middle].update, update,
			   sizeof(*update)) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static everr_t activity_insert(TALLOC_CTX *mem_ctx,
			       struct wsus_activity_rows *rows, size_t at,
			       const struct ev_guid *update)
{
	struct wsus_activity_row *grown = NULL;

	if (rows->num >= WSUS_ACTIVITY_ROWS_MAX) {
		return EVERR_LIMIT;
	}
	if (rows->num >= talloc_array_length(rows->rows)) {
		grown = talloc_realloc(mem_ctx, rows->rows,
				       struct wsus_activity_row,
				       rows->num + rows->num / 2 + 16);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		rows->rows = grown;
	}
	memmove(&rows->rows[at + 1], &rows->rows[at],
		(rows->num - at) * sizeof(*rows->rows));
	rows->rows[at] = (struct wsus_activity_row){.update = *update};
	rows->num++;
	return EVERR_OK;
}

everr_t wsus_activity_add(TALLOC_CTX *mem_ctx, struct wsus_activity_rows *rows,
			  const struct bridge_wsus_activity *more)
{
	size_t at = activity_place(rows, &more->update);
	struct wsus_activity_row *row = NULL;
	everr_t err;

	if (at == rows->num ||
	    !ev_guid_equal(&rows->rows[at].update, &more->update)) {
		err = activity_insert(mem_ctx, rows, at, &more->update);
		if (err != EVERR_OK) {
			return err;
		}
	}
	row = &rows->rows[at];
	row->revision = more->revision;
	row->succeeded += more->succeeded > 0 ? (uint32_t)more->succeeded : 0;
	row->failed += more->failed > 0 ? (uint32_t)more->failed : 0;
	return EVERR_OK;
}
