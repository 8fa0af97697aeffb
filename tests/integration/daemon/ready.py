"""trammeld, once it serves."""
import os
import socket
import subprocess
import time

LIMIT_S = 120
STARTS = 5
COULD_NOT = 3  # docs/exit-codes.md


def start(program, directory, configure):
    """Its process. `configure(path)` writes its configuration, again when another program has taken a port meanwhile."""
    config, ready = directory + "/config.yaml", directory + "/notify"
    command = [program, "--config", config, "--listen", f"unix:{directory}/s", "--state-dir", directory + "/state"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(ready)
        notified.settimeout(0.1)
        for _ in range(STARTS):
            configure(config)
            process = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=ready))
            until = time.monotonic() + LIMIT_S
            while process.poll() is None:
                assert time.monotonic() < until, "not ready in time"
                try:
                    assert notified.recv(64) == b"READY=1"
                    return process
                except socket.timeout:
                    pass
            assert process.returncode == COULD_NOT, process.returncode
    raise AssertionError("it could not be started")
