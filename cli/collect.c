/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * collect test: a connection to a host as the collector makes it, step by
 * step, with what to do where it fails.  Without the service: from the
 * configuration, or from the options for a host that is not in it yet.
 */

#include "base/resolve.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/forget.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/password.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "collect/client.h"
#include "collect/ticket.h"
#include "daemon/config.h"
#include "idl/ndr_even6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long the first event is waited for, milliseconds. */
#define EVENT_WAIT 10000
#define TEXT_MAX 1024

#define FIREWALL                                                             \
	"; on Windows the firewall's rules of the group \"Remote Event Log " \
	"Management\" let it through"

struct collect_verb {
	struct cli *cli;
	const struct collector_config *collector;
	struct collect_config config;
	struct collect_target target;
	char **addresses;
	size_t num_addresses;
	struct collect_connection *connection;
	bool failed;
	struct timespec begin; /* of the step */
	char *ticket_dir;      /* goes with its ticket when it is freed */

	/* Options. */
	char *keytab;
	char *principal;
	char *ccache;
	char **channels;
};

/* ---------------------------------------------------------- the steps */

static void step_begin(struct collect_verb *verb)
{
	clock_gettime(CLOCK_MONOTONIC, &verb->begin);
}

static double step_ms(const struct collect_verb *verb)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - verb->begin.tv_sec) * 1e3 +
	       (double)(now.tv_nsec - verb->begin.tv_nsec) / 1e6;
}

/* One line; channel may be NULL.  Returns ok. */
static bool step_end(struct collect_verb *verb, const char *step,
		     const char *channel, bool ok, const char *text)
{
	double ms = step_ms(verb);
	json_t *line = NULL;

	verb->failed = verb->failed || !ok;
	if (verb->cli->options.format == CLI_FORMAT_JSON) {
		/* What is not UTF-8 is left out rather than the line. */
		line = json_pack(
			"{sssssbsfss}", "host", verb->config.host, "step", step,
			"ok", ok ? 1 : 0, "milliseconds", ms, "text",
			text_utf8_valid(text, strlen(text)) ? text : "");
		if (channel != NULL) {
			json_object_set_new(line, "channel",
					    json_string(channel));
		}
		cli_print_json(line);
	} else {
		printf("%-6s  %-12s  %7.1f ms  ", ok ? "ok" : "failed", step,
		       ms);
		if (channel != NULL) {
			terminal_print(channel);
			printf(": ");
		}
		terminal_print(text);
		printf("\n");
	}
	fflush(stdout);
	return ok;
}

__attribute__((format(printf, 3, 4))) static bool step_ok(
	struct collect_verb *verb, const char *step, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return step_end(verb, step, NULL, true, text);
}

/* The failure, and what else an administrator can do about it. */
static bool step_failed(struct collect_verb *verb, const char *step,
			const char *channel,
			const struct collect_failure *failure,
			const char *advice)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "%s%s", failure->text, advice);
	return step_end(verb, step, channel, false, text);
}

static const char *connect_advice(const struct collect_failure *failure)
{
	switch (failure->err) {
	case EVERR_CONNECT:
	case EVERR_TIMEOUT:
		return FIREWALL;
	case EVERR_ACCESS:
		return "; put the account into the host's group Event Log "
		       "Readers";
	default:
		return "";
	}
}

static bool step_name(struct collect_verb *verb)
{
	struct collect_failure failure = {.err = EVERR_OK};
	const char *reason = NULL;
	struct tevent_req *req = NULL;
	char *list = NULL;
	everr_t err;
	size_t i;

	step_begin(verb);
	req = resolve_send(verb->cli, verb->cli->ev, verb->config.host);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = resolve_recv(req, verb->cli, &verb->addresses,
			   &verb->num_addresses, &reason);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		collect_failure_set(&failure, err,
				    "cannot find the host %s: %s",
				    verb->config.host, reason);
		return step_failed(verb, "name", NULL, &failure,
				   "; is the name right, and does the name "
				   "server of /etc/resolv.conf know it?");
	}
	list = talloc_strdup(verb->cli, verb->addresses[0]);
	for (i = 1; i < verb->num_addresses && list != NULL; i++) {
		list = talloc_asprintf_append(list, ", %s", verb->addresses[i]);
	}
	return step_ok(verb, "name", "%s", list != NULL ? list : "");
}

