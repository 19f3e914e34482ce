#!/usr/bin/env python3
"""`make soak` counts what it has done, goes on where it ended, and claims nothing across a violation."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import suite  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRESET = pathlib.Path(os.environ["TOMBOLO_BIN"]).resolve().parent.parent.name
HEAD = (ROOT / "tests" / "soak" / "ledger.md").read_text().split("\n| 2", 1)[0].rstrip("\n") + "\n"


class SoakTest(unittest.TestCase):
    def soak(self, ledger: pathlib.Path, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, ROOT / "tools" / "soak", "--ledger", ledger, *options],
                              capture_output=True, text=True, env=dict(os.environ, SOAK_SEED=""))

    def ledger(self, *rows: str) -> pathlib.Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "ledger.md"
        path.write_text(HEAD + "".join(row + "\n" for row in rows))
        return path

    def test_a_run_counts_and_goes_on_where_the_last_one_ended(self):
        ledger = self.ledger("| 2026-01-01 | abc | 60 | 5,000,001 | 1,000 | 62 | 64,000 | 6,300 | 0 | 10 | 1,000 | 9,000 | 0 |")
        done = self.soak(ledger, "--minutes", "0.25", "--preset", PRESET)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = json.loads((ROOT / "build" / "soak.json").read_text())
        self.assertEqual(said["seed"], 5_001_001)
        self.assertEqual(said["violations"], 0)
        self.assertGreater(said["sequences"], 50)
        self.assertGreater(said["kills"], 0)
        totals = json.loads(self.soak(ledger, "--totals").stdout)
        self.assertEqual(totals["sequences"], 1_000 + said["sequences"])
        self.assertEqual(totals["kills"], 10 + said["kills"])

    def test_an_area_that_failed_counts_again_from_there(self):
        rows = ["| 2026-01-01 | abc | 60 | 1 | 1,000 | 62 | 64,000 | 6,300 | 0 | 10 | 1,000 | 9,000 | 0 |",
                "| 2026-01-02 | abc | 60 | 1,001 | 2,000 | 124 | 128,000 | 12,600 | 1 | 20 | 2,000 | 18,000 | 0 |",
                "| 2026-01-03 | abd | 60 | 3,001 | 3,000 | 186 | 192,000 | 18,900 | 0 | 30 | 3,000 | 27,000 | 0 |"]
        totals = json.loads(self.soak(self.ledger(*rows), "--totals").stdout)
        self.assertEqual((totals["sequences"], totals["operations"], totals["kills"]), (3_000, 192_000, 60))

    def test_a_program_that_ends_without_a_report_is_a_violation(self):
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as preset:
            program = pathlib.Path(preset) / "src" / "testing" / "model" / "tombolo_model"
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\nkill -ABRT $$\n")
            program.chmod(0o755)
            ledger = self.ledger("| 2026-01-01 | abc | 60 | 1 | 1,000 | 62 | 64,000 | 6,300 | 0 | 10 | 1,000 | 9,000 | 0 |")
            done = self.soak(ledger, "--minutes", "1", "--parts", "model", "--preset", pathlib.Path(preset).name)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("ended without a report", done.stderr)
        totals = json.loads(self.soak(ledger, "--totals").stdout)
        self.assertEqual((totals["sequences"], totals["kills"]), (0, 10))


if __name__ == "__main__":
    suite.main()
