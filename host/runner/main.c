/* trammel-runner: loads exactly one adapter, in a process of its own. Started by the host, and by people to serve an
 * adapter to other machines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/loader.h"
#include "host/adapter/runner_protocol.h"
#include "host/runner/attempts.h"
#include "host/runner/confinement.h"
#include "host/runner/listen.h"
#include "host/runner/sanitized.h"
#include "host/runner/serve.h"
#include "host/runner/supervise.h"
#include "sdk/base/file.h"

/* The signal handler of a sanitizer would make an exit of what is a crash. */
#if TRAMMEL_SANITIZED
#define SANITIZER_OPTIONS "handle_segv=0:handle_abort=0:detect_leaks=0"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
__attribute__((visibility("default"), used)) const char *__asan_default_options(void) {
  return SANITIZER_OPTIONS;
}
__attribute__((visibility("default"), used)) const char *__tsan_default_options(void) {
  /* After what it found there is no answer, so that this cannot pass unseen. It would wait a second at the end of each
   * process, and every adapter that is looked at has one. */
  return "handle_segv=0:handle_abort=0:halt_on_error=1:atexit_sleep_ms=0";
}
#endif

static int describe(int fd, bool partly, uint8_t **ret_message, size_t *ret_length, struct error **err) {
  int r = supervise(err);
  if (r == 0)
    r = confinement_enter(fd, partly, err);
  if (r < 0)
    return r;
  _cleanup_gate_ struct gate gate = {.fd = -1};
  const trammel_adapter *adapter = NULL;
  r = gate_take(fd, &gate, err);
  if (r == 0)
    r = loader_load(&gate, &adapter, err);
  if (r == 0)
    r = confinement_seal(err);
  if (r < 0)
    return r;
  struct inprocess *inprocess = NULL; /* never destroyed: the process ends with its answer */
  const struct inprocess_options options = {.id = gate.note.id};
  const struct call_options call = {0};
  r = inprocess_create(adapter, &options, "", &call, &inprocess, err);
  return r < 0 ? r : inprocess_call(inprocess, "Describe", NULL, 0, NULL, NULL, &call, ret_message, ret_length, err);
}

/* The exit status. */
static int tell(char kind, const void *body, size_t length) {
  return file_write_all(RUNNER_CHANNEL_FD, &kind, 1) < 0 || file_write_all(RUNNER_CHANNEL_FD, body, length) < 0;
}

static int tell_refusal(const struct error *err) {
  return tell(RUNNER_REFUSED, error_message(err), strlen(error_message(err)));
}

static int describe_and_tell(bool partly) {
  _cleanup_error_ struct error *err = NULL;
  uint8_t *message = NULL;
  size_t length = 0;
  int r = describe(RUNNER_FILE_FD, partly, &message, &length, &err);
  return r < 0 ? tell_refusal(err) : tell(RUNNER_DESCRIBED, message, length);
}

/* What attempts to get out of a confinement like an adapter's came to. */
static int try_and_tell(void) {
  const struct confinement_offer offer = confinement_offered();
  attempts_prepare();
  _cleanup_error_ struct error *err = NULL;
  if (confinement_enter(RUNNER_FILE_FD, true, &err) < 0 || confinement_seal(&err) < 0)
    return tell_refusal(err);
  char *findings = attempts_make(&offer);
  return findings ? tell(RUNNER_TRIED, findings, strlen(findings)) : 1;
}

int main(int argc, char **argv) {
  int code = 2;
  bool partly = argc == 3 && strcmp(argv[2], RUNNER_PARTLY) == 0;
  const char *mode = argc == 2 || partly ? argv[1] : "";
  if (strcmp(mode, RUNNER_DESCRIBE) == 0)
    code = describe_and_tell(partly);
  else if (strcmp(mode, RUNNER_SERVE) == 0)
    code = serve(partly);
  else if (strcmp(mode, RUNNER_TRY) == 0)
    code = try_and_tell();
  else if (argc > 1)
    code = listen_main(argc, argv);
  else
    (void)fprintf(stderr,
                  "usage: trammel-runner " RUNNER_DESCRIBE "|" RUNNER_SERVE "|" RUNNER_TRY " [" RUNNER_PARTLY "]"
                  "\nTrammel starts this program itself so, with descriptors %d and %d open. To serve an adapter to "
                  "other machines:\n       trammel-runner " LISTEN_OPTION
                  " HOST:PORT --adapter FILE --cert FILE --key FILE --client-ca FILE\n",
                  RUNNER_FILE_FD, RUNNER_CHANNEL_FD);
  /* Not exit(): nothing of the adapter's is to run any more. */
  _exit(code);
}
