#!/usr/bin/env python3
"""The counting proxy itself: it counts what passes, changes nothing unasked, and makes exactly the trouble asked for."""
import http.client
import http.server
import pathlib
import tempfile
import threading
import time
import unittest

from harness import proxy, suite


class Upstream(http.server.BaseHTTPRequestHandler):
    """Keeps what is put, by path."""
    protocol_version = "HTTP/1.1"
    stored: dict[str, bytes] = {}

    def answer(self, status: int, body: bytes = b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.stored[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
            return
        found = self.stored.get(self.path)
        self.answer(404 if found is None else 200, found or b"")

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A proxy that is told to break off does so towards the upstream too."""


class ProxyTest(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        self.addCleanup(temp.cleanup)
        Upstream.stored = {}
        upstream = Server(("127.0.0.1", 0), Upstream)
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        self.addCleanup(upstream.server_close)
        self.addCleanup(upstream.shutdown)
        self.proxy = self.enterContext(proxy.CountingProxy(upstream.server_port, pathlib.Path(temp.name)))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        self.addCleanup(self.connection.close)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        self.connection.request(method, path, body=body)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def test_counts_requests_and_bytes_and_changes_nothing(self):
        payload = bytes(range(256)) * 2_000
        self.assertEqual(self.ask("PUT", "/a", payload), (201, b""))
        self.assertEqual(self.ask("GET", "/a"), (200, payload))
        self.assertEqual(self.ask("HEAD", "/a"), (200, b""))
        self.assertEqual(self.ask("GET", "/none"), (404, b""))
        self.assertEqual(self.ask("GET", "/chunked"), (200, b"hello world"))
        self.assertEqual(self.proxy.counts(), {
            "requests": 5, "by_method": {"PUT": 1, "GET": 3, "HEAD": 1}, "by_status": {"201": 1, "200": 3, "404": 1},
            "bytes_up": len(payload), "bytes_down": len(payload) + 11, "connections": 1})
        self.assertEqual(self.proxy.requests()[1],
                         {"method": "GET", "target": "/a", "status": 200, "bytes_up": 0, "bytes_down": len(payload)})
        self.proxy.reset()
        self.assertEqual(self.proxy.counts()["requests"], 0)

    def test_an_error_before_or_after_the_deed(self):
        self.proxy.set_faults([{"method": "PUT", "do": "status", "status": 503, "code": "ServerBusy", "times": 1},
                               {"method": "PUT", "do": "status_after", "status": 500, "times": 1}])
        self.assertEqual(self.ask("PUT", "/a", b"one")[0], 503)
        self.assertEqual(Upstream.stored, {})
        self.assertEqual(self.ask("PUT", "/a", b"two")[0], 500)
        self.assertEqual(Upstream.stored, {"/a": b"two"})
        self.assertEqual(self.ask("PUT", "/a", b"three")[0], 201)

    def test_a_lost_connection_before_or_after_the_deed(self):
        for do, stored in (("drop", {}), ("drop_after", {"/a": b"one"})):
            self.proxy.set_faults([{"path": "^/a$", "do": do, "times": 1}])
            with self.assertRaises(http.client.RemoteDisconnected):
                self.ask("PUT", "/a", b"one")
            self.connection.close()
            self.assertEqual(Upstream.stored, stored)

    def test_bodies_are_cut_stalled_delayed_and_changed(self):
        payload = b"x" * 200_000
        Upstream.stored["/a"] = payload
        self.proxy.set_faults([{"do": "truncate", "bytes": 100_000, "times": 1}])
        with self.assertRaises(http.client.IncompleteRead) as cut:
            self.ask("GET", "/a")
        self.assertEqual(len(cut.exception.partial), 100_000)
        self.connection.close()
        self.proxy.set_faults([{"do": "stall", "bytes": 10, "seconds": 0.3, "times": 1}])
        before = time.monotonic()
        with self.assertRaises(http.client.IncompleteRead):
            self.ask("GET", "/a")
        self.assertGreaterEqual(time.monotonic() - before, 0.3)
        self.connection.close()
        self.proxy.set_faults([{"do": "delay", "seconds": 0.1, "times": 1}])
        before = time.monotonic()
        self.assertEqual(self.ask("GET", "/a"), (200, payload))
        self.assertGreaterEqual(time.monotonic() - before, 0.4)
        self.proxy.set_faults([{"do": "flip", "bytes": 150_000, "times": 1}])
        wrong = self.ask("GET", "/a")[1]
        self.assertEqual([n for n in range(len(payload)) if wrong[n] != payload[n]], [150_000])

    def test_a_share_of_the_requests_fails(self):
        self.proxy.set_faults([{"do": "status", "status": 503, "probability": 0.3}])
        failed = sum(self.ask("GET", "/none")[0] == 503 for _ in range(300))
        self.assertTrue(50 < failed < 140, failed)


if __name__ == "__main__":
    suite.main()
