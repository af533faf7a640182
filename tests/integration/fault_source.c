/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A source that misbehaves when told to: evenlogd as it is, but for the calls
 * below, which the linker leads through this file (--wrap).  Its connections,
 * logons and everything else are real.
 *
 * EVENLOG_FAULTS names a file that is read at each of these calls; no file, no
 * faults.  A line is a word and its numbers:
 *
 *   register CODE WHAT TIMES  opnum 0 returns CODE; WHAT 0: always, 1: with a
 *                             bookmark, 2: with a bookmark and strict
 *   next CODE TIMES           opnums 1 and 2 return CODE
 *   seek CODE                 opnum 12 returns CODE
 *   bound RECORDS             they fault with RPC_S_INVALID_BOUND when asked
 *                             for more than RECORDS
 *   large RECORDS             a reply with more than RECORDS is larger than
 *                             clients take, and its events are gone: what
 *                             Windows does (facts 11.3)
 *   many RECORDS              the same, for its number of records
 *   poison RECORD             the same for each reply with this record id
 *   garbage RECORD            this record is not one
 *
 * TIMES 0: without end; counted anew when the file is another one.  What was
 * asked is appended to the file's name with ".seen", one line a call.
 */

#include "event/result.h"
#include "idl/even6_server.h"
#include "rpc/connection.h"
#include "rpc/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FAULT_INVALID_BOUND 0x000006C6
#define SUBSCRIBE_STRICT 0x10000
/* Above what the client's decoder tolerates, even6.idl. */
#define TOO_LARGE (16 * 1024 * 1024 + 4096)
#define NUMBERS_MAX 3

struct fault {
	unsigned long numbers[NUMBERS_MAX];
	bool there;
};

WERROR __real_dcesrv_even6_EvtRpcRegisterRemoteSubscription(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterRemoteSubscription *r);
WERROR __wrap_dcesrv_even6_EvtRpcRegisterRemoteSubscription(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterRemoteSubscription *r);
WERROR __real_dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r);
WERROR __wrap_dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r);
WERROR __real_dcesrv_even6_EvtRpcRemoteSubscriptionNext(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNext *r);
WERROR __wrap_dcesrv_even6_EvtRpcRemoteSubscriptionNext(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNext *r);
WERROR __real_dcesrv_even6_EvtRpcQuerySeek(struct dcesrv_call_state *call,
					   TALLOC_CTX *mem_ctx,
					   struct even6_EvtRpcQuerySeek *r);
WERROR __wrap_dcesrv_even6_EvtRpcQuerySeek(struct dcesrv_call_state *call,
					   TALLOC_CTX *mem_ctx,
					   struct even6_EvtRpcQuerySeek *r);
void __real_rpc_batch_commit(struct rpc_reader *reader,
			     struct rpc_batch *batch);
void __wrap_rpc_batch_commit(struct rpc_reader *reader,
			     struct rpc_batch *batch);

static bool parse_fault(const char *line, const char *word, struct fault *fault)
{
	size_t len = strlen(word);
	char *at = NULL;
	size_t i;

	if (strncmp(line, word, len) != 0 || line[len] != ' ') {
		return false;
	}
	at = (char *)line + len;
	for (i = 0; i < NUMBERS_MAX; i++) {
		fault->numbers[i] = strtoul(at, &at, 0);
	}
	fault->there = true;
	return true;
}

static struct fault find_fault(const char *word)
{
	const char *path = getenv("EVENLOG_FAULTS");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	struct fault fault = {.there = false};
	char line[256];

	if (f == NULL) {
		return fault;
	}
	while (fgets(line, sizeof(line), f) != NULL &&
	       !parse_fault(line, word, &fault)) {
	}
	fclose(f);
	return fault;
}

