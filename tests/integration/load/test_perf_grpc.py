"""trammel perf run against a gRPC server that is not ours: Python's grpcio.

Usage: test_perf_grpc.py BUILD
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent import futures

try:
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
except ImportError:
    print("python3-grpcio is not installed")
    sys.exit(77)

TRAMMEL = sys.argv[1] + "/bin/trammel"
LIMIT_S = 60
received = []


def fail(request, context):
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more")


def metadata(request, context):
    if dict(context.invocation_metadata()).get("x-shop") != "7":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no x-shop")
    return request


def keep(request, context):
    received.append(request)
    return request


def half(request, context):
    yield request
    context.abort(grpc.StatusCode.ABORTED, "half of it")


def health(request, context):
    if request == b"\x0a\x03bad":
        return b"\x08\x02"
    if request:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
    return b"\x08\x01"


METHODS = {
    "/shop.Cart/Unary": grpc.unary_unary_rpc_method_handler(keep),
    "/shop.v1.Cart/Put": grpc.unary_unary_rpc_method_handler(keep),
    "/shop.Cart/Fails": grpc.unary_unary_rpc_method_handler(fail),
    "/shop.Cart/Metadata": grpc.unary_unary_rpc_method_handler(metadata),
    "/shop.Cart/Large": grpc.unary_unary_rpc_method_handler(lambda request, context: bytes(300000)),
    "/shop.Cart/Server": grpc.unary_stream_rpc_method_handler(lambda request, context: iter([request] * 5)),
    "/shop.Cart/Half": grpc.unary_stream_rpc_method_handler(half),
    "/shop.Cart/Client": grpc.stream_unary_rpc_method_handler(lambda requests, context: b"".join(requests)),
    "/shop.Cart/Both": grpc.stream_stream_rpc_method_handler(lambda requests, context: iter(requests)),
    "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(health),
}


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method)


def run(*options, code=None, calls=30):
    """What a run says; `code` None: that of its verdict."""
    received.clear()
    command = [TRAMMEL, "perf", "run", "--url", URL, "-o", "json", "--rate", "100", "-d", "%dms" % (10 * calls), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    result = json.loads(ended.stdout)
    expected = (0 if result["valid"] else 3) if code is None else code
    assert ended.returncode == expected, (command, ended.returncode, ended.stdout, ended.stderr)
    assert result["scheduled"] == result["completed"] + result["failed"] + result["censored"] == calls, result
    return result


def assert_calls(result, statuses, read, written):
    grpc_of = result["grpc"]
    assert grpc_of["statuses"] == statuses, result["errors"] or grpc_of
    assert (grpc_of["messagesRead"], grpc_of["messagesWritten"]) == (read, written), grpc_of
    assert result["failed"] == 0 and result["completed"] == sum(statuses.values()), result


MESSAGES = [
    {},
    {"aDouble": -1.5e300, "a_float": "-Infinity", "anInt32": -2147483648, "an_int64": "-9223372036854775808"},
    {"aUint32": 4294967295, "aUint64": "18446744073709551615", "aSint32": -2147483648, "aSint64": "-9223372036854775808"},
    {"aFixed32": 4294967295, "aFixed64": "18446744073709551615", "anSfixed32": -1, "anSfixed64": "-9223372036854775808"},
    {"aBool": True, "aString": "a\u00e4\u0000\U0001f600", "someBytes": "AP8Q", "colour": "COLOUR_BELOW", "kind": "LOUD"},
    {"someBytes": "AA==", "colour": 3, "anInt32": 7.0, "aDouble": "2.5", "aFloat": "NaN"},
    {"numbers": [1, -1, 0, 300], "lines": [{}, {"name": "x", "count": 2}], "right": 0, "perhaps": ""},
    {"byName": {"": {}, "k": {"count": 1}}, "byNumber": {"-5": "COLOUR_RED"}, "byTruth": {"true": "yes", "false": "no"}},
    {"line": {"note": {"text": "n" * 1000, "kind": 1}, "next": {"next": {"next": {"name": "deep"}}}}, "left": None},
]

REFUSED = [
    ("{\"nothing\": 1}", "no field 'nothing'"),
    ("{\"\": 1}", "no field ''"),
    ("{\"anInt32\": 2147483648}", "an_int32 is an integer of 32 bits"),
    ("{\"anInt32\": 1.5}", "an_int32 is an integer"),
    ("{\"anInt64\": \"9223372036854775808\"}", "an_int64 is an integer of 64"),
    ("{\"aUint32\": -1}", "a_uint32 is an integer from 0"),
    ("{\"aUint64\": \"18446744073709551616\"}", "a_uint64 is an integer from 0"),
    ("{\"aDouble\": \"x\"}", "a_double is a number"),
    ("{\"aBool\": 1}", "a_bool is true or false"),
    ("{\"aString\": 1}", "a_string is a string"),
    ("{\"someBytes\": \"A\"}", "some_bytes is base64"),
    ("{\"someBytes\": \"A===\"}", "some_bytes is base64"),
    ("{\"someBytes\": \"AA-_\"}", "some_bytes is base64"),
    ("{\"colour\": \"GREEN\"}", "colour is a name of its enumeration"),
    ("{\"line\": []}", "line is a message"),
    ("{\"numbers\": 1}", "numbers is repeated"),
    ("{\"byName\": []}", "by_name is a map"),
    ("{\"left\": \"\", \"right\": 1}", "oneof"),
    ("{\"aBool\": true, \"a_bool\": true}", "given twice"),
    ("{\"line\": " + "{\"next\": " * 70 + "{}" + "}" * 71, "too deep"),
    ("[]", "a JSON object"),
    ("{", "a JSON object"),
]


def usage(*options):
    command = [TRAMMEL, "perf", "run", "--url", URL, "--rate", "1", "-d", "10ms", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == 2, (command, ended.returncode, ended.stdout, ended.stderr)
    return ended.stderr


def check_json(directory):
    """Messages in JSON, encoded as protobuf's own library understands them."""
    described = directory + "/shop.set"
    source = os.path.dirname(os.path.abspath(__file__))
    subprocess.run(["protoc", "-I" + source, "--include_imports", "--descriptor_set_out=" + described,
                    source + "/shop.proto"], check=True)
    with open(described, "rb") as file:
        whole = file.read()
    pool = descriptor_pool.DescriptorPool()
    for one in descriptor_pb2.FileDescriptorSet.FromString(whole).file:
        pool.Add(one)
    order = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("shop.v1.Order"))
    call = ("--protoset", described, "--grpc", "shop.v1.Cart/Put")
    for message in MESSAGES:
        assert_calls(run(*call, "--body", json.dumps(message), calls=3), {"OK": 3}, 3, 3)
        expected = json_format.ParseDict(message, order())
        found = order.FromString(received[0])
        assert json_format.MessageToDict(found) == json_format.MessageToDict(expected), (message, found)
        assert len(set(received)) == 1
    for text, why in REFUSED:
        said = usage(*call, "--body", text)
        assert why in said, (text, said)
    assert "no service" in usage("--protoset", described, "--grpc", "shop.v1.Basket/Put")
    assert "no method" in usage("--protoset", described, "--grpc", "shop.v1.Cart/Get")
    assert "--grpc" in usage("--protoset", described)
    with open(directory + "/cut.set", "wb") as file:
        file.write(whole[:-1])
    assert "descriptor set" in usage("--protoset", directory + "/cut.set", "--grpc", "shop.v1.Cart/Put")


