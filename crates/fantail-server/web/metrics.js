// The view Metrics: what is counted.

import { get } from './api.js';
import { bar, histogram, range, sparkline } from './charts.js';
import { button, el, facts, micros, notice, number, pair, rate, table } from './dom.js';

/** The most series of one metric on the page. */
const MAX_SERIES = 1000;

/** The rows of a metric's table. */
const TOPS = [20, 100, MAX_SERIES];

const COLUMNS = [
  { key: 'name', label: 'Metric' },
  { key: 'count', label: 'Events', className: 'number' },
  { key: 'rate', label: 'Rate', className: 'number' },
  { key: null, label: 'Last 5 minutes' },
  { key: 'series', label: 'Series', className: 'number' },
  { key: 'exporters', label: 'Exporters' },
];

export default class Metrics {
  title = 'Metrics';
  #settings = new Map();
  #order = { key: 'rate', isDown: true };

  constructor(context) {
    this.context = context;
    this.draw = () => this.#draw();
  }

  open(parameters) {
    this.metric = parameters.get('metric');
    this.context.status.addEventListener('change', this.draw);
    if (this.metric !== null) return this.#openMetric();
    this.search = el('input', { id: 'search', type: 'search', oninput: this.draw });
    this.body = el('tbody', {});
    this.message = el('div', {});
    const heads = this.#heads();
    this.#load();
    this.#draw();
    return [
      el('div', { className: 'tools' },
        pair(el('label', { for: 'search' }, 'Search'), this.search)),
      this.message,
      el('div', { className: 'scroll', role: 'region', tabIndex: 0, 'aria-label': 'Metrics' },
        el('table', { className: 'fixed' }, el('caption', { className: 'hidden' }, 'Metrics'),
          el('thead', {}, heads), this.body)),
    ];
  }

  close() {
    this.context.status.removeEventListener('change', this.draw);
  }

  #heads() {
    this.heads = COLUMNS.map(({ key, label, className = '' }) => el('th', {
      scope: 'col', className, data: { key: key ?? '' },
    }, key ? button(label, () => this.#sort(key), { className: 'quiet sort' }) : label));
    return el('tr', {}, this.heads);
  }

  #sort(key) {
    const isDown = this.#order.key === key ? !this.#order.isDown : key !== 'name';
    this.#order = { key, isDown };
    this.#draw();
  }

  async #load() {
    try {
      const { metrics } = await get('metrics');
      this.#settings = new Map(metrics.map((metric) => [metric.name, metric]));
      this.#draw();
    } catch (error) {
      this.message?.replaceChildren(notice(error.message, 'error'));
    }
  }

  #draw() {
    const { status } = this.context;
    if (this.metric !== null || !status.now) return;
    const wanted = this.search.value.toLowerCase();
    const rows = status.now.metrics.map((metric) => ({
      ...metric,
      rate: status.rate('metric', metric.name) ?? 0,
      exporters: this.#settings.get(metric.name)?.exporters.join(', ') ?? '',
      filter: this.#settings.get(metric.name)?.filter ?? '',
    })).filter(({ name, filter }) => `${name} ${filter}`.toLowerCase().includes(wanted));
    const { key, isDown } = this.#order;
    const order = (one, other) => (one[key] < other[key] ? -1 : one[key] > other[key] ? 1 : 0)
      || one.name.localeCompare(other.name);
    rows.sort((one, other) => (isDown ? order(other, one) : order(one, other)));
    for (const head of this.heads) {
      const sorted = isDown ? 'descending' : 'ascending';
      if (head.dataset.key === key) head.setAttribute('aria-sort', sorted);
      else head.removeAttribute('aria-sort');
    }
    const focused = this.body.contains(document.activeElement)
      ? document.activeElement.textContent : null;
    this.body.replaceChildren(...rows.map((row) => this.#row(row)));
    // The rows are new, but the focus stays.
    if (focused !== null) {
      [...this.body.querySelectorAll('a')].find((link) => link.textContent === focused)?.focus();
    }
  }

  #row(row) {
    const query = new URLSearchParams({ metric: row.name });
    return el('tr', {},
      el('th', { scope: 'row' }, el('a', { href: `#/metrics?${query}`, title: row.filter }, row.name)),
      el('td', { className: 'number' }, number(row.count)),
      el('td', { className: 'number' }, rate(this.context.status.rate('metric', row.name))),
      el('td', {}, sparkline(this.context.status.rates('metric', row.name), `rate of ${row.name}`)),
      el('td', { className: 'number' }, number(row.series)),
      el('td', {}, row.exporters));
  }

