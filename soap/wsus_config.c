/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GetConfigData, [MS-WSUSSS] 3.1.4.4. */

#include "soap/wsus_sync.h"

static void put_language(struct soap_writer *writer,
			 const struct wsus_language *language)
{
	soap_open(writer, "ServerSyncLanguageData");
	soap_put_int(writer, "LanguageID", language->id);
	soap_put(writer, "ShortLanguage", language->short_name);
	soap_put(writer, "LongLanguage", language->long_name);
	soap_put_bool(writer, "Enabled", language->enabled);
	soap_close(writer);
}

/* Those that changed after the anchor; NULL: all. */
static void put_languages(struct soap_writer *writer,
			  const struct wsus_catalogue *catalogue,
			  const struct wsus_anchor *anchor)
{
	size_t i;

	soap_open(writer, "LanguageUpdateList");
	for (i = 0; i < catalogue->num_languages; i++) {
		const struct wsus_language *language = &catalogue->languages[i];

		if (wsus_anchor_after(&language->changed, anchor)) {
			put_language(writer, language);
		}
	}
	soap_close(writer);
}

/*
 * The order is that of the prose of 3.1.4.4.3.1, of Microsoft's production
 * server and of the specification's sample; its WSDL has another one.  Clients
 * that bind by position follow the prose.
 */
static void put_config(struct soap_writer *writer, const struct wsus *wsus,
		       const struct wsus_anchor *anchor)
{
	soap_open(writer, "GetConfigDataResult");
	soap_put_bool(writer, "CatalogOnlySync", wsus->catalogue->catalog_only);
	soap_put_bool(writer, "LazySync", wsus->catalogue->lazy);
	soap_put_bool(writer, "ServerHostsPsfFiles", false);
	soap_put_int(writer, "MaxNumberOfUpdatesPerRequest",
		     WSUS_UPDATES_PER_REQUEST);
	soap_put_int(writer, "MaxNumberOfDriverSetsPerRequest", 0);
	soap_put_int(writer, "MaxNumberOfComputerIdsInRequest", 0);
	soap_put_int(writer, "MaxNumberOfPnpHardwareIdsInRequest", 0);
	wsus_put_anchor(writer, "NewConfigAnchor", wsus);
	soap_put(writer, "ProtocolVersion", WSUS_PROTOCOL_VERSION);
	put_languages(writer, wsus->catalogue, anchor);
	soap_put_int(writer, "MaxUpdatesPerRequestInGetUpdateDecryptionData",
		     WSUS_DECRYPTIONS_PER_REQUEST);
	soap_close(writer);
}

static void get_config_data(struct soap_call *call)
{
	struct wsus *wsus = call->private_data;
	struct wsus_session session;
	struct wsus_anchor anchor;
	everr_t err;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	err = wsus_sync_anchor(wsus->catalogue, call->request, "configAnchor",
			       &anchor);
	if (err == EVERR_TEXT) {
		wsus_fault_parameter(call, "configAnchor");
		return;
	}
	put_config(soap_answer_begin(call, 0), wsus,
		   err == EVERR_OK ? &anchor : NULL);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_config_data = {
	.name = "GetConfigData",
	.finish = get_config_data,
};
