#!/usr/bin/env python3
"""The disk fills up under a real server: reads, deletes and offload go on, writes wait for space and are taken again
soon after it has come back, nothing is lost, also when it starts on a full disk. The data directory lies on a small
file system of its own, which takes root to mount."""
import os
import subprocess
import time

from azure.core.exceptions import HttpResponseError

from harness import suite
from harness.case import TempCase
from harness.process import http_get, need
from harness.tombolo import Tombolo

DISK_MIB = 500
BODY = os.urandom(20_000_000)
HEALS_S = 10


class FullDisk(TempCase):
    def setUp(self):
        super().setUp()
        self.small = self.folder / "small"
        self.archive = self.folder / "archive"
        for folder in (self.small, self.archive):
            folder.mkdir()
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

    def metrics(self) -> bytes:
        return http_get(self.server.admin_port, "/metrics")[1]

    def offload(self, name: str):
        """It leaves for a directory elsewhere, and its bytes here are given up."""
        job = self.server.cli("offload", f"full/{name}", "--to", "archive", "--evict", limit_s=60)
        self.assertEqual((job["state"], job["progress"]["objects_done"]), ("done", 1), job)
        self.assertEqual((self.archive / "full" / name).read_bytes(), BODY)
        self.assertEqual(self.blobs().download_blob(name).readall(), BODY)

    def is_healed(self, name: str):
        """Within seconds, and without a restart."""
        deadline = time.monotonic() + HEALS_S
        while True:
            try:
                self.blobs().upload_blob(name, BODY, overwrite=True)
                self.assertLess(time.monotonic(), deadline)
                return
            except HttpResponseError as error:
                self.assertEqual(error.status_code, 503)
                self.assertLess(time.monotonic(), deadline, self.server.tail())
                time.sleep(0.1)

    def test_full_while_it_runs_at_its_start_and_healed(self):
        self.doomed, self.stored = [f"doomed{i}" for i in range(3)], 0
        with self.server:
            self.blobs().create_container()
            self.server.cli("remote", "add", "archive", "--kind", "file", "--endpoint", self.archive)
            for name in ["kept", "cold", *self.doomed]:
                self.blobs().upload_blob(name, BODY)
            self.fill("other1")
            self.check()
            self.assertIn("the disk is nearly full", self.server.cli("status")["stopped_reason"])
            self.server.wait_until(lambda: b"\ntombolo_writable 0" in self.metrics(), "tombolo_writable 0")
            self.offload("cold")
            (self.small / "other1").unlink()
            self.is_healed("live")
            self.assertEqual(self.server.cli("status")["stopped_reason"], "")
            self.server.wait_until(lambda: b"\ntombolo_writable 1" in self.metrics(), "tombolo_writable 1")
            reserve = self.server.data / "reserve"
            self.server.wait_until(lambda: reserve.exists() and reserve.stat().st_blocks > 0, "reserve held again")
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
            names = ["cold", "doomed0", "healed", "kept", "live", *(f"more{i}" for i in range(self.stored))]
            self.assertEqual(sorted(self.blobs().list_blob_names()), names)
            for name in names:
                self.assertEqual(self.blobs().download_blob(name).readall(), BODY)
            self.assertEqual(self.server.cli("fsck")["findings_total"], 0)


if __name__ == "__main__":
    suite.main()
