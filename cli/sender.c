/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/sender.h"

#include "cli/session.h"

#include <inttypes.h>

static void show_progress(struct cli_sender *s)
{
	struct timeval now, elapsed;
	double seconds;

	if (!terminal_progress_due(&s->progress)) {
		return;
	}
	now = tevent_timeval_current();
	elapsed = tevent_timeval_until(&s->started, &now);
	seconds = (double)elapsed.tv_sec + (double)elapsed.tv_usec / 1e6;
	terminal_progress_show(
		&s->progress, "%" PRIu64 " events %s, %.0f a second", s->stored,
		s->imported ? "imported" : "published",
		seconds > 0 ? (double)s->stored / seconds : 0);
}

static void batch_clear(struct cli_batch *batch)
{
	buf_reset(&batch->bytes);
	batch->num = 0;
	batch->sent_from = 0;
	batch->offsets[0] = 0;
}

static void batch_send(struct cli_sender *s, struct cli_batch *batch,
		       size_t end)
{
	size_t i;

	for (i = batch->sent_from; i < end; i++) {
		struct collect_document *doc = &s->docs[i - batch->sent_from];

		doc->data = batch->bytes.data + batch->offsets[i];
		doc->len = batch->offsets[i + 1] - batch->offsets[i];
	}
	end -= batch->sent_from;
	if (s->imported) {
		s->req = collect_import_send(s->cli, s->cli->ev, s->connection,
					     s->channel, s->docs, end);
	} else {
		s->req = collect_publish_send(s->cli, s->cli->ev, s->connection,
					      s->channel, s->docs, end);
	}
}

/* The events before index end have been stored. */
static void batch_stored(struct cli_sender *s, struct cli_batch *batch,
			 size_t end, uint64_t first_id)
{
	size_t num = end - batch->sent_from;

	if (num == 0) {
		return;
	}
	if (s->stored == 0) {
		s->first_id = first_id;
	}
	s->stored += num;
	s->last_id = first_id + num - 1;
	batch->sent_from = end;
}

/* Wait for one call.  *ret_bad: which of its documents was refused. */
static everr_t batch_receive(struct cli_sender *s, uint64_t *ret_first_id,
			     size_t *ret_bad, struct collect_failure *failure)
{
	everr_t err;

	if (!cli_wait(s->cli, s->req)) {
		return collect_failure_set(failure, EVERR_INTERNAL,
					   "the event loop failed");
	}
	err = collect_publish_recv(s->req, ret_first_id, ret_bad, failure);
	TALLOC_FREE(s->req);
	return err;
}

/*
 * Wait until the batch on its way is stored, but for what the service
 * refuses: then the events before it are sent again, it is reported, and the
 * ones behind it are sent.
 */
void cli_sender_finish(struct cli_sender *s)
{
	struct cli_batch *batch = s->sending;
	size_t end;

	if (batch == NULL) {
		return;
	}
	end = batch->num;
	for (;;) {
		size_t bad = COLLECT_PUBLISH_NO_INDEX;
		struct collect_failure failure = {.err = EVERR_OK};
		uint64_t first_id = 0;
		everr_t err;

		err = batch_receive(s, &first_id, &bad, &failure);
		if (err == EVERR_OK) {
			batch_stored(s, batch, end, first_id);
			/* Behind the part that was good: the one that is not,
			 * already reported. */
			if (end < batch->num) {
				batch->sent_from = end + 1;
			}
			end = batch->num;
		} else if (bad < end - batch->sent_from) {
			end = batch->sent_from + bad;
			s->refused(s->private_data, batch->places[end],
				   failure.text);
			if (bad == 0) {
				batch->sent_from = end + 1;
				end = batch->num;
			}
		} else {
			terminal_progress_clear(&s->progress);
			cli_error("%s", failure.text);
			s->broken = true;
			break;
		}
		if (batch->sent_from == batch->num) {
			break;
		}
		batch_send(s, batch, end);
	}
	batch_clear(batch);
	s->sending = NULL;
	show_progress(s);
}

void cli_sender_flush(struct cli_sender *s)
{
	cli_sender_finish(s);
	if (s->broken || s->filling->num == 0) {
		return;
	}
	s->sending = s->filling;
	s->filling =
		s->filling == &s->batches[0] ? &s->batches[1] : &s->batches[0];
	batch_send(s, s->sending, s->sending->num);
}

static bool batch_is_full(const struct cli_batch *batch)
{
	return batch->num == COLLECT_PUBLISH_EVENTS ||
	       batch->bytes.len > COLLECT_PUBLISH_BYTES - EVENT_WIRE_MAX;
}

void cli_sender_added(struct cli_sender *s, uint64_t place)
{
	struct cli_batch *batch = s->filling;

	batch->places[batch->num] = place;
	batch->num++;
	batch->offsets[batch->num] = batch->bytes.len;
	if (batch_is_full(batch)) {
		cli_sender_flush(s);
	}
}

void cli_sender_init(struct cli_sender *s, struct cli *cli,
		     cli_sender_refused_fn refused, void *private_data)
{
	size_t i;

	*s = (struct cli_sender){
		.cli = cli, .refused = refused, .private_data = private_data};
	for (i = 0; i < 2; i++) {
		buf_init(&s->batches[i].bytes, cli,
			 COLLECT_PUBLISH_BYTES + EVENT_WIRE_MAX);
		batch_clear(&s->batches[i]);
	}
	s->filling = &s->batches[0];
}

void cli_sender_show_progress(struct cli_sender *s)
{
	terminal_progress_init(&s->progress);
	s->started = tevent_timeval_current();
}
