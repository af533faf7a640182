/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/bridge.h"

#include "base/text.h"
#include "base/wintime.h"
#include "soap/soap.h"

#include <string.h>

/* ------------------------------------------------------ start and reload */

static void hook_metrics(struct buf *out, void *private_data)
{
	daemon_metrics(out, talloc_get_type_abort(private_data,
						  struct daemon_service));
}

static char *hook_health(TALLOC_CTX *mem_ctx, void *private_data)
{
	return daemon_health(
		mem_ctx,
		talloc_get_type_abort(private_data, struct daemon_service));
}

everr_t daemon_bridge_start(struct daemon_service *service)
{
	const struct soap_hooks hooks = {
		.metrics = hook_metrics,
		.health = hook_health,
		.private_data = service,
	};
	char *message = NULL;
	everr_t err;
	size_t i;

	if (!soap_wanted(&service->config->soap)) {
		return EVERR_OK;
	}
	err = soap_start(service, service->ev, &service->config->soap,
			 service->store, service->operational, &hooks,
			 &service->soap, &message);
	if (err != EVERR_OK) {
		daemon_log(service->log, DAEMON_LOG_ERROR, "%s",
			   message != NULL ? message : everr_text(err));
		TALLOC_FREE(message);
		return err;
	}
	if (message != NULL) {
		daemon_log(service->log, DAEMON_LOG_WARNING, "%s", message);
		TALLOC_FREE(message);
	}
	for (i = 0; i < soap_listener_count(service->soap); i++) {
		struct soap_listener_info info;

		soap_listener_info(service->soap, i, &info);
		daemon_log(service->log, DAEMON_LOG_INFO,
			   "listener %s: %s on %s port %u", info.name,
			   info.tls ? "HTTPS" : "HTTP", info.address,
			   info.port);
	}
	return EVERR_OK;
}

everr_t daemon_bridge_reload(struct daemon_service *service,
			     const struct daemon_config *config,
			     char **ret_message)
{
	if (service->soap == NULL) {
		return EVERR_OK;
	}
	return soap_reload(service->soap, &config->soap, service, ret_message);
}

/* All but what a reload applies. */
static bool same_listener(const struct soap_listener_config *a,
			  const struct soap_listener_config *b)
{
	return a->roles == b->roles && a->http.port == b->http.port &&
	       a->http.client_certificate == b->http.client_certificate &&
	       text_same(a->http.address, b->http.address) &&
	       text_same(a->http.certificate, b->http.certificate) &&
	       text_same(a->http.key, b->http.key) &&
	       text_same(a->http.client_ca, b->http.client_ca) &&
	       memcmp(&a->http.limits, &b->http.limits,
		      sizeof(a->http.limits)) == 0;
}

static void warn_listener(struct daemon_service *service, const char *what,
			  const char *name)
{
	daemon_log(service->log, DAEMON_LOG_WARNING,
		   "[listener %s] %s, which needs a restart", name, what);
}

static void warn_listeners(struct daemon_service *service,
			   const struct soap_config *old,
			   const struct soap_config *new)
{
	const struct soap_listener_config *was = NULL;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < new->num_listeners; i++) {
		name = new->listeners[i].http.name;
		was = soap_config_listener(old, name);
		if (was == NULL) {
			warn_listener(service, "is new", name);
		} else if (!same_listener(was, &new->listeners[i])) {
			warn_listener(service,
				      "has changed beyond its allow-list",
				      name);
		}
	}
	for (i = 0; i < old->num_listeners; i++) {
		name = old->listeners[i].http.name;
		if (soap_config_listener(new, name) == NULL) {
			warn_listener(service, "is gone", name);
		}
	}
}

static bool runs_configmgr(const struct daemon_service *service)
{
	return service->soap != NULL && soap_configmgr(service->soap) != NULL;
}

void daemon_bridge_warn_restart(struct daemon_service *service,
				const struct daemon_config *config)
{
	const struct soap_config *old = &service->config->soap;
	const struct soap_config *new = &config->soap;

	warn_listeners(service, old, new);
	if (old->wsus.enabled != new->wsus.enabled) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "a change of 'enabled' in [wsus] needs a restart");
	}
	if (old->configmgr.enabled != new->configmgr.enabled) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "a change of 'enabled' in [configmgr] needs a "
			   "restart");
	}
	if (!runs_configmgr(service) &&
	    !text_same(old->configmgr.inbox, new->configmgr.inbox)) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "a change of 'inbox' needs a restart while nothing "
			   "else of [configmgr] runs");
	}
	if (!text_same(old->quarantine, new->quarantine) ||
	    memcmp(&old->quarantine_limits, &new->quarantine_limits,
		   sizeof(old->quarantine_limits)) != 0) {
		daemon_log(service->log, DAEMON_LOG_WARNING,
			   "changes in [quarantine] need a restart");
	}
}

