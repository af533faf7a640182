/* SPDX-License-Identifier: GPL-3.0-or-later */

/* [MS-WSUSSS] 3.1.4.13 to 3.1.4.17 on a real store. */

#include "tests/soap/wsus_fixture.h"

#define DSS "050cee4a-aaff-470c-8fc3-7a94cb3a4293"
#define DSS2 "11111111-2222-3333-4444-555555555555"
#define DSS3 "33333333-2222-3333-4444-555555555555"
#define ZERO "00000000-0000-0000-0000-000000000000"
#define PC1 "d07a4d51-7cb2-46d1-ad86-91195cb4325a"
#define PC2 "S-1-5-21-1/2"

static const char empty_servers[] = "<RollupDownstreamServersResponse xmlns="
				    "\"" WSUS_NS "\"";

/* ------------------------------------------------------------- requests */

/*
 * Much text is put together in a buf, which grows in large steps: talloc's
 * strings are copied for each piece when the sanitizers reallocate them.
 */
#define TEXT_MAX ((size_t)16 << 20)

static char *text_of(struct buf *text)
{
	buf_put_u8(text, 0);
	assert_int_equal(buf_error(text), EVERR_OK);
	return (char *)text->data;
}

static char *activity(TALLOC_CTX *mem_ctx, const char *update, int succeeded,
		      int failed)
{
	return talloc_asprintf(
		mem_ctx,
		"<DownstreamServerRollupClientActivitySummary><UpdateId>%s"
		"</UpdateId><RevisionNumber>101</RevisionNumber>"
		"<InstallSuccessCount>%d</InstallSuccessCount>"
		"<InstallFailureCount>%d</InstallFailureCount>"
		"</DownstreamServerRollupClientActivitySummary>",
		update, succeeded, failed);
}

static char *summary(TALLOC_CTX *mem_ctx, int build, const char *activities)
{
	return talloc_asprintf(
		mem_ctx,
		"<DownstreamServerRollupClientSummary><OSMajorVersion>5"
		"</OSMajorVersion><OSBuildNumber>%d</OSBuildNumber><Count>1"
		"</Count><ActivitySummaries>%s</ActivitySummaries>"
		"</DownstreamServerRollupClientSummary>",
		build, activities);
}

static char *server(TALLOC_CTX *mem_ctx, const char *id, const char *parent,
		    const char *rollup_time, int updates, const char *summaries)
{
	return talloc_asprintf(
		mem_ctx,
		"<DownstreamServerRollupInfo><ServerId>%s</ServerId>"
		"<FullDomainName>dss.example.com</FullDomainName>"
		"<LastSyncTime>0001-01-01T00:00:00</LastSyncTime>"
		"<ParentServerId>%s</ParentServerId><Version>3.0.6000.354"
		"</Version><IsReplica>true</IsReplica><LastRollupTime>%s"
		"</LastRollupTime><ServerSummary><UpdateCount>%d"
		"</UpdateCount></ServerSummary><ClientSummaries>%s"
		"</ClientSummaries></DownstreamServerRollupInfo>",
		id, parent, rollup_time, updates, summaries);
}

static char *servers(TALLOC_CTX *mem_ctx, const char *items)
{
	return talloc_asprintf(mem_ctx,
			       "<clientTime>2007-03-06T03:28:02.5507362Z"
			       "</clientTime><downstreamServers>%s"
			       "</downstreamServers>",
			       items);
}

static void make_server(struct wsus_fixture *w, const char *id,
			const char *parent)
{
	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, id, parent, "2007-03-06T03:28:01Z", 1,
				      "")),
		    empty_servers);
}

static char *computer(TALLOC_CTX *mem_ctx, const char *id, const char *parent,
		      const char *sync_time, const char *details)
{
	return talloc_asprintf(
		mem_ctx,
		"<ComputerRollupInfo ComputerId='%s' LastSyncTime='%s' "
		"LastSyncResult='1' LastReportedRebootTime="
		"'0001-01-01T00:00:00' LastReportedStatusTime="
		"'2007-03-06T03:27:59.377Z' LastInventoryTime="
		"'0001-01-01T00:00:00' ParentServerId='%s'>%s"
		"</ComputerRollupInfo>",
		id, sync_time, parent, details);
}

#define DETAILS(address)                                                    \
	"<Details IPAddress='" address "' FullDomainName='pc.example.com' " \
	"OSMajorVersion='5' OSMinorVersion='2' OSBuildNumber='3790' "       \
	"ClientVersion='7.0.6000.354'><TargetGroupIdList><guid>b73ca6ed-"   \
	"5727-47f3-84de-015e03f6a88a</guid></TargetGroupIdList>"            \
	"<RequestedTargetGroupNames><string>A</string><string>B</string>"   \
	"</RequestedTargetGroupNames></Details>"

static char *computers(TALLOC_CTX *mem_ctx, const char *items)
{
	return talloc_asprintf(mem_ctx,
			       "<clientTime>2007-03-06T03:28:02.5507362Z"
			       "</clientTime><computers>%s</computers>",
			       items);
}

static void make_computer(struct wsus_fixture *w, const char *id,
			  const char *parent)
{
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, id, parent, "2007-03-06T03:22:28Z",
					  DETAILS("127.0.0.1"))),
		    "<RollupComputersResult />");
}

/* An update whose guid begins with n. */
static char *row(TALLOC_CTX *mem_ctx, unsigned int n, int state,
		 const char *changed)
{
	return talloc_asprintf(
		mem_ctx,
		"<ComputerStatusRollupUpdateStatus><UpdateId>%08x-5c09-4f3a-"
		"972e-cc1bbb7ca7e4</UpdateId><SummarizationState>%d"
		"</SummarizationState><LastChangeTime>%s</LastChangeTime>"
		"</ComputerStatusRollupUpdateStatus>",
		n, state, changed);
}

static char *status(TALLOC_CTX *mem_ctx, const char *id, int number, bool full,
		    const char *rows)
{
	return talloc_asprintf(
		mem_ctx,
		"<ComputerStatusRollupInfo><InstanceId>" ZERO "</InstanceId>"
		"<ComputerId>%s</ComputerId><EffectiveLastDetectionTime>"
		"2007-03-06T01:47:46.42Z</EffectiveLastDetectionTime>"
		"<RollupNumber>%d</RollupNumber><IsFullRollup>%s"
		"</IsFullRollup><UpdateStatus>%s</UpdateStatus>"
		"</ComputerStatusRollupInfo>",
		id, number, full ? "true" : "false", rows);
}

