/* What the tests of trammel watch on a real API server share: an own namespace for each, a watch that runs, and looks
 * at what came of it. Everything fails the test where it cannot be done. */
#ifndef TRAMMEL_TESTS_CLUSTER_WATCHED_H
#define TRAMMEL_TESTS_CLUSTER_WATCHED_H

#include "sdk/base/strbuf.h"
#include "tests/support/api_objects.h"
#include "tests/support/api_server.h"
#include "tests/support/command.h"

#define TIMEOUT_S 90
/* Paths of lists; "%s" is the namespace. */
#define POLICIES "/apis/security.istio.io/v1/namespaces/%s/authorizationpolicies"
#define TARGETS "/apis/access.smi-spec.io/v1alpha3/namespaces/%s/traffictargets"
#define GROUPS "/apis/specs.smi-spec.io/v1alpha4/namespaces/%s/httproutegroups"

extern struct api_server *server;
extern const char workloads[]; /* web and api, whose Service is of HTTP; '@' is the namespace */

struct fixture {
  char ns[32]; /* of its own for each test */
  struct running watch, other;
  bool running, other_running;
};
int setup(void **state);
int teardown(void **state);

/* ---- what is there */

struct api_answer ask(const char *method, const char *path, const char *type, const json_t *body);
/* The path of a list, or of an object in it: a heap string. */
char *path_of(const struct fixture *f, const char *format, const char *name);
/* A new reference. */
json_t *items_of(const struct fixture *f, const char *format);
size_t count_at(const struct fixture *f, const char *format);
size_t count_policies(const struct fixture *f);
/* Whether the spec of one of a list, or of a policy, has this in its text. */
bool says(const struct fixture *f, const char *format, const char *path);
bool allows(const struct fixture *f, const char *path);
size_t count_events(const struct fixture *f, const char *reason, const char *name);
/* The policy that there is, alone: a new reference. */
json_t *only_policy(const struct fixture *f);
const char *name_of(const json_t *object);

/* ---- what is done */

void put(const json_t *object);
/* YAML; '@' is the namespace. */
void put_text(const struct fixture *f, const char *text);
void remove_at(const struct fixture *f, const char *format, const char *name);
/* One match, which GET has. */
void put_group(const struct fixture *f, const char *name, const char *path);
/* From web to api. */
void put_target(const struct fixture *f, const char *name, const char *kind, const char *route);

/* trammel watch with more words, which end with NULL; by default for Istio, and for the test's namespace. */
struct running start_to(const char *adapter, const char *const *more);
struct running start_words(const char *const *more);
void start(struct fixture *f);
void start_denying(struct fixture *f);
unsigned start_with_metrics(struct fixture *f);
/* Ends it in order; what it said. */
struct command_result stop(struct fixture *f);
void stop_quietly(struct fixture *f);
/* Without a chance to see to anything. Its Lease would have to run out: it is given up in its place. */
void kill_running(struct running *running, bool give_up_lease);

/* ---- what comes */

void wait_for_count(const struct fixture *f, size_t count);
void wait_for_path(const struct fixture *f, const char *path);
void wait_for_event(const struct fixture *f, const char *reason, const char *name);
/* Reads what comes until it has `mark`, and the rest of that line. */
void read_until(int fd, const char *mark, struct strbuf *text);
/* Where it says that it serves metrics. */
unsigned read_port(const struct running *running);
/* The status of an answer, and its body. */
long scrape(unsigned port, const char *path, struct strbuf *body);
/* A sample of /metrics: its name, with labels, is the whole of a line before the value. */
double sample(unsigned port, const char *name);
void wait_for_sample(unsigned port, const char *name, double least);

/* ---- tests of what is told, and of what others do (watch_told.c) */

void what_is_wrong_is_told_once(void **state);
void a_foreign_object_is_left_alone_and_told(void **state);
void metrics_count_what_is_done(void **state);
void while_a_denial_is_refused_nothing_is_opened(void **state);
void what_others_add_to_an_object_is_undone(void **state);
void what_others_change_in_an_object_is_told(void **state);

#endif
