/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/config.h"

#include "base/text.h"

#include <string.h>

/* ------------------------------------------------------------------ copy */

static size_t text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* The strings of a host itself, which are copied alike. */
static const size_t texts[] = {
	offsetof(struct collect_config, section),
	offsetof(struct collect_config, host),
	offsetof(struct collect_config, user),
	offsetof(struct collect_config, domain),
	offsetof(struct collect_config, password_file),
	offsetof(struct collect_config, keytab),
	offsetof(struct collect_config, principal),
	offsetof(struct collect_config, ccache),
	offsetof(struct collect_config, target),
};

#define NUM_TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char **text_at(struct collect_config *config, size_t index)
{
	return (const char **)(void *)((char *)config + texts[index]);
}

static size_t copy_size(struct collect_config *config)
{
	size_t size = sizeof(*config) +
		      config->num_channels * sizeof(*config->channels);
	size_t i;

	for (i = 0; i < NUM_TEXTS; i++) {
		size += text_size(*text_at(config, i));
	}
	for (i = 0; i < config->num_channels; i++) {
		size += text_size(config->channels[i].name);
		size += text_size(config->channels[i].query);
	}
	return size;
}

/* Move *text to *at, which is moved behind it. */
static void take_text(char **at, const char **text)
{
	size_t size = text_size(*text);

	if (*text == NULL) {
		return;
	}
	memcpy(*at, *text, size);
	*text = *at;
	*at += size;
}

struct collect_config *collect_config_copy(TALLOC_CTX *mem_ctx,
					   const struct collect_config *config)
{
	struct collect_channel_config *channels = NULL;
	struct collect_config shallow = *config;
	struct collect_config *copy = NULL;
	char *at = NULL;
	size_t i;

	copy = talloc_size(mem_ctx, copy_size(&shallow));
	if (copy == NULL) {
		return NULL;
	}
	talloc_set_name_const(copy, "struct collect_config");
	*copy = shallow;
	channels = (struct collect_channel_config *)(copy + 1);
	at = (char *)(channels + copy->num_channels);
	for (i = 0; i < NUM_TEXTS; i++) {
		take_text(&at, text_at(copy, i));
	}
	for (i = 0; i < copy->num_channels; i++) {
		channels[i] = config->channels[i];
		take_text(&at, &channels[i].name);
		take_text(&at, &channels[i].query);
	}
	copy->channels = channels;
	return copy;
}

/* --------------------------------------------------------------- compare */

static bool same_channels(const struct collect_config *a,
			  const struct collect_config *b)
{
	size_t i;

	if (a->num_channels != b->num_channels) {
		return false;
	}
	for (i = 0; i < a->num_channels; i++) {
		if (!text_same(a->channels[i].name, b->channels[i].name) ||
		    !text_same(a->channels[i].query, b->channels[i].query)) {
			return false;
		}
	}
	return true;
}

static bool same_credentials(const struct collect_config *a,
			     const struct collect_config *b)
{
	return a->auth == b->auth && text_same(a->user, b->user) &&
	       text_same(a->domain, b->domain) &&
	       text_same(a->password_file, b->password_file) &&
	       text_same(a->keytab, b->keytab) &&
	       text_same(a->principal, b->principal) &&
	       text_same(a->ccache, b->ccache);
}

bool collect_config_equal(const struct collect_config *a,
			  const struct collect_config *b)
{
	return text_same(a->section, b->section) &&
	       text_same(a->host, b->host) && a->port == b->port &&
	       a->mapper_port == b->mapper_port && same_credentials(a, b) &&
	       same_channels(a, b) && a->delivery == b->delivery &&
	       a->batch == b->batch && a->read_existing == b->read_existing &&
	       text_same(a->target, b->target) &&
	       a->backoff_max == b->backoff_max && a->liveness == b->liveness &&
	       a->silent_after == b->silent_after;
}
