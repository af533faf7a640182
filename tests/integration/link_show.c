/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Links to hosts as a collector has them, for test_link.py:
 *
 *	link_show KEY=VALUE[,KEY=VALUE...]...
 *
 * One argument for each host, with the names of struct collect_config, and
 * count (links to it) and subscribe (1: to its Application); the first is for
 * struct collector_config.  A line of JSON for every state change, and on
 * SIGUSR1 for what this process is like: memory, links that are up, and the
 * longest time that the loop was held since the last such line.  SIGTERM ends
 * it.
 */

#include "collect/client.h"
#include "collect/link.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAG_MS 2

struct show {
	struct tevent_context *ev;
	struct collector_config collector;
	struct collect_links *links;
	unsigned int up;
	unsigned int subscribed;
	double lag; /* milliseconds */
	double beat;
	bool end;
};

struct show_host {
	struct show *show;
	struct collect_config config;
	struct collect_link *link;
	bool is_up;
	bool subscribe;
	TALLOC_CTX *subscription;
	struct collect_cursor *cursor;
};

static double now_ms(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	json_decref(line);
	putchar('\n');
	fflush(stdout);
}

static void on_beat(struct tevent_context *ev, struct tevent_timer *te,
		    struct timeval now, void *private_data)
{
	struct show *show = private_data;
	double late = now_ms() - show->beat - LAG_MS;

	if (late > show->lag) {
		show->lag = late;
	}
	show->beat = now_ms();
	tevent_add_timer(ev, show, tevent_timeval_current_ofs(0, LAG_MS * 1000),
			 on_beat, show);
}

static json_int_t memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	json_int_t kib = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "RssAnon:", 8) == 0) {
			kib = strtol(line + 8, NULL, 10);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return kib;
}

static void on_report(struct tevent_context *ev, struct tevent_signal *se,
		      int sig, int count, void *info, void *private_data)
{
	struct show *show = private_data;

	print(json_pack("{sIsfsisi}", "memory", memory(), "lag", show->lag,
			"up", show->up, "subscribed", show->subscribed));
	show->lag = 0;
}

static void on_term(struct tevent_context *ev, struct tevent_signal *se,
		    int sig, int count, void *info, void *private_data)
{
	struct show *show = private_data;

	show->end = true;
}

static void on_next(struct tevent_req *req)
{
	struct show_host *host =
		tevent_req_callback_data(req, struct show_host);
	struct collect_failure failure = {0};
	struct collect_batch *batch = NULL;
	everr_t err;

	err = collect_next_recv(req, host->subscription, &batch, &failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		collect_link_broken(host->link, &failure);
	}
}

static void on_opened(struct tevent_req *req)
{
	struct show_host *host =
		tevent_req_callback_data(req, struct show_host);
	struct collect_failure failure = {0};
	everr_t err;

	err = collect_open_recv(req, host->subscription, &host->cursor,
				&failure);
	TALLOC_FREE(req);
	if (err != EVERR_OK) {
		collect_link_broken(host->link, &failure);
		return;
	}
	host->show->subscribed++;
	/* Parks; a broken connection is what ends it. */
	req = collect_next_send(host->subscription, host->show->ev,
				host->cursor, 1, COLLECT_NO_TIMEOUT);
	tevent_req_set_callback(req, on_next, host);
}

static void on_up(struct collect_connection *connection, void *private_data)
{
	struct show_host *host = private_data;
	const struct collect_request request = {
		.kind = COLLECT_PUSH,
		.channel = "Application",
		.from = COLLECT_FROM_NOW,
	};
	struct tevent_req *req = NULL;

	host->is_up = true;
	host->show->up++;
	print(json_pack("{ssss}", "host", host->config.host, "state", "up"));
	if (!host->subscribe) {
		return;
	}
	host->subscription = talloc_new(host->show);
	req = collect_open_send(host->subscription, host->show->ev, connection,
				&request);
	tevent_req_set_callback(req, on_opened, host);
}

