/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CONFIGMGR_INTERNAL_H
#define EVENLOG_SOAP_CONFIGMGR_INTERNAL_H

/* What the modules soap/configmgr_*.c share. */

#include "base/buf.h"
#include "soap/ccm_message.h"
#include "soap/configmgr.h"
#include "soap/configmgr_clients.h"
#include "soap/configmgr_replay.h"
#include "soap/inbox.h"
#include "soap/memory.h"
#include "soap/quarantine.h"

/* Endpoints that are counted by name; what comes later is "other". */
#define CONFIGMGR_ENDPOINTS_MAX 64
/* Bytes of bodies that are being collected, all requests together. */
#define CONFIGMGR_COLLECT_MAX (256 * 1024 * 1024)
/* Peers whose rejected messages are counted apart, and those of a minute. */
#define CONFIGMGR_REJECTS_PEERS 256
#define CONFIGMGR_REJECTS_PER_MINUTE 30

/* When a sender may try again what could not be stored. */
#define CONFIGMGR_RETRY_SECONDS "30"

/* Why a message was rejected; the label of its metric. */
enum configmgr_cause {
	CONFIGMGR_CAUSE_CONTENT_TYPE,
	CONFIGMGR_CAUSE_MALFORMED,
	CONFIGMGR_CAUSE_LIMIT,
	CONFIGMGR_CAUSE_ENCRYPTED,
	CONFIGMGR_CAUSE_SIGNATURE,
	CONFIGMGR_CAUSE_CONTENT,  /* what the parts say */
	CONFIGMGR_CAUSE_ID_TWICE, /* one id, two contents */
	CONFIGMGR_CAUSE_REGISTRATION,
	CONFIGMGR_CAUSE_NUM
};

struct configmgr_endpoint {
	const char *name;
	uint64_t messages;
};

/* A peer's running minute. */
struct configmgr_peer {
	char address[64];
	uint64_t minute;
	uint32_t rejects;
};

struct configmgr_counters {
	struct configmgr_endpoint endpoints[CONFIGMGR_ENDPOINTS_MAX];
	size_t num_endpoints;
	uint64_t other_endpoints;
	uint64_t replays;
	uint64_t rejected[CONFIGMGR_CAUSE_NUM];
	uint64_t rejected_silently; /* past a peer's number, or not stored */
	uint64_t deferred;	    /* answered 503 */
	uint64_t registered, registered_again, key_changes;
	uint64_t locations;
};

struct configmgr_flight;
struct configmgr_inbox;
struct configmgr_registered; /* soap/configmgr_register.c */
struct configmgr_places;     /* soap/configmgr_aside.h */

struct configmgr {
	struct tevent_context *ev;
	struct configmgr_config *config; /* a copy */
	const char *computer;
	struct store *store;
	struct store_channel *channel; /* BRIDGE_CONFIGMGR_CHANNEL */
	struct quarantine *quarantine;
	struct configmgr_replay *seen;	/* messages */
	struct configmgr_replay *taken; /* files of the inbox */
	struct configmgr_clients *clients;
	struct configmgr_inbox *inbox;	  /* NULL: none */
	struct configmgr_flight *flights; /* on their way to disk */
	struct configmgr_places *places;  /* of large messages */
	struct soap_memory bodies;	  /* that are coming in */
	struct configmgr_registered *registrations;
	uint32_t registering; /* registrations among the flights */
	struct http_route *routes;
	size_t num_routes;
	struct configmgr_peer peers[CONFIGMGR_REJECTS_PEERS];
	struct configmgr_counters counters;
	struct inbox_stats inbox_counters;
};

/* ------------------------------------------------------------- messages */

/* A request, or an entry of the quarantine that is tried again. */
struct configmgr_input {
	const char *method;
	const char *path;
	const char *content_type;
	const char *peer;
	const char *certificate;
	const uint8_t *body; /* stays until the answer */
	size_t len;
	bool retried; /* not kept nor reported again when it is rejected */
};

struct configmgr_answer {
	unsigned int status;
	const char *content_type;
	const char *retry_after; /* seconds, or NULL */
	uint8_t *body;
	size_t len;
	/* The same for whoever has no HTTP: why, for an administrator. */
	everr_t err;
	const char *text;
};

/*
 * Take one message: events and what else it changes are on disk when the
 * request ends.  Of messages with one id only the first makes events; one that
 * comes while the first is on its way shares its outcome.
 */
