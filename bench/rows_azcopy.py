"""azcopy_small, azcopy_1g: AzCopy up and down, its rate beside a null server, the server's CPU beside Azurite."""
import pathlib
import random
import shutil
import threading
import time
import zlib

from context import Context, make_container
from harness.azcopy import AzCopy
from harness.azurite import ACCOUNT, KEY
from harness.azure import Account
from harness.process import Program, free_port
from measure import LOAD_CPU, SERVER_CPU, TICKS_A_SECOND, Leg, compare, cpu_seconds, pinned, spread

CONTAINER = "bench"
POLL_S = 0.02
GIB = 1 << 30
MEMORY = pathlib.Path("/dev/shm")  # so that AzCopy's own disk is no part of it
GOAL_RATE, GOAL_CPU = 0.8, 4.0


class NullServer(Program):
    """Discards writes, serves zeros (bench/null_server.cc)."""

    def __init__(self, context: Context):
        self.port = free_port()
        super().__init__("null_server", [context.program("null_server"), "--port", self.port],
                         context.folder / "null_server.log")
        self.account = Account(ACCOUNT, KEY, f"http://127.0.0.1:{self.port}/{ACCOUNT}")

    def start(self):
        with pinned(SERVER_CPU):
            super().start()
        self.wait_for_port(self.port)
        return self


class LastChange(threading.Thread):
    """When the files of a folder changed last.

    AzCopy looks every two seconds whether its job has ended, so its own run time says little. Its job plan is a mapped
    file in which every transfer's state is set when it ends (observed, 10.32.7, 2026-11-21).
    """

    def __init__(self, folder: pathlib.Path):
        super().__init__(daemon=True)
        self.folder, self.at, self.over = folder, time.monotonic(), threading.Event()

    def run(self):
        seen = None
        while not self.over.wait(POLL_S):
            now = zlib.crc32(b"".join(path.read_bytes() for path in sorted(self.folder.glob("*")) if path.is_file()))
            if now != seen:
                seen, self.at = now, time.monotonic()


class Copier:
    """Copies one tree up and down, leg by leg."""

    def __init__(self, context: Context, tree: pathlib.Path, scratch: pathlib.Path, files: int, file_bytes: int):
        self.context, self.tree, self.scratch, self.files, self.bytes = context, tree, scratch, files, files * file_bytes

    def up(self, server) -> Leg:
        return self._leg(server, self.tree, server.account.container_url(CONTAINER))

    def down(self, server) -> Leg:
        target = self.scratch / "down"
        shutil.rmtree(target, ignore_errors=True)
        return self._leg(server, server.account.container_url(CONTAINER, self.tree.name), target)

    def _leg(self, server, source, target) -> Leg:
        azcopy = AzCopy(self.scratch / "azcopy")
        before, begun = cpu_seconds(server.process.pid), time.monotonic()
        with pinned(LOAD_CPU):
            watch = LastChange(azcopy.folder / "plans")
            watch.start()
            ran = azcopy.copy(source, target, "--recursive")
        watch.over.set()
        watch.join()
        if int(ran.summary["TransfersCompleted"]) != self.files:
            raise RuntimeError(f"AzCopy copied {ran.summary['TransfersCompleted']} of {self.files} files")
        shutil.rmtree(self.scratch / "azcopy")
        used = cpu_seconds(server.process.pid) - before
        return Leg(self.bytes / GIB, watch.at - begun, max(1 / TICKS_A_SECOND, used))


def azcopy_small(context: Context) -> list[dict]:
    return _rows(context, "azcopy_small", files=context.scaled(2_000, 10), file_bytes=64 << 10)


def azcopy_1g(context: Context) -> list[dict]:
    return _rows(context, "azcopy_1g", files=1, file_bytes=context.scaled(GIB, 32 << 20))


def _rows(context: Context, name: str, files: int, file_bytes: int) -> list[dict]:
    scratch = MEMORY / context.folder.name if MEMORY.is_dir() else context.folder / "scratch"
    try:
        return _rows_in(context, scratch, name, files, file_bytes)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _rows_in(context: Context, scratch: pathlib.Path, name: str, files: int, file_bytes: int) -> list[dict]:
    tree = scratch / "tree"
    tree.mkdir(parents=True)
    source = random.Random(4)
    for i in range(files):
        with (tree / f"f{i:05}").open("wb") as out:
            for _ in range(0, file_bytes, 1 << 20):
                out.write(source.randbytes(min(1 << 20, file_bytes)))
    copier = Copier(context, tree, scratch, files, file_bytes)
    ours, null, azurite = context.tombolo(), NullServer(context), context.azurite()
    size = f"{file_bytes >> 20:,} MiB" if file_bytes >= 1 << 20 else f"{file_bytes >> 10} KiB"
    what = f"AzCopy, {files:,} x {size}"
    rows = []
    with ours, null, azurite:
        make_container(context, ours.account, ours.port, CONTAINER)
        make_container(context, azurite.account, azurite.port, CONTAINER)
        for direction in ("up", "down"):
            leg = getattr(copier, direction)
            rates = compare(lambda: leg(ours), lambda: leg(null), context.rounds, context.rounds_max)
            rows.append({"id": f"{name}_{direction}", "what": f"{what} {direction}", "goal": GOAL_RATE, **rates.fields(),
                         "peer": "a null server: discards writes, serves zeros"})
            theirs = [leg(azurite) for _ in range(min(3, context.rounds))]
            # Neither side's CPU time waits for the other's: the legs are paired as they come.
            costs = spread([t.cpu_s / o.cpu_s for t, (o, _) in zip(theirs, rates.rounds)])
            rows.append({"id": f"{name}_{direction}_cpu", "what": f"{what} {direction}: Azurite's CPU seconds a GiB over ours",
                         "goal": GOAL_CPU, **costs, "rounds": len(theirs), "noisy": rates.noisy, "peer": "Azurite"})
    return rows
