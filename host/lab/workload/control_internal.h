/* What the parts of the control port share. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_CONTROL_INTERNAL_H
#define TRAMMEL_HOST_LAB_WORKLOAD_CONTROL_INTERNAL_H

#include <event2/http.h>
#include <sys/queue.h>

#include "host/lab/workload/control.h"

struct control_job;
LIST_HEAD(control_job_list, control_job);

struct control {
  struct event_base *base;
  struct service *service;
  struct server *server;
  struct keep *keep;
  struct evhttp *http;
  struct control_job_list jobs;
  unsigned job_count;
};

/* Answers with `body` (JSON; handed over, also on failure), and with an error. */
void control_answer(struct evhttp_request *request, int status, const char *content_type, struct strbuf *body);
void control_refuse(struct evhttp_request *request, int status, const char *reason);

/* The request's body, as one piece; borrowed from the request. NULL without memory. */
const char *control_body(struct evhttp_request *request, size_t *ret_length);

/* PUT /v1/configuration. */
void control_configure(struct control *control, struct evhttp_request *request);

/* POST /v1/calls and POST /call: answered when they are done, given up when their connection closes. */
void control_start_calls(struct control *control, struct evhttp_request *request);
void control_start_forward(struct control *control, struct evhttp_request *request);
void control_job_destroy(struct control_job *job);

#endif
