#include "host/adapter/output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/adapter/services.h"
#include "trammel/abi.h"

/* Of what is left in the pipe at the end. A pipe holds less. */
#define LAST_READS 64

struct output {
  char *adapter;
  int fd;
  int stop; /* an eventfd; -1: none */
  pthread_t thread;
  bool started;
  char line[OUTPUT_LINE_MAX]; /* the thread's, with what follows */
  size_t length;
  size_t logged;
  pthread_mutex_t lock; /* guards what follows */
  char last[OUTPUT_LAST_MAX];
  size_t last_length;
};

/* "<LEVEL>text" as the runner writes the adapter's log, or what anything else wrote. */
static void log_line(struct output *output) {
  const char *text = output->line;
  size_t length = output->length;
  uint32_t level = TRAMMEL_INFO;
  output->length = 0;
  if (length >= 3 && text[0] == '<' && text[1] >= '1' && text[1] <= '4' && text[2] == '>') {
    level = (uint32_t)(text[1] - '0');
    text += 3;
    length -= 3;
  }
  if (output->logged + length > OUTPUT_BYTES_MAX)
    return;
  output->logged += length;
  services_log(output->adapter, level, text, length);
}

static void keep_last(struct output *output, const char *data, size_t length) {
  size_t keep = length < OUTPUT_LAST_MAX ? length : OUTPUT_LAST_MAX;
  pthread_mutex_lock(&output->lock);
  size_t before = output->last_length;
  if (before + keep > OUTPUT_LAST_MAX) {
    size_t drop = before + keep - OUTPUT_LAST_MAX;
    memmove(output->last, output->last + drop, before - drop);
    before -= drop;
  }
  memcpy(output->last + before, data + length - keep, keep);
  output->last_length = before + keep;
  pthread_mutex_unlock(&output->lock);
}

static void take_in(struct output *output, const char *data, size_t length) {
  keep_last(output, data, length);
  for (size_t i = 0; i < length; i++) {
    if (data[i] == '\n')
      log_line(output);
    else if (output->length < sizeof output->line)
      output->line[output->length++] = data[i];
  }
}

/* False at the end. */
static bool read_some(struct output *output) {
  char block[16384];
  ssize_t n = read(output->fd, block, sizeof block);
  if (n > 0)
    take_in(output, block, (size_t)n);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void *thread_main(void *context) {
  struct output *output = context;
  struct pollfd fds[] = {{output->fd, POLLIN, 0}, {output->stop, POLLIN, 0}};
  while (fds[1].revents == 0) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR)
      break;
    if (fds[0].revents && !read_some(output))
      fds[0].fd = -1;
  }
  for (int i = 0; i < LAST_READS && poll(fds, 1, 0) > 0 && read_some(output); i++)
    continue;
  if (output->length > 0)
    log_line(output);
  return NULL;
}

int output_create(const char *adapter, int fd, struct output **ret_output, struct error **err) {
  struct output *output = calloc(1, sizeof *output);
  if (!output) {
    (void)close(fd);
    return error_set(err, ENOMEM, "out of memory");
  }
  pthread_mutex_init(&output->lock, NULL);
  output->fd = fd;
  output->adapter = strdup(adapter);
  output->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int r = !output->adapter   ? ENOMEM
          : output->stop < 0 ? errno
                             : pthread_create(&output->thread, NULL, thread_main, output);
  output->started = r == 0;
  if (r != 0) {
    output_destroy(output);
    return error_set(err, r, "cannot read what adapter %s writes: %s", adapter, strerror(r));
  }
  *ret_output = output;
  return 0;
}

void output_destroy(struct output *output) {
  if (!output)
    return;
  if (output->started) {
    (void)eventfd_write(output->stop, 1);
    (void)pthread_join(output->thread, NULL);
  }
  close_p(&output->stop);
  close_p(&output->fd);
  pthread_mutex_destroy(&output->lock);
  free(output->adapter);
  free(output);
}

void output_last(struct output *output, char ret_text[OUTPUT_LAST_MAX + 1]) {
  size_t length = 0;
  if (output) {
    pthread_mutex_lock(&output->lock);
    length = output->last_length;
    memcpy(ret_text, output->last, length);
    pthread_mutex_unlock(&output->lock);
  }
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)ret_text[i] < ' ' || (unsigned char)ret_text[i] >= 0x7f)
      ret_text[i] = ' ';
  while (length > 0 && ret_text[length - 1] == ' ')
    length--;
  ret_text[length] = '\0';
}
