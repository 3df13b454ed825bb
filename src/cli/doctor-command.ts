/** `operant doctor`: what this machine offers, which engine will be used, and why. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { chooseEngine } from '../algorithm/engine-choice.ts';
import { probeTensorFlow, type TensorFlowProbe } from '../learner/tensorflow/backend.ts';
import { operantVersion } from '../machine/operant-version.ts';
import type { NetworkSpec } from '../policy/policy-spec.ts';
import { table } from '../run/text-table.ts';
import { loadKernels, nativeProblem } from '../simd/loader.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { wrap } from './help-text.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant doctor [flags]

Shows what was found on this machine: Node, cores, SIMD, TensorFlow, GPU; and which engine will be used, and why. With --ray-address: which nodes of a Ray cluster can be rollout hosts of a learner here, and what the others lack.`;

const COMPARE_FLAG: FlagSpec = {
  name: 'compare',
  form: '<run>',
  doc: 'Instead: what differs from the machine and versions that made this run folder or checkpoint.',
};

/** What the kernels' loader found; `error` when they do not load. */
interface SimdReport {
  readonly available: boolean;
  readonly relaxed: boolean;
  /** Floats in a vector of the kernels. */
  readonly numLanes: number;
  /** Why there is no machine code; null = there is. */
  readonly nativeProblem: string | null;
  readonly reason: string;
}

const VECTORS: Readonly<Record<number, string>> = {
  4: 'machine code for NEON',
  8: 'machine code for AVX2',
  16: 'machine code for AVX-512',
};

const RAY_FLAGS: readonly FlagSpec[] = [
  {
    name: 'ray-address',
    form: '<host:port|auto>',
    doc: 'Instead: what this Ray cluster has and lacks for `--runners ray`.',
    alsoCalled: ['address'],
  },
  { name: 'insecure', form: '', doc: 'With --ray-address: speak to another machine without a token.' },
];

function vectorsOf({ numLanes, nativeProblem: problem }: SimdReport): string {
  return problem === null ? VECTORS[numLanes] : `WebAssembly alone (${problem})`;
}

export async function doctorCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, [COMPARE_FLAG, ...RAY_FLAGS, JSON_FLAG]);
  if (flags === null) return EXIT.done;
  const run = flags.get('compare');
  if (run !== undefined) {
    const { compareRun, comparisonText } = await import('./compare-run.ts');
    const comparison = await compareRun(run);
    const isJson = flags.get('json') === 'true';
    context.stdout.write(`${isJson ? JSON.stringify(comparison, null, 2) : comparisonText(comparison)}\n`);
    return EXIT.done;
  }
  const address = flags.get('ray-address');
  if (address !== undefined) {
    const { inspectCluster } = await import('../cluster/inspect-cluster.ts');
    const { clusterText } = await import('./cluster-report.ts');
    const cluster = await inspectCluster(address, flags.get('insecure') === 'true');
    const isJson = flags.get('json') === 'true';
    context.stdout.write(`${isJson ? JSON.stringify(cluster, null, 2) : clusterText(cluster)}\n`);
    return cluster.numHostNodes > 0 ? EXIT.done : EXIT.failure;
  }
  const [simd, tensorflow] = await Promise.all([probeSimd(), probeTensorFlow()]);
  const report = {
    operant: operantVersion(),
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    simd,
    tensorflow,
    engines: await forecastEngines(simd),
  };
  if (flags.get('json') === 'true') context.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else context.stdout.write(`${reportText(report)}\n`);
  return EXIT.done;
}

async function probeSimd(): Promise<SimdReport> {
  try {
    const { build, reason, native } = await loadKernels();
    return {
      available: true,
      relaxed: build === 'relaxed',
      numLanes: native?.numLanes ?? 4,
      nativeProblem: await nativeProblem(),
      reason,
    };
  } catch (error) {
    return {
      available: false,
      relaxed: false,
      numLanes: 0,
      nativeProblem: null,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

interface EngineForecast {
  /** Which networks. */
  readonly network: string;
  readonly engine: string;
  readonly reason: string;
}

const MLP: NetworkSpec = { kind: 'mlp', hiddenSizes: [64, 64], activation: 'tanh', shared: false };
const CONV: NetworkSpec = { kind: 'conv', layers: [[32, 8, 4]], hiddenSizes: [512], activation: 'relu' };

/** Networks to ask about, with numbers of parameters: a usual one, one that a GPU would gain from, one beyond the kernels. */
const EXAMPLES: readonly (readonly [string, NetworkSpec, number])[] = [
  ['MLP, 2 x 64', MLP, 10_000],
  ['MLP, 2 million parameters', MLP, 2_000_000],
  ['convolutions, or your own', CONV, 2_000_000],
];

/** What `engine: auto` comes to here, by asking what training asks. */
async function forecastEngines(simd: SimdReport): Promise<readonly EngineForecast[]> {
  const forecasts: EngineForecast[] = [];
  for (const [network, spec, parameterCount] of EXAMPLES) {
    forecasts.push({ network, ...(await forecastEngine(spec, parameterCount, simd)) });
  }
  return forecasts;
}

async function forecastEngine(
  network: NetworkSpec,
  parameterCount: number,
  simd: SimdReport,
): Promise<Omit<EngineForecast, 'network'>> {
  try {
    const choice = await chooseEngine({ network }, parameterCount, { engine: 'auto', backend: 'auto' });
    if (choice.engine === 'tensorflow') {
      const { backend, reason } = choice.tensorflow;
      return { engine: `tensorflow (${backend})`, reason: `${choice.reason}; ${reason}` };
    }
    if (simd.available) return choice;
    return { engine: 'none', reason: `the kernels do not load: ${simd.reason}` };
  } catch (error) {
    return { engine: 'none', reason: error instanceof Error ? error.message : String(error) };
  }
}

interface DoctorReport {
  readonly operant: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly simd: SimdReport;
  readonly tensorflow: TensorFlowProbe;
  readonly engines: readonly EngineForecast[];
}

function reportText(report: DoctorReport): string {
  const { simd, tensorflow } = report;
  const { native } = tensorflow;
  const yes = (value: boolean) => (value ? 'yes' : 'no');
  const found = table([
    ['operant', report.operant],
    ['node', `${report.node} (V8 ${report.v8})`],
    ['platform', report.platform],
    ['cpu', `${report.cpu}, ${report.cores} cores, ${report.memoryGiB} GiB`],
    [
      'SIMD kernels',
      simd.available
        ? `${simd.relaxed ? 'relaxed' : 'strict'} (${simd.reason}); ${vectorsOf(simd)}`
        : `do not load: ${simd.reason}`,
    ],
    [
      'TensorFlow, native',
      native.available ? `${native.version ?? ''} (${native.reason})` : `no: ${native.reason}`,
    ],
    ['TensorFlow GPU', yes(native.gpu)],
    ['GPU memory growth', native.memoryGrowth ? 'on' : 'off, as TF_FORCE_GPU_ALLOW_GROWTH says'],
    ['TensorFlow, wasm', yes(tensorflow.wasm)],
    ['TensorFlow, webgpu', yes(tensorflow.webgpu)],
  ]);
  const engines = report.engines.flatMap(({ network, engine, reason }) => [
    `  ${network}: ${engine}`,
    ...wrap(reason, 100).map((line) => `    ${line}`),
  ]);
  return `${found}\n\nWith --engine auto:\n${engines.join('\n')}`;
}
