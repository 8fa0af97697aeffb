/* Kubeconfig: what files say, how a list of them merges, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/kubeconfig.h"
#include "tests/support/command.h"

/* "-----BEGIN CERTIFICATE-----\nx" and "-----BEGIN KEY-----\nx". */
#define PEM_DATA "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCng="
#define KEY_DATA "LS0tLS1CRUdJTiBLRVktLS0tLQp4"
#define SECRET "this-is-secret"

static int setup(void **state) {
  *state = scratch_create();
  unsetenv("KUBERNETES_SERVICE_HOST");
  unsetenv("KUBERNETES_SERVICE_PORT");
  unsetenv("KUBECONFIG");
  return setenv("HOME", *state, 1);
}

static int teardown(void **state) {
  scratch_remove(*state);
  return 0;
}

static void write_file(const char *directory, const char *name, const char *text) {
  char path[4096];

  (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

/* KUBECONFIG: the names of files in the directory, with colons between. */
static void set_list(const char *directory, const char *names) {
  char list[8192] = "";
  char copy[1024];
  char *state = NULL;

  (void)snprintf(copy, sizeof(copy), "%s", names);
  for (char *name = strtok_r(copy, ":", &state); name; name = strtok_r(NULL, ":", &state)) {
    size_t length = strlen(list);
    (void)snprintf(list + length, sizeof(list) - length, "%s%s/%s", length > 0 ? ":" : "", directory, name);
  }
  assert_int_equal(setenv("KUBECONFIG", list, 1), 0);
}

static struct kube_config *load(const char *directory, const char *names, const char *context) {
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;

  set_list(directory, names);
  if (kube_config_load(&(struct kube_config_options){.context = context}, &config, &err) < 0)
    fail_msg("%s", error_message(err));
  return config;
}

static void refuse(const char *directory, const char *text, int code, const char *why) {
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;

  write_file(directory, "refused", text);
  set_list(directory, "refused");
  assert_int_equal(kube_config_load(NULL, &config, &err), -code);
  if (!strstr(error_message(err), why))
    fail_msg("\"%s\" is not in: %s", why, error_message(err));
  assert_null(strstr(error_message(err), SECRET));
}

#define CONTEXT "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
#define CLUSTER "clusters: [{name: k, cluster: {server: 'https://h:6443'}}]\n"
#define USER "users: [{name: u, user: {}}]\n"

static void test_all_there_is(void **state) {
  write_file(*state, "a",
             "apiVersion: v1\nkind: Config\npreferences: {}\ncurrent-context: other\n"
             "contexts:\n- name: c\n  context: {cluster: k, user: u, namespace: n}\n"
             "clusters:\n- name: k\n  cluster:\n    server: https://h:6443/path//\n"
             "    tls-server-name: api.example\n    proxy-url: socks5://p:1080\n"
             "    certificate-authority-data: " PEM_DATA "\n"
             "users:\n- name: u\n  user:\n    client-certificate-data: " PEM_DATA "\n"
             "    client-key-data: " KEY_DATA "\n    token: 12345\n    tokenFile: t/token\n"
             "    as: who\n    as-uid: id\n    as-groups: [g1, g2]\n");
  _cleanup_kube_config_ struct kube_config *config = load(*state, "a", "c");
  char path[4096];

  assert_string_equal(config->context, "c");
  assert_string_equal(config->server, "https://h:6443/path");
  assert_string_equal(config->server_name, "api.example");
  assert_string_equal(config->proxy, "socks5://p:1080");
  assert_string_equal(config->namespace_, "n");
  assert_string_equal(config->authorities, "-----BEGIN CERTIFICATE-----\nx");
  assert_string_equal(config->certificate, "-----BEGIN CERTIFICATE-----\nx");
  assert_string_equal(config->key, "-----BEGIN KEY-----\nx");
  assert_string_equal(config->token, "12345");
  (void)snprintf(path, sizeof(path), "%s/t/token", (const char *)*state);
  assert_string_equal(config->token_file, path);
  assert_string_equal(config->impersonate_user, "who");
  assert_string_equal(config->impersonate_uid, "id");
  assert_string_equal(config->impersonate_groups[1], "g2");
  assert_null(config->impersonate_groups[2]);
  assert_null(config->exec);
}

/* As kubectl: the first file with a value has it, and an entry of a name is that of the first file as a whole. */
static void test_a_list_merges(void **state) {
  write_file(*state, "first",
             "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
             "users: [{name: u, user: {token: first}}]\n");
  write_file(*state, "second",
             "current-context: c\ncontexts: [{name: c, context: {cluster: other, user: other, namespace: n}}]\n"
             "clusters: [{name: k, cluster: {server: 'https://second'}}]\n"
             "users: [{name: u, user: {token: second, username: second}}]\n");
  write_file(*state, "third", "current-context: other\nclusters: [{name: k, cluster: {server: 'https://third'}}]\n");
  _cleanup_kube_config_ struct kube_config *config = load(*state, "first:absent:second:third", NULL);

  assert_string_equal(config->context, "c");
  assert_string_equal(config->server, "https://second");
  assert_string_equal(config->token, "first");
  assert_null(config->username);
  assert_string_equal(config->namespace_, "default");
}

static void test_inline_goes_before_files(void **state) {
  write_file(*state, "ca", "-----BEGIN CERTIFICATE-----\nfile");
  write_file(*state, "a",
             CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority: ca}}]\n");
  write_file(*state, "b",
             CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority: ca, "
                          "certificate-authority-data: " PEM_DATA "}}]\n");
  _cleanup_kube_config_ struct kube_config *file = load(*state, "a", NULL);
  _cleanup_kube_config_ struct kube_config *both = load(*state, "b", NULL);

  assert_string_equal(file->authorities, "-----BEGIN CERTIFICATE-----\nfile");
  assert_string_equal(both->authorities, "-----BEGIN CERTIFICATE-----\nx");
}

