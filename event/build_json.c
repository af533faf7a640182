/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"
#include "base/wintime.h"
#include "event/build.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Values of one event together; event_build() says what it can take. */
#define VALUES_MAX EVENT_WIRE_MAX

/* What is read, and everything that the event points to meanwhile. */
struct json_build {
	TALLOC_CTX *mem_ctx;
	char *message;
	struct event_system system;
	struct ev_guid provider_guid;
	struct ev_guid activity_id;
	struct ev_guid related_activity_id;
	struct buf sid;
	struct event_data *data;
	size_t *offsets; /* of the values; they move while they grow */
	size_t num_data;
	struct buf values;
};

/* Refuse with a sentence that names the place. */
static everr_t refuse(struct json_build *b, const char *place, const char *what)
{
	b->message = talloc_asprintf(b->mem_ctx, "%s: %s", place, what);
	return b->message != NULL ? EVERR_TEXT : EVERR_NOMEM;
}

struct member;

/* What is done with the value of a member. */
typedef everr_t (*member_fn)(struct json_build *b, const struct member *member,
			     const json_t *value);

/* A member that an object may have, and the field of System it is for. */
struct member {
	const char *name;
	const char *place;
	member_fn fn;
	size_t offset;
	size_t size;
};

#define MEMBER(place, name, fn)                \
	{                                      \
		name, place "." name, fn, 0, 0 \
	}
#define FIELD(place, name, fn, field)                             \
	{                                                         \
		name, place "." name, fn,                         \
			offsetof(struct event_system, field),     \
			sizeof(((struct event_system *)0)->field) \
	}

/* A number, or a string that is one: beyond 2^53 they are strings. */
static everr_t get_unsigned(struct json_build *b, const char *place,
			    const json_t *value, uint64_t max,
			    uint64_t *ret_number)
{
	struct buf bytes;
	uint64_t number = UINT64_MAX;
	bool ok = false;
	everr_t err;

	if (json_is_integer(value)) {
		ok = json_integer_value(value) >= 0;
		number = (uint64_t)json_integer_value(value);
	} else if (json_is_string(value)) {
		buf_init(&bytes, b->mem_ctx, 8);
		err = event_value_from_text(&bytes, EVENT_TYPE_UINT64,
					    json_string_value(value));
		if (err == EVERR_NOMEM) {
			return err;
		}
		ok = err == EVERR_OK;
		number = ok ? le64_get(bytes.data) : 0;
		buf_free(&bytes);
	}
	if (!ok || number > max) {
		char what[60];

		snprintf(what, sizeof(what), "not a number from 0 to %" PRIu64,
			 max);
		return refuse(b, place, what);
	}
	*ret_number = number;
	return EVERR_OK;
}

static everr_t get_string(struct json_build *b, const char *place,
			  const json_t *value, const char **ret_string)
{
	if (!json_is_string(value)) {
		return refuse(b, place, "not a string");
	}
	*ret_string = json_string_value(value);
	return EVERR_OK;
}

static everr_t get_guid(struct json_build *b, const char *place,
			const json_t *value, struct ev_guid *ret_guid)
{
	const char *text = NULL;
	everr_t err;

	err = get_string(b, place, value, &text);
	if (err != EVERR_OK) {
		return err;
	}
	err = ev_guid_parse(text, ret_guid);
	return err == EVERR_OK ? err : refuse(b, place, "not a GUID");
}

