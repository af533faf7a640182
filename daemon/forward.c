/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/forward.h"

#include "base/wintime.h"
#include "forward/forward.h"
#include "forward/transport.h"

/*
 * Channels that the status lists, shared out among the outputs: all of it is
 * one text of bounded length.
 */
#define STATUS_CHANNELS_MAX 2048

/* ------------------------------------------------------ start and reload */

/* What is wrong with the files of an output, or NULL. */
static const char *bad_files(TALLOC_CTX *mem_ctx,
			     const struct forward_config *output)
{
	char *message = NULL;
	everr_t err;

	err = forward_transport_check(mem_ctx, output, &message);
	if (err == EVERR_OK) {
		return NULL;
	}
	return message != NULL ? message : everr_text(err);
}

/* How many outputs have any; each is told. */
static size_t tell_bad_files(const struct daemon_log *log,
			     const struct daemon_config *config,
			     enum daemon_log_level level, const char *what)
{
	size_t bad = 0;
	size_t i;

	for (i = 0; i < config->num_outputs; i++) {
		const struct forward_config *output = &config->outputs[i];
		TALLOC_CTX *frame = talloc_new(NULL);
		const char *wrong = bad_files(frame, output);

		if (wrong != NULL) {
			bad++;
			daemon_log(log, level, "[forward %s]%s: %s",
				   output->name, what, wrong);
		}
		TALLOC_FREE(frame);
	}
	return bad;
}

size_t daemon_forward_check(const struct daemon_log *log,
			    const struct daemon_config *config)
{
	return tell_bad_files(log, config, DAEMON_LOG_ERROR, "");
}

void daemon_forward_warn_files(const struct daemon_log *log,
			       const struct daemon_config *config)
{
	(void)tell_bad_files(log, config, DAEMON_LOG_WARNING,
			     " cannot connect until this is mended");
}

everr_t daemon_forward_start(struct daemon_service *service)
{
	const struct daemon_config *config = service->config;
	char *message = NULL;
	everr_t err;

	err = forwarder_start(
		service, service->ev, config->outputs, config->num_outputs,
		config->computer, service->store, service->catalog,
		service->operational, &service->forwarder, &message);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s",
			   message != NULL ? message : everr_text(err));
	}
	TALLOC_FREE(message);
	if (err == EVERR_OK) {
		daemon_forward_warn_files(service->log, config);
	}
	return err;
}

everr_t daemon_forward_reload(struct daemon_service *service,
			      const struct daemon_config *config,
			      const struct event_catalog *catalog,
			      char **ret_message)
{
	return forwarder_reload(service->forwarder, config->outputs,
				config->num_outputs, catalog, service,
				ret_message);
}

/* -------------------------------------------------------------- status */

