/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/service.h"
#include "daemon/bridge.h"
#include "daemon/channels.h"
#include "daemon/collect.h"
#include "daemon/forward.h"
#include "daemon/manifests.h"

#include "base/text.h"
#include "base/wintime.h"
#include "rpc/smb_conf.h"

#include <string.h>

/* The publishers of the manifests; what is passed over is logged. */
static everr_t load_manifests(struct daemon_service *service,
			      const struct daemon_config *config,
			      struct event_catalog **ret_catalog)
{
	struct daemon_manifests *manifests = NULL;
	everr_t err;
	size_t i;

	err = daemon_manifests_load(service, config->manifests, NULL,
				    &manifests);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR,
			   "manifests in %s: %s", config->manifests,
			   everr_text(err));
		return err;
	}
	for (i = 0; i < manifests->num_problems; i++) {
		daemon_log(service->log, DAEMON_LOG_ERROR,
			   "manifest passed over: %s", manifests->problems[i]);
	}
	*ret_catalog = talloc_steal(service, manifests->catalog);
	talloc_free(manifests);
	return EVERR_OK;
}

static everr_t start_store(struct daemon_service *service)
{
	const struct daemon_config *config = service->config;
	everr_t err;

	err = store_open(service, service->ev, &config->store, &service->store);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "store %s: %s%s",
			   config->store.path, everr_text(err),
			   err == EVERR_STORE_CORRUPT
				   ? "; run 'evenlog verify' on it"
				   : "");
		return err;
	}
	err = daemon_channels_start(service);
	if (err != EVERR_OK) {
		return err;
	}
	err = operational_create(service, service->ev, service->store,
				 config->computer, &service->operational);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s: %s",
			   OPERATIONAL_CHANNEL, everr_text(err));
	}
	return err;
}

/* The Samba configuration, written first when it is our own. */
static everr_t prepare_samba(struct daemon_service *service)
{
	struct daemon_config *config = service->config;
	struct rpc_smb_conf options = {};
	char *message = NULL;
	everr_t err;

	config->rpc.smb_conf = daemon_config_smb_conf(config, config, &options);
	if (config->rpc.smb_conf == NULL) {
		return EVERR_NOMEM;
	}
	if (options.dir == NULL) {
		return EVERR_OK;
	}
	err = rpc_smb_conf_write(service, &options, &message);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s",
			   message != NULL ? message : everr_text(err));
	}
	TALLOC_FREE(message);
	return err;
}

static everr_t hook_reload(void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);

	return daemon_service_reload(service);
}

static char *hook_status(TALLOC_CTX *mem_ctx, void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);

	return daemon_service_status(mem_ctx, service);
}

static everr_t start_rpc(struct daemon_service *service)
{
	const struct rpc_control_hooks hooks = {
		.reload = hook_reload,
		.status = hook_status,
		.quarantine = &daemon_quarantine_hooks,
		.forward = &daemon_forward_hooks,
		.collect = &daemon_collect_hooks,
		.private_data = service,
	};
	char *message = NULL;
	everr_t err;

	err = prepare_samba(service);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_service_start(service, service->ev, &service->config->rpc,
				service->store, service->operational, &hooks,
				&service->rpc, &message);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s",
			   message != NULL ? message : everr_text(err));
	} else if (message != NULL) {
		daemon_log(service->log, DAEMON_LOG_WARNING, "%s", message);
	}
	TALLOC_FREE(message);
	if (err != EVERR_OK) {
		return err;
	}
	rpc_service_set_settings(service->rpc, service->settings);
	return rpc_service_set_catalog(service->rpc, service->catalog);
}

/*
 * The doors close before the store: talloc frees children in no order that
 * may be relied on.
 */
static int service_destructor(struct daemon_service *service)
{
	TALLOC_FREE(service->collector);
	TALLOC_FREE(service->soap);
	TALLOC_FREE(service->rpc);
	TALLOC_FREE(service->forwarder);
	TALLOC_FREE(service->settings);
	TALLOC_FREE(service->operational);
	TALLOC_FREE(service->store);
	return 0;
}

