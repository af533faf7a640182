/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/envelope.h"

#include "soap/reader.h"
#include "soap/tree.h"

#include <string.h>

#define ENVELOPE_1_1 "http://schemas.xmlsoap.org/soap/envelope/"
#define ENVELOPE_1_2 "http://www.w3.org/2003/05/soap-envelope"

/* How many elements are open when one of each begins. */
#define LEVEL_ENVELOPE 0
#define LEVEL_PART 1  /* Header, Body */
#define LEVEL_ENTRY 2 /* a header entry, the operation */
#define LEVEL_REQUEST 3

enum part {
	PART_OTHER,
	PART_HEADER,
	PART_BODY
};

/* One name of a path of items. */
struct component {
	const char *name;
	size_t len;
};

struct soap_envelope {
	const struct soap_envelope_handler *handler;
	void *private_data;
	struct soap_reader *reader;
	struct soap_share *share; /* of both trees */
	struct soap_tree *request;
	struct soap_tree *item; /* NULL: the operation has none */

	enum soap_version version;
	bool version_known;
	const char *ns; /* of the version */
	enum part part;
	bool has_operation;

	size_t depth;	/* open elements but skipped ones */
	size_t skipped; /* levels of an element that is passed over */

	struct component path[SOAP_ITEMS_DEPTH_MAX];
	size_t path_len;
	size_t matched;	   /* names of it that the open elements have */
	size_t item_depth; /* open elements from the item on */

	enum soap_fault_code code;
	const char *problem; /* NULL: the reader knows */
};

static everr_t envelope_refuse(struct soap_envelope *envelope,
			       enum soap_fault_code code, const char *problem)
{
	envelope->code = code;
	envelope->problem = problem;
	return EVERR_PROTOCOL;
}

/* What a tree said. */
static everr_t tree_grown(struct soap_envelope *envelope, everr_t err)
{
	if (err == EVERR_LIMIT) {
		return envelope_refuse(envelope, SOAP_FAULT_CLIENT,
				       "the request, or one item of its list, "
				       "is too large");
	}
	return err;
}

/* ------------------------------------------------ envelope and header */

static everr_t start_envelope(struct soap_envelope *envelope,
			      const struct soap_reader_element *element)
{
	if (strcmp(element->name, "Envelope") != 0) {
		return envelope_refuse(envelope, SOAP_FAULT_CLIENT,
				       "the request is not a SOAP envelope");
	}
	if (strcmp(element->ns, ENVELOPE_1_1) == 0) {
		envelope->version = SOAP_1_1;
	} else if (strcmp(element->ns, ENVELOPE_1_2) == 0) {
		envelope->version = SOAP_1_2;
	} else {
		return envelope_refuse(
			envelope, SOAP_FAULT_VERSION_MISMATCH,
			"the envelope is neither of SOAP 1.1 nor of SOAP 1.2");
	}
	envelope->ns = element->ns;
	envelope->version_known = true;
	return EVERR_OK;
}

static const struct soap_reader_attribute *envelope_attribute(
	const struct soap_envelope *envelope,
	const struct soap_reader_element *element, const char *name)
{
	size_t i;

	for (i = 0; i < element->num_attributes; i++) {
		const struct soap_reader_attribute *a = &element->attributes[i];

		if (strcmp(a->name, name) == 0 &&
		    strcmp(a->ns, envelope->ns) == 0) {
			return a;
		}
	}
	return NULL;
}

static bool value_is(const struct soap_reader_attribute *a, const char *word)
{
	size_t len = strlen(word);

	return a->len == len && memcmp(a->value, word, len) == 0;
}

static bool value_ends(const struct soap_reader_attribute *a, const char *end)
{
	size_t len = strlen(end);

	return a->len >= len && memcmp(a->value + a->len - len, end, len) == 0;
}

/* SOAP 1.1 4.2.2, SOAP 1.2 part 1, 2.2: whom an entry is meant for. */
static bool entry_is_ours(const struct soap_envelope *envelope,
			  const struct soap_reader_element *element)
{
	const struct soap_reader_attribute *role = envelope_attribute(
		envelope, element,
		envelope->version == SOAP_1_1 ? "actor" : "role");

	return role == NULL || role->len == 0 || value_ends(role, "/next") ||
	       value_ends(role, "/role/ultimateReceiver");
}

static everr_t start_entry(struct soap_envelope *envelope,
			   const struct soap_reader_element *element)
{
	const struct soap_reader_attribute *must =
		envelope_attribute(envelope, element, "mustUnderstand");

	if (must != NULL && (value_is(must, "1") || value_is(must, "true")) &&
	    entry_is_ours(envelope, element)) {
		return envelope_refuse(
			envelope, SOAP_FAULT_MUST_UNDERSTAND,
			"a header entry that must be understood is not known "
			"here");
	}
	envelope->skipped = 1;
	return EVERR_OK;
}

