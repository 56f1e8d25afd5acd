// The view Flow: from events to metrics to exporters, with the rates on the edges.

import { get } from './api.js';
import { el, notice, rate, svg, table } from './dom.js';

const WIDTH = 960;
const ROW = 28;
const BOX = 220;
const COLUMNS = [0, (WIDTH - BOX) / 2, WIDTH - BOX];

/** The most boxes in a column. */
const MAX_BOXES = 24;

export default class Flow {
  title = 'Flow';

  constructor(context) {
    this.context = context;
    this.draw = () => this.#draw();
  }

  open() {
    this.picture = el('div', { className: 'scroll', tabIndex: 0, role: 'region',
      'aria-label': 'Flow of events, as a picture' });
    this.numbers = el('div', {});
    this.context.status.addEventListener('change', this.draw);
    this.#load();
    return [this.picture, this.numbers];
  }

  close() {
    this.context.status.removeEventListener('change', this.draw);
  }

  async #load() {
    try {
      ({ metrics: this.settings } = await get('metrics'));
      this.#draw();
    } catch (error) {
      this.picture.replaceChildren(notice(error.message, 'error'));
    }
  }

  #draw() {
    const { status } = this.context;
    if (!this.settings || !status.now) return;
    const metrics = this.settings.slice(0, MAX_BOXES)
      .map((metric) => ({ ...metric, rate: status.rate('metric', metric.name) }));
    const seen = new Set(status.now.events.names.map(([name]) => name));
    const events = new Map();
    const edges = [];
    for (const metric of metrics) {
      const names = [...metric.filter.matchAll(/\bevent"?\s*=\s*"?([\w*?.-]+)/g)]
        .map(([, name]) => name);
      for (const name of new Set(names.length > 0 ? names : ['any event'])) {
        if (events.size < MAX_BOXES || events.has(name)) {
          const known = seen.has(name) ? status.rate('event', name) : null;
          events.set(name, { name, rate: name.includes('*') ? null : known });
          // The metric's own rate: its filter may take only a part of an event's.
          edges.push({ from: ['event', name], to: ['metric', metric.name], rate: metric.rate });
        }
      }
      for (const exporter of metric.exporters) {
        edges.push({ from: ['metric', metric.name], to: ['exporter', exporter],
          rate: metric.rate });
      }
    }
    const exporters = status.now.exporters.map(({ name }) => ({
      name, rate: status.rate('sent', name), lost: status.rate('dropped', name),
    }));
    const columns = [['event', [...events.values()]], ['metric', metrics], ['exporter', exporters]];
    this.picture.replaceChildren(draw(columns, edges));
    const cut = this.settings.length > MAX_BOXES
      ? [notice(`The first ${MAX_BOXES} of ${this.settings.length} metrics.`)] : [];
    this.numbers.replaceChildren(el('h2', {}, 'As a table'), ...cut, table('Flow of events',
      ['From', 'To', { label: 'Rate', className: 'number' }],
      edges.map(({ from, to, rate: value }) => el('tr', {},
        el('td', {}, `${from[0]} ${from[1]}`), el('td', {}, `${to[0]} ${to[1]}`),
        el('td', { className: 'number' }, rate(value))))));
  }
}

function draw(columns, edges) {
  const rows = Math.max(...columns.map(([, boxes]) => boxes.length), 1);
  const height = rows * ROW + 24;
  const places = new Map();
  const picture = svg('svg', {
    class: 'flow', viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: 'img',
    'aria-label': 'Events on the left, metrics in the middle, exporters on the right. The table '
      + 'below has the same edges.',
  });
  columns.forEach(([kind, boxes], column) => {
    const x = COLUMNS[column];
    picture.append(svg('text', { x, y: 14, class: 'head' }, `${kind}s`));
    boxes.forEach((box, at) => places.set(`${kind} ${box.name}`, { x, y: 24 + at * ROW, box }));
  });
  const most = Math.max(...edges.map((edge) => edge.rate ?? 0), 1e-9);
  for (const { from, to, rate: value } of edges) {
    const start = places.get(from.join(' '));
    const end = places.get(to.join(' '));
    if (!start || !end) continue;
    const [x1, y1, x2, y2] = [start.x + BOX, start.y + 11, end.x, end.y + 11];
    const middle = (x1 + x2) / 2;
    const width = value ? 1 + 5 * Math.sqrt(value / most) : 1;
    picture.append(svg('path', {
      d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
      'stroke-width': width.toFixed(1), class: value ? 'edge' : 'edge idle',
    }));
  }
  for (const { x, y, box } of places.values()) {
    const name = box.name.length > 24 ? `${box.name.slice(0, 23)}…` : box.name;
    const told = box.rate === null || box.rate === undefined ? '' : rate(box.rate);
    picture.append(svg('g', {},
      svg('title', {}, box.name),
      svg('rect', { x, y, width: BOX, height: 22, rx: 3, class: box.lost ? 'box lost' : 'box' }),
      svg('text', { x: x + 6, y: y + 15 }, name),
      svg('text', { x: x + BOX - 6, y: y + 15, class: 'rate' }, told)));
  }
  return picture;
}
