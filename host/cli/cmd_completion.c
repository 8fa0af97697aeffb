/* trammel completion: scripts made from the command table, so that they never disagree with it. */
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"

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

static void print_bash(void) {
  puts("_trammel() {\n"
       "  local word=\"${COMP_WORDS[COMP_CWORD]}\" line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" words=''\n"
       "  case \"$line\" in");
  for (const struct command *command = commands; command->name; command++) {
    printf("    '%s'|'%s '*) words='", command->name, command->name);
    for_options(command->argp, NULL, print_bash_option);
    puts("--help' ;;");
  }
  const char *group = "";
  for (const struct command *command = commands; command->name; command++) {
    const char *space = strchr(command->name, ' ');
    size_t length = space ? (size_t)(space - command->name) : 0;
    if (!space || (strncmp(group, command->name, length) == 0 && group[length] == ' '))
      continue;
    group = command->name;
    printf("    '%.*s') words='", (int)length, group);
    for (const struct command *other = commands; other->name; other++)
      if (strncmp(other->name, group, length + 1) == 0)
        printf("%s ", other->name + length + 1);
    puts("' ;;");
  }
  printf("    '') words='help ");
  for (const struct command *command = commands; command->name; command++)
    printf("%.*s ", (int)strcspn(command->name, " "), command->name);
  puts("' ;;\n"
       "  esac\n"
       "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
       "  [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- \"$word\"))\n"
       "}\n"
       "complete -o filenames -F _trammel trammel");
}

static void print_fish(void) {
  for (const struct command *command = commands; command->name; command++) {
    size_t length = strcspn(command->name, " ");
    const char *rest = command->name[length] ? command->name + length + 1 : NULL;
    if (rest)
      printf("complete -c trammel -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '%s'\n", (int)length, command->name,
             rest, command->summary);
    printf("complete -c trammel -n '__fish_use_subcommand' -a %.*s%s%s%s\n", (int)length, command->name,
           rest ? "" : " -d '", rest ? "" : command->summary, rest ? "" : "'");
    for_options(command->argp, rest ? rest : command->name, print_fish_option);
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
