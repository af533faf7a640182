/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/build.h"

#include "base/text.h"
#include "event/binxml.h"
#include "event/type.h"

#include <string.h>

/* The values of the System template below; 0 to 17 are Windows', facts 10.2. */
enum system_value {
	VALUE_LEVEL,
	VALUE_OPCODE,
	VALUE_TASK,
	VALUE_EVENT_ID,
	VALUE_QUALIFIERS,
	VALUE_KEYWORDS,
	VALUE_TIME_CREATED,
	VALUE_ACTIVITY_ID,
	VALUE_PROCESS_ID,
	VALUE_THREAD_ID,
	VALUE_RECORD_ID,
	VALUE_VERSION,
	VALUE_USER_ID,
	VALUE_RELATED_ACTIVITY_ID,
	VALUE_PROVIDER_NAME,
	VALUE_PROVIDER_GUID,
	VALUE_CHANNEL,
	VALUE_BODY,
	VALUE_COMPUTER,
	NUM_SYSTEM_VALUES
};

/*
 * The outer template of all our events.  It is the one Windows 7 and later
 * use, with two differences: Computer is value 18 instead of text, so that
 * all hosts share the template, and the body is a normal substitution, so
 * that an event without a body keeps its Event element (an optional one would
 * make Event depend on it).
 */
