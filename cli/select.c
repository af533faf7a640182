/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/select.h"

#include "base/buf.h"
#include "base/text.h"
#include "event/query.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char byte_order_mark[] = "\xEF\xBB\xBF";

static everr_t read_file(const char *path, struct buf *out)
{
	int fd = STDIN_FILENO;
	ssize_t ret;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd == -1) {
			return EVERR_IO;
		}
	}
	do {
		uint8_t chunk[16384];

		ret = read(fd, chunk, sizeof(chunk));
		if (ret > 0) {
			buf_put(out, chunk, (size_t)ret);
		}
	} while ((ret > 0 && buf_error(out) == EVERR_OK) ||
		 (ret < 0 && errno == EINTR));
	if (fd != STDIN_FILENO) {
		close(fd);
	}
	return ret < 0 ? EVERR_IO : buf_error(out);
}

static int read_query(struct cli *cli, const char *path, const char **ret_query)
{
	const char *text = NULL;
	struct buf content;
	everr_t err;

	buf_init(&content, cli, EVENT_QUERY_LENGTH_MAX);
	err = read_file(path, &content);
	if (err == EVERR_IO) {
		cli_error("cannot read %s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	buf_put_u8(&content, 0);
	err = buf_error(&content);
	if (err != EVERR_OK) {
		cli_error("%s: the query is too long", path);
		return CLI_FAILED;
	}
	text = (const char *)content.data;
	if (strlen(text) + 1 != content.len ||
	    !text_utf8_valid(text, content.len - 1)) {
		cli_error("%s: the query is not UTF-8", path);
		return CLI_FAILED;
	}
	if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) {
		text += strlen(byte_order_mark);
	}
	text += strspn(text, " \t\r\n");
	if (text[0] != '<') {
		cli_error("%s: this is no structured query, which begins with"
			  " <QueryList>",
			  path);
		return CLI_FAILED;
	}
	*ret_query = text;
	return -1;
}

int cli_select(struct cli *cli, const char **args, const char *structured,
	       struct cli_selection *ret_selection)
{
	struct cli_selection selection = {.channel = args[0]};
	int ret;

	if (structured == NULL && args[0] == NULL) {
		return cli_usage(cli, "%s needs a CHANNEL or --structured FILE",
				 cli->verb->name);
	}
	if (structured != NULL && args[0] != NULL) {
		return cli_usage(cli, "a structured query names its channels"
				      " itself; leave CHANNEL away");
	}
	if (structured != NULL) {
		ret = read_query(cli, structured, &selection.query);
		if (ret >= 0) {
			return ret;
		}
		selection.label = structured;
	} else {
		selection.query = args[1];
		selection.label = args[0];
	}
	*ret_selection = selection;
	return -1;
}
