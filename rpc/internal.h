/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_INTERNAL_H
#define EVENLOG_RPC_INTERNAL_H

/*
 * What the files of rpc/ share: the service, its connections, typed context
 * handles, parked calls and access checks.
 *
 * A method is one function of the generated dispatch:
 *
 *	WERROR dcesrv_even6_EvtRpcClose(struct dcesrv_call_state *call,
 *					TALLOC_CTX *mem_ctx,
 *					struct even6_EvtRpcClose *r);
 *
 * mem_ctx is the call; everything in r->out hangs on it.  A method reports
 * an error as rpc_werror(err).  Where a function below says it "faults", it
 * has set call->fault_code: the method returns at once, its result and r->out
 * are ignored and the client gets that RPC fault.
 */

#include "rpc/rpc.h"

#include <core/ntstatus.h>
#include <core/werror.h>
#include <dcesrv_core.h>
#include <sys/queue.h>

/* RPC faults, [MS-RPCE] and facts 1.4. */
#define RPC_FAULT_ACCESS_DENIED 0x00000005
#define RPC_FAULT_BAD_STUB 0x000006F7
#define RPC_FAULT_OP_RANGE 0x1C010002
#define RPC_FAULT_TOO_BUSY 0x1C010014
#define RPC_FAULT_CANCEL 0x1C00000D
#define RPC_FAULT_CONTEXT_MISMATCH 0x1C00001A

struct rpc_access;
struct rpc_connection;
struct rpc_group;
struct rpc_host;
struct rpc_parked;
struct turns;

/* ------------------------------------------------------------- service */

struct rpc_service {
	struct tevent_context *ev;
	struct store *store;
	struct operational *operational; /* may be NULL */
	struct event_catalog *catalog;	 /* a reference; never NULL */
	struct rpc_settings *settings;	 /* of the channels; the daemon's */
	struct rpc_config config;	 /* own copy, limits filled in */
	struct rpc_control_hooks hooks;
	struct rpc_stats stats;
	struct rpc_access *access;
	struct turns *turns;   /* base/turns.h; made in rpc_service_start() */
	struct rpc_host *host; /* Samba's contexts, rpc/host.c */
	LIST_HEAD(, rpc_connection) connections;
	LIST_HEAD(, rpc_group) groups;
	size_t handle_bytes;  /* kept behind all handles */
	uint32_t num_exports; /* that are being written */
	uint32_t num_ended;   /* connections gone since the last sweep */
	uint16_t port;	      /* EVEN6 */
	uint16_t mapper_port; /* 0: no mapper */
};

/* The service that answers this call; never NULL. */
struct rpc_service *rpc_call_service(struct dcesrv_call_state *call);

/* The peer's address without port, or "local"; lives as long as the call. */
const char *rpc_call_peer(struct dcesrv_call_state *call);

/* "DOMAIN\user" of the session; lives as long as the call. */
const char *rpc_call_user(struct dcesrv_call_state *call);

static inline WERROR rpc_werror(everr_t err)
{
	return W_ERROR(everr_win32(err));
}

/* ------------------------------------------------------------- handles */

/*
 * Context handles live in the association group, not in the connection: a
 * client without PFC_CONC_MPX waits on a second connection of the group with
 * the handle of the first (facts 1.3).  They die with the group's last
 * connection.  On the wire the attributes word is 0; the kind is kept here.
 */
enum rpc_handle_kind {
	RPC_HANDLE_ANY = 0, /* lookup only */
	RPC_HANDLE_SUBSCRIPTION,
	RPC_HANDLE_CONTROL,
	RPC_HANDLE_QUERY,
	RPC_HANDLE_LOG,
	RPC_HANDLE_PUBLISHER,
	RPC_HANDLE_EVENT_ENUM
};

/*
 * A handle for object, which becomes the handle's talloc child: the object's
 * destructor runs when the handle is closed and when the group goes away, and
 * has to let go of its parked calls (rpc_unpark_reply(); at a rundown their
 * lost functions have been called before).
 *
 * EVERR_LIMIT  too many handles in the group or subscriptions in all, or too
 *              much memory behind them
 * EVERR_NOMEM
 */
