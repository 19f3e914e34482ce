"""A flame graph as one SVG file, from samples of `perf record -e cpu-clock -g`.

Frames lie on their callers, width is the share of samples, order is alphabetic (not time). Hover for the whole name.
"""
import html
import pathlib
import re
import subprocess
import zlib

WIDTH, ROW, TOP = 1200, 17, 46
LEAST = 0.004  # frames with a smaller share are left out
CHARACTER = 6.6  # pixels of one, about


def record(pid: int, seconds: float, data: pathlib.Path) -> subprocess.Popen:
    """Samples all threads of a process for that long; wait for it."""
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-g", "-p", str(pid), "-o", str(data),
               "--", "sleep", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fold(data: pathlib.Path) -> dict[tuple[str, ...], int]:
    """Samples by stack, outermost frame first."""
    text = subprocess.run(["perf", "script", "-i", str(data), "-F", "comm,ip,sym", "--no-inline"], capture_output=True,
                          text=True, errors="replace", timeout=300).stdout
    stacks: dict[tuple[str, ...], int] = {}
    for sample in text.split("\n\n"):
        lines = sample.strip().splitlines()
        if len(lines) < 2:
            continue
        frames = [shorten(" ".join(line.split()[1:])) for line in lines[1:]]
        stack = (re.sub(r"[\d:]+$", "", lines[0].strip()) or "?", *reversed(frames))
        stacks[stack] = stacks.get(stack, 0) + 1
    if not stacks:
        raise RuntimeError("perf took no samples")
    return stacks


def shorten(name: str) -> str:
    """A function's name without template arguments, parameters and clone suffixes."""
    name = re.sub(r"\+0x[0-9a-f]+$| \[clone[^\]]*\]|\(anonymous namespace\)::", "", name)
    while (smaller := re.sub(r"<[^<>]*>", "", name)) != name:
        name = smaller
    name = re.sub(r"\(.*", "", name) or name
    return name.split(" ")[-1].replace("boost::asio::", "asio::") or "?"


def draw(stacks: dict[tuple[str, ...], int], title: str, path: pathlib.Path):
    total = sum(stacks.values())
    boxes: list[tuple[int, float, float, str]] = []  # depth, left, share, name

    def place(depth: int, left: float, entries: list[tuple[tuple[str, ...], int]]):
        groups: dict[str, list] = {}
        for stack, count in entries:
            if len(stack) > depth:
                groups.setdefault(stack[depth], []).append((stack, count))
        for name in sorted(groups):
            share = sum(count for _, count in groups[name]) / total
            if share >= LEAST:
                boxes.append((depth, left, share, name))
                place(depth + 1, left, groups[name])
            left += share

    place(0, 0.0, list(stacks.items()))
    height = TOP + ROW * (max(depth for depth, *_ in boxes) + 1) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fffdf7"/>',
           f'<text x="10" y="20" font-size="14">{html.escape(title)}</text>',
           f'<text x="10" y="36" fill="#666">{total} samples of CPU time; callers below</text>']
    for depth, left, share, name in boxes:
        x, width, y = left * WIDTH, share * WIDTH, height - 8 - ROW * (depth + 1)
        letters = int((width - 4) / CHARACTER)
        shown = name if len(name) <= letters else name[:letters - 2] + ".." if letters > 4 else ""
        out.append(f'<g><title>{html.escape(name)} {share:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
                   f'height="{ROW - 1}" fill="{colour(name)}"/>'
                   + (f'<text x="{x + 2:.1f}" y="{y + 12}">{html.escape(shown)}</text>' if shown else "") + "</g>")
    path.write_text("\n".join([*out, "</svg>", ""]))


def colour(name: str) -> str:
    """The same for the same name in every graph; ours warm, the rest cool."""
    shade = zlib.crc32(name.encode()) % 60
    hue = 20 + shade // 2 if name.startswith("tombolo::") else 190 + shade // 2
    return f"hsl({hue},{55 + shade // 4}%,{70 + shade // 6}%)"
