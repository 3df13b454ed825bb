"""Hosts environments of several agents, one a row, each stepped by a command of its own.

A command is four u32 (operation, environment, seat or seed, bytes of the body); STEP's body is the actions of all seats, f32. A reply is four u32 (bytes behind
them, metrics, bytes of text, 0), then f64 [S] rewards, u8 [S] each of: acts next, how it ended, has an observation; the masks, seat by seat; padding to eight; f32
[stateSize] the central state; the observations, seat by seat, each padded to four; the metrics, (name, value) as f64; the text, JSON.
"""

import array
import json
import struct
import sys
import traceback

import frames as wire
import numpy as np
import spaces
import zoo_games
from make import SetupError
from rows import close, describe, numbers_of, picture, write_mask

RESET, STEP, OBSERVE, RENDER, REBUILD = 1, 2, 3, 4, 5
REPLIES = 4
padded = lambda size, to: -(-size // to) * to  # noqa: E731


class Seat:
    """What one agent sees and does. Masks come in the observation, beside it, as in PettingZoo's classics, or in `info`."""

    def __init__(self, game, name):
        self.name = name
        space, self.action_space = game.env.observation_space(name), game.env.action_space(name)
        parts = space.spaces if spaces.kind_of(space) == "Dict" else {}
        self.has_mask_beside = "action_mask" in parts
        self.is_alone = set(parts) == {"action_mask", "observation"}
        if self.has_mask_beside:
            space = parts["observation"] if self.is_alone else type(space)({key: part for key, part in parts.items() if key != "action_mask"})
        self.observation_space = space
        self.write, self.read = spaces.observation_writer(space), spaces.action_reader(self.action_space)
        self.size, self.dtype = spaces.flat_size(space), spaces.row_dtype(space)
        self.action_size = spaces.action_size(self.action_space)
        mask_size = sum(spaces.mask_sizes(self.action_space))
        if self.has_mask_beside and mask_size == 0:
            raise SetupError("CONFIG_ENV_FACTORY", f"{name} has a mask, and its actions are {self.action_space}: masks are for Discrete and MultiDiscrete")
        has_mask = self.has_mask_beside or (mask_size > 0 and game.info_of(name).get("action_mask") is not None)
        self.mask_size = mask_size if has_mask else 0

    def to_json(self):
        return {
            "name": self.name,
            "observationSpace": spaces.to_json(self.observation_space),
            "actionSpace": spaces.to_json(self.action_space),
            "masksActions": self.mask_size > 0,
        }

    def write_observation(self, row, observation):
        if self.has_mask_beside and self.is_alone:
            observation = observation["observation"]
        elif self.has_mask_beside:
            observation = {key: part for key, part in observation.items() if key != "action_mask"}
        self.write(row, observation)

    def write_mask(self, row, observation, info):
        write_mask(row, observation["action_mask"] if self.has_mask_beside else info.get("action_mask"))


def shape_of(seat):
    return json.dumps(spaces.to_json(seat.action_space))


class Agents:
    def __init__(self, config):
        self.create, self.state = zoo_games.factory(config)
        self.games = [self.create() for _ in range(config["numEnvs"])]
        first, self.infos = self.games[0], config["infoMetrics"]
        first.reset(0)  # whether masks come in `info` is said before the first one that counts
        self.seats = [Seat(first, str(name)) for name in first.env.possible_agents]
        self.mask_who_come_later(first)
        self.index = {seat.name: s for s, seat in enumerate(self.seats)}
        self.find_state(first)
        self.lay_out()
        self.command = np.zeros(sum(seat.action_size for seat in self.seats), np.float32)
        self.names, self.metrics = wire.MetricNames(), array.array("d")

    def mask_who_come_later(self, game):
        """An agent that the first reset has not told of has a mask where those have one whose actions are the same."""
        masked = [shape_of(seat) for seat in self.seats if seat.mask_size > 0]
        for seat in self.seats:
            if seat.mask_size == 0 and seat.name not in map(str, game.env.agents) and shape_of(seat) in masked:
                seat.mask_size = sum(spaces.mask_sizes(seat.action_space))

    def find_state(self, game):
        """A central state, where the environment has one."""
        self.state_space, self.state_size = None, 0
        space = getattr(game.env, "state_space", None)
        try:
            if space is None or np.shape(game.env.state()) != tuple(space.shape):
                return
            self.state_space, self.state_size = space, spaces.flat_size(space)
            self.write_state = spaces.observation_writer(space)
        except (AttributeError, NotImplementedError, spaces.UnsupportedSpace):
            self.state_space = None

    def lay_out(self):
        count = len(self.seats)
        masks_at = 11 * count
        state_at = padded(masks_at + sum(seat.mask_size for seat in self.seats), 8)
        seen_at = state_at + 4 * self.state_size
        self.block = bytearray(16 + seen_at + sum(padded(seat.size * np.dtype(seat.dtype).itemsize, 4) for seat in self.seats))
        whole = np.frombuffer(self.block, np.uint8, offset=16)
        self.rewards = whole[: 8 * count].view(np.float64)
        self.acting, self.ended, self.has_seen = (whole[(8 + k) * count : (9 + k) * count] for k in range(3))
        self.central = whole[state_at:seen_at].view(np.float32)
        self.masks, self.rows, at = [], [], masks_at
        for seat in self.seats:
            self.masks.append(whole[at : at + seat.mask_size])
            at += seat.mask_size
        at = seen_at
        for seat in self.seats:
            size = seat.size * np.dtype(seat.dtype).itemsize
            self.rows.append(whole[at : at + size].view(seat.dtype))
            at += padded(size, 4)

    def hello(self, versions, protocol):
        return {
            "protocol": protocol,
            "versions": versions,
            "agents": [seat.to_json() for seat in self.seats],
            "stateSpace": spaces.to_json(self.state_space) if self.state_space is not None else None,
            "renderMode": self.state["mode"],
        }

    def answer(self, operation, n, argument, size):
        """@returns False when there is nothing more to answer."""
        if operation == STEP and not wire.read_exactly(3, memoryview(self.command).cast("B")):
            return False
        phase, extra, errors = "reset" if operation in (RESET, REBUILD) else "step", None, []
        try:
            if operation == RENDER:
                extra = picture(self.games[n].env.render())
            elif operation == OBSERVE:
                seat = self.seats[argument]
                seat.write_observation(self.rows[argument], self.games[n].observe(seat.name))
            elif operation in (RESET, STEP, REBUILD):
                self.play(operation, n, argument)
            else:
                return False
        except Exception as error:
            traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
            errors.append({"phase": phase, **describe(error)})
        self.send(errors, extra)
        return True

    def play(self, operation, n, seed):
        if operation == REBUILD:
            close(self.games[n].env)
            self.games[n] = self.create()
        game = self.games[n]
        for flags in (self.rewards, self.acting, self.ended, self.has_seen):
            flags[:] = 0
        if operation == STEP:
            game.step(self.actions_of(game))
        else:
            game.reset(seed)
        for agent, reward in game.rewards.items():
            self.rewards[self.seat_of(agent)] = reward
        for agent, how in game.ended.items():
            self.ended[self.seat_of(agent)] = how
        for agent, observation in game.seen.items():
            s = self.seat_of(agent)
            self.seats[s].write_observation(self.rows[s], observation)
            self.has_seen[s] = 1
        for agent in game.acting:
            s = self.seat_of(agent)
            self.acting[s] = 1
            if self.seats[s].mask_size > 0:
                self.seats[s].write_mask(self.masks[s], game.seen[agent], game.info_of(agent))
        if self.state_size > 0:
            self.write_state(self.central, game.env.state())
        if self.infos:
            self.add_numbers(game.infos)

    def seat_of(self, agent):
        s = self.index.get(str(agent))
        if s is None:
            raise KeyError(f"{agent} acts, gets or ends, and is not among possible_agents: {', '.join(self.index)}")
        return s

    def actions_of(self, game):
        actions, at = {}, 0
        acting = set(game.acting)
        for seat in self.seats:
            if seat.name in acting:
                actions[seat.name] = seat.read(self.command[at : at + seat.action_size])
            at += seat.action_size
        return actions

    def add_numbers(self, infos):
        for info in infos.values():
            for name, value in numbers_of(info or {}):
                number = self.names.number_of(name, value)
                if number is not None:
                    self.metrics.extend((number, value))

    def send(self, errors, extra):
        text = b""
        if self.names.new or errors or extra is not None:
            text = json.dumps({"names": self.names.take_new(), "errors": errors, "extra": extra}).encode()
        rest = self.metrics.tobytes() + text
        struct.pack_into("<IIII", self.block, 0, len(self.block) - 16 + len(rest), len(self.metrics) // 2, len(text), 0)
        if rest and len(self.block) + len(rest) < 65536:
            wire.write_all(REPLIES, self.block + rest)  # one call, and nobody reads half a reply
        else:
            wire.write_all(REPLIES, self.block, rest)
        del self.metrics[:]

    def close(self):
        for game in self.games:
            close(game.env)
