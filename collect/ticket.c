/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "collect/ticket.h"

#include "base/wintime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the helper says in one line. */
#define OUTPUT_MAX 1024

/* Exit statuses of the helper, collect/ticket_helper.c. */
enum {
	HELPER_OK = 0,
	HELPER_REFUSED = 1,
	HELPER_NO_KDC = 2
};

extern char **environ;

/*
 * The process.  A child of the event context, as it is waited for when nobody
 * wants its ticket any more: killed is not yet gone.
 */
struct helper {
	int pidfd;
	struct tevent_fd *fde;
	struct tevent_req *req; /* NULL: given up */
};

struct ticket_state {
	struct tevent_context *ev;
	const char *host;
	char *argv[10];
	struct helper *helper;
	int out; /* reading ends */
	int err;
	struct collect_ticket *ticket;
	struct collect_failure failure;
};

static int helper_destructor(struct helper *helper)
{
	/* Its descriptor must not be closed under the event. */
	TALLOC_FREE(helper->fde);
	if (helper->pidfd != -1) {
		close(helper->pidfd);
	}
	return 0;
}

static void ticket_ended(struct tevent_req *req, const siginfo_t *info);

static void helper_ended(struct tevent_context *ev, struct tevent_fd *fde,
			 uint16_t flags, void *private_data)
{
	struct helper *helper =
		talloc_get_type_abort(private_data, struct helper);
	struct tevent_req *req = helper->req;
	siginfo_t info = {0};
	int ret;

	ret = waitid(P_PIDFD, (id_t)helper->pidfd, &info, WEXITED | WNOHANG);
	if (ret == 0 && info.si_pid == 0) {
		return;
	}
	if (ret != 0) {
		/* Somebody else has waited for it: the status is not known. */
		info.si_code = CLD_KILLED;
	}
	if (req != NULL) {
		struct ticket_state *state =
			tevent_req_data(req, struct ticket_state);

		state->helper = NULL;
	}
	TALLOC_FREE(helper);
	if (req != NULL) {
		ticket_ended(req, &info);
	}
}

static void close_end(int *fd)
{
	if (*fd != -1) {
		close(*fd);
		*fd = -1;
	}
}

/* However it ends, also by being freed or in time: nobody needs it now. */
static void ticket_cleanup(struct tevent_req *req,
			   enum tevent_req_state req_state)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);

	if (req_state == TEVENT_REQ_IN_PROGRESS) {
		return;
	}
	if (state->helper != NULL) {
		state->helper->req = NULL;
		(void)pidfd_send_signal(state->helper->pidfd, SIGKILL, NULL, 0);
		state->helper = NULL;
	}
	close_end(&state->out);
	close_end(&state->err);
}

/* -------------------------------------------------------------- its end */

/* The first line of what is in the pipe. */
static void read_line(int fd, char line[OUTPUT_MAX])
{
	ssize_t len = read(fd, line, OUTPUT_MAX - 1);

	line[len > 0 ? len : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static bool parse_ticket(struct ticket_state *state, const char *line)
{
	struct timespec ts = {0};
	char *end = NULL;

	errno = 0;
	ts.tv_sec = (time_t)strtoul(line, &end, 10);
	if (errno != 0 || end == line || *end != ' ' || end[1] == '\0') {
		return false;
	}
	state->ticket = talloc_zero(state, struct collect_ticket);
	if (state->ticket == NULL) {
		return false;
	}
	state->ticket->end = wintime_from_timespec(&ts);
	state->ticket->principal = talloc_strdup(state->ticket, end + 1);
	return state->ticket->principal != NULL;
}

static void ticket_failed(struct tevent_req *req, everr_t err, const char *text)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);

	collect_failure_set(&state->failure, err,
			    "%s: cannot get a Kerberos ticket: %s", state->host,
			    text);
	tevent_req_error(req, err);
}

static void ticket_ended(struct tevent_req *req, const siginfo_t *info)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);
	char line[OUTPUT_MAX];
	bool ok;

	if (info->si_code != CLD_EXITED) {
		ticket_failed(req, EVERR_IO, "the helper program was killed");
		return;
	}
	if (info->si_status == HELPER_OK) {
		read_line(state->out, line);
		ok = parse_ticket(state, line);
		if (!ok) {
			ticket_failed(req, EVERR_IO,
				      "the helper program's answer cannot be"
				      " read");
			return;
		}
		tevent_req_done(req);
		return;
	}
	read_line(state->err, line);
	if (line[0] == '\0') {
		ticket_failed(req, EVERR_IO,
			      "the helper program failed without a reason");
		return;
	}
	switch (info->si_status) {
	case HELPER_REFUSED:
		ticket_failed(req, EVERR_AUTH, line);
		break;
	case HELPER_NO_KDC:
		ticket_failed(req, EVERR_TIMEOUT, line);
		break;
	default:
		ticket_failed(req, EVERR_IO, line);
		break;
	}
}

/* ------------------------------------------------------------- its start */

