/** New empty folders, removed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** Of the test that runs. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'operant-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** To be called beside tests that run beside each other, of which Vitest does not know which one asks: what makes folders that are there until the last has ended. */
export function temporaryFoldersOfFile(): () => string {
  const parent = mkdtempSync(join(tmpdir(), 'operant-test-'));
  afterAll(() => rmSync(parent, { recursive: true, force: true, maxRetries: 3 }));
  return () => mkdtempSync(join(parent, 'of-'));
}
