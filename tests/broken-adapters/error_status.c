#define BROKEN_ID "error-status"
#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  trammel_diagnostic diagnostic = {
      .size = sizeof diagnostic, .severity = TRAMMEL_ERROR, .code = {"B-1", 3}, .summary = {"no licence", 10}};
  broken_op->diagnose(op, &diagnostic);
  return TRAMMEL_FAILED_PRECONDITION;
})
