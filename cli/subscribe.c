/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * subscribe: events as they happen, over broken connections and across runs.
 *
 * The position is a bookmark list, one record id for each channel, that moves
 * when an event has been written to stdout and not before.  Every connection
 * but possibly the first begins after it.
 */

#include "cli/bookmark_file.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/session.h"
#include "collect/client.h"
#include "collect/newest.h"
#include "idl/ndr_even6.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds before the connection is made anew; doubled each time in vain. */
#define RETRY_FIRST 1
#define RETRY_LAST 30
/* Milliseconds that a position may be ahead of its file. */
#define SAVE_DELAY 200

enum step {
	STEP_CONNECT,
	STEP_FIND_CHANNELS, /* to learn where "now" is */
	STEP_FIND_NEWEST,
	STEP_FORGET_CHANNELS,
	STEP_OPEN,
	STEP_READ,
	STEP_CLOSE
};

struct subscriber {
	struct cli *cli;
	struct cli_selection selection;
	struct collect_target target;
	struct collect_request request;
	bool reconnect;
	bool limited;
	uint64_t remaining;	   /* events still wanted, when limited */
	const char *bookmark_path; /* NULL: kept in memory only */

	struct event_bookmark_list *position; /* NULL: not known yet */
	bool unsaved;
	struct tevent_timer *save_timer;

	enum step step;
	struct collect_connection *connection;
	struct collect_cursor *cursor;
	struct tevent_req *req;	    /* of the step */
	struct tevent_timer *timer; /* of the next try */
	unsigned int delay;
	bool was_connected;

	struct event_dict *dict;
	struct event_packer *packer;
	struct output *output;
	struct output_options output_options;
	struct cli_texts *texts;
	/* Held back for its events' texts, with the end of what is shown. */
	struct collect_batch *batch;
	uint32_t batch_end;

	bool stopping;
	bool done;
	int status;
};

static void step_connect(struct subscriber *s);
static void step_open(struct subscriber *s);
static void step_read(struct subscriber *s);
static void step_close(struct subscriber *s);
static void subscriber_next(struct subscriber *s);

/* ------------------------------------------------------------- position */

static void position_save(struct subscriber *s)
{
	everr_t err;

	TALLOC_FREE(s->save_timer);
	if (!s->unsaved || s->bookmark_path == NULL || s->position == NULL ||
	    s->position->num_bookmarks == 0) {
		return;
	}
	err = bookmark_file_save(s->bookmark_path, s->position);
	if (err != EVERR_OK) {
		cli_error("cannot write the bookmark %s: %s", s->bookmark_path,
			  err == EVERR_IO ? strerror(errno) : everr_text(err));
		/* Going on would promise a position that is not kept. */
		s->status = CLI_FAILED;
		s->stopping = true;
		return;
	}
	s->unsaved = false;
}

static void position_timer(struct tevent_context *ev, struct tevent_timer *te,
			   struct timeval now, void *private_data)
{
	struct subscriber *s = private_data;

	s->save_timer = NULL;
	position_save(s);
	/* With a batch held back, its end is what goes on. */
	if (s->stopping && s->batch == NULL) {
		TALLOC_FREE(s->req);
		TALLOC_FREE(s->timer);
		subscriber_next(s);
	}
}

/* The position moved: save it soon, and not for every single event. */
static void position_moved(struct subscriber *s)
{
	s->unsaved = true;
	if (s->bookmark_path == NULL || s->save_timer != NULL) {
		return;
	}
	s->save_timer = tevent_add_timer(
		s->cli->ev, s, tevent_timeval_current_ofs(0, SAVE_DELAY * 1000),
		position_timer, s);
	if (s->save_timer == NULL) {
		position_save(s);
	}
}

static struct event_bookmark *position_find(struct subscriber *s,
					    const char *channel)
{
	return (struct event_bookmark *)event_bookmark_find(s->position,
							    channel);
}

