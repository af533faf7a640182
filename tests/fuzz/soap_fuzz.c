/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a request to a SOAP service, cut where the input says: its
 * first byte chooses the content type and the length of the pieces, and which
 * calls an operation answers, faults, pauses or leaves to the end.  An
 * exchange that is not left alone is answered exactly once; an item is whole;
 * a fault was reported first.
 */

#include "tests/soap/fake_http.h"

#include "soap/service.h"

#include <stdlib.h>
#include <string.h>

#define NS "http://www.microsoft.com/SoftwareDistribution"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	unsigned int turn;
	unsigned int rejections;
	unsigned int paused;
	struct soap_call *call;
};

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Every scalar of every text, as often as there are elements. */
static void walk(const struct soap_node *node, unsigned int depth)
{
	const struct soap_attribute *a = NULL;
	struct ev_guid guid;
	uint64_t time;
	int64_t number;
	bool boolean;
	struct buf out;

	must(depth <= SOAP_DEPTH_MAX);
	for (; node != NULL; node = node->next) {
		must(strlen(node->text) == node->text_len);
		must(node->name[0] != '\0' && node->ns != NULL);
		for (a = node->attributes; a != NULL; a = a->next) {
			must(soap_attr(node, a->name) != NULL);
		}
		if (soap_get_int(node->text, -5, 5, &number) == EVERR_OK) {
			must(number >= -5 && number <= 5);
		}
		if (soap_get_time(node->text, &time) == EVERR_OK) {
			must(time <= 2650467743999999999);
		}
		if (soap_get_bool(node->text, &boolean) == EVERR_OK) {
			must(strpbrk(node->text, "01es") != NULL);
		}
		if (soap_get_guid(node->text, &guid) == EVERR_OK) {
			must(node->text_len >= 36);
		}
		buf_init(&out, NULL, 100);
		if (soap_get_base64(node->text, &out) == EVERR_OK) {
			must(out.len <= node->text_len / 4 * 3);
		}
		buf_free(&out);
		walk(node->children, depth + 1);
	}
}

static void list_item(struct soap_call *call, const struct soap_node *item)
{
	struct fuzz *fuzz = call->private_data;
	unsigned int *items = call->state;

	must(soap_child(call->request, "list") != NULL);
	must(item->next == NULL);
	walk(item, 3);
	walk(call->request, 2);
	(*items)++;
	switch (fuzz->turn++ % 16) {
	case 13:
		soap_pause(call);
		fuzz->paused++;
		fuzz->call = call;
		break;
	case 15:
		soap_fault(call, "InvalidParameters", item->text);
		break;
	default:
		break;
	}
}

static void put_back(struct soap_writer *writer, const struct soap_node *node)
{
	for (; node != NULL; node = node->next) {
		soap_open(writer, "item");
		soap_attribute(writer, "name", node->name);
		soap_data(writer, node->text, node->text_len);
		put_back(writer, node->children);
		soap_close(writer);
	}
}

static void finish(struct soap_call *call)
{
	struct fuzz *fuzz = call->private_data;

	walk(call->request, 2);
	if (fuzz->turn % 4 == 3) {
		soap_fault(call, "InternalServerError", "");
		return;
	}
	put_back(soap_answer_begin(call, 10000), call->request);
	soap_answer(call);
}

static const struct soap_operation list = {
	.name = "List",
	.items = "list/item",
	.state_size = sizeof(unsigned int),
	.item = list_item,
	.finish = finish,
};
static const struct soap_operation echo = {.name = "Echo", .finish = finish};
static const struct soap_operation *const operations[] = {&list, &echo,
							  &soap_ping, NULL};

static void rejected(void *private_data, const struct soap_rejected *rejected)
{
	struct fuzz *fuzz = private_data;

	fuzz->rejections++;
	must(rejected->reason[0] != '\0');
	must((rejected->error_code == NULL) == (rejected->fault_id == NULL));
}

static void resume(struct fuzz *fuzz)
{
	for (; fuzz->paused > 0; fuzz->paused--) {
		soap_resume(fuzz->call);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {
		"text/xml; charset=utf-8",
		"application/soap+xml; action=\"" NS "/List\"",
		"text/xml; charset=utf-16", "application/soap+xml"};
	struct fuzz fuzz = {};
	struct soap_service service = {
		.path = "/",
		.ns = NS,
		.operations = operations,
		.body_max = UINT64_MAX,
		.private_data = &fuzz,
		.rejected = rejected,
	};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct http_exchange *exchange = NULL;
	size_t piece;

	if (size == 0) {
		talloc_free(mem_ctx);
		return 0;
	}
	fuzz.turn = data[0];
	piece = 1 + (data[0] >> 2) * (data[0] >> 2);
	exchange = fake_exchange(mem_ctx, &soap_handler, &service);
	fake_header(exchange, "Content-Type", types[data[0] & 3]);
	fake_begin(exchange);
	for (data++, size--; size > 0 && !exchange->answer->given;) {
		size_t n = size < piece ? size : piece;

		fake_body(exchange, data, n);
		data += n;
		size -= n;
		if (!exchange->answer->given) {
			/* None is left where the request has failed. */
			must(exchange->pauses == fuzz.paused ||
			     exchange->pauses == 0);
			resume(&fuzz);
		}
	}
	fake_end(exchange);
	must(exchange->answer->given);
	must(exchange->answer->status == 200 ||
	     exchange->answer->status == 500);
	must(fuzz.rejections == (exchange->answer->status == 500));
	talloc_free(mem_ctx);
	return 0;
}
