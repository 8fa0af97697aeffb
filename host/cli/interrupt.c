#include "host/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static atomic_bool came;

static void on_signal(int number) {
  (void)number;
  atomic_store(&came, true);
}

void interrupt_catch(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    struct sigaction before;
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      (void)sigaction(numbers[i], &action, NULL);
  }
}

const atomic_bool *interrupt_flag(void) {
  return &came;
}

bool interrupt_came(void) {
  return atomic_load(&came);
}
