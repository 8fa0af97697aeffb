"""trammel perf run against a gRPC server that is not ours: Python's grpcio.

Usage: test_perf_grpc.py BUILD
"""
import json
import subprocess
import sys
import tempfile
from concurrent import futures

try:
    import grpc
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


def run(*options, code=None):
    """What a run says; `code` None: that of its verdict."""
    command = [TRAMMEL, "perf", "run", "--url", URL, "-o", "json", "--rate", "100", "-d", "300ms", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    result = json.loads(ended.stdout)
    expected = (0 if result["valid"] else 3) if code is None else code
    assert ended.returncode == expected, (command, ended.returncode, ended.stdout, ended.stderr)
    assert result["scheduled"] == result["completed"] + result["failed"] + result["censored"] == 30, result
    return result


def assert_calls(result, statuses, read, written):
    grpc_of = result["grpc"]
    assert grpc_of["statuses"] == statuses, result["errors"] or grpc_of
    assert (grpc_of["messagesRead"], grpc_of["messagesWritten"]) == (read, written), grpc_of
    assert result["failed"] == 0 and result["completed"] == sum(statuses.values()), result


def main():
    assert_calls(run("--grpc", "shop.Cart/Unary", "--body", "hello"), {"OK": 30}, 30, 30)
    assert received == [b"hello"] * 30, received
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\x08\x96\x01\x00" * 50000)
        body.flush()
        received.clear()
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
