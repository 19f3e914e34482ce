#!/usr/bin/env python3
"""Bit rot: seeded flips in everything that something live needs, one after another, and what comes of each.

TOMBOLO_ROT_FLIPS (default 100,000) in runs, headers, remote objects and the commit log, and TOMBOLO_ROT_TABLES (default
2,000) in RocksDB's tables, each of which takes a start of RocksDB; TOMBOLO_ROT_SEED (default 1: everybody's run is the
same). The sums go to build/bit_rot.json.
"""
import json
import os
import pathlib
import subprocess
import unittest

from harness import suite

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED = int(os.environ.get("TOMBOLO_ROT_SEED", "1"))
FLIPS = int(os.environ.get("TOMBOLO_ROT_FLIPS", "100000"))
TABLES = int(os.environ.get("TOMBOLO_ROT_TABLES", "2000"))


class BitRotTest(unittest.TestCase):
    def test_every_flip_is_detected_and_no_wrong_byte_is_read(self):
        program = pathlib.Path(os.environ["TOMBOLO_BIN"]).parent / "testing" / "rot" / "tombolo_rot"
        out = ROOT / "build" / "bit_rot.json"
        out.parent.mkdir(exist_ok=True)
        out.unlink(missing_ok=True)
        done = subprocess.run([program, "--seed", str(SEED), "--flips", str(FLIPS), "--tables", str(TABLES), "--json", out],
                              capture_output=True, text=True)
        print(done.stdout, done.stderr, flush=True)
        report = json.loads(out.read_text())
        self.assertEqual((done.returncode, report["violations"], report["wrong_reads"]), (0, [], 0))
        self.assertGreaterEqual(report["flips"]["made"], FLIPS + TABLES)
        self.assertEqual(report["flips"]["detected"], report["flips"]["made"])
        self.assertEqual(report["blocks"]["detected"], report["blocks"]["made"])
        # Of a table that a compaction replaced, what nobody had noticed lay in its filters or properties: few, though in
        # a cell whose start compacts every time they come in a row.
        self.assertLessEqual(report["compacted_away"], TABLES // 20)
        for name, area in report["areas"].items():
            with self.subTest(name):
                self.assertGreater(min(area["flips"]["made"], area["blocks"]["made"]), 0)
        for name in ("runs", "remote_objects"):  # what has another copy is read from there
            self.assertGreater(report["areas"][name]["flips"]["repaired"], FLIPS // 100)


if __name__ == "__main__":
    suite.main()