static bool step_mapper(struct collect_verb *verb)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	if (verb->target.port != 0) {
		return true;
	}
	step_begin(verb);
	req = collect_lookup_send(verb->cli, verb->cli->ev, &verb->target,
				  &ndr_table_even6);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_lookup_recv(req, &verb->target.port, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "mapper", NULL, &failure,
				   connect_advice(&failure));
	}
	return step_ok(verb, "mapper", "the event log service is at port %u",
		       verb->target.port);
}

/* An errno, 0: something listens there. */
static int try_connect(const char *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port)};
	bool v6 = inet_pton(AF_INET6, address, &in6.sin6_addr) == 1;
	struct pollfd pollfd = {.events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);
	int ret;

	if (!v6 && inet_pton(AF_INET, address, &in.sin_addr) != 1) {
		/* An IPv6 address with a zone, which the next step tries. */
		return 0;
	}
	pollfd.fd = socket(v6 ? AF_INET6 : AF_INET,
			   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (pollfd.fd == -1) {
		return errno;
	}
	ret = connect(pollfd.fd,
		      v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
		      v6 ? sizeof(in6) : sizeof(in));
	if (ret != 0 && errno == EINPROGRESS) {
		ret = poll(&pollfd, 1, COLLECT_CONNECT_TIMEOUT * 1000);
		errno = ret == 0 ? ETIMEDOUT : errno;
		ret = ret == 1 ? getsockopt(pollfd.fd, SOL_SOCKET, SO_ERROR,
					    &error, &len)
			       : -1;
	}
	if (ret != 0) {
		error = errno;
	}
	close(pollfd.fd);
	return error;
}

static bool step_connect(struct collect_verb *verb)
{
	struct collect_failure failure = {.err = EVERR_OK};
	int error = 0;
	size_t i;

	step_begin(verb);
	for (i = 0; i < verb->num_addresses; i++) {
		error = try_connect(verb->addresses[i], verb->target.port);
		if (error == 0) {
			return step_ok(verb, "connect", "%s port %u",
				       verb->addresses[i], verb->target.port);
		}
	}
	collect_failure_set(&failure, EVERR_CONNECT,
			    "cannot connect to %s port %u: %s; is the service"
			    " running there, and the port right?",
			    verb->addresses[0], verb->target.port,
			    strerror(error));
	return step_failed(verb, "connect", NULL, &failure, FIREWALL);
}

/* -------------------------------------------------------------- ticket */

/* The helper's own default, when neither is configured. */
static const char *default_ccache(struct cli *cli)
{
	const char *name = getenv("KRB5CCNAME");

	return name != NULL ? name
			    : talloc_asprintf(cli, "FILE:/tmp/krb5cc_%u",
					      (unsigned int)geteuid());
}

static bool get_ticket(struct collect_verb *verb, const char *dir)
{
	const struct collect_ticket_request request = {
		.helper = verb->collector->ticket_helper,
		.host = verb->config.host,
		.keytab = verb->config.keytab,
		.principal = verb->config.principal,
		.ccache = verb->config.ccache != NULL
				  ? verb->config.ccache
				  : default_ccache(verb->cli),
		.out = talloc_asprintf(verb->cli, "%s/ticket", dir),
	};
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_ticket *ticket = NULL;
	struct tevent_req *req = NULL;
	everr_t err;

	req = collect_ticket_send(verb->cli, verb->cli->ev, &request);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_ticket_recv(req, verb->cli, &ticket, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "ticket", NULL, &failure, "");
	}
	verb->target.kerberos = true;
	verb->target.principal = ticket->principal;
	verb->target.ticket_end = ticket->end;
	verb->target.ccache =
		talloc_asprintf(verb->cli, "FILE:%s", request.out);
	return step_ok(verb, "ticket", "for %s", ticket->principal);
}

static int remove_ticket(char *dir)
{
	char *path = talloc_asprintf(NULL, "%s/ticket", dir);

	if (path != NULL) {
		(void)unlink(path);
	}
	talloc_free(path);
	(void)rmdir(dir);
	return 0;
}

/* The ticket goes, then the command as if there had been no handler. */
static void on_signal(struct tevent_context *ev, struct tevent_signal *se,
		      int signum, int count, void *siginfo, void *private_data)
{
	struct collect_verb *verb = private_data;

	TALLOC_FREE(verb->ticket_dir);
	signal(signum, SIG_DFL);
	raise(signum);
}

