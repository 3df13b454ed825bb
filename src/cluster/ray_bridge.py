"""The bridge between a learner in Node and rollout hosts on Ray. One file; needs ray and numpy, nothing of Operant.

    learner (Node) <- fds 3, 4 -> this process <- Ray -> RolloutHost actor <- two pipes -> rollout process (Node)

It passes frames on and looks into none: payloads are bytes from end to end, nothing from Node is unpickled. A frame is 40 bytes,
little-endian, then the payload (src/cluster/frames.ts is the same in TypeScript):

    u32 magic | u16 protocol | u8 type | u8 flags | u64 payloadLength | u64 requestId | u32 host | u32 incarnation | u32 version | u32 crc32

Fragments lie in memory that two processes share (flag SHARED), one slot for each of the two that a host may have under way.
"""

import json
import mmap
import os
import queue
import shutil
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import namedtuple

HEADER = "<IHBBQQIIII"  # a text: a compiled Struct cannot go to another process
HEADER_BYTES = struct.calcsize(HEADER)
Fields = namedtuple("Fields", "magic protocol kind flags length request_id host incarnation version crc")
MAGIC = 0x4652504F
PROTOCOL = 1
# Types, as in frames.ts.
INIT, READY, OPEN, WEIGHTS, REQUEST, REPLY, FAILED, NOTIFY, PING, CLOSE, STOP, NODES = range(1, 13)

SHARED = 1  # a flag
PLACE = "<QQ"  # offset and length of a payload in shared memory
CALL = "<QI"  # sequence number, checksum of the weights
CALL_BYTES = struct.calcsize(CALL)
MAX_CARRIED = 4 << 20  # bytes of weights that go with calls, to all hosts together
PART = (9 << 20) - (64 << 10)  # bytes of an answer that travel at once: what Ray hands on with it (src/cluster/direct-calls.ts), less what says what they are
ARRAY = 128 << 10  # bytes that are so many travel as an array, which Ray copies twice less; of fewer, it takes longer to say what they are
SECRETS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE")
# Variables of the bridge that actors have, too (src/cluster/direct-calls.ts says what for).
OF_CALLS = ("RAY_max_direct_call_object_size", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
GROUPS = {"request": "requests", "more": "requests", "open": "control", "ping": "control", "notify": "control"}  # methods of an actor, by who waits for whom
STDERR_LINES = 20
F_SETPIPE_SZ = 1031
PROBE_SECONDS = 20


class BridgeError(Exception):
    """(code, message)"""


def read_exactly(fd, target):
    """Fills a writable buffer; False at the end of the stream."""
    view = memoryview(target).cast("B")
    while len(view) > 0:
        count = os.readv(fd, [view])
        if count == 0:
            return False
        view = view[count:]
    return True


def read_frame(fd):
    """(fields, payload as bytearray), or None at the end of the stream."""
    head = bytearray(HEADER_BYTES)
    if not read_exactly(fd, head):
        return None
    fields = Fields._make(struct.unpack(HEADER, head))
    if fields.magic != MAGIC or fields.protocol != PROTOCOL:
        raise ValueError("not a frame: magic %#x, protocol %d" % (fields.magic, fields.protocol))
    payload = bytearray(fields.length)
    if fields.length > 0 and not read_exactly(fd, payload):
        return None
    return fields, payload


def write_frame(fd, kind, request_id, host, incarnation, version, crc, payload, flags=0):
    """The payload in parts, one behind the other."""
    views = [memoryview(part).cast("B") for part in payload if len(part) > 0]
    length = sum(map(len, views))
    header = struct.pack(HEADER, MAGIC, PROTOCOL, kind, flags, length, request_id, host, incarnation, version, crc)
    parts = [memoryview(header), *views]
    while parts:
        count = os.writev(fd, parts)
        while parts and count >= len(parts[0]):
            count -= len(parts.pop(0))
        if parts and count > 0:
            parts[0] = parts[0][count:]


def shared_memory(size=0):
    """A file in memory that nobody else can find; None where there are none."""
    if not hasattr(os, "memfd_create"):
        return None
    fd = os.memfd_create("operant")
    os.ftruncate(fd, size)
    return fd


def stamp(stage, fields):
    """When a request passed a place (src/cluster/stage-clock.ts). Off unless OPERANT_RAY_STAGES names a file."""
    path = os.environ.get("OPERANT_RAY_STAGES")
    if path:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, b"%d %d %s %d\n" % (fields.request_id, fields.host, stage, time.monotonic_ns()))
        os.close(fd)


