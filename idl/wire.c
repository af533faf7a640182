/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idl/wire.h"

enum ndr_err_code idl_push_string(struct ndr_push *ndr, const char *s)
{
	uint32_t count = ndr_charset_length(s, CH_UTF16);

	NDR_CHECK(ndr_push_uint3264(ndr, NDR_SCALARS, count));
	NDR_CHECK(ndr_push_uint3264(ndr, NDR_SCALARS, 0));
	NDR_CHECK(ndr_push_uint3264(ndr, NDR_SCALARS, count));
	return ndr_push_charset(ndr, NDR_SCALARS, s, count, sizeof(uint16_t),
				CH_UTF16);
}

enum ndr_err_code idl_pull_string(struct ndr_pull *ndr, uint32_t low,
				  uint32_t high, const char **ret_s)
{
	uint32_t max = 0;
	uint32_t offset = 0;
	uint32_t count = 0;

	NDR_CHECK(ndr_pull_uint3264(ndr, NDR_SCALARS, &max));
	NDR_CHECK(ndr_pull_uint3264(ndr, NDR_SCALARS, &offset));
	NDR_CHECK(ndr_pull_uint3264(ndr, NDR_SCALARS, &count));
	NDR_CHECK(idl_check_range(max, low, high));
	NDR_CHECK(idl_check_range(count, low, high));
	if (offset != 0 || count > max) {
		return NDR_ERR_ARRAY_SIZE;
	}

	/*
	 * The bytes must be there before libndr computes with their number in
	 * 32 bits.  Some clients send an empty string without its NUL.
	 */
	if (count > (ndr->data_size - ndr->offset) / sizeof(uint16_t)) {
		return NDR_ERR_BUFSIZE;
	}
	if (count != 0) {
		NDR_CHECK(ndr_check_string_terminator(ndr, count,
						      sizeof(uint16_t)));
	}
	return ndr_pull_charset(ndr, NDR_SCALARS, ret_s, count,
				sizeof(uint16_t), CH_UTF16);
}

enum ndr_err_code idl_pull_count(struct ndr_pull *ndr, uint32_t element_size,
				 uint32_t *ret_count)
{
	uint32_t count = 0;

	NDR_CHECK(ndr_pull_uint3264(ndr, NDR_SCALARS, &count));
	if (count > (ndr->data_size - ndr->offset) / element_size) {
		return NDR_ERR_BUFSIZE;
	}
	*ret_count = count;
	return NDR_ERR_SUCCESS;
}
