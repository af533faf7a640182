/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Numbers and dates in the texts of the sources.
 */

#include "base/wintime.h"
#include "bridge/decode.h"

#include <stdio.h>
#include <string.h>

#define MINUTE (60 * WINTIME_SECOND)

bool bridge_parse_number(const char *text, uint32_t *ret_number)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 10; i++) {
		number = 10 * number + (uint64_t)(text[i] - '0');
	}
	if (i == 0 || text[i] != '\0' || number > UINT32_MAX) {
		return false;
	}
	*ret_number = (uint32_t)number;
	return true;
}

/* Whether text has digits where the form has a 0, else the form's letters. */
static bool has_form(const char *text, const char *form)
{
	size_t i;

	for (i = 0; form[i] != '\0'; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == '0' ? !digit : text[i] != form[i]) {
			return false;
		}
	}
	return text[i] == '\0';
}

static bool is_cim_form(const char *text)
{
	static const char plus[] = "00000000000000.000000+000";
	static const char minus[] = "00000000000000.000000-000";

	return has_form(text, plus) || has_form(text, minus);
}

everr_t bridge_parse_cim_time(const char *text, uint64_t *ret_filetime)
{
	char iso[WINTIME_TEXT_MAX];
	uint64_t local = 0, ahead;
	everr_t err;

	if (!is_cim_form(text)) {
		return EVERR_TEXT;
	}
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.%.6sZ", text,
		 text + 4, text + 6, text + 8, text + 10, text + 12, text + 15);
	err = wintime_parse(iso, &local);
	if (err != EVERR_OK) {
		return err;
	}
	ahead = (uint64_t)((text[22] - '0') * 100 + (text[23] - '0') * 10 +
			   (text[24] - '0')) *
		MINUTE;
	if (text[21] == '-') {
		*ret_filetime = local + ahead;
		return EVERR_OK;
	}
	if (ahead > local) {
		return EVERR_TEXT;
	}
	*ret_filetime = local - ahead;
	return EVERR_OK;
}

everr_t bridge_parse_us_time(const char *text, uint64_t *ret_filetime)
{
	char iso[WINTIME_TEXT_MAX];

	if (!has_form(text, "00/00/0000 00:00:00")) {
		return EVERR_TEXT;
	}
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.8sZ", text + 6, text,
		 text + 3, text + 11);
	return wintime_parse(iso, ret_filetime);
}