/* Whether a fault with so many lives has one left. */
static bool take_life(unsigned long *used, ino_t *of, unsigned long times)
{
	struct stat st = {0};

	if (times == 0) {
		return true;
	}
	if (stat(getenv("EVENLOG_FAULTS"), &st) != 0 || st.st_ino != *of) {
		*of = st.st_ino;
		*used = 0;
	}
	return (*used)++ < times;
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
	const char *path = getenv("EVENLOG_FAULTS");
	char seen[4096];
	FILE *f = NULL;
	va_list ap;

	if (path == NULL) {
		return;
	}
	snprintf(seen, sizeof(seen), "%s.seen", path);
	f = fopen(seen, "ae");
	if (f == NULL) {
		return;
	}
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

/* The command line's own calls are left alone. */
static bool is_remote(struct dcesrv_call_state *call)
{
	return rpc_call_connection(call)->door != RPC_DOOR_LOCAL;
}

/* ------------------------------------------------------------ the calls */

static bool register_matches(
	const struct even6_EvtRpcRegisterRemoteSubscription *r,
	unsigned long what)
{
	bool bookmark = (r->in.flags & 3) == 3;

	switch (what) {
	case 0:
		return true;
	case 1:
		return bookmark;
	default:
		return bookmark && (r->in.flags & SUBSCRIBE_STRICT) != 0;
	}
}

WERROR __wrap_dcesrv_even6_EvtRpcRegisterRemoteSubscription(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRegisterRemoteSubscription *r)
{
	static unsigned long used;
	static ino_t of;
	struct fault fault = find_fault("register");
	bool applies = is_remote(call) && fault.there &&
		       register_matches(r, fault.numbers[1]);

	if (is_remote(call)) {
		tell("register %s 0x%" PRIx32 " %s\n", r->in.channelPath,
		     r->in.flags, (r->in.flags & 3) == 3 ? "bookmark" : "none");
	}
	if (applies && take_life(&used, &of, fault.numbers[2])) {
		return W_ERROR((uint32_t)fault.numbers[0]);
	}
	return __real_dcesrv_even6_EvtRpcRegisterRemoteSubscription(call,
								    mem_ctx, r);
}

/* Whether the call is answered here. */
static bool spoil_next(struct dcesrv_call_state *call, uint32_t num,
		       WERROR *ret_result)
{
	static unsigned long used;
	static ino_t of;
	struct fault bound = find_fault("bound");
	struct fault code = find_fault("next");

	if (!is_remote(call)) {
		return false;
	}
	tell("next %" PRIu32 "\n", num);
	if (bound.there && num > bound.numbers[0]) {
		call->fault_code = FAULT_INVALID_BOUND;
		*ret_result = WERR_OK;
		return true;
	}
	if (code.there && take_life(&used, &of, code.numbers[1])) {
		*ret_result = W_ERROR((uint32_t)code.numbers[0]);
		return true;
	}
	return false;
}

WERROR __wrap_dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNextAsync *r)
{
	WERROR result = WERR_OK;

	if (spoil_next(call, r->in.numRequestedRecords, &result)) {
		return result;
	}
	return __real_dcesrv_even6_EvtRpcRemoteSubscriptionNextAsync(
		call, mem_ctx, r);
}

WERROR __wrap_dcesrv_even6_EvtRpcRemoteSubscriptionNext(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcRemoteSubscriptionNext *r)
{
	WERROR result = WERR_OK;

	if (spoil_next(call, r->in.numRequestedRecords, &result)) {
		return result;
	}
	return __real_dcesrv_even6_EvtRpcRemoteSubscriptionNext(call, mem_ctx,
								r);
}

WERROR __wrap_dcesrv_even6_EvtRpcQuerySeek(struct dcesrv_call_state *call,
					   TALLOC_CTX *mem_ctx,
					   struct even6_EvtRpcQuerySeek *r)
{
	struct fault seek = find_fault("seek");

	if (is_remote(call) && seek.there) {
		return W_ERROR((uint32_t)seek.numbers[0]);
	}
	return __real_dcesrv_even6_EvtRpcQuerySeek(call, mem_ctx, r);
}

/* ------------------------------------------------------------ the replies */

static uint64_t record_id(const struct rpc_batch *batch, uint32_t index)
{
	struct event_result result;
	uint64_t id = 0;
	everr_t err;

	err = event_result_parse(batch->data.data + batch->indices[index],
				 batch->sizes[index], &result);
	if (err != EVERR_OK) {
		return 0;
	}
	memcpy(&id, result.record_ids + 8 * result.current_channel, sizeof(id));
	return id;
}

static bool find_record(const struct rpc_batch *batch,
			const struct fault *fault, uint32_t *ret_index)
{
	uint32_t i;

	for (i = 0; fault->there && i < batch->num; i++) {
		if (record_id(batch, i) == fault->numbers[0]) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

/* The same for the client's decoder, with less to carry: 1,025 records. */
static void make_too_many(struct rpc_batch *batch)
{
	uint32_t num = RPC_BATCH_RECORDS_MAX + 1;

	batch->indices = talloc_zero_array(batch, uint32_t, num);
	batch->sizes = talloc_zero_array(batch, uint32_t, num);
	if (batch->indices == NULL || batch->sizes == NULL) {
		abort();
	}
	tell("too many: %" PRIu32 " records\n", batch->num);
	batch->num = num;
}

static void make_too_large(struct rpc_batch *batch)
{
	uint8_t *data = talloc_zero_size(batch, TOO_LARGE);

	if (data == NULL) {
		abort();
	}
	memcpy(data, batch->data.data, batch->data.len);
	batch->data.data = data;
	batch->data.len = TOO_LARGE;
	tell("too large: %" PRIu32 " records\n", batch->num);
}

void __wrap_rpc_batch_commit(struct rpc_reader *reader, struct rpc_batch *batch)
{
	struct fault large = find_fault("large");
	struct fault many = find_fault("many");
	struct fault poison = find_fault("poison");
	struct fault garbage = find_fault("garbage");
	uint32_t index = 0;

	if (find_record(batch, &garbage, &index)) {
		memset(batch->data.data + batch->indices[index], 0xA5,
		       batch->sizes[index]);
	}
	__real_rpc_batch_commit(reader, batch);
	if (large.there && batch->num > large.numbers[0]) {
		make_too_large(batch);
	} else if ((many.there && batch->num > many.numbers[0]) ||
		   find_record(batch, &poison, &index)) {
		make_too_many(batch);
	}
}