def kill_group(process):
    try:
        os.killpg(process.pid, 9)
    except (ProcessLookupError, PermissionError):
        pass


def environment():
    """Of a rollout process: it has no business with the cluster, and memory of its own kind."""
    import ray

    kept = {name: value for name, value in os.environ.items() if name not in SECRETS + OF_CALLS}
    context = ray.get_runtime_context()
    return {**kept, "OPERANT_RAY_NODE": context.get_node_id(), "OPERANT_RAY_ACTOR": context.get_actor_id() or ""}


def describe_node(node):
    path = shutil.which(node)
    version = None
    if path is not None:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
        version = said.stdout.strip().lstrip("v") or None
    try:
        with open("/proc/cpuinfo") as file:
            has_fma = " fma " in file.read() or os.uname().machine != "x86_64"
    except OSError:
        has_fma = True
    return {"hostname": os.uname().nodename, "node": version, "hasFma": has_fma}


class RolloutProcess:
    """A Node process in a group of its own, which ends when its pipe does, and the threads that read from it."""

    def __init__(self, node, arguments, incarnation):
        import fcntl

        self.incarnation = incarnation
        self.version = 0  # of the weights that it was given last; 0 = none
        self.waiting = {}  # request id -> [event, answer]
        self.over = None  # why it ended
        self.tail = []
        self.write_lock = threading.Lock()
        child_in, self.to_child = os.pipe()
        self.from_child, child_out = os.pipe()
        self.shared = shared_memory()
        self.map = None
        given = [child_in, child_out] + ([] if self.shared is None else [self.shared])
        for fd in (self.to_child, self.from_child):
            try:
                fcntl.fcntl(fd, F_SETPIPE_SZ, 1 << 20)  # fewer wake-ups for a fragment
            except OSError:
                pass
        self.process = subprocess.Popen(
            [node] + arguments + [str(fd) for fd in given],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            stderr=subprocess.PIPE,
            pass_fds=given,
            env=environment(),
            start_new_session=True,
        )
        os.close(child_in)
        os.close(child_out)
        self.expect(0)
        self.stderr_thread = threading.Thread(target=self._drain_stderr, daemon=True)
        self.stderr_thread.start()
        threading.Thread(target=self._read, daemon=True).start()

    def expect(self, request_id):
        self.waiting[request_id] = [threading.Event(), None]

    def write(self, kind, request_id, host, version, crc, *payload):
        """The payload in parts."""
        with self.write_lock:
            try:
                write_frame(self.to_child, kind, request_id, host, self.incarnation, version, crc, payload)
            except OSError:
                pass  # it has ended, and its reader says so

    def answer(self, request_id, seconds=None):
        """Waits for it: (code, message, payload, crc). A process that has not answered within so many seconds is ended."""
        event, _ = self.waiting[request_id]
        if seconds is not None and not event.wait(seconds) and self.over is None:
            self.tail.append("it has shown no sign of life for %g s\n" % seconds)
            kill_group(self.process)
        while not event.wait(1) and self.over is None:
            pass
        frame = self.waiting.pop(request_id)[1]
        if frame is None:
            return ("CHILD_EXITED", self.over or "the rollout process is gone", b"", 0)
        return ("ok", "", frame[1], frame[0].crc)

    def end(self):
        kill_group(self.process)
        self.process.wait()
        os.close(self.to_child)
        if self.shared is not None:
            os.close(self.shared)  # the map stays until nobody looks at it

    def _read(self):
        try:
            while True:
                frame = read_frame(self.from_child)
                if frame is None:
                    break
                slot = self.waiting.get(frame[0].request_id)
                if slot is not None:
                    fields, payload = frame
                    stamp(b"received", fields)
                    slot[1] = (fields, self._shared_view(payload) if fields.flags & SHARED else payload)
                    slot[0].set()
        except (OSError, ValueError) as error:
            self.tail.append("%s\n" % error)
        os.close(self.from_child)
        kill_group(self.process)
        code = self.process.wait()
        self.stderr_thread.join(2)
        said = "".join(self.tail[-STDERR_LINES:]).strip()
        ended = "signal %d" % -code if code < 0 else "code %d" % code
        self.over = "the rollout process ended with %s%s" % (ended, ": " + said if said else "")
        for slot in list(self.waiting.values()):
            slot[0].set()

    def _shared_view(self, place):
        offset, length = struct.unpack(PLACE, place)
        if self.map is None or len(self.map) < offset + length:
            self.map = mmap.mmap(self.shared, 0, prot=mmap.PROT_READ)  # all of it; it only grows
        return memoryview(self.map)[offset : offset + length]

    def _drain_stderr(self):
        for line in self.process.stderr:
            text = line.decode("utf-8", "replace")
            self.tail = self.tail[-STDERR_LINES:] + [text]
            sys.stderr.write(text)


