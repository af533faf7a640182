/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/messages.h"

#include "base/text.h"

#include <string.h>
#include <sys/queue.h>

/*
 * A provider is looked for once; whoever asks meanwhile waits.  At most
 * COLLECT_MESSAGES_CALLS requests are at work, the others stand in a queue:
 * those that wait for a provider count, so that its open is never behind them.
 */
enum provider_state {
	PROVIDER_OPENING,
	PROVIDER_OPEN,
	PROVIDER_NONE /* the service knows none of that name */
};

struct provider {
	TAILQ_ENTRY(provider) link; /* least recently used first */
	struct collect_messages *messages;
	struct tevent_context *ev;
	const char *name;
	enum provider_state state;
	struct collect_publisher *publisher;
	struct collect_failure failure; /* PROVIDER_NONE */
	unsigned int users;		/* requests that hold on to it */
};

struct message_state {
	TAILQ_ENTRY(message_state) link; /* in queue or active */
	struct tevent_req *req;
	struct tevent_context *ev;
	struct collect_messages *messages;
	const char *name;
	struct collect_render_request request;
	struct provider *provider;
	bool queued;
	bool active;
	struct collect_failure failure;
	struct collect_text text;
};

struct collect_messages {
	struct collect_connection *connection;
	uint32_t lcid;
	TAILQ_HEAD(providers, provider) providers;
	TAILQ_HEAD(, message_state) queue;
	TAILQ_HEAD(, message_state) active;
	struct tevent_immediate *immediate; /* places have become free */
	unsigned int num_open;
	unsigned int num_none;
	unsigned int num_active;
};

/* ----------------------------------------------------------- providers */

static struct provider *provider_find(const struct collect_messages *messages,
				      const char *name)
{
	struct provider *provider = NULL;

	/* What was used last is most likely wanted next. */
	TAILQ_FOREACH_REVERSE(provider, &messages->providers, providers, link)
	{
		if (text_name_equal(provider->name, name)) {
			return provider;
		}
	}
	return NULL;
}

static void provider_used(struct provider *provider)
{
	struct collect_messages *messages = provider->messages;

	TAILQ_REMOVE(&messages->providers, provider, link);
	TAILQ_INSERT_TAIL(&messages->providers, provider, link);
}

static void provider_closed(struct tevent_req *subreq)
{
	struct collect_failure failure;

	/* Nobody waits for it; the service forgets it with the connection. */
	(void)!collect_publisher_close_recv(subreq, &failure);
	TALLOC_FREE(subreq);
}

static void provider_forget(struct provider *provider,
			    struct tevent_context *ev)
{
	struct collect_messages *messages = provider->messages;
	struct tevent_req *subreq = NULL;

	TAILQ_REMOVE(&messages->providers, provider, link);
	if (provider->state == PROVIDER_OPEN) {
		messages->num_open--;
		subreq = collect_publisher_close_send(messages, ev,
						      provider->publisher);
	}
	if (subreq != NULL) {
		tevent_req_set_callback(subreq, provider_closed, NULL);
	}
	messages->num_none -= provider->state == PROVIDER_NONE;
	TALLOC_FREE(provider);
}

/* Let the oldest go until the limits hold. */
static void providers_trim(struct collect_messages *messages,
			   struct tevent_context *ev)
{
	struct provider *provider = TAILQ_FIRST(&messages->providers);

	while (provider != NULL) {
		struct provider *next = TAILQ_NEXT(provider, link);
		bool over = false;

		if (provider->state == PROVIDER_OPEN) {
			over = messages->num_open > COLLECT_MESSAGES_HANDLES;
		} else if (provider->state == PROVIDER_NONE) {
			over = messages->num_none > COLLECT_MESSAGES_MISSING;
		}
		if (over && provider->users == 0) {
			provider_forget(provider, ev);
		}
		provider = next;
	}
}

/* ------------------------------------------------------------ requests */

static void message_start(struct message_state *state);
static void message_render(struct message_state *state);
static void message_opened(struct tevent_req *subreq);
static void message_rendered(struct tevent_req *subreq);

/*
 * Requests answer in a turn of their own (tevent_req_defer_callback()), so no
 * caller's code runs while the lists are walked.
 */
