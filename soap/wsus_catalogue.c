/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_catalogue.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Categories are in categories; a longer way up is a loop. */
#define ANCESTORS_DEPTH 16
/* Categories that one update is in, with theirs. */
#define MEMBER_OF_MAX 1024

const char *const wsus_kind_names[WSUS_KINDS] = {"update", "category",
						 "classification", "detectoid"};
const char *const wsus_action_names[WSUS_ACTIONS] = {"install", "uninstall",
						     "scan", "block"};

/* ------------------------------------------------------- without a catalogue */

/* What WSUS of Windows Server 2025 offers. */
static const struct {
	int32_t id;
	const char *short_name;
	const char *long_name;
} default_languages[] = {
	{0, "all", "all"},
	{1025, "ar", "Arabic"},
	{1026, "bg", "Bulgarian"},
	{1028, "zh-tw", "Chinese (Traditional)"},
	{1029, "cs", "Czech"},
	{1030, "da", "Danish"},
	{1031, "de", "German"},
	{1032, "el", "Greek"},
	{1033, "en", "English"},
	{1034, "es", "Spanish"},
	{1035, "fi", "Finnish"},
	{1036, "fr", "French"},
	{1037, "he", "Hebrew"},
	{1038, "hu", "Hungarian"},
	{1040, "it", "Italian"},
	{1041, "ja", "Japanese"},
	{1042, "ko", "Korean"},
	{1043, "nl", "Dutch"},
	{1044, "no", "Norwegian"},
	{1045, "pl", "Polish"},
	{1046, "pt-br", "Portuguese (Brazil)"},
	{1048, "ro", "Romanian"},
	{1049, "ru", "Russian"},
	{1050, "hr", "Croatian"},
	{1051, "sk", "Slovak"},
	{1053, "sv", "Swedish"},
	{1054, "th", "Thai"},
	{1055, "tr", "Turkish"},
	{1058, "uk", "Ukrainian"},
	{1060, "sl", "Slovenian"},
	{1061, "et", "Estonian"},
	{1062, "lv", "Latvian"},
	{1063, "lt", "Lithuanian"},
	{1081, "hi", "Hindi"},
	{2052, "zh-cn", "Chinese (Simplified)"},
	{2070, "pt", "Portuguese (Portugal)"},
	{2074, "sr", "Serbian (Latin)"},
	{3076, "zh-hk", "Chinese (Hong Kong SAR)"},
	{66577, "ja-nec", "Japanese NEC"},
};

#define DEFAULT_LANGUAGES \
	(sizeof(default_languages) / sizeof(default_languages[0]))

/* {a0a08746-4dbe-4a37-9adf-9e7652c0b421}, [MS-WSUSSS] 3.1.1 */
static const struct ev_guid all_computers = {
	{0x46, 0x87, 0xa0, 0xa0, 0xbe, 0x4d, 0x37, 0x4a, 0x9a, 0xdf, 0x9e, 0x76,
	 0x52, 0xc0, 0xb4, 0x21}};
/* {b73ca6ed-5727-47f3-84de-015e03f6a88a} */
static const struct ev_guid unassigned_computers = {
	{0xed, 0xa6, 0x3c, 0xb7, 0x27, 0x57, 0xf3, 0x47, 0x84, 0xde, 0x01, 0x5e,
	 0x03, 0xf6, 0xa8, 0x8a}};

static bool add_default_languages(struct wsus_catalogue *catalogue)
{
	size_t i;

	catalogue->languages = talloc_zero_array(
		catalogue, struct wsus_language, DEFAULT_LANGUAGES);
	if (catalogue->languages == NULL) {
		return false;
	}
	for (i = 0; i < DEFAULT_LANGUAGES; i++) {
		catalogue->languages[i] = (struct wsus_language){
			.id = default_languages[i].id,
			.short_name = default_languages[i].short_name,
			.long_name = default_languages[i].long_name,
			.enabled = true,
			.changed = {.number = WSUS_ANCHOR_FIRST},
		};
	}
	catalogue->num_languages = DEFAULT_LANGUAGES;
	return true;
}

static bool add_builtin_groups(struct wsus_catalogue *catalogue)
{
	catalogue->groups = talloc_zero_array(catalogue, struct wsus_group, 2);
	if (catalogue->groups == NULL) {
		return false;
	}
	catalogue->groups[0] = (struct wsus_group){
		.id = all_computers, .name = "All Computers", .builtin = true};
	catalogue->groups[1] =
		(struct wsus_group){.id = unassigned_computers,
				    .parent = all_computers,
				    .name = "Unassigned Computers",
				    .builtin = true};
	catalogue->num_groups = 2;
	return true;
}

