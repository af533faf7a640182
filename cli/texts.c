/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/texts.h"

#include "cli/cli.h"
#include "collect/messages.h"

#include <ctype.h>
#include <string.h>

/*
 * The marks: characters of the private use area, one for each insert.  A
 * message that has them itself gets values where none belong, and that is all.
 */
#define MARK_FIRST 0xEB00U
#define MARK_BYTES 3

#define BUCKETS 1024
/* A request's key: more in it is not asked for. */
#define KEY_MAX 65536
/* In a key, beside what is asked for: with each value as it is. */
#define KEY_PLAIN 0x80

enum text_state {
	TEXT_ASKED,
	TEXT_KNOWN,
	TEXT_NONE,
	TEXT_PLAIN_ONLY /* its values are not only put in */
};

/* A call that is on its way, and then its answer. */
struct answer {
	struct tevent_req *req;
	char *text; /* NULL: there is none */
	size_t len;
};

struct text {
	struct text *next; /* in its bucket */
	struct cli_texts *texts;
	enum text_state state;
	bool has_marks;
	struct answer marked; /* what is kept */
	struct answer plain;  /* with the values of sample, for comparison */
	const char **sample;
	size_t num_sample;
	uint32_t hash;
	size_t key_len;
	uint8_t key[];
};

struct cli_texts {
	struct tevent_context *ev;
	const struct event_catalog *catalog;
	struct collect_messages *messages; /* of the connection, or NULL */
	struct text *buckets[BUCKETS];
	size_t num;
	size_t bytes;
	size_t num_asked; /* calls */
	bool unsettled;
	bool given_up; /* on this connection */
	struct tevent_timer *timer;
	struct buf key; /* scratch */
	cli_texts_fn fn;
	void *private_data;
	struct tevent_immediate *immediate;
};

/* ------------------------------------------------------------------ keys */

static bool has_parameter(const char *value)
{
	const char *p = strstr(value, "%%");

	while (p != NULL && !isdigit((unsigned char)p[2])) {
		p = strstr(p + 1, "%%");
	}
	return p != NULL;
}

static void put_insert_key(struct buf *key, size_t index, const char *text)
{
	buf_put_u8(key, (uint8_t)index);
	buf_put(key, text, strlen(text) + 1);
}

static void put_message_key(struct buf *key, bool plain,
			    const struct event_message_source *event)
{
	size_t i;

	buf_put_u16(key, event->event_id);
	buf_put_u16(key, event->qualifiers);
	buf_put_u8(key, event->version);
	buf_put_u16(key, (uint16_t)event->num_inserts);
	for (i = 0; i < event->num_inserts; i++) {
		const char *text = event->inserts[i].text;

		if (plain || has_parameter(text)) {
			put_insert_key(key, i, text);
		}
	}
}

/* Everything that a text depends on. */
static bool make_key(struct cli_texts *texts, enum cli_text what, bool plain,
		     const struct event_message_source *event)
{
	struct buf *key = &texts->key;

	buf_reset(key);
	buf_put_u8(key, (uint8_t)what | (plain ? KEY_PLAIN : 0));
	buf_put(key, event->provider, strlen(event->provider) + 1);
	switch (what) {
	case CLI_TEXT_MESSAGE:
		put_message_key(key, plain, event);
		break;
	case CLI_TEXT_LEVEL:
		buf_put_u8(key, event->level);
		break;
	case CLI_TEXT_OPCODE:
		buf_put_u8(key, event->opcode);
		buf_put_u16(key, event->task);
		break;
	case CLI_TEXT_TASK:
		buf_put_u16(key, event->task);
		break;
	case CLI_TEXT_KEYWORDS:
		buf_put_u64(key, event->keywords);
		break;
	case CLI_TEXT_PROVIDER:
		break;
	}
	return buf_error(key) == EVERR_OK;
}

/* FNV-1a */
static uint32_t hash_key(const struct buf *key)
{
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < key->len; i++) {
		hash = (hash ^ key->data[i]) * 16777619U;
	}
	return hash;
}

/* The text of texts->key, or NULL. */
static struct text *find_text(const struct cli_texts *texts)
{
	const struct buf *key = &texts->key;
	uint32_t hash = hash_key(key);
	struct text *text = texts->buckets[hash % BUCKETS];

	for (; text != NULL; text = text->next) {
		if (text->hash == hash && text->key_len == key->len &&
		    memcmp(text->key, key->data, key->len) == 0) {
			return text;
		}
	}
	return NULL;
}

