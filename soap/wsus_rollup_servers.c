/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_report.h"

/* RollupDownstreamServers, [MS-WSUSSS] 3.1.4.14. */

/* Servers of one call, and what it tells of updates. */
#define SERVERS_MAX 5000
#define ACTIVITIES_MAX 1000000
/* Activities of one part, and operating systems of one commit. */
#define PART_ACTIVITIES 512
#define COMMIT_SYSTEMS 16
/* Of counts, after which a commit takes no more: a row may have a MiB. */
#define COMMIT_BYTES ((size_t)256 * 1024)
/* Operating systems of one server whose counts are kept. */
#define SYSTEMS_MAX 5000

/* Facts 10.1: "up to 32 chars"; a name is a DNS name. */
#define NAME_MAX_BYTES WSUS_ROW_TEXT_MAX

struct activity {
	struct ev_guid update;
	int32_t revision, succeeded, failed;
};

/* Activity on one operating system; applied as a whole. */
struct server_part {
	struct bridge_wsus_os os;
	struct ev_guid digest;
	struct activity *activities;
	size_t num;
};

/* One DownstreamServerRollupInfo. */
struct server_item {
	struct bridge_wsus_server server;
	uint64_t sent_rollup;
	struct server_part *parts;
	size_t num_parts;
};

struct server_call {
	struct wsus_rollup rollup;
	struct server_item **items;
	size_t num_items;
	size_t num_summaries;
	size_t num_activities;
};

/* ------------------------------------------------------------- reading */

static void read_counters(struct wsus_fields *fields,
			  const struct soap_node *node,
			  struct bridge_wsus_server *server)
{
	const struct soap_node *summary = soap_child(node, "ServerSummary");
	size_t i;

	server->has_counters = summary != NULL;
	for (i = 0; summary != NULL && i < BRIDGE_WSUS_COUNTERS; i++) {
		const char *name = bridge_wsus_counter_names[i];

		server->counters[i] =
			wsus_field_int(fields, name, soap_text(summary, name));
	}
}

static int32_t child_int(struct wsus_fields *fields,
			 const struct soap_node *node, const char *name)
{
	return wsus_field_int(fields, name, soap_text(node, name));
}

static const char *child_text(struct wsus_fields *fields,
			      const struct soap_node *node, const char *name)
{
	return wsus_field_text(fields, name, soap_text(node, name),
			       NAME_MAX_BYTES);
}

static void read_os(struct wsus_fields *fields, const struct soap_node *node,
		    struct bridge_wsus_os *os)
{
	os->major = child_int(fields, node, "OSMajorVersion");
	os->minor = child_int(fields, node, "OSMinorVersion");
	os->build = child_int(fields, node, "OSBuildNumber");
	os->sp_major = child_int(fields, node, "OSServicePackMajorNumber");
	os->sp_minor = child_int(fields, node, "OSServicePackMinorNumber");
	os->locale = child_text(fields, node, "OSLocale");
	os->suite_mask = child_int(fields, node, "SuiteMask");
	os->old_product_type = child_int(fields, node, "OldProductType");
	os->new_product_type = child_int(fields, node, "NewProductType");
	os->system_metrics = child_int(fields, node, "SystemMetrics");
	os->architecture = child_text(fields, node, "ProcessorArchitecture");
}

/* What a part is told from the others of the same rollup by. */
static everr_t part_digest(TALLOC_CTX *mem_ctx, struct server_part *part)
{
	struct buf bytes;
	everr_t err;
	size_t i;

	buf_init(&bytes, mem_ctx, WSUS_ROW_MAX);
	wsus_os_encode(&bytes, &part->os);
	for (i = 0; i < part->num; i++) {
		const struct activity *activity = &part->activities[i];

		buf_put(&bytes, activity->update.b, 16);
		buf_put_u32(&bytes, (uint32_t)activity->revision);
		buf_put_u32(&bytes, (uint32_t)activity->succeeded);
		buf_put_u32(&bytes, (uint32_t)activity->failed);
	}
	err = buf_error(&bytes);
	if (err == EVERR_OK) {
		ev_guid_from_bytes(bytes.data, bytes.len, &part->digest);
	}
	buf_free(&bytes);
	return err;
}

