/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"
#include "event/binxml.h"
#include "event/dict.h"
#include "event/event.h"
#include "event/node.h"
#include "event/system.h"
#include "event/type.h"

#include <string.h>

/*
 * A packed event is hardly longer than its wire form, by a few bytes for each
 * document inside; what has so many that this is passed is refused as too
 * large.
 */
#define PACKED_MAX (EVENT_WIRE_MAX + EVENT_WIRE_MAX / 4)

/* An event of more templates keeps the others in documents. */
#define TEMPLATES_MAX 64

/* 0C 00, GUID, length; and, behind the definition, the number of values. */
#define INSTANCE_HEAD 22
#define INSTANCE_COUNT 4

static const uint8_t fragment[EVENT_FRAGMENT_SIZE] = {0x0F, 1, 1, 0};

struct event_packer {
	struct event_dict *dict;
	struct buf out; /* the packed event */
	struct event_template *templates[TEMPLATES_MAX];
	size_t num_templates;
	/* Where the values of the outer template stand behind the specs. */
	uint32_t offsets[EVENT_VALUES_MAX];
};

/* The form that nested values take: nodes in nodes, documents in documents. */
enum form {
	FORM_PACKED,
	FORM_WIRE
};

static everr_t put_nested(struct event_packer *packer, enum form form,
			  const uint8_t *data, size_t len, unsigned int depth,
			  size_t *ret_wire_len);

struct event_packer *event_packer_create(TALLOC_CTX *mem_ctx,
					 struct event_dict *dict)
{
	struct event_packer *packer = talloc_zero(mem_ctx, struct event_packer);

	if (packer != NULL) {
		packer->dict = dict;
		buf_init(&packer->out, packer, PACKED_MAX);
	}
	return packer;
}

/* Values from .. to of an instance as they are. */
static void put_run(struct buf *out, const struct event_instance *instance,
		    size_t from, size_t to)
{
	buf_put(out, instance->values + from, to - from);
}

/*
 * One BinXml value, whose spec stands at spec.  Its length there becomes that
 * of the form it takes; on the wire it must fit in 16 bits as well.
 */
static everr_t put_binxml(struct event_packer *packer, enum form form,
			  const uint8_t *value, size_t len, unsigned int depth,
			  size_t spec, size_t *ret_wire_len)
{
	size_t start = packer->out.len;
	size_t wire_len = 0;
	size_t stored;
	everr_t err;

	err = put_nested(packer, form, value, len, depth, &wire_len);
	if (err != EVERR_OK) {
		return err;
	}
	stored = packer->out.len - start;
	if (stored > EVENT_VALUE_MAX || wire_len > EVENT_VALUE_MAX) {
		return EVERR_BINXML_VALUE;
	}
	buf_set_u16(&packer->out, spec, (uint16_t)stored);
	*ret_wire_len = wire_len;
	return EVERR_OK;
}

/*
 * Specs and values of an instance whose values stand at depth; offsets, where
 * not NULL, receives where each begins.  *ret_wire_len is the values' length
 * on the wire.
 */
