#include "host/transport/kube/failure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

#define TEXT_SHOWN_MAX 600    /* bytes of a server's text in a message */
#define CONFLICTS_SHOWN_MAX 8 /* in a message */

/* One answer, while its error is made. */
struct reading {
  const char *verb;
  const struct kube_ref *ref;
  const struct http_response *response;
  json_t *status;     /* metav1.Status; NULL: the answer is none */
  const char *reason; /* "" when there is none */
  struct kube_failure *failure;
  struct strbuf what; /* "apply deployments.apps demo/web" */
  struct strbuf text; /* the server's, safe to show */
};

void kube_failure_finish(struct kube_failure *failure) {
  for (size_t i = 0; i < failure->conflict_count; i++) {
    free(failure->conflicts[i].manager);
    free(failure->conflicts[i].field);
  }
  free(failure->conflicts);
  *failure = (struct kube_failure){0};
}

/* A message may quote what was sent, and of a Secret that must not be shown. */
static bool is_secret(const struct kube_ref *ref) {
  return ref && strcmp(ref->resource->plural, "secrets") == 0 && !ref->resource->group[0];
}

static void append_shown(struct strbuf *out, const char *text, size_t length) {
  size_t offset = 0;
  size_t valid = utf8_valid(text, length, &offset) ? length : offset;
  size_t shown = utf8_fit(text, valid, TEXT_SHOWN_MAX);

  while (shown > 0 && shown == length && strchr(" \r\n\t", text[shown - 1]))
    length = --shown;
  utf8_append_safe(out, text, shown, NULL);
  if (shown < length)
    strbuf_puts(out, "...");
}

static void append_name(struct strbuf *out, const char *text) {
  append_shown(out, text ? text : "", text ? strlen(text) : 0);
}

static void read_text(struct reading *r) {
  const json_t *message = json_object_get(r->status, "message");

  if (is_secret(r->ref) && r->response->status != 403)
    strbuf_puts(&r->text, "the server's reason is left out, because it may show the Secret");
  else if (json_is_string(message))
    append_shown(&r->text, json_string_value(message), json_string_length(message));
  else
    append_shown(&r->text, r->response->body, r->response->body_length);
}

static const json_t *details(const struct reading *r, const char *key) {
  return json_object_get(json_object_get(r->status, "details"), key);
}

/* `conflict with "kubectl" using apps/v1` names the manager; there is no field for it. */
static char *manager_of(const char *message) {
  const char *start = message ? strchr(message, '"') : NULL;
  const char *end = start ? strchr(start + 1, '"') : NULL;

  return end ? strndup(start + 1, (size_t)(end - start - 1)) : strdup("unknown");
}

static void keep_conflict(struct kube_failure *failure, const json_t *cause) {
  const char *field = json_string_value(json_object_get(cause, "field"));
  struct kube_conflict conflict = {.manager = manager_of(json_string_value(json_object_get(cause, "message"))),
                                   .field = strdup(field ? field : "")};

  if (conflict.manager && conflict.field) {
    failure->conflicts[failure->conflict_count++] = conflict;
  } else {
    free(conflict.manager);
    free(conflict.field);
  }
}

/* Without memory there are fewer conflicts to tell, and the error stays what it is. */
static size_t read_conflicts(const struct reading *r, struct kube_failure *failure) {
  const json_t *causes = details(r, "causes");
  size_t count = 0;

  failure->conflicts = calloc(KUBE_CONFLICTS_MAX, sizeof(*failure->conflicts));
  for (size_t i = 0; i < json_array_size(causes); i++) {
    const json_t *cause = json_array_get(causes, i);
    const char *reason = json_string_value(json_object_get(cause, "reason"));
    if (!reason || strcmp(reason, "FieldManagerConflict") != 0)
      continue;
    count++;
    if (failure->conflicts && failure->conflict_count < KUBE_CONFLICTS_MAX)
      keep_conflict(failure, cause);
  }
  return count;
}

static int conflict(struct reading *r, struct error **err) {
  _cleanup_strbuf_ struct strbuf fields = STRBUF_INIT;
  struct kube_failure own = {0};
  struct kube_failure *failure = r->failure ? r->failure : &own;
  size_t count = read_conflicts(r, failure);

  for (size_t i = 0; i < failure->conflict_count && i < CONFLICTS_SHOWN_MAX; i++) {
    const struct kube_conflict *c = &failure->conflicts[i];
    strbuf_puts(&fields, i > 0 ? ", " : "");
    append_name(&fields, c->field);
    strbuf_puts(&fields, " of \"");
    append_name(&fields, c->manager);
    strbuf_puts(&fields, "\"");
  }
  kube_failure_finish(&own);
  if (count == 0)
    return error_set(err, ESTALE, "%s: %s", strbuf_text(&r->what), strbuf_text(&r->text));
  return error_set(err, EBUSY,
                   "%s: %zu %s owned by other managers: %s%s; nothing was changed: let them give up these fields, or "
                   "leave them out",
                   strbuf_text(&r->what), count, count == 1 ? "field is" : "fields are", strbuf_text(&fields),
                   count > CONFLICTS_SHOWN_MAX ? ", ..." : "");
}

