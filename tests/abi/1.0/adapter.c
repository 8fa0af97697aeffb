/* An adapter as one was built for ABI 1.0: with the header of that release, which is beside this file, the C library
 * and nothing else of this tree. Its messages are written byte by byte, as that release's contract has them (Protocol
 * Buffers, "Encoding"), because its adapters have that release's code for them, and not this tree's.
 *
 * Not to be changed with the tree: it stands for files that are on people's disks. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include <trammel/abi.h>

#define ID "minor-1-0"
#define VERSION "1.0.0"
#define MESH "released"

static const struct {
  Elf64_Nhdr head;
  char owner[sizeof TRAMMEL_NOTE_OWNER];
  trammel_note note;
} note __attribute__((section(".note.trammel"), aligned(4), used)) = {
    {sizeof TRAMMEL_NOTE_OWNER, sizeof(trammel_note), TRAMMEL_NOTE_TYPE},
    TRAMMEL_NOTE_OWNER,
    {1, 0, ID, VERSION, MESH},
};

struct trammel_instance {
  const trammel_host *host;
  const trammel_op_api *op;
  const trammel_log_api *log;
};
static struct trammel_instance instance;

struct message {
  char data[120]; /* so that every length fits a byte */
  size_t length;
};

static void put(struct message *message, unsigned field, const char *data, size_t length) {
  message->data[message->length++] = (char)(field << 3 | 2);
  message->data[message->length++] = (char)length;
  memcpy(message->data + message->length, data, length);
  message->length += length;
}

static void put_text(struct message *message, unsigned field, const char *text) {
  put(message, field, text, strlen(text));
}

static int send(const trammel_instance *own, trammel_op *op, const struct message *message) {
  return own->op->emit(op, (trammel_str){message->data, message->length}) == 0 ? TRAMMEL_OK : TRAMMEL_INTERNAL;
}

static int describe(const trammel_instance *own, trammel_op *op) {
  struct message answer = {.length = 0};
  put_text(&answer, 1, ID);
  put_text(&answer, 2, VERSION);
  put_text(&answer, 3, "Released");
  put_text(&answer, 4, MESH);
  put_text(&answer, 13, "Translate");
  return send(own, op, &answer);
}

/* One object, whose body tells how long the request was, one coverage, and a diagnostic. */
static int translate(const trammel_instance *own, trammel_str request, trammel_op *op) {
  struct message http = {.length = 0}, object = {.length = 0}, coverage = {.length = 0}, answer = {.length = 0};
  static const trammel_str code = {"RELEASED-0001", 13}, summary = {"as in 1.0", 9};
  const trammel_diagnostic diagnostic = {
      .size = sizeof diagnostic, .severity = TRAMMEL_WARNING, .code = code, .summary = summary};
  char body[32];
  (void)snprintf(body, sizeof body, "{\"bytes\":%zu}", request.n);
  put_text(&http, 1, "api");
  put_text(&http, 2, "PUT");
  put_text(&http, 3, "/v1/rules");
  put_text(&object, 1, "one");
  put(&object, 2, http.data, http.length);
  put_text(&object, 4, body);
  put_text(&coverage, 2, "/spec/rules/0");
  put(&answer, 1, object.data, object.length);
  put(&answer, 2, coverage.data, coverage.length);
  own->op->diagnose(op, &diagnostic);
  own->log->write(own->host, TRAMMEL_INFO, summary);
  return own->op->cancelled(op) || own->op->deadline_ns(op) <= 0 ? TRAMMEL_INTERNAL : send(own, op, &answer);
}

static bool is(trammel_str text, const char *wanted) {
  return text.n == strlen(wanted) && memcmp(text.p, wanted, text.n) == 0;
}

static int call(trammel_instance *own, trammel_str method, trammel_str request, trammel_op *op) {
  if (is(method, "Describe"))
    return describe(own, op);
  return is(method, "Translate") ? translate(own, request, op) : TRAMMEL_UNIMPLEMENTED;
}

static int create(const trammel_host *host, trammel_str config_json, trammel_instance **ret, trammel_op *op) {
  (void)config_json;
  (void)op;
  instance.host = host;
  instance.op = host->get(host, TRAMMEL_OP_SERVICE);
  instance.log = host->get(host, TRAMMEL_LOG_SERVICE);
  if (!instance.op || !TRAMMEL_HAS(instance.op, diagnose) || !instance.log || !TRAMMEL_HAS(instance.log, write))
    return TRAMMEL_FAILED_PRECONDITION;
  *ret = &instance;
  return TRAMMEL_OK;
}

static const void *get(trammel_instance *own, const char *extension_id) {
  (void)own;
  (void)extension_id;
  return NULL;
}

static void destroy(trammel_instance *own) {
  (void)own;
}

const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {
  static const trammel_adapter table = {.head = {sizeof table, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                        .id = {ID, sizeof ID - 1},
                                        .version = {VERSION, sizeof VERSION - 1},
                                        .create = create,
                                        .call = call,
                                        .get = get,
                                        .destroy = destroy};
  return host->abi_major == TRAMMEL_ABI_MAJOR ? &table : NULL;
}
