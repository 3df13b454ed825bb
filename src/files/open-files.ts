/** How many files a process may have open: threads need some to live, and hang without them instead of saying so. */
import { readdirSync, readFileSync } from 'node:fs';
import { ConfigError } from '../errors.ts';

/** What the event loop of a thread keeps open (measured: 4). */
const FILES_PER_THREAD = 4;
/** A heartbeat's thread, three logs, a lock, a checkpoint's files written side by side, and modules while they load. */
const FILES_BESIDES = 24;

/** null where there is no limit, or it is not known (it is on Linux). */
export function openFilesLimit(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/**
 * @param numThreads that are about to be started.
 * @throws ConfigError `CONFIG_OPEN_FILES` naming the limit and what is needed.
 */
export function checkOpenFiles(numThreads: number): void {
  const limit = openFilesLimit();
  if (limit === null) return;
  const needed = numOpenFiles() + FILES_PER_THREAD * numThreads + FILES_BESIDES;
  if (limit >= needed) return;
  throw new ConfigError(
    'CONFIG_OPEN_FILES',
    `This process may have ${limit} files open (\`ulimit -n\`), and with ${numThreads} threads it needs about ${needed}. ` +
      'Raise that limit, or lower `numEnvRunners`.',
  );
}

function numOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return FILES_BESIDES; // none is left to look with
  }
}

/** What to say of an error that means that no file can be opened any more; null for any other. */
export function openFilesHint(code: string | undefined): string | null {
  if (code === 'ENFILE') return 'this machine has too many files open (ENFILE)';
  if (code !== 'EMFILE') return null;
  return `this process may not open more than ${openFilesLimit() ?? 'its limit of'} files (EMFILE): raise \`ulimit -n\``;
}