static bool position_add(struct subscriber *s, const char *channel,
			 struct event_bookmark **ret_bookmark)
{
	struct event_bookmark_list *list = s->position;
	struct event_bookmark *bookmarks = NULL;
	const char *name = NULL;

	bookmarks = talloc_realloc(list, list->bookmarks, struct event_bookmark,
				   list->num_bookmarks + 1);
	if (bookmarks == NULL) {
		return false;
	}
	list->bookmarks = bookmarks;
	name = talloc_strdup(list, channel);
	if (name == NULL) {
		return false;
	}
	bookmarks[list->num_bookmarks] =
		(struct event_bookmark){.channel = name};
	*ret_bookmark = &bookmarks[list->num_bookmarks];
	list->num_bookmarks++;
	return true;
}

/*
 * Records that were there once and are no more show as a jump of the ids.
 * Only where everything is asked for: a filter makes jumps, too.
 */
static void report_gap(const struct subscriber *s, const char *channel,
		       uint64_t from, uint64_t to)
{
	/* From 0: the channel was empty, and may have held much before. */
	if (!s->selection.everything || from == 0 || to <= from + 1) {
		return;
	}
	cli_note("evenlog: %" PRIu64
		 " events of %s are missing (records %" PRIu64 " to %" PRIu64
		 "): no longer in the log",
		 to - from - 1, channel, from + 1, to - 1);
}

/* The event at record_id of channel has been shown. */
static bool position_set(struct subscriber *s, const char *channel,
			 uint64_t record_id)
{
	struct event_bookmark *bookmark = NULL;
	size_t i;

	if (s->position == NULL) {
		s->position = talloc_zero(s, struct event_bookmark_list);
		if (s->position == NULL) {
			return false;
		}
	}
	bookmark = position_find(s, channel);
	if (bookmark == NULL) {
		if (!position_add(s, channel, &bookmark)) {
			return false;
		}
	} else {
		report_gap(s, channel, bookmark->record_id, record_id);
	}
	for (i = 0; i < s->position->num_bookmarks; i++) {
		s->position->bookmarks[i].is_current = false;
	}
	bookmark->record_id = record_id;
	bookmark->is_current = true;
	position_moved(s);
	return true;
}

/* -------------------------------------------------------------- the end */

static void subscriber_finish(struct subscriber *s)
{
	position_save(s);
	TALLOC_FREE(s->timer);
	s->done = true;
}

static void subscriber_fail(struct subscriber *s)
{
	s->status = CLI_FAILED;
	s->stopping = true;
	subscriber_next(s);
}

static void no_memory(struct subscriber *s)
{
	cli_error("out of memory");
	subscriber_fail(s);
}

/* ------------------------------------------------------- trying again */

/*
 * What may be better in a while.  A refused logon is not: repeated, it locks
 * the account.
 */
static bool may_retry(const struct subscriber *s,
		      const struct collect_failure *failure)
{
	if (!s->reconnect || !s->was_connected || s->stopping) {
		return false;
	}
	switch (failure->err) {
	case EVERR_CONNECT:
	case EVERR_TIMEOUT:
	case EVERR_STORE_CLOSED:
	case EVERR_CANCELLED:
	case EVERR_NOT_FOUND:
	case EVERR_STALE:
	case EVERR_NOMEM:
		return true;
	default:
		return false;
	}
}

/* Without a connection there is nothing that could fail. */
static void disconnect_texts(struct subscriber *s)
{
	everr_t err = cli_texts_connect(s->texts, NULL);

	(void)err;
}

static void drop_connection(struct subscriber *s)
{
	TALLOC_FREE(s->req);
	disconnect_texts(s);
	TALLOC_FREE(s->cursor);
	TALLOC_FREE(s->connection);
}

/*
 * Runs from a timer, never in a callback of the connection that it frees.
 */
static void retry_timer(struct tevent_context *ev, struct tevent_timer *te,
			struct timeval now, void *private_data)
{
	struct subscriber *s = private_data;

