/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "tests/soap/fake_http.h"

#include "soap/service.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define NS "http://www.microsoft.com/SoftwareDistribution"
#define MONITOR_NS NS "/Server/IMonitorable"
#define ENV_1_1 "http://schemas.xmlsoap.org/soap/envelope/"
#define ENV_1_2 "http://www.w3.org/2003/05/soap-envelope"

#define TYPE_1_1 "text/xml; charset=utf-8"
#define TYPE_1_2 "application/soap+xml; charset=utf-8"

#define ENVELOPE(ns, inside) \
	"<s:Envelope xmlns:s='" ns "'>" inside "</s:Envelope>"
#define BODY(ns, inside) ENVELOPE(ns, "<s:Body>" inside "</s:Body>")

#define HEAD_1_1                                                   \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"               \
	"<soap:Envelope xmlns:soap=\"" ENV_1_1 "\" "               \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" " \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>"
#define HEAD_1_2                                                   \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"               \
	"<soap:Envelope xmlns:soap=\"" ENV_1_2 "\" "               \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" " \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>"
#define TAIL "</soap:Body></soap:Envelope>"

/* ----------------------------------------------------- a service to test */

struct seen {
	TALLOC_CTX *mem_ctx;
	char *log;		/* what the operations saw */
	struct soap_call *call; /* Later's, or one paused by an item */
	/* What rejected() was told. */
	unsigned int rejections;
	char *operation, *reason, *error_code, *fault_id, *body;
	bool complete;
};

static void seen_log(struct seen *seen, const char *what)
{
	seen->log = talloc_asprintf_append(seen->log, "%s;", what);
}

static char *copy(struct seen *seen, const char *text)
{
	return text != NULL ? talloc_strdup(seen->mem_ctx, text) : NULL;
}

static void on_rejected(void *private_data,
			const struct soap_rejected *rejected)
{
	struct seen *seen = private_data;

	/* The exchange is still there to ask. */
	assert_string_equal(http_peer(rejected->exchange)->address,
			    "192.0.2.1");
	seen->rejections++;
	seen->operation = copy(seen, rejected->operation);
	seen->reason = copy(seen, rejected->reason);
	seen->error_code = copy(seen, rejected->error_code);
	seen->fault_id = copy(seen, rejected->fault_id);
	seen->body = talloc_strndup(seen->mem_ctx, (const char *)rejected->body,
				    rejected->len);
	seen->complete = rejected->complete;
}

/* Echo: Text comes back. */
static void echo_finish(struct soap_call *call)
{
	const char *text = soap_text(call->request, "Text");
	struct soap_writer *writer = NULL;

	if (text != NULL && strcmp(text, "fail") == 0) {
		soap_fault(call, "InvalidCookie", NULL);
		return;
	}
	if (text != NULL && strcmp(text, "break") == 0) {
		soap_fault(call, "InternalServerError", "a <disk> failed");
		return;
	}
	writer = soap_answer_begin(call, 1000);
	soap_put(writer, "EchoResult", text);
	soap_answer(call);
}

static const struct soap_operation echo = {.name = "Echo",
					   .finish = echo_finish};

/* List: its items are counted. */
struct list_state {
	unsigned int items;
};

static void list_item(struct soap_call *call, const struct soap_node *item)
{
	struct seen *seen = call->private_data;
	struct list_state *state = call->state;
	const char *text = item->text;

	assert_string_equal(item->name, "Item");
	assert_non_null(soap_child(call->request, "things"));
	assert_null(soap_child(call->request, "things")->children);
	state->items++;
	seen_log(seen,
		 soap_text(item, "Id") != NULL ? soap_text(item, "Id") : text);
	if (strcmp(text, "fault") == 0) {
		soap_fault(call, "InvalidParameters", "things");
	}
	if (strcmp(text, "pause") == 0) {
		seen->call = call;
		soap_pause(call);
	}
}

static void list_finish(struct soap_call *call)
{
	const struct soap_node *things = soap_child(call->request, "things");
	struct list_state *state = call->state;
	struct soap_writer *writer = soap_answer_begin(call, 0);

	soap_put_int(writer, "Count", state->items);
	soap_put_bool(writer, "Things", things != NULL);
	soap_put(writer, "Last", soap_text(call->request, "last"));
	soap_answer(call);
}

static const struct soap_operation list = {
	.name = "List",
	.items = "things/Item",
	.state_size = sizeof(struct list_state),
	.item = list_item,
	.finish = list_finish,
};

/* Later: answered by the test. */
static void later_finish(struct soap_call *call)
{
	struct seen *seen = call->private_data;

	seen->call = call;
}

static const struct soap_operation later = {.name = "Later",
					    .finish = later_finish};

static const struct soap_operation *const operations[] = {&echo, &list, &later,
							  &soap_ping, NULL};

