/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_FORWARD_RELP_H
#define EVENLOG_FORWARD_RELP_H

/*
 * The frames of RELP, the reliable event logging protocol of rsyslog (its
 * text is doc/relp.html of librelp), as a client reads and writes them:
 *
 *     TXNR SP COMMAND SP DATALEN [SP DATA] LF
 *
 * Pure: no sockets.  What a server sends is hostile.
 */

#include "base/everr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELP_COMMAND_MAX 32
#define RELP_NUMBER_DIGITS 9
/*
 * The last transaction number: 9 digits are what there is room for.  librelp
 * goes on to one of 10 digits, which it cannot read itself, so a session ends
 * before that.
 */
#define RELP_TXNR_MAX 999999999
/* A server's frames are answers, or lists of offers: they are short. */
#define RELP_DATA_MAX 8192
#define RELP_HEADER_MAX 32 /* of a frame of ours, with NUL */
/* The text of an answer, 80 characters at most. */
#define RELP_TEXT_MAX 81

struct relp_frame {
	uint32_t txnr; /* 0: a hint that wants no answer */
	char command[RELP_COMMAND_MAX + 1];
	const uint8_t *data; /* of the parser, until it is fed again */
	size_t len;
};

enum relp_state {
	RELP_TXNR,
	RELP_COMMAND,
	RELP_LENGTH,
	RELP_DATA,
	RELP_TRAILER
};

struct relp_parser {
	enum relp_state state;
	size_t count; /* characters of the present field */
	uint32_t length;
	struct relp_frame frame;
	uint8_t data[RELP_DATA_MAX];
};

void relp_parser_init(struct relp_parser *parser);

/*
 * Take bytes from *data on, up to the end of a frame; *data and *len are what
 * is left.
 *
 * EVERR_OK        a frame is whole: *ret_frame
 * EVERR_END       all was taken, the frame goes on
 * EVERR_PROTOCOL  this is no RELP, or a frame longer than RELP_DATA_MAX; the
 *                 parser cannot go on
 */
everr_t relp_parser_feed(struct relp_parser *parser, const uint8_t **data,
			 size_t *len,
			 struct relp_frame *ret_frame) EVERR_MUST_CHECK;

/*
 * The data of "rsp": a code of three digits and a text, of which only
 * printable ASCII is kept.  *ret_offers, *ret_offers_len: what follows the
 * first line.  EVERR_PROTOCOL.
 */
everr_t relp_answer_parse(const uint8_t *data, size_t len,
			  unsigned int *ret_code, char ret_text[RELP_TEXT_MAX],
			  const uint8_t **ret_offers,
			  size_t *ret_offers_len) EVERR_MUST_CHECK;

/*
 * Whether offers (lines "name=value,value") have this value for this name;
 * an empty list of values offers nothing.
 */
bool relp_offers(const uint8_t *offers, size_t len, const char *name,
		 const char *value);

/*
 * What stands before the data of a frame of ours; its length.  A frame without
 * data has no space before its LF.
 */
size_t relp_header(char text[RELP_HEADER_MAX], uint32_t txnr,
		   const char *command, size_t len);

#endif
