"""What runs against the server until it is killed: writers, readers, and somebody who keeps an offload running."""
import base64
import http.client
import itertools
import json
import random
import threading
import time

from blob_client import Answer, Connection
from model import ABSENT, POOL_BYTES, Key, Piece, State, judge, parse_etag

CONTAINER = "kill"
WRITERS, READERS = 8, 4
KEYS_OWNED, KEYS_SHARED = 24, 12
FRESH, FRESH_CYCLES = 32, 3  # names new in each cycle, and how long they are kept
MIB8 = 8 << 20
# Around what the server does differently from there on: inline, granules, runs, segments.
SIZES = [0, 1, 100, 4095, 4096, 4097, 16383, 16384, 16385, 65536, 262143, 262144, 262145]
SIZES_LARGE = [MIB8 - 1, MIB8, MIB8 + 1]
BLOCK_SIZES = [1, 4096, 4097, 16385, 100_000]

_numbers = itertools.count(1)


def make_keys() -> list[Key]:
    """Names in several folders, some of which need escapes. Writers 0 and 1 have one large key each."""
    keys = []
    for owner in range(WRITERS):
        keys += [Key(f"w{owner}/k{n:02}", owner) for n in range(KEYS_OWNED)]
        keys.append(Key(f"w{owner}/100% spaced +é.bin", owner, large=owner < 2))
    return keys + [Key(f"shared/k{n:02}", None) for n in range(KEYS_SHARED)]


def fresh_keys(cycle: int) -> list[Key]:
    """Names that no remote has seen yet: an offload need not wait there for the copy of a dead gen to go."""
    return [Key(f"fresh/{cycle:05}-{n:02}", n % WRITERS, born=cycle) for n in range(FRESH)]


class Findings:
    """What went wrong, by kind. Thread-safe."""

    def __init__(self, quiet: bool = False):
        """`quiet`: findings are what is hoped for; only the first is shown, in short."""
        self.lock, self.quiet = threading.Lock(), quiet
        self.texts: dict[str, list[str]] = {}
        self.where = ""

    def add(self, kind: str, text: str):
        with self.lock:
            first = not self.texts
            self.texts.setdefault(kind, []).append(f"{self.where}: {text}")
            if not self.quiet:
                print(f"FOUND {kind}: {self.where}: {text}", flush=True)
            elif first:
                print(f"  hoped for: {kind}: {self.where}: {text.replace(chr(10), ' ')[:300]}", flush=True)

    def count(self, *kinds: str) -> int:
        """Of these kinds; of all without one."""
        with self.lock:
            return sum(len(self.texts.get(kind, [])) for kind in kinds or self.texts)


class Load:
    """All threads of one life of the server. stop() is called right before the kill; join() after it."""

    def __init__(self, server, keys: list[Key], findings: Findings, seed: int, cycle: int):
        self.server, self.keys, self.findings, self.cycle = server, keys, findings, cycle
        self.stopping = threading.Event()
        self.acknowledged = self.reads = 0
        self.counting = threading.Lock()
        self.offload = OffloadLoop(self, random.Random(seed * 1000 + 999))
        jobs = [(Writer, n) for n in range(WRITERS)] + [(Reader, WRITERS + n) for n in range(READERS)]
        self.workers = [kind(self, n, random.Random(seed * 1000 + n)) for kind, n in jobs] + [self.offload]
        self.threads = [threading.Thread(target=worker.run, daemon=True) for worker in self.workers]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()
        for worker in self.workers:
            self.acknowledged += getattr(worker, "acknowledged", 0)
            self.reads += getattr(worker, "reads", 0)

    def connect(self) -> Connection:
        account = self.server.account
        return Connection(self.server.port, account.name, account.key)


class Client:
    """A loop of one thread over one connection, until the server is killed."""

    def __init__(self, load: Load, number: int, rng: random.Random):
        self.load, self.number, self.rng = load, number, rng
        self.connection = load.connect()

    def run(self):
        while not self.load.stopping.is_set():
            try:
                self.step()
            except OSError as error:
                if not self.load.stopping.is_set() and self.load.server.alive():
                    self.load.findings.add("answers", f"connection of {type(self).__name__} {self.number}: {error!r}")
                    time.sleep(0.05)
            except Exception as error:  # the harness's own mistake: never silent
                self.load.findings.add("harness", repr(error))
                raise
        self.connection.close()

    def unexpected(self, what: str, answer: Answer):
        self.load.findings.add("answers", f"{what}: {answer.status} {answer.code} {bytes(answer.body[:300])!r}")