static struct soap_service service_of(struct seen *seen)
{
	return (struct soap_service){
		.path = "/Service/Service.asmx",
		.ns = NS,
		.operations = operations,
		.body_max = 12345,
		.private_data = seen,
		.rejected = on_rejected,
	};
}

static struct seen seen_of(void **state)
{
	return (struct seen){.mem_ctx = *state,
			     .log = talloc_strdup(*state, "")};
}

/* One whole exchange; the head's action may be NULL. */
static const struct fake_answer *post(void **state, struct seen *seen,
				      const char *type, const char *action,
				      const char *body)
{
	struct soap_service service = service_of(seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);

	fake_header(exchange, "Content-Type", type);
	if (action != NULL) {
		fake_header(exchange, "SOAPAction", action);
	}
	fake_begin(exchange);
	fake_body(exchange, body, strlen(body));
	fake_end(exchange);
	assert_true(exchange->answer->given);
	assert_int_equal(exchange->pauses, 0);
	return exchange->answer;
}

static const struct fake_answer *post_1_1(void **state, struct seen *seen,
					  const char *body)
{
	return post(state, seen, TYPE_1_1, NULL, body);
}

static void answers(const struct fake_answer *answer, unsigned int status,
		    const char *type, const char *body)
{
	assert_string_equal(answer->body, body);
	assert_int_equal(answer->status, status);
	assert_string_equal(answer->content_type, type);
	assert_string_equal(answer->fields,
			    "Cache-Control: private, max-age=0\n");
}

/* A fault without detail. */
static void faults(const struct fake_answer *answer, const char *code,
		   const char *words)
{
	xmlDoc *doc = xmlReadMemory(answer->body, (int)answer->len, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR);
	char *text = NULL;

	assert_int_equal(answer->status, 500);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	text = talloc_asprintf(answer,
			       "<soap:Fault><faultcode>%s</faultcode>"
			       "<faultstring>",
			       code);
	if (strstr(answer->content_type, "soap+xml") != NULL) {
		text = talloc_asprintf(answer,
				       "<soap:Fault><soap:Code><soap:Value>%s"
				       "</soap:Value></soap:Code>",
				       code);
	}
	assert_non_null(strstr(answer->body, text));
	if (strstr(answer->body, words) == NULL) {
		fail_msg("%s: %s", words, answer->body);
	}
	assert_null(strstr(answer->body, "etail"));
}

/* ---------------------------------------------------------------- tests */

static void test_both_versions_are_answered_in_their_own(void **state)
{
	struct seen seen = seen_of(state);

	answers(post(state, &seen, TYPE_1_1, "\"" NS "/Echo\"",
		     BODY(ENV_1_1, "<Echo xmlns='" NS "'>"
				   "<Text>a &lt; b</Text></Echo>")),
		200, TYPE_1_1,
		HEAD_1_1 "<EchoResponse xmlns=\"" NS "\">"
			 "<EchoResult>a &lt; b</EchoResult>"
			 "</EchoResponse>" TAIL);
	answers(post(state, &seen, TYPE_1_2 "; action=\"" NS "/Echo\"", NULL,
		     BODY(ENV_1_2, "<q:Echo xmlns:q='" NS "'>"
				   "<q:Text>x</q:Text></q:Echo>")),
		200, TYPE_1_2,
		HEAD_1_2 "<EchoResponse xmlns=\"" NS "\">"
			 "<EchoResult>x</EchoResult></EchoResponse>" TAIL);
	/* The type of the one, the envelope of the other. */
	answers(post(state, &seen, TYPE_1_1, NULL,
		     BODY(ENV_1_2, "<Echo xmlns='" NS "'/>")),
		200, TYPE_1_2,
		HEAD_1_2 "<EchoResponse xmlns=\"" NS "\" />" TAIL);
	/* What is nil is not there. */
	answers(post_1_1(state, &seen,
			 BODY(ENV_1_1,
			      "<Echo xmlns='" NS "' xmlns:i='http://www.w3.org/"
			      "2001/XMLSchema-instance'><Text i:nil='true'>"
			      "<Text>x</Text>y</Text><Text>z</Text></Echo>")),
		200, TYPE_1_1,
		HEAD_1_1 "<EchoResponse xmlns=\"" NS "\"><EchoResult>z"
			 "</EchoResult></EchoResponse>" TAIL);
	assert_int_equal(seen.rejections, 0);
}

