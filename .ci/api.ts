/** The API reference, from the sources: every exported name with its declaration and docstring. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Entries of package.json's `exports`, with their sources. */
const ENTRIES = [
  ['operant', 'src/index.ts'],
  ['operant/tensorflow', 'src/exports/tensorflow.ts'],
  ['operant/policy', 'src/exports/policy.ts'],
  ['operant/policy/recurrent', 'src/exports/recurrent-policy.ts'],
  ['operant/browser', 'browser/index.ts'],
  ['operant/algorithm', 'src/exports/algorithm.ts'],
  ['operant/gradient', 'src/exports/gradient.ts'],
] as const;

interface Export {
  readonly name: string;
  readonly file: string;
}

/** What a module gives, with the file that declares it; `export *` is followed, a namespace is one name. */
function exportsOf(file: string): Export[] {
  const source = read(file);
  const from = (path: string) => join(dirname(file), path);
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';/gm)];
  const stars = [...source.matchAll(/^export \* from '([^']+)';/gm)];
  const namespaces = [...source.matchAll(/^export \* as (\w+) from '([^']+)';/gm)];
  return [
    ...lists.flatMap(([, names, path]) =>
      names.split(',').flatMap((text) => {
        const name = text.trim().replace(/^type /, '');
        return name === '' ? [] : [{ name, file: from(path) }];
      }),
    ),
    ...stars.flatMap(([, path]) => exportsOf(from(path))),
    ...namespaces.map(([, name, path]) => ({ name, file: from(path) })),
  ].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

/** One name: heading, declaration, docstring. @throws Error when the file does not declare it. */
function section({ name, file }: Export): string {
  const source = read(file);
  const pattern = new RegExp(
    `((?:^/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?)^(?:/\\/.*\\n)*export (?:declare )?(?:async )?(function|const|interface|type|class) ${name}\\b`,
    'm',
  );
  const match = pattern.exec(source);
  if (match === null) {
    const isNamespace = !new RegExp(`\\b${name}\\b`).test(source);
    if (isNamespace) return `### ${name}\n\nThe module \`${file}\` as a namespace.`;
    throw new Error(`${file} does not declare ${name} at the beginning of a line.`);
  }
  const [whole, docstring, kind] = match;
  const begin = match.index + whole.lastIndexOf('export ');
  const code = declaration(source.slice(begin), kind);
  return [
    `### ${name}`,
    ...[prose(docstring)].filter((text) => text !== ''),
    `\`\`\`ts\n${code}\n\`\`\``,
  ].join('\n\n');
}

/** An interface or type whole, of everything else the head alone. */
function declaration(text: string, kind: string): string {
  const lines = text.replace(/^export (?:declare )?/, '').split('\n');
  const isWhole = kind === 'interface' || kind === 'type';
  const end = lines.findIndex((line, k) => {
    const begin = lines.slice(0, k + 1).join('\n');
    return isWhole
      ? /^\}|^[^\s].*;$|^ {2}.*;$/.test(line) && closes(begin)
      : /[{;]$/.test(line) && closes(begin.slice(0, -1));
  });
  const head = lines.slice(0, end + 1).join('\n');
  return isWhole ? head : head.replace(/\s*[={]$/, '');
}

/** Whether braces and brackets are closed at the end of this text. */
function closes(text: string): boolean {
  const plain = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'|=>/g, '');
  const count = (pattern: RegExp) => plain.match(pattern)?.length ?? 0;
  return count(/[{([]/g) === count(/[})\]]/g);
}

/** A docstring as Markdown. */
function prose(docstring: string): string {
  return docstring
    .replace(/^\/\*\*\s?|\s*\*\/\s*$/g, '')
    .replace(/^ \* ?/gm, '')
    .replace(/\{@link (?:\w+\.)?(\w+)\}/g, '`$1`')
    .replace(/^@(\w+) ?/gm, '- **$1** ')
    .trim();
}

/** docs/api.md. */
export function apiReference(): string {
  const entries = ENTRIES.flatMap(([name, file]) => [`## ${name}`, ...exportsOf(file).map(section)]);
  const head = [
    '# API reference',
    'Made from the docstrings by `npm run docs`; a test holds it to them. Options: [options.md](options.md); metrics: [metrics.md](metrics.md).',
  ];
  return `${[...head, ...entries].join('\n\n')}\n`;
}
