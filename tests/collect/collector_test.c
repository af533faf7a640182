/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"

#include "collect/collector.h"
#include "collect/failure.h"
#include "collect/forget.h"

/*
 * A real store; links, feeds and reports are of this file, and note what is
 * done to them.
 */

#define LINKS_MAX 64
#define FEEDS_MAX 64
#define REPORTS_MAX 400

struct collect_links {
	uint32_t connects;
};

struct collect_link {
	const struct collect_config *config;
	const struct collect_link_hooks *hooks;
	void *private_data;
	unsigned int number; /* in the order of creation */
	unsigned int broken;
	unsigned int alive;
};

struct collect_feed {
	const struct collect_channel_config *channel;
	const struct collect_feed_hooks *hooks;
	void *private_data;
	const struct collect_config *config;
	struct collect_connection *connection;
	bool kerberos;
	bool stuck;
	unsigned int again;
	bool found_state; /* "collect/test" of the store when it was created */
};

struct noted {
	enum operational_id id;
	char host[64];
	char last[128]; /* value of the last field */
};

static struct collect_link *links[LINKS_MAX];
static unsigned int num_created;
static struct collect_feed *feeds[FEEDS_MAX];
static struct noted reports[REPORTS_MAX];
static size_t num_reports;
static everr_t feed_error;

/* -------------------------------------------------------------- the links */

everr_t collect_links_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			     const struct collector_config *config,
			     struct collect_links **ret_links)
{
	struct collect_links *made = talloc_zero(mem_ctx, struct collect_links);

	assert_non_null(made);
	assert_string_equal(config->ticket_helper, "/helper");
	assert_string_equal(config->ticket_directory, "/tickets");
	made->connects = config->connects;
	*ret_links = made;
	return EVERR_OK;
}

static int link_destructor(struct collect_link *link)
{
	size_t i;

	links[link->number] = NULL;
	/* Its users have let go of it. */
	for (i = 0; i < FEEDS_MAX; i++) {
		assert_true(feeds[i] == NULL ||
			    feeds[i]->config != link->config);
	}
	return 0;
}

struct collect_link *collect_link_create(TALLOC_CTX *mem_ctx,
					 struct collect_links *shared,
					 const struct collect_config *config,
					 const struct collect_link_hooks *hooks,
					 void *private_data)
{
	struct collect_link *link = talloc_zero(mem_ctx, struct collect_link);
	size_t i;

	assert_non_null(link);
	assert_int_equal(shared->connects, 5);
	/* The one it takes the place of has gone. */
	for (i = 0; i < LINKS_MAX; i++) {
		assert_true(links[i] == NULL ||
			    strcasecmp(links[i]->config->host, config->host));
	}
	assert_true(num_created < LINKS_MAX);
	link->config = config;
	link->hooks = hooks;
	link->private_data = private_data;
	link->number = num_created;
	links[num_created++] = link;
	talloc_set_destructor(link, link_destructor);
	return link;
}

void collect_link_broken(struct collect_link *link,
			 const struct collect_failure *why)
{
	link->broken += why->err == EVERR_CONNECT ? 1 : 0;
}

void collect_link_alive(struct collect_link *link)
{
	link->alive++;
}

void collect_link_info(const struct collect_link *link,
		       struct collect_link_info *ret_info)
{
	*ret_info = (struct collect_link_info){
		.state = COLLECT_LINK_UP,
		.connects = link->number + 1,
	};
}

/* -------------------------------------------------------------- the feeds */

static int feed_destructor(struct collect_feed *feed)
{
	size_t i;

	for (i = 0; i < FEEDS_MAX; i++) {
		if (feeds[i] == feed) {
			feeds[i] = NULL;
		}
	}
	return 0;
}

