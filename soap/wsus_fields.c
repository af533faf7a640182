/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_report.h"

/* Facts 1: what is missing has its default; what can't be read is refused. */
static void field_bad(struct wsus_fields *fields, const char *name, everr_t err)
{
	if (err != EVERR_OK && err != EVERR_NOT_FOUND && fields->bad == NULL) {
		fields->bad = name;
	}
}

int32_t wsus_field_int(struct wsus_fields *fields, const char *name,
		       const char *text)
{
	int64_t value = 0;

	field_bad(fields, name,
		  soap_get_int(text, INT32_MIN, INT32_MAX, &value));
	return (int32_t)value;
}

bool wsus_field_bool(struct wsus_fields *fields, const char *name,
		     const char *text)
{
	bool value = false;

	field_bad(fields, name, soap_get_bool(text, &value));
	return value;
}

struct ev_guid wsus_field_guid(struct wsus_fields *fields, const char *name,
			       const char *text)
{
	struct ev_guid value = {};

	field_bad(fields, name, soap_get_guid(text, &value));
	return value;
}

uint64_t wsus_field_time(struct wsus_fields *fields, const char *name,
			 const char *text)
{
	uint64_t value = 0;
	int64_t shifted;

	field_bad(fields, name, soap_get_time(text, &value));
	if (value == 0 || value >= WSUS_TIME_FOR_EVER) {
		return value;
	}
	shifted = (int64_t)value + fields->shift;
	return shifted > 0 ? (uint64_t)shifted : value;
}

const char *wsus_field_text(struct wsus_fields *fields, const char *name,
			    const char *text, size_t max)
{
	char *copy = NULL;

	if (text == NULL || text[0] == '\0') {
		return NULL;
	}
	if (strlen(text) > max) {
		field_bad(fields, name, EVERR_LIMIT);
		return NULL;
	}
	copy = talloc_strdup(fields->mem_ctx, text);
	if (copy == NULL) {
		fields->nomem = true;
	}
	return copy;
}

bool wsus_fields_fault(const struct wsus_fields *fields,
		       struct wsus_rollup *rollup)
{
	if (fields->nomem) {
		wsus_rollup_error(rollup, EVERR_NOMEM);
		return true;
	}
	if (fields->bad != NULL) {
		wsus_rollup_fault(rollup, "InvalidParameters", fields->bad);
		return true;
	}
	return false;
}
