/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/service.h"

#include "soap/content_type.h"
#include "soap/envelope.h"
#include "soap/fault.h"
#include "soap/reader.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define FAULT_MAX ((size_t)1024 * 1024)

/* Beside each other: a kept body grows by doubling, so it may be half empty. */
#define KEPT_MAX ((size_t)64 * 1024 * 1024)
#define TREES_MAX ((size_t)256 * 1024 * 1024)
#define ANSWERS_MAX ((size_t)256 * 1024 * 1024)

#define SERVER_ERROR "InternalServerError"
#define SERVER_BUSY "ServerBusy"

/* A request from its head to its answer. */
struct soap_exchange {
	struct soap_call call; /* first: operations know this part */
	struct soap_envelope *envelope;
	bool reading; /* a handler of the envelope may be running */
	bool ended;   /* the body is complete */
	unsigned int pauses;

	bool failed; /* values is what is answered */
	struct soap_fault_values values;
	const char *reason; /* for rejected(); NULL: what the fault says */

	struct buf kept; /* of the body, for rejected() */
	struct soap_share *kept_share;
	bool kept_ends; /* no more of it is kept */
	uint64_t received;

	struct buf answer;
	struct soap_writer writer;
	char *response; /* name of its element */
};

static const struct http_field no_cache = {"Cache-Control",
					   "private, max-age=0"};

static struct soap_exchange *exchange_of(struct soap_call *call)
{
	return (struct soap_exchange *)call;
}

static const char *operation_ns(const struct soap_call *call)
{
	return call->operation->ns != NULL ? call->operation->ns
					   : call->service->ns;
}

/* -------------------------------------------------------------- memory */

void soap_budget_default(struct soap_budget *ret_budget)
{
	*ret_budget = (struct soap_budget){
		.kept.max = KEPT_MAX,
		.trees.max = TREES_MAX,
		.answers.max = ANSWERS_MAX,
	};
}

static void keep(struct soap_exchange *x, const uint8_t *data, size_t len)
{
	size_t room = x->kept.max - x->kept.len;
	size_t n = len < room ? len : room;

	x->received += len;
	if (x->kept_ends || x->call.service->rejected == NULL) {
		return;
	}
	if (!soap_share_take(x->kept_share, n)) {
		x->kept_ends = true;
		return;
	}
	buf_put(&x->kept, data, n);
}

/* Nothing is read any more, nor looked at. */
static void reading_free(struct soap_exchange *x)
{
	TALLOC_FREE(x->envelope);
	x->call.request = NULL;
}

/* What an answer does not need while its peer takes it. */
static void request_free(struct soap_exchange *x)
{
	buf_free(&x->kept);
	TALLOC_FREE(x->kept_share);
	reading_free(x);
}

/* The answer's part of what all may take, until it has been sent. */
static bool answer_take(struct soap_exchange *x)
{
	struct soap_budget *budget = x->call.service->budget;
	struct soap_share *share = NULL;

	share = soap_share_create(x->answer.data,
				  budget != NULL ? &budget->answers : NULL);
	return share != NULL && soap_share_take(share, x->answer.size);
}

/* -------------------------------------------------------------- faults */

/* RFC 4122 4.4; "" when there is no randomness. */
static char *random_guid(TALLOC_CTX *mem_ctx)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
		return talloc_strdup(mem_ctx, "");
	}
	b[6] = (uint8_t)(0x40 | (b[6] & 0x0F));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3F));
	return talloc_asprintf(mem_ctx,
			       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			       "%02x%02x%02x%02x%02x%02x",
			       b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
			       b[8], b[9], b[10], b[11], b[12], b[13], b[14],
			       b[15]);
}

static void tell_rejected(struct soap_exchange *x)
{
	const struct soap_service *service = x->call.service;
	const struct soap_fault_values *values = &x->values;
	struct soap_rejected rejected = {
		.exchange = x->call.exchange,
		.error_code = values->error_code,
		.fault_id = values->id,
		.body = x->kept.data,
		.len = x->kept.len,
		.complete = x->ended && x->kept.len == x->received,
	};

	if (service->rejected == NULL) {
		return;
	}
	if (x->call.operation != NULL) {
		rejected.operation = x->call.operation->name;
	}
	rejected.reason =
		x->reason != NULL ? x->reason : soap_fault_describe(x, values);
	service->rejected(service->private_data, &rejected);
}