everr_t collect_feed_create(TALLOC_CTX *mem_ctx,
			    const struct collect_feed_env *env,
			    const struct collect_config *config,
			    const struct collect_channel_config *channel,
			    const struct collect_feed_hooks *hooks,
			    void *private_data, struct collect_feed **ret_feed)
{
	struct collect_feed *feed = NULL;
	uint8_t *data = NULL;
	size_t len = 0;
	size_t i;

	if (feed_error != EVERR_OK) {
		return feed_error;
	}
	feed = talloc_zero(mem_ctx, struct collect_feed);
	assert_non_null(feed);
	feed->config = config;
	feed->channel = channel;
	feed->hooks = hooks;
	feed->private_data = private_data;
	feed->found_state = store_state_get(feed, env->store, "collect/test",
					    &data, &len) == EVERR_OK;
	for (i = 0; feeds[i] != NULL; i++) {
		assert_true(i + 1 < FEEDS_MAX);
	}
	feeds[i] = feed;
	talloc_set_destructor(feed, feed_destructor);
	*ret_feed = feed;
	return EVERR_OK;
}

void collect_feed_up(struct collect_feed *feed,
		     struct collect_connection *connection, bool kerberos)
{
	assert_null(feed->connection);
	feed->connection = connection;
	feed->kerberos = kerberos;
}

void collect_feed_down(struct collect_feed *feed)
{
	assert_non_null(feed->connection);
	feed->connection = NULL;
}

void collect_feed_again(struct collect_feed *feed)
{
	feed->again++;
	feed->stuck = false;
}

void collect_feed_info(const struct collect_feed *feed,
		       struct collect_feed_info *ret_info)
{
	*ret_info = (struct collect_feed_info){
		.channel = feed->channel->name,
		.target = feed->config->target,
		.stuck = feed->stuck,
	};
}

static struct collect_feed *find_feed(const char *host, const char *channel)
{
	size_t i;

	for (i = 0; i < FEEDS_MAX; i++) {
		if (feeds[i] != NULL &&
		    strcmp(feeds[i]->config->host, host) == 0 &&
		    strcmp(feeds[i]->channel->name, channel) == 0) {
			return feeds[i];
		}
	}
	return NULL;
}

static struct collect_link *find_link(const char *host)
{
	size_t i;

	for (i = 0; i < LINKS_MAX; i++) {
		if (links[i] != NULL &&
		    strcmp(links[i]->config->host, host) == 0) {
			return links[i];
		}
	}
	return NULL;
}

/* ------------------------------------------------------------- the reports */

void operational_report(struct operational *operational, enum operational_id id,
			const char *subject, const char *const *fields,
			size_t num_fields)
{
	struct noted *noted = &reports[num_reports];

	assert_true(num_reports < REPORTS_MAX);
	assert_string_equal(fields[0], "Host");
	if (id == OPERATIONAL_POSITION_FORGOTTEN) {
		/* Each of them, however many there are. */
		assert_null(subject);
		assert_string_equal(fields[2], "Channel");
		assert_string_equal(fields[4], "RecordId");
	} else {
		assert_string_equal(fields[1], subject);
		assert_string_equal(fields[2], "Section");
	}
	noted->id = id;
	snprintf(noted->host, sizeof(noted->host), "%s", fields[1]);
	snprintf(noted->last, sizeof(noted->last), "%s",
		 fields[2 * num_fields - 1]);
	num_reports++;
}

static unsigned int count_reports(enum operational_id id, const char *host)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < num_reports; i++) {
		count += reports[i].id == id &&
					 strcmp(reports[i].host, host) == 0
				 ? 1
				 : 0;
	}
	return count;
}

/* -------------------------------------------------------------- the fixture */

static struct collector *collector;
static const struct collect_channel_config channels[] = {
	{.name = "Security"},
	{.name = "System", .query = "*[System]"},
};

static struct collect_config host_config(const char *host)
{
	return (struct collect_config){
		.section = "s",
		.host = host,
		.auth = COLLECT_AUTH_NTLM,
		.user = "u",
		.password_file = "/p",
		.channels = channels,
		.num_channels = 2,
		.target = "ForwardedEvents",
	};
}

static struct collector_config whole(const struct collect_config *hosts,
				     size_t num_hosts)
{
	return (struct collector_config){
		.hosts = hosts,
		.num_hosts = num_hosts,
		.ticket_helper = "/helper",
		.ticket_directory = "/tickets",
		.connects = 5,
	};
}

static void wait_links(struct fixture *f, unsigned int created)
{
	while (num_created < created) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
}

