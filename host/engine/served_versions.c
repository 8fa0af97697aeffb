#include "host/engine/served_versions.h"

#include <errno.h>
#include <string.h>

#include "host/transport/kube/discovery.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;
typedef Trammel__Adapter__V1__VersionOption version_option;

/* 1 when group/version is served with all kinds of the option, 0 when not. */
static int serves(struct cluster *cluster, const version_option *option, const char *version,
                  const struct kube_call *call, struct error **err) {
  _cleanup_strbuf_ struct strbuf api_version = STRBUF_INIT;

  strbuf_printf(&api_version, "%s/%s", option->group, version);
  if (strbuf_failed(&api_version))
    return error_set(err, ENOMEM, "out of memory for an API version");
  for (size_t i = 0; i < option->n_kinds; i++) {
    struct kube_resource resource;
    _cleanup_error_ struct error *why = NULL;
    int r = kube_discover(cluster_client(cluster), strbuf_text(&api_version), option->kinds[i], call, &resource, &why);
    if (r < 0)
      return r == -ENOTSUP ? 0 : error_set(err, -r, "%s", error_message(why));
  }
  return 1;
}

/* The same for all that is said of the option. */
static int serves_all(struct cluster *cluster, const describe_response *description, const char *option,
                      const char *version, const struct kube_call *call, struct error **err) {
  int r = 1;

  for (size_t i = 0; r == 1 && i < description->n_version_options; i++)
    if (strcmp(description->version_options[i]->option, option) == 0)
      r = serves(cluster, description->version_options[i], version, call, err);
  return r;
}

static int choose(struct cluster *cluster, const describe_response *description, const char *option,
                  const json_t *values, const struct kube_call *call, json_t *config, struct error **err) {
  const json_t *value;
  size_t i;

  json_array_foreach(values, i, value) {
    int r = serves_all(cluster, description, option, json_string_value(value), call, err);
    if (r == 1)
      return json_object_set(config, option, (json_t *)value) == 0
                 ? 0
                 : error_set(err, ENOMEM, "out of memory for the configuration");
    if (r < 0)
      return r;
  }
  return 0;
}

int served_versions_choose(struct cluster *cluster, const describe_response *description, const atomic_bool *cancel,
                           json_t *config, struct error **err) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(SERVED_VERSIONS_TIMEOUT_NS), .cancel = cancel};
  const ProtobufCBinaryData *text = &description->config_schema;
  json_auto_t *schema = json_loadb((const char *)text->data, text->len, 0, NULL);
  const json_t *properties = json_object_get(schema, "properties");
  int r = 0;

  for (size_t i = 0; r == 0 && i < description->n_version_options; i++) {
    const char *option = description->version_options[i]->option;
    if (!json_object_get(config, option))
      r = choose(cluster, description, option, json_object_get(json_object_get(properties, option), "enum"), &call,
                 config, err);
  }
  if (r < 0)
    (void)error_wrap(err, "looking for the versions that the cluster serves");
  return r;
}

int served_versions_keep(const describe_response *description, const json_t *before, json_t *config) {
  for (size_t i = 0; i < description->n_version_options; i++) {
    const char *option = description->version_options[i]->option;
    json_t *chosen = json_object_get(before, option);
    if (chosen && !json_object_get(config, option) && json_object_set(config, option, chosen) < 0)
      return -ENOMEM;
  }
  return 0;
}
