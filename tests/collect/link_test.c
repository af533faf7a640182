/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/wintime.h"
#include "collect/link.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A listener on loopback, and what links to it have told. */
struct fixture {
	struct tevent_context *ev;
	struct collector_config collector;
	struct collect_config config;
	struct collect_links *links;
	struct collect_link *link;
	struct tevent_fd *fde;
	int fd;
	int peers[8];
	size_t num_peers; /* accepted */
	bool hang_up;
	bool free_in_down;
	unsigned int ups;
	unsigned int downs;
	struct collect_failure why;
	char password_file[64];
};

static void on_up(struct collect_connection *connection, void *private_data)
{
	struct fixture *f = private_data;

	f->ups++;
}

static void on_down(const struct collect_failure *why, void *private_data)
{
	struct fixture *f = private_data;

	f->downs++;
	f->why = *why;
	if (f->free_in_down) {
		TALLOC_FREE(f->link);
	}
}

static const struct collect_link_hooks hooks = {.up = on_up, .down = on_down};

static void on_accept(struct tevent_context *ev, struct tevent_fd *fde,
		      uint16_t flags, void *private_data)
{
	struct fixture *f = private_data;
	int fd = accept(f->fd, NULL, NULL);

	assert_true(fd >= 0);
	if (f->hang_up || f->num_peers >= 8) {
		close(fd);
	} else {
		f->peers[f->num_peers] = fd;
	}
	f->num_peers++;
}

static void write_password(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->password_file, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	struct fixture *f = talloc_zero(NULL, struct fixture);
	socklen_t len = sizeof(addr);
	int fd;

	assert_non_null(f);
	f->ev = tevent_context_init(f);
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->fd >= 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(f->fd, 16), 0);
	assert_int_equal(getsockname(f->fd, (struct sockaddr *)&addr, &len), 0);
	f->fde = tevent_add_fd(f->ev, f, f->fd, TEVENT_FD_READ, on_accept, f);
	assert_non_null(f->fde);

	snprintf(f->password_file, sizeof(f->password_file),
		 "/tmp/evenlog.XXXXXX");
	fd = mkstemp(f->password_file);
	assert_true(fd >= 0);
	close(fd);
	write_password(f, "Secret-1\nnot this\n");

	f->collector.connects = 2;
	f->config.host = "127.0.0.1";
	f->config.port = ntohs(addr.sin_port);
	f->config.auth = COLLECT_AUTH_NTLM;
	f->config.user = "collector";
	f->config.password_file = f->password_file;
	f->config.backoff_max = 1;
	f->config.liveness = 60;
	assert_int_equal(
		collect_links_create(f, f->ev, &f->collector, &f->links),
		EVERR_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	size_t i;

	TALLOC_FREE(f->link);
	TALLOC_FREE(f->fde);
	for (i = 0; i < f->num_peers && i < 8; i++) {
		if (f->peers[i] > 0) {
			close(f->peers[i]);
		}
	}
	close(f->fd);
	unlink(f->password_file);
	talloc_free(f);
	return 0;
}

static void start(struct fixture *f)
{
	f->link = collect_link_create(f, f->links, &f->config, &hooks, f);
	assert_non_null(f->link);
}

/* Turns of the loop until *count is at least so many. */
static void until(struct fixture *f, const unsigned int *count,
		  unsigned int least)
{
	while (*count < least) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
}

static struct collect_link_info info(const struct fixture *f)
{
	struct collect_link_info info;

	collect_link_info(f->link, &info);
	return info;
}

static void test_a_new_link_waits_for_its_turn(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_int_equal(info(f).state, COLLECT_LINK_WAITING);
	assert_int_equal(info(f).attempts, 0);
	assert_int_equal(info(f).failure.err, EVERR_OK);
	assert_int_equal(tevent_loop_once(f->ev), 0);
	assert_int_equal(info(f).state, COLLECT_LINK_CONNECTING);
	assert_int_equal(info(f).attempts, 1);
	assert_int_equal(info(f).next_attempt, 0);
}

