/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "soap/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * The library takes certificates at its start only, so each new session is
 * given the listener's present credentials when the library has made it,
 * before the handshake.
 */

struct http_tls {
	gnutls_certificate_credentials_t credentials;
};

static int tls_destructor(struct http_tls *tls)
{
	if (tls->credentials != NULL) {
		gnutls_certificate_free_credentials(tls->credentials);
	}
	return 0;
}

/* GnuTLS tells neither which of the files it cannot read nor why. */
static everr_t tls_readable(const struct http_listener *listener,
			    const char *file, char **ret_message)
{
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1) {
		*ret_message =
			talloc_asprintf(listener->server, "listener %s: %s: %s",
					listener->name, file, strerror(errno));
		return EVERR_CONFIG;
	}
	close(fd);
	return EVERR_OK;
}

static everr_t tls_files_readable(const struct http_listener *listener,
				  char **ret_message)
{
	everr_t err;

	err = tls_readable(listener, listener->certificate, ret_message);
	if (err == EVERR_OK) {
		err = tls_readable(listener, listener->key, ret_message);
	}
	if (err == EVERR_OK &&
	    listener->client_certificate != HTTP_CLIENT_CERTIFICATE_NONE) {
		err = tls_readable(listener, listener->client_ca, ret_message);
	}
	return err;
}

