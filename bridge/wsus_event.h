/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_WSUS_EVENT_H
#define EVENLOG_BRIDGE_WSUS_EVENT_H

/*
 * What the events of Evenlog-WSUS have in common.  Tasks and keywords are
 * those of bridge/evenlog-wsus.man.
 */

#include "bridge/fields.h"
#include "bridge/wsus.h"

enum wsus_task {
	WSUS_TASK_SERVER = 1,
	WSUS_TASK_SYNCHRONIZATION = 2,
	WSUS_TASK_COMPUTER = 3,
	WSUS_TASK_UPDATE_STATUS = 4,
	WSUS_TASK_SECURITY = 5
};

enum wsus_keyword {
	WSUS_KEYWORD_SERVER = 0x1,
	WSUS_KEYWORD_ROLLUP = 0x2,
	WSUS_KEYWORD_SYNCHRONIZATION = 0x4,
	WSUS_KEYWORD_COMPUTER = 0x8,
	WSUS_KEYWORD_UPDATE_STATUS = 0x10,
	WSUS_KEYWORD_SECURITY = 0x20
};

extern const struct bridge_provider bridge_wsus_provider;

/* A GUID as text, for where a name is wanted and there is none. */
struct wsus_guid_text {
	char text[EV_GUID_TEXT_SIZE];
};

/* A server's name, else its id. */
const char *wsus_server_name(const struct bridge_wsus_server *server,
			     struct wsus_guid_text *guid);

/* "10.0.19045", "5.2.3790 SP 2": five numbers of an i32 each. */
#define WSUS_OS_TEXT_SIZE 64
struct wsus_os_text {
	char text[WSUS_OS_TEXT_SIZE];
};

/* OSVersion to SystemMetrics; text stays in use up to bridge_event_end(). */
void wsus_put_os(struct bridge_event *event, const struct bridge_wsus_os *os,
		 struct wsus_os_text *text);

#endif
