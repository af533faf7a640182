/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/report.h"

#include "bridge/decode.h"
#include "event/xml.h"

#include <stdio.h>

/*
 * libxml2 looks for a prefix among all namespaces that are in force; state
 * details may quote XML, so that there may be more than in a query.
 */
#define NAMESPACES_MAX 256

/* UTF-8 may take 3 bytes where UTF-16 takes 2; and a NUL for each text. */
#define TEXT_MAX (2 * BRIDGE_REPORT_MAX)

/* What the children of the root are about. */
enum section {
	SECTION_OTHER,
	SECTION_HEADER,
	SECTION_BODY,
	SECTION_PROPERTIES,
	SECTION_QUALIFIERS
};

/* What the children of <ReportBody> are. */
enum item {
	ITEM_OTHER,
	ITEM_INSTANCE,
	ITEM_STATE
};

struct reading {
	TALLOC_CTX *mem_ctx;
	const char *root;
	struct report *report;
	unsigned int depth; /* elements that are open */
	/* Names of those, one after the other, each with a NUL. */
	struct buf names;
	size_t starts[BRIDGE_REPORT_DEPTH_MAX];
	enum section section;
	enum item item;
	struct buf leaf;	   /* text since the last tag */
	bool has_children;	   /* of the element that ends */
	report_text_t status_name; /* @Name of a status' property */
	struct buf parameters;
	size_t room_instances, room_properties, room_states;
	const char *reason;
};

const char *report_text(const struct report *report, report_text_t text)
{
	return text == 0 ? NULL : (const char *)report->text.data + text;
}

const char *report_field(const struct report *report, enum report_field field)
{
	return report_text(report, report->fields[field]);
}

/* ------------------------------------------------------------- the pieces */

static report_text_t keep(struct reading *reading, const char *text, size_t len)
{
	struct buf *out = &reading->report->text;
	size_t at = out->len;

	buf_put(out, text, len);
	buf_put_u8(out, 0);
	return (report_text_t)at;
}

static report_text_t keep_attribute(
	struct reading *reading, const struct event_xml_attribute *attributes,
	size_t num, const char *name)
{
	const struct event_xml_attribute *found = NULL;

	found = event_xml_attribute(attributes, num, name);
	return found == NULL ? 0
			     : keep(reading, found->value, found->value_len);
}

/* Room for one more of an array of *ret_room; it doubles. */
static everr_t grow(struct reading *reading, void **array, size_t size,
		    size_t num, size_t *ret_room)
{
	size_t room = *ret_room == 0 ? 16 : 2 * *ret_room;
	void *grown = NULL;

	if (num < *ret_room) {
		return EVERR_OK;
	}
	grown = talloc_realloc_size(reading->report, *array, room * size);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	*array = grown;
	*ret_room = room;
	return EVERR_OK;
}

static everr_t too_many(struct reading *reading, const char *what,
			unsigned int max)
{
	return bridge_refuse(reading->mem_ctx, EVERR_LIMIT, &reading->reason,
			     "more than %u %s", max, what);
}

static everr_t add_instance(struct reading *reading,
			    const struct event_xml_attribute *attributes,
			    size_t num)
{
	struct report *report = reading->report;
	struct report_instance *instance = NULL;
	void *array = report->instances;
	everr_t err;

	if (report->num_instances == BRIDGE_REPORT_INSTANCES_MAX) {
		return too_many(reading, "instances",
				BRIDGE_REPORT_INSTANCES_MAX);
	}
	err = grow(reading, &array, sizeof(*instance), report->num_instances,
		   &reading->room_instances);
	if (err != EVERR_OK) {
		return err;
	}
	report->instances = array;
	instance = &report->instances[report->num_instances++];
	*instance = (struct report_instance){
		.class = keep_attribute(reading, attributes, num, "Class"),
		.content = keep_attribute(reading, attributes, num, "Content"),
		.namespace =
			keep_attribute(reading, attributes, num, "Namespace"),
		.parent_class =
			keep_attribute(reading, attributes, num, "ParentClass"),
	};
	snprintf(instance->number, sizeof(instance->number), "%u",
		 (unsigned int)report->num_instances);
	return EVERR_OK;
}

