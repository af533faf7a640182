/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a client may not do to the others: limits on connections, logon time,
 * handles, calls in flight and unread answers; and what a local user who is
 * nobody in particular may not do at all.
 */

#include "idl/control_client.h"
#include "idl/even6_client.h"
#include "tests/rpc/server_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Nothing here should take longer; then a test fails instead of hanging. */
#define PATIENCE_SECONDS 30

/* [MS-ERREF]: ERROR_NOT_ENOUGH_QUOTA; [C706]: nca_server_too_busy */
#define WERR_QUOTA 0x718
#define TOO_BUSY 0x1C010014

#define NUM_CHANNELS 100
#define OPNUM_CHANNEL_LIST 19

static struct server server;

static int group_setup(void **state)
{
	static const struct server_options options = {
		.limits = {.connections_per_peer = 4,
			   .handles_per_connection = 8,
			   .calls_in_flight = 2,
			   .logon_seconds = 2,
			   .unsent_bytes = 256 * 1024},
		.num_channels = NUM_CHANNELS,
	};

	server_start_with(&server, &options);
	return 0;
}

static int group_teardown(void **state)
{
	server_kill(&server);
	return 0;
}

/*
 * Not empty: a pointer to an empty context points past its memory, and the
 * leak check of a server that is forked within a test would not see it.
 */
static int context_setup(void **state)
{
	*state = talloc_size(NULL, 1);
	return *state == NULL ? -1 : 0;
}

static int context_teardown(void **state)
{
	TALLOC_FREE(*state);
	return 0;
}

/* --------------------------------------------------------- connections */

static int tcp_connect(uint16_t port)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)),
			 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Whether the peer closes; anything else within the time fails. */
static void assert_closed_by_peer(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	assert_true(got == 0 || (got == -1 && errno == ECONNRESET));
}

static void test_a_client_that_does_not_log_on_is_cut_off(void **state)
{
	int even6 = tcp_connect(server.port);
	int mapper = tcp_connect(server.mapper_port);

	assert_closed_by_peer(even6);
	assert_closed_by_peer(mapper);
	close(even6);
	close(mapper);
}

static void test_one_address_gets_so_many_connections_only(void **state)
{
	struct client client;
	long refused;
	int fds[4];
	int extra;
	size_t i;

	client_init(&client, *state, &server);
	refused = client_status(&client, &server, "refused");
	for (i = 0; i < 4; i++) {
		fds[i] = tcp_connect(server.port);
	}
	extra = tcp_connect(server.port);
	assert_closed_by_peer(extra);
	close(extra);
	/* The local door is not shut by strangers at the other one. */
	assert_int_equal(client_status(&client, &server, "refused"),
			 refused + 1);
	for (i = 0; i < 4; i++) {
		close(fds[i]);
	}
}

/* Clients that find no descriptor wait; they are neither dropped nor lost. */
static void test_without_descriptors_new_clients_wait(void **state)
{
	static const struct server_options options = {
		.limits = {.logon_seconds = 1},
		.max_fds = 50,
	};
	struct server poor;
	struct client client;
	int fds[60];
	size_t i;

	server_start_with(&poor, &options);
	for (i = 0; i < 60; i++) {
		fds[i] = tcp_connect(poor.port);
	}
	/* More than there is room for: it is served when others have gone. */
	client_init(&client, *state, &poor);
	assert_true(client_status(&client, &poor, "connections") >= 1);
	for (i = 0; i < 60; i++) {
		assert_closed_by_peer(fds[i]);
		close(fds[i]);
	}
	server_stop(&poor);
}

/* ------------------------------------------------------ handles, calls */

static WERROR new_control(struct dcerpc_pipe *pipe,
			  struct policy_handle *handle)
{
	struct even6_EvtRpcRegisterControllableOperation r = {};
	NTSTATUS status;

	r.out.handle = handle;
	status = dcerpc_even6_EvtRpcRegisterControllableOperation_r(
		pipe->binding_handle, pipe, &r);
	assert_true(NT_STATUS_IS_OK(status));
	return r.out.result;
}

