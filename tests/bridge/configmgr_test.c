/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Events of discovery, inventory, status and state messages. */

#include "tests/bridge/made.h"

#include "base/text.h"
#include "bridge/configmgr.h"
#include "event/filter.h"

#include <time.h>

#define CLIENT "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"

/* What the SDK sends (facts, section 5.1). */
#define HEADER                                                                \
	"<Report><ReportHeader><Identification><Machine>"                     \
	"<ClientInstalled>1</ClientInstalled><ClientType>1</ClientType>"      \
	"<ClientID>" CLIENT "</ClientID>"                                     \
	"<ClientVersion>5.00.8325.0000</ClientVersion>"                       \
	"<NetBIOSName>PC01</NetBIOSName><CodePage>437</CodePage>"             \
	"<SystemDefaultLCID>1033</SystemDefaultLCID><Priority/></Machine>"    \
	"</Identification><ReportDetails>"                                    \
	"<ReportContent>Inventory Data</ReportContent>"                       \
	"<ReportType>Full</ReportType>"                                       \
	"<Date>20261121191320.348000+060</Date><Version>1.0</Version>"        \
	"<Format>1.1</Format></ReportDetails>"                                \
	"<InventoryAction ActionType=\"Predefined\"><InventoryActionID>"      \
	"{00000000-0000-0000-0000-000000000003}</InventoryActionID>"          \
	"<Description>Discovery</Description><InventoryActionLastUpdateTime>" \
	"20261121191320.348000+000</InventoryActionLastUpdateTime>"           \
	"</InventoryAction></ReportHeader>"

#define INSTANCE(class, properties)                                            \
	"<Instance Content=\"New\" Namespace=\"\\\\PC01\\root\\ccm\""          \
	" Class=\"" class "\" ParentClass=\"" class "\">"                      \
						    "<" class ">" properties   \
							      "</" class "></" \
									 "Ins" \
									 "tan" \
									 "ce>"

#define BODY                                                                   \
	"<ReportBody>" INSTANCE("CCM_ComputerSystem", "<Domain>CONTOSO</"      \
						      "Domain>")               \
		INSTANCE("SMS_Authority", "<Name>SMS:ABC</Name>") INSTANCE(    \
			"CCM_ADSiteInfo",                                      \
			"<ADSiteName>Berlin</"                                 \
			"ADSiteName>") INSTANCE("CCM_"                         \
						"ExtNetworkAdapterConfigurati" \
						"on",                          \
						"<FQDN>pc01.contoso.com</"     \
						"FQDN>")                       \
			INSTANCE("CCM_DiscoveryData",                          \
				 "<PlatformID>Microsoft Windows NT "           \
				 "Workstation 10.0"                            \
				 "</PlatformID>")                              \
				INSTANCE("CCM_NetworkAdapterConfiguration",    \
					 "<IPSubnet>10.0.0.0</"                \
					 "IPSubnet><IPSubnet>fe80::</"         \
					 "IPSubnet>")                          \
					INSTANCE(                              \
						"Win32_"                       \
						"NetworkAdapterConfiguration", \
						"<IPAddress>10.0.0.17</"       \
						"IPAddress>"                   \
						"<IPAddress>fe80::1</"         \
						"IPAddress><Index>1</Index>"   \
						"<MACAddress>00:15:5D:00:00:"  \
						"01</MACAddress>")             \
						INSTANCE("CCM_Client",         \
							 "") "</ReportBody></" \
							     "Report>"

#define EMPTY_BODY "<ReportBody /></Report>"

struct sent {
	struct made made;
	struct bridge_part parts[4];
	struct bridge_message message;
	const char *reason;
};

static void sent_start(struct sent *s, TALLOC_CTX *mem_ctx,
		       const char *endpoint)
{
	*s = (struct sent){.reason = NULL};
	made_start(&s->made, mem_ctx);
	s->message = (struct bridge_message){
		.id = "{9E2BDA4E-CE68-4E8C-8C0C-4A5AE53B6C62}",
		.source_id = CLIENT,
		.source_host = "PC01",
		.endpoint = endpoint,
		.sent = MADE_RECEIVED,
		.parts = s->parts,
	};
}