static everr_t add_property(struct reading *reading, uint32_t instance,
			    report_text_t name, const char *value, size_t len)
{
	struct report *report = reading->report;
	void *array = report->properties;
	everr_t err;

	if (report->num_properties == REPORT_PROPERTIES_MAX) {
		return too_many(reading, "properties", REPORT_PROPERTIES_MAX);
	}
	err = grow(reading, &array, sizeof(*report->properties),
		   report->num_properties, &reading->room_properties);
	if (err != EVERR_OK) {
		return err;
	}
	report->properties = array;
	report->properties[report->num_properties++] = (struct report_property){
		.instance = instance,
		.name = name,
		.value = keep(reading, value, len),
		.len = (uint32_t)len,
	};
	return EVERR_OK;
}

static everr_t add_state(struct reading *reading,
			 const struct event_xml_attribute *attributes,
			 size_t num)
{
	struct report *report = reading->report;
	void *array = report->states;
	everr_t err;

	if (report->num_states == BRIDGE_EVENTS_MAX) {
		return too_many(reading, "state messages", BRIDGE_EVENTS_MAX);
	}
	err = grow(reading, &array, sizeof(*report->states), report->num_states,
		   &reading->room_states);
	if (err != EVERR_OK) {
		return err;
	}
	report->states = array;
	report->states[report->num_states++] = (struct report_state){
		.message_time =
			keep_attribute(reading, attributes, num, "MessageTime"),
		.serial_number = keep_attribute(reading, attributes, num,
						"SerialNumber"),
	};
	buf_reset(&reading->parameters);
	return EVERR_OK;
}

/* ----------------------------------------------------------------- starts */

static bool is_name(const char *name, const char *want)
{
	return strcmp(name, want) == 0;
}

static everr_t start_root(struct reading *reading, const char *name)
{
	if (is_name(name, reading->root)) {
		return EVERR_OK;
	}
	return bridge_refuse(reading->mem_ctx, EVERR_NOT_SUPPORTED,
			     &reading->reason, "it is a <%.64s>, not a <%s>",
			     name, reading->root);
}

static void start_section(struct reading *reading, const char *name)
{
	if (is_name(reading->root, "Status")) {
		reading->section =
			is_name(name, "Properties")   ? SECTION_PROPERTIES
			: is_name(name, "Qualifiers") ? SECTION_QUALIFIERS
						      : SECTION_HEADER;
	} else {
		reading->section =
			is_name(name, "ReportHeader") ? SECTION_HEADER
			: is_name(name, "ReportBody") ? SECTION_BODY
						      : SECTION_OTHER;
	}
}

static everr_t start_item(struct reading *reading, const char *name,
			  const struct event_xml_attribute *attributes,
			  size_t num)
{
	struct report *report = reading->report;

	switch (reading->section) {
	case SECTION_BODY:
		break;
	case SECTION_HEADER:
		if (is_name(name, "InventoryAction")) {
			report->fields[REPORT_ACTION_TYPE] = keep_attribute(
				reading, attributes, num, "ActionType");
		}
		return EVERR_OK;
	case SECTION_PROPERTIES:
	case SECTION_QUALIFIERS:
		reading->status_name =
			keep_attribute(reading, attributes, num, "Name");
		return EVERR_OK;
	default:
		return EVERR_OK;
	}
	if (is_name(name, "Instance")) {
		reading->item = ITEM_INSTANCE;
		return add_instance(reading, attributes, num);
	}
	if (is_name(name, "StateMessage")) {
		reading->item = ITEM_STATE;
		return add_state(reading, attributes, num);
	}
	reading->item = ITEM_OTHER;
	return EVERR_OK;
}

