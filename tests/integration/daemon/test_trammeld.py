"""trammeld as others see it: a client of Python's grpcio, which knows of the host's messages only what reflection says.

Usage: test_trammeld.py BUILD. TRAMMELD_KILLS (3) and TRAMMELD_WATCHERS (40) say how often it is killed, and how many
watch a run at the same time.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

try:
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    print("python3-grpcio is not installed")
    sys.exit(77)

BIN = sys.argv[1] + "/bin/"
KILLS = int(os.environ.get("TRAMMELD_KILLS", "3"))
WATCHERS = int(os.environ.get("TRAMMELD_WATCHERS", "40"))
LIMIT_S = 120
RUNNING, ENDED, CANCELLED, INTERRUPTED = 2, 3, 4, 5
QUICK = {"cases": ["split/http/omitted-backend"]}
LONG = {"groups": ["split"]}


def wait_for(what, condition, limit_s=LIMIT_S):
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "not in time: " + what
        time.sleep(0.02)


class Daemon:
    """A trammeld over a directory; it can be started again over the same."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="trammeld-")
        self.socket = self.directory + "/s"
        self.state = self.directory + "/state"
        self.start()

    def start(self):
        ready = self.directory + "/notify"
        if os.path.exists(ready):
            os.unlink(ready)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(ready)
            notified.settimeout(LIMIT_S)
            begun = time.monotonic()
            self.process = subprocess.Popen(
                [BIN + "trammeld", "--listen", "unix:" + self.socket, "--state-dir", self.state],
                env=dict(os.environ, NOTIFY_SOCKET=ready))
            assert notified.recv(64) == b"READY=1"
        self.ready_ms = (time.monotonic() - begun) * 1000
        self.channel = self.connect()

    def connect(self):
        return grpc.insecure_channel("unix:" + self.socket, [("grpc.use_local_subchannel_pool", 1)])

    def end(self, number):
        self.channel.close()
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def processes(self):
        """Those that were started for its runs, whoever is their parent now."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environment:
                    if b"TRAMMEL_STATE_DIR=" + self.state.encode() in environment.read().split(b"\0"):
                        found.append(pid)
            except OSError:
                pass
        return found

    def is_clean(self):
        journals = self.state + "/runs"
        return not self.processes() and not (os.path.isdir(journals) and os.listdir(journals))

    def remove(self):
        shutil.rmtree(self.directory)


# ---- reflection, by its encoding alone: "GRPC Server Reflection Protocol"

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """The fields of a message: number, and the content of those that have a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def content(data, number):
    return [value for key, value in fields(data) if key == number]


def text_field(number, text):
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def reflect(channel, version, requests):
    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    return list(channel.stream_stream(method)(iter(requests), timeout=LIMIT_S))


POOL = descriptor_pool.DescriptorPool()
FACTORY = message_factory.MessageFactory(POOL)


def learn(channel):
    """Every message that the host's services have, by full name."""
    names = set()
    for version in ("v1alpha", "v1"):
        listed, missing = reflect(channel, version, [text_field(7, ""), text_field(4, "trammel.v1.NoSuchThing")])
        services = [content(one, 1)[0].decode() for one in content(content(listed, 6)[0], 1)]
        assert "trammel.v1.RunService" in services and "grpc.health.v1.Health" in services, services
        assert next(fields(content(missing, 7)[0])) == (1, grpc.StatusCode.NOT_FOUND.value[0])
        for answer in reflect(channel, version, [text_field(4, name) for name in services]):
            file = descriptor_pb2.FileDescriptorProto.FromString(content(content(answer, 4)[0], 1)[0])
            if file.name not in names:
                POOL.Add(file)
                names.add(file.name)
    inner, = reflect(channel, "v1", [text_field(4, "trammel.v1.RunService.StartRun")])
    assert content(inner, 4), "a method is a symbol, too"
    return POOL


class Client:
    def __init__(self, pool, channel):
        self.pool, self.channel = pool, channel

    def message(self, name):
        return FACTORY.GetPrototype(self.pool.FindMessageTypeByName(name))

    def call(self, of, name, /, **arguments):
        method = self.pool.FindServiceByName(of).methods_by_name[name]
        asked = self.message(method.input_type.full_name)(**arguments)
        streams = name.startswith("Watch")
        kind = self.channel.unary_stream if streams else self.channel.unary_unary
        stub = kind(f"/{of}/{name}", request_serializer=type(asked).SerializeToString,
                    response_deserializer=self.message(method.output_type.full_name).FromString)
        return stub(asked, timeout=LIMIT_S)

    def run(self, name, /, **arguments):
        return self.call("trammel.v1.RunService", name, **arguments)

    def start(self, spec):
        return self.run("StartRun", spec=spec).run.id

    def events(self, run, after=0):
        return list(self.run("WatchRun", id=run, after=after))


