/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/rpc/server_fixture.h"

#include "idl/control_client.h"
#include "idl/even6_client.h"
#include "rpc/passdb.h"
#include "rpc/smb_conf.h"

#include <credentials.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <param.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

NTSTATUS gensec_init(void);

/* -------------------------------------------------------------- server */

/* What the server tells when it listens. */
struct report {
	uint16_t port;
	uint16_t mapper_port;
};

static void server_die(const char *what, const char *why)
{
	fprintf(stderr, "test server: %s: %s\n", what, why);
	_exit(2);
}

static void server_check(everr_t err, const char *what, const char *message)
{
	if (err != EVERR_OK) {
		server_die(what, message != NULL ? message : everr_text(err));
	}
}

static struct store *server_store(TALLOC_CTX *ctx, const char *dir,
				  size_t num_channels)
{
	struct store_channel_config config = {.enabled = true};
	struct store_options options = {};
	struct store_channel *channel = NULL;
	struct store *store = NULL;
	char name[200];
	everr_t err;
	size_t i;

	store_limits_default(&options.limits);
	options.limits.map_size = 1ULL << 30;
	options.path = talloc_asprintf(ctx, "%s/store", dir);
	err = store_open(ctx, rpc_event_context(), &options, &store);
	server_check(err, "store", NULL);

	err = store_channel_define(store, "Application", &config, &channel);
	server_check(err, "channel", NULL);
	err = store_channel_define(store, "Security", &config, &channel);
	server_check(err, "channel", NULL);
	err = store_channel_define(store, SERVER_BACKUP, &config, &channel);
	server_check(err, "channel", NULL);
	for (i = 0; i < num_channels; i++) {
		(void)snprintf(name, sizeof(name), "Channel-%0150zu", i);
		err = store_channel_define(store, name, &config, &channel);
		server_check(err, "channel", NULL);
	}
	return store;
}

static void server_add_users(TALLOC_CTX *ctx, const char *smb_conf)
{
	static const char *const users[] = {SERVER_READER, SERVER_STRANGER};
	char *message = NULL;
	everr_t err;
	size_t i;

	err = rpc_passdb_open(ctx, smb_conf, &message);
	server_check(err, "passdb", message);
	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		err = rpc_passdb_add(ctx, users[i], SERVER_PASSWORD, &message);
		server_check(err, users[i], message);
	}
}

static void limit_descriptors(size_t max_fds)
{
	struct rlimit limit = {};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = max_fds != 0 ? max_fds : limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool stopped;

static void server_stopped(struct tevent_context *ev, struct tevent_signal *se,
			   int signum, int count, void *siginfo,
			   void *private_data)
{
	stopped = true;
}

static void server_run(const struct server *server,
		       const struct server_options *options, int fd)
{
	static const char *const listen[] = {"127.0.0.1", NULL};
	static const char *const readers[] = {SERVER_READER, NULL};
	struct tevent_context *ev = rpc_event_context();
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct rpc_config config = {
		.listen = listen,
		.endpoint_mapper = true,
		.control_socket = server->control,
		.smb_conf = server->smb_conf,
		.readers = readers,
	};
	struct rpc_service *service = NULL;
	struct report report = {};
	struct store *store = NULL;
	char *message = NULL;
	ssize_t written;
	everr_t err;

	limit_descriptors(options->max_fds);
	signal(SIGPIPE, SIG_IGN);
	/* A test program that crashes takes its server along. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	config.limits = options->limits;
	server_add_users(ctx, server->smb_conf);
	store = server_store(ctx, server->dir, options->num_channels);
	err = rpc_service_start(ctx, ev, &config, store, NULL, NULL, &service,
				&message);
	server_check(err, "start", message);
	tevent_add_signal(ev, ctx, SIGTERM, 0, server_stopped, NULL);

	report.port = rpc_service_port(service);
	report.mapper_port = rpc_service_mapper_port(service);
	written = write(fd, &report, sizeof(report));
	close(fd);
	if (written != sizeof(report)) {
		server_die("pipe", strerror(errno));
	}
	while (!stopped) {
		(void)rpc_event_loop_once(ev);
	}
	TALLOC_FREE(service);
	TALLOC_FREE(store);
	TALLOC_FREE(ctx);
	/* With LeakSanitizer's look at what is left. */
	exit(0);
}

void server_start_with(struct server *server,
		       const struct server_options *options)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *tmp = getenv("TMPDIR");
	struct rpc_smb_conf smb = {};
	struct report report = {};
	char *message = NULL;
	int fds[2];
	ssize_t got;
	everr_t err;

	*server = (struct server){};
	(void)snprintf(server->dir, sizeof(server->dir), "%s/evl-rpc-XXXXXX",
		       tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(server->dir));
	/* nobody has to get to the control socket in it. */
	assert_int_equal(chmod(server->dir, 0755), 0);
	(void)snprintf(server->smb_conf, sizeof(server->smb_conf),
		       "%s/samba/smb.conf", server->dir);
	(void)snprintf(server->control, sizeof(server->control), "%s/control",
		       server->dir);
	smb.dir = talloc_asprintf(ctx, "%s/samba", server->dir);
	err = rpc_smb_conf_write(ctx, &smb, &message);
	assert_int_equal(err, EVERR_OK);

	assert_int_equal(pipe(fds), 0);
	server->pid = fork();
	assert_int_not_equal(server->pid, -1);
	if (server->pid == 0) {
		TALLOC_FREE(ctx);
		close(fds[0]);
		server_run(server, options, fds[1]);
	}
	close(fds[1]);
	got = read(fds[0], &report, sizeof(report));
	close(fds[0]);
	assert_int_equal(got, sizeof(report));
	server->port = report.port;
	server->mapper_port = report.mapper_port;
	TALLOC_FREE(ctx);
}

