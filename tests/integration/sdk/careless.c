/* Translates each TrafficSplit as its name says: "steady" well, "unsteady" with something else each time, "failing" not
 * at all, and at "crashing" it ends. */
#include "sdk/adapter/adapter.h"

#include <stdlib.h>
#include <string.h>

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  static int count;
  for (size_t i = 0; i < request->smi.split_count; i++) {
    const struct smi_meta *meta = &request->smi.splits[i].meta;
    if (strcmp(meta->name, "failing") == 0)
      return call_fail(call, TRAMMEL_INTERNAL, "CARELESS-0001", "the table of tables is full");
    if (strcmp(meta->name, "crashing") == 0)
      abort();
    int number = strcmp(meta->name, "unsteady") == 0 ? count++ : 0;
    translation_add(translation,
                    native_http(call, meta->name, 0, &(struct http_place){.endpoint = "api", .path = "/x"},
                                json_pack("{s:i, s:s*}", "number", number, "greeting",
                                          json_string_value(json_object_get(call_config(call), "greeting")))));
  }
  return TRAMMEL_OK;
}

static const struct endpoint_permission permissions[] = {{"*", "/"}};
static const struct endpoint_need endpoints[] = {
    {.name = "api", .purpose = "tests", .permissions = permissions, .permission_count = 1}};
static const struct smi_support smi[] = {{{SMI_SPLIT, 4}, SMI_TRANSLATED, NULL}};
static const struct adapter_class careless = {
    .description = {.mesh_name = "Careless",
                    .summary = "for tests",
                    .smi = smi,
                    .smi_count = 1,
                    .endpoints = endpoints,
                    .endpoint_count = 1,
                    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
                                     "{\"greeting\":{\"type\":\"string\",\"default\":\"hello\"}}}"},
    .translate = translate,
};
ADAPTER_DEFINE(careless, "careless", "0.1.0", "careless")