static struct fixture *start(void **state, const struct collect_config *hosts,
			     size_t num_hosts)
{
	struct collector_config config = whole(hosts, num_hosts);
	struct fixture *f = fixture_start(state);
	char *message = NULL;

	num_created = 0;
	num_reports = 0;
	feed_error = EVERR_OK;
	fixture_channel(f, "ForwardedEvents");
	assert_int_equal(collector_start(f, f->ev, &config, f->store, NULL,
					 &collector, &message),
			 EVERR_OK);
	return f;
}

/* Freed before the store, as the service does. */
static void stop(void)
{
	size_t i;

	TALLOC_FREE(collector);
	for (i = 0; i < FEEDS_MAX; i++) {
		assert_null(feeds[i]);
	}
	for (i = 0; i < LINKS_MAX; i++) {
		assert_null(links[i]);
	}
}

static void reload_ok(const struct collect_config *hosts, size_t num_hosts)
{
	struct collector_config config = whole(hosts, num_hosts);
	char *message = NULL;

	assert_int_equal(
		collector_reload(collector, &config, collector, &message),
		EVERR_OK);
}

/* --------------------------------------------------------------- the tests */

static void test_each_host_gets_a_link_and_a_feed_for_each_channel(void **state)
{
	const struct collect_config hosts[] = {host_config("dc2"),
					       host_config("dc1")};
	struct collect_host_info host = {};
	struct collect_feed_info feed = {};
	struct fixture *f = start(state, hosts, 2);

	/* Not out of the call that starts it. */
	assert_int_equal(num_created, 0);
	assert_int_equal(collector_count(collector), 2);
	collector_host(collector, 0, &host);
	assert_string_equal(host.config->host, "dc2");
	assert_int_equal(host.link.state, COLLECT_LINK_WAITING);
	assert_int_equal(host.num_feeds, 0);

	wait_links(f, 2);
	collector_host(collector, 1, &host);
	assert_string_equal(host.config->host, "dc1");
	assert_int_equal(host.link.state, COLLECT_LINK_UP);
	assert_int_equal(host.num_feeds, 2);
	collector_feed(collector, 1, 1, &feed);
	assert_string_equal(feed.channel, "System");
	assert_string_equal(find_feed("dc1", "System")->channel->query,
			    "*[System]");
	assert_int_equal(count_reports(OPERATIONAL_HOST_STARTED, "dc1"), 1);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STARTED, "dc2"), 1);
	stop();
}

static size_t commits(struct fixture *f)
{
	MDB_envinfo info = {};

	assert_int_equal(mdb_env_info(f->store->writer->env->mdb, &info), 0);
	return info.me_last_txnid;
}

/* The feeds of this file ask for no number: they would find it. */
static void test_the_names_of_new_hosts_share_a_commit(void **state)
{
	struct collect_config hosts[20];
	struct fixture *f = start(state, NULL, 0);
	uint16_t number = 0;
	size_t before = commits(f);
	size_t i;

	for (i = 0; i < 20; i++) {
		hosts[i] = host_config(talloc_asprintf(f, "dc%zu", i));
	}
	reload_ok(hosts, 20);
	wait_links(f, 20);
	for (i = 0; i < 20; i++) {
		assert_int_equal(
			store_origin_number(f->store, hosts[i].host, &number),
			EVERR_OK);
		assert_int_equal(number, i + 1);
	}
	/* The writer has commits of its own, the more the longer it takes. */
	assert_in_range(commits(f), before + 1, before + 15);
	stop();
}

