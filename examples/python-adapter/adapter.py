#!/usr/bin/env python3
"""An adapter in Python: serves trammel.adapter.v1.Placement over TLS, with certificates of both sides.

This file is the contract's side: calls, statuses, diagnostics. What the adapter computes is in translation.py.
"""

import argparse
import importlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

try:
    import grpc
    import google.protobuf  # noqa: F401  (the generated messages need it)
except ImportError as missing:
    sys.exit(f"adapter.py needs the Debian packages python3-grpcio and python3-protobuf: {missing}")

HERE = pathlib.Path(__file__).resolve().parent
CALL = "/trammel.adapter.v1.Placement/Call"
MESSAGE_MAX = 64 << 20  # bytes, as the host's
WORKERS = 8  # calls at the same time; more wait
WARNING, ERROR = 2, 3  # severities of CallDiagnostic

ADAPTER_ID = "python-example"
ADAPTER_VERSION = "0.1.0"
CONFIG_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "trust_domain": {
            "type": "string",
            "default": "cluster.local",
            "minLength": 1,
            "maxLength": 253,
            "description": "The trust domain of the identities in policies",
        }
    },
}


def generate(proto_directory):
    """Makes the message classes of the contract's .proto files, and imports them."""
    target = tempfile.TemporaryDirectory(prefix="python-adapter-")
    names = ["smi", "adapter", "placement"]
    files = [f"trammel/adapter/v1/{name}.proto" for name in names]
    try:
        subprocess.run(
            ["protoc", f"-I{proto_directory}", f"--python_out={target.name}", *files], check=True
        )
    except FileNotFoundError:
        sys.exit("adapter.py needs protoc: the Debian package protobuf-compiler")
    except subprocess.CalledProcessError:
        sys.exit(f"adapter.py: --proto {proto_directory} does not hold the messages of the contract")
    sys.path.insert(0, target.name)
    modules = [importlib.import_module(f"trammel.adapter.v1.{name}_pb2") for name in names]
    target.cleanup()
    return modules


class Failure(Exception):
    """Ends a call with a status, and optionally diagnostics that say more."""

    def __init__(self, status, text, diagnostics=()):
        super().__init__(text)
        self.status, self.text, self.diagnostics = status, text, diagnostics


