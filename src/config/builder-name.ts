/** The name of an algorithm's builder: `PPOConfig` of `ppo`, `SACDiscreteConfig` of `sac-discrete`. */
export function builderName(algorithm: string): string {
  const [first, ...rest] = algorithm.split('-');
  const words = rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${first.toUpperCase()}${words.join('')}Config`;
}
