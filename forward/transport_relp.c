/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "forward/relp.h"
#include "forward/transport_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/*
 * A session: "open" with offers, then each message a "syslog" under the next
 * transaction number; what is answered 200 has arrived.  A server that wants
 * to end says "serverclose".
 */

/* Offers of ours; a server refuses what is not "syslog" by an error. */
#define OFFERS                                                   \
	"relp_version=0\nrelp_software=evenlog," PACKAGE_VERSION \
	"\ncommands=syslog"

#define OPEN_TXNR 1
#define READ_TURNS 16

/* Of a message's end: it is answered, though not all before it are. */
#define ANSWERED (UINT64_C(1) << 63)

struct relp_session {
	uint32_t next_txnr;
	uint32_t first_txnr; /* of the oldest message in flight */
	struct relp_parser parser;
};

static struct relp_session *session_of(struct forward_transport *transport)
{
	return talloc_get_type_abort(transport->session, struct relp_session);
}

/* --------------------------------------------------------------- writing */

static bool relp_put(struct forward_transport *transport, const char *command,
		     const uint8_t *data, size_t len)
{
	struct relp_session *session = session_of(transport);
	char header[RELP_HEADER_MAX];
	size_t n = relp_header(header, session->next_txnr, command, len);
	uint8_t *p = transport_extend(transport, n + len + 1);

	if (p == NULL) {
		return false;
	}
	memcpy(p, header, n);
	if (len > 0) {
		memcpy(p + n, data, len);
	}
	p[n + len] = '\n';
	session->next_txnr++;
	return true;
}

static bool relp_frame_message(struct forward_transport *transport,
			       const uint8_t *message, size_t len)
{
	return relp_put(transport, "syslog", message, len);
}

/* --------------------------------------------------------------- greeting */

static void relp_late(struct tevent_context *ev, struct tevent_timer *te,
		      struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->timer = NULL;
	transport_fail(transport,
		       "%s: it does not answer to RELP; does another protocol "
		       "listen there?",
		       transport->peer);
}

static void relp_greet(struct forward_transport *transport)
{
	struct relp_session *session = talloc(transport, struct relp_session);

	transport->session = session;
	if (session == NULL) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return;
	}
	session->next_txnr = OPEN_TXNR;
	session->first_txnr = OPEN_TXNR + 1;
	relp_parser_init(&session->parser);
	if (!relp_put(transport, "open", (const uint8_t *)OFFERS,
		      strlen(OFFERS))) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return;
	}
	if (transport_wait(transport, TRANSPORT_GREETING_MS, relp_late)) {
		stream_flush(transport);
	}
}

/* --------------------------------------------------------------- answers */

static void relp_opened(struct forward_transport *transport,
			const uint8_t *offers, size_t len)
{
	if (!relp_offers(offers, len, "commands", "syslog")) {
		transport_fail(transport,
			       "%s: the receiver's RELP takes no syslog",
			       transport->peer);
		return;
	}
	/* "open" was no message. */
	transport_arrived(transport, transport->written);
	transport_up(transport);
}

/* All in a row from the first. */
static void relp_advance(struct forward_transport *transport)
{
	struct relp_session *session = session_of(transport);
	uint64_t end = 0;
	size_t num;

	for (num = 0; num < transport->flight.num; num++) {
		uint64_t *slot = transport_flight_end(transport, num);

		if ((*slot & ANSWERED) == 0) {
			break;
		}
		*slot &= ~ANSWERED;
		end = *slot;
	}
	session->first_txnr += (uint32_t)num;
	transport_arrived(transport, end);
}

/* Which of the messages in flight an answer is for.  False: none. */
static bool relp_find(struct forward_transport *transport, uint32_t txnr,
		      size_t *ret_index)
{
	struct relp_session *session = session_of(transport);
	uint64_t end;

	if (txnr < session->first_txnr ||
	    txnr - session->first_txnr >= transport->flight.num) {
		return false;
	}
	end = *transport_flight_end(transport, txnr - session->first_txnr);
	/* Neither twice, nor before it was sent. */
	if ((end & ANSWERED) != 0 || end > transport->written) {
		return false;
	}
	*ret_index = txnr - session->first_txnr;
	return true;
}

/*
 * It may be that the receiver's disk is full, or that it will never take this
 * message: only a person can tell.
 */
static void relp_refused(struct forward_transport *transport, uint32_t txnr,
			 unsigned int code, const char *text)
{
	size_t index;

	if (transport->state == TRANSPORT_UP &&
	    relp_find(transport, txnr, &index)) {
		transport->refused_sequence = transport->flight.first + index;
		transport->tell_refused = true;
	}
	transport_fail(transport, "%s: the receiver answered %u %s",
		       transport->peer, code, text);
}

