/** `operant doctor`: what this machine offers, which engine will be used, and why. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { probeTensorFlow, type TensorFlowProbe } from '../learner/tensorflow/backend.ts';
import { operantVersion } from '../run/operant-version.ts';
import { loadKernels } from '../simd/loader.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import { table, wrap } from './help-text.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant doctor [flags]

Shows what was found on this machine: Node, cores, SIMD, TensorFlow, GPU; and which engine will be used, and why.`;

/** What the kernels' loader found; `error` when they do not load. */
interface SimdReport {
  readonly available: boolean;
  readonly relaxed: boolean;
  readonly reason: string;
}

export async function doctorCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, [JSON_FLAG]);
  if (flags === null) return EXIT.done;
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
    engines: engineForecast(simd, tensorflow),
  };
  if (flags.get('json') === 'true') context.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else context.stdout.write(`${reportText(report)}\n`);
  return EXIT.done;
}

async function probeSimd(): Promise<SimdReport> {
  try {
    const { build, reason } = await loadKernels();
    return { available: true, relaxed: build === 'relaxed', reason };
  } catch (error) {
    return {
      available: false,
      relaxed: false,
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

/** What `engine: auto` comes to here; the rule itself is in src/algorithm/engine-choice.ts. */
function engineForecast(simd: SimdReport, { automatic, native }: TensorFlowProbe): readonly EngineForecast[] {
  const tensorflow = `tensorflow (${automatic})`;
  const small = simd.available
    ? { engine: 'simd', reason: 'the kernels cover it, and a small network gains nothing from a GPU' }
    : { engine: 'none', reason: `the kernels do not load; give --engine tensorflow. ${simd.reason}` };
  const large = native.gpu ? { engine: tensorflow, reason: 'large enough to gain from the GPU' } : small;
  const binding = native.available ? native.reason : `no native TensorFlow: ${native.reason}`;
  return [
    { network: 'MLP', ...small },
    {
      network: 'large MLP',
      ...large,
      reason: native.gpu ? large.reason : small.engine === 'simd' ? 'no GPU was found' : small.reason,
    },
    {
      network: 'convolutions, your own',
      engine: tensorflow,
      reason: `the kernels do not cover it; ${binding}`,
    },
  ];
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
        ? `${simd.relaxed ? 'relaxed' : 'strict'} (${simd.reason})`
        : `do not load: ${simd.reason}`,
    ],
    [
      'TensorFlow, native',
      native.available ? `${native.version ?? ''} (${native.reason})` : `no: ${native.reason}`,
    ],
    ['TensorFlow GPU', yes(native.gpu)],
    ['TensorFlow, wasm', yes(tensorflow.wasm)],
    ['TensorFlow, webgpu', yes(tensorflow.webgpu)],
  ]);
  const engines = report.engines.flatMap(({ network, engine, reason }) => [
    `  ${network}: ${engine}`,
    ...wrap(reason, 100).map((line) => `    ${line}`),
  ]);
  return `${found}\n\nWith --engine auto:\n${engines.join('\n')}`;
}
