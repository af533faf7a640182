/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/wintime.h"
#include "forward/transport_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t transport_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct tevent_timer *timer_in(struct forward_transport *transport,
				     uint32_t ms,
				     tevent_timer_handler_t handler)
{
	return tevent_add_timer(
		transport->ev, transport,
		tevent_timeval_current_ofs(ms / 1000, ms % 1000 * 1000),
		handler, transport);
}

/* --------------------------------------------------------------- hooks */

static void transport_notify(struct tevent_context *ev,
			     struct tevent_immediate *im, void *private_data);

static void notify_later(struct forward_transport *transport)
{
	if (transport->notifying ||
	    (!transport->tell_arrived && !transport->tell_refused &&
	     !transport->tell_down && !transport->tell_ready)) {
		return;
	}
	transport->notifying = true;
	tevent_schedule_immediate(transport->notify, transport->ev,
				  transport_notify, transport);
}

/*
 * One hook in a turn, and nothing after it: it may free the transport.  What
 * has arrived and what was refused come before the end of the connection, and
 * that before the next one.
 */
static void transport_notify(struct tevent_context *ev,
			     struct tevent_immediate *im, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);
	const struct forward_transport_hooks *hooks = transport->hooks;

	transport->notifying = false;
	if (transport->tell_arrived) {
		transport->tell_arrived = false;
		notify_later(transport);
		hooks->arrived(transport->arrived_sequence,
			       transport->private_data);
		return;
	}
	if (transport->tell_refused) {
		transport->tell_refused = false;
		notify_later(transport);
		if (hooks->refused != NULL) {
			hooks->refused(transport->refused_sequence,
				       transport->info.reason,
				       transport->private_data);
		}
		return;
	}
	if (transport->tell_down) {
		transport->tell_down = false;
		notify_later(transport);
		hooks->down(transport->info.reason, transport->private_data);
		return;
	}
	transport->tell_ready = false;
	if (forward_transport_ready(transport)) {
		hooks->ready(transport->private_data);
	}
}

/* ----------------------------------------------------- what is written */

/* What is allocated first: an output with an event now and then needs little. */
#define OUT_SIZE_MIN 16384

/* More than is usual stays allocated only while it is needed. */
static void out_emptied(struct transport_out *out)
{
	out->head = 0;
	if (out->size > 2 * FORWARD_IN_FLIGHT_MAX) {
		TALLOC_FREE(out->data);
		out->size = 0;
	}
}

static bool out_grow(struct forward_transport *transport, size_t need)
{
	struct transport_out *out = &transport->out;
	size_t size = out->size > 0 ? out->size : OUT_SIZE_MIN;
	uint8_t *data = NULL;

	while (size < need) {
		size *= 2;
	}
	data = talloc_realloc(transport, out->data, uint8_t, size);
	if (data == NULL) {
		return false;
	}
	out->data = data;
	out->size = size;
	return true;
}

uint8_t *transport_extend(struct forward_transport *transport, size_t len)
{
	struct transport_out *out = &transport->out;
	uint8_t *p = NULL;

	if (out->head + out->len + len > out->size) {
		if (out->head > 0) {
			memmove(out->data, out->data + out->head, out->len);
			out->head = 0;
		}
		if (out->len + len > out->size &&
		    !out_grow(transport, out->len + len)) {
			return NULL;
		}
	}
	p = out->data + out->head + out->len;
	out->len += len;
	transport->taken += len;
	return p;
}

void transport_consume(struct forward_transport *transport, size_t len)
{
	struct transport_out *out = &transport->out;

	out->head += len;
	out->len -= len;
	if (out->len == 0) {
		out_emptied(out);
	}
}

static void transport_flush(struct tevent_context *ev,
			    struct tevent_immediate *im, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->flushing = false;
	if (transport_is_open(transport) && !transport->blocked) {
		transport->ops->flush(transport);
	}
}

void transport_flush_later(struct forward_transport *transport)
{
	if (transport->flushing || transport->blocked) {
		return;
	}
	transport->flushing = true;
	tevent_schedule_immediate(transport->flush, transport->ev,
				  transport_flush, transport);
}

void transport_block(struct forward_transport *transport)
{
	transport->blocked = true;
	TEVENT_FD_WRITEABLE(transport->fde);
}

/* ------------------------------------------------------------ in flight */

static uint64_t bytes_in_flight(const struct forward_transport *transport)
{
	return transport->out.len + transport->written - transport->arrived;
}