static void test_a_client_gets_so_many_handles_only(void **state)
{
	struct policy_handle handles[9] = {};
	struct even6_EvtRpcClose r = {};
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	NTSTATUS status;
	size_t i;

	client_init(&client, *state, &server);
	status =
		client_connect_local(&client, &server, &ndr_table_even6, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	for (i = 0; i < 8; i++) {
		assert_int_equal(W_ERROR_V(new_control(pipe, &handles[i])), 0);
		/* The attributes word is 0 for every kind of handle. */
		assert_int_equal(handles[i].handle_type, 0);
	}
	assert_int_equal(W_ERROR_V(new_control(pipe, &handles[8])), WERR_QUOTA);

	r.in.handle = &handles[3];
	r.out.handle = &handles[3];
	status = dcerpc_even6_EvtRpcClose_r(pipe->binding_handle, pipe, &r);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(W_ERROR_V(r.out.result), 0);
	assert_int_equal(W_ERROR_V(new_control(pipe, &handles[3])), 0);
}

static void subscribe(struct dcerpc_pipe *pipe, struct policy_handle *handle)
{
	struct even6_EvtRpcRegisterRemoteSubscription r = {};
	struct even6_EvtRpcQueryChannelInfo *info = NULL;
	struct even6_RpcInfo error = {};
	struct policy_handle control;
	uint32_t info_size = 0;
	NTSTATUS status;

	r.in.channelPath = "Application";
	r.in.query = "*";
	r.in.flags = EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS | EVEN6_SUBSCRIBE_PULL;
	r.out.handle = handle;
	r.out.control = &control;
	r.out.queryChannelInfoSize = &info_size;
	r.out.queryChannelInfo = &info;
	r.out.error = &error;
	status = dcerpc_even6_EvtRpcRegisterRemoteSubscription_r(
		pipe->binding_handle, pipe, &r);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(W_ERROR_V(r.out.result), 0);
}

static void request_done(struct tevent_req *req)
{
	bool *done = tevent_req_callback_data_void(req);

	*done = true;
}

static void test_a_connection_parks_so_many_calls_only(void **state)
{
	struct even6_EvtRpcRemoteSubscriptionWaitAsync r[3] = {};
	struct policy_handle handles[3];
	struct tevent_req *req[3];
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	bool done[3] = {};
	NTSTATUS status;
	size_t i;

	client_init(&client, *state, &server);
	status =
		client_connect_local(&client, &server, &ndr_table_even6, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	for (i = 0; i < 3; i++) {
		subscribe(pipe, &handles[i]);
		r[i].in.handle = &handles[i];
		req[i] = dcerpc_even6_EvtRpcRemoteSubscriptionWaitAsync_r_send(
			pipe, client.ev, pipe->binding_handle, &r[i]);
		tevent_req_set_callback(req[i], request_done, &done[i]);
	}
	while (!done[2]) {
		assert_int_equal(tevent_loop_once(client.ev), 0);
	}
	status = dcerpc_even6_EvtRpcRemoteSubscriptionWaitAsync_r_recv(req[2],
								       pipe);
	assert_false(NT_STATUS_IS_OK(status));
	assert_int_equal(pipe->last_fault_code, TOO_BUSY);
	/* The two before it wait on, and the connection serves. */
	assert_false(done[0] || done[1]);
	assert_int_equal(client_status(&client, &server, "parked_calls"), 2);
	status = client_close_unknown(pipe);
	assert_int_equal(NT_STATUS_V(status),
			 NT_STATUS_V(NT_STATUS_RPC_SS_CONTEXT_MISMATCH));
}

/* ------------------------------------------------------ stalled reader */

static const uint8_t bind_pdu[] = {
	/* version 5.0, bind, first|last|concurrent multiplexing, little */
	5, 0, 11, 0x13, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0,
	/* 5840 bytes each way, no group, one context of one syntax */
	0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0,
	/* f6beaff7-1e19-4fbb-9f8f-b89e2018337c 1.0 */
	0xf7, 0xaf, 0xbe, 0xf6, 0x19, 0x1e, 0xbb, 0x4f, 0x9f, 0x8f, 0xb8, 0x9e,
	0x20, 0x18, 0x33, 0x7c, 1, 0, 0, 0,
	/* NDR 8a885d04-1ceb-11c9-9fe8-08002b104860 2.0 */
	0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00,
	0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0};

static void send_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		assert_true(sent > 0);
		data += sent;
		len -= (size_t)sent;
	}
}

static void recv_all(int fd, uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(fd, data, len, 0);

		assert_true(got > 0);
		data += got;
		len -= (size_t)got;
	}
}

/* One PDU; its type and whether it ends its call. */
static uint8_t recv_pdu(int fd, bool *ret_last)
{
	uint8_t pdu[5840];
	size_t len;

	recv_all(fd, pdu, 16);
	len = pdu[8] | (size_t)pdu[9] << 8;
	assert_true(len >= 16 && len <= sizeof(pdu));
	recv_all(fd, pdu + 16, len - 16);
	*ret_last = (pdu[3] & 2) != 0;
	return pdu[2];
}

static int local_bind(void)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool last = false;

	memcpy(address.sun_path, server.control, strlen(server.control));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)),
			 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	send_all(fd, bind_pdu, sizeof(bind_pdu));
	assert_int_equal(recv_pdu(fd, &last), 12);
	return fd;
}

