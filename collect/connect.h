/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CONNECT_H
#define EVENLOG_COLLECT_CONNECT_H

/*
 * A DCE/RPC connection to an event log service: the local one over its
 * socket, or a remote one over TCP, authenticated and sealed.
 *
 * Nothing of the system's Samba is read or written: no smb.conf, no secrets,
 * no lock directory.  The connection multiplexes (calls proceed while others
 * are parked) and has no request timeout; who calls sets its own.
 *
 * NTLM proves the user to the host but not the host to the user; Kerberos
 * does both.
 */

#include "base/everr.h"
#include "collect/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct dcerpc_binding_handle;
struct loadparm_context;
struct ndr_interface_table;

/* The endpoint mapper's interface, for raw calls; it has none of its own. */
extern const struct ndr_interface_table collect_mapper_table;

/* Seconds for each address that is tried, and for the mapper's answer. */
#define COLLECT_CONNECT_TIMEOUT 15

struct collect_target {
	/* Path of the local service's socket; NULL: a remote host. */
	const char *socket;

	const char *host;     /* name or address */
	uint16_t port;	      /* 0: ask the endpoint mapper */
	uint16_t mapper_port; /* 0: 135 */
	unsigned int timeout; /* seconds; 0: COLLECT_CONNECT_TIMEOUT */

	/* NTLM inside SPNEGO, unless kerberos is set. */
	const char *user;
	const char *domain; /* NULL: the host's own accounts */
	const char *password;
	/* Kerberos from a credential cache, never with a fallback. */
	bool kerberos;
	const char *ccache; /* NULL: the default cache */
	/*
	 * The host's principal, of which ccache holds a valid ticket: Samba
	 * then asks neither DNS nor a KDC, and runs no nested loop.
	 */
	const char *principal;
	/*
	 * FILETIME of that ticket's end, before which no step of the connect
	 * may still be waiting; 0: not known.
	 */
	uint64_t ticket_end;

	/*
	 * What collect_parameters() made, which outlives the connection; NULL:
	 * its own, which are large.
	 */
	struct loadparm_context *parameters;
};

/*
 * Why a file's first line is no password, whatever the host thinks of it: what
 * Windows' tools write is often not UTF-8, and wrong attempts lock accounts.
 * Static; NULL: nothing.
 */
const char *collect_password_fault(const char *line);

/* Samba's parameters for any number of remote hosts; NULL: no memory. */
struct loadparm_context *collect_parameters(TALLOC_CTX *mem_ctx);

/* Closed by freeing it; calls in flight end with EVERR_CONNECT. */
struct collect_connection {
	struct dcerpc_binding_handle *handle;
	const char *where; /* "dc1.example.org" or "this host" */
	bool local;
};

/*
 * Connect and bind to the interface of table.  target is copied.  ev must
 * allow nested loops when kerberos is set without a principal: Samba's Kerberos
 * library runs one while it asks for a ticket.
 */
struct tevent_req *collect_connect_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct collect_target *target,
	const struct ndr_interface_table *table);

/*
 * EVERR_CONNECT   not reachable, nothing listens, no mapper
 * EVERR_NOT_FOUND the name does not resolve, or the mapper knows no such
 *                 service
 * EVERR_AUTH      the host refused the logon, or there is no ticket, or what
 *                 came about is not sealed
 * EVERR_ACCESS    the logon is good, the right is missing
 * EVERR_TIMEOUT, EVERR_PROTOCOL, EVERR_INVALID, EVERR_NOMEM
 */
everr_t collect_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			     struct collect_connection **ret_connection,
			     struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/*
 * The question to the endpoint mapper alone: at which port the interface of
 * table listens.  Errors as above.
 */
struct tevent_req *collect_lookup_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct collect_target *target,
				       const struct ndr_interface_table *table);
everr_t collect_lookup_recv(struct tevent_req *req, uint16_t *ret_port,
			    struct collect_failure *ret_failure)
	EVERR_MUST_CHECK;

/*
 * What authentication has come about: "Kerberos, encrypted".  Static; for a
 * local connection it is "none".
 */
const char *collect_connection_security(
	const struct collect_connection *connection);

/* Whether calls can still be made; false after the peer went away. */
bool collect_connection_alive(const struct collect_connection *connection);

#endif
