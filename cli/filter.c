/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/filter.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"
#include "cli/input.h"
#include "cli/options.h"
#include "cli/when.h"
#include "event/query.h"
#include "event/xml.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Of an XPath that options make; the protocol takes three times as much. */
#define XPATH_MAX (1024 * 1024)

/* -------------------------------------------------------------- options */

void cli_filter_table(struct cli_filter *filter, struct poptOption *table)
{
	const struct poptOption source[] = {
		{"since", 'S', POPT_ARG_STRING, &filter->since, 0,
		 "Not older than that: 2h, 7d, \"2026-11-21 14:00\"", "TIME"},
		{"until", 'U', POPT_ARG_STRING, &filter->until, 0,
		 "Not newer than that", "TIME"},
		{"level", 'l', POPT_ARG_ARGV, &filter->levels, 0,
		 "critical, error, warning, information, verbose or a number;"
		 " error+ is error and worse",
		 "LEVEL[+][,...]"},
		{"id", 'i', POPT_ARG_ARGV, &filter->ids, 0,
		 "Event ids: 4624,4625-4634, without some: -4630",
		 "N[-N][,...]"},
		{"provider", 'p', POPT_ARG_ARGV, &filter->providers, 0,
		 "Who wrote the event", "NAME"},
		{"computer", 0, POPT_ARG_ARGV, &filter->computers, 0,
		 "Where it was written, as the event has it", "NAME"},
		{"user-id", 0, POPT_ARG_ARGV, &filter->user_ids, 0,
		 "In whose name: a SID, or SYSTEM and the like", "SID"},
		{"data", 'd', POPT_ARG_ARGV, &filter->data, 0,
		 "With this item of data", "NAME=VALUE"},
		{"keyword", 0, POPT_ARG_ARGV, &filter->keywords, 0,
		 "With one of these keywords: AuditFailure, AuditSuccess,"
		 " Classic or masks",
		 "NAME|MASK[,...]"},
		{"task", 0, POPT_ARG_ARGV, &filter->tasks, 0,
		 "Tasks, as with --id", "N[-N][,...]"},
		{"opcode", 0, POPT_ARG_ARGV, &filter->opcodes, 0,
		 "Opcodes, as with --id", "N[-N][,...]"},
		{"record", 0, POPT_ARG_ARGV, &filter->records, 0,
		 "EventRecordIDs, as with --id", "N[-N][,...]"},
		{"explain", 0, POPT_ARG_NONE, &filter->explain, 0,
		 "Show the query that this means, and ask nobody", NULL},
		POPT_TABLEEND,
	};

	_Static_assert(sizeof(source) / sizeof(source[0]) <=
			       CLI_FILTER_TABLE_SIZE,
		       "the table has room");
	memcpy(table, source, sizeof(source));
}

bool cli_filter_given(const struct cli_filter *f)
{
	return f->since != NULL || f->until != NULL || f->levels != NULL ||
	       f->ids != NULL || f->providers != NULL || f->computers != NULL ||
	       f->user_ids != NULL || f->data != NULL || f->keywords != NULL ||
	       f->tasks != NULL || f->opcodes != NULL || f->records != NULL;
}

/* -------------------------------------------------------------- building */

struct builder {
	TALLOC_CTX *mem_ctx;
	uint64_t now;
	bool utc;
	struct buf system; /* tests of System, joined by "and" */
	struct buf body;   /* tests of EventData and UserData */
	size_t terms;
	const char *message;
};

static everr_t refuse(struct builder *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static everr_t refuse(struct builder *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	b->message = talloc_vasprintf(b->mem_ctx, fmt, ap);
	va_end(ap);
	return b->message != NULL ? EVERR_TEXT : EVERR_NOMEM;
}

/* Begin one more test of the conjunction in out. */
static void and_test(struct buf *out)
{
	if (out->len > 0) {
		buf_puts(out, " and ");
	}
}

/* What comes between the tests of a disjunction that began at start. */
static void or_test(struct buf *out, size_t start)
{
	if (out->len > start) {
		buf_puts(out, " or ");
	}
}

/* Whether text can stand in a query. */
static bool is_printable(const char *text)
{
	const char *c = NULL;

	for (c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			return false;
		}
	}
	return text_utf8_valid(text, strlen(text));
}

