/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/listener.h"

#include "rpc/report.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024
/* Sockets accepted in one turn of the loop. */
#define ACCEPT_BATCH 64
/* Without descriptors or memory: how long new clients wait, milliseconds. */
#define ACCEPT_PAUSE_MS 100
/* A port the system chose for one address may be taken on another. */
#define PORT_ATTEMPTS 16

struct rpc_listener {
	struct rpc_service *service;
	enum rpc_door door;
	int fd;
	struct tevent_fd *fde;
	struct tevent_timer *pause;
	char *path; /* the control socket's; removed at the end */
	dev_t path_dev;
	ino_t path_ino;
};

/* -------------------------------------------------------------- accept */

static void listener_resume(struct tevent_context *ev, struct tevent_timer *te,
			    struct timeval now, void *private_data)
{
	struct rpc_listener *listener =
		talloc_get_type_abort(private_data, struct rpc_listener);

	listener->pause = NULL;
	TEVENT_FD_READABLE(listener->fde);
}

/*
 * The waiting connection stays in the backlog, so the socket stays readable:
 * without a pause the loop would do nothing else.
 */
static void listener_pause(struct rpc_listener *listener)
{
	struct timeval when =
		tevent_timeval_current_ofs(0, ACCEPT_PAUSE_MS * 1000);

	listener->pause = tevent_add_timer(listener->service->ev, listener,
					   when, listener_resume, listener);
	if (listener->pause != NULL) {
		TEVENT_FD_NOT_READABLE(listener->fde);
	}
}

/* root and the service itself; whoever else is local is one peer. */
static bool peer_is_privileged(const struct rpc_listener *listener, int fd)
{
	struct ucred cred = {};
	socklen_t len = sizeof(cred);
	int ret;

	if (listener->door != RPC_DOOR_LOCAL) {
		return false;
	}
	ret = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	return ret == 0 && (cred.uid == 0 || cred.uid == geteuid());
}

/*
 * Which limit a new connection would pass; NULL: none.  The network and the
 * local socket are counted apart: a crowd at one does not shut the other.
 */
static const char *listener_limit(struct rpc_listener *listener, int fd,
				  const char *peer)
{
	const struct rpc_limits *limits = &listener->service->config.limits;
	const struct rpc_connection *connection = NULL;
	bool local = listener->door == RPC_DOOR_LOCAL;
	uint32_t count = 0;
	uint32_t count_peer = 0;

	LIST_FOREACH(connection, &listener->service->connections, link)
	{
		if ((connection->door == RPC_DOOR_LOCAL) != local) {
			continue;
		}
		count++;
		if (strcmp(connection->peer, peer) == 0) {
			count_peer++;
		}
	}
	if (count >= limits->connections) {
		return local ? "local connections" : "connections";
	}
	if (count_peer >= limits->connections_per_peer &&
	    !peer_is_privileged(listener, fd)) {
		return "connections per peer";
	}
	return NULL;
}

static void listener_accepted(struct rpc_listener *listener, int fd,
			      const struct sockaddr_storage *address,
			      socklen_t len)
{
	const char *limit = NULL;
	char *peer = NULL;
	everr_t err;

	peer = rpc_address_text(listener, address);
	if (peer == NULL) {
		close(fd);
		return;
	}
	limit = listener_limit(listener, fd, peer);
	if (limit != NULL) {
		close(fd);
		rpc_report_limit(listener->service, limit, peer);
		TALLOC_FREE(peer);
		return;
	}
	TALLOC_FREE(peer);

	err = rpc_connection_create(listener->service, listener->door, fd,
				    address, len);
	if (err == EVERR_NOMEM) {
		listener_pause(listener);
	}
}

static void listener_readable(struct tevent_context *ev, struct tevent_fd *fde,
			      uint16_t flags, void *private_data)
{
	struct rpc_listener *listener =
		talloc_get_type_abort(private_data, struct rpc_listener);
	int i;

	for (i = 0; i < ACCEPT_BATCH && listener->pause == NULL; i++) {
		struct sockaddr_storage address = {};
		socklen_t len = sizeof(address);
		int fd;

		fd = accept4(listener->fd, (struct sockaddr *)&address, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			listener_accepted(listener, fd, &address, len);
			continue;
		}
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			rpc_report_limit(listener->service, "open files",
					 "any");
			listener_pause(listener);
			return;
		case EAGAIN:
			return;
		default:
			/* That one client's network error; see accept(2). */
			continue;
		}
	}
}

