"""PyTorch by itself, eager and compiled: the time of a PPO minibatch update (gather, loss, backward, gradient clip, Adam) and of acting.

Best practice for small networks on a CPU: the number of threads that is faster, Adam as one fused call, no validation of arguments,
inference mode. Compiled means the loss, or the forward pass.
"""

import os
import time

import numpy as np
import torch
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


def make_step(model, learning_rate, compiled):
    """What follows the gather: loss, backward, gradient clip, Adam."""
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate, eps=1e-5, fused=True)
    parameters = list(model.parameters())
    loss_of = torch.compile(ppo_loss) if compiled else ppo_loss

    def step(*batch):
        loss = loss_of(model, *batch)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 0.5)
        adam.step()

    return step


def make_update(network, rows, compiled):
    torch.manual_seed(0)
    model = {"mlp": Separate, "conv": Conv}[network]()
    step = make_step(model, 1e-6, compiled)
    count = max(2048, rows)
    data = [torch.randn(count, *model.shape), torch.randint(0, 2, (count,)), torch.full((count,), -0.69)]
    data += [torch.randn(count), torch.randn(count)]
    order = torch.randperm(count)

    def update(k):
        start = (k * rows) % (count - rows + 1)
        chosen = order[start : start + rows]
        step(*(x[chosen] for x in data))

    return update


def timed(run, seconds, scale):
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds or len(times) < 20:
        start = time.perf_counter()
        run(len(times))
        times.append((time.perf_counter() - start) * scale)
    return times


def choose_threads(run):
    """The count of threads with the smaller median, after warming up with each."""
    medians = {}
    for count in sorted({1, os.cpu_count()}):
        torch.set_num_threads(count)
        for k in range(20):
            run(k)
        medians[count] = float(np.median(timed(run, 0.5, 1)))
    count = min(medians, key=medians.get)
    torch.set_num_threads(count)
    return count


def measure_update(network, rows, compiled, seconds):
    update = make_update(network, rows, compiled)
    count = choose_threads(update)
    return dict(times=timed(update, seconds, 1e3)[:5000], note=f"{count} thread(s)")


def measure_acting(compiled):
    """From a NumPy observation to a NumPy action, greedy."""
    actor = mlp(2).eval()
    forward = torch.compile(actor) if compiled else actor

    def act(observations):
        with torch.inference_mode():
            return forward(torch.from_numpy(observations)).argmax(-1).numpy()

    result = {}
    for name, batch in (("single", 1), ("batch", 64)):
        observations = np.random.default_rng(0).normal(size=(batch, 4)).astype(np.float32)
        choose_threads(lambda _: act(observations))
        result[name] = timed(lambda _: act(observations), 0.5, 1e6)[:2000]
    return result


def main():
    from task import Task, answer  # needs gymnasium, which those who import this module may not have

    raw = Task().raw
    try:
        if raw["kind"] == "infer":
            found = measure_acting(raw["compiled"])
        else:
            found = measure_update(raw["network"], raw["rows"], raw["compiled"], raw["seconds"])
    except Exception as error:  # torch.compile needs a C++ compiler; the report says so
        found = dict(error=f"{type(error).__name__}: {error}"[:300])
    answer(**found)


if __name__ == "__main__":
    main()
