/* trammel: finds the command that the first words name and runs it. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/command.h"
#include "sdk/base/strbuf.h"

/* How many of `words` (at most `count`) the command's name takes, 0 when it is not that command. */
static int name_matches(const char *name, char **words, int count) {
  _cleanup_strbuf_ struct strbuf joined = STRBUF_INIT;
  for (int i = 0; i < count && i < COMMAND_WORDS_MAX; i++) {
    strbuf_printf(&joined, "%s%s", i ? " " : "", words[i]);
    if (strcmp(strbuf_text(&joined), name) == 0)
      return i + 1;
  }
  return 0;
}

static const struct command *find_command(char **words, int count, int *ret_used) {
  const struct command *found = NULL;
  *ret_used = 0;
  for (const struct command *command = commands; command->name; command++) {
    int used = name_matches(command->name, words, count);
    if (used > *ret_used) {
      found = command;
      *ret_used = used;
    }
  }
  return found;
}

/* Lists the commands whose name starts with `prefix` as a whole word ("" for all); the number of them. */
static int print_commands(FILE *out, const char *prefix) {
  size_t length = strlen(prefix);
  int count = 0;
  for (const struct command *command = commands; command->name; command++) {
    if (length > 0 && (strncmp(command->name, prefix, length) != 0 || command->name[length] != ' '))
      continue;
    fprintf(out, "  %-22s %s\n", command->name, command->summary);
    count++;
  }
  return count;
}

static void print_help(FILE *out) {
  fputs("Usage: trammel COMMAND [OPTION...]\n\n"
        "Proves what a service mesh really does: runs the SMI conformance suite through a mesh's adapter, with real\n"
        "traffic, and gives verdicts with evidence.\n\nCommands:\n",
        out);
  print_commands(out, "");
  fputs("\nOptions:\n"
        "  --help                 this text; `trammel COMMAND --help` for a command's options\n"
        "  --version              the version\n\n"
        "Exit codes: 0 all passed; 1 something that was tested failed; 2 usage or bad input; 3 could not test; 4 "
        "internal error.\n"
        "Start with: trammel conformance run\n",
        out);
}

/* The number of single-character edits between two short words. */
static size_t edit_distance(const char *a, const char *b) {
  enum { MOST = 40 };
  size_t n = strnlen(a, MOST);
  size_t m = strnlen(b, MOST);
  size_t row[MOST + 1];
  for (size_t j = 0; j <= m; j++)
    row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      size_t best = change;
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[m];
}

/* `trammel conformance`: a group of commands, with or without --help. */
static int group_help(const char *group, bool asked) {
  FILE *out = asked ? stdout : stderr;
  fprintf(out, "Usage: trammel %s COMMAND [OPTION...]\n\nCommands:\n", group);
  print_commands(out, group);
  return asked ? EXIT_ALL_PASSED : EXIT_USAGE;
}

static bool is_group(const char *word) {
  size_t length = strlen(word);
  for (const struct command *command = commands; command->name; command++)
    if (strncmp(command->name, word, length) == 0 && command->name[length] == ' ')
      return true;
  return false;
}

/* How many of the first words are a group, "adapter" or "adapter index"; its name is in `name`. */
static int find_group(char **words, int count, struct strbuf *name) {
  int found = 0;
  for (int i = 0; i < count && i < COMMAND_WORDS_MAX - 1; i++) {
    _cleanup_strbuf_ struct strbuf longer = STRBUF_INIT;
    strbuf_printf(&longer, "%s%s%s", strbuf_text(name), i ? " " : "", words[i]);
    if (!is_group(strbuf_text(&longer)))
      break;
    strbuf_clear(name);
    strbuf_puts(name, strbuf_text(&longer));
    found = i + 1;
  }
  return found;
}

static int unknown_command(int count, char **words) {
  _cleanup_strbuf_ struct strbuf given = STRBUF_INIT, group = STRBUF_INIT;
  int most = find_group(words, count, &group) == 2 ? 3 : 2;
  for (int i = 0; i < count && i < most && (i == 0 || words[i][0] != '-'); i++)
    strbuf_printf(&given, "%s%s", i ? " " : "", words[i]);
  const char *text = strbuf_text(&given);

  fprintf(stderr, "trammel: unknown command '%s'\n", text);
  const struct command *nearest = NULL;
  size_t least = 4;
  for (const struct command *command = commands; command->name; command++) {
    size_t distance = edit_distance(text, command->name);
    if (distance < least) {
      least = distance;
      nearest = command;
    }
  }
  if (nearest)
    fprintf(stderr, "Did you mean `trammel %s`?\n", nearest->name);
  fputs("`trammel --help` lists the commands.\n", stderr);
  return EXIT_USAGE;
}

static bool is_help(const char *word) {
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0;
}

static int run_command(const struct command *command, int count, char **words) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  strbuf_printf(&name, "trammel %s", command->name);
  if (strbuf_failed(&name))
    return EXIT_INTERNAL;
  words[0] = name.data;
  return command->run(count, words);
}

/* `trammel help [COMMAND…]` is `trammel COMMAND… --help`. */
static int help_command(int count, char **words) {
  if (count == 0) {
    print_help(stdout);
    return EXIT_ALL_PASSED;
  }
  int used = 0;
  const struct command *command = find_command(words, count, &used);
  if (command && used == count) {
    char option[] = "--help";
    char *arguments[] = {words[0], option, NULL};
    return run_command(command, 2, arguments);
  }
  _cleanup_strbuf_ struct strbuf group = STRBUF_INIT;
  if (find_group(words, count, &group) == count)
    return group_help(strbuf_text(&group), true);
  return unknown_command(count, words);
}

/* No file that is opened later takes a standard descriptor's place. Reading and writing fail, as on a closed one. */
static bool fill_standard_descriptors(void) {
  static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
      return false;
  return true;
}

/* What was said on standard output and did not arrive is an error, also of --help. */
static void check_standard_output(void) {
  bool failed = ferror(stdout) != 0;
  if (fflush(stdout) == 0 && !failed)
    return;
  fputs("trammel: standard output could not be written\n", stderr);
  _exit(EXIT_INTERNAL);
}

int main(int argc, char **argv) {
  if (!fill_standard_descriptors() || atexit(check_standard_output) != 0)
    return EXIT_INTERNAL;
  setlocale(LC_CTYPE, "");
  signal(SIGPIPE, SIG_IGN);

  int count = argc - 1;
  char **words = argv + 1;
  if (count == 0) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  if (is_help(words[0])) {
    print_help(stdout);
    return EXIT_ALL_PASSED;
  }
  if (strcmp(words[0], "help") == 0)
    return help_command(count - 1, words + 1);
  if (strcmp(words[0], "--version") == 0) {
    puts("trammel " TRAMMEL_VERSION);
    return EXIT_ALL_PASSED;
  }
  int used = 0;
  const struct command *command = find_command(words, count, &used);
  if (command)
    return run_command(command, count - used + 1, words + used - 1);
  _cleanup_strbuf_ struct strbuf group = STRBUF_INIT;
  int named = find_group(words, count, &group);
  if (named > 0 && (count == named || is_help(words[named])))
    return group_help(strbuf_text(&group), count > named);
  return unknown_command(count, words);
}
