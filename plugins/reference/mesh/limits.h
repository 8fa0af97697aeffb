/* Every bound the mesh sets on what comes from outside, in one place. docs/reference-mesh.md lists them. */
#ifndef TRAMMEL_REFERENCE_MESH_LIMITS_H
#define TRAMMEL_REFERENCE_MESH_LIMITS_H

enum {
  LIMIT_CONNECTIONS = 8192, /* accepted at once, over all proxies */
  LIMIT_HEAD_BYTES = 64 * 1024,
  LIMIT_HEAD_FIELDS = 200,
  LIMIT_DISCARDED_BODY = 1024 * 1024, /* read off after an early answer, to keep the connection */

  /* HTTP/2. A stream's window bounds what waits of it, each way. */
  LIMIT_H2_STREAMS = 100, /* of a client at once */
  LIMIT_H2_WINDOW = 64 * 1024,
  LIMIT_H2_CONNECTION_WINDOW = 1024 * 1024, /* what waits of all of a client's requests */
  LIMIT_H2_BLOCK = 4 * LIMIT_HEAD_BYTES,    /* fields of one head that are read before the connection is given up */
  LIMIT_H2_CONTINUATIONS = 7,               /* frames of one head; nghttp2 ends at 8, with another error */
  LIMIT_H2_HEADS = 16,                      /* of one answer: all but the last are interim ones */
  LIMIT_H2_RESETS = 200,                    /* streams a client may reset, or have reset, in H2_CALM_S */
  LIMIT_H2_IDLE_FRAMES = 2000,              /* frames of a client that bring nothing forward in H2_CALM_S */

  LIMIT_WORKLOADS = 2000,
  LIMIT_SERVICES = 4000,
  LIMIT_PERMISSIONS = 2000,
  LIMIT_SPLITS = 2000,
  LIMIT_NAMESPACES = 2000,
  LIMIT_PORTS = 64,
  LIMIT_UPSTREAMS = 1024,
  LIMIT_LABELS = 64,
  LIMIT_SERVICE_WORKLOADS = 1000,
  LIMIT_SOURCES = 1000,
  LIMIT_RULES = 1000,
  LIMIT_RULE_PORTS = 256,
  LIMIT_MATCHES = 256,
  LIMIT_METHODS = 64,
  LIMIT_HEADER_MATCHES = 64,
  LIMIT_BACKENDS = 100,
  LIMIT_WEIGHT = 1000000000,
  LIMIT_QUANTITY = 64,
  LIMIT_NAMESPACE = 63,
  LIMIT_NAME = 253,
  LIMIT_REGEX = 4096,
  LIMIT_SERIES = 16384, /* of metrics: ways that requests took */
  LIMIT_SELECTOR = 64,  /* requirements of a label selector */

  LIMIT_CONTROL_BODY = 1024 * 1024,
  LIMIT_CONTROL_HEAD = 16 * 1024,

  LIMIT_STREAM_HIGH = 256 * 1024, /* bytes waiting to be sent: above, the other side is no longer read */
  LIMIT_STREAM_LOW = 64 * 1024,   /* below, it is read again */

  LIMIT_DATAGRAM = 65507,         /* the most that UDP over IPv4 carries */
  LIMIT_FLOWS = 1024,             /* of UDP at once, per workload: the one that was silent longest makes room */
  LIMIT_FLOW_WAITING = 64 * 1024, /* bytes of datagrams that wait for a flow's connection; more are lost */

  LIMIT_IDLE_LINKS = 64, /* kept open per caller and destination port */
  LIMIT_SESSIONS = 1024, /* of TLS, remembered per proxy */
  LIMIT_PEERS = 512,     /* destinations remembered per proxy */

  LIMIT_SIDECAR_ANSWER = 16 * 1024 * 1024, /* bytes of what a sidecar has counted */
  SIDECAR_JOIN_TRIES = 50,                 /* of its first request, while a sidecar is starting */
  SIDECAR_RETRY_MS = 100,                  /* between these */
  SIDECAR_REJOIN_MS = 500,                 /* until one that did not answer is asked again */

  RETRY_WINDOW_MS = 100, /* within it, the end of a kept connection is taken for one that crossed the request */

  /* seconds */
  TIMEOUT_HANDSHAKE = 10, /* connecting, first byte, TLS */
  TIMEOUT_SIDECAR = 3,    /* the control plane's request to a sidecar */
  TIMEOUT_HEAD = 30,
  TIMEOUT_IDLE = 900,
  TIMEOUT_ANSWER = 300,   /* without a byte either way, from a connection on */
  TIMEOUT_EXCHANGE = 600, /* from a request's head to the end of the exchange */
  H2_CALM_S = 10,
  TIMEOUT_TUNNEL_IDLE = 3600,
  TIMEOUT_FLOW_IDLE = 60,  /* UDP has no other end */
  TIMEOUT_RELAY_IDLE = 75, /* longer than a flow's, so that its begin ends it, and loses no datagram by that */
  TIMEOUT_LINGER = 2,
  CERTIFICATE_LIFETIME = 2 * 3600,
  CERTIFICATE_RENEWAL = 3600, /* also the age at which connections between proxies are replaced */
  RENEWAL_CHECK = 10,
  STALE_DELETE_S = 5, /* FAULT_STALE_DELETE */
};

#endif
