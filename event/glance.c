/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/glance.h"

#include "base/buf.h"
#include "event/binxml.h"
#include "event/event.h"
#include "event/system.h"
#include "event/type.h"

#include <string.h>

/*
 * A cache that overwrites: a definition has one slot by its GUID.  Whoever
 * sends ever new ones makes each event cost what reading its definition
 * costs, which packing it does as well.
 */
#define NUM_SLOTS 256
/* Windows' own have 1,000 to 3,000 bytes. */
#define DEFINITION_MAX 8192
#define DEFINITIONS_MAX (size_t)(256 * 1024)

/* A fragment header; 0C 00, GUID, the definition's length. */
#define HEAD_SIZE (EVENT_FRAGMENT_SIZE + 22)

#define WANTED (1U << EVENT_SYSTEM_TIME | 1U << EVENT_SYSTEM_COMPUTER)

/* What is kept of struct event_system_fields. */
struct place {
	uint8_t source;
	uint16_t id;
	uint64_t literal;
};

struct places {
	struct place time;
	struct place computer;
};

struct known {
	struct places places;
	uint8_t guid[sizeof(struct ev_guid)];
	uint32_t def_len;
	uint8_t def[];
};

struct event_glancer {
	struct known *slots[NUM_SLOTS];
	size_t bytes; /* of all definitions */
};

struct event_glancer *event_glancer_create(TALLOC_CTX *mem_ctx)
{
	return talloc_zero(mem_ctx, struct event_glancer);
}

static struct place place_of(const struct event_system_fields *fields,
			     enum event_system_field field)
{
	return (struct place){
		.source = fields->places[field].source,
		.id = fields->places[field].id,
		.literal = fields->places[field].literal,
	};
}

static everr_t locate(enum event_reader_mode mode, const uint8_t *data,
		      size_t len, struct places *ret_places)
{
	struct event_system_fields fields;
	everr_t err;

	err = event_system_locate_some(mode, data, len, WANTED, &fields);
	if (err != EVERR_OK) {
		return err;
	}
	ret_places->time = place_of(&fields, EVENT_SYSTEM_TIME);
	ret_places->computer = place_of(&fields, EVENT_SYSTEM_COMPUTER);
	return EVERR_OK;
}

/* GUIDs are random, or their sender's own affair. */
static struct known **slot_of(struct event_glancer *glancer,
			      const uint8_t *guid)
{
	uint64_t mixed =
		(le64_get(guid) ^ le64_get(guid + 8)) * 0x9E3779B97F4A7C15ULL;

	return &glancer->slots[mixed >> 56];
}

static bool is_known(const struct known *known,
		     const struct event_instance *instance)
{
	return known != NULL && known->def_len == instance->def_len &&
	       memcmp(known->guid, instance->guid, sizeof(known->guid)) == 0 &&
	       memcmp(known->def, instance->def, instance->def_len) == 0;
}

static void forget(struct event_glancer *glancer, struct known **slot)
{
	if (*slot != NULL) {
		glancer->bytes -= (*slot)->def_len;
		TALLOC_FREE(*slot);
	}
}

static void forget_all(struct event_glancer *glancer)
{
	size_t i;

	for (i = 0; i < NUM_SLOTS; i++) {
		forget(glancer, &glancer->slots[i]);
	}
}

static everr_t remember(struct event_glancer *glancer, struct known **slot,
			const struct event_instance *instance,
			const struct places *places)
{
	struct known *known = NULL;

	if (instance->def_len > DEFINITION_MAX) {
		return EVERR_OK;
	}
	forget(glancer, slot);
	if (glancer->bytes + instance->def_len > DEFINITIONS_MAX) {
		forget_all(glancer);
	}
	known = talloc_size(glancer, sizeof(*known) + instance->def_len);
	if (known == NULL) {
		return EVERR_NOMEM;
	}
	talloc_set_name_const(known, "struct known");
	known->places = *places;
	known->def_len = instance->def_len;
	memcpy(known->guid, instance->guid, sizeof(known->guid));
	memcpy(known->def, instance->def, instance->def_len);
	*slot = known;
	glancer->bytes += known->def_len;
	return EVERR_OK;
}

