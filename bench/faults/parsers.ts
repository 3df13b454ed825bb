/** Random bytes and damaged files for every parser that reads something from a disk or a user. */
import fc from 'fast-check';
import type { NamedTensor } from '../../src/checkpoint/content.ts';
import { decodeManifest, encodeManifest } from '../../src/checkpoint/manifest.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import { ConfigError, isOperantError, PPOConfig } from '../../src/index.ts';
import { wholeRecordsUpTo } from '../../src/metrics/event-record.ts';

export interface ParserReport {
  readonly parser: string;
  readonly numInputs: number;
  readonly numAccepted: number;
  /** Inputs that gave anything but a typed error with a code. */
  readonly problems: readonly string[];
  readonly slowestMs: number;
}

const TENSORS: Record<string, NamedTensor> = {
  weight: { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) },
  step: { dtype: 'int32', shape: [], data: new Int32Array(1) },
};
const SAFETENSORS = new Uint8Array(Buffer.concat(encodeSafetensors(TENSORS)));
const MANIFEST = encodeManifest({
  formatVersion: 1,
  operantVersion: '0',
  createdAt: '',
  configHash: null,
  fingerprint: {},
  description: { algorithm: 'x' },
  files: { 'state.json': { size: 1, sha256: '0'.repeat(64) } },
});

/** Random bytes, and a good file that is cut, flipped or spliced. */
function damaged(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(good.length);
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    place.map((length) => good.slice(0, length)),
    fc.tuple(place, fc.nat(255)).map(([at, value]) => {
      const copy = good.slice();
      copy[at % good.length] = value;
      return copy;
    }),
    fc
      .tuple(place, fc.uint8Array({ maxLength: 20 }))
      .map(([at, bytes]) => new Uint8Array(Buffer.concat([good.subarray(0, at), bytes, good.subarray(at)]))),
  );
}

/** A config made of known sections and options with values of every kind, right and wrong. */
function randomConfig(): fc.Arbitrary<Record<string, Record<string, unknown>>> {
  const known: Record<string, readonly string[]> = {
    environment: ['env', 'envOptions', 'maxEpisodeSteps'],
    envRunners: [
      'numEnvRunners',
      'numEnvs',
      'numEnvsPerEnvRunner',
      'rolloutLength',
      'clipObservation',
      'clipReward',
    ],
    training: [
      'learningRate',
      'gamma',
      'gaeLambda',
      'clipRange',
      'numEpochs',
      'minibatchSize',
      'hiddenSizes',
      'activation',
      'targetKl',
    ],
    learners: ['engine', 'backend', 'numLearnerThreads'],
    evaluation: ['evaluationInterval', 'evaluationEpisodes'],
    checkpointing: ['checkpointEvery', 'keepCheckpoints', 'out'],
    debugging: ['seed', 'deterministic'],
  };
  const number = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.constantFrom(0, -1, 1, 0.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY),
  );
  const value = fc.oneof(
    number,
    fc.string(),
    fc.boolean(),
    fc.constantFrom(null, undefined, 'auto', 'simd', 'tanh'),
    fc.array(number),
    fc.dictionary(fc.string(), number),
  );
  const sections = Object.entries(known).map(([section, names]) => {
    const name = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...names) },
      { weight: 1, arbitrary: fc.string() },
    );
    return fc.tuple(fc.constant(section), fc.dictionary(name, value, { maxKeys: 3 }));
  });
  return fc.array(fc.oneof(...sections), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));
}

type Section =
  | 'environment'
  | 'envRunners'
  | 'training'
  | 'learners'
  | 'evaluation'
  | 'checkpointing'
  | 'debugging';

function applyConfig(config: Record<string, Record<string, unknown>>): void {
  const builder = new PPOConfig();
  for (const [section, values] of Object.entries(config)) {
    if (section === 'environment')
      builder.environment((values.env ?? 'CartPole-v1') as string, values.envOptions as never);
    else
      (builder[section as Exclude<Section, 'environment'>] as (values: object) => unknown).call(
        builder,
        values,
      );
  }
  builder.validate();
}

export function fuzzParsers(numInputs: number, numConfigs: number, seed: number): ParserReport[] {
  const text = new TextDecoder();
  return [
    fuzz('safetensors', damaged(SAFETENSORS), numInputs, seed, (bytes) => decodeSafetensors(bytes)),
    fuzz('manifest', damaged(new TextEncoder().encode(MANIFEST)), numInputs, seed, (bytes) =>
      decodeManifest(text.decode(bytes)),
    ),
    fuzz('TensorBoard events', fc.uint8Array({ maxLength: 200 }), numInputs, seed, (bytes) =>
      wholeRecordsUpTo(Buffer.from(bytes), 1e9),
    ),
    fuzz('config', randomConfig(), numConfigs, seed, applyConfig, (error) => error instanceof ConfigError),
  ];
}

function fuzz<T>(
  parser: string,
  inputs: fc.Arbitrary<T>,
  numInputs: number,
  seed: number,
  parse: (input: T) => unknown,
  isExpected: (error: unknown) => boolean = isOperantError,
): ParserReport {
  const problems = new Set<string>();
  let [numAccepted, slowestMs] = [0, 0];
  fc.assert(
    fc.property(inputs, (input) => {
      const begin = performance.now();
      try {
        parse(input);
        numAccepted += 1;
      } catch (error) {
        if (!isExpected(error)) problems.add(`${error} for ${fc.stringify(input).slice(0, 300)}`);
      }
      slowestMs = Math.max(slowestMs, performance.now() - begin);
    }),
    { numRuns: numInputs, seed },
  );
  return { parser, numInputs, numAccepted, problems: [...problems], slowestMs };
}
