/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * evenlog-ticket: a Kerberos ticket for host/NAME into a credential cache.
 * See collect/ticket.h.  A program of its own, since it may wait for a KDC as
 * long as it takes, and since MIT's libkrb5 cannot share a process with the
 * Heimdal of Debian's Samba.
 *
 * On success a line on stdout says until when the ticket is good (seconds
 * since 1970, by this host's clock) and which principal it is for.
 */

#include <errno.h>
#include <getopt.h>
#include <krb5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Exit statuses; collect/ticket.c knows them. */
enum {
	EXIT_REFUSED = 1,
	EXIT_NO_KDC = 2,
	EXIT_LOCAL = 3
};

/* Whoever started this has given it up long before, or is dead. */
#define ALARM_SECONDS 120

struct ticket {
	const char *host;
	const char *keytab;
	const char *principal;
	const char *ccache;
	const char *out;

	krb5_context context;
	krb5_ccache work; /* in memory */
	krb5_principal client;
	krb5_principal server;
	krb5_creds *creds; /* the ticket for the host */
};

/* ------------------------------------------------------ what is reported */

/* What an administrator can do about it, or NULL. */
static const char *advice(krb5_error_code code)
{
	switch (code) {
	case KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN:
		return "the KDC does not know this principal";
	case KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN:
		return "the KDC knows no such host: use the name that the host"
		       " has in the domain";
	case KRB5KDC_ERR_PREAUTH_FAILED:
	case KRB5KRB_AP_ERR_BAD_INTEGRITY:
		return "the key in the keytab is not the current one: export"
		       " the keytab anew";
	case KRB5KDC_ERR_CLIENT_REVOKED:
		return "the account is disabled or locked";
	case KRB5KDC_ERR_KEY_EXP:
		return "the account's password has expired";
	case KRB5KRB_AP_ERR_SKEW:
	case KRB5_KDCREP_SKEW:
		return "set the clocks of this host and of the KDC together";
	case KRB5KRB_AP_ERR_TKT_EXPIRED:
		return "the ticket in the cache has expired: renew it";
	case KRB5_KDC_UNREACH:
	case KRB5_REALM_UNKNOWN:
	case KRB5_REALM_CANT_RESOLVE:
		return "is the domain controller up, port 88 open, and the"
		       " realm in krb5.conf or in DNS?";
	case KRB5_KT_NOTFOUND:
		return "the keytab has no key of this principal";
	case KRB5_CC_IO:
		return "is its file system full, or read-only?";
	default:
		return NULL;
	}
}

static int exit_status(krb5_error_code code)
{
	switch (code) {
	case KRB5_KDC_UNREACH:
	case KRB5_REALM_CANT_RESOLVE:
		return EXIT_NO_KDC;
	default:
		return EXIT_REFUSED;
	}
}

/* One line about an error of Kerberos; returns the exit status. */
__attribute__((format(printf, 3, 4))) static int report(struct ticket *ticket,
							krb5_error_code code,
							const char *fmt, ...)
{
	const char *text = krb5_get_error_message(ticket->context, code);
	const char *hint = advice(code);
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s%s%s\n", text, hint != NULL ? "; " : "",
		hint != NULL ? hint : "");
	krb5_free_error_message(ticket->context, text);
	return exit_status(code);
}

/* -------------------------------------------------------- the own ticket */

/* The keytab's first principal, or the one asked for. */
static int keytab_principal(struct ticket *ticket, krb5_keytab keytab)
{
	krb5_kt_cursor cursor;
	krb5_keytab_entry entry;
	krb5_error_code ret;

	if (ticket->principal != NULL) {
		ret = krb5_parse_name(ticket->context, ticket->principal,
				      &ticket->client);
		if (ret != 0) {
			return report(ticket, ret, "the principal %s",
				      ticket->principal);
		}
		return 0;
	}

	ret = krb5_kt_start_seq_get(ticket->context, keytab, &cursor);
	if (ret != 0) {
		return report(ticket, ret, "cannot read the keytab %s",
			      ticket->keytab);
	}
	ret = krb5_kt_next_entry(ticket->context, keytab, &entry, &cursor);
	if (ret == 0) {
		ret = krb5_copy_principal(ticket->context, entry.principal,
					  &ticket->client);
		krb5_free_keytab_entry_contents(ticket->context, &entry);
	}
	krb5_kt_end_seq_get(ticket->context, keytab, &cursor);
	if (ret != 0) {
		return report(ticket, ret, "the keytab %s has no keys",
			      ticket->keytab);
	}
	return 0;
}

