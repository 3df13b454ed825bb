import { loadPolicy, PPOConfig } from '../src/index.ts';

const algorithm = await new PPOConfig()
  .environment('CartPole-v1')
  .envRunners({ numEnvs: 8, rolloutLength: 32 })
  .training({ learningRate: 1e-3, gamma: 0.98, gaeLambda: 0.8, numEpochs: 20, minibatchSize: 256 })
  .debugging({ seed: 1 })
  .build();

let mean = 0;
while (mean < 475 && algorithm.numEnvSteps < 150_000) {
  const { iteration, numEnvSteps, episodeReturnMean } = await algorithm.train();
  mean = episodeReturnMean ?? 0;
  if (iteration % 20 === 0) console.log(`${numEnvSteps} steps: mean return ${mean.toFixed(1)}`);
}
const { returnMean } = await algorithm.evaluate({ numEpisodes: 100 });
console.log(`Evaluated over 100 episodes: ${returnMean.toFixed(1)}`);

const checkpoint = await algorithm.save(`runs/quick-start-${Date.now()}`);
await algorithm.stop();
const actor = (await loadPolicy(checkpoint)).actor();
console.log('Action for an upright pole:', actor.act([0, 0, 0, 0]));
