/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Events of status and state messages, registrations and rejections. */

#include "tests/bridge/made.h"

#include "bridge/configmgr.h"
#include "bridge/state_names.h"

#define CLIENT "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"

/* As the SDK writes them (facts, section 5.2). */
#define STATUS(severity)                                                     \
	"<?xml version=\"1.0\" encoding=\"utf-16\"?>"                        \
	"<Status SchemaVersion=\"1.00\" CodePage=\"437\" LocaleID=\"1033\">" \
	"<Properties>"                                                       \
	"<Property Name=\"InsertionString1\">one</Property>"                 \
	"<Property Name=\"InsertionString2\"> t &amp; wo </Property>"        \
	"<Property Name=\"InsertionString10\">ten</Property>"                \
	"<Property Name=\"Attribute400\">ABC00001</Property>"                \
	"<Property Name=\"MachineName\">PC01</Property>"                     \
	"<Property Name=\"SiteCode\">ABC</Property>"                         \
	"<Property Name=\"TopLevelSiteCode\"></Property>"                    \
	"<Property Name=\"Win32ErrorCode\">5</Property>"                     \
	"<Property Name=\"ClientID\">" CLIENT "</Property>"                  \
	"<Property Name=\"DateTime\">20261121191320.348000+000</Property>"   \
	"<Property Name=\"ProcessId\">1234</Property>"                       \
	"<Property Name=\"ThreadId\">4321</Property>"                        \
	"<Property Name=\"Severity\">" severity "</Property></Properties>"   \
	"<Qualifiers><Qualifier Name=\"SMS_Component\">MyComponent"          \
	"</Qualifier><Qualifier Name=\"SMS_MessageID\">10500</Qualifier>"    \
	"<Qualifier Name=\"SMS_ModuleName\">SMS Client</Qualifier>"          \
	"<Qualifier Name=\"Other\">thing</Qualifier></Qualifiers>"           \
	"<Type>SMS_UnknownStatusMessage</Type></Status>"

#define STATE_HEADER                                                        \
	"<Report><ReportHeader><Identification><Machine>"                   \
	"<ClientID>" CLIENT "</ClientID><ClientVersion>5.0</ClientVersion>" \
	"<NetBIOSName>PC01</NetBIOSName><Priority>5</Priority></Machine>"   \
	"</Identification><ReportDetails>"                                  \
	"<ReportContent>State Message Data</ReportContent>"                 \
	"<ReportType>Full</ReportType>"                                     \
	"<Date>20261121191000.000000+000</Date><Version>1.0</Version>"      \
	"<Format>1.1</Format></ReportDetails></ReportHeader><ReportBody>"

#define STATE(id, criticality, topic, topic_id, id_type)                    \
	"<StateMessage MessageTime=\"20261121190000.000000+000\" "          \
	"SerialNumber=\"7\"><Topic Type=\"" topic "\" ID=\"" topic_id       \
	"\" IDType=\"" id_type "\" User=\"CONTOSO\\bob\" UserSID=\"S-1-1\"" \
	"/><State ID=\"" id "\" Criticality=\"" criticality "\">"           \
	"<StateDetails Type=\"1\"><![CDATA[<a b=\"c\"/>]]></StateDetails>"  \
	"</State><UserParameters Count=\"2\" Flags=\"0\"><Param>x</Param>"  \
	"<Param>y z</Param></UserParameters></StateMessage>"

#define STATE_END "</ReportBody></Report>"

struct sent {
	struct made made;
	struct bridge_part part;
	struct bridge_message message;
	const char *reason;
};

static void sent_start(struct sent *s, TALLOC_CTX *mem_ctx,
		       const char *endpoint, const char *text)
{
	*s = (struct sent){.reason = NULL};
	made_start(&s->made, mem_ctx);
	s->part.data = (const uint8_t *)text;
	s->part.len = strlen(text);
	s->message = (struct bridge_message){
		.id = "{9E2BDA4E-CE68-4E8C-8C0C-4A5AE53B6C62}",
		.source_id = CLIENT,
		.source_host = "PC01",
		.endpoint = endpoint,
		.sent = MADE_RECEIVED,
		.parts = &s->part,
		.num_parts = 1,
	};
}

