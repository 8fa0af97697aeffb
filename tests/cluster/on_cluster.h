/* Runs trammel against a test's API server, and puts objects on it, for the tests of commands. Everything fails the
 * test where it cannot be done. */
#ifndef TRAMMEL_TESTS_CLUSTER_ON_CLUSTER_H
#define TRAMMEL_TESTS_CLUSTER_ON_CLUSTER_H

#include "tests/support/api_objects.h"
#include "tests/support/api_server.h"
#include "tests/support/command.h"

#define ON_CLUSTER_TIMEOUT_S 120

/* trammel WORDS… --kubeconfig KUBECONFIG; `words` ends with NULL. */
struct command_result on_cluster_run(const char *kubeconfig, const char *input, const char *const *words);
struct running on_cluster_start(const char *kubeconfig, const char *input, const char *const *words);

void assert_code(const struct command_result *result, int code);
void assert_says(const struct command_result *result, const char *text); /* on either output */
/* All of it at once; finishes the result. */
void expect(struct command_result result, int code, const char *text);
/* The answer of -o json, a new reference; finishes the result. */
json_t *expect_json(struct command_result result, int code);

/* .summary[outcome] of an answer. */
long count_of(const json_t *answer, const char *outcome);
/* The item of the array answer[list] whose `key` is `value`, borrowed; fails when there is none. */
const json_t *item_with(const json_t *answer, const char *list, const char *key, const char *value);
const char *text_of(const json_t *object, const char *key); /* "" without it */

/* The text with every '@' as `ns`: a heap string. */
char *with_ns(const char *text, const char *ns);
/* Applies the objects of a YAML text, and sets the status that they have: an API server without controllers has no
 * other. */
void put_all(struct api_server *server, const char *yaml);
/* An Istio 1.18.7 as far as detection looks at it, with so many ready replicas. */
void put_istiod(struct api_server *server, int ready);
/* Merges into an object's status: `path` is the object's. */
void put_status(struct api_server *server, const char *path, json_t *status);
/* An object as it is, a new reference; NULL when it is not there. */
json_t *object_at(struct api_server *server, const char *path);

#endif
