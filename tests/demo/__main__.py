"""The story, stage by stage. Ends with status 0 only if every promise held; the figures are in build/demo.json."""
import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

from harness.azcopy import AzCopy
from harness.azurite import Azurite
from harness.tombolo import Tombolo
from harness.tree import differences

from . import source
from .table import Table

CONTAINER, BUCKET, REMOTE = "demo", "cold", "cloud"
HALF = "half"
RANGES = 1000
RANGE_MAX = 128 << 10
SETTLE_S = 60
SLACK = 64 << 20
RESERVE = 64 << 20  # data.reserve_bytes


class Broken(Exception):
    """A promise that did not hold."""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make demo")
    arguments.add_argument("--full", action="store_true", help="20,000 files, 2 GiB, one file of 1 GiB")
    full = arguments.parse_args().full
    table = Table()
    print("\ntombolo demo: a real tree in through AzCopy, its cold bytes out to an object store, every byte back\n")
    with tempfile.TemporaryDirectory(prefix="tombolo-demo-") as name:
        folder = pathlib.Path(name)
        try:
            with Azurite(folder / "azurite") as cloud, Tombolo(folder / "tombolo") as tombolo:
                run(folder, cloud, tombolo, full, table)
        except Broken as broken:
            table.show()
            print(f"\n  NOT as promised: {broken}\n", file=sys.stderr)
            return 1
    table.show()
    table.write(pathlib.Path("build/demo.json"))
    print("\n  Every byte came back, from tombolo and from the cloud alone. Figures: build/demo.json\n")
    return 0


def run(folder: pathlib.Path, cloud: Azurite, tombolo: Tombolo, full: bool, table: Table):
    azcopy = AzCopy(folder / "azcopy")
    tree = folder / "source"
    with table.stage("stage real files of this machine") as stage:
        files, size = source.stage(tree, *((20_000, 2 << 30, 1 << 30) if full else (2_000, 512 << 20, 128 << 20)),
                                   stage.progress)
        stage.count(files, size)
    cloud.account.client().create_container(BUCKET)
    tombolo.cli("container", "create", CONTAINER)
    url = tombolo.cli("sas", CONTAINER)["url"]
    upload(azcopy, tree, url, files, size, table, "AzCopy uploads the tree (--put-md5)")
    before = tombolo.cli("status")["bytes_local"]
    offload(tombolo, cloud, files, size, table)
    ranges(tombolo, tree, table)
    with table.stage("AzCopy downloads it (--check-md5)") as stage:
        download(azcopy, url, folder / "back", tree, files)
        stage.count(files, size)
    space_after_evict(tombolo, before, table)
    with table.stage("AzCopy reads the cloud, without tombolo") as stage:
        direct = cloud.account.container_url(BUCKET, CONTAINER)
        download(azcopy, direct, folder / "direct", tree, files)
        stage.count(files, size)
    table.facts["identical"] = True
    delete_half(azcopy, tombolo, tree, table)


def upload(azcopy: AzCopy, tree: pathlib.Path, url: str, files: int, size: int, table: Table, title: str):
    with table.stage(title) as stage:
        ran = azcopy.copy(f"{tree}/*", url, "--recursive", "--put-md5", limit_s=3600)
        check(int(ran.summary["TransfersCompleted"]) == files, f"AzCopy uploaded {ran.summary['TransfersCompleted']} "
                                                               f"of {files} files")
        stage.count(files, size)


def offload(tombolo: Tombolo, cloud: Azurite, files: int, size: int, table: Table):
    with table.stage("tombolo offload --evict to the cloud") as stage:
        tombolo.add_azure_remote(REMOTE, cloud.account, BUCKET)
        job = tombolo.cli("offload", CONTAINER, "--to", REMOTE, "--evict", limit_s=3600)
        check(job["state"] == "done" and job["progress"]["objects_failed"] == 0, f"the offload ended as {job}")
        check(job["progress"]["objects_done"] == files, f"{job['progress']['objects_done']} of {files} were offloaded")
        stage.count(files, size)


