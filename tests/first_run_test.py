#!/usr/bin/env python3
"""The README and the pages of docs/, word for word: the shell blocks of each, run in order in an empty directory.

What runs is what stands between ```sh and ```. ```sh no-run marks a block that needs what only its reader has (an Azure
account, root, systemd); every page keeps them few, and the README has none. A page starts its own server, in a block of
its own or at the end of one: `tombolo serve … &`; a page of docs/ that starts none shows single commands, beside text,
and only its marks are checked. It finds tombolo and azcopy on PATH, and `pictures/`, a folder of
files. Its jobs are stopped at its end.
"""
import os
import pathlib
import re
import subprocess

from harness import suite
from harness.case import TempCase
from harness.process import free_port, need
from harness.tree import make_tree

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Pages that a suite of their own runs, with the clients that they need.
ELSEWHERE = {"clients.md": "clients_page_test.py", "operations.md": "operability_test.py"}
NO_RUN_MAX = 0.5  # of a page's blocks
FENCE = re.compile(r"^```(\S*)[ \t]*([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
STARTS = re.compile(r"^tombolo serve .*&$", re.MULTILINE)
# A person reads on while the server starts.
PAUSE = """for _ in $(seq 600); do [ -s data/admin.url ] && curl -fs "$(cat data/admin.url)/healthz" >/dev/null && break; sleep 0.05; done"""


def blocks_of(page: pathlib.Path) -> tuple[list[str], int]:
    """The blocks to run, and how many are marked not to be."""
    run, left_out = [], 0
    for kind, words, text in FENCE.findall(page.read_text()):
        if kind not in ("sh", "bash", "shell", "console"):
            continue
        if kind != "sh" or words not in ("", "no-run"):
            raise AssertionError(f"{page.name}: a block of shell begins with ```sh or ```sh no-run, not ```{kind} {words}")
        if words:
            left_out += 1
        else:
            run.append(text)
    return run, left_out


class Pages(TempCase):
    def run_page(self, page: pathlib.Path) -> list[str]:
        blocks, left_out = blocks_of(page)
        if not any(STARTS.search(block) for block in blocks):
            return []
        self.assertLessEqual(left_out, NO_RUN_MAX * (len(blocks) + left_out), f"{page.name}: too little of it is run")
        folder = self.folder / page.stem
        folder.mkdir()
        make_tree(folder / "pictures", files=20, size_max=100_000, seed=5)
        script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
        for number, block in enumerate(blocks):
            script += [f"echo '--- block {number + 1}'", block]
            if STARTS.search(block):
                script.append(PAUSE)
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=self.environment(folder),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300)
        self.assertEqual(done.returncode, 0, f"{page.name}\n--- said ---\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        return blocks

    def environment(self, folder: pathlib.Path) -> dict:
        """tombolo and azcopy on PATH; the default ports may be taken on this machine, so others are set from outside."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOMBOLO_", "AZCOPY_", "AZURE"))}
        tools = [str(pathlib.Path(need(name)).resolve().parent) for name in ("TOMBOLO_BIN", "AZCOPY")]
        return dict(kept, HOME=str(folder), PATH=":".join([*tools, os.environ["PATH"]]),
                    TOMBOLO_SERVER_LISTEN=f"127.0.0.1:{free_port()}",
                    TOMBOLO_SERVER_ADMIN_LISTEN=f"127.0.0.1:{free_port()}")

    def test_the_readme(self):
        words = "\n".join(self.run_page(ROOT / "README.md"))
        for wanted in ("tombolo serve", "tombolo account create", "tombolo container create", "tombolo sas", "azcopy copy",
                       "tombolo offload", "tombolo remote test"):
            self.assertIn(wanted, words, f"the README's first run does not show `{wanted}`")
        self.assertEqual(blocks_of(ROOT / "README.md")[1], 0)

    def test_the_commands(self):
        self.assertGreater(len(self.run_page(ROOT / "docs/cli.md")), 10)

    def test_the_other_pages(self):
        pages = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in {*ELSEWHERE, "cli.md"})
        self.assertIn("remotes.md", [page.name for page in pages])
        for page in pages:
            with self.subTest(page.name):
                self.run_page(page)

    def test_pages_with_a_suite_of_their_own_have_one(self):
        for page in (ROOT / "docs").glob("*.md"):
            if page.name in ELSEWHERE:
                self.assertIn(page.name, (ROOT / "tests" / ELSEWHERE[page.name]).read_text())


if __name__ == "__main__":
    suite.main()