/* Room for one more part of the item; NULL: no memory. */
static struct server_part *part_add(struct server_item *item,
				    const struct bridge_wsus_os *os)
{
	struct server_part *part = NULL;

	if (item->num_parts >= talloc_array_length(item->parts)) {
		item->parts =
			talloc_realloc(item, item->parts, struct server_part,
				       item->num_parts * 2 + 4);
	}
	if (item->parts == NULL) {
		return NULL;
	}
	part = &item->parts[item->num_parts];
	*part = (struct server_part){.os = *os};
	part->activities = talloc_array(item, struct activity, PART_ACTIVITIES);
	if (part->activities == NULL) {
		return NULL;
	}
	item->num_parts++;
	return part;
}

static void part_end(struct wsus_fields *fields, struct server_item *item,
		     struct server_part *part)
{
	if (part == NULL) {
		return;
	}
	part->activities = talloc_realloc(item, part->activities,
					  struct activity, part->num);
	if (part->activities == NULL ||
	    part_digest(fields->mem_ctx, part) != EVERR_OK) {
		fields->nomem = true;
	}
}

static void read_activity(struct wsus_fields *fields,
			  const struct soap_node *node,
			  struct activity *activity)
{
	activity->update = wsus_field_guid(fields, "UpdateId",
					   soap_text(node, "UpdateId"));
	activity->revision = child_int(fields, node, "RevisionNumber");
	activity->succeeded = child_int(fields, node, "InstallSuccessCount");
	activity->failed = child_int(fields, node, "InstallFailureCount");
}

/* Increments of nothing are passed over. */
static void read_summary(struct wsus_fields *fields, struct server_call *state,
			 struct server_item *item, const struct soap_node *node)
{
	const struct soap_node *child =
		soap_child(soap_child(node, "ActivitySummaries"),
			   "DownstreamServerRollupClientActivitySummary");
	struct server_part *part = NULL;
	struct bridge_wsus_os os = {};

	read_os(fields, node, &os);
	for (; child != NULL && !fields->nomem; child = soap_next(child)) {
		struct activity activity = {};

		read_activity(fields, child, &activity);
		if (activity.succeeded <= 0 && activity.failed <= 0) {
			continue;
		}
		if (part != NULL && part->num == PART_ACTIVITIES) {
			part_end(fields, item, part);
			part = NULL;
		}
		if (part == NULL) {
			part = part_add(item, &os);
		}
		if (part == NULL) {
			fields->nomem = true;
			return;
		}
		part->activities[part->num++] = activity;
		state->num_activities++;
	}
	part_end(fields, item, part);
}

static void read_item(struct wsus_fields *fields, struct server_call *state,
		      const struct soap_node *node, struct server_item *item)
{
	struct bridge_wsus_server *server = &item->server;
	const struct wsus *wsus = state->rollup.wsus;
	const struct soap_node *summary =
		soap_child(soap_child(node, "ClientSummaries"),
			   "DownstreamServerRollupClientSummary");
	const char *rollup_time = soap_text(node, "LastRollupTime");

	server->id = wsus_field_guid(fields, "ServerId",
				     soap_text(node, "ServerId"));
	server->name = child_text(fields, node, "FullDomainName");
	server->parent = wsus_field_guid(fields, "ParentServerId",
					 soap_text(node, "ParentServerId"));
	server->version = child_text(fields, node, "Version");
	server->replica = wsus_field_bool(fields, "IsReplica",
					  soap_text(node, "IsReplica"));
	server->last_sync = wsus_field_time(fields, "LastSyncTime",
					    soap_text(node, "LastSyncTime"));
	server->last_rollup =
		wsus_field_time(fields, "LastRollupTime", rollup_time);
	(void)!soap_get_time(rollup_time, &item->sent_rollup);
	if (ev_guid_is_zero(&server->id)) {
		fields->bad = fields->bad != NULL ? fields->bad : "ServerId";
	}
	if (ev_guid_is_zero(&server->parent)) {
		server->parent = wsus->server_id;
	}
	read_counters(fields, node, server);
	for (; summary != NULL; summary = soap_next(summary)) {
		state->num_summaries++;
		if (state->num_summaries <= WSUS_BATCH_SUMMARIES) {
			read_summary(fields, state, item, summary);
		}
	}
}

static void servers_answer(struct wsus_rollup *rollup);

static bool item_keep(struct server_call *state, struct server_item *item)
{
	if (state->num_items >= talloc_array_length(state->items)) {
		state->items = talloc_realloc(state, state->items,
					      struct server_item *,
					      state->num_items * 2 + 16);
	}
	if (state->items == NULL) {
		return false;
	}
	state->items[state->num_items++] = item;
	return true;
}