static everr_t put_values(struct event_packer *packer, enum form form,
			  const struct event_instance *instance,
			  unsigned int depth, uint32_t *offsets,
			  size_t *ret_wire_len)
{
	size_t specs_len = (size_t)instance->num_values * EVENT_SPEC_SIZE;
	struct buf *out = &packer->out;
	size_t specs = out->len;
	size_t wire_len = instance->values_len;
	size_t nested_len = 0;
	size_t done = 0;
	size_t pos = 0;
	uint8_t reserved = 0;
	uint8_t type;
	uint16_t len;
	uint32_t i;
	everr_t err;

	buf_put(out, instance->specs, specs_len);
	for (i = 0; i < instance->num_values; i++) {
		len = event_spec_len(instance->specs, i);
		type = event_spec_type(instance->specs, i);
		reserved |= instance->specs[i * EVENT_SPEC_SIZE + 3];
		if (offsets != NULL) {
			offsets[i] = (uint32_t)(out->len - specs - specs_len +
						pos - done);
		}
		if (type != EVENT_TYPE_BINXML) {
			err = event_type_check(type, instance->values + pos,
					       len);
			if (err != EVERR_OK) {
				return err;
			}
			pos += len;
			continue;
		}
		put_run(out, instance, done, pos);
		err = put_binxml(packer, form, instance->values + pos, len,
				 depth, specs + (size_t)i * EVENT_SPEC_SIZE,
				 &nested_len);
		if (err != EVERR_OK) {
			return err;
		}
		wire_len += nested_len - len;
		pos += len;
		done = pos;
	}
	put_run(out, instance, done, pos);

	for (i = 0; reserved != 0 && buf_error(out) == EVERR_OK &&
		    i < instance->num_values;
	     i++) {
		out->data[specs + (size_t)i * EVENT_SPEC_SIZE + 3] = 0;
	}
	*ret_wire_len = wire_len;
	return EVERR_OK;
}

/*
 * A template instance inside of a document.  Its definition is in no
 * dictionary that would keep its GUID apart from others, so it gets the one
 * that is made from its bytes.
 */
