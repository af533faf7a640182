/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collect/connect.h"
#include "collect/keepalive.h"
#include "base/resolve.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loopback socket on a port of the system's choice. */
static int loopback(bool listening, uint16_t *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	if (listening) {
		assert_int_equal(listen(fd, 5), 0);
	}
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

/* Connect, expect to fail, hand out why. */
static void connect_fails(void **state, const struct collect_target *target,
			  struct collect_failure *ret_failure)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct collect_connection *connection = NULL;
	struct tevent_req *req = NULL;

	/* Any interface will do, none of these gets as far as a bind. */
	req = collect_connect_send(*state, ev, target, &collect_mapper_table);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, ev));
	assert_int_not_equal(
		collect_connect_recv(req, *state, &connection, ret_failure),
		EVERR_OK);
	assert_null(connection);
	TALLOC_FREE(req);
	TALLOC_FREE(ev);
}

/* It goes into JSON, events and logs, where one bad byte loses all of it. */
static void test_a_failure_is_one_line_of_valid_text(void **state)
{
	struct collect_failure failure = {0};
	char path[COLLECT_FAILURE_TEXT + 8];
	size_t shift;

	(void)state;
	collect_failure_set(&failure, EVERR_IO, "%s",
			    "/a\xe4\xf6/\xc3\xbc\xff");
	assert_string_equal(failure.text, "/a?"
					  "?/\xc3\xbc?");
	collect_failure_set(&failure, EVERR_AUTH, "%s", "KDC\r\n\x1b[2J\x7f!");
	assert_string_equal(failure.text, "KDC   [2J !");
	/* U+20AC has three bytes, of which the end keeps all or none. */
	for (shift = 0; shift < 3; shift++) {
		size_t i;

		memset(path, 'x', shift);
		for (i = shift; i + 3 < sizeof(path); i += 3) {
			memcpy(path + i, "\xe2\x82\xac", 4);
		}
		collect_failure_set(&failure, EVERR_IO, "%s", path);
		assert_in_range(strlen(failure.text), COLLECT_FAILURE_TEXT - 3,
				COLLECT_FAILURE_TEXT - 1);
		assert_int_equal((strlen(failure.text) - shift) % 3, 0);
		collect_failure_win32(&failure, path, "read", 5);
		assert_int_equal((strlen(failure.text) - shift) % 3, 0);
		collect_failure_status(&failure, path, "read",
				       NT_STATUS_IO_TIMEOUT);
		assert_int_equal((strlen(failure.text) - shift) % 3, 0);
	}
}

static void test_no_local_socket_says_the_service_is_not_running(void **state)
{
	struct collect_target target = {.socket = "/nonexistent/control"};
	struct collect_failure failure = {0};

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_CONNECT);
	assert_non_null(strstr(failure.text, "not running"));
	assert_non_null(strstr(failure.text, "/nonexistent/control"));
}

static void test_socket_without_directory_is_refused(void **state)
{
	struct collect_target target = {.socket = "control"};
	struct collect_failure failure = {0};

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_INVALID);
}

static void test_closed_port_is_refused(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1", .user = "u", .password = "p"};
	struct collect_failure failure = {0};
	int fd = loopback(false, &target.port);

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_CONNECT);
	assert_non_null(strstr(failure.text, "nothing listens"));
	assert_null(strstr(failure.text, "mapper"));
	close(fd);
}

/* Those of a collector serve all its attempts, as long as it runs. */
static void test_attempts_leave_nothing_in_shared_parameters(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1", .user = "u", .password = "p"};
	struct collect_failure failure = {0};
	int fd = loopback(false, &target.port);
	size_t blocks;

	target.parameters = collect_parameters(*state);
	assert_non_null(target.parameters);
	connect_fails(state, &target, &failure);
	blocks = talloc_total_blocks(target.parameters);
	connect_fails(state, &target, &failure);
	assert_int_equal(talloc_total_blocks(target.parameters), blocks);

	target.mapper_port = target.port;
	target.port = 0;
	connect_fails(state, &target, &failure);
	assert_int_equal(talloc_total_blocks(target.parameters), blocks);
	close(fd);
}

static void test_closed_mapper_port_names_the_mapper(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1", .user = "u", .password = "p"};
	struct collect_failure failure = {0};
	int fd = loopback(false, &target.mapper_port);

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_CONNECT);
	assert_non_null(strstr(failure.text, "endpoint mapper"));
	close(fd);
}

static void test_silent_host_ends_in_a_timeout(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1",
		.user = "u",
		.password = "p",
		.timeout = 1,
	};
	struct collect_failure failure = {0};
	int fd = loopback(true, &target.port);

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_TIMEOUT);
	close(fd);
}

