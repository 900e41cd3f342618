"""Files of published data sets in their real format, small."""

import contextlib
import gzip
import http.server
import threading
from pathlib import Path

import numpy as np


def write_idx(path, array):
    """An array of bytes in the IDX format, gzipped where the name ends in .gz."""
    path, array = Path(path), np.asarray(array, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_mnist(folder, images, labels, prefix="train", end=".gz"):
    """The two files of one part, `prefix` being `train`, `t10k` or `emnist-letters-test`: pictures, labels."""
    return (
        write_idx(Path(folder) / f"{prefix}-images-idx3-ubyte{end}", images),
        write_idx(Path(folder) / f"{prefix}-labels-idx1-ubyte{end}", labels),
    )


def digits_like(count, seed=0, classes=10, side=28):
    """Pictures of noise and a label for each, every class being there."""
    images = np.random.default_rng(seed).integers(0, 256, (count, side, side), np.uint8)
    return images, np.arange(count) % classes


def write_mnist_family(folder, name, count=40):
    """Both parts of `mnist`, `fashion-mnist`, `kmnist` or `emnist` (balanced), as that source looks for them."""
    start = "emnist-balanced-" if name == "emnist" else ""
    classes = 47 if name == "emnist" else 10
    write_mnist(folder, *digits_like(count, 1, classes), prefix=f"{start}train")
    write_mnist(folder, *digits_like(count, 2, classes), prefix=f"{start}test" if start else "t10k")
    return str(folder)


@contextlib.contextmanager
def published(pages):
    """A server on this machine that answers each path with bytes, with a (status, headers, bytes), or with 404."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            page = pages.get(self.path, (404, {}, b""))
            status, headers, content = page if isinstance(page, tuple) else (200, {}, page)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words):
            pass

    asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            thread.join()
