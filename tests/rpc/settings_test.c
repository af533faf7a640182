/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What channels are set to, on a store of the test's own: whose word counts,
 * what survives, and what happens when calls meet each other.
 */

#include "tests/store/fixture.h"

#include "idl/even6.h"
#include "rpc/settings.h"

static struct rpc_settings *settings_new(struct fixture *f)
{
	struct rpc_settings *settings = NULL;

	assert_int_equal(rpc_settings_create(f, f->store, &settings), EVERR_OK);
	return settings;
}

/* Properties with one number set; more by rpc_properties_set_number(). */
static struct rpc_properties *one(TALLOC_CTX *mem_ctx,
				  enum rpc_property property, uint64_t number)
{
	struct rpc_properties *properties = rpc_properties_create(mem_ctx);

	assert_non_null(properties);
	rpc_properties_set_number(properties, property, number);
	return properties;
}

static void apply(struct rpc_settings *settings,
		  const struct rpc_channel_source *sources, size_t num)
{
	const char *name = NULL;

	assert_int_equal(rpc_settings_apply(settings, sources, num, &name),
			 EVERR_OK);
}

static everr_t change(struct rpc_settings *settings, const char *name,
		      struct rpc_properties *to)
{
	const struct rpc_property_changes changes = {.to = to};
	uint32_t property = 0;

	return rpc_settings_change(settings, name, false, &changes, &property);
}

static void done(struct tevent_req *req)
{
	bool *is_done = tevent_req_callback_data_void(req);

	*is_done = true;
}

static everr_t assert_wait(struct fixture *f, struct tevent_req *req)
{
	bool is_done = false;
	bool created = false;
	char *text = NULL;
	everr_t err;

	assert_non_null(req);
	tevent_req_set_callback(req, done, &is_done);
	fixture_until(f, is_done);
	err = rpc_settings_assert_recv(req, f, &created, &text);
	TALLOC_FREE(text);
	TALLOC_FREE(req);
	return err;
}

static void assert_now(struct fixture *f, struct rpc_settings *settings,
		       const char *name)
{
	assert_int_equal(assert_wait(f, rpc_settings_assert_send(
						f, f->ev, settings, name)),
			 EVERR_OK);
}

static everr_t remove_told(struct fixture *f, struct tevent_req *req,
			   bool *ret_removed)
{
	bool is_done = false;
	everr_t err;

	assert_non_null(req);
	tevent_req_set_callback(req, done, &is_done);
	fixture_until(f, is_done);
	err = rpc_settings_remove_recv(req, ret_removed);
	TALLOC_FREE(req);
	return err;
}

static everr_t remove_wait(struct fixture *f, struct tevent_req *req)
{
	bool removed = false;

	return remove_told(f, req, &removed);
}

static struct store_channel *find(struct fixture *f, const char *name)
{
	struct store_channel *channel = NULL;

	assert_int_equal(store_channel_find(f->store, name, &channel),
			 EVERR_OK);
	return channel;
}

static uint64_t number(struct fixture *f, struct rpc_settings *settings,
		       const char *name, enum rpc_property property)
{
	struct rpc_properties *properties = NULL;
	uint64_t value;

	assert_int_equal(
		rpc_settings_get(f, settings, find(f, name), &properties),
		EVERR_OK);
	value = properties->values[property].number;
	TALLOC_FREE(properties);
	return value;
}

static uint64_t stored_size(struct fixture *f, const char *name)
{
	return fixture_info(find(f, name)).config.max_bytes;
}

/* ---------------------------------------------------------------- tests */

