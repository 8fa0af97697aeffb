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

static struct target *make(const struct target_options *options) {
  struct target *target = NULL;
  struct error *err = NULL;
  if (target_create(options, &target, &err) < 0)
    fail_msg("%s", error_message(err));
  return target;
}

static void assert_bytes(const struct target_options *options, const char *name, const char *bytes, size_t length) {
  struct target *target = make(options);
  assert_string_equal(target_protocol_name(target->protocol), name);
  assert_int_equal(target->request_length, length);
  assert_memory_equal(target->request, bytes, length);
  target_destroy(target);
}

static void echo_and_calls_are_as_told(void **state) {
  (void)state;
  assert_bytes(&(struct target_options){.url = "tcp://[::1]:7", .body = "ab", .body_length = 2}, "tcp", "ab", 2);
  assert_bytes(&(struct target_options){.url = "udp://h:7/", .body = "ab", .body_length = 2, .streams = 9}, "udp",
               "\0\0\0\0\0\0\0\0ab", 10);
  assert_bytes(
      &(struct target_options){.url = "http://h", .grpc = "a.B/C", .grpc_messages = 2, .body = "ab", .body_length = 2},
      "grpc", "\0\0\0\0\2ab\0\0\0\0\2ab", 14);
  assert_bytes(&(struct target_options){.url = "http://h", .grpc = "a.B/C"}, "grpc", "\0\0\0\0\0", 5);
  assert_bytes(&(struct target_options){.url = "http://h", .grpc_health = ""}, "grpc", "\0\0\0\0\0", 5);
  assert_bytes(&(struct target_options){.url = "http://h", .grpc_health = "ab"}, "grpc", "\0\0\0\0\4\x0a\2ab", 9);
}

static void a_long_name_of_a_service_is_encoded(void **state) {
  char name[301] = "";
  (void)state;
  memset(name, 'x', 300);
  struct target *target = make(&(struct target_options){.url = "http://h", .grpc_health = name});
  assert_string_equal(target->call, "grpc.health.v1.Health/Check");
  assert_int_equal(target->request_length, 5 + 3 + 300);
  assert_memory_equal(target->request, "\0\0\0\1\x2f\x0a\xac\x02x", 9); /* 300 = 2 * 128 + 0x2c */
  target_destroy(target);
}

static void what_a_call_has_to_say_is_in_its_fields(void **state) {
  static const char *const wanted[][2] = {
      {":method", "POST"},       {":scheme", "http"}, {":authority", "h:1"}, {":path", "/a.B/C"},
      {"user-agent", "trammel"}, {"x-one", "1"},      {"te", "trailers"},    {"content-type", "application/grpc"}};
  static const char *const headers[] = {"X-One: 1"};
  (void)state;
  struct target *target =
      make(&(struct target_options){.url = "http://h:1", .grpc = "a.B/C", .headers = headers, .header_count = 1});
  assert_int_equal(target->fields.count, ARRAY_COUNT(wanted));
  for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
    const nghttp2_nv *field = &target->fields.list[i];
    assert_int_equal(field->namelen, strlen(wanted[i][0]));
    assert_memory_equal(field->name, wanted[i][0], field->namelen);
    assert_int_equal(field->valuelen, strlen(wanted[i][1]));
    assert_memory_equal(field->value, wanted[i][1], field->valuelen);
  }
  target_destroy(target);
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

static void what_other_protocols_do_not_have_is_refused(void **state) {
  static char large[TARGET_UDP_MAX];
  static const char *const headers[] = {"te: trailers"};
  (void)state;
  assert_refused(&(struct target_options){.url = "tcp://h:7"}, "wants a body");
  assert_refused(&(struct target_options){.url = "tcp://h", .body = "a", .body_length = 1}, "tcp://HOST:PORT");
  assert_refused(&(struct target_options){.url = "udp://h:7/path"}, "udp://HOST:PORT");
  assert_refused(&(struct target_options){.url = "udp://h:7?a"}, "udp://HOST:PORT");
  assert_refused(&(struct target_options){.url = "udp://h:7", .method = "GET"}, "are for HTTP");
  assert_refused(&(struct target_options){.url = "udp://h:7", .headers = headers, .header_count = 1}, "are for HTTP");
  assert_refused(&(struct target_options){.url = "udp://h:7", .tls.insecure = true}, "for a URL with https");
  assert_refused(&(struct target_options){.url = "udp://h:7", .body = large, .body_length = sizeof(large)},
                 "a datagram has at most 65499 bytes");
  assert_refused(&(struct target_options){.url = "tcp://h:7", .body = "a", .body_length = 1, .streams = 2}, "streams");
  assert_refused(&(struct target_options){.url = "tcp://h:7", .body = "a", .body_length = 1, .grpc = "a.B/C"},
                 "gRPC is for");
  assert_refused(&(struct target_options){.url = "http://h", .grpc = "C"}, "no method of gRPC");
  assert_refused(&(struct target_options){.url = "http://h", .grpc = "/a.B/C"}, "no method of gRPC");
  assert_refused(&(struct target_options){.url = "http://h", .grpc = "a.B/C/D"}, "no method of gRPC");
  assert_refused(&(struct target_options){.url = "http://h/path", .grpc = "a.B/C"}, "path of the URL");
  assert_refused(&(struct target_options){.url = "http://h", .grpc = "a.B/C", .headers = headers, .header_count = 1},
                 "follows from gRPC");
  assert_refused(&(struct target_options){.url = "http://h",
                                          .grpc = "a.B/C",
                                          .grpc_messages = TARGET_MESSAGES_MAX,
                                          .body = large,
                                          .body_length = sizeof(large)},
                 "the messages of a call");
  assert_refused(&(struct target_options){.url = "http://h", .grpc_messages = 2}, "messages are for");
  assert_refused(&(struct target_options){.url = "http://h", .grpc = "a.B/C", .grpc_health = ""}, "a health check is");
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
      cmocka_unit_test(echo_and_calls_are_as_told),
      cmocka_unit_test(a_long_name_of_a_service_is_encoded),
      cmocka_unit_test(what_a_call_has_to_say_is_in_its_fields),
      cmocka_unit_test(what_cannot_be_asked_for_is_refused),
      cmocka_unit_test(what_other_protocols_do_not_have_is_refused),
      cmocka_unit_test(addresses_are_looked_up),
  };
  return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
