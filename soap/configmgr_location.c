/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/configmgr_internal.h"

#include "event/xml.h"
#include "soap/writer.h"

#include <string.h>
#include <strings.h>

/* Bytes of a request as UTF-8, and of its root's name. */
#define REQUEST_MAX (1024 * 1024)
#define ROOT_MAX 64

/*
 * The build of ConfigMgr that we say we are: clients compare it with their
 * own.  5.00.8325 is the one whose client wrote the captures (facts, 5.1).
 */
#define MP_BUILD "8325"

/* --------------------------------------------------------------- requests */

/* The root of a request, and who asks. */
struct root {
	char name[ROOT_MAX + 1];
	size_t depth;
};

static everr_t root_start(void *private_data, const char *name,
			  const struct event_xml_attribute *attributes,
			  size_t num_attributes)
{
	struct root *root = private_data;

	if (root->depth++ == 0) {
		strncpy(root->name, name, ROOT_MAX);
	}
	return root->depth > 64 ? EVERR_LIMIT : EVERR_OK;
}

static everr_t root_end(void *private_data, const char *name)
{
	struct root *root = private_data;

	root->depth--;
	return EVERR_OK;
}

static everr_t root_text(void *private_data, const char *text, size_t len)
{
	return EVERR_OK;
}

static everr_t root_read(const struct bridge_message *message,
			 struct root *root)
{
	static const struct event_xml_handler handler = {
		.start = root_start,
		.end = root_end,
		.text = root_text,
	};
	struct event_xml_position position = {};
	struct buf text;
	everr_t err;

	if (message->num_parts == 0) {
		return EVERR_TEXT;
	}
	buf_init(&text, NULL, REQUEST_MAX);
	err = ccm_text(&text, message->parts[0].data, message->parts[0].len);
	if (err == EVERR_OK) {
		err = event_xml_parse((const char *)text.data, text.len,
				      &handler, root, &position);
	}
	buf_free(&text);
	return err == EVERR_NOMEM || err == EVERR_OK ? err : EVERR_TEXT;
}

/* ---------------------------------------------------------------- answers */

static void put_mp(const struct configmgr *configmgr,
		   struct soap_writer *writer)
{
	const struct configmgr_config *config = configmgr->config;

	soap_open(writer, "MP");
	soap_attribute(writer, "Name", config->host);
	soap_attribute(writer, "FQDN", config->host);
	soap_attribute(writer, "SiteCode", config->site_code);
	soap_put(writer, "Version", MP_BUILD);
	soap_open(writer, "Capabilities");
	soap_attribute(writer, "SchemaVersion", "1.0");
	soap_close(writer);
	soap_close(writer);
}

/* Where the management point of the client's place is: here, always. */
static void put_local_mp(const struct configmgr *configmgr,
			 struct soap_writer *writer)
{
	soap_open(writer, "LocalMPLocationReply");
	soap_attribute(writer, "SchemaVersion", "1.00");
	soap_open(writer, "MPList");
	put_mp(configmgr, writer);
	soap_close(writer);
	soap_close(writer);
}

static void put_assignments(const struct configmgr *configmgr,
			    const struct bridge_message *message,
			    struct soap_writer *writer)
{
	soap_open(writer, "ReplyAssignments");
	soap_attribute(writer, "SchemaVersion", "1.00");
	soap_attribute(writer, "ReplyType", "Full");
	soap_open(writer, "Identification");
	soap_open(writer, "Machine");
	soap_put(writer, "ClientID", message->source_id);
	soap_close(writer);
	soap_close(writer);
	soap_open(writer, "PolicySource");
	soap_data(writer, "SMS:", 4);
	soap_data(writer, configmgr->config->site_code,
		  strlen(configmgr->config->site_code));
	soap_close(writer);
	soap_close(writer);
}

/* "XRequest" is answered by an empty "XReply", anything else by "Reply". */
static void put_empty(char name[ROOT_MAX + 1], struct soap_writer *writer)
{
	static const char request[] = "Request";
	size_t len = strlen(name);
	const char *reply = "Reply";

	if (len > strlen(request) &&
	    strcmp(name + len - strlen(request), request) == 0) {
		memcpy(name + len - strlen(request), "Reply", sizeof("Reply"));
		reply = name;
	}
	soap_open(writer, reply);
	soap_attribute(writer, "SchemaVersion", "1.00");
	soap_close(writer);
}

everr_t configmgr_location_reply(const struct configmgr *configmgr,
				 const struct bridge_message *message,
				 struct buf *out)
{
	struct soap_writer writer;
	struct root root = {};
	everr_t err;

	err = root_read(message, &root);
	if (err != EVERR_OK) {
		return err;
	}
	soap_writer_init(&writer, out);
	if (strcmp(root.name, "LocalMPLocationRequest") == 0) {
		put_local_mp(configmgr, &writer);
	} else if (strcmp(root.name, "RequestAssignments") == 0) {
		put_assignments(configmgr, message, &writer);
	} else {
		put_empty(root.name, &writer);
	}
	return soap_writer_end(&writer);
}

bool configmgr_location_get(const struct configmgr *configmgr,
			    const char *query, struct buf *out)
{
	struct soap_writer writer;
	size_t len = strcspn(query, "&");

	/*
	 * MPLIST: all, MPLIST1: of this site, MPLIST2&SITE: of that one; there
	 * is one management point.
	 */
	if (strncasecmp(query, "MPLIST", len) != 0 &&
	    strncasecmp(query, "MPLIST1", len) != 0 &&
	    strncasecmp(query, "MPLIST2", len) != 0) {
		return false;
	}
	if (len < strlen("MPLIST")) {
		return false;
	}
	soap_writer_init(&writer, out);
	soap_open(&writer, "MPList");
	put_mp(configmgr, &writer);
	soap_close(&writer);
	if (soap_writer_end(&writer) != EVERR_OK && out->err == EVERR_OK) {
		out->err = EVERR_INTERNAL;
	}
	return true;
}