static void test_silent_mapper_ends_in_a_timeout(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1",
		.user = "u",
		.password = "p",
		.timeout = 1,
	};
	struct collect_failure failure = {0};
	int fd = loopback(true, &target.mapper_port);

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_TIMEOUT);
	assert_non_null(strstr(failure.text, "endpoint mapper"));
	close(fd);
}

static void test_no_user_is_never_anonymous(void **state)
{
	struct collect_target target = {.host = "127.0.0.1", .port = 9};
	struct collect_failure failure = {0};

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_INVALID);
	target.user = "";
	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_INVALID);
}

static void test_missing_ticket_says_kinit(void **state)
{
	struct collect_target target = {
		.host = "localhost",
		.port = 9,
		.kerberos = true,
		.ccache = "FILE:/nonexistent/ccache",
	};
	struct collect_failure failure = {0};

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_AUTH);
	assert_non_null(strstr(failure.text, "kinit"));
}

static void test_kerberos_wants_a_name(void **state)
{
	struct collect_target target = {
		.host = "127.0.0.1", .port = 9, .kerberos = true};
	struct collect_failure failure = {0};

	connect_fails(state, &target, &failure);
	assert_int_equal(failure.err, EVERR_INVALID);
	assert_non_null(strstr(failure.text, "name"));
}

static void test_an_early_free_leaves_nothing(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct collect_target target = {
		.host = "127.0.0.1", .user = "u", .password = "p"};
	struct tevent_req *req = NULL;
	int fd = loopback(true, &target.port);
	int i;

	for (i = 0; i < 4; i++) {
		int turns;

		req = collect_connect_send(*state, ev, &target,
					   &collect_mapper_table);
		assert_non_null(req);
		for (turns = 0; turns < i; turns++) {
			tevent_loop_once(ev);
		}
		TALLOC_FREE(req);
	}
	close(fd);
}

/* What of Samba's takes part in a logon, and which of them went first. */
struct logon {
	const void *step;
	const void *security;
	const char *first;
};

struct probe {
	struct logon *logon;
	const char *name;
};

static void find_logon(const void *ptr, int depth, int max_depth, int is_ref,
		       void *private_data)
{
	struct logon *logon = private_data;
	const char *name = talloc_get_name(ptr);

	(void)depth;
	(void)max_depth;
	if (is_ref != 0) {
		return;
	}
	/* The outer ones come first: SPNEGO has NTLM's inside. */
	if (logon->step == NULL &&
	    strcmp(name, "struct gensec_update_state") == 0) {
		logon->step = ptr;
	}
	if (logon->security == NULL &&
	    strcmp(name, "struct gensec_security") == 0) {
		logon->security = ptr;
	}
}

static int probe_freed(struct probe *probe)
{
	if (probe->logon->first == NULL) {
		probe->logon->first = probe->name;
	}
	return 0;
}

static void probe_set(const void *parent, struct logon *logon, const char *name)
{
	struct probe *probe = talloc(parent, struct probe);

	assert_non_null(probe);
	*probe = (struct probe){.logon = logon, .name = name};
	talloc_set_destructor(probe, probe_freed);
}

/* A step's end writes into the security context. */
static void test_a_logon_given_up_ends_before_its_security(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct collect_target target = {
		.host = "127.0.0.1", .user = "u", .password = "p"};
	struct logon logon = {0};
	struct tevent_req *req = NULL;
	int fd = loopback(true, &target.port);

	req = collect_connect_send(*state, ev, &target, &collect_mapper_table);
	assert_non_null(req);
	while (logon.step == NULL && tevent_req_is_in_progress(req)) {
		logon = (struct logon){0};
		assert_int_equal(tevent_loop_once(ev), 0);
		talloc_report_depth_cb(req, 0, -1, find_logon, &logon);
	}
	assert_non_null(logon.step);
	assert_non_null(logon.security);
	probe_set(logon.step, &logon, "step");
	probe_set(logon.security, &logon, "security");

	TALLOC_FREE(req);
	assert_non_null(logon.first);
	assert_string_equal(logon.first, "step");
	close(fd);
}

static void resolve(void **state, const char *host, everr_t expected,
		    char ***ret_addresses, size_t *ret_num)
{
	struct tevent_context *ev = tevent_context_init(*state);
	const char *reason = NULL;
	struct tevent_req *req = NULL;

	req = resolve_send(*state, ev, host);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, ev));
	assert_int_equal(
		resolve_recv(req, *state, ret_addresses, ret_num, &reason),
		expected);
	if (expected != EVERR_OK) {
		assert_non_null(reason);
	}
	TALLOC_FREE(req);
	TALLOC_FREE(ev);
}

