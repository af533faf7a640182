/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <string.h>

/* An answer the library can send: the body has not begun, or is over. */
static bool answer_is_early(const struct http_exchange *exchange)
{
	return exchange->reading && exchange->has_body && !exchange->ended;
}

static bool response_fields(struct MHD_Response *response,
			    const char *content_type,
			    const struct http_field *fields, size_t num_fields)
{
	enum MHD_Result ret;
	size_t i;

	ret = MHD_add_response_header(response, "Server", "Evenlog");
	if (ret == MHD_YES && content_type != NULL) {
		ret = MHD_add_response_header(response, "Content-Type",
					      content_type);
	}
	for (i = 0; i < num_fields && ret == MHD_YES; i++) {
		ret = MHD_add_response_header(response, fields[i].name,
					      fields[i].value);
	}
	return ret == MHD_YES;
}

static struct MHD_Response *response_create(const char *content_type,
					    const struct http_field *fields,
					    size_t num_fields, uint8_t *body,
					    size_t len)
{
	struct MHD_Response *response = NULL;

	response = MHD_create_response_from_buffer(len, body,
						   MHD_RESPMEM_PERSISTENT);
	if (response == NULL) {
		return NULL;
	}
	if (!response_fields(response, content_type, fields, num_fields)) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

/* Without memory for an answer the connection is closed. */
static void answer_failed(struct http_exchange *exchange)
{
	exchange->abort = true;
	if (exchange->replay != NULL) {
		exchange->answered = true;
		http_replay_answer(exchange->replay, 500);
		return;
	}
	if (!exchange->inside) {
		http_connection_cut(exchange->connection);
	}
}

static void answer_count(struct http_exchange *exchange, unsigned int status,
			 size_t len)
{
	struct http_stats *stats = &exchange->connection->listener->stats;

	stats->answers[status < 600 ? status / 100 : 0]++;
	stats->sent += len;
}

void http_answer(struct http_exchange *exchange, unsigned int status,
		 const char *content_type, const struct http_field *fields,
		 size_t num_fields, uint8_t *body, size_t len)
{
	if (exchange->answered) {
		TALLOC_FREE(body);
		return;
	}
	exchange->answered = true;
	exchange->status = status;
	if (exchange->replay != NULL) {
		talloc_steal(exchange->memory, body);
		http_replay_answer(exchange->replay, status);
		return;
	}
	answer_count(exchange, status, len);
	talloc_steal(exchange->memory, body);
	if (exchange->abort || exchange->connection->cut) {
		return;
	}
	if (answer_is_early(exchange)) {
		http_early_start(exchange, status, content_type, fields,
				 num_fields, body, len);
		return;
	}
	exchange->response =
		response_create(content_type, fields, num_fields, body, len);
	if (exchange->response == NULL) {
		answer_failed(exchange);
		return;
	}
	http_exchange_wake(exchange);
}

void http_answer_text(struct http_exchange *exchange, unsigned int status,
		      const char *text)
{
	char *body = NULL;

	if (status == 204) {
		http_answer(exchange, status, NULL, NULL, 0, NULL, 0);
		return;
	}
	body = talloc_asprintf(exchange->memory, "%s\n", text);
	if (body == NULL) {
		answer_failed(exchange);
		return;
	}
	http_answer(exchange, status, "text/plain; charset=utf-8", NULL, 0,
		    (uint8_t *)body, strlen(body));
}

/* A limit of ours: the handler, if it knows of the request, is told. */
void http_refuse(struct http_exchange *exchange, unsigned int status,
		 const char *text)
{
	/* The handler's own, from gone(), would not be the answer. */
	exchange->answered = true;
	http_exchange_gone(exchange);
	exchange->answered = false;
	http_answer_text(exchange, status, text);
}
