/** `operant export`: a trained policy as a file for another runtime. */
import { ConfigError } from '../errors.ts';
import { type ExportFormat, exportPolicy } from '../export/export-policy.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec, FlagValues } from './flags.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant export --checkpoint <folder> --to <format> --out <file> [--verify]

Writes the policy of a checkpoint, or of a run folder's latest one, for another runtime. Observation statistics, clipping, action masks and the mapping into the action space's bounds are in it, and observations with what a right reader says of them.`;

const FLAGS: readonly FlagSpec[] = [
  {
    name: 'checkpoint',
    form: '<folder>',
    doc: 'A checkpoint, a run folder (its latest), or a file `latest` or `best` in one.',
  },
  {
    name: 'to',
    form: '<format>',
    doc: 'onnx; tfjs (TensorFlow.js graph model); safetensors (for operant/policy); c (C99 header); js (one module that imports nothing).',
    alsoCalled: ['format'],
  },
  {
    name: 'out',
    form: '<file>',
    doc: 'What to write; replaced if it is there. A .json for tfjs and safetensors, whose weights get its name.',
  },
  { name: 'verify', form: '', doc: 'Then run it in the runtime that it is for, against what it carries.' },
  JSON_FLAG,
];

export async function exportCommand(context: CommandContext): Promise<number> {
  const flags = readFlags(context, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const exported = await exportPolicy({
    checkpoint: required(flags, 'checkpoint'),
    to: required(flags, 'to') as ExportFormat,
    out: required(flags, 'out'),
    verify: flags.get('verify') === 'true',
  });
  if (flags.get('json') === 'true') {
    context.stdout.write(`${JSON.stringify({ type: 'export', ...exported })}\n`);
    return EXIT.done;
  }
  const { files, outputs, verification } = exported;
  const lines = [...files, `outputs: ${outputs.join(', ')}`];
  if (verification !== null) {
    const { runtime, numRows, largestDifference } = verification;
    lines.push(
      `verified: ${numRows} observations in ${runtime}, largest difference ${largestDifference.toExponential(1)}`,
    );
  }
  context.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.done;
}

function required(flags: FlagValues, name: string): string {
  const value = flags.get(name);
  if (value !== undefined) return value;
  throw new ConfigError(
    'CONFIG_FLAG',
    `Give --${name}: operant export --checkpoint <folder> --to <format> --out <file>.`,
  );
}
