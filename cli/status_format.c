/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/status.h"

#include "base/text.h"
#include "base/wintime.h"
#include "cli/fields.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* A duration, a size or a number as text. */
#define SHORT_MAX 32
/* Bytes of a line or a paragraph, made safe. */
#define PARAGRAPH_MAX (64 * 1024)
/* Lines of a table besides its rows: blank, summary, titles, "and more". */
#define FRAME_LINES 4
/* What a table has at least, if it has so many. */
#define ROWS_MIN 3
/* Errors that are told in full below a table. */
#define ERRORS_MAX 10
/* Port of the endpoint mapper, unless set otherwise. */
#define ENDPOINT_MAPPER 135
/* Columns beside the name in a table of channels, hosts, a host's channels,
 * outputs. */
#define CHANNEL_COLUMNS 50
#define HOST_COLUMNS 53
#define FEED_COLUMNS 68
#define OUTPUT_COLUMNS 54
/* Columns that a name in a window has at least, and the bytes of it. */
#define NAME_COLUMNS 20
#define NAME_MAX_BYTES 1024

/* ------------------------------------------------------------- members */

static const char *get_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char *text_or_dash(const json_t *object, const char *name)
{
	const char *text = get_text(object, name);

	return text != NULL ? text : "-";
}

static double get_number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static uint64_t get_count(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

static bool get_bool(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

/* FILETIME; 0: none. */
static uint64_t get_time(const json_t *object, const char *name)
{
	const char *text = get_text(object, name);
	uint64_t time = 0;

	if (text == NULL || wintime_parse(text, &time) != EVERR_OK) {
		return 0;
	}
	return time;
}

/* {"failure": {"text": ...}}, or {"last_error": ...}; NULL: none. */
static const char *get_error(const json_t *object)
{
	const char *text = get_text(json_object_get(object, "failure"), "text");

	return text != NULL ? text : get_text(object, "last_error");
}

/* --------------------------------------------------------------- texts */

static void duration_text(uint64_t seconds, char text[SHORT_MAX])
{
	if (seconds >= 86400) {
		snprintf(text, SHORT_MAX, "%" PRIu64 "d %" PRIu64 "h",
			 seconds / 86400, seconds / 3600 % 24);
	} else if (seconds >= 3600) {
		snprintf(text, SHORT_MAX, "%" PRIu64 "h %" PRIu64 "m",
			 seconds / 3600, seconds / 60 % 60);
	} else if (seconds >= 60) {
		snprintf(text, SHORT_MAX, "%" PRIu64 "m %" PRIu64 "s",
			 seconds / 60, seconds % 60);
	} else {
		snprintf(text, SHORT_MAX, "%" PRIu64 "s", seconds);
	}
}

/* How long ago; "-": never. */
static void age_text(uint64_t now, uint64_t time, char text[SHORT_MAX])
{
	char since[SHORT_MAX];

	if (time == 0) {
		snprintf(text, SHORT_MAX, "-");
		return;
	}
	duration_text(now > time ? (now - time) / WINTIME_SECOND : 0, since);
	snprintf(text, SHORT_MAX, "%.20s ago", since);
}

static void lag_text(uint64_t seconds, char text[SHORT_MAX])
{
	if (seconds == 0) {
		snprintf(text, SHORT_MAX, "-");
		return;
	}
	duration_text(seconds, text);
}

static void size_text(uint64_t bytes, char text[SHORT_MAX])
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1024 && unit < 6) {
		size /= 1024;
		unit++;
	}
	snprintf(text, SHORT_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", size,
		 units[unit]);
}

static void micros_text(uint64_t us, char text[SHORT_MAX])
{
	if (us < 1000) {
		snprintf(text, SHORT_MAX, "%" PRIu64 " us", us);
	} else {
		snprintf(text, SHORT_MAX, "%.1f ms", (double)us / 1000);
	}
}

/* ---------------------------------------------------------------- rows */

/* How much a row needs to be looked at. */
enum rank {
	RANK_WELL,
	RANK_WARNING,
	RANK_ERROR
};

static const enum terminal_style rank_styles[] = {
	[RANK_WELL] = TERMINAL_PLAIN,
	[RANK_WARNING] = TERMINAL_WARNING,
	[RANK_ERROR] = TERMINAL_ERROR,
};