void server_start(struct server *server, const struct rpc_limits *limits,
		  size_t num_channels)
{
	struct server_options options = {.num_channels = num_channels};

	if (limits != NULL) {
		options.limits = *limits;
	}
	server_start_with(server, &options);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return remove(path);
}

static int server_end(struct server *server)
{
	int status = -1;

	(void)kill(server->pid, SIGTERM);
	(void)waitpid(server->pid, &status, 0);
	server->pid = 0;
	nftw(server->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}

void server_stop(struct server *server)
{
	int status = server_end(server);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void server_kill(struct server *server)
{
	if (server->pid > 0) {
		(void)server_end(server);
	}
}

size_t server_num_fds(const struct server *server)
{
	struct dirent *entry = NULL;
	char path[64];
	size_t count = 0;
	DIR *dir = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)server->pid);
	dir = opendir(path);
	assert_non_null(dir);
	for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count;
}

size_t server_rss(const struct server *server)
{
	char path[64];
	char line[256];
	size_t rss = 0;
	FILE *f = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)server->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0) {
			rss = strtoul(line + 6, NULL, 10);
		}
	}
	fclose(f);
	return rss;
}

/* -------------------------------------------------------------- client */

void client_init(struct client *client, TALLOC_CTX *mem_ctx,
		 const struct server *server)
{
	char *dir = talloc_strdup(mem_ctx, server->dir);

	client->mem_ctx = mem_ctx;
	client->ev = tevent_context_init(mem_ctx);
	assert_non_null(client->ev);
	client->lp_ctx = loadparm_init(mem_ctx);
	assert_non_null(client->lp_ctx);
	assert_true(lpcfg_set_cmdline(client->lp_ctx, "ncalrpc dir", dir));
	assert_true(NT_STATUS_IS_OK(gensec_init()));
}

static NTSTATUS client_connect_binding(struct client *client, const char *text,
				       uint32_t assoc_group_id,
				       const struct ndr_interface_table *table,
				       struct cli_credentials *credentials,
				       struct dcerpc_pipe **ret_pipe)
{
	struct dcerpc_binding *binding = NULL;
	NTSTATUS status;

	status = dcerpc_parse_binding(client->mem_ctx, text, &binding);
	assert_true(NT_STATUS_IS_OK(status));
	status = dcerpc_binding_set_flags(binding, DCERPC_CONCURRENT_MULTIPLEX,
					  0);
	assert_true(NT_STATUS_IS_OK(status));
	/* 0 would take back the one that text may name. */
	if (assoc_group_id != 0) {
		status = dcerpc_binding_set_assoc_group_id(binding,
							   assoc_group_id);
		assert_true(NT_STATUS_IS_OK(status));
	}
	return dcerpc_pipe_connect_b(client->mem_ctx, ret_pipe, binding, table,
				     credentials, client->ev, client->lp_ctx);
}