class RolloutHost:
    """The actor: owns one rollout process, and hands frames to it and back. What it answers is [code, message, crc, length, payload], of which a long payload is the first part."""

    def __init__(self, node, arguments):
        self.node = node
        self.arguments = arguments
        self.child = None
        self.turn = threading.Condition()
        self.sequence = 0
        self.rest = {}  # request id -> a payload of which there is more to come

    def open(self, incarnation):
        """Starts the rollout process, in place of the one before; answers with what it says of itself."""
        with self.turn:
            if self.child is not None:
                self.child.end()
                self.child = None
            node = shutil.which(self.node)
            if node is None:
                place = "%s (PATH %s)" % (os.uname().nodename, os.environ.get("PATH", ""))
                return in_answer("NO_NODE", "there is no executable `%s` on %s" % (self.node, place))
            child = self.child = RolloutProcess(node, self.arguments, incarnation)
            self.sequence = 0
            self.rest = {}
            self.turn.notify_all()
        return in_answer(*child.answer(0))

    def request(self, call, *weights):
        """
        Gives the process a request, in the order of its sequence number, and waits for its answer.

        `call`: CALL, then the frame. `weights`: of the version that the frame names; none = it has them.
        """
        sequence, weights_crc = struct.unpack_from(CALL, call)
        fields = Fields._make(struct.unpack_from(HEADER, call, CALL_BYTES))
        payload = memoryview(call)[CALL_BYTES + HEADER_BYTES :]
        stamp(b"begun", fields)
        with self.turn:
            child = self.child
            while self.child is child and child is not None and child.over is None and sequence != self.sequence:
                self.turn.wait(1)
            if child is None or self.child is not child:
                return in_answer("CHILD_EXITED", "the rollout process is gone")
            child.expect(fields.request_id)
            if weights and child.version != fields.version:
                child.write(WEIGHTS, 0, fields.host, fields.version, weights_crc, *weights)
                child.version = fields.version
            child.write(REQUEST, fields.request_id, fields.host, fields.version, fields.crc, payload)
            self.sequence += 1
            self.turn.notify_all()
        stamp(b"given", fields)
        code, message, payload, crc = child.answer(fields.request_id)
        if len(payload) > PART:
            self.rest[fields.request_id] = payload
        answer = in_answer(code, message, payload, crc)
        stamp(b"returned", fields)
        return answer

    def more(self, request_id, offset):
        """Of an answer that is too long for one, what begins at this offset. The process writes over it only when the learner has all of it."""
        payload = self.rest.get(request_id)
        if payload is None:
            return in_answer("CHILD_EXITED", "the rollout process is gone")
        if offset + PART >= len(payload):
            self.rest.pop(request_id, None)
        return in_answer("ok", "", payload, 0, offset)

    def notify(self, fields, payload):
        fields = Fields._make(fields)
        if self.child is not None:
            self.child.write(NOTIFY, 0, fields.host, 0, fields.crc, payload)

    def ping(self, fields, seconds):
        """Answers when the process has. A frozen one is ended here, where another can take its place at once."""
        fields = Fields._make(fields)
        child = self.child
        if child is None:
            return in_answer("CHILD_EXITED", "the rollout process is gone")
        child.expect(fields.request_id)
        child.write(PING, fields.request_id, fields.host, 0, 0)
        return in_answer(*child.answer(fields.request_id, seconds))


def in_answer(code, message, payload=b"", crc=0, offset=0):
    """
    One value that Ray hands on with the answer itself, and no object in a store: what is put there while the bridge ends may stay until Ray needs the room (bench/NOTES.md).

    `crc`: of the whole payload, of which as much goes along as an answer takes.
    """
    return [code, message, crc, len(payload), as_value(memoryview(payload)[offset : offset + PART])]


def as_value(payload):
    """What Ray takes: a copy, or a look at the memory itself, of which it makes its copy at the end of the call."""
    if len(payload) < ARRAY:
        return bytes(payload)
    import numpy

    return numpy.frombuffer(payload, numpy.uint8)


