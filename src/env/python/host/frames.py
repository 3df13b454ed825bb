"""The frames of the protocol: one fixed block of arrays in each direction, what varies behind it. Little endian.

A command is four u32 (operation, argument, argument, bytes of the body) and a body; STEP's is u8 [numEnvs] what to do with each row, padded to
four bytes, u32 [numEnvs] seeds, and the actions, [numEnvs, actionSize] i32 or f32.
A reply is four u32 (bytes behind them, metrics, bytes of text, final observations) and f64 [numEnvs] rewards, u8 [numEnvs] ends, u8
[numEnvs, maskSize] masks; the observations, where there is no shared memory: [numEnvs, obsSize], and the last ones of rows that ended, [ended, obsSize], or none where
they are the rows' observations; the metrics, (row, name, value) as f64 each; the text, JSON.
"""

import array
import json
import math
import mmap
import os
import struct
import sys

import numpy as np

SKIP, STEP, RESET, REBUILD = 0, 1, 2, 3
TERMINATED, TRUNCATED, FAILED = 1, 2, 4
OPERATION_STEP, OPERATION_REPEAT, OPERATION_RENDER, OPERATION_CLOSE = 1, 2, 3, 4


def read_exactly(fd, view):
    """@returns False at the end of the file: whoever asked is gone."""
    size = len(view)
    end = count = os.readv(fd, [view])
    while count > 0 and end < size:
        count = os.readv(fd, [view[end:]])
        end += count
    return end == size


def write_all(fd, *parts):
    for part in parts:
        view = memoryview(part).cast("B")
        while len(view) > 0:
            view = view[os.write(fd, view) :]


class MetricNames:
    """Names of metrics are sent once, and stand for numbers from then on."""

    def __init__(self):
        self.numbers, self.new, self.left_out = {}, [], set()

    def number_of(self, name, value):
        """@returns None for a value that is to be left out, since it is not finite."""
        if not math.isfinite(value):
            if name not in self.left_out:
                print(f"info['{name}'] is {value} and is left out where it is; told once", file=sys.stderr)
            self.left_out.add(name)
            return None
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.numbers)
            self.new.append(name)
        return number

    def take_new(self):
        new, self.new = self.new, []
        return new


class Frames:
    """Arrays of this process that replies are sent from, or, of shared memory, read in."""

    def __init__(self, num_envs, obs_size, obs_dtype, mask_size, action_size, is_continuous, shared_fd):
        self.num_envs, self.final_rows = num_envs, []
        self.metrics, self.names, self.errors, self.extra = array.array("d"), MetricNames(), [], None
        obs_bytes = obs_size * np.dtype(obs_dtype).itemsize
        masks_end = num_envs * (9 + mask_size)
        fixed = masks_end if shared_fd is not None else masks_end + num_envs * obs_bytes
        self.block = bytearray(16 + fixed)
        of_block = np.frombuffer(self.block, np.uint8, offset=16)
        self.rewards = of_block[: 8 * num_envs].view(np.float64)
        self.ends = of_block[8 * num_envs : 9 * num_envs]
        self.masks = of_block[9 * num_envs : masks_end].reshape(num_envs, mask_size)
        if shared_fd is None:
            self.shared = None
            self.observations = np.zeros((num_envs, obs_size), obs_dtype)
            self.observations_bytes = memoryview(self.observations).cast("B")
            self.finals = np.zeros((num_envs, obs_size), obs_dtype)
        else:
            size = num_envs * obs_bytes
            os.ftruncate(shared_fd, 2 * size)
            self.shared = mmap.mmap(shared_fd, 2 * size)
            self.observations = np.frombuffer(self.shared, obs_dtype, num_envs * obs_size).reshape(num_envs, obs_size)
            self.finals = np.frombuffer(self.shared, obs_dtype, num_envs * obs_size, size).reshape(num_envs, obs_size)
        pad = -num_envs % 4
        self.command = np.zeros(num_envs * 5 + pad + 4 * num_envs * action_size, np.uint8)
        self.command_place = memoryview(self.command)
        self.active, self.all_step = self.command[:num_envs], bytes([STEP]) * num_envs
        self.seeds = self.command[num_envs + pad : num_envs + pad + 4 * num_envs].view(np.uint32)
        action_dtype = np.float32 if is_continuous else np.int32
        self.actions = self.command[5 * num_envs + pad :].view(action_dtype).reshape(num_envs, action_size)

    def steps_all(self):
        return self.command_place[: self.num_envs] == self.all_step

    def keep_finals(self, ended):
        """The last observations of rows that ended are their observations, and stay there until the reply."""
        if self.shared is not None:
            self.finals[ended] = self.observations[ended]

    def add_metric(self, row, name, value):
        """Rows have to come in their order."""
        number = self.names.number_of(name, value)
        if number is not None:
            self.metrics.extend((row, number, value))

    def send(self, fd):
        text = b""
        if self.names.new or self.errors or self.extra is not None:
            text = json.dumps({"names": self.names.take_new(), "errors": self.errors, "extra": self.extra}).encode()
        numbers = self.metrics.tobytes()
        finals = b""
        if self.shared is None:
            self.block[-len(self.observations_bytes) :] = self.observations_bytes
            if self.final_rows:
                finals = self.finals[self.final_rows].tobytes()
        size = len(self.block) - 16 + len(finals) + len(numbers) + len(text)
        struct.pack_into("<IIII", self.block, 0, size, len(self.metrics) // 3, len(text), len(self.final_rows))
        rest = finals + numbers + text
        if rest and size < 65536:
            write_all(fd, self.block + rest)  # one call, and nobody reads half a reply
        else:
            write_all(fd, self.block, rest)
        self.final_rows, self.errors, self.extra = [], [], None
        del self.metrics[:]
