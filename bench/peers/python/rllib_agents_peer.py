"""RLlib's PPO among several agents: one policy for all of them, on PettingZoo's boards (with masks) and mpe2's simple_spread.

As in rllib_peer.py everything lives in the driver process. Steps are those of agents.
"""

import sys
import time

from rllib_start import start_ray  # first: it says what Ray is imported with

import gymnasium as gym
import numpy as np
import ray
from mpe2 import simple_spread_v3
from pettingzoo.classic import connect_four_v3, tictactoe_v3
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import ActionMaskingTorchRLModule
from ray.tune.registry import register_env
from task import Task, answer

BOARDS = {"tic-tac-toe": tictactoe_v3, "connect-four": connect_four_v3}


class Board(MultiAgentEnv):
    """Whoever moves next is observed; rewards go to both players."""

    def __init__(self, module):
        super().__init__()
        self.board = module.raw_env()
        self.agents = self.possible_agents = list(self.board.possible_agents)
        agent = self.agents[0]
        seen = self.board.observation_space(agent)["observation"]
        actions = self.board.action_space(agent)
        space = gym.spaces.Dict(
            action_mask=gym.spaces.Box(0, 1, (int(actions.n),), np.float32),
            observations=gym.spaces.Box(0, 1, (int(np.prod(seen.shape)),), np.float32),
        )
        self.observation_spaces = {name: space for name in self.agents}
        self.action_spaces = {name: actions for name in self.agents}

    def look(self):
        agent = self.board.agent_selection
        seen = self.board.observe(agent)
        mask = np.asarray(seen["action_mask"], np.float32)
        return {agent: dict(action_mask=mask, observations=np.asarray(seen["observation"], np.float32).ravel())}

    def reset(self, *, seed=None, options=None):
        self.board.reset(seed=seed)
        return self.look(), {}

    def step(self, actions):
        self.board.step(int(actions[self.board.agent_selection]))
        rewards = {agent: float(reward) for agent, reward in self.board.rewards.items()}
        over = any(self.board.terminations.values()) or any(self.board.truncations.values())
        return ({} if over else self.look()), rewards, {"__all__": over}, {"__all__": False}, {}


def build(game, seed, num_envs, rollout_length):
    is_board = game in BOARDS
    register_env(
        "game", lambda _: Board(BOARDS[game]) if is_board else ParallelPettingZooEnv(simple_spread_v3.parallel_env())
    )
    network = DefaultModelConfig(fcnet_hiddens=[64, 64], fcnet_activation="tanh", vf_share_layers=False)
    masked = dict(module_class=ActionMaskingTorchRLModule) if is_board else {}
    return (
        PPOConfig()
        .environment("game", disable_env_checking=True)
        .env_runners(
            num_env_runners=0, num_envs_per_env_runner=num_envs, rollout_fragment_length=rollout_length
        )
        .learners(num_learners=0)
        .multi_agent(policies={"shared"}, policy_mapping_fn=lambda *args, **kwargs: "shared")
        .training(
            num_epochs=4,
            minibatch_size=256,
            train_batch_size_per_learner=num_envs * rollout_length,
            lr=3e-4,
            gamma=0.99,
            lambda_=0.95,
            use_kl_loss=False,
        )
        .rl_module(
            rl_module_spec=MultiRLModuleSpec(
                rl_module_specs={"shared": RLModuleSpec(model_config=network, **masked)}
            )
        )
        .debugging(seed=seed, log_level="ERROR")
        .build_algo()
    )


def main():
    task = Task()
    game, num_envs, rollout_length = (task.raw[key] for key in ("game", "numEnvs", "rolloutLength"))
    start_ray()
    algorithm = build(game, task.seed, num_envs, rollout_length)
    per_step = 1 if game in BOARDS else 3
    algorithm.train()  # the first iteration has what is done once; the other contestants leave theirs out, too
    done = lambda result: int(result["env_runners"]["num_env_steps_sampled_lifetime"]) * per_step  # noqa: E731
    first = num_envs * rollout_length * per_step
    ready, begin, cpu, steps = task.since_start(), time.perf_counter(), time.process_time(), 0
    while steps < task.steps and task.since_start() < task.limit_seconds:
        steps = done(algorithm.train()) - first
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    since_start = task.since_start()
    ray.shutdown()
    answer(seconds=seconds, cpuSeconds=cpu_seconds, ready=ready, sinceStart=since_start, envSteps=steps)


if __name__ == "__main__":
    sys.exit(main())
