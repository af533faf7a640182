/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bridge/ddr_file.h"

#include "base/buf.h"
#include "base/text.h"
#include "bridge/configmgr.h"
#include "bridge/decode.h"

#include <string.h>

#define FRAME_VERSION 1
#define FRAME_MAGIC 0x56460000U
/* Version, build, magic, id, length; the magic again behind the payload. */
#define FRAME_HEAD 16
#define FRAME_TAIL 4
/* What the length counts beside the payload. */
#define FRAME_COUNTED 16

/* UTF-8 of a payload: an ANSI character may take 3 bytes. */
#define TEXT_MAX (3 * BRIDGE_REPORT_MAX)

/* Of the text that an error was found in, back to the file. */
enum charset {
	CHARSET_UTF8,
	CHARSET_ANSI,
	CHARSET_UTF16
};

enum state {
	STATE_START,	/* <architecture> comes */
	STATE_OUTSIDE,	/* between properties */
	STATE_PROPERTY, /* behind BEGIN_PROPERTY */
	STATE_VALUE,	/* behind the property's line */
	STATE_ARRAY,	/* behind BEGIN_ARRAY_VALUES */
	STATE_END	/* behind FEOF */
};

struct reading {
	TALLOC_CTX *mem_ctx;
	struct ddr_record *record;
	struct buf text;
	size_t payload; /* where it starts in the file */
	size_t mark;	/* bytes of a byte order mark */
	enum charset charset;
	enum state state;
	bool has_value; /* the property's line brought one */
	size_t room_properties, room_values;
	const char *reason;
};

/* ----------------------------------------------------------------- frame */

static everr_t check_frame(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
			   size_t offset, const char **ret_reason)
{
	const uint8_t *frame = data + offset;
	size_t rest = len - offset;
	size_t counted;

	if (len == 0) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "the file is empty");
	}
	if (rest < FRAME_HEAD + FRAME_TAIL) {
		return bridge_refuse(
			mem_ctx, EVERR_TEXT, ret_reason,
			"byte %zu: the file ends inside a frame "
			"(%zu bytes are left, a frame has at least "
			"%d)",
			offset, rest, FRAME_HEAD + FRAME_TAIL);
	}
	if (le16_get(frame) != FRAME_VERSION ||
	    le32_get(frame + 4) != FRAME_MAGIC) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "byte %zu: no frame of a discovery record "
				     "starts there (version %u, magic 0x%08X)",
				     offset, le16_get(frame),
				     le32_get(frame + 4));
	}
	counted = le32_get(frame + 12);
	if (counted < FRAME_COUNTED || counted > rest - FRAME_TAIL) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "byte %zu: the frame's length is %zu, but "
				     "%zu bytes follow",
				     offset + 12, counted, rest - FRAME_TAIL);
	}
	if (le32_get(frame + counted) != FRAME_MAGIC) {
		return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
				     "byte %zu: the frame ends in 0x%08X, not "
				     "in its magic",
				     offset + counted,
				     le32_get(frame + counted));
	}
	return EVERR_OK;
}

static everr_t check_id(TALLOC_CTX *mem_ctx, uint32_t id, size_t offset,
			const char **ret_reason)
{
	static const uint32_t discovery[] = {0xB0, 0xA0, 0x0A, 0x0B};
	size_t i;

	for (i = 0; i < sizeof(discovery) / sizeof(discovery[0]); i++) {
		if (id == discovery[i]) {
			return EVERR_OK;
		}
	}
	return bridge_refuse(mem_ctx, EVERR_TEXT, ret_reason,
			     "byte %zu: record id 0x%X is not a discovery "
			     "record's",
			     offset + 8, id);
}

/* --------------------------------------------------------------- charset */

/* Windows-1252 from 0x80 on; what it leaves open are C1 controls. */
static uint32_t ansi_char(uint8_t c)
{
	static const uint16_t high[32] = {
		0x20AC, 0x81,	0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
		0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,	0x017D, 0x8F,
		0x90,	0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
		0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,	0x017E, 0x0178};

	return c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c;
}