static void sent_bytes(struct sent *s, const void *data, size_t len)
{
	s->parts[s->message.num_parts++] =
		(struct bridge_part){.data = data, .len = len};
}

static void sent_utf8(struct sent *s, const char *text)
{
	sent_bytes(s, text, strlen(text));
}

/* With a mark, as the SDK's attachments, or a NUL at the end as its bodies. */
static void sent_utf16(struct sent *s, const char *text, bool mark)
{
	struct buf units;

	buf_init(&units, s->made.mem_ctx, 128 << 20);
	if (mark) {
		buf_put_u16(&units, 0xFEFF);
	}
	assert_int_equal(text_utf8_to_utf16(&units, text, strlen(text)),
			 EVERR_OK);
	if (!mark) {
		buf_put_u16(&units, 0);
	}
	sent_bytes(s, units.data, units.len);
}

static everr_t send(struct sent *s)
{
	return bridge_configmgr_message(s->made.events, &s->made.origin,
					&s->message, &s->reason);
}

static void assert_refused(struct sent *s, everr_t want, const char *reason)
{
	assert_int_equal(send(s), want);
	assert_non_null(s->reason);
	made_has(s->reason, reason);
	assert_int_equal(s->made.events->num_documents, 0);
	assert_int_equal(s->made.events->num_bytes, 0);
}

