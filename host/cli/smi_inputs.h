/* SMI resources from files, directories and standard input: what lint, convert and translate read. */
#ifndef TRAMMEL_HOST_CLI_SMI_INPUTS_H
#define TRAMMEL_HOST_CLI_SMI_INPUTS_H

#include <argp.h>
#include <stdbool.h>

#include "sdk/smi/parse.h"

/* Limits of one command. */
#define SMI_INPUT_FILES_MAX 10000
#define SMI_INPUT_DEPTH_MAX 32                  /* directories within directories */
#define SMI_INPUT_BYTES_MAX ((size_t)256 << 20) /* of all files */
#define SMI_INPUT_MEMORY_MAX ((size_t)4 << 30)  /* for everything read from them */

/* -f FILE|DIR|-, --namespace NS, and positional arguments; the input of smi_inputs_argp. */
struct smi_inputs {
  const char **paths;
  size_t count, capacity;
  const char *ns;
  bool optional; /* set before parsing: no input is fine, too */
};
extern const struct argp smi_inputs_argp;
void smi_inputs_finish(struct smi_inputs *inputs);

/* What was read. */
struct smi_input {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct smi_set set;
  size_t files;             /* that could be read */
  size_t resources;         /* of SMI that could be read, without those a conversion made */
  bool unreadable;          /* a file is missing, too large, or no YAML or JSON */
  struct arena **documents; /* of files whose documents are needed longer than the reading takes */
  size_t document_count, document_capacity;
};

/* Reads everything there is; what is wrong with it is in the diagnostics. 0, or -ENOMEM. */
int smi_inputs_read(const struct smi_inputs *inputs, struct smi_input *ret_input);

/* The same for whoever reads something else as well, or only that. */
struct smi_input_reading {
  bool no_smi;             /* resources of SMI are of no interest either */
  bool ignore_other_kinds; /* of SMI's reader: what is not of SMI gives no diagnostic */
  bool distinct;           /* two definitions of one resource are an error, SMI-0203 */
  /* The documents of a file go when it has been read, so that many files need not have room at once, unless `document`
   * says of one that it must stay: what is said of resources of SMI has the resource's place, and not the field's. */
  bool documents_go;
  /* Gets each document. 0; 1, or -EINVAL when something is wrong, which is in the diagnostics: the document must live
   * as long as the input, as all do without documents_go; -ENOMEM. */
  int (*document)(void *ctx, const struct node *root);
  void *ctx;
};

/* An input that smi_inputs_load() reads into, whose arena and diagnostics there are before. 0 or -ENOMEM. */
int smi_input_init(struct smi_input *ret_input);
int smi_inputs_load(const struct smi_inputs *inputs, const struct smi_input_reading *reading, struct smi_input *input);
void smi_input_finish(struct smi_input *input);

#endif
