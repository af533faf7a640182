/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/winmeta.h"

#include "base/text.h"
#include "event/event.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct winmeta_name winmeta_levels[] = {
	{"win:LogAlways", 0, "Information"},
	{"win:Critical", 1, "Critical"},
	{"win:Error", 2, "Error"},
	{"win:Warning", 3, "Warning"},
	{"win:Informational", 4, "Information"},
	{"win:Verbose", 5, "Verbose"},
	{"win:ReservedLevel6", 6, "Reserved Level 6"},
	{"win:ReservedLevel7", 7, "Reserved Level 7"},
	{"win:ReservedLevel8", 8, "Reserved Level 8"},
	{"win:ReservedLevel9", 9, "Reserved Level 9"},
	{"win:ReservedLevel10", 10, "Reserved Level 10"},
	{"win:ReservedLevel11", 11, "Reserved Level 11"},
	{"win:ReservedLevel12", 12, "Reserved Level 12"},
	{"win:ReservedLevel13", 13, "Reserved Level 13"},
	{"win:ReservedLevel14", 14, "Reserved Level 14"},
	{"win:ReservedLevel15", 15, "Reserved Level 15"},
};
const size_t winmeta_num_levels = COUNT(winmeta_levels);

const struct winmeta_name winmeta_tasks[] = {
	{"win:None", 0, "None"},
};
const size_t winmeta_num_tasks = COUNT(winmeta_tasks);

const struct winmeta_name winmeta_opcodes[] = {
	{"win:Info", 0, "Info"},	 {"win:Start", 1, "Start"},
	{"win:Stop", 2, "Stop"},	 {"win:DC_Start", 3, "DCStart"},
	{"win:DC_Stop", 4, "DCStop"},	 {"win:Extension", 5, "Extension"},
	{"win:Reply", 6, "Reply"},	 {"win:Resume", 7, "Resume"},
	{"win:Suspend", 8, "Suspend"},	 {"win:Send", 9, "Send"},
	{"win:Receive", 240, "Receive"},
};
const size_t winmeta_num_opcodes = COUNT(winmeta_opcodes);

const struct winmeta_name winmeta_keywords[] = {
	{"win:AnyKeyword", 0, "None"},
	{"win:ResponseTime", 0x1000000000000, "Response Time"},
	{"win:WDIContext", 0x2000000000000, "WDI Context"},
	{"win:WDIDiag", 0x4000000000000, "WDI Diag"},
	{"win:SQM", 0x8000000000000, "SQM"},
	{"win:AuditFailure", 0x10000000000000, "Audit Failure"},
	{"win:AuditSuccess", 0x20000000000000, "Audit Success"},
	{"win:CorrelationHint", 0x40000000000000, "Correlation Hint"},
	{"win:EventlogClassic", 0x80000000000000, "Classic"},
};
const size_t winmeta_num_keywords = COUNT(winmeta_keywords);

const struct winmeta_name winmeta_channels[] = {
	{"System", 8, "System"},
	{"Application", 9, "Application"},
	{"Security", 10, "Security"},
};
const size_t winmeta_num_channels = COUNT(winmeta_channels);

const struct winmeta_name *winmeta_find(const struct winmeta_name *names,
					size_t num_names, const char *name)
{
	size_t i;

	/* Another spelling that is in use. */
	if (strcmp(name, "win:Information") == 0 ||
	    strcmp(name, "win:Info") == 0) {
		name = names == winmeta_levels ? "win:Informational"
					       : "win:Info";
	}
	for (i = 0; i < num_names; i++) {
		if (strcmp(names[i].name, name) == 0) {
			return &names[i];
		}
	}
	return NULL;
}

static const struct winmeta_type in_types[] = {
	{"win:UnicodeString", EVENT_TYPE_STRING, "xs:string"},
	{"win:AnsiString", EVENT_TYPE_ANSI, "xs:string"},
	{"win:Int8", EVENT_TYPE_INT8, "xs:byte"},
	{"win:UInt8", EVENT_TYPE_UINT8, "xs:unsignedByte"},
	{"win:Int16", EVENT_TYPE_INT16, "xs:short"},
	{"win:UInt16", EVENT_TYPE_UINT16, "xs:unsignedShort"},
	{"win:Int32", EVENT_TYPE_INT32, "xs:int"},
	{"win:UInt32", EVENT_TYPE_UINT32, "xs:unsignedInt"},
	{"win:Int64", EVENT_TYPE_INT64, "xs:long"},
	{"win:UInt64", EVENT_TYPE_UINT64, "xs:unsignedLong"},
	{"win:Float", EVENT_TYPE_REAL32, "xs:float"},
	{"win:Double", EVENT_TYPE_REAL64, "xs:double"},
	{"win:Boolean", EVENT_TYPE_BOOL, "xs:boolean"},
	{"win:Binary", EVENT_TYPE_BINARY, "xs:hexBinary"},
	{"win:GUID", EVENT_TYPE_GUID, "xs:GUID"},
	{"win:Pointer", EVENT_TYPE_SIZET, "win:HexInt64"},
	{"win:FILETIME", EVENT_TYPE_FILETIME, "xs:dateTime"},
	{"win:SYSTEMTIME", EVENT_TYPE_SYSTIME, "xs:dateTime"},
	{"win:SID", EVENT_TYPE_SID, "xs:string"},
	{"win:HexInt32", EVENT_TYPE_HEXINT32, "win:HexInt32"},
	{"win:HexInt64", EVENT_TYPE_HEXINT64, "win:HexInt64"},
	/* How a provider hands its string over is no matter of the event. */
	{"win:CountedUnicodeString", EVENT_TYPE_STRING, "xs:string"},
	{"win:CountedAnsiString", EVENT_TYPE_ANSI, "xs:string"},
	{"win:CountedBinary", EVENT_TYPE_BINARY, "xs:hexBinary"},
};

