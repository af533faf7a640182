/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "soap/configmgr_aside.h"

#include <libxml/parser.h>
#include <string.h>
#include <strings.h>

/* A text answer to a GET. */
#define GET_ANSWER_MAX (64 * 1024)

void configmgr_config_default(struct configmgr_config *ret_config)
{
	*ret_config = (struct configmgr_config){
		.enabled = true,
		.site_code = "EVL",
		.signatures = CONFIGMGR_SIGNATURES_PRESENT,
		.body_max = 8 * 1024 * 1024,
		.payload_max = 64 * 1024 * 1024,
		.replay_seconds = 7 * 24 * 3600,
		.replay_max = 1000000,
		.clients_max = 200000,
	};
}

/* --------------------------------------------------- requests by CCM_POST */

/* A message whose body is coming in; a child of its exchange. */
struct collect {
	struct configmgr *configmgr;
	struct http_exchange *exchange;
	struct buf body;
	struct soap_share *share; /* of all bodies; NULL: it was too much */
};

static void answer_method(struct http_exchange *exchange, const char *allow)
{
	const struct http_field field = {"Allow", allow};

	http_answer(exchange, 405, NULL, &field, 1, NULL, 0);
}

static void answer_busy(struct http_exchange *exchange)
{
	const struct http_field field = {"Retry-After",
					 CONFIGMGR_RETRY_SECONDS};

	http_answer(exchange, 503, NULL, &field, 1, NULL, 0);
}

static void post_begin(struct http_exchange *exchange, void *private_data)
{
	struct configmgr *configmgr = private_data;
	const char *method = http_method(exchange);
	struct collect *collect = NULL;

	if (strcmp(method, "CCM_POST") != 0 && strcmp(method, "POST") != 0) {
		answer_method(exchange, "CCM_POST, POST");
		return;
	}
	collect = talloc_zero(exchange, struct collect);
	if (collect == NULL) {
		answer_busy(exchange);
		return;
	}
	collect->configmgr = configmgr;
	collect->exchange = exchange;
	buf_init(&collect->body, collect, configmgr->config->body_max);
	collect->share = soap_share_create(collect, &configmgr->bodies);
	http_set_state(exchange, collect);
	http_set_body_max(exchange, configmgr->config->body_max);
}

static void post_body(struct http_exchange *exchange, void *private_data,
		      const uint8_t *data, size_t len)
{
	struct collect *collect = http_state(exchange);
	bool taken;

	(void)private_data;
	if (collect->share == NULL) {
		return;
	}
	taken = soap_share_take(collect->share, len);
	if (taken) {
		buf_put(&collect->body, data, len);
		taken = buf_error(&collect->body) == EVERR_OK;
	}
	if (!taken) {
		buf_free(&collect->body);
		TALLOC_FREE(collect->share);
	}
}

static void post_done(struct tevent_req *subreq)
{
	struct collect *collect =
		tevent_req_callback_data(subreq, struct collect);
	struct http_exchange *exchange = collect->exchange;
	struct configmgr_answer answer = {};
	struct http_field field = {"Retry-After", NULL};
	everr_t err;

	err = configmgr_message_recv(subreq, exchange, &answer);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		answer_busy(exchange);
		return;
	}
	field.value = answer.retry_after;
	http_answer(exchange, answer.status, answer.content_type, &field,
		    answer.retry_after != NULL, answer.body, answer.len);
}

static void post_end(struct http_exchange *exchange, void *private_data)
{
	struct collect *collect = http_state(exchange);
	const struct http_peer *peer = http_peer(exchange);
	struct configmgr *configmgr = private_data;
	struct tevent_req *subreq = NULL;
	const struct configmgr_input input = {
		.method = http_method(exchange),
		.path = http_path(exchange),
		.content_type = http_header(exchange, "Content-Type"),
		.peer = peer->address,
		.certificate = peer->certificate,
		.body = collect->body.data,
		.len = collect->body.len,
	};

	if (collect->share == NULL) {
		configmgr->counters.deferred++;
		answer_busy(exchange);
		return;
	}
	subreq = configmgr_message_send(collect, configmgr->ev, configmgr,
					&input);
	if (subreq == NULL) {
		answer_busy(exchange);
		return;
	}
	tevent_req_set_callback(subreq, post_done, collect);
}

static const struct http_handler post_handler = {
	.begin = post_begin,
	.body = post_body,
	.end = post_end,
};

/* -------------------------------------------------------- requests by GET */

