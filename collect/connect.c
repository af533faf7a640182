/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/connect.h"

#include "base/buf.h"
#include "base/guid.h"
#include "base/text.h"
#include "base/wintime.h"
#include "collect/keepalive.h"
#include "collect/mapper.h"
#include "base/resolve.h"
#include "collect/samba.h"

#include <credentials.h>
#include <dcerpc.h>
#include <ndr.h>
#include <param.h>
#include <stdio.h>
#include <string.h>
#include <util/discard.h>

/* The mapper's request is some 150 bytes. */
#define MAPPER_REQUEST_MAX 1024
/*
 * Bytes of an answer, whose fragments libdcerpc puts together, up to 240 MiB
 * of them unless told otherwise.  The mapper's has a few towers; the service's
 * a batch, as large as idl/even6.idl tolerates it, or the longest list.
 */
#define MAPPER_ANSWER_MAX (64 * 1024)
#define SERVICE_ANSWER_MAX (32 * 1024 * 1024)

/*
 * e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0, C706 appendix O.  libdcerpc
 * wants a table to bind with, though the one call is made raw.
 */
static const char *const no_names[] = {""};
static const struct ndr_interface_string_array no_strings = {
	.count = 0,
	.names = no_names,
};
const struct ndr_interface_table collect_mapper_table = {
	.name = "epmapper",
	.syntax_id = {{0xe1af8308,
		       0x5d1f,
		       0x11c9,
		       {0x91, 0xa4},
		       {0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa}},
		      3},
	.helpstring = "endpoint mapper",
	.endpoints = &no_strings,
	.authservices = &no_strings,
};

struct connect_state {
	struct tevent_context *ev;
	const struct ndr_interface_table *table;
	struct collect_target target;
	bool lookup_only;
	struct loadparm_context *lp_ctx;
	struct cli_credentials *credentials;

	char **addresses;
	size_t num_addresses;
	size_t address; /* the one that is being tried */
	uint16_t port;	/* of the service there, 0: not known yet */

	struct composite_context *attempt;
	struct tevent_timer *timer;
	struct dcerpc_pipe *mapper; /* never freed in a callback of its own */
	struct tevent_req *lookup;
	struct dcerpc_pipe *pipe;

	struct collect_failure failure;
};

static void connect_address(struct tevent_req *req);
static void connect_service(struct tevent_req *req);
static void connect_lookup(struct tevent_req *req);

static const char *connect_where(const struct connect_state *state)
{
	return state->target.socket != NULL ? state->target.socket
					    : state->target.host;
}

/* The request ends with what state->failure says. */
static void connect_failed(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	TALLOC_FREE(state->timer);
	tevent_req_error(req, state->failure.err);
}

/* ------------------------------------------------------- what is copied */

static bool copy_string(TALLOC_CTX *mem_ctx, const char *from, const char **to)
{
	if (from == NULL) {
		*to = NULL;
		return true;
	}
	*to = talloc_strdup(mem_ctx, from);
	return *to != NULL;
}

static int wipe(char *secret)
{
	explicit_bzero(secret, talloc_get_size(secret));
	return 0;
}

static bool copy_password(TALLOC_CTX *mem_ctx, const char *from,
			  const char **to)
{
	char *password = NULL;

	if (from == NULL) {
		*to = NULL;
		return true;
	}
	password = talloc_strdup(mem_ctx, from);
	if (password == NULL) {
		return false;
	}
	talloc_set_destructor(password, wipe);
	*to = password;
	return true;
}

const char *collect_password_fault(const char *line)
{
	static const char mark[] = "\xEF\xBB\xBF";

	if (line[0] == '\0') {
		return "is empty";
	}
	if (!text_utf8_valid(line, strlen(line))) {
		return "is not UTF-8";
	}
	if (strncmp(line, mark, strlen(mark)) == 0) {
		return "begins with a byte order mark; save it without";
	}
	return NULL;
}

static bool copy_target(struct connect_state *state,
			const struct collect_target *from)
{
	struct collect_target *to = &state->target;

	*to = *from;
	if (to->mapper_port == 0) {
		to->mapper_port = COLLECT_MAPPER_PORT;
	}
	if (to->timeout == 0) {
		to->timeout = COLLECT_CONNECT_TIMEOUT;
	}
	return copy_string(state, from->socket, &to->socket) &&
	       copy_string(state, from->host, &to->host) &&
	       copy_string(state, from->user, &to->user) &&
	       copy_string(state, from->domain, &to->domain) &&
	       copy_password(state, from->password, &to->password) &&
	       copy_string(state, from->ccache, &to->ccache) &&
	       copy_string(state, from->principal, &to->principal);
}