static char *statuses(TALLOC_CTX *mem_ctx, const char *items)
{
	return talloc_asprintf(mem_ctx,
			       "<clientTime>2007-03-06T03:39:24.2520342Z"
			       "</clientTime><parentServerId>" DSS
			       "</parentServerId><computers>%s</computers>",
			       items);
}

static void report(struct wsus_fixture *w, int number, bool full,
		   const char *rows)
{
	wsus_expect(w, "RollupComputerStatus",
		    statuses(w, status(w, PC1, number, full, rows)),
		    "<RollupComputerStatusResult>true<");
}

static char *out_of_sync(TALLOC_CTX *mem_ctx, const char *parent,
			 const char *id, int number)
{
	return talloc_asprintf(mem_ctx,
			       "<parentServerId>%s</parentServerId>"
			       "<lastRollupNumbers><ComputerLastRollupNumber>"
			       "<ComputerId>%s</ComputerId><RollupNumber>%d"
			       "</RollupNumber></ComputerLastRollupNumber>"
			       "</lastRollupNumbers>",
			       parent, id, number);
}

/* A server and a computer of it. */
static struct wsus_fixture *start(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	make_server(w, DSS, ZERO);
	make_computer(w, PC1, DSS);
	return w;
}

/* ---------------------------------------------------------- configuration */

static void test_the_configuration_has_the_limits_of_windows(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const char *answer = wsus_call(w, "GetRollupConfiguration", "");

	assert_non_null(strstr(answer,
			       "<RollupDownstreamServersMaxBatchSize>5000"
			       "</RollupDownstreamServersMaxBatchSize>"
			       "<RollupComputersMaxBatchSize>1500"
			       "</RollupComputersMaxBatchSize>"
			       "<GetOutOfSyncComputersMaxBatchSize>20000"
			       "</GetOutOfSyncComputersMaxBatchSize>"
			       "<RollupComputerStatusMaxBatchSize>500"
			       "</RollupComputerStatusMaxBatchSize>"));
	assert_non_null(
		strstr(answer, "<DoDetailedRollup>true</DoDetailedRollup>"));
}

static void test_without_detailed_rollup_only_servers_are_taken(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	w->wsus->config.detailed_rollup = false;
	make_server(w, DSS, ZERO);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 1);
	wsus_expect_fault(w, "RollupComputers", computers(w, ""),
			  "InvalidParameters", "DoDetailedRollup");
	wsus_expect_fault(w, "GetOutOfSyncComputers",
			  out_of_sync(w, DSS, PC1, 1), "InvalidParameters",
			  "DoDetailedRollup");
	wsus_expect_fault(w, "RollupComputerStatus", statuses(w, ""),
			  "InvalidParameters", "DoDetailedRollup");
	/* What is committed now is behind the refusals. */
	make_server(w, "050cee4a-aaff-470c-8fc3-7a94cb3a42ff", ZERO);
	wsus_last_event_has(w, BRIDGE_WSUS_REQUEST_REJECTED, "Reason",
			    "it reports computers, which detailed_rollup in "
			    "[wsus] turns off");
}

static void test_a_missing_array_is_named_in_the_fault(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	wsus_expect_fault(w, "RollupDownstreamServers", "", "InvalidParameters",
			  "downstreamServers");
	wsus_expect_fault(w, "RollupComputers", "", "InvalidParameters",
			  "computers");
	wsus_expect_fault(w, "GetOutOfSyncComputers", "", "InvalidParameters",
			  "lastRollupNumbers");
	wsus_expect_fault(w, "RollupComputerStatus", "", "InvalidParameters",
			  "computers");
}

/* --------------------------------------------------------------- servers */

static void test_a_server_is_seen_once_and_summed_up(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	make_server(w, DSS, ZERO);
	make_server(w, DSS, ZERO);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SEEN), 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 1);
	assert_int_equal(wsus_events(w, 0), 2);
	wsus_fixture_restart(w);
	make_server(w, DSS, ZERO);
	assert_int_equal(wsus_events(w, 0), 2);
	fixture_verify(w->f);
}

static void test_an_older_rollup_of_a_server_is_passed_over(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	make_server(w, DSS, ZERO);
	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:00Z", 9,
				      summary(w, 1, activity(w, PC1, 1, 1)))),
		    empty_servers);
	assert_int_equal(wsus_events(w, 0), 2);
	wsus_expect(
		w, "RollupDownstreamServers",
		servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:02Z", 9, "")),
		empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 2);
	wsus_last_event_has(w, BRIDGE_WSUS_SERVER_SUMMARY, "UpdateCount", "9");
}

static void test_an_unknown_parent_fails_all_of_the_call(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	char *items = talloc_strdup(w, "");

	items = talloc_strdup_append(
		items, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1, ""));
	items = talloc_strdup_append(
		items, server(w, DSS2, DSS3, "2007-03-06T03:28:01Z", 1, ""));
	wsus_expect_fault(w, "RollupDownstreamServers", servers(w, items),
			  "InternalServerError", WSUS_PARENT_UNKNOWN);
	assert_null(wsus_tables_server_name(w->wsus->tables,
					    &(struct ev_guid){.b = {0x4a}}));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SEEN), 0);
	assert_int_equal(w->wsus->tables->servers.num, 0);
}

/* Facts 11: the sender's own entry comes after those below it. */
static void test_a_parent_may_stand_behind_its_children(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	char *items = talloc_strdup(w, "");

	items = talloc_strdup_append(
		items, server(w, DSS2, DSS, "2007-03-06T03:28:01Z", 1, ""));
	items = talloc_strdup_append(
		items, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1, ""));
	wsus_expect(w, "RollupDownstreamServers", servers(w, items),
		    empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SEEN), 2);
}

