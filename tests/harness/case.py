"""What most suites are made of: a temporary folder, and one running tombolo for all tests of a class."""
import pathlib
import tempfile
import unittest

from .azurite import Azurite
from .proxy import LyingProxy
from .tombolo import Tombolo


class TempCase(unittest.TestCase):
    """`self.folder` is a temporary folder of this test alone."""

    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)


class ServerCase(TempCase):
    """`self.server` runs for the whole class, its data in `self.shared`. It must stop cleanly at the end."""

    settings: dict = {}

    @classmethod
    def setUpClass(cls):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        cls.addClassCleanup(temp.cleanup)
        cls.shared = pathlib.Path(temp.name)
        cls.server = Tombolo(cls.shared / "server", settings=cls.settings)
        cls.server.start()
        cls.addClassCleanup(cls._stop)

    @classmethod
    def _stop(cls):
        if cls.server.stop() != 0:
            raise AssertionError(f"the server's exit status is {cls.server.process.returncode}\n{cls.server.tail()}")

    def container(self, name: str):
        """A new container, through the Python client."""
        client = self.server.account.client().get_container_client(name)
        client.create_container()
        return client


    def offload_to_folder(self, container: str) -> dict:
        """Offloads to a remote of this test's own, a directory, and evicts: nothing is left on flash. The ended job."""
        archive = self.folder / "archive"
        archive.mkdir()
        name = f"archive-{len(self.server.cli('remote', 'list')['remotes'])}"
        self.server.cli("remote", "add", name, "--kind", "file", "--endpoint", archive)
        job = self.server.cli("offload", container, "--to", name, "--evict")
        self.assertEqual((job["state"], job["progress"]["objects_failed"]), ("done", 0), job)
        return job


class ProxiedCloudCase(TempCase):
    """A cloud that can be made to fail: `self.cloud` is Azurite with the container `bucket_name`, `self.proxy` lies before
    it, `self.server` is a tombolo that knows nothing of either until add_remote(). All of them for the whole class, their
    files in `self.shared`, killed at its end."""

    settings: dict = {}
    bucket_name = "cold"

    @classmethod
    def setUpClass(cls):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-")
        cls.addClassCleanup(temp.cleanup)
        cls.shared = pathlib.Path(temp.name)

        def start(program):
            program.start()
            cls.addClassCleanup(program.kill9)
            return program

        cls.cloud = start(Azurite(cls.shared / "azurite"))
        cls.proxy = start(LyingProxy(cls.cloud.port, cls.shared))
        cls.server = start(Tombolo(cls.shared / "tombolo", settings=cls.settings))
        cls.cloud.account.client().create_container(cls.bucket_name)

    @classmethod
    def add_remote(cls, name: str, prefix: str = ""):
        """The bucket, as a remote of the server, reached through the proxy."""
        through = cls.cloud.account.at_port(cls.proxy.port)
        cls.server.add_azure_remote(name, through, cls.bucket_name, prefix=prefix)