/*
 * Samba's parameters as compiled in, without any file.  What would point at
 * the system's Samba leads nowhere.  Nobody's ticket is handed to a host, which
 * Samba would do where the domain calls the host trusted (as it does its
 * domain controllers), and ask the KDC for it.
 */
struct loadparm_context *collect_parameters(TALLOC_CTX *mem_ctx)
{
	static const struct {
		const char *name;
		const char *value;
	} parameters[] = {
		{"private dir", "/nonexistent"},
		{"lock directory", "/nonexistent"},
		{"state directory", "/nonexistent"},
		{"cache directory", "/nonexistent"},
		{"pid directory", "/nonexistent"},
		{"gensec_gssapi:delegation_by_kdc_policy", "no"},
		/* Of the names it never asks: else it lists interfaces. */
		{"name resolve order", "host"},
	};
	struct loadparm_context *lp_ctx = loadparm_init(mem_ctx);
	size_t i;

	if (lp_ctx == NULL) {
		return NULL;
	}
	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (!lpcfg_set_cmdline(lp_ctx, parameters[i].name,
				       parameters[i].value)) {
			TALLOC_FREE(lp_ctx);
			return NULL;
		}
	}
	return lp_ctx;
}

/* ----------------------------------------------------------- credentials */

static bool credentials_ntlm(struct connect_state *state)
{
	const struct collect_target *target = &state->target;
	struct cli_credentials *creds = state->credentials;
	const char *domain = target->domain != NULL ? target->domain : "";
	const char *password = target->password != NULL ? target->password : "";

	if (target->user == NULL || target->user[0] == '\0') {
		collect_failure_set(&state->failure, EVERR_INVALID,
				    "%s: a user name is needed to log on",
				    target->host);
		return false;
	}
	/* A Kerberos attempt would ask the network for a KDC, and wait. */
	return cli_credentials_set_kerberos_state(
		       creds, CRED_USE_KERBEROS_DISABLED, CRED_SPECIFIED) &&
	       cli_credentials_set_username(creds, target->user,
					    CRED_SPECIFIED) &&
	       cli_credentials_set_domain(creds, domain, CRED_SPECIFIED) &&
	       cli_credentials_set_password(creds, password, CRED_SPECIFIED);
}

static bool credentials_kerberos(struct connect_state *state)
{
	struct cli_credentials *creds = state->credentials;
	const char *reason = NULL;
	int ret;

	/* A ticket is for a name; Samba would only say INVALID_PARAMETER. */
	if (resolve_is_address(state->target.host)) {
		collect_failure_set(&state->failure, EVERR_INVALID,
				    "%s: Kerberos needs the host's name, not"
				    " its address",
				    state->target.host);
		return false;
	}

	if (!cli_credentials_set_kerberos_state(
		    creds, CRED_USE_KERBEROS_REQUIRED, CRED_SPECIFIED)) {
		return false;
	}
	ret = cli_credentials_set_ccache(creds, state->lp_ctx,
					 state->target.ccache, CRED_SPECIFIED,
					 &reason);
	/* A cache that is not there is no error to Samba, only empty. */
	if (ret != 0 || cli_credentials_is_anonymous(creds)) {
		collect_failure_set(&state->failure, EVERR_AUTH,
				    "%s: no Kerberos ticket to log on with;"
				    " get one with kinit%s%s",
				    state->target.host,
				    reason != NULL ? ": " : "",
				    reason != NULL ? reason : "");
		/* Samba's reasons end in a line feed. */
		state->failure.text[strcspn(state->failure.text, "\n")] = '\0';
		return false;
	}
	return true;
}