	s->timer = NULL;
	drop_connection(s);
	if (s->stopping) {
		subscriber_finish(s);
		return;
	}
	step_connect(s);
}

static void subscriber_later(struct subscriber *s, unsigned int seconds)
{
	TALLOC_FREE(s->timer);
	s->timer = tevent_add_timer(s->cli->ev, s,
				    tevent_timeval_current_ofs(seconds, 0),
				    retry_timer, s);
	if (s->timer == NULL) {
		cli_error("out of memory");
		s->status = CLI_FAILED;
		s->done = true;
	}
}

static void step_failed(struct subscriber *s,
			const struct collect_failure *failure)
{
	/* What is asked for at the end is a courtesy. */
	if (s->stopping) {
		subscriber_later(s, 0);
		return;
	}
	cli_error("%s", failure->text);
	if (!may_retry(s, failure)) {
		s->status = CLI_FAILED;
		s->stopping = true;
		subscriber_later(s, 0);
		return;
	}
	position_save(s);
	if (s->stopping) {
		subscriber_later(s, 0);
		return;
	}
	cli_note("evenlog: trying again in %u s", s->delay);
	subscriber_later(s, s->delay);
	s->delay = s->delay * 2 < RETRY_LAST ? s->delay * 2 : RETRY_LAST;
}

/* -------------------------------------------------------------- connect */

static void connect_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_connect_recv(subreq, s, &s->connection, &failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return;
	}
	err = cli_texts_connect(s->texts, s->connection);
	if (err != EVERR_OK) {
		no_memory(s);
		return;
	}
	if (s->was_connected) {
		cli_note("evenlog: connected again");
	}
	subscriber_next(s);
}

static void step_connect(struct subscriber *s)
{
	s->step = STEP_CONNECT;
	s->req = collect_connect_send(s, s->cli->ev, &s->target,
				      &ndr_table_even6);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, connect_done, s);
}

/* ------------------------------------------------------------ the request */

static void open_send(struct subscriber *s, tevent_req_fn done)
{
	s->req = collect_open_send(s, s->cli->ev, s->connection, &s->request);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, done, s);
}

/* False: it failed, and what follows from that has been set going. */
static bool open_recv(struct subscriber *s, struct tevent_req *subreq)
{
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_open_recv(subreq, s, &s->cursor, &failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return false;
	}
	return true;
}

/* ------------------------------------------------------------ where now is */

static void channels_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);

	if (open_recv(s, subreq)) {
		subscriber_next(s);
	}
}

/* A subscription that only tells which channels the query names. */
static void step_find_channels(struct subscriber *s)
{
	s->step = STEP_FIND_CHANNELS;
	s->request.from = COLLECT_FROM_NOW;
	open_send(s, channels_done);
}

static void newest_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_newest_recv(subreq, s, &s->position, &failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return;
	}
	s->unsaved = true;
	position_save(s);
	subscriber_next(s);
}

static void step_find_newest(struct subscriber *s)
{
	s->step = STEP_FIND_NEWEST;
	s->req = collect_newest_send(s, s->cli->ev, s->connection,
				     s->cursor->channels,
				     s->cursor->num_channels);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, newest_done, s);
}

static void forgotten(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_close_recv(subreq, &failure);
	TALLOC_FREE(subreq);
	TALLOC_FREE(s->cursor);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return;
	}
	subscriber_next(s);
}

/* The cursor that told the channels is not needed any more. */
static void step_forget_channels(struct subscriber *s)
{
	s->step = STEP_FORGET_CHANNELS;
	s->req = collect_close_send(s, s->cli->ev, s->cursor);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, forgotten, s);
}

/* ----------------------------------------------------------------- open */

