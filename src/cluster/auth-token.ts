/** Ray's token, where Ray itself looks for it. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const tokenFile = ({ RAY_AUTH_TOKEN_PATH }: NodeJS.ProcessEnv) =>
  RAY_AUTH_TOKEN_PATH ?? join(homedir(), '.ray', 'auth_token');

/** Whether Ray uses a token here: it is passed on by Ray itself, and never looked at. */
export function hasToken(environment: NodeJS.ProcessEnv = process.env): boolean {
  const { RAY_AUTH_TOKEN, RAY_AUTH_MODE } = environment;
  if (RAY_AUTH_MODE !== 'token') return false;
  return (RAY_AUTH_TOKEN ?? '') !== '' || existsSync(tokenFile(environment));
}

/**
 * The token itself, for requests over HTTP: sent in a header, never written anywhere. null = there is none, or `RAY_AUTH_MODE=disabled`. As in Ray a token that
 * is there is used when no mode is set.
 */
export function readToken(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { RAY_AUTH_TOKEN, RAY_AUTH_MODE } = environment;
  if (RAY_AUTH_MODE !== undefined && RAY_AUTH_MODE !== 'token') return null;
  if (RAY_AUTH_TOKEN !== undefined && RAY_AUTH_TOKEN !== '') return RAY_AUTH_TOKEN;
  try {
    return readFileSync(tokenFile(environment), 'utf8').trim() || null;
  } catch {
    return null;
  }
}
