/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_CAB_H
#define EVENLOG_SOAP_CAB_H

/*
 * A cabinet with one file, as [MS-WSUSSS] wants an update's metadata: LZX with
 * a window of 2^21, here as uncompressed blocks, which every decoder takes.
 * [MS-CAB], [MS-PATCH] 2.  Pure.
 */

#include "base/buf.h"
#include "base/everr.h"

/* A folder has at most 65,535 blocks of 32,768 bytes. */
#define CAB_FILE_MAX (65535ULL * 32768)

/*
 * Append the cabinet.  name is ASCII.
 *
 * EVERR_LIMIT  more than CAB_FILE_MAX, or the buffer's
 * EVERR_NOMEM
 */
everr_t cab_write(struct buf *out, const char *name, const uint8_t *data,
		  size_t len) EVERR_MUST_CHECK;

#endif
