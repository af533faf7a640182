/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_PLAN_H
#define EVENLOG_EVENT_PLAN_H

/*
 * A template's definition compiled for rendering.
 *
 * What depends on the definition only is done once: names and texts are
 * UTF-8 and escaped, the way through it is a list of steps for XML and a tree
 * for JSON.  An event is then one pass over its values.  Documents that have
 * no template are compiled the same way each time they are rendered, so that
 * there is one way to render.
 */

#include "base/everr.h"
#include "event/binxml.h"
#include "event/dict.h"
#include "event/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* No such element or part. */
#define EVENT_PLAN_NONE UINT32_MAX

/*
 * Steps of arrays' repetitions and bytes of the values inside, for one event:
 * a hostile event could have work without output, again and again.  An event
 * of 1 MiB that uses each of its bytes once stays far below.
 */
#define EVENT_RENDER_WORK_MAX (1U << 23)

/* A range of the plan's texts. */
struct event_plan_text {
	uint32_t offset;
	uint32_t len;
};

enum event_plan_op {
	EVENT_PLAN_COPY,	    /* text */
	EVENT_PLAN_VALUE,	    /* of id, in content */
	EVENT_PLAN_ATTRIBUTE_VALUE, /* of id, in an attribute */
	/* Go to step target if value id is Null: the DependencyId. */
	EVENT_PLAN_SKIP_NULL,
	/* Go to step target if the values of the `count` ATTRIBUTE_VALUE steps
	   behind the next one, a COPY, are all empty. */
	EVENT_PLAN_SKIP_EMPTY,
	/* Do the steps up to target once for each item of the first array
	   among the `count` values whose ids start at ids[first]. */
	EVENT_PLAN_REPEAT,
	EVENT_PLAN_INSTANCE /* instances[first], in documents */
};

struct event_plan_step {
	uint8_t op;
	uint16_t id;
	uint16_t count;
	union {
		struct event_plan_text text;
		struct {
			uint32_t target;
			uint32_t first;
		};
	};
};

/* A piece of an element's content or of an attribute's value. */
enum event_plan_part_kind {
	EVENT_PLAN_PART_TEXT,
	EVENT_PLAN_PART_VALUE,
	EVENT_PLAN_PART_INSTANCE,
	EVENT_PLAN_PART_ELEMENT
};

struct event_plan_part {
	uint8_t kind;
	uint16_t id;		      /* VALUE */
	uint32_t index;		      /* INSTANCE, ELEMENT */
	struct event_plan_text xml;   /* TEXT, escaped */
	struct event_plan_text json;  /* TEXT, escaped; empty for a PI */
	struct event_plan_text plain; /* TEXT, not escaped; empty for a PI */
	uint32_t next;		      /* part, or EVENT_PLAN_NONE */
};

struct event_plan_attribute {
	struct event_plan_text name;
	uint32_t first_part; /* or EVENT_PLAN_NONE */
	uint32_t last_part;
	uint16_t num_values; /* VALUE parts */
	bool has_text;	     /* so it is never left out */
	bool in_json;
	struct event_plan_text key;
};

/* Element 0 is none of the document: it stands around its roots. */
struct event_plan_element {
	struct event_plan_text name;
	uint16_t dependency;
	bool closed;   /* <name/> */
	bool has_text; /* literal text in its content */
	uint32_t first_attribute;
	uint32_t num_attributes;
	uint32_t first_part; /* content, in order */
	uint32_t last_part;
	uint32_t num_parts; /* but elements */
	uint32_t num_children;
	uint32_t cost;	   /* of looking at it, its children not */
	uint32_t first_id; /* values of its own, in ids */
	uint32_t num_ids;
	/* For JSON: children that share a key follow each other. */
	struct event_plan_text key;
	uint32_t first_child;
	uint32_t next_sibling;
	bool is_array; /* its key's value is an array */
	bool same_key; /* as the sibling before it */
};

struct event_plan {
	const uint8_t *text;
	const struct event_plan_step *steps;
	uint32_t num_steps;
	const struct event_plan_element *elements;
	const struct event_plan_attribute *attributes;
	const struct event_plan_part *parts;
	const uint16_t *ids;
	const struct event_instance *instances;
};

/*
 * Compile a definition or a document.  The plan of a document points into
 * data.  Errors as event_reader_next(), and EVERR_NOMEM.
 */
everr_t event_plan_compile(TALLOC_CTX *mem_ctx, enum event_reader_mode mode,
			   const uint8_t *data, size_t len,
			   struct event_plan **ret_plan) EVERR_MUST_CHECK;

/* The plan of a template, compiled when first asked for, kept with it. */
everr_t event_plan_get(struct event_template *template,
		       const struct event_plan **ret_plan) EVERR_MUST_CHECK;

#endif