class Adapter:
    """Keeps nothing between calls: each brings the configuration along."""

    def __init__(self, smi, adapter, placement):
        self.smi, self.adapter, self.placement = smi, adapter, placement
        import translation

        self.translation = translation

    # ---- methods

    def describe(self):
        pb = self.adapter
        supported = [("access", 3), ("specs", 4), ("split", 4)]
        limits = {
            "access": ["Headers, and regular expressions that are no literal or prefix, are refused."],
            "specs": ["UDPRoutes are refused."],
            "split": ["Splits with matches are refused."],
        }
        return pb.DescribeResponse(
            adapter_id=ADAPTER_ID,
            adapter_version=ADAPTER_VERSION,
            mesh_name="Istio",
            mesh_type="istio",
            mesh_versions=[">=1.20"],
            smi=[
                pb.SmiSupport(
                    group=group,
                    version=f"v1alpha{version}",
                    support=pb.SUPPORT_TRANSLATED,
                    limits=limits[group],
                )
                for group, version in supported
            ],
            config_schema=json.dumps(CONFIG_SCHEMA).encode(),
            reentrant=True,
            summary="An example: traffic splits and access as objects of Istio, from Python",
            methods=["Translate"],
            kubernetes_kinds=[
                pb.KubernetesKind(api_version=api_version, kind=kind)
                for api_version, kind in (
                    ("networking.istio.io/v1", "VirtualService"),
                    ("security.istio.io/v1", "AuthorizationPolicy"),
                )
            ],
        )

    def configuration(self, text):
        """The host has checked it against CONFIG_SCHEMA; another caller may not have."""
        try:
            config = json.loads(text) if text else {}
        except ValueError as wrong:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"the configuration is no JSON: {wrong}")
        if not isinstance(config, dict) or set(config) - set(CONFIG_SCHEMA["properties"]):
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, "the configuration has keys that the schema has not")
        trust_domain = config.get("trust_domain", "cluster.local")
        if not isinstance(trust_domain, str) or not trust_domain:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, "trust_domain is no text")
        return {"trust_domain": trust_domain}

    def translate(self, request, config):
        result = self.translation.translate(self.adapter, self.smi, request, config["trust_domain"])
        refused = [c for c in result.coverage if c.level == self.adapter.COVERAGE_LEVEL_UNSUPPORTED]
        if refused and not request.options.allow_unsupported:
            raise Failure(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{refused[0].resource.kind} {refused[0].resource.namespace}/{refused[0].resource.name}: "
                f"{refused[0].reason}",
                [self.diagnostic(ERROR, "PYTHON-0001", c.pointer, c.reason) for c in refused],
            )
        return result

    # ---- the contract

    def diagnostic(self, severity, code, pointer, summary):
        return self.placement.CallDiagnostic(severity=severity, code=code, pointer=pointer, summary=summary)

    def parse(self, message_type, data):
        message = message_type()
        try:
            message.ParseFromString(data)
        except Exception as wrong:  # protobuf's own class moved between its versions
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"the request is no {message_type.__name__}: {wrong}")
        return message

    def answer(self, request):
        """The response message of a call; None for the one that makes an instance."""
        if request.method == "":
            self.configuration(request.request)
            return None
        config = self.configuration(request.config)
        if request.method == "Describe":
            return self.describe()
        if request.method == "Configure":
            self.configuration(self.parse(self.adapter.ConfigureRequest, request.request).config)
            return self.adapter.ConfigureResponse()
        if request.method == "Translate":
            return self.translate(self.parse(self.adapter.TranslateRequest, request.request), config)
        raise Failure(grpc.StatusCode.UNIMPLEMENTED, f"adapter {ADAPTER_ID} has no method {request.method}")

    def call(self, messages, context):
        """One Call: its first message is the request. This adapter asks the host for nothing."""
        pb = self.placement
        first = next(messages, None)
        try:
            if first is None or first.WhichOneof("body") != "request":
                raise Failure(grpc.StatusCode.INVALID_ARGUMENT, "a call begins with its request")
            answer = self.answer(first.request)
        except Failure as failure:
            for diagnostic in failure.diagnostics:
                yield pb.FromAdapter(diagnostic=diagnostic)
            context.set_code(failure.status)
            context.set_details(failure.text)
            return
        if answer is not None:
            yield pb.FromAdapter(message=answer.SerializeToString(deterministic=True))


def serve(arguments, adapter):
    pb = adapter.placement
    handler = grpc.stream_stream_rpc_method_handler(
        adapter.call,
        request_deserializer=pb.ToAdapter.FromString,
        response_serializer=pb.FromAdapter.SerializeToString,
    )
    service, method = CALL.strip("/").split("/")
    options = [("grpc.max_receive_message_length", MESSAGE_MAX), ("grpc.max_send_message_length", MESSAGE_MAX),
               ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    credentials = grpc.ssl_server_credentials(
        [(arguments.key.read_bytes(), arguments.cert.read_bytes())],
        root_certificates=arguments.client_ca.read_bytes(),
        require_client_auth=True,
    )
    host = arguments.listen.rpartition(":")[0]
    try:
        port = server.add_secure_port(arguments.listen, credentials)
    except RuntimeError as wrong:
        sys.exit(f"adapter.py: --listen {arguments.listen}: {wrong}")
    if port == 0:
        sys.exit(f"adapter.py: cannot listen on {arguments.listen}")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    print(f"serving adapter {ADAPTER_ID} at {host}:{port}", flush=True)
    ended.wait()
    server.stop(grace=1).wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="port 0: any that is free")
    parser.add_argument("--cert", required=True, type=pathlib.Path, help="this side's certificate, in PEM")
    parser.add_argument("--key", required=True, type=pathlib.Path, help="its private key, in PEM")
    parser.add_argument("--client-ca", required=True, type=pathlib.Path, help="who signs certificates of hosts")
    parser.add_argument("--proto", default=HERE.parent.parent / "proto", help="where trammel/adapter/v1 is")
    arguments = parser.parse_args()
    for path in (arguments.cert, arguments.key, arguments.client_ca):
        if not path.is_file():
            sys.exit(f"adapter.py: there is no file {path}")
    sys.path.insert(0, str(HERE))
    serve(arguments, Adapter(*generate(arguments.proto)))


if __name__ == "__main__":
    main()
