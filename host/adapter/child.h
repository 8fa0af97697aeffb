/* Asks an adapter what it is, in a child process: what it does there (crash, hang, exit, garbage) ends with the child
 * and is told. */
#ifndef TRAMMEL_HOST_ADAPTER_CHILD_H
#define TRAMMEL_HOST_ADAPTER_CHILD_H

#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* How long a child may take to load the adapter and have it answer Describe. */
#define CHILD_TIMEOUT_NS (5 * INT64_C(1000000000))
/* Bytes of a description. */
#define DESCRIPTION_MAX (1024u * 1024)

/* Runs `trammel-runner --describe` over a duplicate of `fd`, an adapter's file that passed the gate; with `partly`,
 * also where the kernel lacks a layer of its confinement. The description is the caller's, freed with
 * trammel__adapter__v1__describe_response__free_unpacked. -EINVAL with the adapter's fault, another error when no child
 * could be run. */
int child_describe(int fd, bool partly, Trammel__Adapter__V1__DescribeResponse **ret_description, struct error **err);

/* Runs `trammel-runner --try`: what is in force of a confinement. `*ret_findings` is a heap string, JSON as
 * host/runner/attempts.h has it. */
int child_try(char **ret_findings, struct error **err);

#endif