/* False: state->failure says why, or memory is out. */
static bool connect_credentials(struct connect_state *state)
{
	bool ok;

	if (state->target.socket != NULL) {
		state->credentials = cli_credentials_init_anon(state);
		return state->credentials != NULL;
	}

	state->credentials = cli_credentials_init(state);
	if (state->credentials == NULL) {
		return false;
	}
	ok = cli_credentials_set_conf(state->credentials, state->lp_ctx);
	if (!ok) {
		return false;
	}
	ok = state->target.kerberos ? credentials_kerberos(state)
				    : credentials_ntlm(state);
	if (!ok) {
		return false;
	}

	/*
	 * libdcerpc takes credentials that came out empty for anonymous and
	 * goes on without any authentication.
	 */
	if (cli_credentials_is_anonymous(state->credentials)) {
		collect_failure_set(&state->failure, EVERR_AUTH,
				    "%s: the credentials are empty",
				    state->target.host);
		return false;
	}
	return true;
}

/*
 * However the request ends: the logon is over, but Samba keeps its credentials
 * as long as the connection and does not wipe them.
 */
static void connect_cleanup(struct tevent_req *req,
			    enum tevent_req_state req_state)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	char *password = NULL;

	if (req_state == TEVENT_REQ_IN_PROGRESS || state->credentials == NULL) {
		return;
	}
	password = discard_const_p(
		char, cli_credentials_get_password(state->credentials));
	if (password != NULL) {
		explicit_bzero(password, strlen(password));
	}
}

/* ---------------------------------------------------------- one attempt */

static void find_resolver(const void *ptr, int depth, int max_depth, int is_ref,
			  void *private_data)
{
	const void **found = private_data;

	if (depth == 1 && is_ref == 0 &&
	    strcmp(talloc_get_name(ptr), "struct resolve_context") == 0) {
		*found = ptr;
	}
}

/*
 * libdcerpc makes a resolver for each connect and leaves it to the parameters,
 * which are for all connections and live as long as the process.  It is done
 * before the connect's first wait; here it becomes the request's.
 */
static void adopt_resolver(struct connect_state *state)
{
	const void *resolver = NULL;

	talloc_report_depth_cb(state->lp_ctx, 0, 1, find_resolver, &resolver);
	if (resolver != NULL) {
		/* A question under way holds a reference to it. */
		(void)talloc_reparent(state->lp_ctx, state, resolver);
	}
}

static void find_logon(const void *ptr, int depth, int max_depth, int is_ref,
		       void *private_data)
{
	const void **found = private_data;

	if (depth == 2 && is_ref == 0 &&
	    strcmp(talloc_get_name(ptr), "struct composite_context") == 0 &&
	    strcmp(talloc_get_name(talloc_parent(ptr)), "struct dcerpc_pipe") ==
		    0) {
		*found = ptr;
	}
}

/*
 * The logon is a request below the attempt's pipe, and so is the security
 * context, made after it: talloc would free that one first, and the logon's
 * pending step (gensec_update_cleanup in 4.17) write into what is gone.  So
 * the logon goes first, however the attempt comes to its end.
 */
static int attempt_end(struct composite_context *attempt)
{
	const void *logon = NULL;

	talloc_report_depth_cb(attempt, 0, 2, find_logon, &logon);
	talloc_free(discard_const_p(void, logon));
	return 0;
}

/*
 * Every step of Samba's is a composite request, child of state; it ends in fn
 * or by the timer.  While Kerberos asks for a ticket the request may stand
 * inside a nested loop when the timer fires and must not be freed then:
 * libdcerpc's own limit of 60 s, which knows of that, has to do.
 */
static void connect_attempt(struct tevent_req *req,
			    const struct dcerpc_binding *binding,
			    const struct ndr_interface_table *table,
			    struct cli_credentials *credentials,
			    tevent_timer_handler_t timeout,
			    void (*fn)(struct composite_context *))
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	TALLOC_FREE(state->timer);
	if (timeout != NULL) {
		state->timer = tevent_add_timer(
			state->ev, state,
			tevent_timeval_current_ofs(state->target.timeout, 0),
			timeout, req);
		if (tevent_req_nomem(state->timer, req)) {
			return;
		}
	}
	state->attempt = dcerpc_pipe_connect_b_send(
		state, binding, table, credentials, state->ev, state->lp_ctx);
	adopt_resolver(state);
	if (tevent_req_nomem(state->attempt, req)) {
		return;
	}
	talloc_set_destructor(state->attempt, attempt_end);
	composite_continue(NULL, state->attempt, fn, req);
}

/* The request a composite belongs to; see collect/samba.h. */
static struct tevent_req *attempt_req(struct composite_context *attempt)
{
	struct connect_state *state = talloc_get_type_abort(
		talloc_parent(attempt), struct connect_state);

