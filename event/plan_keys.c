/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/plan_build.h"

#include <stdlib.h>
#include <string.h>

/* A child while its parent's children are put in order. */
struct child {
	uint32_t index; /* of the element */
	uint32_t place; /* among its siblings */
	uint32_t group; /* place of the first sibling of the same key */
};

static bool text_is(const struct event_plan_builder *b,
		    struct event_plan_text text, const char *want)
{
	return text.len == strlen(want) &&
	       memcmp(b->text.data + text.offset, want, text.len) == 0;
}

static int text_cmp(const struct event_plan_builder *b,
		    struct event_plan_text x, struct event_plan_text y)
{
	size_t len = x.len < y.len ? x.len : y.len;
	int cmp = memcmp(b->text.data + x.offset, b->text.data + y.offset, len);

	return cmp != 0 ? cmp : (x.len > y.len) - (x.len < y.len);
}

static int cmp_u32(uint32_t x, uint32_t y)
{
	return (x > y) - (x < y);
}

static int cmp_key(const void *x, const void *y, void *private_data)
{
	const struct event_plan_builder *b = private_data;
	const struct child *cx = x, *cy = y;
	int cmp = text_cmp(b, plan_element(b, cx->index)->key,
			   plan_element(b, cy->index)->key);

	return cmp != 0 ? cmp : cmp_u32(cx->place, cy->place);
}

static int cmp_group(const void *x, const void *y)
{
	const struct child *cx = x, *cy = y;
	int cmp = cmp_u32(cx->group, cy->group);

	return cmp != 0 ? cmp : cmp_u32(cx->place, cy->place);
}

static bool is_xmlns(const struct event_plan_builder *b,
		     const struct event_plan_attribute *attribute)
{
	const uint8_t *name = b->text.data + attribute->name.offset;
	size_t len = attribute->name.len;

	return len >= 5 && memcmp(name, "xmlns", 5) == 0 &&
	       (len == 5 || name[5] == ':');
}

/* The attribute's text, which has no values in it, in one piece. */
static struct event_plan_text attribute_text(
	struct event_plan_builder *b,
	const struct event_plan_attribute *attribute)
{
	struct event_plan_text text = {(uint32_t)b->text.len, 0};
	uint32_t i;

	for (i = attribute->first_part; i != EVENT_PLAN_NONE;
	     i = plan_part(b, i)->next) {
		struct event_plan_text part = plan_part(b, i)->json;
		uint8_t *to = buf_extend(&b->text, part.len);

		if (to != NULL && part.len > 0) {
			memcpy(to, b->text.data + part.offset, part.len);
		}
	}
	text.len = (uint32_t)b->text.len - text.offset;
	return text;
}

/*
 * "#text" and "@name" are members that no element's name can be, but a Data's
 * Name can: its first character is there twice, so that an event can't hide
 * its own text behind another.  "##text" becomes "###text", and so on.
 */
static bool is_reserved(const struct event_plan_builder *b,
			struct event_plan_text key)
{
	static const char text[] = "text";
	const uint8_t *p = b->text.data + key.offset;
	size_t hashes = 0;

	if (buf_error(&b->text) != EVERR_OK || key.len == 0) {
		return false;
	}
	while (hashes < key.len && p[hashes] == '#') {
		hashes++;
	}
	return p[0] == '@' || (hashes > 0 && key.len - hashes == strlen(text) &&
			       memcmp(p + hashes, text, strlen(text)) == 0);
}

static struct event_plan_text with_first_twice(struct event_plan_builder *b,
					       struct event_plan_text key)
{
	uint32_t start = (uint32_t)b->text.len;
	uint8_t *to = buf_extend(&b->text, key.len + 1);

	if (to == NULL) {
		return key;
	}
	to[0] = b->text.data[key.offset];
	memcpy(to + 1, b->text.data + key.offset, key.len);
	return (struct event_plan_text){start, key.len + 1};
}

/*
 * A Data element is the member that its Name says.  One without a name that
 * is known here stays an item of the array Data, its Name beside its text.
 */
static void set_data_key(struct event_plan_builder *b,
			 struct event_plan_element *element)
{
	uint32_t i;

