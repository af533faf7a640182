/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_tree.h"

#include "base/buf.h"
#include "base/text.h"
#include "event/xml.h"

#include <stdio.h>
#include <string.h>

/* Memory is taken in blocks: one allocation for an element would cost more
   than the element. */
#define BLOCK_SIZE 65536
/* UserData of each template declares its own namespace. */
#define NAMESPACES_MAX 8192
/* Bytes of a namespace: it is copied wherever it changes. */
#define NAMESPACE_LENGTH_MAX 255

struct tree_read {
	TALLOC_CTX *mem_ctx;
	uint8_t *block;
	size_t block_left;
	size_t num_elements;
	size_t depth;
	struct manifest_element *root;
	struct manifest_element *open[EVENT_MANIFEST_DEPTH_MAX];
	struct manifest_element *last[EVENT_MANIFEST_DEPTH_MAX];
	struct buf text; /* of the innermost element, while it has no child */
	const char *refusal;
};

static void *tree_alloc(struct tree_read *read, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	uint8_t *p = NULL;

	size = (size + align - 1) / align * align;
	if (size > BLOCK_SIZE / 4) {
		return talloc_size(read->mem_ctx, size);
	}
	if (size > read->block_left) {
		read->block = talloc_size(read->mem_ctx, BLOCK_SIZE);
		if (read->block == NULL) {
			read->block_left = 0;
			return NULL;
		}
		read->block_left = BLOCK_SIZE;
	}
	p = read->block + (BLOCK_SIZE - read->block_left);
	read->block_left -= size;
	return p;
}

