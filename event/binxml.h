/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_EVENT_BINXML_H
#define EVENLOG_EVENT_BINXML_H

/*
 * BinXML tokens in RPC form, one at a time, in and out.
 * [MS-EVEN6] 2.2.12; facts 9.1 to 9.3.  .evtx files have the same tokens with
 * names and definitions at offsets (facts 9.6): reader and writer can do both.
 *
 * The reader is a pull parser over untrusted bytes.  It allocates nothing and
 * yields only what the grammar allows at that place, so whoever reads tokens
 * need not check their order.  It checks
 *
 *   - every length against the data and against what it encloses: an element
 *     ends where its length says, an attribute list too (EVERR_BINXML_LENGTH);
 *   - names: XML 1.0 names only, no attribute twice in an element
 *     (EVERR_BINXML_NAME);
 *   - depth, attributes per element, and values per template instance.
 *
 * It tolerates what carries no meaning: wrong name hashes, a name's closing
 * NUL that is not one, the "more" bits.  The writer puts these right.  What it
 * cannot know is for its caller: whether text, a character reference or an
 * entity is one that XML allows.
 */

#include "base/buf.h"
#include "base/everr.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attributes of one element. */
#define EVENT_ATTRIBUTES_MAX 128

/* Bytes of a fragment header: 0F, major, minor, flags. */
#define EVENT_FRAGMENT_SIZE 4

/* No dependency, [MS-EVEN6] 2.2.12 DependencyId. */
#define EVENT_NO_DEPENDENCY 0xFFFF

/* The token byte without its "more" bit. */
enum event_token_kind {
	EVENT_TOKEN_EOF = 0x00,
	EVENT_TOKEN_OPEN = 0x01,	/* <name; attributes follow if any */
	EVENT_TOKEN_CLOSE_START = 0x02, /* > */
	EVENT_TOKEN_CLOSE_EMPTY = 0x03, /* /> and the element is over */
	EVENT_TOKEN_END = 0x04,		/* </name> */
	EVENT_TOKEN_TEXT = 0x05,
	EVENT_TOKEN_ATTRIBUTE = 0x06, /* its value is the tokens up to the next
					   ATTRIBUTE or CLOSE_* */
	EVENT_TOKEN_CDATA = 0x07,
	EVENT_TOKEN_CHAR_REF = 0x08,
	EVENT_TOKEN_ENTITY_REF = 0x09,
	EVENT_TOKEN_PI_TARGET = 0x0A, /* a PI_DATA always follows */
	EVENT_TOKEN_PI_DATA = 0x0B,
	EVENT_TOKEN_TEMPLATE = 0x0C, /* a whole instance, as one token */
	EVENT_TOKEN_SUBST = 0x0D,
	EVENT_TOKEN_OPTIONAL_SUBST = 0x0E,
	EVENT_TOKEN_FRAGMENT = 0x0F
};

/* A template instance; pointers go into the data that was read. */
struct event_instance {
	const uint8_t *guid; /* 16 bytes */
	const uint8_t *def;  /* definition, with its waste if any */
	uint32_t def_len;
	uint32_t num_values;
	const uint8_t *specs;  /* num_values times EVENT_SPEC_SIZE bytes */
	const uint8_t *values; /* back to back */
	size_t values_len;     /* the sum of their lengths */
};

/* A value's length:u16, type:u8 and 00, on the wire and in packed events. */
#define EVENT_SPEC_SIZE 4

static inline uint16_t event_spec_len(const uint8_t *specs, size_t i)
{
	return le16_get(specs + i * EVENT_SPEC_SIZE);
}

static inline uint8_t event_spec_type(const uint8_t *specs, size_t i)
{
	return specs[i * EVENT_SPEC_SIZE + 2];
}

struct event_token {
	uint8_t kind;  /* enum event_token_kind */
	bool more;     /* bit 0x40; OPEN: has an attribute list */
	size_t offset; /* of the token byte in the data */
	/* OPEN, ATTRIBUTE, ENTITY_REF, PI_TARGET: the name.
	   TEXT, CDATA, PI_DATA: the text.  UTF-16LE. */
	const uint8_t *units;
	size_t num_units;
	uint16_t dependency; /* OPEN; EVENT_NO_DEPENDENCY outside definitions */
	uint16_t subst_id;   /* SUBST, OPTIONAL_SUBST */
	uint8_t subst_type; /* the type the template names; values have theirs */
	uint16_t ch;	    /* CHAR_REF: the UTF-16 unit */
	struct event_instance instance; /* TEMPLATE only, else undefined */
};

/* What is read. */
enum event_reader_mode {
	/* A document or a BinXml value: no dependency ids, no substitutions;
	   any number of elements and instances follow each other. */
	EVENT_READ_DOCUMENT,
	/* A template definition: dependency ids and substitutions, exactly one
	   element, no template instance. */
	EVENT_READ_DEFINITION
};

