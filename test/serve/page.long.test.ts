/** The page of the server in a real Chromium: it lists the models, asks one, and shows what is wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPolicy } from '../../src/index.ts';
import { createPolicyServer, type PolicyServer } from '../../src/serve/policy-server.ts';
import { findChromium, openPage, type Page } from '../examples/chromium.ts';
import { shippedCheckpoint } from '../reference/shipped-policies.ts';

const TOKEN = 'a-token-of-many-letters';
const chromium = findChromium();
if (chromium === null)
  console.log(
    'No Chromium at /usr/bin/chromium (or OPERANT_CHROMIUM): the page of the server is not opened.',
  );
let page: Page | undefined;
const servers: PolicyServer[] = [];
beforeAll(async () => {
  const path = await shippedCheckpoint('ppo, categorical');
  const policies = [
    { name: 'cart', path },
    { name: 'other', path },
  ];
  for (const tokens of [[], [TOKEN]])
    servers.push(await createPolicyServer({ policies, port: 0, reloadMs: 0, tokens, timeoutMs: 60_000 }));
  if (chromium !== null) page = await openPage(chromium);
}, 120_000);
afterAll(async () => {
  await page?.close();
  for (const server of servers) await server.close();
});

const at = (id: string) => `document.getElementById(${JSON.stringify(id)})`;
const text = (id: string) => page?.evaluate<string>(`${at(id)}.textContent`);
const ask = (request: object) =>
  page?.evaluate(
    `${at('request')}.value = ${JSON.stringify(JSON.stringify(request))}; document.querySelector('button').click()`,
  );

test.skipIf(chromium === null)('lists models, acts, and shows a refusal', { timeout: 120_000 }, async () => {
  await page?.navigate(servers[0].url);
  await expect.poll(() => text('models'), { timeout: 60_000 }).toMatch(/cart, version .* \(default\)/);
  const observation = [0.1, -0.2, 0.3, 0];
  await ask({ model: 'cart', observation });
  const [action] = (await loadPolicy(await shippedCheckpoint('ppo, categorical'))).actBatch([observation]);
  await expect.poll(() => text('answer'), { timeout: 60_000 }).toMatch(/^200 /);
  expect(JSON.parse((await text('answer'))?.slice(4) ?? '')).toMatchObject({ action, model: 'cart' });
  expect(page?.errors).toEqual([]);
  await ask({ observation });
  await expect.poll(() => text('answer'), { timeout: 60_000 }).toMatch(/^404 .*SERVE_MODEL/s);
});

test.skipIf(chromium === null)(
  'asks for a token, and without it lists nothing',
  { timeout: 120_000 },
  async () => {
    await page?.navigate(servers[1].url);
    await expect.poll(() => page?.evaluate(`${at('token')} !== null`), { timeout: 60_000 }).toBe(true);
    const request = { model: 'cart', observation: [0, 0, 0, 0] };
    await ask(request);
    await expect.poll(() => text('answer'), { timeout: 60_000 }).toMatch(/^401 .*SERVE_TOKEN/s);
    expect(await text('models')).toBe('');
    await page?.evaluate(`${at('token')}.value = ${JSON.stringify(TOKEN)}`);
    await ask(request);
    await expect.poll(() => text('answer'), { timeout: 60_000 }).toMatch(/^200 /);
    await expect.poll(() => text('models'), { timeout: 60_000 }).toMatch(/cart/);
  },
);
