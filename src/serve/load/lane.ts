/** One connection of a load test. */
import { performance } from 'node:perf_hooks';
import { ConfigError } from '../../errors.ts';

export interface LoadTarget {
  /** Without a slash at its end: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly token: string | null;
  readonly model: ServedModel;
  /** 0 = the server's default. */
  readonly priority: number;
  /** As the environment gives it, as JSON text; null = zeros, a flat row. Over HTTP only. */
  readonly observation: string | null;
  /** A request without an answer for so long is lost, ms. */
  readonly timeoutMs: number;
}

export interface ServedModel {
  readonly name: string;
  readonly observationSize: number;
  readonly observationBytes: number; // of an element
  /** 0 = the policy was trained without. */
  readonly maskSize: number;
  readonly isRecurrent: boolean;
}

export interface Lane {
  /** May be asked again before it has answered. */
  readonly canPipeline: boolean;
  /** @returns the status of the answer; 0 = none came, with the connection's end or in time. */
  ask(): Promise<number>;
  close(): void;
}

/** Asks the server what its model takes. @param name undefined = its only one. @throws ConfigError `CONFIG_SERVE`. */
export async function describeModel(
  url: string,
  token: string | null,
  name: string | undefined,
): Promise<ServedModel> {
  const models = (await get(url, token, '/models')) as readonly { readonly name: string }[];
  const names = [...new Set(models.map((model) => model.name))];
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined || !names.includes(chosen))
    throw refused(`Which model? Give --model, one of ${names.join(', ')}.`);
  const { inputs } = (await get(url, token, `/v2/models/${chosen}`)) as {
    readonly inputs: readonly {
      readonly name: string;
      readonly datatype: string;
      readonly shape: readonly number[];
    }[];
  };
  const input = (wanted: string) => inputs.find((tensor) => tensor.name === wanted);
  const observation = input('observation');
  return {
    name: chosen,
    observationSize: observation?.shape.at(-1) ?? 0,
    observationBytes: observation?.datatype === 'UINT8' ? 1 : 4,
    maskSize: input('mask')?.shape.at(-1) ?? 0,
    isRecurrent: input('state') !== undefined,
  };
}

async function get(url: string, token: string | null, path: string): Promise<unknown> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { headers }).catch((cause: unknown) => {
    const { cause: reason = cause } = Object(cause) as { readonly cause?: unknown };
    throw refused(`Nothing answers at ${url}: ${reason instanceof Error ? reason.message : String(reason)}`);
  });
  const answer = (await response.json().catch(() => null)) as { readonly error?: unknown } | null;
  if (response.ok && answer !== null) return answer;
  throw refused(
    `${url}${path} answered ${response.status}: ${String(answer?.error ?? 'it is no policy server')}`,
  );
}

const refused = (message: string) => new ConfigError('CONFIG_SERVE', message);

/** Names of sessions that no other load test has. */
export const sessionName = (k: number): string =>
  `bench ${process.pid} ${performance.timeOrigin.toString(36)} ${k}`;
