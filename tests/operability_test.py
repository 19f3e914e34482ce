#!/usr/bin/env python3
"""What a person sees of a running tombolo: metrics, dashboard, alert rules, the audit log, and docs/operations.md."""
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import time
import urllib.error
import urllib.request

from azure.core.exceptions import ResourceExistsError

from harness import suite
from harness.case import ServerCase, TempCase
from harness.process import ProgramEnded, free_port, http_get, need
from harness.tombolo import Tombolo
from harness.tree import write

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
ALERTS = DOCS / "prometheus" / "alerts.yaml"
DASHBOARD = DOCS / "grafana" / "tombolo.json"
NAME = re.compile(r"\b(?:tombolo|process)_[a-z_]+\b")
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? ([^ ]+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    """One answer of /metrics."""

    def __init__(self, text: str):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self.samples: dict[tuple, float] = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                self.samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)

    def value(self, name: str, **labels) -> float:
        """The sum over the series that have these labels; KeyError when there is none."""
        wanted = set(labels.items())
        found = [value for (family, have), value in self.samples.items() if family == name and wanted <= have]
        if not found:
            raise KeyError(f"{name} {labels}")
        return sum(found)

    def knows(self, name: str) -> bool:
        """Whether a query for this name can find something; a histogram has three."""
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        return name in self.types if self.types.get(base) != "histogram" else name != base


def scrape(server: Tombolo) -> Scrape:
    status, body = http_get(server.admin_port, "/metrics")
    assert status == 200, status
    return Scrape(body.decode())


class Scraped(ServerCase):
    settings = {"observe.census_seconds": 1, "tiering.gc_interval_seconds": 1}

    def wait_for(self, server, condition, what: str) -> Scrape:
        """Gauges are read every five seconds."""
        deadline = time.monotonic() + 30
        while True:
            now = scrape(server)
            try:
                if condition(now):
                    return now
            except KeyError:
                pass
            self.assertLess(time.monotonic(), deadline, f"never: {what}\n{now.text}")
            time.sleep(0.2)


