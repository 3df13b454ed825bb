/** A study's journal as studies are compared by it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What happened to each trial, without times, and without the order in which results arrived. */
export function journalOf(out: string): string[] {
  let numTrials = 0;
  return readFileSync(join(out, 'journal.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { worker_id, datetime_start, datetime_complete, study_name, ...event } = JSON.parse(line);
      return JSON.stringify(event.op_code === 4 ? { ...event, trial_id: numTrials++ } : event);
    })
    .sort();
}
