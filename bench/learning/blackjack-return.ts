/** The mean return at Blackjack-v1's default rules (`sab`), worked out: what a learner is measured against. */

/** A hand: its best sum, and whether an ace in it counts 11. */
interface Hand {
  readonly sum: number;
  readonly usableAce: boolean;
}

const CARDS = Array.from({ length: 10 }, (_, k) => ({ card: k + 1, probability: k === 9 ? 4 / 13 : 1 / 13 }));
const STAND = 17;
const BUST = 0;

/** True = another card. */
export type BlackjackPolicy = (sum: number, usableAce: boolean, open: number) => boolean;

/**
 * Expected return over all deals, cards from an infinite deck: of the best policy, or of a given one. By dynamic programming over
 * the player's sums, which only a usable ace can bring down again; the dealer's final sums by the same recursion.
 *
 * V(hand, open card) = max(stick, sum over cards of P(card) * (-1 where that busts, else V)).
 *
 * @returns -0.0431 for the best one.
 */
export function blackjackReturn(isHitting?: BlackjackPolicy): number {
  const values = new Map<string, number>();
  const choose = (hand: Hand, open: number, stick: number, hit: () => number): number => {
    if (isHitting === undefined) return Math.max(stick, hit());
    return isHitting(hand.sum, hand.usableAce, open) ? hit() : stick;
  };
  const hitValue = (hand: Hand, open: number) =>
    expectation((card) => {
      const next = add(hand, card);
      return next.sum > 21 ? -1 : valueAt(next, open);
    });
  const valueAt = (hand: Hand, open: number): number => {
    const key = `${hand.sum} ${hand.usableAce} ${open}`;
    const value =
      values.get(key) ?? choose(hand, open, stickValue(hand.sum, open, false), () => hitValue(hand, open));
    values.set(key, value);
    return value;
  };
  return expectation((open) =>
    expectation((first) =>
      expectation((second) => {
        const hand = add(handOf(first), second);
        if (!isNatural(first, second)) return valueAt(hand, open);
        return choose(hand, open, stickValue(hand.sum, open, true), () => hitValue(hand, open));
      }),
    ),
  );
}

/** Of sticking at `sum`; a natural wins against all but another natural. */
function stickValue(sum: number, open: number, natural: boolean): number {
  return expectation((hidden) => {
    if (natural) return isNatural(open, hidden) ? 0 : 1;
    return dealerFrom(add(handOf(open), hidden), (dealer) => Math.sign(sum - dealer));
  });
}

/** Expectation of `judge` over the dealer's final sums, 0 for a bust. */
function dealerFrom(hand: Hand, judge: (sum: number) => number): number {
  if (hand.sum >= STAND) return judge(hand.sum > 21 ? BUST : hand.sum);
  return expectation((card) => dealerFrom(add(hand, card), judge));
}

function expectation(value: (card: number) => number): number {
  return CARDS.reduce((sum, { card, probability }) => sum + probability * value(card), 0);
}

const handOf = (card: number): Hand => add({ sum: 0, usableAce: false }, card);

function add({ sum, usableAce }: Hand, card: number): Hand {
  if (card === 1 && sum + 11 <= 21) return { sum: sum + 11, usableAce: true };
  if (sum + card > 21 && usableAce) return { sum: sum + card - 10, usableAce: false };
  return { sum: sum + card, usableAce };
}

const isNatural = (first: number, second: number): boolean =>
  Math.min(first, second) === 1 && Math.max(first, second) === 10;