static everr_t send(struct sent *s)
{
	return bridge_configmgr_message(s->made.events, &s->made.origin,
					&s->message, &s->reason);
}

static void test_a_status_message_is_told_by_name(void **state)
{
	struct sent s;

	sent_start(&s, *state, "StatusReceiver", STATUS("0"));
	assert_int_equal(send(&s), EVERR_OK);
	assert_int_equal(s.made.events->num_documents, 1);
	made_check(&s.made, 0);
	made_has(made_xml(&s.made, 0),
		 "<EventID>1020</EventID><Version>0</Version><Level>4</Level>");
	made_has(made_xml(&s.made, 0),
		 "<TimeCreated SystemTime='2026-11-21T19:13:20.3480000Z'/>");
	made_has(made_xml(&s.made, 0),
		 "<Computer>PC01</Computer><Security/></System><UserData>"
		 "<StatusRecord xmlns='urn:evenlog:configmgr'>"
		 "<ComputerName>PC01</ComputerName><StatusId>10500</StatusId>"
		 "<Component>MyComponent</Component>"
		 "<Module>SMS Client</Module>"
		 "<StatusType>SMS_UnknownStatusMessage</StatusType>"
		 "<SiteCode>ABC</SiteCode><TopLevelSiteCode></TopLevelSiteCode>"
		 "<ClientId>" CLIENT "</ClientId>"
		 "<IdentityMismatch>false</IdentityMismatch>"
		 "<Severity>informational</Severity>"
		 "<SeverityValue>0</SeverityValue>"
		 "<DateTime>2026-11-21T19:13:20.3480000Z</DateTime>"
		 "<ProcessId>1234</ProcessId><ThreadId>4321</ThreadId>"
		 "<Win32ErrorCode>5</Win32ErrorCode>"
		 "<InsertionString1>one</InsertionString1>"
		 "<InsertionString2>t &amp; wo</InsertionString2>"
		 "<InsertionString3></InsertionString3>");
	made_has(made_xml(&s.made, 0),
		 "<InsertionString10>ten</InsertionString10>");
	made_has(made_xml(&s.made, 0),
		 "<Properties><Property Class='Property' Name='Attribute400'>"
		 "ABC00001</Property><Property Class='Qualifier' Name='Other'>"
		 "thing</Property></Properties></StatusRecord>");
	made_starts(made_message(&s.made, 0),
		    "PC01: status 10500 of MyComponent "
		    "SMS_UnknownStatusMessage (informational): one t & wo ");
}

static void test_severities_are_levels(void **state)
{
	static const struct {
		const char *text, *level, *name;
	} cases[] = {
		{STATUS("0"), "4", "informational"},
		{STATUS("1"), "3", "warning"},
		{STATUS("2"), "2", "error"},
		{STATUS("3"), "4", "not defined"},
		{STATUS("x"), "4", ""},
	};
	struct sent s;
	char want[80];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sent_start(&s, *state, "mp_statusreceiver", cases[i].text);
		assert_int_equal(send(&s), EVERR_OK);
		snprintf(want, sizeof(want), "<Level>%s</Level>",
			 cases[i].level);
		made_has(made_xml(&s.made, 0), want);
		snprintf(want, sizeof(want), "<Severity>%s</Severity>",
			 cases[i].name);
		made_has(made_xml(&s.made, 0), want);
		made_check(&s.made, 0);
	}
	/* Another client's: a warning, and no less for an error. */
	sent_start(&s, *state, "StatusReceiver", STATUS("2"));
	s.message.source_id = "GUID:";
	assert_int_equal(send(&s), EVERR_OK);
	made_has(made_xml(&s.made, 0), "<Level>2</Level>");
	made_has(made_xml(&s.made, 0),
		 "<IdentityMismatch>true</IdentityMismatch>");
}