def refused(code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error.details()
    raise AssertionError(f"{code} was expected")


# ---- tests

def check_health(client):
    status = client.call("grpc.health.v1.Health", "Check").status
    assert status == 1, status
    assert client.call("grpc.health.v1.Health", "Check", service="trammel.v1.RunService").status == 1
    refused(grpc.StatusCode.NOT_FOUND, client.call, "grpc.health.v1.Health", "Check", service="no.Such")
    assert next(iter(client.call("grpc.health.v1.Health", "Watch"))).status == 1


def check_adapters(client):
    listed = client.call("trammel.v1.AdapterService", "ListAdapters").adapters
    assert {"reference"} <= {one.id for one in listed if one.usable}, listed
    told = json.loads(subprocess.run([BIN + "trammel", "adapter", "list", "-o", "json"], check=True,
                                     capture_output=True).stdout)
    assert [one["digest"] for one in told] == [one.digest for one in listed]


def check_run(client):
    run = client.start(QUICK)
    events = client.events(run)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    kinds = [event.WhichOneof("what") for event in events]
    assert kinds[:2] == ["started", "planned"] and kinds[-1] == "ended", kinds
    assert kinds.count("case_ended") == kinds.count("case_started") == events[1].planned.planned > 0
    assert (events[-1].ended.state, events[-1].ended.exit_code) == (ENDED, 0), events[-1]
    assert client.events(run, after=2) == events[2:]
    assert client.events(run, after=len(events)) == []
    report = json.loads(client.run("GetReport", id=run).json)
    assert len(report["cases"]) == events[1].planned.planned
    view = client.run("GetRun", id=run).run
    assert (view.state, view.done, list(view.spec.cases)) == (ENDED, len(report["cases"]), QUICK["cases"]), view
    assert client.run("ListRuns", limit=1).runs[0].id == run


def check_refusals(client):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert "parallel" in refused(invalid, client.start, {"parallel": 33})
    refused(invalid, client.start, {"cases": ["x"] * 257})
    refused(invalid, client.start, {"mesh": "x" * 5000})
    refused(grpc.StatusCode.RESOURCE_EXHAUSTED, client.start, {"mesh": "x" * (2 << 20)})
    for method in ("GetRun", "CancelRun", "GetReport"):
        refused(grpc.StatusCode.NOT_FOUND, client.run, method, id="../../etc/passwd")
    refused(grpc.StatusCode.NOT_FOUND, client.events, "20200101T000000.000Z-00000000")
    refused(grpc.StatusCode.UNIMPLEMENTED, client.channel.unary_unary("/trammel.v1.RunService/NoSuch"), b"")
    bad = client.start({"mesh": "no-such-mesh"})
    ended = client.events(bad)[-1].ended
    assert ended.exit_code == 2 and "no-such-mesh" in ended.message, ended


def check_watchers(daemon, client):
    """Many watch, on connections of their own, and one goes away and comes again; all see the same."""
    run = client.start(dict(QUICK, hold_ms=1000))
    first = client.run("WatchRun", id=run)
    begun = [next(first), next(first)]
    first.cancel()
    seen = [None] * WATCHERS

    def watch(i):
        with daemon.connect() as channel:
            seen[i] = Client(client.pool, channel).events(run)

    threads = [threading.Thread(target=watch, args=(i,)) for i in range(WATCHERS)]
    for thread in threads:
        thread.start()
    events = begun + client.events(run, after=2)
    for thread in threads:
        thread.join(LIMIT_S)
    assert events[-1].WhichOneof("what") == "ended"
    assert all(one == events for one in seen)
    print(f"{WATCHERS} watchers: {daemon.resident_mib():.0f} MiB resident")


def check_cancel(client):
    run = client.start(LONG)
    queued = client.start(QUICK)
    refused(grpc.StatusCode.FAILED_PRECONDITION, client.run, "GetReport", id=run)
    wait_for("a case that ended", lambda: client.run("GetRun", id=run).run.done > 0)
    assert client.run("GetRun", id=queued).run.state == 1, "runs of one mesh wait for each other"
    client.run("CancelRun", id=queued)
    client.run("CancelRun", id=run)
    assert client.events(run)[-1].ended.state == CANCELLED
    assert client.events(queued)[-1].ended.state == CANCELLED
    assert json.loads(client.run("GetReport", id=run).json)["interrupted"]


def check_commands(daemon, client):
    """Our own client says the same."""
    def command(code, *arguments):
        ended = subprocess.run([BIN + "trammel", "runs", *arguments], capture_output=True, text=True, check=False,
                               timeout=LIMIT_S, env=dict(os.environ, TRAMMEL_SERVER="unix:" + daemon.socket))
        assert ended.returncode == code, ended
        return ended.stdout

    run = client.start(QUICK)
    events = [json.loads(line) for line in command(0, "attach", "-o", "json", run).splitlines()]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert (events[-1]["type"], events[-1]["state"]) == ("ended", "ended")
    assert [json.loads(line) for line in command(0, "attach", "-o", "json", "--after", "2", run).splitlines()] == \
        events[2:]
    assert command(0, "attach", "--after", str(len(events)), run) == ""
    assert json.loads(command(0, "show", "-o", "json", run))["exitCode"] == 0
    assert [one["id"] for one in json.loads(command(0, "list", "-o", "json"))] == \
        [one.id for one in client.run("ListRuns").runs]
    run = client.start(LONG)
    assert json.loads(command(0, "cancel", "-o", "json", run))["id"] == run
    assert command(3, "attach", run).splitlines()[-1] != ""
    command(2, "show", "no-such-run")
    command(3, "list", "--server", "unix:/no/such/socket")
    command(2, "list", "--server", "somewhere")


def check_other_users(daemon):
    """The check of whose a connection is, with nothing else in the way."""
    if os.geteuid() != 0:
        print("not root: connections of other users are not tried")
        return
    os.chmod(daemon.directory, 0o755)
    os.chmod(daemon.socket, 0o666)
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX) as other:
            other.settimeout(LIMIT_S)
            other.connect(daemon.socket)
            try:
                os._exit(0 if other.recv(1) == b"" else 1)
            except ConnectionResetError:
                os._exit(0)
            finally:
                os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0, "a connection of another user was served"
    os.chmod(daemon.socket, 0o600)
    os.chmod(daemon.directory, 0o700)