const struct winmeta_type *winmeta_in_type(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(in_types); i++) {
		if (strcmp(in_types[i].name, name) == 0) {
			return &in_types[i];
		}
	}
	return NULL;
}

static const struct {
	const char *culture;
	uint32_t lcid;
} cultures[] = {
	{"ar-SA", 0x0401},
	{"bg-BG", 0x0402},
	{"ca-ES", 0x0403},
	{"zh-TW", 0x0404},
	{"cs-CZ", 0x0405},
	{"da-DK", 0x0406},
	{"de-DE", 0x0407},
	{"el-GR", 0x0408},
	{"en-US", 0x0409},
	{"es-ES", 0x0C0A},
	{"fi-FI", 0x040B},
	{"fr-FR", 0x040C},
	{"he-IL", 0x040D},
	{"hu-HU", 0x040E},
	{"is-IS", 0x040F},
	{"it-IT", 0x0410},
	{"ja-JP", 0x0411},
	{"ko-KR", 0x0412},
	{"nl-NL", 0x0413},
	{"nb-NO", 0x0414},
	{"pl-PL", 0x0415},
	{"pt-BR", 0x0416},
	{"rm-CH", 0x0417},
	{"ro-RO", 0x0418},
	{"ru-RU", 0x0419},
	{"hr-HR", 0x041A},
	{"sk-SK", 0x041B},
	{"sq-AL", 0x041C},
	{"sv-SE", 0x041D},
	{"th-TH", 0x041E},
	{"tr-TR", 0x041F},
	{"ur-PK", 0x0420},
	{"id-ID", 0x0421},
	{"uk-UA", 0x0422},
	{"be-BY", 0x0423},
	{"sl-SI", 0x0424},
	{"et-EE", 0x0425},
	{"lv-LV", 0x0426},
	{"lt-LT", 0x0427},
	{"fa-IR", 0x0429},
	{"vi-VN", 0x042A},
	{"hy-AM", 0x042B},
	{"eu-ES", 0x042D},
	{"mk-MK", 0x042F},
	{"af-ZA", 0x0436},
	{"ka-GE", 0x0437},
	{"hi-IN", 0x0439},
	{"mt-MT", 0x043A},
	{"ms-MY", 0x043E},
	{"kk-KZ", 0x043F},
	{"cy-GB", 0x0452},
	{"gl-ES", 0x0456},
	{"lb-LU", 0x046E},
	{"zh-CN", 0x0804},
	{"de-CH", 0x0807},
	{"en-GB", 0x0809},
	{"es-MX", 0x080A},
	{"fr-BE", 0x080C},
	{"it-CH", 0x0810},
	{"nl-BE", 0x0813},
	{"nn-NO", 0x0814},
	{"pt-PT", 0x0816},
	{"sv-FI", 0x081D},
	{"ga-IE", 0x083C},
	{"zh-HK", 0x0C04},
	{"de-AT", 0x0C07},
	{"en-AU", 0x0C09},
	{"fr-CA", 0x0C0C},
	{"zh-SG", 0x1004},
	{"de-LU", 0x1007},
	{"en-CA", 0x1009},
	{"fr-CH", 0x100C},
	{"en-NZ", 0x1409},
	{"en-IE", 0x1809},
	{"sr-Latn-RS", 0x241A},
	{"en-IN", 0x4009},
	{"sr-Cyrl-RS", 0x281A},
	/* Without a region, [MS-LCID]: the language alone. */
	{"ar", 0x0001},
	{"cs", 0x0005},
	{"da", 0x0006},
	{"de", 0x0007},
	{"el", 0x0008},
	{"en", 0x0009},
	{"es", 0x000A},
	{"fi", 0x000B},
	{"fr", 0x000C},
	{"he", 0x000D},
	{"hu", 0x000E},
	{"it", 0x0010},
	{"ja", 0x0011},
	{"ko", 0x0012},
	{"nl", 0x0013},
	{"no", 0x0014},
	{"pl", 0x0015},
	{"pt", 0x0016},
	{"ro", 0x0018},
	{"ru", 0x0019},
	{"sv", 0x001D},
	{"tr", 0x001F},
	{"uk", 0x0022},
	{"zh-Hans", 0x0004},
	{"zh-Hant", 0x7C04},
};

uint32_t winmeta_lcid(const char *culture)
{
	size_t i;

	for (i = 0; i < COUNT(cultures); i++) {
		if (text_name_equal(cultures[i].culture, culture)) {
			return cultures[i].lcid;
		}
	}
	return 0;
}
