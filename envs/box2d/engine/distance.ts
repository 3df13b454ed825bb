/**
 * The distance between two convex shapes by GJK: the point of their difference B - A that is nearest to the origin, found through simplices of
 * up to three of its corners.
 */
import { EPSILON } from './settings.ts';

/** Corners of a shape, in its own frame. */
export interface Cloud {
  corners: Float64Array; // [.., 2] f64
  /** Index of the first number. */
  from: number;
  count: number;
}

/** From a body's frame into the world. */
export interface Frame {
  x: number;
  y: number;
  sin: number;
  cos: number;
}

/** The simplex that a search ended with, from which the next one begins. */
export interface SimplexCache {
  count: number;
  /** Length or area, by which a simplex that has become another one is told. */
  metric: number;
  readonly indicesA: Int32Array; // [3] i32
  readonly indicesB: Int32Array; // [3] i32
}

export function createSimplexCache(): SimplexCache {
  return { count: 0, metric: 0, indicesA: new Int32Array(3), indicesB: new Int32Array(3) };
}

const MAX_ITERATIONS = 20;

/** A corner of B less one of A. */
interface Vertex {
  indexA: number;
  indexB: number;
  ax: number;
  ay: number;
  bx: number;
  by: number;
  x: number;
  y: number;
  /** Its share of the nearest point. */
  share: number;
}

const newVertex = (): Vertex => ({
  indexA: 0,
  indexB: 0,
  ax: 0.5,
  ay: 0.5,
  bx: 0.5,
  by: 0.5,
  x: 0.5,
  y: 0.5,
  share: 0.5,
});

// One search at a time: nothing below outlives a call.
const first = newVertex();
const second = newVertex();
const third = newVertex();
const vertices = [first, second, third];
let count = 0;
const saved = new Int32Array(6); // [3, 2] i32
let saveCount = 0;
const direction = { x: 0.5, y: 0.5 };

/** The corner that is farthest in a direction. */
export function supportOf({ corners, from, count: numCorners }: Cloud, x: number, y: number): number {
  let best = -1;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < numCorners; k++) {
    const value = corners[from + 2 * k] * x + corners[from + 2 * k + 1] * y;
    if (value <= bestValue) continue;
    best = k;
    bestValue = value;
  }
  return best;
}

/** Cloud A lies in the world as it is. @param cache read and written. @returns 0 where they overlap. */
export function distanceBetween(cache: SimplexCache, a: Cloud, b: Cloud, frame: Frame): number {
  readCache(cache, a, b, frame);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    saveCount = count;
    for (let k = 0; k < saveCount; k++) {
      saved[2 * k] = vertices[k].indexA;
      saved[2 * k + 1] = vertices[k].indexB;
    }
    if (count === 2) solveSegment();
    else if (count === 3) solveTriangle();
    if (count === 3) break; // the origin is within
    setDirection();
    const { x, y } = direction;
    if (x * x + y * y < EPSILON * EPSILON) break;
    const vertex = vertices[count];
    const { sin, cos } = frame;
    setVertex(vertex, supportOf(a, -x, -y), supportOf(b, cos * x + sin * y, -sin * x + cos * y), a, b, frame);
    if (isSaved(vertex)) break;
    count += 1;
  }
  cache.metric = metric();
  cache.count = count;
  for (let k = 0; k < count; k++) {
    cache.indicesA[k] = vertices[k].indexA;
    cache.indicesB[k] = vertices[k].indexB;
  }
  return nearestDistance();
}

/** From the simplex towards the origin. */
function setDirection(): void {
  if (count === 1) {
    direction.x = -first.x;
    direction.y = -first.y;
    return;
  }
  const x = second.x - first.x;
  const y = second.y - first.y;
  const isLeft = -(x * first.y - y * first.x) > 0;
  direction.x = isLeft ? -y : y;
  direction.y = isLeft ? x : -x;
}

function setVertex(vertex: Vertex, indexA: number, indexB: number, a: Cloud, b: Cloud, frame: Frame): void {
  const { x, y, sin, cos } = frame;
  const localX = b.corners[b.from + 2 * indexB];
  const localY = b.corners[b.from + 2 * indexB + 1];
  vertex.indexA = indexA;
  vertex.indexB = indexB;
  vertex.ax = a.corners[a.from + 2 * indexA];
  vertex.ay = a.corners[a.from + 2 * indexA + 1];
  vertex.bx = cos * localX - sin * localY + x;
  vertex.by = sin * localX + cos * localY + y;
  vertex.x = vertex.bx - vertex.ax;
  vertex.y = vertex.by - vertex.ay;
}