/*
 * A string literal.  XPath 1.0 has no escapes: what holds one kind of quote
 * stands in the other.
 */
static everr_t put_literal(struct builder *b, struct buf *out,
			   const char *option, const char *text)
{
	char quote = strchr(text, '\'') == NULL ? '\'' : '"';

	if (!is_printable(text)) {
		return refuse(b,
			      "--%s: the value is not UTF-8 text of one"
			      " line",
			      option);
	}
	if (strchr(text, quote) != NULL) {
		return refuse(b,
			      "--%s: a query cannot hold both kinds of quotes"
			      " in one value: %s",
			      option, text);
	}
	buf_put_u8(out, (uint8_t)quote);
	buf_puts(out, text);
	buf_put_u8(out, (uint8_t)quote);
	return EVERR_OK;
}

/* How many there are; too many are refused. */
static everr_t count_values(struct builder *b, const char *option,
			    char *const *values, size_t *ret_num)
{
	size_t num = 0;

	while (values != NULL && values[num] != NULL) {
		num++;
	}
	if (num > CLI_FILTER_ITEMS_MAX) {
		return refuse(b, "--%s is given more than %d times", option,
			      CLI_FILTER_ITEMS_MAX);
	}
	*ret_num = num;
	return EVERR_OK;
}

/* ----------------------------------------------------------------- lists */

/*
 * The items of all uses of an option, cut at commas and blanks around them
 * removed: talloc children of the array.
 */
static everr_t split_items(struct builder *b, const char *option,
			   char *const *values, char ***ret_items,
			   size_t *ret_num)
{
	char **items = NULL;
	size_t num = 0;
	size_t i;

	items = talloc_array(b->mem_ctx, char *, CLI_FILTER_ITEMS_MAX);
	if (items == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; values != NULL && values[i] != NULL; i++) {
		const char *text = values[i];

		for (;;) {
			size_t len = strcspn(text, ",");
			const char *next = text + len;

			event_xml_trim(&text, &len);
			if (len == 0) {
				return refuse(b,
					      "--%s: something is missing in"
					      " \"%s\"",
					      option, values[i]);
			}
			if (num == CLI_FILTER_ITEMS_MAX) {
				return refuse(b, "--%s: more than %d values",
					      option, CLI_FILTER_ITEMS_MAX);
			}
			items[num] = talloc_strndup(items, text, len);
			if (items[num] == NULL) {
				return EVERR_NOMEM;
			}
			num++;
			if (*next == '\0') {
				break;
			}
			text = next + 1;
		}
	}
	*ret_items = items;
	*ret_num = num;
	return EVERR_OK;
}

/* --------------------------------------------------------------- numbers */

struct range {
	uint64_t first;
	uint64_t last;
	bool without; /* these not */
};

/* "4624", "4625-4634", and with - or ! before it those not. */
static bool parse_range(const char *text, uint64_t max, struct range *ret_range)
{
	struct range range = {.without = text[0] == '-' || text[0] == '!'};
	char first[32];
	const char *dash = NULL;
	everr_t err;
	size_t len;

	text += range.without ? 1 : 0;
	dash = strchr(text, '-');
	len = dash != NULL ? (size_t)(dash - text) : strlen(text);
	if (len >= sizeof(first)) {
		return false;
	}
	memcpy(first, text, len);
	first[len] = '\0';
	err = cli_parse_number(first, max, &range.first);
	if (err != EVERR_OK) {
		return false;
	}
	range.last = range.first;
	if (dash != NULL) {
		err = cli_parse_number(dash + 1, max, &range.last);
		if (err != EVERR_OK || range.last < range.first) {
			return false;
		}
	}
	*ret_range = range;
	return true;
}