/* A host, output or channel, as far as its row speaks of it. */
struct row {
	const json_t *object;
	const char *name;
	size_t index; /* where it came */
	enum rank rank;
	const char *state;
	const char *error;
	uint64_t channels;
	uint64_t channels_ok;
	uint64_t lag_events;
	uint64_t lag_seconds;
	uint64_t gaps;
	uint64_t newest; /* of a channel: time of its last write */
	double rate;
};

struct rows {
	struct row *rows;
	size_t num;
	size_t num_bad; /* not well */
	size_t more;	/* that the service left out */
};

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;

	if (x->rank != y->rank) {
		return x->rank > y->rank ? -1 : 1;
	}
	if (x->lag_events != y->lag_events) {
		return x->lag_events > y->lag_events ? -1 : 1;
	}
	if (x->newest != y->newest) {
		return x->newest > y->newest ? -1 : 1;
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Errors begin with the host, which stands in the row already. */
static const char *without_name(const char *error, const char *name)
{
	size_t len = strlen(name);

	if (error != NULL && strncmp(error, name, len) == 0 &&
	    strncmp(error + len, ": ", 2) == 0) {
		return error + len + 2;
	}
	return error;
}

/* The channel of a host, or of an output, joins its row. */
static void add_feed(struct row *row, const json_t *feed)
{
	const char *state = get_text(feed, "state");
	uint64_t seconds = get_count(feed, "lag_seconds");
	bool reading = state == NULL || strcmp(state, "reading") == 0;
	bool ok = reading && !get_bool(feed, "silent");

	row->channels++;
	row->channels_ok += reading ? 1 : 0;
	row->rate += get_number(feed, "rate");
	row->lag_events += get_count(feed, "lag_events");
	row->gaps += get_count(feed, "gaps");
	if (seconds > row->lag_seconds) {
		row->lag_seconds = seconds;
	}
	if (!ok || get_count(feed, "mismatched") > 0) {
		row->rank = row->rank > RANK_WARNING ? row->rank : RANK_WARNING;
	}
	if (!reading && row->error == NULL) {
		row->error = get_error(feed);
	}
	if (reading && row->error == NULL && get_bool(feed, "silent")) {
		row->error = "silent: no event for longer than it may be";
	}
	if (row->error == NULL && get_count(feed, "mismatched") > 0) {
		row->error = "events name another computer";
	}
}

static void read_host(struct row *row)
{
	const json_t *feeds = json_object_get(row->object, "channels");
	size_t i;

	row->name = text_or_dash(row->object, "host");
	row->state = text_or_dash(row->object, "state");
	if (strcmp(row->state, "up") != 0) {
		row->rank = RANK_ERROR;
		row->error = get_error(row->object);
	}
	for (i = 0; i < json_array_size(feeds); i++) {
		add_feed(row, json_array_get(feeds, i));
	}
	row->error = without_name(row->error, row->name);
}

static void read_output(struct row *row)
{
	const json_t *lanes = json_object_get(row->object, "channels");
	size_t i;

	row->name = text_or_dash(row->object, "name");
	row->state = text_or_dash(row->object, "state");
	if (strcmp(row->state, "up") != 0) {
		row->rank = RANK_ERROR;
	} else if (json_is_object(json_object_get(row->object, "refused"))) {
		row->rank = RANK_WARNING;
	}
	for (i = 0; i < json_array_size(lanes); i++) {
		add_feed(row, json_array_get(lanes, i));
	}
	/* Of one that is up again it is the last it had. */
	row->error = row->rank != RANK_WELL ? get_error(row->object) : NULL;
	row->rate = get_number(row->object, "rate");
	row->gaps = get_count(row->object, "gaps");
}

static void read_channel(struct row *row)
{
	row->name = text_or_dash(row->object, "name");
	row->newest = get_time(row->object, "last_write");
	if (get_bool(row->object, "full")) {
		row->rank = RANK_ERROR;
		row->state = "full";
	} else if (json_is_false(json_object_get(row->object, "enabled"))) {
		row->state = "disabled";
	} else {
		row->state = "";
	}
}

static everr_t rows_read(TALLOC_CTX *mem_ctx, const json_t *array,
			 void (*read)(struct row *row), struct rows *ret_rows)
{
	struct rows rows = {.num = json_array_size(array)};
	size_t i;

	rows.rows = talloc_zero_array(mem_ctx, struct row, rows.num);
	if (rows.rows == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < rows.num; i++) {
		rows.rows[i].object = json_array_get(array, i);
		rows.rows[i].index = i;
		read(&rows.rows[i]);
		rows.num_bad += rows.rows[i].rank != RANK_WELL ? 1 : 0;
	}
	*ret_rows = rows;
	return EVERR_OK;
}

static void rows_sort(struct rows *rows)
{
	if (rows->num > 1) {
		qsort(rows->rows, rows->num, sizeof(rows->rows[0]),
		      row_compare);
	}
}

/* -------------------------------------------------------------- the page */

struct page {
	TALLOC_CTX *mem_ctx;
	struct buf *out;
	const struct status_style *style;
	const json_t *status;
	struct rows hosts;
	struct rows outputs;
	struct rows channels;
	/* Rows that there is room for. */
	size_t max_hosts;
	size_t max_outputs;
	size_t max_channels;
};

/* Bytes of the first so many characters of UTF-8. */
static size_t columns_len(const char *text, size_t columns)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (((uint8_t)text[i] & 0xc0) != 0x80 && columns-- == 0) {
			break;
		}
	}
	return i;
}

