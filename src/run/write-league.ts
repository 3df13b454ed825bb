/** The league of a run of self-play as a table for people. */
import { join } from 'node:path';
import type { LeagueRow } from '../algorithm/league/league-row.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import type { RunWarning } from './run-callbacks.ts';

const COLUMNS = [
  'name',
  'kind',
  'iteration',
  'Elo',
  '+-',
  'games',
  'won',
  'drawn',
  'lost',
  'weights',
] as const;

/** `league.txt`: the learner, those that never change, and past versions, oldest first; games are the learner's against each. */
export function leagueText(rows: readonly LeagueRow[]): string {
  const lines = rows.map(
    ({ name, kind, iteration, rating, margin, games, wins, draws, losses, checksum }) => [
      ...[name, kind, iteration, Math.round(rating), Math.round(margin), games, wins, draws, losses].map(
        String,
      ),
      checksum ?? '',
    ],
  );
  const table = [[...COLUMNS], ...lines];
  const widths = COLUMNS.map((_, k) => Math.max(...table.map((line) => line[k].length)));
  return `${table
    .map((line) =>
      line
        .map((cell, k) => cell.padEnd(widths[k]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

/** A table that cannot be written is a warning, as a log that cannot be written is. */
export async function writeLeague(
  runFolder: string,
  rows: readonly LeagueRow[],
  warn: (warning: RunWarning) => void,
): Promise<void> {
  const path = join(runFolder, 'league.txt');
  try {
    await replaceTextFile(path, leagueText(rows));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn({ kind: 'metrics', message: `Cannot write \`${path}\`: ${reason}`, error });
  }
}
