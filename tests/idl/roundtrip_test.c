/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every call of every interface, both ways, in NDR32 and NDR64: what is pushed
 * is pulled again, cut-off input is refused at every length.
 */

#include "tests/leak.h"
#include "tests/idl/cases.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t syntaxes[] = {0, LIBNDR_FLAG_NDR64};

static void roundtrip(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
		      uint32_t extra)
{
	void *r = ndr_case_make(mem_ctx, c);
	void *back = NULL;
	DATA_BLOB first = {};
	DATA_BLOB second = {};

	assert_int_equal(ndr_case_push(mem_ctx, c, extra, r, &first), 0);
	assert_int_equal(ndr_case_pull(mem_ctx, c, extra, &first,
				       c->flags == NDR_OUT ? r : NULL, &back),
			 0);
	assert_string_equal(ndr_case_print(mem_ctx, c, back),
			    ndr_case_print(mem_ctx, c, r));
	assert_int_equal(ndr_case_push(mem_ctx, c, extra, back, &second), 0);
	assert_string_equal(hex(mem_ctx, &second), hex(mem_ctx, &first));
}

static void test_every_call_comes_back_as_it_went(void **state)
{
	size_t i;
	size_t j;

	for (i = 0; i < ndr_num_cases; i++) {
		for (j = 0; j < 2; j++) {
			TALLOC_CTX *tmp = talloc_new(*state);

			print_message("# %s %s\n", ndr_cases[i].name,
				      j == 0 ? "NDR32" : "NDR64");
			roundtrip(tmp, &ndr_cases[i], syntaxes[j]);
			talloc_free(tmp);
		}
	}
}

static void test_there_is_a_case_for_every_call(void **state)
{
	size_t i;
	uint32_t seen[2][64] = {};

	for (i = 0; i < ndr_num_cases; i++) {
		const struct ndr_case *c = &ndr_cases[i];

		if (strcmp(c->table->name, "even6") == 0) {
			seen[c->flags == NDR_OUT][c->opnum]++;
			assert_int_equal(c->table->num_calls, 29);
		}
	}
	for (i = 0; i < 29; i++) {
		assert_true(seen[0][i] > 0);
		assert_true(seen[1][i] > 0);
	}
}

/* The bytes in memory of exactly their size, so that ASan sees an overread. */
static enum ndr_err_code pull_exact(TALLOC_CTX *mem_ctx,
				    const struct ndr_case *c, uint32_t extra,
				    const DATA_BLOB *blob, size_t len,
				    const void *in)
{
	DATA_BLOB cut = {.data = malloc(len > 0 ? len : 1), .length = len};
	enum ndr_err_code err;
	void *back = NULL;

	assert_non_null(cut.data);
	if (len > 0) {
		memcpy(cut.data, blob->data, len);
	}
	err = ndr_case_pull(mem_ctx, c, extra, &cut, in, &back);
	free(cut.data);
	return err;
}

static void cut_off(TALLOC_CTX *mem_ctx, const struct ndr_case *c,
		    uint32_t extra)
{
	void *r = ndr_case_make(mem_ctx, c);
	void *in = c->flags == NDR_OUT ? r : NULL;
	DATA_BLOB blob = {};
	size_t len;

	assert_int_equal(ndr_case_push(mem_ctx, c, extra, r, &blob), 0);
	for (len = 0; len < blob.length; len++) {
		TALLOC_CTX *tmp = talloc_new(mem_ctx);

		if (pull_exact(tmp, c, extra, &blob, len, in) ==
		    NDR_ERR_SUCCESS) {
			fail_msg("%s: %zu of %zu bytes are enough", c->name,
				 len, blob.length);
		}
		talloc_free(tmp);
	}
	assert_int_equal(pull_exact(mem_ctx, c, extra, &blob, blob.length, in),
			 0);
}

static void test_cut_off_input_is_an_error_at_every_length(void **state)
{
	size_t i;

	for (i = 0; i < ndr_num_cases; i++) {
		TALLOC_CTX *tmp = talloc_new(*state);

		cut_off(tmp, &ndr_cases[i], 0);
		cut_off(tmp, &ndr_cases[i], LIBNDR_FLAG_NDR64);
		talloc_free(tmp);
	}
}

/* Each byte in turn becomes something else: any answer but a crash. */
static void test_changed_bytes_do_no_harm(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t i;

	for (i = 0; i < ndr_num_cases; i++) {
		const struct ndr_case *c = &ndr_cases[i];
		TALLOC_CTX *tmp = talloc_new(*state);
		void *r = ndr_case_make(tmp, c);
		void *in = c->flags == NDR_OUT ? r : NULL;
		DATA_BLOB blob = {};
		size_t at;
		size_t v;

		assert_int_equal(ndr_case_push(tmp, c, 0, r, &blob), 0);
		for (at = 0; at < blob.length; at++) {
			uint8_t was = blob.data[at];

			for (v = 0; v < sizeof(values); v++) {
				TALLOC_CTX *once = talloc_new(tmp);

				blob.data[at] = values[v];
				(void)pull_exact(once, c, 0, &blob, blob.length,
						 in);
				talloc_free(once);
			}
			blob.data[at] = was;
		}
		talloc_free(tmp);
	}
}

static void test_bytes_behind_the_call_are_tolerated(void **state)
{
	const struct ndr_case *c = &ndr_cases[0];
	void *back = NULL;
	DATA_BLOB blob = {};
	DATA_BLOB longer = {};

	assert_int_equal(
		ndr_case_push(*state, c, 0, ndr_case_make(*state, c), &blob),
		0);
	longer = data_blob_talloc(*state, NULL, blob.length + 12);
	memset(longer.data, 0xee, longer.length);
	memcpy(longer.data, blob.data, blob.length);
	assert_int_equal(ndr_case_pull(*state, c, 0, &longer, NULL, &back), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_there_is_a_case_for_every_call),
		leak_test(test_every_call_comes_back_as_it_went),
		leak_test(test_cut_off_input_is_an_error_at_every_length),
		leak_test(test_changed_bytes_do_no_harm),
		leak_test(test_bytes_behind_the_call_are_tolerated),
	};

	return cmocka_run_group_tests_name("idl/roundtrip", tests,
					   ndr_case_setup, NULL);
}
