"""Every row of the benchmark runs and writes what it promises, with tiny counts. Figures are not looked at."""
import json
import os
import pathlib
import subprocess
import sys

from harness import suite
from harness.case import TempCase

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIELDS = {"id": str, "ratio": float, "low": float, "high": float, "goal": float, "peer": str}


class BenchSmokeTest(TempCase):
    def run_rows(self, rows: str, *options) -> list[dict]:
        out = self.folder / "bench.json"
        build = pathlib.Path(os.environ["TOMBOLO_BIN"]).parent.parent
        command = [sys.executable, ROOT / "bench/run", "--smoke", "--rows", rows, "--build", build, "--out", out, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(out.read_text())

    def check(self, found: list[dict], ids: list[str]):
        self.assertEqual([row["id"] for row in found], ids)
        for row in found:
            for field, kind in FIELDS.items():
                self.assertIsInstance(row[field], kind, f"{field} of {row}")
            self.assertLessEqual(row["low"], row["ratio"])
            self.assertLessEqual(row["ratio"], row["high"])
            self.assertGreater(row["low"], 0)

    def test_writes_and_listings(self):
        rows = "put_4k,put_4k_log,put_64m,list_1m"
        self.check(self.run_rows(rows), rows.split(","))

    # azcopy_1g differs in its counts only.
    def test_azcopy(self):
        ids = ["azcopy_small_up", "azcopy_small_up_cpu", "azcopy_small_down", "azcopy_small_down_cpu"]
        self.check(self.run_rows("azcopy_small"), ids)

    # nginx is set up by `make bench` only, so the reads have the same build as their peer here.
    def test_reads_against_another_build(self):
        found = self.run_rows("get_4k,get_1m", "--base", os.environ["TOMBOLO_BIN"])
        self.check(found, ["get_4k", "get_1m"])
        self.assertEqual({row["peer"] for row in found}, {"tombolo at BASE"})

    def test_an_unknown_row_is_refused(self):
        done = subprocess.run([sys.executable, ROOT / "bench/run", "--rows", "get_5k"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no such row: get_5k", done.stderr)


if __name__ == "__main__":
    suite.main()
