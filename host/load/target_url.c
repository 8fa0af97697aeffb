#include "host/load/target_url.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/memory.h"

DEFINE_CLEANUP(CURLU *, curl_url_cleanup);
DEFINE_CLEANUP(char *, curl_free);

static int copy_part(CURLU *url, CURLUPart part, unsigned flags, char **ret_text, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  CURLUcode code = curl_url_get(url, part, &text, flags);
  *ret_text = code == CURLUE_OK ? strdup(text) : NULL;
  return *ret_text ? 0 : error_set(err, ENOMEM, "no memory for a URL");
}

/* A part that may be missing: NULL then. */
static int copy_optional(CURLU *url, CURLUPart part, char **ret_text, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  return curl_url_get(url, part, &text, 0) == CURLUE_OK ? copy_part(url, part, 0, ret_text, err) : 0;
}

static int copy_port(CURLU *url, char *port, size_t size, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  if (curl_url_get(url, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
    return error_set(err, ENOMEM, "no memory for a URL");
  (void)snprintf(port, size, "%s", text);
  return 0;
}

/* Visible ASCII, as RFC 3986 has it: everything else is written with percent signs. */
static bool is_plain(const char *text) {
  for (; *text; text++)
    if (*text <= ' ' || *text > '~')
      return false;
  return true;
}

void target_url_finish(struct target_url *url) {
  free(url->scheme);
  free(url->host);
  free(url->path);
  free(url->query);
}

static int check_scheme(struct target_url *parts, const char *text, struct error **err) {
  parts->secure = strcmp(parts->scheme, "https") == 0;
  parts->datagrams = strcmp(parts->scheme, "udp") == 0;
  parts->echo = parts->datagrams || strcmp(parts->scheme, "tcp") == 0;
  if (parts->secure || parts->echo || strcmp(parts->scheme, "http") == 0)
    return 0;
  return error_set(err, EINVAL, "%.200s: the scheme is http, https, tcp or udp, not %s", text, parts->scheme);
}

static int check_parts(CURLU *url, const struct target_url *parts, const char *text, struct error **err) {
  _cleanup_free_ char *user = NULL, *port = NULL;
  int r = copy_optional(url, CURLUPART_USER, &user, err);
  if (r == 0)
    r = copy_optional(url, CURLUPART_PORT, &port, err);
  if (r < 0)
    return r;
  if (user)
    return error_set(err, EINVAL, "%.200s: a user is given by a header (Authorization), not in the URL", text);
  if (parts->echo && (!parts->host[0] || strcmp(parts->path, "/") != 0 || parts->query || !port))
    return error_set(err, EINVAL, "'%.200s' is not %s://HOST:PORT", text, parts->scheme);
  return 0;
}

int target_url_read(const char *text, struct target_url *parts, struct error **err) {
  _cleanup_(curl_url_cleanup_p) CURLU *url = curl_url();
  *parts = (struct target_url){0};
  if (!url)
    return error_set(err, ENOMEM, "no memory for a URL");
  bool plain = strlen(text) <= TARGET_URL_MAX && is_plain(text);
  CURLUcode code = plain ? curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) : CURLUE_MALFORMED_INPUT;
  if (code != CURLUE_OK)
    return error_set(err, EINVAL, "'%.200s' is no URL such as http://127.0.0.1:8080/path: %s", text,
                     curl_url_strerror(code));
  int r = copy_part(url, CURLUPART_SCHEME, 0, &parts->scheme, err);
  if (r == 0)
    r = check_scheme(parts, text, err);
  if (r == 0)
    r = copy_part(url, CURLUPART_HOST, 0, &parts->host, err);
  if (r == 0)
    r = copy_part(url, CURLUPART_PATH, 0, &parts->path, err);
  if (r == 0)
    r = copy_optional(url, CURLUPART_QUERY, &parts->query, err);
  if (r == 0)
    r = check_parts(url, parts, text, err);
  return r == 0 ? copy_port(url, parts->port, sizeof(parts->port), err) : r;
}
