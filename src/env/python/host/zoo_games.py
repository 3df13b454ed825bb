"""Environments of several agents, as PettingZoo has them: one that is stepped agent by agent (AEC) and one stepped by all at once (parallel),
behind one face. `acting`: who acts next; `rewards`, `ended` (1 terminated, 2 truncated), `seen` and `infos`: what the last reset or step gave."""

import os

from make import SetupError, drawn_if_it_can, find_wrapper, import_package, load_function

TERMINATED, TRUNCATED = 1, 2
FAMILIES = ("atari", "butterfly", "classic", "mpe", "sisl")


def factory(config):
    """A function that makes one game, its render mode set where it has that."""
    make, api = find(config)

    def create(**drawn):
        return game(wrap(make(**config["kwargs"], **drawn), config["wrappers"]), api, config["reference"])

    return drawn_if_it_can(create, config["renderMode"])


def find(config):
    """@returns the function, and what it gives: aec, parallel, or None where only the result says."""
    api = config["api"]
    if config["path"]:
        return load_function(config["path"], config["name"]), None if api == "auto" else api
    family, _, name = config["name"].rpartition("/")
    if not family:
        raise SetupError("CONFIG_ENV_UNKNOWN", f"pettingzoo:{name} has no family in front: pettingzoo:classic/connect_four_v3, pettingzoo:mpe2/{name}")
    package = f"pettingzoo.{family}" if family in FAMILIES else family.replace("/", ".")
    module = import_environment(package, name)
    wanted = {"auto": ("parallel_env", "env"), "parallel": ("parallel_env",), "aec": ("env",)}[api]
    for function in wanted:
        if callable(getattr(module, function, None)):
            return getattr(module, function), "parallel" if function == "parallel_env" else "aec"
    raise SetupError("CONFIG_ENV_OPTION", f"{module.__name__} has no function {' or '.join(wanted)}, and the option `api` is '{api}'")


def import_environment(package, name):
    parent = import_package(package)
    try:
        return import_package(f"{package}.{name}")
    except SetupError as error:
        if package in str(error) or f" {name.split('.')[0]}." in str(error):
            raise unknown(parent, name) from None
        raise
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise SetupError(
                "CONFIG_PYTHON_PACKAGE",
                f"{package}/{name} needs the package {error.name}. Install it, or what brings it: operant python install 'pettingzoo[{package.split('.')[-1]}]'",
            ) from None
        raise unknown(parent, name) from None


def unknown(parent, name):
    """With those of the same package; PettingZoo's own say an old version's successor themselves."""
    folder = os.path.dirname(parent.__file__)
    known = sorted(file[:-3] for file in os.listdir(folder) if file.endswith(".py") and file[-4:-3].isdigit())
    return SetupError("CONFIG_ENV_UNKNOWN", f"{parent.__name__} has no environment `{name}`; it has: {', '.join(known) or 'none'}")


def wrap(env, wrappers):
    """Of `pettingzoo.utils.wrappers`, or `module:function`, such as supersuit's."""
    for wrapper in wrappers:
        name = wrapper["name"]
        env = find_wrapper(name if ":" in name else f"pettingzoo.utils.wrappers:{name}")(env, **wrapper.get("options", {}))
    return env


def game(env, api, reference):
    if not getattr(env, "possible_agents", None):
        raise SetupError("CONFIG_ENV_FACTORY", f"{reference}: `possible_agents` has to name everybody who may come, and {type(env).__name__} has none")
    is_turns = any(hasattr(env, name) for name in ("agent_selection", "agent_iter", "observe")) if api is None else api == "aec"
    return Turns(env) if is_turns else Rounds(env)


class Turns:
    """One after the other. An agent's end is told at its last turn, where PettingZoo tells it: until then it collects rewards."""

    def __init__(self, env):
        self.env = env

    def reset(self, seed):
        self.env.reset(seed=seed)
        self.begin()
        self.gone = set()
        self.take_rewards()
        self.rewards = {}
        self.skip_ended()

    def step(self, actions):
        self.begin()
        agent = self.env.agent_selection
        self.env.step(actions[agent])
        self.take_rewards()
        info = self.env.infos.get(agent)
        if info:
            self.infos[agent] = info
        self.skip_ended()

    def begin(self):
        self.rewards, self.ended, self.seen, self.infos = {}, {}, {}, {}

    def take_rewards(self):
        """What `last()` would give, in the portions in which it came."""
        collected = self.env._cumulative_rewards
        for agent, reward in collected.items():
            if reward != 0:
                self.rewards[agent] = self.rewards.get(agent, 0.0) + float(reward)
                collected[agent] = 0

    def skip_ended(self):
        env = self.env
        while env.agents:
            agent = env.agent_selection
            flag = TERMINATED if env.terminations[agent] else TRUNCATED if env.truncations[agent] else 0
            if flag == 0:
                break
            self.ended[agent] = flag
            if flag == TRUNCATED:
                self.seen[agent] = env.observe(agent)
            env.step(None)
            self.take_rewards()
        self.acting = [env.agent_selection] if env.agents else []
        for agent in self.acting:
            self.seen[agent] = env.observe(agent)
        for agent in env.possible_agents:  # gone without a last turn
            if agent not in env.agents and agent not in self.ended and agent not in self.gone:
                self.ended[agent] = TERMINATED
        self.gone = set(env.possible_agents) - set(env.agents)

    def observe(self, agent):
        return self.env.observe(agent)

    def info_of(self, agent):
        return self.env.infos.get(agent) or {}


class Rounds:
    """All who are there at once."""

    def __init__(self, env):
        self.env = env

    def reset(self, seed):
        result = self.env.reset(seed=seed)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"reset of a parallel environment has to return (observations, infos), and gave {type(result).__name__}")
        self.latest, self.told = result
        self.seen, self.rewards, self.ended, self.infos = dict(self.latest), {}, {}, {}
        self.acting = list(self.env.agents)

    def step(self, actions):
        before = self.acting
        result = self.env.step(actions)
        if not isinstance(result, tuple) or len(result) != 5:
            raise TypeError("step of a parallel environment has to return (observations, rewards, terminations, truncations, infos)")
        self.latest, rewards, terminations, truncations, self.told = result
        self.seen, self.rewards, self.infos = dict(self.latest), {agent: float(reward) for agent, reward in rewards.items()}, self.told
        alive, self.ended = list(self.env.agents), {}
        for agent in {**dict.fromkeys(before), **dict.fromkeys(alive)}:
            if terminations.get(agent) or (agent not in alive and not truncations.get(agent)):
                self.ended[agent] = TERMINATED
            elif truncations.get(agent):
                self.ended[agent] = TRUNCATED
        self.acting = [agent for agent in alive if agent not in self.ended]

    def observe(self, agent):
        return self.latest[agent]

    def info_of(self, agent):
        return self.told.get(agent) or {}
