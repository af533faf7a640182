/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_catalogue.h"
#include "soap/wsus_report.h"
#include "soap/wsus_states.h"

/* RollupComputerStatus, [MS-WSUSSS] 3.1.4.17. */

struct status_call {
	struct wsus_rollup rollup;
	struct ev_guid parent; /* parentServerId */
	size_t num_items;
	uint64_t computers; /* that something was new of */
	uint64_t changes;
	bool end_told;
};

/* One ComputerStatusRollupInfo. */
struct status_job {
	struct wsus_rollup_job part;
	struct wsus_computer_entry *entry;
	char *id;
	uint64_t detection;
	int32_t rollup_number;
	bool full;
	struct wsus_states sent;
	/* From the first turn on. */
	struct wsus_merge *merge;
	struct wsus_computer_row row;
	bool tells_new; /* in this commit */
	size_t told;	/* transitions that are on disk */
	size_t telling;
};

/* ------------------------------------------------------------- reading */

static size_t count_rows(const struct soap_node *node)
{
	size_t num = 0;

	for (; node != NULL; node = soap_next(node)) {
		num++;
	}
	return num;
}

static void read_row(struct wsus_fields *fields, const struct soap_node *node,
		     struct wsus_state *row)
{
	int32_t state;

	row->update = wsus_field_guid(fields, "UpdateId",
				      soap_text(node, "UpdateId"));
	row->changed = wsus_field_time(fields, "LastChangeTime",
				       soap_text(node, "LastChangeTime"));
	state = wsus_field_int(fields, "SummarizationState",
			       soap_text(node, "SummarizationState"));
	if ((state < 0 || state > UINT16_MAX) && fields->bad == NULL) {
		fields->bad = "SummarizationState";
	}
	row->state = (uint16_t)state;
}

static void read_rows(struct wsus_fields *fields, const struct soap_node *node,
		      struct wsus_states *states)
{
	size_t num;
	size_t i;

	node = soap_child(soap_child(node, "UpdateStatus"),
			  "ComputerStatusRollupUpdateStatus");
	num = count_rows(node);
	states->rows = talloc_array(fields->mem_ctx, struct wsus_state, num);
	if (states->rows == NULL) {
		fields->nomem = true;
		return;
	}
	for (i = 0; i < num && fields->bad == NULL; i++) {
		read_row(fields, node, &states->rows[i]);
		states->rows[i].order = (uint32_t)i;
		node = soap_next(node);
	}
	states->num = i;
	wsus_states_sort(states);
}

static void read_item(struct wsus_fields *fields, const struct soap_node *node,
		      struct status_job *job)
{
	job->detection =
		wsus_field_time(fields, "EffectiveLastDetectionTime",
				soap_text(node, "EffectiveLastDetectionTime"));
	job->rollup_number = wsus_field_int(fields, "RollupNumber",
					    soap_text(node, "RollupNumber"));
	job->full = wsus_field_bool(fields, "IsFullRollup",
				    soap_text(node, "IsFullRollup"));
	read_rows(fields, node, &job->sent);
}

/* ------------------------------------------------------------ applying */

static size_t states_max(const struct wsus *wsus)
{
	return wsus->config.statuses_max < WSUS_STATES_MAX
		       ? wsus->config.statuses_max
		       : WSUS_STATES_MAX;
}

/*
 * What is known of the computer's updates.  Damaged rows are as good as none,
 * until the next full rollup: the number -1, which no server sends, makes
 * GetOutOfSyncComputers ask for one.
 */
static everr_t known_states(struct status_job *job, struct wsus_states *states)
{
	struct wsus_job *base = &job->part.job;
	char name[WSUS_ROW_NAME_SIZE];
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = wsus_computer_row_name(WSUS_ROW_STATUS, job->id, name);
	if (err != EVERR_OK) {
		return err;
	}
	err = store_state_get(base->turn, base->wsus->store, name, &data, &len);
	if (err == EVERR_OK) {
		err = wsus_states_decode(base->turn, data, len, states);
		TALLOC_FREE(data);
	}
	if (err == EVERR_NOT_FOUND) {
		return EVERR_OK;
	}
	if (err == EVERR_STORE_CORRUPT || err == EVERR_STORE_VERSION) {
		base->wsus->tables->damaged++;
		job->rollup_number = job->full ? job->rollup_number : -1;
		return EVERR_OK;
	}
	return err;
}