static void test_activity_is_told_once_for_each_part(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const char *time = "2007-03-06T03:28:01Z";
	char *first = server(w, DSS, ZERO, time, 1,
			     summary(w, 3790, activity(w, PC1, 1, 0)));
	char *second = server(w, DSS, ZERO, time, 1,
			      summary(w, 2600, activity(w, PC1, 2, 3)));

	wsus_expect(w, "RollupDownstreamServers", servers(w, first),
		    empty_servers);
	wsus_expect(w, "RollupDownstreamServers", servers(w, second),
		    empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 2);
	wsus_last_event_has(w, BRIDGE_WSUS_ACTIVITY, "InstallFailureCount",
			    "3");
	/* The sender has not heard the answers. */
	wsus_expect(w, "RollupDownstreamServers", servers(w, first),
		    empty_servers);
	wsus_fixture_restart(w);
	wsus_expect(w, "RollupDownstreamServers", servers(w, second),
		    empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 2);
	/* Another rollup: it has happened again. */
	wsus_expect(
		w, "RollupDownstreamServers",
		servers(w, server(w, DSS, ZERO, "2007-03-07T03:28:01Z", 1,
				  summary(w, 3790, activity(w, PC1, 1, 0)))),
		empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 3);
}

static void test_activity_of_nothing_is_no_event(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1,
				      summary(w, 1, activity(w, PC1, 0, 0)))),
		    empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 0);
}

/* More than one commit takes, on one system and on many. */
static void test_much_activity_is_counted_up(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct wsus_activity_rows rows = {};
	struct bridge_wsus_os os = {.major = 5, .build = 1};
	char name[WSUS_ROW_NAME_SIZE];
	struct ev_guid id;
	uint8_t *data = NULL;
	size_t len = 0;
	struct buf many;
	char *all = NULL;
	unsigned int i;

	buf_init(&many, w, TEXT_MAX);
	for (i = 0; i < 3000; i++) {
		char *update = talloc_asprintf(
			w, "%08x-5c09-4f3a-972e-cc1bbb7ca7e4", i);

		buf_printf(&many, "%s", activity(w, update, 1, 2));
	}
	all = summary(w, 1, text_of(&many));
	for (i = 2; i < 42; i++) {
		all = talloc_strdup_append_buffer(
			all, summary(w, (int)i, activity(w, PC1, 1, 0)));
	}
	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1,
				      all)),
		    empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 3040);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 1);
	assert_int_equal(ev_guid_parse(DSS, &id), EVERR_OK);
	wsus_activity_row_name(&id, &os, name);
	assert_int_equal(store_state_get(w, w->f->store, name, &data, &len),
			 EVERR_OK);
	assert_int_equal(wsus_activity_decode(w, data, len, &rows), EVERR_OK);
	assert_int_equal(rows.num, 3000);
	assert_int_equal(rows.rows[2999].failed, 2);
}

/* The first part of a system's activity was taken in before a stop. */
static void test_activity_goes_on_where_it_was(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const char *time = "2007-03-06T03:28:01Z";
	char *many = talloc_strdup(w, "");
	unsigned int i;

	for (i = 0; i < 520; i++) {
		char *update = talloc_asprintf(
			w, "%08x-5c09-4f3a-972e-cc1bbb7ca7e4", i);

		if (i == 512) {
			wsus_expect(w, "RollupDownstreamServers",
				    servers(w, server(w, DSS, ZERO, time, 1,
						      summary(w, 1, many))),
				    empty_servers);
		}
		many = talloc_strdup_append_buffer(many,
						   activity(w, update, 1, 2));
	}
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 512);
	wsus_expect(
		w, "RollupDownstreamServers",
		servers(w, server(w, DSS, ZERO, time, 1, summary(w, 1, many))),
		empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_ACTIVITY), 520);
}

/* One of each of so many updates on one system. */
static char *installations(TALLOC_CTX *mem_ctx, int build, unsigned int num)
{
	struct buf all;
	unsigned int i;

	buf_init(&all, mem_ctx, TEXT_MAX);
	for (i = 0; i < num; i++) {
		char *id = talloc_asprintf(
			mem_ctx, "%08x-5c09-4f3a-972e-cc1bbb7ca7e4", i);
		char *one = activity(mem_ctx, id, 1, 0);

		buf_printf(&all, "%s", one);
		talloc_free(one);
		talloc_free(id);
	}
	return summary(mem_ctx, build, text_of(&all));
}

static void report_installations(struct wsus_fixture *w, const char *time,
				 unsigned int num)
{
	char *both = talloc_asprintf(w, "%s%s", installations(w, 1, num),
				     installations(w, 2, num));

	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, DSS, ZERO, time, 1, both)),
		    empty_servers);
}

/* A commit, and the turn of the loop that makes it, has one or the other. */
static void test_large_counts_are_not_written_together(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	struct store_stats before = {}, after = {};

	report_installations(w, "2007-03-06T03:28:01Z", 1);
	store_stats(w->f->store, &before);
	report_installations(w, "2007-03-07T03:28:01Z", 1);
	store_stats(w->f->store, &after);
	assert_int_equal(after.commits - before.commits, 1);
	/* 36 bytes each. */
	report_installations(w, "2007-03-08T03:28:01Z", 8000);
	store_stats(w->f->store, &before);
	report_installations(w, "2007-03-09T03:28:01Z", 1);
	store_stats(w->f->store, &after);
	assert_int_equal(after.commits - before.commits, 2);
}

static void test_too_many_summaries_are_refused(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	char *many = talloc_strdup(w, "");
	unsigned int i;

	for (i = 0; i < WSUS_BATCH_SUMMARIES; i++) {
		many = talloc_strdup_append_buffer(
			many, "<DownstreamServerRollupClientSummary />");
	}
	wsus_expect(w, "RollupDownstreamServers",
		    servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1,
				      many)),
		    empty_servers);
	many = talloc_strdup_append_buffer(
		many, "<DownstreamServerRollupClientSummary />");
	wsus_expect_fault(w, "RollupDownstreamServers",
			  servers(w, server(w, DSS, ZERO,
					    "2007-03-06T03:28:02Z", 1, many)),
			  "InvalidParameters", "ClientSummaries");
}

static void test_a_field_that_is_none_is_named(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);

	wsus_expect_fault(
		w, "RollupDownstreamServers",
		servers(w, server(w, "x", ZERO, "2007-03-06T03:28:02Z", 1, "")),
		"InvalidParameters", "ServerId");
	wsus_expect_fault(w, "RollupDownstreamServers",
			  servers(w, server(w, DSS, ZERO, "yesterday", 1, "")),
			  "InvalidParameters", "LastRollupTime");
	assert_int_equal(w->wsus->tables->servers.num, 0);
}