static void test_a_discovery_record_is_told_by_name(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf16(&s, HEADER EMPTY_BODY, false);
	sent_utf16(&s, HEADER BODY, true);
	assert_int_equal(send(&s), EVERR_OK);
	assert_int_equal(s.made.events->num_documents, 1);
	made_check(&s.made, 0);
	assert_string_equal(
		made_xml(&s.made, 0),
		"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/"
		"event'><System><Provider Name='Evenlog-ConfigMgr' "
		"Guid='{7D06D449-687B-4C83-989F-A0B09D842030}'/>"
		"<EventID>1000</EventID><Version>0</Version><Level>4</Level>"
		"<Task>1</Task><Opcode>0</Opcode>"
		"<Keywords>0x8000000000000001</Keywords>"
		/* An hour ahead of UTC. */
		"<TimeCreated SystemTime='2026-11-21T18:13:20.3480000Z'/>"
		"<EventRecordID>0</EventRecordID><Correlation/>"
		"<Execution ProcessID='0' ThreadID='0'/>"
		"<Channel>Evenlog-ConfigMgr/Operational</Channel>"
		"<Computer>pc01.contoso.com</Computer><Security/></System>"
		"<UserData><DiscoveryRecord xmlns='urn:evenlog:configmgr'>"
		"<ComputerName>pc01.contoso.com</ComputerName>"
		"<ClientId>" CLIENT "</ClientId>"
		"<IdentityMismatch>false</IdentityMismatch>"
		"<NetBIOSName>PC01</NetBIOSName><FQDN>pc01.contoso.com</FQDN>"
		"<SiteCode>ABC</SiteCode><ReportType>Full</ReportType>"
		"<ReportVersion>1.0</ReportVersion>"
		"<ReportDate>2026-11-21T18:13:20.3480000Z</ReportDate>"
		"<ReportContent>Inventory Data</ReportContent>"
		"<ReportFormat>1.1</ReportFormat>"
		"<ActionId>{00000000-0000-0000-0000-000000000003}</ActionId>"
		"<ActionType>Predefined</ActionType>"
		"<ActionDescription>Discovery</ActionDescription>"
		"<ActionLastUpdateTime>2026-11-21T19:13:20.3480000Z"
		"</ActionLastUpdateTime><ClientInstalled>1</ClientInstalled>"
		"<ClientType>1</ClientType>"
		"<ClientVersion>5.00.8325.0000</ClientVersion>"
		"<CodePage>437</CodePage>"
		"<SystemDefaultLCID>1033</SystemDefaultLCID>"
		"<Priority>0</Priority><Domain>CONTOSO</Domain>"
		"<ADSite>Berlin</ADSite><OperatingSystem>"
		"Microsoft Windows NT Workstation 10.0</OperatingSystem>"
		"<IPAddresses>10.0.0.17, fe80::1</IPAddresses>"
		"<IPSubnets>10.0.0.0, fe80::</IPSubnets>"
		"<MACAddresses>00:15:5D:00:00:01</MACAddresses>"
		"<Instances>8</Instances><PropertyCount>11</PropertyCount>"
		"<Part>1</Part><Parts>1</Parts>"
		"<MessageId>{9E2BDA4E-CE68-4E8C-8C0C-4A5AE53B6C62}</MessageId>"
		"<SourceId>" CLIENT "</SourceId><SourceHost>PC01</SourceHost>"
		"<Endpoint>MP_DdrEndpoint</Endpoint>"
		"<SentTime>2026-11-21T19:13:20.0000000Z</SentTime>"
		"<SignatureState>none</SignatureState>"
		"<PeerAddress>192.0.2.7</PeerAddress>"
		"<PeerCertificate></PeerCertificate><Properties>"
#define PROPERTY(class, name, instance, value)                             \
	"<Property Class='" class "' Name='" name "' Instance='" instance  \
				  "' Content='New' "                       \
				  "Namespace='\\\\PC01\\root\\ccm'>" value \
				  "</Property>"
		PROPERTY("CCM_ComputerSystem", "Domain", "1",
			 "CONTOSO") PROPERTY("SMS_Authority", "Name", "2",
					     "SMS:ABC") PROPERTY("CCM_"
								 "ADSiteInfo",
								 "ADSiteName",
								 "3", "Berlin")
			PROPERTY(
				"CCM_ExtNetworkAdapterConfiguration", "FQDN",
				"4",
				"pc01.contoso.com") PROPERTY("CCM_"
							     "DiscoveryData",
							     "PlatformID", "5",
							     "Microsoft "
							     "Windows NT "
							     "Workstation 10.0")
				PROPERTY("CCM_NetworkAdapterConfiguration",
					 "IPSubnet", "6",
					 "10.0.0.0") PROPERTY("CCM_"
							      "NetworkAdapterCo"
							      "nfiguration",
							      "IPSubnet", "6",
							      "fe80::")
					PROPERTY(
						"Win32_"
						"NetworkAdapterConfiguration",
						"IPAddress", "7",
						"10.0.0.17") PROPERTY("Win32_"
								      "NetworkA"
								      "dapterCo"
								      "nfigurat"
								      "ion",
								      "IPAddres"
								      "s",
								      "7",
								      "fe80::1")
						PROPERTY("Win32_"
							 "NetworkAdapterConfigu"
							 "ration",
							 "Index", "7", "1")
							PROPERTY(
								"Win32_"
								"NetworkAdapter"
								"Configuration",
								"MACAddress",
								"7",
								"00:15:5D:00:"
								"00:01")
		/* An instance that says nothing is still one. */
		"<Property Class='CCM_Client' Instance='8' Content='New' "
		"Namespace='\\\\PC01\\root\\ccm'></Property>"
		"</Properties></DiscoveryRecord></UserData></Event>");
	made_starts(made_message(&s.made, 0),
		    "pc01.contoso.com sent a discovery record (Full) of "
		    "2026-11-21T18:13:20.3480000Z.\r\n\r\nSite:\tABC\r\n"
		    "Addresses:\t10.0.0.17, fe80::1\r\n");
}

/* What a subscriber asks for, by fields and by properties. */
static void test_filters_find_machines_and_properties(void **state)
{
	static const struct {
		const char *filter;
		bool found;
	} cases[] = {
		{"*[UserData/DiscoveryRecord/SiteCode='ABC']", true},
		{"*[UserData/DiscoveryRecord/SiteCode='XYZ']", false},
		{"*[UserData/DiscoveryRecord/Properties/"
		 "Property[@Name='Domain']='CONTOSO']",
		 true},
		{"*[UserData/DiscoveryRecord/Properties/"
		 "Property[@Name='Index']='CONTOSO']",
		 false},
		{"*[UserData/*/*/Property[@Class='CCM_Client']]", true},
		{"*[System[band(Keywords, 2)]]", false},
		{"*[System[band(Keywords, 1)]]", true},
	};
	struct event_view view = {.now = MADE_RECEIVED};
	struct sent s;
	size_t i;

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s, HEADER BODY);
	assert_int_equal(send(&s), EVERR_OK);
	made_pack(&s.made, 0);
	view.header = &s.made.packed.header;
	view.dict = s.made.dict;
	view.data = s.made.packed.data;
	view.len = s.made.packed.len;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_filter_error error;
		struct event_filter *filter = NULL;

		assert_int_equal(event_filter_compile(*state, cases[i].filter,
						      strlen(cases[i].filter),
						      &filter, &error),
				 EVERR_OK);
		if (event_filter_match(filter, &view) != cases[i].found) {
			fail_msg("%s", cases[i].filter);
		}
	}
}