/* Whom the events speak of; a damaged row leaves only who it is. */
static everr_t read_computer(struct status_job *job)
{
	everr_t err;

	err = wsus_tables_computer_read(job, job->part.job.wsus->tables,
					job->id, &job->row);
	if (err == EVERR_NOT_FOUND) {
		job->row.computer.id = job->id;
		job->row.computer.parent = job->entry->parent;
		job->row.rollup_number = job->entry->rollup_number;
		job->row.detection = job->entry->detection;
		err = EVERR_OK;
	}
	return err;
}

/* Its details have not come: wsus_rollup_computers.c. */
static everr_t add_new(struct status_job *job)
{
	job->tells_new = job->row.untold;
	job->row.untold = false;
	if (!job->tells_new) {
		return EVERR_OK;
	}
	return bridge_wsus_computer(job->part.job.events,
				    &job->part.rollup->origin,
				    &job->row.computer, true);
}

static bool nothing_new(const struct status_job *job)
{
	return !job->merge->changed &&
	       job->entry->rollup_number == job->rollup_number &&
	       job->entry->detection == job->detection;
}

static everr_t status_merge(struct status_job *job)
{
	const struct wsus *wsus = job->part.job.wsus;
	struct wsus_states known = {};
	everr_t err;

	err = known_states(job, &known);
	if (err != EVERR_OK) {
		return err;
	}
	err = wsus_states_merge(job, &known, &job->sent, job->full,
				states_max(wsus), &job->merge);
	if (err == EVERR_LIMIT) {
		job->part.rollup->why =
			"a computer has more updates than statuses_max "
			"allows";
	}
	return err;
}

static everr_t add_baseline(struct status_job *job)
{
	const struct wsus_states *states = &job->merge->result;
	uint32_t num[BRIDGE_WSUS_STATES] = {};
	uint32_t others = 0;
	size_t i;

	for (i = 0; i < states->num; i++) {
		if (states->rows[i].state < BRIDGE_WSUS_STATES) {
			num[states->rows[i].state]++;
		} else {
			others++;
		}
	}
	return bridge_wsus_baseline(job->part.job.events,
				    &job->part.rollup->origin,
				    &job->row.computer, job->rollup_number,
				    job->detection, num, others);
}

static everr_t add_transitions(struct status_job *job)
{
	const struct wsus_catalogue *catalogue = job->part.job.wsus->catalogue;
	const struct wsus_merge *merge = job->merge;
	everr_t err = EVERR_OK;

	job->telling = job->told;
	while (err == EVERR_OK && job->telling < merge->num_transitions &&
	       job->telling - job->told < WSUS_JOB_EVENTS) {
		const struct wsus_transition *transition =
			&merge->transitions[job->telling++];
		const struct wsus_state *row =
			&merge->result.rows[transition->at];

		err = bridge_wsus_update_state(
			job->part.job.events, &job->part.rollup->origin,
			&job->row.computer, &row->update,
			wsus_catalogue_title(catalogue, &row->update),
			transition->known ? transition->old.state : -1,
			row->state, row->changed);
	}
	job->part.job.more = job->telling < merge->num_transitions;
	return err;
}

static everr_t put_states(struct status_job *job)
{
	struct wsus_job *base = &job->part.job;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	err = wsus_computer_row_name(WSUS_ROW_STATUS, job->id, name);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&data, base->turn, WSUS_ROW_MAX);
	wsus_states_encode(&data, job->merge, job->telling);
	return wsus_job_state(base, name, &data);
}

/* The number goes with the last commit: then the rollup has been taken in. */
static everr_t put_computer(struct status_job *job)
{
	struct wsus_job *base = &job->part.job;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	err = wsus_computer_row_name(WSUS_ROW_COMPUTER, job->id, name);
	if (err != EVERR_OK) {
		return err;
	}
	if (!base->more) {
		job->row.rollup_number = job->rollup_number;
		job->row.detection = job->detection;
	}
	buf_init(&data, base->turn, WSUS_ROW_MAX);
	wsus_computer_encode(&data, &job->row);
	return wsus_job_state(base, name, &data);
}

