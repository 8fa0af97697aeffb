#include "plugins/reference/mesh/authority.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "plugins/reference/mesh/declare.h"
#include "sdk/base/error.h"

enum {
  AUTHORITY_LIFETIME = 10 * 365 * 24 * 3600,
  CLOCK_SKEW = 300,
  SESSION_LIFETIME = 1800,
};

/* Where a client's TLS keeps its peer; made before any handshake is. */
static int peer_index = -1;

struct authority {
  char *trust_domain;
  EVP_PKEY *key;
  X509 *certificate;
  X509 *adopted; /* of a sidecar's workload, for `key`; `certificate` is that of who issued it. NULL: none */
};

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free);
DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free);

static int tls_error(struct error **err, const char *what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
  ERR_clear_error();
  return error_set(err, EIO, "%s: %s", what, reason);
}

/* A certificate for `key` that is valid from now on, with a random serial number, not yet signed. */
static X509 *certificate_new(EVP_PKEY *key, const char *subject, long lifetime) {
  _cleanup_(X509_free_p) X509 *certificate = X509_new();
  uint64_t serial;
  if (!certificate || RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
    return NULL;
  X509_NAME *name = X509_get_subject_name(certificate);
  if (!X509_set_version(certificate, X509_VERSION_3) ||
      !ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) ||
      !X509_gmtime_adj(X509_getm_notBefore(certificate), -CLOCK_SKEW) ||
      !X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime) || !X509_set_pubkey(certificate, key) ||
      !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0))
    return NULL;
  return take(certificate);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (!extension)
    return false;
  bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

static bool authority_sign_self(struct authority *authority) {
  X509 *certificate = certificate_new(authority->key, "Trammel reference mesh", AUTHORITY_LIFETIME);
  authority->certificate = certificate;
  return certificate && X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
         add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign") &&
         X509_sign(certificate, authority->key, EVP_sha256()) > 0;
}

int authority_create(const char *trust_domain, struct authority **ret_authority, struct error **err) {
  struct authority *authority = calloc(1, sizeof *authority);
  if (!authority)
    return error_set(err, ENOMEM, "no memory for the certificate authority");
  if (peer_index < 0)
    peer_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  authority->trust_domain = strdup(trust_domain);
  authority->key = EVP_EC_gen("P-256");
  if (peer_index < 0 || !authority->trust_domain || !authority->key || !authority_sign_self(authority)) {
    authority_destroy(authority);
    return tls_error(err, "making the certificate authority");
  }
  *ret_authority = authority;
  return 0;
}

void authority_destroy(struct authority *authority) {
  if (!authority)
    return;
  X509_free(authority->certificate);
  X509_free(authority->adopted);
  EVP_PKEY_free(authority->key);
  free(authority->trust_domain);
  free(authority);
}

const char *authority_trust_domain(const struct authority *authority) {
  return authority->trust_domain;
}

bool authority_identity(const struct authority *authority, const struct account *account, char id[static SPIFFE_ID]) {
  int length =
      snprintf(id, SPIFFE_ID, "spiffe://%s/ns/%s/sa/%s", authority->trust_domain, account->namespace, account->name);
  return length > 0 && length < SPIFFE_ID;
}

