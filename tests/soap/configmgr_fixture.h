/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENLOG_TESTS_SOAP_CONFIGMGR_FIXTURE_H
#define EVENLOG_TESTS_SOAP_CONFIGMGR_FIXTURE_H

/*
 * A management point on a real store, with a quarantine, and messages as the
 * SDK puts them on the wire (facts, sections 2 to 5).
 */

#include "bridge/events.h"
#include "soap/configmgr_internal.h"
#include "tests/store/fixture.h"

#include <ftw.h>

#define BOUNDARY "aAbBcCdDv1234567890VxXyYzZ"
#define CONTENT_TYPE "multipart/mixed; boundary=\"" BOUNDARY "\""
#define CLIENT_ID "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"
#define ID_1 "{11111111-1111-1111-1111-111111111111}"
#define ID_2 "{22222222-2222-2222-2222-222222222222}"

struct mp_fixture {
	struct fixture *f;
	char *dir; /* of the quarantine and the inbox */
	struct configmgr_config config;
	struct quarantine *quarantine;
	struct configmgr *configmgr;
};

static inline int mp_remove(const char *path, const struct stat *stat, int type,
			    struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int mp_destructor(struct mp_fixture *m)
{
	TALLOC_FREE(m->configmgr);
	TALLOC_FREE(m->quarantine);
	TALLOC_FREE(m->f);
	return nftw(m->dir, mp_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void mp_open(struct mp_fixture *m)
{
	struct quarantine_limits limits;
	char *message = NULL;
	char *dir = talloc_asprintf(m, "%s/quarantine", m->dir);

	quarantine_limits_default(&limits);
	fixture_open(m->f);
	assert_int_equal(quarantine_open(m, dir, &limits, &m->quarantine),
			 EVERR_OK);
	assert_int_equal(configmgr_start(m, m->f->ev, &m->config,
					 "here.example", m->f->store,
					 m->quarantine, &m->configmgr,
					 &message),
			 EVERR_OK);
	assert_null(message);
	talloc_free(dir);
}

static inline void mp_close(struct mp_fixture *m)
{
	TALLOC_FREE(m->configmgr);
	TALLOC_FREE(m->quarantine);
	TALLOC_FREE(m->f->store);
}

static inline void mp_reopen(struct mp_fixture *m)
{
	mp_close(m);
	mp_open(m);
}

/* Not open yet. */
static inline struct mp_fixture *mp_new(void **state)
{
	struct mp_fixture *m = talloc_zero(*state, struct mp_fixture);
	const char *tmp = getenv("TMPDIR");

	assert_non_null(m);
	m->f = fixture_new(m);
	/* fixture_disk_set() to less makes the store full. */
	m->f->options.limits.disk_reserve = 1000;
	m->dir = talloc_asprintf(m, "%s/evenlog-mp-XXXXXX",
				 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(m->dir));
	talloc_set_destructor(m, mp_destructor);
	configmgr_config_default(&m->config);
	m->config.host = "mp.example";
	return m;
}

static inline struct mp_fixture *mp_start(void **state)
{
	struct mp_fixture *m = mp_new(state);

	mp_open(m);
	return m;
}

/* ---------------------------------------------------------------- events */

/* Events of this id in the channel. */
static inline size_t mp_events(struct mp_fixture *m, uint32_t event_id)
{
	struct store_snapshot *snapshot = NULL;
	struct store_record record = {};
	uint64_t id = 1;
	size_t num = 0;

	assert_int_equal(store_snapshot_begin(m->f->store, &snapshot),
			 EVERR_OK);
	while (store_read(snapshot, m->configmgr->channel, id, false,
			  &record) == EVERR_OK) {
		num += record.header.event_id == event_id;
		id = record.id + 1;
	}
	store_snapshot_end(snapshot);
	return num;
}

static inline size_t mp_kept(struct mp_fixture *m)
{
	struct quarantine_stats stats;

	quarantine_stats(m->quarantine, &stats);
	return stats.entries;
}

/* -------------------------------------------------------------- messages */

static inline void put_utf16(struct buf *out, const char *text)
{
	assert_int_equal(text_utf8_to_utf16(out, text, strlen(text)), EVERR_OK);
}

/* A discovery record; serial makes it another one. */
static inline char *mp_report(TALLOC_CTX *mem_ctx, bool full,
			      unsigned int serial)
{
	return talloc_asprintf(
		mem_ctx,
		"<Report><ReportHeader><Identification><Machine>"
		"<ClientInstalled>1</ClientInstalled>"
		"<ClientType>1</ClientType><ClientID>" CLIENT_ID "</ClientID>"
		"<ClientVersion>5.00.8325.0000</ClientVersion>"
		"<NetBIOSName>PC01</NetBIOSName><CodePage>437</CodePage>"
		"<SystemDefaultLCID>1033</SystemDefaultLCID><Priority />"
		"</Machine></Identification><ReportDetails>"
		"<ReportContent>Inventory Data</ReportContent>"
		"<ReportType>Full</ReportType>"
		"<Date>20261121191320.348000+000</Date>"
		"<Version>1.%u</Version><Format>1.1</Format></ReportDetails>"
		"<InventoryAction ActionType=\"Predefined\">"
		"<InventoryActionID>{00000000-0000-0000-0000-000000000003}"
		"</InventoryActionID><Description>Discovery</Description>"
		"<InventoryActionLastUpdateTime>20261121191320.348000+000"
		"</InventoryActionLastUpdateTime></InventoryAction>"
		"</ReportHeader>%s</Report>",
		serial,
		full ? "<ReportBody><Instance Content=\"New\" "
		       "Namespace=\"\\\\PC01\\root\\ccm\" "
		       "Class=\"CCM_ComputerSystem\" "
		       "ParentClass=\"CCM_ComputerSystem\">"
		       "<CCM_ComputerSystem><Domain>EXAMPLE</Domain>"
		       "</CCM_ComputerSystem></Instance></ReportBody>"
		     : "<ReportBody />");
}

struct mp_message {
	const char *id; /* NULL: ID_1 */
	const char *endpoint;
	const char *mode;
	const char *text;	/* the body */
	const char *attachment; /* NULL: none */
};

static inline void put_header(struct buf *out, const struct mp_message *message,
			      size_t body_len, size_t attachment_len)
{
	char *text = NULL;
	char *attachment = talloc_strdup(NULL, "");

	if (message->attachment != NULL) {
		talloc_free(attachment);
		attachment = talloc_asprintf(
			NULL,
			"<Attachment Name=\"{00000000-0000-0000-0000-"
			"000000000003}\" Offset=\"%zu\" Length=\"%zu\"/>",
			body_len, attachment_len);
	}
	text = talloc_asprintf(
		NULL,
		"<Msg ReplyCompression=\"none\" SchemaVersion=\"1.1\"><ID>%s"
		"</ID><SourceID>" CLIENT_ID "</SourceID>"
		"<SourceHost>PC01</SourceHost><TargetAddress>mp:%s"
		"</TargetAddress><TargetEndpoint>%s</TargetEndpoint>"
		"<ReplyTo>direct:PC01:SccmMessaging</ReplyTo>"
		"<CorrelationID>{00000000-0000-0000-0000-000000000000}"
		"</CorrelationID><Protocol>http</Protocol>"
		"<SentTime>2026-11-21T19:22:19Z</SentTime>"
		"<ReplyMode>%s</ReplyMode><Body Type=\"ByteRange\" "
		"Offset=\"0\" Length=\"%zu\"/>%s<Hooks/>"
		"<Payload Type=\"inline\"/></Msg>",
		message->id != NULL ? message->id : ID_1, message->endpoint,
		message->endpoint,
		message->mode != NULL ? message->mode : "Async", body_len,
		attachment);
	put_utf16(out, text);
	talloc_free(text);
	talloc_free(attachment);
}

/* The multipart body; a child of mem_ctx. */
static inline struct buf mp_body(TALLOC_CTX *mem_ctx,
				 const struct mp_message *message)
{
	struct buf payload;
	struct buf body;
	size_t text_len = 0;

	buf_init(&payload, mem_ctx, 1 << 24);
	put_utf16(&payload, message->text);
	buf_put_u16(&payload, 0);
	text_len = payload.len;
	if (message->attachment != NULL) {
		put_utf16(&payload, message->attachment);
	}
	buf_init(&body, mem_ctx, 1 << 24);
	buf_puts(&body, "--" BOUNDARY "\r\ncontent-type: text/plain; "
			"charset=UTF-16\r\n\r\n\xff\xfe");
	put_header(&body, message, text_len, payload.len - text_len);
	buf_puts(&body, "\r\n--" BOUNDARY "\r\ncontent-type: "
			"application/octet-stream\r\n\r\n");
	buf_put(&body, payload.data, payload.len);
	buf_puts(&body, "\r\n\r\n--" BOUNDARY "--");
	buf_free(&payload);
	assert_int_equal(buf_error(&body), EVERR_OK);
	return body;
}

static inline struct buf mp_discovery(TALLOC_CTX *mem_ctx, const char *id,
				      unsigned int serial)
{
	const struct mp_message message = {
		.id = id,
		.endpoint = "MP_DdrEndpoint",
		.text = mp_report(mem_ctx, false, serial),
		.attachment = mp_report(mem_ctx, true, serial),
	};

	return mp_body(mem_ctx, &message);
}

/* The same with so many instances more: too large to be read in the loop. */
static inline struct buf mp_large(TALLOC_CTX *mem_ctx, const char *id,
				  unsigned int instances)
{
	struct mp_message message = {
		.id = id,
		.endpoint = "MP_DdrEndpoint",
		.text = mp_report(mem_ctx, false, 0),
	};
	char *report = mp_report(mem_ctx, true, 0);
	struct buf text;
	unsigned int i;

	buf_init(&text, mem_ctx, 1 << 24);
	*strstr(report, "</ReportBody>") = '\0';
	buf_puts(&text, report);
	for (i = 0; i < instances; i++) {
		buf_printf(&text,
			   "<Instance Content=\"New\" Namespace=\"n\" "
			   "Class=\"Win32_Product\" ParentClass=\"P\">"
			   "<Win32_Product><Name>Product %u</Name>"
			   "</Win32_Product></Instance>",
			   i);
	}
	buf_puts(&text, "</ReportBody></Report>");
	buf_put_u8(&text, 0);
	message.attachment = (const char *)text.data;
	return mp_body(mem_ctx, &message);
}

static inline struct tevent_req *mp_send(struct mp_fixture *m,
					 const struct buf *body)
{
	const struct configmgr_input input = {
		.method = "CCM_POST",
		.path = "/ccm_system/request",
		.content_type = CONTENT_TYPE,
		.peer = "192.0.2.7",
		.body = body->data,
		.len = body->len,
	};
	struct tevent_req *req = NULL;

	req = configmgr_message_send(m, m->f->ev, m->configmgr, &input);
	assert_non_null(req);
	return req;
}

/* Wait for it; frees it.  The answer's pointers are children of m. */
static inline struct configmgr_answer mp_recv(struct mp_fixture *m,
					      struct tevent_req *req)
{
	struct configmgr_answer answer = {};

	assert_true(tevent_req_poll(req, m->f->ev));
	assert_int_equal(configmgr_message_recv(req, m, &answer), EVERR_OK);
	TALLOC_FREE(req);
	return answer;
}

static inline struct configmgr_answer mp_take(struct mp_fixture *m,
					      const struct buf *body)
{
	return mp_recv(m, mp_send(m, body));
}

/* Nothing is on its way to disk any more. */
static inline void mp_settle(struct mp_fixture *m)
{
	fixture_until(m->f, m->configmgr->flights == NULL);
}

#endif