static void put_ansi(struct buf *out, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		uint32_t c = ansi_char(data[i]);

		if (c < 0x80) {
			buf_put_u8(out, (uint8_t)c);
		} else if (c < 0x800) {
			buf_put_u8(out, (uint8_t)(0xC0 | c >> 6));
			buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
		} else {
			buf_put_u8(out, (uint8_t)(0xE0 | c >> 12));
			buf_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
			buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3F)));
		}
	}
}

/*
 * The payload as UTF-8.  Without a mark it is UTF-8 if it can be, else the
 * sender's code page, which nobody says; Windows-1252 is the commonest.
 */
static everr_t decode(struct reading *reading, const uint8_t *data, size_t len)
{
	if (len >= 2 && ((data[0] == 0xFF && data[1] == 0xFE) ||
			 (data[0] == 0xFE && data[1] == 0xFF))) {
		reading->charset = CHARSET_UTF16;
		reading->mark = 2;
		return bridge_decode(reading->mem_ctx, &reading->text, data,
				     len, &reading->reason);
	}
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
		reading->mark = 3;
		data += 3;
		len -= 3;
	}
	if (text_utf8_valid((const char *)data, len)) {
		buf_put(&reading->text, data, len);
	} else {
		reading->charset = CHARSET_ANSI;
		put_ansi(&reading->text, data, len);
	}
	return buf_error(&reading->text);
}

static size_t count_chars(const char *text, size_t len)
{
	size_t num = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		num += ((uint8_t)text[i] & 0xC0) != 0x80;
	}
	return num;
}

/* Characters beyond U+FFFF are two units. */
static size_t count_units(const char *text, size_t len)
{
	size_t num = count_chars(text, len);
	size_t i;

	for (i = 0; i < len; i++) {
		num += (uint8_t)text[i] >= 0xF0;
	}
	return num;
}

/* Where in the file the character at a place of the text is. */
static size_t file_offset(const struct reading *reading, const char *at)
{
	const char *text = (const char *)reading->text.data;
	size_t len = (size_t)(at - text);

	if (reading->charset == CHARSET_ANSI) {
		len = count_chars(text, len);
	} else if (reading->charset == CHARSET_UTF16) {
		len = 2 * count_units(text, len);
	}
	return reading->payload + reading->mark + len;
}

/* -------------------------------------------------------------- the text */

static everr_t refuse(struct reading *reading, const char *at, const char *what)
{
	return bridge_refuse(reading->mem_ctx, EVERR_TEXT, &reading->reason,
			     "byte %zu: %s", file_offset(reading, at), what);
}

static bool is_line(const struct ddr_text *line, const char *want)
{
	return line->len == strlen(want) &&
	       memcmp(line->text, want, line->len) == 0;
}

static bool begins(const struct ddr_text *line, const char *want)
{
	return line->len >= strlen(want) &&
	       memcmp(line->text, want, strlen(want)) == 0;
}

/*
 * Take "<field>" off a line, which goes up to "><", or as the last one up to
 * the last ">": nothing is escaped.
 */
static bool take_field(struct ddr_text *line, bool last,
		       struct ddr_text *ret_field)
{
	const char *end = NULL;

	if (line->len < 2 || line->text[0] != '<') {
		return false;
	}
	if (!last) {
		end = memmem(line->text, line->len, "><", 2);
	}
	if (end == NULL && line->text[line->len - 1] == '>') {
		end = line->text + line->len - 1;
	}
	if (end == NULL) {
		return false;
	}
	ret_field->text = line->text + 1;
	ret_field->len = (size_t)(end - line->text - 1);
	line->len -= (size_t)(end + 1 - line->text);
	line->text = end + 1;
	return true;
}

static const char *terminated(struct reading *reading,
			      const struct ddr_text *text)
{
	return talloc_strndup(reading->record, text->text, text->len);
}

static bool take_number(struct ddr_text *line, struct ddr_text *ret_field,
			uint32_t *ret_number)
{
	uint64_t number = 0;
	size_t i;

	if (!take_field(line, false, ret_field) || ret_field->len == 0 ||
	    ret_field->len > 10) {
		return false;
	}
	for (i = 0; i < ret_field->len; i++) {
		char c = ret_field->text[i];

		if (c < '0' || c > '9') {
			return false;
		}
		number = 10 * number + (uint64_t)(c - '0');
	}
	*ret_number = (uint32_t)number;
	return number <= UINT32_MAX;
}

