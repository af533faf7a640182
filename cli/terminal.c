/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

/* ECMA-48 SGR sequences. */
static const char *const styles[] = {
	[TERMINAL_PLAIN] = "\033[0m",	 [TERMINAL_DIM] = "\033[2m",
	[TERMINAL_NAME] = "\033[36m",	 [TERMINAL_CRITICAL] = "\033[1;97;41m",
	[TERMINAL_ERROR] = "\033[1;31m", [TERMINAL_WARNING] = "\033[33m",
};

bool terminal_draws(void)
{
	const char *term = getenv("TERM");

	return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_colored(FILE *stream, enum cli_color color)
{
	const char *no_color = getenv("NO_COLOR");

	if (color != CLI_COLOR_AUTO) {
		return color == CLI_COLOR_ALWAYS;
	}
	/* https://no-color.org: present and not empty. */
	if (no_color != NULL && no_color[0] != '\0') {
		return false;
	}
	return isatty(fileno(stream)) && terminal_draws();
}

void terminal_style(struct buf *out, enum terminal_style style, bool colored)
{
	if (colored) {
		buf_puts(out, styles[style]);
	}
}

/*
 * One character of UTF-8: its length in bytes, 0 when the bytes are none.
 * Shortest form, no surrogates, at most U+10FFFF (RFC 3629).
 */
static size_t utf8_next(const uint8_t *p, size_t len, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = p[0];
	size_t need;
	size_t i;

	if (c < 0x80) {
		*ret_char = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		need = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		need = 3;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		need = 4;
		c &= 0x07;
	} else {
		return 0;
	}
	if (need > len) {
		return 0;
	}
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return 0;
	}
	*ret_char = c;
	return need;
}

/* What must not reach a terminal as it is. */
static bool is_dangerous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void put_escape(struct buf *out, uint32_t c)
{
	switch (c) {
	case '\n':
		buf_puts(out, "\\n");
		break;
	case '\r':
		buf_puts(out, "\\r");
		break;
	case '\t':
		buf_puts(out, "\\t");
		break;
	default:
		buf_printf(out, "\\u{%x}", (unsigned int)c);
		break;
	}
}

void terminal_put_text(struct buf *out, const char *text, size_t len,
		       char quote)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t plain = 0; /* bytes before p + i that wait to be copied */
	size_t i = 0;

	while (i < len) {
		uint32_t c = 0;
		size_t step = utf8_next(p + i, len - i, &c);
		bool escaped = step == 1 && quote != 0 &&
			       (c == '\\' || c == (uint8_t)quote);

		if (step > 0 && !escaped && !is_dangerous(c)) {
			plain += step;
			i += step;
			continue;
		}
		buf_put(out, p + i - plain, plain);
		plain = 0;
		if (step == 0) {
			buf_printf(out, "\\x%02x", p[i]);
			i++;
			continue;
		}
		if (escaped) {
			buf_put_u8(out, '\\');
			buf_put_u8(out, (uint8_t)c);
		} else {
			put_escape(out, c);
		}
		i += step;
	}
	buf_put(out, p + i - plain, plain);
}

/* A word needs no quotes: no blank, quote, equals sign or escape in it. */
static bool is_word(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0;

	if (len == 0) {
		return false;
	}
	while (i < len) {
		uint32_t c = 0;
		size_t step = utf8_next(p + i, len - i, &c);

		if (step == 0 || is_dangerous(c) || c == ' ' || c == '"' ||
		    c == '\'' || c == '=' || c == 0xa0) {
			return false;
		}
		i += step;
	}
	return true;
}

void terminal_put_value(struct buf *out, const char *text, size_t len)
{
	/* A path with backslashes stays as it is when it is one word. */
	if (is_word(text, len)) {
		buf_put(out, text, len);
		return;
	}
	buf_put_u8(out, '"');
	terminal_put_text(out, text, len, '"');
	buf_put_u8(out, '"');
}

/* ----------------------------------------------------- XML and JSON */

typedef void (*put_reference)(struct buf *out, uint32_t c);

static void put_xml_reference(struct buf *out, uint32_t c)
{
	buf_printf(out, "&#%u;", (unsigned int)c);
}

static void put_json_escape(struct buf *out, uint32_t c)
{
	buf_printf(out, "\\u%04x", (unsigned int)c);
}

