/** Shares as horizontal bars. */
import { COLORS, svgDocument, text } from './svg.ts';

const LEFT = 190;
const FULL = 360;
const ROW = 24;

/** @param shares in [0, 1]; drawn from the top in their order. */
export function drawBars(
  title: string,
  shares: readonly { readonly name: string; readonly share: number }[],
): string {
  const rows = shares.flatMap(({ name, share }, k) => {
    const y = 44 + ROW * k;
    return [
      text(LEFT - 8, y + 13, 'end', name),
      `<rect x="${LEFT}" y="${y}" width="${(FULL * share).toFixed(1)}" height="16" fill="${COLORS[0]}"/>`,
      text(LEFT + FULL * share + 6, y + 13, 'start', `${(100 * share).toFixed(0)} %`),
    ];
  });
  return svgDocument(title, LEFT + FULL + 60, 54 + ROW * shares.length, rows);
}
