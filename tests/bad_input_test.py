#!/usr/bin/env python3
"""Requests with wrong bytes, wrong words or wrong rights: each has its status and code, and nothing is stored."""
import base64
import dataclasses
import datetime
import hashlib
import re

from harness import raw, suite
from harness.case import ServerCase

BODY = b"twelve bytes"
BLOB = {"x-ms-blob-type": "BlockBlob"}
SKEW = datetime.timedelta(minutes=20)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class BadInput(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.server.account
        cls.box = cls.account.client().get_container_client("box")
        cls.box.create_container()
        cls.box.upload_blob("kept", b"kept bytes", metadata={"a": "b"})
        cls.box.get_blob_client("kept").stage_block("01", b"staged")
        cls.box.get_blob_client("staged-only").stage_block("01", b"staged")
        cls.before = cls.everything()

    @classmethod
    def everything(cls):
        """All that the account holds: containers, blobs with what was staged, bytes, metadata, block lists."""
        service = cls.account.client()
        found = []
        for container in service.list_containers(include_metadata=True):
            client = service.get_container_client(container.name)
            found.append((container.name, container.etag, container.metadata))
            for blob in client.list_blobs(include=["uncommittedblobs", "metadata"]):
                one = client.get_blob_client(blob.name)
                committed, staged = one.get_block_list("all")
                data = one.download_blob().readall() if blob.etag else None
                found.append((blob.name, blob.etag, blob.metadata, data, [b.id for b in committed],
                              [(b.id, b.size) for b in staged]))
        return found

    def path(self, name: str, query: str = "") -> str:
        return f"/{self.account.name}/box/{name}" + (f"?{query}" if query else "")

    def refused(self, data: bytes, status: int, code: str, to_head: bool = False):
        answer = raw.exchange(self.server.port, data, to_head)
        self.assertIsNotNone(answer, "closed without an answer")
        self.assertEqual((answer.status, answer.code), (status, code), answer.body)
        if not to_head:
            self.assertIn(b"<Code>", answer.body)
        self.assertEqual(self.everything(), self.before)

    def signed(self, method: str, name: str, query: str = "", headers: dict | None = None, body: bytes | None = None,
               **more) -> bytes:
        return raw.signed(self.account, method, self.path(name, query), headers, body, **more)

    def put(self, **headers) -> bytes:
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.signed("PUT", "new", headers={**BLOB, **extra}, body=BODY)


class Bodies(BadInput):
    def test_a_truncated_body(self):
        for name, headers, query in (("new", BLOB, ""), ("kept", {}, "comp=block&blockid=" + b64(b"02"))):
            whole = self.signed("PUT", name, query, headers, BODY)
            with raw.Connection(self.server.port) as connection:
                connection.send(whole[:-3])
                connection.finish()
                answer = connection.answer()
                self.assertEqual((answer.status, answer.code), (400, "InvalidInput"))
                self.assertTrue(connection.closed())
            self.assertEqual(self.everything(), self.before)

    def test_a_client_that_vanishes_in_its_body(self):
        for _ in range(3):
            with raw.Connection(self.server.port) as connection:
                connection.send(self.signed("PUT", "new", "", BLOB, b"x" * (1 << 20))[:-1])
        self.assertEqual(self.everything(), self.before)

    def test_a_body_longer_than_its_length(self):
        """Its MD5 is that of the whole: the announced part alone is not what the client meant."""
        whole = self.put(Content_MD5=b64(hashlib.md5(BODY + b"more").digest()))
        with raw.Connection(self.server.port) as connection:
            connection.send(whole + b"more")
            answer = connection.answer()
            self.assertEqual((answer.status, answer.code), (400, "Md5Mismatch"))
        self.assertEqual(self.everything(), self.before)

    def test_what_follows_the_announced_length_is_no_part_of_it(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(self.put() + b"more\r\n\r\n")
            self.assertEqual(connection.answer().status, 201)
            answer = connection.answer()
            self.assertEqual((answer.status, answer.code), (400, "InvalidInput"))
            self.assertTrue(connection.closed())
        self.assertEqual(self.box.download_blob("new").readall(), BODY)
        self.box.delete_blob("new")
        self.assertEqual(self.everything(), self.before)

    def test_md5(self):
        wrong = b64(hashlib.md5(b"other").digest())
        self.refused(self.put(Content_MD5=wrong), 400, "Md5Mismatch")
        self.refused(self.put(x_ms_blob_content_md5=wrong), 400, "Md5Mismatch")
        for bad in ("", "no base64!", b64(b"short"), b64(b"x" * 17)):
            with self.subTest(bad):
                self.refused(self.put(Content_MD5=bad), 400, "InvalidMd5")
        for bad in ("no base64!", b64(b"short")):
            with self.subTest(bad, of="the blob"):
                self.refused(self.put(x_ms_blob_content_md5=bad), 400, "InvalidMd5")
        block = "comp=block&blockid=" + b64(b"02")
        self.refused(self.signed("PUT", "kept", block, {"Content-MD5": wrong}, BODY), 400, "Md5Mismatch")

    def test_crc64(self):
        wrong = b64(b"\1\2\3\4\5\6\7\x08")
        self.refused(self.put(x_ms_content_crc64=wrong), 400, "Crc64Mismatch")
        block = "comp=block&blockid=" + b64(b"02")
        self.refused(self.signed("PUT", "kept", block, {"x-ms-content-crc64": wrong}, BODY), 400, "Crc64Mismatch")
        for bad in ("no base64!", b64(b"short"), b64(b"x" * 9)):
            with self.subTest(bad):
                self.refused(self.put(x_ms_content_crc64=bad), 400, "InvalidHeaderValue")

    def test_no_length(self):
        data = raw.signed(self.account, "PUT", self.path("new"), BLOB)
        self.refused(data, 411, "MissingContentLengthHeader")

    def test_no_blob_type(self):
        self.refused(self.signed("PUT", "new", "", {}, BODY), 400, "MissingRequiredHeader")


class BlockLists(BadInput):
    def list_of(self, xml: str, name: str = "kept", **more) -> bytes:
        return self.signed("PUT", name, "comp=blocklist", body=xml.encode(), **more)

    def test_malformed_lists(self):
        for xml in ("", "BlockList", "<BlockList>", "<BlockList><Latest>" + b64(b"01") + "</BlockList>",
                    "<Other/>", "<BlockList><Newest>" + b64(b"01") + "</Newest></BlockList>",
                    "<BlockList/><BlockList/>", "<BlockList>text</BlockList>"):
            with self.subTest(xml):
                self.refused(self.list_of(xml), 400, "InvalidXmlDocument")

    def test_doctype(self):
        bombs = ('<!DOCTYPE BlockList><BlockList/>',
                 '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><BlockList>&b;</BlockList>',
                 '<!DOCTYPE b SYSTEM "file:///etc/passwd"><BlockList/>')
        for xml in bombs:
            with self.subTest(xml):
                self.refused(self.list_of(xml), 400, "InvalidXmlDocument")

    def test_an_unknown_block(self):
        unknown = b64(b"99")
        for kind in ("Committed", "Uncommitted", "Latest"):
            with self.subTest(kind):
                self.refused(self.list_of(f"<BlockList><{kind}>{unknown}</{kind}></BlockList>"), 400, "InvalidBlockList")
        one_of_two = f"<BlockList><Latest>{b64(b'01')}</Latest><Latest>{unknown}</Latest></BlockList>"
        self.refused(self.list_of(one_of_two), 400, "InvalidBlockList")
        self.refused(self.list_of(one_of_two, "new"), 400, "InvalidBlockList")

    def test_an_id_that_is_no_id(self):
        self.refused(self.list_of("<BlockList><Latest>%%%</Latest></BlockList>"), 400, "InvalidBlockId")
        for block, code in (("%25%25%25", "InvalidQueryParameterValue"), ("MDE", "InvalidQueryParameterValue"),
                            ("", "InvalidBlockId"), (b64(b"x" * 65), "InvalidBlockId")):
            with self.subTest(block):
                self.refused(self.signed("PUT", "kept", f"comp=block&blockid={block}", body=BODY), 400, code)
        self.refused(self.signed("PUT", "kept", "comp=block", body=BODY), 400, "MissingRequiredQueryParameter")

    def test_ids_of_unequal_length(self):
        data = self.signed("PUT", "staged-only", "comp=block&blockid=" + b64(b"0002"), body=BODY)
        self.refused(data, 400, "InvalidBlobOrBlock")

    def test_an_empty_block(self):
        data = self.signed("PUT", "staged-only", "comp=block&blockid=" + b64(b"02"), body=b"")
        self.refused(data, 400, "InvalidHeaderValue")


class Names(BadInput):
    def test_unknown_container_and_blob(self):
        for method, headers, body in (("PUT", BLOB, BODY), ("GET", {}, None), ("HEAD", {}, None), ("DELETE", {}, None)):
            with self.subTest(method):
                target = f"/{self.account.name}/nowhere/new"
                self.refused(raw.signed(self.account, method, target, headers, body), 404, "ContainerNotFound",
                             method == "HEAD")
        for method in ("GET", "HEAD", "DELETE"):
            self.refused(self.signed(method, "nothing"), 404, "BlobNotFound", method == "HEAD")

    def test_ranges(self):
        for wanted in ("bytes=10-", "bytes=10-20", "bytes=99999999999-"):
            self.refused(self.signed("GET", "kept", headers={"x-ms-range": wanted}), 416, "InvalidRange")

    def test_what_is_no_range_is_ignored(self):
        for wanted in ("bytes=5-2", "bytes=-5", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=0--1"):
            for header in ("Range", "x-ms-range"):
                with self.subTest(wanted, header=header):
                    answer = raw.exchange(self.server.port, self.signed("GET", "kept", headers={header: wanted}))
                    self.assertEqual((answer.status, answer.body), (200, b"kept bytes"))

    def test_names_that_are_none(self):
        host = f"/{self.account.name}/"
        for target, code in ((host + "box/a%00b", "InvalidUri"), (host + "box/%ff%fe", "InvalidUri"),
                             (host + "box/%4", "InvalidUri"), (host + "box/" + "n" * 1025, "OutOfRangeInput"),
                             (host + "UPPER/new", "InvalidResourceName"), (host + "ab/new", "OutOfRangeInput")):
            with self.subTest(target[:40]):
                self.refused(raw.signed(self.account, "PUT", target, BLOB, BODY), 400, code)

    def test_dots_are_names_and_never_paths(self):
        # A client library would fold them away.
        name = "../../../etc/passwd"
        data = raw.signed(self.account, "PUT", self.path("..%2F..%2F..%2Fetc%2Fpasswd"), BLOB, BODY)
        self.assertEqual(raw.exchange(self.server.port, data).status, 201)
        self.assertIn(name, [blob.name for blob in self.box.list_blobs()])
        data = raw.signed(self.account, "DELETE", self.path("..%2F..%2F..%2Fetc%2Fpasswd"))
        self.assertEqual(raw.exchange(self.server.port, data).status, 202)

    def test_what_is_not_built_is_refused(self):
        for query in ("comp=tier", "comp=lease", "comp=snapshot", "comp=tags", "comp=page", "snapshot=2026-01-01"):
            with self.subTest(query):
                self.refused(self.signed("PUT", "kept", query, BLOB, BODY), 400, "UnsupportedQueryParameter")
        for header in ("x-ms-access-tier", "x-ms-tags", "x-ms-encryption-key", "x-ms-encryption-scope"):
            with self.subTest(header):
                self.refused(self.signed("PUT", "new", "", {**BLOB, header: "value"}, BODY), 400, "UnsupportedHeader")


class Rights(BadInput):
    def with_query(self, query: str, method: str = "PUT", name: str = "new") -> bytes:
        return raw.request(method, self.path(name, query), BLOB, BODY if method == "PUT" else None)

    def sas(self, permissions: str = "racwdl", minutes: int = 60, account: bool = False) -> str:
        make = self.account.account_url if account else self.account.container_url
        return make("box", permissions=permissions, minutes=minutes).partition("?")[2]

    def test_the_sas_is_good_without_the_fault(self):
        self.assertEqual(raw.exchange(self.server.port, self.with_query(self.sas())).status, 201)
        self.box.delete_blob("new")

    def test_no_credentials(self):
        self.refused(self.with_query(""), 401, "NoAuthenticationInformation")
        self.refused(self.with_query("", "HEAD", "kept"), 401, "NoAuthenticationInformation", to_head=True)

    def test_a_wrong_key(self):
        forger = dataclasses.replace(self.account, key=b64(b"k" * 64))
        self.refused(raw.signed(forger, "PUT", self.path("new"), BLOB, BODY), 403, "AuthenticationFailed")
        self.refused(raw.signed(forger, "HEAD", self.path("kept")), 403, "AuthenticationFailed", to_head=True)

    def test_an_account_that_is_not_there(self):
        stranger = dataclasses.replace(self.account, name="stranger")
        target = "/stranger/box/new"
        self.refused(raw.signed(stranger, "PUT", target, BLOB, BODY), 403, "AuthenticationFailed")

    def test_a_signature_for_something_else(self):
        data = self.signed("PUT", "other", "", BLOB, BODY)
        self.refused(data.replace(b"/box/other ", b"/box/new ", 1), 403, "AuthenticationFailed")
        data = self.signed("GET", "kept")
        self.refused(data.replace(b"GET ", b"DELETE ", 1), 403, "AuthenticationFailed")
        data = self.put(x_ms_meta_a="b")
        self.refused(data.replace(b"x-ms-meta-a: b", b"x-ms-meta-a: c"), 403, "AuthenticationFailed")

    def test_clock_skew(self):
        for age in (SKEW, -SKEW):
            self.refused(self.signed("PUT", "new", "", BLOB, BODY, age=age), 403, "AuthenticationFailed")

    def test_an_expired_sas(self):
        self.refused(self.with_query(self.sas(minutes=-1)), 403, "AuthenticationFailed")

    def test_an_edited_sas(self):
        sas = self.sas(permissions="r")
        edits = [sas.replace("sp=r&", "sp=racwdl&"), sas.replace("sr=c", "sr=b"),
                 re.sub(r"se=20(\d\d)", "se=2099", sas), sas.replace("sig=", "sig=A")]
        for edited in edits:
            with self.subTest(edited):
                self.assertNotEqual(edited, sas)
                self.refused(self.with_query(edited), 403, "AuthenticationFailed")

    def test_a_sas_without_its_signature(self):
        bare = re.sub(r"&?sig=[^&]*", "", self.sas())
        self.refused(self.with_query(bare), 401, "NoAuthenticationInformation")

    def test_a_sas_that_does_not_reach(self):
        for permissions, method, name in (("r", "PUT", "new"), ("rl", "DELETE", "kept"), ("w", "GET", "kept")):
            with self.subTest(permissions=permissions, method=method):
                self.refused(self.with_query(self.sas(permissions), method, name), 403,
                             "AuthorizationPermissionMismatch")
        self.refused(self.with_query(self.sas("r", account=True)), 403, "AuthorizationPermissionMismatch")

    def test_a_container_sas_opens_no_other_container(self):
        target = f"/{self.account.name}/other/new?{self.sas()}"
        self.refused(raw.request("PUT", target, BLOB, BODY), 403, "AuthenticationFailed")

    def test_a_parameter_given_twice(self):
        sas = self.sas()
        self.refused(self.with_query(sas + "&sp=racwdl"), 400, "InvalidQueryParameterValue")

    def test_create_alone_does_not_overwrite(self):
        self.refused(self.with_query(self.sas("c"), name="kept"), 403, "UnauthorizedBlobOverwrite")


if __name__ == "__main__":
    suite.main()