static void put_range(struct builder *b, const char *name,
		      const struct range *range)
{
	struct buf *out = &b->system;
	bool without = range->without;

	b->terms += range->first == range->last ? 1 : 2;
	if (range->first == range->last) {
		buf_printf(out, "%s%s%" PRIu64, name, without ? "!=" : "=",
			   range->first);
		return;
	}
	buf_printf(out, "(%s%s%" PRIu64 " %s %s%s%" PRIu64 ")", name,
		   without ? "<" : ">=", range->first, without ? "or" : "and",
		   name, without ? ">" : "<=", range->last);
}

/* (EventID=1 or (EventID>=5 and EventID<=9)) and EventID!=7 */
static void put_ranges(struct builder *b, const char *name,
		       const struct range *ranges, size_t num)
{
	size_t wanted = 0;
	size_t start;
	size_t i;

	for (i = 0; i < num; i++) {
		wanted += ranges[i].without ? 0 : 1;
	}
	if (wanted > 0) {
		and_test(&b->system);
		buf_puts(&b->system, wanted > 1 ? "(" : "");
		start = b->system.len;
		for (i = 0; i < num; i++) {
			if (!ranges[i].without) {
				or_test(&b->system, start);
				put_range(b, name, &ranges[i]);
			}
		}
		buf_puts(&b->system, wanted > 1 ? ")" : "");
	}
	for (i = 0; i < num; i++) {
		if (ranges[i].without) {
			and_test(&b->system);
			put_range(b, name, &ranges[i]);
		}
	}
}

/* An option of numbers, about the element called name. */
static everr_t add_numbers(struct builder *b, const char *option,
			   const char *name, char *const *values, uint64_t max)
{
	struct range *ranges = NULL;
	char **items = NULL;
	size_t num = 0;
	everr_t err;
	size_t i;

	if (values == NULL) {
		return EVERR_OK;
	}
	err = split_items(b, option, values, &items, &num);
	if (err != EVERR_OK) {
		return err;
	}
	ranges = talloc_array(items, struct range, num);
	if (ranges == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		if (!parse_range(items[i], max, &ranges[i])) {
			return refuse(b,
				      "--%s takes numbers up to %" PRIu64
				      " and ranges (5-99), with - before those"
				      " not wanted, not \"%s\"",
				      option, max, items[i]);
		}
	}
	put_ranges(b, name, ranges, num);
	TALLOC_FREE(items);
	return EVERR_OK;
}

/* ---------------------------------------------------------------- levels */

#define LEVEL_CRITICAL 1
#define LEVEL_INFORMATION 4
#define LEVELS 256

/* "error", "2", and with + what is worse, too. */
static bool parse_level(char *item, bool wanted[LEVELS])
{
	size_t len = strlen(item);
	bool worse = len > 0 && item[len - 1] == '+';
	bool named = !isdigit((unsigned char)item[0]);
	uint8_t level = 0;
	everr_t err;
	size_t i;

	if (worse) {
		item[len - 1] = '\0';
	}
	err = input_level(item, &level);
	if (err != EVERR_OK) {
		return false;
	}
	wanted[level] = true;
	for (i = LEVEL_CRITICAL; worse && i < level; i++) {
		wanted[i] = true;
	}
	/* Shown as information, and so they are to whoever asks for that. */
	if (level == LEVEL_INFORMATION ? named || worse
				       : worse && level > LEVEL_INFORMATION) {
		wanted[0] = true;
	}
	return true;
}

static void put_levels(struct builder *b, const bool wanted[LEVELS])
{
	struct range ranges[LEVELS];
	size_t num = 0;
	uint64_t i;

	for (i = 0; i < LEVELS; i++) {
		if (!wanted[i]) {
			continue;
		}
		/* A run of three or more is shorter as a range. */
		if (num > 0 && ranges[num - 1].last == i - 1 &&
		    (ranges[num - 1].first < i - 1 ||
		     (i + 1 < LEVELS && wanted[i + 1]))) {
			ranges[num - 1].last = i;
			continue;
		}
		ranges[num] = (struct range){.first = i, .last = i};
		num++;
	}
	put_ranges(b, "Level", ranges, num);
}

