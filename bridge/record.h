/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_RECORD_H
#define EVENLOG_BRIDGE_RECORD_H

/*
 * Events with open-ended properties, as UserData:
 *
 *   <DiscoveryRecord xmlns='...'>
 *     <ClientId>...</ClientId> ...                         fixed fields
 *     <Properties><Property Class='..' Name='..'>..</Property>...</Properties>
 *   </DiscoveryRecord>
 *
 * The template has a number of places for properties, a power of two; those
 * that are left over are Null, and so not there (DependencyId).  So all
 * machines share a few templates, whatever classes and names they have.
 * BinXml values of their own would do, too, but libevtx (20181227) shows none
 * where there are several in one element.
 *
 * More properties than an event has room for go into several events, which
 * are numbered by Part and Parts and all have the fixed fields.
 */

#include "bridge/fields.h"

#define BRIDGE_ATTRIBUTES_MAX 6

/* UTF-16 units of an attribute; longer ones are cut. */
#define BRIDGE_ATTRIBUTE_MAX 256

struct bridge_record {
	const char *element;
	const char *const *attributes; /* of Property; their names */
	size_t num_attributes;
};

struct bridge_property {
	const char *attributes[BRIDGE_ATTRIBUTES_MAX]; /* NULL: left out */
	const char *value;
	size_t len;
};

struct bridge_properties {
	void (*get)(void *private_data, size_t index,
		    struct bridge_property *ret_property);
	void *private_data;
	size_t num;
};

/* The fields Part and Parts, for bridge_record_end() to fill in. */
void bridge_put_parts(struct bridge_event *event);

/*
 * Append the event, or as many as the properties need.
 * EVERR_LIMIT, EVERR_NOMEM
 */
everr_t bridge_record_end(struct bridge_events *out, struct bridge_event *event,
			  const struct bridge_record *record,
			  const struct bridge_properties *properties)
	EVERR_MUST_CHECK;

#endif
