/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * The library calls http_exchange_access() with nothing when the head is
 * complete, then with pieces of the body, then with nothing again.  A call
 * that ends in a suspended connection is made once more afterwards.
 */

/* ------------------------------------------------------------ its begin */

/* "http://host/path": what a proxy is sent. */
static const char *uri_skip_authority(const char *uri)
{
	const char *path = NULL;

	if (strncasecmp(uri, "http://", 7) == 0) {
		uri += 7;
	} else if (strncasecmp(uri, "https://", 8) == 0) {
		uri += 8;
	} else {
		return uri;
	}
	path = uri + strcspn(uri, "/?");
	return *path == '/' ? path : "/";
}

static bool exchange_set_uri(struct http_exchange *exchange, const char *uri)
{
	char *path = NULL;
	char *query = NULL;

	uri = uri_skip_authority(uri);
	while (uri[0] == '/' && uri[1] == '/') {
		uri++;
	}
	path = talloc_strdup(exchange->memory, uri);
	if (path == NULL) {
		return false;
	}
	query = strchr(path, '?');
	if (query != NULL) {
		*query++ = '\0';
	}
	exchange->path = path;
	exchange->query = query;
	return true;
}

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = NULL;

	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return talloc_get_type_abort(info->socket_context,
				     struct http_connection);
}

/* NULL closes the connection: at http_exchange_access(). */
void *http_exchange_uri(void *closure, const char *uri,
			struct MHD_Connection *mhd)
{
	struct http_connection *connection = connection_of(mhd);
	struct http_exchange *exchange = NULL;
	TALLOC_CTX *memory = NULL;

	(void)closure;

	memory = talloc_new(connection);
	if (memory == NULL) {
		return NULL;
	}
	exchange = talloc_zero(memory, struct http_exchange);
	if (exchange == NULL) {
		TALLOC_FREE(memory);
		return NULL;
	}
	exchange->memory = memory;
	exchange->connection = connection;
	if (!exchange_set_uri(exchange, uri != NULL ? uri : "")) {
		TALLOC_FREE(memory);
		return NULL;
	}
	if (connection->phase == HTTP_PHASE_IDLE) {
		http_connection_phase(connection, HTTP_PHASE_HEAD);
	}
	connection->exchange = exchange;
	return exchange;
}

/* How many characters of it match, or -1. */
static int route_match(const char *route, const char *path)
{
	size_t len = strlen(route);

	if (len > 0 && route[len - 1] == '*') {
		return strncasecmp(route, path, len - 1) == 0 ? (int)len - 1
							      : -1;
	}
	return strcasecmp(route, path) == 0 ? (int)len : -1;
}

static void exchange_route(struct http_exchange *exchange)
{
	const struct http_listener *listener = exchange->connection->listener;
	int best = -1;
	size_t i;

	for (i = 0; i < listener->num_routes; i++) {
		const struct http_route *route = &listener->routes[i];
		int length = route_match(route->path, exchange->path);

		if (length > best) {
			best = length;
			exchange->handler = route->handler;
			exchange->private_data = route->private_data;
		}
	}
}

static const char *header_raw(const struct http_exchange *exchange,
			      const char *name)
{
	return MHD_lookup_connection_value(exchange->connection->mhd,
					   MHD_HEADER_KIND, name);
}

/* The library has seen to it that it is a number. */
static uint64_t length_parse(const char *text)
{
	uint64_t length = 0;

	for (; isdigit((unsigned char)*text); text++) {
		length = length * 10 + (uint64_t)(*text - '0');
	}
	return length;
}

static enum MHD_Result framing_count(void *closure, enum MHD_ValueKind kind,
				     const char *name, const char *value)
{
	unsigned int *count = closure;

	(void)kind;
	(void)value;
	if (strcasecmp(name, "Content-Length") == 0 ||
	    strcasecmp(name, "Transfer-Encoding") == 0) {
		(*count)++;
	}
	return MHD_YES;
}

