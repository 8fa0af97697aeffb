"""Meshery's services as its clients see them: messages are written down here anew, by their published field numbers, and
spoken by Python's grpcio.

Usage: test_meshery.py BUILD.
"""
import json
import queue
import shutil
import signal
import socket
import sys
import tempfile
import threading

from ready import start

try:
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    print("python3-grpcio is not installed")
    sys.exit(77)

BIN = sys.argv[1] + "/bin/"
LIMIT_S = 120
INFO, ERROR, VALIDATE = 0, 2, 3
PASSED = 0

# Message: fields by number. A name ending in * is repeated; a type that is no scalar is a message of the same package or,
# with a dot, of another one. Enumerations are numbers on the wire.
MESHES = {
    "MeshNameRequest": {},
    "MeshNameResponse": {1: "name:string"},
    "MeshVersionsRequest": {},
    "MeshVersionsResponse": {1: "version*:string"},
    "ApplyRuleRequest": {1: "opName:string", 2: "namespace:string", 3: "username:string", 4: "custom_body:string",
                         5: "delete_op:bool", 6: "operation_id:string", 7: "kube_configs*:string", 8: "version:string"},
    "ApplyRuleResponse": {1: "error:string", 2: "operation_id:string"},
    "SupportedOperationsRequest": {},
    "SupportedOperation": {1: "key:string", 2: "value:string", 3: "category:int32"},
    "SupportedOperationsResponse": {1: "ops*:SupportedOperation", 2: "error:string"},
    "EventsRequest": {},
    "EventsResponse": {1: "event_type:int32", 2: "summary:string", 3: "details:string", 4: "operation_id:string",
                       5: "probable_cause:string", 6: "suggested_remediation:string", 7: "error_code:string",
                       8: "component:string", 9: "component_name:string"},
    "ProcessOAMRequest": {1: "username:string"},
    "ProcessOAMResponse": {1: "message:string"},
    "ComponentInfoRequest": {},
    "ComponentInfoResponse": {1: "type:string", 2: "name:string", 3: "version:string", 4: "git_sha:string"},
}
# Of the time before `version` and the causes of events.
OLD_MESHES = dict(MESHES, ApplyRuleRequest={1: "opName:string", 6: "operation_id:string"},
                  EventsResponse={1: "event_type:int32", 2: "summary:string", 3: "details:string",
                                  4: "operation_id:string"})
CONFORMANCE = {
    "Empty": {},
    "ServiceInfo": {1: "name:string", 2: "version:string"},
    "ServiceHealth": {1: "status:int32"},
    "ServiceMesh": {1: "type:int32", 2: "version:string"},
    "CommonError": {1: "code:string", 2: "severity:string", 3: "shortDescription:string", 4: "longDescription:string"},
    "Request": {1: "mesh:ServiceMesh"},
    "Result": {1: "message:string", 2: "error:CommonError"},
    "Detail": {1: "smispec:string", 2: "specversion:string", 3: "assertion:string", 4: "duration:string",
               5: "result:Result", 6: "capability:int32", 7: "status:int32"},
    "Response": {1: "passpercent:string", 2: "casespassed:string", 3: "mesh:ServiceMesh", 5: "details*:Detail"},
}


def messages(package, table):
    """Classes of the messages of a table, by name."""
    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {"string": kinds.TYPE_STRING, "bool": kinds.TYPE_BOOL, "int32": kinds.TYPE_INT32}
    file = descriptor_pb2.FileDescriptorProto(name=package + ".proto", package=package, syntax="proto3")
    for name, fields in table.items():
        message = file.message_type.add(name=name)
        for number, field in fields.items():
            field, kind = field.split(":")
            added = message.field.add(name=field.rstrip("*"), number=number)
            added.label = kinds.LABEL_REPEATED if field.endswith("*") else kinds.LABEL_OPTIONAL
            if kind in scalars:
                added.type = scalars[kind]
            else:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"{package}.{name}")) for name in table}


