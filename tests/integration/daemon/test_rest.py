"""The host over HTTP, as its description (openapi.json) says it is: what it answers is held against that.

Usage: test_rest.py BUILD.
"""
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from ready import start

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

BIN = sys.argv[1] + "/bin/"
LIMIT_S = 120
QUICK = {"cases": ["split/http/omitted-backend"]}
LONG = {"mesh": "reference", "groups": ["split"], "holdMs": 2000}


class Daemon:
    def __init__(self, options="  withoutAuthentication: true\n"):
        self.directory = tempfile.mkdtemp(prefix="rest-")
        self.options = options
        self.process = start(BIN + "trammeld", self.directory, self.configure)
        self.description = json.loads(self.ask("GET", "/openapi.json")[2])

    def configure(self, config):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port = chosen.getsockname()[1]
        with open(config, "w", encoding="ascii") as out:
            out.write(f"rest:\n  port: {self.port}\n{self.options}")

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        finally:
            connection.close()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0
        shutil.rmtree(self.directory)

    def described(self, method, pattern, status, kind, body):
        """An answer is one that the description has, and what it has in JSON is as it says there."""
        answers = self.description["paths"][pattern][method.lower()]["responses"]
        assert str(status) in answers, (method, pattern, status, body)
        content = answers[str(status)]["content"]
        assert kind.split(";")[0] in content, (pattern, kind)
        if "json" in kind:
            schema = dict(content[kind]["schema"], components=self.description["components"])
            jsonschema.Draft4Validator(schema, resolver=jsonschema.RefResolver("", schema)).validate(json.loads(body))

    def call(self, method, pattern, query="", body=None, status=200, **parts):
        path = re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], pattern)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        got, kind, answer = self.ask(method, path + query, data)
        assert got == status, (method, path, got, answer)
        self.described(method, pattern, got, kind, answer)
        return json.loads(answer) if "json" in kind else answer.decode()


def check_description(daemon):
    """All that is described is served, and nothing refuses a method that is described."""
    assert len(daemon.description["paths"]) >= 11
    for pattern, methods in daemon.description["paths"].items():
        for method in methods:
            status, kind, body = daemon.ask(method.upper(), re.sub(r"\{\w+\}", "none", pattern))
            daemon.described(method, pattern, status, kind, body)
        assert daemon.ask("PUT", re.sub(r"\{\w+\}", "none", pattern))[0] == 405
    status, kind, body = daemon.ask("GET", "/v1/nothing")
    assert (status, kind) == (404, "application/problem+json") and b"openapi" in body


def check_run(daemon):
    run = daemon.call("POST", "/v1/runs", body=QUICK, status=201)
    events, state = [], "queued"
    while state in ("queued", "running"):
        part = daemon.call("GET", "/v1/runs/{id}/events", f"?wait=30&after={len(events)}", id=run["id"])
        events, state = events + part["events"], part["state"]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "started" and events[-1]["type"] == "ended"
    ended = daemon.call("GET", "/v1/runs/{id}", id=run["id"])
    assert (ended["state"], ended["exitCode"], ended["failed"]) == ("ended", 0, 0) and ended["done"] > 0
    assert run["mesh"] == "reference"  # the one that brings its own
    assert run["id"] in [one["id"] for one in daemon.call("GET", "/v1/runs", "?limit=5&mesh=reference")["runs"]]
    assert not daemon.call("GET", "/v1/runs", "?mesh=istio")["runs"]
    assert run["id"] not in [one["id"] for one in daemon.call("GET", "/v1/runs", "?before=" + run["id"])["runs"]]
    assert daemon.call("GET", "/v1/runs/{id}/report", id=run["id"])["totals"]["passed"] == ended["done"]
    for name, begin in (("html", "<!DOCTYPE html"), ("junit", "<?xml"), ("tap", "TAP version"), ("markdown", "#"),
                        ("text", "Conformance"), ("badge", "<svg")):
        text = daemon.call("GET", "/v1/runs/{id}/report", "?format=" + name, id=run["id"])
        assert text.lstrip().lower().startswith(begin.lower()), (name, text[:80])
    assert "<svg" in daemon.call("GET", "/v1/meshes/{mesh}/badge.svg", mesh="reference")
    metrics = daemon.call("GET", "/metrics")
    assert 'trammel_runs{state="ended"} 1\n' in metrics
    assert 'trammel_mesh_cases_failed{mesh="reference"} 0.000\n' in metrics
    if shutil.which("promtool"):
        said = subprocess.run(["promtool", "check", "metrics"], input=metrics.encode(), capture_output=True, check=False)
        assert said.returncode == 0, said.stderr


