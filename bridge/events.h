/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_EVENTS_H
#define EVENLOG_BRIDGE_EVENTS_H

/*
 * What the bridges make of a message: events as documents, ready for the
 * store.  Pure functions: no socket, no disk, no clock; the caller hands in
 * the time and whom the message is from.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define BRIDGE_CONFIGMGR_PROVIDER "Evenlog-ConfigMgr"
#define BRIDGE_CONFIGMGR_CHANNEL "Evenlog-ConfigMgr/Operational"
#define BRIDGE_WSUS_PROVIDER "Evenlog-WSUS"
#define BRIDGE_WSUS_CHANNEL "Evenlog-WSUS/Operational"

/* The providers' manifests, as they are compiled in. */
extern const char bridge_configmgr_manifest[];
extern const char bridge_wsus_manifest[];

/* Events of one message, and their bytes. */
#define BRIDGE_EVENTS_MAX 65536
#define BRIDGE_EVENTS_BYTES_MAX (256 * 1024 * 1024)

struct bridge_document {
	const uint8_t *data; /* RPC-form BinXML, child of the structure */
	size_t len;
};

struct bridge_events {
	struct bridge_document *documents;
	size_t num_documents;
	size_t num_bytes; /* of all of them */
};

struct bridge_events *bridge_events_create(TALLOC_CTX *mem_ctx);

/* Whom a message is from, as far as this host knows it. */
struct bridge_origin {
	const char *computer;	 /* this host; System/Computer of last resort */
	const char *peer;	 /* numeric address; "" for a file */
	const char *certificate; /* the peer's verified subject, or NULL */
	uint64_t received;	 /* FILETIME */
};

/*
 * An event's time: the sender's, unless it is absent (0) or impossible.  What
 * lies more than a day after received, or before 1980, is replaced by
 * received; the field that carries the sender's own statement keeps it.
 */
uint64_t bridge_time(const struct bridge_origin *origin, uint64_t stated);

#endif
