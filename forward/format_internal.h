/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_FORMAT_INTERNAL_H
#define EVENLOG_FORWARD_FORMAT_INTERNAL_H

/*
 * Inside of the formats: texts (format_text.c), what is known of a template
 * (format_program.c), names seen before (format_names.c), an event's values
 * as parameters (format_params.c), its publisher's message
 * (format_message.c), the messages that are sent (format_syslog.c,
 * format_json.c), and how they are made shorter (format_cut.c).
 */

#include "base/guid.h"
#include "event/crc32.h"
#include "event/scope.h"
#include "forward/format.h"

#include <string.h>

/*
 * Bytes of a message before it is cut, unless max_message is more.  An event
 * of 1 MiB needs at most three times that, unless it has arrays of small
 * items; what is beyond is cut off.
 */
#define FORMAT_WORK_MAX (4U * 1024 * 1024)
/* The most that max_message may be. */
#define FORMAT_MESSAGE_MAX (16U * 1024 * 1024)
/*
 * Of EVENT_RENDER_WORK_MAX, for an event's values: a hostile one must not
 * hold the loop.  An event of 1 MiB whose values are not repeated needs less.
 */
#define FORMAT_STEPS_MAX (1U << 21)
/* More than marks can be. */
#define FORMAT_MARKS_ROOM 128
/* Memory kept for the next event. */
#define FORMAT_POOL_SIZE (64U * 1024)
#define FORMAT_WORK_KEEP (1U * 1024 * 1024)
/* RFC 5424 6: the longest HOSTNAME, APP-NAME and SD-NAME.  RFC 3164 4.1.3:
   the longest TAG. */
#define FORMAT_HOSTNAME_MAX 255
#define FORMAT_APP_NAME_MAX 48
#define FORMAT_SD_NAME_MAX 32
#define FORMAT_TAG_MAX 32

/* ---------------------------------------------------------------- texts */

/* How text is written; RFC 5424 6.3.3 has the escapes of a quoted value. */
enum format_form {
	FORMAT_TEXT = 0,
	FORMAT_QUOTED = 0x1, /* \ before " \ and ] */
	FORMAT_FLOWING = 0x2 /* a run of line ends and tabs is one blank */
};

/* Both add FORWARD_REPLACED to *marks where a U+FFFD is written. */
void format_put_utf16(struct buf *out, const uint8_t *units, size_t num_units,
		      uint32_t *marks);
void format_put_utf8(struct buf *out, const char *text, size_t len,
		     unsigned int form, uint32_t *marks);

void format_put_number(struct buf *out, uint64_t v);
void format_put_hex(struct buf *out, uint64_t v);

/* A string literal. */
#define FORMAT_PUT(out, literal) buf_put((out), (literal), sizeof(literal) - 1)

/*
 * The name of a parameter as it grows from its path's pieces: an SD-NAME.
 * Bytes that none can have are '_'.  One that is too long, or of which more
 * than blanks and the four ASCII characters are missing, ends in '~' and the
 * CRC-32 of the whole.
 */
struct format_path {
	uint8_t text[FORMAT_SD_NAME_MAX];
	uint8_t len;
	bool changed; /* a character is not itself */
	bool hashed;
	uint32_t crc;
};

void format_path_add(struct format_path *path, const struct event_crc32 *table,
		     const uint8_t *utf8, size_t len);
/*
 * Write ' name="'.  In the one list of RFC 3164's text (flat) a name that is
 * one of ours has "data." in front; true: it is not as in the event.
 */
bool format_put_name(struct buf *out, const struct format_path *path,
		     bool flat);

/* ------------------------------------------------------------- programs */

/* Fields of System that a message needs beside struct event_header. */
enum format_field {
	FORMAT_PROVIDER,
	FORMAT_PROVIDER_GUID,
	FORMAT_QUALIFIERS,
	FORMAT_RECORD_ID,
	FORMAT_ACTIVITY,
	FORMAT_RELATED_ACTIVITY,
	FORMAT_PROCESS,
	FORMAT_THREAD,
	FORMAT_CHANNEL,
	FORMAT_COMPUTER,
	FORMAT_USER,
	FORMAT_NUM_FIELDS
};

/* Where a plan stands in an event: what its roots are. */
enum format_context {
	FORMAT_IN_NOTHING, /* Event */
	FORMAT_IN_EVENT,   /* EventData, UserData */
	FORMAT_IN_USER,	   /* UserData's one element */
	FORMAT_IN_PATH	   /* values below a path, which may be empty */
};

