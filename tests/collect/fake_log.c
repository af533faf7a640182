/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/collect/fake_log.h"

#include "event/bookmark.h"
#include "event/result.h"

#include <assert.h>
#include <core/werror.h>
#include <string.h>

#define REPLY_MAX (64 * 1024 * 1024)

struct fake_cursor {
	uint32_t handle;
	bool query;
	bool reverse;
	bool filtered;
	uint64_t next; /* id that is looked at next */
	struct fake_cursor *link;
};

static struct fake_cursor *cursor_find(struct fake_log *log, uint32_t handle)
{
	struct fake_cursor *cursor = log->cursors;

	while (cursor != NULL && cursor->handle != handle) {
		cursor = cursor->link;
	}
	return cursor;
}

static struct fake_cursor *cursor_new(struct fake_log *log,
				      struct policy_handle *handle,
				      struct policy_handle *control)
{
	struct fake_cursor *cursor = talloc_zero(log, struct fake_cursor);

	cursor->handle = ++log->num_handles;
	cursor->link = log->cursors;
	log->cursors = cursor;
	handle->uuid.time_low = cursor->handle;
	control->uuid.time_low = ++log->num_handles;
	return cursor;
}

static struct fake_record *record_from(struct fake_log *log, uint64_t id,
				       bool reverse, bool filtered)
{
	size_t i;

	for (i = 0; i < log->num; i++) {
		struct fake_record *r =
			&log->records[reverse ? log->num - 1 - i : i];

		if ((reverse ? r->id <= id : r->id >= id) &&
		    (!filtered || r->selected)) {
			return r;
		}
	}
	return NULL;
}

/* -------------------------------------------------------------- opening */

static void put_channel(TALLOC_CTX *mem_ctx, uint32_t *num,
			struct even6_EvtRpcQueryChannelInfo **info)
{
	*num = 1;
	*info = talloc_zero(mem_ctx, struct even6_EvtRpcQueryChannelInfo);
	(*info)->name = FAKE_LOG_NAME;
}

static uint64_t bookmark_id(TALLOC_CTX *mem_ctx, const char *xml)
{
	struct event_bookmark_list *list = NULL;
	everr_t err;

	err = event_bookmark_parse(mem_ctx, xml, strlen(xml), &list);
	assert(err == EVERR_OK && list->num_bookmarks == 1);
	assert(strcmp(list->bookmarks[0].channel, FAKE_LOG_NAME) == 0);
	return list->bookmarks[0].record_id;
}

static WERROR subscribe(struct fake_log *log,
			struct even6_EvtRpcRegisterRemoteSubscription *r)
{
	uint32_t from = r->in.flags & EVEN6_SUBSCRIBE_ORIGIN_MASK;
	struct fake_cursor *cursor = NULL;
	uint64_t id = 0;

	log->subscriptions++;
	log->last_flags = r->in.flags;
	log->last_bookmark = 0;
	assert(from != EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS);
	if (from == EVEN6_SUBSCRIBE_START_AFTER_BOOKMARK) {
		id = bookmark_id(r, r->in.bookmarkXml);
		log->last_bookmark = id;
		if (log->bookmark_error != 0) {
			return W_ERROR(log->bookmark_error);
		}
		if ((r->in.flags & EVEN6_SUBSCRIBE_STRICT) != 0 &&
		    fake_log_find(log, id) == NULL) {
			return W_ERROR(0x3AA3);
		}
	}
	if (log->open_error != 0) {
		return W_ERROR(log->open_error);
	}
	cursor = cursor_new(log, r->out.handle, r->out.control);
	cursor->next = log->ignore_bookmark ? 0 : id + 1;
	cursor->filtered = strcmp(r->in.query, "*") != 0;
	put_channel(r, r->out.queryChannelInfoSize, r->out.queryChannelInfo);
	return WERR_OK;
}

static WERROR query(struct fake_log *log,
		    struct even6_EvtRpcRegisterLogQuery *r)
{
	struct fake_cursor *cursor = NULL;

	if (log->query_error != 0) {
		return W_ERROR(log->query_error);
	}
	cursor = cursor_new(log, r->out.handle, r->out.opControl);
	cursor->query = true;
	cursor->reverse = r->in.flags & EVEN6_QUERY_REVERSE_DIRECTION;
	cursor->next = cursor->reverse ? UINT64_MAX : 0;
	put_channel(r, r->out.queryChannelInfoSize, r->out.queryChannelInfo);
	return WERR_OK;
}

static WERROR seek(struct fake_log *log, struct even6_EvtRpcQuerySeek *r)
{
	struct fake_cursor *cursor =
		cursor_find(log, r->in.logQuery->uuid.time_low);
	uint64_t id = bookmark_id(r, r->in.bookmarkXml);

	assert(cursor != NULL && r->in.pos == 0);
	assert(r->in.flags ==
	       (EVEN6_SEEK_RELATIVE_TO_BOOKMARK | EVEN6_SEEK_STRICT));
	if (log->seek_error != 0) {
		return W_ERROR(log->seek_error);
	}
	if (fake_log_find(log, id) == NULL) {
		return W_ERROR(0x490);
	}
	cursor->next = id;
	return WERR_OK;
}

