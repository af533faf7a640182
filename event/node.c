/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/node.h"

static everr_t parse_template(const uint8_t *data, size_t len,
			      struct event_node *ret_node)
{
	struct event_node node = {.kind = EVENT_NODE_TEMPLATE};
	size_t specs_len;
	uint32_t i;

	if (len < EVENT_NODE_TEMPLATE_HEAD) {
		return EVERR_BINXML_TRUNCATED;
	}
	node.num_values = le16_get(data + 2);
	node.template_no = le32_get(data + 4);
	if (node.num_values > EVENT_VALUES_MAX) {
		return EVERR_LIMIT;
	}
	specs_len = (size_t)node.num_values * EVENT_SPEC_SIZE;
	if (specs_len > len - EVENT_NODE_TEMPLATE_HEAD) {
		return EVERR_BINXML_TRUNCATED;
	}

	node.specs = data + EVENT_NODE_TEMPLATE_HEAD;
	node.values = node.specs + specs_len;
	node.values_len = len - EVENT_NODE_TEMPLATE_HEAD - specs_len;
	for (i = 0; i < node.num_values; i++) {
		specs_len += event_spec_len(node.specs, i);
	}
	if (specs_len != len - EVENT_NODE_TEMPLATE_HEAD) {
		return EVERR_BINXML_LENGTH;
	}

	*ret_node = node;
	return EVERR_OK;
}

everr_t event_node_parse(const uint8_t *data, size_t len,
			 struct event_node *ret_node)
{
	if (len < EVENT_NODE_DOCUMENT_HEAD) {
		return EVERR_BINXML_TRUNCATED;
	}
	if (data[0] == EVENT_NODE_TEMPLATE && data[1] == 0) {
		return parse_template(data, len, ret_node);
	}
	if (le32_get(data) != EVENT_NODE_DOCUMENT) {
		return EVERR_BINXML_TOKEN;
	}
	*ret_node = (struct event_node){
		.kind = EVENT_NODE_DOCUMENT,
		.doc = data + EVENT_NODE_DOCUMENT_HEAD,
		.doc_len = len - EVENT_NODE_DOCUMENT_HEAD,
	};
	return EVERR_OK;
}
