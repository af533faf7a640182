/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_CONFIGMGR_H
#define EVENLOG_BRIDGE_CONFIGMGR_H

/*
 * Events of the provider Evenlog-ConfigMgr: what clients send to a management
 * point, and discovery data record files.  The message has been taken apart
 * already (soap/ccm_message.h); what its parts say is read here.
 * doc/sources.md maps every field of the sources to a field of an event.
 */

#include "bridge/events.h"

#include <stdbool.h>

/* Instances of one report, properties of one event, bytes of one report. */
#define BRIDGE_REPORT_INSTANCES_MAX 65536
#define BRIDGE_REPORT_MAX (64 * 1024 * 1024)
#define BRIDGE_REPORT_DEPTH_MAX 32

/*
 * Events of a .DDR file, which is read in one turn of a loop: 40 ms.  The SDK
 * writes one record into each file.
 */
#define BRIDGE_FILE_EVENTS_MAX 256

enum bridge_configmgr_id {
	BRIDGE_CONFIGMGR_DISCOVERY = 1000,
	BRIDGE_CONFIGMGR_HARDWARE_INVENTORY = 1010,
	BRIDGE_CONFIGMGR_SOFTWARE_INVENTORY = 1011,
	BRIDGE_CONFIGMGR_STATUS = 1020,
	BRIDGE_CONFIGMGR_STATE = 1030,
	BRIDGE_CONFIGMGR_REGISTERED = 1040,
	BRIDGE_CONFIGMGR_DISCOVERY_FILE = 1100,
	BRIDGE_CONFIGMGR_REJECTED = 1900,
	BRIDGE_CONFIGMGR_FILE_REJECTED = 1901
};

enum bridge_signature {
	BRIDGE_SIGNATURE_NONE, /* the message has none */
	BRIDGE_SIGNATURE_INVALID,
	/* Right by the key in the message, which nobody has registered. */
	BRIDGE_SIGNATURE_SELF_ASSERTED,
	BRIDGE_SIGNATURE_VALID,	     /* right by the sender's registered key */
	BRIDGE_SIGNATURE_OTHER_KEY,  /* right, but not by the registered key */
	BRIDGE_SIGNATURE_NOT_CHECKED /* an algorithm that is not known here */
};

/* A part of a message's payload, as it was sent; not terminated. */
struct bridge_part {
	const uint8_t *data;
	size_t len;
};

struct bridge_message {
	const char *id;	       /* "{GUID}" */
	const char *source_id; /* "GUID:..."; NULL: it had none */
	const char *source_host;
	const char *endpoint;  /* TargetEndpoint without brackets and "mp:" */
	const char *file_type; /* Property FileType, or NULL */
	uint64_t sent;	       /* FILETIME; 0: absent or unreadable */
	enum bridge_signature signature;
	/* Body and attachments; where two overlap each is there. */
	const struct bridge_part *parts;
	size_t num_parts;
};

/*
 * The events of a message to an endpoint that makes events (discovery,
 * inventory, status, relayed state messages; without case).  A state report
 * of several StateMessages makes one event each; every other message one, or
 * as many as its properties need.
 *
 * EVERR_NOT_SUPPORTED  an endpoint that makes none
 * EVERR_TEXT   it can't be understood: *ret_reason (child of out) says what is
 *              wrong and where, for an administrator; out is as before
 * EVERR_LIMIT  the same, for what is too large or deep
 * EVERR_NOMEM
 */
everr_t bridge_configmgr_message(struct bridge_events *out,
				 const struct bridge_origin *origin,
				 const struct bridge_message *message,
				 const char **ret_reason) EVERR_MUST_CHECK;

/*
 * The same for a .DDR file, which may hold several records: one event (or as
 * many as its properties need) each, BRIDGE_FILE_EVENTS_MAX at most.
 */
everr_t bridge_configmgr_ddr_file(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const char *file, const uint8_t *data,
				  size_t len,
				  const char **ret_reason) EVERR_MUST_CHECK;

/* A message that was not accepted; message may be NULL or half filled. */
everr_t bridge_configmgr_rejected(struct bridge_events *out,
				  const struct bridge_origin *origin,
				  const struct bridge_message *message,
				  const char *reason,
				  const char *quarantine) EVERR_MUST_CHECK;
everr_t bridge_configmgr_file_rejected(struct bridge_events *out,
				       const struct bridge_origin *origin,
				       const char *file,
				       const char *reason) EVERR_MUST_CHECK;

struct bridge_registration {
	const char *client_id; /* given by us or kept */
	const char *host;
	const char *fqdn;
	const char *agent;
	const char *agent_version;
	const char *key_sha256; /* of the signing certificate, hex */
	bool again;		/* it was registered before */
	bool key_changed;
};
everr_t bridge_configmgr_registered(
	struct bridge_events *out, const struct bridge_origin *origin,
	const struct bridge_message *message,
	const struct bridge_registration *made) EVERR_MUST_CHECK;

#endif
