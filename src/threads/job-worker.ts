/** The entry of a thread that lends its time to a job: it loads the job's module and works until the job is over. */
import type { Arena } from '../memory/arena.ts';
import type { WasmMemory } from '../memory/web-assembly.ts';
import { prepareImport } from '../modules/import-module.ts';
import type { KernelModule } from '../simd/kernels.ts';

/** A job by module URL, since functions cannot be posted: `create(start, kernels, arena)` makes what the thread runs. */
export interface JobSource {
  readonly module: string;
  readonly export: string;
  /** Modules of a user that `create` imports, TypeScript perhaps. */
  readonly imports?: readonly string[];
  /** Plain data that `create` is given. */
  readonly start: unknown;
}

/** What a job's module makes in a thread. */
export interface Job {
  /** Blocks the thread until the job is over. @param threadIndex 1, 2, ...; 0 is the main thread. */
  participate(threadIndex: number): void;
}

export type CreateJob = (start: never, kernels: KernelModule, arena: Arena) => Promise<Job>;

export interface JobTask {
  readonly source: JobSource;
  readonly kernels: KernelModule;
  readonly memory: WasmMemory;
  readonly threadIndex: number;
}

export async function runJob({ source, kernels, memory, threadIndex }: JobTask): Promise<void> {
  for (const module of source.imports ?? []) await prepareImport(module);
  const exports = (await import(source.module)) as Record<string, CreateJob>;
  const job = await exports[source.export](source.start as never, kernels, { memory, buffer: memory.buffer });
  job.participate(threadIndex);
}
