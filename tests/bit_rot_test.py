#!/usr/bin/env python3
"""Bit rot: seeded flips in everything that something live needs, one after another, and what comes of each.

TOMBOLO_ROT_FLIPS (default 100,000), TOMBOLO_ROT_SEED (default 1: everybody's run is the same). The sums go to
build/bit_rot.json.
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
# Not RocksDB's tables (`tombolo_rot --tables N`): of some thousand flips two were not noticed, and nobody knows yet whether
# the table was still in use (docs/status.md).
AREAS = {"runs", "run_headers", "segment_headers", "remote_objects", "commit_log"}


class BitRotTest(unittest.TestCase):
    def test_every_flip_is_detected_and_no_wrong_byte_is_read(self):
        program = pathlib.Path(os.environ["TOMBOLO_BIN"]).parent / "testing" / "rot" / "tombolo_rot"
        out = ROOT / "build" / "bit_rot.json"
        out.parent.mkdir(exist_ok=True)
        out.unlink(missing_ok=True)
        done = subprocess.run([program, "--seed", str(SEED), "--flips", str(FLIPS), "--json", out], capture_output=True,
                              text=True)
        print(done.stdout, done.stderr, flush=True)
        report = json.loads(out.read_text())
        self.assertEqual((done.returncode, report["violations"], report["wrong_reads"]), (0, [], 0))
        self.assertLessEqual(AREAS, set(report["areas"]))
        self.assertGreaterEqual(report["flips"]["made"], FLIPS)
        self.assertEqual(report["flips"]["detected"], report["flips"]["made"])
        self.assertEqual(report["blocks"]["detected"], report["blocks"]["made"])
        for name in AREAS:
            area = report["areas"][name]
            with self.subTest(name):
                self.assertGreater(min(area["flips"]["made"], area["blocks"]["made"]), 0)
        for name in ("runs", "remote_objects"):  # what has another copy is read from there
            self.assertGreater(report["areas"][name]["flips"]["repaired"], FLIPS // 100)


if __name__ == "__main__":
    suite.main()
