"""A tombolo server of this build, on loopback ports of its own, and its command line."""
import json
import os
import pathlib
import subprocess

from .azure import Account
from .azurite import ACCOUNT, KEY
from .process import Program, free_port, http_get, need


class Tombolo(Program):
    """`tombolo serve` on a data directory. Ready when /healthz says 200; ports stay over restarts."""

    def __init__(self, folder: pathlib.Path, dev: bool = True, settings: dict | None = None):
        """`folder` takes data and log. `settings` by their keys in the table of settings, e.g. {"cache.bytes": "8MiB"}."""
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.port, self.admin_port = free_port(), free_port()
        chosen = {"server.data": self.data, "server.listen": f"127.0.0.1:{self.port}",
                  "server.admin_listen": f"127.0.0.1:{self.admin_port}", **(settings or {})}
        # The tools' own TOMBOLO_ variables are no settings of the server.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
        env.update(("TOMBOLO_" + key.upper().replace(".", "_"), str(value)) for key, value in chosen.items())
        self.binary = need("TOMBOLO_BIN")
        command = [self.binary, "serve", "--data", self.data] + (["--dev"] if dev else [])
        super().__init__("tombolo", command, folder / "tombolo.log", env)

    def start(self):
        super().start()
        self.wait_until(lambda: http_get(self.admin_port, "/healthz")[0] == 200, "answer on /healthz")
        return self

    def add_azure_remote(self, name: str, account: Account, bucket: str, endpoint: str = "", prefix: str = ""):
        """`tombolo remote add` of a container of that account; `endpoint` when a proxy stands before it."""
        more = ["--prefix", prefix] if prefix else []
        self.cli("remote", "add", name, "--kind", "azure", "--endpoint", endpoint or account.endpoint, "--bucket",
                 bucket, "--remote-account", account.name, *more, env={**self.env, "TOMBOLO_REMOTE_KEY": account.key})

    @property
    def account(self) -> Account:
        """The emulator's well-known account, which --dev makes."""
        return Account(ACCOUNT, KEY, f"http://127.0.0.1:{self.port}/{ACCOUNT}")

    def cli(self, *arguments, limit_s: float = 600, env: dict | None = None):
        """Runs `tombolo --json ARGUMENTS` against this server and returns what it printed, parsed."""
        command = [self.binary, "--data", str(self.data), "--json", *(str(a) for a in arguments)]
        done = subprocess.run(command, env=env or self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=limit_s)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def disk_bytes(self) -> int:
        """What its data directory occupies in the file system: segments, commit log and index."""
        used = 0
        for path in self.data.rglob("*"):
            try:
                used += path.stat().st_blocks * 512
            except FileNotFoundError:
                pass  # freed while we looked
        return used