everr_t daemon_service_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     struct daemon_log *log, const char *config_file,
			     struct daemon_config *config,
			     struct daemon_service **ret_service)
{
	const char *version[] = {"Version", PACKAGE_VERSION};
	struct daemon_service *service = NULL;
	everr_t err;

	service = talloc_zero(mem_ctx, struct daemon_service);
	if (service == NULL) {
		return EVERR_NOMEM;
	}
	service->ev = ev;
	service->log = log;
	service->config_file = config_file;
	service->config = talloc_steal(service, config);
	service->started = wintime_now();
	talloc_set_destructor(service, service_destructor);

	service->lag = daemon_lag_create(service, ev);
	err = service->lag != NULL ? EVERR_OK : EVERR_NOMEM;
	if (err == EVERR_OK) {
		err = load_manifests(service, service->config,
				     &service->catalog);
	}
	if (err == EVERR_OK) {
		err = start_store(service);
	}
	if (err == EVERR_OK) {
		err = daemon_forward_start(service);
	}
	if (err == EVERR_OK) {
		err = start_rpc(service);
	}
	if (err == EVERR_OK) {
		err = daemon_bridge_start(service);
	}
	if (err == EVERR_OK) {
		err = daemon_collect_start(service);
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(service);
		return err;
	}

	operational_report(service->operational, OPERATIONAL_STARTED, NULL,
			   version, 1);
	*ret_service = service;
	return EVERR_OK;
}

/* Keys that are read at the start only; told when they changed. */
static void warn_restart(struct daemon_service *service,
			 const struct daemon_config *new)
{
	const struct daemon_config *old = service->config;

	if (strcmp(old->store.path, new->store.path) != 0 ||
	    old->synchronous != new->synchronous ||
	    memcmp(&old->store.limits, &new->store.limits,
		   sizeof(old->store.limits)) != 0) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "changes in [store] need a restart");
	}
	if (!text_same_list(old->rpc.listen, new->rpc.listen) ||
	    old->rpc_port != new->rpc_port ||
	    old->mapper_port != new->mapper_port ||
	    old->rpc.endpoint_mapper != new->rpc.endpoint_mapper ||
	    strcmp(old->rpc.control_socket, new->rpc.control_socket) != 0 ||
	    strcmp(old->rpc.export_directory, new->rpc.export_directory) != 0 ||
	    old->rpc.export_max_bytes != new->rpc.export_max_bytes ||
	    old->rpc.export_reserve != new->rpc.export_reserve ||
	    memcmp(&old->rpc.limits, &new->rpc.limits,
		   sizeof(old->rpc.limits)) != 0) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "changes in [rpc] need a restart");
	}
	if (old->samba_mode != new->samba_mode ||
	    !text_same(old->samba_state, new->samba_state) ||
	    !text_same(old->realm, new->realm) ||
	    !text_same(old->keytab, new->keytab)) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "changes in [authentication] need a restart");
	}
	if (!text_same(old->computer, new->computer)) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "a change of 'computer' needs a restart");
	}
	daemon_bridge_warn_restart(service, new);
	daemon_collect_warn_restart(service, new);
}

/* reason NULL: what err says. */
static void refuse_configuration(struct daemon_service *service,
				 const struct daemon_config_errors *errors,
				 const char *reason, everr_t err)
{
	const char *fields[] = {"Reason",
				reason != NULL ? reason : everr_text(err)};
	size_t i;

	for (i = 0; errors != NULL && i < errors->num_messages; i++) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s",
			   errors->messages[i]);
		fields[1] = errors->messages[0];
	}
	if (reason != NULL) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s", reason);
	}
	daemon_log(service->log, DAEMON_LOG_ERROR,
		   "the configuration in force stays as it is");
	operational_report(service->operational,
			   OPERATIONAL_CONFIGURATION_REFUSED, NULL, fields, 1);
}

static everr_t take_access(struct daemon_service *service,
			   const struct daemon_config *config)
{
	char *message = NULL;
	everr_t err;

	err = rpc_service_reload(service->rpc, config->rpc.readers,
				 config->rpc.administrators, &message);
	if (message != NULL) {
		daemon_log(service->log, DAEMON_LOG_WARNING, "%s", message);
		TALLOC_FREE(message);
	}
	return err;
}