static void put_referenced(struct buf *out, const char *text, size_t len,
			   put_reference reference)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t plain = 0;
	size_t i = 0;

	while (i < len) {
		uint32_t c = 0;
		size_t step = utf8_next(p + i, len - i, &c);

		if (step > 0 && !is_dangerous(c)) {
			plain += step;
			i += step;
			continue;
		}
		buf_put(out, p + i - plain, plain);
		plain = 0;
		/* The renderer writes valid UTF-8; anything else is shown. */
		reference(out, step > 0 ? c : 0xfffd);
		i += step > 0 ? step : 1;
	}
	buf_put(out, p + i - plain, plain);
}

void terminal_put_json(struct buf *out, const char *json, size_t len)
{
	put_referenced(out, json, len, put_json_escape);
}

/*
 * Inside a CDATA section references do not work: it is left around each
 * character that needs one.
 */
static void put_cdata(struct buf *out, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0;

	buf_puts(out, "<![CDATA[");
	while (i < len) {
		uint32_t c = 0xfffd;
		size_t step = utf8_next(p + i, len - i, &c);

		if (step > 0 && !is_dangerous(c)) {
			buf_put(out, p + i, step);
		} else {
			buf_puts(out, "]]>");
			put_xml_reference(out, c);
			buf_puts(out, "<![CDATA[");
		}
		i += step > 0 ? step : 1;
	}
	buf_puts(out, "]]>");
}

void terminal_put_xml(struct buf *out, const char *xml, size_t len)
{
	static const char begin[] = "<![CDATA[";
	static const char end[] = "]]>";
	const char *limit = xml + len;

	while (xml < limit) {
		const char *cdata = memmem(xml, (size_t)(limit - xml), begin,
					   strlen(begin));
		const char *text = NULL;
		const char *close = NULL;

		if (cdata == NULL) {
			break;
		}
		text = cdata + strlen(begin);
		close = memmem(text, (size_t)(limit - text), end, strlen(end));
		if (close == NULL) {
			break;
		}
		put_referenced(out, xml, (size_t)(cdata - xml),
			       put_xml_reference);
		put_cdata(out, text, (size_t)(close - text));
		xml = close + strlen(end);
	}
	put_referenced(out, xml, (size_t)(limit - xml), put_xml_reference);
}

void terminal_print(const char *text)
{
	struct buf out;

	/* A byte becomes at most six: \u{1b}. */
	buf_init(&out, NULL, 8 * strlen(text) + 1);
	terminal_put_text(&out, text, strlen(text), 0);
	if (out.len > 0) {
		fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
}

/* ------------------------------------------------------------ messages */

static void print_message(const char *prefix, const char *fmt, va_list ap)
{
	char text[2048];
	struct buf out;
	int len;

	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len < 0) {
		return;
	}
	if ((size_t)len >= sizeof(text)) {
		len = sizeof(text) - 1;
	}
	buf_init(&out, NULL, 16 * sizeof(text));
	terminal_put_text(&out, text, (size_t)len, 0);
	fprintf(stderr, "%s%.*s\n", prefix, (int)out.len,
		out.data != NULL ? (const char *)out.data : "");
	buf_free(&out);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message("evenlog: ", fmt, ap);
	va_end(ap);
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message("", fmt, ap);
	va_end(ap);
}

void cli_note_lines(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		struct buf out;

		buf_init(&out, NULL, 64 * 1024);
		terminal_put_text(&out, text, len, 0);
		cli_note("%.*s", (int)out.len, (const char *)out.data);
		buf_free(&out);
		text += len + (text[len] == '\n' ? 1 : 0);
	}
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_message("evenlog: ", fmt, ap);
	va_end(ap);
	cli_note("Try \"evenlog %s%s--help\".",
		 cli->verb != NULL ? cli->verb->name : "",
		 cli->verb != NULL ? " " : "");
	return CLI_USAGE;
}

/* ------------------------------------------------------------ progress */

void terminal_progress_init(struct terminal_progress *progress)
{
	*progress = (struct terminal_progress){
		.enabled = isatty(STDERR_FILENO) != 0,
	};
}

bool terminal_progress_due(struct terminal_progress *progress)
{
	struct timeval now, next;

	if (!progress->enabled) {
		return false;
	}
	now = tevent_timeval_current();
	next = tevent_timeval_add(&progress->last, 0, 100000);
	if (tevent_timeval_compare(&now, &next) < 0) {
		return false;
	}
	progress->last = now;
	return true;
}

void terminal_progress_show(struct terminal_progress *progress, const char *fmt,
			    ...)
{
	va_list ap;

	if (!progress->enabled) {
		return;
	}
	fputs("\r\033[K", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(stderr);
	progress->shown = true;
}

void terminal_progress_clear(struct terminal_progress *progress)
{
	if (progress->shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
		progress->shown = false;
	}
}