/* settings.h, from bottom to top and down again. */
static void test_whose_word_counts(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct rpc_channel_source source = {
		.name = "A",
		.origin = RPC_CHANNEL_OF_MANIFEST,
	};

	apply(settings, &source, 1);
	assert_int_equal(stored_size(f, "A"), 20 << 20);
	source.given = one(f, RPC_PROPERTY_MAX_SIZE, 2 << 20);
	apply(settings, &source, 1);
	assert_int_equal(stored_size(f, "A"), 2 << 20);
	assert_int_equal(
		change(settings, "a", one(f, RPC_PROPERTY_MAX_SIZE, 3 << 20)),
		EVERR_OK);
	assert_int_equal(stored_size(f, "A"), 2 << 20);
	assert_now(f, settings, "A");
	assert_int_equal(stored_size(f, "A"), 3 << 20);
	source.fixed = one(f, RPC_PROPERTY_MAX_SIZE, 4 << 20);
	apply(settings, &source, 1);
	assert_int_equal(stored_size(f, "A"), 4 << 20);
	assert_int_equal(
		change(settings, "A", one(f, RPC_PROPERTY_MAX_SIZE, 3 << 20)),
		EVERR_NOT_CHANGEABLE);
	assert_int_equal(
		change(settings, "A", one(f, RPC_PROPERTY_MAX_SIZE, 4 << 20)),
		EVERR_OK);
	source.fixed = NULL;
	apply(settings, &source, 1);
	assert_int_equal(stored_size(f, "A"), 3 << 20);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_MAX_SIZE),
			 3 << 20);
}

/* A channel of a section that was taken out stays as it is. */
static void test_a_channel_that_loses_its_source(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct rpc_channel_source source = {
		.name = "A",
		.origin = RPC_CHANNEL_OF_CONFIG,
		.max_age = 99,
		.fixed = one(f, RPC_PROPERTY_MAX_SIZE, 4 << 20),
		.given = one(f, RPC_PROPERTY_TYPE, RPC_CHANNEL_DEBUG),
	};

	apply(settings, &source, 1);
	assert_int_equal(rpc_settings_origin(settings, find(f, "A")),
			 RPC_CHANNEL_OF_CONFIG);
	assert_true(rpc_settings_direct(settings, find(f, "A")));
	apply(settings, NULL, 0);
	assert_int_equal(rpc_settings_origin(settings, find(f, "A")),
			 RPC_CHANNEL_OF_CLIENT);
	assert_int_equal(stored_size(f, "A"), 4 << 20);
	assert_int_equal(fixture_info(find(f, "A")).config.max_age, 99);
	assert_false(rpc_settings_direct(settings, find(f, "A")));
	/* A change of one property moves no other. */
	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 1)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	assert_int_equal(stored_size(f, "A"), 4 << 20);
	assert_int_equal(fixture_info(find(f, "A")).config.max_age, 99);
}

static void test_settings_survive_and_pending_ones_do_not(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct rpc_properties *to = one(f, RPC_PROPERTY_MAX_SIZE, 3 << 20);

	rpc_properties_set_number(to, RPC_PROPERTY_TYPE, RPC_CHANNEL_ANALYTIC);
	assert_int_equal(change(settings, "Made", to), EVERR_OK);
	assert_now(f, settings, "Made");
	assert_int_equal(
		change(settings, "Made", one(f, RPC_PROPERTY_LEVEL, 1)),
		EVERR_OK);
	assert_true(rpc_settings_pending(settings, "mADE"));
	TALLOC_FREE(settings);

	fixture_reopen(f);
	settings = settings_new(f);
	apply(settings, NULL, 0);
	assert_false(rpc_settings_pending(settings, "Made"));
	assert_true(rpc_settings_direct(settings, find(f, "Made")));
	assert_int_equal(stored_size(f, "Made"), 3 << 20);
	assert_int_equal(number(f, settings, "Made", RPC_PROPERTY_LEVEL), 0);
}

