/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Writing a catalogue's index; soap/wsus_index.h. */

#include "soap/wsus_index.h"

#include "store/crc32c.h"

#include <stdlib.h>
#include <string.h>

struct writing {
	const struct wsus_catalogue *catalogue;
	struct buf *out;
	struct buf texts;
	const char *last; /* text, often met again and again */
	uint32_t last_at;
	uint32_t num[WSUS_INDEX_SECTIONS];
};

static void put_guid(struct writing *writing, const struct ev_guid *guid)
{
	buf_put(writing->out, guid->b, sizeof(guid->b));
}

static void put_anchor(struct writing *writing,
		       const struct wsus_anchor *anchor)
{
	buf_put_u64(writing->out, anchor->time);
	buf_put_u32(writing->out, anchor->number);
}

/* The empty one, and NULL, are the first. */
static void put_text(struct writing *writing, const char *text)
{
	struct buf *texts = &writing->texts;

	if (text == NULL || *text == '\0') {
		buf_put_u32(writing->out, 0);
		return;
	}
	if (writing->last == NULL || strcmp(writing->last, text) != 0) {
		writing->last = text;
		writing->last_at = (uint32_t)texts->len;
		buf_put(texts, text, strlen(text) + 1);
	}
	buf_put_u32(writing->out, writing->last_at);
}

/* ---------------------------------------------------------------------- rows */

static void put_updates(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	struct buf *out = writing->out;
	size_t i;

	writing->num[WSUS_INDEX_UPDATES] = (uint32_t)c->num_updates;
	for (i = 0; i < c->num_updates; i++) {
		const struct wsus_update *update = &c->updates[i];

		put_guid(writing, &update->id);
		buf_put(out, update->hash, sizeof(update->hash));
		put_anchor(writing, &update->changed);
		buf_put_u64(out, update->offset);
		buf_put_u32(out, (uint32_t)update->revision);
		buf_put_u32(out, update->len);
		buf_put_u32(out, update->units);
		buf_put_u32(out, update->languages);
		put_text(writing, update->title);
		buf_put_u32(out, (uint32_t)update->num_categories);
		buf_put_u32(out, (uint32_t)update->num_files);
		buf_put_u32(out, (uint32_t)update->num_member_of);
		buf_put_u8(out, (uint8_t)update->kind);
		buf_put_u8(out, update->compress);
		buf_put_u16(out, 0);
	}
}

static void put_languages(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	size_t i;

	writing->num[WSUS_INDEX_LANGUAGES] = (uint32_t)c->num_languages;
	for (i = 0; i < c->num_languages; i++) {
		const struct wsus_language *language = &c->languages[i];

		buf_put_u32(writing->out, (uint32_t)language->id);
		put_text(writing, language->short_name);
		put_text(writing, language->long_name);
		buf_put_u32(writing->out, language->enabled);
		put_anchor(writing, &language->changed);
	}
}

static void put_groups(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	size_t i;

	writing->num[WSUS_INDEX_GROUPS] = (uint32_t)c->num_groups;
	for (i = 0; i < c->num_groups; i++) {
		put_guid(writing, &c->groups[i].id);
		put_guid(writing, &c->groups[i].parent);
		put_text(writing, c->groups[i].name);
		buf_put_u32(writing->out, c->groups[i].builtin);
	}
}

static void put_deployments(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	struct buf *out = writing->out;
	size_t i;

	writing->num[WSUS_INDEX_DEPLOYMENTS] = (uint32_t)c->num_deployments;
	for (i = 0; i < c->num_deployments; i++) {
		const struct wsus_deployment *deployment = &c->deployments[i];

		put_guid(writing, &deployment->id);
		put_guid(writing, &deployment->update);
		put_guid(writing, &deployment->group);
		buf_put_u64(out, deployment->deadline);
		buf_put_u64(out, deployment->go_live);
		put_anchor(writing, &deployment->changed);
		buf_put_u32(out, (uint32_t)deployment->revision);
		put_text(writing, deployment->admin);
		buf_put_u8(out, (uint8_t)deployment->action);
		buf_put_u8(out, deployment->assigned);
		buf_put_u8(out, deployment->priority);
		buf_put_u8(out, 0);
	}
}

static void put_dead(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	size_t i;

	writing->num[WSUS_INDEX_DEAD] = (uint32_t)c->num_dead;
	for (i = 0; i < c->num_dead; i++) {
		put_guid(writing, &c->dead[i].id);
		put_anchor(writing, &c->dead[i].changed);
	}
}

static void put_guids(struct writing *writing, enum wsus_index_section section,
		      const struct ev_guid *guids, size_t num)
{
	size_t i;

	writing->num[section] += (uint32_t)num;
	for (i = 0; i < num; i++) {
		put_guid(writing, &guids[i]);
	}
}

