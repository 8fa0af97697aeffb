#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/transport/kube/exec_plugin.h"

/* RFC 3339: "2026-01-31T12:00:00Z", with a fraction and an offset as they come. */
static bool read_time(const char *text, int64_t *ret_s) {
  struct tm tm = {0};
  int offset_h = 0, offset_m = 0;
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

  if (!rest)
    return false;
  if (*rest == '.')
    rest += 1 + strspn(rest + 1, "0123456789");
  if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0 &&
      (strlen(rest) != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' ||
       sscanf(rest + 1, "%2d:%2d", &offset_h, &offset_m) != 2))
    return false;
  int64_t offset_s = ((int64_t)offset_h * 60 + offset_m) * 60;
  *ret_s = (int64_t)timegm(&tm) - (*rest == '-' ? -offset_s : offset_s);
  return true;
}

static int copy(const json_t *status, const char *key, char **ret_text, struct error **err) {
  const json_t *value = json_object_get(status, key);

  if (!value || json_is_null(value))
    return 0;
  if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
    return error_set(err, EINVAL, "status.%s of its answer is no text", key);
  if (json_string_length(value) == 0)
    return 0;
  *ret_text = strdup(json_string_value(value));
  return *ret_text ? 0 : error_set(err, ENOMEM, "out of memory for credentials");
}

static int check_token(const char *token, struct error **err) {
  for (const unsigned char *p = (const unsigned char *)token; p && *p; p++)
    if (*p <= 0x20 || *p >= 0x7f)
      return error_set(err, EINVAL, "status.token of its answer is no token");
  return 0;
}

static int read_status(const json_t *status, struct exec_credential *out, struct error **err) {
  const json_t *expires = json_object_get(status, "expirationTimestamp");

  int r = copy(status, "token", &out->token, err);
  r = r < 0 ? r : check_token(out->token, err);
  r = r < 0 ? r : copy(status, "clientCertificateData", &out->certificate, err);
  r = r < 0 ? r : copy(status, "clientKeyData", &out->key, err);
  if (r < 0)
    return r;
  if (!out->certificate != !out->key)
    return error_set(err, EINVAL, "its answer has only one of status.clientCertificateData and clientKeyData");
  if (!out->token && !out->certificate)
    return error_set(err, EINVAL, "its answer has neither status.token nor a client certificate");
  if (expires && !json_is_null(expires) &&
      (!json_is_string(expires) || !read_time(json_string_value(expires), &out->expires_s)))
    return error_set(err, EINVAL, "status.expirationTimestamp of its answer is no time as RFC 3339 has it");
  return 0;
}

int exec_credential_read(const char *api_version, const char *text, size_t length,
                         struct exec_credential *ret_credential, struct error **err) {
  json_t *answer = json_loadb(text, length, 0, NULL);
  const char *kind = json_string_value(json_object_get(answer, "kind"));
  const char *version = json_string_value(json_object_get(answer, "apiVersion"));
  struct exec_credential credential = {0};
  int r = 0;

  if (!kind || strcmp(kind, "ExecCredential") != 0)
    r = error_set(err, EINVAL, "its answer is no ExecCredential in JSON");
  else if (!version || strcmp(version, api_version) != 0)
    r = error_set(err, EINVAL, "the kubeconfig asks for %s, and its answer is of another apiVersion", api_version);
  else
    r = read_status(json_object_get(answer, "status"), &credential, err);
  json_decref(answer);
  if (r < 0)
    exec_credential_finish(&credential);
  else
    *ret_credential = credential;
  return r;
}
