#include "host/package/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/transport/http/client.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

bool fetch_is_url(const char *place) {
  return strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0;
}

int fetch_check_url(const char *url, struct error **err) {
  if (strlen(url) > FETCH_URL_MAX)
    return error_set(err, EINVAL, "the URL has more than %zu bytes", FETCH_URL_MAX);
  for (const unsigned char *p = (const unsigned char *)url; *p; p++)
    if (*p <= ' ' || *p >= 0x7f)
      return error_set(err, EINVAL, "the URL holds characters that must be written as %%NN");
  const char *host = strstr(url, "://") + 3;
  size_t length = strcspn(host, "/?#");
  if (length == 0)
    return error_set(err, EINVAL, "%s names no host", url);
  if (memchr(host, '@', length))
    return error_set(err, EINVAL, "a URL with a user name or password is not taken: it would be written down");
  if (host[strcspn(host, "?#")] != '\0')
    return error_set(err, EINVAL, "a URL with '?' or '#' is not taken: what it names must be a plain file");
  return 0;
}

static int refuse_status(const char *url, unsigned status, struct error **err) {
  bool absent = status == 404 || status == 410;
  return error_set(err, absent ? ENOENT : EIO, "%s: the server answered %u%s", url, status,
                   absent ? ": there is no such file" : "");
}

static int get(const char *url, size_t max, char **ret_data, size_t *ret_length, struct error **err) {
  struct http_client *client = NULL;
  struct http_response response = {0};
  const struct http_request request = {.method = "GET",
                                       .url = url,
                                       .response_max = max,
                                       .deadline_ns = clock_in_ns(FETCH_SECONDS_MAX * NS_PER_SECOND),
                                       .redirects_max = FETCH_REDIRECTS_MAX};
  int r = fetch_check_url(url, err);
  if (r == 0)
    r = http_client_create(&client, err);
  if (r == 0)
    r = http_client_send(client, &request, &response, err);
  if (r == 0 && response.status != 200)
    r = refuse_status(url, response.status, err);
  if (r == 0) {
    *ret_data = take(response.body);
    *ret_length = response.body_length;
  }
  http_response_finish(&response);
  http_client_destroy(client);
  return r;
}

int fetch(const char *place, size_t max, char **ret_data, size_t *ret_length, struct error **err) {
  return fetch_is_url(place) ? get(place, max, ret_data, ret_length, err)
                             : file_read(place, max, ret_data, ret_length, err);
}

char *fetch_place(const char *base, const char *name) {
  size_t length = strlen(base);
  char *place = NULL;
  while (length > 1 && base[length - 1] == '/')
    length--;
  return asprintf(&place, "%.*s/%s", (int)length, base, name) < 0 ? NULL : place;
}
