/* trammel completion: scripts made from the command table, so that they never disagree with it. */
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "sdk/base/strbuf.h"

struct arguments {
  const char *shell;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_ARG:
    if (arguments->shell)
      argp_error(state, "one shell at a time");
    if (strcmp(argument, "bash") != 0 && strcmp(argument, "zsh") != 0 && strcmp(argument, "fish") != 0)
      argp_error(state, "unknown shell '%s'; known: bash, zsh, fish", argument);
    arguments->shell = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "which shell? bash, zsh or fish");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_completion_argp = {
    .parser = parse,
    .args_doc = "bash|zsh|fish",
    .doc = "Prints a completion script. For bash: source <(trammel completion bash)",
};

/* Calls `each` for every long option of an argp and of its children. */
static void for_options(const struct argp *argp, const char *context,
                        void (*each)(const char *context, const struct argp_option *option)) {
  const struct argp_option *option = argp ? argp->options : NULL;
  for (; option && (option->name || option->key || option->doc); option++)
    if (option->name)
      each(context, option);
  for (const struct argp_child *child = argp ? argp->children : NULL; child && child->argp; child++)
    for_options(child->argp, context, each);
}

static void print_bash_option(const char *context, const struct argp_option *option) {
  (void)context;
  printf("--%s ", option->name);
}

static void print_fish_option(const char *context, const struct argp_option *option) {
  printf("complete -c trammel -n '__fish_seen_subcommand_from %s' -l %s%s\n", context, option->name,
         option->arg ? " -r" : "");
}

/* The length of the first `count` words of a command's name; 0 when it has no more than these. */
static size_t group_length(const char *name, int count) {
  const char *end = name;
  for (int i = 0; i < count; i++) {
    end = strchr(end, ' ');
    if (!end)
      return 0;
    end++;
  }
  return (size_t)(end - name) - 1;
}

/* Whether a command of the table before this one begins with the same `length` characters, as whole words. */
static bool seen_before(const struct command *command, size_t length) {
  for (const struct command *other = commands; other < command; other++)
    if (strncmp(other->name, command->name, length) == 0 && (other->name[length] == ' ' || other->name[length] == '\0'))
      return true;
  return false;
}

/* The words that may follow those of a group, each once. */
static void print_next_words(const char *group, size_t length) {
  for (const struct command *command = commands; command->name; command++) {
    if (strncmp(command->name, group, length) != 0 || command->name[length] != ' ')
      continue;
    size_t next = strcspn(command->name + length + 1, " ");
    if (!seen_before(command, length + 1 + next))
      printf("%.*s ", (int)next, command->name + length + 1);
  }
}

static void print_bash_group(const struct command *command, size_t length) {
  printf("    '%.*s') words='", (int)length, command->name);
  print_next_words(command->name, length);
  puts("' ;;");
}

static void print_bash_first_words(void) {
  printf("    '') words='help ");
  for (const struct command *command = commands; command->name; command++) {
    size_t length = strcspn(command->name, " ");
    if (!seen_before(command, length))
      printf("%.*s ", (int)length, command->name);
  }
  puts("' ;;");
}

static void print_bash(void) {
  puts("_trammel() {\n"
       "  local word=\"${COMP_WORDS[COMP_CWORD]}\" line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" words=''\n"
       "  case \"$line\" in");
  for (const struct command *command = commands; command->name; command++) {
    printf("    '%s'|'%s '*) words='", command->name, command->name);
    for_options(command->argp, NULL, print_bash_option);
    puts("--help' ;;");
  }
  for (const struct command *command = commands; command->name; command++)
    for (int count = 1; count < COMMAND_WORDS_MAX; count++) {
      size_t length = group_length(command->name, count);
      if (length > 0 && !seen_before(command, length))
        print_bash_group(command, length);
    }
  print_bash_first_words();
  puts("  esac\n"
       "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
       "  [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
       "}\n"
       "complete -o filenames -F _trammel trammel");
}

/* A command's words as fish asks for them: all of them were typed. */
static void fish_condition(const char *words, size_t length, struct strbuf *out) {
  for (const char *word = words; word < words + length;) {
    size_t one = strcspn(word, " ");
    strbuf_printf(out, "%s%.*s", word == words ? "" : "; and __fish_seen_subcommand_from ", (int)one, word);
    word += one + 1;
  }
}

/* The last of the first `count + 1` words of a command's name, offered after the others. */
static void print_fish_word(const struct command *command, int count) {
  size_t before = group_length(command->name, count);
  const char *word = command->name + before + 1;
  size_t length = strcspn(word, " ");
  _cleanup_strbuf_ struct strbuf condition = STRBUF_INIT;
  if (before == 0 || seen_before(command, before + 1 + length))
    return;
  bool last = word[length] == '\0';
  fish_condition(command->name, before, &condition);
  printf("complete -c trammel -f -n '__fish_seen_subcommand_from %s' -a %.*s%s%s%s\n", strbuf_text(&condition),
         (int)length, word, last ? " -d '" : "", last ? command->summary : "", last ? "'" : "");
}

static void print_fish(void) {
  for (const struct command *command = commands; command->name; command++) {
    size_t length = strcspn(command->name, " ");
    const char *rest = command->name[length] ? command->name + length + 1 : NULL;
    _cleanup_strbuf_ struct strbuf context = STRBUF_INIT;
    for (int count = 1; count < COMMAND_WORDS_MAX; count++)
      print_fish_word(command, count);
    if (!seen_before(command, length))
      printf("complete -c trammel -n '__fish_use_subcommand' -a %.*s%s%s%s\n", (int)length, command->name,
             rest ? "" : " -d '", rest ? "" : command->summary, rest ? "" : "'");
    fish_condition(command->name, strlen(command->name), &context);
    for_options(command->argp, strbuf_text(&context), print_fish_option);
  }
}

int cmd_completion(int argc, char **argv) {
  struct arguments arguments = {0};
  command_parse(&cmd_completion_argp, argc, argv, &arguments);
  if (strcmp(arguments.shell, "fish") == 0) {
    print_fish();
    return EXIT_ALL_PASSED;
  }
  if (strcmp(arguments.shell, "zsh") == 0)
    puts("autoload -U +X bashcompinit && bashcompinit");
  print_bash();
  return EXIT_ALL_PASSED;
}
