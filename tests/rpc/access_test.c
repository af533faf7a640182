/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Access strings, the groups that the configuration maps, and the sessions of
 * local clients.  Samba is started in this process on a configuration of its
 * own; the Unix users and groups are Debian's (base-passwd).
 */

#include "rpc/access.h"
#include "rpc/passdb.h"
#include "rpc/samba.h"
#include "rpc/samba_start.h"
#include "rpc/session.h"
#include "rpc/smb_conf.h"

#include <ftw.h>
#include <gen_ndr/auth.h>
#include <gen_ndr/security.h>
#include <machine_sid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define READ RPC_ACCESS_READ
#define WRITE RPC_ACCESS_WRITE
#define CLEAR RPC_ACCESS_CLEAR

/* base-passwd: user games 5, group games 60; group adm 4. */
#define UID_GAMES 5
#define GID_GAMES 60
#define GID_ADM 4

static char dir[] = "/tmp/evl-access-XXXXXX";
static char smb_conf[64];

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return remove(path);
}

static int group_setup(void **state)
{
	struct rpc_smb_conf options = {.dir = dir};
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *message = NULL;
	everr_t err;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(smb_conf, sizeof(smb_conf), "%s/smb.conf", dir);
	err = rpc_smb_conf_write(ctx, &options, &message);
	assert_int_equal(err, EVERR_OK);
	err = rpc_passdb_open(ctx, smb_conf, &message);
	assert_int_equal(err, EVERR_OK);
	TALLOC_FREE(ctx);
	return 0;
}

