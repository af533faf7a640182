/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a peer may go on sending after its answer. */
#define DRAIN_SECONDS 5
/* Discarded in one turn of the loop. */
#define DRAIN_BYTES 1048576
/* Closed sockets that are still read, per listener. */
#define DRAINS_MAX 64

/* ------------------------------------------------------------ discarding */

/*
 * Closing a socket with unread bytes resets the connection, and the reset
 * takes an answer away that the peer has not read yet.  So its side is closed
 * first, and what still comes is discarded for a while.
 */
struct http_drain {
	int fd;
	struct tevent_fd *fde;
	struct tevent_timer *timer;
	void (*done)(void *private_data);
	void *private_data;
};

static void drain_timer(struct tevent_context *ev, struct tevent_timer *te,
			struct timeval now, void *private_data)
{
	struct http_drain *drain =
		talloc_get_type_abort(private_data, struct http_drain);

	(void)ev;
	(void)te;
	(void)now;
	drain->done(drain->private_data);
}

static void drain_readable(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	struct http_drain *drain =
		talloc_get_type_abort(private_data, struct http_drain);
	ssize_t n;

	(void)ev;
	(void)fde;
	(void)flags;

	/* MSG_TRUNC: tcp(7) throws the bytes away uncopied. */
	n = recv(drain->fd, NULL, DRAIN_BYTES, MSG_TRUNC | MSG_DONTWAIT);
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR))) {
		return;
	}
	drain->done(drain->private_data);
}

static struct http_drain *drain_create(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev, int fd,
				       void (*done)(void *private_data),
				       void *private_data)
{
	struct timeval when = tevent_timeval_current_ofs(DRAIN_SECONDS, 0);
	struct http_drain *drain = talloc_zero(mem_ctx, struct http_drain);

	if (drain == NULL) {
		return NULL;
	}
	drain->fd = fd;
	drain->done = done;
	drain->private_data = private_data;
	drain->fde = tevent_add_fd(ev, drain, fd, TEVENT_FD_READ,
				   drain_readable, drain);
	drain->timer = tevent_add_timer(ev, drain, when, drain_timer, drain);
	if (drain->fde == NULL || drain->timer == NULL) {
		TALLOC_FREE(drain);
		return NULL;
	}
	return drain;
}

/* ------------------------------------------- a socket the library closes */

/* A descriptor of our own keeps the connection when the library's goes. */
struct http_linger {
	struct http_listener *listener;
	struct http_drain *drain;
	int fd;
};

static int linger_destructor(struct http_linger *linger)
{
	TALLOC_FREE(linger->drain);
	linger->listener->lingering--;
	close(linger->fd);
	return 0;
}

static void linger_done(void *private_data)
{
	struct http_linger *linger =
		talloc_get_type_abort(private_data, struct http_linger);

	TALLOC_FREE(linger);
}

void http_linger(struct http_connection *connection)
{
	struct http_listener *listener = connection->listener;
	struct http_linger *linger = NULL;
	int fd;

	if (listener->lingering == DRAINS_MAX ||
	    http_socket_half_closed(connection->fd)) {
		return;
	}
	fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1) {
		return;
	}
	linger = talloc_zero(listener, struct http_linger);
	if (linger == NULL) {
		close(fd);
		return;
	}
	linger->listener = listener;
	linger->fd = fd;
	listener->lingering++;
	talloc_set_destructor(linger, linger_destructor);

	shutdown(fd, SHUT_WR);
	linger->drain = drain_create(linger, listener->server->ev, fd,
				     linger_done, linger);
	if (linger->drain == NULL) {
		TALLOC_FREE(linger);
	}
}

/* --------------------------------------------------------- early answers */

struct http_early {
	struct http_connection *connection;
	gnutls_session_t session; /* NULL: plain */
	uint8_t *data;
	size_t len;
	size_t sent;
	struct tevent_fd *fde;
	struct http_drain *drain;
};

static void early_done(void *private_data)
{
	struct http_early *early =
		talloc_get_type_abort(private_data, struct http_early);

	http_connection_cut(early->connection);
}

