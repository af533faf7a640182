/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/passdb.h"

#include "base/text.h"
#include "rpc/samba.h"
#include "rpc/samba_start.h"

#include <errno.h>
#include <gen_ndr/samr.h>
#include <gen_ndr/security.h>
#include <ndr.h>
#include <param.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <passdb.h>

/* A Unix user's name, and Samba's own limit. */
#define USER_NAME_MAX 255
/* Room for one line of the user database. */
#define PASSWD_MAX 16384
/* Users taken from the database at a time. */
#define LIST_STEP 256

/*
 * Whose the database is.  root works on it under that identity, or the files
 * made here would be root's and the service could not open them.
 */
static uid_t passdb_uid;
static gid_t passdb_gid;

static everr_t identity_enter(TALLOC_CTX *mem_ctx, char **ret_message)
{
	int ret = 0;

	if (getuid() == 0 && passdb_uid != 0) {
		ret = setegid(passdb_gid);
		if (ret == 0) {
			ret = seteuid(passdb_uid);
		}
	}
	if (ret == -1) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"cannot become the user %u that the Samba "
			"configuration belongs to: %s",
			(unsigned int)passdb_uid, strerror(errno));
		(void)setegid(getgid());
		return EVERR_IO;
	}
	return EVERR_OK;
}

static void identity_leave(void)
{
	if (getuid() != 0) {
		return;
	}
	if (seteuid(0) == -1 || setegid(0) == -1) {
		/* Cannot fail for root; going on as another user would. */
		abort();
	}
}

static everr_t passdb_fail(TALLOC_CTX *mem_ctx, char **ret_message,
			   const char *what, const char *why)
{
	*ret_message = talloc_asprintf(mem_ctx, "%s: %s", what, why);
	return EVERR_IO;
}

/* ---------------------------------------------------------------- open */

static everr_t passdb_start(TALLOC_CTX *mem_ctx, const char *smb_conf,
			    char **ret_message)
{
	everr_t err;

	err = rpc_samba_start(mem_ctx, "evenlog", smb_conf, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	if (!initialize_password_db(false, NULL)) {
		return passdb_fail(mem_ctx, ret_message, smb_conf,
				   "Samba cannot open its user database");
	}
	return EVERR_OK;
}

everr_t rpc_passdb_open(TALLOC_CTX *mem_ctx, const char *smb_conf,
			char **ret_message)
{
	TALLOC_CTX *frame = NULL;
	struct stat st = {};
	everr_t err;
	int ret;

	ret = stat(smb_conf, &st);
	if (ret == -1) {
		*ret_message = talloc_asprintf(mem_ctx, "%s: %s", smb_conf,
					       strerror(errno));
		return EVERR_CONFIG;
	}
	passdb_uid = st.st_uid;
	passdb_gid = st.st_gid;

	err = identity_enter(mem_ctx, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	frame = rpc_samba_frame();
	err = passdb_start(mem_ctx, smb_conf, ret_message);
	TALLOC_FREE(frame);
	identity_leave();
	return err;
}

/* ----------------------------------------------------------------- add */

static everr_t user_check(TALLOC_CTX *mem_ctx, const char *user,
			  char **ret_message)
{
	size_t len = strlen(user);
	struct passwd *found = NULL;
	struct passwd pw;
	char buf[PASSWD_MAX];

	if (len == 0 || len > USER_NAME_MAX || !text_utf8_valid(user, len) ||
	    strpbrk(user, "\\/@:\"[]|<>+=;,?* \t\r\n") != NULL) {
		*ret_message = talloc_asprintf(
			mem_ctx, "\"%s\" cannot be a user's name", user);
		return EVERR_TEXT;
	}
	(void)getpwnam_r(user, &pw, buf, sizeof(buf), &found);
	if (found == NULL) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"there is no Unix user \"%s\": a local user "
			"of Evenlog has to be one",
			user);
		return EVERR_NOT_FOUND;
	}
	return EVERR_OK;
}

static everr_t password_check(TALLOC_CTX *mem_ctx, const char *password,
			      char **ret_message)
{
	size_t len = strlen(password);

	if (len == 0 || len > RPC_PASSDB_PASSWORD_MAX ||
	    !text_utf8_valid(password, len)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "a password is 1 to %d bytes of UTF-8",
			RPC_PASSDB_PASSWORD_MAX);
		return EVERR_TEXT;
	}
	return EVERR_OK;
}

