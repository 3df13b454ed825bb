/** JSON as people write it: with a byte order mark before it, perhaps, and never with a key twice. */

/**
 * Parses a text, whose byte order mark is ignored.
 *
 * @throws SyntaxError when it is not JSON, or gives a key of one object twice: one of the two values would be dropped without a word.
 */
export function parseStrictJson(text: string): unknown {
  const withoutMark = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const value: unknown = JSON.parse(withoutMark);
  const twice = repeatedKey(withoutMark);
  if (twice === null) return value;
  throw new SyntaxError(`the key "${twice}" stands twice in one object: leave one of them out`);
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/** The first key that an object of this (valid) JSON has twice, or null. */
function repeatedKey(json: string): string | null {
  const open: (Set<string> | null)[] = []; // the keys of each open object, null for an array
  let text: string | null = null; // a string that is a key when a colon follows
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && text !== null) {
      const keys = open.at(-1);
      if (keys?.has(text)) return text;
      keys?.add(text);
    }
    text = token.startsWith('"') ? (JSON.parse(token) as string) : null;
  }
  return null;
}
