#include "host/engine/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"

/* RFC 6901: the value that a pointer leads to, or NULL. */
static const json_t *at_pointer(const json_t *document, const char *pointer) {
  while (document && *pointer == '/') {
    _cleanup_strbuf_ struct strbuf token = STRBUF_INIT;
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
      bool escape = *pointer == '~' && (pointer[1] == '0' || pointer[1] == '1');
      strbuf_putc(&token, escape ? (pointer[1] == '0' ? '~' : '/') : *pointer);
      pointer += escape;
    }
    if (strbuf_failed(&token))
      return NULL;
    if (json_is_array(document)) {
      char *end;
      unsigned long index = strtoul(strbuf_text(&token), &end, 10);
      document = *end || token.length == 0 ? NULL : json_array_get(document, index);
    } else {
      document = json_object_get(document, strbuf_text(&token));
    }
  }
  return *pointer ? NULL : document;
}

char *identity_text(const json_t *document, const char *pointer) {
  const json_t *value = at_pointer(document, pointer);
  char *text = NULL;

  if (json_is_string(value))
    return strdup(json_string_value(value));
  if (json_is_integer(value) && asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < 0)
    return NULL;
  return text;
}

char *identity_place(const char *place, const char *id) {
  static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  struct strbuf text = STRBUF_INIT;
  const char *mark = strstr(place, IDENTITY_PLACE);

  if (!mark)
    return strdup(place);
  strbuf_append(&text, place, (size_t)(mark - place));
  for (; *id; id++) {
    if (strchr(unreserved, *id))
      strbuf_putc(&text, *id);
    else
      strbuf_printf(&text, "%%%02X", (unsigned char)*id);
  }
  strbuf_puts(&text, mark + strlen(IDENTITY_PLACE));
  return strbuf_steal(&text);
}

static bool are_pointers(Trammel__Adapter__V1__JsonMember *const *members, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (members[i]->pointer[0] != '/')
      return false;
  return true;
}

int identity_check(const http_identity *identity, const char *read_path, struct error **err) {
  bool listed = *identity->list_path;

  if (identity->n_marks == 0)
    return error_set(err, EINVAL, "its identity has no marks, by which it could be told from what others made");
  if (!are_pointers(identity->marks, identity->n_marks) || !are_pointers(identity->match, identity->n_match))
    return error_set(err, EINVAL, "marks and match of its identity need JSON pointers, such as /Meta/made-by");
  if (listed && (identity->n_match == 0 || identity->id[0] != '/'))
    return error_set(err, EINVAL, "with a list_path, its identity needs match and the JSON pointer id");
  if (!listed && !*read_path)
    return error_set(err, EINVAL, "its identity needs a read_path or a list_path, to see what is there");
  if (*identity->version && !*identity->version_parameter)
    return error_set(err, EINVAL, "a version needs a version_parameter");
  return 0;
}

static json_t *members_to_json(Trammel__Adapter__V1__JsonMember *const *members, size_t count) {
  json_t *object = json_object();

  for (size_t i = 0; object && i < count; i++)
    if (json_object_set_new(object, members[i]->pointer, json_string(members[i]->value)) < 0) {
      json_decref(object);
      return NULL;
    }
  return object;
}

json_t *identity_to_json(const http_identity *identity, const char *look) {
  json_t *json = json_pack("{s:s, s:o}", "look", look, "marks", members_to_json(identity->marks, identity->n_marks));

  if (json && *identity->list_path &&
      (json_object_set_new(json, "match", members_to_json(identity->match, identity->n_match)) < 0 ||
       json_object_set_new(json, "id", json_string(identity->id)) < 0)) {
    json_decref(json);
    return NULL;
  }
  return json;
}

/* Whether the document has all of the members. */
static bool has_all(const json_t *document, const json_t *members) {
  const char *pointer;
  json_t *wanted;

  json_object_foreach((json_t *)members, pointer, wanted) {
    const json_t *found = at_pointer(document, pointer);
    if (!json_is_string(found) || !json_equal((json_t *)found, wanted))
      return false;
  }
  return true;
}

/* The item that is the object; ours, when several are. NULL: none. */
static const json_t *find_item(const json_t *identity, const json_t *list) {
  const json_t *match = json_object_get(identity, "match"), *marks = json_object_get(identity, "marks");
  const json_t *found = NULL;
  size_t i;
  json_t *item;

  json_array_foreach(list, i, item) {
    if (!has_all(item, match))
      continue;
    if (has_all(item, marks))
      return item;
    found = item;
  }
  return found;
}

int identity_judge(const json_t *identity, const struct http_response *response, struct identity_finding *ret_finding,
                   struct error **err) {
  const char *look = json_string_value(json_object_get(identity, "look"));
  bool listed = json_object_get(identity, "match");
  json_error_t error;

  *ret_finding = (struct identity_finding){.standing = IDENTITY_ABSENT};
  if (response->status == 404 || response->status == 410)
    return 0;
  if (response->status != 200)
    return error_set(err, EIO, "GET %s, to see what is there, was answered with %u: %.200s", look ? look : "",
                     response->status, response->body);
  json_t *document = json_loadb(response->body, response->body_length, JSON_DECODE_ANY, &error);
  if (!document)
    return error_set(err, EIO, "GET %s was answered with no JSON: %s", look ? look : "", error.text);
  ret_finding->document = document;
  if (json_is_null(document))
    return 0; /* an empty listing of some APIs */
  if (listed ? !json_is_array(document) : !json_is_object(document)) {
    identity_finding_finish(ret_finding);
    return error_set(err, EIO, "GET %s was answered with no %s", look ? look : "", listed ? "list" : "object");
  }
  ret_finding->item = listed ? find_item(identity, document) : document;
  if (ret_finding->item)
    ret_finding->standing =
        has_all(ret_finding->item, json_object_get(identity, "marks")) ? IDENTITY_OURS : IDENTITY_FOREIGN;
  return 0;
}

void identity_finding_finish(struct identity_finding *finding) {
  json_decref(finding->document);
  *finding = (struct identity_finding){0};
}