	return talloc_get_type_abort(talloc_parent(state), struct tevent_req);
}

/* The next address, or the end: the first failure is the one to tell. */
static void connect_next(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	everr_t err = state->failure.err;

	state->address++;
	if (state->address < state->num_addresses &&
	    (err == EVERR_CONNECT || err == EVERR_TIMEOUT)) {
		connect_address(req);
		return;
	}
	connect_failed(req);
}

static struct dcerpc_binding *tcp_binding(struct connect_state *state,
					  uint16_t port)
{
	struct dcerpc_binding *binding = NULL;
	char endpoint[8];
	NTSTATUS status;

	status = dcerpc_parse_binding(state, "ncacn_ip_tcp:", &binding);
	if (!NT_STATUS_IS_OK(status)) {
		return NULL;
	}
	/* An address as host keeps libdcerpc from resolving, with a fork. */
	status = dcerpc_binding_set_string_option(
		binding, "host", state->addresses[state->address]);
	if (NT_STATUS_IS_OK(status)) {
		status = dcerpc_binding_set_string_option(
			binding, "target_hostname", state->target.host);
	}
	if (NT_STATUS_IS_OK(status)) {
		snprintf(endpoint, sizeof(endpoint), "%u", port);
		status = dcerpc_binding_set_string_option(binding, "endpoint",
							  endpoint);
	}
	if (!NT_STATUS_IS_OK(status)) {
		TALLOC_FREE(binding);
	}
	return binding;
}

/* -------------------------------------------------------- the mapper */

static void mapper_failed(struct tevent_req *req, NTSTATUS status)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	char what[120];

	snprintf(what, sizeof(what),
		 "ask the endpoint mapper at %s port %u for the event log"
		 " service",
		 state->addresses[state->address], state->target.mapper_port);
	collect_failure_status(&state->failure, state->target.host, what,
			       status);
	connect_next(req);
}

static void mapper_timeout(struct tevent_context *ev, struct tevent_timer *te,
			   struct timeval now, void *private_data)
{
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	state->timer = NULL;
	TALLOC_FREE(state->attempt);
	TALLOC_FREE(state->lookup);
	mapper_failed(req, NT_STATUS_IO_TIMEOUT);
}

static void mapper_connected(struct composite_context *attempt);

static void connect_mapper(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	struct cli_credentials *anonymous = NULL;
	struct dcerpc_binding *binding = NULL;

	binding = tcp_binding(state, state->target.mapper_port);
	if (tevent_req_nomem(binding, req)) {
		return;
	}
	anonymous = cli_credentials_init_anon(binding);
	if (tevent_req_nomem(anonymous, req)) {
		return;
	}
	connect_attempt(req, binding, &collect_mapper_table, anonymous,
			mapper_timeout, mapper_connected);
}

static void mapper_connected(struct composite_context *attempt)
{
	struct tevent_req *req = attempt_req(attempt);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	NTSTATUS status;

	state->attempt = NULL;
	status = dcerpc_pipe_connect_b_recv(attempt, state, &state->mapper);
	if (!NT_STATUS_IS_OK(status)) {
		mapper_failed(req, status);
		return;
	}
	state->mapper->conn->max_total_response_size = MAPPER_ANSWER_MAX;
	connect_lookup(req);
}

static void mapper_answered(struct tevent_req *subreq);

static void connect_lookup(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	const struct ndr_syntax_id *syntax = &state->table->syntax_id;
	struct ev_guid guid;
	struct buf request;

	le32_set(guid.b, syntax->uuid.time_low);
	le16_set(guid.b + 4, syntax->uuid.time_mid);
	le16_set(guid.b + 6, syntax->uuid.time_hi_and_version);
	memcpy(guid.b + 8, syntax->uuid.clock_seq, 2);
	memcpy(guid.b + 10, syntax->uuid.node, 6);

	buf_init(&request, state, MAPPER_REQUEST_MAX);
	collect_mapper_request(&request, &guid,
			       (uint16_t)(syntax->if_version & 0xffff),
			       (uint16_t)(syntax->if_version >> 16));
	if (buf_error(&request) != EVERR_OK) {
		tevent_req_oom(req);
		return;
	}
	state->lookup = dcerpc_binding_handle_raw_call_send(
		state, state->ev, state->mapper->binding_handle, NULL,
		COLLECT_MAPPER_OPNUM, 0, request.data, request.len);
	if (tevent_req_nomem(state->lookup, req)) {
		return;
	}
	tevent_req_set_callback(state->lookup, mapper_answered, req);
}

