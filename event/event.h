/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_EVENT_H
#define EVENLOG_EVENT_EVENT_H

/*
 * What an event is inside Evenlog, and the way into and out of it.
 *
 *   RPC-form BinXML ──event_pack()──► packed event ──┬─ event_packed_to_wire()
 *   (a self-contained document,                      ├─ event_render_xml()
 *    [MS-EVEN6] 2.2.12)                              └─ event_render_json()
 *
 * The packed event is the canonical form: values kept byte for byte, template
 * definitions replaced by numbers into a dictionary (event/dict.h).  It is
 * what store/ writes to disk, and every door starts from it.
 *
 * Packed form (little endian, no alignment):
 *
 *   node     := template | document
 *   template := 01 00 num_values:u16 template_no:u32
 *               num_values x { len:u16 type:u8 00 } values...
 *   document := 02 00 00 00  RPC-form document bytes (0F 01 01 00 ... 00)
 *
 * A value of type BinXml (0x21) inside a template node is a node itself, or
 * empty; its len is the length of that node.  A document node carries what
 * has no template, or what the dictionary had no room for.  So the wire form
 * of an event without nested values is a copy of its definition and of these
 * bytes.
 *
 * Everything here is pure: no sockets, no disk, no clock.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "base/guid.h"
#include "event/dict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A whole event in RPC form; design decision 5. */
#define EVENT_WIRE_MAX (1024 * 1024)
/* One value, BinXml values in RPC form included; the length is 16 bits. */
#define EVENT_VALUE_MAX 65535
/* Values of one template instance. */
#define EVENT_VALUES_MAX 4096
/* Element nesting plus BinXml nesting, counted together. */
#define EVENT_DEPTH_MAX 64

/* Value types, [MS-EVEN6] 2.2.12.1; 0x80 is the array bit. */
enum event_type {
	EVENT_TYPE_NULL = 0x00,
	EVENT_TYPE_STRING = 0x01,
	EVENT_TYPE_ANSI = 0x02,
	EVENT_TYPE_INT8 = 0x03,
	EVENT_TYPE_UINT8 = 0x04,
	EVENT_TYPE_INT16 = 0x05,
	EVENT_TYPE_UINT16 = 0x06,
	EVENT_TYPE_INT32 = 0x07,
	EVENT_TYPE_UINT32 = 0x08,
	EVENT_TYPE_INT64 = 0x09,
	EVENT_TYPE_UINT64 = 0x0A,
	EVENT_TYPE_REAL32 = 0x0B,
	EVENT_TYPE_REAL64 = 0x0C,
	EVENT_TYPE_BOOL = 0x0D,
	EVENT_TYPE_BINARY = 0x0E,
	EVENT_TYPE_GUID = 0x0F,
	EVENT_TYPE_SIZET = 0x10,
	EVENT_TYPE_FILETIME = 0x11,
	EVENT_TYPE_SYSTIME = 0x12,
	EVENT_TYPE_SID = 0x13,
	EVENT_TYPE_HEXINT32 = 0x14,
	EVENT_TYPE_HEXINT64 = 0x15,
	EVENT_TYPE_BINXML = 0x21,
	EVENT_TYPE_ARRAY = 0x80
};

/* Which fields of struct event_header an event really has. */
enum event_has {
	EVENT_HAS_TIME = 0x01,
	EVENT_HAS_EVENT_ID = 0x02,
	EVENT_HAS_LEVEL = 0x04,
	EVENT_HAS_TASK = 0x08,
	EVENT_HAS_OPCODE = 0x10,
	EVENT_HAS_KEYWORDS = 0x20,
	EVENT_HAS_VERSION = 0x40,
	EVENT_HAS_PROVIDER = 0x80
};

/*
 * The part of System that most filters ask for, read once when the event is
 * packed and stored beside it.  Missing fields are 0 and not in has.
 */
struct event_header {
	uint64_t time_created; /* FILETIME, TimeCreated/@SystemTime */
	uint64_t keywords;
	uint32_t provider_hash; /* event_name_hash() of Provider/@Name */
	uint16_t event_id;
	uint16_t task;
	uint8_t level;
	uint8_t opcode;
	uint8_t version;
	uint8_t has; /* enum event_has */
};

