/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/leak.h"
#include "tests/soap/http_fixture.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* -------------------------------------------------------- certificates */

struct identity {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

struct authority {
	char directory[32];
	struct identity ca;
	struct identity other_ca;
};

static int identity_destructor(struct identity *identity)
{
	gnutls_x509_crt_deinit(identity->certificate);
	gnutls_x509_privkey_deinit(identity->key);
	return 0;
}

static void identity_key(struct identity *identity)
{
	assert_int_equal(gnutls_x509_privkey_init(&identity->key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(
			identity->key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
}

/* ca NULL: an authority of its own. */
static void identity_make(struct identity *identity, const char *dn,
			  const char *purpose, const struct identity *ca)
{
	gnutls_x509_crt_t crt = NULL;
	uint8_t serial[8] = {};
	time_t now = time(NULL);

	identity_key(identity);
	gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	serial[0] = 1;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(crt, now - 86400);
	gnutls_x509_crt_set_expiration_time(crt, now + 86400);
	gnutls_x509_crt_set_key(crt, identity->key);
	assert_int_equal(gnutls_x509_crt_set_dn(crt, dn, NULL), 0);
	if (ca == NULL) {
		gnutls_x509_crt_set_ca_status(crt, 1);
		gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN);
		ca = identity;
		identity->certificate = crt;
	} else {
		gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0);
		gnutls_x509_crt_set_key_usage(crt,
					      GNUTLS_KEY_DIGITAL_SIGNATURE);
	}
	assert_int_equal(gnutls_x509_crt_sign2(crt, ca->certificate, ca->key,
					       GNUTLS_DIG_SHA256, 0),
			 0);
	identity->certificate = crt;
}

static char *authority_path(const struct authority *authority, const char *name)
{
	return talloc_asprintf(authority, "%s/%s", authority->directory, name);
}

static void write_file(const char *path, const gnutls_datum_t *data)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data->data, data->size), data->size);
	close(fd);
}

static void write_identity(const struct authority *authority,
			   const struct identity *identity, const char *crt,
			   const char *key)
{
	gnutls_datum_t data = {};

	gnutls_x509_crt_export2(identity->certificate, GNUTLS_X509_FMT_PEM,
				&data);
	write_file(authority_path(authority, crt), &data);
	gnutls_free(data.data);
	gnutls_x509_privkey_export2(identity->key, GNUTLS_X509_FMT_PEM, &data);
	write_file(authority_path(authority, key), &data);
	gnutls_free(data.data);
}

static int authority_destructor(struct authority *authority)
{
	static const char *const names[] = {"ca.pem", "ca.key", "server.pem",
					    "server.key"};
	size_t i;

	for (i = 0; i < 4; i++) {
		(void)unlink(authority_path(authority, names[i]));
	}
	rmdir(authority->directory);
	identity_destructor(&authority->ca);
	identity_destructor(&authority->other_ca);
	return 0;
}

static void write_server(const struct authority *authority, const char *dn)
{
	struct identity *server = talloc_zero(NULL, struct identity);

	identity_make(server, dn, GNUTLS_KP_TLS_WWW_SERVER, &authority->ca);
	talloc_set_destructor(server, identity_destructor);
	write_identity(authority, server, "server.pem", "server.key");
	talloc_free(server);
}

static struct authority *authority_create(TALLOC_CTX *mem_ctx)
{
	struct authority *authority = talloc_zero(mem_ctx, struct authority);

	memcpy(authority->directory, "/tmp/evenlog-tls-XXXXXX", 24);
	assert_non_null(mkdtemp(authority->directory));
	identity_make(&authority->ca, "CN=Test Authority", NULL, NULL);
	identity_make(&authority->other_ca, "CN=Other Authority", NULL, NULL);
	talloc_set_destructor(authority, authority_destructor);
	write_identity(authority, &authority->ca, "ca.pem", "ca.key");
	write_server(authority, "CN=first.example");
	return authority;
}

static struct identity *client_identity(const struct authority *authority,
					const char *dn, const char *purpose,
					bool ours)
{
	struct identity *client = talloc_zero(authority, struct identity);

	identity_make(client, dn, purpose,
		      ours ? &authority->ca : &authority->other_ca);
	talloc_set_destructor(client, identity_destructor);
	return client;
}

/* --------------------------------------------------------------- client */

struct tls_client {
	struct http_client *tcp;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	char server[64]; /* its certificate's subject */
	char *in;
	size_t len;
	bool closed;
};

