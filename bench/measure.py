"""How two things are compared: rounds of one leg each, in ABBA order, on a machine whose speed changes by the second."""
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import time

LOAD_CPU, SERVER_CPU = 0, 1
CALIBRATION_S = 0.05
SLOWER_MAX = 0.2  # a round on a machine that is slower than this below its best is dropped
verbose = False  # print every round
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Leg:
    """What one side did in one round."""
    ops: float
    seconds: float
    cpu_s: float  # of the server

    @property
    def rate(self) -> float:
        return self.ops / self.seconds


@dataclasses.dataclass
class Comparison:
    """The kept rounds, as (ours, theirs)."""
    rounds: list[tuple[Leg, Leg]]
    dropped: int
    noisy: bool  # too few rounds were quiet, so that loud ones are among them

    def rates(self) -> dict:
        return spread([ours.rate / theirs.rate for ours, theirs in self.rounds])

    def cpu_an_op(self) -> float:
        """Ours over theirs, over all rounds together (a tick of the process clock is 10 ms)."""
        def an_op(legs):
            return sum(leg.cpu_s for leg in legs) / sum(leg.ops for leg in legs)
        return round(an_op([o for o, _ in self.rounds]) / an_op([t for _, t in self.rounds]), 3)

    def fields(self) -> dict:
        return {**self.rates(), "cpu_per_op_ratio": self.cpu_an_op(), "rounds": len(self.rounds),
                "dropped": self.dropped, "noisy": self.noisy}


def spread(ratios: list[float]) -> dict:
    return {"ratio": round(statistics.median(ratios), 3), "low": round(min(ratios), 3), "high": round(max(ratios), 3)}


@contextlib.contextmanager
def pinned(cpu: int):
    """What is started inside runs on that CPU only, and so does this process."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu} if cpu in before else before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def calibrate() -> list[int]:
    """How much of a fixed piece of work each of the two CPUs does in 50 ms of wall time now."""
    block, done = bytes(4096), []
    for cpu in (LOAD_CPU, SERVER_CPU):
        with pinned(cpu):
            end, count = time.perf_counter() + CALIBRATION_S, 0
            while time.perf_counter() < end:
                hashlib.sha256(block)
                count += 1
            done.append(count)
    return done


def compare(ours, theirs, wanted: int, rounds_max: int) -> Comparison:
    """Runs ours() and theirs(), each giving a Leg, in ABBA order until `wanted` rounds were quiet, or `rounds_max` ran."""
    rounds, speeds = [], []

    def quiet() -> list[bool]:
        best = [max(column) for column in zip(*speeds)]
        return [all(speed >= (1 - SLOWER_MAX) * top for speed, top in zip(row, best)) for row in speeds]

    while len(rounds) < wanted or (sum(quiet()) < wanted and len(rounds) < rounds_max):
        before = calibrate()
        if len(rounds) % 2 == 0:
            one, other = ours(), theirs()
        else:
            other, one = theirs(), ours()
        speeds.append([min(pair) for pair in zip(before, calibrate())])
        rounds.append((one, other))
        if verbose:
            print("  ours", one, "theirs", other, "speed", speeds[-1], flush=True)
    kept = [pair for pair, good in zip(rounds, quiet()) if good]
    noisy = len(kept) < wanted
    if noisy:  # the quietest ones, said to be noisy
        order = sorted(range(len(rounds)), key=lambda i: -min(s / t for s, t in zip(speeds[i], map(max, zip(*speeds)))))
        kept = [rounds[i] for i in sorted(order[:wanted])]
    return Comparison(kept, len(rounds) - len(kept), noisy)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its living children, from /proc."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    used = (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return used + sum(cpu_seconds(int(child)) for child in children)


def run_json(command: list, cpu: int) -> dict:
    """Runs a program of ours on that CPU, and returns the line of JSON that it prints."""
    with pinned(cpu):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


def timed(pid: int, work) -> Leg:
    """A leg around work(), which returns what http_load and its like print."""
    before = cpu_seconds(pid)
    said = work()
    return Leg(said["ops"], said["seconds"], max(1 / TICKS_A_SECOND, cpu_seconds(pid) - before))
