#!/usr/bin/env python3
"""An HTTP/1.1 proxy before one object store that counts what passes, and lies when told to.

By hand, between any client and any store that speaks Azure Blob over plain HTTP:

    lying_proxy.py --upstream 127.0.0.1:10001 [--port P] [--control-port P] [--seed N] [--lie NAME]...
    curl -X POST localhost:CONTROL/lies -d '["stalled"]'      from now on; [] is the truth again
    curl localhost:CONTROL/counts

Its first line tells both ports. Suites use harness.proxy.LyingProxy. On the control port: GET /counts, GET /log (the last
10,000 requests), POST /reset (counts and log), POST /lies (names of the table below), POST /faults (a JSON list of
faults). Both replace what was told before; an answer that was held for a fault that is not told again breaks off at once.

LIES

    down             connections are taken and closed without an answer
    refused          nobody listens on the port
    slow             every answer, and each 64 KiB of a body, takes 200 ms
    stalled          the store does what was asked, but its answer never comes (60 s)
    stalled_bodies   answers begin, and stop after 1,000 bytes of body
    truncating       answers break off: in the body, or in the head where there is none
    wrong_bytes      one bit of every body is another, up and down
    wrong_etag       every ETag is another, in headers and listings
    done_said_500    the store does what was asked, and says 500
    claimed          PUT is answered 201 and DELETE 202, and nothing is done
    stale_list       a listing is what it was when last asked for truly; one never asked for is empty
    forbidden        403 AuthorizationFailure
    not_found        404: BlobNotFound, of a container ContainerNotFound
    throttled        429 with Retry-After: 1
    busy             503 ServerBusy

"Changed outside" needs no lie: change the object behind the proxy.

FAULTS

A fault is used for the requests that it matches, first match first, `times` times (absent: always):

    method       only this method
    operation    only put, get, head, list or delete (a list is a GET with comp=list)
    path         only targets that this regular expression finds something in
    probability  only this share of the matching requests (0 to 1; the seed makes it repeatable)
    do           status        answer `status` (`code` as x-ms-error-code, `retry_after`); upstream never sees it
                 status_after  upstream does it; then the same answer
                 drop          close the connection before upstream sees anything
                 drop_after    upstream does it; then close without an answer
                 refuse        nobody listens (all requests; matches nothing else)
                 truncate      cut the answer's body after `bytes`, or its head in the middle when it has no body
                 stall         hold the answer's body after `bytes` for `seconds`, then close
                 hang          upstream does it; hold the answer for `seconds`, then close
                 delay         wait `seconds` before the answer's head and before each 64 KiB of its body
                 flip          change one bit of the answer's body at offset `bytes`
                 flip_up       change one bit of the request's body at offset `bytes`
                 etag          change every ETag of the answer
                 claim         answer as if it had been done; upstream never sees it
                 stale         answer a listing as it was

Bytes are those of bodies, without framing.
"""
import argparse
import asyncio
import collections
import json
import random
import re
import socket

HEAD_MAX = 128 * 1024
STEP = 64 * 1024
LOG_MAX = 10_000
HEAD_CUT = 10  # "HTTP/1.1 2"
STALE_BODY_MAX = 4 * 1024 * 1024
EMPTY_LIST = b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>'
NO_ETAG_YET = '"0x8D00000000000FF"'

LIES = {
    "down": [{"do": "drop"}],
    "refused": [{"do": "refuse"}],
    "slow": [{"do": "delay", "seconds": 0.2}],
    "stalled": [{"do": "hang", "seconds": 60}],
    "stalled_bodies": [{"do": "stall", "bytes": 1000, "seconds": 60}],
    "truncating": [{"do": "truncate", "bytes": 100}],
    "wrong_bytes": [{"operation": "put", "do": "flip_up", "bytes": 100}, {"do": "flip", "bytes": 100}],
    "wrong_etag": [{"do": "etag"}],
    "done_said_500": [{"do": "status_after", "status": 500, "code": "InternalError"}],
    "claimed": [{"operation": "put", "do": "claim"}, {"operation": "delete", "do": "claim"}],
    "stale_list": [{"operation": "list", "do": "stale"}],
    "forbidden": [{"do": "status", "status": 403, "code": "AuthorizationFailure"}],
    "not_found": [{"operation": "list", "do": "status", "status": 404, "code": "ContainerNotFound"},
                  {"operation": "put", "do": "status", "status": 404, "code": "ContainerNotFound"},
                  {"do": "status", "status": 404, "code": "BlobNotFound"}],
    "throttled": [{"do": "status", "status": 429, "code": "TooManyRequests", "retry_after": 1}],
    "busy": [{"do": "status", "status": 503, "code": "ServerBusy"}],
}


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