static everr_t add_levels(struct builder *b, char *const *values)
{
	bool wanted[LEVELS] = {false};
	char **items = NULL;
	size_t num = 0;
	everr_t err;
	size_t i;

	if (values == NULL) {
		return EVERR_OK;
	}
	err = split_items(b, "level", values, &items, &num);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < num; i++) {
		if (!parse_level(items[i], wanted)) {
			return refuse(b,
				      "--level is critical, error, warning,"
				      " information, verbose or 0 to 255, with"
				      " + behind it for worse ones, too; not"
				      " \"%s\"",
				      items[i]);
		}
	}
	put_levels(b, wanted);
	TALLOC_FREE(items);
	return EVERR_OK;
}

/* -------------------------------------------------------------- keywords */

/* Keywords that mean the same for every provider (winmeta.xml). */
static const struct {
	const char *name;
	uint64_t mask;
} keyword_names[] = {
	{"ResponseTime", 0x1000000000000ULL},
	{"WDIContext", 0x2000000000000ULL},
	{"WDIDiag", 0x4000000000000ULL},
	{"SQM", 0x8000000000000ULL},
	{"AuditFailure", 0x10000000000000ULL},
	{"AuditSuccess", 0x20000000000000ULL},
	{"CorrelationHint", 0x40000000000000ULL},
	{"Classic", 0x80000000000000ULL},
};

/* "Audit Failure" is AuditFailure. */
static bool same_name(const char *text, const char *name)
{
	for (; *text != '\0'; text++) {
		if (*text == ' ') {
			continue;
		}
		if (tolower((unsigned char)*text) !=
		    tolower((unsigned char)*name)) {
			return false;
		}
		name++;
	}
	return *name == '\0';
}

static bool parse_keyword(const char *item, uint64_t *ret_mask)
{
	everr_t err;
	size_t i;

	for (i = 0; i < sizeof(keyword_names) / sizeof(keyword_names[0]); i++) {
		if (same_name(item, keyword_names[i].name)) {
			*ret_mask = keyword_names[i].mask;
			return true;
		}
	}
	err = cli_parse_number(item, UINT64_MAX, ret_mask);
	return err == EVERR_OK && *ret_mask != 0;
}

/* A number of XPath is a double: what does not fit is a text in hex. */
static void put_mask(struct buf *out, uint64_t mask)
{
	uint64_t digits = mask;

	while (digits != 0 && (digits & 1) == 0) {
		digits >>= 1;
	}
	if (digits < 1ULL << 53) {
		buf_printf(out, "%" PRIu64, mask);
	} else {
		buf_printf(out, "'0x%" PRIx64 "'", mask);
	}
}

static everr_t add_keywords(struct builder *b, char *const *values)
{
	char **items = NULL;
	uint64_t masks = 0;
	size_t num = 0;
	everr_t err;
	size_t i;

	if (values == NULL) {
		return EVERR_OK;
	}
	err = split_items(b, "keyword", values, &items, &num);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < num; i++) {
		uint64_t mask = 0;

		if (!parse_keyword(items[i], &mask)) {
			return refuse(b,
				      "--keyword is AuditFailure, AuditSuccess,"
				      " Classic, CorrelationHint, ResponseTime,"
				      " SQM, WDIContext, WDIDiag or a mask such"
				      " as 0x20, not \"%s\"",
				      items[i]);
		}
		masks |= mask;
	}
	TALLOC_FREE(items);
	and_test(&b->system);
	buf_puts(&b->system, "band(Keywords,");
	put_mask(&b->system, masks);
	buf_put_u8(&b->system, ')');
	b->terms++;
	return EVERR_OK;
}

/* ----------------------------------------------------------------- names */