static everr_t instance_places(struct event_glancer *glancer,
			       const struct event_instance *instance,
			       struct places *ret_places)
{
	struct known **slot = slot_of(glancer, instance->guid);
	struct places places = {0};
	everr_t err;

	if (is_known(*slot, instance)) {
		*ret_places = (*slot)->places;
		return EVERR_OK;
	}
	err = locate(EVENT_READ_DEFINITION, instance->def, instance->def_len,
		     &places);
	if (err != EVERR_OK) {
		return err;
	}
	err = remember(glancer, slot, instance, &places);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_places = places;
	return EVERR_OK;
}

/* The instance being read, and how far its specs have been added up. */
struct source {
	struct event_instance instance;
	uint32_t at; /* the value at offset */
	size_t offset;
};

/* A value; type Null, or none at all: *ret_value is NULL. */
static everr_t find_value(struct source *source, uint16_t id, uint8_t *ret_type,
			  const uint8_t **ret_value, uint16_t *ret_len)
{
	const struct event_instance *instance = &source->instance;
	uint16_t len;

	*ret_value = NULL;
	if (id >= instance->num_values ||
	    event_spec_type(instance->specs, id) == EVENT_TYPE_NULL) {
		return EVERR_OK;
	}
	if (id < source->at) {
		source->at = 0;
		source->offset = 0;
	}
	for (; source->at < id; source->at++) {
		source->offset += event_spec_len(instance->specs, source->at);
	}
	len = event_spec_len(instance->specs, id);
	if (source->offset + len > instance->values_len) {
		return EVERR_BINXML_TRUNCATED;
	}
	*ret_type = event_spec_type(instance->specs, id);
	*ret_value = instance->values + source->offset;
	*ret_len = len;
	return EVERR_OK;
}

static everr_t read_time(struct source *source, const struct place *place,
			 struct event_glance *glance)
{
	const uint8_t *value = NULL;
	uint8_t type = EVENT_TYPE_NULL;
	uint16_t len = 0;
	everr_t err;

	if (place->source == EVENT_SYSTEM_LITERAL) {
		glance->has_time = true;
		glance->time_created = place->literal;
		return EVERR_OK;
	}
	if (place->source != EVENT_SYSTEM_VALUE) {
		return EVERR_OK;
	}
	err = find_value(source, place->id, &type, &value, &len);
	if (err != EVERR_OK || value == NULL) {
		return err;
	}
	err = event_type_check(type, value, len);
	if (err != EVERR_OK) {
		return err;
	}
	glance->has_time = event_system_value(EVENT_SYSTEM_TIME, type, value,
					      len, &glance->time_created);
	return EVERR_OK;
}

/*
 * Files have closing NULs, and what is behind them is not text.  Four units at
 * a time: a unit of 0 is what borrows when 1 is taken off.
 */
static size_t text_units(const uint8_t *text, size_t len)
{
	size_t units = 0;
	uint64_t four;

	for (; 2 * units + sizeof(four) <= len; units += 4) {
		four = le64_get(text + 2 * units);
		if (((four - 0x0001000100010001) & ~four &
		     0x8000800080008000) != 0) {
			break;
		}
	}
	while (2 * units < len && le16_get(text + 2 * units) != 0) {
		units++;
	}
	return units;
}

static everr_t read_computer_value(struct source *source, uint16_t id,
				   struct event_glance *glance)
{
	const uint8_t *value = NULL;
	uint8_t type = EVENT_TYPE_NULL;
	uint16_t len = 0;
	everr_t err;

	err = find_value(source, id, &type, &value, &len);
	if (err != EVERR_OK || value == NULL) {
		return err;
	}
	if (type == EVENT_TYPE_STRING) {
		err = event_type_check(type, value, len);
		if (err != EVERR_OK) {
			return err;
		}
		glance->computer_units = text_units(value, len);
	}
	glance->computer = value;
	return EVERR_OK;
}

/* text: the definition or document that the place was found in. */
static everr_t read_computer(struct source *source, const uint8_t *text,
			     const struct place *place,
			     struct event_glance *glance)
{
	switch ((enum event_system_source)place->source) {
	case EVENT_SYSTEM_NOWHERE:
		break;
	case EVENT_SYSTEM_VALUE:
		return read_computer_value(source, place->id, glance);
	case EVENT_SYSTEM_LITERAL:
		glance->computer = text + (place->literal >> 16);
		glance->computer_units = place->literal & 0xFFFF;
		break;
	case EVENT_SYSTEM_MIXED:
		glance->computer = text;
		break;
	}
	return EVERR_OK;
}

