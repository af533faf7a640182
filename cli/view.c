/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/view.h"

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

everr_t cli_view_create(TALLOC_CTX *mem_ctx, const char *json, size_t len,
			struct cli_view **ret_view)
{
	struct cli_view *view = talloc_zero(mem_ctx, struct cli_view);
	const json_t *system = NULL;

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
	system = json_object_get(view->json, "System");
	view->provider = json_string_value(
		json_object_get(json_object_get(system, "Provider"), "Name"));
	view->message = json_string_value(json_object_get(
		json_object_get(view->json, "RenderingInfo"), "Message"));
	*ret_view = view;
	return EVERR_OK;
}
