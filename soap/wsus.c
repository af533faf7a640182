/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The WSUS server as a whole: its start, its routes, what it appends. */

#include "soap/wsus.h"

#include "base/wintime.h"
#include "soap/metrics.h"
#include "soap/wsus_cookie.h"
#include "soap/wsus_reject.h"
#include "soap/wsus_sync.h"
#include "soap/wsus_tables.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define KEY_STATE "wsus/key"
#define ID_STATE "wsus/server-id"
#define ID_FORMAT 1
#define ID_OFFSET 8
#define ID_SIZE 40

#define SYNC_BODY_MAX (8ULL * 1024 * 1024)
#define CHANNEL_BYTES (256ULL * 1024 * 1024)

void wsus_config_default(struct wsus_config *ret_config)
{
	*ret_config = (struct wsus_config){
		.enabled = true,
		.catalogue = "/var/lib/evenlog/wsus",
		.detailed_rollup = true,
		.correct_clocks = true,
		.body_max = 512ULL * 1024 * 1024,
		.cookie_seconds = 240 * 60,
		.servers_max = 1000,
		.computers_max = 200000,
		.statuses_max = 40000,
	};
}

/* --------------------------------------------------------- durable things */

/* Write one state and wait for the disk; for the start only. */
static everr_t put_state(struct wsus *wsus, const char *name,
			 const uint8_t *data, size_t len)
{
	struct store_state state = {.name = name, .data = data, .len = len};
	struct tevent_req *req = NULL;
	uint64_t first_id;
	size_t bad;
	everr_t err;

	req = store_append_send(wsus, wsus->ev, wsus->channel, NULL, 0, &state,
				1);
	if (req == NULL || !tevent_req_poll(req, wsus->ev)) {
		TALLOC_FREE(req);
		return EVERR_NOMEM;
	}
	err = store_append_recv(req, &first_id, &bad);
	TALLOC_FREE(req);
	return err;
}

static everr_t load_key(struct wsus *wsus)
{
	uint8_t fresh[WSUS_COOKIE_KEY_SIZE];
	uint8_t *key = NULL;
	size_t len = 0;
	everr_t err;

	err = store_state_get(wsus, wsus->store, KEY_STATE, &key, &len);
	if (err == EVERR_NOT_FOUND) {
		err = wsus_cookies_make_key(fresh);
		if (err == EVERR_OK) {
			err = put_state(wsus, KEY_STATE, fresh, sizeof(fresh));
		}
		if (err == EVERR_OK) {
			err = wsus_cookies_create(wsus, fresh, sizeof(fresh),
						  &wsus->cookies);
		}
		gnutls_memset(fresh, 0, sizeof(fresh));
		return err;
	}
	if (err == EVERR_OK) {
		err = wsus_cookies_create(wsus, key, len, &wsus->cookies);
		gnutls_memset(key, 0, len);
		TALLOC_FREE(key);
	}
	return err;
}

/* A random guid, version 4. */
static everr_t make_guid(uint8_t guid[16])
{
	int rc;

	rc = gnutls_rnd(GNUTLS_RND_RANDOM, guid, 16);
	if (rc != 0) {
		return EVERR_IO;
	}
	guid[7] = (uint8_t)((guid[7] & 0x0F) | 0x40);
	guid[8] = (uint8_t)((guid[8] & 0x3F) | 0x80);
	return EVERR_OK;
}

static everr_t make_ids(struct wsus *wsus, uint8_t ids[ID_SIZE])
{
	everr_t err;

	memset(ids, 0, ID_SIZE);
	le32_set(ids, ID_FORMAT);
	err = make_guid(ids + ID_OFFSET);
	if (err == EVERR_OK) {
		err = make_guid(ids + ID_OFFSET + 16);
	}
	if (err == EVERR_OK) {
		err = put_state(wsus, ID_STATE, ids, ID_SIZE);
	}
	return err;
}

static everr_t load_ids(struct wsus *wsus)
{
	uint8_t ids[ID_SIZE];
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err;

	err = store_state_get(wsus, wsus->store, ID_STATE, &data, &len);
	if (err == EVERR_NOT_FOUND) {
		err = make_ids(wsus, ids);
	} else if (err == EVERR_OK) {
		if (len == ID_SIZE && le32_get(data) == ID_FORMAT) {
			memcpy(ids, data, ID_SIZE);
		} else {
			err = EVERR_STORE_CORRUPT;
		}
		TALLOC_FREE(data);
	}
	if (err == EVERR_OK) {
		memcpy(wsus->server_id.b, ids + ID_OFFSET, 16);
		memcpy(wsus->rollup_reset_id.b, ids + ID_OFFSET + 16, 16);
	}
	return err;
}