/* Accounts with the same SID everywhere. */
static const struct {
	const char *name;
	const char *sid;
} account_names[] = {
	{"SYSTEM", "S-1-5-18"},	       {"LocalSystem", "S-1-5-18"},
	{"LocalService", "S-1-5-19"},  {"NetworkService", "S-1-5-20"},
	{"AnonymousLogon", "S-1-5-7"}, {"Administrators", "S-1-5-32-544"},
	{"Everyone", "S-1-1-0"},
};

/* S-1-5-21-...: as many parts as a SID can have. */
static bool is_sid(const char *text)
{
	unsigned int parts = 0;

	if (strncmp(text, "S-1", 3) != 0) {
		return false;
	}
	for (text += 3; *text == '-' && isdigit((unsigned char)text[1]);
	     parts++) {
		text += 1 + strspn(text + 1, "0123456789");
	}
	return *text == '\0' && parts >= 1 && parts <= 16;
}

static const char *find_sid(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(account_names) / sizeof(account_names[0]); i++) {
		if (same_name(text, account_names[i].name)) {
			return account_names[i].sid;
		}
	}
	return is_sid(text) ? text : NULL;
}

/* "name='a' or name='b'" */
static everr_t put_names(struct builder *b, const char *option,
			 const char *name, char *const *values, size_t num)
{
	struct buf *out = &b->system;
	size_t start = out->len;
	size_t i;

	for (i = 0; i < num; i++) {
		everr_t err;

		or_test(out, start);
		buf_printf(out, "%s=", name);
		err = put_literal(b, out, option, values[i]);
		if (err != EVERR_OK) {
			return err;
		}
		b->terms++;
	}
	return EVERR_OK;
}

/* An option of names; the tests stand between before and after. */
static everr_t add_names(struct builder *b, const char *option,
			 const char *before, const char *name,
			 const char *after, char *const *values)
{
	size_t num = 0;
	everr_t err;

	err = count_values(b, option, values, &num);
	if (err != EVERR_OK || num == 0) {
		return err;
	}
	and_test(&b->system);
	buf_puts(&b->system, before);
	err = put_names(b, option, name, values, num);
	buf_puts(&b->system, after);
	return err;
}

static everr_t add_user_ids(struct builder *b, char *const *values)
{
	const char **sids = NULL;
	size_t num = 0;
	everr_t err;
	size_t i;

	err = count_values(b, "user-id", values, &num);
	if (err != EVERR_OK || num == 0) {
		return err;
	}
	sids = talloc_zero_array(b->mem_ctx, const char *, num + 1);
	if (sids == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		sids[i] = find_sid(values[i]);
		if (sids[i] == NULL) {
			return refuse(b,
				      "--user-id is a SID (S-1-5-21-...),"
				      " SYSTEM, LocalService, NetworkService,"
				      " AnonymousLogon, Administrators or"
				      " Everyone, not \"%s\"; wbinfo"
				      " --name-to-sid tells other accounts'"
				      " SIDs",
				      values[i]);
		}
	}
	err = add_names(b, "user-id", "Security[", "@UserID", "]",
			(char *const *)sids);
	TALLOC_FREE(sids);
	return err;
}

/* ------------------------------------------------------------------ data */

/* Whether an element of UserData can have that name. */
static bool is_element_name(const char *name)
{
	const char *c = NULL;

	if (!isalpha((unsigned char)name[0]) && name[0] != '_') {
		return false;
	}
	for (c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("_-.", *c) == NULL) {
			return false;
		}
	}
	return true;
}

/* As Get-WinEvent asks for named data: in EventData or anywhere in UserData. */
static everr_t put_data(struct builder *b, const char *name, const char *value)
{
	struct buf *out = &b->body;
	bool is_element = is_element_name(name);
	everr_t err;

	and_test(out);
	if (name[0] == '\0') {
		buf_puts(out, "EventData[Data=");
		b->terms++;
		err = put_literal(b, out, "data", value);
		buf_put_u8(out, ']');
		return err;
	}
	buf_puts(out, is_element ? "(EventData[Data[@Name="
				 : "EventData[Data[@Name=");
	err = put_literal(b, out, "data", name);
	if (err != EVERR_OK) {
		return err;
	}
	buf_puts(out, "]=");
	err = put_literal(b, out, "data", value);
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u8(out, ']');
	b->terms += 2;
	if (is_element) {
		buf_printf(out, " or UserData/*/%s=", name);
		err = put_literal(b, out, "data", value);
		buf_put_u8(out, ')');
		b->terms++;
	}
	return err;
}