static void relp_answered(struct forward_transport *transport,
			  const struct relp_frame *frame)
{
	const uint8_t *offers = NULL;
	char text[RELP_TEXT_MAX];
	unsigned int code = 0;
	size_t len = 0;
	size_t index;
	everr_t err;

	err = relp_answer_parse(frame->data, frame->len, &code, text, &offers,
				&len);
	if (err != EVERR_OK) {
		transport_fail(transport,
			       "%s: the receiver broke the RELP protocol",
			       transport->peer);
		return;
	}
	if (code != 200) {
		relp_refused(transport, frame->txnr, code, text);
		return;
	}
	if (transport->state == TRANSPORT_GREETING &&
	    frame->txnr == OPEN_TXNR) {
		relp_opened(transport, offers, len);
		return;
	}
	if (transport->state != TRANSPORT_UP ||
	    !relp_find(transport, frame->txnr, &index)) {
		transport_fail(transport,
			       "%s: the receiver answered what was not asked",
			       transport->peer);
		return;
	}
	*transport_flight_end(transport, index) |= ANSWERED;
	backoff_reset(&transport->backoff);
	relp_advance(transport);
}

static void relp_frame_came(struct forward_transport *transport,
			    const struct relp_frame *frame)
{
	if (strcmp(frame->command, "rsp") == 0) {
		relp_answered(transport, frame);
		return;
	}
	if (strcmp(frame->command, "serverclose") == 0) {
		transport_fail(transport, "%s: the receiver ends the session",
			       transport->peer);
		return;
	}
	/* A hint (number 0) may be passed over, another command may not. */
	if (frame->txnr != 0) {
		transport_fail(transport,
			       "%s: the receiver sent the command %s",
			       transport->peer, frame->command);
	}
}

static void relp_take(struct forward_transport *transport, const uint8_t *data,
		      size_t len)
{
	struct relp_frame frame;
	everr_t err;

	for (;;) {
		err = relp_parser_feed(&session_of(transport)->parser, &data,
				       &len, &frame);
		if (err == EVERR_END) {
			return;
		}
		if (err != EVERR_OK) {
			transport_fail(transport,
				       "%s: what answers there is no RELP",
				       transport->peer);
			return;
		}
		relp_frame_came(transport, &frame);
		if (!transport_is_open(transport)) {
			return;
		}
	}
}

/*
 * librelp writes each answer by itself and leaves Nagle's algorithm on: the
 * next goes out when the last is acknowledged, which a kernel likes to delay
 * by 40 ms.  The option does not last.
 */
static void relp_acknowledge(struct forward_transport *transport)
{
	int on = 1;

	(void)setsockopt(transport->fd, IPPROTO_TCP, TCP_QUICKACK, &on,
			 sizeof(on));
}

static void relp_closed(struct forward_transport *transport, int error)
{
	if (transport->state == TRANSPORT_UP || error == ETIMEDOUT) {
		transport_fail_errno(transport, error);
		return;
	}
	transport_fail(transport,
		       "%s: the receiver closed the connection before it had "
		       "opened a session: its log may say why; does another "
		       "protocol listen there?",
		       transport->peer);
}

static void relp_read(struct forward_transport *transport)
{
	uint8_t data[16384];
	int i;

	for (i = 0; i < READ_TURNS; i++) {
		ssize_t n =
			recv(transport->fd, data, sizeof(data), MSG_DONTWAIT);

		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			break;
		}
		if (n <= 0) {
			relp_closed(transport, n == 0 ? 0 : errno);
			return;
		}
		relp_take(transport, data, (size_t)n);
		if (!transport_is_open(transport)) {
			return;
		}
	}
	relp_acknowledge(transport);
	if (session_of(transport)->next_txnr >
	    RELP_TXNR_MAX - TRANSPORT_MESSAGES_MAX) {
		transport_fail(transport,
			       "%s: the session's transaction numbers are used "
			       "up; a new one begins",
			       transport->peer);
	}
}

/* "close", without waiting for the answer; between two frames only. */
static void relp_bye(struct forward_transport *transport)
{
	uint8_t rest[4096];

	if (transport->out.len > 0 || !relp_put(transport, "close", NULL, 0)) {
		return;
	}
	(void)send(transport->fd, transport->out.data + transport->out.head,
		   transport->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	/* Answers that nobody read would reset the connection, and with it
	   what is on its way. */
	while (recv(transport->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0) {
	}
}

const struct transport_ops transport_relp_ops = {
	.greet = relp_greet,
	.frame = relp_frame_message,
	.flush = stream_flush,
	.write = stream_write,
	.read = relp_read,
	.bye = relp_bye,
};
