"""Hosts the environments of one rollout worker: reads commands from descriptor 3, writes replies to 4 (see frames.py). Ends when 3 does."""

import ctypes
import faulthandler
import functools
import json
import os
import select
import signal
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOCOL = 1
COMMANDS, REPLIES, SHARED = 3, 4, 5
IDLE_MS = 500


def main():
    end_with_parent()
    faulthandler.enable()
    size = bytearray(4)
    os.readv(COMMANDS, [size])
    config = json.loads(os.read(COMMANDS, struct.unpack("<I", size)[0]))
    faulthandler.dump_traceback_later(config["startSeconds"], exit=True)
    try:
        hello, answer, close = start(config)
    except BaseException as error:
        tell({"error": describe_setup(error)})
        raise
    tell(hello)
    faulthandler.cancel_dump_traceback_later()
    serve(answer, close, config["stepDeadlineSeconds"], config["pollMicroseconds"] * 1e-6)


def end_with_parent():
    """A worker thread that is gone takes its Python with it; a fork of ours leaves the pipes alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.register_at_fork(after_in_child=lambda: [os.close(fd) for fd in (COMMANDS, REPLIES)])
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def tell(message):
    text = json.dumps(message).encode()
    view = memoryview(struct.pack("<I", len(text)) + text)
    while len(view) > 0:
        view = view[os.write(REPLIES, view) :]


def start(config):
    if sys.version_info < (3, 9):
        raise setup_error("CONFIG_PYTHON_VERSION", f"Python {sys.version.split()[0]} ({sys.executable}) is too old: 3.9 or newer is needed")
    try:
        import numpy  # noqa: F401
    except ModuleNotFoundError:
        brings = "pettingzoo" if config["suite"] == "pettingzoo" else "gymnasium"
        raise setup_error(
            "CONFIG_PYTHON_PACKAGE",
            f"The Python {sys.executable} has no package numpy. Install it there, or into Operant's own Python: operant python install {brings}",
        ) from None
    sys.path.insert(0, HERE)
    import patience  # noqa: F401  (for serve; the folder leaves the path before an environment is made)
    return start_agents(config) if config["suite"] == "pettingzoo" else start_rows(config)


def start_agents(config):
    import agents_host

    sys.path.remove(HERE)
    hosted = agents_host.Agents(config)
    return hosted.hello(versions(), PROTOCOL), hosted.answer, hosted.close


def start_rows(config):
    """Environments of one agent."""
    import frames as wire
    import make
    import numpy as np
    import rows
    import spaces
    import vector

    sys.path.remove(HERE)
    for package in config["imports"]:
        make.import_package(package)
    num_envs = config["numEnvs"]
    if config["vectorization"] == "vector":
        envs = vector.Vector(make.vector_factory(config), config)
    else:
        factory, state = make.row_factory(config)
        envs = rows.Rows(factory, state, num_envs)
    envs.infos = config["infoMetrics"]
    masks = sum(envs.mask_sizes) if envs.look_for_mask() else 0
    obs_size, obs_dtype = spaces.flat_size(envs.observation_space), spaces.row_dtype(envs.observation_space)
    action_size, is_continuous = spaces.action_size(envs.action_space), spaces.is_continuous(envs.action_space)
    uses_shared = config["hasShared"] and num_envs * obs_size * np.dtype(obs_dtype).itemsize >= config["sharedBytes"]
    frames = wire.Frames(num_envs, obs_size, obs_dtype, masks, action_size, is_continuous, SHARED if uses_shared else None)
    return describe(envs, masks, uses_shared), functools.partial(answer, wire, frames, envs), envs.close


def describe(envs, masks, uses_shared):
    import spaces

    first = envs.envs[0] if hasattr(envs, "envs") else envs.env
    spec = getattr(first, "spec", None)
    return {
        "protocol": PROTOCOL,
        "versions": versions(),
        "observationSpace": spaces.to_json(envs.observation_space),
        "actionSpace": spaces.to_json(envs.action_space),
        "maskSize": masks,
        "autoresetModes": envs.autoreset_modes,
        "isRepeatable": envs.is_repeatable,
        "resetsRows": envs.resets_rows,
        "isNondeterministic": bool(getattr(spec, "nondeterministic", False)),
        "usesShared": uses_shared,
        "frameStack": frame_stack(first),
        "renderMode": envs.render_mode,
    }


def versions():
    found = {name: sys.modules[name].__version__ for name in ("numpy", "gymnasium", "pettingzoo") if name in sys.modules}
    return {"python": sys.version.split()[0], **found}


def frame_stack(env):
    """Of the outermost wrapper, where it repeats the first frame of an episode; whole frames lie behind one another then."""
    if type(env).__name__ != "FrameStackObservation" or getattr(env, "padding_type", None) != "reset":
        return None
    shape = env.observation_space.shape
    size = 1
    for dimension in shape[1:]:
        size *= dimension
    return {"numFrames": shape[0], "groupSize": size}


def serve(answer, close, deadline, poll_seconds):
    """@param answer of (operation, argument, argument, bytes of the body): reads the body, replies, and gives False when nothing more is to come."""
    import frames as wire
    from patience import Patience

    header = bytearray(16)
    place, split = memoryview(header), struct.Struct("<IIII").unpack
    poll = select.poll()
    poll.register(COMMANDS, select.POLLIN)
    clock, find = Watchdog(deadline), Patience(functools.partial(poll.poll, 0), poll_seconds).find
    while True:
        if not find() and not poll.poll(IDLE_MS):
            clock.rest()
            poll.poll()
        if not wire.read_exactly(COMMANDS, place):
            break
        clock.work()
        if not answer(*split(header)):
            break
    clock.rest()
    faulthandler.dump_traceback_later(deadline, exit=True)
    close()


def answer(wire, frames, envs, operation, first, second, size):
    if operation == wire.OPERATION_STEP:
        if not wire.read_exactly(COMMANDS, frames.command_place):
            return False
        frames.ends[:] = 0
        envs.step(frames, first == 1)
    elif operation == wire.OPERATION_REPEAT:
        actions = bytearray(size)
        if not wire.read_exactly(COMMANDS, memoryview(actions)):
            return False
        repeat(frames, envs, first, second, actions)
    elif operation == wire.OPERATION_RENDER:
        render(frames, envs, first)
    else:
        return False
    frames.send(REPLIES)
    return True


def repeat(frames, envs, row, count, actions):
    import numpy as np

    frames.ends[:] = 0
    width = frames.actions.shape[1]
    frames.extra = envs.repeat(frames, row, np.frombuffer(actions, frames.actions.dtype).reshape(count, width))


def render(frames, envs, row):
    import rows

    try:
        frames.extra = rows.picture(envs.render(row))
    except Exception as error:
        frames.extra = {"error": rows.describe(error)["message"]}


class Watchdog:
    """Ends the process, with the traceback of where it hangs, when a command takes longer than the deadline and at most a quarter more.
    It is wound up again when a quarter has passed: doing so for every command costs more than many of them."""

    def __init__(self, deadline):
        self.deadline, self.wound = deadline, None

    def work(self):
        now = time.monotonic()
        if self.wound is None or now - self.wound > self.deadline / 4:
            faulthandler.dump_traceback_later(self.deadline * 1.25, exit=True)
            self.wound = now

    def rest(self):
        faulthandler.cancel_dump_traceback_later()
        self.wound = None


def setup_error(code, message):
    error = RuntimeError(message)
    error.code = code
    return error


def describe_setup(error):
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return {"code": code, "message": str(error)}
    return {"code": None, "message": f"{type(error).__name__}: {error}"}


main()
