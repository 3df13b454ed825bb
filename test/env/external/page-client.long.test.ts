/** The JavaScript client in a real browser's page. */
import { beforeAll, expect, test } from 'vitest';
import { registerShippedEnvs } from '../../../envs/index.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { servePage } from '../../browser/served-page.ts';
import { findChromium } from '../../examples/chromium.ts';
import { fixture, openGroup, play } from '../../rollout/open-group.ts';
import { freePort, isOpen } from './programs.ts';

beforeAll(registerShippedEnvs);

const chromium = findChromium();
if (chromium === null) console.log('No Chromium here: the client is tried in Node alone.');
const SIZE = { numEnvs: 5, rolloutLength: 9 };
const faultPolicy = { restartFailedEnvs: 'replay', nonFinite: 'stop' } as const;

test.skipIf(chromium === null)(
  'a page gives the rollouts of the same environment here; one that is gone is cut, and may come back',
  async () => {
    const { page, open } = await servePage(
      chromium ?? '',
      new URL('./fixtures/page-client.ts', import.meta.url),
    );
    await open();
    const port = await freePort();
    const connect = (query = '') => page.evaluate(`serve("ws://127.0.0.1:${port}${query}", 5)`);
    const whole = openGroup({ ...SIZE, source: resolveEnv('external:Counting', { port }), faultPolicy });
    const served = connect();
    const opened = await whole;
    expect(await play(opened, 3)).toEqual(
      await play(await openGroup({ ...SIZE, source: fixture('counting-env', {}) }), 3),
    );
    await opened.group.stop();
    expect(await served).toBe('served');
    expect(await isOpen(port)).toBe(false);

    const again = openGroup({ ...SIZE, source: resolveEnv('external:Counting', { port }), faultPolicy });
    void connect().catch(() => undefined); // the page is left below, and with it the answer
    const group = await again;
    await group.group.start(null);
    await open();
    void connect().catch(() => undefined);
    await group.group.collect(group.publish());
    expect(group.group.takeEnvFaults().counts['new-episode']).toBe(5);
    await group.group.stop();
    expect(page.errors.filter((error) => !error.includes('WebSocket'))).toEqual([]);
  },
  120_000,
);
