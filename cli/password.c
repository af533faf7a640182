/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/password.h"

#include "cli/cli.h"
#include "collect/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_VARIABLE "EVENLOG_PASSWORD"

/* Read a line byte by byte, so that nothing behind it is taken. */
static everr_t read_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	for (;;) {
		char c;
		ssize_t ret = read(fd, &c, 1);

		if (ret < 0) {
			return errno == EINTR ? EVERR_CANCELLED : EVERR_IO;
		}
		if (ret == 0 && len == 0) {
			return EVERR_END;
		}
		if (ret == 0 || c == '\n') {
			break;
		}
		if (len + 1 == size) {
			return EVERR_LIMIT;
		}
		line[len] = c;
		len++;
	}
	if (len > 0 && line[len - 1] == '\r') {
		len--;
	}
	line[len] = '\0';
	return EVERR_OK;
}

static int wipe(char *secret)
{
	explicit_bzero(secret, talloc_get_size(secret));
	return 0;
}

/* A copy that is wiped when it goes, and the wiping of the original. */
static everr_t keep(TALLOC_CTX *mem_ctx, char *line, size_t size,
		    char **ret_password)
{
	char *password = talloc_strdup(mem_ctx, line);

	explicit_bzero(line, size);
	if (password == NULL) {
		return EVERR_NOMEM;
	}
	talloc_set_destructor(password, wipe);
	*ret_password = password;
	return EVERR_OK;
}

static everr_t from_file(TALLOC_CTX *mem_ctx, const char *file,
			 char **ret_password)
{
	bool use_stdin = strcmp(file, "-") == 0;
	char line[CLI_PASSWORD_MAX + 1];
	const char *fault = NULL;
	struct stat st;
	everr_t err;
	int fd;

	fd = use_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		cli_error("cannot open the password file %s: %s", file,
			  strerror(errno));
		return EVERR_IO;
	}
	if (!use_stdin && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRGRP | S_IROTH)) != 0) {
		cli_error("warning: others can read the password file %s;"
			  " chmod 600 helps",
			  file);
	}
	err = read_line(fd, line, sizeof(line));
	if (!use_stdin) {
		close(fd);
	}
	if (err != EVERR_OK) {
		explicit_bzero(line, sizeof(line));
		cli_error("cannot read a password from %s: %s", file,
			  err == EVERR_END ? "it is empty" : everr_text(err));
		return err;
	}
	fault = collect_password_fault(line);
	if (fault != NULL) {
		explicit_bzero(line, sizeof(line));
		cli_error("the first line of %s %s", file, fault);
		return EVERR_TEXT;
	}
	return keep(mem_ctx, line, sizeof(line), ret_password);
}

/* The signal that ended the prompt, to be raised again when echo is back. */
static volatile sig_atomic_t prompt_signal;

static void on_prompt_signal(int sig)
{
	prompt_signal = sig;
}

static const int prompt_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define NUM_PROMPT_SIGNALS (sizeof(prompt_signals) / sizeof(prompt_signals[0]))

static everr_t ask(int tty, const char *prompt, char *line, size_t size)
{
	struct sigaction old[NUM_PROMPT_SIGNALS];
	const struct sigaction action = {.sa_handler = on_prompt_signal};
	struct termios shown, hidden;
	everr_t err;
	size_t i;

	if (tcgetattr(tty, &shown) != 0) {
		return EVERR_IO;
	}
	prompt_signal = 0;
	for (i = 0; i < NUM_PROMPT_SIGNALS; i++) {
		sigaction(prompt_signals[i], &action, &old[i]);
	}
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &hidden);
	(void)!write(tty, prompt, strlen(prompt));

	err = read_line(tty, line, size);

	(void)!write(tty, "\n", 1);
	tcsetattr(tty, TCSAFLUSH, &shown);
	for (i = 0; i < NUM_PROMPT_SIGNALS; i++) {
		sigaction(prompt_signals[i], &old[i], NULL);
	}
	if (prompt_signal != 0) {
		raise(prompt_signal);
		return EVERR_CANCELLED;
	}
	return err;
}

static everr_t from_terminal(TALLOC_CTX *mem_ctx, const char *prompt,
			     char **ret_password)
{
	char line[CLI_PASSWORD_MAX + 1];
	everr_t err;
	int tty;

	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty == -1) {
		cli_error("a password is needed, and there is no terminal to"
			  " ask at: use --password-file or the"
			  " variable " PASSWORD_VARIABLE);
		return EVERR_AUTH;
	}
	err = ask(tty, prompt, line, sizeof(line));
	close(tty);
	if (err != EVERR_OK) {
		explicit_bzero(line, sizeof(line));
		cli_error("no password: %s", everr_text(err));
		return err;
	}
	return keep(mem_ctx, line, sizeof(line), ret_password);
}

bool cli_password_is_typed(const char *file)
{
	return file == NULL && getenv(PASSWORD_VARIABLE) == NULL;
}

everr_t cli_password(TALLOC_CTX *mem_ctx, const char *file, const char *prompt,
		     char **ret_password)
{
	const char *variable = NULL;
	char *password = NULL;

	if (file != NULL) {
		return from_file(mem_ctx, file, ret_password);
	}
	variable = getenv(PASSWORD_VARIABLE);
	if (variable == NULL) {
		return from_terminal(mem_ctx, prompt, ret_password);
	}
	if (strlen(variable) > CLI_PASSWORD_MAX) {
		cli_error("%s is too long", PASSWORD_VARIABLE);
		return EVERR_LIMIT;
	}
	password = talloc_strdup(mem_ctx, variable);
	if (password == NULL) {
		cli_error("out of memory");
		return EVERR_NOMEM;
	}
	talloc_set_destructor(password, wipe);
	*ret_password = password;
	return EVERR_OK;
}