static int group_teardown(void **state)
{
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static int test_setup(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int test_teardown(void **state)
{
	TALLOC_FREE(*state);
	return 0;
}

/* --------------------------------------------------------------- tools */

static struct security_token *token_of(TALLOC_CTX *ctx, const char *first, ...)
{
	struct security_token *token = talloc_zero(ctx, struct security_token);
	const char *text = first;
	struct dom_sid sid;
	va_list ap;

	va_start(ap, first);
	while (text != NULL) {
		assert_true(dom_sid_parse(text, &sid));
		assert_true(NT_STATUS_IS_OK(add_sid_to_array_unique(
			token, &sid, &token->sids, &token->num_sids)));
		text = va_arg(ap, const char *);
	}
	va_end(ap);
	return token;
}

static struct rpc_access *access_with(TALLOC_CTX *ctx,
				      const char *const *readers,
				      const char *const *administrators,
				      char **ret_warning)
{
	struct rpc_access *access = NULL;
	everr_t err;

	*ret_warning = NULL;
	err = rpc_access_create(ctx, rpc_event_context(), readers,
				administrators, ctx, &access, ret_warning);
	assert_int_equal(err, EVERR_OK);
	return access;
}

static struct rpc_access *access_plain(TALLOC_CTX *ctx)
{
	char *warning = NULL;

	return access_with(ctx, NULL, NULL, &warning);
}

static const char *default_of(const char *channel)
{
	const struct store_channel_info info = {.name = channel};

	return rpc_access_sddl(&info);
}

static bool may(struct rpc_access *access, const char *sddl,
		const struct security_token *token, uint32_t wanted)
{
	everr_t err = rpc_access_decide(access, 7, sddl, token, wanted);

	assert_true(err == EVERR_OK || err == EVERR_ACCESS);
	return err == EVERR_OK;
}

/* "rwc" with a dash for each right that is missing. */
static void assert_rights(struct rpc_access *access, const char *sddl,
			  const struct security_token *token, const char *want)
{
	char got[4] = "---";

	if (may(access, sddl, token, READ)) {
		got[0] = 'r';
	}
	if (may(access, sddl, token, WRITE)) {
		got[1] = 'w';
	}
	if (may(access, sddl, token, CLEAR)) {
		got[2] = 'c';
	}
	assert_string_equal(got, want);
}

/* ------------------------------------------------------------ defaults */

static void test_windows_defaults_give_windows_rights(void **state)
{
	static const struct {
		const char *sid;
		const char *application, *system, *security;
	} rows[] = {
		{"S-1-5-18", "rwc", "rwc", "r-c"},     /* SYSTEM */
		{"S-1-5-32-544", "rwc", "rwc", "r-c"}, /* Administrators */
		{"S-1-5-32-573", "r--", "r--", "r--"}, /* Event Log Readers */
		{"S-1-5-32-549", "rwc", "r-c", "---"}, /* Server Operators */
		{"S-1-5-32-551", "---", "rw-", "---"}, /* Backup Operators */
		{"S-1-5-4", "rw-", "r--", "---"},      /* INTERACTIVE */
		{"S-1-5-6", "rw-", "rw-", "---"},      /* SERVICE */
		{"S-1-5-33", "rw-", "-w-", "---"},     /* WRITE RESTRICTED */
		{"S-1-5-11", "---", "---", "---"},     /* Authenticated Users */
		{"S-1-5-2", "---", "---", "---"},      /* NETWORK */
		{"S-1-1-0", "---", "---", "---"},      /* Everyone */
		{"S-1-5-7", "---", "---", "---"},      /* ANONYMOUS */
	};
	struct rpc_access *access = access_plain(*state);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct security_token *token =
			token_of(*state, rows[i].sid, NULL);

		assert_rights(access, default_of("Application"), token,
			      rows[i].application);
		assert_rights(access, default_of("System"), token,
			      rows[i].system);
		assert_rights(access, default_of("Security"), token,
			      rows[i].security);
		assert_rights(access, default_of("Vendor/Operational"), token,
			      rows[i].security);
	}
}

static void test_default_goes_by_name_without_case(void **state)
{
	assert_string_equal(default_of("APPLICATION"),
			    default_of("Application"));
	assert_string_not_equal(default_of("Application"),
				default_of("System"));
}

static void test_own_access_string_replaces_the_default(void **state)
{
	struct store_channel_info info = {
		.name = "Application",
		.config = {.sddl = "O:BAG:SYD:(A;;0x1;;;BA)"},
	};

	assert_string_equal(rpc_access_sddl(&info), "O:BAG:SYD:(A;;0x1;;;BA)");
}

/* ------------------------------------------------------------- strings */

static void test_an_entry_counts_for_every_sid_of_the_session(void **state)
{
	struct rpc_access *access = access_plain(*state);
	struct security_token *token =
		token_of(*state, "S-1-5-21-1-2-3-1000", "S-1-5-21-1-2-3-513",
			 "S-1-5-11", NULL);

	assert_rights(access, "D:(A;;0x1;;;S-1-5-21-1-2-3-513)", token, "r--");
	assert_rights(access,
		      "D:(A;;0x1;;;S-1-5-21-1-2-3-1000)(A;;0x2;;;S-1-5-11)",
		      token, "rw-");
	assert_rights(access, "D:(A;;0x7;;;S-1-5-21-1-2-3-1001)", token, "---");
}

static void test_a_denial_first_wins(void **state)
{
	struct rpc_access *access = access_plain(*state);
	struct security_token *token =
		token_of(*state, "S-1-5-21-1-2-3-1000", "S-1-5-32-573", NULL);

	assert_rights(access,
		      "D:(D;;0x1;;;S-1-5-21-1-2-3-1000)(A;;0x3;;;S-1-5-32-573)",
		      token, "-w-");
}

static void test_several_rights_are_wanted_together(void **state)
{
	struct rpc_access *access = access_plain(*state);
	struct security_token *token = token_of(*state, "S-1-5-11", NULL);

	assert_true(may(access, "D:(A;;0x1;;;AU)(A;;0x4;;;AU)", token,
			READ | CLEAR));
	assert_false(may(access, "D:(A;;0x1;;;AU)", token, READ | CLEAR));
}

static void test_a_string_nobody_can_read_grants_nobody(void **state)
{
	static const char *const strings[] = {
		"",
		"nonsense",
		"O:BAG:SYD:(A;;0x7;;;BA",
		"O:BAG:SYD:(A;;0x7;;BA)",
		"O:BAG:SYD:(X;;0x7;;;BA)",
		"O:BAG:SYD:(A;;0x7;;;ZZ)",
		"O:BAG:SYD:(A;;0x7;;;S-1-)",
		"O:BAG:SYD:A;;0x7;;;BA)",
		"D:(A;;0x7;;;BA)(",
	};
	struct rpc_access *access = access_plain(*state);
	struct security_token *token =
		token_of(*state, "S-1-5-18", "S-1-5-32-544", NULL);
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		assert_rights(access, strings[i], token, "---");
	}
}

/* A missing list of rights would grant all, an empty one nothing. */
static void test_no_list_of_rights_grants_nobody(void **state)
{
	struct rpc_access *access = access_plain(*state);
	struct security_token *token =
		token_of(*state, "S-1-5-18", "S-1-5-32-544", NULL);

	assert_rights(access, "O:BAG:SY", token, "---");
	assert_rights(access, "O:BAG:SYD:", token, "---");
}

