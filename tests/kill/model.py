"""What the server may hold: for each key the set of writes that may be the last one, and what a read may answer.

Every write has content of its own, cut from a pool of random bytes at a place that its number names, and the metadata
`m` with that number. So each answer says which write it shows, and every byte of it can be checked.
"""
import random
import threading
import time
from typing import NamedTuple

POOL_BYTES = 32 << 20
POOL = random.Random(20261121).randbytes(POOL_BYTES)


class Piece(NamedTuple):
    block: str  # its block id; empty for content that came whole
    offset: int  # in the pool
    length: int


class State(NamedTuple):
    """One content and metadata of a key."""
    mark: str  # the metadata value; unique. Empty: there is no such blob
    pieces: tuple[Piece, ...] = ()

    @property
    def size(self) -> int:
        return sum(piece.length for piece in self.pieces)

    def content(self) -> bytes:
        if len(self.pieces) == 1:
            return POOL[self.pieces[0].offset:self.pieces[0].offset + self.pieces[0].length]
        return b"".join(POOL[piece.offset:piece.offset + piece.length] for piece in self.pieces)


ABSENT = State("")


class Write:
    __slots__ = ("state", "begun", "acked", "etag", "refused")

    def __init__(self, state: State):
        self.state, self.begun = state, time.monotonic_ns()
        self.acked: int | None = None  # None: not yet, or never
        self.etag = 0  # 0: not known; deletes have none
        self.refused = False


class Key:
    """Thread-safe. `owner` is the one writer that changes it; None: all do. `born`: the cycle of a name that is put
    once, deleted a few cycles later, and never used again."""

    def __init__(self, name: str, owner: int | None, large: bool = False, born: int | None = None):
        self.name, self.owner, self.large, self.born = name, owner, large, born
        self.lock = threading.Lock()
        never = Write(ABSENT)
        never.acked = never.begun
        self.possible = [never]
        self.begun: list[Write] = []  # since the last settle()
        self.etag_settled = 0

    def begin(self, state: State) -> Write:
        write = Write(state)
        with self.lock:
            self.possible.append(write)
            self.begun.append(write)
        return write

    def ack(self, write: Write, etag: int) -> str:
        """The server said yes. What was acknowledged before this write began cannot be the last any more. Says what is
        wrong with the ETag, or nothing."""
        with self.lock:
            write.acked, write.etag = time.monotonic_ns(), etag
            self.possible = [w for w in self.possible if w is write or w.acked is None or w.acked >= write.begun]
            before = (w.etag for w in self.begun if w.acked is not None and w.acked < write.begun)
            newest = max(before, default=0)
            newest = max(newest, self.etag_settled)
        if etag and etag <= newest:
            return f"{self.name}: ETag {etag:#x} after {newest:#x}"
        return ""

    def refuse(self, write: Write):
        """The server said no, so that nothing has changed."""
        with self.lock:
            write.refused = True
            self.possible.remove(write)

    def known(self) -> State | None:
        """The state, where only one is possible."""
        with self.lock:
            one = len(self.possible) == 1 and self.possible[0].acked is not None
            return self.possible[0].state if one else None

    def watch(self) -> tuple[list[Write], int]:
        with self.lock:
            return list(self.possible), len(self.begun)

    def seen_since(self, watched: tuple[list[Write], int]) -> list[Write]:
        """All writes that a read begun at watch() and ended now may show."""
        possible, count = watched
        with self.lock:
            return [w for w in possible + self.begun[count:] if not w.refused]

    def settle(self, write: Write, etag: int) -> str:
        """After a restart: this is the last write, and stays it. Says what is wrong with its ETag, or nothing."""
        with self.lock:
            wrong = ""
            if write.etag and etag != write.etag:
                wrong = f"{self.name}: ETag {etag:#x} is not the acknowledged {write.etag:#x}"
            write.acked, write.etag = time.monotonic_ns(), etag
            self.possible, self.begun = [write], []
            self.etag_settled = max(self.etag_settled, etag)
            return wrong


class Verdict(NamedTuple):
    kind: str  # "" (right), "lost" or "wrong"
    text: str = ""
    write: Write | None = None


def parse_etag(text: str) -> int:
    return int(text.strip('"'), 16)


def judge(key: Key, writes: list[Write], answer, span: tuple[int, int] | None = None) -> Verdict:
    """What a Get Blob answered, of all or of the bytes [span[0], span[1]), against the writes that it may show."""
    if answer.status == 404:
        absent = [w for w in writes if w.state is ABSENT]
        return Verdict("", "", absent[-1]) if absent else Verdict("lost", f"{key.name}: {answer.code} {bytes(answer.body)!r}; may be {_marks(writes)}")
    if answer.status == 416:
        short = [w for w in writes if w.state is not ABSENT and span and w.state.size <= span[0]]
        return Verdict("", "", short[-1]) if short else Verdict("lost", f"{key.name}: 416 at {span}; {_marks(writes)}")
    mark = answer.headers.get("x-ms-meta-m", "")
    shown = next((w for w in writes if w.state.mark == mark and w.state is not ABSENT), None)
    if not shown:
        return Verdict("lost", f"{key.name}: shows write {mark}; may be {_marks(writes)}")
    content = shown.state.content()
    if span:
        content = content[span[0]:span[1]]
    if answer.body != content:
        return Verdict("wrong", f"{key.name}: write {mark}, span {span}: {_difference(answer.body, content)}")
    return Verdict("", "", shown)


def _marks(writes: list[Write]) -> str:
    return ", ".join(w.state.mark or "absent" for w in writes)


def _difference(got: bytearray, right: bytes) -> str:
    if len(got) != len(right):
        return f"{len(got)} bytes instead of {len(right)}"
    at = next(i for i in range(len(got)) if got[i] != right[i])
    elsewhere = POOL.find(bytes(got[at:at + 32])) if len(got) - at >= 32 else -1
    return f"wrong from byte {at} of {len(right)}; what is there is at {elsewhere} of the pool"
