"""list_1m: names listed per second of the server's CPU."""
import re
import socket
import time

from context import Context, make_container
from measure import LOAD_CPU, TICKS_A_SECOND, Leg, cpu_seconds, pinned, spread
from signed import RequestFile, Signer

CONTAINER = "bench"
PAGE = 5_000
FILL = 100_000  # requests that are signed and sent at a time
GOAL_A_CPU_SECOND = 200_000
NEXT_MARKER = re.compile(rb"<NextMarker>([^<]+)</NextMarker>")


def list_1m(context: Context) -> list[dict]:
    names = context.scaled(1_000_000, PAGE * 2)
    ours = context.tombolo(binary=context.base)
    with ours:
        make_container(context, ours.account, ours.port, CONTAINER)
        _fill(context, ours, names)
        legs = []
        for _ in range(min(3, context.rounds)):
            legs.append(_list_all(ours, names))
    found = spread([leg.ops / leg.cpu_s / GOAL_A_CPU_SECOND for leg in legs])
    return [{"id": "list_1m", "what": f"List Blobs of {names:,} names, {PAGE:,} a page: names per server CPU second",
             "goal": 1.0, **found, "rounds": len(legs), "peer": f"{GOAL_A_CPU_SECOND:,} names per server CPU second"}]


def _fill(context: Context, server, names: int):
    """Empty blobs over HTTP: what makes names is the same code that a user's PUT takes."""
    path = context.folder / "fill.requests"
    for first in range(0, names, FILL):
        signer, last = Signer(server.account), min(names, first + FILL)
        with RequestFile(path) as puts:
            for i in range(first, last):
                name = f"/{CONTAINER}/data/part-{i // 1000:05}/object-{i:09}.parquet"
                puts.add(signer.head("PUT", name, headers={"x-ms-blob-type": "BlockBlob"}), 201)
        context.http_load(server.port, path, "--connections", 128, "--count", last - first)


def _list_all(server, names: int) -> Leg:
    before, begun = cpu_seconds(server.process.pid), time.monotonic()
    with pinned(LOAD_CPU):
        seen = _drain(server, names)
    if seen != names:
        raise RuntimeError(f"listed {seen} names of {names}")
    return Leg(seen, time.monotonic() - begun, max(1 / TICKS_A_SECOND, cpu_seconds(server.process.pid) - before))


def _drain(server, names: int) -> int:
    """Reads page after page on one connection, looking only for names and the next marker."""
    signer, seen, marker = Signer(server.account), 0, None
    query = {"restype": "container", "comp": "list", "maxresults": str(PAGE)}
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        while True:
            head = signer.head("GET", f"/{CONTAINER}", dict(query, **({"marker": marker} if marker else {})))
            connection.sendall(head)
            body = _read_answer(connection)
            seen += body.count(b"<Blob>")
            found = NEXT_MARKER.search(body, len(body) - 4096 if len(body) > 4096 else 0)
            if not found or seen > names:
                return seen
            marker = found.group(1).decode()


def _read_answer(connection: socket.socket) -> bytes:
    """The body of a 200 answer, by its length or chunk by chunk."""
    buffer = bytearray()
    while b"\r\n\r\n" not in buffer:
        buffer += _some(connection)
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a listing failed: {bytes(buffer[:2000])!r}")
    if length := re.search(rb"(?i)\r\ncontent-length: *(\d+)", head):
        body = bytearray(rest)
        while len(body) < int(length.group(1)):
            body += _some(connection)
        return bytes(body)
    body, raw = bytearray(), bytearray(rest)
    at = 0
    while True:
        while (end := raw.find(b"\r\n", at)) < 0:
            raw += _some(connection)
        size = int(raw[at:end].split(b";")[0], 16)
        while len(raw) < end + 2 + size + 2:
            raw += _some(connection)
        body += raw[end + 2:end + 2 + size]
        at = end + 2 + size + 2
        if size == 0:
            return bytes(body)


def _some(connection: socket.socket) -> bytes:
    got = connection.recv(1 << 20)
    if not got:
        raise RuntimeError("the server closed the connection")
    return got