static bool has_room(const struct forward_transport *transport,
		     unsigned int share)
{
	return bytes_in_flight(transport) < FORWARD_IN_FLIGHT_MAX / share &&
	       transport->flight.num <= (transport->max_messages - 1) / share;
}

static bool flight_grow(struct forward_transport *transport)
{
	struct transport_flight *flight = &transport->flight;
	size_t size = flight->size > 0 ? flight->size * 2 : 64;
	uint64_t *ends = NULL;
	size_t i;

	ends = talloc_array(transport, uint64_t, size);
	if (ends == NULL) {
		return false;
	}
	for (i = 0; i < flight->num; i++) {
		ends[i] = *transport_flight_end(transport, i);
	}
	talloc_free(flight->ends);
	flight->ends = ends;
	flight->size = size;
	flight->head = 0;
	return true;
}

static void flight_add(struct forward_transport *transport, uint64_t sequence)
{
	struct transport_flight *flight = &transport->flight;

	if (flight->num == 0) {
		flight->first = sequence;
		transport->progress_ms = transport_now_ms();
		transport->check_ms = TRANSPORT_CHECK_MS;
	}
	flight->num++;
	*transport_flight_end(transport, flight->num - 1) = transport->taken;
	if (!transport->ops->encrypts) {
		flight->num_mapped = flight->num;
	}
	transport->info.in_flight = flight->num;
}

/* The oldest num messages are no longer in flight. */
static void flight_remove(struct forward_transport *transport, size_t num)
{
	struct transport_flight *flight = &transport->flight;

	if (num > 0) {
		flight->head = (flight->head + num) & (flight->size - 1);
		flight->num -= num;
		flight->num_mapped -= num;
		flight->first += num;
		transport->info.in_flight = flight->num;
		transport->arrived_sequence = flight->first - 1;
		transport->tell_arrived = true;
	}
	if (transport->full && has_room(transport, 2)) {
		transport->full = false;
		transport->tell_ready = true;
	}
	notify_later(transport);
}

void transport_arrived(struct forward_transport *transport, uint64_t offset)
{
	size_t num = 0;

	if (offset <= transport->arrived) {
		return;
	}
	transport->arrived = offset;
	transport->progress_ms = transport_now_ms();
	while (num < transport->flight.num_mapped &&
	       *transport_flight_end(transport, num) <= offset) {
		num++;
	}
	flight_remove(transport, num);
}

/* ------------------------------------------------------------- checking */

static void transport_check(struct tevent_context *ev, struct tevent_timer *te,
			    struct timeval now, void *private_data);

static void check_later(struct forward_transport *transport)
{
	if (transport->check == NULL) {
		transport->check = timer_in(transport, transport->check_ms,
					    transport_check);
	}
}

/* Nothing is in flight: an output that waits for events costs little. */
static void rest(struct forward_transport *transport)
{
	if (transport->out.len == 0 && transport->flight.num == 0) {
		TALLOC_FREE(transport->out.data);
		TALLOC_FREE(transport->flight.ends);
		transport->out = (struct transport_out){};
		transport->flight = (struct transport_flight){};
	}
}

static bool is_stuck(const struct forward_transport *transport)
{
	uint64_t limit = transport->config->idle_timeout * 1000;

	if (limit == 0 || transport_now_ms() - transport->progress_ms < limit) {
		return false;
	}
	return transport->ops->waits == NULL ||
	       !transport->ops->waits(transport);
}

static void transport_check(struct tevent_context *ev, struct tevent_timer *te,
			    struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);
	uint64_t before = transport->arrived;

	transport->check = NULL;
	if (transport->ops->check != NULL) {
		transport->ops->check(transport);
	}
	if (transport->flight.num == 0) {
		rest(transport);
		return;
	}
	if (is_stuck(transport)) {
		transport_fail(
			transport,
			"%s: the receiver took nothing for %llu seconds",
			transport->peer,
			(unsigned long long)transport->config->idle_timeout);
		return;
	}
	/*
	 * A sender that waits for room is not kept waiting; a receiver that
	 * does not move is not asked all the time.
	 */
	if (transport->arrived == before) {
		transport->check_ms *= 2;
	} else if (transport->full) {
		transport->check_ms = TRANSPORT_CHECK_FULL_MS;
	} else {
		transport->check_ms = TRANSPORT_CHECK_MS;
	}
	if (transport->check_ms > TRANSPORT_CHECK_MAX_MS) {
		transport->check_ms = TRANSPORT_CHECK_MAX_MS;
	}
	check_later(transport);
}

