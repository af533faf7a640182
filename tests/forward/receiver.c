/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/forward/receiver.h"

#include "forward/transport_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define TURN_SECONDS 60
/* How long it lasts is base/backoff's; here one only waits for it. */
#define BACKOFF_MIN_MS 4
#define BACKOFF_MAX_MS 50

/* ------------------------------------------------------------- receiver */

static void receiver_take(struct receiver *receiver, const uint8_t *data,
			  size_t len)
{
	size_t size = talloc_get_size(receiver->bytes);

	if (receiver->len + len > size) {
		size = (receiver->len + len) * 2;
		receiver->bytes = talloc_realloc(receiver, receiver->bytes,
						 uint8_t, size);
		assert_non_null(receiver->bytes);
	}
	memcpy(receiver->bytes + receiver->len, data, len);
	receiver->len += len;
}

static void close_peer(struct receiver *receiver)
{
	TALLOC_FREE(receiver->peer_fde);
	if (receiver->peer != -1) {
		close(receiver->peer);
		receiver->peer = -1;
	}
}

static void peer_readable(struct tevent_context *ev, struct tevent_fd *fde,
			  uint16_t flags, void *private_data)
{
	struct receiver *receiver = private_data;
	static uint8_t data[65536];
	ssize_t n = recv(receiver->peer, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0) {
		receiver_take(receiver, data, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		receiver->ended = true;
		close_peer(receiver);
	}
}

static void watch_peer(struct receiver *receiver)
{
	if (receiver->peer != -1 && !receiver->paused) {
		receiver->peer_fde =
			tevent_add_fd(receiver->ev, receiver, receiver->peer,
				      TEVENT_FD_READ, peer_readable, receiver);
		assert_non_null(receiver->peer_fde);
	}
}

static void receiver_readable(struct tevent_context *ev, struct tevent_fd *fde,
			      uint16_t flags, void *private_data)
{
	struct receiver *receiver = private_data;
	static uint8_t data[70000];
	ssize_t n;

	if (receiver->type == SOCK_STREAM) {
		close_peer(receiver);
		receiver->peer =
			accept4(receiver->fd, NULL, NULL, SOCK_CLOEXEC);
		assert_int_not_equal(receiver->peer, -1);
		receiver->accepted++;
		receiver->ended = false;
		watch_peer(receiver);
		return;
	}
	n = recv(receiver->fd, data, sizeof(data), MSG_DONTWAIT);
	assert_true(n > 0);
	receiver_take(receiver, data, (size_t)n);
	receiver_take(receiver, (const uint8_t *)"\n", 1);
	receiver->datagrams++;
}

static void bind_unix(struct receiver *receiver)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 receiver->path);
	unlink(receiver->path);
	assert_int_equal(bind(receiver->fd, (struct sockaddr *)&address,
			      sizeof(address)),
			 0);
}

static void bind_loopback(struct receiver *receiver)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(receiver->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int on = 1;

	setsockopt(receiver->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(receiver->fd, (struct sockaddr *)&address, len),
			 0);
	assert_int_equal(
		getsockname(receiver->fd, (struct sockaddr *)&address, &len),
		0);
	receiver->port = ntohs(address.sin_port);
}

void receiver_reopen(struct receiver *receiver)
{
	bool is_unix = receiver->path[0] != '\0';

	receiver->fd = socket(is_unix ? AF_UNIX : AF_INET,
			      receiver->type | SOCK_CLOEXEC, 0);
	assert_int_not_equal(receiver->fd, -1);
	if (is_unix) {
		bind_unix(receiver);
	} else {
		bind_loopback(receiver);
	}
	if (receiver->type == SOCK_STREAM) {
		assert_int_equal(listen(receiver->fd, 16), 0);
	}
	receiver->fde =
		tevent_add_fd(receiver->ev, receiver, receiver->fd,
			      TEVENT_FD_READ, receiver_readable, receiver);
	assert_non_null(receiver->fde);
}

void receiver_close(struct receiver *receiver)
{
	close_peer(receiver);
	TALLOC_FREE(receiver->fde);
	if (receiver->fd != -1) {
		close(receiver->fd);
		receiver->fd = -1;
	}
	if (receiver->path[0] != '\0') {
		unlink(receiver->path);
	}
}

static int receiver_destructor(struct receiver *receiver)
{
	receiver_close(receiver);
	return 0;
}

struct receiver *receiver_open(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			       int family, int type)
{
	struct receiver *receiver = talloc_zero(mem_ctx, struct receiver);

