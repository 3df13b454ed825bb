/** `operant serve` and `createPolicyServer`: trained policies behind HTTP and WebSockets. */
import { type Acting, openActing } from './acting.ts';
import { createAdminServer } from './admin-server.ts';
import { closeServer, listen, urlOf } from './listening.ts';
import type { Log } from './log.ts';
import { createModelUpdates, type ModelUpdates } from './model-updates.ts';
import {
  checkSettings,
  type PolicyServerOptions,
  SERVER_DEFAULTS,
  type ServerSettings,
} from './server-settings.ts';
import { openWorkerGroup } from './worker-group.ts';

export interface PolicyServer {
  readonly url: string;
  /** null without administration. */
  readonly adminUrl: string | null;
  /** Versions: load, stage beside the default, canary, roll back, unload. */
  readonly models: ModelUpdates;
  /** Refuses new requests, answers those that it has, and closes; a second later what has sent no whole request is cut off. */
  close(): Promise<void>;
}

/** What `createPolicyServer` of the package does. */
export async function createPolicyServer(options: PolicyServerOptions): Promise<PolicyServer> {
  const settings: ServerSettings = { ...SERVER_DEFAULTS, ...options };
  checkSettings(settings);
  const log: Log = (level, event, fields) =>
    options.log?.(JSON.stringify({ time: new Date().toISOString(), level, event, ...fields }));
  const acting = await (settings.workers === 1 ? openActing(settings, log) : openWorkerGroup(settings, log));
  const models = createModelUpdates(acting.models, { log, countReload: acting.countReload });
  const admin = settings.adminPort === null ? null : createAdminServer(models, acting.collect, settings);
  try {
    for (const source of settings.policies) await models[settings.lazy ? 'register' : 'load'](source);
    const url = await acting.listen();
    if (admin !== null) await listen(admin, settings.adminPort ?? 0, settings.adminHost);
    const stopWatching = watchFiles(models, acting, settings.reloadMs);
    log('info', 'listening', { url });
    return {
      url,
      adminUrl: admin === null ? null : urlOf(admin, settings.adminHost),
      models,
      async close() {
        stopWatching();
        await Promise.all([acting.close(), ...(admin === null ? [] : [closeServer(admin)])]);
        log('info', 'closed', {});
      },
    };
  } catch (error) {
    await acting.close();
    throw error;
  }
}

/** The pointer file is looked at, never a folder: it moves when a checkpoint is whole. */
function watchFiles(models: ModelUpdates, acting: Acting, everyMs: number): () => void {
  if (everyMs === 0) return () => undefined;
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    acting.refresh();
    void models.reload().finally(() => {
      isBusy = false;
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