static void test_who_hangs_up_is_asked_again_after_a_wait(void **state)
{
	struct fixture *f = *state;
	uint64_t begin, now;

	f->hang_up = true;
	start(f);
	until(f, &f->downs, 1);
	now = wintime_now();
	assert_int_equal(f->ups, 0);
	assert_int_equal(f->why.err, EVERR_CONNECT);
	assert_int_equal(info(f).state, COLLECT_LINK_WAITING);
	assert_int_equal(info(f).failure.err, EVERR_CONNECT);
	assert_int_not_equal(info(f).failure_time, 0);
	/* Between half and all of COLLECT_BACKOFF_MIN, and a slow machine. */
	assert_in_range(info(f).next_attempt, now,
			now + COLLECT_BACKOFF_MIN * (WINTIME_SECOND / 1000));

	begin = info(f).next_attempt;
	until(f, &f->downs, 2);
	assert_true(wintime_now() >= begin);
	assert_int_equal(info(f).attempts, 2);
	assert_int_equal(info(f).connects, 0);
	assert_true(f->num_peers >= 2);
}

static void test_a_link_may_go_in_its_hook(void **state)
{
	struct fixture *f = *state;

	f->hang_up = true;
	f->free_in_down = true;
	start(f);
	until(f, &f->downs, 1);
	assert_null(f->link);
}

static void test_a_link_may_go_at_any_moment(void **state)
{
	struct fixture *f = *state;
	unsigned int i, turns;

	for (i = 0; i < 8; i++) {
		f->hang_up = (i % 2) == 0;
		start(f);
		for (turns = 0; turns < i; turns++) {
			assert_int_equal(tevent_loop_once(f->ev), 0);
		}
		TALLOC_FREE(f->link);
	}
	/* Those that are gone have given back their place. */
	f->hang_up = true;
	f->downs = 0;
	start(f);
	until(f, &f->downs, 1);
}

static void test_no_more_attempts_at_a_time_than_allowed(void **state)
{
	struct fixture *f = *state;
	struct collect_link *links[5];
	struct collect_link_info one;
	size_t i, connecting = 0;

	for (i = 0; i < 5; i++) {
		links[i] =
			collect_link_create(f, f->links, &f->config, &hooks, f);
		assert_non_null(links[i]);
	}
	while (f->num_peers < 2) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	for (i = 0; i < 5; i++) {
		collect_link_info(links[i], &one);
		connecting += one.state == COLLECT_LINK_CONNECTING;
		/* In the order they came. */
		assert_int_equal(one.state, i < 2 ? COLLECT_LINK_CONNECTING
						  : COLLECT_LINK_WAITING);
	}
	assert_int_equal(connecting, 2);

	/* One that waits, and one that makes room for the next. */
	TALLOC_FREE(links[2]);
	TALLOC_FREE(links[0]);
	while (f->num_peers < 3) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	collect_link_info(links[3], &one);
	assert_int_equal(one.state, COLLECT_LINK_CONNECTING);
	collect_link_info(links[4], &one);
	assert_int_equal(one.state, COLLECT_LINK_WAITING);
	for (i = 0; i < 5; i++) {
		TALLOC_FREE(links[i]);
	}
}

static void test_a_failed_attempt_makes_room(void **state)
{
	struct fixture *f = *state;
	struct collect_link *links[4];
	size_t i;

	f->hang_up = true;
	for (i = 0; i < 4; i++) {
		links[i] =
			collect_link_create(f, f->links, &f->config, &hooks, f);
		assert_non_null(links[i]);
	}
	until(f, &f->downs, 4);
	for (i = 0; i < 4; i++) {
		TALLOC_FREE(links[i]);
	}
}

