"""Who may call trammeld, as others see it: Python's grpcio over TLS and over the unix socket, messages by their encoding.

Usage: test_trammeld_auth.py BUILD
"""
import base64
import hashlib
import hmac
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    import grpc
except ImportError:
    print("python3-grpcio is not installed")
    sys.exit(77)

BIN = sys.argv[1] + "/bin/"
LIMIT_S = 120
PASSWORD = "correct horse battery"
AUTH = "/trammel.v1.AuthService/"
RUNS = "/trammel.v1.RunService/"
Code = grpc.StatusCode


# ---- messages: protocol buffers, "Encoding"

def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def encode(*values):
    """Fields 1, 2, …: texts and numbers; None for one that is missing."""
    out = b""
    for number, value in enumerate(values, 1):
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        elif value is not None:
            data = value if isinstance(value, bytes) else value.encode()
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def decode(data):
    """{number: [values]}; what has a length as bytes."""
    found, at = {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = take()
        value = take()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def call(channel, method, *values, token=None, metadata=None):
    """The answer's fields."""
    headers = [("authorization", "Bearer " + token)] if token else []
    answer = channel.unary_unary(method)(encode(*values), timeout=LIMIT_S, metadata=headers + (metadata or []))
    return decode(answer)


def refused(code, channel, method, *values, **more):
    """The status's text."""
    try:
        call(channel, method, *values, **more)
    except grpc.RpcError as error:
        assert error.code() == code, (method, error.code(), error.details())
        assert error.details(), method
        return error.details()
    raise AssertionError(f"{method} was not refused")


# ---- the host

def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".pem")


def make_certificate(directory, name, by):
    with open(f"{directory}/{name}.ext", "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".csr")
    openssl(directory, "x509", "-req", "-in", name + ".csr", "-CA", by + ".pem", "-CAkey", by + ".key", "-days", "2",
            "-CAcreateserial", "-extfile", name + ".ext", "-out", name + ".pem")


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Daemon:
    def __init__(self, directory, name, network, more=""):
        self.directory = directory
        self.socket = f"{directory}/{name}/s"
        self.state = f"{directory}/{name}-state"
        self.config = f"{directory}/{name}.yaml"
        self.log = f"{directory}/{name}.log"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"listen: unix:{self.socket}\nstateDirectory: {self.state}\nnetwork:\n")
            file.writelines(f"  {key}: {value}\n" for key, value in network.items())
            file.write(more)
        self.start()

    def start(self):
        ready = self.directory + "/notify"
        if os.path.exists(ready):
            os.unlink(ready)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, open(self.log, "w", encoding="utf-8") as log:
            notified.bind(ready)
            notified.settimeout(LIMIT_S)
            self.process = subprocess.Popen([BIN + "trammeld", "--config", self.config], stderr=log,
                                            env=dict(os.environ, NOTIFY_SOCKET=ready))
            assert notified.recv(64) == b"READY=1"
        with open(self.log, encoding="utf-8") as log:
            line = next(line for line in log if "TLS" in line)
        self.port = int(line.split(" over ")[0].split(" without ")[0].rsplit(":", 1)[1])
        self.local = grpc.insecure_channel("unix:" + self.socket, [("grpc.use_local_subchannel_pool", 1)])

    def connect(self, authority, name=None):
        own = (read(f"{self.directory}/{name}.key"), read(f"{self.directory}/{name}.pem")) if name else (None, None)
        credentials = grpc.ssl_channel_credentials(read(f"{self.directory}/{authority}.pem"), *own)
        return grpc.secure_channel(f"localhost:{self.port}", credentials, [("grpc.use_local_subchannel_pool", 1)])

    def end(self):
        self.local.close()
        self.process.terminate()
        assert self.process.wait(LIMIT_S) == 0


# ---- what is refused at the start

