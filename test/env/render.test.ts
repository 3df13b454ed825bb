import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode as decodePng } from 'fast-png';
import { decodeFrames } from 'modern-gif';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Env, RgbFrame } from '../../src/env/env.ts';
import { createCanvas } from '../../src/env/render/canvas.ts';
import { frameToText, shrinkFrame } from '../../src/env/render/frame-text.ts';
import { gridFrame } from '../../src/env/render/grid-frame.ts';
import { writeFrames } from '../../src/env/render/write-frames.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import { recordVideo } from '../../src/env/wrappers/index.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'operant-render-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One letter per pixel: `.` white, `#` anything else. */
const sketch = ({ width, height, pixels }: RgbFrame) =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => (pixels[(y * width + x) * 3] === 255 ? '.' : '#')).join(''),
  );

describe('canvas', () => {
  it('fills rectangles and clips them', () => {
    const canvas = createCanvas(5, 3);
    canvas.rectangle(-2, 1, 4, 9, [0, 0, 0]);
    expect(sketch(canvas.frame)).toEqual(['.....', '##...', '##...']);
  });

  it('fills convex polygons, whichever way their corners turn', () => {
    const corners = [
      [0, 0],
      [6, 0],
      [0, 6],
    ] as const;
    for (const order of [corners, [...corners].reverse()]) {
      const canvas = createCanvas(6, 6);
      canvas.polygon(order, [0, 0, 0]);
      expect(sketch(canvas.frame)).toEqual(['#####.', '####..', '###...', '##....', '#.....', '......']);
    }
  });

  it('draws discs, lines and digits', () => {
    const canvas = createCanvas(5, 5);
    canvas.disc([2.5, 2.5], 2.4, [0, 0, 0]);
    expect(sketch(canvas.frame)).toEqual(['.###.', '#####', '#####', '#####', '.###.']);
    const line = createCanvas(6, 3);
    line.line([0, 1.5], [6, 1.5], 1, [0, 0, 0]);
    expect(sketch(line.frame)).toEqual(['......', '######', '......']);
    const text = createCanvas(8, 5);
    text.digits('17', 0, 0, 1, [0, 0, 0]);
    expect(sketch(text.frame)).toEqual(['.#..###.', '##....#.', '.#....#.', '.#...#..', '###..#..']);
  });

  it('paints grids', () => {
    const { width, height, pixels } = gridFrame(
      2,
      3,
      (row, column) => ({ color: [row * 100, column * 50, 9], mark: row === 1 ? [1, 2, 3] : undefined }),
      8,
    );
    expect([width, height]).toEqual([24, 16]);
    const at = (x: number, y: number) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
    expect(at(18, 2)).toEqual([0, 100, 9]);
    expect(at(12, 12)).toEqual([1, 2, 3]);
  });
});

describe('text', () => {
  it('shows two pixels per character', () => {
    const canvas = createCanvas(2, 2, [10, 20, 30]);
    canvas.rectangle(0, 1, 2, 1, [1, 2, 3]);
    const cell = '\x1b[38;2;10;20;30m\x1b[48;2;1;2;3m\u2580';
    expect(frameToText(canvas.frame)).toBe(`${cell}${cell}\x1b[0m`);
  });

  it('shrinks by averaging', () => {
    const canvas = createCanvas(4, 2, [0, 0, 0]);
    canvas.rectangle(0, 0, 1, 2, [200, 100, 40]);
    expect(shrinkFrame(canvas.frame, 2, 1)).toEqual({
      width: 2,
      height: 1,
      pixels: Uint8Array.of(100, 50, 20, 0, 0, 0),
    });
  });
});

/** A red square that walks. */
function walker(): Env {
  let t = 0;
  return {
    observationSpace: new Box(0, 99, [1]),
    actionSpace: new Discrete(2),
    reset: () => {
      t = 0;
      return { observation: [t] };
    },
    step: () => ({ observation: [++t], reward: 0, terminated: t === 3, truncated: false }),
    render: () => {
      const canvas = createCanvas(20, 10);
      canvas.rectangle(5 * t, 0, 5, 5, [255, 0, 0]);
      return canvas.frame;
    },
  };
}
const frames = (): RgbFrame[] => {
  const env = walker();
  env.reset();
  return [0, 1, 2].map(() => {
    env.step(0);
    return env.render?.() as RgbFrame;
  });
};

/** A copy without an offset: small files are read into a shared pool. */
const bytesOf = (path: string) => Uint8Array.from(readFileSync(path));

describe('files', () => {
  it('PNG gives back the pixels', async () => {
    const [frame] = frames();
    const [path] = await writeFrames(join(folder, 'deep', 'one.png'), [frame]);
    const { width, height, data } = decodePng(readFileSync(path));
    expect([width, height]).toEqual([20, 10]);
    expect(Uint8Array.from(data)).toEqual(frame.pixels);
    const paths = await writeFrames(join(folder, 'many.png'), frames());
    expect(paths.map((each) => each.slice(-13))).toEqual(['many-0000.png', 'many-0001.png', 'many-0002.png']);
  });

  it('GIF gives back the frames', async () => {
    const [path] = await writeFrames(join(folder, 'walk.gif'), frames(), 20);
    const decoded = decodeFrames(bytesOf(path));
    expect(decoded).toHaveLength(3);
    expect(decoded[0].delay).toBe(50);
    frames().forEach(({ pixels }, k) => {
      const rgb = [...decoded[k].data].filter((_, i) => i % 4 < 3);
      expect(rgb).toEqual([...pixels]);
    });
  });

  it('refuses other extensions and frames of different sizes', async () => {
    await expect(writeFrames('x.mp4', frames())).rejects.toMatchObject({ code: 'CONFIG_RENDER_FILE' });
    await expect(writeFrames('x.gif', [])).rejects.toMatchObject({ code: 'CONFIG_RENDER_FRAMES' });
    await expect(writeFrames('x.gif', [...frames(), createCanvas(3, 3).frame])).rejects.toMatchObject({
      code: 'CONFIG_RENDER_FRAMES',
    });
  });

  it('recordVideo films every n-th episode', async () => {
    const env = recordVideo(walker(), { folder: join(folder, 'video'), every: 2 });
    for (let episode = 0; episode < 4; episode++) {
      env.reset();
      for (let t = 0; t < 3; t++) env.step(0);
    }
    env.reset();
    env.step(0);
    const paths = await env.finish();
    expect(paths.map((path) => path.slice(-18))).toEqual([
      'episode-000000.gif',
      'episode-000002.gif',
      'episode-000004.gif',
    ]);
    expect(paths.map((path) => decodeFrames(bytesOf(path)).length)).toEqual([4, 4, 2]);
    const { render: _render, ...blind } = walker();
    expect(() => recordVideo(blind, { folder })).toThrowError(
      expect.objectContaining({ code: 'CONFIG_WRAPPER' }),
    );
    const writer = recordVideo({ ...walker(), render: () => 'text' }, { folder });
    expect(() => writer.reset()).toThrow(/gave text/);
  });
});
