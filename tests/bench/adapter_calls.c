/* What a call of an adapter costs: a Translate of 1 kB each way, in this process and in a child, beside the adapter's
 * function called bare, a bare gRPC echo, and bare bytes over a socket pair; and the memory of idle children.
 *
 * Usage: adapter_calls [--no-bars] [ROUNDS]. Rounds are interleaved: each runs every kind of call. Of each round the
 * median and the 99th percentile are taken; what is printed are the medians of these over the rounds. On a machine with
 * nothing else to do, in a release build. Exits 1 when a bar is missed, which --no-bars is for when it is not to. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/adapter/gate.h"
#include "host/adapter/instance.h"
#include "host/adapter/loader.h"
#include "sdk/base/clock.h"
#include "tests/bench/echo_peer.h"

#define PB(name) Trammel__Adapter__V1__##name

#define ROUNDS_DEFAULT 15
#define ROUNDS_MAX 1000
#define CALLS 1000 /* of each kind, in a round */
#define WARM_UP 200
#define MESSAGE 1000 /* bytes of text in a message */
#define CHILDREN 6

#define BAR_IN_PROCESS_NS (5 * INT64_C(1000))
#define BAR_CHILD_NS (150 * INT64_C(1000))
#define BAR_RESIDENT_MIB 20
#define BAR_PSS_MIB 8

static void __attribute__((noreturn)) give_up(const char *what, const struct error *err) {
  (void)fprintf(stderr, "adapter_calls: %s%s%s\n", what, err ? ": " : "", err ? error_message(err) : "");
  exit(1);
}

/* ---- the request */

static PB(TranslateOptions) options;
static PB(TranslateRequest) request;
static uint8_t packed[2048];
static size_t packed_length;

static void prepare_request(void) {
  static char name[MESSAGE + 1];
  static char *names[] = {name};
  memset(name, 'x', MESSAGE);
  trammel__adapter__v1__translate_options__init(&options);
  trammel__adapter__v1__translate_request__init(&request);
  options.deny_by_default = names;
  options.n_deny_by_default = 1;
  request.options = &options;
  packed_length = trammel__adapter__v1__translate_request__pack(&request, packed);
}

/* ---- kinds of calls */

struct kinds {
  const trammel_adapter *adapter;
  trammel_instance *bare;
  struct instance *in_process, *child;
  struct echo_peer *grpc, *socket;
};

static uint8_t received[4096];

static int receive(trammel_op *op, trammel_str message) {
  (void)op;
  if (message.n > sizeof received)
    return -1;
  memcpy(received, message.p, message.n);
  return 0;
}

static const void *bare_service(const trammel_host *host, const char *id) {
  static const trammel_op_api op = {.head = {sizeof op, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0}, .emit = receive};
  (void)host;
  return strcmp(id, TRAMMEL_OP_SERVICE) == 0 ? &op : NULL;
}

static bool call_bare(struct kinds *kinds) {
  static const trammel_str method = {"Translate", 9};
  return kinds->adapter->call(kinds->bare, method, (trammel_str){(const char *)packed, packed_length}, NULL) ==
         TRAMMEL_OK;
}

static bool translate(struct instance *instance) {
  ProtobufCMessage *response = NULL;
  if (instance_call(instance, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor, NULL,
                    &response, NULL) < 0)
    return false;
  protobuf_c_message_free_unpacked(response, NULL);
  return true;
}

static bool call_in_process(struct kinds *kinds) {
  return translate(kinds->in_process);
}

static bool call_child(struct kinds *kinds) {
  return translate(kinds->child);
}

static bool call_grpc(struct kinds *kinds) {
  return grpc_peer_call(kinds->grpc, packed, packed_length);
}

static bool call_socket(struct kinds *kinds) {
  return socket_peer_call(kinds->socket, packed, packed_length);
}

enum kind { BARE, IN_PROCESS, SOCKET, GRPC, CHILD, KINDS };

static const struct {
  const char *name;
  bool (*call)(struct kinds *kinds);
} all_kinds[KINDS] = {
    [BARE] = {"the adapter's function, bare", call_bare},
    [IN_PROCESS] = {"in this process", call_in_process},
    [SOCKET] = {"bytes over a socket pair", call_socket},
    [GRPC] = {"gRPC echo over a socket pair", call_grpc},
    [CHILD] = {"in a child", call_child},
};

/* ---- measuring */

