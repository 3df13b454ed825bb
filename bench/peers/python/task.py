"""What every Python contestant shares: its task from the command line, the clock, evaluation, the answer on the last line."""

import json
import os
import resource
import sys
import time

import gymnasium as gym
import numpy as np

FRESH = 1_000_000  # seeds of confirmation episodes
EPISODES = 100  # of an evaluation


class Task:
    def __init__(self):
        raw = json.loads(sys.argv[1])
        self.kind = raw["kind"]
        self.seed = raw["seed"]
        self.started = raw["startedMs"] / 1000
        self.raw = raw
        self.settings = raw.get("settings", {})
        self.steps = raw.get("steps", 0)
        self.limit_seconds = raw.get("limitSeconds", float("inf"))

    def since_start(self):
        return time.time() - self.started


def answer(**values):
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    scale = 1 if sys.platform == "darwin" else 1024
    values["peakMib"] = round(max(own, children) * scale / 2**20, 1)
    print(json.dumps(values), flush=True)
    sys.stdout.flush()
    os._exit(0)  # libraries that hang at exit are not the subject


def tree_cpu_seconds():
    """Processor time of this process and of all below it, those included that have ended (on Linux)."""
    import psutil  # those who have other processes have it

    own = psutil.Process()
    total = 0.0
    for process in [own, *own.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])  # user, system, and both of children that were waited for
        except psutil.NoSuchProcess:
            pass
    return total


def ramp(schedule, remaining):
    return schedule["to"] + (schedule["from"] - schedule["to"]) * remaining


def evaluate(predict, env_id, seed):
    """Undiscounted returns of EPISODES greedy episodes, stepped side by side; predict: [B, obs] -> [B] or [B, act]."""
    envs = [gym.make(env_id) for _ in range(EPISODES)]
    observations = np.stack([env.reset(seed=seed + k)[0] for k, env in enumerate(envs)])
    returns = np.zeros(EPISODES)
    running = np.arange(EPISODES)
    while running.size:
        actions = predict(observations[running])
        still = []
        for k, action in zip(running, actions):
            observations[k], reward, terminated, truncated, _ = envs[k].step(action)
            returns[k] += reward
            if not (terminated or truncated):
                still.append(k)
        running = np.array(still, dtype=int)
    return returns.tolist()


class Solve:
    """Workload 5: greedy checks inside the clock, confirmed on fresh seeds; the same rule for everyone."""

    def __init__(self, task, predict):
        self.task, self.predict = task, predict
        self.target = task.raw["target"]
        self.check_above = task.raw["checkAbove"]
        self.check_every = task.raw["checkEvery"]
        self.last_check = -self.check_every
        self.result = None

    def check(self, training_mean, env_steps):
        """True when the run may end."""
        if training_mean is None or training_mean < self.check_above or env_steps - self.last_check < self.check_every:
            return False
        self.last_check = env_steps
        env = self.task.settings["env"]
        if np.mean(evaluate(self.predict, env, 0)) < self.target:
            return False
        confirmed = float(np.mean(evaluate(self.predict, env, FRESH)))
        if confirmed < self.target:
            return False
        self.result = dict(seconds=self.task.since_start(), envSteps=env_steps, confirmed=confirmed, solved=True)
        return True

    def answer(self, env_steps):
        answer(**(self.result or dict(seconds=self.task.since_start(), envSteps=env_steps, confirmed=None, solved=False)))
