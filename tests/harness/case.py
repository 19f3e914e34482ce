"""What most suites are made of: a temporary folder, and one running tombolo for all tests of a class."""
import pathlib
import tempfile
import unittest

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
