/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/u32set.h"

#include <stdlib.h>
#include <string.h>

/* Up to here a scan beats hashing, and most blocks use fewer templates. */
#define SCAN_MAX 16

void u32set_free(struct u32set *set)
{
	free(set->items);
	free(set->slots);
	*set = (struct u32set){};
}

void u32set_clear(struct u32set *set)
{
	set->num = 0;
	if (set->mask != 0) {
		free(set->slots);
		set->slots = NULL;
		set->mask = 0;
	}
}

static uint32_t hash(uint32_t v)
{
	/* Fibonacci hashing: consecutive numbers spread over the table. */
	return (v * 2654435769u) >> 7;
}

static void slot_put(struct u32set *set, uint32_t index)
{
	uint32_t slot = hash(set->items[index]) & set->mask;

	while (set->slots[slot] != 0) {
		slot = (slot + 1) & set->mask;
	}
	set->slots[slot] = index + 1;
}

static bool rehash(struct u32set *set)
{
	uint32_t num_slots = set->size * 2;
	uint32_t *slots = NULL;
	uint32_t i;

	slots = calloc(num_slots, sizeof(*slots));
	if (slots == NULL) {
		return false;
	}
	free(set->slots);
	set->slots = slots;
	set->mask = num_slots - 1;
	for (i = 0; i < set->num; i++) {
		slot_put(set, i);
	}
	return true;
}

static bool grow(struct u32set *set)
{
	uint32_t size = set->size == 0 ? SCAN_MAX : set->size * 2;
	uint32_t *items = NULL;

	items = realloc(set->items, size * sizeof(*items));
	if (items == NULL) {
		return false;
	}
	set->items = items;
	set->size = size;
	return true;
}

static bool contains(const struct u32set *set, uint32_t v)
{
	uint32_t slot;
	uint32_t i;

	if (set->mask == 0) {
		for (i = 0; i < set->num; i++) {
			if (set->items[i] == v) {
				return true;
			}
		}
		return false;
	}
	slot = hash(v) & set->mask;
	while (set->slots[slot] != 0) {
		if (set->items[set->slots[slot] - 1] == v) {
			return true;
		}
		slot = (slot + 1) & set->mask;
	}
	return false;
}

bool u32set_add(struct u32set *set, uint32_t v, bool *ret_new)
{
	if (contains(set, v)) {
		*ret_new = false;
		return true;
	}
	if (set->num == set->size && !grow(set)) {
		return false;
	}
	/* Half of the slots at most are taken. */
	if (set->num >= SCAN_MAX && set->mask + 1 < set->size * 2 &&
	    !rehash(set)) {
		return false;
	}
	set->items[set->num] = v;
	set->num++;
	if (set->mask != 0) {
		slot_put(set, set->num - 1);
	}
	*ret_new = true;
	return true;
}
