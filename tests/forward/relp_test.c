/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/relp.h"
#include "tests/leak.h"

#include <string.h>

/* The first frame of text, fed step bytes at a time; what is left. */
static everr_t feed(struct relp_parser *parser, const char *text, size_t step,
		    struct relp_frame *ret_frame, size_t *ret_left)
{
	size_t left = strlen(text);
	everr_t err = EVERR_END;

	relp_parser_init(parser);
	while (err == EVERR_END && left > 0) {
		const uint8_t *data =
			(const uint8_t *)text + strlen(text) - left;
		size_t len = step < left ? step : left;
		size_t before = len;

		err = relp_parser_feed(parser, &data, &len, ret_frame);
		left -= before - len;
	}
	*ret_left = left;
	return err;
}

static void test_frame_is_the_same_however_it_comes(void **state)
{
	static const char text[] = "2 rsp 6 200 OK\n3 rsp 6 200 OK\n";
	struct relp_parser parser;
	struct relp_frame frame;
	size_t step, left;

	for (step = 1; step <= strlen(text); step++) {
		assert_int_equal(feed(&parser, text, step, &frame, &left),
				 EVERR_OK);
		assert_int_equal(frame.txnr, 2);
		assert_string_equal(frame.command, "rsp");
		assert_int_equal(frame.len, 6);
		assert_memory_equal(frame.data, "200 OK", 6);
		assert_int_equal(left, 15);
	}
}

static void test_data_may_hold_anything(void **state)
{
	struct relp_parser parser;
	struct relp_frame frame;
	size_t left;

	assert_int_equal(feed(&parser, "1 rsp 8 200 O\n1 \n", 3, &frame, &left),
			 EVERR_OK);
	assert_memory_equal(frame.data, "200 O\n1 ", 8);
	assert_int_equal(left, 0);
}

static void test_frame_without_data_has_a_space_or_none(void **state)
{
	static const char *const texts[] = {"0 serverclose 0\n",
					    "0 serverclose 0 \n"};
	struct relp_parser parser;
	struct relp_frame frame;
	size_t i, left;

	for (i = 0; i < 2; i++) {
		assert_int_equal(feed(&parser, texts[i], 1, &frame, &left),
				 EVERR_OK);
		assert_int_equal(frame.txnr, 0);
		assert_string_equal(frame.command, "serverclose");
		assert_int_equal(frame.len, 0);
	}
}

static void test_what_is_no_relp_is_refused(void **state)
{
	static const char *const texts[] = {
		"220 mail.example.org ESMTP\r\n",
		"HTTP/1.1 400 Bad Request\r\n",
		" rsp 0\n",
		"1  0\n",
		"1 r1p 0\n",
		"1 rsp\n",
		"1 rsp \n",
		"1 rsp x\n",
		"1 rsp 3\n",
		"1 rsp 3 abcd\n",
		"1 rsp 0 x",
		"1 rsp -1 x\n",
		"\n",
		/* 10 digits, 33 letters, more than RELP_DATA_MAX */
		"1000000000 rsp 0\n",
		"1 abcdefghijklmnopqrstuvwxyzabcdefg 0\n",
		"1 rsp 8193 ",
		"1 rsp 999999999 ",
		"1 rsp 0000000001 x\n",
	};
	struct relp_parser parser;
	struct relp_frame frame;
	size_t i, step, left;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (step = 1; step < 40; step += 38) {
			assert_int_equal(
				feed(&parser, texts[i], step, &frame, &left),
				EVERR_PROTOCOL);
		}
	}
}

static everr_t answer(const char *data, unsigned int *code, char *text,
		      const uint8_t **offers, size_t *len)
{
	return relp_answer_parse((const uint8_t *)data, strlen(data), code,
				 text, offers, len);
}

static void test_answer_has_code_text_and_offers(void **state)
{
	const uint8_t *offers = NULL;
	char text[RELP_TEXT_MAX];
	unsigned int code = 0;
	size_t len = 0;

	assert_int_equal(answer("200 OK\nrelp_version=0\ncommands=syslog,x",
				&code, text, &offers, &len),
			 EVERR_OK);
	assert_int_equal(code, 200);
	assert_string_equal(text, "OK");
	assert_true(relp_offers(offers, len, "relp_version", "0"));
	assert_true(relp_offers(offers, len, "commands", "syslog"));
	assert_true(relp_offers(offers, len, "commands", "x"));
	assert_false(relp_offers(offers, len, "commands", "sys"));
	assert_false(relp_offers(offers, len, "commands", "syslogx"));
	assert_false(relp_offers(offers, len, "command", "syslog"));
	assert_false(relp_offers(offers, len, "relp_software", ""));

	assert_int_equal(answer("500 no\x1b[2J\nx", &code, text, &offers, &len),
			 EVERR_OK);
	assert_int_equal(code, 500);
	assert_string_equal(text, "no?[2J");
	assert_int_equal(answer("200", &code, text, &offers, &len), EVERR_OK);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
}

static void test_answer_without_a_code_is_refused(void **state)
{
	static const char *const texts[] = {"", "20", "2x0 OK", "OK", "2000"};
	const uint8_t *offers = NULL;
	char text[RELP_TEXT_MAX];
	unsigned int code = 0;
	size_t i, len = 0;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(answer(texts[i], &code, text, &offers, &len),
				 EVERR_PROTOCOL);
	}
}

static void test_text_of_an_answer_is_cut_at_80(void **state)
{
	char data[4 + 200 + 1] = "500 ";
	const uint8_t *offers = NULL;
	char text[RELP_TEXT_MAX];
	unsigned int code = 0;
	size_t len = 0;

	memset(data + 4, 'a', 200);
	assert_int_equal(answer(data, &code, text, &offers, &len), EVERR_OK);
	assert_int_equal(strlen(text), 80);
}

static void test_header_has_no_space_without_data(void **state)
{
	char text[RELP_HEADER_MAX];

	assert_int_equal(relp_header(text, 7, "syslog", 12), 12);
	assert_string_equal(text, "7 syslog 12 ");
	assert_int_equal(relp_header(text, RELP_TXNR_MAX, "close", 0), 17);
	assert_string_equal(text, "999999999 close 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_frame_is_the_same_however_it_comes),
		leak_test(test_data_may_hold_anything),
		leak_test(test_frame_without_data_has_a_space_or_none),
		leak_test(test_what_is_no_relp_is_refused),
		leak_test(test_answer_has_code_text_and_offers),
		leak_test(test_answer_without_a_code_is_refused),
		leak_test(test_text_of_an_answer_is_cut_at_80),
		leak_test(test_header_has_no_space_without_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
