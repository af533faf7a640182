/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_CONFIGMGR_EVENT_H
#define EVENLOG_BRIDGE_CONFIGMGR_EVENT_H

/*
 * What the events of Evenlog-ConfigMgr have in common.  Tasks and keywords
 * are those of bridge/evenlog-configmgr.man.
 */

#include "bridge/configmgr.h"
#include "bridge/fields.h"

enum configmgr_task {
	CONFIGMGR_TASK_DISCOVERY = 1,
	CONFIGMGR_TASK_INVENTORY = 2,
	CONFIGMGR_TASK_STATUS = 3,
	CONFIGMGR_TASK_STATE = 4,
	CONFIGMGR_TASK_REGISTRATION = 5,
	CONFIGMGR_TASK_SECURITY = 6
};

enum configmgr_keyword {
	CONFIGMGR_KEYWORD_DISCOVERY = 0x1,
	CONFIGMGR_KEYWORD_INVENTORY = 0x2,
	CONFIGMGR_KEYWORD_STATUS = 0x4,
	CONFIGMGR_KEYWORD_STATE = 0x8,
	CONFIGMGR_KEYWORD_REGISTRATION = 0x10,
	CONFIGMGR_KEYWORD_FILE = 0x20,
	CONFIGMGR_KEYWORD_REJECTED = 0x40
};

extern const struct bridge_provider bridge_configmgr_provider;

/* MessageId to SignatureState; message NULL: all empty. */
void configmgr_put_message(struct bridge_event *event,
			   const struct bridge_message *message);

/* Whether the signature speaks against the sender. */
bool configmgr_is_suspect(const struct bridge_message *message);

/* Whether the client that a text is of is another than the message's. */
bool configmgr_is_mismatch(const struct bridge_message *message,
			   const char *client_id);

/* "GUID:" and a GUID. */
bool configmgr_client_id_valid(const char *text);

/* The events of a message to the endpoint of that name; bridge/configmgr.h. */
typedef everr_t (*configmgr_message_fn)(struct bridge_events *out,
					TALLOC_CTX *mem_ctx,
					const struct bridge_origin *origin,
					const struct bridge_message *message,
					const char **ret_reason);
everr_t configmgr_discovery(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			    const struct bridge_origin *origin,
			    const struct bridge_message *message,
			    const char **ret_reason) EVERR_MUST_CHECK;
everr_t configmgr_hardware_inventory(struct bridge_events *out,
				     TALLOC_CTX *mem_ctx,
				     const struct bridge_origin *origin,
				     const struct bridge_message *message,
				     const char **ret_reason) EVERR_MUST_CHECK;
everr_t configmgr_software_inventory(struct bridge_events *out,
				     TALLOC_CTX *mem_ctx,
				     const struct bridge_origin *origin,
				     const struct bridge_message *message,
				     const char **ret_reason) EVERR_MUST_CHECK;
everr_t configmgr_status(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			 const struct bridge_origin *origin,
			 const struct bridge_message *message,
			 const char **ret_reason) EVERR_MUST_CHECK;
everr_t configmgr_state(struct bridge_events *out, TALLOC_CTX *mem_ctx,
			const struct bridge_origin *origin,
			const struct bridge_message *message,
			const char **ret_reason) EVERR_MUST_CHECK;

/* The first that is a text and not empty; NULL: none is. */
const char *configmgr_first(const char *a, const char *b, const char *c);

#endif
