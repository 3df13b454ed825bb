"""RLlib's APPO on its current API stack: workers that sample in processes of their own, and a learner in the driver's.

RLlib's default is a learner in a process of its own, and a driver that asks in a loop what is ready: one more process.
Which of the two is faster on two cores was not measured. It has no decay of V-trace's traces and does not normalise advantages. A batch that
the learner has no time for is dropped from its circular buffer before all its passes; what it learnt from is told in the note.
"""

import time

from rllib_start import start_ray  # first: it says what Ray is imported with

import os

import ray
import torch
from ray.rllib.algorithms.appo import APPOConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from task import Task, answer, evaluate, tree_cpu_seconds

REPORTS = 20  # of a run: each costs a little


def build(task):
    s = task.settings
    workers, fragment = s["numWorkers"], s["numEnvs"] * s["rolloutLength"]
    config = (
        APPOConfig()
        .environment(s["env"])
        .env_runners(
            num_env_runners=workers,
            num_envs_per_env_runner=s["numEnvs"] // workers,
            rollout_fragment_length=s["rolloutLength"],
        )
        .learners(num_learners=0)
        .training(
            lr=s["learningRate"],
            gamma=s["gamma"],
            clip_param=s["clipRange"],
            vf_loss_coeff=2 * s["valueCoeff"],  # its loss has a half
            entropy_coeff=s["entropyCoeff"],
            use_kl_loss=False,
            grad_clip=s["maxGradNorm"],
            train_batch_size_per_learner=fragment,
            circular_buffer_num_batches=s["circularBufferSize"],
            circular_buffer_iterations_per_batch=s["numPasses"],
            target_network_update_freq=s["targetUpdateInterval"] / s["circularBufferSize"],  # counts in full buffers
        )
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(s["hiddenSizes"]), fcnet_activation="tanh", vf_share_layers=False
            )
        )
        .reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=max(1, task.steps // REPORTS))
        .debugging(seed=task.seed, log_level="ERROR")
    )
    return config.build_algo()


def policy_of(algorithm):
    """The learner's weights in a module of the driver, as a function of observations."""
    module = algorithm.get_module()
    module.set_state(algorithm.learner_group.get_weights()[DEFAULT_MODULE_ID])

    @torch.no_grad()
    def predict(observations):
        batch = {Columns.OBS: torch.as_tensor(observations, dtype=torch.float32)}
        return module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS].argmax(-1).numpy()

    return predict


def main():
    task = Task()
    s = task.settings
    start_ray(max(os.cpu_count(), s["numWorkers"]))
    algorithm = build(task)
    ready, begin, cpu = task.since_start(), time.perf_counter(), tree_cpu_seconds()
    env_steps = trained = 0
    while env_steps < task.steps and task.since_start() < task.limit_seconds:
        result = algorithm.train()
        env_steps = int(result["env_runners"]["num_env_steps_sampled_lifetime"])
        trained = result.get("learners", {}).get("__all_modules__", {}).get("num_env_steps_trained_lifetime", trained)
    seconds, cpu, done = time.perf_counter() - begin, tree_cpu_seconds() - cpu, task.since_start()
    returns = evaluate(policy_of(algorithm), s["env"], task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    note = f"each step learnt from {trained / max(1, env_steps):.1f} times, of {s['numPasses']} asked"
    ray.shutdown()
    answer(seconds=seconds, cpuSeconds=cpu, ready=ready, sinceStart=done, envSteps=env_steps, returns=returns, note=note)


if __name__ == "__main__":
    main()
