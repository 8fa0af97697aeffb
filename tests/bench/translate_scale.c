/* What `trammel translate` costs for many resources: time and peak memory of the whole program, for adapters by name.
 *
 *   translate_scale [--no-bars] [--json] [--sizes N,N,…] [--trammel FILE] [--keep DIR] ADAPTER…
 *
 * For N TrafficTargets there are N HTTPRouteGroups, N/5 TrafficSplits on N/5 root services with two backends each, and
 * two Deployments for each root. The bar is for the row of 10,000: 1 s of one core and 200 MB; and from each row to the
 * next one the time may grow by no more than a quarter above the growth of N. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZES_MAX 8
#define BAR_SIZE 10000
#define BAR_SECONDS 1.0
#define BAR_MEGABYTES 200.0
#define BAR_GROWTH 1.25
#define NAMESPACES 10
#define PER_FILE 5000 /* documents: far below the limits of one input */
#define ROUNDS 3      /* of which the fastest counts */

struct options {
  const char *trammel;
  const char *keep;
  bool bars, json;
  unsigned sizes[SIZES_MAX];
  size_t size_count;
};

struct measure {
  double seconds, wall, megabytes; /* seconds of one core, which a busy machine leaves as they are */
  int code;
};

static double seconds_of(const struct timeval *time) {
  return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* ---- the corpus */

struct corpus {
  const char *directory;
  bool json;
  FILE *file;
  unsigned documents, files;
};

static void fail(const char *what) {
  fprintf(stderr, "translate_scale: %s: %s\n", what, strerror(errno));
  exit(EXIT_FAILURE);
}

/* Flow style is YAML and JSON; plain people write block style, which is what is measured unless --json. */
static void begin(struct corpus *corpus) {
  char path[PATH_MAX];
  if (corpus->documents++ % PER_FILE != 0) {
    if (corpus->json)
      fputs(",\n", corpus->file);
    return;
  }
  if (corpus->file && ((corpus->json && fputs("]}\n", corpus->file) < 0) || fclose(corpus->file) != 0))
    fail(corpus->directory);
  (void)snprintf(path, sizeof path, "%s/%05u.%s", corpus->directory, corpus->files++, corpus->json ? "json" : "yaml");
  corpus->file = fopen(path, "w");
  if (!corpus->file)
    fail(path);
  if (corpus->json)
    fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n", corpus->file);
}

static void end(struct corpus *corpus) {
  if ((corpus->json && fputs("]}\n", corpus->file) < 0) || fclose(corpus->file) != 0)
    fail(corpus->directory);
}

static void write_group(struct corpus *c, unsigned i, unsigned ns) {
  begin(c);
  fprintf(c->file,
          c->json ? "{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"HTTPRouteGroup\",\"metadata\":{\"name\":"
                    "\"routes-%u\",\"namespace\":\"ns-%u\"},\"spec\":{\"matches\":[{\"name\":\"read\",\"pathRegex\":"
                    "\"/api/%u/.*\",\"methods\":[\"GET\"]},{\"name\":\"write\",\"pathRegex\":\"/api/%u/items\","
                    "\"methods\":[\"POST\",\"PUT\"]}]}}"
                  : "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata:\n  name: routes-%u\n"
                    "  namespace: ns-%u\nspec:\n  matches:\n  - name: read\n    pathRegex: /api/%u/.*\n"
                    "    methods: [GET]\n  - name: write\n    pathRegex: /api/%u/items\n    methods: [POST, PUT]\n",
          i, ns, i, i);
}

static void write_target(struct corpus *c, unsigned i, unsigned ns, unsigned destination, unsigned source) {
  begin(c);
  fprintf(c->file,
          c->json
              ? "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":"
                "\"target-%u\",\"namespace\":\"ns-%u\"},\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\","
                "\"name\":\"app-%u\",\"namespace\":\"ns-%u\"},\"rules\":[{\"kind\":\"HTTPRouteGroup\",\"name\":"
                "\"routes-%u\",\"matches\":[\"read\",\"write\"]}],\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":"
                "\"app-%u\",\"namespace\":\"ns-%u\"}]}}"
              : "---\napiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata:\n  name: target-%u\n"
                "  namespace: ns-%u\nspec:\n  destination:\n    kind: ServiceAccount\n    name: app-%u\n"
                "    namespace: ns-%u\n  rules:\n  - kind: HTTPRouteGroup\n    name: routes-%u\n"
                "    matches: [read, write]\n  sources:\n  - kind: ServiceAccount\n    name: app-%u\n"
                "    namespace: ns-%u\n",
          i, ns, destination, ns, i, source, source % NAMESPACES);
}

static void write_split(struct corpus *c, unsigned k, unsigned ns) {
  begin(c);
  fprintf(c->file,
          c->json ? "{\"apiVersion\":\"split.smi-spec.io/v1alpha4\",\"kind\":\"TrafficSplit\",\"metadata\":{\"name\":"
                    "\"split-%u\",\"namespace\":\"ns-%u\"},\"spec\":{\"service\":\"app-%u\",\"backends\":[{"
                    "\"service\":\"app-%u-a\",\"weight\":90},{\"service\":\"app-%u-b\",\"weight\":10}]}}"
                  : "---\napiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata:\n  name: split-%u\n"
                    "  namespace: ns-%u\nspec:\n  service: app-%u\n  backends:\n  - service: app-%u-a\n    weight: 90\n"
                    "  - service: app-%u-b\n    weight: 10\n",
          k, ns, k, k, k);
}

static void write_service(struct corpus *c, unsigned k, unsigned ns, const char *suffix, const char *version) {
  begin(c);
  fprintf(c->file,
          c->json ? "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"app-%u%s\",\"namespace\":"
                    "\"ns-%u\"},\"spec\":{\"selector\":{\"app\":\"app-%u\"%s%s%s},\"ports\":[{\"name\":\"http\","
                    "\"port\":80,\"targetPort\":8080}]}}"
                  : "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: app-%u%s\n  namespace: ns-%u\nspec:\n"
                    "  selector:\n    app: app-%u\n%s%s%s  ports:\n  - name: http\n    port: 80\n"
                    "    targetPort: 8080\n",
          k, suffix, ns, k,
          !*version ? ""
          : c->json ? ",\"version\":\""
                    : "    version: ",
          version,
          !*version ? ""
          : c->json ? "\""
                    : "\n");
}

static void write_deployment(struct corpus *c, unsigned k, unsigned ns, const char *version) {
  begin(c);
  fprintf(c->file,
          c->json
              ? "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"app-%u-%s\","
                "\"namespace\":\"ns-%u\"},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"app-%u\"}},\"template\":"
                "{\"metadata\":{\"labels\":{\"app\":\"app-%u\",\"version\":\"%s\",\"part-of\":\"shop\"}},\"spec\":"
                "{\"serviceAccountName\":\"app-%u\",\"containers\":[{\"name\":\"app\",\"image\":\"example.org/app:1\","
                "\"ports\":[{\"containerPort\":8080}]}]}}}}"
              : "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-%u-%s\n  namespace: ns-%u\nspec:\n"
                "  selector:\n    matchLabels:\n      app: app-%u\n  template:\n    metadata:\n      labels:\n"
                "        app: app-%u\n        version: %s\n        part-of: shop\n    spec:\n"
                "      serviceAccountName: app-%u\n      containers:\n      - name: app\n"
                "        image: example.org/app:1\n        ports:\n        - containerPort: 8080\n",
          k, version, ns, k, k, version, k);
}

static void write_corpus(const char *directory, bool json, unsigned targets) {
  struct corpus corpus = {.directory = directory, .json = json};
  unsigned roots = targets < 5 ? 1 : targets / 5;
  for (unsigned k = 0; k < roots; k++) {
    unsigned ns = k % NAMESPACES;
    write_deployment(&corpus, k, ns, "a");
    write_deployment(&corpus, k, ns, "b");
    write_service(&corpus, k, ns, "", "");
    write_service(&corpus, k, ns, "-a", "a");
    write_service(&corpus, k, ns, "-b", "b");
    write_split(&corpus, k, ns);
  }
  for (unsigned i = 0; i < targets; i++) {
    unsigned destination = i % roots, source = (i * 7 + 1) % roots;
    write_group(&corpus, i, destination % NAMESPACES);
    write_target(&corpus, i, destination % NAMESPACES, destination, source);
  }
  end(&corpus);
}

/* ---- one run */

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void become_trammel(const struct options *options, const char *adapter, const char *corpus) {
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  char log[PATH_MAX];
  (void)snprintf(log, sizeof log, "%s.log", corpus);
  int err = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (null < 0 || err < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
    _exit(126);
  (void)execl(options->trammel, options->trammel, "translate", "--to", adapter, "--allow-unsupported", "-f", corpus,
              (char *)NULL);
  _exit(127);
}

static struct measure measure(const struct options *options, const char *adapter, const char *corpus) {
  double began = now();
  pid_t pid = fork();
  if (pid == 0)
    become_trammel(options, adapter, corpus);
  struct rusage used;
  int status = 0;
  if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
    fail("running trammel");
  return (struct measure){.seconds = seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime),
                          .wall = now() - began,
                          .megabytes = (double)used.ru_maxrss / 1000.0,
                          .code = WIFEXITED(status) ? WEXITSTATUS(status) : 128};
}

static struct measure best_of(const struct options *options, const char *adapter, const char *corpus) {
  struct measure best = measure(options, adapter, corpus);
  for (unsigned i = 1; i < ROUNDS && best.code == 0 && options->bars; i++) {
    struct measure next = measure(options, adapter, corpus);
    if (next.seconds < best.seconds || next.code != 0)
      best = next;
  }
  return best;
}

static void show_log(const char *corpus) {
  char path[PATH_MAX], line[400];
  (void)snprintf(path, sizeof path, "%.*s.log", PATH_MAX - 5, corpus);
  FILE *log = fopen(path, "r");
  for (int i = 0; log && i < 10 && fgets(line, sizeof line, log); i++)
    fprintf(stderr, "  %s", line);
  if (log)
    (void)fclose(log);
}

/* ---- all of them */

static bool within_bars(unsigned size, const struct measure *is, unsigned size_before, const struct measure *before) {
  if (size == BAR_SIZE && (is->seconds > BAR_SECONDS || is->megabytes > BAR_MEGABYTES))
    return false;
  /* The least of sizes has what every start costs in it. */
  return !before || is->seconds <= before->seconds * BAR_GROWTH * (double)size / (double)size_before;
}

static bool run_adapter(const struct options *options, const char *directory, const char *adapter) {
  struct measure before = {0};
  bool good = true;
  for (size_t i = 0; i < options->size_count; i++) {
    char corpus[PATH_MAX];
    (void)snprintf(corpus, sizeof corpus, "%s/%u", directory, options->sizes[i]);
    struct measure is = best_of(options, adapter, corpus);
    bool held = is.code == 0 && within_bars(options->sizes[i], &is, i ? options->sizes[i - 1] : 0, i ? &before : NULL);
    printf("| %s | %u | %.2f s | %.1f µs | %.2f s | %.0f MB | %s |\n", adapter, options->sizes[i], is.seconds,
           is.seconds * 1e6 / options->sizes[i], is.wall, is.megabytes,
           is.code != 0 ? "failed"
           : held       ? "held"
                        : "missed");
    (void)fflush(stdout);
    if (is.code != 0)
      show_log(corpus);
    good = good && is.code == 0 && (held || !options->bars);
    before = is;
  }
  return good;
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk) {
  (void)status;
  (void)flag;
  (void)walk;
  return remove(path);
}

static void make_corpora(const struct options *options, const char *directory) {
  for (size_t i = 0; i < options->size_count; i++) {
    char corpus[PATH_MAX];
    (void)snprintf(corpus, sizeof corpus, "%s/%u", directory, options->sizes[i]);
    if (mkdir(corpus, 0700) < 0)
      fail(corpus);
    write_corpus(corpus, options->json, options->sizes[i]);
  }
}

static void read_sizes(struct options *options, char *text) {
  options->size_count = 0;
  for (char *part = strtok(text, ","); part && options->size_count < SIZES_MAX; part = strtok(NULL, ",")) {
    unsigned long size = strtoul(part, NULL, 10);
    if (size < 1 || size > 1000000) {
      fprintf(stderr, "translate_scale: --sizes wants numbers from 1 to 1000000, not '%s'\n", part);
      exit(2);
    }
    options->sizes[options->size_count++] = (unsigned)size;
  }
}

/* The first word that is no option. */
static int read_options(int argc, char **argv, struct options *options) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--no-bars") == 0)
      options->bars = false;
    else if (strcmp(argv[i], "--json") == 0)
      options->json = true;
    else if (strcmp(argv[i], "--sizes") == 0 && i + 1 < argc)
      read_sizes(options, argv[++i]);
    else if (strcmp(argv[i], "--trammel") == 0 && i + 1 < argc)
      options->trammel = argv[++i];
    else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
      options->keep = argv[++i];
    else
      break;
  }
  return i;
}

int main(int argc, char **argv) {
  struct options options = {
      .trammel = BUILD_DIRECTORY "/bin/trammel", .bars = true, .sizes = {1000, 10000, 100000}, .size_count = 3};
  char temporary[] = "/tmp/translate-scale-XXXXXX";
  int first = read_options(argc, argv, &options);
  bool good = true;
  if (first >= argc || argv[first][0] == '-') {
    fprintf(stderr,
            "usage: translate_scale [--no-bars] [--json] [--sizes N,N] [--trammel FILE] [--keep DIR] ADAPTER...\n");
    return 2;
  }
  const char *directory = options.keep ? options.keep : mkdtemp(temporary);
  if (!directory || (options.keep && mkdir(options.keep, 0700) < 0))
    fail("a directory for the corpus");
  make_corpora(&options, directory);
  printf("| adapter | TrafficTargets | time of one core | per target | elapsed | peak memory | bars |\n"
         "|---|---|---|---|---|---|---|\n");
  for (int i = first; i < argc; i++)
    good = run_adapter(&options, directory, argv[i]) && good;
  if (!options.keep)
    (void)nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
