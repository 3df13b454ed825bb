/** Environments in Python, by their ids: what `gymnasium:`, `envpool:` and `python:` load. */
export { pythonEnv, pythonVectorEnv } from '../src/env/python/python-env.ts';
