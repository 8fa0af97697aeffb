/* Inside kubeconfig*.c: the files of a list, and what is looked up in them. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_KUBECONFIG_INTERNAL_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_KUBECONFIG_INTERNAL_H

#include "host/transport/kube/kubeconfig.h"
#include "sdk/base/document.h"

/* One file that was there. */
struct kubeconfig_file {
  char *path;
  char *directory;         /* absolute: what its paths are relative to */
  const struct node *root; /* a map; in the arena of the list */
};

struct kubeconfig_files {
  struct arena *arena;
  size_t count;
  struct kubeconfig_file files[KUBECONFIG_FILES_MAX];
};

/* Reads the file `path` (NULL: those of $KUBECONFIG, or ~/.kube/config), leaving out those of a list that do not exist.
 */
int kubeconfig_files_read(const char *path, struct kubeconfig_files *ret_files, struct error **err);
/* Reads one text as if it were a file of the list in `directory`. */
int kubeconfig_files_add(struct kubeconfig_files *files, const char *path, const char *directory, const char *text,
                         size_t length, struct error **err);
void kubeconfig_files_finish(struct kubeconfig_files *files);

/* The map of one cluster, user or context, and the file that says it. */
struct kubeconfig_entry {
  const struct kubeconfig_file *file;
  const struct node *map;
  const char *kind; /* "cluster" */
  const char *name;
};

/* The first entry of that name: `list` is "clusters", `kind` "cluster". -ENOENT with the known names. */
int kubeconfig_find(const struct kubeconfig_files *files, const char *list, const char *kind, const char *name,
                    struct kubeconfig_entry *ret_entry, struct error **err);

/* A copy of the text under `key`, NULL in `*ret_text` when absent or empty. */
int kubeconfig_text(const struct kubeconfig_entry *entry, const char *key, char **ret_text, struct error **err);
int kubeconfig_boolean(const struct kubeconfig_entry *entry, const char *key, bool *ret_value, struct error **err);

/* The list of texts under `key`, NULL when absent; each prefixed by nothing. */
int kubeconfig_texts(const struct kubeconfig_entry *entry, const struct node *list, const char *key, char ***ret_texts,
                     struct error **err);

/* A path of the entry's file: absolute, or NULL when absent. */
int kubeconfig_path(const struct kubeconfig_entry *entry, const char *key, char **ret_path, struct error **err);

/* What is inline under `data_key` (base64), or else in the file under `file_key`; NULL when neither is there. */
int kubeconfig_data(const struct kubeconfig_entry *entry, const char *data_key, const char *file_key, char **ret_data,
                    struct error **err);

/* "FILE:LINE: cluster NAME: " and the text. */
int kubeconfig_refuse(const struct kubeconfig_entry *entry, const struct node *at, int code, struct error **err,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

int kubeconfig_read_cluster(const struct kubeconfig_entry *entry, struct kube_config *config, struct error **err);
int kubeconfig_read_user(const struct kubeconfig_entry *entry, struct kube_config *config, struct error **err);

/* Reads the context `name` (NULL: the current one), its cluster and its user. */
int kubeconfig_choose(const struct kubeconfig_files *files, const char *name, struct kube_config *config,
                      struct error **err);

/* After the cluster and the user are read: what needs both. */
int kubeconfig_read_exec_cluster(const struct kubeconfig_entry *cluster, struct kube_config *config,
                                 struct error **err);

void texts_free(char **texts);

#endif