def operation_of(method: str, target: str) -> str:
    if method == "GET" and "comp=list" in target:
        return "list"
    return method.lower()


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
    def __init__(self, upstream: tuple[str, int], port: int, seed: int):
        self.upstream = upstream
        self.random = random.Random(seed)
        self.faults: list[dict] = []
        self.told = asyncio.Event()  # set when the faults are replaced
        self.server = None
        self.open = set()   # writers of clients
        self.listings = {}  # target -> the last true answer: (head, raw)
        # Bound for as long as the proxy lives, so that nobody else gets the port while nobody listens on it.
        self.place = socket.socket()
        self.place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.place.bind(("127.0.0.1", port))
        self.port = self.place.getsockname()[1]
        self.reset()

    def reset(self):
        self.connections = self.bytes_up = self.bytes_down = 0
        self.by_method, self.by_status = collections.Counter(), collections.Counter()
        self.by_operation = collections.Counter()
        self.log = collections.deque(maxlen=LOG_MAX)

    def counts(self) -> dict:
        return {"requests": sum(self.by_method.values()), "by_method": dict(self.by_method),
                "by_operation": dict(self.by_operation),
                "by_status": {str(status): n for status, n in self.by_status.items()},
                "bytes_up": self.bytes_up, "bytes_down": self.bytes_down, "connections": self.connections}

    async def listen(self):
        if self.server is None:
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=HEAD_MAX,
                                                     reuse_address=True, backlog=1024)

    async def refuse_connections(self):
        if self.server is not None:
            self.server.close()
            self.server = None
        for writer in list(self.open):
            writer.transport.abort()

    async def tell(self, faults: list[dict]):
        """What to do from now on; what is held for a fault that is not among them breaks off."""
        self.faults = [dict(fault) for fault in faults]
        self.told.set()
        self.told = asyncio.Event()
        if any(fault["do"] == "refuse" for fault in faults):
            await self.refuse_connections()
        else:
            await self.listen()

    async def hold(self, fault: dict):
        """For the fault's seconds, or until it is not told any more."""
        def kept(each):
            return {name: value for name, value in each.items() if name != "times"}
        end = asyncio.get_running_loop().time() + fault["seconds"]
        while any(kept(each) == kept(fault) for each in self.faults):
            try:
                await asyncio.wait_for(self.told.wait(), end - asyncio.get_running_loop().time())
            except asyncio.TimeoutError:
                return

    def fault_for(self, method: str, target: str) -> dict:
        for fault in self.faults:
            if fault.get("times", 1) == 0 or fault.get("method", method) != method:
                continue
            if fault.get("operation", operation_of(method, target)) != operation_of(method, target):
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
        self.open.add(writer)
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
            self.open.discard(writer)
            for each in (writer, up_writer):
                if each:
                    each.close()

    async def exchange(self, head: Head, reader, writer, up_reader, up_writer) -> bool:
        """One request and its answer. False: the connection is not used again."""
        method, target = head.start[0], head.start[1]
        self.by_method[method] += 1
        self.by_operation[operation_of(method, target)] += 1
        entry = {"method": method, "target": target, "status": 0, "bytes_up": 0, "bytes_down": 0}
        self.log.append(entry)
        fault = self.fault_for(method, target)
        do = fault.get("do")
        if do in ("drop", "refuse"):
            return False
        if do in ("status", "claim", "stale"):
            if "100-continue" in head.headers.get("expect", "").lower():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.upload(head, reader, None, fault, entry)
            return await self.pretend(writer, method, target, fault, entry)
        up_writer.write(head.raw)
        uploading = asyncio.create_task(self.upload(head, reader, up_writer, fault, entry))
        try:
            while True:
                answer = await read_head(up_reader)
                if answer is None:
                    return False
                status = int(answer.start[1])
                if status >= 200:
                    break
                writer.write(answer.raw)
            silent = writer if do not in ("status_after", "drop_after", "hang") else None
            keep = await self.download(method, target, status, answer, up_reader, silent, fault, entry)
            # An upstream that answers early and closes may never take the rest.
            if answer.closes and not uploading.done():
                return False
            await uploading
            if do == "hang":
                await self.hold(fault)
            if do in ("drop_after", "hang"):
                return False
            if do == "status_after":
                return await self.answer(writer, method, fault, entry)
            return keep and not head.closes and not answer.closes
        finally:
            uploading.cancel()

    async def upload(self, head: Head, reader, up_writer, fault: dict, entry: dict):
        async for raw, payload in body_of(head, reader, True):
            if fault.get("do") == "flip_up":
                raw = flipped(raw, payload, fault["bytes"] - entry["bytes_up"])
            self.bytes_up += len(payload)
            entry["bytes_up"] += len(payload)
            if up_writer:
                up_writer.write(raw)
                await up_writer.drain()

    async def download(self, method: str, target: str, status: int, answer: Head, up_reader, writer, fault: dict,
                       entry: dict) -> bool:
        do, limit = fault.get("do"), fault.get("bytes", 0)
        entry["status"] = status
        has_body = (method != "HEAD" and status not in (204, 304) and
                    (answer.headers.get("content-length") != "0" or "transfer-encoding" in answer.headers))
        if do == "delay":
            await self.hold(fault)
        if writer:
            self.by_status[status] += 1
            raw = other_etags(answer.raw) if do == "etag" else answer.raw
            cut = do == "truncate" and not has_body
            writer.write(raw[:HEAD_CUT] if cut else raw)
            if cut:
                return False
        done, kept = 0, []
        keep = operation_of(method, target) == "list" and status == 200 and do is None
        async for raw, payload in body_of(answer, up_reader, has_body):
            if not writer:
                continue
            if do in ("truncate", "stall") and payload and done + len(payload) > limit:
                rest = payload[:limit - done]
                self.count_down(rest, entry)
                writer.write(rest)
                await writer.drain()
                if do == "stall":
                    await self.hold(fault)
                return False
            if do == "flip":
                raw = flipped(raw, payload, limit - done)
            if do == "etag" and operation_of(method, target) == "list":
                raw = other_etags(raw)  # one that lies across two pieces stays true
            if do == "delay" and payload:
                await self.hold(fault)
            if keep and done < STALE_BODY_MAX:
                kept.append(raw)
            done += len(payload)
            self.count_down(payload, entry)
            writer.write(raw)
            await writer.drain()
        if keep and done < STALE_BODY_MAX:
            self.listings[target] = answer.raw + b"".join(kept)
        return True

    def count_down(self, payload: bytes, entry: dict):
        self.bytes_down += len(payload)
        entry["bytes_down"] += len(payload)

    async def pretend(self, writer, method: str, target: str, fault: dict, entry: dict) -> bool:
        """An answer that upstream knows nothing of."""
        if fault["do"] == "status":
            return await self.answer(writer, method, fault, entry)
        if fault["do"] == "claim":
            return await self.answer(writer, method, {"status": 201 if method == "PUT" else 202}, entry)
        raw = self.listings.get(target)
        if raw is None:
            raw = f"HTTP/1.1 200 OK\r\nContent-Length: {len(EMPTY_LIST)}\r\n\r\n".encode() + EMPTY_LIST
        entry["status"] = 200
        self.by_status[200] += 1
        writer.write(raw)
        await writer.drain()
        return True

    async def answer(self, writer, method: str, fault: dict, entry: dict) -> bool:
        status = fault.get("status", 500)
        body = b"" if method == "HEAD" or status < 300 else b"<Error/>"
        lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
        if status == 201:
            lines.append(f"ETag: {NO_ETAG_YET}")
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
                        await self.tell(json.loads(body))
                    case ["POST", "/lies"]:
                        await self.tell([fault for name in json.loads(body) for fault in LIES[name]])
                    case _:
                        status = 404
                text = json.dumps(said).encode()
                writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
                await writer.drain()
        except (Gone, OSError, ValueError, KeyError):
            pass
        finally:
            writer.close()


def flipped(raw: bytes, payload: bytes, at: int) -> bytes:
    """`raw` with one bit changed at that place of it, if it is a piece of the body and has the place."""
    if not payload or not 0 <= at < len(payload):
        return raw
    changed = bytearray(payload)
    changed[at] ^= 1
    return bytes(changed)


def other_etags(raw: bytes) -> bytes:
    """Of the same length, so that no framing has to change."""
    def other(found):
        return found[1] + re.sub(rb"[0-9A-F]", lambda digit: b"F" if digit[0] != b"F" else b"0", found[2])
    return re.sub(rb'(?i)(\betag: "0x|<Etag>"?0x)([0-9A-Fa-f]+)', other, raw)


async def run(args):
    host, _, port = args.upstream.rpartition(":")
    proxy = Proxy((host, int(port)), args.port, args.seed)
    await proxy.tell([fault for name in args.lie for fault in LIES[name]])
    control = await asyncio.start_server(proxy.control, "127.0.0.1", args.control_port, limit=16 * 1024 * 1024)
    print(f"proxy on 127.0.0.1:{proxy.port}, control on 127.0.0.1:{control.sockets[0].getsockname()[1]}", flush=True)
    await control.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lie", action="append", default=[], choices=list(LIES), metavar="NAME")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
