/** Plain data as YAML, several documents one behind the other: as much of it as manifests need. Text that could be taken for anything else is quoted as JSON, which YAML contains. */

export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [name: string]: YamlValue };

const PLAIN = /^[A-Za-z/][\w./-]*$/;
/** What some reader of YAML takes for no text. */
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

/** @param documents each an object. Ends in a line end. */
export function yamlText(documents: readonly YamlValue[]): string {
  return documents.map((document) => `${linesOf(document).join('\n')}\n`).join('---\n');
}

const scalar = (value: string | number | boolean): string =>
  typeof value === 'string' && !(PLAIN.test(value) && !WORDS.test(value))
    ? JSON.stringify(value)
    : String(value);

/** What fits behind a name or a mark on its own line; null = it takes lines of its own. */
function inline(value: YamlValue): string | null {
  if (typeof value !== 'object') return scalar(value);
  if (Object.keys(value).length > 0) return null;
  return Array.isArray(value) ? '[]' : '{}';
}

function linesOf(value: YamlValue): string[] {
  const text = inline(value);
  if (text !== null) return [text];
  if (Array.isArray(value))
    return (value as readonly YamlValue[]).flatMap((item) => {
      const [first, ...others] = linesOf(item);
      return [`- ${first}`, ...others.map(indented)];
    });
  return Object.entries(value as { readonly [name: string]: YamlValue }).flatMap(([name, part]) => {
    const beside = inline(part);
    return beside === null
      ? [`${scalar(name)}:`, ...linesOf(part).map(indented)]
      : [`${scalar(name)}: ${beside}`];
  });
}

const indented = (line: string) => `  ${line}`;
