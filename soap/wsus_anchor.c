/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/wsus_anchor.h"

#include "base/wintime.h"

#include <stdio.h>
#include <string.h>

#define MILLISECOND (WINTIME_SECOND / 1000)
/* "2006-05-26 18:59:26.192" */
#define TIME_LEN 23

struct wsus_anchor wsus_anchor_at(uint32_t number, uint64_t time)
{
	return (struct wsus_anchor){.number = number,
				    .time = time - time % MILLISECOND};
}

void wsus_anchor_format(const struct wsus_anchor *anchor,
			char text[WSUS_ANCHOR_TEXT_MAX])
{
	char time[WINTIME_TEXT_MAX];

	wintime_format(anchor->time, time);
	time[10] = ' ';
	snprintf(text, WSUS_ANCHOR_TEXT_MAX, "%u,%.*s", anchor->number,
		 TIME_LEN, time);
}

/* Digits and their end; 0: none, or out of range. */
static uint32_t parse_number(const char *text, const char **ret_end)
{
	uint64_t number = 0;

	while (*text >= '0' && *text <= '9' && number <= INT32_MAX) {
		number = number * 10 + (uint64_t)(*text - '0');
		text++;
	}
	*ret_end = text;
	return number <= INT32_MAX ? (uint32_t)number : 0;
}

everr_t wsus_anchor_parse(const char *text, struct wsus_anchor *ret_anchor)
{
	char iso[TIME_LEN + 1];
	uint32_t number;
	uint64_t time;
	everr_t err;

	if (text == NULL || *text == '\0') {
		return EVERR_NOT_FOUND;
	}
	number = parse_number(text, &text);
	if (number == 0 || *text != ',' || strlen(text + 1) != TIME_LEN ||
	    text[11] != ' ' || text[20] != '.') {
		return EVERR_TEXT;
	}
	memcpy(iso, text + 1, sizeof(iso));
	iso[10] = 'T';
	err = wintime_parse(iso, &time);
	if (err != EVERR_OK) {
		return EVERR_TEXT;
	}
	*ret_anchor = wsus_anchor_at(number, time);
	return EVERR_OK;
}

bool wsus_anchor_after(const struct wsus_anchor *row,
		       const struct wsus_anchor *anchor)
{
	return anchor == NULL || row->number > anchor->number ||
	       row->time > anchor->time;
}
