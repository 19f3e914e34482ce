#!/usr/bin/env python3
"""Bytes leave for a cloud (Azurite) and come back: whole, in ranges, by the cloud's own tools, and under trouble."""
import json
import os
import random
import subprocess
import threading
import time

from azure.core.exceptions import AzureError, HttpResponseError

from harness import suite, tree
from harness.azcopy import AzCopy
from harness.azurite import Azurite
from harness.case import TempCase
from harness.proxy import LyingProxy
from harness.tombolo import Tombolo

BUCKET, REMOTE, PARALLEL = "cold", "cloud", 8
# Times short enough to watch, and a cache too small to hide a remote.
SETTINGS = {"tiering.gc_interval_seconds": 1, "tiering.gc_grace_seconds": 1, "tiering.remote_grace_seconds": 1,
            "tiering.offload_parallel": PARALLEL, "data.segment_bytes": "4MiB", "cache.bytes": "1MiB"}
SETTLE_S = 60
LOG_AND_INDEX_MAX = 48 << 20  # two log files of 16 MiB, laid out ahead, and 8 MiB of the reserve


class CloudCase(TempCase):
    """Azurite, the proxy before it, tombolo, and its container `box`."""

    def setUp(self):
        super().setUp()
        self.cloud = self.start(Azurite(self.folder / "azurite"))
        self.proxy = self.start(LyingProxy(self.cloud.port, self.folder))
        self.server = self.start(Tombolo(self.folder / "tombolo", settings=SETTINGS))
        self.bucket = self.cloud.account.client().create_container(BUCKET)
        endpoint = f"http://127.0.0.1:{self.proxy.port}/{self.cloud.account.name}"
        self.server.add_azure_remote(REMOTE, self.cloud.account, BUCKET, endpoint)
        self.box = self.server.account.client(retry_total=0).get_container_client("box")
        self.box.create_container()

    def start(self, program):
        program.start()
        self.addCleanup(program.kill9)
        return program

    def offload(self, target: str = "box", *options) -> dict:
        return self.server.cli("offload", target, "--to", REMOTE, "--evict", *options)

    def remote_names(self) -> set[str]:
        return {blob.name for blob in self.bucket.list_blobs()}

    def until(self, holds, what: str):
        deadline = time.monotonic() + SETTLE_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"not within {SETTLE_S} s: {what}\n{self.server.tail()}")
            time.sleep(0.2)