static everr_t define_channel(struct wsus *wsus)
{
	static const struct store_channel_config config = {
		.enabled = true, .max_bytes = CHANNEL_BYTES};
	everr_t err;

	/* What was configured for it stays. */
	err = store_channel_find(wsus->store, BRIDGE_WSUS_CHANNEL,
				 &wsus->channel);
	if (err == EVERR_CHANNEL_NOT_FOUND) {
		err = store_channel_define(wsus->store, BRIDGE_WSUS_CHANNEL,
					   &config, &wsus->channel);
	}
	return err;
}

/* ------------------------------------------------------------------ routes */

static void content_begin(struct http_exchange *exchange, void *private_data)
{
	static const struct http_field allow = {"Allow", "GET, HEAD"};
	const char *method = http_method(exchange);

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		http_answer(exchange, 405, NULL, &allow, 1, NULL, 0);
		return;
	}
	http_answer_text(exchange, 404, "This server keeps no content.");
}

/* The downstream server is told by the status; DownloadFiles follows. */
static const struct http_handler content_handler = {.begin = content_begin};

static void add_route(struct wsus *wsus, const char *path,
		      const struct http_handler *handler, void *private_data)
{
	wsus->routes[wsus->num_routes++] = (struct http_route){
		.path = path, .handler = handler, .private_data = private_data};
}

static void add_service(struct wsus *wsus, struct soap_service *service,
			const char *path, const char *ns,
			const struct soap_operation *const *operations,
			uint64_t body_max)
{
	*service = (struct soap_service){
		.path = path,
		.ns = ns,
		.operations = operations,
		.body_max = body_max,
		.budget = &wsus->budget,
		.private_data = wsus,
		.rejected = wsus_rejected,
	};
	add_route(wsus, path, &soap_handler, service);
}

static void add_services(struct wsus *wsus)
{
	soap_budget_default(&wsus->budget);
	add_service(wsus, &wsus->auth,
		    "/DssAuthWebService/DssAuthWebService.asmx", WSUS_AUTH_NS,
		    wsus_auth_operations, SYNC_BODY_MAX);
	add_service(wsus, &wsus->sync,
		    "/ServerSyncWebService/ServerSyncWebService.asmx", WSUS_NS,
		    wsus_sync_operations, SYNC_BODY_MAX);
	add_service(wsus, &wsus->reporting,
		    "/ReportingWebService/ReportingWebService.asmx", WSUS_NS,
		    wsus_report_operations, wsus->config.body_max);
	add_route(wsus, "/Content/*", &content_handler, wsus);
}

const struct http_route *wsus_routes(const struct wsus *wsus, size_t *ret_num)
{
	*ret_num = wsus->num_routes;
	return wsus->routes;
}

/* ------------------------------------------------------------ start, reload */

/* The sentence for what failed; err. */
static everr_t start_failed(TALLOC_CTX *mem_ctx, const char *what, everr_t err,
			    char **ret_message)
{
	*ret_message = talloc_asprintf(mem_ctx, "the WSUS server's %s: %s",
				       what, everr_text(err));
	return err;
}

static everr_t start(struct wsus *wsus, TALLOC_CTX *mem_ctx, char **ret_message)
{
	everr_t err;

	err = define_channel(wsus);
	if (err != EVERR_OK) {
		return start_failed(mem_ctx, "channel", err, ret_message);
	}
	err = load_key(wsus);
	if (err != EVERR_OK) {
		return start_failed(mem_ctx, "key, state " KEY_STATE, err,
				    ret_message);
	}
	err = load_ids(wsus);
	if (err != EVERR_OK) {
		return start_failed(mem_ctx, "identity, state " ID_STATE, err,
				    ret_message);
	}
	err = wsus_catalogue_load(wsus, wsus->config.catalogue,
				  &wsus->catalogue, ret_message);
	if (err == EVERR_OK) {
		err = wsus_tables_load(wsus, wsus, &wsus->tables, ret_message);
	}
	/* Their messages are children of wsus. */
	*ret_message = talloc_steal(mem_ctx, *ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	err = wsus_reject_limit_create(wsus, &wsus->rejects);
	if (err != EVERR_OK) {
		return start_failed(mem_ctx, "memory", err, ret_message);
	}
	add_services(wsus);
	return EVERR_OK;
}

everr_t wsus_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct wsus_config *config, const char *computer,
		   struct store *store, struct quarantine *quarantine,
		   struct wsus **ret_wsus, char **ret_message)
{
	struct wsus *wsus = talloc_zero(mem_ctx, struct wsus);
	char *message = NULL;
	everr_t err;

