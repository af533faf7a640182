/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/request.h"

#include "base/text.h"
#include "idl/control_server.h"

#include <string.h>

/* Bytes of UTF-8, so that no more units come of them. */
#define MESSAGE_MAX (CONTROL_MESSAGE_MAX_LENGTH - 1)

struct rpc_request {
	rpc_request_recv_fn recv;
	const char **message;
	uint32_t *error;
	struct rpc_parked *parked;
	struct tevent_req *req;
};

/* Nobody hears of it any more; what it leads to is in its event. */
static void request_lost(void *private_data)
{
	struct rpc_request *request =
		talloc_get_type_abort(private_data, struct rpc_request);

	TALLOC_FREE(request->req);
	request->parked = NULL;
}

everr_t rpc_request_begin(struct dcesrv_call_state *call, TALLOC_CTX *mem_ctx,
			  rpc_request_recv_fn recv, const char **message,
			  uint32_t *error, struct rpc_request **ret_request)
{
	struct rpc_request *request = talloc_zero(mem_ctx, struct rpc_request);
	everr_t err;

	if (request == NULL) {
		return EVERR_NOMEM;
	}
	request->recv = recv;
	request->message = message;
	request->error = error;
	err = rpc_park(call, request_lost, request, &request->parked);
	if (err != EVERR_OK) {
		talloc_free(request);
		return err;
	}
	*ret_request = request;
	return EVERR_OK;
}

/*
 * A message for a person that fits into the call.  It may quote what was sent:
 * what cannot go out whole is cut, or only err said.
 */
static const char *message_fit(char *message, everr_t err)
{
	size_t len = strlen(message);

	if (!text_utf8_valid(message, len)) {
		return everr_text(err);
	}
	if (len > MESSAGE_MAX) {
		len = MESSAGE_MAX;
		while (len > 0 && (message[len] & 0xC0) == 0x80) {
			len--;
		}
		message[len] = '\0';
	}
	return message;
}

static void request_done(struct tevent_req *req)
{
	struct rpc_request *request =
		tevent_req_callback_data(req, struct rpc_request);
	char *message = NULL;
	everr_t err;

	err = request->recv(req, request, &message);
	TALLOC_FREE(req);
	request->req = NULL;
	if (message != NULL) {
		*request->message = message_fit(message, err);
	}
	*request->error = (uint32_t)err;
	rpc_unpark_reply(request->parked);
}

void rpc_request_wait(struct rpc_request *request, struct tevent_req *req)
{
	if (req == NULL) {
		*request->error = (uint32_t)EVERR_NOMEM;
		rpc_unpark_reply(request->parked);
		return;
	}
	request->req = req;
	tevent_req_set_callback(req, request_done, request);
}
