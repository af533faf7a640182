/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GetUpdateData, [MS-WSUSSS] 3.1.4.6. */

#include "base/text.h"
#include "soap/cab.h"
#include "soap/wsus_sync.h"

#include <stdlib.h>
#include <string.h>

/*
 * Windows keeps its answers below this by giving fewer updates; who asked asks
 * again for the rest.  One update is always given.
 */
#define ANSWER_MAX 2000000
/* The elements around an update's metadata, and those of one of its files. */
#define ITEM_SIZE 300
#define FILE_SIZE 200
/* Windows compresses what is larger, in bytes of UTF-16. */
#define PLAIN_MAX 5120
/* Of one blob as a CAB: its UTF-16 and what goes around it. */
#define CAB_MAX (3 * WSUS_BLOB_MAX)

/* An update and what is sent of its metadata. */
struct item {
	const struct wsus_update *update;
	bool is_cab;
	struct buf blob; /* UTF-8, or the cabinet */
};

/* One answer; a child of the call. */
struct answer {
	const struct wsus *wsus;
	struct item items[WSUS_UPDATES_PER_REQUEST];
	size_t num;
};

/* ----------------------------------------------------------------- gathering */

/* Those asked for that there are; unknown ones are passed over. */
static everr_t find_updates(struct answer *answer,
			    const struct soap_node *array)
{
	const struct soap_node *node = soap_child(array, "UpdateIdentity");

	for (; node != NULL; node = soap_next(node)) {
		const struct wsus_update *update = NULL;
		struct ev_guid id;
		int32_t revision;
		everr_t err;

		err = wsus_get_identity(node, &id, &revision);
		if (err != EVERR_OK) {
			return err;
		}
		update = wsus_catalogue_find(answer->wsus->catalogue, &id,
					     revision);
		if (update != NULL) {
			answer->items[answer->num++].update = update;
		}
	}
	return EVERR_OK;
}

static everr_t make_cab(struct answer *answer, struct item *item,
			const struct buf *text)
{
	struct buf utf16;
	everr_t err;

	buf_init(&utf16, answer, 2 * WSUS_BLOB_MAX);
	buf_init(&item->blob, answer, CAB_MAX);
	err = text_utf8_to_utf16(&utf16, (const char *)text->data, text->len);
	if (err == EVERR_OK) {
		err = cab_write(&item->blob, "blob", utf16.data, utf16.len);
	}
	buf_free(&utf16);
	return err;
}

static everr_t read_item(struct answer *answer, struct item *item)
{
	const struct wsus *wsus = answer->wsus;
	struct buf text;
	everr_t err;

	item->is_cab = item->update->compress ||
		       (wsus->config.compress &&
			2 * (size_t)item->update->units > PLAIN_MAX);
	buf_init(&text, answer, WSUS_BLOB_MAX);
	err = wsus_catalogue_read(wsus->catalogue, item->update, &text);
	if (err != EVERR_OK || !item->is_cab) {
		item->blob = text;
		return err;
	}
	err = make_cab(answer, item, &text);
	buf_free(&text);
	return err;
}

/* Of text, as soap_data() writes it. */
static size_t text_size(const struct buf *text)
{
	size_t size = text->len;
	size_t i;

	for (i = 0; i < text->len; i++) {
		uint8_t c = text->data[i];

		/* "&lt;", "&gt;", and "&amp;" or "&#13;" */
		size += c == '<' || c == '>' ? 3 : 0;
		size += c == '&' || c == '\r' ? 4 : 0;
	}
	return size;
}

/* Bytes that it takes in the answer. */
static size_t item_size(const struct item *item)
{
	const struct wsus_update *update = item->update;
	size_t size = ITEM_SIZE;
	size_t i;

	size += item->is_cab ? (item->blob.len + 2) / 3 * 4
			     : text_size(&item->blob);
	for (i = 0; i < update->num_files; i++) {
		const char *url = update->files[i].url;

		size += FILE_SIZE + (url != NULL ? strlen(url) : 0);
	}
	return size;
}

/* Read what there is room for; answer->num becomes how many that are. */
static everr_t read_items(struct answer *answer)
{
	size_t size = 0;
	everr_t err;
	size_t i;

	for (i = 0; i < answer->num; i++) {
		err = read_item(answer, &answer->items[i]);
		if (err != EVERR_OK) {
			return err;
		}
		size += item_size(&answer->items[i]);
		if (i > 0 && size > ANSWER_MAX) {
			break;
		}
	}
	answer->num = i;
	return EVERR_OK;
}

/* ------------------------------------------------------------------- writing */

