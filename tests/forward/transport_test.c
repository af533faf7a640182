/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forward/transport_internal.h"
#include "tests/forward/receiver.h"
#include "tests/leak.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)

struct test {
	struct tevent_context *ev;
	struct receiver *receiver;
	struct sender *sender;
};

static struct test make(TALLOC_CTX *mem_ctx, uint32_t kind, int family,
			int type)
{
	struct test t = {.ev = tevent_context_init(mem_ctx)};

	assert_non_null(t.ev);
	t.receiver = receiver_open(t.ev, t.ev, family, type);
	t.sender = sender_create(t.ev, t.ev, kind, t.receiver);
	return t;
}

static void start_and_wait(const struct test *t)
{
	sender_start(t->sender);
	loop_until(t->ev, t->sender->readies > 0);
}

static struct forward_transport_info info_of(const struct sender *sender)
{
	struct forward_transport_info info;

	forward_transport_info(sender->transport, &info);
	return info;
}

/* A message of size bytes, of letters. */
static uint8_t *make_message(TALLOC_CTX *mem_ctx, size_t size)
{
	uint8_t *message = talloc_array(mem_ctx, uint8_t, size);

	assert_non_null(message);
	memset(message, 'm', size);
	return message;
}

/* A kernel without room: what sendmmsg() has to say then; 0: it sends. */
static int sendmmsg_errno;
static size_t sendmmsg_calls;

/* In place of the C library's. */
int sendmmsg(int fd, struct mmsghdr *headers, unsigned int num, int flags)
{
	sendmmsg_calls++;
	if (sendmmsg_errno != 0) {
		errno = sendmmsg_errno;
		return -1;
	}
	return (int)syscall(SYS_sendmmsg, fd, headers, num, flags);
}

/* -------------------------------------------------------------- framing */

static void test_tcp_counts_octets(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);

	start_and_wait(&t);
	assert_true(sender_send(t.sender, "<13>1 one", 7));
	assert_true(sender_send(t.sender, "<13>1 and two", 8));
	loop_until(t.ev, t.sender->arrived == 8);
	loop_until(t.ev, t.receiver->len >= 26);
	assert_true(receiver_has(t.receiver, "9 <13>1 one13 <13>1 and two"));
	assert_int_equal(info_of(t.sender).messages, 2);
	assert_int_equal(info_of(t.sender).bytes, 27);
	assert_int_equal(info_of(t.sender).in_flight, 0);
}

static void test_tcp_ends_messages_by_newline(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);

	t.sender->config.framing = FORWARD_NEWLINE;
	start_and_wait(&t);
	assert_true(sender_send(t.sender, "one", 1));
	assert_true(sender_send(t.sender, "two", 2));
	loop_until(t.ev, t.sender->arrived == 2);
	loop_until(t.ev, t.receiver->len >= 8);
	assert_true(receiver_has(t.receiver, "one\ntwo\n"));
}

static void test_unix_stream_is_framed_like_tcp(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_STREAM);

	start_and_wait(&t);
	assert_true(sender_send(t.sender, "one", 1));
	assert_true(sender_send(t.sender, "three", 2));
	loop_until(t.ev, t.sender->arrived == 2);
	assert_true(receiver_has(t.receiver, "3 one5 three"));
}

static void test_udp_sends_one_datagram_for_each(void **state)
{
	struct test t = make(*state, FORWARD_UDP, AF_INET, SOCK_DGRAM);
	char text[16];
	uint64_t i;

	start_and_wait(&t);
	for (i = 1; i <= 150; i++) {
		snprintf(text, sizeof(text), "m%03u", (unsigned int)i);
		assert_true(sender_send(t.sender, text, i));
	}
	loop_until(t.ev, t.receiver->datagrams == 150);
	assert_int_equal(t.sender->arrived, 150);
	assert_int_equal(t.receiver->len, 150 * 5);
	assert_memory_equal(t.receiver->bytes, "m001\nm002\n", 10);
	assert_memory_equal(t.receiver->bytes + 149 * 5, "m150\n", 5);
}

