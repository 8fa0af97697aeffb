/* PUT /v1/configuration: what the workload is called, and what it listens on. */
#include <string.h>

#include "host/lab/workload/control_internal.h"
#include "host/lab/workload/members.h"

struct listener_wanted {
  enum call_protocol protocol;
  struct endpoint endpoint;
};

struct configuration {
  const char *name;
  struct listener_wanted listeners[SERVER_LISTENERS_MAX];
  size_t count;
};

static enum call_protocol listener_protocol(const char *name) {
  return strcmp(name, "http") == 0  ? CALL_HTTP1
         : strcmp(name, "tcp") == 0 ? CALL_TCP
         : strcmp(name, "udp") == 0 ? CALL_UDP
                                    : 0;
}

static int read_listener(const json_t *value, const char *address, struct listener_wanted *ret_wanted,
                         struct error **err) {
  struct listener_wanted wanted = {0};
  struct members members = members_begin("a listener", value);
  unsigned port = members_unsigned(&members, "port", 1, UINT16_MAX, NULL);
  const char *protocol = members_string(&members, "protocol", 16, NULL);
  wanted.protocol = listener_protocol(protocol);
  if (wanted.protocol == 0)
    members_fail(&members, "\"protocol\" is \"%.16s\", expected http, tcp or udp", protocol);
  int r = members_finish(&members, err);
  if (r == 0)
    r = endpoint_parse(address, (uint16_t)port, &wanted.endpoint, err);
  if (r == 0)
    *ret_wanted = wanted;
  return r;
}

static void read_listeners(struct configuration *configuration, struct members *members, const char *address) {
  const json_t *listeners = members_get(members, "listeners", true);
  if (!json_is_array(listeners) || json_array_size(listeners) > SERVER_LISTENERS_MAX) {
    members_fail(members, "\"listeners\" must be a list of at most %d {port, protocol}", SERVER_LISTENERS_MAX);
    return;
  }
  for (size_t i = 0; i < json_array_size(listeners); i++) {
    _cleanup_error_ struct error *err = NULL;
    if (read_listener(json_array_get(listeners, i), address, &configuration->listeners[i], &err) < 0)
      members_fail(members, "\"listeners\"[%zu]: %s", i, error_message(err));
    configuration->count = i + 1;
  }
}

static int configuration_read(const json_t *json, struct configuration *ret_configuration, struct error **err) {
  struct members members = members_begin("a configuration", json);
  ret_configuration->name = members_string(&members, "name", WORKLOAD_NAME_MAX, NULL);
  if (!service_name_valid(ret_configuration->name))
    members_fail(&members, "\"name\" must be 1 to %d printable ASCII characters without space, quote and backslash",
                 WORKLOAD_NAME_MAX);
  const char *address = members_string(&members, "address", 64, NULL);
  struct endpoint endpoint;
  _cleanup_error_ struct error *problem = NULL;
  if (endpoint_parse(address, 0, &endpoint, &problem) < 0)
    members_fail(&members, "\"address\": %s", error_message(problem));
  read_listeners(ret_configuration, &members, address);
  return members_finish(&members, err);
}

static int apply(struct control *control, const struct configuration *configuration, struct error **err) {
  struct service *service = control->service;
  server_close(control->server);
  keep_clear(control->keep);
  record_clear(&service->record);
  metrics_clear(&service->metrics);
  memcpy(service->name, configuration->name, strlen(configuration->name) + 1);
  for (size_t i = 0; i < configuration->count; i++) {
    const struct listener_wanted *wanted = &configuration->listeners[i];
    int r = server_listen(control->server, wanted->protocol, &wanted->endpoint, err);
    if (r < 0) {
      server_close(control->server);
      return r;
    }
  }
  return 0;
}

void control_configure(struct control *control, struct evhttp_request *request) {
  _cleanup_error_ struct error *err = NULL;
  struct configuration configuration = {0};
  json_t *json = NULL;
  size_t length = 0;
  const char *text = control_body(request, &length);
  if (!text || members_parse("a configuration", text, length, &json, &err) < 0 ||
      configuration_read(json, &configuration, &err) < 0) {
    control_refuse(request, 400, error_message(err));
  } else if (apply(control, &configuration, &err) < 0) {
    control_refuse(request, 409, error_message(err));
  } else {
    struct strbuf body = STRBUF_INIT;
    strbuf_puts(&body, "{}");
    control_answer(request, 200, "application/json", &body);
  }
  json_decref(json);
}
