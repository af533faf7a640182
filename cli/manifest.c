/* SPDX-License-Identifier: GPL-3.0-or-later */

/* install-manifest and uninstall-manifest: the service's publishers. */

#include "cli/cli.h"

#include "base/file.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/show.h"
#include "daemon/config.h"
#include "daemon/manifests.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever runs the service may read what root put there. */
#define MANIFEST_MODE 0644
#define DIRECTORY_MODE 0755

/* A file of the command line. */
struct file {
	const char *path;
	const char *name; /* that it has in the directory */
	uint8_t *data;
	size_t len;
	const struct event_manifest *manifest;
};

struct install {
	struct cli *cli;
	const char *dir;
	struct daemon_manifests *others; /* that are installed and stay */
	struct file *files;
	const char *const *names; /* ended by NULL */
	size_t num_files;
};

static int out_of_memory(void)
{
	cli_error("out of memory");
	return CLI_FAILED;
}

/* What went wrong, in words where there are some.  Exit status. */
static int failed(const char *message, everr_t err)
{
	cli_error("%s", message != NULL ? message : everr_text(err));
	return CLI_FAILED;
}

/* ------------------------------------------------------------- showing */

static json_t *channel_json(const struct event_manifest_channel *channel)
{
	static const char *const types[] = {"Admin", "Operational", "Analytic",
					    "Debug"};

	if (channel->imported) {
		return json_pack("{s:s, s:s}", "Name", channel->name, "Type",
				 "imported");
	}
	return json_pack("{s:s, s:s, s:b}", "Name", channel->name, "Type",
			 types[channel->type & 3], "Enabled",
			 (int)channel->enabled);
}

static json_t *publisher_json(const struct event_publisher *publisher)
{
	json_t *channels = json_array();
	json_t *cultures = json_array();
	char guid[EV_GUID_TEXT_SIZE];
	size_t i;

	for (i = 0; i < publisher->num_channels; i++) {
		json_array_append_new(channels,
				      channel_json(&publisher->channels[i]));
	}
	for (i = 0; i < publisher->num_strings; i++) {
		json_array_append_new(
			cultures, json_string(publisher->strings[i].culture));
	}
	ev_guid_format(&publisher->guid, guid);
	return json_pack("{s:s, s:s, s:I, s:o, s:o}", "Publisher",
			 publisher->name, "Guid", guid, "Events",
			 (json_int_t)publisher->num_events, "Cultures",
			 cultures, "Channels", channels);
}

static int show_publisher(const struct cli *cli,
			  const struct event_publisher *publisher)
{
	json_t *object = publisher_json(publisher);
	everr_t err = EVERR_OK;

	if (object == NULL) {
		return out_of_memory();
	}
	if (cli->options.format == CLI_FORMAT_JSON) {
		err = cli_show_json(object);
	} else if (cli->options.format == CLI_FORMAT_XML) {
		err = cli_show_xml("publisher", object);
	} else {
		cli_show(object);
	}
	json_decref(object);
	return err == EVERR_OK ? -1 : CLI_FAILED;
}

static int show_manifest(const struct cli *cli,
			 const struct event_manifest *manifest)
{
	int ret = -1;
	size_t i;

	for (i = 0; i < manifest->num_publishers && ret < 0; i++) {
		ret = show_publisher(cli, &manifest->publishers[i]);
	}
	return ret;
}

/* ------------------------------------------------------------ installing */

/* The name in the directory: the file's own, ending in ".man". */
static const char *installed_name(TALLOC_CTX *mem_ctx, const char *path)
{
	const char *suffix = DAEMON_MANIFEST_SUFFIX;
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);

	if (len > strlen(suffix) &&
	    strcasecmp(name + len - strlen(suffix), suffix) == 0) {
		len -= strlen(suffix);
	}
	return talloc_asprintf(mem_ctx, "%.*s%s", (int)len, name, suffix);
}