/* ------------------------------------------------------------- computers */

static void test_a_computer_is_new_then_the_same_then_changed(void **state)
{
	struct wsus_fixture *w = start(state);

	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_NEW, "ComputerName",
			    "pc.example.com");
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_NEW,
			    "RequestedTargetGroups", "A, B");
	make_computer(w, PC1, DSS);
	/* It synchronised again, and nothing else. */
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC1, DSS, "2007-03-06T03:23:00Z",
					  DETAILS("127.0.0.1"))),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 0);
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC1, DSS, "2007-03-06T03:23:00Z",
					  DETAILS("127.0.0.2"))),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_CHANGED, "IPAddress",
			    "127.0.0.2");
	wsus_fixture_restart(w);
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC1, DSS, "2007-03-06T03:23:00Z",
					  DETAILS("127.0.0.2"))),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 1);
}

static void test_an_older_report_of_a_computer_is_passed_over(void **state)
{
	struct wsus_fixture *w = start(state);

	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC1, DSS, "2007-03-06T03:22:27Z",
					  DETAILS("10.0.0.1"))),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 0);
}

/* Facts 10.2: NewParent asks for the details, once for an id. */
static void test_details_are_asked_for(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *time = "2007-03-06T03:23:00Z";
	char *items = NULL;
	const char *answer = NULL;

	make_server(w, DSS2, DSS);
	items = computer(w, PC2, DSS, time, "");
	items = talloc_strdup_append(items, computer(w, PC2, DSS, time, ""));
	items = talloc_strdup_append(items, computer(w, PC1, DSS, time, ""));
	answer = wsus_call(w, "RollupComputers", computers(w, items));
	assert_non_null(strstr(answer,
			       "<RollupComputersResult><ChangedComputer "
			       "ComputerId=\"" PC2 "\" Change=\"NewParent\" />"
			       "</RollupComputersResult>"));
	/* Details are kept when they are not sent. */
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 0);
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC1, DSS2, time, "")),
		    "<ChangedComputer ComputerId=\"" PC1 "\" "
		    "Change=\"NewParent\" />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_CHANGED, "IPAddress",
			    "127.0.0.1");
}

static void report_without_details(struct wsus_fixture *w, const char *time)
{
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC2, DSS, time, "")),
		    "Change=\"NewParent\"");
}

/* Where the answer was lost, too. */
static void test_a_new_computer_is_told_with_the_details_asked_for(void **state)
{
	struct wsus_fixture *w = start(state);

	report_without_details(w, "2007-03-06T03:22:28Z");
	report_without_details(w, "2007-03-06T03:22:28Z");
	wsus_fixture_restart(w);
	report_without_details(w, "2007-03-06T03:22:28Z");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
	make_computer(w, PC2, DSS);
	make_computer(w, PC2, DSS);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 2);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 0);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_NEW, "ComputerId", PC2);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_NEW, "IPAddress",
			    "127.0.0.1");
}

static void test_without_details_it_is_told_at_its_next_sync(void **state)
{
	struct wsus_fixture *w = start(state);

	report_without_details(w, "2007-03-06T03:22:28Z");
	report_without_details(w, "2007-03-07T03:22:28Z");
	report_without_details(w, "2007-03-08T03:22:28Z");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 2);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 0);
	/* Then they are a change. */
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, PC2, DSS, "2007-03-09T03:22:28Z",
					  DETAILS("127.0.0.1"))),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 2);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_CHANGED), 1);
}

static void test_a_computer_of_an_unknown_server_fails_the_call(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *time = "2007-03-06T03:23:00Z";
	char *items = computer(w, PC2, DSS, time, "");

	items = talloc_strdup_append(items, computer(w, PC1, DSS2, time, ""));
	wsus_expect_fault(w, "RollupComputers", computers(w, items),
			  "InternalServerError", WSUS_PARENT_UNKNOWN);
	assert_int_equal(w->wsus->tables->computers.num, 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
}

static void test_a_full_batch_of_computers_is_taken_and_no_more(void **state)
{
	struct wsus_fixture *w = start(state);
	struct buf batch;
	char *items = NULL;
	unsigned int i;

	buf_init(&batch, w, TEXT_MAX);
	for (i = 0; i < WSUS_BATCH_COMPUTERS; i++) {
		char *id = talloc_asprintf(w, "pc %u", i);

		buf_printf(&batch, "%s",
			   computer(w, id, DSS, "2007-03-06T03:23:00Z",
				    DETAILS("127.0.0.1")));
	}
	items = text_of(&batch);
	wsus_expect(w, "RollupComputers", computers(w, items),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW),
			 1 + WSUS_BATCH_COMPUTERS);
	/* Repeated: nothing is written, and no turn is long. */
	wsus_expect(w, "RollupComputers", computers(w, items),
		    "<RollupComputersResult />");
	assert_int_equal(wsus_events(w, 0), 3 + WSUS_BATCH_COMPUTERS);
	items = talloc_asprintf(
		w, "%s%s", items,
		computer(w, "last", DSS, "2007-03-06T03:23:00Z", ""));
	wsus_expect_fault(w, "RollupComputers", computers(w, items),
			  "InvalidParameters", "computers");
	wsus_fixture_restart(w);
	assert_int_equal(w->wsus->tables->computers.num,
			 1 + WSUS_BATCH_COMPUTERS);
}

static void test_more_computers_than_are_kept_are_refused(void **state)
{
	struct wsus_fixture *w = start(state);

	w->wsus->config.computers_max = 1;
	wsus_expect_fault(
		w, "RollupComputers",
		computers(w, computer(w, PC2, DSS, "2007-03-06T03:23:00Z", "")),
		"InternalServerError",
		"no more computers are kept; computers_max limits them");
	assert_int_equal(w->wsus->tables->computers.num, 1);
}