/* -------------------------------------------------------------- status */

static json_t *roles_json(uint32_t roles)
{
	static const char *const names[] = {"wsus", "configmgr", "metrics"};
	char text[64] = "";
	size_t len = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((roles & 1U << i) != 0) {
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%s", len > 0 ? " " : "",
						names[i]);
		}
	}
	return json_string(text);
}

static json_t *listener_json(const struct soap_listener_info *info)
{
	const struct http_stats *stats = &info->stats;

	return json_pack(
		"{s:s,s:s,s:i,s:b,s:o,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name",
		info->name, "address", info->address, "port", (int)info->port,
		"tls", info->tls, "serve", roles_json(info->roles),
		"connections", (int)stats->connections, "accepted",
		(json_int_t)stats->accepted, "refused",
		(json_int_t)stats->refused, "limited",
		(json_int_t)stats->limited, "timed_out",
		(json_int_t)stats->timed_out, "requests",
		(json_int_t)stats->requests, "received",
		(json_int_t)stats->received, "sent", (json_int_t)stats->sent);
}

static json_t *listeners_json(const struct daemon_service *service)
{
	json_t *array = json_array();
	struct soap_listener_info info;
	size_t i;

	for (i = 0;
	     service->soap != NULL && i < soap_listener_count(service->soap);
	     i++) {
		soap_listener_info(service->soap, i, &info);
		json_array_append_new(array, listener_json(&info));
	}
	return array;
}

/*
 * name, or name{label="value"}, of which the value becomes a member of name's
 * object: the values are of our own making, and need no escapes.
 */
static void add_sample(json_t *object, const char *name, size_t len,
		       json_t *value)
{
	const char *label = memchr(name, '{', len);
	const char *from =
		label != NULL ? memchr(label, '"', len - (size_t)(label - name))
			      : NULL;
	const char *to = memrchr(name, '"', len);
	json_t *family = NULL;
	size_t family_len;

	if (from == NULL || to <= from) {
		json_object_setn_new(object, name, len, value);
		return;
	}
	family_len = (size_t)(label - name);
	family = json_object_getn(object, name, family_len);
	if (family == NULL) {
		family = json_object();
		json_object_setn_new(object, name, family_len, family);
	}
	json_object_setn_new(family, from + 1, (size_t)(to - from) - 1, value);
}

/*
 * A service counts for its metrics: each sample becomes a member, without the
 * prefix that all its names have.
 */
static json_t *samples_json(const struct buf *metrics, const char *prefix)
{
	json_t *object = json_object();
	const char *text = (const char *)metrics->data;
	const char *end = text + metrics->len;
	size_t skip = strlen(prefix);

	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		const char *stop = line != NULL ? line : end;
		const char *space = memrchr(text, ' ', (size_t)(stop - text));

		if (space != NULL && (size_t)(space - text) > skip &&
		    strncmp(text, prefix, skip) == 0) {
			add_sample(object, text + skip,
				   (size_t)(space - text) - skip,
				   json_integer((json_int_t)strtoull(
					   space, NULL, 10)));
		}
		text = stop + 1;
	}
	return object;
}

static void add_services(const struct soap *soap, json_t *root)
{
	struct buf out;

	buf_init(&out, NULL, 1024 * 1024);
	if (soap_wsus(soap) != NULL) {
		wsus_metrics(soap_wsus(soap), &out);
		json_object_set_new(root, "wsus",
				    samples_json(&out, "evenlog_wsus_"));
	}
	buf_reset(&out);
	if (soap_configmgr(soap) != NULL) {
		configmgr_metrics(soap_configmgr(soap), &out);
		json_object_set_new(root, "configmgr",
				    samples_json(&out, "evenlog_configmgr_"));
	}
	buf_free(&out);
}

void daemon_bridge_status(const struct daemon_service *service, json_t *root)
{
	struct quarantine_stats stats;

	json_object_set_new(root, "listeners", listeners_json(service));
	if (service->soap == NULL) {
		return;
	}
	add_services(service->soap, root);
	quarantine_stats(soap_quarantine(service->soap), &stats);
	json_object_set_new(root, "quarantine",
			    json_pack("{s:i,s:I,s:I,s:I,s:I}", "entries",
				      (int)stats.entries, "bytes",
				      (json_int_t)stats.bytes, "kept",
				      (json_int_t)stats.kept, "dropped",
				      (json_int_t)stats.dropped, "lost",
				      (json_int_t)stats.lost));
}