static int log_on(struct ticket *ticket, krb5_keytab keytab)
{
	krb5_creds creds = {0};
	krb5_error_code ret;
	char *name = NULL;
	int status = 0;

	ret = krb5_get_init_creds_keytab(ticket->context, &creds,
					 ticket->client, keytab, 0, NULL, NULL);
	if (ret != 0) {
		krb5_error_code why = ret;

		ret = krb5_unparse_name(ticket->context, ticket->client, &name);
		status = report(ticket, why,
				"cannot log on as %s with the keytab %s",
				ret == 0 ? name : "?", ticket->keytab);
		krb5_free_unparsed_name(ticket->context, name);
		return status;
	}
	ret = krb5_cc_initialize(ticket->context, ticket->work, creds.client);
	if (ret == 0) {
		ret = krb5_cc_store_cred(ticket->context, ticket->work, &creds);
	}
	if (ret != 0) {
		status = report(ticket, ret, "cannot keep the ticket");
	}
	krb5_free_cred_contents(ticket->context, &creds);
	return status;
}

static int from_keytab(struct ticket *ticket)
{
	krb5_keytab keytab = NULL;
	krb5_error_code ret;
	int status;

	ret = krb5_kt_resolve(ticket->context, ticket->keytab, &keytab);
	if (ret != 0) {
		return report(ticket, ret, "the keytab %s", ticket->keytab);
	}
	status = keytab_principal(ticket, keytab);
	if (status == 0) {
		status = log_on(ticket, keytab);
	}
	krb5_kt_close(ticket->context, keytab);
	return status;
}

/* A copy, since the cache is somebody else's. */
static int from_ccache(struct ticket *ticket)
{
	krb5_ccache cache = NULL;
	krb5_error_code ret;

	ret = krb5_cc_resolve(ticket->context, ticket->ccache, &cache);
	if (ret == 0) {
		ret = krb5_cc_get_principal(ticket->context, cache,
					    &ticket->client);
	}
	if (ret == 0) {
		ret = krb5_cc_initialize(ticket->context, ticket->work,
					 ticket->client);
	}
	if (ret == 0) {
		ret = krb5_cc_copy_creds(ticket->context, cache, ticket->work);
	}
	if (cache != NULL) {
		krb5_cc_close(ticket->context, cache);
	}
	if (ret != 0) {
		return report(ticket, ret,
			      "cannot read the credential cache %s (kinit"
			      " makes one)",
			      ticket->ccache);
	}
	return 0;
}

/* -------------------------------------------------- the host's ticket */

/*
 * Of an unknown type, so that the name is taken as it is: Samba asks for just
 * that name, whatever DNS says.  Without a realm of its own for the host the
 * KDC tells which it is.
 */
static int host_ticket(struct ticket *ticket)
{
	krb5_creds in = {0};
	krb5_error_code ret;

	ret = krb5_sname_to_principal(ticket->context, ticket->host, "host",
				      KRB5_NT_UNKNOWN, &ticket->server);
	if (ret != 0) {
		return report(ticket, ret, "the host name %s", ticket->host);
	}
	ret = krb5_cc_get_principal(ticket->context, ticket->work, &in.client);
	if (ret == 0) {
		in.server = ticket->server;
		ret = krb5_get_credentials(ticket->context, 0, ticket->work,
					   &in, &ticket->creds);
		krb5_free_principal(ticket->context, in.client);
	}
	if (ret != 0) {
		return report(ticket, ret, "no ticket for host/%s",
			      ticket->host);
	}
	return 0;
}

/* ------------------------------------------------------------ the result */

/* The ticket-granting ticket, without which a cache looks empty to some. */
static krb5_error_code copy_tgt(struct ticket *ticket, krb5_ccache to)
{
	krb5_principal client = ticket->creds->client;
	krb5_creds match = {.client = client};
	krb5_creds tgt = {0};
	krb5_error_code ret;

	ret = krb5_build_principal(ticket->context, &match.server,
				   client->realm.length, client->realm.data,
				   KRB5_TGS_NAME, client->realm.data, NULL);
	if (ret != 0) {
		return ret;
	}
	ret = krb5_cc_retrieve_cred(ticket->context, ticket->work, 0, &match,
				    &tgt);
	krb5_free_principal(ticket->context, match.server);
	if (ret == KRB5_CC_NOTFOUND) {
		return 0;
	}
	if (ret == 0) {
		ret = krb5_cc_store_cred(ticket->context, to, &tgt);
		krb5_free_cred_contents(ticket->context, &tgt);
	}
	return ret;
}

static int write_cache(struct ticket *ticket, const char *name)
{
	krb5_ccache cache = NULL;
	krb5_error_code ret;

	ret = krb5_cc_resolve(ticket->context, name, &cache);
	if (ret == 0) {
		ret = krb5_cc_initialize(ticket->context, cache,
					 ticket->creds->client);
	}
	if (ret == 0) {
		ret = copy_tgt(ticket, cache);
	}
	if (ret == 0) {
		ret = krb5_cc_store_cred(ticket->context, cache, ticket->creds);
	}
	if (cache != NULL) {
		krb5_cc_close(ticket->context, cache);
	}
	if (ret != 0) {
		report(ticket, ret, "cannot write the ticket to %s",
		       ticket->out);
		return EXIT_LOCAL;
	}
	return 0;
}