static bool catch_signals(struct collect_verb *verb)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (tevent_add_signal(verb->cli->ev, verb->cli, signals[i], 0,
				      on_signal, verb) == NULL) {
			cli_error("out of memory");
			return false;
		}
	}
	return true;
}

static bool step_ticket(struct collect_verb *verb)
{
	struct collect_failure failure = {.err = EVERR_OK};
	const char *tmp = getenv("TMPDIR");
	char *dir = NULL;

	if (verb->config.auth != COLLECT_AUTH_KERBEROS) {
		return true;
	}
	if (!catch_signals(verb)) {
		return false;
	}
	step_begin(verb);
	dir = talloc_asprintf(verb->cli, "%s/evenlog-ticket-XXXXXX",
			      tmp != NULL ? tmp : "/tmp");
	if (dir == NULL || mkdtemp(dir) == NULL) {
		collect_failure_set(&failure, EVERR_IO,
				    "cannot make a directory for the ticket in"
				    " %s: %s",
				    tmp != NULL ? tmp : "/tmp",
				    strerror(errno));
		return step_failed(verb, "ticket", NULL, &failure, "");
	}
	/* With the command. */
	talloc_set_destructor(dir, remove_ticket);
	verb->ticket_dir = dir;
	return get_ticket(verb, dir);
}

/* The step before has connected: no firewall is in the way. */
static const char *logon_advice(const struct collect_verb *verb,
				const struct collect_failure *failure)
{
	bool ntlm = !verb->target.kerberos;

	switch (failure->err) {
	case EVERR_CONNECT:
	case EVERR_TIMEOUT:
	case EVERR_PROTOCOL:
		return verb->config.port != 0
			       ? "; is this the event log service's port? The"
				 " endpoint mapper tells it where none is given"
			       : "; it was reached and did not go through with"
				 " the logon: its own logs may say why";
	case EVERR_AUTH:
		return ntlm && verb->target.domain == NULL
			       ? "; without a domain (DOMAIN\\USER) the account"
				 " is one of the host itself"
			       : "";
	default:
		return connect_advice(failure);
	}
}

static bool step_logon(struct collect_verb *verb)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	step_begin(verb);
	req = collect_connect_send(verb->cli, verb->cli->ev, &verb->target,
				   &ndr_table_even6);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_connect_recv(req, verb->cli, &verb->connection, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "logon", NULL, &failure,
				   logon_advice(verb, &failure));
	}
	return step_ok(verb, "logon", "%s",
		       collect_connection_security(verb->connection));
}

/* ------------------------------------------------------------ a channel */

static const char *channel_advice(const struct collect_failure *failure)
{
	switch (failure->err) {
	case EVERR_CHANNEL_NOT_FOUND:
		return "; evenlog list --remote shows the names";
	case EVERR_CHANNEL_DISABLED:
		return "; evenlog set-log --remote enables it";
	default:
		return "";
	}
}

/* Whether the log can be read; what is in it. */
static bool step_access(struct collect_verb *verb, const char *channel,
			uint64_t *ret_records)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_log_info info = {.present = {false}};
	struct tevent_req *req = NULL;
	char text[TEXT_MAX];
	uint64_t oldest, num;
	everr_t err;

	step_begin(verb);
	req = collect_log_info_send(verb->cli, verb->cli->ev, verb->connection,
				    channel);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_log_info_recv(req, &info, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "access", channel, &failure,
				   channel_advice(&failure));
	}
	oldest = info.values[COLLECT_LOG_OLDEST_RECORD];
	num = info.values[COLLECT_LOG_NUM_RECORDS];
	*ret_records = num;
	if (num == 0) {
		return step_end(verb, "access", channel, true,
				"the log is empty");
	}
	snprintf(text, sizeof(text),
		 "%" PRIu64 " records, %" PRIu64 " to %" PRIu64, num, oldest,
		 oldest + num - 1);
	return step_end(verb, "access", channel, true, text);
}

static bool step_subscribe(struct collect_verb *verb,
			   const struct collect_channel_config *channel,
			   struct collect_cursor **ret_cursor)
{
	const struct collect_request request = {
		.kind = COLLECT_PULL,
		.channel = channel->name,
		.query = channel->query,
		.from = COLLECT_FROM_OLDEST,
	};
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	everr_t err;