static void start_in_state(struct reading *reading, const char *name,
			   const struct event_xml_attribute *attributes,
			   size_t num)
{
	struct report *report = reading->report;
	struct report_state *state = &report->states[report->num_states - 1];

	if (is_name(name, "State")) {
		state->state_id =
			keep_attribute(reading, attributes, num, "ID");
		state->criticality =
			keep_attribute(reading, attributes, num, "Criticality");
	} else if (is_name(name, "Topic")) {
		state->topic_type =
			keep_attribute(reading, attributes, num, "Type");
		state->topic_id =
			keep_attribute(reading, attributes, num, "ID");
		state->topic_id_type =
			keep_attribute(reading, attributes, num, "IDType");
		state->user = keep_attribute(reading, attributes, num, "User");
		state->user_sid =
			keep_attribute(reading, attributes, num, "UserSID");
	}
}

/* Of an instance: <Class>, which names it if @Class does not. */
static void start_in_instance(struct reading *reading, const char *name)
{
	struct report *report = reading->report;
	struct report_instance *instance =
		&report->instances[report->num_instances - 1];

	if (reading->depth == 4 && instance->class == 0) {
		instance->class = keep(reading, name, strlen(name));
	}
}

static everr_t on_start(void *private_data, const char *name,
			const struct event_xml_attribute *attributes,
			size_t num)
{
	struct reading *reading = private_data;

	if (reading->depth == BRIDGE_REPORT_DEPTH_MAX) {
		return bridge_refuse(
			reading->mem_ctx, EVERR_LIMIT, &reading->reason,
			"its elements are nested more than %u deep",
			BRIDGE_REPORT_DEPTH_MAX);
	}
	buf_reset(&reading->leaf);
	reading->has_children = false;
	reading->starts[reading->depth++] = reading->names.len;
	buf_put(&reading->names, name, strlen(name) + 1);
	if (buf_error(&reading->names) != EVERR_OK) {
		return buf_error(&reading->names);
	}
	switch (reading->depth) {
	case 1:
		return start_root(reading, name);
	case 2:
		start_section(reading, name);
		return EVERR_OK;
	case 3:
		return start_item(reading, name, attributes, num);
	default:
		break;
	}
	if (reading->section == SECTION_BODY && reading->item == ITEM_STATE) {
		start_in_state(reading, name, attributes, num);
	} else if (reading->section == SECTION_BODY &&
		   reading->item == ITEM_INSTANCE) {
		start_in_instance(reading, name);
	}
	return EVERR_OK;
}

/* ------------------------------------------------------------------- ends */

static const char *parent_name(const struct reading *reading)
{
	return (const char *)reading->names.data +
	       reading->starts[reading->depth - 2];
}

/* The text of the element that ends, without blanks around it. */
static void trimmed(const struct reading *reading, const char **ret_text,
		    size_t *ret_len)
{
	*ret_text =
		reading->leaf.len == 0 ? "" : (const char *)reading->leaf.data;
	*ret_len = reading->leaf.len;
	event_xml_trim(ret_text, ret_len);
}

