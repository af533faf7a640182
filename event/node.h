/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_NODE_H
#define EVENLOG_EVENT_NODE_H

/*
 * Reading packed nodes (event/event.h has the layout).  Packed data may come
 * from a damaged disk: everything is checked against its length here.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/binxml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_NODE_TEMPLATE 1
#define EVENT_NODE_DOCUMENT 2

/* Bytes before the value specs, and before the document. */
#define EVENT_NODE_TEMPLATE_HEAD 8
#define EVENT_NODE_DOCUMENT_HEAD 4

struct event_node {
	uint8_t kind; /* EVENT_NODE_TEMPLATE or _DOCUMENT */
	/* template */
	uint32_t template_no;
	uint32_t num_values;
	const uint8_t *specs;  /* num_values times EVENT_SPEC_SIZE bytes */
	const uint8_t *values; /* back to back */
	size_t values_len;     /* the sum of the specs' lengths */
	/* document */
	const uint8_t *doc; /* 0F 01 01 00 ... 00 */
	size_t doc_len;
};

/*
 * Take a node apart; it covers data exactly.
 * EVERR_BINXML_TRUNCATED, _TOKEN, _LENGTH; EVERR_LIMIT: EVENT_VALUES_MAX
 */
everr_t event_node_parse(const uint8_t *data, size_t len,
			 struct event_node *ret_node) EVERR_MUST_CHECK;

#endif