static void test_the_action_may_be_written_in_any_usual_way(void **state)
{
	static const char *const actions[] = {
		"\"" NS "/Echo\"",  NS "/Echo", "Echo", "\"Echo\"", "\"\"", "",
		" \"" NS "/Echo\" "};
	struct seen seen = seen_of(state);
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		assert_int_equal(post(state, &seen, TYPE_1_1, actions[i],
				      BODY(ENV_1_1, "<Echo xmlns='" NS "'/>"))
					 ->status,
				 200);
	}
	assert_int_equal(post(state, &seen,
			      "application/soap+xml;charset=UTF-8;"
			      "action=\"" NS "/Echo\"",
			      NULL, BODY(ENV_1_2, "<Echo xmlns='" NS "'/>"))
				 ->status,
			 200);
}

static void test_an_action_of_another_operation_is_refused(void **state)
{
	static const char *const actions[] = {
		"\"" NS "/List\"",  "List",
		MONITOR_NS "/Echo", NS "/",
		NS "Echo",	    "http://other/Echo"};
	struct seen seen = seen_of(state);
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		faults(post(state, &seen, TYPE_1_1, actions[i],
			    BODY(ENV_1_1, "<Echo xmlns='" NS "'/>")),
		       "soap:Client", "action");
	}
	faults(post(state, &seen, TYPE_1_2 "; action=\"" NS "/List\"", NULL,
		    BODY(ENV_1_2, "<Echo xmlns='" NS "'/>")),
	       "soap:Sender", "action");
	assert_string_equal(seen.operation, "Echo");
}

static void test_what_is_no_request_is_a_fault_without_detail(void **state)
{
	static const struct {
		const char *body;
		const char *words;
	} table[] = {
		{"", "no XML document"},
		{" \r\n", "no XML document"},
		{"hello", "not XML"},
		{"<a", "line 1"},
		{"<body>", "not a SOAP envelope"},
		{"<Envelope>", "neither"},
		{ENVELOPE(ENV_1_1, ""), "no Body"},
		{ENVELOPE(ENV_1_1, "<s:Header/>"), "no Body"},
		{ENVELOPE(ENV_1_1, "<Body><Echo xmlns='" NS "'/></Body>"),
		 "no Body"},
		{BODY(ENV_1_1, ""), "no Body"},
		{BODY(ENV_1_1, "text"), "no Body"},
		{BODY(ENV_1_1, "<Nothing xmlns='" NS "'/>"),
		 "no such operation"},
		{BODY(ENV_1_1, "<Echo/>"), "no such operation"},
		{BODY(ENV_1_1, "<Echo xmlns='" NS "/'/>"), "no such operation"},
		{BODY(ENV_1_1, "<Ping xmlns='" NS "'/>"), "no such operation"},
		{BODY(ENV_1_1, "<Echo xmlns='" NS "'>&x;</Echo>"), "line 1"},
		{BODY(ENV_1_1, "<Echo xmlns='" NS "'><u:Text/></Echo>"),
		 "line 1"},
		{BODY(ENV_1_1, "<Echo xmlns='" NS "'/>") "<more/>", "line 1"},
		{"<!DOCTYPE a><a/>", "document type"},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct seen seen = seen_of(state);
		const char *code = strcmp(table[i].words, "neither") == 0
					   ? "soap:VersionMismatch"
					   : "soap:Client";

		faults(post_1_1(state, &seen, table[i].body), code,
		       table[i].words);
		assert_int_equal(seen.rejections, 1);
		assert_null(seen.error_code);
		assert_null(seen.fault_id);
		assert_true(seen.complete);
		assert_string_equal(seen.body, table[i].body);
	}
}

static void test_an_unknown_envelope_is_a_version_mismatch(void **state)
{
	struct seen seen = seen_of(state);
	const char *body = BODY("http://www.w3.org/2002/06/soap-envelope",
				"<Echo xmlns='" NS "'/>");

	faults(post_1_1(state, &seen, body), "soap:VersionMismatch", "SOAP");
	faults(post(state, &seen, TYPE_1_2, NULL, body), "soap:VersionMismatch",
	       "SOAP");
}

static void test_headers_are_skipped_unless_they_must_be_understood(
	void **state)
{
#define HEADER(ns, attributes)                                            \
	ENVELOPE(ns, "<s:Header><h xmlns='urn:h' " attributes ">"         \
		     "<deep><Echo xmlns='" NS "'/></deep></h></s:Header>" \
		     "<s:Body><Echo xmlns='" NS "'/></s:Body>")
	static const char *const skipped[] = {
		HEADER(ENV_1_1, ""),
		HEADER(ENV_1_1, "s:mustUnderstand='0'"),
		HEADER(ENV_1_1, "mustUnderstand='1'"),
		HEADER(ENV_1_2, "s:mustUnderstand='false'"),
		HEADER(ENV_1_1, "s:mustUnderstand='1' s:actor='http://other/'"),
		HEADER(ENV_1_2, "s:mustUnderstand='true' s:role='" ENV_1_2
				"/role/none'"),
	};
	static const char *const refused[] = {
		HEADER(ENV_1_1, "s:mustUnderstand='1'"),
		HEADER(ENV_1_1, "s:mustUnderstand='1' s:actor=''"),
		HEADER(ENV_1_1, "s:mustUnderstand='1' s:actor='http://"
				"schemas.xmlsoap.org/soap/actor/next'"),
		HEADER(ENV_1_2, "s:mustUnderstand='true'"),
		HEADER(ENV_1_2, "s:mustUnderstand='1' s:role='" ENV_1_2
				"/role/ultimateReceiver'"),
	};
	struct seen seen = seen_of(state);
	size_t i;

	for (i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		assert_int_equal(post_1_1(state, &seen, skipped[i])->status,
				 200);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		faults(post_1_1(state, &seen, refused[i]),
		       "soap:MustUnderstand", "header");
	}
#undef HEADER
}