static everr_t tls_load(struct http_listener *listener, struct http_tls *tls,
			char **ret_message)
{
	everr_t err;
	int ret;

	err = tls_files_readable(listener, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	ret = gnutls_certificate_set_x509_key_file(
		tls->credentials, listener->certificate, listener->key,
		GNUTLS_X509_FMT_PEM);
	if (ret < 0) {
		*ret_message =
			talloc_asprintf(listener->server,
					"listener %s: the certificate %s with "
					"the key %s cannot be "
					"used: %s",
					listener->name, listener->certificate,
					listener->key, gnutls_strerror(ret));
		return EVERR_CONFIG;
	}
	if (listener->client_certificate == HTTP_CLIENT_CERTIFICATE_NONE) {
		return EVERR_OK;
	}
	ret = gnutls_certificate_set_x509_trust_file(
		tls->credentials, listener->client_ca, GNUTLS_X509_FMT_PEM);
	if (ret <= 0) {
		*ret_message = talloc_asprintf(
			listener->server,
			"listener %s: no certificate to trust for clients in "
			"%s: %s",
			listener->name, listener->client_ca,
			ret == 0 ? "there is none" : gnutls_strerror(ret));
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

/*
 * During the handshake: a certificate that was sent must be good for a client
 * and of our authority; without one, gnutls_certificate_server_set_request()
 * decides.
 */
static int tls_verify(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned int status = 0;
	unsigned int count = 0;
	int ret;

	if (gnutls_certificate_get_peers(session, &count) == NULL ||
	    count == 0) {
		return 0;
	}
	ret = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
	return ret == 0 && status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static everr_t tls_check(const struct http_listener *listener,
			 char **ret_message)
{
	if (listener->key == NULL) {
		*ret_message = talloc_asprintf(
			listener->server,
			"listener %s: a certificate needs its key",
			listener->name);
		return EVERR_CONFIG;
	}
	if (listener->client_certificate != HTTP_CLIENT_CERTIFICATE_NONE &&
	    listener->client_ca == NULL) {
		*ret_message = talloc_asprintf(
			listener->server,
			"listener %s: client certificates need the file of the "
			"authorities to trust",
			listener->name);
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

everr_t http_tls_create(struct http_listener *listener,
			struct http_tls **ret_tls, char **ret_message)
{
	struct http_tls *tls = NULL;
	everr_t err;
	int ret;

	err = tls_check(listener, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	tls = talloc_zero(listener, struct http_tls);
	if (tls == NULL) {
		return EVERR_NOMEM;
	}
	ret = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (ret < 0) {
		TALLOC_FREE(tls);
		return EVERR_NOMEM;
	}
	talloc_set_destructor(tls, tls_destructor);
	err = tls_load(listener, tls, ret_message);
	if (err != EVERR_OK) {
		TALLOC_FREE(tls);
		return err;
	}
	gnutls_certificate_set_verify_function(tls->credentials, tls_verify);
	*ret_tls = tls;
	return EVERR_OK;
}

everr_t http_listener_reload_tls(struct http_listener *listener,
				 char **ret_message)
{
	struct http_tls *tls = NULL;
	everr_t err;

	if (listener->tls == NULL) {
		return EVERR_OK;
	}
	err = http_tls_create(listener, &tls, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	/* Connections that use the old one hold references to it. */
	talloc_unlink(listener, listener->tls);
	listener->tls = tls;
	return EVERR_OK;
}

int http_tls_no_certificate(gnutls_session_t session,
			    const gnutls_datum_t *req_ca_dn, int nreqs,
			    const gnutls_pk_algorithm_t *pk_algos,
			    int pk_algos_length, gnutls_pcert_st **pcert,
			    unsigned int *pcert_length,
			    gnutls_privkey_t *privkey)
{
	(void)session;
	(void)req_ca_dn;
	(void)nreqs;
	(void)pk_algos;
	(void)pk_algos_length;
	(void)pcert;
	(void)pcert_length;
	(void)privkey;
	return -1;
}

gnutls_session_t http_tls_session(const struct http_connection *connection)
{
	const union MHD_ConnectionInfo *info = NULL;

	if (!connection->peer.tls) {
		return NULL;
	}
	info = MHD_get_connection_info(connection->mhd,
				       MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info != NULL ? info->tls_session : NULL;
}

bool http_tls_attach(struct http_connection *connection)
{
	struct http_listener *listener = connection->listener;
	gnutls_session_t session = http_tls_session(connection);
	int ret;

	if (session == NULL ||
	    talloc_reference(connection, listener->tls) == NULL) {
		return false;
	}
	ret = gnutls_set_default_priority(session);
	if (ret < 0) {
		return false;
	}
	ret = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
				     listener->tls->credentials);
	if (ret < 0) {
		return false;
	}
	switch (listener->client_certificate) {
	case HTTP_CLIENT_CERTIFICATE_NONE:
		break;
	case HTTP_CLIENT_CERTIFICATE_OPTIONAL:
		gnutls_certificate_server_set_request(session,
						      GNUTLS_CERT_REQUEST);
		break;
	case HTTP_CLIENT_CERTIFICATE_REQUIRED:
		gnutls_certificate_server_set_request(session,
						      GNUTLS_CERT_REQUIRE);
		break;
	}
	return true;
}

/* ---------------------------------------------------- the client's name */

static const char *certificate_subject(TALLOC_CTX *mem_ctx,
				       const gnutls_datum_t *der)
{
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t name = {};
	const char *subject = NULL;
	int ret;

	ret = gnutls_x509_crt_init(&certificate);
	if (ret < 0) {
		return NULL;
	}
	ret = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER);
	if (ret == 0) {
		ret = gnutls_x509_crt_get_dn3(certificate, &name, 0);
	}
	if (ret == 0) {
		subject = talloc_strndup(mem_ctx, (const char *)name.data,
					 name.size);
		gnutls_free(name.data);
	}
	gnutls_x509_crt_deinit(certificate);
	return subject;
}

/* The handshake is over, and with it the verification. */
void http_tls_name_peer(struct http_connection *connection)
{
	gnutls_session_t session = http_tls_session(connection);
	const gnutls_datum_t *chain = NULL;
	unsigned int count = 0;

	if (session == NULL || connection->peer_named ||
	    connection->listener->client_certificate ==
		    HTTP_CLIENT_CERTIFICATE_NONE) {
		return;
	}
	connection->peer_named = true;
	chain = gnutls_certificate_get_peers(session, &count);
	if (chain != NULL && count > 0) {
		connection->peer.certificate =
			certificate_subject(connection, &chain[0]);
	}
}
