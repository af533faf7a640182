/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Texts of events, opnums 9 and 10: [MS-EVEN6] 3.1.4.31 and 3.1.4.32; facts
 * 4.8 and 12.6.
 *
 * A handle's locale: 0 lets the catalog pick, English before others.  With a
 * concrete one the texts of a publisher are those of that culture or of one of
 * the same language, else there is none (facts 12.3); the standard names of
 * levels, opcodes and keywords, which everybody has in English only, are given
 * out all the same.
 */

#include "base/text.h"
#include "event/message_event.h"
#include "idl/even6_server.h"
#include "rpc/publisher.h"
#include "rpc/target.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* EVENT_DESCRIPTOR, [MS-DTYP] 2.3.1 */
#define DESCRIPTOR_SIZE 16
/* All values of a call as text; an event's are less than 1 MiB in UTF-16. */
#define VALUES_MAX EVENT_MESSAGE_MAX
/* Between the elements of an array. */
#define VALUE_SEPARATOR ", "

struct descriptor {
	uint16_t id;
	uint8_t version;
	uint8_t channel;
	uint8_t level;
	uint8_t opcode;
	uint16_t task;
	uint64_t keywords;
};

/* What both calls are about. */
struct request {
	struct dcesrv_call_state *call;
	const struct event_catalog *catalog;
	/* Opnum 10: the default one. */
	const struct event_publisher *publisher;
	uint32_t lcid;

	struct descriptor event;
	uint32_t message_id;
	const struct even6_EvtRpcVariantList *values;
	uint32_t flags;
	uint32_t max_size;
};

struct reply {
	uint32_t *actual;
	uint32_t *needed;
	uint8_t **string;
};

/*
 * Clients leave the upper half of the keywords away (facts 16.1, 9): what does
 * not come is zero.
 */
static struct descriptor descriptor_parse(const uint8_t *data, uint32_t size)
{
	uint8_t bytes[DESCRIPTOR_SIZE] = {0};

	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	return (struct descriptor){
		.id = le16_get(bytes),
		.version = bytes[2],
		.channel = bytes[3],
		.level = bytes[4],
		.opcode = bytes[5],
		.task = le16_get(bytes + 6),
		.keywords = le64_get(bytes + 8),
	};
}

/* -------------------------------------------------------------- values */

static void guid_put(struct buf *out, const struct GUID *guid)
{
	buf_printf(out, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
		   (unsigned int)guid->time_low, guid->time_mid,
		   guid->time_hi_and_version, guid->clock_seq[0],
		   guid->clock_seq[1], guid->node[0], guid->node[1],
		   guid->node[2], guid->node[3], guid->node[4], guid->node[5]);
}

/* Element i of an array, or the value itself. */
static void element_put(struct buf *out, const struct even6_EvtRpcVariant *v,
			uint32_t i)
{
	switch (v->type) {
	case EvtRpcVarTypeNull:
		break;
	case EvtRpcVarTypeBoolean:
		buf_puts(out, v->var.booleanVal ? "true" : "false");
		break;
	case EvtRpcVarTypeUInt32:
		buf_printf(out, "%" PRIu32, v->var.uint32Val);
		break;
	case EvtRpcVarTypeUInt64:
		buf_printf(out, "%" PRIu64, v->var.uint64Val);
		break;
	case EvtRpcVarTypeString:
		if (v->var.stringVal != NULL) {
			buf_puts(out, v->var.stringVal);
		}
		break;
	case EvtRpcVarTypeGuid:
		if (v->var.guidVal != NULL) {
			guid_put(out, v->var.guidVal);
		}
		break;
	case EvtRpcVarTypeBooleanArray:
		buf_puts(out, v->var.booleanArray.ptr[i] ? "true" : "false");
		break;
	case EvtRpcVarTypeUInt32Array:
		buf_printf(out, "%" PRIu32, v->var.uint32Array.ptr[i]);
		break;
	case EvtRpcVarTypeUInt64Array:
		buf_printf(out, "%" PRIu64, v->var.uint64Array.ptr[i]);
		break;
	case EvtRpcVarTypeStringArray:
		if (v->var.stringArray.ptr[i] != NULL) {
			buf_puts(out, v->var.stringArray.ptr[i]);
		}
		break;
	case EvtRpcVarTypeGuidArray:
		guid_put(out, &v->var.guidArray.ptr[i]);
		break;
	}
}