static void servers_item(struct soap_call *call, const struct soap_node *node)
{
	struct server_call *state =
		wsus_rollup_of(call, struct server_call, servers_answer);
	struct server_item *item = NULL;
	struct wsus_fields fields = {};

	if (state == NULL) {
		return;
	}
	item = talloc_zero(state, struct server_item);
	if (item == NULL) {
		wsus_rollup_error(&state->rollup, EVERR_NOMEM);
		return;
	}
	fields.mem_ctx = item;
	fields.shift = state->rollup.shift;
	read_item(&fields, state, node, item);
	fields.nomem = fields.nomem || !item_keep(state, item);
	if (state->num_summaries > WSUS_BATCH_SUMMARIES ||
	    state->num_activities > ACTIVITIES_MAX) {
		fields.bad = "ClientSummaries";
	}
	if (state->num_items > SERVERS_MAX) {
		fields.bad = "downstreamServers";
	}
	(void)wsus_fields_fault(&fields, &state->rollup);
}

/* ------------------------------------------------------------ applying */

struct server_job {
	struct wsus_rollup_job part;
	struct wsus_server_entry *entry;
	const struct server_item *item; /* of the rollup, which stays */
	struct ev_guid *known;		/* digests of before, sorted */
	size_t num_known;
	size_t next_part;
	struct wsus_server_row *row;  /* as it grows, part by part */
	struct wsus_server_row *copy; /* what the commit makes the entry's */
};

static int digest_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ev_guid));
}

static bool part_known(const struct server_job *server,
		       const struct server_part *part)
{
	return server->num_known > 0 &&
	       bsearch(&part->digest, server->known, server->num_known,
		       sizeof(part->digest), digest_cmp) != NULL;
}

/*
 * Several items with one LastRollupTime are parts of one rollup, facts 10.2:
 * as it was sent, so that a correction which is different by its rounding does
 * not tell parts apart.  For the same reason an item is older only when it was
 * sent so: a clock that has been set back is corrected, and no report of after
 * that is lost.
 */
static bool same_rollup(const struct wsus_server_row *old,
			const struct server_item *item)
{
	return old->sent_rollup == item->sent_rollup;
}

static bool item_is_older(const struct wsus_server_row *old,
			  const struct server_item *item)
{
	return old->sent_rollup > item->sent_rollup &&
	       old->server.last_rollup > item->server.last_rollup;
}

/*
 * A corrected time of a repeated call may be another one by the minute that
 * corrections are rounded to.
 */
static bool time_differs(uint64_t a, uint64_t b)
{
	return a - b + WSUS_CLOCK_STEP > 2 * WSUS_CLOCK_STEP;
}

/* Of the server that reports to this one, not of those below it. */
static bool begins_rollup(const struct wsus *wsus,
			  const struct wsus_server_row *old,
			  const struct server_item *item)
{
	return (old == NULL || !same_rollup(old, item)) &&
	       ev_guid_equal(&item->server.parent, &wsus->server_id);
}

static bool server_changed(const struct bridge_wsus_server *a,
			   const struct bridge_wsus_server *b)
{
	return !ev_guid_equal(&a->parent, &b->parent) ||
	       a->replica != b->replica ||
	       time_differs(a->last_sync, b->last_sync) ||
	       a->has_counters != b->has_counters ||
	       memcmp(a->counters, b->counters, sizeof(a->counters)) != 0 ||
	       !wsus_text_equal(a->name, b->name) ||
	       !wsus_text_equal(a->version, b->version);
}

static everr_t row_strings(struct wsus_server_row *row)
{
	struct bridge_wsus_server *server = &row->server;
	const char *name = server->name;
	const char *version = server->version;

	server->name = talloc_strdup(row, name != NULL ? name : "");
	server->version = talloc_strdup(row, version != NULL ? version : "");
	return server->name != NULL && server->version != NULL ? EVERR_OK
							       : EVERR_NOMEM;
}

