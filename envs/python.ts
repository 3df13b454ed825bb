/** Environments in Python, by their ids: what `gymnasium:`, `envpool:`, `python:` and `pettingzoo:` load. */

export { pythonAgentsEnv, pythonAgentsKernel } from '../src/env/python/python-agents-env.ts';
export { pythonEnv, pythonVectorEnv } from '../src/env/python/python-env.ts';
