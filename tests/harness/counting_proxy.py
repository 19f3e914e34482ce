#!/usr/bin/env python3
"""An HTTP/1.1 proxy before one upstream that counts what passes and makes trouble when told to.

Suites use harness.proxy.CountingProxy. By hand: `counting_proxy.py --upstream 127.0.0.1:10001 [--port P] [--control-port P] [--seed N]`. Its first line tells
both ports. On the control port: GET /counts, GET /log (the last 10,000 requests), POST /reset (counts and log),
POST /faults (a JSON list that replaces the faults).

A fault is used for the requests that it matches, first match first, `times` times (absent: always):

    method       only this method
    path         only targets that this regular expression finds something in
    probability  only this share of the matching requests (0 to 1; the seed makes it repeatable)
    do           status        answer `status` (`code` as x-ms-error-code, `retry_after`); upstream never sees it
                 status_after  upstream does it; then the same answer
                 drop          close the connection before upstream sees anything
                 drop_after    upstream does it; then close without an answer
                 truncate      cut the answer's body after `bytes`
                 stall         hold the answer's body after `bytes` for `seconds`, then close
                 delay         wait `seconds` before the answer's head and before each 64 KiB of its body
                 flip          change one bit of the answer's body at offset `bytes`

Bytes are those of bodies, without framing.
"""
import argparse
import asyncio
import collections
import json
import random
import re

HEAD_MAX = 128 * 1024
STEP = 64 * 1024
LOG_MAX = 10_000


class Gone(Exception):
    """The connection ended, or must end now."""


class Head:
    """A start line and headers, kept as they came."""

    def __init__(self, raw: bytes):
        self.raw = raw
        lines = raw.decode("latin-1").split("\r\n")
        self.start = lines[0].split(" ", 2)
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip().lower()] = value.strip()

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


async def read_head(reader) -> Head | None:
    """None at the peer's orderly end between messages."""
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Gone from error
        return None
    except asyncio.LimitOverrunError as error:
        raise Gone from error


async def body_of(head: Head, reader, has_body: bool):
    """Yields (raw, payload): raw goes on the wire, payload counts."""
    if not has_body:
        return
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line, b""
            if size == 0:
                while (trailer := await reader.readuntil(b"\r\n")) != b"\r\n":
                    yield trailer, b""
                yield b"\r\n", b""
                return
            while size:
                piece = await reader.read(min(size, STEP))
                if not piece:
                    raise Gone
                size -= len(piece)
                yield piece, piece
            yield await reader.readexactly(2), b""
    left = int(head.headers.get("content-length", "0"))
    while left:
        piece = await reader.read(min(left, STEP))
        if not piece:
            raise Gone
        left -= len(piece)
        yield piece, piece


