/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_CLI_FIELDS_H
#define EVENLOG_CLI_FIELDS_H

/* The fields of an event as text, safe for a terminal. */

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct field_style {
	bool colored;
	bool utc;
};

/* A string, number or Boolean, through put. */
void field_put_scalar(struct buf *out, const json_t *value,
		      void (*put)(struct buf *out, const char *text,
				  size_t len));

/* As it is, but for what is not for showing. */
void field_put_plain(struct buf *out, const char *text, size_t len);

/* Columns of a terminal that the bytes from start take, roughly. */
size_t field_columns(const struct buf *out, size_t start);

/* Blanks until what was put since start is width columns wide. */
void field_pad(struct buf *out, size_t start, size_t width);

/*
 * "2025-11-21 20:46:03.123", with Z where it is UTC, of an ISO time.  False:
 * it is none.
 */
bool field_put_time(struct buf *out, const char *text,
		    const struct field_style *style);

/* A level in its color, by name (NULL: the usual one). */
void field_put_level(struct buf *out, const json_t *level, const char *name,
		     const struct field_style *style);

/* The way down to a value, for UserData: Outer.Inner. */
struct field_path {
	const struct field_path *parent;
	const char *name; /* NULL: a place without a name */
};

bool field_path_is_named(const struct field_path *path);
void field_put_path(struct buf *out, const struct field_path *path);

/* Call fn for each value of EventData, UserData and the like. */
typedef void (*field_fn)(struct buf *out, const struct field_path *path,
			 const json_t *value, const struct field_style *style);
void field_walk(struct buf *out, const json_t *event, field_fn fn,
		const struct field_style *style);

#endif
