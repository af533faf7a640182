/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/node.h"

#include <string.h>

static const struct soap_node *named(const struct soap_node *node,
				     const char *name)
{
	while (node != NULL && strcmp(node->name, name) != 0) {
		node = node->next;
	}
	return node;
}

const struct soap_node *soap_child(const struct soap_node *node,
				   const char *name)
{
	return node != NULL ? named(node->children, name) : NULL;
}

const struct soap_node *soap_next(const struct soap_node *node)
{
	return node != NULL ? named(node->next, node->name) : NULL;
}

const char *soap_text(const struct soap_node *node, const char *name)
{
	const struct soap_node *child = soap_child(node, name);

	return child != NULL ? child->text : NULL;
}

const char *soap_attr(const struct soap_node *node, const char *name)
{
	const struct soap_attribute *attribute = NULL;

	if (node == NULL) {
		return NULL;
	}
	for (attribute = node->attributes; attribute != NULL;
	     attribute = attribute->next) {
		if (strcmp(attribute->name, name) == 0) {
			return attribute->value;
		}
	}
	return NULL;
}
