/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/crashpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum store_crash_point point;
} points[] = {
	{"before-txn", STORE_CRASH_BEFORE_TXN},
	{"after-template-put", STORE_CRASH_AFTER_TEMPLATE_PUT},
	{"after-records", STORE_CRASH_AFTER_RECORDS},
	{"during-trim", STORE_CRASH_DURING_TRIM},
	{"before-commit", STORE_CRASH_BEFORE_COMMIT},
	{"after-commit", STORE_CRASH_AFTER_COMMIT},
	{"before-define", STORE_CRASH_BEFORE_DEFINE},
	{"after-define", STORE_CRASH_AFTER_DEFINE},
	{"during-clear", STORE_CRASH_DURING_CLEAR},
	{"after-clear", STORE_CRASH_AFTER_CLEAR},
	{"during-sweep", STORE_CRASH_DURING_SWEEP},
	{"before-remove", STORE_CRASH_BEFORE_REMOVE},
	{"after-remove", STORE_CRASH_AFTER_REMOVE},
};

void store_crash_init(struct store_crash *crash)
{
	const char *text = secure_getenv("EVENLOG_CRASH_POINT");
	size_t len;
	size_t i;

	*crash = (struct store_crash){};
	if (text == NULL) {
		return;
	}
	len = strcspn(text, ":");
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		if (strlen(points[i].name) == len &&
		    memcmp(points[i].name, text, len) == 0) {
			crash->point = points[i].point;
		}
	}
	if (text[len] == ':') {
		crash->passes = (unsigned int)strtoul(text + len + 1, NULL, 10);
	}
	if (crash->passes > 0) {
		crash->passes--;
	}
}

void store_crash_now(struct store_crash *crash)
{
	if (crash->passes > 0) {
		crash->passes--;
		return;
	}
	kill(getpid(), SIGKILL);
	/* The signal is pending for the process; this thread goes no further. */
	for (;;) {
		pause();
	}
}
