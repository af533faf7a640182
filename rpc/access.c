/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/access.h"

#include "base/text.h"
#include "rpc/connection.h"
#include "rpc/report.h"
#include "rpc/samba.h"
#include "rpc/samba_start.h"
#include "rpc/sddl.h"
#include "rpc/winbind.h"

#include <gen_ndr/auth.h>
#include <gen_ndr/security.h>
#include <grp.h>
#include <lookup_sid.h>
#include <machine_sid.h>
#include <pwd.h>
#include <strings.h>
#include <time.h>

/* Names that did not resolve are tried again after this, seconds. */
#define RETRY_SECONDS 60
/* Room for one entry of the user or group database. */
#define NSS_MAX 65536
/*
 * Names of the domain are there a few milliseconds after they were asked for.
 * Longer than this the service does not wait: they count when they come.
 */
#define ANSWER_MS 2000

/* SIDs that stand for one configured name. */
struct access_name {
	struct access_map *map;
	char *name;
	struct dom_sid *sids;
	uint32_t num_sids;
	struct rpc_winbind_question *question; /* while winbindd is asked */
};

struct access_map {
	struct rpc_access *access;
	struct access_name *names;
	size_t num_names;
};

/* A channel's descriptor as read from its text. */
struct access_entry {
	char *sddl;
	struct security_descriptor *sd; /* NULL: the text cannot be read */
};

struct rpc_access {
	struct tevent_context *ev;
	struct access_map *readers;
	struct access_map *administrators;
	struct tevent_timer *retry;
	uint32_t generation;
	struct access_entry *entries; /* by channel id */
	size_t num_entries;
};

/* --------------------------------------------------------------- names */

static everr_t name_add(struct access_name *name, const struct dom_sid *sid)
{
	NTSTATUS status;

	status = add_sid_to_array_unique(name->sids, sid, &name->sids,
					 &name->num_sids);
	return NT_STATUS_IS_OK(status) ? EVERR_OK : EVERR_NOMEM;
}

static everr_t name_add_unix(struct access_name *name, uint32_t kind,
			     uint32_t number)
{
	const struct dom_sid sid = {
		.sid_rev_num = 1,
		.num_auths = 2,
		.id_auth = {0, 0, 0, 0, 0, 22},
		.sub_auths = {kind, number},
	};

	return name_add(name, &sid);
}

static void name_answered(const struct rpc_winbind_name *answer,
			  void *private_data)
{
	struct access_name *name = private_data;
	everr_t err;

	name->question = NULL;
	if (!answer->found) {
		return;
	}
	err = name_add(name, answer->sid);
	if (err == EVERR_OK && answer->has_uid) {
		err = name_add_unix(name, 1, answer->uid);
	}
	if (err == EVERR_OK && answer->has_gid) {
		err = name_add_unix(name, 2, answer->gid);
	}
	/* A SID for which there was no memory is asked for with the name. */
	if (err != EVERR_OK) {
		name->num_sids = 0;
	}
	name->map->access->generation++;
}

/* On a domain member: whether the name is one of the domain's. */
static everr_t name_ask(struct access_name *name)
{
	const char *backslash = strchr(name->name, '\\');
	const char *account = backslash != NULL ? backslash + 1 : name->name;
	const char *domain = lp_workgroup();
	char *before = NULL;
	everr_t err;

	if (lp_server_role() != SAMBA_ROLE_DOMAIN_MEMBER) {
		return EVERR_OK;
	}
	if (backslash != NULL) {
		before = talloc_strndup(name->map, name->name,
					(size_t)(backslash - name->name));
		if (before == NULL) {
			return EVERR_NOMEM;
		}
		domain = before;
	}
	err = rpc_winbind_name_ask(name->map, name->map->access->ev, domain,
				   account, name_answered, name,
				   &name->question);
	TALLOC_FREE(before);
	/* Too many at once: it is tried again like one that is not known. */
	return err == EVERR_LIMIT ? EVERR_OK : err;
}

/*
 * Where Samba looks for a name.  On a member not where it would ask winbindd
 * itself, from inside the loop: a domain's name is none but this host's own.
 */
static int name_flags(const char *name)
{
	if (lp_server_role() != SAMBA_ROLE_DOMAIN_MEMBER) {
		return LOOKUP_NAME_ALL;
	}
	if (strchr(name, '\\') == NULL ||
	    strncasecmp(name, "BUILTIN\\", strlen("BUILTIN\\")) == 0) {
		return LOOKUP_NAME_LOCAL;
	}
	return LOOKUP_NAME_DOMAIN | LOOKUP_NAME_ISOLATED;
}