/* What is refused is named; nothing of the call is applied. */
static void test_a_computers_field_that_is_none_is_named(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *time = "2007-03-06T03:23:00Z";
	char *text = talloc_zero_array(w, char, WSUS_ROW_GROUPS_MAX + 1);
	char *details = NULL;

	memset(text, 'x', WSUS_ROW_GROUPS_MAX);
	wsus_expect_fault(w, "RollupComputers",
			  computers(w, computer(w, "", DSS, time, "")),
			  "InvalidParameters", "ComputerId");
	details = talloc_asprintf(w,
				  "<Details><RequestedTargetGroupNames><string>"
				  "%s</string></RequestedTargetGroupNames>"
				  "</Details>",
				  text);
	wsus_expect_fault(w, "RollupComputers",
			  computers(w, computer(w, PC2, DSS, time, details)),
			  "InvalidParameters", "RequestedTargetGroupNames");
	text[WSUS_ROW_TEXT_MAX + 1] = '\0';
	details = talloc_asprintf(w, "<Details ComputerMake='%s' />", text);
	wsus_expect_fault(w, "RollupComputers",
			  computers(w, computer(w, PC2, DSS, time, details)),
			  "InvalidParameters", "ComputerMake");
	text[WSUS_COMPUTER_ID_MAX + 1] = '\0';
	wsus_expect_fault(w, "RollupComputers",
			  computers(w, computer(w, text, DSS, time, "")),
			  "InvalidParameters", "ComputerId");
	text[WSUS_COMPUTER_ID_MAX] = '\0';
	wsus_expect(w, "RollupComputers",
		    computers(w, computer(w, text, DSS, time, "")),
		    "Change=\"NewParent\"");
	assert_int_equal(w->wsus->tables->computers.num, 2);
}

/* ---------------------------------------------------------------- status */

static void test_the_first_full_status_is_one_event(void **state)
{
	struct wsus_fixture *w = start(state);
	char *rows = row(w, 1, 4, "2007-03-05T22:25:11.64Z");

	rows = talloc_strdup_append(rows,
				    row(w, 2, 5, "2007-03-05T22:25:11.64Z"));
	report(w, 3, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_BASELINE, "Updates", "2");
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_BASELINE, "Installed", "1");
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_BASELINE, "Failed", "1");
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_BASELINE, "RollupNumber",
			    "3");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 0);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 1);
}

static uint64_t last_id(struct wsus_fixture *w)
{
	return fixture_info(w->channel).next_id;
}

static uint64_t commits(struct wsus_fixture *w)
{
	struct store_stats stats;

	store_stats(w->f->store, &stats);
	return stats.commits;
}

static void test_a_repeated_status_writes_nothing(void **state)
{
	struct wsus_fixture *w = start(state);
	char *rows = row(w, 2, 4, "2007-03-05T22:25:11.64Z");
	uint64_t before, events;

	rows = talloc_strdup_append(rows,
				    row(w, 1, 5, "2007-03-05T22:25:11.64Z"));
	report(w, 3, true, rows);
	before = commits(w);
	events = last_id(w);
	report(w, 3, true, rows);
	assert_int_equal(commits(w), before);
	assert_int_equal(last_id(w), events);
	wsus_fixture_restart(w);
	before = commits(w);
	report(w, 3, true, rows);
	assert_int_equal(commits(w), before);
	assert_int_equal(last_id(w), events);
}

static void test_each_transition_is_one_event(void **state)
{
	struct wsus_fixture *w = start(state);

	report(w, 1, true, row(w, 1, 2, "2007-03-05T22:00:00Z"));
	report(w, 2, false, row(w, 1, 5, "2007-03-05T23:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_UPDATE_STATE, "OldStateValue", "2");
	wsus_last_event_has(w, BRIDGE_WSUS_UPDATE_STATE, "NewStateValue", "5");
	wsus_last_event_has(w, BRIDGE_WSUS_UPDATE_STATE, "ComputerName",
			    "pc.example.com");
	/* One that was under way for longer. */
	report(w, 3, false, row(w, 1, 2, "2007-03-05T22:59:59Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 1);
	/* The same state, later. */
	report(w, 4, false, row(w, 1, 5, "2007-03-06T00:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 1);
	wsus_fixture_restart(w);
	report(w, 5, false, row(w, 1, 4, "2007-03-06T01:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 2);
	wsus_last_event_has(w, BRIDGE_WSUS_UPDATE_STATE, "OldStateValue", "5");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
}

static void test_a_delta_before_any_full_status_is_told_by_row(void **state)
{
	struct wsus_fixture *w = start(state);
	char *rows = row(w, 1, 0, "2007-03-05T22:00:00Z");

	rows = talloc_strdup_append(rows, row(w, 2, 5, "2007-03-05T22:00:00Z"));
	report(w, 1, false, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_UPDATE_STATE, "OldStateValue", "-1");
	/* The first full one: its baseline, and what has changed. */
	rows = talloc_strdup_append(row(w, 2, 4, "2007-03-05T23:00:00Z"),
				    row(w, 3, 4, "2007-03-05T23:00:00Z"));
	report(w, 2, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 2);
}

static char *many_rows(TALLOC_CTX *mem_ctx, unsigned int num, int state,
		       const char *changed)
{
	char *rows = talloc_strdup(mem_ctx, "");
	unsigned int i;

	for (i = 0; i < num; i++) {
		char *one = row(mem_ctx, i, state, changed);

		rows = talloc_strdup_append_buffer(rows, one);
		talloc_free(one);
	}
	return rows;
}

static void test_many_transitions_take_several_commits(void **state)
{
	struct wsus_fixture *w = start(state);
	unsigned int num = 3 * WSUS_JOB_EVENTS + 1;
	char *later = many_rows(w, num, 4, "2007-03-06T22:00:00Z");

	report(w, 1, true, many_rows(w, num, 2, "2007-03-05T22:00:00Z"));
	report(w, 2, false, later);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), num);
	report(w, 2, false, later);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), num);
	wsus_last_event_has(w, BRIDGE_WSUS_SYNC_FINISHED, "Changes", "1537");
	fixture_verify(w->f);
}

/* The service stops when a part of it is on disk. */
static void test_a_stop_between_commits_repeats_no_event(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	unsigned int num = 2 * WSUS_JOB_EVENTS + 1;
	char *later = many_rows(w, num, 4, "2007-03-06T22:00:00Z");
	struct http_exchange *exchange = NULL;
	size_t told;

	make_server(w, DSS, ZERO);
	wsus_expect(
		w, "RollupComputers",
		computers(w, computer(w, PC1, DSS, "2007-03-06T03:22:28Z", "")),
		"NewParent");
	exchange = wsus_send(w, "RollupComputerStatus",
			     statuses(w, status(w, PC1, 2, false, later)));
	fixture_until(w->f, wsus_events(w, BRIDGE_WSUS_UPDATE_STATE) > 0);
	/* Connections go first, as when the service stops. */
	talloc_free(exchange);
	wsus_fixture_restart(w);
	told = wsus_events(w, BRIDGE_WSUS_UPDATE_STATE);
	assert_true(told > 0 && told < num);
	/* Its details never came. */
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 2),
		    "<string>" PC1 "</string>");
	report(w, 2, false, later);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), num);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
}