/* ------------------------------------------------------------ properties */

static const char *type_name(uint32_t type)
{
	switch (type) {
	case DDR_TYPE_INT:
		return "int";
	case DDR_TYPE_DATETIME:
		return "datetime";
	case DDR_TYPE_ULONG:
		return "unsigned long";
	case DDR_TYPE_FLOAT:
		return "float";
	case DDR_TYPE_TEXT:
		return "text";
	case DDR_TYPE_STRING:
		return "string";
	default:
		return NULL;
	}
}

static const char *flag_names(TALLOC_CTX *mem_ctx, uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{DDR_FLAG_FULL_REPLACE, "Full replace"},
		{DDR_FLAG_GUID, "GUID"},
		{DDR_FLAG_GROUPING, "Grouping"},
		{DDR_FLAG_KEY, "Key"},
		{DDR_FLAG_ARRAY, "Array"},
		{DDR_FLAG_AGENT, "Agent"},
		{DDR_FLAG_NAME, "Name"},
		{DDR_FLAG_COMMENT, "Comment"},
		{DDR_FLAG_NO_UI, "No UI"},
		{DDR_FLAG_NO_UPDATE, "No update"},
		{0x10000, "First name"},
		{0x20000, "Second name"},
		{0x40000, "Third name"},
		{0x80000, "Fourth name"},
		{0x100000, "Fifth name"},
	};
	char *text = talloc_strdup(mem_ctx, "");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].bit) != 0 && text != NULL) {
			text = talloc_asprintf_append(
				text, "%s%s", text[0] == '\0' ? "" : ", ",
				names[i].name);
			flags &= ~names[i].bit;
		}
	}
	if (flags != 0 && text != NULL) {
		text = talloc_asprintf_append(
			text, "%s0x%X", text[0] == '\0' ? "" : ", ", flags);
	}
	return text;
}

/* Room for one more of an array of *ret_room; it doubles. */
static everr_t grow(struct reading *reading, void **array, size_t size,
		    size_t num, size_t *ret_room)
{
	size_t room = *ret_room == 0 ? 16 : 2 * *ret_room;
	void *grown = NULL;

	if (num == DDR_VALUES_MAX) {
		return bridge_refuse(reading->mem_ctx, EVERR_LIMIT,
				     &reading->reason,
				     "byte %zu: the record has more than %d "
				     "properties or values",
				     reading->payload, DDR_VALUES_MAX);
	}
	if (num < *ret_room) {
		return EVERR_OK;
	}
	grown = talloc_realloc_size(reading->record, *array, room * size);
	if (grown == NULL) {
		return EVERR_NOMEM;
	}
	*array = grown;
	*ret_room = room;
	return EVERR_OK;
}

/* Widths of numbers are bytes; those of texts are characters. */
static bool is_too_long(const struct ddr_property *property,
			const struct ddr_text *value)
{
	if (property->type != DDR_TYPE_STRING &&
	    property->type != DDR_TYPE_TEXT &&
	    property->type != DDR_TYPE_DATETIME) {
		return false;
	}
	return property->width != 0 &&
	       count_chars(value->text, value->len) > property->width;
}

static everr_t add_value(struct reading *reading, const struct ddr_text *value)
{
	struct ddr_record *record = reading->record;
	uint32_t index = (uint32_t)record->num_properties - 1;
	const struct ddr_property *property = &record->properties[index];
	void *array = record->values;
	everr_t err;

	if (is_too_long(property, value)) {
		return bridge_refuse(
			reading->mem_ctx, EVERR_TEXT, &reading->reason,
			"byte %zu: the value of \"%.80s\" has %zu characters, "
			"its width is %u",
			file_offset(reading, value->text), property->name,
			count_chars(value->text, value->len), property->width);
	}
	err = grow(reading, &array, sizeof(*record->values), record->num_values,
		   &reading->room_values);
	if (err != EVERR_OK) {
		return err;
	}
	record->values = array;
	record->values[record->num_values++] =
		(struct ddr_value){.property = index, .value = *value};
	return EVERR_OK;
}

