/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/event/vectors.h"
#include "tests/event/wire.h"

#include "event/event.h"

static const char *const vectors[] = {"spec-4.4", "spec-4.8", "windows-4634",
				      "manifest-style"};

/* One dictionary and packer, and room for an event in and out. */
struct fixture {
	struct event_dict *dict;
	struct event_packer *packer;
	struct event_packed packed;
	struct wire in;
	struct buf out;
};

static struct fixture *fixture_new(void **state,
				   const struct event_dict_limits *limits)
{
	struct fixture *f = talloc_zero(*state, struct fixture);

	f->dict = event_dict_create(f, limits);
	f->packer = event_packer_create(f, f->dict);
	wire_init(&f->in, f);
	buf_init(&f->out, f, 16 * 1024 * 1024);
	return f;
}

static void load(struct fixture *f, const char *vector)
{
	buf_reset(&f->in.b);
	vector_load(&f->in.b, vector);
}

static everr_t pack(struct fixture *f)
{
	return event_pack(f->packer, f->in.b.data, f->in.b.len, &f->packed);
}

static void to_wire(struct fixture *f)
{
	buf_reset(&f->out);
	assert_int_equal(event_packed_to_wire(&f->out, f->dict, f->packed.data,
					      f->packed.len),
			 EVERR_OK);
	assert_int_equal(f->out.len, f->packed.wire_len);
}

static void assert_out(const struct fixture *f, const struct buf *want)
{
	assert_int_equal(f->out.len, want->len);
	assert_memory_equal(f->out.data, want->data, want->len);
}

/* Pack what came, send it, pack that: the second time nothing changes. */
static void assert_stable(struct fixture *f)
{
	uint8_t *data = NULL;
	size_t len;

	to_wire(f);
	data = talloc_memdup(f, f->packed.data, f->packed.len);
	len = f->packed.len;
	assert_int_equal(
		event_pack(f->packer, f->out.data, f->out.len, &f->packed),
		EVERR_OK);
	assert_int_equal(f->packed.len, len);
	assert_memory_equal(f->packed.data, data, len);
	TALLOC_FREE(data);
}

static uint32_t hash(struct fixture *f, const char *name)
{
	struct wire w;
	uint32_t h;

	wire_init(&w, f);
	wire_units(&w, name);
	h = event_name_hash(w.b.data, w.b.len / 2);
	buf_free(&w.b);
	return h;
}

static void test_real_and_generated_events_come_back_byte_for_byte(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	size_t i, j;

	for (i = 2; i < 4; i++) {
		for (j = 0; j < 2; j++) {
			load(f, vectors[i]);
			assert_int_equal(pack(f), EVERR_OK);
			assert_int_equal(f->packed.num_templates, 2);
			to_wire(f);
			assert_out(f, &f->in.b);
		}
	}
	assert_int_equal(event_dict_count(f->dict), 4);
}

/* Facts 19 has what they decode to. */
static void test_the_header_of_a_real_event(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	const struct event_header *h = &f->packed.header;

	load(f, "windows-4634");
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(h->has, 0xFF);
	assert_int_equal(h->event_id, 4634);
	assert_int_equal(h->version, 0);
	assert_int_equal(h->level, 0);
	assert_int_equal(h->task, 12545);
	assert_int_equal(h->opcode, 0);
	assert_int_equal(h->keywords, 0x8020000000000000);
	/* 2020-07-23T03:02:31.2952353Z */
	assert_int_equal(h->time_created, 132399469512952353);
	assert_int_equal(h->provider_hash,
			 hash(f, "MICROSOFT-windows-Security-Auditing"));
	assert_int_equal(le64_get(f->packed.data + f->packed.record_id_offset),
			 28493);
}