/* ------------------------------------------------------------- sockets */

static int listener_destructor(struct rpc_listener *listener)
{
	struct stat st;
	int ret;

	TALLOC_FREE(listener->fde);
	close(listener->fd);
	if (listener->path == NULL) {
		return 0;
	}
	/* Only if it is still the one we made. */
	ret = lstat(listener->path, &st);
	if (ret == 0 && st.st_dev == listener->path_dev &&
	    st.st_ino == listener->path_ino) {
		(void)unlink(listener->path);
	}
	return 0;
}

/* Serve a listening socket; it is closed on failure. */
static everr_t listener_add(struct rpc_service *service, enum rpc_door door,
			    int fd, struct rpc_listener **ret_listener)
{
	struct rpc_listener *listener = NULL;

	listener = talloc_zero(service, struct rpc_listener);
	if (listener == NULL) {
		close(fd);
		return EVERR_NOMEM;
	}
	listener->service = service;
	listener->door = door;
	listener->fd = fd;
	talloc_set_destructor(listener, listener_destructor);

	listener->fde = tevent_add_fd(service->ev, listener, fd, TEVENT_FD_READ,
				      listener_readable, listener);
	if (listener->fde == NULL) {
		TALLOC_FREE(listener);
		return EVERR_NOMEM;
	}
	if (ret_listener != NULL) {
		*ret_listener = listener;
	}
	return EVERR_OK;
}

/* A bound and listening socket, or -1 with errno. */
static int listen_socket(const struct sockaddr *address, socklen_t len)
{
	const int one = 1;
	int saved;
	int ret;
	int fd;

	fd = socket(address->sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return -1;
	}
	ret = 0;
	if (address->sa_family != AF_UNIX) {
		ret = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
				 sizeof(one));
	}
	/* "::" and "0.0.0.0" are listed side by side. */
	if (ret == 0 && address->sa_family == AF_INET6) {
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
	}
	if (ret == 0) {
		ret = bind(fd, address, len);
	}
	if (ret == 0) {
		ret = listen(fd, LISTEN_BACKLOG);
	}
	if (ret == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static uint16_t socket_port(int fd)
{
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);
	int ret;

	ret = getsockname(fd, (struct sockaddr *)&address, &len);
	if (ret == -1) {
		return 0;
	}
	if (address.ss_family == AF_INET6) {
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	}
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void address_set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	} else {
		((struct sockaddr_in *)address)->sin_port = htons(port);
	}
}

/* ----------------------------------------------------------------- TCP */

struct listen_set {
	struct sockaddr_storage *addresses;
	socklen_t *lens;
	int *fds;
	size_t count;
};

static int listen_set_destructor(struct listen_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (set->fds[i] != -1) {
			close(set->fds[i]);
		}
	}
	return 0;
}

static everr_t listen_set_resolve(struct listen_set *set,
				  const char *const *names, TALLOC_CTX *mem_ctx,
				  char **ret_message)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
	};
	struct addrinfo *found = NULL;
	size_t i;
	int ret;

	for (i = 0; names[i] != NULL; i++) {
		ret = getaddrinfo(names[i], NULL, &hints, &found);
		if (ret != 0) {
			*ret_message = talloc_asprintf(
				mem_ctx,
				"cannot listen on \"%s\": not an IPv4 "
				"or IPv6 address",
				names[i]);
			return EVERR_CONFIG;
		}
		memcpy(&set->addresses[i], found->ai_addr, found->ai_addrlen);
		set->lens[i] = found->ai_addrlen;
		freeaddrinfo(found);
	}
	return EVERR_OK;
}

