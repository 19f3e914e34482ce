#!/usr/bin/env python3
"""The Azure CLI against tombolo: `az storage` for containers and blobs, with a connection string and with a SAS."""
import base64
import datetime
import hashlib
import random

from harness import suite, tree
from harness.az import Az, AzFailed
from harness.case import ServerCase
from harness.many import make_many
from harness.proxy import LyingProxy

MIB = 1 << 20
COUNT = 10_000
# Of rights the CLI (2.91.0) speaks in words of its own, chosen by the code.
INSTEAD = {"AuthenticationFailed": "Authentication failure. This may be caused by either invalid account key",
           "AuthorizationPermissionMismatch": "You do not have the required permissions needed to perform this operation."}


class AzCase(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = cls.shared / "az"
        cls.config.mkdir()
        cls.az = Az(cls.config, cls.server.account)
        cls.box = cls.server.account.client().create_container("box")

    def refused(self, code: str, *arguments, **options):
        """The command fails and shows this code of the service, or what the CLI says in its place."""
        with self.assertRaises(AzFailed) as caught:
            self.az.storage(*arguments, **options)
        self.assertIn(INSTEAD.get(code, f"ErrorCode:{code}"), caught.exception.output)

    def file(self, name: str, data: bytes):
        path = self.folder / name
        tree.write(path, data)
        return path


class Containers(AzCase):
    def test_life(self):
        self.assertEqual(self.az.storage("container", "create", "--name", "life", "--metadata", "a=1"),
                         {"created": True})
        self.assertEqual(self.az.storage("container", "create", "--name", "life"), {"created": False})
        self.assertEqual(self.az.storage("container", "exists", "--name", "life"), {"exists": True})
        shown = self.az.storage("container", "show", "--name", "life")
        self.assertEqual((shown["name"], shown["metadata"]), ("life", {"a": "1"}))
        self.az.storage("container", "metadata", "update", "--name", "life", "--metadata", "b=2")
        self.assertEqual(self.az.storage("container", "metadata", "show", "--name", "life"), {"b": "2"})
        listed = self.az.storage("container", "list", "--prefix", "li", "--include-metadata", "true")
        self.assertEqual([(each["name"], each["metadata"]) for each in listed], [("life", {"b": "2"})])
        self.assertEqual(self.az.storage("container", "delete", "--name", "life"), {"deleted": True})
        self.assertEqual(self.az.storage("container", "exists", "--name", "life"), {"exists": False})


class Blobs(AzCase):
    def test_one_blob(self):
        data = random.Random(1).randbytes(9 * MIB + 5)
        path, name = self.file("source", data), "dir/a b%+\u00e9.bin"
        one = ("--container-name", "box", "--name", name)
        self.az.storage("blob", "upload", *one, "--file", path, "--content-type", "text/x", "--metadata", "a=1",
                        "--validate-content", "--max-connections", "4")
        back = self.folder / "back"
        self.az.storage("blob", "download", *one, "--file", back, "--max-connections", "4", "--validate-content")
        self.assertTrue(back.read_bytes() == data)
        self.az.storage("blob", "download", *one, "--file", back, "--start-range", "1000000", "--end-range", "1999999")
        self.assertTrue(back.read_bytes() == data[1_000_000:2_000_000])
        shown = self.az.storage("blob", "show", *one)
        self.assertEqual((shown["name"], shown["properties"]["contentLength"], shown["metadata"],
                          shown["properties"]["contentSettings"]["contentType"]), (name, len(data), {"a": "1"}, "text/x"))
        self.az.storage("blob", "update", *one, "--content-type", "text/y")
        self.az.storage("blob", "metadata", "update", *one, "--metadata", "b=2")
        self.assertEqual(self.az.storage("blob", "metadata", "show", *one), {"b": "2"})
        self.assertEqual(self.az.storage("blob", "show", *one)["properties"]["contentSettings"]["contentType"], "text/y")
        self.assertEqual(self.az.storage("blob", "exists", *one), {"exists": True})
        self.az.storage("blob", "delete", *one)
        self.assertEqual(self.az.storage("blob", "exists", *one), {"exists": False})
        self.refused("BlobNotFound", "blob", "delete", *one)

    def test_conditions(self):
        path, one = self.file("source", b"first"), ("--container-name", "box", "--name", "conditional")
        etag = self.az.storage("blob", "upload", *one, "--file", path)["etag"]
        self.refused("BlobAlreadyExists", "blob", "upload", *one, "--file", path)
        self.refused("ConditionNotMet", "blob", "upload", *one, "--file", path, "--overwrite", "--if-match", '"0x1"')
        self.az.storage("blob", "upload", *one, "--file", path, "--overwrite", "--if-match", etag)
        self.refused("ConditionNotMet", "blob", "delete", *one, "--if-match", etag)
        self.refused("ConditionNotMet", "blob", "download", *one, "--file", self.folder / "back",
                     "--if-unmodified-since", "2020-01-01T00:00Z")
        self.refused("ConditionNotMet", "blob", "show", *one, "--if-match", etag)

    def test_a_damaged_body_is_refused(self):
        """--content-md5 is checked and kept; --validate-content covers what is sent."""
        right, wrong = (base64.b64encode(hashlib.md5(data).digest()).decode() for data in (b"body", b"other"))
        one, source = ("--container-name", "box", "--name", "md5"), self.file("source", b"body")
        self.refused("Md5Mismatch", "blob", "upload", *one, "--file", source, "--content-md5", wrong)
        self.az.storage("blob", "upload", *one, "--file", source, "--content-md5", right, "--validate-content")
        self.assertEqual(self.az.storage("blob", "show", *one)["properties"]["contentSettings"]["contentMd5"], right)

    def test_trees_in_batches(self):
        source, back = self.folder / "tree", self.folder / "back"
        files = tree.make_tree(source, files=60, size_max=50_000, seed=3)
        self.az.storage("container", "create", "--name", "batch")
        done = self.az.storage("blob", "upload-batch", "--destination", "batch", "--source", source,
                               "--destination-path", "in here")
        self.assertEqual(len(done), files)
        back.mkdir()
        got = self.az.storage("blob", "download-batch", "--source", "batch", "--destination", back)
        self.assertEqual(len(got), files)
        self.assertEqual(tree.differences(source, back / "in here"), [])
        self.az.storage("blob", "delete-batch", "--source", "batch", "--pattern", "in here/d*")
        left = self.az.storage("blob", "list", "--container-name", "batch")
        self.assertEqual(len(left), len([name for name in tree.EDGE_CASES if not name.startswith("d")]))

    def test_what_is_not_built(self):
        path, one = self.file("source", b"x"), ("--container-name", "box", "--name", "refused")
        self.az.storage("blob", "upload", *one, "--file", path)
        self.refused("UnsupportedQueryParameter", "blob", "snapshot", *one)
        self.refused("UnsupportedQueryParameter", "blob", "lease", "acquire", "--container-name", "box", "--blob-name",
                     "refused")
        self.refused("UnsupportedQueryParameter", "blob", "upload", *one[:2], "--name", "new", "--file", path, "--type",
                     "append")
        self.refused("BlobTypeNotSupported", "blob", "upload", *one[:2], "--name", "new", "--file",
                     self.file("page", bytes(512)), "--type", "page")


class Listings(AzCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = make_many(cls.server.account, "many", COUNT)

    def test_all_at_once(self):
        # The default is 5,000 results.
        self.assertEqual(self.names_of("--num-results", "*"), self.names)

    def test_page_by_page(self):
        found, marker = [], []
        while True:
            page = self.az.storage("blob", "list", "--container-name", "many", "--num-results", 4000, "--show-next-marker",
                                   *marker, "--query", "[].{name:name,nextMarker:nextMarker}")
            tail = page.pop()
            found += [each["name"] for each in page]
            if not tail.get("nextMarker"):
                break
            self.assertEqual(len(page), 4000)
            marker = ["--marker", tail["nextMarker"]]
        self.assertEqual(found, self.names)

    def test_folders(self):
        self.assertEqual(self.names_of("--delimiter", "/", "--prefix", "a/"), [f"a/{number:03}/" for number in range(100)])
        self.assertEqual(self.names_of("--prefix", "a/042/"), self.names[4200:4300])

    def names_of(self, *options) -> list[str]:
        return self.az.storage("blob", "list", "--container-name", "many", *options, "--query", "[].name")


class SharedAccess(AzCase):
    def test_sas(self):
        self.box.upload_blob("a b", b"secret")
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")
        tokens = {
            "blob": self.az.storage("blob", "generate-sas", "--container-name", "box", "--name", "a b", "--permissions",
                                    "r", "--expiry", soon),
            "container": self.az.storage("container", "generate-sas", "--name", "box", "--permissions", "r", "--expiry",
                                         soon),
            "account": self.az.storage("account", "generate-sas", "--services", "b", "--resource-types", "o",
                                       "--permissions", "r", "--expiry", soon),
        }
        without = {"AZURE_STORAGE_CONNECTION_STRING": ""}
        for kind, token in tokens.items():
            with self.subTest(kind):
                under = ("--blob-endpoint", self.server.account.endpoint, "--sas-token", token)
                back = self.folder / kind
                self.az.storage("blob", "download", "--container-name", "box", "--name", "a b", "--file", back, *under,
                                env=without)
                self.assertEqual(back.read_bytes(), b"secret")
                self.refused("AuthorizationPermissionMismatch", "blob", "delete", "--container-name", "box", "--name",
                             "a b", *under, env=without)
        expired = self.az.storage("blob", "generate-sas", "--container-name", "box", "--name", "a b", "--permissions", "r",
                                  "--expiry", "2020-01-01T00:00Z")
        self.refused("AuthenticationFailed", "blob", "show", "--container-name", "box", "--name", "a b",
                     "--blob-endpoint", self.server.account.endpoint, "--sas-token", expired, env=without)
        url = self.az.storage("blob", "url", "--container-name", "box", "--name", "a b")
        self.assertEqual(url, f"{self.server.account.endpoint}/box/a%20b")

    def test_a_wrong_key(self):
        wrong = self.server.account.connection_string.replace(self.server.account.key, base64.b64encode(b"k" * 64).decode())
        self.refused("AuthenticationFailed", "container", "list", env={"AZURE_STORAGE_CONNECTION_STRING": wrong})


class Cold(AzCase):
    def test_cold_blobs_over_a_bad_connection(self):
        data = random.Random(2).randbytes(12 * MIB + 1)
        one = ("--container-name", "box", "--name", "cold")
        self.az.storage("blob", "upload", *one, "--file", self.file("source", data))
        self.offload_to_folder("box")
        back = self.folder / "back"
        with LyingProxy(self.server.port, self.folder) as proxy:
            far = Az(self.config, self.server.account.at_port(proxy.port))
            proxy.set_faults([{"method": "GET", "do": "truncate", "bytes": 3 * MIB, "times": 2}])
            far.storage("blob", "download", *one, "--file", back)
        self.assertTrue(back.read_bytes() == data)
        self.assertEqual(self.az.storage("blob", "show", *one)["properties"]["contentLength"], len(data))


if __name__ == "__main__":
    suite.main()