static void test_the_header_of_a_generated_event(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	const struct event_header *h = &f->packed.header;

	load(f, "manifest-style");
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(h->has, 0xFF);
	assert_int_equal(h->event_id, 1000);
	assert_int_equal(h->level, 4);
	assert_int_equal(h->keywords, 0x8000000000000000);
	assert_int_equal(h->time_created, 133444736000000000);
	assert_int_equal(h->provider_hash, hash(f, "Example-Provider"));
	assert_int_equal(le64_get(f->packed.data + f->packed.record_id_offset),
			 1);
}

static void test_the_record_id_can_be_assigned_in_place(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	uint8_t *data = NULL;
	size_t i, changed = 0;

	load(f, "manifest-style");
	assert_int_equal(pack(f), EVERR_OK);
	data = talloc_memdup(f, f->packed.data, f->packed.len);
	le64_set(data + f->packed.record_id_offset, 0x0807060504030200);
	buf_reset(&f->out);
	assert_int_equal(
		event_packed_to_wire(&f->out, f->dict, data, f->packed.len),
		EVERR_OK);
	assert_int_equal(f->out.len, f->in.b.len);
	for (i = 0; i < f->out.len; i++) {
		changed += f->out.data[i] != f->in.b.data[i];
	}
	/* 1 becomes 0x...00, the seven bytes above it change from 0. */
	assert_int_equal(changed, 8);
}

/* [MS-EVEN6] 4.4 has no template: it stays a document, token for token. */
static void test_a_plain_document_keeps_every_token(void **state)
{
	struct fixture *f = fixture_new(state, NULL);

	load(f, "spec-4.4");
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 0);
	assert_int_equal(f->packed.record_id_offset, 0);
	assert_int_equal(f->packed.header.has, 0);
	assert_int_equal(le32_get(f->packed.data), 2);
	to_wire(f);
	assert_out(f, &f->in.b);
}

/*
 * [MS-EVEN6] 4.8 normalised, by the offsets of facts 9.9: the inner definition
 * at 5BA gets the header it lacks and loses the waste from 6C6 to 70E; its
 * length at 5B6 and that of value 19, whose spec is at 559, follow.
 */
static void test_the_specifications_template_is_normalised(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct buf want;

	load(f, "spec-4.8");
	buf_init(&want, f, 4096);
	buf_put(&want, f->in.b.data, 0x5BA);
	buf_put(&want, "\x0F\x01\x01\x00", 4);
	buf_put(&want, f->in.b.data + 0x5BA, 0x6C6 - 0x5BA);
	buf_put(&want, f->in.b.data + 0x70E, f->in.b.len - 0x70E);
	assert_int_equal(le32_get(want.data + 0x5B6), 0x154);
	buf_set_u32(&want, 0x5B6, 0x154 - 72 + 4);
	assert_int_equal(le16_get(want.data + 0x559), 0x183);
	buf_set_u16(&want, 0x559, 0x183 - 72 + 4);

	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 2);
	to_wire(f);
	assert_out(f, &want);

	/* Provider is text in this template; the record id is 6, not 5. */
	assert_int_equal(f->packed.header.has, 0xFF);
	assert_int_equal(f->packed.header.provider_hash,
			 hash(f, "Microsoft-Windows-Wevttest"));
	assert_int_equal(le64_get(f->packed.data + f->packed.record_id_offset),
			 6);
	/* 21:40:54.6258076 */
	assert_int_equal(f->packed.header.time_created % 864000000000,
			 (21 * 3600 + 40 * 60 + 54) * 10000000ULL + 6258076);
}

