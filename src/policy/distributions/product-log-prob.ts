/** How likely an action of several heads was; the heads and where they lie: product.ts. */
import type { RowCall } from '../../weights/exploration.ts';
import type { ProductSpec } from '../policy-spec.ts';
import { bestChoice, choiceTotal, type HeadPlace, maskedLogit, placeChoices, placeHeads } from './product.ts';

/** Log-probability of a row's stored action. Allocates nothing. */
export type RowLogProb = (row: RowCall) => number;

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** With the tanh correction where a head is squashed. Float64 inside. Thread: any. */
export function createProductLogProb(distribution: ProductSpec): RowLogProb {
  const heads = placeHeads(distribution).map(headLogProb);
  return (row) => {
    let sum = 0;
    for (const logProb of heads) sum += logProb(row);
    return sum;
  };
}

function headLogProb(place: HeadPlace): RowLogProb {
  const { head } = place;
  if (head.kind === 'categorical') return choiceLogProb(head.sizes, place);
  return head.kind === 'bernoulli'
    ? bitLogProb(head.size, place)
    : numberLogProb(head.size, head.squash, place);
}

function choiceLogProb(sizes: readonly number[], { output, action, mask }: HeadPlace): RowLogProb {
  const choices = placeChoices(sizes, output, mask);
  return (row) => {
    let sum = 0;
    for (let a = 0; a < choices.length; a++) {
      const choice = choices[a];
      const largest = maskedLogit(row, choice, bestChoice(row, choice));
      const chosen = row.actions[row.actionOffset + action + a];
      sum += maskedLogit(row, choice, chosen) - largest - Math.log(choiceTotal(row, choice, largest));
    }
    return sum;
  };
}

function bitLogProb(size: number, { output, action }: HeadPlace): RowLogProb {
  return ({ outputs, outputOffset, actions, actionOffset }) => {
    let sum = 0;
    for (let a = 0; a < size; a++) {
      const logit = outputs[outputOffset + output + a];
      sum += actions[actionOffset + action + a] * logit - softplus(logit);
    }
    return sum;
  };
}

function numberLogProb(
  size: number,
  isSquashed: boolean,
  { output, action, logStd: first }: HeadPlace,
): RowLogProb {
  return ({ outputs, outputOffset, logStd, logStdOffset, actions, actionOffset }) => {
    let sum = 0;
    for (let a = 0; a < size; a++) {
      const log = logStd[logStdOffset + first + a];
      const u = actions[actionOffset + action + a];
      const z = (u - outputs[outputOffset + output + a]) * Math.exp(-log);
      sum -= 0.5 * z * z + log + HALF_LOG_2PI;
      if (isSquashed) sum -= 2 * (Math.LN2 - u - softplus(-2 * u));
    }
    return sum;
  };
}