/* How many elements are there; a value that is no array is one. */
static uint32_t element_count(const struct even6_EvtRpcVariant *v)
{
	switch (v->type) {
	case EvtRpcVarTypeBooleanArray:
		return v->var.booleanArray.ptr != NULL
			       ? v->var.booleanArray.count
			       : 0;
	case EvtRpcVarTypeUInt32Array:
		return v->var.uint32Array.ptr != NULL ? v->var.uint32Array.count
						      : 0;
	case EvtRpcVarTypeUInt64Array:
		return v->var.uint64Array.ptr != NULL ? v->var.uint64Array.count
						      : 0;
	case EvtRpcVarTypeStringArray:
		return v->var.stringArray.ptr != NULL ? v->var.stringArray.count
						      : 0;
	case EvtRpcVarTypeGuidArray:
		return v->var.guidArray.ptr != NULL ? v->var.guidArray.count
						    : 0;
	default:
		return 1;
	}
}

/*
 * The protocol has strings for values; what comes in another type is written
 * as an event's own values are.
 */
static void value_put(struct buf *out, const struct even6_EvtRpcVariant *v)
{
	uint32_t num = element_count(v);
	uint32_t i;

	for (i = 0; i < num && buf_error(out) == EVERR_OK; i++) {
		if (i > 0) {
			buf_puts(out, VALUE_SEPARATOR);
		}
		element_put(out, v, i);
	}
	buf_put_u8(out, 0);
}

/* Values beyond what a message can name are ignored. */
static everr_t values_text(TALLOC_CTX *mem_ctx,
			   const struct even6_EvtRpcVariantList *values,
			   const char *inserts[EVENT_MESSAGE_INSERTS_MAX],
			   size_t *ret_num)
{
	size_t at[EVENT_MESSAGE_INSERTS_MAX];
	size_t num = values->props != NULL ? values->count : 0;
	struct buf text;
	size_t i;

	if (num > EVENT_MESSAGE_INSERTS_MAX) {
		num = EVENT_MESSAGE_INSERTS_MAX;
	}
	buf_init(&text, mem_ctx, VALUES_MAX);
	for (i = 0; i < num; i++) {
		at[i] = text.len;
		value_put(&text, &values->props[i]);
	}
	if (buf_error(&text) != EVERR_OK) {
		return buf_error(&text);
	}
	for (i = 0; i < num; i++) {
		inserts[i] = (const char *)text.data + at[i];
	}
	*ret_num = num;
	return EVERR_OK;
}

/* The number that a text is, "-5", "17" or "0x1f"; false: it is none. */
static bool text_number(const char *text, uint64_t *ret_number)
{
	bool negative = text[0] == '-';
	unsigned long long number;
	char *end = NULL;
	int base = 10;

	text += negative ? 1 : 0;
	if (!negative && text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (!isxdigit((unsigned char)text[0])) {
		return false;
	}
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno != 0 || *end != '\0') {
		return false;
	}
	*ret_number = negative ? 0 - (uint64_t)number : (uint64_t)number;
	return true;
}

static bool type_is_integer(uint8_t type)
{
	return (type >= EVENT_TYPE_INT8 && type <= EVENT_TYPE_UINT64) ||
	       type == EVENT_TYPE_HEXINT32 || type == EVENT_TYPE_HEXINT64;
}

/*
 * Numbers in words, where the manifest has a map for them.  The protocol hands
 * over no maps, so that only the server can do it; a client that knows the
 * words already sends no number (facts 12.5; what Windows does is not
 * verified).  The form of an outType is the client's matter, who has the
 * template.
 */
static everr_t values_shown(const struct request *request, TALLOC_CTX *mem_ctx,
			    const struct event_manifest_event *event,
			    const char **inserts, size_t num)
{
	const struct event_manifest_template *tmpl = event->tmpl;
	struct event_message_source *source = NULL;
	size_t i;

	if (tmpl == NULL) {
		return EVERR_OK;
	}
	source = talloc_zero(mem_ctx, struct event_message_source);
	if (source == NULL) {
		return EVERR_NOMEM;
	}
	source->event_id = request->event.id;
	source->version = request->event.version;
	source->num_inserts = num;
	for (i = 0; i < num; i++) {
		struct event_message_insert *insert = &source->inserts[i];

		insert->text = inserts[i];
		insert->is_integer = i < tmpl->num_fields &&
				     tmpl->fields[i].map != NULL &&
				     type_is_integer(tmpl->fields[i].type) &&
				     text_number(insert->text, &insert->number);
	}
	event_message_texts(source, request->publisher, source, request->lcid,
			    inserts);
	return EVERR_OK;
}

/* --------------------------------------------------------------- texts */

/* A text of the message table, with the caller's values in it. */
static everr_t message_put(const struct request *request, TALLOC_CTX *mem_ctx,
			   struct buf *out, const char *message,
			   bool with_values,
			   const struct event_manifest_event *event)
{
	const char *inserts[EVENT_MESSAGE_INSERTS_MAX] = {NULL};
	size_t num = 0;
	everr_t err;

	if (with_values) {
		err = values_text(mem_ctx, request->values, inserts, &num);
		if (err == EVERR_OK && event != NULL) {
			err = values_shown(request, mem_ctx, event, inserts,
					   num);
		}
		if (err != EVERR_OK) {
			return err;
		}
	}
	return event_message_format(out, request->publisher, request->lcid,
				    message, inserts, num);
}

