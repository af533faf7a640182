/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_ANCHOR_H
#define EVENLOG_SOAP_WSUS_ANCHOR_H

/*
 * Anchors: how far a downstream server has got.  "4742,2006-05-26
 * 18:59:26.192", a change number and a time; opaque to who gets one, in
 * Windows' own format.  Pure.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a catalogue that never had a change. */
#define WSUS_ANCHOR_FIRST 1
#define WSUS_ANCHOR_TEXT_MAX 40

struct wsus_anchor {
	uint32_t number; /* WSUS_ANCHOR_FIRST to INT32_MAX */
	uint64_t time;	 /* FILETIME, whole milliseconds */
};

/* The anchor with its time cut to what the text can say. */
struct wsus_anchor wsus_anchor_at(uint32_t number, uint64_t time);

void wsus_anchor_format(const struct wsus_anchor *anchor,
			char text[WSUS_ANCHOR_TEXT_MAX]);

/*
 * NULL and "" are absent: EVERR_NOT_FOUND, and *ret_anchor is left alone.
 * EVERR_TEXT: malformed.
 */
everr_t wsus_anchor_parse(const char *text,
			  struct wsus_anchor *ret_anchor) EVERR_MUST_CHECK;

/*
 * Whether a row that changed at row lies after anchor (NULL: all do).  The
 * number decides, for a catalogue is taken over some time after its rows got
 * theirs; the time beside it finds what came after a catalogue was lost and
 * its numbers began anew.
 */
bool wsus_anchor_after(const struct wsus_anchor *row,
		       const struct wsus_anchor *anchor);

#endif