/* The parts of the same rollup stay known, and room for more of them. */
static everr_t row_parts(struct server_job *server,
			 const struct wsus_server_row *old)
{
	struct wsus_server_row *row = server->row;

	row->parts = talloc_array(row, struct ev_guid, WSUS_SERVER_PARTS_MAX);
	if (row->parts == NULL) {
		return EVERR_NOMEM;
	}
	if (old == NULL || !same_rollup(old, server->item) ||
	    old->num_parts == 0) {
		return EVERR_OK;
	}
	memcpy(row->parts, old->parts, old->num_parts * sizeof(*row->parts));
	row->num_parts = old->num_parts;
	server->known = talloc_memdup(server, old->parts,
				      old->num_parts * sizeof(*row->parts));
	if (server->known == NULL) {
		return EVERR_NOMEM;
	}
	server->num_known = old->num_parts;
	qsort(server->known, server->num_known, sizeof(*server->known),
	      digest_cmp);
	return EVERR_OK;
}

static everr_t row_make(struct server_job *server)
{
	const struct wsus *wsus = server->part.job.wsus;
	const struct wsus_server_row *old = server->entry->row;
	struct wsus_server_row *row = NULL;
	everr_t err;

	row = talloc_zero(server, struct wsus_server_row);
	if (row == NULL) {
		return EVERR_NOMEM;
	}
	server->row = row;
	row->server = server->item->server;
	row->sent_rollup = server->item->sent_rollup;
	row->first_seen = old != NULL ? old->first_seen
				      : server->part.rollup->origin.received;
	row->num_systems = old != NULL ? old->num_systems : 0;
	/* Computers and their states follow; without, the event says the end. */
	row->reporting = wsus->config.detailed_rollup &&
			 ((old != NULL && old->reporting) ||
			  begins_rollup(wsus, old, server->item));
	err = row_strings(row);
	return err == EVERR_OK ? row_parts(server, old) : err;
}

/* The newest are kept when there are too many. */
static void row_add_part(struct wsus_server_row *row,
			 const struct ev_guid *digest)
{
	if (row->num_parts == WSUS_SERVER_PARTS_MAX) {
		row->num_parts--;
		memmove(row->parts, row->parts + 1,
			row->num_parts * sizeof(*row->parts));
	}
	row->parts[row->num_parts++] = *digest;
}

/* Made before the commit, after which nothing may fail. */
static everr_t row_copy(struct server_job *server)
{
	const struct wsus_server_row *row = server->row;
	struct wsus_server_row *copy = NULL;

	copy = talloc_memdup(server, row, sizeof(*row));
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	talloc_free(server->copy);
	server->copy = copy;
	copy->parts = talloc_memdup(copy, row->parts,
				    row->num_parts * sizeof(*row->parts));
	if (copy->parts == NULL && row->num_parts > 0) {
		return EVERR_NOMEM;
	}
	return row_strings(copy);
}

static everr_t put_row(struct server_job *server)
{
	struct wsus_job *job = &server->part.job;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	err = row_copy(server);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&data, job->turn, WSUS_ROW_MAX);
	wsus_server_encode(&data, server->row);
	wsus_server_row_name(&server->entry->id, name);
	return wsus_job_state(job, name, &data);
}

/* ------------------------------------------------------------ activity */

/* EVERR_NOT_FOUND: there was none, or a damaged one. */
static everr_t counts_read(struct wsus_job *job, const char *name,
			   struct wsus_activity_rows *rows)
{
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = store_state_get(job->turn, job->wsus->store, name, &data, &len);
	if (err == EVERR_OK) {
		err = wsus_activity_decode(job->turn, data, len, rows);
	}
	if (err == EVERR_STORE_CORRUPT || err == EVERR_STORE_VERSION) {
		job->wsus->tables->damaged++;
		return EVERR_NOT_FOUND;
	}
	return err;
}

static everr_t counts_add(struct wsus_job *job, const struct server_part *part,
			  struct wsus_activity_rows *rows)
{
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < part->num && err != EVERR_NOMEM; i++) {
		const struct activity *from = &part->activities[i];
		struct bridge_wsus_activity more = {
			.update = from->update,
			.revision = from->revision,
			.succeeded = from->succeeded,
			.failed = from->failed,
		};

		/* A full row keeps no counts of what is new to it. */
		err = wsus_activity_add(job->turn, rows, &more);
	}
	return err == EVERR_NOMEM ? err : EVERR_OK;
}

