/** Who may ask: tokens, and pages of other sites. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServeError } from '../errors.ts';

/** @throws ServeError `SERVE_TOKEN` 401, `SERVE_ORIGIN` 403. */
export type CheckAccess = (request: IncomingMessage) => void;

/** What a WebSocket of a browser, which cannot set headers, puts before a token among its subprotocols. */
export const TOKEN_PROTOCOL = 'operant.token.';

/**
 * With tokens: one of them must come along. Without: pages of other sites that a user of this machine has open may not ask, neither under
 * their own origin (a WebSocket knows no other check) nor under a name of theirs that points here (DNS rebinding).
 */
export function createAccessCheck(tokens: readonly string[]): CheckAccess {
  if (tokens.length === 0) {
    let known = ''; // a connection says the same again and again
    return ({ headers: { host = '', origin } }) => {
      if (host === known && origin === undefined) return;
      expectOwnSite(host, origin);
      known = host;
    };
  }
  const isKnown = createTokenCheck(tokens);
  return ({ headers }) => {
    if (isKnown(headers.authorization)) return;
    const protocols = headers['sec-websocket-protocol'];
    if (protocols !== undefined && isKnown(protocolToken(protocols))) return;
    const message = 'Expected `Authorization: Bearer <token>` with a token of this server.';
    throw new ServeError('SERVE_TOKEN', 401, message);
  };
}

function protocolToken(protocols: string): string | undefined {
  const given = protocols.split(',').map((protocol) => protocol.trim());
  return given.find((protocol) => protocol.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
}

const LOOPBACK_NAMES = new Set(['127.0.0.1', '[::1]', 'localhost']);

export const isLoopback = (host: string): boolean =>
  LOOPBACK_NAMES.has(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

function expectOwnSite(host: string, origin: string | undefined): void {
  const name = host.replace(/:\d+$/, '');
  const own = origin === undefined || origin.replace(/^https?:\/\//, '') === host;
  if (own && (host === '' || LOOPBACK_NAMES.has(name))) return;
  const message =
    'A server without tokens answers programs of its own machine, and its own page alone: give it a token.';
  throw new ServeError('SERVE_ORIGIN', 403, message);
}

/** Hashes are compared, in constant time: neither length nor content of a token shows in how long it takes. */
function createTokenCheck(tokens: readonly string[]): (given: string | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const known = tokens.map(hash);
  return (text = '') => {
    const given = hash(text.replace(/^Bearer /i, ''));
    return known.map((token) => timingSafeEqual(token, given)).includes(true);
  };
}
