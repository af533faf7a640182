/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_STATE_NAMES_H
#define EVENLOG_BRIDGE_STATE_NAMES_H

/*
 * What state messages' numbers stand for (facts, section 5.3: the constants
 * of Microsoft's SDK).
 */

#include <stdint.h>

/* "update detection"; NULL: not known. */
const char *configmgr_topic_name(uint32_t topic_type);

/* "missing", of a topic of that type; NULL: not known. */
const char *configmgr_state_name(uint32_t topic_type, uint32_t state);

/* What a topic's ID is: "update unique id"; NULL: not known. */
const char *configmgr_topic_id_type_name(uint32_t type);

#endif