def check_starts(directory):
    def start(config, *arguments):
        path = directory + "/bad.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        process = subprocess.run([BIN + "trammeld", "--check-config", "--config", path, "--state-dir", directory + "/x",
                                  "--listen", f"unix:{directory}/x/s", *arguments],
                                 stderr=subprocess.PIPE, encoding="utf-8", timeout=LIMIT_S, check=False)
        return process.returncode, process.stderr

    tls = f"certificate: {directory}/host.pem, key: {directory}/host.key"
    for config, arguments, expected in (
            ("", ("--listen", "0.0.0.0:0"), "network.certificate"),
            ("", ("--listen", "[::]:0"), "network.certificate"),
            ("", ("--listen", "127.0.0.1:0"), "network.withoutTls"),
            ("network: {withoutTls: true}", ("--listen", "0.0.0.0:0"), "network.certificate"),
            ("network: {withoutTls: true}", (), "network.listen"),
            ("network: {listen: '127.0.0.1:0', key: /k}", (), "go together"),
            ("network: {listen: '127.0.0.1:0', withoutTls: true, %s}" % tls, (), "contradicts"),
            ("network: {listen: '127.0.0.1:0', clientAuthorities: /c}", (), "clientAuthorities"),
            ("", ("--listen", "localhost"), "HOST:PORT"),
            ("", ("--listen", "localhost:99999"), "HOST:PORT"),
            ("", ("--listen", "::1:80"), "HOST:PORT")):
        code, said = start(config, *arguments)
        assert code == 2 and expected in said, (config, arguments, code, said)
    assert start("network: {%s}" % tls, "--listen", "0.0.0.0:0") == (0, "")
    assert start("network: {withoutTls: true}", "--listen", "127.0.0.1:0") == (0, "")


def check_files(directory):
    def start():
        process = subprocess.run([BIN + "trammeld", "--config", directory + "/bad.yaml"], stderr=subprocess.PIPE,
                                 encoding="utf-8", timeout=LIMIT_S, check=False)
        return process.returncode, process.stderr

    with open(directory + "/bad.yaml", "w", encoding="utf-8") as file:
        file.write(f"listen: unix:{directory}/x/s\nstateDirectory: {directory}/x-state\nnetwork: {{listen: 'localhost:0', "
                   f"certificate: {directory}/mutual.pem, key: {directory}/mutual.key, "
                   f"clientAuthorities: {directory}/big.pem}}\n")
    with open(directory + "/big.pem", "wb") as file:
        file.truncate((1 << 20) + 1)
    code, said = start()
    assert code == 3 and "bytes" in said, (code, said)
    os.chmod(directory + "/mutual.key", 0o644)
    code, said = start()
    assert code == 3 and "chmod" in said, (code, said)
    os.chmod(directory + "/mutual.key", 0o600)


def check_reload(daemon):
    """What only a new start takes is told."""
    before = read(daemon.config)
    with open(daemon.config, "ab") as file:
        file.write(b"rest: {withoutAuthentication: true, port: 1}\n"
                   b"meshery: {adapters: [{adapter: istio, port: 2}]}\n")
    with open(daemon.config, "rb") as file:
        changed = file.read().replace(b"host.key", b"other.key")
    with open(daemon.config, "wb") as file:
        file.write(changed)
    daemon.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + LIMIT_S
    while b"read again" not in read(daemon.log):
        assert time.monotonic() < until, read(daemon.log)
        time.sleep(0.05)
    for name in (b"network.key", b"rest.withoutAuthentication", b"rest.port", b"meshery"):
        assert name + b" of the configuration" in read(daemon.log), read(daemon.log)
    with open(daemon.config, "wb") as file:
        file.write(before)


# ---- who is not known

