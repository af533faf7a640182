/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_MANIFEST_TREE_H
#define EVENLOG_EVENT_MANIFEST_TREE_H

/*
 * A manifest's elements in memory, for the modules that read them.  Names
 * have no prefix.  The texts live as long as the tree: what is made from it
 * points into it.
 */

#include "event/manifest.h"

struct manifest_attribute {
	const char *name;
	const char *value;
};

struct manifest_element {
	const char *name;
	const char *uri; /* its namespace, or "" */
	int line;
	const struct manifest_attribute *attributes;
	size_t num_attributes;
	const char *text; /* of an element without children; trimmed */
	struct manifest_element *child, *next;
};

/*
 * Read a document; see event_manifest_parse() for xml, limits and errors.
 * *ret_root is freed with mem_ctx.
 */
everr_t manifest_tree_read(TALLOC_CTX *mem_ctx, const uint8_t *xml, size_t len,
			   const struct manifest_element **ret_root,
			   struct event_manifest_error *ret_error)
	EVERR_MUST_CHECK;

/* The attribute's value, or NULL. */
const char *manifest_attribute(const struct manifest_element *element,
			       const char *name);

/* The first child of that name, and the next sibling of the same name. */
const struct manifest_element *manifest_child(
	const struct manifest_element *element, const char *name);
const struct manifest_element *manifest_next(
	const struct manifest_element *element);

#endif