/* The sender has to wait: ask soon. */
static void transport_filled(struct forward_transport *transport)
{
	transport->full = true;
	transport->check_ms = TRANSPORT_CHECK_FULL_MS;
	TALLOC_FREE(transport->check);
	check_later(transport);
}

/* ------------------------------------------------------------- sending */

bool forward_transport_ready(const struct forward_transport *transport)
{
	return transport->state == TRANSPORT_UP && !transport->full;
}

bool forward_transport_send(struct forward_transport *transport,
			    const uint8_t *message, size_t len,
			    uint64_t sequence)
{
	uint64_t before = transport->taken;

	if (!forward_transport_ready(transport)) {
		return false;
	}
	if ((transport->flight.num == transport->flight.size &&
	     !flight_grow(transport)) ||
	    !transport->ops->frame(transport, message, len)) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return false;
	}
	flight_add(transport, sequence);
	transport->info.messages++;
	transport->info.bytes += transport->taken - before;
	check_later(transport);

	if (transport->out.len >= TRANSPORT_FLUSH_BYTES &&
	    !transport->blocked) {
		transport->ops->flush(transport);
		if (transport_is_open(transport) &&
		    transport->ops->check != NULL) {
			transport->ops->check(transport);
		}
	} else {
		transport_flush_later(transport);
	}
	if (transport_is_open(transport) && !has_room(transport, 1)) {
		transport_filled(transport);
	}
	return true;
}

/* ----------------------------------------------------------- connection */

static void connection_reset(struct forward_transport *transport)
{
	TALLOC_FREE(transport->fde);
	TALLOC_FREE(transport->timer);
	TALLOC_FREE(transport->check);
	TALLOC_FREE(transport->pause);
	TALLOC_FREE(transport->session);
	if (transport->fd != -1) {
		close(transport->fd);
		transport->fd = -1;
	}
	TALLOC_FREE(transport->out.data);
	TALLOC_FREE(transport->flight.ends);
	transport->out = (struct transport_out){};
	transport->flight = (struct transport_flight){};
	transport->taken = 0;
	transport->written = 0;
	transport->arrived = 0;
	transport->full = false;
	transport->blocked = false;
	transport->tell_ready = false;
	transport->check_ms = TRANSPORT_CHECK_MS;
	transport->info.in_flight = 0;
	transport->info.up = false;
}

static void transport_begin(struct forward_transport *transport);

static void transport_again(struct tevent_context *ev, struct tevent_timer *te,
			    struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->timer = NULL;
	transport_begin(transport);
}

static uint32_t random_number(void)
{
	uint32_t number = 0;

	/* It only spreads attempts: none is needed at any price. */
	(void)getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return number;
}

static void connection_lasted(struct forward_transport *transport)
{
	if (transport_now_ms() - transport->up_ms >= TRANSPORT_SETTLED_MS) {
		backoff_reset(&transport->backoff);
		transport->brief = 0;
	} else if (transport->brief < TRANSPORT_BRIEF) {
		transport->brief++;
	}
}

void transport_fail(struct forward_transport *transport, const char *fmt, ...)
{
	struct forward_transport_info *info = &transport->info;
	bool was_up = transport->state == TRANSPORT_UP;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(info->reason, sizeof(info->reason), fmt, ap);
	va_end(ap);
	info->reason_time = wintime_now();
	if (was_up) {
		info->since = info->reason_time;
		connection_lasted(transport);
	}

	connection_reset(transport);
	transport->state = TRANSPORT_WAITING;
	transport->timer = timer_in(
		transport, backoff_next(&transport->backoff, random_number()),
		transport_again);
	transport->tell_down = true;
	notify_later(transport);
}

void transport_fail_errno(struct forward_transport *transport, int error)
{
	const char *text = strerror(error);

	if (error == 0) {
		text = "the receiver has closed the connection";
	} else if (error == ETIMEDOUT) {
		text = "the receiver does not answer any more";
	}
	transport_fail(transport, "%s: %s", transport->peer, text);
}

static void transport_unblocked(struct forward_transport *transport);

static void transport_paused(struct tevent_context *ev, struct tevent_timer *te,
			     struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->pause = NULL;
	transport_unblocked(transport);
}

/*
 * Flush what waited.  A socket that was said to take more and took nothing
 * (ENOBUFS: a device's queue is full, or memory is short) would be said to
 * again at once, and for ever: it is asked after a pause.
 */
