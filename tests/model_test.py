#!/usr/bin/env python3
"""Random sequences of operations, crashes and faults against the model.

TOMBOLO_MODEL_SEQUENCES (default 20,000; one in sixteen with RocksDB), TOMBOLO_MODEL_SEED (default 1: everybody's run is
the same, and a failure is of the change; long runs take other seeds). The sums go to build/model.json.
"""
import concurrent.futures
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
SEED = int(os.environ.get("TOMBOLO_MODEL_SEED", "1"))
SEQUENCES = int(os.environ.get("TOMBOLO_MODEL_SEQUENCES", "20000"))
SUMS = ("sequences", "sequences_rocks", "operations", "crashes", "nested_crashes", "deaths_scheduled", "deaths_reached",
        "faults", "acknowledged", "refused", "failed", "unknown", "violations", "unstable")


def run_part(program: pathlib.Path, folder: pathlib.Path, seed: int, sequences: int) -> dict:
    report = folder / f"{seed}.json"
    done = subprocess.run([program, "--engine", "mixed", "--seed", str(seed), "--sequences", str(sequences),
                           "--shrink-runs", "500", "--json", report], capture_output=True, text=True)
    print(done.stdout, done.stderr, flush=True)
    if not report.exists():
        raise AssertionError(f"tombolo_model ended with status {done.returncode} and no report (seeds from {seed} on)")
    return json.loads(report.read_text())


class ModelSequencesTest(unittest.TestCase):
    def test_no_sequence_breaks_a_promise(self):
        program = pathlib.Path(os.environ["TOMBOLO_BIN"]).parent / "testing" / "model" / "tombolo_model"
        parts = os.cpu_count() or 1
        each = -(-SEQUENCES // parts)
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(parts) as pool:
            futures = [pool.submit(run_part, program, pathlib.Path(folder), SEED + n * each, each) for n in range(parts)]
            reports = [future.result() for future in futures]
        total = {name: sum(report[name] for report in reports) for name in SUMS}
        total |= {"seed": SEED, "failed_seeds": [failed for report in reports for failed in report["failed_seeds"]],
                  "seconds": max(report["seconds"] for report in reports)}
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "model.json").write_text(json.dumps(total, indent=1) + "\n")
        print(json.dumps(total), flush=True)
        self.assertEqual(total["failed_seeds"], [])
        self.assertGreaterEqual(total["sequences"], SEQUENCES)
        self.assertGreaterEqual(total["operations"], 50 * total["sequences"])
        self.assertGreaterEqual(total["crashes"], total["sequences"])
        self.assertGreaterEqual(total["sequences_rocks"], SEQUENCES // 20)


if __name__ == "__main__":
    suite.main()
