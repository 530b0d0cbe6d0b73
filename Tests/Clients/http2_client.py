"""A client of HTTP/2 that sends single frames, also such as no well-behaved client sends."""

import socket
import ssl
from collections.abc import Callable, Iterable

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame,
    WindowUpdateFrame,
)  # fmt: skip

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Connection:
    """One connection; nothing is sent but what a test says, and acknowledgements of settings."""

    def __init__(self, port: int, authority: ssl.SSLContext, window: int = 65_535) -> None:
        authority.set_alpn_protocols(["h2"])
        tcp = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket = authority.wrap_socket(tcp, server_hostname="localhost")
        assert self.socket.selected_alpn_protocol() == "h2"
        self.window = window
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.frames: list[Frame] = []
        self._bytes = b""
        self.is_closed = False

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def greet(self) -> "Connection":
        self.send_bytes(PREFACE + SettingsFrame(0, settings={4: self.window}).serialize())
        return self

    # What is sent.

    def send_bytes(self, data: bytes) -> bool:
        """False when the other side takes no more."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def send(self, *frames: Frame) -> bool:
        return self.send_bytes(b"".join(frame.serialize() for frame in frames))

    def block(self, path: str, method: str = "GET", fields: Iterable[tuple[str, str]] = ()) -> bytes:
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        return self.encoder.encode([*pseudo, *fields])

    def request(
        self, stream: int, path: str, method: str = "GET", fields: Iterable[tuple[str, str]] = (), *, ends: bool = True
    ) -> bool:
        """Sends a whole header block, in as many frames as it takes."""
        block = self.block(path, method, fields)
        pieces = [block[start : start + 16_384] for start in range(0, len(block), 16_384)]
        first = HeadersFrame(stream, pieces[0], flags=["END_STREAM"] if ends else [])
        frames: list[Frame] = [first, *(ContinuationFrame(stream, piece) for piece in pieces[1:])]
        frames[-1].flags.add("END_HEADERS")
        return self.send(*frames)

    # What comes back.

    def read_until(self, done: Callable[[Frame], bool]) -> bool:
        """Reads frames until one is as wanted; False when the connection ended before."""
        while True:
            for frame in self._take():
                if done(frame):
                    return True
            try:
                data = self.socket.recv(65_536)
            except (ConnectionError, ssl.SSLError):
                data = b""
            if not data:
                self.is_closed = True
                return False
            self._bytes += data

    def read_to_end(self) -> None:
        assert not self.read_until(lambda _: False)

    def ended(self, stream: int) -> Callable[[Frame], bool]:
        return lambda frame: frame.stream_id == stream and (
            "END_STREAM" in frame.flags or isinstance(frame, RstStreamFrame)
        )

    def status(self, stream: int) -> int | None:
        """As the frames so far tell it."""
        for frame in self.frames:
            if frame.stream_id == stream and isinstance(frame, HeadersFrame):
                return int(dict(frame.fields)[":status"])
        return None

    def body(self, stream: int) -> bytes:
        return b"".join(f.data for f in self.frames if f.stream_id == stream and isinstance(f, DataFrame))

    def reset(self, stream: int) -> bool:
        return any(f.stream_id == stream and isinstance(f, RstStreamFrame) for f in self.frames)

    @property
    def farewell(self) -> int | None:
        """Error code of the GOAWAY that came."""
        return next((frame.error_code for frame in self.frames if isinstance(frame, GoAwayFrame)), None)

    def _take(self) -> Iterable[Frame]:
        while len(self._bytes) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._bytes[:9]))
            if len(self._bytes) < 9 + length:
                return
            frame.parse_body(memoryview(self._bytes[9 : 9 + length]))
            self._bytes = self._bytes[9 + length :]
            self.frames.append(frame)
            if isinstance(frame, HeadersFrame):
                # Apus's answers have small heads: one frame.
                frame.fields = self.decoder.decode(frame.data)
            if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
                self.send(SettingsFrame(0, flags=["ACK"]))
            if isinstance(frame, PingFrame) and "ACK" not in frame.flags:
                self.send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
            yield frame


__all__ = [
    "Connection", "ContinuationFrame", "DataFrame", "GoAwayFrame", "HeadersFrame", "PingFrame", "RstStreamFrame", "SettingsFrame",
    "WindowUpdateFrame", "PREFACE",
]  # fmt: skip