static void test_addresses_resolve_to_themselves(void **state)
{
	char **addresses = NULL;
	size_t num = 0;

	resolve(state, "192.0.2.7", EVERR_OK, &addresses, &num);
	assert_int_equal(num, 1);
	assert_string_equal(addresses[0], "192.0.2.7");
	resolve(state, "2001:db8::7", EVERR_OK, &addresses, &num);
	assert_int_equal(num, 1);
	assert_string_equal(addresses[0], "2001:db8::7");
}

static void test_localhost_resolves_to_loopback(void **state)
{
	char **addresses = NULL;
	size_t num = 0;
	size_t i;

	resolve(state, "localhost", EVERR_OK, &addresses, &num);
	assert_in_range(num, 1, 2);
	for (i = 0; i < num; i++) {
		assert_true(strncmp(addresses[i], "127.", 4) == 0 ||
			    strcmp(addresses[i], "::1") == 0);
	}
}

static void test_names_that_cannot_exist_are_refused(void **state)
{
	char name[RESOLVE_HOST_MAX + 2];
	char **addresses = NULL;
	size_t num = 0;

	resolve(state, "", EVERR_INVALID, &addresses, &num);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	resolve(state, name, EVERR_INVALID, &addresses, &num);
	/* RFC 2606 keeps the domain from ever existing; a label of 64. */
	memset(name, 'a', 64);
	memcpy(name + 64, ".invalid", 9);
	resolve(state, name, EVERR_NOT_FOUND, &addresses, &num);
	assert_null(addresses);
}

static void test_a_lookup_given_up_early_is_harmless(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct tevent_req *req = NULL;

	req = resolve_send(*state, ev, "localhost");
	assert_non_null(req);
	TALLOC_FREE(req);
	TALLOC_FREE(ev);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* As far as it is known here, tsocket_bsd.c of Samba. */
struct tstream_bsd {
	int fd;
};

static void test_keepalive_is_for_the_connection_to_that_peer(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	uint16_t port = 0, other_port = 0;
	int listener = loopback(true, &port);
	int other_listener = loopback(true, &other_port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int other = socket(AF_INET, SOCK_STREAM, 0);
	struct tstream_bsd *bsd = NULL;
	void *stream = NULL;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	addr.sin_port = htons(other_port);
	assert_int_equal(connect(other, (struct sockaddr *)&addr, sizeof(addr)),
			 0);

	assert_int_equal(collect_keepalive(NULL, "127.0.0.1", port), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 120000);
	assert_int_equal(option(other, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(collect_keepalive(NULL, "127.0.0.2", other_port), 0);
	assert_int_equal(option(other, SOL_SOCKET, SO_KEEPALIVE), 0);

	/* A stream names its own, and one that is wrong about it is corrected. */
	stream = talloc_zero(*state, char);
	bsd = talloc_zero(stream, struct tstream_bsd);
	bsd->fd = other;
	assert_int_equal(collect_keepalive(stream, "127.0.0.1", other_port), 1);
	assert_int_equal(option(other, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(collect_keepalive(stream, "127.0.0.1", port), 1);
	close(other);
	assert_int_equal(collect_keepalive(stream, "127.0.0.1", other_port), 0);

	close(fd);
	close(listener);
	close(other_listener);
}

/*
 * Without leak.h's count of blocks: Samba keeps strings of its own in the null
 * context (the name of a log file), now one, now none.  What is ours hangs on
 * *state; LeakSanitizer sees the rest.
 */
static int context_setup(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int context_teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

#define context_test(fn) \
	cmocka_unit_test_setup_teardown(fn, context_setup, context_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		context_test(test_a_failure_is_one_line_of_valid_text),
		context_test(
			test_no_local_socket_says_the_service_is_not_running),
		context_test(test_socket_without_directory_is_refused),
		context_test(test_closed_port_is_refused),
		context_test(test_closed_mapper_port_names_the_mapper),
		context_test(test_attempts_leave_nothing_in_shared_parameters),
		context_test(test_silent_host_ends_in_a_timeout),
		context_test(test_silent_mapper_ends_in_a_timeout),
		context_test(test_no_user_is_never_anonymous),
		context_test(test_missing_ticket_says_kinit),
		context_test(test_kerberos_wants_a_name),
		context_test(test_an_early_free_leaves_nothing),
		context_test(test_a_logon_given_up_ends_before_its_security),
		context_test(test_keepalive_is_for_the_connection_to_that_peer),
		context_test(test_addresses_resolve_to_themselves),
		context_test(test_localhost_resolves_to_loopback),
		context_test(test_names_that_cannot_exist_are_refused),
		context_test(test_a_lookup_given_up_early_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
