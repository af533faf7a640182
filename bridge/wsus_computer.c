/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events about computers of downstream servers, [MS-WSUSSS] 3.1.4.15 and
 * 3.1.4.17.
 */

#include "bridge/wsus_event.h"

#include <inttypes.h>
#include <stdio.h>

#define SYNC_FAILED 2

/* "state -2147483648" */
#define STATE_TEXT_SIZE 24

static const char *const state_names[BRIDGE_WSUS_STATES] = {
	[BRIDGE_WSUS_NOT_APPLICABLE] = "not applicable",
	[BRIDGE_WSUS_UNKNOWN] = "unknown",
	[BRIDGE_WSUS_NEEDED] = "needed",
	[BRIDGE_WSUS_DOWNLOADED] = "downloaded",
	[BRIDGE_WSUS_INSTALLED] = "installed",
	[BRIDGE_WSUS_FAILED] = "failed",
	[BRIDGE_WSUS_RESTART_NEEDED] = "restart needed",
};

static const char *const result_names[] = {"unknown", "succeeded", "failed"};
#define NUM_RESULTS (int32_t)(sizeof(result_names) / sizeof(result_names[0]))

static const struct bridge_kind new_computer = {
	.id = BRIDGE_WSUS_COMPUTER_NEW,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_COMPUTER,
	.keywords = WSUS_KEYWORD_COMPUTER | WSUS_KEYWORD_ROLLUP,
};
static const struct bridge_kind changed_computer = {
	.id = BRIDGE_WSUS_COMPUTER_CHANGED,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_COMPUTER,
	.keywords = WSUS_KEYWORD_COMPUTER | WSUS_KEYWORD_ROLLUP,
};
static const struct bridge_kind baseline = {
	.id = BRIDGE_WSUS_COMPUTER_BASELINE,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_UPDATE_STATUS,
	.keywords = WSUS_KEYWORD_UPDATE_STATUS | WSUS_KEYWORD_ROLLUP,
};
static const struct bridge_kind update_state = {
	.id = BRIDGE_WSUS_UPDATE_STATE,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_UPDATE_STATUS,
	.keywords = WSUS_KEYWORD_UPDATE_STATUS | WSUS_KEYWORD_ROLLUP,
};

/* Begin an event about a computer: ComputerName to ParentServerId. */
static void begin(struct bridge_event *event, const struct bridge_kind *kind,
		  const struct bridge_origin *origin,
		  const struct bridge_wsus_computer *computer)
{
	const char *name = computer->name;

	bridge_event_begin(event, &bridge_wsus_provider, kind, origin);
	if (name == NULL || name[0] == '\0') {
		name = computer->id;
	}
	event->computer = name;
	bridge_put_text(event, "ComputerName", name);
	bridge_put_text(event, "ComputerId", computer->id);
	bridge_put_guid(event, "ParentServerId", &computer->parent);
}

static void put_times(struct bridge_event *event,
		      const struct bridge_wsus_computer *computer)
{
	int32_t result = computer->last_sync_result;
	bool known = result >= 0 && result < NUM_RESULTS;

	bridge_put_time(event, "LastSyncTime", computer->last_sync);
	bridge_put_text(event, "LastSyncResult",
			known ? result_names[result] : "not defined");
	bridge_put_count(event, "LastSyncResultValue", result);
	bridge_put_time(event, "LastReportedRebootTime", computer->last_reboot);
	bridge_put_time(event, "LastReportedStatusTime", computer->last_status);
	bridge_put_time(event, "LastInventoryTime", computer->last_inventory);
}

static void put_details(struct bridge_event *event,
			const struct bridge_wsus_computer *computer,
			struct wsus_os_text *os_text)
{
	static const struct bridge_wsus_computer none = {};
	const struct bridge_wsus_computer *details =
		computer->has_details ? computer : &none;

	bridge_put_bool(event, "HasDetails", computer->has_details);
	bridge_put_text(event, "IPAddress", details->address);
	wsus_put_os(event, &details->os, os_text);
	bridge_put_text(event, "OSFamily", details->os_family);
	bridge_put_text(event, "OSDescription", details->os_description);
	bridge_put_text(event, "ComputerMake", details->make);
	bridge_put_text(event, "ComputerModel", details->model);
	bridge_put_text(event, "BiosVersion", details->bios_version);
	bridge_put_text(event, "BiosName", details->bios_name);
	bridge_put_time(event, "BiosReleaseDate", details->bios_date);
	bridge_put_text(event, "ClientVersion", details->client_version);
	bridge_put_text(event, "TargetGroups", details->target_groups);
	bridge_put_text(event, "RequestedTargetGroups",
			details->requested_groups);
}

