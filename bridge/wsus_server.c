/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Events about downstream servers, [MS-WSUSSS] 3.1.4.14.
 */

#include "bridge/wsus_event.h"

#include <inttypes.h>
#include <stdio.h>

const struct bridge_provider bridge_wsus_provider = {
	.name = BRIDGE_WSUS_PROVIDER,
	.guid = {{0xC5, 0x8D, 0x40, 0x07, 0xF5, 0x47, 0x8A, 0x4B, 0x8F, 0x00,
		  0x99, 0x1E, 0xF7, 0x20, 0xB0, 0x01}},
	.channel = BRIDGE_WSUS_CHANNEL,
};

/* In the order of DownstreamServerRollupServerSummary. */
const char *const bridge_wsus_counter_names[BRIDGE_WSUS_COUNTERS] = {
	"UpdateCount",
	"DeclinedUpdateCount",
	"ApprovedUpdateCount",
	"NotApprovedUpdateCount",
	"UpdatesWithStaleUpdateApprovalsCount",
	"ExpiredUpdateCount",
	"CriticalOrSecurityUpdatesNotApprovedForInstallCount",
	"WsusInfrastructureUpdatesNotApprovedForInstallCount",
	"UpdatesWithClientErrorsCount",
	"UpdatesWithServerErrorsCount",
	"UpdatesNeedingFilesCount",
	"UpdatesNeededByComputersCount",
	"UpdatesUpToDateCount",
	"CustomComputerTargetGroupCount",
	"ComputerTargetCount",
	"ComputerTargetsNeedingUpdatesCount",
	"ComputerTargetsWithUpdateErrorsCount",
	"ComputersUpToDateCount",
};

static const struct bridge_kind seen = {
	.id = BRIDGE_WSUS_SERVER_SEEN,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_SERVER,
	.keywords = WSUS_KEYWORD_SERVER,
};
static const struct bridge_kind summary = {
	.id = BRIDGE_WSUS_SERVER_SUMMARY,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_SERVER,
	.keywords = WSUS_KEYWORD_SERVER | WSUS_KEYWORD_ROLLUP,
};
static const struct bridge_kind activity_kind = {
	.id = BRIDGE_WSUS_ACTIVITY,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_UPDATE_STATUS,
	.keywords = WSUS_KEYWORD_UPDATE_STATUS | WSUS_KEYWORD_ROLLUP,
};
static const struct bridge_kind sync_started = {
	.id = BRIDGE_WSUS_SYNC_STARTED,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_SYNCHRONIZATION,
	.keywords = WSUS_KEYWORD_SYNCHRONIZATION,
};
static const struct bridge_kind sync_finished = {
	.id = BRIDGE_WSUS_SYNC_FINISHED,
	.level = BRIDGE_LEVEL_INFORMATION,
	.task = WSUS_TASK_SYNCHRONIZATION,
	.keywords = WSUS_KEYWORD_SYNCHRONIZATION | WSUS_KEYWORD_ROLLUP,
};

const char *wsus_server_name(const struct bridge_wsus_server *server,
			     struct wsus_guid_text *guid)
{
	if (server->name != NULL && server->name[0] != '\0') {
		return server->name;
	}
	ev_guid_format(&server->id, guid->text);
	return guid->text;
}

/* What has no number above 0 is not known, as it is in the numbers' fields. */
static void format_os(const struct bridge_wsus_os *os,
		      struct wsus_os_text *text)
{
	size_t len = 0;

	text->text[0] = '\0';
	if (os->major <= 0 && os->minor <= 0 && os->build <= 0) {
		return;
	}
	len = (size_t)snprintf(text->text, WSUS_OS_TEXT_SIZE,
			       "%" PRId32 ".%" PRId32 ".%" PRId32, os->major,
			       os->minor, os->build);
	if (os->sp_minor > 0) {
		snprintf(text->text + len, WSUS_OS_TEXT_SIZE - len,
			 " SP %" PRId32 ".%" PRId32, os->sp_major,
			 os->sp_minor);
	} else if (os->sp_major > 0) {
		snprintf(text->text + len, WSUS_OS_TEXT_SIZE - len,
			 " SP %" PRId32, os->sp_major);
	}
}

