/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/output.h"

#include "base/text.h"
#include "base/wintime.h"
#include "forward/send.h"

#include <string.h>

#define STATE_PREFIX "forward/"

/* ----------------------------------------------------------- reporting */

static void report(struct forward_output *output, enum operational_id id,
		   const char *subject, const char *name, const char *value)
{
	const char *fields[] = {"Output",   output->config->name,
				"Receiver", output->receiver,
				name,	    value};

	operational_report(output->forwarder->operational, id, subject, fields,
			   name != NULL ? 3 : 2);
}

/* *ret_text has room for 21 bytes. */
static const char *number_text(uint64_t number, char *text)
{
	snprintf(text, 21, "%llu", (unsigned long long)number);
	return text;
}

void forward_output_tell_gap(struct forward_output *output,
			     const struct forward_lane *lane,
			     const struct forward_gap *gap, uint64_t missing)
{
	char first[21], last[21], count[21];
	const char *fields[] = {
		"Output",  output->config->name,
		"Channel", lane->name,
		"First",   number_text(gap->first, first),
		"Last",	   number_text(gap->last, last),
		"Missing", number_text(missing, count),
		"Cause",   gap->cause,
		"Exact",   forward_gap_exact(gap),
	};
	char *subject = NULL;

	output->info.gaps++;
	if (gap->at_most) {
		output->info.at_most += missing;
	} else {
		output->info.missing += missing;
	}
	subject = talloc_asprintf(output, "%s %s", output->config->name,
				  lane->name);
	operational_report(output->forwarder->operational,
			   OPERATIONAL_OUTPUT_GAP, subject, fields, 7);
	talloc_free(subject);
}

/* --------------------------------------------------------------- lanes */

/* The place of a name, or where it would be. */
static bool lane_search(const struct forward_output *output, const char *name,
			size_t *ret_index)
{
	size_t low = 0;
	size_t high = output->num_lanes;
	int order;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		order = text_name_cmp(output->lanes[mid]->name, name);
		if (order == 0) {
			*ret_index = mid;
			return true;
		}
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	*ret_index = low;
	return false;
}

struct forward_lane *forward_output_lane(const struct forward_output *output,
					 const char *name)
{
	size_t index;

	return lane_search(output, name, &index) ? output->lanes[index] : NULL;
}

/* Which of the query's paths it is; false: the output does not want it. */
static bool wants(const struct forward_output *output, const char *name,
		  uint32_t *ret_path)
{
	const struct event_query *query = output->query;
	const char *const *channels = output->config->channels;
	size_t i;

	*ret_path = 0;
	if (channels == NULL) {
		for (i = 0; i < query->num_paths; i++) {
			if (text_name_equal(query->paths[i], name)) {
				*ret_path = (uint32_t)i;
				return true;
			}
		}
		return false;
	}
	for (i = 0; channels[i] != NULL; i++) {
		if (text_name_equal(channels[i], name) ||
		    (strcmp(channels[i], "*") == 0 &&
		     !text_name_equal(name, OPERATIONAL_CHANNEL))) {
			return true;
		}
	}
	return false;
}

static void lane_query(const struct forward_output *output,
		       struct forward_lane *lane)
{
	uint64_t min_time, max_time;

	if (forward_lane_takes_all(output->query, lane->path)) {
		return;
	}
	lane->query = output->query;
	event_query_time_range(lane->query, lane->path, wintime_now(),
			       &min_time, &max_time);
	lane->timed = min_time > 0 || max_time < UINT64_MAX;
}

static struct forward_lane *lane_new(struct forward_output *output,
				     const char *name)
{
	struct forward_lane *lane = talloc_zero(output, struct forward_lane);

	if (lane == NULL) {
		return NULL;
	}
	lane->owner = output;
	lane->next_id = 1;
	lane->name = talloc_strdup(lane, name);
	if (lane->name == NULL) {
		TALLOC_FREE(lane);
		return NULL;
	}
	(void)wants(output, name, &lane->path);
	lane_query(output, lane);
	return lane;
}

/* The lane of that name, made when there is none yet. */
static everr_t lane_get(struct forward_output *output, const char *name,
			struct forward_lane **ret_lane)
{
	struct forward_lane **lanes = NULL;
	struct forward_lane *lane = NULL;
	size_t index;