static void start_part(struct soap_envelope *envelope,
		       const struct soap_reader_element *element)
{
	bool ours = strcmp(element->ns, envelope->ns) == 0;

	if (ours && strcmp(element->name, "Header") == 0) {
		envelope->part = PART_HEADER;
	} else if (ours && strcmp(element->name, "Body") == 0) {
		envelope->part = PART_BODY;
	} else {
		envelope->skipped = 1;
		return;
	}
	envelope->depth++;
}

/* ---------------------------------------------------------------- body */

static everr_t split_path(struct soap_envelope *envelope, const char *path)
{
	while (path != NULL) {
		size_t len = strcspn(path, "/");

		if (envelope->path_len == SOAP_ITEMS_DEPTH_MAX) {
			return EVERR_INVALID;
		}
		envelope->path[envelope->path_len++] =
			(struct component){path, len};
		path = path[len] == '/' ? path + len + 1 : NULL;
	}
	return EVERR_OK;
}

static everr_t start_operation(struct soap_envelope *envelope,
			       const struct soap_reader_element *element)
{
	const char *items = NULL;
	everr_t err;

	if (envelope->has_operation) {
		envelope->skipped = 1;
		return EVERR_OK;
	}
	envelope->has_operation = true;
	err = tree_grown(envelope, soap_tree_open(envelope->request, element));
	if (err != EVERR_OK) {
		return err;
	}
	envelope->depth++;
	err = envelope->handler->operation(envelope->private_data,
					   soap_tree_root(envelope->request),
					   &items);
	if (err != EVERR_OK || items == NULL) {
		return err;
	}
	envelope->item =
		soap_tree_create(envelope, SOAP_TREE_MAX, envelope->share);
	if (envelope->item == NULL) {
		return EVERR_NOMEM;
	}
	return split_path(envelope, items);
}

/* level: 1 for the operation's children. */
static bool on_path(const struct soap_envelope *envelope, size_t level,
		    const char *name)
{
	const struct component *c = NULL;

	if (level > envelope->path_len || envelope->matched != level - 1) {
		return false;
	}
	c = &envelope->path[level - 1];
	return strncmp(name, c->name, c->len) == 0 && name[c->len] == '\0';
}

static everr_t start_request(struct soap_envelope *envelope,
			     const struct soap_reader_element *element)
{
	size_t level = envelope->depth - LEVEL_ENTRY;

	if (element->num_attributes > 0 && soap_reader_is_nil(element)) {
		envelope->skipped = 1;
		return EVERR_OK;
	}
	envelope->depth++;
	if (envelope->item_depth > 0) {
		envelope->item_depth++;
		return soap_tree_open(envelope->item, element);
	}
	if (on_path(envelope, level, element->name)) {
		if (level == envelope->path_len) {
			envelope->item_depth = 1;
			return soap_tree_open(envelope->item, element);
		}
		envelope->matched = level;
	}
	return soap_tree_open(envelope->request, element);
}

static everr_t end_item(struct soap_envelope *envelope)
{
	everr_t err;

	soap_tree_close(envelope->item);
	if (--envelope->item_depth > 0) {
		return EVERR_OK;
	}
	err = envelope->handler->item(envelope->private_data,
				      soap_tree_root(envelope->item));
	soap_tree_reset(envelope->item);
	return err;
}

/* ------------------------------------------------- the reader's handler */

static everr_t on_start(void *private_data,
			const struct soap_reader_element *element)
{
	struct soap_envelope *envelope = private_data;
	everr_t err;

	if (envelope->skipped > 0) {
		envelope->skipped++;
		return EVERR_OK;
	}
	switch (envelope->depth) {
	case LEVEL_ENVELOPE:
		err = start_envelope(envelope, element);
		envelope->depth++;
		return err;
	case LEVEL_PART:
		start_part(envelope, element);
		return EVERR_OK;
	case LEVEL_ENTRY:
		if (envelope->part == PART_HEADER) {
			return start_entry(envelope, element);
		}
		return start_operation(envelope, element);
	default:
		return tree_grown(envelope, start_request(envelope, element));
	}
}

