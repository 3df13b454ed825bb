"""PPO with CleanRL's settings and choices in a plain PyTorch loop of our own.

As there: separate tanh networks with orthogonal initialisation, annealed learning rate, clipped value loss with a half, per-minibatch
advantage normalisation, and a truncated episode treated as a terminated one.
"""

import time
from collections import deque

import gymnasium as gym
import numpy as np
import torch
from task import Solve, Task, answer, evaluate, ramp
from torch import nn
from torch.distributions import Categorical


def linear(inputs, outputs, gain):
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def tower(inputs, hidden, outputs, gain):
    layers, width = [], inputs
    for size in hidden:
        layers += [linear(width, size, 2**0.5), nn.Tanh()]
        width = size
    return nn.Sequential(*layers, linear(width, outputs, gain))


def make_envs(env_id, count):
    factory = [lambda: gym.wrappers.RecordEpisodeStatistics(gym.make(env_id)) for _ in range(count)]
    return gym.vector.SyncVectorEnv(factory, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)


class Learner:
    def __init__(self, task):
        self.s = s = task.settings
        torch.manual_seed(task.seed)
        np.random.seed(task.seed)
        self.envs = make_envs(s["env"], s["numEnvs"])
        size, actions = self.envs.single_observation_space.shape[0], self.envs.single_action_space.n
        self.actor = tower(size, s["hiddenSizes"], actions, 0.01)
        self.critic = tower(size, s["hiddenSizes"], 1, 1.0)
        self.parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.adam = torch.optim.Adam(self.parameters, lr=s["learningRate"]["from"], eps=s["adamEpsilon"])
        self.observation = torch.as_tensor(self.envs.reset(seed=task.seed)[0])
        self.done = torch.zeros(s["numEnvs"])
        shape = (s["rolloutLength"], s["numEnvs"])
        self.observations = torch.zeros((*shape, size))
        self.actions, self.log_probs, self.rewards, self.dones, self.values = (torch.zeros(shape) for _ in range(5))
        self.returns = deque(maxlen=100)
        self.env_steps = 0

    @torch.no_grad()
    def collect(self):
        for t in range(self.s["rolloutLength"]):
            policy = Categorical(logits=self.actor(self.observation))
            action = policy.sample()
            self.observations[t], self.dones[t], self.actions[t] = self.observation, self.done, action
            self.log_probs[t] = policy.log_prob(action)
            self.values[t] = self.critic(self.observation).squeeze(-1)
            observation, reward, terminated, truncated, info = self.envs.step(action.numpy())
            self.observation = torch.as_tensor(observation)
            self.rewards[t] = torch.as_tensor(reward, dtype=torch.float32)
            self.done = torch.as_tensor(terminated | truncated, dtype=torch.float32)
            if "final_info" in info and "episode" in info["final_info"]:
                ended = info["final_info"]["_episode"]
                self.returns.extend(info["final_info"]["episode"]["r"][ended].tolist())
        self.env_steps += self.s["rolloutLength"] * self.s["numEnvs"]

    @torch.no_grad()
    def advantages(self):
        advantages = torch.zeros_like(self.rewards)
        value, done, running = self.critic(self.observation).squeeze(-1), self.done, 0.0
        for t in reversed(range(self.s["rolloutLength"])):
            delta = self.rewards[t] + self.s["gamma"] * value * (1 - done) - self.values[t]
            running = delta + self.s["gamma"] * self.s["gaeLambda"] * (1 - done) * running
            advantages[t], value, done = running, self.values[t], self.dones[t]
        return advantages

    def update(self):
        s, advantages = self.s, self.advantages()
        flat = [x.flatten(0, 1) for x in (self.observations, self.actions, self.log_probs, self.values)]
        flat += [advantages.flatten(), (advantages + self.values).flatten()]
        indices = np.arange(s["rolloutLength"] * s["numEnvs"])
        for _ in range(s["numEpochs"]):
            np.random.shuffle(indices)
            for start in range(0, len(indices), s["minibatchSize"]):
                self.step(*(x[indices[start : start + s["minibatchSize"]]] for x in flat))

    def step(self, observations, actions, old_log_probs, old_values, advantages, returns):
        s = self.s
        clip = s["clipRange"]["from"]
        policy = Categorical(logits=self.actor(observations))
        log_ratio = policy.log_prob(actions) - old_log_probs
        ratio = log_ratio.exp()
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        policy_loss = -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
        values = self.critic(observations).squeeze(-1)
        near = old_values + (values - old_values).clamp(-s["valueClipRange"], s["valueClipRange"])
        value_loss = torch.maximum((values - returns) ** 2, (near - returns) ** 2).mean()
        loss = policy_loss + s["valueCoeff"] * value_loss - s["entropyCoeff"] * policy.entropy().mean()
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, s["maxGradNorm"])
        self.adam.step()

    @torch.no_grad()
    def predict(self, observations):
        return self.actor(torch.as_tensor(observations, dtype=torch.float32)).argmax(-1).numpy()


def main():
    task = Task()
    learner = Learner(task)
    solve = Solve(task, learner.predict) if task.kind == "solve" else None
    ready, begin = task.since_start(), time.perf_counter()
    while learner.env_steps < task.steps and task.since_start() < task.limit_seconds:
        rate = ramp(task.settings["learningRate"], 1 - learner.env_steps / task.steps)
        learner.adam.param_groups[0]["lr"] = rate
        learner.collect()
        learner.update()
        if solve is not None and solve.check(np.mean(learner.returns) if learner.returns else None, learner.env_steps):
            break
    seconds, done = time.perf_counter() - begin, task.since_start()
    if solve is not None:
        solve.answer(learner.env_steps)
    env = task.settings["env"]
    returns = evaluate(learner.predict, env, task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    answer(seconds=seconds, ready=ready, sinceStart=done, envSteps=learner.env_steps, returns=returns)


if __name__ == "__main__":
    main()
