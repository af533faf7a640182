/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The texts of a host's publishers.  The host is played here, in place of
 * collect/messages.c: what it is asked is counted, and it formats messages by
 * putting inserts where %1, %2 and so on stand.
 */

#include "tests/leak.h"

#include "cli/texts.h"

#include <util/data_blob.h>
#include <core/ntstatus.h>
#include <stdio.h>
#include <string.h>

#include "collect/messages.h"

/* ---------------------------------------------------------------- the host */

static const char *host_message;
static bool host_silent; /* it never answers */
static bool host_maps;	 /* "10" is shown as "ten" */
static unsigned int host_calls;

struct collect_messages {
	struct collect_connection *connection;
};

struct host_state {
	char *text;
};

struct collect_messages *collect_messages_create(
	TALLOC_CTX *mem_ctx, struct collect_connection *connection,
	uint32_t lcid)
{
	struct collect_messages *messages =
		talloc_zero(mem_ctx, struct collect_messages);

	messages->connection = connection;
	return messages;
}

static char *host_format(TALLOC_CTX *mem_ctx, const char *const *inserts,
			 size_t num)
{
	char *text = talloc_strdup(mem_ctx, "");
	const char *p = NULL;

	for (p = host_message; *p != '\0'; p++) {
		size_t index = p[0] == '%' ? (size_t)(p[1] - '1') : num;

		if (p[0] == '%' && index < num) {
			const char *value = inserts[index];

			if (host_maps && strcmp(value, "10") == 0) {
				value = "ten";
			}
			text = talloc_asprintf_append(text, "%s", value);
			p++;
		} else {
			text = talloc_asprintf_append(text, "%c", *p);
		}
	}
	return text;
}

struct tevent_req *collect_messages_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_messages *messages, enum collect_render what,
	const char *provider, const uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE],
	uint16_t qualifiers, const char *const *inserts, size_t num_inserts)
{
	struct host_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct host_state);
	host_calls++;
	if (host_silent) {
		return req;
	}
	if (what != COLLECT_RENDER_EVENT) {
		state->text = talloc_asprintf(state, "name %d", (int)what);
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	if (host_message == NULL) {
		tevent_req_error(req, EVERR_MESSAGE);
		return tevent_req_post(req, ev);
	}
	state->text = host_format(state, inserts, num_inserts);
	tevent_req_done(req);
	return tevent_req_post(req, ev);
}

everr_t collect_messages_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      struct collect_text *ret_text,
			      struct collect_failure *ret_failure)
{
	struct host_state *state = tevent_req_data(req, struct host_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (tevent_req_is_error(req, &req_state, &error)) {
		return EVERR_MESSAGE;
	}
	ret_text->len = strlen(state->text);
	ret_text->text = talloc_move(mem_ctx, &state->text);
	return EVERR_OK;
}

bool collect_messages_none(const struct collect_messages *messages,
			   const char *provider)
{
	return strcmp(provider, "Nobody") == 0;
}

/* --------------------------------------------------------------- fixtures */

struct world {
	struct tevent_context *ev;
	struct cli_texts *texts;
	bool ready;
};

static struct world *world_create(void **state, const char *message)
{
	struct world *w = talloc_zero(*state, struct world);