static everr_t listen_set_create(TALLOC_CTX *mem_ctx, const char *const *names,
				 struct listen_set **ret_set,
				 char **ret_message)
{
	struct listen_set *set = NULL;
	size_t count = 0;
	everr_t err;
	size_t i;

	while (names != NULL && names[count] != NULL) {
		count++;
	}
	set = talloc_zero(mem_ctx, struct listen_set);
	if (set == NULL) {
		return EVERR_NOMEM;
	}
	set->addresses = talloc_zero_array(set, struct sockaddr_storage, count);
	set->lens = talloc_zero_array(set, socklen_t, count);
	set->fds = talloc_array(set, int, count);
	if (set->addresses == NULL || set->lens == NULL || set->fds == NULL) {
		TALLOC_FREE(set);
		return EVERR_NOMEM;
	}
	for (i = 0; i < count; i++) {
		set->fds[i] = -1;
	}
	set->count = count;
	talloc_set_destructor(set, listen_set_destructor);

	if (count > 0) {
		err = listen_set_resolve(set, names, mem_ctx, ret_message);
		if (err != EVERR_OK) {
			TALLOC_FREE(set);
			return err;
		}
	}
	*ret_set = set;
	return EVERR_OK;
}

static void listen_set_close(struct listen_set *set)
{
	size_t i;

	listen_set_destructor(set);
	for (i = 0; i < set->count; i++) {
		set->fds[i] = -1;
	}
}

/* "::" on a host without IPv6, beside another address. */
static bool address_is_dispensable(const struct listen_set *set, size_t i)
{
	const struct sockaddr_in6 *in6 =
		(const struct sockaddr_in6 *)&set->addresses[i];

	return set->count > 1 && in6->sin6_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) &&
	       (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

/*
 * Bind all addresses to one port; 0: the first one's, once chosen.  -1 with
 * errno and *ret_failed, the address that did not work.
 */
static int listen_set_bind(struct listen_set *set, uint16_t port,
			   uint16_t *ret_port, size_t *ret_failed)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		address_set_port(&set->addresses[i], port);
		set->fds[i] = listen_socket(
			(struct sockaddr *)&set->addresses[i], set->lens[i]);
		if (set->fds[i] == -1 && address_is_dispensable(set, i)) {
			continue;
		}
		if (set->fds[i] == -1) {
			*ret_failed = i;
			return -1;
		}
		if (port == 0) {
			port = socket_port(set->fds[i]);
		}
	}
	*ret_port = port;
	return 0;
}

static everr_t listen_set_serve(struct listen_set *set,
				struct rpc_service *service, enum rpc_door door)
{
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < set->count && err == EVERR_OK; i++) {
		int fd = set->fds[i];

		if (fd == -1) {
			continue;
		}
		set->fds[i] = -1;
		err = listener_add(service, door, fd, NULL);
	}
	return err;
}

