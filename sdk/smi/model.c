#include "sdk/smi/model.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "sdk/smi/catalogue.h"

static const struct smi_group_info groups[] = {
    {SMI_ACCESS, "access", 4},
    {SMI_SPECS, "specs", 4},
    {SMI_SPLIT, "split", 4},
    {SMI_METRICS, "metrics", 1},
};

static const struct smi_kind_info kinds[] = {
    {SMI_TRAFFIC_TARGET, "TrafficTarget", SMI_ACCESS, 1},
    {SMI_HTTP_ROUTE_GROUP, "HTTPRouteGroup", SMI_SPECS, 1},
    {SMI_TCP_ROUTE, "TCPRoute", SMI_SPECS, 1},
    {SMI_UDP_ROUTE, "UDPRoute", SMI_SPECS, 4},
    {SMI_TRAFFIC_SPLIT, "TrafficSplit", SMI_SPLIT, 1},
    {SMI_IDENTITY_BINDING, "IdentityBinding", SMI_ACCESS, 4},
};

const struct smi_group_info *smi_group_info(enum smi_group group) {
  for (size_t i = 0; i < ARRAY_COUNT(groups); i++)
    if (groups[i].group == group)
      return &groups[i];
  return NULL;
}

const struct smi_kind_info *smi_kind_info(enum smi_kind kind) {
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
    if (kinds[i].kind == kind)
      return &kinds[i];
  return NULL;
}

const struct smi_kind_info *smi_kind_by_name(const char *name) {
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

const struct smi_kind_info *smi_kind_like(const char *name) {
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
    if (strcasecmp(kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

bool smi_body_in_spec(struct smi_version version) {
  switch (version.group) {
  case SMI_ACCESS:
    return version.alpha >= 2;
  case SMI_SPECS:
    return version.alpha >= 3;
  case SMI_SPLIT:
    return true;
  case SMI_METRICS:
    return false;
  }
  return false;
}

const char *smi_group_name(enum smi_group group) {
  const struct smi_group_info *info = smi_group_info(group);

  return info ? info->name : "unknown";
}

const char *smi_kind_name(enum smi_kind kind) {
  const struct smi_kind_info *info = smi_kind_info(kind);

  return info ? info->name : "unknown";
}

enum smi_group smi_kind_group(enum smi_kind kind) {
  const struct smi_kind_info *info = smi_kind_info(kind);

  return info ? info->group : (enum smi_group)0;
}

enum smi_group smi_group_parse(const char *text, size_t length) {
  const size_t suffix = strlen(SMI_GROUP_SUFFIX);

  if (length > suffix && memcmp(text + length - suffix, SMI_GROUP_SUFFIX, suffix) == 0)
    length -= suffix;
  for (size_t i = 0; i < ARRAY_COUNT(groups); i++)
    if (strlen(groups[i].name) == length && memcmp(groups[i].name, text, length) == 0)
      return groups[i].group;
  return (enum smi_group)0;
}

int smi_version_parse(const char *text, struct smi_version *ret_version) {
  static const char prefix[] = "v1alpha";
  const char *slash = text ? strchr(text, '/') : NULL;
  const struct smi_group_info *info;
  const char *number;

  if (!slash)
    return -EINVAL;
  info = smi_group_info(smi_group_parse(text, (size_t)(slash - text)));
  if (!info || strncmp(slash + 1, prefix, sizeof(prefix) - 1) != 0)
    return -EINVAL;
  number = slash + sizeof(prefix);
  if (number[0] < '1' || number[0] > '9' || number[1] != '\0' || number[0] - '0' > info->newest)
    return -EINVAL;
  *ret_version = (struct smi_version){.group = info->group, .alpha = (uint8_t)(number[0] - '0')};
  return 0;
}

const char *smi_version_name(struct arena *arena, struct smi_version version) {
  return arena_printf(arena, "%s/v1alpha%u", smi_group_name(version.group), version.alpha);
}

static bool meta_is(const struct smi_meta *meta, const char *ns, const char *name) {
  return strcmp(meta->name, name) == 0 && strcmp(meta->ns, ns) == 0;
}

const struct smi_http_route_group *smi_find_route_group(const struct smi_set *set, const char *ns, const char *name) {
  for (size_t i = 0; i < set->route_group_count; i++)
    if (meta_is(&set->route_groups[i].meta, ns, name))
      return &set->route_groups[i];
  return NULL;
}

const struct smi_port_route *smi_find_port_route(const struct smi_set *set, enum smi_kind kind, const char *ns,
                                                 const char *name) {
  for (size_t i = 0; i < set->port_route_count; i++)
    if (set->port_routes[i].meta.kind == kind && meta_is(&set->port_routes[i].meta, ns, name))
      return &set->port_routes[i];
  return NULL;
}

const struct smi_http_match *smi_find_match(const struct smi_http_route_group *group, const char *name) {
  for (size_t i = 0; i < group->match_count; i++)
    if (strcmp(group->matches[i].name, name) == 0)
      return &group->matches[i];
  return NULL;
}
