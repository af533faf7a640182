/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_HTTP_H
#define EVENLOG_SOAP_HTTP_H

/*
 * An HTTP/1.1 server on libmicrohttpd, inside the event loop: no threads of
 * its own, bodies handed over as they arrive, answers given whenever they are
 * ready.  Any method goes through (ConfigMgr's is CCM_POST), Expect:
 * 100-continue is answered by the library once the head was accepted.
 *
 * What it carries has no authentication of its own, so a listener serves only
 * the addresses of its allow-list; others are closed when they connect, and
 * reported (store/operational.h).
 */

#include "base/everr.h"
#include "store/operational.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Listeners of one server, and entries of one allow-list. */
#define HTTP_LISTENERS_MAX 64
#define HTTP_ALLOW_MAX 1024

enum http_client_certificate {
	HTTP_CLIENT_CERTIFICATE_NONE, /* not asked for */
	HTTP_CLIENT_CERTIFICATE_OPTIONAL,
	HTTP_CLIENT_CERTIFICATE_REQUIRED
};

/* All of one listener. */
struct http_limits {
	uint32_t connections;
	uint32_t connections_per_address;
	uint32_t header_bytes; /* request line and headers */
	/*
	 * Seconds: of an idle connection between requests; from a request's
	 * first byte to the end of its head; without a byte of the body or of
	 * the answer being taken.  Both must also keep up body_rate bytes a
	 * second on the average, once body_seconds are over.  When no more
	 * connections are allowed, the one that has waited longest without a
	 * request is closed for a new one.
	 */
	uint32_t idle_seconds;
	uint32_t head_seconds;
	uint32_t body_seconds;
	uint32_t body_rate;
};

void http_limits_default(struct http_limits *ret_limits);

struct http_listener_config {
	const char *name;    /* for messages and metrics */
	const char *address; /* IPv4 or IPv6, numeric */
	uint16_t port;	     /* 0: any free one */
	/* "10.1.0.0/16", "::1", ...; ended by NULL.  Others are closed. */
	const char *const *allow;
	const char *certificate; /* PEM files; NULL: plain HTTP */
	const char *key;
	const char *client_ca;	     /* for client certificates */
	uint32_t client_certificate; /* enum http_client_certificate */
	struct http_limits limits;
};

struct http_peer {
	const char *address; /* numeric text */
	uint16_t port;
	bool tls;
	const char *certificate; /* verified client's subject DN, or NULL */
};

struct http_exchange;

/*
 * How the requests of a route are taken.  All are called from the loop, none
 * may block.  begin: the head is complete; it may answer at once (the body is
 * then not read), set a body limit, or attach state as talloc children of the
 * exchange.  body: the next bytes, all of which it takes.  end: the body is
 * complete; an answer follows now or in a later turn.  gone: the peer went or
 * a limit was passed before an answer was given; the exchange, with all its
 * children, is freed when it returns (NULL: nothing to do); an answer from
 * there is ignored.  A peer that has only closed its side counts as gone two
 * seconds later, and at once when its body cannot become whole.  None may
 * free the server.
 */
struct http_handler {
	void (*begin)(struct http_exchange *exchange, void *private_data);
	void (*body)(struct http_exchange *exchange, void *private_data,
		     const uint8_t *data, size_t len);
	void (*end)(struct http_exchange *exchange, void *private_data);
	void (*gone)(struct http_exchange *exchange, void *private_data);
};

/*
 * The path is compared without case, after leading slashes have been made
 * one; one that ends in '*' is a prefix.  The longest match wins.
 */
struct http_route {
	const char *path;
	const struct http_handler *handler;
	void *private_data;
};

struct http_server;
struct http_listener;

/* operational may be NULL.  Freeing the server closes all connections. */
everr_t http_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			   struct operational *operational,
			   struct http_server **ret_server) EVERR_MUST_CHECK;

/*
 * Listen, and serve routes (copied; what they point to stays the caller's).
 *
 * EVERR_CONFIG  an address, allow entry, certificate or key is not usable
 * EVERR_IO      the port is taken, or may not be used
 * EVERR_LIMIT, EVERR_NOMEM
 * *ret_message (child of the server) says what and where.
 */