def check_nobody(channel):
    assert call(channel, "/grpc.health.v1.Health/Check", "")[1] == [1]
    for method in (RUNS + "ListRuns", RUNS + "StartRun", "/trammel.v1.AdapterService/ListAdapters", AUTH + "WhoAmI",
                   AUTH + "ListUsers", AUTH + "CreateToken", RUNS + "NoSuchMethod", "/no.such.Service/Method"):
        assert "trammel login" in refused(Code.UNAUTHENTICATED, channel, method), method
    watch = channel.unary_stream(RUNS + "WatchRun")(encode("x"), timeout=LIMIT_S)
    reflection = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")(
        iter([encode(None, None, None, None, None, None, "")]), timeout=LIMIT_S)
    health = channel.unary_stream("/grpc.health.v1.Health/Watch")(encode(""), timeout=LIMIT_S)
    for stream in (watch, reflection, health):
        try:
            list(stream)
            raise AssertionError("a stream was not refused")
        except grpc.RpcError as error:
            assert error.code() == Code.UNAUTHENTICATED, error


def check_memory(daemon, channel):
    """gRPC looks at a message's length when it has all of it, and who sends it is known later still."""
    def most():
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))

    before = most()
    refused(Code.RESOURCE_EXHAUSTED, channel, AUTH + "Login", "x" * (192 << 20))
    assert most() - before < 150, (before, most())


# ---- tokens that are not what they say

def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).decode().rstrip("=")


def forged(token):
    """Forgeries of a token that holds."""
    header, claims, signature = token.split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "=="))
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    admin = b64(dict(body, sub="root"))
    for algorithm in ("none", "None", "nOnE"):
        yield b64(dict(head, alg=algorithm)) + "." + admin + "."
    for secret in (b"", head["kid"].encode(), b"secret"):
        signed = b64(dict(head, alg="HS256")) + "." + admin
        yield signed + "." + b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())
    yield header + "." + admin + "." + signature
    yield header + "." + claims + "."
    yield header + "." + claims + "." + b64(bytes(64))
    yield header + "." + b64(dict(body, exp=body["exp"] + 86400)) + "." + signature
    yield b64(dict(head, kid="another")) + "." + claims + "." + signature
    yield b64(dict(head, alg="ES256")) + "." + claims + "." + signature
    yield b64(json.dumps(head).replace('"alg"', '"alg": "none", "alg"').encode()) + "." + claims + "." + signature
    yield token + "."
    yield token + "." + signature
    yield token + "x"
    yield token[:-4]
    yield claims
    yield "x" * 6000
    yield ""


# ---- users, roles, logins

def grant(answer):
    fields = decode(answer[1][0])
    return fields[3][0].decode(), fields[5][0].decode()


def check_users(daemon, channel):
    call(daemon.local, AUTH + "AddUser", "root", "admin", PASSWORD)
    call(daemon.local, AUTH + "AddUser", "bob", "viewer", PASSWORD)
    assert "bob" in refused(Code.ALREADY_EXISTS, daemon.local, AUTH + "AddUser", "bob", "viewer", PASSWORD)
    refused(Code.INVALID_ARGUMENT, daemon.local, AUTH + "AddUser", "x y", "viewer", PASSWORD)
    refused(Code.INVALID_ARGUMENT, daemon.local, AUTH + "AddUser", "carol", "king", PASSWORD)
    refused(Code.INVALID_ARGUMENT, daemon.local, AUTH + "AddUser", "carol", "viewer", "short")
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Login", "bob", "wrong password")
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Login", "nobody", PASSWORD)
    access, refresh = grant(call(channel, AUTH + "Login", "bob", PASSWORD))
    me = call(channel, AUTH + "WhoAmI", token=access)
    assert (me[1], me[3]) == ([b"bob"], [b"viewer"]), me
    assert call(daemon.local, AUTH + "WhoAmI")[1] == [b"uid %d" % os.getuid()]
    assert call(daemon.local, AUTH + "WhoAmI", token=access)[1] == [b"bob"]
    call(channel, RUNS + "ListRuns", token=access)
    said = refused(Code.PERMISSION_DENIED, channel, RUNS + "StartRun", token=access)
    assert "operator" in said and "viewer" in said, said
    for method in ("AddUser", "ListUsers", "SetRole", "RemoveUser"):
        assert "admin" in refused(Code.PERMISSION_DENIED, channel, AUTH + method, token=access)
    refused(Code.PERMISSION_DENIED, channel, AUTH + "SetPassword", "root", PASSWORD, token=access)
    refused(Code.PERMISSION_DENIED, channel, AUTH + "CreateToken", "t", "admin", 60, token=access)
    call(daemon.local, AUTH + "SetRole", "bob", "operator")  # which holds at once
    assert call(channel, AUTH + "WhoAmI", token=access)[3] == [b"operator"]
    call(daemon.local, AUTH + "SetRole", "bob", "viewer")
    return access, refresh


