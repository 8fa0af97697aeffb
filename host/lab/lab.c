#include <stdio.h>
#include <string.h>

#include "host/lab/internal.h"

/* The end of the run's id is its random part. */
static void mark_run(struct lab *lab, const char *run_id) {
  size_t length = strlen(run_id);
  size_t most = RUN_MARK_SIZE - 1;

  (void)snprintf(lab->run_mark, sizeof(lab->run_mark), "%s", run_id + (length > most ? length - most : 0));
}

void lab_init(struct lab *lab, const struct lab_ops *ops, unsigned slots, struct journal *journal,
              const atomic_bool *cancel) {
  lab->ops = ops;
  lab->slots = slots;
  lab->journal = journal;
  lab->cancel = cancel;
  mark_run(lab, journal_run_id(journal));
}

void lab_destroy(struct lab *lab) {
  if (lab)
    lab->ops->destroy(lab);
}

bool lab_spent(const struct lab *lab) {
  return lab->ops->spent(lab);
}

const char *lab_mesh_address(const struct lab *lab) {
  return lab->ops->mesh_address(lab);
}
