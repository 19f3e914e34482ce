"""What the demo shows while it runs, and the table at its end."""
import json
import pathlib
import sys
import time


class Table:
    def __init__(self):
        self.stages: list[dict] = []
        self.facts: dict = {}

    def stage(self, name: str):
        return _Stage(self, name)

    def write(self, path: pathlib.Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"stages": self.stages, **self.facts}, indent=2) + "\n")

    def show(self):
        print(f"\n  {'stage':<44} {'files':>7} {'MiB':>9} {'seconds':>8} {'MiB/s':>8}")
        for row in self.stages:
            rate = f"{row['mib_per_second']:8.1f}" if row["bytes"] else " " * 8
            files = f"{row['files']:7,}" if row["files"] else " " * 7
            mib = f"{row['bytes'] / 2**20:9.1f}" if row["bytes"] else " " * 9
            print(f"  {row['stage']:<44} {files} {mib} {row['seconds']:8.1f} {rate}")
        print()
        for name, value in self.facts.items():
            print(f"  {name:<28} {value:>16,}" if isinstance(value, int) and not isinstance(value, bool)
                  else f"  {name:<28} {value!s:>16}")


class _Stage:
    """A context: prints what begins, how far it is, and what it took."""

    def __init__(self, table: Table, name: str):
        self.table, self.name, self.files, self.bytes = table, name, 0, 0
        self.shown = 0.0

    def __enter__(self):
        self.show("...", end="")
        self.started = time.monotonic()
        return self

    def count(self, files: int, size: int):
        self.files, self.bytes = files, size

    def progress(self, files: int, size: int):
        if sys.stdout.isatty() and time.monotonic() - self.shown > 0.2:
            self.shown = time.monotonic()
            self.show(f"... {files:,} files, {size / 2**20:,.0f} MiB", end="")

    def __exit__(self, kind, error, trace):
        seconds = time.monotonic() - self.started
        if kind is not None:
            self.show("failed")
            return
        rate = self.bytes / 2**20 / max(seconds, 1e-3)
        self.table.stages.append({"stage": self.name, "files": self.files, "bytes": self.bytes,
                                  "seconds": round(seconds, 3), "mib_per_second": round(rate, 1)})
        self.show(f"{seconds:.1f} s" + (f", {rate:.0f} MiB/s" if self.bytes else ""))

    def show(self, text: str, end: str = "\n"):
        """Redraws the stage's line on a terminal; elsewhere only its end is printed."""
        if sys.stdout.isatty():
            print(f"\r\x1b[K  {self.name} {text}", end=end, flush=True)
        elif end:
            print(f"  {self.name} {text}", flush=True)
