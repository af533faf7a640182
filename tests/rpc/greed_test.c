/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a client can make the service keep for it: memory behind handles, also
 * those of the endpoint mapper, and connections of a local user.
 */

#include "idl/even6_client.h"
#include "tests/rpc/server_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
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

/* [MS-ERREF]: ERROR_NOT_ENOUGH_QUOTA */
#define WERR_QUOTA 0x718

/* MAX_RPC_QUERY_CHANNEL_SIZE, [MS-EVEN6] 2.2.1. */
#define PATHS 512
/* What one client may keep; the default. */
#define MEMORY_KIB (16 * 1024)

static struct server server;

static int group_setup(void **state)
{
	static const struct server_options options = {
		.limits = {.connections_per_peer = 4},
	};

	server_start_with(&server, &options);
	return 0;
}

static int group_teardown(void **state)
{
	server_kill(&server);
	return 0;
}

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

/* ------------------------------------------------------------- handles */

/* A query on as many channels as there may be, none of which exists. */
static char *wide_query(TALLOC_CTX *mem_ctx)
{
	char *text = talloc_strdup(mem_ctx, "<QueryList><Query Id='0'>");
	size_t i;

	for (i = 0; i < PATHS; i++) {
		text = talloc_asprintf_append(
			text, "<Select Path='%0200zu'>*</Select>", i);
	}
	text = talloc_asprintf_append(text, "</Query></QueryList>");
	assert_non_null(text);
	return text;
}

static WERROR open_query(struct dcerpc_pipe *pipe, const char *query,
			 struct policy_handle *handle)
{
	struct even6_EvtRpcRegisterLogQuery r = {};
	struct even6_EvtRpcQueryChannelInfo *info = NULL;
	struct even6_RpcInfo error = {};
	struct policy_handle control;
	TALLOC_CTX *frame = talloc_new(NULL);
	uint32_t info_size = 0;
	NTSTATUS status;

	r.in.query = query;
	r.in.flags =
		EVEN6_QUERY_CHANNEL_PATH | EVEN6_QUERY_TOLERATE_QUERY_ERRORS;
	r.out.handle = handle;
	r.out.opControl = &control;
	r.out.queryChannelInfoSize = &info_size;
	r.out.queryChannelInfo = &info;
	r.out.error = &error;
	status = dcerpc_even6_EvtRpcRegisterLogQuery_r(pipe->binding_handle,
						       frame, &r);
	TALLOC_FREE(frame);
	assert_true(NT_STATUS_IS_OK(status));
	return r.out.result;
}

static void close_handle(struct dcerpc_pipe *pipe, struct policy_handle *handle)
{
	struct even6_EvtRpcClose r = {};
	NTSTATUS status;

	r.in.handle = handle;
	r.out.handle = handle;
	status = dcerpc_even6_EvtRpcClose_r(pipe->binding_handle, pipe, &r);
	assert_true(NT_STATUS_IS_OK(status));
	assert_int_equal(W_ERROR_V(r.out.result), 0);
}

static void test_handles_are_limited_by_what_they_keep(void **state)
{
	struct policy_handle handles[127];
	struct dcerpc_pipe *pipe = NULL;
	struct client client;
	WERROR werr = WERR_OK;
	NTSTATUS status;
	char *query = wide_query(*state);
	size_t rss __attribute__((unused));
	size_t n = 0;

	client_init(&client, *state, &server);
	status = client_connect(&client, &server, "ntlm,seal", SERVER_STRANGER,
				SERVER_PASSWORD, &pipe);
	assert_true(NT_STATUS_IS_OK(status));
	rss = server_rss(&server);
	while (n < 127 && W_ERROR_IS_OK(werr)) {
		werr = open_query(pipe, query, &handles[n]);
		n += W_ERROR_IS_OK(werr);
	}
	assert_int_equal(W_ERROR_V(werr), WERR_QUOTA);
	assert_true(n > 10);
#ifndef __SANITIZE_ADDRESS__
	assert_true(server_rss(&server) < rss + MEMORY_KIB + MEMORY_KIB / 4);
#endif

	/* What is closed leaves its room. */
	close_handle(pipe, &handles[0]);
	assert_int_equal(W_ERROR_V(open_query(pipe, query, &handles[0])), 0);
	assert_int_equal(W_ERROR_V(open_query(pipe, query, &handles[n])),
			 WERR_QUOTA);
}

/* -------------------------------------------------------------- mapper */

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

