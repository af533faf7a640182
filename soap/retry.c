/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An entry of the quarantine is taken in once more: by the code that took it
 * in when it came, as from the peer that had sent it.
 */

#include "soap/soap_internal.h"

#include "soap/service.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct retry_state {
	struct soap_retry link; /* of the soap */
	struct tevent_context *ev;
	struct soap *soap;
	struct quarantine_entry entry;
	uint8_t *data;
	size_t len;
	struct soap_service service; /* a copy, with our rejected() */
	struct http_field fields[2];
	char *message;
	struct tevent_req *subreq; /* the work, which ends with the soap */
};

static void retry_failed(struct tevent_req *req, everr_t err, const char *fmt,
			 ...) __attribute__((format(printf, 3, 4)));

static void retry_failed(struct tevent_req *req, everr_t err, const char *fmt,
			 ...)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	va_list ap;

	va_start(ap, fmt);
	state->message = talloc_vasprintf(state, fmt, ap);
	va_end(ap);
	tevent_req_error(req, err);
}

/* Its events are on disk. */
static void retry_taken(struct tevent_req *req)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	everr_t err;

	err = quarantine_remove(state->soap->quarantine, state->entry.name);
	if (err != EVERR_OK && err != EVERR_NOT_FOUND) {
		retry_failed(
			req, err, "it was taken, but could not be removed: %s",
			err == EVERR_IO ? strerror(errno) : everr_text(err));
		return;
	}
	tevent_req_done(req);
}

/* ----------------------------------------------------------- ConfigMgr */

static void retry_injected(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	char *message = NULL;
	everr_t err;

	err = configmgr_inject_recv(subreq, state, &message);
	TALLOC_FREE(state->subreq);
	if (err != EVERR_OK) {
		retry_failed(req, err, "%s",
			     message != NULL ? message : everr_text(err));
		return;
	}
	retry_taken(req);
}

static void retry_configmgr(struct tevent_req *req)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);

	if (state->soap->configmgr == NULL) {
		retry_failed(req, EVERR_NOT_SUPPORTED,
			     "no listener serves configmgr");
		return;
	}
	state->subreq =
		configmgr_inject_send(state, state->ev, state->soap->configmgr,
				      &state->entry, state->data, state->len);
	if (tevent_req_nomem(state->subreq, req)) {
		return;
	}
	tevent_req_set_callback(state->subreq, retry_injected, req);
}

/* ---------------------------------------------------------------- WSUS */

/* In place of the service's own, which would keep and report it again. */
static void retry_rejected(void *private_data,
			   const struct soap_rejected *rejected)
{
	struct retry_state *state = talloc_find_parent_bytype(
		rejected->exchange, struct retry_state);

	(void)private_data;
	if (state != NULL && rejected->reason != NULL) {
		TALLOC_FREE(state->message);
		state->message = talloc_strdup(state, rejected->reason);
	}
}

static void retry_replayed(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	unsigned int status = 0;
	everr_t err;

	err = http_replay_recv(subreq, &status);
	TALLOC_FREE(state->subreq);
	if (err != EVERR_OK) {
		retry_failed(req, err, "%s", everr_text(err));
	} else if (status == 200) {
		retry_taken(req);
	} else if (state->message != NULL) {
		tevent_req_error(req, EVERR_TEXT);
	} else {
		retry_failed(req, EVERR_TEXT, "it was answered with status %u",
			     status);
	}
}

static const struct soap_service *find_service(const struct wsus *wsus,
					       const char *path)
{
	const struct http_route *routes = NULL;
	size_t num = 0;
	size_t i;

	routes = wsus_routes(wsus, &num);
	for (i = 0; path != NULL && i < num; i++) {
		if (routes[i].handler == &soap_handler &&
		    strcasecmp(routes[i].path, path) == 0) {
			return routes[i].private_data;
		}
	}
	return NULL;
}

static size_t put_field(struct http_field *fields, size_t num, const char *name,
			const char *value)
{
	if (value == NULL) {
		return num;
	}
	fields[num] = (struct http_field){.name = name, .value = value};
	return num + 1;
}

