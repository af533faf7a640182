/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/smb_conf.h"

#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMB_CONF_MAX 16384
/* A NetBIOS name, [MS-NBTE] 2.2.1. */
#define NETBIOS_NAME_MAX 15

static const char *const subdirs[] = {"private", "state", "cache",
				      "lock",	 "pid",	  "ncalrpc"};

static everr_t fail(TALLOC_CTX *mem_ctx, char **ret_message, const char *what,
		    const char *path)
{
	*ret_message = talloc_asprintf(mem_ctx, "%s %s: %s", what, path,
				       strerror(errno));
	return EVERR_IO;
}

/* Like mkdir -p, with 0700 for what it makes. */
static everr_t make_dir(TALLOC_CTX *mem_ctx, const char *path,
			char **ret_message)
{
	char *copy = talloc_strdup(mem_ctx, path);
	char *slash = NULL;
	int ret;

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	for (slash = strchr(copy + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ret = mkdir(copy, 0700);
		if (ret != 0 && errno != EEXIST) {
			return fail(mem_ctx, ret_message,
				    "cannot make the directory", copy);
		}
		*slash = '/';
	}
	ret = mkdir(copy, 0700);
	if (ret != 0 && errno != EEXIST) {
		return fail(mem_ctx, ret_message, "cannot make the directory",
			    copy);
	}
	TALLOC_FREE(copy);
	return EVERR_OK;
}

/* The host's name as far as NetBIOS takes it; it only names our accounts. */
static void netbios_name(char name[NETBIOS_NAME_MAX + 1])
{
	char host[256] = "";
	size_t len = 0;
	size_t i;

	gethostname(host, sizeof(host) - 1);
	for (i = 0; host[i] != '\0' && host[i] != '.'; i++) {
		if (len < NETBIOS_NAME_MAX &&
		    (isalnum((unsigned char)host[i]) || host[i] == '-')) {
			name[len++] = (char)toupper((unsigned char)host[i]);
		}
	}
	name[len] = '\0';
	if (len == 0) {
		memcpy(name, "EVENLOG", sizeof("EVENLOG"));
	}
}

/*
 * Domain, names and how winbind spells them are the host's; what comes later
 * in the file goes before it.
 */
static void write_member(struct buf *out, const char *host_conf)
{
	buf_printf(out,
		   "[global]\n"
		   "\tinclude = %s\n"
		   "[global]\n"
		   "\tlog file =\n"
		   "\tlogging =\n"
		   "\tpanic action =\n",
		   host_conf);
}

static void write_alone(struct buf *out)
{
	char name[NETBIOS_NAME_MAX + 1];

	netbios_name(name);
	buf_printf(out,
		   "[global]\n"
		   "\tworkgroup = EVENLOG\n"
		   "\tserver role = standalone server\n"
		   "\tunix charset = UTF-8\n"
		   "\tnetbios name = %s\n",
		   name);
}

static void write_text(struct buf *out, const struct rpc_smb_conf *options)
{
	size_t i;

	buf_puts(out,
		 "# Written by evenlogd at each start; changes are lost.\n");
	if (options->member != NULL) {
		write_member(out, options->member);
	} else {
		write_alone(out);
	}
	buf_puts(out, "\tmap to guest = never\n"
		      "\tpassdb backend = tdbsam\n"
		      "\tload printers = no\n"
		      "\tdisable netbios = yes\n"
		      "\tlog level = 0\n");
	for (i = 0; i < sizeof(subdirs) / sizeof(subdirs[0]); i++) {
		const char *key =
			strcmp(subdirs[i], "ncalrpc") == 0 ||
					strcmp(subdirs[i], "private") == 0
				? "dir"
				: "directory";

		buf_printf(out, "\t%s %s = %s/%s\n", subdirs[i], key,
			   options->dir, subdirs[i]);
	}
	if (options->realm != NULL) {
		buf_printf(out, "\trealm = %s\n", options->realm);
	}
	if (options->keytab != NULL) {
		buf_printf(out,
			   "\tkerberos method = dedicated keytab\n"
			   "\tdedicated keytab file = %s\n",
			   options->keytab);
	}
}

static bool says_the_same(const char *path, const struct buf *text)
{
	uint8_t old[SMB_CONF_MAX];
	FILE *f = fopen(path, "re");
	size_t len;

	if (f == NULL) {
		return false;
	}
	len = fread(old, 1, sizeof(old), f);
	fclose(f);
	return len == text->len && memcmp(old, text->data, len) == 0;
}

static everr_t replace_file(TALLOC_CTX *mem_ctx, const char *path,
			    const struct buf *text, char **ret_message)
{
	char *temp = talloc_asprintf(mem_ctx, "%s.%ld", path, (long)getpid());
	ssize_t written;
	int fd, ret;

	if (temp == NULL) {
		return EVERR_NOMEM;
	}
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1) {
		return fail(mem_ctx, ret_message, "cannot write", temp);
	}
	written = write(fd, text->data, text->len);
	ret = fsync(fd);
	close(fd);
	if (written != (ssize_t)text->len || ret != 0) {
		unlink(temp);
		return fail(mem_ctx, ret_message, "cannot write", temp);
	}
	ret = rename(temp, path);
	if (ret != 0) {
		unlink(temp);
		return fail(mem_ctx, ret_message, "cannot replace", path);
	}
	TALLOC_FREE(temp);
	return EVERR_OK;
}

/* A line break in a value would start a setting of its own. */
static bool one_line(const char *text)
{
	return text == NULL || strpbrk(text, "\r\n") == NULL;
}

everr_t rpc_smb_conf_write(TALLOC_CTX *mem_ctx,
			   const struct rpc_smb_conf *options,
			   char **ret_message)
{
	TALLOC_CTX *frame = NULL;
	struct buf text;
	char *path = NULL;
	everr_t err;
	size_t i;

	*ret_message = NULL;
	if (options->dir == NULL || !one_line(options->dir) ||
	    !one_line(options->member) || !one_line(options->realm) ||
	    !one_line(options->keytab) ||
	    (options->realm != NULL && options->keytab == NULL)) {
		return EVERR_INVALID;
	}
	frame = talloc_new(mem_ctx);
	if (frame == NULL) {
		return EVERR_NOMEM;
	}

	err = EVERR_OK;
	for (i = 0; err == EVERR_OK && i < sizeof(subdirs) / sizeof(subdirs[0]);
	     i++) {
		path = talloc_asprintf(frame, "%s/%s", options->dir,
				       subdirs[i]);
		err = path != NULL ? make_dir(frame, path, ret_message)
				   : EVERR_NOMEM;
	}

	buf_init(&text, frame, SMB_CONF_MAX);
	write_text(&text, options);
	if (err == EVERR_OK) {
		err = buf_error(&text);
	}
	path = talloc_asprintf(frame, "%s/smb.conf", options->dir);
	if (err == EVERR_OK && path == NULL) {
		err = EVERR_NOMEM;
	}
	if (err == EVERR_OK && !says_the_same(path, &text)) {
		err = replace_file(frame, path, &text, ret_message);
	}

	if (*ret_message != NULL) {
		talloc_steal(mem_ctx, *ret_message);
	}
	TALLOC_FREE(frame);
	return err;
}
