"""put_4k, put_4k_log, put_64m: durable writes against Azurite, and against our own commit log bare."""
import base64
import itertools
import os
import pathlib
import random
import shutil

from context import Context, Sender, make_container
from measure import SERVER_CPU, Leg, compare, run_json
from signed import RequestFile, Signer

CONTAINER = "bench"
SMALL_BYTES = 4096
BLOCKS, BLOCK_BYTES = 8, 8 << 20


def put_4k(context: Context) -> list[dict]:
    """Equal counts on fresh stores: each leg starts its server anew, for Azurite slows down as its store grows."""
    each = 64 if context.smoke else context.scaled(2_000, 1_000)
    numbers = itertools.count()

    def on_fresh_store(start) -> Leg:
        with start(f"fresh-{next(numbers)}") as server:
            return _synced_leg(_small_puts(context, server, each), each)

    def start_peer(name: str):
        return context.tombolo(name, context.base) if context.base else context.azurite(name)

    comparison = compare(lambda: on_fresh_store(context.tombolo), lambda: on_fresh_store(start_peer),
                         context.rounds, context.rounds_max)
    return [{"id": "put_4k", "what": "PUT 4 KiB durable, 64 clients, equal counts", "goal": 20.0, **comparison.fields(),
             "peer": "tombolo at BASE" if context.base else "Azurite"}]


def put_4k_log(context: Context) -> list[dict]:
    ours = context.tombolo()
    count = int(60_000 * context.seconds)  # more than a leg can send; what is left over goes into the next
    with ours:
        sender = _small_puts(context, ours, count * min(3, context.rounds))
        comparison = compare(lambda: sender.leg("--seconds", context.seconds), lambda: _bare_log(context),
                             context.rounds, context.rounds_max)
        sender.draw_flame("put_4k")
    return [{"id": "put_4k_log", "what": "PUT 4 KiB durable, 64 clients", "goal": 0.3, **comparison.fields(),
             "peer": "our commit log bare: 64 writers of 4 KiB, no HTTP, no index"}]


def _bare_log(context: Context) -> Leg:
    folder = context.folder / "bare-log"
    said = run_json([context.program("commit_log_bench"), "--directory", folder, "--seconds", context.seconds], SERVER_CPU)
    shutil.rmtree(folder)
    return Leg(said["ops"], said["seconds"], said["cpu_s"])


def _synced_leg(sender: Sender, count: int) -> Leg:
    os.sync()  # what a peer left to the kernel is not written on our time
    return sender.leg("--count", count)


def _small_puts(context: Context, server, count: int) -> Sender:
    bodies = _bodies(context.folder / "small-bodies", 256 * SMALL_BYTES)
    make_container(context, server.account, server.port, CONTAINER)
    signer = Signer(server.account)
    path = context.folder / f"put-{server.port}.requests"
    headers = {"x-ms-blob-type": "BlockBlob", "content-type": "application/octet-stream"}
    with RequestFile(path) as puts:
        for i in range(count):
            head = signer.head("PUT", f"/{CONTAINER}/small/{i:08}", headers=headers, length=SMALL_BYTES)
            puts.add(head, 201, body=(i % 256 * SMALL_BYTES, SMALL_BYTES))
    return Sender(context, server, path, "--bodies", bodies, "--connections", 64)


def put_64m(context: Context) -> list[dict]:
    """Eight Put Blocks side by side, then the Put Block List, object after object."""
    each = context.scaled(4)
    ours = context.tombolo()
    theirs, name = context.peer(context.azurite)
    with ours, theirs:
        senders = [_block_puts(context, server, each * context.rounds_max) for server in (ours, theirs)]
        comparison = compare(*(lambda s=sender: _synced_leg(s, each * (BLOCKS + 1)) for sender in senders),
                             context.rounds, context.rounds_max)
    return [{"id": "put_64m", "what": "PUT 64 MiB in eight blocks side by side and a block list", "goal": 3.0,
             **comparison.fields(), "peer": name or "Azurite"}]


def _block_puts(context: Context, server, objects: int) -> Sender:
    ids = [base64.b64encode(f"block-{i:04}".encode()).decode() for i in range(BLOCKS)]
    document = "".join(f"<Latest>{block}</Latest>" for block in ids)
    commit = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{document}</BlockList>'.encode()
    bodies = _bodies(context.folder / "block-bodies", BLOCKS * BLOCK_BYTES, commit)
    make_container(context, server.account, server.port, CONTAINER)
    signer = Signer(server.account)
    path = context.folder / f"blocks-{server.port}.requests"
    with RequestFile(path) as puts:
        for number in range(objects):
            name = f"/{CONTAINER}/large/{number:06}"
            for i, block in enumerate(ids):
                head = signer.head("PUT", name, {"blockid": block, "comp": "block"}, length=BLOCK_BYTES)
                puts.add(head, 201, body=(i * BLOCK_BYTES, BLOCK_BYTES))
            head = signer.head("PUT", name, {"comp": "blocklist"}, length=len(commit))
            puts.add(head, 201, body=(BLOCKS * BLOCK_BYTES, len(commit)), alone=True)
    return Sender(context, server, path, "--bodies", bodies, "--connections", BLOCKS)


def _bodies(path: pathlib.Path, count: int, after: bytes = b"") -> pathlib.Path:
    if not path.exists():
        path.write_bytes(random.Random(3).randbytes(count) + after)
    return path
