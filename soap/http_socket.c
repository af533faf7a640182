/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024
/* A silent peer is asked after this long, so often, and then given up. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT 6
/* Sent bytes that nobody acknowledges. */
#define USER_TIMEOUT_MS 120000

uint64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int socket_open(const struct addrinfo *found)
{
	const int one = 1;
	int ret;
	int fd;

	fd = socket(found->ai_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return -1;
	}
	ret = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* "::" and "0.0.0.0" are listed side by side. */
	if (ret == 0 && found->ai_family == AF_INET6) {
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
	}
	if (ret == 0) {
		ret = bind(fd, found->ai_addr, found->ai_addrlen);
	}
	if (ret == 0) {
		ret = listen(fd, LISTEN_BACKLOG);
	}
	if (ret == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static uint16_t socket_port(int fd)
{
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);
	int ret;

	ret = getsockname(fd, (struct sockaddr *)&address, &len);
	if (ret == -1) {
		return 0;
	}
	return http_address_text((struct sockaddr *)&address, text);
}

everr_t http_socket_listen(const char *address, uint16_t port, int *ret_fd,
			   uint16_t *ret_port)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
	};
	struct addrinfo *found = NULL;
	int saved;
	int ret;
	int fd;

	ret = getaddrinfo(address, NULL, &hints, &found);
	if (ret != 0) {
		return EVERR_CONFIG;
	}
	if (found->ai_family == AF_INET6) {
		((struct sockaddr_in6 *)found->ai_addr)->sin6_port =
			htons(port);
	} else {
		((struct sockaddr_in *)found->ai_addr)->sin_port = htons(port);
	}
	fd = socket_open(found);
	saved = errno;
	freeaddrinfo(found);
	if (fd == -1) {
		errno = saved;
		return EVERR_IO;
	}
	*ret_fd = fd;
	*ret_port = socket_port(fd);
	return EVERR_OK;
}

void http_socket_prepare(int fd)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
	};
	size_t i;

	/* A peer that is gone would be noticed later: no reason to refuse. */
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		(void)setsockopt(fd, options[i].level, options[i].name,
				 &options[i].value, sizeof(options[i].value));
	}
}

/* All zero where the kernel has no such counters. */
static struct tcp_info socket_info(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

uint64_t http_socket_received(int fd)
{
	return socket_info(fd).tcpi_bytes_received;
}

uint64_t http_socket_acknowledged(int fd)
{
	return socket_info(fd).tcpi_bytes_acked;
}

static short socket_events(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLRDHUP};
	int ret;

	ret = poll(&pollfd, 1, 0);
	return ret == 1 ? pollfd.revents : 0;
}

bool http_socket_half_closed(int fd)
{
	return (socket_events(fd) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

uint64_t http_socket_unread(int fd)
{
	int unread = 0;
	int ret;

	ret = ioctl(fd, FIONREAD, &unread);
	/* It cannot fail; if it did, there may be any number. */
	return ret == 0 ? (uint64_t)unread : UINT32_MAX;
}

bool http_socket_ended(int fd)
{
	return http_socket_half_closed(fd) && http_socket_unread(fd) == 0;
}

/* A reset or a timeout, which nobody has been told of. */
bool http_socket_broken(int fd)
{
	return (socket_events(fd) & POLLERR) != 0;
}
