/** A connection on real sockets, with clients that end badly. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openLink } from '../../src/serve/web-socket-link.ts';

/** @returns what is true once a client that sends these bytes and ends its side, but reads nothing, has been let go. */
async function letsGo(bytes: Buffer): Promise<boolean> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1'); // as sockets of `node:http` are
  await once(server, 'listening');
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const [stream] = await once(server, 'connection');
  let unread = 0; // bytes that wait for it when it has ended its side
  stream.on('end', () => {
    unread = stream.writableLength;
  });
  client.on('error', () => undefined).pause();
  client.end(bytes);
  return new Promise((resolve) => {
    openLink(stream, Buffer.alloc(0), 1_000, {
      message() {},
      alive() {},
      closed: () => resolve(unread > 0),
    });
  });
}

test('whoever ends its side and does not read its answers is let go', async () => {
  // 12.7 MB of answers: less than what cuts a connection off, and more than the system keeps.
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125]), Buffer.alloc(4 + 125)]);
  expect(await letsGo(Buffer.concat(Array<Buffer>(100_000).fill(ping)))).toBe(true);
});