/* clang-format off */
static const uint8_t system_definition[] = {
	/* <Event xmlns='...'> */
	0x0F, 1, 1, 0, 0x41, 0xFF, 0xFF, 0x9C, 3, 0, 0, 0xBA, 0x0C, 5, 0,
	'E', 0, 'v', 0, 'e', 0, 'n', 0, 't', 0, 0, 0, 0x7F, 0, 0, 0, 6, 0xBC,
	0x0F, 5, 0, 'x', 0, 'm', 0, 'l', 0, 'n', 0, 's', 0, 0, 0, 5, 1, '5', 0,
	'h', 0, 't', 0, 't', 0, 'p', 0, ':', 0, '/', 0, '/', 0, 's', 0, 'c', 0,
	'h', 0, 'e', 0, 'm', 0, 'a', 0, 's', 0, '.', 0, 'm', 0, 'i', 0, 'c', 0,
	'r', 0, 'o', 0, 's', 0, 'o', 0, 'f', 0, 't', 0, '.', 0, 'c', 0, 'o', 0,
	'm', 0, '/', 0, 'w', 0, 'i', 0, 'n', 0, '/', 0, '2', 0, '0', 0, '0', 0,
	'4', 0, '/', 0, '0', 0, '8', 0, '/', 0, 'e', 0, 'v', 0, 'e', 0, 'n', 0,
	't', 0, 's', 0, '/', 0, 'e', 0, 'v', 0, 'e', 0, 'n', 0, 't', 0, 2,
	/* <System> */
	1, 0xFF, 0xFF, 0xFC, 2, 0, 0, 0x6F, 0x54, 6, 0, 'S', 0, 'y', 0, 's', 0,
	't', 0, 'e', 0, 'm', 0, 0, 0, 2,
	/* Provider */
	0x41, 0xFF, 0xFF, 'A', 0, 0, 0, 0xF1, 0x7B, 8, 0, 'P', 0, 'r', 0,
	'o', 0, 'v', 0, 'i', 0, 'd', 0, 'e', 0, 'r', 0, 0, 0, 0x26, 0, 0, 0,
	0x46, 0x4B, 0x95, 4, 0, 'N', 0, 'a', 0, 'm', 0, 'e', 0, 0, 0, 0x0E,
	0x0E, 0, 1, 6, 0x29, 0x15, 4, 0, 'G', 0, 'u', 0, 'i', 0, 'd', 0, 0, 0,
	0x0E, 0x0F, 0, 0x0F, 3,
	/* EventID */
	0x41, 3, 0, 0x3D, 0, 0, 0, 0xF5, 0x61, 7, 0, 'E', 0, 'v', 0, 'e', 0,
	'n', 0, 't', 0, 'I', 0, 'D', 0, 0, 0, 0x1F, 0, 0, 0, 6, 0x29, 0xDA,
	0x0A, 0, 'Q', 0, 'u', 0, 'a', 0, 'l', 0, 'i', 0, 'f', 0, 'i', 0,
	'e', 0, 'r', 0, 's', 0, 0, 0, 0x0E, 4, 0, 6, 2, 0x0E, 3, 0, 6, 4,
	/* Version */
	1, 0x0B, 0, 0x1A, 0, 0, 0, 0x18, 9, 7, 0, 'V', 0, 'e', 0, 'r', 0,
	's', 0, 'i', 0, 'o', 0, 'n', 0, 0, 0, 2, 0x0E, 0x0B, 0, 4, 4,
	/* Level */
	1, 0, 0, 0x16, 0, 0, 0, 0x64, 0xCE, 5, 0, 'L', 0, 'e', 0, 'v', 0,
	'e', 0, 'l', 0, 0, 0, 2, 0x0E, 0, 0, 4, 4,
	/* Task */
	1, 2, 0, 0x14, 0, 0, 0, 0x45, 0x7B, 4, 0, 'T', 0, 'a', 0, 's', 0,
	'k', 0, 0, 0, 2, 0x0E, 2, 0, 6, 4,
	/* Opcode */
	1, 1, 0, 0x18, 0, 0, 0, 0xAE, 0x1E, 6, 0, 'O', 0, 'p', 0, 'c', 0,
	'o', 0, 'd', 0, 'e', 0, 0, 0, 2, 0x0E, 1, 0, 4, 4,
	/* Keywords */
	1, 5, 0, 0x1C, 0, 0, 0, 0x6A, 0xCF, 8, 0, 'K', 0, 'e', 0, 'y', 0,
	'w', 0, 'o', 0, 'r', 0, 'd', 0, 's', 0, 0, 0, 2, 0x0E, 5, 0, 0x15, 4,
	/* TimeCreated */
	0x41, 0xFF, 0xFF, 0x40, 0, 0, 0, 0x3B, 0x8E, 0x0B, 0, 'T', 0, 'i', 0,
	'm', 0, 'e', 0, 'C', 0, 'r', 0, 'e', 0, 'a', 0, 't', 0, 'e', 0, 'd', 0,
	0, 0, 0x1F, 0, 0, 0, 6, 0x3C, 0x7B, 0x0A, 0, 'S', 0, 'y', 0, 's', 0,
	't', 0, 'e', 0, 'm', 0, 'T', 0, 'i', 0, 'm', 0, 'e', 0, 0, 0, 0x0E, 6,
	0, 0x11, 3,
	/* EventRecordID */
	1, 0x0A, 0, 0x26, 0, 0, 0, 0x46, 3, 0x0D, 0, 'E', 0, 'v', 0, 'e', 0,
	'n', 0, 't', 0, 'R', 0, 'e', 0, 'c', 0, 'o', 0, 'r', 0, 'd', 0, 'I', 0,
	'D', 0, 0, 0, 2, 0x0E, 0x0A, 0, 0x0A, 4,
	/* Correlation */
	0x41, 0xFF, 0xFF, 'm', 0, 0, 0, 0xA2, 0xF2, 0x0B, 0, 'C', 0, 'o', 0,
	'r', 0, 'r', 0, 'e', 0, 'l', 0, 'a', 0, 't', 0, 'i', 0, 'o', 0, 'n', 0,
	0, 0, 'L', 0, 0, 0, 0x46, 0x0A, 0xF1, 0x0A, 0, 'A', 0, 'c', 0, 't', 0,
	'i', 0, 'v', 0, 'i', 0, 't', 0, 'y', 0, 'I', 0, 'D', 0, 0, 0, 0x0E, 7,
	0, 0x0F, 6, 0x35, 0xC5, 0x11, 0, 'R', 0, 'e', 0, 'l', 0, 'a', 0,
	't', 0, 'e', 0, 'd', 0, 'A', 0, 'c', 0, 't', 0, 'i', 0, 'v', 0, 'i', 0,
	't', 0, 'y', 0, 'I', 0, 'D', 0, 0, 0, 0x0E, 0x0D, 0, 0x0F, 3,
	/* Execution */
	0x41, 0xFF, 0xFF, 'U', 0, 0, 0, 0xB8, 0xB5, 9, 0, 'E', 0, 'x', 0,
	'e', 0, 'c', 0, 'u', 0, 't', 0, 'i', 0, 'o', 0, 'n', 0, 0, 0, '8', 0,
	0, 0, 0x46, 0x0A, 0xD7, 9, 0, 'P', 0, 'r', 0, 'o', 0, 'c', 0, 'e', 0,
	's', 0, 's', 0, 'I', 0, 'D', 0, 0, 0, 0x0E, 8, 0, 8, 6, 0x85, 0x39, 8,
	0, 'T', 0, 'h', 0, 'r', 0, 'e', 0, 'a', 0, 'd', 0, 'I', 0, 'D', 0, 0,
	0, 0x0E, 9, 0, 8, 3,
	/* Channel */
	1, 0x10, 0, 0x1A, 0, 0, 0, 0x83, 0x61, 7, 0, 'C', 0, 'h', 0, 'a', 0,
	'n', 0, 'n', 0, 'e', 0, 'l', 0, 0, 0, 2, 0x0E, 0x10, 0, 1, 4,
	/* Computer */
	1, 0x12, 0, 0x1C, 0, 0, 0, 0x3B, 0x6E, 8, 0, 'C', 0, 'o', 0, 'm', 0,
	'p', 0, 'u', 0, 't', 0, 'e', 0, 'r', 0, 0, 0, 2, 0x0E, 0x12, 0, 1, 4,
	/* Security */
	0x41, 0xFF, 0xFF, '2', 0, 0, 0, 0xA0, 0x2E, 8, 0, 'S', 0, 'e', 0,
	'c', 0, 'u', 0, 'r', 0, 'i', 0, 't', 0, 'y', 0, 0, 0, 0x17, 0, 0, 0, 6,
	0x66, 0x4C, 6, 0, 'U', 0, 's', 0, 'e', 0, 'r', 0, 'I', 0, 'D', 0, 0, 0,
	0x0E, 0x0C, 0, 0x13, 3,
	/* </System>, the body as value 17, </Event> */
	4, 0x0D, 0x11, 0, 0x21, 4, 0,
};
/* clang-format on */

