/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/operational.h"
#include "tests/store/fixture.h"

/* What the channel holds, as text: one line of XML for each event. */
struct seen {
	char *xml[64];
	size_t num;
};

static struct operational *start(struct fixture *f)
{
	struct operational *operational = NULL;
	everr_t err;

	err = operational_create(f, f->ev, f->store, "host.example",
				 &operational);
	assert_int_equal(err, EVERR_OK);
	return operational;
}

static struct store_channel *channel_of(struct fixture *f)
{
	struct store_channel *channel = NULL;
	everr_t err;

	err = store_channel_find(f->store, OPERATIONAL_CHANNEL, &channel);
	assert_int_equal(err, EVERR_OK);
	return channel;
}

static void read_all(struct fixture *f, struct seen *seen)
{
	struct store_snapshot *snapshot = NULL;
	struct store_channel *channel = channel_of(f);
	struct store_record record = {};
	everr_t err;

	seen->num = 0;
	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	for (;;) {
		struct buf xml;

		err = store_read(snapshot, channel, record.id + 1, false,
				 &record);
		if (err != EVERR_OK) {
			break;
		}
		assert_true(seen->num < 64);
		buf_init(&xml, f, EVENT_WIRE_MAX);
		err = event_render_xml(&xml, store_dict(f->store), record.data,
				       record.len, NULL);
		assert_int_equal(err, EVERR_OK);
		buf_put_u8(&xml, 0);
		seen->xml[seen->num++] = (char *)xml.data;
	}
	store_snapshot_end(snapshot);
}

/* Run the loop until the channel has so many events. */
static void wait_for(struct fixture *f, uint64_t num, struct seen *seen)
{
	struct store_channel_info info = {};

	for (;;) {
		store_channel_info(channel_of(f), &info);
		if (info.num_records >= num) {
			break;
		}
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	read_all(f, seen);
	assert_int_equal(seen->num, num);
}

static void assert_has(const char *xml, const char *text)
{
	if (strstr(xml, text) == NULL) {
		fail_msg("%s is not in %s", text, xml);
	}
}

static void refuse(struct operational *operational, const char *peer)
{
	const char *const fields[] = {"Peer", peer, "Status", "0xc000006d"};

	operational_report(operational, OPERATIONAL_LOGON_FAILED, peer, fields,
			   2);
}

static void test_report_becomes_an_event_with_its_fields(void **state)
{
	static const char *const fields[] = {"Version", "0.1.0"};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;

	operational_report(operational, OPERATIONAL_STARTED, NULL, fields, 1);
	wait_for(f, 1, &seen);
	assert_has(seen.xml[0], "<Provider Name='Evenlog'");
	assert_has(seen.xml[0], ">1</EventID>");
	assert_has(seen.xml[0], "<Level>4</Level>");
	assert_has(seen.xml[0], "<EventRecordID>1</EventRecordID>");
	assert_has(seen.xml[0], "<Channel>Evenlog/Operational</Channel>");
	assert_has(seen.xml[0], "<Computer>host.example</Computer>");
	assert_has(seen.xml[0], "<Data Name='Version'>0.1.0</Data>");
	assert_null(strstr(seen.xml[0], "Count"));
	TALLOC_FREE(operational);
}

static void test_level_says_how_bad_it_is(void **state)
{
	static const struct {
		enum operational_id id;
		const char *level;
	} levels[] = {
		{OPERATIONAL_STOPPING, "<Level>4</Level>"},
		{OPERATIONAL_CONFIGURATION_REFUSED, "<Level>2</Level>"},
		{OPERATIONAL_READER_GAP, "<Level>3</Level>"},
		{OPERATIONAL_ACCESS_REFUSED, "<Level>3</Level>"},
		{OPERATIONAL_STORE_FULL, "<Level>2</Level>"},
		{OPERATIONAL_STORE_ROOM_AGAIN, "<Level>4</Level>"},
		{OPERATIONAL_RECORD_DAMAGED, "<Level>2</Level>"},
	};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;
	size_t i;

	for (i = 0; i < 7; i++) {
		operational_report(operational, levels[i].id, NULL, NULL, 0);
	}
	wait_for(f, 7, &seen);
	for (i = 0; i < 7; i++) {
		assert_has(seen.xml[i], levels[i].level);
	}
	TALLOC_FREE(operational);
}

/* Without a subject each report counts for itself. */
static void test_without_subject_nothing_is_aggregated(void **state)
{
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		operational_report(operational,
				   OPERATIONAL_CONFIGURATION_RELOADED, NULL,
				   NULL, 0);
	}
	wait_for(f, 5, &seen);
	TALLOC_FREE(operational);
}

