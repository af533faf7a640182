/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SETTINGS_H
#define EVENLOG_RPC_SETTINGS_H

/*
 * What each channel is set to, and who says so.  A property's value comes from
 * the first of these that has one:
 *
 *	1. evenlog.conf: it cannot be changed from outside
 *	2. what a client has set (opnums 21 and 15); kept in the store
 *	3. the channel's manifest, or the service itself for those of its own
 *	4. the protocol's default
 *
 * Size, retention, access and "enabled" are handed on to the store, which obeys
 * them.
 * The daemon says who the channels are (rpc_settings_apply()), the methods ask
 * and change.
 */

#include "base/everr.h"
#include "rpc/properties.h"
#include "store/operational.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Changes that wait for opnum 15: so many channels, and bytes in all. */
#define RPC_PENDING_MAX 256
#define RPC_PENDING_BYTES_MAX (4 * 1024 * 1024)

struct rpc_settings;

/* Where a channel comes from. */
enum rpc_channel_origin {
	RPC_CHANNEL_OF_CLIENT,	 /* made by opnum 21, or left by a source */
	RPC_CHANNEL_OF_MANIFEST, /* comes back with it at the next start */
	RPC_CHANNEL_OF_CONFIG,	 /* a section of evenlog.conf */
	RPC_CHANNEL_BUILT_IN
};

/* A channel as the daemon knows it; what is pointed to is copied. */
struct rpc_channel_source {
	const char *name;
	enum rpc_channel_origin origin;
	uint64_t max_age; /* seconds, 0: none; no property has it */
	const struct rpc_properties *fixed; /* by evenlog.conf; or NULL */
	const struct rpc_properties *given; /* level 3 above; or NULL */
};

everr_t rpc_settings_create(TALLOC_CTX *mem_ctx, struct store *store,
			    struct rpc_settings **ret_settings)
	EVERR_MUST_CHECK;

/*
 * Define these channels in the store, and give those that clients have made
 * what they were set to; at start and at each reload.  A channel that had a
 * source and has none any more stays in the store as it is.
 *
 * Errors are those of store_channel_define() and store_state_get(); *ret_name
 * is the channel then, where there is one.
 */
everr_t rpc_settings_apply(struct rpc_settings *settings,
			   const struct rpc_channel_source *sources,
			   size_t num_sources,
			   const char **ret_name) EVERR_MUST_CHECK;

/* Tell of channels whose settings were damaged, those found later included. */
void rpc_settings_report(struct rpc_settings *settings,
			 struct operational *operational);

/*
 * ----------------------------------------------------------- questions
 *
 * Of a channel that was removed nothing is known: EVERR_CHANNEL_NOT_FOUND.
 */

enum rpc_channel_origin rpc_settings_origin(struct rpc_settings *settings,
					    struct store_channel *channel);

/* Everything that has a value, in force now.  EVERR_NOMEM */
everr_t rpc_settings_get(TALLOC_CTX *mem_ctx, struct rpc_settings *settings,
			 struct store_channel *channel,
			 struct rpc_properties **ret_properties)
	EVERR_MUST_CHECK;

/* Analytic or Debug: nobody can subscribe to it (facts 4.1). */
bool rpc_settings_direct(struct rpc_settings *settings,
			 struct store_channel *channel);

/* ------------------------------------------------------------- changes */

/* Whether changes of this channel wait for opnum 15. */
bool rpc_settings_pending(struct rpc_settings *settings, const char *name);

/* Whether among them is one of who has access to it. */
bool rpc_settings_pending_access(struct rpc_settings *settings,
				 const char *name);

/*
 * Add changes to the channel's pending copy, which begins as what clients have
 * set so far, or empty with reset.  A channel that is not there is created
 * when they are asserted.  On failure the copy is as before.
 *
 * EVERR_CHANNEL_NAME    no channel can have this name
 * EVERR_NOT_CHANGEABLE  evenlog.conf fixes a property at another value, or the
 *                       service one of its own channels'; *ret_property is it
 * EVERR_LIMIT           RPC_PENDING_MAX, RPC_PENDING_BYTES_MAX
 * EVERR_NOMEM
 */
everr_t rpc_settings_change(struct rpc_settings *settings, const char *name,
			    bool reset,
			    const struct rpc_property_changes *changes,
			    uint32_t *ret_property) EVERR_MUST_CHECK;

/*
 * Put the pending copy on disk, then in force, then drop it.  No such copy is
 * no error.  *ret_text, a talloc child of mem_ctx, names the properties that
 * clients have set now, with their values; NULL when there was nothing to do.
 *
 * EVERR_CHANNEL_NOT_FOUND  no copy, and no channel either
 * EVERR_LIMIT              STORE_CHANNELS_MAX
 * EVERR_STORE_*, EVERR_NOMEM
 */
struct tevent_req *rpc_settings_assert_send(TALLOC_CTX *mem_ctx,
					    struct tevent_context *ev,
					    struct rpc_settings *settings,
					    const char *name);
everr_t rpc_settings_assert_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				 bool *ret_created,
				 char **ret_text) EVERR_MUST_CHECK;

/*
 * Remove the channel with its events and settings, and the pending copy;
 * *ret_removed says whether there was more than that copy, which nobody else
 * has removed meanwhile.
 *
 * EVERR_CHANNEL_NOT_FOUND  there is none, and there was no copy
 * EVERR_NOT_CHANGEABLE     it is the service's own or of evenlog.conf
 * EVERR_STORE_*, EVERR_NOMEM
 */
struct tevent_req *rpc_settings_remove_send(TALLOC_CTX *mem_ctx,
					    struct tevent_context *ev,
					    struct rpc_settings *settings,
					    const char *name);
everr_t rpc_settings_remove_recv(struct tevent_req *req,
				 bool *ret_removed) EVERR_MUST_CHECK;

#endif
