"""A vector environment of Python's own. Its rows are stepped together; what a row can be asked for beside that depends on its autoreset mode."""

import frames as wire
import numpy as np
import spaces
from make import SetupError
from rows import close, note_error


class Vector:
    is_repeatable = False
    masks_actions = False
    render_mode = None

    def __init__(self, factory, config):
        self.make, self.num_envs, self.is_pool = factory, config["numEnvs"], config["suite"] == "envpool"
        self.env = factory(0)
        env = self.env
        self.observation_space = getattr(env, "single_observation_space", env.observation_space)
        self.action_space = getattr(env, "single_action_space", env.action_space)
        if self.is_pool:
            self.observation_space, self.action_space = env.observation_space, env.action_space
        elif getattr(env, "num_envs", None) != self.num_envs:
            raise SetupError("CONFIG_ENV_FACTORY", f"{config['reference']}: a vector environment of num_envs {self.num_envs} is needed, and this is {env}")
        self.mode = str(getattr(getattr(env, "metadata", {}).get("autoreset_mode"), "value", "NextStep"))
        self.is_atari = hasattr(getattr(env, "unwrapped", env), "ale")
        self.resets_rows = self.is_pool or self.is_atari or self.mode == "Disabled"
        same = "same-step" if self.mode == "SameStep" else "next-step"
        self.autoreset_modes = ("same-step", "next-step", "disabled") if self.resets_rows else (same,)
        self.write = spaces.observation_writer(self.observation_space)
        self.shape = (self.num_envs, *(self.observation_space.shape or ()))
        self.is_box = spaces.kind_of(self.observation_space) == "Box"
        self.action_kind, self.start = spaces.kind_of(self.action_space), int(getattr(self.action_space, "start", 0))
        self.action_dtype = np.int32 if self.is_pool else np.int64
        self.infos, self.is_begun, self.touched = True, False, np.ones(self.num_envs, bool)
        self.every_row = np.ones(self.num_envs, bool)

    def look_for_mask(self):
        return False

    def step(self, frames, resets):
        steps = self.every_row if frames.steps_all() else frames.active == wire.STEP
        try:
            if steps is self.every_row:
                self.step_all(frames, steps, resets)
            elif not steps.any():
                self.reset_rows(frames, frames.active != wire.SKIP)
            elif self.resets_rows:
                self.reset_rows(frames, (frames.active != wire.SKIP) & ~steps)
                self.step_all(frames, steps, resets)
            else:
                self.step_all(frames, frames.active != wire.SKIP, resets)
        except Exception as error:
            for n in np.flatnonzero(frames.active):
                note_error(frames, int(n), "step" if steps.any() else "reset", error)

    def step_all(self, frames, rows, resets):
        """Rows that are not asked for are stepped all the same, and left out; they are reset before they are used."""
        if not self.is_begun:
            raise RuntimeError("step before the first reset")
        observations, rewards, terminated, truncated, infos = self.env.step(self.read_actions(frames.actions))
        self.touched[:] = True
        if rows is self.every_row:  # by slices and few calls: NumPy takes as long for a call as for a row
            frames.rewards[:] = rewards
            frames.ends[:] = truncated
            frames.ends += frames.ends
            frames.ends += np.asarray(terminated, bool)
        else:
            frames.rewards[rows] = np.asarray(rewards, np.float64)[rows]
            frames.ends[rows] = (np.asarray(terminated, np.uint8) + 2 * np.asarray(truncated, np.uint8))[rows]
        if self.infos and infos:
            self.add_numbers(frames, infos, rows)
        self.write_rows(frames.observations, observations, rows)
        if np.count_nonzero(frames.ends):
            self.end_episodes(frames, frames.ends != 0, infos, resets)

    def end_episodes(self, frames, ended, infos, resets):
        if self.mode == "SameStep" and not self.resets_rows:
            frames.final_rows = np.flatnonzero(ended).tolist()
            finals = infos.get("final_obs", infos.get("final_observation"))
            for n in frames.final_rows:
                self.write(frames.finals[n], finals[n])
        elif resets:
            frames.final_rows = np.flatnonzero(ended).tolist()
            frames.finals[ended] = frames.observations[ended]
            ends, given = frames.ends[ended], frames.rewards[ended]
            self.reset_rows(frames, ended)
            frames.ends[ended], frames.rewards[ended] = ends, given
        else:
            frames.keep_finals(ended)

    def reset_rows(self, frames, rows):
        if not rows.any():
            return
        seeds = frames.seeds.astype(np.int64) & 0x7FFFFFFF
        if not self.is_begun or (rows.all() and not self.resets_rows):
            if self.is_pool:
                close(self.env)
                self.env = self.make(int(seeds[0]))
                observations, _ = self.env.reset()
            else:
                observations, _ = self.env.reset(seed=seeds if self.is_atari else int(seeds[0]))
            self.is_begun = True
            self.touched[:] = False
            self.write_rows(frames.observations, observations, rows)
        elif self.resets_rows:
            self.reset_some(frames, rows, seeds)
        elif self.touched[rows].any():
            raise RuntimeError(f"a vector environment with autoreset {self.mode} cannot reset one row: use vectorization 'rows'")
        frames.rewards[rows] = 0
        frames.ends[rows] = 0
        self.touched[rows] = False

    def reset_some(self, frames, rows, seeds):
        which = np.flatnonzero(rows)
        if self.is_pool:
            observations, infos = self.env.reset(which.astype(np.int32))
            for k, n in enumerate(infos["env_id"]):
                self.write(frames.observations[n], observations[k])
            return
        if self.is_atari:
            given = seeds[which]
        else:
            given = [int(seeds[n]) if rows[n] else None for n in range(self.num_envs)]
        observations, _ = self.env.reset(seed=given, options={"reset_mask": rows.copy()})
        self.write_rows(frames.observations, observations, rows)

    def write_rows(self, out, observations, rows):
        if self.is_box:
            spaces.check_shape(observations, self.shape)
            flat = np.asarray(observations).reshape(self.num_envs, -1)
            if rows is self.every_row or rows.all():
                out[:] = flat
            else:
                out[rows] = flat[rows]
            return
        kind = spaces.kind_of(self.observation_space)
        for n in np.flatnonzero(rows):
            row = {key: value[n] for key, value in observations.items()} if kind == "Dict" else (
                tuple(value[n] for value in observations) if kind == "Tuple" else observations[n]
            )
            self.write(out[n], row)

    def read_actions(self, actions):
        space, kind = self.action_space, self.action_kind
        if kind == "Discrete":
            chosen = actions[:, 0].astype(self.action_dtype)
            return chosen + self.start if self.start else chosen
        if kind == "Box":
            return actions.astype(space.dtype).reshape((self.num_envs, *space.shape))
        if kind in ("MultiDiscrete", "MultiBinary"):
            return actions.astype(space.dtype).reshape((self.num_envs, *space.shape))
        raise spaces.UnsupportedSpace(f"{kind} actions in a vector environment: use vectorization 'rows'")

    def add_numbers(self, frames, infos, rows):
        told = [(key, values, infos.get(f"_{key}", rows)) for key, values in infos.items() if self.is_number(key, values)]
        if told:
            for n in np.flatnonzero(rows):
                for key, values, is_told in told:
                    if is_told[n]:
                        frames.add_metric(int(n), key, float(values[n]))

    def is_number(self, key, values):
        if key.startswith("_") or key == "env_id" or not isinstance(values, np.ndarray):
            return False
        return values.shape == (self.num_envs,) and values.dtype.kind in "iufb"

    def close(self):
        close(self.env)


