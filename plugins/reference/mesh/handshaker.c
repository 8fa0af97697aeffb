#include "plugins/reference/mesh/handshaker.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

TAILQ_HEAD(handshake_queue, handshake);

struct handshaker {
  struct event *wake; /* the event loop, by `wake_fd` */
  int wake_fd;
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;  /* guards what follows, and the state of each handshake */
  pthread_cond_t wanted; /* something is in `queued`, or it is to end */
  pthread_cond_t done;   /* a step came to its end */
  struct handshake_queue queued, stepped;
  bool ending;
};

static void run_step(struct handshake *handshake) {
  ERR_clear_error();
  int result = SSL_do_handshake(handshake->tls);
  handshake->result = SSL_get_error(handshake->tls, result);
}

static void *thread_main(void *context) {
  struct handshaker *handshaker = context;
  struct handshake *handshake;
  pthread_mutex_lock(&handshaker->lock);
  while (!handshaker->ending) {
    if (!(handshake = TAILQ_FIRST(&handshaker->queued))) {
      pthread_cond_wait(&handshaker->wanted, &handshaker->lock);
      continue;
    }
    TAILQ_REMOVE(&handshaker->queued, handshake, link);
    handshake->state = HANDSHAKE_RUNNING;
    pthread_mutex_unlock(&handshaker->lock);
    run_step(handshake);
    pthread_mutex_lock(&handshaker->lock);
    if (TAILQ_EMPTY(&handshaker->stepped))
      (void)eventfd_write(handshaker->wake_fd, 1);
    handshake->state = HANDSHAKE_STEPPED;
    TAILQ_INSERT_TAIL(&handshaker->stepped, handshake, link);
    pthread_cond_signal(&handshaker->done);
  }
  pthread_mutex_unlock(&handshaker->lock);
  return NULL;
}

static struct handshake *take_stepped(struct handshaker *handshaker) {
  pthread_mutex_lock(&handshaker->lock);
  struct handshake *handshake = TAILQ_FIRST(&handshaker->stepped);
  if (handshake) {
    TAILQ_REMOVE(&handshaker->stepped, handshake, link);
    handshake->state = HANDSHAKE_IDLE;
  }
  pthread_mutex_unlock(&handshaker->lock);
  return handshake;
}

static void on_wake(evutil_socket_t fd, short what, void *context) {
  (void)what;
  struct handshaker *handshaker = context;
  eventfd_t count;
  (void)eventfd_read(fd, &count);
  struct handshake *handshake;
  while ((handshake = take_stepped(handshaker)))
    handshake->stepped(handshake);
}

/* Signals are the event loop's. */
static int start_thread(struct handshaker *handshaker) {
  sigset_t all, before;
  sigfillset(&all);
  int r = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (r != 0)
    return -r;
  r = pthread_create(&handshaker->thread, NULL, thread_main, handshaker);
  handshaker->started = r == 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -r;
}

int handshaker_create(struct event_base *base, struct handshaker **ret_handshaker) {
  struct handshaker *handshaker = calloc(1, sizeof *handshaker);
  if (!handshaker)
    return -ENOMEM;
  pthread_mutex_init(&handshaker->lock, NULL);
  pthread_cond_init(&handshaker->wanted, NULL);
  pthread_cond_init(&handshaker->done, NULL);
  TAILQ_INIT(&handshaker->queued);
  TAILQ_INIT(&handshaker->stepped);
  handshaker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int r = handshaker->wake_fd < 0 ? -errno : 0;
  if (r == 0) {
    handshaker->wake = event_new(base, handshaker->wake_fd, EV_READ | EV_PERSIST, on_wake, handshaker);
    r = handshaker->wake && event_add(handshaker->wake, NULL) == 0 ? start_thread(handshaker) : -ENOMEM;
  }
  if (r < 0)
    handshaker_destroy(handshaker);
  else
    *ret_handshaker = handshaker;
  return r;
}

void handshaker_destroy(struct handshaker *handshaker) {
  if (!handshaker)
    return;
  if (handshaker->started) {
    pthread_mutex_lock(&handshaker->lock);
    handshaker->ending = true;
    pthread_cond_signal(&handshaker->wanted);
    pthread_mutex_unlock(&handshaker->lock);
    pthread_join(handshaker->thread, NULL);
  }
  if (handshaker->wake)
    event_free(handshaker->wake);
  if (handshaker->wake_fd >= 0)
    close(handshaker->wake_fd);
  pthread_cond_destroy(&handshaker->done);
  pthread_cond_destroy(&handshaker->wanted);
  pthread_mutex_destroy(&handshaker->lock);
  free(handshaker);
}

void handshaker_step(struct handshaker *handshaker, struct handshake *handshake) {
  pthread_mutex_lock(&handshaker->lock);
  handshake->state = HANDSHAKE_QUEUED;
  TAILQ_INSERT_TAIL(&handshaker->queued, handshake, link);
  pthread_cond_signal(&handshaker->wanted);
  pthread_mutex_unlock(&handshaker->lock);
}

void handshaker_cancel(struct handshaker *handshaker, struct handshake *handshake) {
  pthread_mutex_lock(&handshaker->lock);
  while (handshake->state == HANDSHAKE_RUNNING)
    pthread_cond_wait(&handshaker->done, &handshaker->lock);
  if (handshake->state == HANDSHAKE_QUEUED)
    TAILQ_REMOVE(&handshaker->queued, handshake, link);
  else if (handshake->state == HANDSHAKE_STEPPED)
    TAILQ_REMOVE(&handshaker->stepped, handshake, link);
  handshake->state = HANDSHAKE_IDLE;
  pthread_mutex_unlock(&handshaker->lock);
}
