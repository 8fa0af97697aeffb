#include "host/cli/logging.h"

#include <stdint.h>
#include <stdio.h>

#include <trammel/abi.h>

#include "host/adapter/instance.h"

static const bool all = true;
static const bool warnings = false;

static const char *level_name(uint32_t level) {
  switch (level) {
  case TRAMMEL_INFO:
    return "info";
  case TRAMMEL_WARNING:
    return "warning";
  case TRAMMEL_ERROR:
    return "error";
  default:
    return "debug";
  }
}

static void write_line(void *ctx, const char *adapter, uint32_t level, const char *line) {
  const bool *everything = ctx;
  if (*everything || level == TRAMMEL_WARNING || level == TRAMMEL_ERROR)
    fprintf(stderr, "adapter %s: %s: %s\n", adapter, level_name(level), line);
}

void logging_start(bool verbose) {
  adapter_log_to(write_line, (void *)(uintptr_t)(verbose ? &all : &warnings));
}