/*
 * A name is a SID, an account that Samba finds (local, BUILTIN, or of the
 * domain), and whatever Unix user or group has it: the same person is another
 * SID on the control socket than over the network.
 */
static everr_t name_resolve(struct access_name *name)
{
	TALLOC_CTX *frame = rpc_samba_frame();
	struct passwd *user = NULL;
	struct group *group = NULL;
	enum lsa_SidType type = SID_NAME_UNKNOWN;
	struct passwd pw;
	struct group gr;
	struct dom_sid sid;
	char *buf = talloc_size(frame, NSS_MAX);
	everr_t err = EVERR_OK;
	bool found;

	if (buf == NULL) {
		TALLOC_FREE(frame);
		return EVERR_NOMEM;
	}
	found = dom_sid_parse(name->name, &sid);
	if (!found) {
		found = lookup_name(frame, name->name, name_flags(name->name),
				    NULL, NULL, &sid, &type);
	}
	if (found) {
		err = name_add(name, &sid);
	}

	(void)getpwnam_r(name->name, &pw, buf, NSS_MAX, &user);
	if (user != NULL && err == EVERR_OK) {
		err = name_add_unix(name, 1, user->pw_uid);
	}
	(void)getgrnam_r(name->name, &gr, buf, NSS_MAX, &group);
	if (group != NULL && err == EVERR_OK) {
		err = name_add_unix(name, 2, group->gr_gid);
	}
	TALLOC_FREE(frame);
	if (err == EVERR_OK && name->num_sids == 0) {
		err = name_ask(name);
	}
	return err;
}

static everr_t map_create(struct rpc_access *access, const char *const *names,
			  struct access_map **ret_map)
{
	struct access_map *map = NULL;
	size_t count = 0;
	everr_t err = EVERR_OK;
	size_t i;

	while (names != NULL && names[count] != NULL) {
		count++;
	}
	map = talloc_zero(access, struct access_map);
	if (map == NULL) {
		return EVERR_NOMEM;
	}
	map->access = access;
	map->num_names = count;
	map->names = talloc_zero_array(map, struct access_name, count);
	if (map->names == NULL) {
		TALLOC_FREE(map);
		return EVERR_NOMEM;
	}
	for (i = 0; i < count && err == EVERR_OK; i++) {
		map->names[i].map = map;
		map->names[i].name = talloc_strdup(map, names[i]);
		map->names[i].sids = talloc_array(map, struct dom_sid, 0);
		if (map->names[i].name == NULL || map->names[i].sids == NULL) {
			err = EVERR_NOMEM;
		} else {
			err = name_resolve(&map->names[i]);
		}
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(map);
		return err;
	}
	*ret_map = map;
	return EVERR_OK;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for what winbindd was asked, but not for a controller that hangs. */
static void map_settle(struct access_map *map, int64_t deadline)
{
	size_t i;

	for (i = 0; i < map->num_names; i++) {
		int64_t left = deadline - now_ms();

		if (map->names[i].question != NULL) {
			(void)rpc_winbind_name_wait(map->names[i].question,
						    left > 0 ? (int)left : 0);
		}
	}
}

static const struct access_name *map_find(const struct access_map *map,
					  const char *text)
{
	size_t i;

	for (i = 0; map != NULL && i < map->num_names; i++) {
		if (strcmp(map->names[i].name, text) == 0) {
			return &map->names[i];
		}
	}
	return NULL;
}

/*
 * A name that cannot be found out now keeps what it stood for before: a
 * reload while the controller is away takes nobody's rights.
 */
static everr_t map_inherit(struct access_map *map, const struct access_map *old)
{
	everr_t err = EVERR_OK;
	size_t i;
	uint32_t j;

	for (i = 0; i < map->num_names; i++) {
		struct access_name *name = &map->names[i];
		const struct access_name *before = NULL;

		if (name->num_sids > 0) {
			continue;
		}
		before = map_find(old, name->name);
		for (j = 0; before != NULL && j < before->num_sids; j++) {
			err = name_add(name, &before->sids[j]);
			if (err != EVERR_OK) {
				return err;
			}
		}
	}
	return EVERR_OK;
}

/* Append the names without SIDs to *text. */
static everr_t map_unresolved(const struct access_map *map, char **text)
{
	size_t i;

	for (i = 0; i < map->num_names; i++) {
		if (map->names[i].num_sids > 0) {
			continue;
		}
		*text = talloc_asprintf_append(*text, "%s\"%s\"",
					       **text != '\0' ? ", " : "",
					       map->names[i].name);
		if (*text == NULL) {
			return EVERR_NOMEM;
		}
	}
	return EVERR_OK;
}

static everr_t access_warning(const struct rpc_access *access,
			      TALLOC_CTX *message_ctx, char **ret_warning)
{
	char *text = talloc_strdup(message_ctx, "");
	everr_t err = EVERR_NOMEM;

	if (text == NULL) {
		return EVERR_NOMEM;
	}
	err = map_unresolved(access->readers, &text);
	if (err == EVERR_OK) {
		err = map_unresolved(access->administrators, &text);
	}
	if (err != EVERR_OK || *text == '\0') {
		TALLOC_FREE(text);
		return err;
	}
	*ret_warning = talloc_asprintf(
		message_ctx,
		"no such user or group: %s. The name is tried again every "
		"minute (a domain's group is DOMAIN\\name; winbindd has to run "
		"and a domain controller to answer)",
		text);
	TALLOC_FREE(text);
	return *ret_warning != NULL ? EVERR_OK : EVERR_NOMEM;
}

/* --------------------------------------------------------------- retry */

/* Whether a name of the map that had no SID has one now. */
static bool map_retry(struct access_map *map, bool *ret_left)
{
	bool changed = false;
	everr_t err;
	size_t i;

	for (i = 0; i < map->num_names; i++) {
		if (map->names[i].num_sids > 0) {
			continue;
		}
		err = EVERR_OK;
		if (map->names[i].question == NULL) {
			err = name_resolve(&map->names[i]);
		}
		if (err == EVERR_OK && map->names[i].num_sids > 0) {
			changed = true;
		} else {
			*ret_left = true;
		}
	}
	return changed;
}

static void access_arm(struct rpc_access *access);

static void access_retry(struct tevent_context *ev, struct tevent_timer *te,
			 struct timeval now, void *private_data)
{
	struct rpc_access *access =
		talloc_get_type_abort(private_data, struct rpc_access);
	bool left = false;
	bool changed;

