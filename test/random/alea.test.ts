import seedrandom from 'seedrandom';
import { describe, expect, it } from 'vitest';
import { aleaFrom } from '../../src/random/alea.ts';
import { openStream } from '../../src/random/streams.ts';

type Reference = (() => number) & { state(): { c: number; s0: number; s1: number; s2: number } };

describe('aleaFrom', () => {
  it('draws what seedrandom.alea draws from the same state, and stands where that stands', () => {
    const reference = seedrandom.alea('5/replay', { state: true }) as unknown as Reference;
    const stream = aleaFrom(openStream(5, 'replay').getState());
    for (let k = 0; k < 10_000; k++) expect(stream.uniform()).toBe(reference());
    expect(stream.getState()).toEqual(reference.state());
    expect(stream.integer(1000)).toBe(Math.floor(reference() * 1000));
  });

  it('goes on from a state that was kept', () => {
    const stream = openStream(7, 'noise');
    stream.uniform();
    const state = stream.getState();
    const next = [stream.uniform(), stream.normal()];
    stream.setState(state);
    const { uniform, normal } = stream; // alone, too
    expect([uniform(), normal()]).toEqual(next);
  });
});
