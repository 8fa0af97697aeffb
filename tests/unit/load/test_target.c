/* What is asked for, byte by byte, and what cannot be asked for. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/target.h"
#include "sdk/base/clock.h"

static void assert_request(const struct target_options *options, const char *request) {
  struct target *target = NULL;
  struct error *err = NULL;
  if (target_create(options, &target, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(target->request_length, strlen(request));
  assert_string_equal(target->request, request);
  target_destroy(target);
}

static void requests_are_as_told(void **state) {
  static const char *const headers[] = {"X-One: 1", "host: elsewhere", "USER-AGENT: me"};
  (void)state;
  assert_request(&(struct target_options){.url = "http://127.0.0.1:8080", .method = "GET"},
                 "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: trammel\r\n\r\n");
  assert_request(&(struct target_options){.url = "http://[::1]/a%20b?c=d&e#f", .method = "HEAD"},
                 "HEAD /a%20b?c=d&e HTTP/1.1\r\nHost: [::1]\r\nUser-Agent: trammel\r\n\r\n");
  assert_request(&(struct target_options){.url = "http://h/",
                                          .method = "POST",
                                          .headers = headers,
                                          .header_count = 3,
                                          .body = "ab",
                                          .body_length = 2,
                                          .fresh = true},
                 "POST / HTTP/1.1\r\nX-One: 1\r\nhost: elsewhere\r\nUSER-AGENT: me\r\nConnection: close\r\n"
                 "Content-Length: 2\r\n\r\nab");
  assert_request(&(struct target_options){.url = "http://h/", .method = "PUT"},
                 "PUT / HTTP/1.1\r\nHost: h\r\nUser-Agent: trammel\r\nContent-Length: 0\r\n\r\n");
}

static void assert_refused(const struct target_options *options, const char *why) {
  struct target *target = NULL;
  struct error *err = NULL;
  assert_true(target_create(options, &target, &err) < 0);
  if (!strstr(error_message(err), why))
    fail_msg("got: %s; wanted: %s", error_message(err), why);
  error_free(err);
}

static void what_cannot_be_asked_for_is_refused(void **state) {
  static const char *const urls[][2] = {{"", "is no URL"},
                                        {"127.0.0.1:8080", "is no URL"},
                                        {"http://", "is no URL"},
                                        {"http://h:70000/", "is no URL"},
                                        {"http://h/a b", "is no URL"},
                                        {"http://h/\xc3\xa4", "is no URL"},
                                        {"ftp://h/", "the scheme is http"},
                                        {"http://me:secret@h/", "Authorization"}};
  static const char *const headers[][2] = {{"no colon", "is no header"},
                                           {": x", "is no header"},
                                           {"A: x\r\nB: y", "is no header"},
                                           {"content-length: 3", "follows from the request"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(urls); i++)
    assert_refused(&(struct target_options){.url = urls[i][0], .method = "GET"}, urls[i][1]);
  for (size_t i = 0; i < ARRAY_COUNT(headers); i++)
    assert_refused(
        &(struct target_options){.url = "http://h/", .method = "GET", .headers = &headers[i][0], .header_count = 1},
        headers[i][1]);
  assert_refused(&(struct target_options){.url = "http://h/", .method = "GE T"}, "is no method");
  assert_refused(&(struct target_options){.url = "http://h/", .method = "CONNECT"}, "is no method");
}

#define TEN "aaaaaaaaaa"
#define NO_NAME TEN TEN TEN TEN TEN TEN TEN /* longer than a label may be: no resolver is asked */

static void addresses_are_looked_up(void **state) {
  struct target *target = NULL;
  struct error *err = NULL;
  (void)state;
  assert_int_equal(
      target_create(&(struct target_options){.url = "http://127.1.2.3:81/", .method = "GET"}, &target, NULL), 0);
  assert_int_equal(target_resolve(target, NS_PER_SECOND, NULL), 0);
  const struct sockaddr_in *at = (const struct sockaddr_in *)&target->address.at;
  assert_int_equal(at->sin_family, AF_INET);
  assert_int_equal(ntohs(at->sin_port), 81);
  assert_int_equal(ntohl(at->sin_addr.s_addr), 0x7f010203);
  target_destroy(target);
  assert_int_equal(
      target_create(&(struct target_options){.url = "http://" NO_NAME "/", .method = "GET"}, &target, NULL), 0);
  assert_int_equal(target_resolve(target, NS_PER_SECOND, &err), -EHOSTUNREACH);
  assert_non_null(strstr(error_message(err), NO_NAME " has no address"));
  error_free(err);
  target_destroy(target);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_as_told),
      cmocka_unit_test(what_cannot_be_asked_for_is_refused),
      cmocka_unit_test(addresses_are_looked_up),
  };
  return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