static void on_down(const struct collect_failure *why, void *private_data)
{
	struct show_host *host = private_data;
	struct collect_link_info info;

	TALLOC_FREE(host->subscription);
	collect_link_info(host->link, &info);
	if (host->is_up) {
		host->show->up--;
	}
	host->is_up = false;
	print(json_pack("{sssssssssI}", "host", host->config.host, "state",
			"down", "err", everr_name(why->err), "text", why->text,
			"attempts", (json_int_t)info.attempts));
}

static const struct collect_link_hooks hooks = {.up = on_up, .down = on_down};

static void set(struct show *show, struct show_host *host, unsigned int *count,
		const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"ticket_helper", &show->collector.ticket_helper},
		{"ticket_directory", &show->collector.ticket_directory},
		{"host", &host->config.host},
		{"user", &host->config.user},
		{"password_file", &host->config.password_file},
		{"keytab", &host->config.keytab},
		{"principal", &host->config.principal},
		{"ccache", &host->config.ccache},
	};
	unsigned long number = strtoul(value, NULL, 10);
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].to = value;
			return;
		}
	}
	if (strcmp(key, "port") == 0) {
		host->config.port = (uint16_t)number;
	} else if (strcmp(key, "mapper_port") == 0) {
		host->config.mapper_port = (uint16_t)number;
	} else if (strcmp(key, "liveness") == 0) {
		host->config.liveness = number;
	} else if (strcmp(key, "backoff") == 0) {
		host->config.backoff_max = number;
	} else if (strcmp(key, "connects") == 0) {
		show->collector.connects = (uint32_t)number;
	} else if (strcmp(key, "subscribe") == 0) {
		host->subscribe = number != 0;
	} else if (strcmp(key, "count") == 0) {
		*count = (unsigned int)number;
	} else {
		fprintf(stderr, "unknown key %s\n", key);
		exit(2);
	}
}

static unsigned int read_argument(struct show *show, struct show_host *host,
				  char *text)
{
	unsigned int count = 1;
	char *rest = NULL;
	char *pair = NULL;

	for (pair = strtok_r(text, ",", &rest); pair != NULL;
	     pair = strtok_r(NULL, ",", &rest)) {
		char *equal = strchr(pair, '=');

		if (equal == NULL) {
			exit(2);
		}
		*equal = '\0';
		set(show, host, &count, pair, equal + 1);
	}
	return count;
}

static void start(struct show *show, const struct show_host *template)
{
	struct show_host *host = talloc(show, struct show_host);

	if (host == NULL) {
		exit(1);
	}
	*host = *template;
	host->show = show;
	host->config.auth = host->config.user != NULL ? COLLECT_AUTH_NTLM
						      : COLLECT_AUTH_KERBEROS;
	if (host->config.backoff_max == 0) {
		host->config.backoff_max = 1;
	}
	host->link = collect_link_create(show, show->links, &host->config,
					 &hooks, host);
	if (host->link == NULL) {
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct show *show = talloc_zero(NULL, struct show);
	struct show_host none = {0};
	struct collect_links *links = NULL;
	everr_t err;
	int i;

	if (argc < 2) {
		return 2;
	}
	show->ev = tevent_context_init(show);
	show->collector.connects = 8;
	read_argument(show, &none, argv[1]);
	err = collect_links_create(NULL, show->ev, &show->collector, &links);
	if (err != EVERR_OK) {
		fprintf(stderr, "%s\n", everr_text(err));
		return 1;
	}
	show->links = links;
	tevent_add_signal(show->ev, show, SIGUSR1, 0, on_report, show);
	tevent_add_signal(show->ev, show, SIGTERM, 0, on_term, show);
	show->beat = now_ms();
	tevent_add_timer(show->ev, show, tevent_timeval_current_ofs(0, 0),
			 on_beat, show);
	for (i = 2; i < argc; i++) {
		struct show_host host = {0};
		unsigned int count = read_argument(show, &host, argv[i]);

		while (count > 0) {
			start(show, &host);
			count--;
		}
	}
	print(json_pack("{ss}", "state", "ready"));
	while (!show->end && tevent_loop_once(show->ev) == 0) {
		;
	}
	/* The links, then what they share, then the loop. */
	talloc_steal(links, show->ev);
	talloc_free(show);
	talloc_free(links);
	return 0;
}
