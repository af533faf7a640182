/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/resolve.h"
#include "forward/transport_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * RFC 5425: the receiver has to prove the name that it was called by.
 * Messages pass through GnuTLS into the socket record by record; their ends
 * are then known as offsets in what the socket took, which is what the kernel
 * speaks of.
 */

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define RECORD_MAX 16384
#define READ_TURNS 16
/* What Debian's GnuTLS reads for "the system's authorities". */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
enum {
	TLS_CA,
	TLS_CERTIFICATE,
	TLS_KEY,
	TLS_FILES
};

/* What was read of the files, and which files they were. */
struct tls_trust {
	gnutls_certificate_credentials_t credentials;
	struct stat files[TLS_FILES];
};

struct tls_session {
	gnutls_session_t session;
	char *name; /* that it has to prove */
	gnutls_typed_vdata_st proof[2];
	int error;	/* errno of the socket, 0: it was closed */
	uint64_t plain; /* bytes that were encrypted */
	bool pending;	/* a record that the socket did not take */
	bool shaken;	/* the handshake is over */
};

static struct tls_session *session_of(struct forward_transport *transport)
{
	return talloc_get_type_abort(transport->session, struct tls_session);
}

/* ----------------------------------------------------------------- files */

static const char *file_path(const struct forward_config *config, int which)
{
	switch (which) {
	case TLS_CA:
		return config->ca;
	case TLS_CERTIFICATE:
		return config->certificate;
	default:
		return config->key;
	}
}

/* errno, or 0.  A FIFO is not waited for. */
static int file_look(const char *path, struct stat *ret_file)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int error = 0;

	if (fd == -1) {
		return errno;
	}
	if (fstat(fd, ret_file) != 0) {
		error = errno;
	}
	close(fd);
	return error;
}

/* GnuTLS tells neither which of the files it cannot read nor why. */
static everr_t files_look(TALLOC_CTX *mem_ctx,
			  const struct forward_config *config,
			  struct stat *ret_files, char **ret_message)
{
	int i;

	for (i = 0; i < TLS_FILES; i++) {
		const char *path = file_path(config, i);
		const char *why = NULL;
		int error;

		ret_files[i] = (struct stat){};
		if (path == NULL) {
			continue;
		}
		error = file_look(path, &ret_files[i]);
		if (error != 0) {
			why = strerror(error);
		} else if (!S_ISREG(ret_files[i].st_mode)) {
			why = "this is no regular file";
		}
		if (why != NULL) {
			*ret_message =
				talloc_asprintf(mem_ctx, "%s: %s", path, why);
			return EVERR_CONFIG;
		}
	}
	if (config->ca == NULL) {
		/* It need not be there: its changes are to be noticed. */
		(void)file_look(SYSTEM_CA, &ret_files[TLS_CA]);
	}
	return EVERR_OK;
}

static bool files_same(const struct stat *a, const struct stat *b)
{
	int i;

	for (i = 0; i < TLS_FILES; i++) {
		if (a[i].st_dev != b[i].st_dev || a[i].st_ino != b[i].st_ino ||
		    a[i].st_size != b[i].st_size ||
		    a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
		    a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec) {
			return false;
		}
	}
	return true;
}

static everr_t trust_authorities(const struct tls_trust *trust,
				 TALLOC_CTX *mem_ctx,
				 const struct forward_config *config,
				 char **ret_message)
{
	int num;

	if (config->ca == NULL) {
		num = gnutls_certificate_set_x509_system_trust(
			trust->credentials);
	} else {
		num = gnutls_certificate_set_x509_trust_file(
			trust->credentials, config->ca, GNUTLS_X509_FMT_PEM);
	}
	if (num > 0) {
		return EVERR_OK;
	}
	*ret_message = talloc_asprintf(
		mem_ctx, "%s: no certificate of an authority to trust%s%s",
		config->ca != NULL ? config->ca : "this system's list",
		num < 0 ? ": " : "", num < 0 ? gnutls_strerror(num) : "");
	return EVERR_CONFIG;
}

