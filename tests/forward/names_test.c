/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Receivers that are called by name.  The resolver is the test's own: it says
 * what it is told to, and when.
 */

#include "forward/transport_internal.h"
#include "tests/forward/receiver.h"
#include "tests/leak.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define NAME "siem.example.org"

/* The resolver's, of which it is asked in other threads. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	const char *const *addresses; /* NULL: it does not answer */
	unsigned int asked;
	unsigned int answered;
	bool takes_signals;
} names = {.mutex = PTHREAD_MUTEX_INITIALIZER,
	   .changed = PTHREAD_COND_INITIALIZER};

int __real_getaddrinfo(const char *host, const char *service,
		       const struct addrinfo *hints, struct addrinfo **ret);
int __wrap_getaddrinfo(const char *host, const char *service,
		       const struct addrinfo *hints, struct addrinfo **ret);

static struct addrinfo *names_answer(void)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST};
	struct addrinfo *list = NULL;
	struct addrinfo **end = &list;
	size_t i;

	while (names.addresses == NULL) {
		pthread_cond_wait(&names.changed, &names.mutex);
	}
	for (i = 0; names.addresses[i] != NULL; i++) {
		if (__real_getaddrinfo(names.addresses[i], NULL, &hints, end) !=
		    0) {
			abort();
		}
		end = &(*end)->ai_next;
	}
	return list;
}

int __wrap_getaddrinfo(const char *host, const char *service,
		       const struct addrinfo *hints, struct addrinfo **ret)
{
	sigset_t blocked;

	if (strcmp(host, NAME) != 0) {
		return __real_getaddrinfo(host, service, hints, ret);
	}
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	pthread_mutex_lock(&names.mutex);
	names.asked++;
	pthread_cond_broadcast(&names.changed);
	names.takes_signals = !sigismember(&blocked, SIGTERM) ||
			      !sigismember(&blocked, SIGHUP);
	*ret = names_answer();
	names.answered++;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.mutex);
	return 0;
}

static void names_set(const char *const *addresses)
{
	pthread_mutex_lock(&names.mutex);
	names.addresses = addresses;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.mutex);
}

/* Until it has been asked once more than before. */
static void names_wait_asked(unsigned int before)
{
	pthread_mutex_lock(&names.mutex);
	while (names.asked == before) {
		pthread_cond_wait(&names.changed, &names.mutex);
	}
	pthread_mutex_unlock(&names.mutex);
}

struct test {
	struct tevent_context *ev;
	struct receiver *receiver; /* at 127.0.0.1 only */
	struct sender *sender;
};

static struct test make(TALLOC_CTX *mem_ctx, uint32_t kind,
			const char *const *addresses)
{
	struct test t = {.ev = tevent_context_init(mem_ctx)};

	assert_non_null(t.ev);
	names_set(addresses);
	t.receiver = receiver_open(t.ev, t.ev, AF_INET, SOCK_STREAM);
	t.sender = sender_create(t.ev, t.ev, kind, t.receiver);
	t.sender->config.host = NAME;
	return t;
}

static void test_addresses_behind_a_dead_one_are_tried(void **state)
{
	static const char *const addresses[] = {"::1", "127.0.0.2", "127.0.0.1",
						NULL};
	struct test t = make(*state, FORWARD_TCP, addresses);

	sender_start(t.sender);
	loop_until(t.ev, t.sender->readies == 1);
	assert_int_equal(t.sender->downs, 0);
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.receiver->len == 5);
}