class Writer(Client):
    def __init__(self, load: Load, number: int, rng: random.Random):
        super().__init__(load, number, rng)
        self.acknowledged = 0
        self.owned = [key for key in load.keys if key.owner == number and key.born is None]
        self.fresh = [key for key in load.keys if key.owner == number and key.born is not None]
        self.shared = [key for key in load.keys if key.owner is None]

    def step(self):
        if self.fresh and self.rng.random() < 0.2:
            return self.put_or_delete_fresh(self.fresh.pop())
        if self.rng.random() < 0.15:
            key = self.rng.choice(self.shared)
            return self.delete(key) if self.rng.random() < 0.2 else self.put(key)
        key = self.rng.choice(self.owned)
        known = key.known()
        dice = self.rng.random()
        if known and known is not ABSENT:
            if dice < 0.12:
                return self.delete(key)
            if dice < 0.27:
                return self.set_metadata(key, known)
            if dice < 0.37 and 0 < len(known.pieces) < 20 and known.pieces[0].block:
                return self.append_block(key, known)
        return self.put_blocks(key) if dice < 0.6 else self.put(key)

    def put_or_delete_fresh(self, key: Key):
        there = key.known() is not ABSENT
        if not there and key.born == self.load.cycle:
            return self.put(key)
        return self.delete(key) if there and key.born + FRESH_CYCLES <= self.load.cycle else None

    def piece(self, size: int, block: str = "") -> Piece:
        return Piece(block, self.rng.randrange(POOL_BYTES - size), size)

    def size(self, key: Key) -> int:
        if key.large:
            return self.rng.choice(SIZES_LARGE if self.rng.random() < 0.3 else SIZES)
        return self.rng.choice(SIZES)

    def send(self, key: Key, state: State, method: str, query: dict, headers: dict, body: bytes, good: int):
        """One request that makes `state` the key's."""
        if state is not ABSENT:
            headers = {**headers, "x-ms-meta-m": state.mark}
        write = key.begin(state)
        answer = self.connection.request(method, f"{CONTAINER}/{key.name}", query, headers, body)
        if answer.status == good:
            self.acknowledged += 1
            etag = parse_etag(answer.headers["etag"]) if "etag" in answer.headers else 0
            if wrong := key.ack(write, etag):
                self.load.findings.add("etags", wrong)
        elif answer.status == 404 and method == "DELETE" and key.owner is None:
            key.refuse(write)
        else:
            if answer.status < 500:
                key.refuse(write)
            self.unexpected(f"{method} {key.name} {query}", answer)

    def put(self, key: Key):
        piece = self.piece(self.size(key))
        state = State(str(next(_numbers)), (piece,))
        self.send(key, state, "PUT", {}, {"x-ms-blob-type": "BlockBlob"}, state.content(), 201)

    def delete(self, key: Key):
        self.send(key, ABSENT, "DELETE", {}, {}, b"", 202)

    def set_metadata(self, key: Key, known: State):
        state = State(str(next(_numbers)), known.pieces)
        self.send(key, state, "PUT", {"comp": "metadata"}, {}, b"", 200)

    def put_blocks(self, key: Key):
        large = key.large and self.rng.random() < 0.2
        count = self.rng.randint(1, 4)
        pieces = [self.piece(self.rng.choice([4 << 20, 1 << 20] if large else BLOCK_SIZES), _block_id(next(_numbers)))
                  for _ in range(count)]
        self.commit(key, pieces, fresh=pieces)

    def append_block(self, key: Key, known: State):
        """A list of committed blocks and a new one, as a client that appends does it."""
        fresh = self.piece(self.rng.choice(BLOCK_SIZES), _block_id(next(_numbers)))
        keep = list(known.pieces)
        if self.rng.random() < 0.3:
            keep = keep[:self.rng.randint(1, len(keep))]
        self.commit(key, keep + [fresh], fresh=[fresh])

    def commit(self, key: Key, pieces: list[Piece], fresh: list[Piece]):
        for piece in fresh:
            answer = self.connection.request("PUT", f"{CONTAINER}/{key.name}", {"comp": "block", "blockid": piece.block},
                                             {}, State("", (piece,)).content())
            if answer.status != 201:
                return self.unexpected(f"Put Block {key.name}", answer)
        if self.rng.random() < 0.05:
            return None  # some blocks are never committed
        blocks = "".join(f"<{kind}>{piece.block}</{kind}>" for piece in pieces
                         for kind in ["Uncommitted" if piece in fresh else "Committed"])
        xml = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'.encode()
        return self.send(key, State(str(next(_numbers)), tuple(pieces)), "PUT", {"comp": "blocklist"}, {}, xml, 201)


