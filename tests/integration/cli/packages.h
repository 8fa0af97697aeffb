/* `trammel adapter …` as people type it, with packages of one adapter in several versions. */
#ifndef TRAMMEL_TESTS_INTEGRATION_CLI_PACKAGES_H
#define TRAMMEL_TESTS_INTEGRATION_CLI_PACKAGES_H

#include <jansson.h>
#include <stddef.h>

#define PATH_SIZE 512
#define RUN_S 120 /* that a command may take */

/* Made once: keys, and packages of one adapter in several versions, signed with the first key. */
struct packages_kept {
  char *folder;
  char data[PATH_SIZE]; /* the data directory, empty before each test */
  char key[PATH_SIZE];
  char public_key[PATH_SIZE];
  char other_key[PATH_SIZE];
  char other_public[PATH_SIZE];
};
extern struct packages_kept kept;

enum { VERSIONS = 4 };
extern const char *const packages_versions[VERSIONS + 1];

/* Makes them; removes them; empties the data directory, before each test. */
int packages_setup(void **state);
int packages_teardown(void **state);
int packages_forget(void **state);

/* Runs `trammel adapter …`, which must end with `code` and say `text` somewhere. The words end with NULL. */
void packages_expect(int code, const char *text, ...);
/* The same with success, and reads what it prints as JSON. */
json_t *packages_output(const char *first, ...);
const char *packages_text_of(const json_t *object, const char *key);

/* Paths: of a name in the folder, of a package in a directory there, of the adapter that it is made of, of a new
 * directory with the packages of the first `count` versions. */
void packages_in_folder(char path[PATH_SIZE], const char *name);
void packages_path(char path[PATH_SIZE], const char *directory, const char *version);
void packages_adapter(char path[PATH_SIZE], const char *version);
void packages_directory(char path[PATH_SIZE], const char *name, size_t count);

void packages_copy(const char *from, const char *to);
void packages_write(const char *path, const char *text);
void packages_remove(const char *path); /* with all that is in it */

#endif