static everr_t trust_key(const struct tls_trust *trust, TALLOC_CTX *mem_ctx,
			 const struct forward_config *config,
			 char **ret_message)
{
	int ret;

	if (config->certificate == NULL) {
		return EVERR_OK;
	}
	ret = gnutls_certificate_set_x509_key_file(
		trust->credentials, config->certificate, config->key,
		GNUTLS_X509_FMT_PEM);
	if (ret < 0) {
		*ret_message = talloc_asprintf(
			mem_ctx,
			"the certificate %s with the key %s cannot be used: "
			"%s%s",
			config->certificate, config->key, gnutls_strerror(ret),
			ret == GNUTLS_E_DECRYPTION_FAILED
				? " The key must have no passphrase."
				: "");
		return EVERR_CONFIG;
	}
	return EVERR_OK;
}

static int trust_destructor(struct tls_trust *trust)
{
	gnutls_certificate_free_credentials(trust->credentials);
	return 0;
}

static everr_t trust_create(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    struct tls_trust **ret_trust, char **ret_message)
{
	struct tls_trust *trust = talloc_zero(mem_ctx, struct tls_trust);
	everr_t err;

	if (trust == NULL) {
		return EVERR_NOMEM;
	}
	if (gnutls_certificate_allocate_credentials(&trust->credentials) < 0) {
		talloc_free(trust);
		return EVERR_NOMEM;
	}
	talloc_set_destructor(trust, trust_destructor);
	err = trust_authorities(trust, mem_ctx, config, ret_message);
	if (err == EVERR_OK) {
		err = trust_key(trust, mem_ctx, config, ret_message);
	}
	if (err != EVERR_OK) {
		talloc_free(trust);
		return err;
	}
	*ret_trust = trust;
	return EVERR_OK;
}

/* What has not changed is not read again: a system's list takes milliseconds. */
everr_t transport_tls_load(struct forward_transport *transport,
			   TALLOC_CTX *mem_ctx, char **ret_message)
{
	struct tls_trust *trust = transport->trust;
	struct stat files[TLS_FILES];
	everr_t err;

	err = files_look(mem_ctx, transport->config, files, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	if (trust != NULL && files_same(trust->files, files)) {
		return EVERR_OK;
	}
	err = trust_create(mem_ctx, transport->config, &trust, ret_message);
	if (err != EVERR_OK) {
		return err;
	}
	memcpy(trust->files, files, sizeof(files));
	TALLOC_FREE(transport->trust);
	transport->trust = talloc_steal(transport, trust);
	return EVERR_OK;
}

everr_t transport_tls_check(TALLOC_CTX *mem_ctx,
			    const struct forward_config *config,
			    char **ret_message)
{
	struct tls_trust *trust = NULL;
	struct stat files[TLS_FILES];
	everr_t err;

	err = files_look(mem_ctx, config, files, ret_message);
	if (err == EVERR_OK) {
		err = trust_create(mem_ctx, config, &trust, ret_message);
	}
	TALLOC_FREE(trust);
	return err;
}

/* ---------------------------------------------------- what went wrong */

/* Text of the peer's, for a log. */
static void printable(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e) {
			*text = '?';
		}
	}
}

static gnutls_x509_crt_t peer_certificate(gnutls_session_t session)
{
	const gnutls_datum_t *chain = NULL;
	gnutls_x509_crt_t certificate = NULL;
	unsigned int num = 0;

	chain = gnutls_certificate_get_peers(session, &num);
	if (chain == NULL || num == 0 ||
	    gnutls_x509_crt_init(&certificate) < 0) {
		return NULL;
	}
	if (gnutls_x509_crt_import(certificate, &chain[0],
				   GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(certificate);
		return NULL;
	}
	return certificate;
}

/* The first host names, or what else it is called. */
static char *certificate_names(TALLOC_CTX *mem_ctx,
			       gnutls_x509_crt_t certificate)
{
	char *names = NULL;
	char name[256];
	unsigned int i;
	size_t len;
	int ret;

	for (i = 0; i < 4; i++) {
		len = sizeof(name) - 1;
		ret = gnutls_x509_crt_get_subject_alt_name(certificate, i, name,
							   &len, NULL);
		if (ret < 0) {
			break;
		}
		if (ret != GNUTLS_SAN_DNSNAME || len >= sizeof(name)) {
			continue;
		}
		name[len] = '\0';
		names = names == NULL
				? talloc_strdup(mem_ctx, name)
				: talloc_asprintf_append(names, ", %s", name);
	}
	len = sizeof(name);
	if (names == NULL &&
	    gnutls_x509_crt_get_dn(certificate, name, &len) >= 0) {
		names = talloc_strdup(mem_ctx, name);
	}
	if (names == NULL) {
		names = talloc_strdup(mem_ctx, "nobody");
	}
	if (names != NULL) {
		printable(names);
	}
	return names;
}

static void fail_for_authority(struct forward_transport *transport,
			       gnutls_x509_crt_t certificate)
{
	char issuer[256] = "nobody";
	size_t len = sizeof(issuer);

	(void)gnutls_x509_crt_get_issuer_dn(certificate, issuer, &len);
	printable(issuer);
	transport_fail(transport,
		       "%s: the receiver's certificate was issued by \"%s\", "
		       "which is no authority of %s; name its certificate as "
		       "ca",
		       transport->peer, issuer,
		       transport->config->ca != NULL ? transport->config->ca
						     : "this system");
}

#define DATE_MAX 32

static void date_text(char text[DATE_MAX], time_t t)
{
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL) {
		(void)strftime(text, DATE_MAX, "%Y-%m-%d %H:%M UTC", &tm);
	}
}

