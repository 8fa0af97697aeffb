/* What is known of an adapter before it is asked to do anything. */
#include <errno.h>

#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/certify/checks.h"
#include "host/certify/sitting.h"

void check_load_gate(struct sitting *sitting) {
  const struct subject *subject = sitting->subject;
  _cleanup_gate_ struct gate gate = {.fd = -1};
  _cleanup_error_ struct error *err = NULL;
  if (gate_open(subject->path, &gate, &err) < 0)
    sitting_fail(sitting, "refused: %s", error_message(err));
  sitting_done(sitting);
}

static void free_description(Trammel__Adapter__V1__DescribeResponse **description) {
  if (*description)
    trammel__adapter__v1__describe_response__free_unpacked(*description, NULL);
}

static void judge_manifest(struct sitting *sitting, const Trammel__Adapter__V1__DescribeResponse *description) {
  const struct manifest *manifest = &sitting->subject->package.manifest;
  _cleanup_error_ struct error *err = NULL;
  if (manifest_check_note(manifest, &sitting->subject->gate.note, &err) < 0 ||
      manifest_check_description(manifest, description, &err) < 0)
    sitting_fail(sitting, "%s; pack the adapter again", error_message(err));
}

/* What a vendor should say although the host can do without. */
static void judge_texts(struct sitting *sitting, const Trammel__Adapter__V1__DescribeResponse *description) {
  if (description->n_methods == 0)
    sitting_warn(sitting, "Describe lists no method, so the adapter does nothing");
  else if (description->n_smi == 0)
    sitting_warn(sitting, "Describe says of no version of SMI whether it is supported");
  else if (!*description->summary || description->n_mesh_versions == 0)
    sitting_warn(sitting, "Describe lacks %s; people choose adapters by it",
                 *description->summary ? "mesh_versions" : "a summary");
}

void check_descriptor(struct sitting *sitting) {
  const struct subject *subject = sitting->subject;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(free_description) Trammel__Adapter__V1__DescribeResponse *description = NULL;
  _cleanup_gate_ struct gate gate = {.fd = -1};
  if (gate_open(subject->path, &gate, NULL) < 0) {
    sitting_skip(sitting, "the load gate refuses the file, so that nothing of it is run");
    sitting_done(sitting);
    return;
  }
  if (child_describe(subject->gate.fd, subject->partly, &description, &err) < 0 ||
      description_check(description, &subject->gate.note, &err) < 0) {
    sitting_fail(sitting, "refused: %s", error_message(err));
    return;
  }
  judge_texts(sitting, description);
  if (subject->packed)
    judge_manifest(sitting, description);
  sitting_done(sitting);
}
