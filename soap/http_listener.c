/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Sockets accepted in one turn of the loop. */
#define ACCEPT_BATCH 64
/* Without descriptors or memory: how long new clients wait, milliseconds. */
#define ACCEPT_PAUSE_MS 100
/* The daemon is run again at once, while it wants to, for so long. */
#define RUN_SLICE_MS 1
/* Given up, but not yet closed by the library. */
#define CONNECTIONS_CLOSING 256

static void report_limit(struct http_listener *listener, const char *limit,
			 const char *peer)
{
	const char *const fields[] = {"Limit", limit, "Peer", peer};

	listener->stats.limited++;
	operational_report(listener->server->operational,
			   OPERATIONAL_LIMIT_REACHED, limit, fields, 2);
}

static void report_refused(struct http_listener *listener, const char *peer)
{
	const char *const fields[] = {"Peer", peer, "Listener", listener->name};

	listener->stats.refused++;
	operational_report(listener->server->operational,
			   OPERATIONAL_ADDRESS_REFUSED, peer, fields, 2);
}

/* ----------------------------------------------------- the daemon's turns */

/*
 * tevent looks at no socket while an immediate or a timer is due, so another
 * turn is asked for by a descriptor that is readable: it takes its place
 * among the sockets.
 */
static void listener_again(struct http_listener *listener, bool again)
{
	uint64_t counter = 1;
	ssize_t n;

	if (listener->again == again) {
		return;
	}
	do {
		n = again ? write(listener->again_fd, &counter, sizeof(counter))
			  : read(listener->again_fd, &counter, sizeof(counter));
	} while (n < 0 && errno == EINTR);
	listener->again = again;
}

void http_listener_wake(struct http_listener *listener)
{
	listener->woken = true;
	if (!listener->running) {
		listener_again(listener, true);
	}
}

/* What is buffered in the library or in TLS wakes no descriptor. */
static bool daemon_wants_turn(struct MHD_Daemon *daemon)
{
	unsigned long long timeout = 0;
	enum MHD_Result ret;

	ret = MHD_get_timeout(daemon, &timeout);
	return ret == MHD_YES && timeout == 0;
}

static void listener_run(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data)
{
	struct http_listener *listener =
		talloc_get_type_abort(private_data, struct http_listener);
	uint64_t end = http_now_ms() + RUN_SLICE_MS;
	bool again = false;

	(void)ev;
	(void)fde;
	(void)flags;

	listener->running = true;
	do {
		listener->woken = false;
		(void)MHD_run(listener->daemon);
		again = listener->woken || daemon_wants_turn(listener->daemon);
	} while (again && http_now_ms() < end);
	listener->running = false;
	listener_again(listener, again);
}

/* --------------------------------------------------------- connections */

void http_connection_phase(struct http_connection *connection,
			   enum http_phase phase)
{
	connection->phase = phase;
	connection->since = http_now_ms();
	connection->moved = connection->since;
	connection->bytes = 0;
	connection->half_closed = 0;
	if (phase == HTTP_PHASE_IDLE) {
		connection->seen = http_socket_received(connection->fd);
	} else if (phase == HTTP_PHASE_SEND) {
		connection->seen = http_socket_acknowledged(connection->fd);
	}
}

void http_connection_cut(struct http_connection *connection)
{
	if (connection->cut) {
		return;
	}
	connection->cut = true;
	connection->listener->stats.connections--;
	shutdown(connection->fd, SHUT_RDWR);
	if (connection->exchange != NULL) {
		connection->exchange->abort = true;
		http_exchange_wake(connection->exchange);
	}
}

static int connection_destructor(struct http_connection *connection)
{
	LIST_REMOVE(connection, link);
	if (!connection->cut) {
		connection->listener->stats.connections--;
	}
	return 0;
}

/* The library's notice: a connection was added (by us), or is closed now. */
static void connection_notify(void *closure, struct MHD_Connection *mhd,
			      void **socket_context,
			      enum MHD_ConnectionNotificationCode code)
{
	struct http_listener *listener =
		talloc_get_type_abort(closure, struct http_listener);
	struct http_connection *connection = NULL;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = listener->accepting;
		listener->accepting = NULL;
		connection->mhd = mhd;
		*socket_context = connection;
		if (listener->tls != NULL && !http_tls_attach(connection)) {
			http_connection_cut(connection);
		}
		return;
	}
	connection =
		talloc_get_type_abort(*socket_context, struct http_connection);
	*socket_context = NULL;
	if (!connection->cut && !listener->stopping) {
		http_linger(connection);
	}
	TALLOC_FREE(connection);
}

