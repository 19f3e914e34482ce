"""docs/benchmarks.md from a run: date, machine, table, flame graphs."""
import datetime
import os
import pathlib
import platform
import re

HEAD = """# Benchmarks

Ratios to peers on the same machine, never rates: a shared machine changes its speed by the second. How a ratio comes
about, and what each row does: `bench/README.md`. Written by `make bench PAGE=1`; the same figures are in
`build/bench.json`. Each figure is the median of the rounds, low and high are the extremes; CPU/op is the server's CPU
time an operation, ours over the peer's. `noisy`: other work ran on the machine, the row is rough.

"""


def write(found: list[dict], flames: pathlib.Path, page: pathlib.Path, quick: bool):
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = [f"{now:%Y-%m-%d}, {machine()}{', quick rounds' if quick else ''}.", "",
             "| row | what | peer | ratio | low | high | goal | | CPU/op | rounds |",
             "|---|---|---|--:|--:|--:|--:|---|--:|--:|"]
    for row in found:
        verdict = ("met" if row["ratio"] >= row["goal"] else "missed") + (", noisy" if row.get("noisy") else "")
        lines.append(f"| `{row['id']}` | {row['what']} | {row['peer']} | {row['ratio']:.2f} | {row['low']:.2f} | "
                     f"{row['high']:.2f} | ≥ {row['goal']:g} | {verdict} | {row.get('cpu_per_op_ratio', '–')} | "
                     f"{row['rounds']} |")
    drawn = sorted(flames.glob("*.svg"))
    if drawn:
        lines += ["", "Where the server's CPU time goes (`perf record -e cpu-clock`, callers below):", ""]
        lines += [f"- [{path.stem}]({flames.name}/{path.name})" for path in drawn]
    page.write_text(HEAD + "\n".join(lines) + "\n")


def machine() -> str:
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", info)
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / (1 << 20)
    return (f"{os.cpu_count()} CPUs ({model.group(1) if model else platform.machine()}), {memory:.0f} GiB of memory, "
            f"kernel {platform.release()}")
