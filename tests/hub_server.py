"""A small Hub on 127.0.0.1: the REST protocol huggingface_hub speaks, over files on disk.

It holds dataset repositories with commits, branches, tags, large and small files, takes uploads by
Git LFS, serves by redirect and Range, and knows tokens, private and gated repositories. It has no
Xet storage: clients need HF_HUB_DISABLE_XET=1. What `Disturbances` says goes wrong, goes wrong.
"""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

TOKEN = "hf_" + "s3cret" * 5
LARGE = (".png", ".tif", ".jpg", ".hdr")
LICENCES = ("other", "cc-by-4.0", "mit")
PAGE = 7  # entries of a tree in one answer


@dataclass(frozen=True)
class Entry:
    """A file of a commit: bytes in large file storage (sha256) or a blob of git (its id)."""

    size: int
    blob: str
    sha256: str | None = None

    def described(self, path: str) -> dict:
        lfs = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return {"type": "file", "path": path, "size": self.size, "oid": self.blob} | (
            {"lfs": lfs} if self.sha256 else {}
        )


@dataclass
class Repo:
    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, Entry]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit_of(self, revision: str) -> str | None:
        return self.refs.get(revision, revision if revision in self.commits else None)

    def add(self, tree: dict[str, Entry], branch: str = "main") -> str:
        parent = self.refs.get(branch, "")
        text = json.dumps([parent, len(self.commits), sorted((p, e.blob) for p, e in tree.items())])
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = tree
        self.refs[branch] = sha
        return sha


@dataclass
class Disturbances:
    """What goes wrong.

    Attributes:
        cut_after: connections that serve large files break after so many bytes of the body.
        altered: SHA-256 of files whose first byte is served flipped.
        endless: SHA-256 of files that never end.
        halt_at: the so-manieth file that is asked for is served half, then no more, until `go`.
        halt_upload: the so-manieth upload is taken and never answered, until `go`.
        busy: so many requests for files are answered with "come again".
        status: answered to everything.
    """

    cut_after: int | None = None
    altered: set[str] = field(default_factory=set)
    endless: set[str] = field(default_factory=set)
    halt_at: int | None = None
    halt_upload: int | None = None
    busy: int = 0
    status: int | None = None
    halted: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