/* How much of a text goes into a line: up to its last blank, if it has one. */
static size_t line_len(const char *text, size_t columns)
{
	size_t len = columns_len(text, columns);
	size_t i = len;

	if (text[len] == '\0') {
		return len;
	}
	while (i > 0 && text[i] != ' ') {
		i--;
	}
	return i > 0 ? i : len;
}

/* A paragraph; lines that go on are indented by more. */
static void put_wrapped(const struct page *page, size_t indent,
			const char *text)
{
	size_t width = page->style->width;
	size_t more = indent + 2;

	/* Of a window that narrow nothing can be made. */
	if (width != 0 && width < 2 * more) {
		indent = 0;
		more = 0;
	}
	do {
		size_t len = width != 0 ? line_len(text, width - indent)
					: strlen(text);

		buf_printf(page->out, "%*s%.*s\n", (int)indent, "", (int)len,
			   text);
		text += len;
		text += strspn(text, " ");
		indent = more;
	} while (*text != '\0');
}

/* The same, of whatever text: with what must not reach a terminal escaped. */
__attribute__((format(printf, 3, 4))) static void put_paragraph(
	const struct page *page, size_t indent, const char *fmt, ...)
{
	char *text = NULL;
	struct buf safe;
	va_list ap;

	va_start(ap, fmt);
	text = talloc_vasprintf(page->mem_ctx, fmt, ap);
	va_end(ap);
	if (text == NULL) {
		return;
	}
	buf_init(&safe, page->mem_ctx, PARAGRAPH_MAX);
	terminal_put_text(&safe, text, strlen(text), 0);
	buf_put_u8(&safe, '\0');
	if (buf_error(&safe) == EVERR_OK) {
		put_wrapped(page, indent, (const char *)safe.data);
	}
	buf_free(&safe);
	TALLOC_FREE(text);
}

/* A name in a table of a window, whose other columns take so many columns. */
static void put_name(const struct page *page, struct table *table,
		     enum terminal_style style, const char *name, size_t others)
{
	size_t width = page->style->width;
	size_t columns =
		width > others + NAME_COLUMNS ? width - others : NAME_COLUMNS;
	char text[NAME_MAX_BYTES];
	size_t len = columns_len(name, columns);

	if (width == 0 || name[len] == '\0') {
		table_cell(table, style, name);
		return;
	}
	len = columns_len(name, columns - 3);
	snprintf(text, sizeof(text), "%.*s...", (int)len, name);
	table_cell(table, style, text);
}

/* Whether there is room for errors below a table, where they are whole. */
static bool errors_below(const struct page *page)
{
	return page->style->width != 0 && page->style->height == 0;
}

/* Below a table that has no column for them. */
static void put_errors(const struct page *page, const struct rows *rows,
		       size_t shown)
{
	size_t errors = 0;
	size_t i;

	for (i = 0; i < shown; i++) {
		const struct row *row = &rows->rows[i];

		if (row->error == NULL) {
			continue;
		}
		errors++;
		if (errors <= ERRORS_MAX) {
			put_paragraph(page, 2, "%s: %s", row->name, row->error);
		}
	}
	if (errors > ERRORS_MAX) {
		put_paragraph(page, 2, "and %zu more errors",
			      errors - ERRORS_MAX);
	}
}

