#!/usr/bin/env python3
"""azure-storage-blob against tombolo where a request must fail: conditions, rights, damaged bodies, what is not built."""
import base64
import datetime
import hashlib
import io

from azure.core import MatchConditions
from azure.core.exceptions import (ClientAuthenticationError, HttpResponseError, ResourceExistsError,
                                   ResourceModifiedError, ResourceNotFoundError)
from azure.storage.blob import (BlobBlock, BlobClient, BlobServiceClient, ContainerClient, ContentSettings,
                                StandardBlobTier, generate_account_sas, generate_blob_sas, generate_container_sas)

from harness import suite
from harness.case import ServerCase
from harness.proxy import LyingProxy

DATA = bytes(range(256)) * 40
HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class RulesCase(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.server.account
        cls.box = cls.account.client().create_container("box")

    def refused(self, kind: type, status: int, code: str | None, call, *arguments, **keywords):
        """The call raises exactly this class, with this status and code."""
        with self.assertRaises(HttpResponseError) as caught:
            call(*arguments, **keywords)
        error = caught.exception
        self.assertEqual((type(error), error.status_code, error.error_code), (kind, status, code), str(error))


class Conditions(RulesCase):
    def setUp(self):
        super().setUp()
        self.blob = self.box.upload_blob(self.id(), DATA)
        properties = self.blob.get_blob_properties()
        self.etag, self.changed = properties.etag, properties.last_modified
        # Dates have whole seconds; "since" means later than.
        self.hold = [{"etag": self.etag, "match_condition": MatchConditions.IfNotModified},
                     {"etag": self.etag.strip('"'), "match_condition": MatchConditions.IfNotModified},
                     {"etag": '"0x1"', "match_condition": MatchConditions.IfModified},
                     {"match_condition": MatchConditions.IfPresent},
                     {"if_modified_since": self.changed - SECOND},
                     {"if_unmodified_since": self.changed},
                     {"if_unmodified_since": now() + HOUR},
                     {"etag": self.etag, "match_condition": MatchConditions.IfNotModified,
                      "if_modified_since": self.changed - HOUR}]
        self.unmodified = [{"etag": self.etag, "match_condition": MatchConditions.IfModified},
                           {"if_modified_since": self.changed},
                           {"if_modified_since": now() + HOUR}]
        self.modified = [{"etag": '"0x1"', "match_condition": MatchConditions.IfNotModified},
                         {"if_unmodified_since": self.changed - SECOND}]

    def test_reads(self):
        reads = (lambda **given: self.blob.download_blob(**given).readall(),
                 lambda **given: self.blob.download_blob(offset=5, length=7, **given).readall(),
                 lambda **given: self.blob.get_blob_properties(**given))
        for number, read in enumerate(reads):
            for given in self.hold:
                with self.subTest(read=number, **given):
                    read(**given)
            for given in self.unmodified:
                with self.subTest(read=number, **given):
                    # Storage SDKs for Python choose the class by the code, not by the status.
                    self.refused(ResourceModifiedError, 304, "ConditionNotMet", read, **given)
            for given in self.modified:
                with self.subTest(read=number, **given):
                    self.refused(ResourceModifiedError, 412, "ConditionNotMet", read, **given)

    def test_writes(self):
        writes = (lambda **given: self.blob.set_blob_metadata({"a": "b"}, **given),
                  lambda **given: self.blob.set_http_headers(**given),
                  lambda **given: self.blob.upload_blob(b"new", overwrite=True, **given),
                  lambda **given: self.blob.commit_block_list([], **given),
                  lambda **given: self.blob.delete_blob(**given))
        for number, write in enumerate(writes):
            for given in self.unmodified + self.modified:
                with self.subTest(write=number, **given):
                    # As on Azure, writes know no 304.
                    self.refused(ResourceModifiedError, 412, "ConditionNotMet", write, **given)
        self.assertEqual(self.blob.get_blob_properties().etag, self.etag)
        self.assertEqual(self.blob.download_blob().readall(), DATA)
        for number, write in enumerate(writes):
            with self.subTest(write=number):
                before = self.blob.get_blob_properties().etag
                write(etag=before, match_condition=MatchConditions.IfNotModified)
                if self.blob.exists():
                    self.assertNotEqual(self.blob.get_blob_properties().etag, before)
        self.assertFalse(self.blob.exists())

    def test_only_where_nothing_is(self):
        for write in (lambda blob: blob.upload_blob(b"1"), lambda blob: self.commit_new(blob)):
            self.refused(ResourceExistsError, 409, "BlobAlreadyExists", write, self.blob)
            fresh = self.box.get_blob_client(self.id() + "-fresh")
            write(fresh)
            self.assertEqual(fresh.download_blob().readall(), b"1")
            fresh.delete_blob()
        self.assertEqual(self.blob.download_blob().readall(), DATA)

    @staticmethod
    def commit_new(blob):
        blob.stage_block("a", b"1")
        blob.commit_block_list([BlobBlock("a")], match_condition=MatchConditions.IfMissing)

    def test_if_match_where_nothing_is(self):
        absent = self.box.get_blob_client(self.id() + "-absent")
        self.refused(ResourceModifiedError, 412, "ConditionNotMet", absent.upload_blob, b"1", overwrite=True,
                     etag=self.etag, match_condition=MatchConditions.IfNotModified)
        self.refused(ResourceNotFoundError, 404, "BlobNotFound", absent.get_blob_properties, etag=self.etag,
                     match_condition=MatchConditions.IfNotModified)

    def test_containers(self):
        box = self.container("conditional")
        changed = box.get_container_properties().last_modified
        self.refused(ResourceModifiedError, 412, "ConditionNotMet", box.set_container_metadata, {"a": "1"},
                     if_modified_since=changed)
        box.set_container_metadata({"a": "1"}, if_modified_since=changed - SECOND)
        self.refused(ResourceModifiedError, 412, "ConditionNotMet", box.delete_container,
                     if_unmodified_since=changed - HOUR)
        box.delete_container(if_unmodified_since=now() + HOUR)

    def test_compare_and_swap_loses_nothing(self):
        """Two clients count in one blob; each increment is conditional on what it read."""
        import threading
        blob = self.box.upload_blob("counter", b"0")

        def count():
            mine, done = self.account.client().get_blob_client("box", "counter"), 0
            while done < 15:
                read = mine.download_blob()
                try:
                    mine.upload_blob(str(int(read.readall()) + 1), overwrite=True, etag=read.properties.etag,
                                     match_condition=MatchConditions.IfNotModified)
                    done += 1
                except ResourceModifiedError:
                    pass

        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(blob.download_blob().readall(), b"45")


class SharedAccess(RulesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box.upload_blob("dir/a b.txt", DATA)

    def account_sas(self, **given) -> str:
        chosen = {"resource_types": "sco", "permission": "racwdl", "expiry": now() + HOUR, "services": "b", **given}
        return generate_account_sas(self.account.name, self.account.key, **chosen)

    def container_sas(self, **given) -> str:
        return generate_container_sas(self.account.name, "box", self.account.key,
                                      **{"permission": "racwdl", "expiry": now() + HOUR, **given})

    def blob_sas(self, name: str = "dir/a b.txt", **given) -> str:
        return generate_blob_sas(self.account.name, "box", name, account_key=self.account.key,
                                 **{"permission": "r", "expiry": now() + HOUR, **given})

    def service_with(self, sas: str):
        return BlobServiceClient(self.account.endpoint, credential=sas)

    def blob_with(self, sas: str, name: str = "dir/a b.txt"):
        return BlobClient(self.account.endpoint, "box", name, credential=sas)

    def test_account_sas_does_everything_it_names(self):
        service = self.service_with(self.account_sas())
        self.assertIn("box", [box.name for box in service.list_containers()])
        box = service.create_container("by-sas")
        blob = box.upload_blob("x y%z", DATA, max_concurrency=2)
        self.assertEqual(blob.download_blob().readall(), DATA)
        self.assertEqual([each.name for each in box.list_blobs()], ["x y%z"])
        blob.delete_blob()
        box.delete_container()

    def test_a_sas_in_a_connection_string(self):
        text = f"BlobEndpoint={self.account.endpoint};SharedAccessSignature={self.account_sas(permission='rl')}"
        service = BlobServiceClient.from_connection_string(text)
        self.assertEqual(service.get_blob_client("box", "dir/a b.txt").download_blob().readall(), DATA)

    def test_account_sas_that_does_not_reach(self):
        for code, sas in (("AuthorizationPermissionMismatch", self.account_sas(permission="wl")),
                          ("AuthorizationResourceTypeMismatch", self.account_sas(resource_types="sc")),
                          ("AuthorizationProtocolMismatch", self.account_sas(protocol="https")),
                          ("AuthorizationSourceIPMismatch", self.account_sas(ip="10.1.2.3"))):
            with self.subTest(code):
                self.refused(HttpResponseError, 403, code, self.service_with(sas).get_blob_client("box", "dir/a b.txt")
                             .download_blob)

    def test_expired_early_and_edited(self):
        for what, sas in (("expired", self.blob_sas(expiry=now() - SECOND)),
                          ("early", self.blob_sas(start=now() + HOUR, expiry=now() + 2 * HOUR)),
                          ("edited", self.blob_sas().replace("sp=r", "sp=rw")),
                          ("another blob's", self.blob_sas("dir/b"))):
            with self.subTest(what):
                self.refused(ClientAuthenticationError, 403, "AuthenticationFailed", self.blob_with(sas).download_blob)
        self.refused(ClientAuthenticationError, 403, "AuthenticationFailed",
                     self.service_with(self.account_sas(expiry=now() - SECOND)).get_account_information)

    def test_blob_sas(self):
        blob = self.blob_with(self.blob_sas(content_type="text/from-sas", content_disposition="attachment"))
        read = blob.download_blob()
        self.assertEqual(read.readall(), DATA)
        self.assertEqual((read.properties.content_settings.content_type,
                          read.properties.content_settings.content_disposition), ("text/from-sas", "attachment"))
        for write in (blob.delete_blob, lambda: blob.upload_blob(b"1", overwrite=True),
                      lambda: blob.set_blob_metadata({"a": "1"}), lambda: blob.stage_block("a", b"1")):
            self.refused(HttpResponseError, 403, "AuthorizationPermissionMismatch", write)

    def test_create_may_not_replace(self):
        creates = self.blob_sas(permission="c")
        self.refused(HttpResponseError, 403, "UnauthorizedBlobOverwrite", self.blob_with(creates).upload_blob, b"1",
                     overwrite=True)
        self.blob_with(self.blob_sas("fresh", permission="c"), "fresh").upload_blob(b"1", overwrite=True)

    def test_container_sas(self):
        box = ContainerClient(self.account.endpoint, "box", credential=self.container_sas(permission="rl"))
        self.assertIn("dir/a b.txt", [blob.name for blob in box.list_blobs()])
        self.assertEqual(box.download_blob("dir/a b.txt").readall(), DATA)
        self.refused(HttpResponseError, 403, "AuthorizationPermissionMismatch", box.upload_blob, "new", b"1")
        # A service SAS reaches no other container, and no container as such.
        elsewhere = ContainerClient(self.account.endpoint, "other", credential=self.container_sas())
        self.refused(ClientAuthenticationError, 403, "AuthenticationFailed", lambda: list(elsewhere.list_blobs()))
        self.refused(HttpResponseError, 403, "AuthorizationFailure", box.delete_container)
        self.refused(HttpResponseError, 403, "AuthorizationFailure", box.create_container)

    def test_wrong_key_and_no_credentials(self):
        wrong = base64.b64encode(b"k" * 64).decode()
        service = BlobServiceClient(self.account.endpoint, credential={"account_name": self.account.name,
                                                                       "account_key": wrong})
        self.refused(ClientAuthenticationError, 403, "AuthenticationFailed", service.get_account_information)
        self.refused(ClientAuthenticationError, 401, "NoAuthenticationInformation",
                     BlobClient(self.account.endpoint, "box", "dir/a b.txt").download_blob)


class Bodies(RulesCase):
    def test_md5_of_what_is_sent(self):
        """validate_content="md5": each request of an upload carries a Content-MD5."""
        for size in (len(DATA), 3 << 20):
            data = (DATA * (size // len(DATA) + 1))[:size]
            client = self.account.client(max_single_put_size=1 << 20, max_block_size=1 << 20)
            blob = client.get_blob_client("box", f"md5-{size}")
            blob.upload_blob(data, validate_content="md5", max_concurrency=2)
            self.assertEqual(blob.download_blob(validate_content="md5").readall(), data)

    def test_crc64_of_what_is_sent_and_read(self):
        """validate_content="crc64": a header with bytes, structured bodies with streams and downloads."""
        for size in (0, 1, len(DATA), (9 << 20) + 7):
            data = (DATA * (size // len(DATA) + 1))[:size]
            client = self.account.client(max_single_put_size=6 << 20, max_block_size=5 << 20, max_single_get_size=6 << 20)
            blob = client.get_blob_client("box", f"crc-{size}")
            for source in (data, io.BytesIO(data)):
                with self.subTest(size=size, source=type(source).__name__):
                    blob.upload_blob(source, overwrite=True, validate_content="crc64", max_concurrency=2)
                    self.assertTrue(blob.download_blob(validate_content="crc64").readall() == data)
                    self.assertTrue(blob.download_blob().readall() == data)
            blob.stage_block("a", io.BytesIO(b"staged"), length=6, validate_content="crc64")
            part = blob.download_blob(offset=size // 3, length=max(size // 2, 1), validate_content="crc64") if size else None
            self.assertTrue(part is None or part.readall() == data[size // 3:size // 3 + max(size // 2, 1)])

    def test_a_body_damaged_on_its_way_is_refused_or_noticed(self):
        data = DATA * 100
        with LyingProxy(self.server.port, self.folder) as proxy:
            far = self.account.at_port(proxy.port).client(retry_total=0).get_blob_client("box", "damaged")
            proxy.set_faults([{"method": "PUT", "do": "flip_up", "bytes": 5_000}])
            self.refused(HttpResponseError, 400, "Crc64Mismatch", far.upload_blob, data, validate_content="crc64")
            self.refused(HttpResponseError, 400, "Crc64Mismatch", far.upload_blob, io.BytesIO(data),
                         validate_content="crc64")
            self.refused(HttpResponseError, 400, "Md5Mismatch", far.upload_blob, data, validate_content="md5")
            self.refused(HttpResponseError, 400, "Md5Mismatch", far.upload_blob, data,
                         content_settings=ContentSettings(content_md5=bytearray(hashlib.md5(data).digest())))
            self.assertFalse(far.exists())
            proxy.set_faults([])
            far.upload_blob(data, validate_content="crc64")
            proxy.set_faults([{"method": "GET", "do": "flip", "bytes": 5_000}])
            with self.assertRaisesRegex(ValueError, "CRC64 mismatch"):
                far.download_blob(validate_content="crc64").readall()

    def test_a_wrong_md5_is_refused(self):
        blob = self.box.get_blob_client("wrong")
        wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.refused(HttpResponseError, 400, "Md5Mismatch", blob.upload_blob, DATA, headers={"Content-MD5": wrong})
        self.refused(HttpResponseError, 400, "Md5Mismatch", blob.stage_block, "a", DATA, headers={"Content-MD5": wrong})
        crc = base64.b64encode(bytes(8)).decode()
        self.refused(HttpResponseError, 400, "Crc64Mismatch", blob.upload_blob, DATA,
                     headers={"x-ms-content-crc64": crc})
        self.assertFalse(blob.exists())

    def test_ranges_that_cannot_be(self):
        blob = self.box.upload_blob("short", b"12345")
        self.refused(HttpResponseError, 416, "InvalidRange", blob.download_blob, offset=5)
        self.assertEqual(blob.download_blob(offset=4, length=100).readall(), b"5")
        empty = self.box.upload_blob("empty", b"")
        # The SDK asks for a range first and takes the 416 for what it is.
        self.assertEqual(empty.download_blob().readall(), b"")


class NotBuilt(RulesCase):
    """Refused in words that the SDK understands, never ignored and never a 5xx that it would try again."""

    def test_what_a_blob_cannot_do_yet(self):
        blob = self.box.upload_blob("plain", DATA)
        unsupported = (("snapshot", blob.create_snapshot),
                       ("tags", lambda: blob.set_blob_tags({"a": "1"})),
                       ("read tags", blob.get_blob_tags),
                       ("tier", lambda: blob.set_standard_blob_tier(StandardBlobTier.COOL)),
                       ("undelete", blob.undelete_blob))
        for what, call in unsupported:
            with self.subTest(what):
                self.refused(HttpResponseError, 400, "UnsupportedQueryParameter", call)
        for what, call in (("tags", lambda: blob.upload_blob(DATA, overwrite=True, tags={"a": "1"})),
                           ("tier", lambda: blob.upload_blob(DATA, overwrite=True,
                                                             standard_blob_tier=StandardBlobTier.COOL)),
                           ("copy", lambda: blob.start_copy_from_url(blob.url + "2"))):
            with self.subTest(what):
                self.refused(HttpResponseError, 400, "UnsupportedHeader", call)
        self.assertEqual(blob.download_blob().readall(), DATA)

    def test_other_kinds_of_blob(self):
        blob = self.box.get_blob_client("kinds")
        self.refused(HttpResponseError, 400, "BlobTypeNotSupported", blob.create_append_blob)
        self.refused(HttpResponseError, 400, "BlobTypeNotSupported", blob.create_page_blob, 512)
        self.refused(HttpResponseError, 400, "UnsupportedQueryParameter", blob.append_block, b"1")
        self.assertFalse(blob.exists())

    def test_leases(self):
        blob = self.box.upload_blob("leased", DATA)
        self.refused(HttpResponseError, 400, "UnsupportedQueryParameter", blob.acquire_lease)
        self.refused(HttpResponseError, 400, "UnsupportedQueryParameter", self.box.acquire_lease)
        lease = "00000000-0000-0000-0000-000000000001"
        self.refused(HttpResponseError, 412, "LeaseNotPresentWithBlobOperation", blob.delete_blob, lease=lease)

    def test_containers_and_service(self):
        service = self.account.client()
        self.refused(HttpResponseError, 400, "UnsupportedQueryParameter", self.box.get_container_access_policy)
        self.refused(ResourceExistsError, 409, "PublicAccessNotPermitted", service.create_container, "public",
                     public_access="blob")
        self.refused(HttpResponseError, 400, "UnsupportedQueryParameter",
                     lambda: list(service.find_blobs_by_tags("\"a\"='1'")))


if __name__ == "__main__":
    suite.main()