static struct text *add_text(struct cli_texts *texts)
{
	const struct buf *key = &texts->key;
	uint32_t hash = hash_key(key);
	struct text *text = NULL;

	text = talloc_zero_size(texts, sizeof(*text) + key->len);
	if (text == NULL) {
		return NULL;
	}
	talloc_set_name_const(text, "struct text");
	text->texts = texts;
	text->state = TEXT_NONE;
	text->hash = hash;
	text->key_len = key->len;
	memcpy(text->key, key->data, key->len);
	text->next = texts->buckets[hash % BUCKETS];
	texts->buckets[hash % BUCKETS] = text;
	texts->num++;
	texts->bytes += key->len;
	return text;
}

/* --------------------------------------------------------------- answers */

/* Which insert a mark at p stands for; false: it is none. */
static bool is_mark(const char *p, size_t len, size_t *ret_index)
{
	const uint8_t *b = (const uint8_t *)p;
	uint32_t c;

	if (len < MARK_BYTES || b[0] != (0xe0 | MARK_FIRST >> 12)) {
		return false;
	}
	c = (b[0] & 0x0fU) << 12 | (b[1] & 0x3fU) << 6 | (b[2] & 0x3fU);
	if (c < MARK_FIRST || c >= MARK_FIRST + EVENT_MESSAGE_INSERTS_MAX) {
		return false;
	}
	*ret_index = c - MARK_FIRST;
	return true;
}

/* An insert's text, NULL beyond the last one. */
typedef const char *(*insert_fn)(const void *inserts, size_t index);

static void put_marked(struct buf *out, const struct answer *answer,
		       insert_fn insert, const void *inserts)
{
	const char *p = answer->text;
	const char *end = p + answer->len;

	while (p < end) {
		const char *mark =
			memchr(p, 0xe0 | MARK_FIRST >> 12, (size_t)(end - p));
		const char *text = NULL;
		size_t index = 0;

		if (mark == NULL) {
			mark = end;
		}
		buf_put(out, p, (size_t)(mark - p));
		p = mark;
		if (p == end) {
			return;
		}
		if (is_mark(p, (size_t)(end - p), &index)) {
			text = insert(inserts, index);
		}
		if (text != NULL) {
			buf_puts(out, text);
			p += MARK_BYTES;
		} else {
			buf_put_u8(out, (uint8_t)*p);
			p++;
		}
	}
}

static const char *event_insert(const void *inserts, size_t index)
{
	const struct event_message_source *event = inserts;

	return index < event->num_inserts ? event->inserts[index].text : NULL;
}

static const char *sample_insert(const void *inserts, size_t index)
{
	const struct text *text = inserts;

	return index < text->num_sample ? text->sample[index] : NULL;
}

/* Whether the values in place of the marks give what the host made of them. */
static bool is_as_expected(const struct text *text)
{
	struct buf out;
	bool same;

	buf_init(&out, text->texts, 2 * EVENT_MESSAGE_MAX);
	put_marked(&out, &text->marked, sample_insert, text);
	same = buf_error(&out) == EVERR_OK && out.len == text->plain.len &&
	       (out.len == 0 ||
		memcmp(out.data, text->plain.text, out.len) == 0);
	buf_free(&out);
	return same;
}

/* Cut off the end, between two characters. */
static void shorten(struct text *text, struct answer *answer)
{
	char *shorter = NULL;

	if (answer->len <= CLI_TEXT_LENGTH_MAX) {
		return;
	}
	answer->len = CLI_TEXT_LENGTH_MAX;
	while (answer->len > 0 && (answer->text[answer->len] & 0xc0) == 0x80) {
		answer->len--;
	}
	shorter = talloc_realloc(text, answer->text, char, answer->len + 1);
	if (shorter != NULL) {
		answer->text = shorter;
	}
}

/* All answers are there: what they mean together. */
static void text_judge(struct text *text)
{
	struct cli_texts *texts = text->texts;

	if (text->sample == NULL) {
		text->state =
			text->marked.text != NULL ? TEXT_KNOWN : TEXT_NONE;
	} else if (text->plain.text == NULL) {
		text->state = TEXT_NONE;
	} else if (text->marked.text == NULL || !is_as_expected(text)) {
		text->state = TEXT_PLAIN_ONLY;
		texts->unsettled = true;
	} else {
		text->state = TEXT_KNOWN;
	}
	TALLOC_FREE(text->sample);
	TALLOC_FREE(text->plain.text);
	if (text->state == TEXT_KNOWN) {
		shorten(text, &text->marked);
		texts->bytes += text->marked.len;
	} else {
		TALLOC_FREE(text->marked.text);
	}
}

