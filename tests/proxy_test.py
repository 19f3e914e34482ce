#!/usr/bin/env python3
"""The lying proxy itself: it counts what passes, changes nothing unasked, and makes exactly the trouble asked for."""
import http.client
import http.server
import pathlib
import tempfile
import threading
import time
import unittest

from harness import lying_proxy, proxy, suite


class Upstream(http.server.BaseHTTPRequestHandler):
    """Keeps what is put, by path."""
    protocol_version = "HTTP/1.1"
    stored: dict[str, bytes] = {}

    def answer(self, status: int, body: bytes = b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0x8D0F"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.stored[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def do_DELETE(self):
        self.answer(202 if self.stored.pop(self.path, None) is not None else 404)

    def do_GET(self):
        if "comp=list" in self.path:
            body = "".join(f'<Blob><Name>{name}</Name><Etag>0xAB12</Etag></Blob>' for name in self.stored).encode()
            return self.answer(200, body)
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
        self.proxy = self.enterContext(proxy.LyingProxy(upstream.server_port, pathlib.Path(temp.name)))
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
            "requests": 5, "by_method": {"PUT": 1, "GET": 3, "HEAD": 1},
            "by_operation": {"put": 1, "get": 3, "head": 1}, "by_status": {"201": 1, "200": 3, "404": 1},
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

    def fails(self, method: str, path: str, body: bytes | None = None) -> type:
        self.connection.close()
        with self.assertRaises((http.client.HTTPException, OSError)) as caught:
            self.ask(method, path, body)
        self.connection.close()
        return type(caught.exception)

    def test_every_lie_is_told_and_taken_back(self):
        data = b"x" * 5_000
        for name in lying_proxy.LIES:
            with self.subTest(name):
                Upstream.stored = {"/a": data}
                self.assertEqual(self.ask("GET", "/?comp=list")[0], 200)
                self.proxy.lie(name)
                self.check_lie(name, data)
                self.connection.close()
                self.proxy.tell_the_truth()
                Upstream.stored["/a"] = data
                self.assertEqual(self.ask("GET", "/a"), (200, data))
                self.assertEqual(self.ask("PUT", "/b", b"1")[0], 201)
                self.assertEqual(Upstream.stored["/b"], b"1")

    def check_lie(self, name: str, data: bytes):
        match name:
            case "down":
                self.fails("GET", "/a")
            case "refused":
                self.assertIs(self.fails("GET", "/a"), ConnectionRefusedError)
            case "slow":
                before = time.monotonic()
                self.assertEqual(self.ask("GET", "/a"), (200, data))
                self.assertGreater(time.monotonic() - before, 0.2)
            case "stalled":
                self.connection.timeout = 0.3
                self.assertIs(self.fails("PUT", "/a", b"new"), TimeoutError)
                self.connection.timeout = 20
                self.assertEqual(Upstream.stored["/a"], b"new")
            case "stalled_bodies":
                self.connection.timeout = 0.3
                self.assertIs(self.fails("GET", "/a"), TimeoutError)
                self.connection.timeout = 20
            case "truncating":
                self.assertIs(self.fails("GET", "/a"), http.client.IncompleteRead)
                self.fails("PUT", "/a", b"new")
                self.assertEqual(Upstream.stored["/a"], b"new")
            case "wrong_bytes":
                self.assertEqual(self.ask("GET", "/a"), (200, data[:100] + b"y" + data[101:]))
                self.assertEqual(self.ask("PUT", "/a", data)[0], 201)
                self.assertEqual(Upstream.stored["/a"], data[:100] + b"y" + data[101:])
            case "wrong_etag":
                self.connection.request("GET", "/a")
                answer = self.connection.getresponse()
                self.assertEqual((answer.headers["ETag"], answer.read()), ('"0xFFF0"', data))
                self.assertIn(b"<Etag>0xFFFF</Etag>", self.ask("GET", "/?comp=list")[1])
            case "done_said_500":
                self.assertEqual(self.ask("PUT", "/a", b"new")[0], 500)
                self.assertEqual(Upstream.stored["/a"], b"new")
            case "claimed":
                self.assertEqual((self.ask("PUT", "/a", b"new")[0], self.ask("DELETE", "/a")[0]), (201, 202))
                self.assertEqual(Upstream.stored["/a"], data)
            case "stale_list":
                Upstream.stored["/new"] = b""
                self.assertNotIn(b"/new", self.ask("GET", "/?comp=list")[1])
                self.assertNotIn(b"/a", self.ask("GET", "/?comp=list&never=asked")[1])
            case _:
                status = {"forbidden": 403, "not_found": 404, "throttled": 429, "busy": 503}[name]
                self.assertEqual({self.ask(method, "/a", b"")[0] for method in ("PUT", "GET", "HEAD", "DELETE")}, {status})
                self.assertEqual(Upstream.stored, {"/a": data})

    def test_what_is_held_breaks_off_when_the_truth_is_told(self):
        Upstream.stored["/a"] = b"x" * 5_000
        for name in ("stalled", "stalled_bodies"):
            self.proxy.lie(name)
            threading.Timer(0.2, self.proxy.tell_the_truth).start()
            before = time.monotonic()
            self.fails("GET", "/a")
            self.assertLess(time.monotonic() - before, 10)

    def test_a_lie_about_one_operation_alone(self):
        self.proxy.lie("busy", operation="head", times=1)
        self.assertEqual([self.ask(method, "/none")[0] for method in ("GET", "HEAD", "HEAD")], [404, 503, 404])

    def test_a_share_of_the_requests_fails(self):
        self.proxy.set_faults([{"do": "status", "status": 503, "probability": 0.3}])
        failed = sum(self.ask("GET", "/none")[0] == 503 for _ in range(300))
        self.assertTrue(50 < failed < 140, failed)


if __name__ == "__main__":
    suite.main()
