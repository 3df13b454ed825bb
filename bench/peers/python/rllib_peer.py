"""RLlib's PPO on its current API stack.

As suits cheap environments on few cores: `numWorkers` 0 samples in the driver process and the learner lives there as well, so that no
episode is copied between processes.
"""

import time

from rllib_start import start_ray  # first: it says what Ray is imported with

import numpy as np
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from task import Solve, Task, answer, evaluate

ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "identity": "linear"}


def build(task):
    s, workers = task.settings, task.raw.get("numWorkers", 0)
    config = (
        PPOConfig()
        .environment(s["env"], normalize_actions=False, clip_actions=True)
        .env_runners(
            num_env_runners=workers,
            num_envs_per_env_runner=max(1, s["numEnvs"] // max(1, workers)),
            rollout_fragment_length=s["rolloutLength"],
        )
        .learners(num_learners=0)
        .training(
            lr=schedule(s["learningRate"], task.steps),
            gamma=s["gamma"],
            lambda_=s["gaeLambda"],
            clip_param=s["clipRange"]["from"],
            vf_clip_param=s["valueErrorBound"] or float("inf"),
            vf_loss_coeff=s["valueCoeff"],
            entropy_coeff=s["entropyCoeff"],
            use_kl_loss=s["klPenaltyCoeff"] > 0,
            kl_coeff=s["klPenaltyCoeff"],
            kl_target=s["klPenaltyTarget"] or 0.01,
            num_epochs=s["numEpochs"],
            minibatch_size=s["minibatchSize"],
            train_batch_size_per_learner=s["numEnvs"] * s["rolloutLength"],
            grad_clip=s["maxGradNorm"],
        )
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(s["hiddenSizes"]),
                fcnet_activation=ACTIVATIONS[s["activation"]],
                vf_share_layers=s["sharedLayers"],
                free_log_std=s["env"] == "Pendulum-v1",
            )
        )
        .debugging(seed=task.seed, log_level="ERROR")
    )
    return config.build_algo()


def schedule(ramp, steps):
    return ramp["from"] if ramp["from"] == ramp["to"] else [[0, ramp["from"]], [steps, ramp["to"]]]


def main():
    task = Task()
    start_ray()
    algorithm = build(task)

    @torch.no_grad()
    def predict(observations):
        module = algorithm.get_module()
        batch = {Columns.OBS: torch.as_tensor(observations, dtype=torch.float32)}
        outputs = module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS]
        continuous = task.settings["env"] == "Pendulum-v1"
        return outputs[:, :1].clamp(-2, 2).numpy() if continuous else outputs.argmax(-1).numpy()

    solve = Solve(task, predict) if task.kind == "solve" else None
    ready, begin, env_steps, reached = task.since_start(), time.perf_counter(), 0, None
    while env_steps < task.steps and task.since_start() < task.limit_seconds:
        result = algorithm.train()["env_runners"]
        env_steps = int(result["num_env_steps_sampled_lifetime"])
        mean = result.get("episode_return_mean")
        if reached is None and "stopReturn" in task.raw and mean is not None and mean >= task.raw["stopReturn"]:
            reached = dict(seconds=task.since_start(), envSteps=env_steps)
            break
        if solve is not None and solve.check(mean, env_steps):
            break
    seconds, done = time.perf_counter() - begin, task.since_start()
    if solve is not None:
        ray.shutdown()
        solve.answer(env_steps)
    env = task.settings["env"]
    returns = evaluate(predict, env, task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    ray.shutdown()
    answer(seconds=seconds, ready=ready, sinceStart=done, envSteps=env_steps, returns=returns, reached=reached)


if __name__ == "__main__":
    main()
