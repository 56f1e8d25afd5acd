// Small drawings. Each has its numbers beside it as text.

import { rate, svg } from './dom.js';

const WIDTH = 120;
const HEIGHT = 20;

function described(rates, label) {
  if (rates.length === 0) return `${label}: not known yet`;
  return `${label}: from ${rate(Math.min(...rates))} to ${rate(Math.max(...rates))}, `
    + `now ${rate(rates.at(-1))}`;
}

/** The rates of the last minutes as a line. */
export function sparkline(rates, label) {
  const most = Math.max(...rates, 1e-9);
  const step = WIDTH / Math.max(rates.length - 1, 1);
  const y = (value) => (HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1);
  const points = rates.map((value, at) => `${(at * step).toFixed(1)},${y(value)}`);
  const picture = svg('svg', {
    class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT,
    role: 'img', 'aria-label': described(rates, label), preserveAspectRatio: 'none',
  });
  if (points.length > 1) {
    const area = `0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`;
    picture.append(svg('polygon', { points: area, class: 'area' }),
      svg('polyline', { points: points.join(' '), class: 'line' }));
  }
  return picture;
}

/** A part of a whole as a bar. */
export function bar(part, whole) {
  const share = whole > 0 ? Math.min(part / whole, 1) : 0;
  return svg('svg', {
    class: 'bar', viewBox: '0 0 100 8', width: 100, height: 8, 'aria-hidden': 'true',
    preserveAspectRatio: 'none',
  },
  svg('rect', { width: 100, height: 8, class: 'rest' }),
  svg('rect', { width: (share * 100).toFixed(2), height: 8, class: 'part' }));
}

/** The bars of a histogram. */
const BARS = 24;

/** How often values are as large, on a logarithmic scale: from quantiles in equal steps. */
export function histogram(quantiles) {
  const logs = quantiles.map((value) => Math.log1p(Math.max(value, 0)));
  const low = logs[0];
  const width = (logs.at(-1) - low) / BARS;
  const bars = Array(BARS).fill(0);
  for (let at = 1; at < logs.length; at += 1) {
    const [from, to] = [logs[at - 1], logs[at]];
    // The values of a step are spread over the bars that it covers.
    for (let bar = 0; bar < BARS; bar += 1) {
      const start = low + bar * width;
      const isLast = bar === BARS - 1;
      if (to === from) {
        const isHere = width === 0 ? bar === 0
          : from >= start && (from < start + width || isLast);
        if (isHere) bars[bar] += 1;
        if (isHere) break;
      } else {
        bars[bar] += Math.max(Math.min(to, start + width) - Math.max(from, start), 0) / (to - from);
      }
    }
  }
  const most = Math.max(...bars);
  const picture = svg('svg', {
    class: 'histogram', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT,
    'aria-hidden': 'true',
  });
  bars.forEach((share, at) => {
    const height = (share / most) * HEIGHT;
    picture.append(svg('rect', {
      x: (at * WIDTH) / BARS, y: (HEIGHT - height).toFixed(1), width: WIDTH / BARS - 1,
      height: height.toFixed(1), class: 'part',
    }));
  });
  return picture;
}

/** Where the values of a distribution lie: least, median, 95th percentile, most. */
export function range({ min, median, mean, p95, max }) {
  const low = Math.log1p(Math.max(min, 0));
  const high = Math.log1p(Math.max(max, 0));
  const x = (value) => {
    const share = high > low ? (Math.log1p(Math.max(value, 0)) - low) / (high - low) : 0.5;
    return (2 + share * 196).toFixed(1);
  };
  const mark = (value, kind, top, bottom) =>
    svg('line', { x1: x(value), x2: x(value), y1: top, y2: bottom, class: kind });
  return svg('svg', {
    class: 'range', viewBox: '0 0 200 16', width: 200, height: 16, 'aria-hidden': 'true',
  },
  svg('line', { x1: x(min), x2: x(max), y1: 8, y2: 8, class: 'rest' }),
  svg('line', { x1: x(median), x2: x(p95), y1: 8, y2: 8, class: 'wide' }),
  mark(median, 'line', 2, 14), mark(p95, 'line', 4, 12), mark(mean, 'mean', 5, 11));
}
