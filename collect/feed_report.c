/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/feed_internal.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/wintime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A wait for room among the reports; they do not all come back together. */
#define ROOM_WAIT_MS 100
#define ROOM_WAIT_SPREAD_MS 900
/* Refused events of a batch that are told one by one. */
#define REFUSED_TOLD_MAX 16
/* The same of other computers, and of the names' lengths. */
#define MISMATCHED_TOLD_MAX 16
#define COMPUTER_UNITS_MAX 256

/* A 64-bit number's text. */
struct number {
	char text[24];
};

static const char *number(struct number *n, uint64_t value)
{
	snprintf(n->text, sizeof(n->text), "%" PRIu64, value);
	return n->text;
}

/* fields without Host and Channel, which all of them have. */
static void tell(struct collect_feed *feed, enum operational_id id,
		 const char *subject, const char *const *fields,
		 size_t num_fields)
{
	const char *all[16] = {"Host", feed->config->host, "Channel",
			       feed->channel->name};
	size_t i;

	for (i = 0; i < 2 * num_fields && 4 + i < 16; i++) {
		all[4 + i] = fields[i];
	}
	operational_report(feed->env.operational, id, subject, all,
			   2 + num_fields);
}

/* -------------------------------------------------------------- states */

void feed_tell_reading(struct collect_feed *feed)
{
	struct number id;
	const char *fields[] = {"Target", feed->config->target, "RecordId",
				number(&id, feed->position.record_id)};

	if (feed->told != FEED_TOLD_READING) {
		feed->told = FEED_TOLD_READING;
		tell(feed, OPERATIONAL_LOG_READING, feed->label, fields, 2);
	}
}

void feed_tell_failed(struct collect_feed *feed)
{
	const struct collect_failure *failure = &feed->failure;
	const char *fields[] = {
		"Reason", collect_failure_reason(failure, feed->config->host)};

	if (feed->told == FEED_TOLD_FAILED &&
	    feed->told_failure.err == failure->err &&
	    feed->told_failure.win32 == failure->win32) {
		return;
	}
	feed->told = FEED_TOLD_FAILED;
	feed->told_failure = *failure;
	tell(feed, OPERATIONAL_LOG_FAILED, feed->label, fields, 1);
}

/* ---------------------------------------------------------------- gaps */

static const char *exact_text(uint32_t exact)
{
	switch (exact) {
	case COLLECT_GAP_AT_MOST:
		return "at most";
	case COLLECT_GAP_AT_LEAST:
		return "at least";
	default:
		return "exact";
	}
}

static void tell_gap(struct collect_feed *feed, const struct collect_gap *gap)
{
	struct number first, last, missing;
	const char *fields[] = {"First",   number(&first, gap->first),
				"Last",	   number(&last, gap->last),
				"Missing", number(&missing, gap->missing),
				"Exact",   exact_text(gap->exact),
				"Cause",   collect_gap_cause_text(gap->cause)};

	tell(feed, OPERATIONAL_LOG_GAP, NULL, fields, 5);
}

static void tell_all_gaps(struct collect_feed *feed)
{
	size_t i;

	for (i = 1; i < COLLECT_GAP_CAUSES; i++) {
		if (feed->untold.numbers[i] > 0) {
			tell_gap(feed, &feed->untold.gaps[i]);
		}
	}
	feed->untold = (struct collect_gap_tally){.numbers = {0}};
	/* Written with the next events, or soon without. */
	feed->position.gap_reported = true;
	feed->notes = true;
	feed_append_notes(feed);
}

static void gap_pause_over(void *private_data);

/*
 * A feed's first gap is told at once; those that follow are put together for
 * longer and longer.  When many hosts have one at a time they take turns.  Of
 * what is not told yet the position keeps the sums, and the latest gap, which
 * is told after a crash.
 */
static void tell_gaps_in_turn(struct collect_feed *feed)
{
	uint32_t ms = ROOM_WAIT_MS + feed_random() % ROOM_WAIT_SPREAD_MS;

	if (operational_has_room(feed->env.operational)) {
		tell_all_gaps(feed);
		ms = backoff_next(&feed->gap_pause, feed_random());
	}
	feed_timer(feed, &feed->gap_timer, ms, gap_pause_over);
}

static void gap_pause_over(void *private_data)
{
	struct collect_feed *feed = private_data;

	if (collect_gap_any(&feed->untold)) {
		tell_gaps_in_turn(feed);
		return;
	}
	backoff_reset(&feed->gap_pause);
}

void feed_tell_gaps(struct collect_feed *feed,
		    const struct collect_gap_tally *tally)
{
	collect_gap_merge(&feed->untold, tally);
	if (collect_gap_any(&feed->untold)) {
		if (!timer_is_set(&feed->gap_timer)) {
			tell_gaps_in_turn(feed);
		}
		return;
	}
	/* It was told while an older position was being written. */
	if (!feed->position.gap_reported) {
		feed->position.gap_reported = true;
		feed->notes = true;
	}
}

