#include "host/transport/kube/credentials.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/transport/kube/base64.h"
#include "host/transport/kube/exec_plugin.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

#define LOCK_POLL_NS (20 * NS_PER_MS)

struct credentials {
  const struct kube_config *config;
  pthread_mutex_t lock; /* of what follows, also while a program runs */
  char *file_token;
  int64_t file_read_ns; /* CLOCK_MONOTONIC; 0: never */
  struct exec_credential exec;
  bool exec_valid;
  uint64_t identity;
  uint64_t generation;
};

static void secret_free(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}

void credential_finish(struct credential *credential) {
  secret_free(credential->authorization);
  free(credential->certificate);
  secret_free(credential->key);
  *credential = (struct credential){0};
}

int credentials_create(const struct kube_config *config, struct credentials **ret_credentials, struct error **err) {
  struct credentials *credentials = calloc(1, sizeof(*credentials));

  if (!credentials || pthread_mutex_init(&credentials->lock, NULL) != 0) {
    free(credentials);
    return error_set(err, ENOMEM, "out of memory for credentials");
  }
  credentials->config = config;
  *ret_credentials = credentials;
  return 0;
}

void credentials_destroy(struct credentials *credentials) {
  if (!credentials)
    return;
  (void)pthread_mutex_destroy(&credentials->lock);
  secret_free(credentials->file_token);
  exec_credential_finish(&credentials->exec);
  free(credentials);
}

/* The first line without white space around it; NULL when that is no token. */
static char *token_of(char *text) {
  char *start = text + strspn(text, " \t\r\n");
  size_t length = strlen(start);

  while (length > 0 && strchr(" \t\r\n", start[length - 1]))
    length--;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)start[i] <= 0x20 || (unsigned char)start[i] >= 0x7f)
      return NULL;
  return length > 0 ? strndup(start, length) : NULL;
}

static int read_token_file(const char *path, char **ret_token, struct error **err) {
  char *text = NULL;
  size_t length = 0;

  int r = file_read(path, KUBECONFIG_FILE_BYTES_MAX, &text, &length, err);
  if (r < 0) {
    (void)error_wrap(err, "token file");
    return r;
  }
  char *token = token_of(text);
  secret_free(text);
  *ret_token = token;
  return token ? 0 : error_set(err, EINVAL, "token file %s holds no token", path);
}

/* A file that cannot be read for a moment, while it is replaced, leaves the token from before. */
static int refresh_file(struct credentials *c, struct error **err) {
  _cleanup_error_ struct error *reason = NULL;
  int64_t now_ns = clock_monotonic_ns();
  char *token = NULL;

  if (c->file_read_ns > 0 && now_ns - c->file_read_ns < CREDENTIALS_FILE_PERIOD_NS)
    return 0;
  int r = read_token_file(c->config->token_file, &token, &reason);
  if (r < 0 && (c->file_token || c->config->token))
    return 0;
  if (r < 0)
    return error_set(err, -r, "%s", error_message(reason));
  c->file_read_ns = now_ns;
  if (c->file_token && strcmp(c->file_token, token) == 0) {
    secret_free(token);
    return 0;
  }
  secret_free(c->file_token);
  c->file_token = token;
  c->generation++;
  return 0;
}

static bool exec_is_fresh(const struct credentials *c) {
  return c->exec_valid &&
         (c->exec.expires_s == 0 || c->exec.expires_s > clock_realtime_s() + CREDENTIALS_EARLY_NS / NS_PER_SECOND);
}

