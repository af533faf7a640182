/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/soap.h"

#include "soap/metrics.h"
#include "soap/soap_internal.h"

#include <errno.h>
#include <string.h>

/* Of one listener: what its roles serve together. */
#define ROUTES_MAX 64

/* ----------------------------------------------------- a configuration */

static bool copy_text(TALLOC_CTX *mem_ctx, const char **text)
{
	if (*text != NULL) {
		*text = talloc_strdup(mem_ctx, *text);
		return *text != NULL;
	}
	return true;
}

static bool copy_list(TALLOC_CTX *mem_ctx, const char *const **list)
{
	const char **copy = NULL;
	size_t num = 0;
	size_t i;

	while (*list != NULL && (*list)[num] != NULL) {
		num++;
	}
	copy = talloc_zero_array(mem_ctx, const char *, num + 1);
	for (i = 0; copy != NULL && i < num; i++) {
		copy[i] = talloc_strdup(copy, (*list)[i]);
		if (copy[i] == NULL) {
			return false;
		}
	}
	*list = copy;
	return copy != NULL;
}

static bool copy_listener(TALLOC_CTX *mem_ctx,
			  struct soap_listener_config *listener)
{
	struct http_listener_config *http = &listener->http;

	return copy_text(mem_ctx, &http->name) &&
	       copy_text(mem_ctx, &http->address) &&
	       copy_list(mem_ctx, &http->allow) &&
	       copy_text(mem_ctx, &http->certificate) &&
	       copy_text(mem_ctx, &http->key) &&
	       copy_text(mem_ctx, &http->client_ca);
}

static struct soap_config *copy_config(TALLOC_CTX *mem_ctx,
				       const struct soap_config *config)
{
	struct soap_listener_config *listeners = NULL;
	struct soap_config *copy = talloc(mem_ctx, struct soap_config);
	size_t i;
	bool ok;

	if (copy == NULL) {
		return NULL;
	}
	*copy = *config;
	listeners = talloc_array(copy, struct soap_listener_config,
				 (unsigned int)config->num_listeners);
	ok = listeners != NULL && copy_text(copy, &copy->computer) &&
	     copy_text(copy, &copy->wsus.catalogue) &&
	     copy_text(copy, &copy->configmgr.site_code) &&
	     copy_text(copy, &copy->configmgr.host) &&
	     copy_text(copy, &copy->configmgr.inbox) &&
	     copy_text(copy, &copy->quarantine);
	for (i = 0; ok && i < config->num_listeners; i++) {
		listeners[i] = config->listeners[i];
		ok = copy_listener(listeners, &listeners[i]);
	}
	if (!ok) {
		TALLOC_FREE(copy);
		return NULL;
	}
	copy->listeners = listeners;
	return copy;
}

static uint32_t served_roles(const struct soap_config *config)
{
	uint32_t roles = 0;
	size_t i;

	for (i = 0; i < config->num_listeners; i++) {
		roles |= config->listeners[i].roles;
	}
	return roles;
}

static bool wants_wsus(const struct soap_config *config)
{
	return config->wsus.enabled &&
	       (served_roles(config) & SOAP_ROLE_WSUS) != 0;
}

static bool wants_configmgr(const struct soap_config *config)
{
	return config->configmgr.enabled &&
	       ((served_roles(config) & SOAP_ROLE_CONFIGMGR) != 0 ||
		config->configmgr.inbox != NULL);
}

bool soap_wanted(const struct soap_config *config)
{
	return config->num_listeners > 0 || wants_configmgr(config);
}

/* --------------------------------------------------------------- start */

static everr_t start_quarantine(struct soap *soap, char **message)
{
	const struct soap_config *config = soap->config;
	everr_t err;

	err = quarantine_open(soap, config->quarantine,
			      &config->quarantine_limits, &soap->quarantine);
	if (err != EVERR_OK) {
		*message = talloc_asprintf(
			soap, "quarantine %s: %s", config->quarantine,
			err == EVERR_IO ? strerror(errno) : everr_text(err));
	}
	return err;
}