static everr_t status_begin(struct status_job *job)
{
	everr_t err;

	err = status_merge(job);
	if (err != EVERR_OK || nothing_new(job)) {
		return err;
	}
	err = read_computer(job);
	if (err == EVERR_OK) {
		err = add_new(job);
	}
	if (err == EVERR_OK && job->merge->baseline) {
		err = add_baseline(job);
	}
	return err;
}

static everr_t status_prepare(struct wsus_job *base)
{
	struct status_job *job = (struct status_job *)base;
	everr_t err = EVERR_OK;

	if (job->merge == NULL) {
		err = status_begin(job);
		if (err != EVERR_OK || nothing_new(job)) {
			return err;
		}
	}
	err = add_transitions(job);
	if (err == EVERR_OK && job->merge->changed) {
		err = put_states(job);
	}
	if (err == EVERR_OK && (job->tells_new || !base->more)) {
		err = put_computer(job);
	}
	return err;
}

static void status_committed(struct wsus_job *base)
{
	struct status_job *job = (struct status_job *)base;
	struct status_call *state = (struct status_call *)job->part.rollup;
	struct wsus_tables *tables = base->wsus->tables;

	state->changes += job->telling - job->told;
	tables->transitions += job->telling - job->told;
	state->computers += !job->part.changed;
	job->part.changed = true;
	job->tells_new = false;
	job->told = job->telling;
	if (!base->more) {
		job->entry->rollup_number = job->rollup_number;
		job->entry->detection = job->detection;
	}
}

/* ----------------------------------------------------- end of a rollup */

/*
 * Nothing in the protocol says that a server has reported all it had.  It
 * sends its computers in calls of at most WSUS_BATCH_STATUS, so a call with
 * fewer is taken for the last one: where the server's own row says that it has
 * begun a report since the last end, which a stop of the service does not make
 * forgotten, or where something new was brought.
 */
struct end_job {
	struct wsus_rollup_job part;
	struct wsus_server_entry *server;
	uint64_t computers, changes;
};

static bool end_is_due(const struct wsus_server_entry *server)
{
	return server->computers > 0 || server->row->reporting;
}

static everr_t end_put_row(struct end_job *job)
{
	struct wsus_job *base = &job->part.job;
	struct wsus_server_row row = *job->server->row;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;

	row.reporting = false;
	buf_init(&data, base->turn, WSUS_ROW_MAX);
	wsus_server_encode(&data, &row);
	wsus_server_row_name(&job->server->id, name);
	return wsus_job_state(base, name, &data);
}

static everr_t end_prepare(struct wsus_job *base)
{
	struct end_job *job = (struct end_job *)base;
	struct wsus_server_entry *server = job->server;
	everr_t err;

	job->computers = server->computers;
	job->changes = server->changes;
	if (!end_is_due(server)) {
		return EVERR_OK;
	}
	err = bridge_wsus_sync_finished(base->events, &job->part.rollup->origin,
					&server->row->server, job->computers,
					job->changes);
	return err == EVERR_OK && server->row->reporting ? end_put_row(job)
							 : err;
}

static void end_committed(struct wsus_job *base)
{
	struct end_job *job = (struct end_job *)base;

	job->server->computers -= job->computers;
	job->server->changes -= job->changes;
	job->server->row->reporting = false;
}

/* Whether something is under way before the answer. */
static bool tell_end(struct status_call *state)
{
	struct wsus_rollup *rollup = &state->rollup;
	struct wsus_server_entry *server =
		wsus_tables_server(rollup->wsus->tables, &state->parent);
	struct end_job *job = NULL;

	if (state->end_told || server == NULL) {
		return false;
	}
	state->end_told = true;
	server->computers += state->computers;
	server->changes += state->changes;
	if (!end_is_due(server) || state->num_items == WSUS_BATCH_STATUS) {
		return false;
	}
	job = talloc_zero(rollup, struct end_job);
	if (job == NULL) {
		rollup->err = EVERR_NOMEM;
		return false;
	}
	job->server = server;
	job->part.job.prepare = end_prepare;
	job->part.job.committed = end_committed;
	wsus_rollup_start(rollup, &job->part, &server->lock, 0);
	return true;
}