static everr_t add_data(struct builder *b, char *const *values)
{
	size_t num = 0;
	everr_t err;
	size_t i;

	err = count_values(b, "data", values, &num);
	for (i = 0; err == EVERR_OK && i < num; i++) {
		const char *equals = strchr(values[i], '=');
		char *name = NULL;

		if (equals == NULL) {
			return refuse(b,
				      "--data is name=value (or =value for any"
				      " item), not \"%s\"",
				      values[i]);
		}
		name = talloc_strndup(b->mem_ctx, values[i],
				      (size_t)(equals - values[i]));
		if (name == NULL) {
			return EVERR_NOMEM;
		}
		err = put_data(b, name, equals + 1);
		TALLOC_FREE(name);
	}
	return err;
}

/* ------------------------------------------------------------------ time */

/* Milliseconds, as Event Viewer writes them, unless there are finer parts. */
static void put_time(struct buf *out, uint64_t filetime)
{
	char text[WINTIME_TEXT_MAX];
	size_t len = wintime_format(filetime, text);

	if (filetime % (WINTIME_SECOND / 1000) == 0) {
		/* "...20.1230000Z" */
		memmove(text + len - 5, text + len - 1, 2);
	}
	buf_printf(out, "'%s'", text);
}

static everr_t parse_time(struct builder *b, const char *option,
			  const char *text, bool end, uint64_t *ret_time)
{
	const struct cli_when when = {b->now, b->utc, end};
	everr_t err;

	err = cli_when_parse(&when, text, ret_time);
	if (err != EVERR_OK) {
		return refuse(b, "--%s is " CLI_WHEN_FORMS ", not \"%s\"",
			      option, text);
	}
	return EVERR_OK;
}