/* The state is on disk, and the crash came before the store obeyed. */
static void test_a_start_completes_what_a_crash_has_cut_off(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	const struct store_channel_config before = {
		.enabled = true,
		.max_bytes = 1 << 20,
	};
	struct store_channel *channel = NULL;

	assert_int_equal(
		change(settings, "Made", one(f, RPC_PROPERTY_ENABLED, 0)),
		EVERR_OK);
	assert_now(f, settings, "Made");
	assert_int_equal(
		store_channel_define(f->store, "Made", &before, &channel),
		EVERR_OK);
	TALLOC_FREE(settings);
	settings = settings_new(f);
	apply(settings, NULL, 0);
	assert_false(fixture_info(channel).config.enabled);
	assert_int_equal(stored_size(f, "Made"), 20 << 20);
}

static void put_state(struct fixture *f, struct store_channel *channel,
		      const void *data, size_t len)
{
	struct store_state state = {.data = data, .len = len};
	struct tevent_req *req = NULL;
	bool is_done = false;

	state.name = talloc_asprintf(f, "rpc/channel/%u",
				     (unsigned int)fixture_info(channel).id);
	req = store_append_send(f, f->ev, channel, NULL, 0, &state, 1);
	tevent_req_set_callback(req, done, &is_done);
	fixture_until(f, is_done);
	assert_int_equal(store_append_recv(req, NULL, NULL), EVERR_OK);
	TALLOC_FREE(req);
}

static void test_damaged_settings_cost_no_more_than_themselves(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	const struct rpc_channel_source sources[] = {
		{.name = "A", .origin = RPC_CHANNEL_OF_CONFIG},
		{.name = "B", .origin = RPC_CHANNEL_OF_CONFIG},
	};
	struct operational *operational = NULL;
	struct store_channel *own = NULL;

	assert_int_equal(
		operational_create(f, f->ev, f->store, "host", &operational),
		EVERR_OK);
	own = find(f, OPERATIONAL_CHANNEL);
	apply(settings, sources, 2);
	assert_int_equal(change(settings, "B", one(f, RPC_PROPERTY_LEVEL, 7)),
			 EVERR_OK);
	assert_now(f, settings, "B");
	put_state(f, find(f, "A"), "\1\2\3", 3);
	TALLOC_FREE(settings);

	settings = settings_new(f);
	apply(settings, sources, 2);
	rpc_settings_report(settings, operational);
	rpc_settings_report(settings, operational);
	fixture_until(f, fixture_info(own).num_records == 1);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 0);
	assert_int_equal(number(f, settings, "B", RPC_PROPERTY_LEVEL), 7);

	/* The next change mends it. */
	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 5)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	TALLOC_FREE(settings);
	settings = settings_new(f);
	apply(settings, sources, 2);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 5);
	rpc_settings_report(settings, operational);
	operational_flush(operational);
	assert_int_equal(fixture_info(own).num_records, 1);
	TALLOC_FREE(operational);
}

/* Least of all may damage open a channel to those it was closed to. */
static void test_damage_leaves_in_force_what_the_store_obeys(void **state)
{
	static const char closed[] = "O:BAG:SYD:(A;;0x7;;;BA)";
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct rpc_channel_source source = {
		.name = "A",
		.origin = RPC_CHANNEL_OF_MANIFEST,
		.given = one(f, RPC_PROPERTY_MAX_SIZE, 2 << 20),
	};
	struct rpc_properties *to = one(f, RPC_PROPERTY_MAX_SIZE, 3 << 20);
	struct store_channel *channel = NULL;

	apply(settings, &source, 1);
	channel = find(f, "A");
	assert_int_equal(
		rpc_properties_set_text(to, RPC_PROPERTY_ACCESS, closed),
		EVERR_OK);
	assert_int_equal(change(settings, "A", to), EVERR_OK);
	assert_now(f, settings, "A");
	put_state(f, channel, "\1\2\3", 3);
	TALLOC_FREE(settings);

	settings = settings_new(f);
	apply(settings, &source, 1);
	assert_string_equal(fixture_info(channel).config.sddl, closed);
	assert_int_equal(stored_size(f, "A"), 3 << 20);
	/* Also when something else is set anew. */
	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 5)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	assert_string_equal(fixture_info(channel).config.sddl, closed);
}

