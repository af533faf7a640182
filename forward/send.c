/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/send.h"

#include "base/wintime.h"

#include <time.h>

#define RING_FIRST 256
/* A buffer that has grown beyond it is given back. */
#define MESSAGE_KEPT (1024 * 1024)

/* --------------------------------------------------------------- queue */

static void queue_push(struct forward_output *output, struct forward_lane *lane)
{
	lane->queued = true;
	lane->queue_next = NULL;
	if (output->last != NULL) {
		output->last->queue_next = lane;
	} else {
		output->first = lane;
	}
	output->last = lane;
}

static struct forward_lane *queue_pop(struct forward_output *output)
{
	struct forward_lane *lane = output->first;

	output->first = lane->queue_next;
	if (output->first == NULL) {
		output->last = NULL;
	}
	lane->queued = false;
	return lane;
}

static uint64_t in_flight(const struct forward_output *output)
{
	return output->next_sequence - output->first_sequence;
}

/*
 * What was refused last time is on its way: what came after it would only be
 * sent twice.  What comes before it, after a rewind, waits for nothing.
 */
static bool tries_refused(const struct forward_output *output)
{
	const struct forward_lane *lane = output->refused;

	return lane != NULL && lane->in_flight > 0 &&
	       lane->next_id > output->info.refusal.id;
}

static bool can_send(const struct forward_output *output)
{
	return output->running && output->settled && !output->failed &&
	       !tries_refused(output) && in_flight(output) < FORWARD_RING_MAX &&
	       forward_transport_ready(output->transport);
}

void forward_send_schedule(struct forward_output *output)
{
	if (output->first != NULL && can_send(output)) {
		turn_schedule(output->forwarder->turns, &output->turn);
	}
}

void forward_output_wake(struct forward_output *output,
			 struct forward_lane *lane)
{
	if (!lane->queued && lane->channel != NULL && lane->held == NULL) {
		queue_push(output, lane);
	}
	/* Not yet, while it is made. */
	if (output->running) {
		forward_send_schedule(output);
	}
}

/* ---------------------------------------------------------------- ring */

/* Room for one more.  EVERR_NOMEM */
static everr_t ring_reserve(struct forward_output *output)
{
	uint32_t size =
		output->ring_size > 0 ? 2 * output->ring_size : RING_FIRST;
	struct forward_flight *ring = NULL;
	uint64_t i;

	if (in_flight(output) < output->ring_size) {
		return EVERR_OK;
	}
	ring = talloc_array(output, struct forward_flight, size);
	if (ring == NULL) {
		return EVERR_NOMEM;
	}
	for (i = output->first_sequence; i < output->next_sequence; i++) {
		ring[i & (size - 1)] =
			output->ring[i & (output->ring_size - 1)];
	}
	talloc_free(output->ring);
	output->ring = ring;
	output->ring_size = size;
	return EVERR_OK;
}

void forward_send_arrived(struct forward_output *output, uint64_t sequence)
{
	while (output->first_sequence < output->next_sequence &&
	       output->first_sequence <= sequence) {
		const struct forward_flight *flight =
			&output->ring[output->first_sequence &
				      (output->ring_size - 1)];

		output->first_sequence++;
		output->info.arrived++;
		output->unsaved++;
		output->dirty = true;
		/* Not of a lane that has gone elsewhere since. */
		if (flight->epoch == flight->lane->epoch) {
			forward_lane_arrived(flight->lane, flight->id);
		}
	}
	forward_output_settle_refusal(output);
	forward_send_schedule(output);
}

const struct forward_flight *forward_send_find(
	const struct forward_output *output, uint64_t sequence)
{
	const struct forward_flight *flight = NULL;

	if (sequence < output->first_sequence ||
	    sequence >= output->next_sequence) {
		return NULL;
	}
	flight = &output->ring[sequence & (output->ring_size - 1)];
	return flight->epoch == flight->lane->epoch ? flight : NULL;
}

void forward_send_back(struct forward_output *output)
{
	size_t i;

	output->first_sequence = output->next_sequence;
	for (i = 0; i < output->num_lanes; i++) {
		struct forward_lane *lane = output->lanes[i];

		if (lane->in_flight > 0) {
			forward_lane_back(lane);
			forward_output_wake(output, lane);
		}
	}
}