/* The layout that event/event.h promises to store/. */
static void test_the_packed_form_is_as_documented(void **state)
{
	static const uint8_t want[] = {
		0x01, 0, 3,    0, 1,  0, 0,    0, /* template 1, 3 values */
		4,    0, 0x01, 0, 12, 0, 0x21, 0, /* specs */
		1,    0, 0x04, 0,		  /* */
		'h',  0, 'i',  0,		  /* value 0 */
		0x01, 0, 0,    0, 2,  0, 0,    0, /* value 1: template 2, */
	};
	static const uint8_t after[] = {7};
	struct fixture *f = fixture_new(state, NULL);
	struct wire nested;

	wire_init(&nested, f);
	wire_header(&nested);
	wire_small_template(&nested, 2, "EventData", 1);
	wire_value(&nested, 0x00, "", 0);
	wire_u8(&nested, 0);

	wire_header(&f->in);
	wire_small_template(&f->in, 1, "Event", 3);
	wire_value(&f->in, 0x01, "h\0i\0", 4);
	wire_value(&f->in, 0x21, nested.b.data, nested.b.len);
	wire_value(&f->in, 0x04, "\7", 1);
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_OK);

	/* The nested node: one value, Null; its length is 12. */
	assert_int_equal(f->packed.len, sizeof(want) + 4 + sizeof(after));
	assert_memory_equal(f->packed.data, want, 26);
	assert_int_equal(le16_get(f->packed.data + 26), 1);
	assert_memory_equal(f->packed.data + f->packed.len - 1, after, 1);
	assert_int_equal(f->packed.templates[0]->no, 1);
	assert_int_equal(f->packed.templates[1]->no, 2);
	to_wire(f);
	assert_out(f, &f->in.b);
}

/* Everything Windows leaves out at times is there when it is sent. */
static void test_missing_headers_are_supplied(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct wire w, nested;
	int bare;

	wire_init(&w, f);
	wire_init(&nested, f);
	for (bare = 1; bare >= 0; bare--) {
		buf_reset(&nested.b);
		if (!bare) {
			wire_header(&nested);
		}
		wire_template(&nested, 2);
		if (!bare) {
			wire_header(&nested);
		}
		wire_open(&nested, "EventData", WIRE_NONE, false);
		wire_close_empty(&nested);
		wire_u8(&nested, 0);
		wire_values(&nested, 0);
		wire_u8(&nested, 0);

		buf_reset(&w.b);
		if (!bare) {
			wire_header(&w);
		}
		wire_template(&w, 1);
		if (!bare) {
			wire_header(&w);
		}
		wire_open(&w, "Event", WIRE_NONE, false);
		wire_close_start(&w);
		wire_subst(&w, false, 0, 0x21);
		wire_end(&w);
		wire_u8(&w, 0);
		wire_values(&w, 1);
		wire_value(&w, 0x21, nested.b.data, nested.b.len);
		wire_u8(&w, 0);
		if (bare) {
			buf_put(&f->in.b, w.b.data, w.b.len);
			buf_puts(&f->in.b, "bytes behind the end");
			assert_int_equal(pack(f), EVERR_OK);
		}
	}
	assert_int_equal(f->packed.num_templates, 2);
	to_wire(f);
	assert_out(f, &w.b);
}

/* An event whose only value is nested as given; what is sent for it. */
static void assert_nested(struct fixture *f, const struct wire *nested,
			  const struct wire *want)
{
	struct wire w;
	int i;

	wire_init(&w, f);
	for (i = 0; i < 2; i++) {
		buf_reset(&w.b);
		wire_header(&w);
		wire_small_template(&w, 1, "Event", 2);
		wire_value(&w, 0x21, i == 0 ? nested->b.data : want->b.data,
			   i == 0 ? nested->b.len : want->b.len);
		wire_value(&w, 0x04, "\7", 1);
		wire_u8(&w, 0);
		if (i == 0) {
			buf_reset(&f->in.b);
			buf_put(&f->in.b, w.b.data, w.b.len);
			assert_int_equal(pack(f), EVERR_OK);
			to_wire(f);
		}
	}
	assert_out(f, &w.b);
	buf_free(&w.b);
}

