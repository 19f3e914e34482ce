#!/usr/bin/env python3
"""The disk fails a sync of the commit log under a real server: it ends by itself with a failing status and says what to do,
and the next start, which a service manager would make, has everything that was acknowledged."""
import os
import re
import subprocess
import time

from azure.core.exceptions import HttpResponseError

from harness import suite
from harness.case import TempCase
from harness.process import http_get
from harness.tombolo import Tombolo

BODY = os.urandom(50_000)

# fdatasync() of files of the commit log fails while the file that FAIL_WHILE names is there.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int file) {
  const char* fail_while = getenv("FAIL_WHILE");
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t n = readlink(link, path, sizeof path - 1);
  path[n < 0 ? 0 : n] = 0;
  if (fail_while && access(fail_while, F_OK) == 0 && strstr(path, "/data/log/")) {
    errno = EIO;
    return -1;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return real(file);
}
"""


class FailedSync(TempCase):
    def test_it_ends_so_that_it_is_started_again(self):
        failing = self.folder / "failing"
        shim = self.folder / "shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", shim, "-", "-ldl"], input=SHIM.encode(), check=True)
        server = Tombolo(self.folder / "tombolo")
        server.env.update({"LD_PRELOAD": str(shim), "FAIL_WHILE": str(failing),
                           "ASAN_OPTIONS": "verify_asan_link_order=0"})
        server.start()
        self.addCleanup(server.kill9)
        box = server.account.client(retry_total=0).get_container_client("box")
        box.create_container()
        box.upload_blob("acknowledged", BODY)
        failing.touch()
        self.assertEqual(self.failed_sync(server), 0)
        before = int(time.time())
        with self.assertRaises(HttpResponseError):
            box.upload_blob("unknown", BODY)
        self.assertEqual(server.process.wait(30), 1, server.tail())
        for word in ("the cell has stopped", "systemctl restart tombolo", "do not reboot first"):
            self.assertIn(word, server.tail())
        failing.unlink()
        server.start()
        self.assertEqual(box.download_blob("acknowledged").readall(), BODY)
        box.upload_blob("again", BODY)
        self.assertEqual(server.cli("fsck")["findings_total"], 0)
        mark = server.data / "failed-sync"
        self.assertIn("the cell has stopped", mark.read_text())
        self.assertGreaterEqual(self.failed_sync(server), before, "nobody could be alerted before")
        self.assertLessEqual(self.failed_sync(server), time.time())
        mark.unlink()
        deadline = time.monotonic() + 30
        while self.failed_sync(server) != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(mark.exists(), "only a failed sync leaves it")

    def failed_sync(self, server: Tombolo) -> float:
        """As /metrics tells it; gauges are read soon after the start."""
        deadline = time.monotonic() + 30
        while True:
            told = re.search(rb"^tombolo_failed_sync_timestamp_seconds (\S+)$", http_get(server.admin_port, "/metrics")[1], re.M)
            if told:
                return float(told[1])
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)


if __name__ == "__main__":
    suite.main()