/* A name-based GUID over these bytes. */
static const struct ev_guid system_guid = {{0xA4, 0x09, 0x27, 0x5D, 0x81, 0xB2,
					    0xEB, 0x52, 0xA7, 0xE3, 0xE5, 0xBB,
					    0x16, 0xCB, 0x3E, 0x72}};

static const uint8_t fragment[EVENT_FRAGMENT_SIZE] = {0x0F, 1, 1, 0};

/* clang-format off */
/* <EventData> without dependency; its length goes to offset 3. */
static const uint8_t event_data_start[] = {
	0x01, 0xFF, 0xFF, 0, 0, 0, 0, 0x44, 0x82, 9, 0,
	'E', 0, 'v', 0, 'e', 0, 'n', 0, 't', 0,
	'D', 0, 'a', 0, 't', 0, 'a', 0, 0, 0, 2,
};

/* <Data, likewise; an attribute list follows when the token is 41. */
static const uint8_t data_start[] = {
	0x01, 0xFF, 0xFF, 0, 0, 0, 0, 0x8A, 0x6F, 4, 0,
	'D', 0, 'a', 0, 't', 0, 'a', 0, 0, 0,
};

/* Name=' behind the list's length; the length of the text follows. */
static const uint8_t name_start[] = {
	0x06, 0x4B, 0x95, 4, 0, 'N', 0, 'a', 0, 'm', 0, 'e', 0, 0, 0, 5, 1,
};
/* clang-format on */

/* What stands in the event beside System. */
struct event_body {
	const uint8_t *definition; /* NULL: EventData, from the data's names */
	size_t definition_len;
	const struct event_data *data;
	size_t num_data;
};

