#!/usr/bin/env python3
"""A remote's disk that is not mounted at the start: its empty mount point is a remote that is down, not an empty one."""
import os

from azure.core.exceptions import HttpResponseError

from harness import suite
from harness.case import TempCase
from harness.tombolo import Tombolo

COLD = os.urandom(200_000)
SETTINGS = {"cache.bytes": "1MiB", "tiering.gc_interval_seconds": 1, "tiering.gc_grace_seconds": 1,
            "tiering.remote_grace_seconds": 1}


class MissingMount(TempCase):
    def setUp(self):
        super().setUp()
        self.server = Tombolo(self.folder / "tombolo", settings=SETTINGS)
        self.server.start()
        self.addCleanup(self.server.kill9)
        self.mount, self.disk = self.folder / "mount", self.folder / "disk"
        self.mount.mkdir()
        self.server.cli("remote", "add", "shelf", "--kind", "file", "--endpoint", self.mount)
        self.box = self.server.account.client(retry_total=0).get_container_client("box")
        self.box.create_container()
        for name in ("cold/a", "cold/gone"):
            self.box.upload_blob(name, COLD)
        self.box.upload_blob("hot/b", b"hot" * 10_000)
        job = self.server.cli("offload", "box/cold/", "--to", "shelf", "--evict")
        self.assertEqual((job["state"], job["progress"]["objects_done"]), ("done", 2), job)
        self.start_without_the_mount()

    def start_without_the_mount(self):
        self.assertEqual(self.server.stop(), 0)
        self.mount.rename(self.disk)
        self.mount.mkdir()
        self.server.start()

    def mount_again(self):
        self.mount.rmdir()  # which fails where something was written there
        self.disk.rename(self.mount)

    def shown(self) -> dict:
        (remote,) = self.server.cli("remote", "list")["remotes"]
        return remote

    def is_down(self):
        """Told so by whatever asks, and nothing is written in the mount point."""
        self.assertFalse(self.shown()["healthy"])
        for wanted in (str(self.mount), ".tombolo", "probably not mounted", "tombolo remote test shelf"):
            self.assertIn(wanted, self.shown()["problem"])
        with self.assertRaises(HttpResponseError) as cold:
            self.box.download_blob("cold/a").readall()
        self.assertEqual(cold.exception.status_code, 503)
        self.assertEqual(self.box.download_blob("hot/b").readall(), b"hot" * 10_000)
        for command in (["offload", "box", "--to", "shelf", "--evict"], ["remote", "test", "shelf"],
                        ["remote", "update", "shelf", "--endpoint", f"{self.mount}/"]):
            with self.assertRaisesRegex(RuntimeError, "probably not mounted"):
                self.server.cli(*command)
        self.assertEqual(list(self.mount.iterdir()), [])

    def is_back(self):
        self.assertTrue(self.shown()["healthy"], self.shown())
        self.assertEqual(self.box.download_blob("cold/a").readall(), COLD)
        self.assertEqual(self.server.cli("offload", "box", "--to", "shelf", "--evict")["state"], "done")
        self.assertEqual(self.box.download_blob("hot/b").readall(), b"hot" * 10_000)
        self.assertEqual(self.server.cli("fsck", "--depth", "all")["findings"], [])

    def test_it_is_down_until_it_is_mounted_and_the_server_started_again(self):
        self.is_down()
        self.assertEqual(self.server.stop(), 0)
        self.mount_again()
        self.server.start()
        self.is_back()

    def test_a_remote_test_takes_it_into_use_again(self):
        self.is_down()
        self.mount_again()
        self.assertTrue(self.server.cli("remote", "test", "shelf", "--bytes", "0")["ok"])
        self.is_back()

    def test_a_mount_point_that_is_gone_too_is_no_different(self):
        self.mount.rmdir()
        problem = "probably not mounted"
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertIn(problem, self.shown()["problem"])
        with self.assertRaises(HttpResponseError) as cold:
            self.box.download_blob("cold/a").readall()
        self.assertEqual(cold.exception.status_code, 503)

    def test_what_is_deleted_meanwhile_is_deleted_there_later(self):
        self.box.delete_blob("cold/gone")
        self.is_down()
        self.mount_again()
        self.assertTrue((self.mount / "box/cold/gone").exists())
        self.server.cli("remote", "test", "shelf", "--bytes", "0")
        self.server.wait_until(lambda: not (self.mount / "box/cold/gone").exists(), "delete what is not needed")

    def test_a_refused_add_does_not_make_the_mount_point_the_remote(self):
        with self.assertRaisesRegex(RuntimeError, "exists"):
            self.server.cli("remote", "add", "shelf", "--kind", "file", "--endpoint", self.mount)
        self.is_down()

    def test_an_update_to_an_empty_place_is_the_word_of_who_says_so(self):
        other = self.folder / "other"
        other.mkdir()
        self.server.cli("remote", "update", "shelf", "--endpoint", other)
        self.assertTrue(self.shown()["healthy"])
        self.assertTrue((other / ".tombolo").is_dir())


class TwoRemotesInOneDirectory(TempCase):
    """Each with a prefix of its own, as a team and its neighbour may have it."""

    def test_both_are_up_after_a_start(self):
        server = Tombolo(self.folder / "tombolo", settings=SETTINGS)
        server.start()
        self.addCleanup(server.kill9)
        shelf = self.folder / "shelf"
        shelf.mkdir()
        for name in ("one", "two"):
            server.cli("remote", "add", name, "--kind", "file", "--endpoint", shelf, "--prefix", f"{name}/")
            box = server.account.client(retry_total=0).get_container_client(name)
            box.create_container()
            box.upload_blob("cold", COLD)
            self.assertEqual(server.cli("offload", name, "--to", name, "--evict")["progress"]["objects_done"], 1)
        for _ in range(3):
            self.assertEqual(server.stop(), 0)
            server.start()
            shown = server.cli("remote", "list")["remotes"]
            self.assertEqual([remote["healthy"] for remote in shown], [True, True], shown)
            for name in ("one", "two"):
                box = server.account.client(retry_total=0).get_container_client(name)
                self.assertEqual(box.download_blob("cold").readall(), COLD)


if __name__ == "__main__":
    suite.main()