static void test_unix_datagrams_wait_for_a_slow_reader(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_DGRAM);
	uint64_t i;

	receiver_pause(t.receiver);
	start_and_wait(&t);
	for (i = 1; i <= 1000; i++) {
		assert_true(sender_send(t.sender, "datagram", i));
	}
	/* The queue of a socket: net.unix.max_dgram_qlen and one. */
	loop_until(t.ev, t.sender->arrived > 0);
	assert_true(t.sender->arrived < 1000);
	/* Meanwhile the kernel is not asked: only looks at the clock. */
	loop_until(t.ev,
		   t.sender->transport->check_ms == TRANSPORT_CHECK_MAX_MS);
	sendmmsg_calls = 0;
	for (i = 0; i < 3; i++) {
		loop_turn(t.ev);
	}
	assert_int_equal(sendmmsg_calls, 0);
	receiver_resume(t.receiver);
	loop_until(t.ev, t.receiver->datagrams == 1000);
	assert_int_equal(t.sender->arrived, 1000);
	assert_int_equal(t.sender->downs, 0);
}

/* The socket is writable all the while. */
static void check_pauses(void **state, uint32_t kind, int family, int error)
{
	struct test t = make(*state, kind, family, SOCK_DGRAM);
	uint64_t began;

	start_and_wait(&t);
	sendmmsg_errno = error;
	sendmmsg_calls = 0;
	began = transport_now_ms();
	assert_true(sender_send(t.sender, "one", 1));
	assert_true(sender_send(t.sender, "two", 2));
	loop_until(t.ev, sendmmsg_calls >= 8);
	sendmmsg_errno = 0;
	/* After the first, one for the writable socket, then the pauses. */
	assert_true(transport_now_ms() - began >= 6 * TRANSPORT_PAUSE_MS);
	assert_int_equal(t.sender->arrived, 0);
	loop_until(t.ev, t.receiver->datagrams == 2);
	assert_true(receiver_has(t.receiver, "one\ntwo\n"));
	assert_int_equal(t.sender->downs, 0);
	/* It can be freed in a pause. */
	sendmmsg_errno = error;
	assert_true(sender_send(t.sender, "three", 3));
	loop_until(t.ev, t.sender->transport->pause != NULL);
	TALLOC_FREE(t.sender->transport);
	sendmmsg_errno = 0;
}

static void test_a_kernel_without_room_is_asked_now_and_then(void **state)
{
	check_pauses(state, FORWARD_UDP, AF_INET, ENOBUFS);
	check_pauses(state, FORWARD_UDP, AF_INET, EAGAIN);
	check_pauses(state, FORWARD_UNIX, AF_UNIX, ENOBUFS);
}

static void test_datagram_too_long_is_counted_and_passed_over(void **state)
{
	struct test t = make(*state, FORWARD_UDP, AF_INET, SOCK_DGRAM);
	uint8_t *message = make_message(t.ev, 66000);

	start_and_wait(&t);
	assert_true(sender_send(t.sender, "before", 1));
	assert_true(
		forward_transport_send(t.sender->transport, message, 66000, 2));
	assert_true(sender_send(t.sender, "after", 3));
	loop_until(t.ev, t.receiver->datagrams == 2);
	assert_true(receiver_has(t.receiver, "before\nafter\n"));
	assert_int_equal(t.sender->arrived, 3);
	assert_int_equal(info_of(t.sender).refused, 1);
	assert_int_equal(t.sender->downs, 0);
}

/* -------------------------------------------------------------- arrived */

static void test_unix_stream_has_arrived_when_it_was_read(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_STREAM);
	struct pollfd pfd;

	receiver_pause(t.receiver);
	start_and_wait(&t);
	loop_until(t.ev, t.receiver->accepted == 1);
	assert_true(sender_send(t.sender, "unread", 1));
	pfd = (struct pollfd){.fd = t.receiver->peer, .events = POLLIN};
	loop_until(t.ev, poll(&pfd, 1, 0) == 1);
	stream_check(t.sender->transport);
	assert_int_equal(info_of(t.sender).in_flight, 1);

	receiver_resume(t.receiver);
	loop_until(t.ev, t.sender->arrived == 1);
	assert_int_equal(t.receiver->len, 8);
}

