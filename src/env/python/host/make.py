"""Makes environments of what the configuration names: gymnasium:ID, envpool:ID, python:FILE#NAME."""

import importlib
import importlib.util
import os
import sys


class SetupError(Exception):
    """What the person who started the run can mend; `code` is Operant's."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def import_package(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or name.split(".")[0] != error.name.split(".")[0]:
            raise
        package = "ale-py" if error.name == "ale_py" else error.name
        raise SetupError(
            "CONFIG_PYTHON_PACKAGE",
            f"The Python {sys.executable} has no package {package}. Install it there, or into Operant's own Python: "
            f"operant python install {package}",
        ) from None


def require_version(package, oldest):
    found = tuple(int(part) for part in package.__version__.split(".")[:2] if part.isdigit())
    if found < oldest:
        wanted = ".".join(str(part) for part in oldest)
        raise SetupError(
            "CONFIG_PYTHON_VERSION",
            f"{package.__name__} {package.__version__} of {sys.executable} is too old: {wanted} or newer is needed",
        )


def open_gymnasium(environment_id):
    gymnasium = import_package("gymnasium")
    require_version(gymnasium, (1, 0))
    if environment_id.startswith("ALE/"):
        gymnasium.register_envs(import_package("ale_py"))
    return gymnasium


def wrap(env, wrappers):
    for wrapper in wrappers:
        env = find_wrapper(wrapper["name"])(env, **wrapper.get("options", {}))
    return env


def preprocess_atari(env, options):
    """Gymnasium's AtariPreprocessing, its frames with a channel so that they can be stacked along it."""
    import gymnasium

    try:
        return gymnasium.wrappers.AtariPreprocessing(env, **options, grayscale_newaxis=options.get("grayscale_obs", True))
    except gymnasium.error.DependencyNotInstalled as error:
        raise SetupError(
            "CONFIG_PYTHON_PACKAGE", f"{error}. Install it there, or into Operant's own Python: operant python install opencv-python-headless"
        ) from None


def find_wrapper(name):
    module_name, _, attribute = name.rpartition(":")
    module = import_package(module_name or "gymnasium.wrappers")
    found = getattr(module, attribute, None)
    if found is None:
        raise SetupError("CONFIG_ENV_OPTION", f"{module.__name__} has no wrapper `{attribute}`")
    return found


def load_function(path, name):
    """`make` of a file that need not lie on Python's path; what lies beside it can be imported."""
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        names = ", ".join(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        raise SetupError("CONFIG_ENV_EXPORT", f"{path} has no function `{name}`; it has: {names or 'none'}")
    return found


def row_factory(config):
    """A function that makes one environment, its render mode set where it has that."""
    kwargs, mode = dict(config["kwargs"]), config["renderMode"]
    if config["suite"] == "python":
        make = load_function(config["path"], config["name"])
    else:
        gymnasium = open_gymnasium(config["name"])
        limit = config["maxEpisodeSteps"]
        if limit is not None:
            kwargs["max_episode_steps"] = limit
        make = make_registered(gymnasium, config["name"])
    atari = config["atariPreprocessing"]
    if atari is not None:
        kwargs = {"frameskip": 1, "repeat_action_probability": 0.0, **kwargs}

    def finish(env):
        return wrap(env if atari is None else preprocess_atari(env, atari), config["wrappers"])

    return drawn_if_it_can(lambda **drawn: finish(make(**kwargs, **drawn)), mode)


def drawn_if_it_can(make, mode):
    """@returns a function that calls make(render_mode=mode), and what of it holds: without a mode where that fails."""
    state = {"mode": mode}

    def create():
        if state["mode"] is None:
            return make()
        try:
            return make(render_mode=state["mode"])
        except Exception:  # it has no such mode, or not what draws it: it still can be trained
            state["mode"] = None
            return create()

    return create, state


def make_registered(gymnasium, environment_id):
    def make(**kwargs):
        try:
            return gymnasium.make(environment_id, **kwargs)
        except gymnasium.error.DependencyNotInstalled as error:
            raise SetupError("CONFIG_PYTHON_PACKAGE", f"{environment_id}: {error}") from error
        except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv) as error:
            raise SetupError("CONFIG_ENV_UNKNOWN", f"Gymnasium of {sys.executable}: {error}") from error

    return make


def vector_factory(config):
    """A function (seed) that makes the whole vector environment."""
    kwargs, num_envs = config["kwargs"], config["numEnvs"]
    if config["wrappers"] and config["suite"] == "envpool":
        raise SetupError("CONFIG_ENV_OPTION", "EnvPool takes no `wrappers`: it has options of its own, see `kwargs`")
    if config["suite"] == "envpool":
        envpool = import_package("envpool")
        return lambda seed: envpool.make(config["name"], env_type="gymnasium", num_envs=num_envs, seed=seed, **kwargs)
    if config["suite"] == "python":
        make = load_function(config["path"], config["name"])
        return lambda seed: wrap(make(num_envs=num_envs, **kwargs), config["wrappers"])
    gymnasium = open_gymnasium(config["name"])
    return lambda seed: wrap(
        gymnasium.make_vec(config["name"], num_envs, vectorization_mode="vector_entry_point", **kwargs), config["wrappers"]
    )
