/* A message of gRPC out of JSON, by what describes it (protobuf's mapping to JSON). */
#ifndef TRAMMEL_HOST_LOAD_GRPC_JSON_H
#define TRAMMEL_HOST_LOAD_GRPC_JSON_H

#include "host/load/protoset.h"
#include "sdk/base/strbuf.h"

#define GRPC_JSON_DEPTH_MAX 64 /* of messages in messages */

/* Appends the message that "PACKAGE.SERVICE/METHOD" takes. Fields are called as in the .proto file or as in JSON;
 * numbers may be strings, bytes are base64, enumerations names or numbers; null is a field that is not set. Types that
 * have a JSON of their own (google.protobuf.Timestamp …) are given by their fields. -EINVAL and -ENOENT say which
 * field, and what is wanted. */
int grpc_json_encode(struct protoset_part set, const char *call, const char *json, struct strbuf *out,
                     struct error **err);

#endif
