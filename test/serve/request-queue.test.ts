import { describe, expect, test } from 'vitest';
import { createRequestQueue, type QueuedRequest } from '../../src/serve/request-queue.ts';

interface Named extends QueuedRequest {
  readonly name: string;
}

function queueOf(maxQueued = 100) {
  const rejected: string[] = [];
  const queue = createRequestQueue<Named>(
    { numPriorities: 3, maxQueued },
    ({ name }, error) => void rejected.push(`${name} ${error.code}`),
  );
  let clock = 0;
  const add = (name: string, priority: number, { numRows = 1, deadline = Infinity } = {}) =>
    queue.add({
      name,
      priority,
      numRows,
      deadline,
      enqueuedAt: clock++,
    });
  const take = (maxRows: number, now = 0) => queue.take(maxRows, now).map(({ name }) => name);
  return { queue, add, take, rejected };
}

describe('a queue of requests', () => {
  test('gives the most urgent first, and within a level the oldest', () => {
    const { add, take, queue } = queueOf();
    add('a3', 3);
    add('b1', 1);
    add('c2', 2);
    add('d1', 1);
    expect(queue.depths()).toEqual([2, 1, 1]);
    expect(take(3)).toEqual(['b1', 'd1', 'c2']);
    expect(take(3)).toEqual(['a3']);
    expect(take(3)).toEqual([]);
  });

  test('fills a batch with whole requests, and gives one that is larger than a batch alone', () => {
    const { add, take } = queueOf();
    add('a', 1, { numRows: 2 });
    add('b', 1, { numRows: 3 });
    add('c', 1, { numRows: 9 });
    expect(take(4)).toEqual(['a']);
    expect(take(4)).toEqual(['b']);
    expect(take(4)).toEqual(['c']);
  });

  test('starves nobody: every eighth batch begins with the oldest of all', () => {
    const { add, take } = queueOf();
    add('patient', 3);
    const order: string[] = [];
    for (let k = 0; k < 20; k++) {
      add(`urgent ${k}`, 1);
      order.push(...take(1));
    }
    expect(order.indexOf('patient')).toBe(7);
  });

  test('drops what is too late before it is computed, and refuses what is too much', () => {
    const { add, take, rejected } = queueOf(2);
    add('late', 2, { deadline: 5 });
    add('in time', 2, { deadline: 50 });
    expect(() => add('third', 2)).toThrow(expect.objectContaining({ code: 'SERVE_QUEUE_FULL', status: 429 }));
    add('elsewhere', 1);
    expect(take(9, 10)).toEqual(['elsewhere', 'in time']);
    expect(rejected).toEqual(['late SERVE_TIMEOUT']);
  });
});
