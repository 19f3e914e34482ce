"""Slow and hostile clients, in a process of their own so that they disturb the measuring one no more than real ones would.

`Hostiles` starts them and pauses them; run as a program, this file is them. Everything is bounded: connections, rates,
bytes, loopback only.
"""
import json
import os
import pathlib
import resource
import select
import socket
import ssl
import struct
import subprocess
import sys
import time

TICK_S = 0.05


class Hostiles:
    """A context manager. `crowds`: kind -> arguments of its class below. They act only between on() and off()."""

    def __init__(self, port: int, crowds: dict, descriptors: int = 1_000):
        """`descriptors`: how many open files they need. RuntimeError when the system's hard limit is lower."""
        self.order = json.dumps({"port": port, "crowds": crowds, "descriptors": descriptors})
        self.process: subprocess.Popen | None = None

    def __enter__(self):
        need_descriptors(json.loads(self.order)["descriptors"])
        env = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent.parent)}
        self.process = subprocess.Popen([sys.executable, "-m", "harness.hostile"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        self._say(self.order)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def on(self):
        self._say("on")

    def off(self):
        self._say("off")

    def stats(self) -> dict:
        """By kind, what each counted."""
        return self._say("stats")

    def _say(self, line: str):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the hostile clients ended with status {self.process.wait()}")
        return json.loads(answer)


def need_descriptors(count: int):
    """Raises this process' soft limit of open files. RuntimeError, with advice, where the hard limit is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise RuntimeError(f"this test opens {count} files at once and the hard limit here is {hard}: raise it "
                           "(ulimit -Hn, docker --ulimit nofile=…); testing fewer would prove nothing")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Crowd:
    """Some clients of one kind. tick() is called every TICK_S while they are on and must return soon."""

    def __init__(self, port: int):
        self.port = port
        self.counted: dict[str, int] = {}

    def count(self, what: str, by: int = 1):
        self.counted[what] = self.counted.get(what, 0) + by

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        # Closing resets: ten thousand connections in TIME_WAIT would use up the ports.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return made

    def tick(self):
        pass

    def look(self):
        """Counts what is to be told."""


class Idle(Crowd):
    """Connections that say nothing, or one request each and then nothing. With `ca_file`, over TLS, the handshake made."""

    def __init__(self, port, connections: int, request: str = "", ca_file: str = ""):
        super().__init__(port)
        self.trusted = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self.sockets = []
        for _ in range(connections):
            one = self.connect()
            if self.trusted:
                one = self.trusted.wrap_socket(one, server_hostname="localhost")
            if request:
                one.sendall(request.encode("latin-1"))
            self.sockets.append(one)
        for one in self.sockets if request else []:
            answer = b""
            while b"\r\n\r\n" not in answer:
                some = one.recv(65_536)
                if not some:
                    raise RuntimeError("an idle connection was closed before its answer")
                answer += some
            self.count(answer.split()[1].decode())

    def look(self):
        poll = select.poll()
        for one in self.sockets:
            poll.register(one, select.POLLIN | select.POLLHUP)
        closed = {fd for fd, _ in poll.poll(0) if self._ended(fd)}
        self.counted["open"] = len(self.sockets) - len(closed)

    def _ended(self, fd: int) -> bool:
        try:
            return socket.socket(fileno=os.dup(fd)).recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class Drips(Crowd):
    """Each sends `start`, then `drip` every `every_s`: slow heads, slow uploads. Opens another where one was ended."""

    def __init__(self, port, starts: list, drip: str, every_s: float):
        super().__init__(port)
        self.starts, self.drip, self.every_s = [s.encode("latin-1") for s in starts], drip.encode("latin-1"), every_s
        self.sockets = [self._open(start) for start in self.starts]
        self.next = 0.0

    def _open(self, start: bytes) -> socket.socket:
        one = self.connect()
        one.sendall(start)
        one.setblocking(False)
        self.count("opened")
        return one

    def tick(self):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.every_s
        for n, one in enumerate(self.sockets):
            try:
                one.send(self.drip)
                self.count("drips")
            except BlockingIOError:
                pass
            except OSError:
                one.close()
                self.count("ended")
                self.sockets[n] = self._open(self.starts[n])


class HugeHeads(Crowd):
    """`megabytes` of headers on a fresh connection, `per_s` times a second."""

    def __init__(self, port, megabytes: int, per_s: float):
        super().__init__(port)
        line = b"x-filler: " + b"f" * 990 + b"\r\n"
        self.head = b"GET / HTTP/1.1\r\nHost: h\r\n" + line * (megabytes * 1_000_000 // len(line))
        self.every_s, self.next = 1 / per_s, 0.0

    def tick(self):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.every_s
        with self.connect() as one:
            try:
                one.sendall(self.head)
                self.count("sent whole")
            except OSError:
                pass
            try:
                self.count(one.recv(1_000).split()[1].decode())
            except (OSError, IndexError):
                self.count("reset")


class Churn(Crowd):
    """Connections that are opened and closed at once."""

    def __init__(self, port, per_s: int):
        super().__init__(port)
        self.per_tick = int(per_s * TICK_S)

    def tick(self):
        for _ in range(self.per_tick):
            self.connect().close()
        self.count("connections", self.per_tick)


class Floods(Crowd):
    """Connections that send many requests at once, take all answers, and again."""

    def __init__(self, port, connections: int, request: str, depth: int, every_s: float):
        super().__init__(port)
        self.sockets = [self.connect() for _ in range(connections)]
        self.bytes, self.depth, self.every_s, self.next = request.encode("latin-1") * depth, depth, every_s, 0.0

    def tick(self):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.every_s
        for one in self.sockets:
            one.sendall(self.bytes)
        for one in self.sockets:
            answers = b""
            while answers.count(b"HTTP/1.1 ") < self.depth or not answers.endswith(b"</Error>"):
                some = one.recv(1 << 20)
                if not some:
                    raise RuntimeError("a flooding connection was closed")
                answers += some
            self.count("answers", self.depth)


class NeverRead(Crowd):
    """Each asks for something large and takes nothing of it. Told by the status of the answers that have begun."""

    def __init__(self, port, connections: int, request: str):
        super().__init__(port)
        self.sockets = [self.connect() for _ in range(connections)]
        for one in self.sockets:
            one.sendall(request.encode("latin-1"))

    def look(self):
        self.counted.clear()
        for one in self.sockets:
            try:
                self.count(one.recv(12, socket.MSG_PEEK | socket.MSG_DONTWAIT).decode()[9:] or "ended")
            except BlockingIOError:
                self.count("unanswered")
            except OSError:
                self.count("ended")


KINDS = {"idle": Idle, "slow_heads": Drips, "slow_uploads": Drips, "huge_heads": HugeHeads, "churn": Churn,
         "floods": Floods, "never_read": NeverRead}


def run():
    """Obeys lines of standard input, one answer each, until its end."""
    def answer(what):
        print(json.dumps(what), flush=True)

    lines = os.fdopen(os.dup(sys.stdin.fileno()), "r", buffering=1)
    order = json.loads(lines.readline())
    need_descriptors(order["descriptors"])
    crowds = {kind: KINDS[kind](order["port"], **arguments) for kind, arguments in order["crowds"].items()}
    answer("ready")
    acting = False
    poll = select.poll()
    poll.register(lines, select.POLLIN | select.POLLHUP)
    while True:
        if poll.poll(TICK_S * 1000 if acting else None):
            line = lines.readline().strip()
            if not line:
                return
            acting = line == "on" or (acting and line == "stats")
            for crowd in crowds.values() if line == "stats" else []:
                crowd.look()
            answer({kind: crowd.counted for kind, crowd in crowds.items()} if line == "stats" else line)
        elif acting:
            for crowd in crowds.values():
                crowd.tick()


if __name__ == "__main__":
    run()
