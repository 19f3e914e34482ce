"""One data directory through many kills: start, load, kill -9, restart, and a look at everything."""
import concurrent.futures
import pathlib
import random
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from blob_client import Closed, Connection, CutOff
from harness.process import Program, ProgramEnded
from harness.tombolo import Tombolo
from load import CONTAINER, Admin, Findings, Load, fresh_keys, make_keys
from model import ABSENT, Key, Write, judge, parse_etag
from remote_watch import RemoteWatch

OFFLOAD_PARALLEL = 4
LIFE_S = 1.6  # the kill is spread uniformly over it
KILLED_WHILE_STARTING = 0.1  # of the restarts
PAGE = 37
# Small on purpose: every kind of file fills, is sealed, compacted, flushed and trimmed within a few cycles.
SETTINGS = {
    "data.segment_bytes": "4MiB", "log.file_bytes": "256KiB", "log.flush_bytes": "512KiB", "cache.bytes": "8MiB",
    "tiering.gc_interval_seconds": 0, "tiering.gc_grace_seconds": 0, "tiering.remote_grace_seconds": 0,
    "tiering.compact_dead_percent": 10, "tiering.offload_parallel": OFFLOAD_PARALLEL, "server.log_level": "warn",
}


class Server(Tombolo):
    def __init__(self, folder: pathlib.Path, binary: str, plant: str = ""):
        super().__init__(folder, settings=SETTINGS)
        self.binary = self.command[0] = binary
        if plant:
            self.env["UNSYNCED_PLANT"] = plant


