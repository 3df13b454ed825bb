"""Lets Operant train in environments that live in this program. One file, of Python's own library alone: copy it where you like.

    from operant_client import serve
    serve("ws://127.0.0.1:11008", lambda index: MyEnv(), name="Maze", num_envs=4)

An environment is as in Gymnasium: `reset(seed=)` -> (observation, info), `step(action)` -> (observation, reward, terminated, truncated, info),
`observation_space`, `action_space`. Spaces may be Gymnasium's or the JSON of docs/external.md; NumPy is not needed. `info["action_mask"]` is read
with `masks_actions=True`, numbers of `info` by the names in `metrics`. A program that Operant starts (`--env "stdio:python3 game.py"`) gives the
address `stdio:`; what it prints goes to stderr.
"""
import base64
import json
import os
import socket
import struct
import sys
import time
from array import array
from urllib.parse import urlsplit

PROTOCOL = 1
RETRY_SECONDS = 0.25
MAX_MESSAGE_BYTES = 2**28


class Refused(Exception):
    """Operant will not have this client; the message says why."""


def serve(address, make_env, num_envs=1, name=None, token=None, masks_actions=False, metrics=(),
          max_episode_steps=None, is_repeatable=True, retry_seconds=60.0):
    """Serves until Operant says that the run has ended; connects anew when the line breaks. Raises Refused."""
    envs = [make_env(index) for index in range(num_envs)]
    hello = {
        "operant": PROTOCOL, "numEnvs": num_envs, "masksActions": masks_actions, "metrics": list(metrics),
        "observationSpace": space_json(envs[0].observation_space), "actionSpace": space_json(envs[0].action_space),
        "maxEpisodeSteps": max_episode_steps, "isRepeatable": is_repeatable,
    }
    if name is not None:
        hello["name"] = name
    if token is not None:
        hello["token"] = token
    looked_since = time.monotonic()
    while True:
        session = _Session(envs, hello)
        try:
            line = _Stdio() if address.startswith("stdio:") else _WebSocket(address)
        except OSError:
            line = None
        if line is not None:
            is_done = session.run(line)
            if is_done:
                return
            if session.was_welcome:
                looked_since = time.monotonic()
        if time.monotonic() - looked_since > retry_seconds:
            raise TimeoutError(f"Found no Operant at {address} within {retry_seconds} s.")
        time.sleep(RETRY_SECONDS)


def space_json(space):
    """The JSON of a space of Gymnasium's, known by the name of its class; JSON as it is."""
    if isinstance(space, dict) and "kind" in space:
        return space
    kind = type(space).__name__
    if kind == "Box":
        is_bytes = str(space.dtype) == "uint8"
        return {"kind": "box", "dtype": "uint8" if is_bytes else "float32", "shape": list(space.shape),
                "low": _bounds(space.low), "high": _bounds(space.high)}
    if kind == "Discrete":
        return {"kind": "discrete", "n": int(space.n), "start": int(getattr(space, "start", 0))}
    if kind == "MultiDiscrete":
        return {"kind": "multi-discrete", "nvec": [int(n) for n in _flat(space.nvec)]}
    if kind == "MultiBinary":
        return {"kind": "multi-binary", "n": len(_flat(space.sample()))}
    if kind == "Dict":
        return {"kind": "dict", "spaces": {key: space_json(part) for key, part in space.spaces.items()}}
    raise ValueError(f"Spaces of kind {kind} cannot be served: Box, Discrete, MultiDiscrete, MultiBinary, Dict can.")


def _bounds(values):
    found = [("inf" if x > 0 else "-inf") if abs(x) == float("inf") else float(x) for x in _flat(values)]
    return found[0] if len(set(found)) == 1 else found


def _flat(value):
    if hasattr(value, "ravel"):
        return value.ravel().tolist()
    if isinstance(value, (list, tuple, array)):
        return [x for part in value for x in _flat(part)] if value and isinstance(value[0], (list, tuple)) else list(value)
    return [value]


def _size(space):
    kind = space["kind"]
    if kind == "box":
        size = 1
        for k in space["shape"]:
            size *= k
        return size
    if kind == "multi-discrete":
        return sum(space["nvec"])
    if kind == "dict":
        return sum(_size(part) for part in space["spaces"].values())
    return space["n"]


def _flatten(space, value):
    """Numbers of an observation: discrete parts one-hot, those of a dict in alphabetical order."""
    kind = space["kind"]
    if kind == "discrete":
        row = [0.0] * space["n"]
        row[int(value) - space.get("start", 0)] = 1.0
        return row
    if kind == "dict":
        return [x for key in sorted(space["spaces"]) for x in _flatten(space["spaces"][key], value[key])]
    row = _flat(value)
    if len(row) != _size(space):
        raise ValueError(f"Expected an observation of {_size(space)} numbers, got {len(row)}.")
    return row