enum format_role {
	FORMAT_EVENT,
	FORMAT_SYSTEM,
	FORMAT_EVENT_DATA,
	FORMAT_USER_DATA,
	FORMAT_USER_TOP,
	FORMAT_ELEMENT,
	FORMAT_DATA_UNNAMED, /* Data1, Data2: counted in each event */
	FORMAT_DATA_COMPUTED /* Name is a value */
};

/* ' name="' in a program's text. */
struct format_name {
	uint32_t offset;
	uint32_t len;
};

/* An element of a plan, by its index there. */
struct format_slot {
	uint8_t role;
	/* Nothing in it but the value id: no attribute, no other part. */
	bool simple;
	uint16_t id;
	struct format_name name;
	struct format_path path;
};

/* What is known of a template, or of a document, in a context. */
struct format_program {
	uint64_t key;
	struct format_slot *slots;
	struct format_name *attributes;
	uint8_t *text;
	/* First parts of System's fields, or EVENT_PLAN_NONE. */
	uint32_t fields[FORMAT_NUM_FIELDS];
	uint32_t event; /* the element Event, or EVENT_PLAN_NONE */
	bool changed;	/* a name of it is not as in the event */
	size_t size;	/* bytes, about */
};

/* A talloc child of format; prefix is used in FORMAT_IN_PATH.  EVERR_NOMEM. */
everr_t format_program_compile(
	struct forward_format *format, const struct event_plan *plan,
	enum format_context context, const struct format_path *prefix,
	struct format_program **ret_program) EVERR_MUST_CHECK;

/*
 * Programs of templates, by number and context.  All are dropped when there
 * are too many of them; an event adds a few hundred at most (64 templates).
 */
#define FORMAT_PROGRAMS_MAX 2048
#define FORMAT_PROGRAM_BYTES_MAX (16U * 1024 * 1024)
#define FORMAT_PROGRAM_SLOTS 8192

struct format_programs {
	struct format_program *slots[FORMAT_PROGRAM_SLOTS];
	size_t count;
	size_t bytes;
};

/* Before an event: its programs stay until it is done. */
void format_programs_trim(struct format_programs *programs);

/* The program of a template in a context without path.  EVERR_NOMEM. */
everr_t format_program_get(
	struct forward_format *format, const struct event_plan *plan,
	uint32_t no, enum format_context context,
	const struct format_program **ret_program) EVERR_MUST_CHECK;

/* ---------------------------------------------------------------- names */

/* What the name is in a header. */
enum format_header {
	FORMAT_APP_NAME,
	FORMAT_HOSTNAME,
	FORMAT_BSD_HOSTNAME /* RFC 3164 */
};

/* "{00000000-0000-0000-0000-000000000000}" */
#define FORMAT_GUID_TEXT_MAX (EV_GUID_TEXT_SIZE - 1)

/* A provider or a computer in all the forms that messages need. */
struct format_known {
	const uint8_t *key; /* bytes as in the event, NUL and all */
	size_t key_len;
	bool key_utf16;
	const char *text; /* UTF-8 */
	size_t text_len;
	const char *header; /* HOSTNAME or APP-NAME */
	size_t header_len;
	bool header_differs;
	const char *tag; /* RFC 3164 */
	size_t tag_len;
	const char *quoted; /* as a parameter's value */
	size_t quoted_len;
	uint32_t marks;
	/* Of a provider: by its name, and by the GUID that it came with last. */
	bool searched;
	const struct event_publisher *publisher;
	uint8_t guid[FORMAT_GUID_TEXT_MAX];
	size_t guid_len;
	const struct event_publisher *guid_publisher;
};

#define FORMAT_KNOWN_SLOTS 256
/* Longer ones are no names: the last one of them is kept. */
#define FORMAT_KNOWN_BYTES_MAX 1024

/* Texts of a second, since events come many in one. */
struct format_second {
	uint64_t second;
	bool valid;
	bool in_range; /* a year of four digits */
	char text[20]; /* YYYY-MM-DDThh:mm:ss */
};

/* ---------------------------------------------------------------- format */

struct forward_format {
	enum forward_format_kind kind;
	size_t max_message;
	const char *sd_id;
	const char *sd_open;	  /* "[id" */
	const char *sd_data_open; /* "[id-data" */
	struct event_dict *dict;
	const struct event_catalog *catalog;
	struct event_crc32 crc;
	struct format_programs programs;
	struct format_known *providers[FORMAT_KNOWN_SLOTS + 1];
	struct format_known *computers[FORMAT_KNOWN_SLOTS + 1];
	struct format_known *self; /* the computer Evenlog runs on */
	struct format_second created, received;
	char pri[8][8];	    /* "<134>" by severity */
	struct buf work;    /* the message */
	struct buf scratch; /* a value, a message's text */
	struct buf cut;	    /* a shorter message */
	TALLOC_CTX *pool;   /* for the inserts of a message */
};

