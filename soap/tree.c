/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/tree.h"

#include <string.h>

/* Blocks grow from the one size to the other. */
#define BLOCK_MIN 4096
#define BLOCK_MAX (256 * 1024)

struct block {
	struct block *next;
	size_t size;
	uint8_t bytes[] __attribute__((aligned(8)));
};

/* An open element. */
struct level {
	struct soap_node *node;
	struct soap_node **child; /* where the next one goes */
	size_t room;		  /* bytes for its text, with NUL */
};

struct soap_tree {
	size_t max;
	struct soap_share *share;
	everr_t err;  /* why memory could not be had */
	size_t total; /* bytes of all blocks */
	struct block *first;
	struct block *block; /* the one in use; NULL: none yet */
	size_t used;	     /* bytes of it */
	struct soap_node *root;
	struct level levels[SOAP_READER_DEPTH_MAX];
	size_t depth;
};

/* -------------------------------------------------------------- memory */

static struct block *block_create(struct soap_tree *tree, size_t room)
{
	struct block *block = NULL;

	if (room > tree->max - tree->total) {
		tree->err = EVERR_LIMIT;
		return NULL;
	}
	tree->err = EVERR_NOMEM;
	if (!soap_share_take(tree->share, room)) {
		return NULL;
	}
	block = talloc_size(tree, sizeof(struct block) + room);
	if (block != NULL) {
		block->size = room;
		tree->total += room;
	}
	return block;
}

/* The block after the one in use, with room for size bytes. */
static struct block *block_next(struct soap_tree *tree, size_t size)
{
	struct block **place =
		tree->block != NULL ? &tree->block->next : &tree->first;
	size_t room = tree->total < BLOCK_MIN ? BLOCK_MIN : tree->total;
	struct block *block = NULL;

	if (*place != NULL && (*place)->size >= size) {
		return *place;
	}
	room = room < BLOCK_MAX ? room : BLOCK_MAX;
	room = room > size ? room : size;
	block = block_create(tree, room);
	if (block != NULL) {
		block->next = *place;
		*place = block;
	}
	return block;
}

static void *tree_take(struct soap_tree *tree, size_t size, size_t align)
{
	size_t used = (tree->used + align - 1) & ~(align - 1);
	struct block *block = tree->block;

	if (block == NULL || used > block->size || size > block->size - used) {
		block = block_next(tree, size);
		if (block == NULL) {
			return NULL;
		}
		tree->block = block;
		used = 0;
	}
	tree->used = used + size;
	return block->bytes + used;
}

struct soap_tree *soap_tree_create(TALLOC_CTX *mem_ctx, size_t max,
				   struct soap_share *share)
{
	struct soap_tree *tree = talloc_zero(mem_ctx, struct soap_tree);

	if (tree != NULL) {
		tree->max = max;
		tree->share = share;
	}
	return tree;
}

void soap_tree_reset(struct soap_tree *tree)
{
	tree->block = NULL;
	tree->used = 0;
	tree->root = NULL;
	tree->depth = 0;
}

/* --------------------------------------------------------------- nodes */

static everr_t add_attribute(struct soap_tree *tree,
			     const struct soap_reader_attribute *from,
			     struct soap_attribute ***place)
{
	struct soap_attribute *attribute = NULL;
	char *value = NULL;

	attribute = tree_take(tree, sizeof(*attribute), 8);
	value = tree_take(tree, from->len + 1, 1);
	if (attribute == NULL || value == NULL) {
		return tree->err;
	}
	memcpy(value, from->value, from->len);
	value[from->len] = '\0';
	*attribute =
		(struct soap_attribute){.name = from->name, .value = value};
	**place = attribute;
	*place = &attribute->next;
	return EVERR_OK;
}

everr_t soap_tree_open(struct soap_tree *tree,
		       const struct soap_reader_element *element)
{
	struct soap_attribute **place = NULL;
	struct soap_node *node = NULL;
	struct level *level = NULL;
	everr_t err;
	size_t i;

	if (tree->depth == SOAP_READER_DEPTH_MAX ||
	    (tree->depth == 0 && tree->root != NULL)) {
		return EVERR_LIMIT;
	}
	node = tree_take(tree, sizeof(*node), 8);
	if (node == NULL) {
		return tree->err;
	}
	*node = (struct soap_node){
		.name = element->name, .ns = element->ns, .text = ""};
	place = &node->attributes;
	for (i = 0; i < element->num_attributes; i++) {
		err = add_attribute(tree, &element->attributes[i], &place);
		if (err != EVERR_OK) {
			return err;
		}
	}

	if (tree->depth == 0) {
		tree->root = node;
	} else {
		level = &tree->levels[tree->depth - 1];
		*level->child = node;
		level->child = &node->next;
	}
	tree->levels[tree->depth++] =
		(struct level){.node = node, .child = &node->children};
	return EVERR_OK;
}

/* Whether the text is what was taken last, so that it can grow in place. */
static bool text_is_last(const struct soap_tree *tree,
			 const struct level *level)
{
	return level->room > 0 && tree->block != NULL &&
	       (const uint8_t *)level->node->text + level->room ==
		       tree->block->bytes + tree->used;
}

/* Room for size bytes of text in all, by moving it if it must be. */
static char *text_room(struct soap_tree *tree, struct level *level, size_t size)
{
	char *text = (char *)(uintptr_t)level->node->text;
	size_t room = level->room == 0 ? size : 2 * size;

	if (size <= level->room) {
		return text;
	}
	if (text_is_last(tree, level) &&
	    size - level->room <= tree->block->size - tree->used) {
		tree->used += size - level->room;
		level->room = size;
		return text;
	}
	text = tree_take(tree, room, 1);
	if (text == NULL) {
		return NULL;
	}
	memcpy(text, level->node->text, level->node->text_len);
	level->room = room;
	return text;
}

everr_t soap_tree_text(struct soap_tree *tree, const char *text, size_t len)
{
	struct level *level = NULL;
	struct soap_node *node = NULL;
	char *to = NULL;

	if (tree->depth == 0 || len == 0) {
		return EVERR_OK;
	}
	level = &tree->levels[tree->depth - 1];
	node = level->node;
	if (len >= tree->max) {
		return EVERR_LIMIT;
	}
	to = text_room(tree, level, node->text_len + len + 1);
	if (to == NULL) {
		return tree->err;
	}
	memcpy(to + node->text_len, text, len);
	node->text_len += len;
	to[node->text_len] = '\0';
	node->text = to;
	return EVERR_OK;
}

void soap_tree_close(struct soap_tree *tree)
{
	if (tree->depth > 0) {
		tree->depth--;
	}
}

const struct soap_node *soap_tree_root(const struct soap_tree *tree)
{
	return tree->root;
}
