/* Files of the Service Mesh Performance specification (package smp): a performance test is read as a profile, and
 * profiles and results are written as it has them. Field names are those of its messages; enumerations are read by name
 * or by number, and written by name. */
#ifndef TRAMMEL_HOST_PERF_SMP_H
#define TRAMMEL_HOST_PERF_SMP_H

#include <jansson.h>

#include "host/perf/profile.h"
#include "host/report/load_report.h"
#include "sdk/base/fields.h"

#define SMP_CLIENTS_MAX 64
#define SMP_LABELS_MAX 256

/* What a test says beside its loads; texts are in the profile's arena. */
struct smp_label {
  const char *key, *value;
};
struct smp_labels {
  const struct smp_label *list;
  size_t count;
};
struct smp_facts {
  const char *version, *id; /* NULL: not given */
  struct smp_labels labels;
  int mesh_type; /* ServiceMesh.Type */
  const char *mesh_version;
  struct smp_labels mesh_labels, mesh_annotations;
  bool has_mesh;
};

/* Whether a document has the wrapper key of a test. */
bool smp_is_test(const struct node *root);
/* Reads "test" (PerformanceTestConfig) and "mesh" (ServiceMesh) into `profile`: a load for each URL of each client, of
 * its part of the client's rate and connections. What can't be honoured is complained about, with its reason. */
void smp_read_test(struct fields *fields, const struct node *root, struct profile *profile);

/* {"test": …, "mesh": …}, a new reference: what smp_read_test() reads back as the same. -ENOTSUP names everything that
 * the format has no place for; nothing is left out silently. */
int smp_test_json(const struct profile *profile, json_t **ret_test, struct error **err);

/* A PerformanceTestResult with an id of its own. `profile` NULL: a run without one. Figures of too few values are left
 * out. NULL without memory. */
json_t *smp_result_json(const struct load_report *report, const struct profile *profile);

/* The name of a ServiceMesh.Type, "INVALID_MESH" for 0; NULL for no number of one. */
const char *smp_mesh_name(int type);

#endif
