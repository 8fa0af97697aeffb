#include "tests/support/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/command.h"

static void run(const char *const *argv) {
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != 0)
    fail_msg("openssl: %s", strbuf_text(&result.errors));
  command_result_finish(&result);
}

#define PATH_LENGTH 4096

void certificates_make_authority(const char *directory, const char *name) {
  char key[PATH_LENGTH], certificate[PATH_LENGTH], subject[256];
  (void)snprintf(key, sizeof key, "%s/%s.key", directory, name);
  (void)snprintf(certificate, sizeof certificate, "%s/%s.pem", directory, name);
  (void)snprintf(subject, sizeof subject, "/CN=%s", name);
  run((const char *const[]){"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-days", "2", "-subj", subject, "-keyout", key, "-out", certificate, NULL});
}

void certificates_make(const char *directory, const char *name, const char *by, const char *names) {
  char key[PATH_LENGTH], certificate[PATH_LENGTH], ca[PATH_LENGTH], ca_key[PATH_LENGTH], subject[256], extension[512];
  (void)snprintf(key, sizeof key, "%s/%s.key", directory, name);
  (void)snprintf(certificate, sizeof certificate, "%s/%s.pem", directory, name);
  (void)snprintf(ca, sizeof ca, "%s/%s.pem", directory, by);
  (void)snprintf(ca_key, sizeof ca_key, "%s/%s.key", directory, by);
  (void)snprintf(subject, sizeof subject, "/CN=%s", name);
  (void)snprintf(extension, sizeof extension, "subjectAltName=%s", names);
  run((const char *const[]){"/usr/bin/openssl",
                            "req",
                            "-x509",
                            "-CA",
                            ca,
                            "-CAkey",
                            ca_key,
                            "-newkey",
                            "ec",
                            "-pkeyopt",
                            "ec_paramgen_curve:P-256",
                            "-nodes",
                            "-days",
                            "2",
                            "-subj",
                            subject,
                            "-addext",
                            extension,
                            "-addext",
                            "basicConstraints=critical,CA:FALSE",
                            "-keyout",
                            key,
                            "-out",
                            certificate,
                            NULL});
}
