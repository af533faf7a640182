/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/access.h"
#include "rpc/connection.h"
#include "rpc/export_file.h"
#include "rpc/host.h"
#include "rpc/listener.h"
#include "rpc/samba_start.h"
#include "rpc/settings.h"

#include "base/turns.h"

#define MIB (1024 * 1024)

/* ------------------------------------------------------- configuration */

static uint32_t limit_or(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

static struct rpc_limits limits_complete(const struct rpc_limits *limits)
{
	return (struct rpc_limits){
		.connections = limit_or(limits->connections, 4096),
		.connections_per_peer =
			limit_or(limits->connections_per_peer, 1024),
		.handles_per_connection =
			limit_or(limits->handles_per_connection, 256),
		.subscriptions = limit_or(limits->subscriptions, 4096),
		.handle_bytes_per_connection =
			limit_or(limits->handle_bytes_per_connection, 16 * MIB),
		.handle_bytes = limit_or(limits->handle_bytes, 512 * MIB),
		.calls_in_flight = limit_or(limits->calls_in_flight, 64),
		.logon_seconds = limit_or(limits->logon_seconds, 30),
		.unsent_bytes = limit_or(limits->unsent_bytes, 8 * MIB),
	};
}

static everr_t names_copy(TALLOC_CTX *mem_ctx, const char *const *names,
			  const char *const **ret_names)
{
	const char **copy = NULL;
	size_t count = 0;
	size_t i;

	while (names != NULL && names[count] != NULL) {
		count++;
	}
	copy = talloc_zero_array(mem_ctx, const char *, count + 1);
	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	for (i = 0; i < count; i++) {
		copy[i] = talloc_strdup(copy, names[i]);
		if (copy[i] == NULL) {
			TALLOC_FREE(copy);
			return EVERR_NOMEM;
		}
	}
	*ret_names = copy;
	return EVERR_OK;
}

static everr_t text_copy(TALLOC_CTX *mem_ctx, const char *text,
			 const char **ret_text)
{
	if (text == NULL) {
		*ret_text = NULL;
		return EVERR_OK;
	}
	*ret_text = talloc_strdup(mem_ctx, text);
	return *ret_text != NULL ? EVERR_OK : EVERR_NOMEM;
}

static everr_t config_copy(TALLOC_CTX *mem_ctx, const struct rpc_config *config,
			   struct rpc_config *ret_config)
{
	struct rpc_config copy = *config;
	everr_t err;

	copy.limits = limits_complete(&config->limits);
	/* Access lists live in rpc/access.c, where they can be reloaded. */
	copy.readers = NULL;
	copy.administrators = NULL;
	err = names_copy(mem_ctx, config->listen, &copy.listen);
	if (err == EVERR_OK) {
		err = text_copy(mem_ctx, config->control_socket,
				&copy.control_socket);
	}
	if (err == EVERR_OK) {
		err = text_copy(mem_ctx, config->smb_conf, &copy.smb_conf);
	}
	if (err == EVERR_OK) {
		err = text_copy(mem_ctx, config->export_directory,
				&copy.export_directory);
	}
	if (err == EVERR_OK) {
		*ret_config = copy;
	}
	return err;
}

/* --------------------------------------------------------------- start */

/*
 * Two warnings may come up on the way; *message has the first one then.
 */
static void warning_add(TALLOC_CTX *mem_ctx, char **message, char *warning)
{
	if (warning == NULL) {
		return;
	}
	if (*message == NULL) {
		*message = warning;
		return;
	}
	*message = talloc_asprintf(mem_ctx, "%s; %s", *message, warning);
	TALLOC_FREE(warning);
}

/* Until there is another one: the publishers that are built in. */
static everr_t catalog_begin(struct rpc_service *service)
{
	struct event_catalog *catalog = event_catalog_create(service);

	if (catalog == NULL) {
		return EVERR_NOMEM;
	}
	service->catalog = catalog;
	return EVERR_OK;
}

/* Without it the service does all but export. */
static void export_start(struct rpc_service *service, TALLOC_CTX *mem_ctx,
			 char **message)
{
	const char *directory = service->config.export_directory;
	everr_t err;

	if (directory == NULL) {
		return;
	}
	err = rpc_export_clean(directory);
	if (err != EVERR_OK) {
		warning_add(mem_ctx, message,
			    talloc_asprintf(mem_ctx,
					    "the export directory %s cannot "
					    "be used (%s): clients cannot "
					    "export logs or back them up",
					    directory, everr_text(err)));
	}
}

static everr_t service_start_parts(struct rpc_service *service,
				   const struct rpc_config *config,
				   TALLOC_CTX *mem_ctx, char **message)
{
	char *warning = NULL;
	everr_t err;

	err = rpc_host_start(service, mem_ctx, &service->host, message);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_access_create(service, service->ev, config->readers,
				config->administrators, mem_ctx,
				&service->access, message);
	if (err != EVERR_OK) {
		return err;
	}
	err = turns_create(service, service->ev, &service->turns);
	if (err != EVERR_OK) {
		return err;
	}
	err = catalog_begin(service);
	if (err != EVERR_OK) {
		return err;
	}
	/* Until there are the daemon's: the store's channels as they are. */
	err = rpc_settings_create(service, service->store, &service->settings);
	if (err != EVERR_OK) {
		return err;
	}
	err = rpc_listeners_start(service, mem_ctx, &service->port, &warning);
	if (err != EVERR_OK) {
		TALLOC_FREE(*message);
		*message = warning;
		return err;
	}
	warning_add(mem_ctx, message, warning);
	export_start(service, mem_ctx, message);
	return rpc_host_set_ports(service->host, service->port,
				  service->mapper_port);
}

/*
 * Connections go before what they use, and their handles' objects before the
 * store's caller takes the store away.
 */
static int service_destructor(struct rpc_service *service)
{
	struct rpc_connection *connection = NULL;
	struct rpc_connection *next = NULL;

	for (connection = LIST_FIRST(&service->connections); connection != NULL;
	     connection = next) {
		next = LIST_NEXT(connection, link);
		TALLOC_FREE(connection);
	}
	return 0;
}

everr_t rpc_service_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			  const struct rpc_config *config, struct store *store,
			  struct operational *operational,
			  const struct rpc_control_hooks *hooks,
			  struct rpc_service **ret_service, char **ret_message)
{
	struct rpc_service *service = NULL;
	TALLOC_CTX *frame = NULL;
	everr_t err;