	if (lane_search(output, name, &index)) {
		*ret_lane = output->lanes[index];
		return EVERR_OK;
	}
	if (output->num_lanes >= FORWARD_LANES_MAX) {
		return EVERR_LIMIT;
	}
	lane = lane_new(output, name);
	lanes = talloc_realloc(output, output->lanes, struct forward_lane *,
			       output->num_lanes + 1);
	if (lane == NULL || lanes == NULL) {
		output->lanes = lanes != NULL ? lanes : output->lanes;
		talloc_free(lane);
		return EVERR_NOMEM;
	}
	memmove(&lanes[index + 1], &lanes[index],
		(output->num_lanes - index) * sizeof(lanes[0]));
	lanes[index] = lane;
	output->lanes = lanes;
	output->num_lanes++;
	*ret_lane = lane;
	return EVERR_OK;
}

/* --------------------------------------------------------------- places */

static void lane_fired(struct store_channel *channel, void *private_data)
{
	struct forward_lane *lane =
		talloc_get_type_abort(private_data, struct forward_lane);

	(void)channel;
	forward_output_wake(lane->owner, lane);
}

/*
 * Where a channel begins that the output has no place for: `start` says it of
 * channels that were there before the output; the others are new themselves,
 * and nothing of them is left out.
 */
static void lane_begin(struct forward_output *output, struct forward_lane *lane)
{
	struct store_channel_info info;
	uint64_t oldest, next;

	store_channel_info(lane->channel, &info);
	forward_lane_bounds(lane, &oldest, &next);
	if (output->config->start == FORWARD_FROM_NOW &&
	    info.creation_time < output->began) {
		forward_lane_move(lane, next);
		/* Chosen once: on disk before anything is sent. */
		output->settled = false;
	} else {
		forward_lane_move(lane, oldest);
	}
	output->dirty = true;
}

static everr_t lane_bind(struct forward_output *output,
			 struct forward_lane *lane,
			 struct store_channel *channel)
{
	uint64_t oldest, next;

	TALLOC_FREE(lane->watch);
	lane->watch = store_watch_add(lane, channel, lane_fired, lane);
	if (lane->watch == NULL) {
		return EVERR_NOMEM;
	}
	lane->channel = channel;
	lane->behind_id = 0;
	forward_lane_bounds(lane, &oldest, &next);
	if (!lane->placed) {
		lane_begin(output, lane);
	} else if (lane->next_id > next ||
		   (lane->position + 1 == lane->end_id &&
		    lane->next_id < oldest)) {
		/* Ids go on, but not behind what there is. */
		forward_lane_move(lane, lane->next_id > next ? next : oldest);
		output->dirty = true;
	}
	lane->end_id = 0;
	forward_output_wake(output, lane);
	return EVERR_OK;
}

/* Its channel is gone: remember how far it went, for what did not arrive. */
static void lane_unbind(struct forward_lane *lane)
{
	struct store_channel_info info;

	store_channel_info(lane->channel, &info);
	lane->end_id = info.next_id;
	TALLOC_FREE(lane->watch);
	lane->channel = NULL;
}

static everr_t bind_wanted(struct forward_output *output,
			   struct forward_lane *lane, bool *ret_gone)
{
	struct store_channel *channel = NULL;
	everr_t err;

	if (lane->channel != NULL && store_channel_removed(lane->channel)) {
		lane_unbind(lane);
		*ret_gone = true;
	}
	if (lane->channel != NULL) {
		return EVERR_OK;
	}
	err = store_channel_find(output->forwarder->store, lane->name,
				 &channel);
	return err == EVERR_OK ? lane_bind(output, lane, channel) : EVERR_OK;
}

/* Of "*": the channels that have no lane yet. */
static everr_t bind_others(struct forward_output *output)
{
	struct store *store = output->forwarder->store;
	struct forward_lane *lane = NULL;
	everr_t err = EVERR_OK;
	uint32_t path;
	size_t i;

	for (i = 0; err == EVERR_OK && i < store_channel_count(store); i++) {
		struct store_channel *channel = store_channel_at(store, i);
		const char *name = store_channel_name(channel);

		if (!wants(output, name, &path)) {
			continue;
		}
		err = lane_get(output, name, &lane);
		if (err == EVERR_OK && lane->channel == NULL) {
			err = lane_bind(output, lane, channel);
		}
	}
	return err;
}

