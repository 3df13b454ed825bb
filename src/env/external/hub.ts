/**
 * Where simulators that connect and the rows that want one meet. One for an address in a thread; it listens from the first row that asks to the last that is
 * closed. A row leases an environment of some client, keeps it while both live, and steps it at its own pace.
 */

import { isDeepStrictEqual } from 'node:util';
import { EnvError, isOperantError } from '../../errors.ts';
import type { ActionArray } from '../vector-env.ts';
import type { ExternalOptions } from './external-options.ts';
import { type Description, emptyAnswer, frameLayout, Garbage, Operation, sameAs } from './messages.ts';
import type { Client, Front, Gate, Hub, Link, Slot } from './parties.ts';

interface Member extends Client {
  readonly link: Link;
  /** Of a client in lockstep: the vector environment whose rows it serves. */
  owner: object | null;
  isGone: boolean;
}

interface Waiter {
  /** null = for a description. */
  readonly owner: object | null;
  readonly settle: (result: Slot | Error | null) => void;
}

interface State {
  readonly options: ExternalOptions;
  readonly members: Member[];
  readonly waiters: Waiter[];
  first: Description | null;
  front: Front | null;
  numUsers: number;
  hasLeased: boolean;
  onEmpty: () => void;
}

export function createHub(
  options: ExternalOptions,
  onEmpty: () => void,
): { state: State; gate: Gate; hub: Hub } {
  const state: State = {
    ...{
      options,
      members: [],
      waiters: [],
      first: null,
      front: null,
      numUsers: 0,
      hasLeased: false,
      onEmpty,
    },
  };
  const tell = (text: string) => void process.stderr.write(`[${options.reference}] ${text}\n`);
  return {
    state,
    gate: {
      join: (description, link) => join(state, description, link, tell),
      giveUp(error) {
        for (const waiter of state.waiters.splice(0)) waiter.settle(error);
      },
      tell,
    },
    hub: {
      describe: async () => {
        if (state.first === null) await wait(state, null, tell);
        return state.first as unknown as Description;
      },
      lease: async (owner) => {
        state.hasLeased = true;
        return freeSlot(state, owner) ?? ((await wait(state, owner, tell)) as Slot);
      },
      free(slot) {
        slot.isLeased = false;
        const { client, asked } = slot;
        const member = client as Member;
        if (member.slots.every(({ isLeased }) => !isLeased)) member.owner = null;
        asked?.abandon(gone('the row was closed'));
        serve(state);
      },
      ask: (slot, operation, seed, action) => ask(state, slot, operation, seed, action),
      release() {
        state.numUsers -= 1;
        if (state.numUsers === 0) state.onEmpty();
      },
    },
  };
}

export function closeHub({ members, front, waiters }: State): void {
  for (const waiter of waiters.splice(0)) waiter.settle(gone('the run has ended'));
  for (const member of [...members]) {
    member.link.end('');
    member.leave('the run has ended');
  }
  front?.close();
}

function join(state: State, description: Description, link: Link, tell: (text: string) => void): Client {
  const { members } = state;
  checkSame(state, description);
  const layout = frameLayout(description);
  const member: Member = {
    ...{ description, layout, link, owner: null, isGone: false },
    slots: Array.from({ length: description.numEnvs }, (_, index): Slot => {
      const place = { index, answer: emptyAnswer(layout), isLeased: false, asked: null };
      return Object.defineProperty(place as unknown as Slot, 'client', {
        get: () => member,
        enumerable: false,
      });
    }),
    deliver: ({ asked }) => asked?.settle(null),
    fail: ({ asked }, reason) =>
      asked?.settle(
        new EnvError('ENV_CLIENT_FAILED', `the environment of the client failed: ${reason.slice(0, 1000)}`),
      ),
    leave(reason) {
      if (member.isGone) return;
      member.isGone = true;
      members.splice(members.indexOf(member), 1);
      for (const { asked } of member.slots) asked?.settle(gone(reason));
      tell(`a client with ${numberOf(description)} has left: ${reason}`);
    },
  };
  members.push(member);
  state.first ??= description;
  tell(`a client with ${numberOf(description)} has come`);
  serve(state);
  return member;
}

const numberOf = ({ numEnvs }: Description) => `${numEnvs} environment${numEnvs === 1 ? '' : 's'}`;

