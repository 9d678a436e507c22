"""Debian's mirror for a machine that reaches nothing else: one request of HTTP, from stdin to stdout.

    qemu-system-x86_64 -nic user,guestfwd=tcp:10.0.2.100:80-cmd:'python3 mirror.py URL'

The machine asks it as a proxy, for ``http://mirror/debian/PATH``; it gets ``URL/PATH``, where URL is
the mirror that apt has on this machine (``of_apt``), through the proxy that apt has, if any.
"""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request

# what the machine calls it
NAME, FOLDER = "mirror", "/debian"


def of_apt() -> str:
    """The first of Debian's mirrors among this machine's sources of packages.

    Raises:
        LookupError: it has none.
    """
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    wanted = ["Created-By: Packages", "Component: main"]
    found = subprocess.run(
        [*targets, *wanted], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    for uri in found.stdout.split():
        if uri.startswith("http") and uri.rstrip("/").endswith(FOLDER):
            return uri.rstrip("/")
    raise LookupError("apt has no mirror of Debian's here")


def _proxies() -> "dict[str, str]":
    words = ["apt-config", "shell", "proxy", "Acquire::http::Proxy"]
    said = subprocess.run(words, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    value = said.partition("=")[2].strip().strip("'")
    return {"http": value, "https": value} if value else urllib.request.getproxies()


def main() -> None:
    """Answer one request."""
    out = sys.stdout.buffer
    method, url, _ = sys.stdin.buffer.readline().decode("ascii").split()
    asked = {}
    for line in iter(sys.stdin.buffer.readline, b"\r\n"):
        if not line.strip():
            break
        name, _, value = line.decode("latin-1").partition(":")
        asked[name.strip().lower()] = value.strip()
    head, _, path = url.partition("%s%s/" % (NAME, FOLDER))
    if head != "http://":
        out.write(b"HTTP/1.0 403 Forbidden\r\nConnection: close\r\n\r\n")
        return
    # what the client has already, in part or whole
    passed = ("range", "if-range", "if-modified-since")
    headers = {name: asked[name] for name in passed if name in asked}
    request = urllib.request.Request("%s/%s" % (sys.argv[1], path), None, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(_proxies()))
    try:
        answer = opener.open(request, timeout=300)
    except urllib.error.HTTPError as error:
        answer = error
    out.write(("HTTP/1.0 %d %s\r\n" % (answer.status, answer.reason)).encode())
    for name in ("Content-Length", "Content-Type", "Content-Range", "Last-Modified"):
        if name in answer.headers:
            out.write(("%s: %s\r\n" % (name, answer.headers[name])).encode())
    out.write(b"Connection: close\r\n\r\n")
    if method != "HEAD":
        shutil.copyfileobj(answer, out)


if __name__ == "__main__":
    main()