class WholeTree(CloudCase):
    def test_out_and_back(self):
        source = self.folder / "source"
        files = tree.make_tree(source, files=150, size_max=300_000, seed=6)
        tree.write(source / "large", random.Random(6).randbytes(40 << 20))
        copier = AzCopy(self.folder / "azcopy")
        copier.copy(f"{source}/*", self.server.account.container_url("box"), "--recursive", "--put-md5")
        before = self.server.cli("status")
        job = self.offload()
        self.assertEqual((job["state"], job["progress"]["objects_done"], job["progress"]["objects_failed"]),
                         ("done", files + 1, 0))
        after = self.server.cli("status")
        self.assertEqual((after["bytes"], after["bytes_local"]), (before["bytes"], 0))
        # The rest are objects so small that they lie in their rows.
        self.assertGreater(after["bytes_cold"], 0.999 * before["bytes"])
        self.ranges_match(source)
        for url in (self.server.account.container_url("box", "*"), self.cloud.account.container_url(BUCKET, "box/*")):
            back = self.folder / f"back-{len(list(self.folder.iterdir()))}"
            copier.copy(url, back, "--recursive", "--check-md5=FailIfDifferent")
            self.assertEqual(tree.differences(source, back), [])
        self.until(self.only_the_log_and_open_segments_are_left, "the segments are given back")
        self.assertEqual(self.server.cli("fsck", "--depth", "all")["findings"], [])
        self.assertEqual(self.server.cli("recall", "box")["state"], "done")
        recalled = self.server.cli("status")
        self.assertEqual(recalled["bytes_cold"], 0)
        self.assertGreaterEqual(recalled["bytes_local"], after["bytes_cold"])
        self.proxy.reset()
        self.ranges_match(source)
        self.assertEqual(self.proxy.counts()["requests"], 0, "recalled bytes are read from flash")

    def only_the_log_and_open_segments_are_left(self) -> bool:
        status = self.server.cli("status")
        return (status["segment_file_bytes"] <= status["open_segment_bytes"] and
                self.server.disk_bytes() <= status["open_segment_bytes"] + LOG_AND_INDEX_MAX)

    def ranges_match(self, source):
        chosen = random.Random(7)
        paths = [path for path in sorted(source.rglob("*")) if path.is_file() and path.stat().st_size]
        for path in chosen.choices(paths, k=60) + [source / "large"] * 20:
            data = path.read_bytes()
            offset = chosen.randrange(len(data))
            length = min(chosen.randint(1, 200_000), len(data) - offset)
            name = path.relative_to(source).as_posix()
            got = self.box.download_blob(name, offset=offset, length=length).readall()
            self.assertEqual(got, data[offset:offset + length])

    def test_headers_and_metadata_stay_and_travel_along(self):
        from azure.storage.blob import ContentSettings
        blob = self.box.upload_blob("dir/a.txt", b"x" * 5000, metadata={"kept": "yes"},
                                    content_settings=ContentSettings("text/x", "zip", cache_control="no-store"))
        before = blob.get_blob_properties()
        self.offload()
        after = blob.get_blob_properties()
        self.assertEqual((after.etag, after.last_modified, after.metadata, after.content_settings.content_md5),
                         (before.etag, before.last_modified, before.metadata, before.content_settings.content_md5))
        there = self.bucket.get_blob_client("box/dir/a.txt").get_blob_properties()
        self.assertEqual((there.content_settings.content_type, there.content_settings.content_encoding,
                          there.content_settings.cache_control, there.metadata["kept"]), ("text/x", "zip", "no-store", "yes"))

    def test_again_sends_nothing(self):
        for number in range(20):
            self.box.upload_blob(str(number), os.urandom(10_000))
        self.offload()
        self.proxy.reset()
        self.assertEqual(self.offload()["state"], "done")
        self.assertEqual(self.proxy.counts()["by_method"].get("PUT", 0), 0)

    def test_a_prefix_alone(self):
        for name in ("in/a", "in/b", "out/a"):
            self.box.upload_blob(name, b"1" * 100)
        self.offload("box/in/")
        self.assertEqual(self.remote_names(), {"box/in/a", "box/in/b"})


class ChangedOutside(CloudCase):
    SIZE = 3 << 20

    def setUp(self):
        super().setUp()
        self.data = os.urandom(self.SIZE)
        self.box.upload_blob("a", self.data)
        self.offload()
        self.there = self.bucket.get_blob_client("box/a")

    def read_fails(self):
        """A clear error, at once or as a broken connection: but no byte that is not the object's."""
        with self.assertRaises(HttpResponseError) as caught:
            self.box.download_blob("a", max_concurrency=1).readall()
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (409, "BlobModifiedWhileReading"))
        report = [found["kind"] for found in self.fsck()["findings"]]
        self.assertTrue(report, "fsck finds nothing")

    def fsck(self) -> dict:
        try:
            return self.server.cli("fsck", "--depth", "all")
        except RuntimeError as error:  # findings make the exit status 1
            import json
            text = str(error)
            return json.loads(text[text.index("{"):text.rindex("}") + 1])

    def test_replaced(self):
        self.there.upload_blob(os.urandom(self.SIZE), overwrite=True)
        self.read_fails()

    def test_replaced_by_the_same_bytes(self):
        self.there.upload_blob(self.data, overwrite=True)
        self.read_fails()

    def test_cut_short(self):
        self.there.upload_blob(self.data[:1000], overwrite=True)
        self.read_fails()

    def test_deleted(self):
        self.there.delete_blob()
        self.read_fails()

    def test_replaced_in_the_middle_of_a_read(self):
        stream = self.box.get_blob_client("a").download_blob(max_concurrency=1).chunks()
        whole = bytearray()
        self.proxy.set_faults([{"method": "GET", "do": "delay", "seconds": 0.02}])
        try:
            for number, chunk in enumerate(stream):
                whole += chunk
                if number == 0:
                    self.there.upload_blob(os.urandom(self.SIZE), overwrite=True)
        except AzureError:
            pass
        self.assertEqual(bytes(whole), self.data[:len(whole)], "bytes of two objects were mixed")