static int tls_client_destructor(struct tls_client *client)
{
	gnutls_deinit(client->session);
	gnutls_certificate_free_credentials(client->credentials);
	return 0;
}

static struct tls_client *tls_open(struct http_fixture *f,
				   const struct identity *identity)
{
	struct tls_client *client = talloc_zero(f, struct tls_client);

	client->tcp = http_client_open(f, NULL);
	client->in = talloc_strdup(client, "");
	http_client_deaf(client->tcp);
	gnutls_certificate_allocate_credentials(&client->credentials);
	if (identity != NULL) {
		gnutls_x509_crt_t crt = identity->certificate;

		assert_int_equal(
			gnutls_certificate_set_x509_key(client->credentials,
							&crt, 1, identity->key),
			0);
	}
	gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
					      GNUTLS_NO_SIGNAL |
					      GNUTLS_FORCE_CLIENT_CERT);
	gnutls_set_default_priority(client->session);
	gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE,
			       client->credentials);
	gnutls_transport_set_int(client->session, client->tcp->fd);
	talloc_set_destructor(client, tls_client_destructor);
	return client;
}

static void tls_name_server(struct tls_client *client)
{
	const gnutls_datum_t *der = NULL;
	gnutls_x509_crt_t crt = NULL;
	size_t size = sizeof(client->server);
	unsigned int count = 0;

	der = gnutls_certificate_get_peers(client->session, &count);
	assert_non_null(der);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
	gnutls_x509_crt_get_dn(crt, client->server, &size);
	gnutls_x509_crt_deinit(crt);
}

static bool tls_handshake(struct tls_client *client)
{
	int ret;

	do {
		ret = gnutls_handshake(client->session);
		http_fixture_run(client->tcp->f, 1);
	} while (ret == GNUTLS_E_AGAIN || ret == GNUTLS_E_INTERRUPTED);
	if (ret < 0) {
		client->closed = true;
		return false;
	}
	tls_name_server(client);
	return true;
}

static void tls_send(struct tls_client *client, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		ssize_t n = gnutls_record_send(client->session, bytes, len);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
			http_fixture_run(client->tcp->f, 1);
			continue;
		}
		if (n < 0) {
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

static void tls_read(struct tls_client *client)
{
	char data[16384];
	ssize_t n = gnutls_record_recv(client->session, data, sizeof(data));

	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
		http_fixture_run(client->tcp->f, 1);
		return;
	}
	if (n <= 0) {
		client->closed = true;
		return;
	}
	client->in = talloc_realloc(client, client->in, char,
				    client->len + (size_t)n + 1);
	memcpy(client->in + client->len, data, (size_t)n);
	client->len += (size_t)n;
	client->in[client->len] = '\0';
}

static void tls_wait_text(struct tls_client *client, const char *text)
{
	while (strstr(client->in, text) == NULL) {
		if (client->closed) {
			fail_msg("closed without \"%s\": %s", text, client->in);
		}
		tls_read(client);
	}
}

static void tls_wait_closed(struct tls_client *client)
{
	while (!client->closed) {
		tls_read(client);
	}
}

static void tls_request(struct tls_client *client, const char *text)
{
	client->len = 0;
	client->in[0] = '\0';
	tls_send(client, text, strlen(text));
}

/* ---------------------------------------------------------------- tests */

static const char text_request[] = "GET /text HTTP/1.1\r\nHost: a\r\n\r\n";

static struct http_fixture *tls_fixture(void **state,
					struct authority **ret_authority,
					enum http_client_certificate mode)
{
	struct http_fixture *f = http_fixture_create(*state);
	struct authority *authority = authority_create(f);

	f->config.certificate = authority_path(authority, "server.pem");
	f->config.key = authority_path(authority, "server.key");
	f->config.client_ca = authority_path(authority, "ca.pem");
	f->config.client_certificate = mode;
	http_fixture_start(f);
	*ret_authority = authority;
	return f;
}

static void test_requests_go_over_tls(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	struct tls_client *client = tls_open(f, NULL);

	assert_true(tls_handshake(client));
	assert_string_equal(client->server, "CN=first.example");
	tls_request(client, text_request);
	tls_wait_text(client, "tls 1\nsubject (none)\n");
	tls_wait_text(client, "url https://a/text\n");
	tls_request(client, text_request);
	tls_wait_text(client, "length 0\n");
	assert_int_equal(http_fixture_stats(f).accepted, 1);
	talloc_free(f);
}

/*
 * TLS reads whole records of 16 KiB: what it holds is no event on the socket,
 * and must still be handed over.
 */