/* The exchange is gone when this returns. */
static void fault_send(struct soap_exchange *x)
{
	struct http_exchange *exchange = x->call.exchange;
	struct buf out;

	if (x->values.error_code != NULL) {
		x->values.id = random_guid(x);
		x->values.actor = http_url(x, exchange);
		if (x->call.operation != NULL) {
			x->values.method = talloc_asprintf(
				x, "%s/%s", operation_ns(&x->call),
				x->call.operation->name);
		}
	}
	tell_rejected(x);
	request_free(x);

	buf_init(&out, x, FAULT_MAX);
	soap_fault_write(&out, x->call.version, &x->values);
	if (buf_error(&out) != EVERR_OK) {
		http_answer_text(exchange, 500, "The request failed.");
		return;
	}
	http_answer(exchange, 500, soap_envelope_content_type(x->call.version),
		    &no_cache, 1, out.data, out.len);
}

/*
 * Answer now, or when the body is there: one that reads the answer only after
 * it has sent all would be cut off, and what is kept would not be complete.
 * A long rest is not waited for; the connection is then closed.
 */
static void fault_progress(struct soap_exchange *x)
{
	uint64_t length = http_content_length(x->call.exchange);
	uint64_t expected = length != UINT64_MAX ? length : x->received;

	reading_free(x);
	if (x->ended || expected > SOAP_REJECTED_MAX) {
		fault_send(x);
	}
}

/* The first fault counts.  text, code and message go with the exchange. */
static void fault_set(struct soap_exchange *x,
		      const struct soap_fault_values *values)
{
	if (x->failed) {
		return;
	}
	x->failed = true;
	x->values = *values;
	buf_free(&x->answer);
	for (; x->pauses > 0; x->pauses--) {
		http_resume(x->call.exchange);
	}
	/* What reads the body goes on by itself. */
	if (!x->reading) {
		fault_progress(x);
	}
}

/* Texts of a fault; what there is no memory for is left empty. */
static const char *fault_copy(struct soap_exchange *x, const char *text)
{
	const char *copy = talloc_strdup(x, text != NULL ? text : "");

	return copy != NULL ? copy : "";
}

void soap_fault_text(struct soap_call *call, const char *text)
{
	struct soap_exchange *x = exchange_of(call);
	struct soap_fault_values values = {
		.code = SOAP_FAULT_CLIENT,
		.text = fault_copy(x, text),
	};

	fault_set(x, &values);
}

void soap_fault_reason(struct soap_call *call, const char *error_code,
		       const char *message, const char *reason)
{
	struct soap_exchange *x = exchange_of(call);

	/* The first fault counts. */
	if (!x->failed) {
		x->reason = talloc_strdup(x, reason);
		soap_fault(call, error_code, message);
	}
}

void soap_fault(struct soap_call *call, const char *error_code,
		const char *message)
{
	struct soap_exchange *x = exchange_of(call);
	struct soap_fault_values values = {};
	char *text = NULL;

	if (error_code == NULL) {
		soap_fault_text(call, message);
		return;
	}
	if (strcmp(error_code, SERVER_ERROR) == 0) {
		values.code = SOAP_FAULT_SERVER;
	}
	/* Some clients look for the code in this sentence. */
	text = talloc_asprintf(x, "Fault occurred: %s", error_code);
	values.text = text != NULL ? text : "Fault occurred";
	values.error_code = fault_copy(x, error_code);
	values.message = fault_copy(x, message);
	fault_set(x, &values);
}

/* ------------------------------------------------------------- answers */

struct soap_writer *soap_answer_begin(struct soap_call *call, size_t max)
{
	struct soap_exchange *x = exchange_of(call);
	struct soap_writer *writer = &x->writer;

	buf_free(&x->answer);
	buf_init(&x->answer, x, max != 0 ? max : ANSWER_MAX);
	soap_writer_init(writer, &x->answer);
	soap_envelope_open(writer, call->version);
	soap_open(writer, x->response);
	soap_attribute(writer, "xmlns", operation_ns(call));
	return writer;
}

void soap_answer(struct soap_call *call)
{
	struct soap_exchange *x = exchange_of(call);
	struct soap_writer *writer = &x->writer;
	everr_t err;

	soap_close(writer);
	soap_envelope_close(writer);
	err = soap_writer_end(writer);
	if (err != EVERR_OK) {
		soap_fault(call, SERVER_ERROR,
			   err == EVERR_LIMIT ? "the answer is too large" : "");
		return;
	}
	if (!answer_take(x)) {
		soap_fault_reason(call, SERVER_BUSY, NULL,
				  "the answers that other peers have not yet "
				  "taken fill the memory for them; it may be "
				  "asked for again later");
		return;
	}
	request_free(x);
	http_answer(call->exchange, 200,
		    soap_envelope_content_type(call->version), &no_cache, 1,
		    x->answer.data, x->answer.len);
}

