/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The HTTP server by itself: requests a second on 1 and on 64 connections,
 * the bytes a second of one long body, and what an idle connection keeps of
 * memory.
 *
 * The floor is a server in the same loop that reads whatever comes and knows
 * nothing of HTTP.  Client and server are two processes of one machine: the
 * figures with "cpu" count the server's alone.
 */

#include "soap/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS 100000
#define CONNECTIONS_MAX 64
#define BODY_BYTES (1024ULL * 1024 * 1024)
#define IDLE 1000

#define MESSAGE_BYTES 2000
#define ANSWER                                                           \
	"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 03:48:46 GMT\r\n"     \
	"Server: Evenlog\r\nContent-Type: text/plain; charset=utf-8\r\n" \
	"Content-Length: 3\r\n\r\nok\n"

struct bench {
	struct tevent_context *ev;
	struct http_server *server;
	struct http_listener *listener;
	uint16_t port;
	uint16_t floor_port;
	uint64_t floor_left; /* of one message */
	bool over;	     /* the client has ended */
};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "http_bench: %s failed: %s\n", what,
			strerror(errno));
		exit(1);
	}
}

static double seconds(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* -------------------------------------------------------------- the server */

static void take_begin(struct http_exchange *exchange, void *private_data)
{
	(void)private_data;
	http_set_body_max(exchange, UINT64_MAX);
}

static void take_end(struct http_exchange *exchange, void *private_data)
{
	(void)private_data;
	http_answer_text(exchange, 200, "ok");
}

static const struct http_handler take = {take_begin, NULL, take_end, NULL};

static void server_start(struct bench *bench)
{
	static const char *const allow[] = {"127.0.0.1", NULL};
	const struct http_route route = {"/take", &take, NULL};
	struct http_listener_config config = {
		.name = "bench",
		.address = "127.0.0.1",
		.allow = allow,
	};
	char *message = NULL;
	everr_t err;

	http_limits_default(&config.limits);
	config.limits.connections = 2 * IDLE;
	config.limits.connections_per_address = 2 * IDLE;
	err = http_server_create(bench, bench->ev, NULL, &bench->server);
	must(err == EVERR_OK, "http_server_create");
	err = http_listen(bench->server, &config, &route, 1, &bench->listener,
			  &message);
	must(err == EVERR_OK, "http_listen");
	bench->port = http_listener_port(bench->listener);
}

/* --------------------------------------------------------------- the floor */

struct floor_connection {
	struct bench *bench;
	struct tevent_fd *fde;
	int fd;
	uint64_t got; /* of a message */
};

static void floor_readable(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	struct floor_connection *connection = private_data;
	static uint8_t data[24576];
	uint64_t whole = connection->bench->floor_left;
	ssize_t n;

	(void)ev;
	(void)fde;
	(void)flags;
	n = recv(connection->fd, data, sizeof(data), MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN) {
		return;
	}
	if (n <= 0) {
		TALLOC_FREE(connection->fde);
		close(connection->fd);
		talloc_free(connection);
		return;
	}
	connection->got += (uint64_t)n;
	if (connection->got >= whole) {
		connection->got -= whole;
		must(send(connection->fd, ANSWER, sizeof(ANSWER) - 1,
			  MSG_NOSIGNAL) > 0,
		     "send");
	}
}

static void floor_accept(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data)
{
	int *fd = private_data;
	struct bench *bench =
		talloc_get_type_abort(talloc_parent(fd), struct bench);
	struct floor_connection *connection = NULL;
	int accepted = accept4(*fd, NULL, NULL, SOCK_CLOEXEC);

	(void)fde;
	(void)flags;
	must(accepted != -1, "accept");
	connection = talloc_zero(bench, struct floor_connection);
	connection->bench = bench;
	connection->fd = accepted;
	connection->fde =
		tevent_add_fd(ev, connection, accepted, TEVENT_FD_READ,
			      floor_readable, connection);
}

static void floor_start(struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int *fd = talloc_zero(bench, int);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(*fd, (struct sockaddr *)&address, len) == 0, "bind");
	must(listen(*fd, 128) == 0, "listen");
	must(getsockname(*fd, (struct sockaddr *)&address, &len) == 0,
	     "getsockname");
	bench->floor_port = ntohs(address.sin_port);
	(void)tevent_add_fd(bench->ev, fd, *fd, TEVENT_FD_READ, floor_accept,
			    fd);
}