/*
 * One change through the function behind smbpasswd(8).  Its texts are
 * malloc'ed and end in a line break.
 */
static everr_t passdb_change(TALLOC_CTX *mem_ctx, const char *user, int flags,
			     const char *password, char **ret_message)
{
	TALLOC_CTX *frame = NULL;
	char *error = NULL;
	char *message = NULL;
	NTSTATUS status;
	everr_t err;

	err = identity_enter(mem_ctx, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	frame = rpc_samba_frame();
	status = local_password_change(user, flags | LOCAL_AM_ROOT, password,
				       &error, &message);
	TALLOC_FREE(frame);
	identity_leave();

	if (NT_STATUS_EQUAL(status, NT_STATUS_NO_SUCH_USER)) {
		*ret_message = talloc_asprintf(
			mem_ctx, "there is no local user \"%s\"", user);
		err = EVERR_NOT_FOUND;
	} else if (!NT_STATUS_IS_OK(status)) {
		if (error != NULL) {
			error[strcspn(error, "\r\n")] = '\0';
		}
		err = passdb_fail(mem_ctx, ret_message, user,
				  error != NULL ? error : nt_errstr(status));
	}
	free(error);
	free(message);
	return err;
}

everr_t rpc_passdb_add(TALLOC_CTX *mem_ctx, const char *user,
		       const char *password, char **ret_message)
{
	everr_t err;

	err = user_check(mem_ctx, user, ret_message);
	if (err == EVERR_OK) {
		err = password_check(mem_ctx, password, ret_message);
	}
	if (err == EVERR_OK) {
		err = passdb_change(mem_ctx, user,
				    LOCAL_ADD_USER | LOCAL_SET_PASSWORD |
					    LOCAL_ENABLE_USER,
				    password, ret_message);
	}
	return err;
}

everr_t rpc_passdb_remove(TALLOC_CTX *mem_ctx, const char *user,
			  char **ret_message)
{
	return passdb_change(mem_ctx, user, LOCAL_DELETE_USER, NULL,
			     ret_message);
}

/* ---------------------------------------------------------------- list */

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static everr_t list_add(const char ***names, size_t *num,
			const struct samr_displayentry *entries, uint32_t count)
{
	const char **list = NULL;
	uint32_t i;

	list = talloc_realloc(NULL, *names, const char *, *num + count);
	if (list == NULL) {
		return EVERR_NOMEM;
	}
	*names = list;
	for (i = 0; i < count; i++) {
		list[*num] = talloc_strdup(list, entries[i].account_name);
		if (list[*num] == NULL) {
			return EVERR_NOMEM;
		}
		(*num)++;
	}
	return EVERR_OK;
}

static everr_t list_all(TALLOC_CTX *frame, const char ***names, size_t *num)
{
	struct samr_displayentry *entries = NULL;
	struct pdb_search *search = NULL;
	uint32_t count;
	everr_t err = EVERR_OK;

	search = pdb_search_users(frame, ACB_NORMAL);
	if (search == NULL) {
		return EVERR_IO;
	}
	do {
		count = pdb_search_entries(search, (uint32_t)*num, LIST_STEP,
					   &entries);
		if (count > 0) {
			err = list_add(names, num, entries, count);
		}
	} while (count > 0 && err == EVERR_OK);
	TALLOC_FREE(search);
	return err;
}

everr_t rpc_passdb_list(TALLOC_CTX *mem_ctx, const char *const **ret_users,
			size_t *ret_num_users, char **ret_message)
{
	TALLOC_CTX *frame = NULL;
	const char **names = NULL;
	size_t num = 0;
	everr_t err;

	err = identity_enter(mem_ctx, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	names = talloc_array(mem_ctx, const char *, 0);
	if (names == NULL) {
		identity_leave();
		return EVERR_NOMEM;
	}
	frame = rpc_samba_frame();
	err = list_all(frame, &names, &num);
	TALLOC_FREE(frame);
	identity_leave();
	if (err != EVERR_OK) {
		TALLOC_FREE(names);
		if (err == EVERR_IO) {
			err = passdb_fail(mem_ctx, ret_message, "users",
					  "Samba cannot list its database");
		}
		return err;
	}
	qsort(names, num, sizeof(*names), name_compare);
	*ret_users = names;
	*ret_num_users = num;
	return EVERR_OK;
}
