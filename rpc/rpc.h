/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_RPC_H
#define EVENLOG_RPC_RPC_H

/*
 * The EVEN6 service: [MS-EVEN6] over DCE/RPC on Samba's server core, an
 * endpoint mapper, and Evenlog's own control interface on ncalrpc.
 */

#include "base/everr.h"
#include "event/catalog.h"
#include "store/operational.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

/* Opnum counters and the like; rpc_service_stats(). */
#define RPC_EVEN6_NUM_CALLS 29

/* Limits; 0 means the default in brackets. */
struct rpc_limits {
	uint32_t connections;		 /* [4096] and as many local ones */
	uint32_t connections_per_peer;	 /* [1024] an address */
	uint32_t handles_per_connection; /* [256] an association group */
	uint32_t subscriptions;		 /* [4096] in all */
	/* Memory behind the handles of an association group, and in all. */
	uint32_t handle_bytes_per_connection; /* [16 MiB] */
	uint32_t handle_bytes;		      /* [512 MiB] */
	uint32_t calls_in_flight;	      /* [64] a connection */
	uint32_t logon_seconds;		      /* [30] to finish the bind */
	uint32_t unsent_bytes;		      /* [8 MiB] a connection */
};

struct rpc_config {
	/* Addresses to listen on, without port; NULL-terminated. */
	const char *const *listen;
	uint16_t port; /* EVEN6; 0: chosen by the system */
	bool endpoint_mapper;
	uint16_t endpoint_mapper_port; /* 135 */
	/*
	 * Path of the ncalrpc socket; NULL: none.  libdcerpc finds it as
	 * "ncalrpc:[BASE]" with the option "ncalrpc dir = DIR" set in its
	 * loadparm context (lpcfg_set_cmdline()), without authentication:
	 * the service asks the kernel who is there.
	 */
	const char *control_socket;
	const char *smb_conf;	    /* Samba configuration to use */
	const char *const *readers; /* users or groups: Event Log Readers */
	const char *const *administrators; /* users or groups */
	/* Where clients' exports go; made at the start.  NULL: nowhere. */
	const char *export_directory;
	uint64_t export_max_bytes; /* of one file */
	uint64_t export_reserve;   /* of its file system, not to be used */
	struct rpc_limits limits;
};

/* All of it children of the caller's mem_ctx. */
struct rpc_quarantine_part {
	char *json;
	uint8_t *data;
	size_t len;
	uint64_t total;
};

/*
 * The quarantine, as soap/quarantine.h and soap/soap.h have it.  Every
 * function may return EVERR_NOT_SUPPORTED: there is none now.
 */
struct rpc_quarantine_hooks {
	/*
	 * Entries after that name, as a JSON array in less than max bytes;
	 * child of mem_ctx.
	 */
	everr_t (*list)(TALLOC_CTX *mem_ctx, const char *after, size_t max,
			char **ret_json, void *private_data);
	/* The entry as a JSON object, and a part of its input. */
	everr_t (*read)(TALLOC_CTX *mem_ctx, const char *name, uint64_t offset,
			size_t max, struct rpc_quarantine_part *ret_part,
			void *private_data);
	everr_t (*remove)(const char *name, void *private_data);
	/* *ret_message, child of mem_ctx, is set when it fails. */
	struct tevent_req *(*retry_send)(TALLOC_CTX *mem_ctx,
					 struct tevent_context *ev,
					 const char *name, void *private_data);
	everr_t (*retry_recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      char **ret_message);
};

/* Where an output is to go on from: forward/forward.h. */
enum rpc_rewind_kind {
	RPC_REWIND_OLDEST,
	RPC_REWIND_TIME,
	RPC_REWIND_RECORD,
	RPC_REWIND_BOOKMARK
};

struct rpc_forward_rewind {
	const char *output;
	const char *channel; /* NULL: all of them */
	uint32_t kind;	     /* enum rpc_rewind_kind, or what was sent */
	uint64_t value;
	const char *bookmark; /* NULL: none */
};

/* What the control interface asks of the daemon's forwarder. */
struct rpc_forward_hooks {
	struct tevent_req *(*rewind_send)(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const struct rpc_forward_rewind *to,
					  void *private_data);
	/* *ret_message, talloc child of mem_ctx, may say more. */
	everr_t (*rewind_recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       char **ret_message);
};

