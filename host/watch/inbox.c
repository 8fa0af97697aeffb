#include "host/watch/inbox.h"

#include <errno.h>
#include <stdlib.h>

#include "host/watch/condition.h"

void message_free(struct message *message) {
  if (!message)
    return;
  free(message->key);
  free(message->text);
  free(message->uid);
  free(message->api_version);
  free(message);
}

int inbox_init(struct inbox *inbox, struct error **err) {
  *inbox = (struct inbox){.end = &inbox->first};
  return condition_init(&inbox->lock, &inbox->filled, err);
}

void inbox_finish(struct inbox *inbox) {
  for (struct message *message = inbox->first, *next; message; message = next) {
    next = message->next;
    message_free(message);
  }
  condition_finish(&inbox->lock, &inbox->filled);
}

void inbox_put(struct inbox *inbox, struct message *message) {
  (void)pthread_mutex_lock(&inbox->lock);
  *inbox->end = message;
  inbox->end = &message->next;
  (void)pthread_cond_signal(&inbox->filled);
  (void)pthread_mutex_unlock(&inbox->lock);
}

struct message *inbox_take(struct inbox *inbox, int64_t deadline_ns) {
  (void)pthread_mutex_lock(&inbox->lock);
  while (!inbox->first && condition_wait(&inbox->lock, &inbox->filled, deadline_ns))
    ;
  struct message *first = inbox->first;
  inbox->first = NULL;
  inbox->end = &inbox->first;
  (void)pthread_mutex_unlock(&inbox->lock);
  return first;
}