static void test_json_is_yaml(void **state) {
  write_file(*state, "a",
             "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\"}}],"
             "\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://h\"}}],\"users\":null}");
  _cleanup_kube_config_ struct kube_config *config = load(*state, "a", NULL);

  assert_string_equal(config->server, "https://h");
}

static void test_a_program(void **state) {
  char path[4096];
  write_file(*state, "a",
             CONTEXT "clusters: [{name: k, cluster: {server: 'https://h', extensions: [{name: "
                     "client.authentication.k8s.io/exec, extension: {audience: x}}]}}]\n"
                     "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/p, "
                     "args: [a, 1], env: [{name: N, value: v}], installHint: hint, provideClusterInfo: true, "
                     "interactiveMode: Never}}}]\n");
  _cleanup_kube_config_ struct kube_config *config = load(*state, "a", NULL);

  assert_non_null(config->exec);
  (void)snprintf(path, sizeof(path), "%s/bin/p", (const char *)*state);
  assert_string_equal(config->exec->command, path);
  assert_string_equal(config->exec->arguments[1], "1");
  assert_null(config->exec->arguments[2]);
  assert_string_equal(config->exec->environment[0], "N=v");
  assert_string_equal(config->exec->install_hint, "hint");
  assert_true(config->exec->provide_cluster_info);
  assert_string_equal(config->exec->cluster_config, "{\"audience\":\"x\"}");
}

static void test_where_it_is_looked_for(void **state) {
  struct kube_config *config = NULL;
  _cleanup_error_ struct error *err = NULL;
  char path[4096];

  unsetenv("KUBECONFIG");
  assert_int_equal(kube_config_load(NULL, &config, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "there is no kubeconfig"));
  (void)snprintf(path, sizeof(path), "%s/named", (const char *)*state);
  assert_int_equal(kube_config_load(&(struct kube_config_options){.kubeconfig = path}, &config, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), path));
  write_file(*state, "named", CONTEXT CLUSTER USER);
  assert_int_equal(kube_config_load(&(struct kube_config_options){.kubeconfig = path}, &config, &err), 0);
  kube_config_destroy(config);
}

static void test_in_a_pod(void **state) {
  struct kube_config *config = NULL;
  const struct kube_config_options options = {.service_account = *state};

  unsetenv("KUBECONFIG");
  assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1), 0);
  assert_int_equal(setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
  assert_int_equal(kube_config_load(&options, &config, NULL), -ENOENT);
  write_file(*state, "ca.crt", "-----BEGIN CERTIFICATE-----");
  write_file(*state, "namespace", "mine\n");
  assert_int_equal(kube_config_load(&options, &config, NULL), 0);
  unsetenv("KUBERNETES_SERVICE_HOST");
  assert_string_equal(config->server, "https://[fd00::1]:443");
  assert_string_equal(config->namespace_, "mine");
  assert_non_null(strstr(config->token_file, "/token"));
  kube_config_destroy(config);
}

