/** What acts: models and the listener in front of them, in this process. A server of several processes has one of these in each. */
import { ConfigError } from '../errors.ts';
import type { ActServer } from './act-server.ts';
import { createActServer } from './act-server.ts';
import { closeServer, listen, urlOf } from './listening.ts';
import type { Log } from './log.ts';
import { createServeMetrics } from './metrics.ts';
import type { Samples } from './metrics-text.ts';
import type { ModelControl } from './model-control.ts';
import { createModelRepository } from './model-repository.ts';
import { openSecureContext } from './secure-context.ts';
import type { ServerSettings } from './server-settings.ts';
import { openTracing } from './tracing.ts';

export interface Acting {
  readonly models: ModelControl;
  countReload(result: 'success' | 'failure'): void;
  collect(): Promise<Samples>;
  /** Takes requests from here on. @returns its address @throws ConfigError `CONFIG_SERVE`. */
  listen(): Promise<string>;
  /** Looks whether a certificate has been renewed. */
  refresh(): void;
  /** Refuses new requests, answers those that it has, and closes. */
  close(): Promise<void>;
}

/** @param kernelsOnly true where other processes act, too. */
export async function openActing(settings: ServerSettings, log: Log, kernelsOnly = false): Promise<Acting> {
  const tracing = settings.tracing ? await openTracing() : null;
  if (tracing?.hasSdk() === false) tellMissingSdk(log, kernelsOnly);
  const secure = settings.tls === null ? null : openSecureContext(settings.tls, log);
  const metrics = createServeMetrics();
  const { maxBatchRows: maxRows } = settings;
  const memoryBudgetBytes = settings.memoryBudgetMib * 2 ** 20;
  const models = createModelRepository({
    ...settings,
    maxRows,
    kernelsOnly,
    memoryBudgetBytes,
    metrics,
    log,
  });
  const defaultPriority = settings.defaultPriority ?? settings.numPriorities;
  const act: ActServer = createActServer(models, metrics, {
    ...settings,
    defaultPriority,
    secure,
    log,
    tracing,
  });
  return {
    models,
    countReload: metrics.countReload,
    collect: async () =>
      metrics.collect({
        models: models.status().filter(({ isLoaded }) => isLoaded),
        inFlight: act.inFlight,
        numWebSockets: act.numWebSockets,
        numSessions: models.sessions.count,
      }),
    async listen() {
      await listen(act.server, settings.port, settings.host);
      return urlOf(act.server, settings.host);
    },
    refresh: () => secure?.refresh(),
    async close() {
      await act.stopAccepting();
      await models.drain();
      act.closeWebSockets();
      await closeServer(act.server);
      metrics.stop();
      await tracing?.flush().catch((error: unknown) => log('error', 'spans lost', { error: String(error) }));
    },
  };
}

/** @throws ConfigError `CONFIG_SERVE` in one of several processes, where nobody can register an SDK later. */
function tellMissingSdk(log: Log, isOneOfSeveral: boolean): void {
  const message =
    'No SDK of OpenTelemetry is registered, so spans go nowhere. Have a module that registers one loaded first: NODE_OPTIONS=--import=./telemetry.mjs.';
  if (isOneOfSeveral) throw new ConfigError('CONFIG_SERVE', `\`tracing\`: ${message}`);
  log('error', 'no spans', { message });
}
