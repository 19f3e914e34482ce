#!/usr/bin/env python3
"""Histories of concurrent clients, with upkeep and crashes, checked for linearizability.

TOMBOLO_LINEARIZE_HISTORIES (default 600, more than 200,000 operations; one in sixteen with RocksDB),
TOMBOLO_LINEARIZE_SEED (default 1: everybody's run is the same, and a failure is of the change; long runs take other
seeds, and their sums go into src/testing/linearize/ledger.md). The sums go to build/linearize.json.
"""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import parts, suite  # noqa: E402

SEED = int(os.environ.get("TOMBOLO_LINEARIZE_SEED", "1"))
HISTORIES = int(os.environ.get("TOMBOLO_LINEARIZE_HISTORIES", "600"))
SUMS = ("histories", "histories_rocks", "operations", "steps", "acknowledged", "refused", "unknown", "reads", "busy",
        "crashes", "crashes_under_way", "restarts", "jobs", "jobs_failed", "objects_moved", "passes", "violations", "unstable")


class LinearizeTest(unittest.TestCase):
    def test_every_history_is_linearizable(self):
        command = [parts.testing_program("tombolo_linearize", "linearize"), "--engine", "mixed"]
        total = parts.run_parts(command, SEED, HISTORIES, "--histories", SUMS)
        parts.keep_report("linearize", total)
        self.assertEqual(total["failed_seeds"], [])
        self.assertGreaterEqual(total["operations"], 200_000 * HISTORIES // 600)
        self.assertGreaterEqual(total["histories_rocks"], total["histories"] // 20)
        # What makes it worth running has happened, and few were turned away.
        self.assertGreaterEqual(total["crashes"], 2 * total["histories"])
        self.assertGreaterEqual(total["crashes_under_way"], total["histories"])
        self.assertGreaterEqual(total["unknown"], total["histories"])
        self.assertGreaterEqual(total["jobs"], total["histories"])
        self.assertLessEqual(total["jobs_failed"], total["jobs"] // 50)
        self.assertGreaterEqual(total["objects_moved"], total["jobs"] // 4)  # of many the name is there already, or a crash comes
        self.assertLessEqual(total["busy"], total["operations"] // 50)


if __name__ == "__main__":
    suite.main()