static void test_unix_stream_that_is_closed_unread_has_not_arrived(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_STREAM);

	receiver_pause(t.receiver);
	start_and_wait(&t);
	loop_until(t.ev, t.receiver->accepted == 1);
	assert_true(sender_send(t.sender, "unread", 1));
	stream_flush(t.sender->transport);
	/* The kernel empties the queue, before anybody looks at the socket. */
	receiver_drop(t.receiver, false);
	stream_check(t.sender->transport);
	assert_int_equal(info_of(t.sender).in_flight, 1);
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->arrived, 0);
}

/* As much as it takes; the next sequence number. */
static uint64_t fill(const struct test *t, const uint8_t *message, size_t len,
		     uint64_t next)
{
	while (forward_transport_send(t->sender->transport, message, len,
				      next)) {
		next++;
	}
	return next;
}

/* The receiver does not read: until all that may be is in flight, and some
   looks at it have shown no progress. */
static uint64_t fill_all(const struct test *t, const uint8_t *message,
			 size_t len)
{
	const struct forward_transport *transport = t->sender->transport;
	uint64_t next = 1;

	while (!transport->full ||
	       transport->check_ms < TRANSPORT_CHECK_MAX_MS) {
		next = fill(t, message, len, next);
		loop_turn(t->ev);
	}
	return next;
}

static void test_stalled_receiver_stops_the_sender(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	uint8_t *message = make_message(t.ev, 8192);
	const struct forward_transport *transport = NULL;
	uint64_t next;

	receiver_pause(t.receiver);
	start_and_wait(&t);
	transport = t.sender->transport;
	next = fill_all(&t, message, 8192);
	assert_true(info_of(t.sender).in_flight > 0);
	assert_true(transport->out.size <= 2 * FORWARD_IN_FLIGHT_MAX);
	assert_true(transport->out.len + transport->written -
			    transport->arrived <=
		    FORWARD_IN_FLIGHT_MAX + 8192 + 8);
	assert_false(sender_send(t.sender, "more", next));

	receiver_resume(t.receiver);
	loop_until(t.ev, t.sender->arrived == next - 1);
	assert_true(forward_transport_ready(transport));
	assert_int_equal(t.sender->downs, 0);
	assert_false(t.sender->out_of_order);
}

static void test_receiver_that_takes_nothing_is_left_after_a_time(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_STREAM);

	t.sender->config.idle_timeout = 1;
	receiver_pause(t.receiver);
	start_and_wait(&t);
	(void)fill_all(&t, make_message(t.ev, 65536), 65536);
	loop_until(t.ev, t.sender->downs == 1);
	assert_non_null(strstr(t.sender->reason, "took nothing for 1 seconds"));
	loop_until(t.ev, t.sender->readies >= 2);
}

/* What another connection's kernel takes would be lost with the receiver. */
static void test_receiver_whose_kernel_answers_is_waited_for(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	struct forward_transport *transport = NULL;
	unsigned int timeout = 1;
	socklen_t len = sizeof(timeout);
	uint64_t next;
	int i;

	receiver_pause(t.receiver);
	start_and_wait(&t);
	transport = t.sender->transport;
	next = fill_all(&t, make_message(t.ev, 65536), 65536);
	transport->progress_ms -= 60 * 1000;
	for (i = 0; i < 5; i++) {
		loop_turn(t.ev);
	}
	assert_int_equal(t.sender->downs, 0);
	/* Nor does our kernel end it. */
	assert_int_equal(getsockopt(transport->fd, IPPROTO_TCP,
				    TCP_USER_TIMEOUT, &timeout, &len),
			 0);
	assert_int_equal(timeout, 0);

	receiver_resume(t.receiver);
	loop_until(t.ev, t.sender->arrived == next - 1);
	assert_int_equal(t.sender->downs, 0);
}