static void test_feeds_follow_the_link_and_changes_are_told_once(void **state)
{
	struct collect_config config = host_config("dc1");
	struct collect_failure why = {.err = EVERR_CONNECT, .text = "refused"};
	struct collect_connection *connection = (void *)&config;
	struct collect_link *link = NULL;
	struct fixture *f = NULL;

	config.auth = COLLECT_AUTH_KERBEROS;
	f = start(state, &config, 1);
	wait_links(f, 1);
	link = find_link("dc1");

	/* It never came up: told, but not for each attempt. */
	link->hooks->down(&why, link->private_data);
	link->hooks->down(&why, link->private_data);
	assert_int_equal(count_reports(OPERATIONAL_HOST_LOST, "dc1"), 1);
	why.err = EVERR_AUTH;
	link->hooks->down(&why, link->private_data);
	assert_int_equal(count_reports(OPERATIONAL_HOST_LOST, "dc1"), 2);

	link->hooks->up(connection, link->private_data);
	assert_ptr_equal(find_feed("dc1", "Security")->connection, connection);
	assert_ptr_equal(find_feed("dc1", "System")->connection, connection);
	assert_true(find_feed("dc1", "System")->kerberos);
	assert_int_equal(count_reports(OPERATIONAL_HOST_CONNECTED, "dc1"), 1);
	assert_string_equal(reports[num_reports - 1].last, "Kerberos");

	/* The same reason as before it came up is news again. */
	snprintf(why.text, sizeof(why.text), "reset by peer");
	link->hooks->down(&why, link->private_data);
	assert_null(find_feed("dc1", "System")->connection);
	assert_int_equal(count_reports(OPERATIONAL_HOST_LOST, "dc1"), 3);
	assert_string_equal(reports[num_reports - 1].last, "reset by peer");
	stop();
}

static void test_what_feeds_find_reaches_their_link(void **state)
{
	const struct collect_config hosts[] = {host_config("dc1"),
					       host_config("dc2")};
	const struct collect_failure why = {.err = EVERR_CONNECT};
	struct fixture *f = start(state, hosts, 2);
	struct collect_feed *feed = NULL;

	wait_links(f, 2);
	feed = find_feed("dc2", "Security");
	feed->hooks->broken(&why, feed->private_data);
	feed->hooks->alive(feed->private_data);
	assert_int_equal(find_link("dc2")->broken, 1);
	assert_int_equal(find_link("dc2")->alive, 1);
	assert_int_equal(find_link("dc1")->broken, 0);
	stop();
}

static void test_a_reload_leaves_alone_what_has_not_changed(void **state)
{
	struct collect_config hosts[] = {host_config("dc1"), host_config("dc2"),
					 host_config("dc3")};
	struct collect_config after[] = {host_config("dc4"), host_config("dc3"),
					 host_config("DC1")};
	struct fixture *f = start(state, hosts, 3);
	struct collect_host_info info = {};
	struct collect_link *dc3 = NULL;
	unsigned int i;

	wait_links(f, 3);
	dc3 = find_link("dc3");
	for (i = 0; i < 3; i++) {
		reload_ok(hosts, 3);
	}
	assert_int_equal(num_created, 3);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc3"), 0);

	/* dc2 goes, dc4 comes, and dc1 is written otherwise. */
	reload_ok(after, 3);
	assert_non_null(find_link("dc2"));
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc2"), 0);
	wait_links(f, 5);
	assert_null(find_link("dc2"));
	assert_null(find_feed("dc2", "System"));
	assert_null(find_link("dc1"));
	assert_ptr_equal(find_link("dc3"), dc3);
	assert_non_null(find_link("dc4"));
	assert_non_null(find_link("DC1"));
	collector_host(collector, 1, &info);
	assert_string_equal(info.config->host, "dc3");
	assert_int_equal(info.link.connects, 3);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc2"), 1);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc3"), 0);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STARTED, "dc4"), 1);

	reload_ok(NULL, 0);
	assert_int_equal(collector_count(collector), 0);
	stop();
}

/* What the old feed has left in the queue is the new one's position. */
static void find_old_position(void **state, uint64_t queue_bytes)
{
	struct collect_config config = host_config("dc1");
	const struct store_state position = {
		.name = "collect/test", .data = "x", .len = 1};
	struct fixture *f = start(state, &config, 1);
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;

	wait_links(f, 1);
	assert_false(find_feed("dc1", "System")->found_state);
	assert_int_equal(
		store_channel_find(f->store, "ForwardedEvents", &channel),
		EVERR_OK);
	f->store->options.limits.queue_bytes = queue_bytes;
	req = store_append_send(f, f->ev, channel, NULL, 0, &position, 1);
	assert_non_null(req);
	config.batch = 7;
	reload_ok(&config, 1);
	wait_links(f, 2);
	assert_true(find_feed("dc1", "System")->found_state);
	assert_int_equal(find_feed("dc1", "System")->config->batch, 7);
	talloc_free(req);
	stop();
}

