#!/usr/bin/env python3
"""What is made from the table of commands: the pages are what the binary prints, and the completions complete, in the
shells themselves."""
import os
import pathlib
import shlex
import shutil
import subprocess
import unittest

from harness import suite
from harness.case import ServerCase
from harness.process import need

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What bash does at a press of TAB, without a terminal: the words typed, the cursor behind the last, the answers.
BASH = """
source <(tombolo completion bash) || exit 9
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
compopt() {{ :; }}
how=$(complete -p tombolo); [[ $how == *'-F _tombolo'* ]] || exit 8
_tombolo tombolo "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ :; }}
compadd() {{ [[ $1 == -- ]] && shift; print -l -- ${{(M)@:#${{words[CURRENT]}}*}}; }}
_files() {{ print -l FILES $@; }}
source <(tombolo completion zsh) || exit 9
words=({words}); CURRENT=${{#words}}
_tombolo
"""


def tombolo(*arguments: str) -> str:
    done = subprocess.run([need("TOMBOLO_BIN"), *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


class Pages(unittest.TestCase):
    def test_the_pages_are_what_the_binary_prints(self):
        for option, name in (("--markdown", "cli.md"), ("--man", "tombolo.1")):
            with self.subTest(name):
                self.assertEqual(tombolo("help", option), (ROOT / "docs" / name).read_text(),
                                 f"write it again: tombolo help {option} > docs/{name}")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_manual_page_is_sound(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "docs/tombolo.1"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        shown = subprocess.run(["mandoc", "-T", "ascii", ROOT / "docs/tombolo.1"], capture_output=True, text=True, check=True)
        self.assertIn("--admin-listen ADDRESS:PORT", shown.stdout.replace("_\b", "").replace("\b", ""))

    def test_every_command_has_help_and_the_overview_names_it(self):
        overview = tombolo("--help")
        self.assertEqual(overview, tombolo("help"))
        paths = [line[len("## tombolo "):] for line in tombolo("help", "--markdown").splitlines()
                 if line.startswith("## tombolo ")]
        self.assertIn("remote test", paths)
        for path in paths:
            self.assertIn(f"\n  {path} ", overview)
            said = tombolo("help", *path.split())
            self.assertEqual(said, tombolo(*path.split(), "--help"))
            self.assertTrue(said.startswith(f"Usage: tombolo {path}") and "Examples:" in said, said)


class Completing(ServerCase):
    """With a server, so that names complete too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.shared / "cold").mkdir()
        (cls.shared / "file.toml").touch()
        cls.server.cli("container", "create", "photos")
        cls.server.cli("container", "create", "films")
        cls.server.cli("remote", "add", "archive", "--kind", "file", "--endpoint", cls.shared / "cold")

    def answers(self, line: str, shell: str = "bash", data: pathlib.Path | None = None) -> list[str]:
        """What TAB offers behind `line`; a space at its end begins a new word. `data`: another directory's server."""
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        script = {"bash": BASH, "zsh": ZSH}[shell].format(words=" ".join(shlex.quote(word) for word in words))
        command = ["bash", "--norc", "-c", script] if shell == "bash" else ["zsh", "-f", "-c", script]
        env = {"PATH": f"{pathlib.Path(need('TOMBOLO_BIN')).parent}:{os.environ['PATH']}", "HOME": str(self.folder),
               "TOMBOLO_DATA": str(data or self.server.data)}
        done = subprocess.run(command, env=env, cwd=self.shared, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), script)
        return [word for word in done.stdout.splitlines() if word]

    CASES = (
        ("tombolo st", ["status"]),
        ("tombolo re", ["recall", "remote"]),
        ("tombolo remote ", ["add", "list", "test", "update"]),
        ("tombolo --data /x remote te", ["test"]),
        ("tombolo remote add cold --ki", ["--kind"]),
        ("tombolo remote add cold --kind ", ["azure", "file"]),
        ("tombolo remote add cold --kind = a", ["azure"]),
        ("tombolo offload photos --to ", ["archive"]),
        ("tombolo offload ph", ["photos"]),
        ("tombolo offload photos --to archive --ev", ["--evict"]),
        ("tombolo recall ", ["films", "photos"]),
        ("tombolo account keys dev", ["devstoreaccount1"]),
        ("tombolo account keys devstoreaccount1 --only c", ["connection-string"]),
        ("tombolo fsck --depth ", ["all", "bytes", "rows"]),
        ("tombolo completion ", ["bash", "fish", "zsh"]),
        ("tombolo help remo", ["remote"]),
        ("tombolo offload photos more", []),
        ("tombolo nonsense --", ["--admin", "--data", "--help", "--json", "--version"]),
    )

    def test_bash(self):
        self.assertIn("serve", self.answers("tombolo "))
        for line, wanted in self.CASES:
            with self.subTest(line):
                self.assertEqual([w for w in sorted(self.answers(line)) if w != "--ca-file"], wanted)
        self.assertIn("file.toml", self.answers("tombolo serve --config fi"))
        self.assertEqual(self.answers("tombolo serve --data co"), ["cold"])

    def test_without_a_server_names_stay_out_silently(self):
        nobody = self.folder / "nothing"
        self.assertEqual(self.answers("tombolo recall ", data=nobody), [])
        self.assertEqual(sorted(self.answers("tombolo re", data=nobody)), ["recall", "remote"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        for line, wanted in self.CASES:
            if " = " in line:
                continue  # only bash cuts words there
            with self.subTest(line):
                self.assertEqual([w for w in sorted(self.answers(line, "zsh")) if w != "--ca-file"], wanted)
        self.assertEqual(self.answers("tombolo serve --data co", "zsh"), ["FILES", "-/"])

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        for line, wanted in self.CASES:
            if " = " in line or wanted == [] or wanted[0].startswith("--") or "nonsense" in line:
                continue
            with self.subTest(line):
                script = f"tombolo completion fish | source; complete -C {shlex.quote(line)}"
                env = {"PATH": f"{pathlib.Path(need('TOMBOLO_BIN')).parent}:{os.environ['PATH']}",
                       "HOME": str(self.folder), "TOMBOLO_DATA": str(self.server.data)}
                done = subprocess.run(["fish", "--no-config", "-c", script], env=env, cwd=self.shared,
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.stderr, "")
                said = sorted(line.split("\t")[0] for line in done.stdout.splitlines())
                self.assertEqual(said, wanted)


if __name__ == "__main__":
    suite.main()
