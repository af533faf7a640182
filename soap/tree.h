/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_TREE_H
#define EVENLOG_SOAP_TREE_H

/*
 * soap/node.h's trees, made element by element in memory that is taken again
 * for the next one.  Each text is ended by NUL at any time, and a node is in
 * its place as soon as it was opened.
 */

#include "soap/memory.h"
#include "soap/node.h"
#include "soap/reader.h"

struct soap_tree;

/*
 * At most max bytes of memory, which are taken from share; any one text may
 * have a quarter of them.
 */
struct soap_tree *soap_tree_create(TALLOC_CTX *mem_ctx, size_t max,
				   struct soap_share *share);

/* Drop all nodes, keep the memory and its share. */
void soap_tree_reset(struct soap_tree *tree);

/*
 * A child of the element opened last, its text, its end.  Names are kept as
 * pointers: they must stay valid as long as the nodes.
 *
 * EVERR_LIMIT  depth, or more than max
 * EVERR_NOMEM  there is no more, or others have it
 */
everr_t soap_tree_open(struct soap_tree *tree,
		       const struct soap_reader_element *element)
	EVERR_MUST_CHECK;
everr_t soap_tree_text(struct soap_tree *tree, const char *text,
		       size_t len) EVERR_MUST_CHECK;
void soap_tree_close(struct soap_tree *tree);

/* The outermost element, or NULL. */
const struct soap_node *soap_tree_root(const struct soap_tree *tree);

#endif