static void test_nested_plain_elements_become_documents(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct wire nested, want;

	wire_init(&nested, f);
	wire_init(&want, f);

	/* One without header. */
	wire_leaf(&nested, "a", WIRE_PLAIN, "x");
	wire_u8(&nested, 0);
	wire_header(&want);
	wire_leaf(&want, "a", WIRE_PLAIN, "x");
	wire_u8(&want, 0);
	assert_nested(f, &nested, &want);
	assert_int_equal(f->packed.num_templates, 1);

	/* Several, each with its header. */
	buf_truncate(&want.b, want.b.len - 1);
	wire_leaf(&want, "b", WIRE_PLAIN, "y");
	wire_u8(&want, 0);
	buf_truncate(&nested.b, nested.b.len - 1);
	wire_header(&nested);
	wire_leaf(&nested, "b", WIRE_PLAIN, "y");
	wire_u8(&nested, 0);
	assert_nested(f, &nested, &want);
}

/* Facts (evtx) 6: no bytes at all, or only an end, is an empty value. */
static void test_nested_nothing_is_empty(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct wire nested, want;

	wire_init(&nested, f);
	wire_init(&want, f);
	assert_nested(f, &nested, &want);
	wire_u8(&nested, 0);
	assert_nested(f, &nested, &want);
	buf_reset(&nested.b);
	wire_header(&nested);
	wire_u8(&nested, 0);
	assert_nested(f, &nested, &want);
}

/* The GUID made from the bytes, where the definition stands at def. */
static void mint(struct buf *wire, size_t def)
{
	struct ev_guid guid;

	ev_guid_from_bytes(wire->data + def, le32_get(wire->data + def - 4),
			   &guid);
	memcpy(wire->data + def - 20, guid.b, 16);
}

/*
 * The generated event as a document: outer definition at 26; the nested one
 * behind it.  Both GUIDs are replaced, as no dictionary keeps them apart.
 */
static void test_a_full_dictionary_makes_documents(void **state)
{
	static const struct event_dict_limits none = {0, 0};
	struct fixture *f = fixture_new(state, &none);
	struct fixture *full = fixture_new(state, NULL);
	size_t nested;

	load(f, "manifest-style");
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 0);
	assert_int_equal(f->packed.record_id_offset, 0);
	assert_int_equal(f->packed.header.event_id, 1000);
	assert_int_equal(f->packed.header.has, 0xFF);
	to_wire(f);

	/* EventData's definition: 203 bytes of nested value, EOF, the end. */
	nested = f->in.b.len - 1 - 203 + 4 + 22;
	assert_int_equal(le32_get(f->in.b.data + nested - 4), 0x9A);
	mint(&f->in.b, nested);
	mint(&f->in.b, 26);
	assert_out(f, &f->in.b);

	/* Where there is room, the same bytes are templates again. */
	buf_put(&full->in.b, f->in.b.data, f->in.b.len);
	assert_int_equal(pack(full), EVERR_OK);
	assert_int_equal(full->packed.num_templates, 2);
	to_wire(full);
	assert_out(full, &f->in.b);
}

/* The nested definition finds no room: it becomes a document in a template. */
static void test_half_a_dictionary_makes_both(void **state)
{
	static const struct event_dict_limits one = {1, 65536};
	struct fixture *f = fixture_new(state, &one);

	load(f, "manifest-style");
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 1);
	assert_true(f->packed.record_id_offset > 0);
	to_wire(f);
	mint(&f->in.b, f->in.b.len - 1 - 203 + 4 + 22);
	assert_out(f, &f->in.b);
}

static void test_a_processing_instruction_makes_a_document(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct wire want;

	wire_init(&want, f);
	wire_u8(&f->in, 0x0A);
	wire_name(&f->in, "t");
	wire_u8(&f->in, 0x0B);
	buf_put_u16(&f->in.b, 0);
	wire_header(&want);
	buf_put(&want.b, f->in.b.data, f->in.b.len);
	wire_header(&f->in);
	wire_small_template(&f->in, 1, "Event", 1);
	wire_value(&f->in, 0x04, "\7", 1);
	wire_u8(&f->in, 0);
	wire_small_template(&want, 1, "Event", 1);
	mint(&want.b, want.def);
	wire_value(&want, 0x04, "\7", 1);
	wire_u8(&want, 0);

	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 0);
	to_wire(f);
	assert_out(f, &want.b);
	assert_stable(f);
}

