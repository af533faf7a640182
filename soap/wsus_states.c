/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_states.h"

#include "bridge/wsus.h"

#include <stdlib.h>

#define STATES_MAGIC 0x55575645u /* "EVWU" */
#define STATES_VERSION 1
#define STATES_BASELINE 0x0001
#define STATES_HEAD 12

/* -------------------------------------------------------------- sorting */

static int update_cmp(const struct wsus_state *a, const struct wsus_state *b)
{
	return memcmp(&a->update, &b->update, sizeof(a->update));
}

static int sent_cmp(const void *a, const void *b)
{
	const struct wsus_state *x = a, *y = b;
	int c = update_cmp(x, y);

	if (c != 0) {
		return c;
	}
	return x->order < y->order ? -1 : 1;
}

/* Senders often keep the order; it costs less to look than to sort. */
static bool is_sorted(const struct wsus_states *states)
{
	size_t i;

	for (i = 1; i < states->num; i++) {
		if (update_cmp(&states->rows[i - 1], &states->rows[i]) >= 0) {
			return false;
		}
	}
	return true;
}

void wsus_states_sort(struct wsus_states *states)
{
	struct wsus_state *rows = states->rows;
	size_t num = 0;
	size_t i;

	if (is_sorted(states)) {
		return;
	}
	qsort(rows, states->num, sizeof(*rows), sent_cmp);
	for (i = 1; i < states->num; i++) {
		if (update_cmp(&rows[num], &rows[i]) != 0) {
			num++;
			rows[num] = rows[i];
		} else if (rows[i].changed >= rows[num].changed) {
			rows[num] = rows[i];
		}
	}
	states->num = num + 1;
}

/* -------------------------------------------------------------- merging */

static bool worth_telling(uint16_t state)
{
	return state != BRIDGE_WSUS_NOT_APPLICABLE &&
	       state != BRIDGE_WSUS_UNKNOWN;
}

static void add_row(struct wsus_merge *merge, const struct wsus_state *row)
{
	merge->result.rows[merge->result.num++] = *row;
}

static void add_new(struct wsus_merge *merge, const struct wsus_state *row)
{
	merge->changed = true;
	if (!merge->baseline && worth_telling(row->state)) {
		merge->transitions[merge->num_transitions++] =
			(struct wsus_transition){.at = merge->result.num};
	}
	add_row(merge, row);
}

static void add_known(struct wsus_merge *merge, const struct wsus_state *old,
		      const struct wsus_state *row, bool full)
{
	if (!full && old->changed > row->changed) {
		add_row(merge, old);
		return;
	}
	if (old->state != row->state) {
		merge->transitions[merge->num_transitions++] =
			(struct wsus_transition){
				.at = merge->result.num,
				.known = true,
				.old = *old,
			};
	}
	merge->changed = merge->changed || old->state != row->state ||
			 old->changed != row->changed;
	add_row(merge, row);
}

/* A full rollup that does not speak of an update deletes it. */
static void add_old(struct wsus_merge *merge, const struct wsus_state *old,
		    bool full)
{
	if (full) {
		merge->changed = true;
	} else {
		add_row(merge, old);
	}
}

static void merge_rows(struct wsus_merge *merge, const struct wsus_states *old,
		       const struct wsus_states *sent, bool full)
{
	size_t i = 0, j = 0;

	while (i < old->num && j < sent->num) {
		int c = update_cmp(&old->rows[i], &sent->rows[j]);

		if (c < 0) {
			add_old(merge, &old->rows[i++], full);
		} else if (c > 0) {
			add_new(merge, &sent->rows[j++]);
		} else {
			add_known(merge, &old->rows[i++], &sent->rows[j++],
				  full);
		}
	}
	while (i < old->num) {
		add_old(merge, &old->rows[i++], full);
	}
	while (j < sent->num) {
		add_new(merge, &sent->rows[j++]);
	}
}

