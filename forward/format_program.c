/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/format_internal.h"

struct compiler {
	const struct event_crc32 *table;
	const struct event_plan *plan;
	struct format_program *program;
	struct buf text;
	bool flat; /* names of ours are avoided */
	bool top;  /* System is looked for */
};

/* What the parent of an element is. */
enum parent {
	PARENT_DOCUMENT, /* none: the root may be Event */
	PARENT_EVENT,
	PARENT_USER_DATA,
	PARENT_PATH
};

static const struct format_path no_path;

static bool text_is(const struct event_plan *plan, struct event_plan_text text,
		    const char *want)
{
	return text.len == strlen(want) &&
	       memcmp(plan->text + text.offset, want, text.len) == 0;
}

/* How many elements and attributes a plan has, from an element on. */
static void count(const struct event_plan *plan, uint32_t index,
		  uint32_t *num_elements, uint32_t *num_attributes)
{
	const struct event_plan_element *element = &plan->elements[index];
	uint32_t i;

	(*num_elements)++;
	*num_attributes += element->num_attributes;
	for (i = element->first_child; i != EVENT_PLAN_NONE;
	     i = plan->elements[i].next_sibling) {
		count(plan, i, num_elements, num_attributes);
	}
}

/* ---------------------------------------------------------------- names */

static struct format_path path_below(const struct compiler *c,
				     const struct format_path *parent,
				     const char *separator,
				     struct event_plan_text name)
{
	struct format_path path = *parent;

	if (path.len > 0) {
		format_path_add(&path, c->table, (const uint8_t *)separator, 1);
	}
	format_path_add(&path, c->table, c->plan->text + name.offset, name.len);
	return path;
}

static struct format_name put_name(struct compiler *c,
				   const struct format_path *path)
{
	struct format_name text = {.offset = (uint32_t)c->text.len};

	c->program->changed |= format_put_name(&c->text, path, c->flat);
	text.len = (uint32_t)(c->text.len - text.offset);
	return text;
}

/* A Data element's Name, if it is known here: what JSON has as its key. */
static bool has_literal_name(const struct event_plan *plan,
			     const struct event_plan_element *element,
			     bool *ret_computed)
{
	uint32_t i;

	*ret_computed = false;
	for (i = 0; i < element->num_attributes; i++) {
		const struct event_plan_attribute *attribute =
			&plan->attributes[element->first_attribute + i];

		if (text_is(plan, attribute->name, "Name")) {
			*ret_computed = attribute->num_values > 0;
			return attribute->has_text &&
			       attribute->num_values == 0;
		}
	}
	return false;
}

/* The Name is text only. */
static struct format_path data_path(const struct compiler *c,
				    const struct format_path *parent,
				    const struct event_plan_element *element)
{
	const struct event_plan *plan = c->plan;
	struct format_path path = *parent;
	uint32_t i, part;

	if (path.len > 0) {
		format_path_add(&path, c->table, (const uint8_t *)".", 1);
	}
	for (i = 0; i < element->num_attributes; i++) {
		const struct event_plan_attribute *attribute =
			&plan->attributes[element->first_attribute + i];

		if (!text_is(plan, attribute->name, "Name")) {
			continue;
		}
		for (part = attribute->first_part; part != EVENT_PLAN_NONE;
		     part = plan->parts[part].next) {
			struct event_plan_text text = plan->parts[part].plain;

			format_path_add(&path, c->table,
					plan->text + text.offset, text.len);
		}
		break;
	}
	return path;
}

/* ---------------------------------------------------------------- roles */

static uint8_t role_of(const struct compiler *c, enum parent parent,
		       struct event_plan_text name)
{
	if (parent == PARENT_DOCUMENT && text_is(c->plan, name, "Event")) {
		return FORMAT_EVENT;
	}
	if (parent == PARENT_EVENT) {
		if (text_is(c->plan, name, "System") && c->top) {
			return FORMAT_SYSTEM;
		}
		if (text_is(c->plan, name, "EventData")) {
			return FORMAT_EVENT_DATA;
		}
		if (text_is(c->plan, name, "UserData")) {
			return FORMAT_USER_DATA;
		}
	}
	return parent == PARENT_USER_DATA ? FORMAT_USER_TOP : FORMAT_ELEMENT;
}

static enum parent as_parent(uint8_t role)
{
	if (role == FORMAT_EVENT) {
		return PARENT_EVENT;
	}
	return role == FORMAT_USER_DATA ? PARENT_USER_DATA : PARENT_PATH;
}

/* Elements that are no part of the names of what is in them. */
static bool is_silent(uint8_t role)
{
	return role <= FORMAT_USER_TOP;
}

