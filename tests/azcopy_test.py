#!/usr/bin/env python3
"""AzCopy moves 2,000 files in and out in each way it can be told to, and sync, remove and list are right."""
import os
import random
import shutil
import time

from harness import suite, tree
from harness.azcopy import AzCopy
from harness.case import ServerCase

FILES = 2000
# Beside the many small ones: more than one block of 1 MiB, more than one of the default 8 MiB.
LARGE = {"large/just-over-a-block": (1 << 20) + 1, "large/three-blocks": 3 << 20, "large/twenty": 20 << 20}


class TwoThousandFiles(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.shared / "source"
        small = FILES - len(LARGE) - len(tree.EDGE_CASES)
        cls.files = tree.make_tree(cls.source, files=small, size_max=20_000, seed=3) + len(LARGE)
        for name, size in LARGE.items():
            tree.write(cls.source / name, random.Random(name).randbytes(size))
        cls.copier = AzCopy(cls.shared / "azcopy")

    def round_trip(self, url_of, *options):
        """`url_of(path)` is the URL of a path of the container. Up, down, and no difference."""
        back = self.folder / "back"
        for source, target, check in ((f"{self.source}/*", url_of(""), "--put-md5"),
                                      (url_of("*"), back, "--check-md5=FailIfDifferent")):
            ran = self.copier.copy(source, target, "--recursive", check, *options)
            self.assertEqual((int(ran.summary["TransfersCompleted"]), int(ran.summary["TransfersFailed"])),
                             (FILES, 0))
        self.assertEqual(self.files, FILES)
        self.assertEqual(tree.differences(self.source, back), [])

    def test_with_the_container_sas_that_tombolo_prints(self):
        self.server.cli("container", "create", "printed")
        address, _, query = self.server.cli("sas", "printed")["url"].partition("?")
        self.round_trip(lambda path: f"{address}{'/' if path else ''}{path}?{query}")

    def test_with_an_account_sas(self):
        self.container("account")
        self.round_trip(lambda path: self.server.account.account_url("account", path))

    def test_with_blocks_of_1_mib(self):
        box = self.container("blocks")
        self.round_trip(lambda path: self.server.account.container_url("blocks", path), "--block-size-mb=1")
        committed, _ = box.get_blob_client("large/twenty").get_block_list("all")
        self.assertEqual([block.size for block in committed], [1 << 20] * 20)

    def test_with_one_put_for_up_to_256_mib(self):
        box = self.container("puts")
        self.round_trip(lambda path: self.server.account.container_url("puts", path), "--put-blob-size-mb=256")
        committed, _ = box.get_blob_client("large/twenty").get_block_list("all")
        self.assertEqual(committed, [], "one Put Blob leaves no block list")


class Commands(ServerCase):
    def setUp(self):
        super().setUp()
        self.copier = AzCopy(self.folder / "azcopy")
        self.name = self._testMethodName.replace("test_", "").replace("_", "-")
        self.box = self.container(self.name)
        self.left, self.right = self.folder / "left", self.folder / "right"
        self.files = tree.make_tree(self.left, files=60, size_max=5_000, seed=4)
        self.copier.copy(f"{self.left}/*", self.url(), "--recursive", "--put-md5")

    def url(self, path: str = "") -> str:
        return self.server.account.container_url(self.name, path)

    def stored(self) -> list[str]:
        return [blob.name for blob in self.box.list_blobs()]

    def test_sync_up(self):
        self.change(self.left)
        self.copier.sync(self.left, self.url(), "--recursive", "--delete-destination=true", "--put-md5")
        self.assertEqual(len(self.stored()), self.files)  # one more, one less
        self.copier.copy(self.url("*"), self.right, "--recursive", "--check-md5=FailIfDifferent")
        self.assertEqual(tree.differences(self.left, self.right), [])
        again = self.copier.sync(self.left, self.url(), "--recursive", "--delete-destination=true")
        self.assertEqual(int(again.summary["TotalTransfers"]), 0)

    def test_sync_down(self):
        shutil.copytree(self.left, self.right)
        self.change(self.right, age_s=-3600)
        self.copier.sync(self.url(), self.right, "--recursive", "--delete-destination=true")
        self.assertEqual(tree.differences(self.left, self.right), [])
        again = self.copier.sync(self.url(), self.right, "--recursive", "--delete-destination=true")
        self.assertEqual(int(again.summary["TotalTransfers"]), 0)

    def change(self, folder, age_s: float = 1):
        """Adds a file, changes one, deletes one; `age_s` puts all times on that side of the other's."""
        tree.write(folder / "d0000" / "added with space", b"added")
        (folder / "d0001" / "f000011.bin").write_bytes(b"changed")
        (folder / "d0002" / "f000022.bin").unlink()
        changed = folder / "d0001" / "f000011.bin"
        moment = time.time() + age_s
        for path in (changed,) if age_s > 0 else [path for path in folder.rglob("*") if path.is_file()]:
            os.utime(path, (moment, moment))
        time.sleep(max(0.0, age_s + 1))  # what is stored from here on is newer, in whole seconds

    def test_remove_one_file(self):
        ran = self.copier.remove(self.url("d0000/f000003.bin"))
        self.assertEqual(int(ran.summary["TransfersCompleted"]), 1)
        self.assertEqual(len(self.stored()), self.files - 1)
        self.assertNotIn("d0000/f000003.bin", self.stored())

    def test_remove_a_prefix(self):
        ran = self.copier.remove(self.url("d0001"), "--recursive")
        self.assertEqual(int(ran.summary["TransfersCompleted"]), 10)
        self.assertEqual([name for name in self.stored() if name.startswith("d0001/")], [])
        self.assertEqual(len(self.stored()), self.files - 10)

    def test_remove_everything(self):
        ran = self.copier.remove(self.url(), "--recursive")
        self.assertEqual(int(ran.summary["TransfersCompleted"]), self.files)
        self.assertEqual(self.stored(), [])

    def test_list(self):
        on_disk = sorted(path.relative_to(self.left).as_posix() for path in self.left.rglob("*") if path.is_file())
        self.assertEqual(sorted(self.copier.list(self.url())), on_disk)
        below = self.copier.list(self.url("d0001/"))
        self.assertEqual(sorted(below), [f"f{number:06}.bin" for number in range(10, 20)])


if __name__ == "__main__":
    suite.main()
