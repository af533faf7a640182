/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

/* systemd sets JOURNAL_STREAM to DEVICE:INODE of the stream it connected. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;
	int ret;

	if (stream == NULL) {
		return false;
	}
	ret = fstat(STDERR_FILENO, &st);
	if (ret != 0) {
		return false;
	}
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return strcmp(mine, stream) == 0;
}

void daemon_log_init(struct daemon_log *log, enum daemon_log_level level)
{
	*log = (struct daemon_log){
		.level = level,
		.journal = stderr_is_journal(),
	};
}

void daemon_log(const struct daemon_log *log, enum daemon_log_level level,
		const char *fmt, ...)
{
	static const char *const words[] = {"error: ", "warning: ", "",
					    "debug: "};
	static const int priorities[] = {3, 4, 6, 7};
	char line[LINE_MAX_BYTES];
	va_list ap;
	char *p = NULL;

	if (level > log->level) {
		return;
	}

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7F) {
			*p = ' ';
		}
	}

	if (log->journal) {
		fprintf(stderr, "<%d>%s\n", priorities[level], line);
	} else {
		fprintf(stderr, "evenlogd: %s%s\n", words[level], line);
	}
}