static bool push_name(GENERAL_NAMES *names, int type, const char *text) {
  GENERAL_NAME *name = GENERAL_NAME_new();
  ASN1_IA5STRING *value = ASN1_IA5STRING_new();
  if (!name || !value || !ASN1_STRING_set(value, text, -1) || !sk_GENERAL_NAME_push(names, name)) {
    GENERAL_NAME_free(name);
    ASN1_IA5STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  return true;
}

/* Names are added as values, not as configuration text, so that no character in them means anything. */
static bool add_names(X509 *certificate, const char *id, const struct account *account, const char *workload) {
  char dns[LIMIT_NAME + LIMIT_NAMESPACE + 2];
  (void)snprintf(dns, sizeof dns, "%s.%s", workload, account->namespace);
  _cleanup_(GENERAL_NAMES_free_p) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
  return names && push_name(names, GEN_URI, id) && push_name(names, GEN_DNS, dns) &&
         X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
}

static X509 *issue(struct authority *authority, EVP_PKEY *key, const struct account *account, const char *workload) {
  char id[SPIFFE_ID];
  if (!authority_identity(authority, account, id))
    return NULL;
  _cleanup_(X509_free_p) X509 *certificate = certificate_new(key, "workload", CERTIFICATE_LIFETIME);
  if (!certificate || !X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) ||
      !add_extension(certificate, authority->certificate, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate, authority->certificate, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate, authority->certificate, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !add_names(certificate, id, account, workload) || X509_sign(certificate, authority->key, EVP_sha256()) <= 0)
    return NULL;
  return take(certificate);
}

int authority_renew(struct authority *authority, SSL_CTX *context, const struct account *account, const char *workload,
                    struct error **err) {
  if (authority->adopted)
    return SSL_CTX_use_cert_and_key(context, authority->adopted, authority->key, NULL, 1) == 1
               ? 0
               : tls_error(err, "using the workload's certificate");
  _cleanup_(EVP_PKEY_free_p) EVP_PKEY *key = EVP_EC_gen("P-256");
  _cleanup_(X509_free_p) X509 *certificate = key ? issue(authority, key, account, workload) : NULL;
  if (!certificate || SSL_CTX_use_cert_and_key(context, certificate, key, NULL, 1) != 1)
    return tls_error(err, "issuing a certificate");
  return 0;
}

/* ---- certificates for keys elsewhere */

static char *bio_text(BIO *bio) {
  char *data;
  long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? strndup(data, (size_t)length) : NULL;
}

int authority_public_key(const struct authority *authority, char **ret_key, struct error **err) {
  _cleanup_(BIO_free_all_p) BIO *bio = BIO_new(BIO_s_mem());
  char *text = bio && PEM_write_bio_PUBKEY(bio, authority->key) == 1 ? bio_text(bio) : NULL;
  if (!text)
    return tls_error(err, "writing a public key");
  *ret_key = text;
  return 0;
}

static int certificate_text(X509 *certificate, char **ret_text, struct error **err) {
  _cleanup_(BIO_free_all_p) BIO *bio = BIO_new(BIO_s_mem());
  char *text = bio && PEM_write_bio_X509(bio, certificate) == 1 ? bio_text(bio) : NULL;
  if (!text)
    return tls_error(err, "writing a certificate");
  *ret_text = text;
  return 0;
}

int authority_certificate(const struct authority *authority, char **ret_certificate, struct error **err) {
  return certificate_text(authority->certificate, ret_certificate, err);
}

int authority_certify(struct authority *authority, const char *public_key, const struct account *account,
                      const char *workload, char **ret_certificate, struct error **err) {
  _cleanup_(BIO_free_all_p) BIO *bio = BIO_new_mem_buf(public_key, -1);
  _cleanup_(EVP_PKEY_free_p) EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
  ERR_clear_error();
  if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
    return error_set(err, EINVAL, "a public key of an elliptic curve is expected, as PEM");
  _cleanup_(X509_free_p) X509 *certificate = issue(authority, key, account, workload);
  return certificate ? certificate_text(certificate, ret_certificate, err) : tls_error(err, "issuing a certificate");
}

static X509 *certificate_read(const char *text) {
  _cleanup_(BIO_free_all_p) BIO *bio = BIO_new_mem_buf(text, -1);
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  ERR_clear_error();
  return certificate;
}

int authority_adopt(struct authority *authority, const char *issuer, const char *certificate, struct error **err) {
  _cleanup_(X509_free_p) X509 *from = certificate_read(issuer);
  _cleanup_(X509_free_p) X509 *adopted = certificate_read(certificate);
  _cleanup_(EVP_PKEY_free_p) EVP_PKEY *issuer_key = from ? X509_get_pubkey(from) : NULL;
  bool good = issuer_key && adopted && X509_check_private_key(adopted, authority->key) == 1 &&
              X509_verify(adopted, issuer_key) == 1;
  ERR_clear_error();
  if (!good)
    return error_set(err, EINVAL, "a certificate for this program's key, and that of its issuer, are expected as PEM");
  X509_free(authority->certificate);
  X509_free(authority->adopted);
  authority->certificate = take(from);
  authority->adopted = take(adopted);
  return 0;
}

bool authority_adopted(const struct authority *authority) {
  return authority->adopted != NULL;
}

/* ---- sessions */

/* Keeps a copy of a session for the next connections to the same peer: OpenSSL takes its own for used up once it was
 * asked for, or its connection ended without a closing word. One that came of another session is not kept: such a chain
 * would outlive the certificates that its first handshake verified. */
static int on_new_session(SSL *tls, SSL_SESSION *session) {
  struct tls_peer *peer = SSL_get_ex_data(tls, peer_index);
  if (!peer || SSL_session_reused(tls))
    return 0;
  SSL_SESSION_free(peer->session);
  peer->session = SSL_SESSION_dup(session);
  return 0; /* the reference stays with OpenSSL */
}

/* The certificate's URI when it has exactly one (SPIFFE X509-SVID, 2). */
static const ASN1_IA5STRING *single_uri(const GENERAL_NAMES *names) {
  const ASN1_IA5STRING *uri = NULL;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI)
      continue;
    if (uri)
      return NULL;
    uri = name->d.uniformResourceIdentifier;
  }
  return uri;
}

