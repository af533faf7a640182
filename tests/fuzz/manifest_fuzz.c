/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any bytes as a manifest.  What is accepted is what the header promises:
 * sorted events and messages, names, pointers into its own arrays; and a
 * catalog takes it or says which publisher is in the way.
 */

#include "event/catalog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_events(const struct event_publisher *p)
{
	size_t i;

	for (i = 0; i < p->num_events; i++) {
		const struct event_manifest_event *e = &p->events[i];

		must(e->channel == NULL ||
		     (e->channel >= p->channels &&
		      e->channel < p->channels + p->num_channels));
		must(e->tmpl == NULL ||
		     (e->tmpl >= p->templates &&
		      e->tmpl < p->templates + p->num_templates));
		must(event_publisher_event(p, e->id, e->version) == e);
	}
}

static void check_strings(const struct event_publisher *p)
{
	size_t i, j;

	for (i = 0; i < p->num_strings; i++) {
		const struct event_manifest_strings *s = &p->strings[i];

		for (j = 0; j < s->num_messages; j++) {
			must(s->messages[j].text != NULL);
			must(j == 0 ||
			     s->messages[j - 1].id <= s->messages[j].id);
		}
		must(s->num_parameters <= s->num_messages);
	}
}

static void check_names(const struct event_catalog *catalog,
			const struct event_publisher *p)
{
	size_t i;

	for (i = 0; i < p->num_levels; i++) {
		must(event_catalog_level(catalog, p,
					 (uint8_t)p->levels[i].value,
					 0x409) != NULL);
	}
	for (i = 0; i < p->num_opcodes; i++) {
		must(event_catalog_opcode(catalog, p, p->opcodes[i].task,
					  (uint8_t)p->opcodes[i].value,
					  0) != NULL);
	}
	for (i = 0; i < p->num_templates; i++) {
		must(strncmp(p->templates[i].xml, "<template ", 10) == 0);
	}
}

static void check(struct event_manifest *manifest)
{
	struct event_catalog *catalog = event_catalog_create(NULL);
	const char *name = NULL;
	size_t i;
	everr_t err;

	must(catalog != NULL);
	must(manifest->num_publishers > 0);
	for (i = 0; i < manifest->num_publishers; i++) {
		const struct event_publisher *p = &manifest->publishers[i];

		must(p->name[0] != '\0');
		must(strlen(p->name) <= EVENT_PUBLISHER_NAME_MAX);
		check_events(p);
		check_strings(p);
		check_names(catalog, p);
	}
	err = event_catalog_add(catalog, manifest, &name);
	must(err == EVERR_OK || (err == EVERR_EXISTS && name != NULL));
	if (err != EVERR_OK) {
		talloc_free(manifest);
	}
	talloc_free(catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_manifest_error error = {.line = -1};
	struct event_manifest *manifest = NULL;
	everr_t err;

	err = event_manifest_parse(NULL, "fuzz", data, size, &manifest, &error);
	if (err == EVERR_OK) {
		check(manifest);
	} else {
		must(manifest == NULL);
		must(error.line >= 0 && error.message[0] != '\0');
	}
	return 0;
}
