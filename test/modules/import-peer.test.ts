import { describe, expect, it } from 'vitest';
import { importPeer, installCommand, isPeerInstalled } from '../../src/modules/import-peer.ts';

const MISSING = { name: 'operant-no-such-package', version: '1.2.3' };

describe('a peer', () => {
  it('that is not installed is an error that says how to install it', async () => {
    const name: string = MISSING.name;
    await expect(importPeer(MISSING, 'Moon-v1', () => import(name))).rejects.toMatchObject({
      code: 'CONFIG_PEER_MISSING',
      message:
        'Moon-v1 needs the package operant-no-such-package, which is not installed. Install it: npm install operant-no-such-package@1.2.3',
    });
    expect(isPeerInstalled(MISSING)).toBe(false);
    expect(installCommand(MISSING)).toBe('npm install operant-no-such-package@1.2.3');
  });

  it('that fails while it loads, or misses something itself, is not called missing', async () => {
    const broken = new Error('broken');
    await expect(importPeer(MISSING, 'Moon-v1', () => Promise.reject(broken))).rejects.toBe(broken);
    const other: string = 'operant-another-package';
    await expect(importPeer(MISSING, 'Moon-v1', () => import(other))).rejects.toMatchObject({
      code: expect.not.stringContaining('CONFIG'),
    });
  });

  it('that is there is given', async () => {
    const zod = await importPeer({ name: 'zod', version: '4' }, 'Moon-v1', () => import('zod'));
    expect(zod.z).toBeDefined();
    expect(isPeerInstalled({ name: 'zod', version: '4' })).toBe(true);
  });
});
