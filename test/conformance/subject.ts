/** An algorithm under the suite: its definition, and the settings that it gives for it in `settings/<name>.ts`. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { algorithms } from '../../algorithms/registry.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { AlgorithmDefinition } from '../../src/define/define-algorithm.ts';
import { registerEnv } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { comparable } from '../invariants/run-content.ts';
import type { ProbeOptions } from './probe-env.ts';

/** Options by section. */
export type Values = Readonly<Record<string, JsonObject>>;

/** A change of one option that has to show in what is learnt. */
export interface Trial {
  /** Set in both runs. */
  readonly base?: Values;
  readonly change: Values;
}

export interface Settings {
  /** What it acts with in the probe environment. */
  readonly actions: ProbeOptions['actions'];
  /** Small and quick, with everything that has a state: statistics, schedules, evaluation. An iteration takes milliseconds. */
  readonly values: Values;
  /** As small, with nothing besides: what the trials change. Two iterations learn something. */
  readonly plain: Values;
  /** By `section.option`, for every option of its own that affects learning. */
  readonly trials: Readonly<Record<string, Trial>>;
  /** Changes that must not show, by a name for each. */
  readonly neutral: Readonly<Record<string, Trial>>;
  /** Options that affect learning and are tested elsewhere, with the file or folder that does. */
  readonly testedElsewhere: Readonly<Record<string, string>>;
  /** Values that it refuses before anything starts, and what the message says. */
  readonly refused: readonly (readonly [what: string, values: Values, message: RegExp])[];
  /** What the message says where it does not learn from pictures; absent = it does. */
  readonly pictures?: RegExp;
  /** The probe environment, learnt: the mean return of 50 greedy episodes reaches this. */
  readonly learns: {
    readonly values: Values;
    readonly numIterations: number;
    readonly returnAtLeast: number;
  };
}

export interface Subject {
  readonly name: string;
  readonly definition: AlgorithmDefinition;
  readonly settings: Settings;
  /** Starts it in the probe environment with these values, later ones over earlier ones. */
  build(...values: readonly Values[]): Promise<Algorithm>;
}

export const PROBE = fileURLToPath(new URL('./probe-env.ts', import.meta.url));

/** The probe as one that says that it keeps nothing: threads which ran it serve the next run with as many. Starting them takes longest. */
export const keepingNothing: Values = { environment: { env: 'Probe-v0' } };
registerEnv('Probe-v0', { module: pathToFileURL(PROBE).href, keepsNothing: true });

/** Every registered algorithm: one without settings is an error. */
export const names = Object.keys(algorithms);

export async function subjectOf(name: string): Promise<Subject> {
  const definition = await algorithms[name]();
  const { settings } = (await import(`./settings/${name}.ts`)) as { readonly settings: Settings };
  const probe: Values = { environment: { env: PROBE, envOptions: { actions: settings.actions } } };
  return {
    name,
    definition,
    settings,
    build: async (...values) =>
      definition.build(definition.resolve([probe, ...values].map((layer) => ({ values: layer })))),
  };
}

/** The probe with other options than its kind of action. */
export function probe({ settings: { actions } }: Subject, options: Omit<ProbeOptions, 'actions'>): Values {
  return { environment: { envOptions: { actions, ...options } } };
}

/** Trains so many iterations from where it is, ends it, and gives what has to be the same bits: state, and metrics but for the clock. */
export async function runOut(algorithm: Algorithm, numIterations: number): Promise<object> {
  try {
    const metrics: object[] = [];
    for (let k = 0; k < numIterations; k++) metrics.push(withoutClock((await algorithm.train()).metrics));
    return { content: comparable(await algorithm.getState()), metrics };
  } finally {
    await algorithm.stop();
  }
}

/** Restarts are told of, but change nothing. */
function withoutClock(metrics: Readonly<Record<string, number>>): object {
  return Object.fromEntries(
    Object.entries(metrics).filter(
      ([key]) => !key.startsWith('time/') && key !== 'rollout/numWorkerRestarts',
    ),
  );
}