/** @throws Garbage for another simulator, or spaces that are not those of the clients before it. */
function checkSame({ options, first }: State, description: Description): void {
  const { name } = description;
  if (options.scheme === 'external' && name !== null && name !== options.name)
    throw new Garbage(`This run trains in ${options.name}, and the client is ${name}`);
  if (first === null) return;
  const [here, there] = [sameAs(description), sameAs(first)];
  const field = Object.keys(there).find((key) => !isDeepStrictEqual(here[key], there[key]));
  if (field !== undefined)
    throw new Garbage(
      `Expected \`${field}\` to be that of the first client, ${JSON.stringify(there[field])}, got ${JSON.stringify(here[field])}`,
    );
}

function freeSlot({ members }: State, owner: object): Slot | null {
  for (const member of members) {
    if (member.link.isLockstep && member.owner !== null && member.owner !== owner) continue;
    const slot = member.slots.find(({ isLeased, asked }) => !isLeased && asked === null);
    if (slot === undefined) continue;
    slot.isLeased = true;
    member.owner = owner;
    return slot;
  }
  return null;
}

/** Gives what is free to whoever waits, in their order. */
function serve(state: State): void {
  for (const waiter of [...state.waiters]) {
    if (waiter.owner === null) {
      if (state.first !== null) waiter.settle(null);
      continue;
    }
    const slot = freeSlot(state, waiter.owner);
    if (slot !== null) waiter.settle(slot);
  }
}

function wait(state: State, owner: object | null, tell: (text: string) => void): Promise<Slot | null> {
  const { options, waiters, front } = state;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => waiter.settle(nobody(state)), options.connectSeconds * 1000);
    const waiter: Waiter = {
      owner,
      settle(result) {
        clearTimeout(timer);
        const at = waiters.indexOf(waiter);
        if (at >= 0) waiters.splice(at, 1);
        if (result instanceof Error) reject(result);
        else resolve(result);
      },
    };
    waiters.push(waiter);
    front?.want(waiters.length);
    if (waiters.length === 1 && front !== null) tell(`waits for a client at ${front.address}`);
  });
}

function nobody({ options, waiters, front, members }: State): EnvError {
  const numThere = members.reduce((sum, { slots }) => sum + slots.length, 0);
  return new EnvError(
    'ENV_NO_CLIENT',
    `No free environment of ${options.reference} came to ${front?.address} within ${options.connectSeconds} s; ${numThere} are there, and ${waiters.length} more are wanted. ` +
      'Start the simulator (it may connect before or after Operant begins), lower `numEnvs`, or raise `connectSeconds`',
    {},
    { cause: { isFinal: true } },
  );
}

function ask(
  state: State,
  slot: Slot,
  operation: number,
  seed: number,
  action: ActionArray | null,
): Promise<void> {
  const { options } = state;
  const member = slot.client as Member;
  if (member.isGone) return Promise.reject(gone('it had left before'));
  return new Promise((resolve, reject) => {
    const abandon = (error: EnvError) => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(() => abandon(late(options, operation)), options.stepDeadlineSeconds * 1000);
    slot.asked = {
      isReset: operation === Operation.RESET,
      abandon,
      settle(error) {
        slot.asked = null;
        if (error !== null) abandon(error);
        else {
          clearTimeout(timer);
          resolve();
        }
        if (!slot.isLeased) serve(state);
      },
    };
    member.link.send(slot.index, operation, seed, action);
  });
}

function gone(reason: string): EnvError {
  return new EnvError('ENV_CLIENT_GONE', `the client that played it is gone: ${reason}`);
}

function late({ stepDeadlineSeconds }: ExternalOptions, operation: number): EnvError {
  const what = operation === Operation.RESET ? 'a reset' : 'a step';
  return new EnvError(
    'ENV_DEADLINE',
    `the client has not answered ${what} within ${stepDeadlineSeconds} s (\`stepDeadlineSeconds\`)`,
  );
}

/** What a client is told of an error of its own. */
export function reasonFor(error: unknown): string {
  if (error instanceof Garbage || isOperantError(error)) return error.message;
  return `Operant could not go on: ${error instanceof Error ? error.message : String(error)}`;
}
