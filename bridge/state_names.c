/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/state_names.h"

#include <stddef.h>

#define NUM(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	uint32_t type;
	const char *name;
} topics[] = {
	{300, "update assignment compliance"},
	{301, "update assignment enforcement"},
	{302, "update assignment evaluation"},
	{400, "configuration item detection"},
	{401, "configuration item compliance"},
	{402, "configuration item enforcement"},
	{403, "configuration management scan"},
	{500, "update detection"},
	{501, "update source scan"},
	{700, "resync"},
	{701, "heartbeat"},
	{800, "client deployment"},
	{801, "device client deployment"},
	{900, "branch distribution point"},
	{1000, "client framework communication"},
	{1001, "client framework local"},
	{1002, "device framework"},
	{1003, "device framework"},
	{1004, "device framework"},
	{1100, "mode readiness"},
	{1200, "out of band management (AMT)"},
	{1201, "out of band management (AMT)"},
	{1300, "client health"},
	{1500, "client access license"},
	{1501, "client access license"},
	{1502, "client access license"},
	{1503, "client access license"},
	{1600, "user affinity"},
	{1700, "application"},
	{1701, "application"},
	{1702, "application enforcement"},
	{1703, "application"},
	{1900, "endpoint protection"},
	{1901, "endpoint protection"},
	{1902, "endpoint protection"},
	{2001, "endpoint protection"},
	{2002, "endpoint protection"},
	{2003, "endpoint protection"},
};

/* first to last have the name. */
static const struct {
	uint32_t type;
	uint32_t first, last;
	const char *name;
} states[] = {
	{300, 1, 1, "compliant"},
	{300, 2, 2, "noncompliant"},
	{301, 1, 1, "installing"},
	{301, 2, 2, "waiting for restart"},
	{301, 3, 3, "waiting for another installation"},
	{301, 4, 4, "installed"},
	{301, 5, 5, "restart pending"},
	{301, 6, 6, "failed"},
	{301, 7, 9, "downloading in advance"},
	{301, 10, 10, "waiting for maintenance window"},
	{302, 1, 1, "activated"},
	{302, 2, 2, "succeeded"},
	{302, 3, 3, "failed"},
	{400, 1, 1, "not required"},
	{400, 2, 2, "missing"},
	{400, 3, 3, "installed"},
	{401, 1, 1, "compliant"},
	{401, 2, 2, "noncompliant"},
	{401, 3, 3, "conflict"},
	{401, 4, 4, "error"},
	{402, 1, 1, "started"},
	{402, 2, 2, "waiting for content"},
	{402, 3, 3, "waiting for another installation"},
	{402, 4, 4, "waiting for maintenance window"},
	{402, 5, 5, "waiting for restart"},
	{402, 6, 6, "failed in the client"},
	{402, 7, 7, "installation pending"},
	{402, 8, 8, "applying"},
	{402, 9, 9, "restart pending"},
	{402, 10, 10, "succeeded"},
	{402, 11, 11, "update failed"},
	{402, 12, 14, "downloading in advance"},
	{500, 1, 1, "not required"},
	{500, 2, 2, "missing"},
	{500, 3, 3, "installed"},
	{501, 1, 1, "waiting for content"},
	{501, 2, 2, "running"},
	{501, 3, 3, "complete"},
	{501, 4, 4, "retry pending"},
	{501, 5, 5, "error"},
	{501, 6, 6, "succeeded with errors"},
	{800, 100, 100, "deployment started"},
	{800, 301, 320, "setup failed"},
	{800, 400, 402, "deployment succeeded"},
	{800, 500, 500, "site assignment started"},
	{800, 601, 609, "site assignment failed"},
	{800, 700, 700, "assigned to a site"},
	{1000, 1, 1, "ok"},
	{1000, 2, 2, "error"},
	{1001, 1, 1, "ok"},
	{1001, 2, 2, "error"},
	{1702, 1000, 1000, "succeeded"},
	{1702, 2000, 2005, "in progress"},
	{1702, 3000, 3000, "requirement not met"},
	{1702, 4000, 4000, "unknown"},
	{1702, 5000, 5004, "error"},
};

const char *configmgr_topic_name(uint32_t topic_type)
{
	size_t i;

	for (i = 0; i < NUM(topics); i++) {
		if (topics[i].type == topic_type) {
			return topics[i].name;
		}
	}
	return NULL;
}

const char *configmgr_state_name(uint32_t topic_type, uint32_t state)
{
	size_t i;

	for (i = 0; i < NUM(states); i++) {
		if (states[i].type == topic_type && state >= states[i].first &&
		    state <= states[i].last) {
			return states[i].name;
		}
	}
	return NULL;
}

const char *configmgr_topic_id_type_name(uint32_t type)
{
	static const char *const names[] = {
		"unused",     "resync",		  "SDM type",
		"assignment", "update unique id", "update source",
		"SDM model",  "framework",	  "client access license",
	};

	return type < NUM(names) ? names[type] : NULL;
}
