/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Events of downstream update servers and their computers. */

#include "tests/bridge/made.h"

#include "bridge/wsus.h"
#include "event/compose.h"

#define HEAD(id, level, task, keywords)                                  \
	"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/" \
	"event'><System><Provider Name='Evenlog-WSUS' "                  \
	"Guid='{07408DC5-47F5-4B8A-8F00-991EF720B001}'/>"                \
	"<EventID>" id "</EventID><Version>0</Version><Level>" level     \
	"</Level><Task>" task "</Task><Opcode>0</Opcode><Keywords>"      \
	"0x80000000000000" keywords "</Keywords>"

#define REST(time, computer)                                             \
	"<TimeCreated SystemTime='" time "'/>"                           \
	"<EventRecordID>0</EventRecordID><Correlation/><Execution "      \
	"ProcessID='0' ThreadID='0'/>"                                   \
	"<Channel>Evenlog-WSUS/Operational</Channel><Computer>" computer \
	"</Computer><Security/></System>"

#define DATA(name, value) "<Data Name='" name "'>" value "</Data>"

/* 2026-11-21T18:00:00Z and an hour later. */
#define SIX 134397576000000000ULL
#define SEVEN (SIX + 3600 * WINTIME_SECOND)

static struct bridge_wsus_server server(void)
{
	struct bridge_wsus_server s = {
		.name = "dss1.contoso.com",
		.version = "3.1.6001.65",
		.replica = true,
		.last_sync = SIX,
		.last_rollup = SEVEN,
		.has_counters = true,
	};
	int32_t i;

	assert_int_equal(
		ev_guid_parse("{11111111-2222-3333-4444-555555555555}", &s.id),
		EVERR_OK);
	assert_int_equal(ev_guid_parse("{AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE}",
				       &s.parent),
			 EVERR_OK);
	for (i = 0; i < BRIDGE_WSUS_COUNTERS; i++) {
		s.counters[i] = 100 + i;
	}
	return s;
}

static struct bridge_wsus_os windows_10(void)
{
	return (struct bridge_wsus_os){
		.major = 10,
		.build = 19045,
		.locale = "en",
		.architecture = "AMD64Compatible",
		.suite_mask = -32768,
		.old_product_type = 1,
		.new_product_type = 48,
		.system_metrics = 5,
	};
}

static struct bridge_wsus_computer computer(void)
{
	struct bridge_wsus_computer c = {
		.id = "6f1a1b58-4df4-42ca-8cd8-b1c8f7c1c2a0",
		.last_sync = SIX,
		.last_sync_result = 1,
		.last_reboot = SIX,
		.last_status = SIX,
		.last_inventory = SIX,
		.has_details = true,
		.name = "PC01.contoso.com",
		.address = "10.0.0.17",
		.os = windows_10(),
		.os_family = "Windows",
		.os_description = "Windows 10 Enterprise",
		.make = "Contoso",
		.model = "Book <3>",
		.bios_version = "1.2",
		.bios_name = "BIOS",
		.bios_date = SIX,
		.client_version = "10.0.19041.1",
		.target_groups = "{A}",
		.requested_groups = "Berlin, Paris",
	};

	assert_int_equal(ev_guid_parse("{11111111-2222-3333-4444-555555555555}",
				       &c.parent),
			 EVERR_OK);
	return c;
}

static struct ev_guid update(void)
{
	struct ev_guid guid;

	assert_int_equal(
		ev_guid_parse("{7A9EE1A6-0E2C-4B5D-9A0B-3C0F5D7D0001}", &guid),
		EVERR_OK);
	return guid;
}

/*
 * What the manifest's own composer makes of the same texts is the same, byte
 * for byte: names, types, order, System.  For events that have all fields.
 */
static void check_composed(struct made *m, size_t index)
{
	const struct bridge_document *document = &m->events->documents[index];
	const struct event_manifest_event *event = NULL;
	const struct event_publisher *publisher = NULL;
	struct event_compose_value values[BRIDGE_WSUS_COUNTERS + 20];
	struct event_message_source *source = NULL;
	struct event_system base = {.process_id = 0};
	struct buf out;
	char *message = NULL;
	size_t i;

	made_pack(m, index);
	assert_int_equal(event_message_read(m->mem_ctx, m->dict, m->packed.data,
					    m->packed.len, &source),
			 EVERR_OK);
	publisher = event_catalog_find(m->catalog, source->provider);
	event = event_publisher_event(publisher, source->event_id, 0);
	base.time_created = m->packed.header.time_created;
	base.computer = strstr(made_xml(m, index), "<Computer>") + 10;
	base.computer = talloc_strndup(source, base.computer,
				       strcspn(base.computer, "<"));
	for (i = 0; i < source->num_inserts; i++) {
		values[i].name = source->inserts[i].name;
		values[i].text = source->inserts[i].text;
	}
	buf_init(&out, m->mem_ctx, 1 << 20);
	assert_int_equal(event_compose(m->mem_ctx, &out, publisher, event,
				       &base, values, source->num_inserts,
				       &message),
			 EVERR_OK);
	assert_int_equal(out.len, document->len);
	assert_memory_equal(out.data, document->data, out.len);
	talloc_free(source);
}