static void transport_unblocked(struct forward_transport *transport)
{
	uint64_t before = transport->written;

	TEVENT_FD_NOT_WRITEABLE(transport->fde);
	transport->blocked = false;
	transport->ops->flush(transport);
	if (!transport_is_open(transport)) {
		return;
	}
	if (transport->blocked && transport->written == before) {
		transport->pause = timer_in(transport, TRANSPORT_PAUSE_MS,
					    transport_paused);
	}
	if (transport->pause != NULL) {
		TEVENT_FD_NOT_WRITEABLE(transport->fde);
	}
	if (transport->ops->check != NULL) {
		transport->ops->check(transport);
	}
}

static void transport_event(struct tevent_context *ev, struct tevent_fd *fde,
			    uint16_t flags, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	if ((flags & TEVENT_FD_READ) != 0) {
		transport->ops->read(transport);
	}
	if (transport_is_open(transport) && (flags & TEVENT_FD_WRITE) != 0) {
		transport_unblocked(transport);
	}
}

void transport_connected(struct forward_transport *transport, int fd,
			 const struct transport_ops *ops)
{
	transport->fd = fd;
	transport->ops = ops;
	transport->info.connects++;
	transport->fde =
		tevent_add_fd(transport->ev, transport, fd, TEVENT_FD_READ,
			      transport_event, transport);
	if (transport->fde == NULL) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return;
	}
	if (ops->greet == NULL) {
		transport_up(transport);
		return;
	}
	transport->state = TRANSPORT_GREETING;
	ops->greet(transport);
}

bool transport_wait(struct forward_transport *transport, uint32_t ms,
		    tevent_timer_handler_t late)
{
	TALLOC_FREE(transport->timer);
	transport->timer = timer_in(transport, ms, late);
	if (transport->timer == NULL) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return false;
	}
	return true;
}

static size_t most_messages(const struct forward_config *config)
{
	size_t window = config->window;

	if (window == 0 && config->transport == FORWARD_RELP) {
		window = TRANSPORT_WINDOW;
	}
	return window > 0 && window < TRANSPORT_MESSAGES_MAX
		       ? window
		       : TRANSPORT_MESSAGES_MAX;
}

void transport_up(struct forward_transport *transport)
{
	TALLOC_FREE(transport->timer);
	transport->state = TRANSPORT_UP;
	transport->up_ms = transport_now_ms();
	transport->info.up = true;
	transport->info.since = wintime_now();
	transport->max_messages = most_messages(transport->config);
	transport->tell_ready = true;
	notify_later(transport);
}

static void transport_reached(struct tevent_req *req)
{
	struct forward_transport *transport =
		tevent_req_callback_data(req, struct forward_transport);
	static const struct transport_ops *const ops[] = {
		[FORWARD_UDP] = &transport_udp_ops,
		[FORWARD_TCP] = &transport_tcp_ops,
		[FORWARD_TLS] = &transport_tls_ops,
		[FORWARD_RELP] = &transport_relp_ops,
	};
	char *reason = NULL;
	int fd = -1;
	everr_t err;

	err = transport_connect_recv(req, transport, &fd, &reason);
	TALLOC_FREE(req);
	transport->connecting = NULL;
	if (err != EVERR_OK) {
		transport_fail(transport, "%s",
			       reason != NULL ? reason : everr_text(err));
		talloc_free(reason);
		return;
	}
	transport_connected(transport, fd, ops[transport->config->transport]);
}

/*
 * Which of a name's addresses is tried first.  One that takes the connection,
 * but is no receiver, must not keep us from the others; that a good connection
 * has ended says nothing against its address.  UDP learns of a refusal only
 * afterwards.
 */
static uint32_t first_address(const struct forward_transport *transport)
{
	uint32_t attempts = transport->backoff.attempts;

	if (transport->config->transport != FORWARD_UDP && attempts > 0) {
		attempts--;
	}
	return attempts;
}

/*
 * For each attempt, since they may be mended or renewed meanwhile.  Without
 * them the receiver is not troubled.
 */
static bool load_files(struct forward_transport *transport)
{
	char *message = NULL;
	everr_t err;

	err = transport_tls_load(transport, transport, &message);
	if (err == EVERR_OK) {
		return true;
	}
	transport_fail(transport, "%s",
		       message != NULL ? message : everr_text(err));
	talloc_free(message);
	return false;
}

