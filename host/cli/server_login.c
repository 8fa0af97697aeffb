#include "host/cli/server_login.h"

#include <errno.h>
#include <string.h>

static int replace(char **text, const char *with) {
  char *copy = strdup(with);
  if (!copy)
    return -ENOMEM;
  if (*text)
    explicit_bzero(*text, strlen(*text));
  free(*text);
  *text = copy;
  return 0;
}

int server_take_grant(const Trammel__V1__Grant *grant, struct login *login) {
  int r = replace(&login->user, grant->user);
  if (r == 0)
    r = replace(&login->access, grant->access_token);
  if (r == 0)
    r = replace(&login->refresh, grant->refresh_token);
  login->access_end_ms = grant->access_end_unix_ms;
  login->refresh_end_ms = grant->refresh_end_unix_ms;
  return r;
}

static int keep(const ProtobufCMessage *answer, struct login *login, struct error **err) {
  const Trammel__V1__RenewResponse *response = (const Trammel__V1__RenewResponse *)answer;
  if (!response->grant)
    return error_set(err, EHOSTUNREACH, "the host's answer has no tokens");
  return server_take_grant(response->grant, login) < 0 ? error_set(err, ENOMEM, "no memory") : login_write(login, err);
}

int server_renew(struct login *login, struct error **err) {
  struct server *server = NULL;
  ProtobufCMessage *answer = NULL;
  Trammel__V1__RenewRequest request = TRAMMEL__V1__RENEW_REQUEST__INIT;
  request.refresh_token = login->refresh;
  int r = server_connect_plainly(login->server, login, &server, err);
  if (r == 0)
    r = server_ask(server, "AuthService/Renew", &request.base, &trammel__v1__renew_response__descriptor, &answer, err);
  server_close(server);
  if (r == 0)
    r = keep(answer, login, err);
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  return r;
}
