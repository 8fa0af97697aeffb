#include "host/cli/password_prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/cli/interrupt.h"
#include "sdk/base/file.h"

/* A line without its end, byte by byte, so that nothing behind it is taken. */
static int read_line(int fd, char ret_line[PASSWORD_PROMPT_MAX], struct error **err) {
  size_t length = 0;
  char c = 0;
  for (;;) {
    ssize_t n = read(fd, &c, 1);
    if (interrupt_came())
      return error_set(err, ECANCELED, "interrupted");
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return error_set(err, errno, "reading a password: %s", strerror(errno));
    if (n == 0 || c == '\n')
      break;
    if (c == '\0' || length == PASSWORD_PROMPT_MAX - 1)
      return error_set(err, EINVAL, "a password has at most %d bytes, and no NUL", PASSWORD_PROMPT_MAX - 1);
    ret_line[length++] = c;
  }
  ret_line[length] = '\0';
  return length > 0 ? 0 : error_set(err, EINVAL, "no password was given");
}

static int ask(int terminal, const char *question, char ret_line[PASSWORD_PROMPT_MAX], struct error **err) {
  struct termios before, quiet;
  if (tcgetattr(terminal, &before) < 0)
    return error_set(err, ENOTTY, "there is no terminal to ask for a password at: say --password-stdin");
  quiet = before;
  quiet.c_lflag &= ~(tcflag_t)ECHO;
  (void)tcsetattr(terminal, TCSAFLUSH, &quiet);
  (void)file_write_all(terminal, question, strlen(question));
  int r = read_line(terminal, ret_line, err);
  (void)tcsetattr(terminal, TCSAFLUSH, &before);
  (void)file_write_all(terminal, "\n", 1);
  return r;
}

static int ask_twice(int terminal, const char *question, char ret_password[PASSWORD_PROMPT_MAX], struct error **err) {
  char again[PASSWORD_PROMPT_MAX];
  int r = ask(terminal, question, ret_password, err);
  if (r == 0)
    r = ask(terminal, "Again: ", again, err);
  if (r == 0 && strcmp(ret_password, again) != 0)
    r = error_set(err, EINVAL, "the two passwords are not the same");
  explicit_bzero(again, sizeof(again));
  return r;
}

int password_prompt(const char *question, bool twice, bool from_input, char ret_password[PASSWORD_PROMPT_MAX],
                    struct error **err) {
  if (from_input)
    return read_line(STDIN_FILENO, ret_password, err);
  _cleanup_close_ int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  interrupt_catch();
  return (twice ? ask_twice : ask)(terminal, question, ret_password, err);
}