/* It, or one of those who have issued it: GnuTLS does not say which. */
static void fail_for_time(struct forward_transport *transport,
			  gnutls_x509_crt_t certificate)
{
	time_t now = time(NULL);
	time_t begin = gnutls_x509_crt_get_activation_time(certificate);
	time_t end = gnutls_x509_crt_get_expiration_time(certificate);
	char date[DATE_MAX];

	if (end < now) {
		date_text(date, end);
		transport_fail(transport,
			       "%s: the receiver's certificate has expired on "
			       "%s; the receiver needs a new one",
			       transport->peer, date);
	} else if (begin > now) {
		date_text(date, begin);
		transport_fail(transport,
			       "%s: the receiver's certificate is not valid "
			       "before %s; are the clocks right, here and "
			       "there?",
			       transport->peer, date);
	} else {
		transport_fail(
			transport,
			"%s: the certificate of an authority that has "
			"issued the receiver's is out of date; renew it, "
			"also in %s",
			transport->peer,
			transport->config->ca != NULL ? transport->config->ca
						      : "this system's list");
	}
}

/* RFC 5280 4.2.1.12.  Whoever has a client's key is no receiver by it. */
static void fail_for_purpose(struct forward_transport *transport)
{
	transport_fail(transport,
		       "%s: the receiver's certificate is not made for a "
		       "server; the receiver needs one whose extended key "
		       "usage has serverAuth",
		       transport->peer);
}

static void fail_for_name(struct forward_transport *transport,
			  gnutls_x509_crt_t certificate)
{
	struct tls_session *tls = session_of(transport);
	char *names = certificate_names(tls, certificate);

	transport_fail(transport,
		       "%s: the receiver's certificate is for %s and not for "
		       "%s; connect by that name, or set server_name",
		       transport->peer, names != NULL ? names : "another",
		       tls->name);
}

static void fail_for_status(struct forward_transport *transport,
			    unsigned int status)
{
	gnutls_datum_t text = {};

	(void)gnutls_certificate_verification_status_print(
		status, GNUTLS_CRT_X509, &text, 0);
	transport_fail(transport, "%s: %s", transport->peer,
		       text.data != NULL ? (const char *)text.data
					 : "the certificate is not trusted");
	gnutls_free(text.data);
}

static void tls_distrust(struct forward_transport *transport)
{
	gnutls_session_t session = session_of(transport)->session;
	unsigned int status = gnutls_session_get_verify_cert_status(session);
	gnutls_x509_crt_t certificate = peer_certificate(session);

	if (certificate == NULL) {
		transport_fail(transport,
			       "%s: the receiver shows no certificate",
			       transport->peer);
		return;
	}
	if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) {
		fail_for_authority(transport, certificate);
	} else if ((status &
		    (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) {
		fail_for_time(transport, certificate);
	} else if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0) {
		fail_for_purpose(transport);
	} else if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) {
		fail_for_name(transport, certificate);
	} else {
		fail_for_status(transport, status);
	}
	gnutls_x509_crt_deinit(certificate);
}

/* When the certificate that we have shown has expired, or 0. */
static time_t our_end(gnutls_session_t session)
{
	const gnutls_datum_t *ours = gnutls_certificate_get_ours(session);
	gnutls_x509_crt_t certificate = NULL;
	time_t end = 0;

	if (ours == NULL || gnutls_x509_crt_init(&certificate) < 0) {
		return 0;
	}
	if (gnutls_x509_crt_import(certificate, ours, GNUTLS_X509_FMT_DER) >=
	    0) {
		end = gnutls_x509_crt_get_expiration_time(certificate);
	}
	gnutls_x509_crt_deinit(certificate);
	return end < time(NULL) ? end : 0;
}

