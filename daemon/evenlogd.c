/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "daemon/collect.h"
#include "daemon/forward.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/service.h"

#include <errno.h>
#include <popt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct options {
	char *config_file;
	int check_config;
	int version;
};

/* What the signal handlers need. */
struct program {
	struct daemon_service *service;
	struct daemon_log log;
	bool stopping;
};

static int parse_options(int argc, const char **argv, struct options *options)
{
	struct poptOption table[] = {
		{"config", 'c', POPT_ARG_STRING, &options->config_file, 0,
		 "Read FILE instead of the default configuration", "FILE"},
		{"check-config", 0, POPT_ARG_NONE, &options->check_config, 0,
		 "Check the configuration and exit", NULL},
		{"version", 'V', POPT_ARG_NONE, &options->version, 0,
		 "Print the version and exit", NULL},
		POPT_AUTOHELP POPT_TABLEEND};
	poptContext pc = poptGetContext("evenlogd", argc, argv, table, 0);
	const char *rest = NULL;
	int ret = poptGetNextOpt(pc);

	if (ret < -1) {
		fprintf(stderr, "evenlogd: %s: %s\n",
			poptBadOption(pc, POPT_BADOPTION_NOALIAS),
			poptStrerror(ret));
		poptFreeContext(pc);
		return 2;
	}
	rest = poptGetArg(pc);
	if (rest != NULL) {
		fprintf(stderr, "evenlogd: '%s' is one word too many\n", rest);
		poptFreeContext(pc);
		return 2;
	}
	poptFreeContext(pc);
	return 0;
}

static struct daemon_config *load_config(TALLOC_CTX *mem_ctx, const char *file)
{
	struct daemon_config_errors *errors = NULL;
	struct daemon_config *config = NULL;
	everr_t err;
	size_t i;

	err = daemon_config_load(mem_ctx, file, &config, &errors);
	if (err == EVERR_OK) {
		return config;
	}
	for (i = 0; errors != NULL && i < errors->num_messages; i++) {
		fprintf(stderr, "evenlogd: %s\n", errors->messages[i]);
	}
	if (errors == NULL) {
		fprintf(stderr, "evenlogd: %s\n", everr_text(err));
	}
	TALLOC_FREE(errors);
	return NULL;
}

static void on_stop(struct tevent_context *ev, struct tevent_signal *se,
		    int signum, int count, void *siginfo, void *private_data)
{
	struct program *program = private_data;

	if (!program->stopping) {
		daemon_log(&program->log, DAEMON_LOG_INFO,
			   "stopping on signal %d", signum);
		daemon_notify("STOPPING=1");
	}
	program->stopping = true;
}

static void on_reload(struct tevent_context *ev, struct tevent_signal *se,
		      int signum, int count, void *siginfo, void *private_data)
{
	struct program *program = private_data;
	everr_t err;

	daemon_notify("RELOADING=1");
	err = daemon_service_reload(program->service);
	daemon_notify(err == EVERR_OK ? "READY=1\nSTATUS=Running."
				      : "READY=1\nSTATUS=Running; the last "
					"reload was refused, see the log.");
}

static void on_watchdog(struct tevent_context *ev, struct tevent_timer *te,
			struct timeval now, void *private_data)
{
	uint64_t usec = daemon_notify_watchdog_usec();

	daemon_notify("WATCHDOG=1");
	tevent_add_timer(ev, ev,
			 tevent_timeval_current_ofs((uint32_t)(usec / 1000000),
						    (uint32_t)(usec % 1000000)),
			 on_watchdog, private_data);
}

static bool watch_signals(struct tevent_context *ev, struct program *program)
{
	struct tevent_signal *term = NULL, *interrupt = NULL, *hup = NULL;

	signal(SIGPIPE, SIG_IGN);
	term = tevent_add_signal(ev, ev, SIGTERM, 0, on_stop, program);
	interrupt = tevent_add_signal(ev, ev, SIGINT, 0, on_stop, program);
	hup = tevent_add_signal(ev, ev, SIGHUP, 0, on_reload, program);
	return term != NULL && interrupt != NULL && hup != NULL;
}