static void open_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);

	if (!open_recv(s, subreq)) {
		return;
	}
	if (!s->was_connected) {
		cli_report_channels(s->cursor);
	}
	s->was_connected = true;
	s->delay = RETRY_FIRST;
	/* Strict is about the bookmark one came with, not about our own. */
	s->request.strict = false;
	subscriber_next(s);
}

/* Whether the position is at a record, and not before the first of all. */
static bool position_is_somewhere(const struct subscriber *s)
{
	size_t i;

	for (i = 0; s->position != NULL && i < s->position->num_bookmarks;
	     i++) {
		if (s->position->bookmarks[i].record_id != 0) {
			return true;
		}
	}
	return false;
}

static void step_open(struct subscriber *s)
{
	s->step = STEP_OPEN;
	s->request.bookmark = s->position;
	s->request.from = position_is_somewhere(s) ? COLLECT_FROM_BOOKMARK
						   : COLLECT_FROM_OLDEST;
	open_send(s, open_done);
}

/* ----------------------------------------------------------------- read */

/* Show one event and count it. */
static everr_t show_event(struct subscriber *s,
			  const struct collect_event *event)
{
	struct event_packed packed;
	everr_t err;

	err = event_pack(s->packer, event->result.event,
			 event->result.event_len, &packed);
	if (err != EVERR_OK) {
		cli_error("an event of %s (record %" PRIu64 ") is malformed"
			  " and left out: %s",
			  s->cursor->channels[event->channel].name,
			  event->record_id, everr_text(err));
		s->status = CLI_FAILED;
		return EVERR_OK;
	}
	return output_event(s->output, s->dict, &packed);
}

/* Add events until they or those wanted end; *ret_end is behind the last. */
static everr_t add_batch(struct subscriber *s,
			 const struct collect_batch *batch, uint32_t *ret_end)
{
	uint32_t i;

	for (i = 0; i < batch->num; i++) {
		struct collect_event event;
		everr_t err;

		if (s->limited && s->remaining == 0) {
			break;
		}
		err = collect_batch_event(s->cursor, batch, i, &event);
		if (err != EVERR_OK) {
			cli_error("a record is malformed and left out: %s",
				  everr_text(err));
			s->status = CLI_FAILED;
			continue;
		}
		err = show_event(s, &event);
		if (err != EVERR_OK) {
			return err;
		}
		s->remaining -= s->limited ? 1 : 0;
	}
	*ret_end = i;
	return EVERR_OK;
}

/* After its events are out: where we are. */
static bool batch_shown(struct subscriber *s, const struct collect_batch *batch,
			uint32_t end)
{
	uint32_t i;

	for (i = 0; i < end; i++) {
		struct collect_event event;
		everr_t err;

		err = collect_batch_event(s->cursor, batch, i, &event);
		if (err != EVERR_OK) {
			continue;
		}
		if (!position_set(s, s->cursor->channels[event.channel].name,
				  event.record_id)) {
			return false;
		}
	}
	return true;
}

static void output_lost(struct subscriber *s, everr_t err)
{
	if (err != EVERR_IO) {
		cli_error("%s", everr_text(err));
	} else if (errno != EPIPE) {
		cli_error("cannot write the output: %s", strerror(errno));
	}
	subscriber_fail(s);
}

/* The batch's texts are there, or will not come. */
static void finish_batch(struct subscriber *s)
{
	struct collect_batch *batch = s->batch;
	everr_t err;
	bool ok;

	s->batch = NULL;
	err = output_flush(s->output);
	if (err != EVERR_OK) {
		TALLOC_FREE(batch);
		output_lost(s, err);
		return;
	}
	ok = batch_shown(s, batch, s->batch_end);
	TALLOC_FREE(batch);
	if (!ok) {
		no_memory(s);
		return;
	}
	if (s->limited && s->remaining == 0) {
		s->stopping = true;
	}
	subscriber_next(s);
}

/* Show the batch once the texts it needs are there. */
static void await_texts(void *private_data)
{
	struct subscriber *s = private_data;

	if (output_waiting(s->output)) {
		cli_texts_on_ready(s->texts, await_texts, s);
		return;
	}
	finish_batch(s);
}