	access->retry = NULL;
	changed = map_retry(access->readers, &left);
	changed |= map_retry(access->administrators, &left);
	if (changed) {
		access->generation++;
	}
	if (left) {
		access_arm(access);
	}
}

static void access_arm(struct rpc_access *access)
{
	TALLOC_FREE(access->retry);
	access->retry =
		tevent_add_timer(access->ev, access,
				 tevent_timeval_current_ofs(RETRY_SECONDS, 0),
				 access_retry, access);
}

everr_t rpc_access_reload(struct rpc_access *access, const char *const *readers,
			  const char *const *administrators,
			  TALLOC_CTX *message_ctx, char **ret_warning)
{
	struct access_map *new_readers = NULL;
	struct access_map *new_administrators = NULL;
	char *warning = NULL;
	int64_t deadline;
	everr_t err;

	err = map_create(access, readers, &new_readers);
	if (err != EVERR_OK) {
		return err;
	}
	err = map_create(access, administrators, &new_administrators);
	if (err != EVERR_OK) {
		TALLOC_FREE(new_readers);
		return err;
	}
	deadline = now_ms() + ANSWER_MS;
	map_settle(new_readers, deadline);
	map_settle(new_administrators, deadline);
	err = map_inherit(new_readers, access->readers);
	if (err == EVERR_OK) {
		err = map_inherit(new_administrators, access->administrators);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(new_readers);
		TALLOC_FREE(new_administrators);
		return err;
	}

	TALLOC_FREE(access->readers);
	TALLOC_FREE(access->administrators);
	access->readers = new_readers;
	access->administrators = new_administrators;
	access->generation++;

	TALLOC_FREE(access->retry);
	err = access_warning(access, message_ctx, &warning);
	if (err == EVERR_OK && warning != NULL) {
		access_arm(access);
		*ret_warning = warning;
	}
	return err;
}

everr_t rpc_access_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const char *const *readers,
			  const char *const *administrators,
			  TALLOC_CTX *message_ctx,
			  struct rpc_access **ret_access, char **ret_warning)
{
	struct rpc_access *access = NULL;
	everr_t err;