class Underway(CloudCase):
    """The client and the offload meet in one object."""

    def test_overwritten_and_deleted_meanwhile(self):
        for name in ("deleted", "overwritten", "quiet"):
            self.box.upload_blob(name, name.encode() * 10_000)
        self.proxy.set_faults([{"method": "PUT", "path": "/box/", "do": "delay", "seconds": 1.5}])
        ended = {}
        mover = threading.Thread(target=lambda: ended.update(job=self.offload()))
        mover.start()
        self.until(lambda: self.proxy.counts()["by_method"].get("PUT", 0) >= 3, "three uploads under way")
        self.box.delete_blob("deleted")
        self.box.upload_blob("overwritten", b"new bytes", overwrite=True)
        mover.join()
        self.proxy.set_faults([])
        self.assertEqual(ended["job"]["state"], "done")
        self.assertEqual(ended["job"]["progress"]["objects_failed"], 0)
        self.assertEqual(sorted(blob.name for blob in self.box.list_blobs()), ["overwritten", "quiet"])
        self.assertEqual(self.box.download_blob("overwritten").readall(), b"new bytes")
        self.assertEqual(self.box.download_blob("quiet").readall(), b"quiet" * 10_000)
        self.until(lambda: self.remote_names() == {"box/quiet"}, "the copies of the dead are deleted")

    def test_a_dead_objects_copy_goes_after_its_grace(self):
        self.box.upload_blob("a", b"1" * 1000)
        self.box.upload_blob("b", b"2" * 1000)
        self.offload()
        self.box.delete_blob("a")
        self.until(lambda: self.remote_names() == {"box/b"}, "the copy of the deleted object is deleted")
        self.box.upload_blob("b", b"3" * 1000, overwrite=True)
        self.until(lambda: self.remote_names() == set(), "the copy of the overwritten object is deleted")
        self.assertEqual(self.box.download_blob("b").readall(), b"3" * 1000)
        self.assertEqual(self.offload()["progress"]["objects_failed"], 0)
        self.assertEqual(self.bucket.download_blob("box/b").readall(), b"3" * 1000)

    def test_kill_9_and_resume(self):
        originals = {f"{number:03}": os.urandom(20_000) for number in range(120)}
        for name, data in originals.items():
            self.box.upload_blob(name, data)
        self.proxy.set_faults([{"method": "PUT", "do": "delay", "seconds": 0.1}])
        command = [self.server.binary, "--data", self.server.data, "--json", "offload", "box", "--to", REMOTE, "--evict"]
        following = subprocess.Popen(command, env=self.server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(following.kill)
        for kills in (1, 2, 3):
            self.until(lambda: self.puts() >= 30 * kills, f"{30 * kills} uploads")
            self.server.kill9()
            self.server.start()
        self.proxy.set_faults([])
        out, said = following.communicate(timeout=120)
        self.assertEqual((following.returncode, "the server is away; the job goes on" in said), (0, True), said)
        ended = json.loads(out)
        self.assertEqual((ended["state"], ended["progress"]["objects_failed"]), ("done", 0), ended)
        self.assertLessEqual(self.puts(), len(originals) + 3 * PARALLEL, "more was sent again than was in flight")
        self.assertEqual(self.remote_names(), {f"box/{name}" for name in originals})
        self.assertEqual(self.server.cli("status")["bytes_cold"], sum(map(len, originals.values())))
        for name, data in originals.items():
            self.assertEqual(self.box.download_blob(name).readall(), data)
        self.assertEqual(self.server.cli("fsck", "--depth", "all")["findings"], [])

    def puts(self) -> int:
        return sum(entry["method"] == "PUT" and "/box/" in entry["target"] for entry in self.proxy.requests())

    def test_the_cloud_is_away_for_a_while(self):
        self.box.upload_blob("a", b"1" * 100_000)
        self.offload()
        self.cloud.stop()
        with self.assertRaises(HttpResponseError) as caught:
            self.box.download_blob("a")
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (503, "ServerBusy"))
        self.box.upload_blob("hot", b"2")
        self.assertEqual(self.box.download_blob("hot").readall(), b"2")
        self.cloud.start()
        self.until(lambda: self.reads("a"), "the cold object can be read again")

    def reads(self, name: str) -> bool:
        try:
            return self.box.download_blob(name).readall() == b"1" * 100_000
        except HttpResponseError:
            return False


if __name__ == "__main__":
    suite.main()