static void mapper_answered(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	uint8_t *data = NULL;
	uint32_t flags = 0;
	size_t len = 0;
	NTSTATUS status;
	everr_t err;

	status = dcerpc_binding_handle_raw_call_recv(subreq, state, &data, &len,
						     &flags);
	TALLOC_FREE(subreq);
	state->lookup = NULL;
	if (!NT_STATUS_IS_OK(status)) {
		mapper_failed(req, status);
		return;
	}

	err = collect_mapper_reply(data, len, &state->port);
	TALLOC_FREE(data);
	if (err == EVERR_NOT_FOUND) {
		collect_failure_set(&state->failure, err,
				    "%s: its endpoint mapper knows no event"
				    " log service; if it listens all the same,"
				    " name its port",
				    state->target.host);
		connect_failed(req);
		return;
	}
	if (err != EVERR_OK) {
		collect_failure_set(&state->failure, err,
				    "%s: its endpoint mapper's answer is"
				    " malformed",
				    state->target.host);
		connect_failed(req);
		return;
	}
	if (state->lookup_only) {
		TALLOC_FREE(state->timer);
		tevent_req_done(req);
		return;
	}
	connect_service(req);
}

/* ------------------------------------------------------- the service */

/*
 * What Samba reports of Kerberos in statuses that mean something else
 * elsewhere: of our own side, before the host has been asked anything, and of
 * a host that does not like the ticket.
 */
static bool ticket_failed(struct connect_state *state, NTSTATUS status)
{
	const char *host = state->target.host;

	if (!state->target.kerberos) {
		return false;
	}
	if (NT_STATUS_EQUAL(status, NT_STATUS_INVALID_PARAMETER)) {
		collect_failure_set(&state->failure, EVERR_AUTH,
				    "%s: no Kerberos ticket for host/%s: is"
				    " the own ticket still valid (klist), and"
				    " does the KDC know the host by this name?",
				    host, host);
		return true;
	}
	if (NT_STATUS_EQUAL(status, NT_STATUS_NO_LOGON_SERVERS)) {
		collect_failure_set(&state->failure, EVERR_TIMEOUT,
				    "%s: no KDC (domain controller) answers"
				    " the request for a ticket",
				    host);
		return true;
	}
	/* What came in answer to the ticket is not made with its key. */
	if (NT_STATUS_EQUAL(status, NT_STATUS_LOGON_FAILURE)) {
		collect_failure_set(&state->failure, EVERR_AUTH,
				    "%s: it has not proved to be host/%s: it"
				    " answered the Kerberos ticket without the"
				    " key, and may be another host",
				    host, host);
		return true;
	}
	/* A bind that is refused without a reason, which an old key is. */
	if (NT_STATUS_EQUAL(status, NT_STATUS_UNSUCCESSFUL)) {
		collect_failure_set(&state->failure, EVERR_AUTH,
				    "%s: the host refused the Kerberos ticket:"
				    " has its keytab the current key of"
				    " host/%s, and are its clock and ours"
				    " together?",
				    host, host);
		return true;
	}
	return false;
}

/* Of what a host says in a logon Samba only says that it is no good. */
static bool ntlm_failed(struct connect_state *state, NTSTATUS status)
{
	if (state->target.kerberos ||
	    !NT_STATUS_EQUAL(status, NT_STATUS_INVALID_PARAMETER)) {
		return false;
	}
	collect_failure_set(&state->failure, EVERR_AUTH,
			    "%s: the logon was given up: the host, or somebody"
			    " between it and here, does not do NTLM version 2"
			    " as it should",
			    state->target.host);
	return true;
}

static void service_failed(struct tevent_req *req, NTSTATUS status)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	char what[100];

	if (ticket_failed(state, status) || ntlm_failed(state, status)) {
		connect_failed(req);
		return;
	}
	snprintf(what, sizeof(what),
		 "connect to the event log service at %s"
		 " port %u",
		 state->addresses[state->address], state->port);
	collect_failure_status(&state->failure, state->target.host, what,
			       status);
	connect_next(req);
}

