#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/signing/signature.h"

/* RFC 8032, section 7.1, TEST 2: a published key pair, the message 0x72 and its signature. */
#define KNOWN_PRIVATE                                                                                                  \
  "-----BEGIN PRIVATE KEY-----\n"                                                                                      \
  "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"                                                 \
  "-----END PRIVATE KEY-----\n"
#define KNOWN_PUBLIC                                                                                                   \
  "-----BEGIN PUBLIC KEY-----\n"                                                                                       \
  "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"                                                     \
  "-----END PUBLIC KEY-----\n"
#define KNOWN_ID "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170"
#define KNOWN_SIGNATURE "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA=="
#define KNOWN_TEXT                                                                                                     \
  "{\n  \"format\": \"trammel.signature/v1\",\n  \"algorithm\": \"Ed25519\",\n  \"keyId\": \"" KNOWN_ID                \
  "\",\n  \"signature\": \"" KNOWN_SIGNATURE "\"\n}\n"

/* A folder of its own for each test. */
struct folder {
  char path[64];
  char private_key[96];
  char public_key[96];
};

static int make_folder(void **state) {
  struct folder *folder = calloc(1, sizeof *folder);
  (void)snprintf(folder->path, sizeof folder->path, "/tmp/trammel-signature-XXXXXX");
  if (!mkdtemp(folder->path))
    return -1;
  (void)snprintf(folder->private_key, sizeof folder->private_key, "%s/key.pem", folder->path);
  (void)snprintf(folder->public_key, sizeof folder->public_key, "%s/key.pub.pem", folder->path);
  *state = folder;
  return 0;
}

static int remove_folder(void **state) {
  struct folder *folder = *state;
  (void)unlink(folder->private_key);
  (void)unlink(folder->public_key);
  int r = rmdir(folder->path); /* nothing else is left in it */
  free(folder);
  return r;
}

static void write_text(const char *path, const char *text) {
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  assert_true(fputs(text, out) >= 0);
  assert_int_equal(fclose(out), 0);
}

static struct signing_key *known_public(const struct folder *folder) {
  struct signing_key *key = NULL;
  write_text(folder->public_key, KNOWN_PUBLIC);
  assert_int_equal(signing_key_read_public(folder->public_key, &key, NULL), 0);
  return key;
}

static void a_known_key_makes_the_known_signature(void **state) {
  struct folder *folder = *state;
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  write_text(folder->private_key, KNOWN_PRIVATE);
  assert_int_equal(signing_key_read_private(folder->private_key, &key, NULL), 0);
  assert_string_equal(signing_key_id(key), KNOWN_ID);
  assert_int_equal(signature_make(key, "\x72", 1, &text, NULL), 0);
  assert_string_equal(strbuf_text(&text), KNOWN_TEXT);
}

static int verify(const struct signing_key *key, const char *text, const char *data) {
  const struct signing_key *found = NULL;
  _cleanup_error_ struct error *err = NULL;
  int r = signature_verify(text, strlen(text), data, strlen(data), &key, 1, &found, &err);
  assert_ptr_equal(found, r == 0 ? key : NULL);
  assert_int_equal(-r, error_code(err));
  return r;
}

static void only_the_very_bytes_are_good(void **state) {
  _cleanup_signing_key_ struct signing_key *key = known_public(*state);
  assert_int_equal(verify(key, KNOWN_TEXT, "\x72"), 0);
  assert_int_equal(verify(key, KNOWN_TEXT, "\x73"), -EBADMSG);
  assert_int_equal(verify(key, KNOWN_TEXT, "\x72\n"), -EBADMSG);
  assert_int_equal(verify(key, KNOWN_TEXT, ""), -EBADMSG);
}

/* Every change of a character of the signature makes it another one, or none. */
static void a_changed_signature_is_not_good(void **state) {
  _cleanup_signing_key_ struct signing_key *key = known_public(*state);
  char text[] = KNOWN_TEXT;
  char *signature = strstr(text, KNOWN_SIGNATURE);
  for (size_t i = 0; i + 3 < strlen(KNOWN_SIGNATURE); i++) { /* the last letter holds bits that mean nothing */
    char before = signature[i];
    signature[i] = before == 'A' ? 'B' : 'A';
    assert_int_equal(verify(key, text, "\x72"), -EBADMSG);
    signature[i] = '*';
    assert_int_equal(verify(key, text, "\x72"), -EINVAL);
    signature[i] = before;
  }
  assert_int_equal(verify(key, text, "\x72"), 0);
}

