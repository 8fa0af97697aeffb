#include "host/transport/kube/client_internal.h"

/* The one used last is the one most likely to be open still. */
static struct http_client *take_idle(struct kube_client *client, uint64_t identity) {
  struct http_client *http = NULL;

  (void)pthread_mutex_lock(&client->lock);
  for (size_t i = client->idle_count; !http && i-- > 0;) {
    if (client->idle[i].identity != identity)
      continue;
    http = client->idle[i].http;
    client->idle[i] = client->idle[--client->idle_count];
  }
  (void)pthread_mutex_unlock(&client->lock);
  return http;
}

int connection_take(struct kube_client *client, const struct credential *credential, struct http_client **ret_http,
                    struct error **err) {
  const struct http_client_options options = {
      .authorities = client->config->authorities,
      .certificate = credential->certificate,
      .key = credential->key,
      .server_name = client->config->server_name,
      .proxy = client->proxy,
      .user_agent = client->user_agent,
  };
  struct http_client *http = take_idle(client, credential->identity);

  if (!http)
    return http_client_create_with(&options, ret_http, err);
  *ret_http = http;
  return 0;
}

void connection_give_back(struct kube_client *client, struct http_client *http, uint64_t identity, bool usable) {
  struct http_client *dropped = http;

  if (usable) {
    (void)pthread_mutex_lock(&client->lock);
    if (client->idle_count == KUBE_CONNECTIONS_KEPT) {
      dropped = client->idle[0].http; /* maybe of a certificate that is gone */
      client->idle[0] = client->idle[--client->idle_count];
    } else {
      dropped = NULL;
    }
    client->idle[client->idle_count++] = (struct idle_connection){.http = http, .identity = identity};
    (void)pthread_mutex_unlock(&client->lock);
  }
  http_client_destroy(dropped);
}
