/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/job.h"

#include "store/value.h"

#include <stdlib.h>
#include <string.h>

struct store_job *store_job_new(enum store_job_kind kind,
				struct store_lane *lane)
{
	struct store_job *job = calloc(1, sizeof(*job));

	if (job != NULL) {
		job->kind = kind;
		job->lane = lane;
	}
	return job;
}

void store_job_free(struct store_job *job)
{
	if (job == NULL) {
		return;
	}
	free(job->bytes);
	free(job->records);
	free(job->defs);
	free(job->states);
	free(job->nos);
	free(job->templates);
	free(job);
}

bool store_job_extend(struct store_job *job, size_t len, size_t *ret_at)
{
	size_t size = job->size == 0 ? 1024 : job->size;
	uint8_t *bytes = NULL;

	while (size - job->len < len) {
		size *= 2;
	}
	if (size != job->size) {
		bytes = realloc(job->bytes, size);
		if (bytes == NULL) {
			return false;
		}
		job->bytes = bytes;
		job->size = size;
	}
	*ret_at = job->len;
	job->len += len;
	return true;
}

/* Room for one more element in a growing array. */
static bool array_grow(void **array, size_t num, size_t *size, size_t element)
{
	size_t more = *size == 0 ? 8 : *size * 2;
	void *p = NULL;

	if (num < *size) {
		return true;
	}
	p = realloc(*array, more * element);
	if (p == NULL) {
		return false;
	}
	*array = p;
	*size = more;
	return true;
}

everr_t store_job_add_no(struct store_job *job, uint32_t no)
{
	if (!array_grow((void **)&job->nos, job->num_nos, &job->size_nos,
			sizeof(*job->nos))) {
		return EVERR_NOMEM;
	}
	job->nos[job->num_nos] = no;
	job->num_nos++;
	return EVERR_OK;
}

everr_t store_job_add_template(struct store_job *job,
			       struct event_template *tmpl)
{
	if (!array_grow((void **)&job->templates, job->num_templates,
			&job->size_templates, sizeof(job->templates[0]))) {
		return EVERR_NOMEM;
	}
	job->templates[job->num_templates] = tmpl;
	job->num_templates++;
	return EVERR_OK;
}

/* Events of one kind follow each other: they share their list of numbers. */
static bool same_templates(const struct store_job *job,
			   const struct store_job_record *before,
			   const struct event_packed *event)
{
	size_t i;

	if (before->num_nos != event->num_templates) {
		return false;
	}
	for (i = 0; i < event->num_templates; i++) {
		if (job->nos[before->nos_at + i] != event->templates[i]->no) {
			return false;
		}
	}
	return true;
}

static everr_t add_nos(struct store_job *job, struct store_job_record *record,
		       const struct event_packed *event)
{
	everr_t err;
	size_t i;

	if (job->num_records > 0 && same_templates(job, record - 1, event)) {
		record->nos_at = (record - 1)->nos_at;
		record->num_nos = (record - 1)->num_nos;
		return EVERR_OK;
	}
	record->nos_at = (uint32_t)job->num_nos;
	record->num_nos = (uint32_t)event->num_templates;
	for (i = 0; i < event->num_templates; i++) {
		err = store_job_add_no(job, event->templates[i]->no);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

everr_t store_job_add_event(struct store_job *job,
			    const struct event_packed *event,
			    const struct store_input *input)
{
	struct store_job_record *record = &job->records[job->num_records];
	size_t len = STORE_RECORD_DATA + event->len;
	everr_t err;

	if (job->len + len > STORE_APPEND_BYTES_MAX) {
		return EVERR_LIMIT;
	}
	err = add_nos(job, record, event);
	if (err != EVERR_OK) {
		return err;
	}
	if (!store_job_extend(job, len, &record->at)) {
		return EVERR_NOMEM;
	}
	record->len = (uint32_t)len;
	record->record_id_at = 0;
	if (input->born_here && event->record_id_offset != 0) {
		record->record_id_at =
			STORE_RECORD_DATA + event->record_id_offset;
	}
	store_record_put(job->bytes + record->at, event, input);
	job->num_records++;
	return EVERR_OK;
}

everr_t store_job_add_def(struct store_job *job,
			  const struct event_template *tmpl)
{
	struct store_job_def *def = NULL;

	if (!array_grow((void **)&job->defs, job->num_defs, &job->size_defs,
			sizeof(*job->defs))) {
		return EVERR_NOMEM;
	}
	def = &job->defs[job->num_defs];
	def->no = tmpl->no;
	def->len = STORE_TEMPLATE_DEF + tmpl->def_len;
	if (!store_job_extend(job, def->len, &def->at)) {
		return EVERR_NOMEM;
	}
	store_template_put(job->bytes + def->at, tmpl);
	job->num_defs++;
	return EVERR_OK;
}

everr_t store_job_add_state(struct store_job *job,
			    const struct store_state *state)
{
	struct store_job_state *js = &job->states[job->num_states];
	uint8_t *value = NULL;

	js->name_len = strlen(state->name);
	if (js->name_len == 0 || js->name_len > STORE_STATE_NAME_MAX ||
	    state->len > STORE_STATE_DATA_MAX) {
		return EVERR_INVALID;
	}
	js->len = state->data == NULL ? 0 : STORE_STATE_DATA + state->len;
	if (job->len + js->name_len + js->len > STORE_APPEND_BYTES_MAX) {
		return EVERR_LIMIT;
	}
	if (!store_job_extend(job, js->name_len, &js->name_at) ||
	    !store_job_extend(job, js->len, &js->at)) {
		return EVERR_NOMEM;
	}
	memcpy(job->bytes + js->name_at, state->name, js->name_len);
	if (js->len > 0) {
		value = job->bytes + js->at;
		if (state->len > 0) {
			memcpy(value + STORE_STATE_DATA, state->data,
			       state->len);
		}
		store_value_seal(value, js->len, state->name, js->name_len);
	}
	job->num_states++;
	return EVERR_OK;
}
