#include "plugins/reference/mesh/grammar.h"

#include <string.h>

#include "plugins/reference/mesh/head.h"

static bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A name is a token (RFC 9110, 5.6.2). The parser lets a space before the colon pass, by which two readers of one
 * message differ on whether it has the field. */
static bool is_token(struct slice name) {
  static const char others[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < name.length; i++) {
    char c = name.data[i];
    if (!is_alphanumeric(c) && (c == '\0' || !strchr(others, c)))
      return false;
  }
  return name.length > 0;
}

/* A control character in a value could be understood as its end (RFC 9110, 5.5). */
bool fields_are_clean(const struct head *head) {
  for (size_t i = 0; i < head->count; i++) {
    if (!is_token(head_name(head, i)))
      return false;
    struct slice value = head_value(head, i);
    for (size_t k = 0; k < value.length; k++) {
      unsigned char c = (unsigned char)value.data[k];
      if ((c < 0x20 && c != '\t') || c == 0x7f)
        return false;
    }
  }
  return true;
}

/* What a host and a port are written with (RFC 3986, 3.2.2). */
bool host_is_clean(const struct head *head) {
  static const char others[] = "-._~%!$&'()*+,;=:[]";
  struct slice host;
  if (head_count(head, "host", &host) == 0)
    return true;
  for (size_t i = 0; i < host.length; i++)
    if (!is_alphanumeric(host.data[i]) && (host.data[i] == '\0' || !strchr(others, host.data[i])))
      return false;
  return true;
}
