/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <errno.h>
#include <string.h>

void http_limits_default(struct http_limits *ret_limits)
{
	*ret_limits = (struct http_limits){
		.connections = 1024,
		.connections_per_address = 256,
		.header_bytes = 32768,
		.idle_seconds = 60,
		.head_seconds = 20,
		.body_seconds = 30,
		.body_rate = 1024,
	};
}

everr_t http_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			   struct operational *operational,
			   struct http_server **ret_server)
{
	struct http_server *server = talloc_zero(mem_ctx, struct http_server);

	if (server == NULL) {
		return EVERR_NOMEM;
	}
	server->listeners = talloc_zero_array(server, struct http_listener *,
					      HTTP_LISTENERS_MAX);
	if (server->listeners == NULL) {
		TALLOC_FREE(server);
		return EVERR_NOMEM;
	}
	server->ev = ev;
	server->operational = operational;
	*ret_server = server;
	return EVERR_OK;
}

/* ------------------------------------------------------------ a listener */

static everr_t listener_copy_routes(struct http_listener *listener,
				    const struct http_route *routes,
				    size_t num_routes)
{
	size_t i;

	listener->routes =
		talloc_zero_array(listener, struct http_route, num_routes);
	if (listener->routes == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num_routes; i++) {
		listener->routes[i] = routes[i];
		listener->routes[i].path =
			talloc_strdup(listener->routes, routes[i].path);
		if (listener->routes[i].path == NULL) {
			return EVERR_NOMEM;
		}
	}
	listener->num_routes = num_routes;
	return EVERR_OK;
}

/* NULL stays NULL. */
static bool copy_text(TALLOC_CTX *mem_ctx, const char *text,
		      const char **ret_copy)
{
	if (text == NULL) {
		return true;
	}
	*ret_copy = talloc_strdup(mem_ctx, text);
	return *ret_copy != NULL;
}

static everr_t listener_copy_config(struct http_listener *listener,
				    const struct http_listener_config *config)
{
	listener->limits = config->limits;
	listener->client_certificate =
		(enum http_client_certificate)config->client_certificate;
	if (!copy_text(listener, config->name, &listener->name) ||
	    !copy_text(listener, config->certificate, &listener->certificate) ||
	    !copy_text(listener, config->key, &listener->key) ||
	    !copy_text(listener, config->client_ca, &listener->client_ca)) {
		return EVERR_NOMEM;
	}
	listener->stats.name = listener->name;
	return EVERR_OK;
}

static everr_t listener_allow(struct http_listener *listener,
			      const char *const *entries, char **ret_message)
{
	struct http_allow *allow = NULL;
	const char *bad = NULL;
	everr_t err;

	err = http_allow_parse(listener, entries, &allow, &bad);
	switch (err) {
	case EVERR_OK:
		TALLOC_FREE(listener->allow);
		listener->allow = allow;
		return EVERR_OK;
	case EVERR_CONFIG:
		*ret_message =
			talloc_asprintf(listener->server,
					"listener %s: \"%s\" is not an address "
					"to allow: write an IPv4 "
					"or IPv6 address, or ADDRESS/LENGTH",
					listener->name, bad);
		return err;
	case EVERR_LIMIT:
		*ret_message =
			talloc_asprintf(listener->server,
					"listener %s: more than %u addresses "
					"to allow; use networks "
					"(ADDRESS/LENGTH)",
					listener->name, HTTP_ALLOW_MAX);
		return err;
	default:
		return err;
	}
}

static everr_t listener_open(struct http_listener *listener,
			     const struct http_listener_config *config,
			     char **ret_message)
{
	everr_t err;

	err = http_socket_listen(config->address, config->port, &listener->fd,
				 &listener->port);
	if (err == EVERR_CONFIG) {
		*ret_message = talloc_asprintf(listener->server,
					       "listener %s: cannot listen on "
					       "\"%s\": not an IPv4 or IPv6 "
					       "address",
					       listener->name, config->address);
	} else if (err == EVERR_IO) {
		*ret_message = talloc_asprintf(
			listener->server,
			"listener %s: cannot listen on %s port %u: %s",
			listener->name, config->address, config->port,
			strerror(errno));
	}
	return err;
}

/* All that can be wrong with the configuration comes before the socket. */
static everr_t listener_prepare(struct http_listener *listener,
				const struct http_listener_config *config,
				const struct http_route *routes,
				size_t num_routes, char **ret_message)
{
	everr_t err;

	err = listener_copy_config(listener, config);
	if (err != EVERR_OK) {
		return err;
	}
	err = listener_copy_routes(listener, routes, num_routes);
	if (err != EVERR_OK) {
		return err;
	}
	err = listener_allow(listener, config->allow, ret_message);
	if (err != EVERR_OK || config->certificate == NULL) {
		return err;
	}
	return http_tls_create(listener, &listener->tls, ret_message);
}

everr_t http_listen(struct http_server *server,
		    const struct http_listener_config *config,
		    const struct http_route *routes, size_t num_routes,
		    struct http_listener **ret_listener, char **ret_message)
{
	struct http_listener *listener = NULL;
	everr_t err;

	if (server->count == HTTP_LISTENERS_MAX) {
		*ret_message = talloc_asprintf(
			server, "listener %s: more than %u listeners",
			config->name, HTTP_LISTENERS_MAX);
		return EVERR_LIMIT;
	}
	listener = talloc_zero(server, struct http_listener);
	if (listener == NULL) {
		return EVERR_NOMEM;
	}
	listener->server = server;
	err = listener_prepare(listener, config, routes, num_routes,
			       ret_message);
	if (err == EVERR_OK) {
		err = listener_open(listener, config, ret_message);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(listener);
		return err;
	}
	err = http_listener_start(listener);
	if (err != EVERR_OK) {
		*ret_message = talloc_asprintf(
			server,
			"listener %s: the HTTP server does not start: %s",
			listener->name, everr_text(err));
		TALLOC_FREE(listener);
		return err;
	}
	server->listeners[server->count++] = listener;
	*ret_listener = listener;
	return EVERR_OK;
}

uint16_t http_listener_port(const struct http_listener *listener)
{
	return listener->port;
}

everr_t http_listener_allow(struct http_listener *listener,
			    const char *const *allow, char **ret_message)
{
	return listener_allow(listener, allow, ret_message);
}

/* ------------------------------------------------------------- numbers */

size_t http_listener_count(const struct http_server *server)
{
	return server->count;
}

void http_listener_stats(const struct http_server *server, size_t index,
			 struct http_stats *ret_stats)
{
	*ret_stats = server->listeners[index]->stats;
}
