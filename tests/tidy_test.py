#!/usr/bin/env python3
"""tools/tidy finds what it says it finds: each rule with a planted violation, and with its nearest innocent neighbour."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

from harness import suite

TIDY = pathlib.Path(__file__).resolve().parent.parent / "tools" / "tidy"
FLOORS = """\
0 base
2 async
3 disk http
4 kv auth remote
5 meta
8 protocol
9 server
10 main.cc
* testing
within meta: model keys ops
"""


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.temp.name)
        self.write("src/FLOORS", FLOORS)
        self.write(".clang-format", "BasedOnStyle: Google\n")

    def tearDown(self):
        self.temp.cleanup()

    def write(self, path: str, text: str):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def tidy(self, *options: str):
        return subprocess.run([sys.executable, TIDY, "--root", self.root, *options], capture_output=True, text=True)

    def rules(self, path: str, text: str, *options: str) -> list[str]:
        """The `line:rule` of every problem that tidy names when `path` holds `text`."""
        self.write(path, text)
        done = self.tidy(*(options or ("--no-format",)))
        lines = [line for line in done.stdout.splitlines() if line.startswith(path + ":") and "warning:" not in line]
        found = [line.split(":")[1] + ":" + line.split("[")[1].split("]")[0] for line in lines]
        self.assertEqual(done.returncode, 1 if found else 0, done.stdout + done.stderr)
        (self.root / path).unlink()
        return found

    def assert_finds(self, rule: str, path: str, text: str):
        self.assertEqual(self.rules(path, text), [rule], f"{path}: {text!r}")

    def assert_clean(self, path: str, text: str):
        self.assertEqual(self.rules(path, text), [], f"{path}: {text!r}")

    def test_includes_point_down(self):
        self.assert_clean("src/kv/a.cc", '#include "kv/a.h"\n#include "base/b.h"\n#include <vector>\n')
        self.assert_finds("2:floors", "src/base/a.cc", '#include "base/a.h"\n#include "kv/kv.h"\n')
        self.assert_finds("1:floors", "src/kv/a.cc", '#include "auth/key.h"\n')
        self.assert_finds("1:floors", "src/kv/a.cc", "#include <auth/key.h>\n")
        self.assert_finds("1:floors", "src/kv/a.cc", '#include "nowhere/x.h"\n')
        self.assert_finds("1:floors", "src/kv/a.cc", '#include "kv.h"\n')
        self.assert_clean("src/main.cc", '#include "server/server.h"\n')
        self.assert_clean("src/base/a.cc", '// #include "kv/kv.h"\n/* \n#include "kv/kv.h"\n*/\n')

    def test_nested_folders_are_siblings_unless_ordered(self):
        self.assert_finds("1:floors", "src/protocol/azure_blob/a.cc", '#include "protocol/s3/b.h"\n')
        self.assert_clean("src/protocol/azure_blob/a.cc", '#include "protocol/dialect.h"\n#include "kv/kv.h"\n')
        self.assert_clean("src/kv/rocks/a.cc", '#include "kv/kv.h"\n#include "kv/rocks/a.h"\n')
        self.assert_finds("1:floors", "src/kv/a.cc", '#include "kv/rocks/a.h"\n')
        self.assert_clean("src/meta/ops/a.cc", '#include "meta/model/b.h"\n#include "meta/keys/b.h"\n')
        self.assert_finds("1:floors", "src/meta/model/a.cc", '#include "meta/ops/b.h"\n')

    def test_tests_include_anything_and_only_tests_include_testing(self):
        self.assert_clean("src/base/a_test.cc", '#include "server/server.h"\n#include "testing/sim_disk.h"\n')
        self.assert_clean("src/testing/sim.h", '#pragma once\n#include "server/server.h"\n')
        self.assert_finds("1:floors", "src/server/a.cc", '#include "testing/sim_disk.h"\n')

    def test_raw_calls_have_one_place(self):
        cases = [
            ("raw-clock", "auto t = std::chrono::steady_clock::now();", "src/base/clock.cc"),
            ("raw-clock", "auto t = ::time(nullptr);", "src/server/a.cc"),
            ("raw-clock", "clock_gettime(CLOCK_REALTIME, &ts);", "src/base/clock.cc"),
            ("raw-sleep", "std::this_thread::sleep_for(1s);", "src/async/a.cc"),
            ("raw-thread", "std::thread t(f);", "src/async/workers.cc"),
            ("raw-thread", "std::jthread t(f);", "src/server/a.cc"),
            ("raw-file", "int fd = ::open(p, 0);", "src/disk/posix/a.cc"),
            ("raw-file", "std::ofstream out(p);", "src/remote/file/a.cc"),
            ("raw-file", 'FILE* f = fopen("a", "r");', "src/server/a.cc"),
            ("raw-sync", "::fdatasync(fd);", "src/disk/posix/a.cc"),
            ("raw-random", "std::random_device d;", "src/base/random.cc"),
            ("raw-random", "int r = rand();", "src/base/random.cc"),
        ]
        for rule, code, place in cases:
            self.assert_finds(f"2:{rule}", "src/meta/a.cc", f"void f() {{\n  {code}\n}}\n")
            self.assert_clean(place, f"void f() {{\n  {code}\n}}\n")
        self.assert_clean("src/meta/a_test.cc", "std::thread t(f);\n")
        self.assert_finds("1:raw-random", "src/meta/a_test.cc", "std::random_device d;\n")

    def test_some_calls_have_no_place(self):
        self.assert_finds("1:raw-spawn", "src/async/a.cc", "co_spawn(e, f(), boost::asio::detached);\n")
        self.assert_finds("1:raw-asio", "src/async/a_test.cc", "#include <boost/asio.hpp>\n")
        self.assert_finds("1:raw-beast", "src/http/a.cc", "#include <boost/beast/http.hpp>\n")

    def test_innocent_neighbours_of_raw_calls(self):
        for code in ("disk.open(path);", "CO_TRY(sleep_for(delay));", "File::open(path);", "file->fsync_count();", "int operand(int);", "a.time();",
                     "Stamp::time(x);", "auto n = std::thread::hardware_concurrency();", "std::this_thread::get_id();",
                     "// std::thread is what we avoid", 'log("std::thread");', "int x = 1'000'000; // rand()",
                     'auto s = R"(std::random_device ")";'):
            self.assert_clean("src/meta/a.cc", code + "\n")

    def test_an_exception_needs_a_reason_and_a_use(self):
        call = "auto t = std::chrono::steady_clock::now();"
        comment = "// tidy: allow raw-clock"
        self.assert_clean("src/meta/a.cc", f"{comment}: the library wants one\n{call}\n")
        self.assert_clean("src/meta/a.cc", f"{call}  {comment}: the library wants one\n")
        self.assert_finds("1:allow", "src/meta/a.cc", f"{comment}\n{call}\n")
        self.assert_finds("1:allow", "src/meta/a.cc", f"{comment}: the library wants one\n")
        self.assertEqual(self.rules("src/meta/a.cc", f"// tidy: allow raw-file: a wrong rule\n{call}\n"),
                         ["1:allow", "2:raw-clock"])

    def test_files_have_a_length_a_guard_and_a_readme(self):
        self.assert_clean("src/kv/a.cc", "int x;\n" * 600)
        self.assert_finds("601:file-length", "src/kv/a.cc", "int x;\n" * 601)
        self.assert_finds("601:file-length", "tests/a.py", "x = 1\n" * 601)
        self.assert_finds("1:pragma-once", "src/kv/a.h", "int x;\n")
        self.assert_clean("src/kv/a.h", "// Why.\n#pragma once\nint x;\n")
        self.write("src/kv/CMakeLists.txt", "\n")
        done = self.tidy("--no-format")
        self.assertIn("src/kv/README.md:1: [readme]", done.stdout)
        self.write("src/kv/README.md", "# kv\n")
        self.assertEqual(self.tidy("--no-format").returncode, 0)

    def test_words_that_do_not_belong(self):
        self.assert_finds("2:unfinished", "src/kv/a.cc", "int x;\n// TO" + "DO: more\n")
        self.assert_clean("docs/a.md", "Nothing of the todo kind.\n")
        self.assert_finds("1:host", "tools/b.sh", "pip install --index-url ht" + "tps://example/simple x\n")
        self.assert_finds("1:host", "tools/b.sh", "curl regis" + "try.example.org/x\n")

    def test_format_is_clang_formats(self):
        self.assertEqual(self.rules("src/kv/a.cc", "int x;\nint   y;\n", "--root", str(self.root)), ["2:format"])
        self.write("src/kv/a.cc", "int   y;\n")
        self.assertEqual(self.tidy("--fix-format").returncode, 0)
        self.assertEqual((self.root / "src/kv/a.cc").read_text(), "int y;\n")
        self.assertEqual(self.tidy().returncode, 0)


if __name__ == "__main__":
    suite.main()
