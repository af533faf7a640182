/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_WSUS_H
#define EVENLOG_BRIDGE_WSUS_H

/*
 * Events of the provider Evenlog-WSUS: what downstream update servers report,
 * [MS-WSUSSS] 3.1.4.13 to 3.1.4.17.  Each function appends events to out.
 * Strings are UTF-8 and may be NULL; text that is longer than a BinXML value
 * is cut with a visible mark.  doc/sources.md maps every field.
 *
 * EVERR_NOMEM, EVERR_LIMIT
 */

#include "base/guid.h"
#include "bridge/events.h"

#include <stdbool.h>

enum bridge_wsus_id {
	BRIDGE_WSUS_SERVER_SEEN = 100,	  /* first contact of a server */
	BRIDGE_WSUS_SERVER_SUMMARY = 101, /* its state and 18 counters */
	BRIDGE_WSUS_ACTIVITY = 102, /* installs of an update since the last */
	BRIDGE_WSUS_SYNC_STARTED = 103,	 /* a cookie was issued */
	BRIDGE_WSUS_SYNC_FINISHED = 104, /* it has reported all it had */
	BRIDGE_WSUS_COMPUTER_NEW = 200,
	BRIDGE_WSUS_COMPUTER_CHANGED = 201,
	BRIDGE_WSUS_COMPUTER_BASELINE = 210,
	BRIDGE_WSUS_UPDATE_STATE = 211,
	BRIDGE_WSUS_COOKIE_REFUSED = 300,
	BRIDGE_WSUS_REQUEST_REJECTED = 301
};

/* SummarizationState on the wire, facts 10.1; others are kept as numbers. */
enum bridge_wsus_state {
	BRIDGE_WSUS_NOT_APPLICABLE = 0,
	BRIDGE_WSUS_UNKNOWN = 1,
	BRIDGE_WSUS_NEEDED = 2,
	BRIDGE_WSUS_DOWNLOADED = 3,
	BRIDGE_WSUS_INSTALLED = 4,
	BRIDGE_WSUS_FAILED = 5,
	BRIDGE_WSUS_RESTART_NEEDED = 6,
	BRIDGE_WSUS_STATES /* how many have a name */
};

/* The 18 counters of ServerSummary, in the order of the schema. */
#define BRIDGE_WSUS_COUNTERS 18
extern const char *const bridge_wsus_counter_names[BRIDGE_WSUS_COUNTERS];

struct bridge_wsus_server {
	struct ev_guid id;
	const char *name; /* FullDomainName */
	struct ev_guid parent;
	const char *version;
	bool replica;
	uint64_t last_sync; /* 0: never; the same below */
	uint64_t last_rollup;
	bool has_counters;
	int32_t counters[BRIDGE_WSUS_COUNTERS];
};

struct bridge_wsus_os {
	int32_t major, minor, build, sp_major, sp_minor;
	const char *locale;
	const char *architecture;
	int32_t suite_mask, old_product_type, new_product_type, system_metrics;
};

struct bridge_wsus_activity {
	struct ev_guid update;
	int32_t revision;
	int32_t succeeded, failed; /* since the last report */
	struct bridge_wsus_os os;
};

struct bridge_wsus_computer {
	const char *id;
	struct ev_guid parent;
	uint64_t last_sync;
	int32_t last_sync_result; /* 0 unknown, 1 succeeded, 2 failed */
	uint64_t last_reboot, last_status, last_inventory;
	bool has_details; /* what follows */
	const char *name; /* FullDomainName; else the id stands for it */
	const char *address;
	struct bridge_wsus_os os;
	const char *os_family, *os_description;
	const char *make, *model, *bios_version, *bios_name;
	uint64_t bios_date;
	const char *client_version;
	const char *target_groups;    /* guids, joined by ", " */
	const char *requested_groups; /* names, joined by ", " */
};

/* Server: seen for the first time (by an authorization or a rollup). */
everr_t bridge_wsus_server_seen(
	struct bridge_events *out, const struct bridge_origin *origin,
	const struct bridge_wsus_server *server) EVERR_MUST_CHECK;
everr_t bridge_wsus_server_summary(
	struct bridge_events *out, const struct bridge_origin *origin,
	const struct bridge_wsus_server *server) EVERR_MUST_CHECK;
everr_t bridge_wsus_activity(
	struct bridge_events *out, const struct bridge_origin *origin,
	const struct bridge_wsus_server *server,
	const struct bridge_wsus_activity *activity) EVERR_MUST_CHECK;
everr_t bridge_wsus_sync_started(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_wsus_server *server,
				 const char *protocol_version) EVERR_MUST_CHECK;
/* computers and changes: of this rollup. */
everr_t bridge_wsus_sync_finished(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const struct bridge_wsus_server *server,
				  uint64_t computers,
				  uint64_t changes) EVERR_MUST_CHECK;
everr_t bridge_wsus_computer(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const struct bridge_wsus_computer *computer,
			     bool is_new) EVERR_MUST_CHECK;
/* num[s]: updates in state s; others: in a state without a name. */
everr_t bridge_wsus_baseline(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const struct bridge_wsus_computer *computer,
			     int32_t rollup_number, uint64_t detection_time,
			     const uint32_t num[BRIDGE_WSUS_STATES],
			     uint32_t others) EVERR_MUST_CHECK;
/* old_state -1: not known before. */
everr_t bridge_wsus_update_state(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_wsus_computer *computer,
				 const struct ev_guid *update,
				 const char *title, int32_t old_state,
				 int32_t new_state,
				 uint64_t changed) EVERR_MUST_CHECK;
everr_t bridge_wsus_cookie_refused(struct bridge_events *out,
				   const struct bridge_origin *origin,
				   const char *operation,
				   const char *error_code, const char *reason,
				   const char *fault_id) EVERR_MUST_CHECK;
/* quarantine: the name it is kept by, or NULL. */
everr_t bridge_wsus_rejected(struct bridge_events *out,
			     const struct bridge_origin *origin,
			     const char *operation, const char *error_code,
			     const char *reason, const char *fault_id,
			     const char *quarantine) EVERR_MUST_CHECK;

#endif
