/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/forward/fake_receiver.h"

#include "forward/format.h"

#include <string.h>

#define FAKES_MAX 16

static struct forward_transport *fakes[FAKES_MAX];
uint64_t fake_format_fails;

static int fake_destructor(struct forward_transport *transport)
{
	size_t i;

	for (i = 0; i < FAKES_MAX; i++) {
		if (fakes[i] == transport) {
			fakes[i] = NULL;
		}
	}
	return 0;
}

struct forward_transport *fake_receiver(const char *output)
{
	size_t i;

	for (i = FAKES_MAX; i > 0; i--) {
		if (fakes[i - 1] != NULL &&
		    strcmp(fakes[i - 1]->config->name, output) == 0) {
			return fakes[i - 1];
		}
	}
	return NULL;
}

everr_t forward_transport_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				 const struct forward_config *config,
				 const struct forward_transport_hooks *hooks,
				 void *private_data,
				 struct forward_transport **ret_transport,
				 char **ret_message)
{
	struct forward_transport *transport = NULL;
	size_t last = 0;
	size_t i;

	(void)ev;
	if (strcmp(config->host, "refused") == 0) {
		*ret_message = talloc_strdup(mem_ctx, "no such certificate");
		return EVERR_CONFIG;
	}
	transport = talloc_zero(mem_ctx, struct forward_transport);
	transport->hooks = *hooks;
	transport->private_data = private_data;
	transport->config = config;
	for (i = 0; i < FAKES_MAX; i++) {
		last = fakes[i] != NULL ? i + 1 : last;
	}
	fakes[last] = transport;
	talloc_set_destructor(transport, fake_destructor);
	*ret_transport = transport;
	return EVERR_OK;
}

bool forward_transport_ready(const struct forward_transport *transport)
{
	return transport->up && transport->room > 0;
}

bool forward_transport_send(struct forward_transport *transport,
			    const uint8_t *message, size_t len,
			    uint64_t sequence)
{
	if (!forward_transport_ready(transport)) {
		return false;
	}
	transport->room--;
	transport->messages =
		talloc_realloc(transport, transport->messages,
			       struct fake_message, transport->num + 1);
	transport->messages[transport->num++] = (struct fake_message){
		.text = talloc_strndup(transport, (const char *)message, len),
		.sequence = sequence,
	};
	return true;
}

bool forward_transport_ask(struct forward_transport *transport,
			   uint64_t *ret_sequence)
{
	if (transport->untold == 0) {
		return false;
	}
	*ret_sequence = transport->messages[transport->untold - 1].sequence;
	transport->untold = 0;
	return true;
}

void forward_transport_info(const struct forward_transport *transport,
			    struct forward_transport_info *ret_info)
{
	*ret_info =
		(struct forward_transport_info){.up = transport->up,
						.messages = transport->num,
						.refused = transport->refused};
}

void fake_up(struct forward_transport *transport, uint64_t room)
{
	transport->up = true;
	transport->room = room;
	transport->hooks.ready(transport->private_data);
}

void fake_down(struct forward_transport *transport)
{
	transport->up = false;
	transport->hooks.down("the receiver has gone", transport->private_data);
}

void fake_refuse(struct forward_transport *transport, size_t num)
{
	transport->hooks.refused(transport->messages[num - 1].sequence,
				 "answered 500 no", transport->private_data);
	fake_down(transport);
}

void fake_arrive(struct forward_transport *transport, size_t num)
{
	transport->hooks.arrived(transport->messages[num - 1].sequence,
				 transport->private_data);
}

/* -------------------------------------------------------------- format */

struct forward_format {
	int unused;
};

everr_t forward_format_create(TALLOC_CTX *mem_ctx,
			      const struct forward_config *config,
			      const char *computer, struct event_dict *dict,
			      const struct event_catalog *catalog,
			      struct forward_format **ret_format)
{
	(void)config;
	(void)computer;
	(void)dict;
	(void)catalog;
	*ret_format = talloc_zero(mem_ctx, struct forward_format);
	return EVERR_OK;
}

everr_t forward_format_event(struct forward_format *format, struct buf *out,
			     const struct forward_event *event,
			     uint32_t *ret_marks)
{
	(void)format;
	if (event->record_id == fake_format_fails && event->len > 0) {
		return EVERR_LIMIT;
	}
	buf_printf(out, "%s %llu%s", event->channel,
		   (unsigned long long)event->record_id,
		   event->len == 0 ? " damaged" : "");
	*ret_marks = event->len == 0 ? FORWARD_DAMAGED : 0;
	return buf_error(out);
}

everr_t forward_format_gap(struct forward_format *format, struct buf *out,
			   const char *channel, const struct forward_gap *gap,
			   uint64_t now)
{
	(void)format;
	(void)now;
	buf_printf(out, "%s gap %llu-%llu %s%llu %s", channel,
		   (unsigned long long)gap->first,
		   (unsigned long long)gap->last, gap->at_most ? "up to " : "",
		   (unsigned long long)gap->missing, gap->cause);
	return buf_error(out);
}