struct results {
  unsigned rounds;
  int64_t p50[KINDS][ROUNDS_MAX], p99[KINDS][ROUNDS_MAX];
};

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void measure(struct kinds *kinds, enum kind kind, unsigned calls, int64_t *ret_p50, int64_t *ret_p99) {
  static int64_t took[CALLS];
  for (unsigned i = 0; i < calls; i++) {
    int64_t began = clock_monotonic_ns();
    if (!all_kinds[kind].call(kinds))
      give_up(all_kinds[kind].name, NULL);
    took[i] = clock_monotonic_ns() - began;
  }
  qsort(took, calls, sizeof took[0], compare);
  *ret_p50 = took[calls / 2];
  *ret_p99 = took[calls * 99 / 100];
}

static void measure_all(struct kinds *kinds, struct results *results) {
  int64_t unused;
  for (enum kind kind = BARE; kind < KINDS; kind++)
    measure(kinds, kind, WARM_UP, &unused, &unused);
  for (unsigned round = 0; round < results->rounds; round++)
    for (enum kind kind = BARE; kind < KINDS; kind++)
      measure(kinds, kind, CALLS, &results->p50[kind][round], &results->p99[kind][round]);
  for (enum kind kind = BARE; kind < KINDS; kind++) {
    qsort(results->p50[kind], results->rounds, sizeof(int64_t), compare);
    qsort(results->p99[kind], results->rounds, sizeof(int64_t), compare);
  }
}

static int64_t median(const struct results *results, enum kind kind) {
  return results->p50[kind][results->rounds / 2];
}

static double us(int64_t ns) {
  return (double)ns / 1000;
}

/* False when it is missed. */
static bool tell_bar(const char *what, double got, double bar, const char *unit) {
  printf("%s: %.1f %s, at most %.0f wanted: %s\n", what, got, unit, bar, got <= bar ? "met" : "MISSED");
  return got <= bar;
}

static bool tell_calls(const struct results *results) {
  printf("%u rounds of %d calls; median of the rounds' medians (best, worst round), and of their 99th percentiles, in "
         "µs\n",
         results->rounds, CALLS);
  for (enum kind kind = BARE; kind < KINDS; kind++)
    printf("%-30s %9.2f (%.2f, %.2f) %9.2f\n", all_kinds[kind].name, us(median(results, kind)),
           us(results->p50[kind][0]), us(results->p50[kind][results->rounds - 1]),
           us(results->p99[kind][results->rounds / 2]));
  printf("in a child : gRPC echo = %.2f\n", (double)median(results, CHILD) / (double)median(results, GRPC));
  bool met = tell_bar("in this process, over the bare function",
                      us(median(results, IN_PROCESS) - median(results, BARE)), us(BAR_IN_PROCESS_NS), "µs");
  return tell_bar("in a child", us(median(results, CHILD)), us(BAR_CHILD_NS), "µs") && met;
}

/* ---- memory */

/* Of one generation of processes. */
struct memory {
  long resident_kib, pss_kib;
  unsigned processes;
};

enum generation { SELF, WATCHING, SERVING, GENERATIONS }; /* see host/runner/supervise.h */

static long field(const char *text, const char *name) {
  const char *at = strstr(text, name);
  return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

static bool read_file(pid_t pid, const char *name, char *text, size_t size) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  FILE *file = fopen(path, "re");
  if (!file)
    return false;
  text[fread(text, 1, size - 1, file)] = '\0';
  (void)fclose(file);
  return true;
}

/* Of a process, and of all that come from it. */
static void add_memory(pid_t pid, int generation, struct memory memory[GENERATIONS]) {
  char text[4096];
  if (generation == GENERATIONS || !read_file(pid, "smaps_rollup", text, sizeof text))
    return;
  memory[generation].resident_kib += field(text, "\nRss:");
  memory[generation].pss_kib += field(text, "\nPss:");
  memory[generation].processes++;
  DIR *all = opendir("/proc");
  for (const struct dirent *entry; all && (entry = readdir(all));) {
    pid_t child = atoi(entry->d_name);
    if (child > 0 && read_file(child, "status", text, sizeof text) && field(text, "\nPPid:") == pid)
      add_memory(child, generation + 1, memory);
  }
  if (all)
    (void)closedir(all);
}

static double mib_of_each(long kib) {
  return (double)kib / CHILDREN / 1024;
}