static bool same(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static int refresh_exec(struct credentials *c, int64_t deadline_ns, const atomic_bool *cancel, struct error **err) {
  struct exec_credential fresh = {0};

  if (exec_is_fresh(c))
    return 0;
  int r = exec_plugin_run(c->config, deadline_ns, cancel, &fresh, err);
  if (r < 0)
    return r;
  if (!same(c->exec.certificate, fresh.certificate) || !same(c->exec.key, fresh.key))
    c->identity++;
  exec_credential_finish(&c->exec);
  c->exec = fresh;
  c->exec_valid = true;
  c->generation++;
  return 0;
}

static char *basic(const char *username, const char *password) {
  char *pair = NULL;
  char *line = NULL;

  if (asprintf(&pair, "%s:%s", username, password ? password : "") < 0)
    return NULL;
  char *encoded = base64_encode(pair, strlen(pair));
  if (!encoded || asprintf(&line, "Authorization: Basic %s", encoded) < 0)
    line = NULL;
  secret_free(pair);
  secret_free(encoded);
  return line;
}

static char *bearer(const char *token) {
  char *line = NULL;

  return asprintf(&line, "Authorization: Bearer %s", token) < 0 ? NULL : line;
}

/* As kubectl: a token goes before a password, and both before a program. */
static int compose(const struct credentials *c, struct credential *out, struct error **err) {
  const struct kube_config *config = c->config;
  const char *token = c->file_token ? c->file_token : config->token ? config->token : c->exec.token;
  const char *certificate = c->exec.certificate ? c->exec.certificate : config->certificate;
  const char *key = c->exec.certificate ? c->exec.key : config->key;
  bool good = true;

  if (token)
    good = (out->authorization = bearer(token)) != NULL;
  else if (config->username)
    good = (out->authorization = basic(config->username, config->password)) != NULL;
  if (good && certificate)
    good = (out->certificate = strdup(certificate)) && (out->key = strdup(key));
  out->identity = c->identity;
  out->generation = c->generation;
  return good ? 0 : error_set(err, ENOMEM, "out of memory for credentials");
}

/* Another thread may wait for a program; this one's deadline and cancellation hold all the same. */
static int lock(struct credentials *c, int64_t deadline_ns, const atomic_bool *cancel, struct error **err) {
  for (;;) {
    struct timespec until; /* of the wall clock, which is all that this lock takes; a jump costs one look */
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOCK_POLL_NS;
    if (until.tv_nsec >= NS_PER_SECOND) {
      until.tv_nsec -= NS_PER_SECOND;
      until.tv_sec++;
    }
    if (pthread_mutex_timedlock(&c->lock, &until) == 0)
      return 0;
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "cancelled while waiting for credentials");
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, ETIMEDOUT, "no credentials before the deadline");
  }
}

/* A file or program that is missing is nothing that the server lacks, which -ENOENT would be. */
static int get(struct credentials *c, int64_t deadline_ns, const atomic_bool *cancel, struct error **err) {
  _cleanup_error_ struct error *reason = NULL;
  int r = 0;

  if (c->config->token_file)
    r = refresh_file(c, &reason);
  else if (c->config->exec && !c->config->token && !c->config->username)
    r = refresh_exec(c, deadline_ns, cancel, &reason);
  if (r == 0)
    return 0;
  return error_set(err, r == -ENOENT ? EACCES : -r, "%s", error_message(reason));
}

int credentials_get(struct credentials *credentials, int64_t deadline_ns, const atomic_bool *cancel,
                    struct credential *ret_credential, struct error **err) {
  struct credentials *c = credentials;
  struct credential credential = {0};

  int r = lock(c, deadline_ns, cancel, err);
  if (r < 0)
    return r;
  r = get(c, deadline_ns, cancel, err);
  if (r == 0)
    r = compose(c, &credential, err);
  (void)pthread_mutex_unlock(&c->lock);
  if (r == 0)
    *ret_credential = credential;
  else
    credential_finish(&credential);
  return r;
}

bool credentials_refused(struct credentials *credentials, uint64_t generation) {
  struct credentials *c = credentials;
  bool again = true;

  (void)pthread_mutex_lock(&c->lock);
  if (c->generation == generation) {
    uint64_t before = c->generation;
    c->exec_valid = false;
    c->file_read_ns = 0;
    if (c->config->token_file)
      again = refresh_file(c, NULL) == 0 && c->generation != before;
    else
      again = c->config->exec && !c->config->token && !c->config->username;
  }
  (void)pthread_mutex_unlock(&c->lock);
  return again;
}