/* -------------------------------------------------------------- reading */

struct answer {
	uint32_t *num;
	uint32_t **offsets;
	uint32_t **sizes;
	uint32_t *len;
	uint8_t **data;
};

static void put_record(struct buf *out, const struct fake_record *record,
		       uint64_t id)
{
	size_t start = event_result_begin(out);

	buf_put(out, record->doc, record->len);
	event_result_end(out, start, NULL, 0, &id, 1, 0, false);
	if (record->malformed) {
		memset(out->data + start, 0xFF, 16);
	}
}

static WERROR deliver(struct fake_log *log, TALLOC_CTX *mem_ctx,
		      struct fake_cursor *cursor, uint32_t asked,
		      const struct answer *answer)
{
	struct fake_record *record = NULL;
	uint64_t next = cursor->next;
	uint32_t max = asked;
	uint32_t num = 0;
	struct buf out;

	if (log->at_once != 0 && max > log->at_once) {
		max = (uint32_t)log->at_once;
	}
	*answer->offsets = talloc_zero_array(mem_ctx, uint32_t, max);
	*answer->sizes = talloc_zero_array(mem_ctx, uint32_t, max);
	buf_init(&out, mem_ctx, REPLY_MAX);
	while (num < max) {
		record = record_from(log, next, cursor->reverse,
				     cursor->filtered);
		if (record == NULL) {
			break;
		}
		if (record->too_large ||
		    (log->bound != 0 && num >= log->bound)) {
			return W_ERROR(1734);
		}
		(*answer->offsets)[num] = (uint32_t)out.len;
		put_record(&out, record,
			   !cursor->query && log->lie_id != 0 ? log->lie_id
							      : record->id);
		(*answer->sizes)[num] =
			(uint32_t)out.len - (*answer->offsets)[num];
		(*answer->sizes)[num] += cursor->query ? 0 : log->torn;
		num++;
		next = cursor->reverse ? record->id - 1 : record->id + 1;
	}
	cursor->next = next;
	*answer->num = num;
	*answer->len = (uint32_t)out.len;
	*answer->data = out.data;
	return WERR_OK;
}

static bool take_error(struct fake_log *log, WERROR *result, NTSTATUS *status)
{
	if (log->next_error != 0) {
		*result = W_ERROR(log->next_error);
		log->next_error = 0;
		return true;
	}
	if (!NT_STATUS_IS_OK(log->next_status)) {
		*status = log->next_status;
		log->next_status = NT_STATUS_OK;
		return true;
	}
	return false;
}

static NTSTATUS push(struct fake_log *log,
		     struct even6_EvtRpcRemoteSubscriptionNextAsync *r)
{
	struct fake_cursor *cursor =
		cursor_find(log, r->in.handle->uuid.time_low);
	struct answer answer = {r->out.numActualRecords,
				r->out.eventDataIndices, r->out.eventDataSizes,
				r->out.resultBufferSize, r->out.resultBuffer};
	NTSTATUS status = NT_STATUS_OK;

	log->last_asked = r->in.numRequestedRecords;
	if (cursor == NULL) {
		r->out.result = W_ERROR(0x4C7);
		return NT_STATUS_OK;
	}
	if (take_error(log, &r->out.result, &status)) {
		return status;
	}
	r->out.result =
		deliver(log, r, cursor, r->in.numRequestedRecords, &answer);
	if (W_ERROR_IS_OK(r->out.result) && *answer.num == 0 &&
	    !log->next_lies) {
		return NT_STATUS_PENDING;
	}
	return NT_STATUS_OK;
}

static NTSTATUS pull(struct fake_log *log,
		     struct even6_EvtRpcRemoteSubscriptionNext *r)
{
	struct fake_cursor *cursor =
		cursor_find(log, r->in.handle->uuid.time_low);
	struct answer answer = {r->out.numActualRecords,
				r->out.eventDataIndices, r->out.eventDataSizes,
				r->out.resultBufferSize, r->out.resultBuffer};
	NTSTATUS status = NT_STATUS_OK;

	log->last_asked = r->in.numRequestedRecords;
	assert(cursor != NULL && r->in.timeOut == 0);
	if (take_error(log, &r->out.result, &status)) {
		return status;
	}
	r->out.result =
		deliver(log, r, cursor, r->in.numRequestedRecords, &answer);
	return NT_STATUS_OK;
}

static NTSTATUS wait(struct fake_log *log,
		     struct even6_EvtRpcRemoteSubscriptionWaitAsync *r)
{
	struct fake_cursor *cursor =
		cursor_find(log, r->in.handle->uuid.time_low);

	if (cursor == NULL) {
		r->out.result = W_ERROR(0x4C7);
		return NT_STATUS_OK;
	}
	if (log->wait_lies ||
	    record_from(log, cursor->next, false, cursor->filtered) != NULL) {
		return NT_STATUS_OK;
	}
	return NT_STATUS_PENDING;
}