static void test_a_changed_string_counts_at_once(void **state)
{
	struct rpc_access *access = access_plain(*state);
	struct security_token *token = token_of(*state, "S-1-5-11", NULL);
	char sddl[] = "D:(A;;0x1;;;AU)";

	assert_true(may(access, sddl, token, READ));
	sddl[8] = '4';
	assert_false(may(access, sddl, token, READ));
	assert_true(may(access, sddl, token, CLEAR));
}

/* -------------------------------------------------------------- groups */

static void assert_mapped(struct rpc_access *access,
			  struct security_token *token, bool reader,
			  bool administrator)
{
	static const char readers[] = "D:(A;;0x1;;;S-1-5-32-573)";
	static const char administrators[] = "D:(A;;0x1;;;BA)";
	struct security_token *mapped = NULL;
	everr_t err;

	err = rpc_access_token(access, access, token, &mapped);
	assert_int_equal(err, EVERR_OK);
	assert_int_equal(may(access, readers, mapped, READ), reader);
	assert_int_equal(may(access, administrators, mapped, READ),
			 administrator);
}

static void test_a_unix_user_and_a_unix_group_are_mapped(void **state)
{
	static const char *const readers[] = {"games", NULL};
	static const char *const administrators[] = {"adm", NULL};
	char *warning = NULL;
	struct rpc_access *access =
		access_with(*state, readers, administrators, &warning);

	assert_null(warning);
	assert_mapped(access, token_of(*state, "S-1-22-1-5", NULL), true,
		      false);
	assert_mapped(access, token_of(*state, "S-1-22-2-60", NULL), true,
		      false);
	assert_mapped(access,
		      token_of(*state, "S-1-22-1-1000", "S-1-22-2-4", NULL),
		      false, true);
	assert_mapped(access, token_of(*state, "S-1-22-1-6", NULL), false,
		      false);
}

static void test_a_local_user_is_mapped_by_its_account_too(void **state)
{
	static const char *const readers[] = {"news", NULL};
	char *warning = NULL;
	char *message = NULL;
	struct rpc_access *access = NULL;
	struct dom_sid sid;
	TALLOC_CTX *frame = NULL;
	char *text = NULL;
	everr_t err;

	err = rpc_passdb_add(*state, "news", "Geh31m-nis", &message);
	assert_int_equal(err, EVERR_OK);
	access = access_with(*state, readers, NULL, &warning);
	assert_null(warning);

	/* Samba's own numbering of a first local user. */
	frame = rpc_samba_frame();
	assert_true(secrets_fetch_domain_sid(lp_netbios_name(), &sid));
	TALLOC_FREE(frame);
	text = talloc_asprintf(*state, "S-1-5-21-%u-%u-%u-1000",
			       sid.sub_auths[1], sid.sub_auths[2],
			       sid.sub_auths[3]);
	assert_mapped(access, token_of(*state, text, NULL), true, false);
}

static void test_a_sid_is_a_name_as_well(void **state)
{
	static const char *const readers[] = {"S-1-5-21-9-8-7-1234", NULL};
	char *warning = NULL;
	struct rpc_access *access =
		access_with(*state, readers, NULL, &warning);

	assert_null(warning);
	assert_mapped(access, token_of(*state, "S-1-5-21-9-8-7-1234", NULL),
		      true, false);
	assert_mapped(access, token_of(*state, "S-1-5-21-9-8-7-1235", NULL),
		      false, false);
}

static void test_a_name_that_nobody_has_is_named_in_a_warning(void **state)
{
	static const char *const readers[] = {"games", "no-such-group", NULL};
	static const char *const administrators[] = {"no-such-user", NULL};
	char *warning = NULL;
	struct rpc_access *access =
		access_with(*state, readers, administrators, &warning);

	assert_non_null(warning);
	assert_non_null(strstr(warning, "\"no-such-group\""));
	assert_non_null(strstr(warning, "\"no-such-user\""));
	assert_null(strstr(warning, "\"games\""));
	assert_mapped(access, token_of(*state, "S-1-22-1-5", NULL), true,
		      false);
}

static void test_reload_takes_a_right_back(void **state)
{
	static const char *const readers[] = {"games", NULL};
	static const char *const others[] = {"news", NULL};
	char *warning = NULL;
	struct rpc_access *access =
		access_with(*state, readers, NULL, &warning);
	uint32_t generation = rpc_access_generation(access);
	everr_t err;

	err = rpc_access_reload(access, others, NULL, *state, &warning);
	assert_int_equal(err, EVERR_OK);
	assert_int_not_equal(rpc_access_generation(access), generation);
	assert_mapped(access, token_of(*state, "S-1-22-1-5", NULL), false,
		      false);
	assert_mapped(access, token_of(*state, "S-1-22-1-9", NULL), true,
		      false);
}

