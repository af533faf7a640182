/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GetRevisionIdList, [MS-WSUSSS] 3.1.4.5. */

#include "soap/wsus_revisions.h"
#include "soap/wsus_sync.h"

#include <string.h>

/* Of 1.1, and of who asks for it: more languages than it can take. */
#define OLD_LANGUAGES_MAX 63

struct wsus_filter {
	const struct wsus_catalogue *catalogue;
	bool get_config;
	bool few_languages;
	bool has_anchor;
	struct wsus_anchor anchor;
	/* Both or none: one alone matches nothing. */
	bool has_categories;
	bool has_classifications;
	uint8_t *categories; /* enum asked of each category's number */
	uint8_t *classifications;
};

/* What is asked of a category. */
enum asked {
	ASKED_NOTHING,
	ASKED_NEWER, /* what changed after the anchor */
	ASKED_ALL
};

/* ----------------------------------------------------------------- reading */

static everr_t read_id(const struct wsus_catalogue *catalogue,
		       const struct soap_node *item, uint8_t *asked)
{
	struct ev_guid id;
	uint32_t number;
	bool delta = false;
	everr_t err;

	err = soap_get_guid(soap_text(item, "Id"), &id);
	if (err == EVERR_OK) {
		err = soap_get_bool(soap_text(item, "Delta"), &delta);
		err = err == EVERR_NOT_FOUND ? EVERR_OK : err;
	}
	if (err != EVERR_OK) {
		return EVERR_TEXT;
	}
	/* One in which there is nothing is no mistake. */
	err = wsus_catalogue_category(catalogue, &id, &number);
	if (err == EVERR_OK && asked[number] != ASKED_ALL) {
		asked[number] = delta ? ASKED_NEWER : ASKED_ALL;
	}
	return EVERR_OK;
}

static everr_t read_ids(TALLOC_CTX *mem_ctx,
			const struct wsus_catalogue *catalogue,
			const struct soap_node *array, uint8_t **ret_asked,
			bool *ret_has)
{
	const struct soap_node *item = soap_child(array, "IdAndDelta");
	uint8_t *asked = NULL;
	everr_t err = EVERR_OK;

	if (item == NULL) {
		return EVERR_OK;
	}
	asked = talloc_zero_array(mem_ctx, uint8_t, catalogue->num_categories);
	if (asked == NULL) {
		return EVERR_NOMEM;
	}
	for (; item != NULL && err == EVERR_OK; item = soap_next(item)) {
		err = read_id(catalogue, item, asked);
	}
	*ret_asked = asked;
	*ret_has = true;
	return err;
}

static everr_t read_flag(const struct soap_node *node, const char *name,
			 bool *ret_flag)
{
	everr_t err;

	err = soap_get_bool(soap_text(node, name), ret_flag);
	return err == EVERR_NOT_FOUND ? EVERR_OK : err;
}

static everr_t read_filter(struct wsus_filter *filter,
			   const struct soap_node *node)
{
	everr_t err;

	err = wsus_sync_anchor(filter->catalogue, node, "Anchor",
			       &filter->anchor);
	filter->has_anchor = err == EVERR_OK;
	if (err == EVERR_OK || err == EVERR_NOT_FOUND) {
		err = read_flag(node, "GetConfig", &filter->get_config);
	}
	if (err == EVERR_OK) {
		err = read_flag(node, "Get63LanguageOnly",
				&filter->few_languages);
	}
	if (err == EVERR_OK) {
		err = read_ids(filter, filter->catalogue,
			       soap_child(node, "Categories"),
			       &filter->categories, &filter->has_categories);
	}
	if (err == EVERR_OK) {
		err = read_ids(filter, filter->catalogue,
			       soap_child(node, "Classifications"),
			       &filter->classifications,
			       &filter->has_classifications);
	}
	return err;
}

everr_t wsus_filter_read(TALLOC_CTX *mem_ctx,
			 const struct wsus_catalogue *catalogue,
			 const struct soap_node *node, uint32_t minor,
			 struct wsus_filter **ret_filter)
{
	struct wsus_filter *filter = talloc_zero(mem_ctx, struct wsus_filter);
	everr_t err;

	if (filter == NULL) {
		return EVERR_NOMEM;
	}
	filter->catalogue = catalogue;
	err = node != NULL ? read_filter(filter, node) : EVERR_TEXT;
	if (err != EVERR_OK) {
		talloc_free(filter);
		return err == EVERR_NOMEM ? err : EVERR_TEXT;
	}
	/* Version 1.1 has no Get63LanguageOnly, and that limit. */
	if (minor <= 1) {
		filter->few_languages = true;
	}
	*ret_filter = filter;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- matching */

/* The most that is asked of any category that the update is in. */
static enum asked most_asked(const struct wsus_update *update,
			     const uint8_t *asked)
{
	enum asked most = ASKED_NOTHING;
	size_t i;

	for (i = 0; i < update->num_member_of; i++) {
		if (asked[update->member_of[i]] > most) {
			most = asked[update->member_of[i]];
		}
	}
	return most;
}

static bool update_matches(const struct wsus_filter *filter,
			   const struct wsus_update *update, bool is_newer)
{
	enum asked category, classification;

	if (!filter->has_categories && !filter->has_classifications) {
		return is_newer;
	}
	if (!filter->has_categories || !filter->has_classifications) {
		return false;
	}
	category = most_asked(update, filter->categories);
	classification = most_asked(update, filter->classifications);
	if (category == ASKED_NOTHING || classification == ASKED_NOTHING) {
		return false;
	}
	return is_newer || category == ASKED_ALL || classification == ASKED_ALL;
}

bool wsus_filter_matches(const struct wsus_filter *filter,
			 const struct wsus_update *update)
{
	bool is_newer = wsus_anchor_after(
		&update->changed, filter->has_anchor ? &filter->anchor : NULL);

	if (!update->newest ||
	    (filter->few_languages && update->languages > OLD_LANGUAGES_MAX) ||
	    (update->kind != WSUS_UPDATE) != filter->get_config) {
		return false;
	}
	if (filter->get_config) {
		return is_newer;
	}
	return update_matches(filter, update, is_newer);
}

/* ------------------------------------------------------------ the operation */

static void put_revisions(struct soap_writer *writer, const struct wsus *wsus,
			  const struct wsus_filter *filter)
{
	const struct wsus_catalogue *catalogue = wsus->catalogue;
	size_t i;

	soap_open(writer, "GetRevisionIdListResult");
	wsus_put_anchor(writer, "Anchor", wsus);
	soap_open(writer, "NewRevisions");
	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		if (wsus_filter_matches(filter, update)) {
			wsus_put_identity(writer, "UpdateIdentity", &update->id,
					  update->revision);
		}
	}
	soap_close(writer);
	soap_close(writer);
}

static void get_revision_id_list(struct soap_call *call)
{
	struct wsus *wsus = call->private_data;
	struct wsus_filter *filter = NULL;
	struct wsus_session session;
	everr_t err;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	err = wsus_filter_read(call, wsus->catalogue,
			       soap_child(call->request, "filter"),
			       session.minor, &filter);
	if (err == EVERR_NOMEM) {
		wsus_fault_failed(call, err);
		return;
	}
	if (err != EVERR_OK) {
		wsus_fault_parameter(call, "filter");
		return;
	}
	put_revisions(soap_answer_begin(call, 0), wsus, filter);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_revision_id_list = {
	.name = "GetRevisionIdList",
	.finish = get_revision_id_list,
};
