/** The part of a checkpoint that rings of rows with a pace of their own are. */
import * as z from 'zod/mini';
import type { NamedTensor } from '../checkpoint/content.ts';
import { jsonDifferences } from '../checkpoint/exact-json.ts';
import { countSchema } from '../checkpoint/field-state.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Replay } from './replay.ts';
import { copyRange, readRange, restoreRange } from './replay-segments.ts';
import type { ReplayPlan } from './replay-spec.ts';
import { broken, layoutOf, leftOut, otherLayout } from './replay-state.ts';
import { firstPosition } from './ring.ts';
import type { RowRings } from './row-rings.ts';

type Tensors = Readonly<Record<string, NamedTensor>>;

/** Steps of a row that lie side by side in its ring: it goes around once at most. */
interface Range {
  readonly position: number;
  readonly length: number;
}

/**
 * All rows, whole: what is kept, and the observation that each has arrived at. `<row>/<range>/<column>` in `<folder>/replay.safetensors`, columns as
 * `copyRange` has them; `ends` of the rows in `<folder>/replay.json`, null of a row without steps.
 *
 * Rows go on at paces of their own, so there are no segments that checkpoints could share: each holds the buffer anew.
 *
 * @param isSaved as in `replayState`.
 * @throws CheckpointError (reading) as `replayState`.
 */
export function rowRingsState(rows: RowRings, policy: string, isSaved: boolean): StatePart {
  const folder = policy === 'default' ? '' : `policies/${policy}/`;
  const FILE = `${folder}replay.json`;
  const TENSORS = `${folder}replay.safetensors`;
  return {
    name: policy === 'default' ? 'replay' : `replay ${policy}`,
    files: [],
    getState() {
      if (!isSaved) return { json: { [FILE]: { isSaved: false } } };
      const ends = rows.rings.map((replay) => replay?.ring.end ?? null);
      return {
        tensors: { [TENSORS]: Object.assign({}, ...rows.rings.map(copyRow)) as Tensors },
        json: { [FILE]: { isSaved: true, layout: layoutOfRows(rows), ends } },
      };
    },
    readState({ json, tensors }) {
      const saved = Object.hasOwn(json, FILE) ? json[FILE] : undefined;
      if (saved === undefined || saved.isSaved === false) {
        if (isSaved) throw leftOut();
        return () => rows.clear();
      }
      const ends = readEnds(rows, saved as JsonObject);
      const data = tensors[TENSORS] ?? {};
      for (const [row, end] of ends.entries()) checkRow(rows, row, end, data);
      return () => {
        rows.clear();
        for (const [row, end] of ends.entries()) if (end !== null) restoreRow(rows, row, end, data);
      };
    },
  };
}

function layoutOfRows({ plan, numRows }: RowRings): JsonObject {
  return { ...layoutOf(plan), numRows };
}

/** @throws CheckpointError `CHECKPOINT_MISMATCH` for other rows, `CHECKPOINT_REPLAY` for what no run wrote. */
function readEnds(rows: RowRings, { isSaved, layout, ends }: JsonObject): readonly (number | null)[] {
  if (isSaved !== true) throw broken('it does not say whether it was saved');
  const differences = jsonDifferences(layout as JsonValue, layoutOfRows(rows), 'replay');
  if (differences.length > 0) throw otherLayout(differences);
  const parsed = z.array(z.nullable(countSchema)).check(z.length(rows.numRows)).safeParse(ends);
  if (!parsed.success) throw broken('its counters are not those of its rows');
  return parsed.data;
}

/** What a row with this end holds, and the slot of its next step. */
function rangesOf(plan: ReplayPlan, end: number): readonly Range[] {
  const first = Math.max(0, firstPosition({ plan, end }) - plan.numFrames + 1); // with the frames of its oldest stack
  const numSteps = end - first + 1;
  const toTheEdge = plan.rowSlots - (first % plan.rowSlots);
  if (numSteps <= toTheEdge) return [{ position: first, length: numSteps }];
  return [
    { position: first, length: toTheEdge },
    { position: first + toTheEdge, length: numSteps - toTheEdge },
  ];
}

function copyRow(replay: Replay | null, row: number): Tensors {
  if (replay === null) return {};
  const { ring } = replay;
  const parts = rangesOf(ring.plan, ring.end).map(({ position, length }, k) =>
    Object.entries(copyRange(ring, position, length)).map(([name, data]) => [`${row}/${k}/${name}`, data]),
  );
  return Object.fromEntries(parts.flat()) as Tensors;
}

/** The tensors of one range under the names that it was copied with. */
function partOf(tensors: Tensors, row: number, k: number): Tensors {
  const columns = ['observations', 'actions', 'rewards', 'flags', 'masks'];
  const names = [...columns, 'finalKeys', 'finalObservations', 'finalMasks'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const key = `${row}/${k}/${name}`;
      return Object.hasOwn(tensors, key) ? [[name, tensors[key]]] : [];
    }),
  );
}

function checkRow(rows: RowRings, row: number, end: number | null, tensors: Tensors): void {
  if (end === null) return;
  for (const [k, { length }] of rangesOf(rows.plan, end).entries())
    readRange(rows.plan, length, partOf(tensors, row, k), `row ${row}`);
}

function restoreRow(rows: RowRings, row: number, end: number, tensors: Tensors): void {
  const { ring } = rows.ringOf(row);
  for (const [k, { position, length }] of rangesOf(ring.plan, end).entries())
    restoreRange(ring, position, length, partOf(tensors, row, k), `row ${row}`);
  ring.end = end;
}
