/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soap/fake_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* ------------------------------------------------------- the test's side */

struct http_exchange *fake_exchange(TALLOC_CTX *mem_ctx,
				    const struct http_handler *handler,
				    void *private_data)
{
	struct http_exchange *exchange = NULL;

	exchange = talloc_zero(mem_ctx, struct http_exchange);
	must(exchange != NULL);
	exchange->test = mem_ctx;
	exchange->handler = handler;
	exchange->private_data = private_data;
	exchange->method = "POST";
	exchange->path = "/Service/Service.asmx";
	exchange->content_length = UINT64_MAX;
	exchange->answer = talloc_zero(mem_ctx, struct fake_answer);
	must(exchange->answer != NULL);
	return exchange;
}

void fake_header(struct http_exchange *exchange, const char *name,
		 const char *value)
{
	must(exchange->num_headers < FAKE_HEADERS_MAX);
	exchange->headers[exchange->num_headers++] =
		(struct http_field){name, value};
}

void fake_begin(struct http_exchange *exchange)
{
	exchange->handler->begin(exchange, exchange->private_data);
}

void fake_body(struct http_exchange *exchange, const void *data, size_t len)
{
	if (!exchange->answer->given) {
		exchange->handler->body(exchange, exchange->private_data, data,
					len);
	}
}

void fake_end(struct http_exchange *exchange)
{
	exchange->ended = true;
	if (!exchange->answer->given) {
		exchange->handler->end(exchange, exchange->private_data);
	}
}

/* ---------------------------------------------------- the handler's side */

static const struct http_exchange *usable(const struct http_exchange *exchange)
{
	must(!exchange->answer->given);
	return exchange;
}

const char *http_method(const struct http_exchange *exchange)
{
	return usable(exchange)->method;
}

const char *http_path(const struct http_exchange *exchange)
{
	return usable(exchange)->path;
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
	size_t i;

	for (i = 0; i < usable(exchange)->num_headers; i++) {
		if (strcasecmp(exchange->headers[i].name, name) == 0) {
			return exchange->headers[i].value;
		}
	}
	return NULL;
}

const struct http_peer *http_peer(const struct http_exchange *exchange)
{
	static const struct http_peer peer = {.address = "192.0.2.1",
					      .port = 1024};

	usable(exchange);
	return &peer;
}

char *http_url(TALLOC_CTX *mem_ctx, const struct http_exchange *exchange)
{
	return talloc_asprintf(mem_ctx, "http://server:8530%s",
			       usable(exchange)->path);
}

uint64_t http_content_length(const struct http_exchange *exchange)
{
	return usable(exchange)->content_length;
}

void http_set_body_max(struct http_exchange *exchange, uint64_t max)
{
	usable(exchange);
	exchange->body_max = max;
}

void http_set_state(struct http_exchange *exchange, void *state)
{
	usable(exchange);
	exchange->state = state;
}

void *http_state(const struct http_exchange *exchange)
{
	return usable(exchange)->state;
}

void http_pause(struct http_exchange *exchange)
{
	usable(exchange);
	exchange->pauses++;
}

void http_resume(struct http_exchange *exchange)
{
	usable(exchange);
	must(exchange->pauses > 0);
	exchange->pauses--;
}

static void free_memory(struct tevent_context *ev, struct tevent_immediate *im,
			void *private_data)
{
	struct http_exchange *exchange = private_data;

	talloc_free_children(exchange);
}

void http_answer(struct http_exchange *exchange, unsigned int status,
		 const char *content_type, const struct http_field *fields,
		 size_t num_fields, uint8_t *body, size_t len)
{
	struct fake_answer *answer = exchange->answer;
	struct tevent_immediate *freeing = NULL;
	size_t i;

	must(!answer->given);
	must(len == 0 || talloc_get_size(body) >= len);
	answer->given = true;
	answer->status = status;
	answer->content_type = talloc_strdup(answer, content_type);
	answer->fields = talloc_strdup(answer, "");
	for (i = 0; i < num_fields; i++) {
		answer->fields =
			talloc_asprintf_append(answer->fields, "%s: %s\n",
					       fields[i].name, fields[i].value);
	}
	answer->body = talloc_zero_size(answer, len + 1);
	must(answer->body != NULL);
	if (len > 0) {
		memcpy(answer->body, body, len);
	}
	answer->len = len;
	answer->before_end = !exchange->ended;
	exchange->state = NULL;
	if (exchange->ev == NULL) {
		talloc_free_children(exchange);
		return;
	}
	/* A child of the answer, so that it does not go with the others. */
	freeing = tevent_create_immediate(answer);
	must(freeing != NULL);
	tevent_schedule_immediate(freeing, exchange->ev, free_memory, exchange);
}

void http_answer_text(struct http_exchange *exchange, unsigned int status,
		      const char *text)
{
	uint8_t *body = (uint8_t *)talloc_strdup(exchange, text);

	must(body != NULL);
	http_answer(exchange, status, "text/plain; charset=utf-8", NULL, 0,
		    body, strlen(text));
}
