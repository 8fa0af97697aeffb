/* What trammeld is told by its configuration file and its options. */
#ifndef TRAMMEL_HOST_DAEMON_CONFIG_H
#define TRAMMEL_HOST_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "host/daemon/meshery_config.h"
#include "sdk/base/error.h"

#define CONFIG_BYTES_MAX ((size_t)1 << 20)

/* A configuration file is a YAML map of these, each of which may be missing:
 *   listen: unix:PATH            stateDirectory: PATH            logFormat: text | json
 *   store: as host/store/store.h takes it   storePasswordFile: PATH   name: of this host among those that share it
 *   retention: {runs, days}      of each mesh; 0: all
 *   adapterDirectories: [PATH]   absolute; looked in before the others
 *   network: {listen: HOST:PORT, certificate: PATH, key: PATH, clientAuthorities: PATH, withoutTls: true | false}
 *   limits: {runs, runsPerMesh, connections, shutdownSeconds}
 *   meshery: as meshery_config.h          rest: {port, withoutAuthentication: true | false}
 * All texts are heap strings, NULL when not given. */
struct network_config {
  char *listen; /* HOST:PORT; NULL: not on the network */
  char *certificate, *key, *clients;
  bool without_tls; /* asked for: on loopback only */
};

struct config {
  struct network_config network;
  char *listen, *state_directory;
  char *adapters; /* joined by ":", as TRAMMEL_ADAPTER_PATH has them */
  char *store, *store_password, *name;
  bool log_as_json;
  unsigned runs;             /* at once: 1 to 32 */
  unsigned runs_per_mesh;    /* at once: 1 to 32 */
  unsigned connections;      /* 1 to 512 */
  unsigned kept, kept_days;  /* runs of each mesh, and of how many days; 0: all */
  unsigned shutdown_seconds; /* 1 to 600: that runs have to end in order */
  struct meshery_config meshery;
  uint16_t rest_port; /* on 127.0.0.1; 0: not served */
  bool rest_is_open;  /* whoever reaches it may do everything */
};

/* What holds when nothing is said. */
void config_init(struct config *config);
void config_finish(struct config *config);

/* Reads a file over what there is. -EINVAL with diagnostics on standard error, or an error for people. */
int config_read(const char *path, struct config *config, struct error **err);

#endif