/* What updates have, one update behind the other. */
static void put_parts(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	size_t i, j;

	for (i = 0; i < c->num_updates; i++) {
		put_guids(writing, WSUS_INDEX_NAMED, c->updates[i].categories,
			  c->updates[i].num_categories);
	}
	for (i = 0; i < c->num_updates; i++) {
		const struct wsus_update *update = &c->updates[i];

		for (j = 0; j < update->num_member_of; j++) {
			buf_put_u32(writing->out, update->member_of[j]);
		}
		writing->num[WSUS_INDEX_MEMBERS] += (uint32_t)j;
	}
	for (i = 0; i < c->num_updates; i++) {
		const struct wsus_update *update = &c->updates[i];

		for (j = 0; j < update->num_files; j++) {
			buf_put(writing->out, update->files[j].digest,
				WSUS_DIGEST_LEN);
			put_text(writing, update->files[j].url);
		}
		writing->num[WSUS_INDEX_FILES] += (uint32_t)j;
	}
}

struct numbered {
	const struct wsus_file *file;
	uint32_t number;
};

static int numbered_cmp(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;
	int order = memcmp(x->file->digest, y->file->digest, WSUS_DIGEST_LEN);

	return order != 0 ? order
			  : (x->number > y->number) - (x->number < y->number);
}

static everr_t put_digests(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	size_t num = writing->num[WSUS_INDEX_FILES];
	struct numbered *files = talloc_array(c, struct numbered, num);
	size_t used = 0;
	size_t i, j;

	if (files == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < c->num_updates; i++) {
		for (j = 0; j < c->updates[i].num_files; j++) {
			files[used].file = &c->updates[i].files[j];
			files[used].number = (uint32_t)used;
			used++;
		}
	}
	qsort(files, num, sizeof(*files), numbered_cmp);
	for (i = 0; i < num; i++) {
		buf_put_u32(writing->out, files[i].number);
	}
	writing->num[WSUS_INDEX_DIGESTS] = (uint32_t)num;
	talloc_free(files);
	return EVERR_OK;
}

/* -------------------------------------------------------------------- header */

static void put_header(struct writing *writing)
{
	const struct wsus_catalogue *c = writing->catalogue;
	uint32_t flags = (c->catalog_only ? WSUS_INDEX_CATALOG_ONLY : 0) |
			 (c->lazy ? WSUS_INDEX_LAZY : 0);

	buf_put(writing->out, WSUS_INDEX_MAGIC, WSUS_INDEX_MAGIC_LEN);
	buf_put_u32(writing->out, WSUS_INDEX_FORMAT);
	buf_put_u32(writing->out, 0);
	buf_put_u64(writing->out, 0);
	put_anchor(writing, &c->changed);
	buf_put_u32(writing->out, flags);
	buf_put_u64(writing->out, c->data_number);
	buf_put_zero(writing->out, WSUS_INDEX_HEADER - WSUS_INDEX_AT_COUNTS);
}

/* What is known at the end. */
static void fill_header(struct writing *writing, size_t begin)
{
	struct buf *out = writing->out;
	uint32_t checksum;
	size_t i;

	for (i = 0; i < WSUS_INDEX_SECTIONS; i++) {
		buf_set_u32(out, begin + WSUS_INDEX_AT_COUNTS + 4 * i,
			    writing->num[i]);
	}
	buf_set_u64(out, begin + WSUS_INDEX_AT_LENGTH, out->len - begin);
	checksum = store_crc32c(0, out->data + begin + WSUS_INDEX_AT_LENGTH,
				out->len - begin - WSUS_INDEX_AT_LENGTH);
	buf_set_u32(out, begin + WSUS_INDEX_AT_CHECKSUM, checksum);
}

everr_t wsus_catalogue_format(const struct wsus_catalogue *catalogue,
			      struct buf *out)
{
	struct writing writing = {.catalogue = catalogue, .out = out};
	size_t begin = out->len;
	everr_t err;

	buf_init(&writing.texts, out->mem_ctx, WSUS_INDEX_MAX);
	buf_put_u8(&writing.texts, 0);
	put_header(&writing);
	put_updates(&writing);
	put_languages(&writing);
	put_groups(&writing);
	put_deployments(&writing);
	put_dead(&writing);
	put_guids(&writing, WSUS_INDEX_DECLINED, catalogue->declined,
		  catalogue->num_declined);
	put_guids(&writing, WSUS_INDEX_EULAS, catalogue->eulas,
		  catalogue->num_eulas);
	put_guids(&writing, WSUS_INDEX_CATEGORIES, catalogue->categories,
		  catalogue->num_categories);
	put_parts(&writing);
	err = put_digests(&writing);
	if (err == EVERR_OK) {
		err = buf_error(&writing.texts);
	}
	if (err == EVERR_OK) {
		buf_put(out, writing.texts.data, writing.texts.len);
		writing.num[WSUS_INDEX_TEXTS] = (uint32_t)writing.texts.len;
		err = buf_error(out);
	}
	buf_free(&writing.texts);
	if (err == EVERR_OK) {
		fill_header(&writing, begin);
	}
	return err;
}