/* The order and number of parts do not matter (facts, section 3, quirks). */
static void test_the_fullest_part_is_the_report(void **state)
{
	struct sent s, other;
	char *first = NULL;

	sent_start(&s, *state, "mp_ddrendpoint");
	sent_utf8(&s, HEADER BODY "\r\n");
	sent_utf8(&s, HEADER EMPTY_BODY);
	/* The same bytes again, two less. */
	sent_bytes(&s, s.parts[0].data, s.parts[0].len - 2);
	sent_utf8(&s, "not a report at all");
	assert_int_equal(send(&s), EVERR_OK);
	assert_int_equal(s.made.events->num_documents, 1);
	first = talloc_strdup(*state, strstr(made_xml(&s.made, 0), "<IPSub"));

	sent_start(&other, *state, "MP_DdrEndpoint");
	sent_utf16(&other, HEADER BODY, true);
	assert_int_equal(send(&other), EVERR_OK);
	other.message.endpoint = "mp_ddrendpoint";
	assert_int_equal(send(&other), EVERR_OK);
	assert_string_equal(strstr(made_xml(&other.made, 1), "<IPSub"), first);
}

static void test_a_header_elsewhere_fills_gaps(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s, HEADER EMPTY_BODY);
	sent_utf8(&s, "<Report>" BODY);
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 0), "<ClientId>" CLIENT "</ClientId>");
	made_has(made_xml(&s.made, 0), "<PropertyCount>11</PropertyCount>");
}

static void test_another_sender_than_the_client_is_flagged(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	s.message.source_id = "GUID:99999999-89AB-CDEF-0123-456789ABCDEF";
	sent_utf8(&s, HEADER BODY);
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 0), "<Level>3</Level>");
	made_has(made_xml(&s.made, 0),
		 "<IdentityMismatch>true</IdentityMismatch>");

	/* Case is no difference, and a wrong signature is suspect as well. */
	s.message.source_id = "guid:01234567-89ab-cdef-0123-456789abcdef";
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 1), "<Level>4</Level>");
	s.message.signature = BRIDGE_SIGNATURE_INVALID;
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 2), "<Level>3</Level>");
	made_has(made_xml(&s.made, 2),
		 "<SignatureState>invalid</SignatureState>");
}

/* The first "from" of text is "to". */
static char *replaced(TALLOC_CTX *mem_ctx, const char *text, const char *from,
		      const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return talloc_asprintf(mem_ctx, "%.*s%s%s", (int)(at - text), text, to,
			       at + strlen(from));
}

