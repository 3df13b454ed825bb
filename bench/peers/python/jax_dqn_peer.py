"""DQN in JAX as CleanRL's dqn_jax has it, in a plain loop of our own: the whole update is one compiled function, acting another.

As there: flax networks, optax's Adam, Stable-Baselines3's replay buffer, a target that is copied. Of the workload's settings, unlike there: bursts of
updates, no bound of the gradient's norm. What is compiled is compiled inside the clock: a user waits for it too.
"""

import time

import flax.linen as nn
import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import optax
from stable_baselines3.common.buffers import ReplayBuffer
from task import EPISODES, Task, answer, evaluate


class QNetwork(nn.Module):
    hidden: tuple
    actions: int

    @nn.compact
    def __call__(self, x):
        for size in self.hidden:
            x = nn.relu(nn.Dense(size)(x))
        return nn.Dense(self.actions)(x)


class Learner:
    def __init__(self, task):
        self.s = s = task.settings
        self.env = gym.make(s["env"])
        self.rng = np.random.default_rng(task.seed)
        space, actions = self.env.observation_space, self.env.action_space
        network = QNetwork(tuple(s["hiddenSizes"]), int(actions.n))
        adam = optax.adam(s["learningRate"])
        self.parameters = network.init(jax.random.PRNGKey(task.seed), jnp.zeros((1, *space.shape)))
        self.target, self.state = self.parameters, adam.init(self.parameters)
        self.buffer = ReplayBuffer(s["bufferSize"], space, actions, "cpu", handle_timeout_termination=False)

        @jax.jit
        def update(parameters, target, state, observations, taken, following, rewards, ends):
            goal = rewards + s["gamma"] * (1 - ends) * network.apply(target, following).max(-1)

            def loss(p):
                q = jnp.take_along_axis(network.apply(p, observations), taken, 1).squeeze(1)
                return jnp.mean((q - goal) ** 2)

            changes, state = adam.update(jax.grad(loss)(parameters), state)
            return optax.apply_updates(parameters, changes), state

        self.update = update
        self.act = jax.jit(lambda p, x: network.apply(p, x).argmax(-1))

    def learn(self):
        for _ in range(self.s["gradientSteps"]):
            batch = self.buffer.sample(self.s["batchSize"])
            columns = (batch.observations, batch.actions, batch.next_observations)
            scalars = (batch.rewards.flatten(), batch.dones.flatten())
            arrays = [x.numpy() for x in (*columns, *scalars)]
            self.parameters, self.state = self.update(self.parameters, self.target, self.state, *arrays)

    def train(self, task):
        """Steps taken."""
        s = self.s
        observation, _ = self.env.reset(seed=task.seed)
        for step in range(task.steps):
            if task.since_start() > task.limit_seconds:
                return step
            epsilon = max(s["finalEpsilon"], 1 - (1 - s["finalEpsilon"]) * step / s["explorationSteps"])
            if self.rng.random() < epsilon or step < s["learningStarts"]:
                action = self.rng.integers(self.env.action_space.n)
            else:
                action = int(self.act(self.parameters, observation))
            following, reward, terminated, truncated, _ = self.env.step(action)
            row = (observation, following, np.array([action]), np.array([reward]), np.array([terminated]))
            self.buffer.add(*row, [{}])
            observation = self.env.reset()[0] if terminated or truncated else following
            if step >= s["learningStarts"] and (step + 1) % s["trainEvery"] == 0:
                self.learn()
            if (step + 1) % s["targetInterval"] == 0:
                self.target = self.parameters
        return task.steps


def main():
    task = Task()
    learner = Learner(task)
    ready, begin, cpu = task.since_start(), time.perf_counter(), time.process_time()
    steps = learner.train(task)
    jax.block_until_ready(learner.parameters)
    seconds, done = time.perf_counter() - begin, task.since_start()
    cpu = time.process_time() - cpu

    def predict(observations):  # one shape, compiled once, however many episodes still run
        rows = len(observations)
        return np.asarray(learner.act(learner.parameters, np.pad(observations, ((0, EPISODES - rows), (0, 0)))))[:rows]

    env = task.settings["env"]
    returns = evaluate(predict, env, task.raw["evaluationSeed"]) if task.raw["evaluate"] else []
    answer(seconds=seconds, cpuSeconds=cpu, ready=ready, sinceStart=done, envSteps=steps, returns=returns)


if __name__ == "__main__":
    main()
