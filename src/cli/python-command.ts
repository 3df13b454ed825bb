/** `operant python`: the virtual environment that Operant keeps for environments in Python. */
import { existsSync } from 'node:fs';
import { findPython, installPackages, managedFolder } from '../env/python/find-python.ts';
import { ConfigError } from '../errors.ts';
import type { CommandContext } from './command.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant python install PACKAGE... [--python PATH]
       operant python path

install  puts packages of Python's into a virtual environment that Operant keeps, which is made first where it is not there: with uv if that is
         installed, else with venv and pip. PACKAGE is what they take: gymnasium, "gymnasium[mujoco]", ale-py==0.12.1
path     says which Python would run environments

  --python PATH    what the virtual environment is made from (default python3)

The folder: OPERANT_PYTHON_HOME, else operant/python in the platform's cache folder. Environments run in the Python of --python, else of
OPERANT_PYTHON, else in this one, else in an active virtual environment, else in python3.`;

/** @throws ConfigError `CONFIG_PYTHON_INSTALL` with what failed, `CONFIG_FLAG` for words that it does not know. */
export async function pythonCommand({ argv, stdout, stderr }: CommandContext): Promise<number> {
  const [action, ...rest] = argv;
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
    stdout.write(`${USAGE}\n`);
    return argv.length === 0 ? EXIT.usage : EXIT.done;
  }
  if (action === 'path' && rest.length === 0) {
    stdout.write(`${findPython(null)}\n`);
    return EXIT.done;
  }
  const { packages, python } = readPackages(rest);
  if (action !== 'install' || packages.length === 0) {
    throw new ConfigError(
      'CONFIG_FLAG',
      `Expected \`operant python install PACKAGE...\` or \`path\`, got ${argv.join(' ')}.`,
    );
  }
  const isFresh = !existsSync(managedFolder());
  const interpreter = installPackages(packages, python);
  stderr.write(`${isFresh ? 'Made' : 'Kept'} ${managedFolder()}; its Python is ${interpreter}\n`);
  return EXIT.done;
}

function readPackages(argv: readonly string[]): { packages: readonly string[]; python: string } {
  const packages: string[] = [];
  let python = 'python3';
  for (let k = 0; k < argv.length; k++) {
    if (argv[k] === '--python' && k + 1 < argv.length) python = argv[++k];
    else if (argv[k].startsWith('-'))
      throw new ConfigError('CONFIG_FLAG', `Unknown flag \`${argv[k]}\` of operant python.`);
    else packages.push(argv[k]);
  }
  return { packages, python };
}
