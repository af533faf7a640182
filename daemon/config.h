/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_DAEMON_CONFIG_H
#define EVENLOG_DAEMON_CONFIG_H

/*
 * evenlog.conf: an INI file with a typed schema, and a directory of files with
 * further hosts to collect from and outputs to forward to.  Every key has a type, a
 * range and a default; what the file gets wrong is reported with file, line
 * and what is allowed, all of it in one go.  doc/evenlog.conf.5 describes it.
 */

#include "base/everr.h"
#include "collect/config.h"
#include "forward/config.h"
#include "rpc/rpc.h"
#include "rpc/smb_conf.h"
#include "soap/soap.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A larger file is refused. */
#define DAEMON_CONFIG_MAX (1024 * 1024)
/* Mistakes reported of all files, and about so many bytes of each. */
#define DAEMON_CONFIG_ERRORS_MAX 50
#define DAEMON_CONFIG_MESSAGE_MAX 1000

enum daemon_log_level {
	DAEMON_LOG_ERROR,
	DAEMON_LOG_WARNING,
	DAEMON_LOG_INFO,
	DAEMON_LOG_DEBUG
};

/* Which Samba configuration authentication uses. */
enum daemon_samba_mode {
	/* As a member when this host is one, else private. */
	DAEMON_SAMBA_AUTO,
	/* Files of our own; with users of our own, or in the host's domain. */
	DAEMON_SAMBA_PRIVATE,
	DAEMON_SAMBA_MEMBER,
	/* All of it the host's, whose files the service must be able to use. */
	DAEMON_SAMBA_SYSTEM
};

/* What the file says of a channel itself, beside defaults. */
enum daemon_channel_key {
	DAEMON_CHANNEL_ENABLED = 0x1,
	DAEMON_CHANNEL_MAX_SIZE = 0x2,
	DAEMON_CHANNEL_MAX_AGE = 0x4,
	DAEMON_CHANNEL_ACCESS = 0x8
};

struct daemon_channel {
	const char *name;
	bool built_in;
	uint32_t keys; /* enum daemon_channel_key */
	struct store_channel_config config;
};

/* The keys that a [listener NAME] must have. */
enum daemon_listener_key {
	DAEMON_LISTENER_SERVE = 0x1,
	DAEMON_LISTENER_PORT = 0x2
};

struct daemon_config {
	const char *file; /* where it came from, or NULL: defaults */

	/* [evenlog] */
	const char *computer;  /* System/Computer of our own events */
	uint32_t log_level;    /* enum daemon_log_level */
	const char *manifests; /* directory, daemon/manifests.h */

	/* [store] */
	struct store_options store;
	bool synchronous;

	/* [rpc] and [access] */
	struct rpc_config rpc;
	uint16_t rpc_port;
	uint16_t mapper_port;

	/* [authentication] */
	uint32_t samba_mode;	 /* enum daemon_samba_mode */
	const char *samba_state; /* directory of the private configuration */
	const char *realm;	 /* Kerberos, with keytab; NULL: none */
	const char *keytab;	 /* NULL for a member: its default */

	/* [wsus], [configmgr], [quarantine] and each [listener NAME] */
	struct soap_config soap;
	struct soap_listener_config *listeners; /* soap's */

	/* [collector], [collect] and each [collect NAME] */
	struct collector_config collect;
	const char *collect_directory; /* further files, *.conf */
	bool collect_directory_read;   /* it is there */

	/* Each [forward NAME] */
	struct forward_config *outputs;
	size_t num_outputs;

	/* Built-in channels first, then [channel NAME] in order. */
	struct daemon_channel *channels;
	size_t num_channels;
};

/* What is wrong, for a person: "evenlog.conf:12: ...". */
struct daemon_config_errors {
	char **messages; /* talloc children of the structure */
	size_t num_messages;
};

/* Where the file is when none is named. */
const char *daemon_config_default_file(void);

/*
 * Load file.  file NULL means the default file, which need not exist: then
 * everything has its default.
 *
 * EVERR_CONFIG  *ret_errors (talloc child of mem_ctx) says what and where
 * EVERR_IO      the file cannot be read; in *ret_errors, too
 * EVERR_NOMEM
 */
everr_t daemon_config_load(TALLOC_CTX *mem_ctx, const char *file,
			   struct daemon_config **ret_config,
			   struct daemon_config_errors **ret_errors)
	EVERR_MUST_CHECK;

/*
 * The same without what is collected and forwarded: those sections are passed
 * over, the directory and the files that they name are not read.  For commands
 * that talk to the service, whose users may not read such files, and which
 * should not fail for a mistake there.
 */
everr_t daemon_config_load_basic(TALLOC_CTX *mem_ctx, const char *file,
				 struct daemon_config **ret_config,
				 struct daemon_config_errors **ret_errors)
	EVERR_MUST_CHECK;

/*
 * The path of the Samba configuration to use: the system's, or one below
 * samba_state.  The latter is written first by whoever uses it, with
 * *ret_options (rpc/smb_conf.h); without dir there is nothing to write.
 * NULL: no memory.
 */
const char *daemon_config_smb_conf(TALLOC_CTX *mem_ctx,
				   const struct daemon_config *config,
				   struct rpc_smb_conf *ret_options);

#endif