static void test_repetitions_are_counted_and_written_once(void **state)
{
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		refuse(operational, "192.0.2.1");
		refuse(operational, "192.0.2.2");
	}
	refuse(operational, "192.0.2.3");
	wait_for(f, 3, &seen);
	assert_has(seen.xml[0], "<Data Name='Peer'>192.0.2.1</Data>");
	assert_has(seen.xml[1], "<Data Name='Peer'>192.0.2.2</Data>");
	assert_has(seen.xml[2], "<Data Name='Peer'>192.0.2.3</Data>");

	/* The minute ends for all: two have something to say. */
	operational_flush(operational);
	wait_for(f, 5, &seen);
	for (i = 3; i < 5; i++) {
		assert_has(seen.xml[i], "<Data Name='Count'>999</Data>");
		assert_has(seen.xml[i],
			   "<Data Name='Status'>0xc000006d</Data>");
	}

	/* After it the next one is a first one again. */
	refuse(operational, "192.0.2.1");
	wait_for(f, 6, &seen);
	assert_null(strstr(seen.xml[5], "Count"));
	TALLOC_FREE(operational);
}

/* The same subject under another id is another matter. */
static void test_ids_are_counted_apart(void **state)
{
	static const char *const fields[] = {"Channel", "Security"};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;

	refuse(operational, "192.0.2.1");
	operational_report(operational, OPERATIONAL_ACCESS_REFUSED, "192.0.2.1",
			   fields, 1);
	wait_for(f, 2, &seen);
	assert_has(seen.xml[0], ">21</EventID>");
	assert_has(seen.xml[1], ">20</EventID>");
	TALLOC_FREE(operational);
}

/* The window is set to almost nothing; its end comes by itself. */
static void test_window_ends_by_itself(void **state)
{
	const struct timeval window = {.tv_usec = 1000};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct seen seen;

	operational_set_window(operational, window);
	refuse(operational, "192.0.2.1");
	refuse(operational, "192.0.2.1");
	refuse(operational, "192.0.2.1");
	wait_for(f, 2, &seen);
	assert_has(seen.xml[1], "<Data Name='Count'>2</Data>");
	TALLOC_FREE(operational);
}

/* However many peers there are: one event each up to the limit, then one. */
static void test_subjects_beyond_the_table_share_one_event(void **state)
{
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct store_channel_info info = {};
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	struct buf xml;
	unsigned int i;

	for (i = 0; i < OPERATIONAL_SUBJECTS_MAX + 500; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "peer %u", i);
		refuse(operational, peer);
		/* A report waits for no one, but the queue has an end. */
		do {
			store_channel_info(channel_of(f), &info);
		} while (info.num_records <= i &&
			 info.num_records < OPERATIONAL_SUBJECTS_MAX &&
			 tevent_loop_once(f->ev) == 0);
	}
	operational_flush(operational);
	do {
		assert_int_equal(tevent_loop_once(f->ev), 0);
		store_channel_info(channel_of(f), &info);
	} while (info.num_records < OPERATIONAL_SUBJECTS_MAX + 1);
	assert_int_equal(info.num_records, OPERATIONAL_SUBJECTS_MAX + 1);

	assert_int_equal(store_snapshot_begin(f->store, &snapshot), EVERR_OK);
	assert_int_equal(
		store_read(snapshot, channel_of(f), UINT64_MAX, true, &record),
		EVERR_OK);
	buf_init(&xml, f, EVENT_WIRE_MAX);
	assert_int_equal(event_render_xml(&xml, store_dict(f->store),
					  record.data, record.len, NULL),
			 EVERR_OK);
	buf_put_u8(&xml, 0);
	store_snapshot_end(snapshot);
	assert_has((char *)xml.data, "<Data Name='Subject'>others</Data>");
	assert_has((char *)xml.data, "<Data Name='Count'>500</Data>");
	TALLOC_FREE(operational);
}