static bool tell_memory(const struct adapter_entry *entry) {
  struct instance *instances[CHILDREN];
  struct memory memory[GENERATIONS] = {0};
  for (int i = 0; i < CHILDREN; i++) {
    struct error *err = NULL;
    if (instance_create(entry, NULL, NULL, NULL, &instances[i], &err) < 0)
      give_up(entry->id, err);
  }
  add_memory(getpid(), SELF, memory);
  for (int i = 0; i < CHILDREN; i++)
    instance_destroy(instances[i]);
  if (memory[SERVING].processes != CHILDREN || memory[WATCHING].processes != CHILDREN)
    give_up("cannot find the children in /proc", NULL);
  printf("%d idle children with adapter %s; each is a process that serves, and one that watches it, which has most of "
         "its memory in common with it: %.1f MiB resident\n",
         CHILDREN, entry->id, mib_of_each(memory[WATCHING].resident_kib));
  bool met =
      tell_bar("resident, of the one that serves", mib_of_each(memory[SERVING].resident_kib), BAR_RESIDENT_MIB, "MiB");
  return tell_bar("proportional set size, of both", mib_of_each(memory[SERVING].pss_kib + memory[WATCHING].pss_kib),
                  BAR_PSS_MIB, "MiB") &&
         met;
}

/* ---- set-up */

static struct adapter_entry find(const struct registry *registry, const char *id, bool confined) {
  struct error *err = NULL;
  const struct adapter_entry *entry = registry_find(registry, id, &err);
  if (!entry)
    give_up("adapter", err);
  struct adapter_entry copy = *entry;
  copy.confined = confined;
  return copy;
}

static void load_bare(const struct adapter_entry *entry, struct kinds *kinds) {
  static const trammel_host host = {.head = {sizeof host, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                    .get = bare_service};
  struct gate gate = {.fd = -1};
  struct error *err = NULL;
  if (registry_open(entry, &gate, &err) < 0 || loader_load(&gate, &kinds->adapter, &err) < 0)
    give_up(entry->path, err);
  gate_close(&gate);
  if (kinds->adapter->create(&host, (trammel_str){NULL, 0}, &kinds->bare, NULL) != TRAMMEL_OK)
    give_up("the bare instance", NULL);
}

static void create(const struct adapter_entry *entry, struct instance **ret_instance) {
  struct error *err = NULL;
  if (instance_create(entry, NULL, NULL, NULL, ret_instance, &err) < 0)
    give_up(entry->path, err);
}

static struct registry *scan(const char *build) {
  char bench[4096], shipped[4096];
  struct registry *registry = NULL;
  struct error *err = NULL;
  (void)snprintf(bench, sizeof bench, "%s/tests/bench-adapter", build);
  (void)snprintf(shipped, sizeof shipped, "%s/lib/trammel/adapters", build);
  if (registry_scan((const struct adapter_directory[]){{.path = bench}, {.path = shipped}, {0}},
                    &(struct registry_options){0}, &registry, &err) < 0)
    give_up("adapters", err);
  return registry;
}

int main(int argc, char **argv) {
  static struct results results;
  bool bars = argc < 2 || strcmp(argv[1], "--no-bars") != 0;
  argc -= !bars;
  argv += !bars;
  int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS_DEFAULT;
  if (argc > 2 || rounds < 1 || rounds > ROUNDS_MAX) {
    (void)fprintf(stderr, "usage: adapter_calls [--no-bars] [ROUNDS]; ROUNDS is a number from 1 to %d\n", ROUNDS_MAX);
    return 2;
  }
  results.rounds = (unsigned)rounds;
  struct kinds kinds = {.grpc = grpc_peer_start(), .socket = socket_peer_start()}; /* before threads */
  struct registry *registry = scan(BUILD_DIRECTORY);
  const struct adapter_entry open = find(registry, "bench", false), closed = find(registry, "bench", true),
                             reference = find(registry, "reference", true);
  prepare_request();
  load_bare(&open, &kinds);
  create(&open, &kinds.in_process);
  create(&closed, &kinds.child);
  measure_all(&kinds, &results);
  kinds.adapter->destroy(kinds.bare);
  instance_destroy(kinds.in_process);
  instance_destroy(kinds.child);
  echo_peer_stop(kinds.grpc);
  echo_peer_stop(kinds.socket);
  bool met = tell_calls(&results);
  met = tell_memory(&reference) && met;
  registry_destroy(registry);
  return met || !bars ? 0 : 1;
}
