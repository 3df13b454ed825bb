"""Ray Tune around the same trials. argv: JSON list of command lines. One JSON object on stdout: seconds of ray.init and of fit."""
import json
import os
import subprocess
import sys
import time

os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
import ray
from ray import tune

commands = json.loads(sys.argv[1])


def trial(config):
    subprocess.run(commands[config["k"]], check=True, stdout=subprocess.DEVNULL)
    tune.report({"done": 1})


begin = time.perf_counter()
ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
ready = time.perf_counter()
tune.Tuner(
    tune.with_resources(trial, {"cpu": 1}),
    param_space={"k": tune.grid_search(list(range(len(commands))))},
    run_config=tune.RunConfig(verbose=0, storage_path=sys.argv[2]),
).fit()
end = time.perf_counter()
ray.shutdown()
print("\n" + json.dumps({"version": ray.__version__, "init": ready - begin, "fit": end - ready}))
