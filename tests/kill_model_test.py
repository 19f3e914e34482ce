#!/usr/bin/env python3
"""The judge of tests/kill: it sees a lost write, mixed bytes, a falling ETag, an object that was put again."""
import importlib.machinery
import importlib.util
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

KILL = pathlib.Path(__file__).resolve().parent / "kill"
sys.path.insert(0, str(KILL))

from blob_client import Answer  # noqa: E402
from harness import suite  # noqa: E402
from load import Findings  # noqa: E402
from model import ABSENT, POOL, Key, Piece, State, judge  # noqa: E402
from remote_watch import RemoteWatch  # noqa: E402


def state(mark: int, size: int = 100) -> State:
    return State(str(mark), (Piece("", mark * 1000, size),))


def shows(what: State, status: int = 200, body: bytes | None = None) -> Answer:
    if what is ABSENT:
        return Answer(404, {}, bytearray())
    return Answer(status, {"x-ms-meta-m": what.mark}, bytearray(what.content() if body is None else body))


class ModelTest(unittest.TestCase):
    def setUp(self):
        self.key = Key("k", 0)

    def write(self, what: State, etag: int) -> str:
        return self.key.ack(self.key.begin(what), etag)

    def kind(self, answer: Answer, span=None) -> str:
        return judge(self.key, self.key.possible, answer, span).kind

    def test_only_the_last_acknowledged_write_may_show(self):
        old, new = state(1), state(2)
        self.write(old, 1)
        self.write(new, 2)
        self.assertEqual(self.kind(shows(new)), "")
        self.assertEqual(self.kind(shows(old)), "lost")
        self.assertEqual(self.kind(shows(ABSENT)), "lost")

    def test_an_unacknowledged_write_is_old_or_new_and_stays_what_it_was_seen_as(self):
        old, new = state(1), state(2)
        self.write(old, 1)
        self.key.begin(new)
        self.assertEqual([self.kind(shows(each)) for each in (old, new, ABSENT)], ["", "", "lost"])
        verdict = judge(self.key, self.key.possible, shows(old))
        self.assertEqual(self.key.settle(verdict.write, 1), "")
        self.assertEqual([self.kind(shows(each)) for each in (old, new)], ["", "lost"])

    def test_writes_at_the_same_time_may_end_in_any_order(self):
        one, two = self.key.begin(state(1)), self.key.begin(state(2))
        self.key.ack(two, 2)
        self.key.ack(one, 1)
        self.assertEqual([self.kind(shows(state(n))) for n in (1, 2)], ["", ""])

    def test_one_wrong_byte_and_mixed_bytes_are_wrong(self):
        whole = state(1)
        self.write(whole, 1)
        mixed = whole.content()[:50] + POOL[5000:5050]
        self.assertEqual(self.kind(shows(whole, body=mixed)), "wrong")
        self.assertEqual(self.kind(shows(whole, body=whole.content()[:-1])), "wrong")
        self.assertEqual(self.kind(shows(whole, 206, whole.content()[10:20]), (10, 20)), "")
        self.assertEqual(self.kind(shows(whole, 206, whole.content()[11:21]), (10, 20)), "wrong")
        self.assertEqual(self.kind(Answer(416, {}, bytearray()), (100, 101)), "")
        self.assertEqual(self.kind(Answer(416, {}, bytearray()), (99, 100)), "lost")

    def test_an_etag_that_falls_or_changes_is_told(self):
        self.assertEqual(self.write(state(1), 7), "")
        self.assertIn("ETag", self.write(state(2), 7))
        self.assertEqual(self.write(state(3), 9), "")
        self.assertIn("ETag", self.key.settle(self.key.possible[0], 8))
        self.assertIn("ETag", self.write(state(4), 8))

    def test_a_read_may_show_what_was_written_while_it_ran(self):
        self.write(state(1), 1)
        watched = self.key.watch()
        self.write(state(2), 2)
        seen = self.key.seen_since(watched)
        self.assertEqual([judge(self.key, seen, shows(state(n))).kind for n in (1, 2, 3)], ["", "", "lost"])


class RemoteWatchTest(unittest.TestCase):
    def test_tells_a_second_put_from_a_new_content(self):
        with tempfile.TemporaryDirectory() as folder:
            watch = RemoteWatch(pathlib.Path(folder))
            path = os.path.join(folder, "a")

            def put(content: bytes) -> list[str]:
                with open(path + ".new", "wb") as file:
                    file.write(content)
                os.replace(path + ".new", path)
                return watch.look()

            self.assertEqual(put(POOL[:1000]), [])
            self.assertEqual(watch.look(), [])
            self.assertEqual(put(POOL[1000:2000]), [])
            self.assertEqual(put(POOL[1000:2000]), [path])
            self.assertEqual(watch.puts, 3)


class PlantsTest(unittest.TestCase):
    def caught(self, kind: str) -> bool:
        """Whether a planted bug counts as found by findings of that kind, one a cycle."""
        loader = importlib.machinery.SourceFileLoader("kill_run", str(KILL / "run"))
        run = importlib.util.module_from_spec(importlib.util.spec_from_loader("kill_run", loader))
        loader.exec_module(run)
        cycles = mock.Mock(done=0, findings=Findings(quiet=True))

        def cycle() -> bool:
            cycles.done += 1
            cycles.findings.add(kind, "planted")
            return True

        cycles.cycle = cycle
        cases = run.Cases()
        with mock.patch.object(run, "Cycles", return_value=cycles), tempfile.TemporaryDirectory() as folder:
            run.catch_plants(cases, "no binary", 1, pathlib.Path(folder), ["log"])
        return not cases.failed

    def test_a_planted_bug_is_found_by_what_was_lost_and_not_by_an_answer_that_was_slow(self):
        self.assertEqual({kind: self.caught(kind) for kind in ("lost", "wrong", "restarts", "listing", "answers", "jobs")},
                         {"lost": True, "wrong": True, "restarts": True, "listing": True, "answers": False, "jobs": False})


if __name__ == "__main__":
    suite.main()