static void test_what_has_arrived_is_told_when_it_is_asked(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	struct forward_transport *transport = NULL;
	uint64_t sequence = 0;
	int queued = 1;

	start_and_wait(&t);
	transport = t.sender->transport;
	assert_false(forward_transport_ask(transport, &sequence));
	assert_true(sender_send(t.sender, "one", 7));
	assert_true(sender_send(t.sender, "two", 8));
	assert_false(forward_transport_ask(transport, &sequence));
	stream_flush(transport);
	/* Without a turn of the loop: its timer tells nothing. */
	while (queued > 0) {
		assert_int_equal(ioctl(transport->fd, SIOCOUTQ, &queued), 0);
	}
	assert_true(forward_transport_ask(transport, &sequence));
	assert_int_equal(sequence, 8);
	assert_false(forward_transport_ask(transport, &sequence));
	assert_int_equal(t.sender->arrived, 0);
}

static void test_message_of_four_mib_passes(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	const struct forward_transport *transport = NULL;
	uint8_t *message = make_message(t.ev, 4 * MIB);

	start_and_wait(&t);
	transport = t.sender->transport;
	assert_true(sender_send(t.sender, "before", 1));
	assert_true(forward_transport_send(t.sender->transport, message,
					   4 * MIB, 2));
	/* One beside the bound, and no second one. */
	assert_false(forward_transport_send(t.sender->transport, message,
					    4 * MIB, 3));
	loop_until(t.ev, t.sender->arrived == 2);
	loop_until(t.ev, t.receiver->len == 4 * MIB + 16);
	assert_memory_equal(t.receiver->bytes, "6 before4194304 mmm", 19);
	/* It is not kept for the next one. */
	assert_true(transport->out.size <= 2 * FORWARD_IN_FLIGHT_MAX);
}

/* --------------------------------------------------------------- breaks */

static void break_in_the_middle(void **state, int family, bool reset)
{
	struct test t =
		make(*state, family == AF_UNIX ? FORWARD_UNIX : FORWARD_TCP,
		     family, SOCK_STREAM);

	start_and_wait(&t);
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.sender->arrived == 1 && t.receiver->len == 5);
	receiver_drop(t.receiver, reset);
	loop_until(t.ev, t.sender->downs == 1);
	assert_false(info_of(t.sender).up);
	assert_string_equal(info_of(t.sender).reason, t.sender->reason);
	assert_false(sender_send(t.sender, "two", 2));

	/* Sequence numbers start anywhere. */
	loop_until(t.ev, t.sender->readies == 2);
	assert_true(sender_send(t.sender, "two", 100));
	loop_until(t.ev, t.sender->arrived == 100 && t.receiver->len == 10);
	assert_true(receiver_has(t.receiver, "3 one3 two"));
	assert_int_equal(info_of(t.sender).connects, 2);
	assert_int_equal(t.receiver->accepted, 2);
}

static void test_after_a_close_it_connects_again(void **state)
{
	break_in_the_middle(state, AF_INET, false);
}

static void test_after_a_reset_it_connects_again(void **state)
{
	break_in_the_middle(state, AF_INET, true);
}

static void test_after_a_close_of_a_unix_socket_it_connects_again(void **state)
{
	break_in_the_middle(state, AF_UNIX, false);
}

static void test_what_was_in_flight_at_a_break_has_not_arrived(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_STREAM);

	receiver_pause(t.receiver);
	start_and_wait(&t);
	loop_until(t.ev, t.receiver->accepted == 1);
	assert_true(sender_send(t.sender, "lost", 1));
	loop_until(t.ev, t.sender->transport->written == 6);
	receiver_drop(t.receiver, false);
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->arrived, 0);
	assert_int_equal(info_of(t.sender).in_flight, 0);

	receiver_resume(t.receiver);
	loop_until(t.ev, t.sender->readies == 2);
	assert_true(sender_send(t.sender, "lost", 1));
	loop_until(t.ev, t.sender->arrived == 1);
	assert_true(receiver_has(t.receiver, "4 lost"));
}

static bool waits_for_a_verdict(const struct sender *sender)
{
	return sender->transport->state == TRANSPORT_GREETING &&
	       sender->transport->timer != NULL;
}

