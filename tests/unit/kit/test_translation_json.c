/* A translation as JSON: what is as usual is left out, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host/kit/translation_json.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT
#define TEXT(value) ((char *)(uintptr_t)(value))

static ProtobufCBinaryData bytes(const char *text) {
  return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)TEXT(text)};
}

/* The translation of one object, as compact JSON. */
static void translates(PB(NativeObject) * object, const char *expected) {
  PB(TranslateResponse) response = PB_INIT(TRANSLATE_RESPONSE);
  response.objects = &object;
  response.n_objects = 1;
  json_t *json = translation_to_json(&response);
  assert_non_null(json);
  char *text = json_dumps(json_array_get(json_object_get(json, "objects"), 0), JSON_COMPACT | JSON_SORT_KEYS);
  assert_string_equal(text, expected);
  free(text);
  json_decref(json);
}

static PB(HttpObject) usual(void) {
  PB(HttpObject) http = PB_INIT(HTTP_OBJECT);
  http.endpoint = TEXT("api");
  http.method = TEXT("PUT");
  http.path = http.read_path = http.delete_path = TEXT("/a");
  http.content_type = TEXT("application/json");
  http.delete_method = TEXT("DELETE");
  return http;
}

static PB(NativeObject) over_http(PB(HttpObject) * http) {
  PB(NativeObject) object = PB_INIT(NATIVE_OBJECT);
  object.id = TEXT("a");
  object.wave = 1;
  object.transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP;
  object.http = http;
  object.body = bytes("{\"x\":1}");
  return object;
}

static void what_is_usual_is_left_out(void **state) {
  (void)state;
  PB(HttpObject) http = usual();
  PB(NativeObject) object = over_http(&http);
  translates(&object,
             "{\"body\":{\"x\":1},\"endpoint\":\"api\",\"id\":\"a\",\"request\":\"PUT /a\",\"sources\":[],\"wave\":1}");
}

static void an_identity_is_there(void **state) {
  (void)state;
  PB(HttpObject) http = usual();
  PB(NativeObject) object = over_http(&http);
  PB(HttpIdentity) identity = PB_INIT(HTTP_IDENTITY);
  PB(JsonMember) mark = PB_INIT(JSON_MEMBER);
  PB(JsonMember) * marks[] = {&mark};
  mark.pointer = TEXT("/by");
  mark.value = TEXT("us");
  identity.marks = marks;
  identity.n_marks = 1;
  identity.list_path = TEXT("/all");
  identity.match = marks;
  identity.n_match = 1;
  identity.id = TEXT("/id");
  identity.update_method = TEXT("PUT");
  identity.update_path = TEXT("/a/{id}");
  http.identity = &identity;
  translates(&object,
             "{\"body\":{\"x\":1},\"endpoint\":\"api\",\"id\":\"a\",\"identity\":{\"id\":\"/id\",\"list\":\"/all\","
             "\"marks\":{\"/by\":\"us\"},\"match\":{\"/by\":\"us\"},\"update\":\"PUT /a/{id}\"},"
             "\"request\":\"PUT /a\",\"sources\":[],\"wave\":1}");
}

static void what_is_not_usual_is_there(void **state) {
  (void)state;
  PB(HttpObject) http = usual();
  PB(NativeObject) object = over_http(&http);
  http.content_type = TEXT("text/plain");
  http.read_path = TEXT("");
  http.delete_method = TEXT("POST");
  http.delete_path = TEXT("/a/gone");
  object.body = bytes("no JSON");
  translates(&object,
             "{\"body\":\"no JSON\",\"contentType\":\"text/plain\",\"endpoint\":\"api\",\"id\":\"a\","
             "\"readPath\":\"\",\"removal\":\"POST /a/gone\",\"request\":\"PUT /a\",\"sources\":[],\"wave\":1}");
  http = usual();
  http.delete_method = TEXT("");
  object.body = bytes("1");
  translates(&object, "{\"body\":1,\"endpoint\":\"api\",\"id\":\"a\",\"removal\":\"none\",\"request\":\"PUT /a\","
                      "\"sources\":[],\"wave\":1}");
}

static void a_body_that_is_no_text_is_told(void **state) {
  (void)state;
  PB(HttpObject) http = usual();
  PB(NativeObject) object = over_http(&http);
  object.body = bytes("\xff\xfe");
  translates(&object,
             "{\"body\":\"2 bytes that are no UTF-8\",\"endpoint\":\"api\",\"id\":\"a\",\"request\":\"PUT /a\","
             "\"sources\":[],\"wave\":1}");
}

static void a_kubernetes_object_is_its_body(void **state) {
  (void)state;
  PB(KubernetesObject) kubernetes = PB_INIT(KUBERNETES_OBJECT);
  PB(NativeObject) object = PB_INIT(NATIVE_OBJECT);
  PB(ResourceRef) source = PB_INIT(RESOURCE_REF), *sources[] = {&source};
  source.kind = TEXT("TrafficSplit");
  source.namespace_ = TEXT("main");
  source.name = TEXT("s");
  object.id = TEXT("v1/Thing/main/t");
  object.transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES;
  object.kubernetes = &kubernetes;
  object.body = bytes("{\"kind\":\"Thing\"}");
  object.sources = sources;
  object.n_sources = 1;
  translates(&object, "{\"body\":{\"kind\":\"Thing\"},\"id\":\"v1/Thing/main/t\",\"sources\":[\"TrafficSplit main/s\"],"
                      "\"wave\":0}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_usual_is_left_out),
      cmocka_unit_test(what_is_not_usual_is_there),
      cmocka_unit_test(an_identity_is_there),
      cmocka_unit_test(a_body_that_is_no_text_is_told),
      cmocka_unit_test(a_kubernetes_object_is_its_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
