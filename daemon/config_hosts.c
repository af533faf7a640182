/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/config_hosts.h"

#include "base/resolve.h"

#include <stdbool.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* RFC 1123, and the underscore that Windows lets into names. */
static bool name_valid(const char *name, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return len > 0 && len < RESOLVE_HOST_MAX && name[0] != '.' &&
	       name[0] != '-' && strspn(name, allowed) >= len;
}

static bool port_parse(const char *text, size_t len, uint16_t *ret_port)
{
	uint32_t port = 0;
	size_t i;

	if (len == 0 || len > 5) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
		port = port * 10 + (uint32_t)(text[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX) {
		return false;
	}
	*ret_port = (uint16_t)port;
	return true;
}

static size_t trim(const char **text, size_t len)
{
	while (len > 0 && strchr(" \t\r", **text) != NULL) {
		(*text)++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", (*text)[len - 1]) != NULL) {
		len--;
	}
	return len;
}

/*
 * Where the host ends and what stands behind it; an IPv6 address without
 * brackets has more than one colon, and no port.
 */
static bool split(const char **text, size_t len, size_t *ret_host_len,
		  const char **ret_rest)
{
	const char *colon = memchr(*text, ':', len);
	const char *bracket = NULL;
	const char *end = *text + len;

	if (len > 0 && **text == '[') {
		bracket = memchr(*text, ']', len);
		if (bracket == NULL) {
			return false;
		}
		(*text)++;
		*ret_host_len = (size_t)(bracket - *text);
		*ret_rest = bracket + 1;
		return true;
	}
	if (colon == NULL ||
	    memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL) {
		colon = end;
	}
	*ret_host_len = (size_t)(colon - *text);
	*ret_rest = colon;
	return true;
}

everr_t config_host_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len,
			  const char **ret_host, uint16_t *ret_port)
{
	const char *end = NULL;
	const char *rest = NULL;
	char *host = NULL;
	uint16_t port = *ret_port;
	size_t host_len = 0;
	bool good;

	len = trim(&text, len);
	end = text + len;
	good = split(&text, len, &host_len, &rest);
	if (good && rest < end) {
		good = *rest == ':' &&
		       port_parse(rest + 1, (size_t)(end - rest - 1), &port);
	}
	if (!good || host_len > RESOLVE_HOST_MAX) {
		return EVERR_INVALID;
	}

	host = talloc_strndup(mem_ctx, text, host_len);
	if (host == NULL) {
		return EVERR_NOMEM;
	}
	if (host_len > 1 && host[host_len - 1] == '.') {
		host[--host_len] = '\0';
	}
	if (!resolve_is_address(host) && !name_valid(host, host_len)) {
		talloc_free(host);
		return EVERR_INVALID;
	}
	*ret_host = host;
	*ret_port = port;
	return EVERR_OK;
}

static everr_t add_host(struct config_host **hosts, size_t *num, size_t max,
			const char *text, size_t len, uint32_t line)
{
	struct config_host *grown = *hosts;
	everr_t err;

	if (*num == max) {
		return EVERR_LIMIT;
	}
	if (*num == talloc_array_length(*hosts)) {
		grown = talloc_realloc(NULL, *hosts, struct config_host,
				       *num * 2);
		if (grown == NULL) {
			return EVERR_NOMEM;
		}
		*hosts = grown;
	}
	grown[*num] = (struct config_host){.line = line};
	err = config_host_parse(grown, text, len, &grown[*num].host,
				&grown[*num].port);
	if (err != EVERR_OK && err != EVERR_INVALID) {
		return err;
	}
	(*num)++;
	return EVERR_OK;
}

everr_t config_hosts_parse(TALLOC_CTX *mem_ctx, const char *text, size_t max,
			   struct config_host **ret_hosts, size_t *ret_num)
{
	struct config_host *hosts = talloc_array(NULL, struct config_host, 64);
	everr_t err = hosts != NULL ? EVERR_OK : EVERR_NOMEM;
	uint32_t line = 0;
	size_t num = 0;

	/* Editors of Windows begin a file with it. */
	if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
		text += strlen(BYTE_ORDER_MARK);
	}
	while (err == EVERR_OK && *text != '\0') {
		size_t whole = strcspn(text, "\n");
		size_t len = strcspn(text, "#\n");
		const char *start = text;

		line++;
		len = trim(&start, len);
		if (len > 0) {
			err = add_host(&hosts, &num, max, start, len, line);
		}
		text += whole + (text[whole] == '\n' ? 1 : 0);
	}
	if (err != EVERR_OK) {
		talloc_free(hosts);
		return err;
	}
	*ret_hosts = talloc_steal(mem_ctx, hosts);
	*ret_num = num;
	return EVERR_OK;
}