static void test_a_fault_has_the_detail_that_clients_look_for(void **state)
{
	struct seen seen = seen_of(state);
	const struct fake_answer *answer = NULL;
	char *want = NULL;

	answer = post_1_1(state, &seen,
			  BODY(ENV_1_1, "<Echo xmlns='" NS "'>"
					"<Text>fail</Text></Echo>"));
	assert_int_equal(seen.rejections, 1);
	assert_string_equal(seen.operation, "Echo");
	assert_string_equal(seen.error_code, "InvalidCookie");
	assert_int_equal(strlen(seen.fault_id), 36);
	want = talloc_asprintf(
		*state,
		HEAD_1_1
		"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>"
		"Fault occurred: InvalidCookie</faultstring><faultactor>"
		"http://server:8530/Service/Service.asmx</faultactor><detail>"
		"<ErrorCode>InvalidCookie</ErrorCode><Message /><ID>%s</ID>"
		"<Method>\"" NS "/Echo\"</Method></detail></soap:Fault>" TAIL,
		seen.fault_id);
	answers(answer, 500, TYPE_1_1, want);
}

static void test_a_fault_of_soap_1_2_has_the_detail_twice(void **state)
{
	struct seen seen = seen_of(state);
	const struct fake_answer *answer = NULL;
	char *detail = NULL;
	char *want = NULL;

	answer = post(state, &seen, TYPE_1_2, NULL,
		      BODY(ENV_1_2, "<Echo xmlns='" NS "'>"
				    "<Text>break</Text></Echo>"));
	assert_string_equal(seen.reason, "a <disk> failed");
	detail = talloc_asprintf(*state,
				 "<ErrorCode>InternalServerError</ErrorCode>"
				 "<Message>a &lt;disk&gt; failed</Message>"
				 "<ID>%s</ID><Method>\"" NS "/Echo\"</Method>",
				 seen.fault_id);
	want = talloc_asprintf(
		*state,
		HEAD_1_2
		"<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value>"
		"</soap:Code><soap:Reason><soap:Text xml:lang=\"en\">"
		"Fault occurred: InternalServerError</soap:Text></soap:Reason>"
		"<soap:Node>http://server:8530/Service/Service.asmx"
		"</soap:Node><soap:Detail>%s</soap:Detail>"
		"<Detail>%s</Detail></soap:Fault>" TAIL,
		detail, detail);
	answers(answer, 500, TYPE_1_2, want);
}

static void test_each_fault_has_its_own_id(void **state)
{
	struct seen first = seen_of(state);
	struct seen second = seen_of(state);
	const char *body =
		BODY(ENV_1_1, "<Echo xmlns='" NS "'><Text>fail</Text></Echo>");

	post_1_1(state, &first, body);
	post_1_1(state, &second, body);
	assert_string_not_equal(first.fault_id, second.fault_id);
}

static void test_an_answer_above_its_maximum_is_a_fault(void **state)
{
	struct seen seen = seen_of(state);
	char *text = talloc_zero_size(*state, 2001);
	char *body = NULL;
	const struct fake_answer *answer = NULL;

	memset(text, 'x', 2000);
	body = talloc_asprintf(
		*state,
		BODY(ENV_1_1, "<Echo xmlns='" NS "'><Text>%s</Text></Echo>"),
		text);
	answer = post_1_1(state, &seen, body);
	assert_int_equal(answer->status, 500);
	assert_non_null(strstr(answer->body, "<faultcode>soap:Server<"));
	assert_non_null(strstr(answer->body,
			       "<ErrorCode>InternalServerError</ErrorCode>"));
}

static unsigned int status_of(void **state, const char *method,
			      const char *type, const char *encoding,
			      char **ret_fields)
{
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);

	exchange->method = method;
	if (type != NULL) {
		fake_header(exchange, "Content-Type", type);
	}
	if (encoding != NULL) {
		fake_header(exchange, "Content-Encoding", encoding);
	}
	fake_begin(exchange);
	if (ret_fields != NULL) {
		*ret_fields = exchange->answer->fields;
	}
	assert_int_equal(seen.rejections, 0);
	return exchange->answer->status;
}