def main():
    with tempfile.TemporaryDirectory() as directory:
        check_json(directory)
    assert_calls(run("--grpc", "shop.Cart/Unary", "--body", "hello"), {"OK": 30}, 30, 30)
    assert received == [b"hello"] * 30, received
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\x08\x96\x01\x00" * 50000)
        body.flush()
        assert_calls(run("--grpc", "shop.Cart/Unary", "--body-file", body.name), {"OK": 30}, 30, 30)
        assert received == [b"\x08\x96\x01\x00" * 50000] * 30
    assert_calls(run("--grpc", "shop.Cart/Large", "--streams", "4", "-c", "2"), {"OK": 30}, 30, 30)
    assert_calls(run("--grpc", "shop.Cart/Server", "--body", "x"), {"OK": 30}, 150, 30)
    assert_calls(run("--grpc", "shop.Cart/Client", "--body", "xy", "--grpc-messages", "9"), {"OK": 30}, 30, 270)
    assert_calls(run("--grpc", "shop.Cart/Both", "--body", "xy", "--grpc-messages", "9"), {"OK": 30}, 270, 270)
    assert_calls(run("--grpc", "shop.Cart/Fails"), {"RESOURCE_EXHAUSTED": 30}, 0, 30)
    assert_calls(run("--grpc", "shop.Cart/Half", "--body", "x"), {"ABORTED": 30}, 30, 30)
    assert_calls(run("--grpc", "shop.Cart/Nothing"), {"UNIMPLEMENTED": 30}, 0, 30)
    assert_calls(run("--grpc", "shop.Cart/Metadata", "-H", "X-Shop: 7"), {"OK": 30}, 30, 30)
    assert_calls(run("--grpc", "shop.Cart/Metadata"), {"INVALID_ARGUMENT": 30}, 0, 30)
    assert_calls(run("--grpc-health"), {"OK": 30}, 30, 30)
    assert_calls(run("--grpc-health=gone"), {"NOT_FOUND": 30}, 0, 30)
    assert run("--grpc-health=bad", code=3)["errors"] == {"notServing": 30}


SERVER = grpc.server(futures.ThreadPoolExecutor(4))
SERVER.add_generic_rpc_handlers((Handler(),))
URL = "http://127.0.0.1:%d" % SERVER.add_insecure_port("127.0.0.1:0")
SERVER.start()
try:
    main()
finally:
    SERVER.stop(None)
