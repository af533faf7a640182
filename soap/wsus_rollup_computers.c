/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_report.h"

/* RollupComputers, [MS-WSUSSS] 3.1.4.15. */

/* Texts that all computers of a call may have together. */
#define CALL_TEXT_MAX (16 * 1024 * 1024)

/* One ComputerRollupInfo. */
struct computer_item {
	struct bridge_wsus_computer computer; /* strings: children */
	struct wsus_computer_entry *entry;
	bool wants_details; /* answered NewParent */
};

struct computer_call {
	struct wsus_rollup rollup;
	struct computer_item *items[WSUS_BATCH_COMPUTERS];
	size_t num_items;
	size_t text_bytes;
};

/* ------------------------------------------------------------- reading */

/* Of an element's attributes. */
struct attribute_reader {
	struct wsus_fields *fields;
	const struct soap_node *node;
};

static int32_t attr_int(const struct attribute_reader *r, const char *name)
{
	return wsus_field_int(r->fields, name, soap_attr(r->node, name));
}

static uint64_t attr_time(const struct attribute_reader *r, const char *name)
{
	return wsus_field_time(r->fields, name, soap_attr(r->node, name));
}

static const char *attr_text(const struct attribute_reader *r, const char *name)
{
	return wsus_field_text(r->fields, name, soap_attr(r->node, name),
			       WSUS_ROW_TEXT_MAX);
}

/* The elements of an array as one text, joined by ", "; NULL: none. */
static const char *join(struct wsus_fields *fields, const char *list,
			const struct soap_node *node)
{
	struct buf text;

	buf_init(&text, fields->mem_ctx, WSUS_ROW_GROUPS_MAX);
	for (; node != NULL; node = soap_next(node)) {
		buf_puts(&text, text.len > 0 ? ", " : "");
		buf_put(&text, node->text, node->text_len);
	}
	if (text.len == 0) {
		return NULL;
	}
	buf_put_u8(&text, '\0');
	switch (buf_error(&text)) {
	case EVERR_OK:
		return (const char *)text.data;
	case EVERR_LIMIT:
		fields->bad = fields->bad != NULL ? fields->bad : list;
		return NULL;
	default:
		fields->nomem = true;
		return NULL;
	}
}

static void read_groups(struct wsus_fields *fields,
			const struct soap_node *details,
			struct bridge_wsus_computer *computer)
{
	computer->target_groups = join(
		fields, "TargetGroupIdList",
		soap_child(soap_child(details, "TargetGroupIdList"), "guid"));
	computer->requested_groups = join(
		fields, "RequestedTargetGroupNames",
		soap_child(soap_child(details, "RequestedTargetGroupNames"),
			   "string"));
}

/* The BIOS' date is of no clock of the sender's: it is not corrected. */
static uint64_t read_bios_date(const struct attribute_reader *r)
{
	struct wsus_fields *fields = r->fields;
	int64_t shift = fields->shift;
	uint64_t date;

	fields->shift = 0;
	date = attr_time(r, "BiosReleaseDate");
	fields->shift = shift;
	return date;
}

static void read_os(const struct attribute_reader *r, struct bridge_wsus_os *os)
{
	os->major = attr_int(r, "OSMajorVersion");
	os->minor = attr_int(r, "OSMinorVersion");
	os->build = attr_int(r, "OSBuildNumber");
	os->sp_major = attr_int(r, "OSServicePackMajorNumber");
	os->sp_minor = attr_int(r, "OSServicePackMinorNumber");
	os->locale = attr_text(r, "OSLocale");
	os->architecture = attr_text(r, "ProcessorArchitecture");
	os->suite_mask = attr_int(r, "SuiteMask");
	os->old_product_type = attr_int(r, "OldProductType");
	os->new_product_type = attr_int(r, "NewProductType");
	os->system_metrics = attr_int(r, "SystemMetrics");
}

static void read_details(struct wsus_fields *fields,
			 const struct soap_node *details,
			 struct bridge_wsus_computer *computer)
{
	struct attribute_reader r = {fields, details};