static int name_files(struct install *install, const char **paths)
{
	const char **names = NULL;
	size_t i, j;

	while (paths[install->num_files] != NULL) {
		install->num_files++;
	}
	install->files = talloc_zero_array(install->cli, struct file,
					   install->num_files);
	names = talloc_zero_array(install->cli, const char *,
				  install->num_files + 1);
	if (install->files == NULL || names == NULL) {
		return out_of_memory();
	}
	for (i = 0; i < install->num_files; i++) {
		const char *name = installed_name(install->cli, paths[i]);

		if (name == NULL) {
			return out_of_memory();
		}
		if (!daemon_manifest_name_valid(name)) {
			return cli_usage(install->cli,
					 "%s: the name of a manifest has at "
					 "most %d bytes and does not begin "
					 "with a dot",
					 paths[i], DAEMON_MANIFEST_NAME_MAX);
		}
		for (j = 0; j < i; j++) {
			if (strcmp(names[j], name) == 0) {
				return cli_usage(install->cli,
						 "%s and %s have the same name",
						 paths[j], paths[i]);
			}
		}
		names[i] = name;
		install->files[i].name = name;
		install->files[i].path = paths[i];
	}
	install->names = names;
	return -1;
}

/* What is in the directory, and will stay. */
static int load_others(struct install *install)
{
	everr_t err;
	size_t i;

	err = daemon_manifests_load(install->cli, install->dir, install->names,
				    &install->others);
	if (err != EVERR_OK) {
		return failed(NULL, err);
	}
	for (i = 0; i < install->others->num_problems; i++) {
		cli_note("%s", install->others->problems[i]);
	}
	return -1;
}

static int check_file(struct install *install, struct file *file)
{
	struct event_manifest *manifest = NULL;
	char *message = NULL;
	everr_t err;

	err = daemon_manifest_read(install->cli, install->others, file->path,
				   &file->data, &file->len, &message);
	if (err == EVERR_OK) {
		err = daemon_manifest_parse(install->cli, file->path,
					    file->data, file->len, &manifest,
					    &message);
	}
	if (err == EVERR_OK) {
		err = daemon_manifest_add(install->cli,
					  install->others->catalog, manifest,
					  &message);
	}
	if (err != EVERR_OK) {
		return failed(message, err);
	}
	file->manifest = manifest;
	return -1;
}

/* The whole file under its name, or what was there before. */
static bool write_file(const struct file *file, const char *path,
		       char *temporary)
{
	int fd = mkostemp(temporary, O_CLOEXEC);
	bool written;
	int err;

	if (fd < 0) {
		return false;
	}
	written = file_write_all(fd, file->data, file->len) &&
		  fchmod(fd, MANIFEST_MODE) == 0 && fsync(fd) == 0;
	err = errno;
	close(fd);
	if (written && rename(temporary, path) == 0) {
		return true;
	}
	err = written ? errno : err;
	unlink(temporary);
	errno = err;
	return false;
}

