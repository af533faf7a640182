/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/failure.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a person reads for the codes of [MS-EVEN6] 3.1.4 and [MS-ERREF] 2.2. */
static const struct {
	uint32_t win32;
	everr_t err;
	const char *text;
} table[] = {
	{2, EVERR_NOT_FOUND, "there is no such file"},
	{3, EVERR_NOT_FOUND,
	 "the path leads through something that is no"
	 " directory, or the directory is missing"},
	{5, EVERR_ACCESS,
	 "access denied; the account needs the right to read this log (for"
	 " example as a member of Event Log Readers)"},
	{6, EVERR_INVALID, "the handle is not valid"},
	{13, EVERR_TEXT, "the data is not valid"},
	{14, EVERR_NOMEM, "the service is out of memory"},
	{50, EVERR_NOT_SUPPORTED, "the service does not support this"},
	{80, EVERR_EXISTS, "a file of that name is there already"},
	{87, EVERR_INVALID, "the service refused a parameter"},
	{112, EVERR_STORE_FULL, "the service's disk is full"},
	{122, EVERR_LIMIT, "a buffer was too small"},
	{123, EVERR_CHANNEL_NAME, "the name is not legal"},
	{183, EVERR_EXISTS, "it exists already"},
	{223, EVERR_LIMIT,
	 "the file would be too large, or has no room for one of the events;"
	 " Evenlog/Operational there says which"},
	{232, EVERR_END, "no more data"},
	{259, EVERR_END, "no more items"},
	{1115, EVERR_STORE_CLOSED, "the service is shutting down"},
	{1117, EVERR_STORE_SYNC, "the service could not write to its disk"},
	{1168, EVERR_NOT_FOUND, "not found"},
	{1223, EVERR_CANCELLED, "cancelled"},
	{1392, EVERR_STORE_CORRUPT, "the service's store is damaged"},
	{1460, EVERR_TIMEOUT, "the time expired"},
	{1502, EVERR_CHANNEL_FULL,
	 "the channel is full, and set to keep the events it has"},
	{1734, EVERR_LIMIT, "a batch exceeded the protocol's limit"},
	{1783, EVERR_PROTOCOL, "the service could not read the request"},
	{1816, EVERR_LIMIT, "a limit of the service was reached"},
	{1818, EVERR_CANCELLED, "the call was cancelled"},
	{4317, EVERR_INVALID, "not valid for this kind of subscription"},
	{15000, EVERR_CHANNEL_NAME, "this is not a channel's name"},
	{15001, EVERR_QUERY_SYNTAX, "the query is malformed"},
	{15002, EVERR_PUBLISHER, "there is no metadata of this publisher"},
	{15004, EVERR_PUBLISHER, "this is not a publisher's name"},
	{15005, EVERR_BINXML_VALUE, "the event's data is not valid"},
	{15007, EVERR_CHANNEL_NOT_FOUND, "there is no such channel"},
	{15008, EVERR_QUERY_SYNTAX, "the query's XML is malformed"},
	{15009, EVERR_INVALID,
	 "analytic and debug channels cannot be subscribed to"},
	{15011, EVERR_STALE,
	 "the log was cleared or has overwritten the position"},
	{15012, EVERR_STALE, "the position is not in the log"},
	{15019, EVERR_QUERY_SYNTAX, "the filter is malformed"},
	{15020, EVERR_QUERY_SYNTAX, "the filter uses an unknown operator"},
	{15021, EVERR_QUERY_SYNTAX, "the filter has an unexpected token"},
	{15026, EVERR_QUERY_COMPLEX, "the filter is too complex"},
	{15027, EVERR_MESSAGE, "the publisher has no text of this number"},
	{15028, EVERR_MESSAGE, "the publisher has no message for this"},
	{15033, EVERR_MESSAGE, "there is no text in this language"},
	{15037, EVERR_CHANNEL_DISABLED, "the channel is disabled"},
};

