#!/usr/bin/env python3
"""Random sequences of operations, crashes and faults against the model.

TOMBOLO_MODEL_SEQUENCES (default 20,000; one in sixteen with RocksDB), TOMBOLO_MODEL_SEED (default 1: everybody's run is
the same, and a failure is of the change; long runs take other seeds). The sums go to build/model.json.
"""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import parts, suite  # noqa: E402

SEED = int(os.environ.get("TOMBOLO_MODEL_SEED", "1"))
SEQUENCES = int(os.environ.get("TOMBOLO_MODEL_SEQUENCES", "20000"))
SUMS = ("sequences", "sequences_rocks", "operations", "crashes", "nested_crashes", "three_deep", "deaths_scheduled", "deaths_reached",
        "faults", "acknowledged", "refused", "failed", "unknown", "violations", "unstable")


class ModelSequencesTest(unittest.TestCase):
    def test_no_sequence_breaks_a_promise(self):
        command = [parts.testing_program("tombolo_model", "model"), "--engine", "mixed", "--shrink-runs", "500"]
        total = parts.run_parts(command, SEED, SEQUENCES, "--sequences", SUMS)
        parts.keep_report("model", total)
        self.assertEqual(total["failed_seeds"], [])
        self.assertGreaterEqual(total["sequences"], SEQUENCES)
        self.assertGreaterEqual(total["operations"], 50 * total["sequences"])
        # What makes it worth running has happened; the crash that ends every sequence is not enough.
        self.assertGreaterEqual(total["crashes"], 4 * total["sequences"])
        self.assertGreaterEqual(total["nested_crashes"], total["sequences"])
        self.assertGreaterEqual(total["three_deep"], total["sequences"] // 10)
        self.assertGreaterEqual(total["deaths_reached"], total["deaths_scheduled"] // 2)
        self.assertGreaterEqual(total["faults"], total["sequences"] // 10)
        self.assertGreaterEqual(total["unknown"], total["sequences"] // 2)
        self.assertGreaterEqual(total["sequences_rocks"], SEQUENCES // 20)


if __name__ == "__main__":
    suite.main()