/*
 * Its kernel acknowledges what nobody reads: after two such connections it has
 * to keep one for a time before something is sent.
 */
static void test_receiver_that_always_closes_gets_no_more(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	uint64_t began;
	size_t i;

	sender_start(t.sender);
	for (i = 1; i <= 4; i++) {
		if (i > 2) {
			/* In the turn in which it begins: nothing here is late
			   for a wait that does not end. */
			loop_until(t.ev, waits_for_a_verdict(t.sender));
			TALLOC_FREE(t.sender->transport->timer);
		}
		loop_until(t.ev, t.receiver->accepted == i);
		loop_until(t.ev, t.sender->readies == i || i > 2);
		receiver_drop(t.receiver, false);
		loop_until(t.ev, t.sender->downs == i);
	}
	assert_int_equal(t.sender->readies, 2);
	loop_until(t.ev, waits_for_a_verdict(t.sender));
	began = transport_now_ms();
	loop_until(t.ev, t.sender->readies == 3);
	assert_true(transport_now_ms() - began >= TRANSPORT_VERDICT_MS / 2);
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.sender->arrived == 1);
	assert_int_equal(t.receiver->accepted, 5);
}

static void test_it_tries_until_somebody_listens(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	char reason[64];

	receiver_close(t.receiver);
	sender_start(t.sender);
	loop_until(t.ev, t.sender->downs == 2);
	snprintf(reason, sizeof(reason),
		 "127.0.0.1 port %u: Connection refused", t.receiver->port);
	assert_string_equal(t.sender->reason, reason);
	assert_int_equal(t.sender->readies, 0);
	receiver_reopen(t.receiver);
	loop_until(t.ev, t.sender->readies == 1);
}

static void test_name_that_nobody_has_is_the_reason(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);

	t.sender->config.host = "no such name";
	sender_start(t.sender);
	loop_until(t.ev, t.sender->downs == 1);
	assert_non_null(strstr(t.sender->reason,
			       "the name no such name cannot be resolved"));
}

static void test_udp_port_where_nobody_listens_is_noticed(void **state)
{
	struct test t = make(*state, FORWARD_UDP, AF_INET, SOCK_DGRAM);

	receiver_close(t.receiver);
	start_and_wait(&t);
	assert_true(sender_send(t.sender, "nobody", 1));
	loop_until(t.ev, t.sender->downs == 1);
	assert_non_null(strstr(t.sender->reason, "Connection refused"));
	receiver_reopen(t.receiver);
	loop_until(t.ev, t.sender->readies == 2);
	assert_true(sender_send(t.sender, "somebody", 2));
	loop_until(t.ev, t.receiver->datagrams == 1);
	assert_true(receiver_has(t.receiver, "somebody\n"));
}

/* Where localhost is ::1 as well, the receiver is at its other address. */
static void test_udp_receiver_at_any_address_of_a_name_is_found(void **state)
{
	struct test t = make(*state, FORWARD_UDP, AF_INET, SOCK_DGRAM);
	size_t tries;

	t.sender->config.host = "localhost";
	sender_start(t.sender);
	for (tries = 1; t.receiver->datagrams == 0; tries++) {
		loop_until(t.ev, t.sender->readies == tries);
		assert_true(sender_send(t.sender, "anybody", tries));
		loop_until(t.ev, t.receiver->datagrams > 0 ||
					 t.sender->downs == tries);
	}
	assert_memory_equal(t.receiver->bytes, "anybody\n", 8);
}

static void test_unix_datagram_socket_that_comes_again_is_found(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_DGRAM);

	start_and_wait(&t);
	receiver_close(t.receiver);
	receiver_reopen(t.receiver);
	assert_true(sender_send(t.sender, "first", 1));
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->arrived, 0);
	loop_until(t.ev, t.sender->readies == 2);
	assert_true(sender_send(t.sender, "first", 1));
	loop_until(t.ev, t.receiver->datagrams == 1);
	assert_int_equal(t.sender->arrived, 1);
}