static const char *tree_dup(struct tree_read *read, const char *text,
			    size_t len)
{
	char *copy = tree_alloc(read, len + 1);

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

static everr_t refuse(struct tree_read *read, const char *refusal)
{
	read->refusal = refusal;
	return EVERR_LIMIT;
}

static everr_t tree_attributes(struct tree_read *read,
			       const struct event_xml_start *start,
			       struct manifest_element *element)
{
	struct manifest_attribute *attributes = NULL;
	size_t i;

	if (start->num_attributes == 0) {
		return EVERR_OK;
	}
	attributes =
		tree_alloc(read, start->num_attributes *
					 sizeof(struct manifest_attribute));
	if (attributes == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < start->num_attributes; i++) {
		const struct event_xml_attribute *from = &start->attributes[i];

		if (from->value_len > EVENT_MANIFEST_ATTRIBUTE_MAX) {
			return refuse(read, "an attribute has more than 65,535 "
					    "bytes");
		}
		attributes[i].name =
			tree_dup(read, from->name, strlen(from->name));
		attributes[i].value =
			tree_dup(read, from->value, from->value_len);
		if (attributes[i].name == NULL || attributes[i].value == NULL) {
			return EVERR_NOMEM;
		}
	}
	element->attributes = attributes;
	element->num_attributes = start->num_attributes;
	return EVERR_OK;
}

/* Nearly always the parent's. */
static everr_t tree_uri(struct tree_read *read, const char *uri,
			const char **ret_uri)
{
	const char *outer = "";

	if (uri == NULL) {
		uri = "";
	}
	if (read->depth > 0) {
		outer = read->open[read->depth - 1]->uri;
	}
	if (strcmp(uri, outer) == 0) {
		*ret_uri = outer;
		return EVERR_OK;
	}
	if (strlen(uri) > NAMESPACE_LENGTH_MAX) {
		return refuse(read, "the name of a namespace is too long");
	}
	*ret_uri = tree_dup(read, uri, strlen(uri));
	return *ret_uri == NULL ? EVERR_NOMEM : EVERR_OK;
}

static everr_t tree_element(struct tree_read *read,
			    const struct event_xml_start *start,
			    struct manifest_element **ret_element)
{
	struct manifest_element *element = NULL;
	everr_t err;

	element = tree_alloc(read, sizeof(*element));
	if (element == NULL) {
		return EVERR_NOMEM;
	}
	*element = (struct manifest_element){
		.line = (int)start->line,
		.text = "",
	};
	element->name = tree_dup(read, start->name, strlen(start->name));
	if (element->name == NULL) {
		return EVERR_NOMEM;
	}
	err = tree_uri(read, start->uri, &element->uri);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_element = element;
	return tree_attributes(read, start, element);
}

static everr_t on_element(void *private_data,
			  const struct event_xml_start *start)
{
	struct tree_read *read = private_data;
	struct manifest_element *element = NULL;
	everr_t err;

	if (++read->num_elements > EVENT_MANIFEST_ELEMENTS_MAX) {
		return refuse(read, "too many elements");
	}
	if (read->depth == EVENT_MANIFEST_DEPTH_MAX) {
		return refuse(read, "elements are nested too deeply");
	}
	err = tree_element(read, start, &element);
	if (err != EVERR_OK) {
		return err;
	}
	if (read->depth == 0) {
		read->root = element;
	} else if (read->last[read->depth - 1] == NULL) {
		read->open[read->depth - 1]->child = element;
	} else {
		read->last[read->depth - 1]->next = element;
	}
	if (read->depth > 0) {
		read->last[read->depth - 1] = element;
	}
	read->open[read->depth] = element;
	read->last[read->depth] = NULL;
	read->depth++;
	buf_reset(&read->text);
	return EVERR_OK;
}

static everr_t on_end(void *private_data, const char *name)
{
	struct tree_read *read = private_data;
	struct manifest_element *element = read->open[--read->depth];
	const char *text = (const char *)read->text.data;
	size_t len = read->text.len;

	if (element->child == NULL && len > 0) {
		event_xml_trim(&text, &len);
		element->text = tree_dup(read, text, len);
	}
	buf_reset(&read->text);
	return element->text == NULL ? EVERR_NOMEM : EVERR_OK;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct tree_read *read = private_data;

	buf_put(&read->text, text, len);
	return buf_error(&read->text);
}

static bool is_utf16be(const uint8_t *xml, size_t len)
{
	return len >= 2 && xml[0] == 0xFE && xml[1] == 0xFF;
}

/* With its mark, or at least with the '<' that must come first. */
static bool is_utf16le(const uint8_t *xml, size_t len)
{
	return len >= 2 && ((xml[0] == 0xFF && xml[1] == 0xFE) ||
			    (xml[0] == '<' && xml[1] == 0));
}

/* Append the document as UTF-8. */
static everr_t from_utf16(TALLOC_CTX *mem_ctx, const uint8_t *xml, size_t len,
			  struct buf *out)
{
	uint8_t *swapped = NULL;
	size_t i;

	len &= ~(size_t)1;
	if (is_utf16be(xml, len)) {
		swapped = talloc_memdup(mem_ctx, xml, len);
		if (swapped == NULL) {
			return EVERR_NOMEM;
		}
		for (i = 0; i < len; i += 2) {
			swapped[i] = xml[i + 1];
			swapped[i + 1] = xml[i];
		}
		xml = swapped;
	}
	if (xml[0] == 0xFF) {
		xml += 2;
		len -= 2;
	}
	text_utf16_to_utf8(out, xml, len / 2);
	talloc_free(swapped);
	return buf_error(out);
}

static everr_t tree_parse(struct tree_read *read, const char *text, size_t len,
			  struct event_manifest_error *error)
{
	static const struct event_xml_handler handler = {
		.element = on_element,
		.end = on_end,
		.text = on_text,
		.max_namespaces = NAMESPACES_MAX,
	};
	struct event_xml_position position = {};
	everr_t err;

	err = event_xml_parse(text, len, &handler, read, &position);
	if (err == EVERR_OK || err == EVERR_NOMEM) {
		return err;
	}
	error->line = (int)position.line;
	if (read->refusal != NULL) {
		snprintf(error->message, sizeof(error->message), "%s",
			 read->refusal);
	} else if (err == EVERR_LIMIT) {
		snprintf(error->message, sizeof(error->message),
			 "too many attributes or namespaces");
	} else {
		snprintf(error->message, sizeof(error->message), "%s",
			 position.message[0] != '\0' ? position.message
						     : "not an XML document");
	}
	return err == EVERR_LIMIT ? EVERR_LIMIT : EVERR_MANIFEST;
}

static everr_t tree_read_text(struct tree_read *read, TALLOC_CTX *tmp_ctx,
			      const uint8_t *xml, size_t len,
			      struct event_manifest_error *error)
{
	struct buf utf8;
	everr_t err;

	buf_init(&utf8, tmp_ctx, 2 * EVENT_MANIFEST_MAX);
	buf_init(&read->text, tmp_ctx, EVENT_MANIFEST_MAX);
	if (is_utf16be(xml, len) || is_utf16le(xml, len)) {
		err = from_utf16(tmp_ctx, xml, len, &utf8);
		if (err != EVERR_OK) {
			return err;
		}
		xml = utf8.data;
		len = utf8.len;
	}
	return tree_parse(read, (const char *)xml, len, error);
}

everr_t manifest_tree_read(TALLOC_CTX *mem_ctx, const uint8_t *xml, size_t len,
			   const struct manifest_element **ret_root,
			   struct event_manifest_error *ret_error)
{
	struct event_manifest_error error = {};
	struct tree_read *read = NULL;
	TALLOC_CTX *tmp_ctx = NULL;
	everr_t err = EVERR_NOMEM;

	if (len > EVENT_MANIFEST_MAX) {
		snprintf(ret_error->message, sizeof(ret_error->message),
			 "larger than %d MiB", EVENT_MANIFEST_MAX / 1048576);
		ret_error->line = 0;
		return EVERR_LIMIT;
	}
	tmp_ctx = talloc_new(mem_ctx);
	if (tmp_ctx == NULL) {
		return EVERR_NOMEM;
	}
	read = talloc_zero(tmp_ctx, struct tree_read);
	if (read != NULL) {
		read->mem_ctx = mem_ctx;
		err = tree_read_text(read, tmp_ctx, xml, len, &error);
	}
	if (err == EVERR_OK) {
		*ret_root = read->root;
	} else {
		*ret_error = error;
	}
	talloc_free(tmp_ctx);
	return err;
}

const char *manifest_attribute(const struct manifest_element *element,
			       const char *name)
{
	size_t i;

	for (i = 0; i < element->num_attributes; i++) {
		if (strcmp(element->attributes[i].name, name) == 0) {
			return element->attributes[i].value;
		}
	}
	return NULL;
}

static const struct manifest_element *named(
	const struct manifest_element *element, const char *name)
{
	while (element != NULL && strcmp(element->name, name) != 0) {
		element = element->next;
	}
	return element;
}

const struct manifest_element *manifest_child(
	const struct manifest_element *element, const char *name)
{
	return element == NULL ? NULL : named(element->child, name);
}

const struct manifest_element *manifest_next(
	const struct manifest_element *element)
{
	return named(element->next, element->name);
}