static void put_store(const struct page *page)
{
	const json_t *store = json_object_get(page->status, "store");
	char used[SHORT_MAX], left[SHORT_MAX];

	if (!json_is_object(store)) {
		return;
	}
	/* Before the first look, in the first second, both are 0. */
	if (get_count(store, "disk_used") == 0) {
		return;
	}
	size_text(get_count(store, "disk_used"), used);
	size_text(get_count(store, "disk_free"), left);
	put_paragraph(page, 0, "store: %s, disk: %s free%s", used, left,
		      get_bool(store, "full") ? "; FULL, events are refused"
					      : "");
}

static void put_lag(const struct page *page)
{
	const json_t *lag = json_object_get(page->status, "loop_lag");
	char p50[SHORT_MAX], p99[SHORT_MAX], max[SHORT_MAX];

	if (!json_is_object(lag)) {
		return;
	}
	micros_text(get_count(lag, "p50_us"), p50);
	micros_text(get_count(lag, "p99_us"), p99);
	micros_text(get_count(lag, "max_us"), max);
	put_paragraph(page, 0, "loop lag: %s, 99 %% below %s, longest %s", p50,
		      p99, max);
}

static void put_header(const struct page *page)
{
	uint64_t mapper = get_count(page->status, "endpoint_mapper_port");
	uint64_t started = get_time(page->status, "started");
	uint64_t now = page->style->now;
	char mapped[SHORT_MAX] = "";
	char up[SHORT_MAX] = "-";

	if (started != 0) {
		duration_text(now > started ? (now - started) / WINTIME_SECOND
					    : 0,
			      up);
	}
	/* Where clients do not look for it by themselves. */
	if (mapper != 0 && mapper != ENDPOINT_MAPPER) {
		snprintf(mapped, sizeof(mapped), ", mapper %u",
			 (unsigned int)(uint16_t)mapper);
	}
	put_paragraph(page, 0,
		      "evenlog %s on %s, up %s, process %" PRIu64
		      ", port %" PRIu64 "%s",
		      text_or_dash(page->status, "version"),
		      text_or_dash(page->status, "computer"), up,
		      get_count(page->status, "pid"),
		      get_count(page->status, "port"), mapped);
	put_store(page);
	put_lag(page);
}

/* What stands below a table that was cut. */
static void put_more(const struct page *page, const struct rows *rows,
		     size_t shown, const char *what)
{
	size_t more = rows->num - shown + rows->more;
	size_t bad = 0;
	size_t i;

	if (more == 0) {
		return;
	}
	for (i = shown; i < rows->num; i++) {
		bad += rows->rows[i].rank != RANK_WELL ? 1 : 0;
	}
	if (bad == 0 && rows->more == 0) {
		put_paragraph(page, 0, "and %zu more %s are well", more, what);
	} else if (bad > 0) {
		put_paragraph(page, 0, "and %zu more %s, %zu of them not well",
			      more, what, bad);
	} else {
		put_paragraph(page, 0, "and %zu more %s", more, what);
	}
}

static everr_t put_table(const struct page *page, struct table *table,
			 size_t indent)
{
	everr_t err;

	err = table_put(table, page->out, indent, page->style->width,
			page->style->colored);
	TALLOC_FREE(table);
	return err;
}

/* ------------------------------------------------------------- channels */

static everr_t put_channels(const struct page *page)
{
	static const struct table_column columns[] = {
		{"CHANNEL", false}, {"RECORDS", true}, {"NEWEST", true},
		{"SIZE", true},	    {"MISSING", true}, {"LAST WRITE", true},
		{"", false},
	};
	struct table *table = table_create(page->mem_ctx, columns, 7);
	char size[SHORT_MAX], age[SHORT_MAX];
	size_t i;
	everr_t err;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < page->channels.num && i < page->max_channels; i++) {
		const struct row *row = &page->channels.rows[i];
		uint64_t next_id = get_count(row->object, "next_id");

		size_text(get_count(row->object, "bytes"), size);
		/* One that is new has the time at which it was made. */
		age_text(page->style->now, next_id > 1 ? row->newest : 0, age);
		put_name(page, table, rank_styles[row->rank], row->name,
			 CHANNEL_COLUMNS);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(row->object, "records"));
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    next_id > 0 ? next_id - 1 : 0);
		table_cell(table, TERMINAL_PLAIN, size);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(row->object, "missing"));
		table_cell(table, TERMINAL_PLAIN, age);
		table_cell(table, rank_styles[row->rank], row->state);
	}
	buf_put_u8(page->out, '\n');
	err = put_table(page, table, 0);
	put_more(page, &page->channels, i, "channels");
	return err;
}

