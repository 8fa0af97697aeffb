/* Validation of a set: what a parser cannot see in one resource alone, and what is legal but surely not meant. */
#ifndef TRAMMEL_SDK_SMI_LINT_H
#define TRAMMEL_SDK_SMI_LINT_H

#include "sdk/smi/model.h"

/* Adds diagnostics SMI-02xx: dangling route and match references, duplicate names of resources, matches and backends,
 * targets without destination, rule or source (ACC-12), self-reference and two splits with one root (SPL-13, ambiguity
 * 11), all weights 0, unknown HTTP methods, regexes outside the accepted dialect or that look mistaken, empty names,
 * IdentityBinding schemes that exclude each other. Returns 0, or -EINVAL when an error was added. */
int smi_lint(const struct smi_set *set, struct diagnostics *diagnostics);

/* Of these only SMI-0203, of a set whose names and namespaces are not NULL: two definitions of one resource, also in
 * different versions, of which nobody can say which one is meant. Returns as smi_lint() does. */
int smi_lint_duplicates(const struct smi_set *set, struct diagnostics *diagnostics);

#endif