/* ---------------------------------------------------------------- turn */

struct send_turn {
	struct forward_output *output;
	struct forward_reading reading;
	struct forward_item item;
	size_t looks;
	size_t records;
	size_t bytes;
	uint64_t end_ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool turn_goes_on(const struct send_turn *turn)
{
	return turn->looks < FORWARD_TURN_LOOKS &&
	       turn->records < FORWARD_TURN_RECORDS &&
	       turn->bytes < FORWARD_TURN_BYTES && now_ns() < turn->end_ns &&
	       can_send(turn->output);
}

/* The message in the buffer; false: the transport did not take it. */
static bool hand_over(struct send_turn *turn, struct forward_lane *lane)
{
	struct forward_output *output = turn->output;
	const struct buf *message = &output->forwarder->message;
	uint64_t sequence = output->next_sequence;
	everr_t err;

	err = ring_reserve(output);
	if (err != EVERR_OK) {
		output->failed = true;
		return false;
	}
	if (!forward_transport_send(output->transport, message->data,
				    message->len, sequence)) {
		return false;
	}
	output->info.sent++;
	if (turn->item.last_id <= lane->handed_id) {
		output->info.resent++;
	}
	forward_lane_take(lane, &turn->item);
	output->ring[sequence & (output->ring_size - 1)] =
		(struct forward_flight){
			.lane = lane,
			.id = turn->item.last_id,
			.epoch = lane->epoch,
		};
	output->next_sequence++;
	turn->records++;
	turn->bytes += message->len;
	return true;
}

static const char *mark_text(uint8_t mark)
{
	switch (mark) {
	case STORE_ORIGIN_VERIFIED:
		return "verified";
	case STORE_ORIGIN_CLAIMED:
		return "claimed";
	case STORE_ORIGIN_MISMATCH:
		return "mismatch";
	default:
		return NULL;
	}
}

static void report_marks(struct forward_output *output,
			 const struct forward_lane *lane, uint64_t id,
			 uint32_t marks)
{
	char number[21];
	const char *fields[] = {
		"Output",   output->config->name,
		"Channel",  lane->name,
		"RecordId", number,
		"Marks",    (marks & FORWARD_DAMAGED) != 0 ? "damaged" : "cut",
	};

	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	operational_report(output->forwarder->operational,
			   OPERATIONAL_OUTPUT_CUT, output->config->name, fields,
			   4);
}

static void count_marks(struct forward_output *output,
			const struct forward_lane *lane, uint64_t id,
			uint32_t marks)
{
	output->info.cut += (marks & FORWARD_CUT) != 0;
	output->info.replaced += (marks & FORWARD_REPLACED) != 0;
	output->info.damaged += (marks & FORWARD_DAMAGED) != 0;
	if ((marks & (FORWARD_CUT | FORWARD_DAMAGED)) != 0) {
		report_marks(output, lane, id, marks);
	}
}

/* An event that cannot be formatted is sent as one that cannot be read. */
static everr_t format_record(struct send_turn *turn, struct forward_lane *lane,
			     uint32_t *ret_marks)
{
	static const struct event_header nothing = {};
	struct forward_output *output = turn->output;
	struct buf *out = &output->forwarder->message;
	const struct store_record *record = &turn->item.record;
	struct forward_event event = {
		.channel = lane->name,
		.record_id = record->id,
		.header = &record->header,
		.data = record->data,
		.len = record->len,
	};
	everr_t err = EVERR_INVALID;

	if (turn->item.found == FORWARD_FOUND_RECORD) {
		lane->received = record->received;
		event.received = record->received;
		if (record->origin != 0) {
			event.origin = store_origin_name(
				output->forwarder->store, record->origin);
			event.origin_mark = mark_text(record->origin_mark);
		}
		err = forward_format_event(output->format, out, &event,
					   ret_marks);
	}
	if (err != EVERR_OK) {
		/* The time is that of its neighbour: order is kept. */
		event.received = lane->received != 0 ? lane->received
						     : turn->reading.now;
		event.header = &nothing;
		event.data = NULL;
		event.len = 0;
		buf_reset(out);
		err = forward_format_event(output->format, out, &event,
					   ret_marks);
		*ret_marks |= FORWARD_DAMAGED;
	}
	return err;
}

static bool send_record(struct send_turn *turn, struct forward_lane *lane)
{
	struct forward_output *output = turn->output;
	uint64_t id = turn->item.last_id;
	bool again = id <= lane->handed_id;
	uint32_t marks = 0;
	bool taken;
	everr_t err;

	err = format_record(turn, lane, &marks);
	if (err != EVERR_OK) {
		/* No memory for a line: later, perhaps. */
		output->failed = true;
		return false;
	}
	taken = hand_over(turn, lane);
	if (taken && marks != 0 && !again) {
		count_marks(output, lane, id, marks);
	}
	return taken;
}

static bool send_gap(struct send_turn *turn, struct forward_lane *lane)
{
	struct forward_output *output = turn->output;
	const struct forward_gap gap = turn->item.gap;
	uint64_t told = lane->told_id;
	uint64_t missing = gap.missing;
	bool jump = lane->jump.last != 0;
	everr_t err;

	err = forward_format_gap(output->format, &output->forwarder->message,
				 lane->name, &gap, turn->reading.now);
	if (err != EVERR_OK) {
		output->failed = true;
		return false;
	}
	if (!hand_over(turn, lane)) {
		return false;
	}
	/* A jump was counted when it was made; others once, too. */
	if (!jump && gap.last > told) {
		if (missing > gap.last - told) {
			missing = gap.last - told;
		}
		forward_output_tell_gap(output, lane, &gap, missing);
	}
	return true;
}

/* One look; false: the lane has nothing more, or may not go on now. */
static bool lane_step(struct send_turn *turn, struct forward_lane *lane,
		      bool *ret_end)
{
	struct forward_output *output = turn->output;
	uint64_t from_id = lane->next_id;
	everr_t err;

	turn->looks++;
	err = forward_lane_look(lane, &turn->reading, &turn->item);
	if (err != EVERR_OK) {
		output->failed = true;
		return false;
	}
	buf_reset(&output->forwarder->message);
	switch (turn->item.found) {
	case FORWARD_FOUND_RECORD:
	case FORWARD_FOUND_DAMAGED:
		return send_record(turn, lane);
	case FORWARD_FOUND_GAP:
		return send_gap(turn, lane);
	case FORWARD_FOUND_PASSED:
		output->info.passed += lane->next_id - from_id;
		turn->bytes += turn->item.record.len;
		if (lane->in_flight == 0) {
			forward_lane_settle(lane);
			output->dirty = true;
		}
		return true;
	case FORWARD_FOUND_END:
		*ret_end = true;
		break;
	}
	return false;
}

static void lane_turn(struct send_turn *turn)
{
	struct forward_lane *lane = queue_pop(turn->output);
	bool end = false;
	size_t i;

	if (lane->held != NULL) {
		return; /* it comes back when that is over */
	}
	/* At least one look, however long the snapshot took. */
	for (i = 0;
	     i < FORWARD_LANE_LOOKS && (turn->looks == 0 || turn_goes_on(turn));
	     i++) {
		if (!lane_step(turn, lane, &end)) {
			break;
		}
	}
	if (!end) {
		queue_push(turn->output, lane);
	}
}

void forward_send_turn(void *private_data)
{
	struct forward_output *output =
		talloc_get_type_abort(private_data, struct forward_output);
	struct forwarder *forwarder = output->forwarder;
	struct send_turn turn = {
		.output = output,
		.reading = {.dict = store_dict(forwarder->store),
			    .now = wintime_now(),
			    .ids = output->ids},
		.end_ns = now_ns() + FORWARD_TURN_NS,
	};
	everr_t err;

	err = store_snapshot_begin(forwarder->store, &turn.reading.snapshot);
	if (err != EVERR_OK) {
		output->failed = true;
		return;
	}
	while (output->first != NULL && can_send(output) &&
	       (turn.looks == 0 || turn_goes_on(&turn))) {
		lane_turn(&turn);
	}
	store_snapshot_end(turn.reading.snapshot);

	if (forwarder->message.size > MESSAGE_KEPT) {
		buf_free(&forwarder->message);
	}
	forward_send_schedule(output);
}