/* ---------------------------------------------------------------- hosts */

/* How far behind; of what is not read nobody knows. */
static void add_behind(struct table *table, bool known, uint64_t events)
{
	if (!known && events == 0) {
		table_cell(table, TERMINAL_PLAIN, "?");
		return;
	}
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, events);
}

/* What is wrong with a channel, and its latest gap. */
static void put_feed_notes(const struct page *page, const char *host,
			   const json_t *feed)
{
	const char *channel = text_or_dash(feed, "channel");
	const json_t *gap = json_object_get(feed, "last_gap");
	struct row row = {.rank = RANK_WELL};

	add_feed(&row, feed);
	if (row.error != NULL) {
		put_paragraph(page, 2, "%s: %s", channel,
			      without_name(row.error, host));
	}
	if (json_is_object(gap)) {
		put_paragraph(page, 2,
			      "%s: latest gap: %" PRIu64 " (%s) missing,"
			      " records %" PRIu64 " to %" PRIu64 ": %s",
			      channel, get_count(gap, "missing"),
			      text_or_dash(gap, "exact"),
			      get_count(gap, "first"), get_count(gap, "last"),
			      text_or_dash(gap, "cause"));
	}
}

static everr_t put_feeds(const struct page *page, const json_t *feeds)
{
	static const struct table_column columns[] = {
		{"CHANNEL", false}, {"STATE", false}, {"EVENTS", true},
		{"EVENTS/S", true}, {"RECORD", true}, {"BEHIND", true},
		{"LAG", true},	    {"GAPS", true},   {"MISSING", true},
		{"INTO", false},
	};
	struct table *table = table_create(page->mem_ctx, columns, 10);
	size_t i;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < json_array_size(feeds); i++) {
		const json_t *feed = json_array_get(feeds, i);
		struct row row = {.rank = RANK_WELL};
		char lag[SHORT_MAX];

		add_feed(&row, feed);
		lag_text(row.lag_seconds, lag);
		put_name(page, table, TERMINAL_PLAIN,
			 text_or_dash(feed, "channel"), FEED_COLUMNS);
		table_cell(table, rank_styles[row.rank],
			   text_or_dash(feed, "state"));
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(feed, "events"));
		table_cellf(table, TERMINAL_PLAIN, "%.1f", row.rate);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(feed, "record_id"));
		add_behind(table, row.channels_ok > 0, row.lag_events);
		table_cell(table, TERMINAL_PLAIN, lag);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, row.gaps);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(feed, "missing"));
		table_cell(table, TERMINAL_PLAIN, text_or_dash(feed, "target"));
	}
	return put_table(page, table, 2);
}

/* The service's own sums where it has them: it need not list all hosts. */
static void sum_hosts(const struct page *page, struct row *all, size_t *ret_up)
{
	const json_t *totals = json_object_get(
		json_object_get(page->status, "collect"), "totals");
	size_t i;

	*ret_up = 0;
	if (totals != NULL) {
		all->channels = get_count(totals, "channels");
		all->channels_ok = get_count(totals, "reading");
		all->rate = get_number(totals, "rate");
		all->lag_events = get_count(totals, "lag_events");
		*ret_up = get_count(totals, "up");
		return;
	}
	for (i = 0; i < page->hosts.num; i++) {
		const struct row *row = &page->hosts.rows[i];

		*ret_up += strcmp(row->state, "up") == 0 ? 1 : 0;
		all->channels += row->channels;
		all->channels_ok += row->channels_ok;
		all->rate += row->rate;
		all->lag_events += row->lag_events;
	}
}