def check_forged(channel, access):
    count = 0
    for token in forged(access):
        said = refused(Code.UNAUTHENTICATED, channel, RUNS + "ListRuns", metadata=[("authorization", "Bearer " + token)])
        assert not token or token not in said
        count += 1
    twice = [("authorization", "Bearer " + access)] * 2
    refused(Code.UNAUTHENTICATED, channel, RUNS + "ListRuns", metadata=twice)
    refused(Code.UNAUTHENTICATED, channel, RUNS + "ListRuns", metadata=[("authorization", "Basic " + access)])
    call(channel, RUNS + "ListRuns", token=access)
    return count


def check_renewal(channel, refresh):
    access, second = grant(call(channel, AUTH + "Renew", refresh))
    call(channel, AUTH + "WhoAmI", token=access)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "WhoAmI", token=second)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Renew", refresh)  # a replay, which ends the login
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Renew", second)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Renew", "")
    access, refresh = grant(call(channel, AUTH + "Login", "bob", PASSWORD))
    call(channel, AUTH + "Logout", refresh)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Renew", refresh)
    return access


def check_tokens(daemon, channel, access):
    made = call(channel, AUTH + "CreateToken", "ci", "viewer", 3600, token=access)
    text, one = made[2][0].decode(), decode(made[1][0])[1][0].decode()
    assert text.startswith("trammel_api_")
    assert call(channel, AUTH + "WhoAmI", token=text)[1] == [b"token ci"]
    refused(Code.PERMISSION_DENIED, channel, AUTH + "CreateToken", "more", "viewer", 3600, token=text)
    call(daemon.local, AUTH + "CreateToken", "other", "admin", 3600)
    assert len(call(channel, AUTH + "ListTokens", token=access)[1]) == 1  # the own one
    tokens = call(daemon.local, AUTH + "ListTokens")[1]
    assert len(tokens) == 2 and not any(text.encode() in token for token in tokens)
    other = decode(tokens[1])[1][0].decode()
    refused(Code.NOT_FOUND, channel, AUTH + "RevokeToken", other, token=access)
    call(channel, AUTH + "RevokeToken", one, token=access)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "WhoAmI", token=text)
    made = call(daemon.local, AUTH + "CreateToken", "short", "viewer", 1)
    time.sleep(1.1)
    assert "expired" in refused(Code.UNAUTHENTICATED, channel, AUTH + "WhoAmI", token=made[2][0].decode())


def check_passwords(daemon, channel, access):
    refused(Code.UNAUTHENTICATED, channel, AUTH + "SetPassword", "", "another long one", "wrong", token=access)
    call(channel, AUTH + "SetPassword", "", "another long one", PASSWORD, token=access)
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Login", "bob", PASSWORD)
    call(daemon.local, AUTH + "SetPassword", "bob", PASSWORD)
    call(channel, AUTH + "Login", "bob", PASSWORD)


def check_guessing(channel):
    """Each failure after the fifth doubles the waiting, so that also a slow machine comes to it."""
    for guess in range(20):
        try:
            call(channel, AUTH + "Login", "root", "guess")
            raise AssertionError("a guess was right")
        except grpc.RpcError as error:
            if error.code() == Code.RESOURCE_EXHAUSTED:
                assert guess >= 5 and "wait" in error.details(), (guess, error.details())
                break
            assert error.code() == Code.UNAUTHENTICATED, error
    else:
        raise AssertionError("who guesses does not have to wait")
    call(channel, AUTH + "Login", "bob", PASSWORD)


