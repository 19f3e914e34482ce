#!/usr/bin/env python3
"""`tombolo serve` starts or says why not, stops without losing what it took, and recovers by itself after kill -9."""
import os
import pathlib
import signal
import subprocess
import threading
import time

from harness import raw, suite
from harness.azcopy import AzCopy
from harness.case import TempCase
from harness.process import free_port, http_get, need
from harness.tombolo import Tombolo
from harness.tree import differences, make_tree

BLOB = {"x-ms-blob-type": "BlockBlob"}


class Starting(TempCase):
    def serve(self, *arguments, **env) -> subprocess.CompletedProcess:
        """A start that must fail."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
        done = subprocess.run([need("TOMBOLO_BIN"), "serve", *map(str, arguments)], env={**clean, **env},
                              capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done

    def ports(self) -> dict:
        return {"TOMBOLO_SERVER_LISTEN": f"127.0.0.1:{free_port()}",
                "TOMBOLO_SERVER_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"}

    def test_dev_serves_loopback_only(self):
        for address in ("0.0.0.0:0", "192.0.2.1:10000", "[::]:0"):
            done = self.serve("--data", self.folder / "d", "--dev", "--listen", address)
            self.assertRegex(done.stderr, "--dev .*loopback")
        self.assertFalse((self.folder / "d").exists(), "refused before anything is made")

    def test_no_data_directory(self):
        self.assertIn("--data DIR", self.serve().stderr)

    def test_settings_that_are_wrong(self):
        data = self.folder / "d"
        self.assertIn("cache.bites", self.serve("--data", data, "--set", "cache.bites=1").stderr)
        self.assertIn("cache.bytes", self.serve("--data", data, "--set", "cache.bytes=lots").stderr)
        self.assertIn("KEY=VALUE", self.serve("--data", data, "--set", "cache.bytes").stderr)
        self.assertIn("TOMBOLO_CACHE_BYTES", self.serve("--data", data, TOMBOLO_CACHE_BYTES="lots").stderr)
        config = self.folder / "tombolo.toml"
        config.write_text("[cache]\nbytes = 1\nbites = 2\n")
        self.assertRegex(self.serve("--data", data, "--config", config).stderr, "tombolo.toml.*cache.bites")
        config.write_text("[cache\n")
        self.assertIn("tombolo.toml:1", self.serve("--data", data, "--config", config).stderr)
        self.assertIn("missing.toml", self.serve("--data", data, "--config", self.folder / "missing.toml").stderr)
        self.assertFalse(data.exists())

    def test_flags_override_the_environment_and_that_the_file(self):
        config = self.folder / "tombolo.toml"
        ports = [free_port() for _ in range(3)]
        config.write_text(f'[server]\nadmin_listen = "127.0.0.1:{ports[0]}"\n')
        for port, env, flags in ((ports[0], {}, []),
                                 (ports[1], {"TOMBOLO_SERVER_ADMIN_LISTEN": f"127.0.0.1:{ports[1]}"}, []),
                                 (ports[2], {"TOMBOLO_SERVER_ADMIN_LISTEN": f"127.0.0.1:{ports[1]}"},
                                  ["--admin-listen", f"127.0.0.1:{ports[2]}"])):
            server = Tombolo(self.folder / "server")
            for name in ("TOMBOLO_SERVER_ADMIN_LISTEN", "TOMBOLO_SERVER_DATA"):
                server.env.pop(name)
            server.env.update(env)
            server.command += ["--config", str(config), *flags]
            server.admin_port = port
            with server:
                self.assertEqual(http_get(port, "/healthz")[0], 200)

    def test_a_directory_in_use(self):
        with Tombolo(self.folder / "server") as server:
            done = self.serve("--data", server.data, **self.ports())
            self.assertIn("in use by another tombolo", done.stderr)
            self.assertEqual(http_get(server.admin_port, "/healthz")[0], 200)

    def test_a_port_in_use(self):
        with Tombolo(self.folder / "server") as server:
            done = self.serve("--data", self.folder / "other", "--listen", f"127.0.0.1:{server.port}",
                              "--admin-listen", f"127.0.0.1:{free_port()}")
            self.assertIn(str(server.port), done.stderr)

    def test_a_port_that_takes_a_capability(self):
        everybody_from = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if everybody_from <= 1:
            self.skipTest("everybody may bind every port here")
        command = ["setpriv", "--bounding-set", "-net_bind_service", need("TOMBOLO_BIN"), "serve", "--data",
                   self.folder / "server", "--listen", "127.0.0.1:1", "--admin-listen", f"127.0.0.1:{free_port()}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CAP_NET_BIND_SERVICE", done.stderr)

    def test_a_missing_root_key_is_no_new_key(self):
        with Tombolo(self.folder / "server") as server:
            server.cli("account", "create", "mystore")
        (server.data / "root.key").unlink()
        self.assertRegex(self.serve("--data", server.data, **self.ports()).stderr, "root.key is missing.*backup")

    def test_a_key_that_others_may_read(self):
        with Tombolo(self.folder / "server") as server:
            pass
        (server.data / "root.key").chmod(0o644)
        self.assertIn("chmod 600", self.serve("--data", server.data, **self.ports()).stderr)


class Stopping(TempCase):
    def setUp(self):
        super().setUp()
        self.server = Tombolo(self.folder / "server")
        self.server.start()
        self.addCleanup(self.server.kill9)
        self.box = self.server.account.client().get_container_client("box")
        self.box.create_container()

    def put(self, name: str, size: int) -> tuple[raw.Connection, bytes]:
        """An upload of which only the head and half of the body have been sent."""
        body = os.urandom(size)
        data = raw.signed(self.server.account, "PUT", f"/{self.server.account.name}/box/{name}", BLOB, body)
        connection = raw.Connection(self.server.port)
        connection.send(data[:-size // 2])
        return connection, data[-size // 2:]

    def test_an_upload_that_runs_is_finished(self):
        connection, rest = self.put("half", 4 << 20)
        with connection:
            self.server.process.send_signal(signal.SIGTERM)
            self.server.wait_until(lambda: "stopping" in self.server.tail(), "word of stopping")
            for _ in range(5):  # the admin API closes last
                self.assertEqual(http_get(self.server.admin_port, "/healthz")[0], 503)
                time.sleep(0.1)
            self.assertEqual(http_get(self.server.admin_port, "/metrics")[0], 200)
            connection.send(rest)
            answer = connection.answer()
            self.assertEqual(answer.status, 201)
            self.assertEqual(answer.headers.get("connection"), "close")
        self.assertEqual(self.server.process.wait(30), 0)
        self.server.start()
        self.assertEqual(self.box.get_blob_client("half").get_blob_properties().size, 4 << 20)

    def test_an_upload_that_hangs_is_given_up(self):
        self.server.stop()
        self.server.env["TOMBOLO_SERVER_STOP_SECONDS"] = "1"
        self.server.start()
        connection, _ = self.put("hangs", 4 << 20)
        with connection:
            self.assertEqual(self.server.stop(limit_s=20), 0)
        self.server.start()
        self.assertEqual(list(self.box.list_blobs(include=["uncommittedblobs"])), [])

    def test_all_listeners_share_the_time_of_a_stop(self):
        self.server.stop()
        self.server.env["TOMBOLO_SERVER_STOP_SECONDS"] = "4"
        self.server.start()
        token = (self.server.data / "admin.token").read_text().strip()
        hanging, _ = self.put("hangs", 4 << 20)
        with hanging, raw.Connection(self.server.admin_port) as asking:
            asking.send(f"POST /v1/accounts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
                        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode())
            time.sleep(0.5)
            begun = time.monotonic()
            self.assertEqual(self.server.stop(limit_s=20), 0)
            self.assertLess(time.monotonic() - begun, 7)

    def test_an_idle_connection_does_not_hold_it_up(self):
        with raw.Connection(self.server.port):
            self.assertEqual(self.server.stop(limit_s=10), 0)

    def test_nothing_is_lost_by_kill_9(self):
        """Writers write until it dies; afterwards each acknowledged blob is whole and nothing else is there in part."""
        acknowledged, tried = {}, {}

        def write(worker: int):
            for number in range(10_000):
                name, body = f"{worker}/{number}", os.urandom(1 + (number * 7919) % 50_000)
                tried[name] = body
                data = raw.signed(self.server.account, "PUT", f"/{self.server.account.name}/box/{name}", BLOB, body)
                try:
                    answer = raw.exchange(self.server.port, data)
                except OSError:
                    return
                if answer is None or answer.status != 201:
                    return
                acknowledged[name] = body

        writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for writer in writers:
            writer.start()
        self.server.wait_until(lambda: len(acknowledged) >= 200, "200 blobs", 60)
        self.server.kill9()
        for writer in writers:
            writer.join()
        self.server.start()
        stored = {blob.name for blob in self.box.list_blobs()}
        self.assertLessEqual(set(acknowledged), stored)
        self.assertLessEqual(len(stored - set(acknowledged)), len(writers))
        for name in stored:
            self.assertEqual(self.box.download_blob(name).readall(), tried[name], name)
        self.assertEqual(self.server.cli("fsck")["findings"], [])

    def test_azcopy_resumes_over_a_restart(self):
        source, back = self.folder / "source", self.folder / "back"
        files = make_tree(source, files=400, size_max=200_000, seed=9)
        copier = AzCopy(self.folder / "azcopy")
        url = self.server.account.container_url("box")
        done = {}
        upload = threading.Thread(target=lambda: done.update(ran=copier.copy(f"{source}/*", url, "--recursive",
                                                                             check=False)))
        upload.start()
        self.server.wait_until(lambda: self.server.cli("status")["objects"] >= 20, "20 objects", 60)
        self.server.kill9()
        self.server.start()
        upload.join()
        self.assertEqual(int(done["ran"].summary["TransfersCompleted"]), files, done["ran"].logs)
        copier.copy(self.server.account.container_url("box", "*"), back, "--recursive")
        self.assertEqual(differences(source, back), [])

    def test_a_stopped_directory_is_checked(self):
        self.box.upload_blob("a", b"x" * 100_000)
        self.server.stop()
        done = subprocess.run([self.server.binary, "--json", "fsck", "--data", str(self.server.data)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"findings_total": 0', done.stdout)


if __name__ == "__main__":
    suite.main()
