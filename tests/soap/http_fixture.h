/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_HTTP_FIXTURE_H
#define EVENLOG_TESTS_SOAP_HTTP_FIXTURE_H

/*
 * A server and raw clients in one loop.  Routes of the server:
 *
 *   /echo    the body, once it is complete (at most ECHO_MAX)
 *   /now     answered at the head
 *   /early   answered 400 at the first byte of the body
 *   /later   f->waiting; answered by the test
 *   /paused  f->waiting, paused at the first bytes of the body; "took N"
 *   /count*  any length; "took N"
 *   /large   f->large bytes of 'x'
 *   /text    method, path, query, a header, URL, peer
 */

#include "soap/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define ECHO_MAX 100000

struct http_fixture {
	struct tevent_context *ev;
	struct http_server *server;
	struct http_listener *listener;
	struct http_listener_config config;
	uint16_t port;
	struct http_exchange *waiting;
	size_t large;
	unsigned int begun;
	unsigned int ended;
	unsigned int gone;
	uint64_t taken;
	bool expired;
};

struct http_client {
	struct http_fixture *f;
	int fd;
	struct tevent_fd *fde;
	char *in; /* ended by NUL */
	size_t len;
	bool closed; /* by the server */
	bool reset;
};

/* The configuration to change before http_fixture_start(). */
struct http_fixture *http_fixture_create(TALLOC_CTX *mem_ctx);
void http_fixture_start(struct http_fixture *f);

/* One turn of the loop; fails the test after a minute. */
void http_fixture_turn(struct http_fixture *f);
/* Until condition holds. */
#define http_wait(f, condition)               \
	do {                                  \
		while (!(condition)) {        \
			http_fixture_turn(f); \
		}                             \
	} while (0)
/* What is ready now, without waiting. */
void http_fixture_poll(struct http_fixture *f);
/* The loop for so long. */
void http_fixture_run(struct http_fixture *f, unsigned int milliseconds);
struct http_stats http_fixture_stats(struct http_fixture *f);

/* from: the address to bind to, or NULL. */
struct http_client *http_client_open(struct http_fixture *f, const char *from);
/* All of it, while the loop runs. */
void http_client_send(struct http_client *client, const char *text);
void http_client_send_bytes(struct http_client *client, const void *data,
			    size_t len);
/* Do not read from now on. */
void http_client_deaf(struct http_client *client);
void http_client_hear(struct http_client *client);
void http_client_wait_text(struct http_client *client, const char *text);
void http_client_wait_closed(struct http_client *client);
bool http_client_has(const struct http_client *client, const char *text);
unsigned int http_client_count(const struct http_client *client,
			       const char *text);
void http_client_forget(struct http_client *client);

#endif
