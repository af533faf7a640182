/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Requests about publishers and messages: any stub that can be read is
 * answered, in a form that can be sent, and a failure without results.
 *
 * Input: opnum (9, 10 or 22 to 28) and the kind of its handle, flags (2
 * NDR64), stub.  A stub's handle is replaced by one of that kind.
 */

#include "event/catalog.h"
#include "idl/even6_server.h"
#include "idl/ndr_even6.h"
#include "tests/rpc/fake_host.h"
#include "tests/rpc/fake_store.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 2
#define FLAG_NDR64 2

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

/* --------------------------------------------------- what the calls find */

static const char manifest_text[] =
	"<instrumentationManifest"
	" xmlns='http://schemas.microsoft.com/win/2004/08/events'"
	" xmlns:win='http://manifests.microsoft.com/win/2004/08/windows/"
	"events'><instrumentation><events><provider name='P' symbol='P'"
	" guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}'>"
	"<channels><importChannel chid='A' name='Application'/>"
	"<channel chid='H' name='Hidden' type='Admin'"
	" message='$(string.M)'/></channels>"
	"<tasks><task name='T' value='1' message='$(string.M)'/></tasks>"
	"<opcodes><opcode name='O' value='11'/></opcodes>"
	"<keywords><keyword name='K' mask='0x1' message='$(string.M)'/>"
	"</keywords><templates><template tid='D'>"
	"<data name='N' inType='win:UInt32'/></template></templates><events>"
	"<event value='0' channel='A' template='D' message='$(string.E)'/>"
	"<event value='1' channel='H' message='$(string.M)'/></events>"
	"</provider></events></instrumentation><localization>"
	"<resources culture='en-US'><stringTable>"
	"<string id='M' value='m'/>"
	"<string id='E' value='%1%1%1%1%2!5d! %%1 %99 %3%n%n'/>"
	"</stringTable></resources></localization></instrumentationManifest>";

static struct rpc_service *service;
static struct policy_handle handles[3]; /* publisher, events, another */

static void open_handles(void)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct even6_EvtRpcVariantList list = {};
	struct even6_EvtRpcGetPublisherMetadata open = {
		.in.publisherId = "P",
		.out.pubMetadataProps = &list,
		.out.pubMetadata = &handles[0],
	};
	struct even6_EvtRpcGetEventMetadataEnum events = {
		.in.pubMetadata = &handles[0],
		.out.eventMetaDataEnum = &handles[1],
	};
	struct dcesrv_call_state *call =
		fake_call_state(fake_call_new(service));

	must(W_ERROR_IS_OK(
		dcesrv_even6_EvtRpcGetPublisherMetadata(call, mem_ctx, &open)));
	must(W_ERROR_IS_OK(dcesrv_even6_EvtRpcGetEventMetadataEnum(
		call, mem_ctx, &events)));
	must(rpc_handle_create(call, RPC_HANDLE_LOG, talloc_new(mem_ctx),
			       &handles[2]) == EVERR_OK);
	talloc_free(mem_ctx);
}

/* Each time anew: a handle remembers how far it was read. */
static TALLOC_CTX *world_create(void)
{
	TALLOC_CTX *world = talloc_new(NULL);
	struct store *store = fake_store_create(world);
	struct event_manifest *manifest = NULL;
	struct event_manifest_error error;
	const char *name = NULL;

	fake_channel(store, "Application");
	service = fake_host_create(world, tevent_context_init(world), store);
	fake_deny(fake_channel(store, "Hidden"));
	service->catalog = event_catalog_create(service);
	must(event_manifest_parse(
		     service, "p.man", (const uint8_t *)manifest_text,
		     strlen(manifest_text), &manifest, &error) == EVERR_OK);
	must(event_catalog_add(service->catalog, manifest, &name) == EVERR_OK);
	open_handles();
	return world;
}

/* -------------------------------------------------------------- the calls */

/* The answer's text is whole, or there is none. */
static void check_text(WERROR result, const uint32_t *actual,
		       const uint32_t *needed, uint8_t *const *string,
		       const struct even6_RpcInfo *info)
{
	must(info->m_error == W_ERROR_V(result));
	if (!W_ERROR_IS_OK(result)) {
		must(*actual == 0 && *string == NULL);
		return;
	}
	must(*actual == *needed && *actual >= 2 && *actual % 2 == 0);
	must((*string)[*actual - 1] == 0 && (*string)[*actual - 2] == 0);
}

