/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_HTTP_INTERNAL_H
#define EVENLOG_SOAP_HTTP_INTERNAL_H

/*
 * What the files of the HTTP server share.
 *
 * A listener has a libmicrohttpd daemon without a listening socket: sockets
 * are accepted here (http_listener.c), so that who may connect, how many, and
 * what happens without descriptors is decided here, and each connection's
 * socket is known.  The clock is ours too (http_clock.c); a connection is cut
 * by shutting its socket down, which the library sees as an error.
 */

#include "soap/http.h"
#include "soap/http_address.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/queue.h>

/* Room of a connection's requests and answers beside the header's bytes. */
#define HTTP_POOL_EXTRA 16384
#define HTTP_POOL_MIN 32768

struct http_tls;
struct http_drain;
struct http_early;

/* Whose turn it is, and so which clock runs. */
enum http_phase {
	HTTP_PHASE_HEAD, /* new, or a head has begun */
	HTTP_PHASE_IDLE, /* between requests */
	HTTP_PHASE_BODY,
	HTTP_PHASE_WORK, /* the handler's: no clock */
	HTTP_PHASE_SEND
};

struct http_server {
	struct tevent_context *ev;
	struct operational *operational;
	struct http_listener **listeners;
	size_t count;
};

LIST_HEAD(http_connections, http_connection);

struct http_listener {
	struct http_server *server;
	const char *name;
	struct http_limits limits;
	struct http_allow *allow;
	struct http_route *routes;
	size_t num_routes;
	struct http_tls *tls;	 /* NULL: plain; what new connections get */
	const char *certificate; /* files, see http_listener_config */
	const char *key;
	const char *client_ca;
	enum http_client_certificate client_certificate;
	uint16_t port;

	int fd;
	struct tevent_fd *fde;
	struct tevent_timer *pause; /* accepts nothing for the time being */

	struct MHD_Daemon *daemon;
	struct tevent_fd *daemon_fde;
	int again_fd; /* readable: the daemon wants another turn */
	struct tevent_fd *again_fde;
	bool again;
	bool running; /* the daemon */
	bool woken;
	bool stopping;
	unsigned int lingering; /* closed sockets that are still read */

	struct tevent_timer *tick; /* NULL while there is no connection */
	struct http_connections connections;
	struct http_connection *accepting; /* being added to the daemon */
	struct http_stats stats;
};

struct http_connection {
	LIST_ENTRY(http_connection) link;
	struct http_listener *listener;
	struct MHD_Connection *mhd;
	int fd;
	struct http_address address;
	char address_text[HTTP_ADDRESS_TEXT_MAX];
	struct http_peer peer;
	struct http_exchange *exchange; /* NULL between requests */

	enum http_phase phase;
	uint64_t since;	      /* the phase's begin, milliseconds */
	uint64_t moved;	      /* when bytes last moved in it */
	uint64_t bytes;	      /* that moved in it */
	uint64_t seen;	      /* the socket's counter when last looked at */
	uint64_t half_closed; /* since when the peer sends no more; 0: it may */
	bool peer_named;      /* peer.certificate has been looked for */
	bool cut;	      /* we gave it up; the library has yet to see it */
};

struct http_replay_state;

struct http_exchange {
	struct http_connection *connection; /* NULL: replay is there */
	struct http_replay_state *replay;   /* what stands in for one */
	/*
	 * Its parent, for what must outlive the handler's children: the
	 * answer while it is sent.
	 */
	TALLOC_CTX *memory;
	const char *path;
	const char *query;
	const char *method;
	const struct http_handler *handler;
	void *private_data;
	void *state;
	uint64_t content_length; /* UINT64_MAX: chunked */
	uint64_t body_max;
	uint64_t received;
	uint64_t held; /* of the body, by the library while it is suspended */
	unsigned int pauses;
	uint64_t paused_at;

	bool has_body;
	bool inside;	/* one of the handler's functions runs */
	bool begun;	/* the head was handed over */
	bool reading;	/* the library has gone on to the body */
	bool ended;	/* the body was handed over */
	bool suspended; /* the library waits for us */
	bool answered;
	bool abort; /* close the connection at the next call */

	unsigned int status;
	struct MHD_Response *response; /* not yet queued */
	struct http_early *early;
};

/* ------------------------------------------------------ http_socket.c */

