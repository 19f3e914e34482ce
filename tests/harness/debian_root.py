"""A clean Debian 12 in a folder, to install packages in. Everything in it runs in name spaces of its own, so that no
mount and no process can be left behind: they end with the command that made them."""
import os
import pathlib
import shlex
import shutil
import subprocess

SUITE = "bookworm"


class DebianRoot:
    """`folder` holds the root, unpacked from a base that is made once by debootstrap and kept in `cache`. Needs root."""

    def __init__(self, folder: pathlib.Path, cache: pathlib.Path):
        self.folder, self.cache = folder, cache

    def unpack(self, wanted: list[str]):
        """`wanted`: packages that will be installed; they are fetched with the base and kept with it."""
        if os.geteuid() != 0:
            raise SystemExit("a clean Debian is made by debootstrap, which needs root: run this suite as root")
        self.cache.mkdir(parents=True, exist_ok=True)
        base = self.cache / f"debian-{SUITE}.tar"
        if not base.exists():
            self._make_base(base, wanted)
        self.folder.mkdir(parents=True)
        _run(["tar", "-xf", base, "-C", self.folder])
        # Nobody needs this root after a power cut: dpkg's syncs are most of an installation's time.
        (self.folder / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")

    def _make_base(self, base: pathlib.Path, wanted: list[str]):
        building = pathlib.Path(f"{base}.partial-{os.getpid()}")
        try:
            made = DebianRoot(building, self.cache)
            mirror = _run(["apt-get", "indextargets", "--format", "$(SITE)", f"Codename: {SUITE}", "Component: main",
                           "Created-By: Packages"]).stdout.split()
            _run(["debootstrap", "--variant=minbase", SUITE, building, *mirror[:1]], limit_s=400)
            # How this machine reaches its packages (proxies, certificates) holds for the clean one, too.
            acquire = [line for line in _run(["apt-config", "dump", "Acquire"]).stdout.splitlines() if "::" in line]
            (building / "etc/apt/apt.conf.d/90host").write_text("\n".join(acquire) + "\n")
            made.run("apt-get", "update", "-q")
            made.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "--download-only", *wanted)
            _run(["tar", "-cf", f"{building}.tar", "-C", building, "."])
            os.rename(f"{building}.tar", base)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            pathlib.Path(f"{building}.tar").unlink(missing_ok=True)

    def command(self, *arguments, user: str = "", env: dict | None = None) -> list[str]:
        """The command line that runs `arguments` in the root, with /proc, as `user`. Killing it kills all in it."""
        chroot = ["chroot", *([f"--userspec={user}:{user}"] if user else []), str(self.folder),
                  "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                  "DEBIAN_FRONTEND=noninteractive", *(f"{name}={value}" for name, value in (env or {}).items()),
                  *(str(a) for a in arguments)]
        inside = f"mount -t proc proc {shlex.quote(str(self.folder / 'proc'))} && exec {shlex.join(chroot)}"
        return ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "sh", "-c", inside]

    def run(self, *arguments, user: str = "", env: dict | None = None, check: bool = True, limit_s: float = 300):
        return _run(self.command(*arguments, user=user, env=env), check=check, limit_s=limit_s)

    def install(self, package: pathlib.Path) -> str:
        """apt installs or upgrades to this file, with what it depends on. What apt and the scripts said."""
        inside = self.folder / "tmp" / package.name
        shutil.copy(package, inside)
        done = self.run("apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}", check=False)
        if done.returncode != 0:  # the base's lists may be older than the mirror
            self.run("apt-get", "update", "-q")
            done = self.run("apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}")
        inside.unlink()
        return done.stdout + done.stderr

    def files(self) -> set[str]:
        """Every path there is, but for apt's, dpkg's and the kernel's own."""
        skipped = ("proc", "tmp", "run", "var/cache", "var/lib/dpkg", "var/lib/apt", "var/log/apt", "var/log/dpkg.log",
                   "var/log/alternatives.log", "dev")
        found = set()
        for folder, folders, names in os.walk(self.folder):
            at = os.path.relpath(folder, self.folder)
            folders[:] = [name for name in folders if os.path.normpath(f"{at}/{name}") not in skipped]
            found.update(os.path.normpath(f"/{at}/{name}") for name in [*folders, *names]
                         if os.path.normpath(f"{at}/{name}") not in skipped)
        return found


def _run(command: list, check: bool = True, limit_s: float = 300) -> subprocess.CompletedProcess:
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=limit_s)
    if check and done.returncode != 0:
        raise RuntimeError(f"{shlex.join(str(c) for c in command)}: status {done.returncode}\n{done.stdout[-4000:]}\n"
                           f"{done.stderr[-4000:]}")
    return done