class Cycles:
    """Counts in plain attributes; what goes wrong is in `findings`."""

    def __init__(self, folder: pathlib.Path, binary: str, seed: int, mode: str, plant: str = "", life_s: float = LIFE_S):
        self.mode, self.seed, self.life_s = mode, seed, life_s
        self.server = Server(folder, binary, plant)
        self.remote = folder / "cloud"
        self.remote.mkdir()
        self.watch = RemoteWatch(self.remote)
        self.findings = Findings(quiet=bool(plant))
        self.keys = make_keys()
        self.rng = random.Random(seed)
        self.done = self.acknowledged = self.reads = self.reuploaded_max = self.fscks = 0
        self.offload_at_kill = self.segments_freed = 0
        self.restart_s: list[float] = []
        self.segments: set[str] = set()
        self.failed_restarts = 0

    def set_up(self):
        self.server.start()
        answer = self._connect().request("PUT", CONTAINER, {"restype": "container"})
        assert answer.status == 201, answer
        status, said = Admin(self.server).call("POST", "remotes",
                                               {"name": "cold", "kind": "file", "endpoint": str(self.remote)})
        assert status == 201, said

    def cycle(self) -> bool:
        """Load, kill, restart, check. False: the server does not start any more, or nothing more can be learnt."""
        self.findings.where = f"{self.mode} seed {self.seed} cycle {self.done}"
        # What is gone stays gone: its name is not used again.
        self.keys = [key for key in self.keys if key.born in (None, self.done) or key.known() is not ABSENT]
        self.keys += fresh_keys(self.done)
        load = Load(self.server, self.keys, self.findings, self.rng.randrange(1 << 40), self.done)
        life_s = self.rng.uniform(0, self.life_s)
        load.start()
        time.sleep(life_s)
        if not self.server.alive():
            self.findings.add("restarts", f"the server ended by itself, status {self.server.process.returncode}\n{self.server.tail(20)}")
        self.offload_at_kill += load.offload.running
        load.stopping.set()
        self.server.kill9()
        load.join()
        self.acknowledged += load.acknowledged
        self.reads += load.reads
        self._look_at_files()
        if not self._restart():
            return False
        self.check()
        self.done += 1
        return True

    def _look_at_files(self):
        for part in self.server.data.rglob("*.unsynced"):
            part.unlink()  # of testing/, which was killed while it wrote through
        if again := self.watch.look():
            self.reuploaded_max = max(self.reuploaded_max, len(again))
            if len(again) > OFFLOAD_PARALLEL:
                self.findings.add("reuploads", f"{len(again)} objects were put again: {again[:8]}")
        segments = {path.name for path in (self.server.data / "segments").glob("*")}
        self.segments_freed += len(self.segments - segments)
        self.segments = segments

    def _restart(self) -> bool:
        try:
            if self.rng.random() < KILLED_WHILE_STARTING:
                Program.start(self.server)  # without waiting for it
                time.sleep(self.rng.uniform(0, 0.2))
                self.server.kill9()
            started = time.monotonic()
            self.server.start()
            self.restart_s.append(time.monotonic() - started)
            return True
        except (ProgramEnded, TimeoutError) as error:
            self.failed_restarts += 1
            self.findings.add("restarts", str(error))
            self.server.kill9()
            return False

    def check(self):
        """Everything there is against the model; afterwards each key has one possible state."""
        try:
            listed = self._list()
            names = {key.name for key in self.keys}
            for name in listed.keys() - names:
                self.findings.add("listing", f"lists {name!r}, which nobody wrote")
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                parts = [self.keys[n::4] for n in range(4)]
                for outcome in [pool.submit(self._check_keys, part, listed) for part in parts]:
                    outcome.result()
        except OSError as error:
            self.findings.add("answers", f"while checking: {error!r}\n{self.server.tail(20)}")

    def _check_keys(self, keys: list[Key], listed: dict):
        connection = self._connect()
        for key in keys:
            try:
                answer = connection.request("GET", f"{CONTAINER}/{key.name}")
            except CutOff as error:
                self.findings.add("lost", f"after a restart: GET {key.name}: {error}")
                continue
            self.reads += 1
            if answer.status not in (200, 404):
                # 500 is a server that cannot read what it acknowledged; 503 may be one that is too busy.
                self.findings.add("lost" if answer.status == 500 else "answers",
                                  f"after a restart: GET {key.name}: {answer.status} {answer.code} "
                                  f"{bytes(answer.body[:300])!r}")
                continue
            verdict = judge(key, key.possible, answer)
            etag = parse_etag(answer.headers["etag"]) if answer.status == 200 else 0
            if verdict.kind:
                self.findings.add(verdict.kind, f"after a restart: {verdict.text}")
                continue
            self._check_listed(key, verdict.write, etag, listed.get(key.name))
            if wrong := key.settle(verdict.write, etag):
                self.findings.add("etags", wrong)
        connection.close()

    def _check_listed(self, key: Key, write: Write, etag: int, listed):
        right = None if write.state is ABSENT else (write.state.size, etag, write.state.mark)
        if listed != right:
            self.findings.add("listing", f"{key.name} is listed as {listed} instead of {right}")

    def _list(self) -> dict[str, tuple[int, int, str]]:
        """All pages: name → (size, ETag, mark)."""
        connection, found, marker = self._connect(), {}, ""
        last = ""
        while True:
            query = {"restype": "container", "comp": "list", "maxresults": str(PAGE), "include": "metadata"}
            answer = connection.request("GET", CONTAINER, query | ({"marker": marker} if marker else {}))
            if answer.status != 200:
                raise Closed(f"listing: {answer.status} {answer.code}")
            page = ElementTree.fromstring(bytes(answer.body))
            for blob in page.iter("Blob"):
                name = blob.findtext("Name")
                if name.encode() <= last.encode():
                    self.findings.add("listing", f"{name!r} is listed after {last!r}")
                last = name
                found[name] = (int(blob.findtext("Properties/Content-Length")),
                               parse_etag(blob.findtext("Properties/Etag")), blob.findtext("Metadata/m", ""))
            marker = page.findtext("NextMarker", "")
            if not marker:
                connection.close()
                return found

    def fsck_live(self):
        self.fscks += 1
        status, report = Admin(self.server).call("POST", "fsck", {"depth": "all"})
        if status != 200 or report["findings_total"]:
            self.findings.add("fsck", f"live: {status} {report}")

    def finish(self):
        """A graceful stop, fsck of the stopped directory, and one more start."""
        self.findings.where = f"{self.mode} seed {self.seed} at the end"
        self.fsck_live()
        if status := self.server.stop():
            self.findings.add("restarts", f"a graceful stop ended with status {status}\n{self.server.tail(20)}")
        command = [self.server.binary, "--json", "fsck", "--depth", "all", "--data", str(self.server.data)]
        done = subprocess.run(command, env=self.server.env, capture_output=True, text=True, timeout=300)
        self.fscks += 1
        if done.returncode:
            self.findings.add("fsck", f"stopped: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        if self._restart():
            self.check()
            self.server.stop()

    def _connect(self) -> Connection:
        account = self.server.account
        return Connection(self.server.port, account.name, account.key)