/* What to do about a receiver that does not want us, as far as one knows. */
static void our_advice(struct forward_transport *transport, char *text,
		       size_t size)
{
	const char *certificate = transport->config->certificate;
	time_t end = our_end(session_of(transport)->session);
	char date[DATE_MAX];

	if (certificate == NULL) {
		snprintf(text, size, "set certificate and key");
	} else if (end != 0) {
		date_text(date, end);
		snprintf(text, size, "%s has expired on %s, renew it",
			 certificate, date);
	} else {
		snprintf(text, size,
			 "%s must be made for clients (clientAuth), by an "
			 "authority that the receiver trusts, in a name that "
			 "it permits; its log may say more",
			 certificate);
	}
}

static void fail_for_ours(struct forward_transport *transport, const char *why)
{
	char advice[FORWARD_REASON_MAX];

	our_advice(transport, advice, sizeof(advice));
	transport_fail(transport, "%s: %s: %s; %s", transport->peer,
		       transport->config->certificate != NULL
			       ? "the receiver does not accept our certificate"
			       : "the receiver demands a certificate of ours",
		       why, advice);
}

static void tls_alert(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);
	gnutls_alert_description_t alert = gnutls_alert_get(tls->session);
	const char *name = gnutls_alert_get_name(alert);

	name = name != NULL ? name : "unknown alert";
	switch (alert) {
	case GNUTLS_A_CERTIFICATE_REQUIRED:
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_REVOKED:
	case GNUTLS_A_CERTIFICATE_EXPIRED:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
	case GNUTLS_A_UNKNOWN_CA:
	case GNUTLS_A_ACCESS_DENIED:
		fail_for_ours(transport, name);
		return;
	case GNUTLS_A_PROTOCOL_VERSION:
		transport_fail(transport,
			       "%s: the receiver refuses TLS: %s; it must take "
			       "TLS 1.2 or 1.3",
			       transport->peer, name);
		return;
	case GNUTLS_A_UNRECOGNIZED_NAME:
		transport_fail(transport,
			       "%s: the receiver does not go by the name %s; "
			       "connect by another, or set server_name",
			       transport->peer, tls->name);
		return;
	default:
		transport_fail(transport,
			       "%s: the receiver refuses TLS: %s; its log may "
			       "say why",
			       transport->peer, name);
		return;
	}
}

/* A receiver need not say why it goes; but one may guess. */
static void tls_closed(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);
	char advice[FORWARD_REASON_MAX] =
		"its log may say why; does it listen for TLS there?";

	if (transport->state == TRANSPORT_UP || tls->error == ETIMEDOUT) {
		transport_fail_errno(transport, tls->error);
		return;
	}
	if (gnutls_certificate_client_get_request_status(tls->session) != 0) {
		our_advice(transport, advice, sizeof(advice));
		transport_fail(transport,
			       "%s: the receiver closed the connection during "
			       "the TLS handshake, where it asked for a "
			       "certificate of ours: %s",
			       transport->peer, advice);
		return;
	}
	/* It has kept none of the last connections, either. */
	if (tls->shaken) {
		transport_fail_errno(transport, tls->error);
		return;
	}
	transport_fail(transport,
		       "%s: the receiver closed the connection during the TLS "
		       "handshake: %s",
		       transport->peer, advice);
}

static void tls_failed(struct forward_transport *transport, ssize_t error)
{
	switch (error) {
	case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
		tls_distrust(transport);
		return;
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		tls_alert(transport);
		return;
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PUSH_ERROR:
	case GNUTLS_E_PULL_ERROR:
		tls_closed(transport);
		return;
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		transport_fail(
			transport,
			"%s: what answers there is no TLS, or older than "
			"TLS 1.2",
			transport->peer);
		return;
	default:
		transport_fail(transport, "%s: TLS: %s", transport->peer,
			       gnutls_strerror((int)error));
		return;
	}
}

/* ------------------------------------------------------------- handshake */

