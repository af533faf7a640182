/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/manifest_parse.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_REFERENCE "$(string."
#define TABLE_REFERENCE "$(mc."

everr_t manifest_refuse(struct manifest_parse *parse,
			const struct manifest_element *element,
			const char *format, ...)
{
	struct event_manifest_error *error = parse->error;
	va_list ap;

	error->line = element->line;
	va_start(ap, format);
	vsnprintf(error->message, sizeof(error->message), format, ap);
	va_end(ap);
	return EVERR_MANIFEST;
}

everr_t manifest_list(struct manifest_parse *parse,
		      const struct manifest_element *parent, const char *name,
		      const struct manifest_element **ret_list)
{
	const struct manifest_element *list = manifest_child(parent, name);
	const struct manifest_element *second = NULL;

	if (list != NULL) {
		second = manifest_next(list);
	}
	if (second != NULL) {
		return manifest_refuse(parse, second, "<%s> is there twice",
				       name);
	}
	*ret_list = list;
	return EVERR_OK;
}

size_t manifest_count(const struct manifest_element *list, const char *name)
{
	const struct manifest_element *item = manifest_child(list, name);
	size_t n = 0;

	while (item != NULL) {
		n++;
		item = manifest_next(item);
	}
	return n;
}

/* -------------------------------------------------------------- indexes */

static int entry_cmp(const void *a, const void *b)
{
	const struct manifest_index_entry *x = a, *y = b;

	if (x->scope != y->scope) {
		return x->scope < y->scope ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

everr_t manifest_index_add(struct manifest_parse *parse,
			   struct manifest_index *index, const char *name,
			   uint32_t scope, size_t at)
{
	struct manifest_index_entry *grown = NULL;

	/* In powers of two. */
	if ((index->num & (index->num - 1)) == 0) {
		grown = talloc_realloc(parse->tmp_ctx, index->entries,
				       struct manifest_index_entry,
				       index->num == 0 ? 1 : 2 * index->num);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		index->entries = grown;
	}
	index->entries[index->num++] = (struct manifest_index_entry){
		.name = name, .scope = scope, .at = at};
	return EVERR_OK;
}

const char *manifest_index_sort(struct manifest_index *index)
{
	size_t i;

	if (index->num == 0) {
		return NULL;
	}
	qsort(index->entries, index->num, sizeof(*index->entries), entry_cmp);
	for (i = 1; i < index->num; i++) {
		if (entry_cmp(&index->entries[i - 1], &index->entries[i]) ==
		    0) {
			return index->entries[i].name;
		}
	}
	return NULL;
}

bool manifest_index_find(const struct manifest_index *index, const char *name,
			 uint32_t scope, size_t *ret_at)
{
	const struct manifest_index_entry key = {.name = name, .scope = scope};
	const struct manifest_index_entry *entry = NULL;

	if (index->num == 0) {
		return false;
	}
	entry = bsearch(&key, index->entries, index->num,
			sizeof(*index->entries), entry_cmp);
	if (entry == NULL) {
		return false;
	}
	*ret_at = entry->at;
	return true;
}

/* ----------------------------------------------------------- attributes */

everr_t manifest_required(struct manifest_parse *parse,
			  const struct manifest_element *element,
			  const char *name, const char **ret_value)
{
	const char *value = manifest_attribute(element, name);

	if (value == NULL || value[0] == '\0') {
		return manifest_refuse(parse, element,
				       "<%s> without the attribute %s",
				       element->name, name);
	}
	*ret_value = value;
	return EVERR_OK;
}

bool manifest_parse_number(const char *text, uint64_t *ret_value)
{
	uint64_t base = 10;
	uint64_t value = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (text[0] == '\0') {
		return false;
	}
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)text_hex_digit(*text);

		if (digit >= base || value > (UINT64_MAX - digit) / base) {
			return false;
		}
		value = value * base + digit;
	}
	*ret_value = value;
	return true;
}