static void transport_begin(struct forward_transport *transport)
{
	const struct forward_config *config = transport->config;
	int type = config->transport == FORWARD_UDP ? SOCK_DGRAM : SOCK_STREAM;

	transport->state = TRANSPORT_CONNECTING;
	if (config->transport == FORWARD_UNIX) {
		transport_unix_connect(transport);
		return;
	}
	if (config->transport == FORWARD_TLS && !load_files(transport)) {
		return;
	}
	transport->connecting = transport_connect_send(
		transport, transport->ev, config->host, transport->port, type,
		first_address(transport));
	if (transport->connecting == NULL) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return;
	}
	tevent_req_set_callback(transport->connecting, transport_reached,
				transport);
}

/* -------------------------------------------------------------- the whole */

static int transport_destructor(struct forward_transport *transport)
{
	if (transport->state == TRANSPORT_UP && transport->ops->bye != NULL) {
		transport->ops->bye(transport);
	}
	TALLOC_FREE(transport->connecting);
	connection_reset(transport);
	return 0;
}

static uint16_t default_port(uint32_t kind)
{
	switch (kind) {
	case FORWARD_TLS:
		return 6514; /* RFC 5425 4.1 */
	case FORWARD_RELP:
		return 2514;
	default:
		return 514; /* RFC 5426 3.3 */
	}
}

static everr_t config_check(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    char **ret_message)
{
	if (config->transport == FORWARD_UNIX) {
		return transport_unix_check(mem_ctx, config, ret_message);
	}
	if (config->transport > FORWARD_UNIX || config->host == NULL) {
		*ret_message = talloc_strdup(mem_ctx, "no receiver is named");
		return EVERR_CONFIG;
	}
	if ((config->certificate == NULL) != (config->key == NULL)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "a certificate and its key belong together, "
				 "but only one of them is named");
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

everr_t forward_transport_check(TALLOC_CTX *mem_ctx,
				const struct forward_config *config,
				char **ret_message)
{
	everr_t err = config_check(mem_ctx, config, ret_message);

	if (err != EVERR_OK || config->transport != FORWARD_TLS) {
		return err;
	}
	return transport_tls_check(mem_ctx, config, ret_message);
}

static char *peer_name(struct forward_transport *transport)
{
	const struct forward_config *config = transport->config;

	if (config->transport == FORWARD_UNIX) {
		return talloc_strdup(transport, config->path);
	}
	return talloc_asprintf(transport, "%s port %u", config->host,
			       transport->port);
}

/* The first attempt, in a turn of its own: it may fail at once. */
static void transport_first(struct tevent_context *ev,
			    struct tevent_immediate *im, void *private_data)
{
	transport_begin(
		talloc_get_type_abort(private_data, struct forward_transport));
}

everr_t forward_transport_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct forward_config *config,
				 const struct forward_transport_hooks *hooks,
				 void *private_data,
				 struct forward_transport **ret_transport,
				 char **ret_message)
{
	struct forward_transport *transport = NULL;
	everr_t err;

	err = config_check(mem_ctx, config, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	transport = talloc_zero(mem_ctx, struct forward_transport);
	if (transport == NULL) {
		return EVERR_NOMEM;
	}
	transport->ev = ev;
	transport->config = config;
	transport->hooks = hooks;
	transport->private_data = private_data;
	transport->fd = -1;
	transport->backoff = (struct backoff){
		.min_ms = FORWARD_BACKOFF_MIN_MS,
		.max_ms = forward_backoff_max_ms(config),
	};
	transport->verdict_ms = TRANSPORT_VERDICT_MS;
	transport->port = config->port != 0 ? config->port
					    : default_port(config->transport);
	transport->peer = peer_name(transport);
	transport->flush = tevent_create_immediate(transport);
	transport->notify = tevent_create_immediate(transport);
	if (transport->peer == NULL || transport->flush == NULL ||
	    transport->notify == NULL) {
		talloc_free(transport);
		return EVERR_NOMEM;
	}
	transport->info.since = wintime_now();
	transport->state = TRANSPORT_CONNECTING;
	transport->check_ms = TRANSPORT_CHECK_MS;
	talloc_set_destructor(transport, transport_destructor);
	tevent_schedule_immediate(transport->flush, ev, transport_first,
				  transport);

	*ret_transport = transport;
	return EVERR_OK;
}

bool forward_transport_ask(struct forward_transport *transport,
			   uint64_t *ret_sequence)
{
	if (transport->state == TRANSPORT_UP && transport->ops->check != NULL) {
		transport->ops->check(transport);
	}
	if (!transport->tell_arrived) {
		return false;
	}
	transport->tell_arrived = false;
	*ret_sequence = transport->arrived_sequence;
	return true;
}

void forward_transport_info(const struct forward_transport *transport,
			    struct forward_transport_info *ret_info)
{
	*ret_info = transport->info;
}