static bool is_get(struct http_exchange *exchange)
{
	const char *method = http_method(exchange);

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void get_begin(struct http_exchange *exchange, void *private_data)
{
	if (!is_get(exchange)) {
		answer_method(exchange, "GET, HEAD");
	}
}

static void get_body(struct http_exchange *exchange, void *private_data,
		     const uint8_t *data, size_t len)
{
}

static void mp_end(struct http_exchange *exchange, void *private_data)
{
	struct configmgr *configmgr = private_data;
	const char *query = http_query(exchange);
	struct buf out;

	buf_init(&out, exchange, GET_ANSWER_MAX);
	if (query == NULL || !configmgr_location_get(configmgr, query, &out)) {
		http_answer_text(exchange, 404,
				 "this management point has no such "
				 "information");
		return;
	}
	if (buf_error(&out) != EVERR_OK) {
		answer_busy(exchange);
		return;
	}
	configmgr->counters.locations++;
	http_answer(exchange, 200, "text/xml; charset=utf-8", NULL, 0, out.data,
		    out.len);
}

static const struct http_handler mp_handler = {
	.begin = get_begin,
	.body = get_body,
	.end = mp_end,
};

static void policy_end(struct http_exchange *exchange, void *private_data)
{
	http_answer_text(exchange, 404,
			 "this management point has no policies");
}

static const struct http_handler policy_handler = {
	.begin = get_begin,
	.body = get_body,
	.end = policy_end,
};

static const struct http_route routes[] = {
	{"/ccm_system/request", &post_handler, NULL},
	{"/ccm_system_windowsauth/request", &post_handler, NULL},
	{"/ccm_system_altauth/request", &post_handler, NULL},
	{"/SMS_FSP/.sms_fsp", &post_handler, NULL},
	{"/SMS_MP/.sms_aut", &mp_handler, NULL},
	{"/SMS_MP/.sms_pol", &policy_handler, NULL},
};

#define NUM_ROUTES (sizeof(routes) / sizeof(routes[0]))

static everr_t routes_make(struct configmgr *configmgr)
{
	size_t i;

	configmgr->routes = talloc_memdup(configmgr, routes, sizeof(routes));
	if (configmgr->routes == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < NUM_ROUTES; i++) {
		configmgr->routes[i].private_data = configmgr;
	}
	configmgr->num_routes = configmgr->config->enabled ? NUM_ROUTES : 0;
	return EVERR_OK;
}

const struct http_route *configmgr_routes(const struct configmgr *configmgr,
					  size_t *ret_num)
{
	*ret_num = configmgr->num_routes;
	return configmgr->routes;
}

/* --------------------------------------------------------- configuration */

static bool site_code_valid(const char *code)
{
	static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789";

	return code != NULL && strlen(code) == 3 && strspn(code, legal) == 3;
}

/* *ret_copy is a child of configmgr, its strings are children of it. */
static everr_t config_copy(struct configmgr *configmgr,
			   const struct configmgr_config *config,
			   struct configmgr_config **ret_copy,
			   char **ret_message)
{
	const char *host =
		config->host != NULL ? config->host : configmgr->computer;
	struct configmgr_config *copy = NULL;

	if (!site_code_valid(config->site_code)) {
		*ret_message = talloc_strdup(
			configmgr, "the ConfigMgr site code must be three "
				   "letters or digits");
		return EVERR_CONFIG;
	}
	copy = talloc_memdup(configmgr, config, sizeof(*config));
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	copy->site_code = talloc_strdup(copy, config->site_code);
	copy->host = talloc_strdup(copy, host);
	copy->inbox = talloc_strdup(copy, config->inbox);
	if (copy->site_code == NULL || copy->host == NULL ||
	    (config->inbox != NULL && copy->inbox == NULL)) {
		talloc_free(copy);
		return EVERR_NOMEM;
	}
	*ret_copy = copy;
	return EVERR_OK;
}

/* ------------------------------------------------------------------ start */

static everr_t tables_load(struct configmgr *configmgr, char **ret_message)
{
	const struct configmgr_config *config = configmgr->config;
	everr_t err;

	err = configmgr_replay_load(configmgr, configmgr->store,
				    "configmgr/seen/", config->replay_seconds,
				    config->replay_max, &configmgr->seen);
	if (err == EVERR_OK) {
		err = configmgr_replay_load(
			configmgr, configmgr->store, "configmgr/inbox/",
			config->replay_seconds, config->replay_max,
			&configmgr->taken);
	}
	if (err == EVERR_OK) {
		err = configmgr_clients_load(configmgr, configmgr->store,
					     &configmgr->clients);
	}
	if (err != EVERR_OK) {
		*ret_message = talloc_asprintf(
			configmgr, "the ConfigMgr tables can't be read: %s",
			everr_text(err));
	}
	return err;
}

/* What is on its way goes before the tables that it speaks of. */
static int configmgr_destructor(struct configmgr *configmgr)
{
	TALLOC_FREE(configmgr->places);
	TALLOC_FREE(configmgr->inbox);
	while (configmgr->flights != NULL) {
		talloc_free(configmgr->flights);
	}
	return 0;
}

static everr_t configmgr_fill(struct configmgr *configmgr,
			      const struct configmgr_config *config,
			      const char *computer, char **ret_message)
{
	everr_t err;

	configmgr->computer = talloc_strdup(configmgr, computer);
	if (configmgr->computer == NULL) {
		return EVERR_NOMEM;
	}
	err = config_copy(configmgr, config, &configmgr->config, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	err = configmgr_channel_ready(configmgr);
	if (err != EVERR_OK) {
		return err;
	}
	err = tables_load(configmgr, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	err = routes_make(configmgr);
	if (err != EVERR_OK) {
		return err;
	}
	err = configmgr_places_create(configmgr, configmgr->ev,
				      &configmgr->places);
	if (err != EVERR_OK) {
		return err;
	}
	configmgr_count_known(configmgr);
	return configmgr_inbox_start(configmgr, configmgr->config->inbox,
				     ret_message);
}

everr_t configmgr_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct configmgr_config *config,
			const char *computer, struct store *store,
			struct quarantine *quarantine,
			struct configmgr **ret_configmgr, char **ret_message)
{
	struct configmgr *configmgr = NULL;
	char *message = NULL;
	everr_t err;

	configmgr = talloc_zero(mem_ctx, struct configmgr);
	if (configmgr == NULL) {
		return EVERR_NOMEM;
	}
	configmgr->ev = ev;
	configmgr->store = store;
	configmgr->quarantine = quarantine;
	configmgr->bodies.max = CONFIGMGR_COLLECT_MAX;
	/* Before the first thread that reads XML. */
	xmlInitParser();
	talloc_set_destructor(configmgr, configmgr_destructor);

	err = configmgr_fill(configmgr, config, computer, &message);
	if (err != EVERR_OK) {
		*ret_message =
			message != NULL
				? talloc_steal(mem_ctx, message)
				: talloc_asprintf(
					  mem_ctx,
					  "the ConfigMgr management point "
					  "can't be started: %s",
					  everr_text(err));
		talloc_free(configmgr);
		return err;
	}
	*ret_configmgr = configmgr;
	return EVERR_OK;
}

everr_t configmgr_reload(struct configmgr *configmgr,
			 const struct configmgr_config *config,
			 char **ret_message)
{
	struct configmgr_config *before = configmgr->config;
	struct configmgr_config *copy = NULL;
	everr_t err;

	err = config_copy(configmgr, config, &copy, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	/* Whether it is enabled, a restart decides: routes are fixed. */
	copy->enabled = before->enabled;
	err = configmgr_inbox_start(configmgr, copy->inbox, ret_message);
	if (err != EVERR_OK) {
		talloc_free(copy);
		return err;
	}
	configmgr->config = copy;
	configmgr_replay_limit(configmgr->seen, copy->replay_seconds,
			       copy->replay_max);
	configmgr_replay_limit(configmgr->taken, copy->replay_seconds,
			       copy->replay_max);
	talloc_free(before);
	return EVERR_OK;
}

/* ---------------------------------------------------------------- retries */

struct inject_state {
	struct configmgr *configmgr;
	struct configmgr_answer answer;
};

static void inject_done(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct inject_state *state = tevent_req_data(req, struct inject_state);
	everr_t err;

	err = configmgr_message_recv(subreq, state, &state->answer);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		err = state->answer.err;
	}
	if (err != EVERR_OK) {
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

struct tevent_req *configmgr_inject_send(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 struct configmgr *configmgr,
					 const struct quarantine_entry *entry,
					 const uint8_t *body, size_t len)
{
	const struct configmgr_input input = {
		.method = entry->method,
		.path = entry->path,
		.content_type = entry->content_type,
		.peer = entry->peer,
		.body = body,
		.len = len,
		.retried = true,
	};
	struct inject_state *state = NULL;
	struct tevent_req *subreq = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct inject_state);
	if (req == NULL) {
		return NULL;
	}
	state->configmgr = configmgr;
	if (entry->path == NULL || !configmgr_path_takes(entry->path)) {
		tevent_req_error(req, EVERR_NOT_SUPPORTED);
		return tevent_req_post(req, ev);
	}
	subreq = configmgr_message_send(state, ev, configmgr, &input);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, inject_done, req);
	return req;
}

everr_t configmgr_inject_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      char **ret_message)
{
	struct inject_state *state = tevent_req_data(req, struct inject_state);
	everr_t err = configmgr_store_recv(req);

	*ret_message = talloc_strdup(mem_ctx, state->answer.text != NULL
						      ? state->answer.text
						      : everr_text(err));
	tevent_req_received(req);
	return err;
}