/* Find the channels of all lanes, and with "*" the lanes of all channels. */
static everr_t bind_channels(struct forward_output *output)
{
	size_t count = store_channel_count(output->forwarder->store);
	bool gone = false;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; err == EVERR_OK && i < output->num_lanes; i++) {
		err = bind_wanted(output, output->lanes[i], &gone);
	}
	/* Ids are not moved between channels: as many and none gone, the same. */
	if (err == EVERR_OK && output->star &&
	    (gone || count != output->seen_channels)) {
		err = bind_others(output);
		output->seen_channels = err == EVERR_OK ? count : 0;
	}
	return err;
}

static everr_t name_lanes(struct forward_output *output)
{
	const char *const *channels = output->config->channels;
	const struct event_query *query = output->query;
	struct forward_lane *lane = NULL;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; channels != NULL && channels[i] != NULL; i++) {
		if (strcmp(channels[i], "*") == 0) {
			output->star = true;
		} else if (err == EVERR_OK) {
			err = lane_get(output, channels[i], &lane);
		}
	}
	for (i = 0; channels == NULL && err == EVERR_OK && i < query->num_paths;
	     i++) {
		err = lane_get(output, query->paths[i], &lane);
	}
	return err;
}

/* ------------------------------------------------------------- position */

static void add_place(struct forward_position *position, size_t *size,
		      const char *channel, uint64_t id)
{
	size_t more = FORWARD_PLACE_HEAD + strlen(channel);

	/* What is forwarded comes first; of the others what has room. */
	if (*size + more <= FORWARD_POSITION_MAX) {
		*size += more;
		position->places[position->num_places++] =
			(struct forward_place){.channel = channel, .id = id};
	}
}

/* Names stay the output's. */
static everr_t output_position(TALLOC_CTX *mem_ctx,
			       const struct forward_output *output,
			       bool rewound,
			       struct forward_position **ret_position)
{
	struct forward_position *position = NULL;
	size_t size = FORWARD_POSITION_HEAD;
	size_t i;

	position = talloc_zero(mem_ctx, struct forward_position);
	if (position == NULL) {
		return EVERR_NOMEM;
	}
	position->began = output->began;
	position->places = talloc_array(position, struct forward_place,
					output->num_lanes + output->num_parked);
	if (position->places == NULL) {
		TALLOC_FREE(position);
		return EVERR_NOMEM;
	}
	for (i = 0; i < output->num_lanes; i++) {
		const struct forward_lane *lane = output->lanes[i];

		if (lane->placed) {
			add_place(position, &size, lane->name,
				  rewound && lane->rewind_id != 0
					  ? lane->rewind_id - 1
					  : lane->position);
		}
	}
	for (i = 0; i < output->num_parked; i++) {
		add_place(position, &size, output->parked[i].channel,
			  output->parked[i].id);
	}
	*ret_position = position;
	return EVERR_OK;
}

struct tevent_req *forward_output_write_send(
	TALLOC_CTX *mem_ctx, const struct forward_output *output, bool rewound)
{
	struct forwarder *forwarder = output->forwarder;
	struct store_state state = {.name = output->state_name};
	struct forward_position *position = NULL;
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;
	struct buf data;
	everr_t err;

	/* Always in the order of one channel; which one does not matter. */
	err = store_channel_find(forwarder->store, OPERATIONAL_CHANNEL,
				 &channel);
	if (err != EVERR_OK) {
		channel = store_channel_at(forwarder->store, 0);
	}
	if (channel == NULL) {
		return NULL;
	}
	buf_init(&data, NULL, FORWARD_POSITION_MAX);
	err = output_position(NULL, output, rewound, &position);
	if (err == EVERR_OK) {
		err = forward_position_encode(&data, position);
	}
	if (err == EVERR_OK) {
		state.data = data.data;
		state.len = data.len;
		req = store_append_send(mem_ctx, forwarder->ev, channel, NULL,
					0, &state, 1);
	}
	buf_free(&data);
	talloc_free(position);
	return req;
}