static everr_t name_property(struct reading *reading,
			     struct ddr_property *property,
			     const struct ddr_text *name)
{
	struct ddr_record *record = reading->record;

	property->name = terminated(reading, name);
	property->flags_text = property->flags == 0
				       ? NULL
				       : flag_names(record, property->flags);
	property->type_text = type_name(property->type);
	if (property->type_text == NULL) {
		property->type_text =
			talloc_asprintf(record, "%u", property->type);
	}
	property->width_text = talloc_asprintf(record, "%u", property->width);
	if (property->name == NULL || property->type_text == NULL ||
	    property->width_text == NULL ||
	    (property->flags != 0 && property->flags_text == NULL)) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

/* <flags><name><type><width>, and of a scalar <value> */
static everr_t read_property(struct reading *reading, struct ddr_text line)
{
	struct ddr_record *record = reading->record;
	struct ddr_property property = {};
	struct ddr_text start = line, name = {}, field = {};
	void *array = record->properties;
	everr_t err;

	if (!take_number(&line, &field, &property.flags) ||
	    !take_field(&line, false, &name) ||
	    !take_number(&line, &field, &property.type) ||
	    !take_number(&line, &field, &property.width)) {
		return refuse(reading, start.text,
			      "a property starts with <flags><name><type>"
			      "<width>");
	}
	err = grow(reading, &array, sizeof(property), record->num_properties,
		   &reading->room_properties);
	if (err != EVERR_OK) {
		return err;
	}
	record->properties = array;
	err = name_property(reading, &property, &name);
	if (err != EVERR_OK) {
		return err;
	}
	record->properties[record->num_properties++] = property;
	reading->state = STATE_VALUE;
	reading->has_value = line.len > 0;
	if (!reading->has_value) {
		return EVERR_OK;
	}
	if (!take_field(&line, true, &field) || line.len > 0) {
		return refuse(reading, start.text,
			      "the property's value does not end in \">\"");
	}
	return add_value(reading, &field);
}

static everr_t read_values(struct reading *reading, struct ddr_text line)
{
	struct ddr_text field = {};
	everr_t err = EVERR_OK;

	while (line.len > 0 && err == EVERR_OK) {
		if (!take_field(&line, false, &field)) {
			return refuse(
				reading, line.text,
				"an array's values are <value><value>...");
		}
		err = add_value(reading, &field);
	}
	return err;
}

/* ------------------------------------------------------------------ lines */

/* <System> */
static everr_t read_start(struct reading *reading, struct ddr_text line)
{
	struct ddr_text start = line, field = {};

	if (!take_field(&line, true, &field) || line.len > 0) {
		return refuse(reading, start.text,
			      "the record does not start with "
			      "<architecture>");
	}
	reading->record->architecture = terminated(reading, &field);
	reading->state = STATE_OUTSIDE;
	return reading->record->architecture == NULL ? EVERR_NOMEM : EVERR_OK;
}

/* AGENTINFO<agent name><site code><time> */
static everr_t read_agent(struct reading *reading, struct ddr_text line)
{
	struct ddr_record *record = reading->record;
	struct ddr_text start = line, agent = {}, site = {}, time = {};

	line.text += strlen("AGENTINFO");
	line.len -= strlen("AGENTINFO");
	if (!take_field(&line, false, &agent) ||
	    !take_field(&line, false, &site) ||
	    !take_field(&line, true, &time)) {
		return refuse(reading, start.text,
			      "AGENTINFO has <agent><site><time>");
	}
	record->agent = terminated(reading, &agent);
	record->site = terminated(reading, &site);
	record->time = terminated(reading, &time);
	if (record->agent == NULL || record->site == NULL ||
	    record->time == NULL) {
		return EVERR_NOMEM;
	}
	return EVERR_OK;
}

static everr_t read_outside(struct reading *reading,
			    const struct ddr_text *line)
{
	if (is_line(line, "BEGIN_PROPERTY")) {
		reading->state = STATE_PROPERTY;
	} else if (begins(line, "AGENTINFO")) {
		return read_agent(reading, *line);
	} else if (is_line(line, "FEOF")) {
		reading->state = STATE_END;
	} else if (begins(line, "END_") || begins(line, "BEGIN_ARRAY")) {
		return refuse(reading, line->text,
			      "it ends or begins what is not open there");
	}
	/* Other words are of later versions. */
	return EVERR_OK;
}

static everr_t read_in_property(struct reading *reading,
				const struct ddr_text *line)
{
	struct ddr_record *record = reading->record;

	if (is_line(line, "END_PROPERTY")) {
		reading->state = STATE_OUTSIDE;
		return EVERR_OK;
	}
	if (is_line(line, "BEGIN_ARRAY_VALUES") && !reading->has_value) {
		record->properties[record->num_properties - 1].is_array = true;
		reading->state = STATE_ARRAY;
		return EVERR_OK;
	}
	if (is_line(line, "BEGIN_PROPERTY") || is_line(line, "FEOF") ||
	    begins(line, "BEGIN_ARRAY") || begins(line, "END_ARRAY") ||
	    begins(line, "AGENTINFO")) {
		return refuse(reading, line->text,
			      "END_PROPERTY is missing before it");
	}
	return EVERR_OK;
}

static everr_t read_line(struct reading *reading, const struct ddr_text *line)
{
	if (line->len == 0) {
		return EVERR_OK;
	}
	switch (reading->state) {
	case STATE_START:
		return read_start(reading, *line);
	case STATE_OUTSIDE:
		return read_outside(reading, line);
	case STATE_PROPERTY:
		return read_property(reading, *line);
	case STATE_VALUE:
		return read_in_property(reading, line);
	case STATE_ARRAY:
		if (is_line(line, "END_ARRAY_VALUES")) {
			reading->state = STATE_VALUE;
			reading->has_value = true;
			return EVERR_OK;
		}
		return read_values(reading, *line);
	case STATE_END:
		break;
	}
	return EVERR_OK;
}

/* What follows FEOF is any tail. */
static everr_t read_text(struct reading *reading)
{
	const char *text = (const char *)reading->text.data;
	const char *end = text + reading->text.len;
	everr_t err = EVERR_OK;

	while (text < end && err == EVERR_OK && reading->state != STATE_END) {
		struct ddr_text line = {.text = text};

		while (text < end && *text != '\r' && *text != '\n') {
			text++;
		}
		line.len = (size_t)(text - line.text);
		text += text < end;
		err = read_line(reading, &line);
	}
	if (err == EVERR_OK && reading->state != STATE_END) {
		return refuse(reading, end, "the record ends without FEOF");
	}
	return err;
}

static everr_t read_payload(struct reading *reading, const uint8_t *data,
			    size_t len)
{
	everr_t err;

	buf_init(&reading->text, reading->record, TEXT_MAX);
	err = decode(reading, data, len);
	if (err != EVERR_OK) {
		return err;
	}
	if (reading->text.len == 0) {
		return bridge_refuse(
			reading->mem_ctx, EVERR_TEXT, &reading->reason,
			"byte %zu: the record is empty", reading->payload);
	}
	return read_text(reading);
}

everr_t ddr_file_next(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		      size_t *offset, struct ddr_record **ret_record,
		      const char **ret_reason)
{
	struct reading reading = {.mem_ctx = mem_ctx};
	const uint8_t *frame = data + *offset;
	size_t counted;
	everr_t err;

	err = check_frame(mem_ctx, data, len, *offset, ret_reason);
	if (err == EVERR_OK) {
		err = check_id(mem_ctx, le32_get(frame + 8), *offset,
			       ret_reason);
	}
	if (err != EVERR_OK) {
		return err;
	}
	reading.record = talloc_zero(mem_ctx, struct ddr_record);
	if (reading.record == NULL) {
		return EVERR_NOMEM;
	}
	reading.record->build = le16_get(frame + 2);
	reading.record->id = le32_get(frame + 8);
	reading.payload = *offset + FRAME_HEAD;
	counted = le32_get(frame + 12);
	err = read_payload(&reading, frame + FRAME_HEAD,
			   counted - FRAME_COUNTED);
	if (err != EVERR_OK) {
		*ret_reason = reading.reason;
		talloc_free(reading.record);
		return err;
	}
	*offset += counted + FRAME_TAIL;
	*ret_record = reading.record;
	return EVERR_OK;
}
