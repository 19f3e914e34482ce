"""What the demo moves: a staged copy of real files of this machine, one tar of them, and names that are hard."""
import os
import pathlib
import shutil
import tarfile

from harness.tree import EDGE_CASES, write

ROOTS = ("/usr/share/doc", "/usr/include", "/usr/lib/python3", "/usr/share", "/usr/lib", "/usr/bin")
FILE_MAX = 64 << 20
# An object name of Azure has at most 1,024 characters; the container's name is no part of it.
NAME_MAX = 900


def stage(folder: pathlib.Path, files_min: int, bytes_min: int, tar_min: int, report) -> tuple[int, int]:
    """Copies files until both minima hold. Gives (files, bytes)."""
    real = folder / "real"
    files, size = _copy_real(real, files_min - len(EDGE_CASES) - 1, bytes_min - tar_min, report)
    tar = folder / "one-big.tar"
    size += _pack(real, tar, tar_min)
    for name, data in EDGE_CASES.items():
        write(folder / "edge" / name, data)
        size += len(data)
    return files + 1 + len(EDGE_CASES), size


def _copy_real(target: pathlib.Path, files_min: int, bytes_min: int, report) -> tuple[int, int]:
    files = size = 0
    seen = set()
    for root in ROOTS:
        for path in _regular_files(root):
            if files >= files_min and size >= bytes_min:
                return files, size
            length = os.path.getsize(path)
            # Small files make the count, larger ones the volume: once there are enough files, take only those that help.
            if path in seen or length > FILE_MAX or (files >= files_min and length < 256 << 10):
                continue
            seen.add(path)
            copy = target / path.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, copy)
            except OSError:
                continue  # unreadable or gone meanwhile
            files += 1
            size += length
            report(files, size)
    if files < files_min or size < bytes_min:
        raise SystemExit(f"this machine has too few files for the demo: {files} files, {size} bytes")
    return files, size


def _regular_files(root: str):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.path.isfile(path) and len(path) < NAME_MAX and _is_plain(path):
                yield path


def _is_plain(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return os.access(path, os.R_OK)


def _pack(folder: pathlib.Path, tar: pathlib.Path, size_min: int) -> int:
    """A tar of the copied files, again and again until it is long enough."""
    with tarfile.open(tar, "w") as out:
        while True:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    out.add(path, arcname=str(path.relative_to(folder)), recursive=False)
                    if out.offset >= size_min:
                        break
            if out.offset >= size_min:
                break
    return tar.stat().st_size
