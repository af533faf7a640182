/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_CLI_H
#define EVENLOG_CLI_CLI_H

/*
 * evenlog, the command a person types: what its verbs share.
 *
 * A verb is one function in the file of its family.  It reads its options with
 * cli_parse(), does its work on cli->ev and returns the exit status.  Results
 * go to stdout, everything said about them to stderr.
 */

#include "base/everr.h"

#include <popt.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* what was asked did not happen, or not all of it */
	CLI_USAGE = 2	/* the command line is wrong; nothing was done */
};

enum cli_format {
	CLI_FORMAT_TEXT,
	CLI_FORMAT_XML,
	CLI_FORMAT_JSON
};

enum cli_color {
	CLI_COLOR_AUTO,
	CLI_COLOR_NEVER,
	CLI_COLOR_ALWAYS
};

/* The options every verb takes; strings are talloc children of cli. */
struct cli_options {
	char *config;
	char *control_socket;
	char *store;
	char *remote;
	char *user;
	char *domain;
	char *password_file;
	int kerberos;
	int mapper_port;
	char *format_name;
	char *color_name;
	int utc;
	int debug;
	int help;
	int version;

	/* What the names above stand for. */
	enum cli_format format;
	enum cli_color color;
};

struct cli {
	struct tevent_context *ev;
	struct cli_options options;
	const struct cli_verb *verb;
	const char **argv; /* what follows the verb */
};

/* Every verb's entry stands below its function. */
struct cli_verb {
	const char *name;
	const char *aliases;	 /* wevtutil's names, separated by blanks */
	const char *arguments;	 /* "CHANNEL", for the usage line */
	const char *summary;	 /* one line of evenlog --help */
	const char *description; /* below the options of VERB --help */
	int (*run)(struct cli *cli);
	bool local;	     /* works on this host only */
	bool takes_password; /* --password-file, although it is local */
	bool logs_on;	     /* to a host of its arguments, without --remote */
};

/* All verbs, in the order of --help, ended by NULL. */
extern const struct cli_verb *const cli_verbs[];

/* "evenlog: ..." on stderr; a line feed is added.  Control characters in the
 * text are shown, never sent. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same without the program's name, for progress and notes. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Each line of what the service says, made fit for a terminal. */
void cli_note_lines(const char *text);
/* A mistake on the command line; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

extern const struct cli_verb cli_verb_list;
extern const struct cli_verb cli_verb_query;
extern const struct cli_verb cli_verb_subscribe;
extern const struct cli_verb cli_verb_publish;
extern const struct cli_verb cli_verb_import;
extern const struct cli_verb cli_verb_log_info;
extern const struct cli_verb cli_verb_get_log;
extern const struct cli_verb cli_verb_set_log;
extern const struct cli_verb cli_verb_publishers;
extern const struct cli_verb cli_verb_publisher;
extern const struct cli_verb cli_verb_export;
extern const struct cli_verb cli_verb_clear;
extern const struct cli_verb cli_verb_forward;
extern const struct cli_verb cli_verb_quarantine;
extern const struct cli_verb cli_verb_collect;
extern const struct cli_verb cli_verb_status;
extern const struct cli_verb cli_verb_verify;
extern const struct cli_verb cli_verb_user;
extern const struct cli_verb cli_verb_install_manifest;
extern const struct cli_verb cli_verb_uninstall_manifest;
extern const struct cli_verb cli_verb_wsus;

#endif
