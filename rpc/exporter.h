/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_RPC_EXPORTER_H
#define EVENLOG_RPC_EXPORTER_H

/*
 * Events on their way into an .evtx file: what opnum 7 does, and opnum 6 for
 * its backup.  What is there when it begins is exported; what comes later is
 * not.
 *
 * An event above EVENT_EVTX_EVENT_MAX bytes does not fit the format, and a
 * damaged one cannot be read: they are left out, counted, and named in
 * Evenlog/Operational.
 */

#include "rpc/export_path.h"
#include "rpc/internal.h"
#include "rpc/task.h"

#include <stdbool.h>
#include <stdint.h>

/* Exports of the whole service at a time; each has a thread. */
#define RPC_EXPORTS_MAX 8

struct rpc_exporter;

struct rpc_exporter_config {
	struct rpc_service *service;
	struct event_query *query;	       /* outlives the exporter */
	struct store_channel *const *channels; /* as in struct rpc_target */
	const struct rpc_export_path *path;    /* outlives the exporter */
	const char *peer;		       /* for a report of a limit */
	/* Called in the loop when rpc_exporter_turn() may go on. */
	void (*wake)(void *private_data);
	void *private_data;
};

/*
 * EVERR_LIMIT  RPC_EXPORTS_MAX; reported
 * EVERR_NOT_SUPPORTED  there is no export directory
 * EVERR_IO, EVERR_NOMEM
 */
everr_t rpc_exporter_create(
	TALLOC_CTX *mem_ctx, const struct rpc_exporter_config *config,
	struct rpc_exporter **ret_exporter) EVERR_MUST_CHECK;

/*
 * One turn's work; errors are those of rpc_export_file_state(), and
 * EVERR_LIMIT              the file would need more chunks than the format has
 * EVERR_CHANNEL_NOT_FOUND  one of the channels was removed meanwhile
 */
everr_t rpc_exporter_turn(struct rpc_exporter *exporter,
			  enum rpc_task_state *ret_state) EVERR_MUST_CHECK;

/* Up to which record of a channel it goes; 0: the channel was empty. */
uint64_t rpc_exporter_last_id(const struct rpc_exporter *exporter,
			      size_t channel);

struct rpc_exporter_result {
	uint64_t events;
	uint64_t too_large;
	uint64_t damaged;
};
struct rpc_exporter_result rpc_exporter_result(
	const struct rpc_exporter *exporter);

/* Name what was left out, if anything was, in Evenlog/Operational. */
void rpc_exporter_report(const struct rpc_exporter *exporter);

/* As rpc_export_file_keep(). */
void rpc_exporter_keep(struct rpc_exporter *exporter, bool keep);

/* What a failure is to the client: facts 4.4. */
WERROR rpc_exporter_werror(everr_t err);

#endif