static void test_the_head_is_refused_before_the_body_is_read(void **state)
{
	static const char *const types[] = {
		"text/plain",
		"text/xmlx",
		"multipart/related; type=\"text/xml\"",
		"application/xml",
		"text/xml; charset=iso-8859-1",
		"text/xml; charset=\"windows-1252\"",
		"",
		NULL};
	static const char *const methods[] = {"GET",	"HEAD", "PUT",
					      "DELETE", "post", "CCM_POST"};
	char *fields = NULL;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(status_of(state, "POST", types[i], NULL, NULL),
				 415);
	}
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		assert_int_equal(
			status_of(state, methods[i], TYPE_1_1, NULL, &fields),
			405);
		assert_string_equal(fields, "Allow: POST\n");
	}
	assert_int_equal(status_of(state, "POST", TYPE_1_1, "gzip", NULL), 415);
	assert_int_equal(status_of(state, "POST", TYPE_1_1, "xpress", NULL),
			 415);
	/* Not answered: the body may come. */
	assert_int_equal(status_of(state, "POST", TYPE_1_1, "identity", NULL),
			 0);
	assert_int_equal(status_of(state, "POST",
				   "TEXT/XML ;CharSet=\"UTF-16\"", NULL, NULL),
			 0);
	assert_int_equal(status_of(state, "POST", "text/xml", NULL, NULL), 0);
}

static void test_the_body_may_be_as_long_as_the_service_says(void **state)
{
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);

	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	assert_int_equal(exchange->body_max, 12345);
}

#define LIST(inside) BODY(ENV_1_1, "<List xmlns='" NS "'>" inside "</List>")

static void test_items_come_one_by_one_however_they_are_cut(void **state)
{
	static const char body[] =
		LIST("\n<first>1</first><things a='b'> <Item>a</Item>\n"
		     "<!-- - --><Item><Id>b</Id><Item>no</Item></Item>"
		     "<Other/><Item xmlns:i='http://www.w3.org/2001/"
		     "XMLSchema-instance' i:nil='true'/></things>"
		     "<Item>no</Item><last>z</last>");
	size_t at;

	for (at = 0; at <= strlen(body); at++) {
		struct seen seen = seen_of(state);
		struct soap_service service = service_of(&seen);
		struct http_exchange *exchange =
			fake_exchange(*state, &soap_handler, &service);

		fake_header(exchange, "Content-Type", TYPE_1_1);
		fake_begin(exchange);
		fake_body(exchange, body, at);
		fake_body(exchange, body + at, strlen(body) - at);
		fake_end(exchange);
		assert_string_equal(seen.log, "a;b;");
		assert_string_equal(exchange->answer->body, HEAD_1_1
				    "<ListResponse xmlns=\"" NS "\">"
				    "<Count>2</Count><Things>true</Things>"
				    "<Last>z</Last></ListResponse>" TAIL);
		talloc_free(exchange->answer);
		talloc_free(exchange);
		talloc_free(seen.log);
	}
}

static void test_a_list_that_is_empty_is_told_from_none(void **state)
{
	struct seen seen = seen_of(state);

	assert_non_null(strstr(post_1_1(state, &seen, LIST(""))->body,
			       "<Things>false</Things>"));
	assert_non_null(strstr(post_1_1(state, &seen, LIST("<things/>"))->body,
			       "<Things>true</Things>"));
	assert_non_null(
		strstr(post_1_1(state, &seen,
				LIST("<things xmlns:i='http://www.w3.org/2001/"
				     "XMLSchema-instance' i:nil='1'>"
				     "<Item>no</Item></things>"))
			       ->body,
		       "<Count>0</Count><Things>false</Things>"));
}

static void test_no_items_come_after_a_fault(void **state)
{
	struct seen seen = seen_of(state);
	const char *body = LIST("<things><Item>a</Item><Item>fault</Item>"
				"<Item>b</Item></things>");
	const struct fake_answer *answer = post_1_1(state, &seen, body);

	assert_string_equal(seen.log, "a;fault;");
	assert_int_equal(answer->status, 500);
	assert_non_null(strstr(answer->body,
			       "<ErrorCode>InvalidParameters</ErrorCode>"
			       "<Message>things</Message>"));
	/* All of it came first, so that all of it can be kept. */
	assert_false(answer->before_end);
	assert_true(seen.complete);
	assert_string_equal(seen.body, body);
	assert_string_equal(seen.reason, "the argument things is missing, not "
					 "valid, or has too many items");
}

