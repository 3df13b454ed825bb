"""Stable-Baselines3's DQN, SAC and TD3, and SBX's with `--sbx`: the same interface.

SBX compiles its update and its policy within the first steps, inside the clock: a user waits for it too.
"""

import sys
import time

import numpy as np
from task import EPISODES, Task, answer, evaluate

IS_SBX = "--sbx" in sys.argv
if IS_SBX:
    import flax.linen as nn
    from sbx import DQN, SAC, TD3

    RELU = nn.relu
else:
    import torch
    from stable_baselines3 import DQN, SAC, TD3

    RELU = torch.nn.ReLU

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.noise import NormalActionNoise


def build(task):
    s = task.settings
    shared = dict(
        env=make_vec_env(s["env"], n_envs=1, seed=task.seed),
        learning_rate=s["learningRate"],
        buffer_size=s["bufferSize"],
        learning_starts=s["learningStarts"],
        batch_size=s["batchSize"],
        gamma=s["gamma"],
        train_freq=s["trainEvery"],
        gradient_steps=s["gradientSteps"],
        policy_kwargs=dict(net_arch=list(s["hiddenSizes"]), activation_fn=RELU),
        seed=task.seed,
        device="cpu",
    )
    if s["algorithm"] == "sac":
        return SAC("MlpPolicy", tau=s["tau"], **shared)
    if s["algorithm"] == "td3":
        return TD3("MlpPolicy", tau=s["tau"], action_noise=NormalActionNoise(np.zeros(1), np.full(1, 0.1)), **shared)
    return DQN(
        "MlpPolicy",
        target_update_interval=s["targetInterval"],
        exploration_fraction=s["explorationSteps"] / task.steps,
        exploration_final_eps=s["finalEpsilon"],
        **({} if IS_SBX else dict(max_grad_norm=s["maxGradNorm"])),  # SBX's has no bound
        **shared,
    )


class Limit(BaseCallback):
    """Ends a run at its time limit."""

    def __init__(self, task):
        super().__init__()
        self.task = task

    def _on_step(self):
        return self.task.since_start() <= self.task.limit_seconds


def main():
    task = Task()
    model = build(task)

    def predict(observations):
        rows = len(observations)
        if IS_SBX:  # one shape, compiled once, however many episodes still run
            observations = np.pad(observations, ((0, EPISODES - rows), (0, 0)))
        return model.predict(observations, deterministic=True)[0][:rows]

    begin, cpu = time.perf_counter(), time.process_time()
    ready = task.since_start()
    model.learn(task.steps, callback=Limit(task))
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    done = task.since_start()
    returns = evaluate(predict, task.settings["env"], task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    measured = dict(seconds=seconds, cpuSeconds=cpu, ready=ready, sinceStart=done)
    answer(**measured, envSteps=model.num_timesteps, returns=returns)


if __name__ == "__main__":
    main()
