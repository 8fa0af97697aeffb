/* What a credentials program answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/exec_plugin.h"

#define V1 "client.authentication.k8s.io/v1"
#define SECRET "secret-of-the-test"

static int read_status(const char *status, struct exec_credential *credential, struct error **err) {
  char text[1024];

  (void)snprintf(text, sizeof(text), "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":%s}", status);
  return exec_credential_read(V1, text, strlen(text), credential, err);
}

static void test_times(void **state) {
  static const struct {
    const char *text;
    int64_t seconds;
  } times[] = {{"1970-01-02T00:00:00Z", 86400},
               {"1970-01-02T00:00:00.123456789Z", 86400},
               {"1970-01-02T01:30:00+01:30", 86400},
               {"1970-01-01T22:30:00-01:30", 86400},
               {"2038-01-19T03:14:08Z", 2147483648}};
  char status[256];

  (void)state;
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    struct exec_credential credential;
    (void)snprintf(status, sizeof(status), "{\"token\":\"t\",\"expirationTimestamp\":\"%s\"}", times[i].text);
    assert_int_equal(read_status(status, &credential, NULL), 0);
    assert_int_equal(credential.expires_s, times[i].seconds);
    exec_credential_finish(&credential);
  }
}

static void test_tokens_and_certificates(void **state) {
  struct exec_credential credential;

  (void)state;
  assert_int_equal(read_status("{\"token\":\"t\",\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\","
                               "\"expirationTimestamp\":null,\"more\":1}",
                               &credential, NULL),
                   0);
  assert_string_equal(credential.token, "t");
  assert_string_equal(credential.certificate, "c");
  assert_string_equal(credential.key, "k");
  assert_int_equal(credential.expires_s, 0);
  exec_credential_finish(&credential);
}

static void test_what_is_refused(void **state) {
  static const char *const bad[] = {"null",
                                    "{}",
                                    "{\"token\":\"\"}",
                                    "{\"token\":1}",
                                    "{\"token\":\"" SECRET "\\n\"}",
                                    "{\"token\":\"" SECRET " x\"}",
                                    "{\"token\":\"" SECRET "\",\"clientKeyData\":\"" SECRET "\"}",
                                    "{\"clientCertificateData\":\"c\"}",
                                    "{\"token\":\"" SECRET "\",\"expirationTimestamp\":\"tomorrow\"}",
                                    "{\"token\":\"" SECRET "\",\"expirationTimestamp\":\"2030-01-01T00:00:00\"}",
                                    "{\"token\":\"" SECRET "\",\"expirationTimestamp\":\"2030-01-01T00:00:00+1:00\"}",
                                    "{\"token\":\"" SECRET "\",\"expirationTimestamp\":12}"};

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    _cleanup_error_ struct error *err = NULL;
    struct exec_credential credential;
    if (read_status(bad[i], &credential, &err) != -EINVAL)
      fail_msg("%s", bad[i]);
    assert_null(strstr(error_message(err), SECRET));
  }
}

static void test_other_kinds_and_versions(void **state) {
  static const char beta[] = "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
                             "v1beta1\",\"status\":{\"token\":\"t\"}}";
  static const char pod[] = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}";
  struct exec_credential credential;

  (void)state;
  assert_int_equal(exec_credential_read(V1, beta, strlen(beta), &credential, NULL), -EINVAL);
  assert_int_equal(exec_credential_read(V1 "beta1", beta, strlen(beta), &credential, NULL), 0);
  exec_credential_finish(&credential);
  assert_int_equal(exec_credential_read(V1, pod, strlen(pod), &credential, NULL), -EINVAL);
  assert_int_equal(exec_credential_read(V1, "x", 1, &credential, NULL), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_tokens_and_certificates),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_other_kinds_and_versions),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
