#!/usr/bin/env python3
"""HTTP framing that could smuggle: each case is refused with status and code, the connection closes, nothing is stored.

Every request is a Put Blob that would succeed (a container SAS authorises it) but for the one thing that is wrong.
"""
from harness import raw, suite
from harness.case import ServerCase

BODY = b"12345"
# Azure's writes want their length told: a chunked body is refused, well formed or not; after one that is not, where
# the next request begins is unknown, and the connection closes.
NO_LENGTH = {"status": 411, "code": "MissingContentLengthHeader"}
STALL_LIMIT_S = 90  # of the server: 30 s for a head, 60 s without a byte of a body


class Framing(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box = cls.server.account.client().get_container_client("box")
        cls.box.create_container()
        url = cls.server.account.container_url("box", "smuggled")
        cls.target = url[url.index("/", len("http://")):]
        cls.stalled_head = raw.Connection(cls.server.port, STALL_LIMIT_S)
        cls.stalled_head.send(b"PUT " + cls.target.encode() + b" HTTP/1.1\r\nHost: h")
        cls.stalled_body = raw.Connection(cls.server.port, STALL_LIMIT_S)
        cls.stalled_body.send(cls.put("Content-Length: 5") + b"123")
        for connection in (cls.stalled_head, cls.stalled_body):
            cls.addClassCleanup(connection.__exit__)

    @classmethod
    def put(cls, *fields: str, first: str = "", host: str = "Host: h") -> bytes:
        first = first or f"PUT {cls.target} HTTP/1.1"
        lines = [first, *([host] if host else []), "x-ms-blob-type: BlockBlob", *fields]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def chunked(self, body: bytes) -> bytes:
        return self.put("Transfer-Encoding: chunked") + body

    def stored(self) -> list:
        return [(blob.name, blob.size) for blob in self.box.list_blobs(include=["uncommittedblobs"])]

    def refused(self, data: bytes, status: int = 400, code: str = "InvalidInput", finish: bool = False):
        """`data`; a good request that lies behind it (unless `finish`: the end lies there) is not served."""
        with raw.Connection(self.server.port) as connection:
            connection.send(data if finish else data + self.put("Content-Length: 5") + BODY)
            if finish:
                connection.finish()
            answer = connection.answer()
            self.assertIsNotNone(answer, "closed without an answer")
            self.assertEqual((answer.status, answer.code), (status, code), answer.body)
            self.assertIn("x-ms-request-id", answer.headers)
            self.assertEqual(answer.headers.get("connection"), "close")
            self.assertTrue(connection.closed(), "the connection stays open")
        self.assertEqual(self.stored(), [])

    def each(self, cases, make, **expected):
        for case in cases:
            with self.subTest(case=case):
                self.refused(make(case), **expected)

    def test_00_the_request_is_good_without_the_fault(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(self.chunked(b"5;a=b\r\n12345\r\n0\r\nX-Note: y\r\n\r\n"))
            self.assertEqual(connection.answer().status, 411)
            connection.send(self.put("Content-Length: 5") + BODY)
            self.assertEqual(connection.answer().status, 201)
        self.assertEqual(self.stored(), [("smuggled", 5)])
        self.box.delete_blob("smuggled")

    def test_01_content_length_and_transfer_encoding(self):
        for fields in (("Content-Length: 5", "Transfer-Encoding: chunked"),
                       ("Transfer-Encoding: chunked", "Content-Length: 5")):
            with self.subTest(fields):
                self.refused(self.put(*fields) + BODY)

    def test_02_several_content_lengths(self):
        for fields in (("Content-Length: 5", "Content-Length: 6"), ("Content-Length: 5", "Content-Length: 5"),
                       ("Content-Length: 5, 6",), ("Content-Length: 5, 5",)):
            with self.subTest(fields):
                self.refused(self.put(*fields) + BODY)

    def test_03_content_length_that_is_no_number(self):
        self.each(("+5", "-1", "0x5", str(2**64), "", "5 5", "5.0"),
                  lambda value: self.put(f"Content-Length: {value}") + BODY)

    def test_04_transfer_codings(self):
        self.each(("chunked, gzip", "chunked, chunked", ""), lambda value: self.put(f"Transfer-Encoding: {value}"))
        self.each(("gzip", "gzip, chunked", "xchunked", "identity"),
                  lambda value: self.put(f"Transfer-Encoding: {value}"), status=501, code="NotImplemented")

    def test_05_transfer_encoding_in_http_1_0(self):
        self.refused(self.put("Transfer-Encoding: chunked", first=f"PUT {self.target} HTTP/1.0"))

    def test_06_chunk_sizes(self):
        self.each((b"FFFFFFFFFFFFFFFF1", b"-5", b"0x5", b"+5", b"", b"5 ", b"g"),
                  lambda size: self.chunked(size + b"\r\n12345\r\n0\r\n\r\n"), **NO_LENGTH)
        self.refused(self.chunked(b"5\r\n123456\r\n0\r\n\r\n"), **NO_LENGTH)

    def test_07_bare_line_ends(self):
        good = self.put("Content-Length: 5")
        self.each((good.replace(b"\r\n", b"\n"), good.replace(b"Host: h\r\n", b"Host: h\n"),
                   good.replace(b"Host: h\r\n", b"Host: h\r"), good[:-2] + b"\n"), lambda head: head + BODY)

    def test_08_a_huge_chunk_extension(self):
        self.refused(self.chunked(b"5;x=" + b"a" * (64 << 10) + b"\r\n12345\r\n0\r\n\r\n"), **NO_LENGTH)

    def test_09_blank_before_the_colon_and_folded_lines(self):
        self.each(("Content-Length : 5", "Content-Length\t: 5", "X: a\r\n b", "X: a\r\n\tb", "X", ": x"),
                  lambda field: self.put(field, "Content-Length: 5") + BODY)

    def test_10_not_exactly_one_host(self):
        self.each(("", "Host: h\r\nHost: h", "Host: a, b", "Host:", "Host: a/b", "Host: u@a", "Host: a:65536"),
                  lambda host: self.put("Content-Length: 5", host=host) + BODY)

    def test_11_the_target_names_another_host(self):
        for authority, code in (("evil", "InvalidInput"), ("h:81", "InvalidInput"), ("h@evil", "InvalidUri")):
            with self.subTest(authority):
                first = f"PUT http://{authority}{self.target} HTTP/1.1"
                self.refused(self.put("Content-Length: 5", first=first) + BODY, code=code)

    def test_12_control_bytes(self):
        self.each(("X: a\0b", "X\0: a", "X: a\ab", "X: a\x7f"),
                  lambda field: self.put(field, "Content-Length: 5") + BODY)

    def test_13_a_huge_head(self):
        self.refused(self.put("X: " + "a" * (1 << 20)), status=431)
        self.refused(self.put(*["X: y"] * 5000), status=431)

    def test_14_trailers_that_would_change_the_request(self):
        self.each(("Authorization: SharedKey a:b", "Host: evil", "Content-Length: 5", "Transfer-Encoding: chunked"),
                  lambda field: self.chunked(b"5\r\n12345\r\n0\r\n" + field.encode() + b"\r\n\r\n"), **NO_LENGTH)

    def test_15_the_http_2_preface(self):
        self.refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    def test_17_the_end_comes_early(self):
        self.refused(self.put("Content-Length: 5") + b"123", finish=True)
        self.refused(self.put("Content-Length: 5"), finish=True)

    def test_18_no_length(self):
        self.refused(self.put(), **NO_LENGTH)

    def test_19_trace_and_connect(self):
        self.each((f"TRACE {self.target} HTTP/1.1", "CONNECT h:443 HTTP/1.1"), lambda first: self.put(first=first),
                  status=405, code="UnsupportedHttpVerb")

    def test_20_stalled_heads_and_bodies(self):
        """Case 16; they have waited since the suite began."""
        for connection, status, code in ((self.stalled_head, 408, "OperationTimedOut"),
                                         (self.stalled_body, 500, "OperationTimedOut")):  # clients retry that
            answer = connection.answer()
            self.assertEqual((answer.status, answer.code), (status, code), answer.body)
            self.assertTrue(connection.closed())
        self.assertEqual(self.stored(), [])

    def test_unknown_expectations_are_ignored(self):
        answer = raw.exchange(self.server.port, self.put("Content-Length: 5", "Expect: something") + BODY)
        self.assertEqual(answer.status, 201)
        self.box.delete_blob("smuggled")


if __name__ == "__main__":
    suite.main()