struct tevent_req *configmgr_message_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  struct configmgr *configmgr,
					  const struct configmgr_input *input);
/* The answer's pointers are children of mem_ctx.  EVERR_NOMEM. */
everr_t configmgr_message_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			       struct configmgr_answer *ret_answer)
	EVERR_MUST_CHECK;

/* Whether the path takes messages ("/ccm_system/request", ...). */
bool configmgr_path_takes(const char *path);

/* ----------------------------------------------------- storing, flights */

/*
 * What is on its way to disk belongs to the configmgr, not to the request: a
 * sender that goes and comes back finds its message there.
 */
struct configmgr_change {
	struct bridge_events *events;	 /* NULL: none */
	const struct ev_guid *id;	 /* what to note it by; NULL: not */
	struct configmgr_replay *replay; /* where; NULL: among the messages */
	uint64_t digest;
	const struct store_state *states; /* at most 8 more */
	size_t num_states;
	uint64_t now;
	/* Called once it is on disk, before those who wait are told. */
	void (*stored)(struct configmgr *configmgr, void *private_data);
	void *private_data; /* stolen */
};

/* Find or make the channel, also again when someone has removed it. */
everr_t configmgr_channel_ready(struct configmgr *configmgr) EVERR_MUST_CHECK;

struct tevent_req *configmgr_store_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					struct configmgr *configmgr,
					const struct configmgr_change *change);
/*
 * Append the report of a rejected message, for which nobody waits.  Should it
 * fail later on, it is counted as rejected silently.
 */
everr_t configmgr_store_report(struct configmgr *configmgr,
			       const struct configmgr_change *change)
	EVERR_MUST_CHECK;
/*
 * Join the commit of the same message.  NULL: there is none, or, when
 * *ret_differs is set, one of that id but with another digest.
 */
struct tevent_req *configmgr_store_join_send(TALLOC_CTX *mem_ctx,
					     struct configmgr *configmgr,
					     const struct ev_guid *id,
					     uint64_t digest,
					     bool *ret_differs);
/*
 * As store_append_recv(), but that an event that can't be stored at all is
 * EVERR_EVENT_TOO_LARGE, whatever is wrong with it.
 */
everr_t configmgr_store_recv(struct tevent_req *req) EVERR_MUST_CHECK;

/* ------------------------------------------------------------ rejections */

/*
 * Count it; unless its peer sent too many in this minute, keep it and append
 * the event.  The outcome of both changes nothing for the sender.
 */
void configmgr_reject(struct configmgr *configmgr,
		      const struct configmgr_input *input,
		      const struct bridge_origin *origin,
		      const struct bridge_message *message,
		      enum configmgr_cause cause, const char *reason);

/* --------------------------------------------- endpoints without events */

/* The well-known ones have their place before anyone can take it. */
void configmgr_count_known(struct configmgr *configmgr);
/* Count a message to the endpoint. */
void configmgr_count(struct configmgr *configmgr, const char *endpoint);

/* Append the XML of a synchronous message's answer. */
everr_t configmgr_location_reply(const struct configmgr *configmgr,
				 const struct bridge_message *message,
				 struct buf *out) EVERR_MUST_CHECK;

/* GET /sms_mp/.sms_aut?...: false: there is none for this query. */
bool configmgr_location_get(const struct configmgr *configmgr,
			    const char *query, struct buf *out);

/*
 * A ClientRegistrationRequest.  *ret_xml is the answer, a child of mem_ctx;
 * what is refused is answered too, and *ret_reason (a literal) is then set.
 *
 * EVERR_TEXT, EVERR_LIMIT: no such request; *ret_reason says why.
 * Those of configmgr_store_recv().
 */
struct tevent_req *configmgr_register_send(TALLOC_CTX *mem_ctx,
					   struct tevent_context *ev,
					   struct configmgr *configmgr,
					   const struct bridge_origin *origin,
					   const struct ccm_message *message);
everr_t configmgr_register_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				const char **ret_xml,
				const char **ret_reason) EVERR_MUST_CHECK;

/* "GUID:" and a GUID, as SMSIDs are.  EVERR_TEXT. */
everr_t configmgr_smsid_parse(const char *text,
			      struct ev_guid *ret_guid) EVERR_MUST_CHECK;
/* "GUID:01234567-..."; child of mem_ctx. */
char *configmgr_smsid_format(TALLOC_CTX *mem_ctx, const struct ev_guid *guid);

#endif
