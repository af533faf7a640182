/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CONFIGURE_H
#define EVENLOG_COLLECT_CONFIGURE_H

/*
 * The client's side of channels' properties: opnums 20, 21, 15 and 16,
 * [MS-EVEN6] 3.1.4.21, 3.1.4.22, 3.1.4.33 and 3.1.4.34; facts 12.1.
 *
 * Failures are handed out as collect/client.h says.
 */

#include "base/everr.h"
#include "collect/connect.h"
#include "collect/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* The position in the service's list. */
enum collect_property {
	COLLECT_ENABLED,	  /* boolean */
	COLLECT_ISOLATION,	  /* 0 Application, 1 System, 2 Custom */
	COLLECT_TYPE,		  /* 0 Admin, Operational, Analytic, 3 Debug */
	COLLECT_OWNING_PUBLISHER, /* text */
	COLLECT_CLASSIC,	  /* boolean */
	COLLECT_ACCESS,		  /* text */
	COLLECT_RETENTION,	  /* boolean */
	COLLECT_AUTO_BACKUP,	  /* boolean */
	COLLECT_MAX_SIZE,	  /* 64 bits */
	COLLECT_LOG_FILE_PATH,	  /* text */
	COLLECT_LEVEL,
	COLLECT_KEYWORDS, /* 64 bits */
	COLLECT_CONTROL_GUID,
	COLLECT_BUFFER_SIZE, /* 64 bits, or 32 as the SDK has it */
	COLLECT_MIN_BUFFERS,
	COLLECT_MAX_BUFFERS,
	COLLECT_LATENCY,
	COLLECT_CLOCK_TYPE,
	COLLECT_SID_TYPE,
	COLLECT_PUBLISHER_LIST, /* texts */
	COLLECT_FILE_MAX,	/* not known to Vista */
	COLLECT_PROPERTIES
};

/* "MaxSize"; also for a property that nobody knows. */
const char *collect_property_name(uint32_t property);

/* A value; what it is of is the property's matter. */
struct collect_value {
	bool present;
	uint64_t number;
	const char *text;
	const char **list; /* ended by NULL */
	size_t num_list;
};

struct collect_channel_config {
	struct collect_value values[COLLECT_PROPERTIES];
};

/*
 * What is in force.  A value of another type than its property's is as if it
 * were not there: such services are not known.
 */
struct tevent_req *collect_config_get_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel);
everr_t collect_config_get_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct collect_channel_config **ret_config,
				struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* [MS-EVEN6] 3.1.4.22, flags. */
enum collect_config_mode {
	COLLECT_CONFIG_OPEN_OR_CREATE = 0,
	COLLECT_CONFIG_OPEN = 1,
	COLLECT_CONFIG_CREATE_ANEW = 2,
	COLLECT_CONFIG_CREATE = 3
};

/*
 * Change the properties of config that are present; they wait for
 * collect_config_assert_send() then.  config is copied.
 */
struct tevent_req *collect_config_put_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel,
	enum collect_config_mode mode,
	const struct collect_channel_config *config);
everr_t collect_config_put_recv(struct tevent_req *req,
				struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* Put the changes in force. */
struct tevent_req *collect_config_assert_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel);
everr_t collect_config_assert_recv(struct tevent_req *req,
				   struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/* Remove the channel, its events included. */
struct tevent_req *collect_config_retract_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_connection *connection, const char *channel);
everr_t collect_config_retract_recv(struct tevent_req *req,
				    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

#endif