/*
 * The common case in as few steps as there can be: header, instance, known
 * definition.  values_len is all that follows.  false: not that case, or
 * malformed.
 */
static bool find_known(struct event_glancer *glancer, const uint8_t *doc,
		       size_t len, struct event_instance *instance,
		       struct places *ret_places)
{
	static const uint8_t head[] = {0x0F, 1, 1, 0, EVENT_TOKEN_TEMPLATE, 0};
	const struct known *known = NULL;
	size_t rest;

	if (len < HEAD_SIZE || memcmp(doc, head, sizeof(head)) != 0) {
		return false;
	}
	rest = len - HEAD_SIZE;
	instance->guid = doc + sizeof(head);
	instance->def = doc + HEAD_SIZE;
	instance->def_len = le32_get(instance->def - 4);
	if (instance->def_len > rest || rest - instance->def_len < 4) {
		return false;
	}
	known = *slot_of(glancer, instance->guid);
	if (!is_known(known, instance)) {
		return false;
	}
	rest -= instance->def_len + 4;
	instance->specs = instance->def + instance->def_len + 4;
	instance->num_values = le32_get(instance->specs - 4);
	if (instance->num_values > EVENT_VALUES_MAX ||
	    instance->num_values * EVENT_SPEC_SIZE > rest) {
		return false;
	}
	instance->values_len = rest - instance->num_values * EVENT_SPEC_SIZE;
	instance->values =
		instance->specs + instance->num_values * EVENT_SPEC_SIZE;
	*ret_places = known->places;
	return true;
}

/* The first that is neither header nor processing instruction. */
static everr_t first_token(const uint8_t *doc, size_t len,
			   struct event_token *ret_token)
{
	struct event_reader reader;
	everr_t err;

	event_reader_init(&reader, EVENT_READ_DOCUMENT, doc, len, 0);
	do {
		err = event_reader_next(&reader, ret_token);
		if (err != EVERR_OK) {
			return err;
		}
	} while (ret_token->kind == EVENT_TOKEN_FRAGMENT ||
		 ret_token->kind == EVENT_TOKEN_PI_TARGET ||
		 ret_token->kind == EVENT_TOKEN_PI_DATA);
	return EVERR_OK;
}

/* *ret_text as in read_computer(). */
static everr_t find_places(struct event_glancer *glancer, const uint8_t *doc,
			   size_t len, struct event_instance *ret_instance,
			   const uint8_t **ret_text, struct places *ret_places)
{
	struct event_token token;
	everr_t err;

	err = first_token(doc, len, &token);
	if (err != EVERR_OK) {
		return err;
	}
	if (token.kind != EVENT_TOKEN_TEMPLATE) {
		ret_instance->num_values = 0;
		*ret_text = doc;
		return locate(EVENT_READ_DOCUMENT, doc, len, ret_places);
	}
	*ret_instance = token.instance;
	*ret_text = token.instance.def;
	return instance_places(glancer, &token.instance, ret_places);
}

everr_t event_glance(struct event_glancer *glancer, const uint8_t *doc,
		     size_t len, struct event_glance *ret_glance)
{
	struct source source = {0};
	struct event_glance glance = {0};
	struct places places = {0};
	const uint8_t *text = NULL;
	everr_t err;

	if (find_known(glancer, doc, len, &source.instance, &places)) {
		text = source.instance.def;
	} else {
		err = find_places(glancer, doc, len, &source.instance, &text,
				  &places);
		if (err != EVERR_OK) {
			return err;
		}
	}
	err = read_time(&source, &places.time, &glance);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_computer(&source, text, &places.computer, &glance);
	if (err != EVERR_OK) {
		return err;
	}
	/* One by one: as a whole it would wait for what was just written. */
	ret_glance->has_time = glance.has_time;
	ret_glance->time_created = glance.time_created;
	ret_glance->computer = glance.computer;
	ret_glance->computer_units = glance.computer_units;
	return EVERR_OK;
}