/* Written beside it and renamed: a reader never sees half a cache. */
static int write_out(struct ticket *ticket)
{
	size_t size = strlen(ticket->out) + sizeof("FILE:.XXXXXX");
	char *name = malloc(size);
	char *path = NULL;
	int fd, status;

	if (name == NULL) {
		fprintf(stderr, "out of memory\n");
		return EXIT_LOCAL;
	}
	snprintf(name, size, "FILE:%s.XXXXXX", ticket->out);
	path = name + strlen("FILE:");
	umask(077);
	fd = mkstemp(path);
	if (fd == -1) {
		fprintf(stderr, "cannot create %s: %s\n", path,
			strerror(errno));
		free(name);
		return EXIT_LOCAL;
	}
	close(fd);
	status = write_cache(ticket, name);
	if (status == 0 && rename(path, ticket->out) != 0) {
		fprintf(stderr, "cannot rename %s to %s: %s\n", path,
			ticket->out, strerror(errno));
		status = EXIT_LOCAL;
	}
	if (status != 0) {
		unlink(path);
	}
	free(name);
	return status;
}

/*
 * Kerberos counts by the KDC's clock once it has met the KDC, and keeps the
 * difference in the cache.  Times are 32 bits without a sign, until 2106.
 */
static uint32_t own_end(struct ticket *ticket)
{
	uint32_t end = (uint32_t)ticket->creds->times.endtime;
	krb5_timestamp now = 0;
	krb5_error_code ret;

	ret = krb5_timeofday(ticket->context, &now);
	return ret == 0 ? end - (uint32_t)now + (uint32_t)time(NULL) : end;
}

static int tell(struct ticket *ticket)
{
	krb5_error_code ret;
	char *name = NULL;

	ret = krb5_unparse_name(ticket->context, ticket->creds->server, &name);
	if (ret != 0) {
		return report(ticket, ret, "the name of the host");
	}
	printf("%u %s\n", (unsigned int)own_end(ticket), name);
	krb5_free_unparsed_name(ticket->context, name);
	return fflush(stdout) == 0 ? 0 : EXIT_LOCAL;
}

static int run(struct ticket *ticket)
{
	krb5_error_code ret;
	int status;

	ret = krb5_init_context(&ticket->context);
	if (ret != 0) {
		fprintf(stderr, "cannot read krb5.conf: error %d\n", (int)ret);
		return EXIT_LOCAL;
	}
	ret = krb5_cc_resolve(ticket->context, "MEMORY:evenlog", &ticket->work);
	if (ret != 0) {
		return report(ticket, ret, "cannot keep tickets in memory");
	}
	status = ticket->keytab != NULL ? from_keytab(ticket)
					: from_ccache(ticket);
	if (status == 0) {
		status = host_ticket(ticket);
	}
	if (status == 0) {
		status = write_out(ticket);
	}
	if (status == 0) {
		status = tell(ticket);
	}
	return status;
}

static void clean_up(struct ticket *ticket)
{
	if (ticket->context == NULL) {
		return;
	}
	krb5_free_creds(ticket->context, ticket->creds);
	krb5_free_principal(ticket->context, ticket->server);
	krb5_free_principal(ticket->context, ticket->client);
	if (ticket->work != NULL) {
		krb5_cc_destroy(ticket->context, ticket->work);
	}
	krb5_free_context(ticket->context);
}

static bool read_options(int argc, char **argv, struct ticket *ticket)
{
	static const struct option options[] = {
		{"host", required_argument, NULL, 'h'},
		{"keytab", required_argument, NULL, 'k'},
		{"principal", required_argument, NULL, 'p'},
		{"ccache", required_argument, NULL, 'c'},
		{"out", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			ticket->host = optarg;
			break;
		case 'k':
			ticket->keytab = optarg;
			break;
		case 'p':
			ticket->principal = optarg;
			break;
		case 'c':
			ticket->ccache = optarg;
			break;
		case 'o':
			ticket->out = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && ticket->host != NULL && ticket->out != NULL &&
	       (ticket->keytab != NULL) != (ticket->ccache != NULL);
}

int main(int argc, char **argv)
{
	struct ticket ticket = {0};
	int status;

	if (!read_options(argc, argv, &ticket)) {
		fprintf(stderr, "usage: evenlog-ticket --host NAME --out FILE"
				" (--keytab FILE [--principal NAME] | --ccache"
				" NAME)\n");
		return EXIT_LOCAL;
	}
	alarm(ALARM_SECONDS);
	status = run(&ticket);
	clean_up(&ticket);
	return status;
}