static void test_what_is_required_is_missed(void **state)
{
	static const struct {
		const char *from, *to, *reason;
	} cases[] = {
		{CLIENT,
		 "GUID:", "its ClientID is \"GUID:\", not GUID: and a GUID"},
		{CLIENT, "01234567-89AB-CDEF-0123-456789ABCDEF", "ClientID"},
		{CLIENT, "GUID:{01234567-89AB-CDEF-0123-456789ABCDEF}",
		 "ClientID"},
		{"<ClientID>" CLIENT "</ClientID>", "",
		 "its ClientID is \"\", not GUID: and a GUID"},
		{"{00000000-0000-0000-0000-000000000003}", "3",
		 "its InventoryActionID is \"3\", not a GUID"},
		{"20261121191320.348000+060", "20261321191320.348000+060",
		 "its Date is \"20261321191320.348000+060\", not a time like "
		 "20261121191320.348000+000"},
		{"20261121191320.348000+060", "2026112119****.******+060",
		 "Date"},
		{"20261121191320.348000+060", "2026-11-21T19:13:20Z", "Date"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = replaced(*state, HEADER BODY, cases[i].from,
				      cases[i].to);
		struct sent s;

		sent_start(&s, *state, "MP_DdrEndpoint");
		sent_utf8(&s, text);
		assert_refused(&s, EVERR_TEXT, cases[i].reason);
	}
}

/* A good report behind it does not help, nor does only its header. */
static void test_wrong_text_is_refused_with_its_place(void **state)
{
	static const uint8_t high[] = {'<', 0, 0x00, 0xD8, '>', 0};
	static const uint8_t low[] = {'<', 0, 'a', 0, 0x00, 0xDC};
	static const uint8_t nul[] = {'<', 0, 0, 0, '>', 0};
	static const uint8_t odd[] = {'<', 0, 'R', 0, '>'};
	static const struct {
		const void *data;
		size_t len;
		const char *reason;
	} cases[] = {
		{high, sizeof(high),
		 "part 2 of 2: half a surrogate pair "
		 "(0xD800) at character 1 of its text"},
		{low, sizeof(low), "(0xDC00) at character 2"},
		{nul, sizeof(nul), "a NUL at character 1"},
		{odd, sizeof(odd), "UTF-16 with an odd number of bytes (5)"},
		{"<a\0>", 4, "a NUL at byte 2"},
		{"<\xFF>", 3, "neither UTF-16 nor valid UTF-8"},
		{"", 0, "it is empty"},
		{"\xFF\xFE", 2, "it is empty"},
		{"<Report>", 8, "it is not well-formed XML: line 1, column 9"},
		{"<!DOCTYPE Report [<!ENTITY a 'b'>]><Report>&a;</Report>", 55,
		 "a document type declaration is not allowed"},
		{"<Report>&a;</Report>", 20, "Entity 'a' not defined"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sent s;

		sent_start(&s, *state, "MP_DdrEndpoint");
		sent_utf8(&s, HEADER EMPTY_BODY);
		sent_bytes(&s, cases[i].data, cases[i].len);
		assert_refused(&s, EVERR_TEXT, cases[i].reason);
	}
}

static void test_other_messages_are_told_apart(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	assert_refused(&s, EVERR_TEXT, "the message has no parts");
	sent_utf8(&s, "<Status/>");
	assert_refused(&s, EVERR_TEXT, "it is a <Status>, not a <Report>");

	sent_start(&s, *state, "MP_PolicyManager");
	sent_utf8(&s, HEADER BODY);
	assert_int_equal(send(&s), EVERR_NOT_SUPPORTED);
	s.message.endpoint = NULL;
	assert_int_equal(send(&s), EVERR_NOT_SUPPORTED);
	s.message.endpoint = "MP_RelayEndpoint";
	s.message.file_type = "MIF";
	assert_int_equal(send(&s), EVERR_NOT_SUPPORTED);
	assert_int_equal(s.made.events->num_documents, 0);
}

static char *repeated(TALLOC_CTX *mem_ctx, const char *before, const char *text,
		      size_t num, const char *after)
{
	size_t len = strlen(text);
	char *out = talloc_array(
		mem_ctx, char, strlen(before) + num * len + strlen(after) + 1);
	char *p = out;
	size_t i;

	assert_non_null(out);
	p = stpcpy(p, before);
	for (i = 0; i < num; i++) {
		p = stpcpy(p, text);
	}
	strcpy(p, after);
	return out;
}

static void test_limits_are_told(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s, repeated(*state, HEADER "<ReportBody>", "<a>", 31, ""));
	assert_refused(&s, EVERR_LIMIT, "nested more than 32 deep");

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s, repeated(*state, HEADER "<ReportBody>", "<Instance/>",
			       65537, "</ReportBody></Report>"));
	assert_refused(&s, EVERR_LIMIT, "more than 65536 instances");

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s, HEADER BODY);
	s.parts[0].len = BRIDGE_REPORT_MAX + 1;
	assert_refused(&s, EVERR_LIMIT,
		       "part 1 has 67108865 bytes; 67108864 are the most");

	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_utf8(&s,
		  repeated(*state, HEADER "<ReportBody><Instance><C>", "<a/>",
			   1048577, "</C></Instance></ReportBody></Report>"));
	assert_refused(&s, EVERR_LIMIT, "more than 1048576 properties");
}