/* An exchange that has begun, and as much of its body. */
static struct http_exchange *begun(void **state,
				   const struct soap_service *service,
				   const char *body)
{
	struct http_exchange *exchange = fake_exchange(
		*state, &soap_handler, (void *)(uintptr_t)service);

	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body, strlen(body));
	return exchange;
}

static char *filled(void **state, char c, size_t len)
{
	char *text = talloc_size(*state, len + 1);

	memset(text, c, len);
	text[len] = '\0';
	return text;
}

#define LIST_BEGIN                                                   \
	"<s:Envelope xmlns:s='" ENV_1_1 "'><s:Body><List xmlns='" NS \
	"'><things>"
#define LIST_END "</things></List></s:Body></s:Envelope>"

static void test_bodies_are_kept_while_there_is_room_for_all(void **state)
{
	struct soap_budget budget = {.kept.max = 50000,
				     .trees.max = SIZE_MAX,
				     .answers.max = SIZE_MAX};
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	char *blank = filled(state, ' ', 100000);
	struct http_exchange *first = NULL;
	struct http_exchange *second = NULL;

	service.budget = &budget;
	first = begun(state, &service, LIST_BEGIN);
	second = begun(state, &service, LIST_BEGIN);
	fake_body(first, blank, 100000);
	fake_body(second, blank, 100000);
	fake_body(second, " ", 1);
	assert_in_range(budget.kept.used, 1, 50000);

	/* The second's end is not there; there is no gap before it. */
	fake_body(second, "</b>", 4);
	fake_end(second);
	assert_int_equal(second->answer->status, 500);
	assert_false(seen.complete);
	assert_string_equal(seen.body, LIST_BEGIN);

	fake_body(first, "</b>", 4);
	fake_end(first);
	assert_true(seen.complete);
	assert_int_equal(strlen(seen.body), strlen(LIST_BEGIN) + 100004);
	assert_int_equal(budget.kept.used, 0);

	/* One that is used does not hold what it has kept for the answer. */
	first = begun(state, &service, LIST_BEGIN);
	fake_body(first, blank, 100000);
	assert_in_range(budget.kept.used, 1, 50000);
	fake_body(first, LIST_END, strlen(LIST_END));
	fake_end(first);
	assert_int_equal(first->answer->status, 200);
	assert_int_equal(budget.kept.used, 0);
	talloc_free(blank);
}

static void test_a_tree_beyond_what_all_may_have_is_told_to_come_later(
	void **state)
{
	struct soap_budget budget = {.kept.max = SIZE_MAX,
				     .trees.max = 1024 * 1024,
				     .answers.max = SIZE_MAX};
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	char *text = filled(state, 'x', 700000);
	struct http_exchange *first = NULL;
	struct http_exchange *second = NULL;
	size_t taken;

	service.budget = &budget;
	first = begun(state, &service, LIST_BEGIN "<Item><Id>");
	second = begun(state, &service, LIST_BEGIN "<Item><Id>");
	fake_body(first, text, 400000);
	taken = budget.trees.used;
	fake_body(second, text, 700000);
	/* What it has is given back before it has sent all. */
	assert_false(second->answer->given);
	assert_int_equal(budget.trees.used, taken);
	fake_end(second);
	assert_int_equal(second->answer->status, 500);
	assert_non_null(strstr(second->answer->body,
			       "<ErrorCode>ServerBusy</ErrorCode>"));
	assert_string_equal(seen.error_code, "ServerBusy");
	assert_non_null(strstr(seen.reason, "memory"));

	/* Small ones and the other one go on. */
	assert_int_equal(
		post_1_1(state, &seen, BODY(ENV_1_1, "<Echo xmlns='" NS "'/>"))
			->status,
		200);
	assert_in_range(budget.trees.used, 1, 1024 * 1024);
	fake_body(first, "</Id></Item>" LIST_END, strlen(LIST_END) + 12);
	fake_end(first);
	assert_int_equal(first->answer->status, 200);
	assert_int_equal(budget.trees.used, 0);
	talloc_free(text);
}

static void test_answers_that_wait_may_not_fill_the_memory(void **state)
{
	struct soap_budget budget = {.kept.max = SIZE_MAX,
				     .trees.max = SIZE_MAX,
				     .answers.max = 2 * SOAP_MEMORY_OWN};
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	char *text = filled(state, 'x', 3 * SOAP_MEMORY_OWN);
	struct http_exchange *exchange = NULL;
	struct soap_share *others = soap_share_create(*state, &budget.answers);

	service.budget = &budget;
	exchange = begun(state, &service,
			 BODY(ENV_1_1, "<Later xmlns='" NS "'/>"));
	fake_end(exchange);
	soap_put(soap_answer_begin(seen.call, 0), "a", text);
	soap_answer(seen.call);
	assert_int_equal(exchange->answer->status, 500);
	assert_string_equal(seen.error_code, "ServerBusy");
	assert_int_equal(budget.answers.used, 0);

	/* A small one is given whatever the others have. */
	assert_true(soap_share_take(others, 3 * SOAP_MEMORY_OWN));
	exchange = begun(state, &service,
			 BODY(ENV_1_1, "<Later xmlns='" NS "'/>"));
	fake_end(exchange);
	(void)soap_answer_begin(seen.call, 0);
	soap_answer(seen.call);
	assert_int_equal(exchange->answer->status, 200);
	talloc_free(others);
	assert_int_equal(budget.answers.used, 0);
	talloc_free(text);
}