/* GnuTLS itself keeps no errno; what it does not know it takes for the end. */
static void tls_socket_error(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);
	int error = errno == ENOBUFS ? EAGAIN : errno;

	if (error != EAGAIN && error != EINTR && error != EPIPE) {
		tls->error = error;
	}
	gnutls_transport_set_errno(tls->session, error);
}

/* GnuTLS's way to the socket: what it takes is counted. */
static ssize_t tls_push(gnutls_transport_ptr_t ptr, const giovec_t *vectors,
			int num)
{
	struct forward_transport *transport = ptr;
	const struct msghdr message = {
		.msg_iov = (struct iovec *)vectors,
		.msg_iovlen = (size_t)num,
	};
	ssize_t n;

	n = sendmsg(transport->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		transport->written += (uint64_t)n;
	} else if (n == -1) {
		tls_socket_error(transport);
	}
	return n;
}

static ssize_t tls_pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct forward_transport *transport = ptr;
	ssize_t n = recv(transport->fd, data, len, MSG_DONTWAIT);

	if (n == -1) {
		tls_socket_error(transport);
	}
	return n;
}

static void tls_accepted(struct forward_transport *transport)
{
	/* The handshake was no message. */
	transport_arrived(transport, transport->written);
	transport_up(transport);
}

static void tls_verdict(struct tevent_context *ev, struct tevent_timer *te,
			struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->timer = NULL;
	tls_accepted(transport);
}

/*
 * Whether our certificate will do a receiver says after the handshake, in TLS
 * 1.3 always; and whether its name will do in TLS 1.2, too, even after a
 * ticket.  What its kernel has taken until then is lost.
 */
static void tls_shaken(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);

	tls->shaken = true;
	if (gnutls_certificate_client_get_request_status(tls->session) == 0 &&
	    !transport_is_doubtful(transport)) {
		tls_accepted(transport);
		return;
	}
	(void)transport_wait(transport, transport->verdict_ms, tls_verdict);
}

static void tls_shake(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);
	int ret;

	do {
		ret = gnutls_handshake(tls->session);
	} while (ret == GNUTLS_E_INTERRUPTED ||
		 ret == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (ret == GNUTLS_E_AGAIN) {
		if (gnutls_record_get_direction(tls->session) == 1) {
			TEVENT_FD_WRITEABLE(transport->fde);
		}
		return;
	}
	if (ret < 0) {
		tls_failed(transport, ret);
		return;
	}
	tls_shaken(transport);
}

static void tls_late(struct tevent_context *ev, struct tevent_timer *te,
		     struct timeval now, void *private_data)
{
	struct forward_transport *transport =
		talloc_get_type_abort(private_data, struct forward_transport);

	transport->timer = NULL;
	transport_fail(transport,
		       "%s: it does not answer to TLS; does it listen for "
		       "plain TCP there?",
		       transport->peer);
}

static int tls_session_destructor(struct tls_session *tls)
{
	if (tls->session != NULL) {
		gnutls_deinit(tls->session);
	}
	return 0;
}

/* The name to prove, without the dot that ends an absolute one. */
static char *tls_name(TALLOC_CTX *mem_ctx, const struct forward_config *config)
{
	const char *name = config->server_name != NULL ? config->server_name
						       : config->host;
	size_t len = strlen(name);

	if (len > 1 && name[len - 1] == '.') {
		len--;
	}
	return talloc_strndup(mem_ctx, name, len);
}

static int tls_prepare(struct forward_transport *transport,
		       struct tls_session *tls)
{
	int ret;

	ret = gnutls_init(&tls->session,
			  GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (ret < 0) {
		tls->session = NULL;
		return ret;
	}
	ret = gnutls_priority_set_direct(tls->session, PRIORITY, NULL);
	if (ret >= 0) {
		ret = gnutls_credentials_set(
			tls->session, GNUTLS_CRD_CERTIFICATE,
			((struct tls_trust *)transport->trust)->credentials);
	}
	if (ret >= 0 && !resolve_is_address(tls->name)) {
		ret = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS,
					     tls->name, strlen(tls->name));
	}
	if (ret < 0) {
		return ret;
	}
	/* Addresses are compared with the certificate's, too. */
	tls->proof[0] = (gnutls_typed_vdata_st){
		.type = GNUTLS_DT_DNS_HOSTNAME,
		.data = (unsigned char *)tls->name,
	};
	tls->proof[1] = (gnutls_typed_vdata_st){
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER,
	};
	gnutls_session_set_verify_cert2(tls->session, tls->proof, 2, 0);
	gnutls_transport_set_ptr(tls->session, transport);
	gnutls_transport_set_vec_push_function(tls->session, tls_push);
	gnutls_transport_set_pull_function(tls->session, tls_pull);
	return 0;
}

