/** The frames of one client, whatever carries them: commands of one turn of the event loop go together, answers to the rows that wait. */
import type { JsonObject } from '../../json.ts';
import { type Command, Garbage, readAnswers, writeCommands } from './messages.ts';
import type { Client, Link } from './parties.ts';

export interface Frames {
  readonly send: Link['send'];
  /** @param join makes it a client; its commands are sent after this call. */
  open(join: () => Client): void;
  /** @throws Garbage */
  read(bytes: Uint8Array): void;
  /** `{ "failed": { "env": 3, "message": "..." } }`. @throws Garbage for anything else. */
  readText(json: JsonObject): void;
}

export function createFrames(write: (bytes: Uint8Array) => void): Frames {
  let client: Client | null = null;
  let waiting: Command[] = [];
  const flush = () => {
    if (client === null || waiting.length === 0) return;
    const bytes = writeCommands(client.layout, waiting);
    waiting = [];
    write(bytes);
  };
  return {
    send(index, operation, seed, action) {
      // Rows go on in microtasks: by the next turn, all whose answers came together have acted.
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ operation, index, seed, action: action?.slice() ?? null });
    },
    open(join) {
      client = join();
    },
    read(bytes) {
      if (client === null) throw new Garbage('Expected a hello before the first frame');
      const { slots, layout } = client;
      const asked = (index: number) => {
        const slot = slots[index];
        return slot === undefined || slot.asked === null
          ? null
          : { answer: slot.answer, isReset: slot.asked.isReset };
      };
      const { deliver } = client;
      readAnswers(layout, bytes, asked, (index) => deliver(slots[index]));
    },
    readText({ failed }) {
      const { env, message } = (failed ?? {}) as JsonObject;
      const slot = client?.slots[env as number];
      if (client === null || slot === undefined || slot.asked === null)
        throw new Garbage(
          'Expected {"failed": {"env": ..., "message": ...}} of an environment that was asked',
        );
      client.fail(slot, String(message));
    },
  };
}