static void messages_run(struct tevent_context *ev, struct tevent_immediate *im,
			 void *private_data)
{
	struct collect_messages *messages =
		talloc_get_type_abort(private_data, struct collect_messages);

	(void)ev;
	(void)im;
	while (messages->num_active < COLLECT_MESSAGES_CALLS) {
		struct message_state *state = TAILQ_FIRST(&messages->queue);

		if (state == NULL) {
			break;
		}
		TAILQ_REMOVE(&messages->queue, state, link);
		state->queued = false;
		message_start(state);
	}
}

/* However a request ends, its place becomes free. */
static void message_cleanup(struct tevent_req *req,
			    enum tevent_req_state req_state)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct collect_messages *messages = state->messages;

	(void)req_state;
	if (state->queued) {
		TAILQ_REMOVE(&messages->queue, state, link);
		state->queued = false;
	}
	if (state->provider != NULL) {
		state->provider->users--;
		state->provider = NULL;
	}
	if (state->active) {
		TAILQ_REMOVE(&messages->active, state, link);
		state->active = false;
		messages->num_active--;
		tevent_schedule_immediate(messages->immediate, state->ev,
					  messages_run, messages);
	}
}

static void message_fail(struct message_state *state,
			 const struct collect_failure *failure)
{
	state->failure = *failure;
	tevent_req_error(state->req, failure->err);
}

static everr_t provider_open(struct collect_messages *messages,
			     struct tevent_context *ev, const char *name,
			     struct provider **ret_provider)
{
	struct provider *provider = talloc_zero(messages, struct provider);
	struct tevent_req *subreq = NULL;

	if (provider == NULL) {
		return EVERR_NOMEM;
	}
	provider->messages = messages;
	provider->ev = ev;
	provider->name = talloc_strdup(provider, name);
	if (provider->name == NULL) {
		TALLOC_FREE(provider);
		return EVERR_NOMEM;
	}
	subreq = collect_publisher_open_send(provider, ev, messages->connection,
					     name, messages->lcid);
	if (subreq == NULL) {
		TALLOC_FREE(provider);
		return EVERR_NOMEM;
	}
	tevent_req_set_callback(subreq, message_opened, provider);
	TAILQ_INSERT_TAIL(&messages->providers, provider, link);
	*ret_provider = provider;
	return EVERR_OK;
}

/* The request has a place: find its provider. */
static void message_start(struct message_state *state)
{
	struct collect_messages *messages = state->messages;
	struct provider *provider = provider_find(messages, state->name);
	everr_t err;

	TAILQ_INSERT_TAIL(&messages->active, state, link);
	state->active = true;
	messages->num_active++;
	if (provider == NULL) {
		err = provider_open(messages, state->ev, state->name,
				    &provider);
		if (err != EVERR_OK) {
			tevent_req_oom(state->req);
			return;
		}
	}
	state->provider = provider;
	provider->users++;
	provider_used(provider);
	switch (provider->state) {
	case PROVIDER_OPENING:
		break;
	case PROVIDER_OPEN:
		message_render(state);
		break;
	case PROVIDER_NONE:
		message_fail(state, &provider->failure);
		break;
	}
}

/* ------------------------------------------------------------ the work */

/* Requests that wait for the provider go on or end. */
static void provider_wake(struct provider *provider,
			  const struct collect_failure *failure)
{
	struct collect_messages *messages = provider->messages;
	struct message_state *state = TAILQ_FIRST(&messages->active);

	while (state != NULL) {
		struct message_state *next = TAILQ_NEXT(state, link);

		if (state->provider != provider) {
			state = next;
			continue;
		}
		if (failure != NULL) {
			message_fail(state, failure);
		} else {
			message_render(state);
		}
		state = next;
	}
}

static void message_opened(struct tevent_req *subreq)
{
	struct provider *provider =
		tevent_req_callback_data(subreq, struct provider);
	struct collect_messages *messages = provider->messages;
	struct tevent_context *ev = provider->ev;
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	err = collect_publisher_open_recv(subreq, provider,
					  &provider->publisher, &failure);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		provider->state = PROVIDER_OPEN;
		messages->num_open++;
		provider_wake(provider, NULL);
	} else if (failure.err == EVERR_PUBLISHER || failure.win32 != 0) {
		/* The service's word on this publisher, not a broken call. */
		failure.err = EVERR_MESSAGE;
		provider->failure = failure;
		provider->state = PROVIDER_NONE;
		messages->num_none++;
		provider_wake(provider, &failure);
	} else {
		provider_wake(provider, &failure);
		provider_forget(provider, ev);
	}
	providers_trim(messages, ev);
}

