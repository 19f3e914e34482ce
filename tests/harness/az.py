"""The Azure CLI as a person runs it, its settings kept out of the home folder and its telemetry off."""
import json
import os
import pathlib
import subprocess

from .azure import Account
from .process import need


class AzFailed(Exception):
    def __init__(self, command: list[str], status: int, output: str):
        super().__init__(f"az {' '.join(command)}: status {status}\n{output}")
        self.output = output


class Az:
    def __init__(self, folder: pathlib.Path, account: Account):
        """`folder` takes its configuration. It knows the account by its connection string."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE")}
        # A PYTHONPATH is for the suites' Python, not for the CLI's.
        kept.pop("PYTHONPATH", None)
        self.env = dict(kept, HOME=str(folder), AZURE_CONFIG_DIR=str(folder), AZURE_CORE_COLLECT_TELEMETRY="no",
                        AZURE_CORE_NO_COLOR="yes", AZURE_CORE_DISABLE_PROGRESS_BAR="yes",
                        AZURE_STORAGE_CONNECTION_STRING=account.connection_string)
        self.binary = need("AZ_CLI")

    def storage(self, *arguments, env: dict | None = None, limit_s: float = 120):
        """`az storage ARGUMENTS`; what it printed, parsed. AzFailed."""
        command = ["storage", *map(str, arguments)]
        done = subprocess.run([self.binary, *command, "--output", "json"], env={**self.env, **(env or {})},
                              capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise AzFailed(command, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None