static void test_a_changed_host_finds_the_position_of_the_old_one(void **state)
{
	find_old_position(state, UINT64_C(1) << 20);
}

static void test_a_full_queue_keeps_no_old_position_from_being_found(
	void **state)
{
	find_old_position(state, 1);
}

/* What the first one has begun to stop, the second one knows of. */
static void test_a_reload_after_a_reload(void **state)
{
	struct collect_config hosts[] = {host_config("dc1"), host_config("dc2"),
					 host_config("dc3")};
	struct fixture *f = start(state, hosts, 3);

	wait_links(f, 3);
	reload_ok(NULL, 0);
	hosts[1].batch = 9;
	reload_ok(hosts, 2);
	hosts[1].batch = 10;
	reload_ok(hosts, 2);
	wait_links(f, 5);
	assert_int_equal(find_feed("dc2", "System")->config->batch, 10);
	assert_non_null(find_link("dc1"));
	assert_null(find_link("dc3"));
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc3"), 1);
	/* One that had not even begun goes without a word. */
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc2"), 1);
	assert_int_equal(count_reports(OPERATIONAL_HOST_STARTED, "dc2"), 2);

	/* Those that are about to stop are freed with the collector. */
	reload_ok(NULL, 0);
	stop();
}

static void test_a_reload_is_all_or_nothing(void **state)
{
	struct collect_config hosts[] = {host_config("dc1"),
					 host_config("dc2")};
	struct collector_config config = whole(hosts, 2);
	struct fixture *f = start(state, hosts, 1);
	char *message = NULL;

	wait_links(f, 1);
	hosts[0].batch = 9;
	hosts[1].target = "Nowhere";
	assert_int_equal(
		collector_reload(collector, &config, collector, &message),
		EVERR_CHANNEL_NOT_FOUND);
	assert_non_null(strstr(message, "[collect s]: there is no channel "
					"Nowhere"));
	assert_int_equal(collector_count(collector), 1);
	assert_non_null(find_link("dc1"));
	assert_int_equal(count_reports(OPERATIONAL_HOST_STOPPED, "dc1"), 0);
	stop();
}

static void test_a_host_that_cannot_begin_says_why(void **state)
{
	struct collect_config config = host_config("dc1");
	struct fixture *f = start(state, &config, 1);
	struct collect_host_info info = {};

	feed_error = EVERR_STORE_CORRUPT;
	while (num_reports < 2) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	assert_int_equal(num_created, 0);
	assert_int_equal(reports[1].id, OPERATIONAL_HOST_LOST);
	collector_host(collector, 0, &info);
	assert_int_equal(info.link.state, COLLECT_LINK_WAITING);
	assert_int_equal(info.link.failure.err, EVERR_STORE_CORRUPT);
	assert_true(info.link.failure_time > 0);
	assert_int_equal(info.num_feeds, 0);
	stop();
}

/* --------------------------------------------------------------- forget */

static void put_position(struct fixture *f, const char *host,
			 const char *channel, uint64_t record_id)
{
	const struct collect_position position = {.record_id = record_id};
	uint8_t bytes[COLLECT_POSITION_MAX];
	struct store_state change = {.data = bytes};
	char *name = collect_position_name(f, host, channel);
	struct store_channel *target = NULL;
	struct tevent_req *req = NULL;
	uint64_t first = 0;
	size_t bad = 0;

	change.name = name;
	change.len = collect_position_encode(&position, bytes);
	/* 0: a damaged one. */
	change.len -= record_id == 0 ? 1 : 0;
	assert_int_equal(
		store_channel_find(f->store, "ForwardedEvents", &target),
		EVERR_OK);
	req = store_append_send(f, f->ev, target, NULL, 0, &change, 1);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_append_recv(req, &first, &bad), EVERR_OK);
	talloc_free(req);
	talloc_free(name);
}

static bool has_position(struct fixture *f, const char *host,
			 const char *channel)
{
	char *name = collect_position_name(f, host, channel);
	uint8_t *data = NULL;
	size_t len = 0;
	everr_t err = store_state_get(f, f->store, name, &data, &len);

	talloc_free(data);
	talloc_free(name);
	return err == EVERR_OK;
}