static void put_digests(struct soap_writer *writer,
			const struct wsus_update *update)
{
	size_t i;

	if (update->num_files == 0) {
		return;
	}
	soap_open(writer, "FileDigestList");
	for (i = 0; i < update->num_files; i++) {
		soap_put_base64(writer, "base64Binary", update->files[i].digest,
				WSUS_DIGEST_LEN);
	}
	soap_close(writer);
}

/* The order of 3.1.4.6.3.2: plain text, digests, compressed text. */
static void put_item(struct soap_writer *writer, const struct item *item)
{
	const struct wsus_update *update = item->update;

	soap_open(writer, "ServerSyncUpdateData");
	wsus_put_identity(writer, "Id", &update->id, update->revision);
	if (!item->is_cab) {
		soap_open(writer, "XmlUpdateBlob");
		soap_data(writer, (const char *)item->blob.data,
			  item->blob.len);
		soap_close(writer);
	}
	put_digests(writer, update);
	if (item->is_cab) {
		soap_put_base64(writer, "XmlUpdateBlobCompressed",
				item->blob.data, item->blob.len);
	}
	soap_close(writer);
}

static int file_cmp(const void *a, const void *b)
{
	const struct wsus_file *const *x = a;
	const struct wsus_file *const *y = b;

	return memcmp((*x)->digest, (*y)->digest, WSUS_DIGEST_LEN);
}

/* Every file of the answer once, sorted. */
static everr_t collect_files(struct answer *answer,
			     const struct wsus_file ***ret_files,
			     size_t *ret_num)
{
	const struct wsus_file **files = NULL;
	size_t num = 0;
	size_t used = 0;
	size_t i, j;

	for (i = 0; i < answer->num; i++) {
		num += answer->items[i].update->num_files;
	}
	files = talloc_array(answer, const struct wsus_file *, num);
	if (files == NULL) {
		return EVERR_NOMEM;
	}
	num = 0;
	for (i = 0; i < answer->num; i++) {
		const struct wsus_update *update = answer->items[i].update;

		for (j = 0; j < update->num_files; j++) {
			files[num++] = &update->files[j];
		}
	}
	qsort(files, num, sizeof(files[0]), file_cmp);
	for (i = 0; i < num; i++) {
		if (used == 0 || file_cmp(&files[used - 1], &files[i]) != 0) {
			files[used++] = files[i];
		}
	}
	*ret_files = files;
	*ret_num = used;
	return EVERR_OK;
}

/* UssUrl is left out: 3.1.4.6.3.4. */
static void put_url(struct soap_writer *writer, const struct wsus_file *file)
{
	soap_open(writer, "ServerSyncUrlData");
	soap_put_base64(writer, "FileDigest", file->digest, WSUS_DIGEST_LEN);
	soap_put(writer, "MUUrl", file->url);
	soap_close(writer);
}

static void put_answer(struct soap_writer *writer, const struct answer *answer,
		       const struct wsus_file **files, size_t num_files)
{
	size_t i;

	soap_open(writer, "GetUpdateDataResult");
	soap_open(writer, "updates");
	for (i = 0; i < answer->num; i++) {
		put_item(writer, &answer->items[i]);
	}
	soap_close(writer);
	soap_open(writer, "fileUrls");
	for (i = 0; i < num_files; i++) {
		put_url(writer, files[i]);
	}
	soap_close(writer);
	soap_close(writer);
}

/* ------------------------------------------------------------- the operation */

static bool read_request(struct soap_call *call, struct answer *answer)
{
	const struct soap_node *ids = soap_child(call->request, "updateIds");
	everr_t err;

	if (ids == NULL ||
	    wsus_count(ids, "UpdateIdentity") > WSUS_UPDATES_PER_REQUEST) {
		wsus_fault_parameter(call, "updateIds");
		return false;
	}
	err = find_updates(answer, ids);
	if (err != EVERR_OK) {
		wsus_fault_parameter(call, "updateIds");
		return false;
	}
	return true;
}

static void get_update_data(struct soap_call *call)
{
	struct wsus *wsus = call->private_data;
	struct answer *answer = talloc_zero(call, struct answer);
	const struct wsus_file **files = NULL;
	struct wsus_session session;
	size_t num_files = 0;
	everr_t err;

	if (answer == NULL) {
		wsus_fault_failed(call, EVERR_NOMEM);
		return;
	}
	answer->wsus = wsus;
	if (!wsus_session_check(call, &session) ||
	    !read_request(call, answer)) {
		return;
	}
	err = read_items(answer);
	if (err == EVERR_OK) {
		err = collect_files(answer, &files, &num_files);
	}
	if (err != EVERR_OK) {
		wsus_fault_failed(call, err);
		return;
	}
	put_answer(soap_answer_begin(call, 0), answer, files, num_files);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_update_data = {
	.name = "GetUpdateData",
	.finish = get_update_data,
};
