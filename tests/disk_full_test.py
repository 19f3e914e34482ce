#!/usr/bin/env python3
"""The disk fills up under a real server: reads and deletes go on, writes wait for space, nothing is lost, also when it
starts on a full disk. The data directory lies on a small file system of its own, which takes root to mount."""
import os
import subprocess

from azure.core.exceptions import HttpResponseError

from harness import suite
from harness.case import TempCase
from harness.process import need
from harness.tombolo import Tombolo

DISK_MIB = 500
BODY = os.urandom(20_000_000)


class FullDisk(TempCase):
    def setUp(self):
        super().setUp()
        self.small = self.folder / "small"
        self.small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", self.small], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.small], check=True)
        self.server = Tombolo(self.small)
        self.server.log = self.folder / "tombolo.log"

    def fill(self, name: str):
        """Another program takes what is left, to the last block."""
        block = bytes(4096)
        with open(self.small / name, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(block)
            except OSError:
                pass

    def blobs(self):
        return self.server.account.client(retry_total=0).get_container_client("full")

    def check(self):
        """Reads and deletes work; writes fit into what is reserved already, or are refused in the protocol's words."""
        blobs = self.blobs()
        self.assertEqual(blobs.download_blob("kept").readall(), BODY)
        blobs.delete_blob(self.doomed.pop())
        for attempt in range(DISK_MIB // 20):
            try:
                blobs.upload_blob(f"more{self.stored}", BODY)
                self.stored += 1
            except HttpResponseError as error:
                self.assertEqual((error.status_code, error.error_code), (503, "ServerBusy"))
                self.assertFalse(blobs.get_blob_client(f"more{self.stored}").exists())
                return
        self.fail("a full disk takes everything")

    def test_full_while_it_runs_at_its_start_and_healed(self):
        self.doomed, self.stored = [f"doomed{i}" for i in range(3)], 0
        with self.server:
            self.blobs().create_container()
            for name in ["kept", *self.doomed]:
                self.blobs().upload_blob(name, BODY)
            self.fill("other1")
            self.check()
            self.server.kill9()
        self.fill("other2")
        with self.server:
            self.check()
            self.server.kill9()
        # Now the reserve is gone too. A start either works or says what to do; it never breaks.
        self.fill("other3")
        done = subprocess.run([need("TOMBOLO_BIN"), "fsck", "--data", self.server.data], env=self.server.env,
                              capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertRegex(done.stdout + done.stderr, "findings  0|free some, then start it again; nothing is lost")
        for filler in self.small.glob("other*"):
            filler.unlink()
        with self.server:
            self.blobs().upload_blob("healed", BODY)
            names = ["doomed0", "healed", "kept", *(f"more{i}" for i in range(self.stored))]
            self.assertEqual(sorted(self.blobs().list_blob_names()), names)
            for name in names:
                self.assertEqual(self.blobs().download_blob(name).readall(), BODY)
            self.assertEqual(self.server.cli("fsck")["findings_total"], 0)


if __name__ == "__main__":
    suite.main()
