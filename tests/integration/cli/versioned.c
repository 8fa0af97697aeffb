/* An adapter that only says which version it is: for installing one after another. */
#include "sdk/adapter/adapter.h"

static const char *const mesh_versions[] = {"any", NULL};
static const struct smi_support smi[] = {{{SMI_ACCESS, 3}, SMI_TRANSLATED, NULL}};

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  (void)call;
  (void)request;
  (void)translation;
  return TRAMMEL_OK;
}

static const struct adapter_class versioned = {
    .description = {.mesh_name = "Versioned",
                    .summary = "An adapter in several versions",
                    .mesh_versions = mesh_versions,
                    .smi = smi,
                    .smi_count = 1},
    .translate = translate,
};

ADAPTER_DEFINE(versioned, "versioned", VERSION, "versioned")
