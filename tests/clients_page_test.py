#!/usr/bin/env python3
"""docs/clients.md word for word: its commands for the Azure CLI and rclone, its Python and its JavaScript."""
import os
import pathlib
import re
import subprocess

from harness import suite, tree
from harness.case import ServerCase
from harness.process import need

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "clients.md"


class ClientsPage(ServerCase):
    def test_it_works_as_written(self):
        self.server.cli("account", "create", "mystore")
        tree.make_tree(self.folder / "pictures", files=20, size_max=100_000, seed=9)
        (self.folder / "back-az").mkdir()
        (self.folder / "node_modules").symlink_to(need("JS_SDK"))
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        # tls_test runs the ini: it wants a server with a certificate.
        self.assertEqual([kind for kind, _ in blocks], ["sh", "sh", "ini", "sh", "python", "js"])
        script = ["set -euo pipefail"]
        for number, (kind, text) in enumerate(block for block in blocks if block[0] != "ini"):
            if kind == "sh":
                script.append(text)
            else:
                name = f"{number}.{'py' if kind == 'python' else 'mjs'}"
                (self.folder / name).write_text(text)
                script.append(f"{'python' if kind == 'python' else 'node'} {name}")
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.folder, env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300)
        self.assertEqual(done.returncode, 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
        self.assertEqual(tree.differences(self.folder / "pictures", self.folder / "back-az"), [])
        self.assertIn("'from-python'", done.stdout)
        self.assertIn("5000000", done.stdout)

    def environment(self) -> dict:
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("TOMBOLO_", "AZURE", "RCLONE_", "PYTHONPATH"))}
        tools = [str(pathlib.Path(need(name)).parent) for name in ("TOMBOLO_BIN", "TOMBOLO_PYTHON", "AZ_CLI", "RCLONE")]
        return dict(kept, HOME=str(self.folder), PATH=":".join([*tools, os.environ["PATH"]]),
                    TOMBOLO_DATA=str(self.server.data), AZURE_CONFIG_DIR=str(self.folder / "az"),
                    AZURE_CORE_COLLECT_TELEMETRY="no", RCLONE_CONFIG=str(self.folder / "rclone.conf"))


if __name__ == "__main__":
    suite.main()
