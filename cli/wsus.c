/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wsus: the catalogue of updates that the WSUS server offers. */

#include "base/wintime.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/show.h"
#include "cli/terminal.h"
#include "daemon/config.h"
#include "soap/wsus_import.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct wsus_verb {
	struct cli *cli;
	char *directory; /* option; else the configuration's */
	int check;
};

static int find_directory(struct wsus_verb *verb, const char **ret_directory)
{
	struct daemon_config *config = NULL;
	int ret;

	if (verb->directory != NULL) {
		*ret_directory = verb->directory;
		return -1;
	}
	ret = cli_config(verb->cli, &config);
	if (ret < 0) {
		*ret_directory = config->soap.wsus.catalogue;
	}
	return ret;
}

/* ------------------------------------------------------------------- import */

static void say_problems(const struct wsus_problems *problems)
{
	size_t i;

	for (i = 0; i < problems->num; i++) {
		cli_error("%s", problems->messages[i]);
	}
	if (problems->num_more > 0) {
		cli_note("and %zu more", problems->num_more);
	}
}

static json_t *result_json(const struct wsus_import *result)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "Updates",
			 (json_int_t)result->updates, "Added",
			 (json_int_t)result->added, "Changed",
			 (json_int_t)result->changed, "Removed",
			 (json_int_t)result->removed, "Deployments",
			 (json_int_t)result->deployments, "Created",
			 (json_int_t)result->created, "Deleted",
			 (json_int_t)result->deleted);
}

static int show(const struct cli *cli, const char *name, json_t *object)
{
	everr_t err = EVERR_OK;

	if (object == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (cli->options.format == CLI_FORMAT_JSON) {
		err = cli_show_json(object);
	} else if (cli->options.format == CLI_FORMAT_XML) {
		err = cli_show_xml(name, object);
	} else {
		cli_show(object);
	}
	json_decref(object);
	return err == EVERR_OK ? -1 : CLI_FAILED;
}

static int import(struct wsus_verb *verb, const char *source)
{
	struct wsus_problems *problems = NULL;
	struct wsus_import result = {};
	const char *directory = NULL;
	everr_t err;
	int ret;

	ret = find_directory(verb, &directory);
	if (ret >= 0) {
		return ret;
	}
	err = wsus_import(verb->cli, source, directory, verb->check != 0,
			  wintime_now(), &result, &problems);
	if (problems != NULL) {
		say_problems(problems);
	}
	if (err != EVERR_OK) {
		cli_note("nothing was imported%s%s",
			 problems == NULL ? ": " : "",
			 problems == NULL ? everr_text(err) : "");
		return CLI_FAILED;
	}
	ret = show(verb->cli, "import", result_json(&result));
	if (ret < 0 && result.written) {
		ret = cli_reload(verb->cli, "the updates are imported");
	}
	return ret < 0 ? CLI_OK : ret;
}

/* --------------------------------------------------------------------- list */

static json_t *guid_json(const struct ev_guid *guid)
{
	char text[EV_GUID_TEXT_SIZE];

	ev_guid_format(guid, text);
	return json_stringn(text + 1, strlen(text) - 2);
}

static json_t *time_json(uint64_t time)
{
	char text[WINTIME_TEXT_MAX];

	wintime_format(time, text);
	return json_string(text);
}

static json_t *updates_json(const struct wsus_catalogue *catalogue)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < catalogue->num_updates; i++) {
		const struct wsus_update *update = &catalogue->updates[i];

		json_array_append_new(
			array, json_pack("{s:o, s:i, s:s, s:s}", "Id",
					 guid_json(&update->id), "Revision",
					 (int)update->revision, "Kind",
					 wsus_kind_names[update->kind], "Title",
					 update->title));
	}
	return array;
}

