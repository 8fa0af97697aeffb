/* Values made from a JSON Schema. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_SCHEMA_VALUE_H
#define TRAMMEL_HOST_CERTIFY_SCHEMA_VALUE_H

#include <jansson.h>

#include "sdk/base/chance.h"

/* An object that fits the schema, made of `base`, which does: some properties are changed, left out or added. A new
 * reference; NULL without memory. */
json_t *schema_value_fitting(const json_t *schema, const json_t *base, struct chance *chance);

/* An object with what the schema requires, and some of what it does not. A new reference; NULL when none
 * was found that fits, because of a pattern and without a default, or without memory. */
json_t *schema_value_required(const json_t *schema, struct chance *chance);

/* An object that does not fit, made of `base`: an unknown property, or one of a wrong type. A new reference; NULL when
 * the schema lets everything pass, or without memory. */
json_t *schema_value_wrong(const json_t *schema, const json_t *base, struct chance *chance);

#endif
