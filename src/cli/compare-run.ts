/** `operant doctor --compare`: what this machine has that is not as it was when a run was made. */
import { loadManifest } from '../checkpoint/load-checkpoint.ts';
import { compareWithHere, type Fingerprint, type FingerprintDifference } from '../machine/fingerprint.ts';
import { wrap } from './help-text.ts';

export interface RunComparison {
  /** The checkpoint that was looked at. */
  readonly checkpoint: string;
  readonly differences: readonly FingerprintDifference[];
}

/** @param path a run folder (its latest checkpoint) or a checkpoint. @throws CheckpointError when there is none. */
export async function compareRun(path: string): Promise<RunComparison> {
  const { path: checkpoint, manifest } = await loadManifest(path);
  const saved = manifest.fingerprint as unknown as Partial<Fingerprint>;
  return { checkpoint, differences: await compareWithHere(saved) };
}

const HEADINGS = {
  exactness: 'May keep a resumed run from being the same bit for bit',
  speed: 'Changes timings only',
  note: 'Good to know',
} as const;

export function comparisonText({ checkpoint, differences }: RunComparison): string {
  if (differences.length === 0) return `${checkpoint} was made with exactly what is here.`;
  const lines = [`Compared with ${checkpoint}:`];
  for (const severity of ['exactness', 'speed', 'note'] as const) {
    const some = differences.filter((difference) => difference.severity === severity);
    if (some.length > 0) lines.push('', `${HEADINGS[severity]}:`);
    for (const { field, first, second, consequence } of some) {
      const [head, ...rest] = wrap(`${field}: ${first} then, ${second} here. ${consequence}`, 96);
      lines.push(`  ${head}`, ...rest.map((line) => `    ${line}`));
    }
  }
  return lines.join('\n');
}
