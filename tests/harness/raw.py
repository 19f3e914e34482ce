"""HTTP as bytes: requests that no client library would send, signed where they must be, and what comes back."""
import base64
import dataclasses
import datetime
import hashlib
import hmac
import re
import socket
import urllib.parse

from .azure import Account

VERSION = "2021-12-02"
LIMIT_S = 20


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def code(self) -> str | None:
        """x-ms-error-code. AssertionError where the XML body says something else."""
        code = self.headers.get("x-ms-error-code")
        if self.body.startswith(b"<?xml") and b"<Error>" in self.body:
            told = re.search(rb"<Code>(\w+)</Code>", self.body).group(1).decode()
            assert told == code, f"the header says {code}, the body {told}"
        return code


class Connection:
    """One TCP connection. A context manager."""

    def __init__(self, port: int, limit_s: float = LIMIT_S):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=limit_s)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def send(self, data: bytes):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early; its answer may still lie in the buffer

    def finish(self):
        """No more bytes will come from this side."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, to_head: bool = False) -> Answer | None:
        """The next answer; None when the peer closed instead."""
        try:
            line = self.reader.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        status, headers = int(line.split()[1]), {}
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if 100 <= status < 200:
            return self.answer(to_head)
        length = 0 if to_head or status in (204, 304) else int(headers.get("content-length", 0))
        return Answer(status, headers, self.reader.read(length))

    def closed(self) -> bool:
        """Whether the peer has nothing more to say and closes, within the limit."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True


def exchange(port: int, data: bytes, to_head: bool = False) -> Answer | None:
    """Sends bytes on a fresh connection; its first answer."""
    with Connection(port) as connection:
        connection.send(data)
        return connection.answer(to_head)


def request(method: str, target: str, headers: dict | None = None, body: bytes | None = None, host: str = "127.0.0.1"):
    """The bytes of a well-formed request. A body gets its Content-Length."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def signed(account: Account, method: str, target: str, headers: dict | None = None, body: bytes | None = None,
           age: datetime.timedelta = datetime.timedelta(0)) -> bytes:
    """A request under Shared Key. `target`: path and query, with the account (path style). `age` shifts x-ms-date."""
    # Source: Microsoft Learn, "Authorize with Shared Key".
    moment = datetime.datetime.now(datetime.timezone.utc) - age
    headers = {"x-ms-date": moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), "x-ms-version": VERSION, **(headers or {})}
    low = {name.lower(): value for name, value in headers.items()}
    path, _, query = target.partition("?")
    fields = [method] + [low.get(name, "") for name in ("content-encoding", "content-language")]
    fields.append(str(len(body)) if body else "")
    fields += [low.get(name, "") for name in ("content-md5", "content-type", "date", "if-modified-since", "if-match",
                                              "if-none-match", "if-unmodified-since", "range")]
    fields += [f"{name}:{low[name]}" for name in sorted(low) if name.startswith("x-ms-")]
    fields.append(f"/{account.name}{path}")
    parameters = urllib.parse.parse_qsl(query, keep_blank_values=True)
    fields += [f"{name.lower()}:{value}" for name, value in sorted(parameters)]
    digest = hmac.new(base64.b64decode(account.key), "\n".join(fields).encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {account.name}:{base64.b64encode(digest).decode()}"
    return request(method, target, headers, body)
