"""A client of the Blob protocol on one keep-alive socket: what the SDK does, without its weight."""
import base64
import email.utils
import functools
import hashlib
import hmac
import socket
import time
import urllib.parse
from typing import NamedTuple

VERSION = "2021-12-02"
TIMEOUT_S = 30
HEAD_MAX = 64 * 1024


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytearray

    @property
    def code(self) -> str:
        return self.headers.get("x-ms-error-code", "")


class Closed(OSError):
    """The server closed the connection before its answer was whole."""


class CutOff(Closed):
    """It began to send a body, and closed: what it read next did not verify, or it died."""


@functools.lru_cache(maxsize=4)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


class Connection:
    """Not thread-safe. Any OSError out of it means: whether the request was done is unknown."""

    def __init__(self, port: int, account: str, key: str):
        self.port, self.account, self.key = port, account, base64.b64decode(key)
        self.socket: socket.socket | None = None
        self.buffered = bytearray()

    def request(self, method: str, path: str, query: dict[str, str] | None = None,
                headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """`path` is container and name, not escaped."""
        query = query or {}
        fields = {"x-ms-date": _date(int(time.time())), "x-ms-version": VERSION, **(headers or {})}
        target = f"/{self.account}/{urllib.parse.quote(path)}"
        fields["Authorization"] = self._sign(method, target, query, fields, len(body))
        if query:
            target += "?" + urllib.parse.urlencode(query)
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        try:
            return self._exchange(method, head, body)
        except OSError:
            self.close()
            raise

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.buffered = bytearray()

    def _sign(self, method, target, query, fields, length) -> str:
        own = sorted((name.lower(), value) for name, value in fields.items() if name.lower().startswith("x-ms-"))
        text = f"{method}\n\n\n{length or ''}\n\n\n\n\n\n\n\n{fields.get('Range', '')}\n"
        text += "".join(f"{name}:{value}\n" for name, value in own)
        text += f"/{self.account}{target}"
        text += "".join(f"\n{name}:{value}" for name, value in sorted(query.items()))
        digest = hmac.new(self.key, text.encode(), hashlib.sha256).digest()
        return f"SharedKey {self.account}:{base64.b64encode(digest).decode()}"

    def _exchange(self, method: str, head: bytes, body: bytes) -> Answer:
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(body) < 65536:
            self.socket.sendall(head + body)
        else:
            self.socket.sendall(head)
            self.socket.sendall(body)
        answer = self._read_head()
        length = int(answer.headers.get("content-length", "0"))
        if method != "HEAD" and answer.status not in (204, 304):
            assert "transfer-encoding" not in answer.headers, answer.headers
            self._read_body(answer.body, length)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def _read_head(self) -> Answer:
        while (end := self.buffered.find(b"\r\n\r\n")) < 0:
            if len(self.buffered) > HEAD_MAX:
                raise Closed("the answer's head has no end")
            self._receive()
        first, *rest = self.buffered[:end].decode("latin-1").split("\r\n")
        del self.buffered[:end + 4]
        fields = (line.split(":", 1) for line in rest)
        return Answer(int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, value in fields}, bytearray())

    def _read_body(self, body: bytearray, length: int):
        body += self.buffered[:length]
        del self.buffered[:length]
        at = len(body)
        body += bytes(length - at)
        with memoryview(body) as view:
            while at < length:
                count = self.socket.recv_into(view[at:])
                if count == 0:
                    raise CutOff(f"closed after {at} of {length} bytes of a body")
                at += count

    def _receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed("closed before an answer")
        self.buffered += data