def ranges(tombolo: Tombolo, tree: pathlib.Path, table: Table):
    """Random ranges of cold objects against the originals."""
    container = tombolo.account.client().get_container_client(CONTAINER)
    chosen = random.Random(1)
    paths = [path for path in sorted(tree.rglob("*")) if path.is_file() and path.stat().st_size > 0]
    with table.stage(f"{RANGES:,} random ranges of cold objects") as stage:
        moved = 0
        for done in range(RANGES):
            path = chosen.choice(paths)
            length = path.stat().st_size
            offset = chosen.randrange(length)
            wanted = min(chosen.randint(1, RANGE_MAX), length - offset)
            name = path.relative_to(tree).as_posix()
            got = container.download_blob(name, offset=offset, length=wanted).readall()
            with path.open("rb") as original:
                original.seek(offset)
                check(got == original.read(wanted), f"bytes {offset}..{offset + wanted} of {name} differ")
            moved += wanted
            stage.progress(done, moved)
        stage.count(RANGES, moved)
    table.facts["cold_ranges_checked"] = RANGES


def download(azcopy: AzCopy, url: str, target: pathlib.Path, tree: pathlib.Path, files: int):
    target.mkdir()
    address, _, query = url.partition("?")
    ran = azcopy.copy(f"{address}/*?{query}", target, "--recursive", "--check-md5=FailIfDifferent", limit_s=3600)
    check(int(ran.summary["TransfersCompleted"]) == files, f"AzCopy downloaded {ran.summary['TransfersCompleted']} of "
                                                           f"{files} files")
    found = differences(tree, target)
    check(not found, "the tree came back changed: " + "; ".join(found[:5]))
    shutil.rmtree(target)


def space_after_evict(tombolo: Tombolo, before: int, table: Table):
    with table.stage(f"flash is given back within {SETTLE_S} s"):
        status, disk = settle(tombolo, lambda s, disk: s["bytes_local"] < 0.05 * before and disk <= space_limit(s, 1))
        check(status["bytes_local"] < 0.05 * before, f"{status['bytes_local']} of {before} local bytes are still live")
        limit = space_limit(status, 1)
        check(disk <= limit, f"the data directory uses {disk} bytes, over {limit:.0f}")
    table.facts["local_bytes_before_evict"] = before
    table.facts["local_bytes_after_evict"] = status["bytes_local"]
    table.facts["disk_bytes_after_evict"] = disk


def delete_half(azcopy: AzCopy, tombolo: Tombolo, tree: pathlib.Path, table: Table):
    """A random half of a hot tree goes; compaction gives the disk back."""
    tombolo.cli("container", "create", HALF)
    url = tombolo.cli("sas", HALF)["url"]
    files = [path for path in sorted((tree / "real").rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    upload(azcopy, tree / "real", url, len(files), size, table, "AzCopy uploads a second, hot tree")
    container = tombolo.account.client().get_container_client(HALF)
    with table.stage("delete a random half of it, disk shrinks") as stage:
        doomed = random.Random(2).sample(files, len(files) // 2)
        for path in doomed:
            container.delete_blob(path.relative_to(tree / "real").as_posix())
        gone = sum(path.stat().st_size for path in doomed)
        stage.count(len(doomed), gone)
        left = (size - gone) * 1.1 + len(files) * 4096  # each run has a header and begins on 4 KiB
        status, disk = settle(tombolo, lambda s, disk: s["bytes_local"] <= left and disk <= space_limit(s, 1.3))
        check(status["bytes_local"] <= left, f"{status['bytes_local']} local bytes are live, {size - gone} were kept")
        check(disk <= space_limit(status, 1.3), f"the data directory uses {disk} bytes for {status['bytes_local']} live")
    table.facts["disk_bytes_after_delete"] = disk
    table.facts["local_bytes_after_delete"] = status["bytes_local"]


def space_limit(status: dict, factor: float) -> float:
    """What the data directory may use: live bytes, segments that are being written, the reserve, and slack."""
    return factor * status["bytes_local"] + status["open_segment_bytes"] + RESERVE + SLACK


def settle(tombolo: Tombolo, good) -> tuple[dict, int]:
    """Status and disk use once they are good, or as they are after SETTLE_S."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        status, disk = tombolo.cli("status"), tombolo.disk_bytes()
        if good(status, disk) or time.monotonic() > deadline:
            return status, disk
        time.sleep(0.5)


def check(holds: bool, otherwise: str):
    if not holds:
        raise Broken(otherwise)


if __name__ == "__main__":
    sys.exit(main())
