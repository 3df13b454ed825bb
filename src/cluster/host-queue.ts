/**
 * What one host is asked, in order, a few requests ahead (credits): it works on the next one while an answer travels, and never has more than
 * `MAX_IN_FLIGHT` unanswered. When it is lost, everything that is not answered is asked again of its replacement.
 */
import { fromErrorMessage } from '../rollout/error-message.ts';
import { RequestFailure } from './bridge.ts';
import type { HostReply, HostRequest } from './host-messages.ts';
import type { HostReplyFrame, RemoteHost } from './remote-host.ts';

/** Two, and a host need never wait; more only makes older fragments. */
const MAX_IN_FLIGHT = 2;

export interface HostQueue {
  /**
   * @param version of the weights that it needs; null = none.
   * @param accept takes the answer, in the order of requests. @returns what it makes of it.
   */
  run<T>(request: HostRequest, version: number | null, accept: (answer: HostReplyFrame) => T): Promise<T>;
  /** Once what it is working on is done it is given nothing more where it is: what it is asked next, its replacement gets. */
  leave(): void;
  /** Forgets what failed: the host has begun anew. */
  reset(): void;
}

interface Job {
  readonly request: HostRequest;
  readonly version: number | null;
  readonly accept: (answer: HostReplyFrame) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  isSent: boolean;
  answer: HostReplyFrame | null;
}

export interface HostQueueOptions {
  readonly host: RemoteHost;
  /** Brings the host back to where the last accepted answer left it. @throws what ends the run. */
  readonly recover: (failure: RequestFailure) => Promise<void>;
  /** Sees every answer before it is accepted. */
  readonly onAnswer: (answer: HostReply) => void;
}

export function createHostQueue({ host, recover, onAnswer }: HostQueueOptions): HostQueue {
  const jobs: Job[] = [];
  let life = 0; // what an earlier one answers is nobody's
  let broken: { readonly error: unknown } | null = null;
  let isMending = false;
  let isLeaving = false;
  const breakDown = (error: unknown) => {
    broken = { error };
    life += 1;
    for (const job of jobs.splice(0)) job.reject(error);
  };
  const mend = async (failure: RequestFailure) => {
    const mine = ++life;
    isMending = true;
    isLeaving = false;
    for (const job of jobs) {
      job.isSent = false;
      job.answer = null;
    }
    try {
      await recover(failure);
      isMending = false;
      if (life === mine) pump();
    } catch (error) {
      isMending = false;
      if (life === mine) breakDown(error);
    }
  };
  const settle = () => {
    while (jobs.length > 0 && jobs[0].answer !== null) {
      onAnswer(jobs[0].answer.message);
      const failure = handOver(jobs[0], jobs[0].answer);
      if (failure !== null) return breakDown(failure.error);
      jobs.shift();
    }
    pump();
  };
  const pump = () => {
    if (isLeaving) {
      if (jobs.length > 0 && !jobs[0].isSent)
        void mend(new RequestFailure('DRAINING', "the host's node is going"));
      return;
    }
    for (const job of jobs.slice(0, MAX_IN_FLIGHT)) {
      if (job.isSent) continue;
      job.isSent = true;
      const mine = life;
      host.request(job.request, job.version).then(
        (answer) => {
          if (life !== mine) return;
          job.answer = answer;
          settle();
        },
        (failure: RequestFailure) => {
          if (life === mine) void mend(failure);
        },
      );
    }
  };
  return {
    run<T>(request: HostRequest, version: number | null, accept: (answer: HostReplyFrame) => T) {
      return new Promise<T>((resolve, reject) => {
        if (broken !== null) return reject(broken.error);
        const job = { request, version, accept, resolve: resolve as Job['resolve'], reject };
        jobs.push({ ...job, isSent: false, answer: null });
        if (!isMending) pump();
      });
    },
    leave() {
      isLeaving = !isMending;
    },
    reset() {
      isLeaving = false;
      breakDown(new TypeError('The host began anew.'));
      broken = null;
    },
  };
}

/** Gives an answer to who waits for it. @returns why the queue ends with it; null = it does not. */
function handOver({ accept, resolve }: Job, answer: HostReplyFrame): { readonly error: unknown } | null {
  if (answer.message.kind === 'failed') return { error: fromErrorMessage(answer.message.error) };
  try {
    resolve(accept(answer));
    return null;
  } catch (error) {
    return { error };
  }
}
