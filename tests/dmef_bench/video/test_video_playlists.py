"""Playlists that pose as videos: nothing they point at may be read."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
from media import Media

from dmef_bench.video import Rejected, probe
from dmef_bench.video.container import Demuxer
from dmef_bench.video.ffmpeg import command, ffmpeg_executable, run_ffmpeg
from dmef_bench.video.supervised import Limits, run_supervised


@dataclass
class Server:
    """A local web server that serves one video and counts who asks."""

    content: bytes
    requests: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video.ts"


@pytest.fixture
def server(media: Media) -> Iterator[Server]:
    state = Server(media.clip(suffix=".ts").read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(state.content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        state.port = service.server_port
        threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        service.shutdown()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "concat": "file '{target}'\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-main:2011">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        "<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "sdp": (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    ),
    "after-spaces": "\n\n   #EXTM3U\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
}


@pytest.fixture(params=sorted(PLAYLISTS))
def playlist(request: pytest.FixtureRequest) -> str:
    return PLAYLISTS[request.param]


def test_a_playlist_is_refused_and_the_server_not_asked(
    playlist: str, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_text(playlist.format(target=server.url))
    with pytest.raises(Rejected) as caught:
        probe(path)
    assert caught.value.code == "not-a-video"
    assert server.requests == []


def test_a_playlist_is_refused_and_the_other_file_not_read(
    playlist: str, media: Media, tmp_path: Path
) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_text(playlist.format(target=media.clip(suffix=".ts")))
    with pytest.raises(Rejected) as caught:
        probe(path)
    assert caught.value.code == "not-a-video"


@pytest.mark.parametrize("demuxer", get_args(Demuxer))
def test_ffmpeg_alone_would_not_follow_it_either(
    playlist: str, demuxer: Demuxer, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_text(playlist.format(target=server.url))
    arguments = command(demuxer, before={}, after={"c": "copy", "f": "null"}, log_level="error")
    with pytest.raises(Rejected):
        run_ffmpeg(arguments, path, Limits(seconds=60, stdout=0))
    assert server.requests == []


@pytest.mark.parametrize("kind", ["hls", "concat"])
def test_even_a_demuxer_that_follows_playlists_could_open_nothing(
    kind: str, media: Media, server: Server, tmp_path: Path
) -> None:
    """The last line of defence: `fd` is the only protocol there is."""
    path = tmp_path / "holiday.mp4"
    for target in (server.url, str(media.clip(suffix=".ts"))):
        path.write_text(PLAYLISTS[kind].format(target=target))
        safe = command("mov", before={}, after={"c": "copy", "f": "null"}, log_level="error")
        unsafe = [kind if argument == "mov" else argument for argument in safe]
        finished = run_supervised(unsafe, path, Limits(seconds=60, stdout=0))
        assert finished.status != 0
    assert server.requests == []


def test_the_server_would_have_been_found(server: Server, tmp_path: Path) -> None:
    """Without our options ffmpeg does follow such a file: the tests above can fail."""
    path = tmp_path / "holiday.mp4"
    path.write_text(PLAYLISTS["hls"].format(target=server.url))
    arguments = [
        ffmpeg_executable(), "-protocol_whitelist", "file,http,tcp,fd",
        "-allowed_extensions", "ALL", "-f", "hls", "-fd", "{fd}", "-i", "fd:",
        "-c", "copy", "-f", "null", "-",
    ]  # fmt: skip
    run_supervised(arguments, path, Limits(seconds=60, stdout=0))
    assert server.requests != []