static int catalogue_destructor(struct wsus_catalogue *catalogue)
{
	if (catalogue->data_fd >= 0) {
		close(catalogue->data_fd);
	}
	return 0;
}

everr_t wsus_catalogue_empty(TALLOC_CTX *mem_ctx,
			     struct wsus_catalogue **ret_catalogue)
{
	struct wsus_catalogue *catalogue =
		talloc_zero(mem_ctx, struct wsus_catalogue);

	if (catalogue == NULL) {
		return EVERR_NOMEM;
	}
	catalogue->data_fd = -1;
	catalogue->lazy = true;
	catalogue->changed.number = WSUS_ANCHOR_FIRST;
	talloc_set_destructor(catalogue, catalogue_destructor);
	if (!add_default_languages(catalogue) ||
	    !add_builtin_groups(catalogue)) {
		talloc_free(catalogue);
		return EVERR_NOMEM;
	}
	*ret_catalogue = catalogue;
	return EVERR_OK;
}

/* ----------------------------------------------------------- cross-references */

static int guid_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ev_guid));
}

int wsus_update_cmp(const void *a, const void *b)
{
	const struct wsus_update *x = a;
	const struct wsus_update *y = b;
	int order = guid_cmp(&x->id, &y->id);

	if (order != 0) {
		return order;
	}
	return (x->revision > y->revision) - (x->revision < y->revision);
}

static int digest_cmp(const void *a, const void *b)
{
	const struct wsus_file *const *x = a;
	const struct wsus_file *const *y = b;

	return memcmp((*x)->digest, (*y)->digest, WSUS_DIGEST_LEN);
}

static int number_cmp(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* Every category that an update names, once, sorted. */
static everr_t collect_categories(struct wsus_catalogue *catalogue)
{
	struct ev_guid *all = NULL;
	size_t num = 0;
	size_t used = 0;
	size_t i, j;

	for (i = 0; i < catalogue->num_updates; i++) {
		num += catalogue->updates[i].num_categories;
	}
	all = talloc_zero_array(catalogue, struct ev_guid, num);
	if (all == NULL) {
		return EVERR_NOMEM;
	}
	num = 0;
	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		for (j = 0; j < update->num_categories; j++) {
			all[num++] = update->categories[j];
		}
	}
	qsort(all, num, sizeof(*all), guid_cmp);
	for (i = 0; i < num; i++) {
		if (used == 0 || guid_cmp(&all[used - 1], &all[i]) != 0) {
			all[used++] = all[i];
		}
	}
	catalogue->categories = all;
	catalogue->num_categories = used;
	return EVERR_OK;
}

everr_t wsus_catalogue_category(const struct wsus_catalogue *catalogue,
				const struct ev_guid *id, uint32_t *ret_number)
{
	const struct ev_guid *found = NULL;

	if (catalogue->num_categories > 0) {
		found = bsearch(id, catalogue->categories,
				catalogue->num_categories,
				sizeof(struct ev_guid), guid_cmp);
	}
	if (found == NULL) {
		return EVERR_NOT_FOUND;
	}
	*ret_number = (uint32_t)(found - catalogue->categories);
	return EVERR_OK;
}