static unsigned int framing_fields(const struct http_exchange *exchange)
{
	unsigned int count = 0;

	MHD_get_connection_values(exchange->connection->mhd, MHD_HEADER_KIND,
				  framing_count, &count);
	return count;
}

/*
 * RFC 9112 6.1: an unknown coding is refused; two lengths are how requests
 * are smuggled.  False: it has been answered.
 */
static bool exchange_framing(struct http_exchange *exchange)
{
	/* As the library reads them: "chunked " is not chunked for it. */
	const char *coding = header_raw(exchange, "Transfer-Encoding");
	const char *length = header_raw(exchange, "Content-Length");

	exchange->has_body = true;
	exchange->content_length = UINT64_MAX;
	if (coding != NULL && strcasecmp(coding, "chunked") != 0) {
		http_refuse(exchange, 501,
			    "This transfer coding is not supported; "
			    "send chunked, or a Content-Length.");
		return false;
	}
	if (framing_fields(exchange) > 1) {
		http_refuse(exchange, 400,
			    "The request has more than one Content-Length or "
			    "Transfer-Encoding.");
		return false;
	}
	if (coding != NULL) {
		return true;
	}
	exchange->content_length = length != NULL ? length_parse(length) : 0;
	exchange->has_body = exchange->content_length != 0;
	return true;
}

static bool head_is_too_long(struct http_exchange *exchange)
{
	struct http_connection *connection = exchange->connection;
	const union MHD_ConnectionInfo *info = NULL;

	info = MHD_get_connection_info(connection->mhd,
				       MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info != NULL &&
	       info->header_size > connection->listener->limits.header_bytes;
}

static bool body_is_too_long(const struct http_exchange *exchange,
			     uint64_t received)
{
	if (exchange->content_length != UINT64_MAX) {
		received = exchange->content_length;
	}
	return received > exchange->body_max;
}

static void refuse_body(struct http_exchange *exchange)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "The request's body is longer than the %llu bytes that are "
		 "taken here.",
		 (unsigned long long)exchange->body_max);
	http_refuse(exchange, 413, text);
}

static void exchange_begin(struct http_exchange *exchange)
{
	http_tls_name_peer(exchange->connection);
	exchange->connection->listener->stats.requests++;
	exchange->begun = true;
	http_connection_phase(exchange->connection, HTTP_PHASE_BODY);

	if (head_is_too_long(exchange)) {
		exchange->has_body = true; /* nothing more is read */
		http_refuse(exchange, 431, "The request's header is too long.");
		return;
	}
	if (!exchange_framing(exchange)) {
		return;
	}
	exchange_route(exchange);
	if (exchange->handler == NULL) {
		http_refuse(exchange, 404, "There is nothing at this URL.");
		return;
	}
	if (exchange->handler->begin != NULL) {
		exchange->handler->begin(exchange, exchange->private_data);
	}
	if (!exchange->answered && body_is_too_long(exchange, 0)) {
		refuse_body(exchange);
	}
}

/* -------------------------------------------------------- body and end */

static void exchange_take(struct http_exchange *exchange, const char *data,
			  size_t len)
{
	struct http_connection *connection = exchange->connection;

	exchange->received += len;
	connection->bytes += len;
	connection->moved = http_now_ms();
	connection->listener->stats.received += len;
	if (body_is_too_long(exchange, exchange->received)) {
		refuse_body(exchange);
		return;
	}
	if (exchange->handler->body != NULL) {
		exchange->handler->body(exchange, exchange->private_data,
					(const uint8_t *)data, len);
	}
}

static void exchange_end(struct http_exchange *exchange)
{
	exchange->ended = true;
	http_connection_phase(exchange->connection, HTTP_PHASE_WORK);
	if (exchange->handler->end != NULL) {
		exchange->handler->end(exchange, exchange->private_data);
	}
}

/* ----------------------------------------------------- the library's calls */

