/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/view.h"

#include <string.h>

const json_t *cli_view_member(const json_t *object, const char *name)
{
	return json_object_get(object, name);
}

const json_t *cli_view_element(const json_t *element)
{
	if (json_is_object(element)) {
		return json_object_get(element, "#text");
	}
	return element;
}

static int view_destructor(struct cli_view *view)
{
	json_decref(view->json);
	return 0;
}

static void read_system(struct cli_view *view)
{
	const json_t *system = json_object_get(view->json, "System");
	const json_t *qualifiers = NULL;

	view->event.provider = json_string_value(
		json_object_get(json_object_get(system, "Provider"), "Name"));
	qualifiers = json_object_get(json_object_get(system, "EventID"),
				     "Qualifiers");
	view->event.qualifiers = (uint16_t)json_integer_value(qualifiers);
	view->message = json_string_value(json_object_get(
		json_object_get(view->json, "RenderingInfo"), "Message"));
}

everr_t cli_view_create(TALLOC_CTX *mem_ctx, const struct event_header *header,
			const char *json, size_t len,
			struct cli_view **ret_view)
{
	struct cli_view *view = talloc_zero(mem_ctx, struct cli_view);

	if (view == NULL) {
		return EVERR_NOMEM;
	}
	view->json = json_loadb(json, len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(view->json)) {
		json_decref(view->json);
		TALLOC_FREE(view);
		return EVERR_TEXT;
	}
	talloc_set_destructor(view, view_destructor);
	view->event.header = *header;
	read_system(view);
	*ret_view = view;
	return EVERR_OK;
}

/* --------------------------------------------------------------- inserts */

struct inserts {
	const char **texts;
	size_t num;
};

static everr_t add_insert(struct inserts *inserts, const json_t *value)
{
	const char *text = "";

	switch (json_typeof(value)) {
	case JSON_STRING:
		text = json_string_value(value);
		break;
	case JSON_INTEGER:
		text = talloc_asprintf(inserts->texts, "%" JSON_INTEGER_FORMAT,
				       json_integer_value(value));
		break;
	case JSON_REAL:
		text = talloc_asprintf(inserts->texts, "%.17g",
				       json_real_value(value));
		break;
	case JSON_TRUE:
		text = "true";
		break;
	case JSON_FALSE:
		text = "false";
		break;
	default:
		break;
	}
	if (text == NULL) {
		return EVERR_NOMEM;
	}
	inserts->texts[inserts->num] = text;
	inserts->num++;
	return EVERR_OK;
}

/* Every value below, depth first; more than a message has are passed over. */
static everr_t add_values(struct inserts *inserts, const json_t *value)
{
	everr_t err = EVERR_OK;
	size_t i;

	if (inserts->num == EVENT_MESSAGE_INSERTS_MAX) {
		return EVERR_OK;
	}
	if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value) && err == EVERR_OK;
		     i++) {
			err = add_values(inserts, json_array_get(value, i));
		}
		return err;
	}
	if (json_is_object(value)) {
		void *iter = json_object_iter((json_t *)value);

		while (iter != NULL && err == EVERR_OK) {
			err = add_values(inserts, json_object_iter_value(iter));
			iter = json_object_iter_next((json_t *)value, iter);
		}
		return err;
	}
	return add_insert(inserts, value);
}

everr_t cli_view_add_inserts(struct cli_view *view)
{
	const json_t *data = json_object_get(view->json, "EventData");
	struct inserts inserts = {.num = 0};
	everr_t err;

	if (data == NULL) {
		data = json_object_get(view->json, "UserData");
	}
	if (!json_is_object(data) && !json_is_array(data)) {
		return EVERR_OK;
	}
	inserts.texts =
		talloc_array(view, const char *, EVENT_MESSAGE_INSERTS_MAX);
	if (inserts.texts == NULL) {
		return EVERR_NOMEM;
	}
	err = add_values(&inserts, data);
	if (err != EVERR_OK) {
		return err;
	}
	view->event.inserts = inserts.texts;
	view->event.num_inserts = inserts.num;
	return EVERR_OK;
}