/* A rendered event of a collector: System is text throughout. */
static void test_the_header_of_an_event_that_is_all_text(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	const struct event_header *h = &f->packed.header;
	struct wire *w = &f->in;

	wire_header(w);
	wire_open(w, "Event", WIRE_PLAIN, false);
	wire_close_start(w);
	wire_open(w, "System", WIRE_PLAIN, false);
	wire_close_start(w);
	wire_open(w, "Provider", WIRE_PLAIN, true);
	wire_attribute(w, "Guid", true);
	wire_text(w, "{11111111-2222-3333-4444-555555555555}");
	wire_attribute(w, "Name", false);
	wire_text(w, "Example-");
	wire_text(w, "Provider");
	wire_close_empty(w);
	wire_open(w, "EventID", WIRE_PLAIN, true);
	wire_attribute(w, "Qualifiers", false);
	wire_text(w, "16384");
	wire_close_start(w);
	wire_text(w, "7036");
	wire_end(w);
	wire_leaf(w, "Level", WIRE_PLAIN, "256");
	wire_leaf(w, "Task", WIRE_PLAIN, "many");
	wire_leaf(w, "Keywords", WIRE_PLAIN, "0x8080000000000000");
	wire_open(w, "TimeCreated", WIRE_PLAIN, true);
	wire_attribute(w, "SystemTime", false);
	wire_text(w, "2023-11-14T22:13:20.000000000Z");
	wire_close_empty(w);
	wire_leaf(w, "EventRecordID", WIRE_PLAIN, "5");
	wire_end(w);
	wire_open(w, "RenderingInfo", WIRE_PLAIN, false);
	wire_close_start(w);
	wire_leaf(w, "Opcode", WIRE_PLAIN, "3");
	wire_end(w);
	wire_end(w);
	wire_u8(w, 0);

	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(h->has, EVENT_HAS_PROVIDER | EVENT_HAS_EVENT_ID |
					 EVENT_HAS_KEYWORDS | EVENT_HAS_TIME);
	assert_int_equal(h->provider_hash, hash(f, "Example-Provider"));
	assert_int_equal(h->event_id, 7036);
	assert_int_equal(h->keywords, 0x8080000000000000);
	assert_int_equal(h->time_created, 133444736000000000);
	assert_int_equal(h->level, 0);
	assert_int_equal(f->packed.record_id_offset, 0);
	to_wire(f);
	assert_out(f, &f->in.b);
}

static void test_truncation_at_every_length_is_an_error(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct event_packed untouched = {.len = 4711};
	uint8_t *copy = NULL;
	size_t i, len;

	for (i = 0; i < 4; i++) {
		load(f, vectors[i]);
		for (len = 0; len < f->in.b.len; len++) {
			copy = talloc_memdup(f, f->in.b.data, len);
			assert_int_not_equal(
				event_pack(f->packer, copy, len, &untouched),
				EVERR_OK);
			TALLOC_FREE(copy);
		}
	}
	assert_int_equal(untouched.len, 4711);
	/* Refused events leave no definitions behind. */
	assert_int_equal(event_dict_count(f->dict), 0);
}

