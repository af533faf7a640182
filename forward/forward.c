/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/forward.h"

#include "base/text.h"
#include "base/wintime.h"
#include "forward/output.h"

/* The longest message that any output may ask for, and its framing. */
#define MESSAGE_MAX (32 * 1024 * 1024)

struct forward_output *forwarder_find(const struct forwarder *forwarder,
				      const char *name)
{
	size_t i;

	for (i = 0; i < forwarder->num_outputs; i++) {
		if (text_name_equal(forwarder->outputs[i]->config->name,
				    name)) {
			return forwarder->outputs[i];
		}
	}
	return NULL;
}

static void tick(struct tevent_context *ev, struct tevent_timer *te,
		 struct timeval now, void *private_data);

static struct tevent_timer *set_tick(struct forwarder *forwarder)
{
	struct timeval due = tevent_timeval_current_ofs(
		FORWARD_POSITION_MS / 1000, FORWARD_POSITION_MS % 1000 * 1000);

	return tevent_add_timer(forwarder->ev, forwarder, due, tick, forwarder);
}

static void tick(struct tevent_context *ev, struct tevent_timer *te,
		 struct timeval now, void *private_data)
{
	struct forwarder *forwarder =
		talloc_get_type_abort(private_data, struct forwarder);
	size_t i;

	(void)ev;
	(void)te;
	(void)now;
	forwarder->tick = set_tick(forwarder);
	for (i = 0; i < forwarder->num_outputs; i++) {
		forward_output_tick(forwarder->outputs[i]);
	}
}

/* ---------------------------------------------------- start and reload */

/* What a reload will have: outputs made anew, or kept with a new format. */
struct plan {
	struct forward_output **outputs;
	struct forward_format **formats; /* NULL: the output is new */
	size_t num;
};

static everr_t plan_one(struct plan *plan, struct forwarder *forwarder,
			const struct forward_config *config,
			const struct event_catalog *catalog, char **ret_message)
{
	struct forward_output *before = forwarder_find(forwarder, config->name);
	size_t at = plan->num;
	everr_t err;

	if (before == NULL || !forward_config_equal(before->config, config)) {
		if (before != NULL) {
			forward_output_ask(before);
		}
		err = forward_output_create(plan, forwarder, config, catalog,
					    before, &plan->outputs[at],
					    ret_message);
	} else {
		plan->outputs[at] = before;
		err = forward_format_create(plan, before->config,
					    forwarder->computer,
					    store_dict(forwarder->store),
					    catalog, &plan->formats[at]);
	}
	if (err == EVERR_OK) {
		plan->num++;
	} else if (*ret_message == NULL) {
		*ret_message = talloc_asprintf(forwarder, "[forward %s]: %s",
					       config->name, everr_text(err));
	}
	return err;
}

static everr_t plan_make(struct forwarder *forwarder,
			 const struct forward_config *configs,
			 size_t num_configs,
			 const struct event_catalog *catalog,
			 struct plan **ret_plan, char **ret_message)
{
	struct plan *plan = talloc_zero(forwarder, struct plan);
	everr_t err = EVERR_OK;
	size_t i;

	if (plan == NULL) {
		return EVERR_NOMEM;
	}
	plan->outputs =
		talloc_zero_array(plan, struct forward_output *, num_configs);
	plan->formats =
		talloc_zero_array(plan, struct forward_format *, num_configs);
	if (plan->outputs == NULL || plan->formats == NULL) {
		err = EVERR_NOMEM;
	}
	for (i = 0; err == EVERR_OK && i < num_configs; i++) {
		err = plan_one(plan, forwarder, &configs[i], catalog,
			       ret_message);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(plan);
		return err;
	}
	*ret_plan = plan;
	return EVERR_OK;
}

static bool plan_keeps(const struct plan *plan,
		       const struct forward_output *output)
{
	size_t i;

	for (i = 0; i < plan->num; i++) {
		if (plan->outputs[i] == output) {
			return true;
		}
	}
	return false;
}

static void plan_carry_out(struct forwarder *forwarder, struct plan *plan)
{
	size_t i;

	for (i = 0; i < forwarder->num_outputs; i++) {
		struct forward_output *output = forwarder->outputs[i];

		if (!plan_keeps(plan, output)) {
			forward_output_stop(output);
			talloc_free(output);
		}
	}
	talloc_free(forwarder->outputs);
	forwarder->outputs = talloc_steal(forwarder, plan->outputs);
	forwarder->num_outputs = plan->num;
	for (i = 0; i < plan->num; i++) {
		struct forward_output *output = plan->outputs[i];

		if (plan->formats[i] != NULL) {
			talloc_free(output->format);
			output->format = talloc_steal(output, plan->formats[i]);
			continue;
		}
		talloc_steal(forwarder, output);
		forward_output_run(output);
	}
	talloc_free(plan);
}

