/** Reads a Dockerfile: as much of it as ours use. */

/**
 * @param {string} text
 * @returns {{ args: Record<string, string>, stages: { from: string, name: string, steps: { word: string, rest: string }[] }[] }} arguments before the first stage, and the stages, of
 * which one without a name is called by its number. @throws for an instruction that it does not know.
 */
export function parseDockerfile(text) {
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  const args = {};
  const stages = [];
  for (const [, word, rest] of lines.matchAll(/^([A-Z]+) +(.+?) *$/gm)) {
    if (!WORDS.has(word)) throw new Error(`The Dockerfile has ${word}, which is not known here.`);
    if (word === 'FROM') {
      const [from, , name = `${stages.length}`] = rest.split(' ');
      stages.push({ from, name, steps: [] });
    } else if (stages.length === 0) Object.assign(args, assignments(rest));
    else stages.at(-1).steps.push({ word, rest });
  }
  return { args, stages };
}

const WORDS = new Set('ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK RUN USER WORKDIR'.split(' '));

/** `NAME=value NAME="value"` as an object. */
export function assignments(rest) {
  return Object.fromEntries(
    [...rest.matchAll(/([A-Z_a-z]+)=("[^"]*"|\S*)/g)].map(([, name, value]) => [
      name,
      value.replace(/^"|"$/g, ''),
    ]),
  );
}
