/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/internal.h"

/*
 * The loop's account of templates.
 *
 * The dictionary lives in the loop and gives out numbers; definitions are put
 * on disk by the first append that uses them, and every append carries them
 * until one is known to be on disk, so that none is lost with a batch that
 * fails.
 *
 * Removal goes the other way round and needs both sides.  The writer counts
 * users and names a template that has none at the end of a commit.  By then an
 * append may be queued that relies on its definition, so only the loop can
 * tell: when nothing on its way uses it, and nothing has been committed since
 * that does, the dictionary forgets the number, and the writer is sent to
 * remove the definition.  From then on the same definition would get a new
 * number.  A collection that never happens, because of a crash, is made up
 * for at the next opening.
 */

static struct store_tmpl *tmpl_of(struct store *store,
				  struct event_template *template)
{
	struct store_tmpl *tmpl = template->user;

	if (tmpl == NULL) {
		tmpl = talloc_zero(store, struct store_tmpl);
		if (tmpl != NULL) {
			tmpl->no = template->no;
			template->user = tmpl;
		}
	}
	return tmpl;
}

/* Add a definition read from disk to the dictionary. */
static everr_t load_value(struct store *store, uint32_t no,
			  const MDB_val *value)
{
	struct event_template *template = NULL;
	struct store_tmpl *tmpl = NULL;
	const uint8_t *def = NULL;
	struct ev_guid guid;
	size_t len = 0;
	everr_t err;

	err = store_template_get(value->mv_data, value->mv_size, no, &guid,
				 &def, &len);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_dict_load(store->dict, no, &guid, def, len, &template);
	if (err != EVERR_OK) {
		return err;
	}
	tmpl = tmpl_of(store, template);
	if (tmpl == NULL) {
		return EVERR_NOMEM;
	}
	tmpl->persisted = true;
	return EVERR_OK;
}

/* The dictionary asks for a number: another process has written it. */
static everr_t loader(struct event_dict *dict, uint32_t no, void *private_data)
{
	struct store *store = private_data;
	uint8_t key[STORE_KEY_U32_SIZE];
	struct store_snapshot *snapshot = NULL;
	MDB_val value;
	everr_t err;
	int rc;

	err = store_snapshot_begin(store, &snapshot);
	if (err != EVERR_OK) {
		return err;
	}
	store_key_u32(key, no);
	rc = store_env_get(snapshot->txn, store->env.tables.templates, key,
			   sizeof(key), &value);
	err = rc == 0 ? load_value(store, no, &value) : store_env_error(rc);
	store_snapshot_end(snapshot);
	return err;
}

everr_t store_template_init(struct store *store, uint32_t next_no)
{
	store->dict = event_dict_create(store, NULL);
	if (store->dict == NULL) {
		return EVERR_NOMEM;
	}
	store->packer = event_packer_create(store, store->dict);
	if (store->packer == NULL) {
		return EVERR_NOMEM;
	}
	event_dict_set_next_no(store->dict, next_no);
	event_dict_set_loader(store->dict, loader, store);
	return EVERR_OK;
}

everr_t store_template_load(struct store *store, MDB_txn *txn)
{
	MDB_cursor *cursor = NULL;
	MDB_val key;
	MDB_val value;
	everr_t err = EVERR_OK;
	int rc;

	rc = mdb_cursor_open(txn, store->env.tables.templates, &cursor);
	if (rc != 0) {
		return store_env_error(rc);
	}
	while (err != EVERR_NOMEM &&
	       (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (key.mv_size != STORE_KEY_U32_SIZE) {
			continue;
		}
		/* Damage is found by who reads a record that needs it. */
		err = load_value(store, store_key_u32_get(key.mv_data), &value);
	}
	mdb_cursor_close(cursor);
	if (err == EVERR_NOMEM) {
		return err;
	}
	return rc == MDB_NOTFOUND ? EVERR_OK : store_env_error(rc);
}

everr_t store_template_pin(struct store *store, struct store_job *job,
			   const struct event_packed *event)
{
	struct store_tmpl *tmpl = NULL;
	everr_t err;
	size_t i;

	for (i = 0; i < event->num_templates; i++) {
		tmpl = tmpl_of(store, event->templates[i]);
		if (tmpl == NULL) {
			return EVERR_NOMEM;
		}
		if (tmpl->job == store->jobs) {
			continue;
		}
		err = store_job_add_template(job, event->templates[i]);
		if (err != EVERR_OK) {
			return err;
		}
		tmpl->job = store->jobs;
		tmpl->pending++;
		if (tmpl->persisted) {
			continue;
		}
		err = store_job_add_def(job, event->templates[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static void unused_add(struct store *store, struct store_tmpl *tmpl)
{
	if (!tmpl->in_unused) {
		tmpl->in_unused = true;
		tmpl->unused_next = store->unused;
		store->unused = tmpl;
	}
}

void store_template_unpin(struct store *store, struct store_job *job)
{
	struct store_tmpl *tmpl = NULL;
	size_t i;

	for (i = 0; i < job->num_templates; i++) {
		tmpl = job->templates[i]->user;
		tmpl->pending--;
		if (job->err == EVERR_OK) {
			tmpl->persisted = true;
			tmpl->used = job->txn;
		}
		/* Never on disk, or named by the writer while we used it. */
		if (tmpl->pending == 0 &&
		    (!tmpl->persisted || tmpl->unused > tmpl->used)) {
			unused_add(store, tmpl);
		}
	}
}

void store_template_unused(struct store *store,
			   const struct store_unused *unused, size_t num)
{
	struct event_template *template = NULL;
	struct store_tmpl *tmpl = NULL;
	everr_t err;
	size_t i;

	for (i = 0; i < num; i++) {
		err = event_dict_get(store->dict, unused[i].no, &template);
		if (err != EVERR_OK) {
			continue;
		}
		tmpl = template->user;
		if (tmpl == NULL) {
			continue;
		}
		tmpl->unused = unused[i].txn;
		if (tmpl->pending == 0) {
			unused_add(store, tmpl);
		}
	}
}

/* Whether it may go; it may have been used again since it was listed. */
static bool is_free(const struct store_tmpl *tmpl)
{
	return tmpl->pending == 0 &&
	       (!tmpl->persisted || tmpl->unused > tmpl->used);
}

void store_template_collect(struct store *store)
{
	struct store_tmpl *tmpl = NULL;
	struct store_job *job = NULL;

	/* A reader may hold a record that was trimmed since. */
	if (store->unused == NULL || store->num_active > 0) {
		return;
	}
	job = store_job_new(STORE_JOB_COLLECT, NULL);
	if (job == NULL) {
		return;
	}
	while (store->unused != NULL) {
		tmpl = store->unused;
		if (is_free(tmpl) && tmpl->persisted &&
		    store_job_add_no(job, tmpl->no) != EVERR_OK) {
			break;
		}
		store->unused = tmpl->unused_next;
		tmpl->in_unused = false;
		if (is_free(tmpl)) {
			event_dict_forget(store->dict, tmpl->no);
			TALLOC_FREE(tmpl);
		}
	}
	if (job->num_nos == 0) {
		store_job_free(job);
		return;
	}
	store_queue_push(&store->writer->queue, job);
}