void http_exchange_sleep(struct http_exchange *exchange)
{
	if (!exchange->suspended) {
		exchange->suspended = true;
		MHD_suspend_connection(exchange->connection->mhd);
	}
}

void http_exchange_wake(struct http_exchange *exchange)
{
	if (exchange->suspended) {
		exchange->suspended = false;
		MHD_resume_connection(exchange->connection->mhd);
		/* Run from outside, the library wakes nobody for it. */
		http_listener_wake(exchange->connection->listener);
	}
}

static enum MHD_Result exchange_queue(struct http_exchange *exchange)
{
	struct MHD_Response *response = exchange->response;
	enum MHD_Result ret;

	exchange->response = NULL;
	http_connection_phase(exchange->connection, HTTP_PHASE_SEND);
	ret = MHD_queue_response(exchange->connection->mhd, exchange->status,
				 response);
	MHD_destroy_response(response);
	return ret;
}

/* The head: what has been answered by now is not to be read. */
static enum MHD_Result access_head(struct http_exchange *exchange)
{
	if (!exchange->begun) {
		exchange->inside = true;
		exchange_begin(exchange);
		exchange->inside = false;
	}
	if (exchange->abort) {
		return MHD_NO;
	}
	if (exchange->answered && exchange->has_body) {
		return exchange_queue(exchange);
	}
	if (exchange->pauses > 0 && !exchange->answered) {
		http_exchange_sleep(exchange);
		return MHD_YES;
	}
	/*
	 * An answer to a request without a body waits for the next call, or
	 * the library would close the connection after it.
	 */
	exchange->reading = true;
	return MHD_YES;
}

static enum MHD_Result access_body(struct http_exchange *exchange,
				   const char *data, size_t *len)
{
	exchange->held = *len;
	if (exchange->pauses > 0 || exchange->early != NULL) {
		http_exchange_sleep(exchange);
		return MHD_YES;
	}
	exchange->held = 0;
	exchange->inside = true;
	exchange_take(exchange, data, *len);
	exchange->inside = false;
	*len = 0;
	return exchange->abort ? MHD_NO : MHD_YES;
}

static enum MHD_Result access_end(struct http_exchange *exchange)
{
	if (exchange->early != NULL ||
	    (exchange->pauses > 0 && !exchange->answered)) {
		http_exchange_sleep(exchange);
		return MHD_YES;
	}
	if (!exchange->ended && !exchange->answered) {
		exchange->inside = true;
		exchange_end(exchange);
		exchange->inside = false;
	}
	if (exchange->abort) {
		return MHD_NO;
	}
	if (exchange->response != NULL) {
		return exchange_queue(exchange);
	}
	if (!exchange->answered) {
		http_exchange_sleep(exchange);
	}
	return MHD_YES;
}

enum MHD_Result http_exchange_access(void *closure, struct MHD_Connection *mhd,
				     const char *url, const char *method,
				     const char *version, const char *data,
				     size_t *len, void **request)
{
	struct http_exchange *exchange = *request;

	(void)closure;
	(void)mhd;
	(void)url;
	(void)version;

	if (exchange == NULL || exchange->abort) {
		return MHD_NO;
	}
	exchange->method = method;
	if (!exchange->reading) {
		return access_head(exchange);
	}
	if (*len != 0) {
		return access_body(exchange, data, len);
	}
	return access_end(exchange);
}

void http_exchange_gone(struct http_exchange *exchange)
{
	if (exchange->handler != NULL && exchange->handler->gone != NULL) {
		exchange->handler->gone(exchange, exchange->private_data);
	}
	exchange->handler = NULL;
	talloc_free_children(exchange);
}

void http_exchange_completed(void *closure, struct MHD_Connection *mhd,
			     void **request,
			     enum MHD_RequestTerminationCode code)
{
	struct http_exchange *exchange = *request;
	struct http_connection *connection = NULL;

	(void)closure;
	(void)mhd;
	(void)code;