/* What is said has want in it. */
static void forget(struct fixture *f, const char *host, const char *channel,
		   everr_t err, const char *want)
{
	struct tevent_req *req =
		collect_forget_send(f, f->ev, collector, host, channel);
	char *message = NULL;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(collect_forget_recv(req, f, &message), err);
	talloc_free(req);
	if (want == NULL) {
		assert_null(message);
	} else {
		assert_non_null(message);
		assert_non_null(strstr(message, want));
	}
	talloc_free(message);
}

static void test_positions_of_a_host_that_is_gone_are_forgotten(void **state)
{
	struct fixture *f = start(state, NULL, 0);

	put_position(f, "dc1", "Security", 4711);
	put_position(f, "dc1", "System", 0);
	put_position(f, "dc1", "Application", 5);
	put_position(f, "dc10", "Security", 6);
	forget(f, "DC1", "security", EVERR_OK,
	       "security: forgotten; it was behind record 4711");
	assert_false(has_position(f, "dc1", "Security"));
	assert_true(has_position(f, "dc1", "Application"));
	assert_int_equal(count_reports(OPERATIONAL_POSITION_FORGOTTEN, "DC1"),
			 1);
	assert_string_equal(reports[0].last, "4711");
	forget(f, "dc1", "Security", EVERR_NOT_FOUND, NULL);

	/* In the order of their names, the damaged one as well. */
	forget(f, "dc1", NULL, EVERR_OK,
	       "application: forgotten; it was behind record 5\n"
	       "system: forgotten; it was damaged");
	assert_false(has_position(f, "dc1", "Application"));
	assert_true(has_position(f, "dc10", "Security"));
	assert_int_equal(count_reports(OPERATIONAL_POSITION_FORGOTTEN, "dc1"),
			 2);
	forget(f, "dc1", NULL, EVERR_NOT_FOUND, NULL);
	stop();
}

/* As many as do not go at once; the message names some of them. */
static void test_a_great_many_positions_are_forgotten(void **state)
{
	enum {
		NUM = 300
	};
	struct fixture *f = start(state, NULL, 0);
	struct store_state states[NUM];
	struct store_channel *target = NULL;
	struct tevent_req *req = NULL;
	uint64_t first = 0;
	size_t bad = 0;
	size_t i;

	for (i = 0; i < NUM; i++) {
		char *channel = talloc_asprintf(f, "c%zu", i);

		states[i] = (struct store_state){
			.name = collect_position_name(f, "dc1", channel),
			.data = "x",
			.len = 1,
		};
	}
	assert_int_equal(
		store_channel_find(f->store, "ForwardedEvents", &target),
		EVERR_OK);
	req = store_append_send(f, f->ev, target, NULL, 0, states, NUM);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_equal(store_append_recv(req, &first, &bad), EVERR_OK);
	talloc_free(req);

	forget(f, "dc1", NULL, EVERR_OK, "and 284 more");
	assert_int_equal(count_reports(OPERATIONAL_POSITION_FORGOTTEN, "dc1"),
			 NUM);
	forget(f, "dc1", NULL, EVERR_NOT_FOUND, NULL);
	stop();
}

/* "dc1/a" and "b" would make the state of dc1's channel "a/b". */
static void test_what_is_no_host_reaches_no_position(void **state)
{
	struct fixture *f = start(state, NULL, 0);

	put_position(f, "dc1", "a/b", 7);
	forget(f, "dc1/a", "b", EVERR_INVALID, NULL);
	forget(f, "dc1/a", NULL, EVERR_INVALID, NULL);
	forget(f, "", NULL, EVERR_INVALID, NULL);
	assert_true(has_position(f, "dc1", "a/b"));
	stop();
}