/* Overlapping ranges must not be read again and again. */
static void test_parts_that_overlap_have_a_limit(void **state)
{
	size_t len = 60 << 20;
	char *text = talloc_array(*state, char, len);
	struct sent s;

	memset(text, ' ', len);
	sent_start(&s, *state, "MP_DdrEndpoint");
	sent_bytes(&s, text, len);
	sent_bytes(&s, text, len);
	sent_bytes(&s, text + 1, len - 1);
	sent_bytes(&s, text + 2, len - 2);
	assert_refused(&s, EVERR_LIMIT, "its parts overlap");
}

static void test_a_thousand_machines_share_their_templates(void **state)
{
	struct sent s;
	size_t i;

	sent_start(&s, *state, "MP_DdrEndpoint");
	for (i = 0; i < 1000; i++) {
		char *text = talloc_asprintf(
			*state,
			HEADER "<ReportBody><Instance Class=\"Class%zu\"><C>"
			       "<Name%zu>%zu</Name%zu>",
			i, i, i, i);

		text = repeated(*state, text, "<P>x</P>", i % 100,
				"</C></Instance></ReportBody></Report>");
		s.message.num_parts = 0;
		sent_utf8(&s, text);
		assert_int_equal(send(&s), EVERR_OK);
		made_pack(&s.made, i);
		talloc_free(text);
	}
	/* System, and the record with 8, 16, 32, 64 and 128 places: 1 to 6. */
	assert_int_equal(event_dict_next_no(s.made.dict), 7);
}

/* 300 properties do not fit one event; each part is complete. */
static void test_many_properties_become_several_events(void **state)
{
	struct sent s;
	size_t sum = 0;
	size_t i;

	sent_start(&s, *state, "MP_HinvEndpoint");
	sent_utf8(&s, repeated(*state,
			       HEADER "<ReportBody><Instance Class='Win32_X'>"
				      "<Win32_X>",
			       "<P>value</P>", 1000,
			       "</Win32_X></Instance></ReportBody></Report>"));
	assert_int_equal(send(&s), EVERR_OK);
	assert_true(s.made.events->num_documents > 1);
	for (i = 0; i < s.made.events->num_documents; i++) {
		const char *xml = made_xml(&s.made, i);
		char want[80];

		made_has(xml, "<EventID>1010</EventID>");
		made_has(xml, "<ClientId>" CLIENT "</ClientId>");
		snprintf(want, sizeof(want),
			 "<Part>%zu</Part><Parts>%zu</Parts>", i + 1,
			 s.made.events->num_documents);
		made_has(xml, want);
		while ((xml = strstr(xml, "<Property ")) != NULL) {
			xml++;
			sum++;
		}
		made_check(&s.made, i);
		/* It goes into an .evtx file's chunk. */
		assert_true(s.made.packed.wire_len < 64000);
	}
	assert_int_equal(sum, 1000);
}

static void test_long_texts_are_cut_with_a_mark(void **state)
{
	char *value = repeated(*state, "", "é", 100000, "");
	char *name = repeated(*state, "N", "n", 400, "");
	struct sent s;
	const char *xml = NULL;
	char *text = NULL;

	text = talloc_asprintf(
		*state,
		HEADER "<ReportBody><Instance Class='C'><C><%s>%s</%s>"
		       "<B>after</B></C></Instance></ReportBody></Report>",
		name, value, name);
	sent_start(&s, *state, "MP_SinvEndpoint");
	s.message.source_host = value;
	sent_utf8(&s, text);
	assert_int_equal(send(&s), EVERR_OK);
	xml = made_xml(&s.made, 0);
	made_has(xml, "<EventID>1011</EventID>");
	made_has(xml, "… [cut, 200000 bytes]</SourceHost>");
	made_has(xml, "… [cut, 401 bytes]' Instance=");
	made_has(xml, "é… [cut, 200000 bytes]</Property>");
	made_check(&s.made, 0);
	/* What came next is in the event behind it. */
	made_has(made_xml(&s.made, 1), "Name='B' Instance='1'>after<");
}

