/**
 * A study's journal: one JSON object a line, in the format of Optuna's journal storage, so that Optuna and its dashboard read it.
 *
 * Lines are only added, and each is on disk before anything follows from it. What a kill left half written is taken off when the
 * study goes on. The trial ids are the trials' numbers. Times are the clock's, for people.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Domain, isActive, isSameValue, type Space, type TrialValues } from '../config/search-space.ts';
import { parseStrictJson } from '../config/strict-json.ts';
import { CheckpointError } from '../errors.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Clone, StudyEvent } from './trial.ts';

export const JOURNAL_NAME = 'journal.log';
const MAX_BYTES = 256 * 2 ** 20;

/** Optuna's operations. */
const OPERATION = {
  createStudy: 0,
  createTrial: 4,
  parameter: 5,
  state: 6,
  intermediate: 7,
  trialAttribute: 8,
} as const;
const STATES = { complete: 1, stopped: 2, failed: 3 } as const;
const REASON = 'operant:reason';
/** With the environment steps behind it. */
const CLONE = 'operant:clone-';

export interface JournalFormat {
  readonly space: Space;
  readonly mode: 'max' | 'min';
}

export interface Journal {
  append(event: StudyEvent): void;
  close(): void;
}

/** @returns the events so far and the journal to go on with. @throws CheckpointError `CHECKPOINT_JOURNAL` naming the line that is no journal's. */
export async function openJournal(
  folder: string,
  name: string,
  format: JournalFormat,
): Promise<{ readonly events: readonly StudyEvent[]; readonly journal: Journal }> {
  const text = await readRegularText(folder, JOURNAL_NAME, MAX_BYTES).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  const { events, whole: written } = readEvents(text, format);
  const whole = await withDirection(written, folder, events, format);
  const descriptor = openSync(join(folder, JOURNAL_NAME), 'a');
  ftruncateSync(descriptor, Buffer.byteLength(whole));
  const worker = `${randomUUID()}-0`;
  const lastScores = new Map<number, number>();
  for (const event of events) if (event.type === 'scored') lastScores.set(event.number, event.score);
  const write = (lines: readonly JsonObject[]) => {
    writeSync(descriptor, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    fsyncSync(descriptor);
  };
  if (whole === '') {
    const directions = directionsOf(format);
    write([{ op_code: OPERATION.createStudy, worker_id: worker, study_name: name, directions }]);
  }
  return {
    events,
    journal: {
      append: (event) => {
        if (event.type === 'scored') lastScores.set(event.number, event.score);
        const lines = linesOf(event, format, lastScores.get(event.number) ?? null);
        write(lines.map((line) => ({ ...line, worker_id: worker })));
      },
      close: () => closeSync(descriptor),
    },
  };
}

const directionsOf = ({ mode }: Pick<JournalFormat, 'mode'>) => [mode === 'max' ? 2 : 1];

/** A study without scores may turn: then its first line, which Optuna reads, is written anew. */
async function withDirection(
  whole: string,
  folder: string,
  events: readonly StudyEvent[],
  format: JournalFormat,
): Promise<string> {
  const end = whole.indexOf('\n');
  if (end < 0 || events.some(({ type }) => type === 'scored')) return whole;
  const first = parseStrictJson(whole.slice(0, end)) as JsonObject;
  const directions = directionsOf(format);
  if (JSON.stringify(first.directions) === JSON.stringify(directions)) return whole;
  const turned = `${JSON.stringify({ ...first, directions })}${whole.slice(end)}`;
  await replaceTextFile(join(folder, JOURNAL_NAME), turned);
  return turned;
}

function linesOf(event: StudyEvent, { space, mode }: JournalFormat, lastScore: number | null): JsonObject[] {
  const trial_id = event.number;
  const metric = (score: number) => (mode === 'max' ? score : -score);
  if (event.type === 'created') {
    const parameters = Object.entries(event.values).map(([param_name, value]) => ({
      op_code: OPERATION.parameter,
      trial_id,
      param_name,
      param_value_internal: toInternal(space[param_name], value),
      distribution: JSON.stringify(distributionOf(space[param_name])),
    }));
    return [
      { op_code: OPERATION.createTrial, study_id: 0, datetime_start: new Date().toISOString() },
      ...parameters,
    ];
  }
  if (event.type === 'scored') {
    return [
      {
        op_code: OPERATION.intermediate,
        trial_id,
        step: event.numSteps,
        intermediate_value: metric(event.score),
      },
    ];
  }
  if (event.type === 'cloned') {
    const { source, numSteps, values } = event.clone;
    const user_attr = { [`${CLONE}${numSteps}`]: { source, numSteps, values } };
    return [{ op_code: OPERATION.trialAttribute, trial_id, user_attr }];
  }
  const values = event.state === 'complete' && lastScore !== null ? [metric(lastScore)] : null;
  const state = {
    op_code: OPERATION.state,
    trial_id,
    state: STATES[event.state],
    values,
    datetime_complete: new Date().toISOString(),
  };
  if (event.reason === null) return [state];
  return [{ op_code: OPERATION.trialAttribute, trial_id, user_attr: { [REASON]: event.reason } }, state];
}

function distributionOf(domain: Domain): JsonObject {
  if (domain.kind === 'choice') {
    const choices = domain.choices.map((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    );
    return { name: 'CategoricalDistribution', attributes: { choices } };
  }
  const { low, high, isLog, isInteger } = domain;
  const attributes = { low, high, log: isLog, step: isInteger ? 1 : null };
  return { name: isInteger ? 'IntDistribution' : 'FloatDistribution', attributes };
}

function toInternal(domain: Domain, value: JsonValue): number {
  if (domain.kind === 'number') return value as number;
  return domain.choices.findIndex((other) => isSameValue(other, value));
}

interface Reading {
  readonly format: JournalFormat;
  readonly events: StudyEvent[];
  readonly values: Record<string, JsonValue>[];
  readonly reasons: (string | undefined)[];
}

/** @returns the events, and the text without what a kill left half written: the last line, or a trial without all of its parameters. */
function readEvents(
  text: string,
  format: JournalFormat,
): { readonly events: readonly StudyEvent[]; readonly whole: string } {
  const reading: Reading = { format, events: [], values: [], reasons: [] };
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  let numWhole = 0;
  lines.forEach((line, k) => {
    try {
      readLine(parseStrictJson(line) as JsonObject, reading);
    } catch (cause) {
      const message = `Line ${k + 1} of \`${JOURNAL_NAME}\` is not one that this study wrote: ${cause instanceof Error ? cause.message : cause}`;
      throw new CheckpointError('CHECKPOINT_JOURNAL', message, { cause });
    }
    const newest = reading.values.at(-1);
    if (newest === undefined || isWhole(newest, format.space)) numWhole = k + 1;
  });
  const events = reading.events.filter(({ number }) => isWhole(reading.values[number], format.space));
  return {
    events,
    whole: lines
      .slice(0, numWhole)
      .map((line) => `${line}\n`)
      .join(''),
  };
}

function isWhole(values: TrialValues, space: Space): boolean {
  return Object.entries(space).every(
    ([name, domain]) => Object.hasOwn(values, name) || !isActive(domain, values),
  );
}

function readLine(line: JsonObject, { format, events, values, reasons }: Reading): void {
  const number = Number(line.trial_id);
  const metric = (value: JsonValue) => (format.mode === 'max' ? Number(value) : -Number(value));
  if (line.op_code === OPERATION.createStudy) return;
  if (line.op_code === OPERATION.createTrial) {
    values.push({});
    events.push({ type: 'created', number: values.length - 1, values: values[values.length - 1] });
    return;
  }
  if (values[number] === undefined) throw new Error(`there is no trial ${line.trial_id}`);
  if (line.op_code === OPERATION.parameter) {
    const name = String(line.param_name);
    if (!Object.hasOwn(format.space, name)) throw new Error(`\`${name}\` is not in the search space`);
    values[number][name] = fromInternal(format.space[name], Number(line.param_value_internal));
  } else if (line.op_code === OPERATION.intermediate) {
    events.push({
      type: 'scored',
      number,
      numSteps: Number(line.step),
      score: metric(line.intermediate_value ?? null),
    });
  } else if (line.op_code === OPERATION.trialAttribute) {
    readAttributes(line.user_attr as JsonObject, number, { events, reasons });
  } else if (line.op_code === OPERATION.state) {
    const state = (Object.keys(STATES) as (keyof typeof STATES)[]).find(
      (name) => STATES[name] === line.state,
    );
    if (state === undefined) throw new Error(`the state ${line.state} is unknown`);
    events.push({ type: 'ended', number, state, reason: reasons[number] ?? null });
  } else {
    throw new Error(`the operation ${line.op_code} is unknown`);
  }
}

function readAttributes(
  attributes: JsonObject,
  number: number,
  { events, reasons }: Pick<Reading, 'events' | 'reasons'>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === REASON) reasons[number] = String(value);
    if (name.startsWith(CLONE)) events.push({ type: 'cloned', number, clone: value as unknown as Clone });
  }
}

function fromInternal(domain: Domain, value: number): JsonValue {
  return domain.kind === 'choice' ? domain.choices[value] : value;
}
