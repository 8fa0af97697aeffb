/* What a port's appProtocol or name says of its protocol: the conventions of Kubernetes (Services, "application
 * protocol"; KEP-3726), and the prefixes of port names that meshes have in common. */
#include <string.h>
#include <strings.h>

#include "host/inventory/internal.h"

struct word {
  const char *text;
  PB(Protocol) protocol;
};

/* What is encrypted by the workload itself, or is another protocol over TCP, is TCP to a mesh. */
static const struct word words[] = {
    {"http", PROTOCOL_HTTP}, {"http2", PROTOCOL_HTTP}, {"h2c", PROTOCOL_HTTP},  {"grpc", PROTOCOL_HTTP},
    {"ws", PROTOCOL_HTTP},   {"tcp", PROTOCOL_TCP},    {"tls", PROTOCOL_TCP},   {"https", PROTOCOL_TCP},
    {"wss", PROTOCOL_TCP},   {"mongo", PROTOCOL_TCP},  {"mysql", PROTOCOL_TCP}, {"redis", PROTOCOL_TCP},
    {"udp", PROTOCOL_TCP}, /* the transport says what is UDP */
};

static PB(Protocol) word_protocol(const char *text, size_t length) {
  for (size_t i = 0; i < ARRAY_COUNT(words); i++)
    if (strlen(words[i].text) == length && strncasecmp(words[i].text, text, length) == 0)
      return words[i].protocol;
  return PROTOCOL_UNSAID;
}

PB(Protocol) inventory_convention(const char *app_protocol, const char *name) {
  static const char prefix[] = "kubernetes.io/";
  if (app_protocol) {
    const char *text = app_protocol;
    if (strncasecmp(text, prefix, sizeof prefix - 1) == 0)
      text += sizeof prefix - 1;
    PB(Protocol) said = word_protocol(text, strcspn(text, "-"));
    return said == PROTOCOL_UNSAID ? PROTOCOL_TCP : said; /* it says something, and that is no HTTP we know */
  }
  return name ? word_protocol(name, strcspn(name, "-")) : PROTOCOL_UNSAID;
}