/* In one piece: a held server takes no more, and the buffer counts pieces. */
static void send_channel_list_requests(int fd, uint32_t count)
{
	const uint8_t pdu[28] = {5,
				 0,
				 0,
				 3,
				 0x10,
				 0,
				 0,
				 0,
				 28,
				 0,
				 0,
				 0,
				 0,
				 0,
				 0,
				 0,
				 4,
				 0,
				 0,
				 0,
				 0,
				 0,
				 OPNUM_CHANNEL_LIST};
	uint8_t *all = test_malloc(count * sizeof(pdu));
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t call_id = i + 2;

		memcpy(all + i * sizeof(pdu), pdu, sizeof(pdu));
		memcpy(all + i * sizeof(pdu) + 12, &call_id, sizeof(call_id));
	}
	send_all(fd, all, count * sizeof(pdu));
	test_free(all);
}

/*
 * 300 requests whose answers make 10 MB, from a client that reads none of
 * them: the server takes on what its limit allows and serves the others.
 */
static void test_a_stalled_reader_costs_its_limit_and_delays_nobody(
	void **state)
{
	const uint32_t num_requests = 300;
	struct client client;
	size_t rss __attribute__((unused));
	long before, taken, last_taken;
	uint32_t answers = 0;
	int same = 0;
	int fd;

	client_init(&client, *state, &server);
	rss = server_rss(&server);
	before = client_status_calls(&client, &server, OPNUM_CHANNEL_LIST);
	fd = local_bind();
	send_channel_list_requests(fd, num_requests);

	/* Each of these is another client that is served meanwhile. */
	last_taken = -1;
	while (same < 50) {
		taken = client_status_calls(&client, &server,
					    OPNUM_CHANNEL_LIST) -
			before;
		same = taken == last_taken && taken > 0 ? same + 1 : 0;
		last_taken = taken;
	}
	/* 33 kB each: 8 make the limit, 6 fit the socket's buffer. */
	assert_in_range(taken, 6, 20);
#ifndef __SANITIZE_ADDRESS__
	/* AddressSanitizer keeps what is freed. */
	assert_true(server_rss(&server) < rss + 8 * 1024);
#endif

	/* Once it reads, it gets everything. */
	while (answers < num_requests) {
		bool last = false;

		assert_int_equal(recv_pdu(fd, &last), 2);
		answers += last;
	}
	assert_int_equal(
		client_status_calls(&client, &server, OPNUM_CHANNEL_LIST),
		before + num_requests);
	close(fd);
}

/* Answers of 32 bytes count for what they keep, not for what they are. */
static void test_small_answers_that_nobody_reads_are_limited_too(void **state)
{
	/* nca_op_rng_error: opnum 99, and a fault comes back. */
	uint8_t pdu[24] = {5, 0, 0, 3, 0x10, 0, 0, 0, 24};
	const size_t count = 40000;
	uint8_t *all = test_malloc(count * sizeof(pdu));
	const struct timeval patience = {.tv_usec = 500000};
	size_t sent = 0;
	ssize_t n = 0;
	size_t i;
	int fd;

	pdu[22] = 99;
	for (i = 0; i < count; i++) {
		memcpy(all + i * sizeof(pdu), pdu, sizeof(pdu));
	}
	fd = local_bind();
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
				    sizeof(patience)),
			 0);
	while (n >= 0 && sent < count * sizeof(pdu)) {
		sent += (size_t)n;
		n = send(fd, all + sent, count * sizeof(pdu) - sent,
			 MSG_NOSIGNAL);
	}
	/* It is held long before it has taken them all. */
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	test_free(all);
	close(fd);
}

/* ----------------------------------------------------- nobody, locally */

static WERROR open_log(struct dcerpc_pipe *pipe, const char *channel)
{
	struct even6_EvtRpcOpenLogHandle r = {};
	struct even6_RpcInfo error = {};
	struct policy_handle handle;
	NTSTATUS status;

	r.in.channel = channel;
	r.in.flags = EVEN6_OPEN_CHANNEL_PATH;
	r.out.handle = &handle;
	r.out.error = &error;
	status = dcerpc_even6_EvtRpcOpenLogHandle_r(pipe->binding_handle, pipe,
						    &r);
	return NT_STATUS_IS_OK(status) ? r.out.result : W_ERROR(0xFFFFFFFF);
}

static WERROR reload(struct dcerpc_pipe *pipe)
{
	struct control_Reload r = {};
	uint32_t error = 0;
	NTSTATUS status;

	r.out.error = &error;
	status = dcerpc_control_Reload_r(pipe->binding_handle, pipe, &r);
	return NT_STATUS_IS_OK(status) ? r.out.result : W_ERROR(0xFFFFFFFF);
}

