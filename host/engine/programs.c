#include "host/engine/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int programs_init(struct programs *programs, const Trammel__Adapter__V1__DescribeResponse *description,
                  struct error **err) {
  programs->description = description;
  programs->paths = calloc(description->n_programs + 1, sizeof(*programs->paths));
  return programs->paths ? 0 : error_set(err, ENOMEM, "out of memory for the adapter's programs");
}

void programs_finish(struct programs *programs) {
  for (size_t i = 0; programs->paths && i < programs->description->n_programs; i++)
    free(programs->paths[i]);
  free(programs->paths);
  programs->paths = NULL;
}

/* The place of a name in the description; the count when it is not there. */
static size_t place_of(const struct programs *programs, const char *name) {
  size_t i = 0;

  while (i < programs->description->n_programs && strcmp(programs->description->programs[i]->name, name) != 0)
    i++;
  return i;
}

int programs_set(struct programs *programs, const char *name, const char *path, struct error **err) {
  size_t place = place_of(programs, name);
  struct stat status;

  if (place == programs->description->n_programs)
    return error_set(err, ENOENT, "the adapter has no program '%s' started", name);
  _cleanup_free_ char *absolute = realpath(path, NULL);
  if (!absolute || stat(absolute, &status) < 0)
    return error_set(err, errno, "program %s at %s: %s", name, path, strerror(errno));
  if (!S_ISREG(status.st_mode) || access(absolute, X_OK) < 0)
    return error_set(err, EACCES, "program %s at %s: it is no program that may be run", name, path);
  free(programs->paths[place]);
  programs->paths[place] = take(absolute);
  return 0;
}

int programs_find(const struct programs *programs, const char *name, const char **ret_path, struct error **err) {
  size_t place = place_of(programs, name);

  if (place < programs->description->n_programs && !programs->paths[place])
    return error_set(err, ENOENT, "the adapter needs the program %s (%s), and nobody said where it is", name,
                     programs->description->programs[place]->purpose);
  *ret_path = programs->paths[place];
  return 0;
}
