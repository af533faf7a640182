/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_TRANSPORT_INTERNAL_H
#define EVENLOG_FORWARD_TRANSPORT_INTERNAL_H

/*
 * What the transports share.  transport.c has the life of a connection, the
 * messages in flight and the hooks; each of the others knows how to frame, to
 * write, and to learn what has arrived.
 *
 * A function here that can lose the connection says so by its result or by
 * transport_is_open(); after transport_fail() the connection's memory is gone,
 * the transport is not.
 */

#include "base/backoff.h"
#include "forward/transport.h"

#include <sys/socket.h>
#include <sys/types.h>

/* So much together is written at once, not at the end of the turn. */
#define TRANSPORT_FLUSH_BYTES (64 * 1024)
/* Messages in flight, however short. */
#define TRANSPORT_MESSAGES_MAX 32768
#define TRANSPORT_WINDOW 128 /* RELP's, by default */

#define TRANSPORT_CONNECT_MS 10000 /* for one address */
#define TRANSPORT_GREETING_MS 20000
/* A receiver that has doubts about us has gone by then. */
#define TRANSPORT_VERDICT_MS 1000
/* So many connections that did not last are no chance. */
#define TRANSPORT_BRIEF 2
/* A connection that lasted so long was a good one. */
#define TRANSPORT_SETTLED_MS 5000

/* How long to wait before asking the kernel again what is acknowledged. */
#define TRANSPORT_CHECK_MS 20
#define TRANSPORT_CHECK_FULL_MS 1
#define TRANSPORT_CHECK_MAX_MS 50

/* How long to wait for a kernel that has no room, though the socket has. */
#define TRANSPORT_PAUSE_MS 20

#define TRANSPORT_KEEPALIVE_IDLE 30 /* seconds */
#define TRANSPORT_KEEPALIVE_INTERVAL 10
#define TRANSPORT_KEEPALIVE_COUNT 3

enum transport_state {
	TRANSPORT_WAITING, /* for the next attempt */
	TRANSPORT_CONNECTING,
	TRANSPORT_GREETING, /* connected: handshake, RELP's open */
	TRANSPORT_UP
};

/* Bytes that are not written yet. */
struct transport_out {
	uint8_t *data;
	size_t head;
	size_t len;
	size_t size;
};

/*
 * Where each message in flight ends, as an offset in what the socket took on
 * this connection: a ring, size is a power of two.  TLS first knows offsets
 * before encryption; the first num_mapped are those that it has written.
 */
struct transport_flight {
	uint64_t *ends;
	size_t size;
	size_t head;
	size_t num;
	size_t num_mapped;
	uint64_t first; /* the oldest one's sequence number */
};

struct transport_ops {
	/* The socket is connected; calls transport_up() at last.  NULL: at
	   once. */
	void (*greet)(struct forward_transport *transport);
	/* Append a message to what is to be written; false: no memory. */
	bool (*frame)(struct forward_transport *transport,
		      const uint8_t *message, size_t len);
	/* Write what there is until the socket is full. */
	void (*flush)(struct forward_transport *transport);
	/* The socket has something to read, or has failed. */
	void (*read)(struct forward_transport *transport);
	/* See what has arrived.  NULL: one is told without asking. */
	void (*check)(struct forward_transport *transport);
	/* Write some of data: how much, 0 when the socket is full, -1 after
	   transport_fail().  For stream_flush(). */
	ssize_t (*write)(struct forward_transport *transport,
			 const uint8_t *data, size_t len);
	/* Nothing arrives; but it will, and a new connection would only do
	   harm.  NULL: it would not. */
	bool (*waits)(const struct forward_transport *transport);
	/* The socket is about to be closed, because we want it so. */
	void (*bye)(struct forward_transport *transport);
	/* What the socket takes is longer than what was framed. */
	bool encrypts;
};

struct forward_transport {
	struct tevent_context *ev;
	const struct forward_config *config;
	const struct forward_transport_hooks *hooks;
	void *private_data;
	struct forward_transport_info info;
	struct backoff backoff;
	uint32_t verdict_ms;
	uint16_t port;
	const char *peer; /* for a person: "siem.example.org port 514" */
	void *trust;	  /* TLS: whom to trust, and our certificate */

	enum transport_state state;
	struct tevent_timer *timer; /* of the state */
	struct tevent_req *connecting;
	uint64_t up_ms;
	unsigned int brief; /* connections in a row that did not last */

	/* The connection. */
	const struct transport_ops *ops;
	int fd; /* -1: none */
	struct tevent_fd *fde;
	void *session; /* talloc child: what TLS or RELP keep */
	struct transport_out out;
	struct transport_flight flight;
	uint64_t taken;	      /* bytes framed */
	uint64_t written;     /* bytes that the socket took */
	uint64_t arrived;     /* of them */
	uint64_t progress_ms; /* when something arrived last */
	size_t max_messages;
	bool full;		    /* until half of it has arrived */
	bool blocked;		    /* until the socket takes more */
	struct tevent_timer *pause; /* after which it is asked again */
	struct tevent_immediate *flush;
	bool flushing; /* scheduled */
	struct tevent_timer *check;
	uint32_t check_ms;