static void local_failed(struct tevent_req *req, NTSTATUS status)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	const char *path = state->target.socket;

	if (NT_STATUS_EQUAL(status, NT_STATUS_OBJECT_NAME_NOT_FOUND) ||
	    NT_STATUS_EQUAL(status, NT_STATUS_OBJECT_PATH_NOT_FOUND)) {
		collect_failure_set(&state->failure, EVERR_CONNECT,
				    "the service is not running: there is no"
				    " socket %s",
				    path);
	} else if (NT_STATUS_EQUAL(status, NT_STATUS_CONNECTION_REFUSED)) {
		collect_failure_set(&state->failure, EVERR_CONNECT,
				    "the service is not running: nobody"
				    " listens at %s",
				    path);
	} else if (NT_STATUS_EQUAL(status, NT_STATUS_ACCESS_DENIED)) {
		collect_failure_set(&state->failure, EVERR_ACCESS,
				    "no permission to use the socket %s", path);
	} else {
		collect_failure_status(&state->failure, path,
				       "connect to the local service", status);
	}
	connect_failed(req);
}

static void attempt_failed(struct tevent_req *req, NTSTATUS status)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	if (state->target.socket != NULL) {
		local_failed(req, status);
		return;
	}
	service_failed(req, status);
}

static void service_timeout(struct tevent_context *ev, struct tevent_timer *te,
			    struct timeval now, void *private_data)
{
	struct tevent_req *req =
		talloc_get_type_abort(private_data, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	state->timer = NULL;
	TALLOC_FREE(state->attempt);
	attempt_failed(req, NT_STATUS_IO_TIMEOUT);
}

/*
 * What libdcerpc reports as success may be a connection without
 * authentication; look at what is really there.
 */
static bool connect_is_sealed(struct connect_state *state)
{
	enum dcerpc_AuthType type = DCERPC_AUTH_TYPE_NONE;
	enum dcerpc_AuthLevel level = DCERPC_AUTH_LEVEL_NONE;
	enum dcerpc_AuthType wanted = state->target.kerberos
					      ? DCERPC_AUTH_TYPE_KRB5
					      : DCERPC_AUTH_TYPE_SPNEGO;

	dcerpc_binding_handle_auth_info(state->pipe->binding_handle, &type,
					&level);
	if (type == wanted && level == DCERPC_AUTH_LEVEL_PRIVACY) {
		return true;
	}
	collect_failure_set(&state->failure, EVERR_AUTH,
			    "%s: the connection came about without the"
			    " authentication and encryption asked for (type"
			    " %d, level %d) and was closed",
			    state->target.host, (int)type, (int)level);
	return false;
}

static void service_connected(struct composite_context *attempt)
{
	struct tevent_req *req = attempt_req(attempt);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	NTSTATUS status;

	TALLOC_FREE(state->timer);
	state->attempt = NULL;
	status = dcerpc_pipe_connect_b_recv(attempt, state, &state->pipe);
	if (!NT_STATUS_IS_OK(status)) {
		attempt_failed(req, status);
		return;
	}
	if (state->target.socket == NULL && !connect_is_sealed(state)) {
		TALLOC_FREE(state->pipe);
		connect_failed(req);
		return;
	}
	if (state->target.socket == NULL) {
		state->pipe->conn->max_total_response_size = SERVICE_ANSWER_MAX;
		collect_keepalive(state->pipe->conn->transport.stream,
				  state->addresses[state->address],
				  state->port);
	}
	/* A parked call would make the default of 60 s end the connection. */
	dcerpc_binding_handle_set_timeout(state->pipe->binding_handle, 0);
	tevent_req_done(req);
}

/*
 * Samba runs a nested loop for as long as it asks a KDC, and only for that
 * (smb_krb5_send_and_recv_func in 4.17).  It does not ask where a ticket for
 * the principal it wants is in the cache.
 */
static bool connect_may_nest(const struct connect_state *state)
{
	return state->target.kerberos && state->target.principal == NULL;
}

/*
 * A ticket that has ended Samba asks the KDC to renew: what has waited for too
 * long, or would have to until the step's time is over, is not begun.
 */
static bool ticket_ends(struct connect_state *state)
{
	const struct collect_target *target = &state->target;
	uint64_t until =
		wintime_now() + (uint64_t)target->timeout * WINTIME_SECOND;

	if (target->ticket_end == 0 || target->ticket_end > until) {
		return false;
	}
	collect_failure_set(&state->failure, EVERR_AUTH,
			    "%s: the Kerberos ticket ends within the %u seconds"
			    " that a logon may take; it is asked for anew, and"
			    " the KDC must give it for longer",
			    target->host, target->timeout);
	return true;
}

static void connect_service(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	uint32_t flags = DCERPC_SEAL | DCERPC_CONCURRENT_MULTIPLEX;
	struct dcerpc_binding *binding = NULL;
	NTSTATUS status;

	if (ticket_ends(state)) {
		connect_failed(req);
		return;
	}
	flags |= state->target.kerberos ? DCERPC_AUTH_KRB5 : DCERPC_AUTH_SPNEGO;
	binding = tcp_binding(state, state->port);
	if (tevent_req_nomem(binding, req)) {
		return;
	}
	status = dcerpc_binding_set_flags(binding, flags, 0);
	if (NT_STATUS_IS_OK(status) && state->target.principal != NULL) {
		status = dcerpc_binding_set_string_option(
			binding, "target_principal", state->target.principal);
	}
	if (!NT_STATUS_IS_OK(status)) {
		tevent_req_oom(req);
		return;
	}
	connect_attempt(req, binding, state->table, state->credentials,
			connect_may_nest(state) ? NULL : service_timeout,
			service_connected);
}

static void connect_address(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	state->port = state->target.port;
	if (state->port == 0) {
		connect_mapper(req);
		return;
	}
	connect_service(req);
}

static void connect_resolved(struct tevent_req *subreq)
{
	struct tevent_req *req =
		tevent_req_callback_data(subreq, struct tevent_req);
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	const char *reason = NULL;
	everr_t err;

	err = resolve_recv(subreq, state, &state->addresses,
			   &state->num_addresses, &reason);
	TALLOC_FREE(subreq);
	if (err != EVERR_OK) {
		collect_failure_set(&state->failure, err,
				    "cannot find the host %s: %s",
				    state->target.host, reason);
		connect_failed(req);
		return;
	}
	connect_address(req);
}

static void connect_remote(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	struct tevent_req *subreq = NULL;

	subreq = resolve_send(state, state->ev, state->target.host);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, connect_resolved, req);
}

