/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A receiver of syslog over TCP that reads and counts, for collect_bench.py.
 *
 *   line_sink COUNT [FILE]
 *
 * Listens on a port of 127.0.0.1 that it prints, takes one connection after
 * the other, and at COUNT octet-counted messages (RFC 6587 3.4.1) prints the
 * seconds since the first byte and the bytes.  FILE gets the messages, one a
 * line.
 */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (256 * 1024)
#define LENGTH_DIGITS_MAX 8

struct sink {
	uint64_t want, count, bytes;
	uint64_t start; /* ns; 0: nothing came yet */
	FILE *out;
	/* Of the message under way. */
	size_t left;
	size_t length;
	unsigned int digits;
	bool in_message;
};

static void die(const char *why)
{
	fprintf(stderr, "line_sink: %s\n", why);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void take_length(struct sink *sink, char c)
{
	if (c == ' ' && sink->digits > 0) {
		sink->in_message = true;
		sink->left = sink->length;
		return;
	}
	if (c < '0' || c > '9' || sink->digits == LENGTH_DIGITS_MAX) {
		die("what came is not octet-counted");
	}
	sink->length = sink->length * 10 + (size_t)(c - '0');
	sink->digits++;
}

static void end_message(struct sink *sink)
{
	sink->in_message = false;
	sink->length = 0;
	sink->digits = 0;
	sink->count++;
	if (sink->out != NULL) {
		fputc('\n', sink->out);
	}
}

static void take(struct sink *sink, const char *data, size_t len)
{
	size_t i = 0, part;

	while (i < len) {
		if (!sink->in_message) {
			take_length(sink, data[i++]);
			continue;
		}
		part = sink->left < len - i ? sink->left : len - i;
		if (sink->out != NULL) {
			fwrite(data + i, 1, part, sink->out);
		}
		sink->left -= part;
		i += part;
		if (sink->left == 0) {
			end_message(sink);
		}
	}
}

static void serve(struct sink *sink, int fd)
{
	static char data[READ_SIZE];
	ssize_t len;

	while (sink->count < sink->want &&
	       (len = read(fd, data, sizeof(data))) > 0) {
		if (sink->start == 0) {
			sink->start = now_ns();
		}
		sink->bytes += (uint64_t)len;
		take(sink, data, (size_t)len);
	}
	/* The rest of a message that a break has cut off comes again. */
	sink->in_message = false;
	sink->length = 0;
	sink->digits = 0;
}

static int listen_on_loopback(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		die("cannot listen");
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	struct sink sink = {.want = 0};
	int listener, fd;

	if (argc != 2 && argc != 3) {
		die("usage: line_sink COUNT [FILE]");
	}
	sink.want = strtoull(argv[1], NULL, 10);
	if (argc == 3) {
		sink.out = fopen(argv[2], "we");
		if (sink.out == NULL) {
			die("the file cannot be written");
		}
	}
	listener = listen_on_loopback();
	while (sink.count < sink.want) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			die("accept failed");
		}
		serve(&sink, fd);
		close(fd);
	}
	printf("%.6f %" PRIu64 "\n", (double)(now_ns() - sink.start) / 1e9,
	       sink.bytes);
	if (sink.out != NULL && fclose(sink.out) != 0) {
		die("the file could not be written");
	}
	return 0;
}