static json_t *groups_json(const struct wsus_catalogue *catalogue)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < catalogue->num_groups; i++) {
		const struct wsus_group *group = &catalogue->groups[i];

		json_array_append_new(array,
				      json_pack("{s:o, s:s, s:b}", "Id",
						guid_json(&group->id), "Name",
						group->name, "BuiltIn",
						(int)group->builtin));
	}
	return array;
}

static json_t *deployments_json(const struct wsus_catalogue *catalogue)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < catalogue->num_deployments; i++) {
		const struct wsus_deployment *d = &catalogue->deployments[i];

		json_array_append_new(
			array, json_pack("{s:o, s:o, s:i, s:s, s:o, s:o}", "Id",
					 guid_json(&d->id), "Update",
					 guid_json(&d->update), "Revision",
					 (int)d->revision, "Action",
					 wsus_action_names[d->action], "Group",
					 guid_json(&d->group), "GoLive",
					 time_json(d->go_live)));
	}
	return array;
}

static json_t *catalogue_json(const struct wsus_catalogue *catalogue)
{
	char changed[WSUS_ANCHOR_TEXT_MAX];

	wsus_anchor_format(&catalogue->changed, changed);
	return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "Changed", changed,
			 "Declined", (json_int_t)catalogue->num_declined,
			 "AcceptedEulas", (json_int_t)catalogue->num_eulas,
			 "Groups", groups_json(catalogue), "Deployments",
			 deployments_json(catalogue), "Updates",
			 updates_json(catalogue));
}

static int list(struct wsus_verb *verb)
{
	struct wsus_catalogue *catalogue = NULL;
	const char *directory = NULL;
	char *message = NULL;
	everr_t err;
	int ret;

	ret = find_directory(verb, &directory);
	if (ret >= 0) {
		return ret;
	}
	err = wsus_catalogue_load(verb->cli, directory, &catalogue, &message);
	if (err != EVERR_OK) {
		cli_error("%s", message != NULL ? message : everr_text(err));
		return CLI_FAILED;
	}
	ret = show(verb->cli, "catalogue", catalogue_json(catalogue));
	TALLOC_FREE(catalogue);
	return ret < 0 ? CLI_OK : ret;
}

/* --------------------------------------------------------------------- verb */

static int cli_wsus(struct cli *cli)
{
	struct wsus_verb verb = {.cli = cli};
	struct poptOption table[] = {
		{"check", 0, POPT_ARG_NONE, &verb.check, 0,
		 "import: say what is wrong; import nothing", NULL},
		{"directory", 0, POPT_ARG_STRING, &verb.directory, 0,
		 "The service's catalogue, instead of the configuration's",
		 "DIR"},
		POPT_TABLEEND,
	};
	const char **args = NULL;
	int ret;

	ret = cli_parse(cli, table, 1, 2, &args);
	if (ret < 0) {
		ret = cli_local_only(cli);
	}
	if (ret >= 0) {
		return ret;
	}
	if (strcmp(args[0], "import") == 0 && args[1] != NULL) {
		return import(&verb, args[1]);
	}
	if (strcmp(args[0], "list") == 0 && args[1] == NULL) {
		if (verb.check != 0) {
			return cli_usage(cli, "wsus list takes no --check");
		}
		return list(&verb);
	}
	return cli_usage(cli, "wsus is 'import DIR' or 'list'");
}

static const char wsus_description[] =
	"The catalogue of updates that the WSUS server offers to downstream\n"
	"servers. import takes a directory of metadata, one update in each\n"
	"*.xml, with target groups and deployments in catalogue.json, and\n"
	"puts it in the place of what was there; nothing is changed when\n"
	"anything in it is wrong. list shows the catalogue.\n"
	"\n"
	"  evenlog wsus import /srv/updates --check\n"
	"  evenlog wsus import /srv/updates\n"
	"  evenlog wsus list --format=json\n";

const struct cli_verb cli_verb_wsus = {
	.name = "wsus",
	.arguments = "import DIR|list",
	.summary = "The updates that the WSUS server offers",
	.description = wsus_description,
	.run = cli_wsus,
	.local = true,
};
