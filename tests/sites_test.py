#!/usr/bin/env python3
"""Each call of the core to Disk and Remote dies and fails under the model: a table, and all of it is hit.

TOMBOLO_SITES_SECONDS (default 25) for rounds after the first, TOMBOLO_MODEL_SEED (default 1). The table goes to
build/sites.json.
"""
import json
import os
import pathlib
import subprocess
import unittest

import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import suite  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = os.environ.get("TOMBOLO_SITES_SECONDS", "25")
SEED = os.environ.get("TOMBOLO_MODEL_SEED", "1")


class SitesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = pathlib.Path(os.environ["TOMBOLO_BIN"]).parent / "testing" / "model" / "tombolo_model"
        report = ROOT / "build" / "sites.json"
        report.parent.mkdir(exist_ok=True)
        report.unlink(missing_ok=True)
        done = subprocess.run([program, "--sites", "--seconds", SECONDS, "--seed", SEED, "--shrink-runs", "500", "--json",
                               report], capture_output=True, text=True)
        print(done.stdout, done.stderr, flush=True)
        cls.status = done.returncode
        cls.report = json.loads(report.read_text())

    def missed(self, faults):
        """What should have happened and has not, by place."""
        return [f"{row['place']} ({row['function']}): {fault}" for row in self.report["rows"] if not row["spared"]
                for fault in faults(row["step"]) if row["faults"][fault] == 0
                and not (fault == "late" and row["is_last_sync"])]

    def test_every_place_is_in_the_list(self):
        self.assertGreaterEqual(self.report["sites"], 60)
        self.assertEqual(self.report["unlisted"], [])
        self.assertEqual(self.report["spared_gone"], [])
        spared = {(row["place"].split(":")[0], row["function"]) for row in self.report["rows"] if row["spared"]}
        self.assertLessEqual(len(spared), 6, spared)  # functions; all but two belong to fsck --repair

    def test_every_place_is_hit_by_a_crash_and_by_an_error(self):
        self.assertEqual(self.missed(lambda step: ["before", "after"]), [])
        self.assertEqual(self.missed(lambda step: ["kept"] if step == "sync" else ["unavailable"]), [])
        self.assertEqual(self.missed(lambda step: ["no_space"] if step in ("write", "reserve", "create") else []), [])
        self.assertEqual(self.report["crashed"], self.report["sites"])
        self.assertEqual(self.report["failed"], self.report["sites"])

    def test_every_sync_fails_in_each_behaviour(self):
        self.assertGreaterEqual(self.report["syncs"], 7)
        self.assertEqual(self.missed(lambda step: ["kept", "reverted", "late"] if step == "sync" else []), [])
        self.assertEqual(self.report["syncs_failed"], self.report["syncs"])
        # After these nobody syncs the file again, who could be told.
        self.assertLessEqual(sum(row["is_last_sync"] for row in self.report["rows"]), 3)

    def test_nothing_is_lost(self):
        self.assertEqual(self.report["violations"], 0)
        self.assertEqual(self.status, 0)


if __name__ == "__main__":
    suite.main()
