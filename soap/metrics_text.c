/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/metrics.h"

#include <inttypes.h>

void metrics_family(struct buf *out, const char *name, enum metrics_type type,
		    const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		   type == METRICS_COUNTER ? "counter" : "gauge");
}

/* In a label's value, backslash, quote and line feed are escaped. */
static void put_label(struct buf *out, const char *label, const char *value)
{
	buf_printf(out, "%s=\"", label);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buf_puts(out, "\\n");
			continue;
		}
		if (*value == '\\' || *value == '"') {
			buf_put_u8(out, '\\');
		}
		buf_put_u8(out, (uint8_t)*value);
	}
	buf_put_u8(out, '"');
}

void metrics_sample(struct buf *out, const char *name, const char *label,
		    const char *value, uint64_t number)
{
	buf_puts(out, name);
	if (label != NULL) {
		buf_put_u8(out, '{');
		put_label(out, label, value);
		buf_put_u8(out, '}');
	}
	buf_printf(out, " %" PRIu64 "\n", number);
}

void metrics_sample2(struct buf *out, const char *name, const char *label1,
		     const char *value1, const char *label2, const char *value2,
		     uint64_t number)
{
	buf_puts(out, name);
	buf_put_u8(out, '{');
	put_label(out, label1, value1);
	buf_put_u8(out, ',');
	put_label(out, label2, value2);
	buf_printf(out, "} %" PRIu64 "\n", number);
}

void metrics_sample_real(struct buf *out, const char *name, double number)
{
	buf_printf(out, "%s %.9g\n", name, number);
}

void metrics_number(struct buf *out, const char *name, enum metrics_type type,
		    const char *help, uint64_t number)
{
	metrics_family(out, name, type, help);
	metrics_sample(out, name, NULL, NULL, number);
}
