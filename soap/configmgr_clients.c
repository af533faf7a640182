/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_clients.h"

#include "base/buf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define PREFIX "configmgr/client/"
#define NONE UINT32_MAX
#define SLOTS_FIRST 64
#define VERSION 1
/* A state without its host: version, key, two times. */
#define STATE_FIXED (4 + CONFIGMGR_KEY_SIZE + 2 * 8)

struct client_slot {
	struct configmgr_client client;
	uint32_t by_id, by_key; /* next in the bucket */
};

struct configmgr_clients {
	struct client_slot *slots; /* the first num are in use */
	uint32_t num, num_slots;
	uint32_t *ids, *keys; /* buckets, as many as slots */
	uint64_t secret;
};

/* ---------------------------------------------------------------- tables */

static uint32_t *bucket(const struct configmgr_clients *clients,
			uint32_t *buckets, const uint8_t bytes[16])
{
	uint64_t low = le64_get(bytes) ^ clients->secret;
	uint64_t high = le64_get(bytes + 8) + clients->secret;
	unsigned __int128 product = (unsigned __int128)low * high;
	uint64_t hash = (uint64_t)(product >> 64) ^ (uint64_t)product;

	return &buckets[hash & (clients->num_slots - 1)];
}

static void chain_id(struct configmgr_clients *clients, uint32_t at)
{
	struct client_slot *slot = &clients->slots[at];
	uint32_t *link = bucket(clients, clients->ids, slot->client.id.b);

	slot->by_id = *link;
	*link = at;
}

static void chain_key(struct configmgr_clients *clients, uint32_t at)
{
	struct client_slot *slot = &clients->slots[at];
	uint32_t *link = bucket(clients, clients->keys, slot->client.key);

	slot->by_key = *link;
	*link = at;
}

static void unchain_key(struct configmgr_clients *clients, uint32_t at)
{
	struct client_slot *slot = &clients->slots[at];
	uint32_t *link = bucket(clients, clients->keys, slot->client.key);

	while (*link != at) {
		link = &clients->slots[*link].by_key;
	}
	*link = slot->by_key;
}

static uint32_t slot_find(const struct configmgr_clients *clients,
			  const struct ev_guid *id)
{
	uint32_t at = NONE;

	if (clients->num_slots > 0) {
		at = *bucket(clients, clients->ids, id->b);
	}
	while (at != NONE &&
	       !ev_guid_equal(&clients->slots[at].client.id, id)) {
		at = clients->slots[at].by_id;
	}
	return at;
}

everr_t configmgr_clients_reserve(struct configmgr_clients *clients,
				  uint32_t more)
{
	uint32_t num = clients->num_slots;
	struct client_slot *slots = NULL;
	uint32_t *buckets = NULL;
	uint32_t at;

	if (more <= num - clients->num) {
		return EVERR_OK;
	}
	num = num == 0 ? SLOTS_FIRST : num;
	while (num - clients->num < more) {
		if (num > UINT32_MAX / 4) {
			return EVERR_LIMIT;
		}
		num *= 2;
	}
	slots = talloc_realloc(clients, clients->slots, struct client_slot,
			       num);
	if (slots == NULL) {
		return EVERR_NOMEM;
	}
	clients->slots = slots;
	buckets = talloc_array(clients, uint32_t, (size_t)num * 2);
	if (buckets == NULL) {
		return EVERR_NOMEM;
	}
	memset(buckets, 0xFF, (size_t)num * 2 * sizeof(*buckets));
	talloc_free(clients->ids);
	clients->ids = buckets;
	clients->keys = buckets + num;
	clients->num_slots = num;
	for (at = 0; at < clients->num; at++) {
		chain_id(clients, at);
		chain_key(clients, at);
	}
	return EVERR_OK;
}

void configmgr_clients_put(struct configmgr_clients *clients,
			   const struct configmgr_client *client)
{
	uint32_t at = slot_find(clients, &client->id);

	if (at != NONE) {
		unchain_key(clients, at);
	} else {
		at = clients->num++;
		clients->slots[at].client.id = client->id;
		chain_id(clients, at);
	}
	clients->slots[at].client = *client;
	clients->slots[at].client.host = NULL;
	chain_key(clients, at);
}

size_t configmgr_clients_count(const struct configmgr_clients *clients)
{
	return clients->num;
}