static void save_done(struct tevent_req *req)
{
	struct forward_output *output =
		tevent_req_callback_data(req, struct forward_output);
	uint64_t first_id;
	everr_t err;
	size_t bad;

	err = store_append_recv(req, &first_id, &bad);
	TALLOC_FREE(output->write);
	if (err != EVERR_OK) {
		/* The next tick tries again. */
		output->dirty = true;
	} else if (!output->settled && !output->dirty) {
		output->settled = true;
		forward_send_schedule(output);
	} else if (!output->settled) {
		forward_output_save(output);
	}
	if (output->written != NULL) {
		output->written(output);
	}
}

void forward_output_save(struct forward_output *output)
{
	if (!output->dirty || output->write != NULL || output->rewind != NULL) {
		return;
	}
	output->write = forward_output_write_send(output, output, false);
	if (output->write != NULL) {
		tevent_req_set_callback(output->write, save_done, output);
		output->dirty = false;
		output->unsaved = 0;
	}
}

/* They count as arrived, so that nothing waits behind them: say so. */
static void tell_dropped(struct forward_output *output)
{
	struct forward_transport_info info;
	char number[21];

	forward_transport_info(output->transport, &info);
	if (info.refused > output->told_dropped) {
		report(output, OPERATIONAL_OUTPUT_DROPPED, output->config->name,
		       "Messages",
		       number_text(info.refused - output->told_dropped,
				   number));
		output->told_dropped = info.refused;
	}
}

void forward_output_ask(struct forward_output *output)
{
	uint64_t sequence;

	if (forward_transport_ask(output->transport, &sequence)) {
		forward_send_arrived(output, sequence);
	}
}

void forward_output_stop(struct forward_output *output)
{
	struct tevent_req *req = NULL;

	/* What has arrived by now need not be sent again. */
	forward_output_ask(output);
	tell_dropped(output);
	TALLOC_FREE(output->transport);
	turn_cancel(&output->turn);
	/* What a rewind has written does not count without its answer. */
	output->dirty |= output->rewind != NULL;
	if (output->dirty && output->running) {
		/* The store finishes what it has taken. */
		req = forward_output_write_send(output, output, false);
		talloc_free(req);
		output->dirty = false;
	}
	output->running = false;
	report(output, OPERATIONAL_OUTPUT_STOPPED, NULL, NULL, NULL);
}

static everr_t park(struct forward_output *output,
		    const struct forward_place *place)
{
	struct forward_place *parked = NULL;
	char *name = NULL;

	parked = talloc_realloc(output, output->parked, struct forward_place,
				output->num_parked + 1);
	if (parked == NULL) {
		return EVERR_NOMEM;
	}
	output->parked = parked;
	name = talloc_strdup(parked, place->channel);
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	parked[output->num_parked++] =
		(struct forward_place){.channel = name, .id = place->id};
	return EVERR_OK;
}

static everr_t take_places(struct forward_output *output,
			   const struct forward_position *position)
{
	struct forward_lane *lane = NULL;
	everr_t err = EVERR_OK;
	size_t i;

	output->began = position->began;
	for (i = 0; err == EVERR_OK && i < position->num_places; i++) {
		const struct forward_place *place = &position->places[i];
		uint32_t path;

		if (!wants(output, place->channel, &path)) {
			err = park(output, place);
			continue;
		}
		err = lane_get(output, place->channel, &lane);
		if (err == EVERR_OK && place->id < UINT64_MAX) {
			forward_lane_move(lane, place->id + 1);
		}
	}
	return err;
}

/* What the receiver has not heard of, and what has been counted. */
static void take_gaps(struct forward_output *output,
		      const struct forward_output *before)
{
	size_t i;

	for (i = 0; i < before->num_lanes; i++) {
		const struct forward_lane *from = before->lanes[i];
		struct forward_lane *lane =
			forward_output_lane(output, from->name);

		if (lane != NULL && lane->position == from->position) {
			lane->jump = from->jump;
			lane->told_id = from->told_id;
		}
	}
}

static everr_t position_of(TALLOC_CTX *mem_ctx, struct forward_output *output,
			   const struct forward_output *before,
			   struct forward_position **ret_position)
{
	uint8_t *data = NULL;
	everr_t err;
	size_t len;