static void test_bodies_of_every_length_arrive_over_tls(void **state)
{
	static const size_t lengths[] = {1,	16383,	16384,	 16385,
					 24576, 100000, 3000000, 1};
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	struct tls_client *client = tls_open(f, NULL);
	uint8_t *body = talloc_zero_array(f, uint8_t, 3000000);
	size_t i;

	assert_true(tls_handshake(client));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *text = talloc_asprintf(f,
					     "POST /count HTTP/1.1\r\n"
					     "Host: a\r\n"
					     "Content-Length: %zu\r\n\r\n",
					     lengths[i]);

		f->taken = 0;
		tls_request(client, text);
		tls_send(client, body, lengths[i]);
		text = talloc_asprintf(f, "took %zu\n", lengths[i]);
		tls_wait_text(client, text);
	}
	talloc_free(f);
}

static void test_a_large_answer_goes_over_tls(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	struct tls_client *client = tls_open(f, NULL);

	f->large = 3000000;
	assert_true(tls_handshake(client));
	tls_request(client, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
	while (client->len <= f->large && !client->closed) {
		tls_read(client);
	}
	assert_false(client->closed);
	talloc_free(f);
}

static void test_an_early_answer_reaches_a_sender_over_tls(void **state)
{
	static const char *const targets[] = {"/early", "/now", "/echo"};
	static const char *const answers[] = {"not like this\n", "now\n",
					      "longer than"};
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	uint8_t *body = talloc_zero_array(f, uint8_t, 1000000);
	size_t i;

	for (i = 0; i < 3; i++) {
		struct tls_client *client = tls_open(f, NULL);
		char *head = talloc_asprintf(f,
					     "POST %s HTTP/1.1\r\nHost: a\r\n"
					     "Content-Length: 1000000\r\n\r\n",
					     targets[i]);

		assert_true(tls_handshake(client));
		tls_request(client, head);
		tls_send(client, body, 1000000);
		tls_wait_closed(client);
		if (strstr(client->in, answers[i]) == NULL) {
			fail_msg("%s: %s", targets[i], client->in);
		}
		talloc_free(client);
	}
	talloc_free(f);
}

static void test_an_optional_certificate_names_the_client(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f = tls_fixture(state, &authority,
					     HTTP_CLIENT_CERTIFICATE_OPTIONAL);
	struct tls_client *client = NULL;

	client = tls_open(f, client_identity(authority, "CN=dss1,O=Contoso",
					     GNUTLS_KP_TLS_WWW_CLIENT, true));
	assert_true(tls_handshake(client));
	tls_request(client, text_request);
	tls_wait_text(client, "subject CN=dss1,O=Contoso\n");

	client = tls_open(f, NULL);
	assert_true(tls_handshake(client));
	tls_request(client, text_request);
	tls_wait_text(client, "subject (none)\n");
	talloc_free(f);
}

/* TLS 1.3 clients learn of it with the first answer. */
static void assert_refused(struct http_fixture *f,
			   const struct identity *identity)
{
	struct tls_client *client = tls_open(f, identity);

	if (tls_handshake(client)) {
		tls_request(client, text_request);
		tls_wait_closed(client);
	}
	assert_int_equal(client->len, 0);
	talloc_free(client);
}

static void test_a_certificate_that_is_not_good_is_refused(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f = tls_fixture(state, &authority,
					     HTTP_CLIENT_CERTIFICATE_OPTIONAL);

	assert_refused(f, client_identity(authority, "CN=forged",
					  GNUTLS_KP_TLS_WWW_CLIENT, false));
	assert_refused(f, client_identity(authority, "CN=server",
					  GNUTLS_KP_TLS_WWW_SERVER, true));
	assert_int_equal(http_fixture_stats(f).requests, 0);
	talloc_free(f);
}

static void test_without_a_required_certificate_nothing_is_served(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f = tls_fixture(state, &authority,
					     HTTP_CLIENT_CERTIFICATE_REQUIRED);
	struct tls_client *client = NULL;

	assert_refused(f, NULL);
	assert_int_equal(http_fixture_stats(f).requests, 0);
	client = tls_open(f, client_identity(authority, "CN=dss1",
					     GNUTLS_KP_TLS_WWW_CLIENT, true));
	assert_true(tls_handshake(client));
	tls_request(client, text_request);
	tls_wait_text(client, "subject CN=dss1\n");
	talloc_free(f);
}

static void test_new_certificate_files_are_for_new_connections(void **state)
{
	const gnutls_datum_t nonsense = {(unsigned char *)"nonsense", 8};
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	struct tls_client *old = tls_open(f, NULL);
	struct tls_client *client = NULL;
	char *message = NULL;
	everr_t err;

	assert_true(tls_handshake(old));
	write_server(authority, "CN=second.example");
	err = http_listener_reload_tls(f->listener, &message);
	assert_int_equal(err, EVERR_OK);
	client = tls_open(f, NULL);
	assert_true(tls_handshake(client));
	assert_string_equal(client->server, "CN=second.example");

	/* Files that cannot be used change nothing. */
	write_file(authority_path(authority, "server.pem"), &nonsense);
	err = http_listener_reload_tls(f->listener, &message);
	assert_int_equal(err, EVERR_CONFIG);
	assert_non_null(strstr(message, "server.pem"));
	client = tls_open(f, NULL);
	assert_true(tls_handshake(client));
	assert_string_equal(client->server, "CN=second.example");

	tls_request(old, text_request);
	tls_wait_text(old, "length 0\n");
	talloc_free(f);
}

/* A client could ask for the costly part of TLS 1.2 again and again. */
static void test_a_client_that_wants_a_new_handshake_is_closed(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f =
		tls_fixture(state, &authority, HTTP_CLIENT_CERTIFICATE_NONE);
	struct tls_client *client = tls_open(f, NULL);
	int ret;

	ret = gnutls_priority_set_direct(client->session,
					 "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL);
	assert_int_equal(ret, GNUTLS_E_SUCCESS);
	assert_true(tls_handshake(client));
	tls_request(client, text_request);
	tls_wait_text(client, "length 0\n");
	do {
		ret = gnutls_handshake(client->session);
		http_fixture_run(f, 1);
	} while (ret == GNUTLS_E_AGAIN || ret == GNUTLS_E_INTERRUPTED);
	assert_true(ret < 0);
	http_wait(f, http_fixture_stats(f).connections == 0);

	client = tls_open(f, NULL);
	assert_true(tls_handshake(client));
	tls_request(client, text_request);
	tls_wait_text(client, "length 0\n");
	talloc_free(f);
}

static void test_what_is_not_tls_is_closed(void **state)
{
	static const char *const openings[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\xff\xff\x01",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
	};
	struct authority *authority = NULL;
	struct http_fixture *f = http_fixture_create(*state);
	struct tls_client *good = NULL;
	size_t i;

	authority = authority_create(f);
	f->config.certificate = authority_path(authority, "server.pem");
	f->config.key = authority_path(authority, "server.key");
	f->config.limits.head_seconds = 1;
	http_fixture_start(f);
	for (i = 0; i < 3; i++) {
		struct http_client *client = http_client_open(f, NULL);

		http_client_send_bytes(client, openings[i],
				       i == 2 ? 10 : strlen(openings[i]));
		http_client_wait_closed(client);
	}
	/* A handshake that does not go on is cut like a head. */
	http_client_wait_closed(http_client_open(f, NULL));
	good = tls_open(f, NULL);
	assert_true(tls_handshake(good));
	talloc_free(f);
}

static void test_the_server_may_be_freed_with_sessions_open(void **state)
{
	struct authority *authority = NULL;
	struct http_fixture *f = tls_fixture(state, &authority,
					     HTTP_CLIENT_CERTIFICATE_OPTIONAL);
	struct tls_client *client = tls_open(f, NULL);

	(void)http_client_open(f, NULL);
	assert_true(tls_handshake(client));
	tls_request(client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	http_wait(f, f->waiting != NULL);
	TALLOC_FREE(f->server);
	assert_int_equal(f->gone, 1);
	talloc_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		leak_test(test_requests_go_over_tls),
		leak_test(test_bodies_of_every_length_arrive_over_tls),
		leak_test(test_a_large_answer_goes_over_tls),
		leak_test(test_an_early_answer_reaches_a_sender_over_tls),
		leak_test(test_an_optional_certificate_names_the_client),
		leak_test(test_a_certificate_that_is_not_good_is_refused),
		leak_test(
			test_without_a_required_certificate_nothing_is_served),
		leak_test(test_new_certificate_files_are_for_new_connections),
		leak_test(test_a_client_that_wants_a_new_handshake_is_closed),
		leak_test(test_what_is_not_tls_is_closed),
		leak_test(test_the_server_may_be_freed_with_sessions_open),
	};

	/* tevent keeps its list of backends for good. */
	talloc_free(tevent_context_init(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
