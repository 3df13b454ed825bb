/** What `operant envs` says of ids with a scheme in front: what they stand for, and whether what they need is here. */
import { spawnSync } from 'node:child_process';
import { findPython } from '../env/python/find-python.ts';
import type { JsonObject } from '../json.ts';

interface Scheme {
  readonly id: string;
  readonly description: string;
  /** Of Python, without which there is none; null = it needs no Python. */
  readonly packages: readonly string[] | null;
}

const SCHEMES: readonly Scheme[] = [
  { id: 'gymnasium:ID', description: "Gymnasium's, gymnasium:ALE/Pong-v5 too.", packages: ['gymnasium'] },
  { id: 'envpool:ID', description: "EnvPool's.", packages: ['envpool'] },
  {
    id: 'pettingzoo:FAMILY/NAME',
    description: 'Several agents: pettingzoo:classic/connect_four_v3, pettingzoo:mpe2/simple_spread_v3.',
    packages: ['pettingzoo'],
  },
  { id: 'python:FILE#NAME', description: 'A function in a file of yours.', packages: ['numpy'] },
  { id: 'external:NAME', description: 'Programs and pages that connect over a WebSocket.', packages: null },
  {
    id: 'stdio:COMMAND',
    description: 'Programs that are started and speak over their pipes.',
    packages: null,
  },
  { id: 'godot:NAME', description: 'Games with the plugin of Godot RL Agents that connect.', packages: null },
];

/** Prints the versions of packages, without importing them. */
const PROBE = `
import importlib.metadata, json, sys
found = {"python": sys.version.split()[0]}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))`;

/** Cost: one start of Python. */
export function listSchemes(): { cells: readonly string[]; json: JsonObject }[] {
  const python = findPython(null);
  const wanted = [...new Set(SCHEMES.flatMap(({ packages }) => packages ?? []))];
  const versions = probe(python, wanted);
  return SCHEMES.map(({ id, description, packages }) => {
    const state = stateOf(python, versions, packages);
    return {
      cells: [id, '-', '-', '-', '-', `${description} ${state.text}`],
      json: {
        id,
        description,
        isInstalled: state.isReady,
        needs: packages === null ? null : ['python', ...packages],
        ...(packages !== null && { python, versions: versions ?? {} }),
      },
    };
  });
}

/** null = it could not be started, or has not answered. */
function probe(python: string, packages: readonly string[]): Readonly<Record<string, string>> | null {
  const { status, stdout } = spawnSync(python, ['-c', PROBE, ...packages], {
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (status !== 0) return null;
  try {
    return JSON.parse(stdout) as Record<string, string>;
  } catch {
    return null;
  }
}

function stateOf(
  python: string,
  versions: Readonly<Record<string, string>> | null,
  packages: readonly string[] | null,
): { isReady: boolean; text: string } {
  if (packages === null) return { isReady: true, text: 'Ready (docs/external.md).' };
  if (process.platform === 'win32') return { isReady: false, text: 'Needs Linux or macOS (WSL will do).' };
  if (versions === null)
    return {
      isReady: false,
      text: `No Python: \`${python}\` does not start. operant python install ${packages.join(' ')}`,
    };
  const missing = packages.filter((name) => !(name in versions));
  if (missing.length > 0)
    return {
      isReady: false,
      text: `Python ${versions.python} (${python}) has no ${missing.join(', ')}: operant python install ${missing.join(' ')}`,
    };
  const found = packages.map((name) => `${name} ${versions[name]}`);
  return { isReady: true, text: `Ready: ${found.join(', ')} in Python ${versions.python} (${python}).` };
}
