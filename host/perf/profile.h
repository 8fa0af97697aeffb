/* A performance profile: which loads run at the same instant, how often, and what they have to keep to. Read from
 * Trammel's own format (docs/perf-profiles.md, docs/schema/perf-profile.json), or from a performance test of the
 * Service Mesh Performance specification (host/perf/smp.h). */
#ifndef TRAMMEL_HOST_PERF_PROFILE_H
#define TRAMMEL_HOST_PERF_PROFILE_H

#include "host/load/run.h"
#include "host/perf/ensemble.h"
#include "host/perf/objective.h"
#include "sdk/base/arena.h"
#include "sdk/base/diagnostic.h"

#define PROFILE_BYTES_MAX ((size_t)1 << 20)
#define PROFILE_NAME_MAX 128   /* bytes */
#define PROFILE_TEXT_MAX 65536 /* of a body, a URL, a path, a description */
#define PROFILE_TARGETS_MAX ENSEMBLE_MAX
#define PROFILE_WEIGHT_MAX 1000000
#define PROFILE_OBJECTIVES_MAX 32
#define PROFILE_STATUSES_MAX 64
#define PROFILE_REPETITIONS_MAX 100
#define PROFILE_DURATION_MAX_S 86400

/* One target's part of the profile. */
struct profile_load {
  const char *name;      /* unique in the profile */
  unsigned weight;       /* its share of the rate and of the connections */
  uint32_t line;         /* of the file; 0: unknown */
  unsigned client;       /* whose it is, from 0 on: of a performance test, loads of one client are its URLs */
  const char *generator; /* of a performance test: the load generator it names; NULL: none */
  struct target_options target;
  struct load_options options;
  const char *body_file;    /* NULL: none. Absolute, or from the profile's directory */
  const uint16_t *statuses; /* that are expected; none: all below 500 */
  size_t status_count;
};

struct smp_facts;

struct profile {
  const char *name, *description; /* the description may be NULL */
  struct profile_load *loads;     /* all closed, or none */
  size_t load_count;
  struct load_options whole; /* that the loads are parts of */
  const struct objective *objectives;
  size_t objective_count;
  unsigned repetitions;
  const struct smp_facts *smp; /* of a file of Service Mesh Performance (smp.h); NULL: of another one */
  struct arena *arena;         /* all of the above is in it */
};

/* Reads `length` bytes of YAML or JSON; opens no file. -EINVAL, -E2BIG with diagnostics (PROFILE-0001… as
 * sdk/base/fields.h has them, and DOC-0001…), -ENOMEM. `file` is only for positions. */
int profile_parse(const char *file, const void *data, size_t length, struct diagnostics *diagnostics,
                  struct profile **ret_profile);
void profile_destroy(struct profile *profile);
DEFINE_CLEANUP(struct profile *, profile_destroy);

/* Reads the profile of a file, "-" is standard input. -errno when there is none that can be read, else as above. */
int profile_read(const char *path, struct diagnostics *diagnostics, struct profile **ret_profile, struct error **err);

/* What each load's requests are, with bodies and certificates read from their files; relative ones are from
 * `directory` (NULL: the current one). The error says which target is wrong, and in which line. `ret_targets` has room
 * for the loads; each is to be destroyed, and none is there after an error. */
int profile_targets(const struct profile *profile, const char *directory, struct target **ret_targets,
                    struct error **err);

/* Whether it depends on the directory it is in. */
bool profile_is_relative(const struct profile *profile);

/* How many answers of a result of `load` have a status that is not expected. */
uint64_t profile_load_unexpected(const struct profile_load *load, const struct load_result *result);

/* Makes the rate of all loads together another one, each in its proportion. -EINVAL when a load's is out of range. Not
 * of closed ones. */
int profile_set_rate(struct profile *profile, double rate, struct error **err);

/* Whether latencies are from when requests were sent. */
bool profile_is_closed(const struct profile *profile);

#endif
