/** Who takes part when a simulator connects: a front end with a link to each client, the hub, and the slots that rows lease. */
import type { ConfigError, EnvError } from '../../errors.ts';
import type { ActionArray } from '../vector-env.ts';
import type { Answer, Description, FrameLayout } from './messages.ts';

/** What a front end does for one client. */
export interface Link {
  /** Sends a command for one of its environments, now or with others. */
  send(index: number, operation: number, seed: number, action: ActionArray | null): void;
  /** Ends the connection; `reason` is told to the client. */
  end(reason: string): void;
  /** All its environments step together, so they belong to the rows of one vector environment. */
  readonly isLockstep: boolean;
}

/** One environment of a client. */
export interface Slot {
  readonly client: Client;
  readonly index: number;
  readonly answer: Answer;
  isLeased: boolean;
  /** What the client still owes, whether anybody waits for it or not. */
  asked: Asked | null;
}

export interface Asked {
  readonly isReset: boolean;
  /** It has answered, or never will. */
  readonly settle: (error: EnvError | null) => void;
  /** Nobody waits any more. */
  readonly abandon: (error: EnvError) => void;
}

/** One client, as the front end sees it. */
export interface Client {
  readonly description: Description;
  readonly layout: FrameLayout;
  readonly slots: readonly Slot[];
  /** An answer lies in `slot.answer`. */
  deliver(slot: Slot): void;
  /** Its environment could not answer. */
  fail(slot: Slot, reason: string): void;
  /** It is gone; whoever waits for it is told. */
  leave(reason: string): void;
}

export interface Hub {
  /** Of the first client; waits for one. @throws EnvError `ENV_NO_CLIENT`. */
  describe(): Promise<Description>;
  /** An environment for a row; waits for one. @throws EnvError `ENV_NO_CLIENT`. */
  lease(owner: object): Promise<Slot>;
  /** The row does not need it any more. */
  free(slot: Slot): void;
  /** @returns when `slot.answer` holds it. @throws EnvError `ENV_CLIENT_GONE`, `ENV_CLIENT_FAILED`, `ENV_DEADLINE`. */
  ask(slot: Slot, operation: number, seed: number, action: ActionArray | null): Promise<void>;
  /** One user less; after the last one it closes. */
  release(): void;
}

/** What listens, or starts programs. */
export interface Front {
  /** For people: `ws://127.0.0.1:11008`. */
  readonly address: string;
  /** So many environments are waited for. */
  want(count: number): void;
  /** Whether the process may end although it listens. */
  setIdle(isIdle: boolean): void;
  close(): void;
}

/** What a front end tells the hub. */
export interface Gate {
  /** @throws Garbage when the client cannot be used. */
  join(description: Description, link: Link): Client;
  /** Nobody will come any more. */
  giveUp(error: ConfigError): void;
  tell(text: string): void;
}