static void put_hosts_summary(const struct page *page)
{
	size_t num = page->hosts.num + page->hosts.more;
	struct row all = {.rank = RANK_WELL};
	size_t up = 0;

	sum_hosts(page, &all, &up);
	put_paragraph(
		page, 0,
		"collecting from %zu host%s, %zu up; %" PRIu64 " of %" PRIu64
		" channels are read, %.1f events/s, %" PRIu64 " events behind",
		num, num == 1 ? "" : "s", up, all.channels_ok, all.channels,
		all.rate, all.lag_events);
}

static void add_host(const struct page *page, struct table *table,
		     const struct row *row)
{
	char lag[SHORT_MAX];

	lag_text(row->lag_seconds, lag);
	put_name(page, table, rank_styles[row->rank], row->name, HOST_COLUMNS);
	table_cell(table, rank_styles[row->rank], row->state);
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64 "/%" PRIu64,
		    row->channels_ok, row->channels);
	table_cellf(table, TERMINAL_PLAIN, "%.1f", row->rate);
	add_behind(table, strcmp(row->state, "up") == 0, row->lag_events);
	table_cell(table, TERMINAL_PLAIN, lag);
	table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, row->gaps);
}

static const struct table_column host_columns[] = {
	{"HOST", false},    {"STATE", false}, {"CHANNELS", true},
	{"EVENTS/S", true}, {"BEHIND", true}, {"LAG", true},
	{"GAPS", true},	    {"ERROR", false},
};
/* Without ERROR. */
#define HOST_CELLS 7

/* One host and its channels, and all that there is to say about them. */
static everr_t put_host(const struct page *page, const struct row *row)
{
	struct table *table =
		table_create(page->mem_ctx, host_columns, HOST_CELLS);
	const json_t *feeds = json_object_get(row->object, "channels");
	const char *error = get_error(row->object);
	size_t i;
	everr_t err;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	add_host(page, table, row);
	buf_put_u8(page->out, '\n');
	err = put_table(page, table, 0);
	if (err != EVERR_OK) {
		return err;
	}
	if (error != NULL && row->rank == RANK_ERROR) {
		put_paragraph(page, 2, "%s", without_name(error, row->name));
	}
	err = put_feeds(page, feeds);
	for (i = 0; i < json_array_size(feeds) && err == EVERR_OK; i++) {
		put_feed_notes(page, row->name, json_array_get(feeds, i));
	}
	return err;
}

/* A row for each; errors in a column, or whole below. */
static everr_t put_host_rows(const struct page *page)
{
	bool below = errors_below(page);
	struct table *table = table_create(page->mem_ctx, host_columns,
					   HOST_CELLS + (below ? 0 : 1));
	size_t i;
	everr_t err;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < page->hosts.num && i < page->max_hosts; i++) {
		const struct row *row = &page->hosts.rows[i];

		add_host(page, table, row);
		if (!below) {
			table_cell(table, TERMINAL_PLAIN,
				   row->error != NULL ? row->error : "");
		}
	}
	err = put_table(page, table, 0);
	if (below) {
		put_errors(page, &page->hosts, i);
	}
	put_more(page, &page->hosts, i, "hosts");
	return err;
}

static everr_t put_hosts(const struct page *page)
{
	size_t i;
	everr_t err = EVERR_OK;

	buf_put_u8(page->out, '\n');
	put_hosts_summary(page);
	if (!page->style->verbose) {
		return put_host_rows(page);
	}
	for (i = 0;
	     i < page->hosts.num && i < page->max_hosts && err == EVERR_OK;
	     i++) {
		err = put_host(page, &page->hosts.rows[i]);
	}
	put_more(page, &page->hosts, i, "hosts");
	return err;
}

/* -------------------------------------------------------------- outputs */

static everr_t put_lanes(const struct page *page, const struct row *row)
{
	static const struct table_column columns[] = {
		{"OUTPUT", false}, {"CHANNEL", false}, {"ARRIVED", true},
		{"NEWEST", true},  {"BEHIND", true},   {"LAG", true},
	};
	const json_t *lanes = json_object_get(row->object, "channels");
	struct table *table = table_create(page->mem_ctx, columns, 6);
	char lag[SHORT_MAX];
	size_t i;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < json_array_size(lanes); i++) {
		const json_t *lane = json_array_get(lanes, i);

		lag_text(get_count(lane, "lag_seconds"), lag);
		table_cell(table, TERMINAL_PLAIN, row->name);
		table_cell(table, TERMINAL_PLAIN, text_or_dash(lane, "name"));
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(lane, "position"));
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(lane, "newest"));
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64,
			    get_count(lane, "lag_events"));
		table_cell(table, TERMINAL_PLAIN, lag);
	}
	return put_table(page, table, 2);
}