/* Read-only for callers but for event_reader_init(). */
struct event_reader {
	const uint8_t *data;
	size_t len;
	size_t pos; /* of the next token */
	enum event_reader_mode mode;
	bool in_chunk; /* file form */
	uint8_t state;
	uint8_t base;	    /* depth outside this document */
	uint8_t depth;	    /* open elements */
	uint32_t num_roots; /* elements and instances at the top so far */
	size_t attributes_end;
	uint32_t num_attributes;
	size_t ends[EVENT_DEPTH_MAX]; /* where the open elements end */
	size_t attributes[EVENT_ATTRIBUTES_MAX]; /* names' offsets */
};

/* depth is how deeply the data itself is nested; 0 for a whole event. */
void event_reader_init(struct event_reader *reader, enum event_reader_mode mode,
		       const uint8_t *data, size_t len, unsigned int depth);

/*
 * The same in file form.  data is a chunk of EVENT_EVTX_CHUNK_SIZE bytes, to
 * which names and definitions may point from anywhere; what is read stands
 * from pos up to end.  Offsets of tokens count from the chunk's start.
 */
void event_reader_init_chunk(struct event_reader *reader,
			     enum event_reader_mode mode, const uint8_t *chunk,
			     size_t pos, size_t end, unsigned int depth);

/*
 * The next token.  After EVENT_TOKEN_EOF, which every document has, reader->pos
 * is behind it and the call returns EVERR_END; bytes may follow there.
 *
 * EVERR_BINXML_TRUNCATED, _TOKEN, _LENGTH, _NAME, _DEPTH
 * EVERR_LIMIT  EVENT_ATTRIBUTES_MAX or EVENT_VALUES_MAX
 */
everr_t event_reader_next(struct event_reader *reader,
			  struct event_token *ret_token) EVERR_MUST_CHECK;

/*
 * Take apart the template instance whose 0C stands at data[0]; *ret_size is
 * how many bytes it covers.  The reader does this for its TEMPLATE tokens.
 */
everr_t event_instance_parse(const uint8_t *data, size_t len,
			     struct event_instance *ret_instance,
			     size_t *ret_size) EVERR_MUST_CHECK;

/*
 * The same in file form: the 0C stands at pos of a chunk, the instance ends
 * before end; its definition may be anywhere in the chunk.
 */
everr_t event_instance_parse_chunk(const uint8_t *chunk, size_t pos, size_t end,
				   struct event_instance *ret_instance,
				   size_t *ret_size) EVERR_MUST_CHECK;

/* [MS-EVEN6] 2.2.12 NameHash: low 16 bits, factor 65599. */
uint16_t event_binxml_name_hash(const uint8_t *utf16le, size_t num_units);

/*
 * Whether the units are a QName: an XML 1.0 Name (fifth edition) with at most
 * one colon, between two names (Namespaces in XML 1.0, production [7]).
 */
bool event_binxml_name_legal(const uint8_t *utf16le, size_t num_units);

/*
 * The writer.  Tokens in the order the reader yields them; lengths, hashes
 * and the attributes' "more" bits are computed here, TEXT, CDATA, CHAR_REF and
 * ENTITY_REF keep theirs.  Errors stick to the buffer.  TEMPLATE is not
 * written here: its values are another's subject.
 */
typedef void (*event_put_name_fn)(void *private_data, const uint8_t *units,
				  size_t num_units);

struct event_writer {
	struct buf *out;
	/* Writes names, in file form; NULL: RPC form. */
	event_put_name_fn put_name;
	void *private_data;
	enum event_reader_mode mode;
	uint8_t depth;
	bool in_attributes;
	size_t attributes_start;	/* of the list's length field */
	size_t attribute;		/* of the list's last attribute token */
	size_t starts[EVENT_DEPTH_MAX]; /* of the open elements' lengths */
};

void event_writer_init(struct event_writer *writer, enum event_reader_mode mode,
		       struct buf *out);
void event_writer_put(struct event_writer *writer,
		      const struct event_token *token);

/* What a definition asks of its instances. */
struct event_definition_needs {
	uint32_t
		num_values; /* highest id of a substitution or dependency + 1 */
	uint8_t depth;	    /* of its elements */
};

/*
 * Append a definition normalised (design decision 3): one fragment header
 * first, the element with right lengths, hashes and "more" bits of attributes,
 * EOF, nothing after it.
 *
 * Errors as event_reader_next(), and the buffer's.
 */
everr_t event_definition_normalise(
	struct buf *out, const uint8_t *def, size_t len,
	struct event_definition_needs *ret_needs) EVERR_MUST_CHECK;

#endif
