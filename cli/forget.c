/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/forget.h"

#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "collect/control.h"
#include "idl/ndr_control.h"

#include <jansson.h>

static void print_forgotten(const struct cli *cli, const char *host,
			    const char *message)
{
	if (cli->options.format == CLI_FORMAT_JSON) {
		cli_print_json(
			json_pack("{ss?ss?}", "host", host, "text", message));
		return;
	}
	cli_note_lines(message);
	cli_note("collected again, it begins as read_existing in the section "
		 "of %s says: at the oldest event there, or with the next new "
		 "one",
		 host);
}

int cli_forget(struct cli *cli, const char *host, const char *channel)
{
	struct collect_connection *connection = NULL;
	struct collect_failure failure = {.err = EVERR_OK};
	struct tevent_req *req = NULL;
	const char *message = NULL;
	everr_t err;
	int ret;

	ret = cli_connect(cli, &ndr_table_control, &connection);
	if (ret >= 0) {
		return ret;
	}
	req = collect_forget_position_send(cli, cli->ev, connection, host,
					   channel);
	if (!cli_wait(cli, req)) {
		return CLI_FAILED;
	}
	err = collect_forget_position_recv(req, cli, &message, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		cli_error("%s: %s", host, failure.text);
		return CLI_FAILED;
	}
	print_forgotten(cli, host, message);
	return CLI_OK;
}