# ---- TLS

def check_tls(daemon, channel):
    refused(Code.UNAVAILABLE, daemon.connect("other"), "/grpc.health.v1.Health/Check", "")  # an authority of others
    plain = grpc.insecure_channel(f"localhost:{daemon.port}", [("grpc.use_local_subchannel_pool", 1)])
    refused(Code.UNAVAILABLE, plain, "/grpc.health.v1.Health/Check", "")
    for version in ("-tls1", "-tls1_1"):
        process = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", version],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=LIMIT_S, check=False)
        assert process.returncode != 0, version
    refused(Code.RESOURCE_EXHAUSTED, channel, AUTH + "Login", "bob", "x" * (2 << 20))
    big = "x" * 900000  # many records of TLS, both ways
    refused(Code.NOT_FOUND, daemon.local, RUNS + "GetRun", "x")
    assert call(channel, "/grpc.health.v1.Health/Check", "")[1] == [1]
    refused(Code.UNAUTHENTICATED, channel, AUTH + "Login", "bob", big)


def check_new_certificate(daemon, channel):
    """The files change while it serves: who connects then sees the new ones; connections go on."""
    make_certificate(daemon.directory, "next", "other")
    for kind in ("key", "pem"):
        os.replace(f"{daemon.directory}/next.{kind}", f"{daemon.directory}/host.{kind}")
    until = time.monotonic() + LIMIT_S
    while True:
        fresh = daemon.connect("other")
        try:
            assert call(fresh, "/grpc.health.v1.Health/Check", "")[1] == [1]
            break
        except grpc.RpcError:
            assert time.monotonic() < until
            time.sleep(0.2)
        finally:
            fresh.close()
    assert call(channel, "/grpc.health.v1.Health/Check", "")[1] == [1]


def check_clients(directory):
    """Clients that have to show a certificate; a token they need all the same."""
    daemon = Daemon(directory, "mutual", {"listen": "localhost:0", "certificate": directory + "/mutual.pem",
                                          "key": directory + "/mutual.key", "clientAuthorities": directory + "/ca.pem"})
    try:
        make_certificate(directory, "stranger", "other")
        make_certificate(directory, "client", "ca")
        for name in (None, "stranger"):
            refused(Code.UNAVAILABLE, daemon.connect("ca", name), "/grpc.health.v1.Health/Check", "")
        channel = daemon.connect("ca", "client")
        assert call(channel, "/grpc.health.v1.Health/Check", "")[1] == [1]
        refused(Code.UNAUTHENTICATED, channel, RUNS + "ListRuns")
        channel.close()
    finally:
        daemon.end()


def check_places(directory):
    """Who is on this machine gets in while the network fills all that it may have."""
    daemon = Daemon(directory, "full", {"listen": "127.0.0.1:0", "withoutTls": "true"}, "limits: {connections: 2}\n")
    try:
        with socket.create_connection(("127.0.0.1", daemon.port), LIMIT_S) as first:
            assert first.recv(1)  # SETTINGS: it is served
            with socket.create_connection(("127.0.0.1", daemon.port), LIMIT_S) as second:
                assert second.recv(1) == b""
            assert call(daemon.local, AUTH + "WhoAmI")[3] == [b"admin"]
    finally:
        daemon.end()


# ---- the command line

