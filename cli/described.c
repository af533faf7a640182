/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/described.h"

#include "cli/options.h"
#include "daemon/manifests.h"

#include <inttypes.h>
#include <string.h>

int cli_described_publisher(struct cli *cli, const char *dir,
			    const char *provider,
			    const struct event_publisher **ret_publisher)
{
	struct daemon_manifests *manifests = NULL;
	everr_t err;
	size_t i;

	err = daemon_manifests_load(cli, dir, NULL, &manifests);
	if (err != EVERR_OK) {
		cli_error("%s: %s", dir, everr_text(err));
		return CLI_FAILED;
	}
	*ret_publisher = event_catalog_find(manifests->catalog, provider);
	/* Perhaps it is in one that cannot be read. */
	for (i = 0; *ret_publisher == NULL && i < manifests->num_problems;
	     i++) {
		cli_note("%s", manifests->problems[i]);
	}
	return -1;
}

/* The events that there are, for a message; NULL: no memory. */
static char *event_ids(TALLOC_CTX *mem_ctx,
		       const struct event_publisher *publisher)
{
	char *text = talloc_strdup(mem_ctx, "");
	size_t shown = 0;
	size_t i;

	for (i = 0; i < publisher->num_events && shown < 40; i++) {
		if (i > 0 &&
		    publisher->events[i - 1].id == publisher->events[i].id) {
			continue;
		}
		text = talloc_asprintf_append_buffer(text, "%s%" PRIu32,
						     shown == 0 ? "" : ", ",
						     publisher->events[i].id);
		shown++;
	}
	if (i < publisher->num_events) {
		text = talloc_asprintf_append_buffer(text, ", ...");
	}
	return text;
}

int cli_described_event(struct cli *cli,
			const struct event_publisher *publisher, uint32_t id,
			const char *version,
			const struct event_manifest_event **ret_event)
{
	const struct event_manifest_event *event = NULL;
	uint64_t number = UINT8_MAX;
	everr_t err;

	if (version != NULL) {
		err = cli_parse_number(version, UINT8_MAX, &number);
		if (err != EVERR_OK) {
			return cli_usage(cli,
					 "--event-version is a number from 0 "
					 "to 255, not \"%s\"",
					 version);
		}
	}
	event = event_publisher_event(publisher, id, (uint8_t)number);
	if (event == NULL &&
	    event_publisher_event(publisher, id, UINT8_MAX) == NULL) {
		cli_error("the manifest of %s describes no event %" PRIu32
			  "; its events are %s",
			  publisher->name, id, event_ids(cli, publisher));
		return CLI_FAILED;
	}
	if (event == NULL || (version != NULL && event->version != number)) {
		cli_error("the manifest of %s describes no version %" PRIu64
			  " of event %" PRIu32,
			  publisher->name, number, id);
		return CLI_FAILED;
	}
	*ret_event = event;
	return -1;
}

static size_t count(const char *const *texts)
{
	size_t num = 0;

	while (texts != NULL && texts[num] != NULL) {
		num++;
	}
	return num;
}

/* "name=value"; -1 or exit status. */
static int split(struct cli *cli, const char *text,
		 struct event_compose_value *ret_value)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		return cli_usage(cli, "%s: data is name=value", text);
	}
	ret_value->name = talloc_strndup(cli, text, (size_t)(equals - text));
	ret_value->text = equals + 1;
	if (ret_value->name == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	return -1;
}

int cli_described_compose(struct cli *cli, struct buf *out,
			  const struct event_publisher *publisher,
			  const struct event_manifest_event *event,
			  const struct event_system *base,
			  const char *const *texts,
			  const char *const *more_texts)
{
	size_t num_first = count(texts);
	size_t num = num_first + count(more_texts);
	struct event_compose_value *values = NULL;
	char *message = NULL;
	everr_t err;
	size_t i;
	int ret = -1;

	values = talloc_array(cli, struct event_compose_value, num);
	if (values == NULL) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	for (i = 0; i < num && ret < 0; i++) {
		ret = split(cli,
			    i < num_first ? texts[i]
					  : more_texts[i - num_first],
			    &values[i]);
	}
	if (ret >= 0) {
		return ret;
	}
	err = event_compose(cli, out, publisher, event, base, values, num,
			    &message);
	if (err == EVERR_OK) {
		err = buf_error(out);
	}
	if (err != EVERR_OK) {
		cli_error("%s", message != NULL ? message : everr_text(err));
		return CLI_FAILED;
	}
	return -1;
}