	computer->has_details = true;
	computer->address = attr_text(&r, "IPAddress");
	computer->name = attr_text(&r, "FullDomainName");
	read_os(&r, &computer->os);
	computer->os_family = attr_text(&r, "OSFamily");
	computer->os_description = attr_text(&r, "OSDescription");
	computer->make = attr_text(&r, "ComputerMake");
	computer->model = attr_text(&r, "ComputerModel");
	computer->bios_version = attr_text(&r, "BiosVersion");
	computer->bios_name = attr_text(&r, "BiosName");
	computer->bios_date = read_bios_date(&r);
	computer->client_version = attr_text(&r, "ClientVersion");
	read_groups(fields, details, computer);
}

static void read_item(struct wsus_fields *fields, const struct soap_node *node,
		      struct bridge_wsus_computer *computer)
{
	struct attribute_reader r = {fields, node};
	const struct soap_node *details = soap_child(node, "Details");

	computer->id = wsus_field_text(fields, "ComputerId",
				       soap_attr(node, "ComputerId"),
				       WSUS_COMPUTER_ID_MAX);
	if (computer->id == NULL && fields->bad == NULL) {
		fields->bad = "ComputerId";
	}
	computer->last_sync = attr_time(&r, "LastSyncTime");
	computer->last_sync_result = attr_int(&r, "LastSyncResult");
	computer->last_reboot = attr_time(&r, "LastReportedRebootTime");
	computer->last_status = attr_time(&r, "LastReportedStatusTime");
	computer->last_inventory = attr_time(&r, "LastInventoryTime");
	computer->parent = wsus_field_guid(fields, "ParentServerId",
					   soap_attr(node, "ParentServerId"));
	if (details != NULL) {
		read_details(fields, details, computer);
	}
}

static void computers_answer(struct wsus_rollup *rollup);

static void computers_item(struct soap_call *call, const struct soap_node *node)
{
	struct computer_call *state =
		wsus_rollup_of(call, struct computer_call, computers_answer);
	struct wsus_fields fields = {};
	struct computer_item *item = NULL;

	if (state == NULL) {
		return;
	}
	if (state->num_items == WSUS_BATCH_COMPUTERS) {
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "computers");
		return;
	}
	item = talloc_zero(state, struct computer_item);
	if (item == NULL) {
		wsus_rollup_error(&state->rollup, EVERR_NOMEM);
		return;
	}
	state->items[state->num_items++] = item;
	fields.mem_ctx = item;
	fields.shift = state->rollup.shift;
	read_item(&fields, node, &item->computer);
	state->text_bytes += talloc_total_size(item);
	if (state->text_bytes > CALL_TEXT_MAX && fields.bad == NULL) {
		fields.bad = "computers";
	}
	(void)wsus_fields_fault(&fields, &state->rollup);
}

/* ------------------------------------------------------------ applying */

struct computer_job {
	struct wsus_rollup_job part;
	struct computer_item *item; /* of the rollup, which stays */
};

/* Any reported field but the times, which change with every report. */
static bool computer_changed(const struct bridge_wsus_computer *a,
			     const struct bridge_wsus_computer *b)
{
	if (!ev_guid_equal(&a->parent, &b->parent) ||
	    a->last_sync_result != b->last_sync_result ||
	    a->has_details != b->has_details) {
		return true;
	}
	return a->has_details &&
	       (!wsus_os_equal(&a->os, &b->os) ||
		a->bios_date != b->bios_date ||
		!wsus_text_equal(a->name, b->name) ||
		!wsus_text_equal(a->address, b->address) ||
		!wsus_text_equal(a->os_family, b->os_family) ||
		!wsus_text_equal(a->os_description, b->os_description) ||
		!wsus_text_equal(a->make, b->make) ||
		!wsus_text_equal(a->model, b->model) ||
		!wsus_text_equal(a->bios_version, b->bios_version) ||
		!wsus_text_equal(a->bios_name, b->bios_name) ||
		!wsus_text_equal(a->client_version, b->client_version) ||
		!wsus_text_equal(a->target_groups, b->target_groups) ||
		!wsus_text_equal(a->requested_groups, b->requested_groups));
}

static bool times_equal(const struct bridge_wsus_computer *a,
			const struct bridge_wsus_computer *b)
{
	return a->last_sync == b->last_sync &&
	       a->last_reboot == b->last_reboot &&
	       a->last_status == b->last_status &&
	       a->last_inventory == b->last_inventory;
}

