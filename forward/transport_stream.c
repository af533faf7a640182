/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/transport_internal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* What a receiver sends nobody reads; so much of it in one turn. */
#define READ_TURNS 16

/* --------------------------------------------------------------- framing */

/* RFC 6587 3.4.1, RFC 5425 4.3: MSG-LEN SP SYSLOG-MSG. */
bool stream_frame_counted(struct forward_transport *transport,
			  const uint8_t *message, size_t len)
{
	char count[24];
	int digits = snprintf(count, sizeof(count), "%zu ", len);
	uint8_t *p = transport_extend(transport, (size_t)digits + len);

	if (p == NULL) {
		return false;
	}
	memcpy(p, count, (size_t)digits);
	memcpy(p + digits, message, len);
	return true;
}

/* RFC 6587 3.4.2: the message holds no newline. */
static bool frame_newline(struct forward_transport *transport,
			  const uint8_t *message, size_t len)
{
	uint8_t *p = transport_extend(transport, len + 1);

	if (p == NULL) {
		return false;
	}
	memcpy(p, message, len);
	p[len] = '\n';
	return true;
}

static bool stream_frame(struct forward_transport *transport,
			 const uint8_t *message, size_t len)
{
	if (transport->config->framing == FORWARD_NEWLINE) {
		return frame_newline(transport, message, len);
	}
	return stream_frame_counted(transport, message, len);
}

/* --------------------------------------------------------------- writing */

ssize_t stream_write(struct forward_transport *transport, const uint8_t *data,
		     size_t len)
{
	ssize_t n;

	do {
		n = send(transport->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n > 0) {
		transport->written += (uint64_t)n;
		return n;
	}
	if (n == 0 || errno == EAGAIN || errno == EWOULDBLOCK ||
	    errno == ENOBUFS) {
		return 0;
	}
	transport_fail_errno(transport, errno == EPIPE ? 0 : errno);
	return -1;
}

void stream_flush(struct forward_transport *transport)
{
	struct transport_out *out = &transport->out;

	while (out->len > 0) {
		ssize_t n = transport->ops->write(
			transport, out->data + out->head, out->len);

		if (n < 0) {
			return;
		}
		if (n == 0) {
			transport_block(transport);
			return;
		}
		transport_consume(transport, (size_t)n);
	}
}

/* --------------------------------------------------------------- reading */

/* A syslog receiver says nothing; this is how its end is noticed. */
static void stream_read(struct forward_transport *transport)
{
	uint8_t nothing[4096];
	int i;

	for (i = 0; i < READ_TURNS; i++) {
		ssize_t n = recv(transport->fd, nothing, sizeof(nothing),
				 MSG_DONTWAIT);

		if (n > 0 || (n == -1 && errno == EINTR)) {
			continue;
		}
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return;
		}
		transport_fail_errno(transport, n == 0 ? 0 : errno);
		return;
	}
}

bool stream_peer_is_there(const struct forward_transport *transport)
{
	struct pollfd pfd = {.fd = transport->fd, .events = POLLRDHUP};

	return poll(&pfd, 1, 0) == 0;
}

/*
 * What is in the kernel's queue is not acknowledged by the peer's kernel.  On
 * a Unix socket the queue is counted with what the kernel itself needs for
 * it, and is never shorter than what the peer has not read; but when the peer
 * goes, what it has not read is thrown out of the queue.  Our end is told
 * before that, so it is asked after the queue.  With TCP, too, what a peer
 * that has gone acknowledged last is better sent again.
 */
void stream_check(struct forward_transport *transport)
{
	uint64_t offset;
	int queued = 0;
	int ret;

	ret = ioctl(transport->fd, SIOCOUTQ, &queued);
	if (ret != 0 || queued < 0 || (uint64_t)queued > transport->written) {
		return;
	}
	offset = transport->written - (uint64_t)queued;
	if (offset > transport->arrived && stream_peer_is_there(transport)) {
		transport_arrived(transport, offset);
	}
}

/*
 * The receiver does not read, but its kernel answers: when it is asked for
 * room, which is seldom after a while, or to what it had no room for and
 * dropped, which is sent again.  The kernel would take as much again on a new
 * connection, all of which is lost when the receiver goes.  Of a Unix socket it
 * is not known.
 */
bool stream_waits(const struct forward_transport *transport)
{
	uint64_t limit_ms = transport->config->idle_timeout * 1000;
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info, &len) !=
	    0) {
		return false;
	}
	return info.tcpi_last_ack_recv < limit_ms ||
	       (info.tcpi_unacked == 0 && info.tcpi_probes < 2);
}

static void stream_verdict(struct tevent_context *ev, struct tevent_timer *te,
			   struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->timer = NULL;
	transport_up(transport);
}

/* A proxy whose server is down takes each connection and closes it. */
static void stream_greet(struct forward_transport *transport)
{
	if (transport_is_doubtful(transport)) {
		(void)transport_wait(transport, transport->verdict_ms,
				     stream_verdict);
		return;
	}
	transport_up(transport);
}

const struct transport_ops transport_tcp_ops = {
	.greet = stream_greet,
	.frame = stream_frame,
	.flush = stream_flush,
	.write = stream_write,
	.read = stream_read,
	.check = stream_check,
	.waits = stream_waits,
};