/* Two calls, and one call twice over: each state is told once. */
static void test_calls_about_one_computer_wait_for_each_other(void **state)
{
	struct wsus_fixture *w = start(state);
	struct http_exchange *calls[8];
	size_t i;

	report(w, 1, true, row(w, 1, 2, "2007-03-05T22:00:00Z"));
	for (i = 0; i < 8; i++) {
		char *time = talloc_asprintf(w, "2007-03-06T22:00:0%zuZ", i);
		char *item = status(w, PC1, 2 + (int)i, false,
				    row(w, 1, i % 2 == 0 ? 4 : 5, time));

		/* Each update once more, of its own. */
		item = talloc_asprintf_append(
			item, "%s",
			status(w, PC1, 2 + (int)i, false,
			       row(w, 10 + (unsigned int)i, 4, time)));
		calls[i] =
			wsus_send(w, "RollupComputerStatus", statuses(w, item));
	}
	for (i = 0; i < 8; i++) {
		assert_non_null(strstr(wsus_answer(w, calls[i]), ">true<"));
	}
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 16);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 9),
		    "<GetOutOfSyncComputersResult />");
}

static void test_a_sender_that_goes_leaves_what_it_said_whole(void **state)
{
	struct wsus_fixture *w = start(state);
	struct http_exchange *exchange = NULL;

	exchange = wsus_send(
		w, "RollupComputerStatus",
		statuses(w, status(w, PC1, 1, true,
				   row(w, 1, 4, "2007-03-05T22:00:00Z"))));
	assert_false(exchange->answer->given);
	talloc_free(exchange);
	fixture_until(w->f, wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE) == 1);
	report(w, 1, true, row(w, 1, 4, "2007-03-05T22:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
}

static void test_an_unknown_computer_is_passed_over(void **state)
{
	struct wsus_fixture *w = start(state);

	wsus_expect(w, "RollupComputerStatus",
		    statuses(w, status(w, "other", 1, true,
				       row(w, 1, 4, "2007-03-05T22:00:00Z"))),
		    ">true<");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_NEW), 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 0);
}

static void test_a_batch_of_statuses_has_its_limit(void **state)
{
	struct wsus_fixture *w = start(state);
	char *items = talloc_strdup(w, "");
	unsigned int i;

	for (i = 0; i < WSUS_BATCH_STATUS; i++) {
		items = talloc_strdup_append_buffer(
			items, status(w, "other", 1, true, ""));
	}
	wsus_expect(w, "RollupComputerStatus", statuses(w, items), ">true<");
	items = talloc_strdup_append_buffer(items,
					    status(w, "other", 1, true, ""));
	wsus_expect_fault(w, "RollupComputerStatus", statuses(w, items),
			  "InvalidParameters", "computers");
}

/* A call whose answer waits holds the sender back. */
static void test_a_fast_sender_is_held_back(void **state)
{
	struct wsus_fixture *w = start(state);
	struct http_exchange *exchange = wsus_begin(w);
	const char *open =
		"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/"
		"envelope/'><s:Body><RollupComputerStatus xmlns='" WSUS_NS
		"'><parentServerId>" DSS "</parentServerId><computers>";
	const char *close = "</computers></RollupComputerStatus></s:Body>"
			    "</s:Envelope>";
	unsigned int i;
	bool paused = false;

	fake_body(exchange, open, strlen(open));
	for (i = 0; i < 100; i++) {
		char *item = status(w, PC1, 1 + (int)i, false,
				    many_rows(w, 100, 2 + (int)i % 4,
					      "2007-03-05T22:00:00Z"));

		fake_body(exchange, item, strlen(item));
		talloc_free(item);
		paused = paused || exchange->pauses > 0;
		assert_true(exchange->pauses <= 1);
		fixture_until(w->f, exchange->pauses == 0);
	}
	fake_body(exchange, close, strlen(close));
	fake_end(exchange);
	assert_non_null(strstr(wsus_answer(w, exchange), ">true<"));
	assert_true(paused);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_UPDATE_STATE), 100 * 100);
}

static void test_a_full_disk_fails_the_call_and_a_resend_works(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *rows = row(w, 1, 4, "2007-03-05T22:00:00Z");
	const char *answer = NULL;

	w->f->options.limits.disk_reserve = 1 << 20;
	wsus_fixture_restart(w);
	fixture_disk_set(w->f, 1);
	answer = wsus_call(w, "RollupComputerStatus",
			   statuses(w, status(w, PC1, 1, true, rows)));
	assert_non_null(strstr(answer, "<ErrorCode>InternalServerError<"));
	answer = wsus_call(
		w, "RollupComputers",
		computers(w, computer(w, PC2, DSS, "2007-03-06T03:23:00Z",
				      DETAILS("127.0.0.1"))));
	assert_non_null(strstr(answer, "<ErrorCode>InternalServerError<"));
	assert_int_equal(w->wsus->tables->computers.num, 1);
	fixture_disk_set(w->f, UINT64_C(1) << 40);
	wsus_fixture_restart(w);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 1),
		    "<string>");
	report(w, 1, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
}