/* Begun and then padded with white space, which no parser is given. */
static struct http_exchange *long_body(void **state,
				       const struct soap_service *service,
				       uint64_t content_length)
{
	static const char start[] = "<a><b></a>";
	struct http_exchange *exchange = fake_exchange(
		*state, &soap_handler, (void *)(uintptr_t)service);
	size_t piece = 1024 * 1024;
	char *blank = talloc_size(*state, piece);
	size_t sent = 0;

	memset(blank, ' ', piece);
	memcpy(blank, start, strlen(start));
	exchange->content_length = content_length;
	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	while (!exchange->answer->given && sent < 32 * piece) {
		fake_body(exchange, blank, piece);
		sent += piece;
	}
	talloc_free(blank);
	return exchange;
}

static void test_a_long_body_is_not_waited_for_after_a_fault(void **state)
{
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange = NULL;

	exchange = long_body(state, &service, UINT64_MAX);
	assert_true(exchange->answer->before_end);
	assert_false(seen.complete);
	assert_int_equal(strlen(seen.body), SOAP_REJECTED_MAX);

	exchange = long_body(state, &service, SOAP_REJECTED_MAX + 1);
	assert_true(exchange->answer->before_end);
	assert_false(seen.complete);
	assert_int_equal(strlen(seen.body), 1024 * 1024);
	assert_int_equal(seen.rejections, 2);
}

static void test_an_item_may_not_be_larger_than_a_tree(void **state)
{
	static const char begin[] =
		"<s:Envelope xmlns:s='" ENV_1_1 "'><s:Body><List xmlns='" NS
		"'><things><Item><Id>a</Id></Item><Item>";
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);
	size_t sent = 0;

	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, begin, strlen(begin));
	while (!exchange->answer->given && sent < SOAP_TREE_MAX) {
		fake_body(exchange, "<Id>0123456789</Id><Id/>", 24);
		sent += 24;
	}
	assert_in_range(sent, SOAP_TREE_MAX / 20, SOAP_TREE_MAX - 1);
	faults(exchange->answer, "soap:Client", "too large");
	assert_string_equal(seen.log, "a;");
	assert_null(seen.error_code);
}

static void test_nothing_is_kept_where_nobody_asks(void **state)
{
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);
	size_t before;
	char *blank = talloc_size(*state, 1024 * 1024);

	service.rejected = NULL;
	memset(blank, ' ', 1024 * 1024);
	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	before = talloc_total_size(exchange);
	fake_body(exchange, blank, 1024 * 1024);
	assert_int_equal(talloc_total_size(exchange), before);
	talloc_free(blank);
}

static void test_a_pause_holds_the_body_back_until_it_is_resumed(void **state)
{
	static const char body[] = LIST("<things><Item>pause</Item>"
					"<Item>b</Item></things>");
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);
	char *blank = talloc_size(*state, 20000);

	memset(blank, ' ', 20000);
	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body, (size_t)(strstr(body, "<Item>b") - body));
	fake_body(exchange, blank, 20000);
	assert_string_equal(seen.log, "pause;");
	assert_int_equal(exchange->pauses, 1);
	soap_resume(seen.call);
	assert_int_equal(exchange->pauses, 0);
	fake_body(exchange, strstr(body, "<Item>b"),
		  strlen(strstr(body, "<Item>b")));
	fake_end(exchange);
	assert_string_equal(seen.log, "pause;b;");
	assert_int_equal(exchange->answer->status, 200);
	talloc_free(blank);
}

/* A commit that fails while its call is paused. */
static void test_a_fault_ends_a_pause(void **state)
{
	static const char body[] = LIST("<things><Item>pause</Item>");
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);
	char *blank = talloc_size(*state, 20000);

	memset(blank, ' ', 20000);
	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body,
		  strlen(body) - strlen("</List></s:Body>"
					"</s:Envelope>"));
	fake_body(exchange, blank, 20000);
	assert_int_equal(exchange->pauses, 1);
	soap_fault(seen.call, "InternalServerError", "the disk is full");
	soap_fault(seen.call, "InvalidCookie", "too late");
	assert_int_equal(exchange->pauses, 0);
	assert_false(exchange->answer->given);
	fake_end(exchange);
	assert_int_equal(exchange->answer->status, 500);
	assert_non_null(strstr(exchange->answer->body, "the disk is full"));
	assert_int_equal(seen.rejections, 1);
	talloc_free(blank);
}

