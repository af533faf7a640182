/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_REPORT_H
#define EVENLOG_BRIDGE_REPORT_H

/*
 * The XML that clients send: <Report> with a header and either instances
 * (discovery, inventory) or state messages, and <Status>.  Read by one pass,
 * without DTD, entities or network; all texts stand in one buffer.
 */

#include "base/buf.h"
#include "bridge/configmgr.h"

/* Properties of a report; bytes of a text of its header; bytes of all parts
   that are looked at. */
#define REPORT_PROPERTIES_MAX 1048576
#define REPORT_FIELD_MAX 65536
#define REPORT_PARTS_BYTES_MAX (2 * BRIDGE_REPORT_MAX)

/* A text in the report's buffer; 0: there is none. */
typedef uint32_t report_text_t;

/* What <ReportHeader> says, and Type of a status message. */
enum report_field {
	REPORT_CLIENT_INSTALLED,
	REPORT_CLIENT_TYPE,
	REPORT_CLIENT_ID,
	REPORT_CLIENT_VERSION,
	REPORT_NETBIOS_NAME,
	REPORT_CODE_PAGE,
	REPORT_LCID,
	REPORT_PRIORITY,
	REPORT_CONTENT,
	REPORT_TYPE,
	REPORT_DATE,
	REPORT_VERSION,
	REPORT_FORMAT,
	REPORT_ACTION_ID,
	REPORT_ACTION_TYPE,
	REPORT_ACTION_DESCRIPTION,
	REPORT_ACTION_LAST_UPDATE,
	REPORT_STATUS_TYPE,
	REPORT_NUM_FIELDS
};

struct report_instance {
	report_text_t class;
	report_text_t content;
	report_text_t namespace;
	report_text_t parent_class; /* 0 where it is the class, too */
	char number[8];		    /* from 1 */
};

/* Of an instance; in a status message the only two are its kinds. */
struct report_property {
	uint32_t instance;
	report_text_t name; /* 0: stands for an instance without any */
	report_text_t value;
	uint32_t len;
};

struct report_state {
	report_text_t message_time;
	report_text_t serial_number;
	report_text_t state_id;
	report_text_t criticality;
	report_text_t details;
	report_text_t topic_type;
	report_text_t topic_id;
	report_text_t topic_id_type;
	report_text_t user;
	report_text_t user_sid;
	report_text_t parameters; /* joined by ", " */
};

struct report {
	struct buf text;
	report_text_t fields[REPORT_NUM_FIELDS];
	struct report_instance *instances;
	size_t num_instances;
	struct report_property *properties;
	size_t num_properties;
	struct report_state *states;
	size_t num_states;
};

/* NULL: there is none. */
const char *report_text(const struct report *report, report_text_t text);
const char *report_field(const struct report *report, enum report_field field);

/*
 * Of the parts that are a document with that root the one with the most
 * instances and states; what its header does not say is taken from others.
 *
 * EVERR_TEXT, EVERR_LIMIT  *ret_reason (child of mem_ctx) says what is wrong
 * EVERR_NOMEM
 */
everr_t report_read(TALLOC_CTX *mem_ctx, const char *root,
		    const struct bridge_message *message,
		    struct report **ret_report,
		    const char **ret_reason) EVERR_MUST_CHECK;

/*
 * One document, in UTF-8.
 * EVERR_NOT_SUPPORTED  it has another root: *ret_reason says which
 * others as above
 */
everr_t report_parse(TALLOC_CTX *mem_ctx, const char *root, const char *xml,
		     size_t len, struct report **ret_report,
		     const char **ret_reason) EVERR_MUST_CHECK;

#endif
