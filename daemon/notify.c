/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len;
	ssize_t sent;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@')) {
		return;
	}
	len = strlen(path);
	if (len >= sizeof(addr.sun_path)) {
		return;
	}
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@') {
		addr.sun_path[0] = '\0';
	}

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return;
	}
	do {
		sent = sendto(
			fd, state, strlen(state), MSG_NOSIGNAL,
			(struct sockaddr *)&addr,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    len));
	} while (sent == -1 && errno == EINTR);
	close(fd);
}

uint64_t daemon_notify_watchdog_usec(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (text == NULL || (pid != NULL && strtoul(pid, NULL, 10) !=
						    (unsigned long)getpid())) {
		return 0;
	}
	/* sd_watchdog_enabled(3): send at half the time. */
	return strtoull(text, NULL, 10) / 2;
}
