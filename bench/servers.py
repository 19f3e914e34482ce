"""The servers that are measured, each on the server's CPU."""
import os
import pathlib

from harness.azurite import Azurite
from harness.process import Program, free_port, need
from harness.tombolo import Tombolo

from measure import SERVER_CPU, pinned

NGINX_CONF = """
daemon off; user {user}; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 1024; multi_accept on; }}
http {{
  access_log off; default_type application/octet-stream;
  sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 3600; keepalive_requests 1000000000;
  open_file_cache max=20000 inactive=3600s; open_file_cache_valid 3600s; open_file_cache_min_uses 1;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {files}; }}
}}
"""


class Nginx(Program):
    """Debian's nginx in the foreground, one worker, files of `files` by sendfile."""

    def __init__(self, folder: pathlib.Path, files: pathlib.Path):
        folder.mkdir(parents=True)
        self.port = free_port()
        user = "root" if os.getuid() == 0 else "nobody"  # only root's nginx changes its user at all
        conf = folder / "nginx.conf"
        conf.write_text(NGINX_CONF.format(folder=folder, port=self.port, files=files, user=user))
        super().__init__("nginx", [need("NGINX"), "-p", folder, "-c", conf, "-e", folder / "error.log"],
                         folder / "nginx.log")

    def start(self):
        with pinned(SERVER_CPU):
            super().start()
        self.wait_for_port(self.port)
        return self


class PinnedTombolo(Tombolo):
    def __init__(self, folder: pathlib.Path, binary: str | None = None, settings: dict | None = None):
        super().__init__(folder, settings={"server.log_level": "warn", **(settings or {})})
        if binary:
            self.binary = binary
            self.command[0] = binary

    def start(self):
        with pinned(SERVER_CPU):
            return super().start()


class PinnedAzurite(Azurite):
    def start(self):
        with pinned(SERVER_CPU):
            return super().start()