	if (before != NULL) {
		return output_position(mem_ctx, before, false, ret_position);
	}
	err = store_state_get(mem_ctx, output->forwarder->store,
			      output->state_name, &data, &len);
	if (err != EVERR_OK) {
		return err;
	}
	return forward_position_decode(mem_ctx, data, len, ret_position);
}

/*
 * Where it was, or else where it shall begin.  A position that is damaged is
 * no reason to leave anything out: it begins with the oldest there is.
 */
static everr_t output_place(struct forward_output *output,
			    const struct forward_output *before)
{
	struct forward_position *position = NULL;
	TALLOC_CTX *frame = talloc_new(output);
	everr_t err;

	if (frame == NULL) {
		return EVERR_NOMEM;
	}
	output->began = wintime_now();
	err = position_of(frame, output, before, &position);
	if (err == EVERR_OK) {
		output->settled = before == NULL || before->settled;
		output->dirty = before != NULL;
		err = take_places(output, position);
		if (err == EVERR_OK && before != NULL) {
			take_gaps(output, before);
		}
	} else if (err == EVERR_NOT_FOUND) {
		output->dirty = true;
		err = EVERR_OK;
	} else if (err == EVERR_INVALID || err == EVERR_STORE_CORRUPT) {
		report(output, OPERATIONAL_OUTPUT_POSITION_LOST, NULL, "Reason",
		       err == EVERR_INVALID
			       ? "its form is none that this version knows"
			       : everr_text(err));
		output->began = 0;
		output->dirty = true;
		err = EVERR_OK;
	}
	talloc_free(frame);
	return err;
}

/* ------------------------------------------------------------- refusals */

static void refusal_end(struct forward_output *output)
{
	output->refused = NULL;
	output->info.refusal = (struct forward_refusal){};
	TALLOC_FREE(output->refusal_reason);
}

void forward_output_settle_refusal(struct forward_output *output)
{
	const struct forward_lane *lane = output->refused;

	if (lane != NULL && (lane->channel == NULL ||
			     lane->position >= output->info.refusal.id)) {
		refusal_end(output);
	}
}

/* --------------------------------------------------------------- hooks */

static void hook_ready(void *private_data)
{
	struct forward_output *output =
		talloc_get_type_abort(private_data, struct forward_output);

	if (output->state != FORWARD_UP) {
		output->state = FORWARD_UP;
		report(output, OPERATIONAL_OUTPUT_CONNECTED,
		       output->config->name, NULL, NULL);
	}
	forward_send_schedule(output);
}

static void hook_down(const char *reason, void *private_data)
{
	struct forward_output *output =
		talloc_get_type_abort(private_data, struct forward_output);

	forward_send_back(output);
	if (output->state != FORWARD_DOWN) {
		output->state = FORWARD_DOWN;
		report(output, OPERATIONAL_OUTPUT_LOST, output->config->name,
		       "Reason", reason);
	}
}

static void hook_arrived(uint64_t sequence, void *private_data)
{
	struct forward_output *output =
		talloc_get_type_abort(private_data, struct forward_output);

	forward_send_arrived(output, sequence);
	if (output->unsaved >= FORWARD_POSITION_EVENTS) {
		forward_output_save(output);
	}
}

static void report_refusal(struct forward_output *output)
{
	const struct forward_refusal *refusal = &output->info.refusal;
	char id[21], next[21];
	const char *fields[] = {
		"Output",	output->config->name,
		"Channel",	refusal->channel,
		"RecordId",	number_text(refusal->id, id),
		"Reason",	refusal->reason,
		"NextRecordId", number_text(refusal->id + 1, next),
	};
	char *subject = NULL;

	subject = talloc_asprintf(output, "%s %s %s", output->config->name,
				  refusal->channel, id);
	operational_report(output->forwarder->operational,
			   OPERATIONAL_OUTPUT_REFUSED, subject, fields, 5);
	talloc_free(subject);
}

static void hold_over(struct tevent_context *ev, struct tevent_timer *te,
		      struct timeval now, void *private_data)
{
	struct forward_lane *lane =
		talloc_get_type_abort(private_data, struct forward_lane);

	(void)ev;
	(void)te;
	(void)now;
	lane->held = NULL;
	forward_output_wake(lane->owner, lane);
}

