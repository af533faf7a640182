/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_METRICS_H
#define EVENLOG_SOAP_METRICS_H

/*
 * Prometheus' text exposition format 0.0.4: families of samples.  All samples
 * of a family follow its head.  doc/metrics.md lists the names.
 */

#include "base/buf.h"
#include "soap/http.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX (16 * 1024 * 1024)

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE
};

void metrics_family(struct buf *out, const char *name, enum metrics_type type,
		    const char *help);

/* label NULL: none.  value is any text, escaped here. */
void metrics_sample(struct buf *out, const char *name, const char *label,
		    const char *value, uint64_t number);
void metrics_sample2(struct buf *out, const char *name, const char *label1,
		     const char *value1, const char *label2, const char *value2,
		     uint64_t number);
/* For seconds and the like. */
void metrics_sample_real(struct buf *out, const char *name, double number);

/* A family of one sample without labels. */
void metrics_number(struct buf *out, const char *name, enum metrics_type type,
		    const char *help, uint64_t number);

/* GET /metrics and /health; private_data of the routes is a struct soap. */
extern const struct http_handler metrics_handler;
extern const struct http_handler metrics_health_handler;

#endif