/* ------------------------------------------------------------- refusals */

void feed_tell_refused(struct collect_feed *feed,
		       const struct feed_batch *batch, size_t first, size_t end)
{
	size_t told = 0;
	size_t i;

	for (i = first; i < end && told < REFUSED_TOLD_MAX; i++) {
		const struct feed_event *event = &batch->events[i];
		struct number id;
		const char *fields[] = {"RecordId",
					number(&id, event->record_id), "Reason",
					everr_text(event->refused)};

		if (event->refused != EVERR_OK) {
			tell(feed, OPERATIONAL_EVENT_REFUSED, feed->label,
			     fields, 2);
			told++;
		}
	}
}

static void tell_mismatch(struct collect_feed *feed,
			  const struct feed_event *event)
{
	struct buf subject;
	size_t name;

	buf_init(&subject, feed, 4096);
	buf_put(&subject, feed->label, strlen(feed->label));
	buf_put_u8(&subject, '/');
	name = subject.len;
	text_utf16_to_utf8(&subject, event->computer,
			   event->computer_units < COMPUTER_UNITS_MAX
				   ? event->computer_units
				   : COMPUTER_UNITS_MAX);
	buf_put_u8(&subject, 0);
	if (buf_error(&subject) == EVERR_OK) {
		const char *fields[] = {"Computer",
					(const char *)subject.data + name};

		tell(feed, OPERATIONAL_COMPUTER_MISMATCH,
		     (const char *)subject.data, fields, 1);
	}
	talloc_free(subject.data);
}

static bool same_computer(const struct feed_event *a,
			  const struct feed_event *b)
{
	return a->computer_units == b->computer_units &&
	       (a->computer_units == 0 ||
		memcmp(a->computer, b->computer, 2 * a->computer_units) == 0);
}

/* Operational counts what is told of one computer again and again. */
void feed_tell_mismatched(struct collect_feed *feed,
			  const struct feed_batch *batch, size_t first,
			  size_t end)
{
	const struct feed_event *last = NULL;
	size_t told = 0;
	size_t i;

	for (i = first; i < end; i++) {
		const struct feed_event *event = &batch->events[i];

		if (event->doc == NULL || event->refused != EVERR_OK ||
		    event->mark != STORE_ORIGIN_MISMATCH) {
			continue;
		}
		feed->mismatched++;
		if (told < MISMATCHED_TOLD_MAX &&
		    (last == NULL || !same_computer(last, event))) {
			tell_mismatch(feed, event);
			told++;
			last = event;
		}
	}
}

/* -------------------------------------------------------------- silence */

/* FILETIME units without an event; the clock may have been set back. */
static uint64_t quiet_for(const struct collect_feed *feed)
{
	uint64_t since = feed->last_event > feed->created ? feed->last_event
							  : feed->created;
	uint64_t now = wintime_now();

	return now > since ? now - since : 0;
}

static void tell_silent(struct collect_feed *feed)
{
	char text[WINTIME_TEXT_MAX] = "-";
	uint64_t last = feed->last_event != 0 ? feed->last_event
					      : feed->position.time_created;
	const char *fields[] = {"LastEvent", text};

	if (last != 0) {
		wintime_format(last, text);
	}
	feed->silent = true;
	tell(feed, OPERATIONAL_LOG_SILENT, feed->label, fields, 1);
}

static void silence_check(void *private_data)
{
	struct collect_feed *feed = private_data;
	uint64_t quiet = quiet_for(feed);

	/* Of a host that cannot be read other events speak. */
	if (!feed->silent && feed->state == COLLECT_FEED_READING &&
	    quiet >= feed->config->silent_after * WINTIME_SECOND) {
		tell_silent(feed);
	}
	feed_watch_silence(feed);
}

/*
 * One timer that is late by itself when events come: it looks how long it has
 * been quiet, and waits for the rest.
 */
void feed_watch_silence(struct collect_feed *feed)
{
	uint64_t bound = feed->config->silent_after * 1000;
	uint64_t quiet = quiet_for(feed) / (WINTIME_SECOND / 1000);
	uint64_t ms = bound;

	if (bound == 0) {
		return;
	}
	if (quiet < bound) {
		ms = bound - quiet + 1;
	}
	feed_timer(feed, &feed->silence_timer, ms, silence_check);
}

void feed_tell_heard(struct collect_feed *feed)
{
	if (feed->silent) {
		feed->silent = false;
		tell(feed, OPERATIONAL_LOG_HEARD, feed->label, NULL, 0);
	}
}
