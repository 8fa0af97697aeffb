/* Translations held against recorded ones: each NAME.yaml of a folder, resources of SMI, is translated by an adapter,
 * and the result compared with NAME.json beside it (translation_json.h says what is in it, with the adapter's
 * diagnostics, and "complete": whether nothing had to be left out). Everything is translated twice, which must give the
 * same bytes. The folder's setup.yaml says what it is translated for (setup.h). */
#ifndef TRAMMEL_HOST_KIT_RECORDINGS_H
#define TRAMMEL_HOST_KIT_RECORDINGS_H

#include <stdbool.h>

#include "host/adapter/registry.h"
#include "sdk/base/diagnostic.h"

/* NAME.yaml files of one folder, and bytes of one file. */
#define RECORDINGS_MAX 1000
#define RECORDING_BYTES_MAX (16u << 20)

enum recording_verdict {
  RECORDING_PASSED = 1,
  RECORDING_DIFFERS, /* from NAME.json; the text is the difference */
  RECORDING_ABSENT,  /* there is no NAME.json */
  RECORDING_BROKEN,  /* NAME.yaml cannot be read, or the adapter did not translate it; the text says why */
  RECORDING_WRITTEN, /* NAME.json was made, or made anew */
};

/* "passed", "differs", "absent", "broken", "written". */
const char *recording_verdict_name(enum recording_verdict verdict);

struct recording {
  const char *path; /* of NAME.yaml */
  enum recording_verdict verdict;
  const char *text; /* "" when there is nothing to say */
};

struct recordings {
  struct arena *arena; /* owns all texts */
  struct recording *items;
  size_t count;
};

/* Runs all of `directory` in the order of the names. With `update`, recordings that differ or are absent are written;
 * those that are as they should be are not touched. 0 also when some fail. -EINVAL, with diagnostics of the setup, when
 * nothing can be run; -ENOENT when the folder has no NAME.yaml. */
int recordings_run(const struct adapter_entry *entry, const char *directory, bool update,
                   struct diagnostics *diagnostics, struct recordings *ret_recordings, struct error **err);
void recordings_finish(struct recordings *recordings);

#endif
