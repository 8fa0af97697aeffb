/* trammel user add|list|role|remove|passwd: the users of the central host. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/account_options.h"
#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/password_prompt.h"
#include "host/cli/text_table.h"
#include "host/report/emit.h"

static const struct argp_option add_options[] = {ACCOUNT_OPTION_ROLE, ACCOUNT_OPTION_PASSWORD, {0}};
static const struct argp_option list_options[] = {ACCOUNT_OPTION_OUTPUT, {0}};
static const struct argp_option password_options[] = {
    {"password-stdin", ACCOUNT_PASSWORD_STDIN, NULL, 0,
     "take passwords from lines of standard input: of one's own the old one first", 0},
    {0}};

const struct argp cmd_user_add_argp = {
    .options = add_options,
    .parser = account_parse,
    .children = account_children,
    .args_doc = "NAME",
    .doc = "Adds a user to the central host, with a password of 12 bytes or more. The first ones are added on the "
           "host's own machine, over its socket."};
const struct argp cmd_user_list_argp = {.options = list_options,
                                        .parser = account_parse,
                                        .children = account_children,
                                        .doc = "Lists the users of the central host."};
const struct argp cmd_user_role_argp = {.parser = account_parse,
                                        .children = account_children,
                                        .args_doc = "NAME ROLE",
                                        .doc =
                                            "Gives a user another role: viewer, operator or admin. It holds at once."};
const struct argp cmd_user_remove_argp = {.parser = account_parse,
                                          .children = account_children,
                                          .args_doc = "NAME",
                                          .doc = "Removes a user, whose logins and tokens end."};
const struct argp cmd_user_passwd_argp = {
    .options = password_options,
    .parser = account_parse,
    .children = account_children,
    .args_doc = "[NAME]",
    .doc = "Sets one's own password, which takes the old one, or as an admin that of another user. All logins of the "
           "user end."};

static char *borrowed(const char *text) {
  return (char *)(uintptr_t)text;
}

int cmd_user_add(int argc, char **argv) {
  struct account_arguments arguments = {
      .least = 1, .most = 1, .wanted = "whom? trammel user add NAME", .role = "viewer"};
  _cleanup_error_ struct error *err = NULL;
  char password[PASSWORD_PROMPT_MAX] = "";
  Trammel__V1__AddUserRequest request = TRAMMEL__V1__ADD_USER_REQUEST__INIT;
  command_parse(&cmd_user_add_argp, argc, argv, &arguments);
  request.name = borrowed(arguments.words.items[0]);
  request.role = borrowed(arguments.role);
  request.password = password;
  int r = password_prompt("Password of the new user: ", true, arguments.password_stdin, password, &err);
  int code = r < 0 ? account_fail(r, err)
                   : account_tell(&arguments, "AddUser", &request.base, &trammel__v1__add_user_response__descriptor);
  explicit_bzero(password, sizeof(password));
  if (code == EXIT_ALL_PASSED)
    printf("%s: added, with the role %s\n", request.name, request.role);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}

static int print_json(Trammel__V1__User *const *users, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    char created[TIME_TEXT_MAX];
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", users[i]->name, "role", users[i]->role,
                                                "createdAt", time_text(users[i]->created_unix_ms * 1000000, created)));
  }
  return packages_print_json(list);
}

static int print_table(Trammel__V1__User *const *users, size_t count) {
  _cleanup_text_table_ struct text_table table = {.columns = 3};
  text_table_add(&table, "NAME");
  text_table_add(&table, "ROLE");
  text_table_add(&table, "CREATED");
  for (size_t i = 0; i < count; i++) {
    char created[TIME_TEXT_MAX];
    text_table_add(&table, users[i]->name);
    text_table_add(&table, users[i]->role);
    text_table_add(&table, time_text(users[i]->created_unix_ms * 1000000, created));
  }
  return text_table_print(&table, stdout) < 0 ? EXIT_INTERNAL : packages_flush();
}

int cmd_user_list(int argc, char **argv) {
  struct account_arguments arguments = {0};
  Trammel__V1__ListUsersRequest request = TRAMMEL__V1__LIST_USERS_REQUEST__INIT;
  ProtobufCMessage *answer = NULL;
  command_parse(&cmd_user_list_argp, argc, argv, &arguments);
  int code =
      account_ask(&arguments, "ListUsers", &request.base, &trammel__v1__list_users_response__descriptor, &answer);
  if (code != EXIT_ALL_PASSED)
    return code;
  const Trammel__V1__ListUsersResponse *list = (const Trammel__V1__ListUsersResponse *)answer;
  code = (arguments.json ? print_json : print_table)(list->users, list->n_users);
  protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}

int cmd_user_role(int argc, char **argv) {
  struct account_arguments arguments = {
      .least = 2, .most = 2, .wanted = "who, and which role? trammel user role NAME ROLE"};
  Trammel__V1__SetRoleRequest request = TRAMMEL__V1__SET_ROLE_REQUEST__INIT;
  command_parse(&cmd_user_role_argp, argc, argv, &arguments);
  request.name = borrowed(arguments.words.items[0]);
  request.role = borrowed(arguments.words.items[1]);
  int code = account_tell(&arguments, "SetRole", &request.base, &trammel__v1__set_role_response__descriptor);
  if (code == EXIT_ALL_PASSED)
    printf("%s: has the role %s\n", request.name, request.role);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}

int cmd_user_remove(int argc, char **argv) {
  struct account_arguments arguments = {.least = 1, .most = 1, .wanted = "whom? `trammel user list` shows them"};
  Trammel__V1__RemoveUserRequest request = TRAMMEL__V1__REMOVE_USER_REQUEST__INIT;
  command_parse(&cmd_user_remove_argp, argc, argv, &arguments);
  request.name = borrowed(arguments.words.items[0]);
  int code = account_tell(&arguments, "RemoveUser", &request.base, &trammel__v1__remove_user_response__descriptor);
  if (code == EXIT_ALL_PASSED)
    printf("%s: removed\n", request.name);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}

int cmd_user_passwd(int argc, char **argv) {
  struct account_arguments arguments = {.most = 1};
  _cleanup_error_ struct error *err = NULL;
  char old[PASSWORD_PROMPT_MAX] = "", password[PASSWORD_PROMPT_MAX] = "";
  Trammel__V1__SetPasswordRequest request = TRAMMEL__V1__SET_PASSWORD_REQUEST__INIT;
  command_parse(&cmd_user_passwd_argp, argc, argv, &arguments);
  bool own = arguments.words.count == 0;
  request.name = borrowed(own ? "" : arguments.words.items[0]);
  request.password = password;
  request.old_password = old;
  int r = own ? password_prompt("Old password: ", false, arguments.password_stdin, old, &err) : 0;
  if (r == 0)
    r = password_prompt("New password: ", true, arguments.password_stdin, password, &err);
  int code =
      r < 0 ? account_fail(r, err)
            : account_tell(&arguments, "SetPassword", &request.base, &trammel__v1__set_password_response__descriptor);
  explicit_bzero(old, sizeof(old));
  explicit_bzero(password, sizeof(password));
  if (code == EXIT_ALL_PASSED)
    printf("the password is set; all logins with the old one have ended\n");
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}