/*
 * What else arrives begins the transport's back-off anew: without one of the
 * record's own each attempt would break the connection for the other channels
 * a few times a second.
 */
static void hold_lane(struct forward_output *output, struct forward_lane *lane,
		      uint64_t id)
{
	uint32_t ms;

	if (lane->refused_id != id) {
		lane->refused_id = id;
		lane->refusals = (struct backoff){
			.min_ms = FORWARD_BACKOFF_MIN_MS,
			.max_ms = forward_backoff_max_ms(output->config),
		};
	}
	/* The time of the answer spreads attempts as well as any number. */
	ms = backoff_next(&lane->refusals, (uint32_t)wintime_now());
	TALLOC_FREE(lane->held);
	lane->held = tevent_add_timer(
		output->forwarder->ev, lane,
		tevent_timeval_current_ofs(ms / 1000, ms % 1000 * 1000),
		hold_over, lane);
}

static void hook_refused(uint64_t sequence, const char *reason,
			 void *private_data)
{
	struct forward_output *output =
		talloc_get_type_abort(private_data, struct forward_output);
	const struct forward_flight *flight =
		forward_send_find(output, sequence);
	struct forward_refusal *refusal = &output->info.refusal;
	char *copy = talloc_strdup(output, reason);

	if (flight == NULL || copy == NULL) {
		talloc_free(copy);
		return;
	}
	if (output->refused != flight->lane || refusal->id != flight->id) {
		refusal_end(output);
		refusal->since = wintime_now();
	}
	output->refused = flight->lane;
	talloc_free(output->refusal_reason);
	output->refusal_reason = copy;
	refusal->channel = flight->lane->name;
	refusal->id = flight->id;
	refusal->times++;
	refusal->reason = copy;
	hold_lane(output, flight->lane, flight->id);
	report_refusal(output);
}

static const struct forward_transport_hooks transport_hooks = {
	.ready = hook_ready,
	.down = hook_down,
	.arrived = hook_arrived,
	.refused = hook_refused,
};

/* -------------------------------------------------------------- create */

/* "tcp siem.example:514", "unix /dev/log" */
static char *receiver_text(TALLOC_CTX *mem_ctx,
			   const struct forward_config *config)
{
	static const struct {
		const char *name;
		uint16_t port;
	} transports[] = {
		[FORWARD_UDP] = {"udp", 514},  [FORWARD_TCP] = {"tcp", 514},
		[FORWARD_TLS] = {"tls", 6514}, [FORWARD_RELP] = {"relp", 2514},
		[FORWARD_UNIX] = {"unix", 0},
	};
	const char *name = transports[config->transport].name;
	unsigned int port = config->port != 0
				    ? config->port
				    : transports[config->transport].port;

	if (config->transport == FORWARD_UNIX) {
		return talloc_asprintf(mem_ctx, "%s %s", name, config->path);
	}
	return talloc_asprintf(mem_ctx,
			       strchr(config->host, ':') != NULL ? "%s [%s]:%u"
								 : "%s %s:%u",
			       name, config->host, port);
}

static everr_t parse_query(struct forward_output *output, char **ret_message)
{
	const struct forward_config *config = output->config;
	const char *text = config->query != NULL ? config->query : "*";
	struct event_query_error error = {};
	everr_t err;

	err = event_query_parse(
		output, config->channels != NULL ? config->channels[0] : NULL,
		text, strlen(text), false, &output->query, &error);
	if (err != EVERR_OK) {
		*ret_message = talloc_asprintf(
			output->forwarder, "[forward %s]: 'query': %s",
			config->name,
			error.message[0] != '\0' ? error.message
						 : everr_text(err));
		return err == EVERR_NOMEM ? err : EVERR_CONFIG;
	}
	output->ids =
		talloc_array(output, uint32_t, output->query->num_subqueries);
	return output->ids != NULL ? EVERR_OK : EVERR_NOMEM;
}

/* What a transport has to say, with the section that it says it of. */
static void name_output(const struct forward_output *output,
			const char *message, char **ret_message)
{
	if (message != NULL) {
		*ret_message =
			talloc_asprintf(output->forwarder, "[forward %s]: %s",
					output->config->name, message);
	}
}