everr_t manifest_number(struct manifest_parse *parse,
			const struct manifest_element *element,
			const char *name, uint64_t max, uint64_t *ret_value)
{
	const char *text = manifest_attribute(element, name);
	uint64_t value = 0;

	if (text == NULL) {
		return EVERR_OK;
	}
	if (!manifest_parse_number(text, &value) || value > max) {
		return manifest_refuse(
			parse, element,
			"%s=\"%s\" of <%s> is not a number from 0 to %llu",
			name, text, element->name, (unsigned long long)max);
	}
	*ret_value = value;
	return EVERR_OK;
}

everr_t manifest_bool(struct manifest_parse *parse,
		      const struct manifest_element *element, const char *name,
		      const char *value, bool *ret_value)
{
	if (value == NULL) {
		return EVERR_OK;
	}
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0) {
		*ret_value = true;
		return EVERR_OK;
	}
	if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
		*ret_value = false;
		return EVERR_OK;
	}
	return manifest_refuse(parse, element, "%s is neither true nor false",
			       name);
}

/* ------------------------------------------------------------- messages */

/* What stands in "$(string.X)" after prefix; *ret_inner NULL: no such one. */
static everr_t inner_name(struct manifest_parse *parse, const char *text,
			  const char *prefix, const char **ret_inner)
{
	size_t start = strlen(prefix);
	size_t len = strlen(text);
	char *inner = NULL;

	*ret_inner = NULL;
	if (strncmp(text, prefix, start) != 0 || len < start + 2 ||
	    text[len - 1] != ')') {
		return EVERR_OK;
	}
	inner = talloc_strndup(parse->tmp_ctx, text + start, len - start - 1);
	if (inner == NULL) {
		return EVERR_NOMEM;
	}
	*ret_inner = inner;
	return EVERR_OK;
}

static everr_t add_reference(struct manifest_parse *parse,
			     const struct manifest_reference *reference)
{
	size_t n = parse->num_references;
	struct manifest_reference *grown = NULL;

	if ((n & (n - 1)) == 0) {
		grown = talloc_realloc(parse->tmp_ctx, parse->references,
				       struct manifest_reference,
				       n == 0 ? 1 : 2 * n);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		parse->references = grown;
	}
	parse->references[parse->num_references++] = *reference;
	return EVERR_OK;
}

static everr_t table_message(struct manifest_parse *parse,
			     const struct manifest_element *element,
			     const char *name, uint32_t *ret_id)
{
	size_t at = 0;

	if (!manifest_index_find(&parse->table_index, name, 0, &at)) {
		return manifest_refuse(parse, element,
				       "no <message> %s in <messageTable>",
				       name);
	}
	*ret_id = parse->table[at].value;
	return EVERR_OK;
}

everr_t manifest_message(struct manifest_parse *parse,
			 const struct manifest_element *element, uint32_t id,
			 uint32_t *ret_id)
{
	const char *text = manifest_attribute(element, "message");
	struct manifest_reference reference = {.id = id, .line = element->line};
	const char *in_table = NULL;
	everr_t err;

	*ret_id = EVENT_MESSAGE_NONE;
	if (text == NULL || text[0] == '\0') {
		return EVERR_OK;
	}
	err = inner_name(parse, text, TABLE_REFERENCE, &in_table);
	if (err != EVERR_OK) {
		return err;
	}
	if (in_table != NULL) {
		return table_message(parse, element, in_table, ret_id);
	}
	err = inner_name(parse, text, STRING_REFERENCE, &reference.string);
	if (err != EVERR_OK) {
		return err;
	}
	if (reference.string == NULL) {
		return manifest_refuse(parse, element,
				       "message=\"%s\" of <%s> is not of the "
				       "form $(string.ID)",
				       text, element->name);
	}
	*ret_id = id;
	return add_reference(parse, &reference);
}