/*
 * Room by room, each of them all or nothing.  The collector comes after the
 * channels, which its targets are among; the forwarder is the last: it then
 * never has a catalog that is given up.  *ret_message may say what is wrong.
 */
static everr_t take_rooms(struct daemon_service *service,
			  const struct daemon_config *config,
			  struct event_catalog *catalog, char **ret_message)
{
	everr_t err;

	err = take_access(service, config);
	if (err == EVERR_OK) {
		err = daemon_bridge_reload(service, config, ret_message);
	}
	if (err == EVERR_OK) {
		err = daemon_channels_define(service, config, catalog);
	}
	if (err == EVERR_OK) {
		err = rpc_service_set_catalog(service->rpc, catalog);
	}
	if (err == EVERR_OK) {
		err = daemon_collect_reload(service, config, ret_message);
	}
	if (err == EVERR_OK) {
		err = daemon_forward_reload(service, config, catalog,
					    ret_message);
	}
	return err;
}

static everr_t take_configuration(struct daemon_service *service,
				  const struct daemon_config *config,
				  char **ret_message)
{
	struct event_catalog *catalog = NULL;
	char *ignored = NULL;
	everr_t err;

	err = load_manifests(service, config, &catalog);
	if (err != EVERR_OK) {
		return err;
	}
	err = take_rooms(service, config, catalog, ret_message);
	if (err != EVERR_OK) {
		/* Rooms that have changed go back; for the others it is
		   nothing new. */
		(void)!take_rooms(service, service->config, service->catalog,
				  &ignored);
		TALLOC_FREE(ignored);
		(void)talloc_unlink(service, catalog);
		return err;
	}
	/* Handles of clients may still refer to the old one. */
	(void)talloc_unlink(service, service->catalog);
	service->catalog = catalog;
	return EVERR_OK;
}

/*
 * Who wants no configuration at all any more writes an empty one: a file
 * system that is not mounted is no reason to stop collecting.
 */
static everr_t check_vanished(struct daemon_service *service,
			      const struct daemon_config *config,
			      char **ret_message)
{
	const struct daemon_config *old = service->config;

	if (!old->collect_directory_read || config->collect_directory_read ||
	    !text_same(old->collect_directory, config->collect_directory)) {
		return EVERR_OK;
	}
	*ret_message = talloc_asprintf(
		service,
		"%s is gone, and with it what is collected and forwarded by "
		"its files; if that is meant, make it again, empty",
		config->collect_directory);
	return EVERR_CONFIG;
}

everr_t daemon_service_reload(struct daemon_service *service)
{
	/* The default file may be missing at the start, but not vanish. */
	const char *file = service->config_file != NULL ? service->config_file
							: service->config->file;
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	char *message = NULL;
	everr_t err;

	err = daemon_config_load(service, file, &config, &errors);
	if (err != EVERR_OK) {
		refuse_configuration(service, errors, NULL, err);
		TALLOC_FREE(errors);
		return err;
	}

	err = check_vanished(service, config, &message);
	if (err == EVERR_OK) {
		warn_restart(service, config);
		err = take_configuration(service, config, &message);
	}
	if (err != EVERR_OK) {
		refuse_configuration(service, NULL, message, err);
		TALLOC_FREE(message);
		TALLOC_FREE(config);
		return err;
	}

	service->log->level = (enum daemon_log_level)config->log_level;
	config->rpc.smb_conf =
		talloc_strdup(config, service->config->rpc.smb_conf);
	TALLOC_FREE(service->config);
	service->config = config;
	daemon_collect_warn_files(service->log, &service->config->collect);
	daemon_forward_warn_files(service->log, service->config);
	daemon_log(service->log, DAEMON_LOG_INFO, "configuration reloaded");
	operational_report(service->operational,
			   OPERATIONAL_CONFIGURATION_RELOADED, NULL, NULL, 0);
	return EVERR_OK;
}