/*
 * ncalrpc by path: the directory is a parameter of Samba's, the name the
 * endpoint.
 */
static void connect_local(struct tevent_req *req)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	const char *slash = strrchr(state->target.socket, '/');
	struct dcerpc_binding *binding = NULL;
	const char *dir = NULL;
	NTSTATUS status;

	if (slash == NULL || slash[1] == '\0') {
		collect_failure_set(&state->failure, EVERR_INVALID,
				    "%s is not the full path of a socket",
				    state->target.socket);
		connect_failed(req);
		return;
	}
	dir = talloc_strndup(state, state->target.socket,
			     (size_t)(slash - state->target.socket));
	if (tevent_req_nomem(dir, req)) {
		return;
	}
	if (!lpcfg_set_cmdline(state->lp_ctx, "ncalrpc dir",
			       dir[0] != '\0' ? dir : "/")) {
		tevent_req_oom(req);
		return;
	}
	status = dcerpc_parse_binding(state, "ncalrpc:", &binding);
	if (NT_STATUS_IS_OK(status)) {
		status = dcerpc_binding_set_string_option(binding, "endpoint",
							  slash + 1);
	}
	if (NT_STATUS_IS_OK(status)) {
		status = dcerpc_binding_set_flags(
			binding, DCERPC_CONCURRENT_MULTIPLEX, 0);
	}
	if (!NT_STATUS_IS_OK(status)) {
		tevent_req_oom(req);
		return;
	}
	connect_attempt(req, binding, state->table, state->credentials,
			service_timeout, service_connected);
}

