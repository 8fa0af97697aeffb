/* Which proxy is taken: proxy-url, and the environment with its exceptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/proxy.h"

static void test_exceptions(void **state) {
  static const struct {
    const char *list;
    const char *host;
    bool excepted;
  } cases[] = {
      {"*", "anything", true},
      {"example.com", "example.com", true},
      {"example.com", "EXAMPLE.com", true},
      {"example.com", "a.example.com", true},
      {"example.com", "notexample.com", false},
      {".example.com", "a.example.com", true},
      {".example.com", "example.com", false},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "example.com", false},
      {"a, example.com ,b", "example.com", true},
      {"", "example.com", false},
      {"10.0.0.0/8", "10.9.8.7", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.0.0.128/25", "10.0.0.127", false},
      {"10.0.0.128/25", "10.0.0.129", true},
      {"10.0.0.0/33", "10.0.0.1", false},
      {"10.0.0.0/", "10.0.0.1", false},
      {"0.0.0.0/0", "10.0.0.1", true},
      {"0.0.0.0/0", "fd00::1", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "fe80::1", false},
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.2", false},
      {"fd00::1", "fd00:0::1", true},
      {"[fd00::1]:6443", "fd00::1", true},
      {"[fd00::1]:443", "fd00::1", false},
      {"example.com:6443", "example.com", true},
      {"example.com:443", "example.com", false},
      {"10.0.0.0/8", "host.example", false},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (proxy_excepted(cases[i].list, cases[i].host, "6443") != cases[i].excepted)
      fail_msg("%s in %s", cases[i].host, cases[i].list);
}

static void expect(const char *server, const char *configured, const char *proxy) {
  char *chosen = NULL;

  assert_int_equal(proxy_choose(server, configured, &chosen, NULL), 0);
  if (proxy)
    assert_string_equal(chosen, proxy);
  else
    assert_null(chosen);
  free(chosen);
}

static void test_the_environment(void **state) {
  (void)state;
  unsetenv("HTTPS_PROXY");
  unsetenv("https_proxy");
  unsetenv("NO_PROXY");
  unsetenv("no_proxy");
  expect("https://api:6443", NULL, NULL);
  setenv("https_proxy", "http://lower:1", 1);
  expect("https://api:6443", NULL, "http://lower:1");
  setenv("HTTPS_PROXY", "upper:1", 1);
  expect("https://api:6443", NULL, "http://upper:1");
  expect("https://127.0.0.1:6443", NULL, NULL);
  expect("https://localhost:6443/x", NULL, NULL);
  expect("https://[::1]:6443", NULL, NULL);
  expect("http://127.0.0.1:8001", NULL, NULL);
  setenv("NO_PROXY", "api:443,10.0.0.0/8", 1);
  expect("https://api:6443", NULL, "http://upper:1");
  expect("https://api", NULL, NULL);
  expect("https://10.1.1.1:6443/path", NULL, NULL);
  expect("https://[fd00::1]:6443/path", NULL, "http://upper:1");
}

static void test_what_the_cluster_says_is_taken(void **state) {
  (void)state;
  setenv("HTTPS_PROXY", "http://other:1", 1);
  setenv("NO_PROXY", "*", 1);
  expect("https://api:6443", "socks5://own:1080", "socks5://own:1080");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exceptions),
      cmocka_unit_test(test_the_environment),
      cmocka_unit_test(test_what_the_cluster_says_is_taken),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
