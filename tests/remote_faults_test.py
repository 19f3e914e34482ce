#!/usr/bin/env python3
"""Every fault of a remote x put, get, head, list, delete, end to end: Azurite behind the lying proxy, a real tombolo.

What clients and operators see is compared with the second table of docs/remote-faults.md. Whatever the table says: no byte
that a client gets is wrong, nothing leaves flash before its copy is verified, nothing is asked for more often than the
limits allow, and everything heals when the fault ends, without a restart.
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import subprocess
import threading
import time
import urllib.parse

from azure.core.exceptions import ResourceNotFoundError

from harness import suite
from harness.case import ProxiedCloudCase
from harness.lying_proxy import LIES
from harness.process import http_get

TRIES = 3
SETTINGS = {"tiering.gc_interval_seconds": 1, "tiering.gc_grace_seconds": 1, "tiering.remote_grace_seconds": 1,
            "tiering.jobs_max": 16, "cache.bytes": "1MiB", "remote.first_byte_seconds": 1, "remote.stall_seconds": 1,
            "remote.operation_seconds": 10, "remote.tries": TRIES}
SIZE = 1_500_000  # read whole, it is too large for the cache
SMALL = 20_000
SETTLE_S = 30
STEP = 256 * 1024  # a cold read verifies and gives so much at a time
PAGE = pathlib.Path(__file__).parent.parent / "docs" / "remote-faults.md"
# Faults by the names of the page. "changed outside" is no lie of the proxy: the test changes the object.
FAULTS = {"down": "down", "refused": "refused", "slow": "slow", "stalled": "stalled", "truncating": "truncating",
          "wrong bytes": "wrong_bytes", "wrong ETag": "wrong_etag", "done, said 500": "done_said_500",
          "said done, was not": "claimed", "stale list": "stale_list", "changed outside": "", "403": "forbidden",
          "404": "not_found", "429 with Retry-After": "throttled", "503": "busy"}
COLUMNS = ("get", "put", "head", "list", "delete")


def promised(column: str) -> dict[str, str]:
    """What the page says of an operation, by fault."""
    part = PAGE.read_text().split("<!-- remote_faults_test: begin -->")[1].split("<!-- remote_faults_test: end -->")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in part.strip().splitlines()[2:]]
    return {cells[0]: cells[1 + COLUMNS.index(column)] for cells in rows}


class Row:
    """One fault: a remote of its own, whose keys begin with its name, so that rows can be tried side by side."""

    def __init__(self, name: str):
        self.name, self.lie = name, FAULTS[name]
        self.remote = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
        self.where = f"/{ProxiedCloudCase.bucket_name}/{self.remote}/|prefix={self.remote}%2F"

    def key(self, name: str) -> str:
        return f"{self.remote}/box/{self.remote}/{name}"


class Faults(ProxiedCloudCase):
    maxDiff = None
    settings = SETTINGS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bucket = cls.cloud.account.client().get_container_client(cls.bucket_name)
        cls.box = cls.server.account.client(retry_total=0).get_container_client("box")
        cls.box.create_container()
        cls.rows = [Row(name) for name in FAULTS]
        cls.told: dict[str, list[dict]] = {}
        cls.telling = threading.Lock()
        cls.data = {}

        def prepare(row):
            cls.add_remote(row.remote, prefix=f"{row.remote}/")
            cls.upload(row, "cold", SIZE)
            cls.upload(row, "old", SMALL)
            job = cls.offload(row, "")
            assert (job["state"], job["progress"]["objects_done"]) == ("done", 2), job

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(prepare, cls.rows))

    @classmethod
    def upload(cls, row: Row, name: str, size: int) -> bytes:
        data = os.urandom(size)
        cls.data[row.remote, name] = data
        cls.box.upload_blob(f"{row.remote}/{name}", data, overwrite=True)
        return data

    @classmethod
    def cli(cls, *arguments) -> dict:
        """What it printed, also when it says that something went wrong."""
        command = [cls.server.binary, "--data", str(cls.server.data), "--json", *arguments]
        done = subprocess.run(command, env=cls.server.env, capture_output=True, text=True, timeout=120)
        return json.loads(done.stdout)

    @classmethod
    def offload(cls, row: Row, name: str) -> dict:
        return cls.cli("offload", f"box/{row.remote}/{name}", "--to", row.remote, "--evict")

    # --- lies for one row alone

    def tell(self, row: Row, faults: list[dict]):
        with self.telling:
            self.told[row.remote] = faults
            self.proxy.set_faults([fault for each in self.told.values() for fault in each])

    def lie(self, row: Row, operation: str):
        if row.lie == "refused":
            self.tell(row, LIES["refused"])
        elif row.lie:
            self.tell(row, [{**fault, "operation": operation, "path": row.where} for fault in LIES[row.lie]
                            if fault.get("operation", operation) == operation])

    def truth(self, row: Row):
        self.tell(row, [])

    def calls(self, row: Row, method: str, name: str = "") -> int:
        return sum(entry["method"] == method and re.search(row.where, entry["target"]) is not None
                   and name in entry["target"] for entry in self.proxy.requests())

    def try_rows(self, column: str, work):
        """`work` of each row, side by side, and what it gives compared with the page."""
        self.proxy.reset()
        together = [row for row in self.rows if row.lie != "refused"]
        with concurrent.futures.ThreadPoolExecutor(len(together)) as pool:
            seen = dict(zip((row.name for row in together), pool.map(work, together)))
        for row in self.rows:
            if row.lie == "refused":
                seen[row.name] = work(row)
        self.assertEqual(seen, promised(column), f"observed against docs/remote-faults.md\n{self.server.tail(10)}")

    def until(self, holds, what: str):
        deadline = time.monotonic() + SETTLE_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"not within {SETTLE_S} s: {what}\n{self.server.tail()}")
            time.sleep(0.1)

    # --- what a client sees

    def read(self, row: Row, name: str, first: int | None = None, last: int | None = None) -> str:
        """"200" when everything is right; else status and code, or "cut" for a connection that broke. Wrong bytes fail."""
        url = urllib.parse.urlsplit(self.server.account.container_url("box", f"{row.remote}/{name}"))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = {} if first is None else {"x-ms-range": f"bytes={first}-{last}"}
        data = self.data[row.remote, name][slice(first, None if last is None else last + 1)]
        try:
            connection.request("GET", f"{url.path}?{url.query}", headers=headers)
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                return f"{answer.status} {answer.headers['x-ms-error-code']}"
            got = b""
            try:
                while piece := answer.read1(1 << 16):
                    got += piece
            except (http.client.IncompleteRead, ConnectionResetError):
                pass
            self.assertTrue(got == data[:len(got)], f"{row.name}: wrong bytes")
            return "200" if len(got) == len(data) else "cut"
        finally:
            connection.close()

    def stored(self, row: Row, name: str) -> bytes | None:
        try:
            return self.bucket.download_blob(row.key(name)).readall()
        except ResourceNotFoundError:
            return None

    # --- the matrix

    def test_get(self):
        def work(row: Row) -> str:
            if row.name == "changed outside":
                self.bucket.upload_blob(row.key("cold"), os.urandom(SIZE), overwrite=True)
            self.lie(row, "get")
            whole = self.read(row, "cold")
            if row.name == "stalled":  # a body that stands still is as bad as no answer
                self.tell(row, [{**LIES["stalled_bodies"][0], "operation": "get", "path": row.where}])
            part = self.read(row, "cold", 1_000_000, 1_032_767)
            self.truth(row)
            self.assertEqual(whole, part, row.name)
            once = 2  # reads
            # A pooled connection that turns out dead is no try.
            limit = {"403": once, "404": once, "down": 2 * TRIES * once}.get(row.name, TRIES * once)
            self.assertLessEqual(self.calls(row, "GET"), limit, row.name)
            if row.name != "changed outside":
                self.assertEqual(self.read(row, "cold"), "200", f"{row.name}: it does not heal")
            return whole

        self.try_rows("get", work)

    def offload_under(self, row: Row, name: str, operation: str) -> str:
        data = self.upload(row, name, SMALL)
        self.lie(row, operation)
        job = self.offload(row, name)
        # Without the remote: what was evicted cannot be read, what was not must be.
        self.tell(row, [{"do": "drop", "path": row.where}])
        on_flash = self.read(row, name) == "200"
        self.truth(row)
        done = (job["state"], job["progress"]["objects_done"]) == ("done", 1)
        self.assertEqual(on_flash, not done, f"{row.name}: {job}")
        if done:
            self.assertEqual(self.stored(row, name), data, f"{row.name}: evicted before its copy was right")
        self.assertEqual(self.read(row, name), "200")
        return "offloaded" if done else "stays on flash"

    def test_put(self):
        def work(row: Row) -> str:
            if row.name == "changed outside":
                self.bucket.upload_blob(row.key("put"), b"somebody else's")
            seen = self.offload_under(row, "put", "put")
            limit = {"403": 1, "404": 1, "changed outside": 1}.get(row.name, TRIES)
            self.assertLessEqual(self.calls(row, "PUT"), limit, row.name)
            if row.name == "changed outside":
                self.assertEqual(self.stored(row, "put"), b"somebody else's")
                self.bucket.delete_blob(row.key("put"))
            self.assertEqual(self.offload(row, "put")["state"], "done")
            self.assertEqual(self.stored(row, "put"), self.data[row.remote, "put"], f"{row.name}: it does not heal")
            self.assertEqual(self.read(row, "put"), "200")
            return seen

        self.try_rows("put", work)

    def test_head(self):
        def work(row: Row) -> str:
            seen = self.offload_under(row, "head", "head")
            if row.name == "changed outside":
                self.bucket.upload_blob(row.key("head"), os.urandom(SMALL), overwrite=True)
                found = [each["kind"] for each in self.cli("fsck", "--depth", "all")["findings"]
                         if row.key("head") in each["what"]]
                return f"fsck: {' '.join(found)}"
            self.assertLessEqual(self.calls(row, "HEAD", "/head"), 1 + TRIES * (2 if row.name == "down" else 1), row.name)
            self.assertEqual(self.offload(row, "head")["state"], "done")
            self.assertEqual(self.stored(row, "head"), self.data[row.remote, "head"])
            return seen

        self.try_rows("head", work)

    def test_list(self):
        def work(row: Row) -> str:
            self.lie(row, "list")
            steps = self.cli("remote", "test", row.remote)["steps"]
            self.truth(row)
            limit = 1 if row.name in ("403", "404") else TRIES
            lists = 2 * limit * (2 if row.name == "down" else 1)  # it lists at its door and at its object
            self.assertLessEqual(self.calls(row, "GET", "comp=list"), lists, row.name)
            bad = [step["what"] for step in steps if not step["ok"]]
            self.assertTrue(all(step["ok"] for step in self.cli("remote", "test", row.remote)["steps"]), row.name)
            return "every step ok" if not bad else f"tells: {bad[0]}"

        self.try_rows("list", work)

    def test_delete(self):
        believed = ("said done, was not", "404", "changed outside")

        def work(row: Row) -> str:
            if row.name == "changed outside":
                self.bucket.upload_blob(row.key("old"), b"somebody else's", overwrite=True)
            self.lie(row, "delete")
            begun = time.monotonic()
            self.box.delete_blob(f"{row.remote}/old")
            if row.lie == "refused":
                time.sleep(4)  # nobody counts what is refused
            else:
                self.until(lambda: self.calls(row, "DELETE") > 0, f"{row.name}: garbage collection deletes")
            time.sleep(1.5)
            deletes, passed = self.calls(row, "DELETE"), time.monotonic() - begun
            self.assertLessEqual(deletes, TRIES * (passed + 2), row.name)
            gone = self.stored(row, "old") is None
            self.truth(row)
            if gone:
                return "deleted"
            if row.name in believed:
                time.sleep(2)
                self.assertIsNotNone(self.stored(row, "old"))
                return "left there"
            self.until(lambda: self.stored(row, "old") is None, f"{row.name}: it is deleted when the fault has ended")
            return "deleted when it ends"

        self.try_rows("delete", work)

    # --- what has begun

    def test_a_body_that_cannot_go_on_ends_as_a_broken_connection(self):
        """After the head has gone there is no status any more: the client must see a short body, never a good end."""
        row = Row("503")
        only = {"operation": "get", "path": row.where}
        broken = {"do": "truncate", "bytes": 600_000, "times": 1}
        for then in (LIES["busy"], LIES["forbidden"], LIES["not_found"][2:], LIES["down"], LIES["wrong_etag"]):
            with self.subTest(then[0]):
                self.tell(row, [{**broken, **only}] + [{**fault, **only} for fault in then])
                self.assertEqual(self.read(row, "cold"), "cut")
                self.truth(row)
        # The same byte twice: what does not verify is asked for again, from the block on that has it.
        begin = 600_000 // STEP * STEP
        self.tell(row, [{"do": "flip", "bytes": 600_000, "times": 1, **only}, {"do": "flip", "bytes": 600_000 - begin, **only}])
        self.assertEqual(self.read(row, "cold"), "cut")
        self.truth(row)
        self.assertEqual(self.read(row, "cold"), "200")
        self.assertRegex(self.server.tail(), rf'remote "{row.remote}", key "{row.key("cold")}": the bytes do not verify')

    def test_a_bit_that_turns_over_on_the_way_is_asked_for_again(self):
        row = Row("503")
        before = self.unverified(row)
        for place in (5, 700_000, SIZE - 1):
            self.proxy.reset()
            self.tell(row, [{"do": "flip", "bytes": place, "times": 1, "operation": "get", "path": row.where}])
            self.assertEqual(self.read(row, "cold"), "200")
            self.assertEqual(self.calls(row, "GET"), 2)
        self.truth(row)
        self.assertEqual(self.unverified(row), before + 3)

    def unverified(self, row: Row) -> int:
        found = re.search(rf'tombolo_remote_unverified_total{{remote="{row.remote}"}} (\d+)',
                          http_get(self.server.admin_port, "/metrics")[1].decode())
        return int(found.group(1)) if found else 0

    def test_a_body_that_breaks_off_once_goes_on(self):
        row = Row("503")
        for do in ({"do": "truncate", "bytes": 700_000}, {"do": "stall", "bytes": 700_000, "seconds": 60}):
            self.tell(row, [{**do, "operation": "get", "path": row.where, "times": 1}])
            self.assertEqual(self.read(row, "cold"), "200")
        self.truth(row)


if __name__ == "__main__":
    suite.main()