	step_begin(verb);
	req = collect_open_send(verb->cli, verb->cli->ev, verb->connection,
				&request);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_open_recv(req, verb->cli, ret_cursor, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "subscribe", channel->name, &failure,
				   channel_advice(&failure));
	}
	return step_end(verb, "subscribe", channel->name, true,
			channel->query != NULL ? channel->query
					       : "every event");
}

static const char *text_at(const json_t *object, const char *name)
{
	const char *text = NULL;

	object = cli_view_element(cli_view_member(object, name));
	text = json_string_value(object);
	return text != NULL ? text : "-";
}

/* Time, computer, provider and event id of a packed event. */
static everr_t describe(struct collect_verb *verb, struct event_dict *dict,
			const struct event_packed *packed, uint64_t record_id,
			char *text, size_t size)
{
	struct cli_view *view = NULL;
	const json_t *system = NULL;
	struct buf json;
	everr_t err;

	buf_init(&json, verb->cli, OUTPUT_LINE_MAX);
	err = event_render_json(&json, dict, packed->data, packed->len);
	if (err == EVERR_OK) {
		err = cli_view_create(verb->cli, (const char *)json.data,
				      json.len, &view);
	}
	if (err != EVERR_OK) {
		return err;
	}
	system = cli_view_member(view->json, "System");
	snprintf(text, size,
		 "record %" PRIu64 " of %s, computer %s, provider %s, event %u",
		 record_id,
		 text_at(cli_view_member(system, "TimeCreated"), "SystemTime"),
		 text_at(system, "Computer"),
		 text_at(cli_view_member(system, "Provider"), "Name"),
		 packed->header.event_id);
	TALLOC_FREE(view);
	return EVERR_OK;
}

/* What a host sends is checked as the collector does. */
static everr_t read_event(struct collect_verb *verb,
			  const struct collect_cursor *cursor,
			  const struct collect_batch *batch, char *text,
			  size_t size)
{
	struct event_dict *dict = output_dict_create(verb->cli);
	struct event_packer *packer = NULL;
	struct event_packed packed;
	struct collect_event event;
	everr_t err;

	packer = dict != NULL ? event_packer_create(verb->cli, dict) : NULL;
	if (packer == NULL) {
		return EVERR_NOMEM;
	}
	err = collect_batch_event(cursor, batch, 0, &event);
	if (err == EVERR_OK) {
		err = event_pack(packer, event.result.event,
				 event.result.event_len, &packed);
	}
	if (err == EVERR_OK) {
		err = describe(verb, dict, &packed, event.record_id, text,
			       size);
	}
	TALLOC_FREE(packer);
	TALLOC_FREE(dict);
	return err;
}

static bool step_event(struct collect_verb *verb, const char *channel,
		       struct collect_cursor *cursor)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_batch *batch = NULL;
	struct tevent_req *req = NULL;
	char text[TEXT_MAX];
	everr_t err;

	step_begin(verb);
	req = collect_next_send(verb->cli, verb->cli->ev, cursor, 1,
				EVENT_WAIT);
	if (!cli_wait(verb->cli, req)) {
		return false;
	}
	err = collect_next_recv(req, verb->cli, &batch, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		return step_failed(verb, "event", channel, &failure, "");
	}
	if (batch->num == 0) {
		return step_end(verb, "event", channel, true,
				"there is none that the query selects");
	}
	err = read_event(verb, cursor, batch, text, sizeof(text));
	if (err != EVERR_OK) {
		collect_failure_set(&failure, err,
				    "%s: the event cannot be read: %s",
				    verb->config.host, everr_text(err));
		return step_failed(verb, "event", channel, &failure, "");
	}
	return step_end(verb, "event", channel, true, text);
}

/* A channel that fails leaves the others to be tried. */
static void test_channel(struct collect_verb *verb,
			 const struct collect_channel_config *channel)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_cursor *cursor = NULL;
	struct tevent_req *req = NULL;
	uint64_t records = 0;

	if (!step_access(verb, channel->name, &records) ||
	    !step_subscribe(verb, channel, &cursor)) {
		return;
	}
	if (records > 0) {
		step_event(verb, channel->name, cursor);
	}
	req = collect_close_send(verb->cli, verb->cli->ev, cursor);
	if (cli_wait(verb->cli, req)) {
		/* Nothing depends on it any more. */
		(void)!collect_close_recv(req, &failure);
	}
	TALLOC_FREE(req);
	TALLOC_FREE(cursor);
}

