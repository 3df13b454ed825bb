/** A thread that lends itself to PPO's learner. */
import { serveAsHelper } from '../../../browser/index.ts';

serveAsHelper();
