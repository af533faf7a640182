/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/session.h"

#include "cli/options.h"
#include "cli/password.h"
#include "collect/control.h"
#include "daemon/config.h"
#include "daemon/manifests.h"
#include "idl/ndr_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_config(struct cli *cli, struct daemon_config **ret_config)
{
	struct daemon_config_errors *errors = NULL;
	everr_t err;
	size_t i;

	err = daemon_config_load_basic(cli, cli->options.config, ret_config,
				       &errors);
	if (err == EVERR_OK) {
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

/* The catalog of the configuration's directory, or of nobody but Evenlog. */
static struct event_catalog *load_catalog(struct cli *cli)
{
	struct daemon_manifests *manifests = NULL;
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err;

	err = daemon_config_load_basic(cli, cli->options.config, &config,
				       &errors);
	if (err == EVERR_OK) {
		err = daemon_manifests_load(cli, config->manifests, NULL,
					    &manifests);
	}
	TALLOC_FREE(errors);
	return err == EVERR_OK ? manifests->catalog : event_catalog_create(cli);
}

struct cli_texts *cli_installed_texts(struct cli *cli)
{
	struct event_catalog *catalog = load_catalog(cli);
	struct cli_texts *texts = NULL;

	if (catalog != NULL) {
		texts = cli_texts_create(cli, cli->ev);
	}
	if (texts == NULL) {
		cli_error("out of memory");
		return NULL;
	}
	cli_texts_set_catalog(texts, catalog);
	return texts;
}

static const char *host_name(TALLOC_CTX *mem_ctx)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
		return "localhost";
	}
	return talloc_strdup(mem_ctx, name);
}

int cli_paths(struct cli *cli, struct cli_paths *ret_paths)
{
	const struct cli_options *o = &cli->options;
	struct cli_paths paths = {
		.control_socket = o->control_socket,
		.store = o->store,
	};
	struct daemon_config *config = NULL;
	int ret;

	/* With both paths named the configuration may be unreadable. */
	if (paths.control_socket == NULL || paths.store == NULL) {
		ret = cli_config(cli, &config);
		if (ret >= 0) {
			return ret;
		}
	}
	if (config != NULL) {
		paths.computer = config->computer;
		paths.manifests = config->manifests;
		if (paths.control_socket == NULL) {
			paths.control_socket = config->rpc.control_socket;
		}
		if (paths.store == NULL) {
			paths.store = config->store.path;
		}
	}
	if (paths.computer == NULL) {
		paths.computer = host_name(cli);
	}
	*ret_paths = paths;
	return -1;
}

int cli_local_only(struct cli *cli)
{
	if (cli->options.remote == NULL) {
		return -1;
	}
	return cli_usage(cli, "%s works on this host only, without --remote",
			 cli->verb->name);
}

int cli_parse_local(struct cli *cli, struct poptOption *table, int min_args,
		    int max_args, const char ***ret_args)
{
	int ret;

	ret = cli_parse(cli, table, min_args, max_args, ret_args);
	if (ret < 0) {
		ret = cli_local_only(cli);
	}
	if (ret < 0) {
		ret = cli_no_xml(cli);
	}
	return ret;
}

static int local_target(struct cli *cli, struct collect_target *target)
{
	struct cli_paths paths;
	int ret;

	if (cli->options.control_socket != NULL) {
		target->socket = cli->options.control_socket;
		return -1;
	}
	ret = cli_paths(cli, &paths);
	if (ret >= 0) {
		return ret;
	}
	target->socket = paths.control_socket;
	return -1;
}

static int remote_user(struct cli *cli, struct collect_target *target)
{
	const struct cli_options *o = &cli->options;
	const char *domain = NULL;
	char *password = NULL;
	char *prompt = NULL;
	everr_t err;

	if (o->user == NULL) {
		return cli_usage(cli, "--remote needs --user, or --kerberos");
	}
	err = cli_parse_user(cli, o->user, &domain, &target->user);
	if (err != EVERR_OK) {
		return cli_usage(cli,
				 "--user is USER or DOMAIN\\USER, not"
				 " \"%s\"",
				 o->user);
	}
	if (domain != NULL && o->domain != NULL) {
		return cli_usage(cli, "the domain is named twice, in --user"
				      " and --domain");
	}
	target->domain = o->domain != NULL ? o->domain : domain;

	prompt = talloc_asprintf(cli, "Password of %s on %s: ", o->user,
				 target->host);
	if (prompt == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	err = cli_password(cli, o->password_file, prompt, &password);
	if (err != EVERR_OK) {
		return CLI_FAILED;
	}
	target->password = password;
	return -1;
}

int cli_target(struct cli *cli, struct collect_target *ret_target)
{
	const struct cli_options *o = &cli->options;
	struct collect_target target = {.socket = NULL};
	everr_t err;
	int ret;

	if (o->remote == NULL) {
		ret = local_target(cli, &target);
		if (ret < 0) {
			*ret_target = target;
		}
		return ret;
	}

	err = cli_parse_remote(cli, o->remote, &target.host, &target.port);
	if (err != EVERR_OK) {
		return cli_usage(cli,
				 "--remote is HOST or HOST:PORT, not"
				 " \"%s\"",
				 o->remote);
	}
	target.mapper_port = (uint16_t)o->mapper_port;
	target.kerberos = o->kerberos != 0;
	if (!target.kerberos) {
		ret = remote_user(cli, &target);
		if (ret >= 0) {
			return ret;
		}
	}
	*ret_target = target;
	return -1;
}

bool cli_wait(struct cli *cli, struct tevent_req *req)
{
	if (req == NULL) {
		cli_error("out of memory");
		return false;
	}
	if (!tevent_req_poll(req, cli->ev)) {
		cli_error("the event loop failed: %s", strerror(errno));
		return false;
	}
	return true;
}

int cli_connect(struct cli *cli, const struct ndr_interface_table *table,
		struct collect_connection **ret_connection)
{
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_target target;
	struct tevent_req *req = NULL;
	everr_t err;
	int ret;

	ret = cli_target(cli, &target);
	if (ret >= 0) {
		return ret;
	}
	req = collect_connect_send(cli, cli->ev, &target, table);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_connect_recv(req, cli, ret_connection, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s", failure.text);
		return CLI_FAILED;
	}
	return -1;
}

void cli_report_channels(const struct collect_cursor *cursor)
{
	char text[200];
	size_t i;

	for (i = 0; i < cursor->num_channels; i++) {
		const struct collect_channel *channel = &cursor->channels[i];

		if (channel->status != 0) {
			cli_error("%s is left out: %s", channel->name,
				  collect_win32_text(channel->status, text,
						     sizeof(text)));
		}
	}
}

int cli_reload(struct cli *cli, const char *what)
{
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	struct cli_paths paths;
	everr_t err;
	int ret;

	ret = cli_paths(cli, &paths);
	if (ret >= 0) {
		return ret;
	}
	if (access(paths.control_socket, F_OK) != 0 && errno == ENOENT) {
		cli_note("the service is not running: it takes them over when "
			 "it starts");
		return -1;
	}
	ret = cli_connect(cli, &ndr_table_control, &connection);
	if (ret < 0) {
		req = collect_reload_send(cli, cli->ev, connection);
		if (!cli_wait(cli, req)) {
			return CLI_FAILED;
		}
		err = collect_reload_recv(req, &failure);
		TALLOC_FREE(req);
		if (err == EVERR_OK) {
			return -1;
		}
		cli_error("%s; the service's log says more", failure.text);
	}
	cli_note("%s, but the service does not know yet: reload it", what);
	return CLI_FAILED;
}
