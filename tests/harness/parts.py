"""A program that counts seeds up, run on all cores at once: a range of seeds each, their sums in one report."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def testing_program(name: str, folder: str) -> pathlib.Path:
    """A program of src/testing, from the build that is tested."""
    return pathlib.Path(os.environ["TOMBOLO_BIN"]).parent / "testing" / folder / name


def _run(command: list, report: pathlib.Path) -> dict:
    done = subprocess.run([*command, "--json", report], capture_output=True, text=True)
    print(done.stdout, done.stderr, flush=True)
    if not report.exists():
        raise AssertionError(f"{command} ended with status {done.returncode} and no report")
    return json.loads(report.read_text())


def run_parts(command: list, seed: int, total: int, count_flag: str, sums: tuple) -> dict:
    """Runs `command` once a core, with an equal share of the `total` seeds from `seed` on, and adds up what `sums` names."""
    parts = os.cpu_count() or 1
    each = -(-total // parts)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(parts) as pool:
        futures = [pool.submit(_run, [*command, "--seed", str(seed + n * each), count_flag, str(each)],
                               pathlib.Path(folder) / f"{n}.json") for n in range(parts)]
        reports = [future.result() for future in futures]
    total_report = {name: sum(report[name] for report in reports) for name in sums}
    return total_report | {"seed": seed, "failed_seeds": [failed for report in reports for failed in report["failed_seeds"]],
                           "seconds": max(report["seconds"] for report in reports)}


def keep_report(name: str, report: dict):
    """As build/NAME.json, and for who reads the output."""
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report), flush=True)