	host_message = message;
	host_silent = false;
	host_maps = false;
	host_calls = 0;
	w->ev = tevent_context_init(w);
	w->texts = cli_texts_create(w, w->ev);
	/* Any address will do: the host here does not look at it. */
	assert_int_equal(
		cli_texts_connect(w->texts, (struct collect_connection *)w),
		EVERR_OK);
	return w;
}

static void set_ready(void *private_data)
{
	struct world *w = private_data;

	w->ready = true;
}

static void settle(struct world *w)
{
	w->ready = false;
	cli_texts_on_ready(w->texts, set_ready, w);
	while (!w->ready) {
		assert_int_equal(tevent_loop_once(w->ev), 0);
	}
	assert_false(cli_texts_waiting(w->texts));
}

static struct event_message_source event_of(uint16_t id,
					    const char *const *inserts,
					    size_t num)
{
	struct event_message_source event = {
		.provider = "Provider",
		.provider_guid = "",
		.event_id = id,
		.level = 4,
		.num_inserts = num,
	};
	size_t i;

	for (i = 0; i < num; i++) {
		event.inserts[i].text = inserts[i];
	}
	return event;
}

static void expect(struct world *w, enum cli_text what,
		   const struct event_message_source *event,
		   const char *expected)
{
	struct buf out;

	buf_init(&out, w, 2 * CLI_TEXT_LENGTH_MAX);
	assert_int_equal(cli_texts_put(w->texts, what, event, &out),
			 expected != NULL);
	buf_put_u8(&out, 0);
	assert_int_equal(buf_error(&out), EVERR_OK);
	assert_string_equal((const char *)out.data,
			    expected != NULL ? expected : "");
	buf_free(&out);
}

/* Ask, wait, and look. */
static void check_message(struct world *w,
			  const struct event_message_source *event,
			  const char *expected)
{
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, event);
	settle(w);
	expect(w, CLI_TEXT_MESSAGE, event, expected);
}

/* ------------------------------------------------------------------ tests */

static void test_two_calls_serve_all_events_of_a_kind(void **state)
{
	struct world *w = world_create(state, "%2 gave %1 to %2, not %3.");
	char numbers[1000][8];
	size_t i;

	for (i = 0; i < 1000; i++) {
		const char *inserts[] = {numbers[i], "bob"};
		struct event_message_source event = event_of(1, inserts, 2);

		snprintf(numbers[i], sizeof(numbers[i]), "%zu", i);
		cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &event);
	}
	settle(w);
	assert_int_equal(host_calls, 2);
	assert_false(cli_texts_unsettled(w->texts));
	for (i = 0; i < 1000; i++) {
		const char *inserts[] = {numbers[i], "bob"};
		struct event_message_source event = event_of(1, inserts, 2);
		char expected[64];

		snprintf(expected, sizeof(expected),
			 "bob gave %zu to bob, not %%3.", i);
		expect(w, CLI_TEXT_MESSAGE, &event, expected);
	}
	TALLOC_FREE(w);
}

static void test_other_events_are_other_calls(void **state)
{
	struct world *w = world_create(state, "%1");
	const char *inserts[] = {"a", "b"};
	struct event_message_source event = event_of(1, inserts, 2);

	event.num_inserts = 1;
	check_message(w, &event, "a");
	event.event_id = 2;
	check_message(w, &event, "a");
	event.version = 1;
	check_message(w, &event, "a");
	event.qualifiers = 0xc000;
	check_message(w, &event, "a");
	event.num_inserts = 2;
	check_message(w, &event, "a");
	event.provider = "Other";
	check_message(w, &event, "a");
	assert_int_equal(host_calls, 12);
	/* What a message does not depend on. */
	event.channel = "Other";
	event.keywords = 7;
	check_message(w, &event, "a");
	assert_int_equal(host_calls, 12);
	TALLOC_FREE(w);
}

static void test_values_look_like_marks_in_vain(void **state)
{
	struct world *w = world_create(state, "%1 and %2");
	const char *inserts[] = {"\xee\xac\x81\xee\xac\x80", "\xee%1"};
	struct event_message_source event = event_of(1, inserts, 2);

	check_message(w, &event, "\xee\xac\x81\xee\xac\x80 and \xee%1");
	/* A message's own characters, as long as they are no marks. */
	host_message = "\xee\x80\x80 %1 \xee";
	event.event_id = 2;
	event.num_inserts = 1;
	event.inserts[0].text = "x";
	check_message(w, &event, "\xee\x80\x80 x \xee");
	TALLOC_FREE(w);
}

