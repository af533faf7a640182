/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/transport_internal.h"

#include <errno.h>
#include <string.h>

/* RFC 5426: one message, one datagram.  Unix datagram sockets, too. */

/* Datagrams in one call. */
#define BATCH 64

static bool datagram_frame(struct forward_transport *transport,
			   const uint8_t *message, size_t len)
{
	uint8_t *p = transport_extend(transport, len);

	if (p == NULL) {
		return false;
	}
	memcpy(p, message, len);
	return true;
}

/* The first messages in flight, none of which has been handed over. */
static unsigned int batch_fill(struct forward_transport *transport,
			       struct mmsghdr *headers, struct iovec *vectors)
{
	const struct transport_out *out = &transport->out;
	uint64_t begin = transport->written;
	unsigned int i;

	for (i = 0; i < BATCH && i < transport->flight.num; i++) {
		uint64_t end = *transport_flight_end(transport, i);

		vectors[i].iov_base =
			out->data + out->head + (begin - transport->written);
		vectors[i].iov_len = (size_t)(end - begin);
		headers[i].msg_hdr = (struct msghdr){
			.msg_iov = &vectors[i],
			.msg_iovlen = 1,
		};
		begin = end;
	}
	return i;
}

/* The first num messages are done with. */
static void batch_done(struct forward_transport *transport, size_t num)
{
	uint64_t end = *transport_flight_end(transport, num - 1);

	transport_consume(transport, (size_t)(end - transport->written));
	transport->written = end;
	transport_arrived(transport, end);
}

static void datagram_failed(struct forward_transport *transport, int error)
{
	switch (error) {
	case EMSGSIZE:
		transport->info.refused++;
		batch_done(transport, 1);
		return;
	case EINTR:
		return;
	case EAGAIN:
	case ENOBUFS:
		transport_block(transport);
		return;
	default:
		transport_fail_errno(transport, error);
		return;
	}
}

static void datagram_flush(struct forward_transport *transport)
{
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];

	while (transport_is_open(transport) && !transport->blocked &&
	       transport->flight.num > 0) {
		unsigned int num = batch_fill(transport, headers, vectors);
		int sent = sendmmsg(transport->fd, headers, num,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0) {
			batch_done(transport, (size_t)sent);
		} else {
			datagram_failed(transport, sent == 0 ? EAGAIN : errno);
		}
	}
}

/* Nobody answers; but that nobody listens comes this way. */
static void datagram_read(struct forward_transport *transport)
{
	uint8_t nothing[512];
	int i;

	for (i = 0; i < BATCH; i++) {
		ssize_t n = recv(transport->fd, nothing, sizeof(nothing),
				 MSG_DONTWAIT);

		if (n >= 0 || errno == EINTR) {
			continue;
		}
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			transport_fail_errno(transport, errno);
		}
		return;
	}
}

const struct transport_ops transport_udp_ops = {
	.frame = datagram_frame,
	.flush = datagram_flush,
	.read = datagram_read,
};