everr_t http_listen(struct http_server *server,
		    const struct http_listener_config *config,
		    const struct http_route *routes, size_t num_routes,
		    struct http_listener **ret_listener,
		    char **ret_message) EVERR_MUST_CHECK;

/* The port it got. */
uint16_t http_listener_port(const struct http_listener *listener);

/* Other addresses from now on; open connections stay.  EVERR_CONFIG. */
everr_t http_listener_allow(struct http_listener *listener,
			    const char *const *allow,
			    char **ret_message) EVERR_MUST_CHECK;

/* Read the certificate files again; new connections use them. */
everr_t http_listener_reload_tls(struct http_listener *listener,
				 char **ret_message) EVERR_MUST_CHECK;

/* -------------------------------------------------------- an exchange */

const char *http_method(const struct http_exchange *exchange);
/* As sent but for collapsed leading slashes; without the query. */
const char *http_path(const struct http_exchange *exchange);
/* What follows '?', as sent; NULL: none. */
const char *http_query(const struct http_exchange *exchange);
/* The first header of that name, without case; NULL: none. */
const char *http_header(const struct http_exchange *exchange, const char *name);
const struct http_peer *http_peer(const struct http_exchange *exchange);
/* "http://HOST:PORT/path" as the client knows it; child of mem_ctx. */
char *http_url(TALLOC_CTX *mem_ctx, const struct http_exchange *exchange);
/* Content-Length, or UINT64_MAX when it is not known. */
uint64_t http_content_length(const struct http_exchange *exchange);

/*
 * In begin: a longer body is answered 413, at once when Content-Length says
 * so.  The default is 0.
 */
void http_set_body_max(struct http_exchange *exchange, uint64_t max);

void http_set_state(struct http_exchange *exchange, void *state);
void *http_state(const struct http_exchange *exchange);

/*
 * Take no more of the body for the time being (back-pressure); the peer's
 * clock stands still.  Each call of pause wants one of resume.
 */
void http_pause(struct http_exchange *exchange);
void http_resume(struct http_exchange *exchange);

struct http_field {
	const char *name;
	const char *value;
};

/*
 * The answer, once; Content-Type apart (NULL: none), more fields may be given.
 * body (NULL with len 0) is a talloc pointer that becomes the exchange's.
 * After it the exchange must not be used any more.  Before the body was read:
 * the connection is closed after it.
 */
void http_answer(struct http_exchange *exchange, unsigned int status,
		 const char *content_type, const struct http_field *fields,
		 size_t num_fields, uint8_t *body, size_t len);

/* The same with a line of plain text, and without a body for 204. */
void http_answer_text(struct http_exchange *exchange, unsigned int status,
		      const char *text);

/* ------------------------------------------------ without a connection */

/* A request that was kept; all of it stays until it is done. */
struct http_replay {
	const char *method;
	const char *path;
	const struct http_field *fields; /* headers */
	size_t num_fields;
	const char *peer; /* who had sent it */
	const uint8_t *body;
	size_t len;
};

/*
 * Hand it to a handler as if it had come in now, in turns of the loop; no
 * listener counts it.  Done when it was answered, with the answer's status.
 * The exchange, with its children, is a descendant of mem_ctx and goes with
 * the request.  EVERR_NOMEM.
 */
struct tevent_req *http_replay_send(TALLOC_CTX *mem_ctx,
				    struct tevent_context *ev,
				    const struct http_handler *handler,
				    void *private_data,
				    const struct http_replay *request);
everr_t http_replay_recv(struct tevent_req *req,
			 unsigned int *ret_status) EVERR_MUST_CHECK;

/* ----------------------------------------------------------- numbers */

struct http_stats {
	const char *name;     /* the listener's */
	uint32_t connections; /* now */
	uint64_t accepted;
	uint64_t refused; /* by the allow-list */
	uint64_t limited; /* by a number of connections */
	uint64_t timed_out;
	uint64_t requests;
	uint64_t answers[6]; /* by the status' first digit; [0]: none given */
	uint64_t received;   /* bytes of bodies */
	uint64_t sent;
};

size_t http_listener_count(const struct http_server *server);
void http_listener_stats(const struct http_server *server, size_t index,
			 struct http_stats *ret_stats);

#endif
