/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/metrics.h"
#include "soap/wsus_report.h"

/* ------------------------------------------------------------- servers */

static struct wsus_server_entry *server_find(const struct wsus_tables *tables,
					     const struct ev_guid *id)
{
	uint64_t hash = wsus_hash_of(&tables->servers, id, sizeof(*id));
	struct wsus_link *link = wsus_hash_first(&tables->servers, hash);

	for (; link != NULL; link = wsus_hash_next(link)) {
		struct wsus_server_entry *entry =
			(struct wsus_server_entry *)link;

		if (ev_guid_equal(&entry->id, id)) {
			return entry;
		}
	}
	return NULL;
}

struct wsus_server_entry *wsus_tables_server(const struct wsus_tables *tables,
					     const struct ev_guid *id)
{
	struct wsus_server_entry *entry = server_find(tables, id);

	return entry != NULL && entry->row != NULL ? entry : NULL;
}

everr_t wsus_tables_server_make(struct wsus_tables *tables,
				const struct ev_guid *id,
				struct wsus_server_entry **ret_entry)
{
	struct wsus_server_entry *entry = server_find(tables, id);

	if (entry == NULL) {
		if (tables->servers.num >= tables->wsus->config.servers_max) {
			return EVERR_LIMIT;
		}
		entry = talloc_zero(tables, struct wsus_server_entry);
		if (entry == NULL) {
			return EVERR_NOMEM;
		}
		entry->id = *id;
		entry->link.hash =
			wsus_hash_of(&tables->servers, id, sizeof(*id));
		wsus_hash_add(&tables->servers, &entry->link);
	}
	*ret_entry = entry;
	return EVERR_OK;
}

void wsus_tables_server_tidy(struct wsus_tables *tables,
			     struct wsus_server_entry *entry)
{
	if (entry->row == NULL && entry->lock.owner == NULL) {
		wsus_hash_remove(&tables->servers, &entry->link);
		talloc_free(entry);
	}
}

const char *wsus_tables_server_name(const struct wsus_tables *tables,
				    const struct ev_guid *id)
{
	struct wsus_server_entry *entry = wsus_tables_server(tables, id);

	return entry != NULL ? entry->row->server.name : NULL;
}

/* ----------------------------------------------------------- hierarchy */

/*
 * Whether the walk knows of the server already, or can tell: it is the one
 * asked for, or has no parent here.
 */
static bool walk_ends(struct wsus_server_entry *entry, uint32_t walk,
		      const struct ev_guid *id)
{
	if (entry->walk == walk) {
		return true;
	}
	entry->walk = walk;
	entry->below = ev_guid_equal(&entry->id, id);
	return entry->below;
}

/*
 * Up from one server to where it is known, then again to tell those in
 * between: each server is walked over twice at most.  A circle of parents, as
 * hostile senders may report, ends where it is met again, not below.
 */
static void walk_up(struct wsus_tables *tables, struct wsus_server_entry *from,
		    uint32_t walk, const struct ev_guid *id)
{
	struct wsus_server_entry *entry = from;
	bool below;

	while (entry != NULL && !walk_ends(entry, walk, id)) {
		entry = wsus_tables_server(tables, &entry->row->server.parent);
	}
	below = entry != NULL && entry->below;
	while (below && from != entry) {
		from->below = true;
		from = wsus_tables_server(tables, &from->row->server.parent);
	}
}

uint32_t wsus_tables_descendants(struct wsus_tables *tables,
				 const struct ev_guid *id)
{
	uint32_t walk = ++tables->walks;
	size_t i;

	for (i = 0; i < tables->servers.num_buckets; i++) {
		struct wsus_link *link = tables->servers.buckets[i];

		for (; link != NULL; link = link->next) {
			struct wsus_server_entry *entry =
				(struct wsus_server_entry *)link;

			if (entry->row != NULL) {
				walk_up(tables, entry, walk, id);
			}
		}
	}
	return walk;
}