/* Its number may be another channel's, whose settings must not suffer. */
static void test_nothing_is_known_of_a_removed_channel(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct rpc_channel_source source = {
		.name = "A",
		.origin = RPC_CHANNEL_OF_MANIFEST,
		.fixed = one(f, RPC_PROPERTY_MAX_SIZE, 4 << 20),
	};
	struct rpc_properties *properties = NULL;
	struct store_channel *old = NULL;

	apply(settings, &source, 1);
	old = find(f, "A");
	assert_int_equal(remove_wait(f, rpc_settings_remove_send(
						f, f->ev, settings, "A")),
			 EVERR_OK);
	apply(settings, &source, 1);
	assert_int_equal(rpc_settings_get(f, settings, old, &properties),
			 EVERR_CHANNEL_NOT_FOUND);
	assert_false(rpc_settings_direct(settings, old));
	assert_int_equal(rpc_settings_origin(settings, find(f, "A")),
			 RPC_CHANNEL_OF_MANIFEST);
	assert_int_equal(
		change(settings, "A", one(f, RPC_PROPERTY_MAX_SIZE, 3 << 20)),
		EVERR_NOT_CHANGEABLE);
}

static void test_settings_of_a_channel_that_is_gone_mean_nothing(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	uint8_t *data = NULL;
	size_t len = 0;

	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 7)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	assert_int_equal(
		store_state_get(f, f->store, "rpc/channel/1", &data, &len),
		EVERR_OK);
	/* Of another creation time: its number was somebody else's. */
	data[0] ^= 1;
	put_state(f, find(f, "A"), data, len);
	TALLOC_FREE(settings);
	settings = settings_new(f);
	apply(settings, NULL, 0);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 0);
}

static void test_changes_that_come_while_others_are_written(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct tevent_req *req = NULL;

	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 1)),
			 EVERR_OK);
	req = rpc_settings_assert_send(f, f->ev, settings, "A");
	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 2)),
			 EVERR_OK);
	assert_int_equal(assert_wait(f, req), EVERR_OK);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 1);
	assert_true(rpc_settings_pending(settings, "A"));
	assert_now(f, settings, "A");
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 2);
	assert_false(rpc_settings_pending(settings, "A"));
}

static void test_a_channel_that_is_removed_while_it_is_changed(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct store_channel *channel = NULL;
	struct tevent_req *changing = NULL;
	everr_t err;

	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 1)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 2)),
			 EVERR_OK);
	changing = rpc_settings_assert_send(f, f->ev, settings, "A");
	assert_int_equal(store_channel_remove(find(f, "A")), EVERR_OK);
	err = assert_wait(f, changing);
	assert_int_equal(err, EVERR_CHANNEL_NOT_FOUND);
	/* It has not come back. */
	assert_int_equal(store_channel_find(f->store, "A", &channel),
			 EVERR_CHANNEL_NOT_FOUND);
}

static void test_removing(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	const struct rpc_channel_source sources[] = {
		{.name = "Config", .origin = RPC_CHANNEL_OF_CONFIG},
		{.name = "Own", .origin = RPC_CHANNEL_BUILT_IN},
		{.name = "Manifest", .origin = RPC_CHANNEL_OF_MANIFEST},
	};
	static const struct {
		const char *name;
		everr_t err;
	} cases[] = {
		{"Config", EVERR_NOT_CHANGEABLE},
		{"Own", EVERR_NOT_CHANGEABLE},
		{"Manifest", EVERR_OK},
		{"Made", EVERR_OK},
		{"Made", EVERR_CHANNEL_NOT_FOUND},
		{"Waiting", EVERR_OK},
		{"None", EVERR_CHANNEL_NOT_FOUND},
	};
	size_t i;

	apply(settings, sources, 3);
	assert_int_equal(
		change(settings, "Made", one(f, RPC_PROPERTY_LEVEL, 1)),
		EVERR_OK);
	assert_now(f, settings, "Made");
	assert_int_equal(
		change(settings, "Waiting", one(f, RPC_PROPERTY_LEVEL, 1)),
		EVERR_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(remove_wait(f, rpc_settings_remove_send(
							f, f->ev, settings,
							cases[i].name)),
				 cases[i].err);
	}
	assert_false(rpc_settings_pending(settings, "Waiting"));
	/* One of a manifest comes back with it. */
	apply(settings, sources, 3);
	assert_false(store_channel_removed(find(f, "Manifest")));
	assert_int_equal(change(settings, "Made", one(f, RPC_PROPERTY_TYPE, 1)),
			 EVERR_OK);
	assert_now(f, settings, "Made");
	assert_int_equal(number(f, settings, "Made", RPC_PROPERTY_LEVEL), 0);
}

