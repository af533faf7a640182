/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_DICT_H
#define EVENLOG_EVENT_DICT_H

/*
 * Template definitions and the dictionary that numbers them.
 *
 * A definition is identified by the SHA-256 of its normalised bytes (fragment
 * header, element, end token; no waste bytes).  The GUID is an attribute.
 * Clients cache definitions by GUID, so within a dictionary one GUID never
 * stands for two definitions: the second gets a name-based GUID over its
 * bytes (design decision 3).
 *
 * A dictionary lives in one thread.
 */

#include "base/everr.h"
#include "base/guid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define EVENT_TEMPLATE_ID_SIZE 32

struct event_plan;	    /* compiled form, event/plan.h */
struct event_system_fields; /* where System's values are, event/system.h */

/*
 * Owned by its dictionary, and immutable but for what is computed when first
 * needed: plan and system are talloc children of the template.
 */
struct event_template {
	uint32_t no;			    /* its number, from 1 */
	struct ev_guid guid;		    /* what is sent */
	uint8_t id[EVENT_TEMPLATE_ID_SIZE]; /* SHA-256 of def */
	const uint8_t *def;		    /* normalised, RPC form */
	uint32_t def_len;
	uint32_t num_values;		    /* highest substitution id + 1 */
	uint8_t depth;			    /* of its elements */
	struct event_plan *plan;	    /* NULL until first needed */
	struct event_system_fields *system; /* NULL until first needed */
	void *user; /* for the dictionary's owner (store/) */
};

struct event_dict;

/* Limits on what the dictionary holds at a time. */
struct event_dict_limits {
	uint32_t max_templates;
	size_t max_bytes; /* of definitions */
};

/* limits NULL: 65,536 templates and 64 MiB. */
struct event_dict *event_dict_create(TALLOC_CTX *mem_ctx,
				     const struct event_dict_limits *limits);

/*
 * Called for a number that is not in memory.  The loader calls
 * event_dict_load() for it and returns EVERR_OK, or an error.
 */
typedef everr_t (*event_dict_loader)(struct event_dict *dict, uint32_t no,
				     void *private_data);
void event_dict_set_loader(struct event_dict *dict, event_dict_loader loader,
			   void *private_data);

/* The number that the next new definition gets; for a persistent owner. */
void event_dict_set_next_no(struct event_dict *dict, uint32_t no);
uint32_t event_dict_next_no(const struct event_dict *dict);

/*
 * Find the definition or add it.  def is RPC form as received: the bytes
 * after TemplateDefByteLength, waste included; it is checked and normalised.
 * The same bytes are found again without parsing.
 *
 * EVERR_BINXML_*  the definition is malformed
 * EVERR_LIMIT     the dictionary is full and does not know it
 * EVERR_NOMEM
 */
everr_t event_dict_intern(
	struct event_dict *dict, const struct ev_guid *guid, const uint8_t *def,
	size_t len, struct event_template **ret_template) EVERR_MUST_CHECK;

/*
 * Put a definition back under its number, as an owner kept it.  What is there
 * already is handed out again.
 *
 * EVERR_EXISTS    the number stands for another definition
 * EVERR_BINXML_*  not a normalised definition
 * EVERR_LIMIT, EVERR_NOMEM
 */
everr_t event_dict_load(struct event_dict *dict, uint32_t no,
			const struct ev_guid *guid, const uint8_t *def,
			size_t len,
			struct event_template **ret_template) EVERR_MUST_CHECK;

/*
 * By number; asks the loader, whose errors are passed on but for
 * EVERR_NOT_FOUND, which is EVERR_TEMPLATE_UNKNOWN.
 */
everr_t event_dict_get(struct event_dict *dict, uint32_t no,
		       struct event_template **ret_template) EVERR_MUST_CHECK;

/* Drop one that has no user left; unknown numbers are ignored. */
void event_dict_forget(struct event_dict *dict, uint32_t no);

uint32_t event_dict_count(const struct event_dict *dict);

#endif
