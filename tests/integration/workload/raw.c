#include "tests/integration/workload/raw.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sdk/base/strbuf.h"

int raw_connect(const char *address, uint16_t port) {
  static const struct timeval limit = {.tv_sec = 20};
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
  return fd;
}

int raw_connect_text(const char *control) {
  char address[32];
  unsigned port = 0;
  assert_int_equal(sscanf(control, "%31[0-9.]:%u", address, &port), 2);
  return raw_connect(address, (uint16_t)port);
}

bool raw_send(int fd, const void *data, size_t length) {
  const char *bytes = data;
  while (length > 0) {
    ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    bytes += n;
    length -= (size_t)n;
  }
  return true;
}

char *raw_read_all(int fd) {
  struct strbuf text = STRBUF_INIT;
  char data[65536];
  ssize_t n;
  while ((n = recv(fd, data, sizeof(data), 0)) > 0)
    strbuf_append(&text, data, (size_t)n);
  strbuf_puts(&text, "");
  char *result = text.length > 0 ? strbuf_steal(&text) : strdup("");
  assert_non_null(result);
  return result;
}

void raw_expect(int fd, const char *wanted) {
  struct strbuf text = STRBUF_INIT;
  char data[4096];
  while (!strstr(strbuf_text(&text), wanted)) {
    ssize_t n = recv(fd, data, sizeof(data), 0);
    if (n <= 0)
      fail_msg("expected \"%s\", got \"%s\"", wanted, strbuf_text(&text));
    strbuf_append(&text, data, (size_t)n);
  }
  strbuf_finish(&text);
}

char *raw_request(const char *control, const char *method, const char *path, const char *body) {
  struct strbuf request = STRBUF_INIT;
  strbuf_printf(&request, "%s %s HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n%s", method,
                path, body ? strlen(body) : 0, body ? body : "");
  int fd = raw_connect_text(control);
  (void)raw_send(fd, request.data, request.length);
  strbuf_finish(&request);
  char *answer = raw_read_all(fd);
  (void)close(fd);
  return answer;
}