/* A channel that could not be removed has lost nothing. */
static void test_a_removal_that_fails_changes_nothing(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);

	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 7)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	f->store->max_removals = 0;
	assert_int_equal(remove_wait(f, rpc_settings_remove_send(
						f, f->ev, settings, "A")),
			 EVERR_LIMIT);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 7);
	fixture_append_ok(f, find(f, "A"), 1, 1);
	TALLOC_FREE(settings);
	settings = settings_new(f);
	apply(settings, NULL, 0);
	assert_int_equal(number(f, settings, "A", RPC_PROPERTY_LEVEL), 7);
}

static void test_two_removals_at_once(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	struct tevent_req *reqs[2];
	bool removed[2] = {};

	assert_int_equal(change(settings, "A", one(f, RPC_PROPERTY_LEVEL, 1)),
			 EVERR_OK);
	assert_now(f, settings, "A");
	reqs[0] = rpc_settings_remove_send(f, f->ev, settings, "A");
	reqs[1] = rpc_settings_remove_send(f, f->ev, settings, "A");
	assert_int_equal(remove_told(f, reqs[0], &removed[0]), EVERR_OK);
	assert_int_equal(remove_told(f, reqs[1], &removed[1]), EVERR_OK);
	/* It is told once that the channel is gone. */
	assert_true(removed[0] != removed[1]);
}

/* The service's own channels are of the kind that they are. */
static void test_what_a_built_in_channel_is(void **state)
{
	struct fixture *f = fixture_start(state);
	struct rpc_settings *settings = settings_new(f);
	const struct rpc_channel_source source = {
		.name = "Own",
		.origin = RPC_CHANNEL_BUILT_IN,
		.given = one(f, RPC_PROPERTY_TYPE, RPC_CHANNEL_OPERATIONAL),
	};

	apply(settings, &source, 1);
	assert_int_equal(change(settings, "Own",
				one(f, RPC_PROPERTY_TYPE, RPC_CHANNEL_DEBUG)),
			 EVERR_NOT_CHANGEABLE);
	assert_int_equal(
		change(settings, "Own",
		       one(f, RPC_PROPERTY_TYPE, RPC_CHANNEL_OPERATIONAL)),
		EVERR_OK);
	assert_int_equal(change(settings, "Own", one(f, RPC_PROPERTY_LEVEL, 2)),
			 EVERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_whose_word_counts),
		leak_test(test_a_channel_that_loses_its_source),
		leak_test(test_settings_survive_and_pending_ones_do_not),
		leak_test(test_a_start_completes_what_a_crash_has_cut_off),
		leak_test(test_damaged_settings_cost_no_more_than_themselves),
		leak_test(test_damage_leaves_in_force_what_the_store_obeys),
		leak_test(test_nothing_is_known_of_a_removed_channel),
		leak_test(test_settings_of_a_channel_that_is_gone_mean_nothing),
		leak_test(test_changes_that_come_while_others_are_written),
		leak_test(test_a_channel_that_is_removed_while_it_is_changed),
		leak_test(test_removing),
		leak_test(test_a_removal_that_fails_changes_nothing),
		leak_test(test_two_removals_at_once),
		leak_test(test_what_a_built_in_channel_is),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