	*ret_message = NULL;
	service = talloc_zero(mem_ctx, struct rpc_service);
	if (service == NULL) {
		return EVERR_NOMEM;
	}
	service->ev = ev;
	service->store = store;
	service->operational = operational;
	if (hooks != NULL) {
		service->hooks = *hooks;
	}
	LIST_INIT(&service->connections);
	LIST_INIT(&service->groups);
	talloc_set_destructor(service, service_destructor);

	frame = rpc_samba_frame();
	err = config_copy(service, config, &service->config);
	if (err == EVERR_OK) {
		err = service_start_parts(service, config, mem_ctx,
					  ret_message);
	}
	TALLOC_FREE(frame);
	if (err != EVERR_OK) {
		TALLOC_FREE(service);
		return err;
	}
	*ret_service = service;
	return EVERR_OK;
}

everr_t rpc_service_reload(struct rpc_service *service,
			   const char *const *readers,
			   const char *const *administrators,
			   char **ret_message)
{
	*ret_message = NULL;
	return rpc_access_reload(service->access, readers, administrators,
				 service, ret_message);
}

everr_t rpc_service_set_catalog(struct rpc_service *service,
				struct event_catalog *catalog)
{
	if (catalog == service->catalog) {
		return EVERR_OK;
	}
	if (talloc_reference(service, catalog) == NULL) {
		return EVERR_NOMEM;
	}
	(void)talloc_unlink(service, service->catalog);
	service->catalog = catalog;
	return EVERR_OK;
}

void rpc_service_set_settings(struct rpc_service *service,
			      struct rpc_settings *settings)
{
	service->settings = settings;
	rpc_settings_report(settings, service->operational);
}

uint16_t rpc_service_port(const struct rpc_service *service)
{
	return service->port;
}

uint16_t rpc_service_mapper_port(const struct rpc_service *service)
{
	return service->mapper_port;
}

void rpc_service_stats(const struct rpc_service *service,
		       struct rpc_stats *ret_stats)
{
	*ret_stats = service->stats;
}
