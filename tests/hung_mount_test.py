#!/usr/bin/env python3
"""A remote's mount that hangs: it keeps neither a start nor anybody else waiting, and is in use once it answers."""
import os
import subprocess
import threading

from azure.core.exceptions import HttpResponseError

from harness import suite
from harness.case import TempCase
from harness.tombolo import Tombolo

COLD = os.urandom(200_000)

# open() of the directory that HANG names does not return while the file that HANG_WHILE names is there.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int wait_then_open(const char* name, const char* path, int flags, mode_t mode) {
  const char* hang = getenv("HANG");
  const char* hang_while = getenv("HANG_WHILE");
  while (hang && hang_while && strcmp(path, hang) == 0 && access(hang_while, F_OK) == 0) usleep(20000);
  int (*real)(const char*, int, mode_t) = (int (*)(const char*, int, mode_t))dlsym(RTLD_NEXT, name);
  return real(path, flags, mode);
}
#define SHIM(NAME)                                                \
  int NAME(const char* path, int flags, ...) {                    \
    va_list rest;                                                 \
    va_start(rest, flags);                                        \
    mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;   \
    va_end(rest);                                                 \
    return wait_then_open(#NAME, path, flags, mode);              \
  }
SHIM(open)
SHIM(open64)
"""


class HungMount(TempCase):
    def setUp(self):
        super().setUp()
        self.hung, self.mount = self.folder / "hung", self.folder / "mount"
        self.mount.mkdir()
        shim = self.folder / "shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", shim, "-", "-ldl"], input=SHIM.encode(), check=True)
        self.server = Tombolo(self.folder / "tombolo", settings={"cache.bytes": "1MiB"})
        self.server.env.update({"LD_PRELOAD": str(shim), "HANG": str(self.mount), "HANG_WHILE": str(self.hung),
                                "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.server.start()
        self.addCleanup(self.server.kill9)
        self.box = self.server.account.client(retry_total=0).get_container_client("box")
        self.box.create_container()

    def shown(self) -> dict:
        (remote,) = self.server.cli("remote", "list")["remotes"]
        return remote

    def test_a_start_does_not_wait_for_it(self):
        self.server.cli("remote", "add", "shelf", "--kind", "file", "--endpoint", self.mount)
        self.box.upload_blob("cold", COLD)
        self.assertEqual(self.server.cli("offload", "box", "--to", "shelf", "--evict")["state"], "done")
        self.box.upload_blob("hot", COLD)
        self.assertEqual(self.server.stop(), 0)
        self.hung.touch()
        self.server.start()
        self.assertEqual(self.box.download_blob("hot").readall(), COLD)
        with self.assertRaises(HttpResponseError) as cold:
            self.box.download_blob("cold").readall()
        self.assertEqual(cold.exception.status_code, 503)
        self.assertIn("not opened yet", self.shown()["problem"])
        with self.assertRaisesRegex(RuntimeError, "being opened already"):
            self.server.cli("remote", "test", "shelf")
        self.hung.unlink()
        self.server.wait_until(lambda: self.shown()["healthy"], "take the remote into use")
        self.assertEqual(self.box.download_blob("cold").readall(), COLD)

    def test_an_add_is_told_so_and_keeps_nobody_else_waiting(self):
        self.hung.touch()
        told = []

        def add():
            try:
                self.server.cli("remote", "add", "shelf", "--kind", "file", "--endpoint", self.mount)
            except RuntimeError as error:
                told.append(str(error))

        adding = threading.Thread(target=add)
        adding.start()
        while adding.is_alive():
            self.box.upload_blob("hot", COLD, overwrite=True)
            self.assertEqual(self.box.download_blob("hot").readall(), COLD)
            self.server.cli("status")
        self.assertRegex(told[0], "could not be opened within 10 s")
        self.hung.unlink()


if __name__ == "__main__":
    suite.main()