	if (wsus == NULL) {
		return EVERR_NOMEM;
	}
	wsus->ev = ev;
	wsus->config = *config;
	wsus->config.catalogue = talloc_strdup(wsus, config->catalogue);
	wsus->computer = talloc_strdup(wsus, computer);
	wsus->store = store;
	wsus->quarantine = quarantine;
	if (wsus->config.catalogue == NULL || wsus->computer == NULL) {
		talloc_free(wsus);
		return EVERR_NOMEM;
	}
	err = start(wsus, mem_ctx, &message);
	if (message != NULL) {
		*ret_message = message;
	}
	if (err != EVERR_OK) {
		talloc_free(wsus);
		return err;
	}
	*ret_wsus = wsus;
	return EVERR_OK;
}

everr_t wsus_reload(struct wsus *wsus, const struct wsus_config *config,
		    char **ret_message)
{
	struct wsus_catalogue *catalogue = NULL;
	char *directory = talloc_strdup(wsus, config->catalogue);
	everr_t err;

	if (directory == NULL) {
		return EVERR_NOMEM;
	}
	err = wsus_catalogue_load(wsus, directory, &catalogue, ret_message);
	if (err != EVERR_OK) {
		talloc_free(directory);
		return err;
	}
	talloc_free(wsus->catalogue);
	wsus->catalogue = catalogue;
	talloc_free((char *)wsus->config.catalogue);
	wsus->config = *config;
	wsus->config.catalogue = directory;
	wsus->reporting.body_max = config->body_max;
	return EVERR_OK;
}

/* -------------------------------------------------- what the services share */

void wsus_origin(const struct wsus *wsus, const struct http_exchange *exchange,
		 struct bridge_origin *ret_origin)
{
	const struct http_peer *peer = http_peer(exchange);

	*ret_origin = (struct bridge_origin){
		.computer = wsus->computer,
		.peer = peer->address,
		.certificate = peer->certificate,
		.received = wintime_now(),
	};
}

struct commit_state {
	struct tevent_req *subreq;
	everr_t err;
};

static void commit_done(struct tevent_req *subreq);

/* It is given up, not undone. */
static int commit_destructor(struct commit_state *state)
{
	TALLOC_FREE(state->subreq);
	return 0;
}

struct tevent_req *wsus_commit_send(TALLOC_CTX *mem_ctx, struct wsus *wsus,
				    const struct bridge_events *events,
				    const struct store_state *states,
				    size_t num_states)
{
	size_t num = events != NULL ? events->num_documents : 0;
	struct store_input *inputs = NULL;
	struct commit_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;
	size_t i;

	req = tevent_req_create(mem_ctx, &state, struct commit_state);
	if (req == NULL) {
		return NULL;
	}
	inputs = talloc_zero_array(state, struct store_input, num);
	if (tevent_req_nomem(inputs, req)) {
		return tevent_req_post(req, wsus->ev);
	}
	for (i = 0; i < num; i++) {
		inputs[i].doc = events->documents[i].data;
		inputs[i].len = events->documents[i].len;
		inputs[i].born_here = true;
	}
	/*
	 * Nobody's child, freed by the destructor: what wakes it up is still
	 * at work when the call that waits for it answers, and goes with all
	 * its children.
	 */
	subreq = store_append_send(NULL, wsus->ev, wsus->channel, inputs, num,
				   states, num_states);
	talloc_free(inputs);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, wsus->ev);
	}
	state->subreq = subreq;
	talloc_set_destructor(state, commit_destructor);
	tevent_req_set_callback(subreq, commit_done, req);
	return req;
}

static void commit_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct commit_state *state = tevent_req_data(req, struct commit_state);
	uint64_t first_id;
	size_t bad;

	state->err = store_append_recv(subreq, &first_id, &bad);
	TALLOC_FREE(state->subreq);
	tevent_req_done(req);
}

everr_t wsus_commit_recv(struct tevent_req *req)
{
	struct commit_state *state = tevent_req_data(req, struct commit_state);
	enum tevent_req_state req_state;
	uint64_t error;

	if (tevent_req_is_error(req, &req_state, &error)) {
		return req_state == TEVENT_REQ_NO_MEMORY ? EVERR_NOMEM
							 : EVERR_INTERNAL;
	}
	return state->err;
}

/* ----------------------------------------------------------------- numbers */

void wsus_metrics(const struct wsus *wsus, struct buf *out)
{
	const struct wsus_catalogue *catalogue = wsus->catalogue;

	metrics_number(out, "evenlog_wsus_calls_total", METRICS_COUNTER,
		       "Calls that were answered", wsus->calls);
	metrics_number(out, "evenlog_wsus_faults_total", METRICS_COUNTER,
		       "Calls that ended in a fault", wsus->faults);
	metrics_number(out, "evenlog_wsus_catalogue_updates", METRICS_GAUGE,
		       "Revisions of updates in the catalogue",
		       catalogue->num_updates);
	metrics_number(out, "evenlog_wsus_catalogue_deployments", METRICS_GAUGE,
		       "Deployments in the catalogue",
		       catalogue->num_deployments);
	wsus_tables_metrics(wsus->tables, out);
}