class MetricsTest(Scraped):
    def test_they_tell_what_was_done(self):
        container = self.container("counted")
        for n in range(7):
            container.upload_blob(f"o{n}", b"x" * 10_000)
        for n in range(5):
            self.assertEqual(len(container.download_blob(f"o{n}").readall()), 10_000)
        list(container.list_blobs())
        with self.assertRaises(Exception):
            container.download_blob("absent")
        requests = "tombolo_http_requests_total"
        now = self.wait_for(self.server, lambda s: s.value("tombolo_exposed_bytes") == 70_000, "7 exposed objects")
        self.assertEqual(now.value(requests, operation="PutBlob", code="201"), 7)
        self.assertEqual(now.value(requests, operation="GetBlob", code="404"), 1)
        self.assertGreaterEqual(now.value(requests, operation="GetBlob"), 6)
        self.assertGreaterEqual(now.value(requests, operation="ListBlobs", code="200"), 1)
        self.assertEqual(now.value("tombolo_http_request_duration_seconds_count", operation="PutBlob"), 7)
        self.assertEqual(now.value("tombolo_http_request_duration_seconds_bucket", operation="PutBlob", le="+Inf"), 7)
        self.assertGreaterEqual(now.value("tombolo_http_received_bytes_total"), 70_000)
        self.assertGreaterEqual(now.value("tombolo_http_sent_bytes_total"), 50_000)
        self.assertGreaterEqual(now.value("tombolo_log_sync_duration_seconds_count"), 7)
        self.assertGreater(now.value("tombolo_log_sync_duration_seconds_sum"), 0)
        self.assertEqual(now.value("tombolo_place_objects", place="local"), 7)
        self.assertEqual(now.value("tombolo_writable"), 1)
        self.assertGreater(now.value("tombolo_http_connections_limit", listener="blob"), 256)
        self.assertEqual(now.value("tombolo_http_connections_limit", listener="admin"), 256)
        exposed_for = self.wait_for(self.server, lambda s: s.value("tombolo_exposed_seconds") > 1, "age").value(
            "tombolo_exposed_seconds")
        self.assertLess(exposed_for, 60)
        stranger = urllib.request.Request(f"http://127.0.0.1:{self.server.port}/devstoreaccount1/counted/o1")
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(stranger)

        archive = self.shared / "archive"
        archive.mkdir()
        self.server.cli("remote", "add", "archive", "--kind", "file", "--endpoint", archive)
        self.server.cli("offload", "counted", "--to", "archive")
        now = self.wait_for(self.server, lambda s: s.value("tombolo_exposed_bytes") == 0, "nothing exposed")
        self.assertEqual(now.value("tombolo_place_bytes", place="both"), 70_000)
        self.assertEqual(now.value("tombolo_exposed_seconds"), 0)
        self.assertEqual(now.value("tombolo_remote_requests_total", remote="archive", operation="put", outcome="ok"), 7)
        self.assertEqual(now.value("tombolo_remote_sent_bytes_total", remote="archive"), 70_000)
        self.assertGreaterEqual(now.value("tombolo_remote_received_bytes_total", remote="archive"), 70_000)  # read back
        self.server.cli("offload", "counted", "--to", "archive", "--evict")
        self.wait_for(self.server, lambda s: s.value("tombolo_place_bytes", place="remote") == 70_000, "evicted")
        self.wait_for(self.server, lambda s: s.value("tombolo_jobs", state="done") == 2, "both jobs done")

    def test_promtool_takes_them(self):
        text = scrape(self.server).text
        judged = subprocess.run([need("PROMTOOL"), "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((judged.returncode, judged.stdout + judged.stderr), (0, ""))

    def test_promtool_takes_the_alert_rules(self):
        judged = subprocess.run([need("PROMTOOL"), "check", "rules", ALERTS], capture_output=True, text=True)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)

    def test_dashboard_and_alerts_ask_for_what_there_is(self):
        now = scrape(self.server)
        dashboard = json.loads(DASHBOARD.read_text())
        asked = [(f"panel {panel['title']}", target["expr"])
                 for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 30)
        asked += [("alerts", line.split("expr:", 1)[1]) for line in ALERTS.read_text().splitlines() if "expr:" in line]
        used = set()
        for where, expression in asked:
            names = NAME.findall(re.sub(r'"[^"]*"', "", expression)) or ["up"]
            for name in names:
                self.assertTrue(name == "up" or now.knows(name), f"{where}: there is no {name}")
                used.add(re.sub(r"_(bucket|sum|count)$", "", name))
        shown = {name for _, expression in asked[:-1] for name in NAME.findall(expression)}
        missing = [name for name in now.types if not any(s.startswith(name) for s in shown)]
        self.assertEqual(missing, [], "on no panel")

    def test_operations_explains_every_metric_and_alert(self):
        page = (DOCS / "operations.md").read_text()
        metrics = set(re.findall(r"`((?:tombolo|process)_[a-z_]+)`", page))
        self.assertEqual(set(scrape(self.server).types) - metrics, set(), "metrics without a word in operations.md")
        self.assertEqual({m for m in metrics if not scrape(self.server).knows(m) and
                          scrape(self.server).types.get(m) != "histogram"}, set(), "in operations.md, and nowhere else")
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        self.assertGreater(len(alerts), 10)
        self.assertEqual(re.findall(r"^\*\*(\w+)\*\*:", page, re.MULTILINE), alerts)


class FailedJobs(Scraped):
    """A job that goes on to its end may leave objects behind."""

    def test_metrics_and_the_list_tell_of_objects_that_jobs_left_behind(self):
        box = self.container("left")
        for name in ("taken", "taken too", "free"):
            box.upload_blob(name, b"x" * 10_000)
        shelf = self.shared / "shelf"
        write(shelf / "left" / "taken", b"somebody else's")
        write(shelf / "left" / "taken too", b"somebody else's")
        self.server.cli("remote", "add", "shelf", "--kind", "file", "--endpoint", shelf)
        before = self.wait_for(self.server, lambda s: s.value("tombolo_jobs_ended_total") >= 0, "jobs counted")
        job = self.server.cli("offload", "left", "--to", "shelf", "--detach")
        now = self.wait_for(self.server, lambda s: s.value("tombolo_jobs_ended_total", state="done") >
                            before.value("tombolo_jobs_ended_total", state="done"), "the job ended")
        failed = "tombolo_job_objects_failed_total"
        self.assertEqual(now.value(failed, kind="offload") - before.value(failed, kind="offload"), 2)
        ended = next(j for j in self.server.cli("jobs")["jobs"] if j["id"] == job["id"])
        self.assertEqual((ended["state"], ended["progress"]["objects_failed"]), ("done", 2))
        listed = subprocess.run([self.server.binary, "--data", self.server.data, "jobs"], env=self.server.env,
                                capture_output=True, text=True, timeout=60).stdout
        self.assertIn(ended["error"], next(line for line in listed.splitlines() if line.startswith(job["id"])))

    def alerts_at(self, minutes: int, series: dict[str, str]) -> set[str]:
        """Names of the alerts that fire then, by promtool; values of series as it writes them, one a minute."""
        names = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        test = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": name} for name in names]}]}
        file = self.shared / "alerts.json"
        file.write_text(json.dumps(test))  # promtool takes YAML, which JSON is
        judged = subprocess.run([need("PROMTOOL"), "test", "rules", file], capture_output=True, text=True)
        return set(re.findall(r"alertname: (\w+)", judged.stdout + judged.stderr))

    def test_an_alert_tells_of_failed_jobs_and_objects_and_not_of_rows_that_are_trimmed(self):
        up = {'up{job="tombolo",instance="a"}': "1x90"}
        self.assertEqual(self.alerts_at(60, up), set())
        ended = 'tombolo_jobs_ended_total{job="tombolo",instance="a",state="failed"}'
        failed = 'tombolo_job_objects_failed_total{job="tombolo",instance="a",kind="offload"}'
        rows = 'tombolo_jobs{job="tombolo",instance="a",state="failed"}'
        self.assertEqual(self.alerts_at(60, {**up, ended: "0x30 1x60"}), {"TomboloJobFailed"})
        self.assertEqual(self.alerts_at(60, {**up, failed: "0x30 40x60"}), {"TomboloJobFailed"})
        self.assertEqual(self.alerts_at(60, {**up, ended: "7x90", failed: "40x90", rows: "7x30 6x60"}), set())


    def test_what_is_first_seen_of_a_remote_is_an_increase(self):
        """A series that begins with 1 has increased by nothing: these begin with 0."""
        shelf = self.shared / "first"
        shelf.mkdir()
        self.server.cli("remote", "add", "first", "--kind", "file", "--endpoint", shelf)
        box = self.container("first")
        box.upload_blob("gone", b"x" * 10_000)
        self.server.cli("offload", "first", "--to", "first", "--evict")
        outcomes = ("changed_outside", "not_found", "corrupt")
        asked = {"remote": "first", "operation": "get"}
        now = scrape(self.server)
        self.assertEqual([now.value("tombolo_remote_requests_total", outcome=o, **asked) for o in outcomes], [0, 0, 0])
        (shelf / "first" / "gone").unlink()
        with self.assertRaises(Exception):
            box.download_blob("gone").readall()
        self.assertGreaterEqual(scrape(self.server).value("tombolo_remote_requests_total", outcome="not_found", **asked), 1)
        series = 'tombolo_remote_requests_total{job="tombolo",instance="a",remote="r",operation="get",outcome="not_found"}'
        self.assertEqual(self.alerts_at(60, {series: "0x30 1x60"}), {"TomboloRemoteChangedOutside"})

    def test_a_test_of_a_remote_alerts_nobody(self):
        """It asks for what has to be refused."""
        shelf = self.shared / "tested"
        shelf.mkdir()
        self.server.cli("remote", "add", "directory", "--kind", "file", "--endpoint", shelf)
        self.container("tested")
        self.server.add_azure_remote("cloud", self.other().account, "bucket")
        for remote in ("directory", "cloud"):
            self.assertTrue(self.server.cli("remote", "test", remote)["ok"])
            now = scrape(self.server)
            for outcome in ("changed_outside", "not_found", "corrupt"):
                self.assertEqual(now.value("tombolo_remote_requests_total", remote=remote, operation="get",
                                           outcome=outcome), 0)
            self.assertGreater(now.value("tombolo_remote_received_bytes_total", remote=remote), 0, "those of measuring")

    def other(self) -> Tombolo:
        other = Tombolo(self.shared / "another")
        other.start()
        self.addCleanup(other.stop)
        other.account.client().create_container("bucket")
        return other

    def test_errors_page_and_what_a_limit_turns_away_does_not(self):
        labels = 'job="tombolo",instance="a",dialect="azure"'
        good = {f'tombolo_http_requests_total{{{labels},operation="GetBlob",code="200"}}': "0+600x90"}
        bad = f'tombolo_http_requests_total{{{labels},operation="GetBlob",code="503"}}'
        limit = f'tombolo_throttled_requests_total{{{labels},bound="account_rate"}}'
        self.assertEqual(self.alerts_at(60, good), set())
        self.assertEqual(self.alerts_at(60, {**good, bad: "0+50x90"}), {"TomboloErrors"})
        self.assertEqual(self.alerts_at(60, {**good, bad: "0+50x90", limit: "0+50x90"}), set())
        self.assertEqual(self.alerts_at(60, {**good, bad: "0+100x90", limit: "0+50x90"}), {"TomboloErrors"})

    def test_damage_pages_at_its_first_read(self):
        series = 'tombolo_damage_total{job="tombolo",instance="a",kind="%s"}'
        quiet = {series % kind: "0x90" for kind in ("corrupt", "unreadable", "missing")}
        self.assertEqual(self.alerts_at(60, quiet), set())
        self.assertEqual(self.alerts_at(60, {**quiet, series % "corrupt": "0x50 1x40"}), {"TomboloDamage"})

    def test_a_failed_sync_pages_for_a_day_after_the_start_that_came_of_it(self):
        """The process that the disk failed is gone within a second, and the next one is up: nothing else fires."""
        failed = 'tombolo_failed_sync_timestamp_seconds{job="tombolo",instance="a"}'
        up = {'up{job="tombolo",instance="a"}': "1x1600", 'tombolo_writable{job="tombolo",instance="a"}': "1x1600"}
        self.assertEqual(self.alerts_at(60, {**up, failed: "0x1600"}), set())
        self.assertEqual(self.alerts_at(60, {**up, failed: "0x30 1800x1570"}), {"TomboloSyncFailed"})
        self.assertEqual(self.alerts_at(1500, {**up, failed: "0x30 1800x1570"}), set())

    def test_the_exposed_window_counts_where_there_is_a_remote(self):
        exposed = {'tombolo_exposed_bytes{job="tombolo",instance="a"}': "5x90",
                   'tombolo_exposed_seconds{job="tombolo",instance="a"}': "700000x90"}
        self.assertEqual(self.alerts_at(80, exposed), set())
        self.assertEqual(self.alerts_at(80, {**exposed, 'tombolo_remote_up{job="tombolo",instance="b",remote="r"}': "1x90"}),
                         set())
        self.assertEqual(self.alerts_at(80, {**exposed, 'tombolo_remote_up{job="tombolo",instance="a",remote="r"}': "1x90"}),
                         {"TomboloExposed"})

    def test_a_census_that_never_came_to_an_end_is_stale(self):
        started = {'process_start_time_seconds{job="tombolo",instance="a"}': "0x420"}
        counted = 'tombolo_census_timestamp_seconds{job="tombolo",instance="a"}'
        self.assertEqual(self.alerts_at(300, started), set())
        self.assertEqual(self.alerts_at(400, started), {"TomboloCensusStale"})
        self.assertEqual(self.alerts_at(400, {**started, counted: "0+60x420"}), set())
        self.assertEqual(self.alerts_at(400, {**started, counted: "60x420"}), {"TomboloCensusStale"})

    def test_a_certificate_is_renewed_in_time(self):
        expiry = 'tombolo_tls_certificate_expiry_seconds{job="tombolo",instance="a"}'
        for days, wanted in ((15, set()), (13, {"TomboloCertificateExpiring"}),
                             (1, {"TomboloCertificateExpiring", "TomboloCertificateExpired"})):
            self.assertEqual(self.alerts_at(90, {expiry: f"{days * 86400}x90"}), wanted, days)


class AuditTest(TempCase):
    def setUp(self):
        super().setUp()
        self.server = Tombolo(self.folder / "server", settings={"audit.file": self.folder / "audit.log"})
        self.server.start()
        self.addCleanup(self.server.stop)
        self.path = self.folder / "audit.log"

    def records(self, path=None) -> list[dict]:
        return [json.loads(line) for line in (path or self.path).read_text().splitlines()]

    def wait_for(self, condition, what: str):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"never: {what}")
            time.sleep(0.02)

    def test_without_an_audit_log_clients_are_served_and_changes_told_until_it_can_be_opened(self):
        missing = self.folder / "missing"
        other = Tombolo(self.folder / "other", settings={"audit.file": missing / "audit.log"})
        with other:
            self.assertRegex(other.tail(), f"cannot open the audit log {missing}/audit.log.*or mend the directory")
            self.assertIn("clients are served all the same", other.tail())
            box = other.account.client(retry_total=0).get_container_client("box")
            box.create_container()
            box.upload_blob("served", b"x")
            with self.assertRaisesRegex(RuntimeError, "could not be recorded"):
                other.cli("account", "create", "mystore")
            self.assertGreaterEqual(scrape(other).value("tombolo_audit_failures_total"), 3)
            missing.mkdir()
            self.assertIn("key1", other.cli("account", "keys", "mystore"))
            self.assertEqual([r["action"] for r in self.records(missing / "audit.log")], ["account.keys.show"])

    def test_where_the_audit_log_hangs_clients_are_served_and_the_server_can_be_stopped(self):
        pipe = self.folder / "hanging.log"
        os.mkfifo(pipe, 0o600)
        end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # full, and nobody reads it: like a mount whose server is gone
        self.addCleanup(os.close, end)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(end, b"x" * 4096)
        other = Tombolo(self.folder / "other", settings={"audit.file": pipe})
        other.start()
        self.addCleanup(other.kill9)
        box = other.account.client(retry_total=0).get_container_client("box")
        begun = time.monotonic()
        box.create_container()
        self.assertLess(time.monotonic() - begun, 20)
        box.upload_blob("served", b"x")
        other.process.send_signal(signal.SIGHUP)  # it would open the file anew, which hangs too
        with self.assertRaisesRegex(RuntimeError, "could not be recorded: .*does its disk hang"):
            other.cli("account", "create", "mystore")
        self.assertEqual(scrape(other).value("tombolo_audit_failures_total"), 3)
        self.assertIn('"action":"CreateContainer"', other.tail(), "it is in the server's log")
        other.process.send_signal(signal.SIGTERM)
        self.assertEqual(other.process.wait(40), 0, other.tail())
        self.assertIn('"action":"server.stop"', other.tail())

    def test_of_a_flood_of_refused_requests_only_some_are_recorded(self):
        client = self.server.account.client(retry_total=0)
        client.create_container("there")
        self.assertEqual(self.records()[-1]["action"], "CreateContainer")  # before the answer
        for _ in range(200):
            with self.assertRaises(ResourceExistsError):
                client.create_container("there")
        self.assertEqual(self.server.stop(), 0)
        told = [r for r in self.records() if r["result"] == "ContainerAlreadyExists"]
        left_out = [int(r["details"]["count"]) for r in self.records() if r["action"] == "refused.left-out"]
        self.assertLess(len(told), 150)
        self.assertEqual(len(told) + sum(left_out), 200)

    def test_changes_are_recorded_and_secrets_are_not(self):
        account = self.server.cli("account", "create", "mystore")
        self.server.cli("container", "create", "photos", "--account", "mystore")
        sas = self.server.cli("sas", "photos", "--account", "mystore", "--permissions", "rl", "--hours", "2")
        self.server.cli("account", "keys", "mystore")
        secret = "bm90IGEgcmVhbCBrZXk="
        env = dict(self.server.env, TOMBOLO_REMOTE_KEY=secret)
        self.server.cli("remote", "add", "far", "--kind", "azure", "--endpoint", "http://127.0.0.1:1/acc",
                        "--bucket", "bucket", "--remote-account", "acc", env=env)
        with self.assertRaises(RuntimeError):  # a signature where none belongs
            self.server.cli("remote", "add", "odd", "--kind", "azure", "--endpoint", "http://127.0.0.1:1/acc?sig=SIGNATURE",
                            "--bucket", "bucket", "--remote-account", "acc", env=env)
        with self.assertRaises(RuntimeError):
            self.server.cli("container", "create", "Not-A-Name", "--account", "mystore")
        client = self.server.account.client()
        client.create_container("by-client")
        client.delete_container("by-client")
        client.set_service_properties(target_version="2021-12-02")
        self.assertEqual(self.records()[-1]["action"], "SetServiceProperties")
        self.server.stop()

        records = self.records()
        told = [(r["action"], r["result"]) for r in records]
        for expected in (("server.start", "ok"), ("account.create", "ok"), ("container.create", "ok"), ("sas.issue", "ok"),
                         ("account.keys.show", "ok"), ("remote.add", "ok"), ("remote.add", "invalid"), ("container.create", "invalid"),
                         ("CreateContainer", "ok"), ("DeleteContainer", "ok"),
                         ("SetServiceProperties", "ok"), ("server.stop", "ok")):
            self.assertIn(expected, told)
        issue = next(r for r in records if r["action"] == "sas.issue")
        self.assertEqual(issue["target"], "accounts/mystore/sas")
        self.assertEqual(issue["details"], {"container": "photos", "hours": "2", "https_only": "false",
                                            "permissions": "rl"})
        self.assertEqual((issue["who"], issue["from"], issue["status"]), ("admin-token", "127.0.0.1", 200))
        self.assertRegex(issue["request_id"], r"^[0-9a-f]{32}$")
        self.assertRegex(issue["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$")
        created = next(r for r in records if r["action"] == "CreateContainer")
        self.assertEqual((created["who"], created["status"]), ("devstoreaccount1 shared-key", 201))
        self.assertEqual(records[0]["details"]["audit.file"], str(self.path))

        text = self.path.read_text()
        token = (self.server.data / "admin.token").read_text().strip()
        signature = re.search(r"sig=([^&]+)", sas["url"])[1]
        for hidden in (account["key1"], account["key2"], token, signature, secret, "SIGNATURE", self.server.account.key):
            self.assertNotIn(hidden, text)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_strangers_leave_no_record(self):
        url = f"http://127.0.0.1:{self.server.port}/devstoreaccount1/unsigned?restype=container"
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=b""))
        url = f"http://127.0.0.1:{self.server.admin_port}/v1/accounts"
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(url, method="POST", data=b'{"name":"mallory"}'))
        self.assertEqual(scrape(self.server).value("tombolo_admin_refused_total"), 1)
        self.server.cli("account", "create", "mystore")
        self.assertEqual([r["action"] for r in self.records()], ["server.start", "account.create"])

    def test_a_rotation_loses_nothing(self):
        self.server.cli("account", "create", "one")
        self.path.rename(self.folder / "audit.log.1")
        self.server.process.send_signal(signal.SIGHUP)
        self.wait_for(self.path.exists, "the new file, by SIGHUP alone")
        self.server.cli("account", "create", "two")
        self.assertEqual([r["action"] for r in self.records(self.folder / "audit.log.1")],
                         ["server.start", "account.create"])
        self.assertEqual([r["details"]["name"] for r in self.records()], ["two"])
        self.assertTrue(self.server.alive())

    def test_what_cannot_be_recorded_is_not_shown(self):
        self.server.cli("account", "create", "mystore")
        self.path.unlink()
        self.path.symlink_to("/dev/full")  # root may write anywhere else
        with self.assertRaises(RuntimeError) as refused:
            self.server.cli("account", "keys", "mystore")
        self.assertIn("could not be recorded", str(refused.exception))
        self.assertNotIn("AccountKey", str(refused.exception))
        self.assertEqual(scrape(self.server).value("tombolo_audit_failures_total"), 1)
        self.path.unlink()
        self.assertIn("key1", self.server.cli("account", "keys", "mystore"))
        self.assertEqual([r["action"] for r in self.records()], ["account.keys.show"])


