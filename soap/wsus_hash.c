/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_hash.h"

#include "base/buf.h"

#include <sys/random.h>

#define FIRST_BUCKETS 64

everr_t wsus_hash_init(TALLOC_CTX *mem_ctx, struct wsus_hash *ret_table)
{
	struct wsus_hash table = {.num_buckets = FIRST_BUCKETS};
	ssize_t n;

	n = getrandom(table.secret, sizeof(table.secret), 0);
	if (n != (ssize_t)sizeof(table.secret)) {
		return EVERR_IO;
	}
	table.buckets = talloc_zero_array(mem_ctx, struct wsus_link *,
					  table.num_buckets);
	if (table.buckets == NULL) {
		return EVERR_NOMEM;
	}
	*ret_table = table;
	return EVERR_OK;
}

/* ------------------------------------------------- SipHash-1-3's state */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

uint64_t wsus_hash_of(const struct wsus_hash *table, const void *key,
		      size_t len)
{
	struct sip s = {
		.v0 = table->secret[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = table->secret[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = table->secret[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = table->secret[1] ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *p = key;
	uint64_t last = (uint64_t)len << 56;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		sip_word(&s, le64_get(p + i));
	}
	for (; i < len; i++) {
		last |= (uint64_t)p[i] << 8 * (i & 7);
	}
	sip_word(&s, last);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* --------------------------------------------------------------- links */

static struct wsus_link **bucket_of(const struct wsus_hash *table,
				    uint64_t hash)
{
	return &table->buckets[hash & (table->num_buckets - 1)];
}

static void push(struct wsus_hash *table, struct wsus_link *link)
{
	struct wsus_link **bucket = bucket_of(table, link->hash);

	link->next = *bucket;
	*bucket = link;
}

static void grow(struct wsus_hash *table)
{
	struct wsus_link **old = table->buckets;
	size_t num_old = table->num_buckets;
	struct wsus_link **buckets = NULL;
	size_t i;

	buckets = talloc_zero_array(talloc_parent(old), struct wsus_link *,
				    num_old * 2);
	if (buckets == NULL) {
		return;
	}
	table->buckets = buckets;
	table->num_buckets = num_old * 2;
	for (i = 0; i < num_old; i++) {
		struct wsus_link *link = old[i];

		while (link != NULL) {
			struct wsus_link *next = link->next;

			push(table, link);
			link = next;
		}
	}
	talloc_free(old);
}

void wsus_hash_add(struct wsus_hash *table, struct wsus_link *link)
{
	if (table->num >= table->num_buckets) {
		grow(table);
	}
	push(table, link);
	table->num++;
}

void wsus_hash_remove(struct wsus_hash *table, struct wsus_link *link)
{
	struct wsus_link **at = bucket_of(table, link->hash);

	while (*at != NULL && *at != link) {
		at = &(*at)->next;
	}
	if (*at == link) {
		*at = link->next;
		link->next = NULL;
		table->num--;
	}
}

static struct wsus_link *match(struct wsus_link *link, uint64_t hash)
{
	while (link != NULL && link->hash != hash) {
		link = link->next;
	}
	return link;
}

struct wsus_link *wsus_hash_first(const struct wsus_hash *table, uint64_t hash)
{
	return match(*bucket_of(table, hash), hash);
}

struct wsus_link *wsus_hash_next(const struct wsus_link *link)
{
	return match(link->next, link->hash);
}
