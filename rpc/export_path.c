/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rpc/export_path.h"

#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Names that Windows gives to devices, with any extension. */
static bool is_device(const char *name, size_t len)
{
	static const char *const devices[] = {"CON", "PRN",    "AUX",
					      "NUL", "CONIN$", "CONOUT$"};
	const char *dot = memchr(name, '.', len);
	size_t i;

	if (dot != NULL) {
		len = (size_t)(dot - name);
	}
	/* What stands before the dot may end in blanks. */
	while (len > 0 && name[len - 1] == ' ') {
		len--;
	}
	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (strlen(devices[i]) == len &&
		    strncasecmp(name, devices[i], len) == 0) {
			return true;
		}
	}
	if (len < 4 || (strncasecmp(name, "COM", 3) != 0 &&
			strncasecmp(name, "LPT", 3) != 0)) {
		return false;
	}
	/* 0 to 9, and the superscripts 1 to 3 of Latin-1. */
	return (len == 4 && isdigit((unsigned char)name[3])) ||
	       (len == 5 && (memcmp(name + 3, "\xC2\xB9", 2) == 0 ||
			     memcmp(name + 3, "\xC2\xB2", 2) == 0 ||
			     memcmp(name + 3, "\xC2\xB3", 2) == 0));
}

/* C0, DEL and C1, which take two bytes. */
static bool is_control(const unsigned char *p)
{
	return p[0] < 0x20 || p[0] == 0x7F ||
	       (p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0);
}

static bool name_valid(const char *name, size_t len)
{
	size_t i;

	/* A dot in front: ".", "..", hidden files and our own temporary ones. */
	if (len == 0 || len > RPC_EXPORT_NAME_MAX || name[0] == '.' ||
	    name[len - 1] == '.' || name[len - 1] == ' ') {
		return false;
	}
	for (i = 0; i < len; i++) {
		const unsigned char *p = (const unsigned char *)name + i;

		if (is_control(p) || strchr("<>:\"/\\|?*", *p) != NULL) {
			return false;
		}
	}
	return !is_device(name, len);
}

static everr_t add_name(struct rpc_export_path *path, const char *name,
			size_t len)
{
	if (path->num_names == RPC_EXPORT_DEPTH_MAX || !name_valid(name, len)) {
		return EVERR_INVALID;
	}
	path->names[path->num_names] = talloc_strndup(path, name, len);
	if (path->names[path->num_names] == NULL) {
		return EVERR_NOMEM;
	}
	path->num_names++;
	return EVERR_OK;
}

/* What follows the root; separators tell its components apart. */
static everr_t add_names(struct rpc_export_path *path, const char *text,
			 const char *separators)
{
	everr_t err;
	size_t len;

	for (;;) {
		len = strcspn(text, separators);
		err = add_name(path, text, len);
		if (err != EVERR_OK || text[len] == '\0') {
			return err;
		}
		text += len + 1;
	}
}

static everr_t parse_text(struct rpc_export_path *path, const char *text)
{
	char drive[1];
	everr_t err;

	if (strlen(text) > RPC_EXPORT_PATH_MAX ||
	    !text_utf8_valid(text, strlen(text))) {
		return EVERR_INVALID;
	}
	if (text[0] == '/') {
		return add_names(path, text + 1, "/");
	}
	if (!isascii((unsigned char)text[0]) ||
	    !isalpha((unsigned char)text[0]) || text[1] != ':' ||
	    (text[2] != '\\' && text[2] != '/')) {
		return EVERR_INVALID;
	}
	drive[0] = (char)toupper((unsigned char)text[0]);
	err = add_name(path, drive, sizeof(drive));
	return err != EVERR_OK ? err : add_names(path, text + 3, "\\/");
}

static char *join_names(struct rpc_export_path *path)
{
	char *text = talloc_strdup(path, path->names[0]);
	size_t i;

	for (i = 1; text != NULL && i < path->num_names; i++) {
		text = talloc_asprintf_append(text, "/%s", path->names[i]);
	}
	return text;
}

everr_t rpc_export_path_parse(TALLOC_CTX *mem_ctx, const char *text,
			      struct rpc_export_path **ret_path)
{
	struct rpc_export_path *path = NULL;
	everr_t err;

	path = talloc_zero(mem_ctx, struct rpc_export_path);
	if (path == NULL) {
		return EVERR_NOMEM;
	}
	err = parse_text(path, text);
	if (err == EVERR_OK) {
		path->text = join_names(path);
		err = path->text == NULL ? EVERR_NOMEM : EVERR_OK;
	}
	if (err != EVERR_OK) {
		TALLOC_FREE(path);
		return err;
	}
	*ret_path = path;
	return EVERR_OK;
}
