/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/fault.h"

#include "soap/envelope.h"

#include <string.h>

static const char *code_text(enum soap_version version,
			     enum soap_fault_code code)
{
	bool old = version == SOAP_1_1;

	switch (code) {
	case SOAP_FAULT_VERSION_MISMATCH:
		return "soap:VersionMismatch";
	case SOAP_FAULT_MUST_UNDERSTAND:
		return "soap:MustUnderstand";
	case SOAP_FAULT_SERVER:
		return old ? "soap:Server" : "soap:Receiver";
	case SOAP_FAULT_CLIENT:
		break;
	}
	return old ? "soap:Client" : "soap:Sender";
}

/*
 * What the codes stand for, around the message where there is one and by
 * itself where there is none.  [MS-WSUSSS] 2.2.2.4.
 */
static const struct {
	const char *code;
	const char *before, *after;
	const char *alone;
} meanings[] = {
	{"InvalidParameters", "the argument ",
	 " is missing, not valid, or has too many items",
	 "an argument is missing or not valid"},
	{"InvalidCookie", "", "", "the cookie is missing or not valid"},
	{"InvalidAuthorizationCookie", "", "",
	 "the authorization cookie is missing or not valid"},
	{"ServerChanged", "", "",
	 "another server, or this one before it was set up anew, has made it; "
	 "the downstream server begins anew by itself"},
	{"IncompatibleProtocolVersion", "", "",
	 "the sender speaks a version of the protocol other than 1.x"},
	{"FileDigestsMissing", "no file here has the digest ", "",
	 "there are no such files here"},
	{"TooManyIds", "the argument ", " has too many items",
	 "there are too many items in an argument"},
	{"ServerBusy", "", "", "the server is busy"},
	{"InternalServerError", "", "", "the server has failed"},
};

const char *soap_fault_describe(TALLOC_CTX *mem_ctx,
				const struct soap_fault_values *values)
{
	const char *message = values->message;
	size_t i;

	for (i = 0; values->error_code != NULL &&
		    i < sizeof(meanings) / sizeof(meanings[0]);
	     i++) {
		const char *text = NULL;

		if (strcmp(meanings[i].code, values->error_code) != 0) {
			continue;
		}
		if (message == NULL || message[0] == '\0') {
			return meanings[i].alone;
		}
		text = talloc_asprintf(mem_ctx, "%s%s%s", meanings[i].before,
				       message, meanings[i].after);
		return text != NULL ? text : message;
	}
	return values->text;
}

/* The children of the detail have no namespace and this order. */
static void put_detail(struct soap_writer *writer, const char *element,
		       const struct soap_fault_values *values)
{
	soap_open(writer, element);
	soap_put(writer, "ErrorCode", values->error_code);
	soap_put(writer, "Message", values->message);
	soap_put(writer, "ID", values->id);
	if (values->method != NULL) {
		soap_open(writer, "Method");
		soap_data(writer, "\"", 1);
		soap_data(writer, values->method, strlen(values->method));
		soap_data(writer, "\"", 1);
		soap_close(writer);
	}
	soap_close(writer);
}

static void put_fault_1_1(struct soap_writer *writer,
			  const struct soap_fault_values *values)
{
	soap_open(writer, "soap:Fault");
	soap_put(writer, "faultcode", code_text(SOAP_1_1, values->code));
	soap_put(writer, "faultstring", values->text);
	soap_put(writer, "faultactor", values->actor);
	if (values->error_code != NULL) {
		put_detail(writer, "detail", values);
	}
	soap_close(writer);
}

/*
 * [MS-WSUSSS] asks for a child Detail without namespace besides SOAP's own;
 * where a Windows server puts it is not known.
 */
static void put_fault_1_2(struct soap_writer *writer,
			  const struct soap_fault_values *values)
{
	soap_open(writer, "soap:Fault");
	soap_open(writer, "soap:Code");
	soap_put(writer, "soap:Value", code_text(SOAP_1_2, values->code));
	soap_close(writer);
	soap_open(writer, "soap:Reason");
	soap_open(writer, "soap:Text");
	soap_attribute(writer, "xml:lang", "en");
	soap_data(writer, values->text, strlen(values->text));
	soap_close(writer);
	soap_close(writer);
	soap_put(writer, "soap:Node", values->actor);
	if (values->error_code != NULL) {
		put_detail(writer, "soap:Detail", values);
		put_detail(writer, "Detail", values);
	}
	soap_close(writer);
}

void soap_fault_write(struct buf *out, enum soap_version version,
		      const struct soap_fault_values *values)
{
	struct soap_writer writer;

	soap_writer_init(&writer, out);
	soap_envelope_open(&writer, version);
	if (version == SOAP_1_1) {
		put_fault_1_1(&writer, values);
	} else {
		put_fault_1_2(&writer, values);
	}
	soap_envelope_close(&writer);
}