static void what_is_no_signature_is_told_from_a_bad_one(void **state) {
  _cleanup_signing_key_ struct signing_key *key = known_public(*state);
  static const char *const texts[] = {
      "",
      "{}",
      "[]",
      "null",
      "{\"format\": \"trammel.signature/v1\"}",
      "{\"format\": \"trammel.signature/v2\", \"algorithm\": \"Ed25519\", \"keyId\": \"" KNOWN_ID
      "\", \"signature\": \"" KNOWN_SIGNATURE "\"}",
      "{\"format\": \"trammel.signature/v1\", \"algorithm\": \"none\", \"keyId\": \"" KNOWN_ID
      "\", \"signature\": \"" KNOWN_SIGNATURE "\"}",
      "{\"format\": \"trammel.signature/v1\", \"algorithm\": \"Ed25519\", \"keyId\": \"deb2\", \"signature\": "
      "\"" KNOWN_SIGNATURE "\"}",
      "{\"format\": \"trammel.signature/v1\", \"algorithm\": \"Ed25519\", \"keyId\": \"" KNOWN_ID
      "\", \"signature\": \"kqAJ\"}",
      "{\"format\": \"trammel.signature/v1\", \"algorithm\": \"Ed25519\", \"keyId\": \"" KNOWN_ID
      "\", \"signature\": 1}",
      "{\"format\": \"trammel.signature/v1\", \"algorithm\": \"Ed25519\", \"keyId\": \"" KNOWN_ID
      "\", \"keyId\": \"" KNOWN_ID "\", \"signature\": \"" KNOWN_SIGNATURE "\"}",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (verify(key, texts[i], "\x72") != -EINVAL)
      fail_msg("taken for a signature: %s", texts[i]);
}

static void the_key_that_signed_is_found_among_several(void **state) {
  struct folder *folder = *state;
  _cleanup_signing_key_ struct signing_key *known = known_public(folder);
  _cleanup_signing_key_ struct signing_key *other = NULL;
  assert_int_equal(unlink(folder->public_key), 0);
  assert_int_equal(signing_key_create(folder->private_key, folder->public_key, NULL), 0);
  assert_int_equal(signing_key_read_public(folder->public_key, &other, NULL), 0);
  const struct signing_key *const keys[] = {other, known};
  const struct signing_key *found = NULL;
  assert_int_equal(signature_verify(KNOWN_TEXT, strlen(KNOWN_TEXT), "\x72", 1, keys, 2, &found, NULL), 0);
  assert_ptr_equal(found, known);
  assert_int_equal(verify(other, KNOWN_TEXT, "\x72"), -ENOKEY);
}

static void a_new_pair_is_private_and_fits(void **state) {
  struct folder *folder = *state;
  _cleanup_signing_key_ struct signing_key *private = NULL;
  _cleanup_signing_key_ struct signing_key *public = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct stat status;
  mode_t before = umask(0);
  assert_int_equal(signing_key_create(folder->private_key, folder->public_key, NULL), 0);
  (void)umask(before);
  assert_int_equal(stat(folder->private_key, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  assert_int_equal(signing_key_read_private(folder->private_key, &private, NULL), 0);
  assert_int_equal(signing_key_read_public(folder->public_key, &public, NULL), 0);
  assert_string_equal(signing_key_id(private), signing_key_id(public));
  assert_int_equal(signature_make(private, "report", 6, &text, NULL), 0);
  assert_int_equal(verify(public, strbuf_text(&text), "report"), 0);
}

static void no_key_is_overwritten_and_nothing_is_left(void **state) {
  struct folder *folder = *state;
  _cleanup_error_ struct error *err = NULL;
  write_text(folder->public_key, "mine");
  assert_int_equal(signing_key_create(folder->private_key, folder->public_key, &err), -EEXIST);
  assert_non_null(strstr(error_message(err), folder->public_key));
  struct stat status;
  assert_int_equal(stat(folder->private_key, &status), -1);
  assert_int_equal(stat(folder->public_key, &status), 0);
  assert_int_equal(status.st_size, 4);
  assert_int_equal(unlink(folder->public_key), 0);

  write_text(folder->private_key, "mine");
  assert_int_equal(signing_key_create(folder->private_key, folder->public_key, NULL), -EEXIST);
  assert_int_equal(stat(folder->public_key, &status), -1);
  assert_int_equal(stat(folder->private_key, &status), 0);
  assert_int_equal(status.st_size, 4);
}

static void assert_no_key(const struct folder *folder, const char *text, bool private, const char *hint) {
  struct signing_key *key = NULL;
  _cleanup_error_ struct error *err = NULL;
  write_text(folder->private_key, text);
  int r = private ? signing_key_read_private(folder->private_key, &key, &err)
                  : signing_key_read_public(folder->private_key, &key, &err);
  assert_int_equal(r, -EINVAL);
  assert_null(key);
  if (!strstr(error_message(err), hint))
    fail_msg("'%s' is not in: %s", hint, error_message(err));
}

static void a_wrong_key_is_told_by_what_it_is(void **state) {
  struct folder *folder = *state;
  assert_no_key(folder, KNOWN_PRIVATE, false, "is a private key");
  assert_no_key(folder, KNOWN_PUBLIC, true, "is a public key");
  assert_no_key(folder, "nothing", true, "is no private key");
  assert_no_key(folder, "", false, "is no public key");
  /* X25519 is for exchanging keys, not for signing. */
  assert_no_key(folder,
                "-----BEGIN PUBLIC KEY-----\n"
                "MCowBQYDK2VuAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
                "-----END PUBLIC KEY-----\n",
                false, "is not an Ed25519 key");
  assert_no_key(folder,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBB8uS1xq5Jrhs6fHmEI\n"
                "-----END ENCRYPTED PRIVATE KEY-----\n",
                true, "no private key");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_known_key_makes_the_known_signature),
      TEST(only_the_very_bytes_are_good),
      TEST(a_changed_signature_is_not_good),
      TEST(what_is_no_signature_is_told_from_a_bad_one),
      TEST(the_key_that_signed_is_found_among_several),
      TEST(a_new_pair_is_private_and_fits),
      TEST(no_key_is_overwritten_and_nothing_is_left),
      TEST(a_wrong_key_is_told_by_what_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