static struct http_connection *connection_create(struct http_listener *listener,
						 int fd,
						 const struct sockaddr *sa)
{
	struct http_connection *connection = NULL;

	connection = talloc_zero(listener, struct http_connection);
	if (connection == NULL) {
		return NULL;
	}
	connection->listener = listener;
	connection->fd = fd;
	(void)http_address_of(sa, &connection->address);
	connection->peer.port = http_address_text(sa, connection->address_text);
	connection->peer.address = connection->address_text;
	connection->peer.tls = listener->tls != NULL;
	http_connection_phase(connection, HTTP_PHASE_HEAD);

	LIST_INSERT_HEAD(&listener->connections, connection, link);
	listener->stats.connections++;
	talloc_set_destructor(connection, connection_destructor);
	return connection;
}

/* -------------------------------------------------------------- accept */

static void accept_resume(struct tevent_context *ev, struct tevent_timer *te,
			  struct timeval now, void *private_data)
{
	struct http_listener *listener =
		talloc_get_type_abort(private_data, struct http_listener);

	(void)ev;
	(void)te;
	(void)now;

	listener->pause = NULL;
	TEVENT_FD_READABLE(listener->fde);
}

/*
 * The waiting connection stays in the backlog, so the socket stays readable:
 * without a pause the loop would do nothing else.
 */
static void accept_pause(struct http_listener *listener)
{
	struct timeval when =
		tevent_timeval_current_ofs(0, ACCEPT_PAUSE_MS * 1000);

	listener->pause = tevent_add_timer(listener->server->ev, listener, when,
					   accept_resume, listener);
	if (listener->pause != NULL) {
		TEVENT_FD_NOT_READABLE(listener->fde);
	}
}

/*
 * Room for one more from this address, or NULL; else which limit has been
 * reached.  Connections without a request make room for new ones, so that
 * nobody is locked out by idle ones.
 */
static const char *accept_limit(struct http_listener *listener,
				const struct http_address *address)
{
	const struct http_limits *limits = &listener->limits;
	const struct http_connection *connection = NULL;
	uint32_t count = 0;

	LIST_FOREACH(connection, &listener->connections, link)
	{
		if (!connection->cut &&
		    http_address_equal(&connection->address, address)) {
			count++;
		}
	}
	if (count >= limits->connections_per_address &&
	    !http_clock_make_room(listener, address)) {
		return "connections per address";
	}
	if (listener->stats.connections >= limits->connections &&
	    !http_clock_make_room(listener, NULL)) {
		return "connections";
	}
	return NULL;
}

static void accept_add(struct http_listener *listener, int fd,
		       const struct sockaddr *sa, socklen_t len)
{
	struct http_connection *connection = NULL;
	enum MHD_Result ret;

	connection = connection_create(listener, fd, sa);
	if (connection == NULL) {
		close(fd);
		accept_pause(listener);
		return;
	}
	http_socket_prepare(fd);
	http_clock_start(listener);

	/* The socket is closed on failure. */
	listener->accepting = connection;
	ret = MHD_add_connection(listener->daemon, fd, sa, len);
	if (ret == MHD_YES) {
		listener->stats.accepted++;
		return;
	}
	TALLOC_FREE(listener->accepting);
	accept_pause(listener);
}

static void accept_one(struct http_listener *listener, int fd,
		       const struct sockaddr *sa, socklen_t len)
{
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct http_address address = {};
	const char *limit = NULL;

	if (!http_address_of(sa, &address)) {
		close(fd);
		return;
	}
	if (!http_allow_match(listener->allow, &address)) {
		close(fd);
		http_address_text(sa, text);
		report_refused(listener, text);
		return;
	}
	limit = accept_limit(listener, &address);
	if (limit != NULL) {
		close(fd);
		http_address_text(sa, text);
		report_limit(listener, limit, text);
		return;
	}
	accept_add(listener, fd, sa, len);
}