static void test_parameters_of_the_publisher_are_sent_to_it(void **state)
{
	struct world *w = world_create(state, "%1: %2");
	const char *inserts[] = {"a", "%%1833"};
	struct event_message_source event = event_of(1, inserts, 2);

	/* This host does not replace them; what matters is that it was asked
	 * with them, once for each. */
	check_message(w, &event, "a: %%1833");
	event.inserts[0].text = "b";
	check_message(w, &event, "b: %%1833");
	assert_int_equal(host_calls, 2);
	event.inserts[1].text = "%%1842";
	check_message(w, &event, "b: %%1842");
	assert_int_equal(host_calls, 4);
	/* No parameters. */
	event.inserts[1].text = "100 %%";
	check_message(w, &event, "b: 100 %%");
	event.inserts[1].text = "%%%x";
	check_message(w, &event, "b: %%%x");
	assert_int_equal(host_calls, 6);
	/* Nothing else to put in: one call says it all. */
	event.inserts[0].text = "%%1";
	event.inserts[1].text = "%%2";
	check_message(w, &event, "%%1: %%2");
	assert_int_equal(host_calls, 7);
	TALLOC_FREE(w);
}

/* The host shows a number as its manifest's map says. */
static void test_values_that_the_host_replaces_are_each_sent(void **state)
{
	struct world *w = world_create(state, "type %1 of %2");
	const char *first[] = {"10", "bob"};
	const char *second[] = {"11", "\xee\xac\x80"};
	struct event_message_source events[] = {event_of(1, first, 2),
						event_of(1, second, 2)};

	host_maps = true;
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &events[0]);
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &events[1]);
	settle(w);
	assert_int_equal(host_calls, 2);
	assert_true(cli_texts_unsettled(w->texts));
	assert_false(cli_texts_unsettled(w->texts));
	expect(w, CLI_TEXT_MESSAGE, &events[0], NULL);
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &events[0]);
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &events[1]);
	settle(w);
	assert_int_equal(host_calls, 4);
	expect(w, CLI_TEXT_MESSAGE, &events[0], "type ten of bob");
	expect(w, CLI_TEXT_MESSAGE, &events[1], "type 11 of \xee\xac\x80");
	/* From now on there is nothing to find out. */
	check_message(w, &events[0], "type ten of bob");
	assert_int_equal(host_calls, 4);
	assert_false(cli_texts_unsettled(w->texts));
	TALLOC_FREE(w);
}

static void test_what_has_no_text_is_asked_once(void **state)
{
	struct world *w = world_create(state, NULL);
	struct event_message_source event = event_of(1, NULL, 0);

	check_message(w, &event, NULL);
	check_message(w, &event, NULL);
	assert_int_equal(host_calls, 1);
	event.provider = "Nobody";
	check_message(w, &event, NULL);
	assert_true(cli_texts_none(w->texts, NULL));
	event.provider = "";
	expect(w, CLI_TEXT_MESSAGE, &event, NULL);
	assert_int_equal(host_calls, 1);
	TALLOC_FREE(w);
}

static void test_names_are_asked_by_their_numbers(void **state)
{
	struct world *w = world_create(state, NULL);
	struct event_message_source event = event_of(1, NULL, 0);

	cli_texts_want(w->texts, CLI_TEXT_LEVEL, &event);
	cli_texts_want(w->texts, CLI_TEXT_TASK, &event);
	event.event_id = 2;
	cli_texts_want(w->texts, CLI_TEXT_LEVEL, &event);
	settle(w);
	assert_int_equal(host_calls, 2);
	expect(w, CLI_TEXT_LEVEL, &event, "name 2");
	expect(w, CLI_TEXT_TASK, &event, "name 3");
	event.level = 5;
	expect(w, CLI_TEXT_LEVEL, &event, NULL);
	TALLOC_FREE(w);
}