const struct configmgr_client *configmgr_clients_find(
	const struct configmgr_clients *clients, const struct ev_guid *id)
{
	uint32_t at = slot_find(clients, id);

	return at == NONE ? NULL : &clients->slots[at].client;
}

const struct configmgr_client *configmgr_clients_find_key(
	const struct configmgr_clients *clients,
	const uint8_t key[CONFIGMGR_KEY_SIZE])
{
	uint32_t at = NONE;

	if (clients->num_slots > 0) {
		at = *bucket(clients, clients->keys, key);
	}
	while (at != NONE && memcmp(clients->slots[at].client.key, key,
				    CONFIGMGR_KEY_SIZE) != 0) {
		at = clients->slots[at].by_key;
	}
	return at == NONE ? NULL : &clients->slots[at].client;
}

/* ---------------------------------------------------------------- states */

everr_t configmgr_clients_state(TALLOC_CTX *mem_ctx,
				const struct configmgr_client *client,
				struct store_state *ret_state)
{
	char text[EV_GUID_TEXT_SIZE];
	char *name = NULL;
	struct buf data;
	everr_t err;

	ev_guid_format(&client->id, text);
	name = talloc_asprintf(mem_ctx, PREFIX "%s", text);
	if (name == NULL) {
		return EVERR_NOMEM;
	}
	buf_init(&data, mem_ctx, STATE_FIXED + CONFIGMGR_HOST_MAX);
	buf_put_u32(&data, VERSION);
	buf_put(&data, client->key, sizeof(client->key));
	buf_put_u64(&data, client->first);
	buf_put_u64(&data, client->last);
	if (client->host != NULL) {
		buf_put(&data, client->host,
			strnlen(client->host, CONFIGMGR_HOST_MAX));
	}
	err = buf_error(&data);
	if (err != EVERR_OK) {
		return err;
	}
	*ret_state = (struct store_state){
		.name = name,
		.data = data.data,
		.len = data.len,
	};
	return EVERR_OK;
}

static bool client_parse(const char *name, const uint8_t *data, size_t len,
			 struct configmgr_client *client)
{
	const uint8_t *p = data + 4;

	if (ev_guid_parse(name + strlen(PREFIX), &client->id) != EVERR_OK ||
	    len < STATE_FIXED || len > STATE_FIXED + CONFIGMGR_HOST_MAX ||
	    le32_get(data) != VERSION) {
		return false;
	}
	memcpy(client->key, p, sizeof(client->key));
	p += sizeof(client->key);
	client->first = le64_get(p);
	client->last = le64_get(p + 8);
	return true;
}

static everr_t load(struct configmgr_clients *clients, struct store *store)
{
	TALLOC_CTX *before = NULL;
	char *name = NULL;
	everr_t err;

	for (;;) {
		struct configmgr_client client = {};
		TALLOC_CTX *step = talloc_new(clients);
		uint8_t *data = NULL;
		size_t len = 0;

		if (step == NULL) {
			return EVERR_NOMEM;
		}
		err = store_state_next(step, store, PREFIX,
				       name == NULL ? "" : name, &name, &data,
				       &len);
		talloc_free(before);
		before = step;
		if (err != EVERR_OK && err != EVERR_STORE_CORRUPT) {
			break;
		}
		if (err != EVERR_OK ||
		    !client_parse(name, data, len, &client)) {
			continue;
		}
		err = configmgr_clients_reserve(clients, 1);
		if (err != EVERR_OK) {
			break;
		}
		configmgr_clients_put(clients, &client);
	}
	talloc_free(before);
	return err == EVERR_END ? EVERR_OK : err;
}

everr_t configmgr_clients_load(TALLOC_CTX *mem_ctx, struct store *store,
			       struct configmgr_clients **ret_clients)
{
	struct configmgr_clients *clients = NULL;
	everr_t err;

	clients = talloc_zero(mem_ctx, struct configmgr_clients);
	if (clients == NULL) {
		return EVERR_NOMEM;
	}
	(void)gnutls_rnd(GNUTLS_RND_NONCE, &clients->secret,
			 sizeof(clients->secret));
	err = load(clients, store);
	if (err != EVERR_OK) {
		talloc_free(clients);
		return err;
	}
	*ret_clients = clients;
	return EVERR_OK;
}
