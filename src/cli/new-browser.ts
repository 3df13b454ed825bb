/** `operant new browser my-page`: a page that trains in itself, for Vite. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { operantVersion } from '../machine/operant-version.ts';
import { HTML, PAGE, packageTemplate, TRAINER, VITE_CONFIG } from './new-browser-template.ts';

/**
 * Writes the files of the page into `folder`/`name`, and overwrites nothing.
 *
 * @returns what to do next, for people.
 * @throws ConfigError `CONFIG_FILE_EXISTS`.
 */
export async function writeBrowserPage(folder: string, name: string): Promise<string> {
  const place = join(folder, name);
  if (existsSync(place)) {
    throw new ConfigError(
      'CONFIG_FILE_EXISTS',
      `${place} is there already. Choose another name, or another folder by --out.`,
    );
  }
  const files = {
    'package.json': packageTemplate(name, operantVersion()),
    'vite.config.js': VITE_CONFIG,
    'index.html': HTML,
    'page.ts': PAGE,
    'trainer.ts': TRAINER,
  };
  await mkdir(place, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(place, file), text);
  return (
    `${join(place, 'trainer.ts')}   what trains: algorithm, options, environment\n` +
    `${join(place, 'page.ts')}      what is shown\n\n` +
    `Open it:   cd ${place} && npm install && npm run dev\n` +
    'Build it:  npm run build; any server of files shows dist\n' +
    'More:      node_modules/operant/docs/browser.md\n'
  );
}