static void test_a_full_queue_is_answered_busy(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *rows = row(w, 1, 4, "2007-03-05T22:00:00Z");
	struct store_input *inputs = NULL;
	struct tevent_req *req = NULL;
	uint64_t first_id;

	w->f->options.limits.queue_bytes = 1;
	wsus_fixture_restart(w);
	inputs = talloc(w, struct store_input);
	inputs[0] = fixture_event(w, 1, FIXTURE_TIME, "text");
	req = fixture_send(w->f, fixture_channel(w->f, "Other"), inputs, 1);
	wsus_expect(w, "RollupComputerStatus",
		    statuses(w, status(w, PC1, 1, true, rows)),
		    "<RollupComputerStatusResult>false<");
	assert_int_equal(fixture_recv(w->f, req, &first_id), EVERR_OK);
	report(w, 1, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
}

static void test_damaged_states_are_asked_for_in_full(void **state)
{
	struct wsus_fixture *w = start(state);
	struct store_state damaged = {
		.name = "wsus/status/" PC1, .data = "no row", .len = 6};
	struct tevent_req *req = NULL;
	uint64_t first_id;

	report(w, 1, true, row(w, 1, 4, "2007-03-05T22:00:00Z"));
	req = store_append_send(w->f, w->f->ev, w->channel, NULL, 0, &damaged,
				1);
	assert_int_equal(fixture_recv(w->f, req, &first_id), EVERR_OK);
	report(w, 2, false, row(w, 2, 0, "2007-03-05T22:00:00Z"));
	assert_int_equal(w->wsus->tables->damaged, 1);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 2),
		    "<string>" PC1 "</string>");
	report(w, 3, true, row(w, 1, 4, "2007-03-05T22:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 2);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 3),
		    "<GetOutOfSyncComputersResult />");
}

/* A full batch is followed by another; the end is told once, with all. */
static void test_the_end_of_a_report_counts_all_of_its_calls(void **state)
{
	struct wsus_fixture *w = start(state);
	char *items = talloc_strdup(w, "");
	unsigned int i;

	make_computer(w, PC2, DSS);
	for (i = 1; i < WSUS_BATCH_STATUS; i++) {
		items = talloc_strdup_append_buffer(
			items, status(w, "other", 1, true, ""));
	}
	items = talloc_strdup_append_buffer(items, status(w, PC2, 1, true, ""));
	wsus_expect(w, "RollupComputerStatus", statuses(w, items), ">true<");
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 0);
	report(w, 1, true, row(w, 1, 4, "2007-03-05T22:00:00Z"));
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 1);
	wsus_last_event_has(w, BRIDGE_WSUS_SYNC_FINISHED, "Computers", "2");
	wsus_last_event_has(w, BRIDGE_WSUS_SYNC_FINISHED, "Changes", "0");
}

static void test_a_report_has_one_end(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *rows = row(w, 1, 4, "2007-03-05T22:00:00Z");

	report(w, 1, true, rows);
	report(w, 1, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 1);
	/* The next one brings nothing of computers. */
	wsus_expect(
		w, "RollupDownstreamServers",
		servers(w, server(w, DSS, ZERO, "2007-03-07T03:28:01Z", 1, "")),
		empty_servers);
	report(w, 1, true, rows);
	report(w, 1, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 2);
	wsus_last_event_has(w, BRIDGE_WSUS_SYNC_FINISHED, "Computers", "0");
}

/* All computers are on disk when the service stops, the end is not. */
static void test_a_stop_before_the_end_does_not_lose_it(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *rows = row(w, 1, 4, "2007-03-05T22:00:00Z");
	const struct wsus_computer_entry *entry =
		wsus_tables_computer(w->wsus->tables, PC1);
	struct http_exchange *exchange = NULL;

	exchange = wsus_send(w, "RollupComputerStatus",
			     statuses(w, status(w, PC1, 1, true, rows)));
	fixture_until(w->f, entry->lock.owner != NULL);
	talloc_free(exchange);
	/* The store still commits what it was handed. */
	wsus_fixture_restart(w);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 0);
	report(w, 1, true, rows);
	report(w, 1, true, rows);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_COMPUTER_BASELINE), 1);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SYNC_FINISHED), 1);
}

/* ----------------------------------------------------------- out of sync */

static void test_a_full_batch_of_numbers_is_answered(void **state)
{
	struct wsus_fixture *w = start(state);
	const char *numbers = NULL;
	char *body = NULL;
	const char *answer = NULL;
	const char *at = NULL;
	size_t found = 0;
	struct buf list;
	unsigned int i;

	buf_init(&list, w, 1 << 24);
	for (i = 0; i < WSUS_BATCH_OUT_OF_SYNC; i++) {
		buf_puts(&list, "<ComputerLastRollupNumber><ComputerId>" PC1
				"</ComputerId><RollupNumber>1</RollupNumber>"
				"</ComputerLastRollupNumber>");
	}
	buf_put_u8(&list, 0);
	assert_int_equal(buf_error(&list), EVERR_OK);
	numbers = (const char *)list.data;
	body = talloc_asprintf(w,
			       "<parentServerId>" DSS "</parentServerId>"
			       "<lastRollupNumbers>%s</lastRollupNumbers>",
			       numbers);
	answer = wsus_call(w, "GetOutOfSyncComputers", body);
	for (at = answer; (at = strstr(at, "<string>" PC1 "<")) != NULL; at++) {
		found++;
	}
	assert_int_equal(found, WSUS_BATCH_OUT_OF_SYNC);
	body = talloc_asprintf(w,
			       "<parentServerId>" DSS "</parentServerId>"
			       "<lastRollupNumbers>%s<ComputerLastRollupNumber "
			       "/></lastRollupNumbers>",
			       numbers);
	wsus_expect_fault(w, "GetOutOfSyncComputers", body, "InvalidParameters",
			  "lastRollupNumbers");
}

static void test_only_computers_below_the_server_are_out_of_sync(void **state)
{
	struct wsus_fixture *w = start(state);

	make_server(w, DSS2, DSS);
	make_server(w, DSS3, ZERO);
	make_computer(w, PC2, DSS2);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC2, 1),
		    "<GetOutOfSyncComputersResult><string>" PC2 "</string>"
		    "</GetOutOfSyncComputersResult>");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS2, PC2, 1),
		    "<string>");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS2, PC1, 1),
		    "<GetOutOfSyncComputersResult />");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS3, PC1, 1),
		    "<GetOutOfSyncComputersResult />");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, PC1, PC1, 1),
		    "<GetOutOfSyncComputersResult />");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, "none", 1),
		    "<GetOutOfSyncComputersResult />");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC1, 0),
		    "<GetOutOfSyncComputersResult />");
}

