/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Byte for byte the same as Samba's own marshalling of this interface, where
 * Samba's IDL is right: the C structures have one layout, so
 * each side reads what the other made.
 */

#include "tests/leak.h"
#include "tests/idl/cases.h"

#include "idl/ndr_even6.h"

#include <string.h>

/* Of libndr-standard; its header is not installed. */
extern const struct ndr_interface_table ndr_table_eventlog6;

/*
 * Samba 4.17's IDL is wrong where EvtRpcVariant passes (its union is behind a
 * pointer there), for Close (its handle is doubled) and for two strings that
 * lack [string].
 */
static bool samba_is_right(uint32_t opnum, int flags)
{
	switch (opnum) {
	case 13:
		return false;
	case 9:
	case 10:
	case 21:
	case 23:
		return flags == NDR_OUT;
	case 20:
	case 24:
	case 25:
	case 27:
	case 28:
		return flags == NDR_IN;
	default:
		return true;
	}
}

static void compare(TALLOC_CTX *mem_ctx, const struct ndr_case *ours,
		    uint32_t extra)
{
	struct ndr_case theirs = *ours;
	void *r = ndr_case_make(mem_ctx, ours);
	void *in = ours->flags == NDR_OUT ? r : NULL;
	void *back = NULL;
	DATA_BLOB a = {};
	DATA_BLOB b = {};
	DATA_BLOB again = {};

	theirs.table = &ndr_table_eventlog6;
	assert_int_equal(ours->table->calls[ours->opnum].struct_size,
			 theirs.table->calls[ours->opnum].struct_size);

	assert_int_equal(ndr_case_push(mem_ctx, ours, extra, r, &a), 0);
	assert_int_equal(ndr_case_push(mem_ctx, &theirs, extra, r, &b), 0);
	assert_string_equal(hex(mem_ctx, &a), hex(mem_ctx, &b));

	assert_int_equal(ndr_case_pull(mem_ctx, &theirs, extra, &a, in, &back),
			 0);
	assert_int_equal(ndr_case_push(mem_ctx, ours, extra, back, &again), 0);
	assert_string_equal(hex(mem_ctx, &again), hex(mem_ctx, &a));
}

static void compare_all(TALLOC_CTX *mem_ctx, uint32_t extra)
{
	size_t i;
	size_t compared = 0;

	for (i = 0; i < ndr_num_cases; i++) {
		TALLOC_CTX *tmp = talloc_new(mem_ctx);

		if (ndr_cases[i].table == &ndr_table_even6 &&
		    samba_is_right(ndr_cases[i].opnum, ndr_cases[i].flags)) {
			print_message("# %s\n", ndr_cases[i].name);
			compare(tmp, &ndr_cases[i], extra);
			compared++;
		}
		talloc_free(tmp);
	}
	/* 19 calls both ways, 9 one way. */
	assert_true(compared >= 47);
}

static void test_same_bytes_as_samba_in_ndr32(void **state)
{
	compare_all(*state, 0);
}

static void test_same_bytes_as_samba_in_ndr64(void **state)
{
	compare_all(*state, LIBNDR_FLAG_NDR64);
}

static void test_same_interface_as_samba(void **state)
{
	assert_true(ndr_syntax_id_equal(&ndr_table_even6.syntax_id,
					&ndr_table_eventlog6.syntax_id));
	assert_int_equal(ndr_table_even6.num_calls,
			 ndr_table_eventlog6.num_calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_same_interface_as_samba),
		leak_test(test_same_bytes_as_samba_in_ndr32),
		leak_test(test_same_bytes_as_samba_in_ndr64),
	};

	return cmocka_run_group_tests_name("idl/samba", tests, ndr_case_setup,
					   NULL);
}
