/* Where a Kubernetes API server is and who we are there, from kubeconfig files or from inside of a cluster, by the
 * rules that kubectl has (clientcmd): KUBECONFIG is a list in which the first file to say something wins, entries of a
 * name are never mixed, paths in a file are relative to that file, and what is inline goes before what is in a file. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_KUBECONFIG_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_KUBECONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

/* The most bytes of one kubeconfig, of a certificate, key or token file, files of a list, and entries of a file. */
#define KUBECONFIG_BYTES_MAX (4u * 1024 * 1024)
#define KUBECONFIG_FILE_BYTES_MAX (1u * 1024 * 1024)
#define KUBECONFIG_FILES_MAX 64
#define KUBECONFIG_ENTRIES_MAX 10000
#define KUBECONFIG_ARGUMENTS_MAX 256

/* A program that gives credentials: client.authentication.k8s.io. */
struct kube_exec {
  char *api_version;  /* client.authentication.k8s.io/v1 or /v1beta1 */
  char *command;      /* a path, or a name to look up in PATH */
  char **arguments;   /* NULL-terminated, without the program itself */
  char **environment; /* "NAME=value", NULL-terminated: added to this process's */
  char *install_hint; /* NULL: none */
  bool provide_cluster_info;
  char *cluster_config; /* JSON: what the cluster's extension client.authentication.k8s.io/exec holds; NULL: none */
};

/* All texts are owned by it; NULL where nothing is said. */
struct kube_config {
  char *context;     /* NULL: in a cluster, or no context */
  char *server;      /* https://host:port/path without a slash at the end; http:// only to loopback addresses */
  char *server_name; /* to verify in place of the server's host */
  char *authorities; /* PEM; NULL: the system's */
  char *proxy;       /* proxy-url; NULL: the environment decides */
  char *namespace_;  /* of the context; "default" without */
  char *certificate; /* PEM */
  char *key;         /* PEM */
  char *token;       /* used when there is no token_file, or until it can be read */
  char *token_file;  /* absolute; read again as it changes */
  char *username;    /* basic authentication */
  char *password;
  char *impersonate_user;
  char *impersonate_uid;
  char **impersonate_groups; /* NULL-terminated; NULL: none */
  struct kube_exec *exec;    /* used when there is neither token nor password */
};

struct kube_config_options {
  const char *kubeconfig; /* one file, which must exist; NULL: $KUBECONFIG, else ~/.kube/config, else in a cluster */
  const char *context;    /* NULL: current-context */
  const char *service_account; /* the folder of a pod's account; NULL: /var/run/secrets/kubernetes.io/serviceaccount */
};

/* Reads and merges files, and chooses the context. Certificates and keys are read here, tokens in files and from
 * programs when they are needed. -ENOENT when there is no kubeconfig and this is no pod, or no such context, cluster or
 * user (known ones are named); -EINVAL for what is wrong in a file (file and line are named, never a secret), and for
 * insecure-skip-tls-verify: a server's certificate is always verified; -ENOTSUP for auth-provider; -E2BIG for a passed
 * limit. `options` NULL: all defaults. */
int kube_config_load(const struct kube_config_options *options, struct kube_config **ret_config, struct error **err);

/* Secrets are overwritten before they are freed. */
void kube_config_destroy(struct kube_config *config);
DEFINE_CLEANUP(struct kube_config *, kube_config_destroy);
#define _cleanup_kube_config_ _cleanup_(kube_config_destroy_p)

#endif
