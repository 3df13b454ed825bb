/** What the listener that acts answers at which path. */
import type { IncomingMessage } from 'node:http';
import { ServeError } from '../errors.ts';
import { answerAct, type RequestDefaults } from './act-route.ts';
import { type Answer, asJson, readJson } from './answers.ts';
import { answerInfer, modelMetadata, serverMetadata } from './inference-v2.ts';
import type { ModelStatus } from './model-control.ts';
import type { ModelRepository } from './model-repository.ts';
import { openApiDocument } from './open-api.ts';
import { promised, type Reply } from './reply.ts';
import type { RequestTimes } from './request-times.ts';
import { TRY_PAGE } from './try-page.ts';

export interface RouterOptions extends RequestDefaults {
  readonly maxBodyBytes: number;
}

/** @param times null = nobody traces it. */
export type Route = (
  request: IncomingMessage,
  pathname: string,
  reply: Reply<Answer>,
  times: RequestTimes | null,
) => void;

const MODEL_PATH = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/;

/** @returns answers by its reply; throws where it is asked in a way that has no answer. */
export function createRouter(models: ModelRepository, options: RouterOptions, isReady: () => boolean): Route {
  const { maxBodyBytes } = options;
  const readBody = (request: IncomingMessage) => promised((reply) => readJson(request, maxBodyBytes, reply));
  const ofModel = async (
    request: IncomingMessage,
    path: RegExpExecArray,
    times: RequestTimes | null,
  ): Promise<Answer> => {
    const [name, version] = [decodeURIComponent(path[1]), path[2] && decodeURIComponent(path[2])];
    if (path[3] === '/infer') {
      expectMethod(request, 'POST');
      return asJson(
        await answerInfer(models, options, [name, version || undefined], await readBody(request), times),
      );
    }
    expectMethod(request, 'GET');
    const known = models.status().filter((entry) => entry.name === name);
    if (path[3] === '/ready') return readiness(models, known, [name, version || undefined], isReady());
    await models.prepare(name);
    const { model } = models.find(name, version || undefined);
    const versions = known.map((entry) => entry.version);
    return asJson(modelMetadata(model, versions));
  };
  const fixed: Readonly<Record<string, () => Answer>> = {
    '/': () => ({ status: 200, body: TRY_PAGE, type: 'text/html; charset=utf-8' }),
    '/openapi.json': () => asJson(openApiDocument()),
    '/models': () =>
      asJson(
        models
          .status()
          .map(({ name, version, isDefault, isLoaded }) => ({ name, version, isDefault, isLoaded })),
      ),
    '/v2': () => asJson(serverMetadata()),
    '/health/live': () => asJson({ live: true }),
    '/v2/health/live': () => asJson({ live: true }),
    '/health/ready': () => asJson({ ready: isReady() }, isReady() ? 200 : 503),
    '/v2/health/ready': () => asJson({ ready: isReady() }, isReady() ? 200 : 503),
  };
  const others = async (
    request: IncomingMessage,
    pathname: string,
    times: RequestTimes | null,
  ): Promise<Answer> => {
    if (Object.hasOwn(fixed, pathname)) {
      expectMethod(request, 'GET');
      return fixed[pathname]();
    }
    const path = MODEL_PATH.exec(pathname);
    if (path !== null) return ofModel(request, path, times);
    throw new ServeError('SERVE_PATH', 404, `Nothing at ${pathname}; /openapi.json says what there is.`);
  };
  return (request, pathname, reply, times) => {
    if (pathname === '/act') act(models, options, request, times, reply);
    else others(request, pathname, times).then(reply.answer, reply.fail);
  };
}

function act(
  models: ModelRepository,
  options: RouterOptions,
  request: IncomingMessage,
  times: RequestTimes | null,
  reply: Reply<Answer>,
): void {
  expectMethod(request, 'POST');
  readJson(request, options.maxBodyBytes, {
    answer(body) {
      try {
        answerAct(models, options, body, times, {
          answer(acted) {
            reply.answer(asJson(acted));
          },
          fail: reply.fail,
        });
      } catch (error) {
        reply.fail(error);
      }
    },
    fail: reply.fail,
  });
}

/** Loads nothing: whoever looks whether a model that is asleep would answer does not wake it. @throws ServeError `SERVE_MODEL` for one that is not known. */
function readiness(
  models: ModelRepository,
  known: readonly ModelStatus[],
  [name, version]: readonly [string, string | undefined],
  isServing: boolean,
): Answer {
  const asked = known.find((entry) => (version === undefined ? entry.isDefault : entry.version === version));
  // A default that is asleep beside a version that is staged is not among those in memory.
  if (known.length === 0 || (asked === undefined && version !== undefined)) models.find(name, version);
  const ready = isServing && asked?.breaker !== 'open';
  return asJson({ ready }, ready ? 200 : 503);
}

function expectMethod({ method }: IncomingMessage, expected: 'GET' | 'POST'): void {
  if (method === expected) return;
  throw new ServeError('SERVE_METHOD', 405, `Expected ${expected}, got ${method}.`);
}