static void ready_immediate(struct tevent_context *ev,
			    struct tevent_immediate *im, void *private_data)
{
	struct cli_texts *texts = private_data;
	cli_texts_fn fn = texts->fn;

	texts->fn = NULL;
	if (fn != NULL) {
		fn(texts->private_data);
	}
}

static void tell_ready(struct cli_texts *texts)
{
	if (texts->num_asked == 0 && texts->fn != NULL) {
		tevent_schedule_immediate(texts->immediate, texts->ev,
					  ready_immediate, texts);
	}
}

/* The answer has come, or will not. */
static void text_answered(struct text *text)
{
	struct cli_texts *texts = text->texts;

	texts->num_asked--;
	if (text->marked.req == NULL && text->plain.req == NULL) {
		text_judge(text);
	}
	if (texts->num_asked == 0) {
		TALLOC_FREE(texts->timer);
	}
	tell_ready(texts);
}

static void text_done(struct tevent_req *req)
{
	struct text *text = tevent_req_callback_data(req, struct text);
	struct answer *answer =
		req == text->plain.req ? &text->plain : &text->marked;
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_text received = {.text = NULL};
	everr_t err;

	answer->req = NULL;
	err = collect_messages_recv(req, text, &received, &failure);
	TALLOC_FREE(req);
	if (err == EVERR_OK) {
		answer->text = received.text;
		answer->len = received.len;
	}
	text_answered(text);
}

/* ---------------------------------------------------------------- asking */

/* Stop waiting for what has not come. */
static void drop_asked(struct cli_texts *texts)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		struct text *text = texts->buckets[i];

		for (; text != NULL; text = text->next) {
			if (text->marked.req != NULL) {
				TALLOC_FREE(text->marked.req);
				text_answered(text);
			}
			if (text->plain.req != NULL) {
				TALLOC_FREE(text->plain.req);
				text_answered(text);
			}
		}
	}
}

static void texts_timeout(struct tevent_context *ev, struct tevent_timer *te,
			  struct timeval now, void *private_data)
{
	struct cli_texts *texts = private_data;

	texts->timer = NULL;
	cli_note("evenlog: the host does not answer for its events' messages;"
		 " going on without");
	texts->given_up = true;
	drop_asked(texts);
}

/* [MS-DTYP] 2.3.1; which of its channels the provider means is not known. */
static void make_descriptor(const struct event_message_source *event,
			    uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE])
{
	le16_set(descriptor, event->event_id);
	descriptor[2] = event->version;
	descriptor[3] = 0;
	descriptor[4] = event->level;
	descriptor[5] = event->opcode;
	le16_set(descriptor + 6, event->task);
	le64_set(descriptor + 8, event->keywords);
}

/* The inserts of one call. */
struct inserts {
	const char *texts[EVENT_MESSAGE_INSERTS_MAX];
	char marks[EVENT_MESSAGE_INSERTS_MAX][MARK_BYTES + 1];
	size_t num;
	bool any_mark;
};

static void make_mark(size_t index, char mark[MARK_BYTES + 1])
{
	uint32_t c = MARK_FIRST + (uint32_t)index;

	mark[0] = (char)(0xe0 | c >> 12);
	mark[1] = (char)(0x80 | (c >> 6 & 0x3f));
	mark[2] = (char)(0x80 | (c & 0x3f));
	mark[3] = '\0';
}

/* The values, or a mark for each but for those that may be replaced. */
static void make_inserts(const struct event_message_source *event, bool plain,
			 struct inserts *ret_inserts)
{
	size_t i;

	ret_inserts->num = event->num_inserts;
	ret_inserts->any_mark = false;
	for (i = 0; i < event->num_inserts; i++) {
		const char *text = event->inserts[i].text;

		if (!plain && !has_parameter(text)) {
			make_mark(i, ret_inserts->marks[i]);
			text = ret_inserts->marks[i];
			ret_inserts->any_mark = true;
		}
		ret_inserts->texts[i] = text;
	}
}

