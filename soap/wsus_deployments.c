/* SPDX-License-Identifier: GPL-3.0-or-later */

/* GetDeployments, [MS-WSUSSS] 3.1.4.9. */

#include "soap/wsus_sync.h"

#include <string.h>

/* A deadline that never comes; no zone, as Windows writes it. */
#define NO_DEADLINE "9999-12-31T23:59:59.9999999"

/* After from (NULL: all) and not after to. */
struct window {
	const struct wsus_anchor *from;
	const struct wsus_anchor *to;
};

/*
 * The upper end goes by the number alone: it is this catalogue's own, and the
 * answer's anchor repeats it.
 */
static bool in_window(const struct window *window,
		      const struct wsus_anchor *changed)
{
	return changed->number <= window->to->number &&
	       wsus_anchor_after(changed, window->from);
}

static void put_group(struct soap_writer *writer,
		      const struct wsus_group *group)
{
	soap_open(writer, "ServerSyncTargetGroup");
	soap_put_guid(writer, "TargetGroupID", &group->id);
	soap_put_guid(writer, "ParentGroupId", &group->parent);
	soap_put(writer, "Name", group->name);
	soap_put_bool(writer, "IsBuiltin", group->builtin);
	soap_close(writer);
}

static void put_deployment(struct soap_writer *writer,
			   const struct wsus_deployment *deployment)
{
	soap_open(writer, "ServerSyncDeployment");
	soap_put_guid(writer, "UpdateId", &deployment->update);
	soap_put_int(writer, "RevisionNumber", deployment->revision);
	soap_put_int(writer, "Action", deployment->action);
	soap_put(writer, "AdminName", deployment->admin);
	if (deployment->deadline == 0) {
		soap_put(writer, "Deadline", NO_DEADLINE);
	} else {
		soap_put_time(writer, "Deadline", deployment->deadline);
	}
	soap_put_bool(writer, "IsAssigned", deployment->assigned);
	soap_put_time(writer, "GoLiveTime", deployment->go_live);
	soap_put_guid(writer, "DeploymentGuid", &deployment->id);
	soap_put_guid(writer, "TargetGroupId", &deployment->group);
	soap_put_int(writer, "DownloadPriority", deployment->priority);
	soap_close(writer);
}

static void put_guids(struct soap_writer *writer, const char *name,
		      const struct ev_guid *guids, size_t num)
{
	size_t i;

	soap_open(writer, name);
	for (i = 0; i < num; i++) {
		soap_put_guid(writer, "guid", &guids[i]);
	}
	soap_close(writer);
}

static void put_changes(struct soap_writer *writer,
			const struct wsus_catalogue *catalogue,
			const struct window *window)
{
	size_t i;

	soap_open(writer, "Deployments");
	for (i = 0; i < catalogue->num_deployments; i++) {
		const struct wsus_deployment *deployment =
			&catalogue->deployments[i];

		if (in_window(window, &deployment->changed)) {
			put_deployment(writer, deployment);
		}
	}
	soap_close(writer);
	soap_open(writer, "DeadDeployments");
	for (i = 0; i < catalogue->num_dead; i++) {
		if (in_window(window, &catalogue->dead[i].changed)) {
			soap_put_guid(writer, "guid", &catalogue->dead[i].id);
		}
	}
	soap_close(writer);
}

static void put_result(struct soap_writer *writer,
		       const struct wsus_catalogue *catalogue,
		       const struct window *window)
{
	char text[WSUS_ANCHOR_TEXT_MAX];
	size_t i;

	wsus_anchor_format(window->to, text);
	soap_open(writer, "GetDeploymentsResult");
	soap_put(writer, "Anchor", text);
	soap_open(writer, "Groups");
	for (i = 0; i < catalogue->num_groups; i++) {
		put_group(writer, &catalogue->groups[i]);
	}
	soap_close(writer);
	put_changes(writer, catalogue, window);
	put_guids(writer, "HiddenUpdates", catalogue->declined,
		  catalogue->num_declined);
	put_guids(writer, "AcceptedEulas", catalogue->eulas,
		  catalogue->num_eulas);
	soap_close(writer);
}

static void get_deployments(struct soap_call *call)
{
	struct wsus *wsus = call->private_data;
	struct wsus_session session;
	struct wsus_anchor from, to;
	struct window window = {.to = &to};
	everr_t err;

	if (!wsus_session_check(call, &session)) {
		return;
	}
	err = wsus_sync_anchor(wsus->catalogue, call->request,
			       "deploymentAnchor", &from);
	if (err == EVERR_TEXT) {
		wsus_fault_parameter(call, "deploymentAnchor");
		return;
	}
	window.from = err == EVERR_OK ? &from : NULL;
	err = wsus_sync_anchor(wsus->catalogue, call->request, "syncAnchor",
			       &to);
	if (err != EVERR_OK) {
		wsus_fault_parameter(call, "syncAnchor");
		return;
	}
	put_result(soap_answer_begin(call, 0), wsus->catalogue, &window);
	wsus->calls++;
	soap_answer(call);
}

const struct soap_operation wsus_get_deployments = {
	.name = "GetDeployments",
	.finish = get_deployments,
};