static everr_t listen_even6(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			    uint16_t *ret_port, char **ret_message)
{
	const struct rpc_config *config = &service->config;
	struct listen_set *set = NULL;
	uint16_t port = config->port;
	size_t failed = 0;
	int attempts = config->port == 0 ? PORT_ATTEMPTS : 1;
	everr_t err;
	int ret;

	err = listen_set_create(mem_ctx, config->listen, &set, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	ret = listen_set_bind(set, config->port, &port, &failed);
	while (ret == -1 && errno == EADDRINUSE && --attempts > 0) {
		listen_set_close(set);
		ret = listen_set_bind(set, config->port, &port, &failed);
	}
	if (ret == -1) {
		*ret_message = talloc_asprintf(
			mem_ctx, "cannot listen on %s port %u: %s",
			config->listen[failed], (unsigned int)config->port,
			strerror(errno));
		TALLOC_FREE(set);
		return EVERR_IO;
	}
	err = listen_set_serve(set, service, RPC_DOOR_EVEN6);
	TALLOC_FREE(set);
	if (err == EVERR_OK) {
		*ret_port = port;
	}
	return err;
}

/* -------------------------------------------------------------- mapper */

/* Whether a Samba that has an endpoint mapper of its own runs here. */
static bool samba_runs_here(void)
{
	static const char *const pid_files[] = {"/run/samba/samba-dcerpcd.pid",
						"/run/samba/samba.pid"};
	size_t i;

	for (i = 0; i < sizeof(pid_files) / sizeof(pid_files[0]); i++) {
		if (access(pid_files[i], F_OK) == 0) {
			return true;
		}
	}
	return false;
}

static char *mapper_warning(TALLOC_CTX *mem_ctx, const char *address,
			    uint16_t port, int error)
{
	const char *hint = "";

	if (error == EADDRINUSE && samba_runs_here()) {
		hint = "; Samba's own endpoint mapper runs on this host and "
		       "takes no registrations";
	} else if (error == EACCES) {
		hint = "; CAP_NET_BIND_SERVICE is missing";
	}
	return talloc_asprintf(
		mem_ctx,
		"no endpoint mapper: cannot listen on %s port %u: %s%s. "
		"Clients have to name the EVEN6 port themselves",
		address, (unsigned int)port, strerror(error), hint);
}

static everr_t listen_mapper(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			     char **ret_message)
{
	const struct rpc_config *config = &service->config;
	struct listen_set *set = NULL;
	size_t failed = 0;
	uint16_t port = 0;
	everr_t err;
	int ret;

	err = listen_set_create(mem_ctx, config->listen, &set, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	ret = listen_set_bind(set, config->endpoint_mapper_port, &port,
			      &failed);
	if (ret == -1) {
		*ret_message =
			mapper_warning(mem_ctx, config->listen[failed],
				       config->endpoint_mapper_port, errno);
		TALLOC_FREE(set);
		return EVERR_OK;
	}
	err = listen_set_serve(set, service, RPC_DOOR_MAPPER);
	TALLOC_FREE(set);
	service->mapper_port = port;
	return err;
}

/* ------------------------------------------------------ control socket */

/*
 * A socket where nobody answers any more: a leftover of a service that was
 * killed.  connect() says the same of a file that is none; that one stays.
 */
static bool control_is_stale(const struct sockaddr_un *address)
{
	struct stat st = {};
	bool stale;
	int ret;
	int fd;

	ret = lstat(address->sun_path, &st);
	if (ret == -1 || !S_ISSOCK(st.st_mode)) {
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return false;
	}
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	stale = ret == -1 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int control_bind(const struct sockaddr_un *address)
{
	int fd;

	fd = listen_socket((const struct sockaddr *)address, sizeof(*address));
	if (fd != -1 || errno != EADDRINUSE) {
		return fd;
	}
	if (!control_is_stale(address)) {
		errno = EADDRINUSE;
		return -1;
	}
	(void)unlink(address->sun_path);
	return listen_socket((const struct sockaddr *)address,
			     sizeof(*address));
}

static everr_t listen_control(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			      char **ret_message)
{
	const char *path = service->config.control_socket;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rpc_listener *listener = NULL;
	struct stat st = {};
	everr_t err;
	int ret;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "the control socket's path %s is too long",
			path);
		return EVERR_CONFIG;
	}
	memcpy(address.sun_path, path, strlen(path));

	fd = control_bind(&address);
	/* Everybody may knock; what one may do is decided per call. */
	ret = fd == -1 ? -1 : chmod(path, 0666);
	if (ret == 0) {
		ret = lstat(path, &st);
	}
	if (ret == -1) {
		*ret_message = talloc_asprintf(
			mem_ctx, "cannot listen on the control socket %s: %s%s",
			path, strerror(errno),
			errno == EADDRINUSE
				? "; another evenlogd runs, or the path is "
				  "no socket"
				: "");
		if (fd != -1) {
			close(fd);
		}
		return EVERR_IO;
	}

	err = listener_add(service, RPC_DOOR_LOCAL, fd, &listener);
	if (err != EVERR_OK) {
		return err;
	}
	listener->path = talloc_strdup(listener, path);
	listener->path_dev = st.st_dev;
	listener->path_ino = st.st_ino;
	return listener->path != NULL ? EVERR_OK : EVERR_NOMEM;
}

everr_t rpc_listeners_start(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			    uint16_t *ret_port, char **ret_message)
{
	uint16_t port = 0;
	everr_t err = EVERR_OK;

	if (service->config.control_socket != NULL) {
		err = listen_control(service, mem_ctx, ret_message);
	}
	if (err == EVERR_OK) {
		err = listen_even6(service, mem_ctx, &port, ret_message);
	}
	if (err == EVERR_OK && service->config.endpoint_mapper) {
		err = listen_mapper(service, mem_ctx, ret_message);
	}
	if (err == EVERR_OK) {
		*ret_port = port;
	}
	return err;
}
