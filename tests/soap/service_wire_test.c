/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The SOAP layer on the HTTP server that it is made for. */

#include "tests/leak.h"
#include "tests/soap/http_fixture.h"

#include "soap/service.h"

#include <string.h>

#define NS "urn:wire"
#define BEGIN                                                              \
	"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'>" \
	"<e:Body><List xmlns='" NS "'><things>"
#define END "</things></List></e:Body></e:Envelope>"

struct wire {
	struct http_fixture *f;
	struct soap_service service;
	struct soap_call *paused;
	unsigned int items;
	unsigned int rejections;
	bool complete;
};

static void list_item(struct soap_call *call, const struct soap_node *item)
{
	struct wire *w = call->private_data;

	w->items++;
	if (strcmp(item->text, "fault") == 0) {
		soap_fault(call, "InvalidParameters", "things");
	}
	if (strcmp(item->text, "pause") == 0) {
		soap_pause(call);
		w->paused = call;
	}
}

static void list_finish(struct soap_call *call)
{
	struct wire *w = call->private_data;

	soap_put_int(soap_answer_begin(call, 0), "Count", w->items);
	soap_answer(call);
}

static const struct soap_operation list = {
	.name = "List",
	.items = "things/Item",
	.item = list_item,
	.finish = list_finish,
};
static const struct soap_operation *const operations[] = {&list, NULL};

static void on_rejected(void *private_data,
			const struct soap_rejected *rejected)
{
	struct wire *w = private_data;

	w->rejections++;
	w->complete = rejected->complete;
}

static struct wire *wire_start(void **state)
{
	struct wire *w = talloc_zero(*state, struct wire);
	struct http_route route = {"/Service.asmx", &soap_handler, &w->service};
	struct http_listener *listener = NULL;
	char *message = NULL;

	w->service = (struct soap_service){
		.path = "/Service.asmx",
		.ns = NS,
		.operations = operations,
		.body_max = (uint64_t)100 * 1024 * 1024,
		.private_data = w,
		.rejected = on_rejected,
	};
	w->f = http_fixture_create(w);
	http_fixture_start(w->f);
	assert_int_equal(http_listen(w->f->server, &w->f->config, &route, 1,
				     &listener, &message),
			 EVERR_OK);
	w->f->port = http_listener_port(listener);
	return w;
}

/* The head, and of the body what there is of it. */
static void post(struct http_client *client, const char *fields, size_t length,
		 const char *body)
{
	char *head = talloc_asprintf(
		client,
		"POST //service.asmx HTTP/1.1\r\nHost: wsus:8530\r\n"
		"Content-Type: text/xml; charset=utf-8\r\n"
		"SOAPAction: \"" NS "/List\"\r\n%sContent-Length: %zu\r\n\r\n",
		fields, length);

	http_client_send(client, head);
	http_client_send(client, body);
}

static void test_calls_follow_each_other_with_a_fault_between(void **state)
{
	static const char good[] = BEGIN "<Item>a</Item><Item>b</Item>" END;
	static const char bad[] = BEGIN "<Item>fault</Item><Item>c</Item>" END;
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);

	post(client, "", strlen(good), good);
	http_client_wait_text(client, "</soap:Envelope>");
	assert_true(http_client_has(client, "HTTP/1.1 200 "));
	assert_true(http_client_has(
		client, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
	assert_true(http_client_has(
		client, "\r\nCache-Control: private, max-age=0\r\n"));
	assert_true(http_client_has(client, "<Count>2</Count>"));
	http_client_forget(client);

	post(client, "", strlen(bad), bad);
	http_client_wait_text(client, "</soap:Envelope>");
	assert_true(http_client_has(client, "HTTP/1.1 500 "));
	assert_true(http_client_has(client, "<faultactor>http://wsus:8530/"
					    "service.asmx</faultactor>"));
	assert_int_equal(w->rejections, 1);
	assert_true(w->complete);
	http_client_forget(client);

	post(client, "", strlen(good), good);
	http_client_wait_text(client, "<Count>5</Count>");
	assert_false(client->closed);
	talloc_free(w);
}

static void test_a_sender_that_expects_100_is_told_to_go_on(void **state)
{
	static const char body[] = BEGIN END;
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);

	post(client, "Expect: 100-continue\r\n", strlen(body), "");
	http_client_wait_text(client, "HTTP/1.1 100 Continue\r\n\r\n");
	http_client_send(client, body);
	http_client_wait_text(client, "<Count>0</Count>");
	talloc_free(w);
}

static void test_a_refused_head_is_answered_before_the_body(void **state)
{
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);

	http_client_send(client, "GET /Service.asmx?WSDL HTTP/1.1\r\n"
				 "Host: a\r\n\r\n");
	http_client_wait_text(client, "HTTP/1.1 405 ");
	http_client_wait_text(client, "use POST.\n");
	assert_true(http_client_has(client, "\r\nAllow: POST\r\n"));
	http_client_forget(client);
	http_client_send(client, "POST /Service.asmx HTTP/1.1\r\nHost: a\r\n"
				 "Content-Type: text/plain\r\n"
				 "Content-Length: 100\r\n\r\n");
	http_client_wait_text(client, "HTTP/1.1 415 ");
	talloc_free(w);
}

/* One that is still sending gets the fault; the rest is not waited for. */
static void test_a_fault_in_a_long_body_reaches_its_sender(void **state)
{
	size_t piece = 1024 * 1024;
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);
	char *blank = talloc_size(client, piece);

	memset(blank, ' ', piece);
	post(client, "", 50 * piece, BEGIN "<Item>fault</Item>");
	http_client_send_bytes(client, blank, piece);
	http_client_wait_text(client, "<ErrorCode>InvalidParameters<");
	assert_int_equal(w->rejections, 1);
	assert_false(w->complete);
	assert_int_equal(w->items, 1);
	talloc_free(w);
}

static void test_a_pause_holds_the_sender_back(void **state)
{
	size_t piece = 100 * 1024;
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);
	char *blank = talloc_size(client, piece);
	static const char begin[] = BEGIN "<Item>pause</Item>";
	static const char end[] = "<Item>b</Item>" END;

	memset(blank, ' ', piece);
	post(client, "", strlen(begin) + piece + strlen(end), begin);
	http_client_send_bytes(client, blank, piece);
	http_client_send(client, end);
	http_wait(w->f, w->paused != NULL);
	http_fixture_run(w->f, 50);
	assert_int_equal(w->items, 1);
	assert_false(http_client_has(client, "HTTP/1.1"));
	soap_resume(w->paused);
	http_client_wait_text(client, "<Count>2</Count>");
	talloc_free(w);
}

static void test_a_peer_that_goes_leaves_nothing(void **state)
{
	struct wire *w = wire_start(state);
	struct http_client *client = http_client_open(w->f, NULL);

	post(client, "", 1000, BEGIN "<Item>a</Item>");
	http_fixture_run(w->f, 20);
	talloc_free(client);
	http_fixture_run(w->f, 20);
	assert_int_equal(w->rejections, 0);
	talloc_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_calls_follow_each_other_with_a_fault_between),
		leak_test(test_a_sender_that_expects_100_is_told_to_go_on),
		leak_test(test_a_refused_head_is_answered_before_the_body),
		leak_test(test_a_fault_in_a_long_body_reaches_its_sender),
		leak_test(test_a_pause_holds_the_sender_back),
		leak_test(test_a_peer_that_goes_leaves_nothing),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
