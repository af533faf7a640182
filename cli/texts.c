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
#define KEY_MAX 4096

enum text_state {
	TEXT_ASKED,
	TEXT_KNOWN,
	TEXT_NONE
};

struct text {
	struct text *next; /* in its bucket */
	struct cli_texts *texts;
	enum text_state state;
	struct tevent_req *req; /* TEXT_ASKED */
	char *text;		/* TEXT_KNOWN, with marks */
	size_t len;
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
	size_t num_asked;
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

/* Everything that a text depends on. */
static bool make_key(struct cli_texts *texts, enum cli_text what,
		     const struct cli_text_event *event)
{
	const struct event_header *header = &event->header;
	struct buf *key = &texts->key;
	size_t i;

	buf_reset(key);
	buf_put_u8(key, (uint8_t)what);
	buf_puts(key, event->provider);
	buf_put_u8(key, 0);
	switch (what) {
	case CLI_TEXT_MESSAGE:
		buf_put_u16(key, header->event_id);
		buf_put_u16(key, event->qualifiers);
		buf_put_u8(key, header->version);
		buf_put_u16(key, (uint16_t)event->num_inserts);
		for (i = 0; i < event->num_inserts; i++) {
			if (has_parameter(event->inserts[i])) {
				buf_put_u8(key, (uint8_t)i);
				buf_put(key, event->inserts[i],
					strlen(event->inserts[i]) + 1);
			}
		}
		break;
	case CLI_TEXT_LEVEL:
		buf_put_u8(key, header->level);
		break;
	case CLI_TEXT_OPCODE:
		buf_put_u8(key, header->opcode);
		buf_put_u16(key, header->task);
		break;
	case CLI_TEXT_TASK:
		buf_put_u16(key, header->task);
		break;
	case CLI_TEXT_KEYWORDS:
		buf_put_u64(key, header->keywords);
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

static struct text *find_text(const struct cli_texts *texts, uint32_t hash)
{
	const struct buf *key = &texts->key;
	struct text *text = texts->buckets[hash % BUCKETS];

	for (; text != NULL; text = text->next) {
		if (text->hash == hash && text->key_len == key->len &&
		    memcmp(text->key, key->data, key->len) == 0) {
			return text;
		}
	}
	return NULL;
}

static struct text *add_text(struct cli_texts *texts, uint32_t hash)
{
	const struct buf *key = &texts->key;
	struct text *text = NULL;

	text = talloc_zero_size(texts, sizeof(*text) + key->len);
	if (text == NULL) {
		return NULL;
	}
	talloc_set_name_const(text, "struct text");
	text->texts = texts;
	text->hash = hash;
	text->key_len = key->len;
	memcpy(text->key, key->data, key->len);
	text->next = texts->buckets[hash % BUCKETS];
	texts->buckets[hash % BUCKETS] = text;
	texts->num++;
	return text;
}

/* ---------------------------------------------------------------- asking */

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
static void text_answered(struct text *text, enum text_state state)
{
	struct cli_texts *texts = text->texts;

	text->state = state;
	text->req = NULL;
	texts->num_asked--;
	if (texts->num_asked == 0) {
		TALLOC_FREE(texts->timer);
	}
	tell_ready(texts);
}

/* Cut off the end, between two characters. */
static void shorten(struct text *text)
{
	char *shorter = NULL;

	text->len = CLI_TEXT_LENGTH_MAX;
	while (text->len > 0 && (text->text[text->len] & 0xc0) == 0x80) {
		text->len--;
	}
	shorter = talloc_realloc(text, text->text, char, text->len + 1);
	if (shorter != NULL) {
		text->text = shorter;
	}
}

static void text_done(struct tevent_req *req)
{
	struct text *text = tevent_req_callback_data(req, struct text);
	struct cli_texts *texts = text->texts;
	struct collect_failure failure = {.err = EVERR_OK};
	struct collect_text answer = {.text = NULL};
	everr_t err;

	err = collect_messages_recv(req, text, &answer, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		text_answered(text, TEXT_NONE);
		return;
	}
	text->text = answer.text;
	text->len = answer.len;
	if (text->len > CLI_TEXT_LENGTH_MAX) {
		shorten(text);
	}
	texts->bytes += text->len;
	text_answered(text, TEXT_KNOWN);
}

/* Stop waiting for what has not come. */
static void drop_asked(struct cli_texts *texts)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		struct text *text = texts->buckets[i];

		for (; text != NULL; text = text->next) {
			if (text->state == TEXT_ASKED) {
				TALLOC_FREE(text->req);
				text_answered(text, TEXT_NONE);
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
static void make_descriptor(const struct event_header *header,
			    uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE])
{
	le16_set(descriptor, header->event_id);
	descriptor[2] = header->version;
	descriptor[3] = 0;
	descriptor[4] = header->level;
	descriptor[5] = header->opcode;
	le16_set(descriptor + 6, header->task);
	le64_set(descriptor + 8, header->keywords);
}

struct marked {
	const char *inserts[EVENT_MESSAGE_INSERTS_MAX];
	char marks[EVENT_MESSAGE_INSERTS_MAX][MARK_BYTES + 1];
	size_t num;
};

/* The inserts to send: a mark for each, but for those that may be replaced. */
static void make_marks(const struct cli_text_event *event,
		       struct marked *ret_marked)
{
	size_t i;

	ret_marked->num = event->num_inserts < EVENT_MESSAGE_INSERTS_MAX
				  ? event->num_inserts
				  : EVENT_MESSAGE_INSERTS_MAX;
	for (i = 0; i < ret_marked->num; i++) {
		uint32_t c = MARK_FIRST + (uint32_t)i;
		char *mark = ret_marked->marks[i];

		mark[0] = (char)(0xe0 | c >> 12);
		mark[1] = (char)(0x80 | (c >> 6 & 0x3f));
		mark[2] = (char)(0x80 | (c & 0x3f));
		mark[3] = '\0';
		ret_marked->inserts[i] = has_parameter(event->inserts[i])
						 ? event->inserts[i]
						 : mark;
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

static void ask(struct cli_texts *texts, struct text *text, enum cli_text what,
		const struct cli_text_event *event)
{
	uint8_t descriptor[COLLECT_DESCRIPTOR_SIZE];
	struct marked marked = {.num = 0};

	make_descriptor(&event->header, descriptor);
	if (what == CLI_TEXT_MESSAGE) {
		make_marks(event, &marked);
	}
	text->req = collect_messages_send(text, texts->ev, texts->messages,
					  render_kind(what), event->provider,
					  descriptor, event->qualifiers,
					  marked.inserts, marked.num);
	text->state = TEXT_NONE;
	if (text->req == NULL) {
		return;
	}
	text->state = TEXT_ASKED;
	texts->num_asked++;
	tevent_req_set_callback(text->req, text_done, text);
	if (texts->timer == NULL) {
		texts->timer = tevent_add_timer(
			texts->ev, texts,
			tevent_timeval_current_ofs(CLI_TEXTS_TIMEOUT, 0),
			texts_timeout, texts);
	}
}

void cli_texts_want(struct cli_texts *texts, enum cli_text what,
		    const struct cli_text_event *event)
{
	struct text *text = NULL;
	uint32_t hash;

	if (cli_texts_none(texts, event->provider) || texts->messages == NULL ||
	    !make_key(texts, what, event)) {
		return;
	}
	hash = hash_key(&texts->key);
	if (find_text(texts, hash) != NULL) {
		return;
	}
	text = add_text(texts, hash);
	if (text != NULL) {
		ask(texts, text, what, event);
	}
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

static void put_marked(struct buf *out, const struct text *text,
		       const struct cli_text_event *event)
{
	const char *p = text->text;
	const char *end = p + text->len;

	while (p < end) {
		const char *mark =
			memchr(p, 0xe0 | MARK_FIRST >> 12, (size_t)(end - p));
		size_t index = 0;

		if (mark == NULL) {
			mark = end;
		}
		buf_put(out, p, (size_t)(mark - p));
		p = mark;
		if (p == end) {
			return;
		}
		if (is_mark(p, (size_t)(end - p), &index) &&
		    index < event->num_inserts) {
			buf_puts(out, event->inserts[index]);
			p += MARK_BYTES;
		} else {
			buf_put_u8(out, (uint8_t)*p);
			p++;
		}
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
				const struct event_publisher *publisher,
				const struct cli_text_event *event,
				struct buf *out)
{
	const struct event_manifest_event *known = NULL;
	const char *message = NULL;
	size_t start = out->len;
	uint32_t id;
	everr_t err;

	if (publisher == NULL) {
		return false;
	}
	known = event_publisher_event(publisher, event->header.event_id,
				      event->header.version);
	id = known != NULL ? known->message_id
			   : (uint32_t)event->qualifiers << 16 |
				     event->header.event_id;
	message = event_publisher_message(publisher, id, 0, false);
	if (message == NULL) {
		return false;
	}
	err = event_message_format(out, publisher, 0, message, event->inserts,
				   event->num_inserts);
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
			const struct cli_text_event *event, struct buf *out)
{
	const struct event_catalog *catalog = texts->catalog;
	const struct event_header *header = &event->header;
	const struct event_publisher *publisher =
		event_catalog_find(catalog, event->provider);

	switch (what) {
	case CLI_TEXT_MESSAGE:
		return put_catalog_message(texts, publisher, event, out);
	case CLI_TEXT_LEVEL:
		return put_string(out, event_catalog_level(catalog, publisher,
							   header->level, 0));
	case CLI_TEXT_TASK:
		return put_string(out, event_catalog_task(catalog, publisher,
							  header->task, 0));
	case CLI_TEXT_OPCODE:
		return put_string(out, event_catalog_opcode(catalog, publisher,
							    header->task,
							    header->opcode, 0));
	case CLI_TEXT_KEYWORDS:
		return put_catalog_keywords(texts, publisher, header->keywords,
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
	if (provider == NULL) {
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

bool cli_texts_put(struct cli_texts *texts, enum cli_text what,
		   const struct cli_text_event *event, struct buf *out)
{
	const struct text *text = NULL;

	if (event->provider == NULL) {
		return false;
	}
	if (texts->catalog != NULL) {
		return put_catalog(texts, what, event, out);
	}
	if (!make_key(texts, what, event)) {
		return false;
	}
	text = find_text(texts, hash_key(&texts->key));
	if (text == NULL || text->state != TEXT_KNOWN) {
		return false;
	}
	put_marked(out, text, event);
	return true;
}