	if (exchange == NULL) {
		return;
	}
	*request = NULL;
	connection = exchange->connection;
	if (exchange->begun && !exchange->answered) {
		connection->listener->stats.answers[0]++;
		exchange->answered = true; /* one from gone() is ignored */
		http_exchange_gone(exchange);
	}
	if (exchange->response != NULL) {
		MHD_destroy_response(exchange->response);
	}
	connection->exchange = NULL;
	talloc_free(exchange->memory);
	http_connection_phase(connection, HTTP_PHASE_IDLE);
}

/* ------------------------------------------------------ what handlers call */

const char *http_method(const struct http_exchange *exchange)
{
	return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
	return exchange->path;
}

const char *http_query(const struct http_exchange *exchange)
{
	return exchange->query;
}

/* The library leaves white space at a value's end: RFC 9112 5.1 does not. */
const char *http_header(const struct http_exchange *exchange, const char *name)
{
	const char *value = NULL;
	size_t len;

	if (exchange->replay != NULL) {
		return http_replay_header(exchange->replay, name);
	}
	value = header_raw(exchange, name);
	if (value == NULL) {
		return NULL;
	}
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
		len--;
	}
	if (value[len] == '\0') {
		return value;
	}
	return talloc_strndup(exchange->memory, value, len);
}

const struct http_peer *http_peer(const struct http_exchange *exchange)
{
	if (exchange->replay != NULL) {
		return http_replay_peer(exchange->replay);
	}
	return &exchange->connection->peer;
}

uint64_t http_content_length(const struct http_exchange *exchange)
{
	return exchange->content_length;
}

void http_set_body_max(struct http_exchange *exchange, uint64_t max)
{
	exchange->body_max = max;
}

void http_set_state(struct http_exchange *exchange, void *state)
{
	exchange->state = state;
}

void *http_state(const struct http_exchange *exchange)
{
	return exchange->state;
}

/* A name or address, with a port: nothing that could leave a URL's host. */
static bool host_is_plain(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._:[]";

	return host[0] != '\0' && host[strspn(host, allowed)] == '\0';
}

static char *local_url(TALLOC_CTX *mem_ctx,
		       const struct http_exchange *exchange)
{
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);
	const char *format = "%s://%s:%u%s";
	int ret;

	ret = getsockname(exchange->connection->fd, (struct sockaddr *)&address,
			  &len);
	if (ret == -1) {
		return NULL;
	}
	if (address.ss_family == AF_INET6) {
		format = "%s://[%s]:%u%s";
	}
	http_address_text((struct sockaddr *)&address, text);
	return talloc_asprintf(
		mem_ctx, format,
		exchange->connection->peer.tls ? "https" : "http", text,
		exchange->connection->listener->port, exchange->path);
}

char *http_url(TALLOC_CTX *mem_ctx, const struct http_exchange *exchange)
{
	const char *host = http_header(exchange, "Host");

	if (exchange->replay != NULL) {
		return talloc_asprintf(mem_ctx, "http://localhost%s",
				       exchange->path);
	}
	if (host == NULL || !host_is_plain(host)) {
		return local_url(mem_ctx, exchange);
	}
	return talloc_asprintf(mem_ctx, "%s://%s%s",
			       exchange->connection->peer.tls ? "https"
							      : "http",
			       host, exchange->path);
}

void http_pause(struct http_exchange *exchange)
{
	if (exchange->pauses == 0) {
		exchange->paused_at = http_now_ms();
	}
	exchange->pauses++;
}

void http_resume(struct http_exchange *exchange)
{
	struct http_connection *connection = exchange->connection;
	uint64_t stood;

	exchange->pauses--;
	if (exchange->pauses > 0) {
		return;
	}
	if (exchange->replay != NULL) {
		http_replay_wake(exchange->replay);
		return;
	}
	stood = http_now_ms() - exchange->paused_at;
	connection->since += stood;
	connection->moved += stood;
	/* One that waits for its answer goes on waiting. */
	if (!exchange->ended && exchange->early == NULL) {
		http_exchange_wake(exchange);
	}
}