static everr_t end_in_header(struct reading *reading, const char *name)
{
	static const struct {
		const char *parent;
		const char *name;
		enum report_field field;
	} fields[] = {
		{"Machine", "ClientInstalled", REPORT_CLIENT_INSTALLED},
		{"Machine", "ClientType", REPORT_CLIENT_TYPE},
		{"Machine", "ClientID", REPORT_CLIENT_ID},
		{"Machine", "ClientVersion", REPORT_CLIENT_VERSION},
		{"Machine", "NetBIOSName", REPORT_NETBIOS_NAME},
		{"Machine", "CodePage", REPORT_CODE_PAGE},
		{"Machine", "SystemDefaultLCID", REPORT_LCID},
		{"Machine", "Priority", REPORT_PRIORITY},
		{"ReportDetails", "ReportContent", REPORT_CONTENT},
		{"ReportDetails", "ReportType", REPORT_TYPE},
		{"ReportDetails", "Date", REPORT_DATE},
		{"ReportDetails", "Version", REPORT_VERSION},
		{"ReportDetails", "Format", REPORT_FORMAT},
		{"InventoryAction", "InventoryActionID", REPORT_ACTION_ID},
		{"InventoryAction", "Description", REPORT_ACTION_DESCRIPTION},
		{"InventoryAction", "InventoryActionLastUpdateTime",
		 REPORT_ACTION_LAST_UPDATE},
		{"Status", "Type", REPORT_STATUS_TYPE},
	};
	const char *parent = parent_name(reading);
	const char *text = NULL;
	size_t len = 0;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!is_name(name, fields[i].name) ||
		    !is_name(parent, fields[i].parent)) {
			continue;
		}
		trimmed(reading, &text, &len);
		/* It is in every event of the report. */
		if (len > REPORT_FIELD_MAX) {
			return bridge_refuse(
				reading->mem_ctx, EVERR_LIMIT, &reading->reason,
				"its %s has %zu bytes; %d are the most", name,
				len, REPORT_FIELD_MAX);
		}
		reading->report->fields[fields[i].field] =
			keep(reading, text, len);
	}
	return EVERR_OK;
}

/* A property is a leaf below <Class>, or has text among its children. */
static everr_t end_in_instance(struct reading *reading, const char *name)
{
	uint32_t instance = (uint32_t)reading->report->num_instances - 1;
	const char *text = NULL;
	size_t len = 0;

	trimmed(reading, &text, &len);
	if (reading->depth < 5 || (reading->has_children && len == 0)) {
		return EVERR_OK;
	}
	return add_property(reading, instance,
			    keep(reading, name, strlen(name)), text, len);
}

static void end_in_state(struct reading *reading, const char *name)
{
	struct report *report = reading->report;
	struct report_state *state = &report->states[report->num_states - 1];
	const char *text = NULL;
	size_t len = 0;

	trimmed(reading, &text, &len);
	if (is_name(name, "StateDetails")) {
		state->details = keep(reading, text, len);
	} else if (is_name(name, "Param")) {
		if (reading->parameters.len > 0) {
			buf_puts(&reading->parameters, ", ");
		}
		buf_put(&reading->parameters, text, len);
	}
}

/* The parent's name is worth a word where it is another one. */
static void drop_same_parent(const struct report *report,
			     struct report_instance *instance)
{
	const char *class = report_text(report, instance->class);
	const char *parent = report_text(report, instance->parent_class);

	if (class == NULL || parent == NULL || strcmp(class, parent) == 0) {
		instance->parent_class = 0;
	}
}

/* An instance that says nothing is still one. */
static everr_t end_instance(struct reading *reading)
{
	struct report *report = reading->report;
	uint32_t instance = (uint32_t)report->num_instances - 1;

	drop_same_parent(report, &report->instances[instance]);
	if (report->num_properties > 0 &&
	    report->properties[report->num_properties - 1].instance ==
		    instance) {
		return EVERR_OK;
	}
	return add_property(reading, instance, 0, "", 0);
}

static void end_state(struct reading *reading)
{
	struct report *report = reading->report;

	report->states[report->num_states - 1].parameters =
		keep(reading, (const char *)reading->parameters.data,
		     reading->parameters.len);
}

static everr_t end_in_body(struct reading *reading, const char *name)
{
	if (reading->item == ITEM_INSTANCE) {
		return reading->depth == 3 ? end_instance(reading)
					   : end_in_instance(reading, name);
	}
	if (reading->item == ITEM_STATE) {
		if (reading->depth == 3) {
			end_state(reading);
		} else {
			end_in_state(reading, name);
		}
	}
	return EVERR_OK;
}