struct tevent_req *collect_lookup_send(TALLOC_CTX *mem_ctx,
				       struct tevent_context *ev,
				       const struct collect_target *target,
				       const struct ndr_interface_table *table)
{
	struct connect_state *state = NULL;
	struct tevent_req *req = NULL;
	NTSTATUS status;

	req = tevent_req_create(mem_ctx, &state, struct connect_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->table = table;
	state->lookup_only = true;
	status = dcerpc_init();
	if (!NT_STATUS_IS_OK(status) || !copy_target(state, target)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->target.port = 0;
	state->lp_ctx = target->parameters != NULL ? target->parameters
						   : collect_parameters(state);
	if (tevent_req_nomem(state->lp_ctx, req)) {
		return tevent_req_post(req, ev);
	}
	connect_remote(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

/* Whether the request has failed; then *ret_failure says why. */
static bool connect_has_failed(struct tevent_req *req,
			       struct collect_failure *ret_failure)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		return false;
	}
	if (state->failure.err == EVERR_OK) {
		collect_failure_set(&state->failure, EVERR_NOMEM,
				    "%s: out of memory", connect_where(state));
	}
	*ret_failure = state->failure;
	return true;
}

everr_t collect_lookup_recv(struct tevent_req *req, uint16_t *ret_port,
			    struct collect_failure *ret_failure)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);

	if (connect_has_failed(req, ret_failure)) {
		tevent_req_received(req);
		return ret_failure->err;
	}
	*ret_port = state->port;
	tevent_req_received(req);
	return EVERR_OK;
}

struct tevent_req *collect_connect_send(TALLOC_CTX *mem_ctx,
					struct tevent_context *ev,
					const struct collect_target *target,
					const struct ndr_interface_table *table)
{
	struct connect_state *state = NULL;
	struct tevent_req *req = NULL;
	NTSTATUS status;

	req = tevent_req_create(mem_ctx, &state, struct connect_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->table = table;
	tevent_req_set_cleanup_fn(req, connect_cleanup);

	/* Without it libdcerpc knows no authentication; once is enough. */
	status = dcerpc_init();
	if (!NT_STATUS_IS_OK(status) || !copy_target(state, target)) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	state->lp_ctx = target->parameters;
	if (state->lp_ctx == NULL) {
		state->lp_ctx = collect_parameters(state);
	}
	if (tevent_req_nomem(state->lp_ctx, req)) {
		return tevent_req_post(req, ev);
	}
	if (!connect_credentials(state)) {
		if (state->failure.err == EVERR_OK) {
			tevent_req_oom(req);
		} else {
			connect_failed(req);
		}
		return tevent_req_post(req, ev);
	}

	if (state->target.socket != NULL) {
		connect_local(req);
	} else {
		connect_remote(req);
	}
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t collect_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			     struct collect_connection **ret_connection,
			     struct collect_failure *ret_failure)
{
	struct connect_state *state =
		tevent_req_data(req, struct connect_state);
	struct collect_connection *connection = NULL;
	const char *where = NULL;
	if (connect_has_failed(req, ret_failure)) {
		tevent_req_received(req);
		return ret_failure->err;
	}

	where = state->target.socket != NULL ? "this host" : state->target.host;
	connection = talloc_zero(mem_ctx, struct collect_connection);
	if (connection == NULL ||
	    !copy_string(connection, where, &connection->where)) {
		TALLOC_FREE(connection);
		tevent_req_received(req);
		return collect_failure_set(ret_failure, EVERR_NOMEM,
					   "out of memory");
	}
	connection->local = state->target.socket != NULL;
	connection->handle = state->pipe->binding_handle;
	talloc_steal(connection, state->pipe);
	/*
	 * The parameters are still read when a call is made.  Samba may hold
	 * references to both, of which talloc_steal() would complain.
	 */
	if (state->target.parameters == NULL) {
		talloc_reparent(state, connection, state->lp_ctx);
	}
	talloc_reparent(state, connection, state->credentials);
	*ret_connection = connection;
	tevent_req_received(req);
	return EVERR_OK;
}

bool collect_connection_alive(const struct collect_connection *connection)
{
	return dcerpc_binding_handle_is_connected(connection->handle);
}

const char *collect_connection_security(
	const struct collect_connection *connection)
{
	enum dcerpc_AuthType type = DCERPC_AUTH_TYPE_NONE;
	enum dcerpc_AuthLevel level = DCERPC_AUTH_LEVEL_NONE;

	dcerpc_binding_handle_auth_info(connection->handle, &type, &level);
	if (level != DCERPC_AUTH_LEVEL_PRIVACY) {
		return "none";
	}
	return type == DCERPC_AUTH_TYPE_KRB5 ? "Kerberos, encrypted"
					     : "NTLM, encrypted";
}
