/** The listener for operators: metrics, and which versions are loaded. On this machine alone, unless told otherwise. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { ServeError } from '../errors.ts';
import { createAccessCheck } from './access.ts';
import { badRequest } from './act-route.ts';
import { type Answer, asJson, errorAnswer, pathOf, readJson, send } from './answers.ts';
import { dashboard } from './dashboard.ts';
import { metricsText, type Samples } from './metrics-text.ts';
import type { ModelUpdates } from './model-updates.ts';
import { promised } from './reply.ts';

const MAX_BODY_BYTES = 65_536;

/**
 * - `GET /metrics`: Prometheus text. `GET /dashboard.json`: a Grafana dashboard of them. `GET /models`: everything that is loaded.
 * - `POST /models/NAME/load {path, version?}`: loads a checkpoint and makes it the default. No code is loaded: custom networks are refused.
 * - `POST /models/NAME/stage {path, version?}`: loads it beside the default and says in which share of recorded requests it acts alike.
 * - `POST /models/NAME/canary {version, percent}`: gives it a share of the sessions; 0 ends that.
 * - `POST /models/NAME/default {version}`: a rollback is this. `POST /models/NAME/unload {version}`. `POST /reload`.
 */
export function createAdminServer(
  models: ModelUpdates,
  collect: () => Promise<Samples>,
  { tokens }: { readonly tokens: readonly string[] },
): Server {
  const checkAccess = createAccessCheck(tokens);
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    checkAccess(request);
    const pathname = pathOf(request);
    if (request.method === 'GET' && pathname === '/metrics') {
      return {
        status: 200,
        body: metricsText(await collect()),
        type: 'text/plain; version=0.0.4; charset=utf-8',
      };
    }
    if (request.method === 'GET' && pathname === '/dashboard.json') return asJson(dashboard());
    if (request.method === 'POST') return asJson(await command(models, pathname, request));
    if (pathname !== '/models') throw new ServeError('SERVE_PATH', 404, `Nothing at ${pathname}.`);
    return asJson(await models.list());
  };
  return createServer((request, response) => {
    answer(request)
      .catch((error: unknown) => {
        const known = error instanceof ServeError || !(error instanceof Error);
        // The operator may know why: a checkpoint that does not load, say.
        return errorAnswer(
          known ? error : new ServeError('SERVE_MODEL', 422, error.message),
          () => undefined,
        );
      })
      .then((given) => send(response, given, false))
      .catch(() => response.destroy());
  });
}

async function command(models: ModelUpdates, pathname: string, request: IncomingMessage): Promise<unknown> {
  if (pathname === '/reload') {
    await models.reload();
    return models.list();
  }
  const [, name, action] = /^\/models\/([\w.-]+)\/(load|stage|default|canary|unload)$/.exec(pathname) ?? [];
  if (name === undefined) throw new ServeError('SERVE_PATH', 404, `Nothing at ${pathname}.`);
  const body = await promised((reply) => readJson(request, MAX_BODY_BYTES, reply));
  const { path, version, percent } = Object(body) as Record<string, unknown>;
  if (action === 'load' || action === 'stage') {
    if (typeof path !== 'string') throw badRequest('Expected `path` of a checkpoint on this machine.');
    const staged = await models[action]({ name, path, ...(typeof version === 'string' && { version }) });
    return action === 'stage' ? staged : models.list();
  }
  if (typeof version !== 'string') throw badRequest('Expected `version` of a version that is loaded.');
  if (action === 'default') await models.setDefault(name, version);
  else if (action === 'unload') await models.unload(name, version);
  else if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100))
    throw badRequest('Expected `percent` to be a number from 0 to 100.');
  else await models.setCanary(name, percent === 0 ? null : { version, percent });
  return models.list();
}
