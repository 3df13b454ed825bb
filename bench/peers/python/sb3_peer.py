"""Stable-Baselines3's PPO, and SBX's with `--sbx`: the same interface.

SBX compiles its update and its policy within the first iterations, inside the clock: a user waits for it too. It knows no value clipping
and clips the gradients of actor and critic apart.
"""

import sys
import time

import numpy as np
from task import EPISODES, Solve, Task, answer, evaluate, ramp

IS_SBX = "--sbx" in sys.argv
if IS_SBX:
    import flax.linen as nn
    from sbx import PPO

    ACTIVATIONS = {"tanh": nn.tanh, "relu": nn.relu, "identity": lambda x: x}
else:
    import torch
    from stable_baselines3 import PPO

    ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "identity": torch.nn.Identity}

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def build(task):
    s = task.settings
    env = make_vec_env(s["env"], n_envs=s["numEnvs"], seed=task.seed)
    if s.get("normalized", False):
        env = VecNormalize(env, gamma=s["gamma"])
    policy = dict(net_arch=list(s["hiddenSizes"]), activation_fn=ACTIVATIONS[s["activation"]])
    policy["optimizer_kwargs"] = dict(eps=s["adamEpsilon"])
    policy["log_std_init"] = s["logStdInit"]
    if not s.get("orthogonalInit", True):
        policy["ortho_init"] = False
    return PPO(
        "MlpPolicy",
        env,
        n_steps=s["rolloutLength"],
        batch_size=s["minibatchSize"],
        n_epochs=s["numEpochs"],
        gamma=s["gamma"],
        gae_lambda=s["gaeLambda"],
        learning_rate=lambda remaining: ramp(s["learningRate"], remaining),
        clip_range=lambda remaining: ramp(s["clipRange"], remaining),
        **({} if s["valueClipRange"] is None else dict(clip_range_vf=s["valueClipRange"])),
        ent_coef=s["entropyCoeff"],
        vf_coef=s["valueCoeff"],
        max_grad_norm=1e9 if s["maxGradNorm"] is None else s["maxGradNorm"],
        policy_kwargs=policy,
        seed=task.seed,
        device="cpu",
    )


class Watch(BaseCallback):
    """Ends a run at a solved check or at its time limit."""

    def __init__(self, task, solve=None):
        super().__init__()
        self.task, self.solve, self.done = task, solve, False

    def _on_step(self):
        return not self.done

    def _on_rollout_end(self):
        if self.task.since_start() > self.task.limit_seconds:
            self.done = True
        if self.solve is not None:
            recent = [info["r"] for info in self.model.ep_info_buffer]
            self.done = self.done or self.solve.check(np.mean(recent) if recent else None, self.model.num_timesteps)


def latency(model, batch, calls):
    observation = np.random.default_rng(0).normal(size=(batch, 4)).astype(np.float32)
    observation = observation[0] if batch == 1 else observation
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        model.predict(observation, deterministic=True)
        times.append((time.perf_counter() - begin) * 1e6)
    return times


def main():
    task = Task()
    model = build(task)
    statistics = model.get_vec_normalize_env()

    def predict(observations):
        rows = len(observations)
        if statistics is not None:
            observations = statistics.normalize_obs(observations)
        if IS_SBX:  # one shape, compiled once, however many episodes still run
            observations = np.pad(observations, ((0, EPISODES - rows), (0, 0)))
        return model.predict(observations, deterministic=True)[0][:rows]

    if task.kind == "solve":
        solve = Solve(task, predict)
        model.learn(task.steps, callback=Watch(task, solve))
        solve.answer(model.num_timesteps)
    if task.kind == "infer":
        latency(model, 1, 200)
        latency(model, 64, 200)
        answer(single=latency(model, 1, 2000), batch=latency(model, 64, 2000))
    begin, cpu = time.perf_counter(), time.process_time()
    ready = task.since_start()
    model.learn(task.steps, callback=Watch(task))
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    done = task.since_start()
    returns = evaluate(predict, task.settings["env"], task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    measured = dict(seconds=seconds, cpuSeconds=cpu_seconds, ready=ready, sinceStart=done)
    answer(envSteps=model.num_timesteps, returns=returns, **measured)


if __name__ == "__main__":
    main()
