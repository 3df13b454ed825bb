/** One hub for an address in this thread, shared by the rows of training and evaluation. */
import { ConfigError } from '../../errors.ts';
import type { ExternalOptions } from './external-options.ts';
import { closeHub, createHub } from './hub.ts';
import type { Front, Gate, Hub } from './parties.ts';

/** A hub that was only looked at stays: its rows will come, and a game that connected once would not do so twice. */
const LINGER_MS = 60_000;

interface Opened {
  readonly hub: Hub;
  readonly options: ExternalOptions;
  readonly retain: () => void;
}

const opened = new Map<string, Promise<Opened>>();

/** One user more; each calls `release`. @throws ConfigError `CONFIG_PORT`, `CONFIG_ENV_OPTION`, and what a program's start throws. */
export async function openHub(options: ExternalOptions): Promise<Hub> {
  const { scheme, host, port, name } = options;
  const key = scheme === 'stdio' ? `${scheme}:${name}` : `${host}:${port}`;
  let opening = opened.get(key);
  if (opening === undefined) {
    opening = open(options, () => opened.delete(key));
    opened.set(key, opening);
    opening.catch(() => opened.delete(key));
  }
  const { hub, retain, options: there } = await opening;
  if (there.reference !== options.reference || there.token !== options.token)
    throw new ConfigError(
      'CONFIG_ENV_OPTION',
      `${options.reference} and ${there.reference} want the same address, ${key}, under different names or tokens: give each a \`port\` of its own.`,
    );
  retain();
  return hub;
}

async function open(options: ExternalOptions, forget: () => void): Promise<Opened> {
  let linger: NodeJS.Timeout | undefined;
  const close = () => {
    forget();
    closeHub(state);
  };
  const { state, gate, hub } = createHub(options, () => {
    if (state.hasLeased) {
      close();
      return;
    }
    state.front?.setIdle(true);
    linger = setTimeout(close, LINGER_MS).unref();
  });
  state.front = await openFront(options, gate);
  return {
    hub,
    options,
    retain() {
      clearTimeout(linger);
      if (state.numUsers === 0) state.front?.setIdle(false);
      state.numUsers += 1;
    },
  };
}

async function openFront(options: ExternalOptions, gate: Gate): Promise<Front> {
  switch (options.scheme) {
    case 'external':
      return (await import('./web-socket-front.ts')).listenForWebSockets(options, gate);
    case 'stdio':
      return (await import('./stdio-front.ts')).startPrograms(options, gate);
    case 'godot':
      return (await import('./godot-front.ts')).listenForGodot(options, gate);
  }
}