static const struct {
	NTSTATUS status;
	everr_t err;
	const char *text;
} status_table[] = {
	{NT_STATUS_NO_MEMORY, EVERR_NOMEM, "out of memory"},
	{NT_STATUS_CONNECTION_REFUSED, EVERR_CONNECT,
	 "nothing listens there; is the service running, and the port right?"},
	{NT_STATUS_HOST_UNREACHABLE, EVERR_CONNECT,
	 "the host cannot be reached; is it up, and does a firewall let this"
	 " through?"},
	{NT_STATUS_NETWORK_UNREACHABLE, EVERR_CONNECT,
	 "its network cannot be reached from here"},
	{NT_STATUS_IO_TIMEOUT, EVERR_TIMEOUT,
	 "no answer in time; is the host up, and does a firewall let this"
	 " through?"},
	{NT_STATUS_CONNECTION_DISCONNECTED, EVERR_CONNECT,
	 "the connection was closed"},
	{NT_STATUS_CONNECTION_RESET, EVERR_CONNECT,
	 "the connection was closed by the host"},
	{NT_STATUS_CONNECTION_ABORTED, EVERR_CONNECT,
	 "the connection was aborted"},
	{NT_STATUS_END_OF_FILE, EVERR_CONNECT,
	 "the host closed the connection"},
	{NT_STATUS_PIPE_DISCONNECTED, EVERR_CONNECT,
	 "the connection was closed"},
	{NT_STATUS_LOCAL_DISCONNECT, EVERR_CONNECT,
	 "the connection was closed"},
	{NT_STATUS_INVALID_CONNECTION, EVERR_CONNECT,
	 "the connection was closed"},
	{NT_STATUS_LOGON_FAILURE, EVERR_AUTH,
	 "the host refused the logon: wrong user name or password"},
	{NT_STATUS_WRONG_PASSWORD, EVERR_AUTH,
	 "the host refused the logon: wrong password"},
	{NT_STATUS_NO_SUCH_USER, EVERR_AUTH,
	 "the host refused the logon: no such user"},
	{NT_STATUS_ACCOUNT_DISABLED, EVERR_AUTH, "the account is disabled"},
	{NT_STATUS_ACCOUNT_LOCKED_OUT, EVERR_AUTH, "the account is locked out"},
	{NT_STATUS_ACCOUNT_EXPIRED, EVERR_AUTH, "the account has expired"},
	{NT_STATUS_PASSWORD_EXPIRED, EVERR_AUTH,
	 "the account's password has expired"},
	{NT_STATUS_PASSWORD_MUST_CHANGE, EVERR_AUTH,
	 "the account's password must be changed first"},
	{NT_STATUS_LOGON_TYPE_NOT_GRANTED, EVERR_AUTH,
	 "the account may not log on over the network"},
	{NT_STATUS_NO_LOGON_SERVERS, EVERR_AUTH,
	 "the host cannot reach its domain controller"},
	{NT_STATUS_TIME_DIFFERENCE_AT_DC, EVERR_AUTH,
	 "the clocks differ too much for Kerberos"},
	{NT_STATUS_ACCESS_DENIED, EVERR_ACCESS,
	 "access denied; does the account have the right?"},
	{NT_STATUS_NETWORK_ACCESS_DENIED, EVERR_ACCESS, "access denied"},
	{NT_STATUS_RPC_PROTOCOL_ERROR, EVERR_PROTOCOL,
	 "the host answered with a protocol error"},
	{NT_STATUS_RPC_SEC_PKG_ERROR, EVERR_PROTOCOL,
	 "the answer's seal is broken: it was changed on the way, or is not"
	 " the host's"},
	{NT_STATUS_INVALID_NETWORK_RESPONSE, EVERR_PROTOCOL,
	 "the answer is malformed, or not protected as was agreed"},
	/* SEC_E_UNSUPPORTED_FUNCTION, of flags that a logon needs. */
	{NT_STATUS(0x80090302), EVERR_AUTH,
	 "the host, or somebody between it and here, does not offer signing"
	 " and encryption"},
	{NT_STATUS_RPC_SS_CONTEXT_MISMATCH, EVERR_INVALID,
	 "the service no longer knows the handle"},
	{NT_STATUS_RPC_PROCNUM_OUT_OF_RANGE, EVERR_NOT_SUPPORTED,
	 "the service does not know this call"},
	{NT_STATUS_RPC_BAD_STUB_DATA, EVERR_PROTOCOL,
	 "the service could not read the request"},
	{NT_STATUS_RPC_UNSUPPORTED_AUTHN_LEVEL, EVERR_AUTH,
	 "the host does not accept this kind of authentication"},
	/* What libdcerpc makes of a refused abstract syntax. */
	{NT_STATUS_RPC_UNSUPPORTED_NAME_SYNTAX, EVERR_NOT_FOUND,
	 "something listens there, but it is no event log service"},
	{NT_STATUS_RPC_INTERFACE_NOT_FOUND, EVERR_NOT_FOUND,
	 "something listens there, but it is no event log service"},
	/* What libndr makes of a reply that it cannot decode. */
	{NT_STATUS_BUFFER_TOO_SMALL, EVERR_PROTOCOL,
	 "the answer is malformed, it ends too early"},
	{NT_STATUS_PORT_MESSAGE_TOO_LONG, EVERR_PROTOCOL,
	 "the answer is malformed, it has more than it should"},
	{NT_STATUS_INVALID_PARAMETER_MIX, EVERR_PROTOCOL,
	 "the answer is malformed, it lacks what it must have"},
	{NT_STATUS_CANCELLED, EVERR_CANCELLED, "cancelled"},
};

everr_t collect_everr_from_win32(uint32_t win32)
{
	size_t i;

	if (win32 == 0) {
		return EVERR_OK;
	}
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].win32 == win32) {
			return table[i].err;
		}
	}
	return EVERR_PROTOCOL;
}

everr_t collect_everr_from_status(NTSTATUS status)
{
	size_t i;

	if (NT_STATUS_IS_OK(status)) {
		return EVERR_OK;
	}
	for (i = 0; i < sizeof(status_table) / sizeof(status_table[0]); i++) {
		if (NT_STATUS_EQUAL(status_table[i].status, status)) {
			return status_table[i].err;
		}
	}
	return EVERR_PROTOCOL;
}