static enum collect_render render_kind(enum cli_text what)
{
	switch (what) {
	case CLI_TEXT_LEVEL:
		return COLLECT_RENDER_LEVEL;
	case CLI_TEXT_TASK:
		return COLLECT_RENDER_TASK;
	case CLI_TEXT_OPCODE:
		return COLLECT_RENDER_OPCODE;
	case CLI_TEXT_KEYWORDS:
		return COLLECT_RENDER_KEYWORDS;
	case CLI_TEXT_PROVIDER:
		return COLLECT_RENDER_PROVIDER;
	case CLI_TEXT_MESSAGE:
		break;
	}
	return COLLECT_RENDER_EVENT;
}

static void ask(struct text *text, struct answer *answer, enum cli_text what,
		const struct event_message_source *event,
		const struct inserts *inserts)
{
	struct cli_texts *texts = text->texts;
	uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE];

	make_descriptor(event, descriptor);
	answer->req = collect_messages_send(text, texts->ev, texts->messages,
					    render_kind(what), event->provider,
					    descriptor, event->qualifiers,
					    inserts->texts, inserts->num);
	if (answer->req == NULL) {
		return;
	}
	text->state = TEXT_ASKED;
	texts->num_asked++;
	tevent_req_set_callback(answer->req, text_done, text);
	if (texts->timer == NULL) {
		texts->timer = tevent_add_timer(
			texts->ev, texts,
			tevent_timeval_current_ofs(CLI_TEXTS_TIMEOUT, 0),
			texts_timeout, texts);
	}
}

static bool keep_sample(struct text *text, const struct inserts *inserts)
{
	const char **sample = NULL;
	size_t i;

	sample = talloc_zero_array(text, const char *, inserts->num);
	if (sample == NULL) {
		return false;
	}
	for (i = 0; i < inserts->num; i++) {
		sample[i] = talloc_strdup(sample, inserts->texts[i]);
		if (sample[i] == NULL) {
			TALLOC_FREE(sample);
			return false;
		}
	}
	text->sample = sample;
	text->num_sample = inserts->num;
	return true;
}

/* A text that nobody has asked for; its key is in texts->key. */
static void ask_new(struct cli_texts *texts, enum cli_text what, bool plain,
		    const struct event_message_source *event)
{
	struct text *text = add_text(texts);
	struct inserts inserts = {.num = 0};

	if (text == NULL) {
		return;
	}
	if (what == CLI_TEXT_MESSAGE) {
		make_inserts(event, plain, &inserts);
	}
	text->has_marks = inserts.any_mark;
	ask(text, &text->marked, what, event, &inserts);
	if (!text->has_marks || text->marked.req == NULL) {
		return;
	}
	make_inserts(event, true, &inserts);
	if (keep_sample(text, &inserts)) {
		ask(text, &text->plain, what, event, &inserts);
	}
}

void cli_texts_want(struct cli_texts *texts, enum cli_text what,
		    const struct event_message_source *event)
{
	const struct text *text = NULL;

	if (texts->messages == NULL || cli_texts_none(texts, event->provider) ||
	    !make_key(texts, what, false, event)) {
		return;
	}
	text = find_text(texts);
	if (text == NULL) {
		ask_new(texts, what, false, event);
		return;
	}
	if (text->state != TEXT_PLAIN_ONLY ||
	    !make_key(texts, what, true, event)) {
		return;
	}
	if (find_text(texts) == NULL) {
		ask_new(texts, what, true, event);
	}
}

/* ---------------------------------------------------------------- catalog */

static bool put_string(struct buf *out, const char *text)
{
	if (text == NULL) {
		return false;
	}
	buf_puts(out, text);
	return true;
}

static bool put_catalog_message(const struct cli_texts *texts,
				const struct event_message_source *event,
				struct buf *out)
{
	size_t start = out->len;
	everr_t err;

	err = event_message_put(out, texts->catalog, event, 0);
	if (err != EVERR_OK) {
		buf_truncate(out, start);
	}
	return err == EVERR_OK;
}

static bool put_catalog_keywords(const struct cli_texts *texts,
				 const struct event_publisher *publisher,
				 uint64_t keywords, struct buf *out)
{
	size_t start = out->len;
	uint64_t bit;

	for (bit = 1; bit != 0; bit <<= 1) {
		if ((keywords & bit) != 0 &&
		    put_string(out, event_catalog_keyword(texts->catalog,
							  publisher, bit, 0))) {
			buf_put_u8(out, 0);
		}
	}
	return out->len > start;
}

