"""Azurite, the emulator: the other cloud in the tests."""
import pathlib
import re

from .azure import Account
from .process import Program, need

ACCOUNT = "devstoreaccount1"
# Published by Microsoft for every emulator; no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Azurite(Program):
    """Blob service only, data below `folder`, on a port that the kernel chose at the first start and that stays.

    stop() keeps what it holds; kill9() loses its last seconds, a new container for one (observed, 3.35.0, 2026-11-21).
    """

    def __init__(self, folder: pathlib.Path, certificate: tuple[pathlib.Path, pathlib.Path] | None = None):
        """`certificate`: files of a certificate and its key; with them it speaks https."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.certificate = folder, certificate
        self.scheme = "https" if certificate else "http"
        self.port = 0
        super().__init__("azurite", [], folder / "azurite.log")

    def start(self):
        self.command = [need("AZURITE"), "--silent", "--disableTelemetry", "--skipApiVersionCheck",
                        "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.folder)]
        if self.certificate:
            self.command += ["--cert", str(self.certificate[0]), "--key", str(self.certificate[1])]
        written = self.log.stat().st_size if self.log.exists() else 0
        super().start()

        def listening():
            said = self.log.read_bytes()[written:].decode(errors="replace")
            return re.search(rf"listens on {self.scheme}://127\.0\.0\.1:(\d+)", said)

        self.port = int(self.wait_until(listening, "listening line").group(1))
        return self

    @property
    def account(self) -> Account:
        return Account(ACCOUNT, KEY, f"{self.scheme}://127.0.0.1:{self.port}/{ACCOUNT}")