static bool is_simple(const struct event_plan *plan,
		      const struct event_plan_element *element)
{
	const struct event_plan_part *part = NULL;
	uint32_t i;

	if (element->first_part == EVENT_PLAN_NONE) {
		return false;
	}
	part = &plan->parts[element->first_part];
	if (part->kind != EVENT_PLAN_PART_VALUE ||
	    part->next != EVENT_PLAN_NONE) {
		return false;
	}
	for (i = 0; i < element->num_attributes; i++) {
		if (plan->attributes[element->first_attribute + i].in_json) {
			return false;
		}
	}
	return true;
}

static void set_data_role(const struct compiler *c, struct format_slot *slot,
			  const struct event_plan_element *element,
			  const struct format_path *prefix)
{
	bool computed = false;

	if (has_literal_name(c->plan, element, &computed)) {
		slot->path = data_path(c, prefix, element);
	} else if (computed) {
		slot->role = FORMAT_DATA_COMPUTED;
	} else if (prefix->len == 0) {
		slot->role = FORMAT_DATA_UNNAMED;
	}
}

/* --------------------------------------------------------------- System */

struct field_name {
	const char *element;
	const char *attribute; /* NULL: the element's content */
};

static const struct field_name field_names[FORMAT_NUM_FIELDS] = {
	[FORMAT_PROVIDER] = {"Provider", "Name"},
	[FORMAT_PROVIDER_GUID] = {"Provider", "Guid"},
	[FORMAT_QUALIFIERS] = {"EventID", "Qualifiers"},
	[FORMAT_RECORD_ID] = {"EventRecordID", NULL},
	[FORMAT_ACTIVITY] = {"Correlation", "ActivityID"},
	[FORMAT_RELATED_ACTIVITY] = {"Correlation", "RelatedActivityID"},
	[FORMAT_PROCESS] = {"Execution", "ProcessID"},
	[FORMAT_THREAD] = {"Execution", "ThreadID"},
	[FORMAT_CHANNEL] = {"Channel", NULL},
	[FORMAT_COMPUTER] = {"Computer", NULL},
	[FORMAT_USER] = {"Security", "UserID"},
};

/* What comes first counts, as in event/system.h. */
static void set_field(struct format_program *program, unsigned int field,
		      uint32_t first_part)
{
	if (program->fields[field] == EVENT_PLAN_NONE) {
		program->fields[field] = first_part;
	}
}

static void find_fields(struct compiler *c,
			const struct event_plan_element *element)
{
	const struct event_plan *plan = c->plan;
	unsigned int f;
	uint32_t i;

	for (f = 0; f < FORMAT_NUM_FIELDS; f++) {
		const struct field_name *name = &field_names[f];

		if (!text_is(plan, element->name, name->element)) {
			continue;
		}
		if (name->attribute == NULL) {
			set_field(c->program, f, element->first_part);
			continue;
		}
		for (i = 0; i < element->num_attributes; i++) {
			const struct event_plan_attribute *attribute =
				&plan->attributes[element->first_attribute + i];

			if (text_is(plan, attribute->name, name->attribute)) {
				set_field(c->program, f, attribute->first_part);
			}
		}
	}
}

static void read_system(struct compiler *c,
			const struct event_plan_element *system)
{
	uint32_t i;

	for (i = system->first_child; i != EVENT_PLAN_NONE;
	     i = c->plan->elements[i].next_sibling) {
		find_fields(c, &c->plan->elements[i]);
	}
}

/* ------------------------------------------------------------- elements */

static void name_attributes(struct compiler *c,
			    const struct event_plan_element *element,
			    const struct format_path *path)
{
	uint32_t i;

	for (i = 0; i < element->num_attributes; i++) {
		uint32_t index = element->first_attribute + i;
		const struct event_plan_attribute *attribute =
			&c->plan->attributes[index];
		struct format_path name;

		if (attribute->in_json) {
			name = path_below(c, path, "@", attribute->name);
			c->program->attributes[index] = put_name(c, &name);
		}
	}
}

/* Elements are nested at most EVENT_DEPTH_MAX deep. */
static void compile_element(struct compiler *c, uint32_t index,
			    enum parent parent,
			    const struct format_path *prefix)
{
	const struct event_plan *plan = c->plan;
	const struct event_plan_element *element = &plan->elements[index];
	struct format_slot *slot = &c->program->slots[index];
	uint32_t i;

	slot->role = role_of(c, parent, element->name);
	slot->path = path_below(c, prefix, ".", element->name);
	if (slot->role == FORMAT_SYSTEM) {
		read_system(c, element);
		return;
	}
	if (slot->role == FORMAT_EVENT &&
	    c->program->event == EVENT_PLAN_NONE) {
		c->program->event = index;
	}
	if (text_is(plan, element->name, "Data")) {
		set_data_role(c, slot, element, prefix);
	}
	slot->simple = !is_silent(slot->role) && is_simple(plan, element);
	if (slot->simple) {
		slot->id = plan->parts[element->first_part].id;
	}
	slot->name = put_name(c, &slot->path);
	name_attributes(c, element, &slot->path);
	for (i = element->first_child; i != EVENT_PLAN_NONE;
	     i = plan->elements[i].next_sibling) {
		compile_element(c, i, as_parent(slot->role),
				is_silent(slot->role) ? &no_path : &slot->path);
	}
}

