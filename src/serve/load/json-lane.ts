/** `POST /act` over one connection that is kept. */
import { Agent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Lane, LoadTarget } from './lane.ts';

/** @param session of a recurrent policy. */
export function openJsonLane(target: LoadTarget, session: string): Lane {
  const isSecure = target.url.startsWith('https:');
  const agent = new (isSecure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  const url = `${target.url}/act`;
  const { model, token, timeoutMs } = target;
  // Text goes out with the head, in one write.
  const [first, later] = [true, false].map((isFirst) => bodyOf(target, session, isFirst));
  const headers = {
    'content-type': 'application/json',
    ...(token !== null && { authorization: `Bearer ${token}` }),
  };
  let hasBegun = false;
  return {
    canPipeline: false,
    ask: () =>
      new Promise((resolve) => {
        const body = model.isRecurrent && !hasBegun ? first : later;
        hasBegun = true;
        const asked = (isSecure ? secureRequest : plainRequest)(url, {
          agent,
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          timeout: timeoutMs,
        });
        asked.on('response', (response) => {
          response.on('error', () => resolve(0)).on('end', () => resolve(response.statusCode ?? 0));
          response.resume();
        });
        asked.on('timeout', () => asked.destroy()).on('error', () => resolve(0));
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function bodyOf({ model, observation, priority }: LoadTarget, session: string, isFirst: boolean): string {
  const fields = {
    model: model.name,
    ...(priority > 0 && { priority }),
    ...(model.maskSize > 0 && { actionMask: new Array<number>(model.maskSize).fill(1) }),
    ...(model.isRecurrent && { session, reset: isFirst }),
  };
  const row = observation ?? JSON.stringify(new Array<number>(model.observationSize).fill(0));
  return `{"observation":${row},${JSON.stringify(fields).slice(1)}`;
}