  #openMetric() {
    this.detail = el('div', {}, el('p', { className: 'muted' }, 'loading …'));
    this.#loadMetric();
    return [el('p', {}, el('a', { href: '#/metrics' }, '← all metrics')), this.detail];
  }

  async #loadMetric() {
    try {
      const query = new URLSearchParams({ metric: this.metric, busiest: MAX_SERIES, quantiles: true });
      const [{ metrics: settings }, { metrics }] = await Promise.all([
        get('metrics'), get(`snapshot?${query}`),
      ]);
      const one = settings.find(({ name }) => name === this.metric);
      this.detail.replaceChildren(...this.#metric(one, metrics[0]));
    } catch (error) {
      this.detail.replaceChildren(notice(error.message, 'error'));
    }
  }

  #metric(settings, metric) {
    if (!metric) return [notice(`There is no metric ${this.metric}.`, 'error')];
    const [whole, ...series] = metric.series;
    const live = new URLSearchParams({ filter: settings?.filter ?? '' });
    const parts = [
      el('h2', {}, this.metric),
      facts([
        ['Description', settings?.description],
        ['Filter', el('code', {}, settings?.filter ?? '')],
        ['Grouped by', settings?.group_by.join(', ')],
        ['Heavy hitters', settings?.top ? topText(settings.top) : null],
        ['Exporters', settings?.exporters.join(', ')],
      ]),
      el('p', {}, el('a', { href: `#/live?${live}` }, 'Watch its events'), ' · ',
        el('a', { href: `#/explain?${live}` }, 'Explain its filter'), ' · ',
        button('Read again', () => this.#loadMetric(), { className: 'quiet' })),
      distributions(whole),
    ];
    if (metric.top) parts.push(...heavyHitters(metric.top));
    if (series.length > 0) parts.push(...this.#tops(series));
    return parts;
  }

  /** The series with the most events. */
  #tops(series) {
    const holder = el('div', {});
    const select = el('select', { id: 'top', onchange: () => draw() },
      TOPS.map((top) => el('option', { value: top }, `the top ${number(top)}`)));
    const filter = el('input', { id: 'labels', type: 'search', oninput: () => draw() });
    const draw = () => {
      const wanted = filter.value.toLowerCase();
      const found = series.filter(({ labels }) =>
        labels.some(({ value }) => value.toLowerCase().includes(wanted)));
      holder.replaceChildren(tree(found, Number(select.value)));
    };
    draw();
    return [
      el('h3', {}, 'Groups'),
      ...(series.length >= MAX_SERIES
        ? [notice(`The ${number(MAX_SERIES)} groups with the most events.`)] : []),
      el('div', { className: 'tools' },
        pair(el('label', { for: 'top' }, 'Show'), select),
        pair(el('label', { for: 'labels' }, 'Search'), filter)),
      holder,
    ];
  }
}

/** The settings of heavy hitters in words. */
function topText({ field, weight, shown, counters }) {
  const by = weight === null ? 'the most events' : `the largest sum of ${weight}`;
  return `the ${number(shown)} values of ${field} with ${by}, of ${number(counters)} counters`;
}

/** The values of a metric with the method `top`. */
function heavyHitters({ field, weight, total, others_at_most: others, values }) {
  const shown = weight === 'duration' ? micros : number;
  const rows = values.map(({ value, counted, error }) => el('tr', {},
    el('th', { scope: 'row', className: 'term' }, el('bdi', {}, value)),
    el('td', { className: 'number' }, shown(counted)),
    el('td', { className: 'number' }, error === 0 ? 'exact' : `+ ${shown(error)} at most`),
    el('td', { className: 'number' }, total > 0 ? `${((counted / total) * 100).toFixed(1)} %` : '–'),
    el('td', {}, bar(counted, total))));
  const columns = [field, { label: weight ?? 'Events', className: 'number' },
    { label: 'Error', className: 'number' }, { label: 'Share', className: 'number' },
    'Share as a bar'];
  return [el('h3', {}, 'Heavy hitters'), table(`The largest values of ${field}`, columns, rows),
    el('p', { className: 'muted' }, `Of ${shown(total)} in all; no other value has more than `
      + `${shown(others)}.`)];
}

/** The groups below their parents, those with the most events first. */
function tree(series, most) {
  const root = { children: [], count: 0 };
  const path = [root];
  for (const one of series) {
    const node = { one, children: [], count: one.duration_us.count };
    const depth = one.labels.length;
    path.length = Math.min(depth, path.length);
    (path[depth - 1] ?? root).children.push(node);
    path[depth] = node;
  }
  const rows = [];
  const visit = (node) => {
    node.children.sort((one, other) => other.count - one.count);
    for (const child of node.children) {
      if (rows.length >= most) return;
      rows.push(row(child.one));
      visit(child);
    }
  };
  visit(root);
  const columns = ['Group', { label: 'Events', className: 'number' },
    { label: 'Median', className: 'number' }, { label: '95 %', className: 'number' }];
  return table('Groups, those with the most events first', columns, rows);
}

function row({ labels, duration_us: duration }) {
  const { field, value } = labels.at(-1);
  return el('tr', {},
    el('th', { scope: 'row', className: 'term' },
      el('span', { 'aria-hidden': 'true' }, '  '.repeat(labels.length - 1)),
      el('span', { className: 'key' }, `${field}=`), el('bdi', {}, value)),
    el('td', { className: 'number' }, number(duration.count)),
    el('td', { className: 'number' }, micros(duration.median)),
    el('td', { className: 'number' }, micros(duration.p95)));
}

/** The duration and the fields of the whole metric. */
function distributions({ duration_us: duration, fields }) {
  const all = [['duration', duration, micros],
    ...fields.map(({ name, values }) => [name, values, number])];
  const columns = ['Field', ...['Values', 'Sum', 'Least', 'Median', 'Mean', '95 %', 'Most']
    .map((label) => ({ label, className: 'number' })), 'Range', 'Histogram'];
  const rows = all.map(([name, values, show]) => el('tr', {},
    el('th', { scope: 'row' }, name),
    el('td', { className: 'number' }, number(values.count)),
    ...['sum', 'min', 'median', 'mean', 'p95', 'max'].map((key) =>
      el('td', { className: 'number' }, values.count ? show(Math.round(values[key])) : '–')),
    el('td', {}, values.count ? range(values) : null),
    el('td', {}, values.count ? histogram(values.quantiles) : null)));
  return table('Values of all events of the metric', columns, rows);
}