static everr_t put_instance(struct event_packer *packer,
			    const struct event_instance *instance,
			    unsigned int depth)
{
	struct event_definition_needs needs = {0};
	struct buf *out = &packer->out;
	struct ev_guid guid = {0};
	size_t start = out->len;
	size_t def = start + INSTANCE_HEAD;
	size_t wire_len = 0;
	everr_t err;

	buf_put_zero(out, INSTANCE_HEAD);
	err = event_definition_normalise(out, instance->def, instance->def_len,
					 &needs);
	if (err != EVERR_OK) {
		return err;
	}
	if (depth + needs.depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	ev_guid_from_bytes(out->data + def, out->len - def, &guid);
	out->data[start] = EVENT_TOKEN_TEMPLATE;
	memcpy(out->data + start + 2, guid.b, sizeof(guid.b));
	buf_set_u32(out, def - 4, (uint32_t)(out->len - def));

	buf_put_u32(out, instance->num_values);
	return put_values(packer, FORM_WIRE, instance, depth + needs.depth + 1,
			  NULL, &wire_len);
}

/*
 * A document normalised: one fragment header first, then its tokens, EOF.
 * *ret_num_roots is how many elements and instances it has at the top; one
 * that has nothing at all is left out.
 */
static everr_t put_document(struct event_packer *packer, const uint8_t *data,
			    size_t len, unsigned int depth,
			    uint32_t *ret_num_roots)
{
	struct buf *out = &packer->out;
	size_t start = out->len;
	struct event_reader reader;
	struct event_writer writer;
	struct event_token token;
	everr_t err;

	event_reader_init(&reader, EVENT_READ_DOCUMENT, data, len, depth);
	event_writer_init(&writer, EVENT_READ_DOCUMENT, out);
	buf_put(out, fragment, sizeof(fragment));
	do {
		err = event_reader_next(&reader, &token);
		if (err == EVERR_OK && token.kind == EVENT_TOKEN_TEMPLATE) {
			err = put_instance(packer, &token.instance, depth);
		} else if (err == EVERR_OK &&
			   token.kind != EVENT_TOKEN_FRAGMENT) {
			event_writer_put(&writer, &token);
		}
		if (err != EVERR_OK) {
			return err;
		}
	} while (token.kind != EVENT_TOKEN_EOF);

	if (out->len == start + sizeof(fragment) + 1) {
		buf_truncate(out, start);
	}
	*ret_num_roots = reader.num_roots;
	return EVERR_OK;
}

/* The bytes of the fragment headers that the data begins with. */
static size_t headers_size(const uint8_t *data, size_t len)
{
	size_t size = 0;

	while (len - size >= sizeof(fragment) &&
	       memcmp(data + size, fragment, sizeof(fragment)) == 0) {
		size += sizeof(fragment);
	}
	return size;
}

/* Is the data nothing but headers, one template instance, and EOF? */
static bool is_instance(const uint8_t *data, size_t len,
			struct event_instance *ret_instance)
{
	size_t pos = headers_size(data, len);
	size_t size = 0;
	everr_t err;

	if (pos == len || data[pos] != EVENT_TOKEN_TEMPLATE) {
		return false;
	}
	err = event_instance_parse(data + pos, len - pos, ret_instance, &size);
	if (err != EVERR_OK) {
		return false;
	}
	pos += size;
	pos += headers_size(data + pos, len - pos);
	return pos < len && data[pos] == EVENT_TOKEN_EOF;
}

static void list_template(struct event_packer *packer,
			  struct event_template *template)
{
	size_t i;

	for (i = 0; i < packer->num_templates; i++) {
		if (packer->templates[i] == template) {
			return;
		}
	}
	packer->templates[packer->num_templates++] = template;
}

/* The dictionary's template of an instance; EVERR_LIMIT: no room for it. */
static everr_t intern(struct event_packer *packer,
		      const struct event_instance *instance,
		      struct event_template **ret_template)
{
	struct ev_guid guid;
	everr_t err;

	if (packer->num_templates == TEMPLATES_MAX) {
		return EVERR_LIMIT;
	}
	memcpy(guid.b, instance->guid, sizeof(guid.b));
	err = event_dict_intern(packer->dict, &guid, instance->def,
				instance->def_len, ret_template);
	if (err == EVERR_OK) {
		list_template(packer, *ret_template);
	}
	return err;
}

static everr_t put_template_node(struct event_packer *packer,
				 const struct event_template *template,
				 const struct event_instance *instance,
				 unsigned int depth, size_t *ret_wire_len)
{
	uint8_t *head = NULL;
	size_t values_len = 0;
	everr_t err;

	if (depth + template->depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	head = buf_extend(&packer->out, EVENT_NODE_TEMPLATE_HEAD);
	if (head == NULL) {
		return buf_error(&packer->out);
	}
	le16_set(head, EVENT_NODE_TEMPLATE);
	le16_set(head + 2, (uint16_t)instance->num_values);
	le32_set(head + 4, template->no);

	err = put_values(packer, FORM_PACKED, instance,
			 depth + template->depth + 1,
			 depth == 0 ? packer->offsets : NULL, &values_len);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_wire_len = sizeof(fragment) + INSTANCE_HEAD + template->def_len +
			INSTANCE_COUNT +
			(size_t)instance->num_values * EVENT_SPEC_SIZE +
			values_len + 1;
	return EVERR_OK;
}

static everr_t put_document_node(struct event_packer *packer,
				 const uint8_t *data, size_t len,
				 unsigned int depth, uint32_t *ret_num_roots,
				 size_t *ret_wire_len)
{
	struct buf *out = &packer->out;
	size_t start = out->len;
	everr_t err;

	buf_put_u32(out, EVENT_NODE_DOCUMENT);
	err = put_document(packer, data, len, depth, ret_num_roots);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_wire_len = out->len - start - EVENT_NODE_DOCUMENT_HEAD;
	if (*ret_wire_len == 0) {
		buf_truncate(out, start);
	}
	return EVERR_OK;
}

/*
 * A node of either kind.  *ret_template is the dictionary's for a template
 * node, NULL for a document.
 */
static everr_t put_node(struct event_packer *packer, const uint8_t *data,
			size_t len, unsigned int depth,
			struct event_template **ret_template,
			uint32_t *ret_num_roots, size_t *ret_wire_len)
{
	struct event_template *template = NULL;
	struct event_instance instance;
	everr_t err = EVERR_LIMIT;

	if (is_instance(data, len, &instance)) {
		err = intern(packer, &instance, &template);
	}
	if (err == EVERR_LIMIT) {
		*ret_template = NULL;
		return put_document_node(packer, data, len, depth,
					 ret_num_roots, ret_wire_len);
	}
	if (err != EVERR_OK) {
		return err;
	}
	*ret_template = template;
	*ret_num_roots = 1;
	return put_template_node(packer, template, &instance, depth,
				 ret_wire_len);
}

/* Nested values may hold several elements, or none. */
static everr_t put_nested(struct event_packer *packer, enum form form,
			  const uint8_t *data, size_t len, unsigned int depth,
			  size_t *ret_wire_len)
{
	struct event_template *template = NULL;
	size_t start = packer->out.len;
	uint32_t num_roots = 0;
	everr_t err;

	*ret_wire_len = 0;
	if (len == 0) {
		return EVERR_OK;
	}
	if (depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	if (form == FORM_PACKED) {
		return put_node(packer, data, len, depth, &template, &num_roots,
				ret_wire_len);
	}
	err = put_document(packer, data, len, depth, &num_roots);
	*ret_wire_len = packer->out.len - start;
	return err;
}

/* Where System's fields are, computed once per template. */
static everr_t template_fields(struct event_template *template,
			       const struct event_system_fields **ret_fields)
{
	if (template->system == NULL) {
		template->system = talloc(template, struct event_system_fields);
		if (template->system == NULL) {
			return EVERR_NOMEM;
		}
		event_system_locate(EVENT_READ_DEFINITION, template->def,
				    template->def_len, template->system);
	}
	*ret_fields = template->system;
	return EVERR_OK;
}

/* EventRecordID can be assigned where it is a value of 8 bytes. */
static uint32_t record_id_offset(const struct event_packer *packer,
				 const struct event_system_fields *fields,
				 const struct event_node *node)
{
	uint16_t id = fields->places[EVENT_SYSTEM_RECORD_ID].id;
	uint8_t type;

	if (fields->places[EVENT_SYSTEM_RECORD_ID].source !=
		    EVENT_SYSTEM_VALUE ||
	    id >= node->num_values) {
		return 0;
	}
	type = event_spec_type(node->specs, id);
	if (type != EVENT_TYPE_UINT64 && type != EVENT_TYPE_INT64 &&
	    type != EVENT_TYPE_HEXINT64) {
		return 0;
	}
	return (uint32_t)(node->values - packer->out.data) +
	       packer->offsets[id];
}

static everr_t read_template_header(const struct event_packer *packer,
				    struct event_template *template,
				    struct event_packed *packed)
{
	const struct event_system_fields *fields = NULL;
	struct event_node node = {0};
	everr_t err;

	err = template_fields(template, &fields);
	if (err != EVERR_OK) {
		return err;
	}
	node.num_values = le16_get(packed->data + 2);
	node.specs = packed->data + EVENT_NODE_TEMPLATE_HEAD;
	node.values = node.specs + (size_t)node.num_values * EVENT_SPEC_SIZE;
	event_system_read(fields, node.num_values, node.specs, node.values,
			  packer->offsets, &packed->header);
	packed->record_id_offset = record_id_offset(packer, fields, &node);
	return EVERR_OK;
}

/* A document has its System as text, or in the template instance it is. */
static void read_document_header(struct event_packer *packer,
				 struct event_packed *packed)
{
	const uint8_t *doc = packed->data + EVENT_NODE_DOCUMENT_HEAD;
	size_t len = packed->len - EVENT_NODE_DOCUMENT_HEAD;
	struct event_system_fields fields;
	struct event_instance instance;
	uint32_t offset = 0;
	uint32_t i;

	if (!is_instance(doc, len, &instance)) {
		event_system_locate(EVENT_READ_DOCUMENT, doc, len, &fields);
		event_system_read(&fields, 0, NULL, NULL, NULL,
				  &packed->header);
		return;
	}
	for (i = 0; i < instance.num_values; i++) {
		packer->offsets[i] = offset;
		offset += event_spec_len(instance.specs, i);
	}
	event_system_locate(EVENT_READ_DEFINITION, instance.def,
			    instance.def_len, &fields);
	event_system_read(&fields, instance.num_values, instance.specs,
			  instance.values, packer->offsets, &packed->header);
}

static everr_t pack(struct event_packer *packer, const uint8_t *doc, size_t len,
		    struct event_packed *packed)
{
	struct event_template *template = NULL;
	uint32_t num_roots = 0;
	size_t wire_len = 0;
	everr_t err;

	err = put_node(packer, doc, len, 0, &template, &num_roots, &wire_len);
	if (buf_error(&packer->out) == EVERR_LIMIT) {
		return EVERR_EVENT_TOO_LARGE;
	}
	if (buf_error(&packer->out) != EVERR_OK) {
		return buf_error(&packer->out);
	}
	if (err != EVERR_OK) {
		return err;
	}
	/* XML has one element at the top. */
	if (num_roots != 1) {
		return EVERR_BINXML_TOKEN;
	}
	if (wire_len > EVENT_WIRE_MAX) {
		return EVERR_EVENT_TOO_LARGE;
	}

	packed->data = packer->out.data;
	packed->len = packer->out.len;
	packed->wire_len = (uint32_t)wire_len;
	packed->templates = packer->templates;
	packed->num_templates = packer->num_templates;
	if (template != NULL) {
		return read_template_header(packer, template, packed);
	}
	read_document_header(packer, packed);
	return EVERR_OK;
}

everr_t event_pack(struct event_packer *packer, const uint8_t *doc, size_t len,
		   struct event_packed *ret_packed)
{
	uint32_t no = event_dict_next_no(packer->dict);
	struct event_packed packed = {0};
	everr_t err;

	buf_reset(&packer->out);
	packer->num_templates = 0;
	err = pack(packer, doc, len, &packed);
	if (err != EVERR_OK) {
		/* What only a refused event defined has no user. */
		for (; no < event_dict_next_no(packer->dict); no++) {
			event_dict_forget(packer->dict, no);
		}
		return err;
	}
	*ret_packed = packed;
	return EVERR_OK;
}

static everr_t node_to_wire(struct buf *out, struct event_dict *dict,
			    const uint8_t *data, size_t len,
			    unsigned int depth);

/* A nested node's wire form, and its length into the spec at spec. */
static everr_t nested_to_wire(struct buf *out, struct event_dict *dict,
			      const uint8_t *data, size_t len,
			      unsigned int depth, size_t spec)
{
	size_t start = out->len;
	everr_t err;

	if (len == 0) {
		return EVERR_OK;
	}
	err = node_to_wire(out, dict, data, len, depth + 1);
	if (err != EVERR_OK) {
		return err;
	}
	if (out->len - start > EVENT_VALUE_MAX) {
		return EVERR_BINXML_VALUE;
	}
	buf_set_u16(out, spec, (uint16_t)(out->len - start));
	return EVERR_OK;
}

/* Header, definition, number and specs of the values; where the specs are. */
static size_t put_wire_head(struct buf *out,
			    const struct event_template *template,
			    const struct event_node *node)
{
	size_t specs_len = (size_t)node->num_values * EVENT_SPEC_SIZE;
	uint8_t *p = NULL;

	p = buf_extend(out, sizeof(fragment) + INSTANCE_HEAD +
				    template->def_len + INSTANCE_COUNT +
				    specs_len);
	if (p == NULL) {
		return 0;
	}
	memcpy(p, fragment, sizeof(fragment));
	p += sizeof(fragment);
	p[0] = EVENT_TOKEN_TEMPLATE;
	p[1] = 0;
	memcpy(p + 2, template->guid.b, sizeof(template->guid.b));
	le32_set(p + INSTANCE_HEAD - 4, template->def_len);
	p += INSTANCE_HEAD;
	memcpy(p, template->def, template->def_len);
	p += template->def_len;
	le32_set(p, node->num_values);
	memcpy(p + INSTANCE_COUNT, node->specs, specs_len);
	return out->len - specs_len;
}

static everr_t template_to_wire(struct buf *out, struct event_dict *dict,
				const struct event_node *node,
				unsigned int depth)
{
	struct event_template *template = NULL;
	size_t specs = 0;
	size_t done = 0;
	size_t pos = 0;
	uint16_t len;
	uint32_t i;
	everr_t err;

	err = event_dict_get(dict, node->template_no, &template);
	if (err != EVERR_OK) {
		return err;
	}
	specs = put_wire_head(out, template, node);
	for (i = 0; i < node->num_values; i++) {
		len = event_spec_len(node->specs, i);
		if (event_spec_type(node->specs, i) == EVENT_TYPE_BINXML) {
			buf_put(out, node->values + done, pos - done);
			err = nested_to_wire(
				out, dict, node->values + pos, len, depth,
				specs + (size_t)i * EVENT_SPEC_SIZE);
			if (err != EVERR_OK) {
				return err;
			}
			done = pos + len;
		}
		pos += len;
	}
	buf_put(out, node->values + done, pos - done);
	buf_put_u8(out, EVENT_TOKEN_EOF);
	return buf_error(out);
}

static everr_t document_to_wire(struct buf *out, const struct event_node *node)
{
	if (node->doc_len <= sizeof(fragment) ||
	    memcmp(node->doc, fragment, sizeof(fragment)) != 0 ||
	    node->doc[node->doc_len - 1] != EVENT_TOKEN_EOF) {
		return EVERR_BINXML_TOKEN;
	}
	buf_put(out, node->doc, node->doc_len);
	return buf_error(out);
}

static everr_t node_to_wire(struct buf *out, struct event_dict *dict,
			    const uint8_t *data, size_t len, unsigned int depth)
{
	struct event_node node = {0};
	everr_t err;

	if (depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	err = event_node_parse(data, len, &node);
	if (err != EVERR_OK) {
		return err;
	}
	if (node.kind == EVENT_NODE_DOCUMENT) {
		return document_to_wire(out, &node);
	}
	return template_to_wire(out, dict, &node, depth);
}

everr_t event_packed_to_wire(struct buf *out, struct event_dict *dict,
			     const uint8_t *data, size_t len)
{
	size_t start = out->len;
	everr_t err;

	err = node_to_wire(out, dict, data, len, 0);
	if (err != EVERR_OK) {
		buf_truncate(out, start);
	}
	return err;
}

static everr_t node_templates(const uint8_t *data, size_t len,
			      unsigned int depth, event_template_no_fn fn,
			      void *private_data)
{
	struct event_node node = {0};
	const uint8_t *value = NULL;
	uint16_t value_len;
	uint32_t i;
	everr_t err;

	if (depth > EVENT_DEPTH_MAX) {
		return EVERR_BINXML_DEPTH;
	}
	err = event_node_parse(data, len, &node);
	if (err != EVERR_OK) {
		return err;
	}
	if (node.kind == EVENT_NODE_DOCUMENT) {
		return EVERR_OK;
	}

	fn(node.template_no, private_data);
	value = node.values;
	for (i = 0; i < node.num_values; i++) {
		value_len = event_spec_len(node.specs, i);
		if (event_spec_type(node.specs, i) == EVENT_TYPE_BINXML &&
		    value_len > 0) {
			err = node_templates(value, value_len, depth + 1, fn,
					     private_data);
			if (err != EVERR_OK) {
				return err;
			}
		}
		value += value_len;
	}
	return EVERR_OK;
}

everr_t event_packed_templates(const uint8_t *data, size_t len,
			       event_template_no_fn fn, void *private_data)
{
	return node_templates(data, len, 0, fn, private_data);
}