/* Whatever a flipped bit makes of an event: an error or an event. */
static void test_flipped_bits_end_in_an_error_or_an_event(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	uint8_t *doc = NULL;
	size_t i, bit, len, good = 0;

	for (i = 0; i < 4; i++) {
		load(f, vectors[i]);
		len = f->in.b.len;
		doc = talloc_memdup(f, f->in.b.data, len);
		for (bit = 0; bit < len * 8; bit++) {
			doc[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (event_pack(f->packer, doc, len, &f->packed) ==
			    EVERR_OK) {
				assert_stable(f);
				good++;
			}
			doc[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		TALLOC_FREE(doc);
	}
	/* Text and values are most of it. */
	assert_true(good > 10000);
}

/* The same with a packed event, as from a damaged disk. */
static void test_damaged_packed_events_are_refused_or_sent(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	uint8_t *data = NULL;
	size_t bit, len;

	load(f, "spec-4.8");
	assert_int_equal(pack(f), EVERR_OK);
	for (len = 0; len < f->packed.len; len++) {
		data = talloc_memdup(f, f->packed.data, len);
		buf_reset(&f->out);
		buf_puts(&f->out, "kept");
		assert_int_not_equal(
			event_packed_to_wire(&f->out, f->dict, data, len),
			EVERR_OK);
		assert_int_equal(f->out.len, 4);
		TALLOC_FREE(data);
	}
	data = talloc_memdup(f, f->packed.data, f->packed.len);
	for (bit = 0; bit < f->packed.len * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		buf_reset(&f->out);
		(void)!event_packed_to_wire(&f->out, f->dict, data,
					    f->packed.len);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* Template 1 in byte 4: no such number. */
	data[4] = 99;
	assert_int_equal(
		event_packed_to_wire(&f->out, f->dict, data, f->packed.len),
		EVERR_TEMPLATE_UNKNOWN);
}

static void test_a_full_buffer_is_cut_back(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct buf small;
	size_t max;

	load(f, "manifest-style");
	assert_int_equal(pack(f), EVERR_OK);
	for (max = 4; max < 4 + f->in.b.len; max++) {
		buf_init(&small, f, max);
		buf_puts(&small, "kept");
		assert_int_equal(event_packed_to_wire(&small, f->dict,
						      f->packed.data,
						      f->packed.len),
				 EVERR_LIMIT);
		assert_int_equal(small.len, 4);
		buf_free(&small);
	}
}

static void test_documents_have_one_root(void **state)
{
	struct fixture *f = fixture_new(state, NULL);

	wire_header(&f->in);
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_BINXML_TOKEN);
	buf_truncate(&f->in.b, 4);
	wire_leaf(&f->in, "Event", WIRE_PLAIN, "");
	wire_leaf(&f->in, "Event", WIRE_PLAIN, "");
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_BINXML_TOKEN);
	buf_truncate(&f->in.b, 4);
	wire_small_template(&f->in, 1, "Event", 0);
	wire_leaf(&f->in, "Event", WIRE_PLAIN, "");
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_BINXML_TOKEN);
}

static void test_values_must_fit_their_types(void **state)
{
	struct fixture *f = fixture_new(state, NULL);

	wire_small_template(&f->in, 1, "Event", 1);
	wire_value(&f->in, 0x08, "\1\2\3", 3);
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_BINXML_VALUE);
	/* In documents too. */
	buf_reset(&f->in.b);
	wire_header(&f->in);
	wire_u8(&f->in, 0x0A);
	wire_name(&f->in, "t");
	wire_u8(&f->in, 0x0B);
	buf_put_u16(&f->in.b, 0);
	wire_small_template(&f->in, 1, "Event", 1);
	wire_value(&f->in, 0x23, "\1\2\3", 3);
	wire_u8(&f->in, 0);
	assert_int_equal(pack(f), EVERR_BINXML_VALUE);
	assert_int_equal(event_dict_count(f->dict), 0);
}

/* Null may have bytes, a spec's last byte be anything: facts (evtx) 6. */
static void test_null_keeps_its_bytes_and_specs_their_zero(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	size_t reserved;

	wire_header(&f->in);
	wire_small_template(&f->in, 1, "Event", 2);
	reserved = f->in.specs + 7;
	wire_value(&f->in, 0x00, "\1\2\3", 3);
	wire_value(&f->in, 0x04, "\4", 1);
	wire_u8(&f->in, 0);
	f->in.b.data[reserved] = 0x55;
	assert_int_equal(pack(f), EVERR_OK);
	to_wire(f);
	f->in.b.data[reserved] = 0;
	assert_out(f, &f->in.b);
}

