"""Requests signed beforehand under Shared Key, and the files that http_load sends."""
import base64
import email.utils
import hashlib
import hmac
import pathlib
import struct
import time
import urllib.parse

VERSION = "2021-12-02"
ANY_ANSWER = (1 << 64) - 1
RECORD = struct.Struct("<IHHQQQQ")  # RequestRecord of http_load.cc
SIGNED_STANDARD = ("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
                   "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range")
DATES = 300  # signing dates are spread over this many seconds before now; servers take 900 s


class Signer:
    """Renders heads for one account at one endpoint (path style)."""

    def __init__(self, account):
        address = urllib.parse.urlsplit(account.endpoint)
        self.name, self.base, self.host = account.name, address.path, address.netloc
        self._mac = hmac.new(base64.b64decode(account.key), digestmod=hashlib.sha256)
        now = int(time.time())
        self._dates = [email.utils.formatdate(now - age, usegmt=True) for age in range(DATES)]
        self._count = 0

    def head(self, method: str, path: str, query: dict | None = None, headers: dict | None = None, length: int = 0) -> bytes:
        """The head of a request for `path` below the account, e.g. "/container/blob", signed at one of many dates."""
        self._count += 1
        own = {"x-ms-date": self._dates[self._count % DATES], "x-ms-version": VERSION, **(headers or {})}
        if length or method == "PUT":
            own["content-length"] = str(length)
        standard = [own.get(name, "") for name in SIGNED_STANDARD]
        if length == 0:
            standard[2] = ""
        text = "\n".join([method, *standard, *(f"{n}:{own[n]}" for n in sorted(own) if n.startswith("x-ms-")),
                          f"/{self.name}{self.base}{path}",
                          *(f"{name}:{value}" for name, value in sorted((query or {}).items()))])
        mac = self._mac.copy()
        mac.update(text.encode())
        own["authorization"] = f"SharedKey {self.name}:{base64.b64encode(mac.digest()).decode()}"
        target = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        return plain_head(method, target, self.host, own)


def plain_head(method: str, target: str, host: str, headers: dict | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", "user-agent: tombolo-bench", "accept: */*",
             *(f"{name}: {value}" for name, value in (headers or {}).items()), "", ""]
    return "\r\n".join(lines).encode()


class RequestFile:
    """Writes the file of requests. Bodies and answers are (offset, bytes) in the file of bodies."""

    def __init__(self, path: pathlib.Path):
        self.path, self.count = path, 0
        self._file = path.open("wb")

    def add(self, head: bytes, status: int, body=(0, 0), answer=(ANY_ANSWER, ANY_ANSWER), alone: bool = False):
        self._file.write(RECORD.pack(len(head), status, int(alone), *body, *answer))
        self._file.write(head)
        self.count += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