static void test_the_password_file_is_read_at_each_attempt(void **state)
{
	struct fixture *f = *state;

	f->hang_up = true;
	unlink(f->password_file);
	start(f);
	until(f, &f->downs, 1);
	assert_int_equal(f->why.err, EVERR_IO);
	assert_non_null(strstr(f->why.text, f->password_file));
	assert_int_equal(f->num_peers, 0);

	/* What nobody writes to is not waited for. */
	assert_int_equal(mkfifo(f->password_file, 0600), 0);
	until(f, &f->downs, 2);
	assert_non_null(strstr(f->why.text, "not a regular file"));
	unlink(f->password_file);

	write_password(f, "\nsecond line\n");
	until(f, &f->downs, 3);
	assert_int_equal(f->why.err, EVERR_AUTH);
	assert_non_null(strstr(f->why.text, "empty"));
	assert_null(strstr(f->why.text, "second line"));

	write_password(f, "p\xE4ss\n");
	until(f, &f->downs, 4);
	assert_int_equal(f->why.err, EVERR_AUTH);
	assert_non_null(strstr(f->why.text, "not UTF-8"));
	assert_int_equal(f->num_peers, 0);

	write_password(f, "Secret-1\n");
	until(f, &f->downs, 5);
	assert_int_equal(f->why.err, EVERR_CONNECT);
	assert_int_equal(info(f).attempts, 5);
}

static void assert_private_directory(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* A helper that gets no ticket shows that it was asked for one. */
static void test_the_ticket_directory_matters_to_kerberos_alone(void **state)
{
	struct fixture *f = *state;
	struct fixture kerberos = {.ev = f->ev};
	struct collect_config config = f->config;
	struct collect_link *link = NULL;
	char directory[] = "/tmp/evenlog.XXXXXX";

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0750), 0);
	f->collector.ticket_directory = directory;
	f->collector.ticket_helper = "/bin/false";
	TALLOC_FREE(f->links);
	assert_int_equal(
		collect_links_create(f, f->ev, &f->collector, &f->links),
		EVERR_OK);

	/* One that others may read. */
	config.auth = COLLECT_AUTH_KERBEROS;
	config.keytab = "/nonexistent";
	link = collect_link_create(f, f->links, &config, &hooks, &kerberos);
	assert_non_null(link);
	f->hang_up = true;
	start(f);
	until(&kerberos, &kerberos.downs, 1);
	assert_int_equal(kerberos.why.err, EVERR_IO);
	assert_non_null(strstr(kerberos.why.text, directory));
	assert_non_null(strstr(kerberos.why.text, "mode 0700"));
	until(f, &f->downs, 1);
	assert_int_equal(f->why.err, EVERR_CONNECT);
	assert_true(f->num_peers >= 1);
	TALLOC_FREE(f->link);

	/* It is made when it is not there, each time. */
	assert_int_equal(rmdir(directory), 0);
	until(&kerberos, &kerberos.downs, 2);
	assert_non_null(strstr(kerberos.why.text, "without a reason"));
	assert_private_directory(directory);
	assert_int_equal(rmdir(directory), 0);
	until(&kerberos, &kerberos.downs, 3);
	assert_private_directory(directory);
	TALLOC_FREE(link);
	assert_int_equal(rmdir(directory), 0);
}

static void test_a_link_that_is_down_cannot_be_broken(void **state)
{
	struct fixture *f = *state;
	struct collect_failure why = {.err = EVERR_PROTOCOL};

	start(f);
	assert_int_equal(tevent_loop_once(f->ev), 0);
	collect_link_broken(f->link, &why);
	assert_int_equal(info(f).failure.err, EVERR_OK);
	assert_int_equal(info(f).state, COLLECT_LINK_CONNECTING);
	assert_int_equal(f->downs, 0);
}

/* Without leak.h's count, for the reason given in connect_test.c. */
#define link_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		link_test(test_a_new_link_waits_for_its_turn),
		link_test(test_who_hangs_up_is_asked_again_after_a_wait),
		link_test(test_a_link_may_go_in_its_hook),
		link_test(test_a_link_may_go_at_any_moment),
		link_test(test_no_more_attempts_at_a_time_than_allowed),
		link_test(test_a_failed_attempt_makes_room),
		link_test(test_the_password_file_is_read_at_each_attempt),
		link_test(test_the_ticket_directory_matters_to_kerberos_alone),
		link_test(test_a_link_that_is_down_cannot_be_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