/* An event of num binary values of len bytes, and nothing else. */
static void big_event(struct fixture *f, uint32_t num, size_t len)
{
	uint8_t *bytes = talloc_zero_array(f, uint8_t, len);
	uint32_t i;

	buf_reset(&f->in.b);
	wire_header(&f->in);
	wire_small_template(&f->in, 1, "Event", num);
	for (i = 0; i < num; i++) {
		wire_value(&f->in, 0x0E, bytes, len);
	}
	wire_u8(&f->in, 0);
	TALLOC_FREE(bytes);
}

static void test_the_largest_event_is_one_mebibyte(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	size_t rest;

	big_event(f, 16, 65000);
	rest = EVENT_WIRE_MAX - f->in.b.len;
	big_event(f, 16, 65000 + rest / 16);
	assert_true(f->in.b.len > EVENT_WIRE_MAX - 16);
	assert_int_equal(pack(f), EVERR_OK);
	to_wire(f);
	assert_out(f, &f->in.b);
	big_event(f, 16, 65000 + rest / 16 + 1);
	assert_true(f->in.b.len > EVENT_WIRE_MAX);
	assert_int_equal(pack(f), EVERR_EVENT_TOO_LARGE);
	big_event(f, 100, 65000);
	assert_int_equal(pack(f), EVERR_EVENT_TOO_LARGE);
	assert_int_equal(event_dict_count(f->dict), 1);
}

static void test_values_are_counted(void **state)
{
	struct fixture *f = fixture_new(state, NULL);

	big_event(f, EVENT_VALUES_MAX, 1);
	assert_int_equal(pack(f), EVERR_OK);
	big_event(f, EVENT_VALUES_MAX + 1, 1);
	assert_int_equal(pack(f), EVERR_LIMIT);
}

/* A header that is supplied may not push a value over 16 bits. */
static void test_a_nested_value_fits_sixteen_bits_when_sent(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	struct wire nested;
	size_t len;
	int extra;

	wire_init(&nested, f);
	for (extra = 0; extra < 2; extra++) {
		buf_reset(&nested.b);
		wire_template(&nested, 2);
		wire_header(&nested);
		wire_open(&nested, "E", WIRE_NONE, false);
		wire_close_empty(&nested);
		wire_u8(&nested, 0);
		wire_values(&nested, 1);
		/* The header it will get, and its EOF. */
		len = EVENT_VALUE_MAX - nested.b.len - 4 - 1 + (size_t)extra;
		wire_value(&nested, 0x0E, talloc_zero_size(f, len), len);
		wire_u8(&nested, 0);
		buf_reset(&f->in.b);
		wire_small_template(&f->in, 1, "Event", 1);
		wire_value(&f->in, 0x21, nested.b.data, nested.b.len);
		wire_u8(&f->in, 0);
		assert_int_equal(pack(f),
				 extra == 0 ? EVERR_OK : EVERR_BINXML_VALUE);
	}
}

/* depth template instances in each other, each of one element. */
static void nested_instances(struct fixture *f, unsigned int depth)
{
	struct wire inner;
	unsigned int i;

	wire_init(&inner, f);
	buf_reset(&f->in.b);
	for (i = 0; i < depth; i++) {
		buf_reset(&inner.b);
		wire_header(&inner);
		wire_small_template(&inner, 1, "Event", 1);
		wire_value(&inner, 0x21, f->in.b.data, f->in.b.len);
		wire_u8(&inner, 0);
		buf_reset(&f->in.b);
		buf_put(&f->in.b, inner.b.data, inner.b.len);
	}
	buf_free(&inner.b);
}

/* Each level counts twice: as an element, and as nested BinXml. */
static void test_nesting_is_limited(void **state)
{
	static const struct event_dict_limits none = {0, 0};
	struct fixture *fixtures[] = {fixture_new(state, NULL),
				      fixture_new(state, &none)};
	int i;

	for (i = 0; i < 2; i++) {
		nested_instances(fixtures[i], EVENT_DEPTH_MAX / 2);
		assert_int_equal(pack(fixtures[i]), EVERR_OK);
		assert_stable(fixtures[i]);
		nested_instances(fixtures[i], EVENT_DEPTH_MAX / 2 + 1);
		assert_int_equal(pack(fixtures[i]), EVERR_BINXML_DEPTH);
		nested_instances(fixtures[i], 500);
		assert_int_equal(pack(fixtures[i]), EVERR_BINXML_DEPTH);
	}
}

