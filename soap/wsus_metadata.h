/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_WSUS_METADATA_H
#define EVENLOG_SOAP_WSUS_METADATA_H

/*
 * An update's metadata, one upd:Update document, and what a server has to know
 * of it: [MS-WSUSSS] 3.1.1.1.  Elements are found by their local names.  Pure.
 */

#include "soap/wsus_catalogue.h"

/*
 * The text as it goes over the wire: UTF-8 (from UTF-16 where there is a BOM),
 * without BOM, XML declaration and white space around it.
 *
 * EVERR_TEXT   not valid UTF-8 or UTF-16, or declared to be something else
 * EVERR_LIMIT  more than out's
 */
everr_t wsus_metadata_text(const uint8_t *data, size_t len,
			   struct buf *out) EVERR_MUST_CHECK;

/*
 * Fill in id, revision, kind, title, languages, categories and files (children
 * of mem_ctx).  No DTD, no network.
 *
 * EVERR_CONFIG  *ret_message (child of mem_ctx) says what is wrong and in
 *               which line, "12: ..."
 * EVERR_NOMEM
 */
everr_t wsus_metadata_read(TALLOC_CTX *mem_ctx, const uint8_t *xml, size_t len,
			   struct wsus_update *update,
			   char **ret_message) EVERR_MUST_CHECK;

#endif