static void tls_greet(struct forward_transport *transport)
{
	struct tls_session *tls = talloc_zero(transport, struct tls_session);
	int ret;

	if (tls == NULL) {
		transport_fail(transport, "%s: %s", transport->peer,
			       everr_text(EVERR_NOMEM));
		return;
	}
	talloc_set_destructor(tls, tls_session_destructor);
	transport->session = tls;
	tls->name = tls_name(tls, transport->config);
	ret = tls->name != NULL ? tls_prepare(transport, tls)
				: GNUTLS_E_MEMORY_ERROR;
	if (ret < 0) {
		tls_failed(transport, ret);
		return;
	}
	if (transport_wait(transport, TRANSPORT_GREETING_MS, tls_late)) {
		tls_shake(transport);
	}
}

/* --------------------------------------------------------------- messages */

/* What was encrypted so far lies before transport->written. */
static void tls_map(struct forward_transport *transport, uint64_t plain)
{
	struct transport_flight *flight = &transport->flight;

	while (flight->num_mapped < flight->num) {
		uint64_t *end =
			transport_flight_end(transport, flight->num_mapped);

		if (*end > plain) {
			return;
		}
		*end = transport->written;
		flight->num_mapped++;
	}
}

static ssize_t tls_write(struct forward_transport *transport,
			 const uint8_t *data, size_t len)
{
	struct tls_session *tls = session_of(transport);
	ssize_t n;

	if (len > RECORD_MAX) {
		len = RECORD_MAX;
	}
	do {
		/* GnuTLS has kept the record that was not taken. */
		n = tls->pending ? gnutls_record_send(tls->session, NULL, 0)
				 : gnutls_record_send(tls->session, data, len);
		tls->pending = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n == GNUTLS_E_AGAIN) {
		return 0;
	}
	if (n < 0) {
		tls_failed(transport, n);
		return -1;
	}
	TEVENT_FD_READABLE(transport->fde);
	tls->plain += (uint64_t)n;
	tls_map(transport, tls->plain);
	return n;
}

static void tls_flush(struct forward_transport *transport)
{
	if (!session_of(transport)->shaken) {
		tls_shake(transport);
		return;
	}
	stream_flush(transport);
}

static void tls_read(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);
	uint8_t nothing[4096];
	int i;

	if (!tls->shaken) {
		tls_shake(transport);
		return;
	}
	/*
	 * GnuTLS 3.7 fails with a request for new keys that comes while a
	 * record waits: that is read afterwards.
	 */
	if (tls->pending) {
		TEVENT_FD_NOT_READABLE(transport->fde);
		return;
	}
	for (i = 0; i < READ_TURNS; i++) {
		ssize_t n = gnutls_record_recv(tls->session, nothing,
					       sizeof(nothing));

		/* RFC 5246 7.4.1.1: another handshake may be passed over. */
		if (n > 0 || n == GNUTLS_E_INTERRUPTED ||
		    n == GNUTLS_E_REHANDSHAKE ||
		    n == GNUTLS_E_WARNING_ALERT_RECEIVED) {
			continue;
		}
		if (n == GNUTLS_E_AGAIN) {
			return;
		}
		if (n == 0) {
			tls_closed(transport);
		} else {
			tls_failed(transport, n);
		}
		return;
	}
}

/* While nothing is read, this is how the receiver's end is noticed. */
static void tls_check(struct forward_transport *transport)
{
	if ((tevent_fd_get_flags(transport->fde) & TEVENT_FD_READ) == 0 &&
	    !stream_peer_is_there(transport)) {
		transport_fail_errno(transport, 0);
		return;
	}
	stream_check(transport);
}

static void tls_bye(struct forward_transport *transport)
{
	struct tls_session *tls = session_of(transport);

	if (!tls->pending) {
		(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	}
}

const struct transport_ops transport_tls_ops = {
	.greet = tls_greet,
	.frame = stream_frame_counted,
	.flush = tls_flush,
	.write = tls_write,
	.read = tls_read,
	.check = tls_check,
	.waits = stream_waits,
	.bye = tls_bye,
	.encrypts = true,
};
