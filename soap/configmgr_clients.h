/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_CLIENTS_H
#define EVENLOG_SOAP_CONFIGMGR_CLIENTS_H

/*
 * The clients that registered: SMSID and key.  One named state each,
 * "configmgr/client/{GUID}"; doc/store-format.md has the bytes.
 */

#include "base/guid.h"
#include "store/store.h"

#define CONFIGMGR_KEY_SIZE 32
/* Bytes of a client's host name that are kept. */
#define CONFIGMGR_HOST_MAX 255

struct configmgr_client {
	struct ev_guid id;
	/* SHA-256 of the key, as ccm_message_verify() gives it. */
	uint8_t key[CONFIGMGR_KEY_SIZE];
	uint64_t first; /* FILETIME of its first registration */
	uint64_t last;	/* of the latest one */
	/*
	 * Only on disk, for whoever looks there: NULL in what the functions
	 * here return.
	 */
	const char *host;
};

struct configmgr_clients;

/* A damaged state is passed over: that client has to register again. */
everr_t configmgr_clients_load(TALLOC_CTX *mem_ctx, struct store *store,
			       struct configmgr_clients **ret_clients)
	EVERR_MUST_CHECK;

size_t configmgr_clients_count(const struct configmgr_clients *clients);

/* NULL: not registered.  Valid until the next configmgr_clients_put(). */
const struct configmgr_client *configmgr_clients_find(
	const struct configmgr_clients *clients, const struct ev_guid *id);
/* The one that registered this key last. */
const struct configmgr_client *configmgr_clients_find_key(
	const struct configmgr_clients *clients,
	const uint8_t key[CONFIGMGR_KEY_SIZE]);

/* The named state of a client; children of mem_ctx. */
everr_t configmgr_clients_state(TALLOC_CTX *mem_ctx,
				const struct configmgr_client *client,
				struct store_state *ret_state) EVERR_MUST_CHECK;

/* Make room for more, so that so many calls of put can't fail. */
everr_t configmgr_clients_reserve(struct configmgr_clients *clients,
				  uint32_t more) EVERR_MUST_CHECK;

/* It is on disk: take it over, or replace the one of its id. */
void configmgr_clients_put(struct configmgr_clients *clients,
			   const struct configmgr_client *client);

#endif
