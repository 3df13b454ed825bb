/** The options of an algorithm as a document: the reference page, and the names other libraries use. */
import { type Declarations, flagName, listOptions } from './option.ts';

/** Markdown: one table per section, in declaration order, then the name table. Ends with a newline. */
export function optionsMarkdown(algorithm: string, declarations: Declarations): string {
  const sections = Object.keys(declarations).map((section) => sectionTable(declarations, section));
  return [
    `# Options of ${algorithm}`,
    '',
    'Made from the declarations by `npm run docs:options`; a test holds it to them.',
    '',
    'In code: `new PPOConfig().training({ gamma: 0.98 })`. In a file: `{ "training": { "gamma": 0.98 } }`. As a flag: `--gamma 0.98`;',
    'switches are `--tensorboard` and `--no-tensorboard`, null is written `none`, lists `64,64`.',
    '',
    ...sections,
    ...nameTable(declarations),
    '',
  ].join('\n');
}

function sectionTable(declarations: Declarations, section: string): string {
  const rows = Object.entries(declarations[section]).map(([name, { kind, doc, unit, default: value }]) => {
    const cells = [
      `\`${name}\``,
      `\`--${flagName(name)}\``,
      kind.expects,
      defaultCell(value),
      unit ?? '',
      doc,
    ];
    return `| ${cells.map(escapeCell).join(' | ')} |`;
  });
  const head = ['| Option | Flag | Value | Default | Unit | |', '|---|---|---|---|---|---|'];
  return [`## ${section}`, '', ...head, ...rows, ''].join('\n');
}

function nameTable(declarations: Declarations): string[] {
  const rows = listOptions(declarations)
    .filter(({ option }) => option.alsoCalled !== undefined)
    .map(({ section, name, option }) => {
      const others = (option.alsoCalled ?? []).map((other) => `\`${other}\``).join(', ');
      return `| ${others} | \`${name}\` | ${section} |`;
    });
  return [
    '## Names elsewhere',
    '',
    '| RLlib, Stable-Baselines3 and others | Here | Section |',
    '|---|---|---|',
    ...rows,
  ];
}

function defaultCell(value: unknown): string {
  if (value === '') return 'required';
  return `\`${typeof value === 'number' ? Number(value.toPrecision(6)) : JSON.stringify(value)}\``;
}

/** A bar would end the cell. */
function escapeCell(text: string): string {
  return text.replace(/\|/g, '\\|');
}
