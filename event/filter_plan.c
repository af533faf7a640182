/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/filter_plan.h"

#include "base/buf.h"

#include <string.h>

/* Each array of a plan: some 600,000 items. */
#define BUILD_BYTES_MAX (32U * 1024 * 1024)

struct build {
	const struct xpath *xpath;
	const struct event_plan *plan;
	uint32_t max_work;
	uint32_t *work;
	struct buf items;
	struct buf ranges;
	struct buf ids;
	struct buf text;
};

/* Fields of the event's header; the record id is none. */
#define NUM_FIELDS EVENT_SYSTEM_RECORD_ID

/* -------------------------------------------------------------- names */

static bool bytes_are(const void *text, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(text, want, len) == 0;
}

static bool test_is(const struct xpath *xpath, uint32_t test,
		    enum xpath_axis axis, const char *want)
{
	const struct xpath_test *t = &xpath->tests[test];

	return t->axis == axis && !t->any &&
	       bytes_are(xpath->text + t->name.offset, t->name.len, want);
}

/* Facts 7.1: namespaces are ignored. */
static struct event_plan_text local_name(const struct event_plan *plan,
					 struct event_plan_text name)
{
	const uint8_t *colon = memchr(plan->text + name.offset, ':', name.len);
	uint32_t skip = 0;

	if (colon != NULL) {
		skip = (uint32_t)(colon - plan->text) - name.offset + 1;
	}
	return (struct event_plan_text){name.offset + skip, name.len - skip};
}

static bool name_is(const struct event_plan *plan, struct event_plan_text name,
		    const char *want)
{
	struct event_plan_text local = local_name(plan, name);

	return bytes_are(plan->text + local.offset, local.len, want);
}

static bool passes(const struct build *b, const struct xpath_test *test,
		   struct event_plan_text name)
{
	struct event_plan_text local = local_name(b->plan, name);

	return test->any ||
	       (local.len == test->name.len &&
		memcmp(b->plan->text + local.offset,
		       b->xpath->text + test->name.offset, local.len) == 0);
}

/* XPath 1.0 5.3: declarations of namespaces are no attributes. */
static bool is_declaration(const struct event_plan *plan,
			   struct event_plan_text name)
{
	const uint8_t *text = plan->text + name.offset;

	return name.len >= 5 && memcmp(text, "xmlns", 5) == 0 &&
	       (name.len == 5 || text[5] == ':');
}

/* -------------------------------------------------------------- items */

static uint32_t num_items(const struct build *b)
{
	return (uint32_t)(b->items.len / sizeof(struct filter_item));
}

static uint32_t num_ranges(const struct build *b)
{
	return (uint32_t)(b->ranges.len / sizeof(struct filter_range));
}

static struct filter_item *item_at(const struct build *b, uint32_t i)
{
	return (struct filter_item *)(void *)b->items.data + i;
}

static void add_item(struct build *b, const struct filter_item *item)
{
	*b->work += 1;
	buf_put(&b->items, item, sizeof(*item));
}

static void copy_literal(struct build *b, struct filter_item *item)
{
	uint32_t offset = (uint32_t)b->text.len;

	buf_put(&b->text, b->plan->text + item->literal.offset,
		item->literal.len);
	item->literal.offset = offset;
}

/*
 * What parts are together: one value, one literal text, or more.  Texts that
 * are empty count for nothing.
 */
static void set_form(struct build *b, uint32_t first_part,
		     struct filter_item *item)
{
	uint32_t values = 0, texts = 0;
	uint32_t i;

	item->form = FILTER_FORM_LITERAL;
	for (i = first_part; i != EVENT_PLAN_NONE; i = b->plan->parts[i].next) {
		const struct event_plan_part *part = &b->plan->parts[i];

		*b->work += 1;
		if (part->kind == EVENT_PLAN_PART_VALUE) {
			item->id = part->id;
			item->form = FILTER_FORM_VALUE;
			values++;
		} else if (part->kind != EVENT_PLAN_PART_TEXT) {
			item->form = FILTER_FORM_MIXED;
			return;
		} else if (part->plain.len > 0) {
			item->literal = part->plain;
			texts++;
		}
	}
	if (values + texts > 1) {
		item->form = FILTER_FORM_MIXED;
	} else if (texts == 1) {
		copy_literal(b, item);
	}
}

static void set_element(struct build *b, uint32_t parent,
			struct filter_item *item)
{
	const struct event_plan_element *e = &b->plan->elements[item->index];

	item->kind = FILTER_ELEMENT;
	item->is_root = parent == 0;
	item->dependency = e->dependency;
	item->first_id = (uint32_t)(b->ids.len / sizeof(uint16_t));
	item->num_ids = e->num_ids;
	buf_put(&b->ids, b->plan->ids + e->first_id,
		e->num_ids * sizeof(uint16_t));
	*b->work += e->num_ids;
	set_form(b, e->first_part, item);
}

