#include "plugins/reference/mesh/selector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"

enum relation { IS, IS_NOT, EXISTS, DOES_NOT_EXIST };

struct requirement {
  enum relation relation;
  const char *key;
  const char *value; /* of IS and IS_NOT */
};

void selector_finish(struct selector *selector) {
  free(selector->text);
  free(selector->requirements);
  *selector = (struct selector){0};
}

/* Cuts spaces off both ends, in place. */
static char *trimmed(char *text) {
  text += strspn(text, " \t");
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
    length--;
  text[length] = '\0';
  return text;
}

static bool is_label_text(const char *text, const char *more) {
  for (; *text; text++)
    if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') && !(*text >= '0' && *text <= '9') &&
        !strchr(more, *text))
      return false;
  return true;
}

/* Splits a requirement in place. */
static void parse_requirement(char *text, struct requirement *requirement) {
  char *sign = strchr(text, '=');
  if (!sign) {
    requirement->relation = *text == '!' ? DOES_NOT_EXIST : EXISTS;
    requirement->key = trimmed(text + (*text == '!'));
    return;
  }
  requirement->relation = sign > text && sign[-1] == '!' ? IS_NOT : IS;
  char *value = sign[1] == '=' && requirement->relation == IS ? sign + 2 : sign + 1;
  *(requirement->relation == IS ? sign : sign - 1) = '\0';
  requirement->key = trimmed(text);
  requirement->value = trimmed(value);
}

static int read_requirements(struct selector *selector, struct error **err) {
  char *rest = selector->text;
  for (char *text = strsep(&rest, ","); text; text = strsep(&rest, ",")) {
    struct requirement *requirement = &selector->requirements[selector->count];
    if (selector->count == LIMIT_SELECTOR)
      return error_set(err, EINVAL, "a selector has at most %d requirements", LIMIT_SELECTOR);
    text = trimmed(text);
    parse_requirement(text, requirement);
    if (!*requirement->key || !is_label_text(requirement->key, "-_./") ||
        (requirement->value && !is_label_text(requirement->value, "-_.")))
      return error_set(err, EINVAL, "\"%.64s\" is no requirement: key=value, key!=value, key and !key are known here",
                       requirement->key);
    selector->count++;
  }
  return 0;
}

int selector_parse(const char *text, struct selector *ret_selector, struct error **err) {
  _cleanup_selector_ struct selector selector = {
      .text = strdup(text), .requirements = calloc(LIMIT_SELECTOR + 1, sizeof *selector.requirements)};
  if (!selector.text || !selector.requirements)
    return error_set(err, ENOMEM, "no memory for a selector");
  int r = *trimmed(selector.text) ? read_requirements(&selector, err) : 0;
  if (r < 0)
    return r;
  *ret_selector = selector;
  selector = (struct selector){0};
  return 0;
}

static bool requirement_holds(const struct requirement *requirement, const json_t *labels) {
  const char *value = json_string_value(json_object_get(labels, requirement->key));
  switch (requirement->relation) {
  case IS:
    return value && strcmp(value, requirement->value) == 0;
  case IS_NOT:
    return !value || strcmp(value, requirement->value) != 0;
  case EXISTS:
    return value != NULL;
  case DOES_NOT_EXIST:
    break;
  }
  return value == NULL;
}

bool selector_chooses(const struct selector *selector, const json_t *labels) {
  for (size_t i = 0; i < selector->count; i++)
    if (!requirement_holds(&selector->requirements[i], labels))
      return false;
  return true;
}

static json_t *expression(const struct requirement *requirement) {
  if (requirement->relation == IS_NOT)
    return json_pack("{s:s, s:s, s:[s]}", "key", requirement->key, "operator", "NotIn", "values", requirement->value);
  return json_pack("{s:s, s:s}", "key", requirement->key, "operator",
                   requirement->relation == EXISTS ? "Exists" : "DoesNotExist");
}

json_t *selector_to_json(const struct selector *selector) {
  json_t *labels = json_object(), *expressions = json_array(), *json = json_object();
  int failed = labels && expressions && json ? 0 : -1;
  for (size_t i = 0; i < selector->count && !failed; i++) {
    const struct requirement *requirement = &selector->requirements[i];
    failed = requirement->relation == IS
                 ? json_object_set_new(labels, requirement->key, json_string(requirement->value))
                 : json_array_append_new(expressions, expression(requirement));
  }
  if (json_object_size(labels) > 0)
    failed |= json_object_set(json, "matchLabels", labels);
  if (json_array_size(expressions) > 0)
    failed |= json_object_set(json, "matchExpressions", expressions);
  json_decref(labels);
  json_decref(expressions);
  if (!failed)
    return json;
  json_decref(json);
  return NULL;
}
