#!/usr/bin/env python3
"""Microsoft's Python client (azure-storage-blob) against tombolo: containers, blobs, ranges, conditions, listings."""
import base64
import hashlib
import unittest.mock

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobPrefix, BlobServiceClient, ContentSettings

from harness import suite
from harness.case import ServerCase

DATA = bytes(range(256)) * 40


class Containers(ServerCase):
    def test_create_properties_metadata_delete(self):
        service = self.server.account.client()
        box = service.create_container("first", metadata={"purpose": "test", "CamelCase": "kept"})
        properties = box.get_container_properties()
        self.assertEqual(properties.metadata, {"purpose": "test", "CamelCase": "kept"})
        self.assertTrue(box.exists())
        with self.assertRaises(ResourceExistsError) as caught:
            service.create_container("first")
        self.assertEqual(caught.exception.error_code, "ContainerAlreadyExists")
        box.set_container_metadata({"other": "1"})
        changed = box.get_container_properties()
        self.assertEqual(changed.metadata, {"other": "1"})
        self.assertNotEqual(changed.etag, properties.etag)
        box.delete_container()
        self.assertFalse(box.exists())
        with self.assertRaises(ResourceNotFoundError) as caught:
            box.get_container_properties()
        self.assertEqual(caught.exception.error_code, "ContainerNotFound")

    def test_a_deleted_container_begins_empty_again(self):
        box = self.container("again")
        box.upload_blob("a", DATA)
        box.delete_container()
        box.create_container()
        self.assertEqual(list(box.list_blobs()), [])
        with self.assertRaises(ResourceNotFoundError):
            box.download_blob("a")

    def test_list_in_pages(self):
        for number in range(7):
            self.container(f"page-{number}")
        service = self.server.account.client()
        pages = [[c.name for c in page] for page in
                 service.list_containers(name_starts_with="page-", results_per_page=3).by_page()]
        self.assertEqual(pages, [["page-0", "page-1", "page-2"], ["page-3", "page-4", "page-5"], ["page-6"]])

    def test_account_information(self):
        about = self.server.account.client().get_account_information()
        self.assertEqual((about["sku_name"], about["account_kind"], about["is_hns_enabled"]),
                         ("Standard_LRS", "StorageV2", False))

    def test_a_connection_string_from_the_command_line(self):
        made = self.server.cli("account", "create", "scripted")
        service = BlobServiceClient.from_connection_string(made["connection_string"])
        service.create_container("box").upload_blob("a", DATA)
        self.assertEqual(service.get_blob_client("box", "a").download_blob().readall(), DATA)