class _Session:
    """One connection: answers every frame of commands with one of answers."""

    def __init__(self, envs, hello):
        self.envs, self.hello = envs, hello
        self.observation_space, self.action_space = hello["observationSpace"], hello["actionSpace"]
        self.is_bytes = self.observation_space["kind"] == "box" and self.observation_space["dtype"] == "uint8"
        self.mask_size = _size(self.action_space) if hello["masksActions"] else 0
        kind = self.action_space["kind"]
        self.action_size = {"discrete": 1, "multi-discrete": len(self.action_space.get("nvec", []))}.get(kind)
        if self.action_size is None:
            self.action_size = _size(self.action_space)
        self.action_format = "f" if kind == "box" else "i"
        self.was_welcome = False

    def run(self, line):
        """Whether the run has ended; else the line broke."""
        line.send_text(json.dumps(self.hello))
        while True:
            kind, body = line.receive()
            if kind == "text":
                message = json.loads(body)
                if "error" in message:
                    line.close()
                    raise Refused(f"Operant refused: {message['error']}")
                self.was_welcome = message.get("operant") == PROTOCOL
            elif kind == "frame":
                self._answer(line, body)
            else:
                line.close()
                return kind == "done"

    def _answer(self, line, body):
        (count,) = struct.unpack_from("<I", body)
        answers = []
        at = 4
        for _ in range(count):
            operation, index, seed = struct.unpack_from("<III", body, at)
            action = struct.unpack_from(f"<{self.action_size}{self.action_format}", body, at + 12)
            at += 12 + 4 * self.action_size
            try:
                answers.append(self._call(index, operation, seed, action))
            except Exception as error:  # told of: the run cuts this episode
                line.send_text(json.dumps({"failed": {"env": index, "message": f"{type(error).__name__}: {error}"}}))
        if answers:
            line.send_frame(struct.pack("<I", len(answers)) + b"".join(answers))

    def _call(self, index, operation, seed, action):
        env = self.envs[index]
        if operation == 0:
            observation, info = env.reset(seed=seed)
            return self._entry(index, 4, 0.0, observation, info)
        if self.action_space["kind"] == "discrete":
            action = action[0] + self.action_space.get("start", 0)
        observation, reward, terminated, truncated, info = env.step(self._shaped(action))
        flags = (1 if terminated else 0) | (2 if truncated else 0)
        return self._entry(index, flags, float(reward), observation, info)

    def _shaped(self, action):
        """Gymnasium's environments want arrays, where NumPy is loaded."""
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(action, tuple):
            return action
        made = numpy.array(action, dtype=numpy.float32 if self.action_format == "f" else numpy.int64)
        return made.reshape(self.action_space["shape"]) if self.action_space["kind"] == "box" else made

    def _entry(self, index, flags, reward, observation, info):
        row = _flatten(self.observation_space, observation)
        told = [info.get(name) for name in self.hello["metrics"]]
        parts = [
            struct.pack("<IIf", index, flags, reward),
            struct.pack(f"<{len(told)}f", *[float("nan") if x is None else x for x in told]),
            _whole_words(bytes(row)) if self.is_bytes else struct.pack(f"<{len(row)}f", *row),
        ]
        if self.mask_size:
            mask = info.get("action_mask")
            parts.append(_whole_words(bytes([1] * self.mask_size if mask is None else [1 if x else 0 for x in _flat(mask)])))
        return b"".join(parts)


def _whole_words(data):
    return data + b"\0" * (-len(data) % 4)


class _Stdio:
    """u32 length, u8 kind (0 JSON, 1 frame), body."""

    def __init__(self):
        self.source, self.target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # print() goes to stderr from now on

    def _send(self, kind, body):
        self.target.write(struct.pack("<IB", len(body), kind) + body)
        self.target.flush()

    def send_text(self, text):
        self._send(0, text.encode())

    def send_frame(self, body):
        self._send(1, body)

    def receive(self):
        header = self.source.read(5)
        if len(header) < 5:
            return "done", b""
        length, kind = struct.unpack("<IB", header)
        return ("text", "frame")[kind], self.source.read(length)

    def close(self):
        self.target.close()


class _WebSocket:
    """RFC 6455, the client's side of it."""

    def __init__(self, address):
        url = urlsplit(address)
        if url.scheme != "ws":
            raise ValueError(f"Expected an address such as ws://127.0.0.1:11008, got {address}")
        self.socket = socket.create_connection((url.hostname, url.port or 80), timeout=30)
        self.socket.settimeout(None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {url.path or '/'} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        status = self.file.readline().decode("latin-1").strip()
        while self.file.readline() not in (b"\r\n", b"\n", b""):
            pass
        if " 101 " not in status + " ":
            self.close()
            raise Refused(f"Expected a server of WebSockets at {address}, got {status or 'nothing'}")

    def _send(self, opcode, body):
        mask = os.urandom(4)
        size = len(body)
        length = bytes([0x80 | size]) if size < 126 else (
            struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size))
        masked = b""
        if size > 0:
            pad = (mask * (size // 4 + 1))[:size]
            masked = (int.from_bytes(body, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def send_text(self, text):
        self._send(1, text.encode())

    def send_frame(self, body):
        self._send(2, body)

    def receive(self):
        """("text" | "frame" | "done" | "broken", body)"""
        kind, parts = None, []
        while True:
            try:
                first, second = self.file.read(2)
                size = second & 0x7F
                if size == 126:
                    (size,) = struct.unpack(">H", self.file.read(2))
                elif size == 127:
                    (size,) = struct.unpack(">Q", self.file.read(8))
                if size > MAX_MESSAGE_BYTES:
                    return "broken", b""
                body = self.file.read(size)
            except (OSError, ValueError, struct.error):
                return "broken", b""
            opcode = first & 0x0F
            if opcode == 9:
                self._send(10, body)
            elif opcode == 8:
                code = struct.unpack(">H", body[:2])[0] if len(body) >= 2 else 1005
                try:
                    self._send(8, body[:2])
                except OSError:
                    pass
                if code >= 4000:
                    raise Refused(f"Operant refused: {body[2:].decode(errors='replace')}")
                return ("done" if code == 1000 else "broken"), b""
            elif opcode in (0, 1, 2):
                kind = kind or ("text" if opcode == 1 else "frame")
                parts.append(body)
                if first & 0x80:
                    return kind, b"".join(parts)

    def close(self):
        for each in (self.file, self.socket):
            try:
                each.close()
            except OSError:
                pass
