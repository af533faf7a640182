/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Sends the lines of its standard input through a transport, and again what
 * has not arrived, until all has.
 *
 *     forward_send transport=tls host=127.0.0.1 port=6514 ca=FILE
 *
 * Keys: those of struct forward_config; count=N size=BYTES: lines of its own;
 * downs=N: give up then (status 1); verdict=N: wait so many seconds for a
 * receiver that may not want us.  It says "ready", "down REASON", "arrived N"
 * (lines so far), at last "sent N refused N connects N".
 */

#include "forward/transport_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines in one turn. */
#define TURN 1024

struct line {
	char *text;
	size_t len;
};

struct program {
	struct tevent_context *ev;
	struct forward_config config;
	struct forward_transport *transport;
	struct tevent_immediate *turn;
	struct line *lines;
	size_t num;
	size_t next;	/* to be sent */
	size_t arrived; /* lines that have */
	size_t sent;
	size_t downs;
	size_t downs_max;
	uint32_t verdict; /* seconds; 0: as always */
	size_t count;
	size_t size;
	bool quiet;
	bool over;
};

static void program_turn(struct tevent_context *ev, struct tevent_immediate *im,
			 void *private_data)
{
	struct program *program = private_data;
	size_t i;

	for (i = 0; i < TURN && program->next < program->num; i++) {
		const struct line *line = &program->lines[program->next];

		if (!forward_transport_send(program->transport,
					    (const uint8_t *)line->text,
					    line->len, program->next)) {
			return;
		}
		program->next++;
		program->sent++;
	}
	if (program->next < program->num) {
		tevent_schedule_immediate(program->turn, ev, program_turn,
					  program);
	}
}

static void ready(void *private_data)
{
	struct program *program = private_data;

	if (!program->quiet) {
		puts("ready");
	}
	tevent_schedule_immediate(program->turn, program->ev, program_turn,
				  program);
}

static void down(const char *reason, void *private_data)
{
	struct program *program = private_data;

	printf("down %s\n", reason);
	program->next = program->arrived;
	program->downs++;
	program->over = program->downs == program->downs_max;
}

static void arrived(uint64_t sequence, void *private_data)
{
	struct program *program = private_data;

	program->arrived = (size_t)sequence + 1;
	if (!program->quiet) {
		printf("arrived %zu\n", program->arrived);
	}
	program->over = program->over || program->arrived == program->num;
}

static void *must(void *p)
{
	if (p == NULL) {
		perror("forward_send");
		exit(2);
	}
	return p;
}

static void add_line(struct program *program, char *text, size_t len)
{
	if ((program->num & (program->num - 1)) == 0) {
		program->lines = must(talloc_realloc(
			program, program->lines, struct line,
			program->num > 0 ? program->num * 2 : 1));
	}
	program->lines[program->num++] =
		(struct line){.text = text, .len = len};
}

static void read_lines(struct program *program)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&text, &size, stdin)) > 0) {
		if (text[len - 1] == '\n') {
			len--;
		}
		add_line(program,
			 must(talloc_memdup(program, text, (size_t)len)),
			 (size_t)len);
	}
	free(text);
}

static void make_lines(struct program *program)
{
	size_t i;

	for (i = 0; i < program->count; i++) {
		char *text = must(talloc_array(program, char, program->size));
		int len = snprintf(text, program->size,
				   "<13>1 2026-01-01T00:00:00Z host test - - - "
				   "number %zu ",
				   i + 1);

		memset(text + len, 'x', program->size - (size_t)len);
		add_line(program, text, program->size);
	}
}

static uint32_t one_of(const char *value, const char *const *names, size_t num)
{
	uint32_t i;

	for (i = 0; i < num; i++) {
		if (strcmp(value, names[i]) == 0) {
			return i;
		}
	}
	fprintf(stderr, "forward_send: %s?\n", value);
	exit(2);
}

static bool set_text(struct forward_config *config, const char *key,
		     const char *value)
{
	const struct {
		const char *name;
		const char **place;
	} keys[] = {
		{"host", &config->host}, {"path", &config->path},
		{"ca", &config->ca},	 {"certificate", &config->certificate},
		{"key", &config->key},	 {"server_name", &config->server_name},
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].name) == 0) {
			*keys[i].place = value;
			return true;
		}
	}
	return false;
}

static void set(struct program *program, const char *key, const char *value)
{
	static const char *const transports[] = {"udp", "tcp", "tls", "relp",
						 "unix"};
	static const char *const framings[] = {"octet-counting", "newline"};
	struct forward_config *config = &program->config;
	unsigned long number = strtoul(value, NULL, 10);

	if (set_text(config, key, value)) {
		return;
	}
	if (strcmp(key, "transport") == 0) {
		config->transport = one_of(value, transports, 5);
	} else if (strcmp(key, "framing") == 0) {
		config->framing = one_of(value, framings, 2);
	} else if (strcmp(key, "port") == 0) {
		config->port = (uint16_t)number;
	} else if (strcmp(key, "window") == 0) {
		config->window = (uint32_t)number;
	} else if (strcmp(key, "idle_timeout") == 0) {
		config->idle_timeout = number;
	} else if (strcmp(key, "downs") == 0) {
		program->downs_max = number;
	} else if (strcmp(key, "verdict") == 0) {
		program->verdict = (uint32_t)number;
	} else if (strcmp(key, "count") == 0) {
		program->count = number;
	} else if (strcmp(key, "size") == 0) {
		program->size = number;
	} else if (strcmp(key, "quiet") == 0) {
		program->quiet = number != 0;
	} else {
		fprintf(stderr, "forward_send: %s?\n", key);
		exit(2);
	}
}

static void set_all(struct program *program, char **args)
{
	for (; *args != NULL; args++) {
		char *value = strchr(*args, '=');

		if (value == NULL) {
			fprintf(stderr, "forward_send: KEY=VALUE\n");
			exit(2);
		}
		*value = '\0';
		set(program, *args, value + 1);
	}
}

int main(int argc, char **argv)
{
	static const struct forward_transport_hooks hooks = {
		.ready = ready, .down = down, .arrived = arrived};
	struct program *program = must(talloc_zero(NULL, struct program));
	struct forward_transport_info info;
	char *message = NULL;
	everr_t err;
	bool done;

	setvbuf(stdout, NULL, _IOLBF, 0);
	program->size = 500;
	program->config.backoff_max = 1;
	program->config.name = "test";
	set_all(program, argv + 1);
	program->ev = must(tevent_context_init(program));
	program->turn = must(tevent_create_immediate(program));
	if (program->count > 0) {
		make_lines(program);
	} else {
		read_lines(program);
	}
	err = forward_transport_create(program, program->ev, &program->config,
				       &hooks, program, &program->transport,
				       &message);
	if (err != EVERR_OK) {
		printf("refused %s\n",
		       message != NULL ? message : everr_text(err));
		return 2;
	}
	if (program->verdict > 0) {
		program->transport->verdict_ms = program->verdict * 1000;
	}
	while (!program->over && tevent_loop_once(program->ev) == 0) {
	}
	done = program->arrived == program->num;
	forward_transport_info(program->transport, &info);
	printf("sent %zu refused %llu connects %llu\n", program->sent,
	       (unsigned long long)info.refused,
	       (unsigned long long)info.connects);
	talloc_free(program);
	return done ? 0 : 1;
}
