"""trammeld as others see it: a client of Python's grpcio, which knows of the host's messages only what reflection says.

Usage: test_trammeld.py BUILD. TRAMMELD_KILLS (10) and TRAMMELD_WATCHERS (40) say how often it is killed, and how many
watch a run at the same time.
"""
import glob
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
KILLS = int(os.environ.get("TRAMMELD_KILLS", "10"))
WATCHERS = int(os.environ.get("TRAMMELD_WATCHERS", "40"))
LIMIT_S = 120
RUNNING, ENDED, CANCELLED, INTERRUPTED = 2, 3, 4, 5
QUICK = {"cases": ["split/http/omitted-backend"]}
LONG = {"groups": ["split"], "hold_ms": 300}
LASTING = dict(LONG, hold_ms=2000)  # outlives what is done meanwhile


def wait_for(what, condition, limit_s=LIMIT_S):
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "not in time: " + what
        time.sleep(0.02)


class Daemon:
    """A trammeld over a directory; it can be started again over the same."""

    def __init__(self, state=None, configuration="{}"):
        self.directory = tempfile.mkdtemp(prefix="trammeld-")
        self.socket = self.directory + "/s"
        self.state = state or self.directory + "/state"
        self.config = self.directory + "/trammeld.yaml"
        self.log = self.directory + "/log"
        self.configure(configuration)
        self.start()

    def configure(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def said(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def start(self):
        ready = self.directory + "/notify"
        if os.path.exists(ready):
            os.unlink(ready)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(ready)
            notified.settimeout(LIMIT_S)
            begun = time.monotonic()
            with open(self.log, "a", encoding="utf-8") as log:
                self.process = subprocess.Popen(
                    [BIN + "trammeld", "--listen", "unix:" + self.socket, "--state-dir", self.state,
                     "--config", self.config],
                    env=dict(os.environ, NOTIFY_SOCKET=ready), stderr=log)
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
        """Ends it, unless that was done."""
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        print(self.said(), end="")
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
    assert view.adapter == "reference"
    assert client.run("ListRuns", limit=1).runs[0].id == run
    assert not client.run("ListRuns", before=run).runs
    assert [one.id for one in client.run("ListRuns", adapter="reference").runs] == [run]
    assert not client.run("ListRuns", adapter="consul").runs
    ended = [event.case_ended for event in events if event.WhichOneof("what") == "case_ended"]
    assert all(list(one.requirements) == ["SPL-05"] for one in ended), ended


def check_refusals(client):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert "parallel" in refused(invalid, client.start, {"parallel": 33})
    refused(invalid, client.start, {"cases": ["x"] * 257})
    refused(invalid, client.start, {"mesh": "x" * 5000})
    refused(grpc.StatusCode.RESOURCE_EXHAUSTED, client.start, {"mesh": "x" * (2 << 20)})
    for method in ("GetRun", "CancelRun", "GetReport"):
        refused(grpc.StatusCode.NOT_FOUND, client.run, method, id="../../etc/passwd")
    refused(grpc.StatusCode.NOT_FOUND, client.events, "20200101T000000.000Z-00000000")
    for suite in ("/etc", ".", "suites"):
        assert "baseline" in refused(invalid, client.start, {"suite": suite})
    raw = client.channel.unary_unary("/trammel.v1.RunService/GetRun")
    assert "UTF-8" in refused(invalid, raw, b"\x0a\x01\xff", timeout=LIMIT_S)
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
    queued = client.start(dict(QUICK, mesh="reference"))
    refused(grpc.StatusCode.FAILED_PRECONDITION, client.run, "GetReport", id=run)
    wait_for("a case that ended", lambda: client.run("GetRun", id=run).run.done > 0)
    assert client.run("GetRun", id=queued).run.state == 1, "runs of one mesh wait for each other, however it is spelled"
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
    page = daemon.directory + "/report.html"
    assert command(0, "report", run, "-o", "json", "-o", "html=" + page).encode() == \
        client.run("GetReport", id=run).json
    with open(page, encoding="utf-8") as file:
        assert QUICK["cases"][0] in file.read()
    assert "passed" in command(0, "report", run)
    command(2, "report", "no-such-run")
    assert [one["id"] for one in json.loads(command(0, "list", "-o", "json"))] == \
        [one.id for one in client.run("ListRuns").runs]
    run = client.start(LONG)
    command(3, "report", run)
    assert json.loads(command(0, "cancel", "-o", "json", run))["id"] == run
    with open(daemon.state + "/audit.jsonl", encoding="utf-8") as log:
        noted = [json.loads(line) for line in log]
    assert [one["what"].rsplit("/", 1)[1] for one in noted if one["about"] == "run " + run] == ["StartRun", "CancelRun"]
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
            try:
                other.settimeout(LIMIT_S)
                other.connect(daemon.socket)
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
    fails(3, "another trammeld listens", "--listen", "unix:" + daemon.socket, *state)
    fails(3, "another trammeld has the state directory", "--listen", f"unix:{daemon.directory}/other",
          "--state-dir", daemon.state)
    config = daemon.directory + "/config.yaml"
    for code, said, text in ((0, "", "limits: {runs: 2}\n"), (2, "runs", "limits: {runs: 0}\n"),
                             (0, "", "store: sqlite:/x/y.db\nname: host-1\nretention: {runs: 10, days: 30}\n"),
                             (2, "store", "store: mysql://host/x\n"), (2, "store", "storePasswordFile: /x\n"),
                             (2, "name", "name: two words\n"), (2, "days", "retention: {days: -1}\n"),
                             (2, "lissten", "lissten: unix:/x\n")):
        with open(config, "w", encoding="ascii") as file:
            file.write("logFormat: text\n" + text)
        fails(code, said, "--check-config", "--config", config, "--listen", "unix:/x/y", *state)
    open_to_all = daemon.directory + "/open"
    os.mkdir(open_to_all)
    os.chmod(open_to_all, 0o777)
    fails(3, "0700", "--listen", f"unix:{open_to_all}/s", *state)


def check_reload(daemon, client):
    """Limits are those of the configuration as it is; what cannot be used changes nothing."""
    def reload(text, said):
        daemon.configure(text)
        before = daemon.said().count(said)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(said, lambda: daemon.said().count(said) > before)

    first = client.start(LASTING)
    second = client.start(QUICK)
    reload("limits: {runsPerMesh: no}\n", "stays as it was")
    wait_for("a run that goes on", lambda: client.run("GetRun", id=first).run.state == RUNNING)
    assert client.run("GetRun", id=second).run.state == 1
    reload("limits: {runsPerMesh: 2}\nname: another\n", "name of the configuration has changed")
    assert client.events(second)[-1].ended.state == ENDED
    assert client.run("GetRun", id=first).run.state == RUNNING
    client.run("CancelRun", id=first)
    assert client.events(first)[-1].ended.state == CANCELLED
    reload("{}", "was read again")


class Disk:
    """A small disk of the test's own, which can be filled."""
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="trammeld-disk-")
        self.mounted = self.mount("size=4m", "-t", "tmpfs", "tmpfs")

    def mount(self, options, *arguments):
        return subprocess.run(["mount", "-o", options, *arguments, self.directory], check=False,
                              capture_output=True).returncode == 0

    def fill(self):
        with open(self.directory + "/full", "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def empty(self):
        os.unlink(self.directory + "/full")

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", self.directory], check=True)
        os.rmdir(self.directory)


def check_full_disk(pool):
    """What was told is there, the end is told once it could be kept, and then it goes on."""
    disk = Disk()
    if not disk.mounted:
        print("a disk of the test's own needs root: a full one is not tried")
        disk.remove()
        return
    daemon = Daemon(state=disk.directory + "/state")
    client = Client(pool, daemon.channel)
    try:
        run = client.start(LONG)
        watch = client.run("WatchRun", id=run)
        told = [next(watch) for _ in range(4)]

        def is_full(cause):
            """SQLite has room in its files for some more; what ends makes room, too."""
            disk.fill()
            return cause()

        wait_for("that the run is ended", lambda: is_full(lambda: "room" in client.run("GetRun", id=run).run.message))
        wait_for("its process to end", lambda: is_full(lambda: not daemon.processes()))
        taken = []

        def is_refused():
            try:
                taken.append(client.start(QUICK))
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "room" in error.details(), error
                return True
            client.run("CancelRun", id=taken[-1])
            return False

        wait_for("that a run is refused", lambda: is_full(is_refused))
        disk.empty()
        told += list(watch)
        assert (told[-1].ended.state, told[-1].ended.exit_code != 0) == (ENDED, True), told[-1]
        assert client.events(run) == told
        for one in taken:
            assert client.events(one)[-1].ended.state in (ENDED, CANCELLED)
        again = client.start(QUICK)
        assert client.events(again)[-1].ended.exit_code == 0
        assert daemon.end(signal.SIGTERM) == 0
        assert disk.mount("remount,ro")
        ended = subprocess.run([BIN + "trammeld", "--listen", "unix:" + daemon.socket, "--state-dir", daemon.state],
                               capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert ended.returncode == 3 and "ead-only" in ended.stderr, ended
        assert disk.mount("remount,rw")
        daemon.start()
        client = Client(pool, daemon.channel)
        assert client.events(run) == told
        assert [one.id for one in client.run("ListRuns").runs] == [again, *reversed(taken), run]
    finally:
        daemon.remove()
        disk.remove()


class Postgres:
    """A PostgreSQL server that wants a password."""
    def __init__(self, programs):
        self.programs = programs
        self.directory = tempfile.mkdtemp(prefix="trammeld-pg-")
        self.password = "p:w/%d" % random.randrange(1 << 32)
        self.secret = self.directory + "/password"
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(self.password + "\n")
        os.chmod(self.secret, 0o600)
        root = os.geteuid() == 0
        if root: # which the server refuses to be
            shutil.chown(self.directory, 65534, 65534)
            shutil.chown(self.secret, 65534, 65534)
        self.user = {"user": 65534, "group": 65534, "extra_groups": []} if root else {}
        subprocess.run([programs + "/initdb", "-D", self.directory + "/data", "-U", "trammel", "-A", "scram-sha-256",
                        "--pwfile", self.secret, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.directory, **self.user)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.programs + "/postgres", "-D", self.directory + "/data", "-k", self.directory, "-c",
             "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory, **self.user)
        wait_for("PostgreSQL", lambda: subprocess.run(
            [self.programs + "/pg_isready", "-q", "-h", self.directory], check=False).returncode == 0)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(LIMIT_S) == 0

    def url(self):
        return f"postgresql://trammel@/postgres?host={self.directory}"

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory)


def check_postgres(pool):
    """The same on PostgreSQL; its password is nobody's to see; it may be away for a while."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        print("no PostgreSQL server here: it is not tried")
        return
    server = Postgres(programs[-1])
    daemon = None
    try:
        daemon = Daemon(configuration=f"store: {server.url()}\nstorePasswordFile: {server.secret}\nname: host-1\n")
        client = Client(pool, daemon.channel)
        run = client.start(LONG)
        wait_for("a case that ended", lambda: client.run("GetRun", id=run).run.done > 0)
        for pid in [str(daemon.process.pid), *daemon.processes()]:
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    assert server.password.encode() not in file.read(), f"the password is in {name}"
        server.stop()
        client.run("CancelRun", id=run)
        server.start()
        events = client.events(run)
        assert events[-1].ended.state == CANCELLED
        daemon.process.kill()
        daemon.process.wait(LIMIT_S)
        daemon.channel.close()
        other = Daemon(configuration=f"store: {server.url()}\nstorePasswordFile: {server.secret}\nname: host-2\n")
        try:
            client = Client(pool, other.channel)
            assert client.events(run) == events, "hosts that share a store show each other's runs"
            assert client.run("ListRuns").runs[0].id == run
        finally:
            other.remove()
        os.chmod(server.secret, 0o644)
        ended = subprocess.run([BIN + "trammeld", "--listen", "unix:" + daemon.socket, "--state-dir", daemon.state,
                                "--config", daemon.config], capture_output=True, text=True, timeout=LIMIT_S,
                               check=False)
        assert ended.returncode == 3 and "0600" in ended.stderr, ended
        assert server.password not in daemon.said()
    finally:
        if daemon:
            daemon.remove()
        server.remove()


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
    run = client.start(LASTING)
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
        check_reload(daemon, client)
        check_full_disk(pool)
        check_postgres(pool)
        check_stop(daemon, pool)
        chance = random.Random(seed)
        told = [check_kill(daemon, pool, chance) for _ in range(KILLS)]
        print(f"killed {KILLS} times, after events:", *told)
        assert daemon.end(signal.SIGTERM) == 0
        assert daemon.is_clean()
    finally:
        daemon.remove()


main()
