"""Sample Factory's APPO on CartPole: asynchronous, two workers that sample one half of their environments while the other half waits.

It has no learning rate in a straight line (a constant one instead) and clips ratios to [1/(1+e), 1+e]. Beside PPO it learns from advantages
of GAE, and its clock begins with its training call, in which its processes start. Beside APPO (`appo`) its traces do not decay and its clock
begins when its first update is over; it has no target policy and no buffer of fragments, so its passes are over each new one. Its V-trace
fails at its first summary (2.1.1 reads advantages there that it has not kept), so it is GAE with lambda 1, which is V-trace on its own policy.
"""

import shutil
import sys
import tempfile
import time

import gymnasium as gym
import torch
from task import Task, answer, evaluate, tree_cpu_seconds


def make_env(name, cfg, env_config, render_mode=None):
    return gym.make(name)


def as_ppo(s):
    return dict(
        num_envs_per_worker=s["numEnvs"] // 2, recurrence=1, batch_size=s["minibatchSize"], num_epochs=s["numEpochs"],
        ppo_clip_value=s["valueClipRange"] or 1e9, gae_lambda=s["gaeLambda"], learning_rate=s["learningRate"]["from"],
        ppo_clip_ratio=s["clipRange"]["from"], max_grad_norm=s["maxGradNorm"] or 0,
    )


def as_appo(s):
    return dict(
        num_envs_per_worker=s["numEnvs"] // s["numWorkers"], recurrence=1, gae_lambda=1.0,
        batch_size=s["numEnvs"] * s["rolloutLength"], num_epochs=s["numPasses"], value_bootstrap=True, ppo_clip_value=1e9,
        learning_rate=s["learningRate"], ppo_clip_ratio=s["clipRange"], max_grad_norm=s["maxGradNorm"],
    )


def arguments_of(task, folder):
    s = task.settings
    shared = dict(
        algo="APPO", env=s["env"], experiment="peer", train_dir=folder, device="cpu", seed=task.seed,
        train_for_env_steps=task.steps, num_workers=s.get("numWorkers", 2), worker_num_splits=2,
        train_for_seconds=int(min(task.limit_seconds, 10**6)), rollout=s["rolloutLength"], use_rnn=False,
        num_batches_per_epoch=1, value_loss_coeff=s["valueCoeff"], adam_eps=s["adamEpsilon"], normalize_returns=False,
        gamma=s["gamma"], exploration_loss_coeff=s["entropyCoeff"], nonlinearity="tanh",
        async_rl=True, normalize_input=False, restart_behavior="overwrite", save_every_sec=100000, with_wandb=False,
        actor_critic_share_weights=False, batched_sampling=False, experiment_summaries_interval=10000,
    )
    own = as_appo(s) if task.kind == "appo" else as_ppo(s)
    argv = [f"--{name}={value}" for name, value in {**shared, **own}.items()]
    return [*argv, "--encoder_mlp_layers", *map(str, s["hiddenSizes"])]


def make_clock(task):
    """Watches a run's updates: what lies between the first and the last, which leaves out how its processes start."""
    from sample_factory.algo.runners.runner import AlgoObserver

    class Clock(AlgoObserver):
        first = last = None

        def on_training_step(self, runner, training_iteration_since_resume):
            if self.first is None:
                self.first = self.now(training_iteration_since_resume)
            self.count = training_iteration_since_resume

        def on_stop(self, runner):
            self.last = self.now(self.count)

        @staticmethod
        def now(count):
            return time.perf_counter(), tree_cpu_seconds(), count, task.since_start()

        def measured(self):
            (begin, cpu, count, ready), (end, end_cpu, end_count, done) = self.first, self.last
            batch = task.settings["numEnvs"] * task.settings["rolloutLength"]
            times = dict(seconds=end - begin, cpuSeconds=end_cpu - cpu, ready=ready, sinceStart=done)
            return dict(envSteps=(end_count - count) * batch, **times)

    return Clock()


def policy_of(cfg, env_info):
    """The last checkpoint's, as a function of observations."""
    from sample_factory.algo.learning.learner import Learner
    from sample_factory.algo.utils.action_distributions import argmax_actions
    from sample_factory.algo.utils.rl_utils import prepare_and_normalize_obs
    from sample_factory.model.actor_critic import create_actor_critic
    from sample_factory.model.model_utils import get_rnn_size

    network = create_actor_critic(cfg, env_info.obs_space, env_info.action_space)
    network.model_to_device(torch.device("cpu"))
    newest = Learner.get_checkpoints(Learner.checkpoint_dir(cfg, 0))[-1]
    network.load_state_dict(torch.load(newest, weights_only=False)["model"])
    network.eval()

    @torch.no_grad()
    def predict(observations):
        seen = prepare_and_normalize_obs(network, dict(obs=torch.as_tensor(observations, dtype=torch.float32)))
        network(seen, torch.zeros(len(observations), get_rnn_size(cfg)))
        return argmax_actions(network.action_distribution()).numpy()

    return predict


def main():
    task = Task()
    from sample_factory.cfg.arguments import parse_full_cfg, parse_sf_args
    from sample_factory.envs.env_utils import register_env
    from sample_factory.train import make_runner

    env = task.settings["env"]
    register_env(env, make_env)
    folder = tempfile.mkdtemp()
    argv = arguments_of(task, folder)
    parser, _ = parse_sf_args(argv)
    cfg = parse_full_cfg(parser, argv)
    cfg, runner = make_runner(cfg)
    clock = make_clock(task) if task.kind == "appo" else None
    if clock is not None:
        runner.register_observer(clock)
    status = runner.init()
    ready, begin = task.since_start(), time.perf_counter()
    if status == 0:
        runner.run()
    seconds, done = time.perf_counter() - begin, task.since_start()
    measured = dict(seconds=seconds, ready=ready, sinceStart=done, envSteps=int(sum(runner.env_steps.values())), returns=[])
    if clock is not None:
        measured.update(clock.measured())
        if task.raw["evaluate"]:
            measured["returns"] = evaluate(policy_of(cfg, runner.env_info), env, task.raw["evaluationSeed"])
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    answer(**measured)


if __name__ == "__main__":
    main()