static void test_each_address_says_why_it_is_none(void **state)
{
	static const char *const one[] = {"127.0.0.2", NULL};
	static const char *const two[] = {"127.0.0.2", "127.0.0.3", NULL};
	struct test t = make(*state, FORWARD_TCP, two);
	char reason[200];

	sender_start(t.sender);
	loop_until(t.ev, t.sender->downs == 1);
	snprintf(reason, sizeof(reason),
		 NAME " port %u: 127.0.0.2: Connection refused; "
		      "127.0.0.3: Connection refused",
		 t.receiver->port);
	assert_string_equal(t.sender->reason, reason);

	/* Also when the next attempt begins with another. */
	loop_until(t.ev, t.sender->downs == 4);
	assert_non_null(strstr(t.sender->reason, "127.0.0.2: Connection"));
	assert_non_null(strstr(t.sender->reason, "127.0.0.3: Connection"));

	names_set(one);
	loop_until(t.ev, t.sender->downs == 6);
	snprintf(reason, sizeof(reason),
		 NAME " port %u: 127.0.0.2: Connection refused",
		 t.receiver->port);
	assert_string_equal(t.sender->reason, reason);
}

static void take_and_close(struct tevent_context *ev, struct tevent_fd *fde,
			   uint16_t flags, void *private_data)
{
	int *listener = private_data;

	close(accept(*listener, NULL, NULL));
}

/* A proxy whose own server is down does so. */
static void test_address_that_takes_and_closes_is_not_the_only_one(void **state)
{
	static const char *const addresses[] = {"127.0.0.2", "127.0.0.1", NULL};
	struct test t = make(*state, FORWARD_RELP, addresses);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(t.receiver->port)};
	struct tevent_fd *fde = NULL;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.2", &address.sin_addr);
	assert_int_equal(
		bind(listener, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(listen(listener, 5), 0);
	fde = tevent_add_fd(t.ev, t.ev, listener, TEVENT_FD_READ,
			    take_and_close, &listener);
	assert_non_null(fde);

	sender_start(t.sender);
	loop_until(t.ev, t.receiver->len > 7);
	assert_memory_equal(t.receiver->bytes, "1 open ", 7);
	assert_true(t.sender->downs > 0);
	TALLOC_FREE(fde);
	close(listener);
}

static void test_name_is_looked_up_for_each_attempt(void **state)
{
	static const char *const before[] = {"127.0.0.2", NULL};
	static const char *const after[] = {"127.0.0.1", NULL};
	struct test t = make(*state, FORWARD_TCP, before);

	sender_start(t.sender);
	loop_until(t.ev, t.sender->downs == 1);
	names_set(after);
	loop_until(t.ev, t.sender->readies == 1);
	assert_true(sender_send(t.sender, "one", 1));
	loop_until(t.ev, t.receiver->len == 5);
}

static void test_lookup_that_hangs_holds_nothing_up(void **state)
{
	static const char *const none[] = {NULL};
	struct test t = make(*state, FORWARD_TCP, NULL);
	struct test other = t;
	unsigned int before = names.asked;

	sender_start(t.sender);
	loop_turn(t.ev);
	names_wait_asked(before);
	other.sender = sender_create(t.ev, t.ev, FORWARD_TCP, t.receiver);
	sender_start(other.sender);
	loop_until(t.ev, other.sender->readies == 1);
	assert_true(sender_send(other.sender, "one", 1));
	loop_until(t.ev, other.sender->arrived == 1);
	assert_int_equal(t.sender->downs, 0);

	/* Given up; the thread cleans up after itself. */
	TALLOC_FREE(t.sender);
	names_set(none);
	pthread_mutex_lock(&names.mutex);
	while (names.answered < names.asked) {
		pthread_cond_wait(&names.changed, &names.mutex);
	}
	pthread_mutex_unlock(&names.mutex);
}

static void test_lookup_takes_no_signal_of_the_loop(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", NULL};
	struct test t = make(*state, FORWARD_TCP, addresses);
	sigset_t mask;

	sender_start(t.sender);
	loop_until(t.ev, t.sender->readies == 1);
	assert_false(names.takes_signals);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_addresses_behind_a_dead_one_are_tried),
		leak_test(test_each_address_says_why_it_is_none),
		leak_test(
			test_address_that_takes_and_closes_is_not_the_only_one),
		leak_test(test_name_is_looked_up_for_each_attempt),
		leak_test(test_lookup_that_hangs_holds_nothing_up),
		leak_test(test_lookup_takes_no_signal_of_the_loop),
	};

	/* What tevent allocates once and for all. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
