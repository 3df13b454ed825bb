/**
 * The quantile Huber loss over rows (Dabney et al. 2018, arXiv:1710.10044), kappa = 1, and its gradient by the predicted quantiles:
 *
 *     loss = mean over i, j of |tau_i - 1(u < 0)| Huber(u),   u = y_j - theta_i,   tau_i = (i + 1/2) / N
 *
 * With c = clip(u, -1, 1): Huber(u) = c (u - c / 2), and its slope is c. A quantile's sums run over the targets in order, whatever the
 * vectors' width; a row's loss over its quantiles in order.
 */
import { madd, splat } from './math';
import { storeLanes } from './store';

/** Sum of the first `count` lanes, after `sum`. */
// @ts-ignore: decorator
@inline
function addLanes(sum: f32, x: v128, count: i32): f32 {
  if (count > 0) sum += f32x4.extract_lane(x, 0);
  if (count > 1) sum += f32x4.extract_lane(x, 1);
  if (count > 2) sum += f32x4.extract_lane(x, 2);
  if (count > 3) sum += f32x4.extract_lane(x, 3);
  return sum;
}

/** Eight quantiles from the `first` of `size` on against all targets; returns `loss` and theirs. */
function compare8(
  predicted: usize, targets: usize, first: i32, size: i32, numTargets: i32, factor: f32, gradient: usize, loss: f32,
): f32 {
  const offset = <usize>first << 2;
  const theta0 = v128.load(predicted + offset);
  const theta1 = v128.load(predicted + offset, 16);
  const count = splat(<f32>size);
  const tau0 = f32x4.div(f32x4.add(splat(<f32>first), f32x4(0.5, 1.5, 2.5, 3.5)), count);
  const tau1 = f32x4.div(f32x4.add(splat(<f32>first), f32x4(4.5, 5.5, 6.5, 7.5)), count);
  const rest0 = f32x4.sub(splat(1), tau0);
  const rest1 = f32x4.sub(splat(1), tau1);
  let slope0 = splat(0), slope1 = splat(0), loss0 = splat(0), loss1 = splat(0);
  const end = targets + (<usize>numTargets << 2);
  for (; targets < end; targets += 4) {
    const y = v128.load32_splat(targets);
    const u0 = f32x4.sub(y, theta0);
    const u1 = f32x4.sub(y, theta1);
    const c0 = f32x4.pmax(f32x4.pmin(u0, splat(1)), splat(-1));
    const c1 = f32x4.pmax(f32x4.pmin(u1, splat(1)), splat(-1));
    const weighted0 = f32x4.mul(v128.bitselect(rest0, tau0, f32x4.lt(u0, splat(0))), c0);
    const weighted1 = f32x4.mul(v128.bitselect(rest1, tau1, f32x4.lt(u1, splat(0))), c1);
    slope0 = f32x4.add(slope0, weighted0);
    slope1 = f32x4.add(slope1, weighted1);
    loss0 = madd(weighted0, madd(c0, splat(-0.5), u0), loss0);
    loss1 = madd(weighted1, madd(c1, splat(-0.5), u1), loss1);
  }
  const left = size - first;
  storeLanes(gradient + offset, f32x4.mul(slope0, splat(factor)), left);
  storeLanes(gradient + offset + 16, f32x4.mul(slope1, splat(factor)), left - 4);
  return addLanes(addLanes(loss, loss0, left), loss1, left - 4);
}

/**
 * predicted [R, size] (stride ldp) against the first `numTargets` of targets [R, ...] (ldt): losses [R], gradient [R, size] (ldg) =
 * scale dloss/dtheta. Strides in bytes; f32.
 */
export function quantileHuber(
  predicted: usize, ldp: usize, targets: usize, ldt: usize, rows: i32, size: i32, numTargets: i32,
  scale: f32, gradient: usize, ldg: usize, losses: usize,
): void {
  const share = <f32>1 / <f32>(size * numTargets);
  const factor = -(scale * share);
  for (let r = 0; r < rows; r++) {
    let loss: f32 = 0;
    for (let i = 0; i < size; i += 8) loss = compare8(predicted, targets, i, size, numTargets, factor, gradient, loss);
    store<f32>(losses + (<usize>r << 2), loss * share);
    predicted += ldp;
    targets += ldt;
    gradient += ldg;
  }
}
