/**
 * What recurrent policies remember of their clients' episodes. A session begins with a step that says so, and ends with one that says so, with its
 * connection, or when nobody has used it for a while. One step of a session is taken at a time, in the order in which they came; sessions beside it go
 * through the model in the same batch.
 *
 * A state is never lost in silence: a step of a session that is not here, any more or yet, is refused, and its client begins anew.
 */
import { ServeError } from '../errors.ts';

export interface SessionLimits {
  /** Sessions at a time, of all models. */
  readonly maxSessions: number;
  /** A session that has not been used for so long is gone, ms. */
  readonly sessionMs: number;
}

/** Text of a client's, or the connection that is one. */
export type SessionKey = string | WeakKey;

export interface Memory {
  readonly states: Float32Array; // [S] f32
  /** `LoadedModel.stateLayout` of the version that wrote it. */
  readonly layout: string;
}

export interface Step {
  /** An episode begins: what was before is forgotten. */
  readonly begins: boolean;
  /** It is over with this step. */
  readonly ends: boolean;
  readonly timeoutMs: number;
}

export interface Sessions {
  readonly count: number;
  /**
   * Takes a step when those before it have been taken.
   *
   * @param act is given what is remembered, null where an episode begins, and the time that is left. Where it fails, the session is as it was.
   * @throws ServeError `SERVE_SESSION_UNKNOWN` 404, `SERVE_SESSIONS_FULL` 429, `SERVE_QUEUE_FULL` 429, `SERVE_TIMEOUT` 504; what `act` throws.
   */
  step<A extends { readonly memory: Memory }>(
    key: SessionKey,
    step: Step,
    act: (memory: Memory | null, timeoutMs: number) => Promise<A>,
  ): Promise<A>;
  /** The connection that was this session is gone. */
  release(key: SessionKey): void;
}

interface Session {
  /** null = no episode has begun. */
  memory: Memory | null;
  /** Of `performance.now()`, ms. */
  usedAt: number;
  isBusy: boolean;
  /** Steps that wait for the one that is taken. */
  readonly waiting: (() => void)[];
}

/** Steps of one session that may wait for each other: nobody knows what to ask next before the answer is there. */
const MAX_WAITING = 64;
/** Those that are over are looked for this often at most, ms: thousands may have to be looked through. */
const SWEEP_MS = 100;

export function createSessions({ maxSessions, sessionMs }: SessionLimits): Sessions {
  const sessions = new Map<SessionKey, Session>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const isOver = ({ isBusy, usedAt }: Session, key: SessionKey, now: number) =>
    !isBusy && typeof key === 'string' && now - usedAt >= sessionMs; // a connection says itself when it is gone
  const sweep = (now: number): void => {
    if (now - sweptAt < SWEEP_MS) return;
    sweptAt = now;
    for (const [key, session] of sessions) if (isOver(session, key, now)) sessions.delete(key);
  };
  const find = (key: SessionKey, begins: boolean, now: number): Session => {
    const found = sessions.get(key);
    if (found !== undefined && !isOver(found, key, now)) return found;
    sessions.delete(key);
    if (!begins) throw unknown(sessionMs);
    if (sessions.size >= maxSessions) sweep(now);
    if (sessions.size >= maxSessions) {
      const message = `${maxSessions} sessions are there already: end those that are done, or wait until some have not been used for ${sessionMs} ms.`;
      throw new ServeError('SERVE_SESSIONS_FULL', 429, message);
    }
    const session: Session = { memory: null, usedAt: now, isBusy: false, waiting: [] };
    sessions.set(key, session);
    return session;
  };
  const leave = (key: SessionKey, session: Session): void => {
    session.usedAt = performance.now();
    const next = session.waiting.shift();
    session.isBusy = next !== undefined;
    next?.();
    if (session.isBusy) return;
    if (session.memory === null && sessions.get(key) === session) sessions.delete(key);
  };
  return {
    get count() {
      sweep(performance.now());
      return sessions.size;
    },
    async step(key, { begins, ends, timeoutMs }, act) {
      const cameAt = performance.now();
      const session = find(key, begins, cameAt);
      await enter(session);
      try {
        const left = timeoutMs - (performance.now() - cameAt);
        if (left <= 0) throw new ServeError('SERVE_TIMEOUT', 504, 'The step waited longer than its timeout.');
        if (!begins && session.memory === null) throw unknown(sessionMs);
        const answer = await act(begins ? null : session.memory, left);
        session.memory = ends ? null : answer.memory;
        return answer;
      } finally {
        leave(key, session);
      }
    },
    release: (key) => void sessions.delete(key),
  };
}

function enter(session: Session): Promise<void> | void {
  if (!session.isBusy) {
    session.isBusy = true;
    return;
  }
  if (session.waiting.length >= MAX_WAITING) {
    const message = `${MAX_WAITING} steps of this session wait already: ask for the next when the last has its answer.`;
    throw new ServeError('SERVE_QUEUE_FULL', 429, message);
  }
  return new Promise((resolve) => void session.waiting.push(resolve));
}

function unknown(sessionMs: number): ServeError {
  const message = `No episode of this session is under way here: none was begun at this process, it has ended, or it was not used for ${sessionMs} ms. Begin one with \`reset\`.`;
  return new ServeError('SERVE_SESSION_UNKNOWN', 404, message);
}