	element->is_array = true;
	for (i = 0; i < element->num_attributes; i++) {
		struct event_plan_attribute *attribute =
			plan_attribute(b, element->first_attribute + i);

		if (text_is(b, attribute->name, "Name") &&
		    attribute->has_text && attribute->num_values == 0) {
			element->key = attribute_text(b, attribute);
			if (is_reserved(b, element->key)) {
				element->key =
					with_first_twice(b, element->key);
			}
			element->is_array = false;
			attribute->in_json = false;
		}
	}
}

static void set_keys(struct event_plan_builder *b,
		     struct event_plan_element *element)
{
	uint32_t i;

	for (i = 0; i < element->num_attributes; i++) {
		struct event_plan_attribute *attribute =
			plan_attribute(b, element->first_attribute + i);

		attribute->key = attribute->name;
		attribute->in_json =
			(attribute->has_text || attribute->num_values > 0) &&
			!is_xmlns(b, attribute);
	}
	element->key = element->name;
	if (text_is(b, element->name, "Data")) {
		set_data_key(b, element);
	}
}

/* An attribute that is called like a child gets a key no child can have. */
static void set_attribute_apart(struct event_plan_builder *b,
				struct event_plan_attribute *attribute,
				const struct child *children, size_t n)
{
	size_t low = 0, high = n;
	uint32_t start;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = text_cmp(b, plan_element(b, children[mid].index)->key,
				   attribute->key);

		if (cmp == 0) {
			start = (uint32_t)b->text.len;
			buf_put_u8(&b->text, '@');
			buf_extend(&b->text, attribute->name.len);
			if (buf_error(&b->text) == EVERR_OK) {
				memcpy(b->text.data + start + 1,
				       b->text.data + attribute->name.offset,
				       attribute->name.len);
			}
			attribute->key = (struct event_plan_text){
				start, attribute->name.len + 1};
			return;
		}
		if (cmp < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
}

/* Link the children so that those of one key are neighbours. */
static void link_children(struct event_plan_builder *b,
			  struct event_plan_element *parent,
			  struct child *children, size_t n)
{
	size_t i;

	qsort_r(children, n, sizeof(*children), cmp_key, b);
	for (i = 0; i < parent->num_attributes; i++) {
		set_attribute_apart(
			b, plan_attribute(b, parent->first_attribute + i),
			children, n);
	}
	for (i = 0; i < n; i++) {
		struct event_plan_element *child =
			plan_element(b, children[i].index);

		children[i].group = children[i].place;
		if (i > 0 &&
		    text_cmp(b, plan_element(b, children[i - 1].index)->key,
			     child->key) == 0) {
			children[i].group = children[i - 1].group;
			child->same_key = true;
			child->is_array = true;
			plan_element(b, children[i - 1].index)->is_array = true;
		}
	}

	qsort(children, n, sizeof(*children), cmp_group);
	parent->first_child = children[0].index;
	for (i = 0; i + 1 < n; i++) {
		plan_element(b, children[i].index)->next_sibling =
			children[i + 1].index;
	}
}

static everr_t order_children(struct event_plan_builder *b,
			      struct event_plan_element *parent)
{
	struct child *children = NULL;
	size_t n = 0;
	uint32_t i;

	if (parent->num_children == 0) {
		return EVERR_OK;
	}
	children = talloc_array(b->text.mem_ctx, struct child,
				parent->num_children);
	if (children == NULL) {
		return EVERR_NOMEM;
	}
	for (i = parent->first_part; i != EVENT_PLAN_NONE;
	     i = plan_part(b, i)->next) {
		if (plan_part(b, i)->kind == EVENT_PLAN_PART_ELEMENT) {
			children[n] = (struct child){
				.index = plan_part(b, i)->index,
				.place = (uint32_t)n,
			};
			n++;
		}
	}
	link_children(b, parent, children, n);
	TALLOC_FREE(children);
	return EVERR_OK;
}

everr_t event_plan_add_keys(struct event_plan_builder *b)
{
	size_t n = b->elements.len / sizeof(struct event_plan_element);
	uint32_t i;
	everr_t err;

	for (i = 1; i < n; i++) {
		set_keys(b, plan_element(b, i));
	}
	err = event_plan_builder_error(b);
	if (err != EVERR_OK) {
		return err;
	}
	for (i = 0; i < n; i++) {
		err = order_children(b, plan_element(b, i));
		if (err != EVERR_OK) {
			return err;
		}
	}
	return EVERR_OK;
}