/* -------------------------------------------------------------- the client */

static int client_connect(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(port);
	ret = connect(fd, (struct sockaddr *)&address, sizeof(address));
	must(ret == 0, "connect");
	return fd;
}

static void client_send(int fd, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		must(n > 0, "send");
		bytes += n;
		len -= (size_t)n;
	}
}

/* An answer comes in one piece, or its end does. */
static void client_answer(int fd)
{
	char data[1024];
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), 0);
		must(n > 0, "recv");
	} while (n < 3 || memcmp(data + n - 3, "ok\n", 3) != 0);
}

static void message_make(char message[MESSAGE_BYTES + 1])
{
	int head;

	memset(message, ' ', MESSAGE_BYTES);
	message[MESSAGE_BYTES] = '\0';
	/* The length is that of what is left. */
	head = snprintf(message, MESSAGE_BYTES,
			"POST /take HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Type: text/plain\r\n"
			"User-Agent: bench\r\nContent-Length: %5d\r\n\r\n",
			MESSAGE_BYTES);
	snprintf(message, MESSAGE_BYTES,
		 "POST /take HTTP/1.1\r\nHost: localhost\r\n"
		 "Content-Type: text/plain\r\n"
		 "User-Agent: bench\r\nContent-Length: %5d\r\n\r\n",
		 MESSAGE_BYTES - head);
	message[head] = ' ';
}

static void client_requests(uint16_t port, unsigned int connections)
{
	struct pollfd fds[CONNECTIONS_MAX] = {};
	char message[MESSAGE_BYTES + 1];
	unsigned int sent = 0;
	unsigned int done = 0;
	unsigned int i;

	message_make(message);
	for (i = 0; i < connections; i++) {
		fds[i].fd = client_connect(port);
		fds[i].events = POLLIN;
		client_send(fds[i].fd, message, MESSAGE_BYTES);
		sent++;
	}
	while (done < REQUESTS) {
		must(poll(fds, connections, -1) > 0, "poll");
		for (i = 0; i < connections; i++) {
			if (fds[i].revents == 0) {
				continue;
			}
			client_answer(fds[i].fd);
			done++;
			if (sent < REQUESTS) {
				client_send(fds[i].fd, message, MESSAGE_BYTES);
				sent++;
			}
		}
	}
}

static void client_body(uint16_t port, unsigned int connections)
{
	static uint8_t data[1024 * 1024];
	int fd = client_connect(port);
	char head[256];
	uint64_t left;

	(void)connections;
	snprintf(head, sizeof(head),
		 "POST /take HTTP/1.1\r\nHost: localhost\r\n"
		 "Content-Length: %llu\r\n\r\n",
		 BODY_BYTES);
	/* The floor counts no head. */
	if (getenv("HTTP_BENCH_FLOOR") == NULL) {
		client_send(fd, head, strlen(head));
	}
	for (left = BODY_BYTES; left > 0; left -= sizeof(data)) {
		client_send(fd, data, sizeof(data));
	}
	client_answer(fd);
}

static void client_ended(struct tevent_context *ev, struct tevent_signal *se,
			 int number, int count, void *siginfo,
			 void *private_data)
{
	struct bench *bench = private_data;

	(void)ev;
	(void)se;
	(void)number;
	(void)count;
	(void)siginfo;
	bench->over = true;
}

struct figures {
	double seconds;
	double cpu;
};

