#!/usr/bin/env python3
"""tools/run-tests sums honestly: whatever a suite or ctest does wrong, it counts as a failure, never as nothing."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from harness import suite

RUN_TESTS = pathlib.Path(__file__).resolve().parent.parent / "tools" / "run-tests"
PASSING = "import sys\nprint('noise')\nprint('2 passed, 0 failed, 1 skipped')\n"


class RunTestsTest(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.temp.name)
        (self.root / "tests").mkdir()
        (self.root / "build").mkdir()

    def tearDown(self):
        self.temp.cleanup()

    def suite(self, name: str, text: str):
        (self.root / "tests" / f"{name}_test.py").write_text(text)

    def ctest(self, text: str):
        (self.root / "build" / "CTestTestfile.cmake").write_text(text)

    def run_tests(self, *options: str) -> tuple[int, str]:
        command = [sys.executable, RUN_TESTS, "--tests", self.root / "tests", "--build", self.root / "build", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def assert_closes(self, expected: tuple[int, str], *options: str) -> str:
        status, output = self.run_tests(*options)
        self.assertEqual((status, output.splitlines()[-1]), expected, output)
        return output

    def test_sums_suites_and_ctest(self):
        self.suite("one", PASSING)
        self.suite("two", "print('two: 5 passed, 0 failed')\n")
        self.ctest('add_test(good "true")\n')
        output = self.assert_closes((0, "8 passed, 0 failed, 1 skipped"))
        self.assertRegex(output, r"(?m)^one +2 +0 +1 +\d")
        self.assert_closes((0, "5 passed, 0 failed, 0 skipped"), "--only", "two")
        self.assert_closes((0, "1 passed, 0 failed, 0 skipped"), "--unit")

    def test_executable_run_in_a_folder_is_a_suite(self):
        run = self.root / "tests" / "shell" / "run"
        run.parent.mkdir()
        run.write_text("#!/bin/sh\necho '4 passed, 0 failed, 0 skipped'\n")
        os.chmod(run, 0o755)
        self.assert_closes((0, "4 passed, 0 failed, 0 skipped"), "--only", "shell")

    def test_failures_show_in_status_and_output(self):
        self.suite("bad", "import sys\nprint('the reason')\nprint('1 passed, 2 failed, 0 skipped')\nsys.exit(1)\n")
        output = self.assert_closes((1, "1 passed, 2 failed, 0 skipped"), "--only", "bad")
        self.assertIn("the reason", output)

    def test_a_suite_that_says_nothing_or_lies_has_failed(self):
        for text in ("pass\n", "print('0 passed, 0 failed, 0 skipped')\n", "import os\nos.kill(os.getpid(), 9)\n",
                     "print('1 passed, 0 failed, 0 skipped')\nprint('then something else')\n"):
            self.suite("odd", text)
            self.assert_closes((1, "0 passed, 1 failed, 0 skipped"), "--only", "odd")
        self.suite("odd", PASSING + "sys.exit(3)\n")
        self.assert_closes((1, "2 passed, 1 failed, 1 skipped"), "--only", "odd")

    def test_a_suite_past_its_limit_is_killed_with_its_children(self):
        pid_file = self.root / "pid"
        self.suite("slow", "import pathlib, subprocess\nchild = subprocess.Popen(['sleep', '77'])\n"
                   f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\nchild.wait()\n")
        started = time.monotonic()
        output = self.assert_closes((1, "0 passed, 1 failed, 0 skipped"), "--only", "slow", "--limit-s", "1")
        self.assertLess(time.monotonic() - started, 20)
        self.assertIn("killed after 1 s", output)
        status = pathlib.Path(f"/proc/{pid_file.read_text()}/status")
        self.assertTrue(not status.exists() or "State:\tZ" in status.read_text(), "the child lives on")

    def test_an_unknown_suite_is_an_error(self):
        self.suite("one", PASSING)
        status, output = self.run_tests("--only", "none")
        self.assertEqual(status, 2)
        self.assertIn("no such suite: none", output)

    def test_ctest_cases_fail_skip_and_go_missing(self):
        self.ctest('add_test(good "true")\nadd_test(bad "false")\nadd_test(skip "sh" "-c" "exit 9")\n'
                   "set_tests_properties(skip PROPERTIES SKIP_RETURN_CODE 9)\n")
        self.assert_closes((1, "1 passed, 1 failed, 1 skipped"), "--unit")
        self.ctest('add_test(good "true")\nadd_test(gone "/nowhere/at/all")\n')
        self.assert_closes((1, "1 passed, 1 failed, 0 skipped"), "--unit")
        self.ctest("")
        self.assert_closes((1, "0 passed, 1 failed, 0 skipped"), "--unit")

    def test_labels_leave_cases_out(self):
        self.ctest('add_test(good "true")\nadd_test(bad "false")\n'
                   "set_tests_properties(bad PROPERTIES LABELS unit_rocksdb)\n")
        self.assert_closes((0, "1 passed, 0 failed, 0 skipped"), "--unit", "--exclude", "rocksdb")


if __name__ == "__main__":
    suite.main()