static void accept_ready(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data)
{
	struct http_listener *listener =
		talloc_get_type_abort(private_data, struct http_listener);
	int i;

	(void)ev;
	(void)fde;
	(void)flags;

	for (i = 0; i < ACCEPT_BATCH && listener->pause == NULL; i++) {
		struct sockaddr_storage address = {};
		struct sockaddr *sa = (struct sockaddr *)&address;
		socklen_t len = sizeof(address);
		int fd;

		fd = accept4(listener->fd, sa, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accept_one(listener, fd, sa, len);
			continue;
		}
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			report_limit(listener, "open files", "any");
			(void)http_clock_make_room(listener, NULL);
			accept_pause(listener);
			return;
		case EAGAIN:
			return;
		default:
			/* That one client's network error; see accept(2). */
			continue;
		}
	}
}

/* ---------------------------------------------------------- start, stop */

/* Paths and queries are handed on as they were sent. */
static size_t unescape_nothing(void *closure, struct MHD_Connection *mhd,
			       char *text)
{
	(void)closure;
	(void)mhd;
	return strlen(text);
}

static size_t listener_pool(const struct http_listener *listener)
{
	size_t pool = (size_t)listener->limits.header_bytes + HTTP_POOL_EXTRA;

	return pool < HTTP_POOL_MIN ? HTTP_POOL_MIN : pool;
}

/* Without MHD_USE_ERROR_LOG the library writes nothing anywhere. */
static everr_t listener_start_daemon(struct http_listener *listener)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_NO_LISTEN_SOCKET;
	const union MHD_DaemonInfo *info = NULL;

	if (listener->tls != NULL) {
		flags |= MHD_USE_TLS;
	}
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, http_exchange_access, listener,
		MHD_OPTION_CONNECTION_LIMIT,
		listener->limits.connections + CONNECTIONS_CLOSING,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, listener_pool(listener),
		MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, http_exchange_uri, listener,
		MHD_OPTION_NOTIFY_COMPLETED, http_exchange_completed, listener,
		MHD_OPTION_NOTIFY_CONNECTION, connection_notify, listener,
		/* Not read by a plain daemon. */
		MHD_OPTION_HTTPS_CERT_CALLBACK, http_tls_no_certificate,
		MHD_OPTION_END);
	if (listener->daemon == NULL) {
		return EVERR_IO;
	}
	info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		return EVERR_INTERNAL;
	}
	listener->daemon_fde =
		tevent_add_fd(listener->server->ev, listener, info->epoll_fd,
			      TEVENT_FD_READ, listener_run, listener);
	return listener->daemon_fde == NULL ? EVERR_NOMEM : EVERR_OK;
}

/* The library may not be stopped while it holds suspended connections. */
static void listener_stop_daemon(struct http_listener *listener)
{
	struct http_connection *connection = NULL;

	listener->stopping = true;
	LIST_FOREACH(connection, &listener->connections, link)
	{
		if (connection->exchange != NULL) {
			connection->exchange->abort = true;
			http_exchange_wake(connection->exchange);
		}
	}
	MHD_stop_daemon(listener->daemon);
	listener->daemon = NULL;
}

static int listener_destructor(struct http_listener *listener)
{
	TALLOC_FREE(listener->fde);
	TALLOC_FREE(listener->daemon_fde);
	TALLOC_FREE(listener->again_fde);
	if (listener->daemon != NULL) {
		listener_stop_daemon(listener);
	}
	if (listener->again_fd != -1) {
		close(listener->again_fd);
	}
	close(listener->fd);
	return 0;
}

everr_t http_listener_start(struct http_listener *listener)
{
	struct tevent_context *ev = listener->server->ev;
	everr_t err;

	LIST_INIT(&listener->connections);
	listener->again_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	talloc_set_destructor(listener, listener_destructor);
	if (listener->again_fd == -1) {
		return EVERR_IO;
	}
	err = listener_start_daemon(listener);
	if (err != EVERR_OK) {
		return err;
	}
	listener->again_fde =
		tevent_add_fd(ev, listener, listener->again_fd, TEVENT_FD_READ,
			      listener_run, listener);
	listener->fde = tevent_add_fd(ev, listener, listener->fd,
				      TEVENT_FD_READ, accept_ready, listener);
	if (listener->again_fde == NULL || listener->fde == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}