class Bridge:
    """Owns the actors; the learner decides everything."""

    def __init__(self, ray, numpy, settings):
        self.ray = ray
        self.numpy = numpy
        self.settings = settings
        self.hosts = {}  # host -> {actor, incarnation, sequence, version}
        self.weights = {}  # version -> (value or reference, crc)
        self.results = queue.SimpleQueue()
        size = 2 * settings["numHosts"] * settings["slotBytes"]
        self.shared = shared_memory(size) if size > 0 else None
        self.room = None if self.shared is None else numpy.frombuffer(mmap.mmap(self.shared, size), numpy.uint8)
        for name, group in GROUPS.items():  # said of the class: Ray's client takes no option that says it of a call
            setattr(RolloutHost, name, ray.method(concurrency_group=group)(getattr(RolloutHost, name)))
        groups = {"requests": 4, "control": 2}
        self.host_class = ray.remote(concurrency_groups=groups, max_restarts=0, max_task_retries=0)(RolloutHost)

    def nodes(self):
        draining = self._draining()
        return [
            {
                "id": node["NodeID"],
                "address": node["NodeManagerAddress"],
                "alive": node["Alive"],
                "isDraining": node["NodeID"] in draining,
                "resources": {name: amount for name, amount in node.get("Resources", {}).items()},
                "labels": dict(node.get("Labels") or {}),
            }
            for node in self.ray.nodes()
        ]

    def _draining(self):
        """Nodes that have been given notice. Ray has no public call for it; its own libraries use this one."""
        try:
            return self.ray._private.state.state.get_draining_nodes()
        except Exception:  # another version, or ray://: they are then lost when they go
            return {}

    def tell_nodes(self, fields):
        """In a thread of its own: a head that is gone answers after long."""

        def tell():
            try:
                said = json.dumps(self.nodes()).encode()
                self.results.put((fields, ("ok", "", zlib.crc32(said), len(said)), [said], None))
            except Exception as error:
                self._fail(fields, "RAY_ERROR", str(error))

        threading.Thread(target=tell, daemon=True).start()

    def describe(self, dashboard):
        nodes = self.nodes()
        if self.settings["probe"]:
            self._probe([node for node in nodes if node["alive"]])
        context = self.ray.get_runtime_context()
        return {
            "ray": self.ray.__version__,
            "python": sys.version.split()[0],
            "head": context.gcs_address,
            "dashboard": "http://" + dashboard if dashboard else "",
            "here": context.get_node_id(),
            "shared": self.shared,
            "nodes": nodes,
        }

    def _probe(self, nodes):
        """Asks each node what it has, all at a time."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ask = self.ray.remote(num_cpus=0, max_retries=0)(describe_node)
        pending = {}
        for node in nodes:
            strategy = NodeAffinitySchedulingStrategy(node["id"], soft=False)
            pending[ask.options(scheduling_strategy=strategy).remote(self.settings["node"])] = node
        ready, late = self.ray.wait(list(pending), num_returns=len(pending), timeout=PROBE_SECONDS)
        for reference in ready:
            try:
                pending[reference]["probe"] = self.ray.get(reference)
            except Exception as error:
                pending[reference]["probe"] = {"error": "%s: %s" % (type(error).__name__, str(error).strip()[:200])}
        for reference in late:
            pending[reference]["probe"] = {"error": "no answer within %d s" % PROBE_SECONDS}

    def open(self, fields, options):
        entry = self.hosts.get(fields.host)
        if entry is None or options["fresh"]:
            self.close(fields.host)
            entry = self.hosts[fields.host] = {"actor": self._create(options)}
        entry.update(sequence=0, version=0, incarnation=fields.incarnation)
        self._track(fields, entry["actor"].open.remote(fields.incarnation))

    def _create(self, options):
        settings = self.settings
        arguments = {"num_cpus": options["numCpus"], "scheduling_strategy": "SPREAD"}
        resources = dict(settings["resources"])
        for name, argument in (("GPU", "num_gpus"), ("memory", "memory")):
            if name in resources:
                arguments[argument] = resources.pop(name)
        if resources:
            arguments["resources"] = resources
        if settings["labels"]:
            arguments["label_selector"] = settings["labels"]
        if options.get("node"):  # trials of a study have no say in it
            self._pin(arguments, options)
        elif options["avoid"]:
            self._avoid(arguments, options)
        return self.host_class.options(**arguments).remote(settings["node"], settings["arguments"])

    def _pin(self, arguments, options):
        """To one node, and no other; a guest takes what is there, beside the host that has reserved it."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        arguments["scheduling_strategy"] = NodeAffinitySchedulingStrategy(options["node"], soft=False)
        arguments.pop("label_selector", None)
        if options["isGuest"]:
            arguments["num_cpus"] = 0
            arguments.pop("resources", None)

    def _avoid(self, arguments, options):
        """A node that does not answer may still be thought alive: the head needs its time to notice."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node_id, cpus = options["avoid"], options["numCpus"]
        others = [
            node["NodeID"]
            for node in self.ray.nodes()
            if node["Alive"] and node["NodeID"] != node_id and node["Resources"].get("CPU", 0) >= cpus
        ]
        if others:
            arguments["scheduling_strategy"] = NodeAffinitySchedulingStrategy(others[0], soft=True)

    def put_weights(self, fields, payload):
        """Few bytes go along with the request of each host, many into the object store once."""
        is_carried = len(payload) * max(1, len(self.hosts)) <= MAX_CARRIED
        value = as_value(payload) if is_carried else self.ray.put(self.numpy.frombuffer(payload, self.numpy.uint8))
        self.weights[fields.version] = (value, fields.crc)
        for old in sorted(self.weights)[: -self.settings["numVersions"]]:
            del self.weights[old]

    def request(self, fields, payload):
        entry = self.hosts.get(fields.host)
        if entry is None or entry["incarnation"] != fields.incarnation:
            self._fail(fields, "ACTOR_DIED", "host %d is not open" % fields.host)
            return
        weights, weights_crc = [], 0
        if fields.version > 0 and entry["version"] != fields.version:
            value, weights_crc = self.weights[fields.version]
            weights = [value]
            entry["version"] = fields.version
        slot = 2 * fields.host + entry["sequence"] % 2
        call = struct.pack(CALL, entry["sequence"], weights_crc) + struct.pack(HEADER, *fields) + payload
        self._track(fields, entry["actor"].request.remote(call, *weights), slot)
        stamp(b"called", fields)
        entry["sequence"] += 1

    def ping(self, fields, payload):
        entry = self.hosts.get(fields.host)
        if entry is not None:
            seconds = json.loads(payload) if payload else None
            self._track(fields, entry["actor"].ping.remote(tuple(fields), seconds))

    def notify(self, fields, payload):
        entry = self.hosts.get(fields.host)
        if entry is not None:
            entry["actor"].notify.remote(tuple(fields), bytes(payload))

    def close(self, host):
        entry = self.hosts.pop(host, None)
        if entry is None:
            return
        try:
            self.ray.kill(entry["actor"], no_restart=True)
        except Exception as error:  # it may be gone, and its node with it
            sys.stderr.write("close: %s\n" % error)

    def ask_for_more(self, fields, what, parts, slot):
        """Of an answer that has come in part. Not from a callback of Ray's, in whose thread calls are made."""
        entry = self.hosts.get(fields.host)
        if entry is None or entry["incarnation"] != fields.incarnation:
            self._fail(fields, "ACTOR_DIED", "host %d is not open" % fields.host)
            return
        more = entry["actor"].more.remote(fields.request_id, sum(map(len, parts)))
        self._track(fields, more, slot, (what, parts))

    def _fail(self, fields, code, message):
        self.results.put((fields, (code, message, 0, 0), [], None))

    def _track(self, fields, reference, slot=None, before=None):
        """Has the answer handed on when it is here. `before`: what has come of it so far."""

        def done(future):
            stamp(b"arrived", fields)
            error = future.exception()
            if error is not None:
                self._fail(fields, failure_code(error), str(error))
                return
            *what, part = future.result()
            parts = [part]
            if before is not None and what[0] == "ok":
                what, parts = before[0], [*before[1], part]
            self.results.put((fields, what, parts, slot))

        reference.future().add_done_callback(done)

    def share(self, fields, parts, slot):
        """Puts a fragment where the learner can read it: its place, or None. A slot is free again once the answer before the last was taken."""
        bytes_each, entry = self.settings["slotBytes"], self.hosts.get(fields.host)
        is_current = entry is not None and entry["incarnation"] == fields.incarnation
        length = sum(map(len, parts))
        if self.room is None or slot is None or not fields.flags & SHARED or not is_current or not 0 < length <= bytes_each:
            return None
        begin = end = slot * bytes_each
        for part in parts:
            begin_part, end = end, end + len(part)
            self.numpy.copyto(self.room[begin_part:end], self.numpy.frombuffer(part, self.numpy.uint8))
        return struct.pack(PLACE, begin, length)


