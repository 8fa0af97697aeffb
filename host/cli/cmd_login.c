/* trammel login|logout|whoami: who one is for the central host. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/account_options.h"
#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/password_prompt.h"
#include "host/cli/server_login.h"

static const struct argp_option login_options[] = {ACCOUNT_OPTION_PASSWORD, {0}};
static const struct argp_option output_options[] = {ACCOUNT_OPTION_OUTPUT, {0}};

const struct argp cmd_login_argp = {
    .options = login_options,
    .parser = account_parse,
    .children = account_children,
    .args_doc = "USER",
    .doc = "Logs in to the central host. Later commands for the same --server say who you are, and connect with the "
           "same files. What is kept is for you alone, and renewed without asking, for 30 days at most."};
const struct argp cmd_logout_argp = {.parser = account_parse,
                                     .children = account_children,
                                     .doc = "Ends the login to the central host, there and here."};
const struct argp cmd_whoami_argp = {.options = output_options,
                                     .parser = account_parse,
                                     .children = account_children,
                                     .doc = "Says who you are for the central host, and what your role is."};

/* ---- login */

static int absolute(const char *path, char **ret_path, struct error **err) {
  *ret_path = path ? realpath(path, NULL) : strdup("");
  return *ret_path ? 0 : error_set(err, errno, "%s: %s", path ? path : "no memory", strerror(errno));
}

static int describe(const struct account_arguments *arguments, struct login *login, struct error **err) {
  int r = server_address(arguments->server.address, &login->server, err);
  if (r == 0)
    r = absolute(arguments->server.ca, &login->ca, err);
  if (r == 0)
    r = absolute(arguments->server.certificate, &login->certificate, err);
  return r < 0 ? r : absolute(arguments->server.key, &login->key, err);
}

static int take_answer(const Trammel__V1__LoginResponse *answer, struct login *login, struct error **err) {
  _cleanup_close_ int lock = -1;
  if (!answer->grant)
    return error_set(err, EHOSTUNREACH, "the host's answer has no tokens");
  if (server_take_grant(answer->grant, login) < 0)
    return error_set(err, ENOMEM, "no memory");
  int r = login_lock(login->server, &lock, err);
  if (r == 0)
    r = login_write(login, err);
  if (r == 0)
    printf("%s: logged in as %s, with the role %s\n", login->server, answer->grant->user, answer->grant->role);
  return r;
}

static int log_in(struct login *login, const char *user, char *password, struct error **err) {
  struct server *server = NULL;
  ProtobufCMessage *answer = NULL;
  Trammel__V1__LoginRequest request = TRAMMEL__V1__LOGIN_REQUEST__INIT;
  request.user = (char *)(uintptr_t)user;
  request.password = password;
  int r = server_connect_plainly(login->server, login, &server, err);
  if (r == 0)
    r = server_ask(server, "AuthService/Login", &request.base, &trammel__v1__login_response__descriptor, &answer, err);
  server_close(server);
  if (r == 0)
    r = take_answer((const Trammel__V1__LoginResponse *)answer, login, err);
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  return r;
}

int cmd_login(int argc, char **argv) {
  struct account_arguments arguments = {.least = 1, .most = 1, .wanted = "as whom? trammel login USER"};
  _cleanup_error_ struct error *err = NULL;
  struct login login = {0};
  char password[PASSWORD_PROMPT_MAX] = "";
  command_parse(&cmd_login_argp, argc, argv, &arguments);
  int r = describe(&arguments, &login, &err);
  if (r == 0)
    r = password_prompt("Password: ", false, arguments.password_stdin, password, &err);
  if (r == 0)
    r = log_in(&login, arguments.words.items[0], password, &err);
  explicit_bzero(password, sizeof(password));
  login_finish(&login);
  list_finish(&arguments.words);
  return r < 0 ? account_fail(r, err) : packages_flush();
}

/* ---- logout */

/* A host that does not know the login any more has ended it already. */
static int log_out(const struct login *login, struct error **err) {
  Trammel__V1__LogoutRequest request = TRAMMEL__V1__LOGOUT_REQUEST__INIT;
  struct server *server = NULL;
  ProtobufCMessage *answer = NULL;
  request.refresh_token = login->refresh;
  int r = server_connect_plainly(login->server, login, &server, err);
  if (r == 0)
    r = server_ask(server, "AuthService/Logout", &request.base, &trammel__v1__logout_response__descriptor, &answer,
                   err);
  server_close(server);
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  return r == -EACCES ? 0 : r;
}

static int forget(const char *address, const struct server_options *options, struct error **err) {
  struct login login = {0};
  _cleanup_error_ struct error *told = NULL;
  _cleanup_close_ int lock = -1;
  int r = login_lock(address, &lock, err);
  if (r == 0)
    r = login_read(address, &login, err);
  if (r == -ENOENT)
    return error_set(err, ENOENT, "there is no login to %s", address);
  if (r < 0)
    return r;
  int asked = server_take_options(options, &login, &told);
  if (asked == 0)
    asked = log_out(&login, &told);
  r = login_remove(address, err);
  login_finish(&login);
  if (r == 0 && asked < 0)
    return error_set(err, -asked, "the login is forgotten here, but the host was not told: %s", error_message(told));
  return r;
}

int cmd_logout(int argc, char **argv) {
  struct account_arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *address = NULL;
  command_parse(&cmd_logout_argp, argc, argv, &arguments);
  int r = server_address(arguments.server.address, &address, &err);
  if (r == 0)
    r = forget(address, &arguments.server, &err);
  if (r < 0)
    return account_fail(r, err);
  printf("%s: logged out\n", address);
  return packages_flush();
}

/* ---- whoami */

int cmd_whoami(int argc, char **argv) {
  struct account_arguments arguments = {0};
  Trammel__V1__WhoAmIRequest request = TRAMMEL__V1__WHO_AM_IREQUEST__INIT;
  ProtobufCMessage *answer = NULL;
  command_parse(&cmd_whoami_argp, argc, argv, &arguments);
  int code = account_ask(&arguments, "WhoAmI", &request.base, &trammel__v1__who_am_iresponse__descriptor, &answer);
  if (code != EXIT_ALL_PASSED)
    return code;
  const Trammel__V1__WhoAmIResponse *me = (const Trammel__V1__WhoAmIResponse *)answer;
  if (arguments.json)
    code = packages_print_json(json_pack("{s:s, s:s, s:s}", "name", me->name, "user", me->user, "role", me->role));
  else
    printf("%s, with the role %s\n", me->name, me->role);
  protobuf_c_message_free_unpacked(answer, NULL);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}
