/**
 * A game that was written for people, and the environment around it.
 *
 *     npm run operant -- train --env ./examples/game-loop.ts --stop-return 40 --stop-steps 1000000
 *     npm run operant -- evaluate --checkpoint runs/<the run> --watch
 *
 * The game knows nothing of learning: it has a loop (`update(seconds)`), keys and a score, as it would in a browser with
 * requestAnimationFrame. The environment below gives it a clock, presses its keys and reads its state.
 */
import { Box, Discrete, type Env, openEnvRandom } from '../src/index.ts';

// ---------------------------------------------------------------- the game, as it was

/** A bird that falls, flaps and must pass the gaps between pipes. Lengths in screen heights, times in seconds. */
class BirdGame {
  height = 0.5;
  speed = 0;
  score = 0;
  isOver = false;
  pipes: { x: number; gap: number; isPassed: boolean }[] = [];
  /** Set by the keyboard handler, taken back by the next update. */
  isFlapPressed = false;
  private readonly random: () => number;

  constructor(random: () => number = Math.random) {
    this.random = random;
    for (let k = 0; k < 3; k++) this.addPipe(1 + 0.6 * k);
  }

  update(seconds: number): void {
    if (this.isOver) return;
    if (this.isFlapPressed) this.speed = -0.55;
    this.isFlapPressed = false;
    this.speed += 1.8 * seconds;
    this.height += this.speed * seconds;
    for (const pipe of this.pipes) {
      pipe.x -= 0.4 * seconds;
      if (Math.abs(pipe.x - 0.2) < 0.05 && Math.abs(this.height - pipe.gap) > 0.13) this.isOver = true;
      if (pipe.x < 0.15 && !pipe.isPassed) {
        pipe.isPassed = true;
        this.score += 1;
      }
    }
    if (this.pipes[0].x < -0.1) {
      this.pipes.shift();
      this.addPipe(this.pipes[1].x + 0.6);
    }
    if (this.height < 0 || this.height > 1) this.isOver = true;
  }

  private addPipe(x: number): void {
    this.pipes.push({ x, gap: 0.25 + 0.5 * this.random(), isPassed: false });
  }
}

// ---------------------------------------------------------------- the environment around it

const FRAME_SECONDS = 1 / 15; // a fixed clock, never the wall's: an episode repeats exactly

export default ({ maxEpisodeSteps = 1000 } = {}): Env => {
  let game = new BirdGame(() => 0.5);

  const observe = () => {
    const next = game.pipes.filter((pipe) => pipe.x > 0.15);
    return Float32Array.of(
      2 * game.height - 1,
      game.speed,
      next[0].x - 0.2,
      game.height - next[0].gap,
      next[1].x - 0.2,
      game.height - next[1].gap,
    );
  };

  return {
    observationSpace: new Box(-4, 4, [6]),
    actionSpace: new Discrete(2), // 0 nothing, 1 flap
    maxEpisodeSteps,
    reset({ seed = 0 } = {}) {
      const random = openEnvRandom(seed);
      game = new BirdGame(() => random.random());
      return { observation: observe() };
    },
    step(action) {
      const before = game.score;
      game.isFlapPressed = action === 1;
      game.update(FRAME_SECONDS);
      return {
        observation: observe(),
        reward: game.score - before + (game.isOver ? -1 : 0.01),
        terminated: game.isOver,
        truncated: false,
        info: { metrics: { score: game.score } },
      };
    },
    render() {
      const rows = Array.from({ length: 20 }, () => new Array(60).fill(' '));
      for (const { x, gap } of game.pipes) {
        const column = Math.round(x * 40);
        rows.forEach((row, r) => {
          if (column >= 0 && column < 60 && Math.abs(r / 20 - gap) > 0.15) row[column] = '#';
        });
      }
      rows[Math.min(19, Math.max(0, Math.round(game.height * 20)))][8] = '@';
      return `${rows.map((row) => row.join('')).join('\n')}\nscore ${game.score}`;
    },
  };
};
