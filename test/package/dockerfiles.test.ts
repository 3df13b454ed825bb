/** Both Dockerfiles, read: what their steps copy, link, run and start is there by then, and the two do not drift apart. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { checkDockerfile, parseDockerfile } from './check-dockerfile.ts';

const textOf = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const FILES = ['Dockerfile', 'Dockerfile.cuda'];

test.each(FILES)(
  '%s: no step lacks what it takes, and every command line of operant is one',
  async (name) => {
    const { problems, commands } = checkDockerfile(textOf(name));
    expect(problems).toEqual([]);
    expect(commands.length).toBeGreaterThanOrEqual(2);
    for (const words of commands) {
      const { exitCode, stdout, stderr } = await operant(
        ...words.filter((word) => word !== '--help'),
        '--help',
      );
      expect(exitCode, `${words.join(' ')}\n${stderr}`).toBe(0);
      const flags = words.filter((word) => word.startsWith('--') && word !== '--help');
      if (words[0] === 'serve') for (const flag of flags) expect(stdout).toContain(flag);
    }
  },
);

test('a stage that both have is made by the same commands', () => {
  const [plain, cuda] = FILES.map((name) => {
    const { stages } = parseDockerfile(textOf(name));
    return new Map(stages.map((stage) => [stage.name, stage.steps.filter(({ word }) => word === 'RUN')]));
  });
  const both = [...plain.keys()].filter((name) => cuda.has(name) && /^[a-z]/.test(name));
  expect(both).toEqual(['build', 'operant', 'ray']);
  for (const name of both) expect(cuda.get(name)).toEqual(plain.get(name));
});

test('what only root may look into is not for another user', () => {
  const opened = ' \\\n && chmod -R a+rX /opt/operant-tensorflow';
  const text = textOf('Dockerfile.cuda');
  expect(text).toContain(opened);
  const { problems } = checkDockerfile(text.replace(opened, ''));
  expect(problems).toEqual([expect.stringMatching(/operant-tensorflow is root's alone/)]);
});

/** A change of the plain file, and what is said of it. */
test.each([
  ['package-lock.json ./', 'package-lock.yaml ./', /package-lock.yaml is not there/],
  ['COPY package.json', 'COPY node_modules/x package.json', /node_modules\/x is not there/],
  ['npm run build', 'npm run bundle', /there is no script bundle/],
  ['--from=build /opt/operant/dist', '--from=build /opt/operant/lib', /\/opt\/operant\/lib is not there/],
  ['--from=build /opt/operant/dist', '--from=built /opt/operant/dist', /no such stage/],
  ['dist/src/cli/main.js /usr', 'dist/src/cli/start.js /usr', /there is no .*start\.js/],
  [
    '&& mkdir -p /project/node_modules /project/runs',
    '&& mkdir -p /project',
    /there is no \/project\/node_modules/,
  ],
  ['python3 python3-venv wget', 'python3 wget', /wants Debian's python3-venv/],
  ['python3 python3-venv wget', 'python python3-venv wget', /does not know Debian's python\b/],
  ['"ray[default]==$' + '{RAY_VERSION}"', 'rays', /there is no \/opt\/ray\/bin\/ray/],
  ['&& ln -s /opt/ray', '&& (ln -s /opt/ray', /[Ss]yntax/],
  ['ENTRYPOINT ["operant"]', 'ENTRYPOINT operant', /expected a list of words in JSON/],
  ['ENTRYPOINT ["operant"]', 'ENTRYPOINT ["operand"]', /starts operand, which it does not have/],
  ['FROM operant AS ray', 'FROM operants AS ray', /FROM operants: no such stage/],
])('the check finds what is wrong: %s -> %s', (from, to, message) => {
  const text = textOf('Dockerfile');
  expect(text).toContain(from);
  expect(checkDockerfile(text.replace(from, to)).problems.join('\n')).toMatch(message);
});
