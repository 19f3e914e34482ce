"""The fuzzers build with Clang and, from the seeds of the tree, find nothing in a few seconds each (tests/fuzz/README.md)."""
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import suite

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
SEEDS_BYTES_MAX = 1 << 20


class FuzzTest(unittest.TestCase):
    def fuzz(self, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, ROOT / "tools" / "fuzz", *options], capture_output=True, text=True)

    @unittest.skipUnless(shutil.which("clang++-19"), "needs clang-19: tools/setup --fuzz")
    def test_every_target_runs_and_finds_nothing(self):
        done = self.fuzz("--smoke")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = json.loads((ROOT / "build" / "fuzz.json").read_text())["targets"]
        self.assertEqual([row["target"] for row in rows], sorted(path.name for path in CORPUS.iterdir()))
        for row in rows:
            self.assertGreater(row["executions"], 100, row)
            self.assertGreater(row["edges"], 20, row)

    def test_every_target_has_seeds_and_every_seed_a_target(self):
        declared = set()
        for path in (ROOT / "src").rglob("CMakeLists.txt"):
            declared |= {line.split("(")[1].split()[0] for line in path.read_text().splitlines()
                         if line.startswith("tombolo_fuzz(")}
        self.assertEqual(declared, {path.name for path in CORPUS.iterdir()})
        files = [path for path in CORPUS.rglob("*") if path.is_file()]
        self.assertLess(sum(path.stat().st_size for path in files), SEEDS_BYTES_MAX)

    def test_a_target_that_is_not_there_is_named(self):
        done = self.fuzz("--targets", "no_such")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no such fuzz target: no_such", done.stderr)


if __name__ == "__main__":
    suite.main()