static void test_what_a_receiver_says_is_passed_over(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	uint8_t *noise = make_message(t.ev, 100000);

	start_and_wait(&t);
	loop_until(t.ev, t.receiver->peer != -1);
	receiver_say(t.receiver, noise, 100000);
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.sender->arrived == 1);
	assert_int_equal(t.sender->downs, 0);
}

/* ------------------------------------------------------------------ RELP */

#define OPEN_ANSWER "1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n"

/* Through the greeting, with a server of the test's own. */
static struct test make_relp(TALLOC_CTX *mem_ctx)
{
	struct test t = make(mem_ctx, FORWARD_RELP, AF_INET, SOCK_STREAM);

	sender_start(t.sender);
	loop_until(t.ev,
		   t.receiver->len > 0 &&
			   t.receiver->bytes[t.receiver->len - 1] == '\n' &&
			   t.receiver->len > 60);
	assert_memory_equal(t.receiver->bytes, "1 open ", 7);
	assert_int_equal(t.sender->readies, 0);
	receiver_say(t.receiver, OPEN_ANSWER, strlen(OPEN_ANSWER));
	loop_until(t.ev, t.sender->readies == 1);
	t.receiver->len = 0;
	return t;
}

static void say(const struct test *t, const char *text)
{
	receiver_say(t->receiver, text, strlen(text));
}