static everr_t start_services(struct soap *soap, struct store *store,
			      char **message)
{
	const struct soap_config *config = soap->config;
	everr_t err = EVERR_OK;

	if (wants_wsus(config)) {
		err = wsus_start(soap, soap->ev, &config->wsus,
				 config->computer, store, soap->quarantine,
				 &soap->wsus, message);
	}
	if (err == EVERR_OK && wants_configmgr(config)) {
		err = configmgr_start(soap, soap->ev, &config->configmgr,
				      config->computer, store, soap->quarantine,
				      &soap->configmgr, message);
	}
	return err;
}

struct route_list {
	struct http_route routes[ROUTES_MAX];
	size_t num;
};

static everr_t add_routes(struct route_list *list,
			  const struct http_route *routes, size_t num)
{
	if (num > ROUTES_MAX - list->num) {
		return EVERR_INTERNAL;
	}
	memcpy(list->routes + list->num, routes, num * sizeof(*routes));
	list->num += num;
	return EVERR_OK;
}

/* A role that is switched off has no routes. */
static everr_t collect_routes(struct soap *soap, uint32_t roles,
			      struct route_list *list)
{
	const struct http_route metrics[] = {
		{"/metrics", &metrics_handler, soap},
		{"/health", &metrics_health_handler, soap},
	};
	const struct http_route *routes = NULL;
	everr_t err = EVERR_OK;
	size_t num = 0;

	if ((roles & SOAP_ROLE_WSUS) != 0 && soap->wsus != NULL) {
		routes = wsus_routes(soap->wsus, &num);
		err = add_routes(list, routes, num);
	}
	if (err == EVERR_OK && (roles & SOAP_ROLE_CONFIGMGR) != 0 &&
	    soap->configmgr != NULL) {
		routes = configmgr_routes(soap->configmgr, &num);
		err = add_routes(list, routes, num);
	}
	if (err == EVERR_OK && (roles & SOAP_ROLE_METRICS) != 0) {
		err = add_routes(list, metrics,
				 sizeof(metrics) / sizeof(metrics[0]));
	}
	return err;
}

static everr_t start_listener(struct soap *soap,
			      const struct soap_listener_config *config,
			      struct soap_listener *listener, char **message)
{
	struct route_list list = {.num = 0};
	everr_t err;

	err = collect_routes(soap, config->roles, &list);
	if (err != EVERR_OK) {
		return err;
	}
	listener->config = config;
	return http_listen(soap->http, &config->http, list.routes, list.num,
			   &listener->http, message);
}

static everr_t start_listeners(struct soap *soap,
			       struct operational *operational, char **message)
{
	const struct soap_config *config = soap->config;
	everr_t err;
	size_t i;

	soap->listeners =
		talloc_zero_array(soap, struct soap_listener,
				  (unsigned int)config->num_listeners);
	if (soap->listeners == NULL) {
		return EVERR_NOMEM;
	}
	err = http_server_create(soap, soap->ev, operational, &soap->http);
	for (i = 0; err == EVERR_OK && i < config->num_listeners; i++) {
		err = start_listener(soap, &config->listeners[i],
				     &soap->listeners[i], message);
		soap->num_listeners += err == EVERR_OK ? 1 : 0;
	}
	return err;
}

/* The doors first, then what is behind them. */
static int soap_destructor(struct soap *soap)
{
	struct soap_retry *retry = NULL;

	while ((retry = LIST_FIRST(&soap->retries)) != NULL) {
		LIST_REMOVE(retry, link);
		retry->listed = false;
		retry->stop(retry);
	}
	TALLOC_FREE(soap->http);
	TALLOC_FREE(soap->configmgr);
	TALLOC_FREE(soap->wsus);
	TALLOC_FREE(soap->quarantine);
	return 0;
}

static everr_t start(struct soap *soap, const struct soap_config *config,
		     struct store *store, struct operational *operational,
		     char **message)
{
	everr_t err;

	soap->started = copy_config(soap, config);
	if (soap->started == NULL) {
		return EVERR_NOMEM;
	}
	soap->config = soap->started;
	err = start_quarantine(soap, message);
	if (err == EVERR_OK) {
		err = start_services(soap, store, message);
	}
	if (err == EVERR_OK) {
		err = start_listeners(soap, operational, message);
	}
	return err;
}