function isSaved({ indexA, indexB }: Vertex): boolean {
  for (let k = 0; k < saveCount; k++) if (saved[2 * k] === indexA && saved[2 * k + 1] === indexB) return true;
  return false;
}

function readCache(cache: SimplexCache, a: Cloud, b: Cloud, frame: Frame): void {
  count = cache.count;
  for (let k = 0; k < count; k++) {
    setVertex(vertices[k], cache.indicesA[k], cache.indicesB[k], a, b, frame);
    vertices[k].share = 0;
  }
  if (count > 1) {
    const now = metric();
    if (now < 0.5 * cache.metric || 2 * cache.metric < now || now < EPSILON) count = 0;
  }
  if (count > 0) return;
  setVertex(first, 0, 0, a, b, frame);
  first.share = 1;
  count = 1;
}

function metric(): number {
  if (count === 1) return 0;
  const x = second.x - first.x;
  const y = second.y - first.y;
  if (count === 3) return x * (third.y - first.y) - y * (third.x - first.x);
  return Math.sqrt(x * x + y * y);
}

function nearestDistance(): number {
  if (count === 3) return 0;
  if (count === 1) {
    const x = first.ax - first.bx;
    const y = first.ay - first.by;
    return Math.sqrt(x * x + y * y);
  }
  const x =
    first.share * first.ax + second.share * second.ax - (first.share * first.bx + second.share * second.bx);
  const y =
    first.share * first.ay + second.share * second.ay - (first.share * first.by + second.share * second.by);
  return Math.sqrt(x * x + y * y);
}

function copy(to: Vertex, from: Vertex): void {
  to.indexA = from.indexA;
  to.indexB = from.indexB;
  to.ax = from.ax;
  to.ay = from.ay;
  to.bx = from.bx;
  to.by = from.by;
  to.x = from.x;
  to.y = from.y;
  to.share = from.share;
}

/** Keeps one vertex alone. */
function keepOne(vertex: Vertex): void {
  vertex.share = 1;
  count = 1;
  if (vertex !== first) copy(first, vertex);
}

/** Keeps two vertices, weighed. @param ofA weight of `a` before scaling. */
function keepTwo(a: Vertex, b: Vertex, ofA: number, ofB: number): void {
  const inverse = 1 / (ofA + ofB);
  a.share = ofA * inverse;
  b.share = ofB * inverse;
  count = 2;
}

const along = (a: Vertex, from: Vertex, to: Vertex) => a.x * (to.x - from.x) + a.y * (to.y - from.y);
const cross = (a: Vertex, b: Vertex) => a.x * b.y - a.y * b.x;

function solveSegment(): void {
  const of2 = -along(first, first, second);
  if (of2 <= 0) {
    keepOne(first);
    return;
  }
  const of1 = along(second, first, second);
  if (of1 <= 0) keepOne(second);
  else keepTwo(first, second, of1, of2);
}

/** Which corner, side or inside of the triangle is nearest to the origin. */
function solveTriangle(): void {
  const d12at1 = along(second, first, second);
  const d12at2 = -along(first, first, second);
  const d13at1 = along(third, first, third);
  const d13at3 = -along(first, first, third);
  const d23at2 = along(third, second, third);
  const d23at3 = -along(second, second, third);
  const area = (second.x - first.x) * (third.y - first.y) - (second.y - first.y) * (third.x - first.x);
  const at1 = area * cross(second, third);
  const at2 = area * cross(third, first);
  const at3 = area * cross(first, second);
  if (d12at2 <= 0 && d13at3 <= 0) keepOne(first);
  else if (d12at1 > 0 && d12at2 > 0 && at3 <= 0) keepTwo(first, second, d12at1, d12at2);
  else if (d13at1 > 0 && d13at3 > 0 && at2 <= 0) {
    keepTwo(first, third, d13at1, d13at3);
    copy(second, third);
  } else if (d12at1 <= 0 && d23at3 <= 0) keepOne(second);
  else if (d13at1 <= 0 && d23at2 <= 0) keepOne(third);
  else if (d23at2 > 0 && d23at3 > 0 && at1 <= 0) {
    keepTwo(second, third, d23at2, d23at3);
    copy(first, third);
  } else {
    const inverse = 1 / (at1 + at2 + at3);
    first.share = at1 * inverse;
    second.share = at2 * inverse;
    third.share = at3 * inverse;
    count = 3;
  }
}
