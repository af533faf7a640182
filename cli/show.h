/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_SHOW_H
#define EVENLOG_CLI_SHOW_H

/* What is no event, for a person or for a program that reads XML. */

#include "base/everr.h"

#include <jansson.h>

/*
 * An object's members on stdout, one a line; an array of objects without
 * objects in them as a table.
 */
void cli_show(const json_t *object);

/*
 * The same as one XML element of that name in one line: members are elements,
 * and so is each item of an array, named as the array without its last "s".
 * EVERR_LIMIT, EVERR_NOMEM; has been said then.
 */
everr_t cli_show_xml(const char *name, const json_t *object) EVERR_MUST_CHECK;
/* The same as JSON in one line. */
everr_t cli_show_json(const json_t *object) EVERR_MUST_CHECK;

#endif
