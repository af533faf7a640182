/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_RPC_SERVER_FIXTURE_H
#define EVENLOG_TESTS_RPC_SERVER_FIXTURE_H

/*
 * The service in a process of its own (Samba's libraries keep globals, so
 * server and client cannot share one), and libdcerpc as its client.
 *
 * Samba wants a local user to be a Unix user.  Those of the tests are two that
 * Debian's base-passwd puts on every system and that own nothing.
 */

#include "rpc/rpc.h"

#include <core/ntstatus.h>
#include <core/werror.h>
#include <dcerpc.h>
#include <sys/types.h>

#define SERVER_READER "games"
#define SERVER_STRANGER "news"
/* The other channel of [MS-EVEN6] 4.6. */
#define SERVER_BACKUP "Microsoft-Windows-Backup/Operational"
#define SERVER_PASSWORD "Streng-geh31m"
/* A Unix user for the control socket: nobody. */
#define SERVER_NOBODY 65534

struct server {
	char dir[64];
	char smb_conf[96];
	char control[96];
	uint16_t port;
	uint16_t mapper_port;
	pid_t pid;
};

struct server_options {
	struct rpc_limits limits;
	/* More channels; their names are long. */
	size_t num_channels;
	size_t max_fds; /* descriptors the process may have; 0: as it comes */
};

/*
 * Start with Application, Security, SERVER_BACKUP and what options ask for.
 * Fails the test that calls it.
 */
void server_start_with(struct server *server,
		       const struct server_options *options);

/* The same with these limits (NULL: the defaults) and more channels. */
void server_start(struct server *server, const struct rpc_limits *limits,
		  size_t num_channels);

/* End it with SIGTERM, check that it went well, remove its directory. */
void server_stop(struct server *server);

/* For teardown: as above without a check; nothing if it was stopped. */
void server_kill(struct server *server);

/* Open descriptors of the server's process. */
size_t server_num_fds(const struct server *server);
/* Its resident memory in KiB. */
size_t server_rss(const struct server *server);

/* -------------------------------------------------------------- client */

struct ndr_interface_table;

/* What libdcerpc needs once; the contexts are talloc children of mem_ctx. */
struct client {
	TALLOC_CTX *mem_ctx;
	struct tevent_context *ev;
	struct loadparm_context *lp_ctx;
};
void client_init(struct client *client, TALLOC_CTX *mem_ctx,
		 const struct server *server);

/*
 * Connect to EVEN6 over TCP with libdcerpc's binding options
 * ("ntlm,seal"); user NULL: anonymous.
 */
NTSTATUS client_connect(struct client *client, const struct server *server,
			const char *options, const char *user,
			const char *password, struct dcerpc_pipe **ret_pipe);

/* The same, sealed NTLM, into the association group of another connection. */
NTSTATUS client_join(struct client *client, const struct server *server,
		     struct dcerpc_pipe *first, const char *user,
		     struct dcerpc_pipe **ret_pipe);

/* Connect to an interface on the control socket. */
NTSTATUS client_connect_local(struct client *client,
			      const struct server *server,
			      const struct ndr_interface_table *table,
			      struct dcerpc_pipe **ret_pipe);

/*
 * Close a handle nobody gave out: CONTEXT_MISMATCH (fault 0x1C00001A) proves
 * that the call got through to the method.
 */
NTSTATUS client_close_unknown(struct dcerpc_pipe *pipe);

/* The number behind "rpc": {key: in the answer of Status, or -1. */
long client_status(struct client *client, const struct server *server,
		   const char *key);
/* How often this call of EVEN6 was made. */
long client_status_calls(struct client *client, const struct server *server,
			 unsigned int opnum);

#endif
