/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The client of bridge_bench.py: one HTTP request, from a file, again and
 * again over several connections.  Where the request has MARK in UTF-16LE it
 * gets another number each time.
 *
 *   bridge_load PORT FILE CONNECTIONS COUNT FIRST [PAUSE-MS]
 *
 * COUNT 0: until SIGTERM.  Prints requests, seconds, and p50, p99 and the
 * longest of the times that an answer took, in microseconds.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK "BE9C4000-0000-4000-8000-000000000000"
#define MARK_DIGITS 12 /* at its end, which the number replaces */
#define TIMES_MAX 4000000
#define ANSWER_MAX 65536

struct load {
	uint16_t port;
	const uint8_t *request;
	size_t len;
	size_t number_at; /* of the last digits of the mark; 0: no mark */
	uint64_t first;
	uint64_t count;
	unsigned int pause_ms;
	atomic_uint_fast64_t next;
	atomic_uint_fast64_t done;
	uint32_t *times; /* microseconds */
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "bridge_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int open_connection(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		die("connect");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t sent;

	while (len > 0) {
		sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0) {
			die("send");
		}
		data += sent;
		len -= (size_t)sent;
	}
}

/* How long the body is that follows the head. */
static size_t content_length(const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");

	if (field == NULL) {
		fprintf(stderr, "bridge_load: no Content-Length\n");
		exit(1);
	}
	return strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
}

static void read_answer(int fd)
{
	char answer[ANSWER_MAX];
	const char *body = NULL;
	size_t wanted = SIZE_MAX;
	size_t have = 0;
	ssize_t got;

	while (have < wanted) {
		got = recv(fd, answer + have, sizeof(answer) - 1 - have, 0);
		if (got <= 0) {
			die("recv");
		}
		have += (size_t)got;
		answer[have] = '\0';
		body = strstr(answer, "\r\n\r\n");
		if (body != NULL && wanted == SIZE_MAX) {
			wanted = (size_t)(body + 4 - answer) +
				 content_length(answer);
		}
	}
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "bridge_load: %.200s\n", answer);
		exit(1);
	}
}

static void put_number(struct load *load, uint8_t *request, uint64_t number)
{
	char digits[MARK_DIGITS + 1];
	size_t i;

	if (load->number_at == 0) {
		return;
	}
	snprintf(digits, sizeof(digits), "%0*llX", MARK_DIGITS,
		 (unsigned long long)number & 0xFFFFFFFFFFFF);
	for (i = 0; i < MARK_DIGITS; i++) {
		request[load->number_at + 2 * i] = (uint8_t)digits[i];
	}
}

static void *run(void *private_data)
{
	struct load *load = private_data;
	uint8_t *request = malloc(load->len);
	int fd = open_connection(load->port);
	uint64_t begin;
	uint64_t number;

	if (request == NULL) {
		die("memory");
	}
	memcpy(request, load->request, load->len);
	while (!stopped) {
		number = atomic_fetch_add(&load->next, 1);
		if (number >= load->count || number >= TIMES_MAX) {
			break;
		}
		put_number(load, request, load->first + number);
		begin = now_us();
		send_all(fd, request, load->len);
		read_answer(fd);
		load->times[number] = (uint32_t)(now_us() - begin);
		atomic_fetch_add(&load->done, 1);
		if (load->pause_ms > 0) {
			usleep(load->pause_ms * 1000);
		}
	}
	close(fd);
	free(request);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void read_request(struct load *load, const char *path)
{
	uint8_t mark[2 * sizeof(MARK)];
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(64 << 20);
	const uint8_t *at = NULL;
	size_t i;

	if (file == NULL || data == NULL) {
		die(path);
	}
	load->len = fread(data, 1, 64 << 20, file);
	load->request = data;
	fclose(file);
	for (i = 0; i < strlen(MARK); i++) {
		mark[2 * i] = (uint8_t)MARK[i];
		mark[2 * i + 1] = 0;
	}
	at = memmem(data, load->len, mark, 2 * strlen(MARK));
	if (at != NULL) {
		load->number_at =
			(size_t)(at - data) + 2 * (strlen(MARK) - MARK_DIGITS);
	}
}

int main(int argc, char **argv)
{
	struct load load = {};
	pthread_t threads[1024];
	size_t connections;
	uint64_t begin;
	double seconds;
	size_t num;
	size_t i;

	if (argc < 6) {
		fprintf(stderr, "bridge_load: PORT FILE CONNECTIONS COUNT "
				"FIRST [PAUSE-MS]\n");
		return 2;
	}
	load.port = (uint16_t)strtoul(argv[1], NULL, 10);
	read_request(&load, argv[2]);
	connections = strtoul(argv[3], NULL, 10);
	load.count = strtoull(argv[4], NULL, 10);
	load.first = strtoull(argv[5], NULL, 10);
	load.pause_ms = argc > 6 ? (unsigned int)strtoul(argv[6], NULL, 10) : 0;
	if (load.count == 0) {
		load.count = TIMES_MAX;
	}
	load.times = calloc(load.count, sizeof(*load.times));
	if (load.times == NULL || connections == 0 || connections > 1024) {
		die("arguments");
	}
	signal(SIGTERM, stop);

	begin = now_us();
	for (i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, run, &load) != 0) {
			die("thread");
		}
	}
	for (i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
	}
	seconds = (double)(now_us() - begin) / 1e6;
	num = (size_t)atomic_load(&load.done);
	if (num == 0) {
		die("nothing was sent");
	}
	qsort(load.times, num, sizeof(*load.times), compare);
	printf("%zu %.3f %u %u %u\n", num, seconds, load.times[num / 2],
	       load.times[num * 99 / 100], load.times[num - 1]);
	free(load.times);
	free((void *)load.request);
	return 0;
}