static void query_next(struct fake_log *log, struct even6_EvtRpcQueryNext *r)
{
	struct fake_cursor *cursor =
		cursor_find(log, r->in.logQuery->uuid.time_low);
	struct answer answer = {r->out.numActualRecords,
				r->out.eventDataIndices, r->out.eventDataSizes,
				r->out.resultBufferSize, r->out.resultBuffer};

	assert(cursor != NULL && cursor->query);
	r->out.result =
		deliver(log, r, cursor, r->in.numRequestedRecords, &answer);
	if (W_ERROR_IS_OK(r->out.result) && *answer.num == 0) {
		r->out.result = W_ERROR(259);
	}
}

/* ------------------------------------------------------------------ log */

static WERROR log_info(struct fake_log *log,
		       struct even6_EvtRpcGetLogFileInfo *r)
{
	uint8_t *value = r->out.propertyValueBuffer;
	uint64_t number = 0;
	uint32_t type = 0x0A;

	switch (r->in.propertyId) {
	case 0:
		if (log->created == 0) {
			return W_ERROR(0x57);
		}
		number = log->created;
		type = 0x11;
		break;
	case 5:
		number = log->num;
		break;
	case 6:
		if (log->num == 0) {
			type = 0;
			break;
		}
		number = log->records[0].id;
		break;
	default:
		assert(false);
	}
	le64_set(value, number);
	le32_set(value + 8, 1);
	le32_set(value + 12, type);
	*r->out.propertyValueBufferLength = 16;
	return WERR_OK;
}

static void close_handle(struct fake_log *log, struct even6_EvtRpcClose *r)
{
	struct fake_cursor **at = &log->cursors;

	while (*at != NULL && (*at)->handle != r->in.handle->uuid.time_low) {
		at = &(*at)->link;
	}
	if (*at != NULL) {
		struct fake_cursor *gone = *at;

		*at = gone->link;
		talloc_free(gone);
	}
	memset(r->out.handle, 0, sizeof(*r->out.handle));
}

static NTSTATUS answer(struct fake_service *service, uint32_t opnum, void *r)
{
	struct fake_log *log = service->private_data;
	struct even6_EvtRpcRegisterRemoteSubscription *r0 = r;
	struct even6_EvtRpcRegisterLogQuery *r5 = r;
	struct even6_EvtRpcQuerySeek *r12 = r;
	struct even6_EvtRpcOpenLogHandle *r17 = r;
	struct even6_EvtRpcGetLogFileInfo *r18 = r;

	switch (opnum) {
	case 0:
		r0->out.result = subscribe(log, r0);
		return NT_STATUS_OK;
	case 1:
		return push(log, r);
	case 2:
		return pull(log, r);
	case 3:
		return wait(log, r);
	case 5:
		r5->out.result = query(log, r5);
		return NT_STATUS_OK;
	case 11:
		query_next(log, r);
		return NT_STATUS_OK;
	case 12:
		r12->out.result = seek(log, r12);
		return NT_STATUS_OK;
	case 13:
		close_handle(log, r);
		return NT_STATUS_OK;
	case 14:
		return NT_STATUS_OK;
	case 17:
		r17->out.result = W_ERROR(log->info_error);
		return NT_STATUS_OK;
	case 18:
		r18->out.result = log_info(log, r18);
		return NT_STATUS_OK;
	default:
		assert(false);
		return NT_STATUS_NOT_IMPLEMENTED;
	}
}

struct fake_log *fake_log_create(TALLOC_CTX *mem_ctx)
{
	struct fake_log *log = talloc_zero(mem_ctx, struct fake_log);

	log->service = fake_service_create(log, answer, log, &log->connection);
	log->created = UINT64_C(133444736000000000);
	return log;
}

void fake_log_add(struct fake_log *log, uint64_t id, const uint8_t *doc,
		  size_t len)
{
	log->records = talloc_realloc(log, log->records, struct fake_record,
				      log->num + 1);
	log->records[log->num] = (struct fake_record){
		.id = id, .doc = doc, .len = len, .selected = true};
	log->num++;
}

struct fake_record *fake_log_find(struct fake_log *log, uint64_t id)
{
	size_t i;

	for (i = 0; i < log->num; i++) {
		if (log->records[i].id == id) {
			return &log->records[i];
		}
	}
	return NULL;
}

static void drop(struct fake_log *log, uint64_t first, uint64_t last)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < log->num; i++) {
		uint64_t id = log->records[i].id;

		if (id < first || id > last) {
			log->records[kept] = log->records[i];
			kept++;
		}
	}
	log->num = kept;
}

void fake_log_trim(struct fake_log *log, uint64_t below)
{
	drop(log, 0, below - 1);
}

void fake_log_lose(struct fake_log *log, uint64_t id)
{
	drop(log, id, id);
}

void fake_log_rewind(struct fake_log *log)
{
	struct fake_cursor *cursor = NULL;

	for (cursor = log->cursors; cursor != NULL; cursor = cursor->link) {
		cursor->next = 0;
	}
}

void fake_log_wake(struct fake_log *log)
{
	fake_service_wake(log->service);
}
