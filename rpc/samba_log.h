/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_SAMBA_LOG_H
#define EVENLOG_RPC_SAMBA_LOG_H

/*
 * What Samba's libraries have to say, on stderr.  They write a line for much
 * of what a client gets wrong, whatever the log level, and a client can get
 * things wrong some thousand times a second: of such lines a few pass in a
 * minute, and the next minute tells how many did not.
 */

#include <stdbool.h>
#include <stdint.h>

#define RPC_SAMBA_LOG_LINES 20
#define RPC_SAMBA_LOG_SECONDS 60
/* Lines above this level are there because somebody wants to see them all. */
#define RPC_SAMBA_LOG_LEVEL 1

/* Take Samba's lines over; program stands before each, and stays valid. */
void rpc_samba_log_start(const char *program);

/* The limit by itself.  Zero to begin with. */
struct rpc_log_gate {
	uint64_t end; /* of this window, seconds of any clock */
	uint32_t passed;
	uint64_t held;
};

/*
 * Whether one more line passes at that time.  *ret_held: how many lines have
 * been held since this was told last; not 0 with a line that passes only.
 */
bool rpc_log_gate_pass(struct rpc_log_gate *gate, uint64_t now,
		       uint64_t *ret_held);

#endif