static struct figures bench_run(struct bench *bench, uint16_t port,
				void (*client)(uint16_t port,
					       unsigned int connections),
				unsigned int connections)
{
	struct tevent_signal *se = NULL;
	struct figures figures;
	int status = 0;
	pid_t pid;

	bench->over = false;
	se = tevent_add_signal(bench->ev, bench, SIGCHLD, 0, client_ended,
			       bench);
	must(se != NULL, "tevent_add_signal");
	figures.seconds = seconds(CLOCK_MONOTONIC);
	figures.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	pid = fork();
	must(pid != -1, "fork");
	if (pid == 0) {
		if (port == bench->floor_port) {
			setenv("HTTP_BENCH_FLOOR", "1", 1);
		}
		client(port, connections);
		_exit(0);
	}
	while (!bench->over) {
		must(tevent_loop_once(bench->ev) == 0, "tevent_loop_once");
	}
	figures.seconds = seconds(CLOCK_MONOTONIC) - figures.seconds;
	figures.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - figures.cpu;
	must(waitpid(pid, &status, 0) == pid && status == 0, "the client");
	talloc_free(se);
	return figures;
}

/* ----------------------------------------------------------------- figures */

static void bench_requests(struct bench *bench, unsigned int connections)
{
	struct figures figures;
	struct figures least;

	bench->floor_left = MESSAGE_BYTES;
	least = bench_run(bench, bench->floor_port, client_requests,
			  connections);
	figures = bench_run(bench, bench->port, client_requests, connections);
	printf("%2u connections, %u bytes each: %.0f requests/s, %.1f us of "
	       "cpu each, %.1f times the floor's\n",
	       connections, MESSAGE_BYTES, REQUESTS / figures.seconds,
	       figures.cpu / REQUESTS * 1e6, figures.cpu / least.cpu);
}

static void bench_body(struct bench *bench)
{
	struct figures figures;
	struct figures least;

	bench->floor_left = BODY_BYTES;
	least = bench_run(bench, bench->floor_port, client_body, 1);
	figures = bench_run(bench, bench->port, client_body, 1);
	printf("a body of 1 GiB: %.0f MB/s, %.2f s of cpu, %.1f times the "
	       "floor's\n",
	       (double)BODY_BYTES / 1e6 / figures.seconds, figures.cpu,
	       figures.cpu / least.cpu);
}

static long resident_kb(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	long kb = 0;

	must(file != NULL, "/proc/self/status");
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0) {
			kb = strtol(line + 6, NULL, 10);
		}
	}
	fclose(file);
	return kb;
}

/* Each has had a request; their ends are in this process, too. */
static void bench_idle(struct bench *bench)
{
	char message[MESSAGE_BYTES + 1];
	long before = resident_kb();
	struct http_stats stats = {};
	double cpu;
	double end;
	int i;

	message_make(message);
	for (i = 0; i < IDLE; i++) {
		client_send(client_connect(bench->port), message,
			    MESSAGE_BYTES);
	}
	do {
		must(tevent_loop_once(bench->ev) == 0, "tevent_loop_once");
		http_listener_stats(bench->server, 0, &stats);
	} while (stats.connections < IDLE ||
		 stats.answers[2] != stats.requests);
	printf("%d idle connections: %.1f kB each", IDLE,
	       (double)(resident_kb() - before) / IDLE);

	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	end = seconds(CLOCK_MONOTONIC) + 2;
	while (seconds(CLOCK_MONOTONIC) < end) {
		must(tevent_loop_once(bench->ev) == 0, "tevent_loop_once");
	}
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf(", %.1f %% of a processor\n", cpu / 2 * 100);
}

int main(void)
{
	struct bench *bench = talloc_zero(NULL, struct bench);
	struct rlimit limit = {};

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	setvbuf(stdout, NULL, _IOLBF, 0);
	must(bench != NULL, "talloc");
	bench->ev = tevent_context_init(bench);
	server_start(bench);
	floor_start(bench);

	printf("http_bench:\n");
	bench_requests(bench, 1);
	bench_requests(bench, CONNECTIONS_MAX);
	bench_body(bench);
	bench_idle(bench);
	talloc_free(bench);
	return 0;
}
