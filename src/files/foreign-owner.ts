/** Whose files are these? Asked before code is loaded from a folder that is not part of an installation. */
import { lstatSync } from 'node:fs';

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Why code in `path` may be somebody else's; null = it is ours, or root's, as far as its owner and mode tell.
 *
 * Looks at the file or folder itself, not at what is above it. On Windows always null: its user folders are guarded by other means.
 */
export function foreignOwner(path: string): string | null {
  const uid = process.geteuid?.();
  if (uid === undefined) return null;
  const { uid: owner, mode } = lstatSync(path);
  if (owner !== uid && owner !== 0) return `${path} belongs to user ${owner}, not to ${uid}`;
  const isOpen = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0 && !isLink(mode);
  return isOpen ? `${path} may be written by every user of this machine` : null;
}

function isLink(mode: number): boolean {
  return (mode & 0o170000) === 0o120000; // a link's own mode says nothing
}