static int test_host(struct collect_verb *verb)
{
	size_t i;

	if (!step_name(verb) || !step_mapper(verb) || !step_ticket(verb) ||
	    !step_connect(verb) || !step_logon(verb)) {
		return CLI_FAILED;
	}
	for (i = 0; i < verb->config.num_channels; i++) {
		test_channel(verb, &verb->config.channels[i]);
	}
	TALLOC_FREE(verb->connection);
	return verb->failed ? CLI_FAILED : CLI_OK;
}

/* ------------------------------------------------------ which, and how */

static int load_config(struct collect_verb *verb)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err;
	size_t i;

	err = daemon_config_load(verb->cli, verb->cli->options.config, &config,
				 &errors);
	if (err == EVERR_OK) {
		verb->collector = &config->collect;
		return -1;
	}
	for (i = 0; errors != NULL && i < errors->num_messages; i++) {
		cli_error("%s", errors->messages[i]);
	}
	if (errors == NULL || errors->num_messages == 0) {
		cli_error("cannot read the configuration: %s", everr_text(err));
	}
	return CLI_FAILED;
}

static const struct collect_config *find_host(
	const struct collector_config *collector, const char *host)
{
	size_t i;

	for (i = 0; i < collector->num_hosts; i++) {
		if (text_name_equal(collector->hosts[i].host, host)) {
			return &collector->hosts[i];
		}
	}
	return NULL;
}

static everr_t set_channels(struct collect_verb *verb)
{
	static const struct collect_channel_config usual[] = {
		{.name = "Application"},
		{.name = "Security"},
		{.name = "System"},
	};
	struct collect_channel_config *channels = NULL;
	size_t num = 0;
	size_t i;

	if (verb->channels == NULL) {
		if (verb->config.num_channels == 0) {
			verb->config.channels = usual;
			verb->config.num_channels = 3;
		}
		return EVERR_OK;
	}
	while (verb->channels[num] != NULL) {
		num++;
	}
	channels = talloc_zero_array(verb->cli, struct collect_channel_config,
				     num);
	if (channels == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < num; i++) {
		channels[i].name = verb->channels[i];
	}
	verb->config.channels = channels;
	verb->config.num_channels = num;
	return EVERR_OK;
}

/* Options go before what the configuration says. */
static int set_authentication(struct collect_verb *verb)
{
	const struct cli_options *o = &verb->cli->options;
	struct collect_config *config = &verb->config;
	const char *domain = NULL;
	everr_t err;

	if (o->kerberos != 0 || verb->keytab != NULL || verb->ccache != NULL) {
		config->auth = COLLECT_AUTH_KERBEROS;
		config->keytab = verb->keytab;
		config->principal = verb->principal;
		config->ccache = verb->ccache;
	} else if (o->user != NULL) {
		config->auth = COLLECT_AUTH_NTLM;
		err = cli_parse_user(verb->cli, o->user, &domain,
				     &config->user);
		if (err != EVERR_OK) {
			return cli_usage(verb->cli,
					 "--user is USER or DOMAIN\\USER, not"
					 " \"%s\"",
					 o->user);
		}
		config->domain = o->domain != NULL ? o->domain : domain;
		config->password_file = NULL;
	} else if (config->section == NULL) {
		return cli_usage(verb->cli,
				 "%s is not in the configuration: --user,"
				 " --kerberos or --keytab says how to log on",
				 config->host);
	}
	if (o->password_file != NULL) {
		config->password_file = o->password_file;
	}
	return -1;
}

static int set_target(struct collect_verb *verb)
{
	const struct collect_config *config = &verb->config;
	char *password = NULL;
	char *prompt = NULL;
	everr_t err;

	verb->target = (struct collect_target){
		.host = config->host,
		.port = config->port,
		.mapper_port = config->mapper_port,
		.user = config->user,
		.domain = config->domain,
	};
	if (verb->cli->options.mapper_port != 0) {
		verb->target.mapper_port =
			(uint16_t)verb->cli->options.mapper_port;
	}
	if (config->auth == COLLECT_AUTH_KERBEROS) {
		return -1;
	}
	prompt = talloc_asprintf(verb->cli,
				 "Password of %s on %s: ", config->user,
				 config->host);
	err = cli_password(verb->cli, config->password_file,
			   prompt != NULL ? prompt : "Password: ", &password);
	verb->target.password = password;
	return err == EVERR_OK ? -1 : CLI_FAILED;
}