/* Show a batch, which becomes the subscriber's. */
static void take_batch(struct subscriber *s, struct collect_batch *batch)
{
	everr_t err;

	s->batch = batch;
	err = add_batch(s, batch, &s->batch_end);
	if (err != EVERR_OK) {
		TALLOC_FREE(s->batch);
		output_lost(s, err);
		return;
	}
	await_texts(s);
}

static void next_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_batch *batch = NULL;
	everr_t err;

	s->req = NULL;
	err = collect_next_recv(subreq, s, &batch, &failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return;
	}
	if (s->request.kind == COLLECT_PULL && batch->num == 0) {
		TALLOC_FREE(batch);
		step_read(s);
		return;
	}
	take_batch(s, batch);
}

static void ask_for_events(struct subscriber *s)
{
	uint32_t num = COLLECT_BATCH_RECORDS;

	if (s->limited && s->remaining < num) {
		num = (uint32_t)s->remaining;
	}
	s->req = collect_next_send(s, s->cli->ev, s->cursor, num, 0);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, next_done, s);
}

static void wait_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_wait_recv(subreq, &failure);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		step_failed(s, &failure);
		return;
	}
	ask_for_events(s);
}

/*
 * Push: one call that parks.  Pull: wait, then take what is there; the service
 * answers a wait at once while something is left, so nothing is passed over.
 */
static void step_read(struct subscriber *s)
{
	s->step = STEP_READ;
	if (s->request.kind == COLLECT_PUSH) {
		ask_for_events(s);
		return;
	}
	s->req = collect_wait_send(s, s->cli->ev, s->cursor);
	if (s->req == NULL) {
		no_memory(s);
		return;
	}
	tevent_req_set_callback(s->req, wait_done, s);
}

/* ---------------------------------------------------------------- close */

static void close_done(struct tevent_req *subreq)
{
	struct subscriber *s =
		tevent_req_callback_data(subreq, struct subscriber);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	s->req = NULL;
	err = collect_close_recv(subreq, &failure);
	TALLOC_FREE(subreq);
	(void)err;
	subscriber_later(s, 0);
}

static void step_close(struct subscriber *s)
{
	s->step = STEP_CLOSE;
	if (s->cursor == NULL || s->connection == NULL ||
	    !collect_connection_alive(s->connection)) {
		subscriber_later(s, 0);
		return;
	}
	s->req = collect_close_send(s, s->cli->ev, s->cursor);
	if (s->req == NULL) {
		subscriber_later(s, 0);
		return;
	}
	tevent_req_set_callback(s->req, close_done, s);
}

/* A step is done: take the next one. */
static void subscriber_next(struct subscriber *s)
{
	if (s->stopping) {
		step_close(s);
		return;
	}
	switch (s->step) {
	case STEP_CONNECT:
		if (s->position == NULL &&
		    s->request.from == COLLECT_FROM_NOW) {
			step_find_channels(s);
			return;
		}
		step_open(s);
		return;
	case STEP_FIND_CHANNELS:
		step_find_newest(s);
		return;
	case STEP_FIND_NEWEST:
		step_forget_channels(s);
		return;
	case STEP_FORGET_CHANNELS:
		step_open(s);
		return;
	case STEP_OPEN:
	case STEP_READ:
		step_read(s);
		return;
	case STEP_CLOSE:
		return;
	}
}

/* ------------------------------------------------------------- signals */