	/* Hooks to be called. */
	struct tevent_immediate *notify;
	bool notifying; /* scheduled */
	bool tell_arrived;
	bool tell_refused;
	bool tell_down;
	bool tell_ready;
	uint64_t arrived_sequence;
	uint64_t refused_sequence;
};

extern const struct transport_ops transport_udp_ops;
extern const struct transport_ops transport_tcp_ops;
extern const struct transport_ops transport_tls_ops;
extern const struct transport_ops transport_relp_ops;

/* -------------------------------------------------------- transport.c */

uint64_t transport_now_ms(void);
static inline bool transport_is_open(const struct forward_transport *transport)
{
	return transport->fd != -1;
}

/* A socket that is connected, which is the transport's from now on. */
void transport_connected(struct forward_transport *transport, int fd,
			 const struct transport_ops *ops);
/*
 * Whether the receiver may be one that takes connections only to close them:
 * its kernel would acknowledge what nobody reads.  Then it has to keep one for
 * TRANSPORT_VERDICT_MS before something is sent.
 */
static inline bool transport_is_doubtful(
	const struct forward_transport *transport)
{
	return transport->brief >= TRANSPORT_BRIEF;
}

/* The greeting is over. */
void transport_up(struct forward_transport *transport);
/* Break the connection or the attempt, and try again after the back-off. */
void transport_fail(struct forward_transport *transport, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for an errno of the socket. */
void transport_fail_errno(struct forward_transport *transport, int error);

/* Room for len more bytes to write; NULL: no memory. */
uint8_t *transport_extend(struct forward_transport *transport, size_t len);
void transport_consume(struct forward_transport *transport, size_t len);
/* End the turn by a flush. */
void transport_flush_later(struct forward_transport *transport);
/* The socket is full: flush when it takes more. */
void transport_block(struct forward_transport *transport);
/* Wait for the peer's greeting no longer than this; late says what then. */
bool transport_wait(struct forward_transport *transport, uint32_t ms,
		    tevent_timer_handler_t late);

/* All that ends at or below offset has arrived, as far as it is mapped. */
void transport_arrived(struct forward_transport *transport, uint64_t offset);
static inline uint64_t *transport_flight_end(
	struct forward_transport *transport, size_t index)
{
	struct transport_flight *flight = &transport->flight;

	return &flight->ends[(flight->head + index) & (flight->size - 1)];
}

/* ------------------------------------------------ transport_connect.c */

/*
 * A socket of this type connected to host and port: all addresses of the name
 * are tried in turn, beginning with number first, modulo how many there are
 * (UDP always connects; whether somebody listens shows later).  EVERR_CONNECT,
 * *ret_reason (talloc child of mem_ctx) says why of each; EVERR_NOMEM.
 */
struct tevent_req *transport_connect_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const char *host, uint16_t port,
					  int type, uint32_t first);
everr_t transport_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       int *ret_fd, char **ret_reason) EVERR_MUST_CHECK;

/* --------------------------------------------------- transport_unix.c */

everr_t transport_unix_check(TALLOC_CTX *mem_ctx,
			     const struct forward_config *config,
			     char **ret_message) EVERR_MUST_CHECK;
void transport_unix_connect(struct forward_transport *transport);

/* ------------------------------------------------- transport_stream.c */

/* Byte streams: TCP, Unix, and what others have of them. */
bool stream_frame_counted(struct forward_transport *transport,
			  const uint8_t *message, size_t len);
void stream_flush(struct forward_transport *transport);
/* Through transport->fd: like ops->write. */
ssize_t stream_write(struct forward_transport *transport, const uint8_t *data,
		     size_t len);
/* What the kernel of the peer has acknowledged, or the peer read. */
void stream_check(struct forward_transport *transport);
/* The peer has not closed its end. */
bool stream_peer_is_there(const struct forward_transport *transport);
/* The peer's kernel answers, though its program reads nothing. */
bool stream_waits(const struct forward_transport *transport);

/* ---------------------------------------------------- transport_tls.c */

/*
 * The authorities, certificate and key of the configuration, unless they are
 * loaded and unchanged.  EVERR_CONFIG, *ret_message (child of mem_ctx) says
 * what is wrong; EVERR_NOMEM.
 */
everr_t transport_tls_load(struct forward_transport *transport,
			   TALLOC_CTX *mem_ctx,
			   char **ret_message) EVERR_MUST_CHECK;
/* Load them, and let them go.  The same errors. */
everr_t transport_tls_check(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    char **ret_message) EVERR_MUST_CHECK;

#endif
