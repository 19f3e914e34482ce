"""rclone as a person runs it, with the account as the remote `t:` and nothing in the home folder."""
import os
import pathlib
import subprocess

from .azure import Account
from .process import need


class RcloneFailed(Exception):
    pass


class Rclone:
    def __init__(self, folder: pathlib.Path, account: Account | None, sas_url: str = "", config: str = "",
                 env: dict | None = None):
        """`folder` takes its configuration. With `config`, the text of that file, all remotes are that text's. Else it is
        empty, and `t:` is under `sas_url` (of a container) or the key.

        `account` is the emulator's: over plain http rclone takes no other under a key. With account and key it says
        https://ACCOUNT.ENDPOINT (observed, 1.60.1, 2026-11-21).
        """
        file = folder / "rclone.conf"
        file.write_text(config)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RCLONE_", "AZURE"))}
        self.env = dict(kept, HOME=str(folder), RCLONE_CONFIG=str(file), **(env or {}))
        if not config:
            chosen = {"SAS_URL": sas_url} if sas_url else {"USE_EMULATOR": "true", "ENDPOINT": account.endpoint}
            chosen["TYPE"] = "azureblob"
            self.env.update((f"RCLONE_CONFIG_T_{name}", value) for name, value in chosen.items())
        self.binary = need("RCLONE")

    def run(self, *arguments, data: bytes | None = None, limit_s: float = 120) -> bytes:
        """What `rclone ARGUMENTS` printed; `data` is its standard input. RcloneFailed. It tries a command once."""
        command = [self.binary, *map(str, arguments), "--retries=1"]
        done = subprocess.run(command, env=self.env, input=data or b"", capture_output=True, timeout=limit_s)
        if done.returncode != 0:
            raise RcloneFailed(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.decode(errors='replace')}")
        return done.stdout

    def lines(self, *arguments) -> list[str]:
        return self.run(*arguments).decode().splitlines()