static void test_a_new_connection_is_asked_again(void **state)
{
	struct world *w = world_create(state, "old");
	struct event_message_source event = event_of(1, NULL, 0);

	check_message(w, &event, "old");
	host_silent = true;
	event.event_id = 2;
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &event);
	assert_true(cli_texts_waiting(w->texts));
	assert_int_equal(cli_texts_connect(w->texts, NULL), EVERR_OK);
	assert_false(cli_texts_waiting(w->texts));
	check_message(w, &event, NULL);
	assert_int_equal(host_calls, 2);

	host_silent = false;
	host_message = "new";
	assert_int_equal(
		cli_texts_connect(w->texts, (struct collect_connection *)w),
		EVERR_OK);
	check_message(w, &event, "new");
	event.event_id = 1;
	check_message(w, &event, "new");
	TALLOC_FREE(w);
}

static void test_a_long_text_ends_between_two_characters(void **state)
{
	struct world *w = world_create(state, NULL);
	struct event_message_source event = event_of(1, NULL, 0);
	char *text = talloc_zero_array(w, char, CLI_TEXT_LENGTH_MAX + 4);
	struct buf out;

	memset(text, 'x', CLI_TEXT_LENGTH_MAX + 3);
	memcpy(text + CLI_TEXT_LENGTH_MAX - 1, "\xe2\x82\xac", 3);
	host_message = text;
	cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &event);
	settle(w);
	buf_init(&out, w, 2 * CLI_TEXT_LENGTH_MAX);
	assert_true(cli_texts_put(w->texts, CLI_TEXT_MESSAGE, &event, &out));
	assert_int_equal(out.len, CLI_TEXT_LENGTH_MAX - 1);
	TALLOC_FREE(w);
}

static void test_what_is_remembered_is_bounded(void **state)
{
	struct world *w = world_create(state, "m");
	struct event_message_source event = event_of(0, NULL, 0);
	uint32_t i;

	for (i = 0; i <= CLI_TEXTS_MAX; i++) {
		event.event_id = (uint16_t)i;
		cli_texts_want(w->texts, CLI_TEXT_MESSAGE, &event);
	}
	settle(w);
	assert_int_equal(host_calls, CLI_TEXTS_MAX + 1);
	/* Of this batch nothing is lost. */
	expect(w, CLI_TEXT_MESSAGE, &event, "m");
	cli_texts_begin(w->texts);
	expect(w, CLI_TEXT_MESSAGE, &event, NULL);
	TALLOC_FREE(w);
}

static void test_a_catalog_answers_at_once(void **state)
{
	struct event_catalog *catalog = event_catalog_create(*state);
	struct cli_texts *texts = NULL;
	struct world *w = world_create(state, NULL);
	const char *inserts[] = {"nosync", "tests"};
	struct event_message_source *event =
		talloc(w, struct event_message_source);

	texts = w->texts;
	cli_texts_set_catalog(texts, catalog);
	*event = event_of(22, inserts, 2);
	event->provider = "Evenlog";
	/* event/evenlog.man */
	expect(w, CLI_TEXT_MESSAGE, event,
	       "The limit nosync was reached by tests.");
	expect(w, CLI_TEXT_LEVEL, event, "Information");
	expect(w, CLI_TEXT_PROVIDER, event, "Evenlog");
	event->provider = "Unknown";
	expect(w, CLI_TEXT_MESSAGE, event, NULL);
	expect(w, CLI_TEXT_LEVEL, event, "Information");
	expect(w, CLI_TEXT_PROVIDER, event, NULL);
	assert_int_equal(host_calls, 0);
	TALLOC_FREE(w);
	TALLOC_FREE(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_two_calls_serve_all_events_of_a_kind),
		leak_test(test_other_events_are_other_calls),
		leak_test(test_values_look_like_marks_in_vain),
		leak_test(test_parameters_of_the_publisher_are_sent_to_it),
		leak_test(test_values_that_the_host_replaces_are_each_sent),
		leak_test(test_what_has_no_text_is_asked_once),
		leak_test(test_names_are_asked_by_their_numbers),
		leak_test(test_a_new_connection_is_asked_again),
		leak_test(test_a_long_text_ends_between_two_characters),
		leak_test(test_what_is_remembered_is_bounded),
		leak_test(test_a_catalog_answers_at_once),
	};

	/* tevent keeps a list of its backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