/* ------------------------------------------------------ local sessions */

static void test_root_is_system_and_administrator(void **state)
{
	struct auth_session_info *session = NULL;
	everr_t err;

	err = rpc_session_for(*state, 0, 0, NULL, 0, &session);
	assert_int_equal(err, EVERR_OK);
	assert_rights(access_plain(*state), "D:(A;;0x1;;;SY)(A;;0x2;;;BA)",
		      session->security_token, "rw-");
	assert_rights(access_plain(*state), "D:(A;;0x1;;;IU)(A;;0x2;;;AU)",
		      session->security_token, "rw-");
}

static void test_another_user_is_itself_and_its_groups(void **state)
{
	static const gid_t groups[] = {GID_ADM};
	struct auth_session_info *session = NULL;
	struct rpc_access *access = access_plain(*state);
	everr_t err;

	err = rpc_session_for(*state, UID_GAMES, GID_GAMES, groups, 1,
			      &session);
	assert_int_equal(err, EVERR_OK);
	assert_string_equal(session->info->account_name, "games");
	assert_rights(access,
		      "D:(A;;0x1;;;S-1-22-1-5)(A;;0x2;;;S-1-22-2-60)"
		      "(A;;0x4;;;S-1-22-2-4)",
		      session->security_token, "rwc");
	assert_rights(access, "D:(A;;0x1;;;IU)(A;;0x2;;;AU)(A;;0x4;;;WD)",
		      session->security_token, "rwc");
	assert_rights(access,
		      "D:(A;;0x7;;;SY)(A;;0x7;;;BA)(A;;0x7;;;ER)(A;;0x7;;;NU)",
		      session->security_token, "---");
}

static void test_the_kernel_says_who_a_peer_is(void **state)
{
	struct auth_session_info *session = NULL;
	struct dom_sid sid;
	int fds[2];
	everr_t err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	err = rpc_session_from_peer(*state, fds[0], &session);
	assert_int_equal(err, EVERR_OK);
	/* Whoever runs the tests runs the "service" too. */
	assert_true(dom_sid_parse("S-1-5-18", &sid));
	assert_true(dom_sid_equal(&session->security_token->sids[0], &sid));
	close(fds[0]);
	close(fds[1]);
}

static void test_a_socket_without_a_peer_has_no_session(void **state)
{
	struct auth_session_info *session = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(rpc_session_from_peer(*state, fd, &session), EVERR_IO);
	close(fd);
}

/* ----------------------------------------------------- domain sessions */

static struct security_token *domain_token(TALLOC_CTX *ctx,
					   const struct dom_sid *domain,
					   uint32_t first, uint32_t second)
{
	struct auth_session_info *session = NULL;
	struct dom_sid sids[] = {*domain, *domain};
	everr_t err;

	sids[0].sub_auths[sids[0].num_auths++] = first;
	sids[1].sub_auths[sids[1].num_auths++] = second;
	err = rpc_session_for_domain(ctx, "EXAMPLE", "alice", sids, 2,
				     &session);
	assert_int_equal(err, EVERR_OK);
	assert_string_equal(session->info->domain_name, "EXAMPLE");
	assert_string_equal(session->info->account_name, "alice");
	return session->security_token;
}

static void test_joining_a_domain_gives_its_groups_their_place(void **state)
{
	static const char sddl[] = "D:(A;;0x1;;;BU)(A;;0x2;;;BA)";
	struct rpc_access *access = access_plain(*state);
	struct dom_sid own, other;

	/* A server that stands alone has a domain of its own. */
	assert_true(secrets_fetch_domain_sid(lp_workgroup(), &own));
	assert_rights(access, sddl, domain_token(*state, &own, 1103, 513),
		      "r--");
	assert_rights(access, sddl, domain_token(*state, &own, 500, 512),
		      "-w-");
	assert_rights(access, "D:(A;;0x1;;;WD)(A;;0x2;;;AU)(A;;0x4;;;NU)",
		      domain_token(*state, &own, 1103, 513), "rwc");

	assert_true(dom_sid_parse("S-1-5-21-1-2-3", &other));
	assert_rights(access, sddl, domain_token(*state, &other, 512, 513),
		      "---");
}

