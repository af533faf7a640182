/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_BRIDGE_DDR_FILE_H
#define EVENLOG_BRIDGE_DDR_FILE_H

/*
 * Discovery data record files (facts, section 6): binary frames with a text
 * of properties each.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Properties and array values of one record. */
#define DDR_VALUES_MAX 8192

enum ddr_flag {
	DDR_FLAG_FULL_REPLACE = 0x1,
	DDR_FLAG_GUID = 0x2,
	DDR_FLAG_GROUPING = 0x4,
	DDR_FLAG_KEY = 0x8,
	DDR_FLAG_ARRAY = 0x10,
	DDR_FLAG_AGENT = 0x20,
	DDR_FLAG_NAME = 0x40,
	DDR_FLAG_COMMENT = 0x80,
	DDR_FLAG_NO_UI = 0x100,
	DDR_FLAG_NO_UPDATE = 0x200
};

enum ddr_type {
	DDR_TYPE_INT = 8,
	DDR_TYPE_DATETIME = 12,
	DDR_TYPE_ULONG = 14,
	DDR_TYPE_FLOAT = 17,
	DDR_TYPE_TEXT = 18,
	DDR_TYPE_STRING = 19
};

/* Texts are UTF-8 and not terminated. */
struct ddr_text {
	const char *text;
	size_t len;
};

struct ddr_property {
	uint32_t flags;
	uint32_t type;
	uint32_t width;
	bool is_array;
	const char *name;	/* terminated */
	const char *flags_text; /* "Key, GUID"; NULL: none */
	const char *type_text;
	const char *width_text;
};

/* A value, of a scalar or one of an array. */
struct ddr_value {
	uint32_t property;
	struct ddr_text value;
};

struct ddr_record {
	uint32_t id;
	uint16_t build;
	const char *architecture; /* terminated, as the next ones; or NULL */
	const char *agent;
	const char *site;
	const char *time;
	struct ddr_property *properties;
	size_t num_properties;
	struct ddr_value *values;
	size_t num_values;
};

/*
 * Read the record whose frame starts at *offset, and move on behind it.
 *
 * EVERR_TEXT, EVERR_LIMIT  *ret_reason (child of mem_ctx) says what is wrong
 *                          and at which byte of the file
 * EVERR_NOMEM
 */
everr_t ddr_file_next(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		      size_t *offset, struct ddr_record **ret_record,
		      const char **ret_reason) EVERR_MUST_CHECK;

#endif