static json_t *number_json(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *channel_json(const struct forwarder *forwarder, size_t output,
			    size_t channel)
{
	struct forward_channel_info info;

	forwarder_channel(forwarder, output, channel, &info);
	return json_pack("{s:s,s:o,s:o,s:o,s:o}", "name", info.channel,
			 "position", number_json(info.position), "newest",
			 number_json(info.newest), "lag_events",
			 number_json(info.lag_events), "lag_seconds",
			 number_json(info.lag_seconds));
}

static json_t *channels_json(const struct forwarder *forwarder, size_t output,
			     size_t num)
{
	const size_t max = STATUS_CHANNELS_MAX / forwarder_count(forwarder);
	json_t *array = json_array();
	size_t i;

	if (num > max) {
		num = max;
	}
	for (i = 0; i < num; i++) {
		json_array_append_new(array,
				      channel_json(forwarder, output, i));
	}
	return array;
}

static const char *format_text(uint32_t format)
{
	static const char *const names[] = {"rfc5424", "rfc5424-json",
					    "rfc3164", "json"};

	return names[format];
}

static const char *transport_text(uint32_t transport)
{
	static const char *const names[] = {"udp", "tcp", "tls", "relp",
					    "unix"};

	return names[transport];
}

static void add_counters(json_t *object, const struct forward_info *info)
{
	const struct {
		const char *name;
		uint64_t number;
	} rows[] = {
		{"sent", info->sent},
		{"arrived", info->arrived},
		{"resent", info->resent},
		{"in_flight", info->transport.in_flight},
		{"bytes", info->transport.bytes},
		{"connects", info->transport.connects},
		{"passed", info->passed},
		{"cut", info->cut},
		{"replaced", info->replaced},
		{"damaged", info->damaged},
		{"dropped", info->transport.refused},
		{"gaps", info->gaps},
		{"missing", info->missing},
		{"at_most", info->at_most},
		{"channels_total", info->num_channels},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_object_set_new(object, rows[i].name,
				    number_json(rows[i].number));
	}
}

static json_t *refused_json(const struct forward_refusal *refusal)
{
	if (refusal->channel == NULL) {
		return json_null();
	}
	return json_pack("{s:s,s:o,s:o,s:o,s:s}", "channel", refusal->channel,
			 "record", number_json(refusal->id), "since",
			 daemon_time_json(refusal->since), "times",
			 number_json(refusal->times), "reason",
			 refusal->reason);
}

/* That a record is not taken says more than that the connection ended. */
static json_t *error_json(const struct forward_info *info)
{
	const struct forward_refusal *refusal = &info->refusal;
	const char *reason = info->transport.reason;
	char since[WINTIME_TEXT_MAX];

	if (refusal->channel != NULL) {
		wintime_format(refusal->since, since);
		return json_sprintf(
			"record %llu of %s is not taken, tried %llu "
			"times since %s: %s",
			(unsigned long long)refusal->id, refusal->channel,
			(unsigned long long)refusal->times, since,
			refusal->reason);
	}
	return reason[0] != '\0' ? json_string(reason) : json_null();
}

static json_t *output_json(const struct forwarder *forwarder, size_t index)
{
	struct forward_info info;
	json_t *object = NULL;

	forwarder_output(forwarder, index, &info);
	object = json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:o,s:f,s:o,s:o,s:o}", "name",
		info.config->name, "format", format_text(info.config->format),
		"transport", transport_text(info.config->transport), "receiver",
		info.receiver, "state", info.transport.up ? "up" : "down",
		"since", daemon_time_json(info.transport.since), "rate",
		info.rate, "last_error", error_json(&info), "last_error_time",
		daemon_time_json(info.transport.reason_time), "refused",
		refused_json(&info.refusal));
	if (object == NULL) {
		return json_null();
	}
	add_counters(object, &info);
	json_object_set_new(object, "channels",
			    channels_json(forwarder, index, info.num_channels));
	return object;
}

void daemon_forward_status(const struct daemon_service *service, json_t *root)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < forwarder_count(service->forwarder); i++) {
		json_array_append_new(array,
				      output_json(service->forwarder, i));
	}
	json_object_set_new(root, "forward", array);
}

/* -------------------------------------------------------------- rewind */

static struct tevent_req *hook_rewind_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   const struct rpc_forward_rewind *to,
					   void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);
	const struct forward_rewind rewind = {
		.output = to->output,
		.channel = to->channel,
		.kind = (enum forward_rewind_kind)to->kind,
		.value = to->value,
		.bookmark = to->bookmark,
	};

	return forward_rewind_send(mem_ctx, ev, service->forwarder, &rewind);
}

_Static_assert((int)RPC_REWIND_OLDEST == FORWARD_REWIND_OLDEST &&
		       (int)RPC_REWIND_TIME == FORWARD_REWIND_TIME &&
		       (int)RPC_REWIND_RECORD == FORWARD_REWIND_RECORD &&
		       (int)RPC_REWIND_BOOKMARK == FORWARD_REWIND_BOOKMARK,
	       "a kind is the same number on the wire");

const struct rpc_forward_hooks daemon_forward_hooks = {
	.rewind_send = hook_rewind_send,
	.rewind_recv = forward_rewind_recv,
};