static void test_a_position_in_use_is_not_forgotten(void **state)
{
	const struct collect_config hosts[] = {host_config("dc1")};
	struct fixture *f = start(state, hosts, 1);
	struct collect_feed *feed = NULL;

	put_position(f, "dc1", "Security", 1);
	put_position(f, "dc1", "System", 2);
	put_position(f, "dc1", "Setup", 3);
	forget(f, "DC1", "system", EVERR_NOT_CHANGEABLE,
	       "System of DC1 is being collected, by [collect s]");
	wait_links(f, 1);
	forget(f, "dc1", NULL, EVERR_NOT_CHANGEABLE, "is being collected");
	assert_true(has_position(f, "dc1", "Setup"));
	/* A channel that is no longer collected. */
	forget(f, "dc1", "Setup", EVERR_OK, "behind record 3");

	/* One that stands still is woken. */
	feed = find_feed("dc1", "Security");
	feed->stuck = true;
	forget(f, "dc1", "Security", EVERR_OK, "behind record 1");
	assert_int_equal(feed->again, 1);
	assert_int_equal(find_feed("dc1", "System")->again, 0);
	assert_true(has_position(f, "dc1", "System"));
	stop();
}

/* What a host that has just gone left on its way to the disk goes as well. */
static void test_forgetting_comes_behind_the_last_append(void **state)
{
	struct collect_config config = host_config("dc1");
	const struct store_state position = {
		.name = "collect/dc1/system", .data = "x", .len = 1};
	struct fixture *f = start(state, &config, 1);
	struct store_channel *channel = NULL;
	struct tevent_req *req = NULL;

	wait_links(f, 1);
	assert_int_equal(
		store_channel_find(f->store, "ForwardedEvents", &channel),
		EVERR_OK);
	req = store_append_send(f, f->ev, channel, NULL, 0, &position, 1);
	assert_non_null(req);
	reload_ok(NULL, 0);
	forget(f, "dc1", NULL, EVERR_OK, "system: forgotten; it was damaged");
	assert_false(has_position(f, "dc1", "System"));
	talloc_free(req);
	stop();
}

/* The one who asked, or the collector, may go before it is done. */
static void test_forgetting_outlives_its_request(void **state)
{
	struct collect_config config = host_config("dc1");
	struct fixture *f = start(state, NULL, 0);
	struct tevent_req *req = NULL;

	put_position(f, "dc1", "System", 8);
	req = collect_forget_send(f, f->ev, collector, "dc1", NULL);
	assert_non_null(req);
	talloc_free(req);
	while (has_position(f, "dc1", "System")) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	/* Its barrier is gone with it. */
	reload_ok(&config, 1);
	wait_links(f, 1);

	put_position(f, "dc2", "System", 8);
	req = collect_forget_send(f, f->ev, collector, "dc2", NULL);
	assert_non_null(req);
	assert_int_equal(tevent_loop_once(f->ev), 0);
	stop();
	talloc_free(req);
}

static void test_a_reason_does_not_name_the_host_again(void **state)
{
	struct collect_failure failure = {.err = EVERR_OK};

	collect_failure_set(&failure, EVERR_IO, "dc1: cannot read: it is off");
	assert_string_equal(collect_failure_reason(&failure, "dc1"),
			    "cannot read: it is off");
	assert_string_equal(collect_failure_reason(&failure, "dc"),
			    failure.text);
	assert_string_equal(collect_failure_reason(&failure, "dc1: can"),
			    failure.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_reason_does_not_name_the_host_again),
		leak_test(
			test_each_host_gets_a_link_and_a_feed_for_each_channel),
		leak_test(test_the_names_of_new_hosts_share_a_commit),
		leak_test(test_feeds_follow_the_link_and_changes_are_told_once),
		leak_test(test_what_feeds_find_reaches_their_link),
		leak_test(test_a_reload_leaves_alone_what_has_not_changed),
		leak_test(
			test_a_changed_host_finds_the_position_of_the_old_one),
		leak_test(
			test_a_full_queue_keeps_no_old_position_from_being_found),
		leak_test(test_a_reload_after_a_reload),
		leak_test(test_a_reload_is_all_or_nothing),
		leak_test(test_a_host_that_cannot_begin_says_why),
		leak_test(test_positions_of_a_host_that_is_gone_are_forgotten),
		leak_test(test_a_great_many_positions_are_forgotten),
		leak_test(test_what_is_no_host_reaches_no_position),
		leak_test(test_a_position_in_use_is_not_forgotten),
		leak_test(test_forgetting_comes_behind_the_last_append),
		leak_test(test_forgetting_outlives_its_request),
	};

	fixture_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
