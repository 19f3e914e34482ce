#!/usr/bin/env python3
"""The harness itself: programs start, die and leave their words; AzCopy's round trip through Azurite is identical."""
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from harness import azcopy, azurite, process, ratio, suite, tombolo, tree

# Stands in for the binary: answers /healthz with 200 on the admin port that the environment names.
FAKE_SERVER = """#!{python}
import http.server, os, sys
assert sys.argv[1:] == ["serve", "--data", os.environ["TOMBOLO_SERVER_DATA"], "--dev"], sys.argv
assert os.environ["TOMBOLO_CACHE_BYTES"] == "8MiB" and "TOMBOLO_BIN" not in os.environ
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
address, port = os.environ["TOMBOLO_SERVER_ADMIN_LISTEN"].split(":")
print("fake server up", flush=True)
http.server.HTTPServer((address, int(port)), Health).serve_forever()
"""


class TempCase(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)


class ProgramTest(TempCase):
    def program(self, code: str) -> process.Program:
        return process.Program("probe", [sys.executable, "-c", code], self.folder / "log")

    def test_waits_for_a_port_and_stops(self):
        port = process.free_port()
        with self.program(f"import http.server as h\nh.HTTPServer(('127.0.0.1', {port}), None).serve_forever()") as it:
            it.wait_for_port(port)
            self.assertTrue(it.alive())
        self.assertFalse(it.alive())
        self.assertFalse(process.accepts(port))

    def test_an_early_end_is_told_with_its_output(self):
        program = self.program("print('my last words')").start()
        with self.assertRaisesRegex(process.ProgramEnded, "(?s)status 0 before port.*my last words"):
            program.wait_for_port(process.free_port())

    def test_kill9_kills_at_once_and_a_restart_appends(self):
        program = self.program("import time\nprint('hello', flush=True)\ntime.sleep(60)").start()
        for times in (1, 2):
            program.wait_until(lambda: program.log.read_text().count("hello") == times, "hello")
            program.kill9()
            self.assertEqual(program.process.returncode, -9)
            if times == 1:
                program.start()

    def test_who_ignores_sigterm_is_killed_and_told(self):
        program = self.program("import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\n"
                               "time.sleep(60)").start()
        program.wait_until(lambda: "up" in program.log.read_text(), "up")
        with self.assertRaises(TimeoutError):
            program.stop(limit_s=0.5)
        self.assertFalse(program.alive())


class RatioTest(unittest.TestCase):
    def test_one_lucky_batch_proves_nothing(self):
        for batches, within in (([1.9, 2.0], True), ([2.5, 1.9, 1.2], True), ([1.9, 2.1] * 4, False), ([2.1] * 8, False),
                                ([2.1] * 7 + [1.0], False)):
            left = iter(batches)
            self.assertEqual(ratio.stays_within(2.0, lambda: next(left), 8), within, batches)


class TomboloTest(TempCase):
    def test_serves_with_settings_and_restarts_on_the_same_ports(self):
        binary = self.folder / "fake"
        binary.write_text(FAKE_SERVER.format(python=sys.executable))
        binary.chmod(0o755)
        with mock.patch.dict("os.environ", TOMBOLO_BIN=str(binary)):
            server = tombolo.Tombolo(self.folder / "server", settings={"cache.bytes": "8MiB"})
            server.start()
            port = server.admin_port
            server.kill9()
            server.start()
            self.assertEqual((server.admin_port, process.http_get(port, "/healthz")[0]), (port, 200))
            server.kill9()


class TreeTest(TempCase):
    def test_names_every_difference(self):
        left, right = self.folder / "left", self.folder / "right"
        for side in (left, right):
            self.assertEqual(tree.make_tree(side, files=12, size_max=100, seed=7), 12 + len(tree.EDGE_CASES))
        self.assertEqual(tree.differences(left, right), [])
        (left / "empty").unlink()
        tree.write(right / "more", b"")
        tree.write(right / "with space.txt", b"spacE")
        self.assertEqual(tree.differences(left, right),
                         [f"only in {right}: empty", f"only in {right}: more", "differ: with space.txt"])

    def test_the_long_name_is_900_characters(self):
        self.assertEqual(len(tree.LONG_NAME), 900)


class AzuriteTest(TempCase):
    def test_azcopy_round_trip(self):
        source, back = self.folder / "source", self.folder / "back"
        files = tree.make_tree(source, files=30, size_max=20_000, seed=1)
        copier = azcopy.AzCopy(self.folder / "azcopy")
        with azurite.Azurite(self.folder / "azurite") as cloud:
            cloud.account.client().create_container("box")
            up = copier.copy(f"{source}/*", cloud.account.container_url("box"), "--recursive", "--put-md5")
            self.assertEqual((int(up.summary["TransfersCompleted"]), int(up.summary["TransfersFailed"])), (files, 0))
            self.assertEqual(len(copier.list(cloud.account.account_url("box"))), files)
            cloud.stop()
            cloud.start()
            copier.copy(cloud.account.account_url("box", "*"), back, "--recursive", "--check-md5=FailIfDifferent")
            refused = copier.copy(f"{source}/*", cloud.account.container_url("box", permissions="r"), "--recursive",
                                  check=False)
        self.assertEqual(tree.differences(source, back), [])
        self.assertNotEqual(refused.status, 0)
        self.assertIn("403", refused.output + refused.logs)

    def test_azcopys_own_suite_is_there(self):
        done = subprocess.run([process.need("E2E_TEST"), "-test.list", "TestAzurite_Local"], capture_output=True,
                              text=True, cwd=process.need("E2E_TEST_DIR"))
        self.assertEqual((done.returncode, done.stdout), (0, "TestAzurite_Local\n"))


if __name__ == "__main__":
    suite.main()
