/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/config.h"

#include "base/text.h"

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