/* ----------------------------------------------------------- computers */

/* Its length, or 0: it can't be an id. */
static size_t fold_id(const char *id, char lower[WSUS_COMPUTER_ID_MAX + 1])
{
	size_t i;

	for (i = 0; id[i] != '\0'; i++) {
		if (i == WSUS_COMPUTER_ID_MAX) {
			return 0;
		}
		lower[i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] | 0x20)
							: id[i];
	}
	lower[i] = '\0';
	return i;
}

static struct wsus_computer_entry *computer_find(
	const struct wsus_tables *tables, const char *lower, size_t len,
	uint64_t hash)
{
	struct wsus_link *link = wsus_hash_first(&tables->computers, hash);

	for (; link != NULL; link = wsus_hash_next(link)) {
		struct wsus_computer_entry *entry =
			(struct wsus_computer_entry *)link;

		if (entry->id_len == len &&
		    memcmp(entry->id, lower, len) == 0) {
			return entry;
		}
	}
	return NULL;
}

struct wsus_computer_entry *wsus_tables_computer(
	const struct wsus_tables *tables, const char *id)
{
	char lower[WSUS_COMPUTER_ID_MAX + 1];
	size_t len = fold_id(id, lower);
	struct wsus_computer_entry *entry = NULL;

	if (len == 0) {
		return NULL;
	}
	entry = computer_find(tables, lower, len,
			      wsus_hash_of(&tables->computers, lower, len));
	return entry != NULL && entry->committed ? entry : NULL;
}

static everr_t computer_add(struct wsus_tables *tables, const char *lower,
			    size_t len, uint64_t hash,
			    struct wsus_computer_entry **ret_entry)
{
	struct wsus_computer_entry *entry = NULL;

	if (tables->computers.num >= tables->wsus->config.computers_max) {
		return EVERR_LIMIT;
	}
	entry = talloc_zero_size(tables, sizeof(*entry) + len + 1);
	if (entry == NULL) {
		return EVERR_NOMEM;
	}
	memcpy(entry->id, lower, len + 1);
	entry->id_len = (uint16_t)len;
	entry->link.hash = hash;
	wsus_hash_add(&tables->computers, &entry->link);
	*ret_entry = entry;
	return EVERR_OK;
}

everr_t wsus_tables_computer_make(struct wsus_tables *tables, const char *id,
				  struct wsus_computer_entry **ret_entry)
{
	char lower[WSUS_COMPUTER_ID_MAX + 1];
	size_t len = fold_id(id, lower);
	struct wsus_computer_entry *entry = NULL;
	uint64_t hash;

	if (len == 0) {
		return EVERR_LIMIT;
	}
	hash = wsus_hash_of(&tables->computers, lower, len);
	entry = computer_find(tables, lower, len, hash);
	if (entry == NULL) {
		return computer_add(tables, lower, len, hash, ret_entry);
	}
	*ret_entry = entry;
	return EVERR_OK;
}

void wsus_tables_computer_tidy(struct wsus_tables *tables,
			       struct wsus_computer_entry *entry)
{
	if (!entry->committed && entry->lock.owner == NULL) {
		wsus_hash_remove(&tables->computers, &entry->link);
		talloc_free(entry);
	}
}

everr_t wsus_tables_computer_read(TALLOC_CTX *mem_ctx,
				  struct wsus_tables *tables, const char *id,
				  struct wsus_computer_row *ret_row)
{
	char name[WSUS_ROW_NAME_SIZE];
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = wsus_computer_row_name(WSUS_ROW_COMPUTER, id, name);
	if (err != EVERR_OK) {
		return err;
	}
	err = store_state_get(mem_ctx, tables->wsus->store, name, &data, &len);
	if (err == EVERR_OK) {
		err = wsus_computer_decode(mem_ctx, data, len, ret_row);
		TALLOC_FREE(data);
	}
	if (err == EVERR_STORE_CORRUPT || err == EVERR_STORE_VERSION) {
		tables->damaged++;
		return EVERR_NOT_FOUND;
	}
	return err;
}

