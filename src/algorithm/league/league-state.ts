/** The league's part of a checkpoint: who is in it, their records, their weights. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import { CheckpointError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type League, leagueSchema } from './league-table.ts';
import { checksumOf, type Slot } from './weight-bank.ts';

const WEIGHTS = 'league.safetensors';
const TABLE = 'league.json';

/** @throws CheckpointError `CHECKPOINT_STATE` from `readState` for a league that does not fit. */
export function leagueState(
  get: () => League,
  set: (league: League) => void,
  slots: readonly Slot[],
): StatePart {
  return {
    name: 'league',
    files: [TABLE, WEIGHTS],
    getState() {
      const league = structuredClone(get());
      const kept = league.members.flatMap(({ slot }) => (slot === null ? [] : [slot]));
      const tensors = kept.map((slot) => {
        const data = slots[slot].vector.slice();
        return [`slot_${slot}`, { dtype: 'float32' as const, shape: [data.length], data }] as const;
      });
      return {
        json: { [TABLE]: league as unknown as JsonObject },
        tensors: { [WEIGHTS]: Object.fromEntries(tensors) },
      };
    },
    readState({ json, tensors }) {
      const parsed = leagueSchema.safeParse(json[TABLE]);
      if (!parsed.success) throw unusable(parsed.error.issues[0].path.join('.'));
      const league = parsed.data;
      const namesOf = ({ exploiters }: League) => exploiters.map(({ name }) => name).join(', ');
      if (namesOf(league) !== namesOf(get())) throw unusable('exploiters');
      const vectors = league.members.flatMap(({ slot, name, checksum }) => {
        if (slot === null) return [];
        const data = tensors[WEIGHTS]?.[`slot_${slot}`]?.data;
        const isWhole = data instanceof Float32Array && data.length === slots[slot]?.vector.length;
        if (!isWhole || checksumOf(Float32Array.from(data)) !== checksum)
          throw unusable(`the weights of ${name}`);
        return [{ slot, data: Float32Array.from(data) }];
      });
      return () => {
        set(league);
        for (const { slot, data } of vectors) {
          slots[slot].vector.set(data);
          slots[slot].publish();
        }
      };
    },
  };
}

function unusable(where: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `The checkpoint's ${TABLE} is not as it was saved, or this run keeps fewer snapshots: \`${where}\`. Use an older checkpoint, or maxSnapshots as it was.`,
  );
}