everr_t rpc_handle_create(struct dcesrv_call_state *call,
			  enum rpc_handle_kind kind, void *object,
			  struct policy_handle *ret_wire) EVERR_MUST_CHECK;

/*
 * The object of a handle that this client holds.
 *
 * EVERR_NOT_FOUND  faults with RPC_FAULT_CONTEXT_MISMATCH: zero, closed, of
 *                  another group or of another user
 * EVERR_INVALID    a handle of another kind; the method returns 0x57
 */
everr_t rpc_handle_lookup(struct dcesrv_call_state *call,
			  const struct policy_handle *wire,
			  enum rpc_handle_kind kind,
			  void **ret_object) EVERR_MUST_CHECK;

/* The kind of a handle that was found; for Close and Cancel. */
enum rpc_handle_kind rpc_handle_kind(struct dcesrv_call_state *call,
				     const struct policy_handle *wire);

/*
 * Free the handle with its object and zero *wire.  EVERR_NOT_FOUND as above.
 */
everr_t rpc_handle_close(struct dcesrv_call_state *call,
			 struct policy_handle *wire) EVERR_MUST_CHECK;

/* -------------------------------------------------------- parked calls */

/*
 * Park the call that is being dispatched: its reply comes later.  The method
 * still returns (any WERROR); r stays valid until the call has ended.
 *
 * lost is called when the connection went away (or the interface was
 * unbound), or the client gave the call up: forget the call, do not answer
 * it; *parked is freed right after.
 * lost and private_data must stay valid until the call has been answered.
 *
 * EVERR_LIMIT  too many calls in flight; faults with RPC_FAULT_TOO_BUSY
 * EVERR_NOMEM
 */
typedef void (*rpc_lost_fn)(void *private_data);
everr_t rpc_park(struct dcesrv_call_state *call, rpc_lost_fn lost,
		 void *private_data,
		 struct rpc_parked **ret_parked) EVERR_MUST_CHECK;

/*
 * Answer a parked call with what stands in its r->out (result included), which
 * hangs on rpc_parked_call().  parked is gone afterwards.  May be called at any
 * time, also within the dispatch of another call; within the dispatch of the
 * same one it only takes the parking back, and the method's own return value
 * is the result.
 */
void rpc_unpark_reply(struct rpc_parked *parked);

/* The same with an RPC fault instead of r->out. */
void rpc_unpark_fault(struct rpc_parked *parked, uint32_t fault_code);

struct dcesrv_call_state *rpc_parked_call(struct rpc_parked *parked);

/* -------------------------------------------------------------- access */

/* Rights of a channel, facts 12.2. */
#define RPC_ACCESS_READ 0x1
#define RPC_ACCESS_WRITE 0x2
#define RPC_ACCESS_CLEAR 0x4
/* Standard rights, [MS-DTYP] 2.4.3: the upper half of 0xf0007 and the like. */
#define RPC_ACCESS_DELETE 0x10000
#define RPC_ACCESS_WRITE_DAC 0x40000

/*
 * Whether the caller may do this with the channel, by the channel's SDDL (or
 * the default for its name) and the session's SIDs with those of the groups
 * the configuration maps.  A refusal is reported as an event of ours.
 *
 * EVERR_ACCESS  no, or the channel's SDDL cannot be read
 * EVERR_NOMEM
 */
everr_t rpc_access_check(struct dcesrv_call_state *call,
			 struct store_channel *channel,
			 uint32_t access) EVERR_MUST_CHECK;

/*
 * The same without a report: what a list shows and what is left out of a
 * query that tolerates errors is no incident.
 */
everr_t rpc_access_probe(struct dcesrv_call_state *call,
			 struct store_channel *channel,
			 uint32_t access) EVERR_MUST_CHECK;

/* Whether the session has Administrators or SYSTEM; for Reload and the like. */
bool rpc_call_is_administrator(struct dcesrv_call_state *call);

/* The access string of the channel: its own, or the default for its name. */
const char *rpc_access_sddl(const struct store_channel_info *info);

#endif