static bool put_catalog(const struct cli_texts *texts, enum cli_text what,
			const struct event_message_source *event,
			struct buf *out)
{
	const struct event_catalog *catalog = texts->catalog;
	const struct event_publisher *publisher =
		event_message_publisher(catalog, event);

	switch (what) {
	case CLI_TEXT_MESSAGE:
		return put_catalog_message(texts, event, out);
	case CLI_TEXT_LEVEL:
		return put_string(out, event_catalog_level(catalog, publisher,
							   event->level, 0));
	case CLI_TEXT_TASK:
		return put_string(out, event_catalog_task(catalog, publisher,
							  event->task, 0));
	case CLI_TEXT_OPCODE:
		return put_string(out, event_catalog_opcode(catalog, publisher,
							    event->task,
							    event->opcode, 0));
	case CLI_TEXT_KEYWORDS:
		return put_catalog_keywords(texts, publisher, event->keywords,
					    out);
	case CLI_TEXT_PROVIDER:
		return publisher != NULL &&
		       put_string(out, event_publisher_message(
					       publisher, publisher->message_id,
					       0, false));
	}
	return false;
}

/* -------------------------------------------------------------- interface */

struct cli_texts *cli_texts_create(TALLOC_CTX *mem_ctx,
				   struct tevent_context *ev)
{
	struct cli_texts *texts = talloc_zero(mem_ctx, struct cli_texts);

	if (texts == NULL) {
		return NULL;
	}
	texts->ev = ev;
	texts->immediate = tevent_create_immediate(texts);
	if (texts->immediate == NULL) {
		TALLOC_FREE(texts);
		return NULL;
	}
	buf_init(&texts->key, texts, KEY_MAX);
	return texts;
}

static void forget(struct cli_texts *texts)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		while (texts->buckets[i] != NULL) {
			struct text *text = texts->buckets[i];

			texts->buckets[i] = text->next;
			TALLOC_FREE(text);
		}
	}
	texts->num = 0;
	texts->bytes = 0;
}

everr_t cli_texts_connect(struct cli_texts *texts,
			  struct collect_connection *connection)
{
	drop_asked(texts);
	forget(texts);
	TALLOC_FREE(texts->messages);
	texts->given_up = false;
	if (connection == NULL) {
		return EVERR_OK;
	}
	texts->messages = collect_messages_create(texts, connection, 0);
	return texts->messages != NULL ? EVERR_OK : EVERR_NOMEM;
}

void cli_texts_set_catalog(struct cli_texts *texts,
			   const struct event_catalog *catalog)
{
	texts->catalog = catalog;
}

void cli_texts_begin(struct cli_texts *texts)
{
	if (texts->num_asked == 0 &&
	    (texts->num > CLI_TEXTS_MAX || texts->bytes > CLI_TEXTS_BYTES)) {
		forget(texts);
	}
}

bool cli_texts_none(const struct cli_texts *texts, const char *provider)
{
	if (provider == NULL || provider[0] == '\0') {
		return true;
	}
	if (texts->catalog != NULL) {
		return false;
	}
	return texts->given_up ||
	       (texts->messages != NULL &&
		collect_messages_none(texts->messages, provider));
}

bool cli_texts_waiting(const struct cli_texts *texts)
{
	return texts->num_asked > 0;
}

void cli_texts_on_ready(struct cli_texts *texts, cli_texts_fn fn,
			void *private_data)
{
	texts->fn = fn;
	texts->private_data = private_data;
	tell_ready(texts);
}

bool cli_texts_unsettled(struct cli_texts *texts)
{
	bool unsettled = texts->unsettled;

	texts->unsettled = false;
	return unsettled;
}

bool cli_texts_put(struct cli_texts *texts, enum cli_text what,
		   const struct event_message_source *event, struct buf *out)
{
	const struct text *text = NULL;

	if (texts->catalog != NULL) {
		return put_catalog(texts, what, event, out);
	}
	if (!make_key(texts, what, false, event)) {
		return false;
	}
	text = find_text(texts);
	if (text != NULL && text->state == TEXT_PLAIN_ONLY) {
		if (!make_key(texts, what, true, event)) {
			return false;
		}
		text = find_text(texts);
	}
	if (text == NULL || text->state != TEXT_KNOWN) {
		return false;
	}
	if (text->has_marks) {
		put_marked(out, &text->marked, event_insert, event);
	} else {
		buf_put(out, text->marked.text, text->marked.len);
	}
	return true;
}