static int choose_host(struct collect_verb *verb, const char *text)
{
	const struct collect_config *known = NULL;
	const char *host = NULL;
	uint16_t port = 0;
	everr_t err;
	int ret;

	err = cli_parse_remote(verb->cli, text, &host, &port);
	if (err != EVERR_OK || !text_utf8_valid(host, strlen(host))) {
		return cli_usage(verb->cli,
				 "a host is NAME or NAME:PORT, not \"%s\"",
				 text);
	}
	ret = load_config(verb);
	if (ret >= 0) {
		return ret;
	}
	known = find_host(verb->collector, host);
	if (known != NULL) {
		verb->config = *known;
	} else {
		verb->config.host = host;
	}
	if (port != 0) {
		verb->config.port = port;
	}
	ret = set_authentication(verb);
	if (ret >= 0) {
		return ret;
	}
	err = set_channels(verb);
	if (err != EVERR_OK) {
		cli_error("%s", everr_text(err));
		return CLI_FAILED;
	}
	return set_target(verb);
}

static int forget(struct collect_verb *verb, const char **args)
{
	const struct cli_options *o = &verb->cli->options;

	if (verb->channels != NULL || verb->keytab != NULL ||
	    verb->principal != NULL || verb->ccache != NULL ||
	    o->user != NULL || o->kerberos != 0) {
		return cli_usage(verb->cli,
				 "collect forget takes HOST and CHANNEL, and "
				 "no options of collect test");
	}
	return cli_forget(verb->cli, args[1], args[2]);
}

static int cli_collect(struct cli *cli)
{
	struct collect_verb verb = {.cli = cli};
	struct poptOption table[] = {
		{"channel", 0, POPT_ARG_ARGV, &verb.channels, 0,
		 "Test this channel instead of those configured; may be"
		 " repeated",
		 "CHANNEL"},
		{"keytab", 0, POPT_ARG_STRING, &verb.keytab, 0,
		 "Kerberos with the keys in this file", "FILE"},
		{"principal", 0, POPT_ARG_STRING, &verb.principal, 0,
		 "Whose keys of the keytab (the first there)", "NAME"},
		{"ccache", 0, POPT_ARG_STRING, &verb.ccache, 0,
		 "Kerberos with the ticket in this cache", "NAME"},
		POPT_TABLEEND,
	};
	const char **args = NULL;
	int ret;

	ret = cli_parse_local(cli, table, 2, 3, &args);
	if (ret >= 0) {
		return ret;
	}
	if (strcmp(args[0], "forget") == 0) {
		return forget(&verb, args);
	}
	if (strcmp(args[0], "test") != 0) {
		return cli_usage(cli, "collect is test or forget, not \"%s\"",
				 args[0]);
	}
	if (args[2] != NULL) {
		return cli_usage(cli, "collect test takes one HOST");
	}
	ret = choose_host(&verb, args[1]);
	return ret >= 0 ? ret : test_host(&verb);
}

static const char collect_description[] =
	"Connects to a host as the collector does and says of each step\n"
	"whether it works, how long it took, and what to do where it does\n"
	"not: the name, the endpoint mapper, the Kerberos ticket, the\n"
	"connection, the logon, and of each channel the right to read it, a\n"
	"subscription and its oldest event. The host is one of the\n"
	"configuration's, which must be readable, or any other with options\n"
	"that say how to log on. The service need not run.\n"
	"\n"
	"  evenlog collect test dc1.example.org\n"
	"  evenlog collect test dc1.example.org --keytab=collector.keytab\n"
	"  evenlog collect test srv2 --user='SRV2\\reader'\n"
	"    --channel=Security\n"
	"\n"
	"forget lets the service forget how far it has collected a host's\n"
	"channel, or all of them, also where that is damaged in the store;\n"
	"a channel that is being collected is refused. For administrators.\n"
	"\n"
	"  evenlog collect forget dc1.example.org Security\n";

const struct cli_verb cli_verb_collect = {
	.name = "collect",
	.arguments = "test|forget HOST [CHANNEL]",
	.summary = "Try to collect from a host, or have it forgotten",
	.description = collect_description,
	.run = cli_collect,
	.local = true,
	.logs_on = true,
};
