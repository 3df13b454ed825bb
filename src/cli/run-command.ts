/** Finds the sub-command, runs it, and turns what it throws into a message and an exit code. */
import { nearestName } from '../config/nearest.ts';
import { ConfigError } from '../errors.ts';
import { operantVersion } from '../machine/operant-version.ts';
import { table } from '../run/text-table.ts';
import type { Command, CommandContext } from './command.ts';
import { describeError, EXIT } from './report-error.ts';

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Each loads its own modules only when it runs: `operant --version` needs none of them. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  train: {
    summary: 'train a policy',
    load: async () => (await import('./train-command.ts')).trainCommand,
  },
  tune: {
    summary: 'search for the options with which an algorithm does best',
    load: async () => (await import('./tune-command.ts')).tuneCommand,
  },
  evaluate: {
    summary: 'run episodes with a trained policy',
    load: async () => (await import('./evaluate-command.ts')).evaluateCommand,
  },
  export: {
    summary: 'write a policy for another runtime: ONNX, TensorFlow.js, C, JavaScript',
    load: async () => (await import('./export-command.ts')).exportCommand,
  },
  plot: {
    summary: 'draw learning curves of several runs: operant plot runs/a runs/b --out curves.svg',
    load: async () => (await import('./plot-command.ts')).plotCommand,
  },
  runs: {
    summary: 'list the runs below a folder: operant runs runs --json',
    load: async () => (await import('./runs-command.ts')).runsCommand,
  },
  compare: {
    summary: 'tell what two runs came to, and in what they differ: operant compare runs/a runs/b',
    load: async () => (await import('./compare-command.ts')).compareCommand,
  },
  serve: {
    summary: 'serve policies over HTTP',
    load: async () => (await import('./serve-command.ts')).serveCommand,
  },
  'bench-serve': {
    summary: 'ask a policy server as many clients would: requests a second and latencies',
    load: async () => (await import('./bench-serve-command.ts')).benchServeCommand,
  },
  manifest: {
    summary:
      'write Kubernetes manifests of a policy server: operant manifest --image IMAGE --policy cart=/models/cart',
    load: async () => (await import('./manifest-command.ts')).manifestCommand,
  },
  play: {
    summary: 'play against a policy in the terminal: operant play --checkpoint run --as o',
    load: async () => (await import('./play-command.ts')).playCommand,
  },
  exploitability: {
    summary: 'what a policy of a small game loses to whoever knows it, exactly',
    load: async () => (await import('./exploitability-command.ts')).exploitabilityCommand,
  },
  envs: {
    summary: 'list the environments',
    load: async () => (await import('./envs-command.ts')).envsCommand,
  },
  check: {
    summary: 'look for mistakes in an environment of your own: operant check --env ./my-env.ts',
    load: async () => (await import('./check-command.ts')).checkCommand,
  },
  new: {
    summary: 'begin an environment of your own: operant new env my-env',
    load: async () => (await import('./new-env.ts')).newCommand,
  },
  options: {
    summary: 'list every option of an algorithm',
    load: async () => (await import('./options-command.ts')).optionsCommand,
  },
  python: {
    summary:
      'keep a Python for environments such as gymnasium:LunarLander-v3: operant python install gymnasium',
    load: async () => (await import('./python-command.ts')).pythonCommand,
  },
  ray: {
    summary:
      'have a Ray cluster run a command, watch it and stop it: operant ray submit -- train --env CartPole',
    load: async () => (await import('./ray-command.ts')).rayCommand,
  },
  'install-tensorflow': {
    summary: 'fetch the native TensorFlow binding, for large networks and GPUs',
    load: async () => {
      const { runInstallTensorFlow } = await import('./install-tensorflow.ts');
      return ({ argv }) => runInstallTensorFlow([...argv]);
    },
  },
  doctor: {
    summary: 'what this machine offers, and which engine will be used',
    load: async () => (await import('./doctor-command.ts')).doctorCommand,
  },
};

/**
 * Runs `operant <argv>`. Never throws.
 *
 * @returns the exit code: 0 done, 1 failure, 2 bad usage or config, 130 interrupted.
 */
export async function runCommand(
  argv: readonly string[],
  streams: Pick<CommandContext, 'stdout' | 'stderr'>,
): Promise<number> {
  const isVerbose = argv.includes('--verbose');
  try {
    return await dispatch(argv, { ...streams, isVerbose });
  } catch (error) {
    const { text, exitCode, code } = describeError(error, isVerbose);
    streams.stderr.write(`error: ${text}\n`);
    if (argv.includes('--json')) {
      const message = error instanceof Error ? error.message : String(error);
      streams.stdout.write(`${JSON.stringify({ type: 'error', code, message, exitCode })}\n`);
    }
    return exitCode;
  }
}

async function dispatch(argv: readonly string[], context: Omit<CommandContext, 'argv'>): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? context.stderr : context.stdout).write(`${overview()}\n`);
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  if (name === '--version' || name === '-v') {
    context.stdout.write(`${operantVersion()}\n`);
    return EXIT.done;
  }
  if (!Object.hasOwn(COMMANDS, name)) throw unknownCommand(name);
  const command = await COMMANDS[name].load();
  return command({ ...context, argv: rest });
}

function unknownCommand(name: string): ConfigError {
  const near = nearestName(name, Object.keys(COMMANDS));
  const hint =
    near === undefined
      ? `Commands: ${Object.keys(COMMANDS).join(', ')}.`
      : `Did you mean \`operant ${near}\`?`;
  return new ConfigError('CONFIG_COMMAND', `Unknown command \`${name}\`. ${hint}`);
}

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [`  ${name}`, summary]);
  return [
    `operant ${operantVersion()}: reinforcement learning for TypeScript`,
    '',
    'Usage: operant <command> [flags]',
    '',
    table([...rows, ['  --version', 'print the version']]),
    '',
    'operant <command> --help lists the flags of a command. To begin: operant train --env CartPole',
  ].join('\n');
}
