/** A study's trainings on the hosts of a Ray cluster: the run folder goes there, and comes back with each checkpoint. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestFailure } from '../../cluster/bridge.ts';
import { type BridgeLink, createBridgeLink } from '../../cluster/bridge-link.ts';
import { isFinal, toClusterError } from '../../cluster/cluster-errors.ts';
import { parseRayAddress, requireToken } from '../../cluster/ray-address.ts';
import { requireHead } from '../../cluster/require-head.ts';
import { requireResources } from '../../cluster/require-resources.ts';
import { argumentsFor, projectRoot, requirePackageSize } from '../../cluster/shipped-files.ts';
import { shipProject } from '../../cluster/shipped-project.ts';
import { CheckpointError } from '../../errors.ts';
import { hasFma } from '../../machine/fma.ts';
import type { FolderTraining, Train, TrainEnd } from '../train-process.ts';
import type { RayPlaceOptions } from './ray-place.ts';
import { readParcel, writeParcel } from './run-parcel.ts';
import { openTrialHost, type TrialHost } from './trial-host-link.ts';
import type { TrialPlan } from './trial-messages.ts';
import { createTrialPool, type TrialPool } from './trial-pool.ts';

export interface RayPlace {
  /**
   * As `trainFolder`, on a host. One that is lost ends it as a kill would: the folder stands at the last checkpoint that came back.
   *
   * @throws ClusterError when the cluster is gone, or no host of it could ever do this.
   */
  readonly train: Train;
  stop(): Promise<void>;
}

const RESUME =
  'Nothing is lost but what came after the last checkpoints: resume the study, on another cluster or on none.';
/** What no node may have. */
const WANTS = { who: 'a trial', advice: 'Lower `trialResources` (--trial-resources).' };

/**
 * Joins the cluster. Cost: some seconds, and a copy of what is sent. Thread: main.
 *
 * @param isDeterministic trials use no relaxed SIMD, so any processor gives the same bits.
 * @throws ConfigError `CONFIG_RAY_ADDRESS`, `CONFIG_RAY_WORKING_DIR`; ClusterError as of a run on Ray, within ten seconds where nobody answers or a token is missing.
 */
export async function joinCluster(options: RayPlaceOptions, isDeterministic: boolean): Promise<RayPlace> {
  const address = parseRayAddress(options.rayAddress);
  requireToken(address, options.insecure);
  const shipment = { folder: null as string | null, cwd: '' };
  const remove = () => {
    if (shipment.folder !== null) rmSync(shipment.folder, { recursive: true, force: true });
  };
  const settings = () => {
    if (shipment.folder === null) Object.assign(shipment, ship(options));
    return bridgeSettings(options, shipment.folder as string);
  };
  const link = createBridgeLink({ address, settings, traffic: { numReceived: 0, numSent: 0 } });
  const { CPU: numCpus = 1 } = options.trialResources;
  const host = {
    link,
    numCpus,
    expected: { kernels: isDeterministic ? ('strict' as const) : ('relaxed' as const), hasFma: hasFma() },
    deadlineMs: options.hostDeadlineSeconds * 1000,
  };
  const pool = createTrialPool((index, avoid) => openTrialHost(index, avoid, host));
  const stop = async () => {
    pool.stop();
    await link.stop();
    remove();
  };
  try {
    await link.bridge();
    const nodes = link.cluster?.nodes.filter(({ alive }) => alive) ?? [];
    requireResources(nodes, { CPU: 1, ...options.trialResources }, WANTS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { train: (training) => trainOn(training, { pool, link, options, cwd: shipment.cwd }), stop };
}

function ship({ rayWorkingDir, rayPackageMb }: RayPlaceOptions): { folder: string; cwd: string } {
  const folder = mkdtempSync(join(tmpdir(), 'operant-ship-'));
  try {
    const here = process.cwd();
    const cwd = shipProject(folder, rayWorkingDir ?? projectRoot(here), here, '`rayWorkingDir`');
    requirePackageSize(folder, rayPackageMb, 'trials');
    return { folder, cwd };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function bridgeSettings({ rayAddress, trialResources, trialLabels }: RayPlaceOptions, workingDir: string) {
  const { CPU: _, ...resources } = trialResources;
  return {
    ...{ address: rayAddress, namespace: 'operant', workingDir, probe: false, node: 'node', resources },
    ...{ arguments: argumentsFor('src/tune/ray/trial-host'), labels: trialLabels, bundles: [] },
    ...{ numVersions: 1, slotBytes: 0, numHosts: 0 }, // no weights, and nothing in shared memory
  };
}

interface Place {
  readonly pool: TrialPool;
  readonly link: BridgeLink;
  readonly options: RayPlaceOptions;
  /** Where one stands here, on hosts. */
  readonly cwd: string;
}

async function trainOn(training: FolderTraining, place: Place): Promise<TrainEnd> {
  const { pool, link, options } = place;
  let host: TrialHost | null = null;
  try {
    host = await acquire(pool, training.signal);
    if (host === null) return killedBy(ENDED, null);
    const end = await runThere(training, host, place.cwd);
    pool.release(host);
    return end;
  } catch (error) {
    if (host !== null) pool.discard(host, error instanceof RequestFailure && error.code === 'SILENT');
    if (error instanceof CheckpointError) return killedBy(error.message, error.code); // of a write here
    if (!(error instanceof RequestFailure)) throw error;
    if (isFinal(error)) throw toClusterError(error, options.rayAddress);
    await requireHead(link, RESUME);
    return killedBy(`its host was lost: ${error.message}`, null);
  }
}

/** A node that goes takes actors with it that Ray is still starting there. */
const MAX_OPENINGS = 3;

/** A host that is lost before it has anything to do costs no retry: another one is waited for, so often. */
async function acquire(pool: TrialPool, signal: AbortSignal): Promise<TrialHost | null> {
  for (let numOpenings = 1; ; numOpenings++) {
    try {
      return await pool.acquire(signal);
    } catch (error) {
      if (!(error instanceof RequestFailure) || isFinal(error) || numOpenings === MAX_OPENINGS) throw error;
    }
  }
}

const ENDED = 'the study has ended';

const killedBy = (message: string, code: string | null): TrainEnd => ({
  exitCode: null,
  error: { code, message },
});

async function runThere(training: FolderTraining, host: TrialHost, cwd: string): Promise<TrainEnd> {
  const { folder, signal } = training;
  const { plan, body } = await planOf(training, cwd);
  const stop = () => host.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) return killedBy(ENDED, null);
    let answer = await host.ask({ kind: 'train', plan }, body);
    for (;;) {
      const { message } = answer;
      await writeParcel(folder, message.parcel, answer.body);
      if (message.kind === 'ended') return message.end;
      answer = await host.ask({ kind: 'next' });
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The file behind --config travels along; a study's trainings name no other. */
async function planOf(
  { folder, begin, resume, silenceSeconds }: FolderTraining,
  cwd: string,
): Promise<{ readonly plan: TrialPlan; readonly body: Buffer }> {
  const at = begin.indexOf('--config');
  const path = at < 0 ? null : begin[at + 1];
  const away = (args: readonly string[]) => args.map((argument) => (argument === path ? null : argument));
  const read = existsSync(join(folder, 'config.json')) ? await readParcel(folder, new Map()) : null;
  const plan = {
    ...(read?.parcel ?? { files: [], gone: [] }),
    ...{ cwd, begin: away(begin), resume: away(resume), silenceSeconds },
    config: path === null ? null : readFileSync(path, 'utf8'),
  };
  return { plan, body: read?.body ?? Buffer.alloc(0) };
}
