/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_COLLECT_CONFIG_H
#define EVENLOG_COLLECT_CONFIG_H

/*
 * What to collect: one structure for each remote host.  A section [collect
 * NAME] that names several hosts, or a file of them, gives one for each.
 * Reload compares them whole (collect_config_equal()): a host of which nothing
 * has changed goes on as it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Hosts of a collector, and channels of one host. */
#define COLLECT_HOSTS_MAX 10000
#define COLLECT_CHANNELS_MAX 256
/* A password file's and a host list's bytes. */
#define COLLECT_PASSWORD_FILE_MAX 4096
#define COLLECT_HOSTS_FILE_MAX (1024 * 1024)

enum collect_auth {
	COLLECT_AUTH_KERBEROS,
	COLLECT_AUTH_NTLM
};

enum collect_delivery {
	COLLECT_DELIVERY_PUSH, /* opnum 1 parks until there are events */
	COLLECT_DELIVERY_PULL  /* opnum 2, and opnum 3 where it has none */
};

struct collect_channel_config {
	const char *name;
	/* XPath, or a structured query of this channel only; NULL: "*". */
	const char *query;
};

struct collect_config {
	const char *section; /* NAME of [collect NAME], for messages */
	const char *host;    /* name or address; unique in a collector */
	uint16_t port;	     /* 0: ask the endpoint mapper */
	uint16_t mapper_port;

	uint32_t auth;	    /* enum collect_auth */
	const char *user;   /* NTLM */
	const char *domain; /* NTLM; NULL: the host's own accounts */
	/* NTLM: its first line; read at each attempt, so it may change. */
	const char *password_file;
	/*
	 * Kerberos: a keytab and whose keys of it to use (NULL: the first
	 * principal in it), or else a credential cache that somebody else
	 * keeps fresh.
	 */
	const char *keytab;
	const char *principal;
	const char *ccache;

	const struct collect_channel_config *channels;
	size_t num_channels;
	uint32_t delivery;     /* enum collect_delivery */
	uint32_t batch;	       /* records asked for at a time, 1 to 1024 */
	bool read_existing;    /* on first sight; else from then on */
	const char *target;    /* channel of ours */
	uint64_t backoff_max;  /* seconds; of connects and of channels */
	uint64_t liveness;     /* seconds without an answer until asked */
	uint64_t silent_after; /* seconds without an event; 0: never told */
};

struct collector_config {
	const struct collect_config *hosts;
	size_t num_hosts;
	/* The program that gets tickets, and where they lie (0700). */
	const char *ticket_helper;
	const char *ticket_directory;
	uint32_t connects; /* attempts at a time */
};

/* A copy with all it points to, in one talloc block; NULL: no memory. */
struct collect_config *collect_config_copy(TALLOC_CTX *mem_ctx,
					   const struct collect_config *config);

/* Whether nothing of it has changed; strings by value. */
bool collect_config_equal(const struct collect_config *a,
			  const struct collect_config *b);

#endif