static everr_t put_counts(struct server_job *server,
			  const struct server_part *part, size_t *bytes)
{
	struct wsus_job *job = &server->part.job;
	struct wsus_activity_rows rows = {};
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	wsus_activity_row_name(&server->entry->id, &part->os, name);
	err = counts_read(job, name, &rows);
	if (err == EVERR_NOT_FOUND) {
		if (server->row->num_systems >= SYSTEMS_MAX) {
			return EVERR_OK;
		}
		server->row->num_systems++;
		err = EVERR_OK;
	}
	if (err == EVERR_OK) {
		err = counts_add(job, part, &rows);
	}
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&data, job->turn, WSUS_ROW_MAX);
	wsus_activity_encode(&data, &rows);
	*bytes += data.len;
	return wsus_job_state(job, name, &data);
}

static everr_t add_activity_events(struct server_job *server,
				   const struct server_part *part)
{
	struct wsus_job *job = &server->part.job;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; err == EVERR_OK && i < part->num; i++) {
		const struct activity *from = &part->activities[i];
		struct bridge_wsus_activity activity = {
			.update = from->update,
			.revision = from->revision,
			.succeeded = from->succeeded,
			.failed = from->failed,
			.os = part->os,
		};

		err = bridge_wsus_activity(job->events,
					   &server->part.rollup->origin,
					   &server->row->server, &activity);
	}
	return err;
}

/* The parts of one commit. */
struct part_list {
	const struct server_part *parts[COMMIT_SYSTEMS];
	size_t num;
	size_t bytes; /* of their counts */
};

/* Alone in a commit each fits. */
_Static_assert(PART_ACTIVITIES <= WSUS_JOB_EVENTS, "a part is one commit");

/*
 * Whether the part has to wait for the next commit; also when its system is
 * in this one already, as counts are read from disk.
 */
static bool part_waits(const struct server_job *server,
		       const struct part_list *list,
		       const struct server_part *part)
{
	size_t i;

	if (list->num == COMMIT_SYSTEMS || list->bytes >= COMMIT_BYTES ||
	    server->part.job.events->num_documents + part->num >
		    WSUS_JOB_EVENTS) {
		return true;
	}
	for (i = 0; i < list->num; i++) {
		if (wsus_os_equal(&list->parts[i]->os, &part->os)) {
			return true;
		}
	}
	return false;
}

static everr_t add_parts(struct server_job *server)
{
	const struct server_item *item = server->item;
	struct part_list list = {};
	everr_t err;

	for (; server->next_part < item->num_parts; server->next_part++) {
		const struct server_part *part =
			&item->parts[server->next_part];

		if (part_known(server, part)) {
			continue;
		}
		if (part_waits(server, &list, part)) {
			server->part.job.more = true;
			return EVERR_OK;
		}
		err = put_counts(server, part, &list.bytes);
		if (err == EVERR_OK) {
			err = add_activity_events(server, part);
		}
		if (err != EVERR_OK) {
			return err;
		}
		row_add_part(server->row, &part->digest);
		list.parts[list.num++] = part;
	}
	return EVERR_OK;
}

/* ----------------------------------------------------------------- job */

/* Whether all that the item's server reports of its rollup is this. */
static bool ends_rollup(const struct server_job *server,
			const struct wsus_server_row *old)
{
	const struct wsus *wsus = server->part.job.wsus;

	return !wsus->config.detailed_rollup &&
	       begins_rollup(wsus, old, server->item);
}

static everr_t add_server_events(struct server_job *server)
{
	struct bridge_events *events = server->part.job.events;
	const struct bridge_origin *origin = &server->part.rollup->origin;
	const struct bridge_wsus_server *now = &server->row->server;
	const struct wsus_server_row *old = server->entry->row;
	everr_t err = EVERR_OK;

	if (old == NULL) {
		err = bridge_wsus_server_seen(events, origin, now);
	}
	if (err == EVERR_OK &&
	    (old == NULL || !same_rollup(old, server->item) ||
	     server_changed(&old->server, now))) {
		err = bridge_wsus_server_summary(events, origin, now);
	}
	if (err == EVERR_OK && ends_rollup(server, old)) {
		err = bridge_wsus_sync_finished(events, origin, now, 0, 0);
	}
	return err;
}