/*
 * event NULL: of none.
 * EVERR_NOT_FOUND: no message id; EVERR_MESSAGE: no text of that id
 */
static everr_t message_by_id(const struct request *request, TALLOC_CTX *mem_ctx,
			     struct buf *out, uint32_t id, bool with_values,
			     const struct event_manifest_event *event)
{
	bool exact = request->lcid != 0;
	const char *message = NULL;

	if (id == EVENT_MESSAGE_NONE) {
		return EVERR_NOT_FOUND;
	}
	message = event_publisher_message(request->publisher, id, request->lcid,
					  exact);
	if (message == NULL) {
		return EVERR_MESSAGE;
	}
	return message_put(request, mem_ctx, out, message, with_values, event);
}

static everr_t event_put(const struct request *request, TALLOC_CTX *mem_ctx,
			 struct buf *out)
{
	const struct event_manifest_event *event = event_publisher_event(
		request->publisher, request->event.id, request->event.version);

	if (event == NULL) {
		return EVERR_NOT_FOUND;
	}
	return message_by_id(request, mem_ctx, out, event->message_id, true,
			     event);
}

static everr_t channel_put(const struct request *request, TALLOC_CTX *mem_ctx,
			   struct buf *out)
{
	const struct event_publisher *publisher = request->publisher;
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		const struct event_manifest_channel *channel =
			&publisher->channels[i];

		if (channel->id == request->event.channel &&
		    rpc_publisher_shows(request->call, channel)) {
			return message_by_id(request, mem_ctx, out,
					     channel->message_id, false, NULL);
		}
	}
	return EVERR_NOT_FOUND;
}

/* Whether a message is the name of a channel that is not to be seen. */
static bool message_is_hidden(const struct request *request)
{
	const struct event_publisher *publisher = request->publisher;
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		if (publisher->channels[i].message_id == request->message_id &&
		    !rpc_publisher_shows(request->call,
					 &publisher->channels[i])) {
			return true;
		}
	}
	return false;
}

static everr_t id_put(const struct request *request, TALLOC_CTX *mem_ctx,
		      struct buf *out)
{
	if (message_is_hidden(request)) {
		return EVERR_MESSAGE;
	}
	return message_by_id(request, mem_ctx, out, request->message_id, true,
			     NULL);
}

/* A name's text is a message like others, without inserts. */
static everr_t name_put(const struct request *request, struct buf *out,
			const char *name)
{
	if (name == NULL) {
		return EVERR_NOT_FOUND;
	}
	return event_message_format(out, request->publisher, request->lcid,
				    name, NULL, 0);
}

/* The name of one keyword, if it has one, and a NUL. */
static everr_t keyword_put(const struct request *request, struct buf *out,
			   uint64_t bit)
{
	const char *name = event_catalog_keyword(
		request->catalog, request->publisher, bit, request->lcid);
	everr_t err;

	if (name == NULL) {
		return EVERR_OK;
	}
	err = name_put(request, out, name);
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u8(out, 0);
	return buf_error(out);
}

/* The NUL after the last one is the caller's, as it is with one text. */
static everr_t keywords_put(const struct request *request, struct buf *out)
{
	uint64_t mask = request->event.keywords;
	everr_t err = EVERR_OK;
	uint64_t bit;

	if (mask == 0) {
		err = keyword_put(request, out, 0);
	}
	for (bit = 1; bit != 0 && err == EVERR_OK; bit <<= 1) {
		if ((mask & bit) != 0) {
			err = keyword_put(request, out, bit);
		}
	}
	if (err == EVERR_OK && out->len == 0) {
		return EVERR_NOT_FOUND;
	}
	return err;
}

/* UTF-8 without the last NUL. */
static everr_t text_put(const struct request *request, TALLOC_CTX *mem_ctx,
			struct buf *out)
{
	const struct event_catalog *catalog = request->catalog;
	const struct event_publisher *publisher = request->publisher;
	const struct descriptor *event = &request->event;
	uint32_t lcid = request->lcid;