static everr_t on_end(void *private_data)
{
	struct soap_envelope *envelope = private_data;

	if (envelope->skipped > 0) {
		envelope->skipped--;
		return EVERR_OK;
	}
	envelope->depth--;
	if (envelope->item_depth > 0) {
		return end_item(envelope);
	}
	if (envelope->depth >= LEVEL_ENTRY) {
		soap_tree_close(envelope->request);
	}
	if (envelope->depth >= LEVEL_REQUEST &&
	    envelope->matched == envelope->depth - LEVEL_ENTRY) {
		envelope->matched--;
	}
	return EVERR_OK;
}

/* White space between items would add up: their parents have no text. */
static bool is_on_path(const struct soap_envelope *envelope)
{
	return envelope->path_len > 0 &&
	       envelope->matched == envelope->depth - LEVEL_REQUEST;
}

static everr_t on_text(void *private_data, const char *text, size_t len)
{
	struct soap_envelope *envelope = private_data;
	struct soap_tree *tree = envelope->request;

	if (envelope->skipped > 0 || envelope->depth < LEVEL_REQUEST) {
		return EVERR_OK;
	}
	if (envelope->item_depth > 0) {
		tree = envelope->item;
	} else if (is_on_path(envelope)) {
		return EVERR_OK;
	}
	return tree_grown(envelope, soap_tree_text(tree, text, len));
}

static const struct soap_reader_handler reader_handler = {
	.start = on_start,
	.end = on_end,
	.text = on_text,
};

/* ---------------------------------------------------------- an envelope */

everr_t soap_envelope_create(TALLOC_CTX *mem_ctx,
			     const struct soap_envelope_handler *handler,
			     void *private_data, struct soap_memory *memory,
			     struct soap_envelope **ret_envelope)
{
	struct soap_envelope *envelope = NULL;
	everr_t err;

	envelope = talloc_zero(mem_ctx, struct soap_envelope);
	if (envelope == NULL) {
		return EVERR_NOMEM;
	}
	envelope->handler = handler;
	envelope->private_data = private_data;
	envelope->share = soap_share_create(envelope, memory);
	envelope->request =
		soap_tree_create(envelope, SOAP_TREE_MAX, envelope->share);
	if (envelope->share == NULL || envelope->request == NULL) {
		TALLOC_FREE(envelope);
		return EVERR_NOMEM;
	}
	err = soap_reader_create(envelope, &reader_handler, envelope,
				 &envelope->reader);
	if (err != EVERR_OK) {
		TALLOC_FREE(envelope);
		return err;
	}
	*ret_envelope = envelope;
	return EVERR_OK;
}

everr_t soap_envelope_feed(struct soap_envelope *envelope, const uint8_t *data,
			   size_t len)
{
	return soap_reader_feed(envelope->reader, data, len);
}

everr_t soap_envelope_end(struct soap_envelope *envelope)
{
	everr_t err;

	err = soap_reader_end(envelope->reader);
	if (err == EVERR_OK && !envelope->has_operation) {
		return envelope_refuse(envelope, SOAP_FAULT_CLIENT,
				       "the envelope has no Body, or there is "
				       "no operation in it");
	}
	return err;
}

bool soap_envelope_version(const struct soap_envelope *envelope,
			   enum soap_version *ret_version)
{
	if (envelope->version_known) {
		*ret_version = envelope->version;
	}
	return envelope->version_known;
}

const struct soap_node *soap_envelope_request(
	const struct soap_envelope *envelope)
{
	return soap_tree_root(envelope->request);
}

char *soap_envelope_fault(const struct soap_envelope *envelope,
			  TALLOC_CTX *mem_ctx, enum soap_fault_code *ret_code)
{
	*ret_code = envelope->code;
	if (envelope->problem != NULL) {
		return talloc_strdup(mem_ctx, envelope->problem);
	}
	return talloc_asprintf(mem_ctx, "the request can't be read as XML, %s",
			       soap_reader_problem(envelope->reader));
}

/* ------------------------------------------------------------- answers */

const char *soap_envelope_content_type(enum soap_version version)
{
	return version == SOAP_1_1 ? "text/xml; charset=utf-8"
				   : "application/soap+xml; charset=utf-8";
}

void soap_envelope_open(struct soap_writer *writer, enum soap_version version)
{
	buf_puts(writer->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
	soap_open(writer, "soap:Envelope");
	soap_attribute(writer, "xmlns:soap",
		       version == SOAP_1_1 ? ENVELOPE_1_1 : ENVELOPE_1_2);
	soap_attribute(writer, "xmlns:xsi",
		       "http://www.w3.org/2001/XMLSchema-instance");
	soap_attribute(writer, "xmlns:xsd", "http://www.w3.org/2001/XMLSchema");
	soap_open(writer, "soap:Body");
}

void soap_envelope_close(struct soap_writer *writer)
{
	soap_close(writer);
	soap_close(writer);
}
