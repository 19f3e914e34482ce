#!/usr/bin/env python3
"""azure-storage-blob against tombolo in bulk: 10,000 names, parallel transfers, broken connections, cold objects."""
import io
import random

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobPrefix

from harness import suite
from harness.case import ServerCase
from harness.many import make_many
from harness.proxy import LyingProxy

MIB = 1 << 20
COUNT = 10_000


class ProxiedCase(ServerCase):
    """`self.near` is the account, `self.far` the same behind a proxy that can make trouble."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = LyingProxy(cls.server.port, cls.shared)
        cls.proxy.start()
        cls.addClassCleanup(cls.proxy.kill9)
        cls.near = cls.server.account
        cls.far = cls.near.at_port(cls.proxy.port)
        cls.box = cls.near.client().create_container("box")

    def setUp(self):
        super().setUp()
        self.proxy.set_faults([])
        self.proxy.reset()


class Listings(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = make_many(cls.server.account, "many", COUNT)
        cls.box = cls.server.account.client().get_container_client("many")

    def test_page_by_page(self):
        pages = [[(blob.name, blob.size) for blob in page]
                 for page in self.box.list_blobs(results_per_page=700).by_page()]
        self.assertEqual([len(page) for page in pages], [700] * 14 + [200])
        self.assertEqual(sum(pages, []), [(name, len(name)) for name in self.names])

    def test_names_alone_in_pages_of_the_server(self):
        pages = self.box.list_blob_names().by_page()
        self.assertEqual([len(list(page)) for page in pages], [5000, 5000])

    def test_a_new_client_goes_on_from_a_token(self):
        token, found = None, []
        while token != "":
            pages = self.server.account.client().get_container_client("many").list_blobs(
                results_per_page=3000).by_page(continuation_token=token)
            found += [blob.name for blob in next(pages)]
            token = pages.continuation_token or ""
        self.assertEqual(found, self.names)

    def test_walk(self):
        found, ways = [], 0

        def walk(prefix):
            nonlocal ways
            ways += 1
            for item in self.box.walk_blobs(name_starts_with=prefix, delimiter="/"):
                if isinstance(item, BlobPrefix):
                    walk(item.name)
                else:
                    found.append(item.name)

        walk("")
        self.assertEqual((found, ways), (self.names, 1 + 1 + COUNT // 100))

    def test_prefixes_in_pages(self):
        pages = self.box.walk_blobs("a/", delimiter="/", results_per_page=30).by_page()
        found = [[item.name for item in page] for page in pages]
        self.assertEqual([len(page) for page in found], [30, 30, 30, 10])
        self.assertEqual(sum(found, []), [f"a/{number:03}/" for number in range(100)])
        self.assertEqual([blob.name for blob in self.box.list_blobs(name_starts_with="a/042/")], self.names[4200:4300])


class Transfers(ProxiedCase):
    OPTIONS = {"max_single_put_size": MIB, "max_block_size": MIB, "max_single_get_size": MIB, "max_chunk_get_size": MIB}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = random.Random(1).randbytes(24 * MIB + 12_345)

    def client(self, account=None, **more):
        return (account or self.near).client(**{**self.OPTIONS, **more}).get_blob_client("box", self.id())

    def test_bytes_files_streams_and_generators(self):
        path = self.folder / "file"
        path.write_bytes(self.data)

        class Pipe(io.RawIOBase):
            """Can be read once and tells no length, as standard input does."""
            def __init__(self, data):
                self.source = io.BytesIO(data)

            def readable(self):
                return True

            def readinto(self, buffer):
                return self.source.readinto(buffer)

        pieces = (self.data[start:start + 300_000] for start in range(0, len(self.data), 300_000))
        with path.open("rb") as file:
            for what, source in (("bytes", self.data), ("file", file), ("pipe", Pipe(self.data)), ("pieces", pieces)):
                with self.subTest(what):
                    blob = self.client()
                    blob.upload_blob(source, overwrite=True, max_concurrency=4)
                    self.assertEqual(len(blob.get_block_list()[0]), 25)
                    self.assertTrue(blob.download_blob(max_concurrency=4).readall() == self.data)

    def test_downloads(self):
        blob = self.client()
        blob.upload_blob(self.data, max_concurrency=4)
        path = self.folder / "back"
        with path.open("wb") as file:
            self.assertEqual(blob.download_blob(max_concurrency=4).readinto(file), len(self.data))
        self.assertTrue(path.read_bytes() == self.data)
        self.assertTrue(b"".join(blob.download_blob().chunks()) == self.data)
        stream, parts = blob.download_blob(), []
        while part := stream.read(777_777):
            parts.append(part)
        self.assertTrue(b"".join(parts) == self.data)
        offset = 7 * MIB + 3
        self.assertTrue(blob.download_blob(offset=offset, length=9 * MIB, max_concurrency=3).readall() ==
                        self.data[offset:offset + 9 * MIB])

    def test_a_cut_download_is_resumed(self):
        """Answers break off in the middle of their bodies; the SDK tries a piece three times."""
        self.client().upload_blob(self.data, max_concurrency=4)
        for parallel in (1, 4):
            with self.subTest(parallel=parallel):
                self.proxy.reset()
                self.proxy.set_faults([{"method": "GET", "do": "truncate", "bytes": 500_000, "times": 2}])
                blob = self.client(self.far, retry_total=10, initial_backoff=0, increment_base=0)
                self.assertTrue(blob.download_blob(max_concurrency=parallel).readall() == self.data)
                self.assertEqual(self.proxy.counts()["by_method"]["GET"], 25 + 2)

    def test_a_download_goes_on_by_range(self):
        """What a caller does by hand: keep what came, then ask for the rest of the same version."""
        self.client().upload_blob(self.data, max_concurrency=4)
        blob = self.client(self.far, retry_total=0, max_single_get_size=64 * MIB)
        self.proxy.set_faults([{"method": "GET", "do": "truncate", "bytes": 10 * MIB, "times": 20}])
        with self.assertRaises(HttpResponseError):
            blob.download_blob().readall()
        self.proxy.set_faults([{"method": "GET", "do": "truncate", "bytes": 10 * MIB, "times": 20}])
        kept = bytearray()
        first = blob.get_blob_properties().etag
        for _ in range(25):
            if len(kept) == len(self.data):
                break
            part = blob.download_blob(offset=len(kept), length=min(MIB, len(self.data) - len(kept)), etag=first,
                                      match_condition=MatchConditions.IfNotModified)
            kept += part.readall()
        self.assertTrue(bytes(kept) == self.data)

    def test_an_upload_over_a_bad_connection(self):
        """Answers to blocks are lost after the server has done its work, or say 503."""
        self.proxy.set_faults([{"method": "PUT", "path": "comp=block&", "do": "drop_after", "probability": 0.2},
                               {"method": "PUT", "path": "comp=block&", "do": "status", "status": 503,
                                "code": "ServerBusy", "probability": 0.2}])
        blob = self.client(self.far, retry_total=10, initial_backoff=0, increment_base=0)
        blob.upload_blob(self.data, max_concurrency=4)
        self.assertGreater(self.proxy.counts()["by_method"]["PUT"], 26, "nothing was lost")
        self.proxy.set_faults([])
        self.assertTrue(blob.download_blob(max_concurrency=4).readall() == self.data)
        self.assertEqual(len(blob.get_block_list("all")[1]), 0)


class Cold(ProxiedCase):
    """Offloaded to a directory and evicted: the SDK does not see it."""

    def setUp(self):
        super().setUp()
        self.source = random.Random(self.id())

    def offload(self, box: str):
        self.offload_to_folder(box)
        self.assertEqual(self.server.cli("status")["bytes_local"], 0)

    def test_cold_objects_read_as_hot_ones(self):
        box = self.container("cold")
        sizes = (5_000, 16_384, 1_000_000, 8 * MIB, 20 * MIB + 1)
        files = {f"dir/{size} \u00e9+%.bin": self.source.randbytes(size) for size in sizes}
        client = self.near.client(max_single_put_size=4 * MIB, max_block_size=4 * MIB, max_single_get_size=MIB,
                                  max_chunk_get_size=MIB).get_container_client("cold")
        for name, data in files.items():
            client.upload_blob(name, data, metadata={"n": str(len(data))}, max_concurrency=3)
        before = {blob.name: (blob.etag, blob.size, blob.last_modified, blob.content_settings.content_md5, blob.metadata)
                  for blob in box.list_blobs(include=["metadata"])}
        self.offload("cold")
        after = {blob.name: (blob.etag, blob.size, blob.last_modified, blob.content_settings.content_md5, blob.metadata)
                 for blob in box.list_blobs(include=["metadata"])}
        self.assertEqual(after, before)
        for name, data in files.items():
            with self.subTest(name):
                self.assertTrue(client.download_blob(name, max_concurrency=4).readall() == data)
                self.assertTrue(client.download_blob(name, validate_content="md5").readall() == data)
                for _ in range(10):
                    offset = self.source.randrange(len(data))
                    length = self.source.randint(1, 100_000)
                    self.assertTrue(client.download_blob(name, offset=offset, length=length).readall() ==
                                    data[offset:offset + length])
        name = next(iter(files))
        with self.assertRaises(HttpResponseError) as caught:
            client.download_blob(name, offset=len(files[name]))
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (416, "InvalidRange"))

    def test_a_cut_cold_download_is_resumed_and_new_bytes_replace_cold_ones(self):
        box = self.container("cold-cut")
        data = self.source.randbytes(6 * MIB)
        box.upload_blob("a", data)
        self.offload("cold-cut")
        self.proxy.set_faults([{"method": "GET", "do": "truncate", "bytes": 1_500_000, "times": 2}])
        far = self.far.client(retry_total=5, initial_backoff=0, increment_base=0).get_blob_client("cold-cut", "a")
        self.assertTrue(far.download_blob().readall() == data)
        box.upload_blob("a", b"hot again", overwrite=True)
        self.assertEqual(far.download_blob().readall(), b"hot again")


if __name__ == "__main__":
    suite.main()
