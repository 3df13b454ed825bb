/** Entry of the process that served.ts starts. */
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createPolicyServer } from '../../src/index.ts';
import type { Holdings, Role } from './served.ts';

const MIB = 2 ** 20;
const role = JSON.parse(process.argv[2]) as Role;
if (role.kind === 'bare') {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => void chunks.push(chunk));
    request.on('end', () => {
      const { observation } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const answer = JSON.stringify({ action: observation[0] > 0 ? 1 : 0 });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.listen(0, '127.0.0.1', () =>
    tell({ port: (server.address() as { port: number }).port, adminPort: 0 }),
  );
} else {
  const server = await createPolicyServer(role.options);
  tell({ port: portOf(server.url), adminPort: server.adminUrl === null ? 0 : portOf(server.adminUrl) });
}

process.on('message', () => tell(holdings()));
process.on('disconnect', () => process.exit());

function tell(message: object): void {
  process.send?.(message);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function holdings(): Holdings {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    rssMib: rss / MIB,
    heapMib: heapUsed / MIB,
    arrayBuffersMib: arrayBuffers / MIB,
    numResources: process.getActiveResourcesInfo().length,
    numFiles: numFiles(),
    cpuUs: user + system,
  };
}

function numFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0; // not on this system
  }
}