/* ---------------------------------------------------------------- call */

static void status_answer(struct wsus_rollup *rollup)
{
	struct status_call *state = (struct status_call *)rollup;
	struct soap_call *call = rollup->call;
	struct soap_writer *out = NULL;
	bool busy;

	/* Facts 10.2: false is for "come again later, nothing was applied". */
	busy = rollup->err == EVERR_LIMIT && rollup->why == NULL &&
	       rollup->applied == 0;
	if (rollup->err == EVERR_OK) {
		bool waits = tell_end(state);

		if (waits) {
			return;
		}
	}
	if (rollup->err != EVERR_OK && !busy) {
		wsus_rollup_error(rollup, rollup->err);
		return;
	}
	wsus_rollup_answered(rollup);
	out = soap_answer_begin(call, 0);
	soap_put_bool(out, "RollupComputerStatusResult", !busy);
	soap_answer(call);
}

/* False: a fault was given. */
static bool status_allowed(struct status_call *state)
{
	struct wsus_rollup *rollup = &state->rollup;

	if (!rollup->wsus->config.detailed_rollup) {
		rollup->why = WSUS_NOT_DETAILED;
		wsus_rollup_fault(rollup, "InvalidParameters",
				  "DoDetailedRollup");
		return false;
	}
	/* What failed is told as soon as can be. */
	if (rollup->err != EVERR_OK && rollup->applied > 0) {
		wsus_rollup_error(rollup, rollup->err);
		return false;
	}
	if (state->num_items > WSUS_BATCH_STATUS) {
		wsus_rollup_fault(rollup, "InvalidParameters", "computers");
		return false;
	}
	return true;
}

static void status_item(struct soap_call *call, const struct soap_node *item)
{
	struct status_call *state =
		wsus_rollup_of(call, struct status_call, status_answer);
	const char *id = soap_text(item, "ComputerId");
	struct wsus_computer_entry *entry = NULL;
	struct wsus_fields fields = {};
	struct status_job *job = NULL;

	if (state == NULL) {
		return;
	}
	state->num_items++;
	if (!status_allowed(state) || state->rollup.err != EVERR_OK) {
		return;
	}
	/* An unknown computer is passed over. */
	entry = id != NULL
			? wsus_tables_computer(state->rollup.wsus->tables, id)
			: NULL;
	if (entry == NULL) {
		return;
	}
	job = talloc_zero(state, struct status_job);
	if (job == NULL) {
		wsus_rollup_error(&state->rollup, EVERR_NOMEM);
		return;
	}
	fields.mem_ctx = job;
	fields.shift = state->rollup.shift;
	job->entry = entry;
	job->id = talloc_strdup(job, id);
	fields.nomem = job->id == NULL;
	read_item(&fields, item, job);
	if (wsus_fields_fault(&fields, &state->rollup)) {
		return;
	}
	state->rollup.wsus->tables->rows += job->sent.num;
	job->part.job.prepare = status_prepare;
	job->part.job.committed = status_committed;
	wsus_rollup_start(&state->rollup, &job->part, &entry->lock,
			  job->sent.num * sizeof(*job->sent.rows));
}

static void status_finish(struct soap_call *call)
{
	struct status_call *state =
		wsus_rollup_of(call, struct status_call, status_answer);
	const char *parent = soap_text(call->request, "parentServerId");
	everr_t err;

	if (state == NULL || !status_allowed(state)) {
		return;
	}
	if (soap_child(call->request, "computers") == NULL) {
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "computers");
		return;
	}
	err = soap_get_guid(parent, &state->parent);
	if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
		wsus_rollup_fault(&state->rollup, "InvalidParameters",
				  "parentServerId");
		return;
	}
	wsus_rollup_complete(&state->rollup);
}

const struct soap_operation wsus_rollup_status = {
	.name = "RollupComputerStatus",
	.items = "computers/ComputerStatusRollupInfo",
	.state_size = sizeof(struct status_call *),
	.item = status_item,
	.finish = status_finish,
};
