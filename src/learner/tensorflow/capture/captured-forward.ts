/** The forward pass of a policy as one session call, a graph per number of rows. */

import type { ObservationStatistics } from '../../../weights/observation-statistics.ts';
import { unpackParameters } from '../flat-parameters.ts';
import { prepareObservations } from '../gradient-step.ts';
import { fetchedOutputs, type PolicyForward, type PolicyForwardOptions } from '../policy-forward.ts';
import { createGraphRecorder, type GraphFunction } from './graph-recorder.ts';
import { type GraphSession, openGraphSession, type VariableWrite } from './graph-session.ts';
import { castPixels } from './rollout-variables.ts';

/** A graph for `numRows` rows, with weights of its own. */
interface ForwardGraph {
  readonly session: GraphSession;
  readonly forward: GraphFunction;
  /** What is fed, again and again: every output is read before a call returns. */
  readonly rows: Float32Array | Uint8Array; // [numRows, obsSize]
  write(parameters: Float32Array, statistics: ObservationStatistics | null): void;
}

/** Where the number of rows varies, it is rounded up to a power of two, and the rows that are too many are zeros. */
export function createCapturedForward(options: PolicyForwardOptions): PolicyForward {
  const { spec } = options;
  const graphs = new Map<number, ForwardGraph>();
  let parameters = options.parameters.slice();
  let statistics: ObservationStatistics | null = null;

  const provideGraph = (numRows: number): ForwardGraph => {
    const known = graphs.get(numRows);
    if (known !== undefined) return known;
    const graph = captureForward(options, numRows, statistics !== null);
    graph.write(parameters, statistics);
    graphs.set(numRows, graph);
    return graph;
  };
  const disposeGraphs = () => {
    for (const { session } of graphs.values()) session.dispose();
    graphs.clear();
  };

  const forward: PolicyForward['forward'] = async (observations, numRows, exact) => {
    const graphRows = exact ? numRows : roundUp(numRows);
    const graph = provideGraph(graphRows);
    const { rows } = graph;
    rows.set(observations.subarray(0, numRows * spec.observationSize));
    rows.fill(0, numRows * spec.observationSize);
    const [distributionParameters, values, latent = null] = graph.session
      .run(graph.forward, [rows])
      .map((output) => output.subarray(0, (output.length / graphRows) * numRows) as Float32Array);
    return { distributionParameters, values, latent };
  };

  return {
    publish(flat, published) {
      if ((published === null) !== (statistics === null)) disposeGraphs();
      parameters = flat.slice();
      statistics = published && { mean: published.mean.slice(), inverseStd: published.inverseStd.slice() };
      for (const graph of graphs.values()) graph.write(parameters, statistics);
    },
    forward,
    async prepare(maxRows) {
      const Row = spec.observationDtype === 'uint8' ? Uint8Array : Float32Array;
      for (let numRows = 1; numRows <= roundUp(maxRows); numRows *= 2) {
        await forward(new Row(numRows * spec.observationSize), numRows, false);
        await new Promise((resolve) => setTimeout(resolve)); // a server goes on meanwhile
      }
      return (graphs.size + 1) * parameters.byteLength;
    },
    dispose: disposeGraphs,
  };
}

const roundUp = (numRows: number): number => 2 ** Math.ceil(Math.log2(Math.max(numRows, 1)));

function captureForward(
  { tf, spec, network }: PolicyForwardOptions,
  numRows: number,
  withStatistics: boolean,
): ForwardGraph {
  const recorder = createGraphRecorder(tf);
  const parameters = recorder.zeros([network.layout.size]);
  const mean = recorder.zeros([spec.observationSize]);
  const inverseStd = recorder.zeros([spec.observationSize]);
  const pixels = spec.observationDtype === 'uint8';
  const size = numRows * spec.observationSize;
  const example = tf.zeros([numRows, spec.observationSize], pixels ? 'int32' : 'float32');
  try {
    const forward = recorder.record(
      `act for ${numRows} rows`,
      (raw) => {
        const entries = unpackParameters(tf, network.layout, parameters.standIn);
        const rows = pixels ? castPixels(tf, recorder, raw) : raw;
        const statistics = withStatistics ? { mean: mean.standIn, inverseStd: inverseStd.standIn } : null;
        return fetchedOutputs(spec, network.apply(entries, prepareObservations(tf, spec, rows, statistics)));
      },
      [example],
      [spec.observationDtype],
    );
    const session = openGraphSession(tf, recorder);
    return {
      session,
      forward,
      rows: pixels ? new Uint8Array(size) : new Float32Array(size),
      write(values, statistics) {
        const writes: VariableWrite[] = [{ variable: parameters, values: values.slice() }];
        if (statistics !== null) {
          writes.push({ variable: mean, values: statistics.mean.slice() });
          writes.push({ variable: inverseStd, values: statistics.inverseStd.slice() });
        }
        session.write(writes);
      },
    };
  } finally {
    tf.dispose([example, ...recorder.variables.map(({ standIn }) => standIn)]);
  }
}
