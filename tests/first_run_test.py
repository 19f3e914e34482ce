#!/usr/bin/env python3
"""The README's first run by hand, word for word: its blocks of shell, run in order in an empty directory."""
import os
import pathlib
import re
import subprocess

from harness import suite
from harness.case import TempCase
from harness.process import free_port, need
from harness.tree import make_tree

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
HEADING = "A first run by hand"
# A person reads on while the server starts.
PAUSE = "for _ in $(seq 600); do [ -s data/admin.url ] && break; sleep 0.05; done"


class FirstRun(TempCase):
    def test_it_works_as_written(self):
        blocks = self.blocks()
        words = "\n".join(blocks)
        for wanted in ("tombolo serve", "tombolo account create", "tombolo container create", "tombolo sas", "azcopy copy",
                       "tombolo offload"):
            self.assertIn(wanted, words, f"the README's first run does not show `{wanted}`")
        make_tree(self.folder / "pictures", files=20, size_max=100_000, seed=5)
        script = ["set -euo pipefail", "trap 'kill %1; wait %1' EXIT", blocks[0], PAUSE, *blocks[1:],
                  "trap - EXIT; kill %1; wait %1"]
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.folder, env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300)
        self.assertEqual(done.returncode, 0, f"{words}\n--- said ---\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")

    def blocks(self) -> list[str]:
        """What stands between ```sh and ``` below the heading."""
        section = re.search(rf"^##+ {HEADING}$(.*?)(?=^##? |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
        self.assertIsNotNone(section, f"the README has no section \"{HEADING}\"")
        blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", section.group(1), re.MULTILINE | re.DOTALL)
        self.assertTrue(blocks, f"the section \"{HEADING}\" of the README has no block of shell")
        return blocks

    def environment(self) -> dict:
        """tombolo and azcopy on PATH; the default ports may be taken on this machine, so others are set from outside."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOMBOLO_", "AZCOPY_", "AZURE"))}
        tools = [str(pathlib.Path(need(name)).resolve().parent) for name in ("TOMBOLO_BIN", "AZCOPY")]
        return dict(kept, HOME=str(self.folder), PATH=":".join([*tools, os.environ["PATH"]]),
                    TOMBOLO_SERVER_LISTEN=f"127.0.0.1:{free_port()}",
                    TOMBOLO_SERVER_ADMIN_LISTEN=f"127.0.0.1:{free_port()}")


if __name__ == "__main__":
    suite.main()
