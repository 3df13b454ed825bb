/** Lays out `--help`. */
import type { FlagSpec } from './flags.ts';

const FLAG_COLUMN = 34;
/** Characters in a line of help. */
export const HELP_WIDTH = 110;

/** Flags under their group headings, in the order of their first flag; docs wrapped beside them. */
export function flagsHelp(specs: readonly FlagSpec[]): string {
  const groups = [...new Set(specs.map(({ group }) => group ?? 'Flags'))];
  return groups
    .map((group) => {
      const lines = specs.filter((spec) => (spec.group ?? 'Flags') === group).map(flagHelp);
      return `${group}:\n${lines.join('\n')}`;
    })
    .join('\n\n');
}

function flagHelp({ name, form, doc, short }: FlagSpec): string {
  const shortText = short === undefined ? '' : `-${short}, `;
  const flag = `  ${shortText}--${name}${form === '' ? '' : ` ${form}`}`;
  const lines = wrap(doc, HELP_WIDTH - FLAG_COLUMN);
  const indent = ' '.repeat(FLAG_COLUMN);
  const first =
    flag.length < FLAG_COLUMN - 1
      ? `${flag.padEnd(FLAG_COLUMN)}${lines[0]}`
      : `${flag}\n${indent}${lines[0]}`;
  return [first, ...lines.slice(1).map((line) => `${indent}${line}`)].join('\n');
}

/** Breaks a text at spaces into lines of at most `width` characters; a longer word gets a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