static void on_signal(struct tevent_context *ev, struct tevent_signal *se,
		      int signum, int count, void *siginfo, void *private_data)
{
	struct subscriber *s = private_data;

	/* Whoever asks twice does not want to wait. */
	if (s->stopping) {
		subscriber_finish(s);
		return;
	}
	s->stopping = true;
	if (s->step == STEP_CONNECT && s->target.kerberos && s->req != NULL) {
		/* Maybe inside a loop of Samba's; it ends by itself. */
		return;
	}
	TALLOC_FREE(s->req);
	TALLOC_FREE(s->timer);
	if (s->batch != NULL) {
		/* Shown with the texts that are there. */
		cli_texts_on_ready(s->texts, NULL, NULL);
		finish_batch(s);
		return;
	}
	subscriber_next(s);
}

static bool watch_signals(struct subscriber *s)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (tevent_add_signal(s->cli->ev, s, signals[i], 0, on_signal,
				      s) == NULL) {
			return false;
		}
	}
	return true;
}

/* -------------------------------------------------------------- options */

static int load_bookmark(struct subscriber *s, bool must_exist)
{
	everr_t err;

	err = bookmark_file_load(s, s->bookmark_path, &s->position);
	if (err == EVERR_OK) {
		return -1;
	}
	if (err == EVERR_NOT_FOUND && !must_exist) {
		return -1;
	}
	cli_error("cannot read the bookmark %s: %s", s->bookmark_path,
		  err == EVERR_IO ? strerror(errno) : everr_text(err));
	return CLI_FAILED;
}

static int set_start(struct subscriber *s, const char *from,
		     const char *bookmark)
{
	bool must_exist = false;

	if (from == NULL || strcmp(from, "now") == 0) {
		s->request.from = COLLECT_FROM_NOW;
	} else if (strcmp(from, "oldest") == 0) {
		s->request.from = COLLECT_FROM_OLDEST;
	} else if (strcmp(from, "bookmark") == 0) {
		must_exist = true;
	} else {
		return cli_usage(s->cli,
				 "--from is oldest, now or bookmark, not"
				 " \"%s\"",
				 from);
	}
	if (bookmark == NULL) {
		if (must_exist) {
			return cli_usage(s->cli, "--from bookmark needs"
						 " --bookmark FILE");
		}
		return -1;
	}
	s->bookmark_path = bookmark;
	return load_bookmark(s, must_exist);
}

static int subscriber_run(struct subscriber *s)
{
	s->dict = output_dict_create(s);
	s->packer = s->dict != NULL ? event_packer_create(s, s->dict) : NULL;
	s->output = output_create(s, s->cli, &s->output_options, STDOUT_FILENO);
	s->texts = cli_texts_create(s, s->cli->ev);
	if (s->packer == NULL || s->output == NULL || s->texts == NULL ||
	    !watch_signals(s)) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	output_set_texts(s->output, s->texts);
	s->delay = RETRY_FIRST;
	step_connect(s);
	while (!s->done) {
		if (tevent_loop_once(s->cli->ev) != 0) {
			cli_error("the event loop failed: %s", strerror(errno));
			return CLI_FAILED;
		}
	}
	drop_connection(s);
	if (output_failed(s->output) > 0) {
		s->status = CLI_FAILED;
	}
	return s->status;
}

/* Refused below, with the reason; the help has no use for it. */
static void hide_until(struct poptOption *table)
{
	size_t i;

	for (i = 0; table[i].longName != NULL; i++) {
		if (strcmp(table[i].longName, "until") == 0) {
			table[i].argInfo |= POPT_ARGFLAG_DOC_HIDDEN;
		}
	}
}