everr_t wsus_states_merge(TALLOC_CTX *mem_ctx, const struct wsus_states *old,
			  const struct wsus_states *sent, bool full, size_t max,
			  struct wsus_merge **ret_merge)
{
	struct wsus_merge *merge = talloc_zero(mem_ctx, struct wsus_merge);

	if (merge == NULL) {
		return EVERR_NOMEM;
	}
	merge->baseline = full && !old->baseline;
	merge->changed = merge->baseline;
	merge->result.baseline = old->baseline || full;
	merge->result.rows =
		talloc_array(merge, struct wsus_state, old->num + sent->num);
	merge->transitions =
		talloc_array(merge, struct wsus_transition, sent->num);
	if (merge->result.rows == NULL || merge->transitions == NULL) {
		talloc_free(merge);
		return EVERR_NOMEM;
	}
	merge_rows(merge, old, sent, full);
	if (merge->result.num > max) {
		talloc_free(merge);
		return EVERR_LIMIT;
	}
	*ret_merge = merge;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- bytes */

static uint8_t *put_state(uint8_t *p, const struct wsus_state *row)
{
	memcpy(p, row->update.b, 16);
	le16_set(p + 16, row->state);
	le64_set(p + 18, row->changed);
	return p + WSUS_STATE_SIZE;
}

void wsus_states_encode(struct buf *out, const struct wsus_merge *merge,
			size_t num)
{
	const struct wsus_states *result = &merge->result;
	const struct wsus_transition *next = merge->transitions + num;
	const struct wsus_transition *end =
		merge->transitions + merge->num_transitions;
	size_t start = out->len;
	uint8_t *p = NULL;
	size_t i;

	p = buf_extend(out, STATES_HEAD + result->num * WSUS_STATE_SIZE);
	if (p == NULL) {
		return;
	}
	le32_set(p, STATES_MAGIC);
	le16_set(p + 4, STATES_VERSION);
	le16_set(p + 6, result->baseline ? STATES_BASELINE : 0);
	p += STATES_HEAD;
	for (i = 0; i < result->num; i++) {
		if (next == end || next->at != i) {
			p = put_state(p, &result->rows[i]);
			continue;
		}
		if (next->known) {
			p = put_state(p, &next->old);
		}
		next++;
	}
	buf_truncate(out, (size_t)(p - out->data));
	le32_set(
		out->data + start + 8,
		(uint32_t)((out->len - start - STATES_HEAD) / WSUS_STATE_SIZE));
}

static everr_t states_head(const uint8_t *data, size_t len, size_t *ret_num,
			   bool *ret_baseline)
{
	size_t num;

	if (len < STATES_HEAD || le32_get(data) != STATES_MAGIC) {
		return EVERR_STORE_CORRUPT;
	}
	if (le16_get(data + 4) != STATES_VERSION) {
		return EVERR_STORE_VERSION;
	}
	num = le32_get(data + 8);
	if (len - STATES_HEAD != num * WSUS_STATE_SIZE) {
		return EVERR_STORE_CORRUPT;
	}
	*ret_num = num;
	*ret_baseline = (le16_get(data + 6) & STATES_BASELINE) != 0;
	return EVERR_OK;
}

everr_t wsus_states_decode(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			   struct wsus_states *ret_states)
{
	struct wsus_states states = {};
	const uint8_t *p = data + STATES_HEAD;
	everr_t err;
	size_t i;

	err = states_head(data, len, &states.num, &states.baseline);
	if (err != EVERR_OK) {
		return err;
	}
	states.rows = talloc_array(mem_ctx, struct wsus_state, states.num);
	if (states.rows == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < states.num; i++, p += WSUS_STATE_SIZE) {
		struct wsus_state *row = &states.rows[i];

		memcpy(row->update.b, p, 16);
		row->state = le16_get(p + 16);
		row->changed = le64_get(p + 18);
		row->order = 0;
	}
	if (!is_sorted(&states)) {
		TALLOC_FREE(states.rows);
		return EVERR_STORE_CORRUPT;
	}
	*ret_states = states;
	return EVERR_OK;
}