static void test_a_state_change_says_who_what_from_and_to(void **state)
{
	/* clang-format off */
	static const char *const fields[] = {
		"ComputerName", "PC01.contoso.com",
		"ComputerId", "6f1a1b58-4df4-42ca-8cd8-b1c8f7c1c2a0",
		"ParentServerId", "{11111111-2222-3333-4444-555555555555}",
		"UpdateTitle", "KB5001",
		"UpdateId", "{7A9EE1A6-0E2C-4B5D-9A0B-3C0F5D7D0001}",
		"OldState", "needed",
		"OldStateValue", "2",
		"NewState", "installed",
		"NewStateValue", "4",
		"LastChangeTime", "2026-11-21T18:00:00.0000000Z",
		"PeerAddress", "192.0.2.7",
		"PeerCertificate", "",
		NULL};
	/* clang-format on */
	struct bridge_wsus_computer c = computer();
	struct ev_guid id = update();
	struct made m;

	made_start(&m, *state);
	assert_int_equal(bridge_wsus_update_state(m.events, &m.origin, &c, &id,
						  "KB5001", 2, 4, SIX),
			 EVERR_OK);
	made_starts(made_xml(&m, 0),
		    HEAD("211", "4", "4", "12")
			    REST("2026-11-21T18:00:00.0000000Z",
				 "PC01.contoso.com") "<EventData><Data ");
	made_has_data(&m, 0, fields);
	made_check(&m, 0);
	made_starts(made_message(&m, 0),
		    "PC01.contoso.com: update KB5001 changed from needed to "
		    "installed.\r\n");
}

static void test_failed_is_an_error_and_a_restart_a_warning(void **state)
{
	static const int32_t states[] = {0, 1, 2, 3, 4, 5, 6, 7, -5};
	static const char *const levels[] = {"4", "4", "4", "4", "4",
					     "2", "3", "4", "4"};
	static const char *const names[] = {
		"not applicable", "unknown",   "needed",
		"downloaded",	  "installed", "failed",
		"restart needed", "state 7",   "state -5"};
	struct bridge_wsus_computer c = computer();
	struct ev_guid id = update();
	struct made m;
	size_t i;

	made_start(&m, *state);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		char want[80];

		assert_int_equal(bridge_wsus_update_state(m.events, &m.origin,
							  &c, &id, NULL, -1,
							  states[i], SIX),
				 EVERR_OK);
		made_check(&m, i);
		snprintf(want, sizeof(want), "<Level>%s</Level>", levels[i]);
		made_has(made_xml(&m, i), want);
		snprintf(want, sizeof(want), "<Data Name='NewState'>%s</Data>",
			 names[i]);
		made_has(made_xml(&m, i), want);
	}
	/* Without a title the id stands for it; the state before is -1. */
	made_starts(made_message(&m, 5),
		    "PC01.contoso.com: update "
		    "{7A9EE1A6-0E2C-4B5D-9A0B-3C0F5D7D0001} changed from not "
		    "reported to failed.\r\n");
	made_has(made_xml(&m, 5), DATA("OldStateValue", "-1"));
	made_has(made_xml(&m, 8), DATA("NewStateValue", "-5"));
}

static void test_the_counters_of_a_server_keep_their_names(void **state)
{
	struct bridge_wsus_server s = server();
	struct made m;
	char want[120];
	size_t i;

	made_start(&m, *state);
	m.origin.certificate = "CN=dss1.contoso.com";
	assert_int_equal(bridge_wsus_server_summary(m.events, &m.origin, &s),
			 EVERR_OK);
	made_check(&m, 0);
	check_composed(&m, 0);
	made_has(made_xml(&m, 0), HEAD("101", "4", "1", "03")
					  REST("2026-11-21T19:00:00.0000000Z",
					       "dss1.contoso.com"));
	for (i = 0; i < BRIDGE_WSUS_COUNTERS; i++) {
		snprintf(want, sizeof(want), "<Data Name='%s'>%zu</Data>",
			 bridge_wsus_counter_names[i], 100 + i);
		made_has(made_xml(&m, 0), want);
	}
	made_starts(made_message(&m, 0),
		    "dss1.contoso.com reported its summary. Computers: 114 "
		    "(117 up to date, 115 in need of updates, 116 with "
		    "errors). Updates: 100 (102 approved).\r\n");
}