static int cli_subscribe(struct cli *cli)
{
	char *structured = NULL;
	char *bookmark = NULL;
	char *count = NULL;
	char *from = NULL;
	int pull = 0;
	int strict = 0;
	int tolerate = 0;
	int no_reconnect = 0;
	struct cli_filter filter = {.since = NULL};
	struct output_options output_options = {.full = 0};
	struct poptOption filters[CLI_FILTER_TABLE_SIZE];
	struct poptOption outputs[OUTPUT_TABLE_SIZE];
	struct poptOption table[] = {
		{"structured", 's', POPT_ARG_STRING, &structured, 0,
		 "Read a structured query (QueryList); - is standard input",
		 "FILE"},
		{"from", 0, POPT_ARG_STRING, &from, 0,
		 "Where to begin when there is no bookmark yet (now)",
		 "oldest|now|bookmark"},
		{"bookmark", 'b', POPT_ARG_STRING, &bookmark, 0,
		 "Go on after the position in a file, and keep it there",
		 "FILE"},
		{"strict", 0, POPT_ARG_NONE, &strict, 0,
		 "Fail when the bookmarked event is gone", NULL},
		{"count", 'n', POPT_ARG_STRING, &count, 0,
		 "End after so many events", "N"},
		{"pull", 0, POPT_ARG_NONE, &pull, 0,
		 "Fetch events instead of having them pushed", NULL},
		{"tolerate", 0, POPT_ARG_NONE, &tolerate, 0,
		 "Go on without channels that are missing", NULL},
		{"no-reconnect", 0, POPT_ARG_NONE, &no_reconnect, 0,
		 "Fail when the connection breaks", NULL},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, outputs, 0, "Output:", NULL},
		{NULL, 0, POPT_ARG_INCLUDE_TABLE, filters, 0,
		 "Only events that fit all of these:", NULL},
		POPT_TABLEEND,
	};
	struct subscriber *s = NULL;
	const char **args = NULL;
	everr_t err;
	int ret;

	cli_filter_table(&filter, filters);
	hide_until(filters);
	output_table(&output_options, outputs);
	ret = cli_parse(cli, table, 0, -1, &args);
	if (ret < 0) {
		ret = output_check(cli, &output_options);
	}
	if (ret >= 0) {
		return ret;
	}
	if (filter.until != NULL) {
		return cli_usage(cli, "subscribe is about events to come;"
				      " --until is for query");
	}
	/* Where else would events of the last hour come from? */
	if (filter.since != NULL && from == NULL) {
		from = talloc_strdup(cli, "oldest");
	}
	s = talloc_zero(cli, struct subscriber);
	if (s == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	s->cli = cli;
	s->output_options = output_options;
	ret = cli_select(cli, args, structured, &filter, &s->selection);
	if (ret < 0) {
		ret = set_start(s, from, bookmark);
	}
	if (ret >= 0) {
		return ret;
	}
	if (count != NULL) {
		err = cli_parse_number(count, UINT64_MAX, &s->remaining);
		if (err != EVERR_OK || s->remaining == 0) {
			return cli_usage(cli,
					 "--count is a number from 1, not"
					 " \"%s\"",
					 count);
		}
		s->limited = true;
	}
	s->request.kind = pull != 0 ? COLLECT_PULL : COLLECT_PUSH;
	s->request.channel = s->selection.channel;
	s->request.query = s->selection.query;
	s->request.tolerate = tolerate != 0;
	s->request.strict = strict != 0 && s->position != NULL;
	s->reconnect = no_reconnect == 0;
	ret = cli_target(cli, &s->target);
	if (ret >= 0) {
		return ret;
	}
	return subscriber_run(s);
}

static const char subscribe_description[] =
	"Waits for events and shows each at once, until interrupted (Ctrl-C)\n"
	"or --count is reached. When the connection breaks it is made anew,\n"
	"and events that happened meanwhile follow. With --bookmark the\n"
	"position is kept in a file, also across runs: nothing is left out,\n"
	"and what was shown right before a crash may be shown again.\n"
	"\n"
	"  evenlog subscribe Application System --level warning+\n"
	"  evenlog subscribe Application --from oldest --bookmark app.mark\n"
	"  evenlog subscribe --structured query.xml --remote dc1 --kerberos\n";

const struct cli_verb cli_verb_subscribe = {
	.name = "subscribe",
	.arguments = CLI_SELECT_ARGUMENTS,
	.summary = "Show events as they happen",
	.description = subscribe_description,
	.run = cli_subscribe,
};