const char *collect_win32_text(uint32_t win32, char *text, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].win32 == win32) {
			snprintf(text, size, "%s (error 0x%x)", table[i].text,
				 (unsigned int)win32);
			return text;
		}
	}
	snprintf(text, size, "the service returned error 0x%x (%s)",
		 (unsigned int)win32, win_errstr(W_ERROR(win32)));
	return text;
}

/* Bytes of the sequence that begins so; 1: none does. */
static size_t sequence_len(char lead)
{
	uint8_t c = (uint8_t)lead;

	if (c < 0xc0 || c > 0xf7) {
		return 1;
	}
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/*
 * One line of valid UTF-8, which JSON and events ask for: paths need not be
 * such, what a KDC says either, and a text that is too long ends anywhere.
 */
static void clean_text(char *text)
{
	size_t len = strlen(text);
	size_t i = 0;

	while (i < len) {
		size_t n = sequence_len(text[i]);
		uint8_t c = (uint8_t)text[i];

		if (n > len - i) {
			text[i] = '\0';
			return;
		}
		if (!text_utf8_valid(text + i, n)) {
			text[i] = '?';
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			text[i] = ' ';
		}
		i += n;
	}
}

everr_t collect_failure_win32(struct collect_failure *failure,
			      const char *where, const char *what,
			      uint32_t win32)
{
	char text[200];

	collect_win32_text(win32, text, sizeof(text));
	*failure = (struct collect_failure){
		.err = collect_everr_from_win32(win32),
		.win32 = win32,
	};
	snprintf(failure->text, sizeof(failure->text), "%s: cannot %s: %s",
		 where, what, text);
	clean_text(failure->text);
	return failure->err;
}

everr_t collect_failure_status(struct collect_failure *failure,
			       const char *where, const char *what,
			       NTSTATUS status)
{
	const char *text = NULL;
	size_t i;

	for (i = 0; i < sizeof(status_table) / sizeof(status_table[0]); i++) {
		if (NT_STATUS_EQUAL(status_table[i].status, status)) {
			text = status_table[i].text;
			break;
		}
	}
	*failure = (struct collect_failure){
		.err = collect_everr_from_status(status),
		.status = NT_STATUS_V(status),
	};
	snprintf(failure->text, sizeof(failure->text),
		 "%s: cannot %s: %s%s%s%s", where, what,
		 text != NULL ? text : "unexpected status ",
		 text != NULL ? " (" : "", nt_errstr(status),
		 text != NULL ? ")" : "");
	clean_text(failure->text);
	return failure->err;
}

everr_t collect_failure_set(struct collect_failure *failure, everr_t err,
			    const char *fmt, ...)
{
	va_list ap;

	*failure = (struct collect_failure){.err = err};
	va_start(ap, fmt);
	vsnprintf(failure->text, sizeof(failure->text), fmt, ap);
	va_end(ap);
	clean_text(failure->text);
	return err;
}

/*
 * The method returns it, the stub faults with it (by the number of DCE/RPC or
 * the one of Win32, which Samba wraps), or what came is refused here: libndr
 * says INVALID_PARAMETER of a number out of its range and
 * ARRAY_BOUNDS_EXCEEDED of sizes that contradict.
 */
bool collect_failure_is_bound(const struct collect_failure *failure)
{
	const uint32_t bound = W_ERROR_V(WERR_RPC_S_INVALID_BOUND);
	NTSTATUS status = NT_STATUS(failure->status);

	return failure->win32 == bound ||
	       failure->status == (0xC0000000U | bound) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_RPC_INVALID_BOUND) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_ARRAY_BOUNDS_EXCEEDED) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_INVALID_PARAMETER);
}

/*
 * A reply is decoded when DCE/RPC has handed it over whole: other calls do not
 * notice.  What libndr says of numbers out of range is RPC_S_INVALID_BOUND
 * above.
 */
bool collect_status_is_malformed(NTSTATUS status)
{
	return NT_STATUS_EQUAL(status, NT_STATUS_BUFFER_TOO_SMALL) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_PORT_MESSAGE_TOO_LONG) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_INVALID_PARAMETER_MIX) ||
	       NT_STATUS_EQUAL(status, NT_STATUS_RPC_BAD_STUB_DATA);
}

bool collect_failure_is_connection(const struct collect_failure *failure)
{
	if (failure->win32 != 0 || failure->malformed ||
	    collect_failure_is_bound(failure)) {
		return false;
	}
	return failure->err == EVERR_CONNECT || failure->err == EVERR_TIMEOUT ||
	       failure->err == EVERR_PROTOCOL || failure->err == EVERR_AUTH;
}

const char *collect_failure_reason(const struct collect_failure *failure,
				   const char *host)
{
	const char *text = failure->text;
	size_t len = strlen(host);

	if (strncmp(text, host, len) == 0 &&
	    strncmp(text + len, ": ", 2) == 0) {
		return text + len + 2;
	}
	return text;
}
