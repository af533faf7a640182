/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/resolve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What thread and request share.  Plain memory, since talloc is not for two
 * threads; whoever lets go last frees it.
 */
struct lookup {
	char host[RESOLVE_HOST_MAX + 1];
	int fd;	   /* eventfd: the answer is there */
	int error; /* of getaddrinfo() */
	struct addrinfo *list;
	int holders; /* atomic */
};

static void lookup_release(struct lookup *lookup)
{
	if (__atomic_sub_fetch(&lookup->holders, 1, __ATOMIC_ACQ_REL) > 0) {
		return;
	}
	if (lookup->list != NULL) {
		freeaddrinfo(lookup->list);
	}
	close(lookup->fd);
	free(lookup);
}

static void *lookup_thread(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};

	lookup->error = getaddrinfo(lookup->host, NULL, &hints, &lookup->list);
	if (lookup->error != 0) {
		lookup->list = NULL;
	}
	(void)eventfd_write(lookup->fd, 1);
	lookup_release(lookup);
	return NULL;
}

static struct lookup *lookup_create(const char *host)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL) {
		return NULL;
	}
	memcpy(lookup->host, host, strlen(host) + 1);
	lookup->holders = 1;
	lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->fd == -1) {
		free(lookup);
		return NULL;
	}
	return lookup;
}

/* The loop's signals stay the loop's. */
static bool lookup_start(struct lookup *lookup)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int ret;

	ret = pthread_attr_init(&attr);
	if (ret != 0) {
		return false;
	}
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	__atomic_add_fetch(&lookup->holders, 1, __ATOMIC_ACQ_REL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, &attr, lookup_thread, lookup);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (ret != 0) {
		lookup_release(lookup);
		return false;
	}
	return true;
}

struct resolve_state {
	struct lookup *lookup;
	struct tevent_fd *fde;
	char **addresses;
	size_t num;
	const char *reason;
};

static int resolve_state_destructor(struct resolve_state *state)
{
	TALLOC_FREE(state->fde);
	if (state->lookup != NULL) {
		lookup_release(state->lookup);
		state->lookup = NULL;
	}
	return 0;
}

static bool resolve_add(struct resolve_state *state, const char *text)
{
	size_t i;

	for (i = 0; i < state->num; i++) {
		if (strcmp(state->addresses[i], text) == 0) {
			return true;
		}
	}
	if (state->num == RESOLVE_ADDRESSES_MAX) {
		return true;
	}
	state->addresses[state->num] = talloc_strdup(state->addresses, text);
	if (state->addresses[state->num] == NULL) {
		return false;
	}
	state->num++;
	return true;
}

bool resolve_is_address(const char *host)
{
	struct in6_addr in6;
	struct in_addr in;

	return inet_pton(AF_INET, host, &in) == 1 ||
	       inet_pton(AF_INET6, host, &in6) == 1;
}

static void resolve_done(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data);

struct tevent_req *resolve_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				const char *host)
{
	struct resolve_state *state = NULL;
	struct tevent_req *req = NULL;

	req = tevent_req_create(mem_ctx, &state, struct resolve_state);
	if (req == NULL) {
		return NULL;
	}
	talloc_set_destructor(state, resolve_state_destructor);
	state->addresses =
		talloc_zero_array(state, char *, RESOLVE_ADDRESSES_MAX);
	if (tevent_req_nomem(state->addresses, req)) {
		return tevent_req_post(req, ev);
	}
	if (host[0] == '\0' || strlen(host) > RESOLVE_HOST_MAX) {
		tevent_req_error(req, EVERR_INVALID);
		return tevent_req_post(req, ev);
	}
	if (resolve_is_address(host)) {
		if (!resolve_add(state, host)) {
			tevent_req_oom(req);
			return tevent_req_post(req, ev);
		}
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}

	state->lookup = lookup_create(host);
	if (tevent_req_nomem(state->lookup, req)) {
		return tevent_req_post(req, ev);
	}
	state->fde = tevent_add_fd(ev, state, state->lookup->fd, TEVENT_FD_READ,
				   resolve_done, req);
	if (tevent_req_nomem(state->fde, req)) {
		return tevent_req_post(req, ev);
	}
	if (!lookup_start(state->lookup)) {
		tevent_req_error(req, EVERR_IO);
		return tevent_req_post(req, ev);
	}
	return req;
}

static void resolve_done(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data)
{
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct resolve_state *state =
		tevent_req_data(req, struct resolve_state);
	const struct addrinfo *ai = NULL;

	TALLOC_FREE(state->fde);
	for (ai = state->lookup->list; ai != NULL; ai = ai->ai_next) {
		char text[NI_MAXHOST];
		int ret;

		ret = getnameinfo(ai->ai_addr, ai->ai_addrlen, text,
				  sizeof(text), NULL, 0, NI_NUMERICHOST);
		if (ret == 0 && !resolve_add(state, text)) {
			tevent_req_oom(req);
			return;
		}
	}
	if (state->num == 0) {
		state->reason = state->lookup->error != 0
					? gai_strerror(state->lookup->error)
					: "it has no address";
		tevent_req_error(req, EVERR_NOT_FOUND);
		return;
	}
	tevent_req_done(req);
}

static everr_t resolve_error(struct tevent_req *req)
{
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return EVERR_OK;
	}
	switch (req_state) {
	case TEVENT_REQ_TIMED_OUT:
		return EVERR_TIMEOUT;
	case TEVENT_REQ_NO_MEMORY:
		return EVERR_NOMEM;
	default:
		return (everr_t)error;
	}
}

everr_t resolve_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
		     char ***ret_addresses, size_t *ret_num,
		     const char **ret_reason)
{
	struct resolve_state *state =
		tevent_req_data(req, struct resolve_state);
	everr_t err = resolve_error(req);

	if (err != EVERR_OK) {
		*ret_reason =
			state->reason != NULL ? state->reason : everr_text(err);
		tevent_req_received(req);
		return err;
	}
	*ret_addresses = talloc_move(mem_ctx, &state->addresses);
	*ret_num = state->num;
	tevent_req_received(req);
	return EVERR_OK;
}