static bool recv_all(int fd, uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(fd, data, len, 0);

		if (got <= 0) {
			return false;
		}
		data += got;
		len -= (size_t)got;
	}
	return true;
}

/* The type of the next PDU; 0xFF when the peer has closed. */
static uint8_t recv_pdu(int fd)
{
	uint8_t pdu[5840];
	size_t len;

	if (!recv_all(fd, pdu, 16)) {
		return 0xFF;
	}
	len = pdu[8] | (size_t)pdu[9] << 8;
	assert_true(len >= 16 && len <= sizeof(pdu));
	return recv_all(fd, pdu + 16, len - 16) ? pdu[2] : 0xFF;
}

static const uint8_t mapper_bind[] = {
	5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 0xd0, 0x16, 0xd0,
	0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0,
	/* e1af8308-5d1f-11c9-91a4-08002b14a0fa 3.0 */
	0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00,
	0x2b, 0x14, 0xa0, 0xfa, 3, 0, 0, 0,
	/* NDR 8a885d04-1ceb-11c9-9fe8-08002b104860 2.0 */
	0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00,
	0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0};

/*
 * ept_lookup (C706 appendix O, opnum 2) of one entry: the answer is not the
 * last, so the mapper keeps a handle, and nobody had to log on for it.
 */
static const uint8_t mapper_lookup[64] = {
	5, 0, 0, 3, 0x10, 0, 0, 0, 64, 0, 0, 0, 2, 0, 0, 0, 40, 0, 0, 0, 0, 0,
	2, 0,
	/* all elements; no object, no interface, vers_all; no handle yet */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};

static void test_a_visit_to_the_mapper_ends_after_so_many_calls(void **state)
{
	int fd = tcp_connect(server.mapper_port);
	size_t answers = 0;

	assert_int_equal(send(fd, mapper_bind, sizeof(mapper_bind), 0),
			 sizeof(mapper_bind));
	assert_int_equal(recv_pdu(fd), 12);
	while (answers < 1000) {
		ssize_t n = send(fd, mapper_lookup, sizeof(mapper_lookup),
				 MSG_NOSIGNAL);

		if (n == -1 || recv_pdu(fd) != 2) {
			break;
		}
		answers++;
	}
	close(fd);
	/* A look-up of all there is takes three or four. */
	assert_in_range(answers, 16, 256);
}

/* --------------------------------------------------------------- local */

static int local_connect(void)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, server.control, strlen(server.control));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As nobody: more connections than a peer may have; how many are closed. */
static size_t crowd_closed(int *fds, size_t count)
{
	size_t closed = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		fds[i] = local_connect();
	}
	for (i = 0; i < count; i++) {
		const struct timeval soon = {.tv_usec = 300000};
		char byte;

		(void)setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &soon,
				 sizeof(soon));
		closed += fds[i] == -1 || recv(fds[i], &byte, 1, 0) == 0;
	}
	return closed;
}

static void test_a_local_user_does_not_shut_the_others_out(void **state)
{
	struct client client;
	uint8_t closed = 0;
	int there[2];
	int back[2];
	int fds[6];
	pid_t pid;

	if (geteuid() != 0) {
		print_message("# not tested here: not root\n");
		return;
	}
	assert_int_equal(pipe(there), 0);
	assert_int_equal(pipe(back), 0);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) == 0 && setgid(SERVER_NOBODY) == 0 &&
		    setuid(SERVER_NOBODY) == 0) {
			closed = (uint8_t)crowd_closed(fds, 6);
			(void)!write(there[1], &closed, 1);
			/* Hold them until root has had its turn. */
			close(back[1]);
			(void)!read(back[0], &closed, 1);
		}
		_exit(0);
	}
	close(there[1]);
	close(back[0]);
	assert_int_equal(read(there[0], &closed, 1), 1);
	assert_int_equal(closed, 2);

	client_init(&client, *state, &server);
	assert_int_equal(client_status(&client, &server, "connections"), 5);
	close(back[1]);
	close(there[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Last: under LeakSanitizer this is the server's own leak check. */
static void test_the_server_ends_with_nothing_left(void **state)
{
	server_stop(&server);
}

#define greed_test(fn) \
	cmocka_unit_test_setup_teardown(fn, context_setup, context_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		greed_test(test_handles_are_limited_by_what_they_keep),
		greed_test(test_a_visit_to_the_mapper_ends_after_so_many_calls),
		greed_test(test_a_local_user_does_not_shut_the_others_out),
		greed_test(test_the_server_ends_with_nothing_left),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