/* A bound and listening socket.  EVERR_CONFIG, EVERR_IO with errno. */
everr_t http_socket_listen(const char *address, uint16_t port, int *ret_fd,
			   uint16_t *ret_port) EVERR_MUST_CHECK;

/* Keepalive and the user timeout of an accepted one. */
void http_socket_prepare(int fd);

/* Bytes that have come in, and that the peer has acknowledged. */
uint64_t http_socket_received(int fd);
uint64_t http_socket_acknowledged(int fd);

/* Bytes that wait to be read. */
uint64_t http_socket_unread(int fd);

/*
 * The peer sends no more; and all it sent has been read; the connection is
 * over by an error.
 */
bool http_socket_half_closed(int fd);
bool http_socket_ended(int fd);
bool http_socket_broken(int fd);

uint64_t http_now_ms(void);

/* ---------------------------------------------------- http_listener.c */

/* listener has its configuration and fd; fd is closed with it. */
everr_t http_listener_start(struct http_listener *listener) EVERR_MUST_CHECK;

/* Let the daemon run without an event on a socket. */
void http_listener_wake(struct http_listener *listener);

/* Give a connection up: its exchange, if any, is told in the next turn. */
void http_connection_cut(struct http_connection *connection);

void http_connection_phase(struct http_connection *connection,
			   enum http_phase phase);

/* ------------------------------------------------------- http_clock.c */

/* Close the one that has waited longest without a request; false: none. */
bool http_clock_make_room(struct http_listener *listener,
			  const struct http_address *address);

/* Run the clock while there are connections. */
void http_clock_start(struct http_listener *listener);

/* ---------------------------------------------------- http_exchange.c */

/* libmicrohttpd's; closure is the listener. */
void *http_exchange_uri(void *closure, const char *uri,
			struct MHD_Connection *mhd);
enum MHD_Result http_exchange_access(void *closure, struct MHD_Connection *mhd,
				     const char *url, const char *method,
				     const char *version, const char *data,
				     size_t *len, void **request);
void http_exchange_completed(void *closure, struct MHD_Connection *mhd,
			     void **request,
			     enum MHD_RequestTerminationCode code);

/* The library takes nothing of it; it goes on. */
void http_exchange_sleep(struct http_exchange *exchange);
void http_exchange_wake(struct http_exchange *exchange);

/* Tell the handler that it ends without an answer of its own. */
void http_exchange_gone(struct http_exchange *exchange);

/* ------------------------------------------------------ http_replay.c */

const char *http_replay_header(const struct http_replay_state *state,
			       const char *name);
const struct http_peer *http_replay_peer(const struct http_replay_state *state);
/* A pause has ended. */
void http_replay_wake(struct http_replay_state *state);
void http_replay_answer(struct http_replay_state *state, unsigned int status);

/* ------------------------------------------------------ http_answer.c */

void http_refuse(struct http_exchange *exchange, unsigned int status,
		 const char *text);

/* ------------------------------------------------------- http_early.c */

/*
 * An answer while the body is still coming, for which the library has no
 * call: written to the socket here.  The connection ends after it.
 */
void http_early_start(struct http_exchange *exchange, unsigned int status,
		      const char *content_type, const struct http_field *fields,
		      size_t num_fields, const uint8_t *body, size_t len);

/*
 * The library is about to close a socket whose peer may still be sending: go
 * on reading for a while, or a reset takes the answer away from it.
 */
void http_linger(struct http_connection *connection);

/* -------------------------------------------------------- http_tls.c */

everr_t http_tls_create(struct http_listener *listener,
			struct http_tls **ret_tls,
			char **ret_message) EVERR_MUST_CHECK;

/* A new session uses what the listener has now.  False: close it. */
bool http_tls_attach(struct http_connection *connection);

/* NULL: plain. */
gnutls_session_t http_tls_session(const struct http_connection *connection);

/* Set peer.certificate, once the handshake is over. */
void http_tls_name_peer(struct http_connection *connection);

/* The library wants one at its start; sessions get their own afterwards. */
int http_tls_no_certificate(gnutls_session_t session,
			    const gnutls_datum_t *req_ca_dn, int nreqs,
			    const gnutls_pk_algorithm_t *pk_algos,
			    int pk_algos_length, gnutls_pcert_st **pcert,
			    unsigned int *pcert_length,
			    gnutls_privkey_t *privkey);

#endif