static void test_relp_message_has_arrived_when_it_is_answered(void **state)
{
	struct test t = make_relp(*state);

	assert_true(sender_send(t.sender, "one", 41));
	assert_true(sender_send(t.sender, "and two", 42));
	loop_until(t.ev, t.receiver->len >= 34);
	assert_true(receiver_has(t.receiver,
				 "2 syslog 3 one\n3 syslog 7 and two\n"));
	assert_int_equal(t.sender->arrived, 0);
	say(&t, "2 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->arrived == 41);
	assert_int_equal(info_of(t.sender).in_flight, 1);
	say(&t, "3 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->arrived == 42);
	TALLOC_FREE(t.sender->transport);
	loop_until(t.ev, t.receiver->ended);
	assert_int_equal(t.receiver->len, 34 + 10);
	assert_memory_equal(t.receiver->bytes + 34, "4 close 0\n", 10);
}

static void test_relp_answers_out_of_order_count_in_order(void **state)
{
	struct test t = make_relp(*state);

	assert_true(sender_send(t.sender, "one", 1));
	assert_true(sender_send(t.sender, "two", 2));
	assert_true(sender_send(t.sender, "three", 3));
	loop_until(t.ev, t.receiver->len >= 47);
	say(&t, "3 rsp 6 200 OK\n2 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->arrived == 2);
	assert_int_equal(info_of(t.sender).in_flight, 1);
	say(&t, "4 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->arrived == 3);
	assert_false(t.sender->out_of_order);
}

static void test_relp_window_holds_the_sender_back(void **state)
{
	struct test t = make(*state, FORWARD_RELP, AF_INET, SOCK_STREAM);

	t.sender->config.window = 2;
	sender_start(t.sender);
	loop_until(t.ev, t.receiver->peer != -1);
	say(&t, OPEN_ANSWER);
	loop_until(t.ev, t.sender->readies == 1);
	assert_true(sender_send(t.sender, "one", 1));
	assert_true(sender_send(t.sender, "two", 2));
	assert_false(sender_send(t.sender, "three", 3));
	loop_until(t.ev,
		   t.sender->transport->written == t.sender->transport->taken);
	say(&t, "2 rsp 6 200 OK\n3 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->readies == 2);
	assert_true(sender_send(t.sender, "three", 3));
}

static void test_window_of_one_moves(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);

	t.sender->config.window = 1;
	start_and_wait(&t);
	assert_true(sender_send(t.sender, "one", 1));
	assert_false(sender_send(t.sender, "two", 2));
	loop_until(t.ev, t.sender->readies == 2);
	assert_int_equal(t.sender->arrived, 1);
	assert_true(sender_send(t.sender, "two", 2));
	loop_until(t.ev, t.sender->arrived == 2);
}

/* What the server says ends the session, for this reason. */
static void relp_ends(void **state, const char *text, const char *reason)
{
	struct test t = make_relp(*state);

	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.receiver->len >= 15);
	say(&t, text);
	loop_until(t.ev, t.sender->downs == 1);
	assert_non_null(strstr(t.sender->reason, reason));
	assert_int_equal(t.sender->arrived, 0);
	loop_until(t.ev, t.receiver->accepted == 2);
}

static void test_relp_session_ends_by_what_the_server_says(void **state)
{
	relp_ends(state, "2 rsp 8 500 full\n", "answered 500 full");
	relp_ends(state, "0 serverclose 0\n", "ends the session");
	relp_ends(state, "9 rsp 6 200 OK\n", "what was not asked");
	relp_ends(state, "1 rsp 6 200 OK\n", "what was not asked");
	relp_ends(state, "2 rsp 2 OK\n", "broke the RELP protocol");
	relp_ends(state, "5 starttls 0\n", "sent the command starttls");
	relp_ends(state, "garbage\n", "no RELP");
}

static void test_relp_message_that_is_refused_is_named(void **state)
{
	struct test t = make_relp(*state);

	assert_true(sender_send(t.sender, "one", 11));
	assert_true(sender_send(t.sender, "two", 12));
	assert_true(sender_send(t.sender, "three", 13));
	loop_until(t.ev, t.receiver->len >= 47);
	say(&t, "2 rsp 6 200 OK\n3 rsp 10 500 not me\n4 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->arrived, 11);
	assert_int_equal(t.sender->refused, 12);
	assert_false(t.sender->refused_late);
	assert_non_null(strstr(t.sender->refusal, "answered 500 not me"));
	assert_string_equal(t.sender->refusal, t.sender->reason);
}

/* Of the session, or of what was never sent. */
static void test_relp_refusal_of_no_message_names_none(void **state)
{
	struct test t = make_relp(*state);

	assert_true(sender_send(t.sender, "one", 11));
	loop_until(t.ev, t.receiver->len >= 15);
	say(&t, "3 rsp 8 500 full\n");
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->refused, 0);
	loop_until(t.ev, t.receiver->accepted == 2);
	say(&t, "1 rsp 8 500 full\n");
	loop_until(t.ev, t.sender->downs == 2);
	assert_int_equal(t.sender->refused, 0);
}

/* A number has 9 digits at most; its session starts with the next one's and
   the oldest one's. */
static void test_relp_session_ends_before_its_numbers_do(void **state)
{
	struct test t = make_relp(*state);
	uint32_t *numbers = t.sender->transport->session;

	assert_int_equal(numbers[0], 2);
	assert_int_equal(numbers[1], 2);
	numbers[0] = numbers[1] = 999999999 - TRANSPORT_MESSAGES_MAX;
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.receiver->len >= 23);
	assert_true(receiver_has(t.receiver, "999967231 syslog 3 one\n"));
	say(&t, "999967231 rsp 6 200 OK\n");
	loop_until(t.ev, t.sender->downs == 1);
	assert_int_equal(t.sender->arrived, 1);
	assert_non_null(strstr(t.sender->reason, "numbers are used up"));
	loop_until(t.ev, t.receiver->accepted == 2);
	t.receiver->len = 0;
	loop_until(t.ev, t.receiver->len > 7);
	assert_memory_equal(t.receiver->bytes, "1 open ", 7);
}

static void test_relp_server_without_syslog_is_refused(void **state)
{
	struct test t = make(*state, FORWARD_RELP, AF_INET, SOCK_STREAM);

	sender_start(t.sender);
	loop_until(t.ev, t.receiver->peer != -1);
	say(&t, "1 rsp 21 200 OK\nrelp_version=0\n");
	loop_until(t.ev, t.sender->downs == 1);
	assert_non_null(strstr(t.sender->reason, "takes no syslog"));
	assert_int_equal(t.sender->readies, 0);
}

/* --------------------------------------------------------------- freeing */

static void test_it_can_be_freed_in_every_turn(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	size_t turns, i;

	for (turns = 0; turns < 12; turns++) {
		sender_start(t.sender);
		for (i = 0; i < turns; i++) {
			loop_turn(t.ev);
			(void)sender_send(t.sender, "message", i);
		}
		TALLOC_FREE(t.sender->transport);
	}
}

static void test_it_can_be_freed_in_every_hook(void **state)
{
	struct test t = make(*state, FORWARD_TCP, AF_INET, SOCK_STREAM);
	size_t hook;

	/* ready, arrived, down */
	for (hook = 1; hook <= 3; hook++) {
		t.sender->hooks = 0;
		t.sender->readies = 0;
		t.sender->arrived = 0;
		t.sender->free_at_hook = hook;
		sender_start(t.sender);
		loop_until(t.ev, t.sender->hooks == 1);
		if (hook > 1) {
			assert_true(sender_send(t.sender, "one", 1));
			loop_until(t.ev, t.sender->hooks == 2);
		}
		if (hook > 2) {
			receiver_drop(t.receiver, false);
			loop_until(t.ev, t.sender->hooks == 3);
		}
		assert_null(t.sender->transport);
	}
}

static void test_path_that_is_too_long_is_refused(void **state)
{
	struct test t = make(*state, FORWARD_UNIX, AF_UNIX, SOCK_DGRAM);
	char path[200];
	char *message = NULL;

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	t.sender->config.path = path;
	assert_int_equal(forward_transport_create(
				 t.sender, t.ev, &t.sender->config, NULL, NULL,
				 &t.sender->transport, &message),
			 EVERR_CONFIG);
	assert_non_null(strstr(message, "longer than the path of a socket"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_tcp_counts_octets),
		leak_test(test_tcp_ends_messages_by_newline),
		leak_test(test_unix_stream_is_framed_like_tcp),
		leak_test(test_udp_sends_one_datagram_for_each),
		leak_test(test_unix_datagrams_wait_for_a_slow_reader),
		leak_test(test_a_kernel_without_room_is_asked_now_and_then),
		leak_test(test_datagram_too_long_is_counted_and_passed_over),
		leak_test(test_unix_stream_has_arrived_when_it_was_read),
		leak_test(
			test_unix_stream_that_is_closed_unread_has_not_arrived),
		leak_test(test_stalled_receiver_stops_the_sender),
		leak_test(
			test_receiver_that_takes_nothing_is_left_after_a_time),
		leak_test(test_receiver_whose_kernel_answers_is_waited_for),
		leak_test(test_what_has_arrived_is_told_when_it_is_asked),
		leak_test(test_message_of_four_mib_passes),
		leak_test(test_after_a_close_it_connects_again),
		leak_test(test_after_a_reset_it_connects_again),
		leak_test(
			test_after_a_close_of_a_unix_socket_it_connects_again),
		leak_test(test_what_was_in_flight_at_a_break_has_not_arrived),
		leak_test(test_receiver_that_always_closes_gets_no_more),
		leak_test(test_it_tries_until_somebody_listens),
		leak_test(test_name_that_nobody_has_is_the_reason),
		leak_test(test_udp_port_where_nobody_listens_is_noticed),
		leak_test(test_udp_receiver_at_any_address_of_a_name_is_found),
		leak_test(test_unix_datagram_socket_that_comes_again_is_found),
		leak_test(test_what_a_receiver_says_is_passed_over),
		leak_test(test_relp_message_has_arrived_when_it_is_answered),
		leak_test(test_relp_answers_out_of_order_count_in_order),
		leak_test(test_relp_window_holds_the_sender_back),
		leak_test(test_window_of_one_moves),
		leak_test(test_relp_session_ends_by_what_the_server_says),
		leak_test(test_relp_message_that_is_refused_is_named),
		leak_test(test_relp_refusal_of_no_message_names_none),
		leak_test(test_relp_session_ends_before_its_numbers_do),
		leak_test(test_relp_server_without_syslog_is_refused),
		leak_test(test_it_can_be_freed_in_every_turn),
		leak_test(test_it_can_be_freed_in_every_hook),
		leak_test(test_path_that_is_too_long_is_refused),
	};

	/* What tevent allocates once and for all. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