	switch (request->flags) {
	case EVEN6_FORMAT_MESSAGE_EVENT:
		return event_put(request, mem_ctx, out);
	case EVEN6_FORMAT_MESSAGE_LEVEL:
		return name_put(request, out,
				event_catalog_level(catalog, publisher,
						    event->level, lcid));
	case EVEN6_FORMAT_MESSAGE_TASK:
		return name_put(request, out,
				event_catalog_task(catalog, publisher,
						   event->task, lcid));
	case EVEN6_FORMAT_MESSAGE_OPCODE:
		return name_put(request, out,
				event_catalog_opcode(catalog, publisher,
						     event->task, event->opcode,
						     lcid));
	case EVEN6_FORMAT_MESSAGE_KEYWORD:
		return keywords_put(request, out);
	case EVEN6_FORMAT_MESSAGE_CHANNEL:
		return channel_put(request, mem_ctx, out);
	case EVEN6_FORMAT_MESSAGE_PROVIDER:
		return message_by_id(request, mem_ctx, out,
				     publisher->message_id, false, NULL);
	case EVEN6_FORMAT_MESSAGE_ID:
		return id_put(request, mem_ctx, out);
	default:
		return EVERR_INVALID;
	}
}

/* --------------------------------------------------------------- calls */

static everr_t message_render(const struct request *request,
			      TALLOC_CTX *mem_ctx, struct buf *ret_utf16)
{
	struct buf utf16;
	struct buf text;
	everr_t err;

	buf_init(&text, mem_ctx, EVENT_MESSAGE_MAX);
	err = text_put(request, mem_ctx, &text);
	if (err != EVERR_OK) {
		return err;
	}
	buf_init(&utf16, mem_ctx, EVEN6_MAX_RPC_RENDERED_STRING_SIZE);
	err = text_utf8_to_utf16(&utf16, (const char *)text.data, text.len);
	if (err != EVERR_OK) {
		return err;
	}
	buf_put_u16(&utf16, 0);
	if (buf_error(&utf16) != EVERR_OK) {
		return buf_error(&utf16);
	}
	*ret_utf16 = utf16;
	return EVERR_OK;
}

/* [MS-EVEN6] 3.1.4.31: the two ways of there being no text. */
static WERROR message_werror(everr_t err)
{
	switch (err) {
	case EVERR_NOT_FOUND:
		return WERR_EVT_MESSAGE_ID_NOT_FOUND;
	case EVERR_MESSAGE:
		return WERR_EVT_MESSAGE_NOT_FOUND;
	default:
		return rpc_werror(err);
	}
}

static WERROR message_answer(const struct request *request, TALLOC_CTX *mem_ctx,
			     const struct reply *reply)
{
	struct buf text = {};
	everr_t err;

	err = message_render(request, mem_ctx, &text);
	if (err != EVERR_OK) {
		return message_werror(err);
	}
	*reply->needed = (uint32_t)text.len;
	if (text.len > request->max_size) {
		return WERR_INSUFFICIENT_BUFFER;
	}
	*reply->actual = (uint32_t)text.len;
	*reply->string = text.data;
	return WERR_OK;
}

/* What opnums 9 and 10 have in common. */
#define REQUEST(r)                                                         \
	{                                                                  \
		.event = descriptor_parse((r)->in.eventId,                 \
					  (r)->in.sizeEventId),            \
		.message_id = (r)->in.messageId, .values = (r)->in.values, \
		.flags = (r)->in.flags, .max_size = (r)->in.maxSizeString, \
	}
#define REPLY(r)                                     \
	{                                            \
		.actual = (r)->out.actualSizeString, \
		.needed = (r)->out.neededSizeString, \
		.string = (r)->out.string,           \
	}

WERROR dcesrv_even6_EvtRpcMessageRender(struct dcesrv_call_state *call,
					TALLOC_CTX *mem_ctx,
					struct even6_EvtRpcMessageRender *r)
{
	struct request request = REQUEST(r);
	struct reply reply = REPLY(r);
	struct rpc_publisher *publisher = NULL;
	WERROR werr;
	everr_t err;

	err = rpc_publisher_lookup(call, r->in.pubCfgObj, &publisher);
	if (err != EVERR_OK) {
		werr = rpc_werror(err);
	} else {
		request.call = call;
		request.catalog = publisher->catalog;
		request.publisher = publisher->publisher;
		request.lcid = publisher->lcid;
		werr = message_answer(&request, mem_ctx, &reply);
	}
	rpc_info_set(r->out.error, werr);
	return werr;
}

WERROR dcesrv_even6_EvtRpcMessageRenderDefault(
	struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
	struct even6_EvtRpcMessageRenderDefault *r)
{
	struct request request = REQUEST(r);
	struct reply reply = REPLY(r);
	WERROR werr;

	request.call = call;
	request.catalog = rpc_call_service(call)->catalog;
	request.publisher = event_catalog_default(request.catalog);
	/* [MS-EVEN6] 3.1.4.32: there is no channel and no provider here. */
	if (request.flags == EVEN6_FORMAT_MESSAGE_CHANNEL ||
	    request.flags == EVEN6_FORMAT_MESSAGE_PROVIDER) {
		werr = WERR_INVALID_PARAMETER;
	} else {
		werr = message_answer(&request, mem_ctx, &reply);
	}
	rpc_info_set(r->out.error, werr);
	return werr;
}