class Client:
    def __init__(self, port, service, table):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.service = service
        self.types = messages(service.split(".")[0], table)

    def ask(self, method, asked, answered, **fields):
        call = self.channel.unary_unary(f"/{self.service}/{method}",
                                        request_serializer=self.types[asked].SerializeToString,
                                        response_deserializer=self.types[answered].FromString)
        return call(self.types[asked](**fields), timeout=LIMIT_S)

    def events(self):
        """A queue that events come to; and the call, which the host has taken."""
        call = self.channel.unary_stream(f"/{self.service}/StreamEvents",
                                         request_serializer=self.types["EventsRequest"].SerializeToString,
                                         response_deserializer=self.types["EventsResponse"].FromString)
        stream = call(self.types["EventsRequest"](), timeout=LIMIT_S)
        stream.initial_metadata()  # what follows is told
        taken = queue.Queue()

        def take():
            try:
                for event in stream:
                    taken.put(event)
            except grpc.RpcError:
                pass
            taken.put(None)

        threading.Thread(target=take, daemon=True).start()
        return taken, stream


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Daemon:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="meshery-")
        self.process = start(BIN + "trammeld", self.directory, self.configure)

    def configure(self, config):
        self.mesh, self.slow, self.other, self.conformance = free_ports(4)
        with open(config, "w", encoding="ascii") as out:
            out.write(f"meshery:\n  adapters:\n    - adapter: reference\n      port: {self.mesh}\n"
                      f"      groups: [metrics]\n"
                      f"    - adapter: reference\n      port: {self.slow}\n      groups: [split]\n"
                      f"    - adapter: istio\n      port: {self.other}\n  conformancePort: {self.conformance}\n")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0
        shutil.rmtree(self.directory)


def refused(code, ask, *args, **fields):
    try:
        ask(*args, **fields)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error.details()
    raise AssertionError("it was not refused")


def check_adapter(daemon):
    client = Client(daemon.mesh, "meshes.MeshService", MESHES)
    assert client.ask("MeshName", "MeshNameRequest", "MeshNameResponse").name == "reference"
    assert list(client.ask("MeshVersions", "MeshVersionsRequest", "MeshVersionsResponse").version)
    info = client.ask("ComponentInfo", "ComponentInfoRequest", "ComponentInfoResponse")
    assert (info.type, info.name) == ("adapter", "reference") and info.version
    ops = client.ask("SupportedOperations", "SupportedOperationsRequest", "SupportedOperationsResponse").ops
    assert [(op.key, op.category) for op in ops] == [("smi_conformance", VALIDATE)]
    why = refused(grpc.StatusCode.INVALID_ARGUMENT, client.ask, "ApplyOperation", "ApplyRuleRequest",
                  "ApplyRuleResponse", opName="istio-vet")
    assert "istio-vet" in why
    refused(grpc.StatusCode.UNIMPLEMENTED, client.ask, "ProcessOAM", "ProcessOAMRequest", "ProcessOAMResponse")
    # Istio wants a cluster: nothing that does not work is advertised, nor begun.
    other = Client(daemon.other, "meshes.MeshService", MESHES)
    assert not other.ask("SupportedOperations", "SupportedOperationsRequest", "SupportedOperationsResponse").ops
    refused(grpc.StatusCode.INVALID_ARGUMENT, other.ask, "ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse",
            opName="smi_conformance")
    # What may go on is ended whatever the adapter says by then.
    refused(grpc.StatusCode.NOT_FOUND, other.ask, "ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse",
            opName="smi_conformance", delete_op=True)


def last_event(taken, operation):
    """The event that tells of an operation's end."""
    while True:
        event = taken.get(timeout=LIMIT_S)
        assert event is not None, "the stream ended"
        if event.operation_id == operation and "begins" not in event.summary:
            return event