static WERROR answer_message(struct dcesrv_call_state *call, void *r,
			     bool with_handle, struct policy_handle *handle)
{
	struct even6_EvtRpcMessageRender *a = r;
	struct even6_EvtRpcMessageRenderDefault *b = r;

	if (with_handle) {
		a->in.pubCfgObj = handle;
		a->out.result = dcesrv_even6_EvtRpcMessageRender(call, r, a);
		check_text(a->out.result, a->out.actualSizeString,
			   a->out.neededSizeString, a->out.string,
			   a->out.error);
		return a->out.result;
	}
	b->out.result = dcesrv_even6_EvtRpcMessageRenderDefault(call, r, b);
	check_text(b->out.result, b->out.actualSizeString,
		   b->out.neededSizeString, b->out.string, b->out.error);
	return b->out.result;
}

#define ANSWER(name)                                             \
	do {                                                     \
		struct even6_##name *n = r;                      \
		n->out.result = dcesrv_even6_##name(call, r, n); \
	} while (0)

static void answer(uint32_t opnum, void *r, struct policy_handle *handle)
{
	struct dcesrv_call_state *call =
		fake_call_state(fake_call_new(service));
	struct even6_EvtRpcGetPublisherResourceMetadata *get = r;
	struct even6_EvtRpcGetEventMetadataEnum *open = r;
	struct even6_EvtRpcGetNextEventMetadata *next = r;

	switch (opnum) {
	case NDR_EVEN6_EVTRPCMESSAGERENDER:
	case NDR_EVEN6_EVTRPCMESSAGERENDERDEFAULT:
		answer_message(call, r, opnum == NDR_EVEN6_EVTRPCMESSAGERENDER,
			       handle);
		break;
	case NDR_EVEN6_EVTRPCGETPUBLISHERLIST:
		ANSWER(EvtRpcGetPublisherList);
		break;
	case NDR_EVEN6_EVTRPCGETPUBLISHERLISTFORCHANNEL:
		ANSWER(EvtRpcGetPublisherListForChannel);
		break;
	case NDR_EVEN6_EVTRPCGETPUBLISHERMETADATA:
		ANSWER(EvtRpcGetPublisherMetadata);
		break;
	case NDR_EVEN6_EVTRPCGETPUBLISHERRESOURCEMETADATA:
		get->in.handle = handle;
		ANSWER(EvtRpcGetPublisherResourceMetadata);
		break;
	case NDR_EVEN6_EVTRPCGETEVENTMETADATAENUM:
		open->in.pubMetadata = handle;
		ANSWER(EvtRpcGetEventMetadataEnum);
		break;
	case NDR_EVEN6_EVTRPCGETNEXTEVENTMETADATA:
		next->in.eventMetaDataEnum = handle;
		ANSWER(EvtRpcGetNextEventMetadata);
		break;
	default:
		ANSWER(EvtRpcGetClassicLogDisplayName);
		break;
	}
}

static void exchange(uint8_t choice, uint32_t flags, const uint8_t *data,
		     size_t size)
{
	static const uint32_t opnums[] = {9, 10, 22, 23, 24, 25, 26, 27, 28};
	uint32_t opnum = opnums[choice % 9];
	const struct ndr_interface_call *call = &ndr_table_even6.calls[opnum];
	void *r = talloc_zero_size(service, call->struct_size);
	const DATA_BLOB blob = data_blob_const(data, size);
	struct ndr_pull *pull = ndr_pull_init_blob(&blob, r);
	struct ndr_push *push = ndr_push_init_ctx(r);

	must(r != NULL && pull != NULL && push != NULL);
	pull->flags |= flags | LIBNDR_FLAG_REF_ALLOC;
	push->flags |= flags;
	if (call->ndr_pull(pull, NDR_IN, r) == NDR_ERR_SUCCESS) {
		answer(opnum, r, &handles[choice / 9 % 3]);
		must(call->ndr_push(push, NDR_OUT, r) == NDR_ERR_SUCCESS);
	}
	talloc_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *world = NULL;

	if (size < HEADER) {
		return 0;
	}
	world = world_create();
	exchange(data[0], data[1] & FLAG_NDR64 ? LIBNDR_FLAG_NDR64 : 0,
		 data + HEADER, size - HEADER);
	fake_host_rundown(service);
	talloc_free(world);
	return 0;
}
