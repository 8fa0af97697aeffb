/* Everything that the ABI's header says, in a shared object: what abidw reads for the baseline. A function for each
 * type, because a pointer to a table stays what it was when the table grows. members.sh sees that no type is missing.
 * A type that came later is asked for only where it is: #if TRAMMEL_ABI_MINOR >= 1. */
#include <trammel/abi.h>

#define SURFACE(type)                                                                                                  \
  TRAMMEL_EXPORT const type *surface_of_##type(void);                                                                  \
  const type *surface_of_##type(void) {                                                                                \
    return NULL;                                                                                                       \
  }

SURFACE(trammel_str)
SURFACE(trammel_head)
SURFACE(trammel_diagnostic)
SURFACE(trammel_host)
SURFACE(trammel_op_api)
SURFACE(trammel_log_api)
SURFACE(trammel_http_header)
SURFACE(trammel_http_request)
SURFACE(trammel_http_response)
SURFACE(trammel_http_api)
SURFACE(trammel_adapter)
SURFACE(trammel_note)

const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {
  (void)host;
  return NULL;
}
