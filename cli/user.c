/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * user: the accounts of the private Samba configuration.  They live in the
 * service's state directory, so the work on them is done as the owner of that
 * directory: what is made there can be read by the service, and root's rights
 * are gone before Samba's code opens a file.
 */

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/password.h"
#include "cli/session.h"
#include "daemon/config.h"
#include "rpc/passdb.h"
#include "rpc/smb_conf.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux account names, useradd(8). */
#define USER_NAME_MAX 32

/* --------------------------------------------------------- Unix account */

static bool is_user_name(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (len == 0 || len > USER_NAME_MAX ||
	    (!islower((unsigned char)name[0]) && name[0] != '_')) {
		return false;
	}
	for (i = 1; i < len; i++) {
		if (!islower((unsigned char)name[i]) &&
		    !isdigit((unsigned char)name[i]) && name[i] != '_' &&
		    name[i] != '-') {
			return false;
		}
	}
	return true;
}

static int run_useradd(const char *name)
{
	const char *argv[] = {"useradd",
			      "--system",
			      "--no-create-home",
			      "--home-dir",
			      "/nonexistent",
			      "--shell",
			      "/usr/sbin/nologin",
			      "--comment",
			      "Evenlog reader",
			      name,
			      NULL};
	char *const envp[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
			      NULL};
	int status = 0;
	pid_t pid = 0;
	int ret;

	ret = posix_spawn(&pid, "/usr/sbin/useradd", NULL, NULL,
			  (char *const *)argv, envp);
	if (ret != 0) {
		cli_error("cannot run useradd: %s", strerror(ret));
		return CLI_FAILED;
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		cli_error("useradd could not make the account %s", name);
		return CLI_FAILED;
	}
	return -1;
}

static int ensure_unix_user(const char *name, bool create)
{
	errno = 0;
	if (getpwnam(name) != NULL) {
		return -1;
	}
	if (errno != 0 && errno != ENOENT) {
		cli_error("cannot look up the user %s: %s", name,
			  strerror(errno));
		return CLI_FAILED;
	}
	if (!create) {
		cli_error("there is no Unix user %s, which the account needs;"
			  " --create makes one that cannot log in",
			  name);
		return CLI_FAILED;
	}
	return run_useradd(name);
}

/* --------------------------------------------------------- the database */

/* The nearest directory at or above path that exists. */
static bool existing_owner(const char *path, struct stat *ret_st)
{
	char *above = talloc_strdup(NULL, path);
	bool found = false;

	while (above != NULL && !found) {
		char *slash = NULL;

		found = stat(above, ret_st) == 0;
		slash = strrchr(above, '/');
		if (found || slash == NULL || above[1] == '\0') {
			break;
		}
		slash[slash == above ? 1 : 0] = '\0';
	}
	TALLOC_FREE(above);
	return found;
}

static int become_owner(const char *dir)
{
	struct stat st;

	if (!existing_owner(dir, &st)) {
		cli_error("cannot find the owner of %s: %s", dir,
			  strerror(errno));
		return CLI_FAILED;
	}
	if (st.st_uid == geteuid()) {
		return -1;
	}
	if (geteuid() != 0) {
		cli_error("only root and the owner of %s may manage accounts",
			  dir);
		return CLI_FAILED;
	}
	if (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 ||
	    setuid(st.st_uid) != 0) {
		cli_error("cannot become the owner of %s: %s", dir,
			  strerror(errno));
		return CLI_FAILED;
	}
	return -1;
}

static int passdb_failed(const char *message, everr_t err)
{
	cli_error("%s", message != NULL ? message : everr_text(err));
	return CLI_FAILED;
}