static void test_what_a_server_did_not_say_is_empty(void **state)
{
	struct bridge_wsus_server s = server();
	struct made m;

	made_start(&m, *state);
	s.name = NULL;
	s.has_counters = false;
	s.last_rollup = 0;
	s.last_sync = 0;
	assert_int_equal(bridge_wsus_server_summary(m.events, &m.origin, &s),
			 EVERR_OK);
	made_check(&m, 0);
	/* Its id stands for the name, and the time is this host's. */
	made_has(made_xml(&m, 0),
		 REST("2026-11-21T19:13:20.0000000Z",
		      "{11111111-2222-3333-4444-555555555555}"));
	made_has(made_xml(&m, 0),
		 DATA("LastSyncTime", "1601-01-01T00:00:00.0000000Z"));
	made_has(made_xml(&m, 0),
		 DATA("HasCounters", "false") DATA("UpdateCount", "0"));
}

static void test_all_events_of_servers_are_described(void **state)
{
	struct bridge_wsus_activity a = {
		.update = update(),
		.revision = 200,
		.succeeded = 12,
		.failed = 0,
		.os = windows_10(),
	};
	struct bridge_wsus_server s = server();
	struct made m;
	size_t i;

	made_start(&m, *state);
	m.origin.certificate = "CN=dss1.contoso.com";
	assert_int_equal(bridge_wsus_server_seen(m.events, &m.origin, &s),
			 EVERR_OK);
	assert_int_equal(bridge_wsus_activity(m.events, &m.origin, &s, &a),
			 EVERR_OK);
	assert_int_equal(
		bridge_wsus_sync_started(m.events, &m.origin, &s, "1.20"),
		EVERR_OK);
	assert_int_equal(
		bridge_wsus_sync_finished(m.events, &m.origin, &s, 500, 7),
		EVERR_OK);
	for (i = 0; i < 4; i++) {
		made_check(&m, i);
		check_composed(&m, i);
	}
	made_starts(made_message(&m, 1),
		    "dss1.contoso.com: installations of update "
		    "{7A9EE1A6-0E2C-4B5D-9A0B-3C0F5D7D0001} since the last "
		    "report: 12 succeeded, 0 failed.\r\n\r\n"
		    "On computers with:\tWindows 10.0.19045 AMD64Compatible "
		    "en\r\n");
	made_has(made_xml(&m, 1), DATA("SuiteMask", "0x8000"));
	made_starts(made_message(&m, 3),
		    "dss1.contoso.com has reported all it had. Computers: 500. "
		    "Changes of state: 7.\r\n");

	a.failed = 1;
	assert_int_equal(bridge_wsus_activity(m.events, &m.origin, &s, &a),
			 EVERR_OK);
	made_has(made_xml(&m, 4), HEAD("102", "3", "4", "12"));
}

static void test_a_computer_is_told_with_its_details(void **state)
{
	struct bridge_wsus_computer c = computer();
	struct made m;

	made_start(&m, *state);
	m.origin.certificate = "CN=dss1.contoso.com";
	assert_int_equal(bridge_wsus_computer(m.events, &m.origin, &c, true),
			 EVERR_OK);
	assert_int_equal(bridge_wsus_computer(m.events, &m.origin, &c, false),
			 EVERR_OK);
	made_check(&m, 0);
	made_check(&m, 1);
	check_composed(&m, 0);
	check_composed(&m, 1);
	made_has(made_xml(&m, 0), HEAD("200", "4", "3", "0a"));
	made_has(made_xml(&m, 0), DATA("ComputerModel", "Book &lt;3&gt;"));
	made_has(made_xml(&m, 1), HEAD("201", "4", "3", "0a"));
	made_has(made_message(&m, 1),
		 "\r\nAddress and system:\t10.0.0.17 Windows 10.0.19045 "
		 "AMD64Compatible\r\n");

	/* Failed, and only the short form. */
	c.last_sync_result = 2;
	c.has_details = false;
	c.name = NULL;
	assert_int_equal(bridge_wsus_computer(m.events, &m.origin, &c, false),
			 EVERR_OK);
	made_check(&m, 2);
	made_has(made_xml(&m, 2), HEAD("201", "3", "3", "0a"));
	made_has(made_xml(&m, 2),
		 "<Computer>6f1a1b58-4df4-42ca-8cd8-b1c8f7c1c2a0</Computer>");
	made_has(made_xml(&m, 2), DATA("LastSyncResult", "failed"));
	made_has(made_xml(&m, 2), DATA("HasDetails", "false"));
	made_has(made_xml(&m, 2),
		 DATA("OSVersion", "") DATA("OSMajorVersion", "0"));
	made_has(made_xml(&m, 2), "<Data Name='ComputerModel'></Data>");
}