/* The highest revision, or NULL. */
const struct wsus_update *wsus_catalogue_newest(
	const struct wsus_catalogue *catalogue, const struct ev_guid *id)
{
	size_t low = 0;
	size_t high = catalogue->num_updates;

	/* The first that is greater than id. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (guid_cmp(&catalogue->updates[middle].id, id) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == 0 || guid_cmp(&catalogue->updates[low - 1].id, id) != 0) {
		return NULL;
	}
	return &catalogue->updates[low - 1];
}

struct membership {
	const struct wsus_catalogue *catalogue;
	uint32_t numbers[MEMBER_OF_MAX];
	size_t num;
};

/* What update names, and what those name in turn; each once. */
static void add_members(struct membership *membership,
			const struct wsus_update *update, unsigned int depth)
{
	const struct wsus_update *above = NULL;
	uint32_t number;
	size_t i, j;

	if (update == NULL || depth == ANCESTORS_DEPTH) {
		return;
	}
	for (i = 0; i < update->num_categories; i++) {
		const struct ev_guid *id = &update->categories[i];
		everr_t err;

		err = wsus_catalogue_category(membership->catalogue, id,
					      &number);
		for (j = 0; j < membership->num; j++) {
			if (membership->numbers[j] == number) {
				break;
			}
		}
		if (err != EVERR_OK || j < membership->num ||
		    membership->num == MEMBER_OF_MAX) {
			continue;
		}
		membership->numbers[membership->num++] = number;
		above = wsus_catalogue_newest(membership->catalogue, id);
		add_members(membership, above, depth + 1);
	}
}

/*
 * A product is in its family, and an update of the product, too: whoever asks
 * for the family means both.
 */
static everr_t resolve_members(struct wsus_catalogue *catalogue,
			       struct wsus_update *update)
{
	struct membership membership = {.catalogue = catalogue};

	add_members(&membership, update, 0);
	qsort(membership.numbers, membership.num, sizeof(uint32_t), number_cmp);
	update->member_of = talloc_memdup(catalogue, membership.numbers,
					  membership.num * sizeof(uint32_t));
	update->num_member_of = membership.num;
	return update->member_of != NULL || membership.num == 0 ? EVERR_OK
								: EVERR_NOMEM;
}

static everr_t collect_digests(struct wsus_catalogue *catalogue)
{
	size_t num = 0;
	size_t i, j;

	for (i = 0; i < catalogue->num_updates; i++) {
		num += catalogue->updates[i].num_files;
	}
	catalogue->digests =
		talloc_zero_array(catalogue, const struct wsus_file *, num);
	if (catalogue->digests == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		for (j = 0; j < update->num_files; j++) {
			catalogue->digests[catalogue->num_digests++] =
				&update->files[j];
		}
	}
	qsort(catalogue->digests, num, sizeof(catalogue->digests[0]),
	      digest_cmp);
	return EVERR_OK;
}

everr_t wsus_catalogue_index(struct wsus_catalogue *catalogue)
{
	struct wsus_update *updates = catalogue->updates;
	size_t num = catalogue->num_updates;
	everr_t err;
	size_t i;

	if (num > 0) {
		qsort(updates, num, sizeof(*updates), wsus_update_cmp);
	}
	for (i = 0; i < num; i++) {
		updates[i].newest =
			i + 1 == num ||
			guid_cmp(&updates[i].id, &updates[i + 1].id) != 0;
	}
	err = collect_categories(catalogue);
	for (i = 0; i < num && err == EVERR_OK; i++) {
		err = resolve_members(catalogue, &updates[i]);
	}
	if (err == EVERR_OK) {
		err = collect_digests(catalogue);
	}
	return err;
}

/* ----------------------------------------------------------------- looking up */

const struct wsus_update *wsus_catalogue_find(
	const struct wsus_catalogue *catalogue, const struct ev_guid *id,
	int32_t revision)
{
	struct wsus_update key = {.id = *id, .revision = revision};

	if (catalogue->num_updates == 0) {
		return NULL;
	}
	return bsearch(&key, catalogue->updates, catalogue->num_updates,
		       sizeof(key), wsus_update_cmp);
}

const char *wsus_catalogue_title(const struct wsus_catalogue *catalogue,
				 const struct ev_guid *id)
{
	const struct wsus_update *update = wsus_catalogue_newest(catalogue, id);

	return update != NULL ? update->title : NULL;
}

bool wsus_catalogue_has_file(const struct wsus_catalogue *catalogue,
			     const uint8_t digest[WSUS_DIGEST_LEN])
{
	struct wsus_file key = {};
	const struct wsus_file *pointer = &key;

	memcpy(key.digest, digest, WSUS_DIGEST_LEN);
	return catalogue->num_digests > 0 &&
	       bsearch(&pointer, catalogue->digests, catalogue->num_digests,
		       sizeof(pointer), digest_cmp) != NULL;
}

bool wsus_read_at(int fd, uint8_t *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pread(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

everr_t wsus_catalogue_read(const struct wsus_catalogue *catalogue,
			    const struct wsus_update *update, struct buf *out)
{
	uint8_t hash[WSUS_HASH_LEN];
	uint8_t *data = NULL;
	int rc;

	data = buf_extend(out, update->len);
	if (data == NULL) {
		return buf_error(out);
	}
	if (!wsus_read_at(catalogue->data_fd, data, update->len,
			  update->offset)) {
		return EVERR_IO;
	}
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, update->len, hash);
	if (rc != 0 || memcmp(hash, update->hash, sizeof(hash)) != 0) {
		return EVERR_STORE_CORRUPT;
	}
	return EVERR_OK;
}