/* A report without details leaves those that are known. */
static struct bridge_wsus_computer merged(
	const struct bridge_wsus_computer *old,
	const struct bridge_wsus_computer *sent)
{
	struct bridge_wsus_computer now = *old;

	if (sent->has_details || !old->has_details) {
		return *sent;
	}
	now.id = sent->id;
	now.parent = sent->parent;
	now.last_sync = sent->last_sync;
	now.last_sync_result = sent->last_sync_result;
	now.last_reboot = sent->last_reboot;
	now.last_status = sent->last_status;
	now.last_inventory = sent->last_inventory;
	return now;
}

static everr_t put_computer(struct computer_job *job,
			    const struct wsus_computer_row *row)
{
	struct wsus_job *base = &job->part.job;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	err = wsus_computer_row_name(WSUS_ROW_COMPUTER, row->computer.id, name);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&data, base->turn, WSUS_ROW_MAX);
	wsus_computer_encode(&data, row);
	return wsus_job_state(base, name, &data);
}

static everr_t computer_insert(struct computer_job *job)
{
	const struct computer_item *item = job->item;
	struct wsus_computer_row row = {
		.computer = item->computer,
		/* 0, unless its row was damaged. */
		.rollup_number = item->entry->rollup_number,
		.detection = item->entry->detection,
	};
	everr_t err = EVERR_OK;

	row.untold = !row.computer.has_details;
	if (!row.untold) {
		err = bridge_wsus_computer(job->part.job.events,
					   &job->part.rollup->origin,
					   &row.computer, true);
	}
	return err == EVERR_OK ? put_computer(job, &row) : err;
}

/*
 * A computer without details is told of when these have come, so that whoever
 * reads the event learns what it is: the answer to this report asks for them.
 * Where they have not come until its next synchronization (or its first
 * status: wsus_rollup_status.c), it is told of without.
 */
static bool may_tell(const struct bridge_wsus_computer *old,
		     const struct bridge_wsus_computer *now)
{
	return now->has_details || now->last_sync > old->last_sync;
}

static everr_t computer_update(struct computer_job *job,
			       const struct wsus_computer_row *old)
{
	const struct bridge_wsus_computer *sent = &job->item->computer;
	struct wsus_computer_row row = *old;
	bool changed;
	everr_t err = EVERR_OK;

	row.computer = merged(&old->computer, sent);
	changed = computer_changed(&old->computer, &row.computer);
	if (!changed && times_equal(&old->computer, &row.computer)) {
		return EVERR_OK;
	}
	row.untold = old->untold && !may_tell(&old->computer, &row.computer);
	if (!row.untold && (changed || old->untold)) {
		err = bridge_wsus_computer(job->part.job.events,
					   &job->part.rollup->origin,
					   &row.computer, old->untold);
	}
	return err == EVERR_OK ? put_computer(job, &row) : err;
}

/*
 * By the rounding of a correction a time may be less than that of the call
 * before, as when details follow that were asked for.
 */
static bool is_older(const struct wsus_rollup *rollup,
		     const struct bridge_wsus_computer *sent,
		     const struct bridge_wsus_computer *known)
{
	uint64_t step = rollup->shift != 0 ? WSUS_CLOCK_STEP : 0;

	return sent->last_sync + step < known->last_sync;
}

static everr_t computer_prepare(struct wsus_job *base)
{
	struct computer_job *job = (struct computer_job *)base;
	struct computer_item *item = job->item;
	const struct bridge_wsus_computer *sent = &item->computer;
	struct wsus_computer_row old = {};
	everr_t err = EVERR_NOT_FOUND;

	if (item->entry->committed) {
		err = wsus_tables_computer_read(base->turn, base->wsus->tables,
						sent->id, &old);
	}
	if (err == EVERR_NOT_FOUND) {
		item->wants_details = !sent->has_details;
		return computer_insert(job);
	}
	if (err != EVERR_OK ||
	    is_older(job->part.rollup, sent, &old.computer)) {
		return err;
	}
	/*
	 * Also when the details never came: the answer that asked for them may
	 * have been lost.
	 */
	item->wants_details =
		!sent->has_details &&
		(!old.computer.has_details ||
		 !ev_guid_equal(&old.computer.parent, &sent->parent));
	return computer_update(job, &old);
}

