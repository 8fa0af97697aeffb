/* Checks a value against a JSON Schema (draft 2020-12), in the subset that adapters' configuration schemas may use:
 * type, enum, const, properties, required, additionalProperties (boolean), items, minItems, maxItems, minimum, maximum,
 * minLength, maxLength, pattern, default, title, description. Any other keyword makes the schema itself an error, so
 * that nothing goes unchecked. An integer is written without a point or exponent and fits int64_t, so that
 * json_integer_value() of a checked one is its value: 3.0, which draft 2020-12 lets pass, is refused.
 *
 * Diagnostic codes:
 *   SCHEMA-0001  not of the type            SCHEMA-0006  too few or too many items
 *   SCHEMA-0002  not a member of the enum   SCHEMA-0007  a number out of range
 *   SCHEMA-0003  not the constant           SCHEMA-0008  a string too short or too long
 *   SCHEMA-0004  a required property absent SCHEMA-0009  a string that does not match the pattern
 *   SCHEMA-0005  an unknown property        SCHEMA-0010  nested too deep */
#ifndef TRAMMEL_SDK_BASE_SCHEMA_H
#define TRAMMEL_SDK_BASE_SCHEMA_H

#include <jansson.h>

#include "sdk/base/diagnostic.h"
#include "sdk/base/error.h"

/* 0, or -EINVAL with a reason that names the keyword and its pointer. */
int schema_check(const json_t *schema, struct error **err);

/* Checks `value`: 0, or -EINVAL with a diagnostic (SCHEMA-0001…) for each violation that says what is allowed (for an
 * unknown property: the known ones; for an enum: its members). `file` is where the value came from, or NULL. */
int schema_validate(const json_t *schema, const json_t *value, const char *file, struct diagnostics *diagnostics);

/* Fills absent properties of `object` that have a default. 0 or -ENOMEM. */
int schema_fill_defaults(const json_t *schema, json_t *object);

/* Turns the text of `--set key=text` into a value of the type the schema gives the property (string, boolean, integer,
 * number, or JSON for list and map). `key` may be dotted (a.b.c) for nested objects. A new reference in `*ret_value`.
 * -EINVAL with a reason that names the key and the known ones. */
int schema_parse_value(const json_t *schema, const char *key, const char *text, json_t **ret_value, struct error **err);

#endif