/* What is being written: specs are patched as values are appended. */
struct build {
	struct buf *out;
	size_t specs;
	everr_t err;
};

static void put_spec(struct build *build, unsigned int id, uint8_t type,
		     size_t len)
{
	struct buf *out = build->out;

	if (len > EVENT_VALUE_MAX) {
		build->err = EVERR_BINXML_VALUE;
		return;
	}
	if (buf_error(out) == EVERR_OK) {
		le16_set(out->data + build->specs + EVENT_SPEC_SIZE * id,
			 (uint16_t)len);
		out->data[build->specs + EVENT_SPEC_SIZE * id + 2] = type;
	}
}

/* data NULL: the value is Null, which needs no spec but zeros. */
static void put_value(struct build *build, unsigned int id, uint8_t type,
		      const void *data, size_t len)
{
	if (data != NULL) {
		put_spec(build, id, type, len);
		buf_put(build->out, data, len);
	}
}

static void put_uint8(struct build *build, unsigned int id, uint8_t v)
{
	put_spec(build, id, EVENT_TYPE_UINT8, 1);
	buf_put_u8(build->out, v);
}

static void put_uint16(struct build *build, unsigned int id, uint16_t v)
{
	put_spec(build, id, EVENT_TYPE_UINT16, 2);
	buf_put_u16(build->out, v);
}

static void put_uint32(struct build *build, unsigned int id, uint32_t v)
{
	put_spec(build, id, EVENT_TYPE_UINT32, 4);
	buf_put_u32(build->out, v);
}

static void put_uint64(struct build *build, unsigned int id, uint8_t type,
		       uint64_t v)
{
	put_spec(build, id, type, 8);
	buf_put_u64(build->out, v);
}

static void put_text(struct build *build, unsigned int id, const char *text)
{
	size_t start = build->out->len;
	everr_t err;

	err = text_utf8_to_utf16(build->out, text, strlen(text));
	if (err != EVERR_OK) {
		build->err = err;
		return;
	}
	put_spec(build, id, EVENT_TYPE_STRING, build->out->len - start);
}

static void put_guid(struct build *build, unsigned int id,
		     const struct ev_guid *guid)
{
	put_value(build, id, EVENT_TYPE_GUID, guid, sizeof(*guid));
}

/* The length field at start covers what follows it. */
static void patch_length(struct buf *out, size_t start)
{
	buf_set_u32(out, start, (uint32_t)(out->len - start - 4));
}

/* Name='...'; names are text of the definition, and so is their length. */
static everr_t put_data_name(struct buf *out, const char *name)
{
	size_t list = out->len;
	size_t count = list + 4 + sizeof(name_start);
	size_t num_units;
	everr_t err;

	buf_put_u32(out, 0);
	buf_put(out, name_start, sizeof(name_start));
	buf_put_u16(out, 0);
	err = text_utf8_to_utf16(out, name, strlen(name));
	if (err != EVERR_OK) {
		return err;
	}
	num_units = (out->len - count) / 2 - 1;
	if (num_units > UINT16_MAX) {
		return EVERR_EVENT_DATA_SIZE;
	}
	buf_set_u16(out, count, (uint16_t)num_units);
	patch_length(out, list);
	return EVERR_OK;
}

/* <Data Name='name'>%id</Data> */
static everr_t put_data_element(struct buf *out, const struct event_data *data,
				uint16_t id)
{
	size_t start = out->len;
	everr_t err;

	buf_put(out, data_start, sizeof(data_start));
	if (data->name != NULL) {
		if (buf_error(out) == EVERR_OK) {
			out->data[start] = 0x41;
		}
		err = put_data_name(out, data->name);
		if (err != EVERR_OK) {
			return err;
		}
	}
	buf_put_u8(out, EVENT_TOKEN_CLOSE_START);
	buf_put_u8(out, EVENT_TOKEN_SUBST);
	buf_put_u16(out, id);
	buf_put_u8(out, data->type);
	buf_put_u8(out, EVENT_TOKEN_END);
	patch_length(out, start + 3);
	return EVERR_OK;
}