static everr_t server_prepare(struct wsus_job *job)
{
	struct server_job *server = (struct server_job *)job;
	const struct wsus_server_row *old = server->entry->row;
	size_t num_parts;
	everr_t err = EVERR_OK;

	if (server->row == NULL) {
		if (old != NULL && item_is_older(old, server->item)) {
			return EVERR_OK;
		}
		err = row_make(server);
		if (err == EVERR_OK) {
			err = add_server_events(server);
		}
	}
	num_parts = server->row != NULL ? server->row->num_parts : 0;
	if (err == EVERR_OK) {
		err = add_parts(server);
	}
	if (err != EVERR_OK) {
		return err;
	}
	/* A repeated call: nothing to write. */
	if (job->events->num_documents == 0 &&
	    server->row->num_parts == num_parts) {
		return EVERR_OK;
	}
	return put_row(server);
}

static void server_committed(struct wsus_job *job)
{
	struct server_job *server = (struct server_job *)job;
	struct wsus_server_entry *entry = server->entry;

	server->part.changed = true;
	talloc_free(entry->row);
	entry->row = talloc_steal(entry, server->copy);
	server->copy = NULL;
}

static void server_ended(struct wsus_rollup_job *job, everr_t err)
{
	struct server_job *server = (struct server_job *)job;

	wsus_tables_server_tidy(job->job.wsus->tables, server->entry);
}

static void server_start(struct wsus_rollup *rollup, size_t index)
{
	struct server_call *state = (struct server_call *)rollup;
	struct wsus_tables *tables = rollup->wsus->tables;
	struct server_job *server = talloc_zero(rollup, struct server_job);
	everr_t err = EVERR_NOMEM;

	if (server != NULL) {
		server->item = state->items[index];
		err = wsus_tables_server_make(tables, &server->item->server.id,
					      &server->entry);
	}
	if (err != EVERR_OK) {
		talloc_free(server);
		rollup->err = err;
		rollup->why = err == EVERR_LIMIT
				      ? "no more downstream servers are kept; "
					"servers_max limits them"
				      : NULL;
		return;
	}
	server->part.job.prepare = server_prepare;
	server->part.job.committed = server_committed;
	server->part.ended = server_ended;
	wsus_rollup_start(rollup, &server->part, &server->entry->lock, 0);
}

/* ---------------------------------------------------------------- call */

static int id_cmp(const void *a, const void *b)
{
	return memcmp(*(const struct ev_guid *const *)a,
		      *(const struct ev_guid *const *)b,
		      sizeof(struct ev_guid));
}

/*
 * Facts 10.2: a parent must be known.  One that stands anywhere in the same
 * call is (facts 11: the sender's own entry comes last).
 */
static bool parents_known(const struct server_call *state)
{
	const struct wsus *wsus = state->rollup.wsus;
	const struct ev_guid **ids = NULL;
	bool known = true;
	size_t i;

	ids = talloc_array(state, const struct ev_guid *, state->num_items);
	if (ids == NULL) {
		return false;
	}
	for (i = 0; i < state->num_items; i++) {
		ids[i] = &state->items[i]->server.id;
	}
	qsort(ids, state->num_items, sizeof(*ids), id_cmp);
	for (i = 0; known && i < state->num_items; i++) {
		const struct ev_guid *parent = &state->items[i]->server.parent;

		known = ev_guid_equal(parent, &wsus->server_id) ||
			wsus_tables_server(wsus->tables, parent) != NULL ||
			bsearch(&parent, ids, state->num_items, sizeof(*ids),
				id_cmp) != NULL;
	}
	talloc_free(ids);
	return known;
}

static void servers_answer(struct wsus_rollup *rollup)
{
	struct soap_call *call = rollup->call;

	if (rollup->err != EVERR_OK) {
		wsus_rollup_error(rollup, rollup->err);
		return;
	}
	wsus_rollup_answered(rollup);
	(void)soap_answer_begin(call, 0);
	soap_answer(call);
}

static void servers_finish(struct soap_call *call)
{
	struct server_call *state =
		wsus_rollup_of(call, struct server_call, servers_answer);

	if (state == NULL) {
		return;
	}
	if (soap_child(call->request, "downstreamServers") == NULL) {
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "downstreamServers");
		return;
	}
	if (!parents_known(state)) {
		wsus_rollup_fault(&state->rollup, "InternalServerError",
				  WSUS_PARENT_UNKNOWN);
		return;
	}
	wsus_rollup_each(&state->rollup, state->num_items, server_start);
}

const struct soap_operation wsus_rollup_servers = {
	.name = "RollupDownstreamServers",
	.items = "downstreamServers/DownstreamServerRollupInfo",
	.state_size = sizeof(struct server_call *),
	.item = servers_item,
	.finish = servers_finish,
};