def check_starting(daemon):
    def fails(code, said, *arguments):
        ended = subprocess.run([BIN + "trammeld", *arguments], capture_output=True, text=True, timeout=LIMIT_S,
                               check=False)
        assert ended.returncode == code and said in ended.stderr, ended

    state = ["--state-dir", daemon.state + "-2"]
    fails(2, "network.certificate", "--listen", "0.0.0.0:4000", *state)
    fails(3, "another trammeld", "--listen", "unix:" + daemon.socket, *state)
    config = daemon.directory + "/config.yaml"
    for code, said, text in ((0, "", "limits: {runs: 2}\n"), (2, "runs", "limits: {runs: 0}\n"),
                             (2, "lissten", "lissten: unix:/x\n")):
        with open(config, "w", encoding="ascii") as file:
            file.write("logFormat: text\n" + text)
        fails(code, said, "--check-config", "--config", config, "--listen", "unix:/x/y", *state)
    open_to_all = daemon.directory + "/open"
    os.mkdir(open_to_all)
    os.chmod(open_to_all, 0o777)
    fails(3, "0700", "--listen", f"unix:{open_to_all}/s", *state)


def check_stop(daemon, pool):
    client = Client(pool, daemon.channel)
    run = client.start(LONG)
    wait_for("a case that ended", lambda: client.run("GetRun", id=run).run.done > 0)
    assert daemon.end(signal.SIGTERM) == 0
    assert daemon.is_clean() and not os.path.exists(daemon.socket)
    daemon.start()
    assert Client(pool, daemon.channel).run("GetRun", id=run).run.state == INTERRUPTED


def check_kill(daemon, pool, chance):
    client = Client(pool, daemon.channel)
    run = client.start(LONG)
    told = []

    def watch():
        try:
            for event in client.run("WatchRun", id=run):
                told.append(event)
        except grpc.RpcError:
            pass

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(chance.uniform(0, 3))
    daemon.process.kill()
    daemon.process.wait(LIMIT_S)
    watcher.join(LIMIT_S)
    daemon.channel.close()
    daemon.start()
    client = Client(pool, daemon.channel)
    assert client.run("GetRun", id=run).run.state == INTERRUPTED
    events = client.events(run)
    assert events[:len(told)] == told, "an event that was told is lost"
    assert events[-1].ended.state == INTERRUPTED
    wait_for("that nothing is left", daemon.is_clean)
    return len(told)


def main():
    seed = random.randrange(1 << 32)
    print("seed", seed)
    daemon = Daemon()
    idle = daemon.resident_mib()
    print(f"ready in {daemon.ready_ms:.0f} ms, {idle:.0f} MiB resident")
    try:
        pool = learn(daemon.channel)
        client = Client(pool, daemon.channel)
        for check in (check_health, check_adapters, check_run, check_refusals, check_cancel):
            check(client)
        check_watchers(daemon, client)
        check_commands(daemon, client)
        check_other_users(daemon)
        check_starting(daemon)
        check_stop(daemon, pool)
        chance = random.Random(seed)
        told = [check_kill(daemon, pool, chance) for _ in range(KILLS)]
        print(f"killed {KILLS} times, after events:", *told)
        assert daemon.end(signal.SIGTERM) == 0
        assert daemon.is_clean()
    finally:
        if daemon.process.poll() is None:
            daemon.process.terminate()
            daemon.process.wait(LIMIT_S)
        daemon.remove()


main()