/* The definition of the body; the GUID is a name-based one over its bytes. */
static everr_t put_body_definition(struct buf *out,
				   const struct event_data *data,
				   size_t num_data)
{
	size_t start = out->len;
	size_t i;
	everr_t err;

	buf_put(out, fragment, sizeof(fragment));
	buf_put(out, event_data_start, sizeof(event_data_start));
	for (i = 0; i < num_data; i++) {
		err = put_data_element(out, &data[i], (uint16_t)i);
		if (err != EVERR_OK) {
			return err;
		}
	}
	buf_put_u8(out, EVENT_TOKEN_END);
	patch_length(out, start + sizeof(fragment) + 3);
	buf_put_u8(out, EVENT_TOKEN_EOF);
	return buf_error(out);
}

/*
 * Header, 0C 00, GUID, definition and number of values are the same for outer
 * and body; begin leaves the GUID and the length open.
 */
static void put_instance_begin(struct buf *out)
{
	buf_put(out, fragment, sizeof(fragment));
	buf_put_u8(out, EVENT_TOKEN_TEMPLATE);
	buf_put_zero(out, 1 + sizeof(struct ev_guid) + 4);
}

static void put_instance_end(struct buf *out, size_t def,
			     const struct ev_guid *guid, size_t num_values)
{
	if (buf_error(out) == EVERR_OK) {
		memcpy(out->data + def - 4 - sizeof(*guid), guid,
		       sizeof(*guid));
	}
	patch_length(out, def - 4);
	buf_put_u32(out, (uint32_t)num_values);
}

/* The definition that was given, or that of EventData. */
static everr_t put_definition(struct buf *out, const struct event_body *body)
{
	if (body->definition == NULL) {
		return put_body_definition(out, body->data, body->num_data);
	}
	buf_put(out, body->definition, body->definition_len);
	return buf_error(out);
}

/* The nested document with the data; with nothing to say there is none. */
static everr_t put_body(struct build *outer, const struct event_body *content)
{
	const struct event_data *data = content->data;
	size_t num_data = content->num_data;
	struct buf *out = outer->out;
	size_t start = out->len;
	struct build body = {.out = out};
	struct ev_guid guid = {0};
	size_t def;
	size_t i;
	everr_t err;

	if (num_data == 0 && content->definition == NULL) {
		return EVERR_OK;
	}
	put_instance_begin(out);
	def = out->len;
	err = put_definition(out, content);
	if (err != EVERR_OK) {
		return err;
	}
	ev_guid_from_bytes(out->data + def, out->len - def, &guid);
	put_instance_end(out, def, &guid, num_data);

	body.specs = out->len;
	buf_put_zero(out, EVENT_SPEC_SIZE * num_data);
	for (i = 0; i < num_data; i++) {
		if (data[i].absent) {
			continue;
		}
		put_spec(&body, (unsigned int)i, data[i].type, data[i].len);
		buf_put(out, data[i].value, data[i].len);
	}
	buf_put_u8(out, EVENT_TOKEN_EOF);
	if (out->len - start > EVENT_VALUE_MAX) {
		return EVERR_EVENT_DATA_SIZE;
	}
	put_spec(outer, VALUE_BODY, EVENT_TYPE_BINXML, out->len - start);
	return body.err;
}

