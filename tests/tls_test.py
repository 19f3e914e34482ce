#!/usr/bin/env python3
"""TLS: Azure's clients over https in host and path style, certificates replaced under traffic, https remotes."""
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest.mock

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient

from harness import suite
from harness.azcopy import AzCopy
from harness.azurite import Azurite
from harness.azure import Account
from harness.case import TempCase
from harness.certificates import Authority
from harness.process import free_port, http_get, need
from harness.rclone import Rclone, RcloneFailed
from harness.tombolo import Tombolo
from harness.tree import differences, make_tree, write
from harness.tunnel import Tunnel

DOMAIN = "blob.tombolo.test"


def names_are_here():
    """A hosts file for one process: every name below DOMAIN is this machine."""
    real = socket.getaddrinfo

    def look_up(host, *rest, **more):
        return real("127.0.0.1" if str(host).endswith(DOMAIN) else host, *rest, **more)

    return unittest.mock.patch("socket.getaddrinfo", look_up)


class TlsCase(TempCase):
    """One tombolo for the class, with TLS on both listeners."""

    settings: dict = {}

    @classmethod
    def setUpClass(cls):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        cls.addClassCleanup(temp.cleanup)
        cls.shared = pathlib.Path(temp.name)
        cls.authority = Authority(cls.shared / "ca")
        cls.names = [f"DNS:*.{DOMAIN}", f"DNS:{DOMAIN}", "DNS:localhost", "IP:127.0.0.1"]
        certificate, key = cls.authority.issue("first", cls.names)
        cls.certificate, cls.key = cls.shared / "cert.pem", cls.shared / "key.pem"
        cls.install(certificate, key)
        cls.tls_port, cls.tls_admin_port = free_port(), free_port()
        cls.server = Tombolo(cls.shared / "server", settings={
            "tls.listen": f"127.0.0.1:{cls.tls_port}", "tls.admin_listen": f"127.0.0.1:{cls.tls_admin_port}",
            "tls.cert_file": cls.certificate, "tls.key_file": cls.key, "remote.ca_file": cls.authority.ca,
            "server.public_url": f"https://ACCOUNT.{DOMAIN}:{cls.tls_port}", **cls.settings})
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def install(cls, certificate: pathlib.Path, key: pathlib.Path):
        for source, target in ((certificate, cls.certificate), (key, cls.key)):
            shutil.copyfile(source, target)
            target.chmod(0o600)

    @property
    def account(self) -> Account:
        plain = self.server.account
        return Account(plain.name, plain.key, f"https://127.0.0.1:{self.tls_port}/{plain.name}")

    def client(self) -> BlobServiceClient:
        return self.account.client(connection_verify=str(self.authority.ca), retry_total=0)

    def shown(self) -> str:
        """The name in the certificate that a new connection is shown."""
        trusted = ssl.create_default_context(cafile=str(self.authority.ca))
        with socket.create_connection(("127.0.0.1", self.tls_port), timeout=20) as plain:
            with trusted.wrap_socket(plain, server_hostname="localhost") as tls:
                return dict(pair[0] for pair in tls.getpeercert()["subject"])["commonName"]

    def tls_cli(self, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run([self.server.binary, "--data", str(self.server.data), *arguments], env=self.server.env,
                              capture_output=True, text=True, timeout=60)


class Clients(TlsCase):
    def test_the_sdk_in_host_style_from_the_printed_connection_string(self):
        made = self.server.cli("account", "create", "mystore")
        self.assertIn("DefaultEndpointsProtocol=https;", made["connection_string"])
        self.assertIn(f"BlobEndpoint=https://mystore.{DOMAIN}:{self.tls_port};", made["connection_string"])
        with names_are_here():
            service = BlobServiceClient.from_connection_string(made["connection_string"],
                                                               connection_verify=str(self.authority.ca))
            box = service.create_container("box")
            data = os.urandom(9_000_000)
            box.upload_blob("dir/blob", data, max_concurrency=4)
            self.assertEqual(box.download_blob("dir/blob", max_concurrency=4).readall(), data)
            self.assertEqual([blob.name for blob in box.list_blobs()], ["dir/blob"])
            self.assertEqual([found.name for found in service.list_containers()], ["box"])
            with self.assertRaises(Exception) as caught:
                BlobServiceClient.from_connection_string(made["connection_string"], retry_total=0).get_account_information()
            self.assertIn("CERTIFICATE_VERIFY_FAILED", str(caught.exception))

    def test_a_sas_for_https_only(self):
        self.client().create_container("secret")
        url = self.server.cli("sas", "secret", "--account", self.account.name, "--https-only")["url"]
        self.assertTrue(url.startswith(f"https://{self.account.name}.{DOMAIN}:{self.tls_port}/secret?"), url)
        with names_are_here():
            box = ContainerClient.from_container_url(url, connection_verify=str(self.authority.ca))
            box.upload_blob("a", b"a")
        plain = f"{self.server.account.endpoint}/secret?{url.split('?')[1]}"
        with self.assertRaises(HttpResponseError) as caught:
            ContainerClient.from_container_url(plain).upload_blob("b", b"b")
        self.assertEqual(caught.exception.error_code, "AuthorizationProtocolMismatch")

    def test_azcopy_there_and_back(self):
        self.client().create_container("copied")
        source, back = self.folder / "source", self.folder / "back"
        make_tree(source, files=60, size_max=300_000, seed=11)
        copier = AzCopy(self.folder / "azcopy", env={"SSL_CERT_FILE": str(self.authority.ca)})
        copier.copy(f"{source}/*", self.account.container_url("copied"), "--recursive", "--put-md5")
        copier.copy(self.account.container_url("copied", "*"), back, "--recursive", "--check-md5=FailIfDifferent")
        self.assertEqual(differences(source, back), [])

    def test_rclone_in_host_style_with_account_and_key(self):
        """With the rclone.conf of docs/clients.md."""
        made = self.server.cli("account", "create", "rcloned")
        page = (pathlib.Path(__file__).parent.parent / "docs" / "clients.md").read_text()
        config = re.search(r"^```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
        for said, here in (("mystore", "rcloned"), ("KEY1", made["key1"]), ("blob.example.com", f"{DOMAIN}:{self.tls_port}")):
            self.assertIn(said, config)
            config = config.replace(said, here)
        source, back = self.folder / "source", self.folder / "back"
        make_tree(source, files=40, size_max=300_000, seed=13)
        write(source / "large.bin", os.urandom(9_000_000))
        with Tunnel(DOMAIN) as tunnel:
            trusting = Rclone(self.folder, None, config=config, env={**tunnel.env, "RCLONE_CA_CERT": str(self.authority.ca)})
            trusting.run("mkdir", "rcloned:box")
            trusting.run("copy", source, "rcloned:box/tree", "--azureblob-chunk-size=4Mi", "--transfers=8")
            trusting.run("check", source, "rcloned:box/tree", "--download")
            trusting.run("copy", "rcloned:box/tree", back)
            self.assertEqual(differences(source, back), [])
            self.assertIn("box", " ".join(trusting.lines("lsd", "rcloned:")))
            trusting.run("delete", "rcloned:box/tree", "--include", "*.bin")
            self.assertEqual([name for name in trusting.lines("lsf", "-R", "rcloned:box") if name.endswith(".bin")], [])
            self.assertEqual(set(tunnel.names), {f"rcloned.{DOMAIN}"})
            stranger = Rclone(self.folder, None, config=config, env=tunnel.env)
            with self.assertRaisesRegex(RcloneFailed, "certificate signed by unknown authority"):
                stranger.run("lsd", "rcloned:", "--low-level-retries=1")

    def test_the_admin_api_over_tls(self):
        url = f"https://localhost:{self.tls_admin_port}"
        done = self.tls_cli("--admin", url, "--ca-file", str(self.authority.ca), "status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("durability", done.stdout)
        done = self.tls_cli("--admin", url, "status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not trusted", done.stderr)

    def test_plain_http_on_the_tls_port_is_told(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.tls_port, timeout=20)
        connection.request("GET", "/")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn(b"https://", answer.read())


class Reloading(TlsCase):
    def test_a_new_certificate_under_traffic(self):
        box = self.client().create_container("busy")
        box.upload_blob("blob", b"x" * 100_000)
        url = self.account.container_url("busy", "blob")
        path = url[url.index(f"/{self.account.name}/"):]
        trusted = ssl.create_default_context(cafile=str(self.authority.ca))
        stop, failures, done = threading.Event(), [], [0, 0]

        def ask(fresh: bool):
            connection = None
            while not stop.is_set():
                try:
                    if connection is None:
                        connection = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=20, context=trusted)
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    if len(answer.read()) != 100_000 or answer.status != 200:
                        failures.append(f"status {answer.status}")
                    done[fresh] += 1
                    if fresh:
                        connection.close()
                        connection = None
                except OSError as error:
                    failures.append(repr(error))
                    connection = None

        askers = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(4)]
        for asker in askers:
            asker.start()
        try:
            self.server.wait_until(lambda: min(done) > 20, "traffic")
            for number in range(6):
                name = f"renewed-{number}"
                self.install(*self.authority.issue(name, self.names))
                if number % 2:
                    self.server.process.send_signal(signal.SIGHUP)
                else:
                    self.assertEqual(self.server.cli("tls", "reload")["subject"], f"CN={name}")
                self.server.wait_until(lambda: self.shown() == name, f"certificate {name}")
            count = min(done)
            self.server.wait_until(lambda: min(done) > count + 20, "more traffic")
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        self.assertEqual(failures, [])

    def test_a_bad_pair_keeps_the_old_one_and_says_so(self):
        good = self.authority.issue("good", self.names)
        self.install(*good)
        self.server.cli("tls", "reload")
        self.assertEqual(self.shown(), "good")
        other, _ = self.authority.issue("other", self.names)
        self.install(other, good[1])
        done = self.tls_cli("tls", "reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not the certificate's", done.stderr)
        self.assertIn("old certificate stays", done.stderr)
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_until(lambda: self.server.tail().count("the old certificate stays") >= 2, "word of it")
        self.assertEqual(self.shown(), "good")
        self.install(*good)
        shown = self.server.cli("tls", "show")
        self.assertEqual(shown["subject"], "CN=good")
        self.assertGreater(shown["handshakes"], 0)

        def metrics() -> str:
            return http_get(self.server.admin_port, "/metrics")[1].decode()

        self.server.wait_until(lambda: 'tombolo_tls_handshakes_total{outcome="ok"}' in metrics(), "metrics")
        expiry = next(line for line in metrics().splitlines() if line.startswith("tombolo_tls_certificate_expiry"))
        self.assertAlmostEqual(float(expiry.split()[1]), time.time() + 30 * 86_400, delta=3_600)


class Remotes(TlsCase):
    settings = {"tiering.gc_interval_seconds": 1, "tiering.gc_grace_seconds": 1, "cache.bytes": "1MiB"}

    def setUp(self):
        super().setUp()
        self.cloud = Azurite(self.folder / "azurite", self.authority.issue("cloud", ["IP:127.0.0.1"]))
        self.cloud.start()
        self.addCleanup(self.cloud.kill9)
        self.cloud.account.client(connection_verify=str(self.authority.ca)).create_container("cold")

    def test_offload_and_read_back_over_https(self):
        self.server.add_azure_remote("trusted", self.cloud.account, "cold")
        steps = self.server.cli("remote", "test", "trusted")
        self.assertTrue(steps["ok"], steps)
        box = self.client().create_container("far")
        data = os.urandom(5_000_000)
        box.upload_blob("blob", data)
        self.server.cli("offload", "far", "--to", "trusted", "--evict", "--account", self.account.name)
        self.assertEqual(box.download_blob("blob").readall(), data)
        self.assertEqual(box.download_blob("blob", offset=1_234_567, length=100).readall(), data[1_234_567:1_234_667])

    def test_a_remote_that_nobody_vouches_for(self):
        stranger = Azurite(self.folder / "stranger", Authority(self.folder / "other").issue("it", ["IP:127.0.0.1"]))
        with stranger:
            self.server.add_azure_remote("stranger", stranger.account, "cold")
            remote = next(r for r in self.server.cli("remote", "list")["remotes"] if r["name"] == "stranger")
            self.assertFalse(remote["healthy"])
            self.assertIn("not trusted", remote["problem"])


class Starting(TempCase):
    def test_what_is_wrong_with_certificate_or_key(self):
        certificate, key = Authority(self.folder / "ca").issue("first", ["DNS:localhost"])

        def why(**more) -> str:
            settings = {"tls.listen": f"127.0.0.1:{free_port()}", "tls.cert_file": certificate, "tls.key_file": key,
                        "server.admin_listen": f"127.0.0.1:{free_port()}", "server.listen": f"127.0.0.1:{free_port()}"}
            settings.update((name.replace("__", "."), value) for name, value in more.items())
            clean = {name: value for name, value in os.environ.items() if not name.startswith("TOMBOLO_")}
            sets = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
            done = subprocess.run([need("TOMBOLO_BIN"), "serve", "--data", str(self.folder / "data"), *sets], env=clean,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stdout)
            return done.stderr

        self.assertIn("set both", why(tls__key_file=""))
        self.assertIn("missing.pem", why(tls__cert_file=self.folder / "missing.pem"))
        self.assertIn("not the certificate's", why(tls__key_file=self.folder / "ca" / "ca.key"))
        self.assertIn("missing.pem", why(remote__ca_file=self.folder / "missing.pem"))
        key.chmod(0o644)
        self.assertIn(f"chmod 600 {key}", why())

    def test_a_hangup_does_not_end_a_server_without_tls(self):
        with Tombolo(self.folder / "server") as server:
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda: "SIGHUP" in server.tail(), "word of it")
            self.assertEqual(http_get(server.admin_port, "/healthz")[0], 200)


if __name__ == "__main__":
    suite.main()
