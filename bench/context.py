"""What every row of the benchmark gets: how much to do, where to work, which programs to run."""
import dataclasses
import pathlib

import flame
from measure import LOAD_CPU, Leg, run_json, timed
from servers import PinnedAzurite, PinnedTombolo
from signed import RequestFile, Signer


@dataclasses.dataclass
class Context:
    folder: pathlib.Path  # of this row alone, empty
    build: pathlib.Path  # with bench/ and src/tombolo
    rounds: int  # quiet ones, wanted
    rounds_max: int
    seconds: float  # of a leg
    scale: float  # 1, or less for a quick look: counts are multiplied with it
    base: str | None  # another tombolo that takes the peer's place
    flames: pathlib.Path | None = None  # where flame graphs go

    @property
    def smoke(self) -> bool:
        """Only whether it runs is asked."""
        return self.scale < 0.05

    def scaled(self, count: int, least: int = 1) -> int:
        return max(least, int(count * self.scale))

    def program(self, name: str) -> pathlib.Path:
        return self.build / "bench" / name

    def tombolo(self, name: str = "tombolo", binary: str | None = None) -> PinnedTombolo:
        return PinnedTombolo(self.folder / name, binary)

    def peer(self, other):
        """`other()`, or the tombolo of BASE=; its name for the table."""
        if self.base:
            return self.tombolo("base", self.base), "tombolo at BASE"
        return other(), None

    def azurite(self, name: str = "azurite") -> PinnedAzurite:
        return PinnedAzurite(self.folder / name)

    def http_load(self, port: int, requests: pathlib.Path, *options) -> dict:
        return run_json([self.program("http_load"), "--port", port, "--requests", requests, *options], LOAD_CPU)


def make_container(context: Context, account, port: int, name: str):
    """Makes a container through http_load itself, which checks the answer."""
    path = context.folder / f"container-{port}-{name}.requests"
    with RequestFile(path) as requests:
        requests.add(Signer(account).head("PUT", f"/{name}", {"restype": "container"}), 201)
    context.http_load(port, path, "--count", 1)


class Sender:
    """Sends a file of requests leg by leg, going on where the last leg ended."""

    def __init__(self, context: Context, server, requests: pathlib.Path, *options):
        self.context, self.server, self.requests, self.options = context, server, requests, options
        self.next = 0

    def leg(self, *how_much) -> Leg:
        def work():
            said = self.context.http_load(self.server.port, self.requests, "--start", self.next, *self.options, *how_much)
            self.next = said["next"]
            return said
        return timed(self.server.process.pid, work)

    def draw_flame(self, name: str):
        """One more leg, sampled, where flame graphs were asked for."""
        if not self.context.flames:
            return
        data = self.context.folder / "perf.data"
        seconds = 5 * self.context.seconds
        sampling = flame.record(self.server.process.pid, seconds, data)
        self.leg("--seconds", seconds)
        sampling.wait()
        self.context.flames.mkdir(parents=True, exist_ok=True)
        flame.draw(flame.fold(data), f"tombolo serving {name}", self.context.flames / f"{name}.svg")
