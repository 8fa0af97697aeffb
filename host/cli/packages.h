/* What the commands for packages of adapters share: where things are, how errors end, and what is printed. */
#ifndef TRAMMEL_HOST_CLI_PACKAGES_H
#define TRAMMEL_HOST_CLI_PACKAGES_H

#include <argp.h>
#include <jansson.h>

#include "host/cli/command.h"
#include "host/cli/list.h"
#include "host/package/installed.h"
#include "host/package/trust.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

/* Words and options as most of these commands take them. */
struct packages_arguments {
  struct list words;
  size_t least, most; /* how many words there must be */
  const char *wanted; /* what to say when there are too few */
  const char *key;    /* -k */
  bool allow_unsigned;
  bool allow_unconfined;
  bool json;
};

#define PACKAGES_OPTION_OUTPUT                                                                                         \
  { "output", 'o', "FORMAT", 0, "text or json (default: text)", 0 }
#define PACKAGES_OPTION_ALLOW_UNSIGNED                                                                                 \
  {                                                                                                                    \
    "allow-unsigned", PACKAGES_ALLOW_UNSIGNED, NULL, 0,                                                                \
        "also install what no trusted key has signed; this is written down", 0                                         \
  }
#define PACKAGES_OPTION_ALLOW_UNCONFINED                                                                               \
  {                                                                                                                    \
    "allow-unconfined", PACKAGES_ALLOW_UNCONFINED, NULL, 0,                                                            \
        "look at the adapter also where the kernel lacks a part of its confinement; `trammel doctor` tells", 0         \
  }
enum { PACKAGES_ALLOW_UNSIGNED = 0x100, PACKAGES_ALLOW_UNCONFINED };

/* The argp parser of such commands. */
error_t packages_parse(int key, char *argument, struct argp_state *state);

/* Prints why, safe for a terminal, and returns the exit code: 1 for a signature or digest that is not good, 3 for what
 * could not be asked or is busy, 4 without memory, else 2. */
int packages_fail(const struct error *err);

/* Standard output; the exit code. `value` is taken. */
int packages_print(const struct strbuf *text);
int packages_print_json(json_t *value);
/* Sends what was printed otherwise. */
int packages_flush(void);

/* A text from outside as JSON; NULL becomes null. */
json_t *packages_text(const char *text);

/* "signed by NAME", "signed by the key ID, which is not trusted" or "unsigned". */
void packages_signer(struct strbuf *out, const struct trust *trust, const char *key_id);

/* The data directory, for what also works without one: `*ret_path` is NULL then, and nothing is installed. -EINVAL for
 * a TRAMMEL_DATA_DIR that is no absolute path. */
int packages_directory(char **ret_path, struct error **err);

/* Data directory and trusted keys. */
int packages_open(char **ret_data_directory, struct trust *ret_trust, struct error **err);

#endif