static void test_an_operating_system_is_one_text(void **state)
{
	static const struct {
		struct bridge_wsus_os os;
		const char *want;
	} cases[] = {
		{{.major = 5, .minor = 2, .build = 3790}, "5.2.3790"},
		{{.major = 5, .minor = 2, .build = 3790, .sp_major = 2},
		 "5.2.3790 SP 2"},
		{{.major = 6, .sp_major = 1, .sp_minor = 3}, "6.0.0 SP 1.3"},
		{{.sp_major = 1}, ""},
		{{.major = -1, .minor = -1, .build = -1}, ""},
		{{INT32_MIN, INT32_MIN, 1, INT32_MIN, INT32_MAX},
		 "-2147483648.-2147483648.1 SP -2147483648.2147483647"},
	};
	struct bridge_wsus_computer c = computer();
	struct made m;
	size_t i;

	made_start(&m, *state);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const fields[] = {"OSVersion", cases[i].want, NULL};

		c.os = cases[i].os;
		assert_int_equal(
			bridge_wsus_computer(m.events, &m.origin, &c, true),
			EVERR_OK);
		made_has_data(&m, i, fields);
		made_check(&m, i);
	}
}

static void test_a_baseline_counts_the_states(void **state)
{
	static const uint32_t num[BRIDGE_WSUS_STATES] = {1, 2, 4, 8, 16, 0, 64};
	static const uint32_t failed[BRIDGE_WSUS_STATES] = {
		[BRIDGE_WSUS_FAILED] = 1};
	struct bridge_wsus_computer c = computer();
	struct made m;

	made_start(&m, *state);
	m.origin.certificate = "CN=dss1.contoso.com";
	assert_int_equal(
		bridge_wsus_baseline(m.events, &m.origin, &c, 1, SIX, num, 128),
		EVERR_OK);
	made_check(&m, 0);
	check_composed(&m, 0);
	made_starts(made_message(&m, 0),
		    "PC01.contoso.com: first full status. Updates: 223 (0 "
		    "failed, 4 needed, 8 downloaded, 16 installed, 64 waiting "
		    "for a restart, 1 not applicable, 2 unknown, 128 in other "
		    "states).\r\n");
	assert_int_equal(bridge_wsus_baseline(m.events, &m.origin, &c, 1, SIX,
					      failed, 0),
			 EVERR_OK);
	made_has(made_xml(&m, 1), HEAD("210", "3", "4", "12"));
}

static void test_refusals_are_this_hosts_events(void **state)
{
	struct made m;

	made_start(&m, *state);
	m.origin.certificate = "CN=nobody";
	assert_int_equal(
		bridge_wsus_cookie_refused(m.events, &m.origin, "GetCookie",
					   "InvalidCookie",
					   "it was tampered with", "0f5b"),
		EVERR_OK);
	assert_int_equal(bridge_wsus_rejected(m.events, &m.origin,
					      "RollupComputers",
					      "InvalidParameters", "too many",
					      "0f5c", "20261121T191320-1"),
			 EVERR_OK);
	made_check(&m, 0);
	made_check(&m, 1);
	check_composed(&m, 0);
	check_composed(&m, 1);
	made_has(made_xml(&m, 0), HEAD("300", "3", "5", "20")
					  REST("2026-11-21T19:13:20.0000000Z",
					       "bridge.example.com"));
	made_starts(made_message(&m, 1),
		    "A request of 192.0.2.7 was rejected: too many.\r\n");
	made_has(made_message(&m, 1), "kept as:\t0f5c 20261121T191320-1");

	/* All of it may be missing. */
	assert_int_equal(bridge_wsus_rejected(m.events, &m.origin, NULL, NULL,
					      NULL, NULL, NULL),
			 EVERR_OK);
	made_check(&m, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_state_change_says_who_what_from_and_to),
		leak_test(test_failed_is_an_error_and_a_restart_a_warning),
		leak_test(test_the_counters_of_a_server_keep_their_names),
		leak_test(test_what_a_server_did_not_say_is_empty),
		leak_test(test_all_events_of_servers_are_described),
		leak_test(test_a_computer_is_told_with_its_details),
		leak_test(test_an_operating_system_is_one_text),
		leak_test(test_a_baseline_counts_the_states),
		leak_test(test_refusals_are_this_hosts_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