static void message_render(struct message_state *state)
{
	struct tevent_req *subreq = NULL;

	subreq = collect_render_send(
		state, state->ev, state->messages->connection,
		state->provider->publisher, &state->request);
	if (tevent_req_nomem(subreq, state->req)) {
		return;
	}
	tevent_req_set_callback(subreq, message_rendered, state->req);
}

static void message_rendered(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	struct collect_failure failure = {.err = EVERR_OK};
	everr_t err;

	err = collect_render_recv(subreq, state, &state->text, &failure);
	TALLOC_FREE(subreq);
	if (err == EVERR_OK) {
		tevent_req_done(req);
		return;
	}
	/*
	 * A classic publisher declares no events: its message is found by the
	 * event's id and qualifiers, which are not in a descriptor.
	 */
	if (err == EVERR_MESSAGE &&
	    state->request.what == COLLECT_RENDER_EVENT) {
		state->request.what = COLLECT_RENDER_ID;
		message_render(state);
		return;
	}
	message_fail(state, &failure);
}

/* ----------------------------------------------------------- interface */

struct collect_messages *collect_messages_create(
	TALLOC_CTX *mem_ctx, struct collect_connection *connection,
	uint32_t lcid)
{
	struct collect_messages *messages = NULL;

	messages = talloc_zero(mem_ctx, struct collect_messages);
	if (messages == NULL) {
		return NULL;
	}
	messages->immediate = tevent_create_immediate(messages);
	if (messages->immediate == NULL) {
		TALLOC_FREE(messages);
		return NULL;
	}
	messages->connection = connection;
	messages->lcid = lcid;
	TAILQ_INIT(&messages->providers);
	TAILQ_INIT(&messages->queue);
	TAILQ_INIT(&messages->active);
	return messages;
}

/* What the request needs when its turn comes. */
static bool message_copy(struct message_state *state, enum collect_render what,
			 const char *provider, const uint8_t *descriptor,
			 uint16_t qualifiers, const char *const *inserts,
			 size_t num_inserts)
{
	const char **copy = NULL;
	size_t i;

	if (num_inserts > COLLECT_RENDER_INSERTS_MAX) {
		num_inserts = COLLECT_RENDER_INSERTS_MAX;
	}
	state->name = talloc_strdup(state, provider);
	copy = talloc_zero_array(state, const char *, num_inserts);
	if (state->name == NULL || copy == NULL) {
		return false;
	}
	for (i = 0; i < num_inserts; i++) {
		copy[i] = talloc_strdup(copy, inserts[i]);
		if (copy[i] == NULL) {
			return false;
		}
	}
	state->request = (struct collect_render_request){
		.what = what,
		.message_id = (uint32_t)qualifiers << 16 | descriptor[0] |
			      (uint32_t)descriptor[1] << 8,
		.inserts = copy,
		.num_inserts = num_inserts,
	};
	memcpy(state->request.descriptor, descriptor, COLLECT_DESCRIPTOR_SIZE);
	return true;
}

struct tevent_req *collect_messages_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct collect_messages *messages, enum collect_render what,
	const char *provider, const uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE],
	uint16_t qualifiers, const char *const *inserts, size_t num_inserts)
{
	struct message_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct message_state);
	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	state->ev = ev;
	state->messages = messages;
	if (!message_copy(state, what, provider, descriptor, qualifiers,
			  inserts, num_inserts)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	tevent_req_set_cleanup_fn(req, message_cleanup);
	tevent_req_defer_callback(req, ev);
	TAILQ_INSERT_TAIL(&messages->queue, state, link);
	state->queued = true;
	messages_run(ev, messages->immediate, messages);
	return req;
}

everr_t collect_messages_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			      struct collect_text *ret_text,
			      struct collect_failure *ret_failure)
{
	struct message_state *state =
		tevent_req_data(req, struct message_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		ret_text->text = talloc_move(mem_ctx, &state->text.text);
		ret_text->len = state->text.len;
		tevent_req_received(req);
		return EVERR_OK;
	}
	if (state->failure.err == EVERR_OK) {
		collect_failure_set(&state->failure, EVERR_NOMEM,
				    "cannot read a message: out of memory");
	}
	*ret_failure = state->failure;
	tevent_req_received(req);
	return ret_failure->err;
}

bool collect_messages_none(const struct collect_messages *messages,
			   const char *provider)
{
	const struct provider *found = provider_find(messages, provider);

	return found != NULL && found->state == PROVIDER_NONE;
}