everr_t forwarder_reload(struct forwarder *forwarder,
			 const struct forward_config *configs,
			 size_t num_configs,
			 const struct event_catalog *catalog,
			 TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct plan *plan = NULL;
	char *message = NULL;
	everr_t err;

	err = plan_make(forwarder, configs, num_configs, catalog, &plan,
			&message);
	if (message != NULL) {
		*ret_message = talloc_steal(mem_ctx, message);
	}
	if (err != EVERR_OK) {
		return err;
	}
	plan_carry_out(forwarder, plan);
	return EVERR_OK;
}

static int forwarder_destructor(struct forwarder *forwarder)
{
	size_t i;

	for (i = 0; i < forwarder->num_outputs; i++) {
		forward_output_stop(forwarder->outputs[i]);
		TALLOC_FREE(forwarder->outputs[i]);
	}
	TALLOC_FREE(forwarder->turns);
	return 0;
}

everr_t forwarder_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct forward_config *configs,
			size_t num_configs, const char *computer,
			struct store *store,
			const struct event_catalog *catalog,
			struct operational *operational,
			struct forwarder **ret_forwarder, char **ret_message)
{
	struct forwarder *forwarder = talloc_zero(mem_ctx, struct forwarder);
	everr_t err;

	if (forwarder == NULL) {
		return EVERR_NOMEM;
	}
	forwarder->ev = ev;
	forwarder->store = store;
	forwarder->operational = operational;
	buf_init(&forwarder->message, forwarder, MESSAGE_MAX);
	talloc_set_destructor(forwarder, forwarder_destructor);
	forwarder->computer = talloc_strdup(forwarder, computer);
	forwarder->tick = set_tick(forwarder);
	err = forwarder->computer != NULL && forwarder->tick != NULL
		      ? turns_create(forwarder, ev, &forwarder->turns)
		      : EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = forwarder_reload(forwarder, configs, num_configs, catalog,
				       mem_ctx, ret_message);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(forwarder);
		return err;
	}
	*ret_forwarder = forwarder;
	return EVERR_OK;
}

/* ---------------------------------------------------------- information */

size_t forwarder_count(const struct forwarder *forwarder)
{
	return forwarder->num_outputs;
}

void forwarder_output(const struct forwarder *forwarder, size_t index,
		      struct forward_info *ret_info)
{
	const struct forward_output *output = forwarder->outputs[index];

	forward_output_settle_refusal(forwarder->outputs[index]);
	*ret_info = output->info;
	ret_info->config = output->config;
	ret_info->receiver = output->receiver;
	ret_info->rate = forward_output_rate(output);
	ret_info->num_channels = output->num_lanes;
	forward_transport_info(output->transport, &ret_info->transport);
}

/*
 * When the oldest record from id on was received; 0: not known.  An output
 * that waits is asked again and again, in many channels, for the same one.
 */
static uint64_t behind_since(struct store *store, struct forward_lane *lane,
			     uint64_t id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	everr_t err;

	if (lane->behind_id == id) {
		return lane->behind_since;
	}
	err = store_snapshot_begin(store, &snapshot);
	if (err != EVERR_OK) {
		return 0;
	}
	err = store_read(snapshot, lane->channel, id, false, &record);
	store_snapshot_end(snapshot);
	if (err != EVERR_OK) {
		return 0;
	}
	lane->behind_id = id;
	lane->behind_since = record.received;
	return record.received;
}

/* Seconds since the oldest record behind the position was received. */
static uint64_t lag_seconds(struct store *store, struct forward_lane *lane,
			    uint64_t oldest)
{
	uint64_t next = lane->position + 1;
	uint64_t since =
		behind_since(store, lane, next > oldest ? next : oldest);
	uint64_t now = wintime_now();

	return since != 0 && since < now ? (now - since) / WINTIME_SECOND : 0;
}

void forwarder_channel(const struct forwarder *forwarder, size_t output,
		       size_t channel, struct forward_channel_info *ret_info)
{
	struct forward_lane *lane = forwarder->outputs[output]->lanes[channel];
	uint64_t oldest, next;

	forward_lane_bounds(lane, &oldest, &next);
	*ret_info = (struct forward_channel_info){
		.channel = lane->name,
		.position = lane->position,
		.newest = next - 1,
	};
	if (lane->channel != NULL && next > lane->position + 1) {
		ret_info->lag_events = next - 1 - lane->position;
		ret_info->lag_seconds =
			lag_seconds(forwarder->store, lane, oldest);
	}
}
