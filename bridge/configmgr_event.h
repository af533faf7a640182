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

/* MessageId to SignatureState; message NULL: all absent. */
void configmgr_put_message(struct bridge_event *event,
			   const struct bridge_message *message);

/* The first that is a text and not empty; NULL: none is. */
const char *configmgr_first(const char *a, const char *b, const char *c);

#endif
