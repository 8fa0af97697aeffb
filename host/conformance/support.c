#include "host/conformance/support.h"

#include <errno.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

const char *support_name(enum support support) {
  switch (support) {
  case SUPPORT_UNSUPPORTED:
    return "unsupported";
  case SUPPORT_TRANSLATED:
    return "translated";
  case SUPPORT_NATIVE:
    return "native";
  }
  return "unknown";
}

/* 0 for what the contract does not know. */
static enum support support_from(Trammel__Adapter__V1__Support support) {
  if (support == TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE)
    return SUPPORT_NATIVE;
  if (support == TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_TRANSLATED)
    return SUPPORT_TRANSLATED;
  return support == TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_UNSUPPORTED ? SUPPORT_UNSUPPORTED : 0;
}

static bool version_of(const Trammel__Adapter__V1__SmiSupport *said, struct smi_version *ret_version) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  strbuf_printf(&name, "%s/%s", said->group, said->version);
  return !strbuf_failed(&name) && smi_version_parse(strbuf_text(&name), ret_version) == 0;
}

int support_of(const Trammel__Adapter__V1__DescribeResponse *description, struct version_support **ret_list,
               size_t *ret_count) {
  struct version_support *list = NULL;
  size_t count = 0;
  if (description->n_smi > 0) {
    list = calloc(description->n_smi, sizeof(*list));
    if (!list)
      return -ENOMEM;
  }
  for (size_t i = 0; i < description->n_smi; i++) {
    struct version_support one = {.support = support_from(description->smi[i]->support)};
    if (one.support != 0 && version_of(description->smi[i], &one.version))
      list[count++] = one;
  }
  *ret_list = list;
  *ret_count = count;
  return 0;
}

static const char *phrase(enum support support) {
  return support == SUPPORT_TRANSLATED ? "translated by the adapter" : support_name(support);
}

/* "translated: v1alpha1, v1alpha2"; false when no version of the group is supported so. */
static bool append_versions(struct strbuf *buffer, const struct version_support *list, size_t count,
                            enum smi_group group, enum support support, const char *separator) {
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    if (list[i].version.group != group || list[i].support != support)
      continue;
    if (any)
      strbuf_puts(buffer, ", ");
    else
      strbuf_printf(buffer, "%s%s: ", separator, support_name(support));
    strbuf_printf(buffer, "v1alpha%u", list[i].version.alpha);
    any = true;
  }
  return any;
}

void support_describe(struct strbuf *buffer, const struct version_support *list, size_t count, enum smi_group group) {
  enum support common = 0;
  bool mixed = false;
  for (size_t i = 0; i < count; i++) {
    if (list[i].version.group != group)
      continue;
    mixed = mixed || (common != 0 && common != list[i].support);
    common = list[i].support;
  }
  if (common == 0)
    return;
  if (!mixed) {
    strbuf_puts(buffer, phrase(common));
    return;
  }
  const char *separator = "";
  for (enum support support = SUPPORT_LAST; support >= SUPPORT_UNSUPPORTED; support--)
    if (append_versions(buffer, list, count, group, support, separator))
      separator = "; ";
}