static void test_an_answer_may_come_later(void **state)
{
	static const char body[] = BODY(ENV_1_1, "<Later xmlns='" NS "'/>");
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);

	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body, strlen(body));
	fake_end(exchange);
	assert_false(exchange->answer->given);
	(void)soap_answer_begin(seen.call, 0);
	soap_answer(seen.call);
	answers(exchange->answer, 200, TYPE_1_1,
		HEAD_1_1 "<LaterResponse xmlns=\"" NS "\" />" TAIL);

	exchange = fake_exchange(*state, &soap_handler, &service);
	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body, strlen(body));
	fake_end(exchange);
	soap_fault(seen.call, "ServerBusy", "");
	assert_int_equal(exchange->answer->status, 500);
	assert_true(seen.complete);
}

static void test_a_peer_that_goes_leaves_nothing(void **state)
{
	static const char body[] = LIST("<things><Item>a</Item>");
	struct seen seen = seen_of(state);
	struct soap_service service = service_of(&seen);
	struct http_exchange *exchange =
		fake_exchange(*state, &soap_handler, &service);

	fake_header(exchange, "Content-Type", TYPE_1_1);
	fake_begin(exchange);
	fake_body(exchange, body, strlen(body) - 20);
	talloc_free(exchange);
	assert_int_equal(seen.rejections, 0);
}

static void test_ping_answers_in_the_schemas_order(void **state)
{
	static const char *const order[] = {
		"<PingResponse xmlns=\"" MONITOR_NS "\"><PingResult>",
		"<SuccessFlag>true</SuccessFlag><ServicesTime>2",
		"Z</ServicesTime><ServicesName>",
		"</ServicesName><ServicesMachine>",
		"<IsHttps>false</IsHttps><RequestContentType>",
		"text/xml; charset=utf-8</RequestContentType>"
		"<ConfigFileLastModifiedTime>0001-01-01T00:00:00<",
		"<ConfigFileNextExpirationTime>",
		"<ConfigFileExpirationModuloInMinutes>0<",
		"</PingResult></PingResponse>"};
	struct seen seen = seen_of(state);
	const struct fake_answer *answer = NULL;
	const char *p = NULL;
	size_t i;

	answer = post(state, &seen, TYPE_1_1, "\"" MONITOR_NS "/Ping\"",
		      BODY(ENV_1_1, "<Ping xmlns='" MONITOR_NS "'>"
				    "<pingLevel>0</pingLevel></Ping>"));
	assert_int_equal(answer->status, 200);
	p = answer->body;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		p = strstr(p, order[i]);
		if (p == NULL) {
			fail_msg("%s", order[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_both_versions_are_answered_in_their_own),
		leak_test(test_the_action_may_be_written_in_any_usual_way),
		leak_test(test_an_action_of_another_operation_is_refused),
		leak_test(test_what_is_no_request_is_a_fault_without_detail),
		leak_test(test_an_unknown_envelope_is_a_version_mismatch),
		leak_test(
			test_headers_are_skipped_unless_they_must_be_understood),
		leak_test(test_a_fault_has_the_detail_that_clients_look_for),
		leak_test(test_a_fault_of_soap_1_2_has_the_detail_twice),
		leak_test(test_each_fault_has_its_own_id),
		leak_test(test_an_answer_above_its_maximum_is_a_fault),
		leak_test(test_the_head_is_refused_before_the_body_is_read),
		leak_test(test_the_body_may_be_as_long_as_the_service_says),
		leak_test(test_items_come_one_by_one_however_they_are_cut),
		leak_test(test_a_list_that_is_empty_is_told_from_none),
		leak_test(test_no_items_come_after_a_fault),
		leak_test(test_a_long_body_is_not_waited_for_after_a_fault),
		leak_test(test_bodies_are_kept_while_there_is_room_for_all),
		leak_test(
			test_a_tree_beyond_what_all_may_have_is_told_to_come_later),
		leak_test(test_answers_that_wait_may_not_fill_the_memory),
		leak_test(test_an_item_may_not_be_larger_than_a_tree),
		leak_test(test_nothing_is_kept_where_nobody_asks),
		leak_test(test_a_pause_holds_the_body_back_until_it_is_resumed),
		leak_test(test_a_fault_ends_a_pause),
		leak_test(test_an_answer_may_come_later),
		leak_test(test_a_peer_that_goes_leaves_nothing),
		leak_test(test_ping_answers_in_the_schemas_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
