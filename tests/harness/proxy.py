"""The lying, counting proxy as a program of a suite: what passes between a client and a store, and trouble on the way."""
import json
import pathlib
import re
import sys
import urllib.request

from .lying_proxy import LIES
from .process import Program


class LyingProxy(Program):
    """Before 127.0.0.1:`upstream_port`; clients use `port`. Lies and faults: lying_proxy.py.

        with LyingProxy(azurite.port, folder) as proxy:
            proxy.set_faults([{"method": "PUT", "do": "status_after", "status": 500, "times": 1}])
            proxy.lie("stalled", operation="get")
            ...
            assert proxy.counts()["by_method"].get("GET", 0) == 0
    """

    def __init__(self, upstream_port: int, folder: pathlib.Path, seed: int = 1):
        program = pathlib.Path(__file__).with_name("lying_proxy.py")
        self.port = self.control_port = 0
        self.fixed = [sys.executable, str(program), "--upstream", f"127.0.0.1:{upstream_port}", "--seed", str(seed)]
        super().__init__("lying proxy", self.fixed, folder / "lying_proxy.log")

    def start(self):
        """A restart keeps the ports; counts and faults begin anew."""
        self.command = self.fixed + ["--port", str(self.port), "--control-port", str(self.control_port)]
        written = self.log.stat().st_size if self.log.exists() else 0
        super().start()

        def listening():
            said = self.log.read_bytes()[written:].decode(errors="replace")
            return re.search(r"proxy on 127\.0\.0\.1:(\d+), control on 127\.0\.0\.1:(\d+)", said)

        self.port, self.control_port = map(int, self.wait_until(listening, "listening line").groups())
        return self

    def _ask(self, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control_port}{path}", data=data, timeout=30) as answer:
            return json.load(answer)

    def counts(self) -> dict:
        """requests, by_method, by_operation, by_status, bytes_up, bytes_down, connections; since the start or reset()."""
        return self._ask("/counts")

    def requests(self) -> list[dict]:
        """The last 10,000: method, target, status, bytes_up, bytes_down."""
        return self._ask("/log")

    def reset(self):
        self._ask("/reset", {})

    def set_faults(self, faults: list[dict]):
        self._ask("/faults", faults)

    def lie(self, name: str, **only):
        """One of LIES, for what `only` matches (operation, path, times, …)."""
        self.set_faults([{**fault, **only} for fault in LIES[name] if fault.get("operation") in (None, only.get("operation"))
                         or "operation" not in only])

    def tell_the_truth(self):
        self.set_faults([])
