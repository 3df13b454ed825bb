/** A thread that lends itself to the learner. */
import { createSimdHelper } from '../../../src/learner/simd/participate.ts';
import { createGradient } from './gradient.ts';
import type { HelperStart } from './messages.ts';
import { openTeamWords, serveTeam } from './thread-team.ts';

async function help({ start, kernels, memory, threadIndex, teamAddress }: HelperStart): Promise<never> {
  const arena = { memory, buffer: memory.buffer };
  const helper = await createSimdHelper(start, kernels, arena, createGradient(start.spec));
  const words = openTeamWords(memory.buffer, teamAddress, start.layout.maxThreads);
  self.postMessage('ready');
  return serveTeam(words, threadIndex, () => helper.participate(threadIndex));
}

self.addEventListener('message', ({ data }: MessageEvent<HelperStart>) => {
  help(data).catch(reportError); // as an error event of this worker, which a rejected promise is not
});
