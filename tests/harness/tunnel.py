"""An HTTP proxy that knows one domain: CONNECT to any name below it leads to this machine. For clients in which a name
cannot be given an address otherwise without changing the system's hosts file."""
import asyncio
import threading

HEAD_MAX = 16 * 1024


class Tunnel:
    """A context manager; `env` makes a Go or curl client use it. It sees only what TLS shows everybody."""

    def __init__(self, domain: str):
        self.domain = domain
        self.names: list[str] = []  # that were asked for
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set = set()

    @property
    def env(self) -> dict:
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self.port}"}

    def __enter__(self):
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_MAX))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        up = None
        try:
            method, target, *_ = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split(" ")
            host, _, port = target.rpartition(":")
            self.names.append(host)
            if method != "CONNECT" or not f".{host}".endswith(f".{self.domain}"):
                writer.write(b"HTTP/1.1 502 Unknown\r\nContent-Length: 0\r\n\r\n")
                return
            up_reader, up = await asyncio.open_connection("127.0.0.1", int(port))
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await asyncio.gather(self._pump(reader, up), self._pump(up_reader, writer))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self._tasks.discard(task)
            for each in (writer, up):
                if each:
                    each.close()

    @staticmethod
    async def _pump(reader, writer):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
