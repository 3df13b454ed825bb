/** What the processes of a server say to each other, over Node's channel between parent and child. */
import { ConfigError, ServeError } from '../errors.ts';
import type { ServerSettings } from './server-settings.ts';

export type ToWorker =
  | { readonly kind: 'open'; readonly settings: ServerSettings }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: WorkerMethod;
      readonly args: readonly unknown[];
    };

/** Of `Acting` and its models. */
export type WorkerMethod =
  | 'stage'
  | 'register'
  | 'setDefault'
  | 'setCanary'
  | 'unload'
  | 'list'
  | 'collect'
  | 'listen'
  | 'refresh'
  | 'close';

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'error';
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

/** An error, as text: classes do not cross. */
export interface SentError {
  readonly message: string;
  readonly code: string | null;
  readonly status: number;
}

export function toSent(error: unknown): SentError {
  const { message, code, status } = Object(error) as Partial<ServeError>;
  return {
    message: message ?? String(error),
    code: typeof code === 'string' ? code : null,
    status: typeof status === 'number' ? status : 422,
  };
}

export function fromSent({ message, code, status }: SentError): Error {
  if (code?.startsWith('CONFIG_')) return new ConfigError(code as 'CONFIG_SERVE', message);
  return code?.startsWith('SERVE_') ? new ServeError(code as 'SERVE_', status, message) : new Error(message);
}
