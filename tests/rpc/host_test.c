/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "idl/control_client.h"
#include "idl/even6_client.h"
#include "tests/rpc/server_fixture.h"

#include <credentials.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* libdcerpc's names of the faults 0x5, 0x1C00001A and 0x1C01000B, facts 1.4 */
#define ACCESS_DENIED NT_STATUS_V(NT_STATUS_ACCESS_DENIED)
#define CONTEXT_MISMATCH NT_STATUS_V(NT_STATUS_RPC_SS_CONTEXT_MISMATCH)
#define PROTO_ERROR NT_STATUS_V(NT_STATUS_RPC_PROTOCOL_ERROR)

static struct server server;

static int group_setup(void **state)
{
	server_start(&server, NULL, 0);
	return 0;
}

static int group_teardown(void **state)
{
	server_kill(&server);
	return 0;
}

/* Connect and let the fault of an unknown handle prove that a call got in. */
static uint32_t fault_with(TALLOC_CTX *ctx, const char *options,
			   const char *user, const char *password)
{
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, ctx, &server);
	status = client_connect(&client, &server, options, user, password,
				&pipe);
	assert_true(NT_STATUS_IS_OK(status));
	return NT_STATUS_V(client_close_unknown(pipe));
}

static void test_ntlm_is_served_signed_and_sealed(void **state)
{
	assert_int_equal(
		fault_with(*state, "ntlm,sign", SERVER_READER, SERVER_PASSWORD),
		CONTEXT_MISMATCH);
	assert_int_equal(
		fault_with(*state, "ntlm,seal", SERVER_READER, SERVER_PASSWORD),
		CONTEXT_MISMATCH);
}

static void test_spnego_is_served_signed_and_sealed(void **state)
{
	assert_int_equal(fault_with(*state, "spnego,sign", SERVER_READER,
				    SERVER_PASSWORD),
			 CONTEXT_MISMATCH);
	assert_int_equal(fault_with(*state, "spnego,seal", SERVER_READER,
				    SERVER_PASSWORD),
			 CONTEXT_MISMATCH);
}

static void test_a_wrong_password_over_spnego_fails_the_bind(void **state)
{
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	status = client_connect(&client, &server, "spnego,seal", SERVER_READER,
				"wrong", &pipe);
	assert_int_equal(NT_STATUS_V(status),
			 NT_STATUS_V(NT_STATUS_LOGON_FAILURE));
}

/* AUTH3 has no answer, so raw NTLM hears of it with its first call. */
static void test_a_wrong_password_over_ntlm_fails_the_first_call(void **state)
{
	assert_int_equal(
		fault_with(*state, "ntlm,seal", SERVER_READER, "wrong"),
		PROTO_ERROR);
	assert_int_equal(
		fault_with(*state, "ntlm,seal", "nosuchuser", SERVER_PASSWORD),
		PROTO_ERROR);
}

static void test_a_failed_logon_is_counted(void **state)
{
	struct client client;
	long before;

	client_init(&client, *state, &server);
	before = client_status(&client, &server, "logon_failures");
	(void)fault_with(*state, "ntlm,seal", SERVER_READER, "wrong");
	assert_int_equal(client_status(&client, &server, "logon_failures"),
			 before + 1);
}

static void test_nobody_is_served_anonymously(void **state)
{
	assert_int_equal(fault_with(*state, "", NULL, NULL), ACCESS_DENIED);
}

/* A sealed NTLM session of the anonymous user is none either. */
static void test_an_anonymous_ntlm_session_is_refused(void **state)
{
	assert_int_equal(fault_with(*state, "ntlm,seal", "", ""),
			 ACCESS_DENIED);
}

static void test_less_than_integrity_is_refused(void **state)
{
	assert_int_equal(fault_with(*state, "ntlm,connect", SERVER_READER,
				    SERVER_PASSWORD),
			 ACCESS_DENIED);
	assert_int_equal(fault_with(*state, "ntlm,packet", SERVER_READER,
				    SERVER_PASSWORD),
			 ACCESS_DENIED);
	assert_int_equal(fault_with(*state, "spnego,connect", SERVER_READER,
				    SERVER_PASSWORD),
			 ACCESS_DENIED);
}

static void test_ndr64_is_spoken_to_who_proposes_nothing_else(void **state)
{
	assert_int_equal(fault_with(*state, "ntlm,seal,ndr64", SERVER_READER,
				    SERVER_PASSWORD),
			 CONTEXT_MISMATCH);
}