class OperationsPage(TempCase):
    def test_its_commands_run_as_written(self):
        blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / "operations.md").read_text(), re.MULTILINE | re.DOTALL)
        words = "\n".join(blocks)
        for wanted in ("tar ", "tombolo fsck", "tombolo offload", "kill -HUP"):
            self.assertIn(wanted, words)
        for number in range(15):
            write(self.folder / "pictures" / f"d{number // 5}" / f"{number} name.jpg", os.urandom(5_000 * number))
        script = ["set -euxo pipefail", "trap 'kill %% || true; wait' EXIT", *blocks]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOMBOLO_", "AZCOPY_", "AZURE"))}
        tools = [str(pathlib.Path(need(name)).resolve().parent) for name in ("TOMBOLO_BIN", "AZCOPY")]
        env = dict(kept, HOME=str(self.folder), PATH=":".join([*tools, os.environ["PATH"]]),
                   TOMBOLO_SERVER_LISTEN=f"127.0.0.1:{free_port()}", TOMBOLO_SERVER_ADMIN_LISTEN=f"127.0.0.1:{free_port()}")
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=180)
        self.assertEqual(done.returncode, 0, f"{done.stdout[-5000:]}\n{done.stderr[-5000:]}")
        self.assertIn('"target":"accounts/mystore/containers"', done.stdout)
        self.assertRegex(done.stderr, "the server refuses the token")
        self.assertIn("the old one is refused", done.stdout.splitlines())


if __name__ == "__main__":
    suite.main()
