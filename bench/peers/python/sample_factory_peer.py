"""Sample Factory's APPO on CartPole: asynchronous, two workers that sample one half of their environments while the other half waits.

It has no learning rate in a straight line (a constant one instead) and clips ratios to [1/(1+e), 1+e].
"""

import shutil
import sys
import tempfile
import time

import gymnasium as gym
from task import Task, answer


def make_env(name, cfg, env_config, render_mode=None):
    return gym.make(name)


def main():
    task = Task()
    from sample_factory.cfg.arguments import parse_full_cfg, parse_sf_args
    from sample_factory.envs.env_utils import register_env
    from sample_factory.train import make_runner

    register_env(task.settings["env"], make_env)
    folder = tempfile.mkdtemp()
    s = task.settings
    arguments = dict(
        algo="APPO", env=s["env"], experiment="peer", train_dir=folder, device="cpu", seed=task.seed,
        train_for_env_steps=task.steps, num_workers=2, num_envs_per_worker=s["numEnvs"] // 2, worker_num_splits=2,
        train_for_seconds=int(min(task.limit_seconds, 10**6)), rollout=s["rolloutLength"], recurrence=1, use_rnn=False,
        batch_size=s["minibatchSize"], num_batches_per_epoch=1, num_epochs=s["numEpochs"], value_loss_coeff=s["valueCoeff"],
        adam_eps=s["adamEpsilon"], ppo_clip_value=s["valueClipRange"] or 1e9, normalize_returns=False,
        gamma=s["gamma"], gae_lambda=s["gaeLambda"], learning_rate=s["learningRate"]["from"], ppo_clip_ratio=s["clipRange"]["from"],
        exploration_loss_coeff=s["entropyCoeff"], max_grad_norm=s["maxGradNorm"] or 0, nonlinearity="tanh",
        async_rl=True, normalize_input=False, restart_behavior="overwrite", save_every_sec=100000, with_wandb=False,
        actor_critic_share_weights=False, batched_sampling=False, experiment_summaries_interval=10000,
    )
    argv = [f"--{name}={value}" for name, value in arguments.items()]
    argv += ["--encoder_mlp_layers", *map(str, s["hiddenSizes"])]
    parser, _ = parse_sf_args(argv)
    cfg = parse_full_cfg(parser, argv)
    cfg, runner = make_runner(cfg)
    status = runner.init()
    ready, begin = task.since_start(), time.perf_counter()
    if status == 0:
        runner.run()
    seconds, done = time.perf_counter() - begin, task.since_start()
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    answer(seconds=seconds, ready=ready, sinceStart=done, envSteps=int(sum(runner.env_steps.values())), returns=[])


if __name__ == "__main__":
    main()
