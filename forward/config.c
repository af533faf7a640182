/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/config.h"

#include "base/text.h"

#include <string.h>

static bool same_source(const struct forward_config *a,
			const struct forward_config *b)
{
	return text_same_list(a->channels, b->channels) &&
	       text_same(a->query, b->query) && a->start == b->start;
}

static bool same_format(const struct forward_config *a,
			const struct forward_config *b)
{
	return a->format == b->format && a->facility == b->facility &&
	       text_same(a->sd_id, b->sd_id) &&
	       a->max_message == b->max_message;
}

static bool same_receiver(const struct forward_config *a,
			  const struct forward_config *b)
{
	return a->transport == b->transport && a->framing == b->framing &&
	       text_same(a->host, b->host) && a->port == b->port &&
	       text_same(a->path, b->path) && text_same(a->ca, b->ca) &&
	       text_same(a->certificate, b->certificate) &&
	       text_same(a->key, b->key) &&
	       text_same(a->server_name, b->server_name) &&
	       a->window == b->window && a->backoff_max == b->backoff_max &&
	       a->idle_timeout == b->idle_timeout;
}

bool forward_config_equal(const struct forward_config *a,
			  const struct forward_config *b)
{
	return text_same(a->name, b->name) && same_source(a, b) &&
	       same_format(a, b) && same_receiver(a, b);
}

/* NULL stays NULL. */
static bool copy_text(TALLOC_CTX *mem_ctx, const char **text)
{
	if (*text == NULL) {
		return true;
	}
	*text = talloc_strdup(mem_ctx, *text);
	return *text != NULL;
}

static bool copy_list(TALLOC_CTX *mem_ctx, const char *const **list)
{
	const char **copy = NULL;
	size_t num = 0;
	size_t i;

	if (*list == NULL) {
		return true;
	}
	while ((*list)[num] != NULL) {
		num++;
	}
	copy = talloc_zero_array(mem_ctx, const char *, num + 1);
	for (i = 0; copy != NULL && i < num; i++) {
		copy[i] = talloc_strdup(copy, (*list)[i]);
		if (copy[i] == NULL) {
			return false;
		}
	}
	*list = copy;
	return copy != NULL;
}

everr_t forward_config_copy(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    struct forward_config **ret_copy)
{
	struct forward_config *copy = talloc(mem_ctx, struct forward_config);

	if (copy == NULL) {
		return EVERR_NOMEM;
	}
	*copy = *config;
	if (!copy_text(copy, &copy->name) ||
	    !copy_list(copy, &copy->channels) ||
	    !copy_text(copy, &copy->query) || !copy_text(copy, &copy->sd_id) ||
	    !copy_text(copy, &copy->host) || !copy_text(copy, &copy->path) ||
	    !copy_text(copy, &copy->ca) ||
	    !copy_text(copy, &copy->certificate) ||
	    !copy_text(copy, &copy->key) ||
	    !copy_text(copy, &copy->server_name)) {
		TALLOC_FREE(copy);
		return EVERR_NOMEM;
	}
	*ret_copy = copy;
	return EVERR_OK;
}

bool forward_sd_id_valid(const char *sd_id)
{
	const char *at = strchr(sd_id, '@');
	const char *c = NULL;

	if (at == NULL || at == sd_id || at[1] == '\0' ||
	    strlen(sd_id) > FORWARD_SD_ID_MAX) {
		return false;
	}
	for (c = sd_id; c < at; c++) {
		if (*c <= 0x20 || *c >= 0x7F || strchr("=]\"", *c) != NULL) {
			return false;
		}
	}
	for (c = at + 1; *c != '\0'; c++) {
		if ((*c < '0' || *c > '9') && *c != '.') {
			return false;
		}
	}
	return true;
}

uint32_t forward_backoff_max_ms(const struct forward_config *config)
{
	uint64_t seconds = config->backoff_max > 0
				   ? config->backoff_max
				   : FORWARD_BACKOFF_MAX_SECONDS;

	return seconds < INT32_MAX / 1000 ? (uint32_t)seconds * 1000
					  : INT32_MAX;
}