/* In the order of enum system_value. */
static everr_t put_system(struct build *build,
			  const struct event_system *system,
			  const struct event_body *body)
{
	everr_t err;

	put_uint8(build, VALUE_LEVEL, system->level);
	put_uint8(build, VALUE_OPCODE, system->opcode);
	put_uint16(build, VALUE_TASK, system->task);
	put_uint16(build, VALUE_EVENT_ID, system->event_id);
	if (system->has_qualifiers) {
		put_uint16(build, VALUE_QUALIFIERS, system->qualifiers);
	}
	put_uint64(build, VALUE_KEYWORDS, EVENT_TYPE_HEXINT64,
		   system->keywords);
	put_uint64(build, VALUE_TIME_CREATED, EVENT_TYPE_FILETIME,
		   system->time_created);
	put_guid(build, VALUE_ACTIVITY_ID, system->activity_id);
	put_uint32(build, VALUE_PROCESS_ID, system->process_id);
	put_uint32(build, VALUE_THREAD_ID, system->thread_id);
	put_uint64(build, VALUE_RECORD_ID, EVENT_TYPE_UINT64,
		   system->record_id);
	put_uint8(build, VALUE_VERSION, system->version);
	put_value(build, VALUE_USER_ID, EVENT_TYPE_SID, system->user_sid,
		  system->user_sid_len);
	put_guid(build, VALUE_RELATED_ACTIVITY_ID, system->related_activity_id);
	put_text(build, VALUE_PROVIDER_NAME, system->provider);
	put_guid(build, VALUE_PROVIDER_GUID, system->provider_guid);
	put_text(build, VALUE_CHANNEL, system->channel);
	err = put_body(build, body);
	if (err != EVERR_OK) {
		return err;
	}
	put_text(build, VALUE_COMPUTER, system->computer);
	buf_put_u8(build->out, EVENT_TOKEN_EOF);
	return build->err;
}

static bool text_missing(const char *text)
{
	return text == NULL || text[0] == '\0';
}

static everr_t check_system(const struct event_system *system)
{
	if (text_missing(system->provider) || text_missing(system->channel) ||
	    text_missing(system->computer)) {
		return EVERR_INVALID;
	}
	if (system->user_sid == NULL) {
		return EVERR_OK;
	}
	return event_type_check(EVENT_TYPE_SID, system->user_sid,
				system->user_sid_len);
}

static everr_t check_data(const struct event_data *data, size_t num_data)
{
	size_t i;
	everr_t err;

	if (num_data > EVENT_BUILD_DATA_MAX) {
		return EVERR_LIMIT;
	}
	for (i = 0; i < num_data; i++) {
		/* The types between are not of the wire, facts 9.4. */
		if ((data[i].type & ~EVENT_TYPE_ARRAY) > EVENT_TYPE_HEXINT64) {
			return EVERR_INVALID;
		}
		if (data[i].absent) {
			continue;
		}
		if (data[i].len > EVENT_VALUE_MAX) {
			return EVERR_BINXML_VALUE;
		}
		err = event_type_check(data[i].type, data[i].value,
				       data[i].len);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t put_event(struct buf *out, const struct event_system *system,
			 const struct event_body *body)
{
	struct build build = {.out = out};
	size_t def;
	everr_t err;

	put_instance_begin(out);
	def = out->len;
	buf_put(out, system_definition, sizeof(system_definition));
	put_instance_end(out, def, &system_guid, NUM_SYSTEM_VALUES);
	build.specs = out->len;
	buf_put_zero(out, EVENT_SPEC_SIZE * NUM_SYSTEM_VALUES);

	err = put_system(&build, system, body);
	if (err != EVERR_OK) {
		return err;
	}
	return buf_error(out);
}

static everr_t build_checked(struct buf *out, const struct event_system *system,
			     const struct event_body *body)
{
	size_t start = out->len;
	everr_t err;

	err = check_system(system);
	if (err != EVERR_OK) {
		return err;
	}
	err = check_data(body->data, body->num_data);
	if (err != EVERR_OK) {
		return err;
	}
	err = put_event(out, system, body);
	if (err != EVERR_OK) {
		buf_truncate(out, start);
	}
	return err;
}

everr_t event_build(struct buf *out, const struct event_system *system,
		    const struct event_data *data, size_t num_data)
{
	const struct event_body body = {.data = data, .num_data = num_data};

	return build_checked(out, system, &body);
}

everr_t event_build_body(struct buf *out, const struct event_system *system,
			 const uint8_t *definition, size_t definition_len,
			 const struct event_data *data, size_t num_data)
{
	const struct event_body body = {
		.definition = definition,
		.definition_len = definition_len,
		.data = data,
		.num_data = num_data,
	};

	return build_checked(out, system, &body);
}
