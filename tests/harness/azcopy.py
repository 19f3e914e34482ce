"""AzCopy as a person runs it, with its logs and plans kept out of the home folder."""
import dataclasses
import json
import os
import pathlib
import subprocess

from .process import need


@dataclasses.dataclass
class Ran:
    status: int
    output: str  # what it printed, one JSON message a line
    summary: dict  # the last message of a job: TransfersCompleted, TransfersFailed, ...; empty for commands without
    logs: str  # the end of its log, filled when it failed

    def messages(self, kind: str) -> list[str]:
        """The contents of messages of one type: Info, Error, ListObject, ..."""
        found = []
        for line in self.output.splitlines():
            if line.startswith("{"):
                message = json.loads(line)
                if message.get("MessageType") == kind:
                    found.append(message["MessageContent"])
        return found


class AzCopyFailed(Exception):
    pass


class AzCopy:
    def __init__(self, folder: pathlib.Path, env: dict | None = None):
        """`folder` takes its logs and plans; `env` is added to its environment."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZCOPY", "AZURE"))}
        self.env = dict(kept, HOME=str(folder), AZCOPY_LOG_LOCATION=str(folder / "logs"),
                        AZCOPY_JOB_PLAN_LOCATION=str(folder / "plans"), AZCOPY_DISABLE_SYSLOG="true", **(env or {}))

    def run(self, *arguments, check: bool = True, limit_s: float = 600) -> Ran:
        """Runs it to its end. With `check`, raises AzCopyFailed on a status other than 0, its log in the message."""
        command = [need("AZCOPY"), *(str(a) for a in arguments), "--output-type=json", "--skip-version-check"]
        # An input that has ended AzCopy reads again and again (10.32.7), which takes half a core from its work.
        silent, held_open = os.pipe()
        try:
            done = subprocess.run(command, env=self.env, stdin=silent, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit_s)
        finally:
            os.close(silent)
            os.close(held_open)
        ran = Ran(done.returncode, done.stdout, {}, "")
        if (ends := ran.messages("EndOfJob")) and ends[-1].startswith("{"):  # `list` ends with an empty one
            ran.summary = json.loads(ends[-1])
        if ran.status != 0:
            ran.logs = self._newest_log()
            if check:
                raise AzCopyFailed(f"azcopy {' '.join(str(a) for a in arguments)}: status {ran.status}\n"
                                   f"{done.stdout[-4000:]}\n{ran.logs}")
        return ran

    def copy(self, source, target, *options, **keywords) -> Ran:
        """`azcopy copy`; which side is local is told from the addresses."""
        return self.run("copy", source, target, f"--from-to={_from_to(source, target)}", *options, **keywords)

    def sync(self, source, target, *options, **keywords) -> Ran:
        return self.run("sync", source, target, f"--from-to={_from_to(source, target)}", *options, **keywords)

    def remove(self, target, *options, **keywords) -> Ran:
        return self.run("remove", target, "--from-to=BlobTrash", *options, **keywords)

    def list(self, target, *options, **keywords) -> list[str]:
        """The listed paths, in AzCopy's order."""
        ran = self.run("list", target, "--location=Blob", *options, **keywords)
        return [json.loads(text)["Path"] for text in ran.messages("ListObject")]

    def _newest_log(self) -> str:
        logs = sorted((self.folder / "logs").glob("*.log"), key=lambda path: path.stat().st_mtime)
        return "\n".join(logs[-1].read_text(errors="replace").splitlines()[-40:]) if logs else ""


def _from_to(source, target) -> str:
    def side(address) -> str:
        return "Blob" if str(address).startswith(("http://", "https://")) else "Local"
    return side(source) + side(target)
