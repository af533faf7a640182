/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Which part of a message is the report.  Senders put the header and the full
 * report into body and attachments in several ways (facts, section 3), so that
 * the parts' contents decide.
 */

#include "bridge/decode.h"
#include "bridge/report.h"

#define TEXT_MAX (2 * BRIDGE_REPORT_MAX)

struct choosing {
	TALLOC_CTX *mem_ctx;
	const char *root;
	struct report *best;
	bool malformed;	    /* there was a part that is not XML */
	const char *reason; /* of the first part that is no report */
	size_t wrong;	    /* its number, from 1 */
};

static everr_t read_part(TALLOC_CTX *mem_ctx, const char *root,
			 const struct bridge_part *part,
			 struct report **ret_report, const char **ret_reason)
{
	struct buf text;
	everr_t err;

	buf_init(&text, mem_ctx, TEXT_MAX);
	err = bridge_decode(mem_ctx, &text, part->data, part->len, ret_reason);
	if (err == EVERR_OK && text.len == 0) {
		err = bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				    "it is empty");
	}
	if (err == EVERR_OK) {
		err = report_parse(mem_ctx, root, (const char *)text.data,
				   text.len, ret_report, ret_reason);
	}
	buf_free(&text);
	return err;
}

/* A header that another part has, too, need not be in the best one. */
static everr_t fill_gaps(struct report *report, const struct report *other)
{
	size_t i;

	for (i = 0; i < REPORT_NUM_FIELDS; i++) {
		const char *have = report_field(report, i);
		const char *text = report_field(other, i);

		if (text == NULL || (have != NULL && have[0] != '\0')) {
			continue;
		}
		report->fields[i] = (report_text_t)report->text.len;
		buf_put(&report->text, text, strlen(text) + 1);
	}
	return buf_error(&report->text);
}

static size_t weight(const struct report *report)
{
	return report->num_instances + report->num_states;
}

static everr_t choose(struct choosing *choosing, struct report *report)
{
	struct report *other = choosing->best;
	everr_t err;

	if (other == NULL) {
		choosing->best = report;
		return EVERR_OK;
	}
	if (weight(report) > weight(other)) {
		choosing->best = report;
		err = fill_gaps(report, other);
		talloc_free(other);
	} else {
		err = fill_gaps(other, report);
		talloc_free(report);
	}
	return err;
}

/* What is no report may be an attachment of another kind, or the only part. */
static everr_t try_part(struct choosing *choosing,
			const struct bridge_message *message, size_t index)
{
	struct report *report = NULL;
	const char *reason = NULL;
	everr_t err;

	err = read_part(choosing->mem_ctx, choosing->root,
			&message->parts[index], &report, &reason);
	if (err == EVERR_OK) {
		return choose(choosing, report);
	}
	if (err == EVERR_NOMEM || err == EVERR_LIMIT) {
		choosing->reason = reason;
		choosing->wrong = index + 1;
		return err;
	}
	/* What is malformed says more than what is of another kind. */
	if (choosing->reason == NULL ||
	    (err == EVERR_TEXT && !choosing->malformed)) {
		choosing->reason = reason;
		choosing->wrong = index + 1;
	}
	choosing->malformed |= err == EVERR_TEXT;
	return EVERR_OK;
}

/*
 * Parts may overlap, and a part may be listed twice: the same bytes are read
 * once, as the longest of those that start there.
 */
static bool is_repeated(const struct bridge_message *message, size_t index)
{
	const struct bridge_part *part = &message->parts[index];
	size_t i;

	for (i = 0; i < message->num_parts; i++) {
		const struct bridge_part *other = &message->parts[i];

		if (i == index || other->data != part->data) {
			continue;
		}
		if (other->len > part->len ||
		    (other->len == part->len && i < index)) {
			return true;
		}
	}
	return false;
}

static everr_t check_sizes(TALLOC_CTX *mem_ctx,
			   const struct bridge_message *message,
			   const char **ret_reason)
{
	size_t sum = 0;
	size_t i;

	for (i = 0; i < message->num_parts; i++) {
		size_t len = message->parts[i].len;

		if (len > BRIDGE_REPORT_MAX) {
			return bridge_refuse(mem_ctx, EVERR_LIMIT, ret_reason,
					     "part %zu has %zu bytes; %u are "
					     "the most",
					     i + 1, len, BRIDGE_REPORT_MAX);
		}
		if (is_repeated(message, i)) {
			continue;
		}
		sum += len;
		if (sum > REPORT_PARTS_BYTES_MAX) {
			return bridge_refuse(mem_ctx, EVERR_LIMIT, ret_reason,
					     "its parts overlap and are more "
					     "than %u bytes together",
					     REPORT_PARTS_BYTES_MAX);
		}
	}
	return EVERR_OK;
}

static everr_t refuse_part(const struct choosing *choosing,
			   const struct bridge_message *message, everr_t err,
			   const char **ret_reason)
{
	if (choosing->reason == NULL) {
		return bridge_refuse(choosing->mem_ctx, err, ret_reason,
				     message->num_parts == 0
					     ? "the message has no parts"
					     : "its texts are too long");
	}
	return bridge_refuse(choosing->mem_ctx, err, ret_reason,
			     "part %zu of %zu: %s", choosing->wrong,
			     message->num_parts, choosing->reason);
}

static everr_t read_parts(struct choosing *choosing,
			  const struct bridge_message *message,
			  const char **ret_reason)
{
	everr_t err = EVERR_OK;
	size_t i;

	for (i = 0; i < message->num_parts && err == EVERR_OK; i++) {
		if (!is_repeated(message, i)) {
			err = try_part(choosing, message, i);
		}
	}
	if (err == EVERR_NOMEM) {
		return err;
	}
	if (err != EVERR_OK) {
		return refuse_part(choosing, message, err, ret_reason);
	}
	/*
	 * A part that can't be read may be what the header is the header of.
	 */
	if (choosing->best == NULL ||
	    (weight(choosing->best) == 0 && choosing->malformed)) {
		return refuse_part(choosing, message, EVERR_TEXT, ret_reason);
	}
	return EVERR_OK;
}

everr_t report_read(TALLOC_CTX *mem_ctx, const char *root,
		    const struct bridge_message *message,
		    struct report **ret_report, const char **ret_reason)
{
	struct choosing choosing = {.mem_ctx = mem_ctx, .root = root};
	everr_t err;

	err = check_sizes(mem_ctx, message, ret_reason);
	if (err != EVERR_OK) {
		return err;
	}
	err = read_parts(&choosing, message, ret_reason);
	if (err != EVERR_OK) {
		talloc_free(choosing.best);
		return err;
	}
	*ret_report = choosing.best;
	return EVERR_OK;
}