/* What cannot be written is counted, and said by the next that can. */
static void test_what_was_lost_is_said(void **state)
{
	struct store_channel_config config = {.enabled = true};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	struct store_channel *channel = NULL;
	struct seen seen;
	everr_t err;
	unsigned int i;

	config.enabled = false;
	err = store_channel_define(f->store, OPERATIONAL_CHANNEL, &config,
				   &channel);
	assert_int_equal(err, EVERR_OK);
	for (i = 0; i < 3; i++) {
		operational_report(operational, OPERATIONAL_STORE_FAILED, NULL,
				   NULL, 0);
	}
	/* Their answers come with the loop. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	config.enabled = true;
	err = store_channel_define(f->store, OPERATIONAL_CHANNEL, &config,
				   &channel);
	assert_int_equal(err, EVERR_OK);
	operational_report(operational, OPERATIONAL_STORE_ROOM_AGAIN, NULL,
			   NULL, 0);
	wait_for(f, 1, &seen);
	assert_has(seen.xml[0], "<Data Name='LostReports'>3</Data>");

	/* Once is enough. */
	operational_report(operational, OPERATIONAL_STOPPING, NULL, NULL, 0);
	wait_for(f, 2, &seen);
	assert_null(strstr(seen.xml[1], "LostReports"));
	TALLOC_FREE(operational);
}

/* A peer chooses its name: bytes that are no text, and far too many. */
static void test_hostile_values_are_written_all_the_same(void **state)
{
	const char *fields[] = {"User", "bad \xFF\xFEname", "Peer",
				NULL,	"Channel",	    NULL};
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);
	char *name = talloc_zero_size(f, 100001);
	struct seen seen;

	memset(name, 'x', 100000);
	/* The cut falls into a character of two bytes. */
	memcpy(name + 1023, "\xC3\xA4", 2);
	fields[3] = name;
	operational_report(operational, OPERATIONAL_ACCESS_REFUSED, name,
			   fields, 3);
	operational_report(operational, OPERATIONAL_ACCESS_REFUSED, name,
			   fields, 3);
	operational_flush(operational);
	wait_for(f, 2, &seen);
	assert_has(seen.xml[0],
		   "<Data Name='User'>bad \xEF\xBF\xBD\xEF\xBF\xBDname</Data>");
	assert_has(seen.xml[0], "xxxx</Data>");
	assert_true(strlen(seen.xml[0]) < 4096);
	assert_has(seen.xml[1], "<Data Name='Count'>1</Data>");
	TALLOC_FREE(operational);
}

static void test_nobody_to_report_to_is_no_error(void **state)
{
	(void)state;
	operational_report(NULL, OPERATIONAL_STARTED, NULL, NULL, 0);
	operational_flush(NULL);
}

/* What is under way when it goes is finished or forgotten, not followed. */
static void test_it_may_go_with_reports_under_way(void **state)
{
	struct fixture *f = fixture_start(state);
	struct operational *operational = start(f);

	refuse(operational, "192.0.2.1");
	refuse(operational, "192.0.2.1");
	TALLOC_FREE(operational);
	TALLOC_FREE(f->store);
	fixture_verify(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_report_becomes_an_event_with_its_fields),
		leak_test(test_level_says_how_bad_it_is),
		leak_test(test_without_subject_nothing_is_aggregated),
		leak_test(test_repetitions_are_counted_and_written_once),
		leak_test(test_ids_are_counted_apart),
		leak_test(test_window_ends_by_itself),
		leak_test(test_subjects_beyond_the_table_share_one_event),
		leak_test(test_what_was_lost_is_said),
		leak_test(test_hostile_values_are_written_all_the_same),
		leak_test(test_nobody_to_report_to_is_no_error),
		leak_test(test_it_may_go_with_reports_under_way),
	};

	fixture_prepare();
	return cmocka_run_group_tests_name("operational", tests, NULL, NULL);
}
