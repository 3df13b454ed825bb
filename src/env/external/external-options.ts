/** The options of a simulator that connects, and what its id says. */
import { isIP } from 'node:net';
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { checkInteger, checkRange, readEnvOptions } from '../env-options.ts';

/** `external:` a WebSocket, `stdio:` a program's own input and output, `godot:` the plugin of Godot RL Agents. */
export type ExternalScheme = 'external' | 'stdio' | 'godot';

export interface ExternalOptions {
  readonly scheme: ExternalScheme;
  /** The whole id: `external:Maze`. */
  readonly reference: string;
  /** What is behind the scheme: the simulator's name, or the command line of a program. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** null = none is asked for. */
  readonly token: string | null;
  readonly connectSeconds: number;
  readonly stepDeadlineSeconds: number;
  readonly maxEpisodeSteps: number | null;
}

/** Both of our own clients and of Godot's plugin. */
const PORT = 11008;
const TOKEN_VARIABLE = 'OPERANT_EXTERNAL_TOKEN';
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** @throws ConfigError `CONFIG_ENV_OPTION`. */
export function readExternalOptions(given: JsonObject = {}): ExternalOptions {
  const reference = String(given.reference);
  const at = reference.indexOf(':');
  const scheme = reference.slice(0, at) as ExternalScheme;
  const times = {
    reference: '',
    connectSeconds: 60,
    stepDeadlineSeconds: 30,
    maxEpisodeSteps: null,
  };
  const place = { host: '127.0.0.1', port: PORT };
  const options = {
    ...{ host: place.host, port: 0, token: null },
    ...(scheme === 'stdio'
      ? readEnvOptions(reference, given, times)
      : scheme === 'godot'
        ? readEnvOptions(reference, given, { ...times, ...place })
        : readEnvOptions(reference, given, { ...times, ...place, token: null })),
  };
  checkInteger(reference, 'port', options.port, 0, 65535);
  checkRange(reference, 'connectSeconds', options.connectSeconds, 0.1, 86_400);
  checkRange(reference, 'stepDeadlineSeconds', options.stepDeadlineSeconds, 0.1, 86_400);
  const token = tokenOf(reference, options.token);
  if (!LOOPBACK.test(options.host)) requireGuard(reference, scheme, options.host, token);
  return { ...options, token, scheme, name: reference.slice(at + 1) };
}

function tokenOf(reference: string, given: unknown): string | null {
  const token = given ?? process.env[TOKEN_VARIABLE] ?? null;
  if (token === null || (typeof token === 'string' && token.length >= 8)) return token;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`token\` of ${reference} to be a text of at least 8 characters, got one of ${String(token).length}. It may stand in ${TOKEN_VARIABLE} instead.`,
  );
}

function requireGuard(reference: string, scheme: ExternalScheme, host: string, token: string | null): void {
  if (isIP(host) === 0 && !/^[\w.-]+$/.test(host))
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `Expected option \`host\` of ${reference} to be an address, got ${host}.`,
    );
  if (scheme === 'godot')
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `Option \`host\` of ${reference} is ${host}, and Godot's protocol has no token: listen on 127.0.0.1, and let the other machine come through a tunnel (ssh -R).`,
    );
  if (token === null)
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `Option \`host\` of ${reference} is ${host}, where other machines may connect: give a \`token\` (or ${TOKEN_VARIABLE}), which clients then have to show.`,
    );
}
