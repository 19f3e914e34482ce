#!/usr/bin/env python3
"""Cold reads stream: a range costs its bytes and little more, memory stays bounded, the first byte leaves at once."""
import http.client
import pathlib
import random
import re
import threading
import urllib.parse

from azure.storage.blob import BlobBlock

from harness import suite
from harness.case import ProxiedCloudCase

KIB, MIB = 1 << 10, 1 << 20
SIZE = 1 << 30
BLOCK = 8 * MIB
RANGE = 32 * KIB
RANGE_OVERHEAD_MAX = 64 * KIB
MEMORY_MAX = 512 * MIB
BLOCKS = [random.Random(number).randbytes(BLOCK) for number in range(4)]  # the object repeats them


def original(offset: int, length: int) -> bytes:
    """Bytes of the object: block n is BLOCKS[n % 4] with n in its first eight bytes."""
    out = b""
    while length > 0:
        number, start = divmod(offset, BLOCK)
        piece = block(number)[start:start + length]
        out += piece
        offset, length = offset + len(piece), length - len(piece)
    return out


def block(number: int) -> bytes:
    return number.to_bytes(8, "big") + BLOCKS[number % len(BLOCKS)][8:]


class ColdReads(ProxiedCloudCase):
    """One object of 1 GiB that lies in Azurite, behind the proxy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_remote("cloud")
        box = cls.server.account.client().get_container_client("box")
        box.create_container()
        blob = box.get_blob_client("big")
        names = [f"{number:04}" for number in range(SIZE // BLOCK)]
        for number, name in enumerate(names):
            blob.stage_block(name, block(number))
        blob.commit_block_list([BlobBlock(name) for name in names])
        job = cls.server.cli("offload", "box", "--to", "cloud", "--evict")
        if job["state"] != "done" or job["progress"]["objects_done"] != 1:
            raise AssertionError(f"the offload ended as {job}\n{cls.server.tail()}")

    def setUp(self):
        super().setUp()
        # A fresh process: nothing cached, and a peak of memory of its own.
        self.server.stop()
        self.server.start()
        self.proxy.set_faults([])
        self.proxy.reset()

    def get(self, first: int | None = None, last: int | None = None) -> http.client.HTTPResponse:
        url = urllib.parse.urlsplit(self.server.account.container_url("box", "big"))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        headers = {} if first is None else {"x-ms-range": f"bytes={first}-{last}"}
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200 if first is None else 206)
        return answer

    def test_a_range_costs_its_bytes_and_little_more(self):
        chosen = random.Random(8)
        places = [0, 1, BLOCK - RANGE // 2, SIZE - RANGE, SIZE - 1] + [chosen.randrange(SIZE) for _ in range(20)]
        for offset in places:
            with self.subTest(offset=offset):
                self.proxy.reset()
                length = min(RANGE, SIZE - offset)
                self.assertEqual(self.get(offset, offset + length - 1).read(), original(offset, length))
                self.assertLessEqual(self.proxy.counts()["bytes_down"], length + RANGE_OVERHEAD_MAX)

    def test_four_parallel_reads_stay_within_their_memory(self):
        wrong = []

        def read():
            answer, offset = self.get(), 0
            for number in range(SIZE // BLOCK):
                data = answer.read(BLOCK)
                offset += len(data)
                if data != block(number):
                    wrong.append(number)
            if offset != SIZE:
                wrong.append(f"{offset} bytes")

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        self.assertEqual(wrong, [])
        self.assertLessEqual(self.peak_memory(), MEMORY_MAX)

    def test_the_first_byte_leaves_before_5_percent_have_arrived(self):
        """The remote gives 64 KiB and then pauses, again and again: what has arrived by the first byte is counted."""
        self.proxy.set_faults([{"method": "GET", "path": "big", "do": "delay", "seconds": 0.02}])
        answer = self.get()
        self.assertEqual(answer.read(8), original(0, 8))
        arrived = self.proxy.counts()["bytes_down"]
        self.assertGreater(arrived, 0)
        self.assertLess(arrived, SIZE // 20)
        answer.close()

    def test_a_reader_who_leaves_stops_the_reading(self):
        self.proxy.set_faults([{"method": "GET", "path": "big", "do": "delay", "seconds": 0.01}])
        answer = self.get()
        answer.read(8)
        answer.close()
        self.server.stop()
        self.assertLess(self.proxy.counts()["bytes_down"], SIZE // 4)

    def peak_memory(self) -> int:
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * KIB


if __name__ == "__main__":
    suite.main()
