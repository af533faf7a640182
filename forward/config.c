/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/config.h"

#include "base/text.h"

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
