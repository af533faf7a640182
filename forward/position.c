/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/position.h"

#include "base/text.h"

#include <string.h>

static const uint8_t magic[4] = {'F', 'W', 'P', '1'};

everr_t forward_position_encode(struct buf *out,
				const struct forward_position *position)
{
	size_t start = out->len;
	size_t i;

	buf_put(out, magic, sizeof(magic));
	buf_put_u64(out, position->began);
	buf_put_u32(out, (uint32_t)position->num_places);
	for (i = 0; i < position->num_places; i++) {
		const struct forward_place *place = &position->places[i];
		size_t len = strlen(place->channel);

		if (len == 0 || len > FORWARD_PLACE_NAME_MAX) {
			buf_truncate(out, start);
			return EVERR_INVALID;
		}
		buf_put_u16(out, (uint16_t)len);
		buf_put(out, place->channel, len);
		buf_put_u64(out, place->id);
	}
	if (buf_error(out) == EVERR_OK &&
	    out->len - start > FORWARD_POSITION_MAX) {
		buf_truncate(out, start);
		return EVERR_LIMIT;
	}
	return buf_error(out);
}

struct reader {
	const uint8_t *at;
	size_t left;
};

/* NULL: there is not so much. */
static const uint8_t *take(struct reader *reader, size_t len)
{
	const uint8_t *at = reader->at;

	if (len > reader->left) {
		return NULL;
	}
	reader->at += len;
	reader->left -= len;
	return at;
}

static everr_t decode_place(TALLOC_CTX *mem_ctx, struct reader *reader,
			    struct forward_place *ret_place)
{
	const uint8_t *number = take(reader, 2);
	const uint8_t *name = NULL;
	size_t len;

	if (number == NULL) {
		return EVERR_INVALID;
	}
	len = le16_get(number);
	name = take(reader, len);
	number = take(reader, 8);
	if (name == NULL || number == NULL || len == 0 ||
	    len > FORWARD_PLACE_NAME_MAX || memchr(name, '\0', len) != NULL ||
	    !text_utf8_valid((const char *)name, len)) {
		return EVERR_INVALID;
	}
	ret_place->id = le64_get(number);
	ret_place->channel = talloc_strndup(mem_ctx, (const char *)name, len);
	return ret_place->channel != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t decode(struct reader *reader, struct forward_position *position)
{
	const uint8_t *head = take(reader, FORWARD_POSITION_HEAD);
	size_t num, i;
	everr_t err;

	if (head == NULL || memcmp(head, magic, sizeof(magic)) != 0) {
		return EVERR_INVALID;
	}
	position->began = le64_get(head + 4);
	num = le32_get(head + 12);
	/* Before memory is asked for by a number that may be damage. */
	if (num > reader->left / FORWARD_PLACE_HEAD) {
		return EVERR_INVALID;
	}
	position->places =
		talloc_zero_array(position, struct forward_place, num);
	if (position->places == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		err = decode_place(position->places, reader,
				   &position->places[i]);
		if (err != EVERR_OK) {
			return err;
		}
	}
	position->num_places = num;
	return reader->left == 0 ? EVERR_OK : EVERR_INVALID;
}

everr_t forward_position_decode(TALLOC_CTX *mem_ctx, const uint8_t *data,
				size_t len,
				struct forward_position **ret_position)
{
	struct reader reader = {.at = data, .left = len};
	struct forward_position *position = NULL;
	everr_t err;

	position = talloc_zero(mem_ctx, struct forward_position);
	if (position == NULL) {
		return EVERR_NOMEM;
	}
	err = decode(&reader, position);
	if (err != EVERR_OK) {
		TALLOC_FREE(position);
		return err;
	}
	*ret_position = position;
	return EVERR_OK;
}