/* And of its collector. */
struct rpc_collect_hooks {
	/* channel NULL: all that the host has. */
	struct tevent_req *(*forget_send)(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const char *host, const char *channel,
					  void *private_data);
	/* As rewind_recv. */
	everr_t (*forget_recv)(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       char **ret_message);
};

/* What the control interface asks of the daemon. */
struct rpc_control_hooks {
	everr_t (*reload)(void *private_data);
	/*
	 * One JSON object with members, talloc child of mem_ctx: the daemon's
	 * own part; "rpc" and "store" are added to it.
	 */
	char *(*status)(TALLOC_CTX *mem_ctx, void *private_data);
	/* NULL: there is none. */
	const struct rpc_quarantine_hooks *quarantine;
	const struct rpc_forward_hooks *forward; /* NULL: there is none */
	const struct rpc_collect_hooks *collect; /* NULL: there is none */
	void *private_data;
};

struct rpc_service;

/*
 * The program ignores SIGPIPE, and allows itself as many descriptors as it
 * wants connections, of both kinds, and some (RLIMIT_NOFILE), before it starts
 * the service.
 *
 * The event loop to run: Samba insists on its own global one.  For the
 * program's main(), so that it needs no header of Samba's.
 */
struct tevent_context *rpc_event_context(void);

/*
 * One turn of that loop, in place of tevent_loop_once(): what Samba's code
 * leaves on its stack of temporary memory goes with the turn.
 */
int rpc_event_loop_once(struct tevent_context *ev);

/*
 * Start listening.  On EVERR_OK *ret_message may hold a warning (the endpoint
 * mapper's port is Samba's, a configured name does not resolve).  On failure
 * *ret_message (talloc child of mem_ctx) says
 * what, where and what to do.
 *
 * EVERR_CONFIG  the Samba configuration cannot be used
 * EVERR_IO      an address or socket cannot be bound
 * EVERR_AUTH    Samba's authentication did not start
 * EVERR_NOMEM
 */
everr_t rpc_service_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const struct rpc_config *config, struct store *store,
			  struct operational *operational,
			  const struct rpc_control_hooks *hooks,
			  struct rpc_service **ret_service,
			  char **ret_message) EVERR_MUST_CHECK;

/*
 * Take over changed access lists: for whatever is opened from now on, also in
 * sessions that are there already.  A handle keeps what it was opened for, as
 * on Windows.  *ret_message as above; on failure the old
 * ones stay in force.
 */
everr_t rpc_service_reload(struct rpc_service *service,
			   const char *const *readers,
			   const char *const *administrators,
			   char **ret_message) EVERR_MUST_CHECK;

/*
 * The publishers that opnums 9, 10 and 22 to 28 speak of, from now on; at
 * first those of event_catalog_create().  The
 * service keeps a talloc_reference(), and so does each publisher's handle that
 * is opened on it: an owner lets go of an old catalog by talloc_unlink().
 */
everr_t rpc_service_set_catalog(struct rpc_service *service,
				struct event_catalog *catalog) EVERR_MUST_CHECK;

/*
 * What the channels are set to, rpc/settings.h; asked for and changed by
 * opnums 15, 16, 20 and 21.  Before the loop runs; settings outlive the
 * service.
 */
struct rpc_settings;
void rpc_service_set_settings(struct rpc_service *service,
			      struct rpc_settings *settings);

/* The EVEN6 port that was bound (the same on every address). */
uint16_t rpc_service_port(const struct rpc_service *service);

/* The endpoint mapper's port; 0 when there is none. */
uint16_t rpc_service_mapper_port(const struct rpc_service *service);

struct rpc_stats {
	uint32_t connections;
	uint32_t subscriptions;
	uint32_t queries;
	uint32_t handles;
	uint32_t parked_calls;
	uint64_t calls[RPC_EVEN6_NUM_CALLS];
	uint64_t events_delivered;
	uint64_t bytes_delivered;
	uint64_t gaps; /* met by a reader, stale bookmarks included */
	uint64_t records_missing; /* in these gaps, as far as known */
	uint64_t records_damaged; /* passed over because unreadable */
	uint64_t logons;
	uint64_t logons_kerberos; /* of these; the others were NTLM */
	uint64_t logon_failures;
	uint64_t refused; /* connections or calls over a limit */
};
void rpc_service_stats(const struct rpc_service *service,
		       struct rpc_stats *ret_stats);

#endif