static everr_t add_times(struct builder *b, const struct cli_filter *filter)
{
	struct buf *out = &b->system;
	uint64_t since = 0, until = UINT64_MAX;
	everr_t err;

	if (filter->since == NULL && filter->until == NULL) {
		return EVERR_OK;
	}
	if (filter->since != NULL) {
		err = parse_time(b, "since", filter->since, false, &since);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (filter->until != NULL) {
		err = parse_time(b, "until", filter->until, true, &until);
		if (err != EVERR_OK) {
			return err;
		}
	}
	if (since > until) {
		return refuse(b, "--since %s is later than --until %s",
			      filter->since, filter->until);
	}

	/* Absolute, not timediff(): a service may skip what is out of it. */
	and_test(out);
	buf_puts(out, "TimeCreated[");
	if (filter->since != NULL) {
		buf_puts(out, "@SystemTime>=");
		put_time(out, since);
		b->terms++;
	}
	if (filter->until != NULL) {
		buf_puts(out, filter->since != NULL ? " and @SystemTime<="
						    : "@SystemTime<=");
		put_time(out, until);
		b->terms++;
	}
	buf_put_u8(out, ']');
	return EVERR_OK;
}

/* -------------------------------------------------------------- together */

/* In the order of Event Viewer's own queries. */
static everr_t add_all(struct builder *b, const struct cli_filter *f)
{
	everr_t err;

	err = add_names(b, "provider", "Provider[", "@Name", "]", f->providers);
	if (err == EVERR_OK) {
		err = add_names(b, "computer", "(", "Computer", ")",
				f->computers);
	}
	if (err == EVERR_OK) {
		err = add_levels(b, f->levels);
	}
	if (err == EVERR_OK) {
		err = add_keywords(b, f->keywords);
	}
	if (err == EVERR_OK) {
		err = add_numbers(b, "task", "Task", f->tasks, UINT16_MAX);
	}
	if (err == EVERR_OK) {
		err = add_numbers(b, "opcode", "Opcode", f->opcodes, UINT8_MAX);
	}
	if (err == EVERR_OK) {
		err = add_numbers(b, "id", "EventID", f->ids, UINT16_MAX);
	}
	if (err == EVERR_OK) {
		err = add_numbers(b, "record", "EventRecordID", f->records,
				  UINT64_MAX);
	}
	if (err == EVERR_OK) {
		err = add_user_ids(b, f->user_ids);
	}
	if (err == EVERR_OK) {
		err = add_times(b, f);
	}
	if (err == EVERR_OK) {
		err = add_data(b, f->data);
	}
	return err;
}

/* The options' part of a predicate on the event. */
static void put_tests(struct buf *out, const struct builder *b)
{
	if (b->system.len > 0) {
		buf_puts(out, "System[");
		buf_put(out, b->system.data, b->system.len);
		buf_put_u8(out, ']');
	}
	if (b->body.len > 0) {
		if (b->system.len > 0) {
			buf_puts(out, " and ");
		}
		buf_put(out, b->body.data, b->body.len);
	}
}

/*
 * The length of what text begins with: a quoted text, brackets or parentheses
 * with all that is inside, else one character.  0: its end is missing.
 */
static size_t token_len(const char *text)
{
	size_t depth = 0;
	size_t i = 0;

	do {
		if (text[i] == '\'' || text[i] == '"') {
			const char *end = strchr(text + i + 1, text[i]);

			if (end == NULL) {
				return 0;
			}
			i = (size_t)(end - text);
		} else if (text[i] == '[' || text[i] == '(') {
			depth++;
		} else if (text[i] == ']' || text[i] == ')') {
			depth -= depth > 0 ? 1 : 0;
		}
		i++;
	} while (depth > 0 && text[i] != '\0');
	return depth == 0 ? i : 0;
}

/* Up to an "or" that stands outside of all brackets, or the end. */
static size_t operand_len(const char *xpath)
{
	size_t len = 0;

	while (xpath[len] != '\0') {
		size_t token = token_len(xpath + len);

		if (token == 0) {
			return strlen(xpath);
		}
		len += token;
		if (isspace((unsigned char)xpath[len - 1]) &&
		    strncmp(xpath + len, "or", 2) == 0 &&
		    isspace((unsigned char)xpath[len + 2])) {
			return len;
		}
	}
	return len;
}

/*
 * "[A][B]" as "(A) and (B)": what is asked of the event itself.  False: the
 * path has other parts.
 */
static bool put_predicates(struct buf *out, const char *path, size_t len)
{
	size_t start = out->len;

	while (len > 0) {
		size_t token = token_len(path);

		if (*path != '[' || token < 3 || token > len) {
			return false;
		}
		if (out->len > start) {
			buf_puts(out, " and ");
		}
		buf_put_u8(out, '(');
		buf_put(out, path + 1, token - 2);
		buf_put_u8(out, ')');
		path += token;
		len -= token;
	}
	return true;
}

/* The path's first step, "*" or "Event"; 0: it begins with something else. */
static size_t first_step_len(const char *path, size_t len)
{
	if (len >= 1 && path[0] == '*') {
		return 1;
	}
	return len >= 5 && memcmp(path, "Event", 5) == 0 ? 5 : 0;
}

/*
 * A given path and the options: as one path where the given one is a step
 * with predicates, as it nearly always is, else side by side.
 */
static void put_both(struct buf *out, const char *path, size_t len,
		     const struct builder *b)
{
	size_t start = out->len;
	size_t step = first_step_len(path, len);

	buf_puts(out, "*[");
	if (step > 0 && put_predicates(out, path + step, len - step)) {
		if (len > step) {
			buf_puts(out, " and ");
		}
	} else {
		buf_truncate(out, start);
		buf_put(out, path, len);
		buf_puts(out, " and *[");
	}
	put_tests(out, b);
	buf_put_u8(out, ']');
}

/*
 * The options go into each operand of an "or": parentheses around the whole
 * are not for Windows, which wants a path in front.
 */
static void put_all(struct buf *out, const char *xpath, const struct builder *b)
{
	while (*xpath != '\0') {
		size_t len = operand_len(xpath);
		const char *operand = xpath;
		size_t trimmed = len;

		xpath += len;
		event_xml_trim(&operand, &trimmed);
		put_both(out, operand, trimmed, b);
		if (*xpath != '\0') {
			buf_puts(out, " or ");
			xpath += strlen("or");
		}
	}
}

static everr_t join(struct builder *b, const char *xpath,
		    const char **ret_xpath)
{
	struct buf out;
	everr_t err;

	if (b->system.len == 0 && b->body.len == 0) {
		*ret_xpath = xpath;
		return EVERR_OK;
	}
	buf_init(&out, b->mem_ctx, XPATH_MAX);
	put_all(&out, xpath, b);
	buf_put_u8(&out, 0);
	err = buf_error(&out);
	if (err != EVERR_OK) {
		buf_free(&out);
		return err;
	}
	*ret_xpath = (const char *)out.data;
	return EVERR_OK;
}

everr_t cli_filter_xpath(TALLOC_CTX *mem_ctx, const struct cli_filter *filter,
			 const char *xpath, uint64_t now, bool utc,
			 const char **ret_xpath, size_t *ret_terms,
			 const char **ret_message)
{
	struct builder b = {.now = now, .utc = utc};
	const char *result = NULL;
	everr_t err;

	if (xpath == NULL) {
		xpath = "*";
	}
	b.mem_ctx = talloc_new(mem_ctx);
	if (b.mem_ctx == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&b.system, b.mem_ctx, XPATH_MAX);
	buf_init(&b.body, b.mem_ctx, XPATH_MAX);
	err = add_all(&b, filter);
	if (err == EVERR_OK) {
		err = buf_error(&b.system);
	}
	if (err == EVERR_OK) {
		err = buf_error(&b.body);
	}
	if (err == EVERR_OK) {
		err = join(&b, xpath, &result);
	}
	if (err == EVERR_LIMIT) {
		err = refuse(&b, "the options make too long a query");
	}
	if (err == EVERR_TEXT) {
		*ret_message = talloc_steal(mem_ctx, b.message);
	}
	if (err == EVERR_OK) {
		*ret_xpath = talloc_strdup(mem_ctx, result);
		*ret_terms = b.terms;
		err = *ret_xpath != NULL ? EVERR_OK : EVERR_NOMEM;
	}
	talloc_free(b.mem_ctx);
	return err;
}

/* ------------------------------------------------------------ query lists */

static void put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			buf_put_u8(out, (uint8_t)*text);
			break;
		}
	}
}

everr_t cli_filter_query_list(TALLOC_CTX *mem_ctx, const char *const *channels,
			      size_t num_channels, const char *xpath,
			      const char **ret_query)
{
	struct buf out;
	everr_t err;
	size_t i;

	buf_init(&out, mem_ctx, EVENT_QUERY_LENGTH_MAX);
	buf_puts(&out, "<QueryList>\n  <Query Id=\"0\">\n");
	for (i = 0; i < num_channels; i++) {
		if (!is_printable(channels[i])) {
			buf_free(&out);
			return EVERR_TEXT;
		}
		buf_puts(&out, "    <Select Path=\"");
		put_escaped(&out, channels[i]);
		buf_puts(&out, "\">");
		put_escaped(&out, xpath);
		buf_puts(&out, "</Select>\n");
	}
	buf_puts(&out, "  </Query>\n</QueryList>\n");
	buf_put_u8(&out, 0);
	err = buf_error(&out);
	if (err != EVERR_OK) {
		buf_free(&out);
		return err;
	}
	*ret_query = (const char *)out.data;
	return EVERR_OK;
}