static void test_a_status_message_says_something(void **state)
{
	struct sent s;

	sent_start(&s, *state, "StatusReceiver", "<Status/>");
	assert_int_equal(send(&s), EVERR_TEXT);
	assert_string_equal(s.reason, "the status message has no properties");
	sent_start(&s, *state, "StatusReceiver", "<Report/>");
	assert_int_equal(send(&s), EVERR_TEXT);
	assert_string_equal(s.reason, "part 1 of 1: it is a <Report>, not a "
				      "<Status>");

	/* Nothing that has a field: the message's own time and host. */
	sent_start(&s, *state, "StatusReceiver",
		   "<Status><Properties><Property>x</Property></Properties>"
		   "</Status>");
	assert_int_equal(send(&s), EVERR_OK);
	made_check(&s.made, 0);
	made_has(made_xml(&s.made, 0),
		 "<Properties><Property Class='Property'>x</Property></");
	made_has(made_xml(&s.made, 0), "'2026-11-21T19:13:20.0000000Z'");
}

static void test_each_state_message_is_an_event(void **state)
{
	/* clang-format off */
	static const char *const fields[] = {
		"ComputerName", "PC01",
		"Topic", "update detection",
		"TopicType", "500",
		"TopicId", "{A}",
		"TopicIdType", "update unique id",
		"TopicIdTypeValue", "4",
		"State", "missing",
		"StateId", "2",
		"StateDetails", "&lt;a b=\"c\"/&gt;",
		"Criticality", "0",
		"MessageTime", "2026-11-21T19:00:00.0000000Z",
		"SerialNumber", "7",
		"User", "CONTOSO\\bob",
		"UserSid", "S-1-1",
		"Parameters", "x, y z",
		"ClientId", CLIENT,
		"IdentityMismatch", "false",
		"NetBIOSName", "PC01",
		"ClientVersion", "5.0",
		"ReportType", "Full",
		"ReportVersion", "1.0",
		"ReportDate", "2026-11-21T19:10:00.0000000Z",
		"Priority", "5",
		NULL};
	/* clang-format on */
	struct sent s;

	sent_start(&s, *state, "MP_RelayEndpoint",
		   STATE_HEADER STATE("2", "0", "500", "{A}",
				      "4") STATE("5", "2", "501", "{B}", "5")
			   STATE("77", "1", "9999", "", "99") STATE_END);
	s.message.file_type = "smx";
	assert_int_equal(send(&s), EVERR_OK);
	assert_int_equal(s.made.events->num_documents, 3);
	made_check(&s.made, 0);
	made_check(&s.made, 1);
	made_check(&s.made, 2);
#define DATA(name, value) "<Data Name='" name "'>" value "</Data>"
	made_has(made_xml(&s.made, 0),
		 "<EventID>1030</EventID><Version>0</Version><Level>4</Level>"
		 "<Task>4</Task>");
	made_has(made_xml(&s.made, 0),
		 "<TimeCreated SystemTime='2026-11-21T19:00:00.0000000Z'/>");
	made_has_data(&s.made, 0, fields);
	made_has(made_xml(&s.made, 0), DATA("FileType", "smx"));
	made_starts(made_message(&s.made, 0),
		    "PC01: update detection {A} is now: missing.\r\n");

	made_has(made_xml(&s.made, 1), "<Level>2</Level>");
	made_has(made_xml(&s.made, 1), DATA("State", "error"));
	made_has(made_xml(&s.made, 2), "<Level>3</Level>");
	made_starts(made_message(&s.made, 2),
		    "PC01: topic type 9999  is now: state 77.\r\n");
}

static void test_a_relayed_report_without_states_is_refused(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_RelayEndpoint", STATE_HEADER STATE_END);
	assert_int_equal(send(&s), EVERR_TEXT);
	assert_string_equal(s.reason, "the report has no StateMessage");

	sent_start(&s, *state, "MP_RelayEndpoint",
		   "<Report><ReportHeader><Identification><Machine>"
		   "<ClientID>me</ClientID></Machine></Identification>"
		   "</ReportHeader><ReportBody><StateMessage/></ReportBody>"
		   "</Report>");
	assert_int_equal(send(&s), EVERR_TEXT);
	made_has(s.reason, "its ClientID is \"me\", not GUID: and a GUID");

	/* One that says nothing is one all the same. */
	sent_start(&s, *state, "MP_RelayEndpoint",
		   "<Report><ReportBody><StateMessage/></ReportBody></Report>");
	assert_int_equal(send(&s), EVERR_OK);
	made_check(&s.made, 0);
	made_has(made_xml(&s.made, 0), DATA("ClientId", CLIENT));
}

