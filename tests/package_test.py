#!/usr/bin/env python3
"""The Debian package on a clean Debian 12: installed, started as its unit would, used with AzCopy, upgraded, removed.

There is no systemd in a chroot: the unit's ExecStart is run as the unit's User, and the unit itself is judged by
systemd-analyze. The previous build of the upgrade is the package that TOMBOLO_PREVIOUS_DEB names, else this build under a
lower version number (an older one takes a whole build: README.md here). The data that it finds is older in any case:
tests/golden/data-0.1.0.tar.xz was written by the build of commit 22ee846 and ended by kill -9.
"""
import configparser
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import suite
from harness.azcopy import AzCopy
from harness.debian_root import DebianRoot
from harness.process import Program, free_port, http_get, need
from harness.tree import differences, make_tree

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "data-0.1.0.tar.xz"
# What lies in the golden data, account golden, container photos: name and length; see golden_bytes().
GOLDEN_FILES = {"empty": 0, "small": 3000, "medium": 70000, "dir/nested name": 150000, "dir/more": 2000}
CONFFILES = {"/etc/tombolo/tombolo.toml", "/etc/logrotate.d/tombolo"}
EXPOSURE_MAX = 1.5  # of 10, by systemd-analyze security


def golden_bytes(name: str, size: int) -> bytes:
    line = f"{name} was here before the upgrade.\n".encode()
    return (line * (size // len(line) + 1))[:size]


def build_package(out: pathlib.Path, *options) -> pathlib.Path:
    done = subprocess.run([ROOT / "tools/package", "--binary", need("TOMBOLO_BIN"), "--out", out, *options],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"tools/package: status {done.returncode}\n{done.stdout}{done.stderr}")
    return pathlib.Path(done.stdout.split()[-1])


def previous_package(out: pathlib.Path) -> pathlib.Path:
    named = os.environ.get("TOMBOLO_PREVIOUS_DEB")
    return pathlib.Path(named).resolve(strict=True) if named else build_package(out, "--version", "0.0.9")


def field(package: pathlib.Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", package, name], check=True, capture_output=True, text=True).stdout.strip()


def read_unit(path: pathlib.Path) -> dict:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(path)
    return {name: value for section in unit.sections() for name, value in unit[section].items()}


class Installed:
    """tombolo as the package's unit starts it, in the clean root."""

    def __init__(self, root: DebianRoot, log: pathlib.Path):
        self.root, self.log = root, log
        self.port, self.admin_port = free_port(), free_port()
        self.unit = read_unit(root.folder / "lib/systemd/system/tombolo.service")
        self.program: Program | None = None

    def configure(self):
        """A person's change of the configuration, which every upgrade must keep."""
        path = self.root.folder / "etc/tombolo/tombolo.toml"
        text = path.read_text()
        for key, port in (("listen", self.port), ("admin_listen", self.admin_port)):
            text, count = re.subn(rf'^{key} = ".*"$', f'{key} = "127.0.0.1:{port}"', text, flags=re.MULTILINE)
            assert count == 1, f"{key} is not in the configuration file once"
        path.write_text(text)
        return text

    def start(self):
        notify = self.root.folder / "run" / "notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(notify))
            os.chmod(notify, 0o777)
            command = self.root.command(*self.unit["ExecStart"].split(), user=self.unit["User"],
                                        env={"NOTIFY_SOCKET": "/run/notify"})
            self.program = Program("tombolo", command, self.log).start()
            self.program.wait_until(lambda: http_get(self.admin_port, "/healthz")[0] == 200, "answer on /healthz")
            manager.settimeout(10)
            assert manager.recv(100) == b"READY=1", "the unit is Type=notify, and was not told"

    def stop(self):
        """SIGTERM to the server itself; those around it end with it, and with its status."""
        pid = self._server_pid()
        os.kill(pid, 15)
        status = self.program.process.wait(30)
        assert status == 0, f"it ended with status {status}\n{self.program.tail()}"

    def kill(self):
        if self.program:
            self.program.kill9()

    def _server_pid(self) -> int:
        """unshare's child is the sh that became chroot, then env, then tombolo."""
        children = pathlib.Path(f"/proc/{self.program.process.pid}/task/{self.program.process.pid}/children")
        return int(children.read_text().split()[0])

    def cli(self, *arguments) -> str:
        return self.root.run("tombolo", "--data", "/var/lib/tombolo", *arguments).stdout

    def json(self, *arguments):
        return json.loads(self.cli("--json", *arguments))


class PackageTest(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory(prefix="tombolo-package-")
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.azcopy = AzCopy(self.folder / "azcopy")

    def clean_root(self, package: pathlib.Path) -> DebianRoot:
        root = DebianRoot(self.folder / "root", pathlib.Path(need("TOMBOLO_TOOLS")) / "debian-root")
        root.unpack(re.findall(r"(?:^|, )([a-z0-9.+-]+)", field(package, "Depends")))
        return root

    def mode_and_owner(self, root: DebianRoot, path: str) -> tuple[int, str]:
        info = (root.folder / path.lstrip("/")).stat()
        users = dict(line.split(":")[2::-2] for line in (root.folder / "etc/passwd").read_text().splitlines())
        return stat.S_IMODE(info.st_mode), users[str(info.st_uid)]

    def test_what_is_in_it(self):
        package = build_package(self.folder)
        version = field(package, "Version")
        base = re.search(r"^project\(tombolo VERSION ([0-9.]+) ", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
        self.assertRegex(version, rf"^{re.escape(base)}(\+\d+\.g[0-9a-f]+)?$")
        depends = field(package, "Depends")
        self.assertIn("ca-certificates", field(package, "Recommends"), "https remotes are checked by the system's CAs")
        for library in ("libc6 (>=", "libstdc++6 (>=", "librocksdb7.8", "libssl3", "adduser"):
            self.assertIn(library, depends)
        root = self.folder / "unpacked"
        subprocess.run(["dpkg-deb", "-R", package, root], check=True)
        said = subprocess.run([root / "usr/bin/tombolo", "--version"], capture_output=True, text=True, check=True).stdout
        self.assertIn(f"tombolo {base} ", said)
        self.assertEqual((root / "DEBIAN/conffiles").read_text().split(), sorted(CONFFILES))
        for page in ("operations.md", "configuration.md", "cli.md"):
            self.assertTrue((root / "usr/share/doc/tombolo" / page).exists(), page)
        judged = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", package], capture_output=True,
                                text=True)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        self.check_unit(root)

    def check_unit(self, root: pathlib.Path):
        unit = "lib/systemd/system/tombolo.service"
        settings = read_unit(root / unit)
        self.assertEqual((settings["User"], settings["Type"]), ("tombolo", "notify"))
        # A server that ends because a sync failed is started again for as long as that goes on.
        self.assertEqual((settings["Restart"], settings["StartLimitIntervalSec"]), ("on-failure", "0"))
        self.assertEqual(settings["LimitCORE"], "0", "a core dump would hold keys")
        # verify looks for the programs that it names on this machine.
        here = self.folder / "tombolo.service"
        text = (root / unit).read_text().replace("/usr/bin/tombolo", str(root / "usr/bin/tombolo"))
        here.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
        judged = subprocess.run(["systemd-analyze", "verify", "--man=no", here], capture_output=True, text=True)
        complaints = [line for line in judged.stderr.splitlines() if "tombolo" in line]
        self.assertEqual((judged.returncode, complaints), (0, []), judged.stderr)
        judged = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX * 10:.0f}",
                                 here], capture_output=True, text=True, env=dict(os.environ, SYSTEMD_PAGER=""))
        self.assertEqual(judged.returncode, 0, judged.stdout[-3000:] + judged.stderr)

    def test_install_use_upgrade_remove_purge(self):
        package = build_package(self.folder)
        older = previous_package(self.folder)
        subprocess.run(["dpkg", "--compare-versions", field(older, "Version"), "lt", field(package, "Version")], check=True)
        print(f"\n  upgraded: {field(older, 'Version')} to {field(package, 'Version')}", flush=True)
        root = self.clean_root(package)
        before = root.files()
        users = (root.folder / "etc/passwd").read_text()

        # Installed: nothing of it has started yet, and what it may write belongs to it alone.
        root.install(older)
        ours = {line for line in root.run("dpkg", "-L", "tombolo").stdout.splitlines() if line != "/."}
        self.assertEqual(self.mode_and_owner(root, "/var/lib/tombolo"), (0o700, "tombolo"))
        self.assertEqual(self.mode_and_owner(root, "/var/log/tombolo"), (0o750, "tombolo"))
        self.assertEqual(os.listdir(root.folder / "var/lib/tombolo"), [])

        server = Installed(root, self.folder / "tombolo.log")
        self.addCleanup(server.kill)
        configuration = server.configure()
        # The previous build's data: written by another commit's binary, which was killed.
        subprocess.run(["tar", "-xf", GOLDEN, "-C", root.folder / "var/lib/tombolo"], check=True)
        root.run("chown", "-R", "tombolo:tombolo", "/var/lib/tombolo")
        server.start()
        for secret in ("root.key", "admin.token"):
            self.assertEqual(self.mode_and_owner(root, f"/var/lib/tombolo/{secret}"), (0o600, "tombolo"))
        self.assertEqual(self.mode_and_owner(root, "/var/log/tombolo/audit.log"), (0o600, "tombolo"))
        self.check_golden(server)

        tree = self.folder / "tree"
        make_tree(tree, files=60, size_max=300_000, seed=12)
        server.cli("account", "create", "mystore")
        server.cli("container", "create", "documents", "--account", "mystore")
        done = self.azcopy.copy(f"{tree}/*", self.sas(server, "mystore", "documents"), "--recursive", "--put-md5")
        self.assertEqual(done.summary["TransfersFailed"], "0")
        self.check_download(server, tree, "first")

        # Upgraded: the configuration that was changed stays, and so does every object.
        server.stop()
        said = root.install(package)
        self.assertNotIn("Configuration file", said, "dpkg asked about a configuration file")
        self.assertEqual((root.folder / "etc/tombolo/tombolo.toml").read_text(), configuration)
        self.assertIn(field(package, "Version"), root.run("dpkg-query", "-W", "tombolo").stdout)
        server.start()
        self.check_golden(server)
        self.check_download(server, tree, "second")
        said = root.run("tombolo", "account", "list").stdout  # the server of /etc/tombolo/tombolo.toml
        self.assertIn("mystore", said)
        self.assertEqual(server.json("fsck")["findings_total"], 0)
        actions = [json.loads(line)["action"]
                   for line in (root.folder / "var/log/tombolo/audit.log").read_text().splitlines()]
        self.assertEqual(actions.count("server.start"), 2)
        self.assertIn("account.create", actions)
        server.stop()

        # Removed: the program goes, what a person wrote and what clients stored stays.
        data = self.sizes(root.folder / "var/lib/tombolo")
        root.run("apt-get", "remove", "-y", "tombolo")
        left = {path for path in ours if (root.folder / path.lstrip("/")).is_file()}
        self.assertEqual(left, CONFFILES)
        self.assertEqual(self.sizes(root.folder / "var/lib/tombolo"), data)

        # Purged: nothing but data, and its owner.
        said = root.run("dpkg", "--purge", "tombolo")
        self.assertIn("/var/lib/tombolo holds data and stays", said.stderr)
        self.assertEqual(self.sizes(root.folder / "var/lib/tombolo"), data)
        shutil.rmtree(root.folder / "var/lib/tombolo")
        libraries = {path for package in self.brought(root) for path in root.run("dpkg", "-L", package).stdout.splitlines()}
        left = {path for path in root.files() - before - libraries if not path.startswith(("/var/lib/dpkg", "/etc/ld.so"))}
        left -= {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"}
        self.assertEqual({path for path in left if "tombolo" in path}, set())
        self.assertIn("tombolo", (root.folder / "etc/passwd").read_text())
        self.assertNotIn("tombolo", users)

        # Installed again and purged without data there: the user stays nevertheless, as it may own data elsewhere.
        root.install(package)
        said = root.run("dpkg", "--purge", "tombolo")
        self.assertFalse((root.folder / "var/lib/tombolo").exists())
        self.assertIn("the user tombolo stays", said.stderr)
        self.assertIn("tombolo", (root.folder / "etc/passwd").read_text())

    def brought(self, root: DebianRoot) -> list[str]:
        return root.run("dpkg-query", "-W", "-f", "${Package}\n").stdout.split()

    def sizes(self, folder: pathlib.Path) -> dict:
        return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}

    def sas(self, server: Installed, account: str, container: str) -> str:
        return server.json("sas", container, "--account", account)["url"]

    def check_golden(self, server: Installed):
        expected = self.folder / "golden"
        for name, size in GOLDEN_FILES.items():
            path = expected / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(golden_bytes(name, size))
        got = self.folder / "golden-back"
        self.azcopy.copy(self.sas(server, "golden", "photos"), got, "--recursive", "--check-md5=FailIfDifferent")
        self.assertEqual(differences(expected, got / "photos"), [])
        shutil.rmtree(got)

    def check_download(self, server: Installed, tree: pathlib.Path, name: str):
        got = self.folder / name
        self.azcopy.copy(self.sas(server, "mystore", "documents"), got, "--recursive", "--check-md5=FailIfDifferent")
        self.assertEqual(differences(tree, got / "documents"), [])


if __name__ == "__main__":
    suite.main()
