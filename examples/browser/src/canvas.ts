/** A canvas that keeps to its size on the page and to the page's colours. */

export interface Colors {
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly accent: string;
  readonly pole: string;
  readonly shade: string;
}

/** Drawing happens in CSS pixels, whatever the density of the screen. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly colors: Colors;
}

/** @param onChange called when the size or the colours have changed, so that what is drawn is no longer right. */
export function openCanvas(canvas: HTMLCanvasElement, onChange: () => void = () => undefined): () => Surface {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser gives no 2D canvas.');
  let colors = readColors();
  const fit = () => {
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    onChange();
  };
  new ResizeObserver(fit).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    colors = readColors();
    onChange();
  });
  return () => {
    const scale = canvas.width / Math.max(1, canvas.clientWidth);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    return { context, width: canvas.clientWidth, height: canvas.clientHeight, colors };
  };
}

function readColors(): Colors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color('ink'),
    quiet: color('quiet'),
    line: color('line'),
    accent: color('accent'),
    pole: color('pole'),
    shade: color('shade'),
  };
}
