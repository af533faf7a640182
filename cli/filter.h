/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_FILTER_H
#define EVENLOG_CLI_FILTER_H

/*
 * Filters as options (--since, --level, --id and so on) and the query they
 * mean: an XPath in the forms that Event Viewer and Get-WinEvent send (facts
 * 7.2), so that every service of the protocol understands it.
 */

#include "base/everr.h"

#include <popt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* The options as typed; each may be NULL. */
struct cli_filter {
	char *since;
	char *until;
	char **levels;
	char **ids;
	char **providers;
	char **computers;
	char **user_ids;
	char **data;
	char **keywords;
	char **tasks;
	char **opcodes;
	char **records;
	int explain; /* print the query instead of asking it */
};

#define CLI_FILTER_TABLE_SIZE 16

/* The options for popt, filled in for a verb's POPT_ARG_INCLUDE_TABLE. */
void cli_filter_table(struct cli_filter *filter, struct poptOption *table);

/* Whether any of the options that select events was given. */
bool cli_filter_given(const struct cli_filter *filter);

/* At most so many numbers, names or pairs for one option. */
#define CLI_FILTER_ITEMS_MAX 1024

/* Comparisons in one XPath that Windows takes (facts 7.3). */
#define CLI_FILTER_WINDOWS_TERMS 20

/*
 * The XPath of the options, and with xpath (NULL: none) both together.
 * *ret_terms: how many comparisons the options make.  now is a FILETIME; utc:
 * times without a zone are UTC.
 *
 * EVERR_TEXT   an option is wrong; *ret_message, a talloc child of mem_ctx,
 *              names it and says what is allowed
 * EVERR_NOMEM
 */
everr_t cli_filter_xpath(TALLOC_CTX *mem_ctx, const struct cli_filter *filter,
			 const char *xpath, uint64_t now, bool utc,
			 const char **ret_xpath, size_t *ret_terms,
			 const char **ret_message) EVERR_MUST_CHECK;

/*
 * The structured query that asks each channel for the events of xpath.
 *
 * EVERR_TEXT   not UTF-8, or with control characters
 * EVERR_NOMEM, EVERR_LIMIT
 */
everr_t cli_filter_query_list(TALLOC_CTX *mem_ctx, const char *const *channels,
			      size_t num_channels, const char *xpath,
			      const char **ret_query) EVERR_MUST_CHECK;

#endif