static void add_elements(struct build *b, uint32_t test, uint32_t element)
{
	uint32_t i = b->plan->elements[element].first_part;

	for (; i != EVENT_PLAN_NONE; i = b->plan->parts[i].next) {
		const struct event_plan_part *part = &b->plan->parts[i];
		struct filter_item item = {.test = test, .index = part->index};

		*b->work += 1;
		if (part->kind == EVENT_PLAN_PART_VALUE) {
			item.kind = FILTER_NESTED;
			item.id = part->id;
			add_item(b, &item);
		} else if (part->kind == EVENT_PLAN_PART_INSTANCE) {
			item.kind = FILTER_INSTANCE;
			add_item(b, &item);
		} else if (part->kind == EVENT_PLAN_PART_ELEMENT &&
			   passes(b, &b->xpath->tests[test],
				  b->plan->elements[part->index].name)) {
			set_element(b, element, &item);
			add_item(b, &item);
		}
	}
}

/* An attribute that is never written is none. */
static void add_attributes(struct build *b, uint32_t test, uint32_t element)
{
	const struct event_plan_element *e = &b->plan->elements[element];
	uint32_t i;

	for (i = e->first_attribute; i < e->first_attribute + e->num_attributes;
	     i++) {
		const struct event_plan_attribute *attribute =
			&b->plan->attributes[i];
		struct filter_item item = {
			.kind = FILTER_ATTRIBUTE, .test = test, .index = i};

		*b->work += 1;
		if (is_declaration(b->plan, attribute->name) ||
		    !passes(b, &b->xpath->tests[test], attribute->name) ||
		    (!attribute->has_text && attribute->num_values == 0)) {
			continue;
		}
		set_form(b, attribute->first_part, &item);
		add_item(b, &item);
	}
}

bool filter_part_is_text(const struct event_plan_part *part)
{
	return part->kind == EVENT_PLAN_PART_VALUE ||
	       (part->kind == EVENT_PLAN_PART_TEXT &&
		(part->plain.len > 0 || part->xml.len == 0));
}

static void add_texts(struct build *b, uint32_t test, uint32_t element)
{
	uint32_t i = b->plan->elements[element].first_part;
	bool inside = false;

	for (; i != EVENT_PLAN_NONE; i = b->plan->parts[i].next) {
		const struct filter_item item = {
			.kind = FILTER_TEXT, .test = test, .index = i};
		bool text = filter_part_is_text(&b->plan->parts[i]);

		*b->work += 1;
		if (text && !inside) {
			add_item(b, &item);
		}
		inside = text;
	}
}

/* The items of each child of a test, below one element. */
static everr_t expand(struct build *b, uint32_t test, uint32_t element)
{
	uint32_t child = b->xpath->tests[test].first_child;
	struct filter_range range;
	everr_t err;

	for (; child != XPATH_NONE; child = b->xpath->tests[child].next) {
		range.first = num_items(b);
		switch ((enum xpath_axis)b->xpath->tests[child].axis) {
		case XPATH_CHILD:
			add_elements(b, child, element);
			break;
		case XPATH_ATTRIBUTE:
			add_attributes(b, child, element);
			break;
		case XPATH_TEXT:
			add_texts(b, child, element);
			break;
		}
		range.count = num_items(b) - range.first;
		*b->work += 1;
		buf_put(&b->ranges, &range, sizeof(range));
		err = *b->work > b->max_work ? EVERR_LIMIT
					     : buf_error(&b->items);
		if (err != EVERR_OK) {
			return err;
		}
	}
	return buf_error(&b->ranges);
}

/* The tests' tree against the elements' tree, level by level. */
static everr_t expand_all(struct build *b, uint32_t test)
{
	everr_t err;
	uint32_t i;

	err = expand(b, test, 0);
	for (i = 0; err == EVERR_OK && i < num_items(b); i++) {
		if (item_at(b, i)->kind == FILTER_ELEMENT) {
			item_at(b, i)->ranges = num_ranges(b);
			err = expand(b, item_at(b, i)->test,
				     item_at(b, i)->index);
		}
	}
	return err;
}

/* ------------------------------------------------------------- fields */

bool filter_test_is_system(const struct xpath *xpath, uint32_t test)
{
	return test != 0 && xpath->tests[test].parent != 0 &&
	       xpath->tests[xpath->tests[test].parent].parent == 0 &&
	       test_is(xpath, test, XPATH_CHILD, "System");
}

uint8_t filter_test_field(const struct xpath *xpath, uint32_t test)
{
	const struct xpath_test *t = &xpath->tests[test];
	bool attribute = t->axis == XPATH_ATTRIBUTE;
	uint32_t element = attribute ? t->parent : test;
	uint8_t i;

	if (test == 0 || element == 0 ||
	    !filter_test_is_system(xpath, xpath->tests[element].parent)) {
		return FILTER_NO_FIELD;
	}
	for (i = 0; i < NUM_FIELDS; i++) {
		const char *name = event_system_names[i].attribute;

		if (test_is(xpath, element, XPATH_CHILD,
			    event_system_names[i].element) &&
		    (name != NULL) == attribute &&
		    (name == NULL ||
		     test_is(xpath, test, XPATH_ATTRIBUTE, name))) {
			return i;
		}
	}
	return FILTER_NO_FIELD;
}