static void test_the_control_socket_needs_no_logon(void **state)
{
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	status =
		client_connect_local(&client, &server, &ndr_table_even6, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	status = client_close_unknown(pipe);
	assert_int_equal(NT_STATUS_V(status), CONTEXT_MISMATCH);
	assert_true(client_status(&client, &server, "connections") >= 2);
}

/* The control interface is local by design, not by a check in each call. */
static void test_the_control_interface_is_not_on_the_network(void **state)
{
	struct dcerpc_binding *binding = NULL;
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	char text[64];
	NTSTATUS status;

	client_init(&client, *state, &server);
	(void)snprintf(text, sizeof(text), "ncacn_ip_tcp:127.0.0.1[%u]",
		       (unsigned int)server.port);
	status = dcerpc_parse_binding(client.mem_ctx, text, &binding);
	assert_true(NT_STATUS_IS_OK(status));
	status = dcerpc_pipe_connect_b(
		client.mem_ctx, &pipe, binding, &ndr_table_control,
		cli_credentials_init_anon(*state), client.ev, client.lp_ctx);
	assert_false(NT_STATUS_IS_OK(status));
}

/* ------------------------------------------------- association groups */

static NTSTATUS make_control(struct dcerpc_pipe *pipe,
			     struct policy_handle *handle)
{
	struct even6_EvtRpcRegisterControllableOperation r = {};

	r.out.handle = handle;
	return dcerpc_even6_EvtRpcRegisterControllableOperation_r(
		pipe->binding_handle, pipe, &r);
}

/* 0, or the NTSTATUS of the fault. */
static uint32_t cancel_control(struct dcerpc_pipe *pipe,
			       struct policy_handle *handle)
{
	struct even6_EvtRpcCancel r = {};
	NTSTATUS status;

	r.in.handle = handle;
	status = dcerpc_even6_EvtRpcCancel_r(pipe->binding_handle, pipe, &r);
	if (NT_STATUS_IS_OK(status)) {
		assert_int_equal(W_ERROR_V(r.out.result), 0);
	}
	return NT_STATUS_V(status);
}

static struct dcerpc_pipe *connect_reader(struct client *client)
{
	struct dcerpc_pipe *pipe = NULL;
	NTSTATUS status;

	status = client_connect(client, &server, "ntlm,seal", SERVER_READER,
				SERVER_PASSWORD, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	return pipe;
}

static void test_a_handle_lives_as_long_as_its_group(void **state)
{
	struct policy_handle handle = {};
	struct dcerpc_pipe *first = NULL;
	struct dcerpc_pipe *second = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	first = connect_reader(&client);
	status = make_control(first, &handle);
	assert_true(NT_STATUS_IS_OK(status));
	status = client_join(&client, &server, first, SERVER_READER, &second);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(cancel_control(second, &handle), 0);

	TALLOC_FREE(first);
	while (client_status(&client, &server, "connections") > 2) {
	}
	assert_int_equal(client_status(&client, &server, "handles"), 1);
	assert_int_equal(cancel_control(second, &handle), 0);

	TALLOC_FREE(second);
	while (client_status(&client, &server, "connections") > 1) {
	}
	assert_int_equal(client_status(&client, &server, "handles"), 0);
}

static void test_a_handle_is_unknown_outside_its_group(void **state)
{
	struct policy_handle handle = {};
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	status = make_control(connect_reader(&client), &handle);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(cancel_control(connect_reader(&client), &handle),
			 CONTEXT_MISMATCH);
}

static void test_a_handle_is_unknown_to_another_user(void **state)
{
	struct policy_handle handle = {};
	struct dcerpc_pipe *first = NULL;
	struct dcerpc_pipe *second = NULL;
	struct client client;
	NTSTATUS status;

	client_init(&client, *state, &server);
	first = connect_reader(&client);
	status = make_control(first, &handle);
	assert_true(NT_STATUS_IS_OK(status));
	status = client_join(&client, &server, first, SERVER_STRANGER, &second);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(cancel_control(second, &handle), CONTEXT_MISMATCH);
}

static void test_an_empty_handle_is_unknown(void **state)
{
	struct policy_handle handle = {};
	struct client client;

	client_init(&client, *state, &server);
	assert_int_equal(cancel_control(connect_reader(&client), &handle),
			 CONTEXT_MISMATCH);
	assert_int_equal(client_status(&client, &server, "handles"), 0);
}

/* ------------------------------------------------------- dying clients */

static void subscribe_and_wait(struct dcerpc_pipe *pipe, TALLOC_CTX *ctx)
{
	struct even6_EvtRpcRegisterRemoteSubscription *r =
		talloc_zero(ctx, struct even6_EvtRpcRegisterRemoteSubscription);
	struct even6_EvtRpcRemoteSubscriptionWaitAsync *wait = talloc_zero(
		ctx, struct even6_EvtRpcRemoteSubscriptionWaitAsync);
	NTSTATUS status;

	r->in.channelPath = "Application";
	r->in.query = "*";
	r->in.flags = EVEN6_SUBSCRIBE_TO_FUTURE_EVENTS | EVEN6_SUBSCRIBE_PULL;
	r->out.handle = talloc_zero(r, struct policy_handle);
	r->out.control = talloc_zero(r, struct policy_handle);
	r->out.queryChannelInfoSize = talloc_zero(r, uint32_t);
	r->out.queryChannelInfo =
		talloc_zero(r, struct even6_EvtRpcQueryChannelInfo *);
	r->out.error = talloc_zero(r, struct even6_RpcInfo);
	status = dcerpc_even6_EvtRpcRegisterRemoteSubscription_r(
		pipe->binding_handle, r, r);
	if (!NT_STATUS_IS_OK(status) || !W_ERROR_IS_OK(r->out.result)) {
		_exit(3);
	}
	wait->in.handle = r->out.handle;
	(void)dcerpc_even6_EvtRpcRemoteSubscriptionWaitAsync_r_send(
		wait, pipe->conn->event_ctx, pipe->binding_handle, wait);
}

/* A process with count clients, each with a parked call; then it is gone. */
static void die_with_parked_calls(size_t count, const char *options)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct client client;
	NTSTATUS status;
	long parked = 0;
	size_t i;

	client_init(&client, ctx, &server);
	for (i = 0; i < count; i++) {
		struct dcerpc_pipe *pipe = NULL;

		status = client_connect(&client, &server, options,
					SERVER_READER, SERVER_PASSWORD, &pipe);
		if (!NT_STATUS_IS_OK(status)) {
			_exit(4);
		}
		subscribe_and_wait(pipe, ctx);
	}
	while (parked < (long)count) {
		parked = client_status(&client, &server, "parked_calls");
	}
	_exit(0);
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* HOST_TEST_CLIENTS=1000 is the figure that the project promises. */
static void test_clients_that_die_with_a_parked_call_leave_nothing(void **state)
{
	const char *text = getenv("HOST_TEST_CLIENTS");
	size_t count = text != NULL ? strtoul(text, NULL, 10) : 50;
	struct client client;
	size_t fds_before;
	size_t fds = 0;
	double started;
	double begin;
	int status = -1;
	pid_t pid;

	client_init(&client, *state, &server);
	assert_int_equal(client_status(&client, &server, "handles"), 0);
	fds_before = server_num_fds(&server);
	begin = seconds_now();

	pid = fork();
	if (pid == 0) {
		die_with_parked_calls(count, "ntlm,seal");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	started = seconds_now();
	while (seconds_now() - started < 3) {
		if (client_status(&client, &server, "parked_calls") == 0 &&
		    client_status(&client, &server, "handles") == 0) {
			break;
		}
	}
	if (text != NULL) {
		fprintf(stderr,
			"%zu clients: %.2f s to come, %.3f s to go, %zu KiB\n",
			count, started - begin, seconds_now() - started,
			server_rss(&server));
	}
	assert_int_equal(client_status(&client, &server, "parked_calls"), 0);
	assert_int_equal(client_status(&client, &server, "handles"), 0);
	assert_int_equal(client_status(&client, &server, "subscriptions"), 0);
	/* The connection that asks is one itself. */
	assert_int_equal(client_status(&client, &server, "connections"), 1);
	do {
		fds = server_num_fds(&server);
	} while (fds > fds_before && seconds_now() - started < 3);
	assert_true(fds <= fds_before);
}

/* Samba keeps what it loads once, so leaks are looked for in our rooms' own. */
static int context_setup(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int context_teardown(void **state)
{
	TALLOC_FREE(*state);
	return 0;
}

/* Last: under LeakSanitizer this is the server's own leak check. */
static void test_the_server_ends_with_nothing_left(void **state)
{
	server_stop(&server);
}

#define host_test(fn) \
	cmocka_unit_test_setup_teardown(fn, context_setup, context_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(test_ntlm_is_served_signed_and_sealed),
		host_test(test_spnego_is_served_signed_and_sealed),
		host_test(test_a_wrong_password_over_spnego_fails_the_bind),
		host_test(test_a_wrong_password_over_ntlm_fails_the_first_call),
		host_test(test_a_failed_logon_is_counted),
		host_test(test_nobody_is_served_anonymously),
		host_test(test_an_anonymous_ntlm_session_is_refused),
		host_test(test_less_than_integrity_is_refused),
		host_test(test_ndr64_is_spoken_to_who_proposes_nothing_else),
		host_test(test_the_control_socket_needs_no_logon),
		host_test(test_the_control_interface_is_not_on_the_network),
		host_test(test_a_handle_lives_as_long_as_its_group),
		host_test(test_a_handle_is_unknown_outside_its_group),
		host_test(test_a_handle_is_unknown_to_another_user),
		host_test(test_an_empty_handle_is_unknown),
		host_test(
			test_clients_that_die_with_a_parked_call_leave_nothing),
		host_test(test_the_server_ends_with_nothing_left),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
