/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/plan_build.h"

static uint32_t num_steps(const struct event_plan_builder *b)
{
	return (uint32_t)(b->steps.len / sizeof(struct event_plan_step));
}

static struct event_plan_step *step_at(const struct event_plan_builder *b,
				       uint32_t i)
{
	return (struct event_plan_step *)(void *)b->steps.data + i;
}

static uint32_t add_step(struct event_plan_builder *b,
			 const struct event_plan_step *step)
{
	b->may_merge = false;
	return event_plan_add(&b->steps, step, sizeof(*step));
}

/* Let the step jump to what comes next; so that may not grow into a COPY. */
static void land_here(struct event_plan_builder *b, uint32_t step)
{
	if (buf_error(&b->steps) == EVERR_OK) {
		step_at(b, step)->target = num_steps(b);
	}
	b->may_merge = false;
}

/* Count what was just appended to the texts in a COPY. */
static void copy_since(struct event_plan_builder *b, size_t start)
{
	struct event_plan_step step = {.op = EVENT_PLAN_COPY};
	uint32_t len = (uint32_t)(b->text.len - start);

	if (b->may_merge && buf_error(&b->steps) == EVERR_OK) {
		step_at(b, num_steps(b) - 1)->text.len += len;
		return;
	}
	step.text = (struct event_plan_text){(uint32_t)start, len};
	add_step(b, &step);
	b->may_merge = true;
}

static void copy_string(struct event_plan_builder *b, const char *s)
{
	size_t start = b->text.len;

	buf_puts(&b->text, s);
	copy_since(b, start);
}

/* A text that stands in the texts already, again where it is needed. */
static void copy_text(struct event_plan_builder *b, struct event_plan_text text)
{
	size_t start = b->text.len;
	uint8_t *to = buf_extend(&b->text, text.len);

	if (to != NULL && text.len > 0) {
		memcpy(to, b->text.data + text.offset, text.len);
	}
	copy_since(b, start);
}

static void add_value(struct event_plan_builder *b, enum event_plan_op op,
		      uint16_t id)
{
	const struct event_plan_step step = {.op = (uint8_t)op, .id = id};

	add_step(b, &step);
}

static void add_attribute(struct event_plan_builder *b,
			  const struct event_plan_attribute *attribute)
{
	struct event_plan_step skip = {.op = EVENT_PLAN_SKIP_EMPTY};
	uint32_t skip_step = EVENT_PLAN_NONE;
	uint32_t i;

	if (!attribute->has_text && attribute->num_values == 0) {
		return;
	}
	if (!attribute->has_text) {
		skip.count = attribute->num_values;
		skip_step = add_step(b, &skip);
	}
	copy_string(b, " ");
	copy_text(b, attribute->name);
	copy_string(b, "='");
	for (i = attribute->first_part; i != EVENT_PLAN_NONE;
	     i = plan_part(b, i)->next) {
		const struct event_plan_part *part = plan_part(b, i);

		if (part->kind == EVENT_PLAN_PART_VALUE) {
			add_value(b, EVENT_PLAN_ATTRIBUTE_VALUE, part->id);
		} else if (attribute->has_text) {
			copy_text(b, part->xml);
		}
	}
	copy_string(b, "'");
	if (skip_step != EVENT_PLAN_NONE) {
		land_here(b, skip_step);
	}
}

static void add_ids(struct event_plan_builder *b, uint32_t first_part)
{
	uint32_t i;

	for (i = first_part; i != EVENT_PLAN_NONE; i = plan_part(b, i)->next) {
		if (plan_part(b, i)->kind == EVENT_PLAN_PART_VALUE) {
			event_plan_add(&b->ids, &plan_part(b, i)->id,
				       sizeof(uint16_t));
		}
	}
}

/*
 * The values that may be an array for which the element is repeated; those of
 * its content come first.
 */
static void find_ids(struct event_plan_builder *b,
		     struct event_plan_element *element)
{
	size_t start = b->ids.len;
	uint32_t i;

	add_ids(b, element->first_part);
	for (i = 0; i < element->num_attributes; i++) {
		add_ids(b, plan_attribute(b, element->first_attribute + i)
				   ->first_part);
	}
	element->first_id = (uint32_t)(start / sizeof(uint16_t));
	element->num_ids = (uint32_t)((b->ids.len - start) / sizeof(uint16_t));
}

static void add_content(struct event_plan_builder *b,
			const struct event_plan_element *element);

static void add_tags(struct event_plan_builder *b,
		     const struct event_plan_element *element)
{
	uint32_t i;

	copy_string(b, "<");
	copy_text(b, element->name);
	for (i = 0; i < element->num_attributes; i++) {
		add_attribute(b,
			      plan_attribute(b, element->first_attribute + i));
	}
	if (element->closed) {
		copy_string(b, "/>");
		return;
	}
	copy_string(b, ">");
	add_content(b, element);
	copy_string(b, "</");
	copy_text(b, element->name);
	copy_string(b, ">");
}

/* Skipped if what it depends on is Null, repeated if a value is an array. */
static void add_element(struct event_plan_builder *b,
			struct event_plan_element *element)
{
	struct event_plan_step skip = {.op = EVENT_PLAN_SKIP_NULL,
				       .id = element->dependency};
	struct event_plan_step repeat = {.op = EVENT_PLAN_REPEAT};
	uint32_t skip_step = 0;
	uint32_t repeat_step = 0;

	find_ids(b, element);
	if (element->dependency != EVENT_NO_DEPENDENCY) {
		skip_step = add_step(b, &skip);
	}
	if (element->num_ids > 0) {
		repeat.first = element->first_id;
		repeat.count = element->num_ids > UINT16_MAX
				       ? UINT16_MAX
				       : (uint16_t)element->num_ids;
		repeat_step = add_step(b, &repeat);
	}
	add_tags(b, element);
	if (element->num_ids > 0) {
		land_here(b, repeat_step);
	}
	if (element->dependency != EVENT_NO_DEPENDENCY) {
		land_here(b, skip_step);
	}
}

/* Recursion is as deep as the elements: EVENT_DEPTH_MAX. */
static void add_content(struct event_plan_builder *b,
			const struct event_plan_element *element)
{
	struct event_plan_step instance = {.op = EVENT_PLAN_INSTANCE};
	uint32_t i;

	for (i = element->first_part; i != EVENT_PLAN_NONE;
	     i = plan_part(b, i)->next) {
		const struct event_plan_part *part = plan_part(b, i);

		switch ((enum event_plan_part_kind)part->kind) {
		case EVENT_PLAN_PART_TEXT:
			copy_text(b, part->xml);
			break;
		case EVENT_PLAN_PART_VALUE:
			add_value(b, EVENT_PLAN_VALUE, part->id);
			break;
		case EVENT_PLAN_PART_INSTANCE:
			instance.first = part->index;
			add_step(b, &instance);
			break;
		case EVENT_PLAN_PART_ELEMENT:
			add_element(b, plan_element(b, part->index));
			break;
		}
	}
}

void event_plan_add_steps(struct event_plan_builder *b)
{
	add_content(b, plan_element(b, 0));
}
