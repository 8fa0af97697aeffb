#include "host/signing/signature.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "host/signing/signing_key.h"

#define SIGNATURE_FORMAT "trammel.signature/v1"
#define SIGNATURE_ALGORITHM "Ed25519"
#define SIGNATURE_BYTES 64
#define SIGNATURE_BASE64 88 /* characters: 64 bytes make 22 groups of 4, the last with "==" */

int signature_make(const struct signing_key *key, const void *data, size_t length, struct strbuf *text,
                   struct error **err) {
  unsigned char bytes[SIGNATURE_BYTES];
  unsigned char base64[SIGNATURE_BASE64 + 1];
  size_t size = sizeof(bytes);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
              EVP_DigestSign(context, bytes, &size, data, length) == 1 && size == sizeof(bytes);
  EVP_MD_CTX_free(context);
  if (!good)
    return error_set(err, EIO, "signing with %s: OpenSSL refused", key->path);
  (void)EVP_EncodeBlock(base64, bytes, sizeof(bytes));
  strbuf_printf(text,
                "{\n  \"format\": \"" SIGNATURE_FORMAT "\",\n  \"algorithm\": \"" SIGNATURE_ALGORITHM
                "\",\n  \"keyId\": \"%s\",\n  \"signature\": \"%s\"\n}\n",
                key->id, base64);
  return strbuf_failed(text) ? error_set(err, ENOMEM, "signing: no memory") : 0;
}

/* A signature as it was read. */
struct signature {
  char key_id[SIGNING_KEY_ID_LENGTH + 1];
  unsigned char bytes[SIGNATURE_BYTES];
};

static int no_signature(struct error **err, const char *what) {
  return error_set(err, EINVAL, "this is no signature as `trammel report sign` makes them: %s", what);
}

static bool is_text(const json_t *object, const char *key, const char *text) {
  const char *value = json_string_value(json_object_get(object, key));
  return value && strcmp(value, text) == 0;
}

static int parse_members(const json_t *object, struct signature *ret_signature, struct error **err) {
  const char *key_id = json_string_value(json_object_get(object, "keyId"));
  const char *base64 = json_string_value(json_object_get(object, "signature"));
  unsigned char decoded[SIGNATURE_BASE64];
  if (!is_text(object, "format", SIGNATURE_FORMAT))
    return no_signature(err, "its \"format\" is not \"" SIGNATURE_FORMAT "\"");
  if (!is_text(object, "algorithm", SIGNATURE_ALGORITHM))
    return no_signature(err, "its \"algorithm\" is not \"" SIGNATURE_ALGORITHM "\"");
  if (!key_id || strlen(key_id) != SIGNING_KEY_ID_LENGTH || strspn(key_id, "0123456789abcdef") != SIGNING_KEY_ID_LENGTH)
    return no_signature(err, "its \"keyId\" is not a SHA-256 in hex");
  if (!base64 || strlen(base64) != SIGNATURE_BASE64 || strcmp(base64 + SIGNATURE_BASE64 - 2, "==") != 0 ||
      EVP_DecodeBlock(decoded, (const unsigned char *)base64, SIGNATURE_BASE64) < SIGNATURE_BYTES)
    return no_signature(err, "its \"signature\" is not 64 bytes in base64");
  memcpy(ret_signature->key_id, key_id, sizeof(ret_signature->key_id));
  memcpy(ret_signature->bytes, decoded, sizeof(ret_signature->bytes));
  return 0;
}

static int parse(const char *text, size_t length, struct signature *ret_signature, struct error **err) {
  json_error_t wrong;
  if (length > SIGNATURE_TEXT_MAX)
    return no_signature(err, "it is too long");
  json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
  if (!object)
    return no_signature(err, "it is no JSON");
  int r = parse_members(object, ret_signature, err);
  json_decref(object);
  return r;
}

static int refuse_key(const struct signature *signature, const struct signing_key *const *keys, size_t count,
                      struct error **err) {
  _cleanup_strbuf_ struct strbuf given = STRBUF_INIT;
  for (size_t i = 0; i < count; i++)
    strbuf_printf(&given, "%s%s is %s", i ? ", " : "", keys[i]->path, keys[i]->id);
  return error_set(err, ENOKEY, "it was signed with the key %s, which is not among those to check it with: %s",
                   signature->key_id, count ? strbuf_text(&given) : "there are none");
}

int signature_verify(const char *text, size_t text_length, const void *data, size_t length,
                     const struct signing_key *const *keys, size_t key_count, const struct signing_key **ret_key,
                     struct error **err) {
  struct signature signature;
  int r = parse(text, text_length, &signature, err);
  if (r < 0)
    return r;
  size_t i = 0;
  while (i < key_count && strcmp(keys[i]->id, signature.key_id) != 0)
    i++;
  if (i == key_count)
    return refuse_key(&signature, keys, key_count, err);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool ready = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, keys[i]->key) == 1;
  int good = ready ? EVP_DigestVerify(context, signature.bytes, sizeof(signature.bytes), data, length) : -1;
  EVP_MD_CTX_free(context);
  if (!ready)
    return error_set(err, EIO, "verifying with %s: OpenSSL refused", keys[i]->path);
  if (good != 1)
    return error_set(err, EBADMSG,
                     "the signature does not fit: the file is not the one that was signed with the key %s, or one of "
                     "the two was changed since",
                     keys[i]->id);
  *ret_key = keys[i];
  return 0;
}
