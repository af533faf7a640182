/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_FAKE_HTTP_H
#define EVENLOG_TESTS_SOAP_FAKE_HTTP_H

/*
 * soap/http.h's exchange without a network: a test is the peer.  It is as
 * strict as its contract: what hangs on an exchange is freed when it is
 * answered, and what is called afterwards aborts.
 */

#include "soap/http.h"

#include <tevent.h>

#define FAKE_HEADERS_MAX 8

struct fake_answer {
	bool given;
	unsigned int status;
	char *content_type;
	char *fields; /* "Name: value\n" each */
	char *body;   /* ended by NUL */
	size_t len;
	bool before_end; /* the connection is closed after it */
};

struct http_exchange {
	TALLOC_CTX *test; /* what outlives the exchange */
	/*
	 * Where what hangs on an exchange is freed, in a turn of its own as
	 * the real one does: an answer may be given by what hangs on it.
	 * NULL: at once.
	 */
	struct tevent_context *ev;
	const struct http_handler *handler;
	void *private_data;
	const char *method;
	const char *path;
	struct http_field headers[FAKE_HEADERS_MAX];
	size_t num_headers;
	uint64_t content_length;
	uint64_t body_max;
	void *state;
	unsigned int pauses;
	bool ended;
	struct fake_answer *answer;
};

/* A POST whose length is not known; child of mem_ctx. */
struct http_exchange *fake_exchange(TALLOC_CTX *mem_ctx,
				    const struct http_handler *handler,
				    void *private_data);
void fake_header(struct http_exchange *exchange, const char *name,
		 const char *value);

/* Nothing is passed on once an answer was given. */
void fake_begin(struct http_exchange *exchange);
void fake_body(struct http_exchange *exchange, const void *data, size_t len);
void fake_end(struct http_exchange *exchange);

#endif
