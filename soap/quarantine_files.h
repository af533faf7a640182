/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_SOAP_QUARANTINE_FILES_H
#define EVENLOG_SOAP_QUARANTINE_FILES_H

/*
 * The files of the quarantine's entries: NAME.in and NAME.json.  Names and
 * descriptors only, so that any thread may call this.  EVERR_IO leaves errno.
 */

#include "base/everr.h"

#include <stddef.h>
#include <stdint.h>

/*
 * "20261122T031456123456-0001-9f3a2b1c": UTC to the microsecond, a counter and
 * something random, so that the order of names is the order of arrival and no
 * name comes twice.
 */
#define QUARANTINE_NAME_FORM "ddddddddTdddddddddddd-xxxx-xxxxxxxx"
/* With its NUL. */
#define QUARANTINE_NAME_SIZE sizeof(QUARANTINE_NAME_FORM)

#define QUARANTINE_INPUT ".in"
#define QUARANTINE_DESCRIPTION ".json"
/* Files that are being written; what a crash leaves goes at the next start. */
#define QUARANTINE_TEMPORARY ".new-"
#define QUARANTINE_FILE_MAX 64

/* file has room for QUARANTINE_FILE_MAX, and is returned. */
const char *quarantine_file_name(char *file, const char *prefix,
				 const char *name, const char *suffix);

/*
 * Opened for each use: a person may have removed it, or put another there.  It
 * is made when it is missing.
 */
everr_t quarantine_dir_open(const char *path, int *ret_fd) EVERR_MUST_CHECK;

/*
 * The description gets its name last: with it the entry is there.  Nothing of
 * one that could not be written stays.
 */
everr_t quarantine_files_write(int dir, const char *name,
			       const uint8_t *description,
			       size_t description_len, const uint8_t *data,
			       size_t len) EVERR_MUST_CHECK;
void quarantine_files_remove(int dir, const char *name);
/* To the disk itself; what fails here is seen at the start after a crash. */
void quarantine_files_sync(int dir, const char *name);

#endif
