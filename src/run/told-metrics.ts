/** Numbers that hooks tell. */
import { ConfigError } from '../errors.ts';

/** In front of their names: they never meet a key of ours. */
const PREFIX = 'user/';

export interface ToldMetrics {
  /** @throws ConfigError `CONFIG_METRIC` for a value that is not finite; nothing is taken then. */
  add(metrics: Readonly<Record<string, number>>): void;
  /** What was told since an iteration ended goes into `metrics`, and so does what is told from now on. */
  attach(metrics: Record<string, number>): void;
  /** The row is written: what is told from now on waits for the next one. */
  detach(): void;
}

export function createToldMetrics(): ToldMetrics {
  let waiting: Record<string, number> = {};
  let target: Record<string, number> | null = null;
  return {
    add(metrics) {
      for (const [name, value] of Object.entries(metrics)) {
        if (Number.isFinite(value)) continue;
        throw new ConfigError(
          'CONFIG_METRIC',
          `Expected the metric \`${name}\` to be a finite number, got ${value}.`,
        );
      }
      for (const [name, value] of Object.entries(metrics)) (target ?? waiting)[`${PREFIX}${name}`] = value;
    },
    attach(metrics) {
      Object.assign(metrics, waiting);
      waiting = {};
      target = metrics;
    },
    detach() {
      target = null;
    },
  };
}
