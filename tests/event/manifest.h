/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_EVENT_MANIFEST_H
#define EVENLOG_TESTS_EVENT_MANIFEST_H

/* Manifests as text, for tests of what reads and uses them. */

#include "event/catalog.h"

#include <string.h>

#define MAN_HEAD                                                          \
	"<?xml version='1.0' encoding='UTF-8'?>\n"                        \
	"<instrumentationManifest"                                        \
	" xmlns='http://schemas.microsoft.com/win/2004/08/events'"        \
	" xmlns:win='http://manifests.microsoft.com/win/2004/08/windows/" \
	"events'>\n"                                                      \
	"<instrumentation><events>\n"
#define MAN_PROVIDER                                                     \
	"<provider name='Contoso-Backup'"                                \
	" guid='{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}' symbol='BACKUP'" \
	" resourceFileName='C:\\b.dll' messageFileName='C:\\m.dll'"      \
	" parameterFileName='C:\\p.dll' helpLink='http://h/'"            \
	" message='$(string.Provider)'>\n"
#define MAN_LOCAL                       \
	"</events></instrumentation>\n" \
	"<localization><resources culture='en-US'><stringTable>\n"
#define MAN_TAIL \
	"</stringTable></resources></localization></instrumentationManifest>"

/* Of all there is something. */
#define MAN_SAMPLE                                                             \
	MAN_HEAD MAN_PROVIDER                                                  \
		"<channels>"                                                   \
		"<importChannel chid='App' name='Application'/>"               \
		"<channel chid='Op' name='Contoso-Backup/Operational'"         \
		" type='Operational' isolation='Custom' enabled='true'"        \
		" access='O:BAG:SYD:(A;;0x1;;;WD)' "                           \
		"message='$(string.Channel)'>"                                 \
		"<logging><maxSize>2097152</maxSize><retention>true</"         \
		"retention>"                                                   \
		"<autoBackup>false</autoBackup></logging></channel>"           \
		"<channel chid='Dbg' name='Contoso-Backup/Debug' "             \
		"type='Debug'/>"                                               \
		"</channels>"                                                  \
		"<levels><level name='Loud' value='16' "                       \
		"message='$(string.Loud)'/>"                                   \
		"</levels>"                                                    \
		"<opcodes><opcode name='Copy' value='11'"                      \
		" message='$(string.Copy)'/></opcodes>"                        \
		"<tasks><task name='Job' value='7' symbol='JOB'"               \
		" eventGUID='{00000001-0002-0003-0405-060708090a0b}'"          \
		" message='$(string.Job)'><opcodes>"                           \
		"<opcode name='Verify' value='12' "                            \
		"message='$(string.Verify)'/>"                                 \
		"<opcode name='Copy' value='13' message='$(string.Verify)'/>"  \
		"</opcodes></task><task name='Quiet' value='8'/></tasks>"      \
		"<keywords><keyword name='Disk' mask='0x1'"                    \
		" message='$(string.Disk)'/>"                                  \
		"<keyword name='Tape' mask='0x800000000000'/></keywords>"      \
		"<maps><valueMap name='Kind'>"                                 \
		"<map value='1' message='$(string.Full)'/>"                    \
		"<map value='0x2' message='$(string.Part)'/></valueMap>"       \
		"<bitMap name='Where'><map value='0x1' "                       \
		"message='$(string.Disk)'/>"                                   \
		"<map value='0x4' message='$(string.Tape)'/></bitMap></maps>"  \
		"<templates><template tid='T'>"                                \
		"<data name='Name' inType='win:UnicodeString'/>"               \
		"<data name='Size' inType='win:UInt64' "                       \
		"outType='win:HexInt64'/>"                                     \
		"<data name='Kind' inType='win:UInt32' map='Kind'/>"           \
		"<data name='Where' inType='win:UInt32' map='Where'/>"         \
		"<data name='Parts' inType='win:UInt16' "                      \
		"count='3'/></template>"                                       \
		"<template tid='U'><data name='Who' "                          \
		"inType='win:UnicodeString'/>"                                 \
		"<data name='N' inType='win:Int32'/>"                          \
		"<UserData><Done xmlns='urn:contoso' "                         \
		"Who='%1'><Count>%2</Count>"                                   \
		"<Note>a &amp; "                                               \
		"b</Note></Done></UserData></template></templates>"            \
		"<events>"                                                     \
		"<event value='5' version='2' channel='Op' level='win:Error'"  \
		" task='Job' opcode='Verify' keywords='Disk win:AuditSuccess'" \
		" template='T' symbol='E5' message='$(string.E5)'/>"           \
		"<event value='5' channel='App' level='Loud' task='Job'"       \
		" opcode='Copy' template='T' message='$(string.E5)'/>"         \
		"<event value='3' level='win:Informational' opcode='Copy'"     \
		" message='$(mc.Third)'/>"                                     \
		"<event value='0x10' channel='Contoso-Backup/Debug'"           \
		" opcode='win:Start' template='U'/>"                           \
		"</events></provider>"                                         \
		"<messageTable><message value='0x2001' mid='Third'"            \
		" message='$(string.Third)'/>"                                 \
		"<message value='1832' symbol='P' message='$(string.Param)'/>" \
		"</messageTable>" MAN_LOCAL                                    \
		"<string id='Provider' value='Contoso Backup'/>"               \
		"<string id='Channel' value='Backup jobs'/>"                   \
		"<string id='Loud' value='Very loud'/>"                        \
		"<string id='Copy' value='Copying'/>"                          \
		"<string id='Job' value='A job'/>"                             \
		"<string id='Verify' value='Verifying'/>"                      \
		"<string id='Disk' value='disk'/><string id='Tape' "           \
		"value='tape'/>"                                               \
		"<string id='Full' value='full'/><string id='Part' "           \
		"value='partial'/>"                                            \
		"<string id='E5' value='%1 has %2 bytes, %3 on %4.'/>"         \
		"<string id='Third' value='the third'/>"                       \
		"<string id='Param' value='%%1832 itself&#10;'/>"              \
		"</stringTable></resources><resources "                        \
		"culture='de-DE'><stringTable>"                                \
		"<string id='E5' value='%1 hat %2 Bytes, %3 auf %4.'/>"        \
		"<string id='Loud' value='Sehr laut'/>" MAN_TAIL

static inline everr_t man_try(TALLOC_CTX *mem_ctx, const char *xml,
			      struct event_manifest **ret_manifest,
			      struct event_manifest_error *ret_error)
{
	return event_manifest_parse(mem_ctx, "test.man", (const uint8_t *)xml,
				    strlen(xml), ret_manifest, ret_error);
}

static inline struct event_manifest *man_read(TALLOC_CTX *mem_ctx,
					      const char *xml)
{
	struct event_manifest_error error = {0};
	struct event_manifest *manifest = NULL;
	everr_t err = man_try(mem_ctx, xml, &manifest, &error);

	if (err != EVERR_OK) {
		print_error("%d: %s\n", error.line, error.message);
	}
	assert_int_equal(err, EVERR_OK);
	return manifest;
}

#endif
