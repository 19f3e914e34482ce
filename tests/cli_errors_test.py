#!/usr/bin/env python3
"""What a person can do wrong, or find wrong: each error says what to do next, and the exit status is the documented one
(docs/cli.md): 1 it could not be done, 2 wrong usage, 3 no server answers."""
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from harness import suite
from harness.azurite import Azurite
from harness.case import ServerCase, TempCase
from harness.process import ProgramEnded, free_port, need
from harness.proxy import LyingProxy
from harness.tombolo import Tombolo

FAILED, USAGE, NO_SERVER = 1, 2, 3


def run(*arguments, cwd=None, limit_s: float = 60, **env) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
    return subprocess.run([need("TOMBOLO_BIN"), *map(str, arguments)], env={**clean, **env}, cwd=cwd,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s)


class Errors:
    def says(self, status: int, wanted: str, *arguments, **more):
        """Fails with that status and one line on standard error that holds `wanted`, a regular expression."""
        done = run(*arguments, **more)
        with self.subTest(" ".join(map(str, arguments))):
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertRegex(done.stderr, wanted)
            self.assertTrue(done.stderr.splitlines()[-1].startswith("tombolo: "), done.stderr)


class Usage(Errors, TempCase):
    """Nothing is tried: no server is needed."""

    def test_words(self):
        for wanted, arguments in (
                ("tombolo help", []),
                ('no command "stauts"; did you mean "status"\\?', ["stauts"]),
                ('no command "frobnicate"; `tombolo help` lists them all', ["frobnicate"]),
                ("`tombolo remote` needs one more word: add, update, list, test", ["remote"]),
                ('`tombolo remote` has no "tset"; did you mean "test"', ["remote", "tset", "x"]),
                ("has no option --evcit; did you mean \"--evict\"", ["offload", "box", "--to", "x", "--evcit"]),
                ("needs --to REMOTE: Name of the remote", ["offload", "box", "--evict"]),
                ("--to needs a value: --to REMOTE", ["offload", "box", "--to"]),
                ("needs NAME: 3 to 63 lower-case", ["container", "create"]),
                ("--follow is empty: is a variable of your shell not set", ["jobs", "--follow", ""]),
                ("one word too many.*quote what has spaces", ["container", "create", "my", "box"]),
                ("not one of azure, file", ["remote", "add", "x", "--kind", "s3", "--endpoint", "y"]),
                ("not one of rows, bytes, all; did you mean \"bytes\"", ["fsck", "--depth", "byte"]),
                ("--hours \"1d\" is not a whole number", ["sas", "box", "--hours", "1d"]),
                ("--bytes \"8MB\" is not .*write 8MiB", ["remote", "test", "x", "--bytes", "8MB"]),
                ("not one of bash, zsh, fish", ["completion", "tcsh"]),
                ("no command \"ofload\"; did you mean \"offload\"", ["help", "ofload"]),
                ("KEY=VALUE.*--help-settings", ["serve", "--set", "cache.bytes"])):
            self.says(USAGE, wanted, *arguments)

    def test_no_server_is_named(self):
        self.says(FAILED, "--data DIR.*TOMBOLO_DATA", "status")

    def test_a_directory_without_a_server(self):
        self.says(FAILED, "tombolo serve --data .*nothing", "--data", self.folder / "nothing", "status")

    def test_an_address_that_is_none(self):
        self.says(FAILED, "no admin URL; write it like http", "--admin", "localhost", "status", TOMBOLO_ADMIN_TOKEN="0")

    def test_nobody_answers(self):
        self.says(NO_SERVER, "no tombolo answers.*is `tombolo serve` running", "status",
                  TOMBOLO_ADMIN_TOKEN="0" * 64, TOMBOLO_ADMIN_URL=f"http://127.0.0.1:{free_port()}")

    def test_a_server_that_has_stopped(self):
        with Tombolo(self.folder / "server") as server:
            pass
        self.says(NO_SERVER, "Start it", "--data", server.data, "status")
        self.says(NO_SERVER, "Start it", "--data", server.data, "offload", "box", "--to", "x")

    def test_a_host_that_does_not_answer(self):
        with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            for one in (first, second):  # they fill its queue: the next SYN is dropped
                one.setblocking(False)
                one.connect_ex(deaf.getsockname())
            self.says(NO_SERVER, "no tombolo answers", "container", "delete", "box", "--account", "a",
                      TOMBOLO_ADMIN_TOKEN="0" * 64, TOMBOLO_ADMIN_URL=f"http://127.0.0.1:{deaf.getsockname()[1]}")

    def test_remotes_that_do_not_answer_are_waited_for_side_by_side(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf, Tombolo(self.folder / "server") as server:
            for number in range(4):
                server.cli("remote", "add", f"deaf{number}", "--kind", "azure", "--bucket", "bucket", "--remote-account", "a",
                           "--endpoint", f"http://127.0.0.1:{deaf.getsockname()[1]}/a",
                           env={**server.env, "TOMBOLO_REMOTE_KEY": "a2V5"})
            for command in (["remote", "list"], ["status"]):
                begun = time.monotonic()
                told = server.cli(*command)["remotes"]
                self.assertLess(time.monotonic() - begun, 12, "5 s each")
                self.assertEqual([remote["name"] for remote in told], [f"deaf{number}" for number in range(4)])
                for remote in told:
                    self.assertFalse(remote["healthy"])
                    self.assertRegex(remote["problem"], "no answer within 5 s")

    def test_a_server_that_ends_before_its_answer(self):
        """Something may have been done: 3 would say that nothing was."""
        with socket.create_server(("127.0.0.1", 0)) as dying:
            def die():
                for _ in range(2):
                    one, _ = dying.accept()
                    one.recv(65536)
                    one.close()

            thread = threading.Thread(target=die)
            thread.start()
            here = {"TOMBOLO_ADMIN_TOKEN": "0" * 64, "TOMBOLO_ADMIN_URL": f"http://127.0.0.1:{dying.getsockname()[1]}"}
            self.says(FAILED, "the answer was lost.*it may have been done", "container", "delete", "box", "--account", "a",
                      **here)
            self.says(FAILED, "the answer was lost.*ask again", "status", **here)
            thread.join()

    def test_the_root_key_of_another_cell(self):
        with Tombolo(self.folder / "server", dev=False) as server:
            server.cli("account", "create", "mystore")
        key = server.data / "root.key"
        right = key.read_text()
        key.write_text("ab" * 32)
        wanted = "root.key is not the key of this cell.*from your backup"
        self.says(FAILED, wanted, "fsck", "--data", server.data)
        with self.assertRaisesRegex(ProgramEnded, f"(?s)status 1 .*{wanted}"):
            server.start()
        key.write_text(right)
        with server:
            self.assertEqual([a["name"] for a in server.cli("account", "list")["accounts"]], ["mystore"])

    def test_a_server_that_breaks_off_is_not_checked_behind_its_back(self):
        with Tombolo(self.folder / "server") as server:
            pass
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def hang_up():
                while True:
                    try:
                        listener.accept()[0].close()
                    except OSError:
                        return
            threading.Thread(target=hang_up, daemon=True).start()
            self.says(FAILED, "the answer was lost", "fsck", "--data", server.data, "--admin",
                      f"http://127.0.0.1:{listener.getsockname()[1]}")

    def test_something_else_answers(self):
        azurite = Azurite(self.folder / "azurite")
        with azurite:
            self.says(FAILED, "is this tombolo's admin address", "status", TOMBOLO_ADMIN_TOKEN="0" * 64,
                      TOMBOLO_ADMIN_URL=f"http://127.0.0.1:{azurite.port}")


class Serving(Errors, TempCase):
    def serve(self, status: int, wanted: str, *arguments, **more):
        ports = {"TOMBOLO_SERVER_LISTEN": "127.0.0.1:0", "TOMBOLO_SERVER_ADMIN_LISTEN": "127.0.0.1:0"}
        self.says(status, wanted, "serve", *arguments, **{**ports, **more})

    def test_settings(self):
        data = self.folder / "d"
        for wanted, arguments in (
                ("--data DIR", []),
                ('no setting "cache.bites"; did you mean "cache.bytes"\\? .*--help-settings', ["--set", "cache.bites=1"]),
                ('no setting "nonsense.at.all"; .*--help-settings', ["--set", "nonsense.at.all=1"]),
                ('cache.bytes = "1GB" is not .*KiB, MiB, GiB or TiB.*write 1GiB', ["--set", "cache.bytes=1GB"]),
                ('server.dev = "yes" is not true or false', ["--set", "server.dev=yes"]),
                ('"10000" is no address:port; write it like 127.0.0.1:10000', ["--listen", "10000"]),
                ("--dev .*loopback.*drop --dev", ["--dev", "--listen", "0.0.0.0:10000"]),
                ("must be debug, info, warn or error", ["--set", "server.log_level=verbose"]),
                ("cannot read the config file .*--config", ["--config", self.folder / "none.toml"])):
            self.serve(FAILED, wanted, *(["--data", data] if arguments else []), *arguments)
        self.serve(FAILED, "TOMBOLO_CACHE_BYTES.*write 1GiB", "--data", data, TOMBOLO_CACHE_BYTES="1gb")
        # A variable may be somebody else's: the start goes on, here to the address that is taken.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            names = {"TOMBOLO_CACHE_BITES": "5up3r", "TOMBOLO_SERVER_SERVICE_HOST": "10.0.0.1",
                     "TOMBOLO_DATA_PORT_80_TCP_ADDR": "10.0.0.1"}
            self.serve(FAILED, 'TOMBOLO_CACHE_BITES is passed over: .*did you mean "cache.bytes"', "--data",
                       self.folder / "e", "--listen", f"127.0.0.1:{port}", **names)
            done = run("fsck", "--data", self.folder / "e", "--json", **names)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("TOMBOLO_"), 1, "fsck of a stopped server warns of the same")
            self.assertNotIn("5up3r", done.stderr)
            # Written down, so done, and warned of; 127.0.0.1 would be quiet.
            self.serve(FAILED, "admin token.* in clear.*tls.admin_listen", "--data", self.folder / "e", "--listen",
                       f"127.0.0.1:{port}", "--admin-listen", "0.0.0.0:0")
        config = self.folder / "tombolo.toml"
        config.write_text("[cache]\nbites = 2\n")
        self.serve(FAILED, 'tombolo.toml: .*did you mean "cache.bytes"', "--data", data, "--config", config)
        config.write_text("[cache\n")
        self.serve(FAILED, "tombolo.toml:1", "--data", data, "--config", config)
        self.assertFalse(data.exists(), "refused before anything is made")

    def test_addresses(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.serve(FAILED, f"cannot listen on {address}.*--listen ADDRESS:PORT.*ss -ltnp", "--data",
                       self.folder / "d", "--listen", address)
            self.serve(FAILED, f"cannot listen on {address}.*--admin-listen ADDRESS:PORT", "--data", self.folder / "d",
                       "--admin-listen", address)
        self.serve(FAILED, "cannot listen on 192.0.2.1.*of this machine", "--data", self.folder / "d", "--listen",
                   "192.0.2.1:10000")

    def test_directories(self):
        (self.folder / "file").write_text("x")
        self.serve(FAILED, "a file where a directory should be.*--data", "--data", self.folder / "file")
        self.serve(FAILED, "--data directory", "--data", self.folder / "file" / "below")
        with Tombolo(self.folder / "server") as server:
            self.serve(FAILED, "in use by another tombolo; stop that one", "--data", server.data)
        for secret, wanted in (("root.key", "restore it from your backup"), ("admin.token", "restore it from your backup")):
            kept = (server.data / secret).read_text()
            (server.data / secret).write_text("nonsense\n")
            self.serve(FAILED, wanted, "--data", server.data)
            (server.data / secret).write_text(kept)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_directories_of_others(self):
        """As nobody, whom neither the directory nor what is above it belongs to."""
        closed = self.folder / "closed"
        closed.mkdir(mode=0o755)
        pathlib.Path(self.folder).chmod(0o755)
        binary = self.folder / "tombolo"
        os.link(need("TOMBOLO_BIN"), binary) if os.stat(need("TOMBOLO_BIN")).st_dev == os.stat(self.folder).st_dev \
            else binary.write_bytes(pathlib.Path(need("TOMBOLO_BIN")).read_bytes())
        binary.chmod(0o755)
        for data, wanted in ((closed, "belongs to user 0 and tombolo runs as user 65534.*chown"),
                             (closed / "data", "belongs to user 0 and tombolo runs as user 65534")):
            done = subprocess.run([binary, "serve", "--data", data], user=65534, group=65534, extra_groups=[],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertRegex(done.stderr, wanted)
        with Tombolo(self.folder / "server") as server:
            done = subprocess.run([binary, "--data", server.data, "status"], user=65534, group=65534, extra_groups=[],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertRegex(done.stderr, "run this as the user that runs the server")


class Asking(Errors, ServerCase):
    def ask(self, status: int, wanted: str, *arguments, **env):
        self.says(status, wanted, "--data", self.server.data, *arguments, **env)

    def test_things_that_are_not_there(self):
        self.server.cli("container", "create", "box")
        for wanted, arguments in (
                ('no account "nobody": `tombolo account list`', ["account", "keys", "nobody"]),
                ('no account "nobody": `tombolo account list`', ["container", "list", "--account", "nobody"]),
                ('no account "nobody": `tombolo account list`', ["sas", "box", "--account", "nobody"]),
                ('no container "none": `tombolo container list`', ["container", "delete", "none"]),
                ('no container "none": `tombolo container list`', ["recall", "none"]),
                ('no remote named "none".*`tombolo remote list`.*`tombolo remote add`', ["offload", "box", "--to", "none"]),
                ('no remote "none": `tombolo remote list`', ["remote", "test", "none"]),
                ('no remote "none": `tombolo remote list`', ["remote", "update", "none", "--bucket", "b"]),
                ("`tombolo jobs` lists them", ["jobs", "--follow", "ffffffffffffffff"]),
                ("`tombolo jobs` lists them", ["jobs", "--cancel", "not-an-id"])):
            self.ask(FAILED, wanted, *arguments)

    def test_names(self):
        self.server.cli("container", "create", "twice")
        for wanted, arguments in (
                ("exists: take another name.*account keys devstoreaccount1", ["account", "create", "devstoreaccount1"]),
                ("use 3 to 24 lower-case letters and digits", ["account", "create", "My-Store"]),
                ('"twice" exists: use it as it is, or take another name', ["container", "create", "twice"]),
                ("use 3 to 63 lower-case letters", ["container", "create", "My_Box"]),
                ("read is r, add a, create c, write w, delete d, list l", ["sas", "twice", "--permissions", "rz"]),
                ('"hours" must be 1 to 8784', ["sas", "twice", "--hours", "0"])):
            self.ask(FAILED, wanted, *arguments)

    def test_a_variable_that_is_not_set_opens_no_more_than_was_wanted(self):
        self.server.cli("container", "create", "unset")
        for command in (["sas"], ["offload", "--to", "x"], ["recall"]):
            self.ask(FAILED, "no container before the '/': is a variable", *command, "/file")
            self.ask(FAILED, "nothing behind the '/'.*whole container write unset$", *command, "unset/")
        for empty in ("unset//", "unset/folder//"):
            self.ask(FAILED, "A SAS opens one blob.*or the container \\(unset\\)", "sas", empty)
        token = (self.server.data / "admin.token").read_text().strip()
        for wanted, body in (("needs .*container", {"blob": "b"}), ("container.* is empty", {"container": ""}),
                             ("container.* is empty", {"container": "", "blob": "b"}),
                             ("blob.* is empty", {"container": "unset", "blob": ""})):
            asked = urllib.request.Request(
                f"http://127.0.0.1:{self.server.admin_port}/v1/accounts/devstoreaccount1/sas", json.dumps(body).encode(),
                {"Authorization": f"Bearer {token}"})
            with self.subTest(body), self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked, timeout=60)
            self.assertEqual(refused.exception.code, 400)
            self.assertRegex(json.load(refused.exception)["error"]["message"], wanted)

    def test_remotes_that_cannot_be(self):
        url = f"http://127.0.0.1:{self.server.port}/devstoreaccount1"
        key = {"TOMBOLO_REMOTE_KEY": "a2V5"}
        azure = ["--kind", "azure", "--bucket", "box", "--remote-account", "me", "--endpoint"]
        for wanted, arguments, env in (
                ("is this server itself.*somewhere else", ["self", *azure, url], key),
                ("is this server itself", ["self", *azure, f"http://localhost:{self.server.port}/me"], key),
                ("in this server's data directory.*outside it", ["in", "--kind", "file", "--endpoint", self.server.data], {}),
                ("make it \\(mkdir -p\\)", ["gone", "--kind", "file", "--endpoint", self.folder / "gone"], {}),
                ("TOMBOLO_REMOTE_KEY with --remote-account", ["nokey", *azure, "http://h"], {}),
                ("prefix must end in '/'", ["p", *azure, "http://h", "--prefix", "x"], key),
                ("lower-case letters, digits and '-'", ["Big", *azure, "http://h"], key),
                ("not an endpoint's URL", ["u", *azure, "blob.example"], key)):
            self.ask(FAILED, wanted, "remote", "add", *arguments, **env)
        made = {remote["name"] for remote in self.server.cli("remote", "list")["remotes"]}
        self.assertFalse(made & {"self", "in", "gone", "nokey", "p", "Big", "u"})

    def test_remotes_that_are_given_twice_or_not_changed(self):
        there = self.shared / "there"
        there.mkdir()
        self.server.cli("remote", "add", "there", "--kind", "file", "--endpoint", there)
        self.ask(FAILED, "`tombolo remote update there` changes it", "remote", "add", "there", "--kind", "file",
                 "--endpoint", there)
        self.ask(FAILED, "nothing to change: pass --endpoint", "remote", "update", "there")

    def test_a_wrong_token(self):
        self.says(FAILED, "refuses the token.*admin.token", "status", TOMBOLO_ADMIN_TOKEN="0" * 64,
                  TOMBOLO_ADMIN_URL=f"http://127.0.0.1:{self.server.admin_port}")


class RemoteTest(Errors, TempCase):
    """`tombolo remote test` against a service of another kind: what it measures, and what it says of each fault."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        temp = suite_folder(cls)
        cls.azurite = Azurite(temp / "azurite")
        cls.azurite.start()
        cls.addClassCleanup(cls.azurite.stop)
        cls.proxy = LyingProxy(cls.azurite.port, temp)
        cls.proxy.start()
        cls.addClassCleanup(cls.proxy.stop)
        cls.server = Tombolo(temp / "server")
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        cls.box = cls.azurite.account.client().create_container("cold")
        cls.via = f"http://127.0.0.1:{cls.proxy.port}/{cls.azurite.account.name}"
        cls.server.add_azure_remote("cold", cls.azurite.account, "cold", endpoint=cls.via)

    def setUp(self):
        super().setUp()
        self.proxy.reset()
        self.addCleanup(self.proxy.set_faults, [])

    def tried(self, name: str, *options: str, faults: list[dict] | None = None) -> tuple[int, str]:
        self.proxy.set_faults(faults or [])
        done = run("--data", self.server.data, "remote", "test", name, *options, limit_s=120)
        self.assertEqual(done.stderr, "")
        self.assertEqual(list(self.box.list_blobs()), [], "something is left behind")
        return done.returncode, done.stdout

    def add(self, name: str, bucket: str = "cold", endpoint: str = "", **secrets: str):
        run_env = {f"TOMBOLO_REMOTE_{kind.upper()}": text for kind, text in secrets.items()}
        done = run("--data", self.server.data, "remote", "add", name, "--kind", "azure", "--endpoint",
                   endpoint or self.via, "--bucket", bucket, "--remote-account", self.azurite.account.name, **run_env)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_it_measures_and_tells_the_cost(self):
        told = self.server.cli("remote", "test", "cold", "--bytes", "1MiB", "--seconds", "3")
        self.assertEqual(list(self.box.list_blobs()), [])
        self.assertTrue(told["ok"])
        self.assertEqual(set(told["checks"].values()), {"ok"})
        self.assertEqual(set(told["checks"]), {"put", "get", "head", "list", "delete", "if_none_match", "if_match"})
        measured = told["measured"]
        for times in (measured["first_byte"], measured["range"]):
            self.assertGreater(times["samples"], 5)
            self.assertTrue(0 < times["p50_ms"] <= times["p95_ms"] <= times["p99_ms"], times)
        self.assertLessEqual(measured["first_byte"]["p50_ms"], measured["range"]["p50_ms"])
        self.assertGreater(measured["put_bytes_per_second"], 1e5)
        self.assertGreater(measured["get_bytes_per_second"], 1e5)
        self.assertLess(abs(told["clock_skew_seconds"]), 3)
        counts = self.proxy.counts()
        self.assertLess(counts["bytes_up"], 2 << 20)
        self.assertLess(counts["bytes_down"], (2 << 20) + measured["range"]["samples"] * 40_000)
        page = (pathlib.Path(__file__).resolve().parent.parent / "docs/remotes.md").read_text()
        self.assertEqual([c["class"] for c in told["cost"]["classes"]], ["hot", "cool", "cold"])
        for one in told["cost"]["classes"]:
            days = f"{one['days_min']} days" if one["days_min"] else "–"
            self.assertIn(f"| {one['class']} | ${one['per_million_reads']:.2f} | ${one['per_million_writes']:.2f} | "
                          f"${one['per_gb_retrieved']:.2f} | ${one['per_gb_month']:.4f} | {days} |", page)
            self.assertIn(f"${one['million_cold_reads']:.2f}", page)

    def test_in_words(self):
        status, said = self.tried("cold", "--bytes", "256KiB", "--seconds", "1")
        self.assertEqual(status, 0, said)
        for wanted in ("first byte +p50 [0-9.]+ ms, p95", "32.0 KiB range", "put +[0-9.]+ MB/s", "get +[0-9.]+ MB/s",
                       "clock +as this machine's", "hot +\\$0.40", "cold +\\$10.00"):
            self.assertRegex(said, wanted)

    def test_latency_is_seen(self):
        told = None
        self.proxy.set_faults([{"method": "GET", "do": "delay", "seconds": 0.1}])
        told = self.server.cli("remote", "test", "cold", "--bytes", "64KiB", "--seconds", "2")
        self.assertGreaterEqual(told["measured"]["first_byte"]["p50_ms"], 100)
        self.assertLess(told["measured"]["seconds"], 10)

    def test_what_is_wrong_is_named(self):
        self.add("wrongkey", key="d3Jvbmc=")
        self.add("nobox", bucket="never-made", key=self.azurite.account.key)
        self.add("down", endpoint=f"http://127.0.0.1:{free_port()}/x", key=self.azurite.account.key)
        read_only = self.azurite.account.container_url("cold", permissions="rl").split("?")[1]
        self.add("readonly", sas=read_only)
        undeletable = self.azurite.account.container_url("cold", permissions="racwl").split("?")[1]
        self.add("undeletable", sas=undeletable)
        for name, wanted in (("wrongkey", "the key or SAS is wrong.*tombolo remote update"),
                             ("nobox", "ContainerNotFound; make the container there"),
                             ("down", "Connection refused|connection refused"),
                             ("readonly", "delete what is not there.*FAILED.*r, w, c, d and l"),
                             ("undeletable", "delete what is not there.*FAILED.*r, w, c, d and l")):
            with self.subTest(name):
                status, said = self.tried(name)
                self.assertEqual(status, FAILED, said)
                self.assertRegex(said, wanted)
                self.assertIn("Mend what FAILED", said)
        checks = run("--data", self.server.data, "--json", "remote", "test", "readonly")
        self.assertRegex(checks.stdout, '"list": "ok"')
        self.assertRegex(checks.stdout, '"put": "not tried"')

    def test_a_new_key_mends_it(self):
        self.add("mended", key="d3Jvbmc=")
        self.assertEqual(self.tried("mended")[0], FAILED)
        update = ["--data", self.server.data, "remote", "update", "mended"]
        right = {"TOMBOLO_REMOTE_KEY": self.azurite.account.key}
        for wanted, options, env in (("is set, and without --credentials.*or unset TOMBOLO_REMOTE_KEY", [], right),
                                     ("TOMBOLO_REMOTE_SAS is set", ["--bucket", "cold"], {"TOMBOLO_REMOTE_SAS": "sig=x"}),
                                     ("neither is set", ["--credentials"], {})):
            self.says(FAILED, wanted, *update, *options, **env)
        kept = run(*update, "--bucket", "cold")
        self.assertRegex(kept.stdout, "credential +kept")
        self.assertEqual(self.tried("mended")[0], FAILED)
        done = run(*update, "--credentials", **right)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "credential +replaced")
        self.assertEqual(self.tried("mended", "--bytes", "0")[0], 0)


def suite_folder(cls) -> pathlib.Path:
    import tempfile
    temp = tempfile.TemporaryDirectory(prefix="tombolo-")
    cls.addClassCleanup(temp.cleanup)
    return pathlib.Path(temp.name)


if __name__ == "__main__":
    suite.main()