def _block_id(number: int) -> str:
    return base64.b64encode(f"block-{number:08}".encode()).decode()


class Reader(Client):
    def __init__(self, load: Load, number: int, rng: random.Random):
        super().__init__(load, number, rng)
        self.reads = 0

    def step(self):
        key = self.rng.choice(self.load.keys)
        span, headers = None, {}
        if self.rng.random() < 0.4:
            begin = self.rng.choice([0, 1, 4095, 4096, 16384, 200_000, self.rng.randrange(300_000)])
            span = (begin, begin + self.rng.choice([1, 4096, 5000, 100_000]))
            headers = {"x-ms-range": f"bytes={span[0]}-{span[1] - 1}"}
        watched = key.watch()
        answer = self.connection.request("GET", f"{CONTAINER}/{key.name}", {}, headers)
        if answer.status not in (200, 206, 404, 416):
            return self.unexpected(f"GET {key.name} {span}", answer)
        verdict = judge(key, key.seen_since(watched), answer, span)
        self.reads += 1
        if verdict.kind:
            self.load.findings.add(verdict.kind, f"while running: {verdict.text}")


class Admin:
    """The admin API of a running server."""

    def __init__(self, server):
        self.server = server
        self.token = (server.data / "admin.token").read_text().strip()

    def call(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.admin_port, timeout=120)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else None,
                               {"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except http.client.HTTPException as error:
            raise OSError(repr(error)) from error
        finally:
            connection.close()


class OffloadLoop:
    """Keeps one offload with eviction running, over the container or a part of it; now and then a recall."""

    def __init__(self, load: Load, rng: random.Random):
        self.load, self.rng = load, rng
        self.running = False  # as of the last look
        self.ended = 0

    def run(self):
        admin = Admin(self.load.server)
        try:
            for job in admin.call("GET", "jobs")[1]["jobs"]:
                if not job["ended"]:
                    self.follow(admin, job)
            while not self.load.stopping.is_set():
                part = self.rng.choice(["", "fresh/", "fresh/", "w", f"w{self.rng.randrange(WRITERS)}/"])
                spec = {"account": self.load.server.account.name, "container": CONTAINER, "prefix": part}
                spec |= {"kind": "recall"} if self.rng.random() < 0.15 else {"kind": "offload", "remote": "cold",
                                                                             "evict": True}
                status, job = admin.call("POST", "jobs", spec)
                if status != 202:
                    self.load.findings.add("jobs", f"submitting {spec}: {status} {job}")
                    return
                self.follow(admin, job)
        except OSError as error:
            if not self.load.stopping.is_set() and self.load.server.alive():
                self.load.findings.add("answers", f"admin API: {error!r}")
        except Exception as error:
            self.load.findings.add("harness", repr(error))
            raise

    def follow(self, admin: Admin, job: dict):
        self.running = job["kind"] == "offload"
        while not self.load.stopping.is_set() and not job["ended"]:
            time.sleep(0.03)
            job = admin.call("GET", f"jobs/{job['id']}")[1]
        if job["ended"]:
            self.running = False
            self.ended += 1
            if job["state"] != "done" or job["progress"]["objects_failed"]:
                self.load.findings.add("jobs", f"{job['title']}: {job['state']} {job['error']} {job['progress']}")
