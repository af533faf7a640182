/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/transport_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* As much as one datagram may have, where the system lets one ask for it. */
#define SEND_BUFFER (8 * 1024 * 1024)

everr_t transport_unix_check(TALLOC_CTX *mem_ctx,
			     const struct forward_config *config,
			     char **ret_message)
{
	struct sockaddr_un address;

	if (config->path == NULL) {
		*ret_message = talloc_strdup(mem_ctx, "no socket is named");
		return EVERR_CONFIG;
	}
	if (strlen(config->path) >= sizeof(address.sun_path)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "%s: longer than the path of a socket can be",
			config->path);
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

/* errno, or 0. */
static int unix_open(const char *path, int type, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int size = SEND_BUFFER;
	int error;
	int fd;

	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		error = errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

/* It never waits: a listener whose queue is full is tried again. */
void transport_unix_connect(struct forward_transport *transport)
{
	const char *path = transport->config->path;
	const struct transport_ops *ops = &transport_tcp_ops;
	int fd = -1;
	int error;

	error = unix_open(path, SOCK_STREAM, &fd);
	if (error == EPROTOTYPE) {
		ops = &transport_udp_ops;
		error = unix_open(path, SOCK_DGRAM, &fd);
	}
	if (error != 0) {
		transport_fail(transport, "%s: %s", path, strerror(error));
		return;
	}
	transport_connected(transport, fd, ops);
}