static bool is_identity(const ASN1_IA5STRING *uri, const char *identity) {
  return strlen(identity) == (size_t)uri->length && memcmp(identity, uri->data, (size_t)uri->length) == 0;
}

/* After the chain: a client insists on whom it meant to call, and without that calls nobody. */
static int on_verify(int verified, X509_STORE_CTX *store) {
  if (!verified || X509_STORE_CTX_get_error_depth(store) > 0)
    return verified;
  const SSL *tls = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  const struct tls_peer *peer = SSL_get_ex_data(tls, peer_index);
  _cleanup_(GENERAL_NAMES_free_p) GENERAL_NAMES *names =
      X509_get_ext_d2i(X509_STORE_CTX_get_current_cert(store), NID_subject_alt_name, NULL, NULL);
  const ASN1_IA5STRING *uri = names ? single_uri(names) : NULL;
  if (uri && (SSL_is_server(tls) || (peer && peer->identity && is_identity(uri, peer->identity))))
    return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

/* RFC 7301: each name with its length before it. */
static const unsigned char datagram_protocol[] = "\x0btrammel-udp";
enum { DATAGRAM_PROTOCOL = sizeof datagram_protocol - 1 };

/* Who offers nothing that is known here gets a connection as if it had offered nothing. */
static int on_offer(SSL *tls, const unsigned char **ret_chosen, unsigned char *ret_length, const unsigned char *offered,
                    unsigned offered_length, void *context) {
  (void)tls;
  (void)context;
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, ret_length, datagram_protocol, DATAGRAM_PROTOCOL, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *ret_chosen = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static bool configure(SSL_CTX *context, X509 *trusted) {
  unsigned char session_context[16];
  if (RAND_bytes(session_context, sizeof session_context) != 1 ||
      !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
      !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") || !SSL_CTX_set1_groups_list(context, "X25519") ||
      !SSL_CTX_set_session_id_context(context, session_context, sizeof session_context) ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), trusted) != 1)
    return false;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
  /* The other end has the authority's certificate: looking for a chain to send costs as much as verifying one. */
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  /* Sessions stay with the server, a ticket only names one: reading one back from a ticket costs more than the
   * handshake that it saves. */
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_BOTH);
  SSL_CTX_sess_set_cache_size(context, LIMIT_SESSIONS);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  SSL_CTX_set_alpn_select_cb(context, on_offer, NULL);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_timeout(context, SESSION_LIFETIME);
  return true;
}

int authority_enroll(struct authority *authority, const struct account *account, const char *workload,
                     SSL_CTX **ret_context, struct error **err) {
  _cleanup_(SSL_CTX_free_p) SSL_CTX *context = SSL_CTX_new(TLS_method());
  if (!context || !configure(context, authority->certificate))
    return tls_error(err, "preparing TLS");
  int r = authority_renew(authority, context, account, workload, err);
  if (r == 0)
    *ret_context = take(context);
  return r;
}