static struct cli_credentials *client_credentials(struct client *client,
						  const char *user,
						  const char *password)
{
	struct cli_credentials *credentials = NULL;

	credentials = cli_credentials_init(client->mem_ctx);
	assert_non_null(credentials);
	if (user == NULL) {
		cli_credentials_set_anonymous(credentials);
		return credentials;
	}
	cli_credentials_set_kerberos_state(
		credentials, CRED_USE_KERBEROS_DISABLED, CRED_SPECIFIED);
	cli_credentials_set_username(credentials, user, CRED_SPECIFIED);
	cli_credentials_set_domain(credentials, "EVENLOG", CRED_SPECIFIED);
	cli_credentials_set_password(credentials, password, CRED_SPECIFIED);
	cli_credentials_set_workstation(credentials, "TEST", CRED_SPECIFIED);
	return credentials;
}

static NTSTATUS client_connect_tcp(struct client *client,
				   const struct server *server,
				   const char *options, uint32_t assoc_group_id,
				   struct cli_credentials *credentials,
				   struct dcerpc_pipe **ret_pipe)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "ncacn_ip_tcp:127.0.0.1[%u%s%s]",
		       (unsigned int)server->port, *options != '\0' ? "," : "",
		       options);
	return client_connect_binding(client, text, assoc_group_id,
				      &ndr_table_even6, credentials, ret_pipe);
}

NTSTATUS client_connect(struct client *client, const struct server *server,
			const char *options, const char *user,
			const char *password, struct dcerpc_pipe **ret_pipe)
{
	return client_connect_tcp(client, server, options, 0,
				  client_credentials(client, user, password),
				  ret_pipe);
}

NTSTATUS client_join(struct client *client, const struct server *server,
		     struct dcerpc_pipe *first, const char *user,
		     struct dcerpc_pipe **ret_pipe)
{
	uint32_t group = dcerpc_binding_get_assoc_group_id(first->binding);

	assert_int_not_equal(group, 0);
	return client_connect_tcp(
		client, server, "ntlm,seal", group,
		client_credentials(client, user, SERVER_PASSWORD), ret_pipe);
}

NTSTATUS client_connect_local(struct client *client,
			      const struct server *server,
			      const struct ndr_interface_table *table,
			      struct dcerpc_pipe **ret_pipe)
{
	return client_connect_binding(
		client, "ncalrpc:[control]", 0, table,
		cli_credentials_init_anon(client->mem_ctx), ret_pipe);
}

NTSTATUS client_close_unknown(struct dcerpc_pipe *pipe)
{
	struct policy_handle handle = {.uuid = {.time_low = 0x12345678}};
	struct even6_EvtRpcClose r = {};

	r.in.handle = &handle;
	r.out.handle = &handle;
	return dcerpc_even6_EvtRpcClose_r(pipe->binding_handle, pipe, &r);
}

/* The object "rpc" in the answer of Status. */
static json_t *client_status_json(struct client *client,
				  const struct server *server)
{
	struct dcerpc_pipe *pipe = NULL;
	struct control_Status r = {};
	const char *json = NULL;
	uint32_t error = 0;
	json_t *root = NULL;
	json_t *rpc = NULL;
	NTSTATUS status;

	status =
		client_connect_local(client, server, &ndr_table_control, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	r.out.json = &json;
	r.out.error = &error;
	status = dcerpc_control_Status_r(pipe->binding_handle, pipe, &r);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(error, EVERR_OK);
	root = json_loads(json, 0, NULL);
	assert_non_null(root);
	rpc = json_incref(json_object_get(root, "rpc"));
	json_decref(root);
	TALLOC_FREE(pipe);
	return rpc;
}

long client_status(struct client *client, const struct server *server,
		   const char *key)
{
	json_t *rpc = client_status_json(client, server);
	json_t *value = json_object_get(rpc, key);
	long result;

	assert_true(json_is_integer(value));
	result = (long)json_integer_value(value);
	json_decref(rpc);
	return result;
}

long client_status_calls(struct client *client, const struct server *server,
			 unsigned int opnum)
{
	json_t *rpc = client_status_json(client, server);
	json_t *value = json_array_get(json_object_get(rpc, "calls"), opnum);
	long result;

	assert_true(json_is_integer(value));
	result = (long)json_integer_value(value);
	json_decref(rpc);
	return result;
}