static everr_t end_element(struct reading *reading, const char *name)
{
	const char *text = NULL;
	size_t len = 0;

	if (reading->depth < 2) {
		return EVERR_OK;
	}
	switch (reading->section) {
	case SECTION_HEADER:
		return end_in_header(reading, name);
	case SECTION_BODY:
		return reading->depth < 3 ? EVERR_OK
					  : end_in_body(reading, name);
	case SECTION_PROPERTIES:
	case SECTION_QUALIFIERS:
		if (reading->depth != 3) {
			return EVERR_OK;
		}
		trimmed(reading, &text, &len);
		return add_property(reading,
				    reading->section == SECTION_QUALIFIERS,
				    reading->status_name, text, len);
	default:
		return EVERR_OK;
	}
}

static everr_t on_end(void *private_data, const char *name)
{
	struct reading *reading = private_data;
	everr_t err;

	err = end_element(reading, name);
	buf_reset(&reading->leaf);
	reading->has_children = true;
	buf_truncate(&reading->names, reading->starts[--reading->depth]);
	if (err == EVERR_OK) {
		err = buf_error(&reading->report->text);
	}
	return err == EVERR_OK ? buf_error(&reading->parameters) : err;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct reading *reading = private_data;

	buf_put(&reading->leaf, text, len);
	return buf_error(&reading->leaf);
}

/* --------------------------------------------------------------- document */

static everr_t explain(struct reading *reading, everr_t err,
		       const struct event_xml_position *position)
{
	if (err == EVERR_TEXT) {
		return bridge_refuse(reading->mem_ctx, err, &reading->reason,
				     "it is not well-formed XML: line %u, "
				     "column %u: %s",
				     position->line, position->column,
				     position->message[0] != '\0'
					     ? position->message
					     : "there is no element");
	}
	if (err == EVERR_LIMIT && reading->reason == NULL) {
		return bridge_refuse(reading->mem_ctx, err, &reading->reason,
				     "it has too many attributes, namespaces, "
				     "or too long texts");
	}
	return err;
}

static everr_t parse(struct reading *reading, const char *xml, size_t len)
{
	static const struct event_xml_handler handler = {
		.start = on_start,
		.end = on_end,
		.text = on_text,
		.max_namespaces = NAMESPACES_MAX,
	};
	struct event_xml_position position = {};
	everr_t err;

	buf_init(&reading->report->text, reading->report, TEXT_MAX);
	buf_init(&reading->names, reading->report, TEXT_MAX);
	buf_init(&reading->leaf, reading->report, TEXT_MAX);
	buf_init(&reading->parameters, reading->report, TEXT_MAX);
	/* 0 stands for what is not there. */
	buf_put_u8(&reading->report->text, 0);
	err = event_xml_parse(xml, len, &handler, reading, &position);
	buf_free(&reading->names);
	buf_free(&reading->leaf);
	buf_free(&reading->parameters);
	return err == EVERR_OK ? err : explain(reading, err, &position);
}

everr_t report_parse(TALLOC_CTX *mem_ctx, const char *root, const char *xml,
		     size_t len, struct report **ret_report,
		     const char **ret_reason)
{
	struct reading *reading = NULL;
	everr_t err;

	reading = talloc_zero(mem_ctx, struct reading);
	if (reading == NULL) {
		return EVERR_NOMEM;
	}
	reading->mem_ctx = mem_ctx;
	reading->root = root;
	reading->report = talloc_zero(reading, struct report);
	if (reading->report == NULL) {
		talloc_free(reading);
		return EVERR_NOMEM;
	}
	err = parse(reading, xml, len);
	if (err == EVERR_OK) {
		*ret_report = talloc_steal(mem_ctx, reading->report);
	} else if (err != EVERR_NOMEM) {
		*ret_reason = reading->reason;
	}
	talloc_free(reading);
	return err;
}