/* --------------------------------------------------------- back-pressure */

void soap_pause(struct soap_call *call)
{
	struct soap_exchange *x = exchange_of(call);

	/* There is nothing left to hold back. */
	if (x->ended || x->failed) {
		return;
	}
	x->pauses++;
	http_pause(call->exchange);
}

void soap_resume(struct soap_call *call)
{
	struct soap_exchange *x = exchange_of(call);

	if (x->pauses > 0) {
		x->pauses--;
		http_resume(call->exchange);
	}
}

/* ------------------------------------------------------------ dispatch */

static const struct soap_operation *find_operation(
	const struct soap_service *service, const struct soap_node *node)
{
	const struct soap_operation *const *p = NULL;

	for (p = service->operations; *p != NULL; p++) {
		const char *ns = (*p)->ns != NULL ? (*p)->ns : service->ns;

		if (strcmp((*p)->name, node->name) == 0 &&
		    strcmp(ns, node->ns) == 0) {
			return *p;
		}
	}
	return NULL;
}

/* What the head says the operation is; NULL: nothing. */
static char *head_action(struct soap_exchange *x)
{
	const struct http_exchange *exchange = x->call.exchange;
	const char *action = http_header(exchange, "SOAPAction");
	size_t len;

	if (action == NULL) {
		return content_type_parameter(
			x, http_header(exchange, "Content-Type"), "action");
	}
	action += strspn(action, " \t\"");
	len = strlen(action);
	while (len > 0 && strchr(" \t\"", action[len - 1]) != NULL) {
		len--;
	}
	return talloc_strndup(x, action, len);
}

/* "NS/Name", or only "Name" as hand-made clients send it. */
static bool action_names(const char *action, const struct soap_call *call)
{
	const char *ns = operation_ns(call);
	size_t len = strlen(ns);

	if (strchr(action, '/') != NULL && strncmp(action, ns, len) == 0 &&
	    action[len] == '/') {
		action += len + 1;
	}
	return strcmp(action, call->operation->name) == 0;
}

static bool action_agrees(struct soap_exchange *x)
{
	char *action = head_action(x);
	bool agrees;

	agrees = action == NULL || action[0] == '\0' ||
		 action_names(action, &x->call);
	TALLOC_FREE(action);
	return agrees;
}

static void refuse_operation(struct soap_exchange *x,
			     const struct soap_node *node)
{
	char *text = talloc_asprintf(x, "there is no such operation here: %s",
				     node->name);

	soap_fault_text(&x->call, text);
}

static everr_t on_operation(void *private_data, const struct soap_node *node,
			    const char **ret_items)
{
	struct soap_exchange *x = private_data;
	struct soap_call *call = &x->call;

	(void)soap_envelope_version(x->envelope, &call->version);
	call->operation = find_operation(call->service, node);
	if (call->operation == NULL) {
		refuse_operation(x, node);
		return EVERR_PROTOCOL;
	}
	if (!action_agrees(x)) {
		soap_fault_text(call, "the SOAP action names another operation "
				      "than the body");
		return EVERR_PROTOCOL;
	}
	call->request = node;
	x->response = talloc_asprintf(x, "%sResponse", call->operation->name);
	call->state = talloc_zero_size(x, call->operation->state_size);
	if (x->response == NULL || call->state == NULL) {
		return EVERR_NOMEM;
	}
	*ret_items = call->operation->items;
	return EVERR_OK;
}

static everr_t on_item(void *private_data, const struct soap_node *item)
{
	struct soap_exchange *x = private_data;

	x->call.operation->item(&x->call, item);
	return x->failed ? EVERR_PROTOCOL : EVERR_OK;
}

static const struct soap_envelope_handler envelope_handler = {
	.operation = on_operation,
	.item = on_item,
};

/* What the envelope did not like, unless an operation has failed it. */
static void envelope_failed(struct soap_exchange *x, everr_t err)
{
	struct soap_fault_values values = {};
	char *text = NULL;

	if (x->failed) {
		return;
	}
	if (err == EVERR_NOMEM) {
		soap_fault_reason(&x->call, SERVER_BUSY, NULL,
				  "requests that are being read fill the "
				  "memory for them; it may be sent again "
				  "later");
		return;
	}
	(void)soap_envelope_version(x->envelope, &x->call.version);
	text = soap_envelope_fault(x->envelope, x, &values.code);
	values.text = text != NULL ? text : "the request can't be read";
	fault_set(x, &values);
}