/* Asks for the session by a copy of it, so that it can be asked for again. */
static bool resume(SSL *tls, const SSL_SESSION *session) {
  if (!session)
    return true;
  SSL_SESSION *copy = SSL_SESSION_dup(session);
  bool set = copy && SSL_set_session(tls, copy);
  SSL_SESSION_free(copy);
  return set;
}

SSL *tls_client(SSL_CTX *context, struct tls_peer *peer) {
  SSL *tls = SSL_new(context);
  if (!tls || !SSL_set_ex_data(tls, peer_index, peer) || !resume(tls, peer->session)) {
    SSL_free(tls);
    return NULL;
  }
  SSL_set_connect_state(tls);
  return tls;
}

void tls_detach(SSL *tls) {
  (void)SSL_set_ex_data(tls, peer_index, NULL);
}

SSL *tls_server(SSL_CTX *context) {
  SSL *tls = SSL_new(context);
  if (tls)
    SSL_set_accept_state(tls);
  return tls;
}

void tls_destroy(SSL *tls) {
  if (tls)
    SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN); /* or SSL_free() takes the session for a bad one */
  SSL_free(tls);
}

bool tls_offer_datagrams(SSL *tls) {
  return SSL_set_alpn_protos(tls, datagram_protocol, DATAGRAM_PROTOCOL) == 0; /* 0 is success here */
}

bool tls_carries_datagrams(const SSL *tls) {
  const unsigned char *chosen;
  unsigned length;
  SSL_get0_alpn_selected(tls, &chosen, &length);
  return length == DATAGRAM_PROTOCOL - 1 && memcmp(chosen, datagram_protocol + 1, length) == 0;
}

bool spiffe_parse(const char *trust_domain, const char *id, size_t length, struct caller *ret_caller) {
  char text[SPIFFE_ID], prefix[SPIFFE_ID];
  if (length >= sizeof text || memchr(id, '\0', length))
    return false;
  memcpy(text, id, length);
  text[length] = '\0';
  int prefix_length = snprintf(prefix, sizeof prefix, "spiffe://%s/ns/", trust_domain);
  if (prefix_length < 0 || strncmp(text, prefix, (size_t)prefix_length) != 0)
    return false;
  char *namespace = text + prefix_length;
  char *slash = strchr(namespace, '/');
  if (!slash || strncmp(slash, "/sa/", 4) != 0)
    return false;
  *slash = '\0';
  const char *account = slash + 4;
  if (!name_is_valid(namespace, LIMIT_NAMESPACE) || !name_is_valid(account, LIMIT_NAME))
    return false;
  /* name_is_valid bounds both. */
  memcpy(ret_caller->namespace, namespace, strlen(namespace) + 1);
  memcpy(ret_caller->account, account, strlen(account) + 1);
  return true;
}

/* The workload's name from the DNS name "workload.namespace". */
static void read_workload(const GENERAL_NAMES *names, struct caller *caller) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS)
      continue;
    size_t length = (size_t)name->d.dNSName->length, suffix = strlen(caller->namespace) + 1;
    if (length <= suffix || length - suffix > LIMIT_NAME)
      continue;
    memcpy(caller->workload, name->d.dNSName->data, length - suffix);
    caller->workload[length - suffix] = '\0';
  }
}

bool authority_caller(const struct authority *authority, const SSL *tls, struct caller *ret_caller) {
  *ret_caller = (struct caller){0};
  X509 *certificate = SSL_get0_peer_certificate(tls);
  if (!certificate || SSL_get_verify_result(tls) != X509_V_OK)
    return false;
  _cleanup_(GENERAL_NAMES_free_p) GENERAL_NAMES *names =
      X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  const ASN1_IA5STRING *uri = names ? single_uri(names) : NULL;
  if (!uri || !spiffe_parse(authority->trust_domain, (const char *)uri->data, (size_t)uri->length, ret_caller))
    return false;
  struct tm until;
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1)
    return false;
  ret_caller->until_s = (int64_t)timegm(&until);
  read_workload(names, ret_caller);
  ret_caller->identified = true;
  return true;
}