/* Every member of the object by its reader; one without is refused. */
static everr_t read_members(struct json_build *b, const char *place,
			    const json_t *object, const struct member *members,
			    size_t num_members)
{
	const char *name = NULL;
	json_t *value = NULL;
	char what[100];
	size_t i;
	everr_t err;

	/* What event_render_json() writes for an element without content. */
	if (json_is_null(object)) {
		return EVERR_OK;
	}
	if (!json_is_object(object)) {
		return refuse(b, place, "not an object");
	}
	json_object_foreach ((json_t *)object, name, value) {
		for (i = 0; i < num_members; i++) {
			if (strcmp(members[i].name, name) == 0) {
				break;
			}
		}
		if (i == num_members) {
			snprintf(what, sizeof(what),
				 "\"%.60s\" is not known here", name);
			return refuse(b, place, what);
		}
		err = members[i].fn(b, &members[i], value);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

#define READ_MEMBERS(b, place, object, members) \
	read_members(b, place, object, members, \
		     sizeof(members) / sizeof((members)[0]))

static everr_t read_number(struct json_build *b, const struct member *member,
			   const json_t *value)
{
	uint8_t *field = (uint8_t *)&b->system + member->offset;
	uint64_t max = UINT64_MAX >> (64 - 8 * member->size);
	uint64_t number = 0;
	everr_t err;

	err = get_unsigned(b, member->place, value, max, &number);
	if (err != EVERR_OK) {
		return err;
	}
	switch (member->size) {
	case 1:
		*field = (uint8_t)number;
		break;
	case 2:
		*(uint16_t *)(void *)field = (uint16_t)number;
		break;
	case 4:
		*(uint32_t *)(void *)field = (uint32_t)number;
		break;
	case 8:
		*(uint64_t *)(void *)field = number;
		break;
	}
	return EVERR_OK;
}

static everr_t read_string(struct json_build *b, const struct member *member,
			   const json_t *value)
{
	uint8_t *field = (uint8_t *)&b->system + member->offset;

	return get_string(b, member->place, value,
			  (const char **)(void *)field);
}

static everr_t read_qualifiers(struct json_build *b,
			       const struct member *member, const json_t *value)
{
	b->system.has_qualifiers = true;
	return read_number(b, member, value);
}

/* {"Qualifiers":16384,"#text":7036}, or 7036. */
static everr_t read_event_id(struct json_build *b, const struct member *member,
			     const json_t *value)
{
	static const struct member members[] = {
		FIELD("System.EventID", "Qualifiers", read_qualifiers,
		      qualifiers),
		{"#text", "System.EventID", read_number,
		 offsetof(struct event_system, event_id), 2},
	};

	if (!json_is_object(value)) {
		return read_number(b, &members[1], value);
	}
	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_provider_guid(struct json_build *b,
				  const struct member *member,
				  const json_t *value)
{
	b->system.provider_guid = &b->provider_guid;
	return get_guid(b, member->place, value, &b->provider_guid);
}

static everr_t read_provider(struct json_build *b, const struct member *member,
			     const json_t *value)
{
	static const struct member members[] = {
		FIELD("System.Provider", "Name", read_string, provider),
		MEMBER("System.Provider", "Guid", read_provider_guid),
	};

	if (json_is_string(value)) {
		return read_string(b, &members[0], value);
	}
	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_system_time(struct json_build *b,
				const struct member *member,
				const json_t *value)
{
	const char *text = NULL;
	everr_t err;

	err = get_string(b, member->place, value, &text);
	if (err != EVERR_OK) {
		return err;
	}
	err = wintime_parse(text, &b->system.time_created);
	if (err != EVERR_OK) {
		return refuse(b, member->place,
			      "not a time as 2023-11-14T22:13:20Z");
	}
	return EVERR_OK;
}

static everr_t read_time_created(struct json_build *b,
				 const struct member *member,
				 const json_t *value)
{
	static const struct member members[] = {
		MEMBER("System.TimeCreated", "SystemTime", read_system_time),
	};

	if (json_is_string(value)) {
		return read_system_time(b, &members[0], value);
	}
	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_activity_id(struct json_build *b,
				const struct member *member,
				const json_t *value)
{
	b->system.activity_id = &b->activity_id;
	return get_guid(b, member->place, value, &b->activity_id);
}

static everr_t read_related_activity_id(struct json_build *b,
					const struct member *member,
					const json_t *value)
{
	b->system.related_activity_id = &b->related_activity_id;
	return get_guid(b, member->place, value, &b->related_activity_id);
}

static everr_t read_correlation(struct json_build *b,
				const struct member *member,
				const json_t *value)
{
	static const struct member members[] = {
		MEMBER("System.Correlation", "ActivityID", read_activity_id),
		MEMBER("System.Correlation", "RelatedActivityID",
		       read_related_activity_id),
	};

	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_execution(struct json_build *b, const struct member *member,
			      const json_t *value)
{
	static const struct member members[] = {
		FIELD("System.Execution", "ProcessID", read_number, process_id),
		FIELD("System.Execution", "ThreadID", read_number, thread_id),
	};

	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_user_id(struct json_build *b, const struct member *member,
			    const json_t *value)
{
	const char *text = NULL;
	everr_t err;

	err = get_string(b, member->place, value, &text);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_value_from_text(&b->sid, EVENT_TYPE_SID, text);
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		return refuse(b, member->place, "not a SID");
	}
	b->system.user_sid = b->sid.data;
	b->system.user_sid_len = b->sid.len;
	return EVERR_OK;
}

static everr_t read_security(struct json_build *b, const struct member *member,
			     const json_t *value)
{
	static const struct member members[] = {
		MEMBER("System.Security", "UserID", read_user_id),
	};

	return READ_MEMBERS(b, member->place, value, members);
}

static everr_t read_system(struct json_build *b, const struct member *member,
			   const json_t *value)
{
	static const struct member members[] = {
		MEMBER("System", "Provider", read_provider),
		MEMBER("System", "EventID", read_event_id),
		FIELD("System", "Version", read_number, version),
		FIELD("System", "Level", read_number, level),
		FIELD("System", "Task", read_number, task),
		FIELD("System", "Opcode", read_number, opcode),
		FIELD("System", "Keywords", read_number, keywords),
		MEMBER("System", "TimeCreated", read_time_created),
		FIELD("System", "EventRecordID", read_number, record_id),
		MEMBER("System", "Correlation", read_correlation),
		MEMBER("System", "Execution", read_execution),
		FIELD("System", "Channel", read_string, channel),
		FIELD("System", "Computer", read_string, computer),
		MEMBER("System", "Security", read_security),
	};

	return READ_MEMBERS(b, member->name, value, members);
}

/* Jansson's own, which has a point in every locale. */
static const char *real_text(TALLOC_CTX *mem_ctx, const json_t *value)
{
	char *dump = json_dumps(value, JSON_ENCODE_ANY);
	char *text = NULL;

	if (dump != NULL) {
		text = talloc_strdup(mem_ctx, dump);
		free(dump);
	}
	return text;
}

/* The value as text, in a form that event_value_from_text() reads. */
static everr_t get_text(struct json_build *b, const char *place,
			const json_t *value, const char **ret_text)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		*ret_text = json_string_value(value);
		return EVERR_OK;
	case JSON_INTEGER:
		*ret_text = talloc_asprintf(b->data, "%" JSON_INTEGER_FORMAT,
					    json_integer_value(value));
		break;
	case JSON_REAL:
		*ret_text = real_text(b->data, value);
		break;
	case JSON_TRUE:
		*ret_text = "true";
		break;
	case JSON_FALSE:
		*ret_text = "false";
		break;
	case JSON_NULL:
		*ret_text = "";
		break;
	default:
		return refuse(b, place, "not a value");
	}
	return *ret_text != NULL ? EVERR_OK : EVERR_NOMEM;
}

/* The type of a value that does not say it. */
static uint8_t natural_type(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		return json_integer_value(value) < 0 ? EVENT_TYPE_INT64
						     : EVENT_TYPE_UINT64;
	case JSON_REAL:
		return EVENT_TYPE_REAL64;
	case JSON_TRUE:
	case JSON_FALSE:
		return EVENT_TYPE_BOOL;
	case JSON_NULL:
		return EVENT_TYPE_NULL;
	default:
		return EVENT_TYPE_STRING;
	}
}

static everr_t add_value(struct json_build *b, const char *name,
			 const char *place, uint8_t type, const json_t *value)
{
	struct event_data *data = &b->data[b->num_data];
	size_t start = b->values.len;
	const char *text = NULL;
	char what[60];
	everr_t err;

	err = get_text(b, place, value, &text);
	if (err != EVERR_OK) {
		return err;
	}
	err = event_value_from_text(&b->values, type, text);
	if (err == EVERR_TEXT) {
		snprintf(what, sizeof(what), "not a value of type %s",
			 event_type_name(type));
		return refuse(b, place, what);
	}
	if (err == EVERR_LIMIT) {
		return refuse(b, "EventData",
			      everr_text(EVERR_EVENT_DATA_SIZE));
	}
	if (b->values.len - start > EVENT_VALUE_MAX) {
		return refuse(b, place, "longer than 65535 bytes in BinXML");
	}
	if (err != EVERR_OK) {
		return err;
	}
	*data = (struct event_data){
		.name = name, .type = type, .len = b->values.len - start};
	b->offsets[b->num_data++] = start;
	return EVERR_OK;
}

/* {"type":"UInt32","value":7} */
static everr_t add_typed(struct json_build *b, const char *name,
			 const char *place, const json_t *object)
{
	const json_t *type_name = json_object_get(object, "type");
	const json_t *value = json_object_get(object, "value");
	uint8_t type;
	everr_t err;

	if (!json_is_string(type_name) || value == NULL ||
	    json_object_size(object) != 2) {
		return refuse(b, place,
			      "an object with \"type\" and \"value\" is "
			      "expected");
	}
	err = event_type_from_name(json_string_value(type_name), &type);
	if (err != EVERR_OK) {
		return refuse(b, place, "there is no such type");
	}
	return add_value(b, name, place, type, value);
}

static everr_t add_datum(struct json_build *b, const char *name,
			 const char *place, const json_t *value)
{
	if (b->num_data == EVENT_BUILD_DATA_MAX) {
		return refuse(b, "EventData", "too many values");
	}
	if (json_is_object(value)) {
		return add_typed(b, name, place, value);
	}
	return add_value(b, name, place, natural_type(value), value);
}

/*
 * What event_render_json() wrote with its first character twice, since the name
 * would have been that of an attribute or of a text.
 */
static const char *data_name(const char *member)
{
	size_t hashes = strspn(member, "#");

	if (strncmp(member, "@@", 2) == 0 ||
	    (hashes > 1 && strcmp(member + hashes, "text") == 0)) {
		return member + 1;
	}
	return member;
}

/* A name's value, or its values; those of "Data" have no name. */
static everr_t add_data(struct json_build *b, const char *member,
			const json_t *value)
{
	bool unnamed = strcmp(member, "Data") == 0 && json_is_array(value);
	const char *name = data_name(member);
	char place[100];
	size_t i;
	everr_t err;

	snprintf(place, sizeof(place), "EventData.%.60s", member);
	if (!json_is_array(value)) {
		return add_datum(b, name, place, value);
	}
	for (i = 0; i < json_array_size(value); i++) {
		err = add_datum(b, unnamed ? NULL : name, place,
				json_array_get(value, i));
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t read_event_data(struct json_build *b,
			       const struct member *member, const json_t *value)
{
	const char *name = NULL;
	json_t *item = NULL;
	everr_t err;

	/* What event_render_json() writes without any. */
	if (json_is_null(value)) {
		return EVERR_OK;
	}
	if (!json_is_object(value)) {
		return refuse(b, member->place, "not an object");
	}
	json_object_foreach ((json_t *)value, name, item) {
		err = add_data(b, name, item);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}

static everr_t read_event(struct json_build *b, const json_t *root)
{
	static const struct member members[] = {
		{"System", "System", read_system, 0, 0},
		{"EventData", "EventData", read_event_data, 0, 0},
	};

	if (!json_is_object(root)) {
		return refuse(b, "the event", "not an object");
	}
	return READ_MEMBERS(b, "the event", root, members);
}

static everr_t put_event(struct json_build *b, struct buf *out)
{
	size_t i;
	everr_t err;

	for (i = 0; i < b->num_data; i++) {
		if (b->data[i].len > 0) {
			b->data[i].value = b->values.data + b->offsets[i];
		}
	}
	err = event_build(out, &b->system, b->data, b->num_data);
	if (err != EVERR_OK && err != EVERR_NOMEM) {
		b->message = talloc_strdup(
			b->mem_ctx,
			err == EVERR_INVALID
				? "System: Provider, Channel and Computer are "
				  "needed"
				: everr_text(err));
	}
	return err;
}

static everr_t build(struct json_build *b, struct buf *out, const char *json,
		     size_t len)
{
	json_error_t error;
	json_t *root = NULL;
	everr_t err;

	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		b->message =
			talloc_asprintf(b->mem_ctx, "line %d, column %d: %s",
					error.line, error.column, error.text);
		return b->message != NULL ? EVERR_TEXT : EVERR_NOMEM;
	}
	err = read_event(b, root);
	if (err == EVERR_OK) {
		err = put_event(b, out);
	}
	json_decref(root);
	return err;
}

everr_t event_build_json(TALLOC_CTX *mem_ctx, struct buf *out, const char *json,
			 size_t len, const struct event_system *defaults,
			 char **ret_message)
{
	struct json_build b = {.mem_ctx = mem_ctx};
	everr_t err;

	if (defaults != NULL) {
		b.system = *defaults;
	}
	b.data = talloc_array(mem_ctx, struct event_data, EVENT_BUILD_DATA_MAX);
	if (b.data == NULL) {
		return EVERR_NOMEM;
	}
	b.offsets = talloc_array(b.data, size_t, EVENT_BUILD_DATA_MAX);
	if (b.offsets == NULL) {
		TALLOC_FREE(b.data);
		return EVERR_NOMEM;
	}
	buf_init(&b.values, b.data, VALUES_MAX);
	buf_init(&b.sid, b.data, EVENT_VALUE_MAX);

	err = build(&b, out, json, len);
	if (err != EVERR_OK) {
		*ret_message = b.message;
	}
	TALLOC_FREE(b.data);
	return err;
}