/* ----------------------------------------------------- soap/http.h's side */

static bool charset_is_known(TALLOC_CTX *mem_ctx, const char *content_type)
{
	char *charset = NULL;
	bool known;

	charset = content_type_parameter(mem_ctx, content_type, "charset");
	known = charset == NULL || soap_reader_knows(charset, strlen(charset));
	TALLOC_FREE(charset);
	return known;
}

static void refuse_method(struct http_exchange *exchange)
{
	static const char text[] = "This is a SOAP service: use POST.\n";
	const struct http_field allow = {"Allow", "POST"};
	uint8_t *body = talloc_memdup(exchange, text, strlen(text));

	http_answer(exchange, 405, "text/plain; charset=utf-8", &allow, 1, body,
		    body != NULL ? strlen(text) : 0);
}

/* True: the head is refused, and the exchange gone. */
static bool head_refused(struct http_exchange *exchange)
{
	const char *type = http_header(exchange, "Content-Type");
	const char *encoding = http_header(exchange, "Content-Encoding");

	if (strcmp(http_method(exchange), "POST") != 0) {
		refuse_method(exchange);
		return true;
	}
	if (encoding != NULL && strcasecmp(encoding, "identity") != 0) {
		http_answer_text(exchange, 415,
				 "Compressed requests are not supported.");
		return true;
	}
	if (type == NULL || (!content_type_is(type, "text/xml") &&
			     !content_type_is(type, "application/soap+xml"))) {
		http_answer_text(exchange, 415,
				 "The content type must be text/xml or "
				 "application/soap+xml.");
		return true;
	}
	if (!charset_is_known(exchange, type)) {
		http_answer_text(exchange, 415,
				 "The charset must be utf-8 or utf-16.");
		return true;
	}
	return false;
}

static void handle_begin(struct http_exchange *exchange, void *private_data)
{
	const struct soap_service *service = private_data;
	struct soap_budget *budget = service->budget;
	struct soap_exchange *x = NULL;
	everr_t err;

	if (head_refused(exchange)) {
		return;
	}
	x = talloc_zero(exchange, struct soap_exchange);
	if (x == NULL) {
		http_answer_text(exchange, 500, "The service has no memory.");
		return;
	}
	x->call.service = service;
	x->call.exchange = exchange;
	x->call.private_data = service->private_data;
	if (content_type_is(http_header(exchange, "Content-Type"),
			    "application/soap+xml")) {
		x->call.version = SOAP_1_2;
	}
	buf_init(&x->kept, x, SOAP_REJECTED_MAX);
	buf_init(&x->answer, x, ANSWER_MAX);
	x->kept_share =
		soap_share_create(x, budget != NULL ? &budget->kept : NULL);
	err = soap_envelope_create(x, &envelope_handler, x,
				   budget != NULL ? &budget->trees : NULL,
				   &x->envelope);
	if (x->kept_share == NULL || err != EVERR_OK) {
		http_answer_text(exchange, 500, "The service has no memory.");
		return;
	}
	http_set_body_max(exchange, service->body_max);
	http_set_state(exchange, x);
}

static void handle_body(struct http_exchange *exchange, void *private_data,
			const uint8_t *data, size_t len)
{
	struct soap_exchange *x = http_state(exchange);
	everr_t err;

	keep(x, data, len);
	if (!x->failed) {
		x->reading = true;
		err = soap_envelope_feed(x->envelope, data, len);
		if (err != EVERR_OK) {
			envelope_failed(x, err);
		}
		x->reading = false;
	}
	if (x->failed) {
		fault_progress(x);
	}
}

static void handle_end(struct http_exchange *exchange, void *private_data)
{
	struct soap_exchange *x = http_state(exchange);
	everr_t err;

	x->ended = true;
	if (!x->failed) {
		x->reading = true;
		err = soap_envelope_end(x->envelope);
		if (err != EVERR_OK) {
			envelope_failed(x, err);
		}
		x->reading = false;
	}
	if (x->failed) {
		fault_send(x);
		return;
	}
	x->call.operation->finish(&x->call);
}

const struct http_handler soap_handler = {
	.begin = handle_begin,
	.body = handle_body,
	.end = handle_end,
};