	access = talloc_zero(mem_ctx, struct rpc_access);
	if (access == NULL) {
		return EVERR_NOMEM;
	}
	access->ev = ev;
	err = rpc_access_reload(access, readers, administrators, message_ctx,
				ret_warning);
	if (err != EVERR_OK) {
		TALLOC_FREE(access);
		return err;
	}
	*ret_access = access;
	return EVERR_OK;
}

/* -------------------------------------------------------------- tokens */

static bool token_has(const struct security_token *token,
		      const struct dom_sid *sid)
{
	uint32_t i;

	for (i = 0; i < token->num_sids; i++) {
		if (dom_sid_equal(&token->sids[i], sid)) {
			return true;
		}
	}
	return false;
}

static bool map_matches(const struct access_map *map,
			const struct security_token *token)
{
	size_t i;
	uint32_t j;

	for (i = 0; i < map->num_names; i++) {
		for (j = 0; j < map->names[i].num_sids; j++) {
			if (token_has(token, &map->names[i].sids[j])) {
				return true;
			}
		}
	}
	return false;
}

static everr_t token_add(struct security_token *token, const char *text)
{
	struct dom_sid sid;
	NTSTATUS status;

	if (!dom_sid_parse(text, &sid)) {
		return EVERR_INTERNAL;
	}
	status = add_sid_to_array_unique(token, &sid, &token->sids,
					 &token->num_sids);
	return NT_STATUS_IS_OK(status) ? EVERR_OK : EVERR_NOMEM;
}

uint32_t rpc_access_generation(const struct rpc_access *access)
{
	return access->generation;
}

everr_t rpc_access_token(TALLOC_CTX *mem_ctx, const struct rpc_access *access,
			 const struct security_token *token,
			 struct security_token **ret_token)
{
	struct security_token *copy = NULL;
	everr_t err = EVERR_OK;

	copy = talloc_memdup(mem_ctx, token, sizeof(*token));
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	talloc_set_name_const(copy, "struct security_token");
	copy->sids = talloc_memdup(copy, token->sids,
				   token->num_sids * sizeof(*token->sids));
	if (copy->sids == NULL) {
		TALLOC_FREE(copy);
		return EVERR_NOMEM;
	}
	/* For add_sid_to_array_unique(): an array by talloc's own books. */
	talloc_set_name_const(copy->sids, "struct dom_sid");

	if (map_matches(access->readers, token)) {
		err = token_add(copy, RPC_SID_READERS);
	}
	if (err == EVERR_OK && map_matches(access->administrators, token)) {
		err = token_add(copy, RPC_SID_ADMINISTRATORS);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(copy);
		return err;
	}
	*ret_token = copy;
	return EVERR_OK;
}

/* ------------------------------------------------------------ decision */

/* The domain that DA and its like in an access string belong to. */
static const struct dom_sid *access_domain(struct dom_sid *buf)
{
	if (secrets_fetch_domain_sid(lp_workgroup(), buf)) {
		return buf;
	}
	return get_global_sam_sid();
}

