/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A line as a Content-Type, what follows as its multipart body; with a
 * Content-Type that is refused, the body is read by the boundary "B".  Parts
 * lie in the body in their order, none of them holds a whole delimiter line,
 * and joined again they are read as the same parts.
 */

#include "base/buf.h"
#include "soap/ccm_multipart.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_inside(const struct ccm_parts *parts, const uint8_t *body,
			 size_t len)
{
	const uint8_t *at = body;
	size_t i;

	must(parts->num > 0 && parts->num <= CCM_PARTS_MAX);
	for (i = 0; i < parts->num; i++) {
		const struct ccm_part *part = &parts->part[i];
		const char *value = NULL;
		size_t value_len = 0;

		must(part->head >= at);
		must(part->head_len <= CCM_PART_HEAD_MAX);
		must(part->data >= part->head + part->head_len);
		at = part->data + part->len;
		if (ccm_part_field(part, "content-type", &value, &value_len)) {
			must((const uint8_t *)value > part->head);
			must((const uint8_t *)value + value_len <=
			     part->head + part->head_len);
		}
	}
	must(at <= body + len);
}

static void check_again(TALLOC_CTX *mem_ctx, const char *boundary,
			const struct ccm_parts *parts)
{
	struct ccm_parts again = {.num = 0};
	const char *reason = NULL;
	struct buf out;
	size_t i;

	buf_init(&out, mem_ctx, 1 << 26);
	for (i = 0; i < parts->num; i++) {
		const struct ccm_part *part = &parts->part[i];

		buf_printf(&out, "\r\n--%s\r\n", boundary);
		buf_put(&out, part->head, part->head_len);
		buf_puts(&out, part->head_len > 0 ? "\r\n\r\n" : "\r\n");
		buf_put(&out, part->data, part->len);
	}
	buf_printf(&out, "\r\n--%s--", boundary);
	must(out.err == EVERR_OK);
	must(ccm_multipart_parse(mem_ctx, boundary, out.data, out.len, &again,
				 &reason) == EVERR_OK);
	must(again.num == parts->num);
	for (i = 0; i < parts->num; i++) {
		must(again.part[i].len == parts->part[i].len);
		must(again.part[i].head_len == parts->part[i].head_len);
		must(memcmp(again.part[i].data, parts->part[i].data,
			    again.part[i].len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	const uint8_t *end = memchr(data, '\n', size);
	struct ccm_parts parts = {.num = 0};
	const char *boundary = "B";
	const char *reason = NULL;
	everr_t err;

	if (end != NULL) {
		char *line = talloc_strndup(mem_ctx, (const char *)data,
					    (size_t)(end - data));

		err = ccm_multipart_boundary(mem_ctx, line, &boundary, &reason);
		must(err == EVERR_OK || (err == EVERR_TEXT && reason != NULL));
		size -= (size_t)(end + 1 - data);
		data = end + 1;
	}
	reason = NULL;
	err = ccm_multipart_parse(mem_ctx, boundary, data, size, &parts,
				  &reason);
	if (err == EVERR_OK) {
		check_inside(&parts, data, size);
		check_again(mem_ctx, boundary, &parts);
	} else {
		must(err == EVERR_TEXT || err == EVERR_LIMIT);
		must(reason != NULL && parts.num == 0);
	}
	talloc_free(mem_ctx);
	return 0;
}
