/** The opening of a WebSocket: RFC 6455, section 4.2, without extensions. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServeError } from '../errors.ts';

/** Of RFC 6455, 1.3: who answers with a digest of it has understood what it was asked for. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSION = '13';

/** @param protocol the server's; it is named where the client offers it. @returns the head of the answer @throws ServeError `SERVE_REQUEST`, `SERVE_METHOD`. */
export function acceptWebSocket({ method, headers }: IncomingMessage, protocol: string): string {
  if (method !== 'GET')
    throw new ServeError('SERVE_METHOD', 405, `A WebSocket is opened by GET, not ${method}.`);
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    throw refused('Expected the header `upgrade` to be websocket.');
  const key = headers['sec-websocket-key'];
  if (key === undefined || !KEY.test(key))
    throw refused('Expected the header `sec-websocket-key` to be 16 bytes in base64.');
  if (headers['sec-websocket-version'] !== VERSION)
    throw refused(`Expected the header \`sec-websocket-version\` to be ${VERSION}.`);
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${createHash('sha1')
      .update(key + ACCEPT_SALT)
      .digest('base64')}`,
    ...(offered.includes(protocol) ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const refused = (message: string) => new ServeError('SERVE_REQUEST', 400, message);