static void test_servers_in_a_circle_hold_nothing_up(void **state)
{
	struct wsus_fixture *w = start(state);
	char *items = server(w, DSS2, DSS3, "2007-03-06T03:28:01Z", 1, "");

	items = talloc_strdup_append(
		items, server(w, DSS3, DSS2, "2007-03-06T03:28:01Z", 1, ""));
	wsus_expect(w, "RollupDownstreamServers", servers(w, items),
		    empty_servers);
	make_computer(w, PC2, DSS3);
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS2, PC2, 1),
		    "<string>");
	wsus_expect(w, "GetOutOfSyncComputers", out_of_sync(w, DSS, PC2, 1),
		    "<GetOutOfSyncComputersResult />");
}

/* ----------------------------------------------------------------- clocks */

static void test_times_of_a_wrong_clock_are_corrected(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const char *text = NULL;

	w->wsus->config.correct_clocks = true;
	make_server(w, DSS, ZERO);
	text = wsus_last_event(w, BRIDGE_WSUS_SERVER_SUMMARY);
	/* The sender's clock is of 2007. */
	assert_null(strstr(text, "<Data Name='LastRollupTime'>2007-"));
	/* Repeated at once: still the same rollup. */
	make_server(w, DSS, ZERO);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 1);
	/* What stands for never is not shifted. */
	assert_non_null(strstr(text, "<Data Name='LastSyncTime'>1601-"));
}

/* The text with what stands in it since another time. */
static char *replaced(TALLOC_CTX *mem_ctx, const char *text, const char *old,
		      const char *new)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	return talloc_asprintf(mem_ctx, "%.*s%s%s", (int)(at - text), text, new,
			       at + strlen(old));
}

/*
 * The correction is rounded to minutes: a clientTime that is 59.9 seconds
 * later makes it another one, whatever the time is.
 */
static void test_a_rounded_correction_hides_no_report(void **state)
{
	struct wsus_fixture *w = wsus_fixture_new(state);
	const char *sync = "2007-03-06T01:01:01";
	char *first = NULL;
	char *later = NULL;

	w->wsus->config.correct_clocks = true;
	first = servers(w, server(w, DSS, ZERO, "2007-03-06T03:28:01Z", 1, ""));
	first = replaced(w, first, "0001-01-01T00:00:00", sync);
	later = replaced(w, first, "03:28:02.55", "03:29:02.45");
	wsus_expect(w, "RollupDownstreamServers", first, empty_servers);
	wsus_expect(w, "RollupDownstreamServers", later, empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 1);
	later = replaced(w, later, "03:28:01Z", "03:28:31Z");
	wsus_expect(w, "RollupDownstreamServers", later, empty_servers);
	assert_int_equal(wsus_events(w, BRIDGE_WSUS_SERVER_SUMMARY), 2);
	/* Details that follow a report of the same time. */
	first = computers(w, computer(w, PC1, DSS, "2007-03-06T03:22:28Z", ""));
	wsus_expect(w, "RollupComputers", first, "NewParent");
	later = computers(w, computer(w, PC1, DSS, "2007-03-06T03:22:28Z",
				      DETAILS("127.0.0.1")));
	later = replaced(w, later, "03:28:02.55", "03:29:02.45");
	wsus_expect(w, "RollupComputers", later, "<RollupComputersResult />");
	wsus_last_event_has(w, BRIDGE_WSUS_COMPUTER_NEW, "HasDetails", "true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_the_configuration_has_the_limits_of_windows),
		leak_test(test_without_detailed_rollup_only_servers_are_taken),
		leak_test(test_a_missing_array_is_named_in_the_fault),
		leak_test(test_a_server_is_seen_once_and_summed_up),
		leak_test(test_an_older_rollup_of_a_server_is_passed_over),
		leak_test(test_an_unknown_parent_fails_all_of_the_call),
		leak_test(test_a_parent_may_stand_behind_its_children),
		leak_test(test_activity_is_told_once_for_each_part),
		leak_test(test_activity_of_nothing_is_no_event),
		leak_test(test_much_activity_is_counted_up),
		leak_test(test_activity_goes_on_where_it_was),
		leak_test(test_large_counts_are_not_written_together),
		leak_test(test_too_many_summaries_are_refused),
		leak_test(test_a_field_that_is_none_is_named),
		leak_test(test_a_computer_is_new_then_the_same_then_changed),
		leak_test(test_an_older_report_of_a_computer_is_passed_over),
		leak_test(test_details_are_asked_for),
		leak_test(
			test_a_new_computer_is_told_with_the_details_asked_for),
		leak_test(test_without_details_it_is_told_at_its_next_sync),
		leak_test(test_a_computer_of_an_unknown_server_fails_the_call),
		leak_test(test_a_full_batch_of_computers_is_taken_and_no_more),
		leak_test(test_more_computers_than_are_kept_are_refused),
		leak_test(test_a_computers_field_that_is_none_is_named),
		leak_test(test_the_first_full_status_is_one_event),
		leak_test(test_a_repeated_status_writes_nothing),
		leak_test(test_each_transition_is_one_event),
		leak_test(test_a_delta_before_any_full_status_is_told_by_row),
		leak_test(test_many_transitions_take_several_commits),
		leak_test(test_a_stop_between_commits_repeats_no_event),
		leak_test(test_calls_about_one_computer_wait_for_each_other),
		leak_test(test_a_sender_that_goes_leaves_what_it_said_whole),
		leak_test(test_an_unknown_computer_is_passed_over),
		leak_test(test_a_batch_of_statuses_has_its_limit),
		leak_test(test_a_fast_sender_is_held_back),
		leak_test(test_a_full_disk_fails_the_call_and_a_resend_works),
		leak_test(test_a_full_queue_is_answered_busy),
		leak_test(test_damaged_states_are_asked_for_in_full),
		leak_test(test_the_end_of_a_report_counts_all_of_its_calls),
		leak_test(test_a_report_has_one_end),
		leak_test(test_a_stop_before_the_end_does_not_lose_it),
		leak_test(test_a_full_batch_of_numbers_is_answered),
		leak_test(test_only_computers_below_the_server_are_out_of_sync),
		leak_test(test_servers_in_a_circle_hold_nothing_up),
		leak_test(test_times_of_a_wrong_clock_are_corrected),
		leak_test(test_a_rounded_correction_hides_no_report),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
