/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * IMonitorable's Ping, which nothing is known to call.  What it would tell of
 * a Windows server's configuration file does not exist here; those times are
 * .NET's "never".
 */

#include "soap/service.h"

#include "base/wintime.h"

#include <limits.h>
#include <unistd.h>

static void put_result(struct soap_writer *writer, const struct soap_call *call)
{
	char machine[HOST_NAME_MAX + 1] = "";

	if (gethostname(machine, sizeof(machine) - 1) != 0) {
		machine[0] = '\0';
	}
	soap_put_bool(writer, "SuccessFlag", true);
	soap_put_time(writer, "ServicesTime", wintime_now());
	soap_put(writer, "ServicesName", "Evenlog");
	soap_put(writer, "ServicesMachine", machine);
	soap_put_bool(writer, "IsHttps", http_peer(call->exchange)->tls);
	soap_put(writer, "RequestContentType",
		 http_header(call->exchange, "Content-Type"));
	soap_put_time(writer, "ConfigFileLastModifiedTime", 0);
	soap_put_time(writer, "ConfigFileNextExpirationTime", 0);
	soap_put_int(writer, "ConfigFileExpirationModuloInMinutes", 0);
}

static void ping_finish(struct soap_call *call)
{
	struct soap_writer *writer = soap_answer_begin(call, 0);

	soap_open(writer, "PingResult");
	put_result(writer, call);
	soap_close(writer);
	soap_answer(call);
}

const struct soap_operation soap_ping = {
	.name = "Ping",
	.ns = "http://www.microsoft.com/SoftwareDistribution/Server/"
	      "IMonitorable",
	.finish = ping_finish,
};
