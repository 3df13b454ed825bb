/** A policy that goes back to a beginning in mid-run is curious again, too. */
import type { ObjectiveLearner } from '../../learner/objective-learner.ts';
import type { CuriosityParts } from './curiosity-state.ts';
import { firstWeights } from './learner.ts';

/**
 * First weights of a generation, an optimizer and counts that have seen nothing. Statistics of observations and of the bonus are about the game more than
 * about who plays it, and stay.
 *
 * @param name of the policy and its generation: with the master seed it says which weights.
 */
export function beginAfresh({ learner, visits }: CuriosityParts, seed: number, name: string): void {
  learner.writeParameters(firstWeights(learner.model, seed, name));
  forgetMoments(learner);
  visits?.setState([]);
}

/** What another policy knows of observations of the same kind; an optimizer that has seen nothing. Running sums of rows stay: those are the rows' own. */
export function becomeAs(
  { learner, normalizer, scaler, visits }: CuriosityParts,
  other: CuriosityParts,
): void {
  learner.writeParameters(other.learner.readParameters());
  forgetMoments(learner);
  normalizer.setState(other.normalizer.getState());
  if (scaler !== null && other.scaler !== null) {
    const { moments } = other.scaler.getState();
    scaler.setState({ moments, returns: scaler.getState().returns });
  }
  if (other.visits !== null) visits?.setState(other.visits.getState());
}

function forgetMoments(learner: ObjectiveLearner): void {
  const { trainedSize } = learner.layout;
  const steps = Object.fromEntries(learner.objective.groups.map(({ name }) => [name, 0]));
  const zeros = () => new Float32Array(trainedSize);
  learner.writeOptimizerState({ numUpdates: 0, steps, m: zeros(), v: zeros() });
}