/* 0: not now; -1: never. */
static ssize_t early_send(struct http_early *early)
{
	const uint8_t *data = early->data + early->sent;
	size_t len = early->len - early->sent;
	ssize_t n;

	if (early->session != NULL) {
		n = gnutls_record_send(early->session, data, len);
		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
			return 0;
		}
		return n < 0 ? -1 : n;
	}
	n = send(early->connection->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	return n;
}

static void early_sent(struct http_early *early)
{
	struct http_connection *connection = early->connection;

	TALLOC_FREE(early->fde);
	if (early->session != NULL) {
		(void)gnutls_bye(early->session, GNUTLS_SHUT_WR);
	}
	shutdown(connection->fd, SHUT_WR);
	early->drain = drain_create(early, connection->listener->server->ev,
				    connection->fd, early_done, early);
	if (early->drain == NULL) {
		http_connection_cut(connection);
	}
}

/* An error alone is no event for who waits to write: see http_clock.c. */
static void early_writable(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	struct http_early *early =
		talloc_get_type_abort(private_data, struct http_early);
	ssize_t n = early_send(early);

	(void)ev;
	(void)fde;
	(void)flags;

	if (n == -1) {
		http_connection_cut(early->connection);
		return;
	}
	early->sent += (size_t)n;
	if (early->sent == early->len) {
		early_sent(early);
	}
}

/* A value that would begin another field is left out. */
static bool field_is_plain(const char *text)
{
	return text[strcspn(text, "\r\n")] == '\0';
}

static char *early_head(TALLOC_CTX *mem_ctx, unsigned int status,
			const char *content_type,
			const struct http_field *fields, size_t num_fields,
			size_t len)
{
	time_t now = time(NULL);
	struct tm tm = {};
	char date[40];
	char *head = NULL;
	size_t i;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	head = talloc_asprintf(mem_ctx,
			       "HTTP/1.1 %u %s\r\n"
			       "Date: %s\r\n"
			       "Server: Evenlog\r\n"
			       "Connection: close\r\n"
			       "Content-Length: %zu\r\n",
			       status, MHD_get_reason_phrase_for(status), date,
			       len);
	if (content_type != NULL && field_is_plain(content_type)) {
		talloc_asprintf_addbuf(&head, "Content-Type: %s\r\n",
				       content_type);
	}
	for (i = 0; i < num_fields; i++) {
		if (field_is_plain(fields[i].name) &&
		    field_is_plain(fields[i].value)) {
			talloc_asprintf_addbuf(&head, "%s: %s\r\n",
					       fields[i].name, fields[i].value);
		}
	}
	talloc_asprintf_addbuf(&head, "\r\n");
	return head;
}

static struct http_early *early_create(struct http_exchange *exchange,
				       const char *head, const uint8_t *body,
				       size_t len)
{
	struct http_connection *connection = exchange->connection;
	size_t head_len = strlen(head);
	struct http_early *early = NULL;

	early = talloc_zero(exchange->memory, struct http_early);
	if (early == NULL) {
		return NULL;
	}
	early->connection = connection;
	early->session = http_tls_session(connection);
	early->len = head_len + len;
	early->data = talloc_array(early, uint8_t, early->len);
	early->fde = tevent_add_fd(connection->listener->server->ev, early,
				   connection->fd, TEVENT_FD_WRITE,
				   early_writable, early);
	if (early->data == NULL || early->fde == NULL) {
		TALLOC_FREE(early);
		return NULL;
	}
	memcpy(early->data, head, head_len);
	if (len > 0) {
		memcpy(early->data + head_len, body, len);
	}
	return early;
}

void http_early_start(struct http_exchange *exchange, unsigned int status,
		      const char *content_type, const struct http_field *fields,
		      size_t num_fields, const uint8_t *body, size_t len)
{
	char *head = NULL;

	head = early_head(exchange->memory, status, content_type, fields,
			  num_fields, len);
	if (head != NULL) {
		exchange->early = early_create(exchange, head, body, len);
	}
	TALLOC_FREE(head);
	/* The library reads no more of it, and sends nothing. */
	http_exchange_sleep(exchange);
	http_connection_phase(exchange->connection, HTTP_PHASE_SEND);
	if (exchange->early == NULL) {
		http_connection_cut(exchange->connection);
	}
}
