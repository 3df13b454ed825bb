"""Studies of Optuna on the mixed test space of mixed-space.ts, one JSON list of best losses a sampler on stdout. argv: number of seeds, number of trials."""
import json
import math
import sys
import time

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
ACTIVATION = {"relu": 0.3, "tanh": 0.0, "elu": 0.15}
WIDTH = {32: 0.4, 64: 0.1, 128: 0.0, 256: 0.2}


def loss(trial):
    rate = math.log10(trial.suggest_float("learningRate", 1e-5, 1e-1, log=True)) + 3.5
    entropy = math.log10(trial.suggest_float("entropyCoeff", 1e-8, 1e-1, log=True)) + 4
    tau = math.log10(trial.suggest_float("tau", 1e-3, 1, log=True)) + 2
    gamma = 10 * (trial.suggest_float("gamma", 0.8, 1) - 0.97)
    clip = 5 * (trial.suggest_float("clipRange", 0.05, 0.5) - 0.2)
    epochs = (trial.suggest_int("numEpochs", 1, 30) - 10) / 10
    steps = math.log2(trial.suggest_int("rolloutLength", 16, 4096, log=True)) - 9
    activation = ACTIVATION[trial.suggest_categorical("activation", list(ACTIVATION))]
    width = WIDTH[trial.suggest_categorical("width", list(WIDTH))]
    squares = 0.5 * rate**2 + 0.1 * entropy**2 + 0.5 * tau**2 + gamma**2 + clip**2 + epochs**2 + 0.05 * steps**2
    return squares + 0.5 * (rate + epochs) ** 2 + activation + width


num_seeds, num_trials = int(sys.argv[1]), int(sys.argv[2])
result = {"version": optuna.__version__}
for name, sampler in (("tpe", optuna.samplers.TPESampler), ("random", optuna.samplers.RandomSampler)):
    begin = time.process_time()
    bests = []
    for seed in range(num_seeds):
        study = optuna.create_study(sampler=sampler(seed=seed))
        study.optimize(loss, n_trials=num_trials)
        bests.append(study.best_value)
    result[name] = {"bests": bests, "cpuSeconds": (time.process_time() - begin) / num_seeds}
print(json.dumps(result))
