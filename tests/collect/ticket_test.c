/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"

#include "base/wintime.h"
#include "collect/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Helpers that are shell scripts; the real one is judged in
 * tests/integration/test_link.py.
 */
struct fixture {
	char dir[32];
	char *helper;
	struct tevent_context *ev;
	struct collect_ticket_request request;
};

static struct fixture *make(void **state, const char *script)
{
	struct fixture *f = talloc_zero(*state, struct fixture);
	FILE *file = NULL;

	snprintf(f->dir, sizeof(f->dir), "/tmp/evenlog.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->helper = talloc_asprintf(f, "%s/helper", f->dir);
	f->ev = tevent_context_init(f);
	f->request = (struct collect_ticket_request){
		.helper = f->helper,
		.host = "dc1.example.org",
		.keytab = "/etc/a.keytab",
		.out = "/run/out",
	};
	if (script != NULL) {
		file = fopen(f->helper, "we");
		assert_non_null(file);
		fprintf(file, "#!/bin/sh\n%s\n", script);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(chmod(f->helper, 0700), 0);
	}
	return f;
}

static void done(struct fixture *f)
{
	unlink(f->helper);
	assert_int_equal(rmdir(f->dir), 0);
	talloc_free(f);
}

static everr_t run(struct fixture *f, struct collect_ticket **ret_ticket,
		   struct collect_failure *ret_failure)
{
	struct tevent_req *req = collect_ticket_send(f, f->ev, &f->request);
	everr_t err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	err = collect_ticket_recv(req, f, ret_ticket, ret_failure);
	TALLOC_FREE(req);
	return err;
}

static void test_a_ticket_has_an_end_and_a_principal(void **state)
{
	/* 2026-11-22T06:39:37Z */
	struct fixture *f = make(
		state, "echo '1795329577 host/dc1.example.org@EXAMPLE.ORG'");
	struct collect_ticket *ticket = NULL;
	struct collect_failure failure = {0};
	uint64_t expected = 0;

	assert_int_equal(run(f, &ticket, &failure), EVERR_OK);
	assert_int_equal(wintime_parse("2026-11-22T06:39:37Z", &expected),
			 EVERR_OK);
	assert_int_equal(ticket->end, expected);
	assert_string_equal(ticket->principal,
			    "host/dc1.example.org@EXAMPLE.ORG");
	done(f);
}

/* Arguments come back as the principal; a single space divides them. */
static void arguments(struct fixture *f, const char *expected)
{
	struct collect_ticket *ticket = NULL;
	struct collect_failure failure = {0};

	assert_int_equal(run(f, &ticket, &failure), EVERR_OK);
	assert_string_equal(ticket->principal, expected);
}

static void test_the_helper_is_told_what_to_use(void **state)
{
	struct fixture *f = make(state, "echo \"1 $*\"");

	arguments(f, "--host dc1.example.org --out /run/out"
		     " --keytab /etc/a.keytab");
	f->request.principal = "me@EXAMPLE.ORG";
	arguments(f, "--host dc1.example.org --out /run/out"
		     " --keytab /etc/a.keytab --principal me@EXAMPLE.ORG");
	f->request.keytab = NULL;
	f->request.principal = NULL;
	f->request.ccache = "FILE:/tmp/cc";
	arguments(f, "--host dc1.example.org --out /run/out"
		     " --ccache FILE:/tmp/cc");
	done(f);
}

static void fails(void **state, const char *script, everr_t expected,
		  const char *text)
{
	struct fixture *f = make(state, script);
	struct collect_ticket *ticket = NULL;
	struct collect_failure failure = {0};

	assert_int_equal(run(f, &ticket, &failure), expected);
	assert_null(ticket);
	assert_int_equal(failure.err, expected);
	assert_non_null(strstr(failure.text, text));
	assert_non_null(strstr(failure.text, "dc1.example.org"));
	assert_null(strchr(failure.text, '\n'));
	done(f);
}

static void test_each_failure_is_what_the_helper_says(void **state)
{
	fails(state, "echo the key is old >&2; exit 1", EVERR_AUTH,
	      "the key is old");
	fails(state, "echo nobody answers >&2; exit 2", EVERR_TIMEOUT,
	      "nobody answers");
	fails(state, "echo disk full >&2; echo more >&2; exit 3", EVERR_IO,
	      "disk full");
	fails(state, "exit 1", EVERR_IO, "without a reason");
	fails(state, "kill -9 $$", EVERR_IO, "killed");
	fails(state, NULL, EVERR_IO, "No such file");
}

static void test_an_answer_that_is_none_is_refused(void **state)
{
	fails(state, "true", EVERR_IO, "cannot be read");
	fails(state, "echo soon host/x@Y", EVERR_IO, "cannot be read");
	fails(state, "echo 12", EVERR_IO, "cannot be read");
	fails(state, "echo '12 '", EVERR_IO, "cannot be read");
	fails(state, "echo 99999999999999999999999 x", EVERR_IO,
	      "cannot be read");
	fails(state, "head -c 60000 /dev/zero", EVERR_IO, "cannot be read");
}

/* Neither the descriptors of this process nor its blocked signals. */
static void test_the_helper_inherits_nothing(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct fixture *f =
		make(state,
		     talloc_asprintf(*state,
				     "[ -e /proc/$$/fd/%d ] && open=open"
				     " || open=closed\n"
				     "echo \"1 $open $(readlink /proc/$$/fd/0)"
				     " $(grep SigBlk /proc/self/status)\"",
				     fd));
	struct collect_ticket *ticket = NULL;
	struct collect_failure failure = {0};
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_int_equal(run(f, &ticket, &failure), EVERR_OK);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(ticket->principal,
			    "closed /dev/null SigBlk:\t0000000000000000");
	close(fd);
	done(f);
}

static void test_a_request_that_goes_takes_its_helper_along(void **state)
{
	struct fixture *f = make(state, "kill -STOP $$");
	struct tevent_req *req = NULL;
	siginfo_t info = {0};

	req = collect_ticket_send(f, f->ev, &f->request);
	assert_non_null(req);
	/* It has started, and will not end by itself. */
	assert_int_equal(waitid(P_ALL, 0, &info, WSTOPPED | WNOWAIT), 0);
	TALLOC_FREE(req);
	/* Killed; a turn of the loop waits for it. */
	while (kill(info.si_pid, 0) == 0) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	assert_int_equal(errno, ESRCH);
	done(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_ticket_has_an_end_and_a_principal),
		leak_test(test_the_helper_is_told_what_to_use),
		leak_test(test_each_failure_is_what_the_helper_says),
		leak_test(test_an_answer_that_is_none_is_refused),
		leak_test(test_the_helper_inherits_nothing),
		leak_test(test_a_request_that_goes_takes_its_helper_along),
	};

	/* tevent keeps a list of its backends from the first loop on. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