static void retry_wsus(struct tevent_req *req)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	const struct quarantine_entry *entry = &state->entry;
	const struct soap_service *service = NULL;
	struct http_replay request = {
		.method = entry->method != NULL ? entry->method : "POST",
		.path = entry->path,
		.fields = state->fields,
		.peer = entry->peer,
		.body = state->data,
		.len = state->len,
	};

	if (state->soap->wsus == NULL) {
		retry_failed(req, EVERR_NOT_SUPPORTED,
			     "no listener serves wsus");
		return;
	}
	service = find_service(state->soap->wsus, entry->path);
	if (service == NULL) {
		retry_failed(req, EVERR_NOT_SUPPORTED,
			     "nothing is served at its URL");
		return;
	}
	state->service = *service;
	state->service.rejected = retry_rejected;
	request.num_fields = put_field(state->fields, 0, "Content-Type",
				       entry->content_type);
	request.num_fields = put_field(state->fields, request.num_fields,
				       "SOAPAction", entry->soap_action);
	state->subreq = http_replay_send(state, state->ev, &soap_handler,
					 &state->service, &request);
	if (tevent_req_nomem(state->subreq, req)) {
		return;
	}
	tevent_req_set_callback(state->subreq, retry_replayed, req);
}

/* ---------------------------------------------------------- the request */

static const struct {
	const char *source;
	void (*start)(struct tevent_req *req);
} sources[] = {
	{CONFIGMGR_QUARANTINE, retry_configmgr},
	{"wsus", retry_wsus},
};

static void retry_start(struct tevent_req *req)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	size_t i;

	if (!state->entry.complete) {
		retry_failed(req, EVERR_NOT_SUPPORTED,
			     "it was not kept whole, so it cannot be tried "
			     "again");
		return;
	}
	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (state->entry.source != NULL &&
		    strcmp(state->entry.source, sources[i].source) == 0) {
			sources[i].start(req);
			return;
		}
	}
	retry_failed(req, EVERR_NOT_SUPPORTED,
		     "nothing is known of where it came from");
}

/* The services go away: so does the work that uses them. */
static void retry_stop(struct soap_retry *link)
{
	struct retry_state *state =
		talloc_get_type_abort(link->private_data, struct retry_state);

	TALLOC_FREE(state->subreq);
}

static int retry_destructor(struct retry_state *state)
{
	/* Before what it uses. */
	TALLOC_FREE(state->subreq);
	if (state->link.listed) {
		LIST_REMOVE(&state->link, link);
	}
	return 0;
}

struct tevent_req *soap_retry_send(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev, struct soap *soap,
				   const char *name)
{
	struct retry_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = tevent_req_create(mem_ctx, &state, struct retry_state);
	if (req == NULL) {
		return NULL;
	}
	if (soap == NULL) {
		retry_failed(req, EVERR_NOT_SUPPORTED,
			     "the configuration has no listener");
		return tevent_req_post(req, ev);
	}
	state->ev = ev;
	state->soap = soap;
	state->link.stop = retry_stop;
	state->link.private_data = state;
	state->link.listed = true;
	LIST_INSERT_HEAD(&soap->retries, &state->link, link);
	talloc_set_destructor(state, retry_destructor);
	err = quarantine_read(state, soap->quarantine, name, &state->entry,
			      &state->data, &state->len);
	if (err == EVERR_NOT_FOUND) {
		retry_failed(req, err, "there is no such entry");
	} else if (err != EVERR_OK) {
		retry_failed(req, err, "it cannot be read: %s",
			     err == EVERR_IO ? strerror(errno)
					     : everr_text(err));
	} else {
		retry_start(req);
	}
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t soap_retry_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			char **ret_message)
{
	struct retry_state *state = tevent_req_data(req, struct retry_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		tevent_req_received(req);
		return EVERR_OK;
	}
	*ret_message = talloc_steal(mem_ctx, state->message);
	if (req_state != TEVENT_REQ_USER_ERROR) {
		error = EVERR_NOMEM;
	}
	tevent_req_received(req);
	return (everr_t)error;
}