/* The error of publishing nothing: the right is asked for all the same. */
static uint32_t publish(struct dcerpc_pipe *pipe, const char *channel)
{
	struct control_Publish r = {};
	struct control_Event none = {};
	uint32_t bad = 0, error = 0xFFFFFFFF;
	uint64_t first = 0;
	NTSTATUS status;

	r.in.channel = channel;
	r.in.events = &none;
	r.out.first_id = &first;
	r.out.bad_index = &bad;
	r.out.error = &error;
	status = dcerpc_control_Publish_r(pipe->binding_handle, pipe, &r);
	return NT_STATUS_IS_OK(status) ? error : 0xFFFFFFFF;
}

struct rights {
	uint32_t read_application, read_security;
	uint32_t write_application, write_security;
	uint32_t reload;
};

static struct rights rights_of_me(TALLOC_CTX *ctx)
{
	struct dcerpc_pipe *even6 = NULL;
	struct dcerpc_pipe *control = NULL;
	struct rights rights = {};
	struct client client;

	client_init(&client, ctx, &server);
	(void)client_connect_local(&client, &server, &ndr_table_even6, &even6);
	(void)client_connect_local(&client, &server, &ndr_table_control,
				   &control);
	if (even6 == NULL || control == NULL) {
		rights.reload = 0xFFFFFFFF;
		return rights;
	}
	rights.read_application = W_ERROR_V(open_log(even6, "Application"));
	rights.read_security = W_ERROR_V(open_log(even6, "Security"));
	rights.write_application = publish(control, "Application");
	rights.write_security = publish(control, "Security");
	rights.reload = W_ERROR_V(reload(control));
	return rights;
}

static void test_a_local_user_has_what_interactive_users_have(void **state)
{
	struct rights rights = {};
	int fds[2];
	ssize_t got;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("# not tested here: not root, who alone can be "
			      "another user\n");
		return;
	}
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) == 0 && setgid(SERVER_NOBODY) == 0 &&
		    setuid(SERVER_NOBODY) == 0) {
			rights = rights_of_me(*state);
			got = write(fds[1], &rights, sizeof(rights));
		}
		_exit(0);
	}
	close(fds[1]);
	got = read(fds[0], &rights, sizeof(rights));
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(got, sizeof(rights));

	assert_int_equal(rights.read_application, 0);
	assert_int_equal(rights.read_security, 5);
	assert_int_equal(rights.write_application, EVERR_OK);
	assert_int_equal(rights.write_security, EVERR_ACCESS);
	assert_int_equal(rights.reload, 5);
}

static void test_root_may_do_everything_locally(void **state)
{
	struct rights rights = rights_of_me(*state);

	assert_int_equal(rights.read_application, 0);
	assert_int_equal(rights.read_security, 0);
	assert_int_equal(rights.write_application, EVERR_OK);
	assert_int_equal(rights.write_security, EVERR_OK);
	assert_int_equal(rights.reload, 0);
}

/* ------------------------------------------------- users over the wire */

static void test_a_reader_may_read_and_a_stranger_may_not(void **state)
{
	struct dcerpc_pipe *reader = NULL;
	struct dcerpc_pipe *stranger = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	status = client_connect(&client, &server, "ntlm,seal", SERVER_READER,
				SERVER_PASSWORD, &reader);
	assert_true(NT_STATUS_IS_OK(status));
	status = client_connect(&client, &server, "spnego,seal",
				SERVER_STRANGER, SERVER_PASSWORD, &stranger);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(W_ERROR_V(open_log(reader, "Security")), 0);
	assert_int_equal(W_ERROR_V(open_log(reader, "Application")), 0);
	assert_int_equal(W_ERROR_V(open_log(stranger, "Security")), 5);
	/* INTERACTIVE users may read it; he is not at the console. */
	assert_int_equal(W_ERROR_V(open_log(stranger, "Application")), 5);
}

/* Last: under LeakSanitizer this is the server's own leak check. */
static void test_the_server_ends_with_nothing_left(void **state)
{
	server_stop(&server);
}

#define limits_test(fn) \
	cmocka_unit_test_setup_teardown(fn, context_setup, context_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		limits_test(test_a_client_that_does_not_log_on_is_cut_off),
		limits_test(test_one_address_gets_so_many_connections_only),
		limits_test(test_without_descriptors_new_clients_wait),
		limits_test(test_a_client_gets_so_many_handles_only),
		limits_test(test_a_connection_parks_so_many_calls_only),
		limits_test(
			test_a_stalled_reader_costs_its_limit_and_delays_nobody),
		limits_test(
			test_small_answers_that_nobody_reads_are_limited_too),
		limits_test(test_a_local_user_has_what_interactive_users_have),
		limits_test(test_root_may_do_everything_locally),
		limits_test(test_a_reader_may_read_and_a_stranger_may_not),
		limits_test(test_the_server_ends_with_nothing_left),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