	assert_non_null(receiver);
	receiver->ev = ev;
	receiver->type = type;
	receiver->fd = -1;
	receiver->peer = -1;
	if (family == AF_UNIX) {
		snprintf(receiver->path, sizeof(receiver->path),
			 "transport-test-%d.socket", (int)getpid());
	}
	talloc_set_destructor(receiver, receiver_destructor);
	receiver_reopen(receiver);
	return receiver;
}

void receiver_pause(struct receiver *receiver)
{
	receiver->paused = true;
	TALLOC_FREE(receiver->peer_fde);
	if (receiver->type == SOCK_DGRAM) {
		TEVENT_FD_NOT_READABLE(receiver->fde);
	}
}

void receiver_resume(struct receiver *receiver)
{
	receiver->paused = false;
	watch_peer(receiver);
	if (receiver->type == SOCK_DGRAM) {
		TEVENT_FD_READABLE(receiver->fde);
	}
}

void receiver_drop(struct receiver *receiver, bool reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (reset) {
		assert_int_equal(setsockopt(receiver->peer, SOL_SOCKET,
					    SO_LINGER, &linger, sizeof(linger)),
				 0);
	}
	close_peer(receiver);
}

void receiver_say(struct receiver *receiver, const void *data, size_t len)
{
	assert_int_equal(send(receiver->peer, data, len, MSG_NOSIGNAL), len);
}

bool receiver_has(const struct receiver *receiver, const char *text)
{
	return receiver->len == strlen(text) &&
	       memcmp(receiver->bytes, text, receiver->len) == 0;
}

/* --------------------------------------------------------------- sender */

/* Whether the transport is there no longer. */
static void hooked(struct sender *sender)
{
	sender->hooks++;
	if (sender->hooks == sender->free_at_hook) {
		TALLOC_FREE(sender->transport);
	}
}

static void sender_ready(void *private_data)
{
	struct sender *sender = private_data;

	sender->readies++;
	hooked(sender);
}

static void sender_down(const char *reason, void *private_data)
{
	struct sender *sender = private_data;

	sender->downs++;
	snprintf(sender->reason, sizeof(sender->reason), "%s", reason);
	hooked(sender);
}

static void sender_arrived(uint64_t sequence, void *private_data)
{
	struct sender *sender = private_data;

	if (sequence <= sender->arrived) {
		sender->out_of_order = true;
	}
	sender->arrived = sequence;
	hooked(sender);
}

static void sender_refused(uint64_t sequence, const char *reason,
			   void *private_data)
{
	struct sender *sender = private_data;

	sender->refused = sequence;
	sender->refused_late = sender->downs > 0;
	snprintf(sender->refusal, sizeof(sender->refusal), "%s", reason);
	hooked(sender);
}

static const struct forward_transport_hooks sender_hooks = {
	.ready = sender_ready,
	.down = sender_down,
	.arrived = sender_arrived,
	.refused = sender_refused,
};

struct sender *sender_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     uint32_t kind, const struct receiver *receiver)
{
	struct sender *sender = talloc_zero(mem_ctx, struct sender);

	assert_non_null(sender);
	sender->ev = ev;
	sender->config = (struct forward_config){
		.name = "test",
		.transport = kind,
		.host = "127.0.0.1",
		.port = receiver->port,
		.path = receiver->path,
		.backoff_max = 1,
		.idle_timeout = 60,
	};
	return sender;
}

void sender_start(struct sender *sender)
{
	char *message = NULL;

	assert_int_equal(forward_transport_create(sender, sender->ev,
						  &sender->config,
						  &sender_hooks, sender,
						  &sender->transport, &message),
			 EVERR_OK);
	sender->transport->backoff.min_ms = BACKOFF_MIN_MS;
	sender->transport->backoff.max_ms = BACKOFF_MAX_MS;
}

bool sender_send(struct sender *sender, const char *text, uint64_t sequence)
{
	return forward_transport_send(sender->transport, (const uint8_t *)text,
				      strlen(text), sequence);
}

/* ----------------------------------------------------------------- loop */

static void guard_over(struct tevent_context *ev, struct tevent_timer *te,
		       struct timeval now, void *private_data)
{
	fail_msg("nothing happened for %d seconds", TURN_SECONDS);
}

void loop_turn(struct tevent_context *ev)
{
	struct tevent_timer *te = tevent_add_timer(
		ev, NULL, tevent_timeval_current_ofs(TURN_SECONDS, 0),
		guard_over, NULL);

	assert_non_null(te);
	assert_int_equal(tevent_loop_once(ev), 0);
	talloc_free(te);
}