/* An apply that makes an object is asked for "create" as well, and what goes before an object is on. */
static const char *verbs_of(const char *verb) {
  static const char *const verbs[][2] = {{"apply", "\"create\", \"patch\""},
                                         {"get", "\"get\""},
                                         {"list", "\"list\""},
                                         {"watch", "\"list\", \"watch\""},
                                         {"create", "\"create\""},
                                         {"update", "\"update\""},
                                         {"patch", "\"patch\""},
                                         {"delete", "\"delete\""}};

  for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
    if (strcmp(verbs[i][0], verb) == 0)
      return verbs[i][1];
  return NULL;
}

/* Admission, quotas and terminating namespaces answer 403 as well; no Role helps there. What RBAC says has this form
 * (k8s.io/apiserver, responsewriters.forbiddenMessage). */
static bool is_rbac(const struct reading *r) {
  const char *message = json_string_value(json_object_get(r->status, "message"));

  return message && strstr(message, " cannot ") && strstr(message, " resource ");
}

static int forbidden(const struct reading *r, struct error **err) {
  const char *verbs = verbs_of(r->verb);
  _cleanup_strbuf_ struct strbuf role = STRBUF_INIT;

  if (!r->ref || !verbs || !is_rbac(r))
    return error_set(err, EACCES, "%s: %s", strbuf_text(&r->what), strbuf_text(&r->text));
  if (r->ref->namespace_)
    strbuf_printf(&role, "a Role in namespace %s", r->ref->namespace_);
  else
    strbuf_puts(&role, "a ClusterRole");
  return error_set(
      err, EACCES, "%s: %s; it needs %s with the rule {apiGroups: [\"%s\"], resources: [\"%s%s%s\"], verbs: [%s]}",
      strbuf_text(&r->what), strbuf_text(&r->text), strbuf_text(&role), r->ref->resource->group,
      r->ref->resource->plural, r->ref->subresource ? "/" : "", r->ref->subresource ? r->ref->subresource : "", verbs);
}

/* The Status of an object that is missing names it; that of a kind which is not served does not. */
static int not_found(const struct reading *r, struct error **err) {
  const char *name = json_string_value(details(r, "name"));

  if (!r->ref || (name && *name))
    return error_set(err, ENOENT, "%s: %s", strbuf_text(&r->what), strbuf_text(&r->text));
  return error_set(err, ENOTSUP,
                   "%s: the server does not serve %s%s%s %s: install its definition, or use a version "
                   "that is served",
                   strbuf_text(&r->what), r->ref->resource->group, r->ref->resource->group[0] ? "/" : "",
                   r->ref->resource->version, r->ref->resource->plural);
}

static int errno_of(unsigned status) {
  static const struct {
    unsigned status;
    int code;
  } codes[] = {{400, EINVAL},  {405, ENOTSUP}, {410, ESTALE}, {413, E2BIG},
               {415, ENOTSUP}, {422, EINVAL},  {429, EAGAIN}};

  for (size_t i = 0; i < ARRAY_COUNT(codes); i++)
    if (codes[i].status == status)
      return codes[i].code;
  return EIO;
}

static int make_error(struct reading *r, struct error **err) {
  const char *what = strbuf_text(&r->what);
  const char *text = strbuf_text(&r->text);

  switch (r->response->status) {
  case 401:
    return error_set(err, EPERM,
                     "%s: the server does not accept these credentials (401): see that the user of the "
                     "kubeconfig's context is right and has not expired",
                     what);
  case 403:
    return forbidden(r, err);
  case 404:
    return not_found(r, err);
  case 409:
    if (strcmp(r->reason, "AlreadyExists") == 0)
      return error_set(err, EEXIST, "%s: %s", what, text);
    return conflict(r, err);
  default:
    return error_set(err, errno_of(r->response->status), "%s: the server answered %u%s%s", what, r->response->status,
                     *text ? ": " : "", text);
  }
}

static void fill_failure(struct reading *r) {
  if (!r->failure)
    return;
  kube_failure_finish(r->failure);
  r->failure->status = r->response->status;
  strncpy(r->failure->reason, r->reason, sizeof(r->failure->reason) - 1);
}

int kube_failure_read(const char *verb, const struct kube_ref *ref, const char *path,
                      const struct http_response *response, struct kube_failure *failure, struct error **err) {
  struct reading r = {.verb = verb, .ref = ref, .response = response, .failure = failure};

  r.status = json_loadb(response->body, response->body_length, 0, NULL);
  const char *reason = json_string_value(json_object_get(r.status, "reason"));
  r.reason = reason ? reason : "";
  strbuf_printf(&r.what, "%s ", verb);
  if (ref)
    kube_ref_describe(&r.what, ref);
  else
    strbuf_printf(&r.what, "%.*s", (int)strcspn(path, "?"), path);
  read_text(&r);
  fill_failure(&r);
  int result = make_error(&r, err);
  strbuf_finish(&r.what);
  strbuf_finish(&r.text);
  json_decref(r.status);
  return result;
}