everr_t soap_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		   const struct soap_config *config, struct store *store,
		   struct operational *operational,
		   const struct soap_hooks *hooks, struct soap **ret_soap,
		   char **ret_message)
{
	struct soap *soap = talloc_zero(mem_ctx, struct soap);
	char *message = NULL;
	everr_t err;

	if (soap == NULL) {
		return EVERR_NOMEM;
	}
	soap->ev = ev;
	if (hooks != NULL) {
		soap->hooks = *hooks;
	}
	talloc_set_destructor(soap, soap_destructor);
	err = start(soap, config, store, operational, &message);
	if (err != EVERR_OK) {
		/* It may belong to what is freed now. */
		*ret_message = talloc_strdup(
			mem_ctx, message != NULL ? message : everr_text(err));
		TALLOC_FREE(soap);
		return err;
	}
	if (message != NULL) {
		*ret_message = talloc_steal(mem_ctx, message);
	}
	*ret_soap = soap;
	return EVERR_OK;
}

/* -------------------------------------------------------------- reload */

const struct soap_listener_config *soap_config_listener(
	const struct soap_config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->num_listeners; i++) {
		if (strcmp(config->listeners[i].http.name, name) == 0) {
			return &config->listeners[i];
		}
	}
	return NULL;
}

/* Those that are gone stay as they are until the restart. */
static everr_t reload_listeners(struct soap *soap,
				const struct soap_config *config,
				char **message)
{
	const struct soap_listener_config *new = NULL;
	struct soap_listener *listener = NULL;
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; err == EVERR_OK && i < soap->num_listeners; i++) {
		listener = &soap->listeners[i];
		new = soap_config_listener(config, listener->config->http.name);
		if (new == NULL) {
			continue;
		}
		err = http_listener_allow(listener->http, new->http.allow,
					  message);
		if (err == EVERR_OK &&
		    listener->config->http.certificate != NULL) {
			err = http_listener_reload_tls(listener->http, message);
		}
	}
	return err;
}

static everr_t reload(struct soap *soap, const struct soap_config *config,
		      char **message)
{
	everr_t err;

	err = reload_listeners(soap, config, message);
	if (err == EVERR_OK && soap->wsus != NULL) {
		err = wsus_reload(soap->wsus, &config->wsus, message);
	}
	if (err == EVERR_OK && soap->configmgr != NULL) {
		err = configmgr_reload(soap->configmgr, &config->configmgr,
				       message);
	}
	return err;
}

everr_t soap_reload(struct soap *soap, const struct soap_config *config,
		    TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct soap_config *copy = NULL;
	char *message = NULL;
	char *ignored = NULL;
	everr_t err;

	copy = copy_config(soap, config);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	err = reload(soap, copy, &message);
	if (err != EVERR_OK) {
		*ret_message = talloc_strdup(
			mem_ctx, message != NULL ? message : everr_text(err));
		TALLOC_FREE(message);
		/* Back, as far as files that have changed allow it. */
		(void)!reload(soap, soap->config, &ignored);
		TALLOC_FREE(ignored);
		TALLOC_FREE(copy);
		return err;
	}
	if (soap->config != soap->started) {
		TALLOC_FREE(soap->config);
	}
	soap->config = copy;
	return EVERR_OK;
}

/* ----------------------------------------------------------- accessors */

struct http_server *soap_http(struct soap *soap)
{
	return soap->http;
}

struct quarantine *soap_quarantine(struct soap *soap)
{
	return soap->quarantine;
}

const struct wsus *soap_wsus(const struct soap *soap)
{
	return soap->wsus;
}

const struct configmgr *soap_configmgr(const struct soap *soap)
{
	return soap->configmgr;
}

size_t soap_listener_count(const struct soap *soap)
{
	return soap->num_listeners;
}

void soap_listener_info(const struct soap *soap, size_t index,
			struct soap_listener_info *ret_info)
{
	const struct soap_listener *listener = &soap->listeners[index];
	const struct soap_listener_config *config = listener->config;

	*ret_info = (struct soap_listener_info){
		.name = config->http.name,
		.address = config->http.address,
		.port = http_listener_port(listener->http),
		.roles = config->roles,
		.tls = config->http.certificate != NULL,
	};
	http_listener_stats(soap->http, index, &ret_info->stats);
}
