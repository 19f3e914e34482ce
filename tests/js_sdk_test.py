#!/usr/bin/env python3
"""@azure/storage-blob against tombolo: starts a server and a proxy before it, and runs js_sdk/*.mjs under Node's test runner.

    js_sdk_test.py                 all cases
    js_sdk_test.py listings        only tests/js_sdk/listings.mjs
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from harness.many import make_many
from harness.process import need
from harness.proxy import LyingProxy
from harness.tombolo import Tombolo

FOLDER = pathlib.Path(__file__).with_name("js_sdk")
MANY = 10_000
LIMIT_S = 600


def run_cases(server: Tombolo, proxy: LyingProxy, folder: pathlib.Path, files: list[pathlib.Path]) -> dict[str, int]:
    """Runs the files; how many cases passed, failed and were skipped, as Node's runner counts them."""
    env = dict(os.environ, JS_SDK=need("JS_SDK"), CONNECTION_STRING=server.account.connection_string, FOLDER=str(folder),
               PROXIED_CONNECTION_STRING=server.account.at_port(proxy.port).connection_string,
               PROXY_CONTROL=f"http://127.0.0.1:{proxy.control_port}", MANY=str(MANY),
               TOMBOLO=str(server.binary), TOMBOLO_DATA=str(server.data))
    command = [shutil.which("node") or "node", "--test", "--test-concurrency=1", "--test-reporter=tap", *map(str, files)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)
    print(done.stdout)
    counts = {name: int(number) for name, number in re.findall(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$",
                                                               done.stdout, re.MULTILINE)}
    if done.returncode != 0 and not counts.get("fail"):
        counts["fail"] = 1
    return counts


def main() -> int:
    chosen = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.mjs") if path.stem != "harness")
    with tempfile.TemporaryDirectory(prefix="tombolo-") as temp:
        folder = pathlib.Path(temp)
        with Tombolo(folder / "server") as server, LyingProxy(server.port, folder) as proxy:
            if "listings" in chosen:
                make_many(server.account, "many", MANY)
            counts = run_cases(server, proxy, folder, [FOLDER / f"{name}.mjs" for name in chosen])
            status = server.stop()
            if status != 0:
                print(f"the server's exit status is {status}\n{server.tail()}")
    failed = counts.get("fail", 0) + counts.get("cancelled", 0) + (status != 0)
    skipped = counts.get("skipped", 0) + counts.get("todo", 0)
    print(f"{counts.get('pass', 0)} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
