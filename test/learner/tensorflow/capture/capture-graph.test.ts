import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../../src/errors.ts';
import { loadTensorFlow } from '../../../../src/learner/tensorflow/backend.ts';
import { captureGraph } from '../../../../src/learner/tensorflow/capture/capture-graph.ts';
import { createGraphRecorder } from '../../../../src/learner/tensorflow/capture/graph-recorder.ts';
import { openGraphSession } from '../../../../src/learner/tensorflow/capture/graph-session.ts';
import type { NodeBackend } from '../../../../src/learner/tensorflow/native-binding.ts';
import type { Tensor, TensorFlow } from '../../../../src/policy/tensor-types.ts';
import { noNativeBinding } from '../native.ts';

const graphFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('operant-graph-')).length;

describe.skipIf(noNativeBinding !== null)('captureGraph', () => {
  let tf: TensorFlow;
  beforeAll(async () => {
    ({ tf } = await loadTensorFlow({ backend: 'node-gpu' }));
  });

  it("trains with tfjs' own Adam as eager tfjs does, and moves the variables only when asked", () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const target = tf.tensor1d([1, -1, 0.5]);
    const run = (captured: boolean) => {
      const kernel = tf.variable(tf.tensor2d([0.3, -0.2], [2, 1]), true);
      const bias = tf.variable(tf.scalar(0.1), true);
      const optimizer = tf.train.adam(0.05);
      const loss = (rows: Tensor, wanted: Tensor) =>
        tf.mean(
          tf.square(
            tf.sub(tf.reshape(tf.add(tf.matMul(rows as never, kernel as never), bias), [-1]), wanted),
          ),
        );
      const step = (rows: Tensor, wanted: Tensor) => {
        const { value, grads } = tf.variableGrads(() => loss(rows, wanted) as never, [kernel, bias] as never);
        optimizer.applyGradients(grads as never);
        tf.dispose(grads);
        return [value];
      };
      const functions = captureGraph(tf, { step: { fn: step, examples: [x, target] } });
      const losses = Array.from({ length: 20 }, () => {
        const [value] = captured ? functions.run('step', x, target) : step(x, target);
        const number = value.dataSync()[0];
        value.dispose();
        return number;
      });
      const before = kernel.dataSync().slice();
      functions.pull();
      const after = kernel.dataSync().slice();
      functions.dispose();
      tf.dispose([kernel, bias]);
      optimizer.dispose();
      return { losses, before, after };
    };
    const eager = run(false);
    const captured = run(true);
    captured.losses.forEach((loss, k) => {
      expect(loss).toBeCloseTo(eager.losses[k], 5);
    });
    expect(captured.losses[19]).toBeLessThan(0.9 * captured.losses[0]);
    expect(captured.before).toEqual(Float32Array.of(0.3, -0.2));
    captured.after.forEach((w, i) => {
      expect(w).toBeCloseTo(eager.before[i], 5);
    });
    tf.dispose([x, target]);
  });

  it('shares variables between functions', () => {
    const total = tf.variable(tf.scalar(10), false);
    const add = (x: Tensor) => {
      total.assign(tf.add(total, x) as never);
      return [tf.clone(x)];
    };
    const double = () => [tf.mul(total, 2)];
    const example = tf.scalar(1);
    const functions = captureGraph(tf, {
      add: { fn: add, examples: [example] },
      double: { fn: double, examples: [] },
    });
    tf.dispose(functions.run('add', example));
    tf.dispose(functions.run('add', example));
    const [doubled] = functions.run('double');
    expect(doubled.dataSync()[0]).toBe(24);
    expect(total.dataSync()[0]).toBe(10);
    functions.dispose();
    tf.dispose([doubled, total, example]);
  });

  it('records integer, boolean, gather, concat, slice and convolution operations', () => {
    const fn = (x: Tensor, i: Tensor) => {
      const rows = tf.gather(x, i as never);
      const image = tf.reshape(x, [1, 3, 3, 1]);
      const kernel = tf.ones([2, 2, 1, 2]);
      const gradient = tf.grad((k) => tf.sum(tf.square(tf.conv2d(image as never, k as never, 1, 'valid'))))(
        kernel,
      );
      const parts = tf.concat(
        [
          tf.slice(rows, [0, 1], [2, 2]),
          tf
            .pad(rows, [
              [0, 0],
              [0, 1],
            ])
            .slice([0, 0], [2, 2]),
        ],
        1,
      );
      return [
        tf.where(tf.greater(parts, 4), parts, tf.neg(parts)),
        tf.argMax(x, 1),
        tf.reshape(gradient, [-1]),
        tf.all(tf.isFinite(x)),
        tf.softplus(tf.cumsum(x, 1)),
      ];
    };
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
    const i = tf.tensor1d([2, 0], 'int32');
    const functions = captureGraph(tf, { fn: { fn, examples: [x, i] } });
    const other = tf.tensor2d([9, 1, 8, 2, 7, 3, 6, 4, 5], [3, 3]);
    const captured = functions.run('fn', other, i);
    const eager = fn(other, i);
    captured.forEach((tensor, k) => {
      expect(tensor.shape).toEqual(eager[k].shape);
      const expected = eager[k].dataSync();
      tensor.dataSync().forEach((value, j) => {
        expect(value).toBeCloseTo(expected[j], 4);
      });
    });
    functions.dispose();
    tf.dispose([captured, eager, x, i, other]);
  });

  it('adds a bias to a product as one operation, and nothing else that way', () => {
    const kernel = tf.ones([2, 2, 1, 3]);
    const fn = (x: Tensor, bias: Tensor, row: Tensor) => {
      const product = tf.matMul(x, x);
      const image = tf.conv2d(tf.reshape(x, [1, 3, 3, 1]) as never, kernel as never, 1, 'valid');
      return [
        tf.relu(tf.add(product, bias)),
        tf.add(image, bias),
        tf.add(product, row),
        tf.add(product, tf.scalar(2)),
        tf.add(x, bias),
      ];
    };
    const x = tf.tensor2d([1, -2, 3, -4, 5, -6, 7, -8, 9], [3, 3]);
    const bias = tf.tensor1d([10, -20, 30]);
    const row = tf.tensor2d([1, 2, 3], [3, 1]);
    const recorder = createGraphRecorder(tf);
    const recorded = recorder.record('fn', fn, [x, bias, row]);
    // A node's name comes first in it, after two bytes.
    const names = recorder.nodes.map((node) => Buffer.from(node).toString('latin1', 2));
    expect(names.filter((name) => name.startsWith('BiasAdd_'))).toHaveLength(2);
    const session = openGraphSession(tf, recorder);
    const captured = session.runTensors(recorded, [x, bias, row]);
    const eager = fn(x, bias, row);
    captured.forEach((tensor, k) => {
      expect([...tensor.dataSync()]).toEqual([...eager[k].dataSync()]);
    });
    session.dispose();
    tf.dispose([captured, eager, kernel, x, bias, row]);
  });

  it('names what it cannot capture', () => {
    const x = tf.scalar(2);
    const reads = (input: Tensor) => [tf.mul(input, tf.exp(input).dataSync()[0])];
    expect(() => captureGraph(tf, { reads: { fn: reads, examples: [x] } })).toThrow(EngineError);
    expect(() => captureGraph(tf, { reads: { fn: reads, examples: [x] } })).toThrow(
      /Cannot capture `reads`: it reads the value of Exp_\d+/,
    );
    // The backend works as before afterwards.
    expect(tf.exp(x).dataSync()[0]).toBeCloseTo(Math.exp(2), 5);
    x.dispose();
  });

  it('says which operation TensorFlow does not accept', () => {
    const recorder = createGraphRecorder(tf);
    const x = tf.scalar(2);
    recorder.record(
      'strange',
      (input) => {
        const output = tf.clone(input);
        recorder.emit({ op: 'NoSuchOperation', attributes: {}, inputs: [input], outputs: [output] });
        return [output];
      },
      [x],
    );
    expect(() => openGraphSession(tf, recorder)).toThrow(
      /did not accept the captured graph \(strange\).*NoSuchOperation/,
    );
    x.dispose();
  });

  it('leaks no tensors, sessions or folders over 20,000 calls', () => {
    const { binding } = tf.backend() as unknown as NodeBackend;
    const x = tf.tensor1d([1, 2, 3]);
    const weights = tf.variable(tf.tensor1d([1, 1, 1]), false);
    const folders = graphFolders();
    const sessions = binding.getNumOfSavedModels();
    const functions = captureGraph(tf, {
      step: {
        fn: (input) => {
          weights.assign(tf.mul(weights, input) as never);
          return [tf.sum(weights)];
        },
        examples: [x],
      },
    });
    expect(graphFolders()).toBe(folders);
    const tensors = tf.memory().numTensors;
    const native = binding.getNumOfTensors();
    for (let call = 0; call < 20_000; call += 1) tf.dispose(functions.run('step', x));
    expect(tf.memory().numTensors).toBe(tensors);
    expect(binding.getNumOfTensors()).toBe(native);
    expect(binding.getNumOfSavedModels()).toBe(sessions + 1);
    functions.dispose();
    expect(binding.getNumOfSavedModels()).toBe(sessions);
    tf.dispose([x, weights]);
  });
});

describe('captureGraph on another backend', () => {
  it('runs eagerly', async () => {
    const { tf } = await loadTensorFlow({ backend: 'cpu' });
    const functions = captureGraph(tf, { twice: { fn: (x) => [tf.mul(x, 2)], examples: [tf.scalar(1)] } });
    expect(functions.captured).toBe(false);
    expect(functions.run('twice', tf.scalar(4))[0].dataSync()[0]).toBe(8);
  });
});