static everr_t create_parts(struct forward_output *output,
			    const struct event_catalog *catalog,
			    const struct forward_output *before,
			    char **ret_message)
{
	struct forwarder *forwarder = output->forwarder;
	char *message = NULL;
	everr_t err;

	err = parse_query(output, ret_message);
	if (err == EVERR_OK) {
		err = forward_format_create(
			output, output->config, forwarder->computer,
			store_dict(forwarder->store), catalog, &output->format);
	}
	if (err == EVERR_OK) {
		err = name_lanes(output);
	}
	if (err == EVERR_OK) {
		err = output_place(output, before);
	}
	if (err == EVERR_OK) {
		err = bind_channels(output);
	}
	if (err == EVERR_OK) {
		err = forward_transport_create(
			output, forwarder->ev, output->config, &transport_hooks,
			output, &output->transport, &message);
		name_output(output, message, ret_message);
	}
	return err;
}

static int output_destructor(struct forward_output *output)
{
	turn_cancel(&output->turn);
	if (output->written != NULL) {
		output->gone = true;
		output->written(output);
	}
	return 0;
}

static void take_counters(struct forward_output *output,
			  const struct forward_output *before)
{
	output->info = before->info;
	/* Another receiver may take it. */
	output->info.refusal = (struct forward_refusal){};
	memcpy(output->history, before->history, sizeof(output->history));
	output->history_at = before->history_at;
	output->history_len = before->history_len;
}

everr_t forward_output_create(TALLOC_CTX *mem_ctx, struct forwarder *forwarder,
			      const struct forward_config *config,
			      const struct event_catalog *catalog,
			      const struct forward_output *before,
			      struct forward_output **ret_output,
			      char **ret_message)
{
	struct forward_output *output = NULL;
	everr_t err;

	output = talloc_zero(mem_ctx, struct forward_output);
	if (output == NULL) {
		return EVERR_NOMEM;
	}
	output->forwarder = forwarder;
	output->turn =
		(struct turn){.fn = forward_send_turn, .private_data = output};
	output->first_sequence = 1;
	output->next_sequence = 1;
	talloc_set_destructor(output, output_destructor);
	err = forward_config_copy(output, config, &output->config);
	if (err == EVERR_OK) {
		output->receiver = receiver_text(output, output->config);
		output->state_name = talloc_asprintf(output, STATE_PREFIX "%s",
						     config->name);
		err = output->receiver != NULL && output->state_name != NULL
			      ? EVERR_OK
			      : EVERR_NOMEM;
	}
	if (err == EVERR_OK) {
		err = create_parts(output, catalog, before, ret_message);
	}
	if (err != EVERR_OK) {
		/* What its parts have to say is not theirs to take along. */
		*ret_message = talloc_steal(forwarder, *ret_message);
		TALLOC_FREE(output);
		return err;
	}
	if (before != NULL) {
		take_counters(output, before);
	}

	*ret_output = output;
	return EVERR_OK;
}

void forward_output_run(struct forward_output *output)
{
	output->running = true;
	report(output, OPERATIONAL_OUTPUT_STARTED, NULL, NULL, NULL);
	forward_output_save(output);
	forward_send_schedule(output);
}

/* ---------------------------------------------------------------- tick */

void forward_output_tick(struct forward_output *output)
{
	/* What could not be had for want of memory is tried again next time. */
	if (bind_channels(output) != EVERR_OK) {
		output->seen_channels = 0;
	}
	if (output->failed) {
		output->failed = false;
		forward_send_schedule(output);
	}
	forward_output_save(output);
	forward_output_settle_refusal(output);
	tell_dropped(output);

	output->history[output->history_at] = output->info.arrived;
	output->history_at =
		(output->history_at + 1) % (FORWARD_RATE_SECONDS + 1);
	if (output->history_len <= FORWARD_RATE_SECONDS) {
		output->history_len++;
	}
}

double forward_output_rate(const struct forward_output *output)
{
	size_t size = FORWARD_RATE_SECONDS + 1;
	size_t newest = (output->history_at + size - 1) % size;
	size_t oldest =
		(output->history_at + size - output->history_len) % size;

	if (output->history_len < 2) {
		return 0;
	}
	return (double)(output->history[newest] - output->history[oldest]) /
	       (double)(output->history_len - 1);
}