static everr_t set_argv(struct ticket_state *state,
			const struct collect_ticket_request *request)
{
	const char *const given[] = {
		request->helper,
		"--host",
		request->host,
		"--out",
		request->out,
		request->keytab != NULL ? "--keytab" : "--ccache",
		request->keytab != NULL ? request->keytab : request->ccache,
		request->principal != NULL ? "--principal" : NULL,
		request->principal,
	};
	size_t i;

	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (given[i] == NULL) {
			break;
		}
		state->argv[i] = talloc_strdup(state, given[i]);
		if (state->argv[i] == NULL) {
			return EVERR_NOMEM;
		}
	}
	state->host = state->argv[2];
	return EVERR_OK;
}

/*
 * The program with pipes for what it says, no input, and signals as any
 * program expects them; whatever else is open here closes on exec.  glibc
 * makes it of a vfork(): nothing of this process is copied.  Returns an errno.
 */
static int spawn(struct ticket_state *state, int out, int err, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	ret = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
					       "/dev/null", O_RDONLY, 0);
	if (ret == 0) {
		ret = posix_spawn_file_actions_adddup2(&actions, out,
						       STDOUT_FILENO);
	}
	if (ret == 0) {
		ret = posix_spawn_file_actions_adddup2(&actions, err,
						       STDERR_FILENO);
	}
	if (ret == 0) {
		ret = posix_spawn(ret_pid, state->argv[0], &actions, &attr,
				  state->argv, environ);
	}
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

/* An errno, 0: it runs, and *ret_pid must be waited for. */
static int start_process(struct ticket_state *state, pid_t *ret_pid)
{
	int out[2], err[2];
	int ret;

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0) {
		return errno;
	}
	if (pipe2(err, O_CLOEXEC | O_NONBLOCK) != 0) {
		ret = errno;
		close(out[0]);
		close(out[1]);
		return ret;
	}
	ret = spawn(state, out[1], err[1], ret_pid);
	close(out[1]);
	close(err[1]);
	state->out = out[0];
	state->err = err[0];
	return ret;
}

/* Watch the process.  An errno; then it has been killed and waited for. */
static int watch_process(struct tevent_req *req, pid_t pid)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);
	struct helper *helper = talloc_zero(state->ev, struct helper);
	int ret = ENOMEM;

	if (helper != NULL) {
		talloc_set_destructor(helper, helper_destructor);
		helper->req = req;
		helper->pidfd = pidfd_open(pid, 0);
		ret = helper->pidfd == -1 ? errno : 0;
	}
	if (ret == 0) {
		helper->fde =
			tevent_add_fd(state->ev, helper, helper->pidfd,
				      TEVENT_FD_READ, helper_ended, helper);
		ret = helper->fde == NULL ? ENOMEM : 0;
	}
	if (ret != 0) {
		TALLOC_FREE(helper);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return ret;
	}
	state->helper = helper;
	return 0;
}

static void ticket_start(struct tevent_req *req)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);
	pid_t pid = -1;
	int ret;

	ret = start_process(state, &pid);
	if (ret == 0) {
		ret = watch_process(req, pid);
	}
	if (ret != 0) {
		collect_failure_set(&state->failure, EVERR_IO,
				    "%s: cannot get a Kerberos ticket: cannot"
				    " run %s: %s",
				    state->host, state->argv[0], strerror(ret));
		tevent_req_error(req, EVERR_IO);
	}
}

struct tevent_req *collect_ticket_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	const struct collect_ticket_request *request)
{
	struct ticket_state *state = NULL;
	struct tevent_req *req = NULL;
	everr_t err;
	bool ok;

	req = tevent_req_create(mem_ctx, &state, struct ticket_state);
	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->out = -1;
	state->err = -1;
	tevent_req_set_cleanup_fn(req, ticket_cleanup);

	err = set_argv(state, request);
	if (err != EVERR_OK) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	ok = tevent_req_set_endtime(
		req, ev, tevent_timeval_current_ofs(COLLECT_TICKET_TIMEOUT, 0));
	if (!ok) {
		tevent_req_oom(req);
		return tevent_req_post(req, ev);
	}
	ticket_start(req);
	if (!tevent_req_is_in_progress(req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

everr_t collect_ticket_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
			    struct collect_ticket **ret_ticket,
			    struct collect_failure *ret_failure)
{
	struct ticket_state *state = tevent_req_data(req, struct ticket_state);
	enum tevent_req_state req_state;
	uint64_t error = 0;
	everr_t err = EVERR_OK;

	if (!tevent_req_is_error(req, &req_state, &error)) {
		*ret_ticket = talloc_move(mem_ctx, &state->ticket);
		tevent_req_received(req);
		return EVERR_OK;
	}
	if (req_state == TEVENT_REQ_TIMED_OUT) {
		collect_failure_set(&state->failure, EVERR_TIMEOUT,
				    "%s: cannot get a Kerberos ticket: no KDC"
				    " has answered within %d seconds; is the"
				    " domain controller up, and port 88 open?",
				    state->host, COLLECT_TICKET_TIMEOUT);
	}
	if (state->failure.err == EVERR_OK) {
		collect_failure_set(&state->failure, EVERR_NOMEM,
				    "out of memory");
	}
	*ret_failure = state->failure;
	err = ret_failure->err;
	tevent_req_received(req);
	return err;
}
