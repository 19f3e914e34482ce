#!/usr/bin/env python3
"""The command line: what each command answers, in words and as JSON; what it says when it cannot, and its exit status."""
import json
import os
import pty
import stat
import subprocess
import time
import urllib.parse

from harness import raw, suite
from harness.case import ServerCase, TempCase
from harness.process import free_port, http_get, need
from harness.tombolo import Tombolo


class CliCase(ServerCase):
    def run_cli(self, *arguments, env: dict | None = None) -> subprocess.CompletedProcess:
        """Words, not JSON."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
        command = [need("TOMBOLO_BIN"), "--data", str(self.server.data), *(str(a) for a in arguments)]
        return subprocess.run(command, env={**clean, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)

    def fails(self, arguments: list, wanted: str, status: int = 1, env: dict | None = None):
        """Fails with that status, on standard error only, with words that hold `wanted` (a regular expression)."""
        for flags in ([], ["--json"]):
            done = self.run_cli(*flags, *arguments, env=env)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertRegex(done.stderr, wanted)

    def words(self, *arguments) -> str:
        done = self.run_cli(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


class Accounts(CliCase):
    def test_create_list_keys(self):
        made = self.server.cli("account", "create", "mystore")
        self.assertEqual(sorted(made), ["blob_endpoint", "connection_string", "key1", "key2", "name"])
        self.assertEqual(made["blob_endpoint"], f"http://127.0.0.1:{self.server.port}/mystore")
        self.assertNotEqual(made["key1"], made["key2"])
        self.assertEqual(self.server.cli("account", "keys", "mystore"), made)
        listed = self.server.cli("account", "list")["accounts"]
        self.assertIn({"name": "mystore", "blob_endpoint": made["blob_endpoint"]}, listed)
        self.assertNotIn(made["key1"], json.dumps(listed))
        self.assertIn(made["key1"], self.words("account", "keys", "mystore"))
        self.assertIn("mystore", self.words("account", "list"))

    def test_refusals(self):
        self.fails(["account", "create", "Not-A-Name"], "3 to 24|lower-case")
        self.fails(["account", "create", "devstoreaccount1"], "exists")
        self.fails(["account", "keys", "nobody"], 'no account "nobody"')
        self.fails(["account"], "create, list, keys", status=2)
        self.fails(["account", "create"], "NAME", status=2)
        self.fails(["no-such-command"], "no command \"no-such-command\".*tombolo help", status=2)


class ContainersAndSas(CliCase):
    def test_create_list_delete(self):
        made = self.server.cli("container", "create", "photos")
        self.assertEqual((made["name"], made["account"], made["mode"]), ("photos", "devstoreaccount1", "flat"))
        self.assertEqual(made["url"], f"{self.server.account.endpoint}/photos")
        self.assertIn("photos", [c["name"] for c in self.server.cli("container", "list")["containers"]])
        self.assertIn(made["url"], self.words("container", "list"))
        self.server.cli("container", "delete", "photos")
        self.assertNotIn("photos", [c["name"] for c in self.server.cli("container", "list")["containers"]])

    def test_a_person_is_asked_before_a_container_goes(self):
        def delete(answer: bytes, *options) -> tuple[int, str]:
            """With standard input on a terminal, where a person answers."""
            master, terminal = pty.openpty()
            self.addCleanup(os.close, master)
            os.write(master, answer)
            done = subprocess.run([need("TOMBOLO_BIN"), "--data", self.server.data, "container", "delete", "asked", *options],
                                  stdin=terminal, capture_output=True, text=True, timeout=60)
            os.close(terminal)
            return done.returncode, done.stderr

        self.server.cli("container", "create", "asked")
        for answer in (b"n\n", b"\n", b"\x04"):  # the last one ends the input
            status, said = delete(answer)
            self.assertEqual(status, 1)
            self.assertRegex(said, "Delete container asked of account devstoreaccount1 .*nothing was deleted: .*--yes")
        self.assertEqual(delete(b"y\n")[0], 0)
        self.server.cli("container", "create", "asked")
        self.assertEqual(delete(b"", "--yes"), (0, ""))

    def test_refusals(self):
        self.server.cli("container", "create", "twice")
        self.fails(["container", "create", "twice"], "exists")
        self.fails(["container", "create", "UPPER"], "lower-case letters")
        self.fails(["container", "delete", "missing"], 'no container "missing"')
        self.fails(["container", "list", "--account", "nobody"], 'no account "nobody"')

    def test_sas_is_one_line_ready_to_paste(self):
        box = self.container("pasted")
        box.upload_blob("dir/with space.txt", b"hello")
        line = self.words("sas", "pasted/dir/with space.txt")
        self.assertEqual(line.count("\n"), 1)
        answer = self.get(line.strip())
        self.assertEqual((answer.status, answer.body), (200, b"hello"))
        for target in ("pasted", ""):
            url = urllib.parse.urlsplit(self.server.cli("sas", *([target] if target else []))["url"])
            opened = f"http://{url.netloc}/devstoreaccount1/pasted/dir/with%20space.txt?{url.query}"
            self.assertEqual(self.get(opened).status, 200)

    def test_sas_options(self):
        self.container("options").upload_blob("a", b"hello")
        cases = ((["--permissions", "w"], (403, "AuthorizationPermissionMismatch")),
                 (["--https-only"], (403, "AuthorizationProtocolMismatch")),
                 (["--ip", "10.1.2.3"], (403, "AuthorizationSourceIPMismatch")),
                 (["--ip", "127.0.0.1"], (200, None)), (["--hours", "1", "--permissions", "r"], (200, None)))
        for options, wanted in cases:
            with self.subTest(options):
                answer = self.get(self.server.cli("sas", "options/a", *options)["url"])
                self.assertEqual((answer.status, answer.code), wanted)

    def test_a_sas_of_a_folders_marker(self):
        """Its name really ends in '/'."""
        box = self.server.account.client().create_container("marked")
        box.upload_blob("dir/", b"marker")
        box.upload_blob("dir/inside", b"inside")
        done = self.run_cli("sas", "marked/dir/", "--permissions", "r")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, 'tombolo: this opens the one blob "dir/", and nothing in a folder of that name\n')
        url = done.stdout.strip()
        self.assertEqual(self.get(url).body, b"marker")
        self.assertEqual(self.get(url.replace("dir/", "dir/inside")).status, 403)

    def test_sas_refusals(self):
        self.fails(["sas", "c", "--permissions", "rrz"], "read is r")
        self.fails(["sas", "c", "--hours", "0"], "hours")
        self.fails(["sas", "c", "--hours", "many"], "many|hours", status=2)

    def get(self, url: str) -> raw.Answer:
        split = urllib.parse.urlsplit(url)
        return raw.exchange(self.server.port, raw.request("GET", f"{split.path}?{split.query}"))


class RemotesJobsStatus(CliCase):
    settings = {"observe.census_seconds": 1}

    def test_a_remote_from_add_to_recall(self):
        archive = self.shared / "archive"
        archive.mkdir()
        self.assertEqual(self.server.cli("remote", "add", "archive", "--kind", "file", "--endpoint", archive),
                         {"name": "archive"})
        tried = self.server.cli("remote", "test", "archive")
        self.assertTrue(tried["ok"] and tried["steps"], tried)
        self.assertTrue(all(step["ok"] for step in tried["steps"]), tried)
        listed = self.server.cli("remote", "list")["remotes"]
        self.assertEqual([(r["name"], r["kind"], r["healthy"]) for r in listed], [("archive", "file", True)])
        self.assertIn("archive", self.words("remote", "list"))
        box = self.container("box")
        for number in range(3):
            box.upload_blob(f"in/{number}", b"x" * 100_000)
        box.upload_blob("other", b"y")
        job = self.server.cli("offload", "box/in/", "--to", "archive", "--evict")
        self.assertEqual((job["kind"], job["state"], job["ended"], job["error"]), ("offload", "done", True, ""))
        self.assertEqual((job["progress"]["objects_done"], job["progress"]["bytes_done"]), (3, 300_000))
        self.assertEqual(sorted(str(p.relative_to(archive)) for p in archive.glob("box/in/*")),
                         ["box/in/0", "box/in/1", "box/in/2"])
        status = self.server.cli("status")
        self.assertEqual((status["bytes_cold"], status["remotes"][0]["healthy"]), (300_000, True))
        self.assertEqual(box.download_blob("in/1").readall(), b"x" * 100_000)
        said = self.words("jobs")
        self.assertIn(job["id"], said)
        self.assertIn(job["id"], [j["id"] for j in self.server.cli("jobs")["jobs"]])
        self.assertEqual(self.server.cli("jobs", "--follow", job["id"])["state"], "done")
        self.assertEqual(self.server.cli("recall", "box")["state"], "done")
        self.assertEqual(self.server.cli("status")["bytes_cold"], 0)

    def test_detached_jobs_are_followed_later(self):
        target = self.shared / "detached"
        target.mkdir()
        self.server.cli("remote", "add", "detached", "--kind", "file", "--endpoint", target)
        self.container("far").upload_blob("a", b"z" * 1000)
        queued = self.server.cli("offload", "far", "--to", "detached", "--detach")
        self.assertEqual(self.server.cli("jobs", "--follow", queued["id"])["progress"]["objects_done"], 1)

    def test_refusals(self):
        self.fails(["remote", "add", "bad", "--kind", "tape", "--endpoint", "/x"], "azure, file", status=2)
        self.fails(["remote", "add", "gone", "--kind", "file", "--endpoint", str(self.shared / "missing")], "missing")
        self.fails(["remote", "test", "nobody"], "nobody")
        self.fails(["offload", "box", "--to", "nobody"], "nobody")
        self.fails(["offload", "box"], "--to", status=2)
        self.fails(["recall", "never-made"], 'no container "never-made"')
        self.fails(["jobs", "--follow", "00000000000000000000000000000000"], "job")

    def test_status_and_fsck(self):
        self.container("counted").upload_blob("a", b"12345")
        status = self.server.cli("status")
        for member in ("version", "durability", "uptime_seconds", "objects", "bytes", "bytes_local", "bytes_cold",
                       "bytes_cached", "segment_file_bytes", "open_segment_bytes", "disk_free_bytes", "log_bytes",
                       "exposed", "stopped_reason", "jobs_running", "remotes"):
            self.assertIn(member, status)
        self.assertTrue(status["durability"].startswith("local"), status["durability"])
        self.assertEqual(status["stopped_reason"], "")
        self.assertRegex(self.words("status"), r"durability\s+local")
        deadline = time.monotonic() + 30
        while (self.server.cli("status")["exposed"] or {}).get("bytes", 0) < 5:
            self.assertLess(time.monotonic(), deadline, "never counted")
            time.sleep(0.2)
        exposed = self.server.cli("status")["exposed"]
        self.assertGreaterEqual(exposed["objects"], 1)
        self.assertRegex(exposed["counted"], r"^\d{4}-\d\d-\d\dT")
        self.assertRegex(self.words("status"), r"exposed\s+[0-9.]+ [KMG]?i?B on this machine only, the oldest for \d")
        report = self.server.cli("fsck")
        self.assertEqual((report["findings_total"], report["findings"]), (0, []))
        self.assertGreater(report["bytes_verified"], 0)
        self.assertRegex(self.words("fsck", "--depth", "rows"), r"findings\s+0")
        self.fails(["fsck", "--depth", "deep"], "deep|rows", status=2)


class Reaching(CliCase):
    """How a command finds its server, and what it says when it does not."""

    def bare(self, *arguments, **env) -> subprocess.CompletedProcess:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
        return subprocess.run([need("TOMBOLO_BIN"), *arguments], env={**clean, **env}, capture_output=True, text=True,
                              timeout=60)

    def test_by_data_directory_by_variable_and_by_address(self):
        token = (self.server.data / "admin.token").read_text().strip()
        url = f"http://127.0.0.1:{self.server.admin_port}"
        for arguments, env in ((["--data", str(self.server.data), "status"], {}),
                               (["status", "--data", str(self.server.data)], {}),
                               (["status"], {"TOMBOLO_DATA": str(self.server.data)}),
                               (["status"], {"TOMBOLO_ADMIN_TOKEN": token, "TOMBOLO_ADMIN_URL": url}),
                               (["--admin", url, "status"], {"TOMBOLO_ADMIN_TOKEN": token})):
            with self.subTest(arguments):
                done = self.bare(*arguments, **env)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_no_server_named(self):
        done = self.bare("status")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "--data DIR")

    def test_nobody_answers(self):
        done = self.bare("status", TOMBOLO_ADMIN_TOKEN="0" * 64, TOMBOLO_ADMIN_URL=f"http://127.0.0.1:{free_port()}")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, "is `tombolo serve` running")

    def test_a_wrong_token(self):
        wrong = {"TOMBOLO_ADMIN_TOKEN": "0" * 64, "TOMBOLO_ADMIN_URL": f"http://127.0.0.1:{self.server.admin_port}"}
        self.fails(["status"], "admin.token", env=wrong)
        self.fails(["account", "create", "intruder"], "admin.token", env=wrong)
        self.assertNotIn("intruder", self.words("account", "list"))
        self.assertEqual(http_get(self.server.admin_port, "/v1/status")[0], 401)

    def test_the_secrets_on_disk_are_private(self):
        for name in ("admin.token", "root.key"):
            self.assertEqual(stat.S_IMODE((self.server.data / name).stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.server.data.stat().st_mode), 0o700)

    def test_version_and_help(self):
        self.assertRegex(self.bare("--version").stdout, r"^tombolo \d")
        self.assertIn("offload", self.bare("--help").stdout)
        self.assertIn("--listen", self.bare("serve", "--help").stdout)

    def test_health_and_metrics(self):
        self.assertEqual(http_get(self.server.admin_port, "/healthz")[0], 200)
        status, text = http_get(self.server.admin_port, "/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b"# TYPE tombolo_", text)


class SeveralAccounts(TempCase):
    def test_the_account_must_be_named(self):
        with Tombolo(self.folder / "server", dev=False) as server:
            with self.assertRaisesRegex(RuntimeError, "account create NAME"):
                server.cli("container", "create", "box")
            for name in ("one11", "two22"):
                server.cli("account", "create", name)
            with self.assertRaisesRegex(RuntimeError, "--account NAME"):
                server.cli("container", "create", "box")
            self.assertEqual(server.cli("container", "create", "box", "--account", "two22")["account"], "two22")


if __name__ == "__main__":
    suite.main()