static everr_t program_new(TALLOC_CTX *mem_ctx, const struct event_plan *plan,
			   struct format_program **ret_program)
{
	struct format_program *program = NULL;
	uint32_t elements = 0, attributes = 0;
	size_t i;

	count(plan, 0, &elements, &attributes);
	program = talloc_zero(mem_ctx, struct format_program);
	if (program == NULL) {
		return EVERR_NOMEM;
	}
	program->slots =
		talloc_zero_array(program, struct format_slot, elements);
	program->attributes =
		talloc_zero_array(program, struct format_name, attributes + 1);
	if (program->slots == NULL || program->attributes == NULL) {
		talloc_free(program);
		return EVERR_NOMEM;
	}
	for (i = 0; i < FORMAT_NUM_FIELDS; i++) {
		program->fields[i] = EVENT_PLAN_NONE;
	}
	program->event = EVENT_PLAN_NONE;
	program->size = sizeof(*program) +
			elements * sizeof(struct format_slot) +
			attributes * sizeof(struct format_name);
	*ret_program = program;
	return EVERR_OK;
}

everr_t format_program_compile(struct forward_format *format,
			       const struct event_plan *plan,
			       enum format_context context,
			       const struct format_path *prefix,
			       struct format_program **ret_program)
{
	static const enum parent parents[] = {
		[FORMAT_IN_NOTHING] = PARENT_DOCUMENT,
		[FORMAT_IN_EVENT] = PARENT_EVENT,
		[FORMAT_IN_USER] = PARENT_USER_DATA,
		[FORMAT_IN_PATH] = PARENT_PATH,
	};
	struct compiler c = {.table = &format->crc,
			     .plan = plan,
			     .flat = format->kind == FORWARD_RFC3164,
			     .top = context == FORMAT_IN_NOTHING};
	uint32_t i;
	everr_t err;

	err = program_new(format, plan, &c.program);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&c.text, c.program, UINT32_MAX);
	for (i = plan->elements[0].first_child; i != EVENT_PLAN_NONE;
	     i = plan->elements[i].next_sibling) {
		compile_element(&c, i, parents[context],
				context == FORMAT_IN_PATH ? prefix : &no_path);
	}
	/* What stands in no element of the plan stands where the plan does. */
	c.program->slots[0].path =
		context == FORMAT_IN_PATH ? *prefix : no_path;
	err = buf_error(&c.text);
	if (err != EVERR_OK) {
		talloc_free(c.program);
		return err;
	}
	c.program->text = c.text.data;
	c.program->size += c.text.size;
	*ret_program = c.program;
	return EVERR_OK;
}

/* ---------------------------------------------------------------- cache */

void format_programs_trim(struct format_programs *programs)
{
	size_t i;

	if (programs->count < FORMAT_PROGRAMS_MAX &&
	    programs->bytes < FORMAT_PROGRAM_BYTES_MAX) {
		return;
	}
	for (i = 0; i < FORMAT_PROGRAM_SLOTS; i++) {
		TALLOC_FREE(programs->slots[i]);
	}
	programs->count = 0;
	programs->bytes = 0;
}

/* Where it is, or the free place where it will be: half of them are free. */
static struct format_program **find_slot(struct format_programs *programs,
					 uint64_t key)
{
	size_t i = (size_t)(key * 0x9E3779B97F4A7C15ULL >> 32) %
		   FORMAT_PROGRAM_SLOTS;

	while (programs->slots[i] != NULL && programs->slots[i]->key != key) {
		i = (i + 1) % FORMAT_PROGRAM_SLOTS;
	}
	return &programs->slots[i];
}

/* A number never stands for another template later: event/dict.h. */
everr_t format_program_get(struct forward_format *format,
			   const struct event_plan *plan, uint32_t no,
			   enum format_context context,
			   const struct format_program **ret_program)
{
	struct format_programs *programs = &format->programs;
	uint64_t key = (uint64_t)no << 2 | context;
	struct format_program **slot = find_slot(programs, key);
	everr_t err;

	if (*slot == NULL) {
		err = format_program_compile(format, plan, context, &no_path,
					     slot);
		if (err != EVERR_OK) {
			return err;
		}
		(*slot)->key = key;
		programs->count++;
		programs->bytes += (*slot)->size;
	}
	*ret_program = *slot;
	return EVERR_OK;
}
