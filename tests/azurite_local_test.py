#!/usr/bin/env python3
"""AzCopy's own TestAzurite_Local, its sources unmodified, against `tombolo serve --dev` in the emulator's place."""
import os
import re
import subprocess
import time

from harness import suite
from harness.case import TempCase
from harness.process import accepts, need
from harness.tombolo import Tombolo

PORT = 10000  # written in AzCopy's tests
PORT_LIMIT_S = 120


class AzuriteLocal(TempCase):
    def test_its_four_scenarios_pass(self):
        deadline = time.monotonic() + PORT_LIMIT_S
        while accepts(PORT):  # another checkout's run of this suite
            self.assertLess(time.monotonic(), deadline, f"port {PORT} is taken: stop what listens there")
            time.sleep(0.5)
        with Tombolo(self.folder / "server", settings={"server.listen": f"127.0.0.1:{PORT}"}):
            done = subprocess.run([need("E2E_TEST"), "-test.run", "^TestAzurite_Local$", "-test.v"],
                                  cwd=need("E2E_TEST_DIR"), env=self.environment(), capture_output=True, text=True,
                                  errors="replace", timeout=400)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said[-6000:])
        passed = set(re.findall(r"^\s*--- PASS: (\S+/\S+/\S+) ", said, re.MULTILINE))
        self.assertEqual(len(passed), 4, f"scenarios that ran and passed: {passed}\n{said[-6000:]}")

    def environment(self) -> dict:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZCOPY_", "AZURE"))}
        return dict(kept, HOME=str(self.folder), AZCOPY_E2E_EXECUTABLE_PATH=need("AZCOPY"),
                    AZCOPY_LOG_LOCATION=str(self.folder / "logs"), AZCOPY_JOB_PLAN_LOCATION=str(self.folder / "plans"))


if __name__ == "__main__":
    suite.main()
