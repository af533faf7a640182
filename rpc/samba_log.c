/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/samba_log.h"

#include "rpc/samba.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <util/debug.h>

#define LINE_MAX_BYTES 1024

/* Samba has one log for the process, and so have we. */
struct samba_log {
	const char *program;
	struct rpc_log_gate gate;
};

bool rpc_log_gate_pass(struct rpc_log_gate *gate, uint64_t now,
		       uint64_t *ret_held)
{
	*ret_held = 0;
	if (now >= gate->end) {
		*ret_held = gate->held;
		*gate = (struct rpc_log_gate){
			.end = now + RPC_SAMBA_LOG_SECONDS,
		};
	}
	if (gate->passed >= RPC_SAMBA_LOG_LINES) {
		gate->held++;
		return false;
	}
	gate->passed++;
	return true;
}

static uint64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* One line; what a client sent must not look like another one. */
static void line_write(const char *program, const char *text)
{
	char line[LINE_MAX_BYTES];
	char *p = NULL;

	snprintf(line, sizeof(line), "%s", text);
	for (p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7F) {
			*p = ' ';
		}
	}
	fprintf(stderr, "%s: Samba: %s\n", program, line);
}

static void samba_log_line(void *private_data, int level, const char *text)
{
	struct samba_log *log = private_data;
	uint64_t held = 0;

	if (level <= RPC_SAMBA_LOG_LEVEL &&
	    !rpc_log_gate_pass(&log->gate, now_seconds(), &held)) {
		return;
	}
	if (held > 0) {
		fprintf(stderr, "%s: Samba: %" PRIu64 " more lines left out\n",
			log->program, held);
	}
	line_write(log->program, text);
}

void rpc_samba_log_start(const char *program)
{
	static struct samba_log log;

	log = (struct samba_log){.program = program};
	debug_set_callback(&log, samba_log_line);
}
