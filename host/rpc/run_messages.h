/* Runs between the forms of host/runs and of proto/trammel/v1/host.proto. */
#ifndef TRAMMEL_HOST_RPC_RUN_MESSAGES_H
#define TRAMMEL_HOST_RPC_RUN_MESSAGES_H

#include <jansson.h>

#include "host/runs/runs.h"
#include "trammel/v1/host.pb-c.h"

/* A spec as host/runs/arguments.h has it; NULL without memory. */
json_t *spec_of_message(const Trammel__V1__RunSpec *message);

/* A run's message. What it points to is borrowed from the view, or owned by it until run_message_finish(). */
#define RUN_MESSAGE_LISTS 6
struct run_message {
  Trammel__V1__Run run;
  Trammel__V1__RunSpec spec;
  char **lists[RUN_MESSAGE_LISTS]; /* heap; the texts in them are borrowed */
};
int run_message_init(struct run_message *room, const struct run_view *view);
void run_message_finish(struct run_message *room);

/* An event's message, as a whole in `room` until event_message_finish(); texts are borrowed from the event. */
struct event_message {
  Trammel__V1__RunEvent event;
  Trammel__V1__RunStarted started;
  Trammel__V1__RunPlanned planned;
  Trammel__V1__CaseStarted case_started;
  Trammel__V1__CaseEnded case_ended;
  Trammel__V1__RunEnded ended;
  char **requirements; /* heap */
};
int event_message_init(struct event_message *room, const json_t *event, uint64_t sequence);
void event_message_finish(struct event_message *room);

#endif
