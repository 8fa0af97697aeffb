#include "host/lab/workload/url.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/batch.h"

static void copy_part(char *field, size_t size, const char *text, const struct http_parser_url *parts,
                      enum http_parser_url_fields part) {
  (void)snprintf(field, size, "%.*s", (int)parts->field_data[part].len, text + parts->field_data[part].off);
}

int url_parse(const char *text, struct url *ret_url, struct error **err) {
  struct http_parser_url parts;
  struct url url = {.port = 80, .path = "/"};
  http_parser_url_init(&parts);
  size_t length = strlen(text);
  if (length > URL_MAX || strncmp(text, "http://", 7) != 0 || http_parser_parse_url(text, length, 0, &parts) != 0)
    return error_set(err, EINVAL, "\"url\" is \"%.100s\", expected http://HOST[:PORT]/PATH", text);
  if (parts.field_set & (1 << UF_USERINFO))
    return error_set(err, EINVAL, "\"url\" must have no user and password");
  if (parts.field_data[UF_HOST].len >= sizeof(url.host))
    return error_set(err, EINVAL, "\"url\" has a host of more than 255 characters");
  copy_part(url.host, sizeof(url.host), text, &parts, UF_HOST);
  bool v6 = strchr(url.host, ':') != NULL;
  if (parts.field_set & (1 << UF_PORT)) {
    url.port = parts.port;
    (void)snprintf(url.authority, sizeof(url.authority), v6 ? "[%s]:%u" : "%s:%u", url.host, url.port);
  } else {
    (void)snprintf(url.authority, sizeof(url.authority), v6 ? "[%s]" : "%s", url.host);
  }
  if (parts.field_set & (1 << UF_PATH))
    url.path = text + parts.field_data[UF_PATH].off;
  if (strchr(url.path, '#') || !request_path_valid(url.path))
    return error_set(err, EINVAL, "\"url\" has a fragment, or a path with spaces or control characters");
  *ret_url = url;
  return 0;
}
