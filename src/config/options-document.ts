/** Options as a document: of one algorithm, or the reference page of all; and the names that other libraries use. */
import { builderName } from './builder-name.ts';
import { type Declarations, flagName, listOptions } from './option.ts';

const forms = (algorithm: string) => [
  `In code: \`new ${builderName(algorithm)}().training({ gamma: 0.98 })\`. In a file: \`{ "training": { "gamma": 0.98 } }\`. As a flag: \`--gamma 0.98\`;`,
  'switches are `--tensorboard` and `--no-tensorboard`, null is written `none`, lists `64,64`.',
];

/** One algorithm's options as Markdown: a table per section, in declaration order, then the name table. Ends with a newline. */
export function optionsMarkdown(algorithm: string, declarations: Declarations): string {
  const lines = [
    `# Options of ${algorithm}`,
    '',
    ...forms(algorithm),
    '',
    ...sectionTables(declarations, '##'),
  ];
  return [...lines, '## Names elsewhere', '', ...nameTable([declarations]), ''].join('\n');
}

/**
 * Every algorithm's options as the reference page: the shared sections once, then what each algorithm has besides.
 *
 * @param shared declarations by section; an algorithm's option is shared when it is the same object.
 */
export function optionsDocument(
  shared: Declarations,
  algorithms: Readonly<Record<string, Declarations>>,
): string {
  const own = Object.entries(algorithms).flatMap(([name, declarations]) => [
    `## ${name}`,
    '',
    ...sectionTables(without(declarations, shared), '###'),
  ]);
  return [
    '# Options',
    '',
    'Made from the declarations by `npm run docs`; a test holds it to them.',
    '',
    ...forms('ppo'),
    '',
    '`operant options --algo NAME` lists those of one algorithm; so does `train --algo NAME --help`.',
    '',
    '## Every algorithm',
    '',
    ...sectionTables(shared, '###'),
    ...own,
    '## Names elsewhere',
    '',
    ...nameTable([shared, ...Object.values(algorithms)]),
    '',
  ].join('\n');
}

/** What is not shared; sections of which nothing is left are left out. */
function without(declarations: Declarations, shared: Declarations): Declarations {
  const sections = Object.entries(declarations).map(([section, options]) => {
    const own = Object.entries(options).filter(([name, option]) => shared[section]?.[name] !== option);
    return [section, Object.fromEntries(own)] as const;
  });
  return Object.fromEntries(sections.filter(([, options]) => Object.keys(options).length > 0));
}

function sectionTables(declarations: Declarations, heading: string): string[] {
  return Object.entries(declarations).map(([section, options]) => {
    const rows = Object.entries(options).map(([name, { kind, doc, unit, default: value, onlyAtStart }]) => {
      const cells = [
        `\`${name}\``,
        `\`--${flagName(name)}\``,
        kind.expects,
        defaultCell(value),
        unit ?? '',
        onlyAtStart === true ? `${doc} A resume cannot change it.` : doc,
      ];
      return `| ${cells.map(escapeCell).join(' | ')} |`;
    });
    const head = ['| Option | Flag | Value | Default | Unit | |', '|---|---|---|---|---|---|'];
    return [`${heading} ${section}`, '', ...head, ...rows, ''].join('\n');
  });
}

/** Names of other libraries, each option once. */
function nameTable(all: readonly Declarations[]): string[] {
  const rows = all.flatMap(listOptions).flatMap(({ section, name, option }) => {
    if (option.alsoCalled === undefined) return [];
    const others = option.alsoCalled.map((other) => `\`${other}\``).join(', ');
    return [`| ${others} | \`${name}\` | ${section} |`];
  });
  return ['| RLlib, Stable-Baselines3 and others | Here | Section |', '|---|---|---|', ...new Set(rows)];
}

function defaultCell(value: unknown): string {
  if (value === '') return 'required';
  return `\`${typeof value === 'number' ? Number(value.toPrecision(6)) : JSON.stringify(value)}\``;
}

/** A bar would end the cell. */
function escapeCell(text: string): string {
  return text.replace(/\|/g, '\\|');
}