/* Hash of a name without case (ASCII); equal names have equal hashes. */
uint32_t event_name_hash(const uint8_t *utf16le, size_t num_units);

/* An event as event_pack() leaves it. */
struct event_packed {
	struct event_header header;
	const uint8_t *data; /* a packed node */
	size_t len;
	uint32_t wire_len; /* length of its RPC form */
	/*
	 * Where in data the 8 bytes of System/EventRecordID stand, for the
	 * writer that assigns it; 0 when the event has no such value.
	 */
	uint32_t record_id_offset;
	/* The distinct templates it uses; owned by the dictionary. */
	struct event_template *const *templates;
	size_t num_templates;
};

/* Scratch memory for packing; one for each place that packs. */
struct event_packer;

/* dict is used for every event and outlives the packer. */
struct event_packer *event_packer_create(TALLOC_CTX *mem_ctx,
					 struct event_dict *dict);

/*
 * Check an RPC-form document and turn it into a packed event.
 *
 * Missing fragment headers are supplied, waste bytes and trailing bytes after
 * the end are dropped, definitions are normalised ([MS-EVEN6] 2.2.12.2;
 * nothing of a value changes).  A definition new to the dictionary is added;
 * where it is full, or beyond 64 templates in one event, the node becomes a
 * document, in which definitions carry a GUID made from their bytes.  A refused
 * event leaves nothing in the dictionary.  The result lies in the packer and is
 * valid until its next use.
 *
 * EVERR_BINXML_*         the document is malformed
 * EVERR_EVENT_TOO_LARGE  its RPC form exceeds EVENT_WIRE_MAX
 * EVERR_LIMIT            more than EVENT_VALUES_MAX values in an instance, or
 *                        EVENT_ATTRIBUTES_MAX attributes of an element
 * EVERR_NOMEM
 */
everr_t event_pack(struct event_packer *packer, const uint8_t *doc, size_t len,
		   struct event_packed *ret_packed) EVERR_MUST_CHECK;

/*
 * Append the self-contained RPC form of a packed event: header, definition
 * and values, in the profile of facts 9.7.
 *
 * EVERR_TEMPLATE_UNKNOWN  a template number is not in dict
 * EVERR_BINXML_*          data is not a packed event (a damaged record)
 * EVERR_NOMEM, EVERR_LIMIT  out is full; it is cut back to its old length
 */
everr_t event_packed_to_wire(struct buf *out, struct event_dict *dict,
			     const uint8_t *data, size_t len) EVERR_MUST_CHECK;

/*
 * The templates a packed event uses, as numbers (for whoever counts users).
 * fn is called once per occurrence.
 */
typedef void (*event_template_no_fn)(uint32_t template_no, void *private_data);
everr_t event_packed_templates(const uint8_t *data, size_t len,
			       event_template_no_fn fn,
			       void *private_data) EVERR_MUST_CHECK;

/* Zeroed: as Windows does it, all on one line. */
struct event_render_options {
	bool indent; /* one element per line, two blanks per level */
};

/*
 * Append the event's XML text as Windows renders it (facts 9.5, 10): single
 * quotes, no declaration, seven fraction digits, upper-case braced GUIDs,
 * lower-case unpadded 0x numbers.  Valid UTF-8, well-formed XML 1.0 whatever
 * the values hold.  options may be NULL.  Errors as event_packed_to_wire().
 */
everr_t event_render_xml(struct buf *out, struct event_dict *dict,
			 const uint8_t *data, size_t len,
			 const struct event_render_options *options)
	EVERR_MUST_CHECK;

/*
 * Append the event as one JSON object on one line, without newline:
 *
 *   {"System":{"Provider":{"Name":"P","Guid":"{..}"},"EventID":1,...},
 *    "EventData":{"User":"bob","Port":445}}
 *
 * Attributes are members beside the text, which is "#text" where an element
 * has both; namespaces are left out.  Data elements become members named by
 * @Name, without names the array "Data"; names that a template has more than
 * once, and array values, become arrays.  Integers are numbers up to 2^53 and
 * strings beyond, Bool is true or false, Null and an element with nothing
 * inside null; the rest are strings as in the XML.
 */
everr_t event_render_json(struct buf *out, struct event_dict *dict,
			  const uint8_t *data, size_t len) EVERR_MUST_CHECK;

#endif