def failure_code(error):
    name = type(error).__name__
    if name == "RuntimeEnvSetupError":
        return "RUNTIME_ENV"
    return "ACTOR_DIED" if "Actor" in name or "Died" in name else "RAY_ERROR"


def write_results(bridge, fd, lock):
    while True:
        fields, what, parts, slot = bridge.results.get()
        code, message, crc, length = what
        kind, flags = REPLY, 0
        if code != "ok":
            kind, crc = FAILED, 0
            parts = [json.dumps({"code": code, "message": message}).encode()]
        elif sum(map(len, parts)) < length:
            bridge.ask_for_more(fields, what, parts, slot)
            continue
        else:
            place = bridge.share(fields, parts, slot)
            if place is not None:
                parts, flags = [place], SHARED
        where = (fields.request_id, fields.host, fields.incarnation, fields.version)
        with lock:
            write_frame(fd, kind, *where, crc, parts, flags)
        stamp(b"handed", fields)
        del parts  # not kept until the next is here


def connect(settings):
    """Joins the cluster: (ray, numpy, address of the dashboard)."""
    try:
        import numpy
        import ray
    except ImportError as error:
        raise BridgeError("NO_RAY", "%s: %s" % (sys.executable, error))
    try:
        shipped = settings["workingDir"]
        env_vars = {name: os.environ[name] for name in OF_CALLS if name in os.environ}
        context = ray.init(
            address=settings["address"],
            namespace=settings["namespace"],
            runtime_env={"working_dir": shipped, "env_vars": env_vars} if shipped else None,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except Exception as error:
        raise BridgeError(init_code(error), "%s: %s" % (type(error).__name__, error))
    return ray, numpy, getattr(context, "dashboard_url", None)


def ask_for(bundles):
    """Of the autoscaler: room for all of them, until it is asked for something else."""
    from ray.autoscaler.sdk import request_resources

    request_resources(bundles=bundles)


def init_code(error):
    text = ("%s %s" % (type(error).__name__, error)).lower()
    if "version mismatch" in text:
        return "VERSION"
    if "auth" in text or "token" in text:
        return "TOKEN"
    if "raylet addresses" in text or "could not find any running ray instance" in text:
        return "NOT_A_NODE"
    if "runtime_env" in text or "exceeds the maximum size" in text:
        return "RUNTIME_ENV"
    return "CONNECT"


def serve(bridge, read_fd):
    while True:
        frame = read_frame(read_fd)
        if frame is None or frame[0].kind == STOP:
            return
        fields, payload = frame
        if fields.kind == REQUEST:
            stamp(b"read", fields)
        if fields.kind == OPEN:
            bridge.open(fields, json.loads(payload))
        elif fields.kind == WEIGHTS:
            bridge.put_weights(fields, payload)
        elif fields.kind == REQUEST:
            bridge.request(fields, payload)
        elif fields.kind == PING:
            bridge.ping(fields, payload)
        elif fields.kind == NOTIFY:
            bridge.notify(fields, payload)
        elif fields.kind == NODES:
            bridge.tell_nodes(fields)
        elif fields.kind == CLOSE:
            bridge.close(fields.host)


def main(read_fd, write_fd):
    lock = threading.Lock()

    def answer(kind, request_id, content):
        with lock:
            write_frame(write_fd, kind, request_id, 0, 0, 0, 0, [json.dumps(content).encode()])

    frame = read_frame(read_fd)
    if frame is None:
        return
    fields, payload = frame
    settings = json.loads(payload)
    try:
        ray, numpy, dashboard = connect(settings)
        if settings["bundles"]:
            ask_for(settings["bundles"])
    except BridgeError as error:
        answer(FAILED, fields.request_id, {"code": error.args[0], "message": error.args[1]})
        return
    bridge = Bridge(ray, numpy, settings)
    threading.Thread(target=write_results, args=(bridge, write_fd, lock), daemon=True).start()
    answer(READY, fields.request_id, bridge.describe(dashboard))
    try:
        serve(bridge, read_fd)
    finally:
        for host in list(bridge.hosts):
            bridge.close(host)
        if settings["bundles"]:
            ask_for([])
        ray.shutdown()


if __name__ == "__main__":
    main(3, 4)