class Cli:
    """trammel with a configuration of its own."""

    def __init__(self, directory):
        self.config = directory + "/config"
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("TRAMMEL_")}
        self.environment["XDG_CONFIG_HOME"] = self.config

    def run(self, *words, given="", code=0, **environment):
        process = subprocess.run([BIN + "trammel", *words], input=given, env=dict(self.environment, **environment),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=LIMIT_S,
                                 check=False)
        assert process.returncode == code, (words, process)
        return process.stdout if code == 0 else process.stderr

    def login_files(self):
        directory = self.config + "/trammel/logins/"
        return [directory + name for name in sorted(os.listdir(directory)) if name.endswith(".json")]

    def prompt(self, *words, answers):
        """At a terminal: what it showed."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(BIN + "trammel", ["trammel", *words], self.environment)
        shown = b""
        answers = list(answers)
        while True:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
            if answers and shown.endswith(b": "):
                os.write(terminal, answers.pop(0).encode() + b"\n")
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
        return shown.decode()


def age(path):
    """As if the access token were about to end."""
    with open(path, encoding="utf-8") as file:
        login = json.load(file)
    login["accessEndUnixMs"] = 1
    with open(path, "w", encoding="utf-8") as file:
        json.dump(login, file)
    return login["refreshToken"]


def check_cli(daemon):
    cli = Cli(daemon.directory)
    local = ["--server", "unix:" + daemon.socket]
    remote = ["--server", f"localhost:{daemon.port}"]
    cli.run("user", "add", "eve", "--role", "operator", "--password-stdin", *local, given=PASSWORD + "\n")
    assert "already" in cli.run("user", "add", "eve", "--password-stdin", *local, given=PASSWORD + "\n", code=2)
    assert "12" in cli.run("user", "add", "fred", "--password-stdin", *local, given="short\n", code=2)
    names = [user["name"] for user in json.loads(cli.run("user", "list", "-o", "json", *local))]
    assert names == sorted(names) and "eve" in names
    assert "eve" in cli.run("user", "list", *local)
    cli.run("whoami", *remote, code=3)  # its authority is not known yet
    text = cli.run("token", "create", "first", "--days", "1", *local).strip()  # which needs no login
    shown = cli.run("whoami", *remote, "--ca", daemon.directory + "/other.pem", TRAMMEL_TOKEN=text)
    assert "token first" in shown, shown
    cli.run("runs", "list", *remote, "--cert", "x", code=2)
    login = ["login", *remote, "--ca", daemon.directory + "/other.pem"]
    assert "wrong" in cli.run(*login, "eve", "--password-stdin", given="not the password\n", code=3)
    shown = cli.prompt(*login, "eve", answers=[PASSWORD])
    assert PASSWORD not in shown and "operator" in shown, shown
    (path,) = cli.login_files()
    assert os.stat(path).st_mode & 0o777 == 0o600 and PASSWORD.encode() not in read(path)
    me = json.loads(cli.run("whoami", "-o", "json", *remote))
    assert me == {"name": "eve", "user": "eve", "role": "operator"}, me
    assert "eve" in cli.run("whoami", TRAMMEL_SERVER=remote[1])
    cli.run("runs", "list", *remote)
    assert "admin" in cli.run("user", "list", *remote, code=3)

    before = age(path)  # renewed without asking, by one of several at the same time
    several = [subprocess.Popen([BIN + "trammel", "whoami", *remote], env=cli.environment, stdout=subprocess.DEVNULL)
               for _ in range(4)]
    assert [process.wait(LIMIT_S) for process in several] == [0] * 4
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["refreshToken"] != before

    text = cli.run("token", "create", "ci", "--days", "1", *remote).strip()
    assert json.loads(cli.run("whoami", "-o", "json", *remote, TRAMMEL_TOKEN=text))["name"] == "token ci"
    before = age(path)  # a token needs no login, and renews none
    cli.run("whoami", *remote, TRAMMEL_TOKEN=text)
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["refreshToken"] == before
    tokens = json.loads(cli.run("token", "list", "-o", "json", *remote))
    assert [token["name"] for token in tokens] == ["ci"] and text not in json.dumps(tokens)
    assert tokens[0]["id"] in cli.run("token", "list", *remote)
    cli.run("token", "revoke", tokens[0]["id"], *remote)
    assert "revoked" in cli.run("whoami", *remote, code=3, TRAMMEL_TOKEN=text)
    assert "operator" in cli.run("token", "create", "ci", "--role", "admin", *remote, code=3)

    os.chmod(path, 0o644)
    assert "0600" in cli.run("whoami", *remote, code=3)
    os.chmod(path, 0o600)
    cli.run("user", "role", "eve", "viewer", *local)
    assert "viewer" in cli.run("whoami", *remote)
    cli.run("user", "passwd", *remote, "--password-stdin", given=PASSWORD + "\nanother long one\n")
    age(path)
    assert "log in again" in cli.run("whoami", *remote, code=3)
    cli.run("login", *remote, "--ca", daemon.directory + "/other.pem", "eve", "--password-stdin",
            given="another long one\n")
    cli.run("logout", *remote)
    assert not cli.login_files()
    assert "no login" in cli.run("logout", *remote, code=2)
    cli.run("user", "remove", "eve", *local)
    cli.run("user", "remove", "eve", *local, code=2)
    assert "no address" in cli.run("whoami", "--server", "nowhere", code=2)


# ---- what is written down

def check_audit(daemon, secrets):
    path = daemon.state + "/audit.jsonl"
    assert os.stat(path).st_mode & 0o777 == 0o600
    text = read(path).decode()
    entries = [json.loads(line) for line in text.splitlines()]
    for secret in secrets + [PASSWORD]:
        assert secret not in text
    logins = [entry for entry in entries if entry["what"] == AUTH + "Login" and entry["about"] == "user bob"]
    assert {entry["status"] for entry in logins} >= {0, 16}, logins
    assert all(entry["from"].startswith("127.0.0.1:") or entry["from"].startswith("[::1]:") for entry in logins)
    assert any(entry["who"] == f"uid {os.getuid()}" and entry["what"] == AUTH + "AddUser" and entry["status"] == 0
               for entry in entries)
    assert any(entry["who"] == "bob" and entry["what"] == RUNS + "StartRun" and entry["status"] == 7
               for entry in entries)
    assert not any(entry["what"] == RUNS + "ListRuns" and entry["status"] == 0 for entry in entries)


def main():
    directory = tempfile.mkdtemp(prefix="trammeld-auth-")
    daemon = None
    try:
        make_authority(directory, "ca")
        make_authority(directory, "other")
        for name in ("host", "mutual"):
            make_certificate(directory, name, "ca")
        check_starts(directory)
        check_files(directory)
        daemon = Daemon(directory, "d", {"listen": "localhost:0", "certificate": directory + "/host.pem",
                                         "key": directory + "/host.key"})
        channel = daemon.connect("ca")
        check_reload(daemon)
        check_nobody(channel)
        check_memory(daemon, channel)
        access, refresh = check_users(daemon, channel)
        forgeries = check_forged(channel, access)
        second = check_renewal(channel, refresh)
        check_tokens(daemon, channel, second)
        check_passwords(daemon, channel, second)
        check_guessing(channel)
        check_tls(daemon, channel)
        check_audit(daemon, [access, refresh, second])
        check_new_certificate(daemon, channel)
        check_cli(daemon)
        access, refresh = grant(call(channel, AUTH + "Login", "bob", PASSWORD))
        channel.close()
        daemon.end()
        daemon.start()  # users, logins and keys are kept
        channel = daemon.connect("other")
        call(channel, AUTH + "WhoAmI", token=access)
        call(channel, AUTH + "Renew", refresh)
        call(daemon.local, AUTH + "RemoveUser", "bob")
        refused(Code.UNAUTHENTICATED, channel, AUTH + "WhoAmI", token=access)
        refused(Code.UNAUTHENTICATED, channel, AUTH + "Login", "bob", PASSWORD)
        channel.close()
        check_clients(directory)
        check_places(directory)
        print(f"{forgeries} forgeries were refused")
    finally:
        if daemon and daemon.process.poll() is None:
            daemon.end()
        shutil.rmtree(directory)


main()