/* Half a character, or none at all, is never written. */
static void test_hostile_texts_stay_well_formed(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint");
	s.message.source_host = "a\xFF\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80z";
	s.message.id = "\xF0\x9F\x98\x80\xF0\x9F";
	sent_utf8(&s, HEADER BODY);
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 0),
		 "<SourceHost>a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
		 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
		 "\xEF\xBF\xBDz</SourceHost>");
	made_has(made_xml(&s.made, 0),
		 "<MessageId>\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD<");
}

/* Every event of a report repeats its header. */
static void test_texts_of_the_header_are_not_endless(void **state)
{
	struct sent s;
	size_t over;

	for (over = 0; over < 2; over++) {
		sent_start(&s, *state, "MP_RelayEndpoint");
		sent_utf8(&s, repeated(s.made.events,
				       "<Report><ReportHeader><Identification>"
				       "<Machine><NetBIOSName>",
				       "n", 65536 + over,
				       "</NetBIOSName></Machine>"
				       "</Identification></ReportHeader>"
				       "<ReportBody><StateMessage/>"
				       "</ReportBody></Report>"));
		assert_int_equal(send(&s), over ? EVERR_LIMIT : EVERR_OK);
	}
	assert_string_equal(s.reason,
			    "part 1 of 1: its NetBIOSName has 65537 bytes; "
			    "65536 are the most");
}

static void send_in_time(struct sent *s, const char *what)
{
	struct timespec before, after;
	everr_t err;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	err = send(s);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	print_message("%s: %s, %ld ms\n", what,
		      s->reason == NULL ? everr_name(err) : s->reason,
		      (after.tv_sec - before.tv_sec) * 1000 +
			      (after.tv_nsec - before.tv_nsec) / 1000000);
	/* A minute even under the sanitizers. */
	assert_true(after.tv_sec - before.tv_sec < 60);
	TALLOC_FREE(s->made.events);
}

/* 64 MiB take seconds at most, whatever is in them. */
static void test_time_grows_with_the_size_only(void **state)
{
	static const char *const fillings[] = {"<P>x</P>",   "<P>",
					       "&#65;",	     "<![CDATA[]]>",
					       "<p a='1'/>", "<!---->"};
	size_t i;

	for (i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
		size_t num = (BRIDGE_REPORT_MAX - 4096) / strlen(fillings[i]);
		struct sent s;

		sent_start(&s, *state, "MP_HinvEndpoint");
		sent_utf8(&s, repeated(s.made.events,
				       HEADER
				       "<ReportBody><Instance Class='C'><C><V>",
				       fillings[i], num,
				       "</V></C></Instance></ReportBody>"
				       "</Report>"));
		send_in_time(&s, fillings[i]);
	}
}

/* What the many properties of an instance share is measured once. */
static void test_long_attributes_take_no_more_time(void **state)
{
	static const size_t sizes[] = {1, 2 << 20};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct sent s;
		char *class = NULL;

		sent_start(&s, *state, "MP_HinvEndpoint");
		class = repeated(s.made.events, "", "C", sizes[i], "");
		sent_utf8(&s,
			  repeated(s.made.events,
				   talloc_asprintf(
					   s.made.events,
					   HEADER "<ReportBody><Instance "
						  "Class='%s' ParentClass='%s' "
						  "Content='%s'><C>",
					   class, class, class),
				   "<P/>", 500000,
				   "</C></Instance></ReportBody></Report>"));
		send_in_time(&s, "many properties");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_discovery_record_is_told_by_name),
		leak_test(test_filters_find_machines_and_properties),
		leak_test(test_the_fullest_part_is_the_report),
		leak_test(test_a_header_elsewhere_fills_gaps),
		leak_test(test_another_sender_than_the_client_is_flagged),
		leak_test(test_what_is_required_is_missed),
		leak_test(test_wrong_text_is_refused_with_its_place),
		leak_test(test_other_messages_are_told_apart),
		leak_test(test_limits_are_told),
		leak_test(test_parts_that_overlap_have_a_limit),
		leak_test(test_a_thousand_machines_share_their_templates),
		leak_test(test_many_properties_become_several_events),
		leak_test(test_long_texts_are_cut_with_a_mark),
		leak_test(test_hostile_texts_stay_well_formed),
		leak_test(test_texts_of_the_header_are_not_endless),
		leak_test(test_time_grows_with_the_size_only),
		leak_test(test_long_attributes_take_no_more_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