def check_operation(daemon):
    """Two clients, an old one and a new one, see one run, which begins, and ends as it does without them."""
    old = Client(daemon.mesh, "meshes.MeshService", OLD_MESHES)
    new = Client(daemon.mesh, "meshes.MeshService", MESHES)
    seen_old, stream_old = old.events()
    seen_new, stream_new = new.events()
    answer = old.ask("ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse", opName="smi_conformance",
                     operation_id="op-1")
    assert answer.operation_id == "op-1" and answer.error == ""
    first = seen_new.get(timeout=LIMIT_S)
    assert first.event_type == INFO and first.operation_id == "op-1" and "begins" in first.summary
    assert (first.component, first.component_name) == ("adapter", "reference")
    for taken in (seen_old, seen_new):
        end = last_event(taken, "op-1")
        assert end.event_type == INFO and "(100.00%)" in end.summary, end
    stream_new.cancel()
    stream_old.cancel()


def check_cancel(daemon):
    client = Client(daemon.slow, "meshes.MeshService", MESHES)
    seen, stream = client.events()
    answer = client.ask("ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse", opName="smi_conformance")
    assert answer.operation_id
    assert "begins" in seen.get(timeout=LIMIT_S).summary
    client.ask("ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse", opName="smi_conformance", delete_op=True)
    end = last_event(seen, answer.operation_id)
    assert end.event_type == ERROR and "cancelled" in end.summary, end
    stream.cancel()


def check_conformance(daemon):
    client = Client(daemon.conformance, "smi_conformance.conformanceTesting", CONFORMANCE)
    info = client.ask("Info", "Empty", "ServiceInfo")
    assert info.name == "Trammel" and info.version
    assert client.ask("Health", "Empty", "ServiceHealth").status == 1
    refused(grpc.StatusCode.INVALID_ARGUMENT, client.ask, "RunTest", "Request", "Response",
            mesh=client.types["ServiceMesh"](type=4))
    why = refused(grpc.StatusCode.INTERNAL, client.ask, "RunTest", "Request", "Response",
                  mesh=client.types["ServiceMesh"](type=3))
    assert "Plan" in why, why
    answer = client.ask("RunTest", "Request", "Response")
    details = list(answer.details)
    assert answer.passpercent == "100.00" and int(answer.casespassed) == len(details) > 5, answer.casespassed
    assert {detail.smispec for detail in details} == {"traffic-metrics"}
    assert {detail.specversion for detail in details} == {"v1alpha1"}
    for detail in details:
        assert detail.status == PASSED and detail.assertion and detail.result.message
        assert float(detail.duration.rstrip("s")) > 0


def check_audit(daemon):
    """What was begun and ended here is written down as any other."""
    with open(daemon.directory + "/state/audit.jsonl", encoding="utf-8") as log:
        entries = [json.loads(line) for line in log]
    apply, test = "/meshes.MeshService/ApplyOperation", "/smi_conformance.conformanceTesting/RunTest"
    assert {entry["who"] for entry in entries} == {"meshery"}
    assert [(entry["what"], entry["about"].split()[0]) for entry in entries] == [
        (apply, "run"), (apply, "run"), (apply, "adapter"), (test, "run"), (test, "run")], entries


def check_stop(daemon):
    """Clients that go on asking while it ends are refused, and it ends."""
    begun = threading.Semaphore(0)

    def ask():
        client = Client(daemon.slow, "meshes.MeshService", MESHES)
        goes_on = True
        while goes_on:
            try:
                client.ask("ApplyOperation", "ApplyRuleRequest", "ApplyRuleResponse", opName="smi_conformance")
            except grpc.RpcError as error:
                goes_on = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED or "is stopping" in error.details()
            begun.release()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        assert begun.acquire(timeout=LIMIT_S)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(LIMIT_S) == 0
    for asker in askers:
        asker.join(LIMIT_S)


def main():
    daemon = Daemon()
    try:
        check_adapter(daemon)
        check_operation(daemon)
        check_cancel(daemon)
        check_conformance(daemon)
        check_audit(daemon)
        check_stop(daemon)
    finally:
        daemon.end()


main()