static everr_t put_outputs(const struct page *page)
{
	static const struct table_column columns[] = {
		{"OUTPUT", false}, {"RECEIVER", false}, {"STATE", false},
		{"SENT/S", true},  {"BEHIND", true},	{"LAG", true},
		{"GAPS", true},	   {"ERROR", false},
	};
	bool below = errors_below(page);
	struct table *table =
		table_create(page->mem_ctx, columns, below ? 7 : 8);
	char lag[SHORT_MAX];
	size_t shown = 0;
	size_t i;
	everr_t err;

	if (table == NULL) {
		return EVERR_NOMEM;
	}
	for (; shown < page->outputs.num && shown < page->max_outputs;
	     shown++) {
		const struct row *row = &page->outputs.rows[shown];

		lag_text(row->lag_seconds, lag);
		put_name(page, table, rank_styles[row->rank], row->name,
			 OUTPUT_COLUMNS);
		put_name(page, table, TERMINAL_PLAIN,
			 text_or_dash(row->object, "receiver"), OUTPUT_COLUMNS);
		table_cell(table, rank_styles[row->rank], row->state);
		table_cellf(table, TERMINAL_PLAIN, "%.1f", row->rate);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, row->lag_events);
		table_cell(table, TERMINAL_PLAIN, lag);
		table_cellf(table, TERMINAL_PLAIN, "%" PRIu64, row->gaps);
		if (!below) {
			table_cell(table, TERMINAL_PLAIN,
				   row->error != NULL ? row->error : "");
		}
	}
	buf_put_u8(page->out, '\n');
	err = put_table(page, table, 0);
	if (below) {
		put_errors(page, &page->outputs, shown);
	}
	for (i = 0; page->style->verbose && i < shown && err == EVERR_OK; i++) {
		err = put_lanes(page, &page->outputs.rows[i]);
	}
	put_more(page, &page->outputs, shown, "outputs");
	return err;
}

/* --------------------------------------------- listeners and quarantine */

static void put_bridge(const struct page *page)
{
	const json_t *listeners = json_object_get(page->status, "listeners");
	uint64_t entries = get_count(
		json_object_get(page->status, "quarantine"), "entries");
	size_t i;

	if (json_array_size(listeners) > 0 || entries > 0) {
		buf_put_u8(page->out, '\n');
	}
	for (i = 0; i < json_array_size(listeners); i++) {
		const json_t *listener = json_array_get(listeners, i);

		put_paragraph(page, 0,
			      "listener %s: %s on %s port %" PRIu64
			      "%s, %" PRIu64 " connections",
			      text_or_dash(listener, "name"),
			      text_or_dash(listener, "serve"),
			      text_or_dash(listener, "address"),
			      get_count(listener, "port"),
			      get_bool(listener, "tls") ? ", TLS" : "",
			      get_count(listener, "connections"));
	}
	if (entries > 0) {
		put_paragraph(page, 0,
			      "quarantine: %" PRIu64
			      " messages that could not be"
			      " used; \"evenlog quarantine list\" shows them",
			      entries);
	}
}

/* ------------------------------------------------------------- the whole */

/* The hosts' part; an array is taken for its list of hosts. */
static const json_t *hosts_of(const json_t *status, size_t *ret_more)
{
	const json_t *collect = json_object_get(status, "collect");

	*ret_more = get_count(collect, "hosts_not_listed");
	return json_is_array(collect) ? collect
				      : json_object_get(collect, "hosts");
}

static const json_t *outputs_of(const json_t *status)
{
	const json_t *forward = json_object_get(status, "forward");

	return json_is_array(forward) ? forward
				      : json_object_get(forward, "outputs");
}

