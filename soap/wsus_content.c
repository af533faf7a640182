/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a downstream server may ask about content and drivers, of which this
 * server keeps none: [MS-WSUSSS] 3.1.4.7, 3.1.4.8, 3.1.4.10 to 3.1.4.12.
 */

#include "soap/wsus_sync.h"

#include <string.h>

/* "RESULT/LIST" without anything in it. */
static void answer_empty(struct soap_call *call, const char *result,
			 const char *list)
{
	struct wsus *wsus = call->private_data;
	struct soap_writer *writer = soap_answer_begin(call, 0);

	soap_open(writer, result);
	if (list != NULL) {
		soap_put_empty(writer, list);
	}
	soap_close(writer);
	wsus->calls++;
	soap_answer(call);
}

/* -------------------------------------------------- GetUpdateDecryptionData */

/* No key is known: the catalogue has metadata, not what Microsoft keeps. */
static void get_update_decryption_data(struct soap_call *call)
{
	const struct soap_node *ids = soap_child(call->request, "updateIds");
	struct wsus_session session;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	if (ids == NULL ||
	    wsus_count(ids, "UpdateIdentity") > WSUS_DECRYPTIONS_PER_REQUEST) {
		wsus_fault_parameter(call, "updateIds");
		return;
	}
	answer_empty(call, "GetUpdateDecryptionDataResult",
		     "UpdateFileDecryptionData");
}

const struct soap_operation wsus_get_update_decryption_data = {
	.name = "GetUpdateDecryptionData",
	.finish = get_update_decryption_data,
};

/* ------------------------------------------------------------------- drivers */

static bool has_any(const struct soap_node *node, const char *array,
		    const char *item)
{
	return soap_child(soap_child(node, array), item) != NULL;
}

/* The limits that GetConfigData states are 0, so clients do not come here. */
static void get_driver_id_list(struct soap_call *call)
{
	const struct soap_node *filter = soap_child(call->request, "filter");
	struct wsus *wsus = call->private_data;
	struct wsus_session session;
	struct soap_writer *writer = NULL;
	struct wsus_anchor anchor;
	everr_t err;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	err = wsus_sync_anchor(wsus->catalogue, filter, "Anchor", &anchor);
	if (filter == NULL || err == EVERR_TEXT ||
	    has_any(filter, "ComputerIds", "IdAndDelta") ||
	    has_any(filter, "PnpHardwareIds", "HardwareIdAndDelta")) {
		wsus_fault_parameter(call, "filter");
		return;
	}
	writer = soap_answer_begin(call, 0);
	soap_open(writer, "GetDriverIdListResult");
	wsus_put_anchor(writer, "Anchor", wsus);
	soap_put_empty(writer, "NewRevisions");
	soap_put_empty(writer, "NewDriverSets");
	soap_put_empty(writer, "RemovedDriverSets");
	soap_close(writer);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_driver_id_list = {
	.name = "GetDriverIdList",
	.finish = get_driver_id_list,
};

static void get_driver_set_data(struct soap_call *call)
{
	struct wsus_session session;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	if (has_any(call->request, "driverSets", "guid")) {
		soap_fault(call, "TooManyIds", "driverSets");
		return;
	}
	answer_empty(call, "GetDriverSetDataResult", "DriverSets");
}

const struct soap_operation wsus_get_driver_set_data = {
	.name = "GetDriverSetData",
	.finish = get_driver_set_data,
};

/* ------------------------------------------------------------- DownloadFiles */

/* Known here; a text that is no digest is not. */
static bool is_known(struct soap_call *call, const struct soap_node *node)
{
	const struct wsus *wsus = call->private_data;
	struct buf digest;
	bool known = false;
	everr_t err;

	buf_init(&digest, call, WSUS_DIGEST_ROOM);
	err = soap_get_base64(node->text, &digest);
	if (err == EVERR_OK && digest.len == WSUS_DIGEST_LEN) {
		known = wsus_catalogue_has_file(wsus->catalogue, digest.data);
	}
	buf_free(&digest);
	return known;
}

/* The texts of unknown digests as they came, joined by '|'; "": all known. */
static char *missing_digests(struct soap_call *call,
			     const struct soap_node *list)
{
	const struct soap_node *node = soap_child(list, "base64Binary");
	char *missing = talloc_strdup(call, "");

	for (; node != NULL && missing != NULL; node = soap_next(node)) {
		if (is_known(call, node)) {
			continue;
		}
		missing = talloc_asprintf_append_buffer(
			missing, "%s%s", *missing != '\0' ? "|" : "",
			node->text);
	}
	return missing;
}

/*
 * [MS-WSUSSS] 3.1.4.10.  A known file would be fetched by and by; this server
 * never has it, and the downstream server goes to MUUrl.
 */
static void download_files(struct soap_call *call)
{
	const struct soap_node *list =
		soap_child(call->request, "fileDigestList");
	struct wsus *wsus = call->private_data;
	struct wsus_session session;
	char *missing = NULL;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	if (list == NULL ||
	    wsus_count(list, "base64Binary") > WSUS_DIGESTS_PER_REQUEST) {
		wsus_fault_parameter(call, "fileDigestList");
		return;
	}
	missing = missing_digests(call, list);
	if (missing == NULL) {
		wsus_fault_failed(call, EVERR_NOMEM);
		return;
	}
	if (*missing != '\0') {
		soap_fault(call, "FileDigestsMissing", missing);
		return;
	}
	(void)soap_answer_begin(call, 0);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_download_files = {
	.name = "DownloadFiles",
	.finish = download_files,
};

/* --------------------------------------------------------------------- unused */

/* No downstream server calls it; no cookie is asked for. */
static void get_related_revisions(struct soap_call *call)
{
	answer_empty(call, "GetRelatedRevisionsForUpdatesResult", NULL);
}

const struct soap_operation wsus_get_related_revisions = {
	.name = "GetRelatedRevisionsForUpdates",
	.finish = get_related_revisions,
};
