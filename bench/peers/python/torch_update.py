"""Minibatch update time of PPO in PyTorch, eager and compiled: gather, loss, backward, gradient clip, Adam."""

import time

import numpy as np
import torch
from task import Task, answer
from torch import nn
from torch.distributions import Categorical


def mlp(outputs):
    return nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))


class Separate(nn.Module):
    """Two networks, 2x64 tanh."""

    shape = (4,)

    def __init__(self):
        super().__init__()
        self.actor, self.critic = mlp(2), mlp(1)

    def forward(self, x):
        return self.actor(x), self.critic(x).squeeze(-1)


class Conv(nn.Module):
    """A small shared trunk for 36x36 grey pictures: 16 of 8x8 stride 4, 32 of 4x4 stride 2, 128 units."""

    shape = (1, 36, 36)

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            *(nn.Conv2d(1, 16, 8, 4), nn.ReLU(), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(32 * 3 * 3, 128), nn.ReLU()),
        )
        self.actor, self.critic = nn.Linear(128, 3), nn.Linear(128, 1)

    def forward(self, x):
        y = self.trunk(x)
        return self.actor(y), self.critic(y).squeeze(-1)


def ppo_loss(model, observations, actions, old_log_probs, advantages, returns):
    logits, values = model(observations)
    policy = Categorical(logits=logits, validate_args=False)
    ratio = (policy.log_prob(actions) - old_log_probs).exp()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).mean()
    return -surrogate + 0.5 * ((values - returns) ** 2).mean() - 0.01 * policy.entropy().mean()


def measure(network, rows, compiled, seconds):
    torch.manual_seed(0)
    model = {"mlp": Separate, "conv": Conv}[network]()
    adam = torch.optim.Adam(model.parameters(), lr=1e-6, eps=1e-5)
    count = max(2048, rows)
    data = [torch.randn(count, *model.shape), torch.randint(0, 2, (count,)), torch.full((count,), -0.69)]
    data += [torch.randn(count), torch.randn(count)]
    loss_of = torch.compile(ppo_loss) if compiled else ppo_loss
    order = np.random.default_rng(0).permutation(count)

    def update(k):
        start = (k * rows) % (count - rows + 1)
        loss = loss_of(model, *(x[order[start : start + rows]] for x in data))
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        adam.step()

    for k in range(20):
        update(k)
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds or len(times) < 20:
        start = time.perf_counter()
        update(len(times))
        times.append((time.perf_counter() - start) * 1e3)
    return times


def main():
    task = Task()
    raw = task.raw
    try:
        times = measure(raw["network"], raw["rows"], raw["compiled"], raw["seconds"])
    except Exception as error:  # torch.compile needs a C++ compiler; the report says so
        answer(error=f"{type(error).__name__}: {error}"[:300])
    answer(times=times[:5000])


main()