/* Facts, section 5.3. */
static void test_topics_and_states_have_names(void **state)
{
	assert_string_equal(configmgr_topic_name(300),
			    "update assignment compliance");
	assert_string_equal(configmgr_topic_name(1702),
			    "application enforcement");
	assert_null(configmgr_topic_name(0));
	assert_null(configmgr_topic_name(600));
	assert_string_equal(configmgr_state_name(402, 11), "update failed");
	assert_string_equal(configmgr_state_name(800, 320), "setup failed");
	assert_null(configmgr_state_name(800, 321));
	assert_string_equal(configmgr_state_name(1702, 5004), "error");
	assert_null(configmgr_state_name(500, 4));
	assert_string_equal(configmgr_topic_id_type_name(8),
			    "client access license");
	assert_null(configmgr_topic_id_type_name(9));
}

static void test_a_registration_is_told(void **state)
{
	struct bridge_registration made = {
		.client_id = CLIENT,
		.host = "PC01",
		.fqdn = "pc01.contoso.com",
		.agent = "CCMSetup.exe",
		.agent_version = "5.00.8325.0000",
		.key_sha256 = "00ff",
	};
	struct sent s;

	sent_start(&s, *state, "MP_ClientRegistration", "");
	s.message.source_id = NULL;
	assert_int_equal(bridge_configmgr_registered(s.made.events,
						     &s.made.origin, &s.message,
						     &made),
			 EVERR_OK);
	made_check(&s.made, 0);
	made_has(made_xml(&s.made, 0), "<Level>4</Level>");
	made_has(made_xml(&s.made, 0), "<Computer>pc01.contoso.com</Computer>");
	made_starts(made_message(&s.made, 0),
		    "pc01.contoso.com was registered as client " CLIENT
		    ".\r\n");

	made.key_changed = true;
	made.fqdn = NULL;
	made.host = "";
	assert_int_equal(bridge_configmgr_registered(s.made.events,
						     &s.made.origin, &s.message,
						     &made),
			 EVERR_OK);
	made_check(&s.made, 1);
	made_has(made_xml(&s.made, 1), "<Level>3</Level>");
	made_has(made_xml(&s.made, 1), "<Computer>PC01</Computer>");
}

static void test_a_rejection_may_know_nothing(void **state)
{
	struct sent s;

	sent_start(&s, *state, "MP_DdrEndpoint", "");
	assert_int_equal(bridge_configmgr_rejected(s.made.events,
						   &s.made.origin, NULL,
						   "the body is empty", NULL),
			 EVERR_OK);
	assert_int_equal(bridge_configmgr_rejected(
				 s.made.events, &s.made.origin, &s.message,
				 "it was sent before", "20261121-1"),
			 EVERR_OK);
	made_check(&s.made, 0);
	made_check(&s.made, 1);
	made_has(made_xml(&s.made, 0), "<Level>3</Level>");
	made_has(made_xml(&s.made, 0), DATA("SignatureState", ""));
	made_has(made_xml(&s.made, 1), "<Computer>bridge.example.com<");
	made_has(made_xml(&s.made, 1), DATA("SignatureState", "none"));
	made_starts(made_message(&s.made, 1),
		    "A message of 192.0.2.7 was rejected: it was sent before."
		    "\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_a_status_message_is_told_by_name),
		leak_test(test_severities_are_levels),
		leak_test(test_a_status_message_says_something),
		leak_test(test_each_state_message_is_an_event),
		leak_test(test_a_relayed_report_without_states_is_refused),
		leak_test(test_topics_and_states_have_names),
		leak_test(test_a_registration_is_told),
		leak_test(test_a_rejection_may_know_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