/* What of lines a table may have: an equal part, or all it needs. */
static size_t share(size_t *lines, size_t *tables, size_t rows)
{
	size_t part = *lines / *tables;
	size_t max = part > FRAME_LINES ? part - FRAME_LINES : 0;

	max = max < ROWS_MIN ? ROWS_MIN : max;
	max = max > rows ? rows : max;
	(*tables)--;
	*lines -= *lines > max + FRAME_LINES ? max + FRAME_LINES : *lines;
	return max;
}

/* Outputs and channels get their part; hosts get what is left. */
static void page_fit(struct page *page)
{
	size_t lines = page->style->height;
	size_t tables = (page->channels.num > 0) + (page->outputs.num > 0) +
			(page->hosts.num > 0);
	size_t i;

	page->max_hosts = SIZE_MAX;
	page->max_outputs = SIZE_MAX;
	page->max_channels = SIZE_MAX;
	if (lines == 0) {
		return;
	}
	for (i = 0; i < page->out->len; i++) {
		lines -= lines > 0 && page->out->data[i] == '\n' ? 1 : 0;
	}
	if (page->outputs.num > 0) {
		page->max_outputs = share(&lines, &tables, page->outputs.num);
	}
	if (page->channels.num > 0) {
		page->max_channels = share(&lines, &tables, page->channels.num);
	}
	if (page->hosts.num > 0) {
		page->max_hosts = share(&lines, &tables, page->hosts.num);
	}
	if (page->max_channels < page->channels.num) {
		rows_sort(&page->channels);
	}
}

static everr_t page_read(struct page *page)
{
	const json_t *status = page->status;
	const json_t *hosts = NULL;
	size_t more = 0;
	everr_t err;

	hosts = hosts_of(status, &more);
	err = rows_read(page->mem_ctx, hosts, read_host, &page->hosts);
	if (err == EVERR_OK) {
		page->hosts.more = more;
		rows_sort(&page->hosts);
		err = rows_read(page->mem_ctx, outputs_of(status), read_output,
				&page->outputs);
	}
	if (err == EVERR_OK) {
		rows_sort(&page->outputs);
		err = rows_read(page->mem_ctx,
				json_object_get(status, "channels"),
				read_channel, &page->channels);
	}
	return err;
}

static everr_t page_put_host(const struct page *page)
{
	const char *wanted = page->style->host;
	everr_t err = EVERR_NOT_FOUND;
	size_t i;

	for (i = 0; i < page->hosts.num; i++) {
		const struct row *row = &page->hosts.rows[i];
		const char *section = get_text(row->object, "section");

		if (!text_name_equal(row->name, wanted) &&
		    (section == NULL || !text_name_equal(section, wanted))) {
			continue;
		}
		err = put_host(page, row);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return err;
}

static everr_t page_put(struct page *page)
{
	everr_t err = EVERR_OK;

	put_header(page);
	if (page->style->host != NULL) {
		return page_put_host(page);
	}
	page_fit(page);
	if (page->channels.num > 0) {
		err = put_channels(page);
	}
	if (err == EVERR_OK && page->hosts.num > 0) {
		err = put_hosts(page);
	}
	if (err == EVERR_OK && page->outputs.num > 0) {
		err = put_outputs(page);
	}
	put_bridge(page);
	return err != EVERR_OK ? err : buf_error(page->out);
}

everr_t status_format(struct buf *out, const json_t *status,
		      const struct status_style *style)
{
	struct page page = {
		.mem_ctx = talloc_new(NULL),
		.out = out,
		.style = style,
		.status = status,
	};
	everr_t err;

	if (page.mem_ctx == NULL) {
		return EVERR_NOMEM;
	}
	err = page_read(&page);
	if (err == EVERR_OK) {
		err = page_put(&page);
	}
	TALLOC_FREE(page.mem_ctx);
	return err;
}

json_t *status_rest(const json_t *status)
{
	static const char *const shown[] = {
		"version",  "pid",   "computer", "started", "port",
		"loop_lag", "store", "channels", "collect", "forward",
	};
	json_t *rest = json_copy((json_t *)status);
	json_t *rpc = NULL;
	size_t i;

	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		json_object_del(rest, shown[i]);
	}
	/* Calls by their numbers are for programs. */
	rpc = json_copy(json_object_get(rest, "rpc"));
	if (rpc != NULL) {
		json_object_del(rpc, "calls");
		json_object_set_new(rest, "rpc", rpc);
	}
	return rest;
}