class Hub:
    """The server's state; `log` has every request: method, path, Range, token."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repos: dict[str, Repo] = {}
        self.log: list[tuple[str, str, str, str | None]] = []
        self.wrong = Disturbances()
        self.lock = threading.RLock()
        self.endpoint = self.store_address = ""
        self.served = self.taken = 0
        root.mkdir(parents=True)

    def store(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        (self.root / sha256).write_bytes(content)
        return sha256

    def entry(self, path: str, content: bytes) -> Entry:
        if path.endswith(LARGE):
            return self.large(self.store(content), len(content))
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        (self.root / blob).write_bytes(content)
        return Entry(len(content), blob)

    def large(self, sha256: str, size: int) -> Entry:
        return Entry(size, hashlib.sha1(sha256.encode()).hexdigest(), sha256)

    def put(self, name: str, files: dict[str, bytes], **kwargs) -> str:
        """A commit with exactly these files, by no client's rules."""
        repo = self.repos.setdefault(name, Repo(**kwargs))
        return repo.add({path: self.entry(path, content) for path, content in files.items()})

    def files(self, name: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a revision but .gitattributes."""
        repo = self.repos[name]
        return {
            path: (self.root / (entry.sha256 or entry.blob)).read_bytes()
            for path, entry in repo.commits[repo.commit_of(revision)].items()
            if path != ".gitattributes"
        }

    def requests(self, method: str, part: str) -> list[str]:
        """Paths of the requests of this method that have `part` in them."""
        return [path for verb, path, *_ in self.log if verb == method and part in path]


class Refused(Exception):  # noqa: N818 - an answer of this server
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        self.status, self.code, self.message = status, code, message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the headers to be acknowledged
    hub: Hub

    ROUTES = (
        ("POST", r"/api/repos/create", "create"),
        ("POST", r"/api/validate-yaml", "validate"),
        ("GET", r"/api/datasets/([^/]+/[^/]+)(?:/revision/([^/]+))?", "info"),
        ("GET", r"/api/datasets/([^/]+/[^/]+)/tree/([^/]+)(?:/(.+))?", "tree"),
        ("POST", r"/api/datasets/([^/]+/[^/]+)/paths-info/([^/]+)", "paths_info"),
        ("POST", r"/api/datasets/([^/]+/[^/]+)/preupload/([^/]+)", "preupload"),
        ("POST", r"/api/datasets/([^/]+/[^/]+)/commit/([^/]+)", "commit"),
        ("POST", r"/api/datasets/([^/]+/[^/]+)/branch/([^/]+)", "branch"),
        ("POST", r"/api/datasets/([^/]+/[^/]+)/tag/([^/]+)", "tag"),
        ("POST", r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
        ("PUT", r"/lfs/([0-9a-f]{64})", "upload"),
        ("GET", r"/cdn/([0-9a-f]{64})", "stored"),
        ("GET", r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", "resolve"),
    )

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        self.route("GET")

    do_HEAD = do_GET  # noqa: N815 - named by http.server

    def do_POST(self) -> None:
        self.route("POST")

    def do_PUT(self) -> None:
        self.route("PUT")

    def route(self, method: str) -> None:
        self.address = urlsplit(self.path)
        self.body = self.read_body()
        with self.hub.lock:
            asked = self.headers.get("Range", "")
            self.hub.log.append((self.command, self.path, asked, self.token()))
        try:
            if self.hub.wrong.status is not None:
                raise Refused(self.hub.wrong.status)
            if self.token() not in (None, TOKEN):
                raise Refused(401, message="Invalid credentials in Authorization header")
            for verb, pattern, name in self.ROUTES:
                found = re.fullmatch(pattern, self.address.path)
                if verb == method and found:
                    parts = [part and unquote(part) for part in found.groups()]
                    getattr(self, name)(*parts)
                    return
            raise Refused(404)
        except Refused as refused:
            self.answer({"error": refused.message}, refused.status, {
                "X-Error-Code": refused.code, "X-Error-Message": refused.message,
            })  # fmt: skip
        except ConnectionError:
            self.close_connection = True

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def token(self) -> str | None:
        said = self.headers.get("Authorization")
        return said and said.removeprefix("Bearer ")

    def answer(self, data: object, status: int = 200, headers: dict | None = None) -> None:
        content = json.dumps(data).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def repo(self, name: str, write: bool = False) -> Repo:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and self.token() is None):
            if self.token() is None:
                raise Refused(401, message="Invalid username or password.")
            raise Refused(404, "RepoNotFound", "Repository not found")
        if write and self.token() is None:
            raise Refused(401, message="Invalid username or password.")
        return repo

    def at(self, name: str, revision: str | None) -> tuple[Repo, str]:
        repo = self.repo(name)
        commit = repo.commit_of(revision or "main")
        if commit is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repo, commit

    def create(self) -> None:
        if self.token() is None:
            raise Refused(401, message="Invalid username or password.")
        said = json.loads(self.body)
        name = f"{said['organization']}/{said['name']}"
        if said["organization"] == "forbidden":
            raise Refused(403, message="You don't have the rights")
        if name in self.hub.repos:
            raise Refused(409, message="You already created this dataset repo")
        self.hub.put(name, {".gitattributes": b"*.png filter=lfs diff=lfs merge=lfs -text\n"})
        self.hub.repos[name].private = said.get("visibility") == "private" or said.get("private")
        self.answer({"url": f"{self.hub.endpoint}/datasets/{name}"})

    def validate(self) -> None:
        header = json.loads(self.body)["content"].split("---\n")[1]
        known = yaml.safe_load(header).get("license") in LICENCES
        errors = [] if known else [{"message": '"license" must be one of [...]'}]
        self.answer({"errors": errors, "warnings": []}, 200 if known else 400)

    def info(self, name: str, revision: str | None) -> None:
        repo, commit = self.at(name, revision)
        siblings = [{"rfilename": path} for path in repo.commits[commit]]
        self.answer({
            "id": name, "sha": commit, "private": bool(repo.private), "gated": repo.gated,
            "siblings": siblings, "tags": [], "downloads": 0, "likes": 0,
        })  # fmt: skip

    def tree(self, name: str, revision: str, folder: str | None) -> None:
        repo, commit = self.at(name, revision)
        asked = parse_qs(self.address.query)
        above = f"{folder}/" if folder else ""
        entries = {}
        for path, entry in repo.commits[commit].items():
            if path.startswith(above):
                parts = path[len(above) :].split("/")
                for depth in range(1, len(parts)):
                    inside = above + "/".join(parts[:depth])
                    entries[inside] = {"type": "directory", "path": inside, "oid": "0" * 40}
                entries[path] = entry.described(path)
        if asked["recursive"] == ["false"]:
            entries = {path: entries[path] for path in entries if "/" not in path[len(above) :]}
        if folder and not entries:
            raise Refused(404, "EntryNotFound", f"{folder} does not exist")
        found = [entries[path] for path in sorted(entries)]
        first = int(asked.get("cursor", ["0"])[0])
        here = f"{self.hub.endpoint}{self.address.path}?recursive={asked['recursive'][0]}"
        more = f'<{here}&cursor={first + PAGE}>; rel="next"' if first + PAGE < len(found) else ""
        self.answer(found[first : first + PAGE], headers={"Link": more})

    def paths_info(self, name: str, revision: str) -> None:
        repo, commit = self.at(name, revision)
        if repo.gated:
            raise Refused(403, "GatedRepo", "Access to this dataset is restricted")
        wanted = parse_qs(self.body.decode()).get("paths", [])
        tree = repo.commits[commit]
        self.answer([tree[path].described(path) for path in wanted if path in tree])

    def preupload(self, name: str, revision: str) -> None:
        tree = self.repo(name, write=True).commits[self.at(name, revision)[1]]
        self.answer({
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                    "oid": (tree[file["path"]].sha256 or tree[file["path"]].blob)
                    if file["path"] in tree else None,
                }
                for file in json.loads(self.body)["files"]
            ]
        })  # fmt: skip

    def batch(self, name: str) -> None:
        self.repo(name, write=True)
        objects = []
        for said in json.loads(self.body)["objects"]:
            there = (self.hub.root / said["oid"]).exists()
            upload = {"href": f"{self.hub.endpoint}/lfs/{said['oid']}"}
            objects.append(said | ({} if there else {"actions": {"upload": upload}}))
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, sha256: str) -> None:
        with self.hub.lock:
            self.hub.taken += 1
            halt = self.hub.taken == self.hub.wrong.halt_upload
        if halt:
            self.hub.wrong.halted.set()
            self.hub.wrong.go.wait()
        if hashlib.sha256(self.body).hexdigest() != sha256:
            raise Refused(400, message="other bytes than announced")
        self.hub.store(self.body)
        self.answer({})

    def commit(self, name: str, revision: str) -> None:
        with self.hub.lock:
            repo = self.repo(name, write=True)
            tree = dict(repo.commits[self.at(name, revision)[1]])
            for line in self.body.splitlines():
                key, value = (item := json.loads(line))["key"], item["value"]
                if (
                    key == "header"
                    and value.get("parentCommit", repo.refs[revision]) != (repo.refs[revision])
                ):
                    raise Refused(412, message="A commit has happened since")
                if key == "file":
                    content = base64.b64decode(value["content"])
                    tree[value["path"]] = self.hub.entry(value["path"], content)
                if key == "lfsFile":
                    size = (self.hub.root / value["oid"]).stat().st_size
                    tree[value["path"]] = self.hub.large(value["oid"], size)
                if key == "deletedFile":
                    del tree[value["path"]]
            sha = repo.add(tree, revision)
        page = f"{self.hub.endpoint}/datasets/{name}/commit/{sha}"
        self.answer({"success": True, "commitOid": sha, "commitUrl": page})

    def branch(self, name: str, branch: str) -> None:
        repo = self.repo(name, write=True)
        repo.refs[branch] = repo.refs["main"]
        self.answer({})

    def tag(self, name: str, revision: str) -> None:
        repo, commit = self.at(name, revision)
        repo.refs[json.loads(self.body)["tag"]] = commit
        self.answer({})

    def resolve(self, name: str, revision: str, path: str) -> None:
        repo, commit = self.at(name, revision)
        if repo.gated:
            raise Refused(403, "GatedRepo", "Access to this dataset is restricted")
        with self.hub.lock:
            self.hub.wrong.busy -= 1
            if self.hub.wrong.busy >= 0:
                self.answer({}, 429, {"Retry-After": "0"})
                return
        entry = repo.commits[commit].get(path)
        if entry is None:
            raise Refused(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": commit}
        if entry.sha256 is None:
            self.bytes_of(entry.blob, headers | {"ETag": f'"{entry.blob}"'})
            return
        headers |= {"X-Linked-Etag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
        self.answer({}, 302, headers | {"Location": f"{self.hub.store_address}/cdn/{entry.sha256}"})

    def stored(self, sha256: str) -> None:
        self.bytes_of(sha256, {"ETag": f'"{sha256}"'})

    def bytes_of(self, key: str, headers: dict) -> None:
        wrong = self.hub.wrong
        content = (self.hub.root / key).read_bytes()
        if key in wrong.altered:
            content = bytes([content[0] ^ 1]) + content[1:]
        with self.hub.lock:
            self.hub.served += 1
            halt = self.hub.served == wrong.halt_at
        asked = re.fullmatch(r"bytes=([0-9]+)-", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        if asked and first >= len(content):
            raise Refused(416)
        self.send_response(206 if asked else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if key in wrong.endless:
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(bytes(1 << 16))
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        if self.command == "HEAD":
            return
        rest = content[first:]
        limit = wrong.cut_after if self.address.path.startswith("/cdn/") else None
        if halt:
            self.wfile.write(rest[: len(rest) // 2])
            wrong.halted.set()
            wrong.go.wait()
            self.close_connection = True
        elif limit is not None and limit < len(rest):
            self.wfile.write(rest[:limit])
            self.close_connection = True
        else:
            self.wfile.write(rest)


@contextmanager
def running_hub(root: Path):
    """A Hub that serves until the block ends."""
    hub = Hub(root)
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    # Another host, as large file storage is at the real one: no token may go there.
    hub.store_address = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.wrong.go.set()
        server.shutdown()
        thread.join()
        server.server_close()