class Blobs(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box = cls.server.account.client().get_container_client("box")
        cls.box.create_container()

    def code(self, kind, call, *arguments, **keywords) -> str:
        with self.assertRaises(kind) as caught:
            call(*arguments, **keywords)
        return caught.exception.error_code

    def test_put_get_delete(self):
        for size in (0, 1, 4095, 4096, 1 << 20, (5 << 20) + 3):
            with self.subTest(size=size):
                data = (DATA * (size // len(DATA) + 1))[:size]
                blob = self.box.get_blob_client(f"size/{size}")
                blob.upload_blob(data)
                self.assertEqual(blob.download_blob().readall(), data)
                properties = blob.get_blob_properties()
                self.assertEqual((properties.size, properties.blob_type), (size, "BlockBlob"))
                self.assertEqual(bytes(properties.content_settings.content_md5), hashlib.md5(data).digest())
                blob.delete_blob()
                self.assertEqual(self.code(ResourceNotFoundError, blob.delete_blob), "BlobNotFound")

    def test_a_body_is_checked_on_its_way(self):
        blob = self.box.upload_blob("checked", DATA, validate_content=True)
        self.assertEqual(blob.download_blob(validate_content=True).readall(), DATA)

    def test_ranges(self):
        blob = self.box.upload_blob("ranges", DATA)
        for offset, length in ((0, 1), (0, len(DATA)), (255, 2), (len(DATA) - 1, 1), (100, 5000), (10_000, 99_999)):
            with self.subTest(offset=offset, length=length):
                self.assertEqual(blob.download_blob(offset=offset, length=length).readall(),
                                 DATA[offset:offset + length])
        self.assertEqual(blob.download_blob(offset=7).readall(), DATA[7:])
        self.assertEqual(self.code(HttpResponseError, blob.download_blob, offset=len(DATA), length=1), "InvalidRange")

    def test_headers_and_metadata(self):
        settings = ContentSettings(content_type="text/x", content_encoding="zip", content_language="eo",
                                   content_disposition="inline", cache_control="no-cache")
        blob = self.box.upload_blob("headers", DATA, content_settings=settings, metadata={"One": "1", "two": "zwei"})
        for properties in (blob.get_blob_properties(), blob.download_blob().properties,
                           next(self.box.list_blobs(name_starts_with="headers", include=["metadata"]))):
            kept = properties.content_settings
            self.assertEqual((kept.content_type, kept.content_encoding, kept.content_language,
                              kept.content_disposition, kept.cache_control), ("text/x", "zip", "eo", "inline", "no-cache"))
            self.assertEqual(properties.metadata, {"One": "1", "two": "zwei"})
        etag = blob.get_blob_properties().etag
        blob.set_blob_metadata({"three": "3"})
        self.assertEqual(blob.get_blob_properties().metadata, {"three": "3"})
        blob.set_http_headers(ContentSettings(content_type="text/y"))
        changed = blob.get_blob_properties()
        self.assertEqual((changed.content_settings.content_type, changed.content_settings.content_encoding),
                         ("text/y", None))
        self.assertNotEqual(changed.etag, etag)
        self.assertEqual(changed.metadata, {"three": "3"})

    def test_conditions_of_reads(self):
        blob = self.box.upload_blob("reads", DATA)
        etag = blob.get_blob_properties().etag
        self.assertEqual(blob.download_blob(etag=etag, match_condition=MatchConditions.IfNotModified).readall(), DATA)
        with self.assertRaises(HttpResponseError) as caught:
            blob.download_blob(etag=etag, match_condition=MatchConditions.IfModified)
        self.assertEqual(caught.exception.status_code, 304)
        code = self.code(ResourceModifiedError, blob.download_blob, etag='"0x1"',
                         match_condition=MatchConditions.IfNotModified)
        self.assertEqual(code, "ConditionNotMet")

    def test_conditions_of_writes(self):
        blob = self.box.upload_blob("writes", DATA)
        self.assertEqual(self.code(ResourceExistsError, blob.upload_blob, b"new"), "BlobAlreadyExists")
        old = blob.get_blob_properties().etag
        blob.upload_blob(b"second", overwrite=True, etag=old, match_condition=MatchConditions.IfNotModified)
        code = self.code(ResourceModifiedError, blob.upload_blob, b"third", overwrite=True, etag=old,
                         match_condition=MatchConditions.IfNotModified)
        self.assertEqual(code, "ConditionNotMet")
        self.assertEqual(blob.download_blob().readall(), b"second")
        self.assertEqual(self.code(ResourceModifiedError, blob.delete_blob, etag=old,
                                   match_condition=MatchConditions.IfNotModified), "ConditionNotMet")
        now = blob.get_blob_properties().etag
        blob.delete_blob(etag=now, match_condition=MatchConditions.IfNotModified)
        self.assertFalse(blob.exists())

    def test_block_lists(self):
        blob = self.box.get_blob_client("blocks")
        for name in ("a", "b", "c"):
            blob.stage_block(name, name.encode() * 1000)
        self.assertEqual(self.code(ResourceNotFoundError, blob.get_blob_properties), "BlobNotFound")
        committed, staged = blob.get_block_list("all")
        self.assertEqual((committed, [(b.id, b.size) for b in staged]), ([], [("a", 1000), ("b", 1000), ("c", 1000)]))
        blob.commit_block_list([BlobBlock("b"), BlobBlock("a"), BlobBlock("b")], metadata={"m": "1"})
        self.assertEqual(blob.download_blob().readall(), b"b" * 1000 + b"a" * 1000 + b"b" * 1000)
        committed, staged = blob.get_block_list("all")
        self.assertEqual(([b.id for b in committed], staged), (["b", "a", "b"], []))
        blob.stage_block("d", b"d" * 10)
        blob.commit_block_list([BlobBlock("a"), BlobBlock("d")])
        self.assertEqual(blob.download_blob().readall(), b"a" * 1000 + b"d" * 10)
        self.assertEqual(blob.get_blob_properties().metadata, {})
        self.assertEqual(self.code(HttpResponseError, blob.commit_block_list, [BlobBlock("z")]), "InvalidBlockList")

    def test_large_uploads_are_staged_in_parallel(self):
        data = DATA * 1000
        client = self.server.account.client()
        with unittest.mock.patch.multiple(client._config, max_single_put_size=1 << 20, max_block_size=1 << 20):
            blob = client.get_blob_client("box", "parallel")
            blob.upload_blob(data, max_concurrency=4)
        self.assertEqual(len(blob.get_block_list()[0]), -(-len(data) // (1 << 20)))
        self.assertEqual(blob.download_blob(max_concurrency=4).readall(), data)

    def test_names_with_every_kind_of_character(self):
        names = ["plain", "with space", "per%cent%41", "a+b&c=d#e?f", "unicode \u00e9\u4e16\U0001f30a", "trailing/",
                 "a//b", "/lead", "back\\slash", "quote'\"<>", "n" * 1024, "control\u0001x", "~_-!$()*,;:@"]
        box = self.container("names")
        for name in names:
            box.upload_blob(name, name.encode())
        for name in names:
            self.assertEqual(box.download_blob(name).readall(), name.encode())
        self.assertEqual(sorted(blob.name for blob in box.list_blobs()), sorted(names))


class Listings(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box = cls.server.account.client().get_container_client("box")
        cls.box.create_container()
        cls.names = sorted([f"d{i}/f{j:02}" for i in range(4) for j in range(10)] + ["top-a", "top-b"])
        for name in cls.names:
            cls.box.upload_blob(name, name.encode())

    def test_flat_in_pages(self):
        pages = [[blob.name for blob in page] for page in self.box.list_blobs(results_per_page=9).by_page()]
        self.assertEqual([len(page) for page in pages], [9, 9, 9, 9, 6])
        self.assertEqual(sum(pages, []), self.names)

    def test_from_a_marker_after_deletes(self):
        box = self.container("markers")
        for number in range(20):
            box.upload_blob(f"{number:02}", b"")
        pages = box.list_blobs(results_per_page=5).by_page()
        first = [blob.name for blob in next(pages)]
        marker = pages.continuation_token
        for name in ("04", "05", "06"):
            box.delete_blob(name)
        rest = [blob.name for page in box.list_blobs(results_per_page=5).by_page(marker) for blob in page]
        self.assertEqual((first, rest), (["00", "01", "02", "03", "04"], [f"{n:02}" for n in range(7, 20)]))

    def test_from_a_name(self):
        """start_from is a whole name, inclusive, and counts before names are folded."""
        def flat(start_from, **more):
            return [blob.name for page in self.box.list_blobs(start_from=start_from, **more).by_page() for blob in page]
        self.assertEqual(flat("d1/f03"), self.names[13:])
        self.assertEqual(flat("d1/f03", results_per_page=9), self.names[13:])
        self.assertEqual(flat("d1/f031", name_starts_with="d1/"), self.names[14:20])
        self.assertEqual(flat("zz"), [])
        folded = [item.name for page in self.box.walk_blobs(delimiter="/", start_from="d1/f03", results_per_page=2).by_page()
                  for item in page]
        self.assertEqual(folded, ["d1/", "d2/", "d3/", "top-a", "top-b"])

    def test_prefix(self):
        self.assertEqual([blob.name for blob in self.box.list_blobs(name_starts_with="d1/")], self.names[10:20])
        self.assertEqual([blob.name for blob in self.box.list_blobs(name_starts_with="nothing")], [])

    def test_delimiter(self):
        found = [(item.name, isinstance(item, BlobPrefix)) for item in self.box.walk_blobs(delimiter="/")]
        self.assertEqual(found, [(f"d{i}/", True) for i in range(4)] + [("top-a", False), ("top-b", False)])
        below = [item.name for item in self.box.walk_blobs("d2/", delimiter="/")]
        self.assertEqual(below, self.names[20:30])

    def test_delimiter_in_pages(self):
        pages = [[item.name for item in page] for page in self.box.walk_blobs(delimiter="/", results_per_page=2).by_page()]
        self.assertEqual(pages, [["d0/", "d1/"], ["d2/", "d3/"], ["top-a", "top-b"]])

    def test_uncommitted_blobs(self):
        box = self.container("staged")
        box.get_blob_client("only-staged").stage_block("a", b"1")
        box.upload_blob("whole", b"2")
        self.assertEqual([blob.name for blob in box.list_blobs()], ["whole"])
        self.assertEqual([blob.name for blob in box.list_blobs(include=["uncommittedblobs"])], ["only-staged", "whole"])

    def test_what_a_listing_tells(self):
        blob = next(self.box.list_blobs(name_starts_with="top-a"))
        properties = self.box.get_blob_client("top-a").get_blob_properties()
        # As on Azure, a listing's ETag stands without quotes.
        self.assertEqual((blob.size, f'"{blob.etag}"', blob.last_modified, blob.blob_tier),
                         (5, properties.etag, properties.last_modified, "Hot"))
        self.assertEqual(base64.b64encode(blob.content_settings.content_md5),
                         base64.b64encode(hashlib.md5(b"top-a").digest()))


if __name__ == "__main__":
    suite.main()
