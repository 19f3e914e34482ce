"""Directory trees to copy, and their comparison byte by byte."""
import pathlib
import random

# 900 characters, every part within what a file system takes.
LONG_NAME = "/".join(["l" * 199] * 4 + ["l" * 100])
EDGE_CASES = {
    "empty": b"",
    "with space.txt": b"space",
    "per%cent %41 %2F.txt": b"percent",
    "unicode \u00e9\u4e16\u754c \U0001f30a.txt": b"unicode",
    "plus+and&and=and#.txt": b"reserved",
    "deep/a/b/c/d/e/f.txt": b"deep",
    LONG_NAME: b"long",
}


def make_tree(folder: pathlib.Path, files: int, size_max: int, seed: int) -> int:
    """Writes `files` files of 1 to size_max bytes, ten a folder, and the edge cases. Returns the number of files."""
    source = random.Random(seed)
    for number in range(files):
        write(folder / f"d{number // 10:04}" / f"f{number:06}.bin", source.randbytes(source.randint(1, size_max)))
    for name, data in EDGE_CASES.items():
        write(folder / name, data)
    return files + len(EDGE_CASES)


def write(path: pathlib.Path, data: bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def differences(left: pathlib.Path, right: pathlib.Path) -> list[str]:
    """What `diff -r` would say: files on one side only, and files whose bytes differ. Empty: identical."""
    ours, theirs = _files(left), _files(right)
    found = [f"only in {left}: {name}" for name in sorted(ours - theirs)]
    found += [f"only in {right}: {name}" for name in sorted(theirs - ours)]
    found += [f"differ: {name}" for name in sorted(ours & theirs) if not _same(left / name, right / name)]
    return found


def _files(folder: pathlib.Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _same(left: pathlib.Path, right: pathlib.Path, step: int = 1 << 20) -> bool:
    with left.open("rb") as a, right.open("rb") as b:
        while True:
            ours, theirs = a.read(step), b.read(step)
            if ours != theirs:
                return False
            if not ours:
                return True