/* ------------------------------------------------------------- loading */

struct table_load {
	struct wsus_tables *tables;
	everr_t (*row)(struct table_load *load, const char *name,
		       const uint8_t *data, size_t len);
	char *first_bad; /* child of the tables */
	size_t num_bad;
};

static everr_t load_server(struct table_load *load, const char *name,
			   const uint8_t *data, size_t len)
{
	struct wsus_tables *tables = load->tables;
	struct wsus_server_entry *entry = NULL;
	struct wsus_server_row *row = NULL;
	struct ev_guid id;
	everr_t err;

	err = ev_guid_parse(name + strlen(WSUS_ROW_SERVER), &id);
	if (err != EVERR_OK) {
		return EVERR_STORE_CORRUPT;
	}
	err = wsus_tables_server_make(tables, &id, &entry);
	if (err != EVERR_OK) {
		return err;
	}
	row = talloc_zero(entry, struct wsus_server_row);
	if (row == NULL) {
		return EVERR_NOMEM;
	}
	err = wsus_server_decode(row, &id, data, len, row);
	if (err != EVERR_OK) {
		TALLOC_FREE(row);
		wsus_tables_server_tidy(tables, entry);
		return err;
	}
	entry->row = row;
	return EVERR_OK;
}

static everr_t load_computer(struct table_load *load, const char *name,
			     const uint8_t *data, size_t len)
{
	struct wsus_tables *tables = load->tables;
	struct wsus_computer_entry *entry = NULL;
	struct wsus_computer_row row = {};
	char own_name[WSUS_ROW_NAME_SIZE];
	TALLOC_CTX *frame = talloc_new(tables);
	everr_t err;

	err = wsus_computer_decode(frame, data, len, &row);
	if (err == EVERR_OK) {
		err = wsus_computer_row_name(WSUS_ROW_COMPUTER, row.computer.id,
					     own_name);
	}
	if (err == EVERR_OK && strcmp(own_name, name) != 0) {
		err = EVERR_STORE_CORRUPT;
	}
	if (err == EVERR_OK) {
		err = wsus_tables_computer_make(tables, row.computer.id,
						&entry);
	}
	TALLOC_FREE(frame);
	if (err != EVERR_OK) {
		return err;
	}
	entry->committed = true;
	entry->rollup_number = row.rollup_number;
	entry->detection = row.detection;
	entry->parent = row.computer.parent;
	return EVERR_OK;
}

/* EVERR_OK: it was told, loading goes on. */
static everr_t load_bad(struct table_load *load, const char *name, everr_t err)
{
	load->num_bad++;
	load->tables->damaged++;
	if (load->first_bad != NULL) {
		return EVERR_OK;
	}
	load->first_bad =
		talloc_asprintf(load->tables, "%s (%s)", name, everr_text(err));
	return load->first_bad != NULL ? EVERR_OK : EVERR_NOMEM;
}

/* Whether the row is to blame, and not this machine. */
static bool row_is_bad(everr_t err)
{
	return err == EVERR_STORE_CORRUPT || err == EVERR_STORE_VERSION ||
	       err == EVERR_LIMIT;
}

static everr_t load_table(struct table_load *load, const char *prefix)
{
	TALLOC_CTX *frame = talloc_new(load->tables);
	char *after = talloc_strdup(frame, "");
	everr_t err = EVERR_OK;

	while (err == EVERR_OK) {
		char *name = NULL;
		uint8_t *data = NULL;
		size_t len = 0;

		err = store_state_next(frame, load->tables->wsus->store, prefix,
				       after, &name, &data, &len);
		if (err == EVERR_OK) {
			err = load->row(load, name, data, len);
			TALLOC_FREE(data);
		}
		if (row_is_bad(err)) {
			err = load_bad(load, name, err);
		}
		talloc_free(after);
		after = name;
	}
	TALLOC_FREE(frame);
	return err == EVERR_END ? EVERR_OK : err;
}

