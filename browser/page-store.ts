/** Checkpoints in IndexedDB. */
import { CheckpointError } from '../src/errors.ts';
import { corruptCheckpoint, decodeCheckpoint, encodeCheckpoint, type PageCheckpoint } from './checkpoint.ts';

/** Checkpoints by name, in IndexedDB of the page's origin: there until the user or the browser clears it. */
export interface PageStore {
  save(name: string, checkpoint: PageCheckpoint): Promise<void>;
  /** null = there is none of that name. @throws CheckpointError `CHECKPOINT_CORRUPT`. */
  load(name: string): Promise<PageCheckpoint | null>;
  names(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  close(): void;
}

const OBJECTS = 'checkpoints';

/**
 * Opens a database of the origin, of a page or of a worker alike.
 *
 * @throws CheckpointError `CHECKPOINT_STORE` where the browser refuses (a private window, no room), from `save` and the others, too.
 */
export async function openPageStore(database = 'operant'): Promise<PageStore> {
  const { indexedDB } = globalThis as unknown as {
    indexedDB: { open(name: string, version: number): Opening };
  };
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(OBJECTS);
  const db = await answerOf(opening);
  const objects = (mode: 'readonly' | 'readwrite') => db.transaction(OBJECTS, mode, { durability: 'strict' });
  return {
    async save(name, checkpoint) {
      const transaction = objects('readwrite');
      transaction.objectStore(OBJECTS).put(encodeCheckpoint(checkpoint), name);
      await endOf(transaction);
    },
    async load(name) {
      const found: unknown = await answerOf(objects('readonly').objectStore(OBJECTS).get(name));
      if (found === undefined) return null;
      if (!(found instanceof Uint8Array)) throw corruptCheckpoint(`\`${name}\` is no file`);
      return decodeCheckpoint(found);
    },
    async names() {
      return (await answerOf(objects('readonly').objectStore(OBJECTS).getAllKeys())).map(String);
    },
    async remove(name) {
      const transaction = objects('readwrite');
      transaction.objectStore(OBJECTS).delete(name);
      await endOf(transaction);
    },
    close: () => db.close(),
  };
}

function answerOf<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(refused(request.error));
  });
}

function endOf(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(refused(transaction.error));
  });
}

function refused(error: Error | null): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STORE',
    `The browser keeps nothing here: ${error?.message ?? 'it did not say why'}. Offer \`encodeCheckpoint\` as a download instead.`,
    { cause: error },
  );
}

/** What is used of the browser's types, which Node has not. */
interface Request<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

type Opening = Request<Database> & { onupgradeneeded: (() => void) | null };

interface Database {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: string, options: { durability: string }): Transaction;
  close(): void;
}

interface Transaction {
  readonly error: Error | null;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): {
    put(value: unknown, key: string): unknown;
    get(key: string): Request<unknown>;
    getAllKeys(): Request<readonly unknown[]>;
    delete(key: string): unknown;
  };
}
