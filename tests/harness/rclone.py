"""rclone as a person runs it, with the account as the remote `t:` and nothing in the home folder."""
import os
import pathlib
import subprocess

from .azure import Account
from .process import need


class RcloneFailed(Exception):
    pass


class Rclone:
    def __init__(self, folder: pathlib.Path, account: Account, sas_url: str = ""):
        """`folder` takes its configuration, empty. With `sas_url` (of a container), `t:` is under that, else under the key.

        `account` is the emulator's: over plain http rclone takes no other under a key. With account and key it says
        https://ACCOUNT.ENDPOINT (observed, 1.60.1, 2026-11-21).
        """
        config = folder / "rclone.conf"
        config.touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RCLONE_", "AZURE"))}
        chosen = {"SAS_URL": sas_url} if sas_url else {"USE_EMULATOR": "true", "ENDPOINT": account.endpoint}
        self.env = dict(kept, HOME=str(folder), RCLONE_CONFIG=str(config), RCLONE_CONFIG_T_TYPE="azureblob",
                        **{f"RCLONE_CONFIG_T_{name}": value for name, value in chosen.items()})
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