class Proxy:
    def __init__(self, upstream: tuple[str, int], seed: int):
        self.upstream = upstream
        self.random = random.Random(seed)
        self.faults: list[dict] = []
        self.reset()

    def reset(self):
        self.connections = self.bytes_up = self.bytes_down = 0
        self.by_method, self.by_status = collections.Counter(), collections.Counter()
        self.log = collections.deque(maxlen=LOG_MAX)

    def counts(self) -> dict:
        return {"requests": sum(self.by_method.values()), "by_method": dict(self.by_method),
                "by_status": {str(status): n for status, n in self.by_status.items()},
                "bytes_up": self.bytes_up, "bytes_down": self.bytes_down, "connections": self.connections}

    def fault_for(self, method: str, target: str) -> dict:
        for fault in self.faults:
            if fault.get("times", 1) == 0 or fault.get("method", method) != method:
                continue
            if "path" in fault and not re.search(fault["path"], target):
                continue
            if "probability" in fault and self.random.random() >= fault["probability"]:
                continue
            if "times" in fault:
                fault["times"] -= 1
            return fault
        return {}

    async def serve(self, reader, writer):
        self.connections += 1
        up_writer = None
        try:
            while head := await read_head(reader):
                if up_writer is None:
                    up_reader, up_writer = await asyncio.open_connection(*self.upstream, limit=HEAD_MAX)
                if not await self.exchange(head, reader, writer, up_reader, up_writer):
                    break
        except (Gone, OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            for each in (writer, up_writer):
                if each:
                    each.close()

    async def exchange(self, head: Head, reader, writer, up_reader, up_writer) -> bool:
        """One request and its answer. False: the connection is not used again."""
        method, target = head.start[0], head.start[1]
        self.by_method[method] += 1
        entry = {"method": method, "target": target, "status": 0, "bytes_up": 0, "bytes_down": 0}
        self.log.append(entry)
        fault = self.fault_for(method, target)
        do = fault.get("do")
        if do == "drop":
            return False
        if do == "status":
            if "100-continue" in head.headers.get("expect", "").lower():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.upload(head, reader, None, entry)
            return await self.refuse(writer, method, fault, entry)
        up_writer.write(head.raw)
        uploading = asyncio.create_task(self.upload(head, reader, up_writer, entry))
        try:
            while True:
                answer = await read_head(up_reader)
                if answer is None:
                    return False
                status = int(answer.start[1])
                if status >= 200:
                    break
                writer.write(answer.raw)
            silent = writer if do not in ("status_after", "drop_after") else None
            keep = await self.download(method, status, answer, up_reader, silent, fault, entry)
            # An upstream that answers early and closes may never take the rest.
            if answer.closes and not uploading.done():
                return False
            await uploading
            if do == "drop_after":
                return False
            if do == "status_after":
                return await self.refuse(writer, method, fault, entry)
            return keep and not head.closes and not answer.closes
        finally:
            uploading.cancel()

    async def upload(self, head: Head, reader, up_writer, entry: dict):
        async for raw, payload in body_of(head, reader, True):
            self.bytes_up += len(payload)
            entry["bytes_up"] += len(payload)
            if up_writer:
                up_writer.write(raw)
                await up_writer.drain()

    async def download(self, method: str, status: int, answer: Head, up_reader, writer, fault: dict, entry: dict) -> bool:
        do, limit = fault.get("do"), fault.get("bytes", 0)
        entry["status"] = status
        if do == "delay":
            await asyncio.sleep(fault["seconds"])
        if writer:
            self.by_status[status] += 1
            writer.write(answer.raw)
        done = 0
        async for raw, payload in body_of(answer, up_reader, method != "HEAD" and status not in (204, 304)):
            if not writer:
                continue
            if do in ("truncate", "stall") and payload and done + len(payload) > limit:
                rest = payload[:limit - done]
                self.count_down(rest, entry)
                writer.write(rest)
                await writer.drain()
                if do == "stall":
                    await asyncio.sleep(fault["seconds"])
                return False
            if do == "flip" and done <= limit < done + len(payload):
                changed = bytearray(payload)
                changed[limit - done] ^= 1
                raw = bytes(changed)
            if do == "delay" and payload:
                await asyncio.sleep(fault["seconds"])
            done += len(payload)
            self.count_down(payload, entry)
            writer.write(raw)
            await writer.drain()
        return True

    def count_down(self, payload: bytes, entry: dict):
        self.bytes_down += len(payload)
        entry["bytes_down"] += len(payload)

    async def refuse(self, writer, method: str, fault: dict, entry: dict) -> bool:
        status, body = fault.get("status", 500), b"" if method == "HEAD" else b"<Error/>"
        lines = [f"HTTP/1.1 {status} Fault", f"Content-Length: {len(body)}"]
        if "code" in fault:
            lines.append(f"x-ms-error-code: {fault['code']}")
        if "retry_after" in fault:
            lines.append(f"Retry-After: {fault['retry_after']}")
        entry["status"] = status
        self.by_status[status] += 1
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return True

    async def control(self, reader, writer):
        try:
            while head := await read_head(reader):
                body = b"".join([payload async for _, payload in body_of(head, reader, True)])
                status, said = 200, {}
                match head.start[:2]:
                    case ["GET", "/counts"]:
                        said = self.counts()
                    case ["GET", "/log"]:
                        said = list(self.log)
                    case ["POST", "/reset"]:
                        self.reset()
                    case ["POST", "/faults"]:
                        self.faults = json.loads(body)
                    case _:
                        status = 404
                text = json.dumps(said).encode()
                writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
                await writer.drain()
        except (Gone, OSError, ValueError):
            pass
        finally:
            writer.close()


async def run(args):
    host, _, port = args.upstream.rpartition(":")
    proxy = Proxy((host, int(port)), args.seed)
    data = await asyncio.start_server(proxy.serve, "127.0.0.1", args.port, limit=HEAD_MAX)
    control = await asyncio.start_server(proxy.control, "127.0.0.1", args.control_port, limit=16 * 1024 * 1024)
    ports = [server.sockets[0].getsockname()[1] for server in (data, control)]
    print(f"proxy on 127.0.0.1:{ports[0]}, control on 127.0.0.1:{ports[1]}", flush=True)
    await asyncio.gather(data.serve_forever(), control.serve_forever())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
