"""Single environments, one a row. Every episode begins with a seed of its own, so a row is what it would be alone."""

import base64
import sys
import traceback

import frames as wire
import numpy as np
import spaces


class Rows:
    is_repeatable = True
    autoreset_modes = ("same-step", "next-step", "disabled")
    resets_rows = True

    def __init__(self, factory, state, num_envs):
        self.create, self.state = factory, state
        self.envs = [factory()]
        first = self.envs[0]
        self.observation_space, self.action_space = first.observation_space, first.action_space
        self.envs += [factory() for _ in range(num_envs - 1)]
        self.write, self.read = spaces.observation_writer(first.observation_space), spaces.action_reader(first.action_space)
        self.mask_sizes, self.masks_actions = spaces.mask_sizes(first.action_space), False
        self.render_mode = state["mode"]

    def look_for_mask(self):
        """Whether masks come with a reset: said before the first one that counts."""
        _, info = reset(self.envs[0], 0)
        self.masks_actions = bool(self.mask_sizes) and info.get("action_mask") is not None
        return self.masks_actions

    def step(self, frames, resets):
        active, seeds, actions = frames.active.tobytes(), frames.seeds, frames.actions
        for n, what in enumerate(active):
            if what == wire.STEP:
                self.step_row(frames, n, actions[n], int(seeds[n]) if resets else None)
            elif what != wire.SKIP:
                self.reset_row(frames, n, int(seeds[n]), what == wire.REBUILD)

    def step_row(self, frames, n, action, next_seed):
        """@returns whether the episode goes on."""
        phase = "step"
        try:
            result = self.envs[n].step(self.read(action))
            if not isinstance(result, tuple) or len(result) != 5:
                raise TypeError(f"step has to return (observation, reward, terminated, truncated, info), and gave {shown(result)}")
            observation, reward, terminated, truncated, info = result
            frames.rewards[n] = reward
            end = (wire.TERMINATED if terminated else 0) | (wire.TRUNCATED if truncated else 0)
            frames.ends[n] = end
            self.add_numbers(frames, n, info)
            if end == 0:
                self.write(frames.observations[n], observation)
                if self.masks_actions:
                    write_mask(frames.masks[n], info.get("action_mask"))
                return True
            self.write(frames.finals[n], observation)
            frames.final_rows.append(n)
            if next_seed is None:
                self.write(frames.observations[n], observation)
                frames.masks[n] = 1
                return False
            phase = "reset"
            self.begin(frames, n, next_seed)
        except Exception as error:
            note_error(frames, n, phase, error)
        return False

    def reset_row(self, frames, n, seed, is_anew):
        frames.rewards[n] = 0
        frames.ends[n] = 0
        try:
            if is_anew:
                close(self.envs[n])
                self.envs[n] = self.create()
            self.begin(frames, n, seed)
        except Exception as error:
            note_error(frames, n, "reset", error)

    def begin(self, frames, n, seed):
        observation, info = reset(self.envs[n], seed)
        self.write(frames.observations[n], observation)
        if self.masks_actions:
            write_mask(frames.masks[n], info.get("action_mask"))

    def repeat(self, frames, n, actions):
        """Steps on until the episode ends. @returns how many were taken."""
        for k, action in enumerate(actions):
            goes_on = self.step_row(frames, n, action, None)
            del frames.metrics[:]
            if not goes_on:
                return k + 1
        return len(actions)

    def add_numbers(self, frames, n, info):
        if not info:
            return
        if not isinstance(info, dict):
            raise TypeError(f"info has to be a dict, and is {shown(info)}")
        if self.infos:
            for name, value in numbers_of(info):
                frames.add_metric(n, name, value)

    def render(self, n):
        return self.envs[n].render()

    def close(self):
        for env in self.envs:
            close(env)


NUMBERS = (int, float, np.integer, np.floating, np.bool_)


def numbers_of(info):
    """(name, value): those of a dict in it as `NAME/INNER`."""
    for key, value in info.items():
        if isinstance(value, NUMBERS):
            yield key, value
        elif isinstance(value, dict):
            for inner, number in value.items():
                if isinstance(number, NUMBERS):
                    yield f"{key}/{inner}", number


def write_mask(row, mask):
    """@param mask of several choices: one array, or a tuple of one each."""
    if isinstance(mask, tuple):
        mask = np.concatenate([np.ravel(part) for part in mask])
    if mask is None or np.size(mask) != len(row):
        raise spaces.WrongShape(f"the action_mask has to have {len(row)} elements, and is {shown(mask)}")
    row[:] = np.ravel(mask)


def reset(env, seed):
    result = env.reset(seed=seed)
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], dict):
        raise TypeError(f"reset has to return (observation, info), and gave {shown(result)}")
    return result


def shown(value):
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}: {', '.join(type(part).__name__ for part in value)}"
    return f"{type(value).__name__} {str(value)[:60]}"


def close(env):
    try:
        env.close()
    except Exception:
        traceback.print_exc()


def note_error(frames, n, phase, error):
    """The whole traceback goes into the log; the message says the line."""
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    frames.ends[n] = wire.FAILED
    if n in frames.final_rows:
        frames.final_rows.remove(n)
    frames.errors.append({"row": n, "phase": phase, **describe(error)})


def describe(error):
    steps = traceback.extract_tb(error.__traceback__)
    where = f" ({steps[-1].filename}:{steps[-1].lineno} in {steps[-1].name})" if steps else ""
    return {
        "isShape": isinstance(error, spaces.WrongShape),
        "code": getattr(error, "code", None) if isinstance(getattr(error, "code", None), str) else None,
        "message": f"{type(error).__name__}: {error}" + ("" if isinstance(error, spaces.WrongShape) else where),
    }


def picture(rendered):
    """What `render` gave, as JSON: it is rare, and of any size."""
    if isinstance(rendered, str):
        return {"text": rendered}
    if getattr(rendered, "ndim", 0) == 3 and rendered.shape[2] == 3:
        pixels = base64.b64encode(np.ascontiguousarray(rendered, np.uint8).tobytes()).decode()
        return {"height": rendered.shape[0], "width": rendered.shape[1], "pixels": pixels}
    return {"error": f"render gave {type(rendered).__name__}, not an array [height, width, 3] or a text"}