static void computer_committed(struct wsus_job *base)
{
	struct computer_job *job = (struct computer_job *)base;

	job->part.changed = true;
	job->item->entry->committed = true;
	job->item->entry->parent = job->item->computer.parent;
}

static void computer_ended(struct wsus_rollup_job *base, everr_t err)
{
	struct computer_job *job = (struct computer_job *)base;

	wsus_tables_computer_tidy(base->job.wsus->tables, job->item->entry);
}

static void computer_start(struct wsus_rollup *rollup, size_t index)
{
	struct computer_call *state = (struct computer_call *)rollup;
	struct computer_item *item = state->items[index];
	struct computer_job *job = talloc_zero(rollup, struct computer_job);
	everr_t err = EVERR_NOMEM;

	if (job != NULL) {
		err = wsus_tables_computer_make(
			rollup->wsus->tables, item->computer.id, &item->entry);
	}
	if (err != EVERR_OK) {
		talloc_free(job);
		rollup->err = err;
		rollup->why = err == EVERR_LIMIT
				      ? "no more computers are kept; "
					"computers_max limits them"
				      : NULL;
		return;
	}
	job->item = item;
	job->part.job.prepare = computer_prepare;
	job->part.job.committed = computer_committed;
	job->part.ended = computer_ended;
	wsus_rollup_start(rollup, &job->part, &item->entry->lock, 0);
}

/* ---------------------------------------------------------------- call */

/* An id stands there once, however often it was sent. */
static void computers_answer(struct wsus_rollup *rollup)
{
	struct computer_call *state = (struct computer_call *)rollup;
	struct soap_call *call = rollup->call;
	uint32_t mark = ++rollup->wsus->tables->marks;
	struct soap_writer *out = NULL;
	size_t i;

	if (rollup->err != EVERR_OK) {
		wsus_rollup_error(rollup, rollup->err);
		return;
	}
	out = soap_answer_begin(call, 0);
	soap_open(out, "RollupComputersResult");
	for (i = 0; i < state->num_items; i++) {
		struct computer_item *item = state->items[i];

		if (!item->wants_details || item->entry->mark == mark) {
			continue;
		}
		item->entry->mark = mark;
		soap_open(out, "ChangedComputer");
		soap_attribute(out, "ComputerId", item->computer.id);
		soap_attribute(out, "Change", "NewParent");
		soap_close(out);
	}
	soap_close(out);
	wsus_rollup_answered(rollup);
	soap_answer(call);
}

static bool parents_known(const struct computer_call *state)
{
	const struct wsus_tables *tables = state->rollup.wsus->tables;
	const struct ev_guid *last = NULL;
	size_t i;

	for (i = 0; i < state->num_items; i++) {
		const struct ev_guid *parent =
			&state->items[i]->computer.parent;

		if (last != NULL && ev_guid_equal(parent, last)) {
			continue;
		}
		if (wsus_tables_server(tables, parent) == NULL) {
			return false;
		}
		last = parent;
	}
	return true;
}

static void computers_finish(struct soap_call *call)
{
	struct computer_call *state =
		wsus_rollup_of(call, struct computer_call, computers_answer);

	if (state == NULL) {
		return;
	}
	if (!state->rollup.wsus->config.detailed_rollup) {
		state->rollup.why = WSUS_NOT_DETAILED;
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "DoDetailedRollup");
		return;
	}
	if (soap_child(call->request, "computers") == NULL) {
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "computers");
		return;
	}
	if (!parents_known(state)) {
		wsus_rollup_fault(&state->rollup, "InternalServerError",
				  WSUS_PARENT_UNKNOWN);
		return;
	}
	wsus_rollup_each(&state->rollup, state->num_items, computer_start);
}

const struct soap_operation wsus_rollup_computers = {
	.name = "RollupComputers",
	.items = "computers/ComputerRollupInfo",
	.state_size = sizeof(struct computer_call *),
	.item = computers_item,
	.finish = computers_finish,
};