void wsus_put_os(struct bridge_event *event, const struct bridge_wsus_os *os,
		 struct wsus_os_text *text)
{
	format_os(os, text);
	bridge_put_text(event, "OSVersion", text->text);
	bridge_put_count(event, "OSMajorVersion", os->major);
	bridge_put_count(event, "OSMinorVersion", os->minor);
	bridge_put_count(event, "OSBuildNumber", os->build);
	bridge_put_count(event, "OSServicePackMajorNumber", os->sp_major);
	bridge_put_count(event, "OSServicePackMinorNumber", os->sp_minor);
	bridge_put_text(event, "OSLocale", os->locale);
	bridge_put_text(event, "ProcessorArchitecture", os->architecture);
	bridge_put_count(event, "OldProductType", os->old_product_type);
	bridge_put_count(event, "NewProductType", os->new_product_type);
	/* A short in the schema; its bits are meant. */
	bridge_put_bits(event, "SuiteMask", (uint16_t)os->suite_mask);
	bridge_put_bits(event, "SystemMetrics", (uint32_t)os->system_metrics);
}

/* Begin an event about a server: ServerName, ServerId. */
static void begin(struct bridge_event *event, const struct bridge_kind *kind,
		  const struct bridge_origin *origin,
		  const struct bridge_wsus_server *server,
		  struct wsus_guid_text *guid)
{
	bridge_event_begin(event, &bridge_wsus_provider, kind, origin);
	event->computer = wsus_server_name(server, guid);
	bridge_put_text(event, "ServerName", event->computer);
	bridge_put_guid(event, "ServerId", &server->id);
}

static void put_server(struct bridge_event *event,
		       const struct bridge_wsus_server *server)
{
	bridge_put_guid(event, "ParentServerId", &server->parent);
	bridge_put_text(event, "Version", server->version);
	bridge_put_bool(event, "IsReplica", server->replica);
}

everr_t bridge_wsus_server_seen(struct bridge_events *out,
				const struct bridge_origin *origin,
				const struct bridge_wsus_server *server)
{
	struct bridge_event event;
	struct wsus_guid_text guid;

	begin(&event, &seen, origin, server, &guid);
	put_server(&event, server);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_server_summary(struct bridge_events *out,
				   const struct bridge_origin *origin,
				   const struct bridge_wsus_server *server)
{
	struct bridge_event event;
	struct wsus_guid_text guid;
	size_t i;

	begin(&event, &summary, origin, server, &guid);
	event.time = server->last_rollup;
	put_server(&event, server);
	bridge_put_time(&event, "LastSyncTime", server->last_sync);
	bridge_put_time(&event, "LastRollupTime", server->last_rollup);
	bridge_put_bool(&event, "HasCounters", server->has_counters);
	for (i = 0; i < BRIDGE_WSUS_COUNTERS; i++) {
		bridge_put_count(&event, bridge_wsus_counter_names[i],
				 server->has_counters ? server->counters[i]
						      : 0);
	}
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_activity(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const struct bridge_wsus_server *server,
			     const struct bridge_wsus_activity *activity)
{
	struct bridge_event event;
	struct wsus_guid_text guid;
	struct wsus_os_text os_text;

	begin(&event, &activity_kind, origin, server, &guid);
	event.time = server->last_rollup;
	if (activity->failed > 0) {
		event.level = BRIDGE_LEVEL_WARNING;
	}
	bridge_put_guid(&event, "UpdateId", &activity->update);
	bridge_put_count(&event, "RevisionNumber", activity->revision);
	bridge_put_count(&event, "InstallSuccessCount", activity->succeeded);
	bridge_put_count(&event, "InstallFailureCount", activity->failed);
	wsus_put_os(&event, &activity->os, &os_text);
	bridge_put_time(&event, "LastRollupTime", server->last_rollup);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_sync_started(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_wsus_server *server,
				 const char *protocol_version)
{
	struct bridge_event event;
	struct wsus_guid_text guid;

	begin(&event, &sync_started, origin, server, &guid);
	bridge_put_text(&event, "ProtocolVersion", protocol_version);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}

everr_t bridge_wsus_sync_finished(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const struct bridge_wsus_server *server,
				  uint64_t computers, uint64_t changes)
{
	struct bridge_event event;
	struct wsus_guid_text guid;

	begin(&event, &sync_finished, origin, server, &guid);
	bridge_put_uint64(&event, "Computers", computers);
	bridge_put_uint64(&event, "Changes", changes);
	bridge_put_peer(&event);
	return bridge_event_end(out, &event);
}