def check_cancel(daemon):
    run = daemon.call("POST", "/v1/runs", body=LONG, status=201)
    daemon.call("GET", "/v1/runs/{id}/events", "?wait=60&after=1", id=run["id"])
    daemon.call("GET", "/v1/runs/{id}/report", status=409, id=run["id"])
    daemon.call("POST", "/v1/runs/{id}/cancel", id=run["id"])
    state, after = "running", 0
    while state in ("queued", "running"):
        part = daemon.call("GET", "/v1/runs/{id}/events", f"?wait=60&after={after}", id=run["id"])
        state, after = part["state"], after + len(part["events"])
    assert state == "cancelled"


def check_refusals(daemon):
    for body in (b"", b"{", b"[]", b'{"mesh": 3}', b'{"unknown": "x"}', b'{"mesh": "a", "mesh": "b"}'):
        assert "detail" in daemon.call("POST", "/v1/runs", body=body, status=400)
    daemon.call("GET", "/v1/runs", "?limit=-1", status=400)
    daemon.call("GET", "/v1/runs/{id}/events", "?wait=61", status=400, id="none")
    daemon.call("GET", "/v1/meshes/{mesh}/badge.svg", status=404, mesh="none")
    daemon.call("POST", "/v1/runs", body=b" " * ((1 << 20) + 1), status=413)
    # What a browser sends on behalf of a page is refused, as is another name for this host.
    assert daemon.ask("GET", "/v1/runs", headers={"Origin": "http://evil.test"})[0] == 403
    assert daemon.ask("GET", "/v1/runs", headers={"Host": "evil.test"})[0] == 403
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert daemon.ask("GET", "/v1/runs", headers={"Sec-Fetch-Site": site})[0] == status
    assert daemon.ask("GET", "/v1/nothing", headers={"Origin": "http://evil.test"})[0] == 403
    with open(daemon.directory + "/state/audit.jsonl", encoding="utf-8") as log:
        entries = [json.loads(line) for line in log]
    assert len([entry for entry in entries if entry["status"] == 403 and entry["who"] == ""]) == 5, entries
    # A line that does not end is given up, and the host goes on.
    with socket.create_connection(("127.0.0.1", daemon.port), LIMIT_S) as endless:
        endless.settimeout(LIMIT_S)
        try:
            for _ in range(100):
                endless.sendall(b"GET /" + b"a" * 4096)
            while endless.recv(4096):
                pass
        except OSError:
            pass
    daemon.call("GET", "/livez")


def check_stop(daemon):
    """A client that waits is answered at the end."""
    run = daemon.call("POST", "/v1/runs", body=LONG, status=201)
    daemon.call("GET", "/v1/runs/{id}/events", "?wait=60", id=run["id"])
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=LIMIT_S)
    connection.request("GET", f"/v1/runs/{run['id']}/events?wait=60&after=200000")
    daemon.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert answer.status == 200 and json.loads(answer.read())["state"] in ("queued", "running", "interrupted")
    connection.close()


def check_authentication():
    """Who is not known gets nothing but what says how the host is."""
    daemon = Daemon("")
    try:
        for pattern, methods in daemon.description["paths"].items():
            for method, operation in methods.items():
                path = re.sub(r"\{\w+\}", "none", pattern)
                for token in (None, "Bearer x", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi"):
                    status, kind, body = daemon.ask(method.upper(), path, headers={"Authorization": token} if token else {})
                    assert (status == 401) == (operation["x-role"] != "nobody"), (method, path, status)
                    daemon.described(method, pattern, status, kind, body)
        with open(daemon.directory + "/state/audit.jsonl", encoding="utf-8") as log:
            entries = [json.loads(line) for line in log]
        assert any(entry["what"] == "POST /v1/runs" and entry["status"] == 401 for entry in entries), entries
    finally:
        daemon.end()


def main():
    check_authentication()
    daemon = Daemon()
    try:
        for check in (check_description, check_refusals, check_run, check_cancel, check_stop):
            check(daemon)
    finally:
        daemon.end()
    print("all as described")


main()
