"""get_4k, get_1m: hot reads against nginx."""
import pathlib
import random

from context import Context, Sender, make_container
from measure import compare
from servers import Nginx
from signed import RequestFile, Signer, plain_head

CONTAINER = "bench"


def get_4k(context: Context) -> list[dict]:
    found = _get(context, "get_4k", objects=500 if context.smoke else 10_000, object_bytes=4096, connections=64)
    return [{"id": "get_4k", "what": "GET 4 KiB, Shared Key, 10,000 signed requests", "goal": 0.7, **found}]


def get_1m(context: Context) -> list[dict]:
    found = _get(context, "get_1m", objects=16, object_bytes=1 << 20, connections=16)
    return [{"id": "get_1m", "what": "GET 1 MiB hot, Shared Key", "goal": 1.0, **found}]


def _get(context: Context, row: str, objects: int, object_bytes: int, connections: int) -> dict:
    bodies = context.folder / "bodies"
    bodies.write_bytes(random.Random(1).randbytes(objects * object_bytes))
    files = context.folder / "files"
    files.mkdir()
    with bodies.open("rb") as source:
        for i in range(objects):
            (files / f"o{i:05}").write_bytes(source.read(object_bytes))
    ours = context.tombolo()
    theirs, name = context.peer(lambda: Nginx(context.folder / "nginx", files))
    with ours, theirs:
        senders = []
        for server in (ours, theirs):
            path = _prepare(context, server, bodies, objects, object_bytes)
            options = ("--bodies", bodies, "--connections", connections)
            # Each answer is compared once, byte by byte, which also makes both sides hot.
            context.http_load(server.port, path, *options, "--count", objects, "--compare")
            senders.append(Sender(context, server, path, *options))
        comparison = compare(*(lambda s=sender: s.leg("--seconds", context.seconds) for sender in senders),
                             context.rounds, context.rounds_max)
        senders[0].draw_flame(row)
    return {**comparison.fields(), "peer": name or "nginx, same files unsigned, sendfile, open_file_cache, one worker"}


def _prepare(context: Context, server, bodies: pathlib.Path, objects: int, object_bytes: int) -> pathlib.Path:
    """Fills the server where it is one of ours, and writes the file of GETs. Requests are in random order."""
    order = random.Random(2).sample(range(objects), objects)
    place = {i: (i * object_bytes, object_bytes) for i in order}
    path = context.folder / f"get-{server.port}.requests"
    if isinstance(server, Nginx):
        with RequestFile(path) as gets:
            for i in order:
                gets.add(plain_head("GET", f"/o{i:05}", f"127.0.0.1:{server.port}"), 200, answer=place[i])
        return path
    signer = Signer(server.account)
    make_container(context, server.account, server.port, CONTAINER)
    puts_path = context.folder / f"put-{server.port}.requests"
    with RequestFile(puts_path) as puts, RequestFile(path) as gets:
        for i in order:
            name = f"/{CONTAINER}/o{i:05}"
            headers = {"x-ms-blob-type": "BlockBlob", "content-type": "application/octet-stream"}
            puts.add(signer.head("PUT", name, headers=headers, length=object_bytes), 201, body=place[i])
            gets.add(signer.head("GET", name), 200, answer=place[i])
    context.http_load(server.port, puts_path, "--bodies", bodies, "--connections", 16, "--count", objects)
    return path