everr_t bridge_wsus_computer(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const struct bridge_wsus_computer *computer,
			     bool is_new)
{
	struct bridge_event event;
	struct wsus_os_text os_text;

	begin(&event, is_new ? &new_computer : &changed_computer, origin,
	      computer);
	event.time = computer->last_sync;
	if (computer->last_sync_result == SYNC_FAILED) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	put_times(&event, computer);
	put_details(&event, computer, &os_text);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_baseline(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const struct bridge_wsus_computer *computer,
			     int32_t rollup_number, uint64_t detection_time,
			     const uint32_t num[BRIDGE_WSUS_STATES],
			     uint32_t others)
{
	static const char *const names[BRIDGE_WSUS_STATES] = {
		[BRIDGE_WSUS_NOT_APPLICABLE] = "NotApplicable",
		[BRIDGE_WSUS_UNKNOWN] = "Unknown",
		[BRIDGE_WSUS_NEEDED] = "Needed",
		[BRIDGE_WSUS_DOWNLOADED] = "Downloaded",
		[BRIDGE_WSUS_INSTALLED] = "Installed",
		[BRIDGE_WSUS_FAILED] = "Failed",
		[BRIDGE_WSUS_RESTART_NEEDED] = "RestartNeeded",
	};
	struct bridge_event event;
	uint64_t sum = others;
	size_t i;

	begin(&event, &baseline, origin, computer);
	event.time = detection_time;
	if (num[BRIDGE_WSUS_FAILED] > 0) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	bridge_put_count(&event, "RollupNumber", rollup_number);
	bridge_put_time(&event, "EffectiveLastDetectionTime", detection_time);
	for (i = 0; i < BRIDGE_WSUS_STATES; i++) {
		sum += num[i];
	}
	bridge_put_uint64(&event, "Updates", sum);
	for (i = 0; i < BRIDGE_WSUS_STATES; i++) {
		bridge_put_uint32(&event, names[i], num[i]);
	}
	bridge_put_uint32(&event, "OtherStates", others);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

/* Where state has no name it is written into text. */
static const char *state_name(int32_t state, char text[STATE_TEXT_SIZE])
{
	if (state == -1) {
		return "not reported";
	}
	if (state >= 0 && state < BRIDGE_WSUS_STATES) {
		return state_names[state];
	}
	snprintf(text, STATE_TEXT_SIZE, "state %" PRId32, state);
	return text;
}

static uint8_t state_level(int32_t state)
{
	switch (state) {
	case BRIDGE_WSUS_FAILED:
		return BRIDGE_LEVEL_ERROR;
	case BRIDGE_WSUS_RESTART_NEEDED:
		return BRIDGE_LEVEL_WARNING;
	default:
		return BRIDGE_LEVEL_INFORMATION;
	}
}

everr_t bridge_wsus_update_state(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_wsus_computer *computer,
				 const struct ev_guid *update,
				 const char *title, int32_t old_state,
				 int32_t new_state, uint64_t changed)
{
	char update_id[EV_GUID_TEXT_SIZE];
	char old_text[STATE_TEXT_SIZE], new_text[STATE_TEXT_SIZE];
	struct bridge_event event;

	begin(&event, &update_state, origin, computer);
	event.time = changed;
	event.level = state_level(new_state);
	ev_guid_format(update, update_id);
	if (title == NULL || title[0] == '\0') {
		title = update_id;
	}
	bridge_put_text(&event, "UpdateTitle", title);
	bridge_put_guid(&event, "UpdateId", update);
	bridge_put_text(&event, "OldState", state_name(old_state, old_text));
	bridge_put_int32(&event, "OldStateValue", old_state);
	bridge_put_text(&event, "NewState", state_name(new_state, new_text));
	bridge_put_int32(&event, "NewStateValue", new_state);
	bridge_put_time(&event, "LastChangeTime", changed);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}