/* Read the text into the entry of that channel, if it is not there yet. */
static everr_t access_entry(struct rpc_access *access, uint32_t channel_id,
			    const char *sddl, struct access_entry **ret_entry)
{
	struct access_entry *entry = NULL;
	struct dom_sid buf;
	everr_t err;

	if (channel_id >= access->num_entries) {
		size_t count = (size_t)channel_id + 16;

		entry = talloc_realloc(access, access->entries,
				       struct access_entry, count);
		if (entry == NULL) {
			return EVERR_NOMEM;
		}
		memset(entry + access->num_entries, 0,
		       (count - access->num_entries) * sizeof(*entry));
		access->entries = entry;
		access->num_entries = count;
	}
	entry = &access->entries[channel_id];
	if (entry->sddl != NULL && strcmp(entry->sddl, sddl) == 0) {
		*ret_entry = entry;
		return EVERR_OK;
	}

	TALLOC_FREE(entry->sd);
	TALLOC_FREE(entry->sddl);
	entry->sddl = talloc_strdup(access->entries, sddl);
	if (entry->sddl == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_sddl_parse(access->entries, sddl, access_domain(&buf),
			     &entry->sd);
	if (err != EVERR_OK && err != EVERR_CONFIG) {
		return err;
	}
	*ret_entry = entry;
	return EVERR_OK;
}

everr_t rpc_access_decide(struct rpc_access *access, uint32_t channel_id,
			  const char *sddl, const struct security_token *token,
			  uint32_t wanted)
{
	struct access_entry *entry = NULL;
	uint32_t granted = 0;
	NTSTATUS status;
	everr_t err;

	err = access_entry(access, channel_id, sddl, &entry);
	if (err != EVERR_OK) {
		return err;
	}
	if (entry->sd == NULL) {
		return EVERR_ACCESS;
	}
	status = se_access_check(entry->sd, token, wanted, &granted);
	return NT_STATUS_IS_OK(status) ? EVERR_OK : EVERR_ACCESS;
}

/* ------------------------------------------------------------ sessions */

/* The token of one session of a connection, while its generation lasts. */
struct rpc_session {
	const struct auth_session_info *info;
	uint32_t generation;
	struct security_token *token;
};

static everr_t call_token(struct dcesrv_call_state *call,
			  const struct security_token **ret_token)
{
	struct rpc_connection *connection = rpc_call_connection(call);
	struct rpc_access *access = connection->service->access;
	const struct auth_session_info *info = dcesrv_call_session_info(call);
	struct rpc_session *session = connection->session;
	struct security_token *token = NULL;
	everr_t err;

	if (session != NULL && session->info == info &&
	    session->generation == rpc_access_generation(access)) {
		*ret_token = session->token;
		return EVERR_OK;
	}

	TALLOC_FREE(connection->session);
	session = talloc_zero(connection, struct rpc_session);
	if (session == NULL) {
		return EVERR_NOMEM;
	}
	err = rpc_access_token(session, access, info->security_token, &token);
	if (err != EVERR_OK) {
		TALLOC_FREE(session);
		return err;
	}
	session->info = info;
	session->generation = rpc_access_generation(access);
	session->token = token;
	connection->session = session;
	*ret_token = token;
	return EVERR_OK;
}

static bool call_has_sid(struct dcesrv_call_state *call, const char *text)
{
	const struct security_token *token = NULL;
	struct dom_sid sid;
	everr_t err;

	err = call_token(call, &token);
	return err == EVERR_OK && dom_sid_parse(text, &sid) &&
	       token_has(token, &sid);
}

bool rpc_call_is_administrator(struct dcesrv_call_state *call)
{
	return call_has_sid(call, "S-1-5-18") ||
	       call_has_sid(call, RPC_SID_ADMINISTRATORS);
}

const char *rpc_call_user(struct dcesrv_call_state *call)
{
	const struct auth_user_info *info =
		dcesrv_call_session_info(call)->info;
	char *text = NULL;

	if (info == NULL || info->account_name == NULL) {
		return "(unknown)";
	}
	text = talloc_asprintf(call, "%s\\%s",
			       info->domain_name != NULL ? info->domain_name
							 : "",
			       info->account_name);
	return text != NULL ? text : info->account_name;
}

/* ------------------------------------------------------------ channels */

const char *rpc_access_sddl(const struct store_channel_info *info)
{
	return info->config.sddl != NULL ? info->config.sddl
					 : rpc_sddl_default(info->name);
}

everr_t rpc_access_probe(struct dcesrv_call_state *call,
			 struct store_channel *channel, uint32_t access)
{
	struct rpc_service *service = rpc_call_service(call);
	const struct security_token *token = NULL;
	struct store_channel_info info;
	everr_t err;

	err = call_token(call, &token);
	if (err != EVERR_OK) {
		return err;
	}
	/*
	 * Windows' fallback string gives nobody the right to write, SYSTEM
	 * neither: its service writes without asking.  So may ours, and root.
	 */
	if (access == RPC_ACCESS_WRITE && call_has_sid(call, "S-1-5-18")) {
		return EVERR_OK;
	}
	store_channel_info(channel, &info);
	return rpc_access_decide(service->access, info.id,
				 rpc_access_sddl(&info), token, access);
}

everr_t rpc_access_check(struct dcesrv_call_state *call,
			 struct store_channel *channel, uint32_t access)
{
	everr_t err;

	err = rpc_access_probe(call, channel, access);
	if (err == EVERR_ACCESS) {
		rpc_report_access_refused(rpc_call_service(call),
					  rpc_call_user(call),
					  rpc_call_peer(call),
					  store_channel_name(channel), access);
	}
	return err;
}
