/* trammel token create|list|revoke: tokens that programs call the central host with. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/account_options.h"
#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/text_table.h"
#include "host/report/emit.h"

#define DAYS_DEFAULT 30
#define DAY_S 86400

static const struct argp_option create_options[] = {
    ACCOUNT_OPTION_ROLE,
    {"days", ACCOUNT_DAYS, "N", 0, "how long it holds, 1 to 366 (default 30)", 0},
    ACCOUNT_OPTION_OUTPUT,
    {0}};
static const struct argp_option list_options[] = {ACCOUNT_OPTION_OUTPUT, {0}};

const struct argp cmd_token_create_argp = {
    .options = create_options,
    .parser = account_parse,
    .children = account_children,
    .args_doc = "NAME",
    .doc =
        "Makes a token for a program, which calls the central host with it (TRAMMEL_TOKEN), and prints it. It cannot "
        "be had again, and can do no more than you can."};
const struct argp cmd_token_list_argp = {.options = list_options,
                                         .parser = account_parse,
                                         .children = account_children,
                                         .doc = "Lists your tokens; for an admin, all."};
const struct argp cmd_token_revoke_argp = {
    .parser = account_parse, .children = account_children, .args_doc = "ID", .doc = "Ends a token at once."};

static char *borrowed(const char *text) {
  return (char *)(uintptr_t)text;
}

static json_t *token_json(const Trammel__V1__Token *token) {
  char created[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", token->id, "name", token->name, "role", token->role, "user",
                   token->user, "createdAt", time_text(token->created_unix_ms * 1000000, created), "endsAt",
                   time_text(token->end_unix_ms * 1000000, end));
}

static int print_created(const Trammel__V1__CreateTokenResponse *made, bool json) {
  char end[TIME_TEXT_MAX];
  if (!made->token)
    return EXIT_COULD_NOT_TEST;
  if (json) {
    json_t *value = token_json(made->token);
    (void)json_object_set_new(value, "token", json_string(made->text));
    return packages_print_json(value);
  }
  printf("%s\n", made->text);
  (void)fprintf(stderr, "trammel: token %s of the role %s holds until %s; it cannot be shown again\n", made->token->id,
                made->token->role, time_text(made->token->end_unix_ms * 1000000, end));
  return packages_flush();
}

int cmd_token_create(int argc, char **argv) {
  struct account_arguments arguments = {
      .least = 1, .most = 1, .wanted = "what for? trammel token create NAME", .role = "viewer", .days = DAYS_DEFAULT};
  Trammel__V1__CreateTokenRequest request = TRAMMEL__V1__CREATE_TOKEN_REQUEST__INIT;
  ProtobufCMessage *answer = NULL;
  command_parse(&cmd_token_create_argp, argc, argv, &arguments);
  request.name = borrowed(arguments.words.items[0]);
  request.role = borrowed(arguments.role);
  request.life_seconds = (uint32_t)(arguments.days * DAY_S);
  int code =
      account_ask(&arguments, "CreateToken", &request.base, &trammel__v1__create_token_response__descriptor, &answer);
  if (code == EXIT_ALL_PASSED)
    code = print_created((const Trammel__V1__CreateTokenResponse *)answer, arguments.json);
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  list_finish(&arguments.words);
  return code;
}

static int print_json(Trammel__V1__Token *const *tokens, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, token_json(tokens[i]));
  return packages_print_json(list);
}

static int print_table(Trammel__V1__Token *const *tokens, size_t count) {
  static const char *const heads[] = {"ID", "NAME", "ROLE", "USER", "ENDS"};
  _cleanup_text_table_ struct text_table table = {.columns = 5};
  for (size_t i = 0; i < 5; i++)
    text_table_add(&table, heads[i]);
  for (size_t i = 0; i < count; i++) {
    char end[TIME_TEXT_MAX];
    text_table_add(&table, tokens[i]->id);
    text_table_add(&table, tokens[i]->name);
    text_table_add(&table, tokens[i]->role);
    text_table_add(&table, *tokens[i]->user ? tokens[i]->user : "-");
    text_table_add(&table, time_text(tokens[i]->end_unix_ms * 1000000, end));
  }
  return text_table_print(&table, stdout) < 0 ? EXIT_INTERNAL : packages_flush();
}

int cmd_token_list(int argc, char **argv) {
  struct account_arguments arguments = {0};
  Trammel__V1__ListTokensRequest request = TRAMMEL__V1__LIST_TOKENS_REQUEST__INIT;
  ProtobufCMessage *answer = NULL;
  command_parse(&cmd_token_list_argp, argc, argv, &arguments);
  int code =
      account_ask(&arguments, "ListTokens", &request.base, &trammel__v1__list_tokens_response__descriptor, &answer);
  if (code != EXIT_ALL_PASSED)
    return code;
  const Trammel__V1__ListTokensResponse *list = (const Trammel__V1__ListTokensResponse *)answer;
  code = (arguments.json ? print_json : print_table)(list->tokens, list->n_tokens);
  protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}

int cmd_token_revoke(int argc, char **argv) {
  struct account_arguments arguments = {.least = 1, .most = 1, .wanted = "which? `trammel token list` shows their ids"};
  Trammel__V1__RevokeTokenRequest request = TRAMMEL__V1__REVOKE_TOKEN_REQUEST__INIT;
  command_parse(&cmd_token_revoke_argp, argc, argv, &arguments);
  request.id = borrowed(arguments.words.items[0]);
  int code = account_tell(&arguments, "RevokeToken", &request.base, &trammel__v1__revoke_token_response__descriptor);
  if (code == EXIT_ALL_PASSED)
    printf("%s: revoked\n", request.id);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED ? packages_flush() : code;
}