static char *load_message(TALLOC_CTX *mem_ctx, const struct table_load *load)
{
	if (load->num_bad == 0) {
		return NULL;
	}
	return talloc_asprintf(
		mem_ctx,
		"%zu rows of WSUS reporting can't be used and are passed "
		"over until they are reported again; the first is %s",
		load->num_bad, load->first_bad);
}

everr_t wsus_tables_load(TALLOC_CTX *mem_ctx, struct wsus *wsus,
			 struct wsus_tables **ret_tables, char **ret_message)
{
	struct wsus_tables *tables = talloc_zero(mem_ctx, struct wsus_tables);
	struct table_load load = {.tables = tables};
	everr_t err;

	if (tables == NULL) {
		return EVERR_NOMEM;
	}
	tables->wsus = wsus;
	err = wsus_hash_init(tables, &tables->servers);
	if (err == EVERR_OK) {
		err = wsus_hash_init(tables, &tables->computers);
	}
	if (err == EVERR_OK) {
		load.row = load_server;
		err = load_table(&load, WSUS_ROW_SERVER);
	}
	if (err == EVERR_OK) {
		load.row = load_computer;
		err = load_table(&load, WSUS_ROW_COMPUTER);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(tables);
		return err;
	}
	*ret_message = load_message(mem_ctx, &load);
	*ret_tables = tables;
	return EVERR_OK;
}

/* ------------------------------------------------------ first contact */

struct contact_job {
	struct wsus_job job;
	struct wsus_server_entry *entry;
	struct bridge_origin origin; /* strings are children */
	char *name;
	struct wsus_server_row *row; /* becomes the entry's */
	struct tevent_req *req;	     /* NULL: nobody waits */
};

struct contact_state {
	struct contact_job *job;
	bool is_new;
};

static int contact_state_destructor(struct contact_state *state)
{
	if (state->job != NULL) {
		state->job->req = NULL;
	}
	return 0;
}

static everr_t contact_row(struct contact_job *contact)
{
	struct wsus_server_row *row = NULL;

	row = talloc_zero(contact, struct wsus_server_row);
	if (row == NULL) {
		return EVERR_NOMEM;
	}
	row->server.id = contact->entry->id;
	row->server.parent = contact->job.wsus->server_id;
	row->server.name = talloc_steal(row, contact->name);
	row->first_seen = contact->origin.received;
	contact->row = row;
	return EVERR_OK;
}

static everr_t contact_prepare(struct wsus_job *job)
{
	struct contact_job *contact = (struct contact_job *)job;
	char name[WSUS_ROW_NAME_SIZE];
	struct buf data;
	everr_t err;

	/* Another contact may have made it while this one waited. */
	if (contact->entry->row != NULL) {
		return EVERR_OK;
	}
	err = contact_row(contact);
	if (err != EVERR_OK) {
		return err;
	}
	err = bridge_wsus_server_seen(job->events, &contact->origin,
				      &contact->row->server);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&data, job->turn, WSUS_ROW_MAX);
	wsus_server_encode(&data, contact->row);
	wsus_server_row_name(&contact->entry->id, name);
	return wsus_job_state(job, name, &data);
}

static void contact_committed(struct wsus_job *job)
{
	struct contact_job *contact = (struct contact_job *)job;

	contact->entry->row = talloc_steal(contact->entry, contact->row);
}

static void contact_done(struct wsus_job *job, everr_t err)
{
	struct contact_job *contact = (struct contact_job *)job;
	struct contact_state *state = NULL;

	wsus_tables_server_tidy(job->wsus->tables, contact->entry);
	if (contact->req == NULL) {
		return;
	}
	state = tevent_req_data(contact->req, struct contact_state);
	state->job = NULL;
	if (err != EVERR_OK) {
		tevent_req_error(contact->req, err);
		return;
	}
	state->is_new = contact->row != NULL;
	tevent_req_done(contact->req);
}