static void test_what_is_refused(void **state) {
  refuse(*state,
         CONTEXT USER "clusters:\n- name: k\n  cluster: {server: 'https://h', insecure-skip-tls-verify: true}\n",
         EINVAL, "refused:6: cluster \"k\": insecure-skip-tls-verify is refused");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {server: 'http://h'}}]\n", EINVAL, "use https://");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {server: 'h:6443'}}]\n", EINVAL, "begin with https://");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://u:" SECRET "@h'}}]\n", EINVAL,
         "without user");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {}}]\n", EINVAL, "has no server");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', proxy-url: 'ftp://p'}}]\n", EINVAL,
         "proxy-url");
  refuse(*state, CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', tls-server-name: 'a b'}}]\n", EINVAL,
         "tls-server-name");
  refuse(*state,
         CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority-data: '*'}}]\n",
         EINVAL, "certificate-authority-data must be a PEM text in base64");
  refuse(*state,
         CONTEXT USER "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority: absent.pem}}]\n",
         ENOENT, "absent.pem");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {client-key-data: " KEY_DATA "}}]\n", EINVAL,
         "belong together");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n", ENOTSUP, "use exec");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {token: \"" SECRET "\\nX: y\"}}]\n", EINVAL,
         "control characters");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {token: [" SECRET "]}}]\n", EINVAL, "must be a string");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {as-groups: [g]}}]\n", EINVAL, "need as");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {as: x, as-user-extra: {a: [b]}}}]\n", ENOTSUP,
         "as-user-extra");
}

static void test_programs_that_are_refused(void **state) {
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {exec: {command: p}}}]\n", EINVAL, "exec.apiVersion");
  refuse(*state,
         CONTEXT CLUSTER "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: "
                         "p}}}]\n",
         EINVAL, "exec.apiVersion");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1}}}]\n",
         EINVAL, "no command");
  refuse(*state,
         CONTEXT CLUSTER "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: p, "
                         "interactiveMode: Always}}}]\n",
         ENOTSUP, "interactiveMode");
  refuse(*state,
         CONTEXT CLUSTER "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: p, "
                         "env: [" SECRET "]}}}]\n",
         EINVAL, "exec.env");
}

static void test_what_is_missing_is_named(void **state) {
  refuse(*state, CLUSTER, ENOENT, "no current-context");
  refuse(*state, "current-context: x\ncontexts: [{name: c}, {name: d}]\n", ENOENT,
         "no context \"x\"; it has: \"c\", \"d\"");
  refuse(*state, CONTEXT USER, ENOENT, "no cluster \"k\"; it has: none");
  refuse(*state, CONTEXT CLUSTER, ENOENT, "no user \"u\"");
  refuse(*state, CONTEXT CLUSTER "users: [{name: u}, {name: u}]\n", EINVAL, "is there twice");
}

static void test_what_is_no_kubeconfig(void **state) {
  refuse(*state, "a: b: c: " SECRET, EINVAL, "no YAML or JSON");
  refuse(*state, "- x", EINVAL, "a kubeconfig is a map, and this is a list");
  refuse(*state, "a: 1\na: " SECRET "\n", EINVAL, "(DOC-0006)");
  refuse(*state, "users: {a: b}\nclusters: 1\n" CONTEXT, EINVAL, "must be a list");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_there_is),
      cmocka_unit_test(test_a_list_merges),
      cmocka_unit_test(test_inline_goes_before_files),
      cmocka_unit_test(test_json_is_yaml),
      cmocka_unit_test(test_a_program),
      cmocka_unit_test(test_where_it_is_looked_for),
      cmocka_unit_test(test_in_a_pod),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_programs_that_are_refused),
      cmocka_unit_test(test_what_is_missing_is_named),
      cmocka_unit_test(test_what_is_no_kubeconfig),
  };

  return cmocka_run_group_tests(tests, setup, teardown);
}
