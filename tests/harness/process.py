"""Programs under test: started with their output in a file, waited for, killed, and never left behind."""
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

POLL_S = 0.02
START_LIMIT_S = 30
IDLE_WINDOW_S, IDLE_SHARE_MAX = 0.4, 0.1


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now. Where a program can take port 0 itself, prefer that."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ProgramEnded(Exception):
    """A program ended while it was waited for; the message holds the end of its output."""


class Program:
    """One process. A context manager: leaving it stops the process, and prints its output if an exception leaves too."""

    def __init__(self, name: str, command: list, log: pathlib.Path, env: dict | None = None, cwd=None):
        self.name, self.command, self.log, self.env, self.cwd = name, [str(c) for c in command], log, env, cwd
        self.process: subprocess.Popen | None = None

    def start(self):
        """Starts it. Its output is added to `log`, so that restarts keep what came before."""
        assert not self.alive(), f"{self.name} runs already"
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env=self.env, cwd=self.cwd)
        return self

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_until(self, ready, what: str, limit_s: float = START_LIMIT_S):
        """Polls ready() until it returns something true, and returns that. ProgramEnded, TimeoutError."""
        deadline = time.monotonic() + limit_s
        while True:
            if found := ready():
                return found
            if not self.alive():
                status = self.process.returncode if self.process else None
                raise ProgramEnded(f"{self.name} ended with status {status} before {what}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: no {what} within {limit_s} s\n{self.tail()}")
            time.sleep(POLL_S)

    def wait_for_port(self, port: int, limit_s: float = START_LIMIT_S):
        self.wait_until(lambda: accepts(port), f"port {port}", limit_s)

    def cpu_s(self) -> float:
        """User and system time that it has used so far, without that of its children."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_idle(self, limit_s: float = START_LIMIT_S):
        """Until it has hardly computed for IDLE_WINDOW_S: what it was asked for is done, or waits for others."""
        def idle():
            before = self.cpu_s()
            time.sleep(IDLE_WINDOW_S)
            return self.cpu_s() - before <= IDLE_SHARE_MAX * IDLE_WINDOW_S
        self.wait_until(idle, "idle moment", limit_s)

    def kill9(self):
        """SIGKILL, then waits: what it held open is closed when this returns."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self, limit_s: float = 30) -> int:
        """SIGTERM and wait. Its exit status; TimeoutError (after SIGKILL) if it does not go."""
        if not self.process:
            return 0
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise TimeoutError(f"{self.name} did not stop within {limit_s} s\n{self.tail()}") from None

    def tail(self, lines: int = 60) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- the end of {self.log} ---\n" + "\n".join(text.splitlines()[-lines:])

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(f"\n{self.tail()}", file=sys.stderr, flush=True)
            self.kill9()
        else:
            self.stop()


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def http_get(port: int, path: str, timeout_s: float = 5) -> tuple[int, bytes]:
    """Status and body of one GET on loopback; (0, b"") while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def need(variable: str) -> str:
    """The value of a variable that tools/env or tools/run-tests sets."""
    value = os.environ.get(variable)
    if not value or not os.path.exists(value):
        raise SystemExit(f"{variable} names no file ({value!r}): run `. tools/env` after tools/setup, or tools/run-tests")
    return value
