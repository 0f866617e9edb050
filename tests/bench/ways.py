"""Other ways to a hub than directly: a slow link, and nginx with TLS."""
import json
import os
import shutil
import socket
import subprocess
import time

from hub import Failed

NGINX_CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nginx.conf")


class SlowLink:
    """Followers reach the hub over a link of this rate, both ways (tests/faults)."""

    def __init__(self, binaries, hub, rate):
        grpc, http = (int(address.rsplit(":", 1)[1]) for address in (hub.grpc, hub.http))
        self.process = subprocess.Popen(
            [os.path.join(binaries, "remora-fault-proxy"), "--link", f"grpc=0:{grpc}", "--link", f"http=0:{http}",
             "--do", f"rate {rate}"], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise Failed("the fault proxy did not start")
        self.ports = {name: link["port"] for name, link in json.loads(line).items()}

    def reached(self):
        return {name: f"127.0.0.1:{self.ports[name]}" for name in ("grpc", "http")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class TlsProxy:
    """Everybody reaches the hub's gRPC through nginx with TLS 1.3."""

    def __init__(self, hub):
        if shutil.which("nginx") is None or shutil.which("openssl") is None:
            raise Failed("nginx or openssl is not installed")
        self.folder = hub.folder
        self.certificate = self._path("certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self._path("key.pem"), "-out", self.certificate], check=True, capture_output=True)
        self.port = _free_port()
        with open(NGINX_CONF, encoding="utf-8") as f:
            text = f.read()
        for name, value in {"FOLDER": self.folder, "PORT": str(self.port), "GRPC": hub.grpc}.items():
            text = text.replace(f"@{name}@", value)
        with open(self._path("nginx.conf"), "w", encoding="utf-8") as f:
            f.write(text)
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", self._path("nginx.conf")],
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        raise Failed("nginx did not start")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def reached(self):
        where = {"grpc": f"localhost:{self.port}", "tls_roots": self.certificate}
        return {**where, "publish": where}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
