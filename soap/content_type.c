/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/content_type.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

static size_t trimmed(const char *p, size_t len)
{
	while (len > 0 && strchr(BLANKS, p[len - 1]) != NULL) {
		len--;
	}
	return len;
}

bool content_type_is(const char *value, const char *type)
{
	size_t len;

	value += strspn(value, BLANKS);
	len = trimmed(value, strcspn(value, ";"));
	return strlen(type) == len && strncasecmp(value, type, len) == 0;
}

/* Where the value at p ends: at ';' outside of a quoted string. */
static const char *value_end(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || *p != ';'); p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (quoted && *p == '\\' && p[1] != '\0') {
			p++;
		}
	}
	return p;
}

/* A quoted string or a token. */
static char *unquoted(TALLOC_CTX *mem_ctx, const char *p, size_t len)
{
	char *text = NULL;
	size_t n = 0;
	size_t i;

	if (len == 0 || p[0] != '"') {
		return talloc_strndup(mem_ctx, p, len);
	}
	if (len < 2 || p[len - 1] != '"') {
		return NULL;
	}
	text = talloc_strndup(mem_ctx, p + 1, len - 2);
	if (text == NULL) {
		return NULL;
	}
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\\' && text[i + 1] != '\0') {
			i++;
		}
		text[n++] = text[i];
	}
	text[n] = '\0';
	return text;
}

char *content_type_parameter(TALLOC_CTX *mem_ctx, const char *value,
			     const char *name)
{
	const char *p = value_end(value);

	while (*p == ';') {
		const char *end = NULL;
		size_t len;

		p++;
		p += strspn(p, BLANKS);
		end = value_end(p);
		len = strcspn(p, "=;");
		if (p[len] == '=' && trimmed(p, len) == strlen(name) &&
		    strncasecmp(p, name, strlen(name)) == 0) {
			p += len + 1;
			p += strspn(p, BLANKS);
			return unquoted(mem_ctx, p,
					trimmed(p, (size_t)(end - p)));
		}
		p = end;
	}
	return NULL;
}