/* EVERR_OK: the job tells req. */
static everr_t contact_start(struct tevent_req *req,
			     struct contact_state *state, struct wsus *wsus,
			     const struct bridge_origin *origin,
			     const struct ev_guid *id, const char *name)
{
	struct contact_job *contact = NULL;
	everr_t err;

	contact = talloc_zero(wsus->tables, struct contact_job);
	if (contact == NULL) {
		return EVERR_NOMEM;
	}
	err = wsus_tables_server_make(wsus->tables, id, &contact->entry);
	if (err != EVERR_OK) {
		TALLOC_FREE(contact);
		return err;
	}
	contact->job.wsus = wsus;
	contact->job.lock = &contact->entry->lock;
	contact->job.prepare = contact_prepare;
	contact->job.committed = contact_committed;
	contact->job.done = contact_done;
	contact->name = talloc_strdup(contact, name != NULL ? name : "");
	contact->req = req;
	err = wsus_origin_copy(contact, origin, &contact->origin);
	if (err == EVERR_OK && contact->name == NULL) {
		err = EVERR_NOMEM;
	}
	if (err == EVERR_OK) {
		state->job = contact;
		talloc_set_destructor(state, contact_state_destructor);
		err = wsus_job_start(&contact->job);
	}
	if (err != EVERR_OK) {
		state->job = NULL;
		wsus_tables_server_tidy(wsus->tables, contact->entry);
		TALLOC_FREE(contact);
	}
	return err;
}

struct tevent_req *wsus_tables_contact_send(TALLOC_CTX *mem_ctx,
					    struct wsus *wsus,
					    const struct bridge_origin *origin,
					    const struct ev_guid *id,
					    const char *name)
{
	struct contact_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err = EVERR_OK;

	req = tevent_req_create(mem_ctx, &state, struct contact_state);
	if (req == NULL) {
		return NULL;
	}
	/* Some clients name themselves by zeros, facts 4: no row for these. */
	if (ev_guid_is_zero(id) || wsus_tables_server(wsus->tables, id)) {
		tevent_req_done(req);
		return tevent_req_post(req, wsus->ev);
	}
	tevent_req_defer_callback(req, wsus->ev);
	err = contact_start(req, state, wsus, origin, id, name);
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
	}
	return req;
}

everr_t wsus_tables_contact_recv(struct tevent_req *req, bool *ret_new)
{
	struct contact_state *state =
		tevent_req_data(req, struct contact_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (tevent_req_is_error(req, &req_state, &error)) {
		tevent_req_received(req);
		return req_state == TEVENT_REQ_USER_ERROR ? (everr_t)error
							  : EVERR_NOMEM;
	}
	*ret_new = state->is_new;
	tevent_req_received(req);
	return EVERR_OK;
}

/* ------------------------------------------------------------- metrics */

void wsus_tables_metrics(const struct wsus_tables *tables, struct buf *out)
{
	metrics_number(out, "evenlog_wsus_servers", METRICS_GAUGE,
		       "Downstream servers that are known.",
		       tables->servers.num);
	metrics_number(out, "evenlog_wsus_computers", METRICS_GAUGE,
		       "Computers that are known.", tables->computers.num);
	metrics_number(out, "evenlog_wsus_status_rows_total", METRICS_COUNTER,
		       "Update states that were reported.", tables->rows);
	metrics_number(out, "evenlog_wsus_transitions_total", METRICS_COUNTER,
		       "Update states that were reported as changed.",
		       tables->transitions);
	metrics_number(out, "evenlog_wsus_damaged_rows_total", METRICS_COUNTER,
		       "Rows of the tables that could not be read.",
		       tables->damaged);
}