/* One event on its way. */
struct format_run {
	struct forward_format *format;
	struct buf *out; /* format->work */
	const struct forward_event *event;
	struct event_render render;
	/* NULL: only the header of the event can be read. */
	struct event_scope *scope;
	struct event_scope outer, inner;
	bool outer_open, inner_open;
	const struct format_program *program;
	struct format_program *own_program;
	struct format_known *provider; /* may be NULL */
	const struct format_known *computer;
	uint32_t data_count; /* of Data without a name */
	uint32_t marks;
	/* Where in out: the marks; MSG of RFC 5424 or the JSON object. */
	size_t marks_at, text_at;
	bool broken; /* the end of out had no room */
};

void format_run_init(struct format_run *run, struct forward_format *format,
		     const struct forward_event *event);

/*
 * Open the event, and find its provider and computer.  Errors as
 * event_packed_to_wire(); then it is as if it had not been tried.
 */
everr_t format_run_open(struct format_run *run) EVERR_MUST_CHECK;
void format_run_close(struct format_run *run);

/* A name that is text of ours, remembered by nobody.  EVERR_NOMEM. */
everr_t format_known_new(TALLOC_CTX *mem_ctx, const char *text,
			 enum format_header header,
			 struct format_known **ret_known) EVERR_MUST_CHECK;

/* What a computer's name becomes. */
enum format_header format_hostname(const struct forward_format *format);

/* A field's value, NULL if it is not just one; *ret_first: its parts. */
const struct event_value *format_field(const struct format_run *run,
				       enum format_field field,
				       uint32_t *ret_first);

/* YYYY-MM-DDThh:mm:ss of a time, remembered in cache. */
const struct format_second *format_second(struct format_second *cache,
					  uint64_t filetime);
/* With seven fraction digits, as wintime_format(). */
void format_put_time(struct buf *out, struct format_second *cache,
		     uint64_t filetime);

/* The text of some parts, unescaped, goes to scratch. */
everr_t format_read_parts(const struct format_run *run,
			  const struct event_scope *scope,
			  uint32_t first_part) EVERR_MUST_CHECK;

/* A value inside quotes. */
everr_t format_put_value(struct format_run *run,
			 const struct event_value *value) EVERR_MUST_CHECK;

/* The values of the event, each as ' name="value"'. */
everr_t format_put_data(struct format_run *run) EVERR_MUST_CHECK;

/*
 * The event's message goes to scratch.  false: its publisher is not known, or
 * has no text for it.
 */
everr_t format_read_message(struct format_run *run,
			    bool *ret_found) EVERR_MUST_CHECK;

/* Append what is in out to ret_out, with its marks, cut if it must be. */
everr_t format_run_finish(struct format_run *run,
			  struct buf *ret_out) EVERR_MUST_CHECK;

/* Write one message, of whatever length. */
everr_t format_put_syslog(struct format_run *run) EVERR_MUST_CHECK;
everr_t format_put_syslog_json(struct format_run *run) EVERR_MUST_CHECK;
everr_t format_put_rfc3164(struct format_run *run) EVERR_MUST_CHECK;
everr_t format_put_json(struct format_run *run) EVERR_MUST_CHECK;

/* Pieces of them.  The header of RFC 5424 ends in a blank. */
void format_put_header(struct format_run *run, unsigned int severity,
		       const char *app_name, const char *msgid);
void format_put_bsd_header(struct format_run *run, unsigned int severity,
			   const char *tag);
/* Before a MSG that is not ASCII. */
void format_add_bom(struct buf *out, size_t start);
/* NILVALUE instead of long structured data, where an object has the same. */
void format_limit_sd(struct buf *out, size_t start);
/* name is with its quotes, its colon, and a comma before it. */
void format_put_json_text(struct buf *out, const char *name, const char *text);
void format_put_json_number(struct buf *out, const char *name, uint64_t v);
/* Escape the controls that JSON allows. */
void format_clean_json(struct format_run *run, size_t start);

/* ------------------------------------------------------------------ cut */

/* A message that is too long; it may have been broken off anywhere. */
struct format_cut {
	const uint8_t *data;
	size_t len;
	/* All before it stays: the first parameter, or a name in the outer
	   object of JSON. */
	size_t start;
	size_t text_at; /* of MSG, behind its blank; 0: none */
	bool brackets;	/* RFC 5424 */
	bool broken;	/* its end is missing */
	size_t max;
};

/*
 * Append a shorter form to out, which is empty.  The longest values are cut
 * first, down to a few bytes; if that is not enough what comes last is left
 * out.
 */
void format_cut_syslog(struct buf *out, const struct format_cut *cut);
void format_cut_json(struct buf *out, const struct format_cut *cut);

#endif