/* From the configuration to an open database, as its owner. */
static int open_database(struct cli *cli, struct daemon_config *config)
{
	struct rpc_smb_conf options = {};
	const char *smb_conf = NULL;
	char *message = NULL;
	everr_t err;
	int ret;

	smb_conf = daemon_config_smb_conf(cli, config, &options);
	if (smb_conf == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (options.dir == NULL) {
		cli_error("the service uses the accounts of this host's Samba"
			  " (%s); manage them there",
			  smb_conf);
		return CLI_FAILED;
	}
	ret = become_owner(config->samba_state);
	if (ret >= 0) {
		return ret;
	}
	err = rpc_smb_conf_write(cli, &options, &message);
	if (err == EVERR_OK) {
		err = rpc_passdb_open(cli, smb_conf, &message);
	}
	return err == EVERR_OK ? -1 : passdb_failed(message, err);
}

/* ----------------------------------------------------------------- verbs */

static int ask_password(struct cli *cli, const char *name,
			const char *password_file, char **ret_password)
{
	char *password = NULL;
	char *again = NULL;
	char *prompt = NULL;
	everr_t err;

	prompt = talloc_asprintf(cli, "New password of %s: ", name);
	if (prompt == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	err = cli_password(cli, password_file, prompt, &password);
	if (err != EVERR_OK) {
		return CLI_FAILED;
	}
	if (cli_password_is_typed(password_file)) {
		err = cli_password(cli, NULL, "The same again: ", &again);
		if (err != EVERR_OK) {
			return CLI_FAILED;
		}
		if (strcmp(password, again) != 0) {
			cli_error("the passwords differ; nothing was changed");
			return CLI_FAILED;
		}
	}
	if (password[0] == '\0') {
		cli_error("an empty password lets nobody in");
		return CLI_FAILED;
	}
	*ret_password = password;
	return -1;
}

static int user_add(struct cli *cli, struct daemon_config *config,
		    const char *name, bool create)
{
	char *password = NULL;
	char *message = NULL;
	everr_t err;
	int ret;

	if (!is_user_name(name)) {
		cli_error("\"%s\" cannot be a user's name", name);
		return CLI_FAILED;
	}
	ret = ask_password(cli, name, cli->options.password_file, &password);
	if (ret < 0) {
		ret = ensure_unix_user(name, create);
	}
	if (ret < 0) {
		ret = open_database(cli, config);
	}
	if (ret >= 0) {
		return ret;
	}
	err = rpc_passdb_add(cli, name, password, &message);
	if (err != EVERR_OK) {
		return passdb_failed(message, err);
	}
	cli_note("%s may log on now", name);
	return CLI_OK;
}

static int user_remove(struct cli *cli, struct daemon_config *config,
		       const char *name)
{
	char *message = NULL;
	everr_t err;
	int ret;

	ret = open_database(cli, config);
	if (ret >= 0) {
		return ret;
	}
	err = rpc_passdb_remove(cli, name, &message);
	if (err != EVERR_OK) {
		return passdb_failed(message, err);
	}
	cli_note("%s may no longer log on; its Unix account is still there",
		 name);
	return CLI_OK;
}

static int user_list(struct cli *cli, struct daemon_config *config)
{
	const char *const *users = NULL;
	char *message = NULL;
	size_t num = 0;
	everr_t err;
	size_t i;
	int ret;

	ret = open_database(cli, config);
	if (ret >= 0) {
		return ret;
	}
	err = rpc_passdb_list(cli, &users, &num, &message);
	if (err != EVERR_OK) {
		return passdb_failed(message, err);
	}
	for (i = 0; i < num; i++) {
		if (cli->options.format == CLI_FORMAT_JSON) {
			cli_print_json(json_pack("{s:s}", "User", users[i]));
		} else {
			printf("%s\n", users[i]);
		}
	}
	return CLI_OK;
}

static int run_verb(struct cli *cli, const char **args, bool create)
{
	struct daemon_config *config = NULL;
	const char *verb = args[0];
	int ret;

	if (strcmp(verb, "list") != 0 && strcmp(verb, "add") != 0 &&
	    strcmp(verb, "remove") != 0) {
		return cli_usage(cli,
				 "user is add, list or remove, not"
				 " \"%s\"",
				 verb);
	}
	if ((args[1] == NULL) != (strcmp(verb, "list") == 0)) {
		return cli_usage(cli,
				 args[1] == NULL ? "user %s needs a NAME"
						 : "user %s takes no NAME",
				 verb);
	}
	ret = cli_config(cli, &config);
	if (ret >= 0) {
		return ret;
	}
	if (strcmp(verb, "add") == 0) {
		return user_add(cli, config, args[1], create);
	}
	if (strcmp(verb, "remove") == 0) {
		return user_remove(cli, config, args[1]);
	}
	return user_list(cli, config);
}

static int cli_user(struct cli *cli)
{
	int create = 0;
	struct poptOption table[] = {
		{"create", 0, POPT_ARG_NONE, &create, 0,
		 "Make the Unix user, too, without a login", NULL},
		POPT_TABLEEND,
	};
	const char **args = NULL;
	int ret;

	ret = cli_parse_local(cli, table, 1, 2, &args);
	if (ret >= 0) {
		return ret;
	}
	return run_verb(cli, args, create != 0);
}

static const char user_description[] =
	"For root. An account here belongs to a Unix user of the same name;\n"
	"--create makes one that cannot log in. What an account may read is\n"
	"the configuration's matter (readers, administrators).\n"
	"\n"
	"  evenlog user add reader --create\n"
	"  evenlog user list\n"
	"  evenlog user remove reader\n";

const struct cli_verb cli_verb_user = {
	.name = "user",
	.arguments = "add|list|remove [NAME]",
	.summary = "Manage the accounts that may log on over the network",
	.description = user_description,
	.run = cli_user,
	.local = true,
	.takes_password = true,
};