/* An event of num nested values, each with a template of its own. */
static void many_templates(struct fixture *f, uint32_t num)
{
	struct wire nested;
	char name[16];
	uint32_t i;

	wire_init(&nested, f);
	wire_header(&f->in);
	wire_small_template(&f->in, 1, "Event", num);
	for (i = 0; i < num; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		buf_reset(&nested.b);
		wire_header(&nested);
		wire_small_template(&nested, (uint8_t)(2 + i), name, 0);
		wire_u8(&nested, 0);
		wire_value(&f->in, 0x21, nested.b.data, nested.b.len);
	}
	wire_u8(&f->in, 0);
	buf_free(&nested.b);
}

static void count_template(uint32_t no, void *private_data)
{
	uint32_t *counts = private_data;

	counts[no]++;
}

static void test_templates_are_listed_up_to_a_limit(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	uint32_t counts[256] = {0};
	uint32_t i;

	many_templates(f, 200);
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 64);
	assert_int_equal(event_dict_count(f->dict), 64);
	assert_int_equal(event_packed_templates(f->packed.data, f->packed.len,
						count_template, counts),
			 EVERR_OK);
	for (i = 1; i <= 64; i++) {
		assert_int_equal(counts[i], 1);
		assert_int_equal(f->packed.templates[i - 1]->no, i);
	}
	assert_int_equal(counts[65], 0);
	assert_stable(f);
}

static void test_templates_are_counted_by_occurrence(void **state)
{
	struct fixture *f = fixture_new(state, NULL);
	uint32_t counts[8] = {0};

	nested_instances(f, 3);
	assert_int_equal(pack(f), EVERR_OK);
	assert_int_equal(f->packed.num_templates, 1);
	assert_int_equal(event_packed_templates(f->packed.data, f->packed.len,
						count_template, counts),
			 EVERR_OK);
	assert_int_equal(counts[1], 3);
	assert_int_not_equal(event_packed_templates(f->packed.data,
						    f->packed.len - 1,
						    count_template, counts),
			     EVERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(
			test_real_and_generated_events_come_back_byte_for_byte),
		leak_test(test_the_header_of_a_real_event),
		leak_test(test_the_header_of_a_generated_event),
		leak_test(test_the_record_id_can_be_assigned_in_place),
		leak_test(test_a_plain_document_keeps_every_token),
		leak_test(test_the_specifications_template_is_normalised),
		leak_test(test_the_packed_form_is_as_documented),
		leak_test(test_missing_headers_are_supplied),
		leak_test(test_nested_plain_elements_become_documents),
		leak_test(test_nested_nothing_is_empty),
		leak_test(test_a_full_dictionary_makes_documents),
		leak_test(test_half_a_dictionary_makes_both),
		leak_test(test_a_processing_instruction_makes_a_document),
		leak_test(test_the_header_of_an_event_that_is_all_text),
		leak_test(test_truncation_at_every_length_is_an_error),
		leak_test(test_flipped_bits_end_in_an_error_or_an_event),
		leak_test(test_damaged_packed_events_are_refused_or_sent),
		leak_test(test_a_full_buffer_is_cut_back),
		leak_test(test_documents_have_one_root),
		leak_test(test_values_must_fit_their_types),
		leak_test(test_null_keeps_its_bytes_and_specs_their_zero),
		leak_test(test_the_largest_event_is_one_mebibyte),
		leak_test(test_values_are_counted),
		leak_test(test_a_nested_value_fits_sixteen_bits_when_sent),
		leak_test(test_nesting_is_limited),
		leak_test(test_templates_are_listed_up_to_a_limit),
		leak_test(test_templates_are_counted_by_occurrence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