static void test_a_domain_does_not_give_what_is_a_host_s_own(void **state)
{
	static const char *const texts[] = {
		"S-1-5-21-1-2-3-1103", "S-1-18-1",   "S-1-5-18",
		"S-1-5-32-544",	       "S-1-22-1-0", "S-1-5-4"};
	struct auth_session_info *session = NULL;
	struct rpc_access *access = access_plain(*state);
	struct dom_sid sids[6];
	everr_t err;
	size_t i;

	for (i = 0; i < 6; i++) {
		assert_true(dom_sid_parse(texts[i], &sids[i]));
	}
	err = rpc_session_for_domain(*state, NULL, NULL, sids, 6, &session);
	assert_int_equal(err, EVERR_OK);
	assert_rights(access,
		      "D:(A;;0x1;;;S-1-5-21-1-2-3-1103)"
		      "(A;;0x2;;;S-1-18-1)(A;;0x4;;;IU)",
		      session->security_token, "rw-");
	assert_rights(access,
		      "D:(A;;0x1;;;SY)(A;;0x2;;;BA)(A;;0x4;;;S-1-22-1-0)",
		      session->security_token, "---");
}

static void test_a_domain_does_not_give_a_host_s_own_users(void **state)
{
	struct auth_session_info *session = NULL;
	struct rpc_access *access = access_plain(*state);
	struct dom_sid own, domain, sids[2];
	char sddl[256];
	everr_t err;

	/* As on a member: the domain is another one than the host. */
	assert_true(secrets_fetch_domain_sid(lp_workgroup(), &own));
	assert_true(dom_sid_parse("S-1-5-21-1-2-3", &domain));
	assert_true(secrets_store_domain_sid(lp_workgroup(), &domain));
	sids[0] = domain;
	sids[0].sub_auths[sids[0].num_auths++] = 1103;
	sids[1] = *get_global_sam_sid();
	sids[1].sub_auths[sids[1].num_auths++] = 1000;

	err = rpc_session_for_domain(*state, NULL, NULL, sids, 2, &session);
	assert_int_equal(err, EVERR_OK);
	snprintf(sddl, sizeof(sddl),
		 "D:(A;;0x1;;;S-1-5-21-1-2-3-1103)"
		 "(A;;0x2;;;S-1-5-21-%u-%u-%u-1000)",
		 sids[1].sub_auths[1], sids[1].sub_auths[2],
		 sids[1].sub_auths[3]);
	assert_rights(access, sddl, session->security_token, "r--");
	assert_true(secrets_store_domain_sid(lp_workgroup(), &own));
}

static void test_a_user_whose_own_sid_is_not_a_domain_s_is_refused(void **state)
{
	static const char *const texts[] = {"S-1-5-18", "S-1-5-32-544",
					    "S-1-5-7"};
	struct auth_session_info *session = NULL;
	struct dom_sid sids[2];
	everr_t err;
	size_t i;

	assert_true(dom_sid_parse("S-1-5-21-1-2-3-1103", &sids[1]));
	for (i = 0; i < 3; i++) {
		assert_true(dom_sid_parse(texts[i], &sids[0]));
		err = rpc_session_for_domain(*state, NULL, NULL, sids, 2,
					     &session);
		assert_int_equal(err, EVERR_ACCESS);
		assert_null(session);
	}
}

#define access_test(fn) \
	cmocka_unit_test_setup_teardown(fn, test_setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		access_test(test_windows_defaults_give_windows_rights),
		access_test(test_default_goes_by_name_without_case),
		access_test(test_own_access_string_replaces_the_default),
		access_test(test_an_entry_counts_for_every_sid_of_the_session),
		access_test(test_a_denial_first_wins),
		access_test(test_several_rights_are_wanted_together),
		access_test(test_a_string_nobody_can_read_grants_nobody),
		access_test(test_no_list_of_rights_grants_nobody),
		access_test(test_a_changed_string_counts_at_once),
		access_test(test_a_unix_user_and_a_unix_group_are_mapped),
		access_test(test_a_local_user_is_mapped_by_its_account_too),
		access_test(test_a_sid_is_a_name_as_well),
		access_test(test_a_name_that_nobody_has_is_named_in_a_warning),
		access_test(test_reload_takes_a_right_back),
		access_test(test_root_is_system_and_administrator),
		access_test(test_another_user_is_itself_and_its_groups),
		access_test(test_the_kernel_says_who_a_peer_is),
		access_test(test_a_socket_without_a_peer_has_no_session),
		access_test(test_joining_a_domain_gives_its_groups_their_place),
		access_test(test_a_domain_does_not_give_what_is_a_host_s_own),
		access_test(test_a_domain_does_not_give_a_host_s_own_users),
		access_test(
			test_a_user_whose_own_sid_is_not_a_domain_s_is_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