static int run(struct tevent_context *ev, struct program *program)
{
	struct timeval soon = {0};
	int ret;

	daemon_log(&program->log, DAEMON_LOG_INFO,
		   "evenlogd %s: EVEN6 on port %u, store %s", PACKAGE_VERSION,
		   rpc_service_port(program->service->rpc),
		   program->service->config->store.path);
	daemon_notify("READY=1\nSTATUS=Running.");
	if (daemon_notify_watchdog_usec() != 0) {
		on_watchdog(ev, NULL, soon, program);
	}

	while (!program->stopping) {
		ret = rpc_event_loop_once(ev);
		if (ret != 0) {
			daemon_log(&program->log, DAEMON_LOG_ERROR,
				   "the event loop failed");
			return 1;
		}
	}
	operational_flush(program->service->operational);
	operational_report(program->service->operational, OPERATIONAL_STOPPING,
			   NULL, NULL, 0);
	return 0;
}

/*
 * A connection is a descriptor, and the usual soft limit of 1024 is for
 * programs that use select().
 */
static void raise_descriptor_limit(const struct daemon_log *log)
{
	struct rlimit limit;
	int ret;

	ret = getrlimit(RLIMIT_NOFILE, &limit);
	if (ret == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		ret = setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (ret != 0) {
		daemon_log(log, DAEMON_LOG_WARNING,
			   "cannot raise the limit on open files: %s",
			   strerror(errno));
	}
}

static int serve(TALLOC_CTX *mem_ctx, const char *config_file,
		 struct daemon_config *config)
{
	struct tevent_context *ev = NULL;
	struct program program = {0};
	everr_t err;
	int ret;

	daemon_log_init(&program.log, (enum daemon_log_level)config->log_level);
	raise_descriptor_limit(&program.log);
	ev = rpc_event_context();
	if (ev == NULL || !watch_signals(ev, &program)) {
		daemon_log(&program.log, DAEMON_LOG_ERROR,
			   "cannot set up the event loop");
		return 1;
	}
	err = daemon_service_start(mem_ctx, ev, &program.log, config_file,
				   config, &program.service);
	if (err != EVERR_OK) {
		return 1;
	}

	ret = run(ev, &program);
	TALLOC_FREE(program.service);
	daemon_log(&program.log, DAEMON_LOG_INFO, "stopped");
	return ret;
}

/*
 * --check-config: the files that the configuration names.  The service starts
 * without them, and the hosts and outputs that need them wait.
 */
static int check_files(const struct daemon_config *config)
{
	struct daemon_log log;
	size_t bad;

	daemon_log_init(&log, DAEMON_LOG_WARNING);
	daemon_collect_warn_files(&log, &config->collect);
	bad = daemon_forward_check(&log, config);
	if (bad > 0) {
		return 2;
	}
	printf("%s: no mistakes found\n",
	       config->file != NULL ? config->file : "defaults");
	return 0;
}

int main(int argc, const char **argv)
{
	struct options options = {0};
	struct daemon_config *config = NULL;
	TALLOC_CTX *mem_ctx = NULL;
	int ret;

	ret = parse_options(argc, argv, &options);
	if (ret != 0) {
		return ret;
	}
	if (options.version) {
		printf("evenlogd %s\n", PACKAGE_VERSION);
		return 0;
	}

	mem_ctx = talloc_new(NULL);
	config = load_config(mem_ctx, options.config_file);
	if (config == NULL) {
		ret = 2;
	} else if (options.check_config) {
		ret = check_files(config);
	} else {
		ret = serve(mem_ctx, options.config_file, config);
	}
	TALLOC_FREE(mem_ctx);
	free(options.config_file);
	return ret;
}
