import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignOwner } from '../../src/files/foreign-owner.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describe.skipIf(process.platform === 'win32')('a folder that code comes from', () => {
  test('is fine when it is ours', () => {
    const folder = temporaryFolder();
    expect(foreignOwner(folder)).toBeNull();
    symlinkSync(folder, join(folder, 'link'));
    expect(foreignOwner(join(folder, 'link'))).toBeNull();
  });

  test('is refused when everybody may write it', () => {
    const folder = join(temporaryFolder(), 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(foreignOwner(folder)).toContain('may be written by every user');
  });

  test.skipIf(process.getuid?.() !== 0)("is refused when it is another user's", () => {
    const folder = join(temporaryFolder(), 'theirs');
    mkdirSync(folder, 0o700);
    chownSync(folder, 12345, 12345);
    expect(foreignOwner(folder)).toContain('belongs to user 12345, not to 0');
  });
});