/* ---------------------------------------------------------- quarantine */

static json_t *text_json(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *entry_json(const struct quarantine_entry *entry)
{
	char received[WINTIME_TEXT_MAX];

	wintime_format(entry->received, received);
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:b,s:o}",
			 "name", entry->name, "received", received, "source",
			 text_json(entry->source), "peer",
			 text_json(entry->peer), "method",
			 text_json(entry->method), "path",
			 text_json(entry->path), "content_type",
			 text_json(entry->content_type), "soap_action",
			 text_json(entry->soap_action), "length",
			 (json_int_t)entry->len, "complete", entry->complete,
			 "reason", text_json(entry->reason));
}

/* NULL: out of memory. */
static char *entry_text(TALLOC_CTX *mem_ctx,
			const struct quarantine_entry *entry)
{
	json_t *json = entry_json(entry);
	char *text = NULL;
	char *copy = NULL;

	if (json == NULL) {
		return NULL;
	}
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (text != NULL) {
		copy = talloc_strdup(mem_ctx, text);
		free(text);
	}
	return copy;
}

static struct quarantine *service_quarantine(void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);

	return service->soap != NULL ? soap_quarantine(service->soap) : NULL;
}

/* Entries of one answer: each costs an open file, in the loop. */
#define LIST_ENTRIES_MAX 128

/* Entries while they fit; the caller asks on after the last. */
static everr_t put_entries(struct buf *out, struct quarantine *quarantine,
			   const char *after)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	struct quarantine_entry entry = {.name = after};
	everr_t err = EVERR_OK;
	char *text = NULL;
	size_t i;

	for (i = 0; i < LIST_ENTRIES_MAX; i++) {
		err = quarantine_next(frame, quarantine, entry.name, &entry);
		if (err != EVERR_OK) {
			break;
		}
		text = entry_text(frame, &entry);
		if (text == NULL) {
			err = EVERR_NOMEM;
			break;
		}
		if (out->len + strlen(text) + 3 > out->max) {
			break;
		}
		buf_puts(out, i > 0 ? "," : "");
		buf_puts(out, text);
	}
	talloc_free(frame);
	return err == EVERR_END ? EVERR_OK : err;
}

static everr_t hook_list(TALLOC_CTX *mem_ctx, const char *after, size_t max,
			 char **ret_json, void *private_data)
{
	struct quarantine *quarantine = service_quarantine(private_data);
	struct buf out;
	everr_t err;

	if (quarantine == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	buf_init(&out, mem_ctx, max);
	buf_puts(&out, "[");
	err = put_entries(&out, quarantine, after);
	buf_put(&out, "]", 2);
	if (err == EVERR_OK) {
		err = buf_error(&out);
	}
	if (err != EVERR_OK) {
		buf_free(&out);
		return err;
	}
	*ret_json = (char *)out.data;
	return EVERR_OK;
}

static everr_t hook_read(TALLOC_CTX *mem_ctx, const char *name, uint64_t offset,
			 size_t max, struct rpc_quarantine_part *ret_part,
			 void *private_data)
{
	struct quarantine *quarantine = service_quarantine(private_data);
	struct rpc_quarantine_part part = {.json = NULL};
	struct quarantine_entry entry;
	everr_t err;

	if (quarantine == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	err = quarantine_find(mem_ctx, quarantine, name, &entry);
	if (err == EVERR_OK) {
		err = quarantine_read_part(mem_ctx, quarantine, name, offset,
					   max, &part.data, &part.len,
					   &part.total);
	}
	if (err == EVERR_OK) {
		part.json = entry_text(mem_ctx, &entry);
		err = part.json != NULL ? EVERR_OK : EVERR_NOMEM;
	}
	if (err == EVERR_OK) {
		*ret_part = part;
	}
	return err;
}

static everr_t hook_remove(const char *name, void *private_data)
{
	struct quarantine *quarantine = service_quarantine(private_data);

	if (quarantine == NULL) {
		return EVERR_NOT_SUPPORTED;
	}
	return quarantine_remove(quarantine, name);
}

static struct tevent_req *hook_retry_send(TALLOC_CTX *mem_ctx,
					  struct tevent_context *ev,
					  const char *name, void *private_data)
{
	struct daemon_service *service =
		talloc_get_type_abort(private_data, struct daemon_service);

	return soap_retry_send(mem_ctx, ev, service->soap, name);
}

const struct rpc_quarantine_hooks daemon_quarantine_hooks = {
	.list = hook_list,
	.read = hook_read,
	.remove = hook_remove,
	.retry_send = hook_retry_send,
	.retry_recv = soap_retry_recv,
};
