/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An event of each kind that the bridges make, to standard output: each a
 * document with its length in front (u32, little endian), as evtx_make reads
 * them.
 */

#include "base/wintime.h"
#include "base/buf.h"
#include "bridge/configmgr.h"
#include "bridge/wsus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"
/* 2026-11-21T19:13:20Z */
#define RECEIVED 134397620000000000ULL
#define AN_HOUR_AGO (RECEIVED - 3600 * WINTIME_SECOND)

#define HEADER                                                             \
	"<Report><ReportHeader><Identification><Machine><ClientID>" CLIENT \
	"</ClientID><ClientType>1</ClientType><NetBIOSName>PC01"           \
	"</NetBIOSName></Machine></Identification><ReportDetails>"         \
	"<ReportType>Full</ReportType><Date>20261121181320.000000+000"     \
	"</Date><Version>1.0</Version></ReportDetails><InventoryAction>"   \
	"<InventoryActionID>{00000000-0000-0000-0000-000000000003}"        \
	"</InventoryActionID></InventoryAction></ReportHeader><ReportBody>"
#define FOOTER "</ReportBody></Report>"

static const struct bridge_origin origin = {
	.computer = "bridge.example.com",
	.peer = "192.0.2.7",
	.certificate = "CN=<peer> & \"others\"",
	.received = RECEIVED,
};

static void must(everr_t err)
{
	if (err != EVERR_OK) {
		fprintf(stderr, "bridge_make: %s\n", everr_text(err));
		exit(1);
	}
}

static void make_servers(struct bridge_events *out)
{
	struct bridge_wsus_server s = {
		.id = {{1, 2, 3}},
		.name = "dss1.contoso.com",
		.version = "3.1.6001.65",
		.last_sync = AN_HOUR_AGO,
		.last_rollup = AN_HOUR_AGO,
		.has_counters = true,
		.counters = {1, 2, 3},
	};
	const struct bridge_wsus_activity a = {
		.update = {{9, 8, 7}},
		.revision = 200,
		.failed = 1,
		.os = {.major = 10, .suite_mask = 256, .locale = "de"},
	};

	must(bridge_wsus_server_seen(out, &origin, &s));
	must(bridge_wsus_server_summary(out, &origin, &s));
	must(bridge_wsus_activity(out, &origin, &s, &a));
	must(bridge_wsus_sync_started(out, &origin, &s, "1.20"));
	must(bridge_wsus_sync_finished(out, &origin, &s, 500, 7));
	/* Without what may be missing. */
	s = (struct bridge_wsus_server){.id = {{1}}};
	must(bridge_wsus_server_summary(out, &origin, &s));
}

static void make_computers(struct bridge_events *out)
{
	static const uint32_t num[BRIDGE_WSUS_STATES] = {1, 2, 3, 4, 5, 6, 7};
	const struct ev_guid update = {{9, 8, 7}};
	struct bridge_wsus_computer c = {
		.id = "6f1a1b58-4df4-42ca-8cd8-b1c8f7c1c2a0",
		.parent = {{1, 2, 3}},
		.last_sync = AN_HOUR_AGO,
		.last_sync_result = 2,
		.has_details = true,
		.name = "pc01.contoso.com",
		.address = "10.0.0.17",
		.os = {.major = 10, .system_metrics = 5},
		.bios_date = AN_HOUR_AGO,
	};

	must(bridge_wsus_computer(out, &origin, &c, true));
	c.has_details = false;
	must(bridge_wsus_computer(out, &origin, &c, false));
	must(bridge_wsus_baseline(out, &origin, &c, 1, AN_HOUR_AGO, num, 8));
	must(bridge_wsus_update_state(out, &origin, &c, &update, "KB5001", -1,
				      5, AN_HOUR_AGO));
	must(bridge_wsus_cookie_refused(out, &origin, "GetCookie",
					"InvalidCookie", "tampered", "0f5b"));
	must(bridge_wsus_rejected(out, &origin, "Ping", "InvalidParameters",
				  "too many", "0f5c", "20261121-1"));
}

static void make_message(struct bridge_events *out, const char *endpoint,
			 const char *text)
{
	const struct bridge_part part = {.data = (const uint8_t *)text,
					 .len = strlen(text)};
	const struct bridge_message message = {
		.id = "{9E2BDA4E-CE68-4E8C-8C0C-4A5AE53B6C62}",
		.source_id = CLIENT,
		.source_host = "PC01",
		.endpoint = endpoint,
		.sent = AN_HOUR_AGO,
		.parts = &part,
		.num_parts = 1,
	};
	const char *reason = NULL;

	must(bridge_configmgr_message(out, &origin, &message, &reason));
}

static void make_messages(struct bridge_events *out)
{
	char *text = talloc_strdup(out, HEADER "<Instance Class='Win32_X' "
					       "Content='New'><Win32_X>");
	unsigned int i;

	make_message(out, "MP_DdrEndpoint",
		     HEADER
		     "<Instance Class='SMS_Authority' Namespace='n' "
		     "ParentClass='p'><SMS_Authority><Name>SMS:ABC"
		     "</Name></SMS_Authority></Instance><Instance/>" FOOTER);
	for (i = 0; i < 600; i++) {
		text = talloc_asprintf_append_buffer(
			text, "<Name%u>&lt;value %u></Name%u>", i, i, i);
	}
	text = talloc_asprintf_append_buffer(text,
					     "</Win32_X></Instance>" FOOTER);
	make_message(out, "MP_HinvEndpoint", text);
	make_message(out, "StatusReceiver",
		     "<Status><Properties><Property Name='Severity'>1"
		     "</Property><Property Name='Attribute400'>x</Property>"
		     "</Properties></Status>");
	make_message(out, "MP_RelayEndpoint",
		     HEADER "<StateMessage SerialNumber='1'><Topic Type='500'/>"
			    "<State ID='2'/></StateMessage>" FOOTER);
}

static void make_others(struct bridge_events *out)
{
	static const char file[] =
		"\1\0\x1F\x1E\0\0\x46\x56\xB0\0\0\0\x53\0\0\0<System>\r\n"
		"BEGIN_PROPERTY\r\n<8><Name><19><4><PC>\r\nEND_PROPERTY\r\n"
		"FEOF\r\0\0\x46\x56";
	const struct bridge_registration made = {.client_id = CLIENT,
						 .key_changed = true};
	const struct bridge_message message = {.endpoint = "MP_X"};
	const char *reason = NULL;

	must(bridge_configmgr_ddr_file(out, &origin, "X.DDR",
				       (const uint8_t *)file, sizeof(file) - 1,
				       &reason));
	must(bridge_configmgr_registered(out, &origin, &message, &made));
	must(bridge_configmgr_rejected(out, &origin, NULL, "empty", NULL));
	must(bridge_configmgr_file_rejected(out, &origin, "Y.DDR", "empty"));
}

int main(void)
{
	struct bridge_events *events = bridge_events_create(NULL);
	uint8_t len[4];
	size_t i;

	make_servers(events);
	make_computers(events);
	make_messages(events);
	make_others(events);
	for (i = 0; i < events->num_documents; i++) {
		const struct bridge_document *d = &events->documents[i];

		le32_set(len, (uint32_t)d->len);
		fwrite(len, 1, sizeof(len), stdout);
		fwrite(d->data, 1, d->len, stdout);
	}
	talloc_free(events);
	return ferror(stdout) || fclose(stdout) != 0 ? 1 : 0;
}