static int store_file(struct install *install, const struct file *file)
{
	char *path = NULL;
	char *temporary = NULL;

	path = talloc_asprintf(install->cli, "%s/%s", install->dir, file->name);
	temporary = talloc_asprintf(install->cli, "%s/.%s.XXXXXX", install->dir,
				    file->name);
	if (path == NULL || temporary == NULL) {
		return out_of_memory();
	}
	if (!write_file(file, path, temporary)) {
		cli_error("%s cannot be written: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	return -1;
}

static int store_files(struct install *install)
{
	int ret = -1;
	size_t i;

	if (mkdir(install->dir, DIRECTORY_MODE) != 0 && errno != EEXIST) {
		cli_error("%s cannot be made: %s", install->dir,
			  strerror(errno));
		return CLI_FAILED;
	}
	for (i = 0; i < install->num_files && ret < 0; i++) {
		ret = store_file(install, &install->files[i]);
	}
	if (ret < 0 && !file_sync_directory(install->dir)) {
		cli_error("%s: %s", install->dir, strerror(errno));
		return CLI_FAILED;
	}
	return ret;
}

static int manifest_directory(struct cli *cli, const char **ret_dir)
{
	struct daemon_config *config = NULL;
	int ret;

	ret = cli_local_only(cli);
	if (ret < 0) {
		ret = cli_config(cli, &config);
	}
	if (ret < 0) {
		*ret_dir = config->manifests;
	}
	return ret;
}

static int install_run(struct install *install, const char **paths, bool check)
{
	int ret;
	size_t i;

	ret = name_files(install, paths);
	if (ret < 0) {
		ret = manifest_directory(install->cli, &install->dir);
	}
	if (ret < 0) {
		ret = load_others(install);
	}
	for (i = 0; i < install->num_files && ret < 0; i++) {
		ret = check_file(install, &install->files[i]);
	}
	if (ret < 0 && !check) {
		ret = store_files(install);
	}
	for (i = 0; i < install->num_files && ret < 0; i++) {
		ret = show_manifest(install->cli, install->files[i].manifest);
	}
	if (ret < 0 && !check) {
		ret = cli_reload(install->cli, "the manifests are installed");
	}
	return ret < 0 ? CLI_OK : ret;
}

static int cli_install_manifest(struct cli *cli)
{
	int check = 0;
	struct poptOption table[] = {
		{"check", 0, POPT_ARG_NONE, &check, 0,
		 "Say what is wrong with the files; install nothing", NULL},
		POPT_TABLEEND};
	struct install install = {.cli = cli};
	const char **args = NULL;
	int ret;

	ret = cli_parse(cli, table, 1, -1, &args);
	if (ret >= 0) {
		return ret;
	}
	return install_run(&install, args, check != 0);
}

static const char install_description[] =
	"Checks the manifests, copies them to the service's directory of\n"
	"manifests, replacing files of the same name, and has the service "
	"read\n"
	"it. Nothing is installed unless all of them are right.\n";

const struct cli_verb cli_verb_install_manifest = {
	.name = "install-manifest",
	.aliases = "im",
	.arguments = "FILE...",
	.summary = "Make publishers and their events known to the service",
	.description = install_description,
	.run = cli_install_manifest,
	.local = true,
};

/* ---------------------------------------------------------- uninstalling */

/* The file of that name in the directory; *ret_path NULL: there is none. */
static int find_file(struct cli *cli, const char *dir, const char *what,
		     const char **ret_path)
{
	const char *name = installed_name(cli, what);
	const char *path = NULL;

	if (name == NULL) {
		return out_of_memory();
	}
	if (!daemon_manifest_name_valid(name)) {
		return -1;
	}
	path = talloc_asprintf(cli, "%s/%s", dir, name);
	if (path == NULL) {
		return out_of_memory();
	}
	if (access(path, F_OK) == 0) {
		*ret_path = path;
	}
	return -1;
}

/* The file that describes a publisher; likewise. */
static int find_publisher(struct install *install, const char *what,
			  const char **ret_path)
{
	const struct event_publisher *publisher = NULL;
	const char *file = NULL;
	int ret;

	ret = load_others(install);
	if (ret >= 0) {
		return ret;
	}
	publisher = event_catalog_find(install->others->catalog, what);
	if (publisher == NULL) {
		return -1;
	}
	file = event_catalog_file(install->others->catalog, publisher);
	if (strchr(file, '/') == NULL) {
		cli_error("the publisher %s is the service's own",
			  publisher->name);
		return CLI_FAILED;
	}
	*ret_path = file;
	return -1;
}

static int remove_file(const char *dir, const char *path)
{
	if (unlink(path) != 0) {
		cli_error("%s cannot be removed: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	if (!file_sync_directory(dir)) {
		cli_error("%s: %s", dir, strerror(errno));
		return CLI_FAILED;
	}
	cli_note("%s is removed", path);
	return -1;
}

static int cli_uninstall_manifest(struct cli *cli)
{
	struct poptOption table[] = {POPT_TABLEEND};
	struct install install = {.cli = cli};
	const char **args = NULL;
	const char *path = NULL;
	int ret;

	ret = cli_parse(cli, table, 1, 1, &args);
	if (ret < 0) {
		ret = manifest_directory(cli, &install.dir);
	}
	if (ret < 0) {
		ret = find_publisher(&install, args[0], &path);
	}
	if (ret < 0 && path == NULL) {
		ret = find_file(cli, install.dir, args[0], &path);
	}
	if (ret < 0 && path == NULL) {
		cli_error("%s is neither a manifest in %s nor a publisher "
			  "that one of them describes",
			  args[0], install.dir);
		ret = CLI_FAILED;
	}
	if (ret < 0) {
		ret = remove_file(install.dir, path);
	}
	if (ret < 0) {
		ret = cli_reload(cli, "the manifest is removed");
	}
	return ret < 0 ? CLI_OK : ret;
}

static const char uninstall_description[] =
	"FILE is a manifest by its name; PUBLISHER one that it describes.\n"
	"Channels that it defined stay, with their events.\n";

const struct cli_verb cli_verb_uninstall_manifest = {
	.name = "uninstall-manifest",
	.aliases = "um",
	.arguments = "FILE|PUBLISHER",
	.summary = "Take a manifest from the service",
	.description = uninstall_description,
	.run = cli_uninstall_manifest,
	.local = true,
};
