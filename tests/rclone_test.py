#!/usr/bin/env python3
"""rclone against tombolo: trees there and back, hot and cold, listings, parts of files, deletes, a bad connection."""
import hashlib
import json
import random
import shutil

from harness import suite, tree
from harness.case import ServerCase
from harness.many import make_many
from harness.proxy import LyingProxy
from harness.rclone import Rclone, RcloneFailed

MIB = 1 << 20
COUNT = 10_000


class RcloneCase(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rclone = Rclone(cls.shared, cls.server.account)

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())

    def make_source(self, files: int = 60):
        source = self.folder / "source"
        count = tree.make_tree(source, files=files, size_max=60_000, seed=5)
        tree.write(source / "large.bin", self.random.randbytes(21 * MIB + 7))
        return source, count + 1


class Trees(RcloneCase):
    def test_copy_check_sync_purge(self):
        source, count = self.make_source()
        self.rclone.run("mkdir", "t:trees")
        self.assertIn("trees", " ".join(self.rclone.lines("lsd", "t:")))
        self.rclone.run("copy", source, "t:trees/in here", "--transfers=8", "--azureblob-chunk-size=4Mi",
                        "--azureblob-upload-concurrency=4")
        self.rclone.run("check", source, "t:trees/in here")  # by MD5
        self.rclone.run("check", source, "t:trees/in here", "--download")
        self.assertEqual(json.loads(self.rclone.run("size", "t:trees", "--json"))["count"], count)
        blocks = self.server.account.client().get_blob_client("trees", "in here/large.bin").get_block_list()[0]
        self.assertEqual([block.size for block in blocks], [4 * MIB] * 5 + [MIB + 7])

        back = self.folder / "back"
        self.rclone.run("copy", "t:trees/in here", back)
        self.assertEqual(tree.differences(source, back), [])
        # Times travel in metadata: a second copy sends nothing.
        self.assertEqual(self.rclone.lines("copy", source, "t:trees/in here", "--dry-run"), [])
        self.assertEqual((back / "large.bin").stat().st_mtime_ns // 10**6,
                         (source / "large.bin").stat().st_mtime_ns // 10**6)

        shutil.rmtree(source / "d0001")
        tree.write(source / "new.txt", b"new")
        tree.write(source / "large.bin", b"small now")
        self.rclone.run("sync", source, "t:trees/in here")
        self.rclone.run("check", source, "t:trees/in here")
        with self.assertRaises(RcloneFailed):
            self.rclone.run("check", back, "t:trees/in here")
        self.rclone.run("sync", "t:trees/in here", back)
        self.assertEqual(tree.differences(source, back), [])

        self.rclone.run("delete", "t:trees/in here", "--include", "*.bin")
        self.assertEqual([name for name in self.rclone.lines("lsf", "-R", "--files-only", "t:trees") if
                          name.endswith(".bin")], [])
        self.rclone.run("purge", "t:trees")
        self.assertNotIn("trees", " ".join(self.rclone.lines("lsd", "t:")))

    def test_under_a_sas(self):
        source, count = self.make_source(files=10)
        self.container("sas")
        writer = Rclone(self.folder, self.server.account, self.server.account.container_url("sas"))
        writer.run("copy", source, "t:sas/x")
        self.rclone.run("check", source, "t:sas/x")
        reader = Rclone(self.folder, self.server.account, self.server.account.container_url("sas", permissions="rl"))
        self.assertEqual(len(reader.lines("lsf", "-R", "--files-only", "t:sas")), count)
        with self.assertRaisesRegex(RcloneFailed, "AuthorizationPermissionMismatch"):
            reader.run("delete", "t:sas/x/large.bin")
        expired = Rclone(self.folder, self.server.account, self.server.account.container_url("sas", minutes=-1))
        with self.assertRaisesRegex(RcloneFailed, "AuthenticationFailed"):
            expired.run("lsf", "t:sas")


class Files(RcloneCase):
    def test_parts_of_a_file(self):
        data = self.random.randbytes(3 * MIB)
        box = self.container("parts")
        box.upload_blob("dir/a b", data)
        self.assertTrue(self.rclone.run("cat", "t:parts/dir/a b") == data)
        self.assertTrue(self.rclone.run("cat", "t:parts/dir/a b", "--offset", MIB) == data[MIB:])
        self.assertTrue(self.rclone.run("cat", "t:parts/dir/a b", "--offset", 12_345, "--count", 70_000) ==
                        data[12_345:82_345])
        self.assertTrue(self.rclone.run("cat", "t:parts/dir/a b", "--tail", 1000) == data[-1000:])
        self.assertEqual(self.rclone.run("md5sum", "t:parts/dir/a b").split()[0].decode(), hashlib.md5(data).hexdigest())

    def test_from_standard_input(self):
        data = self.random.randbytes(9 * MIB + 1)
        box = self.container("piped")
        self.rclone.run("rcat", "t:piped/large", data=data)
        self.rclone.run("rcat", "t:piped/small", data=b"1")
        self.assertTrue(box.download_blob("large").readall() == data)
        self.assertEqual(box.download_blob("small").readall(), b"1")

    def test_one_file_by_name(self):
        box, source = self.container("single"), self.folder / "a"
        tree.write(source, b"one")
        self.rclone.run("copyto", source, "t:single/new+name%41.txt")
        properties = box.get_blob_client("new+name%41.txt").get_blob_properties()
        self.assertEqual((properties.size, properties.content_settings.content_type), (3, "text/plain; charset=utf-8"))
        listed = json.loads(self.rclone.run("lsjson", "t:single", "--hash"))
        self.assertEqual([(each["Name"], each["Size"], each["Hashes"]["md5"]) for each in listed],
                         [("new+name%41.txt", 3, hashlib.md5(b"one").hexdigest())])
        self.rclone.run("deletefile", "t:single/new+name%41.txt")
        self.assertEqual(list(box.list_blob_names()), [])
        self.rclone.run("rmdir", "t:single")
        self.assertFalse(box.exists())

    def test_what_is_not_built(self):
        self.container("server-side").upload_blob("a", b"1")
        # rclone renames by Copy Blob; nothing may be lost when that is refused.
        with self.assertRaisesRegex(RcloneFailed, "UnsupportedHeader"):
            self.rclone.run("moveto", "t:server-side/a", "t:server-side/b")
        self.assertEqual(self.rclone.run("cat", "t:server-side/a"), b"1")


class Listings(RcloneCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = make_many(cls.server.account, "many", COUNT)

    def test_all(self):
        for chunk in (5000, 333):
            found = self.rclone.lines("lsf", "-R", "--files-only", "--fast-list", "t:many", f"--azureblob-list-chunk={chunk}")
            self.assertEqual(sorted(found), self.names)

    def test_folder_by_folder(self):
        self.assertEqual(sorted(self.rclone.lines("lsf", "-R", "--files-only", "t:many")), self.names)
        self.assertEqual(sorted(self.rclone.lines("lsf", "t:many/a")), [f"{number:03}/" for number in range(100)])
        self.assertEqual(sorted(self.rclone.lines("lsf", "t:many/a/042")), [name.split("/")[-1] for name in self.names[4200:4300]])


class Cold(RcloneCase):
    def test_a_tree_that_was_offloaded(self):
        source, count = self.make_source()
        self.rclone.run("copy", source, "t:cold", "--transfers=8")
        self.assertEqual(self.offload_to_folder("cold")["progress"]["objects_done"], count)
        self.assertEqual(self.server.cli("status")["bytes_local"], 0)
        self.rclone.run("check", source, "t:cold")
        large = (source / "large.bin").read_bytes()
        self.assertTrue(self.rclone.run("cat", "t:cold/large.bin", "--offset", 10 * MIB, "--count", 100_000) ==
                        large[10 * MIB:10 * MIB + 100_000])
        # Over a connection that breaks in the middle of large.bin: rclone goes on by range.
        back = self.folder / "back"
        with LyingProxy(self.server.port, self.folder) as proxy:
            far = Rclone(self.folder, self.server.account.at_port(proxy.port))
            proxy.set_faults([{"method": "GET", "path": "large.bin", "do": "truncate", "bytes": 5 * MIB, "times": 3}])
            far.run("copy", "t:cold", back, "--transfers=8")
            passed = [each for each in proxy.requests() if each["method"] == "GET" and "large.bin" in each["target"]]
            self.assertEqual(len(passed), 4)
            self.assertLess(sum(each["bytes_down"] for each in passed), len(large) + 4 * MIB, "it began anew")
        self.assertEqual(tree.differences(source, back), [])
        tree.write(source / "large.bin", b"hot again")
        self.rclone.run("sync", source, "t:cold")
        self.rclone.run("check", source, "t:cold", "--download")


if __name__ == "__main__":
    suite.main()
