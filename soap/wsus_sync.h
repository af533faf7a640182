/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_SYNC_H
#define EVENLOG_SOAP_WSUS_SYNC_H

/* What the operations of authorization and server sync share. */

#include "soap/wsus_catalogue.h"
#include "soap/wsus_cookie.h"
#include "soap/wsus_internal.h"

/* The version that this server speaks; any 1.x is served. */
#define WSUS_PROTOCOL_VERSION "1.20"

/* Limits that GetConfigData states. */
#define WSUS_UPDATES_PER_REQUEST 100
#define WSUS_DECRYPTIONS_PER_REQUEST 100
/* DownloadFiles, [MS-WSUSSS] 3.1.4.11 */
#define WSUS_DIGESTS_PER_REQUEST 100

/* What a valid cookie says. */
struct wsus_session {
	struct wsus_cookie cookie;
	uint32_t minor; /* of the protocol version */
};

extern const struct soap_operation wsus_get_auth_config;
extern const struct soap_operation wsus_get_cookie;
extern const struct soap_operation wsus_get_config_data;
extern const struct soap_operation wsus_get_revision_id_list;
extern const struct soap_operation wsus_get_update_data;
extern const struct soap_operation wsus_get_update_decryption_data;
extern const struct soap_operation wsus_get_driver_id_list;
extern const struct soap_operation wsus_get_driver_set_data;
extern const struct soap_operation wsus_get_deployments;
extern const struct soap_operation wsus_download_files;
extern const struct soap_operation wsus_get_related_revisions;

/* "1.x": true; else the fault that the version deserves was given. */
bool wsus_version_check(struct soap_call *call, const char *version,
			uint32_t *ret_minor);

/*
 * The checks that come first in every operation with a cookie, [MS-WSUSSS]
 * 3.1.4.4 to 3.1.4.12.  False: a fault was given.
 */
bool wsus_session_check(struct soap_call *call,
			struct wsus_session *ret_session);

/* InvalidParameters; the message is the parameter's name. */
void wsus_fault_parameter(struct soap_call *call, const char *parameter);

/*
 * A cookie that was not taken.  EVERR_NOT_FOUND: there is none; EVERR_TIMEOUT:
 * it has expired; else it can't be read.
 */
void wsus_fault_cookie(struct soap_call *call, const char *error_code,
		       everr_t err);

/* The fault for work that failed here; err says why. */
void wsus_fault_failed(struct soap_call *call, everr_t err);

/*
 * An anchor among the parameters: EVERR_OK, EVERR_NOT_FOUND (absent or empty)
 * or EVERR_TEXT.  One of the future is now at most, or what comes next would
 * not be newer; a number alone that is too high (the catalogue was lost, and
 * numbers began anew) does no harm.
 */
everr_t wsus_sync_anchor(const struct wsus_catalogue *catalogue,
			 const struct soap_node *node, const char *name,
			 struct wsus_anchor *ret_anchor) EVERR_MUST_CHECK;

/* The anchor that an answer of now carries. */
void wsus_put_anchor(struct soap_writer *writer, const char *name,
		     const struct wsus *wsus);

/*
 * An UpdateIdentity's two fields; EVERR_TEXT: not a guid and a number.
 */
everr_t wsus_get_identity(const struct soap_node *node, struct ev_guid *ret_id,
			  int32_t *ret_revision) EVERR_MUST_CHECK;
void wsus_put_identity(struct soap_writer *writer, const char *name,
		       const struct ev_guid *id, int32_t revision);

/* How many elements of that name an array has. */
size_t wsus_count(const struct soap_node *array, const char *name);

#endif
