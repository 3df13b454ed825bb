import { parentPort } from 'node:worker_threads';
import { isOperantError, ShapeError } from '../../src/errors.ts';

interface Answer {
  readonly text: string;
}

const error = new ShapeError('SHAPE_X', 'x');
const answer: Answer = { text: `${isOperantError(error) ? 'OperantError' : 'no'} ${error.code}` };
parentPort?.postMessage(answer.text);
