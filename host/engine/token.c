#include "host/engine/token.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sdk/base/loopback.h"
#include "sdk/base/memory.h"

#define HEADER "Authorization: Bearer "

/* Reads up to `size` bytes; how many, or -errno. */
static ssize_t read_up_to(int fd, char *buffer, size_t size) {
  size_t done = 0;

  while (done < size) {
    ssize_t n = read(fd, buffer + done, size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (n == 0)
      break;
    done += (size_t)n;
  }
  return (ssize_t)done;
}

/* The token's bytes: what can be a header's value, without blanks in it (RFC 6750, b68token and more). */
static bool is_sound(const char *token, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)token[i] <= ' ' || (unsigned char)token[i] >= 0x7f)
      return false;
  return length > 0;
}

static int make_header(const char *path, const char *text, size_t length, char **ret_header, struct error **err) {
  static const char blank[] = " \t\r\n";

  while (length > 0 && strchr(blank, text[length - 1]))
    length--;
  for (; length > 0 && strchr(blank, *text); length--)
    text++;
  if (!is_sound(text, length))
    return error_set(err, EINVAL, "token file %s: one token is expected, of visible ASCII characters", path);
  char *header = malloc(sizeof(HEADER) + length);
  if (!header)
    return error_set(err, ENOMEM, "token file %s: out of memory", path);
  memcpy(header, HEADER, sizeof(HEADER) - 1);
  memcpy(header + sizeof(HEADER) - 1, text, length);
  header[sizeof(HEADER) - 1 + length] = '\0';
  *ret_header = header;
  return 0;
}

int token_read(const char *path, char **ret_header, struct error **err) {
  _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
  int r = 0;

  if (fd < 0)
    return error_set(err, errno, "token file %s: %s", path, strerror(errno));
  char *buffer = malloc(TOKEN_FILE_MAX + 1);
  if (!buffer)
    return error_set(err, ENOMEM, "token file %s: out of memory", path);
  ssize_t length = read_up_to(fd, buffer, TOKEN_FILE_MAX + 1);
  if (length < 0)
    r = error_set(err, (int)-length, "token file %s: %s", path, strerror((int)-length));
  else if (length > TOKEN_FILE_MAX)
    r = error_set(err, EFBIG, "token file %s: at most %u bytes are expected", path, TOKEN_FILE_MAX);
  else
    r = make_header(path, buffer, (size_t)length, ret_header, err);
  explicit_bzero(buffer, TOKEN_FILE_MAX + 1);
  free(buffer);
  return r;
}

void token_free(char *header) {
  if (header)
    explicit_bzero(header, strlen(header));
  free(header);
}

static bool is_here(const char *host) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {0};

  if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1)
    address.any.sa_family = AF_INET;
  else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1)
    address.any.sa_family = AF_INET6;
  return address.any.sa_family ? loopback_is(&address.any) : strcmp(host, "localhost") == 0;
}

int token_check_url(const char *url, struct error **err) {
  char host[256] = "";

  if (strncmp(url, "https://", 8) == 0)
    return 0;
  if (strncmp(url, "http://", 7) == 0 && !strchr(url, '@')) {
    const char *start = url + 7;
    bool bracket = *start == '[';
    start += bracket;
    size_t length = strcspn(start, bracket ? "]" : ":/?#");
    if (length < sizeof(host))
      (void)snprintf(host, sizeof(host), "%.*s", (int)length, start);
  }
  return is_here(host)
             ? 0
             : error_set(err, EACCES,
                         "a token is sent by https, or by http to this machine, and this would show it to the "
                         "network: give an https address");
}