/* The only element of that name in another's content. */
static uint32_t only_child(const struct event_plan *plan, uint32_t element,
			   const char *name)
{
	uint32_t found = EVENT_PLAN_NONE;
	uint32_t i = plan->elements[element].first_part;

	for (; i != EVENT_PLAN_NONE; i = plan->parts[i].next) {
		const struct event_plan_part *part = &plan->parts[i];

		if (part->kind != EVENT_PLAN_PART_ELEMENT ||
		    !name_is(plan, plan->elements[part->index].name, name)) {
			continue;
		}
		if (found != EVENT_PLAN_NONE) {
			return EVENT_PLAN_NONE;
		}
		found = part->index;
	}
	return found;
}

static bool is_only_value(const struct event_plan *plan, uint32_t part,
			  uint16_t id)
{
	return part != EVENT_PLAN_NONE &&
	       plan->parts[part].kind == EVENT_PLAN_PART_VALUE &&
	       plan->parts[part].id == id &&
	       plan->parts[part].next == EVENT_PLAN_NONE;
}

static bool attribute_is_value(const struct event_plan *plan, uint32_t element,
			       const char *name, uint16_t id)
{
	const struct event_plan_element *e = &plan->elements[element];
	uint32_t found = 0;
	bool is_value = false;
	uint32_t i;

	for (i = e->first_attribute; i < e->first_attribute + e->num_attributes;
	     i++) {
		if (name_is(plan, plan->attributes[i].name, name)) {
			found++;
			is_value = is_only_value(
				plan, plan->attributes[i].first_part, id);
		}
	}
	return found == 1 && is_value;
}

/* Is the field, wherever System is, what the event's header says it is? */
static bool field_is_exact(const struct event_plan *plan, uint32_t system,
			   size_t field, uint16_t id)
{
	uint32_t element =
		only_child(plan, system, event_system_names[field].element);
	const struct event_plan_element *e = NULL;

	if (element == EVENT_PLAN_NONE) {
		return false;
	}
	e = &plan->elements[element];
	if (e->dependency != EVENT_NO_DEPENDENCY && e->dependency != id) {
		return false;
	}
	if (event_system_names[field].attribute != NULL) {
		return attribute_is_value(
			plan, element, event_system_names[field].attribute, id);
	}
	return is_only_value(plan, e->first_part, id);
}

static void find_exact(struct filter_plan *out, const struct event_plan *plan,
		       const struct event_system_fields *fields)
{
	uint32_t event = only_child(plan, 0, "Event");
	uint32_t system = EVENT_PLAN_NONE;
	size_t i;

	if (event != EVENT_PLAN_NONE) {
		system = only_child(plan, event, "System");
	}
	/* Values in System itself might add fields, or repeat them all. */
	if (system == EVENT_PLAN_NONE || plan->elements[system].num_ids > 0) {
		return;
	}
	for (i = 0; i < NUM_FIELDS; i++) {
		if (fields->places[i].source == EVENT_SYSTEM_VALUE &&
		    field_is_exact(plan, system, i, fields->places[i].id)) {
			out->exact |= (uint16_t)(1U << i);
			out->field_ids[i] = fields->places[i].id;
		}
	}
}

/* ------------------------------------------------------------- result */

/* At its exact size; never NULL, so that an index of 0 can be added. */
static const void *array_done(struct buf *array)
{
	static const uint64_t nothing;
	void *exact = NULL;

	if (array->len == 0) {
		return &nothing;
	}
	exact = talloc_realloc_size(array->mem_ctx, array->data, array->len);
	return exact != NULL ? exact : array->data;
}

everr_t filter_plan_build(TALLOC_CTX *mem_ctx, const struct xpath *xpath,
			  uint32_t test, const struct event_plan *plan,
			  const struct event_system_fields *fields,
			  uint32_t max_work, uint32_t *work,
			  struct filter_plan **ret_plan)
{
	struct filter_plan *out = talloc_zero(mem_ctx, struct filter_plan);
	struct build b = {
		.xpath = xpath,
		.plan = plan,
		.max_work = max_work,
		.work = work,
	};
	everr_t err;

	if (out == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&b.items, out, BUILD_BYTES_MAX);
	buf_init(&b.ranges, out, BUILD_BYTES_MAX);
	buf_init(&b.ids, out, BUILD_BYTES_MAX);
	buf_init(&b.text, out, BUILD_BYTES_MAX);
	err = expand_all(&b, test);
	if (err == EVERR_OK) {
		err = buf_error(&b.ids);
	}
	if (err == EVERR_OK) {
		err = buf_error(&b.text);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(out);
		return err;
	}
	out->bytes = sizeof(*out) + b.items.len + b.ranges.len + b.ids.len +
		     b.text.len;
	out->items = array_done(&b.items);
	out->ranges = array_done(&b.ranges);
	out->ids = array_done(&b.ids);
	out->text = array_done(&b.text);
	if (fields != NULL) {
		find_exact(out, plan, fields);
	}
	*ret_plan = out;
	return EVERR_OK;
}
