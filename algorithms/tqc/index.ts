/** TQC as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { sacMetrics } from '../sac/metrics.ts';
import { checkTQC, tqcOptions } from './config.ts';
import { tunedTQC } from './tuned.ts';

export const tqc = defineAlgorithm({
  name: 'tqc',
  title: 'Truncated quantile critics (Kuznetsov et al. 2020)',
  options: tqcOptions,
  check: checkTQC,
  metrics: sacMetrics,
  headline: {
    'train/temperature': 'temperature',
    'train/criticLoss': 'critic loss',
    'train/qMean': 'Q',
  },
  summary: ['train/entropy', 'train/saturation', 'replay/size'],
  tunedDefaults: tunedTQC,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./tqc.ts')).createTQC(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentTQC(config),
    ),
});

/** TQC's configuration builder. */
export const TQCConfig = tqc.Config;
